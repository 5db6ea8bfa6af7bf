package trigger

import (
	"fmt"
	"strings"
)

// element is one step of a pattern: any of atoms, possibly skipped or repeated.
type element struct {
	atoms    []string // class names; literals keep their quotes
	optional bool
	repeat   bool
}

const maxElements = 60 // a rule must fit one machine word with room to spare

// parsePattern reads a rule's pattern. Elements are separated by spaces:
//
//	talk           a word of class talk
//	talk|reach     a word of either class
//	'who'|to       the literal word who, or class to; 'take_over' is two words
//	.  x           any word; any word that the pack does not know
//	<  >           a clause boundary: text edge, comma, stop, question mark
//	start end comma stop ask   one kind of boundary
//	e?  e*  e+  e{n}  e{m,n}   optional, any number, at least one, counted
//	@name          the pack's part of that name, spelled out
//
// An element never matches across a boundary unless it names one.
func parsePattern(src string, parts map[string]string) ([]element, error) {
	var out []element
	if err := expand(src, parts, 0, &out); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("pattern %.80q is empty", src)
	}
	if len(out) > maxElements {
		return nil, fmt.Errorf("pattern %.80q has %d elements, at most %d fit", src, len(out), maxElements)
	}
	for _, e := range out {
		if !e.optional {
			return out, nil
		}
	}
	return nil, fmt.Errorf("pattern %.80q matches nothing at all", src)
}

func expand(src string, parts map[string]string, depth int, out *[]element) error {
	if depth > 8 {
		return fmt.Errorf("pattern %.80q: parts nest too deeply", src)
	}
	for field := range strings.FieldsSeq(src) {
		if name, ok := strings.CutPrefix(field, "@"); ok {
			part, found := parts[name]
			if !found {
				return fmt.Errorf("pattern %.80q: no part named %.80q", src, name)
			}
			if err := expand(part, parts, depth+1, out); err != nil {
				return err
			}
			if len(*out) > maxElements {
				return fmt.Errorf("pattern %.80q: more than %d elements", src, maxElements)
			}
			continue
		}
		es, err := parseElement(field)
		if err != nil {
			return fmt.Errorf("pattern %.80q: %w", src, err)
		}
		*out = append(*out, es...)
	}
	return nil
}

func parseElement(field string) ([]element, error) {
	body, lo, hi, many := field, 1, 1, false
	switch {
	case strings.HasSuffix(field, "?"):
		body, lo = field[:len(field)-1], 0
	case strings.HasSuffix(field, "*"):
		body, lo, many = field[:len(field)-1], 0, true
	case strings.HasSuffix(field, "+"):
		body, many = field[:len(field)-1], true
	case strings.HasSuffix(field, "}"):
		open := strings.LastIndexByte(field, '{')
		if open < 0 {
			return nil, fmt.Errorf("element %.80q: } without {", field)
		}
		body = field[:open]
		if n, err := fmt.Sscanf(field[open:], "{%d,%d}", &lo, &hi); err != nil || n != 2 {
			if n, err := fmt.Sscanf(field[open:], "{%d}", &lo); err != nil || n != 1 {
				return nil, fmt.Errorf("element %.80q: count must be {n} or {m,n}", field)
			}
			hi = lo
		}
		if lo < 0 || hi < lo || hi == 0 || hi > 12 {
			return nil, fmt.Errorf("element %.80q: count out of range 0..12", field)
		}
	}
	atoms := strings.Split(body, "|")
	for _, a := range atoms {
		if a == "" || a == "'" || strings.HasPrefix(a, "'") != strings.HasSuffix(a, "'") || strings.ContainsAny(a, "?*+{}@") {
			return nil, fmt.Errorf("element %.80q: bad name %.80q", field, a)
		}
	}
	var out []element
	for i := range hi {
		out = append(out, element{atoms: atoms, optional: i >= lo, repeat: many})
	}
	return out, nil
}
