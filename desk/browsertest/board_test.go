package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
)

// TestBoardOfNoWait: on a phone too, the board says of a queue in which nobody
// has to wait that it takes no time.
func TestBoardOfNoWait(t *testing.T) {
	w := newWorld(t)
	w.there("bob")
	w.asks("maria", "shop")
	p := w.as("sam")
	p.size(360, 740)
	p.open("board").live()
	const row = `[...document.querySelectorAll('.board tbody tr')].find((r) => r.cells[0].textContent.startsWith('shop'))`
	p.until("it waits", row+`?.cells[1].textContent === '1'`)
	assert.Equal(t, "0 seconds", js[string](p, row+`.cells[3].textContent`))
	assert.NotContains(t, p.text("body"), "NaN")
	assert.LessOrEqual(t, p.wide(), 0, "the page scrolls sideways")
	p.axe()
}

// TestBoardSaysWhatWaits: the board counts agents as agents and seats as seats,
// says a unit once, and shows of each who waits what he needs and how urgently.
func TestBoardSaysWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.there("ann", "bob")
	w.has("ann", "lee", "billing")
	w.asks("maria", "billing", func(r *handoff.Request) { r.Priority = 2 })
	p := w.at("sam", "board")
	const row = `[...document.querySelectorAll('.board tbody tr')].find((r) => r.cells[0].textContent.startsWith('billing'))`
	p.until("it waits", row+`?.cells[1].textContent === '1'`)
	assert.Equal(t, "Agents free 2", js[string](p, `document.querySelector('.board thead tr').cells[6].textContent + ' ' + `+row+`.cells[6].textContent`))
	p.until("five seats are free", `document.querySelector('.board .stat:last-child').innerText === 'Free seats\n5'`)
	assert.NotRegexp(t, `econds?\s*–`, js[string](p, row+`.cells[3].textContent`))
	p.until("what he needs is said", `/Maria Keller\s+\d:\d\d\s+Assistant:\s*I am a small program\.\s+Priority 2\s+billing/.test(document.querySelector('.boxed').innerText)`)
	p.axe()
}
