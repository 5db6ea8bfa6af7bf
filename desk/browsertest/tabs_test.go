package browsertest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDesk16TwoTabs: two tabs of one browser have one draft of a conversation. What
// one writes the other shows, and a tab that goes leaves nothing behind of what
// the other has sent.
func TestDesk16TwoTabs(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	one := w.at("ann", "c/"+token(h))
	two := tab(one.ctx, t, one.url).open("c/" + token(h)).live()
	const field = `document.querySelector('.composer textarea')`
	two.clickOn(".composer textarea")
	two.write("I look it up")
	one.until("the other shows it", field+`?.value === 'I look it up'`)
	one.clickOn(".composer textarea")
	one.write(".")
	two.until("and so does the first", field+`.value === 'I look it up.'`)
	one.key(kb.Enter)
	w.until("it was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	two.until("it is no draft any more", field+`.value === ''`)
	two.open("settings").live()
	two.open("c/" + token(h)).live()
	two.until("nor later", field+`?.value === ''`)
}

// TestDesk41SettingsOfAllTabs: what is set in one tab holds in those that are
// open, of which one rings for all.
func TestDesk41SettingsOfAllTabs(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	one := w.at("ann", "settings")
	two := tab(one.ctx, t, one.url).open("settings").live()
	const heard = `[...document.querySelectorAll('.switch')].find((e) => e.textContent.includes('When somebody is waiting')).querySelector('input')`
	one.until("it rings", heard+`.checked`)
	two.click("When somebody is waiting")
	two.until("it is switched off", `!`+heard+`.checked`)
	one.until("in the other too", `!`+heard+`.checked`)
	js[bool](two, `(() => { const s = document.querySelectorAll('.panel select')[1]; s.value = 'compact'; s.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	one.until("and so is how close things stand", `document.documentElement.dataset.density === 'compact'`)
	assert.False(t, js[bool](one, heard+`.checked`))
}

// TestDeskLeadsWhileItReads: a tab that takes the lead while it still reads what is
// there shows what came between that and its own stream.
func TestDeskLeadsWhileItReads(t *testing.T) {
	var snapshot, stream atomic.Bool // the next one is held back
	read, asked, answer, begin := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/api/snapshot") && snapshot.CompareAndSwap(true, false):
				late := httptest.NewRecorder()
				next.ServeHTTP(late, r)
				close(read)
				<-answer
				rw.Header().Set("Content-Type", "application/json")
				_, _ = rw.Write(late.Body.Bytes())
				return
			case strings.HasSuffix(r.URL.Path, "/api/events") && stream.CompareAndSwap(true, false):
				close(asked)
				<-begin
			}
			next.ServeHTTP(rw, r)
		})
	}})
	h := w.asks("maria", "billing")
	one, bob := w.at("ann", ""), w.at("bob", "")
	const tagged = `document.querySelector('a.row')?.textContent.includes('vip')`
	one.sees("Maria Keller")
	two := tab(one.ctx, t, one.url)
	two.before(`
		const read = ReadableStreamDefaultReader.prototype.read;
		ReadableStreamDefaultReader.prototype.read = function () { return read.call(this).then((x) => { self.anew ||= /^event: reset/m.test(x.value); return x; }); };`)
	snapshot.Store(true)
	two.open("")
	<-read
	stream.Store(true)
	one.do(chromedp.Navigate("about:blank"))
	one.spare("it was left")
	<-asked
	_, err := w.engine.Tag(w.ctx, h.ID, handoff.By("bob"), []string{"vip"}, nil)
	require.NoError(t, err)
	bob.until("all streams have been told", tagged)
	close(begin)
	two.until("its stream has begun", `self.anew`)
	close(answer)
	two.until("what happened meanwhile is there", tagged)
}
