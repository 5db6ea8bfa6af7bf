package browsertest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/examples/webchat/acme"
)

// A front stands before the example and answers for it, where it is told to.
type front struct {
	*httptest.Server
	mu      sync.Mutex
	answer  map[string]int // by the end of an address
	refused map[string]int // how often, since it was told to
}

func newFront(t *testing.T) *front {
	t.Helper()
	to, err := url.Parse(example(t, acme.Options{}))
	require.NoError(t, err)
	g := &front{}
	pass := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		FlushInterval: -1,
		ErrorHandler:  func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
	}
	g.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		end := r.URL.Path[strings.LastIndex(r.URL.Path, "/"):]
		g.mu.Lock()
		status := g.answer[end]
		if status != 0 {
			g.refused[end]++
		}
		g.mu.Unlock()
		if status != 0 {
			rw.WriteHeader(status)
			return
		}
		pass.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

// says lets the front answer with a status to some addresses, and to no others.
func (g *front) says(status int, ends ...string) {
	g.mu.Lock()
	g.answer, g.refused = map[string]int{}, map[string]int{}
	for _, e := range ends {
		g.answer[e] = status
	}
	g.mu.Unlock()
	g.CloseClientConnections()
}

// sends puts files into the user's chat, of so many bytes.
func (p *page) sends(bytes int, names ...string) {
	p.t.Helper()
	js[bool](p, `((size, names) => { const d = new DataTransfer(); for (const n of names) d.items.add(new File([new Uint8Array(size)], n)); const i = document.getElementById('file'); i.files = d.files; i.dispatchEvent(new Event('change')); return true; })(§, §)`, bytes, names)
}

// TestWebchatFailures: what a user of the example sends and what does not go he is
// told at the message, and can send again; a connection that is lost is said, and
// what was written meanwhile arrives once.
func TestWebchatFailures(t *testing.T) {
	start(t)
	t.Parallel()
	g := newFront(t)
	u := tab(browser.ctx, t, g.URL+"/", chromedp.WithNewBrowserContext()).open("chat.html")
	u.expects("ERR_", "413", "422", "503")
	const field = "#text"
	g.says(http.StatusUnprocessableEntity, "/messages")
	u.clickOn(field)
	u.write("Where is my parcel?")
	u.key(kb.Enter)
	u.sees("This was not sent.")
	u.axe()
	g.says(0)
	u.click("Try again")
	u.until("it arrives and is answered", `document.querySelector('.m.bot') && document.querySelectorAll('.m.user').length === 1 && !document.querySelector('.m.bad')`)

	u.sends(3<<20, "film.mp4")
	u.sees("A file may have at most 2 MB.")
	u.click("Remove")
	u.until("it is gone", `!document.querySelector('.m.bad')`)
	u.sends(0, "nothing.txt")
	u.sees("This file is empty.")
	u.click("Remove")
	g.says(http.StatusServiceUnavailable, "/files")
	u.sends(9, "bill.pdf")
	u.sees("This file was not sent.")
	g.says(0)
	u.click("Try again")
	const files = `[...document.querySelectorAll('.m.user:not(.wait) a')].map((e) => e.textContent.replace(/^\S+ /, '')).join()`
	u.until("it is sent", files+` === 'bill.pdf'`)
	u.sends(9, "one.pdf", "two.pdf")
	u.until("so are several", files+` === 'bill.pdf,one.pdf,two.pdf' && !document.querySelector('.m.wait')`)

	g.says(http.StatusServiceUnavailable, "/events", "/messages", "/person")
	u.sees("There is no connection.")
	u.clickOn(field)
	u.write("Are you there?")
	u.key(kb.Enter)
	u.until("it waits", `document.querySelector('.m.wait')`)
	require.Eventually(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.refused["/events"] > 0
	}, patience, 10*time.Millisecond, "the browser tries again, and gives up")
	u.axe()
	g.says(0)
	u.until("it is back", `!document.body.innerText.includes('There is no connection.')`)
	u.until("and what was written arrives", `!document.querySelector('.m.wait') && [...document.querySelectorAll('.m.user')].filter((e) => e.textContent === 'Are you there?').length === 1`)
	g.says(http.StatusServiceUnavailable, "/person")
	u.click("Talk to a person")
	u.sees("Nobody can be asked right now.")
	g.says(0)
	u.click("Talk to a person")
	u.until("he waits, and nothing is in the way", `document.querySelector('#with').textContent === 'Waiting for a person' && !document.querySelector('#status').textContent`)
}

// TestWebchatRating: who has rated is not asked again, in another tab or when his
// page is loaded anew; a rating that is not stored is asked for still.
func TestWebchatRating(t *testing.T) {
	start(t)
	t.Parallel()
	g := newFront(t)
	a := tab(browser.ctx, t, g.URL+"/desk/ann/", chromedp.WithNewBrowserContext()).open("").live()
	u := tab(browser.ctx, t, g.URL+"/", chromedp.WithNewBrowserContext()).open("chat.html")
	u.click("Talk to a person")
	a.click("Accept")
	u.sees("Ann Moreau has joined")
	a.click("Finish")
	a.clickOn("dialog .button.primary")
	u.sees("How was it?")
	other := tab(u.ctx, t, u.url).open("chat.html")
	other.sees("How was it?")
	for _, p := range []*page{a, u, other} {
		p.expects("ERR_", "503")
	}
	g.says(http.StatusServiceUnavailable, "/rate")
	u.clickOn("#rate [aria-label='4 of 5']")
	u.sees("Your rating was not stored.")
	g.says(0)
	u.axe()
	u.clickOn("#rate [aria-label='4 of 5']")
	u.sees("Thank you for rating.")
	const asked = `document.querySelector('#rate').checkVisibility()`
	for _, p := range []*page{u, other} {
		p.until("it is not asked again", `!`+asked)
	}
	const told = `[...document.querySelectorAll('.m.notice')].map((e) => e.textContent).filter((s) => s !== 'Thank you for rating.').join()`
	before := js[string](u, told)
	u.open("chat.html")
	u.until("all is there", told+` === §`, before)
	assert.False(t, js[bool](u, asked))
}
