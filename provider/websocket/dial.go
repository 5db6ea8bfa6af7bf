package websocket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-2a427302/handoff/provider"
)

// Dial is a [provider.Dialer].
func Dial(ctx context.Context, address string, h http.Header) (provider.Conn, error) {
	return dial(ctx, http.DefaultTransport, address, h)
}

// With returns a [provider.Dialer] that makes its requests with c's transport.
func With(c *http.Client) provider.Dialer {
	transport := http.DefaultTransport
	if c != nil && c.Transport != nil {
		transport = c.Transport
	}
	return func(ctx context.Context, address string, h http.Header) (provider.Conn, error) {
		return dial(ctx, transport, address, h)
	}
}

// A DialError is a connection that could not be opened.
type DialError struct {
	Status int // of the answer; 0: there was none
	Err    error
}

func (e *DialError) Error() string {
	return fmt.Sprintf("handoff: provider/websocket: status %d: %v", e.Status, e.Err)
}

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

var errRefused = errors.New("the answer is no websocket")

// dial never follows a redirect: what is said on the connection is secret.
func dial(ctx context.Context, transport http.RoundTripper, address string, h http.Header) (provider.Conn, error) {
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: client, HTTPHeader: h}) //nolint:bodyclose // the library does
	if err != nil {
		e := &DialError{Err: bare(err)}
		if resp != nil {
			e.Status, e.Err = resp.StatusCode, errRefused
		}
		return nil, e
	}
	c.SetReadLimit(provider.MaxMessage)
	over, end := context.WithCancel(context.WithoutCancel(ctx))
	return &conn{c: c, over: over, end: end}, nil
}

// bare is an error without the address, whose query may hold a key.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// conn is a provider.Conn.
type conn struct {
	c       *websocket.Conn
	over    context.Context //nolint:containedctx // ends what is read, when Close has waited
	end     context.CancelFunc
	reading atomic.Bool
}

// Read implements provider.Conn. It answers pings, and passes over what is no text.
func (c *conn) Read(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.over, cancel)()
	c.reading.Store(true)
	defer c.reading.Store(false)
	for {
		typ, message, err := c.c.Read(ctx)
		if err != nil || typ == websocket.MessageText {
			return message, err //nolint:wrapcheck // it says what the connection was closed with
		}
	}
}

// Write implements provider.Conn.
func (c *conn) Write(ctx context.Context, message []byte) error {
	return c.c.Write(ctx, websocket.MessageText, message) //nolint:wrapcheck // likewise
}

// goodbye is how long the other side has to say that it has understood.
const goodbye = time.Second

// Close implements provider.Conn. It waits a second at most, and not at all if
// nobody reads: then nobody would hear the answer.
func (c *conn) Close() error {
	defer c.end()
	if !c.reading.Load() {
		_ = c.c.CloseNow()
		return nil
	}
	defer time.AfterFunc(goodbye, c.end).Stop()
	_ = c.c.Close(websocket.StatusNormalClosure, "")
	return nil
}
