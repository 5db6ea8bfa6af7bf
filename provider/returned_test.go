package provider_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

func TestReturned(t *testing.T) {
	const word = provider.DefaultReturn
	for text, note := range map[string]string{
		"!bot": "", "  !bot \n": "", "!BOT": "", "!bot the order is paid": "the order is paid", "!bot\nsee\nabove": "see\nabove",
		"!bot !bot": "!bot",
	} {
		for _, kind := range []handoff.ProviderEventKind{handoff.EventMessage, handoff.EventNote} {
			ev := handoff.ProviderEvent{ID: "message/1", MessageID: "1", Kind: kind, Reference: "r", Text: text, Agent: provider.Agent("7", "Ann")}
			want := ev
			want.Kind, want.Text, want.MessageID, want.StillOpen = handoff.EventReturned, note, "", true
			assert.Equal(t, []handoff.ProviderEvent{want}, provider.Returned(word, []handoff.ProviderEvent{ev}), "%q", text)
			require.NoError(t, want.Validate())
		}
	}
	for _, text := range []string{
		"", "!", "!bo", "!both of them", "!bot.", "write !bot to go back", "bot", "!воt", "\"!bot\"", "é!bot",
	} {
		list := []handoff.ProviderEvent{{ID: "1", Kind: handoff.EventMessage, Text: text}}
		assert.Equal(t, list, provider.Returned(word, list), "%q", text)
	}
	// The user's own words are nobody's command, and without a word there is none.
	for _, ev := range []handoff.ProviderEvent{
		{Kind: handoff.EventUserMessage, Text: word}, {Kind: handoff.EventTyping, Text: word}, {Kind: handoff.EventEnded, Text: word},
	} {
		assert.Equal(t, []handoff.ProviderEvent{ev}, provider.Returned(word, []handoff.ProviderEvent{ev}))
	}
	said := []handoff.ProviderEvent{{ID: "1", Kind: handoff.EventMessage, Text: word}}
	assert.Equal(t, said, provider.Returned("", said))
	assert.Empty(t, provider.Returned(word, nil))
}

// A file that comes with the word is the user's all the same.
func TestReturnedWithFiles(t *testing.T) {
	file := []handoff.File{{Name: "bill.pdf", URL: "https://example.org/bill.pdf"}}
	before := handoff.ProviderEvent{ID: "0", Kind: handoff.EventJoined}
	got := provider.Returned("#fertig", []handoff.ProviderEvent{
		before, {ID: "1", MessageID: "m", Kind: handoff.EventMessage, Text: "#Fertig paid", Files: file},
	})
	assert.Equal(t, []handoff.ProviderEvent{
		before,
		{ID: "1", MessageID: "m", Kind: handoff.EventMessage, Files: file},
		{ID: "returned/1", Kind: handoff.EventReturned, Text: "paid", StillOpen: true},
	}, got)
}

func TestReturnWord(t *testing.T) {
	for in, want := range map[string]string{"": provider.DefaultReturn, "#bot": "#bot", "/zurück": "/zurück", provider.NoReturn: ""} {
		word, ok := provider.ReturnWord(in)
		assert.True(t, ok, "%q", in)
		assert.Equal(t, want, word)
	}
	for _, in := range []string{" ", "to bot", "#bot ", "\t#bot", "a\u00a0b"} {
		_, ok := provider.ReturnWord(in)
		assert.False(t, ok, "%q", in)
	}
}
