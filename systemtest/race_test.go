package systemtest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
// twice, nobody overtaken by more than can be on their way at once, no error of
// the store, and no deadlock that it got over.
func TestRace(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		for _, broken := range race(t, k, size(), "", "") {
			t.Error(broken)
		}
	})
}

// The same with stores that look and then write, or that save what is out of
// date: the test must notice. At its own size it must notice a single seat too
// many, and a line that is served in no order.
func TestRaceNaive(t *testing.T) {
	own := size()
	if testing.Short() {
		own = raceSize{4, 6, 200, 30} // in less nobody need be passed by too many
	}
	plants := []struct {
		name, word string
		size       raceSize
	}{
		{"capacity", "at once", raceSize{3, 1, 60, 300}},
		{"version", "was taken by", raceSize{3, 4, 60, 300}},
		{"postgres", "at once", raceSize{3, 1, 600, 300}}, // most offers of the same moment are of one handoff, whose lock is left
		{"lenient", "are held", own},
		{"shuffled", "was overtaken by", own},
	}
	each(t, func(t *testing.T, k kind) {
		for _, p := range plants {
			if !planted(p.name, k) {
				continue
			}
			t.Run(p.name, func(t *testing.T) {
				broken := race(t, k, p.size, p.name, p.word)
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
	before := deadlocks(t, k, place)
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
		left = n.requests
		for _, q := range raceQueues { // what engines keep for themselves has ended, too, but stands in none
			ended, err := counter.Count(ctx, handoff.Query{Queue: q.Name, States: []handoff.State{handoff.StateEnded}})
			require.NoError(t, err)
			left -= ended
		}
		if plant != "" && plant != "shuffled" && (time.Since(begun) > time.Minute || says(l.broken(seats), word)) {
			break // a broken store need not get anywhere
		}
	}
	took := time.Since(begun)
	for _, c := range list {
		require.NoError(t, c.stop())
	}
	t.Logf("%d processes, %d agents, %d requests: %v, %.0f a second", n.processes, n.agents, n.requests, took.Round(time.Millisecond), float64(n.requests)/took.Seconds())
	broken = l.broken(seats)
	if plant != "" && plant != "shuffled" {
		return broken
	}
	if n := deadlocks(t, k, place) - before; n != 0 {
		broken = append(broken, fmt.Sprintf("the server resolved %d deadlocks", n))
	}
	agree(t, s)
	for i := range n.agents {
		held, err := s.Holders(ctx, "seat/"+agentName(i))
		require.NoError(t, err)
		require.Empty(t, held, "everything has ended")
	}
	return append(broken, order(t, s, n)...)
}

func agentName(i int) string { return fmt.Sprintf("agent%02d", i) }

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
