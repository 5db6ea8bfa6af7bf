package handoff_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// typed are all errors that a verb may give while nothing is broken.
var typed = []error{
	handoff.ErrInvalid, handoff.ErrState, handoff.ErrNotFound, handoff.ErrStale, handoff.ErrWithdrawn, handoff.ErrExpired,
	handoff.ErrFull, handoff.ErrNotHolder, handoff.ErrOpen, handoff.ErrUnavailable,
}

// FuzzVerbs calls every verb with anything: it answers with a typed error or
// does what it is asked, and never panics.
func FuzzVerbs(f *testing.F) {
	for verb := range byte(40) {
		f.Add(verb, "c1", "m1", "hello", int64(1))
	}
	f.Add(byte(0), "a\x00b", "\xff", "../", int64(-1))
	f.Add(byte(8), "'; --", "\n", "{}", int64(1<<62))
	f.Fuzz(func(t *testing.T, verb byte, a, b, c string, n int64) {
		ctx := t.Context()
		staff := handoff.Staff{{ID: "ann", Seats: 2, Queues: []string{"support"}, Skills: map[string]int{"s": 1}}}
		e, err := handoff.New(handoff.Config{
			Store: memstore.New(), Directory: staff,
			Queues: []handoff.Queue{{Name: "support"}, {Name: "form", Intake: &handoff.Form{Fields: []handoff.Field{{Name: "f"}}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		turn, err := e.Receive(ctx, handoff.Incoming{Conversation: "c1", ID: "m1", Text: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		if verb >= 128 { // the same verbs, while an agent has the user
			if _, err := e.TakeOver(ctx, turn.ID(), handoff.By("ann"), "support"); err != nil {
				t.Fatal(err)
			}
		}
		err = fuzzed(ctx, e, verb%128, turn, a, b, c, n)
		if err == nil {
			return
		}
		for _, ok := range typed {
			if errors.Is(err, ok) {
				return
			}
		}
		t.Errorf("verb %d: %v", verb, err)
	})
}

func fuzzed(ctx context.Context, e *handoff.Engine, verb byte, turn handoff.Turn, a, b, c string, n int64) (err error) {
	id, who := handoff.ID{Conversation: a, Number: n}, handoff.Actor{Role: handoff.RoleAgent, ID: b, Op: c}
	if b == "" {
		who = handoff.BySupervisor(c)
	}
	m := handoff.Message{ID: b, Text: c, Seen: n, Files: []handoff.File{{Name: a, Size: n}}}
	switch verb % 36 {
	case 0:
		_, err = e.Receive(ctx, handoff.Incoming{Conversation: a, ID: b, Text: c, Language: a, User: &handoff.Contact{ID: c}})
	case 1:
		_, err = e.Reply(ctx, turn, m)
	case 2:
		turn.Call, turn.Epoch, turn.Conversation = a, n, b
		_, err = e.Reply(ctx, turn, m)
	case 3:
		turn.Call = a
		err = e.Done(ctx, turn)
	case 4:
		_, err = e.Say(ctx, a, m)
	case 5:
		_, err = e.Handover(ctx, turn, a, b)
	case 6:
		var s *handoff.Stream
		if s, err = e.Stream(ctx, turn, a); err == nil {
			if err = s.Write(ctx, c); err == nil {
				_, err = s.Close(ctx)
			}
		}
	case 7:
		_, err = e.Request(ctx, handoff.Request{Conversation: a, Queue: "support", ID: b, Note: c, Priority: int(n), Skills: []handoff.Skill{{Name: b, Level: int(n)}}})
	case 8:
		_, err = e.Request(ctx, handoff.Request{Turn: turn, Queue: a, Language: b, Preferred: c})
	case 9:
		_, err = e.Request(ctx, handoff.Request{
			Turn: turn, Queue: "form", Tags: []string{a, b}, Data: map[string]string{a: b},
			History: []handoff.Past{{ID: a, Text: b, At: time.UnixMilli(n)}},
		})
		if err == nil {
			_, err = e.Answer(ctx, "c1", handoff.Response{Field: a, Value: b, ID: c})
		}
	case 10:
		_, err = e.Answer(ctx, a, handoff.Response{Field: b, Value: c})
	case 11:
		_, err = e.Cancel(ctx, a, n > 0)
	case 12:
		_, err = e.LeaveMessage(ctx, id, b, map[string]string{c: b})
	case 13:
		_, err = e.Rate(ctx, id, int(n), b)
	case 14:
		_, err = e.Accept(ctx, id, who, n)
	case 15:
		_, err = e.Decline(ctx, id, who, n, c)
	case 16:
		_, err = e.Send(ctx, id, who, m)
	case 17:
		_, err = e.Join(ctx, id, who, m)
	case 18:
		_, err = e.Note(ctx, id, who, c)
	case 19:
		_, err = e.Whisper(ctx, id, who, c)
	case 20:
		_, err = e.Tag(ctx, id, who, []string{b}, []string{c})
	case 21:
		_, err = e.Hold(ctx, id, who, c)
	case 22:
		_, err = e.Resume(ctx, id, who)
	case 23:
		_, err = e.Extend(ctx, id, who, time.Duration(n))
	case 24:
		_, err = e.Transfer(ctx, id, who, handoff.Target{Agent: a, Queue: b, Note: c, Warm: n%2 == 0})
	case 25:
		if n%2 == 0 {
			_, err = e.TakeBack(ctx, id, who, n)
			break
		}
		_, err = e.Requeue(ctx, id, who, c)
	case 26:
		_, err = e.Return(ctx, id, who, c)
	case 27:
		_, err = e.End(ctx, id, who, handoff.Ending{Reason: c, StayOut: time.Duration(n)})
	case 28:
		_, err = e.TakeOver(ctx, id, who, c)
	case 29:
		_, err = e.Assign(ctx, id, handoff.BySupervisor(b), c)
	case 30:
		err = e.Typing(ctx, id, who, true)
	case 31:
		_, err = e.List(ctx, handoff.Query{Conversation: a, Queue: b, Tag: c, Limit: int(n), From: time.UnixMilli(n)})
	case 32:
		_, err = e.Log(ctx, id, n, int(n))
	case 33:
		_, err = e.Explain(ctx, id)
	case 34:
		err = e.Erase(ctx, a)
	case 35:
		_, err = e.Availability(ctx, handoff.Need{Queue: a, Language: b, Preferred: c})
	}
	return err
}

// FuzzConfig builds engines from anything: it works or every problem names its
// field.
func FuzzConfig(f *testing.F) {
	f.Add("support", "second", "bot", int64(time.Second), int64(-1), 3)
	f.Add("", "\x00", "push", int64(-2), int64(1<<62), -1)
	f.Fuzz(func(t *testing.T, name, other, style string, d1, d2 int64, n int) {
		d, d2d := time.Duration(d1), time.Duration(d2)
		c := handoff.Config{
			Store: memstore.New(), Directory: handoff.Staff{}, BotTimeout: d, BotIdle: d2d, KeepEnded: d, Poll: d, Sweep: d2d, Workers: n,
			SendTries: n, BotQueue: other, StoreDown: handoff.StoreDown(style),
			Queues: []handoff.Queue{
				{
					Name: name, Style: handoff.Style(style), OfferTimeout: d, Ageing: d2d, MaxWaiting: n, IdleTimeout: d, IdleWarning: d2d,
					Ladder: []handoff.Rung{{After: d, Do: handoff.Action(style)}, {After: d2d, Do: handoff.Overflow, Queue: other}},
					Intake: &handoff.Form{Fields: []handoff.Field{{Name: other, Kind: handoff.FieldKind(style), Max: n}}},
				},
				{Name: other, Providers: []string{style}[:n&1]},
			},
		}
		_, err := handoff.New(c)
		var all *handoff.ConfigError
		if err == nil {
			return
		}
		if !errors.As(err, &all) || len(all.Problems) == 0 {
			t.Fatalf("not a *ConfigError: %v", err)
		}
		for _, p := range all.Problems {
			var no *handoff.InvalidError
			if !errors.As(p, &no) || no.Field == "" {
				t.Errorf("no field: %v", p)
			}
		}
	})
}
