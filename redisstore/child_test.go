package redisstore_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/redisstore"
)

// A child is another process on the same prefix. It ends when its standard
// input is closed.
type child struct {
	cmd  *exec.Cmd
	out  *bufio.Scanner
	done chan error
}

// spawn runs a copy of the test binary.
func spawn(t *testing.T, name, prefix string) *child {
	t.Helper()
	url, _ := servertest.Redis(t)
	c := &child{cmd: exec.CommandContext(context.Background(), os.Args[0]), done: make(chan error, 1)}
	c.cmd.Env = append(os.Environ(), "HANDOFF_TEST_CHILD="+name, "HANDOFF_TEST_URL="+url, "HANDOFF_TEST_PREFIX="+prefix)
	c.cmd.Stderr = os.Stderr
	if _, err := c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, to := io.Pipe() // Wait closes what StdoutPipe returns
	c.cmd.Stdout = to
	c.out = bufio.NewScanner(out)
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

// kill ends the child as kill -9 does.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done //nolint:errcheck // it was killed
}

func runChild(name string) error {
	f, ok := children[name]
	if !ok {
		return errors.New("there is no such child")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	opt, err := redis.ParseURL(os.Getenv("HANDOFF_TEST_URL"))
	if err != nil {
		return err
	}
	opt.ContextTimeoutEnabled = true
	c := redis.NewClient(opt)
	defer func() { _ = c.Close() }()
	return f(ctx, redisstore.New(c, redisstore.Options{Prefix: os.Getenv("HANDOFF_TEST_PREFIX")}))
}
