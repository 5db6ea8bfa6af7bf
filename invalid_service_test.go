package handoff_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// markup is text that would be more than text somewhere else.
const markup = `<script>alert("1")</script><img src=x onerror=y>{agent}{{.}}=cmd()`

// A form takes no answer of a megabyte, nor control characters, nor what is not
// of its kind: the error names the field, nothing is stored, and the question
// stays. Written as a message, such an answer is said to be none.
func TestInvalidAnswers(t *testing.T) {
	fields := []handoff.Field{
		{Name: "text", Label: "Text?"},
		{Name: "long", Max: 100_000},
		{Name: "choice", Kind: handoff.FieldChoice, Choices: []string{"a"}},
		{Name: "mail", Kind: handoff.FieldMail},
		{Name: "phone", Kind: handoff.FieldPhone},
		{Name: "number", Kind: handoff.FieldNumber},
		{Name: "date", Kind: handoff.FieldDate},
		{Name: "code", Pattern: `[A-Z]\d{3}`},
	}
	wrong := map[string][]string{
		"choice": {"b", "A", "a "},
		"mail":   {"dana", "Dana <dana@example.com>", "<dana@example.com>", "dana@example.com (me)", "a@example.com, b@example.com"},
		"phone":  {"12", "call me", "1234567890123456", "+34 600 x"},
		"number": {"one", "1,5", "NaN", "inf", "-Infinity", "1e999"},
		"code":   {"b777", "B7777", "xB777", "B777 B777"},
		"date":   {"2026-02-29", "28.2.2026", "2026-1-1", "tomorrow"},
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support"})
		require.NoError(t, err)
		r.Sleep(time.Second)
		id := r.Last("c").ID
		commits := counting(r)
		refused := func(field string, a handoff.Response) {
			t.Helper()
			_, err := r.Answer(r.Ctx, "c", a)
			var no *handoff.InvalidError
			require.ErrorAs(t, err, &no)
			require.Equal(t, field, no.Field)
			require.Less(t, len(err.Error()), 200)
		}
		for i := range fields {
			name := fields[i].Name
			for _, bad := range badTexts {
				refused("Response.Value", handoff.Response{Field: name, Value: bad})
			}
			if name != "long" {
				refused(name, handoff.Response{Field: name, Value: strings.Repeat("x", 60<<10)})
			}
			refused(name, handoff.Response{Field: name, Value: "a\x1b[31m"})
			refused(name, handoff.Response{Field: name, Value: "a\u0085b"})
			for _, bad := range wrong[name] {
				refused(name, handoff.Response{Field: name, Value: bad})
			}
			if fields[i].Kind != handoff.FieldText {
				refused(name, handoff.Response{Field: name, Value: markup})
				refused(name, handoff.Response{Field: name, Value: "a\nb"})
			}
		}
		refused("Answer.Field", handoff.Response{Field: "nobody", Value: "x"})
		require.Zero(t, commits.Load())
		require.Empty(t, r.Now(id).Answers)

		// Written, it is a message of the user, and no answer.
		_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: "c", ID: "m1", Text: strings.Repeat("x", 60<<10)})
		require.NoError(t, err)
		_, err = r.Receive(r.Ctx, handoff.Incoming{Conversation: "c", ID: "m2", Text: huge})
		require.ErrorIs(t, err, handoff.ErrInvalid)
		require.Empty(t, r.Now(id).Answers)
		require.Equal(t, []string{"Text?", "That is too long. Could you say it shorter?", "Text?"}, told(r, "c"))
	}, queues(handoff.Queue{Name: "support", Intake: &handoff.Form{Fields: fields}}))
}

// HTML, placeholders and formulas in whatever somebody types are text: kept as
// they are, shown as they are, and harmless in an export.
func TestMarkupIsText(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support", User: &handoff.Contact{ID: markup, Name: markup}})
		require.NoError(t, err)
		_, err = r.Answer(r.Ctx, "c", handoff.Response{Value: markup + "\nsecond line"})
		require.NoError(t, err)
		_, err = r.CallBack(r.Ctx, "c", handoff.Callback{Phone: "+1 (23) 4-5", When: markup})
		require.NoError(t, err)
		h := r.Last("c")
		sue := handoff.BySupervisor("sue")
		_, err = r.Notify(r.Ctx, h.ID, sue, handoff.NoticeQuestion, map[string]string{"label": markup + "\n\u202e\x07"})
		require.NoError(t, err)
		_, err = r.Note(r.Ctx, h.ID, sue, markup)
		require.NoError(t, err)
		_, err = r.Tag(r.Ctx, h.ID, sue, []string{markup}, nil)
		require.NoError(t, err)
		r.Wait()
		h = r.Now(h.ID)
		require.Equal(t, markup+"\nsecond line", h.Answers["text"])
		require.Equal(t, markup, h.Callback.When)
		require.Equal(t, []string{markup}, h.Tags)
		require.Contains(t, r.Users.Texts("c"), markup, "one line, no direction, no bell")
		for _, f := range []history.Format{history.HTML, history.CSV, history.Table} {
			var b bytes.Buffer
			_, err := history.Export{Format: f, Events: f == history.HTML}.Write(r.Ctx, &b, r.Engine)
			require.NoError(t, err)
			if f == history.HTML {
				require.NotContains(t, b.String(), "<script>")
				require.NotContains(t, b.String(), "<img")
				require.Contains(t, b.String(), "&lt;script&gt;")
			}
		}
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), Intake: &handoff.Form{Fields: []handoff.Field{{Name: "text"}}}}))
}
