package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// newExample returns an engine that Ann and Bob serve and that is not running: every
// verb works without Run, and the examples show what each one does by itself.
func newExample() *handoff.Engine {
	e, err := handoff.New(handoff.Config{
		Store: memstore.New(),
		Directory: handoff.Staff{
			{ID: "ann", Name: "Ann", Queues: []string{"billing"}, Seats: 3},
			{ID: "bob", Name: "Bob", Queues: []string{"billing"}, Seats: 3},
		},
		Queues: []handoff.Queue{
			{Name: "billing", Style: handoff.Pull},
			{Name: "night", Style: handoff.Pull, Hours: closed{}},
		},
	})
	if err != nil {
		panic(err)
	}
	return e
}

// closed is never open.
type closed struct{}

func (closed) At(time.Time) (open bool, next time.Time) { return false, time.Time{} }

// ask lets a user write and ask for a person.
func ask(ctx context.Context, e *handoff.Engine, conversation string) handoff.ID {
	turn, err := e.Receive(ctx, handoff.Incoming{Conversation: conversation, ID: "m1", Text: "A person, please."})
	if err != nil {
		panic(err)
	}
	asked, err := e.Request(ctx, handoff.Request{Turn: turn, Queue: "billing"})
	if err != nil {
		panic(err)
	}
	return asked.Handoff.ID
}

// The turn is the bot's right to answer. The same message again gives none.
func ExampleEngine_Receive() {
	ctx, e := context.Background(), newExample()
	in := handoff.Incoming{Conversation: "c1", ID: "m1", Text: "Hello!"}

	turn, err := e.Receive(ctx, in)
	fmt.Println(turn.Open(), turn.Messages[0].Text, err)
	turn, err = e.Receive(ctx, in)
	fmt.Println(turn.Open(), err)
	// Output:
	// true Hello! <nil>
	// false <nil>
}

// A bot that is slower than a person is refused. Nothing was shown.
func ExampleEngine_Reply() {
	ctx, e := context.Background(), newExample()
	turn, _ := e.Receive(ctx, handoff.Incoming{Conversation: "c1", ID: "m1", Text: "Hello!"})

	_, err := e.Reply(ctx, turn, handoff.Message{Text: "One moment …"})
	fmt.Println(err)
	_, _ = e.TakeOver(ctx, turn.ID(), handoff.By("ann"), "billing")
	_, err = e.Reply(ctx, turn, handoff.Message{Text: "Here it is."})
	fmt.Println(errors.Is(err, handoff.ErrStale))
	// Output:
	// <nil>
	// true
}

func ExampleEngine_Request() {
	ctx, e := context.Background(), newExample()
	turn, _ := e.Receive(ctx, handoff.Incoming{Conversation: "c1", ID: "m1", Text: "I was charged twice!"})

	asked, err := e.Request(ctx, handoff.Request{
		Turn: turn, Queue: "billing", Reason: "not_authorised", Flags: []string{"frustrated"},
	})
	fmt.Println(asked.Handoff.State, asked.Place.Position, asked.Place.Known, err)
	again, _ := e.Request(ctx, handoff.Request{Conversation: "c1", Queue: "billing"})
	fmt.Println(again.Existing)
	// Output:
	// waiting 1 false <nil>
	// true
}

// A queue that is closed leaves the turn with the bot.
func ExampleEngine_Request_closed() {
	ctx, e := context.Background(), newExample()
	turn, _ := e.Receive(ctx, handoff.Incoming{Conversation: "c1", ID: "m1", Text: "A person, please."})

	asked, err := e.Request(ctx, handoff.Request{Turn: turn, Queue: "night"})
	var nobody *handoff.UnavailableError
	if errors.As(err, &nobody) {
		fmt.Println(nobody.Why, asked.Turn.Open())
	}
	// Output: closed true
}

// Words come out while they are written, and stop when control moves.
func ExampleEngine_Stream() {
	ctx, e := context.Background(), newExample()
	turn, _ := e.Receive(ctx, handoff.Incoming{Conversation: "c1", ID: "m1", Text: "Tell me a story."})

	s, err := e.Stream(ctx, turn, "story")
	fmt.Println(s.Write(ctx, "Once "), s.Write(ctx, "upon a time"), err)
	_, _ = e.TakeOver(ctx, turn.ID(), handoff.By("ann"), "billing")
	fmt.Println(s.Write(ctx, "there was a bot."))
	// Output:
	// <nil> <nil> <nil>
	// handoff: the turn is over
}

// WhileTurn stops a model as soon as its words would be thrown away.
func ExampleEngine_WhileTurn() {
	ctx, e := context.Background(), newExample()
	turn, _ := e.Receive(ctx, handoff.Incoming{Conversation: "c1", ID: "m1", Text: "Tell me a story."})

	model, cancel := e.WhileTurn(ctx, turn)
	defer cancel()
	_, _ = e.TakeOver(ctx, turn.ID(), handoff.By("ann"), "billing")
	<-model.Done()
	fmt.Println(context.Cause(model))
	// Output: handoff: the turn is over
}

// Of two who accept, one wins.
func ExampleEngine_Accept() {
	ctx, e := context.Background(), newExample()
	id := ask(ctx, e, "c1")

	h, err := e.Accept(ctx, id, handoff.By("ann"), 0) // from the list of a Pull queue
	fmt.Println(h.State, h.AgentName, err)
	_, err = e.Accept(ctx, id, handoff.By("bob"), 0)
	fmt.Println(err)
	// Output:
	// active Ann <nil>
	// handoff: accept is not allowed while active
}

func ExampleEngine_Send() {
	ctx, e := context.Background(), newExample()
	id := ask(ctx, e, "c1")

	_, err := e.Send(ctx, id, handoff.By("ann"), handoff.Message{Text: "Hello!"})
	fmt.Println(err)
	_, _ = e.Accept(ctx, id, handoff.By("ann"), 0)
	_, err = e.Send(ctx, id, handoff.By("ann"), handoff.Message{Text: "Hello!"})
	fmt.Println(err)
	// Output:
	// handoff: send is not allowed while waiting
	// <nil>
}

// What the user may see has no notes.
func ExampleEngine_FollowUser() {
	ctx, e := context.Background(), newExample()
	id, ann := ask(ctx, e, "c1"), handoff.By("ann")
	_, _ = e.Accept(ctx, id, ann, 0)
	_, _ = e.Note(ctx, id, ann, "He is the third today.")
	_, _ = e.Send(ctx, id, ann, handoff.Message{Text: "Hello!"})

	for m, err := range e.FollowUser(ctx, "c1", handoff.UserCursor{}) {
		if err != nil {
			break // ctx has ended
		}
		fmt.Printf("%s: %s\n", m.From.Role, m.Text)
		if m.From.Role == handoff.RoleAgent {
			break
		}
	}
	// Output:
	// user: A person, please.
	// engine: I am getting a person for you.
	// engine: Ann has joined the conversation.
	// agent: Hello!
}

// Follow has everything, for staff. To resume, pass the last Seq.
func ExampleEngine_Follow() {
	ctx, e := context.Background(), newExample()
	id := ask(ctx, e, "c1")
	_, _ = e.Accept(ctx, id, handoff.By("ann"), 0)
	_, _ = e.Return(ctx, id, handoff.By("ann"), "Refunded.")

	for entry, err := range e.Follow(ctx, id, 0) {
		fmt.Println(entry.Seq, entry.Kind)
		if err != nil || entry.Kind == handoff.KindEnded {
			break
		}
	}
	// Output:
	// 1 opened
	// 2 message
	// 3 requested
	// 4 enqueued
	// 5 notice
	// 6 joined
	// 7 notice
	// 8 returned
	// 9 ended
}

func ExampleEngine_Explain() {
	ctx, e := context.Background(), newExample()
	ask(ctx, e, "c1")
	second := ask(ctx, e, "c2")

	why, err := e.Explain(ctx, second)
	fmt.Println(why.Why, why.Place.Position, err)
	// Output: waits to be picked from the list 2 <nil>
}

// A router picks one of those who could take a handoff now.
func ExampleRouterFunc() {
	juniorFirst := handoff.RouterFunc(func(_ context.Context, _ *handoff.Handoff, free []handoff.Candidate) (string, string) {
		pick := free[0]
		for _, c := range free {
			if c.Agent.Skills["level"] < pick.Agent.Skills["level"] {
				pick = c
			}
		}
		return pick.Agent.ID, "junior first"
	})
	agent, why := juniorFirst.Route(context.Background(), &handoff.Handoff{}, []handoff.Candidate{
		{Agent: handoff.Agent{ID: "ann", Skills: map[string]int{"level": 3}}},
		{Agent: handoff.Agent{ID: "bob", Skills: map[string]int{"level": 1}}},
	})
	fmt.Println(agent, "because:", why)
	// Output: bob because: junior first
}
