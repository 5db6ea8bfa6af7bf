package enginetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Main is TestMain of a package that uses Child: in the child it opens the
// store and lives on it, in the parent it runs the tests and then end, if there
// is one.
func Main(m *testing.M, open func(ctx context.Context) (s handoff.Store, closes func(), err error), end func()) {
	if os.Getenv("HANDOFF_TEST_CHILD") == "" {
		code := m.Run()
		if end != nil {
			end()
		}
		os.Exit(code)
	}
	if err := child(open); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

func child(open func(ctx context.Context) (handoff.Store, func(), error)) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	s, closes, err := open(ctx)
	if err != nil {
		return err
	}
	defer closes()
	return live(ctx, s)
}

// live brings a user and Ann together, and hangs in the first message that it
// is to show.
func live(ctx context.Context, s handoff.Store) error {
	var e *handoff.Engine
	cfg := Config(s, quick, func(c *handoff.Config) {
		c.SendTimeout = 3 * time.Second
		c.Channel = handoff.ChannelFunc(func(ctx context.Context, _ string, m handoff.UserMessage) error {
			if m.Notice != "" {
				return nil
			}
			fmt.Fprintln(os.Stdout, "showing", m.Text)
			<-ctx.Done()
			return ctx.Err()
		})
		c.Sinks = map[string]handoff.Sink{"desk": handoff.SinkFunc(func(ctx context.Context, h *handoff.Handoff, en *handoff.Entry) error {
			o, ok := h.Offer("ann")
			if !ok || en.Kind != handoff.KindOffered {
				return nil
			}
			_, err := e.Accept(ctx, h.ID, handoff.By("ann"), o.Number)
			if err == nil {
				fmt.Fprintln(os.Stdout, "chat")
			}
			return err
		})}
	})
	var err error
	if e, err = handoff.New(cfg); err != nil {
		return err
	}
	turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "hello"})
	if err == nil {
		_, err = e.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
	}
	if err != nil {
		return err
	}
	return e.Run(ctx)
}

// Killed shows that nothing but the text is lost when the process that has a
// chat is killed. env tells the child of Main where the store is.
func Killed(t *testing.T, s handoff.Store, env ...string) {
	t.Helper()
	ctx := t.Context()
	line, kill := spawn(t, env)
	equal(t, "the other process", line(), "chat") // Ann has the user there

	channel := &Shown{}
	e := Engine(t, s, quick, func(c *handoff.Config) { c.Channel = channel }) // does not run yet
	h, err := e.Latest(ctx, "c")
	must(t, err)
	equal(t, "state", string(h.State), string(handoff.StateActive))
	_, err = e.Send(ctx, h.ID, handoff.By("ann"), handoff.Message{ID: "s1", Text: "one moment"})
	must(t, err)
	equal(t, "the other process", line(), "showing one moment") // and hangs in it
	kill()

	Run(t, e)
	turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m2", Text: "still there?"})
	must(t, err)
	if turn.Open() {
		t.Fatal("the bot has the word, not Ann")
	}
	_, err = e.Send(ctx, h.ID, handoff.By("ann"), handoff.Message{ID: "s2", Text: "here"})
	must(t, err)
	Eventually(t, "both messages", func() bool { return channel.Said() == "one moment\nhere" })
	log, err := e.Log(ctx, h.ID, 0, 1000)
	must(t, err)
	var said []string
	for i := range log {
		if log[i].Seq != int64(i)+1 {
			t.Fatalf("entry %d of the log has the sequence number %d", i+1, log[i].Seq)
		}
		if log[i].Kind == handoff.KindMessage {
			said = append(said, log[i].Text)
		}
	}
	equal(t, "the log", strings.Join(said, "\n"), "hello\none moment\nstill there?\nhere")
}

// spawn runs a copy of the test binary as a child. It ends with the test, by
// kill -9.
func spawn(t *testing.T, env []string) (line func() string, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0]) //nolint:gosec // it is this program
	cmd.Env = append(append(os.Environ(), "HANDOFF_TEST_CHILD=1"), env...)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe() // it ends with this process
	must(t, err)
	out, to := io.Pipe() // Wait closes what StdoutPipe returns
	cmd.Stdout = to
	must(t, cmd.Start())
	done := make(chan struct{})
	go func() {
		err := cmd.Wait()
		_ = to.CloseWithError(errors.Join(io.EOF, err))
		close(done)
	}()
	kill = func() {
		_ = cmd.Process.Kill()
		<-done
	}
	t.Cleanup(kill)
	in := bufio.NewScanner(out)
	return func() string {
		t.Helper()
		if !in.Scan() {
			t.Fatalf("the child said nothing more: %v", in.Err())
		}
		return in.Text()
	}, kill
}
