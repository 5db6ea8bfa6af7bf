package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/sqlitestore"
	"github.com/seed-2a427302/handoff/storetest"
)

// open returns a store in a file of its own. Its disk does not lose its power
// in a test.
func open(t testing.TB, change ...func(*sqlitestore.Options)) *sqlitestore.Store {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "handoff.db"), change...)
}

func openFile(t testing.TB, path string, change ...func(*sqlitestore.Options)) *sqlitestore.Store {
	t.Helper()
	opt := sqlitestore.Options{NoSync: true}
	for _, f := range change {
		f(&opt)
	}
	s, err := sqlitestore.Open(t.Context(), path, opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context(), sqlitestore.Latest))
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) handoff.Store { return open(t) })
}
