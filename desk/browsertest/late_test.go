package browsertest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// A deaf stream loses what lists would show, for as long as it is on.
type deaf struct {
	http.ResponseWriter
	on *atomic.Bool
}

func (d *deaf) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d *deaf) Write(b []byte) (int, error) {
	for event := range bytes.SplitAfterSeq(b, []byte("\n\n")) {
		if d.on.Load() && bytes.Contains(event, []byte("event: rows\n")) {
			continue
		}
		if _, err := d.ResponseWriter.Write(event); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// isOne reports whether a request reads one conversation.
func isOne(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/api/handoffs/") && strings.Count(r.URL.Path, "/") == 4
}

// deafWorld is one in which pages hear nothing of rows while that is on, and
// where what they ask about a conversation is not answered; what they send waits
// for the channel, where there is one.
func deafWorld(t *testing.T, send <-chan struct{}) (w *world, on *atomic.Bool) {
	t.Helper()
	on = &atomic.Bool{}
	return newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/api/events"):
				rw = &deaf{rw, on}
			case on.Load() && isOne(r):
				<-r.Context().Done()
				return
			case send != nil && strings.HasSuffix(r.URL.Path, "/messages"):
				<-send
			}
			next.ServeHTTP(rw, r)
		})
	}}), on
}

// TestDesk02RefusalSaysHowItIs: who is refused because another was faster sees
// at once how it is now, also where the list has not heard of it.
func TestDesk02RefusalSaysHowItIs(t *testing.T) {
	w, on := deafWorld(t, nil)
	w.available("bob")
	h := w.asks("maria", "billing")
	p := w.at("bob", "c/"+token(h))
	p.expects("409")
	p.sees("Nobody has taken this yet.")
	on.Store(true)
	_, err := w.engine.TakeOver(w.ctx, h.ID, handoff.By("ann"), "billing")
	require.NoError(t, err)
	p.click("Accept")
	p.until("it is Ann's", `document.querySelector('.banner.watch')?.textContent.includes('Ann Moreau')`)
	p.until("it no longer waits", `!document.querySelector('.list a.row') && ![...document.querySelectorAll('button')].some((b) => b.textContent === 'Accept')`)
}

// TestDesk21RefusalSaysHowItIs: who writes to somebody whom another has by now
// is told so, keeps what he wrote, and cannot go on.
func TestDesk21RefusalSaysHowItIs(t *testing.T) {
	send := make(chan struct{})
	w, on := deafWorld(t, send)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h)+"?tab=mine")
	p.expects("409")
	p.reply("what I wanted to say")
	p.until("it is on its way", `document.querySelector('.entry.pending')`)
	on.Store(true)
	_, err := w.engine.TakeOver(w.ctx, h.ID, handoff.BySupervisor("sam"), "billing")
	require.NoError(t, err)
	close(send)
	p.until("it is Sam's", `document.querySelector('.banner.watch')?.textContent.includes('Sam Okafor')`)
	p.until("she can write no reply", `!document.querySelector('.composer.reply')`)
	p.until("it is not among hers", `!document.querySelector('.list a.row')`)
	p.until("what she wrote is there", `document.querySelector('.entry.pending.failed')?.textContent.includes('what I wanted to say')`)
	assert.Empty(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
}

// TestDesk19LateEcho: a draft as it was some time ago, read then and answered
// late, does not take the place of what was written since.
func TestDesk19LateEcho(t *testing.T) {
	var held atomic.Bool
	read, goOn := make(chan struct{}), make(chan struct{})
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !isOne(r) || !held.CompareAndSwap(true, false) {
				next.ServeHTTP(rw, r)
				return
			}
			late := httptest.NewRecorder()
			next.ServeHTTP(late, r)
			close(read)
			<-goOn
			_, _ = rw.Write(late.Body.Bytes())
		})
	}})
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	const agreed = `Object.entries(localStorage).some(([k, v]) => k.includes(':drafted:') && JSON.parse(v).text === §)`
	p.clickOn(".composer textarea")
	p.write("some time ago")
	p.until("the server has it", agreed, "some time ago")
	held.Store(true)
	w.says("maria", "my address is new", func(in *handoff.Incoming) { in.User.Mail = "maria@example.com" })
	<-read
	p.write(", and since")
	p.until("the server has that too", agreed, "some time ago, and since")
	close(goOn)
	p.sees("maria@example.com")
	js[bool](p, `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => r(true), 200))))`) // what follows from it was done by then
	assert.Equal(t, "some time ago, and since", js[string](p, `document.querySelector('.composer textarea').value`))
}
