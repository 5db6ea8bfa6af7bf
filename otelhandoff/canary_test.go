package otelhandoff_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
	"github.com/seed-2a427302/handoff/otelhandoff"
	"github.com/seed-2a427302/handoff/trigger"
)

// A quoter is everything around an engine that answers: a platform, a receiver
// of webhooks, a customer system, models, a redactor. Its errors quote what it
// was given.
type quoter struct {
	mu       sync.Mutex
	called   map[string]int
	attempts []string
	keep     automate.Rules
	kept     []automate.Rule
}

// quotes returns an error that quotes what a call was about, and how many
// there were.
func (q *quoter) quotes(op string, about ...any) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.called[op]++
	b, err := json.Marshal(about)
	return q.called[op], errors.Join(errors.New("cannot "+op+" "+string(b)+canary), err)
}

// other fails as quotes does, every other time.
func (q *quoter) other(op string, about ...any) error {
	if n, err := q.quotes(op, about...); n%2 == 1 {
		return err
	}
	return nil
}

// always fails as quotes does.
func (q *quoter) always(op string, about ...any) error {
	_, err := q.quotes(op, about...)
	return err
}

func (q *quoter) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{Name: "vendor", Custody: handoff.CustodyQueue}
}

func (q *quoter) Open(_ context.Context, o handoff.Opening) (handoff.Session, error) {
	n, err := q.quotes("open", o.Transcript, o.Note)
	if n == 1 {
		return handoff.Session{}, &handoff.ProviderError{Op: "open", Status: 503, Code: canary, Retryable: true, Err: err}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.attempts = append(q.attempts, o.Attempt)
	return handoff.Session{Reference: "ref-" + canary + o.Attempt, State: []byte(canary)}, nil
}

func (q *quoter) Send(_ context.Context, _ handoff.Session, m handoff.ProviderMessage) error {
	return q.other("send", m)
}

func (q *quoter) Close(context.Context, handoff.Session, handoff.Reason) error {
	return q.always("close")
}

func (q *quoter) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{}, q.always("receive")
}

func (q *quoter) Ticket(_ context.Context, _ handoff.Handoff, text, id string) (string, error) {
	if err := q.other("ticket", text); err != nil {
		return "", &handoff.ProviderError{Op: "ticket", Code: canary, Retryable: true, Err: err}
	}
	return canary + id, nil
}

func (q *quoter) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, q.always("webhook", r.URL.String())
}

func (q *quoter) Find(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
	if err := q.other("find", who); err != nil {
		return nil, err
	}
	return []handoff.Customer{{ID: canary, Name: canary, Fields: []handoff.CustomerField{{Label: canary, Value: canary}}}}, nil
}

func (q *quoter) Messages(context.Context, string) ([]handoff.Past, error) {
	if err := q.other("history"); err != nil {
		return nil, err
	}
	return []handoff.Past{{ID: "past-" + canary, Text: canary, At: time.Now().Add(-time.Hour)}}, nil
}

func (q *quoter) redact(_ context.Context, c handoff.Content) (handoff.Content, error) {
	if n, err := q.quotes("redact", c.Text, c.Data); n%7 == 0 {
		return c, err
	}
	return c, nil
}

// closed hours never open.
type closed struct{}

func (closed) At(time.Time) (bool, time.Time) { return false, time.Time{} }

// form asks for something of each kind.
func form() *handoff.Form {
	return &handoff.Form{Fields: []handoff.Field{
		{Name: "what", Label: canary, Required: true}, {Name: "mail", Kind: handoff.FieldMail}, {Name: "phone", Kind: handoff.FieldPhone},
	}}
}

// canaryNumber is a number that a user gives.
const canaryNumber = "+49 471 147 11"

// service is a Config with everything that a service has.
func (q *quoter) service(t *testing.T, o otelhandoff.Options, rules *automate.Automations) func(*handoff.Config) {
	t.Helper()
	return func(c *handoff.Config) {
		hooks, err := otelhandoff.New(o)
		require.NoError(t, err)
		c.Hooks = hooks
		c.Escalation.Queue = "support"
		c.Escalation.Triggers, err = trigger.New(trigger.Config{Phrases: []trigger.Phrase{{Text: canary + " phrase"}}})
		require.NoError(t, err)
		c.Providers, c.CRM, c.History, c.Redact = []handoff.Provider{q}, q, q, q.redact
		c.Summariser = handoff.SummariserFunc(func(_ context.Context, _ handoff.Handoff, s handoff.Transcript) (string, error) {
			return "", q.always("sum up", s)
		})
		c.Suggester = handoff.SuggesterFunc(func(_ context.Context, _ handoff.Handoff, s handoff.Transcript) ([]string, error) {
			panic(q.always("suggest", s))
		})
		c.Rooms = handoff.RoomLinks{Template: "https://meet.example.com/" + canary + "/{room}", Secret: []byte(canary + canary)}
		c.Sinks = map[string]handoff.Sink{
			"automations": rules,
			"archive":     handoff.SinkFunc(func(_ context.Context, _ *handoff.Handoff, en *handoff.Entry) error { return q.always("archive", en) }),
		}
		c.Channel = handoff.ChannelFunc(func(_ context.Context, _ string, m handoff.UserMessage) error {
			if n, err := q.quotes("show", m); n%3 == 0 {
				return &handoff.DeliveryError{Permanent: true, Code: canary, Err: err}
			}
			return nil
		})
		c.Bot = handoff.BotFunc(func(_ context.Context, call handoff.BotCall) error {
			if err := q.other("call", call.Note, call.Summary, call.Human); err != nil {
				return err
			}
			panic(canary)
		})
		c.BotTimeout, c.SendTries, c.Poll, c.Sweep = time.Hour, 3, 20*time.Second, 5*time.Minute
		left := handoff.Absence{Tell: true, Ticket: true, Form: &handoff.Form{Fields: []handoff.Field{{Name: "left", Label: canary}}}}
		later := []handoff.Rung{{After: 4 * time.Hour, Do: handoff.ToBot}}
		c.Queues = []handoff.Queue{
			{
				Name: "support", Alias: canary, Tickets: "vendor", Ladder: later, IdleTimeout: handoff.Never, Alert: time.Minute,
				OfferTimeout: time.Hour, AskRating: handoff.AskAtEnd, Intake: form(), Offline: left, CloseReasons: []string{canary}, Wrapup: time.Minute,
			},
			{Name: "vendor", Providers: []string{"vendor"}},
			{Name: "shut", Hours: closed{}, Tickets: "vendor", Offline: left},
		}
	}
}

// rules does everything that a rule can do, with the canary in all of it.
func (q *quoter) rules(t *testing.T) *automate.Automations {
	t.Helper()
	three := 3
	// Put would refuse the last one, which is left out: both are put past it, as
	// another build may have done.
	q.kept = []automate.Rule{{
		Name: "came " + canary, On: []handoff.Kind{handoff.KindEnqueued, handoff.KindJoined, handoff.KindMissed, handoff.KindRated, handoff.KindNote},
		Button: canary, If: automate.Condition{NoTags: []string{"no " + canary}},
		Do: []automate.Action{
			{Note: canary + " {user} {rating}"},
			{Tag: []string{canary}},
			{Priority: &three},
			{Ticket: canary + " {user}"},
			{Webhook: "https://hooks.example.com/" + canary},
			{Transfer: &handoff.Target{Agent: canary, Note: canary}},
		},
	}, {
		Name: "left out " + canary, On: []handoff.Kind{handoff.KindJoined},
		Do: []automate.Action{{Notice: canary}, {Transfer: &handoff.Target{Queue: canary, Note: canary}}},
	}}
	q.keep = automate.NewRules()
	a, err := automate.New(nil, automate.Options{Secret: []byte(canary + canary), Client: &http.Client{Transport: q}, Keep: q.keep})
	require.NoError(t, err)
	return a
}

// visits plays a service for one user, with the canary in every field, and
// returns the errors of verbs.
func (q *quoter) visits(t *testing.T, r *handofftest.Rig, rules *automate.Automations) (errs []error) {
	t.Helper()
	const c = "c-" + canary
	ann := handoff.By("ann-" + canary)
	require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: ann.ID, Name: canary, Alias: canary, Seats: 5, Video: true, Queues: []string{"support"}}))
	user := &handoff.Contact{ID: "u-" + canary, Name: canary, Mail: canary + "@example.com", Phone: canary, Attributes: map[string]string{canary: canary}}
	must := func(err error) { t.Helper(); require.NoError(t, err) }
	verb := func(err error) { errs = append(errs, err) }
	say := func(id, text string) handoff.Turn {
		t.Helper()
		turn, err := r.Receive(r.Ctx, handoff.Incoming{
			Conversation: c, ID: id + canary, Text: text, User: user, URL: "https://example.com/" + canary, Channel: canary, Language: "en-x-" + canary,
			Files: []handoff.File{{Name: canary, URL: canary, Ref: canary, Type: canary}}, Payload: json.RawMessage(`"` + canary + `"`),
		})
		must(err)
		return turn
	}
	_, err := r.Reply(r.Ctx, say("m1", canary), handoff.Message{Text: canary})
	must(err)
	turn := say("m2", canary)
	s, err := r.Stream(r.Ctx, turn, canary)
	must(err)
	must(s.Write(r.Ctx, canary))
	_, err = s.Close(r.Ctx)
	must(err)
	verb(r.Fail(r.Ctx, say("m3", canary), canary))
	out, err := r.Request(r.Ctx, handoff.Request{
		Turn: say("m4", canary), Queue: "support", Note: canary, Summary: canary, Reason: canary, Flags: []string{canary}, Tags: []string{canary}, ID: canary,
		Data: map[string]string{canary: canary}, Answers: map[string]string{canary: canary}, Exclude: []string{canary}, Channel: canary, URL: canary,
		Locale: canary, User: user,
	})
	must(err)
	id := out.Handoff.ID
	for _, a := range []handoff.Response{
		{Field: "mail", Value: canary}, {Field: canary, Value: canary}, {Field: "phone", Value: canary}, {Field: "what", Value: canary + "\x00"},
	} {
		_, err = r.Answer(r.Ctx, c, a)
		require.Error(t, err)
		verb(err)
	}
	for _, a := range []handoff.Response{{Field: "what", Value: canary}, {Field: "mail", Value: canary + "@example.com"}, {Field: "phone", Value: canaryNumber}} {
		_, err = r.Answer(r.Ctx, c, a)
		must(err)
	}
	_, err = r.CallBack(r.Ctx, c, handoff.Callback{Phone: canary})
	verb(err)
	_, err = r.CallBack(r.Ctx, c, handoff.Callback{Phone: canaryNumber, When: canary})
	must(err)
	r.Sleep(2 * time.Minute)

	must(r.Floor.Online(r.Ctx, ann.ID))
	r.Wait()
	h := r.Now(id)
	offer, there := h.Offer(ann.ID)
	require.True(t, there)
	_, err = r.Decline(r.Ctx, id, handoff.By(canary), offer.Number, canary)
	verb(err)
	_, err = r.Accept(r.Ctx, id, ann, offer.Number)
	must(err)
	q.works(t, r, id, ann, rules, verb)
	_, err = r.Rate(r.Ctx, id, 1, canary)
	must(err)
	_, err = r.LeaveMessage(r.Ctx, id, canary, map[string]string{canary: canary})
	must(err)

	// A platform, a closed queue, triggers.
	_, err = r.Request(r.Ctx, handoff.Request{Conversation: "p-" + canary, Queue: "vendor", User: user, Note: canary})
	must(err)
	r.Sleep(time.Minute)
	attempt := q.attempts[len(q.attempts)-1]
	for _, kind := range []handoff.ProviderEventKind{handoff.EventJoined, handoff.EventMessage, handoff.EventNote, canary, handoff.EventEnded} {
		verb(r.Deliver(r.Ctx, "vendor", handoff.ProviderEvent{
			ID: string(kind), Attempt: attempt, Reference: "ref-" + canary + attempt, Kind: kind, Text: canary, MessageID: string(kind),
			Agent: handoff.Party{ID: canary, Name: canary},
		}))
		_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: "p-" + canary, ID: "p" + string(kind), Text: canary})
		must(err)
		r.Sleep(time.Second)
	}
	_, err = r.Request(r.Ctx, handoff.Request{Conversation: "q-" + canary, Queue: "vendor", User: user})
	must(err)
	r.Sleep(time.Minute)
	_, err = r.Cancel(r.Ctx, "q-"+canary, true)
	must(err)
	_, err = r.Webhook(r.Ctx, "vendor", handoff.Webhook{Body: []byte(canary)})
	verb(err)
	_, err = r.Request(r.Ctx, handoff.Request{Conversation: "s-" + canary, Queue: "shut", User: user})
	verb(err)
	_, err = r.Answer(r.Ctx, "s-"+canary, handoff.Response{Value: canary})
	must(err)
	verb(func() error {
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: canary, Queue: canary})
		return err
	}())
	_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: "t-" + canary, ID: canary, Text: "get me a human, " + canary + " phrase", User: user})
	must(err)
	must(r.Floor.Offline(r.Ctx, ann.ID))
	r.Sleep(5 * time.Hour) // all is tried, given up and over
	_, err = history.Erase(r.Ctx, r.Engine, history.Scope{User: user.ID})
	verb(err)
	return errs
}

// works is the agent's part.
func (q *quoter) works(t *testing.T, r *handofftest.Rig, id handoff.ID, ann handoff.Actor, rules *automate.Automations, verb func(error)) {
	t.Helper()
	ok := func(err error) { t.Helper(); require.NoError(t, err) }
	for range 2 {
		_, err := r.Customers(r.Ctx, id)
		verb(err)
	}
	_, err := r.Suggest(r.Ctx, id)
	verb(err)
	replies, err := canned.New(canned.Reply{Name: canary, Category: canary, Text: canary + " {user}"})
	ok(err)
	list, err := replies.List(r.Ctx)
	ok(err)
	_, err = r.Send(r.Ctx, id, ann, handoff.Message{ID: canary, Text: list[0].Text, Payload: json.RawMessage(`"` + canary + `"`)})
	ok(err)
	for _, f := range []func() error{
		func() error { _, err := r.Note(r.Ctx, id, ann, canary); return err },
		func() error { _, err := r.Whisper(r.Ctx, id, handoff.BySupervisor(canary), canary); return err },
		func() error {
			_, err := r.Join(r.Ctx, id, handoff.BySupervisor(canary), handoff.Message{Text: canary})
			return err
		},
		func() error { _, err := r.Tag(r.Ctx, id, ann, []string{canary + "2"}, []string{canary}); return err },
		func() error { _, err := r.Hold(r.Ctx, id, ann, canary); return err },
		func() error { _, err := r.Resume(r.Ctx, id, ann); return err },
		func() error { _, err := r.Video(r.Ctx, id, ann); return err },
		func() error { _, err := r.Ticket(r.Ctx, id, ann, canary); return err },
		func() error {
			_, err := r.Notify(r.Ctx, id, ann, canary, map[string]string{canary: canary})
			return err
		},
		func() error {
			_, err := r.Transfer(r.Ctx, id, ann, handoff.Target{Agent: canary, Note: canary})
			return err
		},
		func() error { _, err := r.Summary(r.Ctx, id); return err },
		func() error { return rules.Run(r.Ctx, "came "+canary, id, ann.Once(canary)) },
		func() error { return r.Typing(r.Ctx, id, ann, true) },
		func() error { return r.UserTyping(r.Ctx, id.Conversation, true) },
		func() error { _, err := r.Search(r.Ctx, handoff.Query{Tag: canary}, canary); return err },
	} {
		verb(f())
	}
	_, err = r.End(r.Ctx, id, ann, handoff.Ending{Reason: canary})
	ok(err)
	r.Sleep(2 * time.Minute)
}

// Nothing that anybody said, typed in, is called or is known by, nor an error
// that quotes it, stands in a metric, a span or what a collection reports: not
// in a name, an attribute, an event, a link or a status. Attributes have the
// words of the Config and of this package.
func TestCanary(t *testing.T) {
	s := newSDK()
	o := s.options()
	q := &quoter{called: map[string]int{}}
	rules := q.rules(t)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		rules.Use(r.Engine)
		for _, rule := range q.kept {
			require.NoError(t, q.keep.Put(r.Ctx, rule))
		}
		stop, err := otelhandoff.Observe(o, r.Engine, "support", "vendor", "shut")
		require.NoError(t, err)
		defer func() { require.NoError(t, stop()) }()
		errs := q.visits(t, r, rules)
		for _, op := range []string{
			"open", "send", "close", "receive", "ticket", "webhook", "find", "history", "redact", "sum up", "suggest", "archive", "show", "call",
		} {
			require.Positive(t, q.called[op], op)
		}
		failed := 0
		for _, err := range errs {
			if err != nil {
				failed++
			}
		}
		require.Greater(t, failed, 8)

		// A queue that cannot be read: what the SDK is told goes to its log.
		metrics, err := json.Marshal(s.collect(t))
		require.NoError(t, err)
		clean(t, "a metric", string(metrics))
		r.Store.Plan(func(string, handoff.ID) handofftest.Fault { return handofftest.Fault{Before: q.always("read")} })
		_, err = s.gather(t)
		r.Store.Plan(nil)
		require.Error(t, err)
		clean(t, "the error of a collection", err.Error())
	}, q.service(t, o, rules))

	ended := s.spans.Ended()
	require.NotEmpty(t, ended)
	values := map[string]bool{}
	for _, sp := range tracetest.SpanStubsFromReadOnlySpans(ended) {
		b, err := json.Marshal(sp)
		require.NoError(t, err)
		clean(t, "a span", string(b))
		require.Empty(t, sp.Events)
		require.Empty(t, sp.Links)
		values[sp.Name] = true
		for _, kv := range sp.Attributes {
			if kv.Key != "handoff.number" {
				values[string(kv.Key)+"="+kv.Value.String()] = true
			}
		}
	}
	require.Less(t, len(values), 150, "what is named is bounded by the Config")
	for _, name := range []string{
		"handoff store.commit", "handoff deliver.channel", "handoff deliver.packet", "handoff deliver.sink/automations",
		"handoff deliver.provider/vendor", "handoff deliver.ticket/vendor", "handoff provider.open", "handoff model.suggest", "handoff model.summarise", "handoff crm",
	} {
		require.True(t, values[name], name)
	}
}

// clean fails where a text has the canary, as it is or in base64.
func clean(t *testing.T, where, text string) {
	t.Helper()
	for _, mark := range []string{canary, "Q0FOQVJZ", "471 147"} {
		if i := strings.Index(text, mark); i >= 0 {
			t.Fatalf("%s has %s: %s", where, mark, text[max(0, i-200):min(len(text), i+100)])
		}
	}
}
