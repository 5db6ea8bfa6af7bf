package sqlitestore

import (
	"context"
	"database/sql"
)

// Pragma sets something on the connections that write.
func Pragma(ctx context.Context, s *Store, pragma string) error {
	for _, k := range []kind{durable, light} {
		err := s.write.take(ctx)
		if err != nil {
			return err
		}
		c, err := s.write.connect(ctx, k)
		if err == nil {
			err = do(ctx, c, "PRAGMA "+pragma)
		}
		s.write.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// Exec runs any statement where writes are done.
func Exec(ctx context.Context, s *Store, query string) error {
	return s.change(ctx, durable, func(ctx context.Context, w runner) error { return do(ctx, w, s.sql.names(query)) })
}

// Hold takes the writer's token away from others until release is called.
func Hold(ctx context.Context, s *Store) (release func(), err error) {
	return s.write.release, s.write.take(ctx)
}

// Drop closes all connections, as after failures that nobody knows the end of.
func Drop(ctx context.Context, s *Store) error {
	if err := s.write.take(ctx); err != nil {
		return err
	}
	defer s.write.release()
	s.write.drop(durable)
	s.write.drop(light)
	s.hints.readers.SetMaxIdleConns(0)
	return nil
}

// Queued returns how many commits wait for the token.
func Queued(s *Store) int {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	return len(s.group.queue)
}

// Listeners returns how many hear of every commit of others from now on.
func Listeners(s *Store) int {
	s.hints.mu.Lock()
	defer s.hints.mu.Unlock()
	return s.hints.listeners
}

// AheadPlan tells how SQLite counts those ahead.
func AheadPlan(ctx context.Context, s *Store) ([]string, error) {
	rows, err := s.read.query(ctx, "EXPLAIN QUERY PLAN "+s.sql.ahead, "desk", 0, 0, "c", 1, 100)
	return collect(rows, err, func(rows *sql.Rows) (step string, err error) {
		var n [3]int
		err = rows.Scan(&n[0], &n[1], &n[2], &step)
		return step, err
	})
}
