package browsertest

import (
	"context"

	"github.com/seed-2a427302/handoff"
)

// crm knows everybody.
type crm struct{}

func (crm) Find(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	return []handoff.Customer{{
		Source: "CRM", ID: "C-1041", Name: who.Name, Mail: map[string]string{"Maria Keller": "maria@example.com"}[who.Name], URL: "https://crm.example.com/C-1041",
		Fields: []handoff.CustomerField{{Label: "Plan", Value: "Gold"}, {Label: "Customer since", Value: "2019"}},
	}}, nil
}
