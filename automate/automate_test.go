package automate_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// hooks is a receiver of webhooks, without a network.
type hooks struct {
	mu     sync.Mutex
	status []int // of the next answers; then 204
	calls  []automate.Call
	signed bool
}

func (k *hooks) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	want := "v1=" + automate.Sign(secret, r.Header.Get("Handoff-Id"), r.Header.Get("Handoff-Timestamp"), body)
	k.signed = hmac.Equal([]byte(want), []byte(r.Header.Get("Handoff-Signature")))
	status := http.StatusNoContent
	if len(k.status) > 0 {
		status, k.status = k.status[0], k.status[1:]
	}
	switch status {
	case http.StatusNoContent:
		var c automate.Call
		if err := json.Unmarshal(body, &c); err != nil {
			return nil, err
		}
		k.calls = append(k.calls, c)
	case 0:
		return nil, errors.New("no route to " + r.URL.String())
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

var secret = []byte("0123456789abcdef") //nolint:gochecknoglobals // constant

func run(t *testing.T, rules []automate.Rule, f func(t *testing.T, r *handofftest.Rig, a *automate.Automations, k *hooks)) {
	t.Helper()
	k := &hooks{}
	a, err := automate.New(rules, automate.Options{Secret: secret, Client: &http.Client{Transport: k}})
	require.NoError(t, err)
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		a.Use(r.Engine)
		f(t, r, a, k)
	}, func(c *handoff.Config) {
		c.Sinks = map[string]handoff.Sink{"automations": a}
		c.Providers = []handoff.Provider{inmem.New(inmem.Options{Name: "vendor"}).Provider()}
		c.Queues = []handoff.Queue{{Name: "support"}, {Name: "vip", Tickets: "vendor"}}
	})
}

func ask(t *testing.T, r *handofftest.Rig, conversation string, tags ...string) handoff.ID {
	t.Helper()
	got, err := r.Request(r.Ctx, handoff.Request{
		Conversation: conversation, Queue: "support", Tags: tags, User: &handoff.Contact{ID: "u", Name: "Dana"},
	})
	require.NoError(t, err)
	r.Wait()
	return got.Handoff.ID
}

func notes(t *testing.T, r *handofftest.Rig, id handoff.ID) (out []string) {
	t.Helper()
	log, err := r.Log(r.Ctx, id, 0, 1000)
	require.NoError(t, err)
	for _, en := range log {
		if en.Kind == handoff.KindNote {
			out = append(out, en.Text)
		}
	}
	return out
}

func ptr[T any](v T) *T { return &v }

// During a handoff, after its end, and on one that was missed.
func TestRulesRunWhenTheyAreMeantTo(t *testing.T) {
	run(t, []automate.Rule{
		{
			Name: "vip", On: []handoff.Kind{handoff.KindEnqueued}, If: automate.Condition{Tags: []string{"gold"}},
			Do: []automate.Action{{Priority: ptr(9)}, {Note: "{user} is gold, in {queue}"}, {Notice: handoff.NoticeMessage}},
		},
		{
			Name: "done", On: []handoff.Kind{handoff.KindEnded}, If: automate.Condition{Outcomes: []handoff.Outcome{"resolved"}},
			Do: []automate.Action{{Tag: []string{"done"}}, {Webhook: "https://hooks.example.com/x"}},
		},
		{Name: "lost", On: []handoff.Kind{handoff.KindMissed}, Do: []automate.Action{{Tag: []string{"call back"}}}},
		{Name: "bad", On: []handoff.Kind{handoff.KindRated}, If: automate.Condition{MaxRating: 2}, Do: []automate.Action{{Note: "rated {rating}"}}},
		{Name: "off", On: []handoff.Kind{handoff.KindEnqueued}, Off: true, Do: []automate.Action{{Tag: []string{"off"}}}},
	}, func(t *testing.T, r *handofftest.Rig, _ *automate.Automations, k *hooks) {
		ask(t, r, "c0")
		id := ask(t, r, "c1", "gold")
		require.Equal(t, 9, r.Now(id).Need.Priority)
		require.Equal(t, []string{"Dana is gold, in support"}, notes(t, r, id))
		require.Contains(t, strings.Join(r.Users.Texts("c1"), " "), "leave a message")
		ann := r.Agent("ann", 1)
		require.Equal(t, id, ann.Accept().ID, "before the one who came earlier")

		k.status = []int{0, 503} // the receiver is down for a while
		ann.Ends(id)
		_, err := r.Rate(r.Ctx, id, 2, "meh")
		require.NoError(t, err)
		ann.Leaves()
		r.Sleep(20 * time.Minute)
		require.Equal(t, []string{"gold", "done"}, r.Now(id).Tags)
		require.Len(t, k.calls, 1)
		require.True(t, k.signed)
		require.Equal(t, handoff.OutcomeResolved, k.calls[0].Outcome)
		require.Equal(t, handoff.KindEnded, k.calls[0].On)
		require.Contains(t, notes(t, r, id), "rated 2")
		require.Equal(t, []string{"call back"}, r.Now(handoff.ID{Conversation: "c0", Number: 1}).Tags)
	})
}

// A rule that sets itself off is stopped, with a note, and so are two that set
// each other off, and one that goes round through the queues.
func TestLoopsAreStopped(t *testing.T) {
	run(t, []automate.Rule{
		{Name: "echo", On: []handoff.Kind{handoff.KindNote}, Do: []automate.Action{{Note: "again"}}},
	}, func(t *testing.T, r *handofftest.Rig, _ *automate.Automations, _ *hooks) {
		id := ask(t, r, "c1")
		_, err := r.Note(r.Ctx, id, handoff.BySupervisor("sue"), "hello")
		require.NoError(t, err)
		r.Sleep(time.Minute)
		require.Equal(t, []string{"hello", "again", "again", "again", `Automation "echo" was stopped: rules set each other off.`}, notes(t, r, id))
	})
	run(t, []automate.Rule{
		{Name: "ping", On: []handoff.Kind{handoff.KindTagged}, If: automate.Condition{NoTags: []string{"b"}}, Do: []automate.Action{{Tag: []string{"b"}}}},
		{Name: "pong", On: []handoff.Kind{handoff.KindTagged}, If: automate.Condition{Tags: []string{"b"}}, Do: []automate.Action{{Untag: []string{"b"}}}},
	}, func(t *testing.T, r *handofftest.Rig, _ *automate.Automations, _ *hooks) {
		id := ask(t, r, "c1")
		_, err := r.Tag(r.Ctx, id, handoff.BySupervisor("sue"), []string{"a"}, nil)
		require.NoError(t, err)
		r.Sleep(time.Hour)
		require.Less(t, r.Now(id).Seq, int64(60))
		require.Contains(t, strings.Join(notes(t, r, id), " "), "was stopped")
	})
	run(t, []automate.Rule{
		{Name: "away", On: []handoff.Kind{handoff.KindOffered}, Most: 5, Do: []automate.Action{{Transfer: &handoff.Target{Queue: "vip"}}}},
	}, func(t *testing.T, r *handofftest.Rig, _ *automate.Automations, _ *hooks) {
		r.Agent("ann", 1)
		r.Agent("bob", 1)
		id := ask(t, r, "c1")
		r.Sleep(8 * time.Minute)
		require.Contains(t, strings.Join(notes(t, r, id), " "), `"away" was stopped: it ran 5 times`)
	})
}

// By hand: a button is there while its condition is met, and one press does it
// once.
func TestButtons(t *testing.T) {
	run(t, []automate.Rule{
		{Name: "hot", Button: "Mark as hot", If: automate.Condition{NoTags: []string{"hot"}}, Do: []automate.Action{{Note: "hot"}, {Tag: []string{"hot"}}}},
		{Name: "ticket", Button: "Ticket", Do: []automate.Action{{Ticket: "follow up with {user}"}}},
		{Name: "off", Button: "Off", Off: true, Do: []automate.Action{{Note: "off"}}},
		{Name: "silent", On: []handoff.Kind{handoff.KindEnded}, Do: []automate.Action{{Note: "silent"}}},
	}, func(t *testing.T, r *handofftest.Rig, a *automate.Automations, _ *hooks) {
		id := ask(t, r, "c1")
		for _, rule := range []string{"off", "silent"} {
			require.ErrorIs(t, a.Run(r.Ctx, rule, id, handoff.By("ann")), handoff.ErrNotFound, "it has no button")
		}
		require.Len(t, a.Buttons(t.Context(), r.Now(id)), 2)
		by := handoff.By("ann").Once("p1")
		require.NoError(t, a.Run(r.Ctx, "hot", id, by))
		require.ErrorIs(t, a.Run(r.Ctx, "hot", id, by), handoff.ErrNotFound, "it is hot already")
		require.Equal(t, []automate.Button{{Rule: "ticket", Label: "Ticket"}}, a.Buttons(t.Context(), r.Now(id)))
		require.NoError(t, a.Run(r.Ctx, "ticket", id, by))
		require.Equal(t, []string{"hot", `Automation "ticket" could not do its ticket.`}, notes(t, r, id), "nobody makes tickets in this queue")
		require.ErrorIs(t, a.Run(context.Background(), "none", id, by), handoff.ErrNotFound)
	})
}

// Everything that is wrong with every rule is told at once, each by the name of
// its field, and what is wrong is not repeated.
func TestBrokenRules(t *testing.T) {
	huge := strings.Repeat("x", 1<<20)
	note := func(text string) automate.Rule {
		return automate.Rule{Name: "n", Button: "n", Do: []automate.Action{{Note: text}}}
	}
	on := func(kinds ...handoff.Kind) automate.Rule {
		return automate.Rule{Name: "n", On: kinds, Do: []automate.Action{{Note: "x"}}}
	}
	given := func(c automate.Condition) automate.Rule {
		return automate.Rule{Name: "n", Button: "n", If: c, Do: []automate.Action{{Note: "x"}}}
	}
	to := func(target handoff.Target) automate.Rule {
		return automate.Rule{Name: "n", Button: "n", Do: []automate.Action{{Transfer: &target}}}
	}
	for field, bad := range map[string][]automate.Rule{
		"Rule.Name": {
			{Name: "a/b", Button: "x", Do: []automate.Action{{Note: "x"}}},
			{Name: "a\nb", Button: "x", Do: []automate.Action{{Note: "x"}}},
			{Name: huge, Button: "x", Do: []automate.Action{{Note: "x"}}},
			{Name: "\xff", Button: "x", Do: []automate.Action{{Note: "x"}}},
			{Button: "x"},
		},
		"Rule.Button":         {{Name: "n", Button: "a\x00b"}, {Name: "n", Button: huge}},
		"Rule.On":             {{Name: "idle", Do: []automate.Action{{Note: "x"}}}, {Name: "n", On: make([]handoff.Kind, 1000)}},
		"Rule.On[0]":          {on("resolved"), on("Joined"), on("a\nb"), on(""), on("joined "), on(handoff.Kind(huge))},
		"Rule.On[1]":          {on(handoff.KindJoined, "ended_")},
		"Rule.If.Outcomes":    {given(automate.Condition{Outcomes: make([]handoff.Outcome, 1000)})},
		"Rule.If.From":        {given(automate.Condition{From: make([]handoff.Role, 1000)})},
		"Rule.If.Outcomes[1]": {given(automate.Condition{Outcomes: []handoff.Outcome{handoff.OutcomeMissed, "solved"}})},
		"Rule.If.Outcomes[0]": {given(automate.Condition{Outcomes: []handoff.Outcome{""}}), given(automate.Condition{Outcomes: []handoff.Outcome{"ended"}})},
		"Rule.If.From[0]":     {given(automate.Condition{From: []handoff.Role{"customer"}}), given(automate.Condition{From: []handoff.Role{handoff.Role(huge)}})},
		"Rule.If.Reasons":     {given(automate.Condition{Reasons: []handoff.Reason{"a\nb"}})},
		"Rule.If.Languages":   {given(automate.Condition{Languages: []string{""}})},
		"Rule.If.Channels":    {given(automate.Condition{Channels: []string{huge}})},
		"Rule.If.NoTags":      {given(automate.Condition{NoTags: make([]string, 1000)})},
		"Rule.If.MaxRating":   {given(automate.Condition{MaxRating: 6}), given(automate.Condition{MaxRating: -1})},
		"Rule.Do":             {{Name: "n", Button: "x"}, {Name: "n", Button: "x", Do: make([]automate.Action, 1000)}},
		"Rule.Do[0]":          {{Name: "n", Button: "x", Do: []automate.Action{{}}}, {Name: "n", Button: "x", Do: []automate.Action{{Note: "x", Notice: "y"}}}},
		"Rule.Most":           {{Name: "n", Button: "x", Most: -1}, {Name: "n", Button: "x", Chain: -1}},
		"Rule.If.Queues":      {{Name: "n", Button: "x", If: automate.Condition{Queues: []string{"a\nb"}}}},
		"Rule.If.Tags":        {{Name: "n", Button: "x", If: automate.Condition{Tags: []string{""}}}},
		"Rule.Do[0].Note":     {note("{who}"), note("{user"), note("{}"), note(huge), note("a\x00"), note("\xff"), note("{" + huge + "}")},
		"Rule.Do[0].Ticket":   {{Name: "n", Button: "x", Do: []automate.Action{{Ticket: "{user"}}}},
		"Rule.Do[0].Tag":      {{Name: "n", Button: "x", Do: []automate.Action{{Tag: []string{"a\nb"}}}}, {Name: "n", Button: "x", Do: []automate.Action{{Tag: []string{huge}}}}},
		"Rule.Do[0].Untag":    {{Name: "n", Button: "x", Do: []automate.Action{{Untag: []string{"\x7f"}}}}},
		"Rule.Do[0].Notice":   {{Name: "n", Button: "x", Do: []automate.Action{{Notice: "a\x00"}}}},
		"Rule.Do[0].Webhook":  {{Name: "n", Button: "x", Do: []automate.Action{{Webhook: "ftp://x"}, {Webhook: "https://a.example"}}}},
		"Rule.Do[0].Transfer": {
			to(handoff.Target{}), to(handoff.Target{Queue: "a\nb"}), to(handoff.Target{Agent: huge}), to(handoff.Target{Queue: "q", Warm: true}),
			to(handoff.Target{Skills: []handoff.Skill{{}}}), to(handoff.Target{Skills: []handoff.Skill{{Name: "x", Level: -1}}}),
			to(handoff.Target{Queue: "q", Note: "\x00"}),
		},
	} {
		for _, r := range bad {
			keep := automate.NewRules()
			a, err := automate.New(nil, automate.Options{Keep: keep})
			require.NoError(t, err)
			put := a.Put(t.Context(), r)
			require.Contains(t, fields(put), field)
			require.Less(t, len(put.Error()), 500)
			list, err := keep.List(t.Context())
			require.NoError(t, err)
			require.Empty(t, list, "it is not kept")
			_, err = automate.New([]automate.Rule{r}, automate.Options{})
			require.Contains(t, fields(err), "Rules[0]"+strings.TrimPrefix(field, "Rule"))
		}
	}
	_, err := automate.New([]automate.Rule{{}, note("{who}"), note("fine")}, automate.Options{})
	require.Equal(t, []string{"Rules[0].Name", "Rules[0].On", "Rules[0].Do", "Rules[1].Do[0].Note", "Rules[2].Name"}, fields(err))

	// Every word that there is may be used.
	_, err = automate.New([]automate.Rule{{
		Name: "all", On: []handoff.Kind{handoff.KindMessage, handoff.KindEnded, handoff.KindSummary}, If: automate.Condition{
			Outcomes: []handoff.Outcome{handoff.OutcomeResolved, handoff.OutcomeHanded}, From: []handoff.Role{handoff.RoleUser, handoff.RoleEngine},
			Reasons: []handoff.Reason{"the host's own"}, Languages: []string{"de"}, Channels: []string{"web"}, MaxRating: 5,
		}, Do: []automate.Action{{Transfer: &handoff.Target{Agent: "ann", Warm: true, Skills: []handoff.Skill{{Name: "x"}}}}},
	}}, automate.Options{})
	require.NoError(t, err)
}

// fields returns what joined errors say is invalid.
func fields(err error) (out []string) {
	if list, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // errors.Join
		for _, e := range list.Unwrap() {
			out = append(out, fields(e)...)
		}
		return out
	}
	var no *handoff.InvalidError
	if errors.As(err, &no) {
		out = append(out, no.Field)
	}
	return out
}

// What a user calls himself is text in a note: no line, no control character
// and no direction of its own, and no placeholder.
func TestNamesInTextsAreText(t *testing.T) {
	run(t, []automate.Rule{
		{Name: "note", On: []handoff.Kind{handoff.KindEnqueued}, Do: []automate.Action{{Note: "{user} <b>asks</b> in {queue}"}}},
	}, func(t *testing.T, r *handofftest.Rig, _ *automate.Automations, _ *hooks) {
		for name, want := range map[string]string{
			"<i>Dana</i>\n\u202e\x7f{agent}": "<i>Dana</i> {agent} <b>asks</b> in support",
			strings.Repeat("x", 60<<10):      strings.Repeat("x", 200) + "… <b>asks</b> in support",
		} {
			got, err := r.Request(r.Ctx, handoff.Request{Conversation: "c" + name[:2], Queue: "support", User: &handoff.Contact{ID: "u", Name: name}})
			require.NoError(t, err)
			r.Wait()
			require.Equal(t, []string{want}, notes(t, r, got.Handoff.ID))
		}
	})
}

// A rule given to New that names what the Config does not have is a problem of
// the Config, told with all others. From then on none is put.
func TestRulesThatDoNotFit(t *testing.T) {
	rules := []automate.Rule{
		{Name: "fits", Button: "x", If: automate.Condition{Queues: []string{"support"}}, Do: []automate.Action{
			{Notice: handoff.NoticeMessage}, {Transfer: &handoff.Target{Queue: "support"}}, {Transfer: &handoff.Target{Agent: "ann"}},
		}},
		{Name: "does not", Button: "x", If: automate.Condition{Queues: []string{"support", "suport"}}, Do: []automate.Action{
			{Notice: "no such words"}, {Transfer: &handoff.Target{Queue: "vip"}}, {Ticket: "{user}"},
		}},
	}
	var auto *automate.Automations
	config := func(rules []automate.Rule, o automate.Options) handoff.Config {
		a, err := automate.New(rules, o)
		require.NoError(t, err)
		auto = a
		return handoff.Config{
			Store: handofftest.NewStore(nil), Directory: handoff.Staff{}, Queues: []handoff.Queue{{Name: "support"}},
			Sinks: map[string]handoff.Sink{"rules": a}, BotQueue: "nowhere",
		}
	}
	_, err := handoff.New(config(rules, automate.Options{}))
	require.ElementsMatch(t, []string{
		"BotQueue", `Sinks["rules"].Rules[1].If.Queues[1]`, `Sinks["rules"].Rules[1].Do[0].Notice`, `Sinks["rules"].Rules[1].Do[1].Transfer`,
		`Sinks["rules"].Rules[1].Do[2].Ticket`,
	}, fields(err))

	_, err = handoff.New(config(rules[:1], automate.Options{Keep: automate.NewRules()}))
	require.Equal(t, []string{"BotQueue"}, fields(err))
	require.Equal(t, []string{"Rule.If.Queues[1]", "Rule.Do[0].Notice", "Rule.Do[1].Transfer", "Rule.Do[2].Ticket"}, fields(auto.Put(t.Context(), rules[1])))
}

// What is kept keeps no engine from starting, whoever wrote it and whatever it
// names: it is left out, with all that is in its way, and logged once.
func TestKeptRulesThatDoNotFit(t *testing.T) {
	var log bytes.Buffer
	start := func(keep automate.Rules, queues ...string) *automate.Automations {
		a, err := automate.New([]automate.Rule{tagging("own", "own", handoff.KindEnqueued)}, automate.Options{Keep: keep})
		require.NoError(t, err)
		c := handoff.Config{
			Store: handofftest.NewStore(nil), Directory: handoff.Staff{}, Sinks: map[string]handoff.Sink{"rules": a},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}
		for _, q := range queues {
			c.Queues = append(c.Queues, handoff.Queue{Name: q})
		}
		_, err = a.List(t.Context()) // without an engine, too
		require.True(t, err == nil || errors.Is(err, errBroken))
		_, err = handoff.New(c)
		require.NoError(t, err)
		return a
	}
	names := func(a *automate.Automations) (out []string) {
		list, err := a.List(t.Context())
		require.NoError(t, err)
		for i := range list {
			out = append(out, list[i].Name)
		}
		return out
	}
	moves := automate.Rule{Name: "moves", Button: "x", Do: []automate.Action{
		{Notice: "no such words"}, {Transfer: &handoff.Target{Queue: "gone"}}, {Ticket: "{user}"},
	}}
	both := tagging("both", "x")
	both.If.Queues = []string{"gone", "support"}
	alone := tagging("alone", "x")
	alone.If.Queues = []string{"gone"}
	keep := automate.NewRules(moves, both, alone, tagging("own", "mine"), tagging("newer", "x", "unheard of"))

	a := start(keep, "support")
	require.Equal(t, []string{"own", "both"}, names(a), "one that is for several queues runs for those that there are")
	left, err := a.LeftOut(t.Context())
	require.NoError(t, err)
	why := map[string][]string{}
	for _, l := range left {
		why[l.Rule.Name] = fields(l.Why)
	}
	require.Equal(t, map[string][]string{
		"moves": {"Rule.Do[0].Notice", "Rule.Do[1].Transfer", "Rule.Do[2].Ticket"}, "alone": {"Rule.If.Queues[0]"},
		"own": {"Rule.Name"}, "newer": {"Rule.On[0]"},
	}, why)
	require.Equal(t, 4, strings.Count(log.String(), "level=WARN"), log.String())
	require.Contains(t, log.String(), `rule=moves fields="[Rule.Do[0].Notice Rule.Do[1].Transfer Rule.Do[2].Ticket]"`)

	// Another look finds nothing new; what is mended runs.
	require.NoError(t, a.Delete(t.Context(), "newer"))
	require.NoError(t, a.Put(t.Context(), tagging("alone", "x")))
	require.Equal(t, []string{"own", "alone", "both"}, names(a))
	require.Equal(t, 4, strings.Count(log.String(), "level=WARN"), log.String())
	left, err = a.LeftOut(t.Context())
	require.NoError(t, err)
	require.Len(t, left, 2)

	// Where the queue is, the rule runs: nothing of it was lost.
	alone.Button = "again"
	require.NoError(t, keep.Put(t.Context(), alone))
	require.Equal(t, []string{"own", "alone", "both"}, names(start(keep, "support", "gone")))

	// What cannot be read is read when an entry comes.
	_, err = start(broken{}, "support").LeftOut(t.Context())
	require.ErrorIs(t, err, errBroken)
}

// A ticket needs somebody who makes it, in one of the queues that a rule is for.
func TestRulesThatMakeTickets(t *testing.T) {
	vendor := inmem.New(inmem.Options{Name: "vendor"}).Provider()
	check := func(providers []handoff.Provider, queues []handoff.Queue, of ...string) []string {
		a, err := automate.New([]automate.Rule{
			{Name: "ticket", Button: "x", If: automate.Condition{Queues: of}, Do: []automate.Action{{Ticket: "{user}"}}},
		}, automate.Options{})
		require.NoError(t, err)
		_, err = handoff.New(handoff.Config{
			Store: handofftest.NewStore(nil), Directory: handoff.Staff{}, Providers: providers, Queues: queues, Sinks: map[string]handoff.Sink{"rules": a},
		})
		return fields(err)
	}
	none, some := []handoff.Queue{{Name: "a"}, {Name: "b"}}, []handoff.Queue{{Name: "a"}, {Name: "b", Tickets: "vendor"}}
	served := []handoff.Queue{{Name: "a"}, {Name: "b", Providers: []string{"vendor"}}}
	no := []string{`Sinks["rules"].Rules[0].Do[0].Ticket`}
	require.Equal(t, no, check(nil, none))
	require.Equal(t, no, check([]handoff.Provider{vendor}, none), "it makes none for these queues")
	require.Equal(t, no, check([]handoff.Provider{vendor}, some, "a"))
	require.Empty(t, check([]handoff.Provider{vendor}, some, "a", "b"))
	require.Empty(t, check([]handoff.Provider{vendor}, some))
	require.Empty(t, check([]handoff.Provider{vendor}, served))
}
