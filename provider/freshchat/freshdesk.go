package freshchat

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Freshdesk names an account of Freshdesk for tickets.
type Freshdesk struct {
	URL string // https://acme.freshdesk.com
	Key string // API key of an agent

	HTTP *http.Client // nil: a sensible one
}

// A Suite is a [Provider] that makes tickets in Freshdesk.
type Suite struct {
	*Provider

	desk provider.Client
}

var (
	_ handoff.Provider = (*Suite)(nil)
	_ handoff.Ticketer = (*Suite)(nil)
)

// NewSuite returns a provider with tickets. It does no I/O. What cannot work is
// a *[handoff.InvalidError].
func NewSuite(c Config, f Freshdesk) (*Suite, error) {
	p, err := New(c)
	switch {
	case err != nil:
		return nil, err
	case !isHTTP(f.URL):
		return nil, &handoff.InvalidError{Field: "Freshdesk.URL", Why: "is no http address"}
	case f.Key == "":
		return nil, &handoff.InvalidError{Field: "Freshdesk.Key", Why: "is empty"}
	}
	return &Suite{Provider: p, desk: provider.Client{
		Base: strings.TrimSuffix(f.URL, "/") + "/api/v2", HTTP: f.HTTP, Limit: provider.NewLimiter(0, 0),
		Authorize: func(r *http.Request) error { r.SetBasicAuth(f.Key, "X"); return nil },
	}}, nil
}

// Info implements [handoff.Provider].
func (s *Suite) Info() handoff.ProviderInfo {
	info := s.Provider.Info()
	info.Can.Ticket = true
	return info
}

// The words that Freshdesk has numbers for.
const (
	statusOpen  = 2
	priorityLow = 1
	sourceChat  = 7
)

type ticket struct {
	ID      int64  `json:"id"`
	Subject string `json:"subject"`
}

// Ticket implements [handoff.Ticketer]. The subject ends with a mark, by which
// a ticket whose making was not answered is found among its requester's.
func (s *Suite) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	mark := "(ref " + strings.TrimPrefix(external("ticket "+id), "handoff-")[:16] + ")"
	in := fields{
		"subject": provider.Cut("Message from "+h.ID.Conversation, 200) + " " + mark, "description": provider.HTML(text),
		"status": statusOpen, "priority": priorityLow, "source": sourceChat,
	}
	requester := url.Values{}
	switch u := h.User; {
	case u != nil && u.Mail != "":
		in["email"] = u.Mail
		requester.Set("email", u.Mail)
	case u != nil && u.ID != "":
		requester.Set("unique_external_id", u.ID)
	default:
		requester.Set("unique_external_id", "conversation:"+h.ID.Conversation)
	}
	if name := requester.Get("unique_external_id"); name != "" {
		in["unique_external_id"] = name
	}
	if h.User != nil && h.User.Name != "" {
		in["name"] = h.User.Name
	}
	requester.Set("per_page", "100")
	var list []ticket
	err := s.desk.Do(ctx, provider.Call{Op: "ticket", Path: "/tickets", Query: requester}, &list)
	if err == nil && list == nil { // taken for none, there would be two tickets
		err = provider.AnswerLacks("ticket")
	}
	// A requester whom nobody knows is a 400.
	if err = provider.Tolerate(err, http.StatusBadRequest, http.StatusNotFound); err != nil {
		return "", err
	}
	for _, t := range list {
		if strings.HasSuffix(t.Subject, mark) {
			return strconv.FormatInt(t.ID, 10), nil
		}
	}
	var made ticket
	err = s.desk.Do(ctx, provider.Call{Op: "ticket", Method: http.MethodPost, Path: "/tickets", JSON: in}, &made)
	if err == nil && made.ID == 0 {
		err = &handoff.ProviderError{Op: "ticket", Code: "answer", Retryable: true, Ambiguous: true, Err: errNameless}
	}
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(made.ID, 10), nil
}
