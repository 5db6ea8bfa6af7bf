package enginetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Conversation is a whole one, in real time, on an engine for each of one or
// two stores, which share nothing but a place: what the user sees is the same.
func Conversation(t *testing.T, stores ...handoff.Store) {
	t.Helper()
	ctx := t.Context()
	channel := &Shown{}
	calls := make(chan handoff.BotCall, 100)
	config := func(c *handoff.Config) {
		c.Channel = channel
		c.Bot = handoff.BotFunc(func(_ context.Context, call handoff.BotCall) error {
			calls <- call
			return nil
		})
	}
	a := Engine(t, stores[0], config)
	b := a
	Run(t, a)
	if len(stores) > 1 {
		b = Engine(t, stores[1], config)
		Run(t, b)
	}

	says := func(e *handoff.Engine, id, text string) handoff.Turn {
		turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: id, Text: text})
		must(t, err)
		return turn
	}
	turn := says(a, "m1", "hello")
	_, err := b.Reply(ctx, turn, handoff.Message{ID: "r1", Text: "how can I help?"})
	must(t, err)
	turn = says(b, "m2", "a person, please")
	out, err := a.Request(ctx, handoff.Request{Turn: turn, Queue: "support"})
	must(t, err)
	id, ann := out.Handoff.ID, handoff.By("ann")
	if _, err = a.Reply(ctx, turn, handoff.Message{ID: "r2", Text: "too late"}); err == nil {
		t.Fatal("the bot still has the word")
	}
	says(b, "m3", "are you there?")
	_, err = b.Accept(ctx, id, ann, Offered(t, b, id))
	must(t, err)
	_, err = a.Send(ctx, id, ann, handoff.Message{ID: "s1", Text: "Ann here"})
	must(t, err)
	if says(a, "m4", "great").Open() {
		t.Fatal("the bot has the word while Ann has the user")
	}
	_, err = b.Send(ctx, id, ann, handoff.Message{ID: "s2", Text: "done"})
	must(t, err)
	_, err = a.Return(ctx, id, ann, "was about an invoice")
	must(t, err)

	var call handoff.BotCall
	for call.Kind != handoff.BotEnded {
		call = <-calls
	}
	if !call.Turn.Open() {
		t.Fatal("the bot does not have the word again")
	}
	_, err = b.Reply(ctx, call.Turn, handoff.Message{ID: "r3", Text: "me again"})
	must(t, err)
	Eventually(t, "the last word", func() bool { return strings.HasSuffix(channel.Said(), "me again") })
	equal(t, "what the user saw", channel.Said(), "how can I help?\nAnn here\ndone\nme again")
	if channel.Notices() == 0 {
		t.Fatal("no notices were shown")
	}
}

// WakeUp shows that what one process asks for is offered by another because of
// its hint: that one polls once an hour. ready returns when it listens.
func WakeUp(t *testing.T, listening, asking handoff.Store, ready func()) {
	t.Helper()
	Run(t, Engine(t, listening, Never))
	ready()
	e := Engine(t, asking) // does not run
	ann := handoff.By("ann")
	var took []time.Duration
	for i := range 20 {
		begun := time.Now()
		out, err := e.Request(t.Context(), handoff.Request{Conversation: fmt.Sprint("c", i), Queue: "support"})
		must(t, err)
		number := Offered(t, e, out.Handoff.ID)
		took = append(took, time.Since(begun))
		_, err = e.Accept(t.Context(), out.Handoff.ID, ann, number)
		must(t, err)
		_, err = e.End(t.Context(), out.Handoff.ID, ann, handoff.Ending{})
		must(t, err)
	}
	t.Logf("from the request there to the offer here: %v", took)
}
