package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// All that a request brings reaches the agent, whether the bot asks or a button
// does, and stays with the record when it has ended.
func TestRequestBringsAllToTheAgent(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann", Seats: 2, Queues: []string{"support"}, Languages: []string{"de"}, Skills: map[string]int{"tax": 2}})
		for c, turn := range map[string]handoff.Turn{"asked": say(t, r, "asked", "m1", "hello"), "button": {}} {
			out, err := r.Request(r.Ctx, handoff.Request{
				Conversation: c, Turn: turn, Queue: "support", Skills: []handoff.Skill{{Name: "tax", Level: 2}}, Language: "de", Priority: 3,
				Exclude: []string{"eve"}, Reason: "billing", Flags: []string{"frustrated"}, Tags: []string{"vip"}, Note: "be kind", Summary: "charged twice",
				Data: map[string]string{"invoice": "7"}, Answers: map[string]string{"topic": "Invoice"},
				History: []handoff.Past{{ID: "p1", From: handoff.Party{Role: handoff.RoleBot}, Text: "How can I help?", At: time.Now().Add(-time.Hour)}},
				User: &handoff.Contact{
					ID: "u1", Name: "Dana", Mail: "dana@example.com", Phone: "+34 600", Verified: true, Attributes: map[string]string{"plan": "gold"},
				},
				Channel: "web", Locale: "de-AT", URL: "https://shop.example.com/x",
			})
			require.NoError(t, err)
			require.Equal(t, 3, out.Handoff.Need.Priority)
			r.Wait()
			h := ann.Accept()
			require.Equal(t, c, h.ID.Conversation)
			see := func(h handoff.Handoff) {
				require.Equal(t, []handoff.Skill{{Name: "tax", Level: 2}}, h.Need.Skills)
				require.Equal(t, "de", h.Need.Language)
				require.Equal(t, []string{"eve"}, h.Need.Exclude)
				require.Equal(t, handoff.Reason("billing"), h.Reason)
				require.Equal(t, []string{"frustrated"}, h.Flags)
				require.Equal(t, []string{"vip"}, h.Tags)
				require.Equal(t, "charged twice", h.Summary)
				require.Equal(t, map[string]string{"topic": "Invoice"}, h.Answers)
				require.Equal(t, "Dana dana@example.com +34 600", h.User.Name+" "+h.User.Mail+" "+h.User.Phone)
				require.True(t, h.User.Verified)
				require.Equal(t, "gold", h.User.Attributes["plan"])
				require.Equal(t, "web de-AT https://shop.example.com/x", h.Channel+" "+h.Language+" "+h.URL)
			}
			see(h)
			var note, past, with []string
			for _, e := range r.Entries(h.ID) {
				switch {
				case e.Kind == handoff.KindNote:
					note = append(note, e.Text)
				case e.Kind == handoff.KindMessage && e.Past:
					past = append(past, string(e.From.Role)+": "+e.Text)
				case e.Kind == handoff.KindRequested:
					with = append(with, e.Data["invoice"], e.Data["queue"])
				}
			}
			require.Equal(t, []string{"be kind"}, note)
			require.Equal(t, []string{"bot: How can I help?"}, past)
			require.Equal(t, []string{"7", "support"}, with)
			ann.Ends(h.ID)
			see(r.Now(h.ID))
		}
	}, func(c *handoff.Config) { c.Queues[0].Ladder = patient() })
}

// heardWords are notices that say what they were asked for.
type heardWords struct{}

func (heardWords) Text(n handoff.Notice) string {
	if n.Key == handoff.NoticePlace {
		return ""
	}
	return n.Key + " " + n.Language + " " + n.Queue + " " + n.Channel
}

// Who words the notices is told the user's language, the queue he is in and the
// channel he is on, as they are then.
func TestNoticesKnowQueueAndChannel(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1, "billing")
		r.Asks("c", func(q *handoff.Request) { q.Queue, q.Locale, q.Channel = "support", "de-AT", "sms" })
		require.NoError(t, give(r, "c", "topic", "Invoice"))
		r.Wait()
		h := ann.Accept()
		_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "hello", Language: "fr", Channel: "web"})
		require.NoError(t, err)
		ann.Ends(h.ID)
		require.Equal(t, []string{
			"choice de-AT support sms", "question de-AT support sms", "waiting de-AT billing sms", "joined de-AT billing sms", "ended fr billing web",
		}, append(r.Users.Saw("c")[0].Ask.Choices, told(r, "c")...))
	}, func(c *handoff.Config) {
		c.Notices = heardWords{}
		c.Queues = []handoff.Queue{
			{Name: "support", Intake: &handoff.Form{Fields: []handoff.Field{{
				Name: "topic", Kind: handoff.FieldChoice, Choices: []string{"Invoice"}, Queues: map[string]string{"Invoice": "billing"},
			}}}},
			{Name: "billing", Ladder: patient()},
		}
	})
}
