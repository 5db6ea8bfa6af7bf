package browsertest

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDesk35Links: only addresses of the web become links, and what is shown
// says where they lead.
func TestDesk35Links(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	texts := []struct {
		said  string
		links string // the addresses, joined
		shows string
	}{
		{said: "javascript:alert(1)"},
		{said: "JaVaScRiPt:alert(1)//https"},
		{said: "data:text/html,<b>x</b>"},
		{said: "//evil.example/x"},
		{said: "ftp://files.example/x"},
		{said: "https://user:pass@evil.example/"},
		{said: "https://" + "long.example/" + strings.Repeat("a", 10<<10)},
		{said: "see (https://ok.example/a?b=c#d).", links: "https://ok.example/a?b=c#d"},
		{said: "HTTP://OK.EXAMPLE/ and https://two.example/", links: "http://ok.example/ https://two.example/", shows: "(ok.example)"},
		{said: "https://аpple.com/login", links: "https://xn--pple-43d.com/login", shows: "(xn--pple-43d.com)"}, // the first letter is Cyrillic
		{said: "https://ok.example/\u202egpj.exe", links: "https://ok.example/", shows: "▯gpj.exe"},
		{said: "https://ok.example/\"onclick=\"alert(1)", links: "https://ok.example/"},
	}
	for _, x := range texts {
		w.says("maria", x.said)
	}
	p := w.at("ann", "c/"+token(h))
	p.sees("onclick=")
	const last = `[...document.querySelectorAll('.entry.user')].slice(-§)`
	links := js[[]string](p, last+`.map((e) => [...e.querySelectorAll('a')].map((a) => a.href).join(' '))`, len(texts))
	shown := js[[]string](p, last+`.map((e) => e.innerText)`, len(texts))
	require.Len(t, links, len(texts))
	for i, x := range texts {
		assert.Equal(t, x.links, links[i], "%.60s", x.said)
		assert.Contains(t, shown[i], x.shows, "%.60s", x.said)
	}
	assert.True(t, js[bool](p, `[...document.querySelectorAll('.entry a')].every((a) => a.target === '_blank' && a.relList.contains('noopener') && a.relList.contains('noreferrer'))`))
	assert.LessOrEqual(t, p.wide(), 0, "the page scrolls sideways")
}

// TestTranscriptIsWhole: what is said while a conversation is being opened is
// shown with what was said before.
func TestTranscriptIsWhole(t *testing.T) {
	asked, goOn := make(chan struct{}, 9), make(chan struct{})
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/log") {
				asked <- struct{}{}
				<-goOn
			}
			next.ServeHTTP(rw, r)
		})
	}})
	h := w.has("ann", "maria", "billing")
	w.says("maria", "the first")
	p := w.at("ann", "?tab=mine")
	p.goes("c/" + token(h) + "?tab=mine")
	<-asked
	w.says("maria", "the second")
	p.until("the page has heard of it", `document.querySelector('.list').textContent.includes('the second')`)
	close(goOn)
	p.until("all is there", `document.querySelector('.transcript')?.textContent.match(/the first.*the second/s)`)
}

// TestGapIsFilled: what the stream did not bring, and the list said nothing of,
// is missed with what comes next. It is read, and stands where it belongs, once.
func TestGapIsFilled(t *testing.T) {
	var lost, reads atomic.Int32
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/api/events"):
				rw = &leaky{rw, &lost}
			case strings.HasSuffix(r.URL.Path, "/log") && r.URL.Query().Get("after") != "":
				reads.Add(1)
			}
			next.ServeHTTP(rw, r)
		})
	}})
	h := w.has("ann", "maria", "billing")
	w.says("maria", "line 1")
	p := w.at("ann", "c/"+token(h))
	const lines = `[...document.querySelectorAll('.entry.user .text')].map((e) => e.textContent).filter((s) => s.startsWith('line')).join()`
	p.until("it is open", lines+` === 'line 1'`)
	w.says("maria", "line 2")
	p.until("it comes by the stream", lines+` === 'line 1,line 2'`)
	before := reads.Load()
	for _, text := range []string{"line 3, lost on its way", "line 4, lost on its way"} {
		n := lost.Load()
		w.says("maria", text)
		w.until("it is lost", func() bool { return lost.Load() > n })
	}
	w.says("maria", "line 5")
	p.sees("line 5")
	const whole = "line 1,line 2,line 3, lost on its way,line 4, lost on its way,line 5"
	p.until("what was lost is there", lines+` === §`, whole)
	assert.Greater(t, reads.Load(), before, "it was asked for")
	w.says("maria", "line 6")
	p.until("it goes on", lines+` === §`, whole+",line 6")
}

// A leaky stream loses the events that say that they are lost.
type leaky struct {
	http.ResponseWriter
	lost *atomic.Int32 // entries
}

func (l *leaky) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *leaky) Write(b []byte) (int, error) {
	for event := range bytes.SplitAfterSeq(b, []byte("\n\n")) {
		switch {
		case !bytes.Contains(event, []byte("lost on its way")):
			if _, err := l.ResponseWriter.Write(event); err != nil {
				return 0, err
			}
		case bytes.Contains(event, []byte("event: entries\n")):
			l.lost.Add(1)
		}
	}
	return len(b), nil
}

// A listener hears what a screen reader says of live regions: what is added to
// one, unless it is busy.
const listener = `(() => {
	self.heard = [];
	const region = (n) => (n.nodeType === 1 ? n : n.parentElement)?.closest('[role=log], [role=status], [role=alert], [aria-live]');
	new MutationObserver((list) => {
		for (const m of list) {
			const added = m.type === 'characterData' ? [m.target] : [...m.addedNodes];
			for (const n of added) {
				const live = region(m.target) ?? (n.nodeType === 1 && n.matches('[role=alert]') ? n : null);
				if (!live || live.closest('[aria-busy=true]') || live.ariaLive === 'off') continue;
				if (n.textContent.trim()) self.heard.push(n.textContent.trim());
			}
		}
	}).observe(document.body, { subtree: true, childList: true, characterData: true });
	return true;
})()`

// spans are rows of the details that are there only when they are not zero.
var spans = regexp.MustCompile(`(?m)^ *term (Waited|First reply|With agents)\n.*\n.*\n.*\n`)

// told is what the user was told, of which a place may or may not be.
var told = regexp.MustCompile(`(?m)^ *StaticText Shown to the user:\n *StaticText\n *StaticText .*\n *time\n *StaticText …\n`)

// TestDesk28ScreenReader: opening a conversation says whose it is and not all
// that was ever said in it; a message that comes is said once. The tree that a
// screen reader walks is compared with what it was.
func TestDesk28ScreenReader(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	p := w.at("ann", "?tab=mine")
	p.until("she is there", `document.querySelector('.button.presence .label').innerText === 'Available'`)
	h := w.has("ann", "maria", "billing")
	for _, text := range []string{"old one", "old two", "old three"} {
		w.says("maria", text)
	}
	p.sees("old three")
	js[bool](p, listener)
	heard := func(text string) int {
		return js[int](p, `self.heard.filter((s) => s.includes(§)).length`, text)
	}
	p.click("Maria Keller")
	p.sees("old three")
	p.until("its title is said", `self.heard.some((s) => s.includes('Maria Keller'))`)
	assert.Zero(t, heard("old one"), "what was said long ago: %v", js[[]string](p, `self.heard`))
	assert.Zero(t, heard("about my order"))
	assert.True(t, js[bool](p, `document.title.includes('Maria Keller')`))

	w.says("maria", "a new one")
	p.until("it is said", `self.heard.some((s) => s.includes('a new one'))`)
	p.reply("an answer")
	w.until("it was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
	w.says("maria", "another")
	p.until("it is said", `self.heard.some((s) => s.includes('another'))`)
	assert.Equal(t, 1, heard("a new one"), "once: %v", js[[]string](p, `self.heard`))
	assert.Equal(t, 1, heard("another"))
	p.axe()

	// No clock is a live region.
	assert.True(t, js[bool](p, `[...document.querySelectorAll('.clock')].every((e) => !e.closest('[role=log], [role=status], [role=alert], [aria-live]') || e.closest('[role=log]') && e.matches('time'))`))
	p.until("she is there", `document.querySelector('.button.presence .label').innerText === 'Available'`)
	compare(t, "conversation", told.ReplaceAllString(spans.ReplaceAllString(p.tree(), ""), ""))
}
