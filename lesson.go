package handoff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
)

// lesson is what was learned about a queue, as a store keeps it.
//
// Each commit is seen by the one engine that made it, which notes what it
// teaches and adds it to the stored lesson now and then. Adding is commutative,
// so all replicas come to the same; a crash loses the last seconds of one.
type lesson struct {
	models
	By    string   `json:"by,omitempty"`    // who added last
	Asked []asking `json:"asked,omitempty"` // instead of models: see Engine.spend
}

// What was noted is stored that much later, and lessons are read anew after
// that time.
const lessonEvery = 10 * time.Second

// lessonsKept is how many of a queue's last lessons stay in the store.
const lessonsKept = 4

// lessonName is the conversation under which the lessons of a queue are stored.
func lessonName(queue string) string {
	sum := sha256.Sum256([]byte(queue))
	return "learned:" + hex.EncodeToString(sum[:])
}

// recall reads what was learned about a queue by all replicas, if that was not
// done lately. If it cannot be read, what is known already has to do.
func (e *Engine) recall(ctx context.Context, q *Queue) {
	at := now()
	e.taught.mu.Lock()
	k := e.taught.of(q)
	due := at.Sub(k.read) >= lessonEvery || at.Before(k.read)
	if due {
		k.read = at
	}
	e.taught.mu.Unlock()
	if !due {
		return
	}
	h, err := e.kept(ctx, lessonName(q.Name))
	if err != nil {
		e.log.WarnContext(ctx, "what was learned cannot be read", "error", err)
		return
	}
	if h != nil {
		e.taught.mu.Lock()
		k.adopt(h)
		e.taught.mu.Unlock()
	}
}

// kept returns what the engines keep under a name, or nil.
func (e *Engine) kept(ctx context.Context, name string) (h *Handoff, err error) {
	err = e.call(ctx, "latest", ID{Conversation: name}, func(ctx context.Context) error {
		r, err := e.store.Latest(ctx, name)
		if err == nil {
			h, err = r.decode()
		}
		return err
	})
	return h, ignore(err, ErrNotFound)
}

// adopt takes over a stored lesson.
func (k *taught) adopt(h *Handoff) {
	if h.ID.Number == k.number {
		return
	}
	k.number = h.ID.Number
	k.known = models{
		Modes: union(k.prior, h.own.Lesson.Modes, k.fresh.Modes),
		Lines: union(estimate.Prior{}, h.own.Lesson.Lines, k.fresh.Lines),
	}
}

// union returns new models that saw what those of all saw.
func union[K comparable](prior estimate.Prior, all ...map[K]*estimate.Model) map[K]*estimate.Model {
	out := map[K]*estimate.Model{}
	for _, some := range all {
		for key, m := range some {
			if out[key] == nil {
				out[key] = estimate.NewModel(prior)
			}
			out[key].Merge(m)
		}
	}
	return out
}

// keepLessons stores what is fresh about each queue, when it is that old. What
// cannot be stored now will be later.
func (e *Engine) keepLessons(ctx context.Context, age time.Duration) {
	for _, q := range e.rules.queues {
		if err := e.keepLesson(ctx, q, age); err != nil {
			e.log.WarnContext(ctx, "what was learned is not stored", "error", err)
		}
	}
}

// keepLesson adds what is fresh about a queue to the stored lesson, when the
// first of it is that old.
func (e *Engine) keepLesson(ctx context.Context, q *Queue, age time.Duration) error {
	at := now()
	e.taught.mu.Lock()
	k := e.taught.of(q)
	if k.news.IsZero() || at.Sub(k.news) < age && !at.Before(k.news) {
		e.taught.mu.Unlock()
		return nil
	}
	mine := k.fresh
	k.fresh, k.news = newModels(), time.Time{}
	e.taught.mu.Unlock()

	stored, err := e.addLesson(ctx, q, mine)

	e.taught.mu.Lock()
	defer e.taught.mu.Unlock()
	if err != nil {
		k.noted()
		k.fresh = models{Modes: union(k.prior, mine.Modes, k.fresh.Modes), Lines: union(estimate.Prior{}, mine.Lines, k.fresh.Lines)}
		return err
	}
	k.read = at
	k.adopt(stored)
	return nil
}

// addLesson stores the union of the stored lesson and of mine. A lesson is
// never changed: the next one has the next number, which exactly one writer
// can insert. Old ones are deleted, save the last few, among which a writer who
// heard nothing finds whether his was stored.
func (e *Engine) addLesson(ctx context.Context, q *Queue, mine models) (*Handoff, error) {
	by := newID()
	for try := 0; ; try++ {
		last, err := e.kept(ctx, lessonName(q.Name))
		if err != nil {
			return nil, err
		}
		next := nextLesson(q, last, mine, by)
		err = e.insertKept(ctx, next)
		if err == nil {
			e.deleteKept(ctx, next)
			return next, nil
		}
		if !errors.Is(err, ErrConflict) || try >= tries {
			return nil, err
		}
		if err := backOff(ctx, try); err != nil {
			return nil, err
		}
	}
}

// nextLesson is the lesson that follows last, which may be nil.
func nextLesson(q *Queue, last *Handoff, mine models, by string) *Handoff {
	next := nextKept(lessonName(q.Name), last)
	var stored models
	if last != nil {
		stored = last.own.Lesson.models
	}
	next.own.Lesson = lesson{By: by, models: models{
		Modes: union(estimate.Prior{}, stored.Modes, mine.Modes),
		Lines: union(estimate.Prior{}, stored.Lines, mine.Lines),
	}}
	// Replicas may have met different lines.
	lines := next.own.Lesson.Lines
	for _, line := range slices.Sorted(maps.Keys(lines))[min(mostLines, len(lines)):] {
		delete(lines, line)
	}
	return next
}

// nextKept is an empty record that follows last, which may be nil.
func nextKept(name string, last *Handoff) *Handoff {
	at := now()
	next := &Handoff{
		ID: ID{Conversation: name, Number: 1}, Version: 1, Seq: 1,
		State: StateEnded, Created: at, Updated: at,
	}
	if last != nil {
		next.ID.Number = last.ID.Number + 1
	}
	next.own.Tombstone = true
	return next
}

func (e *Engine) insertKept(ctx context.Context, h *Handoff) error {
	rec := e.rules.record(h)
	rec.Version = 0
	en := &Entry{ID: h.own.Lesson.By, Handoff: h.ID, Seq: 1, At: h.Created, Kind: KindTimer, State: h.State}
	err := e.call(ctx, "commit", h.ID, func(ctx context.Context) error {
		return e.store.Commit(ctx, rec, RecordEntry{ID: en.ID, Seq: en.Seq, At: en.At, Body: Body{value: en}})
	})
	if err != nil && !isAnswer(err) {
		// Unknown: it may have been stored.
		if found, ferr := e.get(ctx, h.ID); ferr == nil && found.own.Lesson.By == h.own.Lesson.By {
			return nil
		}
	}
	return err
}

// deleteKept removes what is no longer needed once h is stored.
func (e *Engine) deleteKept(ctx context.Context, h *Handoff) {
	old := ID{Conversation: h.ID.Conversation, Number: h.ID.Number - lessonsKept}
	if old.Number < 1 {
		return
	}
	err := e.call(ctx, "delete", old, func(ctx context.Context) error { return e.store.Delete(ctx, old, 1) })
	if err != nil {
		e.log.WarnContext(ctx, "an old lesson stays", "error", err)
	}
}
