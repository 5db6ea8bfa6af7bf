package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// Commit is handoff.Store's. When many callers commit at once, their commits
// travel together.
func (s *Store) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	const crowd = 16 // callers at once from which travelling together pays
	n := s.busy.Add(1)
	defer s.busy.Add(-1)
	var err error
	if s.group != nil && n > crowd {
		err = s.group.commit(ctx, handoff.Item{Record: r, Entries: entries})
	} else {
		err = s.commitOne(ctx, s.db, r, entries)
	}
	if err == nil {
		s.hints.add(r)
	}
	return err
}

func (s *Store) commitOne(ctx context.Context, db db, r handoff.Record, entries []handoff.RecordEntry) error {
	var answer, detail string
	if err := db.QueryRow(ctx, s.sql.commit, commitArgs(r, entries)...).Scan(&answer, &detail); err != nil {
		return wrap("commit", err)
	}
	return s.answer(ctx, db, answer, detail)
}

// answer turns handoff_commit's word into an error.
func (s *Store) answer(ctx context.Context, db db, answer, detail string) error {
	switch answer {
	case "ok":
		return nil
	case "conflict":
		return handoff.ErrConflict
	case "duplicate":
		return handoff.ErrDuplicate
	case "held":
		// Who holds it is a courtesy; that it is held is the answer.
		holders, err := s.holders(ctx, db, detail)
		if err != nil {
			holders = nil
		}
		return &handoff.HeldError{Key: detail, Holders: holders}
	}
	return fmt.Errorf("pgstore: commit: unknown answer %q", answer)
}

func commitArgs(r handoff.Record, entries []handoff.RecordEntry) []any {
	keys, units, most := make([]string, len(r.Keys)), make([]int64, len(r.Keys)), make([]int64, len(r.Keys))
	for i, k := range r.Keys {
		keys[i], units[i], most[i] = k.Name, int64(k.Units), int64(k.Max)
	}
	sinks, cursors, seqs := make([]string, len(r.Owed)), make([]string, len(r.Owed)), make([]int64, len(r.Owed))
	for i, o := range r.Owed {
		sinks[i], cursors[i], seqs[i] = o.Sink, o.Cursor, o.Seq
	}
	n := len(entries)
	ids, eseqs, ats, bodies := make([]string, n), make([]int64, n), make([]pgtype.Timestamptz, n), make([][]byte, n)
	for i, e := range entries {
		ids[i], eseqs[i], ats[i], bodies[i] = e.ID, e.Seq, stamp(e.At), bytes(e.Body)
	}
	return []any{
		r.ID.Conversation, r.ID.Number, r.Version, r.Seq,
		r.Queue, string(r.State), string(r.Outcome), r.Agent, r.User, texts(r.Tags),
		r.Line, int64(r.Priority), stamp(r.Since), stamp(r.Created), stamp(r.Updated), stamp(r.Wake),
		keys, units, most, sinks, cursors, seqs, bytes(r.Body),
		ids, eseqs, ats, bodies,
	}
}

// bytes never returns NULL.
func bytes(b handoff.Body) []byte {
	if raw := b.Bytes(); raw != nil {
		return raw
	}
	return []byte{}
}
