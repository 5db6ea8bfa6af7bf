package storetest

import (
	"fmt"
	"slices"

	"github.com/seed-2a427302/handoff"
)

func keyChecks() []check {
	return []check{
		{"Keys/exclusive", ruleExclusive, checkExclusive},
		{"Keys/maximum", ruleTaking, checkMaximum},
		{"Keys/more units", ruleTaking, checkMoreUnits},
		{"Keys/fewer units", ruleGiving, checkFewerUnits},
		{"Keys/unchanged", ruleGiving, checkUnchanged},
		{"Keys/absent", ruleGiving, checkAbsent},
		{"Keys/lowered", ruleTaking, checkLowered},
		{"Keys/by name", ruleCompared, checkByName},
		{"Keys/holders", ruleHolders, checkHolders},
	}
}

// keys makes keys of one maximum from names and units in turn.
func one(name string, limit, units int) []handoff.Key {
	return []handoff.Key{{Name: name, Max: limit, Units: units}}
}

// with returns a change that sets keys.
func with(keys ...handoff.Key) func(*handoff.Record) {
	return func(r *handoff.Record) { r.Keys = keys }
}

// sumOf returns how many units of a key are held.
func (k *kit) sumOf(key string) (n int) {
	for _, h := range k.holders(key) {
		n += h.Units
	}
	return n
}

func (k *kit) sumf(key string, want int, format string, args ...any) {
	k.Helper()
	if got := k.sumOf(key); got != want {
		k.fatalf("%s: %d units of key %q are held, want %d", fmt.Sprintf(format, args...), got, key, want)
	}
}

func checkExclusive(k *kit) {
	a := k.insert("a", 1, with(one("only", 1, 1)...))
	b := k.draft("b", 1)
	b.Keys = one("only", 1, 1)
	k.heldf(k.try(b, "e"), "only", "insert that wants a key of maximum 1 that is held")
	_, err := k.store.Get(k.ctx, b.ID)
	k.wantf(err, handoff.ErrNotFound, "Get of a record whose insert failed")
	b.Keys = nil
	b = k.commit(b, "e")
	b.Keys = one("only", 1, 1)
	k.heldf(k.try(b, "f"), "only", "update that wants a key of maximum 1 that is held")

	// A record of the same conversation is another holder.
	second := k.draft("a", 2)
	second.Keys = one("only", 1, 1)
	k.heldf(k.try(second, "e"), "only", "insert of another record of the holder's conversation")

	// Whoever holds it may keep it and give it away.
	a = k.commit(a)
	k.says(ruleGiving)
	a.Keys = nil
	k.commit(a)
	k.commit(b, "f")
	k.sumf("only", 1, "after it changed hands")
}

func checkMaximum(k *kit) {
	for i := range 3 {
		k.insert("c", int64(i)+1, with(one("seat", 3, 1)...))
	}
	r := k.draft("c", 4)
	r.Keys = one("seat", 3, 1)
	k.heldf(k.try(r, "e"), "seat", "a fourth unit of a key of maximum 3")
	k.sumf("seat", 3, "after that")

	// Units count, not holders.
	k.insert("v", 1, with(one("video", 3, 2)...))
	r = k.draft("v", 2)
	r.Keys = one("video", 3, 2)
	k.heldf(k.try(r, "e"), "video", "2 more units of a key of maximum 3 of which 2 are held")
	r.Keys = one("video", 3, 1)
	r = k.commit(r, "e")
	k.sumf("video", 3, "after 2 and 1")

	// A single record can ask for too much.
	big := k.draft("v", 3)
	big.Keys = one("big", 3, 4)
	k.heldf(k.try(big, "e"), "big", "4 units of a key of maximum 3 that nobody holds")
	big.Keys = one("big", 0, 1)
	k.heldf(k.try(big, "e"), "big", "1 unit of a key of maximum 0")
	big.Keys = one("big", 3, 3)
	k.commit(big, "e")

	// The second of two keys is checked like the first.
	r.Keys = []handoff.Key{{Name: "free", Max: 1, Units: 1}, {Name: "seat", Max: 3, Units: 1}, {Name: "video", Max: 3, Units: 1}}
	k.heldf(k.try(r, "f"), "seat", "a free key and a full one")
	r.Keys = []handoff.Key{{Name: "seat", Max: 3, Units: 1}, {Name: "free", Max: 1, Units: 1}}
	k.heldf(k.try(r, "f"), "seat", "a full key and a free one")
	k.sumf("free", 0, "after commits that failed for another key")
}

func checkMoreUnits(k *kit) {
	a := k.insert("a", 1, with(one("seat", 3, 1)...))
	b := k.insert("b", 1, with(one("seat", 3, 1)...))
	a.Keys = one("seat", 3, 3)
	k.heldf(k.try(a, "e"), "seat", "from 1 to 3 units while another record holds 1 of 3")
	k.sumf("seat", 2, "after that")
	a.Keys = one("seat", 3, 2)
	a = k.commit(a, "e") // only the difference is taken
	k.sumf("seat", 3, "from 1 to 2 units while another record holds 1 of 3")
	b.Keys = one("seat", 3, 2)
	k.heldf(k.try(b, "e"), "seat", "from 1 to 2 units while another record holds 2 of 3")
	a.Keys = one("seat", 3, 1)
	a = k.commit(a, "f")
	k.commit(b, "e")
	k.sumf("seat", 3, "after one gave a unit and the other took it")

	// A commit that changes nothing else is checked too.
	a.Keys = one("seat", 3, 2)
	k.heldf(k.try(a, "g"), "seat", "one unit more than there are")
}

func checkFewerUnits(k *kit) {
	a := k.insert("a", 1, with(one("seat", 5, 4)...))
	// The maximum is below what is held, and below what is left: no matter.
	a.Keys = one("seat", 2, 3)
	a = k.commit(a)
	k.sumf("seat", 3, "from 4 to 3 units with a maximum of 2")
	a.Keys = one("seat", 0, 1)
	a = k.commit(a)
	k.sumf("seat", 1, "from 3 to 1 units with a maximum of 0")
	k.says(ruleTaking)
	b := k.insert("b", 1, with(one("seat", 5, 4)...))
	k.sumf("seat", 5, "after what was given back was taken")
	k.says(ruleGiving)
	b.Keys = one("seat", 1, 2)
	k.commit(b)
	a.Keys = nil
	k.commit(a)
	k.sumf("seat", 2, "after all")
}

func checkUnchanged(k *kit) {
	a := k.insert("a", 1, with(one("seat", 3, 2)...))
	b := k.insert("b", 1, with(one("seat", 3, 1)...))
	for _, limit := range []int{3, 2, 1, 0, 9} {
		a.Keys = one("seat", limit, 2)
		a = k.commit(a)
		b.Keys = one("seat", limit, 1)
		b = k.commit(b)
		k.sumf("seat", 3, "after commits that kept their units with a maximum of %d", limit)
	}
	k.samef(k.get(a.ID), a, "Get")
}

func checkAbsent(k *kit) {
	a := k.insert("a", 1, with(
		handoff.Key{Name: "one", Max: 1, Units: 1},
		handoff.Key{Name: "two", Max: 1, Units: 1},
		handoff.Key{Name: "three", Max: 3, Units: 3},
	))
	a.Keys = one("two", 1, 1)
	a = k.commit(a)
	k.sumf("one", 0, "after a commit without it")
	k.sumf("two", 1, "after a commit with it")
	k.sumf("three", 0, "after a commit without it")
	b := k.insert("b", 1, with(handoff.Key{Name: "one", Max: 1, Units: 1}, handoff.Key{Name: "three", Max: 3, Units: 3}))

	// One key is given back and another one taken in the same commit, which
	// is how a chat moves from one agent to another.
	c := k.insert("c", 1, with(one("four", 1, 1)...))
	b.Keys = []handoff.Key{{Name: "five", Max: 1, Units: 1}}
	b = k.commit(b)
	c.Keys = []handoff.Key{{Name: "one", Max: 1, Units: 1}, {Name: "three", Max: 3, Units: 1}}
	c = k.commit(c)
	k.sumf("four", 0, "after it was exchanged")

	for _, r := range []handoff.Record{a, b, c} {
		r.Keys = nil
		k.commit(r)
	}
	for _, key := range []string{"one", "two", "three", "four", "five"} {
		k.sumf(key, 0, "after every record gave up every key")
	}
	// And can come back.
	k.insert("d", 1, with(handoff.Key{Name: "one", Max: 1, Units: 1}, handoff.Key{Name: "five", Max: 1, Units: 1}))
}

// checkLowered changes the maximum between commits: the one given counts.
func checkLowered(k *kit) {
	a := k.insert("a", 1, with(one("seat", 3, 1)...))
	b := k.insert("b", 1, with(one("seat", 3, 1)...))
	c := k.draft("c", 1)
	c.Keys = one("seat", 1, 1)
	k.heldf(k.try(c, "e"), "seat", "1 unit with a maximum of 1, lowered from 3, while 2 are held")
	c.Keys = one("seat", 2, 1)
	k.heldf(k.try(c, "e"), "seat", "1 unit with a maximum of 2, lowered from 3, while 2 are held")
	a.Keys = nil
	k.commit(a)
	k.commit(c, "e")
	k.sumf("seat", 2, "with a maximum of 2")
	b.Keys = one("seat", 1, 2)
	k.heldf(k.try(b, "e"), "seat", "a unit more with a maximum of 1 while 2 are held")
	b.Keys = one("seat", 7, 6)
	k.commit(b, "e")
	k.sumf("seat", 7, "with a maximum raised to 7")
}

func checkByName(k *kit) {
	keys := []handoff.Key{{Name: "x", Max: 1, Units: 1}, {Name: "y", Max: 2, Units: 2}, {Name: "z", Max: 1, Units: 1}}
	r := k.insert("a", 1, with(keys...))
	// The order of the keys says nothing.
	r.Keys = []handoff.Key{keys[2], keys[0], keys[1]}
	r = k.commit(r)
	k.samef(k.get(r.ID), r, "Get")
	r.Keys = []handoff.Key{{Name: "w", Max: 1, Units: 1}, keys[1]}
	r = k.commit(r)
	want := []handoff.Holding{{Key: "w", ID: r.ID, Units: 1}, {Key: "y", ID: r.ID, Units: 2}}
	if got := k.holders("w", "x", "y", "z"); !slices.Equal(got, want) {
		k.fatalf("Holders gives %+v, want %+v", got, want)
	}
	// Other names are other keys.
	k.insert("b", 1, with(handoff.Key{Name: "W", Max: 1, Units: 1}, handoff.Key{Name: "w ", Max: 1, Units: 1}, handoff.Key{Name: "yy", Max: 1, Units: 1}))
}

func checkHolders(k *kit) {
	k.says(ruleNobody)
	if got := k.holders("nobody"); len(got) != 0 {
		k.fatalf("Holders of a key that nobody holds: %+v", got)
	}
	if got := k.holders(); len(got) != 0 {
		k.fatalf("Holders of no keys: %+v", got)
	}
	k.says(ruleHolders)
	var want []handoff.Holding
	for _, id := range []handoff.ID{
		{Conversation: "b", Number: 10},
		{Conversation: "b", Number: 9},
		{Conversation: "a", Number: 2},
		{Conversation: "B", Number: 1},
		{Conversation: "aa", Number: 1},
	} {
		units := int(id.Number)
		k.insert(id.Conversation, id.Number, with(handoff.Key{Name: "m", Max: 99, Units: units}, handoff.Key{Name: "of " + id.String(), Max: 1, Units: 1}))
		want = append(want, handoff.Holding{Key: "m", ID: id, Units: units})
	}
	k.insert("z", 1, with(one("l", 1, 1)...))
	slices.SortFunc(want, func(a, b handoff.Holding) int { return a.ID.Compare(b.ID) })
	last := handoff.Holding{Key: "l", ID: handoff.ID{Conversation: "z", Number: 1}, Units: 1}
	if got := k.holders("m"); !slices.Equal(got, want) {
		k.fatalf("Holders gives %+v, want %+v", got, want)
	}
	if got, want := k.holders("m", "nobody", "l"), append(slices.Clone(want), last); !slices.Equal(got, want) {
		k.fatalf("Holders of m, nobody and l gives %+v, want %+v", got, want)
	}
	if got, want := k.holders("l", "m"), append([]handoff.Holding{last}, want...); !slices.Equal(got, want) {
		k.fatalf("Holders of l and m gives %+v, want %+v", got, want)
	}
}
