package pgstore

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// hints gathers what changed and tells other processes now and then, outside
// the commits: a transaction that notifies takes a lock of the whole server.
type hints struct {
	s    *Store
	mu   sync.Mutex
	ids  map[handoff.ID]string // with the queue that may have work, or ""
	busy bool                  // a flush is on its way
	held bool                  // nothing is sent before release
}

func newHints(s *Store) *hints { return &hints{s: s, ids: map[handoff.ID]string{}} }

func (h *hints) add(r handoff.Record) {
	if h.s.opt.NoListen {
		return
	}
	queue := ""
	if r.Line != "" {
		queue = r.Queue
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids[r.ID] = queue
	if !h.busy && !h.held {
		h.busy = true
		time.AfterFunc(h.s.opt.HintEvery, h.flush)
	}
}

// release passes what was held back on to the store's own hints.
func (h *hints) release() {
	h.mu.Lock()
	ids := h.ids
	h.ids = map[handoff.ID]string{}
	h.mu.Unlock()
	for id, queue := range ids {
		r := handoff.Record{ID: id, Queue: queue}
		if queue != "" {
			r.Line = "x"
		}
		h.s.hints.add(r)
	}
}

type hint struct {
	C string `json:"c,omitempty"`
	N int64  `json:"n,omitempty"`
	Q string `json:"q,omitempty"`
}

// flush sends what has gathered. Hints that do not fit are left out: polling
// finds what they would have told.
func (h *hints) flush() {
	h.mu.Lock()
	ids := h.ids
	h.ids = map[handoff.ID]string{}
	h.busy = false
	h.mu.Unlock()
	const most = 7000 // a payload has less than 8000 bytes
	payload := []byte{'['}
	for id, queue := range ids {
		b, err := json.Marshal(hint{C: id.Conversation, N: id.Number, Q: queue})
		if err != nil || len(payload)+len(b) > most {
			continue
		}
		if len(payload) > 1 {
			payload = append(payload, ',')
		}
		payload = append(payload, b...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// A hint that is lost costs latency only.
	_, _ = h.s.pool.Exec(ctx, "SELECT pg_notify($1, $2)", h.s.channel(), string(append(payload, ']')))
}

// channel is the name that hints of this schema go by; names are short, so a
// long schema is hashed.
func (s *Store) channel() string {
	f := fnv.New64a()
	_, _ = f.Write([]byte(s.schema))
	return fmt.Sprintf("handoff_%x", f.Sum64())
}

// Listen is handoff.Listener's. It uses a connection of its own.
func (s *Store) Listen(ctx context.Context, f func(handoff.Hint)) error {
	if s.opt.NoListen {
		<-ctx.Done()
		return nil
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return stopped(ctx, wrap("listen", err))
	}
	// The connection has state now and is of no use to others.
	raw := conn.Hijack()
	defer func() { _ = raw.Close(context.WithoutCancel(ctx)) }()
	if _, err := raw.Exec(ctx, "LISTEN "+s.channel()); err != nil {
		return stopped(ctx, wrap("listen", err))
	}
	for {
		n, err := raw.WaitForNotification(ctx)
		if err != nil {
			return stopped(ctx, wrap("listen", err))
		}
		var list []hint
		if json.Unmarshal([]byte(n.Payload), &list) != nil {
			continue
		}
		for _, h := range list {
			f(handoff.Hint{ID: handoff.ID{Conversation: h.C, Number: h.N}, Queue: h.Q})
		}
	}
}

func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
