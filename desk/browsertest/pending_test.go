package browsertest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
)

// What becomes of what a page sends.
const (
	passes int32 = iota
	isLost
	losesItsAnswer
)

// lossy loses what pages say, or the answer to it.
func lossy(how *atomic.Int32) options {
	return options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/messages") || strings.HasSuffix(r.URL.Path, "/notes") {
				switch how.Load() {
				case losesItsAnswer:
					next.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				case isLost:
					panic(http.ErrAbortHandler)
				}
			}
			next.ServeHTTP(rw, r)
		})
	}}
}

// TestDesk12ReloadLosesNothing: what could not be sent outlives the page. It goes
// out from the next one, once, wherever that stands, and nothing of it is left.
func TestDesk12ReloadLosesNothing(t *testing.T) {
	var how atomic.Int32
	w := newWorld(t, lossy(&how))
	w.there("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("ERR_")
	var want []string
	for _, c := range []struct {
		text, then string
		how        int32
	}{
		{"the message is lost", "c/" + token(h), isLost},
		{"the answer is lost", "c/" + token(h), losesItsAnswer},
		{"she looks at the list then", "", isLost},
		{"and at the board, where the answer was lost", "history", losesItsAnswer},
	} {
		how.Store(c.how)
		p.open("c/" + token(h)).live()
		p.reply(c.text)
		p.reply(c.text + ", and more")
		want = append(want, c.text, c.text+", and more")
		if c.how == isLost {
			p.until("both wait for the connection", `document.querySelectorAll('.pending.waiting').length === 2`)
			p.do(chromedp.Reload())
			p.until("both are there", `document.querySelectorAll('.pending').length === 2`)
		} else {
			w.until("the server has one", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) > len(want)-2 })
		}
		p.open(c.then).live()
		how.Store(passes)
		w.until("it is sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) >= len(want) })
		p.until("nothing is kept", `!Object.keys(localStorage).some((k) => k.includes('sending:'))`)
		assert.Equal(t, want, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	}
	p.open("c/" + token(h)).live()
	p.until("each is shown once", `document.querySelectorAll('.entry.agent .text').length === §`, len(want))

	how.Store(isLost)
	p.click("Internal note")
	p.clickOn(".composer textarea")
	p.write("a note")
	p.click("Save internal note")
	p.until("it waits", `document.querySelector('.pending.note.waiting')`)
	p.do(chromedp.Reload())
	p.until("it still is a note", `document.querySelector('.pending.note')?.textContent.includes('a note')`)
	how.Store(passes)
	p.until("nothing is on its way", `!document.querySelector('.pending') && document.querySelector('.entry.note')`)
	assert.Equal(t, []string{"a note"}, w.said(h.ID, handoff.KindNote, ""))
	assert.Len(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent), len(want))
}

// TestDesk16OneTabSendsForAll: what one tab could not send the others show, and it
// goes out once though each of them tries.
func TestDesk16OneTabSendsForAll(t *testing.T) {
	var how atomic.Int32
	w := newWorld(t, lossy(&how))
	w.there("ann")
	h := w.has("ann", "maria", "billing")
	one := w.at("ann", "c/"+token(h))
	two := tab(one.ctx, t, one.url).open("c/" + token(h)).live()
	one.expects("ERR_")
	two.expects("ERR_")
	how.Store(isLost)
	one.reply("once")
	for _, p := range []*page{one, two} {
		p.until("it waits", `document.querySelector('.pending.waiting')?.textContent.includes('once')`)
	}
	how.Store(passes)
	for _, p := range []*page{one, two} {
		p.until("it is sent", `!document.querySelector('.pending') && document.querySelectorAll('.entry.agent .text').length === 1`)
	}
	assert.Equal(t, []string{"once"}, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
}

// TestDesk20StaleWhileOffline: what was sent without a connection does not go out
// past what the user has written meanwhile. The agent is shown that first, and asked.
func TestDesk20StaleWhileOffline(t *testing.T) {
	var how atomic.Int32
	w := newWorld(t, lossy(&how))
	w.there("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("ERR_", "409")
	sent := func() []string { return w.said(h.ID, handoff.KindMessage, handoff.RoleAgent) }
	how.Store(isLost)
	p.reply("Shall I cancel it?")
	p.reply("It is free of charge.")
	p.until("they wait", `document.querySelectorAll('.pending.waiting').length === 2`)
	w.says("maria", "I found it, all is well!")
	p.sees("I found it, all is well!")
	how.Store(passes)
	p.until("she is asked", `document.querySelector('.pending.asks')?.textContent.includes('Maria Keller wrote while you were writing')`)
	p.axe()
	p.keep("stale")
	assert.Empty(t, sent())

	// Elsewhere she is told of it, and what she is asked outlives the page too.
	p.open("history").live()
	p.open("c/" + token(h)).live()
	p.until("she still is asked", `document.querySelector('.pending.asks')`)
	assert.Empty(t, sent())
	p.click("Send anyway")
	p.until("nothing is on its way", `!document.querySelector('.pending')`)
	assert.Equal(t, []string{"Shall I cancel it?", "It is free of charge."}, sent())

	how.Store(isLost)
	p.reply("Then good-bye.")
	p.until("it waits", `document.querySelector('.pending.waiting')`)
	w.says("maria", "One more thing")
	p.open("history").live()
	how.Store(passes)
	p.until("she is told where she is", `document.querySelector('.toast.error')?.textContent.includes('Maria Keller wrote')`)
	p.open("c/" + token(h)).live()
	p.click("Discard")
	p.until("nothing is on its way", `!document.querySelector('.pending')`)
	assert.Len(t, sent(), 2)
}
