package desk_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// What two people edit at once is not lost: the second is refused, told how it
// is by now, and may then replace that. Who does not say what he was shown
// replaces whatever there is. The lists of others hear of it.
func TestEditedMeanwhile(t *testing.T) {
	a, err := automate.New(nil, automate.Options{Keep: automate.NewRules()})
	require.NoError(t, err)
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Queues[1].Hours = memstore.NewHours(handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"09:00-17:00"}}})
	}, func(c *desk.Config) { c.Automations = a })
	other, agent := w.listen("admin", "session=other"), w.listen("agent", "session=agent")
	w.next(other, "reset", named("reset"))
	w.next(agent, "reset", named("reset"))
	type values = map[string]any
	rule := func(note string) values { return values{"button": "B", "do": []values{{"note": note}}} }
	week := func(span string) values { return values{"days": map[string][]string{"mon": {span}}} }
	for _, x := range []struct {
		path, list     string
		one, two, last values
	}{
		{"agents/new", "agents", values{"name": "One", "seats": 1}, values{"name": "Two", "seats": 2}, values{"name": "Three", "seats": 3}},
		{"replies/new", "replies", values{"text": "one"}, values{"text": "two"}, values{"text": "three"}},
		{"rules/new", "rules", rule("one"), rule("two"), rule("three")},
		{"hours/theirs", "hours", week("09:00-10:00"), week("09:00-11:00"), week("09:00-12:00")},
	} {
		put := func(v, was any) reply {
			t.Helper()
			body := maps.Clone(v.(values)) //nolint:forcetypeassert // all are
			if was != false {
				body["was"] = was
			}
			return w.call("admin", http.MethodPut, "api/"+x.path, body)
		}
		// shown is what a page has of it, with all that its list says.
		shown := func() any {
			t.Helper()
			var lists map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(w.call("admin", http.MethodGet, "api/"+x.list, nil).raw), &lists))
			var list []values
			require.NoError(t, json.Unmarshal(lists[x.list], &list))
			i := slices.IndexFunc(list, func(v values) bool { return v["id"] == "new" || v["name"] == "new" || v["queue"] == "theirs" })
			if i < 0 {
				return nil
			}
			if x.list == "hours" {
				return list[i]["hours"]
			}
			return list[i]
		}
		require.Equal(t, http.StatusOK, put(x.one, shown()).status, x.path)
		was := shown()
		require.Equal(t, http.StatusOK, put(x.two, was).status, x.path)
		now := w.call("admin", http.MethodGet, "api/"+x.list, nil).raw
		for _, old := range []any{was, nil} {
			got := put(x.last, old)
			require.Equal(t, http.StatusConflict, got.status, got.raw)
			assert.Equal(t, "changed", got.body["code"])
			assert.Equal(t, now, w.call("admin", http.MethodGet, "api/"+x.list, nil).raw, "%s is as it was", x.path)
			require.Equal(t, http.StatusOK, put(x.two, got.body["now"]).status, "%s: what he was told is what there is", x.path)
		}
		require.Equal(t, http.StatusOK, put(x.one, false).status, "%s: who does not ask replaces it", x.path)
		assert.Equal(t, http.StatusBadRequest, put(x.two, "nonsense").status, x.path)
		if x.list != "agents" { // of whom the team's event tells
			w.next(other, "the others hear of it", func(e told) bool {
				return e.name == "edited" && strings.Contains(e.data, `"`+x.list+`"`)
			})
		}
		if x.list == "hours" {
			continue
		}
		was = shown()
		require.Less(t, w.call("admin", http.MethodDelete, "api/"+x.path, nil).status, 300)
		assert.Equal(t, http.StatusNotFound, put(x.two, was).status, "%s: it was removed", x.path)
	}
	w.waiting("after", "mine")
	replies := 0
	w.next(agent, "who does not manage hears of what agents see alone", func(e told) bool {
		if e.name == "edited" {
			require.Contains(t, e.data, `"replies"`)
			replies++
		}
		return e.name == "rows" && strings.Contains(e.data, "after")
	})
	assert.Positive(t, replies)

	colleague := w.listen("col", "session=col")
	w.next(colleague, "reset", named("reset"))
	own := w.call("agent", http.MethodPut, "api/replies/mine", values{"owner": "me", "text": "my own"})
	require.Equal(t, http.StatusOK, own.status, own.raw)
	w.waiting("later", "mine")
	w.next(agent, "of what is one's own hears whose it is", func(e told) bool { return e.name == "edited" })
	w.next(colleague, "and nobody else", func(e told) bool {
		require.NotEqual(t, "edited", e.name)
		return e.name == "rows" && strings.Contains(e.data, "later")
	})
}
