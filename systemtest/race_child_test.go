package systemtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A racer is one process of a race: it asks for its share of people, and plays
// the agents whose offers it hears of.
type racer struct {
	e      *handoff.Engine
	ledger *teller
	agents int
	chat   int
	busy   sync.WaitGroup // chats and consoles
}

func raceChild(ctx context.Context, s handoff.Store) error {
	setting := func(name string) int { n, _ := strconv.Atoi(os.Getenv(name)); return n }
	ledger, err := dialLedger(context.WithoutCancel(ctx), os.Getenv("RACE_LEDGER"))
	if err != nil {
		return err
	}
	if wrap := plants[os.Getenv("RACE_PLANT")]; wrap != nil {
		s = wrap(s)
	}
	r := &racer{ledger: ledger, agents: setting("RACE_AGENTS"), chat: setting("RACE_CHAT")}
	r.e, err = handoff.New(handoff.Config{
		Store: &watched{s, ctx, r}, Directory: raceStaff(r.agents), Queues: raceQueues,
		Sinks: map[string]handoff.Sink{"desk": handoff.SinkFunc(func(_ context.Context, h *handoff.Handoff, en *handoff.Entry) error {
			if o, ok := h.Offer(en.Agent); ok && en.Kind == handoff.KindOffered {
				r.busy.Go(func() { r.fault(ctx, "agent", r.work(ctx, h.ID, handoff.By(en.Agent), o.Number)) })
			}
			return nil
		})},
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- r.e.Run(ctx) }()
	var users sync.WaitGroup
	for u := range 4 {
		users.Go(func() {
			for i := setting("RACE_FROM") + u; i < setting("RACE_TO"); i += 4 {
				_, err := r.e.Request(ctx, handoff.Request{Conversation: fmt.Sprint("c", i), Queue: raceQueues[i%2].Name})
				r.fault(ctx, "request", err)
			}
		})
	}
	for range 4 {
		r.busy.Go(func() {
			for ctx.Err() == nil {
				r.pull(ctx, handoff.By(agentName(rand.IntN(r.agents))))
			}
		})
	}
	users.Wait()
	err = <-done
	r.busy.Wait()
	return err
}

// fault tells the ledger of an error that nobody should have seen.
func (r *racer) fault(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		_, _ = r.ledger.tell("%s: %v", what, err)
	}
}

// pull is an agent who looks for something to do.
func (r *racer) pull(ctx context.Context, by handoff.Actor) {
	list, err := r.e.List(ctx, handoff.Query{Queue: "pull", Waiting: true, ByRank: true, Limit: 100})
	if err == nil && len(list) > 0 {
		newer := list[len(list)/2:] // in no order that is fair, see order
		err = r.work(ctx, newer[rand.IntN(len(newer))].ID, by, 0)
	}
	r.fault(ctx, "pull", err)
	if err != nil || len(list) == 0 {
		time.Sleep(20 * time.Millisecond)
	}
}

// work is what an agent does with an offer: take it, and after a while end it.
func (r *racer) work(ctx context.Context, id handoff.ID, by handoff.Actor, offer int64) error {
	_, err := r.e.Accept(ctx, id, by, offer)
	var state *handoff.StateError
	if errors.Is(err, handoff.ErrWithdrawn) || errors.Is(err, handoff.ErrFull) || errors.As(err, &state) {
		return nil // told again of what is over, or somebody else was faster
	}
	if err != nil {
		return err
	}
	if answer, err := r.ledger.tell("take %s %d %s", id.Conversation, offer, by.ID); err != nil || answer == "again" {
		return err
	}
	time.Sleep(time.Duration(rand.IntN(r.chat)) * time.Millisecond)
	if _, err := r.ledger.tell("give %s", by.ID); err != nil {
		return err
	}
	_, err = r.e.End(ctx, id, by, handoff.Ending{})
	return err
}

// watched tells the ledger of what goes wrong in a store: a deadlock, say,
// that the engine would get over by trying again.
type watched struct {
	handoff.Store
	run context.Context //nolint:containedctx // that of the process
	r   *racer
}

func (s *watched) Unwrap() handoff.Store { return s.Store }

func (s *watched) Commit(ctx context.Context, rec handoff.Record, entries ...handoff.RecordEntry) error {
	err := s.Store.Commit(ctx, rec, entries...)
	if !isAnswer(err) {
		s.r.fault(s.run, "commit", err)
	}
	if err == nil {
		s.r.fault(s.run, "holders", s.count(ctx, rec))
	}
	return err
}

// count looks at who holds the seats that a commit has just taken. What a ledger
// is told of is the time between an answer and the next call; here nothing has
// been given back yet, however short a chat is.
func (s *watched) count(ctx context.Context, rec handoff.Record) error {
	for _, k := range rec.Keys {
		if !strings.HasPrefix(k.Name, "seat/") {
			continue
		}
		list, err := s.Holders(ctx, k.Name)
		if err != nil {
			return err
		}
		n := 0
		for _, h := range list {
			n += h.Units
		}
		if n > seats {
			return fmt.Errorf("%d of %s are held: %v", n, k.Name, list)
		}
	}
	return nil
}

func (s *watched) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	l, err := s.Store.Lead(ctx, id, cursor, now, lease)
	if !isAnswer(err) {
		s.r.fault(s.run, "lead", err)
	}
	return l, err
}

func (s *watched) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	got, err := s.Store.Claim(ctx, c)
	s.r.fault(s.run, "claim", err)
	return got, err
}

func (s *watched) Ack(ctx context.Context, acks ...handoff.Ack) error {
	err := s.Store.Ack(ctx, acks...)
	s.r.fault(s.run, "ack", err)
	return err
}
