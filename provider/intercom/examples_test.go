package intercom_test

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/intercom/intercomtest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// part is the example of a conversation part in Intercom's reference, within a
// notification as its page on webhooks describes one:
// https://developers.intercom.com/docs/references/2.17/rest-api/api.intercom.io/models/conversation_part
// https://developers.intercom.com/docs/references/2.16/webhooks/webhook-models
func part(topic, rest string) string {
	return `{"type":"notification_event","app_id":"a","id":"notif_1","topic":"` + topic + `","delivery_attempts":1,"created_at":1663597260,"data":{"type":"notification_event_data",
		"item":{"type":"conversation","id":"1295","conversation_parts":{"type":"conversation_part.list","conversation_parts":[{"type":"conversation_part","id":"3",
		"created_at":1663597223,"updated_at":1663597260,"notified_at":1663597260,"redacted":false,
		"author":{"type":"admin","id":"274","name":"Operator"},` + rest + `}],"total_count":1}}}}`
}

var examples = []vendortest.Example{
	{
		Source: "a comment", Body: part("conversation.admin.replied", `"part_type":"comment","body":"<p>Okay!</p>","assigned_to":null,"attachments":[]`),
		Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Reference: "1295", Agent: "274", Text: "Okay!",
	},
	{
		Source: "a comment in a webhook of version 2.15 and later: plain text",
		Body:   part("conversation.admin.replied", `"part_type":"comment","body":"if a <b> c, then <i>"`),
		Kinds:  []handoff.ProviderEventKind{handoff.EventMessage}, Reference: "1295", Agent: "274", Text: "if a <b> c, then <i>",
	},
	{
		Source: "assigned_to, when nobody is", Body: part("conversation.admin.assigned", `"part_type":"assignment","body":null,"assigned_to":{"type":"nobody_admin","id":null}`),
		Kinds: []handoff.ProviderEventKind{handoff.EventLeft}, Reference: "1295", Agent: "274",
	},
	{
		Source: "assigned_to, a teammate", Body: part("conversation.admin.assigned", `"part_type":"assignment","body":null,"assigned_to":{"type":"admin","id":"274"}`),
		Kinds: []handoff.ProviderEventKind{handoff.EventJoined}, Reference: "1295", Agent: "274",
	},
	{
		Source: "the same, the teammate in whose name the adapter works: nobody has it",
		Body:   part("conversation.admin.assigned", `"part_type":"assignment","body":null,"assigned_to":{"type":"admin","id":"`+intercomtest.Admin+`"}`),
		Kinds:  []handoff.ProviderEventKind{handoff.EventLeft}, Reference: "1295", Agent: "274",
	},
}

func TestExamples(t *testing.T) {
	vendortest.CheckExamples(t, adapter(t, intercomtest.New(t)), func(body []byte) handoff.Webhook { return intercomtest.Sign(intercomtest.Secret, body) }, examples)
}
