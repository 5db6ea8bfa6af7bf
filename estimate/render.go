package estimate

import "time"

// A Mode is a way to put a wait into words. The words are elsewhere; see
// [Render].
type Mode string

const (
	// Approximate is one rounded number: "about 5 minutes".
	Approximate Mode = "approximate"
	// Range is two rounded numbers: "5 to 10 minutes".
	Range Mode = "range"
	// LessThan is an upper bound that nine in ten stay below: "less than 10
	// minutes".
	LessThan Mode = "less_than"
	// Precise is the nearest minute: "7 minutes".
	Precise Mode = "precise"
	// MoreThan is a lower bound, for waits beyond [Longest]: "more than 2
	// hours". Render chooses it by itself.
	MoreThan Mode = "more_than"
	// Soon means it is somebody's turn: "any moment now". Render chooses it
	// by itself.
	Soon Mode = "soon"
	// Undetermined means the wait is unknown; the reason says why. Render
	// chooses it by itself.
	Undetermined Mode = "unknown"
)

// Longest is the longest wait that [Render] puts into a number.
const Longest = 2 * time.Hour

// Rendered is a wait as a sentence needs it. Low and High are minutes: one
// number has Low == High, an upper bound has Low 0, a lower bound has High 0.
type Rendered struct {
	Mode   Mode   `json:"mode"`
	Low    int    `json:"low"`
	High   int    `json:"high"`
	Reason Reason `json:"reason,omitempty"`
}

// Render turns w into numbers for mode; an unknown mode counts as Approximate.
//
// Rounded numbers are whole minutes up to 10, then fives up to 30, tens up to
// an hour and halves of an hour beyond. Upper bounds are rounded up, lower
// bounds down, and no number is below 1. A shorter wait never renders as a
// larger number. It allocates nothing.
func Render(w Wait, mode Mode) Rendered {
	switch {
	case !w.Known:
		return Rendered{Mode: Undetermined, Reason: w.Reason}
	case w.P90 <= 0:
		return Rendered{Mode: Soon}
	case w.P50 >= Longest:
		return Rendered{Mode: MoreThan, Low: int(Longest / time.Minute)}
	}
	switch mode {
	default:
		return single(Approximate, step(w.P50, nearest))
	case LessThan:
		if w.P90 > Longest {
			// An upper bound beyond Longest says nothing; the middle does.
			return single(Approximate, step(w.P50, nearest))
		}
		return Rendered{Mode: LessThan, High: step(w.P90, up)}
	case Range:
		low, high := step(w.P50, down), step(min(w.P90, Longest), up)
		if low == high {
			return single(Approximate, low)
		}
		return Rendered{Mode: Range, Low: low, High: high}
	case Precise:
		return single(Precise, max(int((w.P50+time.Minute/2)/time.Minute), 1))
	}
}

func single(m Mode, minutes int) Rendered { return Rendered{Mode: m, Low: minutes, High: minutes} }

type rounding int

const (
	down rounding = iota
	nearest
	up
)

// step rounds d to a number of minutes one would say.
func step(d time.Duration, how rounding) int {
	by := 30
	for _, s := range []struct {
		upto time.Duration
		by   int
	}{{10 * time.Minute, 1}, {30 * time.Minute, 5}, {time.Hour, 10}} {
		if d <= s.upto {
			by = s.by
			break
		}
	}
	unit := time.Duration(by) * time.Minute
	n, rest := int(d/unit), d%unit
	if how == up && rest > 0 || how == nearest && 2*rest >= unit {
		n++
	}
	return max(n*by, 1)
}
