package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// TestToastsHideNothing: what is told in passing lies over nothing that an agent
// needs to go on, at any width and in both directions.
func TestToastsHideNothing(t *testing.T) {
	w := newWorld(t, options{desk: func(c *desk.Config) { c.Catalogues = map[string]map[string]string{"ar": arabic} }})
	h := w.has("ann", "maria", "billing")
	w.available("ann")
	for _, language := range []string{"en", "ar"} {
		w.actor("ann", func(a *desk.Actor) { a.Language = language })
		p := w.at("ann", "c/"+token(h)+"?tab=mine")
		p.until("it is open", `document.querySelector('.composer textarea')`)
		for _, width := range []int64{1280, 1000, 768, 375, 320} {
			p.size(width, 740)
			js[bool](p, `import(document.querySelector('script[type=module]').src.replace('desk.js', 'store.js')).then((m) => { for (const k of ['info', 'error']) m.toast('This has been done, and here is what was done in some more words.', k); return true; })`)
			p.until("they are there", `document.querySelectorAll('.toast').length > 1`)
			const covered = `[...document.querySelectorAll('.composer :is(button, textarea), .head :is(button, a), .top button, .rail a, .tabs a')].filter((e) => e.checkVisibility() && e.getClientRects().length).filter((e) => { const r = e.getBoundingClientRect(); return document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)?.closest('.toast'); }).map((e) => e.outerHTML.slice(0, 90))`
			assert.Empty(t, js[[]string](p, covered), "%s at %d", language, width)
			assert.LessOrEqual(t, p.wide(), 0, "%s at %d", language, width)
			if width == 375 { // of a list, there is a way elsewhere under it
				p.goes("?tab=mine")
				p.until("the list is there", `document.querySelector('.rail').checkVisibility()`)
				assert.Empty(t, js[[]string](p, covered), "%s: over the list", language)
				p.goes("c/" + token(h) + "?tab=mine")
				p.until("it is open", `document.querySelector('.composer textarea')`)
			}
			if width == 375 || width == 1280 {
				p.keep(language)
				p.axe()
			}
		}
	}
}

// TestTransferBeginsWithTheChoice: the dialog opens on to whom; what went wrong is
// said in it, since what lies behind a dialog is not read out.
func TestTransferBeginsWithTheChoice(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	w.there("bob")
	p := w.at("ann", "c/"+token(h))
	p.expects("409")
	p.until("it is open", `document.querySelector('.composer textarea')`)
	js[bool](p, `(document.activeElement.blur(), true)`)
	p.key("t")
	p.until("the first who can has the focus", `document.activeElement?.matches('dialog .targets input:not(:disabled)')`)
	p.key(" ")
	p.until("he is chosen", `document.querySelector('dialog input[value=bob]')?.checked`)
	assert.NoError(t, w.presence.Want(w.ctx, "bob", false, "", time.Now()))
	p.clickOn("dialog .button.primary")
	p.until("it says why not", `document.querySelector('dialog [role=alert]')?.innerText`)
	assert.Equal(t, handoff.StateActive, w.now(h.ID).State)
	assert.False(t, js[bool](p, `Boolean(document.querySelector('.toast'))`))
	p.keep("refused")
	p.axe()
	p.key(kb.Escape)
	p.until("it is closed", `!document.querySelector('dialog')`)

	waits := w.asks("lee", "billing")
	sam := w.at("sam", "c/"+token(waits))
	sam.until("it is open", `document.querySelector('.head h1')?.textContent === 'Lee Wong'`)
	js[bool](sam, `dispatchEvent(new CustomEvent('desk:want', { detail: 'why' }))`)
	sam.until("what only tells begins with what closes it", `document.activeElement?.matches('dialog .body .button.primary')`)
}
