// Package bench holds the measurements this library is judged by.
//
//   - world plays a contact centre event by event: people come, wait, give up
//     and are served by agents with skills, seats and shifts, in scenarios
//     that goals name and in as many as you like that are drawn by lot.
//   - waiting scores the estimate package in such worlds, next to the
//     estimators others use.
//   - routing scores the library's strategies in such worlds, next to a lower
//     bound and to a router that polls.
//   - goal is a figure with its bound, met or missed.
//   - cmd/goals-waiting runs all of it and ends with one line per goal.
//   - stores, a module of its own, measures the durable stores beside River,
//     asynq and plain inserts, and ends with one line per goal.
package bench
