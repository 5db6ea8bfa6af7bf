// Package platform shows a bot that lives inside a platform which owns the
// conversation: the platform carries the user's messages itself, and people
// there may take it over without being asked.
package platform

import (
	"testing"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

func TestBotInsideAPlatform(t *testing.T) {
	p := inmem.New(inmem.Options{Name: "switchboard", Custody: handoff.CustodyConversation})
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ctx := t.Context()
		pump := func() { // the platform's webhooks reach the host
			for _, w := range p.Take() {
				if _, err := r.Webhook(ctx, "switchboard", w); err != nil {
					t.Fatal(err)
				}
			}
			r.Wait()
		}

		// While the bot has control the platform passes messages to the host.
		turn := r.Says("c", "hello")
		if _, err := r.Reply(ctx, turn, handoff.Message{Text: "hi"}); err != nil {
			t.Fatal(err)
		}

		// A person there takes the conversation. Nobody asked for it.
		ref := p.TakeControl("c", handoff.Party{ID: "7", Name: "Zoe"})
		pump()
		if h := r.Last("c"); h.State != handoff.StateActive || h.AgentName != "Zoe" {
			t.Fatalf("state %s, agent %q", h.State, h.AgentName)
		}
		if _, err := r.Reply(ctx, turn, handoff.Message{Text: "shall I go on?"}); err == nil {
			t.Fatal("the bot spoke into the agent's conversation")
		}
		p.Say(ref, "This is Zoe.")
		pump()
		for _, m := range r.Users.Saw("c") {
			if m.From.Role != handoff.RoleBot {
				t.Errorf("the engine showed %q; the platform shows its own messages", m.Text)
			}
		}

		// She gives it back, and the bot knows what was said.
		p.Return(ref)
		pump()
		calls := r.Bot.Calls(handoff.BotEnded)
		if len(calls) != 1 || !calls[0].Turn.Open() || len(calls[0].Human) != 1 || calls[0].Human[0].Text != "This is Zoe." {
			t.Fatalf("the bot was called with %+v", calls)
		}
	}, func(c *handoff.Config) { c.Providers = []handoff.Provider{p.Provider()} })
}
