package handoff_test

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// A cxPlatform is a scripted Provider in memory. Its chats are r1, r2 and so on.
type cxPlatform struct {
	name    string
	custody handoff.Custody
	one     bool // one reference for all chats of a conversation
	blind   bool // chats cannot be found by our attempt

	mu    sync.Mutex
	chats []*cxChat
	opens int
	reads int

	// Scripts; each may be nil. They run without the lock.
	onOpen func(try int, o handoff.Opening) error // before the chat exists
	opened func(try int) error                    // after it
	onSend func(m handoff.ProviderMessage) error
	onRead func(ref string) (handoff.SessionState, error)
	onEnd  func(ref string) error
}

// A cxChat is a chat on a platform.
type cxChat struct {
	ref, attempt string
	script       []string // the transcript it was opened with
	sent         []string
	closed       bool
	state        handoff.SessionState
}

func newCxPlatform(name string) *cxPlatform {
	return &cxPlatform{name: name, custody: handoff.CustodyQueue}
}

// serve gives the first queue to the platform.
func (p *cxPlatform) serve(c *handoff.Config) {
	c.Providers = append(c.Providers, p)
	c.Queues = slices.Clone(c.Queues)
	c.Queues[0].Providers = append(c.Queues[0].Providers, p.name)
}

func (p *cxPlatform) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{Name: p.name, Custody: p.custody, Can: handoff.Capabilities{
		FindsAttempt: !p.blind, ReadsState: true, OneReference: p.one,
	}}
}

func (p *cxPlatform) Open(_ context.Context, o handoff.Opening) (handoff.Session, error) {
	p.mu.Lock()
	p.opens++
	try := p.opens
	p.mu.Unlock()
	if p.onOpen != nil {
		if err := p.onOpen(try, o); err != nil {
			return handoff.Session{}, err
		}
	}
	p.mu.Lock()
	c := &cxChat{ref: "r" + strconv.Itoa(len(p.chats)+1), attempt: o.Attempt, state: handoff.SessionQueued}
	if p.one {
		c.ref = "of " + o.Handoff.ID.Conversation
	}
	for _, e := range o.Transcript {
		c.script = append(c.script, e.Text)
	}
	p.chats = append(p.chats, c)
	p.mu.Unlock()
	if p.opened != nil {
		if err := p.opened(try); err != nil {
			return handoff.Session{}, err
		}
	}
	return handoff.Session{Reference: c.ref}, nil
}

// chat returns the newest chat with a reference.
func (p *cxPlatform) chat(ref string) *cxChat {
	for _, c := range slices.Backward(p.chats) {
		if c.ref == ref {
			return c
		}
	}
	return &cxChat{}
}

func (p *cxPlatform) Send(_ context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	if p.onSend != nil {
		if err := p.onSend(m); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.chat(s.Reference)
	c.sent = append(c.sent, m.Text)
	return nil
}

func (p *cxPlatform) Close(_ context.Context, s handoff.Session, _ handoff.Reason) error {
	p.mu.Lock()
	end := p.onEnd
	p.mu.Unlock()
	if end != nil {
		if err := end(s.Reference); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chat(s.Reference).closed = true
	return nil
}

func (p *cxPlatform) Find(_ context.Context, attempt string) (handoff.Session, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.chats {
		if c.attempt == attempt && !p.blind {
			return handoff.Session{Reference: c.ref}, true, nil
		}
	}
	return handoff.Session{}, false, nil
}

func (p *cxPlatform) ReadState(_ context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	p.mu.Lock()
	p.reads++
	state := p.chat(s.Reference).state
	p.mu.Unlock()
	if p.onRead != nil {
		var err error
		if state, err = p.onRead(s.Reference); err != nil {
			return state, handoff.Party{}, err
		}
	}
	return state, handoff.Party{ID: "zoe", Name: "Zoe"}, nil
}

func (p *cxPlatform) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{}, nil
}

// now is what a chat looks like.
func (p *cxPlatform) now(ref string) cxChat {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *p.chat(ref)
}

// all returns what the agent of a chat has seen: the transcript and what was
// sent.
func (p *cxPlatform) all(ref string) []string {
	c := p.now(ref)
	return append(slices.Clone(c.script), c.sent...)
}

// ends sets what becomes of a chat that is to be closed, while the engine runs.
func (p *cxPlatform) ends(f func(ref string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onEnd = f
}

// stands sets what the platform says of a chat.
func (p *cxPlatform) stands(ref string, s handoff.SessionState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chat(ref).state = s
}

// size returns how many chats were opened.
func (p *cxPlatform) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.chats)
}

// cxEvent is something that the platform tells.
func cxEvent(kind handoff.ProviderEventKind, ref, id string) handoff.ProviderEvent {
	return handoff.ProviderEvent{ID: id, Reference: ref, Kind: kind, Agent: handoff.Party{ID: "zoe", Name: "Zoe"}}
}
