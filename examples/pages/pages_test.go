// Package pages shows a web chat that runs on several servers: pages poll or
// hold a connection to any of them, and a page that is loaded again shows the
// same.
package pages

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// page is a user's page. It pulls what it shows from the server it reached.
type page struct {
	seen   []string
	cursor handoff.UserCursor
}

// load shows what there is after the cursor, until nothing came for a second.
func (p *page) load(t *testing.T, server *handoff.Engine, conversation string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	for m, err := range server.FollowUser(ctx, conversation, p.cursor) {
		if err != nil {
			return // ctx has ended
		}
		p.seen, p.cursor = append(p.seen, m.Text), m.Cursor
	}
}

func TestPages(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		one, two := r.Engine, r.Replica()
		ann := r.Agent("ann", 1)
		ctx := t.Context()

		// The message reaches one server, the page hangs on the other.
		turn, err := one.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := two.Reply(ctx, turn, handoff.Message{ID: "r1", Text: "hi"}); err != nil {
			t.Fatal(err)
		}
		if _, err := two.Request(ctx, handoff.Request{Turn: turn, Queue: "support"}); err != nil {
			t.Fatal(err)
		}
		r.Wait()
		var p page
		p.load(t, two, "c")
		h := ann.Accept()
		ann.Says(h.ID, "Ann here")
		p.load(t, one, "c")

		// The page is loaded again, on the other server: it shows the same.
		var again page
		again.load(t, two, "c")
		if !slices.Equal(p.seen, again.seen) {
			t.Fatalf("first %q, then %q", p.seen, again.seen)
		}
		want := []string{"hello", "hi", "I am getting a person for you.", "ann has joined the conversation.", "Ann here"}
		if !slices.Equal(again.seen, want) {
			t.Fatalf("the page shows %q", again.seen)
		}
	}, func(c *handoff.Config) {
		c.Channel = nil // pages pull
		c.Queues[0].PlaceEvery = handoff.Never
	})
}
