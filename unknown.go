package handoff

import (
	"bytes"
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"strconv"
	"strings"
)

// During a rolling deploy a newer build writes members that this one does not
// know, anywhere in a record. They are kept beside it, by where they were found,
// and put back when it is written. So no type has to do anything for them, and
// what has none costs nothing.

// unknown holds the members that this build does not know of the objects in an
// encoded value, by the path to the object. It is nil where there are none, and
// nobody changes it.
type unknown map[string]members

// members is an object in JSON.
type members = map[string]json.RawMessage

// identity names, for types of which there are lists, the member by which an
// element is known: what this build does not know follows its element to another
// place in the list, and goes with it. Elements that are the same in it are
// told apart by their order. For a type that stands alone it says when a value
// is another one, which has nothing of the one before.
var identity = map[reflect.Type]string{
	reflect.TypeFor[asking]():   "for",
	reflect.TypeFor[Binding]():  "number",
	reflect.TypeFor[call]():     "id",
	reflect.TypeFor[Callback](): "at",
	reflect.TypeFor[Deadline](): "kind",
	reflect.TypeFor[declined](): "agent",
	reflect.TypeFor[eased]():    "do",
	reflect.TypeFor[File]():     "name",
	reflect.TypeFor[Offer]():    "number",
	reflect.TypeFor[Owed]():     "Cursor",
	reflect.TypeFor[Pending]():  "message",
	reflect.TypeFor[question](): "name",
	reflect.TypeFor[Rating]():   "at",
	reflect.TypeFor[seat]():     "agent",
	reflect.TypeFor[Skill]():    "name",
	reflect.TypeFor[Told]():     "at",
}

// A shape says which members this build knows of a value that is encoded with
// structs in it; nil is a value without any. A type that says itself how it is
// encoded is one, too.
type shape struct {
	members map[string]*shape // of a struct
	each    *shape            // of a list or a map: its elements
	list    bool
	stays   bool   // a struct that is there even where it is left out, being empty
	id      string // see identity
}

func shapeOf(t reflect.Type) *shape {
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		s := shapeOf(t.Elem())
		if s != nil {
			s.stays = false
		}
		return s
	case reflect.Slice, reflect.Array, reflect.Map:
		if each := shapeOf(t.Elem()); each != nil {
			return &shape{each: each, list: t.Kind() != reflect.Map}
		}
		return nil
	case reflect.Struct:
		s := &shape{members: map[string]*shape{}, stays: true, id: identity[t]}
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || f.Anonymous || name == "-" {
				continue
			}
			if name == "" {
				name = f.Name
			}
			s.members[name] = shapeOf(f.Type)
		}
		return s
	default:
		return nil
	}
}

// walk gives f the objects in raw that are structs of this build, each with the
// path to it, and returns raw with what f has made of them.
func (s *shape) walk(raw json.RawMessage, path string, f func(s *shape, path string, o members)) (json.RawMessage, error) {
	if s == nil || string(raw) == "null" {
		return raw, nil
	}
	var err error
	if s.list {
		var list []json.RawMessage
		if err = json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		seen := map[string]int{}
		for i := range list {
			id := s.each.identify(list[i])
			if list[i], err = s.each.walk(list[i], path+"/"+strconv.Itoa(seen[id]), f); err != nil {
				return nil, err
			}
			seen[id]++
		}
		return json.Marshal(list)
	}
	path += s.identify(raw)
	var o members
	if err = json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	if s.each != nil {
		for k := range o {
			if o[k], err = s.each.walk(o[k], path+"/"+strconv.Quote(k), f); err != nil {
				return nil, err
			}
		}
		return json.Marshal(o)
	}
	for name, m := range s.members {
		v, there := o[name]
		if !there && (m == nil || !m.stays) {
			continue
		} else if !there {
			v = json.RawMessage("{}")
		}
		if v, err = m.walk(v, path+"/"+name, f); err != nil {
			return nil, err
		}
		if there || len(v) > len("{}") {
			o[name] = v
		}
	}
	f(s, path, o)
	return json.Marshal(o)
}

// identify returns which one of its type an object is.
func (s *shape) identify(raw json.RawMessage) string {
	var o members
	if s.id == "" || json.Unmarshal(raw, &o) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(o[s.id], &text) == nil { // which may be written in several ways
		return "=" + strconv.Quote(text)
	}
	return "=" + string(o[s.id])
}

// unknown returns the members in raw that this build does not know.
func (s *shape) unknown(raw []byte) (unknown, error) {
	var out unknown
	_, err := s.walk(raw, "", func(s *shape, path string, o members) {
		for name, v := range o {
			if _, known := s.members[name]; known {
				continue
			}
			if out == nil {
				out = unknown{}
			}
			if out[path] == nil {
				out[path] = members{}
			}
			out[path][name] = v
		}
	})
	return out, err
}

// decode decodes raw into v, and returns the members that this build does not
// know.
func (s *shape) decode(raw []byte, v any) (unknown, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if d.Decode(v) == nil && len(bytes.TrimSpace(raw[d.InputOffset():])) == 0 {
		return nil, nil //nolint:nilnil // it has none
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, err
	}
	return s.unknown(bytes.TrimSpace(raw))
}

// encode encodes v with the members that this build does not know.
func (s *shape) encode(v any, more unknown) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil || more == nil {
		return raw, err
	}
	return s.walk(raw, "", func(_ *shape, path string, o members) {
		maps.Copy(o, more[path])
	})
}
