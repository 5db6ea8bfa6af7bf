package estimate

import (
	"math"
	"time"
)

// A length of time is filed by age into classes with edges 0, 5 s and then
// steps of sqrt(2) up to two days; the last class is open. The step is what a
// hazard may change by within one class without hurting a wait: a fixed handle
// time still keeps its mean, and a squared coefficient of variation below 0.2.
const (
	ages     = 32
	firstAge = 5.0
)

// ageEdge returns the lower edge of an age class in seconds.
func ageEdge(class int) float64 {
	switch {
	case class <= 0:
		return 0
	case class%2 == 1:
		return firstAge * float64(uint(1)<<((class-1)/2))
	}
	return firstAge * math.Sqrt2 * float64(uint(1)<<((class-2)/2))
}

// ageClass returns the age class of s seconds.
func ageClass(s float64) int {
	if !(s >= firstAge) {
		return 0
	}
	// Two classes per power of two: read off the exponent, then compare. A
	// logarithm would cost several times as much, in the innermost loop of
	// a simulation.
	exponent := int(math.Float64bits(s/firstAge)>>52) - 1023
	c := min(1+2*exponent, ages-1)
	for s < ageEdge(c) {
		c--
	}
	for c < ages-1 && s >= ageEdge(c+1) {
		c++
	}
	return c
}

// A Lifetime is the distribution of a handle time or of patience, with a
// constant hazard per age class. The zero value never ends: no mean, no end.
// It is a plain value and safe for concurrent use.
type Lifetime struct {
	hazard [ages]float64 // ends per second at this age
	cum    [ages]float64 // integral of hazard up to the lower edge
	mean   float64       // seconds; 0 when it never ends
	scv    float64       // squared coefficient of variation
	n      float64       // observations it is worth; 0 means certain
}

// Exponential returns the lifetime with constant hazard 1/mean, taken as
// certain. A mean that is not positive gives the zero Lifetime.
func Exponential(mean time.Duration) Lifetime {
	if mean <= 0 {
		return Lifetime{}
	}
	var h [ages]float64
	for i := range h {
		h[i] = 1 / mean.Seconds()
	}
	return newLifetime(h, 0)
}

// newLifetime builds a lifetime from its hazards. Hazards that are negative or
// not numbers count as zero. The last hazard must be usable, because the last
// class is open; otherwise the lifetime never ends.
func newLifetime(hazard [ages]float64, n float64) Lifetime {
	if !usable(hazard[ages-1]) {
		return Lifetime{}
	}
	l := Lifetime{n: n}
	alive, second := 1.0, 0.0
	for i, h := range hazard {
		if !usable(h) {
			h = 0
		}
		l.hazard[i] = h
		lo, width := ageEdge(i), math.Inf(1)
		if i < ages-1 {
			width = ageEdge(i+1) - lo
			l.cum[i+1] = l.cum[i] + h*width
		}
		stay, moment := stayIn(h, width)
		l.mean += alive * stay
		second += 2 * alive * (lo*stay + moment)
		if i < ages-1 {
			alive = math.Exp(-l.cum[i+1])
		}
	}
	l.scv = math.Max(second/square(l.mean)-1, 0)
	if math.IsNaN(l.scv) || math.IsInf(l.scv, 0) || !usable(l.mean) {
		return Lifetime{}
	}
	return l
}

// stayIn returns the integrals of exp(-h*t) and of t*exp(-h*t) over a class of
// the given width: the expected time in the class and its first moment.
func stayIn(h, width float64) (stay, moment float64) {
	x := h * width
	if x < 1e-6 {
		// The exact form subtracts nearly equal numbers here.
		return width * (1 - x/2), width * width * (0.5 - x/3)
	}
	e := math.Exp(-x)
	if math.IsInf(width, 1) {
		return 1 / h, 1 / (h * h)
	}
	return -math.Expm1(-x) / h, (1 - e*(1+x)) / (h * h)
}

// Mean returns the mean in seconds, 0 for a lifetime that never ends.
func (l *Lifetime) Mean() float64 { return l.mean }

// SquaredCV returns the squared coefficient of variation: 1 for exponential
// handle times, 0 for fixed ones, above 1 for a mix of short and long.
func (l *Lifetime) SquaredCV() float64 { return l.scv }

// Evidence returns how many whole observations the mean is worth. 0 means it
// was given, not learned, and is taken as certain.
func (l *Lifetime) Evidence() float64 { return l.n }

// evidence is Evidence with "certain" as a number that can be divided by.
func (l *Lifetime) evidence() float64 {
	if l.n <= 0 {
		return math.Inf(1)
	}
	return l.n
}

// ends tells whether the lifetime ends at all.
func (l *Lifetime) ends() bool { return l.mean > 0 }

// spent returns the integrated hazard up to age s, in seconds.
func (l *Lifetime) spent(s float64) float64 {
	i := ageClass(s)
	return l.cum[i] + l.hazard[i]*(s-ageEdge(i))
}

// reach returns the age at which the integrated hazard reaches x: a draw of
// the lifetime when x is exponential with mean 1, and a draw of what remains
// after age a when x is spent(a) plus such a draw.
func (l *Lifetime) reach(x float64) float64 {
	// Classes are few and most draws end in the middle ones.
	lo, hi := 0, ages
	for hi-lo > 1 {
		mid := int(uint(lo+hi) >> 1)
		if l.cum[mid] <= x {
			lo = mid
		} else {
			hi = mid
		}
	}
	for l.hazard[lo] == 0 {
		// x is exactly where a class without hazard begins.
		lo++
	}
	return ageEdge(lo) + (x-l.cum[lo])/l.hazard[lo]
}

// Quantile returns the age in seconds below which a share p of lifetimes end.
// p outside (0, 1) is moved to its nearest end; a lifetime that never ends
// gives +Inf.
func (l *Lifetime) Quantile(p float64) float64 {
	switch {
	case !l.ends() || p >= 1:
		return math.Inf(1)
	case !(p > 0):
		return 0
	}
	return l.reach(-math.Log1p(-p))
}
