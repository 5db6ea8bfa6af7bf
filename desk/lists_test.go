package desk_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

// A line is what these tests look at of a row.
type line struct {
	id, queue    string
	priority, at float64
}

// page reads a page of a list.
func (w *world) page(actor, query string) (lines []line, total int, next string) {
	w.Helper()
	got := w.call(actor, http.MethodGet, "api/handoffs?"+query, nil)
	require.Equal(w, http.StatusOK, got.status, got.raw)
	next, _ = got.body["next"].(string)
	return linesOf(got.body["rows"]), int(got.body["total"].(float64)), next
}

func linesOf(rows any) (out []line) {
	for _, r := range rows.([]any) {
		r := r.(map[string]any)
		l := line{id: r["id"].(string)}
		l.queue, _ = r["queue"].(string)
		l.priority, _ = r["priority"].(float64)
		if l.at, _ = r["enqueued"].(float64); l.at == 0 {
			l.at = r["created"].(float64)
		}
		out = append(out, l)
	}
	return out
}

// listed is how many rows the desk knows of that wait.
func (w *world) listed(n int) {
	w.Helper()
	w.until(fmt.Sprintf("the desk knows of all %d", n), func() bool {
		_, total, _ := w.page("admin", "list=new")
		return total == n
	})
}

// TestListsHaveNoHole reads lists page by page while some come and others go
// between the pages: who was there all the time is there once, in order, in
// whichever.
func TestListsHaveNoHole(t *testing.T) {
	w := newWorld(t)
	w.actor("admin", &desk.Actor{ID: "admin", Role: desk.Admin})
	request := func(i int) handoff.Handoff {
		got, err := w.engine.Request(t.Context(), handoff.Request{
			Conversation: fmt.Sprintf("c%03d", i), Queue: []string{"mine", "theirs"}[i%2], Priority: i % 3,
		})
		require.NoError(t, err)
		return got.Handoff
	}
	const n = 650
	var all []handoff.Handoff
	for i := range n {
		all = append(all, request(i))
	}
	w.listed(n)
	inOrder := map[string]func(a, b line) int{
		"priority": func(a, b line) int { return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.at, b.at)) },
		"longest":  func(a, b line) int { return cmp.Compare(a.at, b.at) },
		"newest":   func(a, b line) int { return cmp.Compare(b.at, a.at) },
	}
	inOrder[""] = inOrder["priority"]
	more, gone := n, map[string]bool{}
	for _, sort := range []string{"", "priority", "longest", "newest"} {
		for _, queue := range []string{"", "mine"} {
			there := map[string]bool{}
			for i := range all {
				if !gone[token(all[i])] && (queue == "" || all[i].Need.Queue == queue) {
					there[token(all[i])] = true
				}
			}
			first := len(there)
			seen, after, pages := []line{}, "", 0
			for {
				lines, total, next := w.page("admin", "list=new&sort="+sort+"&queue="+queue+"&after="+url.QueryEscape(after))
				if pages == 0 {
					assert.Equal(t, first, total)
				}
				seen, after, pages = append(seen, lines...), next, pages+1
				if next == "" {
					break
				}
				// Of what was read one goes, and of what was not; one comes with
				// each priority, which is first or last.
				for _, at := range []int{pages, n - pages} {
					if at = (at*7 + more) % n; gone[token(all[at])] {
						continue
					}
					_, err := w.engine.Cancel(t.Context(), all[at].ID.Conversation, true)
					require.NoError(t, err)
					gone[token(all[at])] = true
					delete(there, token(all[at]))
				}
				for range 3 {
					all = append(all, request(more))
					more++
				}
				w.listed(len(all) - len(gone))
			}
			what := fmt.Sprintf("sort=%s queue=%s", sort, queue)
			assert.GreaterOrEqual(t, pages, 2, what)
			assert.True(t, slices.IsSortedFunc(seen, inOrder[sort]), what)
			times := map[string]int{}
			for _, l := range seen {
				times[l.id]++
				assert.Equal(t, 1, times[l.id], "%s is there twice: %s", l.id, what)
				assert.True(t, queue == "" || l.queue == queue, what)
			}
			for id := range there {
				assert.Equal(t, 1, times[id], "%s is missing: %s", id, what)
			}
		}
	}
}

// TestListsContinueTheSnapshot: where a snapshot holds the first of a list only, it
// says how to go on.
func TestListsContinueTheSnapshot(t *testing.T) {
	w := newWorld(t)
	w.actor("admin", &desk.Actor{ID: "admin", Role: desk.Admin})
	const n = 210
	for i := range n {
		_, err := w.engine.Request(t.Context(), handoff.Request{Conversation: fmt.Sprintf("c%03d", i), Queue: "mine", Priority: i % 2})
		require.NoError(t, err)
	}
	w.listed(n)
	w.held("own", "mine", "me")
	w.until("one is his", func() bool {
		_, total, _ := w.page("agent", "list=mine")
		return total == 1
	})
	got := w.call("agent", http.MethodGet, "api/snapshot", nil)
	next := got.body["next"].(map[string]any)
	assert.Len(t, next, 1, "of no other list")
	rest, _, last := w.page("agent", "list=new&after="+url.QueryEscape(next["new"].(string)))
	assert.Empty(t, last)
	ids := map[string]bool{}
	for _, l := range append(linesOf(got.body["rows"]), rest...) {
		ids[l.id] = true
	}
	assert.Len(t, ids, n+1)
	assert.Len(t, rest, n-200)

	// All is what an agent works on, in one order.
	_, total, _ := w.page("agent", "list=all")
	assert.Equal(t, n+1, total)
}

// TestListsFind looks for text: in what the row shows the one who asks, and in
// nothing that it does not.
func TestListsFind(t *testing.T) {
	w := newWorld(t)
	w.actor("admin", &desk.Actor{ID: "admin", Role: desk.Admin})
	cols := w.held("cols", "mine", "col")
	_, err := w.engine.Tag(t.Context(), cols.ID, handoff.By("col"), []string{"Secret matter"}, nil)
	require.NoError(t, err)
	got, err := w.engine.Request(t.Context(), handoff.Request{Conversation: "zoe", Queue: "mine", Skills: []handoff.Skill{{Name: "Dutch", Optional: true}}})
	require.NoError(t, err)
	w.bot("bot")
	w.until("the desk knows of all", func() bool {
		_, n, _ := w.page("admin", "list=all&q=secret")
		_, skilled, _ := w.page("admin", "list=all&q=dutch")
		return n == 1 && skilled == 1
	})
	for _, c := range []struct {
		actor, query string
		want         []string
	}{
		{"admin", "list=all&q=user+OF+cols", []string{token(cols)}},
		{"admin", "list=all&q=colleague", []string{token(cols)}},
		{"admin", "list=others&q=secret", []string{token(cols)}},
		{"admin", "list=all&q=secret&queue=theirs", nil},
		{"admin", "list=new&q=secret", nil},
		{"admin", "list=all&q=nowhere", nil},
		{"admin", "list=all&q=user", []string{token(cols)}}, // those with the bot are a list of their own
		{"agent", "list=all&q=user+of+cols", []string{token(cols)}},
		{"agent", "list=all&q=secret", nil}, // he knows that it is there, and not what it is about
		{"agent", "list=all&q=+dutch+", []string{token(got.Handoff)}},
		{"agent", "list=new&q=Z", []string{token(got.Handoff)}},
		{"admin", "list=bot&q=user", []string{"1.bot"}},
	} {
		lines, total, _ := w.page(c.actor, c.query)
		var ids []string
		for _, l := range lines {
			ids = append(ids, l.id)
		}
		assert.Equal(t, c.want, ids, "%s as %s", c.query, c.actor)
		assert.Equal(t, len(c.want), total, "%s as %s", c.query, c.actor)
	}
	for _, q := range []string{"list=nowhere", "sort=random", "after=x", "q=" + strings.Repeat("x", 501)} {
		assert.Equal(t, http.StatusUnprocessableEntity, w.call("admin", http.MethodGet, "api/handoffs?"+q, nil).status, q)
	}
}

// TestBotsByWhatGoesOn: of many conversations with the bot a page is given those
// in which something was said last, and can read on to the others.
func TestBotsByWhatGoesOn(t *testing.T) {
	w := newWorld(t)
	w.actor("admin", &desk.Actor{ID: "admin", Role: desk.Admin})
	const n = 205
	for i := range n {
		w.bot(fmt.Sprintf("b%03d", i))
	}
	w.until("the desk knows of all", func() bool {
		_, total, _ := w.page("admin", "list=bot")
		return total == n
	})
	w.bot("b100")
	at := func() (first string, rows []line, next string) {
		got := w.call("admin", http.MethodGet, "api/snapshot", nil)
		rows = linesOf(got.body["rows"])
		next, _ = got.body["next"].(map[string]any)["bot"].(string)
		return rows[0].id, rows, next
	}
	w.until("who has written again is first", func() bool {
		first, _, _ := at()
		return first == "1.b100"
	})
	_, rows, next := at()
	assert.Len(t, rows, 200)
	rest, total, _ := w.page("admin", "list=bot&after="+url.QueryEscape(next))
	assert.Equal(t, n, total)
	ids := map[string]bool{}
	for _, l := range append(rows, rest...) {
		ids[l.id] = true
	}
	assert.Len(t, ids, n)
}
