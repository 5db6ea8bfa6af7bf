package inmem

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Options say what kind of platform it is. The zero value is one that queues
// and tells by webhooks.
type Options struct {
	Name    string          // of the provider; default "inmem"
	Custody handoff.Custody // default CustodyQueue

	// Streams makes a platform that has to be read: it sends no webhooks, and
	// its provider is a Streamer.
	Streams bool

	// OneReference makes the platform use one reference for all chats of a
	// conversation, as some do.
	OneReference bool

	// NamesOnly makes the platform tell its agents by name, without ids.
	NamesOnly bool

	// ReturnWord makes agents give a chat back to the bot by writing this word, for
	// want of another way; see provider.Returned.
	ReturnWord string

	// TokenLife is how long a session's token is good before it has to be
	// renewed. Zero is for ever.
	TokenLife time.Duration

	Secret   string // signs webhooks; default: a random one
	MaxBytes int    // longest message it takes; 0 is no limit
}

// A Platform is a help desk with queue, agents and webhooks, in memory. Its
// methods are what happens there: script it as a test or a demo needs. They
// may be called concurrently. Chats are named by their references; what cannot
// happen to a chat, or to one that is not there, is ignored.
type Platform struct {
	opt Options

	mu       sync.Mutex
	chats    []*chat
	tickets  map[string]string
	outbox   []handoff.Webhook
	changed  chan struct{} // closed at each event
	events   int
	away     bool
	failure  Failure
	failing  []string
	attempts map[string]int // calls by operation
}

// A Chat is what the platform knows of a chat.
type Chat struct {
	Reference    string
	Attempt      string
	Conversation string
	State        handoff.SessionState
	Agent        handoff.Party
	Note         string    // that it was opened with
	Messages     []Message // the transcript, and then what was said here
	Notes        []string
	UserTypes    bool // the user is writing
}

// A Message is one in a Chat.
type Message struct {
	ID    string
	From  handoff.Party
	Text  string
	Files []handoff.File
	Past  bool // it was in the transcript
}

type chat struct {
	Chat
	token  string
	old    string    // the token before it, until that one is used
	until  time.Time // the token is good; zero is for ever
	log    []event   // what happened, for readers
	start  int       // of the present chat, where references are used again
	noteID map[string]bool
}

// A Failure is what the platform's interface does in place of working.
type Failure string

// The failures.
const (
	Works       Failure = ""
	Refuses     Failure = "refuses"      // nothing happens; trying again cannot help
	Busy        Failure = "busy"         // nothing happens; try again
	Hangs       Failure = "hangs"        // no answer, and nothing happens
	LosesAnswer Failure = "loses_answer" // it happens, but the answer is lost
)

// New opens a platform.
func New(o Options) *Platform {
	if o.Name == "" {
		o.Name = "inmem"
	}
	if o.Custody == "" {
		o.Custody = handoff.CustodyQueue
	}
	if o.Secret == "" {
		o.Secret = rand.Text()
	}
	return &Platform{opt: o, tickets: map[string]string{}, changed: make(chan struct{}), attempts: map[string]int{}}
}

// Break makes calls of the provider fail from now on: those of the given
// operations (open, send, close, find, state, availability, typing, note,
// ticket, return), or all of them. Works mends it.
func (p *Platform) Break(f Failure, ops ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure, p.failing = f, ops
}

// Calls returns how often an operation was called, failures included.
func (p *Platform) Calls(op string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attempts[op]
}

// Staffed says whether there is an agent who could take a chat; at first there
// is.
func (p *Platform) Staffed(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = !yes
}

// Chats returns every chat, the oldest first.
func (p *Platform) Chats() []Chat {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Chat, len(p.chats))
	for i, c := range p.chats {
		out[i] = c.Chat
		out[i].Messages, out[i].Notes = slices.Clone(c.Messages), slices.Clone(c.Notes)
	}
	return out
}

// Secrets returns what must not appear in any error or log.
func (p *Platform) Secrets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []string{p.opt.Secret}
	for _, c := range p.chats {
		if out = append(out, c.token); c.old != "" {
			out = append(out, c.old)
		}
	}
	return out
}

// Queue tells the place of a chat in the platform's queue.
func (p *Platform) Queue(reference string, position int, wait time.Duration) {
	p.on(reference, func(c *chat) {
		if c.State == handoff.SessionQueued {
			p.happens(c, event{Type: typeQueued, Position: position, WaitMillis: wait.Milliseconds()})
		}
	})
}

// Join lets an agent take a chat; one who has it already is replaced.
func (p *Platform) Join(reference string, agent handoff.Party) {
	p.on(reference, func(c *chat) { p.join(c, agent, false) })
}

func (p *Platform) join(c *chat, agent handoff.Party, control bool) {
	agent = p.named(agent)
	c.State, c.Agent = handoff.SessionActive, agent
	p.happens(c, event{Type: typeJoined, Agent: person(agent), Control: control})
}

// named is an agent as the platform tells him.
func (p *Platform) named(agent handoff.Party) handoff.Party {
	if p.opt.NamesOnly {
		agent.ID = agent.Name
	}
	return agent
}

// Say is a message of the agent who has the chat.
func (p *Platform) Say(reference, text string, files ...handoff.File) {
	p.on(reference, func(c *chat) {
		if c.State == handoff.SessionActive {
			p.says(c, Message{From: c.Agent, Text: text, Files: files}, event{Type: typeMessage, Agent: person(c.Agent)})
		}
	})
}

// UserSays is a message of the user on a platform that has the conversation,
// under the id by which his channel knows it.
func (p *Platform) UserSays(reference, id, text string) {
	p.on(reference, func(c *chat) {
		p.says(c, Message{ID: id, From: handoff.Party{Role: handoff.RoleUser}, Text: text}, event{Type: typeUserMessage})
	})
}

// says adds a message and tells of it.
func (p *Platform) says(c *chat, m Message, ev event) {
	if m.ID == "" {
		m.ID = p.next("message")
	}
	c.Messages = append(c.Messages, m)
	ev.MessageID, ev.Text, ev.Files = m.ID, m.Text, m.Files
	p.happens(c, ev)
}

// Write is an internal note of the agent.
func (p *Platform) Write(reference, note string) {
	p.on(reference, func(c *chat) {
		c.Notes = append(c.Notes, note)
		p.happens(c, event{Type: typeNote, Agent: person(c.Agent), Text: note})
	})
}

// Types tells that the agent is writing.
func (p *Platform) Types(reference string) {
	p.on(reference, func(c *chat) { p.happens(c, event{Type: typeTyping, Agent: person(c.Agent)}) })
}

// Leave puts a chat back into the queue.
func (p *Platform) Leave(reference string) {
	p.on(reference, func(c *chat) {
		ev := event{Type: typeLeft, Agent: person(c.Agent)}
		c.State, c.Agent = handoff.SessionQueued, handoff.Party{}
		p.happens(c, ev)
	})
}

// Transfer gives a chat to another agent of the platform.
func (p *Platform) Transfer(reference string, to handoff.Party) {
	p.on(reference, func(c *chat) {
		p.happens(c, event{Type: typeTransferred, Agent: person(p.named(to))})
		p.join(c, to, false)
	})
}

// End ends a chat.
func (p *Platform) End(reference string) {
	p.on(reference, func(c *chat) { p.over(c, handoff.SessionEnded, typeEnded) })
}

// Return gives the conversation back to the bot.
func (p *Platform) Return(reference string) {
	if p.opt.ReturnWord != "" {
		p.Say(reference, p.opt.ReturnWord)
		return
	}
	p.on(reference, func(c *chat) { p.over(c, handoff.SessionBot, typeReturned) })
}

// Fail tells that the platform cannot go on with a chat.
func (p *Platform) Fail(reference, code string) {
	p.on(reference, func(c *chat) {
		c.State = handoff.SessionEnded
		p.happens(c, event{Type: typeFailed, Code: code})
	})
}

func (p *Platform) over(c *chat, s handoff.SessionState, typ string) {
	c.State = s
	p.happens(c, event{Type: typ})
}

// TakeControl lets an agent take a conversation that the bot has, without
// being asked, and returns the reference of the chat. It is what a platform
// with CustodyConversation can do.
func (p *Platform) TakeControl(conversation string, agent handoff.Party) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.open(conversation, "")
	p.join(c, agent, true)
	return c.Reference
}

// Take returns the webhooks that are to be sent, in order, and forgets them:
// deliver them once, twice, in another order or not at all.
func (p *Platform) Take() []handoff.Webhook {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.outbox
	p.outbox = nil
	return out
}

// Pump delivers webhooks in order until ctx ends, each until it is taken: pass
// Engine.Webhook with the provider's name. It is what a demo needs.
func (p *Platform) Pump(ctx context.Context, deliver func(context.Context, handoff.Webhook) error) {
	for ctx.Err() == nil {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		for _, w := range p.Take() {
			for deliver(ctx, w) != nil && sleep(ctx, time.Second) == nil { //nolint:revive // the condition does the work
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// on does f to a chat that is not over.
func (p *Platform) on(reference string, f func(*chat)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.find(reference); c != nil && c.live() {
		f(c)
	}
}

func (c *chat) live() bool {
	return c.State == handoff.SessionQueued || c.State == handoff.SessionActive
}

func (p *Platform) find(reference string) *chat {
	for _, c := range p.chats {
		if c.Reference == reference {
			return c
		}
	}
	return nil
}

// open makes a chat, or begins another one under the same reference.
func (p *Platform) open(conversation, attempt string) *chat {
	ref := "conversation-" + conversation
	c := p.find(ref)
	if !p.opt.OneReference {
		ref, c = "chat-"+strconv.Itoa(len(p.chats)+1), nil
	}
	if c == nil {
		c = &chat{noteID: map[string]bool{}}
		p.chats = append(p.chats, c)
		p.renew(c)
	}
	c.start = len(c.log)
	c.Chat = Chat{Reference: ref, Attempt: attempt, Conversation: conversation, State: handoff.SessionQueued}
	return c
}

// renew gives a chat another token.
func (p *Platform) renew(c *chat) {
	c.token = rand.Text()
	if p.opt.TokenLife > 0 {
		c.until = time.Now().Add(p.opt.TokenLife)
	}
}

func (p *Platform) next(kind string) string {
	p.events++
	return kind + "-" + strconv.Itoa(p.events)
}

// happens notes an event of a chat, and sends it.
func (p *Platform) happens(c *chat, ev event) {
	ev.ID, ev.Chat, ev.Attempt, ev.Conversation = p.next("event"), c.Reference, c.Attempt, c.Conversation
	ev.At = time.Now().UTC()
	c.log = append(c.log, ev)
	if !p.opt.Streams {
		p.outbox = append(p.outbox, p.sign(ev))
	}
	close(p.changed)
	p.changed = make(chan struct{})
}
