package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A place is where a file was when it was opened. SQLite goes on writing to one
// that has been deleted or replaced, and acknowledges what nobody will find.
type place struct {
	path string // empty: SQLite does not tell
	file os.FileInfo
}

// find asks for the file of a connection.
func (p *place) find(ctx context.Context, r runner) error {
	var found place
	err := r.one(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'", nil, &found.path)
	if err == nil && found.path != "" {
		found.file, err = os.Stat(found.path)
	}
	if err == nil {
		*p = found
	}
	return err
}

// check says whether the file is still there, and its log, which is there for
// as long as a connection is.
func (p *place) check() error {
	err := p.same()
	if err == nil && p.path != "" {
		_, err = stat(p.path + "-wal")
	}
	return err
}

// same says whether the file is still there.
func (p *place) same() error {
	if p.path == "" {
		return nil
	}
	now, err := stat(p.path)
	if err == nil && !os.SameFile(now, p.file) {
		return ErrMoved
	}
	return err
}

func stat(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrMoved, err)
	}
	return info, err
}

// refusal says why a file cannot be opened, which SQLite does not, where that is
// its folder: the log has to be made there.
func refusal(path string, err error) error {
	if c := code(err); c != codeCantOpen && c != codeReadOnly || strings.HasPrefix(path, "file:") {
		return err
	}
	if info, no := os.Stat(path); no == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder: %w", path, err)
	}
	f, no := os.CreateTemp(filepath.Dir(path), ".handoff-*")
	if no != nil {
		return fmt.Errorf("%w: its folder takes no log: %w: %w", ErrReadOnly, no, err)
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// reading is a runner whose failures are told from those of a file that is not
// there any more.
type reading struct {
	runner

	file *place
}

func (r reading) because(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if gone := r.file.same(); gone != nil {
		return fmt.Errorf("%w: %w", gone, err)
	}
	return err
}

func (r reading) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := r.runner.query(ctx, query, args...)
	return rows, r.because(err)
}

func (r reading) one(ctx context.Context, query string, args []any, dest ...any) error {
	return r.because(r.runner.one(ctx, query, args, dest...))
}
