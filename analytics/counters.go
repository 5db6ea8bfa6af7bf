package analytics

import (
	"context"
	"maps"
	"sync"

	"github.com/seed-2a427302/handoff"
)

// Counters count what one engine commits and delivers while it works: live
// figures without reading the store. They count from when they were made, what
// this engine did, and survive no restart; for the truth use Compute. The zero
// value is ready. Use it with Config.Hooks = c.Hooks(), or Hooks.And.
type Counters struct {
	mu    sync.Mutex
	count Count
}

// A Count is what Counters have counted. Names are commands, states, queues
// and receivers, of which there are only as many as the Config has.
type Count struct {
	Commands  map[string]int64            // commits, by command
	Entered   map[string]map[string]int64 // queue → state → handoffs that came into it
	Ended     map[string]map[string]int64 // queue → outcome → handoffs that are over
	Delivered map[string]int64            // receiver → deliveries that arrived
	Failed    map[string]int64            // receiver → attempts that failed
	GivenUp   map[string]int64            // receiver → deliveries given up
	Conflicts int64                       // commits that lost a race and were tried again
}

// Hooks returns the hooks that count.
func (c *Counters) Hooks() handoff.Hooks {
	return handoff.Hooks{
		Changed:   func(_ context.Context, ch handoff.Change) { c.changed(&ch) },
		Delivered: func(_ context.Context, d handoff.Delivered) { c.delivered(&d) },
		Conflict: func(context.Context, handoff.ID, int) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.count.Conflicts++
		},
	}
}

func (c *Counters) changed(ch *handoff.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inc(&c.count.Commands, ch.Command)
	if ch.From != ch.To {
		inc2(&c.count.Entered, ch.Queue, string(ch.To))
	}
	if over(ch.To) && !over(ch.From) {
		inc2(&c.count.Ended, ch.Queue, string(ch.Outcome))
	}
}

func over(s handoff.State) bool { return s == handoff.StateWrapup || s == handoff.StateEnded }

func (c *Counters) delivered(d *handoff.Delivered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case d.Err == nil:
		inc(&c.count.Delivered, d.Sink)
		return
	case d.Permanent:
		inc(&c.count.GivenUp, d.Sink)
	}
	inc(&c.count.Failed, d.Sink)
}

func inc(m *map[string]int64, k string) {
	if *m == nil {
		*m = map[string]int64{}
	}
	(*m)[k]++
}

func inc2(m *map[string]map[string]int64, k, l string) {
	if *m == nil {
		*m = map[string]map[string]int64{}
	}
	inner := (*m)[k]
	inc(&inner, l)
	(*m)[k] = inner
}

// Read returns what was counted so far.
func (c *Counters) Read() Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.count
	out.Commands, out.Delivered, out.Failed, out.GivenUp = maps.Clone(out.Commands), maps.Clone(out.Delivered), maps.Clone(out.Failed), maps.Clone(out.GivenUp)
	out.Entered, out.Ended = deep(out.Entered), deep(out.Ended)
	return out
}

func deep(m map[string]map[string]int64) map[string]map[string]int64 {
	out := maps.Clone(m)
	for k, v := range out {
		out[k] = maps.Clone(v)
	}
	return out
}
