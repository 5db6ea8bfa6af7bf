package redisstore

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
)

// Names hold no NUL, so a NUL ends each where several stand in one string.
const nul = "\x00"

// rid names a record within the store. Bytewise its order is that of ids.
func rid(id handoff.ID) string { return id.Conversation + nul + number19(id.Number) }

// number19 is a number in digits that sort as numbers do.
func number19(n int64) string {
	digits := strconv.FormatInt(n, 10)
	return "0000000000000000000"[min(len(digits), 19):] + digits
}

func idOf(rid string) handoff.ID {
	conversation, n, _ := strings.Cut(rid, nul)
	return handoff.ID{Conversation: conversation, Number: number(n)}
}

// time8 is a time in bytes that sort as times do.
func time8(t time.Time) string { return eight(t.UnixMilli()) }

func eight(n int64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)^1<<63)
	return string(b[:])
}

func fromEight(s string) int64 {
	if len(s) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64([]byte(s)) ^ 1<<63)
}

// rank is a place in a queue in bytes that sort as places do; ^ turns the order
// of priorities round and cannot overflow.
func rank(priority int, since time.Time) string { return eight(^int64(priority)) + time8(since) }

var zeroMilli = time.Time{}.UnixMilli()

func atMilli(ms int64) time.Time {
	if ms == zeroMilli {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// stamp is a time as digits; empty when it is not set.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func at(stamp string) time.Time {
	if stamp == "" {
		return time.Time{}
	}
	return atMilli(number(stamp))
}

// fields are a record's, in the order of F in the scripts.
func fields(args []any, r *handoff.Record) []any {
	return append(args,
		strconv.FormatInt(r.Version+1, 10), strconv.FormatInt(r.Seq, 10),
		r.Queue, string(r.State), string(r.Outcome), r.Agent, r.User, packTags(r.Tags), r.Line,
		rank(r.Priority, r.Since), time8(r.Created), stamp(r.Updated), stamp(r.Wake),
		packKeys(r.Keys), packOwed(r.Owed), r.Body.Bytes())
}

// fieldNames are F in the scripts.
var fieldNames = []string{"v", "s", "q", "S", "O", "a", "U", "t", "l", "r", "c", "u", "w", "k", "o", "b"}

// record is the inverse of fields. It reports whether there was a record.
func record(rid string, row []any) (r handoff.Record, ok bool) {
	if len(row) != len(fieldNames) || row[0] == nil {
		return r, false
	}
	f := make([]string, len(row))
	for i := range row {
		f[i] = text(row[i])
	}
	r.ID, r.Version, r.Seq = idOf(rid), number(f[0]), number(f[1])
	r.Queue, r.State, r.Outcome, r.Agent, r.User = f[2], handoff.State(f[3]), handoff.Outcome(f[4]), f[5], f[6]
	r.Tags, r.Line = unpack(strings.TrimPrefix(f[7], nul)), f[8]
	if len(f[9]) == 16 {
		r.Priority, r.Since = int(^fromEight(f[9][:8])), atMilli(fromEight(f[9][8:]))
	}
	r.Created, r.Updated, r.Wake = atMilli(fromEight(f[10])), at(f[11]), at(f[12])
	keys := unpack(f[13])
	for i := 0; i+2 < len(keys); i += 3 {
		r.Keys = append(r.Keys, handoff.Key{Name: keys[i], Units: int(number(keys[i+1])), Max: int(number(keys[i+2]))})
	}
	owed := unpack(f[14])
	for i := 0; i+2 < len(owed); i += 3 {
		r.Owed = append(r.Owed, handoff.Owed{Sink: owed[i], Cursor: owed[i+1], Seq: number(owed[i+2])})
	}
	r.Body = handoff.BodyOf([]byte(f[15]))
	return r, true
}

// packTags begins with a NUL too, so that a tag is found with both its ends.
func packTags(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	return nul + strings.Join(tags, nul) + nul
}

func packKeys(keys []handoff.Key) string {
	if len(keys) == 0 {
		return ""
	}
	var b []byte
	for _, k := range keys {
		b = append(append(b, k.Name...), 0)
		b = append(strconv.AppendInt(b, int64(k.Units), 10), 0)
		b = append(strconv.AppendInt(b, int64(k.Max), 10), 0)
	}
	return string(b)
}

func packOwed(owed []handoff.Owed) string {
	if len(owed) == 0 {
		return ""
	}
	var b []byte
	for _, o := range owed {
		b = append(append(b, o.Sink...), 0)
		b = append(append(b, o.Cursor...), 0)
		b = append(strconv.AppendInt(b, o.Seq, 10), 0)
	}
	return string(b)
}

// unpack splits a packed list.
func unpack(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, nul), nul)
}

// packEntry is an entry as the log keeps it.
func packEntry(e *handoff.RecordEntry) []byte {
	body := e.Body.Bytes()
	b := make([]byte, 0, 24+len(e.ID)+len(body))
	b = append(strconv.AppendInt(b, e.At.UnixMilli(), 10), 0)
	b = append(append(b, e.ID...), 0)
	return append(b, body...)
}

func entryOf(seq int64, packed string) handoff.RecordEntry {
	ms, rest, _ := strings.Cut(packed, nul)
	id, body, _ := strings.Cut(rest, nul)
	return handoff.RecordEntry{ID: id, Seq: seq, At: atMilli(number(ms)), Body: handoff.BodyOf([]byte(body))}
}

// names checks what a record and its entries are called. A NUL would make two
// names of one; the rest keeps every name readable.
func names(r *handoff.Record, entries []handoff.RecordEntry) error {
	if r.ID.Number < 0 {
		return &handoff.InvalidError{Field: "number", Why: "is negative"}
	}
	bad := ""
	look := func(field, s string) {
		if bad == "" && !clean(s) {
			bad = field
		}
	}
	look("conversation", r.ID.Conversation)
	look("queue", r.Queue)
	look("state", string(r.State))
	look("outcome", string(r.Outcome))
	look("agent", r.Agent)
	look("user", r.User)
	look("line", r.Line)
	for _, t := range r.Tags {
		look("tag", t)
	}
	for i := range r.Keys {
		look("key", r.Keys[i].Name)
	}
	for i := range r.Owed {
		look("sink", r.Owed[i].Sink)
		look("cursor", r.Owed[i].Cursor)
	}
	for i := range entries {
		look("entry", entries[i].ID)
	}
	if bad != "" {
		return &handoff.InvalidError{Field: bad, Why: "is not valid UTF-8 without NUL"}
	}
	return nil
}

// clean reports whether a name can be stored. One that cannot is nobody's.
func clean(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
