package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDeskAdmin: an agent is added, changed and removed.
func TestDeskAdmin(t *testing.T) {
	w := newWorld(t)
	p := w.at("ada", "admin")
	p.clickOn(".pagehead .button")
	p.until("the dialog is open", `document.querySelector('dialog input')`)
	p.axe()
	p.write("zoe")
	p.key(kb.Tab)
	p.write("Zoe Zimmer")
	p.click("billing")
	p.clickOn("dialog .button.primary")
	p.sees("Zoe Zimmer")
	zoe := func() handoff.Agent {
		t.Helper()
		a, err := w.engine.Directory().Get(w.ctx, "zoe")
		require.NoError(t, err)
		return a
	}
	assert.Equal(t, []string{"billing"}, zoe().Queues)
	p.axe()

	p.click("Edit Zoe Zimmer")
	p.until("the dialog is open", `document.querySelector('dialog input')?.value === 'Zoe Zimmer'`)
	p.axe()
	p.click("billing")
	p.click("shop")
	js[bool](p, `(document.querySelector('dialog input').select(), true)`)
	p.insert("Zoe Ziegler")
	p.clickOn("dialog .button.primary")
	p.sees("Zoe Ziegler")
	assert.Equal(t, "Zoe Ziegler", zoe().Name)
	assert.Equal(t, []string{"shop"}, zoe().Queues)

	p.click("Edit Zoe Ziegler")
	p.click("Remove")
	p.sees("Really remove?")
	p.axe()
	p.click("Really remove?")
	p.until("she is gone", `!document.querySelector('dialog') && !document.querySelector('.tablebox').innerText.includes('Zoe')`)
	_, err := w.engine.Directory().Get(w.ctx, "zoe")
	require.ErrorIs(t, err, handoff.ErrNotFound)
}

// TestDeskAdminOfOthers: agents whom the application keeps can be read and not be
// changed, on the page and by its API, and both say why.
func TestDeskAdminOfOthers(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Directory = handoff.Staff{{ID: "ada", Name: "Ada Lindgren", Seats: 1}, {ID: "ann", Name: "Ann Moreau", Queues: []string{"billing"}, Seats: 1}}
	}})
	p := w.at("ada", "admin")
	p.sees("Ann Moreau")
	p.sees("Agents are kept by your application; here they can only be read.")
	assert.Empty(t, js[[]string](p, `[...document.querySelector('.tablebox').closest('section').querySelectorAll('button')].map((e) => e.innerText)`))
	p.expects("409")
	for _, method := range []string{"PUT", "DELETE"} {
		assert.Equal(t, "409 directory_elsewhere", js[string](p, `fetch('/ada/api/agents/ann', { method: §, headers: { 'Content-Type': 'application/json' }, body: '{"name":"Ann","seats":1,"queues":["billing"]}' }).then(async (r) => r.status + ' ' + (await r.json()).code)`, method), method)
	}
}

// TestDeskMySettings: where Enter does not send, it begins a line and Ctrl+Enter
// sends; and a language that is chosen stays.
func TestDeskMySettings(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "settings")
	p.click("Enter sends")
	p.goes("c/" + token(h))
	p.until("it is open", `document.querySelector('.composer textarea')`)
	p.reply("one")
	p.write("two")
	p.until("it is two lines", `document.querySelector('.composer textarea').value === 'one\ntwo'`)
	assert.Empty(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	p.axe()
	p.key(kb.Enter, chromedp.ModifierCtrl)
	w.until("it is sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	assert.Equal(t, []string{"one\ntwo"}, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))

	p.goes("settings")
	p.until("there is a choice", `document.querySelector('select option[value=de]')`)
	js[bool](p, `(() => { const s = document.querySelector('select:has(option[value=de])'); s.value = 'de'; s.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	p.until("the page is in it", `document.documentElement.lang === 'de' && document.querySelector('h1')?.textContent === 'Einstellungen'`)
	p.axe()
	p.open("board").live()
	p.until("and so is the next one", `document.documentElement.lang === 'de'`)
}
