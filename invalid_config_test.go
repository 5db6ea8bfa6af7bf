package handoff_test

import (
	"context"
	"iter"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Names that look dangerous somewhere else are names like any other here.
func TestHostileNamesAreNames(t *testing.T) {
	names := []string{
		"../../etc/passwd", `"; DROP TABLE handoffs; --`, `'`, `\`, "a/b", "a%2Fb", "a b", " a", "a ", "a", "A", "ä", "a\u0308",
		"\u202eabc", "a.b", "a..b", "*", "?", "{a}", "$1", "%s", "%00", strings.Repeat("ü", 256), "erased:1", "conversation/a",
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Hire(handoff.Agent{ID: "ann", Seats: len(names), Queues: []string{"support"}})
		for _, n := range names {
			turn, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: n, ID: n, Text: n, User: &handoff.Contact{ID: n, Name: n}})
			require.NoError(t, err, n)
			require.True(t, turn.Open())
			_, err = r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", ID: n, Tags: []string{n}})
			require.NoError(t, err, n)
			r.Wait()
			h := takes(r, &handofftest.Agent{ID: "ann"}, n)
			_, err = r.Send(r.Ctx, h.ID, handoff.By("ann").Once(n), handoff.Message{ID: n, Text: n})
			require.NoError(t, err, n)
		}
		r.Sleep(time.Second)
		for _, n := range names {
			list, err := r.List(r.Ctx, handoff.Query{Conversation: n})
			require.NoError(t, err)
			require.Len(t, list, 1, n)
			byTag, err := r.List(r.Ctx, handoff.Query{Tag: n, User: n})
			require.NoError(t, err)
			require.Len(t, byTag, 1, n)
			require.Equal(t, n, byTag[0].ID.Conversation)
			require.Equal(t, []string{n}, saidBy(r, n, handoff.RoleAgent), "nobody else's words")
		}
		require.Equal(t, len(names), load(r, "ann"))
	}, queues(handoff.Queue{Name: "support", IdleTimeout: handoff.Never}))
}

// A nil context is a mistake of the caller, and no reason to die.
func TestInvalidContext(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c1")
		turn := r.Says("c2", "hello")
		var none context.Context
		calls := map[string]func() error{
			"Receive": func() error {
				_, err := r.Receive(none, handoff.Incoming{Conversation: "c", ID: "1", Text: "x"})
				return err
			},
			"Reply":  func() error { _, err := r.Reply(none, turn, handoff.Message{Text: "x"}); return err },
			"Done":   func() error { return r.Done(none, turn) },
			"Say":    func() error { _, err := r.Say(none, "c2", handoff.Message{Text: "x"}); return err },
			"Stream": func() error { _, err := r.Stream(none, turn, "s"); return err },
			"Request": func() error {
				_, err := r.Request(none, handoff.Request{Conversation: "c2", Queue: "support", Preferred: "ann"})
				return err
			},
			"Cancel":       func() error { _, err := r.Cancel(none, "c2", false); return err },
			"Availability": func() error { _, err := r.Availability(none, handoff.Need{Queue: "support"}); return err },
			"Place":        func() error { _, err := r.Place(none, h.ID); return err },
			"Send":         func() error { _, err := r.Send(none, h.ID, ann.By(), handoff.Message{Text: "x"}); return err },
			"TakeOver":     func() error { _, err := r.TakeOver(none, h.ID, ann.By(), ""); return err },
			"Transfer":     func() error { _, err := r.Transfer(none, h.ID, ann.By(), handoff.Target{Agent: "ann"}); return err },
			"List":         func() error { _, err := r.List(none, handoff.Query{}); return err },
			"Log":          func() error { _, err := r.Log(none, h.ID, 0, 1); return err },
			"Follow":       func() error { return firstErr(r.Follow(none, h.ID, 0)) },
			"FollowUser":   func() error { return firstErr(r.FollowUser(none, "c1", handoff.UserCursor{})) },
			"Feed":         func() error { return firstErr(r.Feed(none, "")) },
			"Explain":      func() error { _, err := r.Explain(none, h.ID); return err },
			"Erase":        func() error { return r.Erase(none, "c1") },
			"AgentChanged": func() error { return r.AgentChanged(none, "ann") },
			"Run":          func() error { return r.Run(none) },
			"WhileTurn": func() error {
				ctx, cancel := r.WhileTurn(none, turn)
				defer cancel()
				return context.Cause(ctx)
			},
		}
		for name, call := range calls {
			var no *handoff.InvalidError
			if assert.ErrorAs(t, call(), &no, name) {
				assert.Equal(t, "ctx", no.Field, name)
			}
		}
		_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "fine"})
		require.NoError(t, err)
	})
}

func TestInvalidConfig(t *testing.T) {
	ok := func() handoff.Config {
		return handoff.Config{Store: handofftest.NewStore(nil), Directory: handoff.Staff{}, Queues: []handoff.Queue{{Name: "support"}}}
	}
	queue := func(change func(q *handoff.Queue)) func(*handoff.Config) {
		return func(c *handoff.Config) { change(&c.Queues[0]) }
	}
	cases := map[string][]func(*handoff.Config){
		"Store":     {func(c *handoff.Config) { c.Store = nil }},
		"Directory": {func(c *handoff.Config) { c.Directory = nil }},
		"BotQueue":  {func(c *handoff.Config) { c.BotQueue = "nowhere" }},
		"StoreDown": {func(c *handoff.Config) { c.StoreDown = "pray" }},
		"Sinks": {
			func(c *handoff.Config) { c.Sinks = map[string]handoff.Sink{"a\nb": handoff.SinkFunc(nil)} },
			func(c *handoff.Config) { c.Sinks = map[string]handoff.Sink{"": handoff.SinkFunc(nil)} },
			func(c *handoff.Config) { c.Sinks = map[string]handoff.Sink{"a": nil} },
		},
		"Providers[0]":              {func(c *handoff.Config) { c.Providers = []handoff.Provider{nil} }},
		"Providers[0].Name":         {func(c *handoff.Config) { c.Providers = []handoff.Provider{&platform{}} }},
		"Providers[1].Name":         {func(c *handoff.Config) { c.Providers = []handoff.Provider{&platform{name: "a"}, &platform{name: "a"}} }},
		"BotTimeout":                {func(c *handoff.Config) { c.BotTimeout = -time.Second }},
		"BotIdle":                   {func(c *handoff.Config) { c.BotIdle = -2 }},
		"Poll":                      {func(c *handoff.Config) { c.Poll = -1 }},
		"Sweep":                     {func(c *handoff.Config) { c.Sweep = -time.Hour }},
		"Workers":                   {func(c *handoff.Config) { c.Workers = -1 }},
		"SendTries":                 {func(c *handoff.Config) { c.SendTries = -1 }},
		"Queues[1].Name":            {func(c *handoff.Config) { c.Queues = append(c.Queues, handoff.Queue{Name: "support"}) }},
		"Queues[0].Providers":       {queue(func(q *handoff.Queue) { q.Providers = []string{"nobody"} })},
		"Queues[0].Style":           {queue(func(q *handoff.Queue) { q.Style = "shout" })},
		"Queues[0].Ageing":          {queue(func(q *handoff.Queue) { q.Ageing = -1 })},
		"Queues[0].StayOut":         {queue(func(q *handoff.Queue) { q.StayOut = -time.Hour })},
		"Queues[0].MaxWaiting":      {queue(func(q *handoff.Queue) { q.MaxWaiting = -1 })},
		"Queues[0].VideoUnits":      {queue(func(q *handoff.Queue) { q.VideoUnits = -1 })},
		"Queues[0].Target":          {queue(func(q *handoff.Queue) { q.Target = -1 })},
		"Queues[0].MaxWait":         {queue(func(q *handoff.Queue) { q.MaxWait = -1 })},
		"Queues[0].AgentMost":       {queue(func(q *handoff.Queue) { q.AgentMost = -1 }), queue(func(q *handoff.Queue) { q.AgentMost = 1e9 })},
		"Queues[0].AgentEvery":      {queue(func(q *handoff.Queue) { q.AgentEvery = -time.Hour })},
		"Queues[0].Divert":          {queue(func(q *handoff.Queue) { q.Divert = "support" }), queue(func(q *handoff.Queue) { q.Divert = "nowhere" })},
		"Queues[0].WaitAs":          {queue(func(q *handoff.Queue) { q.WaitAs = "vague" })},
		"Queues[0].Expect.Handle":   {queue(func(q *handoff.Queue) { q.Expect.Handle = -1 })},
		"Queues[0].Expect.Patience": {queue(func(q *handoff.Queue) { q.Expect.Patience = -time.Minute })},
		"Queues[0].Expect.MinSeen":  {queue(func(q *handoff.Queue) { q.Expect.MinSeen = -1 })},
		"Queues[0].Ladder[0].By":    {queue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{Do: handoff.RelaxLevels, By: -1}} })},
		"Queues[0].Expect.Weight": {
			queue(func(q *handoff.Queue) { q.Expect.Weight = -1 }),
			queue(func(q *handoff.Queue) { q.Expect.Weight = math.NaN() }),
			queue(func(q *handoff.Queue) { q.Expect.Weight = math.Inf(1) }),
		},
		"Choose[0].Queue": {func(c *handoff.Config) { c.Choose = []handoff.Choice{{Queue: "nowhere"}} }},
		"Choose[0].URL": {
			func(c *handoff.Config) {
				c.Choose = []handoff.Choice{{Queue: "support", URL: "https://shop.example.com"}}
			},
			func(c *handoff.Config) { c.Choose = []handoff.Choice{{Queue: "support", URL: "/only/a/path"}} },
			func(c *handoff.Config) { c.Choose = []handoff.Choice{{Queue: "support", URL: "%zz"}} },
		},
		"Queues[0].Ladder[0].After": {
			queue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{After: -1, Do: handoff.ToBot}} }),
		},
		"Queues[0].Ladder[1].After": {
			queue(func(q *handoff.Queue) {
				q.Ladder = []handoff.Rung{{After: 2, Do: handoff.RelaxSkills}, {After: 1, Do: handoff.ToBot}}
			}),
		},
		"Queues[0].Ladder[0].Notice": {
			queue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{Do: handoff.Tell, Notice: "no such words"}} }),
		},
		"Queues[0].Ladder[0].Do": {queue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{Do: "dance"}} })},
		"Queues[0].Ladder[0].Queue": {
			queue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{Do: handoff.Overflow, Queue: "support"}} }),
			queue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{Do: handoff.Widen}} }),
		},
		"Queues[0].Intake.Fields[0].Name": {
			queue(func(q *handoff.Queue) { q.Intake = &handoff.Form{Fields: []handoff.Field{{}}} }),
		},
		"Queues[0].Intake.Fields[1].Name": {
			queue(func(q *handoff.Queue) { q.Intake = &handoff.Form{Fields: []handoff.Field{{Name: "a"}, {Name: "a"}}} }),
		},
		"Queues[0].Offline.Form": {
			queue(func(q *handoff.Queue) {
				q.Offline.Form = &handoff.Form{Host: true, Fields: []handoff.Field{{Name: "a"}}}
			}),
		},
		"Queues[0].Offline.Form.Fields": {queue(func(q *handoff.Queue) { q.Offline.Form = &handoff.Form{} })},
		"Queues[0].Offline.Ticket":      {queue(func(q *handoff.Queue) { q.Offline.Ticket = true })},
		"Queues[0].Tickets":             {queue(func(q *handoff.Queue) { q.Tickets = "nobody" })},
		"Queues[0].Closing": {
			queue(func(q *handoff.Queue) { q.Closing = handoff.ClosingEnds }), queue(func(q *handoff.Queue) { q.Closing = "slam" }),
		},
		`Queues[0].Hours.Days["mon"]`: {queue(func(q *handoff.Queue) {
			q.Hours = handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"09:00-12:00", "11:00-13:00"}}}
		})},
		`Queues[0].Hours.Special["12-32"]`: {queue(func(q *handoff.Queue) {
			q.Hours = handoff.Weekly{Special: map[string][]handoff.Span{"12-32": {"09:00-12:00"}}}
		})},
		"Queues[0].Hours.Days":   {queue(func(q *handoff.Queue) { q.Hours = handoff.Weekly{} })},
		"Rooms.Template":         {func(c *handoff.Config) { c.Rooms = handoff.RoomLinks{Template: "{who}", Secret: make([]byte, 16)} }},
		"Rooms.Secret":           {func(c *handoff.Config) { c.Rooms = handoff.RoomLinks{Template: "https://x/{room}"} }},
		"Queues[0].AskRating":    {queue(func(q *handoff.Queue) { q.AskRating = "twice" })},
		"Queues[0].Reopen":       {queue(func(q *handoff.Queue) { q.Reopen = "never" })},
		"Queues[0].Modes":        {queue(func(q *handoff.Queue) { q.Modes = []handoff.Mode{"smoke"} })},
		"Queues[0].CloseReasons": {queue(func(q *handoff.Queue) { q.CloseReasons = []string{"a\nb"} })},
		"Queues[0].Alias":        {queue(func(q *handoff.Queue) { q.Alias = "a\x00" })},
		"KeepEnded":              {func(c *handoff.Config) { c.KeepEnded = -2 }},
		"KeepContained":          {func(c *handoff.Config) { c.KeepContained = -2 }},
		"SendFor":                {func(c *handoff.Config) { c.SendFor = -2 }},
		"Lease":                  {func(c *handoff.Config) { c.Lease = -1 }},
		"Overdue":                {func(c *handoff.Config) { c.Overdue = -1 }},
		"StoreTimeout":           {func(c *handoff.Config) { c.StoreTimeout = -1 }},
		"SendTimeout":            {func(c *handoff.Config) { c.SendTimeout = -1 }},
		"Escalation.Triggers":    {func(c *handoff.Config) { c.Escalation.Queue = "support" }},
		"Queues[0].Intake.OnLapse": {
			queue(func(q *handoff.Queue) { q.Intake = &handoff.Form{OnLapse: "cry"} }),
			queue(func(q *handoff.Queue) { q.Intake = &handoff.Form{OnLapse: handoff.LapseCancel, WhileWaiting: true} }),
		},
		"Queues[0].Intake.WhileWaiting": {queue(func(q *handoff.Queue) {
			q.Providers, q.Intake = []string{"nobody"}, &handoff.Form{WhileWaiting: true}
		})},
	}
	for _, d := range []string{
		"OfferTimeout", "Cooldown", "FirstReply", "IdleTimeout", "IdleWarning", "HoldTimeout", "Wrapup", "AgentGrace",
		"ConnectTime", "IntakeTimeout", "PlaceEvery", "PlaceRepeat", "ClosingGrace", "KeepCallback", "Alert", "ReopenFor",
	} {
		cases["Queues[0]."+d] = []func(*handoff.Config){queue(func(q *handoff.Queue) { setDuration(q, d, -time.Minute) })}
	}
	for _, bad := range with(badIDs, "id") {
		cases["Queues[0].Name"] = append(cases["Queues[0].Name"], queue(func(q *handoff.Queue) { q.Name = bad }))
	}
	for want, list := range cases {
		for i, change := range list {
			c := ok()
			change(&c)
			_, err := handoff.New(c)
			var all *handoff.ConfigError
			if !assert.ErrorAs(t, err, &all, "%s, %d", want, i) {
				continue
			}
			var fields []string
			for _, p := range all.Problems {
				var no *handoff.InvalidError
				if assert.ErrorAs(t, p, &no) {
					fields = append(fields, no.Field)
				}
			}
			assert.Contains(t, fields, want)
			assert.Less(t, len(err.Error()), 1000)
		}
	}
	_, err := handoff.New(ok())
	require.NoError(t, err)

	// What is wrong in many places is told at once.
	c := ok()
	c.Queues[0].Offline.Form = &handoff.Form{Fields: []handoff.Field{{
		Name: "f", Kind: handoff.FieldChoice, Label: "\xff", Choices: []string{"\n"}, Pattern: "(", Max: -1,
		Queues: map[string]string{"x": "nowhere"}, Skills: map[string][]handoff.Skill{"y": {{}}},
	}}}
	c.Poll, c.BotQueue, c.Rooms = -1, "nowhere", handoff.RoomLinks{}
	c.Queues[0].Style, c.Queues[0].Reopen, c.Queues[0].Alias, c.Queues[0].Intake = "shout", "never", "\n", &handoff.Form{Fields: []handoff.Field{{}}}
	_, err = handoff.New(c)
	for _, want := range []string{
		"Poll", "BotQueue", "Rooms.Template", "Rooms.Secret", "Queues[0].Style", "Queues[0].Reopen", "Queues[0].Alias", "Queues[0].Intake.Fields[0].Name",
		"Fields[0].Label", "Fields[0].Choices", "Fields[0].Pattern", "Fields[0].Max", "Fields[0].Queues", "Fields[0].Skills", "leads to no queue",
	} {
		require.ErrorContains(t, err, want)
	}
}

func setDuration(q *handoff.Queue, name string, d time.Duration) {
	*map[string]*time.Duration{
		"OfferTimeout": &q.OfferTimeout, "Cooldown": &q.Cooldown, "FirstReply": &q.FirstReply, "IdleTimeout": &q.IdleTimeout,
		"IdleWarning": &q.IdleWarning, "HoldTimeout": &q.HoldTimeout, "Wrapup": &q.Wrapup, "AgentGrace": &q.AgentGrace,
		"ConnectTime": &q.ConnectTime, "IntakeTimeout": &q.IntakeTimeout, "PlaceEvery": &q.PlaceEvery, "PlaceRepeat": &q.PlaceRepeat,
		"ClosingGrace": &q.ClosingGrace, "KeepCallback": &q.KeepCallback, "Alert": &q.Alert, "ReopenFor": &q.ReopenFor,
	}[name] = d
}

// firstErr returns the error of the first pair that a sequence yields.
func firstErr[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		return err
	}
	return nil
}
