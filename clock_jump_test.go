package handoff_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/estimate"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// A clock that is put right by hours loses nobody, changes no order among those
// who wait, and makes no wait nonsense: what was stored and learned then is read
// now. Each bubble begins at the same time, so the second one has a clock that
// was put back; a sleep before it puts it on.
func TestClockThatJumps(t *testing.T) {
	for name, c := range map[string]struct{ before, after time.Duration }{
		"back 10 hours":      {before: 10 * time.Hour},
		"back a minute":      {before: 2 * time.Hour, after: 2*time.Hour + 4*time.Minute},
		"on 10 hours":        {before: time.Hour, after: 11 * time.Hour},
		"back more than day": {before: 30 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New()
			setup := func(c *handoff.Config) {
				c.Store, c.Sweep = handofftest.NewStore(store), time.Minute
				c.Queues = []handoff.Queue{{
					Name: "support", Ladder: []handoff.Rung{{After: 100 * time.Hour, Do: handoff.ToBot}},
					IdleTimeout: handoff.Never, OfferTimeout: 100 * time.Hour, AgentGrace: handoff.Never, AgentMost: 50,
				}}
			}
			var waiting []handoff.ID
			synctest.Test(t, func(t *testing.T) {
				r := handofftest.New(t, setup)
				time.Sleep(c.before)
				r.Start()
				ann := r.Agent("ann", 1)
				served(r, ann, 6, 5*time.Minute)
				chat(r, ann, "with-ann")
				for i := range 4 {
					waiting = append(waiting, r.Asks(talk(i)).ID)
					r.Sleep(20 * time.Second)
				}
				require.True(t, placeOf(r, r.Engine, waiting[3]).Known)
				r.Stop()
			})
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(c.after)
				r := handofftest.New(t, setup)
				r.Start()
				ann := r.Agent("ann", 1)
				sane := func(ids []handoff.ID) {
					t.Helper()
					var last time.Duration
					for i, id := range ids {
						p := placeOf(r, r.Engine, id)
						require.Equal(t, i+1, p.Position)
						if !p.Known {
							require.NotEmpty(t, p.Why)
							continue
						}
						require.GreaterOrEqual(t, p.P50, last, "further back is no shorter")
						require.GreaterOrEqual(t, p.P90, p.P50)
						require.Less(t, p.P50, 12*time.Hour)
						last = p.P50
					}
				}
				sane(waiting)
				r.Sleep(5 * time.Minute)
				sane(waiting)
				_, err := r.Explain(r.Ctx, waiting[0])
				require.NoError(t, err)
				ann.Ends(r.Last("with-ann").ID)
				for i := range waiting {
					takes(r, ann, talk(i))
					sane(waiting[i+1:])
					r.Sleep(5 * time.Minute)
					ann.Ends(waiting[i])
				}
				// And what is learned from now on is real.
				served(r, ann, 2, 5*time.Minute)
				chat(r, ann, "now")
				p := placeOf(r, r.Engine, r.Asks("next").ID)
				require.True(t, p.Known, p.Why)
				require.InDelta(t, 4, p.P50.Minutes(), 3)
				r.Stop()
			})
		})
	}
}

// Clocks that go on an hour at night open a queue at its hour, and who waited
// is served in his place.
func TestDaylightSavingWhileSomebodyWaits(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	opens := time.Date(2000, 3, 26, 8, 0, 0, 0, berlin) // the night in which 02:00 is 03:00
	synctest.Test(t, func(t *testing.T) {
		r := handofftest.New(t, queues(handoff.Queue{
			Name: "support", Ladder: patient(), OfferTimeout: handoff.Never, Expect: estimate.Prior{Handle: 5 * time.Minute},
			Hours: handoff.Weekly{Zone: berlin, Days: map[string][]handoff.Span{"mon-sun": {"08:00-22:00"}}},
		}), func(c *handoff.Config) { c.Sweep = 10 * time.Minute })
		time.Sleep(time.Until(time.Date(2000, 3, 25, 21, 59, 0, 0, berlin)))
		r.Start()
		var ids []handoff.ID
		for i := range 3 {
			ids = append(ids, r.Asks(talk(i)).ID)
			r.Sleep(time.Second)
		}
		r.Agent("ann", 1)
		chat := r.Now(ids[0])
		require.Equal(t, handoff.StateOffered, chat.State)
		r.Sleep(time.Until(opens) - time.Minute)
		for i, id := range ids[1:] {
			p := placeOf(r, r.Engine, id)
			require.Equal(t, i+2, p.Position, strconv.Itoa(i))
			require.False(t, p.Known)
			require.Equal(t, handoff.ReasonClosed, p.Why)
		}
		r.Hire(handoff.Agent{ID: "bob", Seats: 1, Queues: []string{"support"}})
		require.Equal(t, handoff.StateWaiting, r.Now(ids[1]).State)
		r.Sleep(time.Minute + 2*time.Second) // the engine looks about once a second
		require.Equal(t, handoff.StateOffered, r.Now(ids[1]).State, "at eight, which is an hour sooner")
		require.True(t, placeOf(r, r.Engine, ids[2]).Known)
		r.Stop()
	})
}

// Retries are no deadlines: how long they wait is counted by the clock that
// nobody sets. (In a bubble there is but one clock.)
func TestRetriesWaitBySteadyClock(t *testing.T) {
	wall := time.Now().Round(0).Add(time.Hour)
	require.NotContains(t, wall.String(), " m=")
	until := handoff.PutOff(wall)
	require.Contains(t, until.String(), " m=", "has a reading of the steady clock")
	require.WithinDuration(t, wall, until, time.Second)
}
