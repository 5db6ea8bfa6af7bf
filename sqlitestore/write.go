package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// A kind of transaction says what its commit waits for.
type kind int

const (
	durable kind = iota // for the disk, unless Options.NoSync is set
	light               // for nothing: claims, leads and cursors, which may be lost with the power
)

// A writer has the connections that write. One caller at a time has the token;
// callers wait for it in Go, where they can give up, and not in SQLite.
type writer struct {
	db    *sql.DB
	busy  time.Duration
	token chan struct{}
	file  *place
	conns [2]*connection // by kind; used by who has the token
}

type connection struct {
	*statements

	conn *sql.Conn
}

func newWriter(db *sql.DB, busy time.Duration) *writer {
	return &writer{db: db, busy: busy, token: make(chan struct{}, 1), file: &place{}}
}

func (w *writer) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) release() { <-w.token }

func (w *writer) close() error {
	w.token <- struct{}{}
	defer w.release()
	w.drop(durable)
	w.drop(light)
	return nil
}

// connect returns the connection of a kind. Who calls has the token.
func (w *writer) connect(ctx context.Context, k kind) (*connection, error) {
	if c := w.conns[k]; c != nil {
		return c, nil
	}
	if err := w.there(); err != nil { // or it would be one to another file
		return nil, err
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := &connection{conn: conn, statements: newStatements(conn.PrepareContext)}
	// What is overwritten or removed does not stay in free space; see scrub.
	if err := do(ctx, c, "PRAGMA secure_delete = ON"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if k == light {
		if err := do(ctx, c, "PRAGMA synchronous = NORMAL"); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	w.conns[k] = c
	return c, nil
}

// scrub empties the write-ahead log, which has what was there before. Another
// process that is reading may keep it from that; then the log is overwritten
// as time goes on.
func (w *writer) scrub(ctx context.Context) {
	if w.take(ctx) != nil {
		return
	}
	defer w.release()
	if c, err := w.connect(ctx, durable); err == nil {
		var busy, pages, moved int
		_ = c.one(ctx, "PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &pages, &moved)
	}
}

// drop closes a connection that is not to be trusted any more. The next
// transaction opens another one.
func (w *writer) drop(k kind) {
	if c := w.conns[k]; c != nil {
		w.conns[k] = nil
		_ = c.close()
		_ = c.conn.Raw(func(any) error { return driver.ErrBadConn }) // closes it
	}
}

// there says whether the file is, and its log where a connection has one: SQLite
// removes it with the last. Who calls has the token.
func (w *writer) there() error {
	if w.conns[durable] == nil && w.conns[light] == nil {
		return w.file.same()
	}
	return w.file.check()
}

// found is there, for who does not have the token.
func (w *writer) found(ctx context.Context) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.release()
	return w.there()
}

// wal lets the file have a write-ahead log, which it keeps.
func (w *writer) wal(ctx context.Context) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.release()
	var mode string
	err := w.patiently(ctx, func() error {
		c, err := w.connect(ctx, durable)
		if err == nil {
			err = c.one(ctx, "PRAGMA journal_mode = WAL", nil, &mode)
		}
		if err == nil {
			err = w.file.find(ctx, c)
		}
		return err
	})
	switch {
	case err == nil && mode == "memory":
		return fmt.Errorf("%w, but a database in memory", ErrNoFile)
	case err == nil && mode != "wal":
		return fmt.Errorf("%w: its journal_mode is %s and cannot be WAL", ErrReadOnly, mode)
	}
	return err
}

// patiently repeats what fails because another process is writing. SQLite's own
// way to wait does not look at the context.
func (w *writer) patiently(ctx context.Context, f func() error) error {
	err := f()
	if code(err) != codeBusy {
		return err
	}
	deadline := time.Now().Add(w.busy)
	pause := time.NewTimer(time.Hour)
	defer pause.Stop()
	for most := time.Millisecond; code(err) == codeBusy && time.Now().Before(deadline); most = min(2*most, 16*time.Millisecond) {
		pause.Reset(most/4 + rand.N(most))
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		err = f()
	}
	return err
}

// transact runs f in a transaction. Who calls has the token. From the moment
// at which the transaction has begun, it ends by itself: it is short, and its
// outcome is worth more than the caller's haste.
func (w *writer) transact(ctx context.Context, k kind, f func(ctx context.Context, r runner) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	within := context.WithoutCancel(ctx)
	var c *connection
	err := w.patiently(ctx, func() (err error) {
		if c, err = w.connect(within, k); err == nil {
			err = do(within, c, "BEGIN IMMEDIATE")
		}
		return err
	})
	if err != nil {
		return err
	}
	err = f(within, c)
	if err == nil {
		err = w.file.check()
	}
	if err == nil {
		err = do(within, c, "COMMIT")
	}
	if err != nil {
		// Some errors end the transaction themselves, and then there is none.
		if back := do(within, c, "ROLLBACK"); back != nil && code(back) != codeError {
			w.drop(k)
		}
	}
	return err
}

// change runs f in a transaction of its own or, in a transaction of the caller,
// in a part of that which takes effect as a whole or not at all.
func (s *Store) change(ctx context.Context, k kind, f func(ctx context.Context, r runner) error) error {
	if s.write == nil {
		if err := do(ctx, s.read, "SAVEPOINT handoff"); err != nil {
			return err
		}
		err := f(ctx, s.read)
		if err != nil {
			_ = do(context.WithoutCancel(ctx), s.read, "ROLLBACK TO handoff")
		}
		return errors.Join(err, do(context.WithoutCancel(ctx), s.read, "RELEASE handoff"))
	}
	if err := s.write.take(ctx); err != nil {
		return err
	}
	defer s.write.release()
	return s.write.transact(ctx, k, f)
}
