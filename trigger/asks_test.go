package trigger_test

import (
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/trigger"
)

// TestAsks reads testdata/asks.tsv: sentences of our own, one construction
// each, that ask for a human or only look like it.
func TestAsks(t *testing.T) {
	raw, err := os.ReadFile("testdata/asks.tsv")
	require.NoError(t, err)
	eng := newEngine(t, trigger.Config{})
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n")[1:] {
		cols := strings.Split(line, "\t")
		require.Len(t, cols, 3, line)
		lang, want, text := cols[0], cols[1], cols[2]
		got, why := "no", ""
		for _, s := range eng.Read(nil, text, lang) {
			if s.Reason != trigger.ReasonUserRequest {
				continue
			}
			why += s.Evidence.Rule + " " + text[s.Evidence.Start:s.Evidence.End] + " guard=" + s.Guard + "; "
			if s.Guard == "" && s.Score >= 0.5 {
				got = "ask"
			}
		}
		if got != want {
			t.Errorf("%s: %q is read as %q, want %q: %s", lang, text, got, want, why)
		}
	}
}

// TestAPackAloneKnowsAPerson holds for hosts with one language: with more, another
// that shares the word would answer.
func TestAPackAloneKnowsAPerson(t *testing.T) {
	for lang, text := range map[string]string{"es": "persona", "it": "persona", "pt": "pessoa"} {
		packs, err := trigger.Builtin(lang)
		require.NoError(t, err)
		got := newEngine(t, trigger.Config{Packs: packs}).Read(nil, text, lang)
		require.Len(t, got, 1, lang)
		require.Empty(t, got[0].Guard, lang)
	}
}

// plain is the engine of the zero Config, shared because it is immutable.
var plain = sync.OnceValues(func() (*trigger.Engine, error) { return trigger.New(trigger.Config{}) })

func newEngine(t testing.TB, cfg trigger.Config) *trigger.Engine {
	t.Helper()
	if reflect.DeepEqual(cfg, trigger.Config{}) {
		eng, err := plain()
		require.NoError(t, err)
		return eng
	}
	eng, err := trigger.New(cfg)
	require.NoError(t, err)
	return eng
}
