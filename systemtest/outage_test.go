package systemtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// An outage is a store that can be down, and counts how often it is called
// while it is. Whoever calls it more often than most has to wait, since no
// virtual time goes by in a loop that never does.
type outage struct {
	*handofftest.Store

	deaf bool // nor can be listened to
	most int

	mu    sync.Mutex
	down  bool
	calls map[string]int
}

func newOutage(inner handoff.Store, deaf bool, most int) *outage {
	s := &outage{Store: handofftest.NewStore(inner), deaf: deaf, most: most, calls: map[string]int{}}
	s.Plan(func(op string, _ handoff.ID) (f handofftest.Fault) {
		if s.count(op) {
			f.Before = handofftest.ErrStore
		}
		if s.total() > s.most {
			f.Delay = time.Minute
		}
		return f
	})
	return s
}

// count notes a call, and reports whether it fails.
func (s *outage) count(op string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		s.calls[op]++
	}
	return s.down
}

func (s *outage) total() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		n += c
	}
	return n
}

func (s *outage) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Listen ends when the store goes down, if it can be heard no more than read.
func (s *outage) Listen(ctx context.Context, f func(handoff.Hint)) error {
	inner := ability[handoff.Listener](s.Unwrap())
	if !s.deaf {
		return inner.Listen(ctx, f)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.count("Listen") {
		if s.total() > s.most {
			time.Sleep(time.Minute)
		}
		return handofftest.ErrStore
	}
	ended := make(chan error, 1)
	go func() { ended <- inner.Listen(ctx, f) }()
	for {
		select {
		case err := <-ended:
			return err
		case <-time.After(100 * time.Millisecond):
			s.mu.Lock()
			down := s.down
			s.mu.Unlock()
			if down {
				cancel()
				return errors.Join(<-ended, handofftest.ErrStore)
			}
		}
	}
}

// While a store is down, a running engine tries it at the pace of Poll and
// Sweep, and no hint makes it try more than a few times. That is counted in
// virtual time. Once the store is back, the engine does by itself what was
// left: its own work, and that of another one which had the store all the time.
func TestDownBackOff(t *testing.T) {
	const length = 10 * time.Minute
	// In each second a look for work and one more try to listen, both an eighth
	// early at times; in each five of them a sweep, of a handful of calls for each
	// of two queues; a hint is a read, and may be one of its queue.
	const seconds = int(length / time.Second)
	const most = 2*seconds*8/7 + 10*(seconds/5)*8/7
	for name, c := range map[string]struct {
		deaf  bool
		hints int // another engine's messages, meanwhile
		most  int // calls of the store
	}{
		"nothing of it works":       {deaf: true, most: most},
		"hints come, and no answer": {hints: seconds, most: most + 3*seconds},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New()
				s := newOutage(mem, c.deaf, c.most)
				channel, logs := &shown{}, &bytes.Buffer{}
				cfg := handoff.Config{
					Store: s, Channel: channel, Logger: slog.New(slog.NewTextHandler(logs, nil)), Poll: time.Second, Sweep: 5 * time.Second,
					Queues:    []handoff.Queue{{Name: "desk", OfferTimeout: time.Hour}, {Name: "pull", Style: handoff.Pull}},
					Directory: handoff.Staff{{ID: "ann", Queues: []string{"desk", "pull"}, Seats: 2}},
				}
				e, err := handoff.New(cfg)
				require.NoError(t, err)
				cfg.Store = deaf{mem}
				other, err := handoff.New(cfg) // does not run
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- e.Run(ctx) }()
				out, err := e.Request(ctx, handoff.Request{Conversation: "c", Queue: "pull"})
				require.NoError(t, err)
				_, err = e.Accept(ctx, out.Handoff.ID, handoff.By("ann"), 0)
				require.NoError(t, err)
				synctest.Wait()

				s.set(true)
				for i := range c.hints {
					_, err := other.Send(ctx, out.Handoff.ID, handoff.By("ann"), handoff.Message{ID: fmt.Sprint("m", i), Text: fmt.Sprint("m", i)})
					require.NoError(t, err)
					if i%20 == 0 {
						_, err := other.Request(ctx, handoff.Request{Conversation: "d", Queue: "desk"})
						require.NoError(t, err)
						if i+20 < c.hints { // the last one stays
							_, err = other.Cancel(ctx, "d", false)
							require.NoError(t, err)
						}
					}
					time.Sleep(length / time.Duration(c.hints))
				}
				if c.hints == 0 {
					time.Sleep(length)
				}
				calls := s.total()
				t.Logf("%v: %d calls: %v", length, calls, maps.Clone(s.calls))
				require.LessOrEqual(t, calls, c.most)
				require.Empty(t, channel.said())

				s.set(false)
				if c.hints == 0 {
					time.Sleep(2 * cfg.Poll) // it listens
					_, err := other.Send(ctx, out.Handoff.ID, handoff.By("ann"), handoff.Message{ID: "m", Text: "m"})
					require.NoError(t, err)
					_, err = other.Request(ctx, handoff.Request{Conversation: "d", Queue: "desk"})
					require.NoError(t, err)
				}
				time.Sleep(time.Minute)
				assert.Len(t, channel.said(), max(1, c.hints))
				h, err := other.Latest(ctx, "d")
				require.NoError(t, err)
				assert.Equal(t, handoff.StateOffered, h.State)
				cancel()
				require.NoError(t, <-done)
				told := map[bool]int{true: 1}[c.deaf]
				for _, line := range []string{"listening failed", "listening again"} {
					assert.Equal(t, told, strings.Count(logs.String(), line), line)
				}
			})
		})
	}
}
