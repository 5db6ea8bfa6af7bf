package main

import (
	"runtime"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff/trigger"
)

// costs are the best of some rounds (other load on the machine only adds), of the
// slowest kind of text.
type costs struct {
	short, shortAll time.Duration // messages of about 40 bytes
	long, longAll   time.Duration // the worst long text
	allocs          float64       // per message, over everything that was run
}

// cost measures time and allocations of the text rules.
func cost(eng *trigger.Engine, sources []source, rounds int) costs {
	var short []string
	for _, s := range sources {
		for _, m := range s.messages {
			if len(m.text) >= 36 && len(m.text) <= 44 && len(short) < 200 {
				short = append(short, m.text)
			}
		}
	}
	if len(short) == 0 {
		short = []string{"where is the parcel that I ordered in May"}
	}
	var c costs
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	calls := 0
	measure := func(texts []string, lang string) time.Duration {
		var buf [16]trigger.Signal
		best := time.Hour
		for range rounds {
			begin := time.Now()
			n := max(1, 20/len(texts))
			for range n {
				for _, t := range texts {
					eng.Read(buf[:0], t, lang)
				}
			}
			calls += n * len(texts)
			best = min(best, time.Since(begin)/time.Duration(n*len(texts)))
		}
		return best
	}
	c.short, c.shortAll = measure(short, "en"), measure(short, "")
	for _, piece := range []string{
		"my order has not arrived and the page says nothing, ", // ordinary prose
		"talk to a real human agent ",                          // matches all over
		"customer service agent ", "a ", "x", "i i i i ",       // many tokens, few bytes
		"agxnt humxn persxn opertor ", // spelling mistakes
		"人工客服", "ünïcödé ", "\x00\xff", "a.b,", "mitarbeiterberaterx ",
	} {
		for _, size := range []int{960, 10_000, 1_000_000} {
			text := []string{strings.Repeat(piece, size/len(piece)+1)}
			c.long = max(c.long, measure(text, "en"))
			c.longAll = max(c.longAll, measure(text, ""))
		}
	}
	runtime.ReadMemStats(&after)
	// The measuring itself allocates a few dozen values; a single allocation per
	// message would show as 1.
	c.allocs = float64((after.Mallocs-before.Mallocs)*100/uint64(calls)) / 100
	return c
}
