package systemtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// histories is how many are made on each store; HANDOFF_LINEAR says otherwise.
// The race detector, which is slow, gets a tenth.
func histories(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("HANDOFF_LINEAR"))
	switch {
	case err == nil:
		return n
	case testing.Short():
		return 20
	}
	return 200
}

// What eight clients see of four replicas is what they would see of one engine
// that does one thing after the other. A history that cannot be judged in time
// counts as a failure.
func TestLinear(t *testing.T) { //nolint:tparallel // the stores beside each other, and not beside other tests
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel() // they wait more than they compute
			r := newReplicas(t, k, "", true)
			counts, begun := map[string]int{}, time.Now()
			for i := range histories(t) {
				if i > 0 && i%1000 == 0 {
					t.Logf("%d histories in %v", i, time.Since(begun).Round(time.Second))
				}
				history := r.history(t, i, counts)
				if verdict := porcupine.CheckOperationsTimeout(linearModel, history, time.Minute); verdict != porcupine.Ok {
					show(t, history)
					t.Fatalf("history %d: %s", i, verdict)
				}
			}
			t.Log(counts)
			for _, verb := range linearVerbs {
				require.Positive(t, counts[verb+" "+done], "%s never succeeded", verb)
			}
		})
	}
}

// The same with stores that look and then write, or that save what is out of
// date: some history must be impossible.
func TestLinearNaive(t *testing.T) {
	for _, plant := range []string{"version", "capacity"} {
		t.Run(plant, func(t *testing.T) {
			r := newReplicas(t, kinds[0], plant, false)
			for i := range 50 {
				if porcupine.CheckOperationsTimeout(linearModel, r.history(t, i, map[string]int{}), time.Minute) == porcupine.Illegal {
					t.Logf("history %d is impossible", i)
					return
				}
			}
			t.Fatal("the broken store passes")
		})
	}
}

var linearVerbs = []string{"accept", "decline", "assign", "transfer", "send", "get", "log", "return"}

// linearVerb chooses one; after a return there is not much to do.
func linearVerb() string {
	if rand.IntN(40) == 0 {
		return "return"
	}
	return linearVerbs[rand.IntN(len(linearVerbs)-1)]
}

// replicas are four engines that share nothing but a place. None of them runs,
// so that nothing happens but what is asked for.
type replicas [4]*handoff.Engine

func newReplicas(t *testing.T, k kind, plant string, flaky bool) (r replicas) {
	t.Helper()
	place := k.place(t)
	var shared handoff.Store
	for i := range r {
		s := shared
		if s == nil || k.durable {
			s = plants[plant](mustOpen(t, k, place))
			shared = s
		}
		if flaky {
			s = &shaky{s}
		}
		e, err := handoff.New(handoff.Config{
			Store: s, Directory: everybody{}, Presence: everybody{}, Queues: []handoff.Queue{{Name: "q", Style: handoff.Pull}},
			StoreTimeout: patience, // a busy machine is no finding
		})
		require.NoError(t, err)
		r[i] = e
	}
	return r
}

// everybody is a directory and a presence in which whoever is asked for exists,
// with one seat, and is there.
type everybody struct{}

func (everybody) Get(_ context.Context, id string) (handoff.Agent, error) {
	return handoff.Agent{ID: id, Queues: []string{"q"}, Seats: 1}, nil
}

func (everybody) Agents(_ context.Context, ids []string, _ time.Time) ([]handoff.Status, error) {
	out := make([]handoff.Status, len(ids))
	for i, id := range ids {
		out[i] = handoff.Status{Agent: id, Availability: handoff.Online}
	}
	return out, nil
}

func (everybody) List(context.Context, string) ([]handoff.Agent, error) { return nil, nil }

// shaky is a store whose answers get lost now and then, before or after the
// commit: the engine must find out by itself what became of it.
type shaky struct{ handoff.Store }

func (s *shaky) Unwrap() handoff.Store { return s.Store }

var errLost = errors.New("the answer was lost")

func (s *shaky) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	dice := rand.IntN(100)
	if lost, ok := ctx.Value(lostKey{}).(*atomic.Bool); ok && dice < 6 {
		lost.Store(true)
	}
	if dice < 3 {
		return errLost
	}
	err := s.Store.Commit(ctx, r, entries...)
	if dice < 6 {
		return errLost
	}
	return err
}

// lostKey finds in a context the note that an answer was lost. What the call
// then returns is a later state.
type lostKey struct{}

// history lets eight clients do ten things each.
func (r *replicas) history(t *testing.T, run int, counts map[string]int) []porcupine.Operation {
	t.Helper()
	var ids [2]handoff.ID
	for c := range ids {
		// Two answers in a row may be lost; then one asks again, under the same id.
		out, err := r[c].Request(t.Context(), handoff.Request{ID: "r", Conversation: fmt.Sprintf("%d/%d", run, c), Queue: "q"})
		for errors.Is(err, handoff.ErrUnknown) {
			out, err = r[c].Request(t.Context(), handoff.Request{ID: "r", Conversation: fmt.Sprintf("%d/%d", run, c), Queue: "q"})
		}
		require.NoError(t, err)
		ids[c] = out.Handoff.ID
	}
	agents := []string{fmt.Sprint("ann", run), fmt.Sprint("bob", run), fmt.Sprint("cat", run)}
	var mu sync.Mutex
	var last [2]chat // somebody's latest answer, so that calls have a chance
	var history []porcupine.Operation
	begun := time.Now()
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for i := range 10 {
				op := linearOp{
					verb: linearVerb(), chat: rand.IntN(2),
					by: agents[rand.IntN(3)], to: agents[rand.IntN(3)], text: fmt.Sprintf("%d.%d", client, i),
				}
				mu.Lock()
				if guess := last[op.chat]; rand.IntN(4) > 0 {
					op.offer = guess.offer
					if guess.agent != "" {
						op.by = guess.agent
					}
				}
				mu.Unlock()
				call := time.Since(begun)
				out, known := r.do(t.Context(), rand.IntN(len(r)), ids[op.chat], op)
				back := time.Since(begun)
				if !known {
					continue // lost every race, and did nothing
				}
				if out.word == unknown {
					back = math.MaxInt64 // it may yet happen
				}
				mu.Lock()
				if op.verb != "log" && op.verb != "send" && out.word == done {
					last[op.chat] = out.chat
				}
				counts[op.verb+" "+out.word]++
				history = append(history, porcupine.Operation{ClientId: client, Input: op, Output: out, Call: int64(call), Return: int64(back)})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return history
}

// do makes one call. It reports false of one that did nothing and says
// nothing.
func (r *replicas) do(ctx context.Context, replica int, id handoff.ID, op linearOp) (out linearOut, known bool) {
	e := r[replica]
	var h handoff.Handoff
	var err error
	once := handoff.By(op.by).Once(op.text)
	var lost atomic.Bool
	ctx = context.WithValue(ctx, lostKey{}, &lost)
	switch op.verb {
	case "accept":
		h, err = e.Accept(ctx, id, once, op.offer)
	case "decline":
		h, err = e.Decline(ctx, id, once, op.offer, "")
	case "assign":
		h, err = e.Assign(ctx, id, handoff.BySupervisor("sue").Once(op.text), op.to)
	case "transfer":
		h, err = e.Transfer(ctx, id, once, handoff.Target{Agent: op.to})
	case "send":
		_, err = e.Send(ctx, id, once, handoff.Message{ID: op.text, Text: op.text})
	case "return":
		h, err = e.Return(ctx, id, once, "")
	case "get":
		h, err = e.Get(ctx, id)
	case "log":
		var log []handoff.Entry
		log, err = e.Log(ctx, id, 0, 1000)
		var said strings.Builder
		for i := range log {
			if log[i].Kind == handoff.KindMessage {
				said.WriteString(log[i].Text + " ")
			}
		}
		out.chat.said = said.String()
	}
	out.word, out.later = done, lost.Load()
	switch {
	case errors.Is(err, handoff.ErrUnknown):
		out.word = unknown
	case errors.Is(err, handoff.ErrConflict):
		return out, false
	case err != nil:
		out.word, out.why = refused, err.Error()
	case op.verb != "log":
		out.chat.state, out.chat.agent = h.State, h.Agent
		if h.State == handoff.StateEnded {
			out.chat.agent = ""
		}
		if len(h.Offers) > 0 {
			out.chat.agent, out.chat.offer = h.Offers[0].Agent, h.Offers[0].Number
		}
	}
	return out, true
}

func show(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	for _, o := range history {
		t.Logf("%9d %9d  %+v → %+v", o.Call/1000, o.Return/1000, o.Input, o.Output)
	}
}
