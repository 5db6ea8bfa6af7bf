package browsertest

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	browsers "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
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

// A planted conversation holds one payload in each of its fields.
type planted struct {
	in  handoff.Incoming
	req handoff.Request
	bot handoff.Message
	end handoff.Ending
}

// fields are all that a user, his device, the bot and its host can fill. The
// field numbered k of the conversation numbered i holds payload i+k, so that over
// all conversations each field holds each payload. Names are held to one line.
var fields = []struct {
	name string
	line bool
	set  func(p *planted, v string)
}{
	{"message", false, func(p *planted, v string) { p.in.Text = v }},
	{"user's id", true, func(p *planted, v string) { p.in.User.ID = v }},
	{"user's name", true, func(p *planted, v string) { p.in.User.Name = v }},
	{"user's mail", true, func(p *planted, v string) { p.in.User.Mail = v }},
	{"user's phone", true, func(p *planted, v string) { p.in.User.Phone = v }},
	{"attribute's name", true, func(p *planted, v string) { p.in.User.Attributes = map[string]string{v: "x"} }},
	{"attribute", false, func(p *planted, v string) { p.in.User.Attributes["plan"] = v }},
	{"channel", true, func(p *planted, v string) { p.in.Channel = v }},
	{"language", true, func(p *planted, v string) { p.in.Language = v }},
	{"address of the page", false, func(p *planted, v string) { p.in.URL = v }},
	{"file's name", false, func(p *planted, v string) { p.in.Files = []handoff.File{{Name: v, Type: "text/html"}} }},
	{"file's type", true, func(p *planted, v string) { p.in.Files[0].Type = v }},
	{"file's address", false, func(p *planted, v string) { p.in.Files[0].URL = v }},
	{"bot's message", false, func(p *planted, v string) { p.bot.Text = v }},
	{"reason", true, func(p *planted, v string) { p.req.Reason = handoff.Reason(v) }},
	{"note", false, func(p *planted, v string) { p.req.Note = v }},
	{"summary", false, func(p *planted, v string) { p.req.Summary = v }},
	{"flag", true, func(p *planted, v string) { p.req.Flags = []string{v} }},
	{"tag", true, func(p *planted, v string) { p.req.Tags = []string{v} }},
	{"answer's name", true, func(p *planted, v string) { p.req.Answers = map[string]string{v: "x"} }},
	{"answer", false, func(p *planted, v string) { p.req.Answers["order"] = v }},
	{"data's name", true, func(p *planted, v string) { p.req.Data = map[string]string{v: "x"} }},
	{"data", false, func(p *planted, v string) { p.req.Data["key"] = v }},
	{"how it ended", true, func(p *planted, v string) { p.end.Reason = v }},
}

// kinds are the ways in which a conversation can stand at the desk, each with
// where it is opened.
var kinds = []struct {
	name string
	open string // %s is its address
	make func(w *world, p *planted, h handoff.Handoff) error
}{
	{"with the bot", "bots?c=%s", func(*world, *planted, handoff.Handoff) error { return nil }},
	{"waiting", "c/%s", func(w *world, p *planted, _ handoff.Handoff) error { return w.request(p) }},
	{"talked to", "c/%s?tab=mine", func(w *world, p *planted, h handoff.Handoff) error {
		if err := w.request(p); err != nil {
			return err
		}
		if _, err := w.engine.TakeOver(w.ctx, h.ID, handoff.BySupervisor("sam"), ""); err != nil {
			return err
		}
		_, err := w.engine.Send(w.ctx, h.ID, handoff.By("sam"), handoff.Message{Text: p.in.Text})
		return err
	}},
	{"over", "c/%s?tab=closed", func(w *world, p *planted, h handoff.Handoff) error {
		if err := w.request(p); err != nil {
			return err
		}
		if _, err := w.engine.TakeOver(w.ctx, h.ID, handoff.BySupervisor("sam"), ""); err != nil {
			return err
		}
		if _, err := w.engine.End(w.ctx, h.ID, handoff.By("sam"), p.end); err != nil {
			return err
		}
		_, err := w.engine.Rate(w.ctx, h.ID, 3, p.in.Text)
		return err
	}},
}

func (w *world) request(p *planted) error {
	p.req.Conversation, p.req.Queue = p.in.Conversation, "shelf"
	got, err := w.engine.Request(w.ctx, p.req)
	if err != nil {
		return err
	}
	if _, err := w.engine.Whisper(w.ctx, got.Handoff.ID, handoff.BySupervisor(p.in.User.ID), p.req.Note); err != nil && !errors.Is(err, handoff.ErrState) {
		return err
	}
	_, err = w.engine.Note(w.ctx, got.Handoff.ID, handoff.BySupervisor(p.in.User.ID), p.req.Note)
	return err
}

// evil returns a payload that is a value of a field; one that is a name holds no
// control characters and at most 500 bytes.
func evil(i int, line bool) string {
	s := strings.ReplaceAll(payloads[i%len(payloads)], "\u0000", "")
	if line {
		s = strings.NewReplacer("\n", " ", "\t", " ").Replace(s)
		s = strings.TrimSpace(clip(s, 500))
	}
	return s
}

func clip(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }

// printable is the beginning of what can be seen of a text.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < '!' || r > '~' {
			return -1
		}
		return r
	}, s)
	return clip(s, 12)
}

// plant makes a conversation of a kind. What the engine refuses at its door (an
// address that is none) is left out: nobody gets to see it.
func (w *world) plant(i int, kind string, begin func(*world, *planted, handoff.Handoff) error) handoff.Handoff {
	w.t.Helper()
	p := planted{in: handoff.Incoming{Conversation: fmt.Sprintf("%s %s %d", clip(evil(i, true), 400), kind, i), ID: "x", User: &handoff.Contact{}}}
	for k, f := range fields {
		f.set(&p, evil(i+k, f.line))
	}
	turn, err := w.engine.Receive(w.ctx, p.in)
	for range 3 { // by field, as the engine names it
		var bad *handoff.InvalidError
		if !errors.As(err, &bad) {
			break
		}
		switch {
		case strings.Contains(bad.Field, "URL") && strings.Contains(bad.Field, "Files"):
			p.in.Files[0].URL = ""
		case strings.Contains(bad.Field, "URL"):
			p.in.URL = ""
		case strings.Contains(bad.Field, "Language"):
			p.in.Language = "en"
		case strings.Contains(bad.Field, "File"):
			p.in.Files = nil
		default:
			require.NoError(w.t, err)
		}
		turn, err = w.engine.Receive(w.ctx, p.in)
	}
	require.NoError(w.t, err)
	_, err = w.engine.Reply(w.ctx, turn, p.bot)
	require.NoError(w.t, err)
	h, err := w.engine.Latest(w.ctx, p.in.Conversation)
	require.NoError(w.t, err)
	require.NoError(w.t, begin(w, &p, h), "%s %d", kind, i)
	return w.now(h.ID)
}

// clean looks for anything on the page that came from text.
func (p *page) clean(where string) {
	p.t.Helper()
	got := js[map[string]any](p, `(() => ({
		hits: self.hits ?? 0,
		foreign: [...document.querySelectorAll('body script:not(#boot), iframe, object, embed, img, video, audio, body style, base, body meta, form[action], math, template, marquee, #desk [style]:not(.composer textarea, .popup), [srcdoc]')].map((e) => e.outerHTML.slice(0, 100)),
		handlers: [...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames().filter((n) => n.startsWith('on'))),
		links: [...document.querySelectorAll('a[href]')].map((a) => a.href).filter((h) => !/^https?:/.test(h)),
		out: [...document.querySelectorAll('a[target=_blank]')].filter((a) => !a.rel.includes('noopener') || new URL(a.href).username).map((a) => a.href),
		svg: [...document.querySelectorAll('svg script, svg a, svg animate, svg foreignObject')].map((e) => e.outerHTML.slice(0, 100)),
	}))()`)
	assert.EqualValues(p.t, 0, got["hits"], where)
	for _, key := range []string{"foreign", "handlers", "links", "out", "svg"} {
		assert.Empty(p.t, got[key], "%s: %s", where, key)
	}
	assert.LessOrEqual(p.t, p.wide(), 0, "%s: the page scrolls sideways: %s", where, js[[]string](p, `[...document.querySelectorAll('main *')].filter((e) => !e.closest('.tablebox') && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 6).map((e) => { let s = ''; for (let x = e; x && s.length < 160; x = x.parentElement) s += ' < ' + x.tagName + '.' + x.className; return s; })`))
}

// TestDesk34XSS puts every payload into every field that a user, an agent, a
// vendor or the host can fill, and shows every kind of conversation, every page,
// title, notification and export. Nothing runs, no element comes from text,
// nothing becomes a link that is none, and the layout holds. CI opens every
// third conversation of each kind; make browser-long opens all.
func TestDesk34XSS(t *testing.T) {
	require.GreaterOrEqual(t, len(payloads), 60)
	step := 3
	if os.Getenv("HANDOFF_BROWSER_LONG") != "" {
		step = 1
	}
	rules := make([]automate.Rule, len(payloads))
	agents := []handoff.Agent{{ID: "sam", Name: evil(2, true), Seats: 1000}, {ID: "ada", Name: "Ada", Seats: 1}}
	var list evilReplies
	for i := range payloads {
		n := fmt.Sprint("p", i)
		rules[i] = automate.Rule{
			Name: clip(n+strings.ReplaceAll(evil(i, true), "/", ""), 90), Button: clip(evil(i+1, true), 50),
			Do: []automate.Action{{Note: strings.NewReplacer("{", "(", "}", ")").Replace(evil(i+2, false))}},
		}
		agents = append(agents, handoff.Agent{ID: n + evil(i, true), Name: evil(i+1, true), Alias: evil(i+2, true), Queues: []string{"shelf"}, Skills: map[string]int{evil(i+3, true): 1}, Languages: []string{"en"}, Seats: 1})
		list = append(list, canned.Reply{Name: n, Category: evil(i+1, true), Text: evil(i, false)})
	}
	auto, err := automate.New(rules, automate.Options{})
	require.NoError(t, err)
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.CRM = evilCRM(func(i int) string { return evil(i, true) })
		c.Directory = memstore.NewDirectory(agents...)
		c.Queues = append(c.Queues, handoff.Queue{Name: "shelf", Style: handoff.Pull, Target: time.Minute})
	}, desk: func(c *desk.Config) {
		c.Title, c.Tags, c.Replies, c.Automations = evil(6, false), []string{evil(0, true), evil(1, true)}, list, auto
	}})
	auto.Use(w.engine)
	w.available("sam")
	w.actor("sam", func(a *desk.Actor) { a.Name = evil(2, true) })
	all := map[string][]handoff.Handoff{}
	for i := range payloads {
		for _, k := range kinds {
			all[k.name] = append(all[k.name], w.plant(i, k.name, k.make))
		}
	}
	p := w.at("sam", "")
	js[bool](p, `(self.hits = 0, self.hit = () => { self.hits++; }, true)`)
	js[bool](p, rings)
	at := "/sam/"
	goTo := func(p *page, path string) {
		js[bool](p, `(history.pushState(null, '', new URL(§, new URL(§, location.origin))), dispatchEvent(new PopStateEvent('popstate')), true)`, path, at)
	}
	p.clean("inbox")
	for k, kind := range kinds {
		for i := k % step; i < len(payloads); i += step {
			where := fmt.Sprintf("%s, %d %.40q", kind.name, i, evil(i, false))
			goTo(p, fmt.Sprintf(kind.open, address(all[kind.name][i].ID)))
			p.until(where+" is open, and what was written is shown", `document.querySelector('.details')?.textContent.includes(§) && document.querySelectorAll('.details section').length >= 3 &&
				document.querySelector('.transcript')?.textContent.replace(/[^!-~]+/g, '').includes(§)`, fmt.Sprintf("%s %d#1", kind.name, i), printable(evil(i, false)))
			p.clean(where)
		}
	}
	for _, path := range []string{"board", "bots", "history", "stats", "settings", "?tab=mine", "?tab=all", "?tab=closed", "?tab=new&q=<script>hit()</script>"} {
		goTo(p, path)
		wait(300 * time.Millisecond)
		p.clean(path)
	}
	// Titles and notifications are text. A message comes while nobody looks.
	js[bool](p, `(document.hasFocus = () => false, true)`)
	p.permit(w.server.URL, browsers.PermissionSettingGranted)
	goTo(p, "settings")
	p.click("Show notifications while this page is not in front")
	for i := range 3 {
		h := all["talked to"][i]
		w.says(h.ID.Conversation, evil(i, false), func(in *handoff.Incoming) { in.User = nil })
		p.until("it is told", `shown.length > §`, i)
		p.clean("a notification")
	}
	assert.Contains(t, js[string](p, `shown[0].title + shown[0].body`), evil(0, false), "as it was written")
	// Whoever manages sees agents, replies and rules.
	at = "/ada/"
	a := w.at("ada", "admin")
	a.until("all is read", `document.querySelectorAll('.page section').length >= 5 && document.querySelectorAll('ul.lines li').length > 100`)
	a.clean("admin")
	exported(t, w, p)
}

// exported opens what is taken away in a page that nothing protects.
func exported(t *testing.T, w *world, p *page) {
	t.Helper()
	html := js[string](p, `fetch('/sam/api/export/html').then((r) => r.text())`)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = rw.Write([]byte(strings.Replace(html, "<head>", "<head><script>self.hits = 0; self.hit = () => { self.hits++; }; self.here = 1</script>", 1)))
	}))
	t.Cleanup(server.Close)
	x := tab(browser.ctx, t, server.URL, chromedp.WithNewBrowserContext()).open("/")
	require.True(t, js[bool](x, `self.here === 1 && document.body.textContent.length > 10000`), "the export can be opened")
	assert.Zero(t, js[int](x, `self.hits`))
	assert.Empty(t, js[[]string](x, `[...document.querySelectorAll('body script, iframe, object, embed, img, video, audio, base, body meta, form, math, template, marquee, svg, input, details:not([class]), a[href]:not([href^="http"])')].map((e) => e.outerHTML.slice(0, 100))`))
	assert.Empty(t, js[[]string](x, `[...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames().filter((n) => n.startsWith('on')))`))
	rows, err := csv.NewReader(strings.NewReader(js[string](p, `fetch('/sam/api/export/csv').then((r) => r.text())`))).ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), len(payloads))
	for _, row := range rows {
		for _, cell := range row {
			assert.False(t, cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])), "a spreadsheet computes %q", cell)
		}
	}
	for line := range strings.Lines(js[string](p, `fetch('/sam/api/export/ndjson').then((r) => r.text())`)) {
		assert.True(t, json.Valid([]byte(line)), "%.100s", line)
	}
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
