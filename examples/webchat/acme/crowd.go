package acme

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Made-up customers have other names than whoever writes on the left.
var names = []string{
	"Tomás Ruiz", "Yuki Tanaka", "Olu Adeyemi", "Eva Novak", "Noah Smith", "Priya Rao",
	"Liam O’Brien", "Sofia Rossi", "Chen Wei", "Fatima Zahra", "Lucas Martin", "Hanna Berg",
}

// Those who do not ask in words press the button: words are heard by triggers,
// which know no queue but support.
var needs = []struct{ queue, first, asks, more string }{
	{"billing", "I was charged twice for my order", "", "It is order 4711. The second charge was on Monday."},
	{"support", "Where is my parcel?", "I want to talk to somebody.", "It should have been here last week."},
	{"support", "The app closes when I open my profile", "Can I talk to a human?", "I have the newest version."},
	{"billing", "I need an invoice with our VAT number", "", "The number is on our website."},
	{"support", "How do I change my address?", "I would rather talk to a person.", "I have moved to another city."},
}

// crowd lets n made-up customers come in, one after the other.
func (h *host) crowd(ctx context.Context, n int) {
	for i := range n {
		h.mu.Lock()
		h.number++
		number := h.number
		h.mu.Unlock()
		h.people.Go(func() {
			if pause(ctx, time.Duration(i)*300*time.Millisecond) {
				h.customer(ctx, number)
			}
		})
	}
}

// pause waits, and reports whether there is a reason to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func seconds(from, to int) time.Duration {
	return time.Duration(from*1000+rand.IntN((to-from)*1000)) * time.Millisecond
}

// customer plays one customer: he talks to the bot, asks for a person, answers
// what he is asked, says thanks, and goes.
func (h *host) customer(ctx context.Context, number int) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	c := "crowd-" + h.run + "-" + strconv.Itoa(number)
	need := needs[rand.IntN(len(needs))]
	user := &handoff.Contact{ID: c, Name: names[number%len(names)], Attributes: map[string]string{"visits": strconv.Itoa(1 + rand.IntN(30))}}
	said := 0
	say := func(text string) bool {
		said++
		return h.receive(ctx, handoff.Incoming{
			Conversation: c, ID: "m" + strconv.Itoa(said), Text: text, User: user, Channel: "web chat", Language: "en", URL: "https://shop.example.com/help",
		}) == nil
	}
	if !say(need.first) || !pause(ctx, seconds(2, 6)) {
		return
	}
	if rand.IntN(5) == 0 { // the bot was enough
		say("thank you, bye")
		return
	}
	if need.asks != "" && !say(need.asks) {
		return
	}
	if _, err := h.Request(ctx, handoff.Request{Conversation: c, Queue: need.queue, User: user, NoForm: rand.IntN(2) == 0, Channel: "web chat"}); err != nil {
		return
	}
	patience := time.AfterFunc(seconds(90, 400), func() {
		if now, err := h.Latest(ctx, c); err == nil && !now.Attended {
			_, _ = h.Cancel(ctx, c, true)
		}
	})
	defer patience.Stop()
	answers := []string{need.more, "Yes, that is right.", "Great, thank you!"}
	for m, err := range h.FollowUser(ctx, c, handoff.UserCursor{}) {
		switch {
		case err != nil:
			return
		case m.Ask != nil:
			if !pause(ctx, seconds(1, 4)) || !say(fmt.Sprint(4700+number)) {
				return
			}
		case m.From.Role == handoff.RoleAgent && len(answers) > 0:
			h.wire.desk.UserTyping(c, true)
			if !pause(ctx, seconds(2, 6)) || !say(answers[0]) {
				return
			}
			h.wire.desk.UserTyping(c, false)
			answers = answers[1:]
		case m.Notice == handoff.NoticeRate:
			if now, err := h.Latest(ctx, c); err == nil && pause(ctx, seconds(1, 4)) {
				id := now.ID
				if !now.Attended && id.Number > 1 {
					id.Number--
				}
				_, _ = h.Rate(ctx, id, 3+rand.IntN(3), "")
			}
			return
		case m.Notice == handoff.NoticeMissed, m.Notice == handoff.NoticeReturned, m.Notice == handoff.NoticeEnded:
			if !pause(ctx, 3*time.Second) {
				return
			}
		}
	}
}
