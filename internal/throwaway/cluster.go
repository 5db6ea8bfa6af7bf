package throwaway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Cluster is what PostgreSQL calls one: a folder with data, on which a server is
// started, ended and killed as often as one likes.
type Cluster struct {
	Wrapper []string // a command that runs the server: strace, with its options

	s   *server
	bin string
	end func(keep bool) // nil: no server runs
}

// NewCluster runs initdb, with these flags as well.
func NewCluster(flags ...string) (*Cluster, error) {
	c, err := newCluster()
	if err != nil {
		return nil, err
	}
	return c.filled("initdb", append([]string{"-D", c.data(), "-U", "handoff", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"}, flags...)...)
}

// Standby runs pg_basebackup, and returns a cluster that follows c's server, from
// which it has got what that one had.
func (c *Cluster) Standby() (*Cluster, error) {
	standby, err := newCluster()
	if err != nil {
		return nil, err
	}
	return standby.filled("pg_basebackup", "-D", standby.data(), "-d", c.DSN(), "-X", "stream", "-R", "-c", "fast", "--no-sync")
}

func newCluster() (*Cluster, error) {
	bin, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	s, err := folder("pg")
	return &Cluster{s: s, bin: bin}, err
}

// filled lets a program make the data.
func (c *Cluster) filled(program string, args ...string) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, program), args...) //nolint:gosec // where this machine has it
	cmd.Dir = c.s.dir
	c.s.user.become(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.s.remove()
		return nil, fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.s.dir, "data") }

// DSN is the connection string of the server.
func (c *Cluster) DSN() string { return "host=" + c.s.dir + " user=handoff dbname=postgres" }

// Socket is the path at which the server listens.
func (c *Cluster) Socket() string { return filepath.Join(c.s.dir, ".s.PGSQL.5432") }

// Start starts the server, with these settings, and returns its connection string.
func (c *Cluster) Start(settings ...string) (dsn string, err error) {
	args := slices.Concat(c.Wrapper, []string{
		filepath.Join(c.bin, "postgres"), "-D", c.data(), "-k", c.s.dir, "-c", "listen_addresses=",
		"-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "log_min_messages=panic",
	})
	for _, set := range settings {
		args = append(args, "-c", set)
	}
	c.end, err = c.s.start("QUIT", greetPostgres, c.Socket(), args[0], args[1:]...)
	return c.DSN(), err
}

// Stop ends the server at once, as SIGQUIT does: the next one has to recover.
func (c *Cluster) Stop() {
	if c.end != nil {
		c.end(true)
		c.end = nil
	}
}

// Remove ends the server, if one runs, and removes the data.
func (c *Cluster) Remove() {
	if c.end != nil {
		c.end(false)
	}
	c.s.remove()
}

// Kill kills all processes of the server with SIGKILL. It works on Linux only.
func (c *Cluster) Kill() error {
	pid, err := c.pid()
	if err != nil {
		return err
	}
	main, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	// While it is stopped it makes no more of them.
	if err := freeze(main); err != nil {
		return err
	}
	all, err := children(pid)
	for _, p := range append(all, main) {
		if e := p.Kill(); e != nil && !errors.Is(e, os.ErrProcessDone) {
			err = errors.Join(err, e)
		}
	}
	c.Stop() // there is nothing left to end
	return err
}

// pid is the number of the server's first process.
func (c *Cluster) pid() (int, error) {
	b, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strconv.Atoi(line)
}

// children are the processes that one has made and that are still there.
func children(parent int) (list []*os.Process, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if len(stats) == 0 {
		return nil, errors.Join(err, ErrUnsupported)
	}
	for _, stat := range stats {
		b, err := os.ReadFile(stat) //nolint:gosec // of the system
		if err != nil {
			continue // it has ended
		}
		// "12 (name) S 11 …": the name may hold anything.
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err != nil {
			return nil, err
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}
