package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// A runner runs statements: on the readers, on a writer's connection, or in a
// transaction of the caller.
type runner interface {
	// exec returns the row that was inserted, if one was.
	exec(ctx context.Context, query string, args ...any) (row int64, err error)
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// one scans the only row, or fails with sql.ErrNoRows.
	one(ctx context.Context, query string, args []any, dest ...any) error
}

// statements are the prepared statements of a connection or of a pool, by
// their text. Those of List are made as they are needed, so their number has a
// bound.
type statements struct {
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)
	mu      sync.Mutex
	made    map[string]*sql.Stmt
}

const mostStatements = 200

func newStatements(prepare func(ctx context.Context, query string) (*sql.Stmt, error)) *statements {
	return &statements{prepare: prepare, made: map[string]*sql.Stmt{}}
}

// get returns a statement, and what to do when it was used.
func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, func(), error) {
	s.mu.Lock()
	st := s.made[query]
	s.mu.Unlock()
	if st != nil {
		return st, func() {}, nil
	}
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made[query] != nil || len(s.made) == mostStatements {
		return st, func() { _ = st.Close() }, nil
	}
	s.made[query] = st
	return st, func() {}, nil
}

// close closes them all: SQLite keeps a connection and its files open for as long
// as a statement is, and to close a sql.Conn does not close what it prepared, as
// to close a sql.DB does.
func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, st := range s.made {
		err = errors.Join(err, st.Close())
	}
	clear(s.made)
	return err
}

func (s *statements) exec(ctx context.Context, query string, args ...any) (row int64, err error) {
	st, done, err := s.get(ctx, query)
	if err != nil {
		return 0, err
	}
	defer done()
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (s *statements) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, done, err := s.get(ctx, query)
	if err != nil {
		return nil, err
	}
	defer done() // the rows keep it open as long as they need it
	return st.QueryContext(ctx, args...)
}

func (s *statements) one(ctx context.Context, query string, args []any, dest ...any) error {
	st, done, err := s.get(ctx, query)
	if err != nil {
		return err
	}
	defer done()
	return st.QueryRowContext(ctx, args...).Scan(dest...)
}

// onTx is a transaction of the caller.
type onTx struct{ *sql.Tx }

func (t onTx) exec(ctx context.Context, query string, args ...any) (row int64, err error) {
	res, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// do runs a statement whose row does not matter.
func do(ctx context.Context, r runner, query string, args ...any) error {
	_, err := r.exec(ctx, query, args...)
	return err
}

func (t onTx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.QueryContext(ctx, query, args...)
}

func (t onTx) one(ctx context.Context, query string, args []any, dest ...any) error {
	return t.QueryRowContext(ctx, query, args...).Scan(dest...)
}

// collect scans all rows.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
