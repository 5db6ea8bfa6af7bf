package pgstore_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff/pgstore"
)

// server is the PostgreSQL that the tests of this process use: the one that
// HANDOFF_TEST_POSTGRES names, or a throwaway one started from the machine's
// own binaries.
var server struct {
	once sync.Once
	dsn  string
	err  error
	stop func()
}

// children are what a copy of this test binary does instead of testing, by the
// name in HANDOFF_TEST_CHILD.
var children = map[string]func(ctx context.Context, s *pgstore.Store) error{"race": raceChild, "replica": replicaChild}

func TestMain(m *testing.M) {
	if name := os.Getenv("HANDOFF_TEST_CHILD"); name != "" {
		if err := runChild(name); err != nil {
			fmt.Fprintln(os.Stderr, name+":", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if server.stop != nil {
		server.stop()
	}
	os.Exit(code)
}

func dsn(t testing.TB) string {
	t.Helper()
	server.once.Do(func() {
		if server.dsn = os.Getenv("HANDOFF_TEST_POSTGRES"); server.dsn == "" {
			server.dsn, server.stop, server.err = startServer()
		}
	})
	if server.err != nil {
		if os.Getenv("HANDOFF_TEST_REQUIRE") == "1" {
			t.Fatalf("no PostgreSQL: %v", server.err)
		}
		t.Skipf("NO POSTGRESQL, NOTHING TESTED: %v (set HANDOFF_TEST_POSTGRES)", server.err)
	}
	return server.dsn
}

// startServer runs initdb and postgres in a temporary folder, listening on a
// socket there and nowhere else.
func startServer() (dsn string, stop func(), err error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return "", nil, err
	}
	remove := func() { _ = os.RemoveAll(dir) }
	cred, owner, err := unprivileged(dir)
	if err != nil {
		remove()
		return "", nil, err
	}
	data := filepath.Join(dir, "data")
	init := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "handoff", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	init.Dir, init.SysProcAttr = dir, cred
	if out, err := init.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("initdb as %s: %w: %s", owner, err, out)
	}
	// The shell ends the server and removes the folder when the pipe to it is
	// closed: by stop, or by the end of this process, whatever its cause.
	run := exec.Command("/bin/sh", "-c", `"$@" & pid=$!; cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$DIR"`, "sh",
		filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "log_min_messages=panic")
	run.Dir, run.SysProcAttr, run.Env = "/", cred, append(os.Environ(), "DIR="+dir)
	pipe, err := run.StdinPipe()
	if err != nil {
		remove()
		return "", nil, err
	}
	if err := run.Start(); err != nil {
		remove()
		return "", nil, err
	}
	stop = func() {
		_ = pipe.Close()
		_ = run.Wait()
		remove()
	}
	dsn = "host=" + dir + " user=handoff dbname=postgres"
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		pool, err := pgxpool.New(ctx, dsn)
		if err == nil {
			err = pool.Ping(ctx)
			pool.Close()
		}
		if err == nil {
			return dsn, stop, nil
		}
		select {
		case <-ctx.Done():
			stop()
			return "", nil, fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), err
	}
	path, err := exec.LookPath("initdb")
	return filepath.Dir(path), err
}

// unprivileged says as whom to run the server, which refuses to run as root,
// and gives him the folder.
func unprivileged(dir string) (*syscall.SysProcAttr, string, error) {
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{}, "oneself", nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 != nil || err2 != nil {
			continue
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, name, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, name, nil
	}
	return nil, "", fmt.Errorf("no user to run a server as")
}

var schemas atomic.Int64

func nextSchema() string { return fmt.Sprintf("t%d_%d", os.Getpid(), schemas.Add(1)) }

func quoted(schema string) string { return pgx.Identifier{schema}.Sanitize() }

// noise returns text that cannot be compressed.
func noise(n int) string {
	b := make([]byte, n/2)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// open returns a store in a schema of its own.
func open(t testing.TB, opt pgstore.Options) *pgstore.Store {
	t.Helper()
	s, _ := openPool(t, opt)
	return s
}

func openPool(t testing.TB, opt pgstore.Options, change ...func(*pgxpool.Config)) (*pgstore.Store, *pgxpool.Pool) {
	t.Helper()
	if opt.Schema == "" {
		opt.Schema = nextSchema()
	}
	s, pool := openOnly(t, opt, change...)
	if err := s.Migrate(context.Background(), pgstore.Latest); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := pool.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+quoted(opt.Schema)+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	return s, pool
}

// openOnly returns a store on a pool of its own, without making its schema.
func openOnly(t testing.TB, opt pgstore.Options, change ...func(*pgxpool.Config)) (*pgstore.Store, *pgxpool.Pool) {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(dsn(t))
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 16
	// The server is not going to lose its power. See TestCheck for the rest.
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	for _, f := range change {
		f(cfg)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pgstore.New(pool, opt), pool
}
