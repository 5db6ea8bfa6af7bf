package browsertest

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	lifecycle "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// before runs a script in every page of a tab before those of the page.
func (p *page) before(script string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, lifecycle.AddScriptToEvaluateOnNewDocument, lifecycle.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	require.NoError(p.t, err)
}

// TestDesk16TabsWithoutLocks: a browser that has no Web Locks, as over plain HTTP,
// shares no stream among its tabs. Four have their own and those above them poll:
// all are live, and none keeps the others from asking for anything, for which a
// browser has six connections.
func TestDesk16TabsWithoutLocks(t *testing.T) {
	var streams, left atomic.Int32
	w := newWorld(t, leaving(&left), options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/api/events") {
				streams.Add(1)
				defer streams.Add(-1)
			}
			next.ServeHTTP(rw, r)
		})
	}})
	w.available("ann")
	var tabs []*page
	first := w.as("ann")
	for i := range 7 {
		p := first
		if i > 0 {
			p = tab(first.ctx, t, first.url)
		}
		p.expects("501")
		p.before(`Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })`)
		tabs = append(tabs, p.open("").live())
		how := "Live"
		if i >= 4 {
			how = "Live (polling)"
		}
		p.until("it is "+how, `document.querySelector('.live').innerText.trim() === §`, how)
	}
	w.until("four have a stream", func() bool { return streams.Load() == 4 })

	h := w.asks("maria", "billing")
	for _, p := range tabs {
		p.sees("Maria Keller")
	}
	polls := tabs[6]
	polls.click("Maria Keller")
	polls.click("Accept")
	polls.until("she has it", `document.querySelector('.composer.reply')`)
	w.says("maria", "are you there?")
	polls.sees("are you there?")
	polls.reply("I am")
	w.until("it was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	for _, p := range tabs {
		p.until("it waits no more", `document.querySelector('.tabs a[href*="tab=mine"] .count')?.textContent === '1'`)
	}

	// Each tab that closes says so; the browser is still there.
	for i, p := range tabs[:3] {
		p.do(chromedp.Navigate("about:blank"))
		p.spare("it has closed")
		w.until("it has said that it goes", func() bool { return left.Load() == int32(i+1) })
	}
	assert.Equal(t, handoff.Online, w.availability("ann"))
	w.asks("lee", "billing")
	for _, p := range tabs[3:6] { // the last shows what is hers
		p.sees("Lee Wong")
	}
}
