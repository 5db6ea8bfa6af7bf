package cisco_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/cisco"
	"github.com/seed-2a427302/handoff/provider/cisco/ciscotest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

var ann = handoff.Party{Role: handoff.RoleAgent, ID: "7", Name: "Ann"}

// play starts an engine with the adapter; logs get what it logs.
func play(t *testing.T, h http.Handler, logs *safe, change ...func(c *cisco.Config)) *handofftest.Rig {
	t.Helper()
	p := adapter(t, h, change...)
	rig := handofftest.New(t, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"cisco"}, IdleTimeout: handoff.Never}}
		c.BotTimeout = handoff.Never
		if logs != nil {
			c.Logger = slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
	})
	rig.Start()
	return rig
}

type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// begin lets a user ask for a person whom Ann helps.
func begin(t *testing.T, rig *handofftest.Rig, d *ciscotest.Double) (handoff.ID, string) {
	t.Helper()
	id := rig.Asks("c").ID
	rig.Sleep(20 * time.Second)
	ref := d.Chats()[len(d.Chats())-1].Reference
	d.Do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
	rig.Sleep(20 * time.Second)
	require.Equal(t, handoff.StateActive, rig.Now(id).State)
	return id, ref
}

// Where nobody is there the chat is closed, and the bot goes on; or the user
// waits, if the host wants it.
func TestNobodyThere(t *testing.T) {
	for _, status := range []string{"chat_request_rejected_by_agent", "chat_timedout_waiting_for_agent"} {
		for _, wait := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				d := ciscotest.New(t)
				rig := play(t, d, nil, func(c *cisco.Config) { c.KeepWaiting = wait })
				id := rig.Asks("c").ID
				rig.Sleep(20 * time.Second)
				ref := d.Chats()[0].Reference
				d.Status(ref, status)
				rig.Sleep(time.Minute)
				assert.Equal(t, wait, d.Chats()[0].Open)
				if !wait {
					assert.Equal(t, []any{handoff.StateEnded, handoff.OutcomeFailed}, []any{rig.Now(id).State, rig.Now(id).Outcome})
					return
				}
				assert.Equal(t, handoff.StateQueued, rig.Now(id).State)
				d.Do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
				rig.Sleep(20 * time.Second)
				d.Status(ref, status) // of a transfer
				rig.Sleep(20 * time.Second)
				assert.Equal(t, handoff.StateActive, rig.Now(id).State)
			})
		}
	}
}

// The platform's statuses, and a session that it no longer knows.
func TestStatuses(t *testing.T) {
	for what, c := range map[string]struct {
		happens func(d *ciscotest.Double, ref string)
		join    bool
		state   handoff.State
		outcome handoff.Outcome
	}{
		"an issue passes":   {func(d *ciscotest.Double, ref string) { d.Status(ref, "chat_issue"); d.Status(ref, "chat_ok") }, true, handoff.StateActive, ""},
		"no other agent":    {func(d *ciscotest.Double, ref string) { d.Status(ref, "chat_timedout_waiting_for_agent") }, true, handoff.StateActive, ""},
		"another":           {func(d *ciscotest.Double, ref string) { d.Status(ref, "chat_new_status") }, true, handoff.StateActive, ""},
		"finished":          {func(d *ciscotest.Double, ref string) { d.Status(ref, "chat_finished") }, true, handoff.StateEnded, handoff.OutcomeResolved},
		"failed":            {func(d *ciscotest.Double, ref string) { d.Status(ref, "chat_finished_error") }, true, handoff.StateEnded, handoff.OutcomeFailed},
		"gone with Ann":     {(*ciscotest.Double).Forget, true, handoff.StateEnded, handoff.OutcomeResolved},
		"gone with nobody":  {(*ciscotest.Double).Forget, false, handoff.StateEnded, handoff.OutcomeFailed},
		"404 for a moment":  {refused(404, 30), true, handoff.StateActive, ""},
		"404 for some time": {refused(404, 300), true, handoff.StateEnded, handoff.OutcomeResolved},
		"400 for some time": {refused(400, 300), true, handoff.StateEnded, handoff.OutcomeResolved},
		"403 for some time": {refused(403, 300), true, handoff.StateActive, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := ciscotest.New(t)
			rig := play(t, d, nil)
			var id handoff.ID
			var ref string
			if c.join {
				id, ref = begin(t, rig, d)
			} else {
				id = rig.Asks("c").ID
				rig.Sleep(20 * time.Second)
				ref = d.Chats()[0].Reference
			}
			c.happens(d, ref)
			rig.Sleep(5 * time.Minute)
			assert.Equal(t, []any{c.state, c.outcome}, []any{rig.Now(id).State, rig.Now(id).Outcome}, what)
		})
	}
}

// refused is a proxy in front of the platform that lets nobody read, for some
// seconds.
func refused(status, seconds int) func(d *ciscotest.Double, _ string) {
	return func(d *ciscotest.Double, _ string) {
		d.Next(vendortest.Trouble{On: "GET /ccp/rest/chat", Status: status, Body: "<html>nothing here</html>", Times: seconds / int(cisco.DefaultPoll.Seconds())})
	}
}

// A transfer may leave the room empty for a while: Linger waits for it, and not
// for ever.
func TestLinger(t *testing.T) {
	for _, next := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			room := newRoom(answer(presence(1, "Ann", "joined")), answer(presence(2, "Ann", "left")))
			rig := play(t, room, nil, func(c *cisco.Config) { c.Linger = time.Minute })
			id := rig.Asks("c").ID
			rig.Sleep(45 * time.Second)
			require.Equal(t, []any{handoff.StateActive, "Ann"}, []any{rig.Now(id).State, rig.Now(id).AgentName})
			if next {
				room.add(answer(presence(3, "Bob", "joined")))
			}
			rig.Sleep(3 * time.Minute)
			if next {
				assert.Equal(t, []any{handoff.StateActive, "Bob"}, []any{rig.Now(id).State, rig.Now(id).AgentName})
			} else {
				assert.Equal(t, handoff.OutcomeResolved, rig.Now(id).Outcome)
			}
		})
	}
}

// room is a platform with one chat at a time, whose answers a test writes.
type room struct {
	mu      sync.Mutex
	chats   int
	answers [][]byte
}

func newRoom(answers ...[]byte) *room { return &room{answers: answers} }

func (r *room) add(answers ...[]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, answers...)
}

func (r *room) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case in.Method == http.MethodPost:
		r.chats++
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "x"})
		_, _ = fmt.Fprintf(w, "<SocialContact><id>chat-%d</id></SocialContact>", r.chats)
	case in.Method == http.MethodGet && len(r.answers) > 0:
		_, _ = w.Write(r.answers[0])
		r.answers = r.answers[1:]
	}
}

// What happens is told in any order, one event in an answer, each twice: the
// handoff ends the same way, and what came before the end is shown once.
func TestEveryOrder(t *testing.T) {
	list := []string{
		presence(1, "Ann", "joined"), said(2, "Ann", "first"), presence(3, "Bob", "joined"), presence(4, "Ann", "left"), said(5, "Bob", "second"), presence(6, "Bob", "left"),
	}
	synctest.Test(t, func(t *testing.T) {
		platform := newRoom()
		rig := play(t, platform, nil, func(c *cisco.Config) { c.Poll = 100 * time.Millisecond })
		round, skipped := 0, 0
		permute(slices.Clone(list), func(order []string) {
			if testing.Short() && order[0] != list[0] {
				skipped++ // the race detector makes it slow
				return
			}
			round++
			conversation := fmt.Sprintf("c%d", round)
			id := rig.Asks(conversation).ID
			for _, e := range order {
				platform.add(answer(e), answer(e))
			}
			rig.Sleep(8 * time.Second)
			h := rig.Now(id)
			require.Equal(t, []any{handoff.StateEnded, handoff.OutcomeResolved}, []any{h.State, h.Outcome}, "%q", order)
			var got []string
			for _, m := range rig.Users.Saw(conversation) {
				if m.From.Role == handoff.RoleAgent {
					got = append(got, m.Text)
				}
			}
			require.Equal(t, before(list, order), got, "%q", order)
			platform.mu.Lock()
			platform.answers = nil // what came after the end is not asked for
			platform.mu.Unlock()
		})
		assert.Equal(t, 720, round+skipped)
	})
}

// before returns what agents have said until the room was empty.
func before(list, order []string) (out []string) {
	here := map[string]int{}
	for _, e := range order {
		for i, who := range map[int]string{0: "Ann", 2: "Bob", 3: "Ann", 5: "Bob"} {
			if e == list[i] {
				here[who] |= 1 << (i / 3) // 1: came, 2: went
			}
		}
		switch e {
		case list[1]:
			out = append(out, "first")
		case list[4]:
			out = append(out, "second")
		case list[3], list[5]:
			if here["Ann"] != 1 && here["Bob"] != 1 {
				return out
			}
		}
	}
	return out
}

// No secret, and nothing that was said, is in any error or log, whatever goes
// wrong at the platform.
func TestCanary(t *testing.T) {
	const canary = "CANARY-4711"
	synctest.Test(t, func(t *testing.T) {
		d, logs := ciscotest.New(t), &safe{}
		rig := play(t, d, logs)
		trouble := func(status int) vendortest.Trouble {
			quote := strings.Join(append(d.Secrets(), canary), " ")
			return vendortest.Trouble{
				Status: status, RetryAfter: quote,
				Body: "<apiErrors><apiError><errorMessage>" + quote + "</errorMessage></apiError></apiErrors>" + quote,
			}
		}
		rig.Says("c", canary)
		d.Next(trouble(http.StatusInternalServerError), trouble(http.StatusTooManyRequests), trouble(http.StatusBadGateway))
		id := rig.Asks("c", func(r *handoff.Request) { r.Note, r.Summary = canary, canary }).ID
		rig.Sleep(2 * time.Minute)
		require.Equal(t, handoff.StateQueued, rig.Now(id).State)
		ref := d.Chats()[len(d.Chats())-1].Reference
		d.Do(providertest.Act{Kind: providertest.Join, Chat: ref, Agent: ann})
		for _, status := range []int{200, 400, 401, 403, 404, 422, 423, 429, 500, 503} {
			d.Next(slices.Repeat([]vendortest.Trouble{trouble(status)}, 6)...)
			rig.Says("c", canary+" again")
			_ = rig.UserTyping(t.Context(), "c", true)
			rig.Sleep(time.Minute)
			require.Equal(t, handoff.StateActive, rig.Now(id).State, "%d", status)
		}
		d.Do(providertest.Act{Kind: providertest.Say, Chat: ref, Text: canary})
		rig.Sleep(time.Minute)
		assert.Contains(t, rig.Users.Texts("c"), canary, "the agent's words arrive")
		require.NotEmpty(t, d.Secrets())
		out := logs.String()
		require.Contains(t, out, "reading a platform failed")
		for _, secret := range append(d.Secrets(), canary) {
			assert.NotContains(t, out, secret)
			for _, en := range rig.Entries(id) {
				if en.Kind != handoff.KindMessage && en.Kind != handoff.KindNote {
					assert.NotContains(t, fmt.Sprint(en.Text, en.Data), secret, "entry %s", en.Kind)
				}
			}
		}
	})
}

// A chat is read as often as the host says, from where the last reading ended.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := ciscotest.New(t)
		rig := play(t, d, nil, func(c *cisco.Config) { c.Poll = 2 * time.Second })
		_, ref := begin(t, rig, d)
		d.Do(providertest.Act{Kind: providertest.Say, Chat: ref, Text: "hello"})
		rig.Sleep(10 * time.Second)
		before := len(d.Requests())
		rig.Sleep(time.Minute)
		list := d.Requests()
		assert.InDelta(t, 30, len(list)-before, 1)
		assert.Equal(t, ciscotest.URL+"/ccp/rest/chat?all=false&eventid=5", list[len(list)-1].URL)
	})
}
