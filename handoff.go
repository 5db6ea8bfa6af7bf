package handoff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// An Engine moves conversations between bots and people. Its methods are safe
// for concurrent use, and any number of engines may share one Store: that is
// the whole cluster story.
type Engine struct {
	cfg       Config
	rules     *rules
	store     Store
	providers map[string]Provider
	log       *slog.Logger
	hub       *hub
	work      *work
	pace      *pace
	taught    *teaching
	outlooks  *outlooks
	skills    *skillSet
	roster    *roster
	begun     *recent[ID, struct{}]    // the handoffs before which nothing is left to show
	stuck     *recent[ID, time.Time]   // when the channel is tried again with a handoff
	reached   *recent[receiver, int64] // how far cursors were seen to be
	warm      *recent[ID, *Handoff]    // what this engine committed a moment ago
	early     atomic.Int64             // by how much our clock is ahead of the store's, as the last claim told
	tx        *transaction             // of the host; nil: none
}

// New checks cfg and returns an engine. It starts nothing: call Run in at
// least one process that shares the store. What is wrong with cfg comes back
// at once as a *ConfigError.
func New(cfg Config) (*Engine, error) {
	if p := cfg.problems(); len(p) > 0 {
		return nil, &ConfigError{Problems: p}
	}
	cfg.Queues, cfg.Choose, cfg.Providers, cfg.Sinks = slices.Clone(cfg.Queues), slices.Clone(cfg.Choose), slices.Clone(cfg.Providers), maps.Clone(cfg.Sinks)
	cfg.resolve()
	e := &Engine{
		pace: newPace(), taught: newTeaching(), outlooks: newOutlooks(),
		cfg: cfg, rules: cfg.rules(), store: cfg.Store, log: cfg.Logger,
		providers: map[string]Provider{}, hub: newHub(), work: newWork(), skills: newSkillSet(), roster: newRoster(),
		begun: newRecent[ID, struct{}](mostRecent), stuck: newRecent[ID, time.Time](mostRecent), reached: newRecent[receiver, int64](mostRecent),
		warm: newWarm(),
	}
	for _, p := range cfg.Providers {
		e.providers[p.Info().Name] = p
	}
	return e, nil
}

// now has the precision of stores.
func now() time.Time { return time.Now().Truncate(time.Millisecond) }

// storeNow is the time by which deadlines fire. A clock that is ahead of the
// store's would end early what others still count on.
func (e *Engine) storeNow() time.Time { return now().Add(-time.Duration(e.early.Load())) }

// newID returns an id for something that the caller did not name.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	return id.String()
}

// A StoreError is a store call that failed.
type StoreError struct {
	Op  string
	Err error
}

func (e *StoreError) Error() string { return fmt.Sprintf("handoff: store: %s: %v", e.Op, e.Err) }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// call runs a store call under its timeout. Answers of the store come back as
// they are, failures as *StoreError.
func (e *Engine) call(ctx context.Context, op string, id ID, f func(context.Context) error) error {
	ctx, c, err := e.begin(ctx, op, id)
	if err != nil {
		return err
	}
	return c.done(f(ctx))
}

// A storeCall is a store call under way.
type storeCall struct {
	e     *Engine
	op    string
	limit *limit
	end   func(error)
}

// begin starts a store call; its error goes to done. It is call for what
// happens often: a function for each call would move its variables to the heap.
func (e *Engine) begin(ctx context.Context, op string, id ID) (context.Context, storeCall, error) {
	if err := checkContext(ctx); err != nil {
		return nil, storeCall{}, err
	}
	c := storeCall{e: e, op: op, limit: within(ctx, e.cfg.StoreTimeout)}
	ctx = c.limit
	if e.cfg.Hooks.Span != nil {
		ctx, c.end = e.cfg.Hooks.span(ctx, "store."+op, id)
	}
	return ctx, c, nil
}

func (c *storeCall) done(err error) error {
	c.limit.stop()
	if c.end != nil {
		c.end(err)
	}
	if err == nil || isAnswer(err) {
		return err
	}
	if !errors.Is(err, context.Canceled) {
		c.e.doubt()
	}
	return &StoreError{Op: c.op, Err: err}
}

// isAnswer reports whether a store meant what it said.
func isAnswer(err error) bool {
	var held *HeldError
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) || errors.Is(err, ErrDuplicate) ||
		errors.Is(err, ErrLeased) || errors.As(err, &held)
}

// get reads a handoff. The result is shared: nobody changes it.
func (e *Engine) get(ctx context.Context, id ID) (h *Handoff, err error) {
	ctx, c, err := e.begin(ctx, "get", id)
	if err != nil {
		return nil, err
	}
	r, err := e.store.Get(ctx, id)
	if err == nil {
		h, err = r.decode()
	}
	return h, c.done(err)
}

// latest reads the latest handoff of a conversation; nil if there is none. An
// erased conversation has a tombstone under another name, which keeps the
// number and the hashed ids.
func (e *Engine) latest(ctx context.Context, conversation string) (*Handoff, error) {
	h, err := e.newest(ctx, conversation)
	if h != nil || err != nil {
		return h, err
	}
	h, err = e.newest(ctx, tombstone(conversation))
	if h != nil && h.own.Tombstone {
		c := *h
		c.ID.Conversation = conversation
		h = &c
	}
	return h, err
}

// newest is latest without a look for a tombstone.
func (e *Engine) newest(ctx context.Context, conversation string) (h *Handoff, err error) {
	ctx, c, err := e.begin(ctx, "latest", ID{Conversation: conversation})
	if err != nil {
		return nil, err
	}
	r, err := e.store.Latest(ctx, conversation)
	if err == nil {
		h, err = r.decode()
	}
	if err = c.done(err); errors.Is(err, ErrNotFound) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	return h, err
}

// entry looks for an entry by its id.
func (e *Engine) entry(ctx context.Context, id ID, entry string) (found *Entry, err error) {
	ctx, c, err := e.begin(ctx, "entry", id)
	if err != nil {
		return nil, err
	}
	r, err := e.store.Entry(ctx, id, entry)
	if err == nil {
		found, err = r.decode(id)
	}
	err = c.done(err)
	if errors.Is(err, ErrNotFound) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	return found, err
}

// outcome is what became of a command.
type outcome struct {
	h       *Handoff
	entries []Entry
	replay  *Entry // set when the command had been applied before
}

// first returns the entry that the command made.
func (o *outcome) entry(kind Kind) Entry {
	if o.replay != nil {
		return *o.replay
	}
	for i := range o.entries {
		if o.entries[i].Kind == kind {
			return o.entries[i]
		}
	}
	return Entry{}
}

// tries bounds how often a command is decided again after losing a race.
const tries = 25

// do applies a command to a handoff: read (or recall, see warm.go), decide,
// commit; again when somebody else was faster. build makes the command from
// what was read, so that its facts are fresh.
func (e *Engine) do(ctx context.Context, id ID, op string, build func(*Handoff) (command, error)) (outcome, error) {
	if err := checkContext(ctx); err != nil {
		return outcome{}, err
	}
	var unknown error
	h := e.warmed(id)
	warm := h != nil
	for try := 0; ; try++ {
		var err error
		if !warm {
			h, err = e.get(ctx, id)
		}
		if err != nil {
			return outcome{}, unclear(unknown, err)
		}
		if unknown != nil {
			// After an unknown outcome: look for the entry, and only then decide.
			if found, err := e.entry(ctx, id, op); err != nil || found != nil {
				return outcome{h: h, replay: found}, unclear(unknown, err)
			}
		}
		c, err := build(h)
		if err == nil {
			var o outcome
			o, err = e.apply(ctx, h, c, op)
			if err == nil {
				return o, nil
			}
		}
		was := warm
		warm = false
		switch {
		case errors.Is(err, ErrDuplicate):
			return e.replayed(ctx, id, op, err)
		case was && !isUnknown(err):
			e.warm.drop(id)
			try--
		case errors.Is(err, ErrConflict) && try < tries:
			if e.cfg.Hooks.Conflict != nil {
				e.cfg.Hooks.Conflict(ctx, id, try)
			}
			if err := backOff(ctx, err, try); err != nil {
				return outcome{}, unclear(unknown, err)
			}
		case isUnknown(err) && try < 3:
			unknown = err
			if err := backOff(ctx, err, try); err != nil {
				return outcome{}, unclear(unknown, err)
			}
		case isUnknown(err):
			return outcome{}, unclear(err, err)
		default:
			// A refusal may come from the command's own success.
			if found, ferr := e.entry(ctx, id, op); ferr == nil && found != nil {
				return e.replayed(ctx, id, op, err)
			}
			return outcome{h: h}, err
		}
	}
}

func (e *Engine) replayed(ctx context.Context, id ID, op string, cause error) (outcome, error) {
	h, err := e.get(ctx, id)
	if err != nil {
		return outcome{}, err
	}
	found, err := e.entry(ctx, id, op)
	if err != nil {
		return outcome{}, err
	}
	if found == nil {
		return outcome{h: h}, cause
	}
	return outcome{h: h, replay: found}, nil
}

// commitError marks a commit whose outcome is unknown.
type commitError struct{ err error }

func (e *commitError) Error() string { return e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

func isUnknown(err error) bool {
	var c *commitError
	return errors.As(err, &c)
}

// unclear says that a command may have been applied.
func unclear(unknown, err error) error {
	if unknown == nil || err == nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// backOff waits a little after a try that ended with cause, longer after each,
// with jitter. The first race lost is mostly to this engine itself, which tells
// a user his place at the same moment: reading again is enough.
func backOff(ctx context.Context, cause error, try int) error {
	if retry(cause) {
		if try--; try < 0 {
			return ctx.Err()
		}
	}
	d := time.Duration(1+rand.IntN(1+4<<min(try, 6))) * time.Millisecond
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// apply decides one command on what was read, and commits.
func (e *Engine) apply(ctx context.Context, h *Handoff, c command, op string) (outcome, error) {
	at := now()
	if _, ok := c.(cFire); ok {
		at = e.storeNow()
	}
	next, entries, err := e.rules.decide(h, c, op, at)
	if err != nil {
		return outcome{}, err
	}
	e.redactCommit(ctx, h, next, entries)
	// The value that the store keeps has the version it will be read at.
	next.Version = h.Version + 1
	rec := e.rules.record(next)
	rec.Version = h.Version
	if rec.Version == 0 {
		rec.Keys = append(rec.Keys, rec.ID.opening())
	}
	list := make([]RecordEntry, len(entries))
	for i := range entries {
		en := &entries[i]
		list[i] = RecordEntry{ID: en.ID, Seq: en.Seq, At: en.At, Body: Body{value: en}}
	}
	sctx, call, err := e.begin(ctx, "commit", next.ID)
	if err != nil {
		return outcome{}, err
	}
	if err = e.refused(call.done(e.store.Commit(sctx, rec, list...))); err != nil {
		return outcome{}, err
	}
	e.after(func(e *Engine) { e.committed(background(ctx), h, next, entries, c) })
	return outcome{h: next, entries: entries}, nil
}

// refused turns what a store said about a commit into what a caller can use.
func (e *Engine) refused(err error) error {
	var held *HeldError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &held):
		return keyError(held)
	case isAnswer(err):
		return err
	}
	return &commitError{err: err}
}

// keyError says what a key that is held means to a caller.
func keyError(held *HeldError) error {
	switch name, rest, _ := strings.Cut(held.Key, "/"); name {
	case "seat", "queueseat", "channelseat":
		return ErrFull
	case "queue":
		return &UnavailableError{Queue: rest, Why: ReasonFull}
	}
	return ErrConflict // somebody opened or bound the same: read again
}

// background detaches work for others from the caller.
func background(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
