package browsertest

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/examples/webchat/acme"
)

// TestLeftMessageIsFound: what a user leaves while nobody is there stands among
// what is closed, for the agents of its queue too, and in the history by itself.
// It is read at once, though the bot asked for each field of it.
func TestLeftMessageIsFound(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Queues[1].NeedAgents = true
		c.Queues[1].Offline.Form = &handoff.Form{Fields: []handoff.Field{{Name: "mail", Label: "Your mail?", Kind: handoff.FieldMail}, {Name: "text", Label: "What shall we tell our team?"}}}
	}})
	for range 3 {
		w.bot(w.says("maria", "Where is my parcel?"), "Parcels take two to four days.")
	}
	_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: "maria", Queue: "shop"})
	require.ErrorIs(t, err, handoff.ErrUnavailable)
	w.says("maria", "maria@example.com")
	w.says("maria", "It is lost.")
	w.until("it is left", func() bool { return w.now(handoff.ID{Conversation: "maria", Number: 1}).LeftMessage })
	w.asks("lee", "billing")
	_, err = w.engine.Cancel(w.ctx, "lee", true)
	require.NoError(t, err)

	const left = `[...document.querySelectorAll('.entry.user .bubble')].find((e) => e.innerText.includes('Left a message'))?.innerText ?? ''`
	eve := w.at("eve", "?tab=closed")
	eve.until("it says what it is", `document.querySelector('.list .row .third')?.innerText.includes('Left a message')`)
	eve.clickOn(".list .row")
	eve.until("she reads it", `(`+left+`).includes('Your mail? maria@example.com')`)
	assert.Contains(t, js[string](eve, left), "What shall we tell our team? It is lost.")
	eve.until("so do the details", `[...document.querySelectorAll('.details dt')].filter((e) => ['Your mail?', 'What shall we tell our team?'].includes(e.textContent)).length === 2`)
	assert.Contains(t, eve.text(".transcript"), "Answered: What shall we tell our team?")
	assert.LessOrEqual(t, js[int](eve, `Math.max(...[...document.querySelectorAll('.details, .details dt, .details dd')].map((e) => e.scrollWidth - e.clientWidth))`), 0)
	eve.keep("labels")
	assert.True(t, js[bool](eve, `Boolean(document.querySelector('.older button[aria-expanded=false]'))`), "what came before is folded")
	eve.axe()

	sam := w.at("sam", "history")
	sam.until("both are there", `document.querySelectorAll('tbody tr').length === 2`)
	js[bool](sam, `(() => { const s = [...document.querySelectorAll('select')].find((e) => e.querySelector('option[value=left]')); s.value = 'left'; s.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	sam.until("only that one", `document.querySelectorAll('tbody tr').length === 1 && document.querySelector('tbody tr').innerText.includes('Left a message')`)
	assert.Contains(t, js[string](sam, `document.querySelector('a[download]').search`), "left=left", "and that one is taken away")
}

// TestLeftIsDealtWith: who has answered a message that was left says so where he
// reads it; lists say it too, and those of what is still to be done have it no more.
func TestLeftIsDealtWith(t *testing.T) {
	w := newWorld(t)
	for _, c := range []string{"maria", "lee"} {
		_, err := w.engine.LeaveMessage(w.ctx, w.asks(c, "shop").ID, "Call me", nil)
		require.NoError(t, err)
		_, err = w.engine.Cancel(w.ctx, c, true)
		require.NoError(t, err)
	}
	sam := w.at("sam", "history?outcome=open")
	sam.until("both are to be done", `document.querySelectorAll('tbody tr').length === 2`)
	assert.Equal(t, "Left a message, not dealt with", js[string](sam, `(() => { const s = [...document.querySelectorAll('select')].find((e) => e.querySelector('[value=open]')); return s.selectedOptions[0].textContent; })()`))
	eve := w.at("eve", "c/1.maria?tab=closed")
	const chip = `[...document.querySelectorAll('.list .row')].find((e) => e.innerText.includes('Maria')).querySelector('.third').innerHTML.includes('amber')`
	eve.until("it is marked", chip)
	assert.True(t, js[bool](eve, `[...document.querySelectorAll('.list .third')].every((e) => [...e.children].every((c) => c.getBoundingClientRect().bottom <= e.getBoundingClientRect().bottom + 1))`), "the mark is not cut off")
	eve.sees("Left a message, not dealt with")
	eve.axe()
	eve.click("Dealt with")
	eve.until("nothing is left to do", `!document.querySelector('.banner') && !(`+chip+`)`)
	eve.until("the tag says it", `[...document.querySelectorAll('.chip.tag')].some((e) => e.textContent === 'dealt with')`)
	eve.axe()
	sam.open("history?outcome=open").live()
	sam.until("one is to be done", `document.querySelectorAll('tbody tr').length === 1 && document.querySelector('tbody tr').innerText.includes('Lee')`)
	assert.Contains(t, js[string](sam, `document.querySelector('a[download]').search`), "left=open", "and that one is taken away")
}

// TestEscapeLeavesTheField: from where an agent writes the letters that are
// shortcuts are one key away, his draft stays, and a tag that he takes off leaves
// the focus where the next is put.
func TestEscapeLeavesTheField(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h)+"?tab=mine")
	p.until("she may write", `document.activeElement?.matches('.composer.reply textarea')`)
	p.write("/")
	p.until("prepared replies are offered", `document.querySelector('.pick li')`)
	p.key(kb.Escape)
	p.until("the first closes them", `!document.querySelector('.pick') && document.activeElement.matches('.composer textarea')`)
	p.key(kb.Backspace)
	p.write("half a ")
	p.key(kb.Escape)
	p.until("the next leaves the field", `document.activeElement.matches('.transcript')`)
	p.key("n")
	p.until("a note", `document.activeElement?.matches('.composer.note textarea')`)
	p.key(kb.Escape)
	p.key("r")
	p.until("the draft is still there", `document.activeElement?.matches('.composer.reply textarea') && document.activeElement.value.startsWith('half a ')`)
	_, err := w.engine.Tag(w.ctx, h.ID, handoff.By("ann"), []string{"vip"}, nil)
	require.NoError(t, err)
	p.tabTo("the tag", ".tagline button")
	p.key(kb.Enter)
	p.until("the next can be put", `!document.querySelector('.tagline button') && document.activeElement.matches('input[list=tags]')`)
}

// TestWebchatClosedForm: who is asked for a message after hours is not told that
// nothing can be done, nor that he waits for somebody.
func TestWebchatClosedForm(t *testing.T) {
	start(t)
	t.Parallel()
	tomorrow := strings.ToLower(time.Now().UTC().AddDate(0, 0, 1).Weekday().String())
	base := example(t, acme.Options{Change: func(c *handoff.Config) {
		c.Queues[0].Hours = handoff.Weekly{Days: map[string][]handoff.Span{tomorrow: {"09:00-17:00"}}}
		c.Queues[0].Offline.Form = &handoff.Form{Fields: []handoff.Field{{Name: "mail", Label: "Your mail?", Kind: handoff.FieldMail, Required: true}, {Name: "text", Label: "What shall we tell our team?"}}}
	}})
	p := tab(browser.ctx, t, base, chromedp.WithNewBrowserContext()).open("chat.html")
	writes := func(text string) { p.clickOn("#text"); p.write(text); p.key(kb.Enter) }
	writes("hello")
	p.until("the bot has answered", `document.querySelector('.m.bot')`)
	p.click("Talk to a person")
	p.sees("Your mail?")
	p.until("nothing was refused", `!document.querySelector('#person').disabled`)
	assert.Empty(t, p.text("#status"))
	assert.Equal(t, "Leave a message", p.text("#with"))
	writes("nobody")
	p.sees("That is not a mail address.")
	writes("maria@example.com")
	p.sees("What shall we tell our team?")
	assert.Equal(t, "Leave a message", p.text("#with"))
	p.axe()
	writes("My parcel is lost.")
	p.sees("your message was passed on.")
	p.until("the assistant goes on", `document.querySelector('#with').textContent === 'Assistant'`)
}
