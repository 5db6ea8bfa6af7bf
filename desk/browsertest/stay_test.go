package browsertest

import (
	"fmt"
	"net/http"
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
	"github.com/seed-2a427302/handoff/memstore"
)

// TestDeskStaysOpen: a menu stays when a message moves the conversation behind it,
// and a dialog when a text that is marked with the mouse ends outside of it.
func TestDeskStaysOpen(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	w.says("maria", strings.Repeat("It is a long story. ", 200))
	p.sees("It is a long story.")
	p.clickOn(".tools .menu button")
	p.until("the menu is open", `document.querySelector('.popup')`)
	js[bool](p, `(self.moved = new Promise((f) => document.querySelector('.transcript').addEventListener('scroll', () => requestAnimationFrame(() => requestAnimationFrame(() => f(true))), { once: true })), true)`)
	w.says("maria", "And it goes on.")
	p.sees("And it goes on.")
	js[bool](p, `self.moved`)
	assert.True(t, js[bool](p, `Boolean(document.querySelector('.popup'))`), "a message has closed the menu")
	p.key(kb.Escape)

	p.clickOn(".tools button[aria-label=Transfer]")
	p.clickOn("dialog textarea")
	p.write("She is angry")
	// Pressed in the field and let go outside, it is a click on what has both.
	js[bool](p, `(() => {
		const d = document.querySelector('dialog'), fire = (e, kind) => e.dispatchEvent(new MouseEvent(kind, { bubbles: true }));
		fire(d.querySelector('textarea'), 'mousedown');
		fire(d, 'mouseup');
		fire(d, 'click');
		return new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(() => f(true))));
	})()`)
	p.write(" today")
	p.until("it is still being written", `document.querySelector('dialog textarea')?.value === 'She is angry today'`)
	p.do(chromedp.MouseClickXY(20, 400))
	p.until("a click outside closes it", `!document.querySelector('dialog')`)
}

// TestDeskGivenBack: whoever goes away and gives his conversations back has lost
// none; and who has none left but some to wrap up is not asked about them.
func TestDeskGivenBack(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[0].Wrapup = time.Hour }})
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "")
	const says = `document.querySelector('.button.presence .label').innerText`
	p.until("she is there", says+` === 'Available'`)
	p.click("Availability")
	p.click("Lunch")
	p.click("Give them back")
	p.clickOn("dialog .button.primary")
	p.until("she is away", says+` === 'Lunch'`)
	p.until("it waits again", `document.querySelector('a.row')`)
	assert.False(t, js[bool](p, `Boolean(document.querySelector('.card.warn'))`), "what she gave back was not lost")

	_, err := w.engine.TakeOver(w.ctx, h.ID, handoff.By("ann"), "")
	require.NoError(t, err)
	_, err = w.engine.End(w.ctx, h.ID, handoff.By("ann"), handoff.Ending{})
	require.NoError(t, err)
	p.click("Availability")
	p.click("Available")
	p.until("she is back", says+` === 'Available'`)
	p.click("Mine")
	p.sees("Wrap-up")
	p.click("Availability")
	p.click("Break")
	p.until("she is not asked", says+` === 'Break'`)
	assert.False(t, js[bool](p, `Boolean(document.querySelector('dialog'))`))
}

// TestDeskAllThatWasBefore: of somebody who has come often, what was before is read
// some at a time, to the first of it.
func TestDeskAllThatWasBefore(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	for range 5 {
		h := w.has("ann", "maria", "billing")
		_, err := w.engine.End(w.ctx, h.ID, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
	}
	p := w.at("ann", "c/"+token(w.has("ann", "maria", "billing")))
	const shown = `document.querySelectorAll('details.before').length`
	for _, n := range []int{3, 5} {
		p.until("there are some", `document.querySelector('.older > button')`)
		js[bool](p, `(document.querySelector('.older > button').click(), true)`)
		p.until("some are shown", shown+` === §`, n)
	}
	p.until("there are no more", `!document.querySelector('.older > button')`)
}

// TestDeskLongTeam: of a long team, whoever can take a conversation comes first, and
// no name stands over another.
func TestDeskLongTeam(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		list := []handoff.Agent{{ID: "ann", Name: "Ann Moreau", Queues: []string{"billing"}, Seats: 3}, {ID: "bob", Name: "Zoe Sato", Queues: []string{"billing"}, Seats: 3}}
		for i := range 40 {
			list = append(list, handoff.Agent{ID: fmt.Sprintf("agent-%d", i), Name: fmt.Sprintf("Bartholomew Featherstonehaugh-Cholmondeley %d", i), Queues: []string{"billing"}, Seats: 1})
		}
		c.Directory = memstore.NewDirectory(list...)
	}})
	w.available("ann")
	w.there("bob")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.size(320, 568)
	p.clickOn(".tools button[aria-label=Transfer]")
	p.until("all are there", `document.querySelectorAll('dialog .target').length === 41`)
	assert.Equal(t, "Zoe Sato", js[string](p, `document.querySelector('dialog .target .name').textContent`))
	assert.Zero(t, js[int](p, `[...document.querySelectorAll('dialog .target')].filter((e) => e.scrollHeight > e.clientHeight).length`), "names that stand over what follows")
}

// TestDeskNarrowTop: on the narrowest screen nothing in the bar at the top stands
// over something else.
func TestDeskNarrowTop(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	p := w.as("ann")
	p.size(320, 568)
	p.open("").live()
	p.until("sound is asked for, and she is there", `document.querySelector('.muteds') && document.querySelector('.seats') && document.querySelector('.button.presence .label').innerText === 'Available'`)
	assert.Empty(t, js[[]string](p, `(() => { const r = [...document.querySelectorAll('.top .mark, .top .live, .top .muteds, .top .seats, .top .button.presence, .top .button.me')].map((e) => [e.className, e.getBoundingClientRect()]); return r.slice(1).filter(([, b], i) => b.left < r[i][1].right).map(([n]) => n); })()`))
	assert.LessOrEqual(t, p.wide(), 0)
}

// TestDeskDialogOfAnothers: a dialog about a conversation that somebody else has by
// now, or that has ended, closes, and says so.
func TestDeskDialogOfAnothers(t *testing.T) {
	w := newWorld(t)
	w.available("bob", "sam")
	for end, words := range map[bool]string{false: "Sam Okafor has it now.", true: "It has ended"} {
		h := w.has("bob", "maria", "billing")
		p := w.at("bob", "c/"+token(h))
		p.clickOn(".tools button[aria-label=Transfer]")
		p.until("it is open", `document.querySelector('dialog .target')`)
		var err error
		if end {
			_, err = w.engine.Cancel(w.ctx, "maria", true)
		} else {
			_, err = w.engine.TakeOver(w.ctx, h.ID, handoff.BySupervisor("sam"), "")
		}
		require.NoError(t, err)
		p.until("it is closed", `!document.querySelector('dialog')`)
		p.sees(words)
		p.axe()
		if !end {
			_, err = w.engine.End(w.ctx, h.ID, handoff.By("sam"), handoff.Ending{})
			require.NoError(t, err)
		}
	}
}

// TestDeskFiguresOfTheRange: figures do not stand under a range that they are not
// of while those of it are read.
func TestDeskFiguresOfTheRange(t *testing.T) {
	var hold atomic.Bool
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/stats") && hold.Load() {
				<-goOn
			}
			next.ServeHTTP(rw, r)
		})
	}})
	t.Cleanup(release)
	w.asks("maria", "billing")
	p := w.at("sam", "stats")
	p.until("there are figures", `document.querySelector('.stat .value')`)
	hold.Store(true)
	js[bool](p, `(() => { const s = document.querySelector('.filterbar select'); s.value = 'shop'; s.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	p.until("they are read anew", `document.querySelector('.page .loading') && !document.querySelector('.stat .value')`)
	release()
	p.sees("No figures for this range")
}

// TestDeskHistoryOfTheFilter: what is over does not stand under a filter that it
// does not pass while what does is read.
func TestDeskHistoryOfTheFilter(t *testing.T) {
	var hold atomic.Bool
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/past") && hold.Load() {
				<-goOn
			}
			next.ServeHTTP(rw, r)
		})
	}})
	t.Cleanup(release)
	w.asks("maria", "billing")
	_, err := w.engine.Cancel(w.ctx, "maria", true)
	require.NoError(t, err)
	p := w.at("sam", "history")
	p.until("she is there", `document.querySelectorAll('tbody tr').length === 1`)
	hold.Store(true)
	js[bool](p, `(() => { const s = [...document.querySelectorAll('.filterbar select')].find((e) => [...e.options].some((o) => o.value === 'shop')); s.focus(); s.value = 'shop'; s.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	p.until("it is read anew", `document.querySelector('.page .loading') && !document.querySelector('tbody tr')`)
	p.axe()
	release()
	p.sees("Nothing matches")
	assert.Equal(t, "SELECT", js[string](p, `document.activeElement.tagName`), "the next filter is at hand")
}
