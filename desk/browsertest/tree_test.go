package browsertest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// times are what differs from one run to the next.
var times = regexp.MustCompile(`\b\d{1,2}:\d{2}(:\d{2})?( [AP]M)?\b|\b\w{3} \d{1,2}, \d{4}, |\b\d+ seconds?\b`)

// tree is what a screen reader walks: role and name of each node that has one.
func (p *page) tree() string {
	p.t.Helper()
	got, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	require.NoError(p.t, err)
	nodes := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range got.Nodes {
		nodes[n.NodeID] = n
	}
	text := func(v *accessibility.Value) string {
		if v == nil {
			return ""
		}
		return strings.Trim(string(v.Value), `"`)
	}
	var out strings.Builder
	var walk func(n *accessibility.Node, depth int)
	walk = func(n *accessibility.Node, depth int) {
		role := text(n.Role)
		skip := n.Ignored || role == "none" || role == "generic" || role == "InlineTextBox"
		if !skip {
			out.WriteString(strings.TrimRight(strings.Repeat(" ", depth)+role+" "+times.ReplaceAllString(text(n.Name), "…"), " ") + "\n")
			depth++
		}
		for _, id := range n.ChildIDs {
			if c := nodes[id]; c != nil {
				walk(c, depth)
			}
		}
	}
	walk(got.Nodes[0], 0)
	return out.String()
}

// compare holds a text against testdata/NAME.txt. HANDOFF_UPDATE=1 writes it.
func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if os.Getenv("HANDOFF_UPDATE") == "1" {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}
