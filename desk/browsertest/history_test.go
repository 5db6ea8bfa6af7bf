package browsertest

import (
	"encoding/json"
	"fmt"
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
	p.axe()
}
