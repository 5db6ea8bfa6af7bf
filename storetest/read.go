package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

func readChecks() []check {
	return []check{
		{"Get", ruleGet, checkGet},
		{"Latest", ruleLatest, checkLatest},
		{"Lines", ruleLines, checkLines},
		{"Log", ruleLog, checkLog},
		{"Entry", ruleEntry, checkEntry},
	}
}

func checkGet(k *kit) {
	a := k.insert("c", 7, nil)
	b := k.insert("c", 70, nil)
	k.samef(k.get(a.ID), a, "Get")
	k.samef(k.get(b.ID), b, "Get")
	for _, id := range []handoff.ID{
		{Conversation: "c", Number: 1},
		{Conversation: "c", Number: 8},
		{Conversation: "c", Number: 0},
		{Conversation: "d", Number: 7},
		{Conversation: "C", Number: 7},
		{Conversation: "c ", Number: 7},
	} {
		_, err := k.store.Get(k.ctx, id)
		k.wantf(err, handoff.ErrNotFound, "Get of %q %d, which does not exist", id.Conversation, id.Number)
	}
}

func checkLatest(k *kit) {
	latest := func(conversation string, want handoff.Record) {
		k.Helper()
		got, err := k.store.Latest(k.ctx, conversation)
		k.okf(err, "Latest(%q)", conversation)
		k.samef(got, want, "Latest(%q)", conversation)
	}
	_, err := k.store.Latest(k.ctx, "c")
	k.wantf(err, handoff.ErrNotFound, "Latest of a conversation without records")
	k.insert("ca", 50, nil)
	var last handoff.Record
	for _, n := range []int64{1, 2, 9, 10, 11, 99, 100, 101} {
		// An older creation time does not make it older.
		last = k.insert("c", n, func(r *handoff.Record) { r.Created = k.now.Add(-time.Duration(n) * time.Hour) })
		latest("c", last)
	}
	k.insert("c", 20, nil) // between others
	latest("c", last)
	k.says(ruleFresh)
	for range 5 {
		last.State = handoff.StateEnded
		last = k.commit(last)
		latest("c", last)
	}
	older := k.get(handoff.ID{Conversation: "c", Number: 10})
	older.Updated = k.now.Add(time.Hour)
	k.commit(older)
	k.says(ruleLatest)
	latest("c", last)
	k.okf(k.store.Delete(k.ctx, last.ID, last.Version), "Delete")
	latest("c", k.get(handoff.ID{Conversation: "c", Number: 100}))
	_, err = k.store.Latest(k.ctx, "")
	k.wantf(err, handoff.ErrNotFound, "Latest of no name")
}

func checkLines(k *kit) {
	lines := func(queue string, want ...string) {
		k.Helper()
		if got := k.lines(queue); !slices.Equal(got, want) {
			k.fatalf("Lines(%q) gives %q, want %q", queue, got, want)
		}
	}
	lines("q")
	stand := func(queue, line string) func(*handoff.Record) {
		return func(r *handoff.Record) { r.Queue, r.Line = queue, line }
	}
	a := k.insert("a", 1, stand("q", "b"))
	b := k.insert("b", 1, stand("q", "a"))
	k.insert("c", 1, stand("q", "b"))
	k.insert("d", 1, stand("q", "B"))
	k.insert("e", 1, stand("q", "a\x1fb"))
	k.insert("f", 1, stand("q", "ä"))
	k.insert("g", 1, stand("other", "z"))
	k.insert("h", 1, stand("q", ""))
	lines("q", "B", "a", "a\x1fb", "b", "ä")
	lines("other", "z")
	lines("no queue")
	lines("Q")

	k.says(ruleStands)
	a.Line = ""
	a = k.commit(a)
	lines("q", "B", "a", "a\x1fb", "b", "ä") // c stands in b still
	b.Line = ""
	b = k.commit(b)
	lines("q", "B", "a\x1fb", "b", "ä")
	b.Line, b.Queue = "new", "other"
	b = k.commit(b)
	lines("other", "new", "z")
	lines("q", "B", "a\x1fb", "b", "ä")
	b.Line = "newer"
	b = k.commit(b)
	lines("other", "newer", "z")
	k.okf(k.store.Delete(k.ctx, b.ID, b.Version), "Delete")
	lines("other", "z")
	a.Line = "again" // an ended record may stand as well: the store does not judge
	a.State = handoff.StateEnded
	k.commit(a)
	lines("q", "B", "a\x1fb", "again", "b", "ä")
}

func checkLog(k *kit) {
	r := k.draft("c", 1)
	var want []handoff.RecordEntry
	other := k.insert("c", 2, nil)
	for size := 1; size <= 12; size++ { // commits of different sizes
		var list []string
		for i := range size {
			list = append(list, fmt.Sprintf("%d of %d", i, size))
		}
		before := r.Seq
		next := r
		want = append(want, entries(&next, list...)...)
		r = k.commit(r, list...)
		if r.Seq != before+int64(size) {
			k.fatalf("Seq is %d", r.Seq)
		}
	}
	k.sameLogf(k.log(r.ID), want, "Log of everything")
	n := int64(len(want))
	for _, after := range []int64{0, 1, 2, 3, 11, 12, 40, n - 2, n - 1, n, n + 1, n + 1000} {
		for _, limit := range []int{1, 2, 3, 7, 50, 1000} {
			from := min(after, n)
			to := min(from+int64(limit), n)
			got, err := k.store.Log(k.ctx, r.ID, after, limit)
			k.okf(err, "Log after %d, at most %d", after, limit)
			k.sameLogf(got, want[from:to], "Log after %d, at most %d, of %d", after, limit, n)
		}
	}
	// Page by page.
	var pages []handoff.RecordEntry
	for after := int64(0); ; {
		page, err := k.store.Log(k.ctx, r.ID, after, 5)
		k.okf(err, "Log")
		if len(page) == 0 {
			break
		}
		pages = append(pages, page...)
		if int64(len(pages)) > n {
			k.fatalf("reading page by page does not end")
		}
		after = page[len(page)-1].Seq
	}
	k.sameLogf(pages, want, "Log page by page")

	// A log longer than what a store may think is enough.
	many := make([]string, 1200)
	for i := range many {
		many[i] = fmt.Sprint("entry ", i)
	}
	long := k.draft("long", 1)
	next := long
	want = entries(&next, many...)
	long = k.commit(long, many...)
	k.sameLogf(k.log(long.ID), want, "Log of %d entries", len(want))
	k.sameLogf(k.log(other.ID), k.log(handoff.ID{Conversation: "c", Number: 2}), "Log of another record")
	if n := len(k.log(other.ID)); n != 1 {
		k.fatalf("the log of another record has %d entries, want 1", n)
	}
	if got := k.log(handoff.ID{Conversation: "c", Number: 3}); len(got) != 0 {
		k.fatalf("the log of a record that does not exist has %d entries", len(got))
	}
}

func checkEntry(k *kit) {
	r := k.draft("c", 1)
	next := r
	want := entries(&next, "a", "b", "c")
	r = k.commit(r, "a", "b", "c")
	for i := range 40 {
		next := r
		id := fmt.Sprint("m", i)
		want = append(want, entries(&next, id)...)
		r = k.commit(r, id)
	}
	k.insert("c", 2, nil)
	d := k.commit(k.draft("d", 1), "x")
	for _, e := range want {
		got, err := k.store.Entry(k.ctx, r.ID, e.ID)
		k.okf(err, "Entry %q", e.ID)
		k.sameLogf([]handoff.RecordEntry{got}, []handoff.RecordEntry{e}, "Entry %q", e.ID)
	}
	for _, c := range []struct {
		id    handoff.ID
		entry string
	}{
		{r.ID, "x"},
		{r.ID, "A"},
		{r.ID, ""},
		{r.ID, "m40"},
		{r.ID, "1"},
		{d.ID, "a"},
		{handoff.ID{Conversation: "c", Number: 2}, "a"},
		{handoff.ID{Conversation: "c", Number: 3}, "a"},
	} {
		_, err := k.store.Entry(k.ctx, c.id, c.entry)
		k.wantf(err, handoff.ErrNotFound, "Entry %q of %v", c.entry, c.id)
	}
}
