package analytics

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// Quantiles are right to within 1 %, whatever the durations are, and the rest
// is exact.
func TestSpread(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s, left, right Spread
		var all []time.Duration
		var sum time.Duration
		for i := range 1 + rng.IntN(300) {
			d := time.Duration(math.Exp(rng.Float64()*22)) * time.Millisecond
			if i%17 == 0 {
				d = 0
			}
			all, sum = append(all, d), sum+d
			s.add(d)
			if i%2 == 0 {
				left.add(d)
			} else {
				right.add(d)
			}
		}
		left.merge(&right)
		require.Equal(t, s, left, "merging is adding")
		slices.Sort(all)
		require.Equal(t, len(all), s.Count)
		require.Equal(t, sum, s.Sum)
		require.Equal(t, all[0], s.Min)
		require.Equal(t, all[len(all)-1], s.Max)
		for _, p := range []float64{0, .01, .5, .9, .95, .999, 1} {
			rank := max(int(math.Ceil(p*float64(len(all)))), 1)
			want := all[rank-1].Seconds()
			require.InDelta(t, want, s.Quantile(p).Seconds(), want/100+.0005, "quantile %v of %d", p, len(all))
		}
	}
	var none Spread
	require.Zero(t, none.Mean())
	require.Zero(t, none.Quantile(.5))
	none.add(math.MaxInt64)
	none.add(-time.Second) // a clock went back
	require.Equal(t, 2, none.Count)
	require.NotPanics(t, func() { none.Quantile(math.NaN()) })
}

// Memory stays bounded whatever the host groups by, and nobody is left out.
func TestTallyBoundsGroups(t *testing.T) {
	tally, err := NewTally(Options{Groups: 10, By: func(h *handoff.Handoff) string { return h.ID.Conversation }})
	require.NoError(t, err)
	for i := range 1000 {
		tally.Add(&handoff.Handoff{ID: handoff.ID{Conversation: fmt.Sprint("c", i)}, Reason: "r"}, false)
	}
	r := tally.Report()
	require.Len(t, r.Groups, 11)
	require.Equal(t, Other, r.Groups[0].Name)
	require.Equal(t, 990, r.Groups[0].Asked)
	require.Equal(t, 1000, r.Total.Asked)
}

// Tallies of parts are the tally of the whole, and a report does not change
// afterwards.
func TestTallyMerge(t *testing.T) {
	options := Options{By: ByQueue, Staffed: time.Hour}
	whole, err := NewTally(options)
	require.NoError(t, err)
	parts := make([]*Tally, 4)
	for i := range parts {
		parts[i], err = NewTally(options)
		require.NoError(t, err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	outcomes := []handoff.Outcome{
		"", handoff.OutcomeResolved, handoff.OutcomeMissed, handoff.OutcomeContained, handoff.OutcomeCancelled, handoff.OutcomeAbandoned,
	}
	for i := range 500 {
		h := handoff.Handoff{
			State: handoff.StateEnded, Outcome: outcomes[rng.IntN(len(outcomes))], Attended: rng.IntN(2) == 0, Refused: rng.IntN(5) == 0,
			Need: handoff.Need{Queue: string(rune('a' + rng.IntN(3)))}, LeftMessage: rng.IntN(9) == 0,
			Stretch: handoff.Stretch{
				Bot: random(rng), Intake: random(rng), Wait: random(rng), FirstWait: random(rng), FirstReply: random(rng), Human: random(rng),
				Held: random(rng), Wrapup: random(rng), Transfers: rng.IntN(3), Requeues: rng.IntN(3),
			},
		}
		if rng.IntN(3) > 0 {
			h.Reason, h.Enqueued = handoff.ReasonUser, time.Unix(1, 0)
		}
		if rng.IntN(3) == 0 {
			h.Rating = &handoff.Rating{Score: 1 + rng.IntN(5)}
		}
		again := rng.IntN(7) == 0
		whole.Add(&h, again)
		parts[i%len(parts)].Add(&h, again)
	}
	first := parts[0].Report()
	before, err := json.Marshal(first)
	require.NoError(t, err)
	for _, p := range parts[1:] {
		parts[0].Merge(p)
	}
	require.Equal(t, whole.Report(), parts[0].Report())
	after, err := json.Marshal(first)
	require.NoError(t, err)
	require.JSONEq(t, string(before), string(after))
}

func random(rng *rand.Rand) time.Duration { return time.Duration(rng.IntN(1000)) * time.Second }

func TestBadOptions(t *testing.T) {
	for field, o := range map[string]Options{
		"Options.Target": {Target: -1}, "Options.Reopen": {Reopen: -1}, "Options.Groups": {Groups: -1}, "Options.Staffed": {Staffed: -1},
	} {
		_, err := NewTally(o)
		var bad *handoff.InvalidError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, field, bad.Field)
	}
}

// Counters may be fed and read at once.
func TestCounters(t *testing.T) {
	var c Counters
	hooks := c.Hooks()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				hooks.Changed(t.Context(), handoff.Change{Command: "request", Queue: "q", From: handoff.StateBot, To: handoff.StateWaiting})
				hooks.Changed(t.Context(), handoff.Change{Command: "end", Queue: "q", From: handoff.StateActive, To: handoff.StateWrapup, Outcome: "resolved"})
				hooks.Changed(t.Context(), handoff.Change{Command: "end", Queue: "q", From: handoff.StateWrapup, To: handoff.StateEnded, Outcome: "resolved"})
				hooks.Delivered(t.Context(), handoff.Delivered{Sink: "channel"})
				hooks.Delivered(t.Context(), handoff.Delivered{Sink: "channel", Err: handoff.ErrStale})
				hooks.Delivered(t.Context(), handoff.Delivered{Sink: "channel", Err: handoff.ErrStale, Permanent: true})
				hooks.Conflict(t.Context(), handoff.ID{}, 1)
				c.Read()
			}
		})
	}
	wg.Wait()
	require.Equal(t, Count{
		Commands:  map[string]int64{"request": 800, "end": 1600},
		Entered:   map[string]map[string]int64{"q": {"waiting": 800, "wrapup": 800, "ended": 800}},
		Ended:     map[string]map[string]int64{"q": {"resolved": 800}},
		Delivered: map[string]int64{"channel": 800},
		Failed:    map[string]int64{"channel": 1600},
		GivenUp:   map[string]int64{"channel": 800},
		Conflicts: 800,
	}, c.Read())
}

// Who was refused at first and served after all was not missed.
func TestRefusedAndServed(t *testing.T) {
	tally, err := NewTally(Options{})
	require.NoError(t, err)
	at := time.Unix(1_000_000, 0)
	h := handoff.Handoff{
		ID: handoff.ID{Conversation: "c", Number: 1}, State: handoff.StateEnded, Outcome: handoff.OutcomeResolved, Reason: "user_requested",
		Created: at, LastUser: at, Enqueued: at, Refused: true, Attended: true,
	}
	tally.Add(&h, false)
	h.ID.Conversation, h.Outcome, h.Attended = "d", handoff.OutcomeUnavailable, false
	tally.Add(&h, false)
	total := tally.Report().Total
	require.Equal(t, 2, total.Refused)
	require.Equal(t, 1, total.Missed)
	require.Equal(t, 1, total.Attended)
}
