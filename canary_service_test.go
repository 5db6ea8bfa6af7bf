package handoff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// number is what the user gives to be called at.
const number = "+49 815 234 2471"

// outside is a receiver of webhooks that quotes everything it gets when it is
// out of order.
type outside struct {
	calls int
	got   bytes.Buffer
}

func (o *outside) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	o.got.Write(body)
	if o.calls++; o.calls%2 == 1 {
		return nil, errors.New("cannot reach " + r.URL.String() + " with " + string(body) + inside)
	}
	status := http.StatusNoContent
	if o.calls%4 == 0 {
		status = http.StatusBadRequest
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(inside)), Header: http.Header{}, Request: r}, nil
}

// A house is everything around the engine that a service has, each part with a
// mark in it and an error that quotes it.
type house struct {
	logs    logbook
	hooks   logbook
	web     outside
	rules   *automate.Automations
	kept    automate.Rules
	edited  []automate.Rule
	replies *canned.Memory
	figures analytics.Counters
	tickets *ticketing
	errs    []error
}

func newHouse(t *testing.T) *house {
	t.Helper()
	k := &house{tickets: &ticketing{platform: platform{name: "vendor"}, broken: 2, made: map[string]string{}}}
	var err error
	three := 3
	// Put would refuse one of them: they are put past it.
	k.edited = []automate.Rule{
		{
			Name: "came", On: []handoff.Kind{handoff.KindEnqueued, handoff.KindJoined, handoff.KindMissed, handoff.KindRated},
			Do: []automate.Action{
				{Note: inside + " {user} {reason} {rating}"},
				{Tag: []string{inside}},
				{Priority: &three},
				{Notice: handoff.NoticeMessage},
				{Ticket: inside + " {user}"},
				{Transfer: &handoff.Target{Agent: inside}},
			},
		},
		{Name: "left out", On: []handoff.Kind{handoff.KindJoined}, Do: []automate.Action{
			{Notice: "without words " + inside}, {Transfer: &handoff.Target{Queue: inside}}, {Note: inside + " {" + inside + "}"},
		}},
		{Name: "out", On: []handoff.Kind{handoff.KindEnded}, Do: []automate.Action{{Webhook: "https://hooks.example.com/" + inside}}},
		{Name: "by hand", Button: inside, Do: []automate.Action{{Note: inside}, {Webhook: "https://hooks.example.com/" + inside}}},
		{Name: "echo", On: []handoff.Kind{handoff.KindNote}, Do: []automate.Action{{Note: inside}}},
	}
	k.kept = automate.NewRules()
	k.rules, err = automate.New(nil, automate.Options{Secret: []byte(inside + inside), Client: &http.Client{Transport: &k.web}, Keep: k.kept})
	require.NoError(t, err)
	k.replies, err = canned.New(canned.Reply{Name: "hello", Category: inside, Text: canary + " hello {user}, {agent} here", Queue: "support"})
	require.NoError(t, err)
	return k
}

func (k *house) config(c *handoff.Config) {
	note := func(v any) {
		b, err := json.Marshal(v)
		if err == nil {
			_, _ = k.hooks.Write(b)
		}
	}
	c.Logger = slog.New(slog.NewTextHandler(&k.logs, &slog.HandlerOptions{Level: slog.LevelDebug - 100, AddSource: true}))
	c.Hooks = handoff.Hooks{
		Changed:   func(ctx context.Context, ch handoff.Change) { note(ch); k.figures.Hooks().Changed(ctx, ch) },
		Delivered: func(_ context.Context, d handoff.Delivered) { d.Err = nil; note(d) },
		Span: func(ctx context.Context, name string, id handoff.ID) (context.Context, func(error)) {
			note([]any{name, id.Number})
			return ctx, func(error) {}
		},
	}
	c.Sinks = map[string]handoff.Sink{"automations": k.rules}
	c.Providers = []handoff.Provider{k.tickets}
	c.CRM = crmFunc(func(_ context.Context, who handoff.Contact) ([]handoff.Customer, error) {
		if who.ID == "" {
			return nil, errors.New("who?")
		}
		return []handoff.Customer{{ID: inside, Name: inside, Fields: []handoff.CustomerField{{Label: inside, Value: inside}}}}, nil
	})
	quotes := func(h handoff.Handoff, s handoff.Transcript) error { return fmt.Errorf("%s %v %v", inside, h, s) }
	c.Summariser = handoff.SummariserFunc(func(_ context.Context, h handoff.Handoff, s handoff.Transcript) (string, error) {
		return "", quotes(h, s)
	})
	c.Suggester = handoff.SuggesterFunc(func(context.Context, handoff.Handoff, handoff.Transcript) ([]string, error) { panic(inside) })
	c.BotTimeout, c.Poll, c.Sweep = time.Hour, 5*time.Second, time.Minute
	c.Queues = []handoff.Queue{{
		Name: "support", Tickets: "vendor", Ladder: patient(), IdleTimeout: handoff.Never, AskRating: handoff.AskAtEnd, Alert: time.Minute,
		OfferTimeout: time.Hour, PlaceRepeat: handoff.Never,
		Intake: &handoff.Form{Fields: []handoff.Field{
			{Name: "what", Label: "What is it?", Required: true},
			{Name: "mail", Kind: handoff.FieldMail},
			{Name: "phone", Kind: handoff.FieldPhone},
			{Name: "more", Label: "And?"},
		}},
		Offline: handoff.Absence{Tell: true, Ticket: true, Form: &handoff.Form{Fields: []handoff.Field{{Name: "left"}}}},
	}, {Name: "shut", Hours: closed{}, Tickets: "vendor", Offline: handoff.Absence{Ticket: true, Form: &handoff.Form{Fields: []handoff.Field{{Name: "left"}}}}}}
}

func (k *house) verb(err error) {
	if err != nil {
		k.errs = append(k.errs, err)
	}
}

// serves plays everything that a service does for one user: form, call-back,
// rules, records, replies, notices, tags, rating, and what he leaves when the
// queue is closed.
func (k *house) serves(t *testing.T, r *handofftest.Rig, conversation string, user *handoff.Contact) handoff.Turn {
	t.Helper()
	ann := handoff.By("a-" + secret)
	require.NoError(t, r.Floor.Put(r.Ctx, handoff.Agent{ID: ann.ID, Name: secret, Alias: "Ann", Seats: 5, Queues: []string{"support"}}))
	must := func(err error) {
		t.Helper()
		require.NoError(t, err)
	}
	say := func(id, text string) handoff.Turn {
		turn, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: conversation, ID: id + conversation, Text: text, User: user})
		must(err)
		return turn
	}
	out, err := r.Request(r.Ctx, handoff.Request{Turn: say("m1", "help "+canary), Queue: "support", Reason: inside, Flags: []string{inside}})
	must(err)
	id := out.Handoff.ID
	answer := func(a handoff.Response) error { _, err := r.Answer(r.Ctx, conversation, a); return err }
	k.verb(answer(handoff.Response{Value: canary + "\x01" + inside}))
	k.verb(answer(handoff.Response{Field: inside, Value: canary}))
	must(answer(handoff.Response{Value: "it is " + inside}))
	k.verb(answer(handoff.Response{Field: "mail", Value: inside}))
	say("m2", inside+"@example.com")
	k.verb(answer(handoff.Response{Field: "phone", Value: "call " + inside}))
	must(answer(handoff.Response{Field: "phone", Value: number}))
	must(answer(handoff.Response{Field: "more", Value: "<b>" + inside + "</b>"}))
	r.Wait()
	_, err = r.CallBack(r.Ctx, conversation, handoff.Callback{Phone: inside, When: inside})
	k.verb(err)
	_, err = r.CallBack(r.Ctx, conversation, handoff.Callback{Phone: number, When: "after " + inside})
	must(err)
	r.Sleep(2 * time.Minute) // the alert

	must(r.Floor.Online(r.Ctx, ann.ID))
	r.Wait()
	h := r.Now(id)
	o, there := h.Offer(ann.ID)
	require.True(t, there)
	h, err = r.Accept(r.Ctx, id, ann, o.Number)
	must(err)
	r.Sleep(time.Minute)
	list, err := r.Customers(r.Ctx, id)
	must(err)
	require.Equal(t, inside, list[0].Name)
	_, err = r.Suggest(r.Ctx, id)
	k.verb(err)
	sum, err := r.Summary(r.Ctx, id)
	must(err)
	require.Contains(t, sum, inside)
	replies, err := k.replies.List(r.Ctx)
	must(err)
	_, err = r.Send(r.Ctx, id, ann, handoff.Message{Text: replies[0].Fill(&h)})
	must(err)
	k.verb(k.replies.Put(r.Ctx, canned.Reply{Name: "x", Text: inside + " {" + inside + "}"}))
	_, err = r.Notify(r.Ctx, id, ann, handoff.NoticeQuestion, map[string]string{"label": "told " + canary})
	must(err)
	_, err = r.Notify(r.Ctx, id, ann, inside, map[string]string{inside: inside})
	k.verb(err)
	_, err = r.Tag(r.Ctx, id, ann, []string{inside + "-tag"}, []string{inside + "-none"})
	must(err)
	_, err = r.Prioritise(r.Ctx, id, handoff.By("b-"+inside), 7)
	k.verb(err)
	_, err = r.Ticket(r.Ctx, id, ann, inside)
	must(err)
	k.verb(k.rules.Run(r.Ctx, "by hand", id, ann.Once("p")))
	k.verb(k.rules.Run(r.Ctx, inside, id, ann))
	_, err = r.End(r.Ctx, id, ann, handoff.Ending{Reason: inside})
	must(err)
	_, err = r.Rate(r.Ctx, id, 2, "comment "+inside)
	must(err)
	r.Sleep(time.Minute)

	// Afterwards he finds the queue closed, and leaves a message.
	_, err = r.Request(r.Ctx, handoff.Request{Conversation: conversation, Queue: "shut"})
	k.verb(err)
	if r.Last(conversation).State == handoff.StateIntake {
		must(answer(handoff.Response{Value: "I was here " + inside}))
	}
	r.Sleep(time.Minute)
	must(r.Floor.Offline(r.Ctx, ann.ID))
	return say("m3", "bye "+canary)
}

// Nothing that a service is told or knows (form, call-back, rules, customer
// records, replies, notices, tags, rating) stands in a log line, an error, a
// hook, a figure or a webhook's call; nothing internal of it reaches the user;
// and after erasure it is nowhere.
func TestCanaryService(t *testing.T) {
	k := newHouse(t)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		k.rules.Use(r.Engine)
		for i := range k.edited {
			require.NoError(t, k.kept.Put(r.Ctx, k.edited[i]))
		}
		var feed []string
		ctx, cancel := context.WithCancel(r.Ctx)
		go func() {
			for ev, err := range r.Feed(ctx, "") {
				if err != nil {
					return
				}
				b, err := json.Marshal(ev)
				if err == nil {
					feed = append(feed, string(b))
				}
			}
		}()
		r.Wait()
		before := kept(t, r)
		turn := k.serves(t, r, "c", &handoff.Contact{ID: "u-" + inside, Name: "Dana"})
		cancel()
		r.Wait()

		marks := []string{canary, inside, secret, "234 2471"}
		clean := func(where, s string, marks ...string) {
			t.Helper()
			for line := range strings.SplitSeq(s, "\n") {
				for _, m := range marks {
					require.NotContains(t, line, m, where)
				}
			}
		}
		// The parts did what they are for.
		stored := kept(t, r)
		for _, m := range marks {
			require.Contains(t, stored, m)
		}
		require.Contains(t, strings.Join(r.Users.Texts("c"), "\n"), "told "+canary)
		require.Greater(t, len(k.tickets.made), 3)
		left, err := k.rules.LeftOut(r.Ctx)
		require.NoError(t, err)
		require.Len(t, left, 1)
		k.errs = append(k.errs, left[0].Why)
		require.Positive(t, k.web.calls)
		require.Greater(t, len(k.errs), 9)
		for _, err := range k.errs {
			clean("error", err.Error(), marks...)
		}
		require.NotEmpty(t, feed)
		clean("feed", strings.Join(feed, "\n"), canary, inside, "234 2471")
		clean("webhook", k.web.got.String(), canary, "234 2471", "it is "+inside, "comment ", "after "+inside)

		// The user.
		saw, err := json.Marshal(r.Users.Saw("c"))
		require.NoError(t, err)
		clean("channel", string(saw), inside, secret)
		for _, f := range []history.Format{history.Text, history.JSONLines, history.HTML, history.CSV} {
			var b bytes.Buffer
			_, err := history.Export{Format: f, Audience: history.User}.Write(t.Context(), &b, r.Engine)
			require.NoError(t, err)
			require.Contains(t, b.String(), canary)
			own := strings.ReplaceAll(b.String(), inside+"@example.com", "") // what he wrote himself
			clean("his export as "+string(f), own, inside, secret)
		}
		report, err := analytics.Compute(r.Ctx, r.Engine, analytics.Options{})
		require.NoError(t, err)
		b, err := json.Marshal(report)
		require.NoError(t, err)
		clean("figures", string(b), marks...)
		b, err = json.Marshal(k.figures.Read())
		require.NoError(t, err)
		clean("counters", string(b), marks...)

		// Erasure.
		require.NoError(t, r.Done(r.Ctx, turn))
		r.Sleep(time.Hour)
		erased, err := history.Erase(r.Ctx, r.Engine, history.Scope{User: "u-" + inside})
		require.NoError(t, err)
		require.Equal(t, 1, erased.Conversations, "%+v", erased)
		after := kept(t, r)
		for _, m := range marks {
			require.Equal(t, strings.Count(before, m), strings.Count(after, m), "%s is still kept", m)
		}
		for _, q := range []handoff.Query{{Tag: inside}, {Tag: inside + "-tag"}, {User: "u-" + inside}, {Agent: "a-" + secret}} {
			left, err := r.List(r.Ctx, q)
			require.NoError(t, err)
			require.Empty(t, left)
		}
		for _, m := range marks {
			found, err := r.Search(r.Ctx, handoff.Query{}, m)
			require.NoError(t, err)
			require.Empty(t, found.Handoffs)
		}
		var all bytes.Buffer
		_, err = history.Export{Format: history.JSONLines, Events: true}.Write(r.Ctx, &all, r.Engine)
		require.NoError(t, err)
		clean("export after erasure", all.String(), marks...)
	}, k.config)
	require.Contains(t, k.logs.String(), "level=DEBUG")
	for what, text := range map[string]string{"log": k.logs.String(), "hook": k.hooks.String()} {
		for line := range strings.SplitSeq(text, "\n") {
			for _, m := range []string{canary, inside, "234 2471"} {
				require.NotContainsf(t, line, m, "a %s", what)
			}
		}
	}
}
