package provider

import (
	"strings"

	"github.com/seed-2a427302/handoff"
)

// DefaultReturn is what an agent writes to give a conversation back to the bot
// on a platform that has no other way to say so.
const DefaultReturn = "!bot"

// NoReturn in place of the word means that there is none: an agent can only end
// the conversation.
const NoReturn = "-"

// ReturnWord is the word of a Config: what is empty is [DefaultReturn],
// [NoReturn] is "". It reports false for what cannot be a word: one with a space
// in it.
func ReturnWord(s string) (word string, ok bool) {
	switch s {
	case "":
		return DefaultReturn, true
	case NoReturn:
		return "", true
	}
	return s, len(strings.Fields(s)) == 1 && strings.TrimSpace(s) == s
}

// Returned looks for agents who give the conversation back to the bot: by a
// message or a note that begins with word, in capitals or not. What they write
// behind it is for the bot, as the text of an [handoff.EventReturned], and the user
// sees nothing of it but files. The chat is still open there, so that the engine
// closes it. Everything else stays as it is; without a word, all of it.
func Returned(word string, events []handoff.ProviderEvent) []handoff.ProviderEvent {
	var out []handoff.ProviderEvent
	for i := range events {
		ev := events[i]
		note, ok := command(word, ev.Text)
		if !ok || ev.Kind != handoff.EventMessage && ev.Kind != handoff.EventNote {
			out = append(out, ev)
			continue
		}
		if len(ev.Files) > 0 {
			files := ev
			files.Text = ""
			out = append(out, files)
			ev.ID = Name("returned/" + ev.ID)
		}
		ev.Kind, ev.Text, ev.Files, ev.MessageID, ev.StillOpen = handoff.EventReturned, note, nil, "", true
		out = append(out, ev)
	}
	return out
}

// command returns what stands behind the word with which a text begins.
func command(word, text string) (rest string, ok bool) {
	text = strings.TrimSpace(text)
	if word == "" || len(text) < len(word) || !strings.EqualFold(text[:len(word)], word) {
		return "", false
	}
	rest = text[len(word):]
	trimmed := strings.TrimSpace(rest)
	return trimmed, trimmed == "" || trimmed != rest // "!both" is another word
}
