package history_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// made are the ids of entries that nobody chose.
var made = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func desks(c *handoff.Config) {
	patient := []handoff.Rung{{After: 100 * time.Hour, Do: handoff.ToBot}}
	c.Queues = []handoff.Queue{
		{Name: "support", Wrapup: time.Minute, IdleTimeout: handoff.Never},
		{Name: "billing", Ladder: patient, IdleTimeout: handoff.Never, PlaceRepeat: handoff.Never},
		{Name: "shut", NeedAgents: true},
	}
}

// eventful plays a conversation in which no two times, counts or names are
// the same, and one that was refused.
// Nothing of it is left to timers, which come within some seconds.
func eventful(t *testing.T, r *handofftest.Rig) {
	t.Helper()
	ctx := t.Context()
	ann, bob := r.Agent("ann", 5, "support"), r.Agent("bob", 5, "billing")
	ok := func(_ handoff.Handoff, err error) { require.NoError(t, err) }
	turn, err := r.Receive(ctx, handoff.Incoming{
		Conversation: "c1", ID: "m1", Text: "my invoice is wrong",
		Files: []handoff.File{{Name: "invoice.pdf", URL: "https://files.example/i?a=1&b=2"}, {Name: "odd", URL: "ftp://files.example/odd"}},
	})
	require.NoError(t, err)
	r.Sleep(time.Second)
	_, err = r.Reply(ctx, turn, handoff.Message{Text: "let me see"})
	require.NoError(t, err)
	r.Sleep(10 * time.Second)
	id := r.Asks("c1", func(q *handoff.Request) {
		q.User, q.Locale, q.Channel = &handoff.Contact{ID: "dana", Name: "Dana"}, "en", "web"
		q.Answers, q.Tags, q.Note = map[string]string{"order": "17", "topic": "invoice"}, []string{"vip", "eu"}, "wrote twice"
	}).ID
	r.Sleep(20 * time.Second)
	ann.Accept()
	r.Sleep(3 * time.Second)
	ann.Says(id, "hello, I look")
	r.Sleep(5 * time.Second)
	ok(r.Hold(ctx, id, ann.By(), "looking"))
	r.Sleep(40 * time.Second)
	ok(r.Resume(ctx, id, ann.By()))
	ok(r.Transfer(ctx, id, ann.By(), handoff.Target{Queue: "billing", Note: "a refund"}))
	r.Sleep(7 * time.Second)
	bob.Accept()
	bob.Leaves() // before he gives it back, so that what its user is told of the place has one answer
	ok(r.Requeue(ctx, id, bob.By(), "lunch"))
	r.Sleep(5 * time.Minute)
	bob.Comes()
	r.Sleep(6 * time.Second)
	ok(r.Transfer(ctx, id, handoff.BySupervisor("sue"), handoff.Target{Queue: "support"}))
	r.Sleep(4 * time.Second)
	ann.Accept()
	_, err = r.Note(ctx, id, ann.By(), "refunded")
	require.NoError(t, err)
	ok(r.Transfer(ctx, id, ann.By(), handoff.Target{Agent: "bob"}))
	bob.Accept()
	r.Sleep(2 * time.Second)
	ok(r.End(ctx, id, bob.By(), handoff.Ending{Reason: "refund"}))
	r.Sleep(13 * time.Second)
	ok(r.End(ctx, id, bob.By(), handoff.Ending{}))
	ok(r.Rate(ctx, id, 4, "fine"))
	_, err = r.Request(ctx, handoff.Request{Conversation: "c2", Queue: "shut", User: &handoff.Contact{ID: "erik"}})
	require.ErrorIs(t, err, handoff.ErrUnavailable)
}

// What people and programs read, in every format and for both audiences.
// After a change that is meant, run: go test ./history -run TestGolden -update
func TestGolden(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		eventful(t, r)
		west := time.FixedZone("West", -60) // where the day changes meanwhile
		for name, x := range map[string]history.Export{
			"staff.txt":    {Location: west},
			"events.txt":   {Events: true, Location: west},
			"staff.csv":    {Format: history.CSV},
			"staff.html":   {Format: history.HTML, Location: west, Title: "Of <today>"},
			"events.csv":   {Format: history.CSV, Events: true},
			"events.jsonl": {Format: history.JSONLines, Events: true},
			"table.csv":    {Format: history.Table},
			"user.txt":     {Audience: history.User},
			"user.csv":     {Audience: history.User, Format: history.CSV},
			"user.html":    {Audience: history.User, Format: history.HTML},
			"user.jsonl":   {Audience: history.User, Format: history.JSONLines},
		} {
			x.Filter = history.Filter{Match: func(h *handoff.Handoff) bool { return h.Reason != "" }}
			var b bytes.Buffer
			p, err := x.Write(t.Context(), &b, r.Engine)
			require.NoError(t, err)
			require.Equal(t, 2, p.Handoffs)
			got, file := made.ReplaceAll(b.Bytes(), []byte("ID")), filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(file, got, 0o600))
				continue
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), name)
		}
	}, desks)
}

// The cursor that a program reads from the file is the one that goes on there.
func TestLinesSayTheirCursor(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		eventful(t, r)
		x := history.Export{Format: history.JSONLines, Limit: 1}
		var b bytes.Buffer
		p, err := x.Write(t.Context(), &b, r.Engine)
		require.NoError(t, err)
		lines := bytes.Split(bytes.TrimSpace(b.Bytes()), []byte("\n"))
		var last struct{ Type, Cursor string }
		require.NoError(t, json.Unmarshal(lines[len(lines)-1], &last))
		require.Equal(t, "end", last.Type)
		require.Equal(t, p.Cursor, last.Cursor)
	}, desks)
}
