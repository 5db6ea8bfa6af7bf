package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// What a user gave in a form is in every export for staff, whoever asked: the
// engine, a page with buttons, the host beforehand, and the form for whom nobody
// was there. His own export has what he wrote.
func TestAnswersAreExported(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1, "support")
		r.Asks("c", func(q *handoff.Request) { q.Answers = map[string]string{"plan": "BEFORE"} })
		r.Says("c", "WRITTEN")
		_, err := r.Answer(r.Ctx, "c", handoff.Response{Value: "PRESSED"})
		require.NoError(t, err)
		_, err = r.Answer(r.Ctx, "c", handoff.Response{Skip: true})
		require.NoError(t, err)
		r.Wait()
		h := ann.Accept()
		ann.Ends(h.ID)
		_, err = r.Rate(r.Ctx, h.ID, 4, "")
		require.NoError(t, err)
		ann.Leaves()
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "night", Queue: "support"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		_, err = r.Answer(r.Ctx, "night", handoff.Response{Value: "LEFT"})
		require.NoError(t, err)
		r.Wait()

		const form = "order: PRESSED; plan: BEFORE; what: WRITTEN"
		for f, words := range map[history.Format][]string{
			history.Text:      {"[form " + form + "]", "[answered order: PRESSED]", "[answered skipped: more]", "(left message): mail: LEFT", "[rated 4]"},
			history.HTML:      {"form " + form, "answered order: PRESSED", "answered skipped: more", ">mail: LEFT<", "rated 4"},
			history.CSV:       {"answered order: PRESSED", "answered skipped: more", ",mail: LEFT,", "rated 4"},
			history.JSONLines: {`"plan":"BEFORE"`, "WRITTEN", "PRESSED", "LEFT"},
		} {
			text := export(t, r, history.Export{Format: f, Events: true})
			for _, w := range words {
				require.Contains(t, text, w, f)
			}
			mine := export(t, r, history.Export{Format: f, Audience: history.User})
			require.Contains(t, mine, "WRITTEN", f)
			require.NotContains(t, mine, "BEFORE", f)
			require.NotContains(t, mine, "PRESSED", f)
		}
		require.Contains(t, export(t, r, history.Export{Format: history.Table}), form)
	}, func(c *handoff.Config) {
		c.Queues = []handoff.Queue{{
			Name: "support", NeedAgents: true, Intake: &handoff.Form{Fields: []handoff.Field{{Name: "plan"}, {Name: "what"}, {Name: "order"}, {Name: "more"}}},
			Offline: handoff.Absence{Form: &handoff.Form{Fields: []handoff.Field{{Name: "mail"}}}},
		}}
	})
}
