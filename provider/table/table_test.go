package table_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/chatwoot"
	"github.com/seed-2a427302/handoff/provider/cisco"
	"github.com/seed-2a427302/handoff/provider/cmcom"
	"github.com/seed-2a427302/handoff/provider/freshchat"
	"github.com/seed-2a427302/handoff/provider/freshchat/freshchattest"
	"github.com/seed-2a427302/handoff/provider/genesys"
	"github.com/seed-2a427302/handoff/provider/inmem"
	"github.com/seed-2a427302/handoff/provider/intercom"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/slack"
	"github.com/seed-2a427302/handoff/provider/webhook"
	"github.com/seed-2a427302/handoff/provider/zendesk"
)

var update = flag.Bool("update", false, "write the table instead of comparing it")

// platforms are all adapters, in the order of the table. New ones do no I/O.
func platforms(t *testing.T) []platform {
	account := zendesk.Config{
		URL: "https://acme.zendesk.example", App: "a", KeyID: "k", Secret: "s", Bot: "bot", Secrets: []string{"s"}, TriggerSecrets: []string{"s"},
		Email: "a@acme.example", Token: "t", ReferenceField: "1", NoteField: "2",
	}
	return []platform{
		{"[Chatwoot](chatwoot.md)", must[*chatwoot.Provider](t)(chatwoot.New(chatwoot.Config{
			URL: "https://chatwoot.example", Account: 1, Inbox: 1, InboxIdentifier: "i", Token: "t", Secrets: []string{"s"},
		}))},
		{"[Cisco UCCX](cisco.md) with a push feed", must[*cisco.Suite](t)(cisco.NewSuite(
			cisco.Config{URL: "https://ccp.example", Feed: "1", Tag: "Chat_Csq1"}, cisco.Push{Feed: "2", User: "u", Password: "p"},
		))},
		{"[CM.com Mobile Service Cloud](cmcom.md)", must[*cmcom.Provider](t)(cmcom.New(cmcom.Config{
			Account: "a", Adapter: "b", Inbox: "c", Token: "t", Key: "k", Secret: "s", Secrets: []string{"s"},
		}))},
		{"[Freshchat](freshchat.md) with Freshdesk", must[*freshchat.Suite](t)(freshchat.NewSuite(freshchat.Config{
			URL: "https://acme.freshchat.example/v2", Token: "t", Agent: "a", Channel: "c", Keys: []string{freshchattest.PEM(freshchattest.Key())},
		}, freshchat.Freshdesk{URL: "https://acme.freshdesk.example", Key: "k"}))},
		{"[Genesys Cloud](genesys.md) with work items", must[*genesys.Suite](t)(genesys.NewSuite(genesys.Config{
			Integration: "i", Client: "c", Secret: "s", Secrets: []string{"s"},
		}, genesys.Workitems{Type: "3e6f1b52-9f0c-4d57-8f0e-5b0a6c1d2e3f"}))},
		{"[Intercom](intercom.md)", must[*intercom.Provider](t)(intercom.New(intercom.Config{Token: "t", Admin: "1", Secrets: []string{"s"}}))},
		{"[LiveChat](livechat.md)", must[handoff.Provider](t)(livechat.New(livechat.Config{
			Organization: "o", ClientID: "c", ClientSecret: "s", RefreshToken: "r", Secrets: []string{"s"},
		}))},
		{"[LiveChat](livechat.md) with a socket", must[handoff.Provider](t)(livechat.New(livechat.Config{
			Organization: "o", ClientID: "c", ClientSecret: "s", RefreshToken: "r", Secrets: []string{"s"}, Dial: dial,
		}))},
		{"[Rocket.Chat](rocketchat.md)", must[handoff.Provider](t)(rocketchat.New(rocketchat.Config{
			URL: "https://chat.example", User: "u", Token: "t", Secrets: []string{"s"},
		}))},
		{"[Rocket.Chat](rocketchat.md) with a socket", must[handoff.Provider](t)(rocketchat.New(rocketchat.Config{
			URL: "https://chat.example", User: "u", Token: "t", Secrets: []string{"s"}, Dial: dial,
		}))},
		{"[Slack](slack.md)", must[*slack.Provider](t)(slack.New(slack.Config{Token: "t", Secrets: []string{"s"}, Channel: "C1"}))},
		{"[Zendesk](zendesk.md)", must[*zendesk.Provider](t)(zendesk.New(account))},
		{"[Zendesk](zendesk.md), bot within", must[*zendesk.Switchboard](t)(zendesk.NewSwitchboard(account))},
		{"[Generic bridge](webhook.md)", must[*webhook.Provider](t)(webhook.New(webhook.Config{
			URL: "https://console.example", Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		}))},
		{"In memory (reference)", inmem.New(inmem.Options{}).Provider()},
	}
}

// dial opens nothing: it is there.
func dial(context.Context, string, http.Header) (provider.Conn, error) {
	return nil, errors.ErrUnsupported
}

type platform struct {
	name string
	p    handoff.Provider
}

// must returns what New of an adapter returns, and fails the test on its error.
func must[P handoff.Provider](t *testing.T) func(p P, err error) handoff.Provider {
	return func(p P, err error) handoff.Provider {
		t.Helper()
		require.NoError(t, err)
		return p
	}
}

const (
	page  = "../../docs/providers/README.md"
	begin = "<!-- table: go test ./provider/table -update -->\n"
	end   = "<!-- end of table -->\n"
)

func TestTableOfCapabilities(t *testing.T) {
	have, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, ok := bytes.Cut(have, []byte(begin))
	require.True(t, ok, "%s has no %q", page, begin)
	_, after, ok := bytes.Cut(rest, []byte(end))
	require.True(t, ok, "%s has no %q", page, end)
	want := string(before) + begin + "\n" + render(platforms(t)) + "\n" + end + string(after)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(have), "the adapters say something else: go test ./provider/table -update")
}

// labels are the capabilities for people; a field without a label is a
// mistake.
var labels = map[string]string{
	"Availability": "availability", "Position": "place", "WaitEstimate": "wait",
	"TypingIn": "agent types", "TypingOut": "user types", "Files": "files", "Transfer": "transfers", "Notes": "notes",
	"ReturnToBot": "bot's control", "AgentReturns": "return to bot", "Ticket": "ticket", "FindsAttempt": "finds attempt",
	"SendsOnce": "sends once", "ReadsState": "reads state", "OneReference": "one reference",
	"NativeHistory": "native history", "NamesOnly": "names only",
}

// isSuite reports whether New of an adapter makes no tickets, and its NewSuite
// does.
func isSuite(p handoff.Provider) bool {
	switch p.(type) {
	case *cisco.Suite, *freshchat.Suite, *genesys.Suite:
		return true
	}
	return false
}

type column struct {
	label string
	value func(p handoff.Provider) string
}

func columns() []column {
	list := []column{
		{"name", func(p handoff.Provider) string { return "`" + p.Info().Name + "`" }},
		{"custody", func(p handoff.Provider) string { return string(p.Info().Custody) }},
		{"events by", func(p handoff.Provider) string {
			_, push := p.(handoff.Receiver)
			_, read := p.(handoff.Streamer)
			switch {
			case push && read:
				return "both"
			case push:
				return "webhook"
			}
			return "reading"
		}},
		{"longest message", func(p handoff.Provider) string {
			if n := p.Info().MaxBytes; n > 0 {
				return fmt.Sprint(n)
			}
			return "–"
		}},
	}
	typ := reflect.TypeFor[handoff.Capabilities]()
	for i := range typ.NumField() {
		label := labels[typ.Field(i).Name]
		if label == "" {
			panic("no label for " + typ.Field(i).Name)
		}
		list = append(list, column{label, func(p handoff.Provider) string {
			switch can := reflect.ValueOf(p.Info().Can).Field(i).Bool(); {
			case can && typ.Field(i).Name == "Ticket" && isSuite(p):
				return "`NewSuite`"
			case can:
				return "yes"
			}
			return "–"
		}})
	}
	return list
}

func render(list []platform) string {
	cols := columns()
	var b strings.Builder
	b.WriteString("| platform |")
	for _, c := range cols {
		b.WriteString(" " + c.label + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(cols)) + "\n")
	for _, pl := range list {
		b.WriteString("| " + pl.name + " |")
		for _, c := range cols {
			b.WriteString(" " + c.value(pl.p) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}
