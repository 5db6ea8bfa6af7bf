package handoff_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGuardDocumentation compiles and vets every block of a Markdown file
// that opens with ```go. CONTRIBUTING.md, "Code in the documentation", says
// how a block is read; docBlock.source is where that is done.
//
// The blocks become packages of a module of their own, in a workspace with the
// modules of go.work. So they see those as they are, need no network, and
// reach nothing internal.
func TestGuardDocumentation(t *testing.T) {
	imports := importTable(t)
	home := t.TempDir()
	packages := 0
	for _, name := range tree(t) {
		if filepath.Ext(name) != ".md" || strings.Contains(name, "testdata/") {
			continue
		}
		markdown, err := filepath.Abs(name)
		require.NoError(t, err)
		folder := ""
		for i, b := range docBlocks(string(readFile(t, name))) {
			at := fmt.Sprintf("%s:%d", name, b.line)
			source, err := b.source(markdown, imports)
			require.NoError(t, err, at)
			if !b.joined {
				folder = filepath.Join(home, fmt.Sprintf("docblock%d", packages))
				require.NoError(t, os.Mkdir(folder, 0o700))
				packages++
			}
			require.NotEmpty(t, folder, "%s: there is no block above", at)
			require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("block%d.go", i)), source, 0o600))
		}
	}

	readme := docBlocks(string(readFile(t, "README.md")))
	require.NotEmpty(t, readme, "README.md has code")
	assert.Less(t, readme[0].line, 40, "README.md: the first code stands above line 40")

	writeWorkspace(t, home)
	for _, verb := range []string{"build", "vet"} {
		cmd := exec.CommandContext(t.Context(), "go", verb, "./...")
		cmd.Dir = home
		cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(home, "go.work"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %s of the documentation's code:\n%s", verb, out)
	}
}

// writeWorkspace makes a folder a module and a workspace with the modules of
// this repository.
func writeWorkspace(t *testing.T, home string) {
	t.Helper()
	have := readWorkspace(t)
	work := "go " + have.Go + "\n\nuse .\n"
	for _, u := range have.Use {
		dir, err := filepath.Abs(u.DiskPath)
		require.NoError(t, err)
		work += fmt.Sprintf("use %q\n", dir)
	}
	files := map[string]string{
		"go.mod":      "module docblocks\n\ngo " + have.Go + "\n",
		"go.work":     work,
		"go.work.sum": string(readFile(t, "go.work.sum")),
	}
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(text), 0o600))
	}
}

// A docBlock is one block of Go in a Markdown file.
type docBlock struct {
	code   string
	line   int    // of the first line of code, from 1
	given  string // parameters that a fragment may use
	joined bool   // belongs to the package of the block above
}

var (
	docFence = regexp.MustCompile("^([ \t]*)```(.*)$")
	docGiven = regexp.MustCompile(`^\s*<!-- go: given (.+) -->\s*$`)
	docJoin  = regexp.MustCompile(`^\s*<!-- go: with the block above -->\s*$`)
)

// docBlocks returns the blocks of Go of a Markdown text.
func docBlocks(text string) []docBlock {
	var blocks []docBlock
	var next docBlock
	var code []string
	inside, isGo, indent := false, false, ""
	for i, line := range strings.Split(text, "\n") {
		fence := docFence.FindStringSubmatch(line)
		switch {
		case fence != nil && !inside:
			inside, indent, code = true, fence[1], nil
			isGo = strings.TrimSpace(fence[2]) == "go"
			next.line = i + 2
		case fence != nil:
			inside = false
			if isGo {
				next.code = strings.Join(code, "\n") + "\n"
				blocks = append(blocks, next)
			}
			next = docBlock{}
		case inside:
			code = append(code, strings.TrimPrefix(line, indent))
		case docGiven.MatchString(line):
			next.given = docGiven.FindStringSubmatch(line)[1]
		case docJoin.MatchString(line):
			next.joined = true
		case strings.TrimSpace(line) != "":
			next = docBlock{} // a comment speaks for the block right below it
		}
	}
	return blocks
}

// source returns the block as a file of Go. A block that begins with a
// package clause is one already. Declarations get a package clause. Anything
// else is statements and becomes the body of a function, whose parameters are
// ctx, e and what the comment above the block gives. Packages that a block
// names and does not import are imported.
func (b docBlock) source(markdown string, imports map[string]string) ([]byte, error) {
	line := fmt.Sprintf("//line %s:%d\n", markdown, b.line)
	set := token.NewFileSet()
	if _, err := parser.ParseFile(set, "", b.code, parser.PackageClauseOnly); err == nil {
		return []byte(line + b.code), nil
	}

	const clause = "package docblock\n"
	body := clause + line + b.code
	file, err := parser.ParseFile(set, "", body, 0)
	if err != nil {
		var asStatements error
		if body, asStatements = b.function(clause, line); asStatements != nil {
			return nil, fmt.Errorf("neither declarations (%w) nor statements (%w)", err, asStatements)
		}
		if file, err = parser.ParseFile(set, "", body, 0); err != nil {
			return nil, err
		}
	}

	var add strings.Builder
	for _, name := range missingPackages(file) {
		if p, ok := imports[name]; ok {
			fmt.Fprintf(&add, "import %s %q\n", name, p)
		}
	}
	return []byte(clause + add.String() + strings.TrimPrefix(body, clause)), nil
}

// function makes a function of statements. A name that they declare at their
// own level counts as used: what follows in a real program is left out.
func (b docBlock) function(clause, line string) (string, error) {
	const open = "func _() {\n"
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", clause+open+b.code+"}\n", 0)
	if err != nil {
		return "", err
	}
	do := file.Decls[0].(*ast.FuncDecl).Body
	base := len(clause + open)

	var code strings.Builder
	from := 0
	for _, s := range do.List {
		to := set.Position(s.End()).Offset - base
		code.WriteString(b.code[from:to])
		for _, name := range declaredBy(s) {
			fmt.Fprintf(&code, "; _ = %s", name)
		}
		from = to
	}
	code.WriteString(b.code[from:])

	given := "ctx context.Context, e *handoff.Engine"
	if b.given != "" {
		given += ", " + b.given
	}
	result, end := "", ""
	if returnsValue(do) {
		result = " error"
		if _, ok := do.List[len(do.List)-1].(*ast.ReturnStmt); !ok {
			end = "return nil\n"
		}
	}
	// The inner block lets a fragment declare a name that is given.
	return clause + "func _(" + given + ")" + result + " {\n{\n" + line + code.String() + "}\n" + end + "}\n", nil
}

// declaredBy returns the variables that a statement declares.
func declaredBy(s ast.Stmt) []string {
	var names []string
	add := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
			names = append(names, id.Name)
		}
	}
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			for _, e := range s.Lhs {
				add(e)
			}
		}
	case *ast.DeclStmt:
		if d, ok := s.Decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, spec := range d.Specs {
				for _, id := range spec.(*ast.ValueSpec).Names {
					add(id)
				}
			}
		}
	}
	return names
}

// returnsValue reports whether a body, outside the functions in it, returns
// something.
func returnsValue(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = found || len(n.Results) > 0
		}
		return true
	})
	return found
}

// missingPackages returns the names before a dot that the file neither
// declares nor imports.
func missingPackages(file *ast.File) []string {
	var names []string
	have := map[string]bool{}
	for _, i := range file.Imports {
		p := strings.Trim(i.Path.Value, `"`)
		if i.Name != nil {
			have[i.Name.Name] = true
		} else {
			have[packageName(p)] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && id.Obj == nil && !have[id.Name] {
				have[id.Name] = true
				names = append(names, id.Name)
			}
		}
		return true
	})
	slices.Sort(names)
	return names
}

// importTable maps the names of packages to import paths: those of the
// standard library, of every module here, and the few others the root has.
func importTable(t *testing.T) map[string]string {
	t.Helper()
	table := map[string]string{
		"errgroup": "golang.org/x/sync/errgroup",
		"uuid":     "github.com/google/uuid",
		"pgx":      "github.com/jackc/pgx/v5",
		"pgxpool":  "github.com/jackc/pgx/v5/pgxpool",
		"redis":    "github.com/redis/go-redis/v9",
	}
	out := goOutput(t, ".", "list", "-find", "-f", "{{.Name}} {{.ImportPath}}", "std", "work")
	for line := range bytes.Lines(out) {
		name, p, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if name == "main" || strings.Contains(p, "internal") || strings.HasPrefix(p, "vendor/") {
			continue
		}
		// Of two packages with one name the one nearer to the top.
		if old, ok := table[name]; !ok || strings.Count(p, "/") < strings.Count(old, "/") {
			table[name] = p
		}
	}
	table["rand"] = "math/rand/v2"
	table["template"] = "text/template"
	return table
}

// packageName guesses the name of a package from its path.
func packageName(p string) string {
	name := path.Base(p)
	if regexp.MustCompile(`^v\d+$`).MatchString(name) {
		name = path.Base(path.Dir(p))
	}
	return name
}

func TestGuardDocBlocks(t *testing.T) {
	imports := map[string]string{"context": "context", "handoff": modulePath, "time": "time", "fmt": "fmt"}
	read := func(t *testing.T, markdown string) string {
		t.Helper()
		blocks := docBlocks(markdown)
		require.Len(t, blocks, 1)
		source, err := blocks[0].source("x.md", imports)
		require.NoError(t, err)
		return string(source)
	}

	t.Run("a program stays as it is", func(t *testing.T) {
		assert.Equal(t, "//line x.md:3\npackage main\n\nfunc main() {}\n",
			read(t, "text\n```go\npackage main\n\nfunc main() {}\n```\n"))
	})
	t.Run("declarations get a clause and imports", func(t *testing.T) {
		assert.Equal(t, "package docblock\nimport time \"time\"\n//line x.md:2\ntype a struct{ t time.Time }\n",
			read(t, "```go\ntype a struct{ t time.Time }\n```\n"))
	})
	t.Run("statements become a function", func(t *testing.T) {
		got := read(t, "<!-- go: given p fmt.Stringer -->\n```go\nx, err := e.Do(ctx, p)\nif err != nil {\n\treturn err\n}\n```\n")
		assert.Equal(t, `package docblock
import context "context"
import fmt "fmt"
import handoff "`+modulePath+`"
func _(ctx context.Context, e *handoff.Engine, p fmt.Stringer) error {
{
//line x.md:3
x, err := e.Do(ctx, p); _ = x; _ = err
if err != nil {
	return err
}
}
return nil
}
`, got)
	})
	t.Run("a comment speaks for the block below it only", func(t *testing.T) {
		blocks := docBlocks("<!-- go: with the block above -->\n\n```go\na()\n```\n\n  ```go\n  b()\n  ```\n```sh\nc\n```\n")
		assert.Equal(t, []docBlock{{code: "a()\n", line: 4, joined: true}, {code: "b()\n", line: 8}}, blocks)
	})
	t.Run("nonsense is an error", func(t *testing.T) {
		_, err := docBlock{code: "func {", line: 1}.source("x.md", imports)
		assert.Error(t, err)
	})
}
