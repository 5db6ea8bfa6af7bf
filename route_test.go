package handoff_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/estimate"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Skills are relaxed in stages; the log and the agent see what was dropped.
func TestRelaxationInStages(t *testing.T) {
	skills := []handoff.Skill{
		{Name: "billing", Level: 5}, {Name: "gold", Optional: true, Weight: 5}, {Name: "fr", Optional: true, Weight: 1}, {Name: "vip", Optional: true, Weight: 1},
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Hire(handoff.Agent{ID: "all", Queues: []string{"support"}, Skills: map[string]int{"billing": 9}})
		h := r.Asks("c", func(q *handoff.Request) { q.Skills = skills })
		names := func() (out []string) {
			for _, s := range r.Now(h.ID).Need.Skills {
				out = append(out, s.Name+strconv.Itoa(s.Level))
			}
			return out
		}
		at := func(minute int) {
			r.Sleep(time.Until(h.Enqueued.Add(time.Duration(minute)*time.Minute + 2*time.Second)))
		}
		at(1)
		require.Equal(t, []string{"billing5", "gold0", "fr0"}, names(), "the last of the lightest")
		at(2)
		require.Equal(t, []string{"billing5", "gold0"}, names())
		at(3)
		require.Equal(t, []string{"billing3", "gold0"}, names(), "two levels lower")
		at(4)
		require.Equal(t, []string{"billing0", "gold0"}, names())
		require.Equal(t, []string{"vip", "fr", "billing", "billing"}, func() (out []string) {
			for _, s := range r.Now(h.ID).Dropped {
				out = append(out, s.Name)
			}
			return out
		}())
		at(5)
		x, err := r.Explain(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Len(t, x.Relaxed, 5)
		var logged []map[string]string
		for _, e := range r.Entries(h.ID) {
			if e.Kind == handoff.KindRelaxed {
				logged = append(logged, e.Data)
			}
		}
		require.Equal(t, []map[string]string{{"vip": "0"}, {"fr": "0"}, {"billing": "5"}, {"billing": "3"}, {"gold": "0"}}, logged, "each stage in the log")

		// Agents of another group are asked as soon as it is widened, and a
		// free one who comes later is, too.
		bea := r.Hire(handoff.Agent{ID: "bea", Seats: 1, Queues: []string{"backup"}, Skills: map[string]int{"billing": 1}})
		r.Sleep(10 * time.Second)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		at(6)
		require.Equal(t, []string{"backup"}, r.Now(h.ID).Need.Also)
		require.Equal(t, "support", r.Now(h.ID).Need.Queue, "it stays where it is")
		takes(r, bea, "c")
		bea.Ends(h.ID)
	}, queues(handoff.Queue{Name: "support", OfferTimeout: time.Hour, Ladder: []handoff.Rung{
		{After: time.Minute, Do: handoff.RelaxSkills},
		{After: 2 * time.Minute, Do: handoff.RelaxSkills},
		{After: 3 * time.Minute, Do: handoff.RelaxLevels, By: 2},
		{After: 4 * time.Minute, Do: handoff.RelaxLevels},
		{After: 5 * time.Minute, Do: handoff.RelaxSkills},
		{After: 6 * time.Minute, Do: handoff.Widen, Queue: "backup"},
		{After: 7 * time.Hour, Do: handoff.ToBot},
	}}, handoff.Queue{Name: "backup"}))
}

// An agent of a group that may help out is an edge for the queue that he helps.
func TestWidenedAgentWhoComesIsAskedAtOnce(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		other := r.Asks("d") // not widened yet when she comes
		r.Sleep(2 * time.Minute)
		late := r.Asks("late")
		bea := r.Hire(handoff.Agent{ID: "bea", Seats: 9, Queues: []string{"backup"}})
		r.Sleep(time.Second)
		for _, id := range []handoff.ID{h.ID, other.ID} {
			now := r.Now(id)
			_, ok := now.Offer(bea.ID)
			require.True(t, ok)
		}
		require.Equal(t, handoff.StateWaiting, r.Now(late.ID).State, "his need is not widened yet")
	}, queues(handoff.Queue{Name: "support", OfferTimeout: time.Hour, Ladder: []handoff.Rung{
		{After: time.Minute, Do: handoff.Widen, Queue: "backup"}, {After: time.Hour, Do: handoff.ToBot},
	}}, handoff.Queue{Name: "backup"}), func(c *handoff.Config) { c.Sweep = time.Hour })
}

// Who declined is not asked again while others are left, and is when nobody is.
func TestWhoDeclinedIsAskedLast(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1), r.Agent("bob", 1)
		chat(r, bob, "busy-0")
		if load(r, "ann") > 0 {
			t.Fatal("bob was to have it")
		}
		h := r.Asks("c")
		now := r.Now(h.ID)
		_, ok := now.Offer("ann")
		require.True(t, ok)
		ann.Decline("not mine")
		r.Sleep(time.Hour)
		require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State, "bob is left, though he is busy")
		x, err := r.Explain(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, "refused before, and others are left", x.Agents[0].Why.String())
		require.Equal(t, "no free seat", x.Agents[1].Why.String())
		require.True(t, x.Agents[0].Could && x.Agents[1].Could)
		p := placeOf(r, r.Engine, h.ID)
		require.True(t, p.Known)
		require.Positive(t, p.P50, "her free seat is none for him")

		bob.Leaves()
		r.Sleep(10 * time.Second)
		now = r.Now(h.ID)
		_, ok = now.Offer("ann")
		require.True(t, ok, "nobody else is left")
	}, queues(handoff.Queue{
		Name: "support", Ladder: patient(), OfferTimeout: time.Hour, IdleTimeout: handoff.Never, AgentGrace: handoff.Never,
		Route: handoff.RouterFunc(func(_ context.Context, h *handoff.Handoff, free []handoff.Candidate) (string, string) {
			return free[len(free)-1].Agent.ID, "last"
		}),
		Expect: estimate.Prior{Handle: 5 * time.Minute},
	}))
}

// A queue with a target serves whose time is up first.
func TestDeadlinesOrderAQueue(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for i, d := range []time.Duration{0, time.Minute, 30 * time.Minute, 0} {
			r.Asks(talk(i), func(q *handoff.Request) { q.Within = d })
			r.Sleep(10 * time.Second)
		}
		require.Equal(t, 1, placeOf(r, r.Engine, r.Last("c1").ID).Position)
		ann := r.Agent("ann", 1)
		for _, c := range []string{"c1", "c0", "c3", "c2"} {
			h := takes(r, ann, c)
			ann.Ends(h.ID)
		}
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "x", Queue: "support", Within: -1})
		require.ErrorIs(t, err, handoff.ErrInvalid)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), Target: 10 * time.Minute}))
}

// A request that names no queue goes where the first rule that holds says.
func TestChoice(t *testing.T) {
	rules := []handoff.Choice{
		{Queue: "vip", Data: map[string]string{"plan": "gold"}},
		{Queue: "de", URL: "shop.example.com/de"},
		{Queue: "fraud", Reason: "fraud"},
		{Queue: "mail", Channel: "mail"},
		{Queue: "es", Language: "es"},
		{Queue: "shop", URL: "example.com"},
	}
	list := []handoff.Queue{}
	for _, c := range rules {
		list = append(list, handoff.Queue{Name: c.Queue})
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for i, c := range []struct {
			ask  handoff.Request
			want string
		}{
			{handoff.Request{Data: map[string]string{"plan": "gold"}, Channel: "mail"}, "vip"},
			{handoff.Request{URL: "https://shop.example.com/de/cart?x=1"}, "de"},
			{handoff.Request{URL: "https://shop.example.com/design"}, "shop"},
			{handoff.Request{URL: "SHOP.example.com/de"}, "de"},
			{handoff.Request{URL: "https://evil-example.com/de"}, ""},
			{handoff.Request{Reason: "fraud", Locale: "es"}, "fraud"},
			{handoff.Request{Channel: "mail"}, "mail"},
			{handoff.Request{Locale: "es-MX"}, "es"},
			{handoff.Request{Locale: "est"}, ""},
			{handoff.Request{}, ""},
		} {
			c.ask.Conversation = talk(i)
			out, err := r.Request(r.Ctx, c.ask)
			if c.want == "" {
				require.ErrorIs(t, err, handoff.ErrInvalid, "%d", i)
				continue
			}
			require.NoError(t, err, "%d", i)
			require.Equal(t, c.want, out.Handoff.Need.Queue, "%d", i)
		}
		// What the conversation is known by counts, too.
		_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "known", ID: "m", Text: "hola", Language: "es"})
		require.NoError(t, err)
		out, err := r.Request(r.Ctx, handoff.Request{Conversation: "known"})
		require.NoError(t, err)
		require.Equal(t, "es", out.Handoff.Need.Queue)
	}, func(c *handoff.Config) { c.Queues, c.Choose = list, rules })
}

// A queue that is full, or where the wait would be too long, diverts.
func TestFullOrSlowQueueDiverts(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		chat(r, r.Agent("ann", 1, "support"), "busy")
		to := func(c string) string {
			out, err := r.Request(r.Ctx, handoff.Request{Conversation: c, Queue: "support"})
			require.NoError(t, err)
			r.Wait()
			return out.Handoff.Need.Queue
		}
		require.Equal(t, "support", to("c1"))
		require.Equal(t, "support", to("c2"), "about eight minutes")
		require.Equal(t, "second", to("c3"), "about thirteen")
		require.Equal(t, "third", to("c4"), "second takes only one")
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c5", Queue: "slow"})
		require.NoError(t, err)
		_, err = r.Request(r.Ctx, handoff.Request{Conversation: "c6", Queue: "slow"})
		require.NoError(t, err, "who knows nothing refuses nobody")
	}, queues(
		handoff.Queue{Name: "support", MaxWait: 10 * time.Minute, Divert: "second", Expect: estimate.Prior{Handle: 5 * time.Minute}, IdleTimeout: handoff.Never},
		handoff.Queue{Name: "second", MaxWaiting: 1, Divert: "third"}, handoff.Queue{Name: "third"},
		handoff.Queue{Name: "slow", MaxWait: time.Second},
	))
}

// Without a queue to divert to, too long a wait is refused with its reason.
func TestTooLongAWaitIsRefused(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		chat(r, r.Agent("ann", 1), "busy")
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support"})
		var no *handoff.UnavailableError
		require.ErrorAs(t, err, &no)
		require.Equal(t, handoff.ReasonTooLong, no.Why)
		require.NotZero(t, no.Record)
	}, queues(handoff.Queue{Name: "support", MaxWait: time.Minute, Expect: estimate.Prior{Handle: 5 * time.Minute}}))
}

// No agent is offered more than his share in a while, and then again.
func TestOffersAreSpread(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 9)
		for i := range 5 {
			r.Asks(talk(i))
		}
		require.Equal(t, 2, load(r, "ann"))
		x, err := r.Explain(r.Ctx, r.Last("c3").ID)
		require.NoError(t, err)
		require.Contains(t, x.Agents[0].Why.String(), "as many as he may get")
		r.Sleep(11 * time.Minute)
		require.Equal(t, 4, load(r, "ann"), "without a sweep")
		_ = ann
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour, AgentMost: 2, AgentEvery: 10 * time.Minute}),
		func(c *handoff.Config) { c.Sweep = time.Hour })
}

// The limit is of all replicas together, also of those that hear nothing of
// each other, and a restart forgets nothing of it.
func TestOffersAreSpreadOverReplicas(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 9)
		r.Agent("bob", 9)
		engines := []*handoff.Engine{r.Engine}
		for range 2 {
			engines = append(engines, r.Replica(func(c *handoff.Config) { c.Store = unheard{r.Store} }))
		}
		for i := range 12 {
			_, err := engines[i%len(engines)].Request(r.Ctx, handoff.Request{Conversation: talk(i), Queue: "support"})
			require.NoError(t, err)
			r.Sleep(20 * time.Second)
		}
		r.Sleep(20 * time.Second) // every replica has swept
		require.Equal(t, []int{3, 3}, []int{load(r, "ann"), load(r, "bob")})
		r.Restart()
		r.Sleep(20 * time.Second)
		require.Equal(t, []int{3, 3}, []int{load(r, "ann"), load(r, "bob")})
		r.Sleep(time.Hour)
		require.Equal(t, []int{6, 6}, []int{load(r, "ann"), load(r, "bob")}, "and then again as many")

		list, err := r.List(r.Ctx, handoff.Query{})
		require.NoError(t, err)
		require.Len(t, list, 12, "what is kept to count them is nobody's handoff")
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: 24 * time.Hour, AgentMost: 3}))
}

// An offer that another replica made to somebody else first costs nobody one of
// the offers that he may get.
func TestOfferThatLostItsRaceIsNotCounted(t *testing.T) {
	first := func(agent string) handoff.RouterFunc {
		return func(_ context.Context, _ *handoff.Handoff, free []handoff.Candidate) (string, string) {
			for i := range free {
				if free[i].Agent.ID == agent {
					return agent, "first"
				}
			}
			return free[0].Agent.ID, "left"
		}
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Agent("ann", 9)
		r.Agent("bob", 9)
		r.Replica(func(c *handoff.Config) { c.Router = first("bob") })
		r.Sleep(time.Minute)
		slowCommits(r, 50*time.Millisecond)
		for i := range 12 {
			r.Asks(talk(i))
			r.Sleep(20 * time.Second)
		}
		require.Equal(t, []int{3, 3}, []int{load(r, "ann"), load(r, "bob")})
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: 24 * time.Hour, AgentMost: 3}),
		func(c *handoff.Config) { c.Router = first("ann") })
}

// unheard is a store that tells nobody what others committed.
type unheard struct{ handoff.Store }

// Each in turn, whether or not he had something else to do meanwhile.
func TestRoundRobinTakesTurns(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for _, id := range []string{"ann", "bob", "eve"} {
			r.Agent(id, 9)
		}
		var got []string
		for i := range 7 {
			h := r.Asks(talk(i))
			got = append(got, h.Offers[0].Agent)
			if i%2 == 0 {
				h = takes(r, &handofftest.Agent{ID: h.Offers[0].Agent}, talk(i))
				_, err := r.End(r.Ctx, h.ID, handoff.By(h.Agent), handoff.Ending{})
				require.NoError(t, err)
			}
			r.Sleep(time.Second)
		}
		require.Equal(t, []string{"ann", "bob", "eve", "ann", "bob", "eve", "ann"}, got)
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), OfferTimeout: time.Hour, Route: handoff.RoundRobin}))
}

// Limits of zero take nothing, a huge priority overflows nothing.
func TestOddNumbersInRouting(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{
			ID: "ann", Seats: 3, Queues: []string{"support", "list"},
			QueueSeats: map[string]int{"list": 0}, ChannelSeats: map[string]int{"fax": 0},
		})
		h := r.Asks("fax", func(q *handoff.Request) { q.Channel = "fax" })
		require.Equal(t, handoff.StateWaiting, h.State)
		h = r.Asks("list", func(q *handoff.Request) { q.Queue = "list" })
		_, err := r.Accept(r.Ctx, h.ID, ann.By(), 0)
		require.ErrorIs(t, err, handoff.ErrFull)
		r.Sleep(time.Second)
		require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: "ann", Queues: []string{"support"}}))
		for i, p := range []int{-1 << 62, 1, 1 << 62, 0, 1 << 62} {
			r.Asks(talk(i), func(q *handoff.Request) { q.Priority = p })
			r.Sleep(time.Second)
		}
		for i, want := range []int{6, 3, 1, 5, 2} {
			require.Equal(t, want, placeOf(r, r.Engine, r.Last(talk(i)).ID).Position, talk(i))
		}
	}, queues(
		handoff.Queue{Name: "support", Ladder: patient(), Ageing: 10 * time.Minute},
		handoff.Queue{Name: "list", Style: handoff.Pull, Ladder: patient()},
	))
}
