package systemtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/internal/throwaway"
	"github.com/seed-2a427302/handoff/pgstore"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// A disk that is full, of the store's own file or of its server: a commit that
// does not fit is a typed error and leaves nothing behind, what is stored can
// be read, and with room again the store goes on by itself.
func TestFullDisk(t *testing.T) {
	full := map[string]func(err error) bool{
		"sqlite":   func(err error) bool { return errors.Is(err, sqlitestore.ErrFull) },
		"postgres": func(err error) bool { return errors.Is(err, pgstore.ErrFull) },
		"redis":    func(err error) bool { return errors.Is(err, redisstore.ErrReadOnly) },
	}
	each(t, func(t *testing.T, k kind) {
		disk := smallDisk(t)
		s := mustOpen(t, k, onDisk(t, k, disk))
		require.NoError(t, s.Commit(t.Context(), fullRecord("before", 1), entryOf(1)))

		filler := filepath.Join(disk, "filler")
		fill(t, filler)
		var err error
		tried := 0
		for ; err == nil && tried < 1000; tried++ { // until what was set aside is used up
			err = s.Commit(t.Context(), fullRecord(fmt.Sprint("c", tried), 1<<20), entryOf(1<<20))
		}
		require.Error(t, err, "it never gets full")
		require.True(t, full[k.name](err), "%v", err)
		last := handoff.ID{Conversation: fmt.Sprint("c", tried-1), Number: 1}
		_, err = s.Get(t.Context(), last)
		require.ErrorIs(t, err, handoff.ErrNotFound, "nothing was stored")
		log, err := s.Log(t.Context(), last, 0, 10)
		require.NoError(t, err)
		require.Empty(t, log, "not half of it either")
		held, err := s.Holders(t.Context(), "seat of "+last.Conversation)
		require.NoError(t, err)
		require.Empty(t, held)
		_, err = s.Get(t.Context(), handoff.ID{Conversation: "before", Number: 1})
		require.NoError(t, err, "reading goes on")

		require.NoError(t, os.Remove(filler))
		eventually(t, "a commit when there is room", func() bool {
			err := s.Commit(t.Context(), fullRecord(last.Conversation, 1<<20), entryOf(1<<20))
			require.NotErrorIs(t, err, handoff.ErrConflict, "what was refused has been stored")
			return err == nil
		})
	})
}

// noise returns n bytes that no server makes shorter.
func noise(n int) []byte {
	b, x := make([]byte, n), uint64(n)
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = byte(x >> 56)
	}
	return b
}

func fullRecord(conversation string, size int) handoff.Record {
	return handoff.Record{
		ID: handoff.ID{Conversation: conversation, Number: 1}, Seq: 1, Body: handoff.BodyOf(noise(size)),
		Keys: []handoff.Key{{Name: "seat of " + conversation, Max: 1, Units: 1}},
	}
}

func entryOf(size int) handoff.RecordEntry {
	return handoff.RecordEntry{ID: "e", Seq: 1, Body: handoff.BodyOf(noise(size))}
}

// smallDisk mounts one for the test, which needs root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "full") //nolint:usetesting // a server that is somebody else must get there
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.Remove(dir) })
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=160m,mode=1777", "handoff", dir).CombinedOutput(); err != nil {
		t.Skipf("NO DISK MAY BE MOUNTED HERE, FULL DISK NOT TESTED: %v: %s", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	return dir
}

// onDisk makes a place of a kind there.
func onDisk(t *testing.T, k kind, disk string) string {
	t.Helper()
	var address string
	var stop func()
	var err error
	t.Setenv("TMPDIR", disk)
	switch k.name {
	case "postgres":
		address, stop, err = throwaway.Postgres()
		address = "full " + address
	case "redis":
		address, stop, err = throwaway.Redis("--appendfsync", "everysec")
		address = "full " + address
	default:
		return filepath.Join(disk, "handoff.db")
	}
	if err != nil {
		servertest.Missing(t, k.name, err, "install it")
	}
	t.Cleanup(stop)
	return address
}

// fill writes until there is no room.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			size /= 4
		}
	}
}
