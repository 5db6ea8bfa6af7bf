package handoff

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/estimate"
)

// What a newer build adds to any object of a record or an entry, of whatever
// type, is there after an older one has rewritten it.
func TestUnknown_everyType(t *testing.T) {
	t.Run("record", func(t *testing.T) {
		want := tree(t, storedBody(t))
		planted := plant(t, want, reflect.TypeFor[storedHandoff](), "")
		for _, path := range []string{
			"/need", "/offers/0/seat", "/pending/1", "/deadlines/0", "/own/intake/fields/1/leads/skills/0",
			"/own/bindings/0/session", "/own/calls/0", "/own/owed/0", "/own/kept/asked/1", "/own/trigger",
		} {
			assert.Contains(t, planted, path)
		}
		h := recordOf(t, want)
		h.Epoch++
		want["epoch"] = json.Number(itoa(h.Epoch))
		assert.Equal(t, want, tree(t, encode(h)))

		// Nor does it get out with what only the engine needs.
		out, err := json.Marshal(h)
		require.NoError(t, err)
		delete(want, "own")
		assert.Equal(t, want, tree(t, out))
		again := new(Handoff)
		require.NoError(t, json.Unmarshal(out, again))
		out, err = json.Marshal(again)
		require.NoError(t, err)
		assert.Equal(t, want, tree(t, out))
	})
	t.Run("entry", func(t *testing.T) {
		want := tree(t, entryBody(t))
		planted := plant(t, want, reflect.TypeFor[plainEntry](), "")
		for _, path := range []string{"/from", "/files/1", "/ask/field/skills/k1/0"} {
			assert.Contains(t, planted, path)
		}
		e := entryOf(t, want)
		e.Epoch++
		want["epoch"] = json.Number(itoa(e.Epoch))
		assert.Equal(t, want, tree(t, encode(e)))
	})
	t.Run("nothing", func(t *testing.T) {
		assert.Nil(t, recordOf(t, tree(t, storedBody(t))).unknown, "equal values are equal")
		assert.Nil(t, entryOf(t, tree(t, entryBody(t))).unknown)
	})
}

// Of every type that lists are made of it is known what tells elements apart,
// and it is a member that is always written.
func TestUnknown_elementsAreKnown(t *testing.T) {
	var look func(s *shape, path string)
	look = func(s *shape, path string) {
		if s == nil {
			return
		}
		if s.list {
			assert.NotEmpty(t, s.each.id, "%s: add its type to identity", path)
		}
		if s.id != "" {
			assert.Contains(t, s.members, s.id, path)
		}
		look(s.each, path+"/*")
		for name, m := range s.members {
			look(m, path+"/"+name)
		}
	}
	look(storedShape, "record")
	look(entryShape, "entry")
}

// What an older build does not know goes where its element goes, and with it.
func TestUnknown_followsItsElement(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		change              func(h *Handoff)
	}{
		{
			"taken from the front", `"pending":[{"message":"a","x":1},{"message":"b","x":2}]`, `"pending":[{"message":"b","x":2}]`,
			func(h *Handoff) { h.Pending = h.Pending[1:] },
		},
		{
			"put at the front", `"offers":[{"number":1,"seat":{"agent":"ann","x":1}}]`, `"offers":[{"number":2,"seat":{"agent":"bob"}},{"number":1,"seat":{"agent":"ann","x":1}}]`,
			func(h *Handoff) { h.Offers = append([]Offer{{Number: 2, Seat: seat{Agent: "bob"}}}, h.Offers...) },
		},
		{
			"another order", `"deadlines":[{"kind":"idle","x":1},{"kind":"keep","x":2}]`, `"deadlines":[{"kind":"keep","x":2},{"kind":"idle","x":1}]`,
			func(h *Handoff) { slices.Reverse(h.Deadlines) },
		},
		{
			"two alike", `"dropped":[{"name":"a","level":2,"x":1},{"name":"a","level":1,"x":2}]`,
			`"dropped":[{"name":"a","level":2,"x":1},{"name":"a","level":1,"x":2},{"name":"a"}]`,
			func(h *Handoff) { h.Dropped = append(h.Dropped, Skill{Name: "a"}) },
		},
		{"left out, being empty", `"need":{"x":1}`, `"need":{"x":1}`, func(*Handoff) {}},
		{"filled by an older build", `"need":{"x":1}`, `"need":{"queue":"q","x":1}`, func(h *Handoff) { h.Need = Need{Queue: "q"} }},
		{"replaced", `"user":{"id":"u","x":1}`, `"user":{"id":"u","name":"U","x":1}`, func(h *Handoff) { h.User = &Contact{ID: "u", Name: "U"} }},
		{"gone", `"callback":{"phone":"1","x":1}`, ``, func(h *Handoff) { h.Callback = nil }},
		{"another one", `"own":{"seat":{"agent":"ann","x":1}}`, `"own":{"seat":{"agent":"bob"}}`, func(h *Handoff) { h.own.Seat = &seat{Agent: "bob"} }},
		{"the same one", `"own":{"seat":{"agent":"ann","x":1}}`, `"own":{"seat":{"agent":"ann","units":2,"x":1}}`, func(h *Handoff) { h.own.Seat = &seat{Agent: "ann", Units: 2} }},
		{"numbers of any size", `"own":{"rung":1},"x":12345678901234567890.5e-1`, `"own":{"rung":1},"x":12345678901234567890.5e-1`, func(*Handoff) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := new(Handoff)
			require.NoError(t, h.unmarshalStored([]byte("{"+test.before+"}")))
			test.change(h)
			var before Handoff
			require.NoError(t, before.unmarshalStored([]byte("{"+test.after+"}")))
			assert.Equal(t, tree(t, encode(&before)), tree(t, encode(h)))
			assert.Equal(t, strings.Count(test.after, `"x"`), strings.Count(string(encode(h)), `"x"`))
		})
	}
}

// What took the place of something within an engine's own memory, before it read
// the record again, is something else, too.
func TestUnknown_goneStaysGone(t *testing.T) {
	h := new(Handoff)
	require.NoError(t, h.unmarshalStored([]byte(`{"x":1,"deadlines":[{"kind":"idle","x":2}]}`)))
	h.Deadlines = nil
	h.forget()
	h.Deadlines = []Deadline{{Kind: "idle"}}
	assert.Equal(t, 1, strings.Count(string(encode(h)), `"x"`))
}

// The next record of a chain that engines keep has what the last one had.
func TestUnknown_chainsGoOn(t *testing.T) {
	last := new(Handoff)
	require.NoError(t, last.unmarshalStored([]byte(`{"id":{"number":4},"x":1,"own":{"kept":{"by":"a","x":2,"asked":[{"for":7,"x":3},{"for":8,"x":4}]}}}`)))
	next := newKept("learned", last)
	next.own.Kept = &kept{By: "b", Asked: []asking{{For: 8}, {For: 9}}}
	assert.Equal(t, map[string]any{
		"by": "b", "x": json.Number("2"),
		"asked": []any{
			map[string]any{"for": json.Number("8"), "at": "0001-01-01T00:00:00Z", "x": json.Number("4")},
			map[string]any{"for": json.Number("9"), "at": "0001-01-01T00:00:00Z"},
		},
	}, tree(t, encode(next))["own"].(map[string]any)["kept"])
}

// What is broken stays an error with unknown fields beside it.
func TestUnknown_brokenIsAnError(t *testing.T) {
	for _, body := range []string{``, `{`, `{} x`, `{"x":1,"seq":"one"}`, `[]`, `{"x":1}{}`} {
		require.Error(t, new(Handoff).unmarshalStored([]byte(body)), body)
		require.Error(t, new(Entry).UnmarshalJSON([]byte(body)), body)
	}
	require.Error(t, new(Handoff).unmarshalStored([]byte(`{"x":1,"own":{"y":1,"calls":{}}}`)))
}

// plant puts a member that nobody knows into every object in v that is a struct,
// and returns the paths to them. It looks at types alone, and not at what this
// build makes of them.
func plant(tb testing.TB, v any, typ reflect.Type, path string) (out []string) {
	tb.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch list, _ := v.([]any); {
	case saysItself(typ):
		_, leaf := leaves[typ]
		require.True(tb, leaf, "%s: %s says itself how it is encoded: does it keep what it does not know?", path, typ)
	case typ.Kind() == reflect.Slice || typ.Kind() == reflect.Array:
		for i := range list {
			out = append(out, plant(tb, list[i], typ.Elem(), fmt.Sprintf("%s/%d", path, i))...)
		}
	case typ.Kind() == reflect.Map:
		for k, e := range v.(map[string]any) {
			out = append(out, plant(tb, e, typ.Elem(), path+"/"+k)...)
		}
	case typ.Kind() == reflect.Struct:
		o, _ := v.(map[string]any)
		require.NotNil(tb, o, "%s: %s", path, typ)
		for name, t := range fields(typ) {
			require.Contains(tb, o, name, "%s: it was filled", path)
			out = append(out, plant(tb, o[name], t, path+"/"+name)...)
		}
		o["of_2031"] = map[string]any{"path": path, "more": []any{json.Number("1"), nil, "<&>"}}
		out = append(out, path)
	default:
		require.NotEqual(tb, reflect.Interface, typ.Kind(), path)
	}
	return out
}

// leaves are the types that say themselves how they are encoded, with a value of
// each. None is an object that fields can be added to.
var leaves = map[reflect.Type]any{
	reflect.TypeFor[time.Time]():       time.Date(2026, 11, 27, 10, 0, 0, 123e6, time.UTC),
	reflect.TypeFor[known]():           known{}.add(7, time.Unix(1, 0)),
	reflect.TypeFor[json.RawMessage](): json.RawMessage(`{"of":"the host"}`),
	reflect.TypeFor[estimate.Model]():  seen(), // has a version: a later one is refused, not rewritten
}

func seen() estimate.Model {
	m, at := estimate.NewModel(estimate.Prior{}), time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	m.Arrived(at, 1)
	m.Waited(at, at.Add(time.Minute), false)
	m.Handled(at.Add(time.Minute), at.Add(5*time.Minute))
	m.Staffed(at, at.Add(time.Minute), 2, 1)
	return *m
}

func saysItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// fields returns the members of a struct in JSON, with their types.
func fields(typ reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch inner := f.Type; {
		case f.Anonymous && name == "":
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			for name, t := range fields(inner) {
				out[name] = t
			}
		case !f.IsExported() || name == "-":
		case name == "":
			out[f.Name] = inner
		default:
			out[name] = inner
		}
	}
	return out
}

// storedBody is a record in which everything is set, each list with two
// elements. No engine would make it.
func storedBody(tb testing.TB) []byte {
	tb.Helper()
	h := new(Handoff)
	n := 0
	fill(tb, reflect.ValueOf(&storedHandoff{plainHandoff: (*plainHandoff)(h), Own: &h.own}).Elem(), &n)
	return encode(h)
}

func entryBody(tb testing.TB) []byte {
	tb.Helper()
	e := new(Entry)
	n := 0
	fill(tb, reflect.ValueOf((*plainEntry)(e)).Elem(), &n)
	return encode(e)
}

// fill sets everything in v, each to something else.
func fill(tb testing.TB, v reflect.Value, n *int) {
	tb.Helper()
	*n++
	if leaf, ok := leaves[v.Type()]; ok {
		v.Set(reflect.ValueOf(leaf))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n % 250))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n))
	case reflect.String:
		v.SetString(fmt.Sprintf("s%d", *n))
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(tb, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(tb, v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, k := range []string{"k1", "k/2\""} {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(tb, e, n)
			v.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" || f.Anonymous {
				fill(tb, v.Field(i), n)
			}
		}
	default:
		require.Fail(tb, "of a kind that is not filled", "%s", v.Type())
	}
}

// tree is what a body says.
func tree(tb testing.TB, body []byte) map[string]any {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out map[string]any
	require.NoError(tb, d.Decode(&out), "%s", body)
	return out
}

func recordOf(tb testing.TB, tree map[string]any) *Handoff {
	tb.Helper()
	raw, err := json.Marshal(tree)
	require.NoError(tb, err)
	h, err := (&Record{Body: BodyOf(raw)}).decode()
	require.NoError(tb, err)
	return h
}

func entryOf(tb testing.TB, tree map[string]any) *Entry {
	tb.Helper()
	raw, err := json.Marshal(tree)
	require.NoError(tb, err)
	e, err := (&RecordEntry{Body: BodyOf(raw)}).decode(ID{})
	require.NoError(tb, err)
	return e
}
