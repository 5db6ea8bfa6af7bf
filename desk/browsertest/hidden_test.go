package browsertest

import (
	"testing"

	lifecycle "github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/require"
)

// TestDeskHiddenBeforeItsFrame: a page that is hidden before the frame comes in
// which it would have shown a change shows it, and what follows. A hidden page has
// no frames.
func TestDeskHiddenBeforeItsFrame(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	p := w.at("ann", "")
	js[bool](p, `(self.requestAnimationFrame = () => { self.due = true; return 1; }, true)`)
	w.asks("maria", "billing")
	p.until("a change waits for a frame", `self.due && !document.hidden`)
	p.sleeps()
	p.lifecycle(lifecycle.SetWebLifecycleStateStateActive)
	require.True(t, js[bool](p, `document.hidden`))
	p.until("it is shown", `document.querySelectorAll('a.row').length === 1`)
	w.asks("lee", "billing")
	p.until("the next one, too", `document.querySelectorAll('a.row').length === 2`)
}
