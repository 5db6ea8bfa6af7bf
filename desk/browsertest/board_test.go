package browsertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestBoardOfNoWait: on a phone too, the board says of a queue in which nobody
// has to wait that it takes no time.
func TestBoardOfNoWait(t *testing.T) {
	w := newWorld(t)
	w.there("bob")
	w.asks("maria", "shop")
	p := w.as("sam")
	p.size(360, 740)
	p.open("board").live()
	const row = `[...document.querySelectorAll('.board tbody tr')].find((r) => r.cells[0].textContent.startsWith('shop'))`
	p.until("it waits", row+`?.cells[1].textContent === '1'`)
	assert.Equal(t, "0 seconds", js[string](p, row+`.cells[3].textContent`))
	assert.NotContains(t, p.text("body"), "NaN")
	assert.LessOrEqual(t, p.wide(), 0, "the page scrolls sideways")
}

// TestBoardSaysWhatWaits: the board counts agents as agents and seats as seats,
// says a unit once, and shows of each who waits what he needs and how urgently.
func TestBoardSaysWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.there("ann", "bob")
	w.has("ann", "lee", "billing")
	w.asks("maria", "billing", func(r *handoff.Request) { r.Priority = 2 })
	p := w.at("sam", "board")
	const row = `[...document.querySelectorAll('.board tbody tr')].find((r) => r.cells[0].textContent.startsWith('billing'))`
	p.until("it waits", row+`?.cells[1].textContent === '1'`)
	assert.Equal(t, "Agents free 2", js[string](p, `document.querySelector('.board thead tr').cells[6].textContent + ' ' + `+row+`.cells[6].textContent`))
	p.until("five seats are free", `document.querySelector('.board .stat:last-child').innerText === 'Free seats\n5'`)
	assert.NotRegexp(t, `econds?\s*–`, js[string](p, row+`.cells[3].textContent`))
	p.until("what he needs is said", `/Maria Keller\s+\d:\d\d\s+Assistant:\s*I am a small program\.\s+Priority 2\s+billing/.test(document.querySelector('.boxed').innerText)`)
}

// TestBoardBeforeTheTeam: the board does not say that there are no agents, nor
// seats, before it has been told which there are.
func TestBoardBeforeTheTeam(t *testing.T) {
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/api/team") {
				<-goOn
			}
			next.ServeHTTP(rw, r)
		})
	}})
	t.Cleanup(release)
	w.there("ann")
	p := w.as("sam").open("board")
	const cards = `[...document.querySelectorAll('.board .stat')].slice(3).map((e) => e.innerText.replace('\n', ' ')).join()`
	p.until("the queues are there", `document.querySelectorAll('.board tbody tr').length === 2`)
	assert.Equal(t, "Agents there –,Free seats –", js[string](p, cards))
	assert.NotContains(t, p.text("main"), "There are no agents.")
	p.until("they are being read", `document.querySelector('.board .loading')`)
	p.axe()
	release()
	p.until("and there", cards+` === 'Agents there 1 / 3,Free seats 3' && !document.querySelector('.board .loading')`)
}

// TestSharesSumToAHundred: three equal outcomes are 34, 33 and 33 percent, so are
// three equal stretches of time, and whatever the numbers are, the shares of a list sum to a hundred.
func TestSharesSumToAHundred(t *testing.T) {
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/api/stats") {
				next.ServeHTTP(rw, r)
				return
			}
			got := httptest.NewRecorder()
			next.ServeHTTP(got, r)
			var d map[string]any
			assert.NoError(t, json.Unmarshal(got.Body.Bytes(), &d))
			d["parts"] = map[string]int{"bot": 60_000, "queue": 60_000, "human": 60_000}
			assert.NoError(t, json.NewEncoder(rw).Encode(d))
		})
	}})
	for i, end := range []func(handoff.Handoff) error{
		func(h handoff.Handoff) error {
			_, err := w.engine.Return(w.ctx, h.ID, handoff.By("ann"), "")
			return err
		},
		func(h handoff.Handoff) error {
			_, err := w.engine.End(w.ctx, h.ID, handoff.By("ann"), handoff.Ending{})
			return err
		},
		func(h handoff.Handoff) error { _, err := w.engine.Cancel(w.ctx, h.ID.Conversation, true); return err },
	} {
		c := []string{"maria", "lee", "jo"}[i]
		h := w.asks(c, "billing")
		if i < 2 {
			var err error
			h, err = w.engine.TakeOver(w.ctx, h.ID, handoff.By("ann"), "billing")
			require.NoError(t, err)
		}
		require.NoError(t, end(h))
	}
	p := w.at("sam", "stats")
	p.until("the outcomes are there", `document.querySelectorAll('.shares')[0]?.rows.length === 3`)
	assert.Equal(t, []string{"34%", "33%", "33%"}, js[[]string](p, `[...document.querySelectorAll('.shares')[0].rows].map((r) => r.cells[3].textContent)`))
	assert.Equal(t, []string{"34%", "33%", "33%"}, js[[]string](p, `[...document.querySelectorAll('.legend li')].map((e) => e.textContent.match(/\d+%/)[0])`))
	p.sees("they sum to 100 %")
	wrong := js[[]string](p, `import(document.querySelector('script[type=module]').src.replace('desk.js', 'stats.js')).then(({ shares }) => {
		const out = [];
		for (let i = 0; i < 5000; i++) {
			const list = Array.from({ length: 1 + i % 9 }, (_, k) => (i * 2654435761 + k * 40503 * (i + 7)) % 97), all = list.reduce((a, b) => a + b, 0), got = shares(list);
			if (got.reduce((a, b) => a + b, 0) !== (all ? 100 : 0) || got.some((x, k) => all && Math.abs(x - list[k] * 100 / all) >= 1)) out.push(JSON.stringify([list, got]));
		}
		return out.slice(0, 3);
	})`)
	assert.Empty(t, wrong)
}

// A wait from 67 seconds to three minutes is one from one minute to three.
func TestRangesNameAUnitOnce(t *testing.T) {
	w := newWorld(t)
	p := w.at("sam", "board")
	p.until("the board is there", `document.querySelector('.stat')`)
	assert.Equal(t, []string{"25–57 seconds", "1–3 minutes", "20 seconds – 3 minutes", "3 minutes", "0–5 seconds", "0 seconds"},
		js[[]string](p, `import(document.querySelector('script[type=module]').src.replace('desk.js', 'range.js')).then(({ range }) =>
			[[25e3, 57e3], [67e3, 180e3], [20e3, 180e3], [170e3, 180e3], [0, 5e3], [0, 0]].map(([low, high]) => range(low, high)))`))
}

// TestDeskWhySaysHowLong: who asks why somebody waits is told how long it is
// expected to take, where that is known.
func TestDeskWhySaysHowLong(t *testing.T) {
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/why") {
				next.ServeHTTP(rw, r)
				return
			}
			answer, all := httptest.NewRecorder(), map[string]any{}
			next.ServeHTTP(answer, r)
			assert.NoError(t, json.Unmarshal(answer.Body.Bytes(), &all))
			// As after a day on which many waited.
			all["position"], all["known"], all["p50"], all["p90"] = 1, true, 67000, 180000
			rw.Header().Set("Content-Type", "application/json")
			assert.NoError(t, json.NewEncoder(rw).Encode(all))
		})
	}})
	h := w.asks("maria", "billing")
	p := w.at("sam", "c/"+token(h))
	p.clickOn(".tools button[aria-label='More actions']")
	p.click("Why is this waiting?")
	p.until("it says how long", `document.querySelector('dialog')?.textContent.includes('1–3 minutes')`)
}
