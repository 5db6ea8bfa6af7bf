package handoff_test

import (
	"fmt"
	"strings"
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

// A chat that an agent has closed without a word to us is found at the first
// message that the platform refuses, and the bot has the user and what he wrote.
func TestRefusedMessageHasTheChatLookedAt(t *testing.T) {
	desk := inmem.New(inmem.Options{})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		id := r.Asks("c").ID
		ref := desk.Chats()[0].Reference
		reads := desk.Calls("state")

		// What is refused of a chat that goes on changes nothing, be it at the
		// moment in which the chat was looked at before.
		desk.Break(inmem.Refuses, "send")
		r.Says("c", "a file that it does not take")
		desk.Break(inmem.Works)
		require.Equal(t, reads+1, desk.Calls("state"))
		r.Says("c", "in words, then")
		r.Sleep(time.Second)
		require.Equal(t, reads+1, desk.Calls("state"), "what is taken is no reason to look, and one look is enough")

		r.Users.Fail(func(string, handoff.UserMessage) error {
			return &handoff.DeliveryError{Permanent: true, Code: "blocked"}
		})
		desk.Join(ref, handoff.Party{ID: "7", Name: "Ann"})
		for _, w := range desk.Take() {
			_, err := r.Webhook(r.Ctx, "inmem", w)
			require.NoError(t, err)
		}
		r.Sleep(time.Second)
		r.Users.Fail(nil)
		require.Equal(t, handoff.StateActive, r.Now(id).State)
		require.Equal(t, 2, strings.Count(fmt.Sprint(kinds(r, id)), string(handoff.KindUndelivered)), "the file, and that she is there")
		require.Equal(t, reads+1, desk.Calls("state"), "the user's channel is not the platform")
		desk.End(ref)
		desk.Take() // and nobody hears of it
		r.Says("c", "are you there?")
		r.Sleep(2 * time.Second) // the platform would be asked within a minute
		require.Equal(t, handoff.OutcomeResolved, r.Now(id).Outcome)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		require.Len(t, calls[0].Turn.Messages, 3)
		require.Equal(t, "are you there?", calls[0].Turn.Messages[2].Text)
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{desk.Provider()}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"inmem"}, IdleTimeout: handoff.Never}}
		c.BotTimeout = handoff.Never
	})
}
