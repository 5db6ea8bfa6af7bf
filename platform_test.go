package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// The tests in this file are of the engine's side of platforms, where
// providertest cannot reach: what it does with platforms that are worse than
// the reference.

func onPlatform(t *testing.T, p *cxPlatform, f func(t *testing.T, r *handofftest.Rig), change ...func(*handoff.Config)) {
	t.Helper()
	handofftest.Run(t, f, append([]func(*handoff.Config){p.serve}, change...)...)
}

// A platform that cannot find chats opens a second one when an answer is lost.
// As soon as the first one shows itself it is owed a close, and nothing of it
// reaches the user.
func TestPlatformOpenedTwice(t *testing.T) {
	p := newCxPlatform("desk")
	p.blind = true
	p.opened = func(try int) error {
		if try == 1 {
			return &handoff.ProviderError{Op: "open", Retryable: true, Ambiguous: true, Err: errors.New("no answer")}
		}
		return nil
	}
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(10 * time.Second)
		require.Equal(t, 2, p.size())
		p.stands("r2", handoff.SessionActive)
		require.NoError(t, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventJoined, "r2", "j2")))
		stray := cxEvent(handoff.EventMessage, "r1", "m1")
		stray.Attempt, stray.Text = p.now("r1").attempt, "to nobody"
		require.NoError(t, r.Deliver(t.Context(), "desk", stray))
		r.Sleep(10 * time.Second)
		assert.True(t, p.now("r1").closed, "the first chat is closed")
		assert.False(t, p.now("r2").closed, "the second one goes on")
		assert.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		assert.NotContains(t, r.Users.Texts("c"), "to nobody")
		r.Says("c", "hello")
		assert.Equal(t, []string{"hello"}, p.now("r2").sent)
	})
}

// An event that is faster than the answer to Open comes from a chat that the
// answer does not name: the other one is closed.
func TestPlatformEventOfAnotherChat(t *testing.T) {
	p := newCxPlatform("desk")
	p.blind = true
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		p.onOpen = func(try int, o handoff.Opening) error {
			if try > 1 {
				return nil
			}
			p.mu.Lock()
			p.chats = append(p.chats, &cxChat{ref: "r1", attempt: o.Attempt})
			p.mu.Unlock()
			ev := cxEvent(handoff.EventQueued, "r1", "q1")
			ev.Attempt = o.Attempt
			return r.Deliver(t.Context(), "desk", ev)
		}
		h := r.Asks("c")
		r.Sleep(10 * time.Second)
		assert.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
		assert.True(t, p.now("r1").closed)
		assert.False(t, p.now("r2").closed)
	})
}

// A person of the platform takes the conversation in another chat while ours
// is being opened, and the answer to Open is lost: when it is over, both chats
// are closed, also the one whose opening took longest.
func TestPlatformAnotherChatHidesOurs(t *testing.T) {
	for name, late := range map[string]time.Duration{"there when it is closed": 0, "opened after that": 4 * time.Second} {
		t.Run(name, func(t *testing.T) {
			p := newCxPlatform("desk")
			p.custody = handoff.CustodyConversation
			onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
				p.mu.Lock()
				p.chats = append(p.chats, &cxChat{ref: "r1"})
				p.mu.Unlock()
				p.onOpen = func(int, handoff.Opening) error {
					ev := cxEvent(handoff.EventJoined, "r1", "j1")
					ev.Conversation = "c"
					err := r.Deliver(t.Context(), "desk", ev)
					time.Sleep(late)
					return err
				}
				p.opened = func(int) error {
					return &handoff.ProviderError{Op: "open", Ambiguous: true, Err: errors.New("cut off")}
				}
				h := r.Asks("c")
				_, err := r.Cancel(t.Context(), "c", false)
				require.NoError(t, err)
				r.Sleep(time.Minute)
				require.Equal(t, 2, p.size())
				assert.True(t, p.now("r1").closed, "the other chat")
				assert.True(t, p.now("r2").closed, "ours")
				end := r.Now(h.ID)
				for _, b := range end.Bindings() {
					assert.Equal(t, handoff.BindClosed, b.Status, "%+v", b)
				}
			})
		})
	}
}

// What Open is still doing when the user gives up is closed when it is done,
// also where chats cannot be found.
func TestPlatformOpensTooLate(t *testing.T) {
	p := newCxPlatform("desk")
	p.blind = true
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		p.onOpen = func(int, handoff.Opening) error {
			time.Sleep(5 * time.Second)
			return nil
		}
		r.Asks("c")
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Sleep(time.Minute)
		require.Equal(t, 1, p.size())
		assert.True(t, p.now("r1").closed)
	})
}

// A close that is late must not end the next chat under the same reference.
func TestPlatformLateCloseUnderOneReference(t *testing.T) {
	p := newCxPlatform("desk")
	p.one = true
	down := true
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		first := r.Asks("c")
		r.Sleep(3 * time.Second)
		p.onEnd = func(string) error {
			if down {
				return &handoff.ProviderError{Op: "close", Retryable: true, Err: errors.New("busy")}
			}
			return nil
		}
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Sleep(3 * time.Second)
		second := r.Asks("c")
		r.Sleep(3 * time.Second)
		require.NotEqual(t, first.ID, second.ID)
		down = false
		r.Sleep(10 * time.Minute)
		assert.False(t, p.now("of c").closed, "the second chat was closed by the first one's close")
		assert.Equal(t, handoff.StateQueued, r.Now(second.ID).State)
	}, cxQueue(func(q *handoff.Queue) { q.Ladder = []handoff.Rung{{After: time.Hour, Do: handoff.ToBot}} }))
}

// What follows an agent's end is the queue's to say, wherever the agent works.
func TestPlatformEndFollowsTheQueue(t *testing.T) {
	p := newCxPlatform("desk")
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(3 * time.Second)
		require.NoError(t, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventJoined, "r1", "j1"), cxEvent(handoff.EventEnded, "r1", "e1")))
		r.Sleep(5 * time.Second)
		require.Equal(t, handoff.StateEnded, r.Now(h.ID).State)
		require.False(t, r.Says("c", "are you there?").Open())
		require.Empty(t, r.Bot.Calls(handoff.BotEnded))
		r.Sleep(time.Hour)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		require.True(t, calls[0].Turn.Open())
		require.Equal(t, "are you there?", calls[0].Turn.Messages[len(calls[0].Turn.Messages)-1].Text)
	}, cxQueue(func(q *handoff.Queue) { q.StayOut = time.Hour }))
}

// One platform that cannot be reached holds up no other one's close.
func TestPlatformClosesTakeTurns(t *testing.T) {
	bad, good := newCxPlatform("bad"), newCxPlatform("good")
	bad.onEnd = func(string) error {
		return &handoff.ProviderError{Op: "close", Retryable: true, Err: errors.New("busy")}
	}
	onPlatform(t, bad, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(3 * time.Second)
		require.NoError(t, r.Deliver(t.Context(), "bad", cxEvent(handoff.EventFailed, "r1", "f1")))
		r.Sleep(3 * time.Second)
		require.Equal(t, "good", r.Now(h.ID).Provider)
		_, err := r.Cancel(t.Context(), "c", false)
		require.NoError(t, err)
		r.Sleep(5 * time.Minute)
		assert.True(t, good.now("r1").closed)
		assert.False(t, bad.now("r1").closed)
	}, good.serve)
}

// What cannot be stored is left out, and holds up neither the rest of the
// webhook nor later ones.
func TestPlatformPoisonedEvent(t *testing.T) {
	p := &pushing{cxPlatform: newCxPlatform("desk")}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(3 * time.Second)
		say := func(id, text string) handoff.ProviderEvent {
			ev := cxEvent(handoff.EventMessage, "r1", id)
			ev.Text = text
			return ev
		}
		p.next = []handoff.ProviderEvent{
			say("1", "one"), say("2", strings.Repeat("x", 1<<20)), say("3", "bad \xff"), say("4", ""), say(strings.Repeat("5", 1000), "long id"), say("6", "two"),
		}
		_, err := r.Webhook(t.Context(), "desk", handoff.Webhook{})
		require.NoError(t, err, "it would come again for ever")
		r.Wait()
		texts := r.Users.Texts("c")
		assert.Equal(t, []string{"one", "two"}, texts[len(texts)-2:])
		assert.ErrorIs(t, r.Deliver(t.Context(), "desk", p.next...), handoff.ErrInvalid, "who calls Deliver himself is told")
		assert.Equal(t, handoff.StateActive, r.Now(h.ID).State)
	}, p.serve, func(c *handoff.Config) { c.Providers[0] = p })
}

// pushing is a platform whose next webhook is made up.
type pushing struct {
	*cxPlatform

	next []handoff.ProviderEvent
}

func (p *pushing) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return p.next, handoff.WebhookReply{}, nil
}

// A message without an event id is known by its message id.
func TestPlatformMessageWithoutEventID(t *testing.T) {
	p := newCxPlatform("desk")
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c")
		r.Sleep(3 * time.Second)
		ev := cxEvent(handoff.EventMessage, "r1", "")
		ev.MessageID, ev.Text = "m1", "hello"
		for range 3 {
			require.NoError(t, r.Deliver(t.Context(), "desk", ev))
		}
		r.Wait()
		n := 0
		for _, text := range r.Users.Texts("c") {
			if text == "hello" {
				n++
			}
		}
		assert.Equal(t, 1, n)
	})
}

// Where we relay, a user's message from the platform is an echo: taking it
// would send it there again.
func TestPlatformEchoOfTheUser(t *testing.T) {
	p := newCxPlatform("desk")
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(3 * time.Second)
		r.Says("c", "hello")
		for _, id := range []string{"", "x"} {
			ev := cxEvent(handoff.EventUserMessage, "r1", "echo"+id)
			ev.Text, ev.MessageID = "hello", id
			require.NoError(t, r.Deliver(t.Context(), "desk", ev))
		}
		r.Sleep(10 * time.Second)
		assert.Equal(t, []string{"hello"}, p.now("r1").sent)
		assert.Len(t, r.Now(h.ID).Pending, 1)
	})
}

// Users' messages without ids, on a platform that carries them, are told apart
// by the events.
func TestPlatformUserMessagesWithoutID(t *testing.T) {
	p := newCxPlatform("desk")
	p.custody = handoff.CustodyConversation
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(3 * time.Second)
		for _, id := range []string{"e1", "e2", "e2"} {
			ev := cxEvent(handoff.EventUserMessage, "r1", id)
			ev.Text = "said in " + id
			require.NoError(t, r.Deliver(t.Context(), "desk", ev))
		}
		assert.Len(t, r.Now(h.ID).Pending, 2)
	})
}

// A state that was read before an event came, and is stored after it, does not
// undo what the event did.
func TestPlatformStaleRead(t *testing.T) {
	p := newCxPlatform("desk")
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		raced := false
		p.onRead = func(ref string) (handoff.SessionState, error) {
			if raced {
				return handoff.SessionActive, nil
			}
			raced = true
			// The platform has answered "queued"; before that is here, an
			// agent joins and his event is faster.
			return handoff.SessionQueued, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventJoined, ref, "j1"))
		}
		h := r.Asks("c")
		r.Sleep(5 * time.Second)
		require.True(t, raced)
		assert.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		for _, en := range r.Entries(h.ID) {
			assert.NotEqual(t, handoff.KindAgentLeft, en.Kind)
		}
	})
}

// An agent who left while the webhook was lost is found gone, and one who came
// in his place is found too.
func TestPlatformReadsWhoHasIt(t *testing.T) {
	p := newCxPlatform("desk")
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(3 * time.Second)
		p.stands("r1", handoff.SessionActive)
		other := cxEvent(handoff.EventJoined, "r1", "j1")
		other.Agent = handoff.Party{ID: "max", Name: "Max"}
		require.NoError(t, r.Deliver(t.Context(), "desk", other))
		require.Equal(t, "Max", r.Now(h.ID).AgentName)
		r.Sleep(2 * time.Minute)
		assert.Equal(t, "Zoe", r.Now(h.ID).AgentName)
		p.stands("r1", handoff.SessionQueued)
		r.Sleep(2 * time.Minute)
		assert.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
	})
}

// A platform whose state cannot be read is not asked, and its handoffs are not
// written again and again.
func TestPlatformWithoutStateReader(t *testing.T) {
	p := newCxPlatform("desk")
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(10 * time.Second)
		require.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
		before := r.Now(h.ID).Version
		r.Sleep(9 * time.Minute)
		assert.Equal(t, before, r.Now(h.ID).Version)
	}, p.serve, func(c *handoff.Config) {
		c.Providers[0] = struct {
			handoff.Provider
			handoff.Receiver
		}{p, p}
	})
}

// What was said while a platform was being opened that then refused is owed to
// nobody: the next one has it in its transcript.
func TestPlatformNeverOpenedIsOwedNothing(t *testing.T) {
	bad, good := newCxPlatform("bad"), newCxPlatform("good")
	bad.onOpen = func(try int, _ handoff.Opening) error {
		return &handoff.ProviderError{Op: "open", Retryable: try < 3, Err: errors.New("not now")}
	}
	bad.onSend = func(handoff.ProviderMessage) error {
		t.Error("a message was sent to a chat that was never opened")
		return nil
	}
	onPlatform(t, bad, func(t *testing.T, r *handofftest.Rig) {
		r.Says("c", "before")
		h := r.Asks("c")
		r.Says("c", "meanwhile")
		r.Sleep(time.Minute)
		require.Equal(t, []string{"before", "meanwhile"}, good.all("r1"))
		var led []string
		r.Store.Plan(func(op string, id handoff.ID) handofftest.Fault {
			if op == "Lead" && id == h.ID {
				led = append(led, op)
			}
			return handofftest.Fault{}
		})
		r.Sleep(3 * time.Minute)
		assert.Empty(t, led, "somebody tries to deliver again and again")
		r.Sleep(57 * time.Minute) // every five the engine has forgotten what it saw, and looks once more at each of two
		assert.LessOrEqual(t, len(led), 2*12, "somebody tries to deliver again and again")
	}, good.serve)
}

// A provider that panics has failed; the engine has not.
func TestPlatformPanics(t *testing.T) {
	bad, good := newCxPlatform("bad"), newCxPlatform("good")
	bad.onOpen = func(int, handoff.Opening) error { panic("nil map") }
	onPlatform(t, bad, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Sleep(3 * time.Minute)
		assert.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
		assert.Equal(t, "good", r.Now(h.ID).Provider)
	}, good.serve)
}

// A typing signal that cannot be shown is lost, and no reason for the platform
// to send its webhook again.
func TestPlatformTypingIsOnlyASignal(t *testing.T) {
	p := newCxPlatform("desk")
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c")
		r.Sleep(3 * time.Second)
		require.NoError(t, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventJoined, "r1", "j1")))
		assert.NoError(t, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventTyping, "r1", "t1")))
	}, func(c *handoff.Config) {
		c.Channel = mute{c.Channel}
	})
}

// Who is writing is the agent who has the user, if the platform does not say.
func TestPlatformTypingHasAName(t *testing.T) {
	p, seen := newCxPlatform("desk"), &typists{}
	onPlatform(t, p, func(t *testing.T, r *handofftest.Rig) {
		r.Asks("c")
		r.Sleep(3 * time.Second)
		require.NoError(t, r.Deliver(t.Context(), "desk", cxEvent(handoff.EventJoined, "r1", "j1")))
		nameless := cxEvent(handoff.EventTyping, "r1", "t1")
		nameless.Agent = handoff.Party{}
		require.NoError(t, r.Deliver(t.Context(), "desk", nameless))
		other := cxEvent(handoff.EventTyping, "r1", "t2")
		other.Agent.Name, other.Stopped = "Bob", true
		require.NoError(t, r.Deliver(t.Context(), "desk", other))
		assert.Equal(t, []string{"Zoe true", "Bob false"}, seen.by)
	}, func(c *handoff.Config) {
		seen.Channel, c.Channel = c.Channel, seen
	})
}

// typists notes who is shown to be writing.
type typists struct {
	handoff.Channel

	by []string
}

func (c *typists) ShowTyping(_ context.Context, _ string, from handoff.Party, on bool) error {
	c.by = append(c.by, fmt.Sprint(from.Name, " ", on))
	return nil
}

type mute struct{ handoff.Channel }

func (mute) ShowTyping(context.Context, string, handoff.Party, bool) error {
	return errors.New("the user is not connected")
}

// The availability of a platform that does not answer is not waited for for
// ever, and is not online.
func TestPlatformAvailabilityHangs(t *testing.T) {
	p := &hanging{cxPlatform: newCxPlatform("desk")}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		start := time.Now()
		a, err := r.Availability(t.Context(), handoff.Need{Queue: "support"})
		require.NoError(t, err)
		assert.NotEqual(t, handoff.Online, a.Availability)
		assert.Less(t, time.Since(start), time.Minute)
	}, p.serve, func(c *handoff.Config) { c.Providers = slices.Clone(c.Providers); c.Providers[0] = p })
}

type hanging struct{ *cxPlatform }

func (h *hanging) Available(ctx context.Context, _ handoff.Need) (handoff.Availability, error) {
	<-ctx.Done()
	return handoff.Online, ctx.Err()
}
