package provider_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

func TestPublic(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
		"ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1", "2001:0:7f00:1::", "100::1",
	} {
		assert.False(t, provider.Public(netip.MustParseAddr(a)), a)
	}
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"} {
		assert.True(t, provider.Public(netip.MustParseAddr(a)), a)
	}
	assert.False(t, provider.Public(netip.Addr{}))
}

func server(t *testing.T, h http.HandlerFunc) (*httptest.Server, uint16) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	require.NoError(t, err)
	return srv, uint16(port)
}

func TestGuardChecksWhatIsDialled(t *testing.T) {
	reached := false
	srv, port := server(t, func(w http.ResponseWriter, _ *http.Request) { reached = true })
	guarded := provider.Guard{Ports: []uint16{port}}.Client()
	// A name that resolves to this machine: whatever it resolved to when
	// somebody looked, it is checked when it is dialled.
	for _, address := range []string{
		srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), strings.Replace(srv.URL, "127.0.0.1", "2130706433", 1),
		strings.Replace(srv.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1),
	} {
		_, _, err := provider.Fetch(t.Context(), guarded, address, 100)
		require.Error(t, err, address)
		assert.NotContains(t, err.Error(), "127")
	}
	_, _, err := provider.Fetch(t.Context(), guarded, srv.URL, 100)
	assert.True(t, provider.IsBlocked(err))
	assert.False(t, reached)

	loopback := func(a netip.Addr) bool { return a.IsLoopback() }
	_, _, err = provider.Fetch(t.Context(), provider.Guard{Allow: loopback}.Client(), srv.URL, 100)
	assert.True(t, provider.IsBlocked(err), "another port")
	_, _, err = provider.Fetch(t.Context(), provider.Guard{Allow: loopback, Ports: []uint16{port}}.Client(), srv.URL, 100)
	require.NoError(t, err)
	assert.True(t, reached)
}

func TestGuardFollowsNoRedirectInside(t *testing.T) {
	reached := false
	inside, _ := server(t, func(http.ResponseWriter, *http.Request) { reached = true })
	outside, port := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.TrimPrefix(r.URL.RawQuery, "to="), http.StatusFound)
	})
	c := provider.Guard{Ports: []uint16{port}, Allow: func(a netip.Addr) bool { return a.IsLoopback() }}.Client()
	for _, to := range []string{inside.URL, "http://169.254.169.254/latest", "file:///etc/passwd", "gopher://127.0.0.1", "http://user:pass@example.org", outside.URL + "?to=x"} {
		_, _, err := provider.Fetch(t.Context(), c, outside.URL+"?to="+to, 100)
		require.Error(t, err, to)
	}
	_, _, err := provider.Fetch(t.Context(), c, outside.URL+"?to="+"/?to=/?to=/?to=/?to=/?to=/", 100)
	require.Error(t, err, "too many")
	assert.False(t, reached)
}

func TestFetch(t *testing.T) {
	srv, port := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusGone)
			return
		}
		w.Header().Set("Content-Type", "image/png; charset=x")
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	})
	c := provider.Guard{Ports: []uint16{port}, Allow: func(netip.Addr) bool { return true }}.Client()
	body, typ, err := provider.Fetch(t.Context(), c, srv.URL, 100)
	require.NoError(t, err)
	assert.Len(t, body, 100)
	assert.Equal(t, "image/png", typ)
	_, _, err = provider.Fetch(t.Context(), c, srv.URL, 99)
	var pe *handoff.ProviderError
	require.ErrorAs(t, err, &pe)
	assert.Equal(t, "too_long", pe.Code)
	_, _, err = provider.Fetch(t.Context(), c, srv.URL+"/gone", 99)
	require.ErrorAs(t, err, &pe)
	assert.Equal(t, http.StatusGone, pe.Status)
	for _, bad := range []string{"", "x", "ftp://example.org", "http://", "http://a\x00b", "//example.org", "http://user@example.org"} {
		_, _, err = provider.Fetch(t.Context(), c, bad, 99)
		require.Error(t, err, bad)
	}
	own := provider.Guard{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}}.Client()
	_, _, err = provider.Fetch(t.Context(), own, "http://files.example.org/x", 100)
	require.NoError(t, err)
}
