package inmem_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// A stay-out follows an agent's end. Where nobody came there was none: whatever
// the queue's StayOut, the bot has the word at once, and no message of the user
// is left without a turn for the bot or for a person.
func TestStayOutNeedsAnAgent(t *testing.T) {
	const stay = 24 * time.Hour
	ends := map[string]func(r *handofftest.Rig, p *inmem.Platform, ref string){
		"the platform closes it":  func(_ *handofftest.Rig, p *inmem.Platform, ref string) { p.End(ref) },
		"the platform returns it": func(_ *handofftest.Rig, p *inmem.Platform, ref string) { p.Return(ref) },
		"the platform fails":      func(_ *handofftest.Rig, p *inmem.Platform, ref string) { p.Fail(ref, "gone") },
		"nobody comes in time":    func(r *handofftest.Rig, _ *inmem.Platform, _ string) { r.Sleep(10 * time.Minute) },
		"the host takes it back": func(r *handofftest.Rig, _ *inmem.Platform, _ string) {
			_, err := r.Cancel(r.T.Context(), "c", false)
			require.NoError(r.T, err)
		},
	}
	for _, custody := range []handoff.Custody{handoff.CustodyQueue, handoff.CustodyConversation} {
		for _, streams := range []bool{false, true} {
			for what, end := range ends {
				for _, unwatched := range []bool{false, true} {
					for _, waiting := range []bool{false, true} {
						name := string(custody) + ", " + what
						for _, flag := range []struct {
							name string
							on   bool
						}{{"streams", streams}, {"unwatched", unwatched}, {"a message waits", waiting}} {
							if flag.on {
								name += ", " + flag.name
							}
						}
						t.Run(name, func(t *testing.T) {
							desk := inmem.New(inmem.Options{Custody: custody, Streams: streams})
							handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
								stop := pump(r, desk)
								defer stop()
								h := r.Asks("c")
								r.Sleep(time.Minute)
								require.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
								if waiting {
									require.False(t, r.Says("c", "is anybody there?").Open())
								}
								end(r, desk, desk.Chats()[0].Reference)
								r.Sleep(time.Minute)
								require.Equal(t, handoff.StateEnded, r.Now(h.ID).State)
								assert.Zero(t, r.Now(h.ID).StayOut)

								calls := r.Bot.Calls(handoff.BotEnded)
								require.Len(t, calls, 1, "the bot has the word at once")
								if waiting {
									require.True(t, calls[0].Turn.Open())
									require.True(t, slices.ContainsFunc(calls[0].Turn.Messages, func(m handoff.Asked) bool { return m.Text == "is anybody there?" }))
								}
								turn := r.Says("c", "hello?")
								require.True(t, turn.Open(), "the next message has a turn")
								_, err := r.Reply(t.Context(), turn, handoff.Message{Text: "here I am"})
								require.NoError(t, err)
								r.Wait()
								assert.Contains(t, r.Users.Texts("c"), "here I am")
							}, func(c *handoff.Config) {
								c.Providers = []handoff.Provider{desk.Provider()}
								c.Unwatched = unwatched
								c.Queues = []handoff.Queue{{
									Name: "support", Providers: []string{"inmem"}, StayOut: stay,
									Ladder: []handoff.Rung{{After: 8 * time.Minute, Do: handoff.ToBot}},
								}}
							})
						})
					}
				}
			}
		}
	}
}

// A stay-out that runs goes on where a person was asked for meanwhile and nobody
// came: it delays the bot, and at its end the bot gets all that was said.
func TestStayOutOutlivesAHandoffThatNobodyTook(t *testing.T) {
	for _, custody := range []handoff.Custody{handoff.CustodyQueue, handoff.CustodyConversation} {
		for _, unwatched := range []bool{false, true} {
			desk := inmem.New(inmem.Options{Custody: custody})
			handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
				stop := pump(r, desk)
				defer stop()
				h := r.Asks("c")
				r.Sleep(time.Minute)
				desk.Join(desk.Chats()[0].Reference, handoff.Party{ID: "7", Name: "Ann"})
				desk.End(desk.Chats()[0].Reference)
				r.Sleep(time.Minute)
				require.Equal(t, handoff.OutcomeResolved, r.Now(h.ID).Outcome)
				require.False(t, r.Says("c", "one").Open(), "the bot stays out")
				r.Asks("c")
				r.Sleep(time.Minute)
				require.False(t, r.Says("c", "two").Open())
				desk.End(desk.Chats()[1].Reference)
				r.Sleep(time.Minute)
				require.False(t, r.Says("c", "three").Open(), "the stay-out goes on")
				for _, call := range r.Bot.Calls(handoff.BotEnded) {
					require.False(t, call.Turn.Open())
				}
				r.Sleep(time.Hour)
				var got []string
				for _, call := range r.Bot.Calls(handoff.BotEnded) {
					if call.Turn.Open() {
						for _, m := range call.Turn.Messages {
							got = append(got, m.Text)
						}
					}
				}
				assert.Equal(t, []string{"one", "two", "three"}, got, "custody %s, unwatched %t", custody, unwatched)
			}, func(c *handoff.Config) {
				c.Providers = []handoff.Provider{desk.Provider()}
				c.Unwatched = unwatched
				c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"inmem"}, StayOut: time.Hour}}
			})
		}
	}
}

// pump brings the platform's webhooks to the engine until stop is called.
func pump(r *handofftest.Rig, desk *inmem.Platform) (stop func()) {
	ctx, cancel := context.WithCancel(r.T.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		desk.Pump(ctx, func(ctx context.Context, w handoff.Webhook) error {
			_, err := r.Webhook(ctx, "inmem", w)
			return err
		})
	}()
	return func() { cancel(); <-done }
}
