package modeltest_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// A floor says who works here and who is there.
type floor struct {
	w      *world
	mu     sync.Mutex
	agents map[string]handoff.Agent
	status map[string]handoff.Status
	broken bool
}

func (f *floor) put(a handoff.Agent, online bool) {
	f.mu.Lock()
	f.agents[a.ID] = a
	st := f.status[a.ID]
	want := handoff.Offline
	if online {
		want = handoff.Online
	}
	if st.Availability != want {
		st = handoff.Status{Agent: a.ID, Availability: want, Since: time.Now()}
	}
	f.status[a.ID] = st
	f.mu.Unlock()
	f.w.staff.Set(time.Now(), a.ID, a.Seats, online)
}

func (f *floor) get(id string) (handoff.Agent, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.agents[id], f.status[id].Availability == handoff.Online
}

func (f *floor) Get(_ context.Context, id string) (handoff.Agent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, ok := f.agents[id]
	if !ok {
		return a, handoff.ErrNotFound
	}
	return a, nil
}

func (f *floor) List(_ context.Context, queue string) ([]handoff.Agent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []handoff.Agent
	for _, id := range slices.Sorted(maps.Keys(f.agents)) {
		if a := f.agents[id]; queue == "" || slices.Contains(a.Queues, queue) {
			out = append(out, a)
		}
	}
	return out, nil
}

func (f *floor) Agents(_ context.Context, ids []string, _ time.Time) ([]handoff.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		return nil, errors.New("presence cannot be read")
	}
	out := make([]handoff.Status, len(ids))
	for i, id := range ids {
		out[i] = f.status[id]
		out[i].Agent = id
	}
	return out, nil
}

// hours can be closed.
type hours struct {
	mu     sync.Mutex
	closed bool
}

func (h *hours) At(t time.Time) (bool, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.closed, t.Add(time.Hour)
}

func (h *hours) set(closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = closed
}

// users is the channel.
type users struct {
	w       *world
	mu      sync.Mutex
	touched map[string]bool
}

func (u *users) Show(ctx context.Context, conversation string, m handoff.UserMessage) error {
	u.w.ledger.Try(conversation, m)
	if u.w.percent(u.w.now().channel) {
		switch u.w.intn(4) {
		case 0:
			return &handoff.DeliveryError{Permanent: true, Code: "refused", Err: errors.New("refused")}
		case 1:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(u.w.intn(7000)) * time.Millisecond):
			}
		case 2:
			return errors.New("try again")
		default:
			u.saw(conversation, m)
			return errors.New("shown, but the answer was lost")
		}
	}
	u.saw(conversation, m)
	return nil
}

func (u *users) saw(conversation string, m handoff.UserMessage) {
	u.w.ledger.Show(conversation, m)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.touched == nil {
		u.touched = map[string]bool{}
	}
	u.touched[conversation] = true
}

func (u *users) take() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := slices.Sorted(maps.Keys(u.touched))
	clear(u.touched)
	return out
}

// ShowChunk shows a bit of a streamed reply.
func (u *users) ShowChunk(_ context.Context, conversation string, c handoff.Chunk) error {
	if t := check.Of(c.Text); t != "" && t != conversation {
		u.w.fail("a chunk %q was shown in %s", c.Text, conversation)
	}
	if u.w.percent(u.w.now().channel) {
		return errors.New("no chunks now")
	}
	return nil
}

// bot is called back, and keeps the turns that it was given.
type bot struct {
	w     *world
	mu    sync.Mutex
	turns []handoff.Turn
	seen  map[string]bool
}

// keep remembers a turn. Old ones are used too.
func (b *bot) keep(t handoff.Turn) {
	if !t.Open() {
		return
	}
	b.w.ledger.Ask(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns = append(b.turns, t)
	if len(b.turns) > 40 {
		b.turns = b.turns[1:]
	}
}

// turn returns a turn of a conversation, mostly the newest.
func (b *bot) turn(conversation string, back int) (handoff.Turn, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.turns) - 1; i >= 0; i-- {
		if b.turns[i].Conversation == conversation {
			if back--; back < 0 {
				return b.turns[i], true
			}
		}
	}
	return handoff.Turn{}, false
}

func (b *bot) Call(ctx context.Context, c handoff.BotCall) error {
	if c.Turn.Open() && c.Turn.Conversation != c.Handoff.ID.Conversation {
		b.w.fail("the bot got a turn of %s with a call about %v", c.Turn.Conversation, c.Handoff.ID)
	}
	for _, m := range c.Turn.Messages {
		if t := check.Of(m.Text); t != "" && t != c.Turn.Conversation {
			b.w.fail("the bot got %q in %s", m.Text, c.Turn.Conversation)
		}
	}
	if b.w.percent(b.w.now().bot) {
		switch b.w.intn(3) {
		case 0:
			return errors.New("the bot is down")
		case 1:
			b.keep(c.Turn) // takes it, and never answers by itself
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(b.w.intn(6000)) * time.Millisecond):
		}
	}
	b.keep(c.Turn)
	if !c.Turn.Open() || (!b.w.isCalm() && b.w.intn(3) > 0) {
		return nil
	}
	n := b.w.node(b.w.intn(replicas))
	_, err := n.e.Reply(ctx, c.Turn, handoff.Message{ID: "call", Text: check.Mark(c.Turn.Conversation, "called")})
	if errors.Is(err, handoff.ErrStale) {
		return nil
	}
	return err
}

func (w *world) isCalm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calm
}

func (w *world) node(i int) *node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[i]
}

// platform is where other agents work.
type platform struct {
	w       *world
	name    string
	custody handoff.Custody

	mu     sync.Mutex
	chats  map[string]*vendorChat // by attempt
	events []handoff.ProviderEvent
	n      int
}

type vendorChat struct {
	n                          int
	ref, attempt, conversation string
	id                         handoff.ID
	said                       int64           // the last entry of the transcript
	last                       int64           // the last entry that was sent
	sent                       map[string]bool // by the entries' ids
	state                      handoff.SessionState
	agent                      string
}

func (p *platform) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{Name: p.name, Custody: p.custody, Can: handoff.Capabilities{FindsAttempt: true, ReadsState: true, Position: true}}
}

func (p *platform) trouble(ctx context.Context, op string) (before, after error) {
	if !p.w.percent(p.w.now().platform) {
		return nil, nil
	}
	switch p.w.intn(5) {
	case 0:
		return &handoff.ProviderError{Op: op, Status: 503, Retryable: true, Err: errors.New("busy")}, nil
	case 1:
		return &handoff.ProviderError{Op: op, Status: 400, Err: errors.New("no")}, nil
	case 2:
		return nil, &handoff.ProviderError{Op: op, Ambiguous: true, Retryable: true, Err: errors.New("cut off")}
	case 3:
		select {
		case <-ctx.Done():
			return ctx.Err(), nil
		case <-time.After(time.Duration(p.w.intn(7000)) * time.Millisecond):
		}
		return nil, nil
	}
	return nil, errors.New("reset by peer")
}

func (p *platform) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	before, after := p.trouble(ctx, "open")
	if before != nil {
		return handoff.Session{}, before
	}
	if p.w.intn(2) == 0 { // a chat takes its time
		select {
		case <-ctx.Done():
			return handoff.Session{}, ctx.Err()
		case <-time.After(time.Duration(p.w.intn(4500)) * time.Millisecond):
		}
	}
	for i := range o.Transcript {
		if t := check.Of(o.Transcript[i].Text); t != "" && t != o.Handoff.ID.Conversation {
			p.w.fail("%s got %q in the transcript of %v", p.name, o.Transcript[i].Text, o.Handoff.ID)
		}
		if o.Transcript[i].Kind == handoff.KindNote {
			p.w.fail("%s got a note in the transcript of %v", p.name, o.Handoff.ID)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.chats[o.Attempt]
	if c == nil {
		p.n++
		c = &vendorChat{id: o.Handoff.ID, sent: map[string]bool{}, n: p.n, ref: p.name + strconv.Itoa(p.n), attempt: o.Attempt, conversation: o.Handoff.ID.Conversation, state: handoff.SessionQueued}
		for i := range o.Transcript {
			c.said = max(c.said, o.Transcript[i].Seq)
		}
		p.chats[o.Attempt] = c
		p.emit(c, handoff.ProviderEvent{Kind: handoff.EventQueued, Position: 1 + p.n%4, Wait: time.Duration(p.n%3) * time.Minute})
	}
	return handoff.Session{Reference: c.ref}, after
}

// emit puts an event on its way. p.mu is held.
func (p *platform) emit(c *vendorChat, ev handoff.ProviderEvent) {
	p.n++
	ev.ID, ev.Reference, ev.At = p.name+"e"+strconv.Itoa(p.n), c.ref, time.Now()
	if p.w.intn(3) == 0 {
		ev.Attempt = c.attempt
	}
	ev.Conversation = c.conversation
	p.events = append(p.events, ev)
	if len(p.events) > 30 {
		p.events = p.events[1:]
	}
}

func (p *platform) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	before, after := p.trouble(ctx, "send")
	if before != nil {
		return before
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.find(s.Reference)
	if c == nil {
		p.w.fail("%s got a message for a chat that it does not have", p.name)
	} else if t := check.Of(m.Text); t != "" && t != c.conversation {
		p.w.fail("%s got %q in a chat of %s", p.name, m.Text, c.conversation)
	}
	if c != nil && c.id.Number > 0 && !c.sent[m.ID] {
		en, err := p.w.mem.Entry(ctx, c.id, m.ID)
		_, gone := p.w.mem.Get(ctx, c.id)
		switch {
		case errors.Is(gone, handoff.ErrNotFound): // erased while it was on its way
		case err != nil:
			p.w.fail("%v: only the log is sent (3): %s: %v", c.id, m.ID, err)
		case en.Seq <= c.said || en.Seq <= c.last:
			p.w.fail("%v: a platform gets everything once and in order (12, c10, c11): entry %d after %d, transcript to %d", c.id, en.Seq, c.last, c.said)
		default:
			c.sent[m.ID], c.last = true, en.Seq
		}
	}
	if m.From.Role != handoff.RoleUser && m.From.Role != handoff.RoleBot {
		p.w.fail("%s got a message of %s", p.name, m.From.Role)
	}
	return after
}

func (p *platform) find(ref string) *vendorChat {
	for _, c := range p.chats {
		if c.ref == ref {
			return c
		}
	}
	return nil
}

func (p *platform) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	before, after := p.trouble(ctx, "close")
	var pe *handoff.ProviderError
	if errors.As(before, &pe) && !pe.Retryable {
		before = nil // a close that is refused for good leaves the chat open: that is the platform's affair
	}
	if before != nil {
		return before
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.find(s.Reference); c != nil && c.state != handoff.SessionEnded {
		c.state = handoff.SessionEnded
		if p.w.intn(2) == 0 {
			p.emit(c, handoff.ProviderEvent{Kind: handoff.EventEnded})
		}
	}
	return after
}

func (p *platform) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	before, after := p.trouble(ctx, "find")
	if err := errors.Join(before, after); err != nil {
		return handoff.Session{}, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.chats[attempt]
	if c == nil {
		return handoff.Session{}, false, nil
	}
	return handoff.Session{Reference: c.ref}, true, nil
}

func (p *platform) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	before, after := p.trouble(ctx, "read")
	if err := errors.Join(before, after); err != nil {
		return "", handoff.Party{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.find(s.Reference)
	if c == nil {
		return handoff.SessionEnded, handoff.Party{}, nil
	}
	return c.state, handoff.Party{Role: handoff.RoleAgent, ID: c.agent, Name: c.agent}, nil
}

// Available says that somebody is there.
func (p *platform) Available(context.Context, handoff.Need) (handoff.Availability, error) {
	return handoff.Online, nil
}

// Receive decodes a webhook: the events as JSON.
func (p *platform) Receive(_ context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	var out []handoff.ProviderEvent
	return out, handoff.WebhookReply{}, json.Unmarshal(w.Body, &out)
}
