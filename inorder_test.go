package handoff_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// The last notice of a handoff and the bot's first words in the next one are
// two records with a cursor each, and yet one conversation.
func TestUserSeesHandoffsInOrder(t *testing.T) {
	bot := func(say func(ctx context.Context, e *handoff.Engine, turn handoff.Turn) error) func(*testing.T, *handofftest.Rig) {
		return func(t *testing.T, r *handofftest.Rig) {
			t.Helper()
			r.Bot.Do = func(ctx context.Context, e *handoff.Engine, c handoff.BotCall) error {
				if c.Kind == handoff.BotEnded {
					return say(ctx, e, c.Turn)
				}
				return nil
			}
			failed := 0
			r.Users.Fail(func(_ string, m handoff.UserMessage) error {
				if m.Notice == handoff.NoticeReturned && failed < 3 {
					failed++
					return errors.New("the network is away")
				}
				return nil
			})
			ann := r.Agent("ann", 1)
			r.Says("c", "A person!")
			h := r.Asks("c")
			ann.Accept()
			ann.Returns(h.ID, "done")
			r.Sleep(5 * time.Minute)

			texts := r.Users.Texts("c")
			want := []string{"You are talking to the assistant again.", "I am back."}
			if assert.GreaterOrEqual(t, len(texts), 2) {
				assert.Equal(t, want, texts[len(texts)-2:])
			}
			if assert.Len(t, r.Bot.Calls(handoff.BotEnded), 1) {
				chunks := r.Users.Chunks("c")
				assert.Equal(t, 3, failed)
				for _, c := range chunks {
					assert.False(t, c.Retract)
				}
			}
		}
	}
	t.Run("reply", func(t *testing.T) {
		handofftest.Run(t, bot(func(ctx context.Context, e *handoff.Engine, turn handoff.Turn) error {
			_, err := e.Reply(ctx, turn, handoff.Message{Text: "I am back."})
			return err
		}))
	})
	t.Run("stream", func(t *testing.T) {
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			shown := false
			bot(func(ctx context.Context, e *handoff.Engine, turn handoff.Turn) error {
				go func() {
					ctx := r.Ctx
					s, err := e.Stream(ctx, turn, "s")
					if !assert.NoError(t, err) {
						return
					}
					assert.NoError(t, s.Write(ctx, "I am back."))
					texts := r.Users.Texts("c")
					assert.Equal(t, "You are talking to the assistant again.", last(texts), "no bit of a reply before it")
					_, err = s.Close(ctx)
					assert.NoError(t, err)
					shown = true
				}()
				return nil
			})(t, r)
			assert.True(t, shown)
		}, func(c *handoff.Config) { c.BotTimeout = handoff.Never })
	})
}

// A channel that is down for hours costs a few looks each time that it is
// tried, however many handoffs of a conversation wait to be shown; when it is
// back, all is shown in order.
func TestChannelDownIsNoStorm(t *testing.T) {
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		down := true
		r.Users.Fail(func(string, handoff.UserMessage) error {
			if down {
				return errors.New("the network is away")
			}
			return nil
		})
		const stretches = 20
		for i := range stretches {
			turn := r.Says("c", "hi "+strconv.Itoa(i))
			_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "hello " + strconv.Itoa(i)})
			require.NoError(t, err)
			r.Asks("c")
			_, err = r.Cancel(r.Ctx, "c", true)
			require.NoError(t, err)
		}
		var reads atomic.Int64
		r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
			if op != "Claim" {
				reads.Add(1)
			}
			return handofftest.Fault{}
		})
		r.Sleep(time.Hour)
		t.Logf("%d calls of the store in an hour", reads.Load())
		assert.Less(t, reads.Load(), int64(60*3*2*stretches), "three calls a minute for each handoff are too many")
		down = false
		r.Sleep(6 * time.Minute)
		var hellos []string
		for _, s := range r.Users.Texts("c") {
			if strings.HasPrefix(s, "hello ") {
				hellos = append(hellos, s)
			}
		}
		want := make([]string, stretches)
		for i := range want {
			want[i] = "hello " + strconv.Itoa(i)
		}
		assert.Equal(t, want, hellos)
	}, func(c *handoff.Config) { c.SendTries, c.SendFor = 10_000, 100*time.Hour })
}
