package systemtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// A command is a call of a store, and what came of it, as text: two stores
// that cannot be told apart give the same text.
type command struct {
	name string
	do   func(ctx context.Context, s handoff.Store) string
	want string
}

// TestDifferential does the same random commands on every store:
// HANDOFF_DIFFERENTIAL, or some thousands. A failure prints the seed; with
// HANDOFF_SEED the same commands come again.
func TestDifferential(t *testing.T) {
	n, seed := 3000, rand.Uint64()
	for name, set := range map[string]func(v uint64){
		"HANDOFF_DIFFERENTIAL": func(v uint64) { n = int(v) }, //nolint:gosec // a number of commands
		"HANDOFF_SEED":         func(v uint64) { seed = v },
	} {
		if s := os.Getenv(name); s != "" {
			v, err := strconv.ParseUint(s, 10, 64)
			require.NoError(t, err, name)
			set(v)
		}
	}
	list, counts := commands(t, n, seed)
	t.Logf("seed %d, %d commands: %v", seed, n, counts)
	each(t, func(t *testing.T, k kind) {
		s := mustOpen(t, k, k.place(t))
		for i := range list {
			if got := list[i].do(t.Context(), s); got != list[i].want {
				t.Fatalf("seed %d, command %d: %s\ngives   %s\nin memory it gives\n        %s", seed, i, list[i].name, got, list[i].want)
			}
		}
	})
}

// The commands would show the difference, if there were one.
func TestDifferentialNaive(t *testing.T) {
	list, _ := commands(t, 3000, 1)
	for name, plant := range plants {
		if name == "" || name == "early" { // it has no fault that is seen at the store
			continue
		}
		s, differs := plant(mustOpen(t, kinds[0], "")), false
		for i := range list {
			differs = differs || list[i].do(t.Context(), s) != list[i].want
		}
		require.True(t, differs, name)
	}
}

// commands makes random commands and does them in memory. They count in many
// ways: on stores that were not asked for a claim for long, on names that
// differ in little, on versions that are old.
func commands(t *testing.T, n int, seed uint64) ([]command, map[string]int) {
	t.Helper()
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), memory: mustOpen(t, kinds[0], "")}
	counts := map[string]int{}
	list := make([]command, n+1)
	for i := range list {
		c := everything() // in the end
		if i < n {
			c = g.next(t.Context())
		}
		c.want = c.do(t.Context(), g.memory)
		list[i] = c
		word, _, _ := strings.Cut(c.want, " ")
		verb, _, _ := strings.Cut(c.name, " ")
		if strings.HasPrefix(word, "err:") {
			verb += " " + word
		}
		counts[verb]++
	}
	return list, counts
}

// everything is all that can be read of a store in the end: records, whole logs,
// who holds what, and how far each receiver is.
func everything() command {
	return command{name: "everything", do: func(ctx context.Context, s handoff.Store) string {
		all, err := s.List(ctx, handoff.Query{})
		text := []string{result(records(all...), err)}
		for i := range all {
			log, err := s.Log(ctx, all[i].ID, 0, 1_000_000)
			text = append(text, result(entriesText(log...), err))
			for _, cursor := range []string{"channel", "channel/1", "sink/a", "sink/a/1"} {
				l, err := s.Lead(ctx, all[i].ID, cursor, then.AddDate(100, 0, 0), time.Hour)
				text = append(text, result(fmt.Sprintf("%s %+v", cursor, l), err))
			}
		}
		held, err := s.Holders(ctx, keyNames...)
		return strings.Join(append(text, result(fmt.Sprintf("%+v", held), err)), "\n")
	}}
}

type generator struct {
	*rand.Rand

	memory handoff.Store
	n      int
}

// then is long ago, so that every store's own clock agrees on what is due.
var then = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

func (g *generator) time() time.Time {
	return then.Add(time.Duration(g.IntN(1_000_000_000)) * time.Millisecond)
}

func (g *generator) of(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) id() handoff.ID {
	return handoff.ID{Conversation: g.of("c", "C", "c1", "c%", "c_", "ç", "c\u0301", " c", "c'", "c\\", "🙂", "c/1"), Number: int64(1 + g.IntN(3))}
}

var keyNames = []string{"seat/a", "seat/A", "seat/b", "seat/a ", "q/ü"}

func (g *generator) key() handoff.Key {
	k := handoff.Key{Name: g.of(keyNames...), Max: 1 + g.IntN(4)}
	k.Units = 1 + g.IntN(min(2, k.Max))
	return k
}

// record returns a record to be committed: mostly the next version of one.
func (g *generator) record(ctx context.Context) (handoff.Record, []handoff.RecordEntry) {
	r := handoff.Record{ID: g.id()}
	if old, err := g.memory.Get(ctx, r.ID); err == nil {
		r.Version, r.Seq = old.Version, old.Seq
	}
	if g.IntN(12) == 0 {
		r.Version = max(0, r.Version-1+int64(g.IntN(3)))
	}
	r.Queue, r.State = g.of("", "sales", "Sales", "sales "), handoff.States()[g.IntN(10)]
	if r.State == handoff.StateEnded {
		r.Outcome = handoff.OutcomeResolved
	}
	r.Agent, r.User = g.of("", "ann", "bob", "Ann"), g.of("", "u1", "u2", "U1")
	for _, tag := range []string{"x", "y", "X"} {
		if g.IntN(3) == 0 {
			r.Tags = append(r.Tags, tag)
		}
	}
	if r.Queue != "" && g.IntN(2) == 0 {
		r.Line, r.Priority, r.Since = g.of("l", "L", "l\x1e=m"), g.IntN(5)-2, g.time()
		if g.IntN(3) == 0 {
			r.Since = then
		}
	}
	r.Created, r.Updated = g.time(), g.time()
	switch g.IntN(3) {
	case 0:
		r.Wake = g.time()
	case 1:
		r.Wake = then.AddDate(200, 0, 0)
	}
	for range max(0, g.IntN(6)-3) {
		k := g.key()
		if !slices.ContainsFunc(r.Keys, func(have handoff.Key) bool { return have.Name == k.Name }) {
			r.Keys = append(r.Keys, k)
		}
	}
	var entries []handoff.RecordEntry
	for range 1 + g.IntN(3) {
		g.n++
		r.Seq++
		e := handoff.RecordEntry{ID: fmt.Sprint("e", r.Seq), Seq: r.Seq, At: g.time(), Body: handoff.BodyOf([]byte(fmt.Sprintf("{\x00%d\xff", g.n)))}
		if g.IntN(25) == 0 {
			e.ID = fmt.Sprint("e", 1+g.IntN(int(r.Seq)))
		}
		entries = append(entries, e)
	}
	for _, sink := range []string{"channel", "sink/a"} {
		if g.IntN(3) > 0 {
			r.Owed = append(r.Owed, handoff.Owed{Sink: sink, Cursor: sink + g.of("", "/1"), Seq: 1 + int64(g.IntN(int(r.Seq)))})
		}
	}
	r.Body = handoff.BodyOf(fmt.Append(nil, "body ", g.n, "\x00"))
	return r, entries
}

func (g *generator) query(ctx context.Context) handoff.Query {
	q := handoff.Query{ByRank: g.IntN(2) == 0, Waiting: g.IntN(4) == 0}
	for _, set := range []func(){
		func() { q.Conversation = g.id().Conversation },
		func() { q.Queue = g.of("sales", "Sales", "sales ") },
		func() { q.Agent = g.of("ann", "Ann") },
		func() { q.User = g.of("u1", "U1") },
		func() { q.Tag = g.of("x", "X") },
		func() { q.States = handoff.States()[g.IntN(5) : 5+g.IntN(5)] },
		func() { q.Outcomes = []handoff.Outcome{handoff.OutcomeResolved} },
		func() { q.Lines = []string{"l", g.of("L", "l\x1e=m")} },
		func() { q.From = g.time() },
		func() { q.To = g.time() },
		func() { q.Limit = 1 + g.IntN(4) },
		func() {
			if r, err := g.memory.Get(ctx, g.id()); err == nil {
				q.After = r.Cursor(q)
			}
		},
	} {
		if g.IntN(6) == 0 {
			set()
		}
	}
	return q
}

// next makes a command.
func (g *generator) next(ctx context.Context) command {
	id, at := g.id(), g.time()
	switch g.IntN(23) {
	case 0, 1, 2, 3, 4, 5, 6:
		r, entries := g.record(ctx)
		return command{name: fmt.Sprintf("Commit %+v", r), do: func(ctx context.Context, s handoff.Store) string {
			return result("ok", s.Commit(ctx, r, entries...))
		}}
	case 7:
		return command{name: fmt.Sprint("Get ", id), do: func(ctx context.Context, s handoff.Store) string {
			r, err := s.Get(ctx, id)
			return result(records(r), err)
		}}
	case 8:
		return command{name: fmt.Sprint("Latest ", id.Conversation), do: func(ctx context.Context, s handoff.Store) string {
			r, err := s.Latest(ctx, id.Conversation)
			return result(records(r), err)
		}}
	case 9, 10:
		q := g.query(ctx)
		return command{name: fmt.Sprintf("List %+v", q), do: func(ctx context.Context, s handoff.Store) string {
			list, err := s.List(ctx, q)
			return result(records(list...), err)
		}}
	case 11:
		q := g.query(ctx)
		return command{name: fmt.Sprintf("Count %+v", q), do: func(ctx context.Context, s handoff.Store) string {
			n, err := ability[handoff.Counter](s).Count(ctx, q)
			return result(strconv.Itoa(n), err)
		}}
	case 12:
		keys := []string{g.key().Name, g.key().Name}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		return command{name: fmt.Sprintf("Holders %q", keys), do: func(ctx context.Context, s handoff.Store) string {
			list, err := s.Holders(ctx, keys...)
			return result(fmt.Sprintf("%+v", list), err)
		}}
	case 13:
		queue := g.of("sales", "Sales")
		return command{name: "Lines " + queue, do: func(ctx context.Context, s handoff.Store) string {
			list, err := s.Lines(ctx, queue)
			return result(fmt.Sprintf("%q", list), err)
		}}
	case 14:
		after, limit := int64(g.IntN(5)), 1+g.IntN(5)
		return command{name: fmt.Sprintf("Log %v %d %d", id, after, limit), do: func(ctx context.Context, s handoff.Store) string {
			list, err := s.Log(ctx, id, after, limit)
			return result(entriesText(list...), err)
		}}
	case 15:
		entry := fmt.Sprint("e", 1+g.IntN(8))
		return command{name: fmt.Sprintf("Entry %v %s", id, entry), do: func(ctx context.Context, s handoff.Store) string {
			e, err := s.Entry(ctx, id, entry)
			return result(entriesText(e), err)
		}}
	case 16:
		c := handoff.Claim{Lease: 24 * time.Hour, Limit: 100, Sinks: []string{g.of("channel", "sink/a", "sink/b")}, Grace: time.Second}
		return command{name: fmt.Sprintf("Claim %+v", c), do: func(ctx context.Context, s handoff.Store) string {
			// What is due first: whether a claimed record's deliveries come with it
			// or after it is a store's own affair.
			c := c
			c.Now = time.Now()
			due, err := s.Claim(ctx, handoff.Claim{Now: c.Now, Lease: c.Lease, Limit: c.Limit})
			if err != nil {
				return result("", err)
			}
			got, err := s.Claim(ctx, c)
			got.Due = append(got.Due, due.Due...)
			slices.SortFunc(got.Overdue, func(a, b handoff.Delivery) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			slices.SortStableFunc(got.Due, func(a, b handoff.Record) int { return a.ID.Compare(b.ID) })
			return result(fmt.Sprintf("%s %+v", records(got.Due...), got.Overdue), err)
		}}
	case 17:
		cursor := g.of("channel", "channel/1", "sink/a")
		return command{name: fmt.Sprintf("Lead %v %s", id, cursor), do: func(ctx context.Context, s handoff.Store) string {
			l, err := s.Lead(ctx, id, cursor, at, time.Hour)
			return result(fmt.Sprintf("%+v", l), err)
		}}
	case 18:
		a := handoff.Ack{ID: id, Cursor: g.of("channel", "channel/1", "sink/a"), Seq: int64(g.IntN(6)), Term: int64(g.IntN(4)), Keep: g.IntN(3) == 0}
		return command{name: fmt.Sprintf("Ack %+v", a), do: func(ctx context.Context, s handoff.Store) string { return result("ok", s.Ack(ctx, a)) }}
	case 19, 20:
		return g.batch(ctx)
	case 21:
		r, err := g.memory.Get(ctx, id)
		if err != nil || r.Line == "" { // who is not in line stands where he would
			r = handoff.Record{ID: id, Queue: g.of("sales", "Sales", "sales "), Priority: g.IntN(5) - 2, Since: at}
		}
		limit := g.IntN(4)
		return command{name: fmt.Sprintf("Ahead %+v %d", r, limit), do: func(ctx context.Context, s handoff.Store) string {
			n, err := ability[handoff.AheadCounter](s).Ahead(ctx, r, limit)
			return result(strconv.Itoa(n), err)
		}}
	}
	return g.removal(ctx, id)
}

// batch commits some records at once, which may want the same keys.
func (g *generator) batch(ctx context.Context) command {
	var items []handoff.Item
	for range 2 + g.IntN(4) {
		r, entries := g.record(ctx)
		if !slices.ContainsFunc(items, func(i handoff.Item) bool { return i.Record.ID == r.ID }) {
			items = append(items, handoff.Item{Record: r, Entries: entries})
		}
	}
	return command{name: fmt.Sprintf("CommitBatch %+v", items), do: func(ctx context.Context, s handoff.Store) string {
		var text []string
		for _, err := range ability[handoff.BatchCommitter](s).CommitBatch(ctx, items) {
			text = append(text, result("ok", err))
		}
		return strings.Join(text, " ")
	}}
}

// removal deletes or erases something, mostly what is there.
func (g *generator) removal(ctx context.Context, id handoff.ID) command {
	last, err := g.memory.Latest(ctx, id.Conversation)
	if err == nil && g.IntN(4) > 0 {
		id = last.ID
	}
	version := last.Version
	if g.IntN(4) == 0 {
		version++
	}
	if g.IntN(2) == 0 {
		return command{name: fmt.Sprintf("Delete %v %d", id, version), do: func(ctx context.Context, s handoff.Store) string {
			return result("ok", s.Delete(ctx, id, version))
		}}
	}
	tomb := handoff.Record{
		ID: handoff.ID{Conversation: "erased:" + id.Conversation, Number: id.Number}, Version: version, Seq: 1, State: handoff.StateEnded,
		Created: then, Updated: then, Body: handoff.BodyOf([]byte("tomb")),
	}
	return command{name: fmt.Sprintf("Erase %v %d", id, version), do: func(ctx context.Context, s handoff.Store) string {
		return result("ok", s.Erase(ctx, id.Conversation, tomb))
	}}
}

// ability finds an optional ability of a store or of one that it wraps.
func ability[T any](s handoff.Store) (none T) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t
		}
		u, ok := s.(interface{ Unwrap() handoff.Store })
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	return none
}

// result is an answer as text.
func result(text string, err error) string {
	var held *handoff.HeldError
	switch {
	case err == nil:
		return text
	case errors.As(err, &held):
		return "err:held" // which one of several keys is named is a store's own affair
	}
	for name, target := range map[string]error{
		"notfound": handoff.ErrNotFound, "conflict": handoff.ErrConflict, "duplicate": handoff.ErrDuplicate, "leased": handoff.ErrLeased,
	} {
		if errors.Is(err, target) {
			return "err:" + name
		}
	}
	return "err:other " + err.Error()
}

func records(list ...handoff.Record) string {
	var b strings.Builder
	for i := range list {
		r := list[i]
		body := r.Body.Bytes()
		r.Body = handoff.Body{}
		slices.SortFunc(r.Keys, func(a, b handoff.Key) int { return strings.Compare(a.Name, b.Name) })
		times := make([]int64, 0, 4)
		for _, t := range []*time.Time{&r.Since, &r.Created, &r.Updated, &r.Wake} {
			times = append(times, t.UnixMilli())
			*t = time.Time{}
		}
		fmt.Fprintf(&b, "%+v %v %q; ", r, times, body)
	}
	return b.String()
}

func entriesText(list ...handoff.RecordEntry) string {
	var b strings.Builder
	for _, e := range list {
		fmt.Fprintf(&b, "%s %d %d %q; ", e.ID, e.Seq, e.At.UnixMilli(), e.Body.Bytes())
	}
	return b.String()
}
