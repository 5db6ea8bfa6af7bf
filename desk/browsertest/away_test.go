package browsertest

import (
	"context"
	"strings"
	"testing"
	"time"

	lifecycle "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/examples/webchat/acme"
)

// TestDesk45Quiet: who has a conversation in which nobody writes sees when it
// will end, and so does its user; a reply in time keeps it, one that comes late
// is lost with nothing said twice and no word gone.
func TestDesk45Quiet(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Queues[0].IdleTimeout, c.Queues[0].IdleWarning = 5*time.Minute, 5*time.Minute-time.Second
		c.Queues[1].IdleTimeout = 20 * time.Second
	}})
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h)+"?tab=mine")
	p.expects("409")
	p.sees("Nobody has written for a while, and Maria Keller was asked.")
	p.until("the list says so", `document.querySelector('a.row .chip.amber')?.textContent === 'Quiet'`)
	p.until("there is the time that is left", `/^([0-4]:[0-5]|5:00)/.test(document.querySelector('.banner .clock')?.textContent)`)
	assert.Contains(t, strings.Join(w.said(h.ID, handoff.KindNotice, ""), "\n"), "Are you still there?")
	p.axe()
	const ends = `(() => { const [m, s] = document.querySelector('.banner .clock').textContent.split(':').map(Number); return Date.now() / 1000 + 60 * m + s; })()`
	before := js[float64](p, ends)
	p.click("Ten more minutes")
	p.until("there are ten minutes more", `Math.abs(`+ends+` - § - 600) < 30`, before)
	p.reply("I am here")
	p.until("a reply ends the warning", `!document.querySelector('.banner .clock') && !document.querySelector('a.row .chip.amber')`)
	assert.Equal(t, []string{"I am here"}, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))

	late := w.has("ann", "lee", "shop")
	p.click("Lee Wong")
	p.until("it is open", `document.querySelector(".composer textarea")?.ariaLabel === "Reply to Lee Wong"`)
	p.clickOn(".composer textarea")
	p.write("just in time?")
	// What is sent in the last second is still on its way when it ends.
	js[bool](p, `(() => { const f = self.fetch; self.fetch = (u, o) => String(u).includes('/messages') ? new Promise((r) => { self.go = () => r(f(u, o)); }) : f(u, o); return true; })()`)
	p.key(kb.Enter)
	w.until("it has ended", func() bool { return w.now(late.ID).Outcome == handoff.OutcomeIdle })
	p.sees("Went quiet")
	js[bool](p, `(self.go(), true)`)
	p.until("the reply was not sent, and is still there", `document.querySelector('.pending.failed')?.textContent.includes('just in time?')`)
	assert.Empty(t, w.said(late.ID, handoff.KindMessage, handoff.RoleAgent))
}

// TestDeskLostAgent: an agent of whom nothing is heard loses what she had. It
// goes back to its place, its user is told, and she finds a card when she is
// back, on a page that is loaded anew too, until she has read it.
func TestDeskLostAgent(t *testing.T) {
	w := newWorld(t, options{
		desk:   func(c *desk.Config) { c.Lease = 12 * time.Second },
		engine: func(c *handoff.Config) { c.Queues[0].AgentGrace = 300 * time.Millisecond },
	})
	w.available("ann")
	browser := w.as("ann") // whose tabs come and go
	browser.spare("an empty page")
	p := tab(browser.ctx, t, browser.url).open("").live()
	w.until("she is there", func() bool {
		st, err := w.presence.Agents(w.ctx, []string{"ann"}, time.Now())
		return err == nil && st[0].Availability == handoff.Online
	})
	h := w.has("ann", "maria", "billing")
	before := w.now(h.ID).Enqueued
	p.click("Mine")
	p.sees("Maria Keller")
	p.focused(false)
	_, err := chromedp.Call(p.ctx, lifecycle.SetWebLifecycleState, lifecycle.SetWebLifecycleStateParams{State: lifecycle.SetWebLifecycleStateStateFrozen})
	require.NoError(t, err)
	w.until("it waits again", func() bool { return w.now(h.ID).State == handoff.StateWaiting })
	assert.WithinDuration(t, before, w.now(h.ID).Enqueued, 0, "in its old place")
	assert.Contains(t, strings.Join(w.said(h.ID, handoff.KindNotice, ""), "\n"), "You keep your place")

	// Her computer is another one's now: the page never runs again.
	back := tab(browser.ctx, t, browser.url)
	back.open("")
	p.spare("it has closed")
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	_ = chromedp.Cancel(ctx)
	cancel()
	back.live()
	back.sees("1 conversation was returned while you were away")
	back.axe()
	back.open("?tab=new").live()
	back.sees("1 conversation was returned while you were away")
	back.clickOn(".card.warn a")
	back.sees("Nobody has taken this yet.")
	back.click("OK")
	back.until("it was read", `!document.querySelector('.card.warn')`)
	back.open("").live()
	assert.False(t, js[bool](back, `Boolean(document.querySelector('.card.warn'))`))
}

// TestDesk46NoService: closed, nobody there, and too many who wait. The user of
// the example is told which, and the board shows why.
func TestDesk46NoService(t *testing.T) {
	start(t)
	t.Parallel()
	serve := func(change func(*handoff.Config)) string { return example(t, acme.Options{Change: change}) }
	ask := func(base, about string) *page {
		p := tab(browser.ctx, t, base, chromedp.WithNewBrowserContext()).open("chat.html")
		p.expects("409") // how the example says that nobody can be asked
		p.clickOn("#text")
		p.write(about)
		p.key(kb.Enter)
		p.until("the bot has answered", `document.querySelector('.m.bot')`)
		p.click("Talk to a person")
		return p
	}
	tomorrow := strings.ToLower(time.Now().UTC().AddDate(0, 0, 1).Weekday().String())
	base := serve(func(c *handoff.Config) {
		c.Queues[0].NeedAgents = true
		c.Queues[1].Hours = handoff.Weekly{Days: map[string][]handoff.Span{tomorrow: {"09:00-17:00"}}}
	})
	p := ask(base, "I was charged twice")
	p.sees("Our team is closed. We open again on")
	p.axe()
	ask(base, "hello").sees("Nobody of our team is available right now.")
	board := tab(browser.ctx, t, base+"desk/sam/", chromedp.WithNewBrowserContext()).open("board").live()
	board.until("it says until when billing is closed", note+`('billing').startsWith('Closed until')`)
	board.until("nobody is there", note+`('support') === 'Nobody is there'`)
	board.axe()
	tab(browser.ctx, t, base+"desk/ann/", chromedp.WithNewBrowserContext()).open("").live()
	board.until("somebody is", note+`('support') === 'Running'`)

	base = serve(func(c *handoff.Config) { c.Queues[0].MaxWaiting = 1 })
	first := ask(base, "hello")
	first.sees("I am getting a person for you.")
	ask(base, "hello").sees("Too many people are waiting for our team right now.")
	board = tab(browser.ctx, t, base+"desk/ada/", chromedp.WithNewBrowserContext()).open("board").live()
	board.until("it says why", note+`('support') === '1 wait; more are refused'`)
}

// note is what the board says of a queue.
const note = `((queue) => [...document.querySelectorAll('.board tbody tr')].find((r) => r.cells[0].textContent.startsWith(queue))?.cells[7]?.textContent ?? '')`
