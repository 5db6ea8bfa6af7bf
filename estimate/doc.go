// Package estimate says how long somebody who waits will wait, and how sure
// that is.
//
// It is pure: nothing here reads a clock, starts a goroutine, does I/O or
// imports the engine. Every input is a plain value, every output is a plain
// value, and the same inputs give the same output on every replica.
//
// # Words
//
// A seat is one unit of an agent's capacity: it serves one conversation at a
// time. Handle time is how long a conversation keeps a seat. A line is a set of
// people who wait and are served by the same seats; a queue without skills
// is one line. Ahead is the number of people ranked before somebody in the
// list the router pops. Patience is how long somebody waits before giving up.
//
// # Parts
//
//   - [Model] learns handle time, patience, arrivals and capacity of one queue
//     and mode from what happened; [Book] keeps one Model per queue and mode.
//     [Model.Params] is what was learned, as a plain value.
//   - [QueueLength] is the closed form: a number ahead, a number of seats,
//     Params. It is the default.
//   - [Snapshot.Simulate] plays the live state forward many times: for
//     priorities, shifts and skills, where a number ahead says too little.
//     [Snapshot.Waits] picks the cheaper of the two that is good enough.
//   - [Policy.Next] decides when a new value is worth telling and keeps what
//     was told from rising without a reason.
//   - [Render] turns a [Wait] into numbers a sentence can be built from.
//
// An estimate is for somebody who stays: it answers "how long until it is my
// turn, if I wait", so the patience of that person plays no part in it, while
// the patience of those ahead does.
//
// # Sources
//
// QL, the queue-length predictor, and QLm, the same with Markovian
// abandonment: W. Whitt, "Predicting queueing delays", Management Science 45
// (1999), and R. Ibrahim and W. Whitt, "Real-time delay estimation in
// overloaded multiserver queues with abandonments", Management Science 55
// (2009). Rates that move: A. C. Harvey and C. Fernandes, "Time series models
// for count or qualitative observations", J. Bus. Econ. Stat. 7 (1989). Rates
// per age from events and exposure: D. R. Cox, "Regression models and
// life-tables", J. R. Stat. Soc. B 34 (1972), with piecewise constant hazard.
package estimate
