package desk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

var roles = []desk.Role{desk.Viewer, desk.Agent, desk.Supervisor, desk.Admin}

// TestDesk39Authorisation walks every route with every role and every relation
// that an actor can have to a handoff. What must happen follows from the table.
func TestDesk39Authorisation(t *testing.T) {
	w := newMatrix(t)
	list := subjects(w)
	cells := 0
	for _, rt := range desk.Routes() {
		if rt.Path == "api/events" || rt.Path == "api/changes" {
			continue // TestDesk39Connections, and what they get is in TestDesk39Events
		}
		for _, role := range roles {
			if !strings.Contains(rt.Path, "{id}") {
				path := strings.ReplaceAll(strings.ReplaceAll(rt.Path, "export/{name}", "export/csv"), "{name}", "nobody")
				got := w.call(role.String(), rt.Method, path, body(rt.Method))
				cells++
				if desk.Allowed(rt.Need, role) == desk.Nothing {
					assert.Equal(t, http.StatusForbidden, got.status, "%s %s as %s", rt.Method, path, role)
				} else if rt.Path != "api/replies/{name}" {
					assert.NotContains(t, []int{http.StatusForbidden, http.StatusUnauthorized}, got.status, "%s %s as %s: %s", rt.Method, path, role, got.raw)
				}
				assert.Less(t, got.status, 500, "%s %s as %s: %s", rt.Method, path, role, got.raw)
				continue
			}
			for _, s := range list {
				got := w.call(role.String(), rt.Method, strings.ReplaceAll(rt.Path, "{id}", s.id), body(rt.Method))
				cells++
				where := fmt.Sprintf("%s %s as %s on %s: %d %s", rt.Method, rt.Path, role, s.name, got.status, got.raw)
				may := reaches(knows(s.state), role, s) && reaches(rt.Need, role, s) || rt.Either != "" && reaches(rt.Either, role, s)
				if rt.Reads {
					may = reaches(reading(s.state), role, s)
				}
				switch {
				case may:
					assert.NotContains(t, []int{http.StatusNotFound, http.StatusForbidden}, got.status, where)
					assert.NotEqual(t, "not_owner", got.body["code"], where)
				case !reaches(knows(s.state), role, s):
					assert.Equal(t, http.StatusNotFound, got.status, "it does not exist for him: "+where)
				default:
					assert.Contains(t, []int{http.StatusForbidden, http.StatusConflict}, got.status, where)
				}
				if !may {
					assert.NotContains(t, got.raw, "hello from", "no content: "+where)
				}
				if desk.Allowed(desk.Past, role) < desk.Everything {
					assert.NotContains(t, got.raw, "canary-before", "what colleagues said of it in another queue: "+where)
				}
				assert.Less(t, got.status, 500, where)
			}
		}
	}
	t.Logf("%d cells", cells)
	assert.Greater(t, cells, 3000)
	for _, s := range list {
		now, err := w.engine.Get(t.Context(), s.handoff.ID)
		require.NoError(t, err)
		assert.Equal(t, s.state, now.State, "no call without a body had an effect: %s", s.name)
	}
}

// body is one that passes no verb: permissions are checked before it is read.
func body(method string) any {
	if method == http.MethodGet {
		return nil
	}
	return map[string]any{}
}

// TestDesk39Events changes handoffs of every relation and looks at what each
// role gets, by the stream and by the long poll.
func TestDesk39Events(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"stream", "poll"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			eventsOfAllRoles(t, how)
		})
	}
}

func eventsOfAllRoles(t *testing.T, how string) {
	w := newMatrix(t)
	w.actor("far", &desk.Actor{ID: "far", Role: desk.Admin})
	list := subjects(w)
	streams := map[desk.Role]<-chan told{}
	for _, role := range roles {
		if how == "poll" {
			streams[role] = w.polled(role.String(), "s"+role.String())
			continue
		}
		c := w.listen(role.String(), "session=s"+role.String())
		w.next(c, "hello", named("hello"))
		w.next(c, "reset", named("reset"))
		streams[role] = c
	}
	w.until("the desk has read all that is open", func() bool {
		all := w.call("far", http.MethodGet, "api/snapshot", nil).raw
		return !slices.ContainsFunc(list, func(s subject) bool {
			return s.state != handoff.StateEnded && !strings.Contains(all, fmt.Sprintf("%q", s.id))
		})
	})
	// Who may read it opens it; who may not is refused, and tries to get the
	// events all the same.
	for _, role := range roles {
		for _, s := range list {
			if s.state == handoff.StateEnded {
				continue
			}
			got := w.call(role.String(), http.MethodPost, "api/viewing",
				map[string]string{"session": "s" + role.String(), "tab": s.id, "id": s.id})
			if desk.Allowed(desk.Rows, role) > desk.Nothing && reaches(reading(s.state), role, s) {
				assert.Equal(t, http.StatusOK, got.status, "%s %s: %s", role, s.name, got.raw)
			} else {
				assert.NotEqual(t, http.StatusOK, got.status, "%s %s", role, s.name)
			}
		}
	}
	for _, s := range list {
		_, err := w.engine.Note(t.Context(), s.handoff.ID, handoff.BySupervisor("boss"), "canary of "+s.id)
		require.NoError(t, err)
		w.desk.UserTyping(s.handoff.ID.Conversation, true)
		// A draft is its writer's: of two who may, each gets his own.
		for who, text := range map[string]string{"admin": "draft of me", "far": "draft of far"} {
			w.call(who, http.MethodPut, "api/handoffs/"+s.id+"/draft", map[string]any{"mode": "note", "text": text + " " + s.id})
		}
		w.call("far", http.MethodPost, "api/viewing", map[string]string{"session": "far", "tab": s.id, "id": s.id})
		if s.state == handoff.StateActive { // only whoever has it is told what he has read
			w.call("agent", http.MethodPut, "api/handoffs/"+s.id+"/seen", map[string]int64{"at": 1000})
			w.call("far", http.MethodPut, "api/handoffs/"+s.id+"/seen", map[string]int64{"at": 2000})
		}
	}
	// Told is what changes for those who have read who is there.
	require.Equal(t, http.StatusOK, w.call("admin", http.MethodGet, "api/team", nil).status)
	w.online("far", false)
	require.Equal(t, http.StatusOK, w.call("admin", http.MethodPut, "api/replies/new", map[string]string{"text": "x"}).status)
	heard := map[desk.Role][]told{}
	until := func(role desk.Role, what string, f func(told) bool) {
		w.next(streams[role], what+" for "+role.String(), func(e told) bool {
			heard[role] = append(heard[role], e)
			return f(e)
		})
	}
	until(desk.Admin, "who comes and goes", func(e told) bool { return e.name == "team" && strings.Contains(e.data, `"id":"far"`) })
	// Changes the counts, and comes last: never before did so many wait there.
	waiting := 0
	for _, s := range list {
		if s.handoff.Need.Queue == "mine" && (s.state == handoff.StateWaiting || s.state == handoff.StateOffered) {
			waiting++
		}
	}
	w.waiting("extra", "mine")
	w.waiting("last", "mine")
	for _, role := range roles {
		until(role, "counts of the last change", func(e told) bool {
			return e.name == "queues" && strings.Contains(e.data, fmt.Sprintf(`"name":"mine","waiting":%d`, waiting+2))
		})
		got := heard[role]
		var rows, entries []string
		others := map[string][]string{}
		for _, e := range got {
			others[e.name] = append(others[e.name], e.data)
			switch e.name {
			case "rows":
				// What is gone from a list was known before: late news of how the
				// subjects came to be.
				var told struct{ Rows json.RawMessage }
				require.NoError(t, json.Unmarshal([]byte(e.data), &told))
				rows = append(rows, string(told.Rows))
			case "entries":
				entries = append(entries, e.data)
			}
		}
		for _, s := range list {
			quoted := fmt.Sprintf("%q", s.id)
			mentions := func(list []string) bool {
				return slices.ContainsFunc(list, func(d string) bool { return strings.Contains(d, quoted) })
			}
			assert.Equal(t, reaches(knows(s.state), role, s), mentions(rows), "rows of %s for %s", s.name, role)
			if s.state != handoff.StateEnded {
				assert.Equal(t, desk.Allowed(desk.Rows, role) > desk.Nothing && reaches(reading(s.state), role, s), mentions(entries),
					"entries of %s for %s", s.name, role)
			}
			for _, name := range []string{"typing", "viewing", "draft"} {
				may := s.state != handoff.StateEnded && desk.Allowed(desk.Rows, role) > desk.Nothing && reaches(reading(s.state), role, s)
				assert.Equal(t, may, mentions(others[name]), "%s of %s for %s", name, s.name, role)
			}
			canary := "canary of " + s.id
			all := strings.Join(append(rows, entries...), "")
			if !reaches(reading(s.state), role, s) {
				assert.NotContains(t, all, canary+`"`, "content of %s for %s", s.name, role)
			}
		}
		assert.NotContains(t, strings.Join(others["draft"], ""), "draft of far", "another's draft")
		assert.NotContains(t, strings.Join(others["seen"], ""), `"id":"1.cols"`, "what another has read")
		if role == desk.Admin {
			for name, right := range eventRights {
				assert.True(t, right == "control" || len(others[name]) > 0, "%s was never told", name)
			}
		}
		for name := range others {
			assert.Contains(t, eventRights, name, "an event that this test does not know")
		}
		for _, d := range others["team"] {
			assert.True(t, desk.Allowed(desk.Team, role) > desk.Nothing, d)
			if desk.Allowed(desk.Team, role) < desk.Everything {
				assert.NotContains(t, d, `"id":"far"`, "who serves another queue, for %s", role)
			}
		}
		// The desk may still have been counting when the pages came.
		every := desk.Allowed(desk.Figures, role) == desk.Everything
		for i, d := range others["queues"] {
			if theirs := strings.Contains(d, `"theirs"`); theirs || i == len(others["queues"])-1 {
				assert.Equal(t, every, theirs, "counts of another queue: %s for %s", d, role)
			}
		}
	}
}

// Whoever says something that no name stands beside in the log is named: as Auth
// calls him, else as the Directory does.
func TestEntriesNameEverybody(t *testing.T) {
	w := newWorld(t)
	h := w.held("c", "mine", "me")
	require.NoError(t, w.engine.Directory().(handoff.DirectoryWriter).Put(t.Context(), handoff.Agent{ID: "elsewhere", Name: "Else Where", Seats: 1}))
	for _, id := range []string{"elsewhere", "unknown"} {
		_, err := w.engine.Whisper(t.Context(), h.ID, handoff.BySupervisor(id), "by "+id)
		require.NoError(t, err)
	}
	w.actor("guest", &desk.Actor{ID: "guest", Name: "Gus Guest", Role: desk.Admin})
	require.Equal(t, http.StatusOK, w.call("guest", http.MethodPost, "api/handoffs/"+token(h)+"/whisper", map[string]any{"op": "w", "text": "by guest"}).status)
	names := map[string]any{}
	for _, e := range w.call("agent", http.MethodGet, "api/handoffs/"+token(h)+"/log", nil).body["entries"].([]any) {
		line := e.(map[string]any)
		if text, ok := line["text"].(string); ok {
			names[text] = line["name"]
		}
	}
	assert.Equal(t, "Else Where", names["by elsewhere"])
	assert.Equal(t, "Gus Guest", names["by guest"])
	assert.Nil(t, names["by unknown"], "nobody can say")
}

// A Directory that does not answer costs a page one wait, not one for each line,
// and no line.
func TestEntriesWithoutTheDirectory(t *testing.T) {
	var asked atomic.Int64
	w := newWorldOf(t, func(c *handoff.Config) { c.Directory = silent{c.Directory, "ghost", &asked} })
	h := w.held("c", "mine", "me")
	for i := range 5 {
		_, err := w.engine.Whisper(t.Context(), h.ID, handoff.BySupervisor("ghost"), fmt.Sprint("boo ", i))
		require.NoError(t, err)
	}
	before := asked.Load()
	for range 2 {
		boos := 0
		for _, e := range w.call("agent", http.MethodGet, "api/handoffs/"+token(h)+"/log", nil).body["entries"].([]any) {
			line := e.(map[string]any)
			if text, _ := line["text"].(string); strings.HasPrefix(text, "boo") {
				boos++
				assert.Nil(t, line["name"])
			}
		}
		assert.Equal(t, 5, boos)
	}
	assert.Equal(t, before+1, asked.Load())
}

// silent is a Directory that does not answer when it is asked for somebody.
type silent struct {
	handoff.Directory
	who   string
	asked *atomic.Int64
}

func (d silent) Get(ctx context.Context, id string) (handoff.Agent, error) {
	if id != d.who {
		return d.Directory.Get(ctx, id)
	}
	d.asked.Add(1)
	<-ctx.Done()
	return handoff.Agent{}, ctx.Err()
}

// The right to read ends with a take-over: the page is told, and gets no more.
func TestDesk21RightEnds(t *testing.T) {
	w := newWorld(t)
	h := w.held("c", "mine", "me")
	c := w.listen("agent", "session=s")
	w.next(c, "reset", named("reset"))
	require.Equal(t, http.StatusOK, w.call("agent", http.MethodPost, "api/viewing", map[string]string{"session": "s", "tab": "t", "id": token(h)}).status)
	_, err := w.engine.Send(t.Context(), h.ID, handoff.By("me"), handoff.Message{Text: "one"})
	require.NoError(t, err)
	w.next(c, "entry", func(e told) bool { return e.name == "entries" && strings.Contains(e.data, `"one"`) })
	_, err = w.engine.TakeOver(t.Context(), h.ID, handoff.BySupervisor("col"), "")
	require.NoError(t, err)
	w.next(c, "it is the colleague's", func(e told) bool { return e.name == "rows" && strings.Contains(e.data, `"agent":"col"`) })
	_, err = w.engine.Send(t.Context(), h.ID, handoff.By("col"), handoff.Message{Text: "secret"})
	require.NoError(t, err)
	got := w.next(c, "the row goes on", func(e told) bool {
		assert.NotContains(t, e.data, "secret")
		return e.name == "rows"
	})
	assert.NotContains(t, got.data, "secret")
	assert.Equal(t, http.StatusForbidden, w.call("agent", http.MethodGet, "api/handoffs/"+token(h)+"/log", nil).status)
	assert.Equal(t, http.StatusConflict, w.call("agent", http.MethodPost, "api/handoffs/"+token(h)+"/messages",
		map[string]any{"id": "x", "text": "mine?"}).status)
}
