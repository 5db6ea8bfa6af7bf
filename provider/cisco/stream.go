package cisco

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// goneAfter is how long a chat may still be there whose readings are refused
// without a word that it is not.
const goneAfter = 2 * time.Minute

// Stream implements [handoff.Streamer]: it reads the chat every Config.Poll
// until it is over. What was told is told again by the next Stream under the
// same ids, but for typing.
func (p *Provider) Stream(ctx context.Context, s handoff.Session, emit func(handoff.ProviderEvent) error) error {
	st, err := stateOf("stream", s)
	if err != nil {
		return err
	}
	r := reader{reference: s.Reference, word: p.cfg.Return, keepWaiting: p.cfg.KeepWaiting, linger: p.cfg.Linger, told: map[string]bool{}}
	tick := time.NewTicker(p.cfg.Poll)
	defer tick.Stop()
	var missing time.Time
	for {
		list, err := p.read(ctx, "stream", st, r.after, false)
		var pe *handoff.ProviderError
		switch {
		case ctx.Err() != nil:
			return nil // nobody wants it any more
		case err == nil:
			missing = time.Time{}
			if over, err := r.tell(list, emit); over || err != nil {
				return err
			}
		case errors.As(err, &pe) && isGone(pe):
			if missing.IsZero() {
				missing = time.Now()
			}
			if pe.Code == notFound || time.Since(missing) >= goneAfter {
				return emit(r.gone())
			}
		case !pe.Retryable:
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// isGone reports whether a reading was refused as one of a chat that is not
// there, or may have been: nothing else in it can be wrong.
func isGone(pe *handoff.ProviderError) bool {
	switch pe.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone:
		return true
	}
	return pe.Code == notFound
}

// reader is one Stream.
type reader struct {
	reference   string
	word        string // gives the chat back to the bot
	keepWaiting bool
	linger      time.Duration
	after       int64           // the last event that was read
	told        map[string]bool // by key
	caughtUp    bool            // what was there at first is told
	presence    []event         // all, in order
	attended    bool            // somebody has had the chat
	end         *handoff.ProviderEvent
	left        time.Time // when the end was seen
}

// tell emits what is new, and reports whether the chat is over.
func (r *reader) tell(list []event, emit func(handoff.ProviderEvent) error) (over bool, err error) {
	for i := range list {
		e := &list[i]
		if r.told[e.key()] {
			continue
		}
		if ev := r.read(e); ev != nil {
			told := provider.Returned(r.word, []handoff.ProviderEvent{*ev})[0] // CCP has no files
			if err := emit(told); err != nil || ev.Kind == handoff.EventFailed || ev.Kind == handoff.EventEnded {
				return err == nil, err
			}
		}
		r.told[e.key()] = true
		if e.XMLName.Local != typingEvent { // it may be counted by itself
			r.after = max(r.after, e.number)
		}
	}
	r.caughtUp = true
	if r.end != nil && time.Since(r.left) >= r.linger {
		return true, emit(*r.end)
	}
	return false, nil
}

func (r *reader) event(e *event, kind handoff.ProviderEventKind, who string) *handoff.ProviderEvent {
	ev := &handoff.ProviderEvent{ID: provider.Name(r.reference + "/" + e.key() + "/" + string(kind)), Kind: kind, Reference: r.reference}
	if who != "" {
		ev.Agent = provider.Agent(who, who)
	}
	return ev
}

// read returns what an event of the platform is to an engine; nil is nothing.
func (r *reader) read(e *event) *handoff.ProviderEvent {
	switch e.XMLName.Local {
	case messageEvent:
		text := provider.Text(e.Body, provider.MaxText)
		if text == "" {
			return nil
		}
		r.attended = true
		ev := r.event(e, handoff.EventMessage, e.From)
		ev.Text, ev.MessageID = text, provider.Name(e.ID)
		return ev
	case typingEvent:
		if !r.caughtUp {
			return nil // that was
		}
		ev := r.event(e, handoff.EventTyping, e.From)
		ev.Stopped = e.Status != "composing"
		return ev
	case presenceEvent:
		return r.present(e)
	case statusEvent:
		switch e.Status {
		case "chat_finished":
			return r.event(e, handoff.EventEnded, r.has())
		case "chat_finished_error":
			return r.failed(e)
		case "chat_request_rejected_by_agent", "chat_timedout_waiting_for_agent":
			if !r.keepWaiting && !r.attended {
				return r.failed(e)
			}
		}
	}
	return nil
}

func (r *reader) failed(e *event) *handoff.ProviderEvent {
	ev := r.event(e, handoff.EventFailed, r.has())
	ev.Code = provider.Code(e.Status)
	return ev
}

// present is somebody who comes or goes. Who came last has the chat; if he goes
// and somebody is still there, that one has it. The last one's going is the end.
func (r *reader) present(e *event) *handoff.ProviderEvent {
	had := r.has()
	at, _ := slices.BinarySearchFunc(r.presence, e, func(a event, b *event) int {
		if a.number <= b.number {
			return -1
		}
		return 1
	})
	r.presence = slices.Insert(r.presence, at, *e)
	has := r.has()
	switch {
	case e.Status == "joined":
		r.attended = true
	case e.Status != "left":
		return nil
	case has == "":
		r.end, r.left = r.event(e, handoff.EventEnded, e.From), time.Now()
		return nil
	}
	if has != "" {
		r.end = nil
	}
	if has == "" || has == had {
		return nil // he came and went before, or is not the one who has it
	}
	return r.event(e, handoff.EventJoined, has)
}

// has returns who of those in the room came last.
func (r *reader) has() string {
	var here []string
	for i := range r.presence {
		switch e := &r.presence[i]; e.Status {
		case "joined":
			here = append(here, e.From)
		case "left":
			for j, name := range slices.Backward(here) {
				if name == e.From {
					here = slices.Delete(here, j, j+1)
					break
				}
			}
		}
	}
	if len(here) == 0 {
		return ""
	}
	return here[len(here)-1]
}

// gone is a chat that the platform no longer knows. If somebody has had it, that
// is its end.
func (r *reader) gone() handoff.ProviderEvent {
	ev := handoff.ProviderEvent{ID: provider.Name(r.reference + "/gone"), Kind: handoff.EventFailed, Reference: r.reference, Code: "session_gone"}
	if r.attended {
		ev.Kind, ev.Code = handoff.EventEnded, ""
		if r.end != nil {
			return *r.end
		}
		if who := r.has(); who != "" {
			ev.Agent = provider.Agent(who, who)
		}
	}
	return ev
}
