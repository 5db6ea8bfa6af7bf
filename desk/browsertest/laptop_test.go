package browsertest

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	lifecycle "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// availability is how the presence sees an agent.
func (w *world) availability(who string) handoff.Availability {
	w.t.Helper()
	st, err := w.presence.Agents(w.ctx, []string{who}, time.Now())
	require.NoError(w.t, err)
	return st[0].Availability
}

// sleeps stops a page as a closed laptop does; wakes lets it go on.
func (p *page) sleeps() {
	p.t.Helper()
	p.focused(false)
	p.lifecycle(lifecycle.SetWebLifecycleStateStateFrozen)
}

func (p *page) wakes() {
	p.t.Helper()
	p.lifecycle(lifecycle.SetWebLifecycleStateStateActive)
	p.focused(true)
}

func (p *page) lifecycle(state lifecycle.SetWebLifecycleStateState) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, lifecycle.SetWebLifecycleState, lifecycle.SetWebLifecycleStateParams{State: state})
	require.NoError(p.t, err)
}

// front brings a tab before the others of its window.
func (p *page) front() {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, lifecycle.BringToFront, cdp.Empty{})
	require.NoError(p.t, err)
	p.focused(true)
}

// leaseOfTests is how long an agent of leased is there without a word of his page.
const leaseOfTests = 12 * time.Second

// longer is more than such a lease.
const longer = leaseOfTests + leaseOfTests/4

// stays looks at who is there for some time, while a test does something, and
// returns what was seen of him.
func (w *world) stays(who string, so time.Duration, meanwhile func()) []handoff.Availability {
	w.t.Helper()
	var states []handoff.Availability
	for limit := time.Now().Add(so); time.Now().Before(limit); wait(10 * time.Millisecond) {
		if a := w.availability(who); len(states) == 0 || states[len(states)-1] != a {
			states = append(states, a)
		}
		meanwhile()
	}
	return states
}

// leased makes pages answer every four seconds, and agents lost soon after they do not.
func leased(grace time.Duration) options {
	return options{
		desk:   func(c *desk.Config) { c.Lease = leaseOfTests },
		engine: func(c *handoff.Config) { c.Queues[0].AgentGrace, c.Queues[1].AgentGrace = grace, grace },
	}
}

// TestDesk07ClosedLaptop: an agent closes the laptop, and the connection is cut
// without a word. His offer is withdrawn, his conversation goes back into the
// queue, the user is told; when he is back, a card says so and the draft is there.
func TestDesk07ClosedLaptop(t *testing.T) {
	w := newWorld(t, leased(time.Second))
	w.available("ann")
	n := newNetwork(w)
	p := n.as(w, "ann")
	p.expects("ERR_", "404", "403")
	p.open("").live()
	w.until("she is there", func() bool { return w.availability("ann") == handoff.Online })
	h := w.has("ann", "maria", "billing")
	before := w.now(h.ID)
	p.click("Mine")
	p.click("Maria Keller")
	p.clickOn(".composer textarea")
	p.write("half a sentence")
	w.until("the draft is kept", func() bool { return js[bool](p, `Object.keys(localStorage).some((k) => k.includes('draft:'))`) })
	offered := w.asks("lee", "shop")
	p.sees("This is for you")

	n.lose()
	p.sleeps()
	w.until("the offer is withdrawn", func() bool { return w.now(offered.ID).State == handoff.StateWaiting })
	w.until("the conversation waits again", func() bool { return w.now(h.ID).State == handoff.StateWaiting })
	const told = "Your agent had to leave. You keep your place and somebody else will be with you."
	assert.Equal(t, []handoff.Reason{handoff.ReasonCouldNot}, reasons(w.log(offered.ID), handoff.KindLapsed), "withdrawn, rather than left to run out")
	assert.WithinDuration(t, before.Enqueued, w.now(h.ID).Enqueued, 0, "in its old place")
	var order []string
	for _, e := range w.log(h.ID) {
		if e.Kind == handoff.KindAgentBack {
			order = nil // a busy machine has kept her page from answering before
		}
		if e.Kind == handoff.KindAgentAway || e.Kind == handoff.KindAgentLeft || e.Kind == handoff.KindNotice && e.Text == told {
			order = append(order, string(e.Kind))
		}
	}
	assert.Equal(t, []string{"agent_away", "agent_left", "notice"}, order, "once she has been away for long enough, and the user is told once")

	n.find()
	p.wakes()
	p.until("a card tells of it", `document.querySelector('.card.warn')?.innerText.includes('Maria Keller')`)
	assert.Contains(t, p.text(".card.warn"), "1 conversation was returned while you were away")
	p.live()
	w.until("she is there again", func() bool { return w.availability("ann") == handoff.Online })
	assert.Contains(t, js[[]string](p, `Object.entries(localStorage).filter(([k]) => k.includes('draft:')).map(([, v]) => JSON.parse(v))`), "half a sentence")
	p.axe()
	p.clickOn(".pane .choice .button.primary")
	p.until("the draft is there", `document.querySelector('.composer.reply textarea')?.value === 'half a sentence'`)
	assert.Contains(t, w.pulled("maria"), told, "as the user's own page has it")
}

// log is all that stands in one.
func (w *world) log(id handoff.ID) []handoff.Entry {
	w.t.Helper()
	log, err := w.engine.Log(w.ctx, id, 0, 100_000)
	require.NoError(w.t, err)
	return log
}

// reasons returns those of the entries of a kind.
func reasons(log []handoff.Entry, kind handoff.Kind) []handoff.Reason {
	var out []handoff.Reason
	for _, e := range log {
		if e.Kind == kind {
			out = append(out, e.Reason)
		}
	}
	return out
}

// TestDesk08Sleep: a laptop sleeps for ten minutes, which its timers do not
// notice, and wakes on another network. The dead connection is given up at once
// rather than after a time of silence, and the list is what a fresh one would be.
func TestDesk08Sleep(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	n := newNetwork(w)
	var all []handoff.Handoff
	for _, c := range []string{"maria", "lee", "jo"} {
		all = append(all, w.asks(c, "billing"))
	}
	p := n.as(w, "ann")
	p.open("").live()
	p.expects("ERR_")
	rows := `[...document.querySelectorAll('a.row')].map((e) => e.dataset.id).join()`
	p.until("three wait", rows+`.split(',').length === 3`)

	js[bool](p, `(document.addEventListener('resume', () => { const d = Date.now; Date.now = () => d() + 600000; }, { capture: true, once: true }), true)`)
	n.lose()
	p.sleeps()
	_, err := w.engine.TakeOver(w.ctx, all[0].ID, handoff.By("bob"), "billing")
	require.NoError(t, err)
	_, err = w.engine.Cancel(w.ctx, "lee", true)
	require.NoError(t, err)
	late := w.asks("new", "billing")

	n.find()
	woken := time.Now()
	p.wakes()
	p.until("the list is exact", rows+` === §`, token(all[2])+","+token(late))
	t.Logf("exact %v after the page woke", time.Since(woken).Round(10*time.Millisecond))
	p.live()
	fresh := w.at("ann", "")
	shown := `JSON.stringify([...document.querySelectorAll('.tabs a, a.row .name, a.row .second, a.row .third, .rail .count')].map((e) => e.innerText))`
	fresh.until("as a fresh one", rows+` === §`, js[string](p, rows))
	fresh.until("word for word", shown+` === §`, js[string](p, shown))
}

// leaving counts how often a page says that it goes.
func leaving(n *atomic.Int32) options {
	return options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/presence/leave") {
				n.Add(1)
			}
			next.ServeHTTP(rw, r)
		})
	}}
}

// TestDesk09HiddenTab: a page that nobody sees keeps its agent there, without a
// gap, and rings: for longer than the lease, or for ten minutes, from the fifth
// of which browsers let timers run once a minute.
// It never says that it leaves: only a page that goes does.
func TestDesk09HiddenTab(t *testing.T) {
	var left atomic.Int32
	w := newWorld(t, leased(time.Second), leaving(&left))
	w.available("ann")
	p := w.at("ann", "")
	p.click("Switch sound on") // a browser makes no sound for who has never clicked
	sounds := func() int {
		return js[int](p, `import(document.querySelector('script[type=module]').src.replace('desk.js', 'store.js')).then((m) => m.state.sounds ?? 0)`)
	}
	before := sounds()
	p.focused(false)
	over := tab(p.ctx, t, "about:blank", chromedp.WithNewWindow(false)) // in front of it
	over.spare("an empty page")
	over.open("")
	p.until("it is hidden", `document.hidden`)

	// For longer than the lease: each beat answers a ping.
	assert.Equal(t, []handoff.Availability{handoff.Online}, w.stays("ann", time.Duration(inLong(int(longer.Seconds()), 600))*time.Second, func() {}))
	h := w.asks("maria", "shop")
	w.until("it rings", func() bool { return sounds() == before+1 })
	assert.Equal(t, "ann", w.now(h.ID).Offers[0].Agent)
	assert.True(t, js[bool](p, `document.hidden`))
	assert.Zero(t, left.Load(), "it left")
	over.focused(false)
	p.front()
	p.sees("This is for you")
	p.axe()
	assert.Zero(t, left.Load(), "it left when it was seen again")
	p.spare("it has gone")
	p.do(chromedp.Navigate("about:blank"))
	w.until("a page that goes says so", func() bool { return left.Load() == 1 })
}
