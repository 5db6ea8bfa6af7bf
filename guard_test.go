package handoff_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests in this file guard the repository rather than the code: what the
// modules require, what the exported packages pull into a host's build, and
// what may stand in a file. guard_docs_test.go compiles the documentation.

// modulePath is the path of the root module. Nested modules begin with it.
const modulePath = "github.com/seed-2a427302/handoff"

// mayRequire is all that the root module requires directly, for ever.
var mayRequire = []string{
	"github.com/google/uuid",
	"github.com/stretchr/testify",
	"golang.org/x/sync",
}

// mayLink is what non-test code of the root module may pull into a build,
// besides the standard library and the root module itself.
var mayLink = []string{
	"github.com/google/uuid",
	"golang.org/x/sync",
}

func TestGuardRootRequiresThreeModules(t *testing.T) {
	var direct []string
	for _, r := range readModule(t, ".").Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	slices.Sort(direct)
	require.Equal(t, mayRequire, direct,
		"the root go.mod requires these three modules directly and no other")
}

func TestGuardModules(t *testing.T) {
	modules := map[string]string{} // path of a module → its folder
	for _, name := range tree(t) {
		if filepath.Base(name) == "go.mod" && !strings.Contains(name, "testdata/") {
			dir := filepath.ToSlash(filepath.Dir(name))
			modules[readModule(t, dir).Module.Path] = dir
		}
	}
	require.Equal(t, ".", modules[modulePath])

	var used, found []string
	for _, u := range readWorkspace(t).Use {
		used = append(used, filepath.ToSlash(filepath.Clean(u.DiskPath)))
	}
	for _, dir := range modules {
		found = append(found, dir)
	}
	require.ElementsMatch(t, found, used, "go.work names every go.mod of the tree and nothing else")

	for path, dir := range modules {
		mod := readModule(t, dir)
		if dir == "." {
			for _, r := range mod.Require {
				assert.NotContains(t, modules, r.Path, "the root module requires no nested module")
			}
			assert.Empty(t, mod.Replace, "the root module replaces nothing")
			continue
		}
		assert.Equal(t, modulePath+"/"+dir, path, "%s/go.mod: the path of a module is its folder", dir)
		for _, r := range mod.Require {
			home, ours := modules[r.Path]
			if !ours {
				continue
			}
			want, err := filepath.Rel(dir, home)
			require.NoError(t, err)
			var got string
			for _, p := range mod.Replace {
				if p.Old.Path == r.Path {
					got = filepath.ToSlash(filepath.Clean(p.New.Path))
				}
			}
			assert.Equal(t, filepath.ToSlash(want), got,
				"%s/go.mod: until the first tag it carries: replace %s => %s", dir, r.Path, want)
		}
	}
}

func TestGuardDependencies(t *testing.T) {
	own := func(path string) bool { return path == modulePath || strings.HasPrefix(path, modulePath+"/") }
	packages := listPackages(t)
	standard := map[string]bool{}
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}

	for _, p := range packages {
		switch {
		case p.DepOnly && p.Standard:
		case p.DepOnly:
			assert.True(t, slices.ContainsFunc(mayLink, func(m string) bool {
				return p.ImportPath == m || strings.HasPrefix(p.ImportPath, m+"/")
			}), "%s is linked into hosts; only %v may be", p.ImportPath, mayLink)
		case isKit(p.ImportPath):
			for _, i := range p.Imports {
				assert.True(t, standard[i] || own(i),
					"%s is a test kit: it imports the standard library and this module, not %s", p.ImportPath, i)
			}
		default:
			for _, d := range p.Deps {
				assert.False(t, d == "testing" || strings.HasPrefix(d, "testing/") || d == "net/http/httptest",
					"%s is no test kit and yet links %s", p.ImportPath, d)
			}
		}
	}
}

// The desk is a client like any other: what it can do, another console can.
func TestGuardDesk(t *testing.T) {
	const desk = modulePath + "/desk"
	standard, own := map[string]bool{}, 0
	packages := listPackages(t)
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range packages {
		if p.ImportPath != desk && !strings.HasPrefix(p.ImportPath, desk+"/") {
			continue
		}
		for _, i := range p.Imports {
			inside := i == desk || strings.HasPrefix(i, desk+"/")
			public := (i == modulePath || strings.HasPrefix(i, modulePath+"/")) && !strings.Contains(i+"/", "/internal/")
			assert.True(t, standard[i] || inside || public,
				"%s is made of the standard library and of what this module offers everybody, not of %s", p.ImportPath, i)
			if i == modulePath {
				own++
			}
		}
	}
	assert.Positive(t, own, "the desk was not found, or is a client of nothing")
}

func TestGuardFileLength(t *testing.T) {
	const most = 600
	for _, name := range tree(t) {
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata/") {
			continue
		}
		lines := bytes.Count(readFile(t, name), []byte{'\n'})
		assert.LessOrEqual(t, lines, most, "%s: split it by what it does", name)
	}
}

// The classes of one letter keep the patterns from matching this file.
var (
	// A path or an address that exists only where the library was written.
	workplace = regexp.MustCompile(
		`(?:^|[\s"'(=:,;` + "`" + `])/(?:wor[k]|roo[t])(?:/|\b)` +
			`|prox[y]\.golang\.org|su[m]\.golang\.org|registr[y]\.npmjs\.org|de[b]\.debian\.org` +
			`|\.librar[y]/|share[d]/[a-z-]+\.md`)

	// A note that something is not done.
	undone = regexp.MustCompile(`\b(?:TO[D]O|FIX[M]E|X[X]X)\b`)
)

func TestGuardText(t *testing.T) {
	for _, name := range tree(t) {
		b := readFile(t, name)
		if bytes.IndexByte(b[:min(len(b), 8000)], 0) >= 0 {
			continue // not text
		}
		// What a vendor answers is kept as it came.
		data := strings.Contains(name, "testdata/")
		for i, line := range strings.Split(string(b), "\n") {
			if m := workplace.FindString(line); m != "" {
				t.Errorf("%s:%d: %q means nothing outside the place where it was written", name, i+1, m)
			}
			if m := undone.FindString(line); m != "" && !data {
				t.Errorf("%s:%d: %s: do it, or write an issue", name, i+1, m)
			}
		}
	}
}

func TestGuardPatterns(t *testing.T) {
	for _, line := range []string{
		"cd /wor" + "k/main", "see `/wor" + "k/x`", "HOME=/roo" + "t", "https://prox" + "y.golang.org/x", "../share" + "d/design.md",
	} {
		assert.Regexp(t, workplace, line)
	}
	for _, line := range []string{
		"go test work", "examples/work/main.go", "GOPROXY", "go list -m work", "../share" + "d/specs", "the root module",
	} {
		assert.NotRegexp(t, workplace, line)
	}
	assert.Regexp(t, undone, "// TO"+"DO: later")
	assert.Regexp(t, undone, "context.TO"+"DO()")
	assert.NotRegexp(t, undone, "XX"+"XX")
}

// isKit reports whether an import path is that of a package for other
// people's tests, or belongs to one. Their folders have names in "test".
func isKit(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(folder string) bool {
		return strings.HasSuffix(folder, "test")
	})
}

type module struct {
	Module  struct{ Path string }
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []struct{ Old, New struct{ Path string } }
}

func readModule(t *testing.T, dir string) module {
	t.Helper()
	var m module
	goJSON(t, dir, &m, "mod", "edit", "-json")
	return m
}

type workspace struct {
	Go  string
	Use []struct{ DiskPath string }
}

func readWorkspace(t *testing.T) workspace {
	t.Helper()
	var w workspace
	goJSON(t, ".", &w, "work", "edit", "-json")
	return w
}

type goPackage struct {
	ImportPath string
	Standard   bool
	DepOnly    bool // named by no pattern, only imported
	Imports    []string
	Deps       []string
}

// listPackages returns the packages of the root module and all that their
// non-test code depends on.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out := goOutput(t, ".", "list", "-deps", "-json=ImportPath,Standard,DepOnly,Imports,Deps", "./...")
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p goPackage
		require.NoError(t, d.Decode(&p))
		packages = append(packages, p)
	}
	return packages
}

func goJSON(t *testing.T, dir string, v any, args ...string) {
	t.Helper()
	require.NoError(t, json.Unmarshal(goOutput(t, dir, args...), v))
}

// goOutput runs the go command in a folder and returns what it printed.
func goOutput(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go %s, in %s:\n%s", strings.Join(args, " "), dir, stderr.String())
	return out
}

// tree returns the files of the repository, with slashes, without what git
// keeps for itself and what .gitignore names.
func tree(t *testing.T) []string {
	t.Helper()
	ignored := strings.Fields(string(readFile(t, ".gitignore")))
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" || d.Name() == "node_modules" || slices.Contains(ignored, "/"+filepath.ToSlash(path)+"/") {
				return filepath.SkipDir
			}
			return nil
		}
		skip := slices.ContainsFunc(ignored, func(pattern string) bool {
			hit, err := filepath.Match(pattern, d.Name())
			return err == nil && hit
		})
		if !skip && d.Type().IsRegular() && d.Name() != ".git" { // a worktree has a file of that name
			files = append(files, filepath.ToSlash(path))
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return b
}
