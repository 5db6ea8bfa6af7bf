package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/seed-2a427302/handoff"
)

// Mistakes of the caller. They leave the store as it was.
var (
	errNoEntry = errors.New("redisstore: a commit needs at least one entry")
	errGap     = errors.New("redisstore: the entries do not continue the log up to the record's Seq")
	errTwice   = errors.New("redisstore: a key occurs twice in one record")
)

// Commit is handoff.Store's: one script.
func (s *Store) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	if err := check(&r, entries); err != nil {
		return err
	}
	args := make([]any, 0, 24+4*len(entries)+3*len(r.Keys)+3*len(r.Owed))
	v, err := s.run(ctx, commitScript, item(args, &r, entries)...)
	if err != nil {
		return wrap(ctx, "commit", err)
	}
	answers := list(v)
	if len(answers) != 1 {
		return fmt.Errorf("redisstore: commit: %d answers", len(answers))
	}
	if err := answer(answers[0]); err != nil {
		return err
	}
	s.hints.add(&r)
	return nil
}

// together is how many commits travel in one script: the server does nothing
// else meanwhile.
const together = 100

// CommitBatch is handoff.BatchCommitter's: a script for each hundred.
func (s *Store) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := make([]error, len(items))
	good := make([]int, 0, len(items))
	for i := range items {
		if errs[i] = check(&items[i].Record, items[i].Entries); errs[i] == nil {
			good = append(good, i)
		}
	}
	for part := range slices.Chunk(good, together) {
		var args []any
		for _, i := range part {
			args = item(args, &items[i].Record, items[i].Entries)
		}
		v, err := s.run(ctx, commitScript, args...)
		answers := list(v)
		for n, i := range part {
			switch {
			case err != nil:
				errs[i] = wrap(ctx, "commit batch", err)
			case n >= len(answers):
				errs[i] = fmt.Errorf("redisstore: commit batch: %d answers to %d", len(answers), len(part))
			default:
				errs[i] = answer(answers[n])
			}
			if errs[i] == nil {
				s.hints.add(&items[i].Record)
			}
		}
	}
	return errs
}

// most is the largest number of units and the highest maximum: the server
// counts in floating point, which is exact up to here.
const most = 1 << 50

// check finds what no stored record could make right.
func check(r *handoff.Record, entries []handoff.RecordEntry) error {
	if len(entries) == 0 {
		return errNoEntry
	}
	for i := range entries {
		if entries[i].Seq != r.Seq-int64(len(entries)-1-i) {
			return errGap
		}
	}
	for i := range r.Keys {
		if r.Keys[i].Units > most {
			return &handoff.InvalidError{Field: "units", Why: "is too high"}
		}
		for j := range i {
			if r.Keys[i].Name == r.Keys[j].Name {
				return errTwice
			}
		}
	}
	return names(r, entries)
}

// item appends a commit as the script expects it.
func item(args []any, r *handoff.Record, entries []handoff.RecordEntry) []any {
	args = append(args, r.ID.Conversation, number19(r.ID.Number), strconv.FormatInt(r.Version, 10), strconv.FormatInt(r.Seq-int64(len(entries)), 10),
		strconv.Itoa(len(entries)), strconv.Itoa(len(r.Keys)), strconv.Itoa(len(r.Owed)))
	args = fields(args, r)
	for i := range entries {
		seq := strconv.FormatInt(entries[i].Seq, 10)
		args = append(args, "e"+seq, packEntry(&entries[i]), "i"+entries[i].ID, seq)
	}
	for _, k := range r.Keys {
		args = append(args, k.Name, strconv.Itoa(k.Units), strconv.Itoa(min(k.Max, most)))
	}
	for _, o := range r.Owed {
		args = append(args, "@"+o.Cursor, o.Sink, strconv.FormatInt(o.Seq, 10))
	}
	return args
}

// answer turns the script's word into an error.
func answer(v any) error {
	if n, ok := v.(int64); ok && n == 0 {
		return nil
	}
	words := list(v)
	if len(words) == 0 {
		return fmt.Errorf("redisstore: commit: answer of type %T", v)
	}
	switch word := text(words[0]); word {
	case "conflict":
		return handoff.ErrConflict
	case "duplicate":
		return handoff.ErrDuplicate
	case "gap":
		return errGap
	case "held":
		if len(words) == 3 {
			key := text(words[1])
			holders := holdings(key, list(words[2]))
			return &handoff.HeldError{Key: key, Holders: holders[:min(len(holders), maxHolders)]}
		}
		fallthrough
	default:
		return fmt.Errorf("redisstore: commit: unknown answer %q", word)
	}
}

// maxHolders is how many holders a HeldError names.
const maxHolders = 16

// holdings decodes the hash of a key.
func holdings(key string, flat []any) []handoff.Holding {
	out := make([]handoff.Holding, 0, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		out = append(out, handoff.Holding{Key: key, ID: idOf(text(flat[i])), Units: int(number(flat[i+1]))})
	}
	slices.SortFunc(out, func(a, b handoff.Holding) int { return a.ID.Compare(b.ID) })
	return out
}
