package systemtest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

const seats = 3 // of each agent

// raceSize is how large a race is; a chat takes so many milliseconds at most.
type raceSize struct{ processes, agents, requests, chat int }

// size is small; HANDOFF_RACE=full makes it 8 processes, 20 agents and 5,000
// requests. It is smaller still where the race detector makes each step slow.
func size() raceSize {
	switch {
	case os.Getenv("HANDOFF_RACE") == "full":
		return raceSize{8, 20, 5000, 30}
	case testing.Short():
		return raceSize{3, 4, 60, 30}
	}
	return raceSize{4, 6, 200, 30}
}

// Processes share agents whose seats are scarce: never a chat too many, none
// twice, nobody overtaken by more than can be on their way at once, and no
// error of the store.
func TestRace(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		for _, broken := range race(t, k, size(), "", "") {
			t.Error(broken)
		}
	})
}

// The same with stores that look and then write, or that save what is out of
// date: the test must notice.
func TestRaceNaive(t *testing.T) {
	plants := []struct {
		name, word       string
		agents, requests int
	}{
		{"capacity", "at once", 1, 60},
		{"version", "was taken by", 4, 60},
		{"postgres", "at once", 1, 600}, // most offers of the same moment are of one handoff, whose lock is left
	}
	each(t, func(t *testing.T, k kind) {
		for _, p := range plants {
			if !planted(p.name, k) {
				continue
			}
			t.Run(p.name, func(t *testing.T) {
				broken := race(t, k, raceSize{3, p.agents, p.requests, 300}, p.name, p.word)
				require.True(t, says(broken, p.word), broken)
				t.Log(broken[0])
			})
		}
	})
}

// planted reports whether a fault is planted in stores of a kind.
func planted(plant string, k kind) bool { return plants[plant] != nil || plant == k.name }

func says(broken []string, word string) bool {
	return slices.ContainsFunc(broken, func(s string) bool { return strings.Contains(s, word) })
}

// race returns what was broken. With a plant it ends as soon as the word was
// said.
func race(t *testing.T, k kind, n raceSize, plant, word string) (broken []string) {
	ctx := t.Context()
	place := k.place(t)
	s := mustOpen(t, k, place)
	if plant == "postgres" {
		unlockPostgres(t, place)
	}
	l := newLedger(t)
	begun := time.Now()
	var list []*child
	for i := range n.processes {
		list = append(list, start(t, "race", k, place, "RACE_LEDGER="+l.socket, "RACE_PLANT="+plant,
			"RACE_AGENTS="+strconv.Itoa(n.agents), "RACE_CHAT="+strconv.Itoa(n.chat),
			"RACE_FROM="+strconv.Itoa(n.requests*i/n.processes), "RACE_TO="+strconv.Itoa(n.requests*(i+1)/n.processes)))
	}
	counter, ok := s.(handoff.Counter)
	require.True(t, ok)
	for left := n.requests; left > 0; {
		time.Sleep(50 * time.Millisecond)
		for _, c := range list {
			c.gone(t)
		}
		ended, err := counter.Count(ctx, handoff.Query{States: []handoff.State{handoff.StateEnded}})
		require.NoError(t, err)
		left = n.requests - ended
		if plant != "" && (time.Since(begun) > time.Minute || says(l.broken(seats), word)) {
			break // a broken store need not get anywhere
		}
	}
	took := time.Since(begun)
	for _, c := range list {
		require.NoError(t, c.stop())
	}
	t.Logf("%d processes, %d agents, %d requests: %v, %.0f a second", n.processes, n.agents, n.requests, took.Round(time.Millisecond), float64(n.requests)/took.Seconds())
	broken = l.broken(seats)
	if plant == "" {
		broken = append(broken, order(t, s, n)...)
	}
	return broken
}

func agentName(i int) string { return fmt.Sprintf("agent%02d", i) }

// order returns who was overtaken by more than could be on their way at once:
// each seat may be going to somebody who stood behind while he came.
func order(t *testing.T, s handoff.Store, n raceSize) (broken []string) {
	t.Helper()
	most := overtaken(t, s, n, "push")
	t.Logf("overtaken by at most %d", most)
	if bound := n.agents * seats; most > bound {
		broken = append(broken, fmt.Sprintf("somebody was overtaken by %d, more than the %d seats", most, bound))
	}
	// Those who help themselves do not keep the order, which shows that this
	// would be seen.
	assert.Positive(t, overtaken(t, s, n, "pull"))
	return broken
}

// overtaken returns by how many the one was overtaken who was overtaken most.
func overtaken(t *testing.T, s handoff.Store, n raceSize, queue string) (most int) {
	t.Helper()
	all, err := s.List(t.Context(), handoff.Query{Queue: queue})
	require.NoError(t, err)
	assert.Len(t, all, n.requests/2)
	e, err := handoff.New(handoff.Config{Store: s, Directory: raceStaff(n.agents), Queues: raceQueues})
	require.NoError(t, err)
	type stay struct{ since, until time.Time }
	stays := make([]stay, len(all))
	for i := range all {
		log, err := e.Log(t.Context(), all[i].ID, 0, 1000)
		require.NoError(t, err)
		for j := range log {
			switch log[j].Kind {
			case handoff.KindEnqueued:
				stays[i].since = log[j].At
			case handoff.KindOffered, handoff.KindJoined:
				if stays[i].until.IsZero() {
					stays[i].until = log[j].At
				}
			default:
			}
		}
	}
	slices.SortFunc(stays, func(a, b stay) int { return cmp.Or(a.since.Compare(b.since), a.until.Compare(b.until)) })
	for i := range stays {
		by := 0
		for j := i + 1; j < len(stays) && stays[j].since.Before(stays[i].until); j++ {
			if stays[j].until.Before(stays[i].until) && stays[j].since.After(stays[i].since) {
				by++
			}
		}
		most = max(most, by)
	}
	return most
}

// In one queue agents are asked, in the other they help themselves, several
// consoles of an agent at once.
var raceQueues = []handoff.Queue{
	{Name: "push", OfferTimeout: 5 * time.Minute, Ladder: []handoff.Rung{{After: time.Hour, Do: handoff.ToBot}}},
	{Name: "pull", Style: handoff.Pull, Ladder: []handoff.Rung{{After: time.Hour, Do: handoff.ToBot}}},
}

func raceStaff(n int) (staff handoff.Staff) {
	for i := range n {
		staff = append(staff, handoff.Agent{ID: agentName(i), Queues: []string{"push", "pull"}, Seats: seats})
	}
	return staff
}

// isAnswer reports whether an error of a store is an answer and no fault.
func isAnswer(err error) bool {
	var held *handoff.HeldError
	return err == nil || errors.Is(err, handoff.ErrConflict) || errors.Is(err, handoff.ErrNotFound) ||
		errors.Is(err, handoff.ErrDuplicate) || errors.Is(err, handoff.ErrLeased) || errors.As(err, &held)
}
