package vendortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/providertest"
)

// Strangers are what an adapter may be asked or told about chats that are not
// the engine's: of another tenant on the same platform, unknown, made up.
type Strangers struct {
	// New returns an adapter with its double, the same each time but for the
	// chats in it: the double of another tenant.
	New func(t *testing.T) (Platform, handoff.Provider)

	// Tenants are what in webhooks names the tenant: with the name of another
	// one, rightly signed, they have no effect. A platform whose webhooks name no
	// tenant has none, and NoTenant says why that does no harm.
	Tenants  []Tenant
	NoTenant string

	// TakesAny says why the platform takes messages for a chat that it has not, so
	// that Send succeeds with a session of another tenant, and that it does no harm.
	// Empty: Send fails.
	TakesAny string

	// Sign signs a webhook anew, with another body. Not needed without Tenants.
	Sign func(w handoff.Webhook, body []byte) handoff.Webhook
}

// A Platform is a double as far as [Strangers] drives it; a *[Double] with its
// vendor's Do is one.
type Platform interface {
	http.Handler
	providertest.Vendor
}

// A Tenant is a text in webhooks that names the tenant, and that of another one.
type Tenant struct{ What, Ours, Theirs string }

// Check proves that nothing which is a stranger's is taken for ours: calls about
// it fail for good, without a secret in the error, and change no chat; events
// about it change no handoff.
func (s Strangers) Check(t *testing.T) {
	t.Helper()
	t.Run("sessions", func(t *testing.T) { synctest.Test(t, s.checkSessions) })
	t.Run("chats", func(t *testing.T) { synctest.Test(t, s.checkChats) })
	t.Run("tenants", func(t *testing.T) { synctest.Test(t, s.checkTenants) })
}

// stranger is what would be given to Open.
func stranger(conversation string) handoff.Opening {
	return handoff.Opening{Attempt: conversation + ".1.1", Note: "n", Handoff: handoff.Handoff{
		ID: handoff.ID{Conversation: conversation, Number: 1}, Need: handoff.Need{Queue: "support"}, Created: time.Now(),
		User: &handoff.Contact{ID: "u-" + conversation, Name: "U", Mail: "u@example.org"},
	}}
}

var (
	keeper = handoff.Party{Role: handoff.RoleAgent, ID: "7", Name: "Ann"}
	taker  = handoff.Party{Role: handoff.RoleAgent, ID: "8", Name: "Bob"}
)

const theirsIntact = "another tenant's"

func (s Strangers) checkSessions(t *testing.T) {
	platform, p := s.New(t)
	ours, err := p.Open(t.Context(), stranger("ours"))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	platform.Do(providertest.Act{Kind: providertest.Join, Chat: ours.Reference, Agent: keeper})
	before := open(platform, ours.Reference)

	// Another tenant has had more chats, so that none of ours has the same name.
	_, q := s.New(t)
	var theirs handoff.Session
	for i := range 5 {
		if theirs, err = q.Open(t.Context(), stranger(fmt.Sprintf("theirs-%d", i))); err != nil {
			t.Fatalf("Open at another tenant: %v", err)
		}
	}
	secrets := slices.Concat(platform.Secrets(), []string{string(theirs.State), string(ours.State)})
	for what, sn := range map[string]handoff.Session{
		theirsIntact: theirs, "another tenant's, without its state": {Reference: theirs.Reference}, "nothing": {},
		"a state that is none": {Reference: theirs.Reference, State: []byte("{")}, "a way out": {Reference: "../../" + theirs.Reference, State: theirs.State},
		"a query": {Reference: theirs.Reference + "?all=true#x", State: theirs.State}, "a line": {Reference: "x\r\nX: y\x00", State: theirs.State},
		"something long": {Reference: strings.Repeat("x", 5000), State: theirs.State},
	} {
		s.checkSession(t, p, what, sn, secrets)
		if after := open(platform, ours.Reference); after != before {
			t.Fatalf("%s: the chats are %s, want %s", what, after, before)
		}
	}
}

// open are the chats that somebody could notice: ours, and what is open.
func open(platform Platform, ours string) string {
	list := slices.DeleteFunc(platform.Chats(), func(c providertest.Chat) bool { return !c.Open && c.Reference != ours })
	return fmt.Sprintf("%+v", list)
}

// checkSession calls everything that can be called with a session.
func (s Strangers) checkSession(t *testing.T, p handoff.Provider, what string, sn handoff.Session, secrets []string) {
	t.Helper()
	fails := func(call string, must bool, f func(ctx context.Context) error) { // must: it cannot succeed
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := f(ctx)
		var pe *handoff.ProviderError
		switch {
		case err == nil && must:
			t.Errorf("%s: %s succeeded", what, call)
		case err == nil:
		case !errors.As(err, &pe):
			t.Errorf("%s: %s returned a %T", what, call, err)
		case pe.Retryable && call != "Note" || pe.Ambiguous: // what notes are kept in may come later
			t.Errorf("%s: %s may be tried again: %v", what, call, err)
		}
		for _, secret := range secrets {
			if secret != "" && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
				t.Errorf("%s: the error of %s holds a secret", what, call)
			}
		}
	}
	m := handoff.ProviderMessage{ID: "m1", From: handoff.Party{Role: handoff.RoleUser}, Text: "hello", At: time.Now()}
	relays := p.Info().Custody == handoff.CustodyQueue && (s.TakesAny == "" || what != theirsIntact)
	fails("Send", relays, func(ctx context.Context) error { return p.Send(ctx, sn, m) })
	m.Again = true
	fails("Send again", relays, func(ctx context.Context) error { return p.Send(ctx, sn, m) })
	if n, ok := p.(handoff.Noter); ok {
		fails("Note", true, func(ctx context.Context) error { return n.Note(ctx, sn, m) })
	}
	if y, ok := p.(handoff.Typist); ok {
		fails("Typing", false, func(ctx context.Context) error { return y.Typing(ctx, sn, true) })
	}
	if r, ok := p.(handoff.StateReader); ok {
		fails("ReadState", false, func(ctx context.Context) error {
			state, _, err := r.ReadState(ctx, sn)
			if err == nil && (state == handoff.SessionActive || state == handoff.SessionQueued) {
				t.Errorf("%s: its state is %q", what, state)
			}
			return err
		})
	}
	if r, ok := p.(handoff.Streamer); ok {
		fails("Stream", false, func(ctx context.Context) error {
			return r.Stream(ctx, sn, func(ev handoff.ProviderEvent) error {
				if ev.Kind != handoff.EventEnded && ev.Kind != handoff.EventFailed {
					t.Errorf("%s: it is told as %q", what, ev.Kind)
				}
				return ev.Validate()
			})
		})
	}
	if r, ok := p.(handoff.BotReturner); ok {
		fails("ReturnToBot", false, func(ctx context.Context) error { return r.ReturnToBot(ctx, sn) })
	}
	fails("Close", false, func(ctx context.Context) error { return p.Close(ctx, sn, handoff.ReasonWithdrawn) })
}

// quiet is an engine with a handoff that Ann has, of which strangers know nothing.
type quiet struct {
	*handofftest.Rig

	t        *testing.T
	platform Platform
	p        handoff.Provider
	id       handoff.ID
	ours     string // the reference of its chat
	before   string
}

func (s Strangers) begin(t *testing.T) *quiet {
	t.Helper()
	platform, p := s.New(t)
	q := &quiet{t: t, platform: platform, p: p}
	q.Rig = handofftest.New(t, func(c *handoff.Config) {
		c.Providers = []handoff.Provider{p}
		c.Queues = []handoff.Queue{{Name: "support", Providers: []string{p.Info().Name}, IdleTimeout: handoff.Never}}
		c.BotTimeout = handoff.Never
	})
	q.Start()
	q.id = q.Asks("ours").ID
	q.settle()
	chats := platform.Chats()
	if len(chats) == 0 {
		t.Fatal("no chat was opened")
	}
	q.ours = chats[len(chats)-1].Reference
	platform.Do(providertest.Act{Kind: providertest.Join, Chat: q.ours, Agent: keeper})
	q.settle()
	if h := q.Now(q.id); h.State != handoff.StateActive {
		t.Fatalf("the handoff is %s", h.State)
	}
	q.before = q.now()
	return q
}

// settle lets everything happen, and delivers the platform's webhooks.
func (q *quiet) settle() {
	q.t.Helper()
	if _, read := q.p.(handoff.Streamer); read {
		q.Sleep(40 * time.Second)
	}
	for range 20 {
		q.Wait()
		hooks := q.platform.Webhooks()
		if len(hooks) == 0 {
			return
		}
		q.deliver(hooks...)
	}
}

func (q *quiet) deliver(hooks ...handoff.Webhook) {
	q.t.Helper()
	for _, w := range hooks {
		if reply, err := q.Webhook(q.t.Context(), q.p.Info().Name, w); err != nil || reply.Status >= http.StatusMultipleChoices {
			q.t.Errorf("a genuine webhook was answered with status %d and %v", reply.Status, err)
		}
	}
	q.Wait()
}

// now is all that a stranger could change.
func (q *quiet) now() string {
	q.t.Helper()
	h := q.Now(q.id)
	calls := slices.DeleteFunc(q.Bot.Calls(handoff.BotEnded), func(c handoff.BotCall) bool { return c.Handoff.ID != q.id })
	notes := 0
	for _, en := range q.Entries(q.id) {
		if en.Kind == handoff.KindMessage || en.Kind == handoff.KindNote || en.Kind == handoff.KindJoined {
			notes++
		}
	}
	return fmt.Sprintf("%s with %q, %d entries, %d messages to the user, %d calls of the bot",
		h.State, h.AgentName, notes, len(q.Users.Saw("ours")), len(calls))
}

func (q *quiet) unchanged(what string) {
	q.t.Helper()
	if now := q.now(); now != q.before {
		q.t.Errorf("%s: the handoff is %s, want %s", what, now, q.before)
	}
}

// acts are what happens in a chat.
func acts(chat string) []providertest.Act {
	return []providertest.Act{
		{Kind: providertest.Join, Chat: chat, Agent: keeper},
		{Kind: providertest.Say, Chat: chat, Text: "to somebody else"},
		{Kind: providertest.Write, Chat: chat, Text: "about somebody else"},
		{Kind: providertest.Type, Chat: chat},
		{Kind: providertest.Transfer, Chat: chat, Agent: taker},
		{Kind: providertest.Say, Chat: chat, Text: "I am Bob"},
	}
}

// checkChats: chats of the same platform that the engine has not opened.
func (s Strangers) checkChats(t *testing.T) {
	q := s.begin(t)
	for i := range 2 {
		theirs, err := q.p.Open(t.Context(), stranger(fmt.Sprintf("theirs-%d", i)))
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		for _, a := range append(acts(theirs.Reference), providertest.Act{Kind: providertest.End, Chat: theirs.Reference}) {
			q.platform.Do(a)
			hooks := q.platform.Webhooks()
			q.deliver(append(hooks, hooks...)...)
			q.unchanged(fmt.Sprintf("another chat, %s", a.Kind))
		}
		if q.p.Info().Custody == handoff.CustodyQueue && len(q.Users.Saw(fmt.Sprintf("theirs-%d", i))) > 0 {
			t.Error("somebody was shown what is not the engine's")
		}
	}
	q.Sleep(time.Minute)
	q.settle()
	q.unchanged("a minute later")
}

// checkTenants: webhooks about our chat, in the name of another tenant.
func (s Strangers) checkTenants(t *testing.T) {
	q := s.begin(t)
	if _, push := q.p.(handoff.Receiver); !push {
		return // who is read tells nobody else's
	}
	if (len(s.Tenants) == 0) == (s.NoTenant == "") {
		t.Fatal("there are tenants, or a reason why there are none: one of the two")
	}
	list := acts(q.ours)
	if _, read := q.p.(handoff.Streamer); !read {
		list = append(list, providertest.Act{Kind: providertest.End, Chat: q.ours}) // else it is read
	}
	for _, a := range list {
		q.platform.Do(a)
	}
	hooks := q.platform.Webhooks()
	for _, tenant := range s.Tenants {
		changed := 0
		for _, w := range hooks {
			body := bytes.ReplaceAll(w.Body, []byte(tenant.Ours), []byte(tenant.Theirs))
			if bytes.Equal(body, w.Body) {
				continue
			}
			changed++
			q.deliver(s.Sign(w, body))
			q.unchanged(tenant.What)
		}
		if changed == 0 {
			t.Errorf("no webhook names the %s", tenant.What)
		}
	}
	// In our own name they have an effect: it was not for another reason.
	q.deliver(hooks...)
	if q.now() == q.before {
		t.Error("the same webhooks have no effect in our own name")
	}
}
