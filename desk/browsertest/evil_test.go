package browsertest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/examples/webchat/acme"
	"github.com/seed-2a427302/handoff/memstore"
)

// evilCRM answers with whatever the payloads are: with all of them in each field,
// over all conversations.
type evilCRM struct{}

func (evilCRM) Find(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	n, err := strconv.Atoi(who.Attributes["number"])
	if err != nil {
		return nil, nil //nolint:nilerr // nobody it knows
	}
	e := func(i int) string { return evil(n+i, true) }
	return []handoff.Customer{{Source: e(0), ID: e(1), Name: e(2), Mail: e(3), Phone: e(4), URL: e(5), Fields: []handoff.CustomerField{{Label: e(6), Value: e(7)}}}}, nil
}

// shelf, market and platform name the queue of our own agents, the queue that a
// vendor serves, and the vendor, of a number.
func shelf(i int) string    { return evilName("shelf", i) }
func market(i int) string   { return evilName("market", i) }
func platform(i int) string { return evilName("platform", i) }

func evilName(what string, i int) string { return fmt.Sprint(clip(evil(i, true), 400), what, i) }

// A vendor's platform opens every chat, or fails with an error of its own words.
type vendor struct {
	number int
	fails  bool
}

func (v vendor) Info() handoff.ProviderInfo {
	name := platform(v.number)
	if v.fails {
		name = "bad " + name
	}
	return handoff.ProviderInfo{Name: name, Custody: handoff.CustodyQueue, Can: handoff.Capabilities{Notes: true, Transfer: true}}
}

func (v vendor) Open(context.Context, handoff.Opening) (handoff.Session, error) {
	if v.fails {
		return handoff.Session{}, &handoff.ProviderError{Op: "open", Status: 400, Code: evil(v.number+1, true), Err: errors.New(evil(v.number+2, false))}
	}
	return handoff.Session{Reference: fmt.Sprint("r", v.number)}, nil
}

func (vendor) Send(context.Context, handoff.Session, handoff.ProviderMessage) error { return nil }

func (vendor) Close(context.Context, handoff.Session, handoff.Reason) error { return nil }

// Receive has nothing to do: what happens is delivered by the test.
func (vendor) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{}, nil
}

// sold gives a request to a vendor's platform, the first of which fails. An agent
// there has his say, and then the chat fails.
func (w *world) sold(p *planted) error {
	i := p.number
	p.req.Conversation, p.req.Queue = p.in.Conversation, market(i)
	got, err := w.engine.Request(w.ctx, p.req)
	if err != nil {
		return err
	}
	var reference string
	w.until("it is open there", func() bool {
		h := w.now(got.Handoff.ID)
		for _, b := range h.Bindings() {
			if b.Provider == platform(i) {
				reference = b.Session.Reference
			}
		}
		return reference != ""
	})
	agent := handoff.Party{ID: "there " + clip(evil(i+3, true), 400), Name: evil(i+4, false)}
	event := func(e handoff.ProviderEvent) handoff.ProviderEvent {
		e.Reference, e.Agent = reference, agent
		e.ID = fmt.Sprint(e.Kind, i)
		return e
	}
	return w.engine.Deliver(w.ctx, platform(i),
		event(handoff.ProviderEvent{Kind: handoff.EventJoined}),
		event(handoff.ProviderEvent{Kind: handoff.EventMessage, Text: evil(i+5, false)}),
		event(handoff.ProviderEvent{Kind: handoff.EventNote, Text: evil(i+6, false)}),
		event(handoff.ProviderEvent{Kind: handoff.EventFailed, Code: evil(i+7, true)}),
	)
}

// tags are the elements that pages of the desk are made of.
const tags = `html head meta title link script body noscript a article aside bdi br button datalist dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 header hr i input kbd label legend li main meter nav option p section select span strong summary table tbody td textarea th thead time tr ul svg g line path rect text`

// stranger tells whether an element is none of a page that is made of some tags:
// it is another one, stands where no such element does, has what none has, or is
// in a text and no link out.
const stranger = `((tags, own) => (e) => {
	const n = e.localName;
	if (!tags.has(n)) return true;
	if (e.closest('svg') && n !== 'svg' && !['g', 'line', 'path', 'rect', 'text'].includes(n)) return true;
	if (['meta', 'title', 'link', 'base', 'style'].includes(n) && e.parentElement !== document.head) return true;
	if (n === 'link' && new URL(e.href).origin !== location.origin) return true;
	if (n === 'meta' && e.httpEquiv && (own || e.httpEquiv !== 'Content-Security-Policy') || n === 'script' && own && e.id !== 'boot' && e.type !== 'module') return true;
	if (e.hasAttribute('action') || e.hasAttribute('formaction') || e.hasAttribute('autofocus') || e.hasAttribute('srcdoc') || e.hasAttribute('src') && n !== 'script') return true;
	if (e.hasAttribute('style') && !e.matches('.composer textarea, .popup, body > pre')) return true; // pre: the browser's own, of a text
	if (own && n === 'button' && !e.hasAttribute('type')) return true;
	if (['input', 'select', 'textarea'].includes(n) && !e.ariaLabel && !e.labels.length) return true;
	if (n === 'a' && e.hasAttribute('href') && !/^https?:/.test(e.href)) return true;
	if (n === 'a' && e.target === '_blank' && (!e.rel.includes('noopener') || new URL(e.href).username)) return true;
	return Boolean(e.parentElement?.closest('bdi, .text, option, title, textarea')) && !(n === 'a' && e.target === '_blank') && !(n === 'bdi' || n === 'span' && e.className === 'text');
})`

// clean looks for anything on the page that came from text.
func (p *page) clean(where string) {
	p.t.Helper()
	p.made(where, tags, true)
}

// made looks for anything on a page that is not made of some tags only.
func (p *page) made(where, of string, own bool) {
	p.t.Helper()
	got := js[struct {
		Hits                    int
		Foreign, Handlers, Wide []string
	}](p, `(() => ({
		hits: self.hits ?? 0,
		foreign: [...document.querySelectorAll('*')].filter(`+stranger+`(new Set(§.split(' ')), §)).map((e) => e.parentElement?.localName + ' > ' + e.outerHTML.slice(0, 100)),
		handlers: [...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames().filter((n) => n.startsWith('on'))),
		wide: Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main, .pane, .list, .page, .transcript')].map((e) => e.scrollWidth - e.clientWidth)) <= 0 ? [] :
			['all', ...[...document.querySelectorAll('main *')].filter((e) => !e.closest('.tablebox, .lines .line') && e.getBoundingClientRect().right > e.closest('main, .pane, .list, .page, .transcript').getBoundingClientRect().right + 1).slice(0, 6).map((e) => { let s = ''; for (let x = e; x && s.length < 160; x = x.parentElement) s += ' < ' + x.tagName + '.' + x.className; return s; })],
	}))()`, of, own)
	assert.Zero(p.t, got.Hits, where)
	assert.Empty(p.t, got.Foreign, "%s: elements that came from text", where)
	assert.Empty(p.t, got.Handlers, "%s: attributes that run something", where)
	if own {
		assert.Empty(p.t, got.Wide, "%s: the page scrolls sideways", where)
	}
}

// TestDesk34XSSWebchat: nothing that is said runs in the user's own page either,
// whoever says it under whatever name, nor does the name of a file.
func TestDesk34XSSWebchat(t *testing.T) {
	start(t)
	t.Parallel()
	staff := memstore.NewDirectory()
	require.NoError(t, staff.Put(t.Context(), handoff.Agent{ID: "ann", Name: "Ann", Queues: []string{"support"}, Seats: 3}))
	at := example(t, acme.Options{Change: func(c *handoff.Config) { c.Directory = staff }})
	a := tab(browser.ctx, t, at+"desk/ann/", chromedp.WithNewBrowserContext()).open("").live()
	u := tab(browser.ctx, t, at, chromedp.WithNewBrowserContext()).open("chat.html")
	js[bool](u, `(self.hits = 0, self.hit = () => { self.hits++; }, true)`)
	u.click("Talk to a person")
	a.click("Accept")
	u.sees("Ann has joined")
	a.until("it is open", `document.querySelector('.composer.reply')`)
	id := js[string](a, `decodeURIComponent(location.pathname.split('/').pop())`)
	var names, said, by []string
	for i := range payloads {
		require.NoError(t, staff.Put(t.Context(), handoff.Agent{ID: "sam", Name: evil(i+1, true), Seats: 1}))
		require.Equal(t, 200, js[int](a, `fetch('/desk/sam/api/handoffs/' + § + '/join', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ id: §, text: § }) }).then((r) => r.status)`, id, fmt.Sprint("a", i), evil(i, false)))
		said, by = append(said, strings.TrimSpace(evil(i, false))), append(by, evil(i+1, true))
		names = append(names, clip(strings.ReplaceAll(evil(i, true), "/", ":"), 150))
	}
	js[bool](u, `(async () => { for (const text of §) await fetch('chat/api/' + JSON.parse(localStorage.webchat).id + '/messages', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ id: crypto.randomUUID(), text, name: text }) }); return true; })()`, said)
	u.expects("507") // the example keeps fifty files; the others are shown as refused
	u.sends(1, names...)
	u.until("all is said", `document.querySelectorAll('.m.agent').length === § && document.querySelectorAll('.m.user:not(.wait)').length === §`, len(payloads), 2*len(payloads))
	assert.Empty(t, js[[]string](u, `((said, by) => [...document.querySelectorAll('.m.agent')].filter((m, i) => !m.textContent.includes(said[i]) || m.querySelector('b').textContent !== by[i]).map((m) => m.textContent))(§, §)`, said, by), "as it was written")
	u.made("the user's page", "html head meta title link script body header h1 p button main div span form label input textarea b small a", false)
}
