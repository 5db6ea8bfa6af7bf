package providertest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/inmem"
)

// wrong is the reference provider with one bug.
type wrong struct {
	*inmem.Provider
	desk *inmem.Platform
	bug  string

	n        atomic.Int64
	mu       sync.Mutex
	sessions map[string]handoff.Session
	last     handoff.Session
	kept     []func() error
	texts    map[string]bool
}

func newWrong(desk *inmem.Platform, bug string) handoff.Provider {
	p := desk.Provider()
	if s, ok := p.(handoff.Streamer); ok {
		return &reader{Provider: p, s: s, bug: bug}
	}
	right := p.(*inmem.Provider)
	w := &wrong{Provider: right, desk: desk, bug: bug, sessions: map[string]handoff.Session{}, texts: map[string]bool{}}
	switch bug {
	case "declared only":
		return struct {
			handoff.Provider
			handoff.Receiver
		}{w, w}
	case "deaf":
		return struct{ handoff.Provider }{w}
	}
	return w
}

func (w *wrong) is(bugs ...string) bool { return slices.Contains(bugs, w.bug) }

func (w *wrong) Info() handoff.ProviderInfo {
	i := w.Provider.Info()
	switch w.bug {
	case "info changes":
		i.MaxBytes = 1000 + int(w.n.Add(1))
	case "no name":
		i.Name = ""
	case "MaxBytes of two":
		i.MaxBytes = 2
	case "ability not declared":
		i.Can.Notes = false
	case "wait not declared":
		i.Can.WaitEstimate = false
	case "typing not declared":
		i.Can.TypingIn = false
	case "transfer not declared":
		i.Can.Transfer = false
	case "one reference all the same":
		i.Can.OneReference = false
	}
	return i
}

// failed turns a right error into a wrong one.
func (w *wrong) failed(err error, text string) error {
	var pe *handoff.ProviderError
	if !errors.As(err, &pe) {
		return err
	}
	bad := *pe
	switch {
	case w.is("refusal is retryable") && pe.Status == http.StatusForbidden:
		bad.Retryable = true
	case w.is("plain errors"):
		return errors.New("it did not work")
	case w.is("no op"):
		bad.Op = ""
	case w.is("failure is success"):
		return nil
	case w.is("busy is for good") && pe.Code == "busy":
		bad.Retryable = false
	case w.is("busy is ambiguous") && pe.Code == "busy":
		bad.Ambiguous = true
	case w.is("lost is certain") && pe.Code == "connection_lost":
		bad.Ambiguous = false
	case w.is("timeout is for good") && pe.Code == "timeout":
		bad.Ambiguous, bad.Retryable = false, false
	case w.is("secret in error"):
		bad.Code = strings.Join(w.desk.Secrets(), " ")
	case w.is("secret in cause"):
		bad.Err = fmt.Errorf("POST with token %s", strings.Join(w.desk.Secrets(), " "))
	case w.is("text in error"):
		bad.Err = fmt.Errorf("cannot send %q", text)
	}
	return &bad
}

// patient waits longer than it may.
func (w *wrong) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	if w.is("no deadline") {
		return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	}
	return ctx, func() {}
}

func (w *wrong) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	ctx, cancel := w.patient(ctx)
	defer cancel()
	text := o.Note
	switch w.bug {
	case "transcript forgotten":
		o.Transcript = nil
	case "transcript reversed":
		o.Transcript = slices.Clone(o.Transcript)
		slices.Reverse(o.Transcript)
	case "transcript twice":
		o.Transcript = append(slices.Clone(o.Transcript), o.Transcript...)
	case "opening note shown":
		o.Transcript = append(slices.Clone(o.Transcript), handoff.Entry{ID: "note", Text: o.Note, From: handoff.Party{Role: handoff.RoleBot}})
	case "opening note forgotten":
		o.Note = ""
	case "opens again":
		o.Attempt += "." + strconv.FormatInt(w.n.Add(1), 10)
	case "one chat for all":
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.last.Reference != "" {
			return w.last, nil
		}
	}
	s, err := w.Provider.Open(ctx, o)
	if err != nil {
		return s, w.failed(err, text)
	}
	if !w.is("one chat for all") {
		w.mu.Lock()
		defer w.mu.Unlock()
	}
	w.last = s
	switch w.bug {
	case "no reference":
		s.Reference = ""
	case "session in memory":
		w.sessions[s.Reference] = s
		s.State = nil
	}
	if w.is("relays all the same") && len(o.Transcript) > 0 {
		_ = w.Provider.Send(ctx, s, handoff.ProviderMessage{ID: "x", Text: "user 1", From: handoff.Party{Role: handoff.RoleUser}})
	}
	return s, nil
}

func (w *wrong) full(s handoff.Session) handoff.Session {
	if w.is("session in memory") {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.sessions[s.Reference]
	}
	return s
}

func (w *wrong) Find(ctx context.Context, attempt string) (handoff.Session, bool, error) {
	ctx, cancel := w.patient(ctx)
	defer cancel()
	s, found, err := w.Provider.Find(ctx, attempt)
	switch {
	case err != nil:
		return s, found, w.failed(err, "")
	case w.is("finds nothing"):
		return handoff.Session{}, false, nil
	case w.is("finds anything") && !found, w.is("finds by prefix") && !found:
		for _, c := range w.desk.Chats() {
			if w.is("finds anything") || strings.HasPrefix(attempt, c.Attempt) {
				return w.Provider.Find(ctx, c.Attempt)
			}
		}
	}
	return s, found, nil
}

func (w *wrong) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	ctx, cancel := w.patient(ctx)
	defer cancel()
	s, text := w.full(s), m.Text
	switch w.bug {
	case "drops a message":
		if w.n.Add(1) == 3 {
			return nil
		}
	case "one message late":
		w.mu.Lock()
		defer w.mu.Unlock()
		w.kept = append(w.kept, func() error { return w.Provider.Send(ctx, s, m) })
		if len(w.kept) == 2 {
			err := errors.Join(w.kept[1](), w.kept[0]())
			w.kept = nil
			return err
		}
		return nil
	case "trims":
		m.Text = strings.TrimSpace(m.Text)
	case "escapes":
		m.Text = html.EscapeString(m.Text)
	case "cuts":
		m.Text = m.Text[:min(len(m.Text), 1000)]
	case "formats":
		m.Text = strings.ReplaceAll(m.Text, "%", "%!(NOVERB)")
	case "files lost":
		m.Files = nil
	case "ids lost":
		m.ID = "new " + strconv.FormatInt(w.n.Add(1), 10)
	case "same text is a repeat":
		w.mu.Lock()
		known := w.texts[s.Reference+m.Text]
		w.texts[s.Reference+m.Text] = true
		w.mu.Unlock()
		if known {
			return nil
		}
	case "last chat":
		w.mu.Lock()
		s = w.last
		w.mu.Unlock()
	case "echo by text":
		w.mu.Lock()
		w.texts[m.Text] = true
		w.mu.Unlock()
	}
	err := w.Provider.Send(ctx, s, m)
	var pe *handoff.ProviderError
	if errors.As(err, &pe) && pe.Code == "closed" {
		return w.over(ctx, pe)
	}
	return w.failed(err, text)
}

// over is what becomes of a message for a chat that is over.
func (w *wrong) over(ctx context.Context, pe *handoff.ProviderError) error {
	switch w.bug {
	case "over is busy":
		pe.Retryable = true
	case "over opens another":
		_, _ = w.Provider.Open(ctx, handoff.Opening{Attempt: "another"})
	case "over is taken", "ended reads active":
		return nil
	}
	return w.failed(pe, "")
}

func (w *wrong) Close(ctx context.Context, s handoff.Session, why handoff.Reason) error {
	ctx, cancel := w.patient(ctx)
	defer cancel()
	s = w.full(s)
	i := slices.IndexFunc(w.desk.Chats(), func(c inmem.Chat) bool { return c.Reference == s.Reference })
	switch {
	case w.is("close does nothing"):
		return nil
	case w.is("close twice fails") && i >= 0 && w.desk.Chats()[i].State == handoff.SessionEnded,
		w.is("close unknown fails") && i < 0:
		return &handoff.ProviderError{Op: "close", Status: http.StatusNotFound, Err: errors.New("not there")}
	}
	return w.failed(w.Provider.Close(ctx, s, why), "")
}

func (w *wrong) ReadState(ctx context.Context, s handoff.Session) (handoff.SessionState, handoff.Party, error) {
	ctx, cancel := w.patient(ctx)
	defer cancel()
	st, who, err := w.Provider.ReadState(ctx, w.full(s))
	switch {
	case err != nil:
	case w.is("always queued"):
		return handoff.SessionQueued, handoff.Party{}, nil
	case w.is("agent unread"):
		return st, handoff.Party{}, nil
	case w.is("ended reads active", "over is taken") && st == handoff.SessionEnded:
		return handoff.SessionActive, who, nil
	}
	return st, who, w.failed(err, "")
}

func (w *wrong) Available(ctx context.Context, n handoff.Need) (handoff.Availability, error) {
	av, err := w.Provider.Available(ctx, n)
	switch {
	case w.is("failed check is online") && err != nil:
		return handoff.Online, nil //nolint:nilerr // that is the bug
	case w.is("other availability"):
		return "busy", nil
	case w.is("availability unknown") && err == nil:
		return handoff.Unknown, nil
	}
	return av, err
}

func (w *wrong) Note(ctx context.Context, s handoff.Session, n handoff.ProviderMessage) error {
	ctx, cancel := w.patient(ctx)
	defer cancel()
	switch w.bug {
	case "note is a message":
		return w.Provider.Send(ctx, s, handoff.ProviderMessage{ID: n.ID, Text: n.Text, From: handoff.Party{Role: handoff.RoleBot}})
	case "notes refused":
		if n.From.Role == handoff.RoleSupervisor && n.From.ID == "sue" {
			return nil
		}
	case "note twice":
		n.ID += strconv.FormatInt(w.n.Add(1), 10)
	}
	return w.failed(w.Provider.Note(ctx, w.full(s), n), n.Text)
}

func (w *wrong) Typing(ctx context.Context, s handoff.Session, on bool) error {
	if w.is("typing lost") {
		return nil
	}
	return w.failed(w.Provider.Typing(ctx, w.full(s), on), "")
}

func (w *wrong) Refresh(ctx context.Context, s handoff.Session) (handoff.Session, error) {
	if w.is("refresh does nothing") {
		return s, nil
	}
	out, err := w.Provider.Refresh(ctx, w.full(s))
	if w.is("refresh tells no end") {
		out.Expires = time.Time{}
	}
	return out, w.failed(err, "")
}

func (w *wrong) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	ctx, cancel := w.patient(ctx)
	defer cancel()
	switch w.bug {
	case "two tickets":
		id += strconv.FormatInt(w.n.Add(1), 10)
	case "one ticket":
		id = "the only one"
	}
	ref, err := w.Provider.Ticket(ctx, h, text, id)
	return ref, w.failed(err, text)
}

func (w *wrong) ReturnToBot(ctx context.Context, s handoff.Session) error {
	switch w.bug {
	case "return does nothing":
		return nil
	case "return twice fails":
		if w.n.Add(1) > 1 {
			return &handoff.ProviderError{Op: "return", Status: http.StatusConflict, Err: errors.New("returned already")}
		}
	}
	return w.Provider.ReturnToBot(ctx, s)
}

func (w *wrong) Receive(ctx context.Context, h handoff.Webhook) ([]handoff.ProviderEvent, handoff.WebhookReply, error) {
	stamp := http.Header(h.Header).Get("X-Inmem-Timestamp")
	switch w.bug {
	case "no signature":
		h.Header = w.signed(stamp, h.Body)
	case "no time window":
		if hmac.Equal([]byte(http.Header(h.Header).Get("X-Inmem-Signature")), []byte(w.sign(stamp, h.Body))) || stamp == "0" {
			h.Header = w.signed(strconv.FormatInt(time.Now().Unix(), 10), h.Body)
		}
	case "garbage panics":
		if h.Body[0] != '{' {
			panic("what is that?")
		}
	}
	events, reply, err := w.Provider.Receive(ctx, h)
	if err != nil {
		return events, reply, err
	}
	var raw struct {
		Type string `json:"type"`
		Chat string `json:"chat"`
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	_ = json.Unmarshal(h.Body, &raw)
	if w.is("echo told") && raw.Type == "message.api" {
		events = append(events, handoff.ProviderEvent{ID: raw.ID, Reference: raw.Chat, Kind: handoff.EventMessage, Text: raw.Text})
	}
	return slices.DeleteFunc(events, func(ev handoff.ProviderEvent) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.is("end untold") && ev.Kind == handoff.EventEnded || w.is("typing untold") && ev.Kind == handoff.EventTyping ||
			w.is("echo by text") && ev.Kind == handoff.EventMessage && w.texts[ev.Text]
	}), reply, w.spoil(events)
}

// spoil changes events in place.
func (w *wrong) spoil(events []handoff.ProviderEvent) error {
	for i := range events {
		ev := &events[i]
		switch w.bug {
		case "other reference":
			ev.Reference = "x" + ev.Reference
		case "left is ended":
			if ev.Kind == handoff.EventLeft {
				ev.Kind = handoff.EventEnded
			}
		case "return is an end":
			if ev.Kind == handoff.EventReturned {
				ev.Kind = handoff.EventEnded
			}
		case "returned is closed there":
			ev.StillOpen = false
		case "position lost":
			ev.Position = 0
		case "wait lost":
			ev.Wait = 0
		case "transfer untold":
			if ev.Agent.ID == "8" {
				ev.Kind = handoff.EventTransferred
			}
		case "agent unnamed":
			ev.Agent.Name = ""
		case "agent numbered":
			if ev.Agent.Name != "" {
				ev.Agent.ID = "7"
			}
		case "agent's files lost", "agent's files lost within":
			ev.Files = nil
		case "agent's text trimmed":
			ev.Text = strings.TrimSpace(ev.Text)
		case "agent's note told":
			if ev.Kind == handoff.EventNote {
				ev.Kind = handoff.EventMessage
			}
		case "random event ids":
			ev.ID = "random " + strconv.FormatInt(w.n.Add(1), 10)
		case "one event id":
			ev.ID = "event"
		case "no event ids":
			ev.ID = ""
		case "user's id lost":
			ev.MessageID = ""
		case "conversation lost":
			ev.Conversation = ""
		}
	}
	return nil
}

func (w *wrong) sign(stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(w.desk.Secrets()[0]))
	_, _ = mac.Write([]byte(stamp + "."))
	_, _ = mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (w *wrong) signed(stamp string, body []byte) map[string][]string {
	h := http.Header{}
	h.Set("X-Inmem-Timestamp", stamp)
	h.Set("X-Inmem-Signature", w.sign(stamp, body))
	return h
}

// reader is the reference provider that is read, with one bug.
type reader struct {
	handoff.Provider
	s   handoff.Streamer
	bug string
	n   atomic.Int64
}

func (r *reader) Info() handoff.ProviderInfo {
	i := r.Provider.Info()
	i.Can = handoff.Capabilities{Position: true, WaitEstimate: true, TypingIn: true, Files: true, Transfer: true, SendsOnce: true, NativeHistory: true}
	return i
}

func (r *reader) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start, told := time.Now(), 0
	return r.s.Stream(ctx, s, func(ev handoff.ProviderEvent) error {
		switch r.bug {
		case "reads from now on":
			if !ev.At.After(start.Add(time.Minute)) {
				return nil
			}
		case "reads one event":
			if told++; told > 1 {
				return nil
			}
		case "reads with new ids":
			ev.ID = "random " + strconv.FormatInt(r.n.Add(1), 10)
		}
		return emit(ev)
	})
}
