package handoff_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// page reads what a user's page shows when it is loaded now.
func page(r *handofftest.Rig, e *handoff.Engine, conversation string, after handoff.UserCursor) (out []handoff.UserMessage) {
	ctx, cancel := context.WithTimeout(r.Ctx, 100*time.Millisecond)
	defer cancel()
	for m, err := range e.FollowUser(ctx, conversation, after) {
		if err != nil {
			break
		}
		out = append(out, m)
	}
	return out
}

// Rocket.Chat.Livechat#406: the waiting message vanished when the page was
// loaded again.
func TestW26_StatusCanBeAsked(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c0")
		turn := r.Says("c1", "help")
		_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "what is it about?"})
		require.NoError(t, err)
		h := r.Asks("c1")
		r.Sleep(time.Second)

		first := page(r, r.Engine, "c1", handoff.UserCursor{})
		var texts []string
		for _, m := range first {
			texts = append(texts, m.Text)
		}
		require.Equal(t, append([]string{"help"}, r.Users.Texts("c1")...), texts, "the page has what was pushed, and his own words")
		require.Contains(t, notices(r, "c1"), handoff.NoticeWaiting)
		require.Equal(t, first, page(r, r.Replica(), "c1", handoff.UserCursor{}), "loaded again, from another replica")
		require.Empty(t, page(r, r.Engine, "c1", first[len(first)-1].Cursor), "and it resumes")

		p, err := r.Place(r.Ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, 2, p.Position)
		require.Equal(t, handoff.StateWaiting, r.Last("c1").State)
		require.NotNil(t, r.Last("c1").Place, "what he was told last")
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// RocketChat#22105, #23642, Rocket.Chat.Livechat#614: agents did not see a new
// chat until they toggled their presence.
func TestW27_TheListIsAQueryAndAStream(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		other := r.Replica()
		r.Agent("ann", 1)
		ctx, cancel := context.WithCancel(r.Ctx)
		defer cancel()
		seen := make(chan handoff.FeedEvent, 100)
		ready := make(chan struct{})
		go func() {
			close(ready)
			for ev, err := range other.Feed(ctx, "") {
				if err != nil {
					return
				}
				seen <- ev
			}
		}()
		<-ready
		r.Wait()
		h := r.Asks("c1")
		waiting := handoff.Query{Queue: "support", Waiting: true, ByRank: true}
		for _, e := range []*handoff.Engine{r.Engine, other} {
			list, err := e.List(r.Ctx, waiting)
			require.NoError(t, err)
			require.Len(t, list, 1, "a query, on each replica, at once")
			require.Equal(t, h.ID, list[0].ID)
		}
		ev := <-seen
		require.Equal(t, h.ID, ev.ID, "and an event on the other replica, whose agent did nothing")
		cancel()

		// A console that slept resumes, or is told that it must list again.
		ctx, cancel = context.WithTimeout(r.Ctx, time.Second)
		defer cancel()
		r.Asks("c2")
		var ids []string
		for ev, err := range other.Feed(ctx, ev.Cursor) {
			if err != nil {
				break
			}
			ids = append(ids, ev.ID.Conversation)
		}
		require.Contains(t, ids, "c2")
		ctx, cancel = context.WithTimeout(r.Ctx, time.Second)
		defer cancel()
		for ev, err := range other.Feed(ctx, "of-an-earlier-life.7") {
			require.NoError(t, err)
			require.True(t, ev.Skipped)
			break
		}
	}, queues(handoff.Queue{Name: "support", Style: handoff.Pull, Ladder: patient(), PlaceEvery: handoff.Never}))
}

// RocketChat PR#27976, #21966, #15780: the transcript was not sent when the
// visitor closed; "sent" was shown and nothing was; transfers stood in the
// wrong order.
func TestW56_TheRecordArrivesWholeAndInOrder(t *testing.T) {
	var archive recorder
	var down atomic.Bool
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1), r.Agent("bob", 1)
		bob.Leaves()
		h := chat(r, ann, "c1")
		ann.Says(h.ID, "one")
		down.Store(true)
		bob.Comes()
		_, err := r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Agent: "bob"})
		require.NoError(t, err)
		r.Wait()
		takes(r, bob, "c1")
		r.Users.Fail(func(_ string, m handoff.UserMessage) error {
			if m.Text == "two" {
				return &handoff.DeliveryError{Permanent: true, Code: "blocked", Err: errors.New("blocked")}
			}
			return nil
		})
		en := bob.Says(h.ID, "two")
		r.Says("c1", "bye")
		_, err = r.Cancel(r.Ctx, "c1", true) // the visitor closes
		require.NoError(t, err)
		r.Sleep(time.Minute)
		down.Store(false)
		r.Sleep(10 * time.Minute)

		var order []handoff.Kind
		for i, en := range archive.of(h.ID) {
			if i > 0 {
				require.LessOrEqual(t, en.Seq, archive.of(h.ID)[i-1].Seq+1, "in order, without a gap")
			}
			if i == 0 || en.Seq > archive.of(h.ID)[i-1].Seq {
				order = append(order, en.Kind)
			}
		}
		require.Equal(t, kinds(r, h.ID), withoutTimers(r, h.ID, order), "all of it")
		joined := make([]string, 0, 2)
		for _, en := range archive.of(h.ID, handoff.KindJoined, handoff.KindTransferred) {
			joined = append(joined, string(en.Kind)+" "+en.Agent)
		}
		require.Equal(t, []string{"joined ann", "transferred bob", "joined bob"}, joined)

		// What did not arrive is not called sent.
		require.NotContains(t, saidBy(r, "c1", handoff.RoleAgent), "two")
		lost := archive.of(h.ID, handoff.KindUndelivered)
		require.Len(t, lost, 1)
		require.Equal(t, en.Seq, lost[0].About)
		require.Equal(t, "blocked", lost[0].Data["code"])
	}, func(c *handoff.Config) {
		c.Sinks = map[string]handoff.Sink{"archive": handoff.SinkFunc(func(_ context.Context, _ *handoff.Handoff, en *handoff.Entry) error {
			if down.Load() {
				return errors.New("the archive is down")
			}
			archive.sink(en)
			return nil
		})}
	})
}

// withoutTimers fails unless got lacks nothing but timers, which are for
// nobody, and returns the whole list.
func withoutTimers(r *handofftest.Rig, id handoff.ID, got []handoff.Kind) []handoff.Kind {
	r.T.Helper()
	var want []handoff.Kind
	for _, k := range kinds(r, id) {
		if k != handoff.KindTimer {
			want = append(want, k)
		}
	}
	require.Equal(r.T, want, got)
	return kinds(r, id)
}

// RocketChat PR#13008, PR#23185, chatwoot#6959: transferred chats and chats on
// hold were given to agents who were offline.
func TestW60_TheTargetIsThereAtTheCommit(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann, bob := r.Agent("ann", 1), r.Agent("bob", 1)
		bob.Leaves()
		h := chat(r, ann, "c1")
		for _, warm := range []bool{false, true} {
			_, err := r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Agent: "bob", Warm: warm})
			var no *handoff.UnavailableError
			require.ErrorAs(t, err, &no)
			require.Equal(t, handoff.ReasonOffline, no.Why)
		}
		_, err := r.Assign(r.Ctx, h.ID, handoff.BySupervisor("sup"), "bob")
		require.ErrorIs(t, err, handoff.ErrUnavailable)
		r.Floor.Break(errors.New("presence is down"))
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Agent: "bob"})
		require.ErrorIs(t, err, handoff.ErrUnavailable, "not known is not there")
		r.Floor.Break(nil)
		require.Equal(t, "ann", r.Now(h.ID).Agent)

		// He goes while it is being decided: it comes back, and waits for no one.
		bob.Comes()
		_, err = r.Transfer(r.Ctx, h.ID, ann.By(), handoff.Target{Agent: "bob"})
		require.NoError(t, err)
		bob.Leaves()
		r.Sleep(time.Second)
		h = r.Now(h.ID)
		_, asked := h.Offer("bob")
		require.False(t, asked)

		// A hold that ends while its agent is away does not end with him.
		r.Agent("eve", 1)
		r.Sleep(time.Second)
		h = r.Last("c1")
		h = takes(r, &handofftest.Agent{ID: h.Offers[0].Agent}, "c1")
		holder := h.Agent
		_, err = r.Hold(r.Ctx, h.ID, handoff.By(holder), "")
		require.NoError(t, err)
		r.Sleep(29*time.Minute + 30*time.Second)
		require.NoError(t, r.Floor.Offline(r.Ctx, holder))
		r.Sleep(3 * time.Minute)
		h = r.Now(h.ID)
		require.NotEqual(t, holder, h.Agent)
		_, asked = h.Offer(holder)
		require.False(t, asked)
	}, queues(handoff.Queue{Name: "support", Ladder: patient()}))
}

// RocketChat/feature-requests#912: the visitor saw "returned the chat to the
// queue", which was meant for the staff.
func TestW61_UsersSeeNothingInternal(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Hire(handoff.Agent{ID: "ann-internal-id", Name: "Ann Real-Name", Alias: "Ann", Seats: 2, Queues: []string{"support"}})
		sup := handoff.BySupervisor("sup-internal-id")
		h := chat(r, ann, "c1")
		ann.Says(h.ID, "hello")
		must := func(err error) {
			t.Helper()
			require.NoError(t, err)
		}
		_, err := r.Note(r.Ctx, h.ID, ann.By(), "SECRET a difficult one")
		must(err)
		_, err = r.Whisper(r.Ctx, h.ID, sup, "SECRET offer him a discount")
		must(err)
		_, err = r.Tag(r.Ctx, h.ID, ann.By(), []string{"SECRET-troll"}, nil)
		must(err)
		_, err = r.Hold(r.Ctx, h.ID, ann.By(), "SECRET coffee")
		must(err)
		_, err = r.Resume(r.Ctx, h.ID, ann.By())
		must(err)
		_, err = r.Requeue(r.Ctx, h.ID, ann.By(), "SECRET returned the chat to the queue")
		must(err)
		bob := r.Hire(handoff.Agent{ID: "bob-internal-id", Name: "Bob", Seats: 2, Queues: []string{"support"}})
		_, err = r.Decline(r.Ctx, h.ID, bob.By(), r.Now(h.ID).OfferNo, "SECRET not him again")
		must(err)
		r.Sleep(6 * time.Minute)
		h = r.Last("c1")
		h = takes(r, &handofftest.Agent{ID: h.Offers[0].Agent}, "c1")
		_, err = r.Transfer(r.Ctx, h.ID, sup, handoff.Target{Queue: "support", Note: "SECRET"})
		must(err)
		r.Sleep(6 * time.Minute)
		h = r.Last("c1")
		h = takes(r, &handofftest.Agent{ID: h.Offers[0].Agent}, "c1")
		_, err = r.End(r.Ctx, h.ID, handoff.By(h.Agent), handoff.Ending{Reason: "SECRET no solution"})
		must(err)
		r.Sleep(time.Minute)

		seen := append(r.Users.Saw("c1"), page(r, r.Engine, "c1", handoff.UserCursor{})...)
		require.Greater(t, len(seen), 10)
		noneHas(t, seen, "SECRET", "internal-id", "Real-Name", "returned the chat")
		for _, m := range seen {
			if m.From.Role == handoff.RoleAgent {
				require.Empty(t, m.From.ID, "agents go by the name they show")
			}
		}
		whole := 0
		for _, en := range r.Entries(h.ID) {
			if strings.Contains(en.Text, "SECRET") {
				whole++
			}
		}
		require.GreaterOrEqual(t, whole, 5, "the staff sees it")
	}, queues(handoff.Queue{Name: "support", Ladder: patient(), IdleTimeout: handoff.Never}))
}

// dynamics-365-customer-engagement#3017: a supervisor who only monitored was
// heard entering the call.
func TestW62_MonitorsAreSilentUntilTheyBargeIn(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		r.Hire(handoff.Agent{ID: "sup", Name: "Sue", Seats: 1})
		h := chat(r, ann, "c1")
		ann.Says(h.ID, "hello")
		sup := handoff.BySupervisor("sup")
		before := r.Users.Saw("c1")

		ctx, cancel := context.WithTimeout(r.Ctx, time.Second)
		defer cancel()
		heard := 0
		for _, err := range r.Follow(ctx, h.ID, 0) {
			if err != nil {
				break
			}
			heard++
		}
		require.Greater(t, heard, 4)
		_, err := r.Whisper(r.Ctx, h.ID, sup, "ask for his name")
		require.NoError(t, err)
		_, err = r.Explain(r.Ctx, h.ID)
		require.NoError(t, err)
		_, err = r.Send(r.Ctx, h.ID, sup, handoff.Message{Text: "this is Sue"})
		require.ErrorIs(t, err, handoff.ErrNotHolder, "watching gives no right to speak")
		r.Sleep(time.Minute)
		require.Equal(t, before, r.Users.Saw("c1"))
		require.Equal(t, "ann", r.Now(h.ID).Agent)

		// Speaking is an act of its own, and control another one.
		_, err = r.Join(r.Ctx, h.ID, sup, handoff.Message{Text: "Sue here, Ann's supervisor"})
		require.NoError(t, err)
		require.Equal(t, "ann", r.Now(h.ID).Agent)
		_, err = r.TakeOver(r.Ctx, h.ID, sup, "")
		require.NoError(t, err)
		r.Sleep(time.Second)
		require.Equal(t, "sup", r.Now(h.ID).Agent)
		require.Contains(t, notices(r, "c1"), handoff.NoticeTakeOver)
	})
}

// A feed has a change as soon as its readers are signalled: none of them waits
// for the next poll, here or on another replica.
func TestFeedIsAtOnce(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		other := r.Replica()
		ctx, cancel := context.WithCancel(r.Ctx)
		var mu sync.Mutex
		own, heard := map[string]bool{}, map[string]bool{}
		var readers sync.WaitGroup
		read := func(e *handoff.Engine, into map[string]bool, kinds bool) {
			for ev, err := range e.Feed(ctx, "") {
				if err != nil {
					return
				}
				mu.Lock()
				into[ev.ID.Conversation] = into[ev.ID.Conversation] || !kinds || slices.Contains(ev.Kinds, handoff.KindOpened)
				mu.Unlock()
			}
		}
		readers.Go(func() { read(r.Engine, own, true) })
		readers.Go(func() { read(other, heard, false) })
		r.Wait()
		begun := time.Now()
		for i := range 200 {
			c := "c" + strconv.Itoa(i)
			r.Says(c, "hello")
			r.Wait()
			mu.Lock()
			require.True(t, own[c], "%s here", c)
			require.True(t, heard[c], "%s there", c)
			mu.Unlock()
		}
		require.Equal(t, begun, time.Now(), "no time has passed")
		cancel()
		readers.Wait()
	})
}
