package sqlitestore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/daytest"
	"github.com/seed-2a427302/handoff/history"
)

// History and analytics are the same here as on every store.
func TestDay(t *testing.T) {
	daytest.Run(t, func(t *testing.T) handoff.Store { return open(t) })
}

// After an erasure the file itself has no word of it.
func TestEraseLeavesNothingInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff.db")
	s := openFile(t, path)
	daytest.Fill(t, s)
	_, err := history.Erase(t.Context(), daytest.Engine(t, s), history.Scope{User: "user of c10"})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		found += strings.Count(string(b), "user of c11")
		require.Zero(t, strings.Count(string(b), "user of c10"), filepath.Base(name))
	}
	require.Positive(t, found)
}
