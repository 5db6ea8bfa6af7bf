package notices

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A part of a template: text, a placeholder, or a choice between templates.
type part struct {
	text  string
	name  string // of the placeholder
	how   string // "", "plural" or "select"
	cases []branch
}

type branch struct {
	when string // "=0", "one", "closed", …
	then []part
}

const maxDepth = 6

// parse reads a template.
func parse(s string) ([]part, error) {
	p := parser{s: s}
	parts, err := p.parts(0)
	if err == nil && p.at < len(p.s) {
		err = errors.New("a } too many")
	}
	return parts, err
}

type parser struct {
	s  string
	at int
}

// parts reads until the end, or until the } that ends a case.
func (p *parser) parts(depth int) ([]part, error) {
	if depth > maxDepth {
		return nil, errors.New("too many braces in braces")
	}
	var out []part
	for p.at < len(p.s) {
		i := strings.IndexAny(p.s[p.at:], "{}")
		if i < 0 {
			i = len(p.s) - p.at
		}
		if i > 0 {
			out = append(out, part{text: p.s[p.at : p.at+i]})
			p.at += i
			continue
		}
		if p.s[p.at] == '}' {
			return out, nil
		}
		p.at++
		next, err := p.placeholder(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, next)
	}
	return out, nil
}

// placeholder reads what follows a {, with the } that ends it.
func (p *parser) placeholder(depth int) (part, error) {
	i := strings.IndexAny(p.s[p.at:], ",}{")
	if i < 0 || p.s[p.at+i] == '{' {
		return part{}, errors.New("a { without }")
	}
	out := part{name: strings.TrimSpace(p.s[p.at : p.at+i])}
	p.at += i + 1
	if out.name == "" {
		return part{}, errors.New("a placeholder without a name")
	}
	if p.s[p.at-1] == '}' {
		return out, nil
	}
	i = strings.IndexByte(p.s[p.at:], ',')
	if i < 0 {
		return part{}, fmt.Errorf("%.40q is neither a plural nor a select", out.name)
	}
	out.how = strings.TrimSpace(p.s[p.at : p.at+i])
	p.at += i + 1
	if out.how != "plural" && out.how != "select" {
		return part{}, fmt.Errorf("%.40q is neither a plural nor a select", out.name)
	}
	return out, p.branches(&out, depth)
}

func (p *parser) branches(out *part, depth int) error {
	for {
		i := strings.IndexAny(p.s[p.at:], "{}")
		if i < 0 {
			return fmt.Errorf("%.40q does not end", out.name)
		}
		when := strings.TrimSpace(p.s[p.at : p.at+i])
		p.at += i + 1
		if p.s[p.at-1] == '}' {
			if when != "" {
				return fmt.Errorf("%.40q has a case without words", out.name)
			}
			if !slices.ContainsFunc(out.cases, func(b branch) bool { return b.when == "other" }) {
				return fmt.Errorf("%.40q has no other", out.name)
			}
			return nil
		}
		if !out.allows(when) {
			return fmt.Errorf("%.40q has a case that is none", out.name)
		}
		then, err := p.parts(depth + 1)
		if err != nil {
			return err
		}
		if p.at >= len(p.s) {
			return fmt.Errorf("%.40q does not end", out.name)
		}
		p.at++ // the }
		out.cases = append(out.cases, branch{when: when, then: then})
	}
}

// allows reports whether a case can be one of a plural or select.
func (p *part) allows(when string) bool {
	if when == "" || slices.ContainsFunc(p.cases, func(b branch) bool { return b.when == when }) {
		return false
	}
	if p.how == "select" {
		return !strings.ContainsAny(when, " \t\n,")
	}
	if n, ok := strings.CutPrefix(when, "="); ok {
		_, err := strconv.ParseUint(n, 10, 31)
		return err == nil
	}
	return slices.Contains([]string{"none", "zero", "one", "two", "few", "many", "other"}, when)
}

// names returns the placeholders of a template.
func names(parts []part) []string {
	var out []string
	for i := range parts {
		if parts[i].name != "" {
			out = append(out, parts[i].name)
		}
		for _, b := range parts[i].cases {
			out = append(out, names(b.then)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// render writes a template with values that are clean already.
func render(b *strings.Builder, parts []part, lang, number string, value func(name string) string) {
	for i := range parts {
		p := &parts[i]
		switch p.how {
		case "plural":
			v := strings.Trim(value(p.name), isolates)
			render(b, p.pick(pluralCases(lang, v)), lang, v, value)
		case "select":
			render(b, p.pick(strings.Split(strings.Trim(value(p.name), isolates), "+")), lang, number, value)
		default:
			if p.name != "" {
				b.WriteString(value(p.name))
			}
			text := p.text
			if number != "" {
				text = strings.ReplaceAll(text, "#", number)
			}
			b.WriteString(text)
		}
	}
}

// pluralCases returns the cases of a number, the most exact one first.
func pluralCases(lang, v string) []string {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return []string{"none"}
	}
	return []string{"=" + strconv.Itoa(n), plural(lang, n)}
}

func (p *part) pick(when []string) []part {
	for _, w := range append(when, "other") {
		for _, b := range p.cases {
			if b.when == w {
				return b.then
			}
		}
	}
	return nil
}

// clean removes from a value what could change the text around it: control
// characters and marks of direction.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), r == '\u061c', r >= '\u200e' && r <= '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s))
}

const isolates = "\u2068\u2069"

// isolate keeps a value that runs the other way from turning its sentence.
func isolate(s string, rtl bool) string {
	if s == "" || !rtl && !strings.ContainsFunc(s, isRTL) {
		return s
	}
	return "\u2068" + s + "\u2069"
}

func isRTL(r rune) bool {
	return r >= 0x0590 && unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}
