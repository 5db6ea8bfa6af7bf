package notices_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/notices"
)

func catalog(t *testing.T, o notices.Options) *notices.Catalog {
	t.Helper()
	c, err := notices.New(o)
	require.NoError(t, err)
	return c
}

// keys returns the keys that package handoff declares.
func keys(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../notice.go", nil, 0)
	require.NoError(t, err)
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Notice") && len(v.Values) == 1 {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				key, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				out = append(out, key)
			}
		}
		return true
	})
	require.Greater(t, len(out), 20)
	return out
}

var samples = []map[string]string{
	{},
	{"agent": "Ann", "mode": "video", "link": "https://meet.example.com/x", "phone": "123", "label": "Your order?", "choice": "Invoice", "kind": "mail"},
	{"ahead": "0", "wait": "soon"},
	{"ahead": "1", "wait": "range", "wait_low": "2", "wait_high": "5", "cause": "seat_lost+moved"},
	{"ahead": "7", "wait": "less_than", "wait_high": "1", "cause": "moved"},
	{"ahead": "21", "wait": "more_than", "wait_low": "120", "cause": "overtaken+seat_lost", "kind": "date"},
	{"ahead": "2", "wait": "approximate", "wait_high": "4", "wait_low": "4", "kind": "choice"},
	{"wait": "unknown", "why": "offline", "opens": "2026-03-30T09:00:00+02:00", "kind": "phone"},
	{"wait": "unknown", "why": "closed", "opens": "2026-03-30T09:00:00+02:00", "kind": "number"},
	{"wait": "unknown", "why": "full", "kind": ""},
}

// Every language has words for every notice; the English ones are the engine's.
func TestEveryLanguageIsComplete(t *testing.T) {
	c := catalog(t, notices.Options{})
	for _, key := range keys(t) {
		for _, data := range samples {
			n := handoff.Notice{Key: key, Data: data}
			require.Equal(t, strings.TrimSpace(handoff.English{}.Text(n)), c.Text(n), "%s %v", key, data)
			seen := map[string]bool{}
			for _, lang := range []string{"en", "es", "de", "fr", "pt"} {
				n.Language = lang
				text := c.Text(n)
				require.NotContains(t, text, "{")
				if key != handoff.NoticeCallback || data["phone"] != "" {
					require.NotContains(t, text, "  ")
				}
				if key != handoff.NoticeQuestion && key != handoff.NoticeChoice { // the host's words
					require.NotEmpty(t, text)
					require.False(t, seen[text], "%s: %q is in two languages", key, text)
				}
				seen[text] = true
			}
		}
	}
}

// Before some of its signs French has a space at which no line breaks.
func TestFrenchSpaces(t *testing.T) {
	b, err := os.ReadFile("words/fr.json")
	require.NoError(t, err)
	var words map[string]string
	require.NoError(t, json.Unmarshal(b, &words))
	bad := regexp.MustCompile(`(^|[^\x{202F}])[;?!]|(^|[^\x{A0}\d]):|[^\x{A0}]»|«[^\x{A0}]`)
	for key, text := range words {
		require.NotRegexp(t, bad, text, key)
	}
}

func TestPlacesAndTimes(t *testing.T) {
	c := catalog(t, notices.Options{})
	for _, want := range []struct{ lang, key, ahead, high, text string }{
		{"de", handoff.NoticePlace, "1", "1", "Eine Person ist vor Ihnen. Es dauert etwa eine Minute."},
		{"fr-CA", handoff.NoticePlace, "3", "2", "3 personnes sont devant vous. Cela prendra environ 2 minutes."},
		{"es_MX", handoff.NoticePlace, "0", "1", "Usted es el siguiente. Tardará unos 1 minuto."},
		{"xx", handoff.NoticePlace, "0", "1", "You are next. It will take about a minute."},
		{"de", handoff.NoticeClosing, "", "", "Unser Team schließt jetzt. Wir öffnen wieder am Montag um 09:00 Uhr."},
	} {
		data := map[string]string{"ahead": want.ahead, "wait": "approximate", "wait_high": want.high, "opens": "2026-03-30T09:00:00+02:00"}
		require.Equal(t, want.text, c.Text(handoff.Notice{Key: want.key, Language: want.lang, Data: data}))
	}
}

// A queue's words come before a channel's, and both only where they are meant.
func TestOverrides(t *testing.T) {
	c := catalog(t, notices.Options{
		Default: "de",
		Words: map[string]notices.Words{
			"en-AU": {handoff.NoticeJoined: "G'day, {agent} here."},
			"en":    {"vip": "For you: {gift}"}, "es": {"vip": ""}, "de": {"vip": "x"}, "fr": {"vip": "x"}, "pt": {"vip": "x"},
		},
		Queues:   map[string]map[string]notices.Words{"billing": {"en": {handoff.NoticeEnded: "Billing says goodbye."}}},
		Channels: map[string]map[string]notices.Words{"sms": {"en": {handoff.NoticeEnded: "Bye.", handoff.NoticeJoined: "{agent} here"}}},
		Keys:     map[string][]string{"vip": {"gift"}},
	})
	text := func(lang, queue, channel, key string) string {
		return c.Text(handoff.Notice{Key: key, Language: lang, Queue: queue, Channel: channel, Data: map[string]string{"agent": "Ann", "gift": "#1"}})
	}
	require.Equal(t, "Billing says goodbye.", text("en", "billing", "sms", handoff.NoticeEnded))
	require.Equal(t, "Bye.", text("en", "sales", "sms", handoff.NoticeEnded))
	require.Equal(t, "Das Gespräch mit unserem Team ist beendet.", text("de", "billing", "sms", handoff.NoticeEnded))
	require.Equal(t, "Ann here", text("en", "billing", "sms", handoff.NoticeJoined))
	require.Equal(t, "G'day, Ann here.", text("en-AU", "sales", "web", handoff.NoticeJoined))
	require.Equal(t, "The conversation with our team has ended.", text("en-AU", "sales", "web", handoff.NoticeEnded))
	require.Equal(t, "For you: #1", text("en", "", "", "vip"))
	require.Empty(t, text("es", "", "", "vip"), "an empty template says nothing")
	require.Equal(t, "Ich verbinde Sie.", text("", "", "", handoff.NoticeConnecting))
	require.Empty(t, text("en", "", "", "_colleague"))
}

// A name cannot turn a sentence round, add a line or hide in a control
// character; one that is missing is a word for a colleague.
func TestValuesAreSafe(t *testing.T) {
	c := catalog(t, notices.Options{})
	joined := func(lang, name string) string {
		return c.Text(handoff.Notice{Key: handoff.NoticeJoined, Language: lang, Data: map[string]string{"agent": name}})
	}
	require.Equal(t, "Ann Lee has joined the conversation.", joined("en", "Ann\n\u202eLee\x00\u2069"))
	require.Equal(t, "\u2068דנה\u2069 has joined the conversation.", joined("en", "דנה"))
	require.Equal(t, "<b>{x}</b> has joined the conversation.", joined("en", "<b>{x}</b>"), "no template, and no HTML of ours")
	english := func(key string, data map[string]string) string {
		return handoff.English{}.Text(handoff.Notice{Key: key, Data: data})
	}
	require.Equal(t, "Ann Lee has joined the conversation.", english(handoff.NoticeJoined, map[string]string{"agent": "Ann\n\u202eLee\x00\u2069"}))
	require.Equal(t, "Your order?", english(handoff.NoticeQuestion, map[string]string{"label": "Your\torder?\u202e"}))
	require.Equal(t, "Jemand aus unserem Team ist jetzt im Gespräch.", joined("de", "\u202e "))
}

func TestBrokenWords(t *testing.T) {
	_, err := notices.New(notices.Options{
		Default: "tlh",
		Words: map[string]notices.Words{
			"en": {
				handoff.NoticeEnded: "{agent", handoff.NoticeHeld: "{who} is away", handoff.NoticeResumed: "}", handoff.NoticeIdle: "{}",
				handoff.NoticeWaiting: "{mode, select, video {x}}", handoff.NoticeJoined: "{agent, color, other {x}}",
				handoff.NoticePlace: "{ahead, plural, several {x} other {y}}", handoff.NoticeRate: strings.Repeat("{agent, select, other {", 9) + strings.Repeat("}}", 9),
				"nonsense": "x", "_weekdays": "Mon,Tue",
			},
			"nl": {handoff.NoticeEnded: "Klaar."},
		},
		Queues: map[string]map[string]notices.Words{"q": {"en": {handoff.NoticeEnded: "{link}"}}},
		Keys:   map[string][]string{"ended": nil},
	})
	for _, want := range []string{
		`Words["en"]["ended"]: a { without }`, `Words["en"]["held"]: there is no placeholder "who"`, `["resumed"]: a } too many`,
		`["idle_warning"]: a placeholder without a name`, `["waiting"]: "mode" has no other`, `["joined"]: "agent" is neither`,
		`["place"]: "ahead" has a case that is none`, `["rate"]: too many braces`, `Words["en"]["nonsense"]: is a key that nobody knows`,
		`["_weekdays"]: are not seven`, `Words["nl"]["joined"]: is missing`, `Queues["q"]["en"]["ended"]: there is no placeholder "link"`,
		`Keys["ended"]: is taken`, "Default: is a language without words",
	} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorIs(t, err, handoff.ErrInvalid)

	huge := strings.Repeat("{", 1<<20)
	for _, bad := range []string{huge, "{" + huge, strings.Repeat("x", 1<<20) + "{", "{" + strings.Repeat("x", 1<<20) + "}"} {
		_, err := notices.New(notices.Options{Words: map[string]notices.Words{"en": {handoff.NoticeEnded: bad}}})
		require.ErrorContains(t, err, `Words["en"]["ended"]`)
		require.Less(t, len(err.Error()), 200, "what is wrong is not repeated")
	}
}

// A language of the host's own, with its plurals.
func TestAnotherLanguage(t *testing.T) {
	words := notices.Words{}
	for _, key := range keys(t) {
		words[key] = "x"
	}
	words["_colleague"], words["_opens"], words["_weekdays"] = "x", "x", "1,2,3,4,5,6,7"
	words[handoff.NoticeJoined] = "{agent} x"
	words[handoff.NoticePlace] = "{ahead, plural, none {?} =0 {0} one {# one} few {# few} many {# many} other {# other}}"
	for lang, want := range map[string][]string{
		"ru": {"0", "1 one", "3 few", "5 many", "11 many", "21 one", "22 few"},
		"pl": {"0", "1 one", "3 few", "5 many", "11 many", "21 many", "22 few"},
		"cs": {"0", "1 one", "3 few", "5 other", "11 other", "21 other", "22 other"},
		"ar": {"0", "1 one", "3 few", "5 few", "11 many", "21 many", "22 many"},
		"he": {"0", "1 one", "3 other", "5 other", "11 other", "21 other", "22 other"},
		"ja": {"0", "1 other", "3 other", "5 other", "11 other", "21 other", "22 other"},
	} {
		c := catalog(t, notices.Options{Words: map[string]notices.Words{lang: words}})
		var got []string
		for _, n := range []string{"0", "1", "3", "5", "11", "21", "22"} {
			got = append(got, c.Text(handoff.Notice{Key: handoff.NoticePlace, Language: lang, Data: map[string]string{"ahead": n}}))
		}
		require.Equal(t, want, got, lang)
		joined := "Ann x"
		if lang == "ar" || lang == "he" {
			joined = "\u2068Ann\u2069 x" // a name that runs the other way
		}
		require.Equal(t, joined, c.Text(handoff.Notice{Key: handoff.NoticeJoined, Language: lang, Data: map[string]string{"agent": "Ann"}}), lang)
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("{agent, plural, =0 {x} other {# {agent}}}", "Ann")
	f.Add("}{{,", "\u202e\x00")
	f.Fuzz(func(t *testing.T, template, value string) {
		c, err := notices.New(notices.Options{Words: map[string]notices.Words{"en": {handoff.NoticeJoined: template}}})
		if err != nil {
			return
		}
		text := c.Text(handoff.Notice{Key: handoff.NoticeJoined, Data: map[string]string{"agent": value}})
		if !strings.ContainsAny(template, "\u202e\x00") {
			require.NotContains(t, text, "\u202e")
			require.NotContains(t, text, "\x00")
		}
	})
}

func TestUsersAreToldInTheirLanguage(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c1", Queue: "support", Locale: "pt-BR"})
		require.NoError(t, err)
		r.Wait()
		require.Equal(t, "Vou chamar uma pessoa para atender você.", r.Users.Texts("c1")[0])
	}, func(c *handoff.Config) { c.Notices = catalog(t, notices.Options{}) })
}

// What a ladder tells, and what a form asks, are the host's own words: each user
// has them in his language, and who has none of these in the default.
func TestOwnWordsInEveryLanguage(t *testing.T) {
	own := map[string]notices.Words{"fr": {"strike": "Nous sommes en grève."}, "pt": {"strike": "Estamos em greve."}}
	own["en"] = notices.Words{"strike": "We are on strike."}
	own["es"] = notices.Words{"strike": "Estamos en huelga.", handoff.NoticeQuestion: "{field, select, order {¿Cuál es su pedido?} other {{label}}}"}
	own["de"] = notices.Words{"strike": "Wir streiken.", handoff.NoticeInvalid: "{field, select, order {Eine Nummer, bitte.} other {Bitte noch einmal.}}"}
	options := notices.Options{Words: own, Keys: map[string][]string{"strike": nil}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for locale, want := range map[string][]string{
			"es-MX": {"¿Cuál es su pedido?", "Estamos en huelga."},
			"de":    {"Your order?", "Eine Nummer, bitte.", "Wir streiken."},
			"ja":    {"Your order?", "We are on strike."},
		} {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: locale, Queue: "support", Locale: locale})
			require.NoError(t, err)
			if locale == "de" {
				_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: locale, ID: "m1", Text: "dunno"})
				require.NoError(t, err)
			}
			_, err = r.Answer(r.Ctx, locale, handoff.Response{Value: "17"})
			require.NoError(t, err)
			r.Sleep(2 * time.Minute)
			for _, text := range want {
				require.Contains(t, r.Users.Texts(locale), text)
			}
		}
	}, func(c *handoff.Config) {
		c.Notices = catalog(t, options)
		c.Queues[0].Ladder = []handoff.Rung{{After: time.Minute, Do: handoff.Tell, Notice: "strike"}, {After: time.Hour, Do: handoff.ToBot}}
		c.Queues[0].Intake = &handoff.Form{Fields: []handoff.Field{{Name: "order", Label: "Your order?", Kind: handoff.FieldNumber}}}
	})
	delete(own["pt"], "strike")
	_, err := notices.New(options)
	require.ErrorContains(t, err, `Words["pt"]["strike"]`)
}
