package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/pgstore"
)

func TestMain(m *testing.M) { enginetest.Main(m, openChild, dropSpare) }

// openChild opens the schema of the test that started this process.
func openChild(ctx context.Context) (handoff.Store, func(), error) {
	cfg, err := pgxpool.ParseConfig(os.Getenv("HANDOFF_TEST_DSN"))
	if err != nil {
		return nil, nil, err
	}
	cfg.MaxConns = 8
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return pgstore.New(pool, pgstore.Options{Schema: os.Getenv("HANDOFF_TEST_SCHEMA")}), pool.Close, nil
}

// Two engines share nothing but the database; the two behind the pooler do not
// listen.
func TestConversation(t *testing.T) {
	t.Run("1", func(t *testing.T) {
		first, _ := openPool(t, pgstore.Options{Schema: nextSchema()})
		enginetest.Conversation(t, first)
	})
	t.Run("2", func(t *testing.T) {
		opt := pgstore.Options{Schema: nextSchema()}
		first, _ := openPool(t, opt)
		second, _ := openOnly(t, opt)
		enginetest.Conversation(t, first, second)
	})
	t.Run("pooler", func(t *testing.T) {
		opt := pgstore.Options{Schema: nextSchema(), NoListen: true}
		first, _ := openPool(t, opt, pooled(t))
		second, _ := openOnly(t, opt, pooled(t))
		enginetest.Conversation(t, first, second)
	})
}

func TestWakeUp(t *testing.T) {
	opt := pgstore.Options{Schema: nextSchema()}
	asking, _ := openPool(t, opt)
	listening, pool := openOnly(t, opt)
	enginetest.WakeUp(t, listening, asking, func() {
		// It listens when its connection says so.
		enginetest.Eventually(t, "LISTEN", func() bool {
			var n int
			require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle' AND query LIKE '%' || $1",
				pgstore.Channel(listening)).Scan(&n))
			return n == 1
		})
	})
}

// A replica that lost the connection on which it listens gets another one, and
// hears again: nothing else tells it.
func TestListenAgain(t *testing.T) {
	ctx := t.Context()
	opt := pgstore.Options{Schema: nextSchema()}
	asking, _ := openPool(t, opt)
	listening, pool := openOnly(t, opt)
	enginetest.Run(t, enginetest.Engine(t, listening, enginetest.Never))
	listener := func(not int) (pid int) {
		enginetest.Eventually(t, "LISTEN", func() bool {
			err := pool.QueryRow(ctx, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle' AND query LIKE '%' || $1 AND pid <> $2",
				pgstore.Channel(listening), not).Scan(&pid)
			if !errors.Is(err, pgx.ErrNoRows) {
				require.NoError(t, err)
			}
			return err == nil
		})
		return pid
	}
	e := enginetest.Engine(t, asking) // does not run
	for i, pid := 0, 0; i < 6; i++ {
		if i%2 == 0 {
			if pid != 0 {
				var ended bool
				require.NoError(t, pool.QueryRow(ctx, "SELECT pg_terminate_backend($1)", pid).Scan(&ended))
				require.True(t, ended)
			}
			pid = listener(pid)
		}
		out, err := e.Request(ctx, handoff.Request{Conversation: fmt.Sprint("c", i), Queue: "support"})
		require.NoError(t, err)
		_, err = e.Accept(ctx, out.Handoff.ID, handoff.By("ann"), enginetest.Offered(t, e, out.Handoff.ID))
		require.NoError(t, err)
		_, err = e.End(ctx, out.Handoff.ID, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
	}
}

func TestReplicaKilled(t *testing.T) {
	schema := nextSchema()
	s, _ := openPool(t, pgstore.Options{Schema: schema})
	enginetest.Killed(t, s, "HANDOFF_TEST_DSN="+dsn(t), "HANDOFF_TEST_SCHEMA="+schema)
}
