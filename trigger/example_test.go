package trigger_test

import (
	"context"
	"fmt"

	"github.com/seed-2a427302/handoff/trigger"
)

// A bot gives its turns to the engine and keeps the state beside the
// conversation.
func Example() {
	eng, err := trigger.New(trigger.Config{})
	if err != nil {
		panic(err)
	}
	var state trigger.State
	say := func(t trigger.Turn) {
		var d trigger.Decision
		d, state = eng.Evaluate(context.Background(), state, t)
		if d.Action == trigger.None {
			fmt.Println("on with the bot")
			return
		}
		fmt.Println(d.Action, d.Primary.Reason, d.Primary.Evidence.Rule)
	}
	say(trigger.Turn{Text: "My parcel never came", Lang: "en"})
	say(trigger.Turn{Role: trigger.RoleBot, Text: "Sorry?", Fallback: true})
	say(trigger.Turn{Role: trigger.RoleBot, Text: "I did not get that.", Fallback: true})
	say(trigger.Turn{Text: "yes please", Lang: "en"})
	// Output:
	// on with the bot
	// on with the bot
	// offer fallbacks failures/row
	// transfer user_request answer/yes
}

// Read runs only the text rules. A request that a guard took back is reported
// with the guard's name.
func ExampleEngine_Read() {
	eng, err := trigger.New(trigger.Config{})
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"¿Me comunica con un asesor?", "No quiero hablar con un asesor"} {
		for _, s := range eng.Read(nil, text, "es") {
			fmt.Printf("%s %q guard=%q\n", s.Evidence.Rule, text[s.Evidence.Start:s.Evidence.End], s.Guard)
		}
	}
	// Output:
	// es/connect-me "Me comunica con un asesor" guard=""
	// es/talk-to "hablar con un asesor" guard="negated"
}

// A host adds words of its own trade to a built-in pack.
func ExamplePack_With() {
	packs, err := trigger.Builtin("en", "de")
	if err != nil {
		panic(err)
	}
	packs[0] = packs[0].With("human", "pharmacist")
	eng, err := trigger.New(trigger.Config{Packs: packs})
	if err != nil {
		panic(err)
	}
	sig := eng.Read(nil, "Could I speak to the pharmacist?", "en")
	fmt.Println(sig[0].Reason, sig[0].Evidence.Rule)
	// Output: user_request en/talk-to
}

// Policy overrides what a reason leads to.
func ExamplePolicy() {
	eng, err := trigger.New(trigger.Config{
		Topics: []string{"legal"},
		Policy: trigger.Policy{Reasons: map[trigger.Reason]trigger.Threshold{
			trigger.ReasonSensitiveTopic: {Now: -1, Transfer: -1}, // only ever offer
		}},
	})
	if err != nil {
		panic(err)
	}
	d, _ := eng.Evaluate(context.Background(), trigger.State{}, trigger.Turn{Text: "I will call my lawyer", Lang: "en"})
	fmt.Println(d.Action, d.Primary.Reason)
	// Output: offer sensitive_topic
}
