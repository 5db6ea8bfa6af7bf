package check

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

// A Reader reads snapshots of a store that works. Its engine need not run.
type Reader struct {
	Store  handoff.Store
	Engine *handoff.Engine
	Agents []string // whose seats are looked at
	read   map[handoff.ID]int64
}

// Read reads these conversations; with none, all of them.
func (r *Reader) Read(ctx context.Context, now time.Time, conversations ...string) (*Snapshot, error) {
	if r.read == nil {
		r.read = map[handoff.ID]int64{}
	}
	s := &Snapshot{Now: now, Whole: len(conversations) == 0, Seats: map[string]int{}}
	byName := map[string]int{}
	for _, name := range conversations {
		byName[name] = len(s.Chats)
		s.Chats = append(s.Chats, Chat{Conversation: name})
	}
	var records []handoff.Record
	for _, name := range append([]string{""}, conversations...) {
		if name == "" && !s.Whole {
			continue
		}
		list, err := r.Store.List(ctx, handoff.Query{Conversation: name})
		if err != nil {
			return nil, err
		}
		records = append(records, list...)
	}
	keys := map[string]bool{}
	for i := range records {
		rec := records[i]
		if strings.HasPrefix(rec.ID.Conversation, "erased:") || strings.HasPrefix(rec.ID.Conversation, "learned:") {
			continue // no handoffs, but what the engine keeps
		}
		h, err := r.Engine.Get(ctx, rec.ID)
		if err != nil {
			return nil, err
		}
		if s.Whole {
			for _, k := range rec.Keys {
				keys[k.Name] = true
			}
		}
		st := Stretch{Record: rec, Handoff: h}
		from := r.read[rec.ID]
		if h.Seq < from {
			from = 0 // another one of the same name
		}
		for from < h.Seq {
			page, err := r.Engine.Log(ctx, rec.ID, from, 500)
			if err != nil {
				return nil, err
			}
			if len(page) == 0 {
				break
			}
			st.Log = append(st.Log, page...)
			from = page[len(page)-1].Seq
		}
		r.read[rec.ID] = from
		at, ok := byName[rec.ID.Conversation]
		if !ok {
			at = len(s.Chats)
			byName[rec.ID.Conversation] = at
			s.Chats = append(s.Chats, Chat{Conversation: rec.ID.Conversation})
		}
		s.Chats[at].Handoffs = append(s.Chats[at].Handoffs, st)
	}
	for i := range s.Chats {
		slices.SortFunc(s.Chats[i].Handoffs, func(a, b Stretch) int { return a.Record.ID.Compare(b.Record.ID) })
	}
	return s, errors.Join(r.seats(ctx, s), r.whole(ctx, s, keys))
}

func (r *Reader) seats(ctx context.Context, s *Snapshot) error {
	for _, a := range r.Agents {
		list, err := r.Store.Holders(ctx, "seat/"+a)
		if err != nil {
			return err
		}
		n := 0
		for _, h := range list {
			n += h.Units
		}
		s.Seats[a] = n
	}
	return nil
}

func (r *Reader) whole(ctx context.Context, s *Snapshot, keys map[string]bool) error {
	if !s.Whole {
		return nil
	}
	names := make([]string, 0, len(keys))
	for k := range keys {
		names = append(names, k)
	}
	var err error
	if s.Holders, err = r.Store.Holders(ctx, names...); err != nil {
		return err
	}
	s.Lines = map[string][]Place{}
	list, err := r.Store.List(ctx, handoff.Query{Waiting: true})
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Queue != "" {
			s.Lines[list[i].Queue] = nil
		}
	}
	for queue := range s.Lines {
		list, err := r.Store.List(ctx, handoff.Query{Queue: queue, Waiting: true, ByRank: true})
		if err != nil {
			return err
		}
		for i := range list {
			p, err := r.Engine.Place(ctx, list[i].ID)
			if err != nil {
				return err
			}
			s.Lines[queue] = append(s.Lines[queue], Place{ID: list[i].ID, Position: p.Position})
		}
	}
	return nil
}

// Logs reads every log from its start.
func (r *Reader) Logs(ctx context.Context, f func(handoff.ID, []handoff.Entry)) error {
	list, err := r.Store.List(ctx, handoff.Query{})
	if err != nil {
		return err
	}
	for i := range list {
		log, err := r.Engine.Log(ctx, list[i].ID, 0, 1<<20)
		if err != nil {
			return err
		}
		f(list[i].ID, log)
	}
	return nil
}
