package handoff

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
)

// What was learned about a queue is kept in the store. Each commit is seen by
// the one engine that made it, which notes what it teaches and adds it to the
// stored lesson now and then. Adding is commutative, so all replicas come to
// the same; a crash loses the last seconds of one.

// What was noted is stored that much later, and lessons are read anew after
// that time.
const lessonEvery = 10 * time.Second

// lessonName is the name under which the lessons of a queue are kept.
func lessonName(queue string) string { return keptName(queue) }

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
	h, err := e.recallKept(ctx, lessonName(q.Name))
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

// adopt takes over a stored lesson.
func (k *taught) adopt(h *Handoff) {
	if h.ID.Number == k.number {
		return
	}
	k.number = h.ID.Number
	k.known = models{
		Modes: union(k.prior, h.own.Kept.Modes, k.fresh.Modes),
		Lines: union(estimate.Prior{}, h.own.Kept.Lines, k.fresh.Lines),
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

// addLesson stores the union of the stored lesson and of mine.
func (e *Engine) addLesson(ctx context.Context, q *Queue, mine models) (*Handoff, error) {
	added, err := e.keep(ctx, lessonName(q.Name), func(last *kept) *kept {
		next := models{
			Modes: union(estimate.Prior{}, last.Modes, mine.Modes),
			Lines: union(estimate.Prior{}, last.Lines, mine.Lines),
		}
		// Replicas may have met different lines.
		for _, line := range slices.Sorted(maps.Keys(next.Lines))[min(mostLines, len(next.Lines)):] {
			delete(next.Lines, line)
		}
		return &kept{models: next}
	})
	if err == nil {
		e.shorten(ctx, added)
	}
	return added, err
}
