package browsertest

import (
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	lifecycle "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// buffer is a log that several may write.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) count(words string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.b.String(), words)
}

// zipped packs an answer, and hides what flushes it.
type zipped struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (g *zipped) Write(b []byte) (int, error) {
	if g.z == nil {
		g.Header().Del("Content-Length")
		g.Header().Set("Content-Encoding", "gzip")
		g.z = gzip.NewWriter(g.ResponseWriter)
	}
	return g.z.Write(b)
}

// plain passes on what every writer can, and nothing else.
type plain struct{ w http.ResponseWriter }

func (h plain) Header() http.Header         { return h.w.Header() }
func (h plain) Write(b []byte) (int, error) { return h.w.Write(b) }
func (h plain) WriteHeader(status int)      { h.w.WriteHeader(status) }

// TestDesk14HiddenFlush: in a host's middleware that hides what flushes, pages
// poll, and an agent works as ever. The host is told once.
func TestDesk14HiddenFlush(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"no unwrap": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { next.ServeHTTP(plain{rw}, r) })
		},
		"timeout": func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Minute, "late") },
		"gzip": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				z := &zipped{ResponseWriter: rw}
				next.ServeHTTP(z, r)
				if z.z != nil {
					_ = z.z.Close()
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := &buffer{}
			w := newWorld(t, options{wrap: wrap, desk: func(c *desk.Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) }})
			w.available("ann")
			p := w.as("ann")
			p.expects("501")
			p.open("").live()
			p.until("it says how", `document.querySelector('.live').innerText.trim() === 'Live (polling)'`)
			h := w.asks("maria", "billing")
			p.click("Maria Keller")
			p.click("Accept")
			p.until("she has it", `document.querySelector('.composer.reply')`)
			w.says("maria", "by polling")
			p.sees("by polling")
			p.reply("and back")
			w.until("it was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
			other := w.as("bob")
			other.expects("501")
			other.open("").live()
			assert.Equal(t, 1, log.count("level=WARN"), "%s", &log.b)
		})
	}
}

// TestDesk13TwoReplicas: each request goes to another one than that before it.
// A stream that is cut goes on at the other, which knows nothing of its cursor:
// the list is exact all the same, and so is a conversation.
func TestDesk13TwoReplicas(t *testing.T) {
	var engineOf handoff.Config
	var deskOf desk.Config
	var second http.Handler
	var turn atomic.Int64
	var served [2]atomic.Int64
	w := newWorld(t, options{
		engine: func(c *handoff.Config) { engineOf = *c }, desk: func(c *desk.Config) { deskOf = *c },
		wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				n := turn.Add(1) % 2
				served[n].Add(1)
				if n == 1 {
					second.ServeHTTP(rw, r)
					return
				}
				next.ServeHTTP(rw, r)
			})
		},
	})
	second = w.replica(engineOf, deskOf)
	w.available("ann")
	p := w.at("ann", "")
	p.expects("ERR_", "Failed to load resource", "Failed to fetch")
	var want []string
	for i := range inLong(8, 40) {
		c := fmt.Sprint("r", i)
		w.named(c, fmt.Sprint("Customer ", i))
		want = append(want, token(w.asks(c, "billing")))
		if i%2 == 0 {
			w.server.CloseClientConnections()
		}
		p.until("the list is exact", `[...document.querySelectorAll('a.row')].map((e) => e.dataset.id).join() === §`, strings.Join(want, ","))
	}
	h := w.has("ann", "maria", "billing")
	p.goes("c/" + token(h) + "?tab=mine")
	for i := range 6 {
		w.says("maria", fmt.Sprint("line ", i))
		w.server.CloseClientConnections()
		// The row of the list may show it before the conversation does.
		p.until("it is in the conversation", `[...document.querySelectorAll('.entry.user .text')].some((e) => e.textContent === §)`, fmt.Sprint("line ", i))
		p.reply(fmt.Sprint("answer ", i))
		p.until("it is said, once", `[...document.querySelectorAll('.entry.agent:not(.pending) .text')].filter((e) => e.textContent === §).length === 1`, fmt.Sprint("answer ", i))
	}
	assert.Len(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent), 6)
	assert.True(t, served[0].Load() > 10 && served[1].Load() > 10, "both served it")
	p.live()
}

// replica is another engine and desk on what a world keeps, as on another machine.
func (w *world) replica(engine handoff.Config, d desk.Config) http.Handler {
	w.t.Helper()
	e, err := handoff.New(engine)
	require.NoError(w.t, err)
	d.Engine = e
	h, err := desk.New(d)
	require.NoError(w.t, err)
	first := w.halt
	halt := w.runs(e, h)
	w.halt = func() { first(); halt() }
	return w.handler(func() *desk.Handler { return h })
}

// TestDesk37CrossOrigin: a page of another site, and one of a sibling, send what
// a browser lets them. Nothing comes of it.
func TestDesk37CrossOrigin(t *testing.T) {
	var refused, passed atomic.Int64
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rec := &statusOf{ResponseWriter: rw, status: http.StatusOK}
			next.ServeHTTP(rec, r)
			switch { // a POST as such, whatever it holds
			case r.Method == http.MethodPost && rec.status != http.StatusForbidden, r.Method != http.MethodPost && rec.status < 400:
				passed.Add(1)
			default:
				refused.Add(1)
			}
		})
	}})
	h := w.has("ann", "maria", "billing")
	before := w.now(h.ID)
	at := w.server.URL + "/ann/api/handoffs/" + token(h)
	evil := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(rw, `<!doctype html><title>Evil</title><iframe name=sink></iframe>
			<form method=post enctype="text/plain" target=sink action=%q><input name='{"op":"f","text":"from a form","x":"' value='"}'></form>`, at+"/notes")
	}))
	t.Cleanup(evil.Close)
	port := evil.URL[strings.LastIndex(evil.URL, ":"):]
	for i, from := range []string{"http://localhost" + port, "http://127.0.0.1" + port} { // another site; the same one at another origin
		p := tab(browser.ctx, t, from, chromedp.WithNewBrowserContext())
		p.expects("") // it complains of all that is refused
		p.spare("a page of somebody else")
		p.open("/")
		js[bool](p, `(() => {
			document.forms[0].submit();
			for (const mode of ['no-cors', 'cors']) for (const type of ['text/plain', 'application/json'])
				fetch(§, { method: 'POST', mode, credentials: 'include', headers: { 'Content-Type': type }, body: JSON.stringify({ op: 'x', text: 'from a script' }) }).catch(() => {});
			for (const verb of ['end', 'return', 'notes']) { const x = new Image(); x.src = § + '/' + verb + '?op=x&text=from%20an%20image'; document.body.append(x); }
			return true;
		})()`, at+"/notes", at)
		w.until("they were sent and refused", func() bool { return refused.Load() >= int64(6*(i+1)) })
	}
	assert.Zero(t, passed.Load())
	assert.Equal(t, before.Version, w.now(h.ID).Version, "nothing has happened")
	assert.Empty(t, w.said(h.ID, handoff.KindNote, ""))
}

// statusOf remembers how an answer began.
type statusOf struct {
	http.ResponseWriter
	status int
}

func (s *statusOf) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *statusOf) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// TestDesk38Framing: nobody can show the desk in a frame but who may.
func TestDesk38Framing(t *testing.T) {
	t.Parallel()
	for name, allowed := range map[string]bool{"refused": false, "allowed": true} {
		t.Run(name, func(t *testing.T) {
			var inner atomic.Pointer[string]
			outer := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = fmt.Fprintf(rw, `<!doctype html><title>Host</title><iframe src=%q width=1000 height=600></iframe>`, *inner.Load())
			}))
			t.Cleanup(outer.Close)
			var streams, pages atomic.Int64
			w := newWorld(t, options{
				desk: func(c *desk.Config) {
					if allowed {
						c.FrameAncestors = []string{outer.URL}
					}
				},
				wrap: func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						if strings.HasSuffix(r.URL.Path, "/ann/") {
							pages.Add(1)
						}
						if strings.HasSuffix(r.URL.Path, "/api/events") {
							streams.Add(1)
						}
						next.ServeHTTP(rw, r)
					})
				},
			})
			address := w.server.URL + "/ann/"
			inner.Store(&address)
			p := tab(browser.ctx, t, outer.URL, chromedp.WithNewBrowserContext())
			p.expects("frame-ancestors", "ERR_BLOCKED_BY_RESPONSE")
			p.spare("a page of a host, with ours in a frame")
			p.open("/")
			w.until("it was asked for", func() bool { return pages.Load() > 0 })
			if allowed {
				w.until("it lives in its frame", func() bool { return streams.Load() > 0 })
				return
			}
			w.until("the browser refuses", func() bool { return p.heard("frame-ancestors") })
			assert.Zero(t, streams.Load())
		})
	}
}

// TestDesk40Mounts: at the root, at a prefix, and behind a proxy that rewrites it,
// with TLS of its own too, places are reached by a click, by their address, by back
// and forward, and when loaded anew; and what is written goes both ways.
func TestDesk40Mounts(t *testing.T) {
	w := newWorld(t)
	w.there("ann")
	const odd = "a/b c?d#ü%2F"
	w.named(odd, "Odd One")
	h := w.has("ann", odd, "billing")
	maria := w.has("ann", "maria", "billing")
	to, err := url.Parse(w.server.URL + "/ann")
	require.NoError(t, err)
	anns := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.desk.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), actorKey{}, "ann")))
	})
	mux := http.NewServeMux()
	mux.Handle("/a/", http.StripPrefix("/a", anns))
	proxy := http.StripPrefix("/a/b", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, FlushInterval: -1,
	})
	for i, mount := range []struct {
		how, root, enter string
		tls              bool
		handler          http.Handler
	}{
		{"root", "/", "/", false, anns},
		{"mux", "/a/", "/a", false, mux}, // which adds the slash
		{"proxy", "/a/b/", "/a/b/", false, proxy},
		{"TLS proxy", "/a/b/", "/a/b/", true, proxy},
	} {
		server := httptest.NewUnstartedServer(mount.handler)
		server.EnableHTTP2 = true // as browsers speak it with whatever has TLS
		if mount.tls {
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
		p := tab(browser.ctx, t, server.URL+mount.root, chromedp.WithNewBrowserContext())
		_, err := chromedp.Call(p.ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
		require.NoError(t, err)
		here := func(what, path string) {
			t.Helper()
			p.until(mount.how+": "+what, `location.pathname + location.search === §`, mount.root+path)
		}
		opened := func(who string) {
			t.Helper()
			p.until(mount.how+": it is open", `document.querySelector('.composer textarea')?.ariaLabel === §`, "Reply to "+who)
		}
		p.do(chromedp.Navigate(server.URL + mount.enter))
		here("the first page", "")
		p.live()
		assert.Equal(t, mount.tls, js[string](p, `performance.getEntriesByType('navigation')[0].nextHopProtocol`) == "h2", mount.how)
		p.click("Mine")
		chat := "c/" + address(h.ID) + "?tab=mine"
		p.click("Odd One")
		here("a click", chat)
		opened("Odd One")
		p.click("Maria Keller")
		opened("Maria Keller")
		w.says("maria", "to "+mount.how)
		p.sees("to " + mount.how)
		p.reply("from " + mount.how)
		w.until("it was sent", func() bool { return len(w.said(maria.ID, handoff.KindMessage, handoff.RoleAgent)) == i+1 })
		js[bool](p, `(history.back(), true)`)
		here("back", chat)
		opened("Odd One")
		p.do(chromedp.Reload())
		p.live()
		here("loaded anew", chat)
		opened("Odd One")
		js[bool](p, `(history.forward(), true)`)
		opened("Maria Keller")
		p.click("Settings")
		here("a place", "settings")
		p.open("history?outcome=missed").live()
		here("by its address", "history?outcome=missed")
	}
}

// TestDesk43ClockSkew: what counts up and down is the server's time, on a
// computer whose clock is ten minutes slow or fast.
func TestDesk43ClockSkew(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[1].OfferTimeout = 30 * time.Minute }})
	w.available("ann")
	waits := w.asks("maria", "billing")
	w.asks("lee", "shop")
	for _, off := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		p := w.as("ann")
		_, err := chromedp.Call(p.ctx, lifecycle.AddScriptToEvaluateOnNewDocument, lifecycle.AddScriptToEvaluateOnNewDocumentParams{
			Source: fmt.Sprintf(`(() => { const now = Date.now; Date.now = () => now() + %d; })()`, off.Milliseconds()),
		})
		require.NoError(t, err)
		p.open("").live()
		p.until("it has waited so long", `/^[0-4]:\d\d$/.test(document.querySelector('a.row[data-id="`+token(waits)+`"] .clock')?.innerText.trim())`)
		first := js[string](p, `document.querySelector('a.row[data-id="`+token(waits)+`"] .clock').innerText`)
		p.until("and goes on", `document.querySelector('a.row[data-id="`+token(waits)+`"] .clock').innerText !== §`, first)
		p.until("so long is left", `/^2[5-9]:\d\d$|^30:00$/.test(document.querySelector('.offer .clock')?.innerText.trim())`)
		p.axe()
	}
}
