package handoff_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// Bad input: each is a typed error that names the field, nothing is stored, and
// nothing panics.

// huge is more than any field takes.
var huge = strings.Repeat("x", 1<<20)

// badIDs are no ids and no names.
var badIDs = map[string]string{
	"1 MB": huge, "NUL": "a\x00b", "not UTF-8": "a\xff", "newline": "a\nb", "delete": "a\x7f",
}

// badTexts are no texts. An empty one may be.
var badTexts = map[string]string{"1 MB": huge, "NUL": "a\x00b", "not UTF-8": "\xc3\x28"}

// An input is a place where a caller puts something, with what a bad one does.
type input struct {
	name  string // that the error must name
	kind  string // id: required; name: may be empty; text
	under func(r *handofftest.Rig, bad string) error
}

func actor(role handoff.Role, id, op string) handoff.Actor {
	return handoff.Actor{Role: role, ID: id, Op: op}
}

// chat1 is the handoff that the fields below are tried on.
var chat1 = handoff.ID{Conversation: "c1", Number: 1}

// requestField tries one field of a Request.
func requestField(name, kind string, set func(q *handoff.Request, bad string)) input {
	return input{"Request." + name, kind, func(r *handofftest.Rig, bad string) error {
		q := handoff.Request{Conversation: "c9", Queue: "support"}
		set(&q, bad)
		_, err := r.Request(r.Ctx, q)
		return err
	}}
}

// incomingField tries one field of an Incoming.
func incomingField(name, kind string, set func(in *handoff.Incoming, bad string)) input {
	return input{"Incoming." + name, kind, func(r *handofftest.Rig, bad string) error {
		in := handoff.Incoming{Conversation: "c9", ID: "m", Text: "hello"}
		set(&in, bad)
		_, err := r.Receive(r.Ctx, in)
		return err
	}}
}

// byActor tries the actor of every verb that has one.
func byActor() (out []input) {
	ann := "ann"
	verbs := map[string]func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error{
		"Accept": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Accept(r.Ctx, id, a, 1)
			return err
		},
		"Decline": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Decline(r.Ctx, id, a, 1, "")
			return err
		},
		"Send": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Send(r.Ctx, id, a, handoff.Message{Text: "x"})
			return err
		},
		"Join": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Join(r.Ctx, id, a, handoff.Message{Text: "x"})
			return err
		},
		"Note": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Note(r.Ctx, id, a, "x")
			return err
		},
		"Whisper": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Whisper(r.Ctx, id, a, "x")
			return err
		},
		"Tag": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Tag(r.Ctx, id, a, []string{"x"}, nil)
			return err
		},
		"Hold": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Hold(r.Ctx, id, a, "")
			return err
		},
		"Resume": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Resume(r.Ctx, id, a)
			return err
		},
		"Extend": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Extend(r.Ctx, id, a, 1)
			return err
		},
		"Transfer": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Transfer(r.Ctx, id, a, handoff.Target{Queue: "support"})
			return err
		},
		"TakeBack": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.TakeBack(r.Ctx, id, a, 1)
			return err
		},
		"Requeue": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Requeue(r.Ctx, id, a, "")
			return err
		},
		"Return": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.Return(r.Ctx, id, a, "")
			return err
		},
		"End": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.End(r.Ctx, id, a, handoff.Ending{})
			return err
		},
		"TakeOver": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error {
			_, err := r.TakeOver(r.Ctx, id, a, "")
			return err
		},
		"Typing": func(r *handofftest.Rig, id handoff.ID, a handoff.Actor) error { return r.Typing(r.Ctx, id, a, true) },
	}
	for _, call := range verbs {
		out = append(out,
			input{"ID.Conversation", "id", func(r *handofftest.Rig, bad string) error {
				return call(r, handoff.ID{Conversation: bad, Number: 1}, handoff.By(ann))
			}},
			input{"Actor.ID", "id", func(r *handofftest.Rig, bad string) error { return call(r, chat1, handoff.By(bad)) }},
			input{"Actor.Op", "name", func(r *handofftest.Rig, bad string) error { return call(r, chat1, handoff.By(ann).Once(bad)) }},
			input{"Actor.Role", "id", func(r *handofftest.Rig, bad string) error { return call(r, chat1, actor(handoff.Role(bad), ann, "")) }},
		)
	}
	return out
}

// conversations tries the conversation of every verb that has one, and the ID
// of those that only read.
func conversations() (out []input) {
	for _, call := range []func(r *handofftest.Rig, c string) error{
		func(r *handofftest.Rig, c string) error {
			_, err := r.Say(r.Ctx, c, handoff.Message{Text: "x"})
			return err
		},
		func(r *handofftest.Rig, c string) error {
			_, err := r.Answer(r.Ctx, c, handoff.Response{Value: "x"})
			return err
		},
		func(r *handofftest.Rig, c string) error { _, err := r.Cancel(r.Ctx, c, false); return err },
		func(r *handofftest.Rig, c string) error { _, err := r.Latest(r.Ctx, c); return err },
		func(r *handofftest.Rig, c string) error { _, err := r.Open(r.Ctx, c); return err },
		func(r *handofftest.Rig, c string) error { return r.Erase(r.Ctx, c) },
		func(r *handofftest.Rig, c string) error {
			_, err := r.CallBack(r.Ctx, c, handoff.Callback{Phone: "123"})
			return err
		},
		func(r *handofftest.Rig, c string) error { _, err := r.AskForVideo(r.Ctx, c); return err },
		func(r *handofftest.Rig, c string) error {
			return firstOf(r, func(ctx context.Context) iter.Seq2[handoff.UserMessage, error] {
				return r.FollowUser(ctx, c, handoff.UserCursor{})
			})
		},
	} {
		out = append(out, input{"conversation", "id", call})
	}
	for _, call := range []func(r *handofftest.Rig, id handoff.ID) error{
		func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Get(r.Ctx, id); return err },
		func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Place(r.Ctx, id); return err },
		func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Log(r.Ctx, id, 0, 1); return err },
		func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Explain(r.Ctx, id); return err },
		func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Transcript(r.Ctx, id); return err },
		func(r *handofftest.Rig, id handoff.ID) error { _, err := r.Rate(r.Ctx, id, 1, ""); return err },
		func(r *handofftest.Rig, id handoff.ID) error {
			_, err := r.LeaveMessage(r.Ctx, id, "x", nil)
			return err
		},
		func(r *handofftest.Rig, id handoff.ID) error {
			return firstOf(r, func(ctx context.Context) iter.Seq2[handoff.Entry, error] { return r.Follow(ctx, id, 0) })
		},
	} {
		out = append(out, input{"ID.Conversation", "id", func(r *handofftest.Rig, bad string) error {
			return call(r, handoff.ID{Conversation: bad, Number: 1})
		}})
	}
	return out
}

// firstOf returns the first error that a sequence yields within a second.
func firstOf[T any](r *handofftest.Rig, follow func(context.Context) iter.Seq2[T, error]) error {
	ctx, cancel := context.WithTimeout(r.Ctx, time.Second)
	defer cancel()
	for _, err := range follow(ctx) {
		return err
	}
	return nil
}

func messages() (out []input) {
	ann := handoff.By("ann")
	for _, call := range []func(r *handofftest.Rig, m handoff.Message) error{
		func(r *handofftest.Rig, m handoff.Message) error { _, err := r.Send(r.Ctx, chat1, ann, m); return err },
		func(r *handofftest.Rig, m handoff.Message) error { _, err := r.Join(r.Ctx, chat1, ann, m); return err },
		func(r *handofftest.Rig, m handoff.Message) error { _, err := r.Say(r.Ctx, "c2", m); return err },
		func(r *handofftest.Rig, m handoff.Message) error {
			t, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c3", ID: "new", Text: "x"})
			if err != nil {
				return err
			}
			_, err = r.Reply(r.Ctx, t, m)
			return err
		},
	} {
		out = append(out,
			input{"Message.Text", "text!", func(r *handofftest.Rig, bad string) error { return call(r, handoff.Message{Text: bad}) }},
			input{"Message.ID", "name", func(r *handofftest.Rig, bad string) error { return call(r, handoff.Message{ID: bad, Text: "x"}) }},
			input{"Message.Files.Name", "text", func(r *handofftest.Rig, bad string) error {
				return call(r, handoff.Message{Files: []handoff.File{{Name: bad}}})
			}},
			input{"Message.Files.URL", "text", func(r *handofftest.Rig, bad string) error {
				return call(r, handoff.Message{Files: []handoff.File{{URL: bad}}})
			}},
			input{"Message.Payload", "text", func(r *handofftest.Rig, bad string) error {
				return call(r, handoff.Message{Text: "x", Payload: json.RawMessage(bad)})
			}},
		)
	}
	return out
}

func others() []input {
	ann := handoff.By("ann")
	return []input{
		incomingField("Conversation", "id", func(in *handoff.Incoming, bad string) { in.Conversation = bad }),
		incomingField("ID", "id", func(in *handoff.Incoming, bad string) { in.ID = bad }),
		incomingField("Text", "text!", func(in *handoff.Incoming, bad string) { in.Text = bad }),
		incomingField("Payload", "text", func(in *handoff.Incoming, bad string) { in.Payload = json.RawMessage(bad) }),
		incomingField("User.ID", "name", func(in *handoff.Incoming, bad string) { in.User = &handoff.Contact{ID: bad} }),
		incomingField("User.Mail", "text", func(in *handoff.Incoming, bad string) { in.User = &handoff.Contact{Mail: bad} }),
		incomingField("User.Attributes", "text", func(in *handoff.Incoming, bad string) {
			in.User = &handoff.Contact{Attributes: map[string]string{"k": bad}}
		}),
		incomingField("User.Attributes", "id", func(in *handoff.Incoming, bad string) {
			in.User = &handoff.Contact{Attributes: map[string]string{bad: "v"}}
		}),
		incomingField("Language", "name", func(in *handoff.Incoming, bad string) { in.Language = bad }),
		incomingField("Channel", "name", func(in *handoff.Incoming, bad string) { in.Channel = bad }),
		incomingField("URL", "text", func(in *handoff.Incoming, bad string) { in.URL = bad }),
		requestField("Conversation", "id", func(q *handoff.Request, bad string) { q.Conversation = bad }),
		requestField("Queue", "id", func(q *handoff.Request, bad string) { q.Queue = bad }),
		requestField("Skills.Name", "id", func(q *handoff.Request, bad string) { q.Skills = []handoff.Skill{{Name: bad}} }),
		requestField("Language", "name", func(q *handoff.Request, bad string) { q.Language = bad }),
		requestField("Preferred", "name", func(q *handoff.Request, bad string) { q.Preferred = bad }),
		requestField("Exclude", "id", func(q *handoff.Request, bad string) { q.Exclude = []string{bad} }),
		requestField("Reason", "name", func(q *handoff.Request, bad string) { q.Reason = handoff.Reason(bad) }),
		requestField("Flags", "id", func(q *handoff.Request, bad string) { q.Flags = []string{bad} }),
		requestField("Tags", "id", func(q *handoff.Request, bad string) { q.Tags = []string{bad} }),
		requestField("Note", "text", func(q *handoff.Request, bad string) { q.Note = bad }),
		requestField("Summary", "text", func(q *handoff.Request, bad string) { q.Summary = bad }),
		requestField("Data", "text", func(q *handoff.Request, bad string) { q.Data = map[string]string{"k": bad} }),
		requestField("Answers", "id", func(q *handoff.Request, bad string) { q.Answers = map[string]string{bad: "v"} }),
		requestField("History.ID", "id", func(q *handoff.Request, bad string) { q.History = []handoff.Past{{ID: bad, Text: "x"}} }),
		requestField("History.Text", "text", func(q *handoff.Request, bad string) { q.History = []handoff.Past{{ID: "p", Text: bad}} }),
		requestField("Channel", "name", func(q *handoff.Request, bad string) { q.Channel = bad }),
		requestField("Locale", "name", func(q *handoff.Request, bad string) { q.Locale = bad }),
		requestField("URL", "text", func(q *handoff.Request, bad string) { q.URL = bad }),
		requestField("ID", "name", func(q *handoff.Request, bad string) { q.ID = bad }),
		{"Need.Queue", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Availability(r.Ctx, handoff.Need{Queue: bad})
			return err
		}},
		{"Response.Field", "name", func(r *handofftest.Rig, bad string) error {
			_, err := r.Answer(r.Ctx, "c1", handoff.Response{Field: bad, Value: "x"})
			return err
		}},
		{"Response.Value", "text", func(r *handofftest.Rig, bad string) error {
			_, err := r.Answer(r.Ctx, "c1", handoff.Response{Value: bad})
			return err
		}},
		{"text", "text!", func(r *handofftest.Rig, bad string) error {
			_, err := r.LeaveMessage(r.Ctx, chat1, bad, nil)
			return err
		}},
		{"Callback.Phone", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.CallBack(r.Ctx, "c1", handoff.Callback{Phone: bad})
			return err
		}},
		{"Callback.When", "text", func(r *handofftest.Rig, bad string) error {
			_, err := r.CallBack(r.Ctx, "c1", handoff.Callback{Phone: "123", When: bad})
			return err
		}},
		{"key", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Notify(r.Ctx, chat1, ann, bad, nil)
			return err
		}},
		{"data", "text", func(r *handofftest.Rig, bad string) error {
			_, err := r.Notify(r.Ctx, chat1, ann, handoff.NoticeQuestion, map[string]string{"label": bad})
			return err
		}},
		{"data", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Notify(r.Ctx, chat1, ann, handoff.NoticeQuestion, map[string]string{bad: "x"})
			return err
		}},
		{"text", "text", func(r *handofftest.Rig, bad string) error { _, err := r.Ticket(r.Ctx, chat1, ann, bad); return err }},
		{"comment", "text", func(r *handofftest.Rig, bad string) error { _, err := r.Rate(r.Ctx, chat1, 5, bad); return err }},
		{"text", "text!", func(r *handofftest.Rig, bad string) error { _, err := r.Note(r.Ctx, chat1, ann, bad); return err }},
		{"text", "text!", func(r *handofftest.Rig, bad string) error { _, err := r.Whisper(r.Ctx, chat1, ann, bad); return err }},
		{"add", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Tag(r.Ctx, chat1, ann, []string{bad}, nil)
			return err
		}},
		{"remove", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Tag(r.Ctx, chat1, ann, nil, []string{bad})
			return err
		}},
		{"why", "text", func(r *handofftest.Rig, bad string) error { _, err := r.Hold(r.Ctx, chat1, ann, bad); return err }},
		{"why", "text", func(r *handofftest.Rig, bad string) error { _, err := r.Decline(r.Ctx, chat1, ann, 1, bad); return err }},
		{"note", "text", func(r *handofftest.Rig, bad string) error { _, err := r.Requeue(r.Ctx, chat1, ann, bad); return err }},
		{"note", "text", func(r *handofftest.Rig, bad string) error { _, err := r.Return(r.Ctx, chat1, ann, bad); return err }},
		{"Ending.Reason", "text", func(r *handofftest.Rig, bad string) error {
			_, err := r.End(r.Ctx, chat1, ann, handoff.Ending{Reason: bad})
			return err
		}},
		{"Ending.Outcome", "name", func(r *handofftest.Rig, bad string) error {
			_, err := r.End(r.Ctx, chat1, ann, handoff.Ending{Outcome: handoff.Outcome(bad)})
			return err
		}},
		{"Target.Agent", "name", func(r *handofftest.Rig, bad string) error {
			_, err := r.Transfer(r.Ctx, chat1, ann, handoff.Target{Agent: bad, Queue: "support"})
			return err
		}},
		{"Target.Queue", "name", func(r *handofftest.Rig, bad string) error {
			_, err := r.Transfer(r.Ctx, chat1, ann, handoff.Target{Queue: bad, Agent: "bob"})
			return err
		}},
		{"Target.Skills.Name", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Transfer(r.Ctx, chat1, ann, handoff.Target{Skills: []handoff.Skill{{Name: bad}}})
			return err
		}},
		{"Target.Note", "text", func(r *handofftest.Rig, bad string) error {
			_, err := r.Transfer(r.Ctx, chat1, ann, handoff.Target{Queue: "support", Note: bad})
			return err
		}},
		{"agent", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Assign(r.Ctx, chat1, handoff.BySupervisor("s"), bad)
			return err
		}},
		{"agent", "id", func(r *handofftest.Rig, bad string) error { return r.AgentChanged(r.Ctx, bad) }},
		{"queue", "name", func(r *handofftest.Rig, bad string) error { _, err := r.TakeOver(r.Ctx, chat1, ann, bad); return err }},
		{"provider", "id", func(r *handofftest.Rig, bad string) error {
			return r.Deliver(r.Ctx, bad, handoff.ProviderEvent{Kind: handoff.EventEnded})
		}},
		{"provider", "id", func(r *handofftest.Rig, bad string) error {
			_, err := r.Webhook(r.Ctx, bad, handoff.Webhook{})
			return err
		}},
		{"Query.Conversation", "name", func(r *handofftest.Rig, bad string) error {
			_, err := r.List(r.Ctx, handoff.Query{Conversation: bad})
			return err
		}},
		{"Query.Tag", "name", func(r *handofftest.Rig, bad string) error {
			_, err := r.Count(r.Ctx, handoff.Query{Tag: bad})
			return err
		}},
		{"id", "id", func(r *handofftest.Rig, bad string) error {
			t, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c3", ID: "new", Text: "x"})
			if err != nil {
				return err
			}
			_, err = r.Stream(r.Ctx, t, bad)
			return err
		}},
		{"bot", "id", func(r *handofftest.Rig, bad string) error {
			t, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c3", ID: "new", Text: "x"})
			if err != nil {
				return err
			}
			_, err = r.Handover(r.Ctx, t, bad, "")
			return err
		}},
	}
}

func TestInvalidStrings(t *testing.T) {
	var all []input
	for _, list := range [][]input{byActor(), conversations(), messages(), others()} {
		all = append(all, list...)
	}
	desk := &platform{name: "vendor"}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		chat(r, ann, "c1")
		r.Says("c2", "hello")
		r.Says("c3", "hello")
		_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: "c3", ID: "new", Text: "x"})
		require.NoError(t, err)
		r.Sleep(time.Second)
		commits := counting(r)
		for i, f := range all {
			bad := badTexts
			switch f.kind {
			case "id", "text!":
				bad = with(bad, f.kind)
			case "name":
				bad = badIDs
			}
			for what, s := range bad {
				at := fmt.Sprintf("%d: %s with %s", i, f.name, what)
				err := f.under(r, s)
				var no *handoff.InvalidError
				switch {
				case errors.Is(err, handoff.ErrStale) && strings.Contains("id bot Message", strings.Split(f.name, ".")[0]):
					// The message is known, so there is no turn: checked below.
				case assert.ErrorAs(t, err, &no, at):
					assert.Equal(t, f.name, no.Field, at)
					assert.NotEmpty(t, no.Why)
					assert.Less(t, len(err.Error()), 200, "it does not hold what was put in")
				}
			}
		}
		r.Sleep(time.Second)
		require.Zero(t, commits.Load(), "something was stored")
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{desk}
		c.Queues = append(c.Queues, handoff.Queue{Name: "vendor", Providers: []string{"vendor"}})
	})
}

// with returns what is bad for a field that must not be empty.
func with(bad map[string]string, kind string) map[string]string {
	if kind == "id" {
		bad = badIDs
	}
	out := map[string]string{"empty": ""}
	for k, v := range bad {
		out[k] = v
	}
	return out
}

// counting counts the commits from now on.
func counting(r *handofftest.Rig) *atomic.Int64 {
	var n atomic.Int64
	r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
		if op == "Commit" || op == "Erase" || op == "Delete" {
			n.Add(1)
		}
		return handofftest.Fault{}
	})
	return &n
}

func TestInvalidNumbers(t *testing.T) {
	ann := handoff.By("ann")
	many := func(n int) (out []string) {
		for i := range n {
			out = append(out, "s"+strconv.Itoa(i))
		}
		return out
	}
	skills := func(n int) (out []handoff.Skill) {
		for _, s := range many(n) {
			out = append(out, handoff.Skill{Name: s})
		}
		return out
	}
	cases := []struct {
		field string
		call  func(r *handofftest.Rig) error
	}{
		{"ID.Number", func(r *handofftest.Rig) error { _, err := r.Get(r.Ctx, handoff.ID{Conversation: "c1"}); return err }},
		{"ID.Number", func(r *handofftest.Rig) error {
			_, err := r.Get(r.Ctx, handoff.ID{Conversation: "c1", Number: -1})
			return err
		}},
		{"offer", func(r *handofftest.Rig) error { _, err := r.Accept(r.Ctx, chat1, ann, -1); return err }},
		{"offer", func(r *handofftest.Rig) error { _, err := r.Decline(r.Ctx, chat1, ann, -1, ""); return err }},
		{"offer", func(r *handofftest.Rig) error { _, err := r.TakeBack(r.Ctx, chat1, ann, 0); return err }},
		{"offer", func(r *handofftest.Rig) error { _, err := r.TakeBack(r.Ctx, chat1, ann, -1); return err }},
		{"score", func(r *handofftest.Rig) error { _, err := r.Rate(r.Ctx, chat1, 0, ""); return err }},
		{"score", func(r *handofftest.Rig) error { _, err := r.Rate(r.Ctx, chat1, 6, ""); return err }},
		{"by", func(r *handofftest.Rig) error { _, err := r.Extend(r.Ctx, chat1, ann, -time.Second); return err }},
		{"by", func(r *handofftest.Rig) error { _, err := r.Extend(r.Ctx, chat1, ann, 1<<62); return err }},
		{"Ending.StayOut", func(r *handofftest.Rig) error {
			_, err := r.End(r.Ctx, chat1, ann, handoff.Ending{StayOut: -time.Hour})
			return err
		}},
		{"Message.Seen", func(r *handofftest.Rig) error {
			_, err := r.Send(r.Ctx, chat1, ann, handoff.Message{Text: "x", Seen: -1})
			return err
		}},
		{"Message.Files.Size", func(r *handofftest.Rig) error {
			_, err := r.Send(r.Ctx, chat1, ann, handoff.Message{Files: []handoff.File{{Size: -1}}})
			return err
		}},
		{"Message.Files", func(r *handofftest.Rig) error {
			_, err := r.Send(r.Ctx, chat1, ann, handoff.Message{Files: make([]handoff.File, 1000)})
			return err
		}},
		{"Request.Skills", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", Skills: skills(1000)})
			return err
		}},
		{"Request.Skills", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", Skills: append(skills(1), skills(1)...)})
			return err
		}},
		{"Request.Skills.Level", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", Skills: []handoff.Skill{{Name: "x", Level: -1}}})
			return err
		}},
		{"Target.Skills", func(r *handofftest.Rig) error {
			_, err := r.Transfer(r.Ctx, chat1, ann, handoff.Target{Skills: skills(1000)})
			return err
		}},
		{"Need.Skills", func(r *handofftest.Rig) error {
			_, err := r.Availability(r.Ctx, handoff.Need{Queue: "support", Skills: skills(1000)})
			return err
		}},
		{"Request.Flags", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", Flags: many(1000)})
			return err
		}},
		{"Request.History", func(r *handofftest.Rig) error {
			list := make([]handoff.Past, 1000)
			for i := range list {
				list[i] = handoff.Past{ID: talk(i), Text: "x"}
			}
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", History: list})
			return err
		}},
		{"Request.Mode", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", Mode: "telepathy"})
			return err
		}},
		{"Query.Limit", func(r *handofftest.Rig) error { _, err := r.List(r.Ctx, handoff.Query{Limit: -1}); return err }},
		{"after/limit", func(r *handofftest.Rig) error { _, err := r.Log(r.Ctx, chat1, -1, 10); return err }},
		{"after/limit", func(r *handofftest.Rig) error { _, err := r.Log(r.Ctx, chat1, 0, 0); return err }},

		// Unknown things. A skill is unknown when nobody in the directory has it.
		{"Request.Queue", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "suport"})
			return err
		}},
		{"Request.Skills", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", Skills: []handoff.Skill{{Name: "biling"}}})
			return err
		}},
		{"Target.Skills", func(r *handofftest.Rig) error {
			_, err := r.Transfer(r.Ctx, chat1, ann, handoff.Target{Skills: []handoff.Skill{{Name: "biling"}}})
			return err
		}},
		{"Request.Preferred", func(r *handofftest.Rig) error {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c9", Queue: "support", Preferred: "anne"})
			return err
		}},
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		who := r.Hire(handoff.Agent{ID: "ann", Seats: 3, Queues: []string{"support"}, Skills: map[string]int{"billing": 2}})
		chat(r, who, "c1")
		r.Sleep(time.Second)
		commits := counting(r)
		for i, c := range cases {
			err := c.call(r)
			var no *handoff.InvalidError
			if assert.ErrorAs(t, err, &no, "%d: %s", i, c.field) {
				assert.Equal(t, c.field, no.Field, "%d", i)
			}
		}
		r.Sleep(time.Second)
		require.Zero(t, commits.Load())

		// What somebody has is known, at whatever level, and so is what may be
		// dropped.
		for i, s := range []handoff.Skill{{Name: "billing", Level: 9}, {Name: "biling", Optional: true}} {
			_, err := r.Request(r.Ctx, handoff.Request{Conversation: "s" + talk(i), Queue: "support", Skills: []handoff.Skill{s}})
			require.NoError(t, err)
		}
	})
}
