package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-2a427302/handoff"
)

// A transaction of a batch has at most so many commits, and takes at most so many
// locks. The server has one table for the locks of all its sessions: as it comes,
// with room for 6,400 at least and for some 12,000 as a rule. Who fills it makes
// others fail too. A hundred commits with four keys each are one transaction.
const (
	together  = 100
	mostLocks = 512
)

// CommitBatch is handoff.BatchCommitter's: a hundred commits are one transaction,
// one statement and one round trip. More of them, or such with many keys, are
// several transactions, one after the other: others may see, or a crash may leave,
// the first ones without the last. Each commit is all or nothing. In a
// transaction of the caller (see Tx) all of them are part of it, and all their
// locks are held until it ends: there a hundred is enough.
// All conversations are locked before all keys, each in one order, so that
// batches do not wait for each other in a circle.
func (s *Store) CommitBatch(ctx context.Context, items []handoff.Item) []error {
	errs := make([]error, 0, len(items))
	for len(errs) < len(items) {
		part := head(items[len(errs):])
		got, _ := s.commitBatch(ctx, part, "")
		for i := range part {
			if got[i] == nil {
				s.hints.add(part[i].Record)
			}
		}
		errs = append(errs, got...)
	}
	return errs
}

// head are the first of items, as many as one transaction has.
func head(items []handoff.Item) []handoff.Item {
	locks := 0
	for i := range items {
		locks += 1 + len(items[i].Record.Keys)
		if i == together || i > 0 && locks > mostLocks {
			return items[:i]
		}
	}
	return items
}

// commitBatch commits items together or, if that fails for a reason that lies
// in one of them, one by one. It is stuck, and has committed nothing, when
// somebody holds the lock of one of them for longer than patience, if that is set.
func (s *Store) commitBatch(ctx context.Context, items []handoff.Item, patience string) (errs []error, stuck bool) {
	errs = make([]error, len(items))
	good := make([]int, 0, len(items))
	for i := range items {
		if errs[i] = check(items[i].Record, items[i].Entries); errs[i] == nil {
			good = append(good, i)
		}
	}
	if len(good) == 0 {
		return errs, false
	}
	var answers [][2]string
	send := func(db db) (err error) {
		answers, err = s.sendBatch(ctx, db, items, good, patience)
		return err
	}
	var err error
	if tx, ok := s.db.(pgx.Tx); ok {
		err = apiece(ctx, tx, send) // or one by one would be too late
	} else {
		err = send(s.db)
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "55P03" { // lock_not_available
		return errs, true
	}
	for n, i := range good {
		switch {
		case err == nil:
			errs[i] = s.answer(ctx, answers[n][0], answers[n][1])
		case poisoned(err) && len(good) > 1:
			errs[i] = s.commitOne(ctx, items[i].Record, items[i].Entries)
		default:
			errs[i] = wrap("commit batch", tooLong(err, names(&items[i].Record, items[i].Entries)))
		}
	}
	return errs, false
}

// sendBatch sends the good ones of items as one implicit transaction.
func (s *Store) sendBatch(ctx context.Context, db db, items []handoff.Item, good []int, patience string) ([][2]string, error) {
	list := make([]handoff.Item, len(good))
	for n, i := range good {
		list[n] = items[i]
	}
	switch {
	case len(list) == 1:
		var a [2]string
		err := db.QueryRow(ctx, s.sql.commit, commitArgs(list[0].Record, list[0].Entries)...).Scan(&a[0], &a[1])
		return [][2]string{a}, err
	case apart(list):
		return s.sendSet(ctx, db, list, patience)
	}
	return s.sendEach(ctx, db, list)
}

// sendSet sends items as one statement, which judges and stores them together.
func (s *Store) sendSet(ctx context.Context, db db, items []handoff.Item, patience string) ([][2]string, error) {
	var words, details []string
	if err := db.QueryRow(ctx, s.sql.batch, batchArgs(items, patience)...).Scan(&words, &details); err != nil {
		return nil, err
	}
	if len(words) != len(items) || len(details) != len(items) {
		return nil, fmt.Errorf("%d answers to %d items", len(words), len(items))
	}
	answers := make([][2]string, len(items))
	for i := range items {
		answers[i] = [2]string{words[i], details[i]}
	}
	return answers, nil
}

// sendEach sends a statement for each of the items, in their order. It is for
// items that have to do with each other in a way that no set has.
func (s *Store) sendEach(ctx context.Context, db db, items []handoff.Item) ([][2]string, error) {
	conversations, keys := lockNames(items)
	var b pgx.Batch
	b.Queue(s.sql.lock, conversations, keys)
	for i := range items {
		b.Queue(s.sql.commit, commitArgs(items[i].Record, items[i].Entries)...)
	}
	answers := make([][2]string, len(items))
	res := db.SendBatch(ctx, &b)
	_, err := res.Exec()
	for n := range items {
		if err == nil {
			err = res.QueryRow().Scan(&answers[n][0], &answers[n][1])
		}
	}
	return answers, errors.Join(err, res.Close())
}

// sorted returns each name once, in the order of handoff_lock; never NULL.
func sorted(list []string) []string {
	slices.Sort(list)
	return texts(slices.Compact(list))
}

// poisoned reports whether the server refused a batch because of what is in
// it. Then nothing was stored. After any other error something may have been,
// and to try again would answer "conflict" to who has won.
func poisoned(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Severity != "ERROR" && pe.SeverityUnlocalized != "ERROR" || len(pe.Code) != 5 {
		return false
	}
	switch pe.Code[:2] {
	case "22", "23", "54": // data, constraints, limits
		return true
	}
	return false
}
