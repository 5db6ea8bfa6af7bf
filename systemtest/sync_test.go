package systemtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// A disk that cannot sync: what was not synced is not acknowledged, and what
// was acknowledged is there. strace plays the disk. Redis syncs by itself, and
// stops when it cannot; of PostgreSQL see TestSyncPostgres.
func TestSync(t *testing.T) {
	strace := straced(t)
	for name, c := range map[string]struct {
		when   string // which syncs of a thread fail
		noSync bool
	}{
		"never again": {when: "1+"},
		"at times":    {when: "2+3"},
		// The mistake that this must find: commits that wait for no sync. The head
		// of a new log is synced even so.
		"planted": {when: "2+", noSync: true},
	} {
		t.Run(name, func(t *testing.T) {
			place := filepath.Join(t.TempDir(), "handoff.db")
			s := openSynced(t, place)
			require.NoError(t, s.Commit(t.Context(), syncRecord("before"), handoff.RecordEntry{ID: "e", Seq: 1}))
			require.NoError(t, s.Close())

			acked, failed := syncChildRun(t, strace, place, c.when, c.noSync)
			t.Logf("%d acknowledged, %d failed", len(acked), len(failed))
			if c.noSync {
				require.Empty(t, failed, "commits without a sync look like commits with one")
				return
			}
			require.NotEmpty(t, failed)
			assert.Equal(t, c.when == "1+", len(acked) == 0, "acknowledged: %v", acked)

			s = openSynced(t, place)
			defer func() { require.NoError(t, s.Close()) }()
			for _, name := range append(acked, "before") {
				_, err := s.Latest(t.Context(), name)
				require.NoError(t, err, "%s was acknowledged", name)
			}
			for _, name := range failed {
				_, err := s.Latest(t.Context(), name)
				require.ErrorIs(t, err, handoff.ErrNotFound, "%s failed", name)
			}
			require.NoError(t, s.Commit(t.Context(), syncRecord("after"), handoff.RecordEntry{ID: "e", Seq: 1}))
		})
	}
}

// straced returns the path of strace. Where it may not trace, as in some
// containers, nothing can be tested.
func straced(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		servertest.Missing(t, "strace", err, "install it")
	}
	out, err := exec.Command(path, "-f", "-o", os.DevNull, "-e", "inject=fsync:error=EIO", "true").CombinedOutput()
	if err != nil {
		t.Skipf("STRACE MAY NOT TRACE HERE, SYNC NOT TESTED: %v: %s", err, out)
	}
	return path
}

func openSynced(t *testing.T, place string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), place, sqlitestore.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context(), sqlitestore.Latest))
	require.NoError(t, s.Check(t.Context()), "the settings survive a loss of power")
	return s
}

// syncChildRun lets a child commit while syncs fail, and returns what it was
// told.
func syncChildRun(t *testing.T, strace, place, when string, noSync bool) (acked, failed []string) {
	t.Helper()
	cmd := exec.Command(strace, "-f", "-o", os.DevNull, "-e", "trace=fsync,fdatasync",
		"-e", "inject=fsync,fdatasync:error=EIO:when="+when, os.Args[0])
	cmd.Env = append(os.Environ(), "HANDOFF_TEST_CHILD=sync", "HANDOFF_TEST_KIND=memory", "HANDOFF_SYNC_PLACE="+place)
	if noSync {
		cmd.Env = append(cmd.Env, "HANDOFF_SYNC_NOT=1")
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // open, until the child has ended
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	out, err := cmd.Output()
	require.NoError(t, err)
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "acked "); ok {
			acked = append(acked, name)
		} else if name, ok := strings.CutPrefix(lines.Text(), "failed "); ok {
			failed = append(failed, name)
		}
	}
	require.Len(t, append(acked, failed...), syncCommits, "every commit was answered")
	return acked, failed
}

const syncCommits = 40

func syncRecord(name string) handoff.Record {
	return handoff.Record{ID: handoff.ID{Conversation: name, Number: 1}, Seq: 1}
}

// syncChild commits, and says how each commit ended.
func syncChild(ctx context.Context, _ handoff.Store) error {
	s, err := sqlitestore.Open(ctx, os.Getenv("HANDOFF_SYNC_PLACE"), sqlitestore.Options{NoSync: os.Getenv("HANDOFF_SYNC_NOT") != ""})
	if err != nil {
		return err
	}
	for i := range syncCommits {
		name := fmt.Sprint("c", i)
		err := s.Commit(ctx, syncRecord(name), handoff.RecordEntry{ID: "e", Seq: 1})
		if errors.Is(err, handoff.ErrConflict) || errors.Is(err, handoff.ErrDuplicate) {
			return fmt.Errorf("a failure was called an answer: %w", err)
		}
		word := "acked"
		if err != nil {
			if !errors.Is(err, sqlitestore.ErrDisk) {
				return fmt.Errorf("an error of another kind: %w", err)
			}
			word = "failed"
		}
		fmt.Fprintln(os.Stdout, word, name)
	}
	_ = s.Close() // cannot sync either
	return nil
}
