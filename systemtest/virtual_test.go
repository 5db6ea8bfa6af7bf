package systemtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// In Berlin summer time began and ended at these moments: two o'clock became
// three, and three o'clock two.
var (
	summer = time.Date(2000, time.March, 26, 1, 0, 0, 0, time.UTC)
	winter = time.Date(2000, time.October, 29, 1, 0, 0, 0, time.UTC)
	berlin = handoff.Weekly{Days: map[string][]handoff.Span{"mon-sat": {"09:00-17:00"}, "sun": {"00:30-03:30"}}}
)

// isOpen is berlin by hand.
func isOpen(at time.Time) bool {
	local := at.Add(time.Hour)
	if !at.Before(summer) && at.Before(winter) {
		local = at.Add(2 * time.Hour)
	}
	minute := 60*local.Hour() + local.Minute()
	if local.Weekday() == time.Sunday {
		return minute >= 30 && minute < 3*60+30
	}
	return minute >= 9*60 && minute < 17*60
}

// opens is the first moment after a closed one at which it is open.
func opens(at time.Time) time.Time {
	for at = at.Truncate(time.Minute); !isOpen(at); {
		at = at.Add(time.Minute)
	}
	return at
}

// A day of virtual time goes by, over each change of the clocks: every timer
// fires, the doors open and close by the clock on the wall, no invariant is
// broken, and what is kept stops growing. HANDOFF_VIRTUAL, 720h say, makes it
// longer; two weeks and more are lived once again without a checker, which
// grows itself, to see that the heap does not.
func TestVirtual(t *testing.T) {
	length := 24 * time.Hour
	if s := os.Getenv("HANDOFF_VIRTUAL"); s != "" {
		var err error
		length, err = time.ParseDuration(s)
		require.NoError(t, err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for name, change := range map[string]time.Time{"summer": summer, "winter": winter} {
		for _, audited := range []bool{true, false} {
			if !audited && length < 14*24*time.Hour {
				continue // too short to say anything of the heap
			}
			t.Run(fmt.Sprintf("%s,audited=%v", name, audited), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					// The clock of a test begins at midnight of 2000-01-01.
					time.Sleep(time.Until(change.Add(-length / 2)))
					newDays(t, zone, audited).live(t, length)
				})
			})
		}
	}
}

// days are an engine in virtual time.
type days struct {
	e       *handoff.Engine
	mem     *memstore.Store
	ledger  *check.Ledger
	checker *check.Checker
	reader  *check.Reader
	stop    func() error
	heaps   []float64 // at the end of each day

	outcomes map[handoff.Outcome]int
	refused  int
	n        int
}

func newDays(t *testing.T, zone *time.Location, audited bool) *days {
	t.Helper()
	hours := berlin
	hours.Zone = zone
	d := &days{mem: memstore.New(), ledger: check.NewLedger(), outcomes: map[handoff.Outcome]int{}}
	staff := check.NewStaff()
	staff.Set(time.Time{}, "ann", 3, true)
	cfg := handoff.Config{
		Store: d.mem, Directory: handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 3}},
		Queues: []handoff.Queue{{Name: "desk", Hours: hours, OfferTimeout: time.Minute, Cooldown: time.Minute}},
		Poll:   10 * time.Second, Sweep: time.Minute, KeepEnded: 26 * time.Hour,
	}
	if audited {
		cfg.Channel = d
		cfg.Sinks = map[string]handoff.Sink{"audit": handoff.SinkFunc(func(_ context.Context, h *handoff.Handoff, e *handoff.Entry) error {
			d.ledger.Handle(h.ID, e.Seq)
			return nil
		})}
		d.checker = check.New(check.Rules{Queues: cfg.Queues, Channel: true, Sinks: []string{"audit"}, Ledger: d.ledger, Staff: staff})
	}
	reads, err := handoff.New(cfg) // does not run
	require.NoError(t, err)
	d.reader = &check.Reader{Store: d.mem, Engine: reads, Agents: []string{"ann"}}
	d.e, err = handoff.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.e.Run(ctx) }()
	d.stop = sync.OnceValue(func() error { cancel(); return <-done })
	return d
}

// Show implements handoff.Channel.
func (d *days) Show(_ context.Context, conversation string, m handoff.UserMessage) error {
	d.ledger.Try(conversation, m)
	d.ledger.Show(conversation, m)
	return nil
}

// live lets somebody come every 20 minutes, and looks at everything once an
// hour.
func (d *days) live(t *testing.T, length time.Duration) {
	t.Helper()
	begun := time.Now()
	for time.Since(begun) < length {
		next := time.Now().Add(20 * time.Minute)
		d.come(t)
		time.Sleep(time.Until(next))
		if time.Since(begun)%time.Hour == 0 {
			d.look(t)
		}
		if time.Since(begun)%(24*time.Hour) == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			d.heaps = append(d.heaps, float64(m.HeapAlloc))
		}
	}
	ended, err := d.e.Count(t.Context(), handoff.Query{States: []handoff.State{handoff.StateEnded}})
	require.NoError(t, err)
	require.NoError(t, d.stop())
	t.Logf("%v, %d came, %d before closed doors; ended: %v; %d are kept; heap after each day: %.0f", length, d.n, d.refused, d.outcomes, ended, d.heaps)
	for _, o := range []handoff.Outcome{handoff.OutcomeResolved, handoff.OutcomeIdle, handoff.OutcomeMissed, handoff.OutcomeCancelled} {
		require.Positive(t, d.outcomes[o], o)
	}
	require.Positive(t, d.refused)
	// Three come in an hour, each has two handoffs, and each is kept 26 hours
	// and a little.
	require.Less(t, ended, 3*2*32)
	if n := len(d.heaps); d.checker == nil && n >= 14 {
		first, last := middle(d.heaps[n/4:n/2]), middle(d.heaps[n*3/4:])
		require.LessOrEqual(t, last/first, 1.05, "growth of the heap")
	}
}

func middle(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// come lets the next one ask for a person, and what becomes of him takes one of
// four ways, each ended by a timer or by somebody.
func (d *days) come(t *testing.T) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	d.n++
	name := fmt.Sprint("c", d.n)
	d.write(t, name, "help")
	got, err := d.e.Request(ctx, handoff.Request{Conversation: name, Queue: "desk"})
	if !isOpen(now) {
		var shut *handoff.UnavailableError
		require.ErrorAs(t, err, &shut, "at %v", now)
		require.True(t, shut.Opens.Equal(opens(now)), "at %v: opens at %v, not at %v", now, opens(now), shut.Opens)
		d.refused++
		return
	}
	require.NoError(t, err, "at %v", now)
	synctest.Wait()
	id, ann := got.Handoff.ID, handoff.By("ann")
	h, err := d.e.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, handoff.StateOffered, h.State, "at %v", now)
	accept := func() {
		_, err := d.e.Accept(ctx, id, ann, h.Offers[0].Number)
		require.NoError(t, err)
		_, err = d.e.Send(ctx, id, ann, handoff.Message{Text: check.Mark(name, "good morning")})
		require.NoError(t, err)
	}
	var want handoff.Outcome
	switch d.n % 4 {
	case 0:
		accept()
		time.Sleep(time.Minute)
		_, err := d.e.End(ctx, id, ann, handoff.Ending{})
		require.NoError(t, err)
		want = handoff.OutcomeResolved
	case 1: // nobody says anything any more
		accept()
		want = handoff.OutcomeIdle
	case 2: // nobody answers
		want = handoff.OutcomeMissed
	case 3:
		_, err := d.e.Cancel(ctx, name, false)
		require.NoError(t, err)
		want = handoff.OutcomeCancelled
	}
	// Every way is at its end within 16 minutes. The doors may close meanwhile.
	time.Sleep(time.Until(now.Add(16 * time.Minute)))
	h, err = d.e.Get(ctx, id)
	require.NoError(t, err)
	if !isOpen(time.Now()) && h.Outcome == handoff.OutcomeUnavailable {
		want = handoff.OutcomeUnavailable
	}
	require.Equal(t, want, h.Outcome, "%v at %v: %v", id, now, h.Deadlines)
	d.outcomes[want]++
}

// write is a message of the user, which the bot answers.
func (d *days) write(t *testing.T, name, id string) {
	t.Helper()
	turn, err := d.e.Receive(t.Context(), handoff.Incoming{Conversation: name, ID: id, Text: check.Mark(name, id)})
	require.NoError(t, err)
	if d.checker != nil {
		d.ledger.Acknowledge(name, id)
		d.ledger.Ask(turn)
	}
	_, err = d.e.Reply(t.Context(), turn, handoff.Message{Text: check.Mark(name, "answer to "+id)})
	require.NoError(t, err)
}

// look checks everything, and that nothing is due any more.
func (d *days) look(t *testing.T) {
	t.Helper()
	synctest.Wait()
	now := time.Now()
	list, err := d.mem.List(t.Context(), handoff.Query{})
	require.NoError(t, err)
	for i := range list {
		late := !list[i].Wake.IsZero() && now.Sub(list[i].Wake) > time.Minute
		require.False(t, late && !strings.HasPrefix(list[i].ID.Conversation, "learned:"), "%v: %s is due since %v", list[i].ID, list[i].State, list[i].Wake)
	}
	if d.checker == nil {
		return
	}
	snapshot, err := d.reader.Read(t.Context(), now)
	require.NoError(t, err)
	require.Empty(t, d.checker.Next(snapshot))
}
