package handoff

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How often a platform is asked for a session's state, how long a close is
// tried, and how far a platform's clock may be from ours.
const (
	readEvery  = time.Minute
	closeFor   = 24 * time.Hour
	clockDoubt = time.Minute
)

// openProvider opens a chat on a platform. The attempt is committed before the
// platform is called, and a repeated attempt first looks for the chat.
func (e *Engine) openProvider(ctx context.Context, h *Handoff) (bool, error) {
	b := h.live()
	if b == nil || b.Status != BindOpening || h.own.Importing {
		return false, nil
	}
	p := e.providers[b.Provider]
	if p == nil {
		return false, nil // another replica has it, or the connect deadline ends it
	}
	again := e.cfg.SendTimeout + retryIn(b.Tries+1)
	o, err := e.do(ctx, h.ID, "attempt/"+itoa(b.Number)+"/"+strconv.Itoa(b.Tries+1), func(*Handoff) (command, error) {
		return cAttempt{binding: b.Number, again: again}, nil
	})
	if err != nil || o.replay != nil {
		return false, err
	}
	session, err := e.openAt(ctx, p, o.h, o.h.live())
	if err != nil && ctx.Err() != nil {
		return false, nil //nolint:nilerr // stopped: another replica tries again
	}
	if err == nil {
		// The name has the chat in it: two callers may have opened two.
		op := "bound/" + itoa(b.Number) + "/" + strconv.FormatUint(hash(session.Reference), 16)
		_, err = e.do(background(ctx), h.ID, op, func(*Handoff) (command, error) {
			return cBound{binding: b.Number, session: session}, nil
		})
		return true, err
	}
	perm, after := permanent(err)
	var pe *ProviderError
	ambiguous := !errors.As(err, &pe) || pe.Ambiguous
	code := "error"
	if pe != nil {
		code = pe.Code
	}
	_, err = e.do(ctx, h.ID, "openfailed/"+itoa(b.Number)+"/"+strconv.Itoa(b.Tries+1), func(*Handoff) (command, error) {
		return cOpenFailed{binding: b.Number, code: code, permanent: perm, ambiguous: ambiguous, again: max(after, retryIn(b.Tries+1))}, nil
	})
	return perm, err
}

func (e *Engine) openAt(ctx context.Context, p Provider, h *Handoff, b *Binding) (Session, error) {
	var s Session
	err := e.ask(ctx, "open", h.ID, func(ctx context.Context) (err error) {
		if f, ok := p.(Finder); ok && b.Tries > 1 {
			old, found, err := f.Find(ctx, b.Attempt)
			if err != nil || found && !old.Partial {
				s = old
				return err
			}
		}
		script, notes, err := e.transcript(ctx, h.ID, b.From)
		if err != nil {
			return err
		}
		told, script := e.Redacted(ctx, ToProvider, *h, script)
		_, notes = e.Redacted(ctx, ToProvider, Handoff{ID: h.ID, Provider: b.Provider}, notes)
		s, err = p.Open(ctx, Opening{Handoff: told, Attempt: b.Attempt, Transcript: script, Note: openingNote(&told, notes)})
		return err
	})
	if err == nil && s.Reference == "" {
		err = &ProviderError{Op: "open", Code: "no_reference"}
	}
	return s, err
}

// transcript reads what was said up to and including seq, and the notes.
func (e *Engine) transcript(ctx context.Context, id ID, upTo int64) (out, notes []Entry, err error) {
	for after := int64(0); after < upTo; {
		page, err := e.page(ctx, id, after, 200)
		if err != nil {
			return nil, nil, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			switch en := &page[i]; {
			case en.Seq > upTo:
			case en.Kind == KindMessage:
				out = append(out, *en)
			case en.Kind == KindNote, en.Kind == KindWhisper:
				notes = append(notes, *en)
			}
		}
		after = page[len(page)-1].Seq
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return a.At.Compare(b.At) })
	return out, notes, nil
}

// openingNote is a short text for the agent on a platform.
func openingNote(h *Handoff, notes []Entry) string {
	var b strings.Builder
	b.WriteString("Reason: " + string(h.Reason))
	if len(h.Flags) > 0 {
		b.WriteString("\nFlags: " + strings.Join(h.Flags, ", "))
	}
	if h.Summary != "" {
		b.WriteString("\n" + h.Summary)
	}
	keys := make([]string, 0, len(h.Answers))
	for k := range h.Answers {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		b.WriteString("\n" + k + ": " + h.Answers[k])
	}
	for i := range notes {
		b.WriteString("\nNote: " + notes[i].Text)
	}
	return b.String()
}

// connectTimedOut goes on to the next platform, or back to the bot.
func (e *Engine) connectTimedOut(ctx context.Context, h *Handoff) error {
	b := h.live()
	if b == nil {
		return nil
	}
	_, err := e.do(ctx, h.ID, "connect/"+itoa(b.Number), func(*Handoff) (command, error) {
		return cOpenFailed{binding: b.Number, code: "timeout", permanent: true, timeout: true}, nil
	})
	return err
}

// readState asks the platform once how the session stands.
func (e *Engine) readState(ctx context.Context, h *Handoff) (bool, error) {
	b := h.live()
	if b == nil || b.Status != BindOpen {
		return false, nil
	}
	p := e.providers[b.Provider]
	if p == nil {
		return false, nil // another replica has it
	}
	c := cState{binding: b.Number, again: Never, version: h.Version}
	session, renewed := e.refreshed(ctx, p, h, b)
	if renewed {
		c.session = session
	}
	if r, ok := p.(StateReader); ok {
		c.again = readEvery
		err := e.ask(ctx, "state", h.ID, func(ctx context.Context) (err error) {
			c.state, c.agent, err = r.ReadState(ctx, session)
			return err
		})
		if err != nil {
			c.state = SessionUnknown
		}
	}
	at, _ := h.deadline(dueRead)
	o, err := e.do(ctx, h.ID, "read/"+itoa(b.Number)+"/"+itoa(at.UnixMilli())+"/"+itoa(h.Seq), func(*Handoff) (command, error) { return c, nil })
	return o.replay == nil, err
}

// ask calls a platform under the timeout of sends. A provider that panics has
// failed.
func (e *Engine) ask(ctx context.Context, op string, id ID, f func(context.Context) error) error {
	panicked := &ProviderError{Op: op, Code: "panic", Retryable: true, Ambiguous: true, Err: errors.New("the provider panicked")}
	return e.outside(ctx, "provider."+op, id, panicked, f)
}

// outside calls what is not ours under the timeout of sends, within a span. If it
// panics, panicked is the error.
func (e *Engine) outside(ctx context.Context, span string, id ID, panicked error, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	ctx, end := e.cfg.Hooks.span(ctx, span, id)
	defer func() { end(err) }()
	defer func() {
		if recover() != nil {
			err = panicked
		}
	}()
	return f(ctx)
}

// closeProvider closes chats that are over but may still be open there. The
// one that was tried least comes first, so that no platform holds up another.
func (e *Engine) closeProvider(ctx context.Context, h *Handoff) (bool, error) {
	var b *Binding
	for i := range h.own.Bindings {
		if o := &h.own.Bindings[i]; o.Status == BindOwed && (b == nil || o.Tries < b.Tries) {
			b = o
		}
	}
	if b == nil {
		return false, nil
	}
	age, p := now().Sub(b.Closing), e.providers[b.Provider]
	if p == nil && age < closeFor {
		e.work.after(task{pool: poolTend, do: "tend", id: h.ID}, now().Add(readEvery))
		return false, nil
	}
	c := cClose{binding: b.Number, again: retryIn(b.Tries + 1), gaveUp: age >= closeFor}
	if p != nil {
		err := e.closeAt(ctx, p, h, b, &c)
		if err != nil && ctx.Err() != nil {
			return false, nil //nolint:nilerr // stopped: another replica tries again
		}
		if perm, after := permanent(err); err != nil {
			c.done, c.gaveUp, c.again = false, c.gaveUp || perm, max(c.again, min(after, closeFor-age))
			var pe *ProviderError
			if errors.As(err, &pe) {
				c.code = pe.Code
			}
		}
	}
	o, err := e.do(ctx, h.ID, "close/"+itoa(b.Number)+"/"+strconv.Itoa(b.Tries+1), func(*Handoff) (command, error) { return c, nil })
	return o.replay == nil && (c.done || c.gaveUp), err
}

// closeAt looks for the chat of a binding where that is needed, and closes it.
func (e *Engine) closeAt(ctx context.Context, p Provider, h *Handoff, b *Binding, c *cClose) error {
	session, asked, found := b.Session, now(), false
	if f, ok := p.(Finder); ok && b.Attempt != "" && len(session.State) == 0 {
		err := e.ask(ctx, "find", h.ID, func(ctx context.Context) error {
			var s Session
			var err error
			s, found, err = f.Find(ctx, b.Attempt)
			switch {
			case err != nil || !found:
			case session.Reference == "" || session.Reference == s.Reference:
				session = s
			default:
				// An event had named another chat before Open answered.
				c.stray = s
			}
			return err
		})
		if err != nil {
			return err
		}
		if session.Reference == "" {
			// A call of Open that is still on its way may succeed.
			c.done = asked.Sub(b.Closing) >= 2*e.cfg.SendTimeout
			c.code = "not_found"
			return nil
		}
	}
	if session.Reference == "" {
		c.gaveUp, c.code = true, "not_found" // nothing tells whether it was opened
		return nil
	}
	c.session = session
	info := p.Info()
	if info.Can.OneReference {
		// Another chat may have begun under the same reference: to close this
		// one would close that.
		used, err := e.holders(ctx, bindingKey(b.Provider, session.Reference))
		if err != nil {
			return err
		}
		if len(used) > 0 {
			c.done, c.code = true, "reference_used_again"
			return nil
		}
	}
	why := Reason(h.Outcome)
	if why == "" {
		why = ReasonWithdrawn
	}
	err := e.ask(ctx, "close", h.ID, func(ctx context.Context) error {
		if r, ok := p.(BotReturner); ok && info.Custody == CustodyConversation {
			return r.ReturnToBot(ctx, session)
		}
		return p.Close(ctx, session, why)
	})
	// As long as Open has not answered, what it opens may be another chat.
	unsure := b.unanswered() && !found && asked.Sub(b.Closing) < 2*e.cfg.SendTimeout
	c.done = err == nil && !unsure
	return err
}

func (e *Engine) holders(ctx context.Context, key string) (list []Holding, err error) {
	err = e.call(ctx, "holders", ID{}, func(ctx context.Context) error {
		list, err = e.store.Holders(ctx, key)
		return err
	})
	return list, err
}
