package desk_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// online says that an agent is there, or is not.
func (w *world) online(id string, on bool) {
	w.Helper()
	w.n++
	require.NoError(w, w.presence.Begin(w.Context(), id, fmt.Sprint("page ", w.n), now(), now().Add(time.Hour)))
	require.NoError(w, w.presence.Want(w.Context(), id, on, "", now()))
}

// TestTeamIsToldOnce: a page reads who is there, and is told only what changes
// after that. To be told everything again, at once and with everybody else, is
// what made a message of that moment wait.
func TestTeamIsToldOnce(t *testing.T) {
	w := newWorld(t)
	c := w.listen("admin", "session=s")
	w.next(c, "reset", named("reset"))
	require.Contains(t, w.call("admin", http.MethodGet, "api/team", nil).raw, `"id":"col"`)
	w.online("me", true)
	first := w.next(c, "who came", named("team"))
	assert.Contains(t, first.data, `"id":"me"`)
	assert.NotContains(t, first.data, `"id":"col"`, "nothing was new about him")
}

// TestTeamReadIsToldToAll: what one page reads between two looks and another has
// not seen is told, so that a change and its opposite are never missed by who
// read in between.
func TestTeamReadIsToldToAll(t *testing.T) {
	w := newWorld(t)
	there := func(on string) func() bool {
		return func() bool {
			return strings.Contains(w.call("admin", http.MethodGet, "api/team", nil).raw, `"id":"me","name":"Me","queues":["mine"],"seats":50,"load":0,"there":"`+on+`"`)
		}
	}
	w.online("me", false)
	w.until("he is known to be away", there("offline"))
	c := w.listen("admin", "session=s")
	w.next(c, "reset", named("reset"))
	for range 3 {
		w.online("me", true)
		w.until("a page has read that he is there", there("online"))
		w.online("me", false)
		w.until("and another that he is not", there("offline"))
		w.next(c, "that he came", func(e told) bool { return e.name == "team" && strings.Contains(e.data, `"there":"online"`) })
		w.next(c, "that he went", func(e told) bool { return e.name == "team" && strings.Contains(e.data, `"there":"offline"`) })
	}
}

// TestTeamIsNewAfterAChangeHere: whoever changes something on a page sees it on
// the next.
func TestTeamIsNewAfterAChangeHere(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"Una", "Duo", "Tria"} {
		got := w.call("admin", http.MethodPut, "api/agents/col", handoff.Agent{Name: name, Queues: []string{"mine"}, Seats: 3})
		require.Equal(t, http.StatusOK, got.status, got.raw)
		assert.Contains(t, w.call("admin", http.MethodGet, "api/team", nil).raw, `"name":"`+name+`"`)
	}
}

// TestNothingIsToldLate: a page that opens a conversation reads what was before,
// and is not told it: a stream sleeps while nothing is for it, and finds such
// events when it wakes. To say again that it is open, as pages do, loses nothing.
func TestNothingIsToldLate(t *testing.T) {
	before, between, after := desk.Heard()
	assert.False(t, before, "before it was opened")
	assert.True(t, between, "before the page said again that it is open")
	assert.True(t, after, "after that")
}

// TestRowsAreWrittenForWhoReadsThem: rows are written once for actors to whom
// they look the same, and never for one to whom they do not.
func TestRowsAreWrittenForWhoReadsThem(t *testing.T) {
	w := newWorld(t)
	w.actor("third", &desk.Actor{ID: "third", Role: desk.Agent, Queues: []string{"mine"}})
	w.actor("lead", &desk.Actor{ID: "lead", Role: desk.Supervisor, Queues: []string{"mine"}})
	w.actor("other", &desk.Actor{ID: "other", Role: desk.Agent, Queues: []string{"theirs"}})
	w.actor("both", &desk.Actor{ID: "both", Role: desk.Agent, Queues: []string{"mine", "theirs"}})
	h := w.held("c", "mine", "me")
	all := []string{"agent", "col", "third", "other", "both", "lead", "supervisor", "admin"}
	streams := map[string]<-chan told{}
	for _, a := range all {
		streams[a] = w.listen(a, "session="+a)
		w.next(streams[a], "reset", named("reset"))
	}
	for i, what := range []string{"one", "two", "three"} {
		_, err := w.engine.Tag(t.Context(), h.ID, handoff.By("me"), []string{what}, nil)
		require.NoError(t, err)
		d := w.held("d"+what, "theirs", "far") // for those of the other queue to hear of something
		for _, a := range all {
			id := `"id":"` + token(h) + `"`
			if a == "other" {
				id = `"id":"` + token(d) + `"`
			}
			e := w.next(streams[a], what+" for "+a, func(e told) bool {
				assert.False(t, a == "other" && strings.Contains(e.data, token(h)), "a row of a queue that is not his")
				return e.name == "rows" && strings.Contains(e.data, id)
			})
			_, row, _ := strings.Cut(e.data, id)
			row, _, _ = strings.Cut(row, `"id":`)
			assert.Equal(t, a == "agent" || a == "supervisor" || a == "admin", strings.Contains(row, `"work"`), "%d: only who has it works on it, not %s: %s", i, a, row)
			assert.Equal(t, a == "lead" || a == "supervisor" || a == "admin", strings.Contains(row, `"direct"`), "%d: %s: %s", i, a, row)
		}
	}
}

// TestAlike: whatever the rows, the actors and who is late, each is told just what
// he would be told alone.
func TestAlike(t *testing.T) {
	for seed := range uint64(400) {
		require.Empty(t, desk.Alike(seed), "seed %d", seed)
	}
}

// TestStreamsSleep: what is said in a conversation wakes the pages that have it
// open, and none of the hundreds that have not; but none of these sleeps so long
// that the events it has not looked at are gone, and it had to begin anew.
func TestStreamsSleep(t *testing.T) {
	assert.False(t, desk.Stirred(1, false), "nothing is for it")
	assert.False(t, desk.Stirred(100, false), "nothing is for it")
	assert.True(t, desk.Stirred(1, true), "it has it open")
	assert.True(t, desk.Stirred(desk.RingSize/2, false), "half of what is kept has gone by")
}

// damaged is a store that cannot read some conversations any more.
type damaged struct {
	handoff.Store

	bad atomic.Bool
}

func (s *damaged) Unwrap() handoff.Store { return s.Store }

func (s *damaged) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	r, err := s.Store.Get(ctx, id)
	return s.spoil(r), err
}

func (s *damaged) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	list, err := s.Store.List(ctx, q)
	list = slices.Clone(list)
	for i := range list {
		list[i] = s.spoil(list[i])
	}
	return list, err
}

func (s *damaged) spoil(r handoff.Record) handoff.Record {
	if s.bad.Load() && strings.HasPrefix(r.ID.Conversation, "bad") {
		r.Body = handoff.BodyOf([]byte("?"))
	}
	return r
}

// A row whose handoff cannot be read any more, or never could be, keeps nothing
// of the others from being told.
func TestUnreadableRowHoldsUpNobody(t *testing.T) {
	s := &damaged{Store: memstore.New()}
	quiet := slog.New(slog.DiscardHandler)
	w := newWorldOf(t, func(c *handoff.Config) { c.Store, c.Logger = s, quiet })
	w.waiting("bad", "mine")
	w.until("the desk has read it", func() bool {
		return strings.Contains(w.call("agent", http.MethodGet, "api/snapshot", nil).raw, `"1.bad"`)
	})
	c := w.listen("agent", "session=s")
	w.next(c, "reset", named("reset"))
	s.bad.Store(true)
	w.bot("badder")
	w.waiting("good", "mine")
	w.next(c, "good", func(e told) bool { return strings.Contains(e.data, `"1.good"`) })
}
