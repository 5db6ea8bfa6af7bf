package modeltest_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// An op is one random operation. What its numbers mean depends on the verb and
// on what there is when it runs.
type op struct {
	verb       string
	a, b, c, d int
}

func (o op) String() string { return fmt.Sprintf("%s(%d %d %d %d)", o.verb, o.a, o.b, o.c, o.d) }

// A verb does an operation.
type verb struct {
	weight int
	do     func(w *world, ctx context.Context, o op) error
	needs  []handoff.State // there should be a handoff in one of these
	desk   bool            // that no platform has
	world  bool            // it changes the world, not a handoff: it is done at once and does not count
}

const conversations = 9

func (w *world) conversation(n int) string { return "c" + strconv.Itoa(n%conversations) }

// pick returns a handoff in one of these states, if there is one, and now and
// then any other.
func (w *world) pick(o op, states ...handoff.State) handoff.Handoff {
	return w.pickIf(o, func(*handoff.Handoff) bool { return true }, states...)
}

// ours picks one that no platform has.
func (w *world) ours(o op, states ...handoff.State) handoff.Handoff {
	return w.pickIf(o, func(h *handoff.Handoff) bool { return h.Provider == "" }, states...)
}

func (w *world) pickIf(o op, ok func(*handoff.Handoff) bool, states ...handoff.State) handoff.Handoff {
	ctx := context.Background()
	if o.d%16 != 0 {
		list, err := w.reader.Engine.List(ctx, handoff.Query{States: states})
		list = slices.DeleteFunc(list, func(h handoff.Handoff) bool { return !ok(&h) })
		if err == nil && len(list) > 0 {
			return rare(list, o)
		}
	}
	h, err := w.reader.Engine.Latest(ctx, w.conversation(o.a))
	if err != nil {
		return handoff.Handoff{ID: handoff.ID{Conversation: w.conversation(o.a), Number: 1}}
	}
	return h
}

// rare picks a state first and then a handoff, so that states that few are in
// get as much as the others.
func rare(list []handoff.Handoff, o op) handoff.Handoff {
	var states []handoff.State
	for i := range list {
		if !slices.Contains(states, list[i].State) {
			states = append(states, list[i].State)
		}
	}
	slices.Sort(states)
	state := states[int(digest(uint64(o.a*64+o.d))%uint64(len(states)))]
	list = slices.DeleteFunc(list, func(h handoff.Handoff) bool { return h.State != state })
	return list[o.a%len(list)]
}

// instead returns an operation that has something to work on, when one has
// not: an operation that can only be refused is worth little, and is kept now
// and then.
func (w *world) instead(o op) op {
	v := verbs[o.verb]
	if v.needs == nil || o.d%16 < 2 {
		return o
	}
	list, err := w.reader.Engine.List(context.Background(), handoff.Query{States: v.needs})
	if err == nil && slices.ContainsFunc(list, func(h handoff.Handoff) bool { return !v.desk || h.Provider == "" }) {
		return o
	}
	o.verb = []string{"receive", "request", "request", "sleep"}[o.b%4]
	if bots, err := w.reader.Engine.List(context.Background(), handoff.Query{States: []handoff.State{handoff.StateBot}}); err == nil && len(bots) == 0 {
		o.verb = "receive"
	}
	return o
}

var human = []handoff.State{handoff.StateActive, handoff.StateHeld}

// holder returns who has a handoff, and now and then somebody else.
func (w *world) holder(h *handoff.Handoff, o op) handoff.Actor {
	id := h.Agent
	if id == "" || h.Provider != "" || o.c%16 == 0 {
		id = agents[o.c/16%len(agents)].ID
	}
	a := handoff.By(id)
	if o.c%13 == 1 {
		a = handoff.BySupervisor("sue")
	}
	if o.b%5 == 0 {
		a = a.Once("op" + strconv.Itoa(o.b))
	}
	return a
}

// message is something to say, mostly under an id of its own.
func (w *world) message(conversation string, o op) handoff.Message {
	m := handoff.Message{Text: check.Mark(conversation, o.String())}
	if o.b%3 > 0 {
		m.ID = "x" + strconv.Itoa(w.intn(1000))
	}
	return m
}

// run does one operation, and checks what came of it. Some operations are not
// waited for.
func (w *world) run(o op) {
	o = w.instead(o)
	v := verbs[o.verb]
	if v.world {
		_ = v.do(w, context.Background(), o)
	} else {
		m := &mark{}
		ctx := context.WithValue(context.Background(), markKey{}, m)
		done := make(chan struct{})
		w.flying.Go(func() {
			defer close(done)
			err := v.do(w, ctx, o)
			w.base.mu.Lock()
			n := m.n
			w.base.mu.Unlock()
			w.tally.done(o.verb, n > 0, err)
		})
		select {
		case <-done:
		case <-time.After(w.patience(o)):
		}
	}
	w.replace()
	w.check(false)
}

// patience is how long an operation is waited for before the next one begins.
func (w *world) patience(o op) time.Duration {
	switch o.d % 4 {
	case 0:
		return 0
	case 1:
		return 3 * time.Millisecond
	}
	return 10 * time.Second
}

// settle ends every trouble, and lets everything come to rest.
func (w *world) settle() {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	for _, n := range w.nodes {
		n.crash(0, false)
		n.store.Skew(0)
	}
	w.floor.mu.Lock()
	w.floor.broken = false
	w.floor.mu.Unlock()
	w.hours.set(false)
	w.flying.Wait()
	w.replace()
	w.check(true)
	w.rest()
}

// rest waits until nothing is left to do, and checks that it is so. What was
// tried in vain many times in the time of trouble is tried again within five
// minutes.
func (w *world) rest() {
	for range 18 {
		time.Sleep(20 * time.Second)
		synctest.Wait()
		w.check(false)
	}
	w.check(true)
	w.rested()
}

// outage is more than a day in which no engine runs. All that was due comes
// late, and what was kept long enough goes.
func (w *world) outage() {
	w.stop()
	start := time.Now()
	time.Sleep(30 * time.Hour)
	for i := range w.nodes {
		w.start(i)
	}
	w.rest()
	list, err := w.mem.List(context.Background(), handoff.Query{States: []handoff.State{handoff.StateEnded}, To: start.Add(-10 * time.Minute)})
	if err != nil {
		w.fail("reading: %v", err)
	}
	for i := range list {
		if !strings.HasPrefix(list[i].ID.Conversation, "erased:") && !strings.HasPrefix(list[i].ID.Conversation, "learned:") && list[i].Updated.Before(start) {
			w.fail("%v: what was kept long enough goes: it ended at %v", list[i].ID, list[i].Updated)
		}
	}
}
