package flows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// Presence check, prechat, skill, a bot that stays out, failure.
func TestPresencePrechatAndSkill(t *testing.T) {
	platform := inmem.New(inmem.Options{})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		status := func() string { // the context variable agentStatus
			a, err := r.Availability(r.Ctx, handoff.Need{Queue: "shop"})
			if err == nil && a.Availability == handoff.Online {
				return "online"
			}
			return "offline"
		}
		require.Equal(t, "offline", status())
		// "If any part of the live chat handover flow fails, the handover will not
		// be triggered, and the end-user will continue the conversation."
		turn := r.Says("c", "hi")
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Skills: []handoff.Skill{{Name: "returns"}}, URL: "https://shop.example.com/x"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		require.Equal(t, handoff.StateBot, r.Last("c").State)

		r.Hire(handoff.Agent{ID: "bob", Seats: 1, Queues: []string{"shop"}})
		ann := r.Hire(handoff.Agent{ID: "ann", Seats: 1, Queues: []string{"shop"}, Skills: map[string]int{"returns": 1}})
		require.Equal(t, "online", status())
		r.Floor.Break(errors.New("no answer")) // "If the presence check call should fail … offline."
		require.Equal(t, "offline", status())
		r.Floor.Break(nil)

		// An answer with the addition live chat, and skill "returns". "If the
		// addition was left empty, URL based routing will be performed"; the prechat
		// event triggers a dialog of the bot, with "any number of questions".
		turn = r.Says("c", "I want to return it")
		asked, err := r.Request(r.Ctx, handoff.Request{
			Turn: turn, Skills: []handoff.Skill{{Name: "returns"}}, URL: "https://shop.example.com/x", Data: map[string]string{"mscChannel": "web"},
		})
		require.NoError(t, err)
		require.Equal(t, handoff.StateIntake, asked.Handoff.State)
		turn = asked.Turn
		for field, value := range map[string]string{"order": "B7", "why": "too small"} {
			_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "Your " + field + "?"})
			require.NoError(t, err)
			turn = r.Says("c", value)
			require.True(t, turn.Open(), "the dialog is the bot's")
			require.Equal(t, handoff.StateIntake, r.Last("c").State)
			_, err = r.Answer(r.Ctx, "c", handoff.Response{Field: field, Value: value})
			require.NoError(t, err)
		}
		// "When the transactional dialog is finished a handover will be done", to
		// who has the skill.
		r.Wait()
		h := ann.Accept()
		require.Equal(t, map[string]string{"order": "B7", "why": "too small"}, h.Answers)
		require.Equal(t, []handoff.Skill{{Name: "returns"}}, h.Need.Skills)
		require.Equal(t, "shop", h.Need.Queue)
		var with map[string]string
		for _, e := range r.Entries(h.ID) {
			if e.Kind == handoff.KindRequested {
				with = e.Data
			}
		}
		require.Equal(t, "web", with["mscChannel"], "saved in the conversation's state")
		require.False(t, r.Says("c", "hello").Open())
		ann.Ends(h.ID)
		// The bot "will no longer receive any interactions" for 24 hours.
		require.False(t, r.Says("c", "still there?").Open())
		r.Sleep(23 * time.Hour)
		require.False(t, r.Says("c", "hello?").Open())
		r.Sleep(2 * time.Hour)
		require.True(t, r.Says("c", "and now?").Open())

		// "The Webstore Referrer is set to the value of the mscWebstore output
		// addition", before any URL.
		got, err := r.Request(r.Ctx, handoff.Request{
			Conversation: "store", URL: "https://shop.example.com/x", Data: map[string]string{"mscWebstore": "outlet"}, NoForm: true,
		})
		require.NoError(t, err)
		require.Equal(t, "outlet", got.Handoff.Need.Queue)
		// "If any part fails": here the platform cannot be reached, and there the
		// dialog is not finished.
		r.Sleep(10 * time.Minute)
		require.Equal(t, handoff.OutcomeFailed, r.Now(got.Handoff.ID).Outcome)
		require.True(t, r.Says("store", "and now?").Open())
		_, err = r.Request(r.Ctx, handoff.Request{Turn: r.Says("d", "a person"), Queue: "shop"})
		require.NoError(t, err)
		r.Sleep(11 * time.Minute)
		require.Equal(t, handoff.OutcomeCancelled, r.Now(handoff.ID{Conversation: "d", Number: 1}).Outcome)
		require.True(t, r.Says("d", "hello?").Open())
	}, func(c *handoff.Config) {
		platform.Break(inmem.Refuses, "open")
		c.Providers = []handoff.Provider{platform.Provider()}
		c.Queues = []handoff.Queue{
			{
				Name: "shop", NeedAgents: true, StayOut: 24 * time.Hour,
				Intake: &handoff.Form{Host: true, Required: true, OnLapse: handoff.LapseCancel, Fields: []handoff.Field{
					{Name: "order", Required: true}, {Name: "why"},
				}},
			},
			{Name: "outlet", Providers: []string{"inmem"}},
		}
		c.Choose = []handoff.Choice{{Queue: "outlet", Data: map[string]string{"mscWebstore": "outlet"}}, {Queue: "shop", URL: "shop.example.com"}}
	})
}

// customers is a CRM.
type customers struct{}

func (customers) Find(context.Context, handoff.Contact) ([]handoff.Customer, error) {
	return []handoff.Customer{{ID: "7", Name: "Dana"}}, nil
}

// A node in the flow, the inbox, accept, tools, end, back to the bot; missed
// requests and automations.
func TestNodeInboxToolsAndEnd(t *testing.T) {
	platform := inmem.New(inmem.Options{})
	rules, err := automate.New([]automate.Rule{
		{Name: "follow-up", Button: "Ticket", Do: []automate.Action{{Ticket: "Follow up {user}"}}},
		{
			Name: "ended", On: []handoff.Kind{handoff.KindEnded}, If: automate.Condition{Outcomes: []handoff.Outcome{handoff.OutcomeResolved}},
			Do: []automate.Action{{Tag: []string{"done"}}, {Ticket: "Done for {user}"}},
		},
		{Name: "missed", On: []handoff.Kind{handoff.KindMissed}, Do: []automate.Action{{Ticket: "Missed"}}},
	}, automate.Options{})
	require.NoError(t, err)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		rules.Use(r.Engine)
		tab := func(states ...handoff.State) int {
			list, err := r.List(r.Ctx, handoff.Query{Queue: "support", States: states})
			require.NoError(t, err)
			return len(list)
		}
		since := time.Now()
		turn := r.Says("c", "my parcel is lost")
		_, err := r.Request(r.Ctx, handoff.Request{
			Turn: turn, Queue: "support", Reason: "flow_node",
			User: &handoff.Contact{ID: "u", Name: "Dana", Mail: "dana@example.com", Phone: "+34 600"},
		})
		require.NoError(t, err)
		shows(t, r, "c", "I am getting a person for you.")
		// "Pre-chat survey: answers the user submitted after requesting live chat but
		// before a team member accepted": while he waits.
		shows(t, r, "c", "Which carrier?")
		r.Says("c", "DHL")
		// "New: incoming requests waiting to be accepted", with a preview.
		require.Equal(t, 1, tab(handoff.StateWaiting, handoff.StateOffered))
		// "Your team is alerted before users wait too long."
		r.Sleep(3 * time.Minute)
		require.True(t, has(r, "c", handoff.KindAlert))
		ann := r.Hire(handoff.Agent{ID: "ann", Name: "Ann Lee", Alias: "Ann", Seats: 3, Queues: []string{"support"}}) // "agent masking"
		h := r.Last("c")
		script, err := r.Transcript(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "my parcel is lost", script[0].Text)
		h, err = r.Accept(r.Ctx, h.ID, ann.By(), 0)
		require.NoError(t, err)
		require.Equal(t, 1, tab(handoff.StateActive)) // "Open"
		shows(t, r, "c", "Ann has joined the conversation.")
		require.Equal(t, "DHL", h.Answers["carrier"])
		require.Equal(t, "dana@example.com", h.User.Mail) // "User details"
		require.Equal(t, "+34 600", h.User.Phone)
		found, err := r.Customers(r.Ctx, h.ID) // "Contact info"
		require.NoError(t, err)
		require.Equal(t, "7", found[0].ID)
		_, err = r.Note(r.Ctx, h.ID, ann.By(), "VIP") // "never visible to the end-user"
		require.NoError(t, err)
		// "Organized by category. Control visibility and availability per response."
		replies, err := canned.New(
			canned.Reply{Name: "hi", Category: "greetings", Text: "Hello {user}, {agent} here."},
			canned.Reply{Name: "mine", Owner: "bob", Text: "x"}, canned.Reply{Name: "old", Off: true, Text: "x"},
		)
		require.NoError(t, err)
		all, err := replies.List(r.Ctx)
		require.NoError(t, err)
		all = slices.DeleteFunc(all, func(c canned.Reply) bool {
			return !c.VisibleTo("ann", func(queue string) bool { return queue == "support" })
		})
		require.Len(t, all, 1)
		ann.Says(h.ID, all[0].Fill(&h))
		shows(t, r, "c", "Hello Dana, Ann here.")
		require.NotContains(t, strings.Join(r.Users.Texts("c"), " "), "VIP")
		require.NoError(t, rules.Run(r.Ctx, "follow-up", h.ID, ann.By().Once("press")))
		// "Add notes before transferring", and users see "being transferred".
		bob := r.Agent("bob", 1)
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Agent: "bob", Note: "asked the carrier"})
		require.NoError(t, err)
		shows(t, r, "c", "You are being transferred.")
		bob.Accept()
		_, err = r.Transfer(r.Ctx, h.ID, bob.By(), handoff.Target{Agent: "ann"})
		require.NoError(t, err)
		ann.Accept()
		require.True(t, has(r, "c", handoff.KindNote))
		bob.Leaves()
		// "Once ended, control returns to the AI agent", and users see it.
		_, err = r.End(r.Ctx, h.ID, ann.By(), handoff.Ending{})
		require.NoError(t, err)
		shows(t, r, "c", "The conversation with our team has ended.")
		// "Notes: during or after the conversation", and tags.
		_, err = r.Note(r.Ctx, h.ID, ann.By(), "call on Monday")
		require.NoError(t, err)
		require.True(t, r.Says("c", "thanks").Open())
		require.Contains(t, r.Now(h.ID).Tags, "done")
		require.Equal(t, 1, tab(handoff.StateEnded)) // "Closed"

		// "Conversations left inactive are automatically closed."
		r.Asks("quiet", func(q *handoff.Request) { q.NoForm = true })
		quiet := r.Last("quiet").ID
		_, err = r.Accept(r.Ctx, quiet, ann.By(), 0)
		require.NoError(t, err)
		r.Sleep(20 * time.Minute)
		require.Equal(t, handoff.OutcomeIdle, r.Now(quiet).Outcome)

		// "Missed requests where no one picked up before the timeout"; a ticket is made.
		ann.Leaves()
		r.Asks("nobody", func(q *handoff.Request) { q.NoForm = true })
		r.Sleep(11 * time.Minute)
		page, err := history.List(r.Ctx, r.Engine, history.Filter{Class: history.Missed}, "", 10)
		require.NoError(t, err)
		require.Len(t, page.Handoffs, 1)
		require.Equal(t, "nobody", page.Handoffs[0].ID.Conversation)
		require.Equal(t, handoff.ReasonTimeout, page.Handoffs[0].Missed)
		require.Equal(t, 3, platform.Calls("ticket"), "by hand, after the end, and for the missed one")
		// "See which team member handled the request and its outcome status."
		page, err = history.List(r.Ctx, r.Engine, history.Filter{Class: history.Completed}, "", 10)
		require.NoError(t, err)
		require.Len(t, page.Handoffs, 2)
		for i := range page.Handoffs {
			require.Equal(t, "ann", page.Handoffs[i].LastAgent)
		}
		// "Download conversation transcripts in bulk. Filter by status, agent, and
		// date range."
		export := func(from, to time.Time) string {
			var file strings.Builder
			_, err = history.Export{Format: history.Text, Filter: history.Filter{
				Class: history.Completed, Query: handoff.Query{Agent: "ann", From: from, To: to},
			}}.Write(r.Ctx, &file, r.Engine)
			require.NoError(t, err)
			return file.String()
		}
		require.Contains(t, export(since, time.Now()), "Hello Dana, Ann here.")
		require.Empty(t, export(since.Add(-time.Hour), since))
		// "Containment rate, response times, and duration: see Analytics."
		report, err := analytics.Compute(r.Ctx, r.Engine, analytics.Options{})
		require.NoError(t, err)
		require.Equal(t, 2, report.Total.Attended)
		require.Equal(t, 1, report.Total.Missed)
	}, func(c *handoff.Config) {
		c.CRM, c.Sinks = customers{}, map[string]handoff.Sink{"rules": rules}
		c.Providers = []handoff.Provider{platform.Provider()}
		c.Queues[0].Style, c.Queues[0].Tickets = handoff.Pull, platform.Provider().Info().Name // "Public when shared visibility helps"
		c.Queues[0].Alert = 2 * time.Minute
		// "Set business hours before going live."
		c.Queues[0].Hours = handoff.Weekly{Days: map[string][]handoff.Span{"sat": {"00:00-24:00"}, "sun": {"00:00-24:00"}}}
		c.Queues[0].Intake = &handoff.Form{WhileWaiting: true, Fields: []handoff.Field{{Name: "carrier", Label: "Which carrier?"}}}
	})
}
