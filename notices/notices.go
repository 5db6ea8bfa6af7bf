package notices

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Words are templates by the key of the notice.
type Words map[string]string

// Options say which words there are. The zero value has the built-in ones, and
// English for who has no language of these.
type Options struct {
	// Default is the language of users whose own is not known or not there;
	// empty: "en".
	Default string

	// Words by language, as BCP 47 ("pt", "pt-BR"). They replace and add to
	// the built-in ones; a language that is new needs all keys.
	Words map[string]Words

	// Queues and Channels have words by name and language for those who are
	// there; the queue's come first. A key that is missing is taken from Words.
	Queues   map[string]map[string]Words
	Channels map[string]map[string]Words

	// Keys are the host's own notices, for Rung.Notice and Engine.Notify, with
	// their placeholders. Every language needs them.
	Keys map[string][]string
}

// The parts of a language that are no notices.
const (
	wordColleague = "_colleague" // for an agent without a name
	wordOpens     = "_opens"     // what {opens} becomes: weekday, time
	wordWeekdays  = "_weekdays"  // seven, Sunday first, with commas
)

// placeholders are what the templates of a key may name.
func placeholders() map[string][]string {
	agent, offline := []string{"agent"}, []string{"why", "opens"}
	return map[string][]string{
		handoff.NoticeWaiting:    {"mode"},
		handoff.NoticePlace:      {"position", "ahead", "wait", "wait_low", "wait_high", "why", "cause"},
		handoff.NoticeConnecting: nil,
		handoff.NoticeJoined:     agent,
		handoff.NoticeTakeOver:   agent,
		handoff.NoticeVideo:      {"agent", "link"},
		handoff.NoticeTransfer:   {"agent", "queue"},
		handoff.NoticeRequeued:   nil,
		handoff.NoticeHeld:       agent,
		handoff.NoticeResumed:    agent,
		handoff.NoticeIdle:       nil,
		handoff.NoticeReturned:   agent,
		handoff.NoticeEnded:      agent,
		handoff.NoticeMissed:     nil,
		handoff.NoticeCancelled:  nil,
		handoff.NoticeFailed:     nil,
		handoff.NoticeOffline:    offline,
		handoff.NoticeClosing:    offline,
		handoff.NoticeOffer:      nil,
		handoff.NoticeMessage:    nil,
		handoff.NoticeThanks:     nil,
		handoff.NoticeCallback:   {"phone"},
		handoff.NoticeUnanswered: nil,
		handoff.NoticeQuestion:   {"field", "label"},
		handoff.NoticeChoice:     {"field", "choice", "number"},
		handoff.NoticeInvalid:    {"field", "label", "kind", "why"},
		handoff.NoticeRate:       agent,
		wordColleague:            nil,
		wordOpens:                {"weekday", "time"},
		wordWeekdays:             nil,
	}
}

//go:embed words/*.json
var builtin embed.FS

// A Catalog is a handoff.Notices. It is immutable and safe for concurrent use.
type Catalog struct {
	byDefault string
	words     map[string]map[string][]part // by language, key
	queues    map[string]map[string]map[string][]part
	channels  map[string]map[string]map[string][]part
}

var _ handoff.Notices = (*Catalog)(nil)

// New compiles the words. The error lists every problem, each a
// *handoff.InvalidError that names the template: templates that cannot be read,
// placeholders that the notice does not have, keys that are missing or that
// nobody knows.
func New(o Options) (*Catalog, error) {
	all, err := builtinWords()
	if err != nil {
		return nil, err
	}
	may := placeholders()
	var problems []error
	report := func(field string, err error) {
		problems = append(problems, &handoff.InvalidError{Field: field, Why: err.Error()})
	}
	for _, key := range slices.Sorted(maps.Keys(o.Keys)) {
		list := o.Keys[key]
		if _, taken := may[key]; taken || key == "" || strings.HasPrefix(key, "_") {
			report(fmt.Sprintf("Keys[%.40q]", key), errors.New("is taken or no key"))
		}
		may[key] = list
	}
	for lang, words := range o.Words {
		if all[norm(lang)] == nil {
			all[norm(lang)] = Words{}
		}
		maps.Copy(all[norm(lang)], words)
	}
	c := &Catalog{byDefault: norm(cmp.Or(o.Default, "en"))}
	c.words = compileAll("Words", all, may, report)
	for lang := range all {
		// A regional variant may leave to its language what is the same.
		base, _, regional := strings.Cut(lang, "-")
		for key := range may {
			_, ok := all[lang][key]
			if _, inBase := all[base][key]; !ok && (!regional || !inBase) {
				report(at("Words", lang, key), errors.New("is missing"))
			}
		}
		days, ok := all[lang][wordWeekdays]
		if ok && len(strings.Split(days, ",")) != 7 {
			report(at("Words", lang, wordWeekdays), errors.New("are not seven"))
		}
	}
	if all[c.byDefault] == nil {
		report("Default", errors.New("is a language without words"))
	}
	compileScopes := func(field string, scopes map[string]map[string]Words) map[string]map[string]map[string][]part {
		out := map[string]map[string]map[string][]part{}
		for name, byLang := range scopes {
			normal := map[string]Words{}
			for lang, words := range byLang {
				normal[norm(lang)] = words
			}
			out[name] = compileAll(fmt.Sprintf("%s[%.40q]", field, name), normal, may, report)
		}
		return out
	}
	c.queues, c.channels = compileScopes("Queues", o.Queues), compileScopes("Channels", o.Channels)
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return c, nil
}

func builtinWords() (map[string]Words, error) {
	files, err := builtin.ReadDir("words")
	if err != nil {
		return nil, err
	}
	all := map[string]Words{}
	for _, f := range files {
		b, err := builtin.ReadFile("words/" + f.Name())
		if err != nil {
			return nil, err
		}
		var w Words
		if err := json.Unmarshal(b, &w); err != nil {
			return nil, fmt.Errorf("notices: %s: %w", f.Name(), err)
		}
		all[strings.TrimSuffix(f.Name(), ".json")] = w
	}
	return all, nil
}

// compileAll parses the words of each language and checks what they name.
func compileAll(field string, all map[string]Words, may map[string][]string, report func(string, error)) map[string]map[string][]part {
	out := map[string]map[string][]part{}
	for _, lang := range slices.Sorted(maps.Keys(all)) {
		out[lang] = map[string][]part{}
		for _, key := range slices.Sorted(maps.Keys(all[lang])) {
			allowed, known := may[key]
			if !known {
				report(at(field, lang, key), errors.New("is a key that nobody knows"))
				continue
			}
			parts, err := parse(all[lang][key])
			if err != nil {
				report(at(field, lang, key), err)
				continue
			}
			for _, name := range names(parts) {
				if !slices.Contains(allowed, name) {
					report(at(field, lang, key), fmt.Errorf("there is no placeholder %.40q", name))
				}
			}
			out[lang][key] = parts
		}
	}
	return out
}

// at names a template.
func at(field, lang, key string) string { return fmt.Sprintf("%s[%.40q][%.40q]", field, lang, key) }

// norm makes tags comparable: "pt_BR" is "pt-br".
func norm(lang string) string { return strings.ToLower(strings.ReplaceAll(lang, "_", "-")) }

// Text returns the words for a notice in the user's language, or in one that
// it belongs to, or in the default.
func (c *Catalog) Text(n handoff.Notice) string {
	lang := norm(n.Language)
	for lang != "" {
		if text, ok := c.in(lang, &n); ok {
			return text
		}
		i := strings.LastIndexByte(lang, '-')
		lang = lang[:max(i, 0)]
	}
	text, _ := c.in(c.byDefault, &n)
	return text
}

// in returns the words in one language, if it has any.
func (c *Catalog) in(lang string, n *handoff.Notice) (string, bool) {
	parts, ok := c.queues[n.Queue][lang][n.Key]
	if !ok {
		parts, ok = c.channels[n.Channel][lang][n.Key]
	}
	if !ok {
		parts, ok = c.words[lang][n.Key]
	}
	if !ok || strings.HasPrefix(n.Key, "_") {
		return "", false
	}
	base, _, _ := strings.Cut(lang, "-")
	var b strings.Builder
	render(&b, parts, base, "", func(name string) string { return c.value(lang, base, name, n.Data[name]) })
	return strings.TrimSpace(b.String()), true
}

// value returns what a placeholder becomes.
func (c *Catalog) value(lang, base, name, v string) string {
	rtl := slices.Contains([]string{"ar", "he", "fa", "ur"}, base)
	switch {
	case name == "opens":
		return c.opens(lang, base, v)
	case name == "agent" && clean(v) == "":
		return c.word(lang, base, wordColleague)
	case name == "link":
		return clean(v)
	}
	return isolate(clean(v), rtl)
}

func (c *Catalog) word(lang, base, key string) string {
	parts, ok := c.words[lang][key]
	if !ok {
		parts = c.words[base][key]
	}
	var b strings.Builder
	render(&b, parts, base, "", func(string) string { return "" })
	return b.String()
}

// opens says when a queue opens, by the clock on its wall.
func (c *Catalog) opens(lang, base, v string) string {
	at, err := time.Parse(time.RFC3339, v)
	if err != nil {
		return ""
	}
	parts, ok := c.words[lang][wordOpens]
	if !ok {
		parts = c.words[base][wordOpens]
	}
	days := strings.Split(c.word(lang, base, wordWeekdays), ",")
	var b strings.Builder
	render(&b, parts, base, "", func(name string) string {
		if name == "time" {
			return at.Format("15:04")
		}
		return days[int(at.Weekday())%len(days)]
	})
	return " " + strings.TrimSpace(b.String())
}
