package handoff_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

type crmFunc func(context.Context, handoff.Contact) ([]handoff.Customer, error)

func (f crmFunc) Find(ctx context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	return f(ctx, who)
}

// An agent sees the customer's records; what the user says of himself is not
// verified, and a CRM that fails changes nothing for the handoff.
func TestCustomers(t *testing.T) {
	var asked []handoff.Contact
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		_, err := r.Request(r.Ctx, handoff.Request{
			Conversation: "c1", Queue: "support", User: &handoff.Contact{ID: "u1", Verified: true},
			Answers: map[string]string{"email": "dana@example.com"},
		})
		require.NoError(t, err)
		r.Wait()
		h := ann.Accept()

		list, err := r.Customers(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, []handoff.Customer{{ID: "crm-7", Name: "Dana"}}, list)
		require.Equal(t, []handoff.Contact{{ID: "u1", Mail: "dana@example.com"}}, asked)

		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c2", Queue: "support"})
		require.NoError(t, err)
		list, err = r.Customers(r.Ctx, r.Last("c2").ID)
		require.NoError(t, err)
		require.Empty(t, list)
		require.Len(t, asked, 1, "nobody to look for")

		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c3", Queue: "support", User: &handoff.Contact{ID: "down"}})
		require.NoError(t, err)
		_, err = r.Customers(r.Ctx, r.Last("c3").ID)
		require.ErrorContains(t, err, "down")
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c4", Queue: "support", User: &handoff.Contact{ID: "panic"}})
		require.NoError(t, err)
		_, err = r.Customers(r.Ctx, r.Last("c4").ID)
		require.Error(t, err)
		require.Equal(t, handoff.StateWaiting, r.Last("c4").State)
	}, func(c *handoff.Config) {
		c.CRM = crmFunc(func(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
			asked = append(asked, who)
			switch who.ID {
			case "down":
				return nil, errors.New("the CRM is down")
			case "panic":
				panic("x")
			}
			return []handoff.Customer{{ID: "crm-7", Name: "Dana"}}, nil
		})
	})
}
