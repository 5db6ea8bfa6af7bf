package systemtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// A fuse kills the process, as kill -9 does, before or after the n-th call of
// a kind: "commit/before/7". What is rare, or slow on this machine, need not
// come so often: once the fuse is old, the next call is the one.
type fuse struct {
	kind, when string
	left       atomic.Int64
	old        time.Time

	rest   func() // what to do instead of dying, once; nil: to die
	rested atomic.Bool
}

func newFuse(s string) *fuse {
	part := strings.Split(s+"//", "/")
	f := &fuse{kind: part[0], when: part[1], old: time.Now().Add(500 * time.Millisecond)}
	n, _ := strconv.ParseInt(part[2], 10, 64)
	f.left.Store(n)
	return f
}

func (f *fuse) burn(kind, when string) {
	if f.kind != kind || f.when != when {
		return
	}
	if f.left.Add(-1) == 0 || time.Now().After(f.old) {
		if f.rest != nil {
			if f.rested.CompareAndSwap(false, true) {
				f.rest()
			}
			return
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // not one instruction more
	}
}

// around runs a call between the two points at which the process may die.
func (f *fuse) around(kind string, call func() error) error {
	f.burn(kind, "before")
	err := call()
	f.burn(kind, "after")
	return err
}

// mortal is a store in a process that dies. There is no fuse around CommitBatch,
// which no engine calls.
type mortal struct {
	handoff.Store
	fuse *fuse
	w    *survivor
}

func (s *mortal) Unwrap() handoff.Store { return s.Store }

func (s *mortal) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	return s.fuse.around("commit", func() error { return s.Store.Commit(ctx, r, entries...) })
}

func (s *mortal) Claim(ctx context.Context, c handoff.Claim) (got handoff.Claimed, err error) {
	err = s.fuse.around("claim", func() error { got, err = s.Store.Claim(ctx, c); return err })
	return got, err
}

func (s *mortal) Lead(ctx context.Context, id handoff.ID, cursor string, now time.Time, lease time.Duration) (l handoff.Lead, err error) {
	err = s.fuse.around("lead", func() error { l, err = s.Store.Lead(ctx, id, cursor, now, lease); return err })
	return l, err
}

func (s *mortal) Ack(ctx context.Context, acks ...handoff.Ack) error {
	return s.fuse.around("ack", func() error { return s.Store.Ack(ctx, acks...) })
}

func (s *mortal) Erase(ctx context.Context, conversation string, tomb handoff.Record) error {
	all, err := s.List(ctx, handoff.Query{Conversation: conversation})
	for i := range all {
		err = errors.Join(err, s.leave(ctx, all[i].ID))
	}
	if err != nil {
		return err
	}
	return s.fuse.around("erase", func() error { return s.Store.Erase(ctx, conversation, tomb) })
}

func (s *mortal) Delete(ctx context.Context, id handoff.ID, version int64) error {
	if err := s.leave(ctx, id); err != nil {
		return err
	}
	return s.fuse.around("delete", func() error { return s.Store.Delete(ctx, id, version) })
}

// leave tells of the messages that are about to be removed: it is no loss that
// they are in no log afterwards.
func (s *mortal) leave(ctx context.Context, id handoff.ID) error {
	log, err := s.w.e.Log(ctx, id, 0, 10_000)
	if err != nil {
		return err
	}
	f := fact{Conversation: id.Conversation, Number: id.Number}
	for i := range log {
		switch en := &log[i]; {
		case en.Kind != handoff.KindMessage:
		case en.From.Role == handoff.RoleAgent:
			f.Said = append(f.Said, en.Message)
		case en.From.Role == handoff.RoleUser:
			f.Heard = append(f.Heard, en.Message)
		}
	}
	return s.w.tell("leave", f)
}

// A survivor is an engine in one process, with lines to what is outside.
type survivor struct {
	e    *handoff.Engine
	s    *mortal
	out  *wire
	fuse *fuse
	idle time.Duration // how long to wait when the platform has nothing to tell
}

// crashChats are the conversations. Those of the second kind are erased now and
// then, and their past is removed.
var crashChats = []string{"c0", "c1", "c2", "c3", "e0", "e1"}

const fleeting = "e"

var crashStaff = handoff.Staff{
	{ID: "ann", Queues: []string{"desk"}, Seats: 2},
	{ID: "bob", Queues: []string{"desk"}, Seats: 2},
}

var crashQueues = []handoff.Queue{
	{Name: "desk", OfferTimeout: time.Second, Cooldown: time.Second, Wrapup: 100 * time.Millisecond, PlaceEvery: 100 * time.Millisecond},
	{Name: "plat", Providers: []string{"vendor"}},
}

func newSurvivor(ctx context.Context, s handoff.Store, socket string, f *fuse, alter ...func(*handoff.Config)) (*survivor, error) {
	out, err := dialOutside(ctx, socket)
	if err != nil {
		return nil, err
	}
	w := &survivor{out: out, fuse: f, idle: 3 * time.Millisecond}
	w.s = &mortal{s, f, w}
	cfg := handoff.Config{
		Store: w.s, Directory: crashStaff, Queues: crashQueues, Channel: w, Bot: w, Providers: []handoff.Provider{&vendor{w, os.Getenv("CRASH_PLANT") == "twice"}},
		Sinks: map[string]handoff.Sink{"audit": handoff.SinkFunc(func(_ context.Context, h *handoff.Handoff, e *handoff.Entry) error {
			return w.fuse.around("handle", func() error {
				return w.tell("handle", fact{Conversation: h.ID.Conversation, Number: h.ID.Number, Seq: e.Seq})
			})
		})},
		BotTimeout: time.Second, SendTimeout: 300 * time.Millisecond,
		Poll: 30 * time.Millisecond, Sweep: 200 * time.Millisecond, Lease: 300 * time.Millisecond, Overdue: 100 * time.Millisecond,
	}
	for _, f := range alter {
		f(&cfg)
	}
	w.e, err = handoff.New(cfg)
	return w, err
}

func (w *survivor) tell(kind string, f fact) error {
	f.Kind = kind
	_, err := w.out.tell(f)
	return err
}

func (w *survivor) ask(kind string, f fact) (string, error) {
	f.Kind = kind
	answer, err := w.out.tell(f)
	return answer.ID, err
}

// Show implements handoff.Channel: what a user sees.
func (w *survivor) Show(_ context.Context, conversation string, m handoff.UserMessage) error {
	if err := w.tell("try", fact{Conversation: conversation, Message: &m}); err != nil {
		return err
	}
	return w.fuse.around("show", func() error { return w.tell("show", fact{Conversation: conversation, Message: &m}) })
}

// Call implements handoff.Bot.
func (w *survivor) Call(ctx context.Context, c handoff.BotCall) error {
	return w.fuse.around("call", func() error { return w.answer(ctx, c.Turn) })
}

// answer is the bot.
func (w *survivor) answer(ctx context.Context, t handoff.Turn) error {
	if !t.Open() || len(t.Messages) == 0 {
		return nil
	}
	if err := w.tell("ask", fact{Turn: &t}); err != nil {
		return err
	}
	_, err := w.e.Reply(ctx, t, handoff.Message{Text: check.Mark(t.Conversation, "answer to "+t.Messages[0].ID)})
	return refusal(err)
}

// vendor is the platform, as an engine reaches it.
type vendor struct {
	w     *survivor
	twice bool // planted: no process knows the attempts of another one
}

func (v *vendor) attempt(id string) string {
	if v.twice {
		return id + " of " + strconv.Itoa(os.Getpid())
	}
	return id
}

func (v *vendor) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{Name: "vendor", Custody: handoff.CustodyQueue, Can: handoff.Capabilities{FindsAttempt: true, SendsOnce: true, ReadsState: true}}
}

func (v *vendor) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{}, errors.New("there are no webhooks here")
}

func (v *vendor) Open(_ context.Context, o handoff.Opening) (s handoff.Session, err error) {
	err = v.w.fuse.around("open", func() error {
		s.Reference, err = v.w.ask("open", fact{ID: v.attempt(o.Attempt), Conversation: o.Handoff.ID.Conversation, Number: o.Handoff.ID.Number})
		return err
	})
	return s, err
}

func (v *vendor) Find(_ context.Context, attempt string) (handoff.Session, bool, error) {
	ref, err := v.w.ask("find", fact{ID: v.attempt(attempt)})
	return handoff.Session{Reference: ref}, ref != "", err
}

func (v *vendor) Send(_ context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	return v.w.fuse.around("send", func() error {
		return v.w.tell("send", fact{ID: s.Reference, Text: m.ID, Conversation: m.Text})
	})
}

func (v *vendor) Close(_ context.Context, s handoff.Session, _ handoff.Reason) error {
	return v.w.fuse.around("close", func() error { return v.w.tell("close", fact{ID: s.Reference}) })
}

func (v *vendor) ReadState(_ context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	state, err := v.w.ask("state", fact{ID: s.Reference})
	return handoff.SessionState(state), handoff.Party{Role: handoff.RoleAgent, ID: "zoe", Name: "Zoe"}, err
}

// refusal drops the errors that say that somebody else was faster.
func refusal(err error) error {
	var state *handoff.StateError
	var shut *handoff.UnavailableError
	for _, target := range []error{
		handoff.ErrStale, handoff.ErrWithdrawn, handoff.ErrExpired, handoff.ErrFull, handoff.ErrNotHolder, handoff.ErrOpen, handoff.ErrNotFound, context.Canceled,
		handoff.ErrConflict, // again and again, on a busy machine
	} {
		if errors.Is(err, target) {
			return nil
		}
	}
	if errors.As(err, &state) || errors.As(err, &shut) {
		return nil
	}
	return err
}

// reported drops an error that says that an answer did not come, and tells of
// it: users and agents try again then.
func reported(err error) error {
	if !noAnswer(err) {
		return err
	}
	fmt.Fprintln(os.Stderr, "no answer:", err)
	return nil
}

func crashChild(ctx context.Context, s handoff.Store) error {
	if wrap := plants[os.Getenv("CRASH_PLANT")]; wrap != nil {
		s = wrap(s)
	}
	w, err := newSurvivor(ctx, s, os.Getenv("CRASH_OUTSIDE"), newFuse(os.Getenv("CRASH_AT")))
	if err != nil {
		return err
	}
	if os.Getenv("CRASH_RESTS") != "" {
		if err := w.rests(ctx); err != nil {
			return err
		}
	}
	all := len(crashChats) + 2
	ended := make(chan error, all)
	go func() { ended <- w.e.Run(ctx) }()
	go func() { ended <- w.hear(ctx) }()
	for _, name := range crashChats {
		go func() { ended <- w.live(ctx, name) }()
	}
	// The first that fails is told of at once: without him the others may never
	// get to where this process is to die.
	for range all {
		if err := <-ended; err != nil {
			return err
		}
	}
	return nil
}

// rare are the steps that lead to calls that are rare.
var rare = map[string]int{"close": 7, "erase": 6, "delete": 7}

// live is what the people of a conversation do, one thing after the other. They
// slow down once the fuse is old: it waits then for what a back-off holds up,
// and what they would do meanwhile would only pile up behind it. Every second
// step is then what the fuse may wait for.
func (w *survivor) live(ctx context.Context, conversation string) error {
	for ctx.Err() == nil {
		dice, pause := rand.IntN(8), time.Millisecond
		if time.Now().After(w.fuse.old) {
			pause = 100 * time.Millisecond
			if aim := rare[w.fuse.kind]; aim > 0 && rand.IntN(2) == 0 {
				dice = aim
			}
		}
		if err := reported(refusal(w.step(ctx, conversation, dice))); err != nil && ctx.Err() == nil {
			return err
		}
		time.Sleep(time.Duration(rand.IntN(5)) * pause)
	}
	return nil
}

func (w *survivor) step(ctx context.Context, conversation string, dice int) error {
	h, err := w.e.Latest(ctx, conversation)
	if err != nil && !errors.Is(err, handoff.ErrNotFound) {
		return err
	}
	if dice < 3 {
		return w.write(ctx, conversation)
	}
	if strings.HasPrefix(conversation, fleeting) && dice > 5 {
		if !h.IsOpen() || h.State == handoff.StateBot {
			return w.clear(ctx, conversation, dice)
		}
	}
	switch h.State {
	case handoff.StateBot:
		if dice < 5 {
			_, err = w.e.Request(ctx, handoff.Request{Conversation: conversation, Queue: crashQueues[dice%2].Name})
		}
	case handoff.StateOffered:
		o := h.Offers[0]
		_, err = w.e.Accept(ctx, h.ID, handoff.By(o.Agent), o.Number)
	case handoff.StateActive:
		if h.Provider == "" {
			return w.help(ctx, &h, dice)
		}
		return w.act(&h, "")
	case handoff.StateConnecting, handoff.StateQueued:
		if dice == 7 { // the user has had enough, so that we close the chat
			_, err = w.e.Cancel(ctx, conversation, true)
			return err
		}
		return w.act(&h, "")
	default:
	}
	return err
}

// clear erases a conversation, or removes the first of its handoffs, as an engine
// does after a day at least. That one must have left no question to the next,
// for the checker would not know it.
func (w *survivor) clear(ctx context.Context, conversation string, dice int) error {
	if dice == 6 {
		return w.e.Erase(ctx, conversation)
	}
	all, err := w.e.List(ctx, handoff.Query{Conversation: conversation})
	if err != nil || len(all) < 2 {
		return err
	}
	first := &all[0]
	left := func(b handoff.Binding) bool { return b.Status != handoff.BindClosed }
	if first.IsOpen() || first.NextOwed() || len(first.Pending) > 0 || slices.ContainsFunc(first.Bindings(), left) {
		return nil
	}
	return w.s.Delete(ctx, first.ID, first.Version)
}

// write says what the user has to say: again, if nobody took it.
func (w *survivor) write(ctx context.Context, conversation string) error {
	id, err := w.ask("write", fact{Conversation: conversation})
	if err != nil {
		return err
	}
	turn, err := w.e.Receive(ctx, handoff.Incoming{Conversation: conversation, ID: id, Text: check.Mark(conversation, id)})
	if err != nil {
		return err
	}
	if err := w.tell("received", fact{Conversation: conversation, ID: id}); err != nil {
		return err
	}
	return w.answer(ctx, turn)
}

// help is what an agent does.
func (w *survivor) help(ctx context.Context, h *handoff.Handoff, dice int) error {
	by := handoff.By(h.Agent)
	var err error
	switch dice {
	case 3:
		_, err = w.e.Return(ctx, h.ID, by, "done")
	case 4:
		_, err = w.e.End(ctx, h.ID, by, handoff.Ending{Reason: "r"})
	default:
		var id string
		if id, err = w.ask("new", fact{}); err != nil {
			return err
		}
		if _, err = w.e.Send(ctx, h.ID, by, handoff.Message{ID: id, Text: check.Mark(h.ID.Conversation, id)}); err == nil {
			err = w.tell("said", fact{Conversation: h.ID.Conversation, ID: id})
		}
	}
	return err
}

// act lets the platform's agents do something.
func (w *survivor) act(h *handoff.Handoff, what string) error {
	for _, b := range h.Bindings() {
		if b.Status == handoff.BindOpen {
			return w.tell("act", fact{ID: b.Session.Reference, Text: what})
		}
	}
	return nil
}

// hear takes what the platform tells, and acknowledges it.
func (w *survivor) hear(ctx context.Context) error {
	for ctx.Err() == nil {
		answer, err := w.out.tell(fact{Kind: "event"})
		if err != nil {
			return err
		}
		if answer.Event == nil {
			time.Sleep(w.idle)
			continue
		}
		err = w.e.Deliver(ctx, "vendor", *answer.Event)
		if ctx.Err() != nil {
			return refusal(ctx.Err())
		}
		if noAnswer(err) || errors.Is(err, handoff.ErrConflict) { // the platform tells it again
			_ = reported(err)
			time.Sleep(w.idle)
			continue
		}
		if err != nil {
			return err
		}
		if err := w.tell("told", fact{ID: answer.Event.ID}); err != nil {
			return err
		}
	}
	return nil
}
