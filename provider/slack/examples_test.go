package slack_test

import (
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/slack/slacktest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// Events as Slack shows them: the examples of
// https://github.com/slackapi/slack-api-specs/blob/master/events-api/slack_common_event_wrapper_schema.json
// None of them is of a thread: they are nobody's here.
var examples = []vendortest.Example{
	{
		Source: "a message that is not in a thread",
		Body: `{"token":"XXYYZZ","team_id":"T1H9RESGL","api_app_id":"A2H9RFS1A","event":{"type":"message","user":"U061F7AUR","text":"How many cats did we herd yesterday?",
			"ts":"1525215129.000001","channel":"D0PNCRP9N","event_ts":"1525215129.000001","channel_type":"app_home"},"type":"event_callback","event_id":"Ev0PV52K25",
			"event_time":1525215129,"authed_users":["U061F7AUR"]}`,
	},
	{
		Source: "the same message, in one",
		Body: `{"team_id":"T1H9RESGL","event":{"type":"message","user":"U061F7AUR","text":"How many cats did we herd yesterday?","ts":"1525215129.000001",
			"thread_ts":"1525215100.000001","channel":"` + slacktest.Channel + `","event_ts":"1525215129.000001"},"type":"event_callback",
			"event_id":"Ev0PV52K25","event_time":1525215129}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Reference: slacktest.Channel + ":1525215100.000001", Agent: "U061F7AUR",
		Text: "How many cats did we herd yesterday?",
	},
	{
		Source: "a reaction",
		Body: `{"token":"XXYYZZ","team_id":"TXXXXXXXX","event":{"type":"reaction_added","user":"U024BE7LH","reaction":"thumbsup","item_user":"U0G9QF9C6","item":{"type":"message",
			"channel":"C0G9QF9GZ","ts":"1360782400.498405"},"event_ts":"1360782804.083113"},"type":"event_callback","event_id":"EvXXXXXXXX","event_time":1234567890}`,
	},
	{
		Source: "resources that were added",
		Body: `{"token":"XXYYZZ","team_id":"TXXXXXXXX","event":{"type":"resources_added","resources":[{"resource":{"type":"im","grant":{"type":"specific",
			"resource_id":"DXXXXXXXX"}},"scopes":["im:read"]}]},"type":"event_callback","authed_teams":[],"event_id":"EvXXXXXXXX","event_time":1234567890}`,
	},
}

func TestExamples(t *testing.T) {
	vendortest.CheckExamples(t, adapter(t, nil), func(body []byte) handoff.Webhook {
		return slacktest.Sign(slacktest.Secret, "application/json", time.Now(), body)
	}, examples)
}
