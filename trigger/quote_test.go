package trigger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/trigger"
)

// TestQuotedSpeechIsReported: what others said, what a menu or a page says.
func TestQuotedSpeechIsReported(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	for _, c := range []struct{ lang, text string }{
		{"en", `the recording said "talk to an agent" and hung up`},
		{"en", `it answers 'speak to a representative' whatever I do`},
		{"en", "the link named ‘Talk to a human’ leads nowhere"},
		{"en", `what is “connect me to an agent” for`},
		{"en", `it says 'I can't help, talk to an agent' on the page`},
		{"es", `la pantalla pone «hablar con un asesor» y nada más`},
		{"de", `da steht „mit einem Mitarbeiter sprechen“ im Menü`},
		{"fr", `la page affiche « parler à un conseiller » en rouge`},
		{"fr", `le menu dit 'parlez à l'agent' et rien ne se passe`},
		{"zh", `页面上写着「请联系人工客服」`},
		{"en", `somebody wrote "I want to talk to a human". Why?`},
	} {
		s, ok := request(eng, c.text, c.lang)
		require.True(t, ok, c.text)
		require.Equal(t, trigger.GuardQuoted, s.Guard, c.text)
	}
}

func TestQuotationMarksAroundARequestHideNothing(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	for _, text := range []string{
		`"talk to an agent"`,
		`"agent" please`,
		`I want "a human"`,
		`it said "one moment", now get me a supervisor`,
		`the 5" tablet is broken, connect me to an agent about the 6" one`,
		`my parents' order is lost, put me through to an agent, it's the neighbours' fault`,
		`he said "wait, then I want to talk to a human`,
		`rock 'n' roll tickets, let me speak to a representative`,
	} {
		s, ok := request(eng, text, "en")
		require.True(t, ok, text)
		require.Empty(t, s.Guard, text)
	}
}

func TestQuotedRefusalCancelsNothing(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	st := trigger.State{}
	d, st := eng.Evaluate(t.Context(), st, trigger.Turn{Text: "I want to talk to a human", Lang: "en"})
	require.Equal(t, trigger.Transfer, d.Action)
	d, _ = eng.Evaluate(t.Context(), st, trigger.Turn{Text: `my wife wrote "do not connect me to an agent" this morning`, Lang: "en"})
	require.False(t, d.Cancel)
	d, _ = eng.Evaluate(t.Context(), st, trigger.Turn{Text: `do not connect me to an agent`, Lang: "en"})
	require.True(t, d.Cancel)
}

// TestSpellingMistakesStayInTheirLanguage: a neighbour in another language must
// not hide the word that was meant.
func TestSpellingMistakesStayInTheirLanguage(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	for lang, texts := range map[string][]string{
		"en": {"operater", "get me a humna", "is there a supervizor i can talk to"},
		"es": {"pasame con un operadro", "un representnate por favor"},
		"pt": {"quero falar com um atendnte", "me passa para um operadr"},
		"fr": {"je veux parler à un conseiler"},
		"it": {"vorrei parlare con un operatroe"},
	} {
		for _, text := range texts {
			s, ok := request(eng, text, lang)
			require.True(t, ok, "%s: %s", lang, text)
			require.Empty(t, s.Guard, text)
			require.Equal(t, lang, s.Lang, text)
		}
	}
}
