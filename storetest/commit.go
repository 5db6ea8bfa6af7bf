package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

func commitChecks() []check {
	return []check{
		{"Commit/insert", ruleInsert, checkInsert},
		{"Commit/version", ruleCommit, checkVersion},
		{"Commit/conflict", ruleConflict, checkConflict},
		{"Commit/existing", ruleConflict, checkExisting},
		{"Commit/duplicate", ruleDuplicate, checkDuplicate},
		{"Commit/order", ruleOrder, checkFailureOrder},
		{"Commit/gap", ruleEntries, checkGap},
		{"Commit/fields", ruleKeeps, checkFields},
		{"Commit/times", ruleTimes, checkTimes},
		{"Commit/states", ruleKnowsNothing, checkForeignStates},
		{"Commit/bodies", ruleBody, checkBodies},
		{"Commit/retry", ruleUnknown, checkRetry},
	}
}

func checkInsert(k *kit) {
	r := k.draft("c", 1)
	list := entries(&r, "a", "b")
	k.okf(k.store.Commit(k.ctx, r, list...), "Commit of a new record")
	r.Version = 1
	k.samef(k.get(r.ID), r, "Get after the insert")
	k.says(ruleNumbered)
	k.sameLogf(k.log(r.ID), list, "Log after the insert")

	// A record that is not there cannot be at version 1.
	k.says(ruleConflict)
	missing := k.draft("c", 2)
	missing.Version = 1
	k.wantf(k.try(missing, "a"), handoff.ErrConflict, "Commit of version 2 of a record that does not exist")
	_, err := k.store.Get(k.ctx, missing.ID)
	k.wantf(err, handoff.ErrNotFound, "Get of a record whose Commit failed")
}

func checkVersion(k *kit) {
	r := k.insert("c", 1, nil)
	other := k.insert("c", 2, nil)
	for range 5 {
		r.Updated = r.Updated.Add(time.Second)
		r.Body = body(fmt.Sprint("version ", r.Version+1))
		r = k.commit(r)
		k.samef(k.get(r.ID), r, "Get after Commit")
	}
	k.samef(k.get(other.ID), other, "Get of another record of the conversation")
	k.says(ruleNumbered)
	got := k.log(r.ID)
	if len(got) != 6 {
		k.fatalf("the log has %d entries after 6 commits of one entry each", len(got))
	}
	for i := range got {
		if got[i].Seq != int64(i)+1 {
			k.fatalf("entry %d of the log has the number %d", i+1, got[i].Seq)
		}
	}
}

func checkConflict(k *kit) {
	r := k.insert("c", 1, nil)
	r = k.commit(r)
	r = k.commit(r) // version 3
	for _, version := range []int64{1, 2, 4, 100, -1} {
		stale := r
		stale.Version = version
		stale.Body = body("lost update")
		k.wantf(k.try(stale, "new entry"), handoff.ErrConflict, "Commit with version %d over version 3", version)
	}
	k.samef(k.get(r.ID), r, "Get after commits that failed")
	if n := len(k.log(r.ID)); n != 3 {
		k.fatalf("the log has %d entries after 3 commits and some that failed", n)
	}
}

func checkExisting(k *kit) {
	r := k.insert("c", 1, nil)
	again := k.draft("c", 1)
	again.Body = body("second insert")
	k.wantf(k.try(again, "other entry"), handoff.ErrConflict, "insert of a record that exists")
	k.samef(k.get(r.ID), r, "Get after the second insert")
	r = k.commit(r)
	k.wantf(k.try(again, "other entry"), handoff.ErrConflict, "insert of a record that exists in version 2")
	k.samef(k.get(r.ID), r, "Get after the third insert")
	k.says(ruleNamed)
	k.insert("c", 2, nil)
	k.insert("d", 1, nil)
	k.samef(k.get(r.ID), r, "Get after inserts of other records")
}

func checkDuplicate(k *kit) {
	r := k.commit(k.draft("c", 1), "a", "b")
	r = k.commit(r, "c")
	for _, list := range [][]string{{"a"}, {"b"}, {"c"}, {"new", "a"}, {"b", "new"}, {"x", "y", "c", "z"}} {
		k.wantf(k.try(r, list...), handoff.ErrDuplicate, "Commit of entries %q to a log with a, b and c", list)
	}
	k.samef(k.get(r.ID), r, "Get after commits that failed")
	if n := len(k.log(r.ID)); n != 3 {
		k.fatalf("the log has %d entries, want 3", n)
	}
	_, err := k.store.Entry(k.ctx, r.ID, "new")
	k.wantf(err, handoff.ErrNotFound, "Entry of an id that came with a duplicate")

	k.says(ruleUniqueID)
	if err := k.try(r, "twin", "twin"); err == nil {
		k.fatalf("Commit of two entries with one id succeeded")
	}
	if n := len(k.log(r.ID)); n != 3 {
		k.fatalf("the log has %d entries after a commit that failed, want 3", n)
	}
	// The same ids are free in other logs, and new ones here.
	k.insert("c", 2, nil)
	k.commit(k.draft("d", 1), "a", "b", "c")
	r = k.commit(r, "new")

	// A long log is searched to its beginning.
	k.says(ruleDuplicate)
	for i := range 120 {
		r = k.commit(r, fmt.Sprint("m", i))
	}
	for _, id := range []string{"a", "new", "m0", "m60", "m119"} {
		k.wantf(k.try(r, id), handoff.ErrDuplicate, "Commit of entry %q to a log of %d that has it", id, r.Seq)
	}
}

// checkFailureOrder makes commits that deserve several errors.
func checkFailureOrder(k *kit) {
	k.insert("holder", 1, func(r *handoff.Record) { r.Keys = []handoff.Key{{Name: "seat", Max: 1, Units: 1}} })
	r := k.commit(k.insert("c", 1, nil), "taken")
	seat := []handoff.Key{{Name: "seat", Max: 1, Units: 1}}

	stale := r
	stale.Version--
	stale.Seq--
	stale.Keys = seat
	k.wantf(k.try(stale, "taken"), handoff.ErrConflict, "an old version that wants a held key and has a known entry")
	k.wantf(k.try(stale, "new"), handoff.ErrConflict, "an old version that wants a held key")
	stale.Keys = nil
	k.wantf(k.try(stale, "taken"), handoff.ErrConflict, "an old version with a known entry")
	again := k.draft("c", 1)
	again.Keys = seat
	k.wantf(k.try(again, "taken"), handoff.ErrConflict, "an insert of an existing record that wants a held key")

	both := r
	both.Keys = seat
	err := k.try(both, "taken")
	if errors.Is(err, handoff.ErrDuplicate) {
		k.fatalf("a current version that wants a held key and has a known entry: got error %q, want a *HeldError", err)
	}
	k.heldf(err, "seat", "a current version that wants a held key and has a known entry")
	k.heldf(k.try(both, "new"), "seat", "a current version that wants a held key")
	both.Keys = nil
	k.wantf(k.try(both, "taken"), handoff.ErrDuplicate, "a current version with a known entry")
	k.commit(both, "new")
}

// checkGap commits entries that would leave a log with a hole. What the store
// says is up to it, but it must not be yes.
func checkGap(k *kit) {
	r := k.commit(k.draft("c", 1), "a", "b")
	bad := []struct {
		what string
		seq  int64
		list []int64
	}{
		{"no entry", 2, nil},
		{"no entry, but a higher Seq", 3, nil},
		{"an entry that skips a number", 4, []int64{4}},
		{"an entry with the number of another one", 2, []int64{2}},
		{"entries with a hole between them", 5, []int64{3, 5}},
		{"entries in the wrong order", 4, []int64{4, 3}},
		{"entries that end below Seq", 4, []int64{3}},
		{"entries that end above Seq", 3, []int64{3, 4}},
	}
	for _, b := range bad {
		next := r
		next.Seq = b.seq
		next.Body = body(b.what)
		list := make([]handoff.RecordEntry, len(b.list))
		for i, seq := range b.list {
			list[i] = handoff.RecordEntry{ID: fmt.Sprint("bad ", i), Seq: seq, At: k.now, Body: body("bad")}
		}
		if err := k.store.Commit(k.ctx, next, list...); err == nil {
			k.fatalf("Commit with %s succeeded", b.what)
		}
		k.samef(k.get(r.ID), r, "Get after a commit with %s", b.what)
		if n := len(k.log(r.ID)); n != 2 {
			k.fatalf("the log has %d entries after a commit with %s, want 2", n, b.what)
		}
	}
	first := k.draft("d", 1)
	first.Seq = 2
	if err := k.store.Commit(k.ctx, first, handoff.RecordEntry{ID: "a", Seq: 2, At: k.now, Body: body("a")}); err == nil {
		k.fatalf("insert of a log that begins at 2 succeeded")
	}
	k.commit(r, "c")
}

// checkRetry plays what the engine does when an answer was lost.
func checkRetry(k *kit) {
	key := []handoff.Key{{Name: "conversation", Max: 1, Units: 1}}
	first := k.draft("c", 1)
	first.Keys = key
	list := entries(&first, "request")
	k.okf(k.store.Commit(k.ctx, first, list...), "Commit")

	// The same again: the version comes first, though the key is held and the
	// entry known. So the retry is told to look, and finds its entry.
	k.wantf(k.store.Commit(k.ctx, first, list...), handoff.ErrConflict, "the same insert again")
	got, err := k.store.Entry(k.ctx, first.ID, "request")
	k.okf(err, "Entry of the first attempt")
	k.sameLogf([]handoff.RecordEntry{got}, list, "Entry of the first attempt")

	r := k.get(first.ID)
	next := r
	next.State = handoff.StateEnded
	more := entries(&next, "end")
	k.okf(k.store.Commit(k.ctx, next, more...), "Commit")
	k.wantf(k.store.Commit(k.ctx, next, more...), handoff.ErrConflict, "the same commit again")

	// Decided again from a fresh read, it is known by its entry.
	fresh := k.get(first.ID)
	k.says(ruleDuplicate)
	k.wantf(k.try(fresh, "end"), handoff.ErrDuplicate, "the same entry on a fresh version")

	// An attempt that arrives late finds another version.
	k.says(ruleConflict)
	fresh = k.commit(fresh, "note")
	k.wantf(k.store.Commit(k.ctx, next, more...), handoff.ErrConflict, "an attempt that arrives late")
	k.samef(k.get(first.ID), fresh, "Get after it")

	k.says(ruleAnswers)
	if _, err := k.store.Get(k.ctx, handoff.ID{Conversation: strings.Repeat("x", 20), Number: 1}); !errors.Is(err, handoff.ErrNotFound) {
		k.fatalf("Get of a record that does not exist: got error %q", fmt.Sprint(err))
	}
}
