package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A callCase is a rule of the contract with what proves it, by calling the
// provider.
type callCase struct {
	name    string
	custody handoff.Custody // empty: both
	rule    string
	check   func(r *run)
}

// run is one case in progress.
type run struct {
	t    *testing.T
	h    Harness
	p    handoff.Provider
	v    Vendor
	info handoff.ProviderInfo
	rule string

	mu     sync.Mutex
	stream []handoff.ProviderEvent // what streams have told
}

func newRun(t *testing.T, h Harness, rule string) *run {
	t.Helper()
	if h.Provider == nil || h.Vendor == nil {
		t.Fatal("the harness lacks Provider or Vendor")
	}
	return &run{t: t, h: h, p: h.Provider, v: h.Vendor, info: h.Provider.Info(), rule: rule}
}

// valid checks what the double found wrong with the provider's requests.
func (r *run) valid() {
	r.t.Helper()
	if c, ok := r.v.(Checker); ok {
		r.rule = "every request is one that the platform's own document allows"
		for _, v := range c.Violations() {
			r.failf("%s", cut(v))
		}
	}
}

func (r *run) failf(format string, args ...any) {
	r.t.Helper()
	r.t.Errorf("%s\n\tbroken rule: %s", fmt.Sprintf(format, args...), r.rule)
}

func (r *run) fatalf(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s\n\tbroken rule: %s", fmt.Sprintf(format, args...), r.rule)
}

func (r *run) ok(what string, err error) {
	r.t.Helper()
	if err != nil {
		r.fatalf("%s returned %v", what, err)
	}
}

// ctx returns a context for one call.
func (r *run) ctx() context.Context {
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	r.t.Cleanup(cancel)
	return ctx
}

// past is what was said before a chat is opened.
var past = []string{"I was charged twice", "Let me look that up.", "No. I want a person — now!"}

const note = "Reason: user_requested\nFlags: angry"

// opening returns what the engine would give to Open.
func opening(conversation string, number, binding int64) handoff.Opening {
	id := handoff.ID{Conversation: conversation, Number: number}
	o := handoff.Opening{
		Handoff: handoff.Handoff{
			ID: id, State: handoff.StateConnecting, Reason: handoff.ReasonUser, Flags: []string{"angry"}, Language: "en",
			Need: handoff.Need{Queue: "support"}, User: &handoff.Contact{ID: "u-" + conversation, Name: "Ursula", Mail: "u@example.org"},
			Created: time.Now(), Updated: time.Now(),
		},
		Attempt: conversation + "." + strconv.FormatInt(number, 10) + "." + strconv.FormatInt(binding, 10),
		Note:    note,
	}
	for i, text := range past {
		from := handoff.Party{Role: handoff.RoleUser, ID: "u-" + conversation, Name: "Ursula"}
		if i%2 == 1 {
			from = handoff.Party{Role: handoff.RoleBot}
		}
		o.Transcript = append(o.Transcript, handoff.Entry{
			ID: "past-" + strconv.Itoa(i), Handoff: id, Seq: int64(i + 1), At: time.Now().Add(time.Duration(i-3) * time.Minute),
			Kind: handoff.KindMessage, From: from, Text: text,
		})
	}
	return o
}

// open opens a chat and reads its stream if it has one.
func (r *run) open(conversation string) handoff.Session {
	r.t.Helper()
	s, err := r.p.Open(r.ctx(), opening(conversation, 1, 1))
	r.ok("Open", err)
	if s.Reference == "" {
		r.fatalf("Open returned a session without a reference")
	}
	r.read(s)
	return s
}

func (r *run) read(s handoff.Session) {
	st, ok := r.p.(handoff.Streamer)
	if !ok {
		return
	}
	ctx := r.t.Context()
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(done)
		_ = st.Stream(ctx, s, func(ev handoff.ProviderEvent) error {
			if ev.Reference == "" {
				ev.Reference = s.Reference
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.stream = append(r.stream, ev)
			return nil
		})
	}()
	r.t.Cleanup(func() { cancel(); <-done })
}

// id is the id under which the platform's agent is told.
func (r *run) id(agent handoff.Party) string {
	if r.info.Can.NamesOnly {
		return agent.Name
	}
	return agent.ID
}

func (r *run) message(id, text string) handoff.ProviderMessage {
	return handoff.ProviderMessage{ID: id, From: handoff.Party{Role: handoff.RoleUser, ID: "u", Name: "Ursula"}, Text: text, At: time.Now()}
}

func (r *run) send(s handoff.Session, id, text string) {
	r.t.Helper()
	r.ok("Send", r.p.Send(r.ctx(), s, r.message(id, text)))
}

// chat returns what the agents see of a chat.
func (r *run) chat(s handoff.Session) Chat {
	r.t.Helper()
	for _, c := range r.v.Chats() {
		if c.Reference == s.Reference {
			return c
		}
	}
	r.fatalf("the platform has no chat with the reference that Open returned")
	return Chat{}
}

// after returns the texts of a chat's messages after the transcript.
func (c *Chat) after() []string {
	var out []string
	for _, m := range c.Messages {
		if m.From != handoff.RoleAgent && !slices.Contains(past, m.Text) {
			out = append(out, m.Text)
		}
	}
	return out
}

func (c *Chat) texts() string {
	var b strings.Builder
	for _, m := range c.Messages {
		b.WriteString(m.Text + "\n")
	}
	return b.String()
}

func open(chats []Chat) (n int) {
	for i := range chats {
		if chats[i].Open {
			n++
		}
	}
	return n
}

// happened returns the events since the last call: of webhooks that the
// provider decoded, and of streams.
func (r *run) happened() []handoff.ProviderEvent {
	r.t.Helper()
	if _, ok := r.p.(handoff.Streamer); ok {
		// A provider that polls needs time.
		time.Sleep(30 * time.Second) //nolint:forbidigo // in a bubble
	}
	synctest.Wait()
	r.mu.Lock()
	out := r.stream
	r.stream = nil
	r.mu.Unlock()
	for _, w := range r.v.Webhooks() {
		out = append(out, r.decode(w)...)
	}
	return out
}

func (r *run) decode(w handoff.Webhook) []handoff.ProviderEvent {
	r.t.Helper()
	rc, ok := r.p.(handoff.Receiver)
	if !ok {
		r.fatalf("the platform sends webhooks, but the provider is no Receiver")
	}
	events, reply, err := rc.Receive(r.ctx(), w)
	if err != nil || reply.Status >= 300 {
		r.failf("Receive of a genuine webhook returned status %d and %v", reply.Status, err)
	}
	return events
}

// do makes something happen, and returns the events; none and false if the
// platform has no such thing.
func (r *run) do(a Act) ([]handoff.ProviderEvent, bool) {
	r.t.Helper()
	if !r.v.Do(a) {
		return nil, false
	}
	return r.happened(), true
}

// one returns the only event of a kind.
func (r *run) one(events []handoff.ProviderEvent, kind handoff.ProviderEventKind) handoff.ProviderEvent {
	r.t.Helper()
	var found []handoff.ProviderEvent
	for _, ev := range events {
		if ev.Kind == kind {
			found = append(found, ev)
		}
	}
	if len(found) != 1 {
		r.fatalf("there are %d events %q among %q, want one", len(found), kind, kindsOf(events))
	}
	return found[0]
}

func kindsOf(events []handoff.ProviderEvent) []handoff.ProviderEventKind {
	out := make([]handoff.ProviderEventKind, len(events))
	for i := range events {
		out[i] = events[i].Kind
	}
	return out
}

// asProviderError returns the *ProviderError in err.
func (r *run) asProviderError(what string, err error) *handoff.ProviderError {
	r.t.Helper()
	var pe *handoff.ProviderError
	switch {
	case err == nil:
		r.failf("%s succeeded", what)
		return nil
	case !errors.As(err, &pe):
		r.failf("%s returned a %T, want a *ProviderError", what, err)
		return nil
	case pe.Op == "":
		r.failf("%s returned a *ProviderError without Op", what)
	}
	return pe
}

var ann = handoff.Party{Role: handoff.RoleAgent, ID: "7", Name: "Ann"}

var bob = handoff.Party{Role: handoff.RoleAgent, ID: "8", Name: "Bob"}

// hostileTexts are texts that careless quoting, cutting and encoding spoil.
func hostileTexts(limit int) []string {
	out := []string{
		"plain", "  spaces around  ", "two\nlines\r\nand a\ttab",
		`"quotes" 'and' \backslashes\ \n \u0041`,
		"<b>html</b> & &amp; <script>alert(1)</script>",
		"%s %d %25 %2F {{.}} ${x} $1", "ünïcödé — “…” 漢字 ไทย", "👩‍👩‍👧 🇩🇪 e\u0301", "\u202eright to left\u202c", "/end", "@agent *bold* _it_ `code`", "null", "0",
		"https://example.org/?a=1&b=2#c", `{"type":"end"}`, "--boundary--", ".",
	}
	if limit == 0 || limit > 8<<10 {
		limit = 8 << 10
	}
	out = slices.DeleteFunc(out, func(s string) bool { return len(s) > limit })
	if limit < 100 {
		return out
	}
	long := strings.Repeat("long é ", limit/8)
	return append(out, long[:strings.LastIndexByte(long, ' ')]+"x")
}
