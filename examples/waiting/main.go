// Waiting is a queue with skills at levels, seen from both sides: what waiting
// users are told, and why each of them still waits. Nobody comes at first, so
// the queue asks for less, step by step; who finds it full is diverted.
//
// A second of its ladder would be minutes in earnest.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/estimate"
	"github.com/seed-2a427302/handoff/memstore"
)

func config(b *branch) handoff.Config {
	return handoff.Config{
		Store: memstore.New(),
		Directory: handoff.Staff{
			{ID: "ann", Name: "Ann", Queues: []string{"cards"}, Seats: 1, Skills: map[string]int{"disputes": 3, "fraud": 1}, Languages: []string{"en", "fr"}},
			{ID: "bob", Name: "Bob", Queues: []string{"cards"}, Seats: 1, Skills: map[string]int{"disputes": 1}},
			{ID: "eve", Name: "Eve", Queues: []string{"loans"}, Seats: 1, Skills: map[string]int{"disputes": 2}},
			{ID: "zoe", Name: "Zoe", Queues: []string{"front"}, Seats: 5},
		},
		Queues: []handoff.Queue{
			{
				Name: "cards",
				Ladder: []handoff.Rung{
					{After: 2 * time.Second, Do: handoff.RelaxLevels, By: 1},
					{After: 4 * time.Second, Do: handoff.RelaxSkills},
					{After: 6 * time.Second, Do: handoff.Widen, Queue: "loans"},
					{After: time.Hour, Do: handoff.ToBot},
				},
				MaxWaiting: 2, Divert: "front",
				PlaceEvery: 500 * time.Millisecond,
				Expect:     estimate.Prior{Handle: 6 * time.Minute}, // until handoffs have taught it better
			},
			{Name: "loans"},
			{Name: "front"},
		},
		Channel: b,
		Sinks:   map[string]handoff.Sink{"staff": handoff.SinkFunc(b.note)},
	}
}

// branch is the host: it shows users what they are told, and staff what
// happens.
type branch struct {
	*handoff.Engine
	start time.Time
	shown chan handoff.UserMessage
}

func (b *branch) sayf(who, format string, args ...any) {
	fmt.Printf("%4.1f s  %-5s  %s\n", time.Since(b.start).Seconds(), who, fmt.Sprintf(format, args...))
}

// Show is what a user sees.
func (b *branch) Show(_ context.Context, conversation string, m handoff.UserMessage) error {
	b.sayf(conversation, "%s", m.Text)
	b.shown <- m
	return nil
}

// note is what staff see of a handoff.
func (b *branch) note(_ context.Context, h *handoff.Handoff, e *handoff.Entry) error {
	switch {
	case e.Kind == handoff.KindOffered:
		b.sayf("", "[%s: offered to %s]", h.ID.Conversation, e.Agent)
	case e.Kind == handoff.KindRelaxed && e.Data["queue"] != "":
		b.sayf("", "[%s: agents of %s may help, too]", h.ID.Conversation, e.Data["queue"])
	case e.Kind == handoff.KindRelaxed:
		var what []string
		for _, k := range slices.Sorted(maps.Keys(e.Data)) {
			what = append(what, k+" "+e.Data[k])
		}
		b.sayf("", "[%s: no longer asked for: %s]", h.ID.Conversation, strings.Join(what, ", "))
	}
	return nil
}

func main() {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	b := &branch{start: time.Now(), shown: make(chan handoff.UserMessage, 100)}
	var err error
	if b.Engine, err = handoff.New(config(b)); err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.day(ctx); stop() }()
	if err := b.Run(ctx); err != nil {
		log.Fatal(err)
	}
	if err := <-done; err != nil {
		log.Fatal(err)
	}
}

func (b *branch) day(ctx context.Context) error {
	disputes := func(level int) handoff.Skill { return handoff.Skill{Name: "disputes", Level: level} }
	kim, err := b.ask(ctx, "kim", disputes(2))
	if err != nil {
		return err
	}
	if err := b.accept(ctx, kim, "ann"); err != nil { // the only one who is good enough
		return err
	}

	// Lee wants the best, and somebody who knows fraud if that can be had.
	lee, err := b.ask(ctx, "lee", disputes(3), handoff.Skill{Name: "fraud", Optional: true})
	if err != nil {
		return err
	}
	b.until(ctx, handoff.NoticePlace)
	mia, err := b.ask(ctx, "mia", disputes(3), handoff.Skill{Name: "fraud"})
	if err != nil {
		return err
	}
	b.until(ctx, handoff.NoticePlace)
	if err := b.explain(ctx, lee); err != nil {
		return err
	}
	noa, err := b.ask(ctx, "noa") // two wait: the queue is full
	if err != nil {
		return err
	}
	if err := b.accept(ctx, noa, "zoe"); err != nil {
		return err
	}

	// The ladder asks for less of Lee's wishes, until Eve of another queue will do.
	if err := b.accept(ctx, lee, "eve"); err != nil {
		return err
	}
	if err := b.explain(ctx, mia); err != nil {
		return err
	}
	if _, err := b.End(ctx, kim, handoff.By("ann"), handoff.Ending{}); err != nil {
		return err
	}
	if err := b.accept(ctx, mia, "ann"); err != nil {
		return err
	}
	return b.explain(ctx, lee)
}

func (b *branch) ask(ctx context.Context, user string, skills ...handoff.Skill) (handoff.ID, error) {
	out, err := b.Request(ctx, handoff.Request{Conversation: user, Queue: "cards", Skills: skills})
	if err != nil {
		return handoff.ID{}, err
	}
	if got := out.Handoff.Need.Queue; got != "cards" {
		b.sayf("", "[%s: diverted to %s]", user, got)
	}
	return out.Handoff.ID, nil
}

// accept waits until an agent is asked, and takes it.
func (b *branch) accept(ctx context.Context, id handoff.ID, agent string) error {
	for e, err := range b.Follow(ctx, id, 0) {
		if err != nil {
			return err
		}
		if e.Kind == handoff.KindOffered && e.Agent == agent {
			h, err := b.Get(ctx, id)
			if err != nil {
				return err
			}
			offer, _ := h.Offer(agent)
			_, err = b.Accept(ctx, id, handoff.By(agent), offer.Number)
			b.until(ctx, handoff.NoticeJoined)
			return err
		}
	}
	return ctx.Err()
}

// until returns when a user was shown a notice.
func (b *branch) until(ctx context.Context, notice string) {
	for {
		select {
		case m := <-b.shown:
			if m.Notice == notice {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// explain prints why a handoff is where it is.
func (b *branch) explain(ctx context.Context, id handoff.ID) error {
	x, err := b.Explain(ctx, id)
	if err != nil {
		return err
	}
	var lines []string
	for _, a := range x.Agents {
		lines = append(lines, fmt.Sprintf("%s: %s", a.Agent, a.Why))
	}
	for _, e := range x.Offers {
		if e.Kind == handoff.KindOffered {
			lines = append(lines, fmt.Sprintf("offered to %s: %s", e.Agent, e.Data["why"]))
		}
	}
	for _, s := range x.Relaxed {
		lines = append(lines, fmt.Sprintf("not chosen for: %s %d", s.Name, s.Level))
	}
	b.sayf("", "[why %s? %s]", id.Conversation, x.Why)
	for _, l := range lines {
		b.sayf("", "   %s", l)
	}
	return nil
}
