package systemtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// backlogOf is how much has piled up: HANDOFF_BACKLOG, or 2,000 deliveries and
// timers, or 400 under -short.
func backlogOf(t *testing.T) int {
	t.Helper()
	s := os.Getenv("HANDOFF_BACKLOG")
	switch {
	case s == "" && testing.Short():
		return 400
	case s == "":
		return 2000
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, 2*lines)
	return n
}

const lines = 10 // of each chat of a backlog

// While no engine ran, messages were stored and timers came due. When two start,
// all of it is worked through: in order within a conversation, each message shown
// once, each timer fired once. No call of the store asks for all there is, and
// what the engines keep is bounded.
func TestBacklog(t *testing.T) {
	n := backlogOf(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			place := k.place(t)
			stores := []handoff.Store{mustOpen(t, k, place), nil}
			if stores[1] = stores[0]; k.durable {
				stores[1] = mustOpen(t, k, place)
			}
			b := &backlog{next: map[string]int{}}
			cfg := handoff.Config{
				Channel: b, Overdue: 100 * time.Millisecond,
				Lease: time.Minute, // a busy machine is no reason to do something again
				Queues: []handoff.Queue{
					{Name: "chat", Style: handoff.Pull, IdleTimeout: handoff.Never},
					{Name: "late", Style: handoff.Pull, Ladder: []handoff.Rung{{After: time.Millisecond, Do: handoff.ToBot}}},
				},
				Directory: handoff.Staff{{ID: "ann", Queues: []string{"chat"}, Seats: n}},
			}
			engines := make([]*handoff.Engine, len(stores))
			for i := range engines {
				var err error
				cfg.Store = &frugal{Store: stores[i], t: t}
				engines[i], err = handoff.New(cfg)
				require.NoError(t, err)
			}
			begun := time.Now()
			chats, late := pileUp(t, engines[0], n)
			t.Logf("%d lines of %d chats and %d timers piled up in %v", len(chats)*lines, len(chats), len(late), time.Since(begun).Round(time.Millisecond))

			begun, b.base = time.Now(), heap()
			for _, e := range engines {
				runUntilEnd(t, e)
			}
			eventually(t, "the last line", func() bool { return b.done(len(chats) * lines) })
			// Who acknowledged nothing would have to show it again.
			eventually(t, "the last acknowledgement", func() bool {
				got, err := stores[0].Claim(t.Context(), handoff.Claim{Now: time.Now(), Lease: time.Millisecond, Limit: 1, Sinks: []string{"channel"}})
				return b.isWrong() || err == nil && len(got.Overdue) == 0
			})
			for _, id := range late {
				eventually(t, "a timer", func() bool {
					h, err := engines[0].Get(t.Context(), id)
					return err == nil && h.State != handoff.StateWaiting
				})
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			t.Logf("done in %v, %.1f MB more on the heap at most", time.Since(begun).Round(time.Millisecond), float64(b.peak)/1e6)
			assert.Empty(t, b.wrong)
			assert.LessOrEqual(t, b.peak, int64(48<<20))
			for i := range late {
				if i%max(1, len(late)/500) == 0 {
					log, err := engines[0].Log(t.Context(), late[i], 0, 100)
					require.NoError(t, err)
					fired := slices.DeleteFunc(log, func(e handoff.Entry) bool { return e.Kind != handoff.KindMissed })
					require.Len(t, fired, 1, "%v", late[i])
				}
			}
		})
	}
}

// pileUp stores n things that somebody has to do: half of them lines of chats that
// are to be shown, half of them timers that are due.
func pileUp(t *testing.T, e *handoff.Engine, n int) (chats, late []handoff.ID) {
	t.Helper()
	chats, late = make([]handoff.ID, n/2/lines), make([]handoff.ID, n/2)
	ctx := t.Context()
	ask := func(name, queue string) (handoff.ID, error) {
		out, err := e.Request(ctx, handoff.Request{Conversation: name, Queue: queue})
		return out.Handoff.ID, err
	}
	errs := make(chan error, 8)
	for hand := range cap(errs) {
		go func() {
			errs <- func() (err error) {
				for i := hand; i < len(chats); i += cap(errs) {
					if chats[i], err = ask(fmt.Sprint("c", i), "chat"); err != nil {
						return err
					}
					if _, err = e.Accept(ctx, chats[i], handoff.By("ann"), 0); err != nil {
						return err
					}
					for line := range lines {
						text := strconv.Itoa(line)
						if _, err = e.Send(ctx, chats[i], handoff.By("ann"), handoff.Message{ID: text, Text: text}); err != nil {
							return err
						}
					}
				}
				for i := hand; i < len(late); i += cap(errs) {
					if late[i], err = ask(fmt.Sprint("l", i), "late"); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	return chats, late
}

// A backlog is the Channel to which lines are shown. A chat's lines are numbers,
// so that of each it need only know the next.
type backlog struct {
	mu    sync.Mutex
	next  map[string]int
	lines int
	wrong []string
	base  int64
	peak  int64 // of the heap, beyond base
}

func (b *backlog) Show(_ context.Context, conversation string, m handoff.UserMessage) error {
	if m.Notice != "" {
		return nil
	}
	time.Sleep(time.Millisecond) // in which another one may do the same
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.Text != strconv.Itoa(b.next[conversation]) && len(b.wrong) < 10 {
		b.wrong = append(b.wrong, fmt.Sprintf("%s: line %s is shown after %d", conversation, m.Text, b.next[conversation]))
	}
	b.next[conversation]++
	if b.lines++; b.lines%500 == 0 {
		b.peak = max(b.peak, heap()-b.base)
	}
	return nil
}

func (b *backlog) done(lines int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines >= lines || len(b.wrong) > 0
}

func (b *backlog) isWrong() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.wrong) > 0
}

// heap is how much of it is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // it is not that much
}

// frugal is a store that gives nobody all there is.
type frugal struct {
	handoff.Store
	t *testing.T
}

func (s *frugal) Unwrap() handoff.Store { return s.Store }

func (s *frugal) check(what string, limit int) {
	if limit <= 0 || limit > 5000 {
		s.t.Errorf("%s with a limit of %d", what, limit)
	}
}

func (s *frugal) Claim(ctx context.Context, c handoff.Claim) (handoff.Claimed, error) {
	s.check("Claim", c.Limit)
	return s.Store.Claim(ctx, c)
}

func (s *frugal) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	if q.Conversation == "" {
		s.check("List", q.Limit)
	}
	return s.Store.List(ctx, q)
}

func (s *frugal) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	s.check("Log", limit)
	return s.Store.Log(ctx, id, after, limit)
}
