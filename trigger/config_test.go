package trigger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/trigger"
)

func TestNewListsEveryProblem(t *testing.T) {
	_, err := trigger.New(trigger.Config{
		Packs:        []trigger.Pack{{Lang: "EN"}, {Lang: "xx", Rules: []trigger.Rule{{Kind: "odd", Name: "r", Patterns: []string{"ghost"}}}}, {Lang: "xx"}},
		Phrases:      []trigger.Phrase{{Text: "ok", Lang: "tlh"}, {Text: "ok", Score: 7}},
		Topics:       []string{"gossip"},
		BotNames:     []string{" "},
		TurnLimit:    -4,
		Failures:     trigger.Failures{Window: 99, MinConfidence: 3},
		Policy:       trigger.Policy{MaxAutomatic: 99, CoolDownTurns: -7, Reasons: map[trigger.Reason]trigger.Threshold{trigger.ReasonPhrase: {Offer: 4, MinTurn: -1}}},
		Unauthorised: map[string][]string{}, ClassifierTimeout: -time.Second,
	})
	require.Error(t, err)
	for _, part := range []string{
		`"EN"`, `"odd"`, `"ghost"`, `two packs for language "xx"`, `"tlh"`, "score 7", `"gossip"`, "name is empty", "count is negative", `["xx"].Rules: the pack is empty`,
		"Window 99", "MinConfidence", "MaxAutomatic: is 99", "CoolDownTurns: is -7", "threshold 4", "MinTurn is negative", "ClassifierTimeout",
	} {
		require.ErrorContains(t, err, part)
	}
}

func TestEmptyPhrasesAreRefused(t *testing.T) {
	for _, p := range []string{"", " ", "!?", "one, two", strings.Repeat("word ", 8), strings.Repeat("x", 2000)} {
		_, err := trigger.New(trigger.Config{Phrases: []trigger.Phrase{{Text: p}}})
		require.Error(t, err, "%.20q", p)
	}
}

func TestEveryBuiltinPackIsSound(t *testing.T) {
	packs, err := trigger.Builtin()
	require.NoError(t, err)
	require.Len(t, packs, 7)
	for _, p := range packs {
		require.NoError(t, p.Check(), p.Lang)
		kinds := map[trigger.Kind]bool{}
		for _, r := range p.Rules {
			kinds[r.Kind] = true
		}
		for _, k := range []trigger.Kind{trigger.KindRequest, trigger.KindGuard, trigger.KindFrustration, trigger.KindYes, trigger.KindNo, trigger.KindPromise} {
			require.True(t, kinds[k], "%s has no rule of kind %s", p.Lang, k)
		}
		for _, topic := range []string{"legal", "fraud", "self_harm", "privacy"} {
			require.NotEmpty(t, p.Topics[topic], "%s lacks topic %s", p.Lang, topic)
		}
	}
	_, err = trigger.Builtin("tlh")
	require.ErrorContains(t, err, "tlh")
}

func TestYesAndNoInEveryLanguage(t *testing.T) {
	for _, c := range []struct{ lang, yes, no string }{
		{"en", "sure, go ahead", "nope, not now"},
		{"es", "sí, claro", "no, gracias"},
		{"pt", "pode ser", "não precisa"},
		{"fr", "oui, volontiers", "non merci"},
		{"de", "ja, gerne", "nein danke"},
		{"it", "va bene", "no grazie"},
		{"zh", "好的", "不用了"},
	} {
		for answer, want := range map[string]trigger.Action{c.yes: trigger.Transfer, c.no: trigger.None} {
			k := newTalk(t, trigger.Config{})
			k.st.Offered, k.st.OfferTurn = trigger.ReasonRepetition, 0
			d := k.turn(trigger.Turn{Text: answer, Lang: c.lang})
			require.Equal(t, want, d.Action, "%s: %q", c.lang, answer)
			require.Equal(t, want == trigger.None, d.Declined, "%s: %q", c.lang, answer)
		}
	}
}

func TestHostExtendsAPack(t *testing.T) {
	packs, err := trigger.Builtin("en")
	require.NoError(t, err)
	base := packs[0]
	own := base.With("human", "concierge").With("sure", "concierge").Without("human", "agent").Without("sure", "agent").
		WithRules(trigger.Rule{Kind: trigger.KindRequest, Name: "bell", Score: 0.9, Patterns: []string{"'ring' det? 'bell'"}})
	eng := newEngine(t, trigger.Config{Packs: []trigger.Pack{own}})
	for text, want := range map[string]bool{"get me the concierge": true, "please ring the bell": true, "I want an agent": false} {
		s, ok := request(eng, text, "en")
		require.Equal(t, want, ok && s.Guard == "", text)
	}
	for _, w := range base.Words["human"] {
		require.NotEqual(t, "concierge", w, "the original is not changed")
	}
	require.Contains(t, base.Words["human"], "agent")
	first, second := base.With("human", "porter"), base.With("human", "butler")
	require.Contains(t, first.Words["human"], "porter", "two copies do not share their words")
	require.Contains(t, second.Words["human"], "butler")
}

func TestBotAndCompanyNames(t *testing.T) {
	eng := newEngine(t, trigger.Config{BotNames: []string{"Vexa"}, CompanyNames: []string{"Acme Corp"}})
	s, ok := request(eng, "I don't want to talk to Vexa", "en")
	require.True(t, ok)
	require.Equal(t, "en/not-a-bot", s.Evidence.Rule)
	s, ok = request(eng, "connect me to an Acme Corp employee", "en")
	require.True(t, ok)
	require.Empty(t, s.Guard)
}

func TestAWholeLanguageOfTheHost(t *testing.T) {
	pack, err := trigger.ParsePack([]byte(`{
	  "lang": "nl",
	  "words": {"talk": ["praten", "spreken"], "human": ["mens", "medewerker"], "det": ["een"], "neg": ["niet", "geen"]},
	  "rules": [
	    {"kind": "request", "name": "talk-to", "patterns": ["'met' det? human talk"]},
	    {"kind": "guard", "name": "negated", "patterns": ["neg 'met' det? human talk"]}
	  ]}`))
	require.NoError(t, err)
	builtin, err := trigger.Builtin()
	require.NoError(t, err)
	eng := newEngine(t, trigger.Config{Packs: append(builtin, pack)})
	s, ok := request(eng, "ik wil met een medewerker spreken", "nl-BE")
	require.True(t, ok)
	require.Equal(t, "nl/talk-to", s.Evidence.Rule)
	s, _ = request(eng, "liever niet met een mens praten", "nl")
	require.Equal(t, trigger.GuardNegated, s.Guard)
	_, err = trigger.ParsePack([]byte(`{"lang": "nl", "wrods": {}}`))
	require.ErrorContains(t, err, "wrods")
}

func FuzzParsePack(f *testing.F) {
	f.Add([]byte(`{"lang":"aa","words":{"a":["b c"]},"rules":[{"kind":"request","name":"r","patterns":["a{0,3} x* 'q'"]}]}`), "b c q")
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		p, err := trigger.ParsePack(raw)
		if err != nil {
			return
		}
		eng, err := trigger.New(trigger.Config{Packs: []trigger.Pack{p}})
		if err != nil {
			return
		}
		eng.Read(nil, text, p.Lang)
	})
}

// What is wrong with packs, phrases and policies is an error that names the
// field and does not repeat a megabyte.
func TestInvalidFields(t *testing.T) {
	huge := strings.Repeat("x", 1<<20)
	rule := trigger.Rule{Kind: trigger.KindRequest, Name: "r", Patterns: []string{"'human'"}}
	with := func(change func(p *trigger.Pack)) trigger.Config {
		p := trigger.Pack{Lang: "xx", Rules: []trigger.Rule{rule}}
		change(&p)
		return trigger.Config{Packs: []trigger.Pack{p}}
	}
	for field, bad := range map[string][]trigger.Config{
		`Packs["xx"].Rules`:           {with(func(p *trigger.Pack) { p.Rules = nil })},
		`Packs["xx"].Rules["r"].Kind`: {with(func(p *trigger.Pack) { p.Rules[0].Kind = trigger.Kind(huge) })},
		`Packs["xx"].Rules["r"].Patterns`: {
			with(func(p *trigger.Pack) { p.Rules[0].Patterns = []string{huge} }), with(func(p *trigger.Pack) { p.Rules[0].Patterns = []string{""} }),
			with(func(p *trigger.Pack) { p.Rules[0].Patterns = []string{"@nobody"} }),
		},
		`Packs["xx"].Words["w"]`: {
			with(func(p *trigger.Pack) { p.Words = map[string][]string{"w": {huge}} }), with(func(p *trigger.Pack) { p.Words = map[string][]string{"w": {"\x00"}} }),
		},
		`Packs["xx"].Topics["t"]`: {with(func(p *trigger.Pack) { p.Topics = map[string][]string{"t": {""}} })},
		`Packs[""].Lang`:          {{Packs: []trigger.Pack{{}}}},
		"Phrases[0].Text":         {{Phrases: []trigger.Phrase{{Text: huge}}}, {Phrases: []trigger.Phrase{{Text: "\x00"}}}},
		`Unauthorised["t"]`:       {{Unauthorised: map[string][]string{"t": {""}}}},
		"BotNames":                {{BotNames: []string{huge}}},
		"CompanyNames":            {{CompanyNames: []string{"\u200b"}}},
		"TurnLimit":               {{TurnLimit: -1}},
		"Repetition":              {{Repetition: 99}, {Repetition: -2}},
		"Policy.MaxAutomatic":     {{Policy: trigger.Policy{MaxAutomatic: 99}}},
	} {
		for _, c := range bad {
			_, err := trigger.New(c)
			require.ErrorContains(t, err, "trigger: "+field+": ")
			require.Less(t, len(err.Error()), 500)
			var no *trigger.InvalidError
			require.ErrorAs(t, err, &no)
		}
	}
	_, err := trigger.ParsePack([]byte(huge))
	var no *trigger.InvalidError
	require.ErrorAs(t, err, &no)
}
