package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/trigger"
)

func write(t *testing.T, dir, source, rows string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, source), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, source, "labels.tsv"), []byte("text\tlabel\tlang\n"+rows), 0o600))
}

func TestRunPrintsTableAndGoals(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "one", "get me a supervisor\thuman_request\ten\nthe lid is blue\tother\ten\ncustomer care please\tother\ten\nzzz qqq\thuman_request\ten\n")
	write(t, dir, "two", "hvad koster den\tother\tda\n")
	var out strings.Builder
	require.NoError(t, run([]string{"-data", dir, "-probes", "", "-wrong", "-rounds", "1"}, &out))
	text := out.String()
	require.Contains(t, text, "false  one/en: customer care please")
	require.Contains(t, text, "missed one/en: zzz qqq")
	require.Regexp(t, `one +en +2 +2 \| 0\.500 0\.500 0\.500 +1 +500\.00`, text)
	require.Regexp(t, `goal en requests, all sources pooled +P 0\.500 R 0\.500 .* missed`, text)
	require.Regexp(t, `goal pt requests +not measured: no data .* missed`, text)
	require.Regexp(t, `goal languages without a pack +0 fired, 1 of 1 said so .* met`, text)
	require.ErrorContains(t, run([]string{"-data", dir, "-probes", ownProbes, "-strict", "-rounds", "1"}, &out), "goals missed")
}

func TestRunNeedsData(t *testing.T) {
	var out strings.Builder
	require.Error(t, run([]string{"-data", ""}, &out))
	require.Error(t, run([]string{"-data", t.TempDir()}, &out))
}

// TestGoalsOnData holds the goals that do not depend on the machine's speed.
func TestGoalsOnData(t *testing.T) {
	dir := os.Getenv("HANDOFF_DATA")
	if dir == "" {
		t.Skip("SKIPPED: HANDOFF_DATA is not set, so the trigger rules were NOT measured against labelled messages")
	}
	sources, err := load(dir)
	require.NoError(t, err)
	for _, g := range goals(measure(t, sources), result{}, costs{}) {
		if strings.Contains(g.figure, "no data") || strings.HasPrefix(g.name, "size") {
			continue // nothing to hold it to, or reported only
		}
		if !g.met {
			t.Error(g)
		}
	}
}

const ownProbes = "../../testdata/probes.tsv"

// TestOwnProbes holds what is printed about sentences of our own, everywhere.
func TestOwnProbes(t *testing.T) {
	own, err := loadProbes(ownProbes)
	require.NoError(t, err)
	res, held := measure(t, own), 0
	require.Zero(t, res.badSpans)
	for _, g := range goals(result{}, res, costs{}) {
		if strings.Contains(g.name, "own probes") {
			require.True(t, g.met, g)
			held++
		}
	}
	require.Equal(t, 2*len(trigger.Languages())-1, held, "a line a language, and one for each without shared data")
	_, err = loadProbes("none.tsv")
	require.Error(t, err)
}

func measure(t *testing.T, sources []source) result {
	t.Helper()
	eng, err := trigger.New(trigger.Config{})
	require.NoError(t, err)
	return evaluate(eng, sources, nil)
}
