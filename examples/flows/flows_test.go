// Package flows plays how five products describe their handoff, each from
// start to end.
package flows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/notices"
	"github.com/seed-2a427302/handoff/provider/inmem"
	"github.com/seed-2a427302/handoff/trigger"
)

func triggers(t *testing.T, c trigger.Config) *trigger.Engine {
	t.Helper()
	e, err := trigger.New(c)
	require.NoError(t, err)
	return e
}

// shows requires that a user was shown a text.
func shows(t *testing.T, r *handofftest.Rig, conversation, text string) {
	t.Helper()
	r.Wait()
	require.Contains(t, strings.Join(r.Users.Texts(conversation), "\n"), text)
}

// has reports whether the latest handoff of a conversation has an entry.
func has(r *handofftest.Rig, conversation string, kind handoff.Kind) bool {
	r.Wait()
	return slices.ContainsFunc(r.Entries(r.Last(conversation).ID), func(e handoff.Entry) bool { return e.Kind == kind })
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
		// "Leverages existing ticketing templates": the ticket has the fields.
		_, err = r.Ticket(r.Ctx, h.ID, ann.By(), "No mail since nine.")
		require.NoError(t, err)
		require.Equal(t, 1, tickets.Calls("ticket"))
		// "Chat interface remains consistent": what she says comes in the same place.
		ann.Says(h.ID, "It works again.")
		shows(t, r, "template", "It works again.")
		// "After resolution, the conversation may return to the bot …"
		ann.Returns(h.ID, "restored")
		require.Equal(t, "restored", r.Bot.Calls(handoff.BotEnded)[0].Note)

		// "Specific phrases or questions", "detected frustration or repeated
		// failures" and "complex inquiries beyond bot capabilities" suggest a person;
		// a yes is enough.
		for c, says := range map[string][]string{
			"phrase":      {"my laptop was stolen"},
			"complex":     {"I need a refund for the licence"},
			"failures":    {"the mail does not come", "it is the mail of the new colleague"},
			"frustration": {"This is useless!!", "You are NOT helping, this is ridiculous!"},
		} {
			for i, text := range says {
				turn := r.Says(c, text)
				require.True(t, turn.Open(), c)
				_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "I did not get that.", Fallback: c == "failures"})
				require.NoError(t, err)
				if i == len(says)-1 {
					shows(t, r, c, "Would you like to talk to a person?")
				}
			}
			require.False(t, r.Says(c, "yes please").Open())
			require.Equal(t, "template", r.Last(c).Need.Queue)
			_, err := r.Cancel(r.Ctx, c, false)
			require.NoError(t, err)
		}

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
		c.Escalation = handoff.Escalation{Triggers: triggers(t, trigger.Config{
			Phrases:      []trigger.Phrase{{Text: "laptop was stolen"}},
			Unauthorised: map[string][]string{"money": {"refund"}},
			Policy: trigger.Policy{Reasons: map[trigger.Reason]trigger.Threshold{
				trigger.ReasonPhrase: {Offer: .5, Transfer: -1}, trigger.ReasonUnauthorised: {Offer: .5, Transfer: -1},
			}},
		}), Queue: "template"}
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
		// "Agent availability status (so the bot can set accurate wait time
		// expectations)."
		there, err := r.Availability(r.Ctx, handoff.Need{Queue: "support"})
		require.NoError(t, err)
		require.Equal(t, handoff.Online, there.Availability)
		require.Equal(t, 2, there.Waiting)
		// "A billing dispute that the bot cannot authorize": it hands over "the
		// full transcript, user metadata, and any flags".
		turn := r.Says("dana", "I was charged twice")
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "I cannot pay that back."})
		require.NoError(t, err)
		turn = r.Says("dana", "Are you kidding me? This is ridiculous!")
		_, err = r.Request(r.Ctx, handoff.Request{
			Turn: turn, Queue: "support", Reason: "not_authorised", Flags: []string{"frustrated"}, User: &handoff.Contact{ID: "u1", Name: "Dana"},
			Data: map[string]string{"invoice": "7"},
		})
		require.NoError(t, err)
		r.Sleep(time.Second)
		saw := r.Users.Texts("dana")
		require.Regexp(t, `^There are 2 people ahead of you, so the estimated wait is about \d+ minutes\.$`, saw[len(saw)-1])
		// "Two-way message passing during the transition period."
		require.False(t, r.Says("dana", "hello?").Open())
		// "New messages from the user route to the agent rather than the bot until
		// the agent resolves the conversation or returns it."
		for _, c := range []string{"first", "second", "third"} {
			ann.Ends(r.Last(c).ID)
			ann.Accept()
		}
		h := r.Last("dana")
		require.Equal(t, []string{"frustrated"}, h.Flags)
		require.Equal(t, "Dana", h.User.Name)
		script, err := r.Transcript(r.Ctx, h.ID)
		require.NoError(t, err)
		var said []string
		for _, e := range script {
			said = append(said, e.Text)
		}
		require.Subset(t, said, []string{"I was charged twice", "I cannot pay that back.", "Are you kidding me? This is ridiculous!", "hello?"})
		require.False(t, r.Says("dana", "the invoice is no. 7").Open())
		ann.Says(h.ID, "It is paid back.")
		shows(t, r, "dana", "It is paid back.") // "in the same chat window"
		ann.Returns(h.ID, "")
		require.True(t, r.Says("dana", "thanks").Open())

		// "Hybrid sessions where the agent monitors the bot and can step in
		// without a full handoff."
		r.Says("watched", "hello")
		live, stop := context.WithCancel(r.Ctx)
		for e, err := range r.Follow(live, r.Last("watched").ID, 0) {
			require.NoError(t, err)
			if e.Text == "hello" {
				break // he reads along
			}
		}
		stop()
		_, err = r.Join(r.Ctx, r.Last("watched").ID, ann.By(), handoff.Message{Text: "I am here, too."})
		require.NoError(t, err)
		shows(t, r, "watched", "I am here, too.")
		require.Equal(t, handoff.StateBot, r.Last("watched").State)
	}, func(c *handoff.Config) {
		c.Notices = words
		c.Queues[0].Expect.Handle, c.Queues[0].Expect.Patience, c.Queues[0].Expect.Weight = 2*time.Minute, time.Hour, 10
	})
}

// The same with the queue of a platform: "the chatbot platform's webhook posts
// the conversation context to the live chat API, creating a new conversation".
func TestConversationOnAPlatform(t *testing.T) {
	var platform *inmem.Platform
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		done := make(chan struct{})
		ctx, stop := context.WithCancel(r.Ctx)
		go func() {
			defer close(done)
			platform.Pump(ctx, func(ctx context.Context, w handoff.Webhook) error {
				_, err := r.Webhook(ctx, "inmem", w)
				return err
			})
		}()
		defer func() { stop(); <-done }()
		turn := r.Says("dana", "I was charged twice")
		asked, err := r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", User: &handoff.Contact{ID: "u1", Name: "Dana"}})
		require.NoError(t, err)
		r.Sleep(time.Second)
		chat := platform.Chats()[0]
		require.Equal(t, "I was charged twice", chat.Messages[0].Text)
		// "There are 2 people ahead of you", as the platform says.
		platform.Queue(chat.Reference, 3, 2*time.Minute)
		r.Sleep(time.Second)
		shows(t, r, "dana", "2 people are ahead of you.")
		r.Says("dana", "hello?")
		// "The next available agent picks it up, and the conversation continues in
		// the same chat window."
		platform.Join(chat.Reference, handoff.Party{ID: "7", Name: "Vera"})
		r.Sleep(time.Second)
		platform.Say(chat.Reference, "It is paid back.")
		r.Sleep(time.Second)
		shows(t, r, "dana", "It is paid back.")
		require.False(t, r.Says("dana", "thanks").Open())
		r.Sleep(time.Second)
		var got []string
		for _, m := range platform.Chats()[0].Messages {
			got = append(got, m.Text)
		}
		require.Equal(t, []string{"I was charged twice", "hello?", "It is paid back.", "thanks"}, got)
		// "… until the agent resolves the conversation."
		platform.End(chat.Reference)
		r.Sleep(time.Second)
		require.Equal(t, handoff.OutcomeResolved, r.Now(asked.Handoff.ID).Outcome)
		require.True(t, r.Says("dana", "one more thing").Open())
	}, func(c *handoff.Config) {
		platform = inmem.New(inmem.Options{}) // in the bubble, as what waits for it
		c.Providers = []handoff.Provider{platform.Provider()}
		c.Queues[0].Providers = []string{"inmem"}
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
			// "Check Live chat for using only text chat, Video chat for using only
			// video chat, both to use text and video chat."
			only := func(name string, m handoff.Mode) handoff.Queue {
				return handoff.Queue{Name: name, Modes: []handoff.Mode{m}}
			}
			c.Queues = append(c.Queues, only("live chat", handoff.ModeText), only("video chat", handoff.ModeVideo))
		})
	}
	play(form, func(t *testing.T, r *handofftest.Rig) {
		for queue, m := range map[string]handoff.Mode{"live chat": handoff.ModeVideo, "video chat": handoff.ModeText} {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "wrong", Queue: queue, Mode: m})
			require.ErrorIs(t, err, handoff.ErrInvalid)
		}
		// "3 types of notifications": what an agent's dashboard is told.
		told := map[string][]handoff.FeedEvent{}
		ctx, stop := context.WithCancel(r.Ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ev, err := range r.Feed(ctx, "") {
				if err != nil {
					return
				}
				told[ev.ID.Conversation] = append(told[ev.ID.Conversation], ev)
			}
		}()
		defer func() { stop(); <-done }()
		r.Wait()
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

		// "Enter the agent details": name, max chats, role, and the interfaces that
		// he is assigned to; "it is also possible to delete or edit".
		ann := r.Hire(handoff.Agent{ID: "ann", Name: "Ann", Seats: 1, Queues: []string{"support"}, Video: true})
		require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: "ann", Name: "Ann", Seats: 2, Queues: []string{"support", "video chat"}, Video: true}))
		r.Agent("former", 1)
		require.NoError(t, r.Floor.Delete(r.Ctx, "former"))
		// "Live chat request", and "Max Chats".
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
		r.Wait()
		says := func(c string, k handoff.Kind) bool {
			return slices.ContainsFunc(told[c], func(ev handoff.FeedEvent) bool { return slices.Contains(ev.Kinds, k) })
		}
		require.True(t, says("fresh", handoff.KindOpened))
		for _, c := range []string{"text", "video"} {
			require.True(t, says(c, handoff.KindRequested))
			require.Equal(t, c == "video", r.Now(handoff.ID{Conversation: c, Number: 1}).Need.Mode == handoff.ModeVideo)
		}
		ann.Decline("busy")
		_, err = r.TakeOver(r.Ctx, r.Last("fresh").ID, ann.By(), "support")
		require.NoError(t, err)
		shows(t, r, "fresh", "Ann takes over.")
		// "… or did not answer the request": the offline form again.
		r.Sleep(11 * time.Minute)
		shows(t, r, "third", "We are offline.")
		shows(t, r, "third", "Your name?")
		require.Equal(t, handoff.ReasonDeclined, r.Last("third").Missed)
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
