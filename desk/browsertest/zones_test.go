package browsertest

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// switching is a store with what happened on the day on which Berlin's clocks
// went from 02:00 to 03:00, and around it.
func switching(t *testing.T) handoff.Store {
	t.Helper()
	out := memstore.New()
	type kept struct {
		r   handoff.Record
		log []handoff.RecordEntry
	}
	var all []kept
	synctest.Test(t, func(t *testing.T) { // which begins on 2000-01-01
		store := memstore.New()
		e, err := handoff.New(handoff.Config{
			Store: store, Directory: memstore.NewDirectory(handoff.Agent{ID: "ann", Queues: []string{"billing"}, Seats: 50}), Presence: memstore.NewPresence(),
			Queues: []handoff.Queue{{Name: "billing", Style: handoff.Pull}},
		})
		require.NoError(t, err)
		for i, at := range []string{"2000-03-25T22:55:00Z", "2000-03-26T00:30:00Z", "2000-03-26T01:30:00Z", "2000-03-26T21:59:00Z", "2000-03-26T22:05:00Z"} {
			when, err := time.Parse(time.RFC3339, at)
			require.NoError(t, err)
			time.Sleep(time.Until(when))
			c := fmt.Sprint("c", i)
			turn, err := e.Receive(t.Context(), handoff.Incoming{Conversation: c, ID: "1", Text: "Hello", User: &handoff.Contact{ID: c, Name: fmt.Sprint("Caller ", i)}})
			require.NoError(t, err)
			got, err := e.Request(t.Context(), handoff.Request{Turn: turn, Queue: "billing"})
			require.NoError(t, err)
			_, err = e.TakeOver(t.Context(), got.Handoff.ID, handoff.BySupervisor("ann"), "")
			require.NoError(t, err)
			_, err = e.End(t.Context(), got.Handoff.ID, handoff.By("ann"), handoff.Ending{})
			require.NoError(t, err)
			r, err := store.Get(t.Context(), got.Handoff.ID)
			require.NoError(t, err)
			log, err := store.Log(t.Context(), r.ID, 0, 1000)
			require.NoError(t, err)
			all = append(all, kept{r, log})
		}
	})
	for _, k := range all {
		k.r.Version = 0
		require.NoError(t, out.Commit(t.Context(), k.r, k.log...))
	}
	return out
}

// TestDesk44Zones: a day on which the clocks change has 23 hours in the history,
// in what is taken away and in the figures, as the browser's zone has it.
func TestDesk44Zones(t *testing.T) {
	long(t)
	store := switching(t)
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Store = store }})
	p := w.as("sam")
	_, err := chromedp.Call(p.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"})
	require.NoError(t, err)
	const day = "?from=2000-03-26&to=2000-03-26"
	p.open("history" + day).live()
	p.sees("Caller 1")
	assert.Equal(t, []string{"Caller 3", "Caller 2", "Caller 1"}, js[[]string](p, `[...document.querySelectorAll('tbody .name')].map((e) => e.textContent).filter((s) => s.startsWith('Caller'))`))
	p.sees("1:30 AM")
	p.sees("3:30 AM")
	p.sees("11:59 PM")
	assert.EqualValues(t, 23, js[float64](p, `(() => { const q = new URL(performance.getEntriesByType('resource').findLast((e) => e.name.includes('api/past?')).name).searchParams; return (q.get('to') - q.get('from')) / 3600000; })()`), "hours of the day")
	p.axe()
	csv := js[string](p, `fetch(document.querySelector('a[download]').href).then((r) => r.text())`)
	for i, at := range []string{"", "2000-03-26T00:30:00.000Z", "2000-03-26T01:30:00.000Z", "2000-03-26T21:59:00.000Z", ""} { // for programs: in UTC
		assert.Equal(t, at != "", strings.Contains(csv, fmt.Sprint("\nc", i, ",1,ended")), "%s", csv)
		assert.Contains(t, csv, at)
	}

	p.open("stats" + day).live()
	p.sees("Times in Europe/Berlin")
	p.click("The same as a table")
	p.until("each hour is there once", `document.querySelectorAll('.chart tbody tr').length === 23`)
	hours := js[[]string](p, `[...document.querySelectorAll('.chart tbody tr')].filter((r) => r.cells[1].textContent !== '0').map((r) => r.cells[0].textContent.split(' ').at(-1))`)
	assert.Equal(t, []string{"1:00", "3:00", "23:00"}, hours)
}
