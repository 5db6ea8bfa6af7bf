package handoff_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeProgram runs the first program of README.md. It prints what the
// README says.
func TestReadmeProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds a program and runs it for two seconds")
	}
	readme := string(readFile(t, "README.md"))
	program := docBlocks(readme)[0].code
	want := regexp.MustCompile("(?s)The user's screen:\n\n```text\n(.*?)```").FindStringSubmatch(readme)
	require.NotNil(t, want, "README.md shows what its program prints")

	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "run", file).Output()
	require.NoError(t, err)
	assert.Equal(t, want[1], string(out))
}

// TestReadmeTest runs the test of README.md under "Test your bot".
func TestReadmeTest(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds a program and runs it")
	}
	for _, b := range docBlocks(string(readFile(t, "README.md"))) {
		if !strings.Contains(b.code, "handofftest.Run(") {
			continue
		}
		file := filepath.Join(t.TempDir(), "bot_test.go")
		head := "package bot\n\nimport (\n\t\"testing\"\n\t\"time\"\n\n\t\"github.com/seed-2a427302/handoff\"\n\t\"github.com/seed-2a427302/handoff/handofftest\"\n)\n\n"
		require.NoError(t, os.WriteFile(file, []byte(head+b.code), 0o600))
		out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", file).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "ok")
		return
	}
	t.Fatal("README.md has no test")
}
