package browsertest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// A gate holds requests back until it is opened, and counts them.
type gate struct {
	mu     sync.Mutex
	holds  string // what stands in the address of those that are held; empty: none are
	open   chan struct{}
	passed int
}

func (g *gate) shut(holds string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holds, g.open, g.passed = holds, make(chan struct{}), 0
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.open)
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.passed
}

func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		open := g.open
		held := g.holds != "" && strings.Contains(r.URL.String(), g.holds)
		if held {
			g.passed++
		}
		g.mu.Unlock()
		if held {
			select {
			case <-open:
			case <-r.Context().Done():
			}
		}
		next.ServeHTTP(rw, r)
	})
}

// TestDesk27KeysBeforeShortcuts: a key that is pressed before the script of the
// shortcuts has come does what it does after that, in the order of the keys; one
// that was meant for another place does nothing.
func TestDesk27KeysBeforeShortcuts(t *testing.T) {
	var g gate
	w := newWorld(t, options{wrap: g.wrap})
	w.available("ann", "bob")
	h := w.asks("maria", "billing")
	g.shut("/keys.js")
	p := w.at("ann", "")
	p.sees("Maria Keller")
	w.until("the script is asked for", func() bool { return g.count() > 0 })
	p.key("j")
	p.key("a")
	g.release()
	w.until("she has it", func() bool { return w.now(h.ID).Agent == "ann" })
	p.until("it is open", `document.querySelector('.composer.reply')`)
	p.axe()

	w.asks("lee", "billing")
	g.shut("/keys.js")
	p = w.at("bob", "")
	p.sees("Lee Wong")
	w.until("the script is asked for", func() bool { return g.count() > 0 })
	p.key("j")
	p.click("Mine")
	p.sees("You have no conversations")
	p.click("New")
	p.sees("Lee Wong")
	g.release()
	p.until("the shortcuts have come", `(dispatchEvent(new KeyboardEvent('keydown', { key: '?' })), document.querySelector('dialog[open]'))`)
	assert.False(t, js[bool](p, `location.pathname.includes('/c/')`), "the key was meant for another list")
}

// TestDesk27KeysBeforeConversation: what a key wants of a conversation that is not
// drawn yet is done when it is; what is typed meanwhile is no shortcut, and a key
// for one conversation does nothing in another.
func TestDesk27KeysBeforeConversation(t *testing.T) {
	var g gate
	w := newWorld(t, options{wrap: g.wrap})
	h, other := w.has("ann", "maria", "billing"), w.has("ann", "lee", "billing")
	p := w.at("ann", "?tab=mine")
	held := func() {
		t.Helper()
		g.shut("api/handoffs/")
		p.open("c/" + token(h) + "?tab=mine")
		w.until("it is asked for", func() bool { return g.count() > 0 })
		p.until("the page knows whose it is", `document.querySelector('.rows a.row') && document.querySelector('.loading')`)
	}
	for _, c := range []struct{ keys, then string }{
		{"nrt", `document.activeElement?.matches('.composer.reply textarea') && !document.querySelector('dialog')`},
		{"rnt", `document.activeElement?.matches('.composer.note textarea') && !document.querySelector('dialog')`},
		{"t", `document.querySelector('dialog[open] .targets')`},
	} {
		js[bool](p, `(localStorage.clear(), true)`)
		held()
		p.write(c.keys)
		g.release()
		p.until(c.keys+" does what it says", c.then)
	}
	p.key(kb.Escape)
	held()
	p.write("n")
	p.goes("c/" + token(other) + "?tab=mine")
	g.release()
	p.until("the other is open", `document.querySelector('.head h1')?.textContent === 'Lee Wong' && document.querySelector('.composer')`)
	assert.True(t, js[bool](p, `Boolean(document.querySelector('.composer.reply'))`), "the key was meant for another conversation")
}

// TestListNamesWhoIsAsked: who is asked has his name once the page knows the team,
// which comes after the list.
func TestListNamesWhoIsAsked(t *testing.T) {
	var g gate
	w := newWorld(t, options{wrap: g.wrap})
	w.there("bob")
	w.asks("maria", "shop")
	g.shut("api/team")
	p := w.at("ann", "")
	p.until("the team is not there yet", `document.querySelector('.row')?.innerText.includes('Asking bob')`)
	g.release()
	p.until("it is", `document.querySelector('.row').innerText.includes('Asking Bob Sato')`)
	assert.True(t, js[bool](p, `(() => { const box = document.querySelector('.row .third'), chip = [...box.children].find((e) => e.textContent.includes('Bob')); return chip.getBoundingClientRect().bottom <= box.getBoundingClientRect().bottom + 1; })()`), "and it is seen")
}

// TestDoubleClick: whoever clicks twice on what shows more is shown it once.
func TestDoubleClick(t *testing.T) {
	var g gate
	w := newWorld(t, options{wrap: g.wrap, engine: func(c *handoff.Config) { ended(t, c.Store, 200) }})
	h := w.has("ann", "maria", "billing")
	for i := range 450 {
		w.says("maria", fmt.Sprintf("line %05d", i))
	}
	p := w.at("sam", "")
	for _, c := range []struct{ path, held, button, rows, row string }{
		{"history", "api/past?", "Show older ones", "table.click tbody tr", ".person .name"},
		{"?tab=closed", "api/past?", "Show older ones", ".rows a.row", ".name"},
		{"c/" + token(h), "/log?before=", "Show older messages", ".entry.user", ".text"},
	} {
		g.shut("")
		p.goes(c.path)
		p.until("there is one", find+`(§) && document.querySelector(§)`, c.button, c.rows)
		before := js[int](p, `document.querySelectorAll(§).length`, c.rows)
		g.shut(c.held)
		// Twice before anything is drawn, and once more when it is known to be on its way.
		js[bool](p, `(() => { const b = `+find+`(§); b.click(); b.click(); return true; })()`, c.button)
		w.until("it is asked for", func() bool { return g.count() > 0 })
		p.until("it says so", find+`(§).ariaBusy === 'true'`, c.button)
		js[bool](p, `(`+find+`(§).click(), true)`, c.button)
		g.release()
		p.until("there is more", `document.querySelectorAll(§).length > §`, c.rows, before)
		p.until("all is there", `!document.querySelector('[aria-busy=true]')`)
		require.Equal(t, 1, g.count(), "%s: it was asked for once", c.path)
		twice := js[[]string](p, `[...document.querySelectorAll(§)].map((e) => e.querySelector(§).textContent).filter((s, i, all) => all.indexOf(s) !== i)`, c.rows, c.row)
		assert.Empty(t, twice, "%s: shown twice", c.path)
	}
}
