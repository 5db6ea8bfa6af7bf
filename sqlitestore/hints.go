package sqlitestore

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// hints finds what other handles of the file have committed. SQLite tells
// nobody of commits; but it has a number that grows with them, which is cheap
// to read, and the table of changes says which they were.
type hints struct {
	readers   *sql.DB
	mu        sync.Mutex
	listeners int
	mine      map[int64]bool // numbers of changes that this handle made
}

// own notes a change of this handle, whose engine knows of it already.
func (h *hints) own(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners > 0 {
		h.mine[n] = true
	}
}

func (h *hints) listen(by int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners += by
	if h.listeners == 0 || h.mine == nil {
		h.mine = map[int64]bool{}
	}
}

// isOwn reports whether a change is of this handle.
func (h *hints) isOwn(n int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mine[n]
}

// forget forgets the changes up to n, which were looked at.
func (h *hints) forget(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners > 1 && len(h.mine) < 100_000 {
		return // another one may not have looked yet
	}
	for m := range h.mine {
		if m <= n {
			delete(h.mine, m)
		}
	}
}

// Listen is handoff.Listener's. It uses a connection of its own.
func (s *Store) Listen(ctx context.Context, f func(handoff.Hint)) error {
	if s.opt.NoListen {
		<-ctx.Done()
		return nil
	}
	if err := s.listen(ctx, f); ctx.Err() == nil {
		return wrap("listen", err)
	}
	return nil // it ended because it was to end
}

func (s *Store) listen(ctx context.Context, f func(handoff.Hint)) error {
	conn, err := s.hints.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	look := newStatements(conn.PrepareContext)
	var seen, version int64
	if err := look.one(ctx, s.sql.newest, nil, &seen); err != nil {
		return err
	}
	s.hints.listen(1) // from here on nothing is missed
	defer s.hints.listen(-1)
	tick := time.NewTicker(s.opt.HintEvery)
	defer tick.Stop()
	for {
		// The first look finds what came between the two statements.
		was := version
		if err := look.one(ctx, "PRAGMA data_version", nil, &version); err != nil {
			return err
		}
		if version != was {
			if seen, err = s.tell(ctx, look, seen, f); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tell gives hints of the changes behind seen, and returns what is seen now.
func (s *Store) tell(ctx context.Context, look runner, seen int64, f func(handoff.Hint)) (int64, error) {
	var newest int64
	if err := look.one(ctx, s.sql.newest, nil, &newest); err != nil {
		return seen, err
	}
	if newest <= seen {
		return newest, nil // a claim or a cursor
	}
	type found struct {
		n    int64
		hint handoff.Hint
	}
	rows, err := look.query(ctx, s.sql.fresh, seen)
	list, err := collect(rows, err, func(rows *sql.Rows) (x found, err error) {
		err = rows.Scan(&x.n, &x.hint.ID.Conversation, &x.hint.ID.Number, &x.hint.Queue)
		return x, err
	})
	if err != nil {
		return seen, err
	}
	for _, x := range list {
		if !s.hints.isOwn(x.n) {
			f(x.hint)
		}
	}
	// Changes that are no longer in the table are left out: polling finds what
	// they would have told.
	s.hints.forget(newest)
	return newest, nil
}
