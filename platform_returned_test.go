package handoff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// On a platform without a bot an agent gives the user back by a word: the bot
// gets what he wrote behind it and what is unanswered, the user sees nothing of
// it, and the chat, which is still open there, is closed.
func TestReturnedByWord(t *testing.T) {
	desk := inmem.New(inmem.Options{ReturnWord: "!bot"})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		deliver := func() {
			for _, w := range desk.Take() {
				_, err := r.Webhook(r.Ctx, "inmem", w)
				require.NoError(t, err)
			}
			r.Wait()
		}
		id := r.Asks("c").ID
		r.Sleep(time.Second)
		ref := desk.Chats()[0].Reference
		desk.Join(ref, handoff.Party{ID: "7", Name: "Ann"})
		desk.Say(ref, "hello")
		deliver()
		r.Says("c", "and my bill?")
		r.Sleep(time.Second)
		desk.Say(ref, "!Bot the bill is paid")
		hooks := desk.Take()
		for range 2 { // told twice, it has happened once
			for _, w := range hooks {
				_, err := r.Webhook(r.Ctx, "inmem", w)
				require.NoError(t, err)
			}
		}
		r.Sleep(10 * time.Second)

		require.Equal(t, handoff.OutcomeReturned, r.Now(id).Outcome)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		assert.Equal(t, "the bill is paid", calls[0].Note)
		require.Len(t, calls[0].Turn.Messages, 1)
		assert.Equal(t, "and my bill?", calls[0].Turn.Messages[0].Text)
		for _, text := range r.Users.Texts("c") {
			assert.NotContains(t, text, "paid")
		}
		assert.Equal(t, handoff.SessionEnded, desk.Chats()[0].State, "nobody there has him any more")
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{desk.Provider()}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"inmem"}, IdleTimeout: handoff.Never}}
		c.BotTimeout = handoff.Never
	})
}
