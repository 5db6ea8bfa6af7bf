package estimate

import "time"

// Params is what is known about one queue and mode at one moment: the output
// of [Model.Params] and the input of every estimate. It is a plain value; the
// zero value knows nothing and makes every wait unknown for [NoData].
type Params struct {
	// Known says that Handle can be used: enough was seen, or the host gave
	// a prior.
	Known bool
	// Handle is how long a conversation keeps a seat.
	Handle Lifetime
	// Patience is how long people wait before they give up. The zero value
	// means they never do.
	Patience Lifetime
	// Leave is the rate at which one person who waits gives up now, per
	// second, over the ages that occur now. 0 means nobody gives up.
	Leave float64
	// LeaveEvidence is how many people who gave up Leave was learned from.
	// 0 means it is taken as certain.
	LeaveEvidence float64
	// Yield is the share of the seats that really works for this queue
	// while people wait: less than 1 when agents take time to accept, or
	// serve other queues too. 0 means 1.
	Yield float64
	// Arrivals is how often people come, per second and level.
	Arrivals []Arrival
}

// An Arrival is a rate of people joining at one priority level.
type Arrival struct {
	// Level is the priority, higher is sooner.
	Level int
	// Rate is people per second.
	Rate float64
	// Evidence is how many people it was learned from. 0 means certain.
	Evidence float64
}

// Fixed returns Params taken as certain: exponential handle time and patience
// with these means. A patience that is not positive means nobody gives up. A
// handle time that is not positive gives Params that know nothing.
func Fixed(handle, patience time.Duration) Params {
	p := Params{Handle: Exponential(handle), Patience: Exponential(patience)}
	p.Known = p.Handle.ends()
	if patience > 0 {
		p.Leave = 1 / patience.Seconds()
	}
	return p
}

// yield returns Yield as a factor in (0, 1].
func (p *Params) yield() float64 {
	if !usable(p.Yield) || p.Yield > 1 {
		return 1
	}
	return p.Yield
}

// leaveDoubt is the squared relative error of Leave.
func (p *Params) leaveDoubt() float64 {
	if !usable(p.LeaveEvidence) {
		return 0
	}
	return 1 / p.LeaveEvidence
}
