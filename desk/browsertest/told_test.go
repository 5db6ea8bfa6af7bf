package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/examples/webchat/acme"
	"github.com/seed-2a427302/handoff/memstore"
)

// tells waits until a screen reader is told something.
func (p *page) tells(words string) {
	p.t.Helper()
	p.until("it is said: "+words, `[...document.querySelectorAll('[role=status]')].some((e) => e.textContent.includes(§))`, words)
}

// isAt waits until what a selector names has the focus.
func (p *page) isAt(selector string) {
	p.t.Helper()
	p.until(selector+" has the focus", `document.activeElement.matches(§)`, selector)
}

// TestDeskFocusAndStatus: the focus goes back to what opened a dialog, and is
// not lost with what had it; who is asked for a conversation, and who loses one,
// is told so in words, and his page asks for nothing that it may not read.
func TestDeskFocusAndStatus(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[1].OfferTimeout = time.Hour }})
	w.available("ann", "bob")
	h := w.has("ann", "maria", "shop")
	b, p := w.at("bob", ""), w.at("ann", "c/"+token(h)+"?tab=mine")
	const transfer = ".tools button[aria-label=Transfer]"
	p.clickOn(transfer)
	p.until("the dialog is open", `document.querySelector('dialog .targets')`)
	p.key(kb.Escape)
	p.until("it is closed", `!document.querySelector('dialog')`)
	p.isAt(transfer)
	p.asksColleague("Bob Sato")
	p.isAt(transfer)
	b.tells("Maria Keller · A colleague asks you to take over")
	p.click("Take back")
	p.tells("Bob Sato is no longer asked")
	p.isAt("main")
	b.until("Bob is no longer asked", `!document.querySelector('.offer')`)
	p.asksColleague("Bob Sato")
	b.click("Accept")
	b.isAt(".composer textarea")
	p.tells("Taken")
	p.isAt("main")
}

// TestDeskCanned: the name that begins with what was typed comes first; a name
// that nobody has is not sent to the user unless he who writes insists.
func TestDeskCanned(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	sent := func() []string { return w.said(h.ID, handoff.KindMessage, handoff.RoleAgent) }
	const chosen = `document.querySelector('.pick [aria-selected=true]')?.innerText.startsWith('/hello')`
	p.isAt(".composer textarea")
	p.write("/h")
	p.until("the name counts before the text", chosen+` && document.querySelectorAll('.pick li').length === 2`)
	p.axe()
	p.key(kb.Enter)
	p.until("it is filled in", `document.querySelector('.composer textarea').value === 'Hello Maria Keller, I am Ann Moreau.'`)
	assert.Empty(t, sent())
	p.key(kb.Enter)
	w.until("it is sent", func() bool { return len(sent()) == 1 })
	p.write("/nobody")
	p.tells("No prepared reply matches")
	p.key(kb.Enter)
	p.axe()
	p.until("it stays", `document.querySelector('.composer textarea').value === '/nobody' && document.querySelector('.pick')`)
	p.key(kb.Escape)
	p.until("the list is closed, and the text stays", `document.querySelector('.composer textarea').value === '/nobody' && !document.querySelector('.pick')`)
	p.isAt(".composer textarea")
	assert.Len(t, sent(), 1)
	p.key(kb.Enter)
	w.until("what is meant so is sent", func() bool { return len(sent()) == 2 })

	ada := w.at("ada", "settings")
	ada.until("there is a list", `document.querySelector('.page')`)
	js[bool](ada, `fetch('api/replies/nobodyyet', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ text: 'Now there is one' }) }).then((r) => r.ok)`)
	p.write("/nobodyyet")
	p.until("what was made since is there", `document.querySelector('.composer textarea').dispatchEvent(new Event('input', { bubbles: true })) && document.querySelector('.pick [aria-selected=true]')?.innerText.includes('Now there is one')`)
	assert.Equal(t, "/nobody", sent()[1])
}

// TestDeskFound: how much a search finds is told, and what was before a
// conversation is told apart by its time.
func TestDeskFound(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	for _, text := range []string{"about a zeppelin", "about a balloon"} {
		h := w.has("ann", "maria", "billing")
		w.says("maria", text)
		_, err := w.engine.End(w.ctx, h.ID, handoff.By("ann"), handoff.Ending{})
		require.NoError(t, err)
	}
	p := w.at("ann", "history")
	p.tells("2 shown")
	find := func(selector, text string) {
		t.Helper()
		p.clickOn(selector)
		js[bool](p, `(document.activeElement.select(), true)`)
		p.write(text)
		p.key(kb.Enter)
	}
	const field = ".filterbar input[type=search]"
	w.has("ann", "lee", "billing")
	p.clickOn(field)
	p.write("ball")
	w.says("lee", "Are you there?")
	p.until("something else has happened", `document.querySelector('.rail .count')`)
	p.write("oon")
	p.until("what was half written has stayed", `document.querySelector(§).value === 'balloon'`, field)
	p.key(kb.Enter)
	p.tells("1 shown")
	find(field, "steamer")
	p.tells("Nothing matches")
	p.axe()
	p.open("?tab=closed").live()
	find(".filters input", "balloon")
	p.tells("1 shown")
	find(".filters input", "steamer")
	p.tells("Nothing matches")
	assert.NotContains(t, p.text(".list"), "appear here")
	h := w.has("ann", "maria", "billing")
	p.open("c/" + token(h)).live()
	p.click("Show earlier conversations")
	p.until("both, with their time", `((all) => all.length === 2 && all.every((e) => /\d:\d\d/.test(e.textContent)))([...document.querySelectorAll('details.before summary')])`)
	p.axe()
	p.expects("422")
	p.open("history?from=2020-01-01").live()
	p.sees("at most 400 days")
}

// TestDeskTypingEnds: that a user is writing ends with what he wrote, where his
// page does not say that he has stopped.
func TestDeskTypingEnds(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	w.until("she reads along", func() bool {
		w.desk.UserTyping("maria", true)
		return js[bool](p, `Boolean(document.querySelector('.typing'))`)
	})
	js[bool](p, `(self.ends = new Promise((f) => new MutationObserver(() => { if (document.querySelector('.transcript').innerText.includes('here it is')) requestAnimationFrame(() => requestAnimationFrame(() => f(!document.querySelector('.typing')))); }).observe(document.body, { childList: true, subtree: true })), true)`)
	w.says("maria", "here it is")
	assert.True(t, js[bool](p, `self.ends`), "what he wrote is there, and he still writes it")
}

// TestWebchatTyping: in the example user and agent see that the other is writing,
// until he has said it or has thought better of it. Here they are on different
// replicas.
func TestWebchatTyping(t *testing.T) {
	start(t)
	t.Parallel()
	one := acme.Replica{Store: memstore.New(), Presence: memstore.NewPresence()}
	base := example(t, acme.Options{Replicas: []acme.Replica{one, one}})
	a := tab(browser.ctx, t, base+"desk/ann/", chromedp.WithNewBrowserContext()).open("").live()
	u := tab(browser.ctx, t, base, chromedp.WithNewBrowserContext()).open("chat.html")
	u.click("Talk to a person")
	a.sees("This is for you")
	a.click("Accept")
	a.isAt(".composer textarea")
	u.sees("Ann Moreau has joined")
	u.clickOn("#text")
	u.write("Where")
	a.until("the agent sees that he writes", `document.querySelector('.typing')`)
	u.key(kb.Enter)
	a.until("until he has said it", `document.querySelector('.entry.user') && !document.querySelector('.typing')`)
	a.write("I")
	u.tells("Ann Moreau is writing…")
	u.axe()
	a.key(kb.Backspace)
	u.until("she thinks better of it", `!document.querySelector('#typing').textContent`)
	a.write("Here")
	u.tells("Ann Moreau is writing…")
	a.key(kb.Enter)
	u.until("until she has said it", `document.querySelector('.m.agent') && !document.querySelector('#typing').textContent`)
}

// TestDeskWrapUpClock: whoever has gone is not waited for an answer.
func TestDeskWrapUpClock(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[0].Wrapup = time.Hour }})
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	w.says("maria", "Are you there?")
	p := w.at("ann", "?tab=mine")
	p.until("she waits for an answer", `/^\d+:\d\d$/.test(document.querySelector('a.row .time')?.innerText)`)
	_, err := w.engine.End(w.ctx, h.ID, handoff.By("ann"), handoff.Ending{})
	require.NoError(t, err)
	p.until("it is being wrapped up", `document.querySelector('a.row').innerText.includes('Wrap-up')`)
	assert.Contains(t, p.text("a.row .time"), "M", "the time of what was said last")
}

// TestDeskEndsOnce: a conversation that was wrapped up has ended once.
func TestDeskEndsOnce(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[0].Wrapup = time.Second }})
	w.there("ann")
	h := w.has("ann", "maria", "billing")
	_, err := w.engine.End(w.ctx, h.ID, handoff.By("ann"), handoff.Ending{})
	require.NoError(t, err)
	w.until("it is wrapped up", func() bool { return w.now(h.ID).State == handoff.StateEnded })
	p := w.at("ann", "c/"+token(h)+"?tab=closed")
	p.until("it has ended", `[...document.querySelectorAll('.event')].some((e) => e.innerText.startsWith('Ended'))`)
	assert.Equal(t, 1, js[int](p, `[...document.querySelectorAll('.event')].filter((e) => e.innerText.startsWith('Ended')).length`))
}
