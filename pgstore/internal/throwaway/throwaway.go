// Package throwaway starts a PostgreSQL server of its own, from the binaries
// that the machine has, for tests and examples.
package throwaway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Start runs initdb and postgres in a temporary folder, listening on a socket
// there and nowhere else. stop ends the server and removes the folder; so does
// the end of this process.
func Start() (dsn string, stop func(), err error) {
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	init := exec.CommandContext(ctx, filepath.Join(bin, "initdb"),
		"-D", data, "-U", "handoff", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	init.Dir, init.SysProcAttr = dir, cred
	if out, err := init.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("initdb as %s: %w: %s", owner, err, out)
	}
	// The shell ends the server and removes the folder when the pipe to it is
	// closed: by stop, or by the end of this process, whatever its cause.
	run := exec.CommandContext(context.Background(), "/bin/sh", "-c", `"$@" & pid=$!; cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$DIR"`, "sh",
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
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			err = conn.Close(ctx)
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
	return nil, "", errors.New("no user to run a server as")
}
