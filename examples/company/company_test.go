// Package company shows a company that has its own telephone system, which
// knows who is there, and its own page for agents.
package company

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// telephones is the company's presence: it answers who is there, and needs no
// heartbeats.
type telephones struct {
	mu    sync.Mutex
	there map[string]time.Time // since when
}

// Agents is handoff.Presence's.
func (p *telephones) Agents(_ context.Context, ids []string, _ time.Time) ([]handoff.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]handoff.Status, len(ids))
	for i, id := range ids {
		out[i] = handoff.Status{Agent: id, Availability: handoff.Offline}
		if since, ok := p.there[id]; ok {
			out[i].Availability, out[i].Since = handoff.Online, since
		}
	}
	return out, nil
}

func (p *telephones) login(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.there[id] = time.Now()
}

// desk is the agents' page: a list, a conversation, and buttons.
type desk struct{ *handoff.Engine }

func (d desk) mine(ctx context.Context, agent string) ([]handoff.Handoff, error) {
	return d.List(ctx, handoff.Query{Agent: agent, States: []handoff.State{handoff.StateOffered, handoff.StateActive}})
}

func TestCompany(t *testing.T) {
	phones := &telephones{there: map[string]time.Time{}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ctx, d := t.Context(), desk{r.Engine}
		r.Says("c", "a person, please")
		r.Asks("c")
		if list, err := d.mine(ctx, "kim"); err != nil || len(list) != 0 {
			t.Fatalf("Kim, who is not there, was offered %v, %v", list, err)
		}

		// Kim logs in at the telephone. The company tells the engine.
		phones.login("kim")
		if err := r.AgentChanged(ctx, "kim"); err != nil {
			t.Fatal(err)
		}
		r.Wait()
		list, err := d.mine(ctx, "kim")
		if err != nil || len(list) != 1 {
			t.Fatalf("on Kim's page: %v, %v", list, err)
		}
		id := list[0].ID
		offer, _ := list[0].Offer("kim")
		if _, err := d.Accept(ctx, id, handoff.By("kim"), offer.Number); err != nil {
			t.Fatal(err)
		}

		// The page shows the conversation, and sends what Kim has typed.
		script, err := d.Transcript(ctx, id)
		if err != nil || len(script) == 0 || script[0].Text != "a person, please" {
			t.Fatalf("Kim reads %v, %v", script, err)
		}
		m := handoff.Message{ID: "click-1", Text: "Kim here.", Seen: script[len(script)-1].Seq}
		for range 2 { // a double click
			if _, err := d.Send(ctx, id, handoff.By("kim"), m); err != nil {
				t.Fatal(err)
			}
		}
		r.Wait()
		if saw := r.Users.Texts("c"); saw[len(saw)-1] != "Kim here." || saw[len(saw)-2] == "Kim here." {
			t.Fatalf("the user saw %q", saw)
		}
	}, func(c *handoff.Config) {
		c.Directory = handoff.Staff{{ID: "kim", Name: "Kim", Queues: []string{"support"}, Seats: 2}}
		c.Presence = phones
	})
}
