package handoff_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// Every word of a closed set that is declared is known, and nothing else is.
func TestKnownWords(t *testing.T) {
	sets := map[string]func(string) bool{
		"Kind":    func(s string) bool { return handoff.Kind(s).Known() },
		"Outcome": func(s string) bool { return handoff.Outcome(s).Known() },
		"Role":    func(s string) bool { return handoff.Role(s).Known() },
	}
	declared := map[string]int{}
	for _, name := range []string{"transcript.go", "record.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			set, ok := v.Type.(*ast.Ident)
			if !ok || sets[set.Name] == nil {
				return true
			}
			word, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			require.True(t, sets[set.Name](word), "%s is not known", v.Names[0].Name)
			declared[set.Name]++
			return true
		})
	}
	require.Greater(t, declared["Kind"], 50)
	require.Equal(t, 10, declared["Outcome"])
	require.Equal(t, 5, declared["Role"])
	for set, known := range sets {
		for _, no := range []string{"", "nonsense", "Agent", "resolved ", "message\n"} {
			require.False(t, known(no), "%s %q", set, no)
		}
	}
}
