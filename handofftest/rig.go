// Package handofftest lets hosts unit-test their bots and adapters: a real
// engine on a store in memory, in a bubble where time passes at once, with a
// fake user, fake agents, a recorded bot and a store that can fail.
package handofftest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/rigtest"
	"github.com/seed-2a427302/handoff/memstore"
)

// A Rig is an engine with everything around it.
type Rig struct {
	*handoff.Engine

	T      *testing.T
	Ctx    context.Context //nolint:containedctx // ends with the test
	Config handoff.Config  // what the engine was made of
	Store  *Store          // can be made to fail
	Floor  *Floor          // who works here, and who is there
	Users  *Users          // what users wrote and saw
	Bot    *Bot            // how the bot was called

	stop context.CancelFunc
	done chan error
}

// Run calls f in a synctest bubble with an engine that runs. It has one push
// queue, "support"; change changes the Config before. time.Sleep moves through
// timeouts at once; Rig.Wait waits until everything that can happen now has.
// Do not call t.Run or t.Parallel in f.
func Run(t *testing.T, f func(t *testing.T, r *Rig), change ...func(*handoff.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := New(t, change...)
		r.Start()
		f(t, r)
	})
}

// RunOn is Run on a store of yours, which open opens before the bubble begins:
// the same engine, hours in moments, on the database that it will have. The
// store must go by the times that it is given; those of this repository that
// have a clock of their own are told so by their option CallerClock. Each hour
// of an engine that runs costs a few thousand calls of the store.
func RunOn(t *testing.T, open func(t *testing.T) handoff.Store, f func(t *testing.T, r *Rig), change ...func(*handoff.Config)) {
	t.Helper()
	outside, end := NewOutside(16)
	defer end()
	inner := open(t)
	synctest.Test(t, func(t *testing.T) {
		r := on(t, outside.Store(inner), change...)
		r.Start()
		f(t, r)
	})
}

// New returns a rig whose engine does not run yet. Call it in a synctest
// bubble.
func New(t *testing.T, change ...func(*handoff.Config)) *Rig {
	t.Helper()
	if rigtest.Open != nil {
		return on(t, rigtest.Open(t), change...)
	}
	return on(t, memstore.New(), change...)
}

func on(t *testing.T, store handoff.Store, change ...func(*handoff.Config)) *Rig {
	t.Helper()
	r := &Rig{T: t, Store: NewStore(store), Floor: NewFloor(), Users: NewUsers(), Bot: &Bot{}}
	r.Config = handoff.Config{
		Store: r.Store, Directory: r.Floor, Presence: r.Floor, Channel: r.Users, Bot: r.Bot,
		Queues: []handoff.Queue{{Name: "support"}},
	}
	for _, c := range change {
		c(&r.Config)
	}
	r.Engine = r.engine(r.Config)
	return r
}

func (r *Rig) engine(cfg handoff.Config) *handoff.Engine {
	r.T.Helper()
	e, err := handoff.New(cfg)
	if err != nil {
		r.T.Fatal(err)
	}
	r.Floor.tell(e)
	r.Bot.use(e)
	return e
}

// Start runs the engine until the test ends or Stop is called.
func (r *Rig) Start() {
	r.T.Helper()
	var ctx context.Context
	ctx, r.stop = context.WithCancel(r.T.Context())
	if r.Ctx == nil {
		r.Ctx = r.T.Context()
	}
	r.done = make(chan error, 1)
	e, done := r.Engine, r.done
	go func() { done <- e.Run(ctx) }()
	synctest.Wait()
}

// Stop ends the engine's Run, as a shutdown does.
func (r *Rig) Stop() {
	r.T.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		r.T.Errorf("Run returned %v", err)
	}
}

// Restart replaces the engine by a new one on the same store.
func (r *Rig) Restart() {
	r.T.Helper()
	r.Stop()
	r.Engine = r.engine(r.Config)
	r.Start()
}

// Replica returns another engine on the same store, which runs until the test
// ends. Everything else is shared.
func (r *Rig) Replica(change ...func(*handoff.Config)) *handoff.Engine {
	r.T.Helper()
	cfg := r.Config
	for _, c := range change {
		c(&cfg)
	}
	e := r.engine(cfg)
	go func() { _ = e.Run(r.T.Context()) }()
	synctest.Wait()
	return e
}

// Wait returns when nothing more happens at this moment.
func (r *Rig) Wait() { synctest.Wait() }

// Sleep lets time pass, and then waits like Wait. A hook that is called
// meanwhile, such as that of Users.Fail, may read without a lock what the test
// wrote before.
func (r *Rig) Sleep(d time.Duration) {
	// A timer that fires in another goroutine does not make it see what was
	// written here before; these locks, which it takes too, do.
	for _, mu := range []*sync.Mutex{&r.Store.mu, &r.Users.mu, &r.Bot.mu, &r.Floor.mu} {
		mu.Lock()
		mu.Unlock() //nolint:staticcheck // nothing is to be done in between
	}
	time.Sleep(d) //nolint:forbidigo // in a bubble
	synctest.Wait()
}

// Says is a message of a user. Ids are made: m1, m2, … in each conversation.
func (r *Rig) Says(conversation, text string) handoff.Turn {
	r.T.Helper()
	turn, err := r.Receive(r.T.Context(), r.Users.write(conversation, text))
	if err != nil {
		r.T.Fatalf("Receive: %v", err)
	}
	synctest.Wait()
	return turn
}

// Asks asks for a person in the first queue, and waits.
func (r *Rig) Asks(conversation string, change ...func(*handoff.Request)) handoff.Handoff {
	r.T.Helper()
	req := handoff.Request{Conversation: conversation, Queue: r.Config.Queues[0].Name}
	for _, c := range change {
		c(&req)
	}
	out, err := r.Request(r.T.Context(), req)
	if err != nil {
		r.T.Fatalf("Request: %v", err)
	}
	synctest.Wait()
	return r.Now(out.Handoff.ID)
}

// Now returns the present state of a handoff.
func (r *Rig) Now(id handoff.ID) handoff.Handoff {
	r.T.Helper()
	h, err := r.Get(r.T.Context(), id)
	if err != nil {
		r.T.Fatalf("Get: %v", err)
	}
	return h
}

// Last returns the latest handoff of a conversation.
func (r *Rig) Last(conversation string) handoff.Handoff {
	r.T.Helper()
	h, err := r.Latest(r.T.Context(), conversation)
	if err != nil {
		r.T.Fatalf("Latest: %v", err)
	}
	return h
}

// Entries returns the whole log of a handoff.
func (r *Rig) Entries(id handoff.ID) []handoff.Entry {
	r.T.Helper()
	list, err := r.Log(r.T.Context(), id, 0, 100_000)
	if err != nil {
		r.T.Fatalf("Log: %v", err)
	}
	return list
}
