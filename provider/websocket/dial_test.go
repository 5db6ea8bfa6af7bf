package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/websocket"
)

// serve runs a server that does so with each connection, and returns its address.
func serve(t *testing.T, f func(ctx context.Context, c *coder.Conn)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		f(r.Context(), c)
	}))
	t.Cleanup(s.Close)
	return provider.SocketAddress(s.URL)
}

func dial(t *testing.T, address string) provider.Conn {
	t.Helper()
	c, err := websocket.Dial(t.Context(), address, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// echo says everything again until the connection is over, and how it ended.
func echo(ended chan<- coder.StatusCode) func(ctx context.Context, c *coder.Conn) {
	return func(ctx context.Context, c *coder.Conn) {
		for {
			typ, message, err := c.Read(ctx)
			if err != nil {
				ended <- coder.CloseStatus(err)
				return
			}
			_ = c.Write(ctx, typ, message)
		}
	}
}

// Texts go both ways, and the end is said to the other side: also while somebody
// waits in Read, who then returns.
func TestConn(t *testing.T) {
	ended := make(chan coder.StatusCode, 1)
	c := dial(t, serve(t, echo(ended)))
	for _, text := range []string{"hello", "", `{"a":"é"}`} {
		require.NoError(t, c.Write(t.Context(), []byte(text)))
		got, err := c.Read(t.Context())
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
	}
	read := make(chan error, 1)
	reading := make(chan struct{})
	go func() {
		close(reading)
		_, err := c.Read(context.Background())
		read <- err
	}()
	<-reading
	require.NoError(t, c.Write(t.Context(), []byte("one more"))) // it is answered: the reader is in Read, or was
	require.NoError(t, <-read)
	go func() { _, err := c.Read(context.Background()); read <- err }()
	require.Eventually(t, func() bool { return websocket.Reading(c) }, time.Minute, time.Millisecond)
	require.NoError(t, c.Close())
	require.Error(t, <-read)
	assert.Equal(t, coder.StatusNormalClosure, <-ended)
	require.NoError(t, c.Close(), "once more")
	require.Error(t, c.Write(t.Context(), []byte("x")))
}

// What is no text is passed over, and pings are answered.
func TestPingsAndBinary(t *testing.T) {
	ponged := make(chan error, 1)
	c := dial(t, serve(t, func(ctx context.Context, c *coder.Conn) {
		ctx = c.CloseRead(ctx)
		ponged <- c.Ping(ctx)
		_ = c.Write(ctx, coder.MessageBinary, []byte{0, 1})
		_ = c.Write(ctx, coder.MessageText, []byte("text"))
		<-ctx.Done()
	}))
	got, err := c.Read(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "text", string(got))
	require.NoError(t, <-ponged)
}

// A message that is too long ends the connection before it is all read.
func TestTooLong(t *testing.T) {
	ended := make(chan coder.StatusCode, 1)
	c := dial(t, serve(t, func(ctx context.Context, c *coder.Conn) {
		_ = c.Write(ctx, coder.MessageText, bytes.Repeat([]byte("x"), provider.MaxMessage))
		_ = c.Write(ctx, coder.MessageText, bytes.Repeat([]byte("x"), provider.MaxMessage+1))
		_, _, err := c.Read(ctx)
		ended <- coder.CloseStatus(err)
	}))
	got, err := c.Read(t.Context())
	require.NoError(t, err)
	assert.Len(t, got, provider.MaxMessage)
	_, err = c.Read(t.Context())
	require.Error(t, err)
	assert.Equal(t, coder.StatusMessageTooBig, <-ended)
}

// What the other side closes with is in the error.
func TestCloseCodes(t *testing.T) {
	for _, code := range []coder.StatusCode{coder.StatusNormalClosure, coder.StatusGoingAway, coder.StatusPolicyViolation, 4401} {
		c := dial(t, serve(t, func(_ context.Context, c *coder.Conn) { _ = c.Close(code, "so") }))
		_, err := c.Read(t.Context())
		assert.Equal(t, code, coder.CloseStatus(err))
		require.NoError(t, c.Close())
	}
}

// A context ends the opening, and what waits in Read.
func TestContext(t *testing.T) {
	deaf, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections, and says nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = deaf.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = websocket.Dial(ctx, "ws://"+deaf.Addr().String(), nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	c := dial(t, serve(t, echo(make(chan coder.StatusCode, 1))))
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Read(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, c.Close())
}

// Somebody who does not answer a goodbye is not waited for.
func TestRude(t *testing.T) {
	free := make(chan struct{})
	c := dial(t, serve(t, func(context.Context, *coder.Conn) { <-free }))
	read := make(chan error, 1)
	go func() { _, err := c.Read(context.Background()); read <- err }()
	require.Eventually(t, func() bool { return websocket.Reading(c) }, time.Minute, time.Millisecond)
	done := make(chan struct{})
	go func() { _ = c.Close(); close(done) }()
	<-done // the library itself waits five seconds for each step
	require.Error(t, <-read)
	close(free)
}

// An answer that is no websocket is an error with its status, and none has the
// address: its query may hold a key. A redirect is not followed.
func TestRefused(t *testing.T) {
	followed := make(chan struct{}, 10)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed <- struct{}{} }))
	t.Cleanup(elsewhere.Close)
	status := http.StatusForbidden
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", elsewhere.URL)
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	for _, status = range []int{http.StatusForbidden, http.StatusOK, http.StatusFound, http.StatusTemporaryRedirect} {
		_, err := websocket.Dial(t.Context(), provider.SocketAddress(s.URL)+"/?key=CANARY-4711", nil)
		var de *websocket.DialError
		require.ErrorAs(t, err, &de)
		assert.Equal(t, status, de.Status)
		assert.NotContains(t, err.Error(), "CANARY-4711")
	}
	for _, address := range []string{"ws://127.0.0.1:1/?key=CANARY-4711", "nonsense?key=CANARY-4711", "ws://x:y/?key=CANARY-4711"} {
		_, err := websocket.Dial(t.Context(), address, nil)
		require.Error(t, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			assert.NotContains(t, e.Error(), "CANARY-4711")
		}
	}
	assert.Empty(t, followed)
}

// The header is sent, and a client of the host's own is used: here one that goes
// through a guard, which lets nobody reach this machine.
func TestWith(t *testing.T) {
	got := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("X-Tenant") }))
	t.Cleanup(s.Close)
	_, err := websocket.With(s.Client())(t.Context(), provider.SocketAddress(s.URL), http.Header{"X-Tenant": {"acme"}})
	require.Error(t, err)
	assert.Equal(t, "acme", <-got)
	_, err = websocket.With(provider.Guard{}.Client())(t.Context(), provider.SocketAddress(s.URL), nil)
	var blocked *provider.BlockedError
	require.ErrorAs(t, err, &blocked)
	_, err = websocket.With(nil)(t.Context(), "ws://127.0.0.1:1", nil)
	require.Error(t, err)
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	assert.False(t, strings.HasPrefix(u.Scheme, "ws"))
}
