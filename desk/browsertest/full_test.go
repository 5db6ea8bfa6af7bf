package browsertest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// waiting returns who waits, as the store has it, in the order of their arrival.
func (w *world) waiting(queue string) []string {
	w.t.Helper()
	var out []string
	q := handoff.Query{States: []handoff.State{handoff.StateWaiting}, Queue: queue, Limit: 500}
	for {
		list, err := w.engine.List(w.ctx, q)
		require.NoError(w.t, err)
		for i := range list {
			out = append(out, token(list[i]))
		}
		if len(list) < q.Limit {
			return out
		}
		q.After = w.engine.After(list[len(list)-1], q)
	}
}

// TestDesk25MoreThanAPageKnows: of a list that is longer than what a page begins
// with, every row can be reached: page by page, by a queue, by a name, and from
// the other end, however many come meanwhile.
func TestDesk25MoreThanAPageKnows(t *testing.T) {
	w := newWorld(t)
	w.there("ann")
	n := 0
	ask := func(name, queue string) {
		n++
		_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: fmt.Sprint("u", n), Queue: queue, User: &handoff.Contact{ID: name, Name: name}})
		require.NoError(t, err)
	}
	const before, after = 450, 50
	for i := range before {
		ask(fmt.Sprintf("Early %03d", i), "billing")
	}
	ask("The Last One", "billing")
	p := w.at("ann", "")
	p.until("all are counted", `document.querySelector('.tabs a[aria-current] .count')?.textContent === §`, fmt.Sprint(before+1))
	p.until("the first are shown", `document.querySelectorAll('a.row').length === 200`)
	for i := range after {
		ask(fmt.Sprintf("Late %03d", i), "billing")
	}
	p.until("they are counted", `document.querySelector('.tabs a[aria-current] .count')?.textContent === §`, fmt.Sprint(before+1+after))
	p.until("and named", `[...document.querySelectorAll('.list button')].some((b) => b.textContent.includes('301'))`)
	for n := range 2 {
		p.sees("Show")
		js[bool](p, `(document.querySelector('.button.wide').focus(), true)`) // it moves while they come
		p.key(kb.Enter)
		p.until("so many are shown", `document.querySelectorAll('a.row').length === §`, min(400+n*200, before+1+after))
	}
	shown := js[[]string](p, `[...document.querySelectorAll('a.row')].map((e) => e.dataset.id)`)
	want := w.waiting("billing")
	require.Len(t, want, before+1+after)
	slices.Sort(want)
	slices.Sort(shown)
	assert.Equal(t, want, shown, "every one of them, once")
	p.axe()

	for what, path := range map[string]string{"a name": "?q=the+last", "the other end": "?sort=newest", "a queue and a name": "?tab=all&queue=billing&q=the+last"} {
		q := w.as("ann")
		q.open(path).live()
		// Of those who came in one millisecond, as many do on a quiet machine, nobody is the newest.
		q.until(what, `[...document.querySelectorAll('a.row .name')].some((e) => e.textContent === 'The Last One')`)
		q.axe()
	}
	all := w.as("sam")
	all.open("board").live()
	all.until("the board says how many more", `[...document.querySelectorAll('.board a.button.wide')].some((e) => e.textContent.includes(§))`, fmt.Sprint(before+1+after-20))
}
