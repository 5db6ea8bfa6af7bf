package modeltest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// A variant is what differs between the worlds of a run.
type variant struct {
	Seed      uint64
	Unwatched bool
	History   bool
	NoBot     bool // nobody calls the bot back
	BotQueue  bool
	StoreDown bool // the policy that lets the bot go on
	Outage    bool // in the end nobody runs for more than a day
}

const replicas = 3

// A world is three engines on one store, with everything around them.
type world struct {
	variant

	rngMu sync.Mutex
	rng   *rand.Rand

	mem       *memstore.Store
	base      *counting
	nodes     [replicas]*node
	floor     *floor
	users     *users
	bot       *bot
	platforms []*platform
	hours     *hours
	ledger    *check.Ledger
	staff     *check.Staff
	checker   *check.Checker
	reader    *check.Reader
	queues    []handoff.Queue
	tally     *tally
	calm      bool // nothing fails any more

	mu      sync.Mutex
	weather weather
	trouble time.Time      // when the weather was bad for the last time
	sent    map[string]int // messages of each user
	memory  map[string][]handoff.Incoming
	flying  sync.WaitGroup
	busy    int
	problem []string
	gaveUp  map[string]bool // attempts whose chats nobody could close
}

// calmSince reports whether nothing failed and nobody died since a time.
func (w *world) calmSince(t time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble.Before(t)
}

// weather is how often things fail, in percent.
type weather struct {
	before, after, delay int
	channel, sink        int
	bot                  int
	platform             int
}

func newWorld(v variant, t *tally) *world {
	w := &world{
		variant: v, rng: rand.New(rand.NewPCG(v.Seed, 1)), mem: memstore.New(), ledger: check.NewLedger(), staff: check.NewStaff(),
		sent: map[string]int{}, gaveUp: map[string]bool{}, memory: map[string][]handoff.Incoming{}, tally: t, hours: &hours{},
	}
	w.base = &counting{Store: w.mem, touched: map[string]bool{}, tally: t}
	w.floor = &floor{w: w, agents: map[string]handoff.Agent{}, status: map[string]handoff.Status{}}
	w.users, w.bot = &users{w: w}, &bot{w: w, seen: map[string]bool{}}
	w.platforms = []*platform{
		{w: w, name: "pq", custody: handoff.CustodyQueue, chats: map[string]*vendorChat{}},
		{w: w, name: "pc", custody: handoff.CustodyConversation, chats: map[string]*vendorChat{}},
	}
	w.queues = queues(w.hours)
	for i := range agents {
		w.floor.put(agents[i], i < 3)
	}
	cfg := w.config(w.mem)
	cfg.Hooks = handoff.Hooks{}
	e, err := handoff.New(cfg)
	if err != nil {
		panic(err)
	}
	w.reader = &check.Reader{Store: w.mem, Engine: e}
	for i := range agents {
		w.reader.Agents = append(w.reader.Agents, agents[i].ID)
	}
	w.checker = check.New(check.Rules{Queues: w.queues, Unwatched: v.Unwatched, Channel: true, Sinks: []string{"audit"}, Ledger: w.ledger, Staff: w.staff, Calm: w.calmSince})
	for i := range w.nodes {
		w.start(i)
	}
	return w
}

func (w *world) intn(n int) int {
	w.rngMu.Lock()
	defer w.rngMu.Unlock()
	return w.rng.IntN(n)
}

func (w *world) percent(p int) bool { return p > 0 && w.intn(100) < p }

func (w *world) now() weather {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calm {
		return weather{}
	}
	if w.weather != (weather{}) {
		w.trouble = time.Now()
	}
	return w.weather
}

var agents = []handoff.Agent{
	{ID: "ann", Queues: []string{"push", "over", "pull", "cast", "form", "asks", "host"}, Skills: map[string]int{"billing": 3, "legal": 1}, Languages: []string{"en", "de"}, Seats: 2, Video: true},
	{ID: "bob", Queues: []string{"push", "pull", "cast"}, Skills: map[string]int{"billing": 1}, Languages: []string{"en"}, Seats: 1},
	{ID: "cid", Queues: []string{"over", "cast", "form", "asks", "host", "push"}, Seats: 3, QueueSeats: map[string]int{"over": 1}},
	{ID: "dee", Queues: []string{"push", "pull", "cast", "over", "form", "host"}, Skills: map[string]int{"billing": 5, "legal": 5}, Seats: 2, Video: true},
	{ID: "eve", Queues: []string{"pull"}, Seats: 1},
}

func queues(h *hours) []handoff.Queue {
	return []handoff.Queue{
		{
			Name: "push", OfferTimeout: 8 * time.Second, Cooldown: 20 * time.Second, FirstReply: 25 * time.Second, IdleTimeout: 80 * time.Second,
			IdleWarning: 30 * time.Second, HoldTimeout: 30 * time.Second, Wrapup: 12 * time.Second, AgentGrace: 10 * time.Second, PlaceEvery: 5 * time.Second,
			Ladder: []handoff.Rung{
				{After: 15 * time.Second, Do: handoff.RelaxSkills},
				{After: 20 * time.Second, Do: handoff.RelaxLevels},
				{After: 25 * time.Second, Do: handoff.Tell, Notice: handoff.NoticeMessage},
				{After: 30 * time.Second, Do: handoff.AskMessage},
				{After: 45 * time.Second, Do: handoff.Overflow, Queue: "over"},
			},
		},
		{
			Name: "over", OfferTimeout: 6 * time.Second, Cooldown: 15 * time.Second, IdleTimeout: 60 * time.Second, HoldTimeout: 20 * time.Second, IdleWarning: 20 * time.Second,
			AgentGrace: 8 * time.Second, ReleaseOnHold: true, StayOut: 15 * time.Second, Ageing: 10 * time.Second, VideoUnits: 2,
			Ladder: []handoff.Rung{{After: 60 * time.Second, Do: handoff.ToBot}},
		},
		{
			Name: "pull", Style: handoff.Pull, MaxWaiting: 2, IdleTimeout: 70 * time.Second, IdleWarning: -1, HoldTimeout: 25 * time.Second, Wrapup: 10 * time.Second,
			AgentGrace: 10 * time.Second, Cooldown: 10 * time.Second, Ladder: []handoff.Rung{{After: 50 * time.Second, Do: handoff.ToBot}}, BotAnswers: true,
		},
		{
			Name: "cast", Style: handoff.Broadcast, BroadcastTo: 3, OfferTimeout: 8 * time.Second, Cooldown: 15 * time.Second, IdleTimeout: 60 * time.Second,
			IdleWarning: 20 * time.Second, HoldTimeout: 25 * time.Second, AgentGrace: 10 * time.Second, Ladder: []handoff.Rung{{After: 50 * time.Second, Do: handoff.ToBot}},
		},
		{
			Name: "form", OfferTimeout: 8 * time.Second, Cooldown: 15 * time.Second, IdleTimeout: 60 * time.Second, IdleWarning: 20 * time.Second, IntakeTimeout: 20 * time.Second,
			HoldTimeout: 25 * time.Second, AgentGrace: 10 * time.Second, BotAnswers: true,
			Ladder: []handoff.Rung{{After: 50 * time.Second, Do: handoff.ToBot}},
			Intake: &handoff.Form{Fields: []handoff.Field{{Name: "name"}, {Name: "mail", Kind: handoff.FieldMail, Required: true}}},
		},
		{
			Name: "asks", OfferTimeout: 8 * time.Second, Cooldown: 15 * time.Second, IdleTimeout: 60 * time.Second, IdleWarning: 20 * time.Second, IntakeTimeout: 20 * time.Second,
			HoldTimeout: 25 * time.Second, AgentGrace: 10 * time.Second, BotAnswers: true,
			Ladder: []handoff.Rung{{After: 50 * time.Second, Do: handoff.ToBot}},
			Intake: &handoff.Form{WhileWaiting: true, Fields: []handoff.Field{
				{Name: "topic", Kind: handoff.FieldChoice, Choices: []string{"x@example.com", "y@example.com"}, Queues: map[string]string{"x@example.com": "pull"}, Skills: map[string][]handoff.Skill{"y@example.com": {{Name: "legal", Optional: true}}}},
				{Name: "mail", Kind: handoff.FieldMail, Required: true},
			}},
		},
		{
			Name: "host", NeedAgents: true, Hours: h, OfferTimeout: 8 * time.Second, Cooldown: 15 * time.Second, IdleTimeout: 60 * time.Second, IdleWarning: 20 * time.Second,
			IntakeTimeout: 20 * time.Second, HoldTimeout: 25 * time.Second, AgentGrace: 10 * time.Second,
			Ladder: []handoff.Rung{{After: 40 * time.Second, Do: handoff.ToBot}},
			Intake: &handoff.Form{Host: true, OnLapse: handoff.LapseCancel, Fields: []handoff.Field{{Name: "name"}}},
		},
		{
			Name: "plat", BotAnswers: true, Providers: []string{"pq", "pc"}, ConnectTime: 15 * time.Second, IdleTimeout: 90 * time.Second, IdleWarning: 30 * time.Second, HoldTimeout: 25 * time.Second,
			Ladder: []handoff.Rung{{After: 40 * time.Second, Do: handoff.NextProvider}, {After: 80 * time.Second, Do: handoff.ToBot}},
		},
	}
}

func (w *world) config(s handoff.Store) handoff.Config {
	cfg := handoff.Config{
		Store: s, Queues: w.queues, Directory: w.floor, Presence: w.floor, Channel: w.users, Bot: w.bot,
		Providers: []handoff.Provider{w.platforms[0], w.platforms[1]},
		Sinks:     map[string]handoff.Sink{"audit": handoff.SinkFunc(w.audit)},
		Unwatched: w.Unwatched, BotTimeout: 12 * time.Second, BotIdle: 25 * time.Second,
		Poll: 2 * time.Second, Sweep: 6 * time.Second, Lease: 5 * time.Second, Overdue: 4 * time.Second, StoreTimeout: 5 * time.Second, SendTimeout: 5 * time.Second,
		SendTries: 10, SendFor: 2 * time.Minute, Workers: 8, KeepEnded: 26 * time.Hour,
		Hooks: handoff.Hooks{Changed: w.changed},
	}
	if w.History {
		cfg.History = handoff.HistoryFunc(w.history)
	}
	if w.NoBot {
		cfg.Bot = nil
	}
	if w.BotQueue {
		cfg.BotQueue = "push"
	}
	if w.StoreDown {
		cfg.StoreDown = handoff.StoreDownBot
	}
	return cfg
}

// A node is a replica. When it crashes its engine stops in the middle of what
// it does, and a new one takes its place.
type node struct {
	w      *world
	n      int
	e      *handoff.Engine
	store  *handofftest.Store
	cancel context.CancelFunc
	done   chan error

	mu    sync.Mutex
	dead  bool
	fuse  int // store calls until it crashes; 0 is never
	after bool
	at    time.Time // of the last calls
	calls int       // how many there were at that time
}

// busy is how many store calls a replica may make without time passing.
const busy = 3000

var errDead = errors.New("modeltest: this process is dead")

func (w *world) start(i int) {
	n := &node{w: w, n: i, store: handofftest.NewStore(w.base), done: make(chan error, 1)}
	n.store.Plan(n.plan)
	var err error
	if n.e, err = handoff.New(w.config(n.store)); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() { n.done <- n.e.Run(ctx) }()
	w.mu.Lock()
	w.nodes[i] = n
	w.mu.Unlock()
}

// replace puts a new engine in the place of a dead one.
func (w *world) replace() {
	for i, n := range w.nodes {
		if n.isDead() {
			if err := <-n.done; err != nil {
				w.fail("Run of a dead engine returned %v", err)
			}
			w.start(i)
		}
	}
}

func (n *node) isDead() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dead
}

func (n *node) crash(calls int, after bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fuse, n.after = calls, after
	if calls > 0 {
		n.w.mu.Lock()
		n.w.trouble = time.Now()
		n.w.mu.Unlock()
	}
}

func (n *node) plan(op string, id handoff.ID) handofftest.Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); !now.Equal(n.at) {
		n.at, n.calls = now, 0
	}
	if n.calls++; n.calls == busy {
		h, _ := n.w.reader.Engine.Get(context.Background(), id)
		n.w.fail("%v: no busy loops (47): %s again and again, %s with %v at %v", id, op, h.State, h.Deadlines, n.at)
	}
	if n.calls >= busy {
		return handofftest.Fault{Delay: time.Second, Before: handofftest.ErrStore}
	}
	if n.dead {
		return handofftest.Fault{Before: errDead}
	}
	if n.fuse > 0 {
		if n.fuse--; n.fuse == 0 {
			n.dead = true
			n.w.mu.Lock()
			n.w.trouble = time.Now()
			n.w.mu.Unlock()
			n.cancel()
			if n.after {
				return handofftest.Fault{After: errDead}
			}
			return handofftest.Fault{Before: errDead}
		}
	}
	f := handofftest.Fault{}
	wt := n.w.now()
	if n.w.percent(wt.delay) {
		f.Delay = time.Duration(n.w.intn(1500)) * time.Millisecond
		if n.w.intn(20) == 0 {
			f.Delay = 6 * time.Second // longer than it may take
		}
	}
	switch {
	case n.w.percent(wt.before):
		f.Before = handofftest.ErrStore
	case n.w.percent(wt.after):
		f.After = handofftest.ErrStore
	}
	return f
}

// counting notes what commits touch, and which operations commit.
type counting struct {
	handoff.Store

	mu      sync.Mutex
	touched map[string]bool
	tally   *tally
}

type mark struct{ n int }

type markKey struct{}

// Lead counts leads that somebody else has.
func (c *counting) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (handoff.Lead, error) {
	l, err := c.Store.Lead(ctx, id, cursor, now, lease)
	c.tally.refused("lead", err)
	return l, err
}

// Unwrap makes the inner store's abilities visible.
func (c *counting) Unwrap() handoff.Store { return c.Store }

func (c *counting) note(ctx context.Context, conversation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touched[conversation] = true
	if m, ok := ctx.Value(markKey{}).(*mark); ok {
		m.n++
	}
}

func (c *counting) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	err := c.Store.Commit(ctx, r, entries...)
	if err == nil {
		c.note(ctx, r.ID.Conversation)
		return nil
	}
	c.tally.refused("commit", err)
	return err
}

func (c *counting) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	err := c.Store.Erase(ctx, conversation, tomb)
	if err == nil {
		c.note(ctx, conversation)
	}
	return err
}

func (c *counting) Delete(ctx context.Context, id handoff.ID, version int64) error {
	err := c.Store.Delete(ctx, id, version)
	if err == nil {
		c.note(ctx, id.Conversation)
	}
	return err
}

// take returns the conversations that were touched since the last call.
func (c *counting) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]string, 0, len(c.touched))
	for name := range c.touched {
		out = append(out, name)
	}
	clear(c.touched)
	slices.Sort(out)
	return out
}

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problem = append(w.problem, fmt.Sprintf(format, args...))
}

func (w *world) problems() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.problem)
}

// check looks at what has changed, or at everything.
func (w *world) check(whole bool) {
	synctest.Wait()
	ctx := context.Background()
	names := w.base.take()
	for _, name := range w.users.take() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if whole {
		names = nil
	} else if len(names) == 0 {
		return
	}
	s, err := w.reader.Read(ctx, time.Now(), names...)
	if err != nil {
		w.fail("reading: %v", err)
		return
	}
	for _, v := range w.checker.Next(s) {
		w.fail("%v", v)
	}
	if whole {
		err := w.reader.Logs(ctx, func(id handoff.ID, log []handoff.Entry) {
			for _, v := range w.checker.Replay(id, log) {
				w.fail("%v", v)
			}
		})
		if err != nil {
			w.fail("reading: %v", err)
		}
	}
}

// stop ends every engine.
func (w *world) stop() {
	for _, n := range w.nodes {
		n.cancel()
		if err := <-n.done; err != nil {
			w.fail("Run returned %v", err)
		}
	}
	w.flying.Wait()
}

// audit is a sink of the staff.
func (w *world) audit(_ context.Context, h *handoff.Handoff, e *handoff.Entry) error {
	w.ledger.Handle(h.ID, e.Seq)
	w.givenUp(h)
	if t := check.Of(e.Text); t != "" && t != h.ID.Conversation {
		w.fail("a sink got %q of %v", e.Text, h.ID)
	}
	if w.percent(w.now().sink) {
		return errors.New("the sink fails")
	}
	return nil
}

// changed counts a commit, and looks whether an offer went past somebody.
func (w *world) changed(ctx context.Context, c handoff.Change) {
	w.tally.changed(ctx, c)
	switch c.Command {
	case "offer":
		w.overtaken(c)
	case "close":
		// Now, since the record may be erased before anybody else looks.
		if h, err := w.reader.Engine.Get(ctx, c.ID); err == nil {
			w.givenUp(&h)
		}
	}
}

// givenUp remembers the chats that nobody could close.
func (w *world) givenUp(h *handoff.Handoff) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range h.Bindings() {
		if b.Status == handoff.BindGivenUp {
			w.gaveUp[b.Attempt] = true
		}
	}
}

// overtaken checks that nobody who stood before the one who was offered, and
// whom the same agent could have taken, was passed over (25). Only what has not
// changed for a while counts: who reads may be a little late.
func (w *world) overtaken(c handoff.Change) {
	const while = 12 * time.Second
	ctx := context.Background()
	h, err := w.reader.Engine.Get(ctx, c.ID)
	if err != nil || len(h.Offers) != 1 || h.Offers[0].Broadcast {
		return
	}
	a, _ := w.floor.get(h.Offers[0].Agent)
	list, err := w.mem.List(ctx, handoff.Query{Queue: c.Queue, Waiting: true, ByRank: true})
	if err != nil {
		return
	}
	now := time.Now()
	w.mu.Lock()
	trouble := w.trouble
	w.mu.Unlock()
	if now.Sub(trouble) < while || now.Sub(w.staff.Changed(a.ID)) < while {
		return
	}
	for i := range list {
		if list[i].ID == c.ID {
			return
		}
		o, err := w.reader.Engine.Get(ctx, list[i].ID)
		if err != nil || o.State != handoff.StateWaiting || now.Sub(o.Updated) < while || o.Capacity() > h.Capacity() || o.Importing() {
			continue
		}
		if check.Covers(&a, &o.Need) && !w.hadIt(ctx, o.ID, a.ID) {
			w.fail("%v: nobody is passed over (25): %v was offered to %s, who could have taken the one before", o.ID, c.ID, a.ID)
		}
	}
}

// hadIt reports whether an agent declined, let lapse or gave away a handoff. For
// how long he is not asked again is his queue's affair.
func (w *world) hadIt(ctx context.Context, id handoff.ID, agent string) bool {
	log, err := w.reader.Engine.Log(ctx, id, 0, 10_000)
	return err != nil || slices.ContainsFunc(log, func(e handoff.Entry) bool {
		switch e.Kind {
		case handoff.KindDeclined, handoff.KindLapsed, handoff.KindAgentLeft:
			return e.Agent == agent
		}
		return false
	})
}

// history is what the host keeps: every message before it was given to an
// engine.
func (w *world) history(ctx context.Context, conversation string) ([]handoff.Past, error) {
	if w.percent(w.now().bot) {
		return nil, errors.New("no history")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []handoff.Past
	for _, in := range w.memory[conversation] {
		out = append(out, handoff.Past{ID: in.ID, From: handoff.Party{Role: handoff.RoleUser}, Text: in.Text})
	}
	return out, nil
}
