package browsertest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/history"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// TestDesk17NoteNeverReachesTheUser: modes, drafts, reloads, lost answers and
// transfers in any order. No note is in what the user sees, in what is exported
// for him, or among the messages that a platform gets.
func TestDesk17NoteNeverReachesTheUser(t *testing.T) {
	platform := inmem.New(inmem.Options{})
	var lose atomic.Bool
	w := newWorld(t, options{
		engine: func(c *handoff.Config) {
			c.Providers = []handoff.Provider{platform.Provider()}
			c.Queues = append(c.Queues, handoff.Queue{Name: "elsewhere", Providers: []string{"inmem"}})
		},
		wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/notes") && lose.Swap(false) {
					panic(http.ErrAbortHandler)
				}
				next.ServeHTTP(rw, r)
			})
		},
	})
	w.there("ann", "bob")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("ERR_", "409")
	said := func(kind handoff.Kind, text string) {
		t.Helper()
		w.until("it is kept as "+string(kind), func() bool { return slices.Contains(w.said(h.ID, kind, ""), text) })
	}
	to := func(label, mode string) {
		t.Helper()
		p.click(label)
		p.until(mode+" mode", `document.querySelector('.composer.`+mode+`')`)
	}
	draft := func(mode, text string) {
		t.Helper()
		p.until("the draft is its own", `document.querySelector('.composer.`+mode+` textarea')?.value === §`, text)
	}
	write := func(text string) {
		t.Helper()
		p.clickOn(".composer textarea")
		p.write(text)
	}
	pass := func(from, to, note string) {
		t.Helper()
		_, err := w.engine.Transfer(w.ctx, h.ID, handoff.By(from), handoff.Target{Agent: to, Note: note})
		require.NoError(t, err)
		offer := int64(0)
		w.until(to+" is asked", func() bool {
			now := w.now(h.ID)
			o, ok := now.Offer(to)
			offer = o.Number
			return ok
		})
		_, err = w.engine.Accept(w.ctx, h.ID, handoff.By(to), offer)
		require.NoError(t, err)
	}
	random := rand.New(rand.NewPCG(17, 1))
	done := map[int]int{}
	steps := inLong(14, 500)
	for i := range steps {
		note, reply := fmt.Sprintf("CANARY %d", i), fmt.Sprintf("answer %d", i)
		what := random.IntN(6)
		if i < 6 {
			what = i // each at least once
		}
		done[what]++
		switch what {
		case 0: // a note, with a look at the other mode in between
			to("Internal note", "note")
			write(note)
			to("Reply", "reply")
			draft("reply", "")
			to("Internal note", "note")
			draft("note", note)
			p.click("Save internal note")
			said(handoff.KindNote, note)
		case 1: // a note in the middle of a reply
			to("Reply", "reply")
			write(reply)
			to("Internal note", "note")
			draft("note", "")
			write(note)
			p.click("Save internal note")
			said(handoff.KindNote, note)
			to("Reply", "reply")
			draft("reply", reply)
			p.click("Send to Maria Keller")
			said(handoff.KindMessage, reply)
		case 2: // the page is loaded anew with a note half written
			to("Internal note", "note")
			write(note)
			p.until("the draft is kept", `Object.values(localStorage).some((v) => v === JSON.stringify(§))`, note)
			p.open("c/" + token(h)).live()
			draft("note", note)
			p.click("Save internal note")
			said(handoff.KindNote, note)
		case 3: // a note that gets lost on its way goes out again as a note
			to("Internal note", "note")
			write(note)
			lose.Store(true)
			p.click("Save internal note")
			said(handoff.KindNote, note)
		case 4: // a colleague has it for a while, with a note
			pass("ann", "bob", note)
			p.until("she may not write", `!document.querySelector('.composer.reply')`)
			pass("bob", "ann", note+" back")
			p.until("she has it again", `[...document.querySelectorAll('.modes button')].some((b) => b.textContent === 'Reply')`)
		default: // a reply
			to("Reply", "reply")
			write(reply)
			p.click("Send to Maria Keller")
			said(handoff.KindMessage, reply)
		}
	}
	t.Logf("%d steps: %v", steps, done)
	require.Len(t, done, 6)
	p.until("nothing is on its way", `!document.querySelector('.pending')`)
	p.axe()
	p.keep("notes")

	// The conversation goes on elsewhere, with what was said so far.
	p.goes("") // she loses sight of it, and shall not ask
	_, err := w.engine.Transfer(w.ctx, h.ID, handoff.By("ann"), handoff.Target{Queue: "elsewhere"})
	require.NoError(t, err)
	w.until("it is there", func() bool { return len(platform.Chats()) == 1 && len(platform.Chats()[0].Messages) > 0 })
	for _, m := range platform.Chats()[0].Messages {
		assert.NotContains(t, m.Text, "CANARY", "on the platform")
	}
	pulled := w.pulled("maria")
	assert.NotEmpty(t, pulled)
	assert.NotContains(t, strings.Join(pulled, "\n"), "CANARY", "what the user sees")
	for _, f := range []history.Format{history.Text, history.JSONLines, history.HTML, history.CSV} {
		var b bytes.Buffer
		_, err := history.Export{Format: f, Audience: history.User}.Write(w.ctx, &b, w.engine)
		require.NoError(t, err)
		assert.NotContains(t, b.String(), "CANARY", "exported as %s", f)
	}
}
