package redisstore

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// hints gathers what changed and tells other processes now and then, outside
// the commits.
type hints struct {
	s    *Store
	mu   sync.Mutex
	ids  map[handoff.ID]string // with the queue that may have work, or ""
	busy bool                  // a flush is coming
	last time.Time             // when the last one was
}

func newHints(s *Store) *hints { return &hints{s: s, ids: map[handoff.ID]string{}} }

func (h *hints) add(r *handoff.Record) {
	if h.s.opt.NoListen {
		return
	}
	queue := ""
	if r.Line != "" && r.Agent == "" { // who is being asked has been found
		queue = r.Queue
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids[r.ID] = queue
	if !h.busy {
		// The first hint goes at once; those that follow it closely wait for
		// each other.
		h.busy = true
		time.AfterFunc(time.Until(h.last.Add(h.s.opt.HintEvery)), h.flush)
	}
}

type hint struct {
	C string `json:"c,omitempty"`
	N int64  `json:"n,omitempty"`
	Q string `json:"q,omitempty"`
}

// maxHints is how many hints one flush sends. Polling finds what the others
// would have told.
const maxHints = 2000

// flush sends what has gathered.
func (h *hints) flush() {
	h.mu.Lock()
	ids := h.ids
	h.ids = map[handoff.ID]string{}
	h.busy, h.last = false, time.Now()
	h.mu.Unlock()
	list := make([]hint, 0, min(len(ids), maxHints))
	for id, queue := range ids {
		if len(list) == maxHints {
			break
		}
		list = append(list, hint{C: id.Conversation, N: id.Number, Q: queue})
	}
	payload, err := json.Marshal(list)
	if err != nil || len(list) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// A hint that is lost costs latency only.
	_ = h.s.client.Publish(ctx, h.s.channel(), payload).Err()
}

// channel is the name that hints of this prefix go by.
func (s *Store) channel() string { return s.name + "hints" }

// Listen is handoff.Listener's. It uses a connection of its own.
func (s *Store) Listen(ctx context.Context, f func(handoff.Hint)) error {
	if s.opt.NoListen {
		<-ctx.Done()
		return nil
	}
	if ctx.Err() != nil {
		return nil
	}
	sub := s.client.Subscribe(ctx, s.channel())
	defer func() { _ = sub.Close() }()
	// Reading does not end with the context by itself.
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer stop()
	for {
		m, err := sub.ReceiveMessage(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return wrap(ctx, "listen", err)
		}
		var list []hint
		_ = json.Unmarshal([]byte(m.Payload), &list) // what is not ours is no hint
		for _, h := range list {
			f(handoff.Hint{ID: handoff.ID{Conversation: h.C, Number: h.N}, Queue: h.Q})
		}
	}
}
