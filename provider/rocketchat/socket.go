package rocketchat

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// Stream implements [handoff.Streamer]: it tells the place of a room that waits,
// as often as it changes, and what the socket tells if there is one: how long the
// wait is, and who is writing. All else comes as webhooks. What cannot be had is
// unknown, and no failure.
func (p *Provider) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	within, stop := context.WithCancel(ctx)
	defer stop()
	r := listener{p: p, room: s.Reference, news: make(chan news, 16)}
	if p.cfg.Dial != nil {
		var err error
		if r.state, err = stateOf("stream", s); err != nil {
			return err
		}
		r.mouth = p.mouths.open(r.room)
		defer p.mouths.close(r.room, r.mouth)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { r.poll(within) })
	if p.cfg.Dial != nil {
		wg.Go(func() { r.socket().Run(within) })
	}
	for known := (view{}); ; {
		select {
		case <-ctx.Done():
			return nil // nobody wants it any more
		case n := <-r.news:
			if !known.isNew(&n) {
				continue
			}
			if err := emit(n.ev); err != nil {
				return err
			}
		}
	}
}

// news is something that was heard or read.
type news struct {
	ev   handoff.ProviderEvent // without a kind: the socket was lost
	read bool                  // from the list, which knows no waits
}

// poll reads the place of the room until ctx ends: first of all with the wait, since
// users are told a place once.
func (r *listener) poll(ctx context.Context) {
	r.ask(ctx)
	tick := time.NewTicker(max(r.p.cfg.Poll/4, time.Second))
	defer tick.Stop()
	for {
		if n := r.p.place(ctx, r.room); n > 0 {
			r.tell(ctx, news{placed(r.room, n, 0, time.Now()), true})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// view is what one Stream has told.
type view struct {
	lately provider.Lately
	place  int
	spot   time.Time // when the socket told a place; zero: it has not
}

// spotLasts is how long a place that the socket told is the one: it is told again when
// it changes, and of a room that is no longer in the queue not at all.
const spotLasts = time.Minute

// isNew reports whether n is to be told, and as what.
func (v *view) isNew(n *news) bool {
	switch {
	case n.read:
		if n.ev.Position == v.place || time.Since(v.spot) < spotLasts {
			return false
		}
		v.place = n.ev.Position
	case n.ev.Kind == "":
		v.spot = time.Time{}
		var writes bool
		n.ev, writes = v.lately.Stopped()
		return writes
	case n.ev.Kind == handoff.EventQueued:
		v.place, v.spot = n.ev.Position, time.Now()
	}
	return v.lately.IsNew(&n.ev)
}

// listener hears what the socket tells the visitor of a room.
type listener struct {
	p      *Provider
	room   string
	state  state
	news   chan news
	before bool   // there was a connection
	mouth  *mouth // for what is said besides; nil: there is no socket
}

func (r *listener) socket() *provider.Socket {
	return &provider.Socket{
		Dial: r.p.cfg.Dial, Address: provider.SocketAddress(r.p.api.Base) + "/websocket",
		Begin: r.begin, Hear: r.hear, Lost: func(ctx context.Context) { r.mouth.connected(false); r.tell(ctx, news{}) },
		Say: r.mouth.next, Ping: word{Msg: "ping"}, Leave: unsubscriptions(),
	}
}

// begin begins again where the room stands now: the socket tells changes alone.
func (r *listener) begin(ctx context.Context) ([]any, error) {
	if r.before {
		r.ask(ctx)
	}
	r.before = true
	return []any{word{Msg: "connect", Version: "1", Support: []string{"1"}}}, nil
}

// hear takes a frame. One that is none of Rocket.Chat's says nothing.
func (r *listener) hear(ctx context.Context, message []byte) ([]any, error) {
	const most = 64 // bytes of an id
	var f frame
	if provider.DecodeJSON(message, &f) != nil {
		return nil, nil //nolint:nilerr // as said
	}
	switch f.Msg {
	case "ping":
		if len(f.ID) > most {
			f.ID = nil
		}
		return []any{word{Msg: "pong", ID: f.ID}}, nil
	case "connected":
		r.mouth.connected(true)
		return subscriptions(r.room, r.state.Token), nil
	case "failed": // it speaks another version
		return nil, provider.ErrUnwanted
	}
	if ev, ok := f.news(r.room, r.state.name(), time.Now()); ok {
		r.tell(ctx, news{ev: ev})
	}
	return nil, nil
}

// tell hands news on. That somebody writes is not worth waiting for.
func (r *listener) tell(ctx context.Context, n news) {
	if n.ev.Kind == handoff.EventTyping {
		select {
		case r.news <- n:
		default:
		}
		return
	}
	select {
	case r.news <- n:
	case <-ctx.Done():
	}
}

// ask asks for the place of the visitor and how long he waits, if there is a socket
// to tell what comes after, and Rocket.Chat estimates it.
func (r *listener) ask(ctx context.Context) {
	if r.state.Token == "" {
		return
	}
	const most = 5 * time.Second
	within, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var got struct {
		Config struct {
			Room struct {
				ID string `json:"_id"`
			} `json:"room"`
			Queue queueData `json:"queueInfo"`
		} `json:"config"`
	}
	err := r.p.api.Do(within, provider.Call{Op: "wait", Path: api + "config", Query: url.Values{"token": {r.state.Token}}}, &got)
	if err != nil || got.Config.Room.ID != r.room {
		return
	}
	if ev, ok := got.Config.Queue.event(r.room, time.Now()); ok {
		r.tell(ctx, news{ev: ev})
	}
}
