package browsertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/examples/webchat/acme"
)

// A pane is a page in a frame of another one.
type pane struct {
	*page
	frame string // the element
}

// sees waits until a text is in the frame.
func (f pane) sees(text string) {
	f.t.Helper()
	f.holds("it shows “"+text+"”", `d.body.innerText.includes(§)`, text)
}

// holds waits until an expression about d, the document in the frame, is true.
func (f pane) holds(what, expression string, args ...any) {
	f.t.Helper()
	f.until(what, `((d) => d?.body && (`+expression+`))(`+f.frame+`?.contentDocument)`, args...)
}

// press clicks with the mouse on what a selector names in the frame.
func (f pane) press(selector string) {
	f.t.Helper()
	const at = `((frame, s) => { const e = frame?.contentDocument?.querySelector(s); if (!e?.checkVisibility()) return []; e.scrollIntoView({ block: 'nearest' }); const a = frame.getBoundingClientRect(), r = e.getBoundingClientRect(); return [a.x + r.x + r.width / 2, a.y + r.y + r.height / 2]; })`
	var last []float64
	for limit := time.Now().Add(patience); ; wait(60 * time.Millisecond) { // until it stays
		now := js[[]float64](f.page, at+`(`+f.frame+`, §)`, selector)
		if len(now) == 2 && assert.ObjectsAreEqual(now, last) {
			break
		}
		last = now
		require.True(f.t, time.Now().Before(limit), "%s does not stay", selector)
	}
	f.do(chromedp.MouseClickXY(last[0], last[1]))
}

// say writes into a field of the frame and sends it.
func (f pane) say(field, text string) {
	f.t.Helper()
	f.press(field)
	f.holds("it has the focus", `d.activeElement?.matches(§)`, field)
	f.write(text)
	f.key(kb.Enter)
}

// TestDesk01Example is what a newcomer does at the address of the example: he
// asks for a person, accepts beside it, talks, and gives the user back to the bot;
// then he lets made-up customers come and looks at the desk of somebody else.
func TestDesk01Example(t *testing.T) {
	start(t)
	t.Parallel()
	base := example(t, acme.Options{})
	began := time.Now()
	p := tab(browser.ctx, t, base, chromedp.WithNewBrowserContext()).open("")
	user, ann := pane{p, `document.getElementById('chat')`}, pane{p, `document.querySelector('iframe[src="desk/ann/"]')`}
	ann.holds("the desk is live", `d.querySelector('.live.live') && !d.querySelector('.loading')`)
	user.say("#text", "hello")
	user.sees("I am Acme's assistant, a small program.")
	user.press("#person")
	ann.sees("This is for you")
	ann.press(".offer .button.primary")
	ann.holds("it is open", `d.querySelector('.composer.reply textarea')`)
	user.sees("Ann Moreau has joined")
	for i := range 3 {
		user.say("#text", fmt.Sprint("question ", i))
		ann.sees(fmt.Sprint("question ", i))
		ann.say(".composer textarea", fmt.Sprint("answer ", i))
		user.sees(fmt.Sprint("answer ", i))
	}
	ann.press(".tools .finish")
	ann.press("dialog .button.primary") // back to the bot
	user.sees("It is me again.")
	t.Logf("it took %v, of 60 s for a reader", time.Since(began).Round(time.Millisecond))
	user.say("#text", "thank you")
	user.sees("You are welcome!")
	assert.Equal(t, []string{"hello", "question 0", "question 1", "question 2", "thank you"}, js[[]string](p, `[...document.getElementById('chat').contentDocument.querySelectorAll('.m.user')].map((e) => e.textContent)`), "each once")
	p.axe()

	p.click("+ 10")
	p.click("Sam")
	sam := pane{p, `document.querySelector('iframe[src="desk/sam/"]')`}
	sam.press(`a[href$="bots"]`)
	sam.holds("they have come to the bot", `d.querySelectorAll('.list a.row').length > 0`)
	assert.Equal(t, []string{"false", "true"}, js[[]string](p, `['ann', 'sam'].map((who) => String(!document.querySelector('iframe[src="desk/' + who + '/"]').hidden))`), "one desk is shown")
	p.click("Ann")
	ann.holds("and the first is as it was", `d.querySelector('.live.live') && d.body.innerText.length > 0`)
}
