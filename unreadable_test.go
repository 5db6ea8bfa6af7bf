package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// torn is a store whose lists hold records that nobody can read, once there
// is a conversation with their name. With log they can be read, but not what
// was said in them.
type torn struct {
	handoff.Store

	conversation atomic.Value
	log          atomic.Bool
	seq          atomic.Int64 // of all that was said, only this; 0: everything
	lists        atomic.Int64
}

func (s *torn) Unwrap() handoff.Store { return s.Store }

func (s *torn) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	s.lists.Add(1)
	list, err := s.Store.List(ctx, q)
	if bad, _ := s.conversation.Load().(string); !s.log.Load() {
		list = spoil(list, bad)
	}
	return list, err
}

func (s *torn) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	list, err := s.Store.Log(ctx, id, after, limit)
	if bad, _ := s.conversation.Load().(string); s.log.Load() && id.Conversation == bad {
		list = slices.Clone(list)
		for i := range list {
			if at := s.seq.Load(); at == 0 || at == list[i].Seq {
				list[i].Body = handoff.BodyOf([]byte("?"))
			}
		}
	}
	return list, err
}

// spoil returns a list in which nobody can read a conversation's records.
func spoil(list []handoff.Record, conversation string) []handoff.Record {
	list = slices.Clone(list)
	for i := range list {
		if list[i].ID.Conversation == conversation {
			list[i].Body = handoff.BodyOf([]byte("?"))
		}
	}
	return list
}

// on puts the store in the place of another, and keeps quiet.
func (s *torn) on(c *handoff.Config) {
	s.Store, c.Store = c.Store, s
	c.Logger = slog.New(slog.DiscardHandler)
}

// A handoff that cannot be read does not keep others with an agent who is gone,
// nor from hearing of their place.
func TestUnreadableHandoffHoldsUpNobody(t *testing.T) {
	t.Run("whose agent is lost", func(t *testing.T) {
		s := &torn{}
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			ann := r.Agent("ann", 2)
			chat(r, ann, "broken")
			h := chat(r, ann, "whole")
			s.conversation.Store("broken")
			r.Floor.Quiet(true) // only a look around notices
			ann.Leaves()
			r.Sleep(2 * time.Minute)
			require.Equal(t, handoff.StateWaiting, r.Now(h.ID).State)
		}, queues(handoff.Queue{Name: "support", Ladder: patient()}), s.on)
	})
	t.Run("who waits behind it", func(t *testing.T) {
		s := &torn{}
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			r.Agent("ann", 1).Leaves()
			r.Says("broken", "help")
			r.Asks("broken")
			s.conversation.Store("broken")
			r.Says("whole", "help")
			r.Asks("whole")
			r.Sleep(5 * time.Minute)
			require.NotZero(t, times(allNotices(r, "whole"), handoff.NoticePlace))
		}, queues(handoff.Queue{Name: "support", Ladder: patient()}), s.on)
	})
}

// tornSearcher is a torn store that searches itself, and finds everything.
type tornSearcher struct{ *torn }

func (s tornSearcher) Search(ctx context.Context, q handoff.Query, _ string) ([]handoff.Record, error) {
	return s.List(ctx, q)
}

// A list goes on behind what cannot be read, with whole pages, and a search
// names it. That is so where whole pages cannot be read, and at both ends.
func TestUnreadableHandoffIsLeftOut(t *testing.T) {
	s := &torn{}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		for i, n := range []int{3, 1, 7, 0, 4} {
			for range n {
				ann.Ends(chat(r, ann, "broken").ID)
			}
			if i < 4 {
				ann.Ends(chat(r, ann, fmt.Sprint("whole", i)).ID)
			}
		}
		list := func(limit int) (got []handoff.ID) {
			q, most := handoff.Query{Limit: limit}, s.lists.Load()+200
			for {
				page, err := r.List(r.Ctx, q)
				require.NoError(t, err)
				for i := range page {
					got = append(got, page[i].ID)
				}
				require.Less(t, s.lists.Load(), most, "the list never ends")
				if len(page) < limit || limit == 0 {
					return got
				}
				q.After = r.After(page[len(page)-1], q)
			}
		}
		search := func(e *handoff.Engine, text string, limit int) (got, unreadable []handoff.ID) {
			q := handoff.Query{Limit: limit}
			for range 200 {
				found, err := e.Search(r.Ctx, q, text)
				require.NoError(t, err)
				for i := range found.Handoffs {
					got = append(got, found.Handoffs[i].ID)
				}
				unreadable = append(unreadable, found.Unreadable...)
				if q.After = found.Next; q.After.IsZero() {
					return got, unreadable
				}
			}
			require.Fail(t, "the search never ends")
			return nil, nil
		}
		isBroken := func(id handoff.ID) bool { return id.Conversation == "broken" }
		whole := list(0)
		bad := slices.DeleteFunc(slices.Clone(whole), func(id handoff.ID) bool { return !isBroken(id) })
		whole = slices.DeleteFunc(whole, isBroken)
		asked, _ := search(r.Engine, "help", 0)
		asked = slices.DeleteFunc(asked, isBroken)
		require.GreaterOrEqual(t, len(bad), 15)
		require.NotEmpty(t, asked)

		s.conversation.Store("broken")
		for _, limit := range []int{0, 1, 2, 3, 5, 100} {
			require.Equal(t, whole, list(limit), "%d at a time", limit)
		}
		itself := r.Replica(func(c *handoff.Config) { c.Store = tornSearcher{s} })
		for _, limit := range []int{1, 2, 3, 100} {
			got, unreadable := search(r.Engine, "", limit)
			require.Equal(t, whole, got)
			require.Equal(t, bad, unreadable)
			got, unreadable = search(r.Engine, "help", limit)
			require.Equal(t, asked, got)
			require.Equal(t, bad, unreadable)
			got, unreadable = search(itself, "anything", limit)
			require.Equal(t, whole, got)
			require.Equal(t, bad, unreadable)
		}
		s.log.Store(true) // the record can be read, and what was said cannot
		got, unreadable := search(r.Engine, "help", 2)
		require.Equal(t, asked, got)
		require.Equal(t, bad, unreadable)
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}), s.on)
}

// An entry that cannot be read is passed over: what was said after it reaches
// the user, in this handoff and in the next one, and so it does who pulls.
func TestUnreadableEntryHoldsUpNobody(t *testing.T) {
	s := &torn{}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		h := chat(r, ann, "c")
		away := true
		r.Users.Fail(func(string, handoff.UserMessage) error {
			if away {
				return errors.New("the network is away")
			}
			return nil
		})
		for _, text := range []string{"one", "two", "three"} {
			ann.Says(h.ID, text)
		}
		for _, en := range r.Entries(h.ID) {
			if en.Text == "two" {
				s.seq.Store(en.Seq)
			}
		}
		s.conversation.Store("c")
		s.log.Store(true)
		away = false
		r.Sleep(time.Minute)
		texts := r.Users.Texts("c")
		require.Equal(t, []string{"one", "three"}, texts[len(texts)-2:])
		ann.Ends(h.ID)
		r.Sleep(time.Minute)
		require.Contains(t, allNotices(r, "c"), handoff.NoticeEnded)

		var pulled []string
		for m, err := range r.FollowUser(r.Ctx, "c", handoff.UserCursor{}) {
			require.NoError(t, err)
			if pulled = append(pulled, m.Text); m.Notice == handoff.NoticeEnded {
				break
			}
		}
		require.Contains(t, pulled, "three")
		require.NotContains(t, pulled, "two")
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}), s.on)
}

// first is a store in whose lists the first handoff of each conversation cannot
// be read. It may say that it has not ended.
type first struct {
	handoff.Store

	open bool
}

func (s *first) Unwrap() handoff.Store { return s.Store }

func (s *first) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	list, err := s.Store.List(ctx, q)
	list = slices.Clone(list)
	for i := range list {
		if list[i].ID.Number == 1 {
			list[i].Body = handoff.BodyOf([]byte("?"))
			if s.open {
				list[i].State = handoff.StateActive
			}
		}
	}
	return list, err
}

// Whoever wants to be forgotten is forgotten: that nobody can read it is no reason
// to keep what he said.
func TestUnreadableHandoffIsErased(t *testing.T) {
	for _, open := range []bool{false, true} {
		s := &first{open: open}
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			for range 2 {
				h := r.Asks("c")
				_, err := r.Cancel(r.Ctx, h.ID.Conversation, false)
				require.NoError(t, err)
				r.Wait()
			}
			err := r.Erase(r.Ctx, "c")
			_, kept := s.Get(r.Ctx, handoff.ID{Conversation: "c", Number: 1})
			if open {
				var bad *handoff.UnreadableError
				require.ErrorAs(t, err, &bad)
				require.NoError(t, kept)
			} else {
				require.NoError(t, err)
				require.ErrorIs(t, kept, handoff.ErrNotFound)
			}
		}, func(c *handoff.Config) {
			s.Store, c.Store = c.Store, s
			c.Logger = slog.New(slog.DiscardHandler)
		})
	}
}
