package trigger_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/trigger"
)

// request returns the request signal of a text, guarded or not.
func request(eng *trigger.Engine, text, lang string) (trigger.Signal, bool) {
	for _, s := range eng.Read(nil, text, lang) {
		if s.Reason == trigger.ReasonUserRequest {
			return s, true
		}
	}
	return trigger.Signal{}, false
}

func TestEvidenceReslicesTheOriginal(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	for _, c := range []struct{ text, want string }{
		{"Hello, I want to TALK to a Human, thanks", "want to TALK to a Human"},
		{"ça va? pero QUIERO hablar con un ásesor ya", "QUIERO hablar con un ásesor"},
		{"ｇｉｖｅ ｍｅ ａ ｈｕｍａｎ", "ｇｉｖｅ ｍｅ ａ ｈｕｍａｎ"},
		{"😡😡 human\u200b please 😡", "human\u200b please"},
		{"我要人工客服！", "我要人工客服"},
		{"I need a huma\u0301n", "need a huma\u0301n"},
		{"o\u0301pera\u200dtor please", "o\u0301pera\u200dtor please"},
		{"\xff\xfegive me an agent\xff", "give me an agent"},
	} {
		s, ok := request(eng, c.text, "")
		require.True(t, ok, c.text)
		require.Empty(t, s.Guard, c.text)
		require.NotEmpty(t, s.Evidence.Rule)
		got := c.text[s.Evidence.Start:s.Evidence.End]
		require.Contains(t, c.want, got, "the span lies inside the request")
		require.GreaterOrEqual(t, len(got), 4)
	}
}

func TestLongTextIsReadAtBothEnds(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	filler := strings.Repeat("the parcel was late and wet. ", 20_000)
	for name, text := range map[string]string{
		"head": "I want to talk to a human. " + filler,
		"tail": filler + "I want to talk to a human",
	} {
		s, ok := request(eng, text, "en")
		require.True(t, ok, name)
		require.Contains(t, text[s.Evidence.Start:s.Evidence.End], "human", name)
	}
	_, ok := request(eng, filler+"I want to talk to a human. "+filler, "en")
	require.False(t, ok, "the middle of pasted material is not read")
}

func TestManyTokensLeaveRoomForTheTail(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	_, ok := request(eng, strings.Repeat("q ", 5000)+"give me an agent", "en")
	require.True(t, ok)
	_, ok = request(eng, strings.Repeat("字", 5000)+" give me an agent", "en")
	require.True(t, ok)
}

func TestQuotedMailIsNotRead(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	_, ok := request(eng, "see below\n> I want to talk to a human\nthanks", "en")
	require.False(t, ok)
	_, ok = request(eng, "see below\n-----Original Message-----\nI want to talk to a human", "en")
	require.False(t, ok)
}

func TestGuardBlocksAClauseNotTheMessage(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	s, ok := request(eng, "are you human? I want a person!", "en")
	require.True(t, ok)
	require.Empty(t, s.Guard)
	s, ok = request(eng, "I don't want to talk to an agent", "en")
	require.True(t, ok, "a request that is taken back is still reported")
	require.Equal(t, trigger.GuardNegated, s.Guard)
}

func TestSessionLanguageFirstThenTheOthers(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	s, ok := request(eng, "quiero hablar con un agente", "en-GB")
	require.True(t, ok, "a second language in an English session")
	require.Equal(t, "es", s.Lang)
	s, _ = request(eng, "I want to talk to a human", "ES_mx")
	require.Equal(t, "en", s.Lang)
}

func TestWhatWasTakenBackIsNotAskedForInAnotherLanguage(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	s, ok := request(eng, "agents", "fr")
	require.True(t, ok)
	require.Equal(t, "fr", s.Lang)
	require.Equal(t, "compound", s.Guard, "English would read a request")
	s, ok = request(eng, "agents. I want to talk to a human", "fr")
	require.True(t, ok)
	require.Equal(t, "en", s.Lang)
	require.Empty(t, s.Guard, "other words of the text are free")
}

func TestLanguageWithoutAPackSaysSo(t *testing.T) {
	eng := newEngine(t, trigger.Config{Phrases: []trigger.Phrase{{Text: "tổng đài viên"}}})
	s, ok := request(eng, "talk to a human agent", "vi")
	require.True(t, ok)
	require.Equal(t, trigger.WhyNoPack, s.Guard)
	sig := eng.Read(nil, "cho tôi gặp Tổng đài viên", "vi")
	require.Equal(t, trigger.ReasonPhrase, sig[0].Reason, "the host's phrases work in any language")
}

func TestReadAllocatesNothing(t *testing.T) {
	eng := newEngine(t, trigger.Config{Topics: []string{"legal"}, Phrases: []trigger.Phrase{{Text: "cancel my contract"}}})
	texts := []string{
		"where is the parcel that I ordered in May", "I want to talk to a human agent now",
		"you are useless and I will call my lawyer to cancel my contract", "quiero hablar con un asesor", "转人工",
		strings.Repeat("agxnt humxn a.b,", 500),
	}
	var buf [16]trigger.Signal
	for _, lang := range []string{"en", "", "vi"} {
		n := testing.AllocsPerRun(50, func() {
			for _, text := range texts {
				eng.Read(buf[:0], text, lang)
			}
		})
		require.Zero(t, n, "lang %q", lang)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", " ", "\x00", "\xff\xfe", "I want to talk to a human", "no\x00human", "请转人工客服", "l'agent c'è don`t",
		strings.Repeat("a", 5000), strings.Repeat("talk to an agent ", 300), "> quoted\nagent", "?!?!?!", "ﷺ\u200d\u0301",
		strings.Repeat("人", 2000), "e\u0301\u0301\u0301 agent", "agent\u2028please", "''''''", "a'b'c'd", "-----", ">",
	} {
		f.Add(s, "en")
		f.Add(s, "")
	}
	eng, err := trigger.New(trigger.Config{Topics: []string{"legal"}, Phrases: []trigger.Phrase{{Text: "a b"}, {Text: "人工"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, lang string) {
		sig := eng.Read(nil, text, lang)
		for _, s := range sig {
			if s.Guard == "" && (s.Evidence.Rule == "" || !(s.Score > 0 && s.Score <= 1) || s.Evidence.End <= s.Evidence.Start) {
				t.Fatalf("%q: signal without rule, score or span: %+v", text, s)
			}
			if s.Evidence.Start < 0 || s.Evidence.End > len(text) || s.Evidence.Start > s.Evidence.End {
				t.Fatalf("%q: span outside the text: %+v", text, s)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[s.Evidence.Start:s.Evidence.End]) {
				t.Fatalf("%q: span cuts a character: %+v", text, s)
			}
		}
		again := eng.Read(nil, text, lang)
		if len(again) != len(sig) {
			t.Fatalf("%q: two readings differ", text)
		}
		d, st := eng.Evaluate(t.Context(), trigger.State{}, trigger.Turn{Text: text, Lang: lang})
		if d.Action != trigger.None && d.Primary.Reason == "" || st.Turns != 1 {
			t.Fatalf("%q: action %v without a signal", text, d.Action)
		}
	})
}
