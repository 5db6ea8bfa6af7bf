package storetest

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/seed-2a427302/handoff"
)

// needle is a word that every kind of search finds where it stands alone.
const needle = "zyzzyva"

// say commits an entry in which text was said.
func (k *kit) say(r handoff.Record, text string) handoff.Record {
	k.Helper()
	r.Seq++
	e := handoff.Entry{
		ID: "said " + strconv.FormatInt(r.Seq, 10), Handoff: r.ID, Seq: r.Seq, At: k.now, Kind: handoff.KindMessage,
		From: handoff.Party{Role: handoff.RoleUser}, Text: text,
	}
	b, err := json.Marshal(e)
	k.okf(err, "Marshal")
	k.okf(k.store.Commit(k.ctx, r, handoff.RecordEntry{ID: e.ID, Seq: e.Seq, At: e.At, Body: handoff.BodyOf(b)}), "Commit of version %d of %v", r.Version+1, r.ID)
	r.Version++
	return r
}

// haystack says in every second record of a world what the others do not.
func (k *kit) haystack(n int) (with []handoff.Record) {
	k.Helper()
	all := k.world(n)
	for i := range all {
		text := "hay and more hay"
		if i%2 == 0 {
			text = "a " + needle + " in it"
		}
		all[i] = k.say(all[i], text)
		if i%2 == 0 {
			with = append(with, all[i])
		}
	}
	return with
}

func checkSearch(k *kit) {
	s := needs[handoff.Searcher](k)
	with := k.haystack(60)
	filters := append(k.filters(), handoff.Query{}, handoff.Query{ByRank: true, Waiting: true})
	for i, q := range filters {
		switch i % 3 {
		case 1:
			q.Limit = 2
		case 2:
			q.After = with[len(with)/3].Cursor(q)
		}
		got, err := s.Search(k.ctx, q, needle)
		k.okf(err, "Search(%s)", show(q))
		want := sorted(with, q)
		same := func(a, b handoff.Record) bool { return a.ID == b.ID && a.Version == b.Version }
		if !slices.EqualFunc(got, want, same) {
			k.fatalf("Search(%s) finds %v, want %v", show(q), ids(got), ids(want))
		}
	}
}

func checkSearchErased(k *kit) {
	s := needs[handoff.Searcher](k)
	r := k.say(k.insert("c", 1, nil), needle)
	other := k.say(k.insert("d", 1, nil), needle)
	gone := k.say(k.insert("e", 1, nil), needle)
	k.okf(k.store.Erase(k.ctx, "c", k.tomb(r, "hash of c")), "Erase")
	k.okf(k.store.Delete(k.ctx, gone.ID, gone.Version), "Delete")
	got, err := s.Search(k.ctx, handoff.Query{}, needle)
	k.okf(err, "Search")
	if len(got) != 1 || got[0].ID != other.ID {
		k.fatalf("Search finds %v after the others were erased or deleted, want %v alone", ids(got), other.ID)
	}
}
