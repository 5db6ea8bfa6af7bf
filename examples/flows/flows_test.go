// Package flows plays how five products describe their handoff, each from
// start to end.
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
	"github.com/seed-2a427302/handoff/notices"
	"github.com/seed-2a427302/handoff/provider/inmem"
	"github.com/seed-2a427302/handoff/trigger"
)

func triggers(t *testing.T) *trigger.Engine {
	t.Helper()
	e, err := trigger.New(trigger.Config{})
	require.NoError(t, err)
	return e
}

// shows requires that a user was shown a text.
func shows(t *testing.T, r *handofftest.Rig, conversation, text string) {
	t.Helper()
	r.Wait()
	require.Contains(t, strings.Join(r.Users.Texts(conversation), "\n"), text)
}

// An IT help desk: a service template with its fields, and a direct flow.
func TestServiceTemplateAndDirectFlow(t *testing.T) {
	tickets := inmem.New(inmem.Options{})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		// "Users can explicitly ask to speak with a human agent."
		r.Says("template", "I want to talk to a human agent")
		// The template has "appropriate fields"; the bot "acknowledges".
		shows(t, r, "template", "Which system?")
		r.Says("template", "Mail")
		shows(t, r, "template", "I am getting a person for you.")
		// "User may see a queue position or estimated wait time."
		r.Sleep(time.Minute)
		shows(t, r, "template", "You are next.")
		// "Human agent joins the conversation with full context."
		ann := r.Agent("ann", 2, "template")
		h := ann.Accept()
		require.Equal(t, "Mail", h.Answers["system"])
		script, err := r.Transcript(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "I want to talk to a human agent", script[0].Text)
		// "After resolution, the conversation may return to the bot …"
		ann.Returns(h.ID, "restored")
		require.Equal(t, "restored", r.Bot.Calls(handoff.BotEnded)[0].Note)

		// The button "Connect to Agent" of the landing page, which collects
		// "preliminary information before connection".
		bob := r.Agent("bob", 1, "direct")
		got, err := r.Request(r.Ctx, handoff.Request{Conversation: "direct", Queue: "direct", Reason: "button", NoForm: true, Answers: map[string]string{"system": "VPN"}})
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, "VPN", bob.Accept().Answers["system"])
		bob.Ends(got.Handoff.ID) // "… or conclude."
		bob.Leaves()

		// "Define processes for when no agents are available": a ticket.
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "late", Queue: "direct", NoForm: true})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		r.Sleep(time.Minute)
		require.True(t, slices.ContainsFunc(r.Entries(handoff.ID{Conversation: "late", Number: 1}), func(e handoff.Entry) bool { return e.Kind == handoff.KindTicket }))

		// "Ensure chat metrics are properly captured for reporting."
		report, err := analytics.Compute(r.Ctx, r.Engine, analytics.Options{})
		require.NoError(t, err)
		require.Equal(t, 2, report.Total.Attended)
		require.Equal(t, 1, report.Total.Refused)
	}, func(c *handoff.Config) {
		form := &handoff.Form{Fields: []handoff.Field{{Name: "system", Label: "Which system?", Required: true}}}
		c.Providers = []handoff.Provider{tickets.Provider()}
		tool := tickets.Provider().Info().Name
		c.Queues = []handoff.Queue{
			{Name: "template", Intake: form, Tickets: tool},
			{Name: "direct", Intake: form, NeedAgents: true, Tickets: tool, Offline: handoff.Absence{Tell: true, Ticket: true}},
		}
		c.Escalation = handoff.Escalation{Triggers: triggers(t), Queue: "template"}
	})
}

// A billing dispute: the queue's text has people ahead and minutes.
func TestQueueTextWithPeopleAheadAndMinutes(t *testing.T) {
	words, err := notices.New(notices.Options{Words: map[string]notices.Words{"en": {
		handoff.NoticePlace: "{ahead, plural, one {There is # person} other {There are # people}} ahead of you, so the estimated wait is about {wait_high} minutes.",
	}}})
	require.NoError(t, err)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		r.Asks("first")
		ann.Accept()
		for _, c := range []string{"second", "third"} {
			r.Asks(c)
			r.Sleep(time.Second)
		}
		// "A billing dispute that the bot cannot authorize": it hands over "the
		// full transcript, user metadata, and any flags".
		turn := r.Says("dana", "I was charged twice, and nobody answers!")
		_, err := r.Request(r.Ctx, handoff.Request{
			Turn: turn, Queue: "support", Reason: "not_authorised", Flags: []string{"frustrated"}, User: &handoff.Contact{ID: "u1", Name: "Dana"},
		})
		require.NoError(t, err)
		r.Sleep(time.Second)
		saw := r.Users.Texts("dana")
		require.Regexp(t, `^There are 2 people ahead of you, so the estimated wait is about \d+ minutes\.$`, saw[len(saw)-1])
		// "New messages from the user route to the agent rather than the bot until
		// the agent resolves the conversation or returns it."
		for _, c := range []string{"first", "second", "third"} {
			ann.Ends(r.Last(c).ID)
			ann.Accept()
		}
		h := r.Last("dana")
		require.Equal(t, []string{"frustrated"}, h.Flags)
		require.Equal(t, "Dana", h.User.Name)
		require.False(t, r.Says("dana", "the invoice is no. 7").Open())
		ann.Says(h.ID, "It is paid back.")
		shows(t, r, "dana", "It is paid back.") // "in the same chat window"
		ann.Returns(h.ID, "")
		require.True(t, r.Says("dana", "thanks").Open())

		// "Hybrid sessions where the agent monitors the bot and can step in
		// without a full handoff."
		r.Says("watched", "hello")
		_, err = r.Join(r.Ctx, r.Last("watched").ID, ann.By(), handoff.Message{Text: "I am here, too."})
		require.NoError(t, err)
		shows(t, r, "watched", "I am here, too.")
		require.Equal(t, handoff.StateBot, r.Last("watched").State)
	}, func(c *handoff.Config) {
		c.Notices = words
		c.Queues[0].Expect.Handle, c.Queues[0].Expect.Patience, c.Queues[0].Expect.Weight = 2*time.Minute, time.Hour, 10
	})
}

// A chat component with a message for each moment, text and video.
func TestMessagesOfAChatComponent(t *testing.T) {
	words, err := notices.New(notices.Options{Queues: map[string]map[string]notices.Words{"support": {"en": {
		handoff.NoticeWaiting: "Welcome!", handoff.NoticeOffline: "We are offline.", handoff.NoticeTakeOver: "{agent} takes over.",
		handoff.NoticeVideo: "Video: {link}", handoff.NoticeJoined: "{agent} is assigned.",
	}}}})
	require.NoError(t, err)
	form := &handoff.Form{Fields: []handoff.Field{{Name: "name", Label: "Your name?"}, {Name: "mail", Label: "Your mail?", Kind: handoff.FieldMail}}}
	play := func(form *handoff.Form, f func(t *testing.T, r *handofftest.Rig)) {
		handofftest.Run(t, f, func(c *handoff.Config) {
			c.Notices = words
			c.Rooms = handoff.RoomLinks{Template: "https://meet.example.com/{room}", Secret: []byte("0123456789abcdef")}
			c.Queues[0].NeedAgents, c.Queues[0].Offline = true, handoff.Absence{Tell: true, Form: form}
		})
	}
	play(form, func(t *testing.T, r *handofftest.Rig) {
		// "Offline Message: displayed to visitor if agents are offline", with the
		// offline form and its buttons "Skip" and "Back".
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "night", Queue: "support"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		shows(t, r, "night", "We are offline.")
		_, err = r.Answer(r.Ctx, "night", handoff.Response{Skip: true})
		require.NoError(t, err)
		_, err = r.Answer(r.Ctx, "night", handoff.Response{Back: true})
		require.NoError(t, err)
		r.Says("night", "Dana")
		r.Says("night", "dana@example.com")
		require.True(t, r.Now(handoff.ID{Conversation: "night", Number: 1}).LeftMessage)

		// "Max Chats": conversations in parallel; the agent is assigned to this interface.
		ann := r.Hire(handoff.Agent{ID: "ann", Name: "Ann", Seats: 2, Queues: []string{"support"}, Video: true})
		r.Asks("text")
		shows(t, r, "text", "Welcome!")
		ann.Accept()
		shows(t, r, "text", "Ann is assigned.")
		// "Video Chat Message: displayed once video chat request is accepted."
		r.Asks("video", func(q *handoff.Request) { q.Mode = handoff.ModeVideo })
		shows(t, r, "video", "Welcome!")
		h := ann.Accept()
		shows(t, r, "video", "Video: "+h.Room.User)
		r.Asks("third")
		_, offered := ann.Offered()
		require.False(t, offered, "two at once are his most")
		// "New chat initiated", and "Takeover Message: if agent starts the human takeover".
		ann.Ends(h.ID)
		r.Says("fresh", "hello")
		require.Equal(t, handoff.KindOpened, r.Entries(r.Last("fresh").ID)[0].Kind)
		ann.Decline("busy")
		_, err = r.TakeOver(r.Ctx, r.Last("fresh").ID, ann.By(), "support")
		require.NoError(t, err)
		shows(t, r, "fresh", "Ann takes over.")
	})
	play(nil, func(t *testing.T, r *handofftest.Rig) {
		// "If not active, chat flow will continue to show the next component."
		turn := r.Says("c", "a person please")
		asked, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		_, err = r.Reply(r.Ctx, asked.Turn, handoff.Message{Text: "the next component"})
		require.NoError(t, err)
		shows(t, r, "c", "the next component")
	})
}

// Presence check, prechat, skill, a bot that stays out, failure.
func TestPresencePrechatAndSkill(t *testing.T) {
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

		// An answer with the addition live chat, and skill "returns". "URL based
		// routing will be performed"; the prechat event triggers a dialog of the bot.
		turn = r.Says("c", "I want to return it")
		asked, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Skills: []handoff.Skill{{Name: "returns"}}, URL: "https://shop.example.com/x"})
		require.NoError(t, err)
		require.Equal(t, handoff.StateIntake, asked.Handoff.State)
		// "When the transactional dialog is finished a handover will be done."
		_, err = r.Answer(r.Ctx, "c", handoff.Response{Field: "order", Value: "B7"})
		require.NoError(t, err)
		r.Wait()
		h := ann.Accept()
		require.Equal(t, "B7", h.Answers["order"])
		require.Equal(t, "shop", h.Need.Queue)
		ann.Ends(h.ID)
		// The bot "will no longer receive any interactions" for 24 hours.
		require.False(t, r.Says("c", "still there?").Open())
		r.Sleep(23 * time.Hour)
		require.False(t, r.Says("c", "hello?").Open())
		r.Sleep(2 * time.Hour)
		require.True(t, r.Says("c", "and now?").Open())
	}, func(c *handoff.Config) {
		c.Queues = []handoff.Queue{{
			Name: "shop", NeedAgents: true, StayOut: 24 * time.Hour,
			Intake: &handoff.Form{Host: true, Required: true, Fields: []handoff.Field{{Name: "order", Required: true}}},
		}}
		c.Choose = []handoff.Choice{{Queue: "shop", URL: "shop.example.com"}}
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
			Do: []automate.Action{{Tag: []string{"done"}}},
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
		turn := r.Says("c", "my parcel is lost")
		_, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", Reason: "flow_node", User: &handoff.Contact{ID: "u", Name: "Dana"}})
		require.NoError(t, err)
		// "Pre-chat survey: answers the user submitted after requesting live chat but
		// before a team member accepted": while he waits.
		shows(t, r, "c", "Which carrier?")
		r.Says("c", "DHL")
		// "New: incoming requests waiting to be accepted", with a preview.
		require.Equal(t, 1, tab(handoff.StateWaiting, handoff.StateOffered))
		ann := r.Agent("ann", 3)
		h := r.Last("c")
		script, err := r.Transcript(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "my parcel is lost", script[0].Text)
		h, err = r.Accept(r.Ctx, h.ID, ann.By(), 0)
		require.NoError(t, err)
		require.Equal(t, 1, tab(handoff.StateActive)) // "Open"
		require.Equal(t, "DHL", h.Answers["carrier"])
		found, err := r.Customers(r.Ctx, h.ID) // "Contact info"
		require.NoError(t, err)
		require.Equal(t, "7", found[0].ID)
		_, err = r.Note(r.Ctx, h.ID, ann.By(), "VIP") // "never visible to the end-user"
		require.NoError(t, err)
		reply := canned.Reply{Name: "hi", Text: "Hello {user}, {agent} here."}
		ann.Says(h.ID, reply.Fill(&h))
		shows(t, r, "c", "Hello Dana, ann here.")
		require.NotContains(t, strings.Join(r.Users.Texts("c"), " "), "VIP")
		require.NoError(t, rules.Run(r.Ctx, "follow-up", h.ID, ann.By().Once("press")))
		// "Once ended, control returns to the AI agent."
		ann.Ends(h.ID)
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
		require.Equal(t, 2, platform.Calls("ticket"))
		// "Download conversation transcripts in bulk. Filter by status, agent …"
		var file strings.Builder
		_, err = history.Export{Format: history.Text, Filter: history.Filter{Class: history.Completed, Query: handoff.Query{Agent: "ann"}}}.Write(r.Ctx, &file, r.Engine)
		require.NoError(t, err)
		require.Contains(t, file.String(), "Hello Dana, ann here.")
	}, func(c *handoff.Config) {
		c.CRM, c.Sinks = customers{}, map[string]handoff.Sink{"rules": rules}
		c.Providers = []handoff.Provider{platform.Provider()}
		c.Queues[0].Style, c.Queues[0].Tickets = handoff.Pull, platform.Provider().Info().Name
		c.Queues[0].Intake = &handoff.Form{WhileWaiting: true, Fields: []handoff.Field{{Name: "carrier", Label: "Which carrier?"}}}
	})
}
