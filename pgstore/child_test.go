package pgstore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff/pgstore"
)

// A child is another process on the same schema. It ends when its standard
// input is closed.
type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	done chan error
}

// start runs a copy of the test binary.
func start(t *testing.T, name, schema string, env ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0]), done: make(chan error, 1)}
	c.cmd.Env = append(append(os.Environ(), "HANDOFF_TEST_CHILD="+name, "HANDOFF_TEST_DSN="+dsn(t), "HANDOFF_TEST_SCHEMA="+schema), env...)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, to := io.Pipe() // Wait closes what StdoutPipe returns
	c.cmd.Stdout = to
	c.in, c.out = in, bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		err := c.cmd.Wait()
		_ = to.Close()
		c.done <- err
	}()
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

// line waits for a line that the child prints.
func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.out.Scan() {
		t.Fatalf("the child said nothing more: %v", c.out.Err())
	}
	return c.out.Text()
}

// stop lets the child end by itself.
func (c *child) stop() error {
	_ = c.in.Close()
	return <-c.done
}

// kill ends the child as kill -9 does.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done //nolint:errcheck // it was killed
}

// gone fails the test if the child has ended already.
func (c *child) gone(t *testing.T) {
	t.Helper()
	select {
	case err := <-c.done:
		t.Fatalf("a child ended too soon: %v", err)
	default:
	}
}

func runChild(name string) error {
	f, ok := children[name]
	if !ok {
		return fmt.Errorf("there is no such child")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	cfg, err := pgxpool.ParseConfig(os.Getenv("HANDOFF_TEST_DSN"))
	if err != nil {
		return err
	}
	cfg.MaxConns = 8
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer pool.Close()
	return f(ctx, pgstore.New(pool, pgstore.Options{Schema: os.Getenv("HANDOFF_TEST_SCHEMA")}))
}
