// Package sqlitestore keeps handoffs in a SQLite file, for one process or
// several processes of one host.
//
// Durability: what was acknowledged survives kill -9 and the loss of power, as
// far as the disk keeps its promise (synchronous=FULL). With Options.NoSync it
// survives kill -9, but the last moments before a power loss are gone.
//
// SQLite has one writer at a time. Writers of this process wait for each other
// in Go, and commits that come together are written together, with one sync of
// the disk; other processes are waited for up to Options.Busy. Readers wait for
// nobody. Commits of other processes are noticed by looking at the file's
// version now and then.
//
// Tables and views have readable columns for people who look; the body column
// holds the engine's own encoding.
package sqlitestore
