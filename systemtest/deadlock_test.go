package systemtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// deadlocks is how many the server of a place has resolved so far. Other stores
// have no locks that could be waited for in a circle.
func deadlocks(t *testing.T, k kind, place string) (n int) {
	t.Helper()
	if k.name != "postgres" {
		return 0
	}
	inSchema(t, place, func(ctx context.Context, conn *pgx.Conn, _ string) {
		require.NoError(t, conn.QueryRow(ctx, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&n))
	})
	return n
}

// Two stores commit batches that overlap in many keys and conversations: none
// waits for another in a circle, since all lock in one order. With functions that
// lock in any order the server must get them out of one, which the count tells.
func TestDeadlock(t *testing.T) {
	k, err := kindNamed("postgres")
	require.NoError(t, err)
	place := k.place(t)
	stores := []handoff.Store{mustOpen(t, k, place), mustOpen(t, k, place)}

	before := deadlocks(t, k, place)
	refused := overlap(t, stores, 40, func() bool { return false })
	require.Zero(t, refused)
	require.Equal(t, before, deadlocks(t, k, place))

	inSchema(t, place, func(ctx context.Context, conn *pgx.Conn, schema string) {
		sql := definition(ctx, t, conn, schema, "handoff_commit_set")
		for _, list := range []string{"p_lock_conversations", "p_lock_keys"} {
			require.Contains(t, sql, "FOREACH locked IN ARRAY "+list+" LOOP")
			sql = strings.Replace(sql, "ARRAY "+list, "ARRAY ARRAY(SELECT x FROM unnest("+list+") x ORDER BY random())", 1)
		}
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err)
	})
	grown := func() bool { return deadlocks(t, k, place) > before }
	refused = overlap(t, stores, 10_000, grown)
	t.Logf("%d batches were refused to end a deadlock", refused)
	require.Positive(t, refused)
	eventually(t, "the server to count its deadlocks", grown)
}

// overlap commits batches from several goroutines of each store, so many each or
// until over, and returns how many were refused because of a deadlock.
func overlap(t *testing.T, stores []handoff.Store, batches int, over func() bool) (refused int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for w := range 2 * len(stores) {
		all.Go(func() {
			s := ability[handoff.BatchCommitter](stores[w%len(stores)])
			for n := range batches {
				deadlock := false
				for _, err := range s.CommitBatch(t.Context(), overlapping(w, n)) {
					deadlock = deadlock || err != nil && strings.Contains(err.Error(), "40P01")
					if !isAnswer(err) && !strings.Contains(err.Error(), "40P01") {
						t.Error(err)
					}
				}
				mu.Lock()
				if deadlock {
					refused++
				}
				stop := refused > 0 && over()
				mu.Unlock()
				if stop || t.Failed() {
					return
				}
			}
		})
	}
	all.Wait()
	return refused
}

// overlapping are twelve new handoffs in some of thirty conversations, each of
// which takes some of thirty keys.
func overlapping(worker, n int) (items []handoff.Item) {
	for i, c := range rand.Perm(30)[:12] {
		r := handoff.Record{ID: handoff.ID{Conversation: fmt.Sprint("c", c), Number: int64(1 + 1000*(1000*worker+n) + i)}, Seq: 1, Body: handoff.BodyOf([]byte("b"))}
		for _, key := range rand.Perm(30)[:2] {
			r.Keys = append(r.Keys, handoff.Key{Name: fmt.Sprint("k", key), Max: 1 << 20, Units: 1})
		}
		items = append(items, handoff.Item{Record: r, Entries: []handoff.RecordEntry{{ID: "e", Seq: 1, Body: handoff.BodyOf([]byte("e"))}}})
	}
	return items
}
