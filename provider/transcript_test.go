package provider_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

func script(texts ...string) []handoff.Entry {
	var out []handoff.Entry
	for i, text := range texts {
		from := handoff.Party{Role: handoff.RoleUser, Name: "Ursula"}
		if i%2 == 1 {
			from = handoff.Party{Role: handoff.RoleBot}
		}
		out = append(out, handoff.Entry{
			ID: fmt.Sprintf("e%d", i), Kind: handoff.KindMessage, From: from, Text: text, At: time.Date(2026, 1, 2, 3, 4, i, 0, time.UTC),
		})
	}
	return out
}

func hide(text string) string { return strings.ReplaceAll(text, "4111111111111111", "****") }

func TestNote(t *testing.T) {
	o := handoff.Opening{Note: "Reason: user_requested", Transcript: script("hello\nworld", "hi", "my card is 4111111111111111")}
	r := provider.Renderer{Redact: hide}
	assert.Equal(t, "Reason: user_requested\n\n03:04:00 user Ursula: hello\n    world\n03:04:01 bot: hi\n03:04:02 user Ursula: my card is ****", r.Note(o, 0))
	assert.Empty(t, r.Note(handoff.Opening{}, 10))
}

func TestNoteKeepsTheNewest(t *testing.T) {
	var texts []string
	for i := range 100 {
		texts = append(texts, fmt.Sprintf("message %d é漢", i))
	}
	o := handoff.Opening{Note: "Reason: x", Transcript: script(texts...)}
	for limit := 60; limit < 3000; limit += 7 {
		note := (provider.Renderer{}).Note(o, limit)
		require.LessOrEqual(t, len(note), limit)
		require.True(t, utf8.ValidString(note))
		require.Contains(t, note, provider.CutMark)
		if limit > 200 {
			require.Contains(t, note, "message 99 é漢")
			require.Contains(t, note, "Reason: x")
			require.Contains(t, note, "earlier messages")
		}
	}
	// One message that is longer than everything does not push out the others.
	o.Transcript = script("first", strings.Repeat("long", 1000), "last")
	note := (provider.Renderer{}).Note(o, 400)
	assert.LessOrEqual(t, len(note), 400)
	assert.Contains(t, note, "last")
	assert.Contains(t, note, "longlong")
}

// What is redacted is redacted before it is cut: half a card number would not
// be recognised any more.
func TestRedactionComesFirst(t *testing.T) {
	const card = "4111111111111111"
	text := strings.Repeat("x", 90) + card + strings.Repeat("y", 100)
	r := provider.Renderer{Redact: hide}
	o := handoff.Opening{Transcript: script(text)}
	for limit := 50; limit < 300; limit++ {
		all := r.Note(o, limit) + r.Digest(o.Transcript, limit)
		for _, l := range r.Replay(o.Transcript, limit) {
			all += l.Text + "|"
		}
		require.NotContains(t, all, "4111", "at %d", limit)
	}
}

func TestReplay(t *testing.T) {
	list := script("short", strings.Repeat("é", 100))
	list[1].Files = []handoff.File{{Name: "a"}}
	lines := (provider.Renderer{}).Replay(list, 64)
	require.Len(t, lines, 5)
	text := ""
	for i, l := range lines[1:] {
		assert.LessOrEqual(t, len(l.Text), 64)
		assert.True(t, utf8.ValidString(l.Text))
		assert.Equal(t, i == 3, len(l.Files) == 1)
		text += l.Text
	}
	assert.Equal(t, list[1].Text, text, "nothing is lost")
	assert.Equal(t, []string{"e1", "e1/1"}, []string{lines[1].ID, lines[2].ID})
}

func TestDigest(t *testing.T) {
	assert.Equal(t, "user: a b\nbot: c", (provider.Renderer{}).Digest(script("a\n b", "c"), 0))
	assert.Equal(t, provider.CutMark+" 2 earlier messages\nuser: last", (provider.Renderer{}).Digest(script("first of them", "second", "last"), 40))
}

func FuzzCut(f *testing.F) {
	f.Add("hello", 3)
	f.Add("漢字漢字", 7)
	f.Add("\xff\xfe\x00", 1)
	f.Add("👩‍👩‍👧", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 100
		if got := provider.Cut(s, limit); limit > 0 && len(got) > limit || utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Cut(%q, %d) is %q", s, limit, got)
		}
		parts := provider.Parts(s, limit)
		if strings.Join(parts, "") != s {
			t.Errorf("Parts(%q, %d) is %q", s, limit, parts)
		}
		for _, p := range parts {
			if limit > 0 && len(p) > limit || limit >= utf8.UTFMax && utf8.ValidString(s) && !utf8.ValidString(p) {
				t.Errorf("Parts(%q, %d) has %q", s, limit, p)
			}
		}
		if got := provider.Text(s, limit); !utf8.ValidString(got) || strings.Contains(got, "\x00") {
			t.Errorf("Text(%q, %d) is %q", s, limit, got)
		}
	})
}

func TestDecodeJSON(t *testing.T) {
	var v any
	require.NoError(t, provider.DecodeJSON([]byte(`{"a":["[[[\"{{{"]}`), &v))
	deep := strings.Repeat("[", provider.MaxDepth) + strings.Repeat("]", provider.MaxDepth)
	require.NoError(t, provider.DecodeJSON([]byte(deep), &v))
	for _, bad := range []string{"", "{", "[" + deep + "]", strings.Repeat("[", 1<<20), `{"secret":"x"`} {
		err := provider.DecodeJSON([]byte(bad), &v)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
	}
}
