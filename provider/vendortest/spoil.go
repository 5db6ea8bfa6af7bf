package vendortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// CheckSchemas proves that a double's schemas bite: of each request that it has
// had, every property that has to be there is left out, every value gets another
// type, an empty text or a word of no list, and something unknown is added, one at
// a time. The double has to note each. A request that is wrong as it is, is a
// failure, too, and so is an endpoint that was never asked for, save those named
// by but. It takes the lock, and returns how many spoiled requests there were.
func CheckSchemas(t *testing.T, d *Double, but ...string) (spoiled int) {
	t.Helper()
	d.Lock()
	defer d.Unlock()
	asked := map[string]bool{}
	for i := range d.requests {
		r := &d.requests[i]
		asked[r.Pattern] = true
		if d.notes(t, r) {
			t.Errorf("%s: a request of the adapter is not allowed: %s", r.Pattern, r.Body)
			continue
		}
		for _, p := range d.parts(t, r) {
			p.schema.spoil(p.name, p.value, func(v any) any { return v }, func(what string, v any) {
				spoiled++
				if !p.refused(v) {
					t.Errorf("%s is allowed: %s", r.Pattern, what)
				}
			})
		}
	}
	for pattern := range d.routes {
		if !asked[pattern] && !slices.Contains(but, pattern) {
			t.Errorf("%s was never asked for", pattern)
		}
	}
	return spoiled
}

// notes reports whether the double notes something about a request.
func (d *Double) notes(t *testing.T, r *Request) bool {
	t.Helper()
	in, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		t.Fatalf("%s: %v", r.Pattern, err)
	}
	in.Header = r.Header.Clone()
	before := len(d.violations)
	d.validate(&In{Request: in, Raw: r.Body}, r.Pattern)
	noted := len(d.violations) > before
	d.violations = d.violations[:before]
	return noted
}

// A part of a request is what one schema is about.
type part struct {
	name    string
	schema  *Schema
	value   any
	refused func(v any) bool // with another value
}

// parts returns what of a request has a schema. A spoiled one goes through all
// that the double does with a request, where it can be written as one.
func (d *Double) parts(t *testing.T, r *Request) (out []part) {
	t.Helper()
	route := d.routes[r.Pattern]
	with := func(change func(r *Request)) bool {
		other := *r
		change(&other)
		return d.notes(t, &other)
	}
	add := func(name string, s *Schema, value any, refused func(v any) bool) {
		out = append(out, part{name, s, value, refused})
	}
	if s := route.Query; s != nil {
		u, err := url.Parse(r.URL)
		if err != nil {
			t.Fatalf("%s: %v", r.Pattern, err)
		}
		add("query", s, object(u.Query()), func(v any) bool {
			q, ok := values(v)
			if !ok {
				return s.Check(v) != nil
			}
			return with(func(r *Request) { u := *u; u.RawQuery = q.Encode(); r.URL = u.String() })
		})
	}
	typ, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case route.Body != nil && typ == "application/json":
		var v any
		_ = json.Unmarshal(r.Body, &v) // it was allowed
		add("body", route.Body, v, func(v any) bool { return with(func(r *Request) { r.Body = JSON(v) }) })
	case route.XML != nil:
		v, err := readXML(r.Body)
		if err != nil {
			t.Fatalf("%s: %v", r.Pattern, err)
		}
		add("body", route.XML, v, func(v any) bool { return route.XML.Check(v) != nil })
	case route.Form != nil && typ == "multipart/form-data":
		form, err := readMultipart(r.Body, params["boundary"])
		if err != nil {
			t.Fatalf("%s: %v", r.Pattern, err)
		}
		add("form", route.Form, object(form), func(v any) bool { return route.Form.Check(v) != nil })
	case route.Form != nil:
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			t.Fatalf("%s: %v", r.Pattern, err)
		}
		add("form", route.Form, object(form), func(v any) bool {
			q, ok := values(v)
			if !ok {
				return route.Form.Check(v) != nil
			}
			return with(func(r *Request) { r.Body = []byte(q.Encode()) })
		})
	}
	return out
}

// values is the inverse of object, for what a form can hold.
func values(v any) (url.Values, bool) {
	fields, ok := v.(map[string]any)
	out := url.Values{}
	for name, value := range fields {
		switch value := value.(type) {
		case string:
			out.Set(name, value)
		case []any:
			for _, one := range value {
				s, isText := one.(string)
				ok = ok && isText
				out.Add(name, s)
			}
		default:
			ok = false
		}
	}
	return out, ok
}

// spoil tells a value that the schema allows in all the ways in which one thing
// of it is wrong. put returns the whole with another value in its place.
func (s *Schema) spoil(at string, v any, put func(v any) any, tell func(what string, whole any)) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		s.resolve().spoil(at, v, put, tell)
		return
	}
	if other, ok := s.stranger(); ok {
		tell(fmt.Sprintf("%s is %s", at, JSON(other)), put(other))
	}
	switch v := v.(type) {
	case string:
		if s.MinLength != nil && *s.MinLength > 0 {
			tell(at+" is empty", put(""))
		}
		if len(s.Enum) > 0 || s.Const != nil {
			tell(at+" is another word", put(v+"x"))
		}
	case []any:
		if s.MinItems != nil && *s.MinItems > 0 {
			tell(at+" has no items", put([]any{}))
		}
		for i := range v[:min(len(v), 1)] {
			s.Items.spoil(at+"/0", v[i], func(n any) any {
				list := slices.Clone(v)
				list[i] = n
				return put(list)
			}, tell)
		}
	case map[string]any:
		s.spoilObject(at, v, put, tell)
	}
	for _, sub := range s.AllOf {
		sub.spoil(at, v, put, tell)
	}
	for _, sub := range slices.Concat(s.AnyOf, s.OneOf) {
		if sub.Check(v) != nil {
			continue
		}
		sub.spoil(at, v, func(n any) any { return n }, func(what string, n any) {
			if s.Check(n) != nil { // else another of them allows it
				tell(what, put(n))
			}
		})
	}
}

func (s *Schema) spoilObject(at string, v map[string]any, put func(v any) any, tell func(what string, whole any)) {
	with := func(change func(c map[string]any)) any {
		c := maps.Clone(v)
		change(c)
		return put(c)
	}
	for _, name := range s.Required {
		tell(at+" lacks "+name, with(func(c map[string]any) { delete(c, name) }))
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.never {
		tell(at+" has something unknown", with(func(c map[string]any) { c["something unknown"] = "x" }))
	}
	for name, value := range v {
		sub, known := s.Properties[name]
		if !known && s.AdditionalProperties != nil {
			sub = s.AdditionalProperties.schema
		}
		sub.spoil(at+"/"+name, value, func(n any) any {
			return with(func(c map[string]any) { c[name] = n })
		}, tell)
	}
}

// stranger returns a value that is of none of the schema's types.
func (s *Schema) stranger() (any, bool) {
	if len(s.Type) == 0 && len(s.Enum) == 0 && s.Const == nil {
		return nil, false
	}
	for _, v := range []any{[]any{"x", "y"}, map[string]any{"x": "y"}, "x", true} {
		if len(s.Type) == 0 || !slices.ContainsFunc(s.Type, func(t string) bool { return isType(t, v) }) {
			return v, true
		}
	}
	return nil, false
}
