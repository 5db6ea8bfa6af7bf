package handoff

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math"
	"slices"
)

// tombstone names what is kept of an erased conversation: its number and the
// hashes of its message ids, so that an old turn stays stale and a repeated
// message stays known.
func tombstone(conversation string) string {
	sum := sha256.Sum256([]byte(conversation))
	return "erased:" + hex.EncodeToString(sum[:])
}

// Erase removes everything that was said in a conversation: all of its
// handoffs, their logs and their deliveries. It is ErrOpen while a handoff is
// open, unless it is the bot's and idle, and while something is still owed: the
// next handoff, or closing a chat on a platform. An earlier handoff that cannot
// be read, and has ended, is erased as well. Erasing what is not there is no error.
func (e *Engine) Erase(ctx context.Context, conversation string) error {
	if err := checkName("conversation", conversation); err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := e.erase(ctx, conversation)
		if !errors.Is(err, ErrConflict) && !isUnknown(err) || try >= tries {
			return err
		}
		if err := backOff(ctx, err, try); err != nil {
			return err
		}
	}
}

func (e *Engine) erase(ctx context.Context, conversation string) error {
	h, err := e.latest(ctx, conversation)
	if err != nil || h == nil || h.own.Tombstone {
		return err
	}
	if h.State == StateBot {
		if owed, err := e.isOwed(ctx, h, sinkPacket); err != nil || owed {
			if err == nil {
				err = ErrOpen
			}
			return err
		}
		o, err := e.do(ctx, h.ID, "forget", func(*Handoff) (command, error) { return cForget{}, nil })
		if err != nil {
			return err
		}
		h = o.h
	}
	list, err := e.list(ctx, Query{Conversation: conversation})
	if err != nil {
		return err
	}
	for i := range list {
		r, err := list[i].decode()
		if err != nil && list[i].State == StateEnded && list[i].ID != h.ID {
			continue // whatever it was still to do, nobody can
		}
		if err != nil {
			return err
		}
		if r.State != StateEnded || r.own.NextOwed && r.ID == h.ID ||
			slices.ContainsFunc(r.own.Bindings, func(b Binding) bool { return b.Status == BindOwed }) {
			return ErrOpen
		}
	}
	if err := e.fence(ctx, conversation, h.ID.Number); err != nil {
		return err
	}
	tomb := &Handoff{
		ID: ID{Conversation: tombstone(conversation), Number: h.ID.Number}, Version: h.Version,
		State: StateEnded, Outcome: h.Outcome, Epoch: h.Epoch, own: bookkeeping{Known: h.own.Known, Tombstone: true},
		Created: now(), Updated: now(),
	}
	rec := e.rules.record(tomb)
	err = e.call(ctx, "erase", h.ID, func(ctx context.Context) error { return e.store.Erase(ctx, conversation, rec) })
	if err != nil {
		return e.refused(err)
	}
	e.after(func(e *Engine) {
		e.hub.feed.forget(conversation)
		e.hub.changed(conversation)
	})
	return nil
}

// numbers are those of an erased conversation that are used up. A handoff
// that is opened takes one unit of Key of at most as many as its number; each
// erasure takes, for good, as many as bring the sum to the last number. So
// somebody who read the conversation before it was erased can no longer open
// a handoff in it under a number that was used.
type numbers struct {
	Key   string `json:"key"`
	Upto  int64  `json:"upto"`
	Units int    `json:"units"` // Upto less that of the record before
}

// numbersKey names the numbers of a conversation without naming it.
func numbersKey(conversation string) string {
	sum := sha256.Sum256([]byte("numbers\x00" + conversation))
	return "numbers/" + base64.RawURLEncoding.EncodeToString(sum[:15])
}

// opening returns what a handoff holds until its second commit.
func (id ID) opening() Key {
	return Key{Name: numbersKey(id.Conversation), Max: int(min(id.Number, math.MaxInt32)), Units: 1}
}

// fence uses up the numbers of a conversation. It comes before the erasure: if
// that fails, the numbers were used all the same.
func (e *Engine) fence(ctx context.Context, conversation string, upto int64) error {
	_, err := e.keep(ctx, tombstone(conversation)+"/numbers", func(last *kept) *kept {
		n := &numbers{Key: numbersKey(conversation), Upto: min(upto, math.MaxInt32)}
		n.Units = int(n.Upto)
		if last.Number != nil {
			n.Units -= int(last.Number.Upto)
		}
		if n.Units <= 0 {
			return nil
		}
		return &kept{Number: n}
	})
	if err != nil {
		return e.refused(err)
	}
	return nil
}
