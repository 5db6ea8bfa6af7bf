package handoff_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// leaves is an offline form that shares questions with the one before the queue.
func leaves() *handoff.Form {
	return &handoff.Form{Fields: []handoff.Field{
		{Name: "topic", Label: "What is it about?", Kind: handoff.FieldChoice, Choices: []string{"Invoice", "Other"}, Required: true},
		{Name: "order", Label: "Your order?", Kind: handoff.FieldNumber},
		{Name: "mail", Label: "Your mail?", Kind: handoff.FieldMail, Required: true},
		{Name: "text", Label: "What shall we tell the team?"},
	}}
}

// left returns the messages that were left in a handoff.
func left(r *handofftest.Rig, id handoff.ID) []map[string]string {
	var out []map[string]string
	for _, e := range r.Entries(id) {
		if e.Kind == handoff.KindLeft {
			out = append(out, e.Data)
		}
	}
	return out
}

// What a user has answered before the queue, in it, or to the bot is not asked
// again when nobody can help: it is a part of the message, and of the ticket.
func TestOfflineFormAsksWhatIsNotKnown(t *testing.T) {
	vendor := &ticketing{platform: platform{name: "vendor"}, made: map[string]string{}}
	before := &handoff.Form{Fields: []handoff.Field{
		{Name: "topic", Kind: handoff.FieldChoice, Choices: []string{"Invoice", "Tax"}, Queues: map[string]string{"Tax": "tax"}},
		{Name: "order"}, // in words, and the offline form wants a number
		{Name: "mail", Kind: handoff.FieldMail},
	}}
	during := *before
	during.WhileWaiting = true
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ends := func(id handoff.ID, want map[string]string) {
			t.Helper()
			r.Wait()
			h := r.Now(id)
			require.Equal(t, handoff.StateEnded, h.State)
			require.True(t, h.LeftMessage)
			require.Equal(t, []map[string]string{want}, left(r, id))
			r.Sleep(time.Minute)
			require.Len(t, vendor.made, 1)
			for name, text := range vendor.made {
				for k, v := range want {
					require.Contains(t, text, k+": "+v)
				}
				delete(vendor.made, name)
			}
		}
		// Answered before the queue, and nobody came.
		id := r.Asks("c1").ID
		say(t, r, "c1", "m1", "Invoice")
		say(t, r, "c1", "m2", "the blue one")
		say(t, r, "c1", "m3", "dana@example.com")
		r.Sleep(11 * time.Minute)
		h := r.Now(id)
		fields, next := h.Form()
		require.Equal(t, []string{"order", "text"}, []string{fields[0].Name, fields[1].Name})
		require.Len(t, fields, 2)
		require.Zero(t, next)
		saw := r.Users.Saw("c1")
		require.Equal(t, "Your order?", saw[len(saw)-1].Text)
		require.False(t, saw[len(saw)-1].Ask.Back)
		_, err := r.Answer(r.Ctx, "c1", handoff.Response{Back: true})
		require.NoError(t, err)
		require.Equal(t, "Your order?", fields[0].Label)
		say(t, r, "c1", "m4", "77")
		say(t, r, "c1", "m5", "call me")
		ends(id, map[string]string{"topic": "Invoice", "order": "77", "mail": "dana@example.com", "text": "call me"})

		// Half answered in the queue; its choice led to one that closed.
		id = r.Asks("c2", func(q *handoff.Request) { q.Queue = "during" }).ID
		say(t, r, "c2", "m1", "Tax")
		r.Wait()
		h = r.Now(id)
		fields, _ = h.Form()
		require.Len(t, fields, 4, "there it is no topic")
		for i, text := range []string{"Other", "5", "eve@example.com", "hello"} {
			say(t, r, "c2", "n"+string(rune('a'+i)), text)
		}
		ends(id, map[string]string{"topic": "Other", "order": "5", "mail": "eve@example.com", "text": "hello"})

		// Refused at the door, with what the bot knew.
		asked, err := r.Request(r.Ctx, handoff.Request{Conversation: "c3", Queue: "tax", Answers: map[string]string{
			"topic": "Other", "order": "9", "mail": "fay@example.com", "age": "7",
		}})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		fields, _ = asked.Handoff.Form()
		require.Len(t, fields, 1)
		_, err = r.Answer(r.Ctx, "c3", handoff.Response{Field: "mail", Value: "gil@example.com"})
		require.NoError(t, err, "he may still change what is known")
		say(t, r, "c3", "m1", "bye")
		ends(asked.Handoff.ID, map[string]string{"topic": "Other", "order": "9", "mail": "gil@example.com", "text": "bye"})
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{vendor}
		c.Queues = []handoff.Queue{
			{Name: "before", Intake: before, Offline: handoff.Absence{Form: leaves()}, Tickets: "vendor"},
			{Name: "during", Intake: &during, Offline: handoff.Absence{Form: leaves()}, Tickets: "vendor", Ladder: patient()},
			{Name: "tax", NeedAgents: true, Offline: handoff.Absence{Form: leaves()}, Tickets: "vendor"},
		}
	})
}

// Where everything is known, that is the message, without a question. Who is
// asked and answers nothing leaves nothing, whatever was known before.
func TestOfflineFormThatHasNothingToAsk(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		known := map[string]string{"topic": "Other", "order": "9", "mail": "fay@example.com", "text": "hello"}
		asked, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support", Answers: known})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		r.Wait()
		h := r.Now(asked.Handoff.ID)
		require.Equal(t, handoff.OutcomeUnavailable, h.Outcome)
		require.True(t, h.LeftMessage)
		require.Equal(t, []map[string]string{known}, left(r, h.ID))
		require.Equal(t, []string{"Nobody of our team is available right now.", "Thank you, your message was passed on."}, told(r, "c1"))

		some := map[string]string{"topic": "Other", "mail": "fay@example.com"}
		ask := func(c string) handoff.ID {
			asked, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support", Answers: some})
			require.ErrorIs(t, err, handoff.ErrUnavailable)
			return asked.Handoff.ID
		}
		for c, end := range map[string]func() error{
			"rest": func() error { _, err := r.Answer(r.Ctx, "rest", handoff.Response{Rest: true}); return err },
			"skip": func() error {
				_, err := r.Answer(r.Ctx, "skip", handoff.Response{Skip: true})
				require.NoError(t, err)
				_, err = r.Answer(r.Ctx, "skip", handoff.Response{Skip: true})
				return err
			},
			"back": func() error {
				say(t, r, "back", "m1", "5")
				_, err := r.Answer(r.Ctx, "back", handoff.Response{Back: true})
				require.NoError(t, err)
				_, err = r.Answer(r.Ctx, "back", handoff.Response{Skip: true})
				require.NoError(t, err)
				_, err = r.Answer(r.Ctx, "back", handoff.Response{Rest: true})
				return err
			},
			"lapse": func() error { r.Sleep(11 * time.Minute); return nil },
		} {
			id := ask(c)
			require.NoError(t, end(), c)
			h := r.Now(id)
			require.Equal(t, handoff.StateEnded, h.State, c)
			require.False(t, h.LeftMessage, c)
			require.Empty(t, left(r, id), c)
			require.Equal(t, "Other", h.Answers["topic"], "which is there to be read all the same")
			require.NotContains(t, notices(r, c), handoff.NoticeThanks)
		}
	}, func(c *handoff.Config) {
		c.Queues = []handoff.Queue{{Name: "support", NeedAgents: true, Offline: handoff.Absence{Form: leaves()}}}
	})
}

// What the bot knew of a request that was refused is kept, with a form or
// without: who looks through missed requests reads it.
func TestRefusedRequestKeepsWhatItBrought(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ask := handoff.Request{
			Conversation: "c1", Queue: "support", Answers: map[string]string{"topic": "Tax"}, Tags: []string{"vip"}, Flags: []string{"angry"},
			Note: "wrote twice", Summary: "The invoice is wrong.", Data: map[string]string{"order": "17"},
			History: []handoff.Past{{ID: "p1", Text: "my invoice is wrong"}},
		}
		asked, err := r.Request(r.Ctx, ask)
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		h := r.Now(asked.Handoff.ID)
		require.Equal(t, ask.Answers, h.Answers)
		require.Equal(t, ask.Tags, h.Tags)
		require.Equal(t, ask.Flags, h.Flags)
		require.Equal(t, ask.Summary, h.Summary)
		texts := map[handoff.Kind]string{}
		for _, e := range r.Entries(h.ID) {
			texts[e.Kind] += e.Text
			if e.Kind == handoff.KindRefused {
				require.Equal(t, "17", e.Data["order"])
				require.Equal(t, "support", e.Data["queue"])
			}
		}
		require.Equal(t, "wrote twice", texts[handoff.KindNote])
		require.Equal(t, "my invoice is wrong", texts[handoff.KindMessage])

		_, err = r.Request(r.Ctx, ask) // once more: the history is there already
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		texts = map[handoff.Kind]string{}
		for _, e := range r.Entries(h.ID) {
			texts[e.Kind] += e.Text
		}
		require.Equal(t, "my invoice is wrong", texts[handoff.KindMessage])
	}, func(c *handoff.Config) { c.Queues[0].NeedAgents = true })
}

// What a refused request brings passes the Redactor, as of any other.
func TestRefusedRequestIsRedacted(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Request(r.Ctx, handoff.Request{
			Conversation: "c1", Queue: "support", Answers: map[string]string{"topic": card}, Note: card, Summary: card, Data: map[string]string{"card": card},
			History: []handoff.Past{{ID: "p1", Text: card}},
		})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		require.NotContains(t, kept(t, r), card)
	}, func(c *handoff.Config) { c.Queues[0].NeedAgents, c.Redact = true, without })
}

// A Redactor may keep answers out of the store. They lead where they lead, also
// those that come in other commits than the last one, and going back takes them
// back.
func TestAnswersThatAreWithheldLead(t *testing.T) {
	hide := func(_ context.Context, c handoff.Content) (handoff.Content, error) {
		if c.Kind == handoff.KindMessage && c.From.Role == handoff.RoleUser {
			c.Text = ""
		}
		for k := range c.Data {
			if k == "answer" || strings.HasPrefix(k, "answers.") {
				delete(c.Data, k)
			}
		}
		return c, nil
	}
	for _, while := range []bool{false, true} {
		form := steering(while)
		for name, bring := range map[string]map[string]string{"asked": nil, "brought": {"topic": "Tax"}} {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				id := r.Asks("c1", func(q *handoff.Request) { q.Answers = bring }).ID
				if bring == nil {
					say(t, r, "c1", "m1", "invoice")
					_, err := r.Answer(r.Ctx, "c1", handoff.Response{Back: true})
					require.NoError(t, err)
					say(t, r, "c1", "m2", "Tax")
				}
				say(t, r, "c1", "m3", "dana@example.com")
				say(t, r, "c1", "m4", "person")
				r.Wait()
				h := r.Now(id)
				require.Equal(t, handoff.StateWaiting, h.State, name)
				require.Equal(t, "law", h.Need.Queue, name)
				require.Equal(t, []handoff.Skill{{Name: "tax", Level: 3}, {Name: "patience"}}, h.Need.Skills, name)
				require.Empty(t, h.Answers)
				_, next := h.Form()
				require.Zero(t, next)
				stored := kept(t, r)
				require.NotContains(t, stored, "dana@example.com")
				require.NotContains(t, stored, `"answer":`)
				require.NotContains(t, stored, `"intake":{`, "what a field leads to goes with the form")
			}, steered(form), func(c *handoff.Config) { c.Redact = hide })
		}
	}

	// An offline form whose answers are withheld is a message all the same.
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		asked, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		for i, text := range []string{"Other", "5", "eve@example.com"} {
			say(t, r, "c1", "n"+string(rune('a'+i)), text)
		}
		_, err = r.Answer(r.Ctx, "c1", handoff.Response{Rest: true})
		require.NoError(t, err)
		h := r.Now(asked.Handoff.ID)
		require.True(t, h.LeftMessage)
		require.Len(t, left(r, h.ID), 1)
	}, func(c *handoff.Config) {
		c.Queues = []handoff.Queue{{Name: "support", NeedAgents: true, Offline: handoff.Absence{Form: leaves()}}}
		c.Redact = hide
	})
}
