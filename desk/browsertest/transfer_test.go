package browsertest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDesk21Transfer: warm to a colleague, who accepts; the first one loses the
// transcript, and the note is for the colleague.
func TestDesk21Transfer(t *testing.T) {
	w := newWorld(t)
	w.available("ann", "bob")
	h := w.has("ann", "maria", "shop")
	b := w.at("bob", "")
	p := w.at("ann", "c/"+token(h))
	p.clickOn(".tools button[aria-label=Transfer]")
	p.sees("Stay until the colleague accepts")
	p.axe()
	p.click("Bob Sato")
	p.clickOn(".noteinput")
	p.write("He wants 45.00 back")
	p.clickOn("dialog .button.primary")
	p.sees("You still have the conversation.")
	p.sees("Transfer to Bob Sato")
	b.sees("A colleague asks you to take over")
	b.click("Accept")
	b.until("Bob has it", `document.querySelector('.composer.reply')`)
	b.sees("He wants 45.00 back")
	p.until("Ann no longer reads it", `!document.querySelector('.transcript')`)
	p.sees("Bob Sato")
	p.axe()
	assert.NotContains(t, strings.Join(w.pulled("maria"), "\n"), "45.00")
}

// asks lets whoever has a conversation open ask a colleague to take it over.
func (p *page) asksColleague(name string) {
	p.t.Helper()
	p.clickOn(".tools button[aria-label=Transfer]")
	p.until("the dialog is open", `document.querySelector('dialog .targets')`)
	p.click(name)
	p.clickOn("dialog .button.primary")
	p.sees("Waiting for " + name + " to accept. You still have the conversation.")
}

// TestDesk21Refused: a colleague who declines or does not answer leaves it where
// it is, and whoever has it is told.
func TestDesk21Refused(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[1].OfferTimeout = 30 * time.Second }})
	w.available("ann", "bob")
	h := w.has("ann", "maria", "shop")
	b, p := w.at("bob", ""), w.at("ann", "c/"+token(h)+"?tab=mine")
	p.asksColleague("Bob Sato")
	b.sees("A colleague asks you to take over")
	b.click("Decline")
	b.click("Busy with others")
	b.until("he is no longer asked", `!document.querySelector('.offer')`)
	p.sees("Bob Sato declined")
	p.until("nobody is waited for", `!document.querySelector('.banner') && document.querySelector('.composer.reply')`)
	p.axe()

	p.asksColleague("Bob Sato")
	p.sees("Bob Sato did not answer")
	assert.NotContains(t, p.text(".transcript"), "not answered", "it is said once")
	p.until("nobody is waited for", `!document.querySelector('.banner') && document.querySelector('.composer.reply')`)
	assert.Equal(t, "ann", w.now(h.ID).Agent)
}

// TestDesk21TakeBack: whoever asked a colleague takes it back before he answers,
// and so does a supervisor; the colleague is no longer asked, and the user has
// seen nothing of it.
func TestDesk21TakeBack(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[1].OfferTimeout = time.Hour }}) // no offer ends by itself
	w.available("ann", "bob")
	h := w.has("ann", "maria", "shop")
	b, p, s := w.at("bob", "c/"+token(h)), w.at("ann", "c/"+token(h)+"?tab=mine"), w.at("sam", "c/"+token(h))
	b.expects("403", "404") // what he is no longer asked is not his to read
	told := w.told(h.ID)
	for n, by := range []*page{p, s} {
		p.asksColleague("Bob Sato")
		b.until("Bob has a card, and may accept", `document.querySelector('.offer') && document.querySelector('.foot .choice')`)
		b.until("he cannot take back what he is asked", `![...document.querySelectorAll('.banner .button')].some((e) => e.textContent.includes('Take back'))`)
		s.sees("Asking Bob Sato")
		by.axe()
		by.click("Take back")
		by.sees("Bob Sato is no longer asked")
		b.until("Bob is no longer asked", `!document.querySelector('.offer') && !document.querySelector('.foot .choice')`)
		b.sees("You are no longer asked")
		b.sees("Ann Moreau still has it.")
		b.axe()
		line := []string{"Ann Moreau", "Sam Okafor"}[n] + " took the transfer to Bob Sato back"
		for _, reader := range []*page{p, s} {
			reader.until("it stands in the conversation: "+line, `[...document.querySelectorAll('.event')].filter((e) => e.textContent.includes(§)).length === 1`, line)
		}
		p.until("nobody is waited for", `!document.querySelector('.banner') && document.querySelector('.composer.reply')`)
		s.until("the supervisor goes on watching", `document.querySelector('.banner.watch') && !document.querySelector('.banner').textContent.includes('Bob Sato')`)
	}
	now := w.now(h.ID)
	assert.Equal(t, "ann", now.Agent)
	assert.Equal(t, handoff.StateActive, now.State)
	assert.Empty(t, now.Offers)
	assert.Equal(t, told, w.told(h.ID), "the user has seen nothing")
	again := w.at("sam", "c/"+token(h)) // what is read later says so too, once for each
	again.until("both lines", `[...document.querySelectorAll('.event')].filter((e) => e.textContent.includes('took the transfer to Bob Sato back')).length === 2`)
	p.reply("I am still here")
	p.sees("I am still here")
}

// told returns what a user is shown of a handoff so far.
func (w *world) told(id handoff.ID) []string {
	w.t.Helper()
	log, err := w.engine.Log(w.ctx, id, 0, 100_000)
	require.NoError(w.t, err)
	var out []string
	for i := range log {
		if log[i].ForUser() {
			out = append(out, log[i].Text)
		}
	}
	return out
}

// TestDesk21ToQueue: a queue takes it, one in which no more may wait too; nobody
// gives it to herself.
func TestDesk21ToQueue(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) {
		c.Queues = append(c.Queues, handoff.Queue{Name: "experts", MaxWaiting: 1})
	}})
	w.available("ann", "bob")
	w.asks("lee", "experts") // no more are let in
	_, err := w.engine.Request(w.ctx, handoff.Request{Conversation: "jo", Queue: "experts"})
	require.Error(t, err, "it is full")
	h := w.has("ann", "maria", "shop")
	p := w.at("ann", "c/"+token(h)+"?tab=mine")
	p.clickOn(".tools button[aria-label=Transfer]")
	p.until("colleagues are there, and she is not", `[...document.querySelectorAll('dialog input[name=to]')].map((e) => e.value).includes('bob') && !document.querySelector('dialog input[value=ann]')`)
	assert.EqualValues(t, http.StatusUnprocessableEntity, js[float64](p, `fetch('/ann/api/handoffs/`+token(h)+`/transfer', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"op":"self","agent":"ann"}' }).then((r) => r.status)`), "nor will the server")
	p.expects("422")
	p.click("To a queue")
	p.click("experts")
	p.clickOn(".noteinput")
	p.insert("For who knows of lenses")
	p.axe()
	p.clickOn("dialog .button.primary")
	w.until("it waits there", func() bool {
		now := w.now(h.ID)
		return now.Need.Queue == "experts" && now.State == handoff.StateWaiting
	})
	assert.WithinDuration(t, h.Enqueued, w.now(h.ID).Enqueued, 0, "as long as it has waited")
	p.until("she no longer reads it", `!document.querySelector('.transcript')`)
	s := w.at("sam", "c/"+token(h))
	s.sees("For who knows of lenses")
}

// TestDesk21EndsAsTheQueueAsks: a colleague of another queue, who was asked to take
// over, ends it for one of the reasons that its queue knows.
func TestDesk21EndsAsTheQueueAsks(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[0].NeedReason = true }})
	w.there("ann", "eve") // however long their pages take
	h := w.has("ann", "maria", "billing")
	e, p := w.at("eve", ""), w.at("ann", "c/"+token(h)+"?tab=mine")
	p.asksColleague("Eve Novak")
	e.sees("A colleague asks you to take over")
	e.click("Accept")
	e.until("she has it", `document.querySelector('.composer.reply')`)
	e.click("Finish")
	e.click("End the conversation")
	e.until("a reason is asked for", `document.querySelector('dialog select[required]') && document.querySelector('dialog .button.primary').disabled`)
	js[bool](e, `(() => { const s = document.querySelector('dialog select'); s.value = 'Refunded'; s.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	e.axe()
	e.clickOn("dialog .button.primary")
	w.until("it is closed so", func() bool { return w.now(h.ID).Closing == "Refunded" })
}

// TestDesk21GivenAway: who transfers is not told that he has lost it when the news
// of that is faster than the answer.
func TestDesk21GivenAway(t *testing.T) {
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	w := newWorld(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/transfer") {
				next.ServeHTTP(rw, r)
				return
			}
			got := httptest.NewRecorder()
			next.ServeHTTP(got, r)
			<-goOn
			for k, v := range got.Header() {
				rw.Header()[k] = v
			}
			rw.WriteHeader(got.Code)
			_, _ = rw.Write(got.Body.Bytes())
		})
	}})
	t.Cleanup(release)
	w.there("ann", "bob")
	h := w.has("ann", "maria", "shop")
	p := w.at("ann", "c/"+token(h)+"?tab=mine")
	p.clickOn(".tools button[aria-label=Transfer]")
	p.until("the dialog is open", `document.querySelector('dialog .targets')`)
	p.click("Bob Sato")
	p.clickOn("dialog input[type=checkbox]")
	p.clickOn("dialog .button.primary")
	p.until("it is no longer hers", `!document.querySelector('.composer.reply') && document.querySelector('.head .state.offered')`)
	const told = `[...document.querySelectorAll('.toast')].map((e) => e.innerText.trim()).join()`
	assert.Empty(t, js[string](p, told))
	release()
	p.sees("Transferred")
	p.until("the dialog is closed", `!document.querySelector('dialog')`)
	assert.Equal(t, "Transferred", js[string](p, told))
}
