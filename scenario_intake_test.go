package handoff_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// told returns what the engine has told a user, in words.
func told(r *handofftest.Rig, conversation string) []string {
	r.Wait()
	var out []string
	for _, m := range r.Users.Saw(conversation) {
		if m.Notice != "" && m.Notice != handoff.NoticePlace {
			out = append(out, m.Text)
		}
	}
	return out
}

func say(t *testing.T, r *handofftest.Rig, conversation, id, text string) handoff.Turn {
	t.Helper()
	turn, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: conversation, ID: id, Text: text})
	require.NoError(t, err)
	return turn
}

// The engine's form is answered by writing: a wrong answer is said to be none,
// choices lead to another queue and to skills, and the agent sees the answers.
func TestIntakeByMessages(t *testing.T) {
	form := &handoff.Form{Fields: []handoff.Field{
		{
			Name: "topic", Label: "What is it about?", Kind: handoff.FieldChoice, Required: true, Choices: []string{"Invoice", "Other"},
			Queues: map[string]string{"Invoice": "billing"}, Skills: map[string][]handoff.Skill{"Invoice": {{Name: "tax"}}},
		},
		{Name: "mail", Label: "Your mail address?", Kind: handoff.FieldMail},
		{Name: "order", Label: "Your order?", Pattern: `[A-Z]\d{3}`, Required: true},
	}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann", Seats: 3, Queues: []string{"billing"}, Skills: map[string]int{"tax": 1}})
		turn := say(t, r, "c1", "m1", "I want a person")
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.NoError(t, err)
		r.Wait()
		q := r.Users.Saw("c1")[0].Ask
		require.Equal(t, "topic", q.Field.Name)
		require.Equal(t, []string{"Invoice", "Other"}, q.Field.Choices)
		require.Nil(t, q.Field.Queues, "where it leads is not for users")
		require.False(t, q.Skip)

		require.False(t, say(t, r, "c1", "m2", "dunno").Open())
		say(t, r, "c1", "m3", " invoice ")
		say(t, r, "c1", "m4", "<b>me</b>")
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Back: true})
		require.NoError(t, err)
		say(t, r, "c1", "m5", "1")
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Skip: true})
		require.NoError(t, err)
		say(t, r, "c1", "m6", strings.Repeat("A", 60_000))
		say(t, r, "c1", "m7", "B7\x01")
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Skip: true})
		require.ErrorIs(t, err, handoff.ErrInvalid)
		say(t, r, "c1", "m8", "B777")
		require.Equal(t, []string{
			"What is it about?", "Please choose one of the answers.", "What is it about?", "Your mail address?",
			"That is not a mail address.", "Your mail address?", "What is it about?", "Your mail address?", "Your order?",
			"That is too long. Could you say it shorter?", "Your order?", "I cannot accept that answer.", "Your order?", "I am getting a person for you.",
		}, told(r, "c1"))
		h := ann.Accept()
		require.Equal(t, "billing", h.Need.Queue)
		require.Equal(t, []handoff.Skill{{Name: "tax"}}, h.Need.Skills)
		require.Equal(t, map[string]string{"topic": "Invoice", "order": "B777"}, h.Answers)
		// Messages that were answers need none; the others wait for the agent.
		var open []string
		for _, p := range h.Pending {
			open = append(open, p.Message)
		}
		require.Equal(t, []string{"m1", "m2", "m4", "m6", "m7"}, open)

		_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: "c1", ID: "m9", Text: strings.Repeat("x", 1<<20)})
		require.ErrorIs(t, err, handoff.ErrInvalid, "a megabyte")
	}, func(c *handoff.Config) {
		c.Queues = []handoff.Queue{{Name: "support", Intake: form}, {Name: "billing", Ladder: patient()}}
	})
}

// A queue that closed while the form was filled in does not take anybody: who
// waited for it is told, and the bot has him again.
func TestIntakeThatLeadsToAClosedQueue(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support"})
		require.NoError(t, err)
		say(t, r, "c1", "m1", "Invoice")
		r.Wait()
		h := r.Now(handoff.ID{Conversation: "c1", Number: 1})
		require.Equal(t, handoff.OutcomeUnavailable, h.Outcome)
		require.Equal(t, handoff.ReasonClosed, h.Missed)
		require.Contains(t, told(r, "c1"), "Our team is closed. We open again on Monday at 09:00.")
		require.Len(t, r.Bot.Calls(handoff.BotEnded), 1)
	}, func(c *handoff.Config) {
		c.Queues = []handoff.Queue{
			{Name: "support", Intake: &handoff.Form{Fields: []handoff.Field{
				{Name: "topic", Kind: handoff.FieldChoice, Choices: []string{"Invoice"}, Queues: map[string]string{"Invoice": "weekly"}},
			}}},
			{Name: "weekly", Hours: handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"09:00-17:00"}}}, Offline: handoff.Absence{Tell: true}},
		}
	})
}

// Nobody comes in time, or nobody is there: the offline form is asked, and its
// answers are a message for the team. What was missed can be listed, with why.
func TestOfflineForm(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		// Refused at the door.
		turn := say(t, r, "c1", "m1", "a person please")
		asked, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		require.Equal(t, handoff.StateIntake, asked.Handoff.State)
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "Nobody is there."})
		require.ErrorIs(t, err, handoff.ErrStale, "the engine speaks, and nobody else on top of it")
		say(t, r, "c1", "m2", "dana@example.com")
		r.Wait()
		h := r.Now(asked.Handoff.ID)
		require.Equal(t, handoff.OutcomeUnavailable, h.Outcome)
		require.True(t, h.LeftMessage)
		require.Equal(t, handoff.ReasonOffline, h.Missed)
		require.Equal(t, []string{"Nobody of our team is available right now.", "Your mail?", "Thank you, your message was passed on."}, told(r, "c1"))
		require.Equal(t, handoff.OutcomeUnavailable, r.Bot.Calls(handoff.BotEnded)[0].Outcome)

		// Nobody accepts. He does not answer the form either.
		ann := r.Agent("ann", 1)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support"})
		require.NoError(t, err)
		r.Wait()
		ann.Decline("lunch")
		r.Sleep(11 * time.Minute)
		require.Equal(t, handoff.StateIntake, r.Last("c2").State)
		r.Sleep(11 * time.Minute)
		h = r.Now(handoff.ID{Conversation: "c2", Number: 1})
		require.Equal(t, handoff.OutcomeMissed, h.Outcome)
		require.Equal(t, handoff.ReasonLapsed, h.Missed, "asked again after the cool-down, and let lapse")
		require.False(t, h.LeftMessage)

		// He cancels the form: he was missed all the same.
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c3", Queue: "support"})
		require.NoError(t, err)
		ann.Leaves()
		r.Sleep(10*time.Minute + 2*time.Second)
		_, err = r.Cancel(r.Ctx, "c3", false)
		require.NoError(t, err)
		missed, err := r.List(r.Ctx, handoff.Query{Outcomes: []handoff.Outcome{handoff.OutcomeMissed, handoff.OutcomeUnavailable}})
		require.NoError(t, err)
		require.Len(t, missed, 3)
		for _, m := range missed {
			require.NotEmpty(t, m.Missed)
		}
	}, func(c *handoff.Config) {
		c.Queues[0].NeedAgents = true
		c.Queues[0].Offline.Form = &handoff.Form{Fields: []handoff.Field{{Name: "mail", Label: "Your mail?", Kind: handoff.FieldMail}}}
	})
}

// Who wants to be called keeps his place; the bot goes on with him. The agent
// who accepts knows the number. Nothing is kept for ever.
func TestCallbackKeepsThePlace(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "a person please")
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.NoError(t, err)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support"})
		require.NoError(t, err)
		_, err = r.CallBack(r.Ctx, "c1", handoff.Callback{Phone: "call me"})
		require.ErrorIs(t, err, handoff.ErrInvalid)
		_, err = r.CallBack(r.Ctx, "c1", handoff.Callback{Phone: "+34 600 000", When: "after five"})
		require.NoError(t, err)
		require.Contains(t, told(r, "c1"), "You keep your place. We will call you at +34 600 000.")
		calls := r.Bot.Calls(handoff.BotResume)
		require.Len(t, calls, 1, "the bot has him, with what nobody answered")
		_, err = r.Reply(r.Ctx, calls[0].Turn, handoff.Message{Text: "Meanwhile: have you tried …"})
		require.NoError(t, err)
		require.True(t, say(t, r, "c1", "m2", "ok").Open())

		r.Sleep(2 * time.Hour) // the ladder has missed the other one
		require.Equal(t, handoff.OutcomeMissed, r.Now(handoff.ID{Conversation: "c2", Number: 1}).Outcome)
		ann := r.Agent("ann", 1)
		h := ann.Accept()
		require.Equal(t, "c1", h.ID.Conversation)
		require.Equal(t, "+34 600 000", h.Callback.Phone)
		require.Equal(t, "after five", h.Callback.When)
		ann.Ends(h.ID)
		ann.Leaves()

		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c3", Queue: "support"})
		require.NoError(t, err)
		_, err = r.CallBack(r.Ctx, "c3", handoff.Callback{Phone: "112"})
		require.NoError(t, err)
		r.Sleep(25 * time.Hour)
		require.Equal(t, handoff.OutcomeMissed, r.Now(handoff.ID{Conversation: "c3", Number: 1}).Outcome)
	}, seldom)
}
