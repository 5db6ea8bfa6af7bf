package browsertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	lifecycle "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// TestDesk24SignedOut: the draft survives a session that ends.
func TestDesk24SignedOut(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("401")
	p.clickOn(".composer textarea")
	p.write("nearly done")
	w.deny("ann", desk.ErrSignIn)
	w.desk.Kick("ann")
	p.sees("You have been signed out.")
	p.axe()
	p.clickOn(".composer textarea")
	p.key(kb.Enter)
	p.sees("Waiting for the connection")
	x, y := p.place(format(find+`(§)`, "Try again"))
	w.deny("ann", nil)
	p.do(chromedp.MouseClickXY(x, y)) // where it was: the page tries by itself, too
	w.until("it goes out, once", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	p.live()
	assert.Equal(t, []string{"nearly done"}, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
}

// TestDesk25FiveHundred: a burst of 500 leaves the page quick and the DOM small,
// and is one sound and one line for those who listen.
func TestDesk25FiveHundred(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	p := w.at("ann", "")
	p.click("Switch sound on")
	js[bool](p, rings)
	wait(2 * time.Second) // sounds closer together are one
	js[bool](p, listener)
	js[bool](p, `(self.tones = 0, true)`)
	began := time.Now()
	for i := range 500 {
		_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: fmt.Sprintf("q%d", i), Queue: "billing"})
		require.NoError(t, err)
	}
	p.until("all are counted", `document.querySelector('.tabs a[aria-current] .count')?.textContent === '500'`)
	p.until("it is heard and said", `tones > 0 && self.heard.some((s) => s.includes('waiting'))`)
	tones, lines := js[int](p, `tones`), js[int](p, `self.heard.filter((s) => s.includes('waiting')).length`)
	took := time.Since(began)
	assert.LessOrEqual(t, tones, 2*(1+int(took/(1500*time.Millisecond))), "a sound has two tones: one in as long as the burst took, of %v", took)
	assert.LessOrEqual(t, lines, 1+int(took/(10*time.Second)), "one line: %v", js[[]string](p, `self.heard`))
	assert.LessOrEqual(t, js[int](p, `document.querySelectorAll('a.row').length`), 200)
	assert.Less(t, js[int](p, `document.querySelectorAll('*').length`), 5000)
	// By its key: under the mouse it may still move, since each of the waiting is
	// told his place.
	p.sees("Show 300 more")
	js[bool](p, `(document.querySelector('.button.wide').focus(), true)`)
	p.key(kb.Enter)
	p.until("more are shown", `document.querySelectorAll('a.row').length === 400`)
}

// tabTo presses Tab until what it looks for has the focus, which can be seen all
// the way: it has an edge, and nothing lies over it.
func (p *page) tabTo(what, selector string) {
	p.t.Helper()
	for range 60 {
		if js[bool](p, `document.activeElement?.matches(§)`, selector) {
			return
		}
		p.key(kb.Tab)
		seen := js[string](p, `(() => {
			const e = document.activeElement;
			if (!e || e === document.body) return '';
			const s = getComputedStyle(e), r = e.getBoundingClientRect(), at = document.elementFromPoint(Math.min(Math.max(r.x + r.width / 2, 1), innerWidth - 1), Math.min(Math.max(r.y + r.height / 2, 1), innerHeight - 1));
			const edge = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || e.closest('.composer') && getComputedStyle(e.closest('.composer')).boxShadow !== 'none';
			const over = at && !e.contains(at) && !at.contains(e) && !e.closest('label')?.contains(at);
			return edge && !over && r.bottom > 0 && r.top < innerHeight ? '' : e.outerHTML.slice(0, 160) + ' under ' + at?.outerHTML.slice(0, 80);
		})()`)
		require.Empty(p.t, seen, "the focus can be seen")
	}
	require.Fail(p.t, "Tab does not reach "+what)
}

// TestDesk27KeyboardOnly: from load until an agent goes away without a mouse.
func TestDesk27KeyboardOnly(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	w.there("bob")
	other := w.has("ann", "lee", "shop")
	h := w.asks("maria", "billing")
	p := w.at("ann", "")
	p.sees("Maria Keller")
	p.key("j")
	p.sees("Nobody has taken this yet.")
	p.key("a")
	p.until("the composer has the focus", `document.activeElement?.matches('.composer.reply textarea')`)
	p.write("/hel")
	p.until("prepared replies are offered", `document.querySelector('[role=option][aria-selected=true]')`)
	p.axe()
	p.key(kb.Enter)
	p.until("it is filled in", `document.querySelector('.composer textarea').value === 'Hello Maria Keller, I am Ann Moreau.'`)
	p.key(kb.Enter)
	w.until("it was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	js[bool](p, `(document.activeElement.blur(), true)`)
	p.key("n")
	p.until("the note has the focus", `document.activeElement?.matches('.composer.note textarea')`)
	p.write("by keyboard")
	p.key(kb.Enter)
	w.until("it is a note", func() bool { return len(w.said(h.ID, handoff.KindNote, "")) == 1 })
	p.tabTo("the tags", "input[list=tags]")
	p.write("refund")
	p.key(kb.Enter)
	w.until("it has the tag", func() bool { return len(w.now(h.ID).Tags) == 1 })

	js[bool](p, `(document.activeElement.blur(), true)`)
	p.key("e")
	p.until("the dialog has the focus", `document.querySelector('dialog')?.contains(document.activeElement)`)
	p.key(kb.Escape)
	p.until("Escape closes it", `!document.querySelector('dialog')`)
	p.key("e")
	p.until("it opens again", `document.querySelector('dialog')`)
	p.tabTo("what ends it", "dialog .button.primary")
	p.key(kb.Enter)
	w.until("it is returned", func() bool { return w.now(h.ID).State == handoff.StateEnded })
	p.until("the dialog is closed", `!document.querySelector('dialog')`)
	p.axe()

	p.tabTo("the other one", `a.row[data-id="`+token(other)+`"]`)
	p.key(kb.Enter)
	p.until("it is open", `document.querySelector('.head h1')?.textContent === 'Lee Wong'`)
	js[bool](p, `(document.activeElement.blur(), true)`)
	p.key("t")
	p.until("colleagues are there", `document.querySelector('dialog input[value=bob]:not(:disabled)')`)
	p.tabTo("Bob", "dialog input[name=to]:not(:disabled)")
	p.key(" ")
	p.tabTo("whether to stay", "dialog input[type=checkbox]")
	p.key(" ")
	p.tabTo("what sends it", "dialog .button.primary")
	p.key(kb.Enter)
	w.until("Bob is asked", func() bool { now := w.now(other.ID); return now.Agent == "" && len(now.Offers) == 1 })
	p.until("the dialog is closed", `!document.querySelector('dialog')`)

	p.tabTo("where she says that she is away", ".button.presence")
	p.key(kb.Enter)
	p.until("the first has the focus", `document.activeElement?.closest('[role=menu]')`)
	p.key(kb.ArrowDown)
	p.key(kb.Enter)
	w.until("she is away", func() bool { return w.availability("ann") == handoff.Offline })
}

// TestDesk26Scroll: a long list and a long conversation are windows on them. What
// is loaded above does not move what is being read.
func TestDesk26Scroll(t *testing.T) {
	n := inLong(700, 5000)
	w := newWorld(t)
	for i := range n {
		_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: fmt.Sprintf("q%d", i), Queue: "billing"})
		require.NoError(t, err)
	}
	w.there("ann")
	h := w.has("ann", "maria", "billing")
	for i := range n {
		w.says("maria", fmt.Sprintf("line %05d", i))
	}
	p := w.at("ann", "c/"+token(h))
	p.sees(fmt.Sprintf("line %05d", n-1))
	p.until("all are counted", `document.querySelector('.tabs a[aria-current] .count')?.textContent.replace(/\D/g, '') === §`, fmt.Sprint(n))
	assert.LessOrEqual(t, js[int](p, `document.querySelectorAll('a.row').length`), 200)
	const lines = `document.querySelectorAll('.entry.user .text').length`
	p.until("the end of it is there", lines+` > 100`)
	for range 3 {
		before := js[int](p, lines)
		js[bool](p, `(() => {
			const box = document.querySelector('.transcript');
			box.scrollTop = 0;
			self.read = [...box.querySelectorAll('.entry.user .text')].find((e) => e.getBoundingClientRect().top > box.getBoundingClientRect().top + 60);
			self.was = self.read.getBoundingClientRect().top;
			[...box.querySelectorAll('button')].find((b) => b.textContent === 'Show older messages').click();
			return true;
		})()`)
		p.until("older ones are there", lines+` > §`, before)
		js[bool](p, `new Promise((f) => setTimeout(() => requestAnimationFrame(() => f(true)), 500))`)
		require.InDelta(t, js[float64](p, `self.was`), js[float64](p, `self.read.getBoundingClientRect().top`), 2, "what is read is where it was: %s", js[string](p, `self.read.isConnected + ' ' + self.read.textContent`))
	}
	p.until("in order, each once", `[...document.querySelectorAll('.entry.user .text')].map((e) => e.textContent).every((s, i, all) => i === 0 || s > all[i - 1])`)
}

// TestDesk29Shortcuts never fire with modifiers, in fields, or when off; an
// Enter that ends a composition sends nothing.
func TestDesk29Shortcuts(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	js[bool](p, `(document.activeElement.blur(), true)`)
	for _, e := range []string{`altKey: true`, `ctrlKey: true`, `metaKey: true`, `modifierAltGraph: true`, `isComposing: true`} {
		js[bool](p, `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'e', bubbles: true, `+e+` }))`)
	}
	assert.False(t, js[bool](p, `Boolean(document.querySelector('dialog'))`))
	p.clickOn(".composer textarea")
	p.write("eat at the")
	assert.Equal(t, "eat at the", js[string](p, `document.querySelector('.composer textarea').value`))
	js[bool](p, `document.querySelector('.composer textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, isComposing: true }))`)
	// Japanese: the Enter that takes what an input method composes, as browsers tell
	// of it, and the one after it.
	for _, text := range []string{"に", "にほ", "日本"} {
		_, err := chromedp.Call(p.ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: text, SelectionStart: int64(len([]rune(text))), SelectionEnd: int64(len([]rune(text)))})
		require.NoError(t, err)
	}
	p.until("it is being composed", `document.querySelector('.composer textarea').value === 'eat at the日本'`)
	p.presses(input.DispatchKeyEventParams{Key: "Process", Code: "Enter", WindowsVirtualKeyCode: 229})
	p.insert("日本")
	p.until("it is composed", `document.querySelector('.composer textarea').value === 'eat at the日本'`)
	// German Option+L, Polish AltGr+E and a dead key write, in the field and out of it.
	odd := []input.DispatchKeyEventParams{
		{Key: "@", Code: "KeyL", WindowsVirtualKeyCode: 'L', Modifiers: int64(chromedp.ModifierAlt), Text: "@"},
		{Key: "ę", Code: "KeyE", WindowsVirtualKeyCode: 'E', Modifiers: int64(chromedp.ModifierAlt | chromedp.ModifierCtrl), Text: "ę"},
		{Key: "Dead", Code: "KeyE", WindowsVirtualKeyCode: 'E'},
		{Key: "é", Code: "KeyE", WindowsVirtualKeyCode: 'E', Text: "é"},
	}
	for _, e := range odd {
		p.presses(e)
	}
	p.until("it is written", `document.querySelector('.composer textarea').value.includes('é')`)
	js[bool](p, `(document.activeElement.blur(), true)`)
	for _, e := range odd {
		p.presses(e)
	}
	assert.False(t, js[bool](p, `Boolean(document.querySelector('dialog'))`), "no shortcut")
	js[bool](p, `fetch('/ann/api/snapshot').then(() => true)`) // what was sent was there by then
	assert.Empty(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	p.clickOn(".composer textarea")
	p.key(kb.Enter)
	w.until("Enter sends", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })

	p.goes("settings")
	p.click("Keyboard shortcuts")
	p.goes("c/" + token(h))
	p.until("it is open", `document.querySelector('.composer textarea')`)
	js[bool](p, `(document.activeElement.blur(), true)`)
	p.key("e")
	p.key("?")
	wait(200 * time.Millisecond)
	assert.False(t, js[bool](p, `Boolean(document.querySelector('dialog'))`), "they are off")
}

// presses presses a key as a keyboard of another language does.
func (p *page) presses(e input.DispatchKeyEventParams) {
	p.t.Helper()
	e.Type = input.DispatchKeyEventTypeRawKeyDown
	if e.Text != "" {
		e.Type = input.DispatchKeyEventTypeKeyDown
	}
	_, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, e)
	require.NoError(p.t, err)
	e.Type, e.Text = input.DispatchKeyEventTypeKeyUp, ""
	_, err = chromedp.Call(p.ctx, input.DispatchKeyEvent, e)
	require.NoError(p.t, err)
}

// TestDesk30Phone: at 320 and 375 pixels nothing scrolls sideways, and what is
// touched is large enough.
func TestDesk30Phone(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	w.asks("lee", "billing")
	p := w.at("ann", "")
	for _, width := range []int64{320, 375} {
		p.size(width, 640)
		for _, path := range []string{"", "c/" + token(h), "settings", "board", "history", "stats"} {
			p.open(path).live()
			wait(150 * time.Millisecond)
			assert.LessOrEqual(t, p.wide(), 0, "%s at %d", path, width)
			small := js[[]string](p, `[...document.querySelectorAll('button, .rail a, .tabs a, select, textarea')].filter((e) => e.checkVisibility() && !e.closest('.copy, .chip, .tablebox') && !e.matches('.copy')).filter((e) => e.getBoundingClientRect().height < 43.5).map((e) => e.outerHTML.slice(0, 90) + e.getBoundingClientRect().height)`)
			assert.Empty(t, small, "%s at %d: smaller than 44 px", path, width)
			p.axe()
		}
	}
	p.size(345, 640) // as wide as in a frame of examples/webchat on a phone
	p.open("c/" + token(h)).live()
	p.until("it is open", `document.querySelector('.head .tools .finish')`)
	assert.Empty(t, js[[]string](p, `[...document.querySelectorAll('.head .chip')].filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth).map((e) => e.textContent)`), "words that are cut")
	for what, size := range map[string][2]int64{"with a keyboard on the screen": {375, 380}, "on its side": {667, 375}, "on its side, with a keyboard": {667, 210}} {
		p.size(size[0], size[1])
		p.open("c/" + token(h)).live()
		assert.True(t, js[bool](p, `(() => { const r = document.querySelector('.composer textarea').getBoundingClientRect(); return r.bottom <= innerHeight + 1 && r.top >= 0; })()`), "%s: the composer can be seen", what)
		assert.LessOrEqual(t, p.wide(), 0, what)
	}
}

// TestDesk30Rail: on a phone whoever may go everywhere sees all places at once,
// each name in one line, and whether he is available, in every language.
func TestDesk30Rail(t *testing.T) {
	w := newWorld(t, options{desk: func(c *desk.Config) { c.Title = "A title that is longer than it has room" }})
	w.available("ada")
	for _, language := range []string{"en", "de", "es", "fr", "pt"} {
		w.actor("ada", func(a *desk.Actor) { a.Language = language })
		p := w.as("ada")
		p.size(360, 740)
		p.open("settings").live()
		p.until("all places are there", `document.querySelectorAll('.rail a').length === 7`)
		assert.Empty(t, js[[]string](p, `[...document.querySelectorAll('.rail, .rail a')].filter((e) => e.scrollWidth > e.clientWidth || e.matches('a') && e.lastElementChild.getClientRects().length > 1).map((e) => e.innerText)`), language)
		p.clickOn("h1") // sounds may be made from now on: there is room for the title
		p.until("the title is there", `!document.querySelector('.muteds')`)
		assert.Empty(t, js[[]string](p, `[...document.querySelectorAll('.presence .label')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.innerText)`), language)
		p.axe()
	}
}

// TestDesk33Themes: contrast holds in both, on every page.
func TestDesk33Themes(t *testing.T) {
	w := newWorld(t)
	main := w.furnish(3)
	w.available("ann", "sam", "ada")
	for who, paths := range map[string][]string{"ann": {"", "c/" + token(main), "settings"}, "sam": {"board", "bots", "history", "stats"}, "ada": {"admin"}} {
		p := w.at(who, "")
		for _, scheme := range []string{"light", "dark"} {
			p.media("prefers-color-scheme", scheme)
			for _, path := range paths {
				p.open(path).live()
				p.axe()
			}
		}
	}
}

// TestDesk32RightToLeft mirrors the page; marks that reorder text are shown.
func TestDesk32RightToLeft(t *testing.T) {
	w := newWorld(t, options{desk: func(c *desk.Config) { c.Catalogues = map[string]map[string]string{"ar": arabic} }})
	w.actor("ann", func(a *desk.Actor) { a.Language = "ar" })
	w.named("maria", "evil\u202etxt.exe")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h)+"?tab=mine")
	assert.Equal(t, "rtl", js[string](p, `getComputedStyle(document.body).direction`))
	assert.True(t, js[bool](p, `document.querySelector('.rail').getBoundingClientRect().x > document.querySelector('.pane').getBoundingClientRect().x`), "mirrored")
	assert.False(t, js[bool](p, `document.body.innerText.includes('\u202e')`), "the mark does nothing")
	assert.True(t, js[bool](p, `document.body.innerText.includes('evil▯txt.exe')`), "and is shown")
	assert.LessOrEqual(t, p.wide(), 0)
	p.axe()

	// Of what is said each line goes its own way, and a number stays one.
	w.says("maria", "شكرا 4711 ABC")
	w.says("maria", "Order 4711 شكرا")
	const text = `[...document.querySelectorAll('.entry.user .text')].find((e) => e.textContent === §)`
	p.until("both are there", text+` && `+text, "شكرا 4711 ABC", "Order 4711 شكرا")
	const at = `((e, s) => { const n = document.createTreeWalker(e, NodeFilter.SHOW_TEXT).nextNode(), i = n.data.indexOf(s), r = document.createRange(); r.setStart(n, i); r.setEnd(n, i + 1); return r.getBoundingClientRect().x; })`
	before := func(what string, places ...string) { // from right to left
		t.Helper()
		list := "[" + strings.Join(places, ", ") + "]"
		assert.True(t, js[bool](p, list+`.every((x, i, all) => !i || x < all[i - 1])`), "%s: %v", what, js[[]float64](p, list))
	}
	for _, s := range []string{"شكرا 4711 ABC", "Order 4711 شكرا"} {
		e := format(text, s)
		before("4711 of "+s, at+`(`+e+`, '1')`, at+`(`+e+`, '7')`, at+`(`+e+`, '4')`)
	}
	e := format(text, "شكرا 4711 ABC")
	before("a line that begins from the right", at+`(`+e+`, 'ش')`, at+`(`+e+`, '4')`, at+`(`+e+`, 'A')`)
	e = format(text, "Order 4711 شكرا")
	before("a line that begins from the left", at+`(`+e+`, 'ش')`, at+`(`+e+`, '4')`, at+`(`+e+`, 'O')`)
	const x = `((s) => { const r = document.querySelector(s).getBoundingClientRect(); return r.x + r.width / 2; })`
	before("a row of the inbox", x+`('a.row .avatar')`, x+`('a.row .name')`, x+`('a.row .time')`)
	before("the head of a conversation", x+`('.head .avatar')`, x+`('.head h1')`, x+`('.head .tools')`)
	before("a message", x+`('.entry.user .avatar')`, x+`('.entry.user .bubble')`)
	_, err := w.engine.End(w.ctx, w.has("ann", "lee", "billing").ID, handoff.By("ann"), handoff.Ending{Reason: "Explained"})
	require.NoError(t, err)
	w.actor("ann", func(a *desk.Actor) { a.Role = desk.Supervisor })
	for _, path := range []string{"board", "history"} {
		p.open(path).live()
		p.until("there is a row", `document.querySelector('tbody tr')`)
		before(path, `...[...document.querySelector('tbody tr').cells].map((c) => c.getBoundingClientRect().right)`)
		p.axe()
	}
}

// TestDesk42Title counts up and down, and up again. What comes while it is open is
// not unread.
func TestDesk42Title(t *testing.T) {
	w := newWorld(t)
	maria, lee := w.has("ann", "maria", "billing"), w.has("ann", "lee", "billing")
	p := w.at("ann", "?tab=mine")
	unread := func(n int) {
		t.Helper()
		p.until(fmt.Sprint(n, " are unread"), `(document.title.match(/^\((\d+)\) /)?.[1] ?? '0') === § && document.querySelector('link[rel=icon]').href.includes('icon-alert') === §`, fmt.Sprint(n), n > 0)
	}
	unread(2)
	p.clickOn(`a.row[data-id="` + token(maria) + `"]`)
	unread(1)
	p.clickOn(`a.row[data-id="` + token(lee) + `"]`)
	unread(0)
	w.says("lee", "while it is open")
	p.sees("while it is open")
	unread(0)
	w.says("maria", "one more")
	unread(1)
	p.clickOn(`a.row[data-id="` + token(maria) + `"]`)
	p.sees("one more")
	unread(0)
}

// TestDesk47Missed requests appear in the history and can be opened.
func TestDesk47Missed(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Queues[0].Ladder = []handoff.Rung{{After: 200 * time.Millisecond, Do: handoff.ToBot}}
	}})
	h := w.asks("maria", "billing")
	w.until("nobody came", func() bool { return w.now(h.ID).Outcome == handoff.OutcomeMissed })
	p := w.at("sam", "history?outcome=missed")
	p.axe()
	p.click("Maria Keller")
	p.sees("I am a small program.")
	p.axe()
	p.open("stats").live()
	p.until("it is counted", `[...document.querySelectorAll('.stat')].find((e) => e.querySelector('.label').textContent === 'Missed')?.querySelector('.value').textContent === '1'`)
}

// TestDeskSaysWhatWasDropped: an agent sees which skills are no longer asked
// for, and who else is asked.
func TestDeskSaysWhatWasDropped(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Queues[0].Ladder = []handoff.Rung{
			{After: 50 * time.Millisecond, Do: handoff.RelaxSkills}, {After: 100 * time.Millisecond, Do: handoff.Widen, Queue: "shop"}, {After: time.Hour, Do: handoff.ToBot},
		}
	}})
	h := w.asks("maria", "billing", func(r *handoff.Request) {
		r.Skills = []handoff.Skill{{Name: "refunds", Level: 2, Optional: true}}
	})
	w.until("it asks for less", func() bool { return len(w.now(h.ID).Need.Also) > 0 })
	p := w.at("sam", "c/"+token(h))
	p.sees("Fewer skills are asked for: \u2068refunds 2\u2069")
	p.sees("Agents of shop are asked, too")
}

// TestDesk48Viewer sees counts and no person; no button is there.
func TestDesk48Viewer(t *testing.T) {
	w := newWorld(t)
	h := w.asks("maria", "billing")
	p := w.at("vic", "")
	p.sees("Queues")
	assert.False(t, js[bool](p, `document.body.innerText.includes('Maria')`))
	assert.Empty(t, js[[]string](p, buttons))
	assert.EqualValues(t, 404, p.tries(h, "accept"), "it does not exist for him")
	p.expects("404")
}

// TestDesk48ReadOnly: at a desk that is read-only everything can be read, and no
// button is there that would change something.
func TestDesk48ReadOnly(t *testing.T) {
	w := newWorld(t, options{desk: func(c *desk.Config) { c.ReadOnly = true }})
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	waits := w.asks("lee", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("403")
	p.sees("it is about my order")
	p.sees("This desk is read-only.")
	assert.Empty(t, js[[]string](p, `[...document.querySelectorAll('.foot button, .foot textarea, .tagline button')].map((e) => e.outerHTML)`))
	assert.EqualValues(t, 403, p.tries(h, "end"))
	p.axe()
	p.goes("c/" + token(waits))
	p.until("it is open", `document.querySelector('.head h1')?.textContent === 'Lee Wong'`)
	assert.Empty(t, js[[]string](p, `[...document.querySelectorAll('.foot button, .foot textarea')].map((e) => e.outerHTML)`))
	assert.EqualValues(t, 403, p.tries(waits, "accept"))
	assert.Equal(t, handoff.StateActive, w.now(h.ID).State)
	assert.Equal(t, handoff.StateWaiting, w.now(waits.ID).State)
}

// buttons are those that do something on what is shown.
const buttons = `[...document.querySelectorAll('main button, main input, main textarea')].map((e) => e.outerHTML)`

// tries calls a verb as a script on the page would, and returns the status.
func (p *page) tries(h handoff.Handoff, verb string) float64 {
	p.t.Helper()
	return js[float64](p, `import(document.querySelector('script[type=module]').src.replace('desk.js', 'base.js')).then((m) => fetch(new URL(§, m.root), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"op":"try"}' })).then((r) => r.status)`, "api/handoffs/"+token(h)+"/"+verb)
}

// TestDeskBots: a supervisor watches the bot, joins in without taking control,
// and takes over.
func TestDeskBots(t *testing.T) {
	w := newWorld(t)
	w.available("sam")
	w.bot(w.says("maria", "hello bot"), "hello human")
	p := w.at("sam", "bots")
	p.click("Maria Keller")
	p.sees("hello human")
	p.axe()
	p.clickOn(".composer textarea")
	p.write("A person reads along")
	p.key(kb.Enter)
	h, err := w.engine.Latest(w.ctx, "maria")
	require.NoError(t, err)
	w.until("it was said", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleSupervisor)) == 1 })
	assert.Equal(t, handoff.StateBot, w.now(h.ID).State, "the bot keeps control")
	p.click("Take over")
	p.clickOn("dialog .button.primary")
	w.until("Sam has it", func() bool { return w.now(h.ID).Agent == "sam" })
}

// TestDesk10FrozenTab: a page that no longer runs no longer keeps its agent
// there; when it runs again, so does he, without being loaded anew.
func TestDesk10FrozenTab(t *testing.T) {
	w := newWorld(t, options{desk: func(c *desk.Config) { c.Lease = 2 * time.Second }})
	w.available("ann")
	p := w.at("ann", "")
	there := func() handoff.Availability {
		st, err := w.presence.Agents(w.ctx, []string{"ann"}, time.Now())
		require.NoError(t, err)
		return st[0].Availability
	}
	w.until("she is there", func() bool { return there() == handoff.Online })
	js[bool](p, `(self.mark = 'the same page', true)`)
	p.focused(false)
	_, err := chromedp.Call(p.ctx, lifecycle.SetWebLifecycleState, lifecycle.SetWebLifecycleStateParams{State: lifecycle.SetWebLifecycleStateStateFrozen})
	require.NoError(t, err)
	w.until("the lease lapses", func() bool { return there() != handoff.Online })
	_, err = chromedp.Call(p.ctx, lifecycle.SetWebLifecycleState, lifecycle.SetWebLifecycleStateParams{State: lifecycle.SetWebLifecycleStateStateActive})
	require.NoError(t, err)
	w.until("she is there again", func() bool { return there() == handoff.Online })
	w.asks("maria", "billing")
	p.until("what comes is shown", `document.querySelector('a.row, .offer')?.textContent.includes('Maria')`)
	assert.Equal(t, "the same page", js[string](p, `self.mark ?? 'another'`), "without a reload")
}

// TestTagSignsRightToLeft: in a page from right to left too, a sign stands before
// the tag that was put on or taken off.
func TestTagSignsRightToLeft(t *testing.T) {
	w := newWorld(t, options{desk: func(c *desk.Config) { c.Catalogues = map[string]map[string]string{"ar": arabic} }})
	w.actor("ann", func(a *desk.Actor) { a.Language = "ar" })
	h := w.has("ann", "maria", "billing")
	_, err := w.engine.Tag(w.ctx, h.ID, handoff.By("ann"), []string{"refund", "vip"}, nil)
	require.NoError(t, err)
	p := w.at("ann", "c/"+token(h))
	const line = `[...document.querySelectorAll('.event > span')].find((e) => e.textContent.includes('+refund'))`
	p.until("it is said", line)
	assert.Equal(t, "rtl", js[string](p, `getComputedStyle(`+line+`).direction`))
	const at = `((s) => { const n = document.createTreeWalker(` + line + `, NodeFilter.SHOW_TEXT).nextNode(), i = n.data.indexOf(s), r = document.createRange(); r.setStart(n, i); r.setEnd(n, i + 1); return r.getBoundingClientRect().x; })`
	for _, tag := range []string{"refund", "vip"} {
		assert.Less(t, js[float64](p, at+`(§)`, "+"+tag), js[float64](p, at+`(§)`, tag), tag)
	}
}
