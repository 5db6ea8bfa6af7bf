package handoff

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/seed-2a427302/handoff/trigger"
)

// An Incoming is a message of a user.
type Incoming struct {
	Conversation string // required: the host's thread
	ID           string // required: the channel's id of the message; repeats are recognised by it
	Text         string
	Files        []File
	Payload      json.RawMessage
	At           time.Time // when it was written; zero: now

	// What the host knows; empty fields change nothing.
	User     *Contact
	Language string
	Channel  string
	URL      string
}

func (in *Incoming) check() error {
	return first(checkName("Incoming.Conversation", in.Conversation), checkName("Incoming.ID", in.ID),
		checkMessage("Incoming", in.Text, in.Files, in.Payload), in.User.check("Incoming.User"),
		checkOptional("Incoming.Language", in.Language), checkOptional("Incoming.Channel", in.Channel),
		checkText("Incoming.URL", in.URL))
}

// Receive takes a message of the user and says whether the bot may answer it.
// Call it for every message, one after the other for each conversation, after
// storing the message on the host's side. When the turn is not open, the
// message is kept for whoever answers and the host has nothing more to do.
//
// A message whose id is known returns a turn that is not open. When Receive
// fails, call it again with the same message.
func (e *Engine) Receive(ctx context.Context, in Incoming) (Turn, error) {
	if err := in.check(); err != nil {
		return Turn{}, err
	}
	c := cReceive{
		said:  said{id: in.ID, text: in.Text, files: slices.Clone(in.Files), payload: in.Payload, at: in.At},
		about: about{user: in.User, language: in.Language, channel: in.Channel, url: in.URL},
	}
	var unknown error
	for try := 0; ; try++ {
		turn, err := e.receive(ctx, &in, c, unknown != nil)
		switch {
		case err == nil:
			return turn, nil
		case retry(err) && try < tries:
		case isUnknown(err) && try < 3:
			unknown = err
		default:
			if isUnknown(err) {
				unknown = err
			}
			return e.blind(&in, err), unclear(unknown, err)
		}
		if err := backOff(ctx, err, try); err != nil {
			return Turn{}, unclear(unknown, err)
		}
	}
}

// retry reports whether a commit lost a race: reading again helps.
func retry(err error) bool {
	var state *StateError
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrDuplicate) || errors.As(err, &state) && state.Command == "receive"
}

// blind is the answer while the store cannot be read.
func (e *Engine) blind(in *Incoming, err error) Turn {
	var se *StoreError
	if e.cfg.StoreDown != StoreDownBot || !errors.As(err, &se) {
		return Turn{}
	}
	return Turn{Conversation: in.Conversation, Blind: true}
}

func (e *Engine) receive(ctx context.Context, in *Incoming, c cReceive, again bool) (Turn, error) {
	h, err := e.latest(ctx, in.Conversation)
	if err != nil {
		return Turn{}, err
	}
	turn := Turn{Conversation: in.Conversation}
	if h != nil {
		turn.Number, turn.Epoch, turn.State, turn.Bot = h.ID.Number, h.Epoch, h.State, h.Bot
		if h.own.Known.has(hash(in.ID)) {
			if again {
				// Our own attempt may have been the first one.
				return e.turn(ctx, h, receiveCall(in.ID))
			}
			return turn, nil
		}
	}
	if c.heard, err = e.hearUser(ctx, h, in); err != nil {
		return Turn{}, err
	}
	if h == nil || !h.IsOpen() {
		if e.rules.unwatched && (h == nil || !h.own.NextOwed && !h.StayOut.After(now())) {
			turn.Call, turn.Unwatched = receiveCall(in.ID), true
			turn.Messages = []Asked{{ID: in.ID, Text: in.Text, Files: in.Files, Payload: in.Payload, At: in.At}}
			turn.counter = newCounter()
			return turn, nil
		}
	}
	if c.door, err = e.formDoor(ctx, h, h.written(in.Text)); err != nil {
		return Turn{}, err
	}
	o, err := e.received(ctx, in, h, c)
	if c.heard.full(err) {
		o, err = e.received(ctx, in, h, c)
	}
	if err != nil {
		return Turn{}, err
	}
	turn, err = e.turn(ctx, o.h, receiveCall(in.ID))
	turn.Escalated = c.heard.escalated()
	return turn, err
}

// received commits a message of the user, in the open handoff or in a new one.
func (e *Engine) received(ctx context.Context, in *Incoming, h *Handoff, c cReceive) (outcome, error) {
	op := "receive/" + in.ID
	if h == nil || !h.IsOpen() {
		return e.openNext(ctx, in.Conversation, h, named{c, op})
	}
	return e.apply(ctx, h, c, op)
}

// openNext inserts the handoff after prev, which takes over what prev left.
// Exactly the next number is inserted; ErrConflict says that it is there.
func (e *Engine) openNext(ctx context.Context, conversation string, prev *Handoff, then ...command) (outcome, error) {
	c := cOpen{conversation: conversation, prev: prev, then: then}
	if prev != nil && prev.own.NextOwed {
		for i := range prev.Pending {
			old, err := e.entryAt(ctx, prev.ID, prev.Pending[i].Seq)
			if err != nil {
				return outcome{}, err
			}
			if old != nil {
				c.carried = append(c.carried, *old)
			}
		}
	}
	o, err := e.apply(ctx, &Handoff{ID: ID{Conversation: conversation}}, c, "open")
	if err == nil && prev != nil && prev.own.NextOwed {
		// Nobody needs to open it any more. If this is lost, the worker finds
		// the next handoff there.
		e.after(func(e *Engine) { e.work.tend(prev.ID) })
	}
	return o, err
}

// entryAt reads one entry by its number.
func (e *Engine) entryAt(ctx context.Context, id ID, seq int64) (found *Entry, err error) {
	err = e.call(ctx, "log", id, func(ctx context.Context) error {
		list, err := e.store.Log(ctx, id, seq-1, 1)
		if err == nil && len(list) == 1 && list[0].Seq == seq {
			found, err = list[0].decode(id)
		}
		return err
	})
	return found, err
}

// turn makes the turn of a call, with the messages that it is to answer. It is
// not open when the call may not answer.
func (e *Engine) turn(ctx context.Context, h *Handoff, id string) (Turn, error) {
	t := Turn{Conversation: h.ID.Conversation, Number: h.ID.Number, Epoch: h.Epoch, State: h.State, Bot: h.Bot}
	if !slices.ContainsFunc(h.own.Calls, func(c call) bool { return c.ID == id }) {
		return t, nil
	}
	for i := range h.Pending {
		p := &h.Pending[i]
		if p.Call != id {
			continue
		}
		en, err := e.entryAt(ctx, h.ID, p.Seq)
		if err != nil {
			return Turn{}, err
		}
		if en != nil {
			t.Messages = append(t.Messages, Asked{ID: p.Message, Text: en.Text, Files: en.Files, Payload: en.Payload, At: en.At})
		}
	}
	t.Call, t.counter = id, newCounter()
	return t, nil
}

// Reply answers the user. It may be called several times for one turn. A
// reply that is refused with ErrStale was not shown, and nothing is lost: the
// message stays with whoever answers now.
//
// m.ID makes a repeated call harmless. Without it replies are numbered, and a
// turn that was stored and restored needs it.
func (e *Engine) Reply(ctx context.Context, t Turn, m Message) (Entry, error) {
	if err := first(checkContext(ctx), checkMessage("Message", m.Text, m.Files, m.Payload), checkOptional("Message.ID", m.ID), t.check()); err != nil {
		return Entry{}, err
	}
	if t.Unwatched {
		return e.replyUnwatched(ctx, t, m)
	}
	op, done, err := t.next(ctx, m.ID)
	if err != nil {
		return Entry{}, err
	}
	full := false
	reply := func(h *Handoff) (command, error) {
		c := cReply{turn: t, msg: m}
		hd, err := e.hearBot(ctx, h, trigger.Turn{
			Text: m.Text, Fallback: m.Fallback, Scored: m.Confidence > 0, Confidence: m.Confidence,
		}, "escalate/"+op)
		if full {
			hd.full(ErrUnavailable)
		}
		c.heard = hd
		return c, err
	}
	o, err := e.do(ctx, t.ID(), op, reply)
	if errors.Is(err, ErrUnavailable) {
		full = true // the bot's answer is shown, whatever becomes of the request
		o, err = e.do(ctx, t.ID(), op, reply)
	}
	done(err == nil)
	if err != nil {
		return Entry{}, stale(err)
	}
	return o.entry(KindMessage), nil
}

// stale says of a turn what its handoff's state says: the bot has no control.
func stale(err error) error {
	if errors.Is(err, ErrState) || errors.Is(err, ErrNotFound) {
		return ErrStale
	}
	return err
}

func (t *Turn) check() error {
	if t.Call == "" {
		return ErrStale
	}
	return first(checkName("Turn.Conversation", t.Conversation), checkName("Turn.Call", t.Call))
}

// next returns the entry id of a turn's next reply, and what tells whether it
// was stored. One reply of a turn is on its way at a time.
func (t *Turn) next(ctx context.Context, id string) (string, func(ok bool), error) {
	if id != "" {
		return "r/" + t.Call + "/" + id, func(bool) {}, nil
	}
	if t.counter == nil {
		return "", nil, &InvalidError{Field: "Message.ID", Why: "is required for a turn that was stored"}
	}
	select {
	case t.counter.gate <- struct{}{}:
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	n := t.counter.n.Load()
	return "r/" + t.Call + "//" + strconv.FormatInt(n, 10), func(ok bool) {
		if ok {
			t.counter.n.Add(1)
		}
		<-t.counter.gate
	}, nil
}

// replyUnwatched is a check that is true at this moment, and then the text.
func (e *Engine) replyUnwatched(ctx context.Context, t Turn, m Message) (Entry, error) {
	h, err := e.latest(ctx, t.Conversation)
	if err != nil {
		return Entry{}, err
	}
	if h != nil && (h.ID.Number != t.Number || h.Epoch != t.Epoch || h.IsOpen()) || h == nil && t.Number != 0 {
		return Entry{}, e.giveBack(ctx, t)
	}
	id := m.ID
	if id == "" {
		id = newID()
	}
	en := Entry{
		ID: id, Handoff: t.ID(), At: now(), Kind: KindMessage, From: Party{Role: RoleBot, ID: t.Bot},
		Text: m.Text, Files: m.Files, Payload: m.Payload, Message: m.ID,
	}
	if e.cfg.Channel == nil {
		return en, nil
	}
	sctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	return en, e.cfg.Channel.Show(sctx, t.Conversation, userMessage(&en))
}

// giveBack puts the messages of a refused turn through Receive again, so that
// whoever has control sees them.
func (e *Engine) giveBack(ctx context.Context, t Turn) error {
	for _, m := range t.Messages {
		_, err := e.Receive(ctx, Incoming{Conversation: t.Conversation, ID: m.ID, Text: m.Text, Files: m.Files, Payload: m.Payload, At: m.At})
		if err != nil {
			return errors.Join(ErrStale, err)
		}
	}
	return ErrStale
}

// Done says that the bot has nothing (more) to say to a turn's messages.
func (e *Engine) Done(ctx context.Context, t Turn) error {
	if err := t.check(); err != nil {
		return err
	}
	if t.Unwatched {
		return nil
	}
	_, err := e.do(ctx, t.ID(), "d/"+t.Call, func(*Handoff) (command, error) { return cDone{turn: t}, nil })
	return stale(err)
}

// Say shows a message of the bot that answers nobody. It is refused with
// ErrStale when the bot has no control, and with ErrNotFound when the engine
// does not watch the conversation.
func (e *Engine) Say(ctx context.Context, conversation string, m Message) (Entry, error) {
	if err := first(checkName("conversation", conversation), checkMessage("Message", m.Text, m.Files, m.Payload),
		checkOptional("Message.ID", m.ID)); err != nil {
		return Entry{}, err
	}
	id := m.ID
	if id == "" {
		id = newID()
	}
	h, err := e.Open(ctx, conversation)
	if err != nil {
		return Entry{}, err
	}
	o, err := e.do(ctx, h.ID, "s/"+id, func(*Handoff) (command, error) { return cSay{msg: m}, nil })
	if err != nil {
		return Entry{}, stale(err)
	}
	return o.entry(KindMessage), nil
}

// Handover gives the user to another bot of the host. The present stretch
// ends as OutcomeHanded, and the other bot is called with the messages that
// nobody has answered; BotCall.Turn.Bot names it.
func (e *Engine) Handover(ctx context.Context, t Turn, bot, note string) (Handoff, error) {
	if err := first(t.check(), checkName("bot", bot), checkText("note", note)); err != nil {
		return Handoff{}, err
	}
	if t.Unwatched {
		return Handoff{}, &InvalidError{Field: "Turn", Why: "is of a conversation that is not watched"}
	}
	o, err := e.do(ctx, t.ID(), "handover/"+t.Call, func(*Handoff) (command, error) {
		return cHandover{turn: t, bot: bot, note: note}, nil
	})
	if err != nil {
		return Handoff{}, stale(err)
	}
	return *o.h, nil
}
