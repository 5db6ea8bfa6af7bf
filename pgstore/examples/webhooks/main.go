// Webhooks measures how long a platform waits for the answer to a webhook: over
// HTTP, with the signature verified and the effect stored before it, on a store
// in memory and on PostgreSQL.
//
//	go run ./examples/webhooks
//	go run ./examples/webhooks -dsn postgres://… -n 5000
//
// Without -dsn it starts a server of its own from the machine's binaries. The
// strictest platform, Slack, waits three seconds; the goal is a tenth of that
// for 99 of 100.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

const (
	budget = 3 * time.Second // of the strictest platform
	chats  = 50
)

func main() {
	dsn := flag.String("dsn", "", "the database; its schema handoff_webhooks is made and removed")
	n := flag.Int("n", 2000, "webhooks")
	at := flag.Int("at", 8, "at once")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	if err := run(ctx, *dsn, *n, *at); err != nil {
		fmt.Fprintln(os.Stderr, "webhooks:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dsn string, n, at int) error {
	if err := measure(ctx, "memory", memstore.New(), n, at); err != nil {
		return err
	}
	if dsn == "" {
		own, stop, err := throwaway.Postgres()
		if err != nil {
			return fmt.Errorf("no PostgreSQL here (use -dsn): %w", err)
		}
		defer stop()
		dsn = own
	}
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := pgstore.New(pool, pgstore.Options{Schema: "handoff_webhooks"})
	if err := store.Migrate(ctx, pgstore.Latest); err != nil {
		return err
	}
	defer func() { _ = store.Migrate(context.WithoutCancel(ctx), 0) }()
	return measure(ctx, "PostgreSQL", store, n, at)
}

// measure lets agents write in many chats at once.
func measure(ctx context.Context, name string, store handoff.Store, n, at int) error {
	desk := inmem.New(inmem.Options{})
	engine, err := handoff.New(handoff.Config{
		Store: store, Providers: []handoff.Provider{desk.Provider()},
		Queues: []handoff.Queue{{Name: "support", Providers: []string{"inmem"}, IdleTimeout: handoff.Never}},
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	defer func() { stop(); <-done }()
	address, err := serve(ctx, provider.Handler(engine, "inmem"))
	if err != nil {
		return err
	}
	if err := begin(ctx, engine, desk, address); err != nil {
		return err
	}
	for i := range n {
		desk.Say(desk.Chats()[i%chats].Reference, "message "+strconv.Itoa(i))
	}
	took, err := post(ctx, address, desk.Take(), at)
	if err != nil {
		return err
	}
	slices.Sort(took)
	at99 := took[len(took)*99/100]
	verdict := "met"
	if at99 >= budget/10 {
		verdict = "missed"
	}
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	fmt.Printf("%-10s %d webhooks, %d at once: p50 %v, p90 %v, p99 %v, longest %v; p99 is %.2f of %v: %s\n",
		name, len(took), at, round(took[len(took)/2]), round(took[len(took)*9/10]), round(at99), round(took[len(took)-1]), at99.Seconds()/(budget/10).Seconds(), budget/10, verdict)
	return nil
}

func serve(ctx context.Context, h http.Handler) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	go func() { _ = s.Serve(l) }()
	return "http://" + l.Addr().String(), nil
}

// begin opens the chats and lets an agent join each.
func begin(ctx context.Context, engine *handoff.Engine, desk *inmem.Platform, address string) error {
	for i := range chats {
		if _, err := engine.Request(ctx, handoff.Request{Conversation: "c" + strconv.Itoa(i), Queue: "support"}); err != nil {
			return err
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for len(desk.Chats()) < chats {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("the chats were not opened")
		}
	}
	for _, c := range desk.Chats() {
		desk.Join(c.Reference, handoff.Party{ID: "7", Name: "Ann"})
	}
	_, err := post(ctx, address, desk.Take(), 1)
	return err
}

// post sends webhooks, so many at once, and returns how long each waited.
func post(ctx context.Context, address string, hooks []handoff.Webhook, at int) ([]time.Duration, error) {
	took := make([]time.Duration, len(hooks))
	errs := make([]error, at)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: at}}
	var wg sync.WaitGroup
	for k := range at {
		wg.Go(func() {
			for i := k; i < len(hooks) && errs[k] == nil; i += at {
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(hooks[i].Body))
				if err != nil {
					errs[k] = err
					return
				}
				r.Header = hooks[i].Header
				start := time.Now()
				resp, err := client.Do(r)
				if err == nil {
					_ = resp.Body.Close()
					if resp.StatusCode != http.StatusOK {
						err = fmt.Errorf("a webhook was answered with %d", resp.StatusCode)
					}
				}
				took[i], errs[k] = time.Since(start), err
			}
		})
	}
	wg.Wait()
	return took, errors.Join(errs...)
}
