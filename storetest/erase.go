package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

func eraseChecks() []check {
	return []check{
		{"Erase/everything", ruleErase, checkErase},
		{"Erase/tombstone", ruleTomb, checkTombstone},
		{"Erase/conflict", ruleEraseConflict, checkEraseConflict},
		{"Delete/everything", ruleDelete, checkDelete},
		{"Delete/conflict", ruleDelete, checkDeleteConflict},
		{"Delete/nothing", ruleDeleteNothing, checkDeleteNothing},
	}
}

// secret inserts a record with content in every place that a store can find
// something by.
func (k *kit) secret(conversation string, number int64) handoff.Record {
	k.Helper()
	r := k.draft(conversation, number)
	name := fmt.Sprintf("secret %s %d", conversation, number)
	r.Queue, r.Line, r.Agent, r.User, r.Tags = name, name, name, name, []string{name}
	r.State, r.Outcome = handoff.State(name), handoff.Outcome(name)
	r.Wake, r.Updated = k.now.Add(-far), k.now.Add(-far)
	r.Keys = []handoff.Key{{Name: name, Max: 1, Units: 1}, {Name: "shared", Max: 100, Units: 2}}
	r.Owed = []handoff.Owed{{Sink: "s", Cursor: "x", Seq: 2}, {Sink: name, Cursor: name, Seq: 2}}
	r = k.commit(r, name, "second")
	k.ack(handoff.Ack{ID: r.ID, Cursor: "x", Seq: 1})
	k.lead(r.ID, name, k.now, 24*far)
	k.lead(r.ID, name+"2", k.now, 24*far)
	return r
}

// gone ends the check if anything of a record can be seen.
func (k *kit) gone(r handoff.Record) {
	k.Helper()
	name := r.User
	_, err := k.store.Get(k.ctx, r.ID)
	k.wantf(err, handoff.ErrNotFound, "Get(%v)", r.ID)
	if n := len(k.log(r.ID)); n != 0 {
		k.fatalf("the log of %v still has %d entries", r.ID, n)
	}
	for _, id := range []string{name, "second"} {
		_, err = k.store.Entry(k.ctx, r.ID, id)
		k.wantf(err, handoff.ErrNotFound, "Entry %q of %v", id, r.ID)
	}
	if got := k.holders(name); len(got) != 0 {
		k.fatalf("Holders of a key of %v: %+v", r.ID, got)
	}
	if got := k.lines(r.Queue); len(got) != 0 {
		k.fatalf("Lines of the queue of %v: %q", r.ID, got)
	}
	for _, q := range []handoff.Query{
		{},
		{ByRank: true},
		{Conversation: r.ID.Conversation},
		{Queue: name},
		{Queue: name, Waiting: true, ByRank: true},
		{Waiting: true},
		{Agent: name},
		{User: name},
		{Tag: name},
		{States: []handoff.State{r.State}},
		{Outcomes: []handoff.Outcome{r.Outcome}},
		{Lines: []string{name}},
	} {
		if slices.Contains(ids(k.list(q)), r.ID) {
			k.fatalf("List(%s) still has %v", show(q), r.ID)
		}
	}
	if c, ok := ability[handoff.Counter](k.store); ok {
		n, err := c.Count(k.ctx, handoff.Query{User: name})
		k.okf(err, "Count")
		if n != 0 {
			k.fatalf("Count of the user of %v gives %d", r.ID, n)
		}
	}
}

// anew ends the check unless a record that was removed can be inserted again,
// with nothing of the old one.
func (k *kit) anew(r handoff.Record) {
	k.Helper()
	name := r.User
	again := k.draft(r.ID.Conversation, r.ID.Number)
	again.Keys = r.Keys[:1]
	again = k.commit(again, name) // the entry id and the key are free
	k.samef(k.get(again.ID), again, "Get of a record that was inserted again")
	for _, cursor := range []string{"x", name, name + "2"} {
		if l := k.lead(r.ID, cursor, k.now, minute); l.Seq != 0 || l.Tries != 1 {
			k.fatalf("Lead of cursor %q of a record that was inserted again gives %+v, want Seq 0 and Tries 1", cursor, l)
		}
	}
}

func (k *kit) tomb(of handoff.Record, conversation string) handoff.Record {
	t := k.draft(conversation, of.ID.Number)
	t.Version, t.Seq = of.Version, of.Seq
	t.State, t.Body = handoff.StateEnded, body("tombstone")
	return t
}

func checkErase(k *kit) {
	a := []handoff.Record{k.secret("c", 1), k.secret("c", 2), k.secret("c", 10)}
	a[2] = k.commit(a[2])
	a[0] = k.commit(a[0])
	near := []handoff.Record{k.secret("c1", 1), k.secret("C", 2), k.secret("d", 10)}
	tomb := k.tomb(a[2], "hash of c")
	k.okf(k.store.Erase(k.ctx, "c", tomb), "Erase")
	for _, r := range a {
		k.gone(r)
	}
	_, err := k.store.Latest(k.ctx, "c")
	k.wantf(err, handoff.ErrNotFound, "Latest of an erased conversation")
	want := make([]handoff.Holding, 0, len(near))
	for _, r := range near {
		k.samef(k.get(r.ID), r, "Get of a record of another conversation")
		if n := len(k.log(r.ID)); n != 2 {
			k.fatalf("the log of %v has %d entries after Erase of another conversation", r.ID, n)
		}
		want = append(want, handoff.Holding{Key: "shared", ID: r.ID, Units: 2})
	}
	slices.SortFunc(want, func(a, b handoff.Holding) int { return a.ID.Compare(b.ID) })
	if got := k.holders("shared"); !slices.Equal(got, want) {
		k.fatalf("Holders of a key that was shared: %+v, want %+v", got, want)
	}
	got := k.claim(far, time.Minute, "s", a[0].User, a[1].User, a[2].User)
	for _, r := range a {
		if slices.Contains(ids(got.Due), r.ID) || slices.Contains(deliveryIDs(got.Overdue), r.ID) {
			k.fatalf("Claim still gives %v", r.ID)
		}
	}
	if len(got.Due) != len(near) {
		k.fatalf("Claim gives %d records, want the %d that were not erased", len(got.Due), len(near))
	}
	for _, r := range near {
		if got := k.position(r.ID, "x", k.now); got != 1 {
			k.fatalf("cursor of %v stands at %d after Erase of another conversation, want 1", r.ID, got)
		}
	}
	for _, r := range a {
		k.anew(r)
	}
}

func checkTombstone(k *kit) {
	// There is one already, with content of its own, and a neighbour.
	old := k.secret("hash", 2)
	neighbour := k.secret("hash", 1)
	r := k.secret("c", 2)
	for range 3 {
		r = k.commit(r)
	}
	tomb := k.tomb(r, "hash")
	tomb.User, tomb.Tags, tomb.Outcome = "nobody", []string{"erased"}, handoff.OutcomeReturned
	tomb.Wake = k.now.Add(-far)
	k.okf(k.store.Erase(k.ctx, "c", tomb), "Erase")
	k.gone(r)
	got := k.get(tomb.ID)
	tomb.Version = got.Version // the contract does not say which one it gets
	if got.Version < 1 {
		k.fatalf("the tombstone has version %d", got.Version)
	}
	k.samef(got, tomb, "Get of the tombstone")
	latest, err := k.store.Latest(k.ctx, "hash")
	k.okf(err, "Latest of the tombstone's conversation")
	k.samef(latest, tomb, "Latest of the tombstone's conversation")
	if n := len(k.log(tomb.ID)); n != 0 {
		k.fatalf("the log of the tombstone has %d entries, those of the one that it replaced", n)
	}
	for _, q := range []handoff.Query{{User: old.User}, {Queue: old.Queue}, {Agent: old.Agent}, {Tag: old.User}, {States: []handoff.State{old.State}}} {
		k.sameIDsf(k.list(q), nil, "List(%s) of the tombstone that was replaced", show(q))
	}
	if got := k.holders(old.User); len(got) != 0 {
		k.fatalf("Holders of a key of the tombstone that was replaced: %+v", got)
	}
	if l := k.lead(tomb.ID, "x", k.now, minute); l.Seq != 0 {
		k.fatalf("a cursor of the tombstone that was replaced stands at %d", l.Seq)
	}
	k.samef(k.get(neighbour.ID), neighbour, "Get of the tombstone's neighbour")
	for _, q := range []handoff.Query{{User: "nobody"}, {Tag: "erased"}, {Conversation: "hash", States: []handoff.State{handoff.StateEnded}}} {
		k.sameIDsf(k.list(q), []handoff.ID{tomb.ID}, "List(%s)", show(q))
	}
	if due := k.claim(far, 0).Due; !slices.Contains(ids(due), tomb.ID) {
		k.fatalf("Claim gives %q, but not the tombstone, whose Wake has come", ids(due))
	}
	// It is a record like others.
	k.says(ruleCommit)
	tomb = k.commit(tomb, "note")
	k.samef(k.get(tomb.ID), tomb, "Get of the tombstone after a commit")
	k.says(ruleDelete)
	k.okf(k.store.Delete(k.ctx, tomb.ID, tomb.Version), "Delete of the tombstone")
}

func checkEraseConflict(k *kit) {
	first, last := k.secret("c", 1), k.secret("c", 2)
	last = k.commit(last)
	old := k.secret("hash", 2)
	watch := func() []string { return k.view("c", "hash") }
	before := watch()
	refused := func(tomb handoff.Record, what string) {
		k.Helper()
		k.wantf(k.store.Erase(k.ctx, "c", tomb), handoff.ErrConflict, "Erase with %s", what)
		if diff := difference(watch(), before); diff != "" {
			k.fatalf("Erase with %s changed something: %s", what, diff)
		}
	}
	for _, v := range []int64{0, 1, last.Version + 1} {
		tomb := k.tomb(last, "hash")
		tomb.Version = v
		refused(tomb, fmt.Sprintf("version %d, though the latest record has %d", v, last.Version))
	}
	refused(k.tomb(first, "hash"), "the number and version of a record that is not the latest")
	third := k.tomb(last, "hash")
	third.ID.Number = 3
	refused(third, "a number above the latest")
	k.says(ruleErase)
	k.wantf(k.store.Erase(k.ctx, "nobody", k.tomb(last, "hash")), handoff.ErrConflict, "Erase of a conversation without records")
	k.samef(k.get(old.ID), old, "Get of the tombstone that is there")
	if l := k.position(first.ID, "x", k.now); l != 1 {
		k.fatalf("a cursor stands at %d after an Erase that failed, want 1", l)
	}

	k.says(ruleEraseConflict)
	tomb := k.tomb(last, "hash")
	k.okf(k.store.Erase(k.ctx, "c", tomb), "Erase with the latest version")
	k.wantf(k.store.Erase(k.ctx, "c", tomb), handoff.ErrConflict, "the same Erase again")
}

func checkDelete(k *kit) {
	a, b, c := k.secret("c", 1), k.secret("c", 2), k.secret("d", 1)
	k.okf(k.store.Delete(k.ctx, b.ID, b.Version), "Delete")
	k.gone(b)
	for _, r := range []handoff.Record{a, c} {
		k.samef(k.get(r.ID), r, "Get of another record")
		if n := len(k.log(r.ID)); n != 2 {
			k.fatalf("the log of %v has %d entries after Delete of another record", r.ID, n)
		}
		if got := k.position(r.ID, "x", k.now); got != 1 {
			k.fatalf("cursor of %v stands at %d after Delete of another record, want 1", r.ID, got)
		}
		k.sameIDsf(k.list(handoff.Query{User: r.User}), []handoff.ID{r.ID}, "List of another record's user")
	}
	latest, err := k.store.Latest(k.ctx, "c")
	k.okf(err, "Latest")
	k.samef(latest, a, "Latest after the latest record was deleted")
	got := k.claim(far, time.Minute, "s", b.User)
	if slices.Contains(ids(got.Due), b.ID) || slices.Contains(deliveryIDs(got.Overdue), b.ID) {
		k.fatalf("Claim still gives %v", b.ID)
	}
	k.anew(b)
	k.okf(k.store.Delete(k.ctx, c.ID, c.Version), "Delete of the only record of a conversation")
	k.gone(c)
	k.anew(c)
	if n := len(k.holders("shared")); n != 1 {
		k.fatalf("a shared key has %d holders, want 1", n)
	}
}

func checkDeleteConflict(k *kit) {
	r := k.commit(k.secret("c", 1))
	before := k.view("c")
	for _, v := range []int64{0, 1, 3, -1} {
		k.wantf(k.store.Delete(k.ctx, r.ID, v), handoff.ErrConflict, "Delete of version %d, though it has %d", v, r.Version)
	}
	if diff := difference(k.view("c"), before); diff != "" {
		k.fatalf("a Delete that failed changed something: %s", diff)
	}
	if got := k.position(r.ID, "x", k.now); got != 1 {
		k.fatalf("a cursor stands at %d after a Delete that failed, want 1", got)
	}
	k.okf(k.store.Delete(k.ctx, r.ID, 2), "Delete")
	k.gone(r)
}

func checkDeleteNothing(k *kit) {
	r := k.insert("c", 1, nil)
	for _, id := range []handoff.ID{{Conversation: "c", Number: 2}, {Conversation: "d", Number: 1}} {
		for _, v := range []int64{0, 1, 7} {
			k.okf(k.store.Delete(k.ctx, id, v), "Delete of a record that does not exist")
		}
	}
	k.samef(k.get(r.ID), r, "Get of another record")
	k.okf(k.store.Delete(k.ctx, r.ID, 1), "Delete")
	k.okf(k.store.Delete(k.ctx, r.ID, 1), "the same Delete again")
}
