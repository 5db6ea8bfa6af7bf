package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// forgetful is a platform whose answers can be lost after it took a message.
type forgetful struct {
	platform

	loses  func(text string) bool
	sticks string
	got    []string
}

func (p *forgetful) Send(ctx context.Context, _ handoff.Session, m handoff.ProviderMessage) error {
	p.mu.Lock()
	p.got = append(p.got, fmt.Sprint(m.Text, " ", m.Again))
	loses, sticks := p.loses != nil && p.loses(m.Text), p.sticks == m.Text
	p.mu.Unlock()
	if sticks {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := p.up(ctx, "send"); err != nil {
		return err
	}
	if loses {
		return &handoff.ProviderError{Op: "send", Retryable: true, Ambiguous: true, Err: errors.New("no answer")}
	}
	return nil
}

// stick makes the platform give no answer to a message.
func (p *forgetful) stick(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sticks = text
}

func (p *forgetful) Receive(context.Context, handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	return nil, handoff.WebhookReply{}, nil
}

// What the log holds besides messages does not make a second try look like a
// first one.
func TestPlatformIsToldOfTheFirstRepeat(t *testing.T) {
	lost := 2
	p := &forgetful{platform: platform{name: "desk"}}
	p.loses = func(string) bool { lost--; return lost >= 0 }
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		h := r.Asks("c")
		r.Says("c", "one")
		r.Sleep(20 * time.Second)
		_, err := r.Tag(r.Ctx, h.ID, handoff.BySupervisor("s"), []string{"vip"}, nil)
		require.NoError(t, err)
		lost = 2
		r.Says("c", "two")
		r.Sleep(20 * time.Second)
		assert.Equal(t, []string{"one false", "one true", "one true", "two false", "two true", "two true"}, p.had())
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"desk"}, IdleTimeout: handoff.Never}}
		c.BotTimeout = handoff.Never
	})
}

func (p *forgetful) had() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.got...)
}

// A platform that cannot tell repeats can rely on Again: a first try says that
// it is one, whether messages come one by one or have gathered, and whatever
// may have arrived says so, also when the sender died of it.
func TestPlatformIsToldOfRepeats(t *testing.T) {
	lost := 1
	p := &forgetful{platform: platform{name: "desk"}}
	p.loses = func(text string) bool {
		if text == "three" && lost > 0 {
			lost--
			return true
		}
		return false
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		p.broken(true)
		h := r.Asks("c") // opening fails at first, so that messages gather
		r.Says("c", "one")
		r.Says("c", "two")
		p.broken(false)
		r.Sleep(20 * time.Second)
		require.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
		assert.Equal(t, []string{"one false", "two false"}, p.had())
		r.Says("c", "three")
		r.Sleep(20 * time.Second)
		r.Says("c", "four")
		assert.Equal(t, []string{"three false", "three true", "four false"}, p.had()[2:])

		p.broken(true)
		r.Says("c", "five")
		r.Says("c", "six")
		p.broken(false)
		p.stick("six") // it arrives, and the process ends before it knows
		r.Sleep(20 * time.Second)
		r.Restart()
		p.stick("")
		r.Sleep(5 * time.Minute)
		had := p.had()
		assert.Equal(t, []string{"five true", "six false"}, had[6:8])
		assert.Equal(t, "six true", had[len(had)-1])
	}, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"desk"}, IdleTimeout: handoff.Never, ConnectTime: 10 * time.Minute}}
		c.BotTimeout = handoff.Never
	})
}

// renewing is a platform whose sessions end, and whose state cannot be read.
type renewing struct {
	forgetful

	life    time.Duration
	renewed int
}

func (p *renewing) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	s, err := p.platform.Open(ctx, o)
	s.Expires = time.Now().Add(p.life)
	return s, err
}

func (p *renewing) Refresh(_ context.Context, s handoff.Session) (handoff.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down || time.Now().After(s.Expires) {
		return s, &handoff.ProviderError{Op: "refresh", Status: 401}
	}
	p.renewed++
	s.State, s.Expires = fmt.Append(nil, p.renewed), time.Now().Add(p.life)
	return s, nil
}

// Sessions are renewed before they end, however long they live, and also when
// that failed at first.
func TestPlatformSessionsAreRenewed(t *testing.T) {
	for _, life := range []time.Duration{30 * time.Second, 10 * time.Minute, 8 * time.Hour} {
		p := &renewing{forgetful: forgetful{platform: platform{name: "desk"}}, life: life}
		handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
			h := r.Asks("c")
			r.Sleep(life / 2)
			p.broken(true)
			r.Sleep(life / 3)
			p.broken(false)
			r.Sleep(10 * life)
			p.mu.Lock()
			defer p.mu.Unlock()
			assert.GreaterOrEqual(t, p.renewed, 9)
			assert.LessOrEqual(t, p.renewed, 80)
			assert.Equal(t, handoff.StateQueued, r.Now(h.ID).State)
		}, func(c *handoff.Config) {
			c.Providers = []handoff.Provider{p}
			c.Queues = []handoff.Queue{{Name: "support", Providers: []string{"desk"}, Ladder: []handoff.Rung{{After: 300 * time.Hour, Do: handoff.ToBot}}}}
			if life > time.Hour {
				seldom(c)
			}
		})
	}
}

// A queue of our own desk can have its tickets made by a platform; one that
// makes none is a mistake.
func TestTicketsOfAQueue(t *testing.T) {
	desk := inmem.New(inmem.Options{})
	own := func(tickets string) func(*handoff.Config) {
		return func(c *handoff.Config) {
			c.Providers = []handoff.Provider{desk.Provider()}
			c.Queues = []handoff.Queue{{Name: "support", NeedAgents: true, Tickets: tickets}}
		}
	}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		_, err := r.Request(r.Ctx, handoff.Request{Conversation: "c", Queue: "support"})
		var off *handoff.UnavailableError
		require.ErrorAs(t, err, &off)
		_, err = r.LeaveMessage(r.Ctx, off.Record, "call me", map[string]string{"phone": "1"})
		require.NoError(t, err)
		r.Sleep(time.Minute)
		log, err := r.Log(r.Ctx, off.Record, 0, 100)
		require.NoError(t, err)
		var found []handoff.Entry
		for _, en := range log {
			if en.Kind == handoff.KindTicket {
				found = append(found, en)
			}
		}
		require.Len(t, found, 1)
		assert.Equal(t, map[string]string{"provider": "inmem", "reference": "ticket-1"}, found[0].Data)
	}, own("inmem"))

	for _, bad := range []string{"desk", "elsewhere"} {
		_, err := handoff.New(handoff.Config{
			Store: handofftest.NewStore(nil), Directory: handofftest.NewFloor(), Presence: handofftest.NewFloor(),
			Providers: []handoff.Provider{&forgetful{platform: platform{name: "desk"}}},
			Queues:    []handoff.Queue{{Name: "support", Tickets: bad}},
		})
		require.ErrorContains(t, err, "Queues[0].Tickets")
	}
}
