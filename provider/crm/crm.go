// Package crm connects customer records with handoffs. A [CRM] finds
// customers, keeps them up to date and opens cases; its sub-packages are for
// Zendesk and Microsoft Dynamics 365.
//
//   - Shown to agents: a CRM is a handoff.CRM, for Config.CRM.
//   - Used for routing: [Route] changes a request by what is known of the user.
//   - Cases: [Cases] is a handoff.Sink that opens one for what a user left.
//
// None of these can hold up a handoff: a CRM that fails or is slow leaves a
// request as it is, and a sink is delivered to by itself.
package crm

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A CRM has the host's customer records. Its methods may be called
// concurrently. Errors are *handoff.ProviderError where it answered.
type CRM interface {
	// Find returns the records of a user, the best match first, and none if
	// nobody matches.
	handoff.CRM

	// Upsert makes the record of a user, or brings it up to date, and returns
	// it. who has at least one of ID, Mail and Phone.
	Upsert(ctx context.Context, who handoff.Contact) (handoff.Customer, error)

	// OpenCase opens a case and returns the CRM's name for it. The same ID
	// again is the same case.
	OpenCase(ctx context.Context, c Case) (string, error)
}

// A Case is something to be worked on.
type Case struct {
	ID       string // ours
	Customer string // Customer.ID; empty: nobody in particular
	Subject  string
	Text     string
	Tags     []string
}

// Route asks c about the user of a request and lets rule change the request:
// its queue, skills, priority or flags. rule is not called when the CRM fails,
// panics or takes longer than limit (0 is two seconds), nor when nobody is
// found: then the request stays as it is. The error is for the host's log.
func Route(ctx context.Context, c handoff.CRM, limit time.Duration, who handoff.Contact, r *handoff.Request,
	rule func(r *handoff.Request, found []handoff.Customer),
) error {
	if limit <= 0 {
		limit = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type answer struct {
		list []handoff.Customer
		err  error
	}
	done := make(chan answer, 1)
	go func() { // a CRM that does not heed its context holds up nobody
		defer func() {
			if recover() != nil {
				done <- answer{err: &handoff.ProviderError{Op: "find", Code: "panic"}}
			}
		}()
		list, err := c.Find(ctx, who)
		done <- answer{list, err}
	}()
	select {
	case a := <-done:
		if a.err == nil && len(a.list) > 0 {
			rule(r, a.list)
		}
		return a.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Cases returns a sink that opens a case for each message that a user left,
// for Config.Sinks. The user's record is made if there is none. A delivery
// that fails is tried again, as every sink's is.
func Cases(c CRM) handoff.Sink {
	return handoff.SinkFunc(func(ctx context.Context, h *handoff.Handoff, e *handoff.Entry) error {
		if e.Kind != handoff.KindLeft {
			return nil
		}
		k := Case{
			ID:      url.QueryEscape(h.ID.Conversation) + "." + strconv.FormatInt(h.ID.Number, 10) + "." + strconv.FormatInt(e.Seq, 10),
			Subject: subject(h, e), Text: text(e), Tags: slices.Clone(h.Tags),
		}
		if who := user(h, e); who.ID != "" || who.Mail != "" || who.Phone != "" {
			customer, err := c.Upsert(ctx, who)
			if err != nil {
				return err
			}
			k.Customer = customer.ID
		}
		_, err := c.OpenCase(ctx, k)
		return err
	})
}

// subject is the first line of what was left, or what it is about.
func subject(h *handoff.Handoff, e *handoff.Entry) string {
	line, _, _ := strings.Cut(strings.TrimSpace(e.Text), "\n")
	const most = 100
	if r := []rune(line); len(r) > most {
		line = string(r[:most]) + "…"
	}
	if line == "" {
		line = "Message for " + h.Need.Queue
	}
	return line
}

func text(e *handoff.Entry) string {
	var b strings.Builder
	b.WriteString(e.Text)
	keys := make([]string, 0, len(e.Data))
	for k := range e.Data {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		b.WriteString("\n" + k + ": " + e.Data[k])
	}
	return strings.TrimSpace(b.String())
}

// user is who left it: as the host knows him, and as the form says.
func user(h *handoff.Handoff, e *handoff.Entry) handoff.Contact {
	var c handoff.Contact
	if h.User != nil {
		c = *h.User
	}
	for field, names := range map[*string][]string{&c.Name: {"name"}, &c.Mail: {"mail", "email"}, &c.Phone: {"phone"}} {
		for _, name := range names {
			if *field == "" {
				*field = e.Data[name]
			}
		}
	}
	return c
}
