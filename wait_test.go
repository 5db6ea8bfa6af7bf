package handoff_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/estimate"
	"github.com/seed-2a427302/handoff/handofftest"
)

// served plays n handoffs of d each, one after the other.
func served(r *handofftest.Rig, a *handofftest.Agent, n int, d time.Duration) {
	for i := range n {
		h := chat(r, a, "past-"+a.ID+strconv.Itoa(i))
		r.Sleep(d)
		a.Ends(h.ID)
	}
}

func placeOf(r *handofftest.Rig, e *handoff.Engine, id handoff.ID) handoff.Place {
	r.T.Helper()
	p, err := e.Place(r.Ctx, id)
	require.NoError(r.T, err)
	return p
}

// A wait is unknown until enough was seen, and then grows with the place and
// shrinks with the seats. What was learned is the same on every replica, and
// survives a restart.
func TestWaitIsLearnedStoredAndShared(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		other := r.Replica()
		served(r, ann, 3, 5*time.Minute)
		h := chat(r, ann, "now")
		first := r.Asks("first")
		p := placeOf(r, r.Engine, first.ID)
		require.False(t, p.Known)
		require.Equal(t, handoff.ReasonNoData, p.Why)
		r.Sleep(5 * time.Minute)
		ann.Ends(h.ID)
		h = takes(r, ann, "first")
		r.Sleep(5 * time.Minute)
		ann.Ends(h.ID)

		chat(r, ann, "now")
		second, third := r.Asks("second"), r.Asks("third")
		one, two := placeOf(r, r.Engine, second.ID), placeOf(r, r.Engine, third.ID)
		require.True(t, one.Known, one.Why)
		require.InDelta(t, 4, one.P50.Minutes(), 1.5, "the median of a handle time of about five minutes")
		require.Greater(t, two.P50, one.P50)
		require.Greater(t, one.P90, one.P50)

		r.Sleep(30 * time.Second)
		one, two = placeOf(r, r.Engine, second.ID), placeOf(r, r.Engine, third.ID)
		same := func(want handoff.Place, e *handoff.Engine, id handoff.ID) {
			t.Helper()
			got := placeOf(r, e, id)
			// What the last ten seconds taught one of them is not stored yet.
			require.InDelta(t, want.P50.Seconds(), got.P50.Seconds(), 5)
			require.InDelta(t, want.P90.Seconds(), got.P90.Seconds(), 5)
			want.P50, want.P90 = got.P50, got.P90
			require.Equal(t, want, got)
		}
		same(one, other, second.ID) // on every replica
		same(two, other, third.ID)
		r.Restart()
		same(one, r.Engine, second.ID)

		ann.Leaves()
		p = placeOf(r, r.Engine, second.ID)
		require.False(t, p.Known, "nobody is there")
		require.Equal(t, handoff.ReasonOffline, p.Why)
		r.Hire(handoff.Agent{ID: "bob", Seats: 3, Queues: []string{"support"}})
		r.Sleep(time.Second)
		require.Equal(t, handoff.StateOffered, r.Now(third.ID).State)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), IdleTimeout: handoff.Never, OfferTimeout: time.Hour}))
}

// Lessons are no handoffs: nobody sees one, and the store keeps a handful.
func TestLessonsAreFewAndHidden(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		r.Replica()
		served(r, ann, 10, time.Minute)
		recs, err := r.Store.List(r.Ctx, handoff.Query{})
		require.NoError(t, err)
		n := 0
		for i := range recs {
			if strings.HasPrefix(recs[i].ID.Conversation, "learned:") {
				n++
			}
		}
		require.Positive(t, n)
		require.LessOrEqual(t, n, 4)
		list, err := r.List(r.Ctx, handoff.Query{})
		require.NoError(t, err)
		for i := range list {
			require.NotContains(t, list[i].ID.Conversation, "learned:")
		}
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// A prior stands in for what was not seen yet.
func TestExpectedHandleTime(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		chat(r, r.Agent("ann", 1), "now")
		p := placeOf(r, r.Engine, r.Asks("first").ID)
		require.True(t, p.Known)
		require.InDelta(t, 7, p.P50.Minutes(), 1)
	}, queues(handoff.Queue{Name: "support", Expect: estimate.Prior{Handle: 10 * time.Minute}}))
}

// Each way to say a wait has its words.
func TestWaitsInWords(t *testing.T) {
	for mode, want := range map[estimate.Mode]string{
		"":                   "You are next. It will take between 6 and 25 minutes.",
		estimate.Range:       "You are next. It will take between 6 and 25 minutes.",
		estimate.Approximate: "You are next. It will take about 7 minutes.",
		estimate.Precise:     "You are next. It will take about 7 minutes.",
		estimate.LessThan:    "You are next. It will take less than 25 minutes.",
	} {
		t.Run(string(mode), func(t *testing.T) {
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				chat(r, r.Agent("ann", 1), "now")
				r.Says("first", "help")
				r.Asks("first")
				require.Equal(t, want, last(r.Users.Texts("first")))
			}, queues(handoff.Queue{Name: "support", WaitAs: mode, Expect: estimate.Prior{Handle: 10 * time.Minute}}))
		})
	}
}

// A shift that ends is in the estimate before anybody has left.
func TestShiftsAreForeseen(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		plan := func(from, to string) *handoff.Weekly {
			return &handoff.Weekly{Days: map[string][]handoff.Span{"mon-sun": {handoff.Span(from + "-" + to)}}}
		}
		r.Hire(handoff.Agent{ID: "ann", Seats: 1, Queues: []string{"support"}, Shifts: plan("00:00", "08:00")})
		r.Hire(handoff.Agent{ID: "bob", Seats: 1, Queues: []string{"support"}, Shifts: plan("00:00", "08:00")})
		for i := range 2 {
			r.Asks(talk(i))
		}
		var waits []handoff.ID
		for i := range 4 {
			waits = append(waits, r.Asks("w"+strconv.Itoa(i)).ID)
		}
		long := placeOf(r, r.Engine, waits[3])
		require.True(t, long.Known, long.Why)

		// Bob goes after two minutes instead.
		require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: "bob", Seats: 1, Queues: []string{"support"}, Shifts: plan("00:00", "00:02")}))
		require.Greater(t, placeOf(r, r.Engine, waits[3]).P50, long.P50*5/4)

		// With both gone soon nobody knows; somebody who comes later counts.
		for _, id := range []string{"ann", "bob"} {
			require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: id, Seats: 1, Queues: []string{"support"}, Shifts: plan("00:00", "00:01")}))
		}
		require.False(t, placeOf(r, r.Engine, waits[3]).Known)
		require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: "eve", Seats: 4, Queues: []string{"support"}, Shifts: plan("02:00", "10:00")}))
		p := placeOf(r, r.Engine, waits[3])
		require.True(t, p.Known)
		require.InDelta(t, 120, p.P50.Minutes(), 10, "when she comes")
	}, queues(handoff.Queue{
		Name: "support", Ladder: patient(), OfferTimeout: time.Hour, PlaceEvery: handoff.Never,
		Expect: estimate.Prior{Handle: 5 * time.Minute, Weight: 1000},
	}))
}

// Whoever can serve none of those who wait does not make the others seem slow.
func TestIdleAgentsWithoutTheSkillTeachNothing(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		french := func(q *handoff.Request) { q.Skills = []handoff.Skill{{Name: "fr"}} }
		ann := r.Hire(handoff.Agent{ID: "ann", Seats: 1, Queues: []string{"support"}, Skills: map[string]int{"fr": 1}})
		r.Agent("bob", 1)
		r.Asks("now", french)
		takes(r, ann, "now")
		h := r.Asks("next", french)
		before := placeOf(r, r.Engine, h.ID)
		r.Sleep(4 * time.Hour)
		after := placeOf(r, r.Engine, h.ID)
		require.InEpsilon(t, before.P50.Minutes(), after.P50.Minutes(), .1)
	}, queues(handoff.Queue{
		Name: "support", Ladder: patient(), IdleTimeout: handoff.Never, OfferTimeout: time.Hour,
		Expect: estimate.Prior{Handle: 5 * time.Minute, Weight: 1e6},
	}))
}

// A value that was told rises only with a reason, and says it.
func TestToldWaitRisesOnlyWithAReason(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1), r.Agent("bob", 1)
		chat(r, ann, "a")
		chat(r, bob, "b")
		h := r.Asks("w")
		told := r.Now(h.ID).Place
		require.NotNil(t, told)
		require.True(t, told.Known)
		before := *told

		// Chats that take ever longer teach that waits are longer: no reason.
		r.Sleep(2 * time.Hour)
		told = r.Now(h.ID).Place
		require.LessOrEqual(t, told.P50, before.P50, "what was learned anew is no reason")
		require.LessOrEqual(t, told.P90, before.P90)
		require.Greater(t, placeOf(r, r.Engine, h.ID).P90, told.P90, "though it is known")

		// A seat that is gone is one.
		bob.Leaves()
		r.Sleep(time.Minute)
		told = r.Now(h.ID).Place
		require.Equal(t, estimate.SeatLost, told.Cause)
		require.Greater(t, told.P50, before.P50)
		require.Contains(t, last(r.Users.Texts("w")), "Fewer colleagues")

		// Somebody put ahead is one.
		before = *told
		r.Asks("urgent", func(q *handoff.Request) { q.Priority = 9 })
		r.Sleep(time.Minute)
		told = r.Now(h.ID).Place
		require.Equal(t, estimate.Overtaken, told.Cause)
		require.Equal(t, 2, told.Position)
		require.Greater(t, told.P50, before.P50)
	}, queues(handoff.Queue{
		Name: "support", Ladder: patient(), IdleTimeout: handoff.Never, AgentGrace: handoff.Never,
		Expect: estimate.Prior{Handle: 5 * time.Minute, Weight: 2},
	}))
}

// Hours and shifts that are changed are a reason, that time passes is none.
func TestToldWaitRisesWhenHoursChange(t *testing.T) {
	plan := func(spans ...handoff.Span) *handoff.Weekly {
		return &handoff.Weekly{Days: map[string][]handoff.Span{"mon-sun": spans}}
	}
	hours := &changingHours{Hours: plan("00:00-23:00")}
	long := handoff.Agent{ID: "bob", Seats: 1, Queues: []string{"support"}, Shifts: plan("00:00-08:00")}
	for name, change := range map[string]func(r *handofftest.Rig){
		"hours": func(*handofftest.Rig) { hours.set(plan("00:00-00:40", "02:00-23:00")) },
		"shifts": func(r *handofftest.Rig) {
			short := long
			short.Shifts = plan("00:00-00:32")
			require.NoError(t, r.Floor.Put(r.Ctx, short))
		},
	} {
		t.Run(name, func(t *testing.T) {
			hours.set(plan("00:00-23:00"))
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				r.Hire(long)
				r.Hire(handoff.Agent{ID: "ann", Seats: 1, Queues: []string{"support"}, Shifts: plan("00:00-08:00")})
				for i := range 8 {
					r.Asks(talk(i))
				}
				id := r.Last(talk(7)).ID
				before := *r.Now(id).Place
				require.True(t, before.Known)
				r.Sleep(30 * time.Minute)
				told := *r.Now(id).Place
				require.Zero(t, told.Cause, "nobody has changed anything")
				before = told
				change(r)
				r.Sleep(2 * time.Minute)
				told = *r.Now(id).Place
				require.Equal(t, estimate.HoursChanged, told.Cause)
				require.Greater(t, told.P50, before.P50*5/4)
				require.Contains(t, last(r.Users.Texts(talk(7))), "The hours of our team have changed.")
			}, queues(handoff.Queue{
				Name: "support", Ladder: patient(), OfferTimeout: 10 * time.Hour, IdleTimeout: handoff.Never, Hours: hours,
				Expect: estimate.Prior{Handle: 5 * time.Minute, Weight: 1e6},
			}))
		})
	}
}

// changingHours are changed while the engine runs.
type changingHours struct {
	handoff.Hours
	mu sync.Mutex
}

func (c *changingHours) set(h handoff.Hours) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Hours = h
}

func (c *changingHours) At(t time.Time) (open bool, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Hours.At(t)
}

// Waits of a queue where agents pick are never "now", however many are free.
func TestFreeAgentsOfAPullQueuePromiseNothing(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 3)
		p := placeOf(r, r.Engine, r.Asks("c").ID)
		require.True(t, p.Known)
		require.Positive(t, p.P50)
	}, queues(handoff.Queue{Name: "support", Style: handoff.Pull, Expect: estimate.Prior{Handle: 5 * time.Minute}}))
}

// Told is a plain value that a store keeps.
func TestToldIsStored(t *testing.T) {
	in := handoff.Told{Position: 2, Known: true, P50: time.Minute, P90: time.Hour, Seats: 3, Cause: estimate.SeatLost}
	b, err := json.Marshal(in)
	require.NoError(t, err)
	var out handoff.Told
	require.NoError(t, json.Unmarshal(b, &out))
	require.Equal(t, in, out)
}
