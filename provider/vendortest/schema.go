package vendortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Schema is as much of JSON Schema as doubles need. [ParseSchema] refuses a
// keyword that is not among its fields, so that none is thought to be checked.
type Schema struct {
	Ref                  string             `json:"$ref,omitempty"` // "#/$defs/name"
	Defs                 map[string]*Schema `json:"$defs,omitempty"`
	Type                 oneOrMany          `json:"type,omitempty"`
	Properties           map[string]*Schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties *schemaOrBool      `json:"additionalProperties,omitempty"`
	MaxProperties        *int               `json:"maxProperties,omitempty"`
	Enum                 []any              `json:"enum,omitempty"`
	Const                any                `json:"const,omitempty"`
	MinLength            *int               `json:"minLength,omitempty"`
	MaxLength            *int               `json:"maxLength,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	Minimum              *float64           `json:"minimum,omitempty"`
	Maximum              *float64           `json:"maximum,omitempty"`
	Items                *Schema            `json:"items,omitempty"`
	MinItems             *int               `json:"minItems,omitempty"`
	MaxItems             *int               `json:"maxItems,omitempty"`
	AllOf                []*Schema          `json:"allOf,omitempty"`
	AnyOf                []*Schema          `json:"anyOf,omitempty"`
	OneOf                []*Schema          `json:"oneOf,omitempty"`

	// Said and not checked.
	Draft       string `json:"$schema,omitempty"`
	ID          string `json:"$id,omitempty"`
	Comment     string `json:"$comment,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Format      string `json:"format,omitempty"`
	Examples    []any  `json:"examples,omitempty"`
	Default     any    `json:"default,omitempty"`

	pattern *regexp.Regexp
	root    *Schema
}

// ParseSchema reads a schema.
func ParseSchema(b []byte) (*Schema, error) {
	s := &Schema{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("vendortest: schema: %w", err)
	}
	return s, s.prepare(s)
}

func (s *Schema) prepare(root *Schema) error {
	if s == nil {
		return nil
	}
	s.root = root
	var err error
	if s.Pattern != "" {
		s.pattern, err = regexp.Compile(s.Pattern)
	}
	errs := []error{err}
	if s.Ref != "" && s.resolve() == nil {
		errs = append(errs, fmt.Errorf("vendortest: schema: nothing is at %s", s.Ref))
	}
	for _, sub := range s.Defs {
		errs = append(errs, sub.prepare(root))
	}
	for _, sub := range s.Properties {
		errs = append(errs, sub.prepare(root))
	}
	for _, sub := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf, []*Schema{s.Items}) {
		errs = append(errs, sub.prepare(root))
	}
	if s.AdditionalProperties != nil {
		errs = append(errs, s.AdditionalProperties.schema.prepare(root))
	}
	return errors.Join(errs...)
}

func (s *Schema) resolve() *Schema {
	name, ok := strings.CutPrefix(s.Ref, "#/$defs/")
	if !ok {
		if s.Ref == "#" {
			return s.root
		}
		return nil
	}
	return s.root.Defs[name]
}

// CheckJSON checks a JSON text.
func (s *Schema) CheckJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("is no JSON: %w", err)
	}
	return s.Check(v)
}

// Check checks a value as encoding/json decodes it into an any. The error
// names the place of what is wrong.
func (s *Schema) Check(v any) error { return s.check("", v) }

func (s *Schema) check(at string, v any) error {
	if s.Ref != "" {
		return s.resolve().check(at, v)
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: "+format, append([]any{"/" + strings.TrimPrefix(at, "/")}, args...)...)
	}
	switch {
	case len(s.Type) > 0 && !slices.ContainsFunc(s.Type, func(t string) bool { return isType(t, v) }):
		return bad("is %s, not %s", typeOf(v), strings.Join(s.Type, " or "))
	case len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return reflect.DeepEqual(e, v) }):
		return bad("is none of %v", s.Enum)
	case s.Const != nil && !reflect.DeepEqual(s.Const, v):
		return bad("is not %v", s.Const)
	}
	var err error
	switch v := v.(type) {
	case string:
		err = s.checkString(bad, v)
	case float64:
		if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			err = bad("is out of range")
		}
	case []any:
		err = s.checkArray(at, bad, v)
	case map[string]any:
		err = s.checkObject(at, bad, v)
	}
	if err != nil {
		return err
	}
	return s.checkCombined(at, bad, v)
}

func (s *Schema) checkString(bad func(string, ...any) error, v string) error {
	n := utf8.RuneCountInString(v)
	switch {
	case s.MinLength != nil && n < *s.MinLength:
		return bad("is shorter than %d", *s.MinLength)
	case s.MaxLength != nil && n > *s.MaxLength:
		return bad("is longer than %d", *s.MaxLength)
	case s.pattern != nil && !s.pattern.MatchString(v):
		return bad("does not match %s", s.Pattern)
	}
	return nil
}

func (s *Schema) checkArray(at string, bad func(string, ...any) error, v []any) error {
	if s.MinItems != nil && len(v) < *s.MinItems || s.MaxItems != nil && len(v) > *s.MaxItems {
		return bad("has %d items", len(v))
	}
	if s.Items == nil {
		return nil
	}
	for i, item := range v {
		if err := s.Items.check(fmt.Sprintf("%s/%d", at, i), item); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) checkObject(at string, bad func(string, ...any) error, v map[string]any) error {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return bad("lacks %s", name)
		}
	}
	if s.MaxProperties != nil && len(v) > *s.MaxProperties {
		return bad("has %d properties", len(v))
	}
	for name, value := range v {
		sub, known := s.Properties[name]
		if !known && s.AdditionalProperties != nil {
			if s.AdditionalProperties.never {
				return bad("has %s, which is unknown", name)
			}
			sub = s.AdditionalProperties.schema
		}
		if sub == nil {
			continue
		}
		if err := sub.check(at+"/"+name, value); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) checkCombined(at string, bad func(string, ...any) error, v any) error {
	for _, sub := range s.AllOf {
		if err := sub.check(at, v); err != nil {
			return err
		}
	}
	fits := func(list []*Schema) (n int, err error) {
		for _, sub := range list {
			if e := sub.check(at, v); e == nil {
				n++
			} else {
				err = errors.Join(err, e)
			}
		}
		return n, err
	}
	if n, err := fits(s.AnyOf); len(s.AnyOf) > 0 && n == 0 {
		return bad("fits none: %v", err)
	}
	if n, err := fits(s.OneOf); len(s.OneOf) > 0 && n != 1 {
		return bad("fits %d of %d: %v", n, len(s.OneOf), err)
	}
	return nil
}

func isType(name string, v any) bool {
	if name == "integer" {
		f, ok := v.(float64)
		return ok && f == math.Trunc(f)
	}
	return name == typeOf(v)
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

type oneOrMany []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

type schemaOrBool struct {
	schema *Schema
	never  bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *schemaOrBool) UnmarshalJSON(b []byte) error {
	var yes bool
	if json.Unmarshal(b, &yes) == nil {
		s.never = !yes
		return nil
	}
	s.schema = &Schema{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(s.schema)
}
