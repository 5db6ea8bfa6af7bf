package livechat

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// live is a Provider that reads LiveChat's socket, too.
type live struct{ *Provider }

// Stream implements [handoff.Streamer]: it tells who is writing in a chat, and the
// places that it has in the queue, as LiveChat tells its customer. All else comes as
// webhooks. What cannot be had is not told, and is no failure.
func (p live) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	st, err := stateOf("stream", s)
	if err != nil {
		return err
	}
	within, stop := context.WithCancel(ctx)
	defer stop()
	r := listener{p: p.Provider, session: s, state: st, stop: stop, emit: emit}
	if !s.Expires.IsZero() {
		r.until = s.Expires
	}
	query := url.Values{"organization_id": {p.cfg.Organization}}
	(&provider.Socket{
		Dial: p.cfg.Dial, Address: provider.SocketAddress(strings.TrimSuffix(p.cfg.URL, "/")) + "/v3.6/customer/rtm/ws?" + query.Encode(),
		Begin: r.begin, Hear: r.hear, Lost: r.lost, Ping: request{"ping", fields{}},
	}).Run(within)
	if ctx.Err() != nil {
		return nil // nobody wants it any more
	}
	return r.failed
}

var errOver = errors.New("LiveChat has ended the connection")

// listener is one Stream.
type listener struct {
	p       *Provider
	session handoff.Session
	state   state
	until   time.Time // when the token is over; zero is unknown
	lately  provider.Lately
	emit    func(handoff.ProviderEvent) error
	stop    context.CancelFunc
	failed  error // of emit
}

// begin logs the customer in, with another token if this one is over.
func (r *listener) begin(ctx context.Context) ([]any, error) {
	if r.state.Token == "" || !r.until.IsZero() && time.Until(r.until) < time.Minute {
		if r.state.Customer == "" {
			return nil, provider.ErrUnwanted // a token of "" is one of somebody else
		}
		g, err := r.p.impersonate(ctx, "stream", r.state.Customer)
		if err != nil {
			return nil, err
		}
		r.state.Token, r.until = g.Token, g.end()
	}
	return []any{login(r.state.Token)}, nil
}

// hear takes a frame. One that is none of LiveChat's says nothing.
func (r *listener) hear(_ context.Context, message []byte) ([]any, error) {
	var f frame
	if provider.DecodeJSON(message, &f) != nil {
		return nil, nil //nolint:nilerr // as said
	}
	switch f.trouble() {
	case tokenOut:
		r.state.Token = ""
		return nil, errOver
	case unwanted:
		return nil, provider.ErrUnwanted
	case over:
		return nil, errOver
	case fine:
	}
	if ev, ok := f.news(r.session.Reference, time.Now()); ok && r.lately.IsNew(&ev) {
		return nil, r.tell(ev)
	}
	return nil, nil
}

// lost tells that nobody writes, as far as anybody knows.
func (r *listener) lost(context.Context) {
	if ev, ok := r.lately.Stopped(); ok {
		_ = r.tell(ev)
	}
}

// tell emits an event, under the agent's name if it is known. A failure is the end
// of the Stream.
func (r *listener) tell(ev handoff.ProviderEvent) error {
	if name, ok := r.p.names.Load(ev.Agent.ID); ok {
		ev.Agent.Name, _ = name.(string)
	}
	err := r.emit(ev)
	if err != nil {
		r.failed = err
		r.stop()
	}
	return err
}
