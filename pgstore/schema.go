package pgstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A SchemaError says that the database does not have the schema that this
// build needs.
type SchemaError struct {
	Have, Need int      // versions; Have 0: there is none, -1: a call failed, and nobody looked
	Missing    []string // what a schema of that version has, and this one lacks
	Foreign    string   // something of another origin that is in the way
}

func (e *SchemaError) Error() string {
	switch {
	case e.Foreign != "":
		return "pgstore: the schema holds what is not this library's: " + e.Foreign
	case len(e.Missing) > 0:
		return fmt.Sprintf("pgstore: the schema says that it has version %d, but lacks %s", e.Have, strings.Join(e.Missing, ", "))
	case e.Have < 0:
		return "pgstore: the schema is not the one that this build needs; call Migrate, or Check to see what is wrong"
	case e.Have == 0:
		return "pgstore: the schema does not exist; call Migrate"
	case e.Have > e.Need:
		return fmt.Sprintf("pgstore: the schema has version %d, which is newer than this build's %d", e.Have, e.Need)
	}
	return fmt.Sprintf("pgstore: the schema has version %d, this build needs %d; call Migrate", e.Have, e.Need)
}

// Latest is the version of the schema that this build needs.
const Latest = 5

// parts are what each version adds: functions, views, and tables with their
// columns.
var parts = map[string]int{
	"handoff_owed": 1, "handoff_hash": 1, "handoff_lock": 1, "handoff_commit": 1, "handoff_late": 1, "handoff_remove": 1,
	"handoff_attend": 2, "handoff_commit_batch": 4, "handoff_commit_set": 5,
}

var tables = []struct {
	version       int
	name, columns string
}{
	{1, "handoff_record", "conversation number version seq queue state outcome agent usr tags line priority since created updated wake claimed_until " +
		"behind key_names key_units key_max owed_sinks owed_cursors owed_seqs body"},
	{1, "handoff_key", "name conversation number units"},
	{1, "handoff_entry", "conversation number seq id at body"},
	{1, "handoff_cursor", "conversation number name seq term tries until"},
	{2, "handoff_agent", "agent wants activity online since"},
	{2, "handoff_session", "agent session expires over"},
}

// Migrate brings the schema to a version: Latest to use it, 0 to remove
// everything. It creates the Postgres schema if there is none. Any number of
// processes may call it at once; each step is one transaction. Where somebody
// holds a table, as a long transaction of the host may, it waits until ctx ends,
// but in short turns, so that others do not queue up behind it. A schema that
// is newer than this build, or lacks a part of its version, is a *SchemaError
// and stays as it is.
func (s *Store) Migrate(ctx context.Context, version int) error {
	if s.bad != nil {
		return wrap("migrate", s.bad)
	}
	if version < 0 || version > Latest {
		return fmt.Errorf("pgstore: migrate: there is no schema version %d", version)
	}
	for {
		done, err := s.migrateStep(ctx, version)
		var pe *pgconn.PgError
		if errors.As(err, &pe) && pe.Code == "55P03" { // lock_not_available
			if e := pause(ctx); e != nil {
				return fmt.Errorf("pgstore: migrate: somebody holds a table: %w: %w", e, pe)
			}
			continue
		}
		if err != nil || done {
			return err
		}
	}
}

// turn is how long a step of Migrate waits for a lock, and others wait behind it.
// Nobody is told of a deadlock in so short a time, so that no commit fails for it.
const turn = 200 * time.Millisecond

// pause lets others have two turns.
func pause(ctx context.Context) error {
	t := time.NewTimer(2 * turn)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) migrateStep(ctx context.Context, want int) (done bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		have, err := s.begin(ctx, tx)
		if err != nil {
			return err
		}
		if have > Latest {
			return &SchemaError{Have: have, Need: Latest}
		}
		if err := s.complete(ctx, tx, have); err != nil {
			return err
		}
		if have == want {
			done = true
			if want == 0 {
				_, err = tx.Exec(ctx, "DROP TABLE handoff_schema")
			}
			return err
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
	return done, schemaError("migrate", err)
}

// begin locks the schema, makes what keeps its version, and reads that.
func (s *Store) begin(ctx context.Context, tx pgx.Tx) (have int, err error) {
	name := pgx.Identifier{s.schema}.Sanitize()
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('handoff migrate ' || $1::text, 7316))", s.schema); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d", turn.Milliseconds())); err != nil {
		return 0, err
	}
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", s.schema).Scan(&exists); err != nil {
		return 0, err
	}
	if !exists { // who may not create schemas may use one that is there
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+name); err != nil {
			return 0, err
		}
	}
	if _, err := tx.Exec(ctx, "SET LOCAL search_path TO "+name); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS handoff_schema (version int NOT NULL)"); err != nil {
		return 0, err
	}
	return s.version(ctx, tx)
}

// version reads the version that the schema says it has.
func (s *Store) version(ctx context.Context, tx db) (have int, err error) {
	table := pgx.Identifier{s.schema, "handoff_schema"}.Sanitize()
	err = tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+table).Scan(&have)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code != "42501" && strings.HasPrefix(pe.Code, "42") { // not the column that it should have
		err = &SchemaError{Need: Latest, Foreign: "table handoff_schema"}
	}
	return have, err
}

// schemaError makes *SchemaErrors of what a foreign schema makes the server
// say.
func schemaError(op string, err error) error {
	var se *SchemaError
	var pe *pgconn.PgError
	switch {
	case err == nil || errors.As(err, &se):
		return err
	case errors.As(err, &pe):
		switch pe.Code {
		case "42P07", "42723", "42710": // a table, a function, an object that exists already
			return &SchemaError{Need: Latest, Foreign: pe.Message}
		case "3F000": // it is there: it was found or made before
			return fmt.Errorf("pgstore: %s: %w: the role needs USAGE and CREATE on the schema: %w", op, ErrDenied, err)
		}
	}
	return wrap(op, err)
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
	table := pgx.Identifier{s.schema, "handoff_schema"}.Sanitize()
	var exists bool
	if err := s.db.QueryRow(ctx, "SELECT to_regclass($1::text) IS NOT NULL", table).Scan(&exists); err != nil {
		return wrap("check", err)
	}
	have := 0
	if exists {
		var err error
		if have, err = s.version(ctx, s.db); err != nil {
			return schemaError("check", err)
		}
	}
	if have != Latest {
		return &SchemaError{Have: have, Need: Latest}
	}
	return schemaError("check", s.complete(ctx, s.db, have))
}

// complete looks for the parts of a version.
func (s *Store) complete(ctx context.Context, tx db, have int) error {
	if have == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `SELECT relname::text FROM pg_class WHERE relnamespace = $1::text::regnamespace
		UNION SELECT proname::text FROM pg_proc WHERE pronamespace = $1::text::regnamespace
		UNION SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			WHERE c.relnamespace = $1::text::regnamespace AND a.attnum > 0 AND NOT a.attisdropped`, pgx.Identifier{s.schema}.Sanitize())
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, n := range names {
		there[n] = true
	}
	var missing []string
	for name, version := range parts {
		if version <= have && !there[name] {
			missing = append(missing, name)
		}
	}
	for _, t := range tables {
		switch {
		case t.version > have:
		case !there[t.name]:
			missing = append(missing, t.name)
		default:
			for column := range strings.FieldsSeq(t.columns) {
				if name := t.name + "." + column; !there[name] {
					missing = append(missing, name)
				}
			}
		}
	}
	if len(missing) > 0 {
		return &SchemaError{Have: have, Need: Latest, Missing: sorted(missing)}
	}
	return nil
}
