package livechat_test

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
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// reading returns an adapter that reads the socket.
func reading(tb testing.TB, d *livechattest.Double) handoff.Provider {
	tb.Helper()
	c := config(d)
	c.Dial = d.Dial
	p, err := livechat.New(c)
	require.NoError(tb, err)
	return p
}

func TestProviderWithSocket(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := livechattest.New(t)
		return providertest.Harness{Provider: reading(t, d), Vendor: d, Again: func() handoff.Provider { return reading(t, d) }}
	})
}

// Without Dial it is what it was: nothing to read, and nobody who writes.
func TestWithoutSocket(t *testing.T) {
	p, err := livechat.New(config(nil))
	require.NoError(t, err)
	_, reads := p.(handoff.Streamer)
	assert.Equal(t, []bool{false, false}, []bool{reads, p.Info().Can.TypingIn})
	p = reading(t, livechattest.New(t))
	_, reads = p.(handoff.Streamer)
	assert.Equal(t, []bool{true, true}, []bool{reads, p.Info().Can.TypingIn})
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
			text := fmt.Sprint(ev.Kind, " ", ev.Agent.ID, " ", ev.Agent.Name, " ", !ev.Stopped)
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
		Attempt: conversation + ".1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: conversation, Number: 1}},
	})
	require.NoError(t, err)
	return s
}

func sleep(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble
	synctest.Wait()
}

var ann = handoff.Party{ID: "smith@example.com", Name: "Agent Smith"}

// The customer logs in, for these pushes alone, pings, and is told of his chat: who
// writes and stops, and each place with its wait, once.
func TestSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		p := reading(t, d)
		s := open(t, p, "c")
		l := listen(t, p, s, nil)
		other := open(t, p, "other")
		listen(t, p, other, nil)
		require.Len(t, d.Sockets(), 2)
		do := func(a providertest.Act) { a.Chat = s.Reference; require.True(t, d.Do(a)) }
		do(providertest.Act{Kind: providertest.Queue, Position: 3})
		do(providertest.Act{Kind: providertest.Queue, Position: 3})
		do(providertest.Act{Kind: providertest.Queue, Position: 2})
		d.Do(providertest.Act{Kind: providertest.Queue, Chat: other.Reference, Position: 9})
		assert.Equal(t, []string{"queued 3 3m0s", "queued 2 2m0s"}, l.news())
		do(providertest.Act{Kind: providertest.Join, Agent: ann})
		do(providertest.Act{Kind: providertest.Type})
		do(providertest.Act{Kind: providertest.Type})
		do(providertest.Act{Kind: providertest.Type, Text: livechattest.Stopped})
		assert.Equal(t, []string{"typing smith@example.com  true", "typing smith@example.com  false"}, l.news())
		// The agent's name is told once a webhook has taught it.
		for _, w := range d.Webhooks() {
			_, _, err := p.(handoff.Receiver).Receive(t.Context(), w)
			require.NoError(t, err)
		}
		do(providertest.Act{Kind: providertest.Type})
		assert.Equal(t, []string{"typing smith@example.com Agent Smith true"}, l.news())
		sleep(10 * time.Minute)
		first := d.Sockets()[0]
		d.Lock()
		assert.JSONEq(t, `{"action":"login","payload":{"token":"Bearer `+token(t, s)+`",
			"pushes":{"3.6":["incoming_typing_indicator","queue_position_updated","customer_disconnected"]}}}`, first.Heard[0])
		assert.Len(t, first.Heard, 1+40, "a ping every 15 seconds")
		assert.JSONEq(t, `{"action":"ping","payload":{}}`, first.Heard[40])
		d.Unlock()
		l.stop()
		require.NoError(t, <-l.done)
		require.Len(t, d.Sockets(), 1, "its socket is closed, the other chat's is not")
		ids := map[string]bool{}
		for _, ev := range l.raw {
			if ev.Kind == handoff.EventQueued {
				ids[ev.ID] = true
			}
		}
		assert.Len(t, ids, 2)
	})
}

func token(t *testing.T, s handoff.Session) string {
	t.Helper()
	var st struct{ Token string }
	require.NoError(t, json.Unmarshal(s.State, &st))
	return st.Token
}

// wire is an adapter whose socket the test holds, and a session of its chat.
func wire(t *testing.T, d *livechattest.Double) (p handoff.Provider, s handoff.Session, ends *[]*vendortest.Pipe) {
	t.Helper()
	c := config(d)
	ends = new([]*vendortest.Pipe)
	var mu sync.Mutex
	c.Dial = func(_ context.Context, address string, _ http.Header) (provider.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, "wss://api.livechat.example/v3.6/customer/rtm/ws?organization_id="+livechattest.Organization, address)
		here, there := vendortest.NewPipe()
		*ends = append(*ends, there)
		return here, nil
	}
	p, err := livechat.New(c)
	require.NoError(t, err)
	return p, handoff.Session{Reference: "PJ0MRSHTDG", State: []byte(`{"customer":"b7eff798-f8df-4364-8059-649c35c9ed0c","token":"dal:t0ken-CANARY"}`)}, ends
}

const rtm = "https://platform.text.com/docs/messaging/customer-chat-api/rtm-pushes/#" // version 3.6

// frames are what LiveChat's pages show, shortened, and what is like it and says
// nothing to the user.
var frames = []struct{ source, body, told string }{
	{
		rtm + "incoming_typing_indicator",
		`{"version":"3.6","action":"incoming_typing_indicator","type":"push","payload":{"chat_id":"PJ0MRSHTDG","thread_id":"K600PKZON8",
			"typing_indicator":{"author_id":"d17cd570-11a9-45c0-45c0-1b020b7586dc","recipients":"all","timestamp":1574245378,"is_typing":true}}}`,
		"typing d17cd570-11a9-45c0-45c0-1b020b7586dc  true",
	},
	{
		rtm + "queue_position_updated",
		`{"action":"queue_position_updated","type":"push","payload":{"chat_id":"PJ0MRSHTDG","thread_id":"K600PKZON8","queue":{"position":42,"wait_time":1337}}}`,
		"queued 42 22m17s",
	},
	{
		"the first one, of another chat",
		`{"action":"incoming_typing_indicator","type":"push","payload":{"chat_id":"PJ0MRSHTDX","typing_indicator":{"author_id":"x","recipients":"all","is_typing":true}}}`, "",
	},
	{
		"the second one, of another chat",
		`{"action":"queue_position_updated","type":"push","payload":{"chat_id":"PJ0MRSHTDG2","queue":{"position":41,"wait_time":1}}}`, "",
	},
	{
		"a note that is being written",
		`{"action":"incoming_typing_indicator","type":"push","payload":{"chat_id":"PJ0MRSHTDG","typing_indicator":{"author_id":"y","recipients":"agents","is_typing":true}}}`, "",
	},
	{
		"the same, as the Agent Chat API has it",
		`{"action":"incoming_typing_indicator","type":"push","payload":{"chat_id":"PJ0MRSHTDG","typing_indicator":{"author_id":"y","visibility":"agents","is_typing":true}}}`, "",
	},
	{
		rtm + "events_marked_as_seen",
		`{"action":"events_marked_as_seen","type":"push","payload":{"user_id":"b7eff798-f8df-4364-8059-649c35c9ed0c",
			"chat_id":"PJ0MRSHTDG","seen_up_to":"2017-10-12T15:19:21.010200Z"}}`, "",
	},
	{
		"https://platform.text.com/docs/messaging/agent-chat-api/rtm-pushes/#queue_positions_updated (of agents)",
		`{"action":"queue_positions_updated","type":"push","payload":[{"chat_id":"PJ0MRSHTDG","queue":{"position":42,"wait_time":1337}}]}`, "",
	},
	{"a response, which is no push", `{"action":"queue_position_updated","type":"response","payload":{"chat_id":"PJ0MRSHTDG","queue":{"position":1}}}`, ""},
	{"no place", `{"action":"queue_position_updated","type":"push","payload":{"chat_id":"PJ0MRSHTDG","queue":{"position":0,"wait_time":5}}}`, ""},
	{"nobody", `{"action":"incoming_typing_indicator","type":"push","payload":{"chat_id":"PJ0MRSHTDG","typing_indicator":{"author_id":"","is_typing":true}}}`, ""},
	{"a wait of years", `{"action":"queue_position_updated","type":"push","payload":{"chat_id":"PJ0MRSHTDG","queue":{"position":1,"wait_time":1e300}}}`, "queued 1 277h46m40s"},
	{"a wait that has been", `{"action":"queue_position_updated","type":"push","payload":{"chat_id":"PJ0MRSHTDG","queue":{"position":2,"wait_time":-5}}}`, "queued 2 0s"},
	{"rubbish", "\x00\xff{", ""},
	{"nothing", "", ""},
	{"null", "null", ""},
	{"a list", "[]", ""},
	{"deep", strings.Repeat("[", 100_000), ""},
	{"of other types", `{"action":5,"type":{},"payload":"x"}`, ""},
	{"a half", `{"action":"queue_position_updated","type":"push","payload":{"chat_id":"PJ0MRSHTDG","queue":{"position":1.5}}}`, ""},
	{"an answer to a ping", `{"action":"ping","type":"response","success":true,"payload":{}}`, ""},
	{"a request that failed", `{"action":"ping","type":"response","success":false,"payload":{"error":{"type":"internal"}}}`, ""},
}

func TestFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, ends := wire(t, livechattest.New(t))
		l := listen(t, p, s, nil)
		for _, f := range frames {
			require.NoError(t, (*ends)[0].Write(t.Context(), []byte(f.body)))
			want := []string{f.told}
			if f.told == "" {
				want = nil
			}
			assert.Equal(t, want, l.news(), f.source)
		}
		require.Len(t, *ends, 1, "nothing of this ends the connection")
	})
}

func FuzzFrame(f *testing.F) {
	for _, frame := range frames {
		f.Add([]byte(frame.body))
	}
	for _, reason := range []string{"access_token_expired", "license_expired", "connection_timeout", "\x00"} {
		f.Add([]byte(`{"action":"customer_disconnected","type":"push","payload":{"reason":"` + reason + `"}}`))
	}
	f.Add([]byte(`{"action":"login","type":"response","success":false}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		ev, ok := livechat.Frame(message, "PJ0MRSHTDG")
		if !ok {
			return
		}
		if err := ev.Validate(); err != nil {
			t.Fatal(err)
		}
		if ev.Reference != "PJ0MRSHTDG" || ev.ID == "" || ev.Kind != handoff.EventTyping && ev.Kind != handoff.EventQueued {
			t.Fatalf("%+v", ev)
		}
	})
}

// After a cut nobody writes any more, as far as anybody knows, and the customer logs
// in again; with another token where this one is refused or has run out.
func TestSocketComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		p := reading(t, d)
		s := open(t, p, "c")
		l := listen(t, p, s, nil)
		d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
		d.Do(providertest.Act{Kind: providertest.Type, Chat: s.Reference})
		l.news()
		d.Sockets()[0].Close()
		assert.Equal(t, []string{"typing smith@example.com  false"}, l.news())
		sleep(2 * time.Second)
		require.Len(t, d.Sockets(), 1)
		require.True(t, d.Do(providertest.Act{Kind: providertest.Type, Chat: s.Reference}))
		require.Len(t, l.news(), 1)

		for _, why := range []string{
			`{"action":"customer_disconnected","type":"push","payload":{"reason":"access_token_expired"}}`,
			`{"action":"login","type":"response","success":false,"payload":{"error":{"type":"authentication"}}}`,
		} {
			before := d.Sockets()[0]
			require.NoError(t, before.Write(t.Context(), []byte(why)))
			sleep(time.Minute)
			require.Len(t, d.Sockets(), 1)
			now := d.Sockets()[0]
			require.NotSame(t, before, now)
			d.Lock()
			assert.NotEqual(t, before.Heard[0], now.Heard[0], "another token")
			d.Unlock()
			require.True(t, d.Do(providertest.Act{Kind: providertest.Type, Chat: s.Reference}))
		}
		// The session's own token is good for hours; a connection after that has another.
		sleep(9 * time.Hour)
		d.Sockets()[0].Close()
		sleep(2 * time.Second)
		require.True(t, d.Do(providertest.Act{Kind: providertest.Type, Chat: s.Reference}))
		assert.Empty(t, d.Violations())
	})
}

// LiveChat says when it does not want the customer again: minutes later it may.
func TestSocketUnwanted(t *testing.T) {
	for reason, later := range map[string]time.Duration{"too_many_connections": 10 * time.Minute, "connection_evicted": time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d := livechattest.New(t)
			p := reading(t, d)
			l := listen(t, p, open(t, p, "c"), nil)
			require.NoError(t, d.Sockets()[0].Write(t.Context(), []byte(`{"action":"customer_disconnected","type":"push","payload":{"reason":"`+reason+`"}}`)))
			sleep(later/2 - time.Millisecond)
			require.Empty(t, d.Sockets())
			sleep(later/2 + 2*time.Millisecond)
			require.Len(t, d.Sockets(), 1)
			assert.Empty(t, l.news())
		})
	}
}

// What the engine cannot take ends the Stream, with its error and its connection.
func TestSocketEmitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		p := reading(t, d)
		s := open(t, p, "c")
		wrong := errors.New("the store is down")
		l := listen(t, p, s, func(handoff.ProviderEvent) error { return wrong })
		d.Do(providertest.Act{Kind: providertest.Queue, Chat: s.Reference, Position: 2})
		require.ErrorIs(t, <-l.done, wrong)
		require.Empty(t, d.Sockets())
	})
}

// A session that is none has no socket.
func TestSocketSession(t *testing.T) {
	d := livechattest.New(t)
	err := reading(t, d).(handoff.Streamer).Stream(t.Context(), handoff.Session{Reference: "P1"}, nil)
	var pe *handoff.ProviderError
	require.ErrorAs(t, err, &pe)
	assert.Equal(t, "session", pe.Code)
}

// Nothing that LiveChat quotes on its socket, and no token, is in what is told.
func TestSocketCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		p, s, ends := wire(t, d)
		l := listen(t, p, s, nil)
		quote := strings.Join(append(d.Secrets(), "dal:t0ken-CANARY"), " ")
		for _, f := range []string{
			`{"action":"incoming_typing_indicator","type":"push","payload":{"chat_id":"PJ0MRSHTDG","error":%q,"typing_indicator":{"author_id":"a","text":%[1]q,"is_typing":true}}}`,
			`{"action":"queue_position_updated","type":"push","request_id":%q,"payload":{"chat_id":"PJ0MRSHTDG","thread_id":%[1]q,"queue":{"position":2}}}`,
			`{"action":"login","type":"response","success":false,"payload":{"error":{"type":%q}}}`,
		} {
			require.NoError(t, (*ends)[0].Write(t.Context(), fmt.Appendf(nil, f, quote)))
			synctest.Wait()
		}
		require.Len(t, l.raw, 3)
		l.stop()
		said := fmt.Sprintf("%+v %v", l.raw, <-l.done)
		for _, secret := range append(d.Secrets(), "CANARY") {
			assert.NotContains(t, said, secret)
		}
	})
}
