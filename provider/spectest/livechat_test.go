package spectest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/spectest"
	"github.com/seed-2a427302/handoff/providertest"
)

// LiveChat has no OpenAPI document: the webhooks are those of the tests of its
// SDK, as they are there.
func TestLiveChat(t *testing.T) {
	dir := os.Getenv(spectest.Folder)
	if dir == "" {
		t.Skipf("SKIPPED: livechat: set %s to the folder with the platforms' documents", spectest.Folder)
	}
	d := livechattest.New(t)
	d.Break(providertest.Refuses) // it does not know these chats
	p, err := livechat.New(livechat.Config{
		URL: livechattest.URL, Accounts: livechattest.Accounts, Organization: livechattest.Organization, ClientID: livechattest.ClientID,
		ClientSecret: livechattest.ClientSecret, RefreshToken: livechattest.RefreshToken, Secrets: []string{"dummy_key"}, HTTP: providertest.Client(d),
	})
	if err != nil {
		t.Fatal(err)
	}
	r, ok := p.(handoff.Receiver)
	if !ok {
		t.Fatal("it takes no webhooks")
	}
	for name, want := range map[string]handoff.ProviderEventKind{
		"chat_deactivated": handoff.EventEnded, "chat_user_added": "", "chat_user_removed": handoff.EventLeft, "incoming_chat": handoff.EventJoined,
		"incoming_event": handoff.EventMessage, "routing_status_set": "",
	} {
		body, err := os.ReadFile(filepath.Join(dir, "livechat", "webhook_"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		events, _, err := r.Receive(t.Context(), handoff.Webhook{Method: http.MethodPost, Body: body})
		var got handoff.ProviderEventKind
		if len(events) > 0 {
			got = events[0].Kind
		}
		if err != nil || got != want || len(events) > 1 {
			t.Errorf("%s is told as %q of %d and %v, want %q", name, got, len(events), err, want)
		}
	}
}
