package desk_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/desk"
)

// A typist is a Channel that counts how often somebody was shown to write.
type typist struct{ shown atomic.Int64 }

func (c *typist) Show(context.Context, string, handoff.UserMessage) error { return nil }

func (c *typist) ShowTyping(context.Context, string, handoff.Party, bool) error {
	c.shown.Add(1)
	return nil
}

// TestEveryVerb does everything that can be done to a handoff once, by HTTP, and
// looks at what the engine has then. A route without a row here is one of which
// nobody has seen that it does what it says.
func TestEveryVerb(t *testing.T) {
	channel := &typist{}
	rules, err := automate.New([]automate.Rule{rule("vip")}, automate.Options{})
	require.NoError(t, err)
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Queues[0].Route, c.Queues[0].OfferTimeout = routeByName, time.Hour
		c.Rooms = handoff.RoomLinks{Template: "https://meet.example.com/{room}", Secret: []byte("0123456789abcdef")}
		c.Channel = channel
		c.Sinks = map[string]handoff.Sink{"automations": rules}
	}, func(c *desk.Config) { c.Automations = rules })
	rules.Use(w.engine)
	require.NoError(t, w.engine.Directory().(handoff.DirectoryWriter).Put(t.Context(), handoff.Agent{
		ID: "me", Name: "Me", Queues: []string{"mine"}, Seats: 50, Video: true,
	}))
	for _, id := range []string{"me", "col"} {
		w.online(id, true)
		require.NoError(t, w.engine.AgentChanged(t.Context(), id))
	}
	ctx := t.Context()
	mine := func(c string) handoff.Handoff { return w.held(c, "mine", "me") }
	cols := func(c string) handoff.Handoff { return w.held(c, "mine", "col") }
	offered := func(c string) handoff.Handoff {
		h := w.waiting("tome."+c, "mine")
		w.until("he is asked", func() bool {
			h, err = w.engine.Get(ctx, h.ID)
			require.NoError(t, err)
			return h.State == handoff.StateOffered
		})
		return h
	}
	onHold := func(c string) handoff.Handoff {
		h, err := w.engine.Hold(ctx, mine(c).ID, handoff.By("me"), "")
		require.NoError(t, err)
		return h
	}
	asked := func(c string) handoff.Handoff {
		h, err := w.engine.Transfer(ctx, mine(c).ID, handoff.By("me"), handoff.Target{Agent: "col", Warm: true})
		require.NoError(t, err)
		require.Len(t, h.Offers, 1)
		return h
	}
	type body = map[string]any
	verbs := map[string]struct {
		by    string
		on    func(conversation string) handoff.Handoff
		body  func(h handoff.Handoff) body
		state handoff.State
		agent string
		kind  handoff.Kind // of an entry that it makes
		also  func(h handoff.Handoff, e handoff.Entry) bool
	}{
		"accept": {"agent", offered, nil, handoff.StateActive, "me", handoff.KindJoined, nil},
		"decline": {
			"agent", offered, func(h handoff.Handoff) body { return body{"offer": h.Offers[0].Number, "why": "busy"} }, handoff.StateWaiting, "", handoff.KindDeclined,
			func(h handoff.Handoff, e handoff.Entry) bool { return len(h.Offers) == 0 && e.Text+e.Data["why"] != "" },
		},
		"messages": {
			"agent", mine, func(handoff.Handoff) body { return body{"id": "m-1", "text": "to the user"} }, handoff.StateActive, "me", handoff.KindMessage,
			func(_ handoff.Handoff, e handoff.Entry) bool {
				return e.Text == "to the user" && e.From.Role == handoff.RoleAgent && e.Message == "m-1"
			},
		},
		"typing": {
			"agent", mine, func(handoff.Handoff) body { return body{"on": true} }, handoff.StateActive, "me", "",
			func(handoff.Handoff, handoff.Entry) bool { return channel.shown.Load() > 0 },
		},
		"hold":   {"agent", mine, nil, handoff.StateHeld, "me", handoff.KindHeld, nil},
		"resume": {"agent", onHold, nil, handoff.StateActive, "me", handoff.KindResumed, nil},
		"extend": {
			"agent", mine, func(handoff.Handoff) body { return body{"seconds": 90} }, handoff.StateActive, "me", handoff.KindExtended,
			func(_ handoff.Handoff, e handoff.Entry) bool { return e.Data["by"] == "1m30s" },
		},
		"video": {
			"agent", mine, nil, handoff.StateActive, "me", handoff.KindVideo,
			func(h handoff.Handoff, _ handoff.Entry) bool {
				return h.Room != nil && strings.HasPrefix(h.Room.Agent, "https://meet.example.com/")
			},
		},
		"transfer": {
			"agent", mine, func(handoff.Handoff) body { return body{"queue": "theirs", "note": "for you"} }, handoff.StateWaiting, "", handoff.KindTransferred,
			func(h handoff.Handoff, _ handoff.Entry) bool { return h.Need.Queue == "theirs" },
		},
		"take-back": {
			"agent", asked, func(h handoff.Handoff) body { return body{"offer": h.Offers[0].Number} }, handoff.StateActive, "me", handoff.KindWithdrawn,
			func(h handoff.Handoff, _ handoff.Entry) bool { return len(h.Offers) == 0 },
		},
		"requeue": {"agent", mine, func(handoff.Handoff) body { return body{"note": "not mine"} }, handoff.StateWaiting, "", handoff.KindAgentLeft, nil},
		"return": {
			"agent", mine, func(handoff.Handoff) body { return body{"note": "done"} }, handoff.StateEnded, "me", handoff.KindEnded,
			func(h handoff.Handoff, _ handoff.Entry) bool { return h.Outcome == handoff.OutcomeReturned },
		},
		"end": {
			"agent", mine, func(handoff.Handoff) body { return body{"reason": "solved", "note": "all well"} }, handoff.StateEnded, "me", handoff.KindNote,
			func(h handoff.Handoff, e handoff.Entry) bool {
				return h.Outcome == handoff.OutcomeResolved && h.Closing == "solved" && e.Text == "all well"
			},
		},
		"run": {
			"agent", mine, func(handoff.Handoff) body { return body{"rule": "vip"} }, handoff.StateActive, "me", handoff.KindNote,
			func(h handoff.Handoff, _ handoff.Entry) bool { return slices.Contains(h.Tags, "vip") },
		},
		"draft": {
			"agent", mine, func(handoff.Handoff) body { return body{"mode": "reply", "text": "half a sent"} }, handoff.StateActive, "me", "",
			func(h handoff.Handoff, _ handoff.Entry) bool {
				return strings.Contains(w.call("agent", http.MethodGet, "api/handoffs/"+token(h), nil).raw, "half a sent")
			},
		},
		"notes": {
			"agent", mine, func(handoff.Handoff) body { return body{"text": "to colleagues"} }, handoff.StateActive, "me", handoff.KindNote,
			func(_ handoff.Handoff, e handoff.Entry) bool { return e.Text == "to colleagues" },
		},
		"tags": {
			"agent", mine, func(handoff.Handoff) body { return body{"add": []string{"refund"}} }, handoff.StateActive, "me", handoff.KindTagged,
			func(h handoff.Handoff, _ handoff.Entry) bool { return slices.Contains(h.Tags, "refund") },
		},
		"whisper": {
			"supervisor", cols, func(handoff.Handoff) body { return body{"text": "to the agent"} }, handoff.StateActive, "col", handoff.KindWhisper,
			func(_ handoff.Handoff, e handoff.Entry) bool { return e.Text == "to the agent" },
		},
		"join": {
			"supervisor", cols, func(handoff.Handoff) body { return body{"id": "m-2", "text": "a word from me"} }, handoff.StateActive, "col", handoff.KindMessage,
			func(_ handoff.Handoff, e handoff.Entry) bool {
				return e.Text == "a word from me" && e.From.ID == "me" && e.From.Role == handoff.RoleSupervisor
			},
		},
		"takeover": {"supervisor", cols, nil, handoff.StateActive, "me", handoff.KindJoined, nil},
		"assign": {
			"supervisor", mine, func(handoff.Handoff) body { return body{"agent": "col"} }, handoff.StateOffered, "", handoff.KindOffered,
			func(h handoff.Handoff, _ handoff.Entry) bool { return len(h.Offers) == 1 && h.Offers[0].Agent == "col" },
		},
		"seen": {
			"agent", mine, func(handoff.Handoff) body { return body{"at": 1234} }, handoff.StateActive, "me", "",
			func(h handoff.Handoff, _ handoff.Entry) bool {
				return strings.Contains(w.call("agent", http.MethodGet, "api/snapshot", nil).raw, `"`+token(h)+`":1234`)
			},
		},
	}
	for _, rt := range desk.Routes() {
		name, ok := strings.CutPrefix(rt.Path, "api/handoffs/{id}/")
		if !ok || rt.Method == http.MethodGet {
			continue
		}
		v, ok := verbs[name]
		if !assert.True(t, ok, "%s %s has no row", rt.Method, rt.Path) {
			continue
		}
		h := v.on("v" + strings.ReplaceAll(name, "-", ""))
		w.until("the desk has read it", func() bool {
			return strings.Contains(w.call("admin", http.MethodGet, "api/snapshot", nil).raw, `"`+token(h)+`"`)
		})
		in := body{}
		if v.body != nil {
			in = v.body(h)
		}
		in["op"] = "op-" + name
		got := w.call(v.by, rt.Method, strings.ReplaceAll(rt.Path, "{id}", token(h)), in)
		assert.Contains(t, []int{http.StatusOK, http.StatusNoContent}, got.status, "%s: %s", name, got.raw)
		now, err := w.engine.Get(ctx, h.ID)
		require.NoError(t, err)
		assert.Equal(t, v.state, now.State, name)
		assert.Equal(t, v.agent, now.Agent, name)
		log, err := w.engine.Log(ctx, h.ID, h.Seq, 100)
		require.NoError(t, err)
		at := slices.IndexFunc(log, func(e handoff.Entry) bool { return e.Kind == v.kind })
		var e handoff.Entry
		if v.kind != "" && assert.GreaterOrEqual(t, at, 0, "%s makes no %q: %v", name, v.kind, log) {
			e = log[at]
		}
		assert.True(t, v.also == nil || v.also(now, e), "%s: %+v %+v", name, e, now)
	}
}
