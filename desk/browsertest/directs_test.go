package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// TestDeskDirects: a supervisor is told why somebody waits, and from the board
// gives him to an agent; she puts him on hold, goes on and begins a video session;
// the supervisor ends it in her place.
func TestDeskDirects(t *testing.T) {
	w := newWorld(t, options{
		engine: func(c *handoff.Config) {
			c.Directory = memstore.NewDirectory(
				handoff.Agent{ID: "ann", Name: "Ann Moreau", Queues: []string{"billing"}, Seats: 3, Video: true},
				handoff.Agent{ID: "bob", Name: "Bob Sato", Queues: []string{"billing"}, Seats: 3},
				handoff.Agent{ID: "sam", Name: "Sam Okafor", Seats: 5},
			)
			c.Rooms = handoff.RoomLinks{Template: "https://meet.example.com/{room}", Secret: []byte("only for this one test")}
		},
		desk: func(c *desk.Config) { c.Video = true },
	})
	w.there("ann")
	h := w.asks("maria", "billing")
	s, a := w.at("sam", "board"), w.at("ann", "?tab=mine")
	s.expects("404")
	s.click("Maria Keller")
	s.clickOn(".tools button[aria-label='More actions']")
	s.click("Why is this waiting?")
	s.sees("It waits to be picked from the list.")
	s.until("it says of each agent whether she could", `[...document.querySelectorAll('dialog tbody tr')].map((r) => r.innerText.replace(/\s+/g, ' ').trim()).sort().join(' | ') === 'Ann Moreau Yes | Bob Sato Not there'`)
	s.axe()
	s.clickOn("dialog .button.primary")
	s.clickOn(".tools button[aria-label=Transfer]")
	s.until("colleagues are there", `document.querySelector('dialog input[value=ann]:not(:disabled)')`)
	s.click("Ann Moreau")
	s.click("Assign")
	w.until("she has it, or is asked", func() bool { now := w.now(h.ID); return now.Agent == "ann" || len(now.Offers) == 1 })
	a.until("it is hers", `document.querySelector('.offer .button.primary') || document.querySelector('a.row')`)
	if len(w.now(h.ID).Offers) == 1 {
		a.clickOn(".offer .button.primary")
	} else {
		a.click("Maria Keller")
	}
	a.until("she may write", `document.querySelector('.composer.reply')`)

	a.clickOn(".tools button[aria-label='Put on hold']")
	a.sees("Maria Keller is on hold.")
	w.until("he is", func() bool { return w.now(h.ID).State == handoff.StateHeld })
	a.until("nothing can be sent to him", `!document.querySelector('.composer.reply')`)
	a.axe()
	a.clickOn(".tools button[aria-label=Resume]")
	a.until("she may write again", `document.querySelector('.composer.reply') && !document.querySelector('.banner.amber')`)
	assert.Equal(t, handoff.StateActive, w.now(h.ID).State)

	a.clickOn(".tools button[aria-label='More actions']")
	a.click("Start a video session")
	a.sees("This is a video session.")
	room := js[string](a, `document.querySelector('.banner a[target=_blank]').href`)
	assert.Regexp(t, `^https://meet\.example\.com/\S+$`, room)
	assert.Equal(t, w.now(h.ID).Room.Agent, room)
	a.axe()

	s.goes("c/" + token(h))
	s.sees("You are watching Ann Moreau.")
	s.clickOn(".tools button[aria-label='More actions']")
	s.click("End in the agent's place")
	s.click("End the conversation")
	s.clickOn("dialog .button.primary")
	w.until("it is over", func() bool { return w.now(h.ID).State == handoff.StateEnded })
	a.until("she cannot write", `!document.querySelector('.composer.reply')`)
}
