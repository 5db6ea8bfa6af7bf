package handoff_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// steering is a form of which several answers lead somewhere; later ones count
// more.
func steering(while bool) *handoff.Form {
	return &handoff.Form{WhileWaiting: while, Fields: []handoff.Field{
		{
			Name: "topic", Kind: handoff.FieldChoice, Choices: []string{"Invoice", "Tax", "Other"}, Required: true,
			Queues: map[string]string{"Invoice": "billing", "Tax": "law"}, Skills: map[string][]handoff.Skill{"Tax": {{Name: "tax", Level: 3}}},
		},
		{Name: "mail", Kind: handoff.FieldMail},
		{
			Name: "kind", Kind: handoff.FieldChoice, Choices: []string{"firm", "person"},
			Queues: map[string]string{"firm": "firms"}, Skills: map[string][]handoff.Skill{"person": {{Name: "patience"}}},
		},
	}}
}

func steered(form *handoff.Form, change ...func(c *handoff.Config)) func(c *handoff.Config) {
	return func(c *handoff.Config) {
		c.Queues = []handoff.Queue{{Name: "support", Intake: form, Ladder: patient()}}
		for _, name := range []string{"billing", "law", "firms", "other"} {
			c.Queues = append(c.Queues, handoff.Queue{Name: name, Ladder: patient()})
		}
		for _, f := range change {
			f(c)
		}
	}
}

// give answers one field in the words of its form; "" leaves it out.
func give(r *handofftest.Rig, conversation, field, value string) error {
	_, err := r.Answer(r.Ctx, conversation, handoff.Response{Field: field, Value: value, Skip: value == ""})
	return err
}

// Whatever answers come with a request, and in whatever order the others are
// given, the user comes to where he comes when he is asked for all.
func TestAnswersLeadWheneverTheyAreGiven(t *testing.T) {
	orders := [][]string{{"topic", "mail", "kind"}, {"kind", "mail", "topic"}, {"mail", "kind", "topic"}}
	for _, while := range []bool{false, true} {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			for _, topic := range []string{"Invoice", "Tax", "Other"} {
				for _, kind := range []string{"", "firm", "person"} {
					all := map[string]string{"topic": topic, "kind": kind, "mail": "dana@example.com"}
					var want handoff.Handoff
					for brought := range 8 {
						for o, order := range orders {
							c := fmt.Sprintf("%s-%s-%d-%d", topic, kind, brought, o)
							given := map[string]string{}
							for i, name := range orders[0] {
								if brought&(1<<i) != 0 && all[name] != "" {
									given[name] = all[name]
								}
							}
							h := r.Asks(c, func(q *handoff.Request) {
								q.Answers, q.Skills = given, []handoff.Skill{{Name: "en"}}
							})
							for _, name := range order {
								if _, ok := given[name]; !ok {
									require.NoError(t, give(r, c, name, all[name]), "%s: %s", c, name)
								}
							}
							got := r.Now(h.ID)
							fields, _ := got.Form()
							require.Empty(t, fields, c)
							require.Equal(t, handoff.StateWaiting, got.State, c)
							if brought == 0 && o == 0 {
								want = got
							}
							require.Equal(t, want.Need, got.Need, c)
							require.Equal(t, want.Answers, got.Answers, c)
						}
					}
					led := map[string]string{"Invoice": "billing", "Tax": "law", "Other": "support"}[topic]
					if kind == "firm" {
						led = "firms"
					}
					require.Equal(t, led, want.Need.Queue)
					require.Equal(t, kind == "person", len(want.Need.Skills) > 1 && want.Need.Skills[len(want.Need.Skills)-1].Name == "patience")
				}
			}
		}, steered(steering(while)))
	}
}

// The host's own dialog brings all that it has asked: nothing more is asked, and
// what it brings leads all the same.
func TestAnswersLeadWithoutAForm(t *testing.T) {
	for _, while := range []bool{false, true} {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			h := r.Asks("c1", func(q *handoff.Request) { q.NoForm, q.Answers = true, map[string]string{"topic": "Tax", "age": "7"} })
			require.Equal(t, handoff.StateWaiting, h.State)
			require.Equal(t, "law", h.Need.Queue)
			require.Equal(t, []handoff.Skill{{Name: "tax", Level: 3}}, h.Need.Skills)
			require.Equal(t, map[string]string{"topic": "Tax", "age": "7"}, h.Answers)
			fields, _ := h.Form()
			require.Empty(t, fields)
			require.NotContains(t, notices(r, "c1"), handoff.NoticeQuestion)
			require.Empty(t, r.Entries(h.ID)[1].Data["diverted_from"], "nobody sent him away")
		}, steered(steering(while)))
	}
}

// An answer that its field does not take names the field, and nothing is stored.
func TestAnswersOfARequestAreChecked(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := say(t, r, "c1", "m1", "a person please")
		for field, values := range map[string][]string{
			"topic": {"invoice", "", "Invoice\x00", strings.Repeat("x", 2000)},
			"mail":  {"dana", "Dana <dana@example.com>", "a@example.com\r\nBcc: b@example.com"},
			"kind":  {"1", "persons"},
		} {
			for _, v := range values {
				for _, without := range []bool{false, true} {
					_, err := r.Request(r.Ctx, handoff.Request{
						Turn: turn, Queue: "support", NoForm: without, Answers: map[string]string{field: v},
					})
					var no *handoff.InvalidError
					require.ErrorAs(t, err, &no, "%s=%.20q", field, v)
					if !strings.Contains(v, "\x00") {
						require.Equal(t, "Request.Answers."+field, no.Field)
					}
				}
			}
		}
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", Answers: map[string]string{"note": strings.Repeat("x", 1<<20)}})
		require.ErrorIs(t, err, handoff.ErrInvalid)
		h := r.Last("c1")
		require.Equal(t, handoff.StateBot, h.State)
		require.Empty(t, h.Answers)
		require.Len(t, r.Entries(h.ID), 2)
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "Sorry?"})
		require.NoError(t, err, "the turn is as good as before")
	}, steered(steering(false)))
}

// The queue that the answers lead to is asked at the door: it says no to the bot
// before anybody is told anything, and may send him on.
func TestAnswersLeadToADoor(t *testing.T) {
	shut := handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"03:00-04:00"}}}
	for _, while := range []bool{false, true} {
		form := steering(while)
		form.Fields = form.Fields[:1]
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			turn := say(t, r, "c1", "m1", "a person please")
			_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", Answers: map[string]string{"topic": "Invoice"}})
			var no *handoff.UnavailableError
			require.ErrorAs(t, err, &no)
			require.Equal(t, "billing", no.Queue)
			require.Equal(t, handoff.ReasonClosed, no.Why)
			require.Equal(t, handoff.StateBot, r.Last("c1").State)
			_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "They are closed."})
			require.NoError(t, err)

			got, err := r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support", Answers: map[string]string{"topic": "Tax"}})
			require.NoError(t, err)
			require.Equal(t, "other", got.Handoff.Need.Queue, "law sends him on")
			require.Equal(t, []handoff.Skill{{Name: "tax", Level: 3}}, got.Handoff.Need.Skills)
			require.Equal(t, "law", r.Entries(got.Handoff.ID)[1].Data["diverted_from"])
		}, steered(form, func(c *handoff.Config) {
			c.Queues[1].Hours = shut
			c.Queues[2].Hours, c.Queues[2].Divert = shut, "other"
		}))
	}
}

// A queue that sends him on may have a form of its own, with other questions of
// the same names: what does not answer those is asked.
func TestAnswersAtAnotherDoor(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c1", func(q *handoff.Request) { q.Answers = map[string]string{"topic": "Other", "mail": "dana@example.com"} })
		require.Equal(t, handoff.StateIntake, h.State)
		fields, next := h.Form()
		require.Equal(t, "topic", fields[next].Name)
		require.Len(t, fields, 1, "the mail address is known")
		require.NoError(t, give(r, "c1", "", "12"))
		require.Equal(t, "other", r.Now(h.ID).Need.Queue)
	}, steered(steering(false), func(c *handoff.Config) {
		c.Queues[0].Hours, c.Queues[0].Divert = handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"03:00-04:00"}}}, "other"
		c.Queues[4].Intake = &handoff.Form{Fields: []handoff.Field{{Name: "topic", Kind: handoff.FieldNumber}, {Name: "mail", Kind: handoff.FieldMail}}}
	}))
}

// A queue that a platform serves asks nothing more: the platform does.
func TestAnswersLeadToAPlatform(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c1", func(q *handoff.Request) { q.Answers = map[string]string{"topic": "Invoice"} })
		require.Equal(t, "vendor", h.Provider)
		fields, _ := h.Form()
		require.Empty(t, fields)
	}, steered(steering(true), func(c *handoff.Config) {
		c.Providers = []handoff.Provider{inmem.New(inmem.Options{Name: "vendor"}).Provider()}
		c.Queues[1].Providers = []string{"vendor"}
	}))
}

// An answer before its turn is taken, and what was not asked yet still is. One
// that is left out is taken back.
func TestAnswersBeforeTheirTurn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c1")
		require.NoError(t, give(r, "c1", "kind", "firm"))
		require.Equal(t, handoff.StateIntake, r.Now(h.ID).State, "what is required is still asked")
		require.NoError(t, give(r, "c1", "topic", "Tax"))
		require.NoError(t, give(r, "c1", "kind", "person"), "he may still change his mind")
		require.ErrorIs(t, give(r, "c1", "topic", ""), handoff.ErrInvalid, "is required")
		_, err := r.Answer(r.Ctx, "c1", handoff.Response{Back: true})
		require.NoError(t, err)
		require.NoError(t, give(r, "c1", "topic", "Other"))
		require.NoError(t, give(r, "c1", "kind", ""))
		require.NoError(t, give(r, "c1", "mail", "dana@example.com"))
		got := r.Now(h.ID)
		require.Equal(t, handoff.StateWaiting, got.State)
		require.Equal(t, "support", got.Need.Queue)
		require.Empty(t, got.Need.Skills)
		require.Equal(t, map[string]string{"topic": "Other", "mail": "dana@example.com"}, got.Answers)
	}, steered(steering(false)))
}

// What is asked for depends on what he answers and how long he waits, not on
// which of the two came first: an answer undoes no step of the ladder, and gives
// it no more time.
func TestAnswersAndTimeCommute(t *testing.T) {
	form := &handoff.Form{WhileWaiting: true, Fields: []handoff.Field{
		{Name: "topic", Kind: handoff.FieldChoice, Choices: []string{"Tax", "Car"}, Skills: map[string][]handoff.Skill{
			"Tax": {{Name: "tax", Level: 6, Optional: true, Weight: 2}}, "Car": {{Name: "car", Level: 9}},
		}},
		{Name: "kind", Kind: handoff.FieldChoice, Choices: []string{"firm"}, Skills: map[string][]handoff.Skill{
			"firm": {{Name: "firms", Optional: true, Weight: 1}, {Name: "calm", Level: 1}},
		}},
		{Name: "note"},
	}}
	const end = 8 * time.Minute
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		asks := func(c string, answers map[string]string) handoff.ID {
			return r.Asks(c, func(q *handoff.Request) {
				q.Answers, q.Skills = answers, []handoff.Skill{{Name: "en", Optional: true, Weight: 3}}
			}).ID
		}
		type ask struct {
			id    handoff.ID
			topic string
			at    [2]time.Duration
		}
		want, wanted := map[string]handoff.ID{}, map[string]handoff.Need{}
		var asked []ask
		for _, topic := range []string{"Tax", "Car"} {
			want[topic] = asks("all-"+topic, map[string]string{"topic": topic, "kind": "firm"})
			for _, first := range []int{0, 90, 150, 270} {
				for _, second := range []int{30, 120, 210, 300} {
					id := asks(fmt.Sprintf("%s-%d-%d", topic, first, second), nil)
					asked = append(asked, ask{id, topic, [2]time.Duration{time.Duration(first) * time.Second, time.Duration(second) * time.Second}})
				}
			}
		}
		for now := time.Duration(0); now < end; now += 30 * time.Second {
			for _, a := range asked {
				if a.at[0] == now {
					require.NoError(t, give(r, a.id.Conversation, "topic", a.topic))
				}
				if a.at[1] == now {
					require.NoError(t, give(r, a.id.Conversation, "kind", "firm"))
				}
			}
			r.Sleep(30 * time.Second)
		}
		for topic, id := range want {
			h := r.Now(id)
			wanted[topic] = h.Need
			require.Equal(t, handoff.StateWaiting, h.State)
			require.Equal(t, []string{"other"}, h.Need.Also)
			require.NotEmpty(t, h.Dropped)
		}
		for _, a := range asked {
			h := r.Now(a.id)
			twin := r.Now(want[a.topic])
			require.Equal(t, wanted[a.topic], h.Need, a.id.Conversation)
			require.ElementsMatch(t, twin.Dropped, h.Dropped, a.id.Conversation)
			require.Equal(t, twin.Enqueued, h.Enqueued)
		}
		r.Sleep(2*time.Minute + 10*time.Second)
		for _, a := range asked {
			h := r.Now(a.id)
			require.Equal(t, handoff.OutcomeMissed, h.Outcome, "%s: the ladder was not given more time", a.id.Conversation)
		}
	}, steered(form, func(c *handoff.Config) {
		c.Queues[0].IntakeTimeout = handoff.Never
		c.Queues[0].Ladder = []handoff.Rung{
			{After: time.Minute, Do: handoff.RelaxSkills},
			{After: 2 * time.Minute, Do: handoff.RelaxLevels, By: 4},
			{After: 3 * time.Minute, Do: handoff.Widen, Queue: "other"},
			{After: 4 * time.Minute, Do: handoff.RelaxSkills},
			{After: 10 * time.Minute, Do: handoff.ToBot},
		}
	}))
}

// Whom the ladder has brought to another queue stays there when he says what it
// is about, and what time took off stays off there, too.
func TestAnswersAfterAnOverflow(t *testing.T) {
	form := steering(true)
	form.Fields[0].Queues = nil
	form.Fields[0].Skills["Tax"] = []handoff.Skill{{Name: "tax", Optional: true}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c1", func(q *handoff.Request) { q.Skills = []handoff.Skill{{Name: "en", Optional: true, Weight: 1}} })
		r.Sleep(3 * time.Minute)
		require.Equal(t, "other", r.Now(h.ID).Need.Queue)
		require.NoError(t, give(r, "c1", "topic", "Tax"))
		now := r.Now(h.ID)
		require.Equal(t, "other", now.Need.Queue)
		require.Equal(t, []handoff.Skill{{Name: "en", Optional: true, Weight: 1}}, now.Need.Skills, "the lightest went a minute ago")
		require.Equal(t, []handoff.Skill{{Name: "tax", Optional: true}}, now.Dropped)
		require.Equal(t, 2, count(r, h.ID, handoff.KindRelaxed))
		require.NoError(t, give(r, "c1", "kind", "firm"))
		now = r.Now(h.ID)
		require.Equal(t, "firms", now.Need.Queue, "a choice of a queue is one")
		require.Len(t, now.Need.Skills, 2)
		require.Empty(t, now.Dropped, "where he has not waited yet")
		require.Equal(t, h.Enqueued, now.Enqueued)
	}, steered(form, func(c *handoff.Config) {
		c.Queues[0].Ladder = []handoff.Rung{{After: time.Minute, Do: handoff.RelaxSkills}, {After: 2 * time.Minute, Do: handoff.Overflow, Queue: "other"}}
	}))
}

// An answer that asks for what time takes off at once leaves an offer as it is.
func TestAnswerThatComesTooLateToAskForMore(t *testing.T) {
	form := steering(true)
	form.Fields[0].Queues, form.Fields[0].Skills = nil, map[string][]handoff.Skill{
		"Tax": {{Name: "tax", Optional: true}}, "Invoice": {{Name: "invoices"}},
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c1")
		r.Sleep(2 * time.Minute)
		r.Agent("ann", 1)
		r.Wait()
		offer := r.Now(h.ID).Offers
		require.NotEmpty(t, offer)
		require.NoError(t, give(r, "c1", "topic", "Tax"))
		now := r.Now(h.ID)
		require.Equal(t, offer, now.Offers)
		require.Equal(t, []handoff.Skill{{Name: "tax", Optional: true}}, now.Dropped, "the agent reads what he does not know")
		require.NoError(t, give(r, "c1", "topic", "Invoice"))
		now = r.Now(h.ID)
		require.Empty(t, now.Offers, "she knows nothing of those")
		require.Empty(t, now.Dropped)
	}, steered(form, func(c *handoff.Config) {
		c.Queues[0].OfferTimeout = time.Hour
		c.Queues[0].Ladder = []handoff.Rung{{After: time.Minute, Do: handoff.RelaxSkills}, {After: time.Hour, Do: handoff.ToBot}}
	}))
}

// Whoever asks why somebody still waits reads what the form asks him.
func TestExplainNamesTheQuestion(t *testing.T) {
	for _, while := range []bool{false, true} {
		form := asking()
		form.WhileWaiting = while
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			ask := func() string {
				x, err := r.Explain(r.Ctx, r.Last("c1").ID)
				require.NoError(t, err)
				require.NotEmpty(t, x.Why)
				return x.Asking
			}
			r.Asks("c1")
			require.Equal(t, "What is it about?", ask())
			require.NoError(t, give(r, "c1", "topic", "Other"))
			require.Equal(t, "Your mail address?", ask())
			require.NoError(t, give(r, "c1", "mail", "dana@example.com"))
			require.NoError(t, give(r, "c1", "order", ""))
			require.Empty(t, ask())
		}, forms(func(q *handoff.Queue) { q.Intake = form }))
	}
}
