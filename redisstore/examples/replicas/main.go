// Replicas has two engines that share nothing but a Redis. The first takes what
// users say and does no work; the second works, with the agent's console.
//
//	go run ./examples/replicas
//	go run ./examples/replicas -url redis://localhost:6379
//
// Without -url it starts a server of its own from the machine's binary.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/redisstore"
)

func main() {
	url := flag.String("url", "", "the server; what begins with {handoff_replicas}: is made and removed")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := play(ctx, *url); err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		os.Exit(1)
	}
}

func play(ctx context.Context, url string) error {
	if url == "" {
		own, stop, err := throwaway.Redis()
		if err != nil {
			return fmt.Errorf("no Redis here (use -url): %w", err)
		}
		defer stop()
		url = own
	}
	opt, err := redis.ParseURL(url)
	if err != nil {
		return err
	}
	opt.ContextTimeoutEnabled = true
	client := redis.NewClient(opt)
	defer func() { _ = client.Close() }()
	store := redisstore.New(client, redisstore.Options{Prefix: "handoff_replicas"})
	if err := store.Migrate(ctx, redisstore.Latest); err != nil {
		return err
	}
	defer func() { _ = store.Migrate(context.WithoutCancel(ctx), 0) }()
	return chat(ctx, client)
}

// chat lets Uwe, who talks to the first replica, have Ann, who is at the second.
func chat(ctx context.Context, client *redis.Client) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var run errgroup.Group
	returned := make(chan handoff.BotCall, 1)
	replica := func(name string, works bool) (*handoff.Engine, error) {
		store := redisstore.New(client, redisstore.Options{Prefix: "handoff_replicas"})
		var e *handoff.Engine
		cfg := handoff.Config{
			Store: store, Queues: []handoff.Queue{{Name: "support"}},
			Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"support"}, Seats: 1}},
			Channel: handoff.ChannelFunc(func(_ context.Context, _ string, m handoff.UserMessage) error {
				fmt.Printf("%s shows Uwe: %s\n", name, m.Text)
				return nil
			}),
			Bot: handoff.BotFunc(func(_ context.Context, call handoff.BotCall) error {
				if call.Kind == handoff.BotEnded {
					returned <- call
				}
				return nil
			}),
			Sinks: map[string]handoff.Sink{"desk": handoff.SinkFunc(func(ctx context.Context, h *handoff.Handoff, en *handoff.Entry) error {
				return desk(ctx, e, name, h, en)
			})},
		}
		var err error
		if e, err = handoff.New(cfg); err == nil && works {
			run.Go(func() error { return e.Run(ctx) })
		}
		return e, err
	}
	first, err := replica("replica 1", false)
	if err != nil {
		return err
	}
	if _, err := replica("replica 2", true); err != nil {
		return err
	}
	turn, err := first.Receive(ctx, handoff.Incoming{Conversation: "uwe", ID: "m1", Text: "A person, please."})
	if err == nil {
		_, err = first.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
	}
	if err != nil {
		return err
	}
	select {
	case call := <-returned:
		fmt.Printf("the bot has Uwe back: %s\n", call.Outcome)
	case <-ctx.Done():
		return ctx.Err()
	}
	cancel()
	return run.Wait()
}

// desk is Ann: she takes what she is offered, says something, and gives the
// user back. What comes twice is refused the second time.
func desk(ctx context.Context, e *handoff.Engine, name string, h *handoff.Handoff, en *handoff.Entry) error {
	o, ok := h.Offer("ann")
	if !ok || en.Kind != handoff.KindOffered {
		return nil
	}
	if _, err := e.Accept(ctx, h.ID, handoff.By("ann"), o.Number); err != nil {
		return nil //nolint:nilerr // withdrawn, or told again
	}
	fmt.Printf("%s: Ann accepts\n", name)
	_, err := e.Send(ctx, h.ID, handoff.By("ann"), handoff.Message{ID: "s1", Text: "Ann here. Done."})
	if err == nil {
		_, err = e.Return(ctx, h.ID, handoff.By("ann"), "")
	}
	return err
}
