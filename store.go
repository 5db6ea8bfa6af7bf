package handoff

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// A Store keeps handoffs and their logs. It compares, appends and indexes; it
// knows no states, no agents and no skills. Prove yours with storetest.Run.
//
// Words. A record is the stored form of one handoff: a body of bytes and a few
// index fields. A record is named by its conversation and its number. Its log
// is a list of entries numbered 1, 2, 3 … without gaps. A key is a named
// counted resource that a record holds units of. A cursor says how far one
// receiver of a log has got. "Due" means that Wake is set and not after now.
//
// Versions and keys are for correctness: no safety rule of the engine holds
// without them. Claims and leads are for thrift only: losing one costs a
// repeat or a delay, never a wrong result.
//
// All methods may be called concurrently. Values are immutable: the store may
// keep the slices it is given and the engine may share the ones it gets, so
// neither side changes them afterwards. Times have millisecond precision and
// come as arguments; only Claim may read the store's own clock. Names (ids,
// queues, keys, cursors, entry ids) are compared as bytes; any valid UTF-8
// without NUL must work, and no two names may be mixed up.
//
// Errors. ErrNotFound, ErrConflict, *HeldError and ErrDuplicate are answers.
// Any other error means that the outcome is unknown: the engine then reads the
// record again, looks for its entry id, and only then decides. A call whose
// context ended before it may fail with the context's error, and has changed
// nothing then.
type Store interface {
	// Commit saves r as version r.Version+1 and appends the entries, all or
	// nothing. r.Version 0 inserts. There is at least one entry; they carry
	// the numbers up to r.Seq without a gap.
	//
	// It fails, in this order, with
	//   - ErrConflict when the stored version is not r.Version; inserting a
	//     record that exists is a conflict too;
	//   - a *HeldError when a key would exceed its maximum;
	//   - ErrDuplicate when the record's log has an entry with one of the ids.
	//
	// Keys are compared by name with those that the stored record holds. More
	// units under a name is a taking of the difference and is checked against
	// the Max given here: the sum over all holders must not exceed it. Fewer
	// is a giving back, unchanged is never checked, and a name that is absent
	// from r.Keys is free afterwards. A commit ends a running claim.
	Commit(ctx context.Context, r Record, entries ...RecordEntry) error

	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, id ID) (Record, error)

	// Latest returns the record of a conversation with the highest number, or
	// ErrNotFound. It sees every commit that returned before it was called.
	Latest(ctx context.Context, conversation string) (Record, error)

	// Holders returns who holds the named keys, in the order of the names and
	// then of the ids. A key that nobody holds yields nothing.
	Holders(ctx context.Context, keys ...string) ([]Holding, error)

	// List returns the records that match q, in q's order.
	List(ctx context.Context, q Query) ([]Record, error)

	// Lines returns the distinct lines of a queue in which at least one record
	// stands, sorted.
	Lines(ctx context.Context, queue string) ([]string, error)

	// Log returns up to limit entries of a record's log numbered above after,
	// oldest first; none for a record that does not exist.
	Log(ctx context.Context, id ID, after int64, limit int) ([]RecordEntry, error)

	// Entry returns the entry with that id in the record's log, or ErrNotFound.
	Entry(ctx context.Context, id ID, entry string) (RecordEntry, error)

	// Claim returns work to do: see Claim and Claimed.
	Claim(ctx context.Context, c Claim) (Claimed, error)

	// Lead asks to be the one sender for a cursor until now+lease. It fails
	// with ErrLeased while somebody else is. A cursor that was never
	// acknowledged stands at 0. Each success counts as one more try and gets a
	// higher term.
	Lead(ctx context.Context, id ID, cursor string, now time.Time, lease time.Duration) (Lead, error)

	// Ack moves cursors forward and ends or shortens leads: see Ack. A cursor
	// never goes back. It does not change a record's version. Acks of records
	// that do not exist are ignored.
	Ack(ctx context.Context, acks ...Ack) error

	// Erase removes every record of a conversation with its log, keys and
	// cursors, and saves tomb in their place, all or nothing. tomb.ID names
	// the tombstone (another conversation, the same number) and replaces one
	// that is there. It fails with ErrConflict unless the latest record of the
	// conversation has tomb's number and tomb's version.
	Erase(ctx context.Context, conversation string, tomb Record) error

	// Delete removes one record with its log, keys and cursors, or fails with
	// ErrConflict when its version is another one. A record that does not
	// exist is no error.
	Delete(ctx context.Context, id ID, version int64) error
}

// A Record is the stored form of a handoff. The engine computes every field;
// a store keeps them, finds records by them, and chooses none.
type Record struct {
	ID      ID
	Version int64 // the version that was read; 0 is not stored yet
	Seq     int64 // number of the last entry, including those being appended

	Queue   string
	State   State
	Outcome Outcome
	Agent   string // who holds it or is being asked
	User    string
	Tags    []string

	// Line is the signature of what the handoff needs. A record stands in its
	// queue, at its rank, while Line is not empty.
	Line     string
	Priority int       // higher goes first
	Since    time.Time // then earlier goes first, then the lower ID

	Created time.Time
	Updated time.Time
	Wake    time.Time // when somebody must look; zero is never

	Keys []Key
	Owed []Owed // receivers and the last entry each must get

	Body Body
}

// A Key is a share in a named counted resource. A name occurs once in a
// record. Max 1 makes the key exclusive.
type Key struct {
	Name  string
	Max   int
	Units int
}

// A Holding says that a record holds units of a key.
type Holding struct {
	Key   string
	ID    ID
	Units int
}

// Owed says that a receiver must get the log up to and including Seq. It is
// owed while the cursor stands below Seq.
type Owed struct {
	Sink   string // who can deliver it; see Claim.Sinks
	Cursor string // the cursor's name, unique within the record
	Seq    int64
}

// A RecordEntry is the stored form of an entry.
type RecordEntry struct {
	ID   string // unique within the record's log
	Seq  int64
	At   time.Time
	Body Body
}

// A Query selects records. Zero fields select everything; set fields must all
// match.
type Query struct {
	Conversation string
	Queue        string
	Agent        string
	User         string
	Tag          string
	States       []State
	Outcomes     []Outcome
	Lines        []string  // Line is one of these
	From, To     time.Time // created in [From, To)
	Waiting      bool      // only records that stand in a line

	// ByRank orders by priority (high first), Since, then ID: the order in
	// which a queue is served. Otherwise the order is Created (old first),
	// then ID.
	ByRank bool
	After  Cursor // continue behind this one; zero starts at the beginning
	Limit  int    // at most this many; 0 is no limit
}

// A Cursor is a place in the order of a Query. Make one with Record.Cursor.
type Cursor struct {
	Priority int       `json:"priority,omitempty"`
	At       time.Time `json:"at,omitzero"`
	ID       ID        `json:"id,omitzero"`
}

// Cursor returns r's place in the order of q.
func (r *Record) Cursor(q Query) Cursor {
	if q.ByRank {
		return Cursor{Priority: r.Priority, At: r.Since, ID: r.ID}
	}
	return Cursor{At: r.Created, ID: r.ID}
}

// IsZero reports whether c is the beginning.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// Compare orders two places of one query: negative when c comes first.
func (c Cursor) Compare(d Cursor) int {
	if n := cmp.Compare(d.Priority, c.Priority); n != 0 {
		return n
	}
	if n := c.At.Compare(d.At); n != 0 {
		return n
	}
	return c.ID.Compare(d.ID)
}

// Match reports whether r fulfils q, leaving After and Limit aside. Stores
// that keep everything in memory may use it; others translate q.
func (q *Query) Match(r *Record) bool {
	return (q.Conversation == "" || q.Conversation == r.ID.Conversation) &&
		(q.Queue == "" || q.Queue == r.Queue) &&
		(q.Agent == "" || q.Agent == r.Agent) &&
		(q.User == "" || q.User == r.User) &&
		(q.Tag == "" || slices.Contains(r.Tags, q.Tag)) &&
		(len(q.States) == 0 || slices.Contains(q.States, r.State)) &&
		(len(q.Outcomes) == 0 || slices.Contains(q.Outcomes, r.Outcome)) &&
		(len(q.Lines) == 0 || slices.Contains(q.Lines, r.Line)) &&
		(!q.Waiting || r.Line != "") &&
		(q.From.IsZero() || !r.Created.Before(q.From)) &&
		(q.To.IsZero() || r.Created.Before(q.To))
}

// A Claim asks for work. Each record is given to one caller at a time: it is
// hidden from other claims until Now+Lease or until its next commit.
type Claim struct {
	Now   time.Time // used by stores without a clock of their own
	Lease time.Duration
	Limit int // at most this many records and this many deliveries
	Sinks []string
	Grace time.Duration // how long a delivery may be behind before it is work
}

// Claimed is what a Claim found. It does not change versions.
type Claimed struct {
	Now     time.Time // the time by which the store decided
	Due     []Record  // Wake has come; earliest first
	Overdue []Delivery
}

// A Delivery is a cursor of a record that is behind: the oldest entry that it
// lacks is older than the grace, nobody leads it, and its sink is one of
// Claim.Sinks.
type Delivery struct {
	ID     ID
	Sink   string
	Cursor string
}

// A Lead is the right to send for one cursor until its lease ends.
type Lead struct {
	Seq   int64 // the cursor: everything up to here was delivered
	Tries int   // how often it was led since the cursor last moved, this one included
	Term  int64 // names this lead; a later one is higher
}

// An Ack reports progress of a cursor. Seq moves it forward; a lower Seq
// leaves it. If Term is the current lead's, the lead ends at Until, or at once
// when Until is zero; Keep leaves the lead as it is. A lead that ends at once
// was no try: whoever led had nothing to send.
type Ack struct {
	ID     ID
	Cursor string
	Seq    int64
	Term   int64
	Until  time.Time
	Keep   bool
}

// A Body is what the engine keeps in a record or an entry. A store in memory
// keeps the value; others keep Bytes and give it back through BodyOf.
type Body struct {
	raw   []byte
	value any // *Handoff or *Entry, immutable
}

// BodyOf returns a body with these bytes.
func BodyOf(b []byte) Body { return Body{raw: b} }

// Bytes returns the encoded body. The caller must not change it.
func (b Body) Bytes() []byte {
	if b.raw == nil && b.value != nil {
		return encode(b.value)
	}
	return b.raw
}

// Optional abilities of a Store, found by type assertion. A store that wraps
// another one has a method Unwrap() Store, so that the inner abilities are
// found.
type (
	// A Listener tells of commits made through other handles of the store.
	// Listen calls f until ctx ends and returns nil then. Hints may be lost,
	// doubled or coalesced; f does not block.
	Listener interface {
		Listen(ctx context.Context, f func(Hint)) error
	}

	// An AheadCounter counts the records that stand before r in r's queue, at
	// most limit (0 is no limit). Without it the engine lists.
	AheadCounter interface {
		Ahead(ctx context.Context, r Record, limit int) (int, error)
	}

	// A Counter counts the records that match q, leaving After and Limit
	// aside. Without it the engine lists.
	Counter interface {
		Count(ctx context.Context, q Query) (int, error)
	}

	// A Searcher finds what was said. Search returns the records that match q
	// and in which text was found, in q's order and behind q.After, at most
	// q.Limit. What "found" means is the store's own: substrings, words, stems.
	// Nothing that was erased is found. Without it the engine reads records and
	// logs, a bounded number at a time.
	Searcher interface {
		Search(ctx context.Context, q Query, text string) ([]Record, error)
	}

	// A BatchCommitter commits independent items, at most one for each record.
	// Each is judged alone, in order, against the store and the items before
	// it; the result has one error for each item.
	BatchCommitter interface {
		CommitBatch(ctx context.Context, items []Item) []error
	}
)

// An Item is one commit of a batch.
type Item struct {
	Record  Record
	Entries []RecordEntry
}

// A Hint says that something happened. A zero ID with a queue means that the
// queue may have work. With an ID, Queue is where the record waits for an
// agent, and empty while one is asked or has it. Version and Line are what a commit made of the record,
// or zero, which costs whoever hears of it a read.
type Hint struct {
	ID      ID
	Queue   string
	Version int64
	Line    string
}

// unwrap finds an ability of a store or of one that it wraps.
func unwrap[T any](s Store) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t, true
		}
		u, ok := s.(interface{ Unwrap() Store })
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	var zero T
	return zero, false
}
