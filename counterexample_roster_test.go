package handoff_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// slowly is a directory whose list takes a while, so that agents are not all
// read for each edge.
type slowly struct {
	handoff.Directory
	lists *atomic.Int64
}

func (s slowly) List(ctx context.Context, queue string) ([]handoff.Agent, error) {
	s.lists.Add(1)
	select {
	case <-time.After(10 * time.Millisecond):
		return s.Directory.List(ctx, queue)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// silent is a presence that tells nobody of its changes.
type silent struct {
	mu    sync.Mutex
	there map[string]bool
}

// has returns a presence that has some agents.
func has(agents ...string) *silent {
	s := &silent{there: map[string]bool{}}
	for _, a := range agents {
		s.there[a] = true
	}
	return s
}

// set lets an agent come or go.
func (s *silent) set(agent string, there bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.there[agent] = there
}

func (s *silent) Agents(_ context.Context, ids []string, _ time.Time) ([]handoff.Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]handoff.Status, len(ids))
	for i, id := range ids {
		out[i] = handoff.Status{Agent: id, Availability: handoff.Offline}
		if s.there[id] {
			out[i].Availability = handoff.Online
		}
	}
	return out, nil
}

func slow(there *silent, lists *atomic.Int64) func(*handoff.Config) {
	return func(c *handoff.Config) {
		c.Directory, c.Presence, c.StoreTimeout = slowly{c.Directory, lists}, there, time.Second
		c.Sweep = time.Hour
	}
}

func TestA4_WhoIsFoundIsReadAgain(t *testing.T) {
	there := has("ann", "bob")
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		r.Agent("bob", 1)
		r.Sleep(time.Minute)
		there.set("ann", false) // and nobody says so
		h := r.Asks("c1")
		require.Equal(t, handoff.StateOffered, h.State)
		require.Equal(t, "bob", h.Offers[0].Agent, "ann is the first of the roster, and not there any more")
	}, slow(there, new(atomic.Int64)))
}

func TestA4_WhoIsMissingIsFoundSoon(t *testing.T) {
	there := has()
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		r.Sleep(time.Minute)
		there.set("ann", true) // and nobody says so
		h := r.Asks("c1")
		r.Sleep(time.Second) // the sweep comes in an hour
		require.Equal(t, handoff.StateOffered, r.Now(h.ID).State)
	}, slow(there, new(atomic.Int64)))
}

// A request finds nobody a moment after everybody was read: they are read
// once more when that moment is over, although no other edge comes.
func TestA4_NoEdgeIsLostToAMomentAgo(t *testing.T) {
	there := has()
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		r.Sleep(time.Minute)
		r.Asks("c0") // everybody is read: nobody is there
		r.Sleep(20 * time.Millisecond)
		there.set("ann", true)
		h := r.Asks("c1")
		r.Sleep(2 * time.Second)
		require.Equal(t, handoff.StateOffered, r.Last("c0").State)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
	}, slow(there, new(atomic.Int64)))
}

// However many ask while nobody is free, the agents are read now and then.
func TestA4_ReadsAreRationed(t *testing.T) {
	there := has("ann")
	var lists atomic.Int64
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1)
		r.Asks("c0")
		r.Sleep(time.Second)
		lists.Store(0)
		for i := range 300 {
			r.Asks("c" + strconv.Itoa(i+1))
			r.Sleep(10 * time.Millisecond)
		}
		require.LessOrEqual(t, lists.Load(), int64(40), "in three seconds, for 300 requests")
	}, slow(there, &lists), func(c *handoff.Config) { c.Queues[0].PlaceEvery = handoff.Never })
}

// Two replicas, of which each has a roster: what one gives the other finds
// out, and no agent gets more than he has seats.
func TestA4_ReplicasShareAgents(t *testing.T) {
	there := has("ann", "bob")
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1), r.Agent("bob", 1)
		other := r.Replica()
		r.Sleep(time.Minute)
		for _, c := range []string{"c1", "c2", "c3"} {
			_, err := other.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
			require.NoError(t, err)
			r.Wait()
		}
		require.Equal(t, 1, cxLoad(t, r, "ann"))
		require.Equal(t, 1, cxLoad(t, r, "bob"))
		require.Equal(t, handoff.StateWaiting, r.Last("c3").State)
		first := r.Last("c1")
		who := ann
		if first.Offers[0].Agent == "bob" {
			who = bob
		}
		who.Accept()
		_, err := r.End(r.Ctx, first.ID, handoff.By(first.Offers[0].Agent), handoff.Ending{})
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, handoff.StateOffered, r.Last("c3").State, "given by the replica that ended the other")
	}, slow(there, new(atomic.Int64)))
}
