package desk_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// A subject is a handoff as it stands to "me".
type subject struct {
	name     string
	relation desk.Scope // the narrowest scope that reaches it
	state    handoff.State
	public   bool // agents of its queue read what colleagues do
	id       string
	handoff  handoff.Handoff
}

// routeByName offers a conversation to the agent after whom it is called, and else
// to nobody.
var routeByName = handoff.RouterFunc(func(_ context.Context, h *handoff.Handoff, free []handoff.Candidate) (agent, why string) {
	to, _, _ := strings.Cut(h.ID.Conversation, ".")
	for i := range free {
		if to == "to"+free[i].Agent.ID {
			return free[i].Agent.ID, "asked for"
		}
	}
	return "", ""
})

// newMatrix is a world in which a handoff can be in every state: whoever waits is
// offered to the one after whom he is called, and else to nobody.
func newMatrix(t *testing.T) *world {
	t.Helper()
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Queues[0].Route, c.Queues[0].OfferTimeout = routeByName, time.Hour
		c.Queues[1].OfferTimeout = time.Hour
		c.Queues = append(
			c.Queues,
			handoff.Queue{Name: "wrap", Wrapup: time.Hour, Route: routeByName},
			handoff.Queue{Name: "form", Intake: &handoff.Form{Fields: []handoff.Field{{Name: "order"}}}, IntakeTimeout: time.Hour},
			handoff.Queue{Name: "slow", Providers: []string{"slow"}, ConnectTime: time.Hour},
			handoff.Queue{Name: "elsewhere", Providers: []string{"elsewhere"}},
			handoff.Queue{Name: "theirlist", Style: handoff.Pull},
		)
		open := make(chan struct{})
		t.Cleanup(func() { close(open) })
		c.Providers = []handoff.Provider{&platform{name: "slow", open: open}, &platform{name: "elsewhere"}}
	})
	for _, role := range roles {
		w.actor(role.String(), &desk.Actor{ID: "me", Role: role, Queues: []string{"mine", "list", "wrap", "form", "slow", "elsewhere"}})
	}
	return w
}

// A platform is a Provider on which nothing happens: its chats are opened, once
// open is closed where there is one, and wait.
type platform struct {
	name string
	open chan struct{}
}

func (p *platform) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{Name: p.name, Custody: handoff.CustodyQueue}
}

func (p *platform) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	if p.open != nil {
		select {
		case <-p.open:
		case <-ctx.Done():
			return handoff.Session{}, ctx.Err()
		}
	}
	return handoff.Session{Reference: o.Attempt}, nil
}

func (p *platform) Send(context.Context, handoff.Session, handoff.ProviderMessage) error { return nil }

func (p *platform) Close(context.Context, handoff.Session, handoff.Reason) error { return nil }

func (p *platform) Stream(ctx context.Context, _ handoff.Session, _ func(handoff.ProviderEvent) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// subjects is every relation that a handoff can have to "me", and every state.
func subjects(w *world) []subject {
	w.Helper()
	for _, id := range []string{"me", "col", "far"} {
		w.online(id, true)
		require.NoError(w, w.engine.AgentChanged(w.Context(), id))
	}
	onHold := func(h handoff.Handoff) handoff.Handoff {
		h, err := w.engine.Hold(w.Context(), h.ID, handoff.By(h.Agent), "")
		require.NoError(w, err)
		return h
	}
	wrapped := func(conversation, agent string) handoff.Handoff {
		w.held(conversation, "wrap", agent)
		h, err := w.engine.Cancel(w.Context(), conversation, false)
		require.NoError(w, err)
		return h
	}
	toMe := func(h handoff.Handoff) handoff.Handoff {
		h, err := w.engine.Transfer(w.Context(), h.ID, handoff.By(h.Agent), handoff.Target{Agent: "me"})
		require.NoError(w, err)
		return h
	}
	becomes := func(h handoff.Handoff, s handoff.State) handoff.Handoff {
		w.until(h.ID.String()+" is "+string(s), func() bool {
			var err error
			h, err = w.engine.Get(w.Context(), h.ID)
			require.NoError(w, err)
			return h.State == s
		})
		return h
	}
	again := func(conversation string) handoff.Handoff { // it was another queue's before
		h := w.held(conversation, "theirs", "far")
		_, err := w.engine.Note(w.Context(), h.ID, handoff.By("far"), "canary-before")
		require.NoError(w, err)
		_, err = w.engine.End(w.Context(), h.ID, handoff.By("far"), handoff.Ending{Reason: "canary-before"})
		require.NoError(w, err)
		return w.waiting(conversation, "mine")
	}
	list := []subject{
		{name: "own", relation: desk.Own, handoff: w.held("own", "mine", "me")},
		{name: "colleague's", relation: desk.Queue, handoff: w.held("cols", "mine", "col")},
		{name: "in another queue", relation: desk.Everything, handoff: w.held("fars", "theirs", "far")},
		{name: "own in another queue", relation: desk.Own, handoff: w.held("ownfar", "theirs", "me")},
		{name: "colleague's of a list", relation: desk.Queue, public: true, handoff: w.held("picked", "list", "col")},
		{name: "of another list", relation: desk.Everything, public: true, handoff: w.held("pickedfar", "theirlist", "far")},
		{name: "own on hold", relation: desk.Own, handoff: onHold(w.held("ownheld", "mine", "me"))},
		{name: "colleague's on hold", relation: desk.Queue, handoff: onHold(w.held("colsheld", "mine", "col"))},
		{name: "colleague's of a list on hold", relation: desk.Queue, public: true, handoff: onHold(w.held("pickedheld", "list", "col"))},
		{name: "on hold in another queue", relation: desk.Everything, handoff: onHold(w.held("farsheld", "theirs", "far"))},
		{name: "waiting", relation: desk.Queue, handoff: w.waiting("waits", "mine")},
		{name: "waiting, with a past in another queue", relation: desk.Queue, handoff: again("again")},
		{name: "waiting in a list", relation: desk.Queue, public: true, handoff: w.waiting("waitslist", "list")},
		{name: "waiting in another queue", relation: desk.Everything, handoff: w.waiting("waitsfar", "theirlist")},
		{name: "offered to me", relation: desk.Own, handoff: becomes(w.waiting("tome", "mine"), handoff.StateOffered)},
		{name: "offered to me in another queue", relation: desk.Own, handoff: toMe(w.held("faroffer", "theirs", "far"))},
		{name: "offered to a colleague", relation: desk.Queue, handoff: becomes(w.waiting("tocol", "mine"), handoff.StateOffered)},
		{name: "offered in another queue", relation: desk.Everything, handoff: becomes(w.waiting("tofar", "theirs"), handoff.StateOffered)},
		{name: "asked for details", relation: desk.Queue, handoff: w.waiting("asked", "form")},
		{name: "on the way to a platform", relation: desk.Queue, handoff: becomes(w.waiting("connects", "slow"), handoff.StateConnecting)},
		{name: "waiting on a platform", relation: desk.Queue, handoff: becomes(w.waiting("queued", "elsewhere"), handoff.StateQueued)},
		{name: "with the bot", relation: desk.Queue, handoff: w.bot("bot")}, // no queue: supervisors'
		{name: "own to be finished", relation: desk.Own, handoff: wrapped("wrapown", "me")},
		{name: "colleague's to be finished", relation: desk.Queue, handoff: wrapped("wrapcol", "col")},
		{name: "over, had it", relation: desk.Own, handoff: w.ended("over", "mine", "me")},
		{name: "over, colleague had it", relation: desk.Queue, handoff: w.ended("overcol", "mine", "col")},
		{name: "over, colleague had it of a list", relation: desk.Queue, public: true, handoff: w.ended("overlist", "list", "col")},
		{name: "over in another queue", relation: desk.Everything, handoff: w.ended("overfar", "theirs", "far")},
		{name: "over, left for the queue", relation: desk.Own, handoff: w.left("overleft", "mine")},
		{name: "over, left for another queue", relation: desk.Everything, handoff: w.left("overleftfar", "theirlist")},
	}
	states := map[handoff.State]bool{}
	for i := range list {
		list[i].state, list[i].id = list[i].handoff.State, token(list[i].handoff)
		states[list[i].state] = true
	}
	for _, s := range handoff.States() {
		require.True(w, states[s], "no subject is %s", s)
	}
	return list
}

// These two say again, in the test's own words, which permission it takes to
// know of a handoff and to read it. What they do not name fails.
func knows(s handoff.State) desk.Permission {
	switch s {
	case handoff.StateBot:
		return desk.Watch
	case handoff.StateIntake, handoff.StateWaiting, handoff.StateOffered, handoff.StateConnecting, handoff.StateQueued,
		handoff.StateActive, handoff.StateHeld:
		return desk.Rows
	case handoff.StateWrapup, handoff.StateEnded:
		return desk.Past
	}
	panic("a state of which the test does not say who may know: " + s)
}

func reading(s handoff.State) desk.Permission {
	switch s {
	case handoff.StateBot:
		return desk.Watch
	case handoff.StateIntake, handoff.StateWaiting, handoff.StateOffered, handoff.StateConnecting, handoff.StateQueued:
		return desk.Preview
	case handoff.StateActive, handoff.StateHeld:
		return desk.Read
	case handoff.StateWrapup, handoff.StateEnded:
		return desk.Past
	}
	panic("a state of which the test does not say who may read: " + s)
}

func reaches(p desk.Permission, r desk.Role, s subject) bool {
	if s.state == handoff.StateBot && r < desk.Supervisor { // in no queue
		return desk.Allowed(p, r) == desk.Everything
	}
	if p == desk.Read && s.public && s.relation == desk.Queue {
		return desk.Allowed(p, r) >= desk.Own
	}
	return desk.Allowed(p, r) >= s.relation
}
