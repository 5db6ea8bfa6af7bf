package handoff

import (
	"context"
	"errors"
)

// A CRM has the host's customer records. It is asked when an agent looks at a
// handoff; nothing of it is stored in the handoff, and a CRM that fails holds
// up nobody.
type CRM interface {
	// Find returns the records of a user, the best match first, and none if
	// nobody matches. who has at least one of ID, Mail and Phone; an address
	// that is not Verified is what the user says of himself. Find may be called
	// concurrently.
	Find(ctx context.Context, who Contact) ([]Customer, error)
}

// A Customer is a record of a CRM, as agents see it.
type Customer struct {
	Source string          `json:"source,omitempty"` // the CRM's name
	ID     string          `json:"id"`               // in the CRM
	Name   string          `json:"name,omitempty"`
	Mail   string          `json:"mail,omitempty"`
	Phone  string          `json:"phone,omitempty"`
	URL    string          `json:"url,omitempty"` // of the record in the CRM; empty: none
	Fields []CustomerField `json:"fields,omitempty"`
}

// A CustomerField is one line of a record, in the order in which it is shown.
type CustomerField struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Customers asks Config.CRM for the user of a handoff: by what the host knows,
// and by mail and phone from the intake form where it does not. It returns none
// if there is no CRM, or nothing to look for.
func (e *Engine) Customers(ctx context.Context, id ID) ([]Customer, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	h, err := e.get(ctx, id)
	if err != nil || e.cfg.CRM == nil {
		return nil, err
	}
	who := h.contact()
	if who.ID == "" && who.Mail == "" && who.Phone == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	ctx, end := e.cfg.Hooks.span(ctx, "crm", id)
	list, err := find(ctx, e.cfg.CRM, who)
	end(err)
	return list, err
}

// find keeps a CRM that panics from taking the caller along.
func find(ctx context.Context, crm CRM, who Contact) (list []Customer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("handoff: crm: panicked")
		}
	}()
	return crm.Find(ctx, who)
}

// contact returns the user with what he said in the form. What he said is not
// verified, whatever else is.
func (h *Handoff) contact() Contact {
	var c Contact
	if h.User != nil {
		c = *h.User
	}
	for _, a := range []struct {
		field *string
		names []string
	}{
		{&c.Name, []string{"name"}},
		{&c.Mail, []string{"mail", "email"}},
		{&c.Phone, []string{"phone"}},
	} {
		for _, name := range a.names {
			if v := h.Answers[name]; *a.field == "" && v != "" {
				*a.field, c.Verified = v, false
			}
		}
	}
	return c
}
