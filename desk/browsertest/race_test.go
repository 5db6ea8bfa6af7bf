package browsertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// inLong is a number of repetitions: few in CI, as many as the scenario says
// with HANDOFF_BROWSER=long.
func inLong(few, many int) int {
	if os.Getenv("HANDOFF_BROWSER") == "long" {
		return many
	}
	return few
}

// goes follows a link within the page, without loading it anew.
func (p *page) goes(path string) {
	p.t.Helper()
	at, err := url.Parse(p.url)
	require.NoError(p.t, err)
	js[bool](p, `(history.pushState(null, '', §), dispatchEvent(new PopStateEvent('popstate')), true)`, at.Path+path)
}

// together clicks on the same words on several pages in the same moment.
func together(t *testing.T, words string, pages ...*page) {
	t.Helper()
	spots := make([][]float64, len(pages))
	for i, p := range pages {
		p.until("there is “"+words+"”", find+`(§)`, words)
		spots[i] = js[[]float64](p, format(`((e) => { e.scrollIntoView({ block: 'nearest' }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(`+find+`(§))`, words))
	}
	var all sync.WaitGroup
	errs := make([]error, len(pages))
	for i, p := range pages {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(p.ctx, patience)
			defer cancel()
			errs[i] = chromedp.Do(ctx, chromedp.MouseClickXY(spots[i][0], spots[i][1]))
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
}

// TestDesk02RaceToAccept: two agents click at the same moment. One has it; the
// other is told who, reads no further, and neither sees it wait any more.
func TestDesk02RaceToAccept(t *testing.T) {
	var refused atomic.Int32
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/accept") {
				next.ServeHTTP(rw, r)
				return
			}
			got := httptest.NewRecorder()
			next.ServeHTTP(got, r)
			if got.Code != http.StatusOK {
				refused.Add(1)
			}
			maps.Copy(rw.Header(), got.Header())
			rw.WriteHeader(got.Code)
			_, _ = rw.Write(got.Body.Bytes())
		})
	}})
	w.available("ann", "bob")
	pages := map[string]*page{"ann": w.at("ann", ""), "bob": w.at("bob", "")}
	names := map[string]string{"ann": "Ann Moreau", "bob": "Bob Sato"}
	won := map[string]int{}
	for round := range inLong(6, 200) {
		c := fmt.Sprintf("r%d", round)
		w.named(c, fmt.Sprintf("Racer %d", round))
		h := w.asks(c, "billing")
		for _, p := range pages {
			p.expects("409", "404", "403")
			p.goes("c/" + token(h))
			p.sees("Nobody has taken this yet.")
		}
		together(t, "Accept", pages["ann"], pages["bob"])
		w.until("somebody has it", func() bool { return w.now(h.ID).Agent != "" })
		winner := w.now(h.ID).Agent
		won[winner]++
		loser := pages[map[string]string{"ann": "bob", "bob": "ann"}[winner]]
		pages[winner].until("the winner may write", `document.querySelector('.composer.reply')`)
		loser.until("the loser can neither accept it nor write", `![...document.querySelectorAll('button')].some((b) => b.textContent === 'Accept') && !document.querySelector('.composer.reply')`)
		loser.sees(names[winner])
		loser.until("a preview is not a colleague's conversation", `!document.querySelector('.transcript') || document.querySelector('.banner.watch')`)
		for who, p := range pages {
			p.goes("?tab=new")
			p.until(who+" does not see it wait", `!document.querySelector('.list a.row[data-id="`+token(h)+`"]')`)
		}
		assert.Len(t, w.said(h.ID, handoff.KindJoined, ""), 1, "one owner")
		_, err := w.engine.End(w.ctx, h.ID, handoff.By(winner), handoff.Ending{Reason: "Explained"})
		require.NoError(t, err)
	}
	t.Logf("won: %v, refused: %d", won, refused.Load())
	assert.Positive(t, refused.Load(), "no two clicks have met")
	pages["ann"].axe()
}

// TestDesk03RingAll: five agents are offered the same handoff and all click. One
// has it, four are told, and nobody's offer stays.
func TestDesk03RingAll(t *testing.T) {
	five := []string{"ann", "bob", "eve", "gil", "hua"}
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Queues[1].Style = handoff.Broadcast
		var all []handoff.Agent
		for _, id := range five {
			all = append(all, handoff.Agent{ID: id, Name: "Agent " + id, Queues: []string{"shop"}, Seats: 1})
		}
		c.Directory = memstore.NewDirectory(all...)
	}})
	var pages []*page
	for _, id := range five {
		w.actor(id, func(a *desk.Actor) {
			*a = desk.Actor{ID: id, Name: "Agent " + id, Role: desk.Agent, Queues: []string{"shop"}}
		})
		w.available(id)
		p := w.at(id, "")
		p.expects("409", "404")
		pages = append(pages, p)
	}
	w.until("all are there", func() bool {
		return !slices.ContainsFunc(five, func(id string) bool { return w.availability(id) != handoff.Online })
	})
	h := w.asks("maria", "shop")
	together(t, "Accept", pages...)
	w.until("somebody has it", func() bool { return w.now(h.ID).Agent != "" })
	now := w.now(h.ID)
	assert.Empty(t, now.Offers)
	assert.Len(t, w.said(h.ID, handoff.KindJoined, ""), 1)
	for i, p := range pages {
		p.until("no offer stays", `!document.querySelector('.offer') && ![...document.querySelectorAll('button')].some((b) => b.textContent === 'Accept')`)
		if five[i] == now.Agent {
			p.until("he may write", `document.querySelector('.composer.reply')`)
		} else {
			if p.heard("409") { // not, if the offer had gone before the click
				p.sees("Agent " + now.Agent)
			}
			assert.False(t, js[bool](p, `Boolean(document.querySelector('.composer.reply'))`))
		}
	}
	owner := pages[slices.Index(five, now.Agent)]
	owner.sees("Agent " + now.Agent + " joined")
	assert.NotContains(t, owner.text(".transcript"), "took the transfer", "offers that went by themselves are no news")
	pages[0].axe()
}

// TestDesk05Full: an agent without a free seat is told so, and nothing changes.
func TestDesk05Full(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.has("ann", fmt.Sprintf("f%d", i), "billing")
	}
	w.available("ann")
	h := w.asks("maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("409")
	p.click("Accept")
	p.sees("You have no free seat.")
	assert.Equal(t, handoff.StateWaiting, w.now(h.ID).State)
}

// TestDesk04OfferRunsOut: an offer rings with a countdown, and runs out while
// the click is on its way. The agent is told so, and the user is where he was.
func TestDesk04OfferRunsOut(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[1].OfferTimeout = 25 * time.Second }})
	w.available("eve")
	p := w.at("eve", "")
	p.expects("409")
	h := w.asks("maria", "shop")
	p.sees("This is for you")
	js[bool](p, `(() => { const f = self.fetch; self.fetch = (u, o) => String(u).endsWith('/accept') ? new Promise((r) => { self.go = () => r(f(u, o)); }) : f(u, o); return true; })()`)
	p.click("Accept")
	p.until("the click is on its way", `self.go`)
	w.until("it waits in its place", func() bool { return w.now(h.ID).State == handoff.StateWaiting })
	js[bool](p, `(self.go(), true)`)
	p.sees("The offer was withdrawn.")
	p.until("the offer has gone", `!document.querySelector('.offer')`)
	assert.NotEmpty(t, w.said(h.ID, handoff.KindLapsed, ""))
	now := w.now(h.ID)
	assert.Empty(t, now.Agent)
	assert.WithinDuration(t, h.Enqueued, now.Enqueued, 0, "it is as old as it was")
	p.click("Maria Keller")
	p.sees("It is offered to whoever is free.")
	assert.False(t, js[bool](p, `[...document.querySelectorAll('button')].some((b) => b.textContent === 'Accept')`), "nobody takes from a queue that gives")
}

// TestDesk06UserLeaves while he is looked at, while he is accepted, and while he
// is answered. A page does not ask for what it knows to be gone.
func TestDesk06UserLeaves(t *testing.T) {
	var mu sync.Mutex
	reads, last := 0, time.Now()
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/api/handoffs/") {
				mu.Lock()
				reads++
				mu.Unlock()
				defer func() {
					mu.Lock()
					reads, last = reads-1, time.Now()
					mu.Unlock()
				}()
			}
			next.ServeHTTP(rw, r)
		})
	}})
	w.available("ann")
	p := w.at("ann", "")
	// What was on its way when he left is answered with 404, which is no fault:
	// he leaves when the page has all that it wants to know.
	quiet := func() {
		t.Helper()
		w.until("the page has read all", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return reads == 0 && time.Since(last) > time.Second
		})
	}
	h := w.asks("maria", "billing")
	p.goes("c/" + token(h))
	p.sees("Nobody has taken this yet.")
	quiet()
	_, err := w.engine.Cancel(w.ctx, "maria", true)
	require.NoError(t, err)
	p.until("the preview has gone", `!document.querySelector('.choice') && !document.querySelector('.transcript')`)
	p.axe()

	h = w.has("ann", "lee", "billing")
	p.goes("c/" + token(h))
	p.clickOn(".composer textarea")
	p.write("half a sen")
	quiet()
	_, err = w.engine.Cancel(w.ctx, "lee", true)
	require.NoError(t, err)
	p.until("nothing can be sent", `!document.querySelector('.composer.reply')`)
	quiet()
	p.axe()

	// In the moment of Accept: the server learns of both at once, in either order.
	h = w.asks("jo", "billing")
	p.goes("c/" + token(h))
	p.sees("Nobody has taken this yet.")
	p.expects("404", "409")
	x, y := p.place(format(find+`(§)`, "Accept"))
	var left sync.WaitGroup
	left.Go(func() { _, err = w.engine.Cancel(w.ctx, "jo", true) })
	p.do(chromedp.MouseClickXY(x, y))
	left.Wait()
	require.NoError(t, err)
	w.until("it is over", func() bool { return w.now(h.ID).State == handoff.StateEnded })
	p.until("nothing can be accepted or sent", `!document.querySelector('.choice') && !document.querySelector('.composer.reply')`)
}

// TestDesk11StreamKilled: the stream breaks at random while messages come. Each
// is shown once, in order; draft, focus and caret stay.
func TestDesk11StreamKilled(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("ERR_", "Failed to fetch")
	p.clickOn(".composer textarea")
	p.write("my draft")
	p.key(kb.ArrowLeft)
	messages, kills := inLong(150, 1000), inLong(15, 100)
	random, killed := rand.New(rand.NewPCG(11, 1)), 0
	for i := range messages {
		w.says("maria", fmt.Sprintf("line %04d", i))
		if random.IntN(messages) < kills {
			w.server.CloseClientConnections()
			killed++
		}
		if i%10 == 9 { // not all in one breath
			p.until("the page still answers", `document.querySelector('.composer textarea')`)
		}
	}
	require.Positive(t, killed)
	t.Logf("%d messages, %d kills", messages, killed)
	p.sees(fmt.Sprintf("line %04d", messages-1))
	p.until("each is there once, in order", `(() => {
		const got = [...document.querySelectorAll('.entry.user .text')].map((e) => e.textContent).filter((s) => s.startsWith('line'));
		return got.length === § && got.every((s, i) => s === 'line ' + String(i).padStart(4, '0'));
	})()`, messages)
	assert.Equal(t, "my draft", js[string](p, `document.querySelector('.composer textarea').value`))
	assert.True(t, js[bool](p, `document.activeElement.tagName === 'TEXTAREA' && document.activeElement.selectionStart === 7`), "focus and caret")
}

// TestDesk16ManyTabs: twelve tabs of one browser are live with one stream, and
// ring once; when the leader closes, and when the next one freezes, another
// leads, and nothing is lost.
func TestDesk16ManyTabs(t *testing.T) {
	var mu sync.Mutex
	streams := 0
	var left atomic.Int32
	w := newWorld(t, leased(time.Minute), leaving(&left), options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/api/events") {
				mu.Lock()
				streams++
				mu.Unlock()
				defer func() {
					mu.Lock()
					streams--
					mu.Unlock()
				}()
			}
			next.ServeHTTP(rw, r)
		})
	}})
	open := func() int {
		mu.Lock()
		defer mu.Unlock()
		return streams
	}
	w.available("ann")
	first := w.at("ann", "")
	first.click("Switch sound on")
	tabs := []*page{first}
	for range 11 {
		p := tab(first.ctx, t, first.url)
		tabs = append(tabs, p.open("").live())
	}
	const module = `import(document.querySelector('script[type=module]').src.replace('desk.js', 'store.js'))`
	leads := func(p *page) bool { return js[bool](p, module+`.then((m) => m.state.leader)`) }
	leader := func(of []*page) int { return slices.IndexFunc(of, leads) }
	sounds := func(of []*page) (n int) {
		for _, p := range of {
			n += js[int](p, module+`.then((m) => m.state.sounds ?? 0)`)
		}
		return n
	}
	assert.Equal(t, 1, open())
	before := sounds(tabs)
	w.asks("maria", "billing")
	for _, p := range tabs {
		p.sees("Maria Keller")
	}
	w.until("it rings", func() bool { return sounds(tabs) > before })
	assert.Equal(t, before+1, sounds(tabs), "once")

	// One that does not lead closes: the browser is still there.
	require.Equal(t, 0, leader(tabs))
	tabs[11].spare("it has closed")
	tabs[11].do(chromedp.Navigate("about:blank"))
	tabs = tabs[:11]
	js[bool](first, `fetch('api/snapshot').then(() => true)`) // what it had to say was said by then
	assert.Zero(t, left.Load(), "it says that the browser has gone")

	// The leader closes.
	first.spare("it has closed")
	first.do(chromedp.Navigate("about:blank"))
	tabs = tabs[1:]
	w.asks("lee", "billing")
	for _, p := range tabs {
		p.sees("Lee Wong")
	}
	w.until("one leads", func() bool { return leader(tabs) >= 0 })

	// The next leader freezes: it holds the lock and the stream, and does nothing.
	at := leader(tabs)
	frozen := tabs[at]
	tabs = slices.Delete(tabs, at, at+1)
	frozen.sleeps()
	w.asks("jo", "billing")
	for _, p := range tabs {
		p.sees("Jo Bright")
	}
	w.until("another leads", func() bool { return leader(tabs) >= 0 })
	frozen.wakes()
	frozen.sees("Jo Bright")
	w.until("it no longer leads", func() bool { return !leads(frozen) && open() == 1 })
	for _, p := range tabs[1:] {
		p.spare("it shows what the first of them does")
	}
	assert.EqualValues(t, 1, left.Load(), "only the one that led and closed has said that it goes")
}

// TestDesk18Drafts: while somebody switches quickly, a draft never turns up in
// another conversation, nor a note among replies.
func TestDesk18Drafts(t *testing.T) {
	w := newWorld(t)
	all := []handoff.Handoff{w.has("ann", "maria", "billing"), w.has("ann", "lee", "billing")}
	names := []string{"Maria Keller", "Lee Wong"}
	p := w.at("ann", "c/"+token(all[0])+"?tab=mine")
	want := map[string]string{}
	for i := range inLong(8, 50) {
		who, mode := i%2, []string{"reply", "note"}[i/2%2]
		p.until("the composer is "+names[who]+"'s", `document.querySelector('.head h1')?.textContent === § && document.querySelector('.modes .`+mode+`')`, names[who])
		p.clickOn(".modes ." + mode)
		p.until("it is the "+mode, `document.querySelector('.composer.`+mode+` textarea') === document.activeElement`)
		p.write(string(mode[0]))
		want[token(all[who])+":"+mode] += string(mode[0])
		p.clickOn(`a.row[data-id="` + token(all[1-who]) + `"]`)
	}
	kept := `Object.fromEntries(Object.entries(localStorage).filter(([k]) => k.includes(':draft:')).map(([k, v]) => [k.split(':draft:')[1], JSON.parse(v)]))`
	p.until("the last is kept", `Object.keys(`+kept+`).length === 4`)
	assert.Equal(t, want, js[map[string]string](p, kept))
	for who, h := range all {
		p.clickOn(`a.row[data-id="` + token(h) + `"]`)
		p.until("it is open", `document.querySelector('.head h1')?.textContent === §`, names[who])
		for _, mode := range []string{"reply", "note"} {
			p.clickOn(".modes ." + mode)
			p.until("each has its own "+mode, `document.querySelector('.composer.`+mode+` textarea')?.value === §`, want[token(h)+":"+mode])
		}
		assert.Empty(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
		assert.Empty(t, w.said(h.ID, handoff.KindNote, ""))
	}
	// What was sent is no draft, from that moment on: a browser that dies then
	// does not bring it back.
	last := token(all[1])
	p.clickOn(".modes .reply")
	p.until("the reply is there", `document.querySelector('.composer.reply textarea')?.value === §`, want[last+":reply"])
	p.click("Send to Lee Wong")
	w.until("it was sent", func() bool { return len(w.said(all[1].ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	delete(want, last+":reply")
	assert.Equal(t, want, js[map[string]string](p, kept))
}

// TestDesk20Stale: what came between the last look and Send is shown first.
func TestDesk20Stale(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("409")
	p.clickOn(".composer textarea")
	p.write("the answer")
	// The page has not heard of it yet when it sends.
	js[bool](p, `(() => { const f = self.fetch; self.fetch = (u, o) => String(u).includes('/messages') && !self.goOn ? new Promise((r) => { self.goOn = () => r(f(u, o)); }) : f(u, o); return true; })()`)
	p.click("Send to Maria Keller")
	p.until("it is on its way", `self.goOn`)
	w.says("maria", "wait, it is something else")
	js[bool](p, `(self.goOn(), true)`)
	p.sees("wrote while you were writing")
	assert.Equal(t, "the answer", js[string](p, `document.querySelector('.composer textarea').value`))
	assert.Empty(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	p.axe()
	p.click("Send anyway")
	w.until("it was sent once", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
}

// TestDesk22Supervisor watches in silence, whispers, and takes over.
func TestDesk22Supervisor(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.has("ann", "maria", "shop")
	a := w.at("ann", "c/"+token(h))
	w.until("Ann's page has said that she is there, and the log that she is back", func() bool {
		list, err := w.presence.Agents(t.Context(), []string{"ann"}, time.Now())
		require.NoError(t, err)
		log, err := w.engine.Log(t.Context(), h.ID, 0, 100)
		require.NoError(t, err)
		away := false
		for _, e := range log {
			if e.Kind == handoff.KindAgentAway || e.Kind == handoff.KindAgentBack {
				away = e.Kind == handoff.KindAgentAway
			}
		}
		return list[0].Availability == handoff.Online && !away
	})
	before := w.now(h.ID).Seq
	s := w.at("sam", "c/"+token(h))
	s.sees("You are watching Ann Moreau. Nobody is told.")
	s.axe()
	assert.Equal(t, before, w.now(h.ID).Seq, "watching leaves no trace in the log")
	assert.False(t, js[bool](a, `document.body.innerText.includes('Sam')`), "and none on the agent's page")
	s.clickOn(".modes .whisper")
	s.clickOn(".composer textarea")
	s.write("offer him 45")
	s.clickOn(".composer .button.primary")
	a.sees("offer him 45")
	assert.Equal(t, "Sam Okafor", js[string](a, `document.querySelector('.entry.whisper .name').textContent`), "he serves none of her queues, and has a name all the same")
	a.expects("409", "403", "404")
	a.clickOn(".composer textarea")
	a.write("half")
	s.click("Take over")
	s.clickOn("dialog .button.primary")
	s.until("Sam has it", `document.querySelector('.composer.reply')`)
	w.until("the engine says so", func() bool { return w.now(h.ID).Agent == "sam" })
	for _, x := range []*page{s, a} {
		x.until("one line says so, or none to whom it is no longer for", `[...document.querySelectorAll('.transcript .event')].filter((e) => /joined|took over/i.test(e.textContent) && e.textContent.includes('Sam Okafor')).length === (document.querySelector('.transcript') ? 1 : 0)`)
	}
	assert.Len(t, w.said(h.ID, handoff.KindJoined, ""), 2, "Ann's, and Sam's")
	a.until("Ann cannot write", `!document.querySelector('.composer.reply')`)
	assert.Contains(t, js[[]string](a, `Object.entries(localStorage).filter(([k]) => k.includes('draft:')).map(([, v]) => JSON.parse(v))`), "half", "her half-typed reply is kept")
	assert.NotContains(t, strings.Join(w.pulled("maria"), "\n"), "offer him")
}

// TestDesk23Removed: an agent whose right has ended sees nothing more.
func TestDesk23Removed(t *testing.T) {
	var told atomic.Bool
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(rw, r)
			if strings.HasSuffix(r.URL.Path, "/seen") {
				told.Store(true)
			}
		})
	}})
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("403")
	p.sees("it is about my order")
	w.until("the page has told what she has seen", told.Load)
	w.deny("ann", fmt.Errorf("removed"))
	js[bool](p, `(() => { const f = self.fetch; self.asked = []; self.fetch = (u, o) => { if (o?.method && o.method !== 'GET') self.asked.push(o.method + ' ' + u + ' ' + o.body); return f(u, o); }; return true; })()`)
	w.desk.Kick("ann")
	p.sees("You no longer have access")
	w.says("maria", "what he says afterwards")
	wait(1500 * time.Millisecond) // longer than anything that a page tells by itself
	assert.Empty(t, js[[]string](p, `self.asked.filter((s) => !s.includes('/presence/') && !s.endsWith('"id":""}'))`), "nothing more is sent, but that it no longer looks")
	assert.False(t, js[bool](p, `document.documentElement.innerHTML.includes('what he says afterwards')`))
	assert.False(t, js[bool](p, `document.body.innerText.includes('about my order')`))
}
