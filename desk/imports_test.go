package desk_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	imported = regexp.MustCompile(`(?m)^import \{([^}]*)\} from '\./([\w.-]+)';`)
	exported = regexp.MustCompile(`(?m)^export (?:async )?(?:const|let|function) (\w+)`)
	comment  = regexp.MustCompile(`(?m)(^|\s)//.*$`)
	quoted   = regexp.MustCompile(`'(?:\\.|[^'\\\n])*'`)
)

// A script finds out that it does not import a name when it comes to it, which
// may be in a dialog that nobody opens in a test. So each name that another script
// exports and that is called or drawn is imported or its own, and each name that
// is imported exists and is used.
func TestScriptsImport(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(os.DirFS("."), "web/*.js")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	texts, exports := map[string]string{}, map[string]string{} // by name: where from
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		name := strings.TrimPrefix(f, "web/")
		texts[name] = comment.ReplaceAllString(string(b), "")
		for _, m := range exported.FindAllStringSubmatch(texts[name], -1) {
			exports[name+" "+m[1]] = m[1]
		}
	}
	for name, text := range texts {
		mine := map[string]bool{}
		for _, m := range imported.FindAllStringSubmatch(text, -1) {
			for one := range strings.SplitSeq(m[1], ",") {
				theirs, one, renamed := strings.Cut(strings.TrimSpace(one), " as ")
				if !renamed {
					one = theirs
				}
				mine[one] = true
				assert.NotEmpty(t, exports[m[2]+" "+theirs], "%s imports %s, which %s does not export", name, theirs, m[2])
				assert.Greater(t, len(regexp.MustCompile(`(?:^|[^\w$.])`+one+`\b`).FindAllString(text, -1)), 1, "%s imports %s, and does not use it", name, one)
			}
		}
		code := quoted.ReplaceAllString(text, "''")
		for where, one := range exports {
			if mine[one] || strings.HasPrefix(where, name+" ") {
				continue
			}
			own := regexp.MustCompile(`\b(?:const|let|function) ` + one + `\b|[[{(,]\s*` + one + `\b\s*[,\]})=]`)
			used := regexp.MustCompile(`(?:^|[^\w$.])` + one + `\(|<\$\{` + one + `\}`)
			if used.MatchString(code) && !own.MatchString(code) {
				t.Errorf("%s uses %s and does not import it", name, where)
			}
		}
	}
}
