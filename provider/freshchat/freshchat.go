package freshchat

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names an account of Freshchat.
type Config struct {
	Name string // of the provider; default "freshchat"

	URL   string // of the account's interface: https://acme.freshchat.com/v2
	Token string // API token

	// Agent is the id of an agent in whose name the adapter writes notes and
	// what the bot says. What this agent does is taken for ours: use one that
	// nobody works as.
	Agent string

	// Channel is the id of the channel (the topic) in which conversations are
	// opened.
	Channel string

	// Keys are the RSA public keys that the account's webhooks are verified
	// with, as its settings show them. Two while one is changed.
	Keys []string

	// Groups maps queues to ids of groups. A queue without one goes to nobody
	// in particular.
	Groups map[string]string

	// FirstWords begin each conversation, in the user's name: Freshchat has none
	// without. What was really said follows in a note. Default "I would like to
	// talk to a person."
	FirstWords string

	// Return is the word with which an agent's message or note gives the
	// conversation back to the bot: what stands behind it is for the bot. Default
	// [provider.DefaultReturn]; [provider.NoReturn] is none.
	Return string

	// Redact removes from the transcript what Freshchat must not get; nil
	// removes nothing.
	Redact func(text string) string

	HTTP *http.Client // nil: a sensible one
}

// MaxBytes is the longest message that the adapter sends.
const MaxBytes = 5000

// A Provider connects an engine with an account of Freshchat.
type Provider struct {
	cfg  Config
	keys []*rsa.PublicKey
	api  provider.Client

	names sync.Map // of agents, by id: webhooks have none
}

var (
	_ handoff.Provider            = (*Provider)(nil)
	_ handoff.Receiver            = (*Provider)(nil)
	_ handoff.Finder              = (*Provider)(nil)
	_ handoff.StateReader         = (*Provider)(nil)
	_ handoff.AvailabilityChecker = (*Provider)(nil)
	_ handoff.Noter               = (*Provider)(nil)
)

func bad(field, why string) error {
	return &handoff.InvalidError{Field: "Config." + field, Why: why}
}

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// New returns a provider. It does no I/O. A Config that cannot work is a
// *[handoff.InvalidError].
func New(c Config) (*Provider, error) {
	switch {
	case !isHTTP(c.URL):
		return nil, bad("URL", "is no http address")
	case c.Token == "":
		return nil, bad("Token", "is empty")
	case c.Agent == "":
		return nil, bad("Agent", "is empty")
	case c.Channel == "":
		return nil, bad("Channel", "is empty")
	case len(c.Keys) == 0:
		return nil, bad("Keys", "is empty")
	}
	var keys []*rsa.PublicKey
	for _, text := range c.Keys {
		key, err := parseKey(text)
		if err != nil {
			return nil, bad("Keys", "has one that is no RSA public key")
		}
		keys = append(keys, key)
	}
	var ok bool
	if c.Return, ok = provider.ReturnWord(c.Return); !ok {
		return nil, bad("Return", "has a space in it")
	}
	if c.Name == "" {
		c.Name = "freshchat"
	}
	if c.FirstWords == "" {
		c.FirstWords = "I would like to talk to a person."
	}
	return &Provider{cfg: c, keys: keys, api: provider.Client{
		Base: strings.TrimSuffix(c.URL, "/"), HTTP: c.HTTP, Limit: provider.NewLimiter(0, 0),
		Authorize: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+c.Token)
			return nil
		},
	}}, nil
}

var errKey = errors.New("freshchat: no RSA public key")

// parseKey reads a key as Freshchat shows it: on one line, and called an RSA
// PUBLIC KEY where it is a PUBLIC KEY in the words of RFC 7468.
func parseKey(text string) (*rsa.PublicKey, error) {
	text = strings.TrimSpace(text)
	if armour := strings.Split(text, "-----"); len(armour) == 5 {
		text = armour[2]
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, errKey
	}
	if public, err := x509.ParsePKIXPublicKey(der); err == nil {
		if key, ok := public.(*rsa.PublicKey); ok {
			return key, nil
		}
		return nil, errKey
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil, errKey
	}
	return key, nil
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: p.cfg.Name, Custody: handoff.CustodyQueue, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Files: true, Transfer: true, Notes: true, AgentReturns: p.cfg.Return != "", FindsAttempt: true, ReadsState: true,
		},
	}
}
