package freshchat_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/freshchat/freshchattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// Webhooks as Freshworks shows them, shortened, with the pages where they are,
// and what they are to an engine.
var examples = []vendortest.Example{
	{
		Source: "https://support.freshchat.com/support/solutions/articles/239404 (2021)",
		Body: `{"actor":{"actor_type":"agent","actor_id":"fba1873d-67d6-4d63-be97-53b29ae1e42a"},"action":"message_create","action_time":"2021-08-17T08:06:22.824Z",
			"data":{"message":{"message_parts":[{"text":{"content":"hello"}}],"actor_id":"fba1873d-67d6-4d63-be97-53b29ae1e42a","org_actor_id":"345162432277281455",
			"id":"6896afdc-23bc-45cc-8bfe-d5ecfbab6dc1","conversation_id":"ac2175df14d36caf64e9a578fad89070","interaction_id":"515435468500047-1628507537000",
			"message_type":"normal","actor_type":"agent","created_time":"2021-08-17T08:06:22.803Z","message_source":"web"}}}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Agent: "fba1873d-67d6-4d63-be97-53b29ae1e42a", Reference: "ac2175df14d36caf64e9a578fad89070", Text: "hello",
	},
	{
		Source: "https://crmsupport.freshworks.com/support/solutions/articles/50000004461 (2022: no message_type)",
		Body: `{"actor":{"actor_type":"agent","actor_id":"1b8d2418-89a3-4de6-b93c-9f6557f13d04"},"action":"message_create","action_time":"2022-11-22T10:55:23.126Z",
			"data":{"message":{"message_parts":[{"text":{"content":"হাই"}}],"actor_id":"1b8d2418-89a3-4de6-b93c-9f6557f13d04","id":"a834cd45-c463-4644-b254-be920924a998",
			"conversation_id":"35e80ec8-c697-42e4-8ce9-a47a050b1d1a","actor_type":"agent","created_time":"2022-11-22T10:55:23.126Z",
			"restrictResponse":false,"botsPrivateNote":false}}}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Agent: "1b8d2418-89a3-4de6-b93c-9f6557f13d04", Reference: "35e80ec8-c697-42e4-8ce9-a47a050b1d1a", Text: "হাই",
	},
	{
		Source: "https://support.freshchat.com/support/solutions/articles/239404 (2018: msg_parts, of a user)",
		Body: `{"actor":{"actor_type":"user","actor_id":"dbec0910-b4d6-4d81-8015-81f560a918de"},"action":"message_create","action_time":"2018-10-19T10:16:08.013Z",
			"data":{"message":{"msg_parts":[{"properties":{"text":"USER MESSAGE"},"part_type":"text"}],"user_id":"dbec0910-b4d6-4d81-8015-81f560a918de",
			"id":"ec0d0db6-55cc-46c7-aaa3-86ad1d9f8e39","conversation_id":"11de8840-6ce8-48ac-a418-7c2ae81a1b57_feedback","message_type":"normal","actor_type":"user"}}}`,
	},
	{
		Source: "the same, of an agent",
		Body: `{"action":"message_create","data":{"message":{"msg_parts":[{"properties":{"text":"old"},"part_type":"text"}],"id":"ec0d0db6",
			"conversation_id":"11de8840_feedback","message_type":"normal","actor_type":"agent","actor_id":"41c85e6d-cf41-4275-904d-545849e6f22b"}}}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Agent: "41c85e6d-cf41-4275-904d-545849e6f22b", Reference: "11de8840_feedback", Text: "old",
	},
	{
		Source: "https://support.freshchat.com/support/solutions/articles/239404 (reopened)",
		Body: `{"actor":{"actor_type":"user","actor_id":"0b8952b8-1c30-42ed-8e99-1f2a7bb0c63b"},"action":"conversation_reopen","action_time":"2022-04-01T06:10:40.053Z",
			"data":{"reopen":{"reopener":"user","reopener_id":"0b8952b8-1c30-42ed-8e99-1f2a7bb0c63b","conversation":{"conversation_id":"911df7d6-f197-4926-9b99-a20def8ad767",
			"status":"reopened","assigned_group_id":"4cf5d9b8-b782-499f-b93c-541229df3729"},"interaction_id":"487870040076744-1648793439927"}}}`,
	},
	{
		Source: "https://support.freshchat.com/support/solutions/articles/239404 (resolved)",
		Body: `{"actor":{"actor_type":"agent","actor_id":"8996ad5d-4b84-4e95-a60d-3f290423db3e"},"action":"conversation_resolution","action_time":"2022-04-01T06:16:34.207Z",
			"data":{"resolve":{"resolver":"agent","resolver_id":"8996ad5d-4b84-4e95-a60d-3f290423db3e","conversation":{"conversation_id":"edc29cf1-a0fc-4d75-b821-d4eea33c0512",
			"status":"resolved"}}}}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventEnded}, Agent: "8996ad5d-4b84-4e95-a60d-3f290423db3e", Reference: "edc29cf1-a0fc-4d75-b821-d4eea33c0512",
	},
	{
		Source: "fields of https://github.com/botpress/botpress integrations/freshchat (assigned)",
		Body: `{"actor":{"actor_type":"system","actor_id":""},"action":"conversation_assignment","action_time":"2022-04-01T06:12:00.000Z","data":{"assignment":{"assignor":"system",
			"assignor_id":"","to_agent_id":"8996ad5d-4b84-4e95-a60d-3f290423db3e","to_group_id":"","from_agent_id":"","from_group_id":"","conversation":{
			"conversation_id":"edc29cf1-a0fc-4d75-b821-d4eea33c0512","status":"assigned"},"interaction_id":"1"}}}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventJoined}, Agent: "8996ad5d-4b84-4e95-a60d-3f290423db3e", Reference: "edc29cf1-a0fc-4d75-b821-d4eea33c0512",
	},
}

func TestExamples(t *testing.T) {
	sign := func(body []byte) handoff.Webhook { return freshchattest.Sign(freshchattest.Key(), body) }
	vendortest.CheckExamples(t, adapter(t, freshchattest.New(t)), sign, examples)
}

func FuzzReceive(f *testing.F) {
	d := freshchattest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(f, err)
	ann := handoff.Party{ID: "7", Name: "Ann"}
	vendortest.Talk(d, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Say, Text: "**é** <b>"},
		{Kind: providertest.Say, Files: []handoff.File{{URL: "https://fc.example/a.pdf?x=1", Name: "a.pdf", Size: 3}}},
		{Kind: providertest.Write, Text: "n"},
		{Kind: providertest.Leave},
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Transfer, Agent: handoff.Party{ID: "8", Name: "Bob"}},
		{Kind: providertest.End},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	seeds := append(vendortest.Bodies(d.Webhooks()), vendortest.ExampleBodies(examples)...)
	for _, text := range []string{
		`{}`, `null`, `{"action":"message_create"}`, `{"action":"conversation_assignment","data":{"assignment":{"conversation":{"conversation_id":"c"},"to_agent_id":"7"}}}`,
		`{"action":"message_create","data":{"message":{"id":"m","conversation_id":"c","actor_type":"agent","actor_id":"7",
			"message_parts":[{"file":{"url":"x","file_size_in_bytes":1e300}}]}}}`,
		`{"action":"message_create","data":{"message":{"id":"\u0000","conversation_id":"c","actor_type":"agent","actor_id":"7","message_parts":[{"text":{"content":"x"}}]}}}`,
	} {
		seeds = append(seeds, []byte(text))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook { return freshchattest.Sign(freshchattest.Key(), body) }, seeds...)
}
