package provider_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/chatwoot"
	"github.com/seed-2a427302/handoff/provider/chatwoot/chatwoottest"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/slack"
	"github.com/seed-2a427302/handoff/provider/slack/slacktest"
	"github.com/seed-2a427302/handoff/providertest"
)

const (
	secretWord = "REDACT-4711"
	hidden     = "HIDDEN"
)

// hideWord is what all adapters of these tests redact by.
func hideWord(text string) string { return strings.ReplaceAll(text, secretWord, hidden) }

// What was said so far goes to every platform redacted, before it is cut to what
// the platform takes; it is never cut within a character, and the newest stays.
func TestTranscriptOfEveryAdapter(t *testing.T) {
	for where, list := range map[string]map[string]opener{"outside": platforms, "within": within} {
		for name, open := range list {
			t.Run(where+"/"+name, func(t *testing.T) {
				for shift := range 4 { // so that the cut falls on each byte of a character
					synctest.Test(t, func(t *testing.T) { checkOpening(t, open, shift) })
				}
			})
		}
	}
}

func checkOpening(t *testing.T, open opener, shift int) {
	_, in, p, err := open(t)
	require.NoError(t, err)
	o := handoff.Opening{Attempt: "c.1.1", Note: "Reason: " + secretWord, Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: "c", Number: 1}, Need: handoff.Need{Queue: "support"}, Created: time.Now(),
		User: &handoff.Contact{ID: "u1", Name: "U", Mail: "u@example.org"}, Summary: "paid with " + secretWord, Answers: map[string]string{"card": secretWord},
	}}
	const entries = 80
	for i := range entries {
		text := strings.Repeat("x", shift) + strings.Repeat("é漢😀 ", 40) + secretWord + strings.Repeat("é漢😀 ", 40)
		if i == entries-1 {
			text = "the newest, with " + secretWord
		}
		o.Transcript = append(o.Transcript, handoff.Entry{
			ID: fmt.Sprint("e", i), Seq: int64(i + 1), Kind: handoff.KindMessage, From: handoff.Party{Role: handoff.RoleUser}, Text: text, At: time.Now(),
		})
	}
	_, err = p.Open(t.Context(), o)
	require.NoError(t, err)
	var all strings.Builder
	for _, r := range in.Requests() {
		body := string(r.Body)
		all.WriteString(body)
		require.True(t, utf8.ValidString(body), "%s is cut within a character", r.Pattern)
		for _, broken := range []string{"\ufffd", `\ufffd`, "%EF%BF%BD"} {
			require.NotContains(t, body, broken, "%s is cut within a character", r.Pattern)
		}
	}
	text := all.String()
	assert.NotContains(t, text, "REDACT", "nothing of it, whole or cut, goes out")
	assert.Contains(t, text, hidden)
	if p.Info().Custody == handoff.CustodyQueue { // else the platform has it
		assert.Regexp(t, "the.newest", text)
	}
	require.Empty(t, in.Violations())
}

// The files that users send are fetched by a client that reaches no address
// inside, unless the host gives another one: the agent gets the address.
func TestFilesAreFetchedFromOutsideOnly(t *testing.T) {
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = w.Write([]byte("inside"))
	}))
	defer inside.Close()
	for name, open := range map[string]func(t *testing.T) (double, handoff.Provider, error){
		"chatwoot": func(t *testing.T) (double, handoff.Provider, error) {
			d := chatwoottest.New(t)
			p, err := chatwoot.New(chatwoot.Config{
				URL: chatwoottest.URL, Account: chatwoottest.Account, Inbox: chatwoottest.Inbox, InboxIdentifier: chatwoottest.Name,
				Token: chatwoottest.Token, Secrets: []string{chatwoottest.Secret}, HTTP: providertest.Client(d),
			})
			return d, p, err
		},
		"livechat": func(t *testing.T) (double, handoff.Provider, error) {
			d := livechattest.New(t)
			p, err := livechat.New(livechat.Config{
				URL: livechattest.URL, Accounts: livechattest.Accounts, Organization: livechattest.Organization, ClientID: livechattest.ClientID,
				ClientSecret: livechattest.ClientSecret, RefreshToken: livechattest.RefreshToken, Secrets: []string{livechattest.Secret},
				HTTP: providertest.Client(d),
			})
			return d, p, err
		},
		"rocketchat": func(t *testing.T) (double, handoff.Provider, error) {
			d := rocketchattest.New(t)
			p, err := rocketchat.New(rocketchat.Config{
				URL: rocketchattest.URL, User: rocketchattest.User, Token: rocketchattest.Token, Secrets: []string{rocketchattest.Secret},
				HTTP: providertest.Client(d),
			})
			return d, p, err
		},
		"slack": func(t *testing.T) (double, handoff.Provider, error) {
			d := slacktest.New(t)
			p, err := slack.New(slack.Config{
				URL: slacktest.URL, Token: slacktest.Token, Secrets: []string{slacktest.Secret}, Channel: slacktest.Channel, HTTP: providertest.Client(d),
			})
			return d, p, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, p, err := open(t)
			require.NoError(t, err)
			s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{
				ID: handoff.ID{Conversation: "c", Number: 1}, User: &handoff.Contact{ID: "u1", Mail: "u@example.org"},
			}})
			require.NoError(t, err)
			address := inside.URL + "/secret.pdf"
			require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{
				ID: "m1", Text: "see", From: handoff.Party{Role: handoff.RoleUser}, Files: []handoff.File{{Name: "secret.pdf", URL: address}}, At: time.Now(),
			}))
			assert.Zero(t, reached.Load(), "it was fetched")
			assert.Contains(t, saidBy(d.Chats()[0], handoff.RoleUser), address)
		})
	}
}
