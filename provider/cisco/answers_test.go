package cisco_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/cisco"
	"github.com/seed-2a427302/handoff/provider/cisco/ciscotest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func read(body []byte) ([]handoff.ProviderEvent, error) { return cisco.Answers("r", body) }

const pages = "https://developer.cisco.com/docs/contact-center-express/"

// Answers as Cisco shows them, with the pages where they are. Their ends of
// elements, some of which are missing or have another name there, are put right.
var examples = []vendortest.Example{
	{
		Source: pages + "get-events (two events of it have one id, and one an id with a space)",
		Body: `<ChatEvents><PresenceEvent><id>2</id><from>Steve</from><status>joined</status></PresenceEvent>
			<TypingEvent><id>2</id><from>Steve</from><status>composing</status></TypingEvent>
			<MessageEvent><id>3</id><from>Steve</from><body>Hi There</body></MessageEvent>
			<MessageEvent><id>4 </id><from>Steve</from><body>How can I help you?</body></MessageEvent>
			<TypingEvent><id>3</id><from>Steve</from><status>paused</status></TypingEvent></ChatEvents>`,
		Kinds:     []handoff.ProviderEventKind{handoff.EventJoined, handoff.EventMessage, handoff.EventMessage},
		Reference: "r", Agent: "Steve", Text: "How can I help you?",
	},
	{
		Source: pages + "put-update",
		Body: `<ChatEvents><PresenceEvent><id>1</id><from>Steve</from><status>joined</status></PresenceEvent>
			<MessageEvent><id>2</id><from>Steve</from><body>Hi There</body></MessageEvent>
			<MessageEvent><id>3</id><from>Steve</from><body>How can I help you?</body></MessageEvent></ChatEvents>`,
		Kinds:     []handoff.ProviderEventKind{handoff.EventJoined, handoff.EventMessage, handoff.EventMessage},
		Reference: "r", Agent: "Steve", Text: "How can I help you?",
	},
	{
		Source: "what CiscoDevNet/socialminer-sample-code (chat-facebook-messenger/test/util/utilsSpec.js) decodes, as a message",
		Body:   `<chatEvents><MessageEvent><id>3</id><from>Steve</from><body>hello+world%20%3Chello+world%3E</body></MessageEvent></chatEvents>`,
		Kinds:  []handoff.ProviderEventKind{handoff.EventMessage}, Reference: "r", Agent: "Steve", Text: "hello world <hello world>",
	},
	{
		Source: pages + "get-events-parameters (a text with the statuses of which one may be told)",
		Body: `<ChatEvents><StatusEvent><id>1</id><status>chat_ok</status></StatusEvent>
			<StatusEvent><id>2</id><status>chat_issue</status><detail>XMPP Server is down.</detail></StatusEvent></ChatEvents>`,
	},
	{
		Source: "CiscoDevNet/socialminer-sample-code customer-chat/public/chat.html (nobody is there)",
		Body:   `<chatEvents><StatusEvent><id>2</id><status>chat_request_rejected_by_agent</status><detail>x</detail></StatusEvent></chatEvents>`,
		Kinds:  []handoff.ProviderEventKind{handoff.EventFailed}, Reference: "r",
	},
	{
		Source: "CiscoDevNet/socialminer-sample-code chat-facebook-messenger/src/routes/fb_webhook.js (the agent ends a chat by leaving)",
		Body: `<chatEvents><PresenceEvent><id>1</id><from>Steve</from><status>joined</status></PresenceEvent>
			<PresenceEvent><id>2</id><from>Steve</from><status>left</status></PresenceEvent></chatEvents>`,
		Kinds: []handoff.ProviderEventKind{handoff.EventJoined, handoff.EventEnded}, Reference: "r", Agent: "Steve",
	},
}

func TestExamples(t *testing.T) { vendortest.CheckAnswers(t, read, examples) }

func TestHostileAnswers(t *testing.T) {
	vendortest.CheckHostileXML(t, read, "chatEvents", "MessageEvent")
}

func FuzzAnswers(f *testing.F) {
	d := ciscotest.New(f)
	s, err := adapter(f, d).Open(context.Background(), opening("c"))
	require.NoError(f, err)
	seeds := vendortest.ExampleBodies(examples)
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: handoff.Party{ID: "7", Name: "Ann <&> é"}},
		{Kind: providertest.Say, Text: "**é** <b> 100% + 1\r\n👩"},
		{Kind: providertest.Type},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
		{Kind: providertest.Say, Text: "I am Bob"},
		{Kind: providertest.Say, Text: "!bot"},
		{Kind: providertest.End},
	} {
		a.Chat = s.Reference
		d.Do(a)
		seeds = append(seeds, d.Answer(s.Reference))
	}
	for _, in := range []string{
		"", "<StatusEvent/>", "<MessageEvent><id>1</id></MessageEvent>", "<MessageEvent><id></id><body>x</body></MessageEvent>",
		"<MessageEvent><id>1</id><from/><body>%</body></MessageEvent>", "<MessageEvent><id>1</id><from>%00</from><body>%00%ff</body></MessageEvent>",
		"<MessageEvent><id>-1</id><body>x</body></MessageEvent><MessageEvent><id>x</id><body>y</body></MessageEvent>",
		"<MessageEvent><id>99999999999999999999</id><body>x</body></MessageEvent>", "<PresenceEvent><id>1</id><from>A</from><status>away</status></PresenceEvent>",
		"<PresenceEvent><id>2</id><from>A</from><status>left</status></PresenceEvent><PresenceEvent><id>1</id><from>A</from><status>joined</status></PresenceEvent>",
		"<StatusEvent><id>3</id><status>chat_finished</status></StatusEvent>", "<StatusEvent><id>3</id><status>chat_finished_error</status><detail>d</detail></StatusEvent>",
		"<x:MessageEvent xmlns:x='y'><x:id>1</x:id><x:body><![CDATA[<b>]]></x:body></x:MessageEvent>", "<Other><id>1</id></Other><!-- c --><?p i?>",
	} {
		seeds = append(seeds, []byte("<chatEvents>"+in+"</chatEvents>"))
	}
	vendortest.FuzzAnswers(f, read, seeds...)
}

// told are the kinds of events, with the agent or the text of each.
func told(events []handoff.ProviderEvent) []string {
	out := make([]string, len(events))
	for i, ev := range events {
		out[i] = strings.TrimSpace(string(ev.Kind) + " " + ev.Agent.Name + " " + ev.Text + ev.Code)
	}
	return out
}

// presence is an event of somebody who comes or goes.
func presence(id int, who, status string) string {
	return fmt.Sprintf("<PresenceEvent><id>%d</id><from>%s</from><status>%s</status></PresenceEvent>", id, who, status)
}

func said(id int, who, text string) string {
	return fmt.Sprintf("<MessageEvent><id>%d</id><from>%s</from><body>%s</body></MessageEvent>", id, who, text)
}

func answer(events ...string) []byte {
	return []byte("<chatEvents>" + strings.Join(events, "") + "</chatEvents>")
}

// Of several agents in a room the one who came last has the chat.
func TestSeveralAgents(t *testing.T) {
	for _, c := range []struct {
		what    string
		answers [][]byte
		want    []string
	}{
		{
			"the one who was asked leaves again",
			[][]byte{answer(presence(1, "Ann", "joined"), presence(2, "Bob", "joined"), presence(3, "Bob", "left")), answer(presence(4, "Ann", "left"))},
			[]string{"joined Ann", "joined Bob", "joined Ann", "ended Ann"},
		},
		{
			"a supervisor looks in, under the same name",
			[][]byte{answer(presence(1, "Ann", "joined"), presence(2, "Ann", "joined"), presence(3, "Ann", "left"), said(4, "Ann", "x"), presence(5, "Ann", "left"))},
			[]string{"joined Ann", "message Ann x", "ended Ann"},
		},
		{
			"a transfer with nobody in between, in one answer",
			[][]byte{answer(presence(1, "Ann", "joined")), answer(presence(2, "Ann", "left"), presence(3, "Bob", "joined"))},
			[]string{"joined Ann", "joined Bob"},
		},
		{
			"one who leaves is not known to have come",
			[][]byte{answer(said(1, "Ann", "x"), presence(2, "Ann", "left"))},
			[]string{"message Ann x", "ended Ann"},
		},
		{
			"again, under the same ids",
			[][]byte{answer(presence(1, "Ann", "joined"), said(2, "Ann", "x")), answer(said(2, "Ann", "x"), presence(1, "Ann", "joined"))},
			[]string{"joined Ann", "message Ann x"},
		},
		{
			"typing of the past is none",
			[][]byte{
				answer("<TypingEvent><id>1</id><from>Ann</from><status>composing</status></TypingEvent>"),
				answer("<TypingEvent><id>2</id><from>Ann</from><status>paused</status></TypingEvent>"),
			},
			[]string{"typing Ann"},
		},
	} {
		events, err := cisco.Answers("r", c.answers...)
		require.NoError(t, err)
		assert.Equal(t, c.want, told(events), c.what)
	}
}

// What happens is in one answer in any order, each twice, and means the same.
func TestEveryOrderInOneAnswer(t *testing.T) {
	list := []string{
		presence(1, "Ann", "joined"), said(2, "Ann", "first"), presence(3, "Bob", "joined"), presence(4, "Ann", "left"), said(5, "Bob", "second"), presence(6, "Bob", "left"),
	}
	want := []string{"joined Ann", "message Ann first", "joined Bob", "message Bob second", "ended Bob"}
	orders := 0
	permute(list, func(order []string) {
		orders++
		events, err := cisco.Answers("r", answer(slices.Concat(order, order)...))
		require.NoError(t, err)
		require.Equal(t, want, told(events), "%q", order)
	})
	assert.Equal(t, 720, orders)
}

// permute calls f with every order of a list.
func permute(list []string, f func(order []string)) {
	var rest func(k int)
	rest = func(k int) {
		if k == len(list) {
			f(slices.Clone(list))
			return
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			rest(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	rest(0)
}

func TestNamesThatCannotBeStored(t *testing.T) {
	events, err := read(answer(said(1, strings.Repeat("a", 2*provider.MaxName), "%00"+strings.Repeat("x", provider.MaxText))))
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.NoError(t, events[0].Validate())
	assert.Equal(t, events[0].Agent.ID, events[0].Agent.Name)
}
