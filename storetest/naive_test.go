package storetest

import (
	"context"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A naive store keeps the contract in the simplest way: one lock, no index, a
// scan for everything. With a bug it breaks one sentence. Without one it is a
// second implementation that the suite must pass, and the twin that memstore
// is compared with.
type naive struct {
	mu      sync.Mutex
	bug     string
	records map[handoff.ID]*naiveRecord
	sorted  []*naiveRecord               // what all returns; nil after a change
	limits  map[string]int               // for bugs that remember the first maximum
	cache   map[string]handoff.ID        // for bugs that remember the latest
	first   map[string]string            // for bugs that remember lines
	orphans map[handoff.ID]*naiveRecord  // for bugs that leave things behind
	erased  []*naiveRecord               // for a search that finds them
	held    map[string][]handoff.Holding // for bugs that leave keys behind
	claims  int
	busy    bool
	cursors map[string]*naiveCursor // for bugs that keep them in one place
	closed  chan struct{}
}

type naiveRecord struct {
	handoff.Record

	log     []handoff.RecordEntry
	cursors map[string]*naiveCursor
	hidden  time.Time
}

type naiveCursor struct {
	seq, term int64
	tries     int
	until     time.Time
}

func newNaive(bug string) *naive {
	return &naive{
		bug: bug, records: make(map[handoff.ID]*naiveRecord), limits: make(map[string]int), cache: make(map[string]handoff.ID),
		first: make(map[string]string), orphans: make(map[handoff.ID]*naiveRecord), held: make(map[string][]handoff.Holding),
		cursors: make(map[string]*naiveCursor), closed: make(chan struct{}),
	}
}

// is reports whether the store has a bug.
func (s *naive) is(bug string) bool { return s.bug == bug }

// yield lets others in where a store with a bug is open to them.
func (s *naive) yield(bug string) {
	if s.is(bug) {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
}

// ended is the context's error, which a bug takes for an answer.
func (s *naive) ended(ctx context.Context, bug string) error {
	if ctx.Err() != nil && s.is(bug) {
		return handoff.ErrNotFound
	}
	return ctx.Err()
}

// name is where bugs mix names up.
func (s *naive) name(name string) string {
	switch s.bug {
	case "names without case":
		return strings.ToLower(name)
	case "names trimmed":
		return strings.TrimSpace(name)
	case "names cut at 255 bytes":
		return name[:min(len(name), 255)]
	case "names normalised":
		return strings.NewReplacer("a\u0301", "á", "A\u030a", "Å", "\u212b", "Å").Replace(name)
	case "names as paths":
		return path.Clean(name)
	case "names as numbers":
		if n, err := strconv.Atoi(name); err == nil {
			return strconv.Itoa(n)
		}
	case "names up to a separator":
		name, _, _ = strings.Cut(name, "\x1f")
	case "names without control characters":
		return strings.Map(func(r rune) rune {
			if r < 0x20 {
				return -1
			}
			return r
		}, name)
	case "names unescaped":
		return strings.ReplaceAll(name, `\\`, `\`)
	case "names unquoted":
		return strings.ReplaceAll(name, `''`, `'`)
	}
	return name
}

func (s *naive) id(id handoff.ID) handoff.ID {
	id.Conversation = s.name(id.Conversation)
	if s.is("conversations are named by their first number") && id.Number != 1 && s.records[handoff.ID{Conversation: id.Conversation, Number: 1}] != nil {
		id.Number = 1
	}
	if s.is("ids joined by nothing") {
		return handoff.ID{Conversation: fmt.Sprintf("%s%d", id.Conversation, id.Number)}
	}
	return id
}

// joined is what bugs make of an id and a name.
func joined(id handoff.ID, name string) string {
	return fmt.Sprintf("%s:%d:%s", id.Conversation, id.Number, name)
}

func (s *naive) find(id handoff.ID) *naiveRecord { return s.records[s.id(id)] }

// all returns every record in the order of the ids, which some bugs rely on.
func (s *naive) all() []*naiveRecord {
	if s.sorted == nil {
		s.sorted = slices.SortedFunc(maps.Values(s.records), func(a, b *naiveRecord) int { return a.ID.Compare(b.ID) })
	}
	return slices.Clone(s.sorted)
}

func (s *naive) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	if err := s.ended(ctx, "Get is not found when its context has ended"); err != nil {
		return handoff.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	if s.is("Get falls back to another number") && r == nil {
		for _, other := range s.all() {
			if other.ID.Conversation == id.Conversation {
				return other.Record, nil
			}
		}
	}
	if r == nil {
		if s.is("not found is an error of its own") {
			return handoff.Record{}, errNaive
		}
		if s.is("Get of nothing is no error") {
			return handoff.Record{}, nil
		}
		return handoff.Record{}, handoff.ErrNotFound
	}
	out := r.Record
	if s.is("Get in two steps") {
		s.mu.Unlock()
		time.Sleep(time.Nanosecond) // in a bubble: until nobody else can go on
		s.mu.Lock()
		out.Body = r.Body
	}
	return out, nil
}

func (s *naive) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	if err := s.ended(ctx, "Latest is not found when its context has ended"); err != nil {
		return handoff.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.cache[conversation]; ok && s.is("Latest cached") && s.records[id] != nil {
		return s.records[id].Record, nil
	}
	var last *naiveRecord
	for _, r := range s.all() {
		if s.name(r.ID.Conversation) != s.name(conversation) && (!s.is("Latest by prefix") || !strings.HasPrefix(r.ID.Conversation, conversation)) {
			continue
		}
		if s.is("Latest skips ended records") && r.State == handoff.StateEnded {
			continue
		}
		later := last == nil || r.ID.Number > last.ID.Number
		switch {
		case last == nil:
		case s.is("Latest by creation"):
			later = r.Created.After(last.Created)
		case s.is("Latest by update"):
			later = !r.Updated.Before(last.Updated)
		case s.is("Latest by the number's text"):
			later = strconv.FormatInt(r.ID.Number, 10) > strconv.FormatInt(last.ID.Number, 10)
		}
		if later {
			last = r
		}
	}
	if last == nil {
		if s.is("Latest of nothing is no error") {
			return handoff.Record{}, nil
		}
		return handoff.Record{}, handoff.ErrNotFound
	}
	s.cache[conversation] = s.id(last.ID)
	if old := s.orphans[s.id(last.ID)]; old != nil && s.is("Latest from a replica") {
		return old.Record, nil
	}
	return last.Record, nil
}

func (s *naive) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []handoff.Holding
	if s.is("Holders in the order of the keys' names") {
		keys = slices.Sorted(slices.Values(keys))
	}
	for _, key := range keys {
		list := s.holders(key)
		if s.is("Holders in no order") {
			slices.Reverse(list)
		}
		if s.is("Holders of nothing gives a blank") && len(list) == 0 {
			list = append(list, handoff.Holding{Key: key})
		}
		if s.is("Holders gives the first only") && len(list) > 1 {
			list = list[:1]
		}
		if s.is("Holders counts each as one unit") {
			for i := range list {
				list[i].Units = 1
			}
		}
		out = append(out, list...)
	}
	if s.is("Holders in the order of the ids") {
		slices.SortStableFunc(out, func(a, b handoff.Holding) int { return a.ID.Compare(b.ID) })
	}
	return out, nil
}

func (s *naive) holders(key string) []handoff.Holding {
	out := slices.Clone(s.held[key])
	for _, r := range s.all() {
		for _, k := range r.Keys {
			if s.name(k.Name) == s.name(key) && k.Units > 0 {
				out = append(out, handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
			}
		}
	}
	return out
}

func (s *naive) Lines(ctx context.Context, queue string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.is("one call at a time") {
		if s.busy {
			return nil, errNaive
		}
		s.busy = true
		s.yield("one call at a time")
		s.busy = false
	}
	var out []string
	for _, r := range s.all() {
		if s.name(r.Queue) != s.name(queue) && !s.is("Lines of all queues") {
			continue
		}
		if r.Line == "" && !s.is("Lines has the empty line") {
			continue
		}
		if s.is("Lines of those in state waiting") && r.State != handoff.StateWaiting && r.State != handoff.StateBot {
			continue
		}
		out = append(out, r.Line)
	}
	for line, of := range s.first {
		if s.is("Lines remembers") && of == queue {
			out = append(out, line)
		}
	}
	if s.is("Lines unsorted") {
		slices.SortFunc(out, func(a, b string) int { return strings.Compare(b, a) })
	} else {
		slices.Sort(out)
	}
	if s.is("Lines sorted without case") {
		slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	}
	if !s.is("Lines not distinct") {
		out = slices.Compact(out)
	}
	return out, nil
}

func (s *naive) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	if r == nil {
		r = s.orphans[s.id(id)]
	}
	if r == nil {
		if s.is("Log of nothing is an error") {
			return nil, handoff.ErrNotFound
		}
		return nil, nil
	}
	var out []handoff.RecordEntry
	for _, e := range r.log {
		if e.Seq > after || e.Seq == after && s.is("Log from the entry on") {
			out = append(out, e)
		}
	}
	if s.is("Log from the end") {
		return slices.Clone(out[max(0, len(out)-limit):]), nil
	}
	if s.is("Log of at most 1000") {
		limit = min(limit, 1000)
	}
	if !s.is("Log without limit") {
		out = out[:min(len(out), limit)]
	}
	out = slices.Clone(out)
	if s.is("Log newest first") {
		slices.Reverse(out)
	}
	return out, nil
}

func (s *naive) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	if err := s.ended(ctx, "Entry is not found when its context has ended"); err != nil {
		return handoff.RecordEntry{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	if r == nil {
		r = s.orphans[s.id(id)]
	}
	for _, other := range s.all() {
		if s.is("entries joined by a colon") {
			for _, e := range other.log {
				if joined(other.ID, e.ID) == joined(id, entry) {
					return e, nil
				}
			}
		}
		if r == nil && s.is("Entry of any number") && other.ID.Conversation == id.Conversation || r != other && s.is("Entry of any record") {
			for _, e := range other.log {
				if e.ID == entry {
					return e, nil
				}
			}
		}
	}
	if r != nil {
		for _, e := range r.log {
			if s.name(e.ID) == s.name(entry) && (!s.is("Entry of the newest 20") || e.Seq > r.Seq-20) {
				return e, nil
			}
		}
	}
	if s.is("Entry of nothing is no error") {
		return handoff.RecordEntry{}, nil
	}
	return handoff.RecordEntry{}, handoff.ErrNotFound
}
