package sqlitestore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A SchemaError says that the file does not have the tables that this build
// needs.
type SchemaError struct {
	Have, Need int      // versions; Have 0: there are none, -1: a call failed, and nobody looked
	Missing    []string // what a schema of that version has, and this one lacks
	Foreign    string   // something of another origin that is in the way
}

func (e *SchemaError) Error() string {
	switch {
	case e.Foreign != "":
		return "sqlitestore: the file holds what is not this library's: " + e.Foreign
	case len(e.Missing) > 0:
		return fmt.Sprintf("sqlitestore: the schema says that it has version %d, but lacks %s", e.Have, strings.Join(e.Missing, ", "))
	case e.Have < 0:
		return "sqlitestore: the tables are not those that this build needs; call Migrate, or Check to see what is wrong"
	case e.Have == 0:
		return "sqlitestore: the tables do not exist; call Migrate"
	case e.Have > e.Need:
		return fmt.Sprintf("sqlitestore: the schema has version %d, which is newer than this build's %d", e.Have, e.Need)
	}
	return fmt.Sprintf("sqlitestore: the schema has version %d, this build needs %d; call Migrate", e.Have, e.Need)
}

// Latest is the version of the schema that this build needs.
const Latest = 1

// parts are what each version adds, and columns that tell it from others.
var parts = []struct {
	version       int
	name, columns string
}{
	{1, "record", "rec, rank, claimed, " + columns},
	{1, "key", "name, rec, units"},
	{1, "entry", "n, rec, seq, id, at, body"},
	{1, "change", "n, rec"},
	{1, "cursor", "rec, name, seq, term, tries, until, sink, owed, behind"},
	{1, "handoffs", "conversation"},
	{1, "log", "conversation"},
	{1, "owed", "conversation"},
}

// Migrate brings the tables to a version: Latest to use them, 0 to remove
// everything. Any number of processes may call it at once; each step is one
// transaction. A schema that is newer than this build is a *SchemaError and
// stays as it is.
func (s *Store) Migrate(ctx context.Context, version int) error {
	if s.write == nil {
		return errors.New("sqlitestore: migrate: within a transaction of the caller")
	}
	if version < 0 || version > Latest {
		return fmt.Errorf("sqlitestore: migrate: there is no schema version %d", version)
	}
	for {
		done := false
		err := s.change(ctx, durable, func(ctx context.Context, w runner) (err error) {
			done, err = s.migrateStep(ctx, w, version)
			return err
		})
		if err != nil || done {
			return schemaError("migrate", err)
		}
	}
}

func (s *Store) migrateStep(ctx context.Context, w runner, want int) (done bool, err error) {
	have, err := s.version(ctx, w)
	switch {
	case err != nil:
		return false, err
	case have > Latest:
		return false, &SchemaError{Have: have, Need: Latest}
	case have == want:
		if want == 0 {
			err = do(ctx, w, s.sql.names(`DROP TABLE IF EXISTS "@schema"`))
		} else {
			err = s.complete(ctx, w, have)
		}
		return true, err
	}
	step, next, dir := have, have-1, "down"
	if have < want {
		step, next, dir = have+1, have+1, "up"
		if err := s.vacant(ctx, w, step); err != nil {
			return false, err
		}
	} else if err := s.complete(ctx, w, have); err != nil {
		return false, err
	}
	text, err := migration(step, dir)
	if err != nil {
		return false, err
	}
	for _, q := range []string{
		`CREATE TABLE IF NOT EXISTS "@schema" (version INTEGER NOT NULL)`, text,
		`DELETE FROM "@schema"`, `INSERT INTO "@schema" VALUES (` + strconv.Itoa(next) + `)`,
	} {
		err := do(ctx, w, s.sql.names(q))
		var e *sqlite.Error
		if errors.As(err, &e) && e.Code() == codeError { // an index, a trigger of that name
			return false, &SchemaError{Have: have, Need: Latest, Foreign: e.Error()}
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// version returns the version that the file says it has, 0 if none.
func (s *Store) version(ctx context.Context, r runner) (have int, err error) {
	there, err := s.has(ctx, r, "schema", "version")
	if err != nil || !there {
		return 0, err
	}
	err = r.one(ctx, s.sql.schemaVersion, nil, &have)
	return have, err
}

// has reports whether a table or view is there. One without these columns is
// foreign.
func (s *Store) has(ctx context.Context, r runner, name, columns string) (bool, error) {
	var there bool
	name = s.opt.Prefix + name
	err := r.one(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE)", []any{name}, &there)
	if err != nil || !there {
		return false, err
	}
	foreign := &SchemaError{Need: Latest, Foreign: name}
	var kind string
	if err := r.one(ctx, "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE", []any{name}, &kind); err != nil {
		return false, err
	}
	if kind != "table" && kind != "view" {
		return false, foreign
	}
	var one sqlErrorOnly
	err = r.one(ctx, "SELECT count(*) FROM (SELECT "+columns+" FROM "+quoted(name)+" LIMIT 0)", nil, &one)
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code() == codeError { // no such column
		return false, foreign
	}
	return true, err
}

// sqlErrorOnly scans anything.
type sqlErrorOnly struct{}

// Scan is sql.Scanner's.
func (*sqlErrorOnly) Scan(any) error { return nil }

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// complete looks for the parts of a version.
func (s *Store) complete(ctx context.Context, r runner, have int) error {
	var missing []string
	for _, p := range parts {
		if p.version > have {
			continue
		}
		there, err := s.has(ctx, r, p.name, p.columns)
		if err != nil {
			return err
		}
		if !there {
			missing = append(missing, s.opt.Prefix+p.name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return &SchemaError{Have: have, Need: Latest, Missing: missing}
	}
	return nil
}

// vacant fails when something has a name that a step is about to use.
func (s *Store) vacant(ctx context.Context, r runner, step int) error {
	for _, p := range parts {
		if p.version != step {
			continue
		}
		there, err := s.has(ctx, r, p.name, p.columns)
		if err != nil {
			return err
		}
		if there {
			return &SchemaError{Have: step - 1, Need: Latest, Foreign: s.opt.Prefix + p.name}
		}
	}
	return nil
}

// fits compares the tables with what this build needs.
func (s *Store) fits(ctx context.Context) error {
	have, err := s.version(ctx, s.read)
	if err == nil && have != Latest {
		err = &SchemaError{Have: have, Need: Latest}
	}
	if err == nil {
		err = s.complete(ctx, s.read, have)
	}
	return schemaError("check", err)
}

func schemaError(op string, err error) error {
	var se *SchemaError
	if errors.As(err, &se) {
		return se
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
