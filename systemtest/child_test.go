package systemtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// children are what a copy of this test binary does instead of testing, by the
// name in HANDOFF_TEST_CHILD. The context ends when the parent closes the
// child's standard input.
var children = map[string]func(ctx context.Context, s handoff.Store) error{
	"once": onceChild, "race": raceChild, "crash": crashChild, "soak": soakChild, "sync": syncChild,
}

// What one process stores is there for the next.
func TestProcesses(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		place := k.place(t)
		s := mustOpen(t, k, place)
		require.NoError(t, start(t, "once", k, place).wait(t))
		r, err := s.Latest(t.Context(), "once")
		require.NoError(t, err)
		require.Equal(t, int64(1), r.Version)
		require.Error(t, start(t, "nonsense", k, place).wait(t))
	})
}

func onceChild(ctx context.Context, s handoff.Store) error {
	return s.Commit(ctx, handoff.Record{ID: handoff.ID{Conversation: "once", Number: 1}, Seq: 1}, handoff.RecordEntry{ID: "e", Seq: 1})
}

// A child that is stopped while it opens its store ends like any other.
func TestStoppedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		l, place := newLedger(t), k.place(t)
		for range 2 {
			require.NoError(t, start(t, "race", k, place, "RACE_LEDGER="+l.socket, "RACE_AGENTS=1").stop())
		}
	})
}

func TestMain(m *testing.M) {
	name := os.Getenv("HANDOFF_TEST_CHILD")
	if name == "" {
		os.Exit(m.Run())
	}
	if err := beChild(name); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

func beChild(name string) (err error) {
	f, ok := children[name]
	if !ok {
		return errors.New("there is no such child")
	}
	k, err := kindNamed(os.Getenv("HANDOFF_TEST_KIND"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	s, closes, err := k.opened(ctx, os.Getenv("HANDOFF_TEST_PLACE"))
	switch {
	case errors.Is(err, context.Canceled):
		return nil // it was stopped before it began
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, closes()) }()
	return f(ctx, s)
}

// A child is another process on the same store.
type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	done chan error
}

// start runs a copy of the test binary.
func start(t *testing.T, name string, k kind, place string, env ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0]), done: make(chan error, 1)}
	c.cmd.Env = append(append(os.Environ(), "HANDOFF_TEST_CHILD="+name, "HANDOFF_TEST_KIND="+k.name, "HANDOFF_TEST_PLACE="+place), env...)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	require.NoError(t, err)
	out, to := io.Pipe() // Wait closes what StdoutPipe returns
	c.cmd.Stdout = to
	c.in, c.out = in, bufio.NewScanner(out)
	require.NoError(t, c.cmd.Start())
	go func() {
		err := c.cmd.Wait()
		_ = to.Close()
		c.done <- err
	}()
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

// wait returns how the child ended. One that does not end is killed.
func (c *child) wait(t *testing.T) error {
	t.Helper()
	return c.within(t, time.Minute)
}

func (c *child) within(t *testing.T, d time.Duration) error {
	t.Helper()
	select {
	case err := <-c.done:
		return err
	case <-time.After(d):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // it tells what it waits for
		t.Errorf("a child does not end: %v", c.cmd.Env[len(c.cmd.Env)-1])
		select {
		case err := <-c.done:
			t.Log(err)
		case <-time.After(time.Minute):
			_ = c.cmd.Process.Kill()
			t.Log(<-c.done)
		}
		t.FailNow()
		return nil
	}
}

// stop lets the child end by itself, and returns how it did.
func (c *child) stop() error {
	_ = c.in.Close()
	return <-c.done
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
