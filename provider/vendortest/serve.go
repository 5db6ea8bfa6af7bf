package vendortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff/providertest"
)

// An In is a request as a handler gets it.
type In struct {
	*http.Request

	Raw []byte // the body
}

// Into decodes the JSON of the body. What is no JSON leaves v as it is: the
// check against the schema has told.
func (in *In) Into(v any) { _ = json.Unmarshal(in.Raw, v) }

// An Out is what a handler answers.
type Out struct {
	Status int // 0 is 200
	JSON   any
	Body   []byte // in place of JSON
	Header http.Header
}

// A Trouble is how the next requests fail; see [Double.Next].
type Trouble struct {
	On         string        // only requests with this pattern; empty: all
	After      int           // so many of them have been answered
	Status     int           // the answer: 401, 404, 409, 423, 429, 500, …
	RetryAfter string        // with the answer
	Body       string        // of the answer
	Apply      bool          // it happens all the same
	Cut        bool          // the connection breaks in place of an answer
	Slow       time.Duration // before the answer
	Times      int           // how many requests; 0 is one
}

// Next makes the next requests fail, each as one Trouble says. It takes the lock.
func (d *Double) Next(list ...Trouble) {
	d.Lock()
	defer d.Unlock()
	d.trouble = append(d.trouble, list...)
}

// Break implements providertest.Vendor. It takes the lock.
func (d *Double) Break(f providertest.Failure) {
	d.Lock()
	defer d.Unlock()
	d.failure = f
}

// LoseAnswer implements providertest.Loser. It takes the lock.
func (d *Double) LoseAnswer(n int) {
	d.Lock()
	defer d.Unlock()
	d.losing = n
}

// Handle adds an endpoint: a pattern of http.ServeMux with a method, such as
// "POST /chats/{chat}/messages". h is called with the lock held.
func (d *Double) Handle(pattern string, h func(in *In) Out) {
	d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		d.serve(w, &In{Request: r, Raw: body}, pattern, h)
	})
}

// ServeHTTP implements http.Handler.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := d.mux.Handler(r); pattern == "" {
		d.Lock()
		d.violations = append(d.violations, fmt.Sprintf("%s %s: there is no such endpoint", r.Method, r.URL.Path))
		d.Unlock()
	}
	d.mux.ServeHTTP(w, r)
}

func (d *Double) serve(w http.ResponseWriter, in *In, pattern string, h func(in *In) Out) {
	d.Lock()
	d.validate(in, pattern)
	t, failing := d.troubleFor(pattern)
	if d.failure == providertest.LosesAnswer && in.Method == http.MethodGet {
		failing = false // to read changes nothing, so that nobody minds
	}
	if in.Method != http.MethodGet && d.losing > 0 {
		if d.losing--; d.losing == 0 {
			t, failing = Trouble{Cut: true, Apply: true}, true
		}
	}
	var out Out
	var applied bool
	switch {
	case d.Auth != nil && !d.Auth(in.Request):
		out, failing = Out{Status: http.StatusUnauthorized, JSON: map[string]string{"error": "unauthorized"}}, false
	case !failing || t.Apply:
		out, applied = h(in), true
	}
	if failing && !t.Cut && t.Status != 0 {
		out = Out{Status: t.Status, Body: []byte(t.Body), Header: http.Header{}}
		if t.RetryAfter != "" {
			out.Header.Set("Retry-After", t.RetryAfter)
		}
	}
	if out.Status == 0 {
		out.Status = http.StatusOK
	}
	d.requests = append(d.requests, Request{
		Pattern: pattern, Method: in.Method, URL: in.URL.String(), Header: in.Header.Clone(), Body: in.Raw, Status: out.Status,
	})
	d.Unlock()
	if failing && t.Slow > 0 {
		timer := time.NewTimer(t.Slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-in.Context().Done():
		}
	}
	if failing && t.Cut {
		if !applied {
			<-in.Context().Done() // no answer at all
		}
		panic(http.ErrAbortHandler)
	}
	write(w, out)
}

func write(w http.ResponseWriter, out Out) {
	maps.Copy(w.Header(), out.Header)
	body := out.Body
	if out.JSON != nil {
		body = JSON(out.JSON)
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(out.Status)
	_, _ = w.Write(body)
}

// troubleFor returns how a request fails, if it does.
func (d *Double) troubleFor(pattern string) (Trouble, bool) {
	switch d.failure {
	case providertest.Works:
	case providertest.Refuses:
		return Trouble{Status: http.StatusForbidden}, true
	case providertest.Busy:
		return Trouble{Status: http.StatusServiceUnavailable}, true
	case providertest.Hangs:
		return Trouble{Cut: true}, true
	case providertest.LosesAnswer:
		return Trouble{Cut: true, Apply: true}, true
	}
	for i := range d.trouble {
		if t := &d.trouble[i]; t.On == "" || t.On == pattern {
			if t.After > 0 {
				t.After--
				continue
			}
			found := *t
			if t.Times--; t.Times <= 0 {
				d.trouble = slices.Delete(d.trouble, i, i+1)
			}
			return found, true
		}
	}
	return Trouble{}, false
}

// A route is what a request to an endpoint may be.
type route struct {
	Query *Schema `json:"query"`
	Form  *Schema `json:"form"`
	Body  *Schema `json:"body"`
	XML   *Schema `json:"xml"`
	Raw   bool    `json:"raw"` // any bytes
}

func parseRoutes(b []byte) (map[string]*route, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("vendortest: schemas: %w", err)
	}
	root := &Schema{}
	var errs []error
	if defs, ok := raw["$defs"]; ok {
		errs = append(errs, strict(defs, &root.Defs))
		delete(raw, "$defs")
	}
	errs = append(errs, root.prepare(root))
	routes := map[string]*route{}
	for pattern, text := range raw {
		r := &route{}
		errs = append(errs, strict(text, r), r.Query.prepare(root), r.Form.prepare(root), r.Body.prepare(root), r.XML.prepare(root))
		routes[pattern] = r
	}
	return routes, errors.Join(errs...)
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// validate notes what is wrong with a request.
func (d *Double) validate(in *In, pattern string) {
	bad := func(what string, err error) {
		if err != nil {
			d.violations = append(d.violations, fmt.Sprintf("%s: %s: %v", pattern, what, err))
		}
	}
	r := d.routes[pattern]
	if r == nil {
		bad("schema", errors.New("there is none for it"))
		r = &route{}
	}
	if r.Query != nil {
		bad("query", r.Query.Check(object(in.URL.Query())))
	} else if in.URL.RawQuery != "" {
		bad("query", errors.New("is not foreseen"))
	}
	typ, params, _ := mime.ParseMediaType(in.Header.Get("Content-Type"))
	switch {
	case r.Body == nil && r.XML == nil && r.Form == nil:
		if len(in.Raw) > 0 && !r.Raw {
			bad("body", errors.New("is not foreseen"))
		}
	case r.Body != nil && (r.Form == nil || typ == "application/json"):
		if typ != "application/json" {
			bad("body", fmt.Errorf("is %q, not JSON", typ))
		}
		bad("body", r.Body.CheckJSON(in.Raw))
	case r.XML != nil:
		if typ != "application/xml" {
			bad("body", fmt.Errorf("is %q, not XML", typ))
		}
		v, err := readXML(in.Raw)
		bad("body", err)
		bad("body", r.XML.Check(v))
	case r.Form != nil && typ == "multipart/form-data":
		form, err := readMultipart(in.Raw, params["boundary"])
		bad("form", err)
		bad("form", r.Form.Check(object(form)))
	case r.Form != nil:
		form, err := url.ParseQuery(string(in.Raw))
		bad("form", err)
		bad("form", r.Form.Check(object(form)))
	}
	for _, check := range d.checks {
		cp := in.Clone(in.Context())
		cp.Body = io.NopCloser(bytes.NewReader(in.Raw))
		bad("official document", check(cp, in.Raw))
	}
}

// object is a form as JSON has it: a field that comes once is a string.
func object(form url.Values) map[string]any {
	out := map[string]any{}
	for name, values := range form {
		if len(values) == 1 {
			out[name] = values[0]
			continue
		}
		var list []any
		for _, v := range values {
			list = append(list, v)
		}
		out[name] = list
	}
	return out
}

// readMultipart returns the fields of a form; a file is its name.
func readMultipart(body []byte, boundary string) (url.Values, error) {
	const most = 64 << 20
	r := &http.Request{Method: http.MethodPost, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{}}
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	if err := r.ParseMultipartForm(most); err != nil {
		return nil, fmt.Errorf("is no multipart form: %w", err)
	}
	out := url.Values(r.MultipartForm.Value)
	for name, files := range r.MultipartForm.File {
		for _, f := range files {
			out[name] = append(out[name], f.Filename)
		}
	}
	return out, nil
}

// File returns a file of a multipart form, and its name.
func (in *In) File(field string) (name string, content []byte) {
	if !strings.HasPrefix(in.Header.Get("Content-Type"), "multipart/form-data") {
		return "", nil
	}
	in.Body = io.NopCloser(bytes.NewReader(in.Raw))
	f, h, err := in.FormFile(field)
	if err != nil {
		return "", nil
	}
	defer func() { _ = f.Close() }()
	content, _ = io.ReadAll(f)
	return h.Filename, content
}
