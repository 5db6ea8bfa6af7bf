package systemtest

import (
	"bytes"
	"context"
	"io"
	"net"
	neturl "net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// A proxy stands between a store and its server, on the loopback, and makes
// the network fail.
type proxy struct {
	address string

	mu      sync.Mutex
	target  net.Addr
	conns   map[net.Conn]bool // both sides of all that is open
	down    bool
	stall   chan struct{} // what comes is held until it is closed
	cut     []byte        // whoever sends this is cut off …
	after   bool          // … when the answer comes, or before the server hears of it
	cuts    int
	dialled int64
}

func newProxy(t *testing.T, target net.Addr) *proxy {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{address: l.Addr().String(), target: target, conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = l.Close()
		p.setDown(true)
		p.release()
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// setDown breaks every connection, and lets no new one live.
func (p *proxy) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	if down {
		for c := range p.conns {
			_ = c.Close()
		}
	}
}

// hold makes the server seem slow beyond all patience, until release.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stall = make(chan struct{})
}

func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stall != nil {
		close(p.stall)
		p.stall = nil
	}
}

// cutOff cuts the next connection that sends a text: when the server's answer
// comes, which is lost, or before the server gets it.
func (p *proxy) cutOff(text string, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.after = []byte(text), after
}

// dials is how often somebody has connected, or tried to.
func (p *proxy) dials() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dialled
}

func (p *proxy) failOver(to net.Addr) {
	p.setDown(true)
	p.mu.Lock()
	p.target = to
	p.mu.Unlock()
	p.setDown(false)
}

func (p *proxy) serve(client net.Conn) {
	p.mu.Lock()
	target, down := p.target, p.down
	p.dialled++
	p.mu.Unlock()
	var d net.Dialer
	server, err := d.DialContext(context.Background(), target.Network(), target.String())
	if err != nil || down {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	if p.down { // meanwhile
		_ = client.Close()
		_ = server.Close()
	}
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	end := func() {
		_ = client.Close()
		_ = server.Close()
		p.mu.Lock()
		delete(p.conns, client)
		delete(p.conns, server)
		p.mu.Unlock()
	}
	l := &line{p: p}
	go func() { l.copy(client, server, l.answer); end() }()
	l.copy(server, client, l.request)
	end()
}

// A line is one connection through a proxy.
type line struct {
	p      *proxy
	mu     sync.Mutex
	doomed bool // the next answer is its last
}

// copy passes on what pass lets through.
func (l *line) copy(to io.Writer, from io.Reader, pass func([]byte) bool) {
	b := make([]byte, 1<<20)
	for {
		n, err := from.Read(b)
		l.p.mu.Lock()
		stall := l.p.stall
		l.p.mu.Unlock()
		if stall != nil {
			<-stall
		}
		if n > 0 && !pass(b[:n]) {
			return
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *line) request(b []byte) bool {
	l.p.mu.Lock()
	hit := l.p.cut != nil && bytes.Contains(b, l.p.cut)
	after := l.p.after
	if hit {
		l.p.cut = nil
		l.p.cuts++
	}
	l.p.mu.Unlock()
	if hit && after {
		l.mu.Lock()
		l.doomed = true
		l.mu.Unlock()
	}
	return !hit || after
}

func (l *line) answer([]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.doomed
}

// behind makes a proxy before the server of a place, and the place as seen
// through it.
func behind(t *testing.T, k kind, place string) (*proxy, string) {
	t.Helper()
	name, address, _ := strings.Cut(place, " ")
	if k.name == "redis" {
		opt, err := redis.ParseURL(address)
		require.NoError(t, err)
		p := newProxy(t, addr{opt.Network, opt.Addr})
		user := ""
		if opt.Password != "" {
			user = neturl.UserPassword(opt.Username, opt.Password).String() + "@"
		}
		return p, name + " redis://" + user + p.address + "/" + strconv.Itoa(opt.DB)
	}
	cfg, err := pgx.ParseConfig(address)
	require.NoError(t, err)
	target := addr{"tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))}
	if filepath.IsAbs(cfg.Host) {
		target = addr{"unix", filepath.Join(cfg.Host, ".s.PGSQL."+strconv.Itoa(int(cfg.Port)))}
	}
	p := newProxy(t, target)
	host, port, err := net.SplitHostPort(p.address)
	require.NoError(t, err)
	dsn := neturl.URL{
		Scheme: "postgres", User: neturl.UserPassword(cfg.User, cfg.Password), Host: net.JoinHostPort(host, port), Path: "/" + cfg.Database,
		RawQuery: "sslmode=disable",
	}
	return p, name + " " + dsn.String()
}

// addr is a net.Addr.
type addr struct{ network, address string }

func (a addr) Network() string { return a.network }
func (a addr) String() string  { return a.address }
