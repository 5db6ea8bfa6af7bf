package vendortest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/providertest"
)

// LeastSeeds is how many seeds of real shape a fuzz test of a parser has: such
// that the adapter has something to tell of them.
const LeastSeeds = 20

// FuzzReceive fuzzes what an adapter makes of signed bodies. sign turns a body
// into a webhook that the adapter takes as genuine. Whatever is in a body, it
// gives no panic, and events that can be stored and are the same each time.
// Seeds are bodies: of the double, of the platform's documentation.
func FuzzReceive(f *testing.F, rc handoff.Receiver, sign func(body []byte) handoff.Webhook, seeds ...[]byte) {
	f.Helper()
	ctx := f.Context()
	fuzz(f, func(body []byte) ([]handoff.ProviderEvent, error) {
		events, _, err := rc.Receive(ctx, sign(body))
		return events, err
	}, seeds)
}

// FuzzAnswers is FuzzReceive for a platform that is read: read is what an
// adapter makes of an answer.
func FuzzAnswers(f *testing.F, read Reading, seeds ...[]byte) {
	f.Helper()
	fuzz(f, read, seeds)
}

func fuzz(f *testing.F, read Reading, seeds [][]byte) {
	f.Helper()
	shaped := map[string]bool{}
	for _, s := range seeds {
		if events, err := read(s); err == nil && len(events) > 0 {
			shaped[string(s)] = true
		}
		f.Add(s)
	}
	if len(shaped) < LeastSeeds {
		f.Fatalf("%d of the %d seeds are of real shape, want %d", len(shaped), len(seeds), LeastSeeds)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := read(body)
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
		again, _ := read(body)
		if !slices.EqualFunc(events, again, func(a, b handoff.ProviderEvent) bool { return a.ID == b.ID && a.Kind == b.Kind }) {
			t.Error("the same body tells something else the second time")
		}
	})
}

// words are what agents write.
var words = []string{
	"Hello, Ann here.", "é ü ß ł ő – “quoted” …", "👩‍💻 👍🏽 🇬🇷", "שלום, how are you? مرحبا", "line one\nline two\n\n\tindented", "<b>bold</b> & <script>alert(1)</script>",
	"&lt;b&gt; &amp;amp; &#39;", "**bold** _it_ `code` ~~no~~ # head", "https://example.org/a?b=1&c=%20#d", "1 < 2 and 3 > 2", `a "quote" and a \ backslash`,
	`{"text":"JSON","n":[1,null]}`, "<x><y/></x>", "mail ann@example.org or call +30 210 1234567", "100 % + 1", "!important", "  spaces around  ",
}

// Talk lets an agent take a chat, write in it in many ways, and leave notes: what
// the platform tells of it are seeds for [FuzzReceive].
func Talk(v providertest.Vendor, chat string, agent handoff.Party) {
	v.Do(providertest.Act{Kind: providertest.Join, Chat: chat, Agent: agent})
	for _, text := range words {
		v.Do(providertest.Act{Kind: providertest.Say, Chat: chat, Text: text})
	}
	for _, text := range words[:4] {
		v.Do(providertest.Act{Kind: providertest.Write, Chat: chat, Text: text})
	}
	v.Do(providertest.Act{Kind: providertest.Say, Chat: chat, Text: strings.Repeat("long ", 1000)})
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
