package handofftest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Floor is a Directory and a Presence that a test changes at will. Agents
// who are put there are offline until they are Online.
type Floor struct {
	mu      sync.Mutex
	agents  map[string]handoff.Agent
	status  map[string]handoff.Status
	engines []*handoff.Engine
	broken  error
	quiet   bool
}

// NewFloor returns an empty floor.
func NewFloor() *Floor {
	return &Floor{agents: map[string]handoff.Agent{}, status: map[string]handoff.Status{}}
}

func (f *Floor) tell(e *handoff.Engine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.engines = append(f.engines, e)
}

// Put adds or changes an agent, and tells the engines.
func (f *Floor) Put(ctx context.Context, a handoff.Agent) error {
	f.mu.Lock()
	f.agents[a.ID] = a
	if _, ok := f.status[a.ID]; !ok {
		f.status[a.ID] = handoff.Status{Agent: a.ID, Availability: handoff.Offline, Since: time.Now()}
	}
	f.mu.Unlock()
	return f.changed(ctx, a.ID)
}

// Delete removes an agent.
func (f *Floor) Delete(ctx context.Context, id string) error {
	f.mu.Lock()
	delete(f.agents, id)
	delete(f.status, id)
	f.mu.Unlock()
	return f.changed(ctx, id)
}

// Quiet makes the engines find out for themselves who comes and goes.
func (f *Floor) Quiet(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quiet = on
}

// Break makes every look at who is there fail; nil mends it.
func (f *Floor) Break(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = err
}

// Online says that an agent is there.
func (f *Floor) Online(ctx context.Context, id string) error { return f.set(ctx, id, handoff.Online) }

// Offline says that he has gone.
func (f *Floor) Offline(ctx context.Context, id string) error {
	return f.set(ctx, id, handoff.Offline)
}

func (f *Floor) set(ctx context.Context, id string, a handoff.Availability) error {
	f.mu.Lock()
	if f.status[id].Availability != a {
		f.status[id] = handoff.Status{Agent: id, Availability: a, Since: time.Now()}
	}
	f.mu.Unlock()
	return f.changed(ctx, id)
}

func (f *Floor) changed(ctx context.Context, id string) error {
	f.mu.Lock()
	engines, quiet := slices.Clone(f.engines), f.quiet
	f.mu.Unlock()
	var errs []error
	for _, e := range engines {
		if !quiet {
			errs = append(errs, e.AgentChanged(ctx, id))
		}
	}
	return errors.Join(errs...)
}

// Get returns an agent.
func (f *Floor) Get(_ context.Context, id string) (handoff.Agent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, ok := f.agents[id]
	if !ok {
		return a, handoff.ErrNotFound
	}
	return a, nil
}

// List returns the agents of a queue.
func (f *Floor) List(_ context.Context, queue string) ([]handoff.Agent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []handoff.Agent
	for _, a := range f.agents {
		if queue == "" || slices.Contains(a.Queues, queue) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b handoff.Agent) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out, nil
}

// Agents says who is there.
func (f *Floor) Agents(_ context.Context, ids []string, _ time.Time) ([]handoff.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	out := make([]handoff.Status, len(ids))
	for i, id := range ids {
		out[i] = f.status[id]
		out[i].Agent = id
	}
	return out, nil
}

// Users is a Channel that remembers what users wrote and saw. It shows
// streamed replies too.
type Users struct {
	mu     sync.Mutex
	saw    map[string][]handoff.UserMessage
	chunks map[string][]handoff.Chunk
	ids    map[string]bool
	sent   map[string]int
	fail   func(conversation string, m handoff.UserMessage) error
}

// NewUsers returns users who saw nothing yet.
func NewUsers() *Users {
	return &Users{saw: map[string][]handoff.UserMessage{}, chunks: map[string][]handoff.Chunk{}, ids: map[string]bool{}, sent: map[string]int{}}
}

func (u *Users) write(conversation, text string) handoff.Incoming {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent[conversation]++
	return handoff.Incoming{Conversation: conversation, ID: "m" + strconv.Itoa(u.sent[conversation]), Text: text}
}

// Show remembers a message. A repeat, by its ID, is dropped, as a good channel
// does.
func (u *Users) Show(_ context.Context, conversation string, m handoff.UserMessage) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.fail != nil {
		if err := u.fail(conversation, m); err != nil {
			return err
		}
	}
	key := conversation + "\x00" + m.ID
	if !u.ids[key] {
		u.ids[key] = true
		u.saw[conversation] = append(u.saw[conversation], m)
	}
	return nil
}

// ShowChunk remembers a bit of a streamed reply.
func (u *Users) ShowChunk(_ context.Context, conversation string, c handoff.Chunk) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.chunks[conversation] = append(u.chunks[conversation], c)
	return nil
}

// Fail makes Show ask f first; nil mends it.
func (u *Users) Fail(f func(conversation string, m handoff.UserMessage) error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fail = f
}

// Saw returns what a user has seen, in order.
func (u *Users) Saw(conversation string) []handoff.UserMessage {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.saw[conversation])
}

// Texts returns the texts of what a user has seen, in order.
func (u *Users) Texts(conversation string) []string {
	var out []string
	for _, m := range u.Saw(conversation) {
		out = append(out, m.Text)
	}
	return out
}

// Chunks returns the bits of streamed replies that a user has seen.
func (u *Users) Chunks(conversation string) []handoff.Chunk {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.chunks[conversation])
}

// A Bot remembers how it was called. By default it does nothing more; Do makes
// it answer.
type Bot struct {
	// Do is called for each call that is not a repeat.
	Do func(ctx context.Context, e *handoff.Engine, c handoff.BotCall) error

	mu     sync.Mutex
	calls  []handoff.BotCall
	engine *handoff.Engine
}

func (b *Bot) use(e *handoff.Engine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.engine = e
}

// Call remembers c.
func (b *Bot) Call(ctx context.Context, c handoff.BotCall) error {
	b.mu.Lock()
	e, do := b.engine, b.Do
	repeat := slices.ContainsFunc(b.calls, func(o handoff.BotCall) bool { return o.ID == c.ID })
	b.mu.Unlock()
	if do != nil && !repeat {
		if err := do(ctx, e, c); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !repeat {
		b.calls = append(b.calls, c)
	}
	return nil
}

// Calls returns the calls of a kind, or all of them for "".
func (b *Bot) Calls(kind handoff.BotCallKind) []handoff.BotCall {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []handoff.BotCall
	for _, c := range b.calls {
		if kind == "" || c.Kind == kind {
			out = append(out, c)
		}
	}
	return out
}

// An Agent is a fake agent of a rig. Its methods fail the test when the engine
// refuses.
type Agent struct {
	r  *Rig
	ID string
}

// Agent puts an agent with seats on the floor, online, in the given queues or
// else in all of them.
func (r *Rig) Agent(id string, seats int, queues ...string) *Agent {
	r.T.Helper()
	if len(queues) == 0 {
		for _, q := range r.Config.Queues {
			queues = append(queues, q.Name)
		}
	}
	return r.Hire(handoff.Agent{ID: id, Name: id, Seats: seats, Queues: queues})
}

// Hire puts an agent on the floor, online.
func (r *Rig) Hire(a handoff.Agent) *Agent {
	r.T.Helper()
	ctx := r.T.Context()
	if err := errors.Join(r.Floor.Put(ctx, a), r.Floor.Online(ctx, a.ID)); err != nil {
		r.T.Fatal(err)
	}
	synctest.Wait()
	return &Agent{r: r, ID: a.ID}
}

// By is the agent as an actor.
func (a *Agent) By() handoff.Actor { return handoff.By(a.ID) }

// Offered returns the first handoff that is offered to the agent.
func (a *Agent) Offered() (handoff.Handoff, bool) {
	list, err := a.r.List(a.r.T.Context(), handoff.Query{States: []handoff.State{handoff.StateOffered, handoff.StateActive, handoff.StateHeld}})
	if err != nil {
		a.r.T.Fatalf("List: %v", err)
	}
	for _, h := range list {
		if _, ok := h.Offer(a.ID); ok {
			return h, true
		}
	}
	return handoff.Handoff{}, false
}

// Accept takes the first offer.
func (a *Agent) Accept() handoff.Handoff {
	a.r.T.Helper()
	h, ok := a.Offered()
	if !ok {
		a.r.T.Fatalf("%s has no offer", a.ID)
	}
	o, _ := h.Offer(a.ID)
	h, err := a.r.Engine.Accept(a.r.T.Context(), h.ID, a.By(), o.Number)
	return a.ok(h, err, "Accept")
}

// Decline refuses the first offer.
func (a *Agent) Decline(why string) handoff.Handoff {
	a.r.T.Helper()
	h, ok := a.Offered()
	if !ok {
		a.r.T.Fatalf("%s has no offer", a.ID)
	}
	o, _ := h.Offer(a.ID)
	h, err := a.r.Engine.Decline(a.r.T.Context(), h.ID, a.By(), o.Number, why)
	return a.ok(h, err, "Decline")
}

// Says writes to the user.
func (a *Agent) Says(id handoff.ID, text string) handoff.Entry {
	a.r.T.Helper()
	en, err := a.r.Send(a.r.T.Context(), id, a.By(), handoff.Message{Text: text})
	if err != nil {
		a.r.T.Fatalf("Send: %v", err)
	}
	synctest.Wait()
	return en
}

// Returns gives the user to the bot.
func (a *Agent) Returns(id handoff.ID, note string) handoff.Handoff {
	a.r.T.Helper()
	h, err := a.r.Return(a.r.T.Context(), id, a.By(), note)
	return a.ok(h, err, "Return")
}

// Ends ends the handoff.
func (a *Agent) Ends(id handoff.ID) handoff.Handoff {
	a.r.T.Helper()
	h, err := a.r.End(a.r.T.Context(), id, a.By(), handoff.Ending{})
	return a.ok(h, err, "End")
}

// Leaves goes offline; Comes is there again.
func (a *Agent) Leaves() { a.is(a.r.Floor.Offline(a.r.T.Context(), a.ID)) }

// Comes is online again.
func (a *Agent) Comes() { a.is(a.r.Floor.Online(a.r.T.Context(), a.ID)) }

func (a *Agent) is(err error) {
	a.r.T.Helper()
	if err != nil {
		a.r.T.Fatal(err)
	}
	synctest.Wait()
}

func (a *Agent) ok(h handoff.Handoff, err error, verb string) handoff.Handoff {
	a.r.T.Helper()
	if err != nil {
		a.r.T.Fatalf("%s: %v", verb, err)
	}
	synctest.Wait()
	return h
}
