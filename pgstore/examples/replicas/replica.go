package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

var options = pgstore.Options{Schema: "handoff_replicas"}

// A host is what a real one is, with lines of text for requests.
type host struct {
	engine *handoff.Engine
	shown  chan string
}

const conversation = "dana"

// replica is one process of the host. It reads a line, does it, and answers
// "=" or "=" and the error.
func replica(ctx context.Context, dsn, name string) error {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := pgstore.New(pool, options)
	if err := store.Check(ctx); err != nil {
		return err
	}
	shown := make(chan string, 100)
	engine, err := handoff.New(handoff.Config{
		Store:     store,
		Queues:    []handoff.Queue{{Name: "billing"}},
		Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"billing"}, Seats: 3}},
		Channel: handoff.ChannelFunc(func(_ context.Context, _ string, m handoff.UserMessage) error {
			from := m.From.Name
			if from == "" {
				from = string(m.From.Role)
			}
			fmt.Printf("shows Dana: %s: %s\n", from, m.Text)
			shown <- m.Text
			return nil
		}),
		Bot: handoff.BotFunc(func(_ context.Context, c handoff.BotCall) error {
			if c.Kind == handoff.BotEnded {
				fmt.Printf("tells the bot: the chat is over (%s)\n", c.Outcome)
			}
			return nil
		}),
		// What was being sent when a process died is sent again after this.
		Lease: time.Second, SendTimeout: 2 * time.Second, Overdue: time.Second, Poll: 250 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()

	fmt.Println("=") // ready
	h := &host{engine: engine, shown: shown}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		verb, text, _ := strings.Cut(lines.Text(), " ")
		if err := h.do(ctx, verb, text); err != nil {
			fmt.Println("=" + err.Error())
			continue
		}
		fmt.Println("=")
	}
	cancel()
	return <-done
}

func (h *host) do(ctx context.Context, verb, text string) error {
	e := h.engine
	if verb == "user" {
		fmt.Println("Dana writes:", text)
		_, err := e.Receive(ctx, handoff.Incoming{Conversation: conversation, ID: rand.Text(), Text: text})
		return err
	}
	now, err := e.Latest(ctx, conversation)
	if err != nil {
		return err
	}
	ann := handoff.By("ann")
	switch verb {
	case "bot":
		_, err = e.Say(ctx, conversation, handoff.Message{ID: rand.Text(), Text: text})
	case "request":
		_, err = e.Request(ctx, handoff.Request{Conversation: conversation, Queue: "billing"})
	case "accept":
		err = h.accept(ctx, now.ID)
	case "agent":
		_, err = e.Send(ctx, now.ID, ann, handoff.Message{ID: rand.Text(), Text: text})
	case "return":
		_, err = e.Return(ctx, now.ID, ann, text)
		if err == nil {
			err = h.settled(ctx)
		}
	case "wait":
		err = h.wait(ctx, text)
	case "log":
		err = h.log(ctx, now.ID.Number)
	default:
		err = errors.New("unknown verb " + verb)
	}
	return err
}

// accept takes Ann's offer as soon as there is one.
func (h *host) accept(ctx context.Context, id handoff.ID) error {
	for _, err := range h.engine.Follow(ctx, id, 0) {
		if err != nil {
			return err
		}
		now, err := h.engine.Get(ctx, id)
		if err != nil {
			return err
		}
		if o, ok := now.Offer("ann"); ok {
			_, err = h.engine.Accept(ctx, id, handoff.By("ann"), o.Number)
			return err
		}
	}
	return ctx.Err()
}

// settled waits until the bot has the next handoff of the conversation.
func (h *host) settled(ctx context.Context) error {
	for {
		now, err := h.engine.Latest(ctx, conversation)
		if err != nil || now.State == handoff.StateBot {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// wait waits until a text was shown by this replica.
func (h *host) wait(ctx context.Context, text string) error {
	for {
		select {
		case got := <-h.shown:
			if got == text {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (h *host) log(ctx context.Context, last int64) error {
	for n := int64(1); n <= last; n++ {
		list, err := h.engine.Log(ctx, handoff.ID{Conversation: conversation, Number: n}, 0, 1000)
		if err != nil {
			return err
		}
		for i := range list {
			fmt.Printf("#%d %2d %-9s %s\n", n, list[i].Seq, list[i].Kind, list[i].Text)
		}
	}
	return nil
}
