package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A BlockedError says that an address may not be called. It does not hold the
// address.
type BlockedError struct{ Why string }

func (e *BlockedError) Error() string { return "provider: blocked: " + e.Why }

// A Guard says where requests to addresses from outside may go. Whoever can
// name an address (in a webhook, a message, a profile) could otherwise have
// this machine call what only it can reach. The zero value allows http and
// https on ports 80 and 443 of public addresses.
type Guard struct {
	Ports []uint16                                                             // besides 80 and 443
	Allow func(a netip.Addr) bool                                              // lets an address pass that would be blocked
	Dial  func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer, which checks at dial
}

// special are ranges that netip has no name for and that are not the public
// internet, and those that carry an IPv4 address within IPv6.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// Public reports whether a is an address of the public internet: not loopback,
// private, link-local (where clouds keep their metadata), multicast, reserved,
// or a way to write such an address as another.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

func (g Guard) check(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &BlockedError{Why: "not an address"}
	}
	ok := ap.Port() == 80 || ap.Port() == 443
	for _, p := range g.Ports {
		ok = ok || p == ap.Port()
	}
	switch {
	case !ok:
		return &BlockedError{Why: "port"}
	case !Public(ap.Addr()) && (g.Allow == nil || !g.Allow(ap.Addr().Unmap())):
		return &BlockedError{Why: "not a public address"}
	}
	return nil
}

// Client returns a client for addresses from outside. The check is made when
// a connection is dialled, with the address that is dialled: what a name
// resolved to before does not matter. There is no proxy, since a proxy
// resolves names itself, and there are at most three redirects, each checked.
func (g Guard) Client() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error { return g.check(address) }}
	dial := dialer.DialContext
	if g.Dial != nil {
		dial = g.Dial
	}
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dial, ForceAttemptHTTP2: true, DisableKeepAlives: true,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 3 {
				return &BlockedError{Why: "too many redirects"}
			}
			return checkURL(r.URL)
		},
	}
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return &BlockedError{Why: "scheme"}
	case u.Host == "" || u.User != nil:
		return &BlockedError{Why: "host"}
	}
	return nil
}

// Fetch gets at most limit bytes of a file by its address, with a client of
// [Guard.Client], and returns them with their media type. It fails with a
// *[handoff.ProviderError] whose Op is "fetch".
func Fetch(ctx context.Context, c *http.Client, address string, limit int64) (body []byte, typ string, err error) {
	fail := func(status int, code string, retry bool, err error) ([]byte, string, error) {
		return nil, "", &handoff.ProviderError{Op: "fetch", Status: status, Code: code, Retryable: retry, Err: err}
	}
	u, err := url.Parse(address)
	if err != nil {
		return fail(0, "address", false, errMade)
	}
	if err := checkURL(u); err != nil {
		return fail(0, "blocked", false, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fail(0, "address", false, errMade)
	}
	resp, err := c.Do(r)
	if err != nil {
		pe := transportError(ctx, err)
		return fail(0, pe.Code, pe.Retryable, pe.Err)
	}
	defer func() { _ = resp.Body.Close() }()
	if pe := Judge(Answer{Status: resp.StatusCode, Header: resp.Header}); pe != nil {
		return fail(resp.StatusCode, pe.Code, pe.Retryable, pe.Err)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return fail(resp.StatusCode, "no_answer", true, errNoAnswer)
	case int64(len(body)) > limit:
		return fail(resp.StatusCode, "too_long", false, fmt.Errorf("%w: more than %d bytes", errTooLong, limit))
	}
	typ, _, _ = strings.Cut(resp.Header.Get("Content-Type"), ";")
	return body, strings.TrimSpace(typ), nil
}

// IsBlocked reports whether err is that of an address that may not be called.
func IsBlocked(err error) bool {
	var b *BlockedError
	return errors.As(err, &b)
}
