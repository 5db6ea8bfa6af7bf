package pgstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A SchemaError says that the database does not have the schema that this
// build needs.
type SchemaError struct {
	Have, Need int
}

func (e *SchemaError) Error() string {
	switch {
	case e.Have == 0:
		return "pgstore: the schema does not exist; call Migrate"
	case e.Have > e.Need:
		return fmt.Sprintf("pgstore: the schema has version %d, which is newer than this build's %d", e.Have, e.Need)
	}
	return fmt.Sprintf("pgstore: the schema has version %d, this build needs %d; call Migrate", e.Have, e.Need)
}

// Latest is the version of the schema that this build needs.
const Latest = 2

// Migrate brings the schema to a version: Latest to use it, 0 to remove
// everything. It creates the Postgres schema if there is none. Any number of
// processes may call it at once; each step is one transaction. A schema that
// is newer than this build is a *SchemaError and stays as it is.
func (s *Store) Migrate(ctx context.Context, version int) error {
	if version < 0 || version > Latest {
		return fmt.Errorf("pgstore: there is no schema version %d", version)
	}
	for {
		done, err := s.migrateStep(ctx, version)
		if err != nil || done {
			return err
		}
	}
}

func (s *Store) migrateStep(ctx context.Context, want int) (done bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("pgstore: migrate: %w", err)
	}
	defer conn.Release()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		schema := pgx.Identifier{s.schema}.Sanitize()
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('handoff migrate ' || $1, 7316))", s.schema); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SET LOCAL search_path TO "+schema); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS handoff_schema (version int NOT NULL)"); err != nil {
			return err
		}
		have := 0
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM handoff_schema").Scan(&have); err != nil {
			return err
		}
		if have > Latest {
			return &SchemaError{Have: have, Need: Latest}
		}
		if have == want {
			done = true
			return nil
		}
		step, next, dir := have, have-1, "down"
		if have < want {
			step, next, dir = have+1, have+1, "up"
		}
		sql, err := migration(step, dir)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM handoff_schema"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO handoff_schema VALUES ($1)", next)
		return err
	})
	var se *SchemaError
	if err != nil && !errors.As(err, &se) {
		err = fmt.Errorf("pgstore: migrate: %w", err)
	}
	return done, err
}

func migration(version int, dir string) (string, error) {
	names, err := fs.Glob(migrations, "migrations/*."+dir+".sql")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		n, err := strconv.Atoi(strings.TrimPrefix(name, "migrations/")[:3])
		if err == nil && n == version {
			b, err := migrations.ReadFile(name)
			return string(b), err
		}
	}
	return "", fmt.Errorf("no migration %d %s", version, dir)
}

// fits compares the schema with what this build needs.
func (s *Store) fits(ctx context.Context) error {
	var exists bool
	table := s.schema + ".handoff_schema"
	err := s.pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", pgx.Identifier{s.schema, "handoff_schema"}.Sanitize()).Scan(&exists)
	if err != nil {
		return fmt.Errorf("pgstore: %w", err)
	}
	have := 0
	if exists {
		if err := s.pool.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+pgx.Identifier{s.schema, "handoff_schema"}.Sanitize()).Scan(&have); err != nil {
			return fmt.Errorf("pgstore: %s: %w", table, err)
		}
	}
	if have != Latest {
		return &SchemaError{Have: have, Need: Latest}
	}
	return nil
}
