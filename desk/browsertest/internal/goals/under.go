package main

import (
	"fmt"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/seed-2a427302/handoff"
)

// writes measures how long a key waits for the page while 100 events a second
// come, and the longest task that kept it from answering.
func (b *browser) writes() error {
	mine, err := b.host.engine.List(b.ctx, handoff.Query{States: []handoff.State{handoff.StateActive}, Limit: 1})
	if err != nil || len(mine) == 0 {
		return fmt.Errorf("nobody has accepted anything: %w", err)
	}
	waiting, err := b.host.engine.List(b.ctx, handoff.Query{States: []handoff.State{handoff.StateWaiting}, Limit: 200})
	if err != nil {
		return err
	}
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.host.url+"/desk/c/"+fmt.Sprintf("%d.%s", mine[0].ID.Number, mine[0].ID.Conversation))); err != nil {
		return err
	}
	if _, err := value[bool](b, `document.querySelector('.composer textarea') && (() => {
		document.querySelector('.composer textarea').focus();
		self.delays = [];
		self.longest = 0;
		addEventListener('keydown', (e) => delays.push(performance.now() - e.timeStamp), true);
		new PerformanceObserver((l) => { for (const e of l.getEntries()) longest = Math.max(longest, e.duration); }).observe({ type: 'longtask' });
		return true;
	})()`); err != nil {
		return err
	}
	failed := make(chan error, 1)
	const keys, rate = 100, 100
	go func() {
		every := time.NewTicker(time.Second / rate)
		defer every.Stop()
		for i := range 5 * rate {
			<-every.C
			_, err := b.host.engine.Receive(b.ctx, handoff.Incoming{Conversation: waiting[i%len(waiting)].ID.Conversation, ID: fmt.Sprint("w", i), Text: "Is anybody there?"})
			if err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	every := time.NewTicker(5 * time.Second / keys)
	defer every.Stop()
	for range keys {
		<-every.C
		if err := chromedp.Do(b.ctx, chromedp.KeyEvent("x")); err != nil {
			return err
		}
	}
	if err := <-failed; err != nil {
		return err
	}
	s, err := value[series](b, `delays`)
	if err != nil {
		return err
	}
	longest, err := value[float64](b, `longest || 0.1`)
	if err != nil {
		return err
	}
	timed("a key waits, 100 events/s, median", s, .5, 50, 0)
	timed("a key waits, 100 events/s, 99 in 100", s, .99, 50, 0)
	goal("the longest task meanwhile", fmt.Sprintf("%.0f ms", longest), longest <= 100, "100 ms")
	return nil
}

// recovers measures from the first byte of the stream, for a page that was cut
// off while others came and went, until its counts are right.
func (b *browser) recovers() error {
	var s series
	for round := range 5 {
		if err := chromedp.Do(b.ctx, chromedp.Navigate(b.host.url+"/desk/")); err != nil {
			return err
		}
		now, err := value[int](b, `Number(document.querySelector('.tabs a[aria-current] .count')?.textContent.replace(/\D/g, ''))`)
		if err != nil {
			return err
		}
		b.host.away.Store(true)
		b.host.desk.Kick("ann")
		if _, err := value[bool](b, `Boolean(document.querySelector('.banner.bad, .live.off'))`); err != nil {
			return err
		}
		// More than the desk remembers, as after ten minutes: it reads everything.
		if err := b.host.ask(b.ctx, fmt.Sprint("missed", round, "-"), 50); err != nil {
			return err
		}
		if _, err := value[bool](b, fmt.Sprintf(`(() => {
			const read = ReadableStreamDefaultReader.prototype.read;
			ReadableStreamDefaultReader.prototype.read = function () { return read.call(this).then((x) => { self.byte ??= performance.now(); return x; }); };
			const o = new MutationObserver(() => {
				if (document.querySelector('.tabs a[aria-current] .count')?.textContent.replace(/\D/g, '') !== '%d') return;
				o.disconnect();
				requestAnimationFrame(() => { self.exact = performance.now() - self.byte; });
			});
			o.observe(document.body, { subtree: true, childList: true, characterData: true });
			return true;
		})()`, now+50)); err != nil {
			return err
		}
		b.host.away.Store(false)
		ms, err := value[float64](b, `self.exact`)
		if err != nil {
			return err
		}
		s = append(s, ms)
	}
	timed("cut off, from the first byte until all is right", s, .5, 1000, 0)
	return nil
}
