package cmcom

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// watch is a chat that is being read.
type watch struct {
	st *state

	mu   sync.Mutex
	guid string        // in Agent Inbox, once it was found
	who  handoff.Party // that has it, as far as is known
}

func (w *watch) known() (guid string, who handoff.Party) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.guid, w.who
}

// look reads the chat in Agent Inbox; nil is not there.
func (p *Provider) look(ctx context.Context, op string, w *watch) (*conversation, error) {
	guid, _ := w.known()
	c, err := p.read(ctx, op, w.st, guid)
	if err != nil || c == nil {
		return nil, err
	}
	who, _ := c.agent()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.guid, w.who = c.GUID, who
	return c, nil
}

// Stream implements [handoff.Streamer]: it asks Agent Inbox about the chat every
// Config.Poll, until it is over. What was told is told again by the next Stream.
// A chat that cannot be found there by an address is not asked for.
func (p *Provider) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	st, err := stateOf("stream", s)
	if err != nil {
		return err
	}
	w := &watch{st: st}
	p.chats.Store(s.Reference, w)
	defer p.chats.CompareAndDelete(s.Reference, w)
	if st.Mail == "" {
		<-ctx.Done()
		return nil
	}
	r := reader{reference: s.Reference}
	tick := time.NewTicker(p.cfg.Poll)
	defer tick.Stop()
	for {
		c, err := p.look(ctx, "stream", w)
		var pe *handoff.ProviderError
		switch {
		case ctx.Err() != nil:
			return nil // nobody wants it any more
		case errors.As(err, &pe) && !pe.Retryable:
			return err
		case c != nil:
			if over, err := r.tell(c, emit); over || err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// reader is one Stream.
type reader struct {
	reference string
	who       handoff.Party // that was told
}

// tell emits what is new, and reports whether the chat is over. Agent Inbox has no
// times of who had it: the number of messages tells one time from the next, and is
// the same for whoever reads.
func (r *reader) tell(c *conversation, emit func(handoff.ProviderEvent) error) (over bool, err error) {
	who, has := c.agent()
	happened := func(kind handoff.ProviderEventKind, agent handoff.Party, id string) error {
		return emit(handoff.ProviderEvent{ID: provider.Name(r.reference + "/" + id), Kind: kind, Reference: r.reference, Agent: agent})
	}
	count := strconv.Itoa(len(c.Said))
	switch {
	case c.isOver():
		if !has {
			who = r.who
		}
		return true, happened(handoff.EventEnded, who, "archived")
	case has && who.ID != r.who.ID:
		err = happened(handoff.EventJoined, who, "joined/"+count+"/"+who.ID)
	case !has && r.who.ID != "":
		err = happened(handoff.EventLeft, r.who, "left/"+count+"/"+r.who.ID)
	}
	if err == nil {
		r.who = who
	}
	return false, err
}
