// Package lean leaves out of scripts and styles what only their readers need.
// What is edited is what is embedded; what is sent is without its comments, and
// styles without the spaces that only part things.
package lean

import (
	"path"
	"regexp"
)

// A comment that has a line for itself: the others say little, and to find them
// it takes a parser.
var (
	inScript = regexp.MustCompile(`(?m)^[ \t]*//.*$`)
	inStyle  = regexp.MustCompile(`(?m)^[ \t]*/\*[^\n]*\*/[ \t]*$`)
)

// What stands between the parts of a rule. A space before a colon means
// something in a selector, one behind it nothing.
var between = regexp.MustCompile(`(?m)^ +| *([{}]) *|([;:]) +`)

// File returns what is sent of a file. Lines stay where they are, so that an
// error in a browser names the line in the source. Other kinds of file are sent
// as they are.
func File(name string, b []byte) []byte {
	switch path.Ext(name) {
	case ".js":
		return inScript.ReplaceAll(b, nil)
	case ".css":
		return between.ReplaceAll(inStyle.ReplaceAll(b, nil), []byte("$1$2"))
	}
	return b
}
