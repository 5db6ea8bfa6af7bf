package browsertest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// TestDesk19TwoDevices: what an agent writes on one device is on the other; what
// he changed there himself stays; what is sent is gone from both.
func TestDesk19TwoDevices(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	laptop, phone := w.at("ann", "c/"+token(h)), w.at("ann", "c/"+token(h))
	laptop.clickOn(".composer textarea")
	laptop.write("from the laptop")
	phone.until("it is on the phone", `document.querySelector('.composer textarea')?.value === 'from the laptop'`)
	phone.clickOn(".composer textarea")
	phone.write(", and on")
	laptop.until("and back", `document.querySelector('.composer textarea')?.value.includes(', and on')`)
	laptop.key(kb.Enter)
	w.until("it was sent once", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	phone.until("it is gone from the phone", `document.querySelector('.composer textarea')?.value === ''`)

	// What is read on one is read on the other.
	unread := `document.title.startsWith('(1)') && Boolean(document.querySelector('a.row.unread'))`
	laptop.goes("?tab=mine")
	phone.goes("?tab=mine")
	w.says("maria", "one more")
	laptop.until("it is unread on the laptop", unread)
	phone.until("and on the phone", unread)
	phone.click("Maria Keller")
	laptop.until("read on the phone, it is read on the laptop", `!document.title.startsWith('(') && !document.querySelector('a.row.unread')`)
	tablet := w.at("ann", "?tab=mine")
	tablet.until("and on a device that comes later", `document.querySelector('a.row') && !document.querySelector('a.row.unread')`)

	// So is whether she is there: what one says, the other shows.
	const says = `document.querySelector('.button.presence .label')?.innerText`
	w.available("ann")
	laptop.until("she is there", says+` === 'Available'`)
	laptop.click("Availability")
	laptop.click("Offline")
	laptop.clickOn("dialog .button.primary") // what becomes of Maria is asked first
	laptop.until("the laptop says so", says+` === 'Offline'`)
	w.until("she is not", func() bool { return w.availability("ann") == handoff.Offline })
	phone.until("the phone says so", says+` === 'Offline'`)
}

// TestDeskAssist: an agent is suggested replies, takes one, and runs a rule from
// its button.
func TestDeskAssist(t *testing.T) {
	rule := automate.Rule{Name: "vip", Button: "Mark as VIP", If: automate.Condition{NoTags: []string{"vip"}}, Do: []automate.Action{{Tag: []string{"vip"}}}}
	a, err := automate.New([]automate.Rule{rule}, automate.Options{})
	require.NoError(t, err)
	w := newWorld(t, options{
		engine: func(c *handoff.Config) {
			c.Suggester = handoff.SuggesterFunc(func(context.Context, handoff.Handoff, handoff.Transcript) ([]string, error) {
				return []string{"Shall I look it up?", "<b>Bold</b>"}, nil
			})
		},
		desk: func(c *desk.Config) { c.Suggestions, c.Automations = true, a },
	})
	a.Use(w.engine)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.click("Suggest")
	p.sees("<b>Bold</b>")
	p.axe()
	p.key(kb.Enter)
	p.until("it is in the composer", `document.querySelector('.composer textarea').value === 'Shall I look it up?'`)
	assert.Empty(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent), "nothing is sent by itself")
	p.clickOn(".tools button[aria-label='More actions']")
	p.click("Mark as VIP")
	w.until("it was run", func() bool { return len(w.now(h.ID).Tags) == 1 })
	p.sees("Done: Mark as VIP")
	p.sees("Tags: \u2068+vip\u2069")
}

// TestDeskAdminRulesAndHours: an admin adds a rule with a button, and changes
// when a queue is open.
func TestDeskAdminRulesAndHours(t *testing.T) {
	a, err := automate.New(nil, automate.Options{Keep: automate.NewRules()})
	require.NoError(t, err)
	hours := memstore.NewHours(handoff.Weekly{Days: map[string][]handoff.Span{"mon-fri": {"09:00-17:00"}}})
	w := newWorld(t, options{
		engine: func(c *handoff.Config) { c.Queues[0].Hours = hours },
		desk:   func(c *desk.Config) { c.Automations = a },
	})
	a.Use(w.engine)
	p := w.at("ada", "admin")
	p.until("the rules are there", `[...document.querySelectorAll('h2')].some((e) => e.textContent === 'Automations')`)
	js[bool](p, `(() => { [...document.querySelectorAll('section')].find((e) => e.querySelector('h2')?.textContent === 'Automations').querySelector('.button').id = 'addrule'; return true; })()`)
	p.clickOn("#addrule")
	p.until("the dialog is open", `document.querySelector('dialog input')`)
	p.until("it is in the middle", `(() => { const r = document.querySelector('dialog').getBoundingClientRect(); return r.left > 0 && Math.abs(r.left + r.right - innerWidth) < 2; })()`)
	p.axe()
	p.write("vip")
	p.key(kb.Tab)
	p.write("Mark as VIP")
	p.click("a person is asked for")
	p.clickOn("dialog .actions input")
	p.write("vip, gold")
	p.clickOn("dialog .button.primary")
	p.sees("Add tags: vip, gold")
	list, err := a.List(w.ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "Mark as VIP", list[0].Button)
	assert.Equal(t, []handoff.Kind{handoff.KindRequested}, list[0].On)
	assert.Equal(t, []automate.Action{{Tag: []string{"vip", "gold"}}}, list[0].Do)
	p.axe()

	js[bool](p, `(() => { [...document.querySelectorAll('section')].find((e) => e.querySelector('h2')?.textContent === 'Opening hours').querySelector('.button').id = 'edithours'; return true; })()`)
	p.until("nothing is said over the button", `!document.querySelector('.toast')`)
	p.clickOn("#edithours")
	p.until("the week is there", `[...document.querySelectorAll('dialog input[dir=ltr]')].map((e) => e.value).join() === '09:00-17:00,09:00-17:00,09:00-17:00,09:00-17:00,09:00-17:00,,'`)
	p.axe()
	p.clickOn("dialog label:nth-of-type(7) input")
	p.write("10:00-12:00")
	p.clickOn("dialog textarea")
	p.write("12-25")
	p.clickOn("dialog .button.primary")
	w.until("the hours are kept", func() bool {
		now, err := hours.Weekly(w.ctx)
		return err == nil && len(now.Special) == 1 && len(now.Days) == 6
	})
}

// TestDeskFormsSayAllThatIsWrong: what the browser refuses and what the server
// refuses is said all at once, each beside its field, which has the focus.
func TestDeskFormsSayAllThatIsWrong(t *testing.T) {
	a, err := automate.New(nil, automate.Options{Keep: automate.NewRules()})
	require.NoError(t, err)
	w := newWorld(t, options{desk: func(c *desk.Config) { c.Automations = a }})
	p := w.at("ada", "admin")
	p.expects("422")
	wrong := func() map[string]string {
		return js[map[string]string](p, `Object.fromEntries([...document.querySelectorAll('dialog .wrong')].map((e) => [e.closest('[data-at]')?.dataset.at ?? e.closest('fieldset')?.querySelector('legend').textContent ?? '', e.textContent]))`)
	}
	add := func(section string) {
		p.until("there is "+section, `[...document.querySelectorAll('section')].find((e) => e.querySelector('h2')?.textContent === §)?.querySelector('.pagehead .button')`, section)
		js[bool](p, `([...document.querySelectorAll('section')].find((e) => e.querySelector('h2')?.textContent === §).querySelector('.pagehead .button').click(), true)`, section)
		p.until("the dialog is open", `document.querySelector('dialog[open] input')`)
	}
	save := func(what string) {
		p.clickOn("dialog .button.primary")
		p.until(what, `document.querySelector('dialog .wrong')`)
	}

	add("Automations")
	save("what the browser refuses")
	found := wrong()
	assert.Contains(t, found, "name")
	assert.Contains(t, found, "do.0")
	p.until("the first of them has the focus", `document.activeElement.closest('[data-at]')?.dataset.at === 'name'`)
	p.axe()
	p.write("vip")
	p.clickOn("dialog .actions input")
	p.insert("x, " + strings.Repeat("y", 600))
	save("what the server refuses")
	p.until("it is about other fields now", `!document.querySelector('[data-at=name] .wrong') && document.querySelector('dialog [role=alert].wrong')`)
	found = wrong()
	assert.Contains(t, found, "do.0")
	assert.Contains(t, found, "Runs when")
	p.axe()
	p.keep("rule")
	p.click("Cancel")

	add("Agents")
	p.clickOn("dialog [data-at=seats] input")
	p.key(kb.End)
	p.write("000")
	save("what the browser refuses of an agent")
	found = wrong()
	assert.Contains(t, found, "id")
	assert.Contains(t, found, "name")
	assert.Contains(t, found, "seats")
	list, err := a.List(w.ctx)
	require.NoError(t, err)
	assert.Empty(t, list)
}

// TestDeskQueuesChange: an agent's open pages, a supervisor's board and another
// admin's list are told when an admin changes the agent's queues. What he may no longer know goes, also
// what he has open, and what he may know since comes, without a reload.
func TestDeskQueuesChange(t *testing.T) {
	w := newWorld(t)
	w.actor("lead", func(a *desk.Actor) {
		*a = desk.Actor{ID: "lead", Name: "Lee Lead", Role: desk.Supervisor, Queues: []string{"billing"}}
	})
	h := w.has("ann", "maria", "billing")
	w.actor("eve", func(a *desk.Actor) { a.Queues = []string{"billing"} })
	put := func(p *page, queues ...string) {
		w.actor("eve", func(a *desk.Actor) { a.Queues = queues })
		for _, q := range []string{"billing", "shop"} {
			if js[bool](p, `[...document.querySelectorAll('dialog .checks label')].find((l) => l.textContent === §).control.checked !== §`, q, slices.Contains(queues, q)) {
				p.click(q)
			}
		}
		p.clickOn("dialog .button.primary")
		p.until("it is saved", `!document.querySelector('dialog')`)
	}
	edit := func(p *page) {
		p.until("she is there", `[...document.querySelectorAll('button[aria-label]')].some((b) => b.ariaLabel === 'Edit Eve Novak')`)
		p.click("Edit Eve Novak")
		p.until("the dialog is open", `document.querySelector('dialog .checks')`)
	}
	ada := w.at("ada", "admin")
	edit(ada)
	put(ada, "billing")
	w.asks("lee", "shop")
	w.asks("jo", "billing")

	p, lead := w.at("eve", "c/"+token(h)+"?tab=all"), w.at("lead", "board")
	p.expects("404", "403")
	p.sees("it is about my order")
	p.until("what waits is there", `document.querySelector('.list').innerText.includes('Jo Bright') && !document.querySelector('.list').innerText.includes('Lee Wong')`)
	other := w.at("ada", "admin")
	const hers = `[...[...document.querySelectorAll('tbody tr')].find((e) => e.textContent.includes('Eve Novak'))?.querySelectorAll('.chip') ?? []].map((e) => e.textContent).join()`
	other.until("she has her queue", hers+` === 'billing'`)
	edit(other)
	other.clickOn("dialog input")
	other.write("!")
	lead.until("she is on the board", `[...document.querySelectorAll('.board .person')].some((e) => e.textContent.includes('Eve Novak'))`)

	edit(ada)
	put(ada, "shop")
	w.says("maria", "what Eve does not read")
	p.until("the other queue has come", `document.querySelector('.list').innerText.includes('Lee Wong')`)
	p.until("and the old one has gone", `!document.querySelector('.list').innerText.includes('Jo Bright') && !document.querySelector('.list').innerText.includes('Maria Keller')`)
	p.until("so has what was open", `!document.querySelector('.transcript')`)
	assert.NotContains(t, p.text("body"), "what Eve does not read")
	other.until("another admin's list says so", hers+` === 'shop'`)
	assert.Equal(t, "Eve Novak!", js[string](other, `document.querySelector('dialog input').value`), "what he is writing stays")
	lead.until("she is no longer on the board", `![...document.querySelectorAll('.board .person')].some((e) => e.textContent.includes('Eve Novak'))`)
	p.axe()

	edit(ada)
	put(ada, "billing", "shop")
	p.until("both are there", `['Lee Wong', 'Jo Bright', 'Maria Keller'].every((s) => document.querySelector('.list').innerText.includes(s))`)
	p.clickOn(".filters .menu button")
	p.until("and can be chosen", `['billing', 'shop'].every((q) => [...document.querySelectorAll('[role=menuitemradio]')].some((e) => e.textContent === q))`)
	lead.until("she is on the board again", `[...document.querySelectorAll('.board .person')].some((e) => e.textContent.includes('Eve Novak'))`)
}

// TestDeskTwoAdmins: of two who edit the same agent the second is shown what the
// first has made of it, and does his own again; lists that are open hear of it.
func TestDeskTwoAdmins(t *testing.T) {
	hours := memstore.NewHours(handoff.Weekly{Days: map[string][]handoff.Span{"mon-fri": {"09:00-17:00"}}})
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[0].Hours = hours }})
	one, two := w.at("ada", "admin"), w.at("ada", "admin")
	two.expects("409")
	edit := func(p *page, who string) {
		t.Helper()
		p.clickOn(`button[aria-label="Edit ` + who + `"], button[title="Edit ` + who + `"]`)
		p.until("the dialog is open", `document.querySelector('dialog[open] input')`)
	}
	set := func(p *page, at, text string) {
		t.Helper()
		js[bool](p, `(() => { const e = document.querySelector('dialog [data-at="' + § + '"] input'); e.focus(); e.select(); return true; })()`, at)
		p.insert(text)
	}
	edit(one, "Bob Sato")
	edit(two, "Bob Sato")
	set(one, "alias", "Robert")
	set(two, "seats", "7")
	one.click("Save")
	two.until("the list behind the dialog has it", `document.querySelector('table').innerText.includes('Robert')`)
	two.click("Save")
	two.sees("Somebody else has changed this meanwhile.")
	two.until("it is as the first has made it", `document.querySelector('dialog [data-at=alias] input').value === 'Robert' && document.querySelector('dialog [data-at=seats] input').value === '3'`)
	two.axe()
	set(two, "seats", "7")
	two.click("Save")
	two.until("it is saved", `!document.querySelector('dialog')`)
	one.until("the first sees both", `[...document.querySelectorAll('tr')].some((e) => e.innerText.includes('Robert') && e.innerText.includes('7'))`)

	edit(one, "billing")
	edit(two, "billing")
	set(one, "mon", "10:00-12:00")
	one.click("Save")
	two.until("the hours behind the dialog have changed", `[...document.querySelectorAll('.lines')].some((e) => e.innerText.includes('10:00-12:00'))`)
	set(two, "tue", "")
	two.click("Save")
	two.sees("Somebody else has changed this meanwhile.")
	two.until("they are as the first has made them", `document.querySelector('dialog [data-at=mon] input').value === '10:00-12:00' && document.querySelector('dialog [data-at=tue] input').value === '09:00-17:00'`)
}
