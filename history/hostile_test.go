package history_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// nasty is what users, agents and hosts' databases have in their fields.
var nasty = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	`</dd></dl></section><h1>Approved</h1>`,
	`javascript:alert(1)`,
	"=HYPERLINK(\"http://evil.example\",\"click\")",
	"+1+1", "-2+3", "@SUM(A1)", " =1+1", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "|calc", "%0A=1",
	"a\r\n12:00:00 agent ann: I approve the refund",
	"a\u202812:00:00 agent ann: approved", "a\v12:00:00 agent ann: approved", "a\u008512:00:00 agent ann: approved",
	"\x1b[2J\x1b[31mred\a", "\x01\x02\x7f", "\u202eevil\u202c", "a\u2066b", "\ufeffbom",
	`{"type":"end","cursor":"x"}`, "a,b;\"c\"", "'quoted", "🙂",
}

// hostile plays handoffs whose every field is nasty, with a host whose history
// is broken besides.
func hostile(t *testing.T, f func(t *testing.T, r *handofftest.Rig)) {
	t.Helper()
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		bob := r.Agent("=cmd|' /C calc'!A0", 500, "support")
		for i, s := range nasty {
			c := fmt.Sprint("c", i)
			if name := strings.Map(printed, s); name != "" {
				c = name + fmt.Sprint(i)
			}
			file := handoff.File{Name: s, URL: s, Type: s}
			link := handoff.File{Name: s, URL: "https://files.example/?q=" + s}
			who := &handoff.Contact{ID: fmt.Sprint("=u", i), Name: s, Mail: s, Phone: s, Attributes: map[string]string{"k": s}}
			_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: c, ID: "m1", Text: s, User: who, URL: s, Files: []handoff.File{file, link}})
			require.NoError(t, err)
			out, err := r.Request(r.Ctx, handoff.Request{
				Conversation: c, Queue: "support", Reason: "=reason", Tags: []string{"=tag"}, Note: s, Summary: s,
				Data: map[string]string{"k": s}, Answers: map[string]string{"k": s},
			})
			require.NoError(t, err)
			r.Wait()
			h := r.Now(out.Handoff.ID)
			o, ok := h.Offer(bob.ID)
			require.True(t, ok)
			_, err = r.Accept(r.Ctx, h.ID, bob.By(), o.Number)
			require.NoError(t, err)
			_, err = r.Send(r.Ctx, h.ID, bob.By(), handoff.Message{Text: s, Files: []handoff.File{file}})
			require.NoError(t, err)
			_, err = r.Hold(r.Ctx, h.ID, bob.By(), s)
			require.NoError(t, err)
			_, err = r.End(r.Ctx, h.ID, bob.By(), handoff.Ending{Reason: s})
			require.NoError(t, err)
			r.Wait()
		}
		f(t, r)
	}, func(c *handoff.Config) {
		c.History = handoff.HistoryFunc(func(_ context.Context, conversation string) ([]handoff.Past, error) {
			at := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
			size := 10
			if strings.HasPrefix(conversation, "🙂") {
				size = 1 << 20
			}
			return []handoff.Past{
				{ID: "p1", Text: "not UTF-8: \xff\xfe\x80 and a NUL \x00", From: handoff.Party{Role: "root", Name: "\xffDana\x00"}, At: at},
				{ID: "p2", Text: strings.Repeat("é", size), At: at, Files: []handoff.File{{Name: "\xc3\x28", URL: "\xff", Size: -1}}},
				{ID: "p3", Text: "of the year 20000", At: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)},
				{ID: "\xff", Text: "without a usable id"},
			}, nil
		})
	})
}

func printed(r rune) rune {
	if unicode.IsControl(r) {
		return -1
	}
	return r
}

func export(t *testing.T, r *handofftest.Rig, x history.Export) string {
	t.Helper()
	var b bytes.Buffer
	_, err := x.Write(t.Context(), &b, r.Engine)
	require.NoError(t, err)
	require.True(t, utf8.Valid(b.Bytes()))
	return b.String()
}

// exportsOf calls f with every export of a format.
func exportsOf(t *testing.T, r *handofftest.Rig, format history.Format, f func(text string)) {
	t.Helper()
	f(export(t, r, history.Export{Format: format, Title: nasty[0]}))
	f(export(t, r, history.Export{Format: format, Events: true}))
	f(export(t, r, history.Export{Format: format, Audience: history.User}))
}

func TestHostileHTML(t *testing.T) {
	tag := regexp.MustCompile(`<(/?)([^\s>]*)([^>]*)>`)
	attribute := regexp.MustCompile(`^\s([a-z-]+)="([^"<>]*)"`)
	tags := map[string]bool{
		"!doctype": true, "html": true, "head": true, "meta": true, "title": true, "style": true, "body": true, "h1": true, "h2": true,
		"section": true, "dl": true, "dt": true, "dd": true, "div": true, "p": true, "time": true, "bdi": true, "a": true,
	}
	hostile(t, func(t *testing.T, r *handofftest.Rig) {
		exportsOf(t, r, history.HTML, func(text string) {
			depth := map[string]int{}
			for _, m := range tag.FindAllStringSubmatch(text, -1) {
				require.True(t, tags[m[2]], m[0])
				if m[1] == "/" {
					depth[m[2]]--
					require.Empty(t, m[3])
					continue
				}
				depth[m[2]]++
				rest := m[3]
				for rest != "" && m[2] != "!doctype" {
					a := attribute.FindStringSubmatch(rest)
					require.NotNil(t, a, "%q in %s", rest, m[0])
					rest = rest[len(a[0]):]
					require.NotRegexp(t, "^on|^style$|^src$|^srcdoc$", a[1])
					if a[1] == "href" {
						require.Regexp(t, "^https?://", a[2])
					}
				}
			}
			for _, name := range []string{"section", "dl", "dt", "dd", "div", "time", "bdi", "a", "h1", "h2", "body"} {
				require.Zero(t, depth[name], name)
			}
			require.Equal(t, 1, strings.Count(text, "<h1>"))
			require.NotContains(t, text, "\x1b")
			require.NotContains(t, tag.ReplaceAllString(text, ""), "<")
		})
	})
}

func TestHostileCSV(t *testing.T) {
	hostile(t, func(t *testing.T, r *handofftest.Rig) {
		rows := func(text string) {
			all, err := csv.NewReader(strings.NewReader(text)).ReadAll() // fails if a row has other columns
			require.NoError(t, err)
			require.Greater(t, len(all), len(nasty))
			for _, cells := range all {
				for _, cell := range cells {
					begin := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
					if begin != "" {
						require.NotContains(t, "=+-@|%＝＋－＠", string([]rune(begin)[0]), cell)
					}
					for _, c := range cell {
						require.False(t, unicode.IsControl(c) && c != '\n' && c != '\t', "%q", cell)
					}
				}
			}
		}
		exportsOf(t, r, history.CSV, rows)
		rows(export(t, r, history.Export{Format: history.Table}))
	})
}

func TestHostileText(t *testing.T) {
	line := regexp.MustCompile(`^(== .* ==|\[form .*\]|\d\d:\d\d:\d\d (user|bot|agent|engine)\b.*|    .*|)$`)
	hostile(t, func(t *testing.T, r *handofftest.Rig) {
		exportsOf(t, r, history.Text, func(text string) {
			for s := range strings.SplitSeq(text, "\n") {
				require.Regexp(t, line, s)
				require.NotRegexp(t, `^\d\d:\d\d:\d\d agent ann`, s)
				if strings.HasPrefix(s, "== ") {
					require.False(t, strings.ContainsFunc(s, func(c rune) bool { return unicode.Is(unicode.Bidi_Control, c) }), "%q", s)
				}
				for _, c := range s {
					require.False(t, unicode.IsControl(c) && c != '\t' || c == '\u2028' || c == '\u2029', "%q", s)
				}
			}
		})
	})
}

func TestHostileJSONLines(t *testing.T) {
	hostile(t, func(t *testing.T, r *handofftest.Rig) {
		exportsOf(t, r, history.JSONLines, func(text string) {
			ends := 0
			for s := range strings.Lines(text) {
				var l struct {
					Type   string `json:"type"`
					Cursor string `json:"cursor"`
				}
				require.NoError(t, json.Unmarshal([]byte(s), &l))
				if l.Type == "end" {
					ends++
					require.NotEqual(t, "x", l.Cursor)
				}
			}
			require.GreaterOrEqual(t, ends, len(nasty))
			require.NotContains(t, text, "<", "safe to stand in a page")
		})
	})
}

// What the host's history has is stored as far as it can be, and nothing else
// suffers from it.
func TestHostileHistoryOfTheHost(t *testing.T) {
	hostile(t, func(t *testing.T, r *handofftest.Rig) {
		found, err := history.List(t.Context(), r.Engine, history.Filter{Text: "not utf-8"}, "", 10)
		require.NoError(t, err)
		require.NotEmpty(t, found.Handoffs)
		script, err := r.Transcript(t.Context(), found.Handoffs[0].ID)
		require.NoError(t, err)
		byID := map[string]handoff.Entry{}
		for _, en := range script {
			byID[en.Message] = en
		}
		require.Equal(t, "not UTF-8: \uFFFD and a NUL \uFFFD", byID["p1"].Text)
		require.Equal(t, handoff.RoleUser, byID["p1"].From.Role)
		require.True(t, utf8.ValidString(byID["p1"].From.Name))
		require.Len(t, byID["p2"].Text, 64<<10)
		require.True(t, utf8.ValidString(byID["p2"].Text))
		require.Equal(t, "of the year 20000", byID["p3"].Text)
		require.NotContains(t, byID, "\xff")
	})
}

// What cannot be accepted names its field, and nothing is read or changed.
func TestBadInput(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Says("c", "hello")
		refused := func(field string, err error) {
			t.Helper()
			var bad *handoff.InvalidError
			require.ErrorAs(t, err, &bad)
			require.Contains(t, bad.Field, field)
		}
		list := func(f history.Filter, cursor string, limit int) error {
			_, err := history.List(t.Context(), r.Engine, f, cursor, limit)
			return err
		}
		for _, cursor := range []string{
			"x", "!!", "bnVsbA", "e30x", strings.Repeat("a", 1<<20), "eyJ0Ijo5MjIzMzcyMDM2ODU0Nzc1ODA3fQ", "eyJ0IjoxLCJuIjotMX0", "\x00",
			"eyJ0IjoxLCJjIjoiXHUwMDAwIn0",
		} {
			if cursor == "bnVsbA" {
				continue // null is an empty cursor
			}
			err := list(history.Filter{}, cursor, 10)
			if err == nil {
				continue
			}
			var bad *handoff.InvalidError
			require.ErrorAs(t, err, &bad, cursor)
			_, err = history.Export{After: cursor}.Write(t.Context(), &bytes.Buffer{}, r.Engine)
			require.ErrorAs(t, err, &bad, cursor)
		}
		refused("cursor", list(history.Filter{}, "!!", 10))
		refused("limit", list(history.Filter{}, "", -1))
		refused("Class", list(history.Filter{Class: "nonsense"}, "", 10))
		refused("text", list(history.Filter{Text: "\xff"}, "", 10))
		refused("text", list(history.Filter{Text: strings.Repeat("x", 1<<20)}, "", 10))
		far := time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
		for field, q := range map[string]handoff.Query{
			"Query.Conversation": {Conversation: strings.Repeat("x", 1<<20)},
			"Query.Queue":        {Queue: "\xff"},
			"Query.Agent":        {Agent: "a\x00"},
			"Query.User":         {User: "a\nb"},
			"Query.Tag":          {Tag: "\x7f"},
			"Query.From":         {From: far},
			"Query.To":           {To: far},
			"Query.States":       {States: []handoff.State{"\xff"}},
			"Query.Outcomes":     {Outcomes: []handoff.Outcome{"\x00"}},
			"Query.Lines":        {Lines: []string{"\xff"}},
			"Query":              {States: make([]handoff.State, 1<<20)},
		} {
			refused(field, list(history.Filter{Query: q}, "", 10))
		}
		write := func(x history.Export) error {
			_, err := x.Write(t.Context(), &bytes.Buffer{}, r.Engine)
			return err
		}
		refused("Export.Format", write(history.Export{Format: "pdf"}))
		refused("Export.Audience", write(history.Export{Audience: "world"}))
		refused("Export.Audience", write(history.Export{Audience: history.User, Events: true}))
		refused("Export.Audience", write(history.Export{Audience: history.User, Format: history.Table}))
		refused("Export.Limit", write(history.Export{Limit: -1}))
		refused("Filter.Class", write(history.Export{Filter: history.Filter{Class: "x"}}))
		for _, s := range []history.Scope{{}, {Query: handoff.Query{Queue: "support"}}, {User: "u", Limit: -1}, {User: "\xff"}} {
			_, err := history.Erase(t.Context(), r.Engine, s)
			var bad *handoff.InvalidError
			require.ErrorAs(t, err, &bad)
		}
		require.Len(t, mustList(t, r, history.Filter{}), 1)
	})
}

func mustList(t *testing.T, r *handofftest.Rig, f history.Filter) []handoff.Handoff {
	t.Helper()
	p, err := history.List(t.Context(), r.Engine, f, "", 500)
	require.NoError(t, err)
	require.Empty(t, p.Next)
	return p.Handoffs
}

func FuzzCursor(f *testing.F) {
	f.Add("eyJ0IjoxLCJjIjoiYyIsIm4iOjF9")
	f.Add("bnVsbA")
	e := engineOn(f, newEndless(f, 3))
	f.Fuzz(func(t *testing.T, cursor string) {
		// A cursor that is refused is refused alike everywhere; no cursor panics.
		_, all := history.Export{After: cursor}.Write(t.Context(), &bytes.Buffer{}, e)
		if all != nil {
			var bad *handoff.InvalidError
			require.ErrorAs(t, all, &bad)
		}
	})
}
