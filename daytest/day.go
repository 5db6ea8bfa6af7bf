// Package daytest plays one day of 20 handoffs and checks what packages
// history and analytics make of it, on any store:
//
//	func TestDay(t *testing.T) { daytest.Run(t, open) }
//
// The day is played on memstore in a bubble, where time is exact; what came of
// it is then put into the store under test, record by record. Each figure that
// is expected was computed by hand; see the table below.
package daytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// The day. Times are h:m:s of 1 January 2000, UTC; durations are in seconds.
// "bot" is the time before somebody asked, "wait 5+30" two times in the queue.
//
//	 no  conversation  queue    bot   intake wait   reply human     held wrap  how it ended
//	 1   c01           –        1800                                           contained 8:30:00
//	 2   c02           –        1800                                           contained 8:40:00
//	 3   c03           –        2100                                           contained 8:55:00
//	 4   c04 #1        support  10           10     15    300                  returned, rated 5
//	 5   c05 (video)   support               20     30    600                  resolved, rated 4, two seats
//	 6   c06           support               45     15    120+120   60         resolved
//	 7   c07           support               5+30   5     180+120              resolved, transferred
//	 8   c08           billing               15+60  135   60+120         30    returned, requeued
//	 9   c09           support               90                                abandoned: the user left
//	10   c10           support               30                                cancelled
//	11   c11           support               600                               missed
//	12   c12           support               600                               missed, left a message
//	13   c13           night    1800                                           unavailable: closed at the door
//	14   c14           –        120                 10    300                  resolved, taken over
//	15   c15           form           40     10     5     180                  resolved
//	16   c16           form           60                                       cancelled in the form
//	17   c04 #3        support  30           10     5     120                  resolved; reopens no 4
//	18   c18           support               10     –     900                  idle
//	19   c19           support               open                              waits
//	20   c20           support               25 open                           with an agent
//
// c04 #2 is silent: the bot has the user back after no 4, and he writes
// nothing for half an hour. So is every stretch that the engine opens after a
// person has gone: c05 #2 to c20 #2.
const handoffs = 20

// night is never open.
type night struct{}

func (night) At(time.Time) (bool, time.Time) { return false, time.Time{} }

// day is the day while it is played.
type day struct {
	*handofftest.Rig

	ann, bob *handofftest.Agent
	steps    []step
	t0       time.Time
}

type step struct {
	at time.Duration
	do func()
}

// play plays the day and leaves it in the rig's store.
func play(t *testing.T, r *handofftest.Rig) {
	t.Helper()
	r.Ctx = t.Context()
	d := &day{Rig: r, t0: time.Now().Truncate(24 * time.Hour)}
	d.ann = r.Agent("ann", 6, "support", "billing", "form")
	d.bob = r.Agent("bob", 6, "support", "billing", "form")
	for _, id := range []string{"ann", "bob"} {
		a, err := r.Floor.Get(t.Context(), id)
		d.ok(err)
		a.Video = true
		d.ok(r.Floor.Put(t.Context(), a))
	}
	d.morning()
	d.noon()
	slices.SortStableFunc(d.steps, func(a, b step) int { return int(a.at - b.at) })
	for _, s := range d.steps {
		if wait := time.Until(d.t0.Add(s.at)); wait > 0 {
			r.Sleep(wait)
		}
		s.do()
		r.Wait()
	}
}

// Config is what the day needs of an engine.
func config(c *handoff.Config) {
	missed := []handoff.Rung{{After: 10 * time.Minute, Do: handoff.ToBot}}
	quiet := []handoff.Rung{{After: 100 * time.Hour, Do: handoff.ToBot}}
	c.Queues = []handoff.Queue{
		{Name: "support", Style: handoff.Pull, Ladder: missed, VideoUnits: 2, OfferTimeout: time.Hour},
		{Name: "billing", Style: handoff.Pull, Ladder: quiet, Wrapup: time.Hour},
		{Name: "night", Hours: night{}},
		{Name: "form", Style: handoff.Pull, Ladder: quiet, Intake: &handoff.Form{Fields: []handoff.Field{{Name: "order"}}}},
	}
	for i := range c.Queues {
		// To tell somebody his place is a commit, and the one that fires a timer
		// would have to be repeated a moment later.
		c.Queues[i].PlaceEvery = handoff.Never
	}
	c.KeepContained = handoff.Never
}

func (d *day) ok(err error) {
	d.T.Helper()
	if err != nil {
		d.T.Fatal(err)
	}
}

// at adds a step at a time like "9:00:10".
func (d *day) at(clock string, f func()) {
	var h, m, s int
	if _, err := fmt.Sscanf(clock, "%d:%d:%d", &h, &m, &s); err != nil {
		d.T.Fatal(clock, err)
	}
	d.steps = append(d.steps, step{time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second, f})
}

// fires lets the engine run for a moment: what is due at that time happens at
// that time and not up to a poll later.
func (d *day) fires(clock string) {
	d.at(clock, func() { d.Start(); d.Stop() })
}

func (d *day) says(clock, conversation string) {
	d.at(clock, func() {
		turn := d.Says(conversation, "a question of "+conversation)
		_, err := d.Reply(d.Ctx, turn, handoff.Message{Text: "an answer"})
		d.ok(err)
	})
}

func (d *day) asks(clock, conversation, queue string, change ...func(*handoff.Request)) {
	d.at(clock, func() {
		q := handoff.Request{Conversation: conversation, Queue: queue, User: &handoff.Contact{ID: "user of " + conversation}}
		for _, f := range change {
			f(&q)
		}
		_, err := d.Request(d.Ctx, q)
		if errors.Is(err, handoff.ErrUnavailable) && queue == "night" {
			err = nil
		}
		d.ok(err)
	})
}

// takes accepts from the list, or the offer that was made.
func (d *day) takes(clock, conversation string, a *handofftest.Agent) {
	d.at(clock, func() {
		h := d.Last(conversation)
		o, _ := h.Offer(a.ID)
		_, err := d.Accept(d.Ctx, h.ID, a.By(), o.Number)
		d.ok(err)
	})
}

func (d *day) answers(clock, conversation string, a *handofftest.Agent) {
	d.at(clock, func() { a.Says(d.Last(conversation).ID, "hello "+conversation) })
}

func (d *day) ends(clock, conversation string, a *handofftest.Agent) {
	d.at(clock, func() { a.Ends(d.Last(conversation).ID) })
}

func (d *day) returns(clock, conversation string, a *handofftest.Agent) {
	d.at(clock, func() { a.Returns(d.Last(conversation).ID, "done with "+conversation) })
}

func (d *day) cancels(clock, conversation string, left bool) {
	d.at(clock, func() {
		_, err := d.Cancel(d.Ctx, conversation, left)
		d.ok(err)
	})
}

// with does something with the latest handoff of a conversation.
func (d *day) with(clock, conversation string, f func(id handoff.ID) (handoff.Handoff, error)) {
	d.at(clock, func() {
		_, err := f(d.Last(conversation).ID)
		d.ok(err)
	})
}

func (d *day) morning() {
	d.says("8:00:00", "c01")
	d.fires("8:30:00")
	d.says("8:10:00", "c02")
	d.fires("8:40:00")
	d.says("8:20:00", "c03")
	d.says("8:25:00", "c03")
	d.fires("8:55:00")

	d.says("9:00:00", "c04")
	d.asks("9:00:10", "c04", "support")
	d.takes("9:00:20", "c04", d.ann)
	d.answers("9:00:35", "c04", d.ann)
	d.returns("9:05:20", "c04", d.ann)
	d.with("9:05:30", "c04", func(id handoff.ID) (handoff.Handoff, error) { return d.Rate(d.Ctx, id, 5, "thanks") })
	d.fires("9:05:40") // #2 opens
	d.fires("9:35:40") // and is contained

	d.asks("9:10:00", "c05", "support", func(q *handoff.Request) { q.Mode = handoff.ModeVideo })
	d.takes("9:10:20", "c05", d.ann)
	d.answers("9:10:50", "c05", d.ann)
	d.ends("9:20:20", "c05", d.ann)
	d.with("9:20:30", "c05", func(id handoff.ID) (handoff.Handoff, error) { return d.Rate(d.Ctx, id, 4, "") })

	d.asks("9:15:00", "c06", "support", func(q *handoff.Request) { q.Tags = []string{"refund"} })
	d.takes("9:15:45", "c06", d.bob)
	d.answers("9:16:00", "c06", d.bob)
	d.with("9:17:45", "c06", func(id handoff.ID) (handoff.Handoff, error) { return d.Hold(d.Ctx, id, d.bob.By(), "a moment") })
	d.with("9:18:45", "c06", func(id handoff.ID) (handoff.Handoff, error) { return d.Resume(d.Ctx, id, d.bob.By()) })
	d.ends("9:20:45", "c06", d.bob)

	d.asks("9:30:00", "c07", "support")
	d.takes("9:30:05", "c07", d.ann)
	d.answers("9:30:10", "c07", d.ann)
	d.with("9:33:05", "c07", func(id handoff.ID) (handoff.Handoff, error) {
		return d.Transfer(d.Ctx, id, d.ann.By(), handoff.Target{Agent: "bob"})
	})
	d.takes("9:33:35", "c07", d.bob)
	d.ends("9:35:35", "c07", d.bob)
}

func (d *day) noon() {
	d.asks("10:00:00", "c08", "billing")
	d.takes("10:00:15", "c08", d.bob)
	d.with("10:01:15", "c08", func(id handoff.ID) (handoff.Handoff, error) { return d.Requeue(d.Ctx, id, d.bob.By(), "") })
	d.takes("10:02:15", "c08", d.ann)
	d.answers("10:02:30", "c08", d.ann)
	d.returns("10:04:15", "c08", d.ann)
	d.ends("10:04:45", "c08", d.ann) // the wrap-up

	d.asks("10:10:00", "c09", "support")
	d.cancels("10:11:30", "c09", true)
	d.asks("10:20:00", "c10", "support")
	d.cancels("10:20:30", "c10", false)

	d.asks("10:30:00", "c11", "support")
	d.fires("10:40:00")
	d.asks("10:35:00", "c12", "support")
	d.fires("10:45:00")
	d.at("10:46:00", func() {
		_, err := d.LeaveMessage(d.Ctx, handoff.ID{Conversation: "c12", Number: 1}, "call me", nil)
		d.ok(err)
	})

	d.says("11:00:00", "c13")
	d.asks("11:00:00", "c13", "night")
	d.fires("11:30:00")

	d.says("11:00:00", "c14")
	d.with("11:02:00", "c14", func(id handoff.ID) (handoff.Handoff, error) { return d.TakeOver(d.Ctx, id, d.ann.By(), "") })
	d.answers("11:02:10", "c14", d.ann)
	d.ends("11:07:00", "c14", d.ann)

	d.asks("11:31:00", "c15", "form")
	d.at("11:31:40", func() {
		_, err := d.Answer(d.Ctx, "c15", handoff.Response{Value: "A-17"})
		d.ok(err)
	})
	d.takes("11:31:50", "c15", d.bob)
	d.answers("11:31:55", "c15", d.bob)
	d.ends("11:34:50", "c15", d.bob)

	d.asks("11:40:00", "c16", "form")
	d.cancels("11:41:00", "c16", false)

	d.says("12:00:00", "c04")
	d.asks("12:00:30", "c04", "support")
	d.takes("12:00:40", "c04", d.ann)
	d.answers("12:00:45", "c04", d.ann)
	d.ends("12:02:40", "c04", d.ann)

	d.asks("13:00:00", "c18", "support")
	d.takes("13:00:10", "c18", d.bob)
	d.fires("13:13:10") // the user is warned
	d.fires("13:15:10")

	d.asks("14:00:00", "c19", "support")
	d.asks("14:05:00", "c20", "support")
	d.takes("14:05:25", "c20", d.ann)
	d.fires("14:06:00") // the bot has everybody else
}
