package systemtest

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// plants are faults that a store of somebody else may have. Each test of races
// must notice them; one that does not proves nothing.
var plants = map[string]func(handoff.Store) handoff.Store{
	"":         func(s handoff.Store) handoff.Store { return s },
	"capacity": func(s handoff.Store) handoff.Store { return &looksFirst{s} },
	"version":  func(s handoff.Store) handoff.Store { return &overwrites{s} },
	"early":    func(s handoff.Store) handoff.Store { return &acksFirst{s} },
	"wide":     func(s handoff.Store) handoff.Store { return &erasesMore{s} },
	"lenient":  func(s handoff.Store) handoff.Store { return &lenient{Store: s} },
	"reversed": func(s handoff.Store) handoff.Store { return &reverses{s} },
	"behind":   func(s handoff.Store) handoff.Store { return &countsBehind{s} },
	"shuffled": func(s handoff.Store) handoff.Store { return &shuffles{s} },
}

// pause is the time between a look and a write.
const pause = 50 * time.Millisecond

// looksFirst reads who holds a key and then writes, whoever came between.
type looksFirst struct{ handoff.Store }

func (s *looksFirst) Unwrap() handoff.Store { return s.Store }

func (s *looksFirst) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	return oneByOne(ctx, s, items)
}

func (s *looksFirst) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	r.Keys = slices.Clone(r.Keys)
	for i, k := range r.Keys {
		holders, err := s.Holders(ctx, k.Name)
		if err != nil {
			return err
		}
		used, had := 0, 0
		for _, h := range holders {
			if h.ID == r.ID {
				had = h.Units
			} else {
				used += h.Units
			}
		}
		if k.Units > had && used+k.Units > k.Max {
			return &handoff.HeldError{Key: k.Name, Holders: holders}
		}
		if !strings.HasPrefix(k.Name, "conversation/") {
			r.Keys[i].Max = math.MaxInt32
		}
	}
	if len(r.Keys) > 1 {
		time.Sleep(pause)
	}
	return s.Store.Commit(ctx, r, entries...)
}

// overwrites saves whatever it is given: the last one wins.
type overwrites struct{ handoff.Store }

func (s *overwrites) Unwrap() handoff.Store { return s.Store }

func (s *overwrites) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	return oneByOne(ctx, s, items)
}

func (s *overwrites) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if r.Version > 0 {
		time.Sleep(pause)
		now, err := s.Get(ctx, r.ID)
		if err != nil {
			return err
		}
		r.Version, r.Seq, entries = now.Version, now.Seq+int64(len(entries)), slices.Clone(entries)
		for i := range entries {
			entries[i].Seq = now.Seq + int64(i) + 1
			entries[i].ID += "/" + strconv.FormatInt(now.Version, 10)
		}
	}
	return s.Store.Commit(ctx, r, entries...)
}

func oneByOne(ctx context.Context, s handoff.Store, items []handoff.Item) []error {
	errs := make([]error, len(items))
	for i := range items {
		errs[i] = s.Commit(ctx, items[i].Record, items[i].Entries...)
	}
	return errs
}

// unlockPostgres takes the locks of keys out of the function that commits, and lets
// time pass between its look and its write.
func unlockPostgres(t *testing.T, place string) {
	t.Helper()
	inSchema(t, place, func(ctx context.Context, conn *pgx.Conn, schema string) {
		for _, f := range []struct{ name, looked, taken string }{ // those that travel together are locked apart
			{"handoff_commit", "	IF answer IS NULL THEN\n		IF again THEN\n", "cardinality(taken) > 0"},
			{"handoff_commit_set", "	FOR i IN 1..n LOOP\n		IF answers[i] = '' THEN\n", "(SELECT count(u) FROM unnest(c_used) u) > 0"},
			{"handoff_lock", "", ""},
		} {
			sql := definition(ctx, t, conn, schema, f.name)
			naive := strings.ReplaceAll(sql, "pg_advisory_xact_lock(handoff_hash('k'", "(handoff_hash('k'")
			require.NotEqual(t, sql, naive)
			if f.looked != "" {
				naive = strings.Replace(naive, f.looked, "	IF "+f.taken+" THEN PERFORM pg_sleep(0.05); END IF;\n"+f.looked, 1)
				require.Equal(t, 1, strings.Count(naive, "pg_sleep"))
			}
			_, err := conn.Exec(ctx, naive)
			require.NoError(t, err)
		}
	})
}

// inSchema does something on the server of a place.
func inSchema(t *testing.T, place string, f func(ctx context.Context, conn *pgx.Conn, schema string)) {
	t.Helper()
	schema, dsn, _ := strings.Cut(place, " ")
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	f(t.Context(), conn, schema)
}

// definition is how a function was made.
func definition(ctx context.Context, t *testing.T, conn *pgx.Conn, schema, function string) (sql string) {
	t.Helper()
	require.NoError(t, conn.QueryRow(ctx, "SELECT pg_get_functiondef(($1::text || '.' || $2)::regproc)", schema, function).Scan(&sql))
	return sql
}

// acksFirst takes for delivered what somebody is about to deliver.
type acksFirst struct{ handoff.Store }

func (s *acksFirst) Unwrap() handoff.Store { return s.Store }

func (s *acksFirst) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	l, err := s.Store.Lead(ctx, id, cursor, now, lease)
	if err != nil {
		return l, err
	}
	r, err := s.Get(ctx, id)
	for _, o := range r.Owed {
		if o.Cursor == cursor && err == nil {
			err = s.Ack(ctx, handoff.Ack{ID: id, Cursor: cursor, Seq: o.Seq, Term: l.Term, Keep: true})
		}
	}
	return l, err
}

// erasesMore removes something of somebody else too.
type erasesMore struct{ handoff.Store }

func (s *erasesMore) Unwrap() handoff.Store { return s.Store }

func (s *erasesMore) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	if err := s.Store.Erase(ctx, conversation, tomb); err != nil {
		return err
	}
	list, err := s.List(ctx, handoff.Query{States: []handoff.State{handoff.StateEnded}})
	for i := range list {
		if name := list[i].ID.Conversation; name != conversation && !strings.Contains(name, ":") {
			return s.Delete(ctx, list[i].ID, list[i].Version)
		}
	}
	return err
}

// lenient grants every fourth commit a unit more of a key than there is.
type lenient struct {
	handoff.Store
	n atomic.Int64
}

func (s *lenient) Unwrap() handoff.Store { return s.Store }

func (s *lenient) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	return oneByOne(ctx, s, items)
}

func (s *lenient) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if s.n.Add(1)%4 == 0 {
		r.Keys = slices.Clone(r.Keys)
		for i := range r.Keys {
			if strings.HasPrefix(r.Keys[i].Name, "seat/") {
				r.Keys[i].Max++
			}
		}
	}
	return s.Store.Commit(ctx, r, entries...)
}

// shuffles lists those who wait in no order.
type shuffles struct{ handoff.Store }

func (s *shuffles) Unwrap() handoff.Store { return s.Store }

func (s *shuffles) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	if !q.ByRank {
		return s.Store.List(ctx, q)
	}
	all := q
	all.Limit = 0
	list, err := s.Store.List(ctx, all)
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if q.Limit > 0 {
		list = list[:min(len(list), q.Limit)]
	}
	return list, err
}

// reverses judges a batch from its end.
type reverses struct{ handoff.Store }

func (s *reverses) Unwrap() handoff.Store { return s.Store }

func (s *reverses) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	items = slices.Clone(items)
	slices.Reverse(items)
	errs := oneByOne(ctx, s.Store, items)
	slices.Reverse(errs)
	return errs
}

// countsBehind counts who is asked for among those before him.
type countsBehind struct{ handoff.Store }

func (s *countsBehind) Unwrap() handoff.Store { return s.Store }

func (s *countsBehind) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	n, err := ability[handoff.AheadCounter](s.Store).Ahead(ctx, r, 0)
	if n++; limit > 0 {
		n = min(n, limit)
	}
	return n, err
}
