package spectest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/oasdiff/yaml"
)

// Folder is the environment variable that names the folder with the documents.
const Folder = "HANDOFF_SPECS"

// A Spec is a platform's OpenAPI document.
type Spec struct {
	Name   string // for the test's output
	File   string // within the folder
	Prefix string // of the double's paths that the document has in its servers, if any

	// MayLack says that the folder may be without the document: its licence keeps
	// it from being passed on. The test is then skipped.
	MayLack bool

	// Repair changes the text of a document that is known to be at fault; say
	// why where it is used. Nil changes nothing.
	Repair func(text []byte) []byte

	// Optional names parameters that the document requires and the platform
	// does not; say why where it is used.
	Optional []string

	// AnyFormat turns off the formats of strings, where a document states
	// formats that the platform's own values do not have.
	AnyFormat bool
}

// ErrNoOperation is what a check returns for a request to a path that the document
// has not, or not with the method.
var ErrNoOperation = errors.New("the document has no such operation")

// Load reads the document, and returns the check for a double's Validate. It
// skips the test without the folder, and fails it without the file, unless that
// may lack.
func (s Spec) Load(t *testing.T) func(r *http.Request, body []byte) error {
	t.Helper()
	dir := os.Getenv(Folder)
	if dir == "" {
		t.Skipf("SKIPPED: %s: set %s to the folder with the platforms' OpenAPI documents", s.Name, Folder)
	}
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(s.File)))
	if s.MayLack && errors.Is(err, os.ErrNotExist) {
		t.Skipf("SKIPPED: %s: the folder that %s names has no %s", s.Name, Folder, s.File)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.Repair != nil {
		text = s.Repair(text)
	}
	doc, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", s.File, err)
	}
	doc.Servers = nil
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, p := range op.Parameters {
				if p.Value != nil && slices.Contains(s.Optional, p.Value.Name) {
					p.Value.Required = false
				}
			}
		}
	}
	if s.AnyFormat {
		for _, schema := range doc.Components.Schemas {
			dropFormats(schema, map[*openapi3.Schema]bool{})
		}
		for _, item := range doc.Paths.Map() {
			for _, op := range item.Operations() {
				dropOperationFormats(op)
			}
		}
	}
	return s.check(newRouter(doc))
}

// parse reads a document of OpenAPI 3 or of Swagger 2.
func parse(text []byte) (*openapi3.T, error) {
	var version struct {
		Swagger string `json:"swagger"`
	}
	if bytes.HasPrefix(text, []byte("swagger:")) {
		b, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, err
		}
		text = b
	}
	if json.Unmarshal(text, &version) != nil || version.Swagger == "" {
		return openapi3.NewLoader().LoadFromData(text)
	}
	var old openapi2.T
	if err := json.Unmarshal(text, &old); err != nil {
		return nil, err
	}
	return openapi2conv.ToV3(&old)
}

func (s Spec) check(find func(r *http.Request) (*routers.Route, map[string]string, error)) func(r *http.Request, body []byte) error {
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // doubles check credentials themselves
		MultiError:         true,
	}
	return func(r *http.Request, body []byte) error {
		in := r.Clone(context.Background())
		in.URL = &url.URL{Path: r.URL.Path[min(len(s.Prefix), len(r.URL.Path)):], RawQuery: r.URL.RawQuery}
		in.Body = io.NopCloser(bytes.NewReader(body))
		route, params, err := find(in)
		if err != nil {
			return err
		}
		err = openapi3filter.ValidateRequest(in.Context(), &openapi3filter.RequestValidationInput{
			Request: in, PathParams: params, Route: route, Options: options,
		})
		if err != nil {
			return fmt.Errorf("%s %s: %w", r.Method, route.Path, err)
		}
		return nil
	}
}

// newRouter finds operations by their paths alone: doubles have no servers.
func newRouter(doc *openapi3.T) func(r *http.Request) (*routers.Route, map[string]string, error) {
	type path struct {
		pattern *regexp.Regexp
		names   []string
		text    string
		item    *openapi3.PathItem
	}
	var paths []path
	param := regexp.MustCompile(`\{([^}]+)\}`)
	for text, item := range doc.Paths.Map() {
		p := path{text: text, item: item}
		for _, m := range param.FindAllStringSubmatch(text, -1) {
			p.names = append(p.names, m[1])
		}
		expr, last := "^", 0
		for _, at := range param.FindAllStringIndex(text, -1) {
			expr += regexp.QuoteMeta(text[last:at[0]]) + "([^/]+)"
			last = at[1]
		}
		p.pattern = regexp.MustCompile(expr + regexp.QuoteMeta(text[last:]) + "$")
		paths = append(paths, p)
	}
	return func(r *http.Request) (*routers.Route, map[string]string, error) {
		var best *path
		var values []string
		for i := range paths {
			p := &paths[i]
			if p.item.GetOperation(r.Method) == nil {
				continue
			}
			m := p.pattern.FindStringSubmatch(r.URL.EscapedPath())
			if m != nil && (best == nil || len(p.names) < len(best.names)) {
				best, values = p, m[1:]
			}
		}
		if best == nil {
			return nil, nil, fmt.Errorf("%w: %s %s", ErrNoOperation, r.Method, r.URL.Path)
		}
		params := map[string]string{}
		for i, name := range best.names {
			v, err := url.PathUnescape(values[i])
			if err != nil {
				return nil, nil, err
			}
			params[name] = v
		}
		return &routers.Route{
			Spec: doc, Path: best.text, PathItem: best.item, Method: r.Method, Operation: best.item.GetOperation(r.Method),
		}, params, nil
	}
}

func dropOperationFormats(op *openapi3.Operation) {
	seen := map[*openapi3.Schema]bool{}
	for _, p := range op.Parameters {
		if p.Value != nil {
			dropFormats(p.Value.Schema, seen)
		}
	}
	if op.RequestBody != nil && op.RequestBody.Value != nil {
		for _, m := range op.RequestBody.Value.Content {
			dropFormats(m.Schema, seen)
		}
	}
}

func dropFormats(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	if s.Type.Is("string") && s.Format != "binary" {
		s.Format = ""
	}
	for _, p := range s.Properties {
		dropFormats(p, seen)
	}
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, p := range list {
			dropFormats(p, seen)
		}
	}
	dropFormats(s.Items, seen)
	dropFormats(s.AdditionalProperties.Schema, seen)
}
