package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
