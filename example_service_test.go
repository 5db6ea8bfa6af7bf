package handoff_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"regexp"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/history"
	"github.com/seed-2a427302/handoff/memstore"
	wording "github.com/seed-2a427302/handoff/notices"
	"github.com/seed-2a427302/handoff/provider/inmem"
	"github.com/seed-2a427302/handoff/trigger"
)

// A whole service in one Config: what it does when users want a person, before
// they get one, when nobody is there, and afterwards.
func Example_service() {
	ok := func(err error) {
		if err != nil {
			log.Fatal(err) // everything that is wrong, each by its field
		}
	}

	// When a person is needed.
	triggers, err := trigger.New(trigger.Config{BotNames: []string{"Robby"}, TurnLimit: 8})
	ok(err)

	// The words for users, here two changes of those in five languages.
	words, err := wording.New(wording.Options{
		Queues: map[string]map[string]wording.Words{"support": {"en": {handoff.NoticeJoined: "{agent} of Acme is here."}}},
		Keys:   map[string][]string{"busy": nil}, // a notice of our own
		Words: map[string]wording.Words{
			"en": {"busy": "It is a busy day."}, "es": {"busy": "Hoy hay mucha demanda."}, "de": {"busy": "Heute ist viel los."},
			"fr": {"busy": "Nous sommes très sollicités."}, "pt": {"busy": "Hoje há muita procura."},
		},
	})
	ok(err)

	// What happens by rule.
	rules, err := automate.New([]automate.Rule{
		{
			Name: "done", On: []handoff.Kind{handoff.KindEnded}, If: automate.Condition{Outcomes: []handoff.Outcome{handoff.OutcomeResolved}},
			Do: []automate.Action{{Tag: []string{"done"}}},
		},
		{Name: "missed", On: []handoff.Kind{handoff.KindMissed}, Do: []automate.Action{{Note: "{user} was missed: {reason}"}}},
	}, automate.Options{})
	ok(err)

	digits := regexp.MustCompile(`\d{13,16}`)
	var counters analytics.Counters
	e, err := handoff.New(handoff.Config{
		Store:      memstore.New(),
		Directory:  handoff.Staff{{ID: "ann", Name: "Ann Lee", Alias: "Ann", Queues: []string{"support"}, Seats: 3, Video: true}},
		Escalation: handoff.Escalation{Triggers: triggers, Queue: "support"},
		Notices:    words,
		Rooms:      handoff.RoomLinks{Template: "https://meet.example.com/{room}", Secret: []byte("0123456789abcdef")},
		Providers:  []handoff.Provider{inmem.New(inmem.Options{}).Provider()}, // makes tickets, as those of docs/providers do
		Sinks:      map[string]handoff.Sink{"automations": rules},
		Hooks:      counters.Hooks(), // and those of otelhandoff, by And
		Redact: func(_ context.Context, c handoff.Content) (handoff.Content, error) {
			c.Text = digits.ReplaceAllString(c.Text, "****")
			return c, nil
		},
		KeepEnded: 90 * 24 * time.Hour,
		Queues: []handoff.Queue{{
			Name:  "support",
			Style: handoff.Pull,
			Intake: &handoff.Form{Fields: []handoff.Field{
				{Name: "order", Label: "Which order is it about?", Kind: handoff.FieldNumber, Required: true},
			}},
			Hours:   handoff.Weekly{Days: map[string][]handoff.Span{"mon-sun": {"00:00-24:00"}}},
			Closing: handoff.ClosingTurnAway,
			Ladder: []handoff.Rung{
				{After: 2 * time.Minute, Do: handoff.Tell, Notice: "busy"},
				{After: 5 * time.Minute, Do: handoff.AskMessage},
				{After: 15 * time.Minute, Do: handoff.ToBot},
			},
			NeedAgents: true,
			Offline: handoff.Absence{
				Tell: true, Ticket: true,
				Form: &handoff.Form{Fields: []handoff.Field{{Name: "mail", Label: "Where can we write to you?", Kind: handoff.FieldMail}}},
			},
			Tickets:      "inmem",
			VideoUnits:   2,
			AskRating:    handoff.AskAtEnd,
			Reopen:       handoff.ReopenAgent,
			CloseReasons: []string{"refund", "other"},
		}},
	})
	ok(err)
	rules.Use(e)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	go func() { ok(e.Run(ctx)) }()

	// Dana asks for a person and fills in the form; Ann takes her, in a video call.
	for i, text := range []string{"I want to talk to a human", "4711"} {
		_, err = e.Receive(ctx, handoff.Incoming{Conversation: "c1", ID: fmt.Sprint("m", i), Text: text, User: &handoff.Contact{ID: "u1", Name: "Dana"}})
		ok(err)
	}
	id, ann := handoff.ID{Conversation: "c1", Number: 1}, handoff.By("ann")
	_, err = e.Accept(ctx, id, ann, 0)
	ok(err)
	h, err := e.Video(ctx, id, ann)
	ok(err)
	_, err = e.Send(ctx, id, ann, handoff.Message{Text: "I have paid it back to card 4111111111111111."})
	ok(err)
	_, err = e.End(ctx, id, ann, handoff.Ending{Reason: "refund"})
	ok(err)
	_, err = e.Rate(ctx, id, 5, "")
	ok(err)

	// What she saw.
	for m, err := range e.FollowUser(ctx, "c1", handoff.UserCursor{}) {
		ok(err)
		switch m.Notice {
		case handoff.NoticePlace:
		case handoff.NoticeVideo:
			fmt.Println(m.From.Role, "a link to the call:", strings.Contains(m.Text, h.Room.User))
		default:
			fmt.Println(m.From.Role, m.Text)
		}
		if m.Notice == handoff.NoticeRate {
			break
		}
	}
	// What the rules did.
	for en, err := range e.Follow(ctx, id, 0) {
		ok(err)
		if en.Kind == handoff.KindTagged {
			break
		}
	}
	h, err = e.Get(ctx, id)
	ok(err)
	fmt.Println(h.Answers, h.Tags, h.Closing)

	// Afterwards.
	completed := history.Filter{Class: history.Completed}
	p, err := history.Export{Format: history.HTML, Audience: history.User, Filter: completed}.Write(ctx, io.Discard, e)
	ok(err)
	report, err := analytics.Compute(ctx, e, analytics.Options{})
	ok(err)
	mean, _ := report.Total.Rating()
	fmt.Println("exported:", p.Handoffs, "attended:", report.Total.Attended, "rating:", mean)
	// Output:
	// user I want to talk to a human
	// engine Which order is it about?
	// user 4711
	// engine I am getting a person for you.
	// engine Ann of Acme is here.
	// engine a link to the call: true
	// agent I have paid it back to card ****.
	// engine The conversation with our team has ended.
	// engine How was the conversation with our team? Please give it 1 to 5.
	// map[order:4711] [done] refund
	// exported: 1 attended: 1 rating: 5
}
