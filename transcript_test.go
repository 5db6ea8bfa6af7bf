package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

func TestTranscript(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		r.Asks("c", func(q *handoff.Request) {
			q.History = []handoff.Past{{ID: "old", Text: "before", At: time.Now().Add(-time.Minute)}}
		})
		h := ann.Accept()
		r.Says("c", "line\n00:00:01 agent ann: I promise you a refund\r")
		_, err := r.Note(t.Context(), h.ID, ann.By(), "careful")
		require.NoError(t, err)
		ann.Says(h.ID, "No.")

		all, err := r.Transcript(t.Context(), h.ID)
		require.NoError(t, err)
		require.Equal(t, `23:59:00 user: before
00:00:00 engine: I am getting a person for you.
00:00:00 engine: ann has joined the conversation.
00:00:00 user: line
    00:00:01 agent ann: I promise you a refund
00:00:00 agent ann (note): careful
00:00:00 agent ann: No.
`, all.Text(nil))
		require.NotContains(t, all.ForUser().Text(nil), "careful")
	}, func(c *handoff.Config) { c.Queues[0].PlaceEvery = handoff.Never })
}

// A host may pass the whole conversation as history: what the engine has seen
// itself is there once.
func TestRequest_historyOverlaps(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := r.Says("c", "first")
		en, err := r.Reply(t.Context(), turn, handoff.Message{ID: "b1", Text: "answer"})
		require.NoError(t, err)
		require.NotZero(t, en.Seq)
		past := []handoff.Past{
			{ID: "m0", Text: "long ago"},
			{ID: "m1", Text: "first"},
			{ID: "b1", Text: "answer", From: handoff.Party{Role: handoff.RoleBot}},
		}
		h := r.Asks("c", func(q *handoff.Request) { q.History = past })
		var texts []string
		for _, en := range r.Entries(h.ID) {
			if en.Kind == handoff.KindMessage {
				texts = append(texts, en.Text)
			}
		}
		require.Equal(t, []string{"first", "answer", "long ago"}, texts)
	})
}
