package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A mutant whose piece of source is gone proves nothing.
func TestEveryPieceIsThere(t *testing.T) {
	for _, m := range mutants() {
		file, mutated, err := m.find("..")
		if err != nil {
			t.Error(err)
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if mutated == string(source) {
			t.Errorf("%s: %s changes nothing", m.row, m.why)
		}
	}
}

// Every counterexample has a test and a mutant, and every mutant a test.
func TestEveryRowHasAMutant(t *testing.T) {
	files, err := filepath.Glob("../counterexample_*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no counterexamples", err)
	}
	tests := map[string]bool{}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test([A-Z][0-9]+[a-z]?)_\w+)`).FindAllStringSubmatch(string(source), -1) {
			tests[found[1]] = true
			row := strings.ToLower(found[2])
			if !hasMutant(row) {
				t.Errorf("row %s has a test and no mutant", row)
			}
		}
	}
	for _, m := range mutants() {
		pattern := regexp.MustCompile(m.pattern())
		ok := false
		for name := range tests {
			ok = ok || m.in == "" && pattern.MatchString(name)
		}
		if m.in != "" {
			ok = testIn(t, filepath.Join("..", m.in), pattern)
		}
		if !ok {
			t.Errorf("no test of a counterexample, or of %q, matches %s", m.in, m.pattern())
		}
	}
}

func hasMutant(row string) bool {
	for _, m := range mutants() {
		if m.row == row {
			return true
		}
	}
	return false
}

// testIn reports whether a test in a folder has a name that matches.
func testIn(t *testing.T, folder string, pattern *regexp.Regexp) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(source), -1) {
			if pattern.MatchString(found[1]) {
				return true
			}
		}
	}
	return false
}
