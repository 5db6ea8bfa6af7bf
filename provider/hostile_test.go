package provider_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/chatwoot"
	"github.com/seed-2a427302/handoff/provider/chatwoot/chatwoottest"
	"github.com/seed-2a427302/handoff/provider/cmcom"
	"github.com/seed-2a427302/handoff/provider/cmcom/cmcomtest"
	"github.com/seed-2a427302/handoff/provider/freshchat"
	"github.com/seed-2a427302/handoff/provider/freshchat/freshchattest"
	"github.com/seed-2a427302/handoff/provider/genesys"
	"github.com/seed-2a427302/handoff/provider/genesys/genesystest"
	"github.com/seed-2a427302/handoff/provider/intercom"
	"github.com/seed-2a427302/handoff/provider/intercom/intercomtest"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/slack"
	"github.com/seed-2a427302/handoff/provider/slack/slacktest"
	"github.com/seed-2a427302/handoff/provider/webhook"
	"github.com/seed-2a427302/handoff/provider/webhook/webhooktest"
	"github.com/seed-2a427302/handoff/provider/zendesk"
	"github.com/seed-2a427302/handoff/provider/zendesk/zendesktest"
	"github.com/seed-2a427302/handoff/providertest"
)

// door is an adapter with how its platform signs: under its own secret, and
// under that of another tenant.
type door struct {
	p       handoff.Provider
	err     error
	sign    func(body []byte) handoff.Webhook
	foreign func(body []byte) handoff.Webhook
	secret  string
}

// doors are all adapters that take webhooks.
var doors = map[string]func() door{
	"chatwoot": func() door {
		p, err := chatwoot.New(chatwoot.Config{
			URL: chatwoottest.URL, Account: chatwoottest.Account, Inbox: chatwoottest.Inbox, InboxIdentifier: chatwoottest.Name,
			Token: chatwoottest.Token, Secrets: []string{chatwoottest.Secret}, HTTP: nowhere(),
		})
		sign := func(secret string) func(body []byte) handoff.Webhook {
			return func(body []byte) handoff.Webhook { return chatwoottest.Sign(secret, "d1", time.Now(), body) }
		}
		return door{p, err, sign(chatwoottest.Secret), sign(other), chatwoottest.Secret}
	},
	"cmcom": func() door {
		p, err := cmcom.New(cmcom.Config{
			URL: cmcomtest.URL, InboxURL: cmcomtest.InboxURL, PresenceURL: cmcomtest.PresenceURL, Account: cmcomtest.Account, Adapter: cmcomtest.Adapter,
			Inbox: cmcomtest.Inbox, Token: cmcomtest.Token, Key: cmcomtest.Key, Secret: cmcomtest.Secret, Secrets: []string{cmcomtest.Hook}, HTTP: nowhere(),
		})
		return plain(p, err, cmcomtest.Hook, cmcomtest.Sign)
	},
	"freshchat": func() door {
		p, err := freshchat.New(freshchat.Config{
			URL: freshchattest.URL, Token: freshchattest.Token, Agent: freshchattest.Agent, Channel: freshchattest.Channel,
			Keys: []string{freshchattest.PEM(freshchattest.Key())}, HTTP: nowhere(),
		})
		return door{
			p, err, func(body []byte) handoff.Webhook { return freshchattest.Sign(freshchattest.Key(), body) },
			func(body []byte) handoff.Webhook { return freshchattest.Sign(freshchattest.NewKey(), body) }, freshchattest.Token,
		}
	},
	"genesys": func() door {
		p, err := genesys.New(genesys.Config{
			URL: genesystest.URL, Login: genesystest.Login, Integration: genesystest.Integration, Client: genesystest.Client,
			Secret: genesystest.ClientKey, Secrets: []string{genesystest.Secret}, HTTP: nowhere(),
		})
		return plain(p, err, genesystest.Secret, genesystest.Sign)
	},
	"intercom": func() door {
		p, err := intercom.New(intercom.Config{
			URL: intercomtest.URL, Admin: intercomtest.Admin, Token: intercomtest.Token, Secrets: []string{intercomtest.Secret}, HTTP: nowhere(),
		})
		return plain(p, err, intercomtest.Secret, intercomtest.Sign)
	},
	"livechat": func() door {
		p, err := livechat.New(livechat.Config{
			URL: livechattest.URL, Accounts: livechattest.Accounts, Organization: livechattest.Organization, ClientID: livechattest.ClientID,
			ClientSecret: livechattest.ClientSecret, RefreshToken: livechattest.RefreshToken, Secrets: []string{livechattest.Secret}, HTTP: nowhere(),
		})
		return plain(p, err, livechattest.Secret, livechattest.Sign)
	},
	"rocketchat": func() door {
		p, err := rocketchat.New(rocketchat.Config{
			URL: rocketchattest.URL, User: rocketchattest.User, Token: rocketchattest.Token, Secrets: []string{rocketchattest.Secret}, HTTP: nowhere(),
		})
		return plain(p, err, rocketchattest.Secret, rocketchattest.Sign)
	},
	"slack": func() door {
		p, err := slack.New(slack.Config{
			URL: slacktest.URL, Token: slacktest.Token, Secrets: []string{slacktest.Secret}, Channel: slacktest.Channel, HTTP: nowhere(),
		})
		sign := func(secret string) func(body []byte) handoff.Webhook {
			return func(body []byte) handoff.Webhook { return slacktest.Sign(secret, "application/json", time.Now(), body) }
		}
		return door{p, err, sign(slacktest.Secret), sign(other), slacktest.Secret}
	},
	"webhook": func() door {
		p, err := webhook.New(webhook.Config{URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}, HTTP: nowhere()})
		sign := func(secret string) func(body []byte) handoff.Webhook {
			return func(body []byte) handoff.Webhook { return webhooktest.Sign(secret, "msg_1", time.Now(), body) }
		}
		return door{p, err, sign(webhooktest.Secret), sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), webhooktest.Secret}
	},
	"zendesk":                       func() door { return atZendesk(sunshine) },
	"zendesk, triggers":             func() door { return atZendesk(trigger) },
	"zendesk, bot within":           func() door { return withinZendesk(sunshine) },
	"zendesk, bot within, triggers": func() door { return withinZendesk(trigger) },
}

// signer signs as one of a platform's doors wants it.
type signer struct {
	secret string
	sign   func(secret string, body []byte) handoff.Webhook
}

// Zendesk has two: Sunshine Conversations sends the secret itself, triggers are
// signed with another one.
var (
	sunshine = signer{zendesktest.Secret, zendesktest.Bare}
	trigger  = signer{zendesktest.TriggerSecret, func(secret string, body []byte) handoff.Webhook {
		return zendesktest.Sign(secret, "i1", time.Now(), body)
	}}
)

func atZendesk(s signer) door {
	p, err := zendesk.New(account())
	return plain(p, err, s.secret, s.sign)
}

func withinZendesk(s signer) door {
	p, err := zendesk.NewSwitchboard(account())
	return plain(p, err, s.secret, s.sign)
}

func account() zendesk.Config {
	return zendesk.Config{
		URL: zendesktest.URL, App: zendesktest.App, KeyID: zendesktest.KeyID, Secret: zendesktest.Key, Bot: zendesktest.Bot,
		Secrets: []string{zendesktest.Secret}, TriggerSecrets: []string{zendesktest.TriggerSecret}, Email: zendesktest.Email,
		Token: zendesktest.Token, ReferenceField: "11", NoteField: "12", HTTP: nowhere(),
	}
}

const other = "s3cret-of-another-tenant"

func plain(p handoff.Provider, err error, secret string, sign func(secret string, body []byte) handoff.Webhook) door {
	return door{
		p, err, func(body []byte) handoff.Webhook { return sign(secret, body) },
		func(body []byte) handoff.Webhook { return sign(other, body) }, secret,
	}
}

// nowhere is a platform that answers nothing of use.
func nowhere() *http.Client {
	return providertest.Client(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
}

// What a platform, or somebody who has its secret, may send to any adapter: it
// is refused or has no effect, and no error says what was in it.
func TestHostileWebhooks(t *testing.T) {
	const canary = "CANARY-in-a-body"
	deep := func(open, end string) string {
		return `{"x":` + strings.Repeat(open, 5000) + `"` + canary + `"` + strings.Repeat(end, 5000) + `}`
	}
	bodies := map[string]string{
		"deep arrays": deep("[", "]"), "deep objects": deep(`{"a":`, "}"), "cut": `{"x":"` + canary, "not JSON": "<x>" + canary + "</x>",
		"other types": `{"id":["` + canary + `"],"type":{"a":1},"event":7,"topic":[],"action":{},"data":"` + canary + `","payload":[],"channel":3,"events":{}}`,
		"long":        `{"x":"` + canary + strings.Repeat("x", 1<<20) + `"}`,
	}
	for name, open := range doors {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := open()
				require.NoError(t, d.err)
				rc, ok := d.p.(handoff.Receiver)
				require.True(t, ok)
				for what, body := range bodies {
					for _, typ := range []string{"application/json", "text/xml", "application/x-www-form-urlencoded", "multipart/form-data", ""} {
						w := d.sign([]byte(body))
						if w.Header == nil {
							w.Header = http.Header{}
						}
						http.Header(w.Header).Set("Content-Type", typ)
						events, reply, err := rc.Receive(t.Context(), w)
						assert.Empty(t, events, "%s as %q", what, typ)
						if strings.HasPrefix(what, "deep") && typ != "application/x-www-form-urlencoded" { // a form has no depth
							assert.GreaterOrEqual(t, reply.Status, http.StatusBadRequest, "%s as %q", what, typ)
						}
						said := fmt.Sprintf("%v %+v %#v %s", err, err, errors.Unwrap(err), reply.Body)
						assert.NotContains(t, said, canary, "%s as %q", what, typ)
						assert.NotContains(t, said, d.secret, "%s as %q", what, typ)
					}
				}
				// It is the body that is refused, not the signature.
				_, reply, _ := rc.Receive(t.Context(), d.sign([]byte(`{}`)))
				assert.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, reply.Status)
				_, reply, err := rc.Receive(t.Context(), d.foreign([]byte(`{}`)))
				var pe *handoff.ProviderError
				require.ErrorAs(t, err, &pe, "another tenant's webhook is taken")
				assert.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, reply.Status)
			})
		})
	}
}
