package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDesk31Zoom: at 400 %, with the text spacing of WCAG 1.4.12, in forced
// colours and with reduced motion, everything can be read, reached and told.
func TestDesk31Zoom(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	w.asks("lee", "billing")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "")
	chat := "c/" + token(h) + "?tab=mine"
	pages := func(check func(path string)) {
		t.Helper()
		for _, path := range []string{"", chat, "settings", "board", "history"} {
			p.goes(path)
			place, inner := "/ann/"+path, "h1, h2"
			if path == chat {
				place, inner = "/ann/", ".composer textarea"
			}
			p.until(path+" is shown", `document.querySelector('.rail a[aria-current=page]')?.pathname === § && !document.querySelector('.loading') && document.querySelector(§)`, place, inner)
			check(path)
		}
	}

	// 1280 × 1024 at 400 %.
	p.size(320, 256)
	pages(func(path string) {
		assert.LessOrEqual(t, p.wide(), 0, "400 %%: %q scrolls sideways", path)
	})
	p.goes(chat)
	p.clickOn(".composer textarea")
	p.write("zoomed")
	assert.True(t, js[bool](p, `(() => { const r = document.querySelector('.composer textarea').getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight - 20; })()`), "what is typed can be seen")
	p.clickOn(".composer .button.primary")
	p.until("it can be sent", `document.querySelector('.composer textarea').value === ''`)

	p.size(1280, 800)
	js[bool](p, `(() => {
		const s = new CSSStyleSheet();
		s.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-block-end: 2em !important }');
		document.adoptedStyleSheets = [s];
		return true;
	})()`)
	pages(func(path string) {
		assert.LessOrEqual(t, p.wide(), 0, "spaced: %q scrolls sideways", path)
		cut := js[[]string](p, `[...document.querySelectorAll('#desk *')].filter((e) => {
			const s = getComputedStyle(e);
			if (!e.checkVisibility() || !e.innerText?.trim() || e.closest('.hidden, .skip') || s.textOverflow === 'ellipsis') return false;
			const cuts = (o) => o === 'hidden' || o === 'clip';
			return cuts(s.overflowY) && e.scrollHeight > e.clientHeight + 2 || cuts(s.overflowX) && e.scrollWidth > e.clientWidth + 2;
		}).map((e) => e.outerHTML.slice(0, 120))`)
		assert.Empty(t, cut, "spaced: %q cuts text off", path)
	})
	js[bool](p, `(document.adoptedStyleSheets = [], true)`)

	// In forced colours a background says nothing: edges and the focus must.
	p.media("forced-colors", "active")
	pages(func(path string) {
		bare := js[[]string](p, `[...document.querySelectorAll('button.button:not(.ghost), select, textarea, input:not([type=search])')].filter((e) => e.checkVisibility() && e.getClientRects().length && getComputedStyle(e).forcedColorAdjust !== 'none').filter((e) => {
			const s = getComputedStyle(e);
			return (s.borderTopStyle === 'none' || parseFloat(s.borderTopWidth) === 0) && s.outlineStyle === 'none';
		}).map((e) => e.outerHTML.slice(0, 120))`)
		assert.Empty(t, bare, "forced colours: %q has controls without an edge", path)
	})
	p.goes(chat)
	p.until("the composer has the focus", `document.activeElement?.matches('.composer textarea')`)
	js[bool](p, `(document.querySelector('.skip').focus(), true)`)
	for range 6 {
		p.key(kb.Tab)
		// Something changes, as it may at any time: the focus stays.
		js[bool](p, `import(performance.getEntriesByType('resource').find((x) => x.name.endsWith('/store.js')).name).then((m) => (m.changed(), new Promise((f) => requestAnimationFrame(() => setTimeout(f, 0, true)))))`)
		assert.True(t, js[bool](p, `(() => { const s = getComputedStyle(document.activeElement); return document.activeElement !== document.body && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0; })()`), "the focus can be seen: %s", js[string](p, `document.activeElement.outerHTML.slice(0, 120)`))
	}
	p.axe()

	p.media("prefers-reduced-motion", "reduce")
	w.desk.UserTyping("maria", true)
	p.until("Maria is typing", `document.querySelector('.typing')`)
	moving := js[[]string](p, `document.getAnimations().filter((a) => a.playState === 'running' && a.effect.getComputedTiming().duration > 10).map((a) => a.effect.target.outerHTML.slice(0, 120))`)
	assert.Empty(t, moving, "reduced motion")
}

// TestDesk30LongNames: a table has two lines for a name, the whole of which is
// its title; on a phone what stands beside a name keeps to one line, however
// many look at it.
func TestDesk30LongNames(t *testing.T) {
	const name = "A very long name that somebody typed into a form without any thought, Wolfeschlegelsteinhausenbergerdorff"
	w := newWorld(t)
	w.named("maria", name)
	w.there("ann")
	h := w.has("ann", "maria", "billing")
	for _, who := range []string{"ann", "ada"} {
		w.at(who, "c/"+token(h)).sees("A very long name")
	}
	p := w.at("sam", "c/"+token(h))
	p.size(360, 740)
	p.sees("You are watching Ann Moreau")
	p.until("who looks is told", `document.querySelector('.looking')?.title.includes('Ada Lindgren and 1 more')`)
	assert.LessOrEqual(t, js[int](p, `document.querySelector('.head').offsetHeight`), 80, "the header of a conversation")
	assert.Empty(t, js[[]string](p, `[...document.querySelectorAll('.head .chip')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)`), "words that are cut")
	assert.LessOrEqual(t, p.wide(), 0)
	p.axe()
	_, err := w.engine.End(w.ctx, h.ID, handoff.By("ann"), handoff.Ending{Reason: "Refunded"})
	require.NoError(t, err)
	p.size(768, 1024)
	p.open("history").live()
	p.until("it is in the history", `document.querySelector('td a.person, th a.person')`)
	assert.Equal(t, name, js[string](p, `document.querySelector('a.person .name').title`))
	assert.LessOrEqual(t, js[float64](p, `(() => { const e = document.querySelector('a.person .name'); return e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight); })()`), 2.1, "lines")
}
