package browsertest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/examples/webchat/acme"
	"github.com/seed-2a427302/handoff/memstore"
)

// TestShots takes a picture of every page at three widths, light and dark, in
// both directions, empty, typical and full, into the folder HANDOFF_SHOTS:
// `make shots`. Of the typical desk it takes what opens over a page too, and of
// the example its own page.
func TestShots(t *testing.T) {
	if os.Getenv("HANDOFF_SHOTS") == "" {
		t.Skip("pictures are taken by make shots")
	}
	for _, fill := range []string{"empty", "typical", "full"} {
		t.Run(fill, func(t *testing.T) { shots(t, fill) })
	}
	t.Run("webchat", webchatShots)
}

// A shot is a page as somebody sees it, after what he does there.
type shot struct {
	who, name, path string
	then            func(*page)
}

// looks are light or dark, and where from it is read.
var looks = []struct {
	name, scheme string
	rtl          bool
}{{"light", "light", false}, {"dark", "dark", false}, {"rtl", "light", true}, {"rtl-dark", "dark", true}}

var heights = map[int64]int64{1280: 800, 768: 1024, 375: 720}

func shots(t *testing.T, fill string) {
	w := newWorld(t, options{desk: func(c *desk.Config) {
		c.Catalogues = map[string]map[string]string{"ar": arabic}
		if fill != "empty" {
			c.Automations = rules(t)
		}
	}, engine: func(c *handoff.Config) {
		c.CRM = crm{}
		// Who is asked and who waits does so in every picture, however long they take.
		c.Queues[1].OfferTimeout = 2 * time.Hour
		for i := range c.Queues {
			c.Queues[i].Ladder = []handoff.Rung{{After: 2 * time.Hour, Do: handoff.ToBot}}
		}
		if fill != "empty" {
			c.Queues[0].Hours = memstore.NewHours(handoff.Weekly{Days: map[string][]handoff.Span{"mon-sun": {"00:00-24:00"}}, Special: map[string][]handoff.Span{"12-25": {}}})
		}
	}})
	w.available("ann", "bob", "sam", "ada")
	w.there("ann", "bob", "eve")
	list := []shot{
		{"ann", "inbox", "", nil},
		{"ann", "mine", "?tab=mine", nil},
		{"ann", "all", "?tab=all", nil},
		{"ann", "closed", "?tab=closed", nil},
		{"ann", "settings", "settings", nil},
		{"sam", "board", "board", nil},
		{"sam", "bots", "bots", nil},
		{"sam", "history", "history", nil},
		{"sam", "stats", "stats", nil},
		{"ada", "admin", "admin", nil},
	}
	if fill != "empty" {
		busy := w.furnish(map[string]int{"typical": 6, "full": 150}[fill])
		list = append(list, shot{"ann", "chat", "c/" + token(busy) + "?tab=mine", nil}, shot{"sam", "botchat", "bots?c=1.bot0", nil})
		if fill == "typical" {
			list = append(list, over(w, busy)...)
		}
	}
	pages := map[string]*page{}
	for _, s := range list {
		if pages[s.who] == nil {
			pages[s.who] = w.at(s.who, "")
		}
		p := pages[s.who]
		for width, height := range heights {
			for _, look := range looks {
				p.size(width, height)
				p.media("prefers-color-scheme", look.scheme, "prefers-reduced-motion", "reduce")
				js[bool](p, `(() => { const k = Object.keys(localStorage).find((x) => x.endsWith('session')).replace('session', 'language'); if (§) localStorage.setItem(k, '"ar"'); else localStorage.removeItem(k); return true; })()`, look.rtl)
				p.open(s.path).live()
				wait(350 * time.Millisecond)
				what := fmt.Sprintf("%s_%s_%d_%s", s.who, s.name, width, look.name)
				if s.then != nil {
					s.then(p)
				} else { // all of a page that scrolls
					tall := js[float64](p, `(document.querySelector('.page')?.scrollHeight ?? 0) + innerHeight - (document.querySelector('main').clientHeight)`)
					p.size(width, max(int64(tall), height))
				}
				wait(150 * time.Millisecond) // what came into sight is drawn
				p.keep(what)
				require.Zero(t, p.wide(), "%s: the page scrolls sideways", what)
			}
		}
	}
}

// over is what opens over a page, or beside it.
func over(w *world, busy handoff.Handoff) []shot {
	w.named("offered", "Sofia Rossi")
	offered, chat := w.has("sam", "offered", "shop"), "c/"+token(busy)+"?tab=mine"
	_, err := w.engine.Transfer(w.ctx, offered.ID, handoff.By("sam"), handoff.Target{Agent: "bob", Warm: true, Note: "It is about order 4711."})
	require.NoError(w.t, err)
	dialog := func(name string) func(*page) {
		return func(p *page) {
			js[bool](p, `dispatchEvent(new CustomEvent('desk:want', { detail: § }))`, name)
			p.until("it is open", `document.querySelector('dialog[open] .body')`)
		}
	}
	first := func(selector string) func(*page) {
		return func(p *page) {
			p.until("there is one", `document.querySelector(§)`, selector)
			js[bool](p, `(document.querySelector(§).click(), true)`, selector)
		}
	}
	return []shot{
		{"bob", "offer", "", nil},
		{"ann", "preview", "c/1.w0", nil},
		{"ann", "over", "c/1.d1?tab=closed", nil},
		{"sam", "watch", "c/" + token(busy), nil},
		{"ann", "beginning", chat, func(p *page) { js[bool](p, `(document.querySelector('.transcript').scrollTop = 0, true)`) }},
		{"ann", "note", chat, first(".modes .note")},
		{"ann", "details", chat, func(p *page) {
			if js[bool](p, `!document.querySelector('.details')`) {
				first(".tools > .button:last-child")(p)
			}
		}},
		{"ann", "replies", chat, func(p *page) {
			first(".modes button")(p)
			p.clickOn(".composer textarea")
			p.write("/")
			p.until("they are there", `document.querySelector('.pick li')`)
			js[bool](p, `(() => { const t = document.querySelector('.composer textarea'); t.value = ''; t.dispatchEvent(new Event('input', { bubbles: true })); return true; })()`)
			p.write("/")
		}},
		{"ann", "transfer", chat, dialog("transfer")},
		{"ann", "finish", chat, dialog("end")},
		{"sam", "why", "c/1.w1", dialog("why")},
		{"ada", "agent", "admin", first("td .button")},
		{"ada", "rule", "admin", first(".panel:nth-of-type(3) .pagehead .button")},
		{"ann", "presence", "", first(".button.presence")},
		{"ann", "keys", "", func(p *page) { p.key("?") }},
		{"sam", "menu", "board", func(p *page) { // of the last agent: over everything, and whole
			p.clickOn("section:nth-of-type(2) tr:last-child .menu:last-child button")
			p.until("it is whole", `(() => { const r = document.querySelector('.popup')?.getBoundingClientRect(); return r && r.top >= 0 && r.left >= 0 && r.bottom <= innerHeight && r.right <= innerWidth && [r.top + 5, r.bottom - 5].every((y) => document.elementFromPoint(r.left + r.width / 2, y)?.closest('.popup')); })()`)
		}},
	}
}

func rules(t *testing.T) *automate.Automations {
	a, err := automate.New([]automate.Rule{
		{Name: "vip", Button: "Mark as VIP", If: automate.Condition{NoTags: []string{"vip"}}, Do: []automate.Action{{Tag: []string{"vip"}}}},
		{Name: "missed", On: []handoff.Kind{handoff.KindEnded}, If: automate.Condition{Queues: []string{"billing"}}, Do: []automate.Action{{Note: "Call back on the next day."}}},
	}, automate.Options{Keep: automate.NewRules()})
	require.NoError(t, err)
	return a
}

// webchatShots are of the example: as it begins, and with customers.
func webchatShots(t *testing.T) {
	start(t)
	p := tab(browser.ctx, t, example(t, acme.Options{}), chromedp.WithNewBrowserContext()).open("")
	all := func(name string) {
		t.Helper()
		for width, height := range heights {
			for _, look := range looks[:2] {
				p.size(width, height)
				p.media("prefers-color-scheme", look.scheme)
				wait(500 * time.Millisecond)
				p.keep(fmt.Sprintf("%s_%d_%s", name, width, look.name))
			}
		}
	}
	front, chat := `document.querySelector('#desks iframe:not([hidden])').contentDocument`, `document.getElementById('chat').contentDocument`
	says := func(words string) {
		t.Helper()
		js[bool](p, `(() => { const d = `+chat+`; d.getElementById('text').value = §; d.getElementById('form').requestSubmit(); return true; })()`, words)
	}
	press := func(where, selector string) {
		t.Helper()
		p.until("there is "+selector, where+`.querySelector(§)`, selector)
		js[bool](p, `(`+where+`.querySelector(§).click(), true)`, selector)
	}
	p.until("the desk is there", front+`.querySelector('.live.live')`)
	all("begins")
	p.size(1280, 800)
	says("I was charged twice")
	p.until("the bot has answered", chat+`.querySelector('.m.bot')`)
	press(chat, "#person")
	p.until("he is asked for his order", chat+`.body.innerText.includes('number of your order')`)
	says("4711")
	press(front, ".offer .button.primary")
	p.until("she has him", front+`.querySelector('.composer.reply textarea')`)
	js[bool](p, `(() => { const x = `+front+`.querySelector('.composer textarea'); x.value = 'Hello, I am Ann. I have given the second charge back.'; x.dispatchEvent(new Event('input', { bubbles: true })); return true; })()`)
	press(front, ".composer .button.primary:not(:disabled)")
	p.until("he has read it", chat+`.querySelector('.m.agent')`)
	says("Perfect, thank you!")
	p.click("+ 10")
	p.until("they wait", front+`.querySelector('.offer')`)
	all("talk")
	p.click("Sam")
	p.until("his desk is there", front+`.querySelector('.live.live')`)
	press(front, "a[href$=board]")
	p.until("the board is there", front+`.querySelector('.board table')`)
	all("board")
}

// furnish fills the desk: n wait, some are talked to, some are over, the bot
// has some. It returns the one that Ann talks to most.
func (w *world) furnish(n int) handoff.Handoff {
	people := []string{"Maria Keller", "Lee Wong", "Jo Bright", "Amina Diallo", "Tomás Ruiz", "Yuki Tanaka", "Olu Adeyemi", "Eva Novak", "محمد علي", "Priya Rao", "Liam O’Brien", "A very long name that somebody typed into a form without any thought"}
	asks := []string{"I was charged twice for order 4711", "Where is my parcel?", "The app closes when I open my profile", "I need an invoice with our VAT number", "How do I change my address?"}
	// Those that are over come first: their agents have free seats again.
	for i := range n {
		c := fmt.Sprintf("d%d", i)
		w.named(c, people[i%len(people)])
		if i%4 == 3 {
			h := w.asks(c, "shop")
			_, err := w.engine.Cancel(w.ctx, h.ID.Conversation, true)
			require.NoError(w.t, err)
			continue
		}
		h, by := w.asks(c, "billing"), []string{"ada", "ann"}[i%3%2]
		h, err := w.engine.TakeOver(w.ctx, h.ID, handoff.BySupervisor(by), "")
		if err != nil {
			continue
		}
		_, err = w.engine.Send(w.ctx, h.ID, handoff.By(by), handoff.Message{Text: "Done."})
		require.NoError(w.t, err)
		if i%2 == 0 {
			_, err = w.engine.Return(w.ctx, h.ID, handoff.By(by), "done")
		} else {
			_, err = w.engine.End(w.ctx, h.ID, handoff.By(by), handoff.Ending{Reason: "Refunded"})
		}
		require.NoError(w.t, err)
		_, _ = w.engine.Rate(w.ctx, h.ID, 3+i%3, "Quick and friendly")
	}
	for i := range n {
		c := fmt.Sprintf("w%d", i)
		w.named(c, people[i%len(people)])
		turn := w.says(c, asks[i%len(asks)])
		w.bot(turn, "I am a small program and may not do that.")
		_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: c, Queue: "billing", Priority: i % 5 / 4, Tags: []string{"refund"}[:i%2], Flags: []string{"frustrated"}[:i%3/2]})
		require.NoError(w.t, err)
	}
	var main handoff.Handoff
	for i := range 3 {
		c := fmt.Sprintf("a%d", i)
		w.named(c, people[i])
		h := w.has("ann", c, "billing")
		if i == 0 {
			main = h
		}
	}
	w.named("b0", people[5])
	w.has("bob", "b0", "billing")
	talk := []struct{ who, text string }{
		{"user", "I was charged twice for order 4711, once on Monday and once today."},
		{"ann", "I am sorry about that, Maria. Let me look it up."},
		{"note", "Second charge came from the retry job, see https://wiki.example.com/retry"},
		{"user", "Thank you. Here is the statement: https://bank.example.com/statement/4711"},
		{"user", "And will I get it back soon?"},
		{"whisper", "You may refund up to 100 without asking."},
		{"ann", "Yes. I have given 45.00 back; you will see it within three working days."},
	}
	for i, line := range talk {
		var err error
		switch line.who {
		case "user":
			w.says("a0", line.text)
		case "ann":
			_, err = w.engine.Send(w.ctx, main.ID, handoff.By("ann"), handoff.Message{ID: fmt.Sprint("m", i), Text: line.text})
		case "note":
			_, err = w.engine.Note(w.ctx, main.ID, handoff.By("ann"), line.text)
		case "whisper":
			_, err = w.engine.Whisper(w.ctx, main.ID, handoff.BySupervisor("sam"), line.text)
		}
		require.NoError(w.t, err)
	}
	w.says("a0", "Perfect, thank you!")
	_, err := w.engine.Tag(w.ctx, main.ID, handoff.By("ann"), []string{"refund", "vip"}, nil)
	require.NoError(w.t, err)
	for i := range max(3, n/10) {
		c := fmt.Sprintf("bot%d", i)
		w.named(c, people[(i+3)%len(people)])
		w.bot(w.says(c, asks[(i+1)%len(asks)]), "Parcels take two to four days.")
	}
	return main
}

func token(h handoff.Handoff) string { return fmt.Sprintf("%d.%s", h.ID.Number, h.ID.Conversation) }

func (w *world) actor(id string, change func(*desk.Actor)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.actors[id]
	change(&a)
	w.actors[id] = a
}
