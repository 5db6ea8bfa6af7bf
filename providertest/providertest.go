// Package providertest proves implementations of [handoff.Provider]. Each
// failure quotes the rule of the contract that was broken.
//
//	func TestProvider(t *testing.T) {
//		providertest.Run(t, func(t *testing.T) providertest.Harness {
//			desk := newDouble(t) // a double of the platform: an http.Handler
//			p := acme.New(acme.Config{Client: providertest.Client(desk), Secret: secret})
//			return providertest.Harness{Provider: p, Vendor: desk}
//		})
//	}
//
// The suite calls the provider itself first, and then runs it under a real
// engine: with webhooks that are doubled, late, lost and out of order, and with
// a platform that is down at the wrong moment.
//
// Everything happens in synctest bubbles, where timeouts pass at once. A
// bubble has no network: reach the double of the platform through [Client], or
// through pipes made in start.
package providertest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A Harness is a provider with the double of its platform.
type Harness struct {
	Provider handoff.Provider
	Vendor   Vendor

	// Again returns the provider as another process makes it, with the same
	// platform behind it. Nil: the suite cannot prove that sessions hold all
	// that is needed.
	Again func() handoff.Provider
}

// A Vendor is the double of a platform, as the suite drives it. Its methods
// may be called concurrently with the provider's.
type Vendor interface {
	// Do makes something happen there. It reports false when the platform has
	// no such thing; what hangs on it is then not proved.
	Do(a Act) bool

	// Webhooks returns what the platform sends, in order, since it was last
	// called. Platforms that are read return none.
	Webhooks() []handoff.Webhook

	// Chats returns all chats that the platform ever had, oldest first, as its
	// agents see them.
	Chats() []Chat

	// Break makes the platform's interface fail until it is called again.
	Break(f Failure)

	// Secrets returns keys, tokens and the like, which must not be seen in
	// any error or log.
	Secrets() []string
}

// A Forger is a Vendor that can make webhooks which its platform never sent:
// wrongly signed, changed, too old. Each must be refused.
type Forger interface {
	Forged() []handoff.Webhook
}

// A Checker is a Vendor that looks at every request of the provider: whether
// the platform's own document allows it. Each case ends with a look at what it
// found; it must be nothing.
type Checker interface {
	Violations() []string
}

// A Loser is a Vendor that can lose the answer to the n-th request from now
// on that changes something, and to no other; 0 loses none. With it the suite
// interrupts an opening after each of its steps.
type Loser interface {
	LoseAnswer(n int)
}

// An Act is something that happens on a platform.
type Act struct {
	Kind  ActKind
	Chat  string // reference; for all but TakeControl
	Agent handoff.Party
	Text  string
	Files []handoff.File // for Say, where Capabilities.Files says so

	ID           string        // for UserSays: of the message
	Conversation string        // for TakeControl
	Position     int           // for Queue
	Wait         time.Duration // for Queue
}

// An ActKind says what happens.
type ActKind string

// The acts.
const (
	Queue       ActKind = "queue"        // the place in the platform's queue, and how long it takes, is told
	Join        ActKind = "join"         // Agent takes the chat
	Say         ActKind = "say"          // the agent writes Text
	Write       ActKind = "write"        // the agent writes an internal note
	Type        ActKind = "type"         // the agent is writing
	Leave       ActKind = "leave"        // the agent leaves; the chat waits again
	Transfer    ActKind = "transfer"     // to Agent
	End         ActKind = "end"          // the agent ends the chat
	Return      ActKind = "return"       // the agent gives it back to the bot
	UserSays    ActKind = "user_says"    // the user writes there (CustodyConversation)
	TakeControl ActKind = "take_control" // Agent takes Conversation from the bot (CustodyConversation)
)

// A Chat is a chat as the platform's agents see it.
type Chat struct {
	Reference string
	Open      bool     // neither ended nor given back to the bot
	Messages  []Said   // what they see as messages
	Internal  []string // what only they see: notes, and what it was opened with
	UserTypes bool     // they see that the user is writing
}

// A Said is one message.
type Said struct {
	From  handoff.Role
	Text  string
	Files int
}

// A Failure is what the platform's interface does in place of working.
type Failure string

// The failures.
const (
	Works       Failure = ""
	Refuses     Failure = "refuses"      // as 403: nothing happens; trying again cannot help
	Busy        Failure = "busy"         // as 503: nothing happens; try again
	Hangs       Failure = "hangs"        // no answer, and nothing happens
	LosesAnswer Failure = "loses_answer" // it happens, and the connection breaks
)

// Run proves a provider. start is called once for each case, in the case's
// bubble, and returns a fresh harness.
func Run(t *testing.T, start func(t *testing.T) Harness) {
	t.Helper()
	for _, c := range callCases() {
		t.Run("provider/"+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRun(t, start(t), c.rule)
				if c.custody == "" || c.custody == r.info.Custody {
					c.check(r)
					if c.name != "secrets" {
						r.valid() // that one asks for chats that cannot be
					}
				}
			})
		})
	}
	for _, c := range engineCases() {
		t.Run("engine/"+c.name, func(t *testing.T) { c.run(t, start) })
	}
}

// Client returns a client whose requests are answered by h directly, without
// a network.
func Client(h http.Handler) *http.Client { return &http.Client{Transport: transport{h}} }

type transport struct{ h http.Handler }

// RoundTrip implements http.RoundTripper. As over a network, the answer comes
// or the request's context ends; a handler that panics with
// http.ErrAbortHandler breaks the connection.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	type answer struct {
		resp *http.Response
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- answer{err: http.ErrAbortHandler}
			}
		}()
		in := r.Clone(r.Context())
		if in.Body == nil {
			in.Body = http.NoBody
		}
		in.RequestURI = r.URL.RequestURI()
		rec := httptest.NewRecorder()
		t.h.ServeHTTP(rec, in)
		resp := rec.Result()
		resp.Request = r
		done <- answer{resp: resp}
	}()
	select {
	case a := <-done:
		return a.resp, a.err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}
