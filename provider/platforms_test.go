package provider_test

import (
	"net/http"
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/chatwoot"
	"github.com/seed-2a427302/handoff/provider/chatwoot/chatwoottest"
	"github.com/seed-2a427302/handoff/provider/cisco"
	"github.com/seed-2a427302/handoff/provider/cisco/ciscotest"
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
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/provider/webhook"
	"github.com/seed-2a427302/handoff/provider/webhook/webhooktest"
	"github.com/seed-2a427302/handoff/provider/zendesk"
	"github.com/seed-2a427302/handoff/provider/zendesk/zendesktest"
	"github.com/seed-2a427302/handoff/providertest"
)

// double is a platform's double with the adapter for it.
type double interface {
	http.Handler
	providertest.Vendor
	Next(list ...vendortest.Trouble)
}

// opener opens a platform: its double, and the adapter for it.
type opener func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error)

// platforms are all adapters, by their names, with their doubles.
var platforms = map[string]opener{
	"chatwoot": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := chatwoottest.New(t)
		p, err := chatwoot.New(chatwoot.Config{
			URL: chatwoottest.URL, Account: chatwoottest.Account, Inbox: chatwoottest.Inbox, InboxIdentifier: chatwoottest.Name,
			Token: chatwoottest.Token, Secrets: []string{chatwoottest.Secret}, HTTP: providertest.Client(d), Files: files(nil), Redact: hideWord,
		})
		return d, d.Double, p, err
	},
	"cisco": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := ciscotest.New(t)
		p, err := cisco.NewSuite(cisco.Config{
			URL: ciscotest.URL, Feed: ciscotest.Feed, Queues: map[string]string{"support": ciscotest.Tag}, HTTP: providertest.Client(d), Redact: hideWord,
		}, cisco.Push{Feed: ciscotest.PushFeed, User: ciscotest.User, Password: ciscotest.Password})
		return d, d.Double, p, err
	},
	"cmcom": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := cmcomtest.New(t)
		p, err := cmcom.New(cmcom.Config{
			URL: cmcomtest.URL, InboxURL: cmcomtest.InboxURL, PresenceURL: cmcomtest.PresenceURL, Account: cmcomtest.Account, Adapter: cmcomtest.Adapter,
			Inbox: cmcomtest.Inbox, Token: cmcomtest.Token, Key: cmcomtest.Key, Secret: cmcomtest.Secret, Secrets: []string{cmcomtest.Hook},
			Skills: map[string]string{"support": "billing"}, Stores: map[string]string{"support": "https://shop.example"},
			Domain: "handoff.example", HTTP: providertest.Client(d), Redact: hideWord,
		})
		return d, d.Double, p, err
	},
	"freshchat": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := freshchattest.New(t)
		p, err := freshchat.NewSuite(freshchat.Config{
			URL: freshchattest.URL, Token: freshchattest.Token, Agent: freshchattest.Agent, Channel: freshchattest.Channel,
			Keys: []string{freshchattest.PEM(freshchattest.Key())}, Groups: map[string]string{"support": freshchattest.Group}, HTTP: providertest.Client(d), Redact: hideWord,
		}, freshchat.Freshdesk{URL: freshchattest.Desk, Key: freshchattest.DeskKey, HTTP: providertest.Client(d)})
		return d, d.Double, p, err
	},
	"genesys": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := genesystest.New(t)
		p, err := genesys.NewSuite(genesys.Config{
			URL: genesystest.URL, Login: genesystest.Login, Integration: genesystest.Integration, Client: genesystest.Client,
			Secret: genesystest.ClientKey, Secrets: []string{genesystest.Secret}, Queues: map[string]string{"support": genesystest.Queue},
			HTTP: providertest.Client(d), Redact: hideWord,
		}, genesys.Workitems{Type: genesystest.Worktype})
		return d, d.Double, p, err
	},
	"intercom": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := intercomtest.New(t)
		p, err := intercom.New(intercom.Config{
			URL: intercomtest.URL, Admin: intercomtest.Admin, Token: intercomtest.Token, Secrets: []string{intercomtest.Secret},
			Teams: map[string]string{"support": intercomtest.Team}, HTTP: providertest.Client(d), Redact: hideWord,
		})
		return d, d.Double, p, err
	},
	"livechat": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := livechattest.New(t)
		p, err := livechat.New(livechat.Config{
			URL: livechattest.URL, Accounts: livechattest.Accounts, Organization: livechattest.Organization, ClientID: livechattest.ClientID,
			ClientSecret: livechattest.ClientSecret, RefreshToken: livechattest.RefreshToken, Secrets: []string{livechattest.Secret},
			Groups: map[string]int{"support": livechattest.Group}, HTTP: providertest.Client(d), Files: files(nil), Redact: hideWord,
		})
		return d, d.Double, p, err
	},
	"rocketchat": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := rocketchattest.New(t)
		p, err := rocketchat.New(rocketchat.Config{
			URL: rocketchattest.URL, User: rocketchattest.User, Token: rocketchattest.Token, Secrets: []string{rocketchattest.Secret},
			Departments: map[string]string{"support": "dep1"}, HTTP: providertest.Client(d), Files: files(nil), Redact: hideWord,
		})
		return d, d.Double, p, err
	},
	"slack": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := slacktest.New(t)
		p, err := slack.New(slack.Config{
			URL: slacktest.URL, Token: slacktest.Token, Secrets: []string{slacktest.Secret}, Channel: slacktest.Channel,
			Agents: map[string]string{"7": "Ann", "8": "Bob"}, HTTP: providertest.Client(d), Files: files(d), Redact: hideWord,
		})
		return d, d.Double, p, err
	},
	"webhook": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := webhooktest.New(t)
		p, err := webhook.New(webhook.Config{URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}, HTTP: providertest.Client(d), Redact: hideWord})
		return d, d.Double, p, err
	},
	"zendesk": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := zendesktest.New(t)
		c := account()
		c.Queues, c.HTTP, c.Redact = map[string]string{"support": "queue_support"}, providertest.Client(d), hideWord
		p, err := zendesk.New(c)
		return d, d.Double, p, err
	},
}

// within are the adapters of platforms that have the conversation.
var within = map[string]opener{
	"webhook": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := webhooktest.New(t)
		p, err := webhook.New(webhook.Config{
			URL: webhooktest.URL, Secrets: []string{webhooktest.Secret}, HTTP: providertest.Client(d), Custody: handoff.CustodyConversation, Redact: hideWord,
		})
		return d, d.Double, p, err
	},
	"zendesk": func(t *testing.T) (double, *vendortest.Double, handoff.Provider, error) {
		d := zendesktest.NewInside(t)
		c := account()
		c.HTTP, c.Redact = providertest.Client(d), hideWord
		p, err := zendesk.NewSwitchboard(c)
		return d, d.Double, p, err
	},
}

// files is where users' files are; what is at a platform's own host is with it.
func files(platform http.Handler) *http.Client {
	return providertest.Client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if platform != nil && r.URL.Host == "slack.example" {
			platform.ServeHTTP(w, r)
			return
		}
		_, _ = w.Write([]byte("%PDF"))
	}))
}
