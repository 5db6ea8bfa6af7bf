package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// The defaults of a [Client].
const (
	DefaultTries    = 3
	DefaultTimeout  = 10 * time.Second
	DefaultMaxReply = 4 << 20
)

// A Client calls a platform's HTTP interface. Every failure is a
// *[handoff.ProviderError] without content and secrets: no address, no header,
// no body. Fill it once; then it may be used concurrently.
type Client struct {
	// Base is what the paths of calls are appended to, without a slash at the end.
	Base string

	// HTTP sends the requests; nil is a client with sensible time limits.
	// Redirects are never followed: credentials would go with them.
	HTTP *http.Client

	// Authorize puts credentials on a request; nil puts none. It is called for
	// each try. An error of its own that is not a *ProviderError is replaced.
	Authorize func(r *http.Request) error

	Tries    int           // of one call; 0 is DefaultTries, 1 never repeats
	Timeout  time.Duration // of one try; 0 is DefaultTimeout
	MaxReply int64         // bytes of an answer that are read; 0 is DefaultMaxReply
	Limit    *Limiter      // of requests for each host; nil is none

	// Judge says what an answer means: nil is success. Nil: [Judge].
	Judge func(a Answer) *handoff.ProviderError
}

// A Call is one request to a platform.
type Call struct {
	Op     string // for errors: open, send, close, …
	Method string // default GET, or POST with a body
	Path   string // appended to Base, escaped already; see url.PathEscape
	Query  url.Values
	Header http.Header

	JSON any    // the body, if it is not nil
	Body []byte // the body otherwise
	Type string // its media type

	// Repeatable says that doing it twice is doing it once, so that it is sent
	// again also when nobody knows whether it was applied. GET and HEAD are.
	Repeatable bool
}

// An Answer is what a platform answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes a call, and decodes the JSON of the answer into out: nil drops it,
// an *[Answer] gets it as it is. What the platform asks to try again is tried
// again, after the time it names or after a jittered back-off, as long as
// tries and ctx last; then the error says when to go on. What may have been
// applied is not tried again unless the call is Repeatable: look whether it
// was, or return the error, which is Ambiguous.
func (c *Client) Do(ctx context.Context, call Call, out any) error {
	req, err := c.request(&call)
	if err != nil {
		return err
	}
	safe := call.Repeatable || req.method == http.MethodGet || req.method == http.MethodHead
	for try := 1; ; try++ {
		a, pe := c.try(ctx, req)
		if pe == nil {
			pe = decode(call.Op, a, out)
		}
		if pe == nil {
			return nil
		}
		pe.Op = call.Op
		if pe.Err == nil {
			pe.Err = errRefused
		}
		reading := req.method == http.MethodGet || req.method == http.MethodHead
		if reading {
			pe.Ambiguous = false // nothing can have been applied
		}
		again := pe.Retryable && (!pe.Ambiguous || safe) && try < cmpOr(c.Tries, DefaultTries)
		if !again || !pause(ctx, max(pe.RetryAfter, backOff(try))) {
			return pe
		}
	}
}

// Why a call failed, where the platform does not say. None holds anything that
// came from outside.
var (
	errRefused    = errors.New("the platform refused")
	errNoAnswer   = errors.New("the platform did not answer")
	errUnreached  = errors.New("the platform could not be reached")
	errTooLong    = errors.New("the answer is too long")
	errUnreadable = errors.New("the answer makes no sense")
	errLacks      = errors.New("the answer lacks what was asked for")
	errMade       = errors.New("the request cannot be made")
)

// request is a call that can be sent several times.
type request struct {
	op, method, address string
	header              http.Header
	body                []byte
}

func (c *Client) request(call *Call) (*request, error) {
	r := &request{op: call.Op, method: call.Method, address: c.Base + call.Path, header: call.Header.Clone(), body: call.Body}
	if r.header == nil {
		r.header = http.Header{}
	}
	typ := call.Type
	if call.JSON != nil {
		b, err := marshal(call.JSON)
		if err != nil {
			return nil, &handoff.ProviderError{Op: call.Op, Code: "request", Err: errMade}
		}
		r.body = b
		if typ == "" {
			typ = "application/json"
		}
	}
	if typ != "" {
		r.header.Set("Content-Type", typ)
	}
	if r.header.Get("Accept") == "" {
		r.header.Set("Accept", "application/json")
	}
	if r.method == "" {
		r.method = http.MethodGet
		if r.body != nil {
			r.method = http.MethodPost
		}
	}
	if len(call.Query) > 0 {
		sep := "?"
		if strings.Contains(r.address, "?") {
			sep = "&"
		}
		r.address += sep + call.Query.Encode()
	}
	return r, nil
}

// marshal is json.Marshal without escapes that only a web page needs.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// try sends a request once.
func (c *Client) try(ctx context.Context, r *request) (Answer, *handoff.ProviderError) {
	if ctx.Err() != nil {
		return Answer{}, &handoff.ProviderError{Code: "cancelled", Retryable: true, Err: ctx.Err()}
	}
	if pe := c.turn(ctx, r.address); pe != nil {
		return Answer{}, pe
	}
	tctx, cancel := context.WithTimeout(ctx, cmpOr(c.Timeout, DefaultTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(tctx, r.method, r.address, bytes.NewReader(r.body))
	if err != nil {
		return Answer{}, &handoff.ProviderError{Code: "request", Err: errMade}
	}
	req.Header = r.header.Clone()
	if r.body == nil {
		req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	}
	if c.Authorize != nil {
		if err := c.Authorize(req); err != nil {
			return Answer{}, credentials(err)
		}
	}
	resp, err := c.client().Do(req)
	if err != nil {
		return Answer{}, transportError(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	most := cmpOr(c.MaxReply, DefaultMaxReply)
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return Answer{}, transportError(ctx, err)
	case int64(len(body)) > most:
		return Answer{}, &handoff.ProviderError{Status: resp.StatusCode, Code: "too_long", Ambiguous: true, Err: errTooLong}
	}
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	judge := c.Judge
	if judge == nil {
		judge = Judge
	}
	pe := judge(a)
	if pe == nil && isPage(a.Body) {
		pe = &handoff.ProviderError{Status: a.Status, Code: "answer", Retryable: true, Ambiguous: true, Err: errUnreadable}
	}
	if pe != nil && c.Limit != nil && pe.RetryAfter > 0 {
		c.Limit.pause(req.URL.Host, pe.RetryAfter)
	}
	return a, pe
}

// isPage reports whether an answer is a page for people: of a proxy that wants a
// login, or of a platform that is being mended, both of which say 200.
func isPage(body []byte) bool {
	const most = 256
	head := strings.ToLower(string(bytes.TrimSpace(body[:min(len(body), most)])))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
}

// turn waits until the limiter lets a request pass.
func (c *Client) turn(ctx context.Context, address string) *handoff.ProviderError {
	if c.Limit == nil {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return &handoff.ProviderError{Code: "request", Err: errMade}
	}
	return c.Limit.wait(ctx, u.Host)
}

// shared has the time limits that http.DefaultTransport lacks.
var shared = &http.Client{Transport: &http.Transport{
	Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
	MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
	TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
}}

func (c *Client) client() *http.Client {
	h := *shared
	if c.HTTP != nil {
		h = *c.HTTP
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}

func decode(op string, a Answer, out any) *handoff.ProviderError {
	switch out := out.(type) {
	case nil:
		return nil
	case *Answer:
		*out = a
		return nil
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		// It was applied; the answer with its result is lost.
		return &handoff.ProviderError{Op: op, Status: a.Status, Code: "answer", Retryable: true, Ambiguous: true, Err: errUnreadable}
	}
	return nil
}

// AnswerLacks is the error of an operation whose answer was read, and lacks what it has
// to have: the list, or the chat that was asked for. It says neither that something
// is there (a message would be lost) nor that it is not (it would be there twice),
// so the operation is to be tried again. Its code is "answer". Where the request
// may have changed something, set Ambiguous.
func AnswerLacks(op string) *handoff.ProviderError {
	return &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Err: errLacks}
}

// backOff is the time before a repeat: 200 ms at first, doubled each time,
// 5 s at most, between half of it and all of it.
func backOff(try int) time.Duration {
	d := min(200*time.Millisecond<<min(try-1, 10), 5*time.Second)
	return d/2 + rand.N(d/2+1)
}

// pause waits for d, and reports false at once if ctx does not last that long:
// the caller knows better when to go on.
func pause(ctx context.Context, d time.Duration) bool {
	if at, ok := ctx.Deadline(); ok && time.Until(at) <= d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func cmpOr[T comparable](v, or T) T {
	var zero T
	if v == zero {
		return or
	}
	return v
}

// Tolerate turns failures with one of the statuses into success: closing a
// chat that is gone (404), making what is there (409).
func Tolerate(err error, statuses ...int) error {
	var pe *handoff.ProviderError
	if errors.As(err, &pe) && slices.Contains(statuses, pe.Status) {
		return nil
	}
	return err
}
