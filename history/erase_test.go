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
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// kept returns everything that a store has, as bytes.
func kept(t *testing.T, r *handofftest.Rig) string {
	t.Helper()
	var b bytes.Buffer
	list, err := r.Store.List(t.Context(), handoff.Query{})
	require.NoError(t, err)
	for i := range list {
		fmt.Fprintln(&b, list[i].ID, list[i].User, list[i].Tags, list[i].Keys, list[i].Owed)
		b.Write(list[i].Body.Bytes())
		log, err := r.Store.Log(t.Context(), list[i].ID, 0, 10_000)
		require.NoError(t, err)
		for j := range log {
			b.WriteString(log[j].ID)
			b.Write(log[j].Body.Bytes())
		}
	}
	return b.String()
}

// serves plays one conversation of a user to its end.
func serves(t *testing.T, r *handofftest.Rig, a *handofftest.Agent, conversation, user string) {
	t.Helper()
	r.Asks(conversation, func(q *handoff.Request) {
		q.User, q.Note = &handoff.Contact{ID: user, Name: "name of " + user}, "note on "+user
	})
	h := a.Accept()
	a.Says(h.ID, "hello "+user)
	a.Ends(h.ID)
}

// Everything of one user goes, and nothing of another. What is still open is
// named, and goes once it is over.
func TestEraseUser(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5, "support")
		serves(t, r, ann, "c1", "dana")
		serves(t, r, ann, "c1", "dana")
		serves(t, r, ann, "c2", "dana")
		serves(t, r, ann, "c3", "erik")
		dana := func(q *handoff.Request) { q.User = &handoff.Contact{ID: "dana"} }
		r.Asks("c4", dana)
		ann.Ends(ann.Accept().ID)
		r.Asks("c4", dana)
		open := ann.Accept()
		require.Contains(t, kept(t, r), "hello dana")

		got, err := history.Erase(t.Context(), r.Engine, history.Scope{User: "dana"})
		require.NoError(t, err)
		require.Equal(t, history.Report{
			Conversations: 2, Handoffs: 5, KeptTotal: 1, // c1 has two and the one that the bot has now, c2 one and one
			Kept: []history.Kept{{Conversation: "c4", Why: history.WhyOpen}}, // once, though two of his handoffs are in it
		}, got)
		require.NotContains(t, kept(t, r), "hello dana")
		require.Contains(t, kept(t, r), "hello erik")

		ann.Ends(open.ID)
		got, err = history.Erase(t.Context(), r.Engine, history.Scope{User: "dana"})
		require.NoError(t, err)
		require.Equal(t, history.Report{Conversations: 1, Handoffs: 3}, got)
		require.NotContains(t, kept(t, r), "dana")

		got, err = history.Erase(t.Context(), r.Engine, history.Scope{User: "dana"})
		require.NoError(t, err)
		require.Equal(t, history.Report{}, got, "there is nothing left")
	})
}

// A store that fails in the middle leaves what the next call removes.
func TestEraseGoesOn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5, "support")
		for i := range 6 {
			serves(t, r, ann, fmt.Sprint("c", i), "dana")
		}
		r.Store.Plan(func(op string, id handoff.ID) handofftest.Fault {
			if op == "Erase" && strings.HasPrefix(id.Conversation, "erased:") {
				return handofftest.Fault{Before: errors.New("the disk is full")}
			}
			return handofftest.Fault{}
		})
		got, err := history.Erase(t.Context(), r.Engine, history.Scope{User: "dana", Limit: 2})
		require.NoError(t, err)
		require.Equal(t, 2, got.KeptTotal)
		require.Equal(t, history.WhyFailed, got.Kept[0].Why)
		require.Error(t, got.Kept[0].Err)
		require.True(t, got.More)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = history.Erase(ctx, r.Engine, history.Scope{User: "dana"})
		require.ErrorIs(t, err, context.Canceled)

		r.Store.Plan(nil)
		n := 0
		for more := true; more; {
			got, err = history.Erase(t.Context(), r.Engine, history.Scope{User: "dana", Limit: 2})
			require.NoError(t, err)
			require.LessOrEqual(t, got.Conversations, 2)
			n, more = n+got.Conversations, got.More
		}
		require.Equal(t, 6, n)
		require.NotContains(t, kept(t, r), "dana")
	})
}

// Retention removes what is old, and keeps a conversation to which something
// newer belongs.
func TestEraseBefore(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5, "support")
		serves(t, r, ann, "old", "dana")
		serves(t, r, ann, "again", "erik")
		serves(t, r, ann, "noted", "gina")
		r.Sleep(48 * time.Hour)
		limit := time.Now()
		_, err := r.Note(r.Ctx, handoff.ID{Conversation: "noted", Number: 1}, ann.By(), "still a case")
		require.NoError(t, err)
		serves(t, r, ann, "new", "finn")
		serves(t, r, ann, "again", "erik")
		got, err := history.Erase(t.Context(), r.Engine, history.Scope{Before: limit})
		require.NoError(t, err)
		require.Equal(t, 1, got.Conversations)
		require.ElementsMatch(t, []history.Kept{
			{Conversation: "again", Why: history.WhyRecent}, {Conversation: "noted", Why: history.WhyRecent},
		}, got.Kept)
		require.NotContains(t, kept(t, r), "dana")
		require.Contains(t, kept(t, r), "erik")
		require.Contains(t, kept(t, r), "finn")
	})
}

// Copies at a platform are named: erasing them is the host's to do there.
func TestEraseNamesCopiesElsewhere(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c", func(q *handoff.Request) { q.Queue, q.User = "vendor", &handoff.Contact{ID: "dana"} })
		r.Sleep(time.Second)
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Sleep(time.Minute)
		got, err := history.Erase(t.Context(), r.Engine, history.Scope{User: "dana"})
		require.NoError(t, err)
		require.Equal(t, 1, got.Conversations, "%+v", got)
		require.Len(t, got.Elsewhere, 1)
		require.Equal(t, "vendor", got.Elsewhere[0].Provider)
		require.NotEmpty(t, got.Elsewhere[0].Reference)
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{inmem.New(inmem.Options{Name: "vendor"}).Provider()}
		c.Queues = append(c.Queues, handoff.Queue{Name: "vendor", Providers: []string{"vendor"}})
	})
}

// vague may have opened a chat and never says so.
type vague struct {
	handoff.Provider
	handoff.Receiver
}

func (vague) Open(context.Context, handoff.Opening) (handoff.Session, error) {
	return handoff.Session{}, &handoff.ProviderError{Op: "open", Ambiguous: true, Err: errors.New("cut")}
}

// Also a chat of which nobody knows whether it was opened is named.
func TestEraseNamesWhatMayBeElsewhere(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c", func(q *handoff.Request) { q.Queue, q.User = "vendor", &handoff.Contact{ID: "dana"} })
		r.Sleep(time.Second)
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Sleep(48 * time.Hour)
		got, err := history.Erase(t.Context(), r.Engine, history.Scope{User: "dana"})
		require.NoError(t, err)
		require.Equal(t, 1, got.Conversations, "%+v", got)
		require.Equal(t, []history.Copy{{Conversation: "c", Number: 1, Provider: "vendor"}}, got.Elsewhere)
	}, func(c *handoff.Config) {
		p := inmem.New(inmem.Options{Name: "vendor"}).Provider()
		c.Providers = []handoff.Provider{vague{p, p.(handoff.Receiver)}}
		c.Queues = append(c.Queues, handoff.Queue{Name: "vendor", Providers: []string{"vendor"}})
	})
}

// damaged is a store in which what it has of a conversation cannot be read.
type damaged struct {
	handoff.Store

	conversation string
}

func (s *damaged) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	list, err := s.Store.List(ctx, q)
	list = slices.Clone(list)
	for i := range list {
		list[i] = s.spoil(list[i])
	}
	return list, err
}

func (s *damaged) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	r, err := s.Store.Latest(ctx, conversation)
	return s.spoil(r), err
}

func (s *damaged) spoil(r handoff.Record) handoff.Record {
	if r.ID.Conversation == s.conversation {
		r.Body = handoff.BodyOf([]byte("?"))
	}
	return r
}

// What cannot be read is not erased, and said to be kept: nobody may take it
// for gone. It hides nothing else from lists and exports.
func TestEraseKeepsTheUnreadable(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 5, "support")
		for _, conversation := range []string{"c1", "c2", "c3"} {
			serves(t, r, ann, conversation, "dana")
			serves(t, r, ann, conversation, "dana")
		}
		e := engineOn(t, &damaged{Store: r.Store, conversation: "c2"})
		page, err := history.List(t.Context(), e, history.Filter{}, "", 10)
		require.NoError(t, err)
		require.NotEmpty(t, page.Handoffs)
		for h, err := range history.All(t.Context(), e, history.Filter{}, "") {
			require.NoError(t, err)
			require.NotEqual(t, "c2", h.ID.Conversation)
		}
		for _, scope := range []history.Scope{{User: "dana"}, {Conversation: "c2"}, {Before: time.Now().Add(time.Hour)}} {
			got, err := history.Erase(t.Context(), e, scope)
			require.NoError(t, err)
			require.Equal(t, 1, got.KeptTotal)
			require.Equal(t, "c2", got.Kept[0].Conversation)
			require.Equal(t, history.WhyFailed, got.Kept[0].Why)
			var bad *handoff.UnreadableError
			require.ErrorAs(t, got.Kept[0].Err, &bad)
			require.Equal(t, "c2", bad.ID.Conversation)
		}
		left, err := r.Store.List(t.Context(), handoff.Query{User: "dana"})
		require.NoError(t, err)
		require.NotEmpty(t, left)
		for i := range left {
			require.Equal(t, "c2", left[i].ID.Conversation)
		}
	})
}
