package trigger

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed packs/*.json
var packFiles embed.FS

// Kind says what a rule of a pack is for.
type Kind string

// Kinds of rules. A guard that overlaps a request takes the request back; calm
// does the same for frustration.
const (
	KindRequest     Kind = "request"     // the user asks for a human
	KindGuard       Kind = "guard"       // looks like a request but is not; its name is reported
	KindFrustration Kind = "frustration" // score is a weight, summed over turns
	KindCalm        Kind = "calm"
	KindYes         Kind = "yes"     // accepts an open offer
	KindNo          Kind = "no"      // declines an open offer
	KindPromise     Kind = "promise" // read in bot turns: the bot says that it transfers
)

// Guard names with a meaning of their own; any other name is only reported.
const (
	GuardNegated  = "negated"           // "I don't want a human": also cancels a transfer under way
	GuardIdentity = "identity-question" // "are you human?"
	GuardQuoted   = "quoted"            // he said "talk to an agent": of the reader, not of a pack
)

// Rule is a named set of patterns. The pattern language is that of the built-in
// packs: see the file PACKS.md beside this package.
type Rule struct {
	Kind  Kind    `json:"kind"`
	Name  string  `json:"name"`
	Score float32 `json:"score,omitempty"` // 0 means 0.95 (1 for frustration)
	// Firm rules are not taken back by a guard: "why can't I talk to a human".
	Firm     bool     `json:"firm,omitempty"`
	Patterns []string `json:"patterns"`
}

// Pack is one language as plain data. The zero value is refused. Packs
// are values: With and WithRules return changed copies.
type Pack struct {
	Lang string `json:"lang"` // BCP 47 primary subtag
	// Words by class. An entry may hold several words ("front desk") and may
	// begin with '*' to stand for any ending of a compound ("*berater").
	Words map[string][]string `json:"words"`
	// Parts are named pieces of patterns.
	Parts map[string]string `json:"parts,omitempty"`
	Rules []Rule            `json:"rules,omitempty"`
	// Fuzzy lists the classes whose words of five letters or more are also
	// recognised with one spelling mistake.
	Fuzzy []string `json:"fuzzy,omitempty"`
	// Topics are phrases by topic, used when Config.Topics names the topic.
	Topics map[string][]string `json:"topics,omitempty"`
}

// Languages returns the built-in languages in the order in which they are tried.
func Languages() []string {
	return []string{"en", "es", "pt", "fr", "de", "it", "zh"}
}

// Builtin returns fresh copies of the built-in packs for the given languages,
// or all of them when none is given. It fails on a language that is not built in.
func Builtin(langs ...string) ([]Pack, error) {
	if len(langs) == 0 {
		langs = Languages()
	}
	out := make([]Pack, 0, len(langs))
	for _, l := range langs {
		raw, err := packFiles.ReadFile("packs/" + l + ".json")
		if err != nil {
			return nil, fmt.Errorf("trigger: no built-in pack %q", l)
		}
		p, err := ParsePack(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// ParsePack reads a pack from JSON and checks it. Unknown fields are an error,
// so that a misspelt one does not go unnoticed.
func ParsePack(raw []byte) (Pack, error) {
	var p Pack
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Pack{}, invalid("Pack", "%v", err)
	}
	if err := p.Check(); err != nil {
		return Pack{}, err
	}
	return p, nil
}

// With returns a copy of p with words added to class, e.g.
// p.With("human", "concierge"). The classes of the built-in packs are listed in
// PACKS.md; a class that no pattern uses has no effect.
func (p Pack) With(class string, words ...string) Pack {
	p.Words = maps.Clone(p.Words)
	if p.Words == nil {
		p.Words = map[string][]string{}
	}
	p.Words[class] = append(slices.Clone(p.Words[class]), words...)
	return p
}

// Without returns a copy of p in which class no longer has the given words: an
// insurer drops "agent", for whom it is a product word.
func (p Pack) Without(class string, words ...string) Pack {
	p.Words = maps.Clone(p.Words)
	if p.Words != nil {
		p.Words[class] = slices.DeleteFunc(slices.Clone(p.Words[class]), func(w string) bool {
			return slices.Contains(words, w)
		})
	}
	return p
}

// WithRules returns a copy of p with rules added.
func (p Pack) WithRules(rules ...Rule) Pack {
	p.Rules = append(slices.Clone(p.Rules), rules...)
	return p
}

// at names a field of the pack.
func (p *Pack) at(field string) string { return fmt.Sprintf("Packs[%.40q].%s", p.Lang, field) }

// noWords is what a phrase or word lacks that cannot be found in a text.
const noWords = "has no letters, a break, or more than %d words"

// Check reports everything that is wrong with the pack, at once, each an
// *InvalidError.
func (p Pack) Check() error {
	var errs []error
	bad := func(field, format string, a ...any) {
		errs = append(errs, invalid(p.at(field), format, a...))
	}
	if p.Lang == "" || p.Lang != strings.ToLower(p.Lang) || strings.ContainsAny(p.Lang, "-_ /") {
		bad("Lang", "lang must be a lower-case primary language subtag")
	}
	for class, words := range p.Words {
		if builtinClass(class) || strings.ContainsAny(class, "?*+{}@|' ") || class == "" {
			bad("Words", "class name %.40q is reserved or malformed", class)
		}
		for _, w := range words {
			if key, _ := foldKey(strings.TrimPrefix(w, "*")); key == "" {
				bad(fmt.Sprintf("Words[%.40q]", class), "word %.40q: "+noWords, w, maxKeyUnits)
			}
		}
	}
	for _, c := range p.Fuzzy {
		if _, ok := p.Words[c]; !ok {
			bad("Fuzzy", "names class %.40q, which has no words", c)
		}
	}
	for topic, words := range p.Topics {
		for _, w := range words {
			if key, _ := foldKey(w); key == "" {
				bad(fmt.Sprintf("Topics[%.40q]", topic), "phrase %.40q: "+noWords, w, maxKeyUnits)
			}
		}
	}
	if len(p.Rules) == 0 && len(p.Topics) == 0 {
		bad("Rules", "the pack is empty: it recognises nothing")
	}
	for _, r := range p.Rules {
		rule := fmt.Sprintf("Rules[%.40q]", r.Name)
		if _, ok := kindIndex(r.Kind); !ok {
			bad(rule+".Kind", "unknown kind %.40q", r.Kind)
		}
		if r.Name == "" || len(r.Patterns) == 0 {
			bad(rule, "needs a name and at least one pattern")
		}
		if !(r.Score >= 0 && r.Score <= 1) {
			bad(rule+".Score", "%v is outside 0..1", r.Score)
		}
		for _, src := range r.Patterns {
			es, err := parsePattern(src, p.Parts)
			if err != nil {
				bad(rule+".Patterns", "%v", err)
				continue
			}
			for _, e := range es {
				for _, a := range e.atoms {
					if _, ok := p.Words[a]; !ok && a[0] != '\'' && !builtinClass(a) {
						bad(rule+".Patterns", "pattern %.80q names class %.40q, which has no words", src, a)
					}
				}
			}
		}
	}
	return errors.Join(errs...)
}

func builtinClass(c string) bool {
	switch c {
	case ".", "x", "<", ">", "start", "end", "comma", "stop", "ask":
		return true
	}
	return false
}

// kinds in the order of the compiled index.
const (
	kRequest = iota
	kGuard
	kFrustration
	kCalm
	kYes
	kNo
	kPromise
	numKinds
)

func kindIndex(k Kind) (uint8, bool) {
	switch k {
	case KindRequest:
		return kRequest, true
	case KindGuard:
		return kGuard, true
	case KindFrustration:
		return kFrustration, true
	case KindCalm:
		return kCalm, true
	case KindYes:
		return kYes, true
	case KindNo:
		return kNo, true
	case KindPromise:
		return kPromise, true
	}
	return 0, false
}
