package desk

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A catalogue has the words of the pages by key.
type catalogue map[string]string

// takes reports whether a key means something: English has it, or another plural
// form of it.
func (c catalogue) takes(key string) bool {
	if _, ok := c[key]; ok {
		return true
	}
	at := strings.LastIndexByte(key, '.')
	if at < 0 || !slices.Contains([]string{"zero", "two", "few", "many"}, key[at+1:]) {
		return false
	}
	_, ok := c[key[:at]+".other"]
	return ok
}

// catalogues reads those that come with the desk and lays the host's over them.
// A language of the host's need not be complete: what is missing is English.
func catalogues(extra map[string]map[string]string) (map[string]catalogue, error) {
	b, err := files.ReadFile("i18n/words.txt")
	if err != nil {
		return nil, err
	}
	out, err := parseWords(string(b))
	if err != nil {
		return nil, err
	}
	for language, words := range extra {
		c := maps.Clone(out[language])
		if c == nil {
			c = maps.Clone(out["en"])
		}
		for key, text := range words {
			if !out["en"].takes(key) {
				return nil, fmt.Errorf("desk: Config.Catalogues has the unknown key %q", key)
			}
			c[key] = text
		}
		out[language] = c
	}
	return out, nil
}

// parseWords reads catalogues that are written side by side: a line with a key,
// then, each behind a tab, lines with a language and its words. A line that
// begins with # says something to those who read the file.
func parseWords(text string) (map[string]catalogue, error) {
	out, key := map[string]catalogue{}, ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		said, indented := strings.CutPrefix(line, "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case !indented:
			key = line
		default:
			language, words, ok := strings.Cut(said, " ")
			if !ok || key == "" || out[language][key] != "" {
				return nil, fmt.Errorf("desk: i18n/words.txt:%d: no words, no key, or both said twice", n)
			}
			if out[language] == nil {
				out[language] = catalogue{}
			}
			out[language][key] = words
		}
	}
	return out, nil
}

// language picks the catalogue of an actor: his language, or the part of it
// before the region, or the default.
func (h *Handler) language(a *Actor) string {
	for _, l := range []string{a.Language, strings.SplitN(a.Language, "-", 2)[0]} {
		if _, ok := h.words[l]; ok {
			return l
		}
	}
	return h.cfg.Language
}

func (h *Handler) languages() []string { return slices.Sorted(maps.Keys(h.words)) }

// direction is how a language is written.
func direction(language string) string {
	switch strings.SplitN(language, "-", 2)[0] {
	case "ar", "fa", "he", "ur", "yi", "dv", "ps", "sd", "ug", "ckb":
		return "rtl"
	}
	return "ltr"
}

// catalogue is the words of a language that a page was told to use.
func (h *Handler) catalogue(c *call) (any, error) {
	words, ok := h.words[c.name]
	if !ok {
		return nil, errNotFound
	}
	return map[string]any{"words": words, "dir": direction(c.name)}, nil
}
