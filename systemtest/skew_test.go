package systemtest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// skewed is a store as a replica uses it whose clock is wrong: every time that
// the replica gives is off.
type skewed struct {
	handoff.Store
	by     time.Duration
	claims *atomic.Int64
}

func (s *skewed) Unwrap() handoff.Store { return s.Store }

func (s *skewed) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	c.Now = c.Now.Add(s.by)
	got, err := s.Store.Claim(ctx, c)
	got.Now = got.Now.Add(-s.by) // how far the store's clock is from the replica's
	s.claims.Add(1)
	return got, err
}

func (s *skewed) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	return s.Store.Lead(ctx, id, cursor, now.Add(s.by), lease)
}

func (s *skewed) Ack(ctx context.Context, acks ...handoff.Ack) error {
	acks = slices.Clone(acks)
	for i := range acks {
		if !acks[i].Until.IsZero() {
			acks[i].Until = acks[i].Until.Add(s.by)
		}
	}
	return s.Store.Ack(ctx, acks...)
}

// A replica whose clock is ten minutes off, beside one whose clock is right:
// it fires nothing early, keeps nothing from happening, and what users see is
// in order. That the store decides by its own clock is what does it, so this
// is of the stores with a server; others are of one host and have one clock.
func TestSkew(t *testing.T) {
	for _, by := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		for _, k := range kinds {
			if k.name == "postgres" || k.name == "redis" {
				t.Run(fmt.Sprint(k.name, by), func(t *testing.T) { skew(t, k, by) })
			}
		}
	}
}

func skew(t *testing.T, k kind, by time.Duration) {
	ctx := t.Context()
	place := k.place(t)
	var claims atomic.Int64
	off := &skewed{mustOpen(t, k, place), by, &claims}
	channel := &shown{}
	config := func(s handoff.Store) handoff.Config {
		return handoff.Config{
			Store: s, Channel: channel, Poll: 20 * time.Millisecond, Sweep: 50 * time.Millisecond,
			Lease: time.Second, SendTimeout: time.Second, Overdue: 200 * time.Millisecond,
			Queues:    []handoff.Queue{{Name: "slow", OfferTimeout: 2 * time.Minute}, {Name: "fast", OfferTimeout: 300 * time.Millisecond}},
			Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"slow"}, Seats: 1}, {ID: "bob", Queues: []string{"fast"}, Seats: 1}},
		}
	}
	wrong, err := handoff.New(config(off))
	require.NoError(t, err)
	runUntilEnd(t, wrong)

	// Alone, it does nothing before its time. One whose clock is ahead waits for
	// the store's clock to agree, or for somebody else.
	ask := func(conversation, queue string) handoff.ID {
		out, err := wrong.Request(ctx, handoff.Request{Conversation: conversation, Queue: queue})
		require.NoError(t, err)
		return out.Handoff.ID
	}
	slow, fast := ask("slow", "slow"), ask("fast", "fast")
	has := func(id handoff.ID, kind handoff.Kind) bool {
		log, err := wrong.Log(ctx, id, 0, 1000)
		require.NoError(t, err)
		return slices.ContainsFunc(log, func(e handoff.Entry) bool { return e.Kind == kind })
	}
	eventually(t, "an offer", func() bool { return has(slow, handoff.KindOffered) })
	if by < 0 {
		eventually(t, "an offer that lapses", func() bool { return has(fast, handoff.KindLapsed) })
	}
	for n := claims.Load(); claims.Load() < n+20; {
		time.Sleep(time.Millisecond)
	}
	require.False(t, has(slow, handoff.KindLapsed), "an offer of two minutes lapsed")

	// Beside another one: leases are of no use, and nothing depends on them.
	right, err := handoff.New(config(mustOpen(t, k, place)))
	require.NoError(t, err)
	runUntilEnd(t, right)
	eventually(t, "an offer that lapses", func() bool { return has(fast, handoff.KindLapsed) })
	h, err := right.Get(ctx, slow)
	require.NoError(t, err)
	o, ok := h.Offer("ann")
	require.True(t, ok)
	_, err = wrong.Accept(ctx, slow, handoff.By("ann"), o.Number)
	require.NoError(t, err)
	var want []string
	for i := range 20 {
		e := []*handoff.Engine{wrong, right}[i%2]
		text := fmt.Sprint("line ", i)
		_, err := e.Send(ctx, slow, handoff.By("ann"), handoff.Message{ID: text, Text: text})
		require.NoError(t, err)
		want = append(want, text)
	}
	eventually(t, "the last line", func() bool { return len(channel.said()) == len(want) })
	assert.Equal(t, want, channel.said())
}

// Replicas that hear nothing of each other, because hints are lost or a pooler
// is in between, find everything by looking.
func TestDeaf(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		ctx := t.Context()
		place := k.place(t)
		config := handoff.Config{
			Store: deaf{mustOpen(t, k, place)}, Poll: 50 * time.Millisecond, Sweep: 50 * time.Millisecond, Overdue: 50 * time.Millisecond,
			Queues: []handoff.Queue{{Name: "q"}}, Directory: handoff.Staff{{ID: "ann", Name: "Ann", Queues: []string{"q"}, Seats: 1}},
		}
		channel := &shown{}
		config.Channel = channel
		working, err := handoff.New(config)
		require.NoError(t, err)
		runUntilEnd(t, working)
		config.Store = deaf{mustOpen(t, k, place)}
		asking, err := handoff.New(config) // does not run
		require.NoError(t, err)
		out, err := asking.Request(ctx, handoff.Request{Conversation: "c", Queue: "q"})
		require.NoError(t, err)
		var number int64
		eventually(t, "an offer", func() bool {
			h, err := asking.Get(ctx, out.Handoff.ID)
			require.NoError(t, err)
			o, ok := h.Offer("ann")
			number = o.Number
			return ok
		})
		_, err = asking.Accept(ctx, out.Handoff.ID, handoff.By("ann"), number)
		require.NoError(t, err)
		_, err = asking.Send(ctx, out.Handoff.ID, handoff.By("ann"), handoff.Message{ID: "m", Text: "hello"})
		require.NoError(t, err)
		eventually(t, "the message", func() bool { return slices.Equal(channel.said(), []string{"hello"}) })
	})
}

// deaf is a store without any of its abilities.
type deaf struct{ handoff.Store }
