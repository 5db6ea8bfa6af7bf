package browsertest

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// TestShots takes a picture of every page at three widths, light and dark, in
// both directions, empty, typical and full, into the folder HANDOFF_SHOTS:
// `make shots`.
func TestShots(t *testing.T) {
	if os.Getenv("HANDOFF_SHOTS") == "" {
		t.Skip("pictures are taken by make shots")
	}
	for _, fill := range []string{"empty", "typical", "full"} {
		t.Run(fill, func(t *testing.T) { shots(t, fill) })
	}
}

func shots(t *testing.T, fill string) {
	w := newWorld(t, options{desk: func(c *desk.Config) {
		c.Catalogues = map[string]map[string]string{"ar": arabic}
	}, engine: func(c *handoff.Config) { c.CRM = crm{} }})
	w.available("ann", "bob", "sam", "ada")
	w.there("bob", "eve")
	first, busy := "", handoff.Handoff{}
	switch fill {
	case "typical":
		busy = w.furnish(6)
	case "full":
		busy = w.furnish(150)
	}
	if fill != "empty" {
		first = "c/" + token(busy)
	}
	names := map[string]string{"": "inbox", first: "chat", "?tab=mine": "mine", "?tab=closed": "closed"}
	if fill == "empty" {
		delete(names, first)
		names[""] = "inbox"
	} else {
		names["bots?c=1.bot0"] = "botchat"
	}
	for _, who := range []string{"ann", "sam", "ada"} {
		pages := map[string][]string{
			"ann": {"", first, "?tab=mine", "?tab=closed", "settings"}, "sam": {"board", "bots", "bots?c=1.bot0", "history", "stats"}, "ada": {"admin"},
		}[who]
		pages = slices.DeleteFunc(pages, func(path string) bool { return fill == "empty" && strings.Contains(path, "c=") })
		pages = slices.Compact(pages) // an empty desk has no conversation
		p := w.at(who, "")
		for _, path := range pages {
			for _, width := range []int64{1280, 768, 375} {
				for _, look := range []string{"light", "dark", "rtl"} {
					p.size(width, map[int64]int64{1280: 800, 768: 1024, 375: 720}[width])
					p.media("prefers-color-scheme", map[bool]string{true: "dark", false: "light"}[look == "dark"])
					js[bool](p, `(() => { const k = Object.keys(localStorage).find((x) => x.endsWith('session')).replace('session', 'language'); if (§ === 'rtl') localStorage.setItem(k, '"ar"'); else localStorage.removeItem(k); return true; })()`, look)
					p.open(path).live()
					wait(350 * time.Millisecond)
					// All of a page that scrolls.
					tall := js[float64](p, `(document.querySelector('.page')?.scrollHeight ?? 0) + innerHeight - (document.querySelector('main').clientHeight)`)
					p.size(width, max(int64(tall), map[int64]int64{1280: 800, 768: 1024, 375: 720}[width]))
					wait(150 * time.Millisecond) // what came into sight is drawn
					p.keep(fmt.Sprintf("%s_%s_%d_%s", who, cmp.Or(names[path], path), width, look))
					if path == "board" && fill == "typical" { // a menu of the last agent: over everything, and whole
						p.clickOn("section:nth-of-type(2) tr:last-child .menu:last-child button")
						p.keep(fmt.Sprintf("%s_menu_%d_%s", who, width, look))
						require.True(t, js[bool](p, `(() => { const r = document.querySelector('.popup').getBoundingClientRect(); return r.top >= 0 && r.left >= 0 && r.bottom <= innerHeight && r.right <= innerWidth && [r.top + 5, r.bottom - 5].every((y) => document.elementFromPoint(r.left + r.width / 2, y)?.closest('.popup')); })()`), "%d %s: a menu is clipped", width, look)
					}
					require.Zero(t, p.wide(), "%s %s %d %s: the page scrolls sideways", who, path, width, look)
				}
			}
		}
	}
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
