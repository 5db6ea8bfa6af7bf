package rocketchat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// reading returns an adapter that reads the socket.
func reading(tb testing.TB, d *rocketchattest.Double) handoff.Provider {
	tb.Helper()
	c := config(d)
	c.Dial = d.Dial
	p, err := rocketchat.New(c)
	require.NoError(tb, err)
	return p
}

func TestProviderWithSocket(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := rocketchattest.New(t)
		return providertest.Harness{Provider: reading(t, d), Vendor: d, Again: func() handoff.Provider { return reading(t, d) }}
	})
}

// Without Dial it is what it was.
func TestWithoutSocket(t *testing.T) {
	d := rocketchattest.New(t)
	for p, want := range map[handoff.Provider]bool{adapter(t, d): false, reading(t, d): true} {
		can := p.Info().Can
		_, types := p.(handoff.Typist)
		assert.Equal(t, []bool{want, want, want, want, true}, []bool{can.TypingIn, can.WaitEstimate, can.TypingOut, types, can.Position})
	}
}

// stream is a Stream that runs.
type stream struct {
	mu   sync.Mutex
	told []string
	raw  []handoff.ProviderEvent
	stop context.CancelFunc
	done chan error
}

// listen runs Stream until the test is over; fail is what emit returns.
func listen(t *testing.T, p handoff.Provider, s handoff.Session, fail func(handoff.ProviderEvent) error) *stream {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out := &stream{stop: stop, done: make(chan error, 1)}
	go func() {
		out.done <- p.(handoff.Streamer).Stream(ctx, s, func(ev handoff.ProviderEvent) error {
			out.mu.Lock()
			defer out.mu.Unlock()
			assert.Equal(t, s.Reference, ev.Reference)
			require.NoError(t, ev.Validate())
			out.raw = append(out.raw, ev)
			text := fmt.Sprint(ev.Kind, " ", !ev.Stopped)
			if ev.Kind == handoff.EventQueued {
				text = fmt.Sprint(ev.Kind, " ", ev.Position, " ", ev.Wait)
			}
			out.told = append(out.told, text)
			if fail != nil {
				return fail(ev)
			}
			return nil
		})
	}()
	t.Cleanup(func() { stop(); synctest.Wait() })
	synctest.Wait()
	return out
}

// news takes what was told since it was last asked.
func (s *stream) news() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.told
	s.told = nil
	return out
}

func open(t *testing.T, p handoff.Provider, conversation string) handoff.Session {
	t.Helper()
	s, err := p.Open(t.Context(), handoff.Opening{
		Attempt: conversation + ".1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: conversation, Number: 1}, Need: handoff.Need{Queue: "support"}},
	})
	require.NoError(t, err)
	return s
}

func sleep(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble
	synctest.Wait()
}

var ann = handoff.Party{ID: "7", Name: "Ann"}

// A visitor subscribes to his own room, is told who writes and what his place and his
// wait are, and unsubscribes when nobody wants it any more.
func TestSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		d.Estimate = 300 // for whoever asks
		p := reading(t, d)
		s, other := open(t, p, "c"), open(t, p, "other")
		l := listen(t, p, s, nil)
		listen(t, p, other, nil)
		assert.Equal(t, []string{"queued 1 5m0s"}, l.news(), "the first estimate is asked for")
		do := func(a providertest.Act) { a.Chat = s.Reference; require.True(t, d.Do(a)) }
		do(providertest.Act{Kind: providertest.Queue, Position: 4})
		do(providertest.Act{Kind: providertest.Queue, Position: 4})
		d.Do(providertest.Act{Kind: providertest.Queue, Chat: other.Reference, Position: 9})
		sleep(5 * time.Minute)
		assert.Equal(t, []string{"queued 4 4m0s"}, l.news(), "the list that is read says the same")
		do(providertest.Act{Kind: providertest.Join, Agent: ann})
		do(providertest.Act{Kind: providertest.Type})
		do(providertest.Act{Kind: providertest.Type})
		do(providertest.Act{Kind: providertest.Type, Text: rocketchattest.Stopped})
		assert.Equal(t, []string{"typing true", "typing false"}, l.news(), "once, by both its names")

		first := d.Sockets()[0]
		d.Lock()
		assert.JSONEq(t, `{"msg":"connect","version":"1","support":["1"]}`, first.Heard[0])
		who := `{"useCollection":false,"args":[{"token":"` + token(t, s) + `","visitorToken":"` + token(t, s) + `"}]}`
		assert.JSONEq(t, `{"msg":"sub","id":"3","name":"stream-livechat-room","params":["`+s.Reference+`",`+who+`]}`, first.Heard[3])
		assert.Equal(t, map[string]string{
			"1": "stream-notify-room " + s.Reference + "/user-activity", "2": "stream-notify-room " + s.Reference + "/typing", "3": "stream-livechat-room " + s.Reference,
		}, first.Subs)
		assert.Contains(t, first.Heard, `{"msg":"pong","id":"p1"}`, "the server's pings are answered")
		d.Unlock()
		l.stop()
		require.NoError(t, <-l.done)
		synctest.Wait()
		require.Len(t, d.Sockets(), 1, "its socket is closed, the other room's is not")
		d.Lock()
		assert.Empty(t, first.Subs, "it has unsubscribed")
		d.Unlock()
		assert.Empty(t, d.Violations())
	})
}

func token(t *testing.T, s handoff.Session) string {
	t.Helper()
	var st struct{ Token string }
	require.NoError(t, json.Unmarshal(s.State, &st))
	return st.Token
}

// A place that was read stands where the socket tells none: of an edition that has no
// estimates, after a cut, and of a room that left the queue and came back.
func TestSocketAndList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p := reading(t, d)
		s := open(t, p, "c")
		l := listen(t, p, s, nil)
		assert.Equal(t, []string{"queued 1 0s"}, l.news(), "no estimate: the wait is unknown")
		tell := func(spot int) {
			_ = d.Sockets()[0].Write(t.Context(), fmt.Appendf(nil, `{"msg":"changed","collection":"stream-livechat-room","id":"id","fields":{"eventName":%q,
				"args":[{"type":"queueData","data":{"spot":%d,"estimatedWaitTimeSeconds":600}}]}}`, s.Reference, spot))
		}
		tell(3) // the list says 1
		sleep(50 * time.Second)
		assert.Equal(t, []string{"queued 3 10m0s"}, l.news())
		sleep(time.Minute)
		assert.Equal(t, []string{"queued 1 0s"}, l.news(), "the list is right in the end")
		tell(2)
		assert.Equal(t, []string{"queued 2 10m0s"}, l.news())
		d.Sockets()[0].Close()
		sleep(25 * time.Second)
		assert.Equal(t, []string{"queued 1 0s"}, l.news())
	})
}

// wire is an adapter whose socket the test holds.
func wire(t *testing.T, d *rocketchattest.Double) (p handoff.Provider, ends *[]*vendortest.Pipe) {
	t.Helper()
	c := config(d)
	ends = new([]*vendortest.Pipe)
	var mu sync.Mutex
	c.Dial = func(_ context.Context, address string, _ http.Header) (provider.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, "wss://chat.example/websocket", address)
		here, there := vendortest.NewPipe()
		*ends = append(*ends, there)
		return here, nil
	}
	p, err := rocketchat.New(c)
	require.NoError(t, err)
	return p, ends
}

// said takes what was said on a connection.
func said(end *vendortest.Pipe) (out []string) {
	synctest.Wait()
	for m, ok := end.Take(); ok; m, ok = end.Take() {
		out = append(out, string(m))
	}
	return out
}

const room = "KTZqPAR9DQGxKcxzf" // of the page on subscriptions to rooms of visitors

// The pages, as they were on 2026-11-26, show how to subscribe and what is called; what
// is told is of Rocket.Chat's source: the types of its streams, and what it dispatches.
const (
	source    = "RocketChat/Rocket.Chat packages/ddp-client/src/types/streams.ts "
	spot      = "RocketChat/Rocket.Chat apps/meteor/ee/app/livechat-enterprise/server/lib/Helper.ts "
	notices   = "https://developer.rocket.chat/apidocs/notify-room-stream-realtime"
	basics    = "https://developer.rocket.chat/apidocs/realtimeapi"
	subscribe = "https://developer.rocket.chat/apidocs/subscribe-to-livechat-room-realtime"
)

// frames are what Rocket.Chat tells, and what is like it and says nothing to the user.
var frames = []struct{ source, body, told string }{
	{
		source + "(user-activity), with the name of " + notices,
		`{"msg":"changed","collection":"stream-notify-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf/user-activity","args":["testrc",["user-typing"],{}]}}`,
		"typing true",
	},
	{
		source + "(user-activity, none any more)",
		`{"msg":"changed","collection":"stream-notify-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf/user-activity","args":["testrc",[],{}]}}`,
		"typing false",
	},
	{
		source + "(typing), with the name of " + notices,
		`{"msg":"changed","collection":"stream-notify-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf/typing","args":["testrc",true]}}`,
		"typing true",
	},
	{
		spot + "(queueData)",
		`{"msg":"changed","collection":"stream-livechat-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf","args":[{"type":"queueData","data":{"spot":2,
			"message":{"text":"","user":{"_id":"rocket.cat","username":"rocket.cat"}},"estimatedWaitTimeSeconds":90.5}}]}}`,
		"queued 2 1m30.5s",
	},
	{
		spot + "(queueData without an estimate)",
		`{"msg":"changed","collection":"stream-livechat-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf","args":[{"type":"queueData","data":{"spot":1}}]}}`,
		"queued 1 0s",
	},
	{
		source + "(agentStatus)",
		`{"msg":"changed","collection":"stream-livechat-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf","args":[{"type":"agentStatus","status":"online"}]}}`, "",
	},
	{
		"of another room whose name begins like ours",
		`{"msg":"changed","collection":"stream-notify-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzfX/user-activity","args":["testrc",["user-typing"]]}}`, "",
	},
	{
		"the place of another room",
		`{"msg":"changed","collection":"stream-livechat-room","id":"id","fields":{"eventName":"other","args":[{"type":"queueData","data":{"spot":7}}]}}`, "",
	},
	{
		"somebody uploads",
		`{"msg":"changed","collection":"stream-notify-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf/user-activity","args":["testrc",["user-uploading"]]}}`, "",
	},
	{
		source + "(deleteMessage)",
		`{"msg":"changed","collection":"stream-notify-room","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf/deleteMessage","args":[{"_id":"m"}]}}`, "",
	},
	{
		"in the wrong stream",
		`{"msg":"changed","collection":"stream-room-messages","id":"id","fields":{"eventName":"KTZqPAR9DQGxKcxzf","args":[{"type":"queueData","data":{"spot":7}}]}}`, "",
	},
	{"without a name", `{"msg":"changed","collection":"stream-notify-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf/typing","args":["",true]}}`, ""},
	{"without words", `{"msg":"changed","collection":"stream-notify-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf/typing","args":["testrc"]}}`, ""},
	{"of other types", `{"msg":"changed","collection":"stream-notify-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf/typing","args":[{"a":1},"yes"]}}`, ""},
	{"no place", `{"msg":"changed","collection":"stream-livechat-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf","args":[{"type":"queueData","data":{"spot":0}}]}}`, ""},
	{"nothing in it", `{"msg":"changed","collection":"stream-livechat-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf","args":[{"type":"queueData"}]}}`, ""},
	{"half a place", `{"msg":"changed","collection":"stream-livechat-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf","args":[{"type":"queueData","data":{"spot":1.5}}]}}`, ""},
	{
		"a wait of years", `{"msg":"changed","collection":"stream-livechat-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf",
			"args":[{"type":"queueData","data":{"spot":3,"estimatedWaitTimeSeconds":1e300}}]}}`, "queued 3 277h46m40s",
	},
	{
		"a wait that has been", `{"msg":"changed","collection":"stream-livechat-room","fields":{"eventName":"KTZqPAR9DQGxKcxzf",
			"args":[{"type":"queueData","data":{"spot":4,"estimatedWaitTimeSeconds":-1}}]}}`, "queued 4 0s",
	},
	{subscribe + " (sample response)", `{"msg":"ready","subs":["JHalkajwdh67"]}`, ""},
	{"not allowed", `{"msg":"nosub","id":"1","error":{"error":"not-allowed","errorType":"Meteor.Error"}}`, ""},
	{"rubbish", "\x00\xff{", ""},
	{"nothing", "", ""},
	{"null", "null", ""},
	{"a list", "[]", ""},
	{"deep", strings.Repeat("[", 100_000), ""},
	{"of no types", `{"msg":5,"fields":"x"}`, ""},
	{"the first word", `{"server_id":"0"}`, ""},
}

func TestFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p, ends := wire(t, d)
		mine := open(t, p, "c")
		l := listen(t, p, mine, nil)
		l.news()
		for _, f := range frames {
			require.NoError(t, (*ends)[0].Write(t.Context(), []byte(strings.ReplaceAll(f.body, room, mine.Reference))))
			want := []string{f.told}
			if f.told == "" {
				want = nil
			}
			assert.Equal(t, want, l.news(), f.source)
		}
		require.Len(t, *ends, 1, "nothing of this ends the connection")
		// Pings are answered by their id; one that is no id is not said again.
		said((*ends)[0])
		for _, ping := range []string{`{"msg":"ping"}`, `{"msg":"ping","id":"x"}`, `{"msg":"ping","id":"` + strings.Repeat("x", 1000) + `"}`} {
			require.NoError(t, (*ends)[0].Write(t.Context(), []byte(ping)))
		}
		assert.Equal(t, []string{`{"msg":"pong"}`, `{"msg":"pong","id":"x"}`, `{"msg":"pong"}`}, said((*ends)[0]), basics)
	})
}

func FuzzFrame(f *testing.F) {
	for _, frame := range frames {
		f.Add([]byte(frame.body))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		ev, ok := rocketchat.Frame(message, room)
		if !ok {
			return
		}
		if err := ev.Validate(); err != nil {
			t.Fatal(err)
		}
		if ev.Reference != room || ev.ID == "" || ev.Kind != handoff.EventTyping && ev.Kind != handoff.EventQueued || ev.Agent.Name != "" {
			t.Fatalf("%+v", ev)
		}
	})
}

// After a cut nobody writes any more, as far as anybody knows, and the visitor
// subscribes again. A server of another version is left alone for minutes.
func TestSocketComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p := reading(t, d)
		s := open(t, p, "c")
		d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
		l := listen(t, p, s, nil)
		d.Do(providertest.Act{Kind: providertest.Type, Chat: s.Reference})
		assert.Equal(t, []string{"typing true"}, l.news())
		d.Sockets()[0].Close()
		assert.Equal(t, []string{"typing false"}, l.news())
		sleep(2 * time.Second)
		require.True(t, d.Do(providertest.Act{Kind: providertest.Type, Chat: s.Reference}))
		assert.Equal(t, []string{"typing true"}, l.news())
		_ = d.Sockets()[0].Write(t.Context(), []byte(`{"msg":"failed","version":"pre2"}`))
		sleep(4 * time.Minute)
		require.Empty(t, d.Sockets())
		sleep(6 * time.Minute)
		require.Len(t, d.Sockets(), 1)
	})
}

// What is told to the engine is not waited for: pings are answered, and of many words
// about who writes some are enough.
func TestSocketSlowEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p, ends := wire(t, d)
		s := open(t, p, "c")
		d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
		free := make(chan struct{})
		l := listen(t, p, s, func(handoff.ProviderEvent) error { <-free; return nil })
		for i := range 200 {
			require.NoError(t, (*ends)[0].Write(t.Context(), fmt.Appendf(nil,
				`{"msg":"changed","collection":"stream-notify-room","fields":{"eventName":"%s/user-activity","args":["user%d",["user-typing"]]}}`, s.Reference, i)))
			synctest.Wait()
		}
		said((*ends)[0])
		require.NoError(t, (*ends)[0].Write(t.Context(), []byte(`{"msg":"ping"}`)))
		assert.Equal(t, []string{`{"msg":"pong"}`}, said((*ends)[0]))
		close(free)
		assert.Less(t, len(l.news()), 30)
	})
}

// What the engine cannot take ends the Stream, with its error and its connection.
func TestSocketEmitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p := reading(t, d)
		wrong := errors.New("the store is down")
		l := listen(t, p, open(t, p, "c"), func(handoff.ProviderEvent) error { return wrong })
		require.ErrorIs(t, <-l.done, wrong)
		synctest.Wait()
		require.Empty(t, d.Sockets())
	})
}

// Rocket.Chat that refuses to say how long the wait is, or does not answer, is heard
// all the same.
func TestSocketWithoutEstimate(t *testing.T) {
	for _, trouble := range []vendortest.Trouble{
		{Status: http.StatusForbidden},
		{Status: http.StatusTooManyRequests, Times: 9},
		{Cut: true, Times: 9},
		{Slow: time.Hour},
		{Status: http.StatusOK, Body: `{"config":{"room":{"_id":"other"},"queueInfo":{"spot":7}}}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := rocketchattest.New(t)
			p := reading(t, d)
			s := open(t, p, "c")
			trouble.On = "GET /api/v1/livechat/config"
			d.Next(trouble)
			l := listen(t, p, s, nil)
			sleep(6 * time.Second)
			assert.Equal(t, []string{"queued 1 0s"}, l.news())
			d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
			require.True(t, d.Do(providertest.Act{Kind: providertest.Type, Chat: s.Reference}))
			assert.Equal(t, []string{"typing true"}, l.news())
		})
	}
}

// Nothing that Rocket.Chat quotes on its socket, and no token, is in what is told.
func TestSocketCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p, ends := wire(t, d)
		s := open(t, p, "c")
		l := listen(t, p, s, nil)
		secrets := append(d.Secrets(), token(t, s))
		quote := strings.Join(secrets, " ")
		for _, f := range []string{
			`{"msg":"changed","collection":"stream-notify-room","id":%[2]q,"fields":{"eventName":"%[1]s/user-activity","args":["ann",["user-typing",%[2]q]]}}`,
			`{"msg":"changed","collection":"stream-livechat-room","fields":{"eventName":"%[1]s","args":[{"type":"queueData","data":{"spot":2,"message":{"text":%[2]q}}}]}}`,
			`{"msg":"nosub","id":"1","error":{"error":%[2]q}}`, `{"msg":"error","reason":%[2]q}`,
		} {
			require.NoError(t, (*ends)[0].Write(t.Context(), fmt.Appendf(nil, f, s.Reference, quote)))
			synctest.Wait()
		}
		require.Len(t, l.raw, 3)
		l.stop()
		text := fmt.Sprintf("%+v %v", l.raw, <-l.done)
		for _, secret := range secrets {
			assert.NotContains(t, text, secret)
		}
	})
}

// A session that is none has no socket.
func TestSocketSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := reading(t, rocketchattest.New(t)).(handoff.Streamer).Stream(t.Context(), handoff.Session{Reference: "r"}, nil)
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, "session", pe.Code)
	})
}
