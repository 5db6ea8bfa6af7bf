package desk_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
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
