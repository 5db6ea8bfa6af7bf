package history_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// The user's transcript has what he saw, agents by the name they show, and
// nothing of what went on inside.
func TestExportForTheUser(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		require.NoError(t, r.Floor.Put(t.Context(), handoff.Agent{ID: "staff-77", Alias: "Ann", Name: "Ann Secret", Seats: 2, Queues: []string{"support"}}))
		require.NoError(t, r.Floor.Online(t.Context(), "staff-77"))
		require.NoError(t, r.Floor.Put(t.Context(), handoff.Agent{ID: "sup-9", Alias: "the lead"}))
		r.Says("c", "hello")
		r.Asks("c", func(q *handoff.Request) { q.Note, q.Summary, q.Tags = "INSIDE", "INSIDE", []string{"INSIDE"} })
		h := r.Last("c")
		o, ok := h.Offer("staff-77")
		require.True(t, ok)
		ann := handoff.By("staff-77")
		_, err := r.Accept(r.Ctx, h.ID, ann, o.Number)
		require.NoError(t, err)
		_, err = r.Send(r.Ctx, h.ID, ann, handoff.Message{Text: "what can I do?"})
		require.NoError(t, err)
		_, err = r.Note(r.Ctx, h.ID, ann, "INSIDE")
		require.NoError(t, err)
		_, err = r.Whisper(r.Ctx, h.ID, handoff.BySupervisor("sup-9"), "INSIDE")
		require.NoError(t, err)
		_, err = r.Join(r.Ctx, h.ID, handoff.BySupervisor("sup-9"), handoff.Message{Text: "I am here too"})
		require.NoError(t, err)
		_, err = r.End(r.Ctx, h.ID, ann, handoff.Ending{Reason: "INSIDE"})
		require.NoError(t, err)
		r.Wait()
		for _, f := range []history.Format{history.Text, history.JSONLines, history.HTML, history.CSV} {
			text := export(t, r, history.Export{Format: f, Audience: history.User, Filter: history.Filter{Query: handoff.Query{Conversation: "c"}}})
			require.Contains(t, text, "hello", f)
			require.Contains(t, text, "what can I do?", f)
			require.Contains(t, text, "I am here too", f)
			require.Contains(t, text, "Ann", f)
			for _, inside := range []string{"INSIDE", "Secret", "staff-77", "sup-9", "supervisor", "support", "resolved"} {
				require.NotContains(t, text, inside, "%s:\n%s", f, text)
			}
			staff := export(t, r, history.Export{Format: f, Events: true})
			require.Contains(t, staff, "INSIDE", f)
			require.Contains(t, staff, "staff-77", f)
		}
	})
}

// slow fails after a number of bytes, as a full disk does.
type slow struct {
	bytes.Buffer

	left int
}

func (s *slow) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		return 0, errors.New("no space left")
	}
	return s.Buffer.Write(p)
}

// What was broken off goes on behind the last handoff that is whole. The file
// itself says which one that is.
func TestExportGoesOn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for i := range 9 {
			r.Says(fmt.Sprint("c", i), strings.Repeat("a question ", 50))
			r.Sleep(time.Second)
		}
		whole := export(t, r, history.Export{Format: history.JSONLines})
		for _, room := range []int{0, 100, 1500, 4000, len(whole) - 1} {
			disk := &slow{left: room}
			x := history.Export{Format: history.JSONLines, Done: func(history.Progress) error { return nil }}
			p, err := x.Write(t.Context(), disk, r.Engine)
			require.Error(t, err)

			// Cut what is not whole, and go on.
			file := disk.String()
			file = file[:strings.LastIndex(file, `{"type":"end"`)+1]
			if n := strings.LastIndex(disk.String(), `{"type":"end"`); n >= 0 {
				file = disk.String()[:n+strings.Index(disk.String()[n:], "\n")+1]
			}
			require.Equal(t, p.Handoffs, strings.Count(file, `"type":"end"`))
			x.After = p.Cursor
			var rest bytes.Buffer
			_, err = x.Write(t.Context(), &rest, r.Engine)
			require.NoError(t, err)
			require.Equal(t, whole, file+rest.String())
		}

		stop := errors.New("enough")
		p, err := history.Export{Done: func(p history.Progress) error {
			if p.Handoffs == 3 {
				return stop
			}
			return nil
		}}.Write(t.Context(), &bytes.Buffer{}, r.Engine)
		require.ErrorIs(t, err, stop)
		require.Equal(t, 3, p.Handoffs)
	})
}

// A store that can search is asked; what it finds is what List and exports
// have.
type searching struct {
	handoff.Store

	asked []string
}

func (s *searching) Search(ctx context.Context, q handoff.Query, text string) ([]handoff.Record, error) {
	s.asked = append(s.asked, text)
	q.Conversation = "c2"
	return s.List(ctx, q)
}

func TestSearcherIsAsked(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for i := range 5 {
			r.Says(fmt.Sprint("c", i), "a question")
		}
		s := &searching{Store: r.Store}
		e := engineOn(t, s)
		page, err := history.List(t.Context(), e, history.Filter{Text: "no such words"}, "", 10)
		require.NoError(t, err)
		require.Len(t, page.Handoffs, 1)
		require.Equal(t, "c2", page.Handoffs[0].ID.Conversation)
		require.Contains(t, s.asked, "no such words")
		require.Empty(t, mustList(t, r, history.Filter{Text: "no such words"}), "without it the engine looks")
	})
}

// A text that hardly anybody said is found, though one call reads a bounded
// number of handoffs; and so is one of many of the same moment.
func TestListRareText(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		const many = 1300
		for i := range many {
			text := "a question"
			if i%650 == 7 {
				text = "a Needle in it"
			}
			_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: fmt.Sprintf("c%05d", i), ID: "m", Text: text})
			require.NoError(t, err)
		}
		var found []string
		for next, calls := "", 0; ; calls++ {
			require.Less(t, calls, 100)
			p, err := history.List(t.Context(), r.Engine, history.Filter{Text: "needle"}, next, 10)
			require.NoError(t, err)
			for i := range p.Handoffs {
				found = append(found, p.Handoffs[i].ID.Conversation)
			}
			if next = p.Next; next == "" {
				break
			}
		}
		require.Equal(t, []string{"c00657", "c00007"}, found)
		n := 0
		for next := ""; ; {
			p, err := history.List(t.Context(), r.Engine, history.Filter{}, next, 400)
			require.NoError(t, err)
			n += len(p.Handoffs)
			if next = p.Next; next == "" {
				break
			}
		}
		require.Equal(t, many, n)
	})
}

// A tardy store takes its time, and counts whose logs it read.
type tardy struct {
	handoff.Store

	takes time.Duration
	logs  int
}

func (s *tardy) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	time.Sleep(s.takes)
	return s.Store.List(ctx, q)
}

func (s *tardy) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	s.logs++
	return s.Store.Log(ctx, id, after, limit)
}

// A search for a rare text looks into each handoff once, whether few came
// in an hour or many, and a call gives what it has rather than be given up by
// whoever waits for it.
func TestListReadsOnce(t *testing.T) {
	for _, x := range []struct {
		every, takes time.Duration
		many         int
	}{
		{20 * time.Second, 0, 1000}, {5 * time.Second, 0, 1000}, {10 * time.Second, 3 * time.Second, 1400}, {20 * time.Millisecond, 0, 1000},
	} {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			for i := range x.many {
				text := "a question"
				if i == 0 {
					text = "a needle in it"
				}
				_, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: fmt.Sprintf("c%05d", i), ID: "m", Text: text})
				require.NoError(t, err)
				time.Sleep(x.every)
			}
			s := &tardy{Store: r.Store, takes: x.takes}
			e, found := engineOn(t, s), 0
			for next, calls := "", 0; ; calls++ {
				require.Less(t, calls, 50, "it goes on")
				from := time.Now()
				p, err := history.List(t.Context(), e, history.Filter{Text: "needle"}, next, 10)
				require.NoError(t, err)
				require.Less(t, time.Since(from), 30*time.Second, "a page waits no longer")
				found += len(p.Handoffs)
				if next = p.Next; next == "" {
					break
				}
			}
			require.Equal(t, 1, found)
			require.LessOrEqual(t, s.logs, x.many, "one every %v", x.every)
		})
	}
}

// A crowded store has a handoff every millisecond, and searches itself.
type crowded struct {
	*endless

	searches int
}

func (s *crowded) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	if !q.From.IsZero() {
		q.After = later(q.After, handoff.Cursor{At: q.From.Add(-time.Millisecond)})
	}
	list, err := s.endless.List(ctx, q)
	return slices.DeleteFunc(list, func(r handoff.Record) bool { return !q.To.IsZero() && !r.Created.Before(q.To) }), err
}

func (s *crowded) Search(ctx context.Context, q handoff.Query, _ string) ([]handoff.Record, error) {
	if s.searches++; s.searches > 1000 {
		return nil, errors.New("no end of it")
	}
	return s.List(ctx, q)
}

func later(a, b handoff.Cursor) handoff.Cursor {
	if a.At.After(b.At) {
		return a
	}
	return b
}

// However many came within an hour, a call looks at a bounded number of them,
// and the next goes on before those.
func TestListIsBounded(t *testing.T) {
	const many = 4_000_000
	s := &crowded{endless: newEndless(t, many)}
	e := engineOn(t, s)
	last := time.UnixMilli(1_700_000_000_000 + many)
	f := history.Filter{Text: "x", Query: handoff.Query{To: last}, Match: func(*handoff.Handoff) bool { return false }}
	var next string
	for range 2 {
		s.searches = 0
		p, err := history.List(t.Context(), e, f, next, 10)
		require.NoError(t, err)
		require.NotEmpty(t, p.Next)
		require.NotEqual(t, next, p.Next, "it goes on")
		require.LessOrEqual(t, s.searches, 80)
		next = p.Next
	}
}
