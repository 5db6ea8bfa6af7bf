package browsertest

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/desk"
)

// payloads are what somebody may write who wants a page to run something.
var payloads = []string{
	`<script>hit()</script>`, `<img src=x onerror=hit()>`, `<svg onload=hit()>`, `<svg/onload=hit()>`, `"><script>hit()</script>`, `'><img src=x onerror=hit()>`,
	`</script><script>hit()</script>`, `</title><script>hit()</script>`, `</textarea><script>hit()</script>`, `</style><script>hit()</script>`, `<!--><script>hit()</script>`,
	`<iframe src="javascript:parent.hit()"></iframe>`, `<iframe srcdoc="<script>parent.hit()</script>"></iframe>`, `<object data="javascript:hit()"></object>`, `<embed src="javascript:hit()">`,
	`<a href="javascript:hit()">x</a>`, `javascript:hit()`, `JaVaScRiPt:hit()`, "java\nscript:hit()", "java\tscript:hit()", ` javascript:hit()`, `data:text/html,<script>hit()</script>`,
	`vbscript:hit()`, `<body onload=hit()>`, `<input autofocus onfocus=hit()>`, `<select autofocus onfocus=hit()>`, `<textarea autofocus onfocus=hit()>`, `<video><source onerror=hit()>`,
	`<audio src=x onerror=hit()>`, `<details open ontoggle=hit()>`, `<marquee onstart=hit()>`, `<math><mtext><table><mglyph><style><img src=x onerror=hit()>`, `<form action="javascript:hit()"><button>x</button></form>`,
	`<button formaction="javascript:hit()">x</button>`, `<base href="https://evil.example/">`, `<link rel=stylesheet href="https://evil.example/x.css">`, `<meta http-equiv=refresh content="0;url=javascript:hit()">`,
	`<style>@import 'https://evil.example/x.css'</style>`, `<div style="background:url(javascript:hit())">x</div>`, `<template><script>hit()</script></template>`, `<noscript><img src=x onerror=hit()></noscript>`,
	`<svg><script>hit()</script></svg>`, `<svg><a xlink:href="javascript:hit()"><text>x</text></a></svg>`, `<svg><animate onbegin=hit() attributeName=x dur=1s>`, `<svg><foreignObject><img src=x onerror=hit()></foreignObject></svg>`,
	"{{constructor.constructor('hit()')()}}", "${hit()}", "`${hit()}`", `'-hit()-'`, `";hit();//`, `\";hit();//`, `\u003cscript\u003ehit()\u003c/script\u003e`, `&lt;script&gt;hit()&lt;/script&gt;`, `&#60;script&#62;hit()&#60;/script&#62;`,
	`%3Cscript%3Ehit()%3C/script%3E`, `+ADw-script+AD4-hit()+ADw-/script+AD4-`, "<scr\u0000ipt>hit()</script>", "<\u200bscript>hit()</script>", "\u202e<script>hit()</script>", `<x onclick=hit() tabindex=0 autofocus onfocus=hit()>`,
	`__proto__`, `constructor`, `https://evil.example/"onmouseover="hit()`, `https://evil.example/<script>hit()</script>`, `https://user:pass@evil.example/`, `//evil.example/x`, strings.Repeat("W", 5000), strings.Repeat("<b>", 300),
}

// evilReplies are prepared replies that nobody has checked.
type evilReplies []canned.Reply

func (l evilReplies) List(context.Context) ([]canned.Reply, error) { return l, nil }
func (evilReplies) Put(context.Context, canned.Reply) error        { return nil }
func (evilReplies) Delete(context.Context, string, string) error   { return nil }

// TestDesk34XSS puts every payload into every field that a user, an agent, a
// vendor or the host can fill, and shows every page. Nothing runs, no element
// comes from text, nothing becomes a link that is none, and the layout holds.
func TestDesk34XSS(t *testing.T) {
	require.GreaterOrEqual(t, len(payloads), 60)
	evil := func(i int) string { return strings.ReplaceAll(payloads[i%len(payloads)], "\u0000", "") }
	line := func(i int) string { // fields that are names hold no control characters, and 512 bytes
		s := strings.NewReplacer("\n", " ", "\t", " ").Replace(evil(i))
		if len(s) > 500 {
			s = s[:500]
		}
		return s
	}
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.CRM = evilCRM(line) }, desk: func(c *desk.Config) {
		c.Title = evil(6)
		c.Tags = []string{line(0), line(1)}
		var list evilReplies
		for i := range payloads {
			list = append(list, canned.Reply{Name: fmt.Sprint("p", i), Category: line(i + 1), Text: evil(i)})
		}
		c.Replies = list
	}})
	w.available("sam")
	w.actor("sam", func(a *desk.Actor) { a.Name = line(2) })
	var all []handoff.Handoff
	for i := range payloads {
		c := line(i) + " " + fmt.Sprint(i)
		user := &handoff.Contact{ID: line(i), Name: line(i + 1), Mail: line(i + 2), Phone: line(i + 3), Attributes: map[string]string{line(i + 4): evil(i + 5)}}
		turn, err := w.engine.Receive(w.ctx, handoff.Incoming{
			Conversation: c, ID: fmt.Sprint("x", i), Text: evil(i), User: user, Channel: line(i + 1), Language: "en", URL: evil(i + 2),
			Files: []handoff.File{{Name: evil(i), Type: "text/html", URL: evil(i + 3)}},
		})
		if err != nil { // some are refused at the door: then without what was refused
			turn, err = w.engine.Receive(w.ctx, handoff.Incoming{Conversation: c, ID: fmt.Sprint("y", i), Text: evil(i), User: &handoff.Contact{ID: fmt.Sprint("u", i), Name: line(i)}})
		}
		require.NoError(t, err)
		_, err = w.engine.Reply(w.ctx, turn, handoff.Message{Text: evil(i)})
		require.NoError(t, err)
		got, err := w.engine.Request(w.ctx, handoff.Request{
			Conversation: c, Queue: "billing", Reason: handoff.Reason(line(i)), Note: evil(i + 1), Summary: evil(i + 2), Flags: []string{line(i + 3)}, Tags: []string{line(i + 4)},
			Answers: map[string]string{line(i): evil(i + 5)}, Data: map[string]string{line(i + 1): evil(i + 6)},
		})
		require.NoError(t, err, "%q", evil(i))
		all = append(all, got.Handoff)
		_, err = w.engine.Note(w.ctx, got.Handoff.ID, handoff.BySupervisor(line(i)), evil(i))
		require.NoError(t, err)
	}
	p := w.at("sam", "")
	js[bool](p, `(self.hits = 0, self.hit = () => { self.hits++; }, true)`)
	check := func(where string) {
		t.Helper()
		got := js[map[string]any](p, `(() => ({
			hits: self.hits ?? 0,
			foreign: [...document.querySelectorAll('#desk script, #desk iframe, #desk object, #desk embed, #desk img, #desk video, #desk audio, #desk style, #desk base, #desk meta, #desk form[action], #desk math, #desk template, #desk marquee, #desk [style]:not(.composer textarea, .popup), #desk [srcdoc]')].map((e) => e.outerHTML.slice(0, 100)),
			handlers: [...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames().filter((n) => n.startsWith('on'))),
			links: [...document.querySelectorAll('a[href]')].map((a) => a.href).filter((h) => !/^https?:/.test(h)),
			out: [...document.querySelectorAll('a[target=_blank]')].filter((a) => !a.rel.includes('noopener') || new URL(a.href).username).map((a) => a.href),
			svg: [...document.querySelectorAll('#desk svg script, #desk svg a, #desk svg animate, #desk svg foreignObject')].length,
		}))()`)
		assert.EqualValues(t, 0, got["hits"], where)
		for _, key := range []string{"foreign", "handlers", "links", "out"} {
			assert.Empty(t, got[key], "%s: %s", where, key)
		}
		assert.EqualValues(t, 0, got["svg"], where)
		assert.LessOrEqual(t, p.wide(), 0, "%s: the page scrolls sideways: %s", where, js[[]string](p, `[...document.querySelectorAll('main *')].filter((e) => !e.closest('.tablebox') && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 6).map((e) => { let s = ''; for (let x = e; x && s.length < 160; x = x.parentElement) s += ' < ' + x.tagName + '.' + x.className; return s; })`))
	}
	goTo := func(path string) {
		js[bool](p, `(history.pushState(null, '', new URL(§, new URL(§, location.origin))), dispatchEvent(new PopStateEvent('popstate')), true)`, path, "/sam/")
	}
	check("inbox")
	for i := 0; i < len(all); i += 3 {
		goTo("c/" + address(all[i].ID))
		p.until("it is open", `document.querySelector('.transcript .entry')`)
		p.until("the customer is shown", `document.querySelectorAll('.details section').length >= 3`)
		check(fmt.Sprintf("conversation %d %.40q", i, evil(i)))
	}
	for _, path := range []string{"board", "bots", "history", "stats", "settings", "?tab=all", "?tab=new&q=" + "<script>hit()</script>"} {
		goTo(path)
		wait(300 * time.Millisecond)
		check(path)
	}
	// Notifications and titles are text.
	assert.NotContains(t, js[string](p, `document.title`), "\u0000")
	// Exports: a page that is taken away has no element of theirs either.
	html := js[string](p, `fetch('/sam/api/export/html').then((r) => r.text())`)
	assert.NotContains(t, strings.ToLower(html), "<script")
	assert.NotContains(t, strings.ToLower(html), "<img")
}

// address is how the desk names a conversation that is no plain word.
func address(id handoff.ID) string {
	return fmt.Sprintf("%d.~%s", id.Number, base64.RawURLEncoding.EncodeToString([]byte(id.Conversation)))
}

type evilCRM func(i int) string

// Find answers with whatever the payloads are.
func (e evilCRM) Find(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	n := len(who.Name)
	return []handoff.Customer{{Source: e(n), ID: e(n + 1), Name: e(n + 2), Mail: e(n + 3), Phone: e(n + 4), URL: e(n + 5), Fields: []handoff.CustomerField{{Label: e(n + 6), Value: e(n + 7)}}}}, nil
}
