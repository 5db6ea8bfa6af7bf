package main

import (
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"

	"github.com/seed-2a427302/handoff/desk/internal/lean"
)

type count int

func (c *count) Write(p []byte) (int, error) { *c += count(len(p)); return len(p), nil }

// A script is a module: its size, and what it imports at once.
type script struct {
	bytes   int
	imports []string
}

var imports = regexp.MustCompile(`(?m)^import [^(]*? from '\./([^']+)';`)

// closure is how much a page loads that begins with a module.
func closure(all map[string]script, name string, seen map[string]bool) int {
	if seen[name] {
		return 0
	}
	seen[name] = true
	n := all[name].bytes
	for _, i := range all[name].imports {
		n += closure(all, i, seen)
	}
	return n
}

// sizes prints how large the pages are. What the console costs until an agent can
// answer is the inbox and a conversation; the figure for every page is what
// somebody loads who opens all of them, each when it is first opened. The files
// are embedded as they are edited, the words of five languages among them, and
// not packed; they are sent without comments and indents, and a host's own
// compression packs that.
//
// Three bounds are out of reach for what the pages do, and the lines are here to
// show by how much. esbuild 0.25.0 with --minify made 54.2 KiB of the scripts of
// every page when it was tried, and 42.4 KiB of all of them in one file, which
// nobody could load a part of. Of what is embedded, the words alone are 92 KiB,
// the licence of what is vendored is 12 KiB, and minified scripts and styles would
// be 50 KiB less, at the price of a step to build them.
func sizes() error {
	packed, all, scripts := map[string]int{}, 0, map[string]script{}
	err := fs.WalkDir(os.DirFS("desk"), ".", func(name string, d fs.DirEntry, err error) error {
		top := path.Dir(name)
		if err != nil || d.IsDir() || top != "web" && top != "web/vendor" && top != "i18n" {
			return err
		}
		b, err := os.ReadFile(path.Join("desk", name))
		if err != nil {
			return err
		}
		all += len(b)
		b = lean.File(name, b)
		var n count
		z, err := gzip.NewWriterLevel(&n, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(b); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		packed[path.Ext(name)] += int(n)
		if path.Ext(name) == ".js" {
			s := script{bytes: int(n)}
			for _, m := range imports.FindAllSubmatch(b, -1) {
				s.imports = append(s.imports, path.Join(top, string(m[1])))
			}
			scripts[name] = s
		}
		return nil
	})
	if err != nil {
		return err
	}
	kib := func(name string, bytes, most int) {
		goal(name, fmt.Sprintf("%.1f KiB", float64(bytes)/1024), bytes <= most, fmt.Sprintf("%d KiB", most>>10))
	}
	loaded := map[string]bool{}
	inbox := closure(scripts, "web/desk.js", loaded)
	kib("JavaScript of the inbox, gzip", inbox, 25<<10)
	kib("JavaScript until an agent can answer, gzip", inbox+closure(scripts, "web/chat.js", loaded), 25<<10)
	kib("JavaScript of every page, gzip", packed[".js"], 25<<10)
	kib("CSS, gzip", packed[".css"], 8<<10)
	kib("embedded in all", all, 250<<10)
	return nil
}
