package handoff_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
)

// platform is a Provider that remembers what it was given.
type platform struct {
	name string
	// opening is called by Open, outside of any lock.
	opening func(o handoff.Opening)

	mu     sync.Mutex
	down   bool
	hangs  bool
	opened []handoff.Opening
	sent   []handoff.ProviderMessage
	closed []string
}

func (p *platform) broken(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = on
}

func (p *platform) hang(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangs = on
}

// up waits while the platform hangs, and says whether it answers.
func (p *platform) up(ctx context.Context, op string) error {
	p.mu.Lock()
	down, hangs := p.down, p.hangs
	p.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if down {
		return &handoff.ProviderError{Op: op, Status: 503, Code: "down", Retryable: true}
	}
	return nil
}

func (p *platform) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{Name: p.name, Custody: handoff.CustodyQueue}
}

func (p *platform) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	p.mu.Lock()
	opening := p.opening
	p.mu.Unlock()
	if opening != nil {
		opening(o)
	}
	if err := p.up(ctx, "open"); err != nil {
		return handoff.Session{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = append(p.opened, o)
	return handoff.Session{Reference: "ref-" + o.Attempt}, nil
}

func (p *platform) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	if err := p.up(ctx, "send"); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Reference == "" {
		m.Text = "to nobody: " + m.Text
	}
	if !slices.ContainsFunc(p.sent, func(o handoff.ProviderMessage) bool { return o.ID == m.ID }) {
		p.sent = append(p.sent, m)
	}
	return nil
}

func (p *platform) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	if err := p.up(ctx, "close"); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = append(p.closed, s.Reference)
	return nil
}

// Receive takes no webhooks: tests call Engine.Deliver.
func (p *platform) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{}, nil
}

// got returns the texts that the platform's agent has seen, from the
// transcript of the last chat on.
func (p *platform) got() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.opened); n > 0 {
		for _, en := range p.opened[n-1].Transcript {
			out = append(out, en.Text)
		}
	}
	for _, m := range p.sent {
		out = append(out, m.Text)
	}
	return out
}

// vendor is a Config whose only queue is served by p.
func vendor(p *platform) func(*handoff.Config) {
	return func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{p.name}}}
	}
}

// botpress start-hitl.ts 051f5aa2: the transcript given to the desk was always
// empty, and the user heard that an agent was coming before there was a ticket.
func TestW42_TranscriptIsCompleteAndTheUserIsToldAfterwards(t *testing.T) {
	desk := &platform{name: "vendor"}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		turn := r.Says("c1", "my invoice is wrong")
		_, err := r.Reply(r.Ctx, turn, handoff.Message{Text: "which one?"})
		require.NoError(t, err)
		turn = r.Says("c1", "number 7")
		r.Sleep(time.Second)

		// Storing fails: nothing is promised, and the bot has its turn.
		r.Store.Down()
		_, err = r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support"})
		require.Error(t, err)
		r.Store.Plan(nil)
		r.Sleep(time.Minute / 2)
		require.Empty(t, notices(r, "c1"))
		require.Empty(t, desk.got())
		_, err = r.Reply(r.Ctx, turn, handoff.Message{Text: "one moment"})
		require.NoError(t, err, "the bot has control")

		turn = r.Says("c1", "a person, please")
		desk.opening = func(o handoff.Opening) {
			// Whoever is called sees a handoff that is stored.
			h, err := r.Get(t.Context(), o.Handoff.ID)
			require.NoError(t, err)
			require.Equal(t, handoff.StateConnecting, h.State)
		}
		_, err = r.Request(r.Ctx, handoff.Request{Turn: turn, Queue: "support", Note: "angry"})
		require.NoError(t, err)
		r.Sleep(time.Second)
		require.Equal(t, []string{"my invoice is wrong", "which one?", "number 7", "one moment", "a person, please"}, desk.got())
		require.Equal(t, []string{handoff.NoticeConnecting}, notices(r, "c1"))
	}, vendor(desk))

	// Our own agents see what the host remembers before they can accept.
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 1)
		r.Says("c1", "hello")
		r.Asks("c1")
		h, _ := ann.Offered()
		var texts []string
		for _, en := range r.Entries(h.ID) {
			if en.Kind == handoff.KindMessage {
				texts = append(texts, en.Text)
			}
		}
		require.ElementsMatch(t, []string{"last year", "what about it?", "hello"}, texts)
	}, func(c *handoff.Config) {
		c.History = handoff.HistoryFunc(func(context.Context, string) ([]handoff.Past, error) {
			return []handoff.Past{
				{ID: "p1", Text: "last year"},
				{ID: "p2", From: handoff.Party{Role: handoff.RoleBot}, Text: "what about it?"},
				{ID: "m1", Text: "hello"}, // the engine knows this one already
			}, nil
		})
	})
}

// Genesys forum 30668: the agent's first messages were lost while the bridge
// connected.
func TestW45_NothingIsLostWhileTheBridgeConnects(t *testing.T) {
	desk := &platform{name: "vendor"}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		desk.broken(true)
		r.Says("c1", "hello")
		h := r.Asks("c1")
		require.Equal(t, handoff.StateConnecting, h.State)
		r.Says("c1", "are you there?")
		r.Sleep(time.Second)
		r.Says("c1", "anybody?")
		require.Empty(t, desk.got())

		// The agent is so fast that he writes before Open has returned.
		opening := func(o handoff.Opening) {
			if desk.up(t.Context(), "open") != nil {
				return
			}
			for i, text := range []string{"hi, this is Vera", "one moment"} {
				require.NoError(t, r.Deliver(t.Context(), "vendor", handoff.ProviderEvent{
					ID: "e" + talk(i), Reference: "ref-" + o.Attempt, Attempt: o.Attempt, Kind: handoff.EventMessage,
					Agent: handoff.Party{ID: "v", Name: "Vera"}, MessageID: talk(i), Text: text,
				}))
			}
		}
		desk.mu.Lock()
		desk.opening = opening
		desk.mu.Unlock()
		desk.broken(false)
		r.Sleep(time.Minute / 2)
		require.Equal(t, handoff.StateActive, r.Now(h.ID).State)
		require.Equal(t, []string{"hi, this is Vera", "one moment"}, saidBy(r, "c1", handoff.RoleAgent))
		require.ElementsMatch(t, []string{"hello", "are you there?", "anybody?"}, desk.got(), "each once")
		r.Says("c1", "good")
		require.Equal(t, "good", desk.got()[3])
	}, vendor(desk))

	// A bridge that never connects is no secret: the bot has the user and all
	// that he wrote.
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		desk := r.Config.Providers[0].(*platform)
		desk.broken(true)
		r.Says("c1", "hello")
		r.Asks("c1")
		r.Says("c1", "are you there?")
		r.Sleep(2 * time.Minute)
		require.Contains(t, notices(r, "c1"), handoff.NoticeFailed)
		calls := r.Bot.Calls(handoff.BotEnded)
		require.Len(t, calls, 1)
		require.Equal(t, handoff.OutcomeFailed, calls[0].Outcome)
		require.Len(t, calls[0].Turn.Messages, 2)
	}, vendor(&platform{name: "vendor"}))
}
