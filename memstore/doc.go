// Package memstore keeps handoffs in memory. It is the reference
// implementation of [handoff.Store] and of its optional abilities Listener,
// AheadCounter, Counter and BatchCommitter.
//
// # Durability
//
// None. Everything is gone when the process ends. Use it for tests, for demos
// and for hosts that can afford to forget who was waiting.
//
// # Sharing
//
// Any number of engines in one process may share one [Store]; it then behaves
// like one database with several clients. It decides by the times that callers
// pass and never reads a clock, so it works inside a testing/synctest bubble.
// It starts no goroutines and calls nobody while it holds its lock.
//
// # Cost
//
// A commit costs O(log n) in the number of records that stand in the same
// queue, and O(1) in everything else; so does asking for a place in a queue.
// Due records and overdue deliveries are found without looking at the others.
// What was deleted is given back to the garbage collector, indexes included.
package memstore
