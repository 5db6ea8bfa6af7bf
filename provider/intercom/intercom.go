package intercom

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// The addresses of Intercom's regions.
const (
	US = "https://api.intercom.io"
	EU = "https://api.eu.intercom.io"
	AU = "https://api.au.intercom.io"
)

// version of Intercom's interface that the adapter speaks.
const version = "2.16"

// A Config names a workspace of Intercom.
type Config struct {
	Name string // of the provider; default "intercom"

	URL   string // of the region; default [US]
	Token string // access token of the app

	// Admin is the number of a teammate in whose name the adapter writes notes,
	// assigns and closes. What this teammate does is taken for ours: use one
	// that nobody works as.
	Admin string

	// Secrets are the app's client secrets, which sign the webhooks. Two while
	// one is changed.
	Secrets []string

	// Teams maps queues to numbers of teams. A queue without one goes to
	// nobody in particular.
	Teams map[string]string

	// FirstWords begin each conversation, in the user's name: Intercom has none
	// without. What was really said follows in a note. Default "I would like to
	// talk to a person."
	FirstWords string

	// Return is the word with which an agent's message or note gives the
	// conversation back to the bot: what stands behind it is for the bot. Default
	// [provider.DefaultReturn]; [provider.NoReturn] is none.
	Return string

	// Redact removes from the transcript what Intercom must not get; nil
	// removes nothing.
	Redact func(text string) string

	HTTP *http.Client // nil: a sensible one
}

// MaxBytes is the longest message that the adapter sends.
const MaxBytes = 50_000

// A Provider connects an engine with a workspace of Intercom.
type Provider struct {
	cfg Config
	api provider.Client

	names sync.Map // of teammates, by number: webhooks lack some
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Noter               = (*Provider)(nil)
	_ handoff.Ticketer            = (*Provider)(nil)
)

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	bad := func(field, why string) (*Provider, error) {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	if c.URL == "" {
		c.URL = US
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return bad("URL", "is no http address")
	case c.Token == "":
		return bad("Token", "is empty")
	case !isNumber(c.Admin):
		return bad("Admin", "is no number")
	case len(c.Secrets) == 0:
		return bad("Secrets", "is empty")
	}
	for _, team := range c.Teams {
		if !isNumber(team) {
			return bad("Teams", "has one that is no number")
		}
	}
	var ok bool
	if c.Return, ok = provider.ReturnWord(c.Return); !ok {
		return bad("Return", "has a space in it")
	}
	if c.Name == "" {
		c.Name = "intercom"
	}
	if c.FirstWords == "" {
		c.FirstWords = "I would like to talk to a person."
	}
	return &Provider{cfg: c, api: provider.Client{
		Base: strings.TrimSuffix(c.URL, "/"), HTTP: c.HTTP,
		Authorize: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+c.Token)
			r.Header.Set("Intercom-Version", version)
			return nil
		},
	}}, nil
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Files: true, Transfer: true, Notes: true, AgentReturns: p.cfg.Return != "",
			Ticket: true, FindsAttempt: true, ReadsState: true,
		},
	}
}
