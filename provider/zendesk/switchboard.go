package zendesk

import (
	"context"
	"net/http"
	"strings"

	"github.com/seed-2a427302/handoff"
)

// A Switchboard connects an engine whose bot is an integration of Zendesk's
// switchboard: users write in Zendesk's own channels, and a handoff is a change
// of control over the conversation that is there. The host's id of a
// conversation has to be that of Sunshine Conversations, and its id of a
// message that of the message there.
type Switchboard struct{ p *Provider }

var (
	_ handoff.Provider            = (*Switchboard)(nil)
	_ handoff.Receiver            = (*Switchboard)(nil)
	_ handoff.StateReader         = (*Switchboard)(nil)
	_ handoff.AvailabilityChecker = (*Switchboard)(nil)
	_ handoff.Noter               = (*Switchboard)(nil)
	_ handoff.BotReturner         = (*Switchboard)(nil)
	_ handoff.Ticketer            = (*Switchboard)(nil)
)

// NewSwitchboard returns a provider for a bot within Zendesk. It does no I/O. A
// Config that cannot work is a *[handoff.InvalidError].
func NewSwitchboard(c Config) (*Switchboard, error) {
	p, err := New(c)
	if err != nil {
		return nil, err
	}
	return &Switchboard{p}, nil
}

// Info implements [handoff.Provider].
func (s *Switchboard) Info() handoff.ProviderInfo {
	return handoff.ProviderInfo{
		Name: s.p.cfg.Name, Custody: handoff.CustodyConversation, MaxBytes: MaxBytes,
		Can: handoff.Capabilities{
			Availability: true, Transfer: true, Notes: true, ReturnToBot: true, AgentReturns: true, Ticket: true, ReadsState: true, OneReference: true,
		},
	}
}

// Open implements [handoff.Provider]: the agents get control, and the ticket
// what the engine knows. What was said is there.
func (s *Switchboard) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	reference := o.Handoff.ID.Conversation
	if err := s.p.pass(ctx, "open", reference, workspace, s.p.ticket(o, reference)); err != nil {
		return handoff.Session{}, err
	}
	return handoff.Session{Reference: reference}, nil
}

// Send implements [handoff.Provider]. What the user says is there already; what
// the bot says to the agent is silent.
func (s *Switchboard) Send(ctx context.Context, sn handoff.Session, m handoff.ProviderMessage) error {
	if m.From.Role == handoff.RoleUser {
		return nil
	}
	var seen map[string]bool
	if m.Again {
		var err error
		if seen, err = s.p.marks(ctx, "send", sn.Reference); err != nil {
			return err
		}
	}
	return s.p.say(ctx, "send", sn.Reference, "", m, seen)
}

// Close implements [handoff.Provider].
func (s *Switchboard) Close(ctx context.Context, sn handoff.Session, why handoff.Reason) error {
	return s.p.Close(ctx, sn, why)
}

// ReturnToBot implements [handoff.BotReturner].
func (s *Switchboard) ReturnToBot(ctx context.Context, sn handoff.Session) error {
	return s.p.ReturnToBot(ctx, sn)
}

// ReadState implements [handoff.StateReader]; see [Provider.ReadState].
func (s *Switchboard) ReadState(ctx context.Context, sn handoff.Session) (handoff.SessionState, handoff.Party, error) {
	return s.p.ReadState(ctx, sn)
}

// Available implements [handoff.AvailabilityChecker]; see [Provider.Available].
func (s *Switchboard) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	return s.p.Available(ctx, n)
}

// Note implements [handoff.Noter]; see [Provider.Note].
func (s *Switchboard) Note(ctx context.Context, sn handoff.Session, n handoff.ProviderMessage) error {
	return s.p.Note(ctx, sn, n)
}

// Ticket implements [handoff.Ticketer].
func (s *Switchboard) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	return s.p.Ticket(ctx, h, text, id)
}

// Receive implements [handoff.Receiver]. When an agent solves the ticket the
// conversation stays with the agents until Zendesk closes that, days later: the
// bot gets control back at once.
func (s *Switchboard) Receive(ctx context.Context, w handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	events, reply, err := s.p.receive(ctx, w, s.within)
	solved := http.Header(w.Header).Get("X-Zendesk-Webhook-Signature") != ""
	for i := range events {
		events[i].Conversation = events[i].Reference
		if solved && events[i].Kind == handoff.EventEnded {
			s.giveBack(ctx, handoff.Session{Reference: events[i].Reference})
		}
	}
	return events, reply, err
}

// giveBack gives the bot control over a conversation whose ticket is solved, if
// that is still so: a late webhook must not take it from the agents of the next
// one. What fails Zendesk does when it closes the ticket.
func (s *Switchboard) giveBack(ctx context.Context, sn handoff.Session) {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	if now, _, err := s.p.ReadState(ctx, sn); err == nil && now == handoff.SessionEnded {
		_ = s.p.ReturnToBot(ctx, sn)
	}
}

// within tells messages where the bot writes by itself, too: what came by the
// interface of Sunshine Conversations is the bot's.
func (s *Switchboard) within(m *message, ev *handoff.ProviderEvent) bool {
	if m.Author.Type == "user" && m.ID != "" {
		m.read(ev)
		ev.Kind, ev.Agent = handoff.EventUserMessage, handoff.Party{}
		return ev.Text != "" || len(ev.Files) > 0
	}
	return !strings.HasPrefix(m.Source.Type, "api") && m.tell(ev)
}
