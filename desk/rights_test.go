package desk_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// serving gives a colleague other queues, as a host does whose login reads the
// Directory, by the page of those who manage.
func (w *world) serving(queues ...string) {
	w.Helper()
	w.actor("col", &desk.Actor{ID: "col", Name: "Colleague", Role: desk.Agent, Queues: queues})
	got := w.call("admin", http.MethodPut, "api/agents/col", handoff.Agent{Name: "Colleague", Queues: queues, Seats: 50})
	require.Equal(w, http.StatusOK, got.status, got.raw)
}

// TestQueuesChangeWhileListening: an agent who loses a queue is told nothing more
// of it from the moment when the change is answered, and whoever gains one is told
// all of it: his page begins anew, and so does one that comes back later with what
// it was told before.
func TestQueuesChangeWhileListening(t *testing.T) {
	w := newWorld(t)
	w.serving("mine", "list")
	h := w.held("c", "list", "me")
	theirs := w.waiting("gained", "theirs")
	w.until("the desk knows of both", func() bool {
		raw := w.call("admin", http.MethodGet, "api/snapshot", nil).raw
		return strings.Contains(raw, token(h)) && strings.Contains(raw, token(theirs))
	})
	c := w.listen("col", "session=s")
	first := w.next(c, "reset", named("reset"))
	assert.Contains(t, first.data, token(h))
	require.Equal(t, http.StatusOK, w.call("col", http.MethodPost, "api/viewing", map[string]string{"session": "s", "tab": "t", "id": token(h)}).status)
	say := func(text string) {
		_, err := w.engine.Send(t.Context(), h.ID, handoff.By("me"), handoff.Message{Text: text})
		require.NoError(t, err)
	}
	say("while he may read it")
	last := w.next(c, "what is said", func(e told) bool { return e.name == "entries" && strings.Contains(e.data, "while he may read it") })

	w.serving("mine", "theirs")
	say("when he no longer may")
	w.waiting("unknown", "list")
	bye := w.next(c, "good-bye", func(e told) bool {
		assert.NotContains(t, e.data, "when he no longer may")
		assert.NotContains(t, e.data, "unknown")
		return e.name == "bye"
	})
	assert.JSONEq(t, `{"why":"changed"}`, bye.data)
	_, more := <-c
	assert.False(t, more, "it is the last that he is told")

	for _, from := range []string{first.id, last.id} {
		reset := w.next(w.listen("col", "session=s", "Last-Event-ID", from), "all anew", func(e told) bool { return e.name == "reset" || e.name == "rows" })
		require.Equal(t, "reset", reset.name)
		assert.NotContains(t, reset.data, token(h))
		assert.NotContains(t, reset.data, "unknown")
		assert.Contains(t, reset.data, token(theirs))
		var got struct{ Lists struct{ Queues []string } }
		require.NoError(t, json.Unmarshal([]byte(reset.data), &got))
		assert.Equal(t, []string{"mine", "theirs"}, got.Lists.Queues)
	}
	viewers := w.call("agent", http.MethodGet, "api/handoffs/"+token(h), nil)
	assert.Contains(t, viewers.raw, `"id":"col"`, "until his page looks")
	require.Equal(t, http.StatusNotFound, w.call("col", http.MethodPost, "api/viewing", map[string]string{"session": "s", "tab": "t", "id": token(h)}).status)
	viewers = w.call("agent", http.MethodGet, "api/handoffs/"+token(h), nil)
	assert.NotContains(t, viewers.raw, `"id":"col"`)
}

// TestQueuesChangeWhileJoining: what an agent may do changes after a page of his
// was asked who he is, and before it listens. It is told nothing but good-bye.
func TestQueuesChangeWhileJoining(t *testing.T) {
	asked, changed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w := newWorld(t, func(c *desk.Config) {
		auth := c.Auth
		c.Auth = func(r *http.Request) (desk.Actor, error) {
			a, err := auth(r)
			if strings.HasSuffix(r.URL.Path, "api/events") {
				once.Do(func() { close(asked); <-changed })
			}
			return a, err
		}
	})
	w.serving("mine", "list")
	h := w.waiting("lost", "list")
	w.until("the desk knows of it", func() bool {
		return strings.Contains(w.call("col", http.MethodGet, "api/snapshot", nil).raw, token(h))
	})
	go func() {
		defer close(changed)
		<-asked
		w.serving("mine")
	}()
	w.next(w.listen("col", "session=s"), "good-bye", func(e told) bool {
		assert.NotContains(t, []string{"reset", "ping"}, e.name)
		assert.NotContains(t, e.data, token(h))
		return e.name == "bye"
	})
	again := w.next(w.listen("col", "session=s"), "who he is now", named("reset"))
	assert.NotContains(t, again.data, token(h))
}

// TestQueuesChangeWhilePolling is the same for a page that gets no stream: what it
// waits for when its agent changes is not for him any more.
func TestQueuesChangeWhilePolling(t *testing.T) {
	var asked atomic.Int32
	w := newWorld(t, func(c *desk.Config) {
		auth := c.Auth
		c.Auth = func(r *http.Request) (desk.Actor, error) {
			a, err := auth(r)
			if r.URL.Query().Get("wait") != "" {
				asked.Add(1)
			}
			return a, err
		}
	})
	w.serving("mine", "list")
	at, err := w.poll(t.Context(), "col", "session=s")
	require.NoError(t, err)
	require.Equal(t, "reset", at.Events[0].Event)
	answer := make(chan batch, 1)
	go func() {
		got, err := w.poll(t.Context(), "col", "session=s&wait=20&after="+at.Cursor)
		assert.NoError(t, err)
		answer <- got
	}()
	w.until("the page asks", func() bool { return asked.Load() > 0 })
	w.actor("col", &desk.Actor{ID: "col", Name: "Colleague", Role: desk.Agent, Queues: []string{"mine"}})
	h := w.waiting("unknown", "list")
	got := <-answer
	for _, e := range got.Events {
		assert.NotContains(t, string(e.Data), token(h))
	}
	next, err := w.poll(t.Context(), "col", "session=s&after="+got.Cursor)
	require.NoError(t, err)
	require.Len(t, next.Events, 1)
	assert.Equal(t, "reset", next.Events[0].Event)
	assert.NotContains(t, string(next.Events[0].Data), token(h))
}

// TestTeamSaysWhoServesWhat: boards are told of another queue, another skill and
// of who has gone, whoever changed it, and each no more than it may know.
func TestTeamSaysWhoServesWhat(t *testing.T) {
	w := newWorld(t)
	w.actor("lead", &desk.Actor{ID: "lead", Role: desk.Supervisor, Queues: []string{"mine"}})
	w.actor("chief", &desk.Actor{ID: "chief", Role: desk.Admin})
	require.Contains(t, w.call("chief", http.MethodGet, "api/team", nil).raw, `"id":"col"`)
	lead, chief := w.listen("lead", "session=l"), w.listen("chief", "session=c")
	w.next(lead, "reset", named("reset"))
	w.next(chief, "reset", named("reset"))
	type teamEvent struct {
		Team []struct {
			ID     string
			Queues []string
			Skills map[string]int
		}
		Gone []string
	}
	next := func(c <-chan told) (e teamEvent) {
		t.Helper()
		require.NoError(t, json.Unmarshal([]byte(w.next(c, "of the team", named("team")).data), &e))
		return e
	}
	w.serving("theirs")
	assert.Equal(t, []string{"col"}, next(lead).Gone)
	e := next(chief)
	require.Len(t, e.Team, 1)
	assert.Equal(t, []string{"theirs"}, e.Team[0].Queues)
	assert.Empty(t, e.Gone)

	put := w.engine.Directory().(handoff.DirectoryWriter).Put
	require.NoError(t, put(t.Context(), handoff.Agent{ID: "col", Name: "Colleague", Queues: []string{"mine"}, Skills: map[string]int{"dutch": 2}, Seats: 50}))
	for _, c := range []<-chan told{lead, chief} {
		e := next(c)
		require.Len(t, e.Team, 1)
		assert.Equal(t, []string{"mine"}, e.Team[0].Queues)
		assert.Equal(t, map[string]int{"dutch": 2}, e.Team[0].Skills)
	}
	require.NoError(t, put(t.Context(), handoff.Agent{ID: "col", Name: "Colleague", Queues: []string{"mine"}, Skills: map[string]int{"dutch": 3}, Seats: 50}))
	assert.Equal(t, map[string]int{"dutch": 3}, next(chief).Team[0].Skills)
	next(lead)

	require.Equal(t, http.StatusNoContent, w.call("chief", http.MethodDelete, "api/agents/col", nil).status)
	assert.Equal(t, []string{"col"}, next(lead).Gone)
	assert.Equal(t, []string{"col"}, next(chief).Gone)
}

// TestQueuesChangeElsewhere: where another process or the host itself changes an
// agent, his pages are told when the team is looked at next, not at the next ping.
func TestQueuesChangeElsewhere(t *testing.T) {
	w := newWorld(t)
	w.call("admin", http.MethodGet, "api/team", nil)
	c := w.listen("col", "session=s")
	w.next(c, "reset", named("reset"))
	w.actor("col", &desk.Actor{ID: "col", Name: "Colleague", Role: desk.Agent, Queues: []string{"theirs"}})
	put := w.engine.Directory().(handoff.DirectoryWriter).Put
	require.NoError(t, put(t.Context(), handoff.Agent{ID: "col", Name: "Colleague", Queues: []string{"theirs"}, Seats: 50}))
	w.until("somebody looks", func() bool {
		return strings.Contains(w.call("admin", http.MethodGet, "api/team", nil).raw, `"id":"col","name":"Colleague","queues":["theirs"]`)
	})
	h := w.waiting("unknown", "mine")
	w.next(c, "good-bye", func(e told) bool {
		assert.NotContains(t, e.data, token(h))
		return e.name == "bye"
	})
}

// A slowDirectory gives what it has read for a request away when it is told to; the
// engine reads it by itself too.
type slowDirectory struct {
	*memstore.Directory
	mu   sync.Mutex
	hold chan struct{} // the next list waits for it
	read chan struct{} // closed when that one has been read
}

func (d *slowDirectory) List(ctx context.Context, queue string) ([]handoff.Agent, error) {
	list, err := d.Directory.List(ctx, queue)
	if ctx.Value(http.ServerContextKey) == nil {
		return list, err
	}
	d.mu.Lock()
	hold, read := d.hold, d.read
	d.hold = nil
	d.mu.Unlock()
	if hold != nil {
		close(read)
		<-hold
	}
	return list, err
}

// TestOlderTeamLoses: a look at the team that began before a change, and is slow,
// is answered after one that began later. What it has read is old: nobody is told
// of it, nor given it.
func TestOlderTeamLoses(t *testing.T) {
	d := &slowDirectory{Directory: memstore.NewDirectory(
		handoff.Agent{ID: "me", Name: "Me", Queues: []string{"mine"}, Seats: 50}, handoff.Agent{ID: "col", Name: "Before", Queues: []string{"mine"}, Seats: 50},
	)}
	w := newWorldOf(t, func(c *handoff.Config) { c.Directory = d })
	name := func(raw string) string {
		_, after, _ := strings.Cut(raw, `"id":"col","name":"`)
		s, _, _ := strings.Cut(after, `"`)
		return s
	}
	require.Equal(t, "Before", name(w.call("admin", http.MethodGet, "api/team", nil).raw))
	hold, read := make(chan struct{}), make(chan struct{})
	d.mu.Lock()
	d.hold, d.read = hold, read
	d.mu.Unlock()
	slow := make(chan string, 1)
	go func() {
		for { // until what was read before is too old
			got, err := w.get(t.Context(), "admin", "api/team")
			select {
			case <-read:
				assert.NoError(t, err)
				slow <- got
				return
			default:
			}
		}
	}()
	<-read
	got := w.call("admin", http.MethodPut, "api/agents/col", handoff.Agent{Name: "After", Queues: []string{"mine"}, Seats: 50})
	require.Equal(t, http.StatusOK, got.status, got.raw)
	c := w.listen("admin", "session=s")
	w.next(c, "reset", named("reset"))
	close(hold)
	assert.Equal(t, "After", name(<-slow), "it is answered with what is known by then")
	assert.Equal(t, "After", name(w.call("admin", http.MethodGet, "api/team", nil).raw))
	w.online("me", true)
	e := w.next(c, "of the team", named("team"))
	assert.NotContains(t, e.data, `"id":"col"`, "nothing was told of him meanwhile")
}
