package memstore

import (
	"cmp"
	"slices"

	"github.com/seed-2a427302/handoff"
)

// An order keeps slots sorted and knows how many stand before any place. It
// is a B+ tree whose inner nodes count what is below them. The zero value is
// empty. It is not safe for concurrent changes.
type order struct{ root *node }

// fan is the most items a node can have. It makes a leaf about as large as
// can be moved in the time of one cache miss.
const fan = 64

// A place is where something stands: by major, then minor, then id.
type place struct {
	major, minor int64
	id           handoff.ID
}

// An item is a member. Its place is major, minor and the slot's id, which is
// read only when the numbers are equal.
type item struct {
	major, minor int64
	slot         *slot
}

// A node is a leaf, which holds members, or has kids. Then items[i] is the
// first member below kids[i], and sizes[i] is the number of them.
type node struct {
	items []item
	kids  []*node
	sizes []int
}

func (it *item) compare(p *place) int {
	switch {
	case it.major < p.major:
		return -1
	case it.major > p.major:
		return 1
	case it.minor < p.minor:
		return -1
	case it.minor > p.minor:
		return 1
	}
	return it.slot.rec.ID.Compare(p.id)
}

func (it *item) before(other *item) bool {
	return it.compare(&place{other.major, other.minor, other.slot.rec.ID}) < 0
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.major, b.major), cmp.Compare(a.minor, b.minor), a.id.Compare(b.id))
}

// search returns the number of items of n before p.
func (n *node) search(p *place) int {
	low, high := 0, len(n.items)
	for low < high {
		if mid := (low + high) / 2; n.items[mid].compare(p) < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// kid returns which kid of n holds p, if any does.
func (n *node) kid(p *place) int {
	i := n.search(p)
	if i == len(n.items) || i > 0 && n.items[i].compare(p) != 0 {
		i--
	}
	return i
}

// size returns the number of members below n.
func (n *node) size() int {
	if n.kids == nil {
		return len(n.items)
	}
	sum := 0
	for _, size := range n.sizes {
		sum += size
	}
	return sum
}

// len returns the number of members.
func (o *order) len() int {
	if o.root == nil {
		return 0
	}
	return o.root.size()
}

// first returns the first member, or nil.
func (o *order) first() *item {
	n := o.root
	if n == nil {
		return nil
	}
	for n.kids != nil {
		n = n.kids[0]
	}
	return &n.items[0]
}

// rank returns the number of members before p.
func (o *order) rank(p *place) int {
	rank := 0
	for n := o.root; n != nil; {
		i := n.search(p)
		if n.kids == nil {
			return rank + i
		}
		if i == 0 {
			return rank
		}
		for _, size := range n.sizes[:i-1] {
			rank += size
		}
		n = n.kids[i-1]
	}
	return rank
}

// insert adds a member, which must not be there.
func (o *order) insert(it item) {
	if o.root == nil {
		o.root = new(node)
	}
	if right := o.root.insert(it, &place{it.major, it.minor, it.slot.rec.ID}); right != nil {
		left := o.root
		o.root = &node{
			items: []item{left.items[0], right.items[0]},
			kids:  []*node{left, right},
			sizes: []int{left.size(), right.size()},
		}
	}
}

// insert returns the right half of n when n had to be split.
func (n *node) insert(it item, p *place) (right *node) {
	if n.kids == nil {
		i := n.search(p)
		if len(n.items) == fan {
			right = n.split(i)
			if i >= len(n.items) {
				right.items = slices.Insert(right.items, i-len(n.items), it)
				return right
			}
		}
		n.items = slices.Insert(n.items, i, it)
		return right
	}
	i := n.kid(p)
	added := n.kids[i].insert(it, p)
	n.items[i] = n.kids[i].items[0]
	if added == nil {
		n.sizes[i]++
		return nil
	}
	n.sizes[i] = n.kids[i].size()
	target, at := n, i+1
	if len(n.items) == fan {
		right = n.split(at)
		if at >= len(n.items) {
			target, at = right, at-len(n.items)
		}
	}
	target.items = slices.Insert(target.items, at, added.items[0])
	target.kids = slices.Insert(target.kids, at, added)
	target.sizes = slices.Insert(target.sizes, at, added.size())
	return right
}

// split makes room for an item at i and returns what was moved to the right.
// Who comes last goes alone, since most orders grow at the end, and then every
// node stays full.
func (n *node) split(i int) *node {
	half := fan / 2
	if i == fan {
		half = fan
	}
	right := new(node)
	right.items = append(right.items, n.items[half:]...)
	clear(n.items[half:])
	n.items = n.items[:half]
	if n.kids != nil {
		right.kids = append(make([]*node, 0, fan), n.kids[half:]...)
		right.sizes = append(make([]int, 0, fan), n.sizes[half:]...)
		clear(n.kids[half:])
		n.kids, n.sizes = n.kids[:half], n.sizes[:half]
	}
	return right
}

// remove takes a member away, if it is there.
func (o *order) remove(it item) {
	if o.root == nil {
		return
	}
	o.root.remove(&place{it.major, it.minor, it.slot.rec.ID})
	for o.root != nil {
		switch {
		case len(o.root.items) == 0:
			o.root = nil
		case len(o.root.kids) == 1:
			o.root = o.root.kids[0]
		default:
			return
		}
	}
}

func (n *node) remove(p *place) bool {
	if n.kids == nil {
		i := n.search(p)
		if i == len(n.items) || n.items[i].compare(p) != 0 {
			return false
		}
		n.items = slices.Delete(n.items, i, i+1)
		return true
	}
	i := n.kid(p)
	kid := n.kids[i]
	if !kid.remove(p) {
		return false
	}
	n.sizes[i]--
	if len(kid.items) == 0 {
		n.drop(i)
		return true
	}
	n.items[i] = kid.items[0]
	if len(kid.items) < fan/4 {
		n.merge(i)
	}
	return true
}

// drop forgets kid i.
func (n *node) drop(i int) {
	n.items = slices.Delete(n.items, i, i+1)
	n.kids = slices.Delete(n.kids, i, i+1)
	n.sizes = slices.Delete(n.sizes, i, i+1)
}

// merge joins kid i with a neighbour if both fit into one node. If not, the
// two together are more than half full, which is good enough.
func (n *node) merge(i int) {
	if i == len(n.kids)-1 {
		i--
	}
	if i < 0 || len(n.kids[i].items)+len(n.kids[i+1].items) > fan*3/4 {
		return
	}
	left, right := n.kids[i], n.kids[i+1]
	left.items = append(left.items, right.items...)
	if left.kids != nil {
		left.kids = append(left.kids, right.kids...)
		left.sizes = append(left.sizes, right.sizes...)
	}
	n.sizes[i] += n.sizes[i+1]
	n.drop(i + 1)
}

// A walk goes through an order from a place on. The order must not change
// meanwhile.
type walk struct {
	depth int
	path  [10]struct { // deep enough for any number of members: 8^10 in the worst case
		node *node
		next int
	}
}

// walk starts at the first member, or at the first one behind after.
func (o *order) walk(after *place) (w walk) {
	for n := o.root; n != nil; w.depth++ {
		at := &w.path[w.depth]
		at.node = n
		if after != nil {
			if n.kids != nil {
				at.next = n.kid(after)
			} else if at.next = n.search(after); at.next < len(n.items) && n.items[at.next].compare(after) == 0 {
				at.next++
			}
		}
		if n.kids == nil {
			w.depth++
			return w
		}
		n = n.kids[at.next]
		at.next++
	}
	return w
}

// next returns the next member, or nil at the end.
func (w *walk) next() *item {
	for w.depth > 0 {
		at := &w.path[w.depth-1]
		switch {
		case at.next == len(at.node.items):
			w.depth--
		case at.node.kids == nil:
			at.next++
			return &at.node.items[at.next-1]
		default:
			kid := at.node.kids[at.next]
			at.next++
			w.path[w.depth].node, w.path[w.depth].next = kid, 0
			w.depth++
		}
	}
	return nil
}
