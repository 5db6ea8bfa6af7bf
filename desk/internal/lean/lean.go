// Package lean leaves out of scripts and styles what only their readers need.
// What is edited is what is embedded; what is sent is without its comments, and
// styles without the spaces and lines that only part things.
package lean

import (
	"path"
	"regexp"
)

// A comment that has a line for itself: the others say little, and to find them
// it takes a parser. With it goes what a line is indented by, which htm leaves
// out of a template too.
var (
	inScript = regexp.MustCompile(`(?m)^[ \t]+(//.*)?|^//.*$`)
	inStyle  = regexp.MustCompile(`(?m)^[ \t]*/\*[^\n]*\*/[ \t]*$`)
)

// What stands between the parts of a rule. A space before a colon means
// something in a selector, one behind it nothing; the last semicolon of a rule
// says what its brace says.
var between = regexp.MustCompile(`\s+$|;?\s*(})\s*|\s*([{>])\s*|([,;:])\s+`)

// File returns what is sent of a file. Lines of a script stay where they are, so
// that an error in a browser names the line in the source. Other kinds of file
// are sent as they are.
func File(name string, b []byte) []byte {
	switch path.Ext(name) {
	case ".js":
		return inScript.ReplaceAll(b, nil)
	case ".css":
		return between.ReplaceAll(inStyle.ReplaceAll(b, nil), []byte("$1$2$3"))
	}
	return b
}
