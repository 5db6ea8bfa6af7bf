package handoff_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// The tests named after a letter and a number play the traces that a model
// checker found against readings of the design, one each: a matching, b the
// bot's turn, c delivery, d keys and retries, e platforms, f timers, g the
// chain of handoffs, h agents, i receivers and failures. The folder mutants
// plants the mistake that each of them must catch.

// errDead is what a store says to a replica that was killed.
var errDead = errors.New("this replica is dead")

// A step is a call of the store by one replica.
type step struct {
	op      string // the method
	id      handoff.ID
	state   handoff.State // Commit: the state it leads to
	entries []string      // Commit: ids of the entries
	cursor  string        // Lead, Ack
	seq     int64         // Ack
}

// commits reports whether s is a commit with an entry whose id begins so.
func (s step) commits(prefix string) bool {
	return s.op == "Commit" && slices.ContainsFunc(s.entries, func(id string) bool { return strings.HasPrefix(id, prefix) })
}

// A cxTap is one replica's way to the store: it hears nothing of the commits of
// others, a test can put steps of others before and after single calls of it,
// and it can be killed.
type cxTap struct {
	handoff.Store
	mu    sync.Mutex
	dead  bool
	hooks []*cxHook
}

// A cxHook runs around the first step that matches.
type cxHook struct {
	match  func(step) bool
	before func()
	after  func()
	fail   error // what the caller is told instead, after the effect
}

// on arms a hook.
func (s *cxTap) on(h cxHook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, &h)
}

// kill makes every call from now on fail without effect.
func (s *cxTap) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

func (s *cxTap) call(st step, f func() error) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.hooks, func(h *cxHook) bool { return h.match(st) })
	h := &cxHook{}
	if i >= 0 {
		h = s.hooks[i]
		s.hooks = slices.Delete(s.hooks, i, i+1)
	}
	s.mu.Unlock()
	if h.before != nil {
		h.before()
	}
	if s.isDead() {
		return errDead
	}
	err := f()
	if h.after != nil {
		h.after()
	}
	if h.fail != nil && err == nil {
		return h.fail
	}
	if s.isDead() {
		return errDead
	}
	return err
}

func (s *cxTap) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

func (s *cxTap) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	st := step{op: "Commit", id: r.ID, state: r.State}
	for i := range entries {
		st.entries = append(st.entries, entries[i].ID)
	}
	return s.call(st, func() error { return s.Store.Commit(ctx, r, entries...) })
}

func (s *cxTap) Get(ctx context.Context, id handoff.ID) (r handoff.Record, err error) {
	err = s.call(step{op: "Get", id: id}, func() error { r, err = s.Store.Get(ctx, id); return err })
	return r, err
}

func (s *cxTap) Latest(ctx context.Context, conversation string) (r handoff.Record, err error) {
	err = s.call(step{op: "Latest", id: handoff.ID{Conversation: conversation}}, func() error {
		r, err = s.Store.Latest(ctx, conversation)
		return err
	})
	return r, err
}

func (s *cxTap) List(ctx context.Context, q handoff.Query) (list []handoff.Record, err error) {
	err = s.call(step{op: "List"}, func() error { list, err = s.Store.List(ctx, q); return err })
	return list, err
}

func (s *cxTap) Log(ctx context.Context, id handoff.ID, after int64, limit int) (list []handoff.RecordEntry, err error) {
	err = s.call(step{op: "Log", id: id}, func() error { list, err = s.Store.Log(ctx, id, after, limit); return err })
	return list, err
}

func (s *cxTap) Entry(ctx context.Context, id handoff.ID, entry string) (e handoff.RecordEntry, err error) {
	err = s.call(step{op: "Entry", id: id, entries: []string{entry}}, func() error { e, err = s.Store.Entry(ctx, id, entry); return err })
	return e, err
}

func (s *cxTap) Claim(ctx context.Context, c handoff.Claim) (got handoff.Claimed, err error) {
	err = s.call(step{op: "Claim"}, func() error { got, err = s.Store.Claim(ctx, c); return err })
	return got, err
}

func (s *cxTap) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (l handoff.Lead, err error) {
	err = s.call(step{op: "Lead", id: id, cursor: cursor}, func() error { l, err = s.Store.Lead(ctx, id, cursor, now, lease); return err })
	return l, err
}

func (s *cxTap) Ack(ctx context.Context, acks ...handoff.Ack) error {
	st := step{op: "Ack"}
	if len(acks) > 0 {
		st.id, st.cursor, st.seq = acks[0].ID, acks[0].Cursor, acks[0].Seq
	}
	return s.call(st, func() error { return s.Store.Ack(ctx, acks...) })
}

// cxRun calls f in a bubble with a rig whose engine does not run, and whose
// floor tells nobody who comes and goes.
func cxRun(t *testing.T, f func(t *testing.T, r *handofftest.Rig), change ...func(*handoff.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := handofftest.New(t, change...)
		r.Floor.Quiet(true)
		f(t, r)
	})
}

// cxIdle returns a replica that does not run: it commits what it is told, and
// dies before it does anything that follows.
func cxIdle(t *testing.T, r *handofftest.Rig, change ...func(*handoff.Config)) (*handoff.Engine, *cxTap) {
	t.Helper()
	cfg := r.Config
	s := &cxTap{Store: cfg.Store}
	cfg.Store = s
	for _, c := range change {
		c(&cfg)
	}
	e, err := handoff.New(cfg)
	require.NoError(t, err)
	return e, s
}

// cxDeaf returns a replica that runs and gets no hints from others. It ends with
// the test, or when end is called.
func cxDeaf(t *testing.T, r *handofftest.Rig, change ...func(*handoff.Config)) (*handoff.Engine, *cxTap) {
	t.Helper()
	e, s := cxIdle(t, r, change...)
	cxRunning(t, e)
	return e, s
}

// cxRunning runs an engine until the test ends.
func cxRunning(t *testing.T, e *handoff.Engine) {
	t.Helper()
	go func() { _ = e.Run(t.Context()) }()
	synctest.Wait()
}

// edgesOnly leaves matching and delivering to hints: the nets come too late
// for any test.
func edgesOnly(c *handoff.Config) { c.Sweep, c.Overdue = 100*time.Hour, 100*time.Hour }

// cxQueue changes the first queue.
func cxQueue(f func(q *handoff.Queue)) func(*handoff.Config) {
	return func(c *handoff.Config) {
		c.Queues = slices.Clone(c.Queues)
		f(&c.Queues[0])
	}
}

// cxWrite lets a user write through e.
func cxWrite(t *testing.T, e *handoff.Engine, conversation, id, text string) handoff.Turn {
	t.Helper()
	turn, err := e.Receive(t.Context(), handoff.Incoming{Conversation: conversation, ID: id, Text: text})
	require.NoError(t, err)
	return turn
}

// cxAsk asks for a person through e.
func cxAsk(t *testing.T, e *handoff.Engine, conversation string, change ...func(*handoff.Request)) handoff.Handoff {
	t.Helper()
	req := handoff.Request{Conversation: conversation, Queue: "support"}
	for _, c := range change {
		c(&req)
	}
	out, err := e.Request(t.Context(), req)
	require.NoError(t, err)
	return out.Handoff
}

// cxExpert puts somebody on the floor who could do everything, and is never
// there: skills that nobody has are refused.
func cxExpert(t *testing.T, r *handofftest.Rig) {
	t.Helper()
	require.NoError(t, r.Floor.Put(t.Context(), handoff.Agent{
		ID: "expert", Queues: []string{"support"}, Skills: map[string]int{"tax": 9},
	}))
}

// cxOffered returns the number of the offer of a handoff to an agent, 0 if there
// is none.
func cxOffered(h handoff.Handoff, agent string) int64 {
	o, _ := h.Offer(agent)
	return o.Number
}

// cxTakes lets an agent take over a conversation or accept his offer through e.
func cxTakes(t *testing.T, e *handoff.Engine, id handoff.ID, agent string) handoff.Handoff {
	t.Helper()
	h, err := e.Get(t.Context(), id)
	require.NoError(t, err)
	if o := cxOffered(h, agent); o != 0 {
		h, err = e.Accept(t.Context(), id, handoff.By(agent), o)
	} else {
		h, err = e.TakeOver(t.Context(), id, handoff.By(agent), "support")
	}
	require.NoError(t, err)
	return h
}

// cxKinds returns the kinds of a handoff's entries.
func cxKinds(r *handofftest.Rig, id handoff.ID) []handoff.Kind {
	var out []handoff.Kind
	for _, e := range r.Entries(id) {
		out = append(out, e.Kind)
	}
	return out
}

// cxCount counts the entries of a kind.
func cxCount(r *handofftest.Rig, id handoff.ID, k handoff.Kind) int {
	n := 0
	for _, have := range cxKinds(r, id) {
		if have == k {
			n++
		}
	}
	return n
}

// cxSaid returns the texts of the messages in a log.
func cxSaid(r *handofftest.Rig, id handoff.ID) []string {
	var out []string
	for _, e := range r.Entries(id) {
		if e.Kind == handoff.KindMessage {
			out = append(out, e.Text)
		}
	}
	return out
}

// cxPending returns the ids of the messages that nobody has answered.
func cxPending(h handoff.Handoff) []string {
	var out []string
	for _, p := range h.Pending {
		out = append(out, p.Message)
	}
	return out
}

// cxAsked returns the ids of the messages that a turn is to answer.
func cxAsked(turn handoff.Turn) []string {
	var out []string
	for _, m := range turn.Messages {
		out = append(out, m.ID)
	}
	return out
}

// cxLoad returns how many seats of an agent are taken.
func cxLoad(t *testing.T, r *handofftest.Rig, agent string) int {
	t.Helper()
	list, err := r.Store.Holders(t.Context(), "seat/"+agent)
	require.NoError(t, err)
	n := 0
	for _, h := range list {
		n += h.Units
	}
	return n
}

// A cxScreened is a channel that drops no repeats.
type cxScreened struct {
	mu   sync.Mutex
	got  []handoff.UserMessage
	show func(ctx context.Context, conversation string, m handoff.UserMessage) error // asked first
}

func (s *cxScreened) Show(ctx context.Context, conversation string, m handoff.UserMessage) error {
	s.mu.Lock()
	show := s.show
	s.mu.Unlock()
	if show != nil {
		if err := show(ctx, conversation, m); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, m)
	return nil
}

// texts returns what was shown, without notices.
func (s *cxScreened) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, m := range s.got {
		if m.Notice == "" {
			out = append(out, m.Text)
		}
	}
	return out
}
