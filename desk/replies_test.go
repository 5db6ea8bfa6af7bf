package desk_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/desk"
)

// Prepared replies are those of package canned: everybody's, a queue's and
// one's own; what is off is seen by those who can switch it on; what is broken
// is refused by field.
func TestReplies(t *testing.T) {
	kept, err := canned.New(
		canned.Reply{Name: "all", Text: "Hello {user}"},
		canned.Reply{Name: "ours", Text: "x", Queue: "mine"},
		canned.Reply{Name: "theirs", Text: "x", Queue: "theirs"},
		canned.Reply{Name: "col", Text: "x", Owner: "col"},
		canned.Reply{Name: "me", Text: "x", Owner: "me", Off: true},
		canned.Reply{Name: "off", Text: "x", Off: true},
	)
	require.NoError(t, err)
	w := newWorld(t, func(c *desk.Config) { c.Replies = kept })
	names := func(actor string) (out []any) {
		t.Helper()
		got := w.call(actor, http.MethodGet, "api/replies", nil)
		require.Equal(t, http.StatusOK, got.status)
		list, _ := got.body["replies"].([]any)
		for _, r := range list {
			m, _ := r.(map[string]any)
			out = append(out, m["name"])
		}
		return out
	}
	require.ElementsMatch(t, []any{"all", "ours", "me"}, names("agent"))
	require.ElementsMatch(t, []any{"all", "ours", "col"}, names("col"))
	require.ElementsMatch(t, []any{"all", "ours", "me", "off"}, names("admin"))

	put := func(actor, name string, r canned.Reply) reply {
		t.Helper()
		return w.call(actor, http.MethodPut, "api/replies/"+name, r)
	}
	require.Equal(t, http.StatusOK, put("agent", "new", canned.Reply{Text: "{queue}", Owner: "me"}).status)
	require.Equal(t, http.StatusForbidden, put("agent", "new", canned.Reply{Text: "x"}).status)
	require.Equal(t, http.StatusForbidden, put("admin", "new", canned.Reply{Text: "x", Owner: "col"}).status)
	for want, r := range map[string]canned.Reply{
		"text":     {Text: "Dear {customer}"},
		"queue":    {Text: "x", Queue: "nowhere"},
		"category": {Text: "x", Category: "\x01"},
	} {
		got := put("admin", "bad", r)
		require.Equal(t, http.StatusUnprocessableEntity, got.status)
		require.Equal(t, want, got.body["field"])
	}
	require.NotContains(t, names("admin"), "bad")
}
