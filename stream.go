package handoff

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// WhileTurn returns a context that ends with cause ErrStale when the turn is
// over, on whatever replica that was decided: give it to the model that writes
// the answer. Call cancel when done.
func (e *Engine) WhileTurn(ctx context.Context, t Turn) (context.Context, context.CancelFunc) {
	if err := checkContext(ctx); err != nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(err)
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if t.Call == "" {
		cancel(ErrStale)
		return ctx, func() {}
	}
	changed, stop := e.hub.subscribe(t.Conversation)
	go func() {
		defer stop()
		for {
			if err := e.current(ctx, t); errors.Is(err, ErrStale) {
				cancel(ErrStale)
				return
			}
			if wait(ctx, changed, e.cfg.Poll) != nil {
				return
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// current returns ErrStale when a turn is over.
func (e *Engine) current(ctx context.Context, t Turn) error {
	if t.Unwatched {
		h, err := e.latest(ctx, t.Conversation)
		if err == nil && h != nil && (h.ID.Number != t.Number || h.Epoch != t.Epoch || h.IsOpen()) {
			err = ErrStale
		}
		return err
	}
	h, err := e.get(ctx, t.ID())
	if err != nil {
		return stale(err)
	}
	if h.Epoch != t.Epoch || h.Controller().Role != RoleBot ||
		!slices.ContainsFunc(h.own.Calls, func(c call) bool { return c.ID == t.Call }) {
		return ErrStale
	}
	return nil
}

// A Stream is a reply that is shown while it is being written.
type Stream struct {
	e     *Engine
	turn  Turn
	id    string
	shown string // the ID under which the channel sees it
	text  strings.Builder
	n     int
	lead  Lead
	until time.Time
	over  error
}

// Stream begins a reply to a turn that is written bit by bit. The id names the
// reply, like Message.ID. While the stream is open nothing else is shown in
// the conversation, so that order is kept; it must be ended by Close or
// Cancel. A Stream is used by one goroutine.
//
// On a channel that is no ChunkShower, and for turns of conversations that are
// not watched, the reply is shown whole by Close.
func (e *Engine) Stream(ctx context.Context, t Turn, id string) (*Stream, error) {
	if err := first(t.check(), checkName("id", id)); err != nil {
		return nil, err
	}
	if err := e.current(ctx, t); err != nil {
		return nil, err
	}
	return &Stream{e: e, turn: t, id: id, shown: itoa(t.Number) + "/r/" + t.Call + "/" + id}, nil
}

// Write shows the next bit of the reply. It fails with ErrStale as soon as the
// turn is over; what was shown is then taken back, and the reply is not said.
func (s *Stream) Write(ctx context.Context, text string) error {
	if s.over != nil {
		return s.over
	}
	if s.text.Len()+len(text) > maxText {
		return &InvalidError{Field: "text", Why: "is longer than a message may be"}
	}
	if err := checkText("text", text); err != nil {
		return err
	}
	show, ok := s.e.cfg.Channel.(ChunkShower)
	if !ok || s.turn.Unwatched {
		if err := s.e.current(ctx, s.turn); err != nil {
			return s.stop(ctx, err)
		}
		s.text.WriteString(text)
		return nil
	}
	if err := s.hold(ctx); err != nil {
		return err
	}
	// The turn is checked last, under the lead: whoever takes control now
	// is shown after this bit.
	if err := s.e.current(ctx, s.turn); err != nil {
		return s.stop(ctx, err)
	}
	s.text.WriteString(text)
	cctx, cancel := context.WithTimeout(ctx, s.e.cfg.SendTimeout)
	defer cancel()
	if err := show.ShowChunk(cctx, s.turn.Conversation, Chunk{ID: s.shown, N: s.n, Text: text}); err != nil {
		return err
	}
	s.n++
	return nil
}

// hold gets or renews the right to send to the channel, once everything
// before has been shown.
func (s *Stream) hold(ctx context.Context) error {
	at := now()
	if s.until.Sub(at) > s.e.cfg.Lease {
		return nil
	}
	id := s.turn.ID()
	if s.lead.Term != 0 && at.Before(s.until) {
		s.until = at.Add(s.e.cfg.SendTimeout + s.e.cfg.Lease)
		return s.e.ack(ctx, Ack{ID: id, Cursor: sinkChannel, Term: s.lead.Term, Until: s.until})
	}
	for try := 0; ; try++ {
		at = now() // others may have had the channel for long
		h, err := s.e.get(ctx, id)
		if err != nil {
			return stale(err)
		}
		again, err := s.e.shownBefore(ctx, id)
		var lead Lead
		if err == nil && again.IsZero() {
			lead, err = s.e.lead(ctx, id, sinkChannel)
		} else if err == nil {
			err = ErrLeased // somebody is still showing the handoff before
		}
		if err == nil && lead.Seq >= h.owedSeq(sinkChannel) {
			s.lead, s.until = lead, at.Add(s.e.cfg.SendTimeout+s.e.cfg.Lease)
			return nil
		}
		if err == nil {
			// Something is to be shown first.
			if err := s.e.ack(ctx, Ack{ID: id, Cursor: sinkChannel, Term: lead.Term}); err != nil {
				return err
			}
			if err := s.e.send(ctx, task{pool: sinkChannel, do: "send", id: id, name: sinkChannel}); err != nil {
				return err
			}
		} else if !errors.Is(err, ErrLeased) {
			return err
		}
		if err := s.e.current(ctx, s.turn); err != nil {
			return s.stop(ctx, err)
		}
		if err := backOff(ctx, err, min(try, 5)); err != nil {
			return err
		}
	}
}

// Close ends the reply: it becomes one entry of the log.
func (s *Stream) Close(ctx context.Context) (Entry, error) {
	if s.over != nil {
		return Entry{}, s.over
	}
	s.over = errors.New("handoff: the stream is closed")
	defer s.release(ctx)
	en, err := s.e.Reply(ctx, s.turn, Message{ID: s.id, Text: s.text.String()})
	if err != nil {
		s.retract(ctx)
	}
	return en, err
}

// Cancel takes back what was shown.
func (s *Stream) Cancel(ctx context.Context) {
	if s.over == nil {
		_ = s.stop(ctx, errors.New("handoff: the stream is cancelled"))
	}
}

// stop ends the stream with a retraction.
func (s *Stream) stop(ctx context.Context, why error) error {
	s.over = why
	s.retract(ctx)
	s.release(ctx)
	return why
}

func (s *Stream) retract(ctx context.Context) {
	if s.n == 0 {
		return
	}
	ctx = background(ctx)
	id := s.turn.ID()
	if show, ok := s.e.cfg.Channel.(ChunkShower); ok {
		cctx, cancel := context.WithTimeout(ctx, s.e.cfg.SendTimeout)
		defer cancel()
		if err := show.ShowChunk(cctx, s.turn.Conversation, Chunk{ID: s.shown, N: s.n, Retract: true}); err != nil {
			s.e.log.WarnContext(ctx, "a retraction could not be shown", "number", id.Number)
		}
	}
	if _, err := s.e.do(ctx, id, "retract/"+s.turn.Call+"/"+s.id, func(*Handoff) (command, error) { return cRetract{id: s.id}, nil }); err != nil {
		s.e.log.WarnContext(ctx, "a retraction could not be stored", "number", id.Number, "error", err)
	}
}

// release gives the channel back, and lets what waited behind the stream go.
func (s *Stream) release(ctx context.Context) {
	if s.lead.Term == 0 {
		return
	}
	id := s.turn.ID()
	if err := s.e.ack(ctx, Ack{ID: id, Cursor: sinkChannel, Term: s.lead.Term}); err != nil {
		s.e.log.WarnContext(ctx, "a lead could not be given back", "number", id.Number, "error", err)
	}
	s.lead = Lead{}
	s.e.work.send(id, Owed{Sink: sinkChannel, Cursor: sinkChannel})
}
