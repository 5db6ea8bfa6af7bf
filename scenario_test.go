package handoff_test

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// The scenario files play what went wrong in the field with other products:
// each test names a complaint, W01 to W64, and where it was made. They see the
// engine only as users, agents and bots do. This file has what they share.

// queues returns a change of a Config that sets its queues.
func queues(list ...handoff.Queue) func(*handoff.Config) {
	return func(c *handoff.Config) { c.Queues = list }
}

// patient is a ladder that does nothing for a day.
func patient() []handoff.Rung {
	return []handoff.Rung{{After: 24 * time.Hour, Do: handoff.ToBot}}
}

// slowCommits makes every commit take d, so that all who decide at the same
// moment have read the same version.
func slowCommits(r *handofftest.Rig, d time.Duration) {
	r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
		if op == "Commit" {
			return handofftest.Fault{Delay: d}
		}
		return handofftest.Fault{}
	})
}

// atOnce calls f n times at the same moment, and returns the errors in order.
func atOnce(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errs
}

// won counts the calls that had no error.
func won(errs []error) (n int) {
	for _, err := range errs {
		if err == nil {
			n++
		}
	}
	return n
}

// talk names the conversations of a test: c1, c2, …
func talk(i int) string { return "c" + strconv.Itoa(i) }

// saidBy returns the texts that a user has seen from a role.
func saidBy(r *handofftest.Rig, conversation string, role handoff.Role) (out []string) {
	for _, m := range r.Users.Saw(conversation) {
		if m.From.Role == role && m.Notice == "" {
			out = append(out, m.Text)
		}
	}
	return out
}

// notices returns the keys of the notices that a user has seen, without the
// places.
func notices(r *handofftest.Rig, conversation string) (out []string) {
	for _, m := range r.Users.Saw(conversation) {
		if m.Notice != "" && m.Notice != handoff.NoticePlace {
			out = append(out, m.Notice)
		}
	}
	return out
}

// times counts how often v is in list.
func times[T comparable](list []T, v T) (n int) {
	for _, x := range list {
		if x == v {
			n++
		}
	}
	return n
}

// kinds returns what happened in a handoff, in order.
func kinds(r *handofftest.Rig, id handoff.ID) (out []handoff.Kind) {
	for _, en := range r.Entries(id) {
		out = append(out, en.Kind)
	}
	return out
}

// load counts the handoffs that take a seat of an agent now.
func load(r *handofftest.Rig, agent string) (n int) {
	r.T.Helper()
	list, err := r.List(r.Ctx, handoff.Query{States: []handoff.State{
		handoff.StateOffered, handoff.StateActive, handoff.StateHeld, handoff.StateWrapup,
	}})
	require.NoError(r.T, err)
	for _, h := range list {
		if _, ok := h.Offer(agent); ok || h.Agent == agent {
			n++
		}
	}
	return n
}

// free returns how many agents of a queue have a free seat.
func free(r *handofftest.Rig, queue string) int {
	r.T.Helper()
	a, err := r.Availability(r.Ctx, handoff.Need{Queue: queue})
	require.NoError(r.T, err)
	return a.Free
}

// takes accepts the agent's offer of one conversation.
func takes(r *handofftest.Rig, a *handofftest.Agent, conversation string) handoff.Handoff {
	r.T.Helper()
	h := r.Last(conversation)
	o, ok := h.Offer(a.ID)
	require.Truef(r.T, ok, "%s is not asked about %s, which is %s", a.ID, conversation, h.State)
	h, err := r.Accept(r.Ctx, h.ID, a.By(), o.Number)
	require.NoError(r.T, err)
	r.Wait()
	return h
}

// chat gives a user who has written "help" to an agent of the first queue.
func chat(r *handofftest.Rig, a *handofftest.Agent, conversation string) handoff.Handoff {
	r.T.Helper()
	r.Says(conversation, "help")
	r.Asks(conversation)
	return takes(r, a, conversation)
}

// recorder is a Sink that keeps what it gets.
type recorder struct {
	mu   sync.Mutex
	list []handoff.Entry
}

func (s *recorder) sink(entries *handoff.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, *entries)
}

// of returns what came of one handoff, in the order in which it came.
func (s *recorder) of(id handoff.ID, kinds ...handoff.Kind) (out []handoff.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, en := range s.list {
		if en.Handoff == id && (len(kinds) == 0 || slices.Contains(kinds, en.Kind)) {
			out = append(out, en)
		}
	}
	return out
}

// noneHas fails when a user has seen one of the words.
func noneHas(t *testing.T, seen []handoff.UserMessage, words ...string) {
	t.Helper()
	for _, m := range seen {
		for _, w := range words {
			all := strings.Join([]string{m.Text, m.From.ID, m.From.Name, string(m.Payload)}, "\n")
			require.NotContainsf(t, all, w, "message %s", m.ID)
		}
	}
}
