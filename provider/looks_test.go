package provider_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// What is said again is looked for first. An answer without what was asked for
// tells neither that it is there (it would be lost) nor that it is not (it would
// be there twice).
func TestEveryLook(t *testing.T) {
	for where, list := range map[string]map[string]opener{"outside": platforms, "within": within} {
		for name, open := range list {
			if testing.Short() && !slices.Contains([]string{"chatwoot", "rocketchat", "slack"}, name) {
				continue // the race detector makes it slow
			}
			for _, what := range []string{"Open", "Send", "Note"} {
				t.Run(where+"/"+name+"/"+what, func(t *testing.T) {
					for _, body := range []string{`{}`, `null`, `{"ok":true}`, `{"success":true}`, `{"success":false}`} {
						for _, done := range []bool{true, false} {
							for n := 0; n < 20 && !t.Failed(); n++ {
								hit := false
								synctest.Test(t, func(t *testing.T) { hit = checkLook(t, open, what, body, done, n) })
								if !hit {
									break
								}
							}
						}
					}
				})
			}
		}
	}
}

// isLook reports whether a request changes nothing.
func isLook(pattern string) bool {
	for _, name := range []string{"GET ", "/list_chats", "/get_chat", "/search", "/messages/bulk", "/query", "/conversations/messages/{conversation}"} {
		if strings.HasPrefix(pattern, name) || strings.HasSuffix(pattern, name) {
			return true
		}
	}
	return false
}

// checkLook repeats a call of which nobody knows whether it was done, and has its
// request n answered with a body that makes no sense.
func checkLook(t *testing.T, open opener, what, body string, done bool, n int) (hit bool) {
	t.Helper()
	d, in, p, err := open(t)
	require.NoError(t, err)
	x := &step{d: d, p: p, at: time.Now()}
	c := stepCalls[what]
	x.s, err = p.Open(t.Context(), handoff.Opening{Attempt: "have.1.1", Note: "n", Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: "have", Number: 1}, Need: handoff.Need{Queue: "support"}, Created: time.Now(),
		User: &handoff.Contact{ID: "u-have", Name: "U", Mail: "have@example.org"},
	}})
	require.NoError(t, err)
	d.Do(providertest.Act{Kind: providertest.Join, Chat: x.s.Reference, Agent: ann})
	if done {
		require.NoError(t, c.call(t.Context(), x, false))
	}
	before := len(in.Requests())
	d.Next(vendortest.Trouble{Status: http.StatusOK, Body: body, After: n})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	err = c.call(ctx, x, true)
	cancel()
	asked := in.Requests()[before:]
	if len(asked) <= n {
		return false
	}
	if !isLook(asked[n].Pattern) {
		return true // of what was written nobody can know that nothing was done
	}
	at := asked[n].Pattern + " answers " + body
	for try := 0; err != nil && try < 12; try++ {
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe, at)
		assert.True(t, pe.Retryable, "%s: %v", at, err)
		time.Sleep(3 * time.Minute) //nolint:forbidigo // in a bubble
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err = c.call(ctx, x, true)
		cancel()
	}
	require.NoError(t, err, at)
	c.check(t, x)
	if t.Failed() {
		t.Logf("%s, done %t", at, done)
	}
	return true
}

// What an answer has to have, each left out of one: an error that is tried again.
func TestAnswerThatLacks(t *testing.T) {
	const (
		send, note, ticket, availability = "send", "note", "ticket", "availability"

		slackTalk, chatwootTalk = "GET /api/conversations.replies", "GET /api/v1/accounts/{account}/conversations/{conversation}/messages"
	)
	for _, c := range []struct{ name, call, on, body string }{
		{"zendesk", send, "GET /sc/v2/apps/{app}/conversations/{conversation}/messages", `{"meta":{"hasMore":false}}`},
		{"zendesk", note, "GET /api/v2/tickets/{ticket}/comments", `{"count":0}`},
		{"chatwoot", send, chatwootTalk, `{"meta":{}}`},
		{"chatwoot", note, chatwootTalk, `{"payload":[{"content":"no id"}]}`},
		{"chatwoot", "open", "GET /api/v1/accounts/{account}/contacts/search", `{"meta":{"count":0}}`},
		{"chatwoot", "open", "POST /api/v1/accounts/{account}/contacts", `{"payload":{}}`},
		{"freshchat", note, "GET /v2/conversations/{conversation}/messages", `{"pagination":{}}`},
		{"freshchat", "find", "GET /v2/conversations/{conversation}/messages", `{"pagination":{}}`},
		{"freshchat", ticket, "GET /api/v2/tickets", `null`},
		{"genesys", send, "POST /oauth/token", `{"token_type":"bearer","expires_in":86399}`},
		{"genesys", send, "POST /api/v2/conversations/messages/{conversation}/messages/bulk", `{}`},
		{"genesys", "state", "GET /api/v2/conversations/messages/{conversation}", `{"id":"CONVERSATION"}`},
		{"genesys", ticket, "POST /api/v2/taskmanagement/workitems/query", `null`},
		{"intercom", send, "GET /conversations/{conversation}", `{"id":"REFERENCE","state":"open"}`},
		{"intercom", "open", "GET /contacts/find_by_external_id/{external}", `{"type":"contact"}`},
		{"livechat", "state", "POST /v3.6/agent/action/get_chat", `{"id":"REFERENCE"}`},
		{"livechat", "file", "POST /v3.6/customer/action/upload_file", `{}`},
		{"slack", send, slackTalk, `{"ok":true}`},
		{"slack", note, slackTalk, `{"ok":true,"has_more":false}`},
		{"slack", "file", "POST /api/files.getUploadURLExternal", `{"ok":true}`},
		{"slack", availability, "GET /api/users.getPresence", `{"ok":true}`},
		{"rocketchat", send, "GET /api/v1/livechat/message/{id}", `{"success":true}`},
		{"rocketchat", send, "GET /api/v1/livechat/message/{id}", `{"message":{"_id":"x"}}`},
		{"rocketchat", send, "POST /api/v1/livechat/message", `{"success":false}`},
		{"rocketchat", send, "POST /api/v1/livechat/message", `{"success":false,"error":"not now [room-closed]"}`},
		{"rocketchat", "file", "POST /api/v1/livechat/upload/{room}", `{"success":false}`},
		{"rocketchat", ticket, "POST /api/v1/livechat/offline.message", `{"success":false}`},
	} {
		t.Run(c.name+"/"+c.call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, in, p, err := platforms[c.name](t)
				require.NoError(t, err)
				o := handoff.Opening{Attempt: "have.1.1", Note: "n", Handoff: handoff.Handoff{
					ID: handoff.ID{Conversation: "have", Number: 1}, Need: handoff.Need{Queue: "support"},
				}}
				var s handoff.Session
				if c.call != "open" {
					s, err = p.Open(t.Context(), o)
					require.NoError(t, err)
				}
				var st struct{ Conversation string }
				_ = json.Unmarshal(s.State, &st)
				if c.on == "POST /oauth/token" {
					time.Sleep(48 * time.Hour) //nolint:forbidigo // in a bubble: until a token is no longer good
				}
				body := strings.NewReplacer("REFERENCE", s.Reference, "CONVERSATION", st.Conversation).Replace(c.body)
				d.Next(vendortest.Trouble{On: c.on, Status: http.StatusOK, Body: body, Times: 10})
				before := len(in.Requests())
				m := handoff.ProviderMessage{ID: "m1", Text: "hello", From: handoff.Party{Role: handoff.RoleUser}, At: time.Now(), Again: true}
				switch c.call {
				case "open":
					_, err = p.Open(t.Context(), o)
				case send:
					err = p.Send(t.Context(), s, m)
				case "file":
					m.Again, m.Files = false, []handoff.File{{Name: "bill.pdf", URL: "https://files.example/bill.pdf"}}
					err = p.Send(t.Context(), s, m)
				case note:
					err = p.(handoff.Noter).Note(t.Context(), s, m) //nolint:forcetypeassert // else it panics
				case "find":
					_, _, err = p.(handoff.Finder).Find(t.Context(), o.Attempt) //nolint:forcetypeassert // else it panics
				case "state":
					_, _, err = p.(handoff.StateReader).ReadState(t.Context(), s) //nolint:forcetypeassert // else it panics
				case availability:
					_, err = p.(handoff.AvailabilityChecker).Available(t.Context(), handoff.Need{Queue: "support"}) //nolint:forcetypeassert // else it panics
				case ticket:
					_, err = p.(handoff.Ticketer).Ticket(t.Context(), o.Handoff, "left", "t1") //nolint:forcetypeassert // else it panics
				}
				var pe *handoff.ProviderError
				require.ErrorAs(t, err, &pe)
				assert.Equal(t, []any{"answer", true}, []any{pe.Code, pe.Retryable})
				asked := in.Requests()[before:]
				assert.Equal(t, c.on, asked[len(asked)-1].Pattern, "nothing is asked after that")
			})
		})
	}
}

// Freshchat's document does not say what a list of nothing new is: one that is not
// there is believed once the list of all that was said is.
func TestNothingNewInFreshchat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, p, err := platforms["freshchat"](t)
		require.NoError(t, err)
		s, err := p.Open(t.Context(), handoff.Opening{Attempt: "have.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "have", Number: 1}}})
		require.NoError(t, err)
		m := handoff.ProviderMessage{ID: "m1", Text: "hello", From: handoff.Party{Role: handoff.RoleUser}, At: time.Now()}
		require.NoError(t, p.Send(t.Context(), s, m))
		const list = "GET /v2/conversations/{conversation}/messages"
		m.Again = true
		d.Next(vendortest.Trouble{On: list, Status: http.StatusOK, Body: `{}`})
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Len(t, d.Chats()[0].Messages, 1, "it is there")
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		m.ID, m.At = "m2", time.Now()
		d.Next(vendortest.Trouble{On: list, Status: http.StatusOK, Body: `{}`})
		require.NoError(t, p.Send(t.Context(), s, m))
		assert.Len(t, d.Chats()[0].Messages, 2, "the same words, an hour later")
	})
}
