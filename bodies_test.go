package handoff

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testdata/bodies.jsonl has bodies as builds of the past wrote them, each in a
// line: a conversation from its first message to its end, and, of each build that
// added something, a record and an entry in which all is set. A line is never
// changed: stores are full of its like.

// What builds of the past have stored is read and written again without a loss,
// and none of it has become unknown.
func TestBodies_olderAreRead(t *testing.T) {
	for i, b := range bodies(t) {
		t.Run(strconv.Itoa(i+1)+" "+b.Build+" "+b.What, func(t *testing.T) {
			var again []byte
			var lost unknown
			if b.What == "record" {
				h, err := (&Record{Body: BodyOf(b.Body)}).decode()
				require.NoError(t, err)
				again, lost = encode(h), h.unknown
			} else {
				e, err := (&RecordEntry{Body: BodyOf(b.Body)}).decode(ID{})
				require.NoError(t, err)
				again, lost = encode(e), e.unknown
			}
			assert.Empty(t, lost, "nobody reads it any more")
			holds(t, tree(t, again), tree(t, b.Body), "")
		})
	}
}

// Each field that a build writes is in a body of the past, so that a later build
// is tested against it.
func TestBodies_allFieldsAreThere(t *testing.T) {
	there := map[string]map[string]bool{"record": {}, "entry": {}}
	for _, b := range bodies(t) {
		note(there[b.What], tree(t, b.Body), roots[b.What], "")
	}
	for what, body := range map[string][]byte{"record": storedBody(t), "entry": entryBody(t)} {
		now := map[string]bool{}
		note(now, tree(t, body), roots[what], "")
		for path := range now {
			if !assert.True(t, there[what][path], "%s: %s is new", what, path) {
				t.Logf("add to testdata/bodies.jsonl, with the day:\n{\"build\":\"YYYY-MM-DD\",\"what\":%q,\"body\":%s}", what, body)
				break
			}
		}
	}
}

var roots = map[string]reflect.Type{"record": reflect.TypeFor[storedHandoff](), "entry": reflect.TypeFor[plainEntry]()}

// note notes the paths to all members of v that its type has, without the
// numbers of lists and the keys of maps.
func note(paths map[string]bool, v any, typ reflect.Type, path string) {
	paths[path] = true
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch v := v.(type) {
	case []any:
		if !saysItself(typ) {
			for _, e := range v {
				note(paths, e, typ.Elem(), path+"/*")
			}
		}
	case map[string]any:
		switch {
		case saysItself(typ):
		case typ.Kind() == reflect.Map:
			for _, e := range v {
				note(paths, e, typ.Elem(), path+"/*")
			}
		default:
			for name, t := range fields(typ) {
				if e, ok := v[name]; ok {
					note(paths, e, t, path+"/"+name)
				}
			}
		}
	}
}

// holds checks that all that old says is in got. What a later build adds may be
// there as well.
func holds(tb testing.TB, got, old any, path string) {
	tb.Helper()
	switch old := old.(type) {
	case map[string]any:
		o, _ := got.(map[string]any)
		for name, v := range old {
			if assert.Contains(tb, o, name, path) {
				holds(tb, o[name], v, path+"/"+name)
			}
		}
	case []any:
		list, _ := got.([]any)
		if assert.Len(tb, list, len(old), path) {
			for i := range old {
				holds(tb, list[i], old[i], path+"/"+strconv.Itoa(i))
			}
		}
	default:
		assert.Equal(tb, old, got, path)
	}
}

// body is a line of testdata/bodies.jsonl.
type body struct {
	Build string          `json:"build"` // the day
	What  string          `json:"what"`  // record or entry
	Body  json.RawMessage `json:"body"`
}

func bodies(tb testing.TB) (out []body) {
	tb.Helper()
	raw, err := os.ReadFile("testdata/bodies.jsonl")
	require.NoError(tb, err)
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var b body
		require.NoError(tb, json.Unmarshal(lines.Bytes(), &b))
		out = append(out, b)
	}
	require.NoError(tb, lines.Err())
	require.NotEmpty(tb, out)
	return out
}
