package vendortest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed-2a427302/handoff"
)

// LeastSeeds is how many seeds of real shape a fuzz test of a parser has.
const LeastSeeds = 20

// FuzzReceive fuzzes what an adapter makes of signed bodies. sign turns a body
// into a webhook that the adapter takes as genuine. Whatever is in a body, it
// gives no panic, and events that can be stored and are the same each time.
// Seeds are bodies: of the double, of the platform's documentation.
func FuzzReceive(f *testing.F, rc handoff.Receiver, sign func(body []byte) handoff.Webhook, seeds ...[]byte) {
	f.Helper()
	fuzz(f, func(t *testing.T, body []byte) ([]handoff.ProviderEvent, error) {
		events, _, err := rc.Receive(t.Context(), sign(body))
		return events, err
	}, seeds)
}

// FuzzAnswers is FuzzReceive for a platform that is read: read is what an
// adapter makes of an answer.
func FuzzAnswers(f *testing.F, read Reading, seeds ...[]byte) {
	f.Helper()
	fuzz(f, func(_ *testing.T, body []byte) ([]handoff.ProviderEvent, error) { return read(body) }, seeds)
}

func fuzz(f *testing.F, read func(t *testing.T, body []byte) ([]handoff.ProviderEvent, error), seeds [][]byte) {
	f.Helper()
	if len(seeds) < LeastSeeds {
		f.Fatalf("there are %d seeds, want %d", len(seeds), LeastSeeds)
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := read(t, body)
		if err != nil && len(events) > 0 {
			t.Errorf("there are events and the error %v", err)
		}
		for i := range events {
			if err := events[i].Validate(); err != nil {
				t.Errorf("event %d of kind %q cannot be stored: %v", i, events[i].Kind, err)
			}
			if events[i].Kind == "" {
				t.Errorf("event %d has no kind", i)
			}
		}
		again, _ := read(t, body)
		if !slices.EqualFunc(events, again, func(a, b handoff.ProviderEvent) bool { return a.ID == b.ID && a.Kind == b.Kind }) {
			t.Error("the same body tells something else the second time")
		}
	})
}

// Files returns the contents of the files that match a pattern of
// filepath.Glob, in the order of their names: samples that a vendor published.
func Files(tb testing.TB, pattern string) [][]byte {
	tb.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		tb.Fatalf("no file matches %s: %v", pattern, err)
	}
	var out [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// Bodies returns the bodies of webhooks that a double tells in a conversation
// with everything that can happen there: seeds for [FuzzReceive].
func Bodies(webhooks []handoff.Webhook) [][]byte {
	out := make([][]byte, len(webhooks))
	for i, w := range webhooks {
		out[i] = w.Body
	}
	return out
}
