package handoff

import "math/bits"

// A bitset is a set of small numbers. Its methods take numbers and words
// beyond its end for absent.
type bitset []uint64

func (b bitset) has(i int) bool { return b.word(i/64)&(1<<(i%64)) != 0 }

func (b bitset) word(w int) uint64 {
	if w < len(b) {
		return b[w]
	}
	return 0
}

func (b *bitset) put(i int, in bool) {
	for in && i/64 >= len(*b) {
		*b = append(*b, 0)
	}
	switch {
	case in:
		(*b)[i/64] |= 1 << (i % 64)
	case i/64 < len(*b):
		(*b)[i/64] &^= 1 << (i % 64)
	}
}

// all yields the numbers, lowest first.
func (b bitset) all(yield func(int) bool) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			if !yield(w*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}
