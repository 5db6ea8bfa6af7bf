package systemtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// While a new version of the host is rolled out, the newer schema is there
// already: an older build that starts refuses it and leaves it alone, and one
// that runs goes on.
func TestNewerSchema(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		place := k.place(t)
		c := newFaultChat(t, mustOpen(t, k, place))
		putVersion(t, k, place, 99)
		_, closes, err := k.open(t.Context(), place) // which migrates
		require.ErrorContains(t, err, "newer than this build")
		require.NoError(t, closes())
		require.NoError(t, c.send(t.Context(), "goes on"))
		assert.Equal(t, "goes on", c.said(t))
		putVersion(t, k, place, 0)
	})
}

// putVersion makes the schema of a place claim a version; 0 is the old one.
func putVersion(t *testing.T, k kind, place string, version int) {
	t.Helper()
	ctx := context.Background()
	name, address, _ := strings.Cut(place, " ")
	if version == 0 {
		version = map[string]int{"postgres": pgstore.Latest, "redis": redisstore.Latest, "sqlite": sqlitestore.Latest}[k.name]
	}
	switch k.name {
	case "postgres":
		conn, err := pgx.Connect(ctx, address)
		require.NoError(t, err)
		_, err = conn.Exec(ctx, "UPDATE "+name+".handoff_schema SET version = $1", version)
		require.NoError(t, err)
		require.NoError(t, conn.Close(ctx))
	case "redis":
		opt, err := redis.ParseURL(address)
		require.NoError(t, err)
		conn := redis.NewClient(opt)
		require.NoError(t, conn.Set(ctx, "{"+name+"}:layout", version, 0).Err())
		require.NoError(t, conn.Close())
	case "sqlite":
		db, err := sql.Open("sqlite", "file:"+place+"?_pragma=busy_timeout(10000)")
		require.NoError(t, err)
		_, err = db.ExecContext(ctx, "UPDATE handoff_schema SET version = ?", version)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
}

// Fields of a record that a newer build wrote survive an older one's verbs, on
// every store.
func TestUnknownFields(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			ctx := t.Context()
			s := mustOpen(t, k, k.place(t))
			c := newFaultChat(t, s)
			r, err := s.Get(ctx, c.id)
			require.NoError(t, err)
			r.Seq++
			fields := map[string]any{}
			require.NoError(t, json.Unmarshal(r.Body.Bytes(), &fields))
			fields["seq"], fields["of_2031"] = r.Seq, map[string]any{"a": []any{1, "two", nil}}
			raw, err := json.Marshal(fields)
			require.NoError(t, err)
			r.Body = handoff.BodyOf(raw)
			require.NoError(t, s.Commit(ctx, r, handoff.RecordEntry{
				ID: "of a newer build", Seq: r.Seq, At: r.Updated, Body: handoff.BodyOf([]byte(`{"kind":"of_2031","extra":7}`)),
			}))
			require.NoError(t, c.send(ctx, "one"))
			_, err = c.e.Transfer(ctx, c.id, handoff.By("ann"), handoff.Target{Agent: "bob"})
			require.NoError(t, err)
			r, err = s.Get(ctx, c.id)
			require.NoError(t, err)
			assert.Contains(t, string(r.Body.Bytes()), `"of_2031":{"a":[1,"two",null]}`)
			e, err := s.Entry(ctx, c.id, "of a newer build")
			require.NoError(t, err)
			assert.JSONEq(t, `{"kind":"of_2031","extra":7}`, string(e.Body.Bytes()))
		})
	}
}
