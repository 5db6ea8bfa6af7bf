//go:build unix

package throwaway

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Redis runs what it is told to, and nothing else in its place; otherwise
// Redis where there is one, and else Valkey.
func TestRedisServer(t *testing.T) {
	for name, c := range map[string]struct {
		there  []string
		asked  string
		want   string
		missed string // what the error says
	}{
		"redis":            {[]string{"redis-server"}, "", "redis-server", ""},
		"both":             {[]string{"redis-server", "valkey-server"}, "", "redis-server", ""},
		"valkey":           {[]string{"valkey-server"}, "", "valkey-server", ""},
		"valkey is asked":  {[]string{"redis-server", "valkey-server"}, "valkey-server", "valkey-server", ""},
		"none":             {nil, "", "", "neither redis-server nor valkey-server"},
		"asked is missing": {[]string{"redis-server"}, "valkey-server", "", redisBinary},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range c.there {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700))
			}
			t.Setenv("PATH", dir)
			t.Setenv(redisBinary, c.asked)
			bin, err := redisServer()
			if c.missed != "" {
				require.ErrorContains(t, err, c.missed)
				return
			}
			require.NoError(t, err)
			require.Equal(t, filepath.Join(dir, c.want), bin)
		})
	}
}
