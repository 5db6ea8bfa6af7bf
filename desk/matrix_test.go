package desk_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// rights says once more, beside the routes themselves, what each takes: a
// permission, two of which one will do, or "read" for the right to read the
// handoff as it is. Whoever adds a route says it here too.
var rights = map[string]string{
	"GET api/snapshot": "figures", "GET api/events": "figures", "GET api/changes": "figures", "GET api/board": "figures",
	"GET api/stats": "figures", "GET api/words/{name}": "figures",
	"GET api/team": "team", "GET api/queues": "team",
	"GET api/handoffs": "rows", "POST api/viewing": "rows", "GET api/handoffs/{id}/why": "rows",
	"GET api/replies": "rows", "PUT api/replies/{name}": "rows", "DELETE api/replies/{name}": "rows", // and whose it is
	"GET api/past": "past", "GET api/export/{name}": "export",

	"GET api/handoffs/{id}": "to read it", "GET api/handoffs/{id}/log": "to read it", "GET api/handoffs/{id}/before": "to read it",
	"GET api/handoffs/{id}/contact": "to read it", "GET api/handoffs/{id}/summary": "to read it", "PUT api/handoffs/{id}/seen": "to read it",

	"POST api/handoffs/{id}/accept": "answer", "POST api/handoffs/{id}/decline": "answer",
	"GET api/handoffs/{id}/suggestions": "work", "POST api/handoffs/{id}/messages": "work", "POST api/handoffs/{id}/typing": "work",
	"POST api/handoffs/{id}/hold": "work", "POST api/handoffs/{id}/resume": "work", "POST api/handoffs/{id}/extend": "work",
	"POST api/handoffs/{id}/video":    "work",
	"GET api/handoffs/{id}/targets":   "work or direct",
	"POST api/handoffs/{id}/transfer": "work or direct", "POST api/handoffs/{id}/take-back": "work or direct", "POST api/handoffs/{id}/requeue": "work or direct",
	"POST api/handoffs/{id}/return": "work or direct", "POST api/handoffs/{id}/end": "work or direct", "POST api/handoffs/{id}/run": "work or direct",
	"PUT api/handoffs/{id}/draft": "note", "POST api/handoffs/{id}/notes": "note", "POST api/handoffs/{id}/tags": "note",
	"POST api/handoffs/{id}/whisper": "whisper", "POST api/handoffs/{id}/join": "join",
	"POST api/handoffs/{id}/takeover": "direct", "POST api/handoffs/{id}/assign": "direct", "PUT api/agents/{name}/presence": "direct",

	"PUT api/presence": "present", "POST api/presence/beat": "present", "POST api/presence/leave": "present",

	"GET api/agents": "manage", "PUT api/agents/{name}": "manage", "DELETE api/agents/{name}": "manage",
	"GET api/rules": "manage", "PUT api/rules/{name}": "manage", "DELETE api/rules/{name}": "manage",
	"GET api/hours": "manage", "PUT api/hours/{name}": "manage",
}

// eventRights says the same of what is pushed. Control is of the connection and
// holds nothing of anybody.
var eventRights = map[string]string{
	"hello": "control", "reset": "control", "ping": "control", "bye": "control",
	"rows": "to know of it", "queues": "figures", "team": "team", "edited": "to see the list", "seen": "one's own", "draft": "one's own, open",
	"entries": "to read it, open", "typing": "to read it, open", "viewing": "to read it, open",
}

// A route or an event without a row in these tables is one that nobody thought
// about; one whose row says something else is one that changed by mistake.
func TestDesk39EveryRouteHasARow(t *testing.T) {
	routes := map[string]string{}
	for _, rt := range desk.Routes() {
		need := string(rt.Need)
		if rt.Either != "" {
			need += " or " + string(rt.Either)
		}
		if rt.Reads {
			assert.Empty(t, need, rt.Path)
			need = "to read it"
		}
		assert.NotEmpty(t, need, "%s %s is open to everybody who signs in", rt.Method, rt.Path)
		routes[rt.Method+" "+rt.Path] = need
	}
	assert.Equal(t, rights, routes)
}

func TestDesk39EveryEventHasARow(t *testing.T) {
	said := regexp.MustCompile(`event\{name: "(\w+)"|\.event\([^"]*?(?:"", )?"(\w+)"|told\{\{"(\w+)"`)
	found := map[string]bool{}
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			found[m[1]+m[2]+m[3]] = true
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(eventRights)), slices.Collect(maps.Keys(found)))
}

// Whoever did not sign in gets nothing but the assets and whether it runs; a
// page is the same for every role, and holds what its actor may do.
func TestDesk39Strangers(t *testing.T) {
	w := newWorld(t)
	h := w.held("own", "mine", "me")
	for _, rt := range desk.Routes() {
		path := strings.NewReplacer("{id}", token(h), "{name}", "csv").Replace(rt.Path)
		got := w.call("stranger", rt.Method, path, body(rt.Method))
		assert.Equal(t, http.StatusUnauthorized, got.status, "%s %s: %s", rt.Method, path, got.raw)
		assert.NotContains(t, got.raw, "hello from")
	}
	asset := ""
	for _, path := range desk.Pages() {
		path = strings.ReplaceAll(path, "{id}", token(h))
		assert.Equal(t, http.StatusUnauthorized, w.call("stranger", http.MethodGet, path, nil).status, path)
		for _, role := range roles {
			got := w.call(role.String(), http.MethodGet, path, nil)
			assert.Equal(t, http.StatusOK, got.status, "%s as %s", path, role)
			assert.NotContains(t, got.raw, "hello from", "%s as %s", path, role)
			for _, p := range desk.Permissions() {
				_, can, _ := strings.Cut(got.raw, `"can":[`)
				can, _, _ = strings.Cut(can, "]")
				assert.Equal(t, desk.Allowed(p, role) > desk.Nothing, strings.Contains(can, fmt.Sprintf("%q", p)), "%s as %s: %s", path, role, p)
			}
			if asset == "" {
				asset = regexp.MustCompile(`assets/\w+/desk\.js`).FindString(got.raw)
			}
		}
	}
	assert.Equal(t, http.StatusOK, w.call("stranger", http.MethodGet, "healthz", nil).status)
	assert.Equal(t, http.StatusOK, w.call("stranger", http.MethodGet, asset, nil).status)
}

// TestDesk39Connections opens the stream and the long poll with every role.
func TestDesk39Connections(t *testing.T) {
	w := newWorld(t)
	for _, role := range roles {
		got := w.call(role.String(), http.MethodGet, "api/changes?wait=0", nil)
		assert.Equal(t, http.StatusOK, got.status, "%s: %s", role, got.raw)
		w.next(w.listen(role.String(), "session="+role.String()), "hello", named("hello"))
	}
}

// TestDesk39Lists looks in every list of every role for every relation that a
// handoff can have to him: what he may know of is there, and nothing else.
func TestDesk39Lists(t *testing.T) {
	w := newMatrix(t)
	w.actor("far", &desk.Actor{ID: "far", Role: desk.Admin})
	list := subjects(w)
	shows := func(raw string, s subject) bool { return strings.Contains(raw, fmt.Sprintf("%q", s.id)) }
	w.until("the desk has read all that is open", func() bool {
		all := w.call("far", http.MethodGet, "api/snapshot", nil).raw
		return !slices.ContainsFunc(list, func(s subject) bool {
			return s.state != handoff.StateEnded && !shows(all, s)
		})
	})
	for _, role := range roles {
		get := func(path string) string {
			got := w.call(role.String(), http.MethodGet, path, nil)
			if got.status == http.StatusForbidden {
				return ""
			}
			require.Equal(t, http.StatusOK, got.status, "%s as %s: %s", path, role, got.raw)
			return got.raw
		}
		snapshot, past := get("api/snapshot"), get("api/past")
		var open, exports strings.Builder
		for _, name := range []string{"new", "mine", "others", "bot"} {
			open.WriteString(get("api/handoffs?list=" + name))
		}
		for _, name := range []string{"csv", "ndjson", "html", "txt"} {
			exports.WriteString(get("api/export/" + name))
		}
		assert.NotContains(t, open.String(), "null", "rows that %s may not see are counted", role)
		for _, s := range list {
			where := fmt.Sprintf("%s for %s", s.name, role)
			over := s.state == handoff.StateEnded || s.state == handoff.StateWrapup
			stands := s.state != handoff.StateEnded // in a list of what is open
			knows := reaches(knows(s.state), role, s)
			assert.Equal(t, knows && stands, shows(snapshot, s), "snapshot: %s", where)
			assert.Equal(t, knows && stands && desk.Allowed(desk.Rows, role) > desk.Nothing, shows(open.String(), s), "lists: %s", where)
			assert.Equal(t, knows && over, shows(past, s), "past: %s", where)
			if s.handoff.ID.Number == 1 { // else what was before it is over
				assert.Equal(t, knows && over && reaches(desk.Export, role, s),
					regexp.MustCompile("User of "+s.handoff.ID.Conversation+`\b`).MatchString(exports.String()), "exports: %s", where)
			}
			if !over && !reaches(reading(s.state), role, s) { // whose conversation is over has begun another with the bot
				words := "hello from " + s.handoff.ID.Conversation + `"`
				assert.NotContains(t, snapshot+open.String()+past, words, "content: %s", where)
			}
		}
		for _, path := range []string{"api/board", "api/team", "api/queues", "api/stats", "api/snapshot"} {
			everything := desk.Allowed(desk.Figures, role) == desk.Everything
			raw := get(path)
			if raw != "" && !everything {
				if path == "api/snapshot" { // it has rows of what is his there
					raw = strings.ReplaceAll(raw, `"queue":"theirs"`, "")
				}
				assert.NotContains(t, raw, `"theirs"`, "%s tells %s of another queue", path, role)
				assert.NotContains(t, raw, `"far"`, "%s tells %s who serves another queue", path, role)
			}
		}
	}
}

// polled passes on what a long poll gets, as listen does of a stream, until the
// test ends.
func (w *world) polled(actor, session string) <-chan told {
	w.Helper()
	out := make(chan told, 10_000)
	first := w.call(actor, http.MethodGet, "api/changes?wait=0&session="+session, nil)
	require.Equal(w, http.StatusOK, first.status, first.raw)
	ctx, stop := context.WithCancel(w.Context())
	w.Cleanup(stop)
	go func() {
		defer close(out)
		cursor, _ := first.body["cursor"].(string)
		for ctx.Err() == nil {
			next, err := w.poll(ctx, actor, "session="+session+"&wait=2&after="+cursor)
			if err != nil {
				return // the test has ended, or waits for what does not come
			}
			cursor = next.Cursor
			for _, e := range next.Events {
				out <- told{name: e.Event, data: string(e.Data)}
			}
		}
	}()
	return out
}
