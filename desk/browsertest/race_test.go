package browsertest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDesk02RaceToAccept: two agents click at the same moment. One has it, the
// other is told who, and reads no further.
func TestDesk02RaceToAccept(t *testing.T) {
	w := newWorld(t)
	w.available("ann", "bob")
	pages := map[string]*page{"ann": w.at("ann", ""), "bob": w.at("bob", "")}
	for round := range 4 {
		c := fmt.Sprintf("r%d", round)
		w.named(c, fmt.Sprintf("Racer %d", round))
		h := w.asks(c, "billing")
		for _, p := range pages {
			p.open("c/" + token(h)).live()
			p.sees("Nobody has taken this yet.")
		}
		var both sync.WaitGroup
		for _, p := range pages {
			both.Go(func() { p.at(format(find+`(§)`, "Accept")) })
		}
		both.Wait()
		w.until("somebody has it", func() bool { return w.now(h.ID).Agent != "" })
		winner := w.now(h.ID).Agent
		loser := pages[map[string]string{"ann": "bob", "bob": "ann"}[winner]]
		loser.expects("409", "404", "403")
		pages[winner].until("the winner may write", `document.querySelector('.composer.reply')`)
		loser.until("the loser cannot accept it any more", `![...document.querySelectorAll('button')].some((b) => b.textContent === 'Accept')`)
		loser.sees(map[string]string{"ann": "Ann Moreau", "bob": "Bob Sato"}[winner])
		_, err := w.engine.End(w.ctx, h.ID, handoff.By(winner), handoff.Ending{Reason: "Explained"})
		require.NoError(t, err)
	}
	pages["ann"].axe()
}

// TestDesk05Full: an agent without a free seat is told so, and nothing changes.
func TestDesk05Full(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.has("ann", fmt.Sprintf("f%d", i), "billing")
	}
	w.available("ann")
	h := w.asks("maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("409")
	p.click("Accept")
	p.sees("You have no free seat.")
	assert.Equal(t, handoff.StateWaiting, w.now(h.ID).State)
	p.axe()
}

// TestDesk04OfferRunsOut: an offer rings with a countdown and goes back.
func TestDesk04OfferRunsOut(t *testing.T) {
	w := newWorld(t, options{engine: func(c *handoff.Config) { c.Queues[1].OfferTimeout = 3 * time.Second }})
	w.available("eve")
	p := w.at("eve", "")
	h := w.asks("maria", "shop")
	p.sees("This is for you")
	p.axe()
	p.until("the offer has gone", `!document.querySelector('.offer')`)
	w.until("it waits in its place", func() bool { return w.now(h.ID).State == handoff.StateWaiting })
	assert.NotEmpty(t, w.said(h.ID, handoff.KindLapsed, ""))
}

// TestDesk06UserLeaves while he is looked at, and while he is answered.
func TestDesk06UserLeaves(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.asks("maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("404") // a read that was on its way when she lost sight of it
	p.sees("Nobody has taken this yet.")
	_, err := w.engine.Cancel(w.ctx, "maria", true)
	require.NoError(t, err)
	p.until("the preview has gone", `!document.querySelector('.choice')`)
	p.axe()

	h = w.has("ann", "lee", "billing")
	p.open("c/" + token(h)).live()
	p.clickOn(".composer textarea")
	p.write("half a sen")
	_, err = w.engine.Cancel(w.ctx, "lee", true)
	require.NoError(t, err)
	p.until("nothing can be sent", `!document.querySelector('.composer.reply')`)
	p.axe()
}

// TestDesk11StreamKilled: the stream breaks again and again while messages
// come. Each is shown once, in order; draft, focus and caret stay.
func TestDesk11StreamKilled(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("ERR_", "Failed to load resource", "Failed to fetch")
	p.clickOn(".composer textarea")
	p.write("my draft")
	for i := range 40 {
		w.says("maria", fmt.Sprintf("line %02d", i))
		if i%8 == 3 {
			w.server.CloseClientConnections()
			p.do()
		}
	}
	p.sees("line 39")
	p.until("each is there once, in order", `(() => {
		const got = [...document.querySelectorAll('.entry.user .text')].map((e) => e.textContent).filter((s) => s.startsWith('line'));
		return got.length === 40 && got.every((s, i) => s === 'line ' + String(i).padStart(2, '0'));
	})()`)
	assert.Equal(t, "my draft", js[string](p, `document.querySelector('.composer textarea').value`))
	assert.True(t, js[bool](p, `document.activeElement.tagName === 'TEXTAREA' && document.activeElement.selectionStart === 8`))
	p.axe()
}

// TestDesk16ManyTabs: twelve tabs of one browser are live with one stream; the
// leader's end loses nothing.
func TestDesk16ManyTabs(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	first := w.at("ann", "")
	tabs := []*page{first}
	for range 5 {
		p := tab(first.ctx, t, first.url)
		p.open("").live()
		tabs = append(tabs, p)
	}
	w.asks("maria", "billing")
	for _, p := range tabs {
		p.sees("Maria Keller")
	}
	assert.Equal(t, 1, js[int](first, `navigator.locks.query().then((q) => q.held.length)`))
}

// TestDesk17NoteNeverReachesTheUser: modes, drafts and reloads in any order.
func TestDesk17NoteNeverReachesTheUser(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	for i := range 6 {
		p.click("Internal note")
		p.until("note mode", `document.querySelector('.composer.note')`)
		p.clickOn(".composer textarea")
		p.write(fmt.Sprintf("CANARY %d", i))
		switch i % 3 {
		case 0: // a look at the other mode in between
			p.click("Reply")
			p.until("the reply's draft is its own", `document.querySelector('.composer.reply textarea')?.value === ''`)
			p.click("Internal note")
			p.until("the note's draft is still there", `document.querySelector('.composer.note textarea')?.value.startsWith('CANARY')`)
		case 1:
			wait(400 * time.Millisecond) // longer than a draft is held back
			p.open("c/" + token(h)).live()
			p.until("the draft outlives a reload, in its mode", `document.querySelector('.composer.note textarea')?.value.startsWith('CANARY')`)
		}
		p.click("Save internal note")
		w.until("it is a note", func() bool { return len(w.said(h.ID, handoff.KindNote, "")) == i+1 })
		p.click("Reply")
		p.reply(fmt.Sprintf("answer %d", i))
		w.until("it is a reply", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == i+1 })
	}
	for m, err := range w.engine.FollowUser(shortly(t), "maria", handoff.UserCursor{}) {
		if err != nil {
			break
		}
		assert.NotContains(t, m.Text, "CANARY")
	}
	p.axe()
	p.keep("notes")
}

// TestDesk18Drafts: a draft never turns up in another conversation.
func TestDesk18Drafts(t *testing.T) {
	w := newWorld(t)
	a, b := w.has("ann", "maria", "billing"), w.has("ann", "lee", "billing")
	p := w.at("ann", "c/"+token(a)+"?tab=mine")
	for i := range 8 {
		who, other := "Maria Keller", "Lee Wong"
		if i%2 == 1 {
			who, other = other, who
		}
		p.until("the composer is "+who+"'s", `document.querySelector('.composer textarea')?.ariaLabel === §`, "Reply to "+who)
		p.clickOn(".composer textarea")
		p.write("x")
		p.clickOn(`a.row[data-id="` + map[bool]string{true: token(b), false: token(a)}[other == "Lee Wong"] + `"]`)
	}
	p.until("each has its own", `document.querySelector('.composer textarea')?.value === 'xxxx'`)
	assert.Empty(t, w.said(a.ID, handoff.KindMessage, handoff.RoleAgent))
}

// TestDesk20Stale: what came between the last look and Send is shown first.
func TestDesk20Stale(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("409")
	p.clickOn(".composer textarea")
	p.write("the answer")
	// The page has not heard of it yet when it sends.
	js[bool](p, `(() => { const f = self.fetch; self.fetch = (u, o) => String(u).includes('/messages') ? new Promise((r) => setTimeout(() => r(f(u, o)), 300)) : f(u, o); return true; })()`)
	p.do()
	p.click("Send to Maria Keller")
	w.says("maria", "wait, it is something else")
	p.sees("wrote while you were writing")
	assert.Equal(t, "the answer", js[string](p, `document.querySelector('.composer textarea').value`))
	assert.Empty(t, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	p.axe()
	p.click("Send anyway")
	w.until("it was sent once", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == 1 })
}

// TestDesk21Transfer: warm to a colleague, who accepts; the first one loses the
// transcript, and the note is for the colleague.
func TestDesk21Transfer(t *testing.T) {
	w := newWorld(t)
	w.available("ann", "bob")
	h := w.has("ann", "maria", "shop")
	b := w.at("bob", "")
	p := w.at("ann", "c/"+token(h))
	p.expects("403", "404")
	p.clickOn(".tools button[aria-label=Transfer]")
	p.sees("Stay until the colleague accepts")
	p.axe()
	p.click("Bob Sato")
	p.clickOn(".noteinput")
	p.write("He wants 45.00 back")
	p.clickOn("dialog .button.primary")
	p.sees("You still have the conversation.")
	b.sees("A colleague asks you to take over")
	b.click("Accept")
	b.until("Bob has it", `document.querySelector('.composer.reply')`)
	b.sees("He wants 45.00 back")
	p.until("Ann no longer reads it", `!document.querySelector('.transcript')`)
	p.sees("Bob Sato")
	p.axe()
	for m, err := range w.engine.FollowUser(shortly(t), "maria", handoff.UserCursor{}) {
		if err != nil {
			break
		}
		assert.False(t, strings.Contains(m.Text, "45.00"))
	}
}

// TestDesk22Supervisor watches in silence, whispers, and takes over.
func TestDesk22Supervisor(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.has("ann", "maria", "shop")
	a := w.at("ann", "c/"+token(h))
	before := w.now(h.ID).Seq
	s := w.at("sam", "c/"+token(h))
	s.sees("You are watching Ann Moreau. Nobody is told.")
	s.axe()
	assert.Equal(t, before, w.now(h.ID).Seq, "watching leaves no trace in the log")
	assert.False(t, js[bool](a, `document.body.innerText.includes('Sam')`), "and none on the agent's page")
	s.clickOn(".modes .whisper")
	s.clickOn(".composer textarea")
	s.write("offer him 45")
	s.clickOn(".composer .button.primary")
	a.sees("offer him 45")
	a.expects("409", "403", "404")
	a.clickOn(".composer textarea")
	a.write("half")
	s.click("Take over")
	s.clickOn("dialog .button.primary")
	s.until("Sam has it", `document.querySelector('.composer.reply')`)
	w.until("the engine says so", func() bool { return w.now(h.ID).Agent == "sam" })
	a.until("Ann cannot write", `!document.querySelector('.composer.reply')`)
	assert.Contains(t, js[[]string](a, `Object.entries(localStorage).filter(([k]) => k.includes('draft:')).map(([, v]) => JSON.parse(v))`), "half", "her half-typed reply is kept")
	for m, err := range w.engine.FollowUser(shortly(t), "maria", handoff.UserCursor{}) {
		if err != nil {
			break
		}
		assert.NotContains(t, m.Text, "offer him")
	}
}

// TestDesk23Removed: an agent whose right has ended sees nothing more.
func TestDesk23Removed(t *testing.T) {
	w := newWorld(t)
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "c/"+token(h))
	p.expects("403")
	p.sees("it is about my order")
	w.deny("ann", fmt.Errorf("removed"))
	w.desk.Kick("ann")
	p.sees("You no longer have access")
	assert.False(t, js[bool](p, `document.body.innerText.includes('about my order')`))
	p.axe()
}
