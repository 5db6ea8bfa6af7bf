package desk

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// A catalogue has the words of the pages by key.
type catalogue map[string]string

// catalogues reads those that come with the desk and lays the host's over them.
// A language of the host's need not be complete: what is missing is English.
func catalogues(extra map[string]map[string]string) (map[string]catalogue, error) {
	out := map[string]catalogue{}
	list, err := files.ReadDir("i18n")
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		b, err := files.ReadFile("i18n/" + f.Name())
		if err != nil {
			return nil, err
		}
		var c catalogue
		if err := json.Unmarshal(b, &c); err != nil {
			return nil, fmt.Errorf("desk: i18n/%s: %w", f.Name(), err)
		}
		out[strings.TrimSuffix(f.Name(), path.Ext(f.Name()))] = c
	}
	for language, words := range extra {
		c := maps.Clone(out[language])
		if c == nil {
			c = maps.Clone(out["en"])
		}
		for key, text := range words {
			if _, ok := out["en"][key]; !ok {
				return nil, fmt.Errorf("desk: Config.Catalogues has the unknown key %q", key)
			}
			c[key] = text
		}
		out[language] = c
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
