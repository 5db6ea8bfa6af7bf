// Package pgstore keeps handoffs in PostgreSQL, for any number of replicas.
//
// Durability: what was acknowledged survives the loss of power, as far as the
// server keeps its promise (fsync and synchronous_commit on, which Check looks
// at). With synchronous_commit off it survives kill -9 of the server's
// processes, but the last moments before a power loss are gone.
//
// A commit is one call of a function in the database, one round trip. When
// more than two callers commit at once, their commits travel together. Wake
// ups of other processes are gathered and sent by NOTIFY outside the commits;
// behind a transaction pooler, set Options.NoListen and let pgx not prepare
// statements (default_query_exec_mode=exec).
//
// Tables have readable columns for people who look; the body column holds the
// engine's own encoding.
package pgstore
