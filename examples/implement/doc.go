// Package implement has one small implementation of each interface that a host
// can bring: a store, a presence, a platform, a channel and a router. Each was
// written from the comments in package handoff, and its test proves it. They
// are to be read and copied, not imported: each is the simplest that is right.
package implement
