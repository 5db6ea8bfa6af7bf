package browsertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// known waits until somebody's desk knows of so many in a list: a page that begins
// before that is told of the others one by one.
func (w *world) known(who, list string, n int) {
	w.t.Helper()
	w.until("the desk knows of all", func() bool {
		r, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.server.URL+"/"+who+"/api/handoffs?list="+list, nil)
		require.NoError(w.t, err)
		res, err := http.DefaultClient.Do(r)
		require.NoError(w.t, err)
		defer func() { _ = res.Body.Close() }()
		var all struct{ Total int }
		require.NoError(w.t, json.NewDecoder(res.Body).Decode(&all))
		return all.Total == n
	})
}

// TestDeskSearchSaysNothingYet: in a list that is longer than what the page knows,
// nobody is told that nothing matches before the server was asked.
func TestDeskSearchSaysNothingYet(t *testing.T) {
	ask := make(chan struct{})
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query().Get("q"); strings.HasSuffix(r.URL.Path, "/api/handoffs") && q == "the last" {
				select {
				case <-ask:
				case <-r.Context().Done(): // the page no longer wants it
				}
			}
			next.ServeHTTP(rw, r)
		})
	}})
	for i := range 201 {
		_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: fmt.Sprint("u", i), Queue: "billing", User: &handoff.Contact{ID: fmt.Sprint(i), Name: fmt.Sprintf("Early %03d", i)}})
		require.NoError(t, err)
	}
	_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: "zz", Queue: "billing", User: &handoff.Contact{ID: "last", Name: "The Last One"}})
	require.NoError(t, err)
	w.known("ann", "new", 202)
	p := w.at("ann", "")
	p.until("the first are shown", `document.querySelectorAll('a.row').length === 200`)
	js[bool](p, `(self.said = 0, new MutationObserver(() => { if (document.body.innerText.includes('Nothing matches')) self.said++; }).observe(document.body, { subtree: true, childList: true, characterData: true }), true)`)
	p.clickOn(".search input")
	p.insert("the last")
	p.until("it is being looked for", `document.querySelector('.list .loading')`)
	p.axe()
	close(ask)
	p.until("it is found", `[...document.querySelectorAll('a.row .name')].map((e) => e.textContent).join() === 'The Last One'`)
	require.Zero(t, js[int](p, `self.said`), "it was said that nothing matches")
	p.insert(" of all")
	p.sees("Nothing matches")
}

// TestDeskBotsShowMore: of conversations with the bot, too, every one can be reached,
// however many there are.
func TestDeskBotsShowMore(t *testing.T) {
	w := newWorld(t)
	for i := range 405 {
		w.named(fmt.Sprint("u", i), fmt.Sprintf("User %03d", i))
		w.says(fmt.Sprint("u", i), "hello bot")
	}
	w.known("sam", "bot", 405)
	p := w.at("sam", "bots")
	shown := func(n int) {
		t.Helper()
		p.until(fmt.Sprint(n, " are shown"), `document.querySelectorAll('a.row').length === §`, n)
	}
	shown(200)
	p.click("Show older ones")
	shown(400)
	w.says("u0", "hello again")
	p.until("who writes again is first", `document.querySelector('a.row .name').textContent === 'User 000'`)
	p.click("Show older ones")
	shown(405)
	p.until("there are no more", `!document.querySelector('.button.wide')`)
	p.until("each is there once", `new Set([...document.querySelectorAll('a.row')].map((e) => e.dataset.id ?? e.href)).size === 405`)
}
