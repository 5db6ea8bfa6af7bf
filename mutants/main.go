// Command mutants plants one plausible mistake after another in the engine and
// demands that the tests of its row catch it. Run it in the root of the module:
//
//	go run ./mutants              a sample, chosen by the commit
//	go run ./mutants -n 0         all
//	go run ./mutants -run 'g8|i4' some
//
// HANDOFF_MUTANTS=all runs all. Nothing in the tree is changed: the mutated
// file goes to the compiler as an overlay.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A mutant is a mistake: pieces of one file, each replaced by another.
type mutant struct {
	row   string // of the counterexamples, or a sentence of the design
	file  string // where it was; it is looked for in other files too
	why   string // what its author was thinking
	edits []edit
	tests string // a pattern; empty: the tests named after the row
	in    string // a folder, all of whose tests there are; empty: the counterexamples alone
}

// An edit replaces old, which occurs exactly once.
type edit struct{ old, new string }

// pattern returns which tests must catch m.
func (m *mutant) pattern() string {
	if m.tests != "" {
		return m.tests
	}
	return "^Test" + strings.ToUpper(m.row[:1]) + m.row[1:] + "_"
}

// apply returns the mutated source.
func (m *mutant) apply(source string) (string, error) {
	for _, e := range m.edits {
		if n := strings.Count(source, e.old); n != 1 {
			return "", fmt.Errorf("%s: the piece occurs %d times in %s:\n%s", m.row, n, m.file, e.old)
		}
		source = strings.Replace(source, e.old, e.new, 1)
	}
	return source, nil
}

// find returns the file under root that m is planted in, and the mutated
// source. Code moves between files, so any file of the same folder will do.
func (m *mutant) find(root string) (file, mutated string, err error) {
	files, err := filepath.Glob(filepath.Join(root, filepath.Dir(m.file), "*.go"))
	if err != nil {
		return "", "", err
	}
	for _, file := range append([]string{filepath.Join(root, m.file)}, files...) {
		source, err := os.ReadFile(file) //nolint:gosec // a file of this repository
		if errors.Is(err, os.ErrNotExist) || strings.HasSuffix(file, "_test.go") {
			continue
		}
		if err != nil {
			return "", "", err
		}
		if mutated, err := m.apply(string(source)); err == nil {
			return file, mutated, nil
		}
	}
	source, err := os.ReadFile(filepath.Join(root, m.file)) //nolint:gosec // so is this
	if err == nil {
		_, err = m.apply(string(source))
	}
	return "", "", err
}

func main() {
	n := flag.Int("n", 12, "how many are tried, 0 for all")
	seed := flag.String("seed", "", "chooses the sample (default: the commit, else the day)")
	only := flag.String("run", "", "only rows that match this pattern")
	parallel := flag.Int("p", 2, "how many at once")
	limit := flag.Duration("timeout", time.Minute, "for the tests of one mutant")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *n, *seed, *only, *parallel, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1) //nolint:gocritic // stop only restores a signal
	}
}

func run(ctx context.Context, n int, seed, only string, parallel int, limit time.Duration) error {
	pattern, err := regexp.Compile("^(" + only + ")$")
	if err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	var list []mutant
	for _, m := range mutants() {
		if only == "" || pattern.MatchString(m.row) {
			list = append(list, m)
		}
	}
	if n > 0 && only == "" && os.Getenv("HANDOFF_MUTANTS") != "all" {
		list = sample(list, n, seed)
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	// Where the engine as it is fails its tests, mutants prove nothing.
	if len(list) > 0 {
		m := mutant{row: "none", file: "handoff.go", tests: "^Test[A-Z][0-9]+[a-z]?_"}
		if by, err := m.try(ctx, filepath.Join(dir, "none"), limit); err != nil {
			return err
		} else if by != "" {
			return fmt.Errorf("%s fails without a mutant", by)
		}
	}

	var mu sync.Mutex
	var bad int
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(1, parallel))
	for i, m := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			by, err := m.try(ctx, filepath.Join(dir, fmt.Sprint(i)), limit)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case ctx.Err() != nil:
			case err != nil:
				bad++
				fmt.Fprintf(os.Stdout, "%-5s ERROR    %s: %v\n", m.row, m.why, err)
			case by == "":
				bad++
				fmt.Fprintf(os.Stdout, "%-5s SURVIVED %s (%s)\n", m.row, m.why, m.file)
			default:
				fmt.Fprintf(os.Stdout, "%-5s caught   by %s: %s\n", m.row, by, m.why)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "%d of %d mutants caught\n", len(list)-bad, len(list))
	if bad > 0 {
		return errors.New("some mutants were not caught")
	}
	return nil
}

// sample chooses n of the mutants, others for each seed.
func sample(list []mutant, n int, seed string) []mutant {
	if seed == "" {
		seed = time.Now().UTC().Format(time.DateOnly)
		if out, err := exec.Command("git", "rev-parse", "HEAD").Output(); err == nil {
			seed = strings.TrimSpace(string(out))
		}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	r := rand.New(rand.NewPCG(h.Sum64(), 1)) //nolint:gosec // a sample, not a secret
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	fmt.Fprintf(os.Stdout, "seed %s: %d of %d\n", seed, min(n, len(list)), len(list))
	return list[:min(n, len(list))]
}

// folder is where the tests are.
func (m *mutant) folder() string {
	if m.in == "" {
		return "./"
	}
	return "./" + m.in
}

// leaveOut takes the tests out of the tree that are not needed: compiling them
// all takes longer than running some.
func (m *mutant) leaveOut(replace map[string]string) error {
	if m.in != "" {
		return nil
	}
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	others, err := filepath.Glob(filepath.Join(root, "*_test.go"))
	for _, f := range others {
		if !strings.HasPrefix(filepath.Base(f), "counterexample_") {
			replace[f] = ""
		}
	}
	return err
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// try runs the tests against m and returns what caught it.
func (m *mutant) try(ctx context.Context, dir string, limit time.Duration) (string, error) {
	file, mutated, err := m.find(".")
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	replace := map[string]string{path: filepath.Join(dir, "mutated.go")}
	if err := m.leaveOut(replace); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "mutated.go"), []byte(mutated), 0o600),
		os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "tests")
	//nolint:gosec // the table above says what is run
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-l", "-ldflags=-s -w",
		"-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, m.folder())
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("does not compile: %s", bytes.TrimSpace(out))
	}
	defer func() { _ = os.Remove(binary) }()
	//nolint:gosec // what was just built
	test := exec.CommandContext(ctx, binary, "-test.run", m.pattern(), "-test.timeout", limit.String())
	test.Dir = m.folder()
	out, err := test.CombinedOutput()
	if bytes.Contains(out, []byte("no tests to run")) {
		return "", fmt.Errorf("no test matches %s", m.pattern())
	}
	if err == nil {
		return "", nil
	}
	if found := failed.FindSubmatch(out); found != nil {
		return string(found[1]), nil
	}
	if running := regexp.MustCompile(`(?m)^\t+(Test\S+) \(`).FindSubmatch(out); running != nil {
		return string(running[1]) + " (which did not end)", nil
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return m.pattern() + " (" + line + ")", nil
}
