package rocketchat

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names a workspace of Rocket.Chat.
type Config struct {
	Name string // of the provider; default "rocketchat"

	URL string // of the workspace: https://chat.example.org

	// User and Token are the id and a personal access token of a user who may
	// see omnichannel rooms (the role livechat-manager).
	User, Token string

	// Secrets are the omnichannel's secret token, which every webhook carries.
	// Two while it is changed.
	Secrets []string

	// Departments maps queues to ids of departments. A queue without one goes
	// to the public queue.
	Departments map[string]string

	// Mail stands in the offline form for users who have no address; default
	// [NoMail]. A workspace that checks the form's addresses wants one whose
	// domain takes mail.
	Mail string

	// Return is the word with which an agent's message gives the conversation
	// back to the bot: what stands behind it is for the bot. Default
	// [provider.DefaultReturn]; [provider.NoReturn] is none.
	Return string

	// Redact removes from the transcript what Rocket.Chat must not get; nil
	// removes nothing.
	Redact func(text string) string

	// Sorting is the order in which Rocket.Chat serves who waits; default
	// [SortTimestamp]. Places are counted by it.
	Sorting Sorting

	// Poll is how often the places of all who wait are read; default
	// [DefaultPoll].
	Poll time.Duration

	HTTP *http.Client // nil: a sensible one

	// Files fetches the files that users send, to pass them on. Nil: a client
	// that only reaches public addresses; see provider.Guard.
	Files *http.Client

	// Dial opens Rocket.Chat's socket, one for each room that is open, in the name of
	// its visitor. Agents who write, and how long somebody waits, are told there alone,
	// and so is it to agents that the user writes. Nil: none of that is told. Package
	// provider/websocket, a module of its own, has one.
	Dial provider.Dialer
}

// MaxBytes is the longest message: Rocket.Chat takes 5,000 characters unless
// its administrator changes that.
const MaxBytes = 5000

// A Provider connects an engine with a workspace of Rocket.Chat.
type Provider struct {
	cfg  Config
	api  provider.Client
	line line

	mouths mouths // of rooms whose Stream runs
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Streamer            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Ticketer            = (*Provider)(nil)
)

// New returns a provider: with Dial one that is a [handoff.Typist] too, without a
// *[Provider]. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (handoff.Provider, error) {
	bad := func(field, why string) (handoff.Provider, error) {
		return nil, &handoff.InvalidError{Field: "Config." + field, Why: why}
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return bad("URL", "is no http address")
	case c.User == "":
		return bad("User", "is empty")
	case c.Token == "":
		return bad("Token", "is empty")
	case len(c.Secrets) == 0:
		return bad("Secrets", "is empty")
	case c.Sorting != "" && c.Sorting.query() == "":
		return bad("Sorting", "is unknown")
	case c.Poll < 0:
		return bad("Poll", "is negative")
	}
	var ok bool
	if c.Return, ok = provider.ReturnWord(c.Return); !ok {
		return bad("Return", "has a space in it")
	}
	if c.Name == "" {
		c.Name = "rocketchat"
	}
	c.Sorting, c.Poll = cmp.Or(c.Sorting, SortTimestamp), cmp.Or(c.Poll, DefaultPoll)
	if c.Mail == "" {
		c.Mail = NoMail
	}
	if c.Files == nil {
		c.Files = provider.Guard{}.Client()
	}
	p := &Provider{cfg: c, api: provider.Client{
		Base: strings.TrimSuffix(c.URL, "/"), HTTP: c.HTTP, Judge: judge,
		Authorize: func(r *http.Request) error {
			if strings.HasSuffix(r.URL.Path, "/rooms.info") || strings.HasSuffix(r.URL.Path, "/inquiries.list") { // everything else is the visitor's, who has a token of his own
				r.Header.Set("X-User-Id", c.User)
				r.Header.Set("X-Auth-Token", c.Token)
			}
			return nil
		},
	}}
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
			Availability: true, Position: true, WaitEstimate: p.cfg.Dial != nil, TypingIn: p.cfg.Dial != nil,
			TypingOut: p.cfg.Dial != nil, Files: true, Transfer: true, AgentReturns: p.cfg.Return != "", Ticket: true, FindsAttempt: true, SendsOnce: true, ReadsState: true,
		},
	}
}
