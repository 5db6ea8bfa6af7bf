package livechat_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

const (
	pages = "https://platform.text.com/docs/management/webhooks#"                       // version 3.6
	sdk   = "https://github.com/livechat/lc-sdk-go/blob/master/webhooks/testdata/"      // Apache-2.0
	parts = "https://platform.text.com/docs/messaging/agent-chat-api/data-structures/#" // version 3.6
)

// Webhooks as LiveChat shows them, shortened, without their secret, with the
// pages where they are, and what they are to an engine that cannot ask LiveChat
// about the chat.
var examples = []vendortest.Example{
	{
		Source: pages + "chat_deactivated",
		Body: `{"webhook_id":"w","action":"chat_deactivated","organization_id":"390e44e6-f1e6-0368c-z6ddb-74g14508c2ex","payload":{"chat_id":"PJ0MRSHTDG",
			"thread_id":"K600PKZON8","user_id":"b7eff798-f8df-4364-8059-649c35c9ed0c"},"additional_data":{"chat_properties":{},"chat_presence_user_ids":[]}}`,
		Reference: "PJ0MRSHTDG", Kinds: []handoff.ProviderEventKind{handoff.EventEnded},
	},
	{
		Source: pages + "chat_transferred (to the queue)",
		Body: `{"action":"chat_transferred","payload":{"chat_id":"PJ0MRSHTDG","thread_id":"K600PKZON8","requester_id":"jones@example.com","reason":"manual",
			"transferred_to":{"group_ids":[19],"agent_ids":["smith@example.com"]},"queue":{"position":42,"wait_time":1337,"queued_at":"2019-12-09T12:01:18.909000Z"}}}`,
		Reference: "PJ0MRSHTDG", Kinds: []handoff.ProviderEventKind{handoff.EventQueued},
	},
	{
		Source: pages + "chat_transferred (to an agent)",
		Body: `{"action":"chat_transferred","payload":{"chat_id":"PJ0MRSHTDG","requester_id":"jones@example.com","reason":"manual",
			"transferred_to":{"group_ids":[19],"agent_ids":["smith@example.com"]}}}`,
		Reference: "PJ0MRSHTDG", Kinds: []handoff.ProviderEventKind{handoff.EventTransferred},
	},
	{
		Source: pages + "user_added_to_chat, with the agent of its data structures",
		Body: `{"action":"user_added_to_chat","payload":{"chat_id":"PJ0MRSHTDG","thread_id":"K600PKZON8","user":{"id":"smith@example.com","name":"Agent Smith",
			"email":"smith@example.com","type":"agent","present":true,"visibility":"all"},"reason":"manual","requester_id":"smith@example.com"},"additional_data":{}}`,
		Reference: "PJ0MRSHTDG", Kinds: []handoff.ProviderEventKind{handoff.EventJoined}, Agent: "smith@example.com",
	},
	{
		Source: "the same, who only looks on",
		Body:   `{"action":"user_added_to_chat","payload":{"chat_id":"PJ0MRSHTDG","user":{"id":"smith@example.com","type":"agent","present":true,"visibility":"agents"}}}`,
	},
	{
		Source: sdk + "chat_user_added.json (a customer)",
		Body: `{"action":"chat_user_added","license_id":21377312,"payload":{"chat_id":"PJ0MRSHTDG","thread_id":"K600PKZON8","user":{"id":"345f8235-d60d-433e-63c5-7f813a6ffe25",
			"name":"test","present":true,"type":"customer","created_at":"2019-06-11T11:00:10.329000Z"},"user_type":"customer"},"additional_data":{}}`,
	},
	{
		Source: pages + "user_removed_from_chat",
		Body: `{"action":"user_removed_from_chat","payload":{"chat_id":"PJ0MRSHTDG","thread_id":"K600PKZON8","user_id":"agent@example.com","reason":"manual",
			"requester_id":"smith@example.com"},"additional_data":{}}`,
		Reference: "PJ0MRSHTDG", Kinds: []handoff.ProviderEventKind{handoff.EventLeft}, Agent: "agent@example.com",
	},
	{
		Source: sdk + "incoming_event.json (of a customer's widget; to be filtered by author_type)",
		Body: `{"action":"incoming_event","license_id":21377312,"payload":{"chat_id":"PS0X0L086G","thread_id":"PZ070E0W1B","event":{"type":"message","text":"14",
			"id":"PZ070E0W1B_3","custom_id":"1dnepb4z00t","recipients":"all","created_at":"2019-10-11T09:41:00.877000Z","author_id":"345f8235-d60d-433e-63c5-7f813a6ffe25"}}}`,
		Reference: "PS0X0L086G", Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Agent: "345f8235-d60d-433e-63c5-7f813a6ffe25", Text: "14",
	},
	{
		Source: parts + "file",
		Body: `{"action":"incoming_event","payload":{"chat_id":"PJ0MRSHTDG","event":{"id":"0affb00a-82d6-4e07-ae61-56ba5c36f743","custom_id":"31-0C-1C-07-DB-16","type":"file",
			"author_id":"smith@example.com","created_at":"2017-10-12T15:19:21.010200Z","visibility":"all","name":"image25.png","url":"https://example.com/image25.png",
			"content_type":"image/png","size":123444,"width":640,"height":480}}}`,
		Reference: "PJ0MRSHTDG", Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Agent: "smith@example.com",
	},
	{
		Source: parts + "system-message",
		Body: `{"action":"incoming_event","payload":{"chat_id":"PJ0MRSHTDG","event":{"id":"K_1","type":"system_message","text":"Agent Smith joined the chat",
			"system_message_type":"agent_joined","created_at":"2017-10-12T15:19:21.010200Z","visibility":"all"}}}`,
	},
	{
		Source: sdk + "incoming_chat.json (with an agent)",
		Body: `{"action":"incoming_chat","payload":{"chat":{"id":"PS0X0L086G","users":[{"id":"345f8235-d60d-433e-63c5-7f813a6ffe25","name":"test","present":true,"type":"customer"},
			{"id":"agent@livechatinc.com","name":"Łukasz","present":true,"type":"agent","routing_status":"accepting_chats"}],"thread":{"id":"PZ070E0W1B","active":true,
			"user_ids":["345f8235-d60d-433e-63c5-7f813a6ffe25"],"events":[{"type":"filled_form","fields":[{"label":"Name:","type":"name","value":"x"}]}]}}}}`,
		Reference: "PS0X0L086G", Kinds: []handoff.ProviderEventKind{handoff.EventJoined}, Agent: "agent@livechatinc.com",
	},
	{
		Source: pages + "routing_status_set",
		Body:   `{"action":"routing_status_set","payload":{"agent_id":"5c9871d5372c824cbf22d860a707a578","status":"accepting chats"}}`,
	},
}

func TestExamples(t *testing.T) {
	d := livechattest.New(t)
	d.Break(providertest.Refuses)
	p := adapter(t, d)
	sign := func(body []byte) handoff.Webhook { return livechattest.Sign(livechattest.Secret, body) }
	vendortest.CheckExamples(t, p, sign, examples)
	events, _, err := p.Receive(t.Context(), sign([]byte(examples[1].Body)))
	require.NoError(t, err)
	require.Len(t, events, 1)
	assert.Equal(t, []any{42, 1337 * time.Second}, []any{events[0].Position, events[0].Wait})
}

func FuzzReceive(f *testing.F) {
	d := livechattest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	ann := handoff.Party{ID: "7", Name: "Ann"}
	vendortest.Talk(d, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Queue, Position: 3},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Say, Text: "**é** <b>", Files: []handoff.File{{URL: "https://cdn.example/a.pdf?x=1", Name: "a.pdf", Size: 3}}},
		{Kind: providertest.Write, Text: "n"},
		{Kind: providertest.Leave},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
		{Kind: providertest.End},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	seeds := vendortest.Bodies(d.Webhooks())
	seeds = append(seeds, vendortest.ExampleBodies(examples)...)
	for _, text := range []string{
		`{}`, `null`, `{"action":"incoming_event"}`, `{"action":"incoming_chat","payload":{"chat":{"id":"c","thread":{"queue":{"position":-1,"wait_time":1e300}}}}}`,
		`{"action":"incoming_event","payload":{"chat_id":"c","event":{"id":"e","type":"file","author_id":"7","url":"x","size":1e300}}}`,
		`{"action":"user_removed_from_chat","payload":{"chat_id":"\u0000"}}`,
	} {
		seeds = append(seeds, []byte(text))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook { return livechattest.Sign(livechattest.Secret, body) }, seeds...)
}
