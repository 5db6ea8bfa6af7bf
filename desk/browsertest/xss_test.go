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
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	browsers "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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

	number int // of the payload it begins with
	note   string
	why    string // an offer was declined, a user was put on hold
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
	{"note of a transfer, and of what is given back", false, func(p *planted, v string) { p.note = v }},
	{"why not, and why to wait", true, func(p *planted, v string) { p.why = v }},
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
		if err := w.taken(p, h); err != nil {
			return err
		}
		h, err := w.engine.Transfer(w.ctx, h.ID, handoff.By("sam"), handoff.Target{Agent: "dora", Warm: true, Note: p.note})
		if err != nil {
			return err
		}
		offer, _ := h.Offer("dora")
		if _, err := w.engine.Decline(w.ctx, h.ID, handoff.By("dora"), offer.Number, p.why); err != nil {
			return err
		}
		if _, err := w.engine.Hold(w.ctx, h.ID, handoff.By("sam"), p.why); err != nil {
			return err
		}
		if _, err := w.engine.Resume(w.ctx, h.ID, handoff.By("sam")); err != nil {
			return err
		}
		_, err = w.engine.Send(w.ctx, h.ID, handoff.By("sam"), handoff.Message{Text: p.in.Text})
		return err
	}},
	{"over", "c/%s?tab=closed", func(w *world, p *planted, h handoff.Handoff) error {
		if err := w.taken(p, h); err != nil {
			return err
		}
		if _, err := w.engine.End(w.ctx, h.ID, handoff.By("sam"), p.end); err != nil {
			return err
		}
		_, err := w.engine.Rate(w.ctx, h.ID, 3, p.in.Text)
		return err
	}},
	{"given back", "c/%s?tab=closed", func(w *world, p *planted, h handoff.Handoff) error {
		if err := w.taken(p, h); err != nil {
			return err
		}
		_, err := w.engine.Return(w.ctx, h.ID, handoff.By("sam"), p.note)
		return err
	}},
	{"on a platform", "c/%s?tab=all", func(w *world, p *planted, _ handoff.Handoff) error { return w.sold(p) }},
}

// taken is a request that Sam has taken.
func (w *world) taken(p *planted, h handoff.Handoff) error {
	if err := w.request(p); err != nil {
		return err
	}
	_, err := w.engine.TakeOver(w.ctx, h.ID, handoff.BySupervisor("sam"), "")
	return err
}

func (w *world) request(p *planted) error {
	p.req.Conversation, p.req.Queue = p.in.Conversation, shelf(p.number)
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

// seeable is what can be seen of a text, printable the beginning of it.
func seeable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '!' || r > '~' {
			return -1
		}
		return r
	}, s)
}

func printable(s string) string { return clip(seeable(s), 12) }

// plant makes a conversation of a kind. What the engine refuses at its door (an
// address that is none) is left out: nobody gets to see it.
func (w *world) plant(i int, kind string, begin func(*world, *planted, handoff.Handoff) error) handoff.Handoff {
	w.t.Helper()
	p := planted{number: i, in: handoff.Incoming{Conversation: fmt.Sprintf("%s %s %d", clip(evil(i, true), 400), kind, i), ID: "x", User: &handoff.Contact{}}}
	for k, f := range fields {
		f.set(&p, evil(i+k, f.line))
	}
	p.in.User.Attributes["number"] = strconv.Itoa(i) // by which the CRM finds him
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

// TestDesk34XSS puts every payload into every field that a user, an agent, a
// vendor or the host can fill, and shows every kind of conversation, every page,
// dialog, title, notification and export. Nothing runs, no element comes from text,
// nothing becomes a link that is none, and the layout holds. CI opens every
// third conversation of each kind; make browser-long opens all.
func TestDesk34XSS(t *testing.T) {
	require.GreaterOrEqual(t, len(payloads), 60)
	step := 3
	if os.Getenv("HANDOFF_BROWSER_LONG") != "" {
		step = 1
	}
	rules := make([]automate.Rule, len(payloads))
	dora := handoff.Agent{ID: "dora", Name: evil(2, true), Seats: 1000}
	agents := []handoff.Agent{{ID: "sam", Name: evil(2, true), Seats: 1000}, {ID: "ada", Name: "Ada", Seats: 1}}
	var (
		list    evilReplies
		queues  []handoff.Queue
		vendors []handoff.Provider
		reasons []string
		form    = handoff.Form{}
	)
	for i := range payloads {
		n := fmt.Sprint("p", i)
		rules[i] = automate.Rule{
			Name: clip(n+strings.ReplaceAll(evil(i, true), "/", ""), 90), Button: clip(evil(i+1, true), 50),
			Do: []automate.Action{{Note: strings.NewReplacer("{", "(", "}", ")").Replace(evil(i+2, false))}},
		}
		agents = append(agents, handoff.Agent{ID: n + evil(i, true), Name: evil(i+1, true), Alias: evil(i+2, true), Queues: []string{shelf(i)}, Skills: map[string]int{evil(i+3, true): 1}, Languages: []string{"en"}, Seats: 1})
		list = append(list, canned.Reply{Name: n, Category: evil(i+1, true), Text: evil(i, false)})
		reasons = append(reasons, evil(i, true))
		form.Fields = append(form.Fields, handoff.Field{Name: n, Label: evil(i, false), Choices: []string{evil(i, true), "x"}})
		queues = append(queues, handoff.Queue{Name: shelf(i), Style: handoff.Pull, Target: time.Minute}, handoff.Queue{Name: market(i), Providers: []string{"bad " + platform(i), platform(i)}})
		vendors = append(vendors, vendor{i, true}, vendor{i, false})
		dora.Queues = append(dora.Queues, shelf(i))
	}
	for i := range payloads {
		queues[2*i].CloseReasons = reasons
	}
	queues = append(queues, handoff.Queue{Name: "asked", Style: handoff.Pull, Intake: &form})
	auto, err := automate.New(rules, automate.Options{})
	require.NoError(t, err)
	ideas := 0
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.CRM, c.Queues, c.Providers = evilCRM{}, append(c.Queues, queues...), vendors
		c.Directory = memstore.NewDirectory(append(agents, dora)...)
		c.Suggester = handoff.SuggesterFunc(func(context.Context, handoff.Handoff, handoff.Transcript) ([]string, error) {
			ideas += 5
			return []string{evil(ideas-5, false), evil(ideas-4, false), evil(ideas-3, false), evil(ideas-2, false), evil(ideas-1, false)}, nil
		})
	}, desk: func(c *desk.Config) {
		c.Title, c.Tags, c.Replies, c.Automations, c.Suggestions = evil(6, false), []string{evil(0, true), evil(1, true)}, list, auto, true
	}})
	auto.Use(w.engine)
	w.there("dora")
	w.available("sam")
	for i, a := range agents[2:] {
		require.NoError(t, w.presence.Want(w.ctx, a.ID, false, evil(i, true), time.Now()))
	}
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
			p.until(where+" is open, and what was written is shown", `(!location.pathname.includes('/c/') || document.title.replace(/[^!-~]+/g, '').includes(§)) && document.querySelector('.details')?.textContent.includes(§) && document.querySelectorAll('.details section').length >= 3 &&
				document.querySelector('.transcript')?.textContent.replace(/[^!-~]+/g, '').includes(§)`, printable(evil(i+2, true)), fmt.Sprintf("%s %d#1", kind.name, i), printable(evil(i, false)))
			p.clean(where)
		}
	}
	for _, path := range []string{"board", "bots", "history", "stats", "settings", "?tab=mine", "?tab=all", "?tab=closed", "?tab=new&q=<script>hit()</script>"} {
		goTo(p, path)
		wait(300 * time.Millisecond)
		p.clean(path)
	}
	// What is asked before something, and what is offered to be written.
	talked := address(all["talked to"][0].ID)
	goTo(p, "c/"+talked+"?tab=mine")
	for words, lines := range map[string]string{"Finish": "dialog option", "Transfer": "dialog .target"} {
		p.click(words)
		p.until("all is there", `document.querySelectorAll(§).length >= §`, lines, len(payloads))
		p.clean(words)
		p.key(kb.Escape)
		p.until("it is closed", `!document.querySelector('dialog')`)
	}
	for i := 0; i < len(payloads); i += 5 {
		p.click("Suggest")
		p.until("replies are suggested", `document.querySelectorAll('[role=option]').length === 5 && document.querySelector('[role=option]').textContent.includes(§)`, strings.TrimSpace(evil(i, false)))
		p.clean(fmt.Sprint("suggestions from ", i))
	}
	goTo(p, "c/"+address(all["waiting"][0].ID)+"?tab=new")
	p.until("it is open", `document.querySelector('.head .state.waiting')`)
	p.click("More")
	p.click("Why")
	p.until("all is there", `document.querySelectorAll('dialog tbody tr').length > 0`)
	p.clean("why it waits")
	p.key(kb.Escape)
	// A form asks with every label.
	h := w.asks("asked", "asked")
	for i := range payloads {
		h, err = w.engine.Answer(w.ctx, "asked", handoff.Response{Value: "x"})
		require.NoError(t, err, "%d", i)
	}
	goTo(p, "c/"+token(h)+"?tab=new")
	p.until("all answers are there", `document.querySelectorAll('.details dt').length > § && document.querySelectorAll('.transcript .event').length > §`, len(payloads), len(payloads))
	p.clean("a form")
	p.told(w, all, goTo, step)
	// Whoever manages sees agents, replies and rules.
	at = "/ada/"
	a := w.at("ada", "admin")
	a.until("all is read", `document.querySelectorAll('.page section').length >= 5 && document.querySelectorAll('ul.lines li').length > 100`)
	a.clean("admin")
	exported(t, w, p)
}

// told: titles and notifications are text. Messages and requests come while nobody
// looks, with every payload as what is said and as who says it (of requests, which
// are told one at a time, as many as conversations are opened).
func (p *page) told(w *world, all map[string][]handoff.Handoff, goTo func(p *page, path string), step int) {
	p.t.Helper()
	js[bool](p, `(document.hasFocus = () => false, true)`)
	p.permit(w.server.URL, browsers.PermissionSettingGranted)
	goTo(p, "settings")
	p.click("Show notifications while this page is not in front")
	one := func(what string, happens func(), parts ...string) { // and others may be told of, too
		p.t.Helper()
		before := js[int](p, `shown.length`)
		happens()
		w.until(what+" is told, as it was written", func() bool {
			return slices.ContainsFunc(js[[]string](p, `shown.slice(§).map((n) => n.title + n.body)`, before), func(got string) bool {
				return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(seeable(got), printable(part)) })
			})
		})
	}
	for i, h := range all["talked to"] {
		one(fmt.Sprint("message ", i), func() {
			w.says(h.ID.Conversation, evil(i, false), func(in *handoff.Incoming) { in.User = nil })
		}, evil(i, false), evil(i+2, true))
	}
	for i := 0; i < len(payloads); i += step { // a burst is one: each waits for the one before
		one(fmt.Sprint("request ", i), func() {
			c := fmt.Sprint("fresh ", i)
			w.named(c, evil(i+1, true))
			w.says(c, evil(i, false))
			_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: c, Queue: shelf(0)})
			require.NoError(p.t, err)
		}, evil(i, false), evil(i+1, true))
	}
	p.clean("after all that was told")
}

// exported opens what is taken away in a page that nothing protects.
func exported(t *testing.T, w *world, p *page) {
	t.Helper()
	for name, of := range map[string]string{
		"html": "html head meta title style body h1 h2 section dl dt dd div p time bdi a",
		"txt":  "html head meta body pre",
	} {
		got := js[struct{ Kind, Text string }](p, `fetch('/sam/api/export/'+§).then(async (r) => ({ kind: r.headers.get('Content-Type'), text: await r.text() }))`, name)
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", got.Kind)
			_, _ = rw.Write([]byte(got.Text))
		}))
		t.Cleanup(server.Close)
		x := tab(browser.ctx, t, server.URL, chromedp.WithNewBrowserContext())
		x.spare("an export, and no page of the desk")
		x.before(`self.hits = 0; self.hit = () => { self.hits++; }`)
		x.open("/")
		require.True(t, js[bool](x, `self.hits === 0 && document.body.textContent.length > 10000`), "the export can be opened")
		x.made(name, of, false)
	}
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
