package desk_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

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

// TestWhyIsSaidInWords: a page has words for every cause that the engine names,
// in its reader's language, and is told what they are about.
func TestWhyIsSaidInWords(t *testing.T) {
	b, err := os.ReadFile("i18n/words.txt")
	require.NoError(t, err)
	words, err := desk.ParseWords(string(b))
	require.NoError(t, err)
	source, err := os.ReadFile("../cause.go")
	require.NoError(t, err)
	count := 0
	of, agents, _ := strings.Cut(string(source), "// Why an agent")
	for kind, text := range map[string]string{"why": of, "whynot": agents} {
		for _, m := range regexp.MustCompile(`CauseCode = "(.+)"`).FindAllStringSubmatch(text, -1) {
			count++
			for language := range words {
				assert.NotEmpty(t, words[language][kind+"."+m[1]], "%s: %s", language, m[1])
			}
		}
	}
	assert.Greater(t, count, 22)

	w := newWorldOf(t, func(c *handoff.Config) {
		c.Directory = handoff.Staff{{ID: "me", Queues: []string{"mine"}}, {ID: "col", Queues: []string{"mine"}, Skills: map[string]int{"card games": 1}}}
	})
	w.actor("boss", &desk.Actor{ID: "boss", Role: desk.Supervisor})
	got, err := w.engine.Request(w.Context(), handoff.Request{Conversation: "anna", Queue: "mine", Skills: []handoff.Skill{{Name: "card games"}}})
	require.NoError(t, err)
	w.online("me", true)
	told := w.call("boss", http.MethodGet, "api/handoffs/"+desk.Token(got.Handoff.ID)+"/why", nil).body
	assert.Equal(t, []any{map[string]any{"code": "none_can", "text": "nobody can take it now"}}, told["why"])
	assert.ElementsMatch(t, []any{
		map[string]any{"agent": "me", "there": "online", "why": []any{map[string]any{"code": "skill", "what": "card games", "text": "lacks card games"}}},
		map[string]any{"agent": "col", "there": "", "why": []any{map[string]any{"code": "offline", "text": "not online"}}},
	}, told["agents"])
}
