package cisco_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/cisco"
	"github.com/seed-2a427302/handoff/provider/cisco/ciscotest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func config(h http.Handler) cisco.Config {
	return cisco.Config{
		URL: ciscotest.URL, Feed: ciscotest.Feed, Queues: map[string]string{"support": ciscotest.Tag}, HTTP: providertest.Client(h),
	}
}

func adapter(tb testing.TB, h http.Handler, change ...func(c *cisco.Config)) *cisco.Provider {
	tb.Helper()
	c := config(h)
	for _, f := range change {
		f(&c)
	}
	p, err := cisco.New(c)
	require.NoError(tb, err)
	return p
}

func TestProvider(t *testing.T) {
	for _, root := range []string{"chatEvents", "ChatEvents"} {
		t.Run(root, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.Harness {
				d := ciscotest.New(t)
				d.Root = root
				return providertest.Harness{Provider: suite(t, d), Vendor: d, Again: func() handoff.Provider { return suite(t, d) }}
			})
		})
	}
}

func opening(conversation string) handoff.Opening {
	return handoff.Opening{Attempt: conversation + ".1.1", Note: "n", Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: conversation, Number: 1}, Need: handoff.Need{Queue: "support"}, Created: time.Now(),
		User: &handoff.Contact{ID: "u1", Name: "U <&>\u000b", Mail: "u@example.org", Phone: "+30 1"},
	}}
}

var fromUser = handoff.Party{Role: handoff.RoleUser}

// What the platform says apart from the suite's failures.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := ciscotest.New(t)
		p := adapter(t, d)
		s, err := p.Open(t.Context(), opening("c"))
		require.NoError(t, err)
		const put = "PUT /ccp/rest/chat"
		m := handoff.ProviderMessage{ID: "m", Text: "hello\n<b>", From: fromUser, At: time.Now()}
		send := func(ctx context.Context) error { return p.Send(ctx, s, m) }
		applied := vendortest.CheckTroubles(t, d.Double, put, send)
		m.Again = true
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied, "it is the last that the customer has said")
		m.Text = "and"
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied+1, "that is not there yet")
		// What an agent has said is not what the customer has.
		d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: handoff.Party{Name: "U <&>"}})
		d.Do(providertest.Act{Kind: providertest.Say, Chat: s.Reference, Text: "yes"})
		m.Text = "yes"
		require.NoError(t, send(t.Context()))
		assert.Len(t, d.Chats()[0].Messages, applied+3)

		// The platform's own codes, also where the status says that all is well.
		m.Again = false
		for _, status := range []int{200, 400} {
			const body = "<apiErrors><apiError><errorType>notFound</errorType><errorMessage>hello</errorMessage></apiError></apiErrors>"
			d.Next(vendortest.Trouble{On: put, Status: status, Body: body})
			var pe *handoff.ProviderError
			require.ErrorAs(t, send(t.Context()), &pe)
			assert.Equal(t, []any{"notFound", false, false}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
		}
	})
}

func TestConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() cisco.Config { return config(nil) }, cisco.New, map[string]func(*cisco.Config){
		"Config.Return":          func(c *cisco.Config) { c.Return = "to bot" },
		"Config.URL":             func(c *cisco.Config) { c.URL = "ccp.example" },
		"Config.Path":            func(c *cisco.Config) { c.Path = "ccp" },
		"Config.Feed":            func(c *cisco.Config) { c.Feed = "CCX Chat Feed" },
		"Config.Queues":          func(c *cisco.Config) { c.Queues = nil },
		"Config.Queues[support]": func(c *cisco.Config) { c.Queues = map[string]string{"support": ""} },
		"Config.Fields":          func(c *cisco.Config) { c.Fields = map[string]string{" ": "x"} },
		"Config.Poll":            func(c *cisco.Config) { c.Poll = -1 },
		"Config.Linger":          func(c *cisco.Config) { c.Linger = -1 },
	})
	c := config(nil)
	c.Feed = ""
	_, err := cisco.New(c)
	require.Error(t, err)
	c.Feed, c.Fields = "https://other.example/ccp-webapp/ccp/feed/1", map[string]string{}
	for i := range cisco.MaxFields + 1 {
		c.Fields[strings.Repeat("x", i+1)] = "y"
	}
	_, err = cisco.New(c)
	require.Error(t, err)
}

// The form is the host's, and the agents see it.
func TestForm(t *testing.T) {
	d := ciscotest.New(t)
	p := adapter(t, d, func(c *cisco.Config) {
		c.Form = cisco.Form{User: "Nombre", Phone: "-", Attempt: "-"}
		c.Fields = map[string]string{"h_widgetName": "Bot", "Tienda": "7 & 8"}
		c.Redact = func(s string) string { return strings.ReplaceAll(s, "4111", "…") }
	})
	o := opening("c")
	o.Note = "card 4111"
	s, err := p.Open(t.Context(), o)
	require.NoError(t, err)
	chat := d.Find(s.Reference)
	assert.Equal(t, map[string]string{
		"ccxqueuetag": ciscotest.Tag, "Nombre": "U <&>", "Email": "u@example.org", "Note": "card …", "h_widgetName": "Bot", "Tienda": "7 & 8",
	}, chat.Data)
	assert.Contains(t, string(d.Requests()[0].Body), "<title>"+cisco.DefaultTitle+"</title>")
	assert.Empty(t, d.Violations())

	// A queue without a tag is refused, unless all others have one.
	o.Handoff.Need.Queue = "other"
	_, err = p.Open(t.Context(), o)
	var pe *handoff.ProviderError
	require.ErrorAs(t, err, &pe)
	assert.Equal(t, []any{"queue", false, false}, []any{pe.Code, pe.Retryable, pe.Ambiguous})
	s, err = adapter(t, d, func(c *cisco.Config) { c.Tag = "Chat_Csq1" }).Open(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, "Chat_Csq1", d.Find(s.Reference).Data["ccxqueuetag"])
}

// What the bot says comes from the customer, and says so.
func TestBotSpeaks(t *testing.T) {
	d := ciscotest.New(t)
	p := adapter(t, d)
	s, err := p.Open(t.Context(), opening("c"))
	require.NoError(t, err)
	require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: "hello\x0b", From: handoff.Party{Role: handoff.RoleBot}}))
	assert.Equal(t, []providertest.Said{{From: handoff.RoleBot, Text: "hello"}}, d.Chats()[0].Messages)
	assert.Contains(t, string(d.Requests()[1].Body), "[bot] hello")
}

// Where the interface is, and which feed, the host says.
func TestAddress(t *testing.T) {
	var paths []string
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.Method+" "+r.URL.Path)
		http.SetCookie(w, &http.Cookie{Name: "gone", Value: "x", MaxAge: -1})
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "cookie-1"})
		w.Header().Set("Location", "https://ccp.example/ccp-webapp/ccp/socialcontact/ABC?x=1")
		w.WriteHeader(http.StatusCreated)
	})
	p := adapter(t, h, func(c *cisco.Config) {
		c.URL, c.Path, c.Feed = "https://sm.example:8443/", "/ccp/chat/", "https://ccp.example/ccp-webapp/ccp/feed/7"
	})
	s, err := p.Open(t.Context(), opening("c"))
	require.NoError(t, err)
	assert.Equal(t, "ABC", s.Reference)
	assert.NotContains(t, string(s.State), "gone")
	require.NoError(t, p.Close(t.Context(), s, ""))
	assert.Equal(t, []string{"POST /ccp/chat", "PUT /ccp/chat/leaveChat"}, paths)
}

// An answer without an id of the chat has one all the same; one without a cookie
// is no chat that anybody could be in.
func TestAnswersToOpening(t *testing.T) {
	open := func(cookies ...string) (handoff.Session, error) {
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for _, c := range cookies {
				http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: c})
			}
			w.Header().Set("Location", "https://ccp.example/ccp/rest/chat")
			w.WriteHeader(http.StatusCreated)
		})
		return adapter(t, h).Open(t.Context(), opening("c"))
	}
	a, err := open("cookie-s3cret-a")
	require.NoError(t, err)
	b, err := open("cookie-s3cret-b")
	require.NoError(t, err)
	assert.NotEqual(t, a.Reference, b.Reference)
	assert.NotContains(t, a.Reference, "cookie")
	_, err = open()
	var pe *handoff.ProviderError
	require.ErrorAs(t, err, &pe)
	assert.Equal(t, []any{"no_cookie", true}, []any{pe.Code, pe.Ambiguous})
}

// A host's client with a jar would mix the cookies of chats.
func TestEachChatHasItsOwnCookies(t *testing.T) {
	d := ciscotest.New(t)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	p := adapter(t, d, func(c *cisco.Config) { c.HTTP.Jar = jar })
	first, err := p.Open(t.Context(), opening("c1"))
	require.NoError(t, err)
	second, err := p.Open(t.Context(), opening("c2"))
	require.NoError(t, err)
	for i, s := range []handoff.Session{first, second, first} {
		require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: string(rune('a' + i)), From: fromUser}))
	}
	assert.Equal(t, []providertest.Said{{From: handoff.RoleUser, Text: "a"}, {From: handoff.RoleUser, Text: "c"}}, d.Chats()[0].Messages)
	for _, r := range d.Requests() {
		assert.LessOrEqual(t, strings.Count(r.Header.Get("Cookie"), "JSESSIONID"), 1)
	}
	// A session with the state of another one is not let in.
	mixed := handoff.Session{Reference: first.Reference, State: second.State}
	require.Error(t, p.Send(t.Context(), mixed, handoff.ProviderMessage{ID: "m", Text: "x", From: fromUser}))
	require.NoError(t, p.Close(t.Context(), mixed, ""))
	assert.True(t, d.Chats()[0].Open && d.Chats()[1].Open)
	var state map[string]any
	require.NoError(t, json.Unmarshal(second.State, &state))
	assert.Equal(t, second.Reference, state["reference"])
}

// Typing may be counted by itself: what is read next does not begin behind it.
func TestTypingIsCountedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := []string{
			presence(1, "Ann", "joined"), "<TypingEvent><id>9</id><from>Ann</from><status>composing</status></TypingEvent>",
			said(2, "Ann", "first"), said(3, "Ann", "second"), presence(4, "Ann", "left"),
		}
		ids := []int{1, 9, 2, 3, 4}
		polls := 0
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "x"})
				return
			}
			after, err := strconv.Atoi(r.URL.Query().Get("eventid"))
			assert.NoError(t, err)
			polls++
			var found []string
			for i := range min(polls, len(list)) { // one more each time
				if ids[i] > after {
					found = append(found, list[i])
				}
			}
			_, _ = w.Write(answer(found...))
		})
		p := adapter(t, h)
		s, err := p.Open(t.Context(), opening("c"))
		require.NoError(t, err)
		var events []handoff.ProviderEvent
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, p.Stream(ctx, s, func(ev handoff.ProviderEvent) error { events = append(events, ev); return nil }))
		assert.Equal(t, []string{"joined Ann", "typing Ann", "message Ann first", "message Ann second", "ended Ann"}, told(events))
	})
}

func TestStrangers(t *testing.T) {
	vendortest.Strangers{New: func(t *testing.T) (vendortest.Platform, handoff.Provider) {
		d := ciscotest.New(t)
		return d, adapter(t, d)
	}}.Check(t)
}
