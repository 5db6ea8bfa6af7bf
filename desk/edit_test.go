package desk_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// TestDesk19Drafts: what is written on one device is there on the other, for
// its writer alone, until the handoff is over.
func TestDesk19Drafts(t *testing.T) {
	drafts := desk.NewDrafts()
	w := newWorld(t, func(c *desk.Config) { c.Drafts = drafts })
	h := w.held("c", "mine", "me")
	at := "api/handoffs/" + token(h)
	other := w.listen("agent", "session=phone")
	w.next(other, "reset", named("reset"))
	w.until("the desk has read it", func() bool {
		return strings.Contains(w.call("agent", http.MethodGet, "api/snapshot", nil).raw, token(h))
	})
	require.Equal(t, http.StatusOK, w.call("agent", http.MethodPost, "api/viewing", map[string]string{"session": "phone", "tab": "t", "id": token(h)}).status)
	for mode, text := range map[string]string{"reply": "half a sen", "note": "half a no"} {
		got := w.call("agent", http.MethodPut, at+"/draft", map[string]string{"mode": mode, "text": text, "session": "laptop"})
		require.Equal(t, http.StatusOK, got.status, got.raw)
		w.next(other, "the other device is told", func(e told) bool {
			return e.name == "draft" && strings.Contains(e.data, text) && strings.Contains(e.data, `"session":"laptop"`)
		})
	}
	assert.Contains(t, w.call("agent", http.MethodGet, at, nil).raw, `"text":"half a sen"`)
	sup := w.call("supervisor", http.MethodGet, at, nil) // the same person, in another role
	assert.Contains(t, sup.raw, "half a no")
	w.actor("boss", &desk.Actor{ID: "boss", Role: desk.Supervisor})
	got := w.call("boss", http.MethodGet, at, nil)
	require.Equal(t, http.StatusOK, got.status)
	assert.NotContains(t, got.raw, "half a")
	for _, bad := range []map[string]string{{"mode": "shout", "text": "x"}, {"text": "x"}, {"mode": "reply", "text": strings.Repeat("x", 65<<10)}, {"mode": "note", "session": strings.Repeat("x", 65)}} {
		assert.Equal(t, http.StatusUnprocessableEntity, w.call("agent", http.MethodPut, at+"/draft", bad).status)
	}
	_, err := w.engine.End(t.Context(), h.ID, handoff.By("me"), handoff.Ending{})
	require.NoError(t, err)
	w.until("drafts of what is over are forgotten", func() bool {
		list, err := drafts.List(t.Context(), "me", h.ID)
		return err == nil && len(list) == 0
	})
}

// TestDesk19Seen: what is read on one device is read on the other, and on no
// other agent's, until the handoff is over. It only goes forward.
func TestDesk19Seen(t *testing.T) {
	w := newWorld(t)
	h := w.held("c", "mine", "me")
	at := "api/handoffs/" + token(h) + "/seen"
	snapshot := func(who string) string { return w.call(who, http.MethodGet, "api/snapshot", nil).raw }
	w.until("the desk has read it", func() bool { return strings.Contains(snapshot("agent"), token(h)) })
	phone, colleague := w.listen("agent", "session=phone"), w.listen("col", "session=col")
	w.next(phone, "reset", named("reset"))
	w.next(colleague, "reset", named("reset"))
	for _, at2 := range []int64{2000, 1000} {
		require.Equal(t, http.StatusNoContent, w.call("agent", http.MethodPut, at, map[string]int64{"at": at2}).status)
	}
	w.next(phone, "the other device is told", func(e told) bool { return e.name == "seen" && strings.Contains(e.data, `"at":2000`) })
	assert.Contains(t, snapshot("agent"), `"`+token(h)+`":2000`)
	assert.NotContains(t, snapshot("col"), `":2000`)
	assert.Equal(t, http.StatusUnprocessableEntity, w.call("agent", http.MethodPut, at, map[string]int64{"at": -1}).status)

	// Nobody has read what the user will write tomorrow.
	require.Equal(t, http.StatusNoContent, w.call("agent", http.MethodPut, at, map[string]int64{"at": math.MaxInt64}).status)
	assert.NotContains(t, snapshot("agent"), "9223372036854775807")

	w.waiting("next", "mine")
	w.next(colleague, "a colleague hears of other things alone", func(e told) bool {
		assert.NotEqual(t, "seen", e.name)
		return e.name == "rows" && strings.Contains(e.data, "next")
	})
	_, err := w.engine.End(t.Context(), h.ID, handoff.By("me"), handoff.Ending{})
	require.NoError(t, err)
	w.until("it is forgotten", func() bool { return strings.Contains(snapshot("agent"), `"seen":{}`) })
}

// Drafts in memory are bounded, and those that are written in stay.
func TestDraftsAreBounded(t *testing.T) {
	d := desk.NewDrafts()
	keep := handoff.ID{Conversation: "keep", Number: 1}
	for i := range int64(30_000) {
		require.NoError(t, d.Put(t.Context(), "me", handoff.ID{Conversation: "c", Number: i + 1}, desk.Draft{Mode: "reply", Text: "x"}))
		if i%1000 == 0 {
			require.NoError(t, d.Put(t.Context(), "me", keep, desk.Draft{Mode: "note", Text: "y"}))
		}
	}
	list, err := d.List(t.Context(), "me", keep)
	require.NoError(t, err)
	require.Len(t, list, 1)
	list, err = d.List(t.Context(), "me", handoff.ID{Conversation: "c", Number: 1})
	require.NoError(t, err)
	require.Empty(t, list)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, d.Put(ctx, "me", keep, desk.Draft{Mode: "note"}), context.Canceled)
}

func rule(name string) automate.Rule {
	return automate.Rule{Name: name, Button: "Do " + name, If: automate.Condition{NoTags: []string{name}}, Do: []automate.Action{{Tag: []string{name}}, {Note: name + " was run"}}}
}

// An agent runs a rule with a button, once for each press; nobody does who may
// not work on it, and none that has no button here.
func TestAutomationButtons(t *testing.T) {
	a, err := automate.New([]automate.Rule{rule("vip"), {Name: "silent", On: []handoff.Kind{handoff.KindEnded}, Do: []automate.Action{{Note: "x"}}}}, automate.Options{})
	require.NoError(t, err)
	w := newWorld(t, func(c *desk.Config) { c.Automations = a })
	a.Use(w.engine)
	h := w.held("c", "mine", "me")
	at := "api/handoffs/" + token(h)
	assert.Contains(t, w.call("agent", http.MethodGet, at, nil).raw, `"buttons":[{"rule":"vip","label":"Do vip"}]`)
	for _, name := range []string{"silent", "nobody", ""} {
		assert.Equal(t, http.StatusUnprocessableEntity, w.call("agent", http.MethodPost, at+"/run", map[string]string{"op": "x", "rule": name}).status)
	}
	assert.Equal(t, http.StatusUnauthorized, w.call("stranger", http.MethodPost, at+"/run", map[string]string{"op": "x", "rule": "vip"}).status)
	assert.Equal(t, http.StatusConflict, w.call("col", http.MethodPost, at+"/run", map[string]string{"op": "x", "rule": "vip"}).status, "his colleague's")
	got := w.call("agent", http.MethodPost, at+"/run", map[string]string{"op": "one", "rule": "vip"})
	require.Equal(t, http.StatusOK, got.status, got.raw)
	assert.Contains(t, got.raw, `"tags":["vip"]`)
	assert.NotContains(t, w.call("agent", http.MethodGet, at, nil).raw, "Do vip", "its condition no longer holds")

	other := w.held("d", "mine", "col")
	assert.NotContains(t, w.call("viewer", http.MethodGet, "api/handoffs/"+token(other), nil).raw, "Do vip")
	assert.Equal(t, http.StatusOK, w.call("supervisor", http.MethodPost, "api/handoffs/"+token(other)+"/run", map[string]string{"op": "one", "rule": "vip"}).status, "he directs")
}

// Those who manage add, change and remove rules; they run at once. The host's
// own stay.
func TestRules(t *testing.T) {
	keep := automate.NewRules(automate.Rule{Name: "of a newer build", Button: "x"}, rule("own"))
	a, err := automate.New([]automate.Rule{rule("own")}, automate.Options{Keep: keep})
	require.NoError(t, err)
	w := newWorld(t, func(c *desk.Config) { c.Automations = a })
	a.Use(w.engine)
	h := w.held("c", "mine", "me")
	left := w.call("admin", http.MethodGet, "api/rules", nil)
	assert.Contains(t, left.raw, `"name":"of a newer build","button":"x","do":null,"fixed":false,"why":[{"field":"Rule.Do","why":"it does nothing","code":"nothing"}]`)
	assert.Contains(t, left.raw, `"why":[{"field":"Rule.Name","why":"is that of one of the host's own"}]`)
	require.Equal(t, http.StatusNoContent, w.call("admin", http.MethodDelete, "api/rules/of%20a%20newer%20build", nil).status)
	assert.NotContains(t, w.call("admin", http.MethodGet, "api/rules", nil).raw, "newer")
	require.Equal(t, http.StatusOK, w.call("admin", http.MethodPut, "api/rules/kept", rule("kept")).status)
	list := w.call("admin", http.MethodGet, "api/rules", nil)
	assert.Contains(t, list.raw, `"name":"kept"`)
	assert.Contains(t, list.raw, `"writable":true`)
	assert.Contains(t, list.raw, `"fixed":true`)
	require.Equal(t, http.StatusOK, w.call("agent", http.MethodPost, "api/handoffs/"+token(h)+"/run", map[string]string{"op": "o", "rule": "kept"}).status)
	for what, bad := range map[string]any{
		"does nothing": map[string]any{"button": "x"}, "no such queue": automate.Rule{Button: "x", If: automate.Condition{Queues: []string{"nowhere"}}, Do: rule("x").Do},
		"a webhook without a secret": automate.Rule{Button: "x", Do: []automate.Action{{Webhook: "https://example.com"}}},
	} {
		got := w.call("admin", http.MethodPut, "api/rules/bad", bad)
		assert.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", what, got.raw)
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		got := w.call("admin", method, "api/rules/own", rule("own"))
		assert.Equal(t, http.StatusConflict, got.status)
		assert.Equal(t, "rule_fixed", got.body["code"])
	}
	require.Equal(t, http.StatusNoContent, w.call("admin", http.MethodDelete, "api/rules/kept", nil).status)
	assert.NotContains(t, w.call("admin", http.MethodGet, "api/rules", nil).raw, "kept")
	w.mu.Lock()
	defer w.mu.Unlock()
	var what []string
	for _, r := range w.audit {
		what = append(what, r.What)
	}
	assert.Equal(t, []string{"rule.delete", "rule.put", "rule.run", "rule.delete"}, what)
}

// Those who manage change when a queue is open, where the host lets them: the
// door opens and closes at once.
func TestHours(t *testing.T) {
	closed := handoff.Weekly{Special: map[string][]handoff.Span{"02-29": {"00:00-00:01"}}} // next in a leap year
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Queues[0].Hours = memstore.NewHours(closed)
		c.Queues[1].Hours = closed
	})
	asks := func(conversation string) error {
		w.bot(conversation)
		_, err := w.engine.Request(t.Context(), handoff.Request{Conversation: conversation, Queue: "mine"})
		return err
	}
	require.ErrorIs(t, asks("a"), handoff.ErrUnavailable)
	list := w.call("admin", http.MethodGet, "api/hours", nil)
	assert.Contains(t, list.raw, `{"queue":"mine","always":false,"writable":true,"hours":{"zone":"UTC"`)
	assert.Contains(t, list.raw, `{"queue":"theirs","always":false,"writable":false,"hours":{"zone":"UTC"`)
	assert.Contains(t, list.raw, `{"queue":"list","always":true,"writable":false}`)
	always := map[string]any{"zone": "Europe/Madrid", "days": map[string][]string{"mon-sun": {"00:00-24:00"}}}
	require.Equal(t, http.StatusOK, w.call("admin", http.MethodPut, "api/hours/mine", always).status)
	require.NoError(t, asks("b"))
	for _, bad := range []any{
		map[string]any{},
		map[string]any{"zone": "Mars/Base", "days": always["days"]},
		map[string]any{"zone": "UTC", "days": map[string][]string{"mon": {"9 to 5"}}},
		map[string]any{"zone": "UTC", "days": map[string][]string{"mon": {"09:00-12:00", "11:00-13:00"}}},
		map[string]any{"zone": "UTC", "open": true},
	} {
		got := w.call("admin", http.MethodPut, "api/hours/mine", bad)
		assert.Contains(t, []int{http.StatusUnprocessableEntity, http.StatusBadRequest}, got.status, got.raw)
	}
	assert.Equal(t, "hours_elsewhere", w.call("admin", http.MethodPut, "api/hours/theirs", always).body["code"])
	assert.Equal(t, "hours_elsewhere", w.call("admin", http.MethodPut, "api/hours/list", always).body["code"])
	assert.Equal(t, http.StatusNotFound, w.call("admin", http.MethodPut, "api/hours/nowhere", always).status)
	require.NoError(t, asks("c"), "nothing that was refused has changed anything")
}

// Suggestions come from the host's model; its failure is an answer without
// content, and the summary has words by rules.
func TestSuggestions(t *testing.T) {
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Suggester = handoff.SuggesterFunc(func(_ context.Context, h handoff.Handoff, _ handoff.Transcript) ([]string, error) {
			if h.ID.Conversation == "down" {
				return nil, errors.New("the model is down: secret")
			}
			return []string{"one", "two", "three", "four", "five", "six"}, nil
		})
	})
	h, down := w.held("up", "mine", "me"), w.held("down", "mine", "me")
	got := w.call("agent", http.MethodGet, "api/handoffs/"+token(h)+"/suggestions", nil)
	assert.JSONEq(t, `{"suggestions":["one","two","three","four","five"]}`, got.raw)
	got = w.call("agent", http.MethodGet, "api/handoffs/"+token(down)+"/suggestions", nil)
	assert.Equal(t, http.StatusBadGateway, got.status)
	assert.NotContains(t, got.raw, "secret")
	assert.Contains(t, w.call("agent", http.MethodGet, "api/handoffs/"+token(h)+"/summary", nil).raw, "hello from up")
}

// A page that does not show everything of an agent loses nothing of him.
func TestAgentKeepsWhatIsNotShown(t *testing.T) {
	w := newWorld(t)
	dir := w.engine.Directory().(handoff.DirectoryWriter)
	shifts := handoff.Weekly{Zone: time.UTC, Days: map[string][]handoff.Span{"mon": {"09:00-17:00"}}}
	full := handoff.Agent{
		ID: "zoe", Name: "Zoe", Queues: []string{"mine"}, Seats: 2, Languages: []string{"es"}, Role: handoff.RoleSupervisor,
		QueueSeats: map[string]int{"mine": 1}, ChannelSeats: map[string]int{"web": 1}, Shifts: &shifts,
	}
	require.NoError(t, dir.Put(t.Context(), full))
	require.Equal(t, http.StatusOK, w.call("admin", http.MethodPut, "api/agents/zoe", map[string]any{"name": "Zoe Z", "queues": []string{"mine"}, "seats": 3}).status)
	full.Name, full.Seats = "Zoe Z", 3
	now, err := dir.Get(t.Context(), "zoe")
	require.NoError(t, err)
	assert.Equal(t, full, now)
	require.Equal(t, http.StatusOK, w.call("admin", http.MethodPut, "api/agents/zoe", map[string]any{"name": "Zoe Z", "seats": 3, "languages": []string{}}).status)
	now, err = dir.Get(t.Context(), "zoe")
	require.NoError(t, err)
	assert.Empty(t, now.Languages, "what is said to be none is none")
}

// Whoever fills in a form is told everything that is wrong at once, each by its
// field, and nothing is kept.
func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	a, err := automate.New(nil, automate.Options{Keep: automate.NewRules()})
	require.NoError(t, err)
	w := newWorldOf(t, func(c *handoff.Config) {
		c.Queues[0].Hours = memstore.NewHours(handoff.Weekly{Days: map[string][]handoff.Span{"mon": {"09:00-17:00"}}})
	},
		func(c *desk.Config) { c.Automations = a })
	long := strings.Repeat("x", 201)
	for path, of := range map[string]struct {
		in     any
		fields []string
	}{
		"api/agents/" + long: {
			map[string]any{"name": "a\nb", "alias": long, "queues": []string{"nowhere"}, "skills": map[string]int{"": 1}, "languages": []string{""}, "seats": 101},
			[]string{"id", "name", "alias", "seats", "queues", "skills", "languages"},
		},
		"api/replies/a%20b": {map[string]any{"text": " ", "category": "\x01", "queue": "nowhere"}, []string{"name", "category", "text", "queue"}},
		"api/rules/bad": {
			map[string]any{"button": long, "if": map[string]any{"queues": []string{"nowhere"}, "tags": []string{""}, "no_tags": []string{""}}, "do": []any{map[string]any{"tag": []string{"x"}}, map[string]any{"webhook": "nowhere"}}},
			[]string{"Rule.Button", "Rule.If.Tags", "Rule.If.NoTags", "Rule.Do[1].Webhook", "Rule.Do[1].Webhook", "Rule.If.Queues"},
		},
		"api/hours/mine": {
			map[string]any{"zone": "UTC", "days": map[string][]string{"mon": {"9 to 5"}, "tue": {"09:00-12:00", "11:00-13:00"}}, "special": map[string][]string{"Easter": {}}},
			[]string{`Days["mon"]`, `Days["tue"]`, `Special["Easter"]`},
		},
	} {
		got := w.call("admin", http.MethodPut, path, of.in)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", path, got.raw)
		list, _ := got.body["fields"].([]any)
		var fields []string
		for _, f := range list {
			m, _ := f.(map[string]any)
			field, _ := m["field"].(string)
			fields = append(fields, field)
			assert.NotEmpty(t, m["why"], path)
			assert.NotEmpty(t, m["code"], "%s: pages have no words for %v", path, m["why"])
		}
		assert.Equal(t, of.fields, fields, path)
		assert.Equal(t, fields[0], got.body["field"], path)
	}
	got := w.call("admin", http.MethodPut, "api/hours/mine", map[string]any{"zone": "Mars/Base", "days": map[string][]string{"mon": {"09:00-17:00"}}})
	assert.Equal(t, "zone", got.body["field"], got.raw)
	assert.NotContains(t, w.call("admin", http.MethodGet, "api/agents", nil).raw, long)
	assert.NotContains(t, w.call("admin", http.MethodGet, "api/rules", nil).raw, "bad")
	assert.Contains(t, w.call("admin", http.MethodGet, "api/hours", nil).raw, "09:00-17:00")
}
