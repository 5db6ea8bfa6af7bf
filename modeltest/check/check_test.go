package check_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/modeltest/check"
)

// A stage is a small true story: a user asks, an agent accepts and answers.
// Each test spoils one thing in what is read of it.
type stage struct {
	checker *check.Checker
	ledger  *check.Ledger
	staff   *check.Staff
	snap    *check.Snapshot
	logs    map[handoff.ID][]handoff.Entry
}

func tell(t *testing.T, f func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		store := memstore.New()
		queues := []handoff.Queue{{Name: "q"}}
		s := &stage{ledger: check.NewLedger(), staff: check.NewStaff(), logs: map[handoff.ID][]handoff.Entry{}}
		channel := handoff.ChannelFunc(func(_ context.Context, c string, m handoff.UserMessage) error {
			s.ledger.Try(c, m)
			s.ledger.Show(c, m)
			return nil
		})
		e, err := handoff.New(handoff.Config{Store: store, Queues: queues, Directory: handoff.Staff{{ID: "ann", Queues: []string{"q"}, Seats: 1}}, Channel: channel})
		if err != nil {
			t.Fatal(err)
		}
		rctx, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- e.Run(rctx) }()
		s.staff.Set(time.Now(), "ann", 1, true)
		s.checker = check.New(check.Rules{Queues: queues, Channel: true, Ledger: s.ledger, Staff: s.staff})

		turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: check.Mark("c", "hi")})
		must(t, err)
		s.ledger.Acknowledge("c", "m1")
		s.ledger.Ask(turn)
		_, err = e.Reply(ctx, turn, handoff.Message{ID: "r1", Text: check.Mark("c", "hello")})
		must(t, err)
		_, err = e.Receive(ctx, handoff.Incoming{Conversation: "c", ID: "m2", Text: check.Mark("c", "a person!")})
		must(t, err)
		s.ledger.Acknowledge("c", "m2")
		_, err = e.Request(ctx, handoff.Request{Conversation: "c", Queue: "q", Note: "secret"})
		must(t, err)
		synctest.Wait()
		_, err = e.Request(ctx, handoff.Request{Conversation: "d", Queue: "q"})
		must(t, err)
		synctest.Wait()
		h, err := e.Latest(ctx, "c")
		must(t, err)
		_, err = e.Accept(ctx, h.ID, handoff.By("ann"), h.Offers[0].Number)
		must(t, err)
		time.Sleep(time.Second)
		synctest.Wait()
		r := &check.Reader{Store: store, Engine: e, Agents: []string{"ann"}}
		s.snap, err = r.Read(ctx, time.Now())
		must(t, err)
		must(t, r.Logs(ctx, func(id handoff.ID, log []handoff.Entry) { s.logs[id] = log }))
		stop()
		must(t, <-done)
		f(s)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *stage) of(conversation string) *check.Stretch {
	for i := range s.snap.Chats {
		if s.snap.Chats[i].Conversation == conversation {
			return &s.snap.Chats[i].Handoffs[0]
		}
	}
	panic("no such conversation")
}

func (s *stage) entry(kind handoff.Kind) *handoff.Entry {
	log := s.of("c").Log
	for i := range log {
		if log[i].Kind == kind {
			return &log[i]
		}
	}
	panic("no such entry")
}

// A true story breaks no rule, read once, twice, and from its start.
func TestTrueStory(t *testing.T) {
	tell(t, func(s *stage) {
		for range 2 {
			if v := s.checker.Next(s.snap); len(v) > 0 {
				t.Errorf("%v", v)
			}
		}
		for id, log := range s.logs {
			if v := s.checker.Replay(id, log); len(v) > 0 {
				t.Errorf("%v", v)
			}
		}
	})
}

// Each spoilt story breaks the rule that it is about.
func TestSpoiltStories(t *testing.T) {
	type story struct {
		rule  string
		spoil func(s *stage)
	}
	second := func(s *stage) { // what the checker saw was true; now comes more
		_ = s.checker.Next(s.snap)
		for i := range s.snap.Chats {
			for j := range s.snap.Chats[i].Handoffs {
				s.snap.Chats[i].Handoffs[j].Log = nil
			}
		}
	}
	for name, st := range map[string]story{
		"gap":           {"gap-free", func(s *stage) { st := s.of("c"); st.Log = append(st.Log[:3:3], st.Log[4:]...) }},
		"short log":     {"gap-free", func(s *stage) { st := s.of("c"); st.Log = st.Log[:len(st.Log)-1] }},
		"entry twice":   {"unique", func(s *stage) { st := s.of("c"); st.Log[3].ID = st.Log[2].ID }},
		"message twice": {"stored once", func(s *stage) { e := s.of("d").Log; e[1].Kind, e[1].From.Role, e[1].ID, e[1].Message = s.twin(e) }},
		"epoch stays": {"each change of control", func(s *stage) {
			st := s.of("c")
			for i := range st.Log {
				st.Log[i].Epoch = 1
			}
		}},
		"epoch falls": {"never falls", func(s *stage) { st := s.of("c"); st.Log[len(st.Log)-1].Epoch = 1 }},
		"bot speaks late": {"in its turn", func(s *stage) {
			e := s.entry(handoff.KindJoined)
			e.Kind, e.From.Role = handoff.KindMessage, handoff.RoleBot
		}},
		"lost": {"is lost", func(s *stage) { s.of("c").Handoff.Pending = nil }},
		"not lost at all": {"is not unanswered", func(s *stage) {
			h := &s.of("c").Handoff
			p := h.Pending[0]
			p.Message, p.Seq = "m1", 2
			h.Pending = append([]handoff.Pending{p}, h.Pending...)
		}},
		"unacknowledged": {"no acknowledged message is lost", func(s *stage) { s.ledger.Acknowledge("c", "m9") }},
		"key missing":    {"function of the record", func(s *stage) { s.of("c").Record.Keys = nil }},
		"key too many": {"function of the record", func(s *stage) {
			r := &s.of("c").Record
			r.Keys = append(r.Keys[:len(r.Keys):len(r.Keys)], handoff.Key{Name: "seat/bob", Max: 1, Units: 1})
		}},
		"holder too many": {"function of the records", func(s *stage) {
			s.snap.Holders = append(s.snap.Holders, handoff.Holding{Key: "seat/ann", ID: handoff.ID{Conversation: "z", Number: 1}, Units: 1})
		}},
		"holder missing": {"function of the records", func(s *stage) { s.snap.Holders = s.snap.Holders[1:] }},
		"over capacity":  {"more than his seats", func(s *stage) { s.snap.Seats["ann"] = 2 }},
		"no wake":        {"due time", func(s *stage) { s.of("c").Record.Wake = time.Time{} }},
		"late wake":      {"never later", func(s *stage) { r := &s.of("c").Record; r.Wake = r.Wake.Add(time.Hour) }},
		"two offers": {"one live offer", func(s *stage) {
			h := &s.of("d").Handoff
			h.State, h.Offers, h.OfferNo = handoff.StateOffered, []handoff.Offer{{Number: 1, Agent: "a"}, {Number: 2, Agent: "b"}}, 2
		}},
		"no offer": {"has an offer", func(s *stage) { s.of("d").Handoff.State = handoff.StateOffered }},
		"two open": {"one open handoff", func(s *stage) {
			ch := s.chat("d")
			two := ch.Handoffs[0]
			two.Handoff.ID.Number = 2
			ch.Handoffs = append(ch.Handoffs, two)
		}},
		"number skipped": {"numbered", func(s *stage) {
			ch := s.chat("d")
			two := ch.Handoffs[0]
			two.Handoff.ID.Number = 3
			ch.Handoffs = append(ch.Handoffs, two)
		}},
		"nobody active":    {"has control of an active", func(s *stage) { s.of("c").Handoff.Agent = "" }},
		"no outcome":       {"has an outcome", func(s *stage) { s.of("c").Handoff.State = handoff.StateEnded }},
		"outcome invented": {"closed set", func(s *stage) { s.of("c").Handoff.Outcome = "happy" }},
		"line lost":        {"stands in a line", func(s *stage) { s.of("d").Record.Line = "" }},
		"place wrong":      {"permutation", func(s *stage) { s.snap.Lines["q"][0].Position = 2 }},
		"shown note":       {"never shown", func(s *stage) { s.show(s.entry(handoff.KindNote)) }},
		"shown from afar": {"another", func(s *stage) {
			s.ledger.Show("d", handoff.UserMessage{ID: "1/x", Text: check.Mark("c", "hi"), Cursor: handoff.UserCursor{Number: 1}})
		}},
		"shown from air": {"only the log", func(s *stage) {
			s.ledger.Show("c", handoff.UserMessage{ID: "1/x", Text: "boo", Cursor: handoff.UserCursor{Number: 1}})
		}},
		"shown otherwise": {"what is in the log", func(s *stage) { s.entry(handoff.KindNotice).Text = "other" }},
		"offline asked":   {"only who is online", func(s *stage) { s.entry(handoff.KindOffered).Agent = "bob" }},
		"excluded asked":  {"excluded", func(s *stage) { s.of("c").Handoff.Need.Exclude = []string{"ann"} }},
		"given up untried": {"given up was tried", func(s *stage) {
			e := s.entry(handoff.KindJoined)
			e.Kind, e.About, e.Data = handoff.KindUndelivered, 1, map[string]string{"sink": "channel"}
		}},
		"sink disordered": {"order of the log", func(s *stage) { s.ledger.Handle(s.of("c").Handoff.ID, 3); s.ledger.Handle(s.of("c").Handoff.ID, 2) }},
		"version falls":   {"versions rise", func(s *stage) { second(s); h := &s.of("c").Handoff; h.Version--; s.of("c").Record.Version-- }},
		"place moved":     {"place in time", func(s *stage) { second(s); h := &s.of("d").Handoff; h.Enqueued = h.Enqueued.Add(time.Second) }},
		"control moved":   {"each change of control", func(s *stage) { second(s); s.of("c").Handoff.Agent = "bob" }},
		"owed by nobody": {"handed on", func(s *stage) {
			st := s.of("c")
			st.Handoff.State, st.Handoff.Outcome, st.Record.State = handoff.StateEnded, handoff.OutcomeReturned, handoff.StateEnded
		}},
		"answered twice": {"answered twice", func(s *stage) {
			s.ledger.Ask(handoff.Turn{Conversation: "c", Number: 1, Call: "b/7", Messages: []handoff.Asked{{ID: "m1"}}})
			e := s.entry(handoff.KindNote)
			e.Kind, e.Call = handoff.KindDone, "b/7"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tell(t, func(s *stage) {
				st.spoil(s)
				var rules []string
				for _, v := range s.checker.Next(s.snap) {
					rules = append(rules, v.Rule)
				}
				if !strings.Contains(strings.Join(rules, "\n"), st.rule) {
					t.Errorf("%q was not found to be broken, only %q", st.rule, rules)
				}
			})
		})
	}
}

func (s *stage) chat(conversation string) *check.Chat {
	for i := range s.snap.Chats {
		if s.snap.Chats[i].Conversation == conversation {
			return &s.snap.Chats[i]
		}
	}
	panic("no such conversation")
}

// twin makes two entries of a log the same message of the user.
func (s *stage) twin(log []handoff.Entry) (handoff.Kind, handoff.Role, string, string) {
	log[2].Kind, log[2].From.Role, log[2].ID, log[2].Message = handoff.KindMessage, handoff.RoleUser, "u/m", "m"
	return handoff.KindMessage, handoff.RoleUser, "u/m", "m"
}

func (s *stage) show(e *handoff.Entry) {
	s.ledger.Show("c", handoff.UserMessage{ID: "1/" + e.ID, Text: e.Text, Cursor: handoff.UserCursor{Number: 1, Seq: e.Seq}})
}

// A log that was changed behind the checker's back is found by reading it
// again.
func TestReplayFindsChange(t *testing.T) {
	tell(t, func(s *stage) {
		_ = s.checker.Next(s.snap)
		id := s.of("c").Handoff.ID
		s.logs[id][1].Text = "something else"
		if v := s.checker.Replay(id, s.logs[id]); len(v) != 1 {
			t.Errorf("%v", v)
		}
	})
}

// Who had more than his new capacity keeps it, and gets nothing more.
func TestLoweredCapacity(t *testing.T) {
	ledger, staff := check.NewLedger(), check.NewStaff()
	c := check.New(check.Rules{Ledger: ledger, Staff: staff})
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	staff.Set(start, "ann", 3, true)
	staff.Set(start.Add(time.Hour), "ann", 1, true)
	for _, step := range []struct {
		at   time.Duration
		load int
		ok   bool
	}{
		{0, 3, true}, {time.Hour + time.Second, 3, true}, {2 * time.Hour, 3, true}, {3 * time.Hour, 2, true}, {4 * time.Hour, 3, false}, {5 * time.Hour, 1, true}, {6 * time.Hour, 2, false},
	} {
		v := c.Next(&check.Snapshot{Now: start.Add(step.at), Seats: map[string]int{"ann": step.load}})
		if (len(v) == 0) != step.ok {
			t.Errorf("after %v with %d: %v", step.at, step.load, v)
		}
	}
}
