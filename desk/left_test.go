package desk_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// TestLeftMessages: a message that was left while nobody was there is found and
// read, with all that stood in its form, by those who serve its queue.
func TestLeftMessages(t *testing.T) {
	w := newWorld(t)
	w.ended("done", "mine", "me")
	w.left("dana", "mine")
	w.left("eve", "theirs")
	fay := w.waiting("fay", "mine")
	_, err := w.engine.LeaveMessage(t.Context(), fay.ID, "Call me", nil)
	require.NoError(t, err)
	_, err = w.engine.TakeOver(t.Context(), fay.ID, handoff.By("me"), "mine")
	require.NoError(t, err)
	_, err = w.engine.End(t.Context(), fay.ID, handoff.By("me"), handoff.Ending{})
	require.NoError(t, err)
	past := w.call("col", http.MethodGet, "api/past", nil).raw
	assert.Contains(t, past, `"id":"1.dana"`)
	assert.Contains(t, past, `"left":true`)
	assert.NotContains(t, past, "1.eve", "of another queue")
	assert.NotContains(t, past, "1.done", "a colleague had it")
	assert.NotContains(t, past, "1.fay", "a colleague had it, whatever was left")
	past = w.call("agent", http.MethodGet, "api/past?left=left", nil).raw
	assert.Contains(t, past, "1.dana")
	assert.NotContains(t, past, "1.done", "nothing was left in it")

	const words = `"text":"mail: dana@example.com\ntext: Please write to me."`
	log := w.call("col", http.MethodGet, "api/handoffs/1.dana/log", nil)
	assert.Contains(t, log.raw, words)
	assert.Equal(t, http.StatusOK, w.call("col", http.MethodPost, "api/handoffs/1.dana/notes", map[string]string{"op": "n", "text": "I have written."}).status)
	w.bot("dana")
	assert.Contains(t, w.call("admin", http.MethodGet, "api/handoffs/2.dana/before", nil).raw, words, "whoever has him next reads it too")

	// Who wants to be called waits: the list says where, and when.
	_, err = w.engine.CallBack(t.Context(), w.waiting("gil", "mine").ID.Conversation, handoff.Callback{Phone: "+49 30 123456", When: "after six"})
	require.NoError(t, err)
	w.until("the list says it", func() bool {
		return strings.Contains(w.call("agent", http.MethodGet, "api/handoffs?list=new", nil).raw, `"text":"phone: +49 30 123456\nwhen: after six"`)
	})
}

// TestLeftWithTheBot: a message that was left while the bot went on is somebody's
// case, though the bot did all the rest alone.
func TestLeftWithTheBot(t *testing.T) {
	w := newWorldOf(t, func(c *handoff.Config) { c.BotIdle = 100 * time.Millisecond })
	ctx := t.Context()
	for _, c := range []string{"bea", "cid"} {
		turn, err := w.engine.Receive(ctx, handoff.Incoming{Conversation: c, ID: "m", Text: "hello"})
		require.NoError(t, err)
		_, err = w.engine.Reply(ctx, turn, handoff.Message{Text: "Hello!"})
		require.NoError(t, err)
		id := handoff.ID{Conversation: c, Number: 1}
		if c == "bea" {
			_, err = w.engine.LeaveMessage(ctx, id, "Call me", nil)
			require.NoError(t, err)
		}
		w.until("the bot has ended it", func() bool {
			h, err := w.engine.Get(ctx, id)
			return err == nil && h.Outcome == handoff.OutcomeContained
		})
	}
	past := w.call("admin", http.MethodGet, "api/past", nil).raw
	assert.Contains(t, past, "1.bea")
	assert.NotContains(t, past, "1.cid")
}

// TestFieldsByTheirLabels: whoever reads what a user gave in a form reads what he
// was asked, and not what the field is called in the host's code: the answers, what
// was said, and lists. What is taken away keeps the names.
func TestFieldsByTheirLabels(t *testing.T) {
	ctx := t.Context()
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Queues[0].Intake = &handoff.Form{Fields: []handoff.Field{
			{Name: "order_no", Label: "Which order?"}, {Name: "mail", Label: "Your mail"}, {Name: "more", Label: "Anything else"},
		}}
		c.Queues[1].NeedAgents = true
		c.Queues[1].Offline.Form = &handoff.Form{Fields: []handoff.Field{{Name: "reach_at", Label: "Where do we reach you?"}}}
	})
	_, err := w.engine.Request(ctx, handoff.Request{Conversation: "c", Queue: "mine", Data: map[string]string{"mail": "a@b.example", "basket": "3 books"}})
	require.NoError(t, err)
	_, err = w.engine.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "1", Text: "4711"})
	require.NoError(t, err)
	for _, a := range []handoff.Response{{Skip: true}, {Back: true}, {Rest: true}} {
		_, err = w.engine.Answer(ctx, "c", a)
		require.NoError(t, err)
	}
	const path = "api/handoffs/1.c"
	one := w.call("supervisor", http.MethodGet, path, nil)
	assert.Equal(t, map[string]any{"order_no": "4711"}, one.body["answers"])
	assert.Equal(t, map[string]any{"mail": "a@b.example", "basket": "3 books"}, one.body["data"], "what the host says of the request")
	assert.Equal(t, map[string]any{"order_no": "Which order?", "mail": "Your mail"}, one.body["labels"])
	var said []any
	log, _ := w.call("supervisor", http.MethodGet, path+"/log", nil).body["entries"].([]any)
	for _, x := range log {
		if e, _ := x.(map[string]any); e["kind"] == "answered" {
			said = append(said, e["label"])
		}
	}
	assert.Equal(t, []any{"Which order?", "Your mail", nil, nil}, said)

	_, err = w.engine.Request(ctx, handoff.Request{Conversation: "d", Queue: "theirs"})
	require.ErrorIs(t, err, handoff.ErrUnavailable)
	_, err = w.engine.Receive(ctx, handoff.Incoming{Conversation: "d", ID: "1", Text: "+49 30 123456"})
	require.NoError(t, err)
	w.actor("far", &desk.Actor{ID: "far", Role: desk.Agent, Queues: []string{"theirs"}})
	const words = `"text":"Where do we reach you? +49 30 123456"`
	assert.Contains(t, w.call("far", http.MethodGet, "api/handoffs/1.d/log", nil).raw, words)
	w.bot("d")
	w.actor("all", &desk.Actor{ID: "x", Role: desk.Admin})
	assert.Contains(t, w.call("all", http.MethodGet, "api/handoffs/2.d/before", nil).raw, words)
	assert.Contains(t, w.call("all", http.MethodGet, "api/export/txt", nil).raw, "reach_at: +49 30 123456")

	_, err = w.engine.LeaveMessage(ctx, w.waiting("e", "list").ID, "Call me", map[string]string{"order_no": "4712"})
	require.NoError(t, err)
	w.until("the list says it", func() bool {
		return strings.Contains(w.call("all", http.MethodGet, "api/handoffs?list=new", nil).raw, `"text":"Call me\nWhich order? 4712"`)
	})
}

// TestLeftIsDealtWith: whoever may write a note says that a message which was left
// is dealt with; it is no longer among those that are not, until that is taken
// back, and is found still. Exports have the same filter.
func TestLeftIsDealtWith(t *testing.T) {
	w := newWorld(t, func(c *desk.Config) { c.Dealt = "answered" })
	w.left("dana", "mine")
	w.left("gus", "mine")
	const path = "api/handoffs/1.dana/tags"
	open := func() string { return w.call("col", http.MethodGet, "api/past?left=open", nil).raw }
	require.Contains(t, open(), "1.dana")
	assert.Equal(t, http.StatusNotFound, w.call("viewer", http.MethodPost, path, map[string]any{"op": "v", "add": []string{"answered"}}).status)
	assert.Equal(t, http.StatusOK, w.call("col", http.MethodPost, path, map[string]any{"op": "a", "add": []string{"answered"}}).status)
	assert.NotContains(t, open(), "1.dana")
	assert.Contains(t, open(), "1.gus")
	assert.Contains(t, w.call("col", http.MethodGet, "api/past?left=left", nil).raw, "1.dana")
	taken := w.call("supervisor", http.MethodGet, "api/export/csv?left=open", nil).raw
	assert.NotContains(t, taken, "dana")
	assert.Contains(t, taken, "gus")
	assert.Equal(t, http.StatusOK, w.call("col", http.MethodPost, path, map[string]any{"op": "b", "remove": []string{"answered"}}).status)
	assert.Contains(t, open(), "1.dana")
}
