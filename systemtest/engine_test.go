package systemtest

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/internal/servertest"
)

// long are tests of the field's failures that need more calls of a store than
// all others together, because hours or days pass in them.
const long = "^TestW(05|10|14|19|20|31|35|36|39_No|40|48|49|50|51|52|53|55|58|63)"

// The engine's own tests, those of the field's failures (TestWnn) first among
// them, on every durable store: the same files, the same rigs in bubbles where
// time is virtual; only the rig's store is another one, whose calls are made
// outside of the bubble. See handofftest.Outside. HANDOFF_ENGINE=full runs all
// that a store can change; without it they are those that take a moment.
func TestEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("a race detector sees nothing here that it does not see in each store's own tests")
	}
	binary := buildEngineTests(t)
	full := os.Getenv("HANDOFF_ENGINE") == "full"
	each(t, func(t *testing.T, k kind) {
		place := k.place(t)
		if k.name == "sqlite" {
			place = t.TempDir() // for a file of each test
		}
		runEngineTests(t, binary, full, k, place)
	})
	if full {
		t.Run("pooler", func(t *testing.T) {
			k, err := kindNamed("postgres")
			require.NoError(t, err)
			schema, _, _ := strings.Cut(k.place(t), " ")
			runEngineTests(t, binary, full, k, schema+" "+servertest.Pooler(t))
		})
	}
}

func runEngineTests(t *testing.T, binary string, full bool, k kind, place string) {
	t.Helper()
	args := []string{"-test.timeout=2h", "-test.run=^TestW[0-9]", "-test.skip=" + long}
	if full {
		args = []string{"-test.timeout=2h", "-test.run=^Test", "-test.skip=^TestGuard|^TestREADME|^TestReadme|^TestWeekly"}
	}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = ".." // as if it were run there
	cmd.Env = append(os.Environ(), "HANDOFF_TEST_KIND="+k.name, "HANDOFF_TEST_PLACE="+place)
	var out bytes.Buffer
	both := io.MultiWriter(&out, t.Output())
	cmd.Stdout, cmd.Stderr = both, both
	require.NoError(t, cmd.Run())
	require.NotContains(t, out.String(), "stores opened: 0\n")
}

// buildEngineTests compiles the tests of the root package together with
// testdata/engine_store_test.go.
func buildEngineTests(t *testing.T) (binary string) {
	t.Helper()
	here, err := os.Getwd()
	require.NoError(t, err)
	const added = "engine_store_test.go"
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(filepath.Dir(here), added): filepath.Join(here, "testdata", added),
	}})
	require.NoError(t, err)
	dir := t.TempDir()
	file, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "engine.test")
	require.NoError(t, os.WriteFile(file, overlay, 0o600))
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", file, "-o", binary, ".")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", strings.TrimSpace(string(out)))
	return binary
}
