package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/redisstore"
)

// more are n entries that follow those of a record.
func more(r *handoff.Record, n int) []handoff.RecordEntry {
	out := make([]handoff.RecordEntry, n)
	for i := range out {
		r.Seq++
		out[i] = handoff.RecordEntry{ID: fmt.Sprintf("e%d", r.Seq), Seq: r.Seq, At: s2024, Body: handoff.BodyOf([]byte("x"))}
	}
	return out
}

// A commit is as large as one likes, though a call within a script takes only
// some thousand arguments.
func TestLargeCommits(t *testing.T) {
	ctx := t.Context()
	s := open(t, redisstore.Options{})
	for _, n := range []int{1, 2, 3, 1000, 1001, 4500} {
		r := record(fmt.Sprintf("c%d", n))
		r.Seq, r.Queue, r.Line, r.User, r.Tags, r.Outcome = 0, "q", "l", "uwe", []string{"t"}, "x"
		r.Keys = []handoff.Key{{Name: r.ID.Conversation, Max: 1, Units: 1}}
		r.Owed = []handoff.Owed{{Sink: "s", Cursor: "s", Seq: int64(2 * n)}}
		want := more(&r, n)
		if n > 1 {
			twice := append([]handoff.RecordEntry(nil), want...)
			twice[n-1].ID = twice[0].ID
			require.ErrorIs(t, s.Commit(ctx, r, twice...), handoff.ErrDuplicate, n)
			twice[n-1].ID = twice[n/2-1].ID
			require.ErrorIs(t, s.Commit(ctx, r, twice...), handoff.ErrDuplicate, n)
		}
		require.NoError(t, s.Commit(ctx, r, want...), n)
		r.Version = 1
		same(t, s, r, want)

		r.Outcome, r.Tags, r.User, r.Agent, r.Line = "", nil, "eve", "ann", ""
		next := more(&r, n)
		again := append([]handoff.RecordEntry(nil), next...)
		again[n-1].ID = want[n-1].ID
		require.ErrorIs(t, s.Commit(ctx, r, again...), handoff.ErrDuplicate, n)
		require.NoError(t, s.Commit(ctx, r, next...), n)
		r.Version = 2
		same(t, s, r, append(want, next...))
	}
	for user, want := range map[string]int{"uwe": 0, "eve": 6} {
		n, err := s.Count(ctx, handoff.Query{User: user})
		require.NoError(t, err)
		assert.Equal(t, want, n, user)
	}
}

// Each index follows what it is made of, whatever else stays as it was.
func TestOneChange(t *testing.T) {
	ctx := t.Context()
	s := open(t, redisstore.Options{})
	r := record("c")
	r.Queue, r.State, r.Line, r.User, r.Agent, r.Created, r.Since = "q", handoff.StateWaiting, "l", "uwe", "ann", s2024, s2024
	require.NoError(t, s.Commit(ctx, r, entry(1)))
	in := func(state handoff.State) handoff.Query { return handoff.Query{States: []handoff.State{state}} }
	first := func(line string) handoff.Query {
		return handoff.Query{Queue: "p", Lines: []string{line}, ByRank: true, Limit: 1}
	}
	for _, c := range []struct {
		name        string
		change      func()
		found, gone handoff.Query
	}{
		{"state", func() { r.State = handoff.StateEnded }, in(handoff.StateEnded), in(handoff.StateWaiting)},
		{"state back", func() { r.State = handoff.StateWaiting }, in(handoff.StateWaiting), in(handoff.StateEnded)},
		{"user", func() { r.User = "eve" }, handoff.Query{User: "eve"}, handoff.Query{User: "uwe"}},
		{"agent", func() { r.Agent = "bob" }, handoff.Query{Agent: "bob"}, handoff.Query{Agent: "ann"}},
		{"queue", func() { r.Queue = "p" }, handoff.Query{Queue: "p", Waiting: true}, handoff.Query{Queue: "q", Waiting: true}},
		{"line", func() { r.Line = "m" }, first("m"), first("l")},
		{"created", func() { r.Created = s2024.Add(time.Hour) }, handoff.Query{From: s2024.Add(time.Hour)}, handoff.Query{To: s2024.Add(time.Hour)}},
		{"line left", func() { r.Line = "" }, handoff.Query{Queue: "p"}, handoff.Query{Queue: "p", Waiting: true}},
	} {
		c.change()
		r.Version, r.Seq = r.Version+1, r.Seq+1
		require.NoError(t, s.Commit(ctx, r, handoff.RecordEntry{ID: c.name, Seq: r.Seq}), c.name)
		for want, q := range []handoff.Query{c.gone, c.found} {
			list, err := s.List(ctx, q)
			require.NoError(t, err)
			require.Len(t, list, want, c.name)
			n, err := s.Count(ctx, q)
			require.NoError(t, err)
			require.Equal(t, want, n, c.name)
		}
	}
}

// same checks that a record is stored, with this log.
func same(t *testing.T, s *redisstore.Store, want handoff.Record, log []handoff.RecordEntry) {
	t.Helper()
	got, err := s.Get(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
	found, err := s.Log(t.Context(), want.ID, 0, len(log)+1)
	require.NoError(t, err)
	require.Equal(t, log, found)
}

// A commit ends what a claim has hidden: whoever has led a cursor meanwhile and
// gives it back early finds that the record is looked at again at once.
func TestCommitEndsHiding(t *testing.T) {
	ctx := t.Context()
	s := open(t, redisstore.Options{CallerClock: true})
	r := record("c")
	r.Owed = []handoff.Owed{{Sink: "s", Cursor: "s", Seq: 1}}
	require.NoError(t, s.Commit(ctx, r, handoff.RecordEntry{ID: "e1", Seq: 1, At: s2024}))
	late := func(at time.Time) int {
		got, err := s.Claim(ctx, handoff.Claim{Now: at, Limit: 1, Lease: time.Hour, Sinks: []string{"s"}})
		require.NoError(t, err)
		return len(got.Overdue)
	}
	now := s2024.Add(time.Minute)
	require.Equal(t, 1, late(now))
	require.Zero(t, late(now.Add(time.Second)), "hidden")

	r.Version, r.Seq, r.Owed[0].Seq = 1, 2, 2
	require.NoError(t, s.Commit(ctx, r, handoff.RecordEntry{ID: "e2", Seq: 2, At: s2024}))
	lead, err := s.Lead(ctx, r.ID, "s", now, 30*time.Minute)
	require.NoError(t, err)
	require.Zero(t, late(now.Add(2*time.Second)), "led")
	require.NoError(t, s.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: "s", Seq: 1, Term: lead.Term}))
	require.Equal(t, 1, late(now.Add(3*time.Second)), "given back")
}
