package handoff

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// extra holds the fields of an encoded value that this build does not know,
// so that an older build does not drop what a newer one has written.
type extra map[string]json.RawMessage

// The plain types have the fields without the methods below.
type (
	plainHandoff Handoff
	plainEntry   Entry
	plainOwn     bookkeeping
)

// storedHandoff is what a store keeps.
type storedHandoff struct {
	*plainHandoff
	Own *bookkeeping `json:"own"`
}

// MarshalJSON encodes b together with fields that an earlier decoding did not
// know.
func (b *bookkeeping) MarshalJSON() ([]byte, error) { return marshalExtra((*plainOwn)(b), b.extra) }

// UnmarshalJSON decodes b and keeps unknown fields.
func (b *bookkeeping) UnmarshalJSON(raw []byte) (err error) {
	b.extra, err = unmarshalExtra(raw, (*plainOwn)(b), ownFields)
	return err
}

// MarshalJSON encodes h together with fields that an earlier decoding did not
// know.
func (h *Handoff) MarshalJSON() ([]byte, error) { return marshalExtra((*plainHandoff)(h), h.extra) }

// UnmarshalJSON decodes h and keeps unknown fields.
func (h *Handoff) UnmarshalJSON(b []byte) (err error) {
	h.extra, err = unmarshalExtra(b, (*plainHandoff)(h), handoffFields)
	return err
}

// MarshalJSON encodes e together with fields that an earlier decoding did not
// know.
func (e *Entry) MarshalJSON() ([]byte, error) { return marshalExtra((*plainEntry)(e), e.extra) }

// UnmarshalJSON decodes e and keeps unknown fields.
func (e *Entry) UnmarshalJSON(b []byte) (err error) {
	e.extra, err = unmarshalExtra(b, (*plainEntry)(e), entryFields)
	return err
}

func marshalExtra(v any, x extra) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil || len(x) == 0 {
		return b, err
	}
	more, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	return append(append(b[:len(b)-1], ','), more[1:]...), nil
}

func unmarshalExtra(b []byte, v any, known map[string]bool) (extra, error) {
	if err := json.Unmarshal(b, v); err != nil {
		return nil, err
	}
	return unknownFields(b, known)
}

// unknownFields returns the fields of an object that are not known.
func unknownFields(b []byte, known map[string]bool) (extra, error) {
	var all extra
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for name := range all {
		if known[name] {
			delete(all, name)
		}
	}
	if len(all) == 0 {
		all = nil // so that equal values are equal
	}
	return all, nil
}

// The names of the fields of each type, in JSON. They are looked up once, since
// that takes long beside reading a record. Nobody changes them.
var (
	handoffFields = fieldsOf[plainHandoff]()
	storedFields  = fieldsOf[plainHandoff]("own")
	entryFields   = fieldsOf[plainEntry]()
	ownFields     = fieldsOf[plainOwn]()
)

func fieldsOf[T any](more ...string) map[string]bool {
	t, names := reflect.TypeFor[T](), map[string]bool{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names[name] = true
	}
	for _, name := range more {
		names[name] = true
	}
	return names
}

// encode cannot fail: raw messages are checked where they come in, and every
// other field is plain.
func encode(v any) []byte {
	var b []byte
	var err error
	switch v := v.(type) {
	case *Handoff:
		b, err = marshalExtra(storedHandoff{plainHandoff: (*plainHandoff)(v), Own: &v.own}, v.extra)
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
func (h *Handoff) unmarshalStored(b []byte) error {
	s := storedHandoff{plainHandoff: (*plainHandoff)(h), Own: &h.own}
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	var err error
	if h.extra, err = unknownFields(b, storedFields); err != nil {
		return err
	}
	return nil
}

// decode returns the entry in r.
func (r *RecordEntry) decode(id ID) (*Entry, error) {
	if e, ok := r.Body.value.(*Entry); ok {
		return e, nil
	}
	e := new(Entry)
	if err := json.Unmarshal(r.Body.raw, e); err != nil {
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
