package estimate

import "math"

// A Place is what [QueueLength] needs to know about one person who waits. All
// fields are plain counts; negative ones count as zero.
type Place struct {
	// Ahead is the number of people ranked before this one.
	Ahead int
	// Seats is the number of seats that serve the queue now, busy or free.
	// Fractions are allowed for seats shared with other queues.
	Seats float64
	// Free is how many of them are free now.
	Free int
	// Closed says the queue is outside its hours.
	Closed bool
}

// QueueLength returns the wait at place: QLm, the queue-length predictor with
// Markovian abandonment, as a gamma distribution.
//
// With s seats of completion rate mu each and people ahead who give up at rate
// theta each, the next step forward takes 1/(s*mu + i*theta) while i are
// ahead, so
//
//	E[W] = sum over i = 0..ahead of 1/(s*mu + i*theta)
//
// Without abandonment that is the vendor formula (position x handle time /
// agents). The variance is the sum of the squares, widened when handle times
// vary more than exponential ones do and by what is not yet known about mu and
// theta. P50 and P90 are quantiles of the gamma distribution with that mean
// and variance.
//
// The wait is unknown when the queue is closed, has no seats or nothing was
// learned, in this order. It is zero when a seat is free for this person. It
// takes constant time, allocates nothing and is safe for concurrent use.
func QueueLength(at Place, p Params) Wait { return queueLength(at, &p, p.Leave) }

// queueLength is QueueLength with another rate of giving up.
func queueLength(at Place, p *Params, leave float64) Wait {
	ahead := max(at.Ahead, 0)
	free := max(at.Free, 0)
	seats := at.Seats
	switch {
	case at.Closed:
		return Unknown(Closed)
	case !usable(seats):
		return Unknown(NoAgents)
	case free > ahead:
		return Wait{Known: true, Method: Immediate}
	case !p.Known || !usable(p.Handle.Mean()):
		return Unknown(NoData)
	}
	// Free seats take the first in line at once.
	ahead -= free

	serve := seats * p.yield() / p.Handle.Mean()
	if !usable(leave) {
		leave = 0
	}
	m := descend(ahead, serve, leave)

	// Starts of service are a Poisson stream only over times that are short
	// against a handle time, whatever its distribution; over longer ones
	// their dispersion tends to the squared coefficient of variation. The
	// turning point is about one service per seat (renewal theory: the
	// variance of a superposition of s stationary renewal processes).
	turns := m.served / seats
	spread := 1 + (p.Handle.SquaredCV()-1)*turns/(turns+1)
	variance := m.variance*(1-m.servedShare) + m.variance*m.servedShare*math.Max(spread, 0.05)

	// A mean known from n handle times is off by one part in sqrt(n). It
	// moves the wait as far as service is what moves the line.
	variance += square(m.bySeats)/p.Handle.evidence() + square(m.byLeaving)*p.leaveDoubt()
	return known(ClosedForm,
		gammaQuantile(m.mean, variance, z50),
		gammaQuantile(m.mean, variance, z90),
		m.mean)
}

// descent is the way of one person from n ahead to his turn.
type descent struct {
	mean, variance float64
	// served is the expected number of services that start on the way,
	// servedShare their share of all steps.
	served, servedShare float64
	// bySeats and byLeaving are the change of mean per unit relative change
	// of the service and the leaving rate. They add up to mean.
	bySeats, byLeaving float64
}

// smooth is the ratio of a term's rate to the step from which the midpoint
// rule is used for the rest of a sum; the rule is then off by less than
// 1/(24*smooth^2).
const smooth = 40

// descend sums the steps of QLm. Terms are added one by one while they differ
// much from their neighbours and by the midpoint rule after that, so a million
// ahead costs as little as fifty.
func descend(ahead int, serve, leave float64) descent {
	n := float64(ahead)
	if leave <= 0 || leave*n < serve*1e-9 {
		// The integral below would divide by almost nothing.
		mean := (n + 1) / serve
		return descent{mean: mean, variance: (n + 1) / square(serve), served: n + 1, servedShare: 1, bySeats: mean}
	}
	var sum, squares float64
	i := 0.0
	for ; i <= n && serve+i*leave < smooth*leave; i++ {
		r := 1 / (serve + i*leave)
		sum += r
		squares += r * r
	}
	if i <= n {
		lo, hi := serve+(i-0.5)*leave, serve+(n+0.5)*leave
		sum += math.Log1p((hi-lo)/lo) / leave
		squares += (hi - lo) / (lo * hi) / leave
	}
	// Of each step a share serve/rate is a service; summed, serve*sum.
	return descent{
		mean: sum, variance: squares,
		served: serve * sum, servedShare: math.Min(serve*sum/(n+1), 1),
		bySeats: serve * squares, byLeaving: math.Max(sum-serve*squares, 0),
	}
}

func square(x float64) float64 { return x * x }
