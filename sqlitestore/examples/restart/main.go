// Restart runs a host on a SQLite file, kills it in the middle of a chat, and
// starts it again. Nothing of the chat is lost, and the user does not notice.
//
//	go run ./examples/restart
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

func main() {
	file := flag.String("file", "", "be the host that will be killed, on this file (the example starts it itself)")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	f := play
	if *file != "" {
		f = func(ctx context.Context) error { return before(ctx, *file) }
	}
	if err := f(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "restart:", err)
		os.Exit(1)
	}
}

// play lets one process after the other be the host.
func play(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "handoff")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "handoff.db")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	first := exec.CommandContext(ctx, self, "-file", file)
	first.Stdout, first.Stderr = os.Stdout, os.Stderr
	if err := first.Run(); err == nil {
		return errors.New("the host was to be killed")
	}
	fmt.Println("--- the host was killed: no shutdown, no last words. Another one starts")
	return after(ctx, file)
}

var (
	ann      = handoff.By("ann")
	incoming = func(id, text string) handoff.Incoming {
		fmt.Println("   user ", text)
		return handoff.Incoming{Conversation: "web-42", ID: id, Text: text}
	}
)

// open makes an engine on a file. show is how the user sees what is said.
func open(ctx context.Context, file string, show handoff.ChannelFunc) (*handoff.Engine, *sqlitestore.Store, error) {
	store, err := sqlitestore.Open(ctx, file, sqlitestore.Options{})
	if err != nil {
		return nil, nil, err
	}
	if err := store.Migrate(ctx, sqlitestore.Latest); err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	engine, err := handoff.New(handoff.Config{
		Store: store, Channel: show,
		Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"billing"}, Seats: 3}},
		Queues:    []handoff.Queue{{Name: "billing"}},
		// Deliveries that a dead process was about to make are taken up soon.
		Lease: time.Second, SendTimeout: time.Second, Overdue: 200 * time.Millisecond, Poll: 100 * time.Millisecond,
	})
	return engine, store, err
}

// before is the host that dies: while it shows what Ann wrote.
func before(ctx context.Context, file string) error {
	engine, _, err := open(ctx, file, func(_ context.Context, _ string, m handoff.UserMessage) error {
		if m.Text == "One moment, I am looking." {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			return err
		}
		fmt.Println(m.From.Role, "", m.Text)
		return nil
	})
	if err != nil {
		return err
	}
	go func() { _ = engine.Run(ctx) }()
	turn, err := engine.Receive(ctx, incoming("m1", "My invoice is wrong, I need a person."))
	if err != nil {
		return err
	}
	asked, err := engine.Request(ctx, handoff.Request{Turn: turn, Queue: "billing"})
	if err != nil {
		return err
	}
	for entry, err := range engine.Follow(ctx, asked.Handoff.ID, 0) {
		if err != nil {
			return err
		}
		if entry.Kind != handoff.KindOffered {
			continue
		}
		now, err := engine.Get(ctx, asked.Handoff.ID)
		if err != nil {
			return err
		}
		offer, _ := now.Offer("ann")
		if _, err := engine.Accept(ctx, now.ID, ann, offer.Number); err != nil {
			return err
		}
		if _, err := engine.Send(ctx, now.ID, ann, handoff.Message{Text: "One moment, I am looking."}); err != nil {
			return err
		}
	}
	return nil
}

// after is the host that goes on.
func after(ctx context.Context, file string) (err error) {
	shown := make(chan string, 100)
	engine, store, err := open(ctx, file, func(_ context.Context, _ string, m handoff.UserMessage) error {
		fmt.Println(m.From.Role, "", m.Text)
		shown <- m.Text
		return nil
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- engine.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-done, store.Close())
	}()
	turn, err := engine.Receive(ctx, incoming("m2", "Are you still there?"))
	if err != nil {
		return err
	}
	fmt.Println("    bot  (keeps quiet: its turn is open:", turn.Open(), ")")
	h, err := engine.Latest(ctx, "web-42")
	if err != nil {
		return err
	}
	if _, err := engine.Send(ctx, h.ID, ann, handoff.Message{Text: "Yes. I have corrected it."}); err != nil {
		return err
	}
	for text := ""; text != "Yes. I have corrected it."; { // what the first one was about to show comes first
		select {
		case text = <-shown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_, err = engine.Return(ctx, h.ID, ann, "It was the March invoice")
	return err
}
