package systemtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
)

// A standby takes no writes, and says so. One that had stopped to follow takes
// over: see testFailover.
func TestFailoverPostgres(t *testing.T) {
	ctx := t.Context()
	primary, err := throwaway.NewCluster()
	if err != nil {
		servertest.Missing(t, "PostgreSQL", err, "install it")
	}
	t.Cleanup(primary.Remove)
	dsn, err := primary.Start("fsync=off")
	require.NoError(t, err)
	standby, err := primary.Standby()
	require.NoError(t, err)
	t.Cleanup(standby.Remove)
	standbyDSN, err := standby.Start("fsync=off")
	require.NoError(t, err)
	on := func(dsn, sql string, args ...any) (yes bool) {
		t.Helper()
		conn, err := pgx.Connect(ctx, dsn)
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close(context.Background())) }()
		require.NoError(t, conn.QueryRow(ctx, sql, args...).Scan(&yes))
		return yes
	}
	has := func() {
		var end string
		conn, err := pgx.Connect(ctx, dsn)
		require.NoError(t, err)
		_, err = conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'mark', '')") // with what was not written out
		require.NoError(t, err)
		require.NoError(t, conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&end))
		require.NoError(t, conn.Close(ctx))
		eventually(t, "the standby", func() bool { return on(standbyDSN, "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", end) })
	}

	k, err := kindNamed("postgres")
	require.NoError(t, err)
	p, place := behind(t, k, "failover "+dsn)
	s := mustOpen(t, k, place)
	testFailover(t, s, func() { // it stops to follow
		has()
		pool, err := pgxpool.New(ctx, standbyDSN)
		require.NoError(t, err)
		defer pool.Close()
		read := pgstore.New(pool, pgstore.Options{Schema: "failover", NoListen: true})
		require.ErrorIs(t, read.Check(ctx), pgstore.ErrReadOnly)
		require.ErrorIs(t, read.Migrate(ctx, pgstore.Latest), pgstore.ErrReadOnly)
		r, err := read.Latest(ctx, "c")
		require.NoError(t, err)
		r.Seq++
		more := handoff.RecordEntry{ID: "more", Seq: r.Seq}
		require.ErrorIs(t, read.Commit(ctx, r, more), pgstore.ErrReadOnly)
		require.ErrorIs(t, read.CommitBatch(ctx, []handoff.Item{
			{Record: r, Entries: []handoff.RecordEntry{more}}, {Record: syncRecord("other"), Entries: []handoff.RecordEntry{{ID: "e", Seq: 1}}},
		})[1], pgstore.ErrReadOnly)

		_, err = pool.Exec(ctx, "ALTER SYSTEM SET primary_conninfo = ''")
		require.NoError(t, err)
		require.True(t, on(standbyDSN, "SELECT pg_reload_conf()"))
		eventually(t, "the end of following", func() bool { return on(standbyDSN, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)") })
	}, func() {
		require.True(t, on(standbyDSN, "SELECT pg_promote()"))
		p.failOver(addr{"unix", standby.Socket()})
	})
}
