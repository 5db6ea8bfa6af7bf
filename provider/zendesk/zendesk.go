package zendesk

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names an account of Zendesk and its app of Sunshine Conversations.
type Config struct {
	Name string // of the provider; default "zendesk"

	URL string // https://acme.zendesk.com
	App string // id of the app of Sunshine Conversations

	KeyID  string // of a key for the app
	Secret string // of that key

	// Bot is the name or id of the switchboard integration that has a
	// conversation before and after the agents.
	Bot string

	// Secrets are those of the webhook of Sunshine Conversations; TriggerSecrets
	// sign the webhook of the trigger. Two while one is changed.
	Secrets        []string
	TriggerSecrets []string

	Email string // of the agent whose token it is
	Token string // an API token of Zendesk Support, for tickets and notes

	// ReferenceField and NoteField are numbers of ticket fields of texts: for
	// the conversation's id, which the trigger tells, and for the reason, flags
	// and answers.
	ReferenceField string
	NoteField      string

	// Answers maps names of answers to numbers of ticket fields, Queues those of
	// queues to tags that route.
	Answers map[string]string
	Queues  map[string]string

	// Redact removes from the transcript what Zendesk must not get; nil removes
	// nothing.
	Redact func(text string) string

	HTTP *http.Client // nil: a sensible one
}

// MaxBytes is the longest message that the adapter sends.
const MaxBytes = 4096

// A Provider connects an engine with an account of Zendesk, for a bot that is
// outside; see [Switchboard] for one within.
type Provider struct {
	cfg     Config
	api     provider.Client // of Sunshine Conversations
	support provider.Client

	names sync.Map // of agents, by id: tickets have none
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Noter               = (*Provider)(nil)
	_ handoff.BotReturner         = (*Provider)(nil)
	_ handoff.Ticketer            = (*Provider)(nil)
)

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	bad := func(field, why string) (*Provider, error) {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return bad("URL", "is no http address")
	}
	for _, f := range []struct{ name, value string }{
		{"App", c.App}, {"KeyID", c.KeyID}, {"Secret", c.Secret}, {"Bot", c.Bot}, {"Email", c.Email}, {"Token", c.Token},
	} {
		if f.value == "" {
			return bad(f.name, "is empty")
		}
	}
	switch {
	case len(c.Secrets) == 0:
		return bad("Secrets", "is empty")
	case len(c.TriggerSecrets) == 0:
		return bad("TriggerSecrets", "is empty")
	case !isNumber(c.ReferenceField):
		return bad("ReferenceField", "is no number")
	case !isNumber(c.NoteField):
		return bad("NoteField", "is no number")
	}
	for _, field := range c.Answers {
		if !isNumber(field) {
			return bad("Answers", "has one that is no number")
		}
	}
	if c.Name == "" {
		c.Name = "zendesk"
	}
	base := strings.TrimSuffix(c.URL, "/")
	return &Provider{
		cfg: c,
		api: provider.Client{
			Base: base + "/sc/v2/apps/" + url.PathEscape(c.App), HTTP: c.HTTP,
			Authorize: func(r *http.Request) error { r.SetBasicAuth(c.KeyID, c.Secret); return nil },
		},
		support: provider.Client{
			Base: base + "/api/v2", HTTP: c.HTTP,
			Authorize: func(r *http.Request) error { r.SetBasicAuth(c.Email+"/token", c.Token); return nil },
		},
	}, nil
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Files: true, Transfer: true, Notes: true, ReturnToBot: true, AgentReturns: true, Ticket: true,
			FindsAttempt: true, SendsOnce: true, ReadsState: true, NativeHistory: true,
		},
	}
}
