package browsertest

import (
	"testing"

	lifecycle "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestDesk01FirstMinute: a user asks for a person, an agent takes him, they
// talk, and the bot has him back.
func TestDesk01FirstMinute(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	p := w.at("ann", "")
	p.sees("Nobody is waiting")
	h := w.asks("maria", "billing", func(r *handoff.Request) { r.Data = map[string]string{"basket": "3 books"} })
	p.click("Maria Keller")
	p.sees("Nobody has taken this yet.")
	p.sees("3 books")
	p.sees("I am a small program.")
	p.axe()
	p.keep("preview")
	p.click("Accept")
	p.until("she has it", `document.querySelector('.composer.reply')`)
	for i, text := range []string{"One moment", "Done", "You are welcome"} {
		w.says("maria", []string{"I was charged twice", "For order 4711", "Thank you"}[i])
		p.sees([]string{"I was charged twice", "For order 4711", "Thank you"}[i])
		p.reply(text)
		w.until("it was sent", func() bool { return len(w.said(h.ID, handoff.KindMessage, handoff.RoleAgent)) == i+1 })
	}
	p.axe()
	p.keep("conversation")
	p.click("Finish")
	p.sees("Back to the assistant")
	p.axe()
	p.clickOn("dialog .button.primary")
	w.until("it is returned", func() bool { return w.now(h.ID).Outcome == handoff.OutcomeReturned })
	require.Equal(t, []string{"One moment", "Done", "You are welcome"}, w.said(h.ID, handoff.KindMessage, handoff.RoleAgent))
	p.until("the dialog has closed", `!document.querySelector('dialog')`)
}

// TestFirstSight: until its list can be seen a page asks for its stream, which
// brings all that is in it, and for nothing else.
func TestFirstSight(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	w.asks("maria", "billing")
	p := w.as("ann")
	_, err := chromedp.Call(p.ctx, lifecycle.AddScriptToEvaluateOnNewDocument, lifecycle.AddScriptToEvaluateOnNewDocumentParams{Source: `(() => {
		const f = self.fetch, asked = [];
		self.fetch = (u, o) => { asked.push(String(u).replace(/[?].*/, '').split('/ann/')[1]); return f(u, o); };
		new MutationObserver(() => { if (document.querySelector('a.row')) self.before ??= [...asked]; self.since = asked; }).observe(document, { subtree: true, childList: true });
	})()`})
	require.NoError(t, err)
	p.open("").live()
	p.until("the rest is asked for", `since.includes('api/team') && since.includes('api/presence/beat')`)
	assert.Equal(t, []string{"api/events"}, js[[]string](p, `before`))
}

// TestListTellsNotes: what was said last to colleagues alone is called a note in
// lists, so that nobody takes it for an answer.
func TestListTellsNotes(t *testing.T) {
	w := newWorld(t)
	w.available("ann")
	h := w.has("ann", "maria", "billing")
	p := w.at("ann", "?tab=mine")
	_, err := w.engine.Send(w.ctx, h.ID, handoff.By("ann"), handoff.Message{Text: "I look it up."})
	require.NoError(t, err)
	p.until("what she answered is there", `/^Ann Moreau:\s*I look it up\.$/.test(document.querySelector('.row .second')?.innerText)`)
	_, err = w.engine.Note(w.ctx, h.ID, handoff.By("ann"), "He is right.")
	require.NoError(t, err)
	p.until("the note is called one", `/^Note:\s*He is right\.$/.test(document.querySelector('.row .second')?.innerText)`)
}
