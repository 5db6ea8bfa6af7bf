// Package multi makes one provider of several platforms: a queue, or a rule of
// the host, says which of them gets a chat, and in what order the others are
// tried when it cannot have it.
//
// The engine itself goes on to a queue's next provider when one has failed for
// good or had its time (Queue.Providers). Use this package where the choice
// depends on more than the queue, or where a platform that is down should be
// passed over at once.
//
// A chat stays on the platform that opened it. Webhooks are told apart by
// their path: its last element is the platform's name.
//
//	http.Handle("/hooks/chatwoot", provider.Handler(engine, "multi"))
//	http.Handle("/hooks/slack", provider.Handler(engine, "multi"))
package multi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Config names the platforms.
type Config struct {
	Name string // of the provider; default "multi"

	// Providers are the platforms, the best first. All have the custody
	// CustodyQueue.
	Providers []handoff.Provider

	// Queues names the platforms of a queue, in the order in which they are
	// tried; a queue without an entry has all of them.
	Queues map[string][]string

	// Choose, if it is not nil, says the same for one handoff. An empty list,
	// and names that are not among Providers, leave the choice to Queues.
	Choose func(h *handoff.Handoff) []string
}

// A Provider is several platforms. It has every ability. Where the platform
// of a chat lacks one, it does what the engine does without: signals are lost,
// a note is refused, a state is unknown.
type Provider struct {
	cfg  Config
	info handoff.ProviderInfo
	by   map[string]handoff.Provider
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
	_ handoff.BotReturner         = (*Provider)(nil)
	_ handoff.Refresher           = (*Provider)(nil)
	_ handoff.Streamer            = reading{}
)

// reading is a Provider of which some platform has to be read.
type reading struct{ *Provider }

// New returns a provider: a *Provider, which is a [handoff.Streamer] too if one
// of the platforms is. A Config that cannot work is a *[handoff.InvalidError].
func New(c Config) (handoff.Provider, error) {
	if c.Name == "" {
		c.Name = "multi"
	}
	if len(c.Providers) == 0 {
		return nil, &handoff.InvalidError{Field: "Config.Providers", Why: "is empty"}
	}
	p := &Provider{cfg: c, by: map[string]handoff.Provider{}, info: handoff.ProviderInfo{
		Name: c.Name, Custody: handoff.CustodyQueue,
		Can: handoff.Capabilities{
			Availability: true, TypingOut: true, Notes: true, ReturnToBot: true, Ticket: true, FindsAttempt: true, ReadsState: true,
			Files: true, SendsOnce: true, NativeHistory: true, AgentReturns: true, // unless one of them lacks it
		},
	}}
	streams := false
	for i, in := range c.Providers {
		field := fmt.Sprintf("Config.Providers[%d]", i)
		if in == nil {
			return nil, &handoff.InvalidError{Field: field, Why: "is nil"}
		}
		info := in.Info()
		switch {
		case info.Name == "" || strings.ContainsAny(info.Name, ":/"):
			return nil, &handoff.InvalidError{Field: field + ".Name", Why: "is empty, or has a colon or a slash"}
		case p.by[info.Name] != nil:
			return nil, &handoff.InvalidError{Field: field + ".Name", Why: "occurs twice"}
		case info.Custody != handoff.CustodyQueue:
			return nil, &handoff.InvalidError{Field: field + ".Custody", Why: "is not CustodyQueue"}
		}
		p.by[info.Name] = in
		p.add(info)
		_, ok := in.(handoff.Streamer)
		streams = streams || ok
	}
	for queue, names := range c.Queues {
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return p.by[n] == nil }) {
			return nil, &handoff.InvalidError{Field: "Config.Queues[" + queue + "]", Why: "is empty, or names one that is not among Providers"}
		}
	}
	if streams {
		return reading{p}, nil
	}
	return p, nil
}

// add works out what all of them can do.
func (p *Provider) add(in handoff.ProviderInfo) {
	can, its := &p.info.Can, &in.Can
	can.Files, can.SendsOnce, can.NativeHistory = can.Files && its.Files, can.SendsOnce && its.SendsOnce, can.NativeHistory && its.NativeHistory
	can.AgentReturns = can.AgentReturns && its.AgentReturns
	can.Position, can.WaitEstimate = can.Position || its.Position, can.WaitEstimate || its.WaitEstimate
	can.TypingIn, can.Transfer, can.OneReference = can.TypingIn || its.TypingIn, can.Transfer || its.Transfer, can.OneReference || its.OneReference
	can.NamesOnly = can.NamesOnly || its.NamesOnly
	if in.MaxBytes > 0 && (p.info.MaxBytes == 0 || in.MaxBytes < p.info.MaxBytes) {
		p.info.MaxBytes = in.MaxBytes
	}
}

// Info implements [handoff.Provider].
func (p *Provider) Info() handoff.ProviderInfo { return p.info }

// order returns the platforms that may have a handoff, in order.
func (p *Provider) order(h *handoff.Handoff) []handoff.Provider {
	var names []string
	if p.cfg.Choose != nil {
		names = p.cfg.Choose(h)
	}
	var out []handoff.Provider
	for _, list := range [][]string{names, p.cfg.Queues[h.Need.Queue]} {
		for _, name := range list {
			if in := p.by[name]; in != nil {
				out = append(out, in)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return p.cfg.Providers
}

// outer turns a platform's session into ours.
func outer(in handoff.Provider, s handoff.Session) handoff.Session {
	s.Reference = in.Info().Name + ":" + s.Reference
	return s
}

// inner finds the platform of a session.
func (p *Provider) inner(op string, s handoff.Session) (handoff.Provider, handoff.Session, error) {
	name, reference, ok := strings.Cut(s.Reference, ":")
	in := p.by[name]
	if !ok || in == nil {
		return nil, s, &handoff.ProviderError{Op: op, Status: http.StatusNotFound, Code: "unknown_platform", Err: errUnknown}
	}
	s.Reference = reference
	return in, s, nil
}

var errUnknown = errors.New("multi: there is no such platform")

// Open implements [handoff.Provider]: the first platform that opens the chat
// has it. One that may have opened it without saying so is asked before the
// next is tried; if it does not answer, Open fails and is called again.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	var last error
	for _, in := range p.order(&o.Handoff) {
		s, err := in.Open(ctx, o)
		if err == nil {
			return outer(in, s), nil
		}
		last = err
		var pe *handoff.ProviderError
		if errors.As(err, &pe) && !pe.Ambiguous {
			continue
		}
		f, ok := in.(handoff.Finder)
		if !ok {
			return handoff.Session{}, err
		}
		s, found, ferr := f.Find(ctx, o.Attempt)
		switch {
		case ferr != nil:
			return handoff.Session{}, err
		case found && !s.Partial:
			return outer(in, s), nil
		case found:
			return handoff.Session{}, err // begun there: the next call goes on
		}
	}
	return handoff.Session{}, last
}

// Find implements [handoff.Finder].
func (p *Provider) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	var errs []error
	for _, in := range p.cfg.Providers {
		f, ok := in.(handoff.Finder)
		if !ok {
			continue
		}
		s, found, err := f.Find(ctx, attempt)
		if found && err == nil {
			return outer(in, s), true, nil
		}
		errs = append(errs, err)
	}
	for _, err := range errs {
		if err != nil {
			return handoff.Session{}, false, err
		}
	}
	return handoff.Session{}, false, nil
}

// Send implements [handoff.Provider].
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	in, s, err := p.inner("send", s)
	if err != nil {
		return err
	}
	return in.Send(ctx, s, m)
}

// Close implements [handoff.Provider].
func (p *Provider) Close(ctx context.Context, s handoff.Session, why handoff.Reason) error {
	in, s, err := p.inner("close", s)
	if err != nil {
		return nil //nolint:nilerr // no chat of ours
	}
	return in.Close(ctx, s, why)
}

// Receive implements [handoff.Receiver]: the last element of the path names
// the platform. It may be missing if only one takes webhooks.
func (p *Provider) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	in := p.by[path.Base(w.Path)]
	rc, ok := in.(handoff.Receiver)
	if !ok {
		var all []handoff.Provider
		for _, q := range p.cfg.Providers {
			if _, ok := q.(handoff.Receiver); ok {
				all = append(all, q)
			}
		}
		if in != nil || len(all) != 1 {
			return provider.Refuse(http.StatusNotFound, "unknown_platform")
		}
		in = all[0]
		rc, _ = in.(handoff.Receiver)
	}
	events, reply, err := rc.Receive(ctx, w)
	for i := range events {
		outerEvent(in, &events[i])
	}
	return events, reply, err
}

func outerEvent(in handoff.Provider, ev *handoff.ProviderEvent) {
	name := in.Info().Name + ":"
	if ev.Reference != "" {
		ev.Reference = name + ev.Reference
	}
	if ev.ID != "" {
		ev.ID = name + ev.ID
	}
}

// Stream implements [handoff.Streamer].
func (p reading) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	in, s, err := p.inner("stream", s)
	st, ok := in.(handoff.Streamer)
	if err != nil || !ok {
		<-ctx.Done() // it sends webhooks
		return err
	}
	return st.Stream(ctx, s, func(ev handoff.ProviderEvent) error {
		if ev.Reference == "" {
			ev.Reference = s.Reference
		}
		outerEvent(in, &ev)
		return emit(ev)
	})
}
