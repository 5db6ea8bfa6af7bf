package history_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// An export has what its filter selects and nothing else, whatever the filter
// selects by.
func TestExportByFilter(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5, "support")
		serves(t, r, ann, "served", "dana")
		serves(t, r, ann, "tagged", "erik")
		_, err := r.Tag(t.Context(), handoff.ID{Conversation: "tagged", Number: 1}, ann.By(), []string{"vip"}, nil)
		require.NoError(t, err)
		r.Sleep(time.Hour)
		later := time.Now()
		_, err = r.Request(t.Context(), handoff.Request{Conversation: "refused", Queue: "shut", User: &handoff.Contact{ID: "gina"}})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		r.Sleep(time.Hour) // the bot goes on, and then it is over

		person := func(h *handoff.Handoff) bool { return h.Reason != "" }
		for name, c := range map[string]struct {
			f    history.Filter
			want []string
		}{
			"all":        {history.Filter{Match: person}, []string{"served", "tagged", "refused"}},
			"completed":  {history.Filter{Class: history.Completed}, []string{"served", "tagged"}},
			"missed":     {history.Filter{Class: history.Missed}, []string{"refused"}},
			"text":       {history.Filter{Text: "Hello Dana"}, []string{"served"}},
			"match":      {history.Filter{Match: func(h *handoff.Handoff) bool { return h.User != nil && h.User.ID == "erik" && person(h) }}, []string{"tagged"}},
			"tag":        {history.Filter{Query: handoff.Query{Tag: "vip"}}, []string{"tagged"}},
			"agent":      {history.Filter{Query: handoff.Query{Agent: "ann"}}, []string{"served", "tagged"}},
			"queue":      {history.Filter{Query: handoff.Query{Queue: "shut"}}, []string{"refused"}},
			"outcome":    {history.Filter{Query: handoff.Query{Outcomes: []handoff.Outcome{handoff.OutcomeResolved}}}, []string{"served", "tagged"}},
			"date":       {history.Filter{Match: person, Query: handoff.Query{From: later}}, []string{"refused"}},
			"until":      {history.Filter{Match: person, Query: handoff.Query{To: later}}, []string{"served", "tagged"}},
			"user":       {history.Filter{Match: person, Query: handoff.Query{User: "gina"}}, []string{"refused"}},
			"everything": {history.Filter{Match: person, Text: "nowhere"}, nil},
		} {
			var got []string
			for h, err := range history.All(t.Context(), r.Engine, c.f, "") {
				require.NoError(t, err, name)
				got = append(got, h.ID.Conversation)
			}
			require.Equal(t, c.want, got, name)
			var b bytes.Buffer
			p, err := history.Export{Filter: c.f, Format: history.Table}.Write(t.Context(), &b, r.Engine)
			require.NoError(t, err, name)
			require.Equal(t, len(c.want), p.Handoffs, name)
			require.Equal(t, len(c.want)+1, strings.Count(b.String(), "\n"), name)
		}
	}, func(c *handoff.Config) {
		c.Queues = append(c.Queues, handoff.Queue{Name: "shut", NeedAgents: true})
	})
}

// What was said before the engine knew of the conversation stands first in what
// people read, as it was said first.
func TestExportInOrderOfTime(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5, "support")
		r.Says("c", "second")
		r.Asks("c", func(q *handoff.Request) {
			q.History = []handoff.Past{{ID: "p1", Text: "first", At: time.Now().Add(-time.Hour)}}
		})
		h := ann.Accept()
		ann.Says(h.ID, "third")
		ann.Ends(h.ID)
		for _, f := range []history.Format{history.Text, history.HTML, history.CSV} {
			var b bytes.Buffer
			_, err := history.Export{Format: f}.Write(t.Context(), &b, r.Engine)
			require.NoError(t, err)
			s := b.String()
			require.Less(t, strings.Index(s, "first"), strings.Index(s, "second"), f)
			require.Less(t, strings.Index(s, "second"), strings.Index(s, "third"), f)
		}
	})
}
