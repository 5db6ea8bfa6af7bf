package browsertest

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
)

// A network stands between browsers and a server, and fails as networks do:
// without a word.
type network struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	links map[*link]struct{}
	lost  bool // new connections get no answer either
	all   sync.WaitGroup
}

// A link is one connection. What is dead stays open and carries nothing.
type link struct {
	down, up net.Conn
	dead     bool
}

// newNetwork leads to a world's server. Connections serve one request each, as
// if the browser had closed the idle ones, which it does when a machine goes to
// sleep or changes networks: a test cannot put it to sleep.
func newNetwork(w *world) *network {
	w.t.Helper()
	w.server.Config.SetKeepAlivesEnabled(false)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	n := &network{listener: l, to: strings.TrimPrefix(w.server.URL, "http://"), links: map[*link]struct{}{}}
	n.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.all.Go(func() { n.carry(c) })
		}
	})
	w.t.Cleanup(n.close)
	return n
}

func (n *network) close() {
	_ = n.listener.Close()
	n.mu.Lock()
	for l := range n.links {
		_ = l.down.Close()
		_ = l.up.Close()
	}
	n.mu.Unlock()
	n.all.Wait()
}

func (n *network) carry(down net.Conn) {
	up, err := net.Dial("tcp", n.to)
	if err != nil {
		_ = down.Close()
		return
	}
	n.mu.Lock()
	l := &link{down: down, up: up, dead: n.lost}
	n.links[l] = struct{}{}
	n.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { n.copy(l, up, down) })
	both.Go(func() { n.copy(l, down, up) })
	both.Wait()
	n.mu.Lock()
	delete(n.links, l)
	n.mu.Unlock()
}

func (n *network) copy(l *link, to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		read, err := from.Read(buf)
		n.mu.Lock()
		dead := l.dead
		n.mu.Unlock()
		if read > 0 && !dead {
			if _, err := to.Write(buf[:read]); err != nil {
				_ = from.Close()
			}
		}
		if err != nil {
			if !dead { // of what is dead nobody hears that it has ended
				if errors.Is(err, io.EOF) {
					_ = to.(*net.TCPConn).CloseWrite()
				} else {
					_ = to.Close()
				}
			}
			return
		}
	}
}

// lose lets every connection die in silence, and new ones too until found.
func (n *network) lose() { n.set(true) }

// find lets new connections through. Those that were lost stay so.
func (n *network) find() { n.set(false) }

func (n *network) set(lost bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost = lost
	for l := range n.links {
		l.dead = l.dead || lost
	}
}

// as opens a tab in a fresh browser context on the far side of the network.
func (n *network) as(w *world, who string) *page {
	w.t.Helper()
	p := w.as(who)
	p.url = "http://" + n.listener.Addr().String() + "/" + who + "/"
	return p
}
