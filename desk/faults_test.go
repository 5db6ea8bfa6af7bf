package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
)

func copyAll(w io.Writer, res *http.Response) (int64, error) { return io.Copy(w, res.Body) }

func TestConfigProblems(t *testing.T) {
	_, err := desk.New(desk.Config{TrustedOrigins: []string{"nonsense"}, FrameAncestors: []string{"a; script-src *"}, Lease: -1})
	for _, field := range []string{"Engine", "Auth", "TrustedOrigins", "FrameAncestors", "Lease"} {
		assert.ErrorContains(t, err, "Config."+field)
	}
	w := newWorld(t)
	auth := func(*http.Request) (desk.Actor, error) { return desk.Actor{}, nil }
	_, err = desk.New(desk.Config{Engine: w.engine, Auth: auth, Language: "xx"})
	require.ErrorContains(t, err, "Language")
	_, err = desk.New(desk.Config{Engine: w.engine, Auth: auth, Catalogues: map[string]map[string]string{"xx": {"no.such.key": "x"}}})
	require.ErrorContains(t, err, "no.such.key")
	// A language may have more plural forms than English.
	_, err = desk.New(desk.Config{Engine: w.engine, Auth: auth, Catalogues: map[string]map[string]string{"ar": {"minutes.few": "{n} دقائق"}}})
	require.NoError(t, err)
	_, err = desk.New(desk.Config{Engine: w.engine, Auth: auth, Catalogues: map[string]map[string]string{"ar": {"minutes.some": "x", "minutes.few": "x"}}})
	require.ErrorContains(t, err, "minutes.some")
}

// Any body, cursor, id and header: a client's error, never the server's, and no
// effect.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	h := w.held("c", "mine", "me")
	for _, rt := range desk.Routes() {
		if rt.Path == "api/events" {
			continue
		}
		path := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(rt.Path, "{id}", token(h)), "export/{name}", "export/csv"), "{name}", "nobody")
		if rt.Method == http.MethodGet {
			for _, q := range []string{
				"?after=-1", "?after=x", "?after=99999999999999999999", "?limit=-5", "?limit=1e9", "?before=%00", "?from=x&to=y", "?from=9999999999999999", "?zone=Mars/Base",
				"?wait=0&after=../..", "?wait=-1", "?list=%F0%9F%92%A9", "?sort=x", "?after=1,2", "?after=1,x,y", "?after=-1,-2,", "?queue=%00", "?text=" + strings.Repeat("x", 5000), "?outcome=nope", "?from=0",
			} {
				got := w.call("admin", rt.Method, path+q, nil)
				assert.Less(t, got.status, 500, "%s%s: %s", path, q, got.raw)
			}
			continue
		}
		for _, b := range []string{
			"", "null", "[]", "{", `"x"`, "1", `{"op":1}`, `{"op":""}`, `{"op":"` + strings.Repeat("x", 100) + `"}`, `{"op":"a b"}`, `{"op":"\u0000"}`, "\xff\xfe", `{"op":"x","text":"`,
			`{"text":"x"}`, `{"id":"é","text":"x"}`, `{"id":"x","text":"  "}`, `{"session":"` + strings.Repeat("y", 100) + `"}`, `{"op":"o1","offer":-1}`, `{"op":"o2","agent":"nobody"}`,
			`{"op":"o3","queue":"nowhere"}`, `{"op":"o4","seconds":-1}`, `{"op":"o5","add":["` + strings.Repeat("t", 1000) + `"]}`, strings.Repeat("[", 100_000), `{"op":"o6","version":1e400}`,
		} {
			if strings.HasSuffix(path, "/note") || strings.HasSuffix(path, "/requeue") || strings.HasSuffix(path, "/return") || strings.HasSuffix(path, "/end") || strings.HasSuffix(path, "/hold") || strings.HasSuffix(path, "/resume") {
				if strings.Contains(b, `"op":"o`) {
					continue // that is a complete one
				}
			}
			got := w.call("admin", rt.Method, path, b)
			assert.Less(t, got.status, 500, "%s %.60q: %s", path, b, got.raw)
		}
		got := w.call("admin", rt.Method, path, `{"op":"x","text":"`+strings.Repeat("x", 400<<10)+`"}`)
		assert.Less(t, got.status, 500, path)
	}
	for _, id := range []string{"%00", "1.%2e%2e", "..%2f..", "1.c%00", "1." + strings.Repeat("x", 4000), "%ff", "1.~%3D"} {
		status := w.call("admin", http.MethodGet, "api/handoffs/"+id, nil).status
		assert.True(t, status == http.StatusNotFound || status == http.StatusUnprocessableEntity, "%.20s: %d", id, status)
	}
	now, err := w.engine.Get(t.Context(), h.ID)
	require.NoError(t, err)
	assert.Equal(t, "me", now.Agent)
	assert.NotEqual(t, handoff.StateEnded, now.State)
}

// A repeated call has its effect once; a conflict tells how things are now.
func TestIdempotentAndConflict(t *testing.T) {
	w := newWorld(t)
	h := w.held("c", "mine", "me")
	at := "api/handoffs/" + token(h)
	for range 3 {
		assert.Equal(t, http.StatusOK, w.call("agent", http.MethodPost, at+"/messages", map[string]any{"id": "m-1", "text": "once"}).status)
		assert.Equal(t, http.StatusOK, w.call("agent", http.MethodPost, at+"/notes", map[string]any{"op": "n-1", "text": "noted"}).status)
	}
	count := map[string]int{}
	log, err := w.engine.Log(t.Context(), h.ID, 0, 100)
	require.NoError(t, err)
	for i := range log {
		count[log[i].Text]++
	}
	assert.Equal(t, 1, count["once"])
	assert.Equal(t, 1, count["noted"])

	// The user wrote meanwhile: the agent is asked, and may send all the same.
	seen := log[len(log)-1].Seq
	w.bot("c")
	got := w.call("agent", http.MethodPost, at+"/messages", map[string]any{"id": "m-2", "text": "two", "seen": seen})
	assert.Equal(t, http.StatusConflict, got.status)
	assert.Equal(t, "stale", got.body["code"])
	assert.NotNil(t, got.body["current"])
	assert.Equal(t, http.StatusOK, w.call("agent", http.MethodPost, at+"/messages", map[string]any{"id": "m-2", "text": "two", "seen": seen, "force": true}).status)

	// Somebody else is faster.
	l := w.waiting("l", "list")
	w.actor("agent", &desk.Actor{ID: "me", Role: desk.Agent})
	w.actor("col", &desk.Actor{ID: "col", Role: desk.Agent})
	for _, id := range []string{"me", "col"} {
		a, err := w.engine.Directory().Get(t.Context(), id)
		require.NoError(t, err)
		a.Queues = append(a.Queues, "list")
		require.NoError(t, w.engine.Directory().(handoff.DirectoryWriter).Put(t.Context(), a))
	}
	assert.Equal(t, http.StatusOK, w.call("col", http.MethodPost, "api/handoffs/"+token(l)+"/accept", map[string]any{"op": "a"}).status)
	got = w.call("agent", http.MethodPost, "api/handoffs/"+token(l)+"/accept", map[string]any{"op": "b"})
	assert.Equal(t, http.StatusConflict, got.status, got.raw)
	assert.Equal(t, "taken", got.body["code"], got.raw)
	assert.Equal(t, "col", got.body["current"].(map[string]any)["agent"])
}

// TestDesk48ReadOnly: nothing but one's own presence can be changed.
func TestDesk48ReadOnly(t *testing.T) {
	w := newWorld(t, func(c *desk.Config) { c.ReadOnly = true })
	h := w.held("c", "mine", "me")
	for _, rt := range desk.Routes() {
		if rt.Method == http.MethodGet || rt.Free {
			continue
		}
		path := strings.ReplaceAll(strings.ReplaceAll(rt.Path, "{id}", token(h)), "{name}", "x")
		got := w.call("admin", rt.Method, path, map[string]any{"op": "x"})
		assert.Equal(t, http.StatusForbidden, got.status, path)
		assert.Equal(t, "read_only", got.body["code"], path)
	}
}

// hidden is a middleware that wraps the writer without Unwrap.
type hidden struct{ w http.ResponseWriter }

func (h hidden) Header() http.Header         { return h.w.Header() }
func (h hidden) Write(b []byte) (int, error) { return h.w.Write(b) }
func (h hidden) WriteHeader(status int)      { h.w.WriteHeader(status) }

// TestDesk14HiddenFlush: where the stream cannot flush, the page is told to
// poll, and polling works.
func TestDesk14HiddenFlush(t *testing.T) {
	w := newWorld(t)
	for name, server := range map[string]*httptest.Server{
		"no unwrap": httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.desk.ServeHTTP(hidden{rw}, r) })),
		"timeout":   httptest.NewServer(http.TimeoutHandler(w.desk, time.Minute, "late")),
	} {
		t.Run(name, func(t *testing.T) {
			defer server.Close()
			old := w.server.URL
			w.server.URL = server.URL
			defer func() { w.server.URL = old }()
			got := w.call("agent", http.MethodGet, "api/events", nil)
			assert.Equal(t, http.StatusNotImplemented, got.status)
			assert.Equal(t, "no_stream", got.body["code"])

			first := w.call("agent", http.MethodGet, "api/changes?session=s", nil)
			assert.Contains(t, first.raw, `"reset"`)
			w.waiting(strings.ReplaceAll(name, " ", "")+"c", "mine")
			cursor := first.body["cursor"].(string)
			all := ""
			w.until("the row comes", func() bool {
				next := w.call("agent", http.MethodGet, "api/changes?session=s&after="+cursor+"&wait=5", nil)
				cursor = next.body["cursor"].(string)
				all += next.raw
				return strings.Contains(all, `"1.`+strings.ReplaceAll(name, " ", "")+`c"`)
			})
		})
	}
}

// TestDesk13Cursors: a cursor of this process goes on where it stopped; one of
// another process, or one that is too old, begins anew.
func TestDesk13Cursors(t *testing.T) {
	w := newWorld(t)
	w.waiting("zero", "mine")
	w.until("the desk has read it", func() bool {
		return strings.Contains(w.call("agent", http.MethodGet, "api/snapshot", nil).raw, `"1.zero"`)
	})
	c := w.listen("agent", "session=s")
	reset := w.next(c, "reset", named("reset"))
	assert.Contains(t, reset.data, `"1.zero"`, "a page that begins needs no second request")
	w.waiting("one", "mine")
	first := w.next(c, "one", func(e told) bool { return strings.Contains(e.data, `"1.one"`) })
	w.waiting("two", "mine")
	w.next(c, "two", func(e told) bool { return strings.Contains(e.data, `"1.two"`) })

	again := w.listen("agent", "session=s", "Last-Event-ID", first.id)
	w.next(again, "two only", func(e told) bool {
		assert.NotEqual(t, "reset", e.name)
		assert.NotContains(t, e.data, `"1.one"`)
		return strings.Contains(e.data, `"1.two"`)
	})
	// The same actor, so that it is for its number that a cursor is refused.
	begins := func(cursor string) told {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context()) // else the agent has too many
		defer stop()
		return w.next(w.listenUntil(ctx, "agent", "session=s", "Last-Event-ID", cursor), "what comes first for "+cursor, func(e told) bool {
			return e.name != "hello" && e.name != "ping"
		})
	}
	mark, _, _ := strings.Cut(reset.id, ".")
	old := []string{"other.1", "", "x", mark, mark + ".", mark + ".999999", mark + ".-1", mark + ".x", mark + ".99999999999999999999", mark + ".1.1"}
	assert.NotEqual(t, "reset", begins(first.id).name)
	require.Equal(t, http.StatusOK, w.call("agent", http.MethodPost, "api/viewing", map[string]string{"session": "s", "tab": "t", "id": "1.one"}).status)
	for range desk.RingSize {
		w.desk.UserTyping("one", true)
	}
	for _, cursor := range append(old, first.id, mark+".0") {
		e := begins(cursor)
		if !assert.Equal(t, "reset", e.name, cursor) {
			continue
		}
		var all struct{ Rows []struct{ ID string } }
		require.NoError(t, json.Unmarshal([]byte(e.data), &all))
		var ids []string
		for _, r := range all.Rows {
			ids = append(ids, r.ID)
		}
		assert.ElementsMatch(t, []string{"1.zero", "1.one", "1.two"}, ids, cursor)
		var polled batch
		polled, err := w.poll(t.Context(), "agent", "session=s&wait=0&after="+url.QueryEscape(cursor))
		require.NoError(t, err)
		require.NotEmpty(t, polled.Events, cursor)
		assert.Equal(t, "reset", polled.Events[0].Event, cursor)
	}
}

// A host's Auth that fails, panics, says nonsense, or changes its mind.
func TestAuthHook(t *testing.T) {
	w := newWorld(t, func(c *desk.Config) {
		ask := c.Auth
		c.Auth = func(r *http.Request) (desk.Actor, error) {
			switch r.Header.Get("X-Actor") {
			case "panics":
				panic("at home")
			case "fails":
				return desk.Actor{}, errors.New("database is down: secret")
			case "empty":
				return desk.Actor{}, nil
			case "odd":
				return desk.Actor{ID: "x", Role: 17}, nil
			}
			return ask(r)
		}
	})
	for who, want := range map[string]int{"panics": 503, "fails": 403, "empty": 500, "odd": 500, "stranger": 401} {
		for _, path := range []string{"api/snapshot", "", "api/events"} {
			got := w.call(who, http.MethodGet, path, nil)
			assert.Equal(t, want, got.status, "%s %s", who, path)
			assert.NotContains(t, got.raw, "secret")
		}
	}

	// Whoever is thrown out hears no more: at once by Kick.
	c := w.listen("agent", "session=s")
	w.next(c, "reset", named("reset"))
	w.actor("agent", nil)
	w.desk.Kick("me")
	w.next(c, "good-bye", named("bye"))
	_, open := <-c
	assert.False(t, open)
	assert.Equal(t, http.StatusUnauthorized, w.call("agent", http.MethodGet, "api/snapshot", nil).status)
}

// Streams are limited, for each actor and in all.
func TestStreamLimits(t *testing.T) {
	w := newWorld(t, func(c *desk.Config) { c.MaxStreams = 9 })
	for range 8 {
		w.next(w.listen("agent", "session=s"), "hello", named("hello"))
	}
	assert.Equal(t, http.StatusTooManyRequests, w.call("agent", http.MethodGet, "api/events", nil).status, "the ninth of one actor")
	w.next(w.listen("col", "session=s"), "hello", named("hello"))
	w.actor("third", &desk.Actor{ID: "third", Role: desk.Viewer})
	assert.Equal(t, http.StatusTooManyRequests, w.call("third", http.MethodGet, "api/events", nil).status, "the tenth in all")
}

// A desk that does not run says so.
func TestNotRunning(t *testing.T) {
	w := newWorld(t)
	d, err := desk.New(desk.Config{Engine: w.engine, Auth: func(*http.Request) (desk.Actor, error) { return desk.Actor{ID: "x", Role: desk.Admin}, nil }})
	require.NoError(t, err)
	for _, path := range []string{"/api/snapshot", "/api/events", "/api/changes", "/api/handoffs"} {
		rec := httptest.NewRecorder()
		d.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		assert.Equal(t, http.StatusServiceUnavailable, rec.Code, path)
		assert.Contains(t, rec.Body.String(), "not_running")
	}
}

// TestDesk26TenThousand: lists are windows, counts are exact.
func TestDesk26TenThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("many handoffs")
	}
	w := newWorld(t)
	const n = 10_000
	for i := range n {
		c := fmt.Sprintf("c%05d", i)
		_, err := w.engine.Request(t.Context(), handoff.Request{Conversation: c, Queue: "mine"})
		require.NoError(t, err)
	}
	w.until("all are counted", func() bool {
		got := w.call("agent", http.MethodGet, "api/snapshot", nil)
		return got.body["queues"].([]any)[0].(map[string]any)["waiting"].(float64) == n
	})
	got := w.call("agent", http.MethodGet, "api/snapshot", nil)
	assert.Len(t, got.body["rows"], 200)
	assert.InDelta(t, n, got.body["totals"].(map[string]any)["new"], 0)
	seen := map[string]bool{}
	for next, more := "", true; more; {
		page := w.call("agent", http.MethodGet, "api/handoffs?list=new&after="+url.QueryEscape(next), nil)
		assert.InDelta(t, n, page.body["total"], 0)
		for _, r := range page.body["rows"].([]any) {
			seen[r.(map[string]any)["id"].(string)] = true
		}
		next, more = page.body["next"].(string)
	}
	assert.Len(t, seen, n)
	assert.Less(t, len(got.raw), 200<<10, "a snapshot stays small")
}

// TestDesk43ServerTime: a page gets the server's time with all it needs to count.
func TestDesk43ServerTime(t *testing.T) {
	w := newWorld(t)
	before := time.Now().UnixMilli()
	got := w.call("agent", http.MethodGet, "api/snapshot", nil)
	assert.GreaterOrEqual(t, int64(got.body["now"].(float64)), before)
	assert.Contains(t, w.call("agent", http.MethodGet, "", nil).raw, `"now":`)
}

// TestDesk36Exports: cells that a spreadsheet would run are neutralised, lines
// of JSON are what was said, and only what the actor may see is in it.
func TestDesk36Exports(t *testing.T) {
	w := newWorld(t)
	evil := []string{"=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"}
	for i, text := range evil {
		h := w.ended(fmt.Sprintf("e%d", i), "mine", "me")
		_, err := w.engine.Note(t.Context(), h.ID, handoff.By("me"), text)
		require.NoError(t, err)
		_, err = w.engine.Tag(t.Context(), h.ID, handoff.By("me"), []string{strings.TrimSpace(text)}, nil)
		require.NoError(t, err)
	}
	w.ended("far", "theirs", "far")
	csv := w.call("supervisor", http.MethodGet, "api/export/csv", nil)
	require.Equal(t, http.StatusOK, csv.status)
	assert.Contains(t, csv.header.Get("Content-Disposition"), "attachment")
	assert.NotRegexp(t, `(?m)(^|,)"?[=+@]`, csv.raw)
	assert.NotContains(t, csv.raw, "theirs")
	assert.True(t, strings.HasPrefix(csv.raw, "\uFEFFconversation,"), "a spreadsheet reads it as what it is")
	assert.Contains(t, csv.raw, ",User of e0,", "people have names")
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	named := w.call("supervisor", http.MethodGet, fmt.Sprintf("api/export/csv?zone=UTC&from=%d&to=%d", day.UnixMilli(), day.AddDate(0, 0, 27).UnixMilli()), nil)
	assert.Contains(t, named.header.Get("Content-Disposition"), `"handoffs-2026-11-01-2026-11-27.csv"`, "its last day is that of the range")
	lines := w.call("supervisor", http.MethodGet, "api/export/ndjson", nil)
	var texts []string
	for line := range strings.SplitSeq(strings.TrimSpace(lines.raw), "\n") {
		var v map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		if s, ok := v["text"].(string); ok {
			texts = append(texts, s)
		}
	}
	for _, text := range evil {
		assert.True(t, slices.Contains(texts, text) || strings.Contains(lines.raw, strings.Trim(string(must(json.Marshal(text))), `"`)), "%q", text)
	}
	assert.NotContains(t, lines.raw, "theirs")
	assert.Contains(t, w.call("admin", http.MethodGet, "api/export/ndjson", nil).raw, "theirs")
	w.mu.Lock()
	defer w.mu.Unlock()
	assert.True(t, slices.ContainsFunc(w.audit, func(r desk.Record) bool { return r.What == "export" }), "whoever takes something away is written down")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Statistics agree with what happened.
func TestStats(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.ended(fmt.Sprintf("s%d", i), "mine", "me")
	}
	h := w.waiting("gone", "mine")
	_, err := w.engine.Cancel(t.Context(), h.ID.Conversation, true)
	require.NoError(t, err)
	w.ended("far", "theirs", "far")
	for _, zone := range []string{"Europe/Madrid", "America/New_York", "Australia/Lord_Howe"} {
		got := w.call("supervisor", http.MethodGet, "api/stats?zone="+zone, nil)
		require.Equal(t, http.StatusOK, got.status, got.raw)
		assert.InDelta(t, 4, got.body["requests"], 0)
		assert.InDelta(t, 3, got.body["accepted"], 0)
		assert.InDelta(t, 1, got.body["abandoned"], 0)
		sum := 0.0
		for _, s := range got.body["slots"].([]any) {
			sum += s.(map[string]any)["requests"].(float64)
		}
		assert.InDelta(t, 4, sum, 0)
	}
	assert.InDelta(t, 5, w.call("admin", http.MethodGet, "api/stats", nil).body["requests"], 0)
}
