package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// ended puts handoffs that are over straight into a store, one every 20 seconds
// until a minute ago, two of them of the same moment. The bot had every tenth
// alone; what is said in the first is said in no other.
func ended(t *testing.T, s handoff.Store, n int) {
	t.Helper()
	last := time.Now().Truncate(time.Second).Add(-time.Minute)
	for i := range n {
		at := last.Add(time.Duration(i-n) / 2 * 40 * time.Second).UTC()
		id := handoff.ID{Conversation: fmt.Sprintf("c%06d", i), Number: 1}
		queue, outcome, text := []string{"billing", "shop"}[i/10%2], handoff.OutcomeResolved, "It is about my order."
		if i%10 == 9 {
			outcome = handoff.OutcomeContained
		}
		if i == 0 {
			text = "It is about the zeppelin."
		}
		entry, err := json.Marshal(&handoff.Entry{ID: "e", Seq: 1, At: at, Kind: handoff.KindMessage, From: handoff.Party{Role: handoff.RoleUser}, Text: text})
		require.NoError(t, err)
		body := fmt.Appendf(nil, `{"id":{"conversation":%q,"number":1},"seq":1,"version":1,"state":"ended","outcome":%q,"attended":true,"user":{"id":"u%d","name":"Customer %06[3]d"},`+
			`"need":{"queue":%[4]q},"created":%[5]q,"ended":%[5]q,"updated":%[5]q,"own":{}}`, id.Conversation, outcome, i, queue, at.Format(time.RFC3339Nano))
		require.NoError(t, s.Commit(t.Context(), handoff.Record{
			ID: id, Seq: 1, Queue: queue, State: handoff.StateEnded, Outcome: outcome, Created: at, Updated: at, Body: handoff.BodyOf(body),
		}, handoff.RecordEntry{ID: "e", Seq: 1, At: at, Body: handoff.BodyOf(entry)}))
	}
}

// TestDesk26History: of a long history the newest are shown, then older ones, in
// order and each once; a filter reads it anew, and what stands only at its very
// end is found.
func TestDesk26History(t *testing.T) {
	n := inLong(10_000, 100_000)
	w := newWorld(t, options{engine: func(c *handoff.Config) { ended(t, c.Store, n) }})
	newest := func(count int, of func(i int) bool) []string {
		var out []string
		for i := n - 1; i >= 0 && len(out) < count; i-- {
			if of(i) {
				out = append(out, fmt.Sprintf("Customer %06d", i))
			}
		}
		return out
	}
	all := func(i int) bool { return i%10 != 9 }
	const shown = `[...document.querySelectorAll('table.click tbody .person')].map((e) => e.querySelector('.name, bdi').textContent)`
	p := w.at("sam", "")
	began := time.Now()
	p.goes("history")
	p.until("the newest are there", shown+`.length === 50`)
	t.Logf("history of %d opened in %v", n, time.Since(began).Round(time.Millisecond))
	assert.Equal(t, newest(50, all), js[[]string](p, shown))
	for count := 100; count <= 200; count += 50 {
		p.click("Show older ones")
		p.until("older ones are there", shown+`.length === §`, count)
		require.Equal(t, newest(count, all), js[[]string](p, shown))
	}
	assert.Less(t, js[int](p, `document.querySelectorAll('*').length`), 5000)
	p.sees("200 shown")

	set := func(label, value string) {
		t.Helper()
		js[bool](p, `(() => { const e = [...document.querySelectorAll('.filterbar .field')].find((f) => f.textContent.startsWith(§)).querySelector('select, input'); e.value = §; e.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`, label, value)
	}
	set("Queue", "shop")
	shop := newest(50, func(i int) bool { return all(i) && i/10%2 == 1 })
	p.until("of one queue only", shown+`.join() === §.join()`, shop)
	set("Queue", "")
	p.until("of all of them", shown+`.join() === §.join()`, newest(50, all))

	began = time.Now()
	set("Search", "zeppelin")
	p.until("what stands at its end is found", shown+`.join() === 'Customer 000000'`)
	t.Logf("the first of %d found in %v", n, time.Since(began).Round(time.Millisecond))
	p.click("Customer 000000")
	p.sees("It is about the zeppelin.")
}

// TestOlderIsGivenUp: what is read for a view that has changed, or that may no
// longer be read, is not read on; and a page of what is over which has nothing is
// no end of it.
func TestOlderIsGivenUp(t *testing.T) {
	asked, done := make(chan string, 9), make(chan string, 9)
	var held, empty atomic.Bool
	w := newWorld(t, options{
		engine: func(c *handoff.Config) { ended(t, c.Store, 300) },
		wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				before := r.URL.Query().Get("before")
				switch {
				case before != "" && held.Load():
					asked <- r.URL.Path
					<-r.Context().Done()
					done <- r.URL.Path
					return
				case before == "" && strings.HasSuffix(r.URL.Path, "/past") && empty.Load():
					empty.Store(false)
					at := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"t":%d}`, time.Now().UnixMilli()))
					rw.Header().Set("Content-Type", "application/json")
					fmt.Fprintf(rw, `{"rows":[],"next":%q}`, at)
					return
				}
				next.ServeHTTP(rw, r)
			})
		},
	})
	wait := func(c <-chan string, what string) {
		t.Helper()
		select {
		case <-c:
		case <-time.After(patience):
			t.Fatal(what)
		}
	}
	const shown = `document.querySelectorAll('table.click tbody tr').length`
	p := w.at("sam", "history")
	p.until("the newest are there", shown+` === 50`)
	held.Store(true)
	p.click("Show older ones")
	wait(asked, "older ones are not asked for")
	p.goes("history?queue=shop")
	wait(done, "older ones of another filter are read on")
	p.until("the newest of one queue are there", shown+` === 50`)
	p.click("Show older ones")
	wait(asked, "older ones are not asked for")
	p.goes("settings")
	wait(done, "older ones are read on for nobody")

	empty.Store(true)
	p.goes("?tab=closed")
	const rows = `document.querySelectorAll('.list a.row').length`
	held.Store(false)
	p.until("the first that has something is shown", rows+` === 50`)
	assert.False(t, empty.Load())
	held.Store(true)
	p.click("Show older ones")
	wait(asked, "older ones are not asked for")
	p.goes("?tab=closed&q=customer")
	wait(done, "older ones of another filter are read on")
	held.Store(false)
	p.until("what is looked for is shown", rows+` === 50`)

	// Whose right to read it ends is given nothing more.
	w.available("eve")
	h := w.has("eve", "maria", "shop")
	for i := range 250 {
		w.says("maria", fmt.Sprintf("line %d", i))
	}
	eve := w.at("eve", "c/"+token(h)+"?tab=mine")
	eve.sees("line 249")
	held.Store(true)
	eve.click("Show older messages")
	wait(asked, "what was said before is not asked for")
	_, err := w.engine.TakeOver(w.ctx, h.ID, handoff.BySupervisor("sam"), "shop")
	require.NoError(t, err)
	wait(done, "what was said before is read on")
	eve.until("it has gone", `!document.querySelector('.transcript')`)
}
