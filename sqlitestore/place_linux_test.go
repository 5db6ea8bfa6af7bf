package sqlitestore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/sqlitestore"
)

// Who may write to a file and not to its folder, where the log is made, hears
// that it is the folder.
func TestReadOnlyFolder(t *testing.T) {
	const nobody = 65534
	// Root may do anything; only this thread becomes somebody else.
	runtime.LockOSThread()
	path := filepath.Join(t.TempDir(), "x.db")
	require.NoError(t, openFile(t, path).Close())
	require.NoError(t, os.Chmod(path, 0o666))                     //nolint:gosec // the point of it
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o555))       //nolint:gosec // the same
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) }) //nolint:gosec // it can be removed again
	if os.Getuid() == 0 {
		require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755)) //nolint:gosec // the same
		require.NoError(t, syscall.Setfsuid(nobody))
		defer func() { require.NoError(t, syscall.Setfsuid(0)) }()
	}
	_, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{})
	require.ErrorIs(t, err, sqlitestore.ErrReadOnly)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "its folder")
}
