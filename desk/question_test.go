package desk_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// Whoever may read a conversation sees what the user is asked and has not
// answered yet, and the answers as the store has them, after Config.Redact.
func TestOpenQuestion(t *testing.T) {
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Queues[2].Intake = &handoff.Form{WhileWaiting: true, Fields: []handoff.Field{{Name: "card", Label: "Your card?"}, {Name: "order", Label: "Which order?"}, {Name: "shop"}}}
		c.Redact = func(_ context.Context, x handoff.Content) (handoff.Content, error) {
			for k, v := range x.Data {
				if v == "4111" {
					x.Data[k] = "****"
				}
			}
			if x.Text == "4111" {
				x.Text = "****"
			}
			return x, nil
		}
	})
	w.actor("reader", &desk.Actor{ID: "col", Role: desk.Agent, Queues: []string{"list"}})
	w.actor("counter", &desk.Actor{ID: "vic", Role: desk.Viewer, Queues: []string{"list"}})
	ctx := w.Context()
	got, err := w.engine.Request(ctx, handoff.Request{Conversation: "c", Queue: "list"})
	require.NoError(t, err)
	id := "1.c"
	asked := func(actor string) any {
		one := w.call(actor, http.MethodGet, "api/handoffs/"+id, nil)
		if one.status != http.StatusOK {
			return one.status
		}
		row, _ := one.body["row"].(map[string]any)
		return row["question"]
	}
	answer := func(message, text string) {
		_, err := w.engine.Receive(ctx, handoff.Incoming{Conversation: "c", ID: message, Text: text})
		require.NoError(t, err)
	}
	assert.Equal(t, "Your card?", asked("reader"))
	assert.Equal(t, http.StatusNotFound, asked("counter"))
	answer("1", "4111")
	assert.Equal(t, "Which order?", asked("reader"))
	answer("2", "4711")
	assert.Equal(t, "shop", asked("reader"), "a field without a label is named")
	one := w.call("reader", http.MethodGet, "api/handoffs/"+id, nil)
	assert.Equal(t, map[string]any{"card": "****", "order": "4711"}, one.body["answers"])
	log := w.call("reader", http.MethodGet, "api/handoffs/"+id+"/log", nil)
	assert.NotContains(t, one.raw+log.raw, "4111")
	w.until("the list says so, and not to those who only count", func() bool {
		return rowOf(w, "reader", id)["question"] == "shop"
	})
	assert.NotContains(t, w.call("counter", http.MethodGet, "api/snapshot", nil).raw, `"question"`)
	_, err = w.engine.TakeOver(ctx, got.Handoff.ID, handoff.BySupervisor("me"), "")
	require.NoError(t, err)
	w.actor("boss", &desk.Actor{ID: "boss", Role: desk.Supervisor})
	assert.Nil(t, asked("boss"), "who is talked to is asked no more")
}

// rowOf is a handoff in somebody's lists.
func rowOf(w *world, actor, id string) map[string]any {
	w.Helper()
	rows, _ := w.call(actor, http.MethodGet, "api/snapshot", nil).body["rows"].([]any)
	for _, x := range rows {
		if r, ok := x.(map[string]any); ok && r["id"] == id {
			return r
		}
	}
	return nil
}

// TestWhyIsSaidInWords: whatever the engine says of why a handoff waits, and of why
// somebody does not get it, a page has words for in its reader's language.
func TestWhyIsSaidInWords(t *testing.T) {
	b, err := os.ReadFile("i18n/words.txt")
	require.NoError(t, err)
	words, err := desk.ParseWords(string(b))
	require.NoError(t, err)
	const at = "2026-12-24T09:00:00Z"
	known := func(kind, text string) bool {
		list := desk.Causes(text)
		return len(list) > 0 && !slices.ContainsFunc(list, func(c desk.Cause) bool { return words["en"][kind+"."+c.Code] == "" })
	}
	count := 0
	for name, kind := range map[string]string{"../explain.go": "why", "../match.go": "whynot"} {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		said := regexp.MustCompile(`(?:out\.Why = |a\.Why = |return |append\(out, (?:s\.Name\+)?)"([a-z ][^"]+)"`)
		if kind == "whynot" {
			_, rest, _ := strings.Cut(string(source), "func (e *Engine) whyNot(")
			source = []byte(rest)
		}
		for _, m := range said.FindAllStringSubmatch(string(source), -1) {
			count++
			kind, text := kind, m[1]
			if strings.Contains(m[0], "a.Why") {
				kind = "whynot"
			}
			whole := []string{text, text + "x", text + "x is being opened", text + at, text + at + ": declined", "x" + text + "2"}
			assert.True(t, slices.ContainsFunc(whole, func(s string) bool { return known(kind, s) }), "%s: %q", name, text)
		}
	}
	assert.Greater(t, count, 22)
	want, err := time.Parse(time.RFC3339, at)
	require.NoError(t, err)
	assert.Equal(t, []desk.Cause{{Code: "again", At: want.UnixMilli(), Why: "declined", Text: "not again before " + at + ": declined"}}, desk.Causes("not again before "+at+": declined"))
	assert.Equal(t, []desk.Cause{
		{Code: "lacks", What: "card games", Text: "lacks card games"},
		{Code: "level", What: "refunds", Level: 2, Text: "refunds only at 2"},
		{Code: "speaks", What: "de", Text: "does not speak de"},
		{Code: "takes_no_video", Text: "takes no video"},
	}, desk.Causes("lacks card games, refunds only at 2, does not speak de, takes no video"))
	assert.Equal(t, []desk.Cause{{Code: "refused", Text: "refused before, and others are left"}}, desk.Causes("refused before, and others are left"))
	assert.Empty(t, desk.Causes(""))
}
