package browsertest

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff/examples/webchat/acme"
)

// ends is whether the end of what a box holds is seen.
func ends(box string) string {
	return fmt.Sprintf(`(() => { const e = %s; return e.scrollHeight > e.clientHeight + 200 && e.scrollHeight - e.scrollTop - e.clientHeight < 2; })()`, box)
}

// TestDeskStaysAtTheEnd: whoever reads the end goes on reading it when there is
// less room, for a long draft, a keyboard on the screen or a phone that is turned;
// whoever reads something else stays there.
func TestDeskStaysAtTheEnd(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	for i := range 30 {
		w.says("maria", fmt.Sprintf("line %02d of what happened to my order since last Monday", i))
	}
	const box = `document.querySelector('.transcript')`
	p := w.at("ann", "c/"+token(h))
	p.sees("line 29")
	p.until("the end is seen", ends(box))
	p.clickOn(".composer textarea")
	p.insert("a\nlong\ndraft\nof\nsome\nlines")
	p.until("with a long draft", `document.querySelector('.composer textarea').clientHeight > 100 && `+ends(box))
	p.size(768, 1024)
	p.until("on a smaller screen", `innerWidth === 768 && `+ends(box))
	p.size(375, 460)
	p.until("above a keyboard", `innerHeight === 460 && `+ends(box))
	w.says("maria", "and one more")
	p.sees("and one more")
	p.until("what comes then too", ends(box))

	up := func() {
		t.Helper()
		js[bool](p, `new Promise((f) => { const e = `+box+`; e.addEventListener('scroll', () => requestAnimationFrame(() => f(true)), { once: true }); e.scrollTop -= 700; })`)
	}
	up()
	p.size(375, 720)
	p.size(375, 460)
	js[bool](p, `new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(() => f(true))))`)
	assert.False(t, js[bool](p, `Boolean(document.querySelector('.details'))`), "what is beside it does not lie over it")
	p.until("what is older is still read", `innerHeight === 460 && !`+ends(box))
	const newer = `[...document.querySelectorAll('.transcript button')].some((e) => e.textContent === 'New messages')`
	w.desk.UserTyping("maria", true)
	p.sees("is writing")
	assert.False(t, js[bool](p, newer))
	w.says("maria", "something new")
	p.until("that something came is told", newer+` && !`+ends(box))
	p.axe()
	p.click("New messages")
	p.until("it is shown", ends(box)+` && !`+newer)
	p.isAt(".transcript")
	up()
	w.says("maria", "and again")
	p.until("told again", newer)
	js[bool](p, `(() => { const e = `+box+`; e.scrollTop = e.scrollHeight; return true; })()`)
	p.until("until she has read it", `!`+newer)
	up()
	p.clickOn(".composer textarea")
	p.key(kb.Enter)
	p.until("her own is shown to her", ends(box)+` && !`+newer+` && document.querySelector('.transcript').innerText.includes('draft')`)
}

// TestWebchatStaysAtTheEnd: so does the user.
func TestWebchatStaysAtTheEnd(t *testing.T) {
	start(t)
	t.Parallel()
	p := tab(browser.ctx, t, example(t, acme.Options{}), chromedp.WithNewBrowserContext()).open("chat.html")
	for i := range 12 {
		p.clickOn("#text")
		p.insert(fmt.Sprintf("Where is my parcel number %d?", i))
		p.click("Send")
		p.until("it is answered", `document.querySelectorAll('.m.bot').length === §`, i+1)
	}
	const box = `document.getElementById('log')`
	p.until("the end is seen", ends(box))
	p.size(375, 720)
	p.until("on a smaller screen", `innerWidth === 375 && `+ends(box))
	p.size(375, 400)
	p.until("above a keyboard", `innerHeight === 400 && `+ends(box))
	p.clickOn("#text")
	p.insert("And number 99?")
	p.click("Send")
	p.until("what comes then too", `document.querySelectorAll('.m.bot').length === 13 && `+ends(box))
}
