package genesys

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names an Open Messaging integration of an organisation.
type Config struct {
	Name string // of the provider; default "genesys"

	// Region is the domain of the organisation's region: mypurecloud.com (the
	// default), mypurecloud.de, euw2.pure.cloud.
	Region string

	// URL and Login are where the Platform API and its tokens are; default
	// https://api. and https://login. with the Region.
	URL, Login string

	// Integration is the id of the Open Messaging integration.
	Integration string

	// Client and Secret are those of an OAuth client with the grant Client
	// Credentials.
	Client, Secret string

	// Secrets are the integration's outbound notification webhook signature
	// secret tokens. Two while one is changed.
	Secrets []string

	// Queues maps queues to ids of queues in Genesys Cloud. They tell whether
	// somebody is there, and are the attribute handoff_queue_id, by which the
	// Architect flow routes.
	Queues map[string]string

	// Poll is how often a conversation is read; default 10 s. A token may make
	// 300 requests in a minute: with 30 conversations at once, 10 s is as often
	// as it can be.
	Poll time.Duration

	// Return is the word with which an agent's message gives the conversation
	// back to the bot: what stands behind it is for the bot. Default
	// [provider.DefaultReturn]; [provider.NoReturn] is none.
	Return string

	// Redact removes from the transcript what Genesys Cloud must not get; nil
	// removes nothing.
	Redact func(text string) string

	HTTP *http.Client // nil: a sensible one
}

// MaxBytes is the longest message that the adapter sends.
const MaxBytes = 4000

// DefaultPoll is how often a conversation is read.
const DefaultPoll = 10 * time.Second

// A Provider connects an engine with Genesys Cloud.
type Provider struct {
	cfg   Config
	api   provider.Client
	login provider.Client

	mu    sync.Mutex
	token string
	until time.Time
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Streamer            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Typist              = (*Provider)(nil)
)

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	bad := func(field, why string) (*Provider, error) {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	if c.Region == "" {
		c.Region = "mypurecloud.com"
	}
	if c.URL == "" {
		c.URL = "https://api." + c.Region
	}
	if c.Login == "" {
		c.Login = "https://login." + c.Region
	}
	switch {
	case !isAddress(c.URL):
		return bad("URL", "is no http address")
	case !isAddress(c.Login):
		return bad("Login", "is no http address")
	case c.Integration == "":
		return bad("Integration", "is empty")
	case c.Client == "":
		return bad("Client", "is empty")
	case c.Secret == "":
		return bad("Secret", "is empty")
	case len(c.Secrets) == 0:
		return bad("Secrets", "is empty")
	case c.Poll < 0:
		return bad("Poll", "is negative")
	}
	var ok bool
	if c.Return, ok = provider.ReturnWord(c.Return); !ok {
		return bad("Return", "has a space in it")
	}
	if c.Name == "" {
		c.Name = "genesys"
	}
	if c.Poll == 0 {
		c.Poll = DefaultPoll
	}
	p := &Provider{cfg: c, login: provider.Client{Base: strings.TrimSuffix(c.Login, "/"), HTTP: c.HTTP}}
	p.api = provider.Client{
		Base: strings.TrimSuffix(c.URL, "/"), HTTP: c.HTTP, Judge: p.judge,
		Limit: provider.NewLimiter(5, 30), // 300 a minute
		Authorize: func(r *http.Request) error {
			token, err := p.bearer(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
			return err
		},
	}
	return p, nil
}

func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, WaitEstimate: true, TypingIn: true, TypingOut: true, Files: true, Transfer: true,
			AgentReturns: p.cfg.Return != "", FindsAttempt: true, SendsOnce: true, ReadsState: true,
		},
	}
}
