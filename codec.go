package handoff

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"reflect"
	"time"
)

// The plain types have the fields without the methods below.
type (
	plainHandoff Handoff
	plainEntry   Entry
)

// storedHandoff is what a store keeps.
type storedHandoff struct {
	*plainHandoff
	Own *bookkeeping `json:"own"`
}

// What this build knows of each. It is looked up once, since that takes long
// beside reading a record.
var (
	handoffShape = shapeOf(reflect.TypeFor[plainHandoff]())
	storedShape  = shapeOf(reflect.TypeFor[storedHandoff]())
	entryShape   = shapeOf(reflect.TypeFor[plainEntry]())
)

// MarshalJSON encodes h together with fields that an earlier decoding did not
// know.
func (h *Handoff) MarshalJSON() ([]byte, error) {
	return handoffShape.encode((*plainHandoff)(h), h.unknown)
}

// UnmarshalJSON decodes h and keeps unknown fields.
func (h *Handoff) UnmarshalJSON(b []byte) (err error) {
	h.unknown, err = handoffShape.decode(b, (*plainHandoff)(h))
	return err
}

// MarshalJSON encodes e together with fields that an earlier decoding did not
// know.
func (e *Entry) MarshalJSON() ([]byte, error) { return entryShape.encode((*plainEntry)(e), e.unknown) }

// UnmarshalJSON decodes e and keeps unknown fields.
func (e *Entry) UnmarshalJSON(b []byte) (err error) {
	e.unknown, err = entryShape.decode(b, (*plainEntry)(e))
	return err
}

// encode cannot fail: raw messages are checked where they come in, and every
// other field is plain.
func encode(v any) []byte {
	var b []byte
	var err error
	switch v := v.(type) {
	case *Handoff:
		b, err = storedShape.encode(storedHandoff{plainHandoff: (*plainHandoff)(v), Own: &v.own}, v.unknown)
	case *Entry:
		b, err = v.MarshalJSON()
	}
	if err != nil {
		return nil
	}
	return b
}

// decode returns the handoff in r. It must not be changed.
func (r *Record) decode() (*Handoff, error) {
	h, ok := r.Body.value.(*Handoff)
	if !ok {
		h = new(Handoff)
		if err := h.unmarshalStored(r.Body.raw); err != nil {
			return nil, &UnreadableError{ID: r.ID, Err: fmt.Errorf("record of %d bytes: %w", len(r.Body.raw), err)}
		}
		h.Version = r.Version
	} else if h.Version != r.Version {
		c := *h
		c.Version = r.Version
		h = &c
	}
	return h, nil
}

// unmarshalStored decodes what encode made.
func (h *Handoff) unmarshalStored(b []byte) (err error) {
	h.unknown, err = storedShape.decode(b, &storedHandoff{plainHandoff: (*plainHandoff)(h), Own: &h.own})
	return err
}

// forget lets go of the unknown fields of what h no longer has: what takes its
// place is something else.
func (h *Handoff) forget() {
	if h.unknown != nil {
		h.unknown, _ = storedShape.unknown(encode(h))
	}
}

// decode returns the entry in r.
func (r *RecordEntry) decode(id ID) (*Entry, error) {
	if e, ok := r.Body.value.(*Entry); ok {
		return e, nil
	}
	e := new(Entry)
	if err := e.UnmarshalJSON(r.Body.raw); err != nil {
		return nil, &UnreadableError{ID: id, Err: fmt.Errorf("entry of %d bytes: %w", len(r.Body.raw), err)}
	}
	e.Handoff = id
	return e, nil
}

// known is the set of recent message ids of a conversation, as hashes with
// their times, oldest first. Sixteen bytes hold one.
type known []byte

const knownSize = 12 // 8 bytes of hash, 4 of time in minutes

// Limits of known: ids are kept for a day, and at least 256 of them.
const (
	knownLeast = 256
	knownMost  = 4096
	knownFor   = 24 * time.Hour
)

func (k known) has(hash uint64) bool {
	for i := 0; i+knownSize <= len(k); i += knownSize {
		if binary.BigEndian.Uint64(k[i:]) == hash {
			return true
		}
	}
	return false
}

// add returns k with hash, without what is too old. It copies.
func (k known) add(hash uint64, now time.Time) known {
	minute := now.Unix() / 60
	oldest := minute - int64(knownFor/time.Minute)
	n := len(k) / knownSize
	drop := 0
	for drop < n && (n-drop >= knownMost || n-drop >= knownLeast &&
		int64(binary.BigEndian.Uint32(k[drop*knownSize+8:])) < oldest) {
		drop++
	}
	out := make(known, 0, len(k)-drop*knownSize+knownSize)
	out = append(out, k[drop*knownSize:]...)
	out = binary.BigEndian.AppendUint64(out, hash)
	return binary.BigEndian.AppendUint32(out, uint32(minute))
}

// MarshalText encodes k as base64.
func (k known) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, k), nil
}

// UnmarshalText decodes base64.
func (k *known) UnmarshalText(b []byte) (err error) {
	*k, err = base64.StdEncoding.AppendDecode(nil, b)
	return err
}
