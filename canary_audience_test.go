package handoff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// inside marks what only staff may see, secret what tells who an agent is.
const (
	inside = "INSIDE-0815"
	secret = "SECRET-2342"
)

// talks plays a conversation with something in every field: what the user may
// see, and what he may not. It ends, and comes back once.
func talks(t *testing.T, r *handofftest.Rig, conversation string, user *handoff.Contact) handoff.Turn {
	t.Helper()
	for _, a := range []handoff.Agent{
		{ID: "a-" + secret, Name: secret, Alias: "Ann", Seats: 5, Queues: []string{"support"}},
		{ID: "b-" + secret, Name: secret, Alias: "Bob", Seats: 5, Queues: []string{"support"}},
		{ID: "s-" + secret, Name: secret, Alias: "Eve", Queues: []string{"support"}},
	} {
		require.NoError(t, r.Floor.Put(r.Ctx, a))
	}
	ann, bob, eve := handoff.By("a-"+secret), handoff.By("b-"+secret), handoff.BySupervisor("s-"+secret)
	ok := func(_ handoff.Handoff, err error) {
		t.Helper()
		require.NoError(t, err)
		r.Wait()
	}
	said := func(_ handoff.Entry, err error) {
		t.Helper()
		require.NoError(t, err)
		r.Wait()
	}
	accept := func(id handoff.ID, who handoff.Actor) {
		t.Helper()
		r.Wait()
		o, there := func() (handoff.Offer, bool) { h := r.Now(id); return h.Offer(who.ID) }()
		require.True(t, there)
		ok(r.Accept(r.Ctx, id, who, o.Number))
	}
	turn, err := r.Receive(r.Ctx, handoff.Incoming{Conversation: conversation, ID: "m1" + conversation, Text: "hello " + canary, User: user})
	require.NoError(t, err)
	said(r.Reply(r.Ctx, turn, handoff.Message{Text: "how can I help? " + canary}))
	require.NoError(t, r.Floor.Online(r.Ctx, ann.ID))
	out, err := r.Request(r.Ctx, handoff.Request{
		Conversation: conversation, Queue: "support", Note: inside, Summary: inside, Reason: inside, Flags: []string{inside}, Tags: []string{inside},
		Data: map[string]string{inside: inside}, Answers: map[string]string{inside: inside},
	})
	require.NoError(t, err)
	id := out.Handoff.ID
	r.Wait()
	h := r.Now(id)
	o, there := h.Offer(ann.ID)
	require.True(t, there)
	ok(r.Decline(r.Ctx, id, ann, o.Number, inside))
	require.NoError(t, r.Floor.Online(r.Ctx, bob.ID))
	accept(id, bob)
	said(r.Send(r.Ctx, id, bob, handoff.Message{Text: "I am Bob " + canary}))
	said(r.Note(r.Ctx, id, bob, inside))
	said(r.Whisper(r.Ctx, id, eve, inside))
	said(r.Join(r.Ctx, id, eve, handoff.Message{Text: "I am Eve " + canary}))
	ok(r.Tag(r.Ctx, id, bob, []string{inside + "2"}, nil))
	ok(r.Hold(r.Ctx, id, bob, inside))
	ok(r.Resume(r.Ctx, id, bob))
	require.NoError(t, r.Floor.Online(r.Ctx, ann.ID))
	r.Sleep(6 * time.Minute) // she declined, and may be asked again
	ok(r.Transfer(r.Ctx, id, bob, handoff.Target{Agent: ann.ID, Note: inside}))
	accept(id, ann)
	ok(r.Requeue(r.Ctx, id, ann, inside))
	accept(id, bob)
	ok(r.Return(r.Ctx, id, bob, "for the bot"))
	ok(r.Rate(r.Ctx, id, 4, inside))
	ok(r.LeaveMessage(r.Ctx, id, inside, map[string]string{inside: inside}))
	return r.Says(conversation, "again "+canary)
}

// No user ever sees a note, a reason, a tag, an agent's name behind his alias
// or an agent's id: not on the channel, not where he pulls, not in his
// transcript. The bot gets what was said, and no notes.
func TestCanaryWrongAudience(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		talks(t, r, "c", &handoff.Contact{ID: "u"})
		private := func(where string, v any) {
			t.Helper()
			b, err := json.Marshal(v)
			require.NoError(t, err)
			require.Contains(t, string(b), canary, where)
			for _, mark := range []string{inside, secret} {
				require.NotContains(t, string(b), mark, where)
			}
		}
		private("channel", r.Users.Saw("c"))
		ctx, cancel := context.WithCancel(t.Context())
		var pulled []handoff.UserMessage
		for m, err := range r.FollowUser(ctx, "c", handoff.UserCursor{}) {
			if err != nil {
				break
			}
			if pulled = append(pulled, m); strings.HasPrefix(m.Text, "again") {
				cancel()
			}
		}
		cancel()
		private("follow", pulled)
		for _, f := range []history.Format{history.Text, history.JSONLines, history.HTML, history.CSV} {
			var b bytes.Buffer
			_, err := history.Export{Format: f, Audience: history.User}.Write(t.Context(), &b, r.Engine)
			require.NoError(t, err)
			private("export "+string(f), b.String())
		}
		calls := 0
		for _, c := range r.Bot.Calls("") {
			calls++
			b, err := json.Marshal(c.Human)
			require.NoError(t, err)
			require.NotContains(t, string(b), inside, "notes are not for the bot")
		}
		require.Positive(t, calls)
	}, quiet)
}

func quiet(c *handoff.Config) {
	c.Queues = []handoff.Queue{{Name: "support", Ladder: patient(), IdleTimeout: handoff.Never, OfferTimeout: time.Hour}}
	c.BotTimeout = time.Hour
}

// After erasure nothing is left of anything that anybody said, nor of who he
// is, nor of the names of conversation and messages: not in the store, nor in
// anything that can be asked of the engine. Others are not touched.
func TestCanaryAfterErasure(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		talks(t, r, "other", &handoff.Contact{ID: "other"})
		before := kept(t, r)
		var feed []string
		cursor := ""
		ctx, cancel := context.WithTimeout(r.Ctx, time.Second)
		go func() {
			for ev, err := range r.Feed(ctx, "") {
				if err == nil && cursor == "" {
					cursor = ev.Cursor
				}
			}
		}()
		r.Wait()
		gone := "gone-" + canary
		turn := talks(t, r, gone, &handoff.Contact{
			ID: "user-" + canary, Name: canary, Mail: canary, Phone: canary, Attributes: map[string]string{canary: canary},
		})
		cancel()
		r.Sleep(2 * time.Second)
		require.NotEmpty(t, cursor)
		require.Contains(t, kept(t, r), gone)

		require.NoError(t, r.Done(r.Ctx, turn))
		r.Sleep(time.Minute)
		got, err := history.Erase(r.Ctx, r.Engine, history.Scope{User: "user-" + canary})
		require.NoError(t, err)
		require.Equal(t, 1, got.Conversations, "%+v", got)

		clean := func(where, s string) {
			t.Helper()
			require.NotContains(t, s, gone, where)
			require.NotContains(t, s, "user-"+canary, where)
		}
		after := kept(t, r)
		clean("store", after)
		require.Equal(t, strings.Count(before, canary), strings.Count(after, canary), "only the other conversation says it")

		ctx, cancel = context.WithTimeout(r.Ctx, time.Second)
		defer cancel()
		for ev, err := range r.Feed(ctx, cursor) {
			if err == nil {
				feed = append(feed, fmt.Sprint(ev))
			}
		}
		clean("feed", strings.Join(feed, "\n"))
		for _, f := range []history.Format{history.JSONLines, history.Table} {
			var b bytes.Buffer
			_, err := history.Export{Format: f, Events: f == history.JSONLines}.Write(r.Ctx, &b, r.Engine)
			require.NoError(t, err)
			require.Contains(t, b.String(), "other")
			clean("export", b.String())
		}
		found, err := r.Search(r.Ctx, handoff.Query{}, canary)
		require.NoError(t, err)
		for i := range found.Handoffs {
			require.Equal(t, "other", found.Handoffs[i].ID.Conversation)
		}
		report, err := analytics.Compute(r.Ctx, r.Engine, analytics.Options{By: func(h *handoff.Handoff) string { return h.ID.Conversation }})
		require.NoError(t, err)
		b, err := json.Marshal(report)
		require.NoError(t, err)
		clean("analytics", string(b))
		_, err = r.Get(r.Ctx, turn.ID())
		require.ErrorIs(t, err, handoff.ErrNotFound)
		log, err := r.Log(r.Ctx, turn.ID(), 0, 100)
		require.NoError(t, err)
		require.Empty(t, log)
	}, quiet)
}
