// Package goal is a measured figure next to the bound it has to keep.
package goal

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// A Goal is one promise. It is met when Low <= Figure <= High; an infinite
// bound is none. A figure that is not a number meets nothing.
type Goal struct {
	Name      string
	Figure    float64
	Low, High float64
}

// AtMost is the goal that figure is not above bound.
func AtMost(name string, figure, bound float64) Goal {
	return Goal{Name: name, Figure: figure, Low: math.Inf(-1), High: bound}
}

// AtLeast is the goal that figure is not below bound.
func AtLeast(name string, figure, bound float64) Goal {
	return Goal{Name: name, Figure: figure, Low: bound, High: math.Inf(1)}
}

// Within is the goal that figure lies in [low, high].
func Within(name string, figure, low, high float64) Goal {
	return Goal{Name: name, Figure: figure, Low: low, High: high}
}

// Met reports whether the bound is kept.
func (g Goal) Met() bool { return g.Figure >= g.Low && g.Figure <= g.High }

// Bound is the bound in words.
func (g Goal) Bound() string {
	if math.IsInf(g.Low, -1) {
		return fmt.Sprintf("<= %.2f", g.High)
	}
	if math.IsInf(g.High, 1) {
		return fmt.Sprintf(">= %.2f", g.Low)
	}
	return fmt.Sprintf("%.2f..%.2f", g.Low, g.High)
}

// Print writes one line per goal and returns how many were missed.
func Print(w io.Writer, goals []Goal) (missed int, err error) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range goals {
		verdict := "met"
		if !g.Met() {
			verdict = "MISSED"
			missed++
		}
		if _, err := fmt.Fprintf(t, "goal\t%s\t%.3f\t%s\t%s\n", g.Name, g.Figure, g.Bound(), verdict); err != nil {
			return missed, err
		}
	}
	return missed, t.Flush()
}
