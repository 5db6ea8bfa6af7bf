package lean_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/desk/internal/lean"
)

func TestOnlyLinesOfCommentsGo(t *testing.T) {
	script := "// why\nconst a = 'http://x'; // short\n\t// more\n  b();\n"
	assert.Equal(t, "\nconst a = 'http://x'; // short\n\nb();\n", string(lean.File("a.js", []byte(script))))
	style := "/* the frame */\n@media (x: 1rem) {\n  a :is(b, c) :focus, d > e { f: g(h, i) j; k: l; }\n}\n"
	assert.Equal(t, "\n@media (x:1rem){a :is(b,c) :focus,d>e{f:g(h,i) j;k:l}}", string(lean.File("a.css", []byte(style))))
	assert.Equal(t, script, string(lean.File("a.txt", []byte(script))))
}

// What is left out between parts must not stand in a text.
func TestNoStyleHasATextWithSuchParts(t *testing.T) {
	b, err := os.ReadFile("../../web/desk.css")
	require.NoError(t, err)
	for _, text := range regexp.MustCompile(`"[^"\n]*"`).FindAllString(string(b), -1) {
		assert.NotRegexp(t, `[{}>,;:]`, text)
	}
}

// A line that begins like a comment could stand in a template. Then the line
// before it is not the end of a statement, a list or a comment.
func TestNoTemplateHasALineLikeAComment(t *testing.T) {
	names, err := filepath.Glob("../../web/*.js")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		before := ";"
		for i, line := range strings.Split(string(b), "\n") {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "//") {
				assert.Contains(t, ";{},", before, "%s:%d: a comment, or text?", name, i+1)
				continue
			}
			line, _, _ = strings.Cut(line, " // ")
			if line = strings.TrimSpace(line); line != "" {
				before = line[len(line)-1:]
			}
		}
		assert.Equal(t, strings.Count(string(b), "\n"), strings.Count(string(lean.File(name, b)), "\n"), name)
	}
}
