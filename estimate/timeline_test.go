package estimate

import (
	"testing"
	"time"
)

// Cells must tile the past: each moment in one cell, widths growing.
func TestCellsTileThePast(t *testing.T) {
	for _, newest := range []int64{0, 1, 5_800_000, 5_800_001, 5_800_127, -40} {
		_, end := cellKey{index: newest}.span(newest)
		oldest := end - int64(50*24*time.Hour/time.Millisecond)
		cells := 0
		for at := oldest; at < end; cells++ {
			k := place(at, newest)
			lo, hi := k.span(newest)
			if at < lo || at >= hi {
				t.Fatalf("newest %d: moment %d is filed under [%d, %d)", newest, at, lo, hi)
			}
			if last := place(hi-1, newest); last != k {
				t.Fatalf("newest %d: cell %v ends early", newest, k)
			}
			at = hi
		}
		if cells > 60 {
			t.Errorf("newest %d: %d cells", newest, cells)
		}
	}
}

// What order-independence rests on: filing under an early newest and moving up
// later ends in the same cell as filing late.
func FuzzSettleKeepsMomentsTogether(f *testing.F) {
	f.Add(int64(1_700_000_000_000), int64(40), int64(3))
	f.Add(int64(-5), int64(100_000), int64(9))
	f.Fuzz(func(t *testing.T, at, first, later int64) {
		if at < -1<<45 || at > 1<<45 || first < 0 || later < 0 || first > 1<<30 || later > 1<<30 {
			t.Skip()
		}
		index := base(at)
		k := place(at, index+first)
		if got, want := settle(k, index+first+later), place(at, index+first+later); got != want {
			t.Fatalf("moved up to %v, filed late under %v", got, want)
		}
	})
}

func TestCutAddsUp(t *testing.T) {
	start := time.Date(2025, 3, 1, 11, 58, 59, 123e6, time.UTC).UnixMilli()
	for _, length := range []int64{0, 1, 4999, 5000, 5001, 299_999, 7_200_000, int64(longest / time.Millisecond)} {
		end := start + length
		newest := base(end)
		sum, at := int64(0), start
		cut(start, end, newest, func(k cellKey, class int, millis int64) {
			if millis <= 0 {
				t.Fatalf("piece of %d ms", millis)
			}
			if k != place(at, newest) || k != place(at+millis-1, newest) {
				t.Fatalf("piece at %d crosses cells", at-start)
			}
			if first := ageClass(float64(at-start+1) / 1000); first != class && ageClass(float64(at-start)/1000) != class {
				t.Fatalf("piece at %d ms is filed under age class %d", at-start, class)
			}
			sum += millis
			at += millis
		})
		if sum != length {
			t.Errorf("%d ms add up to %d", length, sum)
		}
	}
}

func TestBelievable(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		start, end time.Time
		want       bool
	}{
		"usual":       {now.Add(-time.Hour), now, true},
		"instant":     {now, now, true},
		"clock back":  {now, now.Add(-time.Second), false},
		"no start":    {time.Time{}, now, false},
		"no end":      {now, time.Time{}, false},
		"eight days":  {now.Add(-8 * 24 * time.Hour), now, false},
		"far future":  {time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9000, 1, 1, 0, 0, 1, 0, time.UTC), false},
		"before 1970": {time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1950, 1, 1, 0, 0, 1, 0, time.UTC), true},
	} {
		if got := believable(c.start, c.end); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
