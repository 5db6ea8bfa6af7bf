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
	ids  map[handoff.ID]told
	busy bool      // a flush is coming
	last time.Time // when the last one was
	held bool      // nothing is sent before release
}

// told is what a hint tells of a record.
type told struct {
	version int64
	queue   string // that may have work, or ""
	line    string
}

func newHints(s *Store) *hints { return &hints{s: s, ids: map[handoff.ID]told{}} }

// add tells of a commit of r.
func (h *hints) add(r handoff.Record) {
	const long = 500 // lines are left out
	t := told{version: r.Version + 1}
	if r.Line != "" && r.Agent == "" { // who is being asked has been found
		t.queue = r.Queue
		if len(r.Line) <= long {
			t.line = r.Line
		}
	}
	h.put(r.ID, t)
}

func (h *hints) put(id handoff.ID, t told) {
	if h.s.opt.NoListen {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ids[id].version > t.version {
		return // an earlier commit, whose caller comes later
	}
	h.ids[id] = t
	if h.busy || h.held {
		return
	}
	// The first hint goes at once; those that follow it closely wait for each
	// other.
	h.busy = true
	if wait := time.Until(h.last.Add(h.s.opt.HintEvery)); wait > 0 {
		time.AfterFunc(wait, h.flush)
	} else {
		go h.flush()
	}
}

// release passes what was held back on to the store's own hints.
func (h *hints) release() {
	h.mu.Lock()
	ids := h.ids
	h.ids = map[handoff.ID]told{}
	h.mu.Unlock()
	for id, t := range ids {
		h.s.hints.put(id, t)
	}
}

type hint struct {
	C string `json:"c,omitempty"`
	N int64  `json:"n,omitempty"`
	Q string `json:"q,omitempty"`
	V int64  `json:"v,omitempty"`
	L string `json:"l,omitempty"`
}

// flush sends what has gathered. Hints that are too many are left out: polling
// finds what they would have told.
func (h *hints) flush() {
	h.mu.Lock()
	ids := h.ids
	h.ids = map[handoff.ID]told{}
	h.busy, h.last = false, time.Now()
	h.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// A hint that is lost costs latency only.
	_, _ = h.s.pool.Exec(ctx, "SELECT pg_notify($1, p) FROM unnest($2::text[]) AS n(p)", h.s.channel(), payloads(ids))
}

// payloads packs hints into notifications. One has less than 8000 bytes.
func payloads(ids map[handoff.ID]told) []string {
	const size, count = 7000, 20
	var out []string
	var open []byte
	for id, t := range ids {
		b, err := json.Marshal(hint{C: id.Conversation, N: id.Number, Q: t.queue, V: t.version, L: t.line})
		if err != nil || len(b) > size {
			continue
		}
		if len(open)+len(b) > size {
			out = append(out, string(open)+"]")
			open = nil
		}
		if len(out) == count {
			return out
		}
		if open == nil {
			open = append(open, '[')
		} else {
			open = append(open, ',')
		}
		open = append(open, b...)
	}
	if open != nil {
		out = append(out, string(open)+"]")
	}
	return texts(out)
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
	if s.bad != nil {
		return wrap("listen", s.bad)
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
		_ = json.Unmarshal([]byte(n.Payload), &list) // what is not ours is no hint
		for _, h := range list {
			f(handoff.Hint{ID: handoff.ID{Conversation: h.C, Number: h.N}, Queue: h.Q, Version: h.V, Line: h.L})
		}
	}
}

// stopped drops the error of what ended because it was to end.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
