// Goals prints how large the desk's pages are against what was aimed at, one
// line for each goal. Run it in the repository's root: make goals-desk.
package main

import (
	"compress/gzip"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path"
)

type count int

func (c *count) Write(p []byte) (int, error) { *c += count(len(p)); return len(p), nil }

func main() {
	packed, all := map[string]int{}, 0
	err := fs.WalkDir(os.DirFS("desk"), ".", func(name string, d fs.DirEntry, err error) error {
		top := path.Dir(name)
		if err != nil || d.IsDir() || top != "web" && top != "web/vendor" && top != "i18n" {
			return err
		}
		b, err := os.ReadFile(path.Join("desk", name))
		if err != nil {
			return err
		}
		var n count
		z := gzip.NewWriter(&n)
		if _, err := z.Write(b); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		packed[path.Ext(name)] += int(n)
		all += len(b)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range []struct {
		name        string
		bytes, most int
	}{
		{"JavaScript, gzip", packed[".js"], 25 << 10},
		{"CSS, gzip", packed[".css"], 8 << 10},
		{"embedded in all", all, 250 << 10},
	} {
		verdict := "met"
		if g.bytes > g.most {
			verdict = "missed"
		}
		fmt.Printf("%-20s %7.1f KiB  at most %d KiB  %s\n", g.name, float64(g.bytes)/1024, g.most>>10, verdict)
	}
}
