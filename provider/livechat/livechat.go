package livechat

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names an organization of LiveChat, and an app of it.
type Config struct {
	Name string // of the provider; default "livechat"

	URL      string // of the interface; default "https://api.livechatinc.com"
	Accounts string // where tokens come from; default "https://accounts.livechat.com"

	Organization string // id of the organization

	// ClientID and ClientSecret are those of a server-side app, RefreshToken is
	// what its authorization code was exchanged for. Such a token does not
	// change when it is used.
	ClientID, ClientSecret, RefreshToken string

	// Secrets are the secret keys that the webhooks were registered with, which
	// they carry. Two while one is changed.
	Secrets []string

	// Groups maps queues to numbers of groups. A queue without one goes to all
	// agents.
	Groups map[string]int

	// Return is the word with which an agent's message or note gives the
	// conversation back to the bot: what stands behind it is for the bot. Default
	// [provider.DefaultReturn]; [provider.NoReturn] is none.
	Return string

	// Redact removes from the transcript what LiveChat must not get; nil removes
	// nothing.
	Redact func(text string) string

	HTTP *http.Client // nil: a sensible one

	// Files fetches the files that users send, to pass them on. Nil: a client
	// that only reaches public addresses; see provider.Guard.
	Files *http.Client

	// Dial opens LiveChat's socket, one for each chat that is open, in the name of
	// its customer: agents who write, and later places in the queue, are told there
	// alone. Nil: none of that is told. Package provider/websocket, a module of its
	// own, has one.
	Dial provider.Dialer
}

// MaxBytes is the longest message: LiveChat takes 16 KB, of which the adapter
// needs some itself.
const MaxBytes = 15_000

// A Provider connects an engine with an organization of LiveChat.
type Provider struct {
	cfg      Config
	accounts provider.Client
	api      provider.Client

	mu    sync.Mutex
	token string // of the app
	until time.Time

	names sync.Map // of agents, by id: webhooks of messages have none
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Typist              = (*Provider)(nil)
	_ handoff.Noter               = (*Provider)(nil)
	_ handoff.Ticketer            = (*Provider)(nil)
	_ handoff.Refresher           = (*Provider)(nil)
	_ handoff.Streamer            = live{}
)

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// New returns a provider: a *[Provider], which is a [handoff.Streamer] too if the
// Config has Dial. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (handoff.Provider, error) {
	bad := func(field, why string) (handoff.Provider, error) {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	if c.URL == "" {
		c.URL = "https://api.livechatinc.com"
	}
	if c.Accounts == "" {
		c.Accounts = "https://accounts.livechat.com"
	}
	switch {
	case !isHTTP(c.URL):
		return bad("URL", "is no http address")
	case !isHTTP(c.Accounts):
		return bad("Accounts", "is no http address")
	case c.Organization == "":
		return bad("Organization", "is empty")
	case c.ClientID == "":
		return bad("ClientID", "is empty")
	case c.ClientSecret == "":
		return bad("ClientSecret", "is empty")
	case c.RefreshToken == "":
		return bad("RefreshToken", "is empty")
	case len(c.Secrets) == 0:
		return bad("Secrets", "is empty")
	}
	for _, group := range c.Groups {
		if group < 0 {
			return bad("Groups", "has a number below 0")
		}
	}
	var ok bool
	if c.Return, ok = provider.ReturnWord(c.Return); !ok {
		return bad("Return", "has a space in it")
	}
	if c.Name == "" {
		c.Name = "livechat"
	}
	if c.Files == nil {
		c.Files = provider.Guard{}.Client()
	}
	p := &Provider{cfg: c, accounts: provider.Client{Base: strings.TrimSuffix(c.Accounts, "/") + "/v2", HTTP: c.HTTP}}
	p.api = provider.Client{
		Base: strings.TrimSuffix(c.URL, "/") + "/v3.6", HTTP: c.HTTP, Limit: provider.NewLimiter(0, 0), Judge: judge,
		Authorize: func(r *http.Request) error {
			if r.Header.Get("Authorization") != "" {
				return nil // a customer's
			}
			token, err := p.bearer(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
			return err
		},
	}
	if c.Dial != nil {
		return live{p}, nil
	}
	return p, nil
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Position: true, WaitEstimate: true, TypingIn: p.cfg.Dial != nil, TypingOut: true, Files: true, Transfer: true, Notes: true,
			AgentReturns: p.cfg.Return != "", Ticket: true, FindsAttempt: true, SendsOnce: true, ReadsState: true,
		},
	}
}
