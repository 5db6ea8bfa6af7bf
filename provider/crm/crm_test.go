package crm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/crm"
)

// records is a CRM in memory that can fail.
type records struct {
	mu    sync.Mutex
	fails string // error, hangs, panics
	cases map[string]crm.Case
	made  []handoff.Contact
}

func (r *records) failure(ctx context.Context) error {
	r.mu.Lock()
	fails := r.fails
	r.mu.Unlock()
	switch fails {
	case "error":
		return errors.New("down")
	case "hangs":
		<-ctx.Done()
		select {} //nolint:revive // it heeds no context
	case "panics":
		panic("a mistake")
	}
	return nil
}

func (r *records) Find(ctx context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	if err := r.failure(ctx); err != nil {
		return nil, err
	}
	return []handoff.Customer{{ID: "7", Name: who.Name, Fields: []handoff.CustomerField{{Label: "Tier", Value: "gold"}}}}, nil
}

func (r *records) Upsert(ctx context.Context, who handoff.Contact) (handoff.Customer, error) {
	if err := r.failure(ctx); err != nil {
		return handoff.Customer{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, who)
	return handoff.Customer{ID: "7"}, nil
}

func (r *records) OpenCase(ctx context.Context, c crm.Case) (string, error) {
	if err := r.failure(ctx); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cases == nil {
		r.cases = map[string]crm.Case{}
	}
	r.cases[c.ID] = c
	return c.ID, nil
}

func TestRoute(t *testing.T) {
	gold := func(r *handoff.Request, found []handoff.Customer) {
		if found[0].Fields[0].Value == "gold" {
			r.Priority, r.Flags = 2, append(r.Flags, "gold")
		}
	}
	for _, fails := range []string{"", "error", "panics"} {
		r := handoff.Request{Conversation: "c", Queue: "support"}
		err := crm.Route(t.Context(), &records{fails: fails}, 0, handoff.Contact{ID: "u"}, &r, gold)
		assert.Equal(t, fails == "", err == nil)
		assert.Equal(t, fails == "", r.Priority == 2, "a CRM that %s changes nothing", fails)
	}
}

// slow answers when it likes.
type slow struct{ records }

func (s *slow) Find(context.Context, handoff.Contact) ([]handoff.Customer, error) {
	time.Sleep(time.Hour)
	return []handoff.Customer{{ID: "7"}}, nil
}

func TestRouteWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, r := time.Now(), handoff.Request{}
		err := crm.Route(t.Context(), &slow{}, 3*time.Second, handoff.Contact{ID: "u"}, &r, func(r *handoff.Request, _ []handoff.Customer) { r.Priority = 9 })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
		time.Sleep(2 * time.Hour)
		assert.Zero(t, r.Priority, "also when it answers later")
	})
}

// A CRM that is down for an hour holds up no handoff, and gets its case
// afterwards, once.
func TestCasesHoldUpNothing(t *testing.T) {
	c := &records{fails: "error"}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := r.Asks("c")
		ann.Accept()
		ann.Ends(h.ID)
		_, err := r.LeaveMessage(r.Ctx, h.ID, "please call me\ntomorrow", map[string]string{"phone": "+30 1", "name": "Ursula"})
		require.NoError(t, err)
		turn := r.Says("c", "and the bot?")
		assert.True(t, turn.Open())
		r.Sleep(time.Hour)
		c.mu.Lock()
		c.fails = ""
		c.mu.Unlock()
		r.Sleep(time.Hour)
		c.mu.Lock()
		defer c.mu.Unlock()
		require.Len(t, c.cases, 1)
		for _, k := range c.cases {
			assert.Equal(t, "please call me", k.Subject)
			assert.Equal(t, "please call me\ntomorrow\nname: Ursula\nphone: +30 1", k.Text)
			assert.Equal(t, "7", k.Customer)
		}
		assert.Equal(t, "+30 1", c.made[0].Phone)
	}, func(cfg *handoff.Config) {
		cfg.CRM = c
		cfg.Sinks = map[string]handoff.Sink{"cases": crm.Cases(c)}
	})
}
