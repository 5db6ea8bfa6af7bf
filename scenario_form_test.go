package handoff_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	wording "github.com/seed-2a427302/handoff/notices"
	"github.com/seed-2a427302/handoff/trigger"
)

// asking is a form that is asked in the queue.
func asking() *handoff.Form {
	return &handoff.Form{WhileWaiting: true, Fields: []handoff.Field{
		{
			Name: "topic", Label: "What is it about?", Kind: handoff.FieldChoice, Choices: []string{"Invoice", "Tax", "Other"},
			Queues: map[string]string{"Invoice": "billing"}, Skills: map[string][]handoff.Skill{"Tax": {{Name: "tax"}}},
		},
		{Name: "mail", Label: "Your mail address?", Kind: handoff.FieldMail, Required: true},
		{Name: "order", Label: "Your order?"},
	}}
}

// forms are two queues of which the first asks while its users wait.
func forms(change ...func(q *handoff.Queue)) func(c *handoff.Config) {
	return func(c *handoff.Config) {
		q := handoff.Queue{Name: "support", Intake: asking(), Ladder: patient(), PlaceRepeat: handoff.Never}
		for _, f := range change {
			f(&q)
		}
		c.Queues = []handoff.Queue{q, {Name: "billing", Ladder: patient(), PlaceRepeat: handoff.Never}}
	}
}

// placed reports whether a user was told his place.
func placed(r *handofftest.Rig, conversation string) bool {
	return slices.ContainsFunc(r.Users.Saw(conversation), func(m handoff.UserMessage) bool { return m.Notice == handoff.NoticePlace })
}

// A form in the queue costs nobody his place. Wrong answers, going back and
// skipping are as before the queue; what is answered needs no answer; and the
// place is told when nothing is asked any more.
func TestFormWhileWaiting(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		first := r.Asks("c1", func(q *handoff.Request) { q.Conversation, q.Turn = "", say(t, r, "c1", "m0", "a person please") })
		require.Equal(t, handoff.StateWaiting, first.State)
		r.Sleep(time.Second)
		r.Asks("c2", func(q *handoff.Request) { q.NoForm = true })
		place, err := r.Place(r.Ctx, first.ID)
		require.NoError(t, err)
		require.Equal(t, 1, place.Position, "who is asked stands where he came")
		r.Sleep(time.Minute)
		require.False(t, placed(r, "c1"), "the question is the last that he reads")
		require.True(t, placed(r, "c2"))

		require.False(t, say(t, r, "c1", "m1", "3").Open())
		say(t, r, "c1", "m2", "no mail")
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Back: true})
		require.NoError(t, err)
		say(t, r, "c1", "m3", "other")
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Skip: true})
		require.ErrorIs(t, err, handoff.ErrInvalid)
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Rest: true})
		require.ErrorIs(t, err, handoff.ErrInvalid)
		say(t, r, "c1", "m4", "dana@example.com")
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Rest: true})
		require.NoError(t, err)
		require.Equal(t, []string{
			"I am getting a person for you.", "What is it about?", "Your mail address?", "That is not a mail address.", "Your mail address?",
			"What is it about?", "Your mail address?", "Your order?",
		}, told(r, "c1"))
		r.Sleep(10 * time.Second)
		require.True(t, placed(r, "c1"))
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Value: "late"})
		require.ErrorIs(t, err, handoff.ErrState)

		h := r.Agent("ann", 1).Accept()
		require.Equal(t, first.ID, h.ID)
		require.Equal(t, map[string]string{"topic": "Other", "mail": "dana@example.com"}, h.Answers)
		require.Equal(t, "support", h.Need.Queue)
		var open []string
		for _, p := range h.Pending {
			open = append(open, p.Message)
		}
		require.Equal(t, []string{"m0", "m2"}, open)
	}, forms())
}

// A picture without words answers nothing, be the field required or not: the
// question stays, and the picture for whoever comes.
func TestFormAndAPicture(t *testing.T) {
	for _, required := range []bool{false, true} {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			h := r.Asks("c")
			_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c", ID: "m1", Files: []handoff.File{{Name: "bill.jpg"}}})
			require.NoError(t, err)
			require.Empty(t, r.Now(h.ID).Answers)
			say(t, r, "c", "m2", "4711")
			require.Equal(t, map[string]string{"order": "4711"}, r.Now(h.ID).Answers)
			var open []string
			for _, p := range r.Now(h.ID).Pending {
				open = append(open, p.Message)
			}
			require.Equal(t, []string{"m1"}, open)
			require.Equal(t, 2, strings.Count(strings.Join(told(r, "c"), "\n"), "Your order?"))
		}, forms(func(q *handoff.Queue) {
			q.Intake = &handoff.Form{WhileWaiting: true, Fields: []handoff.Field{{Name: "order", Label: "Your order?", Required: required}}}
		}))
	}
}

// Who declined is not asked again at once because an answer asks for more, or
// leads elsewhere: it is the same request.
func TestFormWhileWaitingAsksNobodyTwice(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann", Queues: []string{"support", "billing"}, Skills: map[string]int{"tax": 1}, Seats: 1})
		h := r.Asks("c1")
		ann.Decline("busy")
		say(t, r, "c1", "m1", "Tax")
		r.Sleep(2 * time.Second)
		require.Equal(t, []handoff.Skill{{Name: "tax"}}, r.Now(h.ID).Need.Skills)
		require.Empty(t, r.Now(h.ID).Offers)
		_, err := r.Answer(r.Ctx, "c1", handoff.Response{Back: true})
		require.NoError(t, err)
		say(t, r, "c1", "m2", "Invoice")
		r.Sleep(2 * time.Second)
		require.Equal(t, "billing", r.Now(h.ID).Need.Queue)
		require.Empty(t, r.Now(h.ID).Offers)
	}, forms(func(q *handoff.Queue) { q.OfferTimeout = time.Hour }))
}

// A choice leads elsewhere at once, with the place in time: an offer that is
// out is withdrawn, and going back takes the choice back.
func TestFormWhileWaitingLeads(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 1, "support")
		h := r.Asks("c1")
		since := h.Enqueued
		r.Sleep(time.Second)
		require.Equal(t, handoff.StateOffered, r.Now(h.ID).State)
		say(t, r, "c1", "m1", "Invoice")
		r.Wait()
		now := r.Now(h.ID)
		require.Equal(t, "billing", now.Need.Queue)
		require.Equal(t, handoff.StateWaiting, now.State)
		require.Empty(t, now.Offers)
		require.Equal(t, since, now.Enqueued)
		require.Contains(t, told(r, "c1"), "Your mail address?", "the form goes on")

		_, err := r.Answer(r.Ctx, "c1", handoff.Response{Back: true})
		require.NoError(t, err)
		say(t, r, "c1", "m2", "Tax")
		r.Wait()
		now = r.Now(h.ID)
		require.Equal(t, "support", now.Need.Queue)
		require.Equal(t, []handoff.Skill{{Name: "tax"}}, now.Need.Skills)
		require.Equal(t, handoff.StateWaiting, now.State, "she knows nothing of taxes")
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Field: "topic", Value: "Other"})
		require.NoError(t, err)
		r.Wait()
		now = r.Now(h.ID)
		require.Empty(t, now.Need.Skills)
		require.Equal(t, handoff.StateOffered, now.State)
		require.Equal(t, since, now.Enqueued)

		// An answer that leads nowhere else leaves the offer as it is.
		offer := now.Offers[0].Number
		say(t, r, "c1", "m3", "dana@example.com")
		r.Wait()
		now, err = r.Accept(r.Ctx, h.ID, handoff.By("ann"), offer)
		require.NoError(t, err)
		require.Equal(t, "dana@example.com", now.Answers["mail"])
	}, forms())
}

// Who is accepted is asked no more, and what he writes then is for the agent;
// nothing is said of the form.
func TestFormWhileWaitingEndsWithAnAccept(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c1")
		ann := r.Agent("ann", 1)
		h := ann.Accept()
		require.False(t, say(t, r, "c1", "m1", "Invoice").Open())
		_, err := r.Answer(r.Ctx, "c1", handoff.Response{Value: "Invoice"})
		require.ErrorIs(t, err, handoff.ErrState)
		r.Sleep(11 * time.Minute) // the form would have lapsed
		now := r.Now(h.ID)
		require.Equal(t, handoff.StateActive, now.State)
		require.Empty(t, now.Answers)
		require.Len(t, now.Pending, 1)
		require.Equal(t, []string{"I am getting a person for you.", "What is it about?", "Ann has joined the conversation."}, told(r, "c1"))
	}, forms(func(q *handoff.Queue) { q.Alias = "Ann"; q.IdleTimeout = handoff.Never }))
}

// The time-out only ends the asking: what was answered stays, the place too,
// and what the user writes then is a message.
func TestFormWhileWaitingLapses(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c1")
		say(t, r, "c1", "m1", "Other")
		r.Sleep(9 * time.Minute)
		now := r.Now(h.ID)
		fields, next := now.Form()
		require.Len(t, fields, 3)
		require.Equal(t, 1, next)
		r.Sleep(2 * time.Minute)
		now = r.Now(h.ID)
		require.Equal(t, handoff.StateWaiting, now.State)
		require.Equal(t, h.Enqueued, now.Enqueued)
		require.True(t, placed(r, "c1"))
		require.NotContains(t, notices(r, "c1"), handoff.NoticeCancelled)
		fields, _ = now.Form()
		require.Empty(t, fields)
		say(t, r, "c1", "m2", "dana@example.com")
		ann := r.Agent("ann", 1)
		now = ann.Accept()
		require.Equal(t, map[string]string{"topic": "Other"}, now.Answers)
		require.Len(t, now.Pending, 1)
	}, forms())
}

// He may cancel, be called back, be moved by a supervisor or find the queue that
// his choice leads to closed: each ends the form.
func TestFormWhileWaitingEndsOtherwise(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		asked := func(c string) bool {
			r.Wait()
			h := r.Last(c)
			fields, _ := h.Form()
			return len(fields) > 0
		}
		for _, c := range []string{"cancels", "phone", "moved", "closed"} {
			r.Asks(c)
			require.True(t, asked(c))
			h := r.Last(c)
			require.Equal(t, handoff.RoleEngine, h.Controller().Role, "what he writes is for the form, though the bot answers here")
		}
		_, err := r.Cancel(r.Ctx, "cancels", false)
		require.NoError(t, err)
		require.Equal(t, handoff.OutcomeCancelled, r.Now(handoff.ID{Conversation: "cancels", Number: 1}).Outcome)
		_, err = r.CallBack(r.Ctx, "phone", handoff.Callback{Phone: "+34 600"})
		require.NoError(t, err)
		require.False(t, asked("phone"))
		phone := r.Last("phone")
		require.Equal(t, handoff.RoleBot, phone.Controller().Role, "the bot goes on with him")
		require.True(t, say(t, r, "phone", "m1", "hm").Open())
		_, err = r.CallBack(r.Ctx, "phone", handoff.Callback{Phone: "+34 601"})
		require.NoError(t, err)
		require.Zero(t, count(r, phone.ID, handoff.KindCalled), "it has him already")
		_, err = r.Transfer(r.Ctx, r.Last("moved").ID, handoff.BySupervisor("sue"), handoff.Target{Queue: "other"})
		require.NoError(t, err)
		require.False(t, asked("moved"))
		say(t, r, "closed", "m1", "Invoice")
		r.Wait()
		h := r.Now(handoff.ID{Conversation: "closed", Number: 1})
		require.Equal(t, handoff.OutcomeUnavailable, h.Outcome)
		require.Equal(t, handoff.ReasonClosed, h.Missed)
	}, forms(func(q *handoff.Queue) { q.BotAnswers = true }), func(c *handoff.Config) {
		c.Queues = append(c.Queues, handoff.Queue{Name: "other"})
		c.Queues[1].Hours = handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"03:00-04:00"}}}
	})
}

// What he writes is an answer, unless it says that he wants nobody any more.
func TestFormWhileWaitingIsCancelledInWords(t *testing.T) {
	e, err := trigger.New(trigger.Config{})
	require.NoError(t, err)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		say(t, r, "c1", "m0", "I want to talk to a human")
		say(t, r, "c1", "m1", "Other")
		r.Wait()
		h := r.Last("c1")
		require.Equal(t, "Other", h.Answers["topic"])
		say(t, r, "c1", "m2", "I don't want a human")
		r.Wait()
		require.Equal(t, handoff.OutcomeCancelled, r.Now(h.ID).Outcome)
	}, forms(), func(c *handoff.Config) { c.Escalation = handoff.Escalation{Triggers: e, Queue: "support"} })
}

// The host's own dialog may ask in the queue, too: the bot has the user until
// it is over.
func TestHostsFormWhileWaiting(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m0", "a person please")
		asked, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.NoError(t, err)
		require.Equal(t, handoff.StateWaiting, asked.Handoff.State)
		_, err = r.Reply(r.Ctx, asked.Turn, handoff.Message{Text: "Your order?"})
		require.NoError(t, err)
		turn = say(t, r, "c1", "m1", "B777")
		require.True(t, turn.Open())
		h, err := r.Answer(r.Ctx, "c1", handoff.Response{Field: "order", Value: "B777"})
		require.NoError(t, err)
		require.Equal(t, handoff.RoleEngine, h.Controller().Role)
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "Thank you."})
		require.ErrorIs(t, err, handoff.ErrStale, "nobody speaks until the agent does")
		require.Equal(t, "B777", r.Agent("ann", 1).Accept().Answers["order"])
	}, forms(func(q *handoff.Queue) {
		q.Intake = &handoff.Form{WhileWaiting: true, Host: true, Fields: []handoff.Field{{Name: "order"}}}
	}))
}

// The choices of a field have words in each language, and are understood in
// them, by their numbers and as the Config has them; agents and routing get
// what the Config says.
func TestChoicesInTheUsersLanguage(t *testing.T) {
	words := wording.Words{
		handoff.NoticeQuestion: "{field, select, topic {Worum geht es?} other {{label}}}",
		handoff.NoticeChoice:   "{field, select, topic {{number, select, 1 {Rechnung} 2 {Steuer} other {Etwas anderes}}} other {{choice}}}",
	}
	catalog, err := wording.New(wording.Options{Words: map[string]wording.Words{"de": words}})
	require.NoError(t, err)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		speaks := func(c, language string) {
			turn, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: c, ID: "m0", Text: "a person please", Language: language})
			require.NoError(t, err)
			r.Asks(c, func(q *handoff.Request) { q.Conversation, q.Turn = "", turn })
		}
		for text, want := range map[string]string{"rechnung": "Invoice", "Invoice": "Invoice", "2": "Tax", " Etwas  anderes": "", "etwas anderes": "Other"} {
			c := strings.ReplaceAll("c "+text, " ", "_")
			speaks(c, "de-AT")
			saw := r.Users.Saw(c)
			q := saw[len(saw)-1]
			require.Equal(t, "Worum geht es?", q.Text)
			require.Equal(t, []string{"Rechnung", "Steuer", "Etwas anderes"}, q.Ask.Choices)
			require.Equal(t, []string{"Invoice", "Tax", "Other"}, q.Ask.Field.Choices)
			_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: c, ID: "m1", Text: text, Language: "en"})
			require.NoError(t, err)
			r.Wait()
			require.Equal(t, want, r.Last(c).Answers["topic"], "as it was shown, whatever he writes in")
			if want == "Invoice" {
				require.Equal(t, "billing", r.Last(c).Need.Queue)
			}
		}
		speaks("french", "fr")
		saw := r.Users.Saw("french")
		require.Equal(t, []string{"Invoice", "Tax", "Other"}, saw[len(saw)-1].Ask.Choices, "no French words for them")
	}, forms(), func(c *handoff.Config) { c.Notices = catalog })
}
