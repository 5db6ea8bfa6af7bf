package handoff_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// c: delivery. One sender for each handoff and receiver, from the stored
// cursor, one entry at a time.

// cxTalk is a conversation that ann has, whose user sees s.
func cxTalk(t *testing.T, r *handofftest.Rig) handoff.ID {
	t.Helper()
	r.Agent("ann", 1)
	id := handoff.ID{Conversation: "c", Number: 1}
	cxWrite(t, r.Engine, "c", "m0", "hello")
	cxTakes(t, r.Engine, id, "ann")
	return id
}

// says lets ann write through e.
func cxSays(t *testing.T, e *handoff.Engine, id handoff.ID, text string) {
	t.Helper()
	_, err := e.Send(t.Context(), id, handoff.By("ann"), handoff.Message{ID: text, Text: text})
	require.NoError(t, err)
}

// slow makes s hold each message with a text for a while, and call f while
// the first one is on its way.
func (s *cxScreened) slow(text string, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	called := false
	s.show = func(_ context.Context, _ string, m handoff.UserMessage) error {
		if m.Text == text {
			time.Sleep(500 * time.Millisecond)
			if !called && f != nil {
				called = true
				f()
			}
			time.Sleep(500 * time.Millisecond)
		}
		return nil
	}
}

func cxScreen(s *cxScreened) func(*handoff.Config) {
	return func(c *handoff.Config) { c.Channel = s }
}

// A commits e1 and dies, B commits e2: B sends e1 first.
func TestC1_NobodySendsOnlyWhatHeCommitted(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		a, _ := cxIdle(t, r)
		id := cxTalk(t, r)
		b, _ := cxDeaf(t, r)
		cxSays(t, a, id, "e1")
		cxSays(t, b, id, "e2")
		r.Wait()
		require.Equal(t, []string{"e1", "e2"}, s.texts())
	}, edgesOnly, cxScreen(s))
}

// A is slow with e1 when B commits e2: B neither repeats nor overtakes it.
func TestC2_OneSender(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		a, _ := cxDeaf(t, r)
		b, _ := cxDeaf(t, r)
		s.slow("e1", nil)
		cxSays(t, a, id, "e1")
		time.Sleep(100 * time.Millisecond)
		cxSays(t, b, id, "e2")
		r.Sleep(5 * time.Second)
		require.Equal(t, []string{"e1", "e2"}, s.texts())
	}, edgesOnly, cxScreen(s))
}

// e2 is committed while A sends e1, and its committer dies: A looks again.
func TestC3_SenderLooksAgain(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		a, _ := cxDeaf(t, r)
		b, _ := cxIdle(t, r)
		s.slow("e1", func() { cxSays(t, b, id, "e2") })
		cxSays(t, a, id, "e1")
		r.Sleep(3 * time.Second)
		require.Equal(t, []string{"e1", "e2"}, s.texts())
	}, edgesOnly, cxScreen(s))
}

// The same just before A gives its lead back: the look comes after that.
func TestC4_ReleaseThenLook(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		a, tap := cxDeaf(t, r)
		b, _ := cxIdle(t, r)
		e1 := r.Now(id).Seq + 1
		tap.on(cxHook{
			match:  func(st step) bool { return st.op == "Ack" && st.cursor == "channel" && st.seq == e1 },
			before: func() { cxSays(t, b, id, "e2") },
		})
		cxSays(t, a, id, "e1")
		r.Sleep(3 * time.Second)
		require.Equal(t, []string{"e1", "e2"}, s.texts())
	}, edgesOnly, cxScreen(s))
}

// A commits e1 and dies before it sends: somebody finds what is owed, long
// before any deadline.
func TestC6_DeathBeforeSending(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		cxDeaf(t, r)
		a, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(st step) bool { return st.commits("send/") }, after: tap.kill})
		_, err := a.Send(t.Context(), id, handoff.By("ann"), handoff.Message{ID: "e1", Text: "e1"})
		require.ErrorIs(t, err, handoff.ErrUnknown)
		r.Sleep(10 * time.Second)
		require.Equal(t, []string{"e1"}, s.texts())
	}, cxScreen(s))
}

// Nor is a sender that dies before its Ack the end of what comes after.
func TestC6_DeathBeforeTheAck(t *testing.T) {
	s := &cxScreened{}
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		id := cxTalk(t, r)
		a, tap := cxDeaf(t, r)
		b, _ := cxDeaf(t, r)
		e1 := r.Now(id).Seq + 1
		tap.on(cxHook{match: func(st step) bool { return st.op == "Ack" && st.seq == e1 }, before: tap.kill})
		cxSays(t, a, id, "e1")
		r.Wait()
		cxSays(t, b, id, "e2")
		r.Sleep(40 * time.Second)
		require.Equal(t, []string{"e1", "e1", "e2"}, s.texts(), "at least once, in order")
	}, cxScreen(s))
}

// cxChatting is a user with zoe on a platform, in chat r1.
func cxChatting(t *testing.T, r *handofftest.Rig, p *cxPlatform) handoff.ID {
	t.Helper()
	cxWrite(t, r.Engine, "c", "m0", "m0")
	h := r.Asks("c")
	r.Sleep(2 * time.Second)
	require.Equal(t, 1, p.size())
	p.stands(p.chats[0].ref, handoff.SessionActive)
	require.NoError(t, r.Deliver(t.Context(), p.name, cxEvent(handoff.EventJoined, p.chats[0].ref, "j1")))
	require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
	return h.ID
}

func secondQueue(p *cxPlatform) func(*handoff.Config) {
	return func(c *handoff.Config) {
		if !slices.ContainsFunc(c.Providers, func(have handoff.Provider) bool { return have == p }) {
			c.Providers = append(c.Providers, p)
		}
		c.Queues = append(slices.Clone(c.Queues), handoff.Queue{Name: "second", Providers: []string{p.name}})
	}
}

// After a transfer the second chat gets what it lacks, and nothing twice; the
// first chat's late Ack moves nothing of the second.
func TestC9_EachBindingHasItsCursor(t *testing.T) {
	for name, same := range map[string]bool{"same platform": true, "another": false} {
		t.Run(name, func(t *testing.T) {
			p1, p2 := newCxPlatform("one"), newCxPlatform("two")
			ref := "r1"
			if same {
				p2, ref = p1, "r2"
			}
			cxRun(t, func(t *testing.T, r *handofftest.Rig) {
				r.Start()
				id := cxChatting(t, r, p1)
				r.Says("c", "m1")
				_, err := r.Transfer(t.Context(), id, handoff.BySupervisor("sue"), handoff.Target{Queue: "second"})
				require.NoError(t, err)
				r.Sleep(2 * time.Second)
				cxWrite(t, r.Engine, "c", "x2", "m2")
				r.Sleep(2 * time.Second)
				require.Equal(t, []string{"m0", "m1", "m2"}, p2.all(ref))
				require.Equal(t, []string{"m0", "m1"}, p1.all("r1"))
				require.True(t, p1.now("r1").closed)
			}, p1.serve, secondQueue(p2))
		})
	}
}

// A message that comes between the transcript and the bind is sent.
func TestC10_MessageWhileOpening(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r)
		p.onOpen = func(int, handoff.Opening) error { cxWrite(t, b, "c", "m1", "m1"); return nil }
		r.Start()
		cxWrite(t, r.Engine, "c", "m0", "m0")
		r.Asks("c")
		r.Sleep(10 * time.Second)
		require.Equal(t, []string{"m0"}, p.now("r1").script)
		require.Equal(t, []string{"m1"}, p.now("r1").sent)
	}, p.serve)
}

// A message that comes between the attempt and the transcript is told once.
func TestC11_MessageBeforeTheTranscript(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r)
		_, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.commits("attempt/") }, after: func() { cxWrite(t, b, "c", "m1", "m1") }})
		cxWrite(t, b, "c", "m0", "m0")
		cxAsk(t, b, "c")
		r.Sleep(10 * time.Second)
		require.Equal(t, []string{"m0", "m1"}, p.all("r1"))
	}, p.serve)
}

// A sender that read the record while the first chat was bound gives it
// nothing that was written after the transfer.
func TestC12_NothingAfterTheTransfer(t *testing.T) {
	p1, p2 := newCxPlatform("one"), newCxPlatform("two")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		r.Start()
		id := cxChatting(t, r, p1)
		r.Stop()
		b, _ := cxIdle(t, r)
		a, tap := cxDeaf(t, r)
		tap.on(cxHook{match: func(s step) bool { return s.op == "Lead" && s.cursor == "provider/one/1" }, after: func() {
			_, err := b.Transfer(t.Context(), id, handoff.BySupervisor("sue"), handoff.Target{Queue: "second"})
			require.NoError(t, err)
			cxWrite(t, b, "c", "m2", "m2")
		}})
		cxWrite(t, a, "c", "m1", "m1")
		r.Sleep(10 * time.Second)
		require.Equal(t, []string{"m0", "m1"}, p1.all("r1"))
		require.Equal(t, []string{"m0", "m1", "m2"}, p2.all("r1"))
	}, p1.serve, secondQueue(p2))
}

// Open succeeds and its caller dies; a message comes; the second Open finds
// the same chat. Its transcript ended where the first one did.
func TestC13_SecondOpenHasTheFirstTranscript(t *testing.T) {
	p := newCxPlatform("desk")
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		b, _ := cxIdle(t, r)
		_, tap := cxDeaf(t, r)
		p.opened = func(try int) error {
			if try == 1 {
				tap.kill()
			}
			return nil
		}
		cxWrite(t, b, "c", "m0", "m0")
		h := cxAsk(t, b, "c")
		r.Sleep(3 * time.Second)
		require.Equal(t, []string{"m0"}, p.now("r1").script)
		require.Equal(t, handoff.StateConnecting, r.Now(h.ID).State)
		cxWrite(t, b, "c", "m1", "m1")
		cxDeaf(t, r)
		r.Sleep(40 * time.Second)
		require.Equal(t, 1, p.size())
		require.Equal(t, []string{"m1"}, p.now("r1").sent)
	}, p.serve)
}

// Where nothing can be found, a repeated Open is given the same transcript.
func TestC13_RepeatedOpenIsTheSame(t *testing.T) {
	p := newCxPlatform("desk")
	var scripts [][]string
	cxRun(t, func(t *testing.T, r *handofftest.Rig) {
		p.onOpen = func(try int, o handoff.Opening) error {
			var script []string
			for _, e := range o.Transcript {
				script = append(script, e.Text)
			}
			scripts = append(scripts, script)
			if try == 1 {
				cxWrite(t, r.Engine, "c", "m1", "m1")
				return &handoff.ProviderError{Op: "open", Retryable: true}
			}
			return nil
		}
		r.Start()
		cxWrite(t, r.Engine, "c", "m0", "m0")
		r.Asks("c")
		r.Sleep(20 * time.Second)
		require.Equal(t, [][]string{{"m0"}, {"m0"}}, scripts)
		require.Equal(t, []string{"m0", "m1"}, p.all("r1"))
	}, p.serve)
}
