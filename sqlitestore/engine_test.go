package sqlitestore_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

func TestMain(m *testing.M) { enginetest.Main(m, openChild, nil) }

// openChild opens the file of the test that started this process.
func openChild(ctx context.Context) (handoff.Store, func(), error) {
	s, err := sqlitestore.Open(ctx, os.Getenv("HANDOFF_TEST_FILE"), sqlitestore.Options{NoSync: true})
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = s.Close() }, nil
}

// Two engines share nothing but the file.
func TestConversation(t *testing.T) {
	t.Run("1", func(t *testing.T) { enginetest.Conversation(t, open(t)) })
	t.Run("2", func(t *testing.T) {
		path := file(t)
		enginetest.Conversation(t, openFile(t, path), openFile(t, path))
	})
}

// It listens when it has seen how many commits there were: it hears of those
// that come after, and of none before.
func TestWakeUp(t *testing.T) {
	path := file(t)
	listening := openFile(t, path)
	enginetest.WakeUp(t, listening, openFile(t, path), func() {
		enginetest.Eventually(t, "a look at the file", func() bool { return sqlitestore.Listeners(listening) == 1 })
	})
}

func TestReplicaKilled(t *testing.T) {
	path := file(t)
	enginetest.Killed(t, openFile(t, path), "HANDOFF_TEST_FILE="+path)
}

// A handle hears of the commits of others, and not of its own.
func TestListen(t *testing.T) {
	path := file(t)
	s := openFile(t, path, func(o *sqlitestore.Options) { o.HintEvery = time.Millisecond })
	other := openFile(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	hints := make(chan handoff.Hint, 1000)
	done := make(chan error)
	go func() { done <- s.Listen(ctx, func(h handoff.Hint) { hints <- h }) }()
	n := 0
	agent := ""
	next := func(who *sqlitestore.Store) handoff.ID {
		n++
		r := record(fmt.Sprint("c", n))
		r.Queue, r.Line, r.Agent = "q", "line", agent
		require.NoError(t, who.Commit(t.Context(), r, entry(1)))
		return r.ID
	}
	// The first that is heard says that it listens.
	for len(hints) == 0 {
		next(other)
		time.Sleep(time.Millisecond)
	}
	last := next(other)
	for h := range hints {
		if h.ID == last {
			break
		}
	}
	own := next(s)
	last = next(other)
	for h := range hints {
		require.NotEqual(t, own, h.ID)
		if h.ID == last {
			assert.Equal(t, "q", h.Queue)
			break
		}
	}
	agent = "ann"
	last = next(other)
	for h := range hints {
		if h.ID == last {
			assert.Empty(t, h.Queue, "ann is asked already")
			break
		}
	}
	cancel()
	require.NoError(t, <-done)
}

// Fields that this build does not know stay when it rewrites a record, in every
// object of it.
func TestUnknownFields(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	e := enginetest.Engine(t, s)
	_, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "hello", User: &handoff.Contact{ID: "u"}})
	require.NoError(t, err)
	// A newer build writes them, as a commit.
	paths := []string{
		"$.brand_new", "$.id.brand_new", "$.user.brand_new", "$.need.brand_new", "$.stretch.brand_new",
		"$.pending[0].brand_new", "$.deadlines[0].brand_new", "$.own.brand_new", "$.own.calls[0].brand_new",
	}
	set := ""
	for _, path := range paths {
		set += ", '" + path + "', '" + path + "'"
	}
	require.NoError(t, sqlitestore.Exec(ctx, s, `UPDATE "@record" SET version = version + 1,
		body = CAST(json_set(json_patch(CAST(body AS TEXT), '{"need": {}}')`+set+`) AS BLOB)`))
	_, err = e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m2", Text: "are you there?"})
	require.NoError(t, err)
	r, err := s.Latest(ctx, "c")
	require.NoError(t, err)
	for _, path := range paths {
		assert.Contains(t, string(r.Body.Bytes()), `"brand_new":"`+path+`"`)
	}
}
