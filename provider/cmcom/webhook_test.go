package cmcom_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/cmcom"
	"github.com/seed-2a427302/handoff/provider/cmcom/cmcomtest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

const (
	format = "https://developers.cm.com/mobile-service-cloud/docs/twoway-format"
	bridge = "https://github.com/Dutchtoysgroup/zipchat-cm-bridge"
	here   = `"accountId":"` + cmcomtest.Account + `","channel":"CXWebConversations","conversationClientId":"c","conversationHostId":"` + cmcomtest.Adapter + `"`
	there  = `"chat":{"id":"55818476-0000-0000-0000-000000000000",` + here + `},`
	chatID = "55818476-0000-0000-0000-000000000000"
)

// Webhooks by the fields that CM.com's page on the format lists; it shows no whole
// ones. What the bridge adds stands in doc.go.
var examples = []vendortest.Example{
	{
		Source: format + " (a message to the client), with the type that the bridge found",
		Body: `{` + there + `"conversationMessages":[{"$type":"text","id":"1","direction":"ClientTerminated","createdOn":"2026-01-01T00:00:00.000Z","text":"**é** <b>"}],
			"targetAdaptersInfo":[{"id":"x"}]}`,
		Kinds: []handoff.ProviderEventKind{handoff.EventMessage}, Reference: chatID, Text: "**é** <b>",
	},
	{
		Source: format + " (a message of the client: ours)",
		Body:   `{` + there + `"conversationMessages":[{"$type":"text","id":"1","direction":"ClientOriginated","text":"hello"}]}`,
	},
	{
		Source: format + " (of another account)",
		Body: `{"chat":{"id":"55818476-0000-0000-0000-000000000000","accountId":"another","channel":"WhatsApp","conversationClientId":"c","conversationHostId":"h"},
			"conversationMessages":[{"$type":"text","direction":"ClientTerminated","text":"hello"}]}`,
	},
	{
		Source: bridge + " (the event endpoint, the type in the event)",
		Body:   `{` + there + `"conversationEvents":[{"$type":"RouterSessionEnded","id":"1","createdOn":"2026-01-01T00:00:00Z"}]}`,
		Kinds:  []handoff.ProviderEventKind{handoff.EventEnded}, Reference: chatID,
	},
	{
		Source: bridge + " (the event endpoint, the type beside the chat's id)",
		Body:   `{"chatId":"55818476-0000-0000-0000-000000000000","eventType":"RouterSessionEnded",` + here + `}`,
		Kinds:  []handoff.ProviderEventKind{handoff.EventEnded}, Reference: chatID,
	},
	{
		Source: bridge + " (the handover endpoint's form)",
		Body:   `{"chatId":"55818476-0000-0000-0000-000000000000","sessionId":"s",` + here + `,"context":{"RoutingKeywords":"billing"}}`,
	},
	{
		Source: bridge + " (the same with an empty context, which is no JSON)",
		Body:   `{"chatId":"55818476-0000-0000-0000-000000000000","sessionId":"s",` + here + `,"context":}`,
	},
}

func TestExamples(t *testing.T) {
	sign := func(body []byte) handoff.Webhook { return cmcomtest.Sign(cmcomtest.Hook, body) }
	p := adapter(t, cmcomtest.New(t))
	vendortest.CheckExamples(t, p, sign, examples)
	for _, ex := range examples {
		_, reply, err := p.Receive(t.Context(), sign([]byte(ex.Body)))
		require.NoError(t, err)
		assert.Equal(t, http.StatusCreated, reply.Status, "the router wants 201: %s", ex.Source)
	}
	_, reply, err := p.Receive(t.Context(), sign([]byte(`{"context":}`)))
	require.Error(t, err)
	assert.Equal(t, http.StatusBadRequest, reply.Status)
}

func FuzzReceive(f *testing.F) {
	d := cmcomtest.New(f)
	p := adapter(f, d)
	s, err := p.Open(context.Background(), opening("c"))
	require.NoError(f, err)
	vendortest.Talk(d, s.Reference, ann)
	for _, a := range []providertest.Act{
		{Kind: providertest.Join, Agent: ann},
		{Kind: providertest.Say, Text: "**é** <b>"},
		{Kind: providertest.Say, Text: "see", Files: []handoff.File{{URL: "https://cdn.example/a.pdf?x=1", Name: "a.pdf", Type: "application/pdf"}}},
		{Kind: providertest.Transfer, Agent: bob},
		{Kind: providertest.Say, Text: "I am Bob"},
	} {
		a.Chat = s.Reference
		d.Do(a)
	}
	d.EndSession(s.Reference)
	d.HandOver(s.Reference, `{"RoutingKeywords":"billing"}`)
	d.HandOver(s.Reference, "")
	seeds := append(vendortest.Bodies(d.Webhooks()), vendortest.ExampleBodies(examples)...)
	for _, in := range []string{
		`"conversationMessages":[]`, `"conversationMessages":[null]`, `"conversationMessages":[{"$type":"text","direction":"ClientTerminated"}]`,
		`"conversationMessages":[{"$type":"text","direction":"ClientTerminated","text":"no id"},{"$type":"text","direction":"ClientTerminated","text":"no id"}]`,
		`"conversationMessages":[{"$type":"Text","id":"1","direction":"ClientTerminated","text":"\u0000","createdOn":"never"}]`,
		`"conversationMessages":[{"$type":"media","id":"1","direction":"ClientTerminated","media":{"mediaUri":"x","mediaName":"\u0000"}}]`,
		`"conversationMessages":[{"$type":"location","id":"1","direction":"ClientTerminated","latitude":1}]`,
		`"conversationMessages":[{"$type":"text","id":7,"direction":"ClientTerminated","text":"x"}]`,
		`"conversationEvents":[{"$type":"Typing"}]`, `"conversationEvents":[{"$type":"routersessionended"},{"$type":"RouterSessionEnded"}]`,
	} {
		seeds = append(seeds, []byte(`{`+there+in+`}`))
	}
	for _, text := range []string{`{}`, `null`, `[]`, `{"chat":5}`, `{"chatId":""}`, `"context":}`, `{"chat":{"id":"c","accountId":"` + cmcomtest.Account + `"}}`} {
		seeds = append(seeds, []byte(text))
	}
	vendortest.FuzzReceive(f, p, func(body []byte) handoff.Webhook { return cmcomtest.Sign(cmcomtest.Hook, body) }, seeds...)
}

// Sessions of nobody, and ids of others, change nothing and tell nothing.
func TestOthers(t *testing.T) {
	d := cmcomtest.New(t)
	p := adapter(t, d)
	s, err := p.Open(t.Context(), opening("c"))
	require.NoError(t, err)
	for _, other := range []handoff.Session{{}, {Reference: "unknown"}, {Reference: s.Reference, State: []byte("{")}, {Reference: "", State: s.State}} {
		require.Error(t, p.Send(t.Context(), other, handoff.ProviderMessage{ID: "m", Text: "x", From: fromUser}))
		_, _, err := p.ReadState(t.Context(), other)
		require.Error(t, err)
		require.Error(t, p.Stream(t.Context(), other, func(handoff.ProviderEvent) error { return nil }))
	}
	// Another tenant has the same router, and his own account and adapter.
	theirs := adapter(t, d, func(c *cmcom.Config) { c.Account = "another-account" })
	_, err = theirs.Open(t.Context(), opening("c"))
	require.Error(t, err)
	require.Error(t, theirs.Close(t.Context(), s, ""))
	require.Error(t, theirs.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: "x", From: fromUser}))
	d.Do(providertest.Act{Kind: providertest.Say, Chat: s.Reference, Text: "hello"})
	for _, w := range d.Webhooks() {
		events, reply, err := theirs.Receive(t.Context(), w)
		require.NoError(t, err)
		assert.Empty(t, events)
		assert.Equal(t, http.StatusCreated, reply.Status, "it would come again for ever")
	}
	assert.Len(t, d.Chats(), 1)
	assert.True(t, d.Chats()[0].Open)
	assert.Empty(t, fromUserIn(d))
}

// fromUserIn are the user's messages in all chats.
func fromUserIn(d *cmcomtest.Double) (out []string) {
	for _, c := range d.Chats() {
		for _, m := range c.Messages {
			if m.From == handoff.RoleUser {
				out = append(out, m.Text)
			}
		}
	}
	return out
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{
		New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
			d := cmcomtest.New(t)
			return d, adapter(t, d)
		},
		Tenants: []vendortest.Tenant{
			{What: "account", Ours: cmcomtest.Account, Theirs: "another-account"}, {What: "adapter", Ours: cmcomtest.Adapter, Theirs: "another-adapter"},
		},
		TakesAny: "the router makes a chat of any message; no agent has it as long as no mutation hands it over",
		Sign:     func(_ handoff.Webhook, body []byte) handoff.Webhook { return cmcomtest.Sign(cmcomtest.Hook, body) },
	}.Check(t)
}
