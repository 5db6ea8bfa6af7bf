package browsertest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	printing "github.com/chromedp/cdproto/page"
	v8 "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// long skips what `make browser-long` runs, and returns how long the soak is.
func long(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("HANDOFF_BROWSER_LONG")
	if s == "" {
		t.Skip("run by make browser-long")
	}
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

// TestDesk49Upgrade: a new build is served under an open page. The page says so,
// goes on working, loads the parts that it has not loaded yet, and is the new
// one when it is loaded anew.
func TestDesk49Upgrade(t *testing.T) {
	long(t)
	const build = "abcdef012345"
	var fresh atomic.Bool
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if fresh.Load() {
				rw = &rebuilt{rw, []byte(build)}
			}
			next.ServeHTTP(rw, r)
		})
	}})
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.clickOn(".composer textarea")
	p.write("half")
	fresh.Store(true)
	w.desk.Kick("ann")
	p.sees("There is a newer version of this page.")
	assert.Equal(t, "half", js[string](p, `document.querySelector('.composer textarea').value`), "nothing is loaded anew by itself")
	p.axe()
	p.reply(" done")
	w.until("it goes on working", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	for _, place := range []string{"Analytics", "History", "Board", "Settings"} {
		p.click(place)
		p.until(place+" is loaded", `document.querySelector('h1')?.textContent === §`, place)
	}
	p.click("Reload")
	p.live()
	assert.False(t, js[bool](p, `document.body.innerText.includes('newer version')`))
	assert.Equal(t, build, js[string](p, `JSON.parse(document.getElementById('boot').textContent).build`))
}

// A rebuilt answer is that of a desk with other files.
type rebuilt struct {
	http.ResponseWriter
	build []byte
}

func (r *rebuilt) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *rebuilt) Write(b []byte) (int, error) {
	out := b
	if i := bytes.Index(b, []byte(`"build":"`)); i >= 0 {
		at := i + len(`"build":"`)
		out = bytes.ReplaceAll(b, b[at:at+12], r.build)
	}
	_, err := r.ResponseWriter.Write(out)
	return len(b), err
}

// TestDesk50Soak: agents at work for as long as HANDOFF_BROWSER_LONG says (8h;
// of less than ten minutes, fewer of them). What pages and server hold does not
// grow once everything was seen.
func TestDesk50Soak(t *testing.T) {
	length := long(t)
	agents, chats := 20, 300
	if length < 10*time.Minute {
		agents, chats = 3, 30
	}
	var staff []handoff.Agent
	for i := range agents {
		staff = append(staff, handoff.Agent{ID: fmt.Sprint("s", i), Name: fmt.Sprint("Agent ", i), Queues: []string{"billing"}, Seats: chats})
	}
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Directory = memstore.NewDirectory(staff...) }})
	var pages []*page
	for i := range agents {
		w.actor(staff[i].ID, func(a *desk.Actor) {
			*a = desk.Actor{ID: staff[i].ID, Name: staff[i].Name, Role: desk.Agent, Queues: []string{"billing"}}
		})
	}
	open := make([][]handoff.Handoff, agents)
	next, over := 0, 0
	begin := func(i int) {
		next++
		c := fmt.Sprint("soak", next)
		w.named(c, fmt.Sprint("Customer ", next))
		open[i] = append(open[i], w.has(staff[i].ID, c, "billing"))
	}
	for i := range agents {
		w.available(staff[i].ID)
		pages = append(pages, w.at(staff[i].ID, "?tab=mine"))
		for range chats / agents {
			begin(i)
		}
	}
	round := func(n int) {
		for i, p := range pages {
			h := open[i][n%len(open[i])]
			w.says(h.ID.Conversation, fmt.Sprint("question ", n))
			p.until("it is first in the list", `document.querySelector('a.row')?.dataset.id === §`, token(h))
			p.clickOn(`a.row[data-id="` + token(h) + `"]`)
			p.until("it is open, and read", `document.querySelector('.composer textarea')?.ariaLabel === § && document.querySelector('.transcript').textContent.includes(§)`,
				"Reply to "+h.User.Name, fmt.Sprint("question ", n))
			p.reply(fmt.Sprint("answer ", n))
			w.until("it was sent", func() bool {
				return slices.Contains(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent), fmt.Sprint("answer ", n))
			})
			if n%3 == 2 { // one is over, another comes
				_, err := w.engine.End(w.ctx, h.ID, handoff.By(staff[i].ID), handoff.Ending{Reason: "Explained"})
				require.NoError(t, err)
				over++
				open[i] = append(open[i][:n%len(open[i])], open[i][n%len(open[i])+1:]...)
				begin(i)
			}
		}
	}
	start, n := time.Now(), 0
	for ; n < 3*chats/agents || time.Since(start) < length/10; n++ {
		round(n)
	}
	before := measure(t, pages)
	for ; time.Since(start) < length || n < 6*chats/agents; n++ { // twice as many as before, at least
		round(n)
	}
	after := measure(t, pages)
	t.Logf("%d rounds of %d agents; at first %+v, at last %+v", n, agents, before, after)
	const noise = 1 << 20 // of a garbage collector
	assert.LessOrEqual(t, after.heap, before.heap*11/10+noise, "the pages' heap")
	// A store in memory keeps what is over.
	assert.LessOrEqual(t, after.server, before.server*11/10+4*noise+int64(over)*64<<10, "the server's heap")
	assert.LessOrEqual(t, after.nodes, before.nodes*11/10+500, "nodes")
	assert.LessOrEqual(t, after.listeners, before.listeners*11/10+50, "listeners")
	pages[0].axe()
}

// TestDesk50Closed: what is no longer open is no longer held. An agent goes from
// one conversation to the next all day; the page holds the one that it shows.
func TestDesk50Closed(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	list := []handoff.Handoff{w.has("ann", "maria", "billing"), w.has("ann", "lee", "billing"), w.has("ann", "jo", "billing")}
	p := w.at("ann", "?tab=mine")
	opened := 0
	open := func(rounds int) load {
		for range rounds {
			for _, h := range list {
				opened++
				w.says(h.ID.Conversation, fmt.Sprint("question ", opened))
				p.until("it is first in the list", `document.querySelector('a.row')?.dataset.id === §`, token(h)) // and moves no more
				p.clickOn(`a.row[data-id="` + token(h) + `"]`)
				p.until("it is open", `document.querySelector('.composer textarea')?.ariaLabel === § && document.querySelector('.transcript').textContent.includes(§)`, "Reply to "+h.User.Name, fmt.Sprint("question ", opened))
			}
		}
		return measure(t, []*page{p})
	}
	before := open(2)
	after := open(6)
	t.Logf("%d opened; at first %+v, at last %+v", opened, before, after)
	perChat := js[int64](p, `(() => { let n = 0; const all = document.createNodeIterator(document.querySelector('.pane'), NodeFilter.SHOW_ALL); while (all.nextNode()) n++; return n; })()`)
	assert.Less(t, after.nodes-before.nodes, 4*perChat, "of 18 conversations that were closed")
}

// A load is what pages and server hold.
type load struct{ heap, nodes, listeners, server int64 }

func measure(t *testing.T, pages []*page) load {
	t.Helper()
	var out load
	for _, p := range pages {
		_, err := chromedp.Call(p.ctx, heapprofiler.CollectGarbage, cdp.Empty{})
		require.NoError(t, err)
		use, err := chromedp.Call(p.ctx, v8.GetHeapUsage, cdp.Empty{})
		require.NoError(t, err)
		dom, err := chromedp.Call(p.ctx, memory.GetDOMCounters, cdp.Empty{})
		require.NoError(t, err)
		out.heap += int64(use.UsedSize)
		out.nodes += dom.Nodes
		out.listeners += dom.JsEventListeners
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	out.server = int64(m.HeapAlloc)
	return out
}

// TestDesk51SlowNetwork: 400 ms each way at 50 KB/s, with lost packets. The page
// can be used, and nothing is sent twice.
func TestDesk51SlowNetwork(t *testing.T) {
	long(t)
	w := newWorld(t)
	w.available("ann")
	h := w.asks("maria", "billing")
	p := tab(browser.ctx, t, slowly(t, strings.TrimPrefix(w.server.URL, "http://"))+"/ann/", chromedp.WithNewBrowserContext())
	p.open("").live()
	p.click("Maria Keller")
	p.click("Accept")
	p.until("she has it", `document.querySelector('.composer.reply')`)
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("answer ", i))
		p.reply(want[i])
	}
	w.until("all was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) >= 10 })
	for i := range 10 {
		w.says("maria", fmt.Sprint("question ", i))
	}
	p.sees("question 9")
	p.until("nothing is on its way", `!document.querySelector('.pending')`)
	assert.ElementsMatch(t, want, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	assert.Equal(t, 10, js[int](p, `[...document.querySelectorAll('.entry.agent .text')].filter((e) => e.textContent.startsWith('answer')).length`))
}

// slowly serves an address through a network as of a train.
func slowly(t *testing.T, to string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	pipe := func(dst, src net.Conn) {
		defer dst.Close()
		type packet struct {
			b  []byte
			at time.Time
		}
		line := make(chan packet, 1000)
		all.Go(func() {
			defer close(line)
			for {
				b := make([]byte, 1400)
				n, err := src.Read(b)
				if n > 0 {
					at := time.Now().Add(400 * time.Millisecond)
					if rand.IntN(50) == 0 { //nolint:gosec // which packets are lost is no secret
						at = at.Add(time.Second) // it is sent again, and all that follows waits
					}
					line <- packet{b[:n], at}
				}
				if err != nil {
					return
				}
			}
		})
		for x := range line {
			wait(max(time.Until(x.at), time.Duration(len(x.b))*time.Second/50_000))
			if _, err := dst.Write(x.b); err != nil {
				_ = src.Close()
			}
		}
	}
	all.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
			if err != nil {
				_ = from.Close()
				continue
			}
			all.Go(func() { pipe(server, from) })
			all.Go(func() { pipe(from, server) })
		}
	})
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

// TestDesk52Print: a transcript on paper is all of it, over as many pages as it
// takes, and nothing else.
func TestDesk52Print(t *testing.T) {
	long(t)
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	for i := range 80 {
		w.says("maria", fmt.Sprintf("line %02d %s", i, strings.Repeat("of some length ", 6)))
	}
	p := w.at("ann", "c/"+token(h))
	p.sees("line 79")
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	require.NoError(t, err)
	got := js[map[string]any](p, `(() => ({
		hidden: ['.rail', '.top', '.list', '.foot', '.tools'].filter((s) => document.querySelector(s)?.checkVisibility()),
		cut: [...document.querySelectorAll('.entry.user .text')].filter((e) => { for (let x = e.parentElement; x; x = x.parentElement) { const o = getComputedStyle(x).overflowY; if (o !== 'visible' && x.scrollHeight > x.clientHeight + 1) return true; } return false; }).length,
		lines: [...document.querySelectorAll('.entry.user .text')].filter((e) => e.textContent.startsWith('line') && e.checkVisibility()).length,
	}))()`)
	assert.Empty(t, got["hidden"], "what is no part of it")
	assert.EqualValues(t, 0, got["cut"], "lines in a box that is too small for them")
	assert.EqualValues(t, 80, got["lines"])
	pdf, err := chromedp.Call(p.ctx, printing.PrintToPDF, printing.PrintToPDFParams{})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, bytes.Count(pdf.Data, []byte("/Type /Page\n")), 3, "pages")
}
