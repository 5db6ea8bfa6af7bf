package pgstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// hostile are values that PostgreSQL has no place for.
var hostile = map[string]string{"NUL": "a\x00b", "invalid UTF-8": "\xff"}

// tooLong has more bytes than a row of an index, or a page, has room for.
var tooLong = map[string]string{"3 kB": noise(6000), "1 MiB": noise(1 << 20)}

// called gives each thing of a commit that has a name another one.
var called = map[string]func(r *handoff.Record, en *handoff.RecordEntry, name string){
	"conversation": func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.ID.Conversation = name },
	"queue":        func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.Queue, r.Line = name, "l" },
	"state":        func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.State = handoff.State(name) },
	"outcome":      func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.Outcome = handoff.Outcome(name) },
	"agent":        func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.Agent = name },
	"user":         func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.User = name },
	"line":         func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.Line = name },
	"tag":          func(r *handoff.Record, _ *handoff.RecordEntry, name string) { r.Tags = []string{"vip", name} },
	"key": func(r *handoff.Record, _ *handoff.RecordEntry, name string) {
		r.Keys = []handoff.Key{{Name: "seat", Max: 1000, Units: 1}, {Name: name, Max: 1, Units: 1}}
	},
	"sink": func(r *handoff.Record, _ *handoff.RecordEntry, name string) {
		r.Owed = []handoff.Owed{{Sink: name, Cursor: "c", Seq: 1}}
	},
	"cursor": func(r *handoff.Record, _ *handoff.RecordEntry, name string) {
		r.Owed = []handoff.Owed{{Sink: "s", Cursor: name, Seq: 1}}
	},
	"entry": func(_ *handoff.Record, en *handoff.RecordEntry, name string) { en.ID = name },
}

// kept are the names that are in no index, or not before somebody leads.
var kept = map[string]bool{"outcome": true, "tag": true, "sink": true, "cursor": true}

// What PostgreSQL cannot keep is refused as a whole, by its name, and leaves
// alone the others of a batch and the transaction of a host.
func TestHostileValues(t *testing.T) {
	s, pool := openPool(t, pgstore.Options{NoListen: true})
	grouped := pgstore.ForceGroup(pgstore.New(pool, pgstore.Options{Schema: pgstore.Schema(s), NoListen: true}))
	ctx := t.Context()
	stored := 0
	refused := func(t *testing.T, field string, err error) {
		t.Helper()
		var invalid *handoff.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, field, invalid.Field)
		require.Less(t, len(err.Error()), 100, "it does not hold the value")
	}
	for _, values := range []map[string]string{hostile, tooLong} {
		for what, value := range values {
			for field, change := range called {
				if values[what] == tooLong[what] && (kept[field] || what == "1 MiB" && field != "conversation" && field != "key") {
					continue
				}
				t.Run(what+" "+field, func(t *testing.T) {
					good := func(name string) handoff.Item {
						return handoff.Item{Record: record(what + field + name), Entries: []handoff.RecordEntry{entry(1)}}
					}
					bad := good("bad")
					change(&bad.Record, &bad.Entries[0], value)
					refused(t, field, s.Commit(ctx, bad.Record, bad.Entries...))
					refused(t, field, grouped.Commit(ctx, bad.Record, bad.Entries...))
					errs := s.CommitBatch(ctx, []handoff.Item{good("before"), bad, good("after")})
					require.NoError(t, errs[0])
					refused(t, field, errs[1])
					require.NoError(t, errs[2])
					require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
						in := s.Tx(tx)
						refused(t, field, in.Commit(ctx, bad.Record, bad.Entries...))
						errs := in.CommitBatch(ctx, []handoff.Item{good("within"), bad})
						require.NoError(t, errs[0])
						refused(t, field, errs[1])
						return in.Commit(ctx, good("then").Record, entry(1))
					}), "the host's transaction goes on")
					stored += 4
				})
			}
		}
	}
	n, err := s.Count(ctx, handoff.Query{})
	require.NoError(t, err)
	assert.Equal(t, stored, n)
}

// Whoever asks for a name that cannot be stored hears that it is nobody's.
func TestHostileQuestions(t *testing.T) {
	s, pool := openPool(t, pgstore.Options{NoListen: true})
	ctx := t.Context()
	r := record("c")
	r.Queue, r.Line, r.Agent, r.User, r.Tags, r.State = "desk", "l", "ann", "joe", []string{"vip"}, handoff.StateWaiting
	r.Keys = []handoff.Key{{Name: "seat", Max: 1, Units: 1}}
	r.Owed = []handoff.Owed{{Sink: "s", Cursor: "cur", Seq: 1}}
	require.NoError(t, s.Commit(ctx, r, handoff.RecordEntry{ID: "e", Seq: 1, At: time.Now().Add(-time.Hour)}))
	for what, bad := range hostile {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { // which no call may abort
				s := s.Tx(tx)
				id := handoff.ID{Conversation: bad, Number: 1}
				invalid := func(field string, err error) {
					t.Helper()
					var ie *handoff.InvalidError
					require.ErrorAs(t, err, &ie)
					assert.Equal(t, field, ie.Field)
				}
				_, err := s.Get(ctx, id)
				require.ErrorIs(t, err, handoff.ErrNotFound)
				_, err = s.Latest(ctx, bad)
				require.ErrorIs(t, err, handoff.ErrNotFound)
				for _, id := range []handoff.ID{id, r.ID} {
					_, err = s.Entry(ctx, id, bad)
					require.ErrorIs(t, err, handoff.ErrNotFound)
				}
				log, err := s.Log(ctx, id, 0, 10)
				require.NoError(t, err)
				assert.Empty(t, log)
				held, err := s.Holders(ctx, bad, "seat")
				require.NoError(t, err)
				assert.Len(t, held, 1)
				lines, err := s.Lines(ctx, bad)
				require.NoError(t, err)
				assert.Empty(t, lines)

				for found, queries := range map[int][]handoff.Query{
					0: {
						{Conversation: bad},
						{Queue: bad},
						{Agent: bad},
						{User: bad},
						{Tag: bad},
						{States: []handoff.State{handoff.State(bad)}},
						{Outcomes: []handoff.Outcome{handoff.Outcome(bad)}},
						{Lines: []string{bad}},
						{Queue: "desk", Lines: []string{bad}, ByRank: true, Limit: 1},
					},
					1: {
						{States: []handoff.State{handoff.State(bad), handoff.StateWaiting}},
						{Lines: []string{bad, "l"}},
						{Queue: "desk", Lines: []string{"l", bad}, ByRank: true, Limit: 1},
					},
				} {
					for _, q := range queries {
						list, err := s.List(ctx, q)
						require.NoError(t, err)
						assert.Len(t, list, found, "%+v", q)
						n, err := s.Count(ctx, q)
						require.NoError(t, err)
						assert.Equal(t, found, n, "%+v", q)
					}
				}
				_, err = s.List(ctx, handoff.Query{After: handoff.Cursor{ID: id}})
				invalid("after", err)
				n, err := s.Ahead(ctx, handoff.Record{ID: r.ID, Queue: bad}, 0)
				require.NoError(t, err)
				assert.Zero(t, n)
				_, err = s.Ahead(ctx, handoff.Record{ID: id, Queue: "desk"}, 0)
				invalid("conversation", err)

				claimed, err := s.Claim(ctx, handoff.Claim{Now: time.Now(), Lease: time.Minute, Limit: 10, Sinks: []string{bad}})
				require.NoError(t, err)
				assert.Empty(t, claimed.Overdue)
				claimed, err = s.Claim(ctx, handoff.Claim{Now: time.Now(), Limit: 10, Sinks: []string{bad, "s"}})
				require.NoError(t, err)
				assert.Len(t, claimed.Overdue, 1)
				_, err = s.Lead(ctx, id, "cur", time.Now(), time.Minute)
				require.ErrorIs(t, err, handoff.ErrNotFound)
				_, err = s.Lead(ctx, r.ID, bad, time.Now(), time.Minute)
				invalid("cursor", err)
				require.NoError(t, s.Ack(ctx, handoff.Ack{ID: id, Cursor: "cur", Seq: 1}))
				require.NoError(t, s.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: bad, Seq: 1}, handoff.Ack{ID: id, Cursor: "cur", Seq: 1}))
				require.ErrorIs(t, s.Erase(ctx, bad, record("tomb")), handoff.ErrConflict)
				invalid("conversation", s.Erase(ctx, "c", handoff.Record{ID: id, Version: 1}))
				require.NoError(t, s.Delete(ctx, id, 1))
				for what, long := range tooLong {
					_, err = s.Lead(ctx, r.ID, long, time.Now(), time.Minute)
					require.Error(t, err, what)
					invalid("cursor", err)
					invalid("cursor", s.Ack(ctx, handoff.Ack{ID: r.ID, Cursor: long, Seq: 1}))
					invalid("conversation", s.Erase(ctx, "c", handoff.Record{ID: handoff.ID{Conversation: long, Number: 1}, Version: 1}))
				}
				return nil
			}))
			p := s.Presence()
			for field, err := range map[string]error{
				"agent":    p.Want(ctx, bad, true, "", time.Now()),
				"activity": p.Want(ctx, "ann", true, bad, time.Now()),
				"session":  p.Begin(ctx, "ann", bad, time.Now(), time.Now()),
			} {
				var ie *handoff.InvalidError
				require.ErrorAs(t, err, &ie)
				assert.Equal(t, field, ie.Field)
			}
		})
	}
	got, err := s.Get(ctx, r.ID)
	require.NoError(t, err)
	assert.Equal(t, int64(1), got.Version, "nothing was changed")
	for what, long := range tooLong {
		var ie *handoff.InvalidError
		require.ErrorAs(t, s.Presence().Want(ctx, long, true, "", time.Now()), &ie, what)
		assert.Equal(t, "agent", ie.Field)
		require.ErrorAs(t, s.Presence().Begin(ctx, "ann", long, time.Now(), time.Now()), &ie, what)
		assert.Equal(t, "session", ie.Field)
	}
}

// What has room has it: what is in no index, a name that can be compressed, and
// any body.
func TestLargeValues(t *testing.T) {
	s, pool := openPool(t, pgstore.Options{NoListen: true})
	ctx := t.Context()
	for field := range kept {
		r, en := record(field), entry(1)
		called[field](&r, &en, tooLong["1 MiB"])
		require.NoError(t, s.Commit(ctx, r, en), field)
	}
	r := record("line")
	r.Queue, r.Line = "desk", strings.Repeat("skill ", 5000)
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return s.Tx(tx).Commit(ctx, r, entry(1)) }))
	got, err := s.Get(ctx, r.ID)
	require.NoError(t, err)
	assert.Equal(t, r.Line, got.Line)

	big := record("big")
	big.Body = handoff.BodyOf([]byte(strings.Repeat("\x00\xff", 1<<19)))
	require.NoError(t, s.Commit(ctx, big, handoff.RecordEntry{ID: "e", Seq: 1, Body: big.Body}))
	got, err = s.Get(ctx, big.ID)
	require.NoError(t, err)
	assert.Equal(t, big.Body.Bytes(), got.Body.Bytes())
}
