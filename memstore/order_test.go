package memstore

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/seed-2a427302/handoff"
)

// A naiveOrder is what an order must behave like.
type naiveOrder []item

func (o *naiveOrder) find(p place) (int, bool) {
	return slices.BinarySearchFunc(*o, p, func(it item, p place) int { return it.compare(&p) })
}

func (it *item) place() place { return place{it.major, it.minor, it.slot.rec.ID} }

func compareOrders(t *testing.T, o *order, naive naiveOrder, probe place) {
	t.Helper()
	if o.len() != len(naive) {
		t.Fatalf("len = %d, want %d", o.len(), len(naive))
	}
	want, _ := naive.find(probe)
	if got := o.rank(&probe); got != want {
		t.Fatalf("rank(%v) = %d, want %d", probe, got, want)
	}
	if want < len(naive) && naive[want].compare(&probe) == 0 {
		want++
	}
	if first := o.first(); (first == nil) != (len(naive) == 0) || first != nil && *first != naive[0] {
		t.Fatalf("first = %v", first)
	}
	w := o.walk(&probe)
	for i := want; ; i++ {
		got := w.next()
		if got == nil && i == len(naive) {
			return
		}
		if got == nil || i == len(naive) || *got != naive[i] {
			t.Fatalf("walk behind %v: wrong member at rank %d", probe, i)
		}
	}
}

// checkNodes verifies what the tree relies on.
func checkNodes(t *testing.T, n *node) {
	t.Helper()
	if len(n.items) == 0 || len(n.items) > fan {
		t.Fatalf("a node has %d items", len(n.items))
	}
	if n.kids == nil {
		return
	}
	if len(n.kids) != len(n.items) || len(n.sizes) != len(n.items) {
		t.Fatalf("%d items, %d kids, %d sizes", len(n.items), len(n.kids), len(n.sizes))
	}
	for i, kid := range n.kids {
		checkNodes(t, kid)
		if n.items[i] != kid.items[0] || n.sizes[i] != kid.size() {
			t.Fatalf("kid %d is described wrongly", i)
		}
	}
}

func TestOrderLikeNaive(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			var o order
			var naive naiveOrder
			grow := 60 // percent of insertions; it swings, so that the tree shrinks too
			for step := range 20_000 {
				if step%4000 == 3999 {
					grow = 100 - grow
				}
				it := item{rnd.Int64N(3), rnd.Int64N(50), &slot{rec: handoff.Record{
					ID: handoff.ID{Conversation: strconv.Itoa(rnd.IntN(20)), Number: rnd.Int64N(4)},
				}}}
				if seed%2 == 0 {
					it.minor = int64(step) // mostly at the end
				}
				if rnd.IntN(100) < grow {
					if i, ok := naive.find(it.place()); !ok {
						naive = slices.Insert(naive, i, it)
						o.insert(it)
					}
				} else if len(naive) > 0 {
					i := rnd.IntN(len(naive))
					o.remove(naive[i])
					naive = slices.Delete(naive, i, i+1)
				}
				if step%97 == 0 {
					compareOrders(t, &o, naive, it.place())
					if o.root != nil {
						checkNodes(t, o.root)
					}
				}
			}
			for len(naive) > 0 {
				i := rnd.IntN(len(naive))
				o.remove(naive[i])
				naive = slices.Delete(naive, i, i+1)
			}
			if o.root != nil {
				t.Error("an empty order keeps nodes")
			}
		})
	}
}

func FuzzOrder(f *testing.F) {
	f.Add([]byte("insert and remove"))
	f.Add(make([]byte, 500))
	f.Fuzz(func(t *testing.T, program []byte) {
		var o order
		var naive naiveOrder
		for i, b := range program {
			it := item{int64(b & 1), int64(b >> 3), &slot{rec: handoff.Record{ID: handoff.ID{Number: int64(i)}}}}
			if b&6 == 6 && len(naive) > 0 {
				at := int(b>>3) * len(naive) / 32
				o.remove(naive[at])
				naive = slices.Delete(naive, at, at+1)
			} else {
				at, _ := naive.find(it.place())
				naive = slices.Insert(naive, at, it)
				o.insert(it)
			}
			compareOrders(t, &o, naive, it.place())
		}
		if o.root != nil {
			checkNodes(t, o.root)
		}
	})
}

// Several lines are walked as one, from the beginning and from any place.
func TestMergeLikeSort(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	for range 50 {
		orders, naive := make([]*order, 1+rnd.IntN(6)), naiveOrder{}
		for i := range orders {
			orders[i] = &order{}
			for range rnd.IntN(300) {
				it := item{int64(rnd.IntN(3)), int64(rnd.IntN(50)), &slot{}}
				it.slot.rec.ID = handoff.ID{Conversation: strconv.Itoa(len(naive)), Number: 1}
				orders[i].insert(it)
				naive = append(naive, it)
			}
		}
		slices.SortFunc(naive, func(a, b item) int { return comparePlaces(a.place(), b.place()) })
		var behind *place
		for at := -1; at < len(naive); at += 1 + rnd.IntN(40) {
			if at >= 0 {
				p := naive[at].place()
				behind = &p
			}
			i := at + 1
			for got := range merge(orders, behind) {
				if i == len(naive) || got != naive[i].slot {
					t.Fatalf("behind %v: wrong member at rank %d of %d", behind, i, len(naive))
				}
				if i++; rnd.IntN(1000) == 0 {
					i = len(naive)
					break
				}
			}
			if i != len(naive) {
				t.Fatalf("behind %v: ends at rank %d of %d", behind, i, len(naive))
			}
		}
	}
}

// Priorities and times that are all equal leave the ids to tell: the order is
// as fast and as right as with others.
func TestOrderOfEquals(t *testing.T) {
	const n = 100_000
	o := &order{}
	slots := make([]slot, n)
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(n) {
		slots[i].rec.ID = handoff.ID{Conversation: "c" + strconv.Itoa(n+i), Number: 1}
		o.insert(item{7, 7, &slots[i]})
	}
	checkNodes(t, o.root)
	for i := range slots {
		if got := o.rank(&place{7, 7, slots[i].rec.ID}); got != i {
			t.Fatalf("%v has rank %d, want %d", slots[i].rec.ID, got, i)
		}
	}
}
