package handoff_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
