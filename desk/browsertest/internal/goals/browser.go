package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/seed-2a427302/handoff"
)

// A browser is a tab that looks at a host's desk.
type browser struct {
	ctx    context.Context //nolint:containedctx // chromedp keeps the tab in it
	host   *host
	rounds int
}

// watch notes in each page when it is ready: connected, with its list; and when
// it has asked for something. The browser itself lists what was answered only,
// which a stream never is.
const watch = `(() => {
	const fetched = self.fetch;
	self.asked = [];
	self.fetch = (...x) => { asked.push(performance.now()); return fetched(...x); };
	const see = () => { if (!self.ready && document.querySelector('.live.live') && document.querySelector('a.row')) self.ready = performance.now(); };
	new MutationObserver(see).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
})()`

func (b *browser) prepare() error {
	if err := chromedp.Do(b.ctx); err != nil {
		return err
	}
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	return err
}

// value waits for an expression to be something, and returns it.
func value[T any](b *browser, expression string) (T, error) {
	for limit := time.Now().Add(30 * time.Second); ; {
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]T]("((v) => v ? [v] : [])("+expression+")"))
		if err == nil && len(got) == 1 {
			return got[0], nil
		}
		if time.Now().After(limit) {
			var none T
			return none, fmt.Errorf("%s did not come: %w", expression, err)
		}
		t := time.NewTimer(5 * time.Millisecond)
		<-t.C
	}
}

// load opens an address and returns its first paint and, at the desk, when it
// was ready.
func (b *browser) load(path string) (paint, ready float64, err error) {
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.host.url+path)); err != nil {
		return 0, 0, err
	}
	if paint, err = value[float64](b, `performance.getEntriesByName('first-contentful-paint')[0]?.startTime`); err != nil || path == "/empty" {
		return paint, 0, err
	}
	ready, err = value[float64](b, `self.ready`)
	return paint, ready, err
}

// loads measures how soon a page is there, with 500 who wait and what it needs
// in the browser's cache.
func (b *browser) loads() error {
	var empty, paint, ready, slow series
	for i := range b.rounds + 1 {
		e, _, err := b.load("/empty")
		if err != nil {
			return err
		}
		p, r, err := b.load("/desk/")
		if err != nil {
			return err
		}
		if i > 0 { // the first fills the cache
			empty, paint, ready = append(empty, e), append(paint, p), append(ready, r)
		}
	}
	requests, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`1 + self.asked.filter((at) => at <= self.ready).length +
		performance.getEntriesByType('resource').filter((e) => e.initiatorType !== 'fetch' && e.deliveryType !== 'cache' && e.startTime <= self.ready).length`))
	if err != nil {
		return err
	}
	nodes, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`document.querySelectorAll('*').length`))
	if err != nil {
		return err
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4}); err != nil {
		return err
	}
	var emptySlow series
	for range max(3, b.rounds/3) {
		e, _, err := b.load("/empty")
		if err != nil {
			return err
		}
		_, r, err := b.load("/desk/")
		if err != nil {
			return err
		}
		emptySlow, slow = append(emptySlow, e), append(slow, r)
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 1}); err != nil {
		return err
	}
	fmt.Printf("%-46s %.0f ms (%.0f to %.0f, n %d)\n", "an empty page, first paint", empty.at(.5), empty.at(.25), empty.at(.75), len(empty))
	timed("first paint, 500 waiting, median", paint, .5, 200, empty.at(.5))
	timed("first paint, 500 waiting, 95 in 100", paint, .95, 400, empty.at(.5))
	timed("list and stream, 500 waiting, median", ready, .5, 350, empty.at(.5))
	timed("the same on a quarter of the processor", slow, .5, 1200, emptySlow.at(.5))
	goal("requests until then, warm", strconv.Itoa(requests), requests <= 2, "2")
	goal("elements, 500 waiting", strconv.Itoa(nodes), nodes <= 5000, "5000")
	return nil
}

// accepts measures from the click on Accept until there is something to write in.
func (b *browser) accepts() error {
	var s series
	for range b.rounds {
		if err := chromedp.Do(b.ctx, chromedp.Navigate(b.host.url+"/desk/")); err != nil {
			return err
		}
		if _, err := value[bool](b, `document.querySelector('a.row') && (document.querySelector('a.row').click(), true)`); err != nil {
			return err
		}
		if _, err := value[bool](b, `(() => {
			const accept = [...document.querySelectorAll('.foot button')].find((x) => x.textContent === 'Accept');
			if (!accept) return false;
			const from = performance.now();
			const o = new MutationObserver(() => {
				if (!document.querySelector('.composer.reply')) return;
				o.disconnect();
				requestAnimationFrame(() => { self.took = performance.now() - from; });
			});
			o.observe(document.body, { subtree: true, childList: true, attributes: true });
			accept.click();
			return true;
		})()`); err != nil {
			return err
		}
		ms, err := value[float64](b, `self.took`)
		if err != nil {
			return err
		}
		s = append(s, ms)
	}
	timed("click on Accept until one can write, 95 in 100", s, .95, 150, 0)
	return nil
}

// paints measures from the call of the engine until what a user wrote is
// painted, in the conversation that is open. Server and browser have one clock.
func (b *browser) paints() error {
	mine, err := b.host.engine.List(b.ctx, handoff.Query{States: []handoff.State{handoff.StateActive}, Limit: 1})
	if err != nil || len(mine) == 0 {
		return fmt.Errorf("nobody has accepted anything: %w", err)
	}
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.host.url+"/desk/c/"+fmt.Sprintf("%d.%s", mine[0].ID.Number, mine[0].ID.Conversation))); err != nil {
		return err
	}
	if _, err := value[bool](b, `document.querySelector('.composer.reply') && (() => {
		self.painted = [];
		const seen = new Set();
		new MutationObserver(() => requestAnimationFrame(() => {
			const at = performance.timeOrigin + performance.now();
			for (const e of document.querySelectorAll('.entry.user .text')) {
				const m = e.textContent.match(/^at ([0-9.]+)$/);
				if (m && !seen.has(m[1])) { seen.add(m[1]); painted.push(at - Number(m[1])); }
			}
		})).observe(document.querySelector('[role=log]'), { subtree: true, childList: true });
		return true;
	})()`); err != nil {
		return err
	}
	const n = 150
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for i := range n {
		<-every.C
		text := fmt.Sprintf("at %.3f", float64(time.Now().UnixMicro())/1000)
		if _, err := b.host.engine.Receive(b.ctx, handoff.Incoming{Conversation: mine[0].ID.Conversation, ID: fmt.Sprint("p", i), Text: text}); err != nil {
			return err
		}
	}
	s, err := value[series](b, fmt.Sprintf("painted.length >= %d && painted", n))
	if err != nil {
		return err
	}
	timed("a message until it is painted, 50/s, median", s, .5, 30, 0)
	timed("a message until it is painted, 99 in 100", s, .99, 120, 0)
	return nil
}

// burst measures from the first of 500 requests until all are counted, less the
// time that the engine took to store them.
func (b *browser) burst() error {
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.host.url+"/desk/")); err != nil {
		return err
	}
	now, err := value[int](b, `Number(document.querySelector('.tabs a[aria-current] .count')?.textContent)`)
	if err != nil {
		return err
	}
	if err := b.host.ask(b.ctx, "burst", 500); err != nil {
		return err
	}
	from := time.Now()
	if _, err := value[bool](b, fmt.Sprintf(`document.querySelector('.tabs a[aria-current] .count')?.textContent.replace(/\D/g, '') === '%d'`, now+500)); err != nil {
		return err
	}
	took := time.Since(from)
	goal("burst of 500, the last until all are counted", fmt.Sprintf("%d ms", took.Milliseconds()), took <= 500*time.Millisecond, "500 ms")
	return nil
}

// memory measures what a page holds that knows a thousand and has opened 20.
func (b *browser) memory() error {
	for range 20 {
		if _, err := value[bool](b, `(() => {
			self.turn = (self.turn ?? 0) + 1;
			document.querySelectorAll('a.row')[self.turn].click();
			return true;
		})()`); err != nil {
			return err
		}
		if _, err := value[bool](b, `Boolean(document.querySelector('.transcript .entry'))`); err != nil {
			return err
		}
	}
	if _, err := chromedp.Call(b.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		return err
	}
	use, err := chromedp.Call(b.ctx, runtime.GetHeapUsage, cdp.Empty{})
	if err != nil {
		return err
	}
	mib := use.UsedSize / (1 << 20)
	goal("heap of a page, 1000 known, 20 opened", fmt.Sprintf("%.1f MiB", mib), mib <= 15, "15 MiB")
	return nil
}
