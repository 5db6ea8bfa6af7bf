package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// TestHoursAreSaidShortly: days that have the same hours are said once, dates as
// the reader writes them, and on a phone nothing of it is cut off, however long
// the name of the queue is.
func TestHoursAreSaidShortly(t *testing.T) {
	const long, always = "kundenbetreuung-und-reklamationsbearbeitung", "kundenbetreuung-und-rechnungsstellungsfragen"
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Queues = append(c.Queues, handoff.Queue{Name: long, Style: handoff.Pull, Hours: memstore.NewHours(handoff.Weekly{
			Days:    map[string][]handoff.Span{"mon-thu": {"09:00-12:00", "13:00-18:00"}, "fri": {"09:00-12:00"}, "sun": {"10:00-12:00"}},
			Special: map[string][]handoff.Span{"12-25": {}, "2026-12-24": {"09:00-12:00"}},
		})}, handoff.Queue{Name: always, Style: handoff.Pull})
	}})
	for language, want := range map[string][]string{
		"en": {"Monday–Thursday 09:00-12:00, 13:00-18:00 · Friday 09:00-12:00 · Sunday 10:00-12:00", "December 25: Closed", "December 24, 2026: 09:00-12:00"},
		"es": {"lunes–jueves 09:00-12:00, 13:00-18:00 · viernes 09:00-12:00 · domingo 10:00-12:00", "25 de diciembre: Cerrada", "24 de diciembre de 2026: 09:00-12:00"},
		"pt": {"segunda-feira–quinta-feira 09:00-12:00, 13:00-18:00 · sexta-feira 09:00-12:00 · domingo 10:00-12:00", "25 de dezembro: Fechada", "24 de dezembro de 2026: 09:00-12:00"},
	} {
		w.actor("ada", func(a *desk.Actor) { a.Language = language })
		p := w.as("ada")
		p.size(375, 740)
		p.open("admin").live()
		const its = `[...document.querySelectorAll('.lines li')].filter((e) => e.querySelector('strong').textContent === §).flatMap((e) => [...e.querySelectorAll('.hint')])`
		p.until("the hours are there", its+`.length === 3`, long)
		assert.ElementsMatch(t, want, js[[]string](p, its+`.map((e) => e.textContent)`, long), language)
		assert.Empty(t, js[[]string](p, `[...document.querySelectorAll('.lines .hint, .grid h3 .chip')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)`), "%s: cut off", language)
		assert.LessOrEqual(t, p.wide(), 0, language)
		p.keep(language)
		p.axe()
	}

	// Of who waits, the queue is said however long it is and whatever else is.
	w.asks("maria", always, func(r *handoff.Request) { r.Priority = 3 })
	p := w.as("sam")
	p.size(375, 740)
	p.open("board").live()
	p.until("she waits", `document.querySelector('.boxed .third')`)
	assert.True(t, js[bool](p, `(() => { const box = document.querySelector('.boxed .third'), chip = [...box.children].find((e) => e.textContent === §); return chip.getBoundingClientRect().bottom <= box.getBoundingClientRect().bottom + 1; })()`, always), "the queue is seen")
}
