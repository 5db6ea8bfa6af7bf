package provider_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/cisco"
	"github.com/seed-2a427302/handoff/provider/cmcom"
	"github.com/seed-2a427302/handoff/provider/freshchat"
	"github.com/seed-2a427302/handoff/provider/freshchat/freshchattest"
	"github.com/seed-2a427302/handoff/provider/genesys"
	"github.com/seed-2a427302/handoff/provider/intercom"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
)

// byWord are the adapters of platforms on which a word gives the user back.
var byWord = map[string]func(word string) (handoff.Provider, error){
	"cisco": func(word string) (handoff.Provider, error) {
		return cisco.New(cisco.Config{URL: "https://ccp.example", Feed: "1", Tag: "t", Return: word})
	},
	"cmcom": func(word string) (handoff.Provider, error) {
		return cmcom.New(cmcom.Config{Account: "a", Adapter: "b", Inbox: "c", Token: "t", Key: "k", Secret: "s", Secrets: []string{"s"}, Return: word})
	},
	"freshchat": func(word string) (handoff.Provider, error) {
		return freshchat.New(freshchat.Config{
			URL: "https://fc.example/v2", Token: "t", Agent: "a", Channel: "c", Keys: []string{freshchattest.PEM(freshchattest.Key())}, Return: word,
		})
	},
	"genesys": func(word string) (handoff.Provider, error) {
		return genesys.New(genesys.Config{Integration: "i", Client: "c", Secret: "s", Secrets: []string{"s"}, Return: word})
	},
	"intercom": func(word string) (handoff.Provider, error) {
		return intercom.New(intercom.Config{Token: "t", Admin: "1", Secrets: []string{"s"}, Return: word})
	},
	"livechat": func(word string) (handoff.Provider, error) {
		return livechat.New(livechat.Config{Organization: "o", ClientID: "c", ClientSecret: "s", RefreshToken: "r", Secrets: []string{"s"}, Return: word})
	},
	"rocketchat": func(word string) (handoff.Provider, error) {
		return rocketchat.New(rocketchat.Config{
			URL: "https://chat.example", User: "u", Token: "t", Secrets: []string{rocketchattest.Secret}, Return: word,
		})
	},
}

// A host may have another word, or none; then the capabilities say so.
func TestWordOfTheHost(t *testing.T) {
	for name, open := range byWord {
		for word, can := range map[string]bool{"": true, "#zurück": true, provider.NoReturn: false} {
			p, err := open(word)
			require.NoError(t, err)
			assert.Equal(t, can, p.Info().Can.AgentReturns, "%s with %q", name, word)
		}
	}
	for word, want := range map[string]map[string]handoff.ProviderEventKind{
		"#zurück":         {"#ZURÜCK": handoff.EventReturned, provider.DefaultReturn: handoff.EventMessage},
		provider.NoReturn: {"-": handoff.EventMessage, provider.DefaultReturn: handoff.EventMessage},
	} {
		p, err := byWord["rocketchat"](word)
		require.NoError(t, err)
		for text, kind := range want {
			body := `{"_id":"r","type":"Message","messages":[{"_id":"m","agentId":"7","msg":"` + text + `"}]}`
			events, _, err := p.(handoff.Receiver).Receive(t.Context(), rocketchattest.Sign(rocketchattest.Secret, []byte(body)))
			require.NoError(t, err)
			require.Len(t, events, 1)
			assert.Equal(t, kind, events[0].Kind, "%q where the word is %q", text, word)
		}
	}
}
