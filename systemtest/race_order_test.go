package systemtest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// A stay is how long somebody stood in a line, and when the agent who took him
// was with him.
type stay struct {
	since, until time.Time
	agent        string
	joined, over time.Time
}

// order returns who was overtaken by more than could be on their way at once:
// each seat may be going to somebody who stood behind while he came. It also
// returns who had more at once than he has seats, by what the logs say.
func order(t *testing.T, s handoff.Store, n raceSize) (broken []string) {
	t.Helper()
	bound := n.agents * seats
	push, pull := stays(t, s, n, "push"), stays(t, s, n, "pull")
	most, random := overtaken(push), overtaken(pull)
	t.Logf("overtaken by at most %d; by %d where agents help themselves", most, random)
	if most > bound {
		broken = append(broken, fmt.Sprintf("somebody was overtaken by %d, more than the %d seats", most, bound))
	}
	// Those who help themselves take anybody, which shows that the bound says
	// something at this size. Where there are few, as under -short, a line is too
	// short to pass so many.
	if !testing.Short() {
		assert.Greater(t, random, bound, "whoever is taken in no order")
	}
	for agent, most := range atOnce(push) {
		if most > seats {
			broken = append(broken, fmt.Sprintf("by the logs %s had %d at once", agent, most))
		}
	}
	return broken
}

// stays reads them from the logs of a queue.
func stays(t *testing.T, s handoff.Store, n raceSize, queue string) []stay {
	t.Helper()
	all, err := s.List(t.Context(), handoff.Query{Queue: queue})
	require.NoError(t, err)
	assert.Len(t, all, n.requests/2)
	e, err := handoff.New(handoff.Config{Store: s, Directory: raceStaff(n.agents), Queues: raceQueues})
	require.NoError(t, err)
	list := make([]stay, len(all))
	for i := range all {
		log, err := e.Log(t.Context(), all[i].ID, 0, 1000)
		require.NoError(t, err)
		for j := range log {
			at := log[j].At
			switch log[j].Kind {
			case handoff.KindEnqueued:
				list[i].since = at
			case handoff.KindOffered, handoff.KindJoined:
				if list[i].until.IsZero() {
					list[i].until = at
				}
				if log[j].Kind == handoff.KindJoined {
					list[i].agent, list[i].joined = log[j].Agent, at
				}
			case handoff.KindEnded:
				list[i].over = at
			default:
			}
		}
		require.NotEmpty(t, list[i].agent, "%v", all[i].ID)
	}
	return list
}

// overtaken returns by how many the one was overtaken who was overtaken most.
func overtaken(list []stay) (most int) {
	slices.SortFunc(list, func(a, b stay) int { return cmp.Or(a.since.Compare(b.since), a.until.Compare(b.until)) })
	for i := range list {
		by := 0
		for j := i + 1; j < len(list) && list[j].since.Before(list[i].until); j++ {
			if list[j].until.Before(list[i].until) && list[j].since.After(list[i].since) {
				by++
			}
		}
		most = max(most, by)
	}
	return most
}

// atOnce returns how many chats each agent certainly had at once. A seat is
// taken by an offer, and an entry has the time before its commit: so it was
// surely held when the offer was accepted, and until the end was asked for, a
// millisecond aside, to which times are cut.
func atOnce(list []stay) map[string]int {
	type move struct {
		at time.Time
		by int
	}
	moves := map[string][]move{}
	for _, s := range list {
		if from, to := s.joined.Add(time.Millisecond), s.over.Add(-time.Millisecond); from.Before(to) {
			moves[s.agent] = append(moves[s.agent], move{from, 1}, move{to, -1})
		}
	}
	most := map[string]int{}
	for agent, list := range moves {
		slices.SortFunc(list, func(a, b move) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.by, b.by)) })
		n := 0
		for _, m := range list {
			n += m.by
			most[agent] = max(most[agent], n)
		}
	}
	return most
}

// Logs that overlap are counted, those that only touch are not.
func TestAtOnce(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	got := atOnce([]stay{
		{agent: "ann", joined: at(0), over: at(10)},
		{agent: "ann", joined: at(5), over: at(20)},
		{agent: "ann", joined: at(10), over: at(15)},
		{agent: "bob", joined: at(0), over: at(10)},
		{agent: "bob", joined: at(10), over: at(20)},
	})
	assert.Equal(t, map[string]int{"ann": 2, "bob": 1}, got)
}
