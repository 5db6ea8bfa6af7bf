package systemtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
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

// Fields of a record that a newer build wrote survive an older one's verbs, in
// whatever object of it, on every store.
func TestUnknownFields(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			ctx := t.Context()
			s := mustOpen(t, k, k.place(t))
			c := newFaultChat(t, s)
			_, err := c.e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "hello"})
			require.NoError(t, err)
			r, err := s.Get(ctx, c.id)
			require.NoError(t, err)
			r.Seq++
			fields := map[string]any{}
			require.NoError(t, json.Unmarshal(r.Body.Bytes(), &fields))
			fields["seq"] = r.Seq
			paths := []string{"", "id", "need", "pending/0", "stretch", "deadlines/0", "own", "own/seat"}
			for _, path := range paths {
				objectAt(t, fields, path)["of_2031"] = map[string]any{path: []any{1.0, "two", nil}}
			}
			raw, err := json.Marshal(fields)
			require.NoError(t, err)
			r.Body = handoff.BodyOf(raw)
			require.NoError(t, s.Commit(ctx, r, handoff.RecordEntry{
				ID: "of a newer build", Seq: r.Seq, At: r.Updated, Body: handoff.BodyOf([]byte(`{"kind":"of_2031","from":{"role":"of_2031","extra":6},"extra":7}`)),
			}))
			stay := func(paths ...string) {
				t.Helper()
				r, err = s.Get(ctx, c.id)
				require.NoError(t, err)
				fields := map[string]any{}
				require.NoError(t, json.Unmarshal(r.Body.Bytes(), &fields))
				for _, path := range paths {
					assert.Equal(t, map[string]any{path: []any{1.0, "two", nil}}, objectAt(t, fields, path)["of_2031"], path)
				}
			}
			_, err = c.e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m2", Text: "are you there?"})
			require.NoError(t, err)
			stay(paths...)
			require.NoError(t, c.send(ctx, "one")) // answers what was pending
			_, err = c.e.Transfer(ctx, c.id, handoff.By("ann"), handoff.Target{Agent: "bob"})
			require.NoError(t, err)
			stay("", "id", "need", "stretch", "own")
			e, err := s.Entry(ctx, c.id, "of a newer build")
			require.NoError(t, err)
			assert.JSONEq(t, `{"kind":"of_2031","from":{"role":"of_2031","extra":6},"extra":7}`, string(e.Body.Bytes()))
		})
	}
}

// objectAt returns the object at a path of names and numbers in what was decoded.
// An object that is empty is left out, and made.
func objectAt(t *testing.T, in any, path string) map[string]any {
	t.Helper()
	for name := range strings.SplitSeq(path, "/") {
		switch v := in.(type) {
		case map[string]any:
			if name == "" {
				continue
			}
			if v[name] == nil {
				v[name] = map[string]any{}
			}
			in = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			require.NoError(t, err)
			require.Greater(t, len(v), i, path)
			in = v[i]
		}
	}
	out, _ := in.(map[string]any)
	require.NotNil(t, out, path)
	return out
}
