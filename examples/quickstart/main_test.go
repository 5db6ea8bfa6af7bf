package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In a bubble the seconds pass at once.
func TestConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user, agents := play(t, conversation)
		inOrder(t, user,
			"charged twice",
			"bot I see two charges",
			"Shall I get you a person?",
			"Dana I want to talk to a real person.",
			"I am getting a person for you.",
			"2 people are ahead of you. I cannot say yet how long it will take.", // four chats were seen
			"One person is ahead of you. It will take",                           // and five
			"You are next. It will take",
			"Ann has joined the conversation.",
			"Ann Hi Dana, I am Ann.",
			"Dana Finally.",
			"Ben has joined the conversation.",
			"Ben Hello Dana, Ben here.",
			"Dana Great! And can you mail me the corrected invoice?",
			"You are talking to the assistant again.",
			"bot I am back. Ben told me: Refunded 45.00, reference R-4711.", // the bot knows
			"bot I have mailed the corrected invoice",                       // and answers what was open
		)
		inOrder(t, agents,
			"Ann is offered Dana.", "why user_request", "flags frustrated", "skill disputes, level 1", "plan: gold",
			"Dana Hi! My card was charged twice", "bot I see two charges", "Dana I want to talk to a real person.",
			"Ann has Dana now.", "Dana Finally.",
			"note Second charge is real.",
			"Ann asks Ben to take over.", "Ben is offered Dana.", "note Second charge is real.", "Ben has Dana now.",
			"Ben gives Dana back to the bot.",
		)
		assert.NotContains(t, user, "Second charge", "a note stays with the agents")
		assert.NotContains(t, user, "authorise 45.00", "a transfer's note stays with the agents")
	})
}

func TestErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		err := run(t.Context(), strings.NewReader("@ann Hello?"), newScreen(&out, true), pace)
		require.ErrorContains(t, err, "ann has no chat", "a script that cannot go on says so")
	})
}

// play returns what both columns say, without line breaks.
func play(t *testing.T, lines string) (user, agents string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), strings.NewReader(lines), newScreen(&out, false), pace))
	t.Log("\n" + out.String())
	var columns [2][]string
	for line := range strings.Lines(out.String()) {
		left, right, ok := strings.Cut(line, "│")
		if ok {
			columns[0] = append(columns[0], strings.Fields(left)...)
			columns[1] = append(columns[1], strings.Fields(strings.ReplaceAll(right, "▏", " "))...)
		}
	}
	return strings.Join(columns[0], " "), strings.Join(columns[1], " ")
}

// inOrder checks that a text has these parts, one after the other.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		_, after, ok := strings.Cut(text, p)
		require.True(t, ok, "%q is missing, or comes too early; what follows is\n%s", p, text)
		text = after
	}
}
