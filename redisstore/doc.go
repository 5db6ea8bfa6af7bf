// Package redisstore keeps handoffs in Redis, for any number of
// replicas.
//
// Durability: what was acknowledged survives the loss of power when the server
// runs with appendonly yes and appendfsync always, which Check looks at. With
// everysec it survives the end of every client, but the server's own crash may
// take the last two seconds with it; without an append-only file, everything
// since the last snapshot. A failover loses what the replica had not got yet.
// The server must not evict: maxmemory-policy noeviction, which Check demands.
//
// A commit is one script, one round trip, all or nothing. All names of a store
// have one hash tag, so that a cluster keeps them on one node; stores with
// different prefixes spread over the nodes.
package redisstore
