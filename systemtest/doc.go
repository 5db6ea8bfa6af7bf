// Package systemtest proves what no store can prove alone: that engines in
// several processes, on each of the stores, lose nothing and do nothing twice,
// whatever is killed when, and that the stores cannot be told apart. It has
// tests only.
//
//   - Engine: the engine's own tests, on every store.
//   - Differential: the same random commands give the same answers and logs on
//     every store.
//   - Race: processes that share agents whose seats are scarce.
//   - Linear: what clients of four replicas see could have been seen of one
//     engine that does one thing after the other.
//   - Crash: processes that kill themselves before and after commits,
//     deliveries and claims, and others that go on with what they left.
//   - Stopped: a process that is stopped for longer than its leases, and goes on
//     when another one has done all that it was about to do.
//   - Backlog: what piled up while no engine ran.
//   - Soak: processes that live conversation after conversation, without growing.
//   - Virtual: a day or a month, with a change of the clocks, in seconds.
//   - Faults: a store that is down, slow, busy or cut off, a failover that loses
//     the last moments, clocks that are wrong, hints that get lost.
//   - Deploy: an older build beside a newer one.
//   - Sync: a disk that cannot sync, for the store that promises to survive a
//     loss of power.
//
// Servers are started from the machine's own binaries, or named by
// HANDOFF_TEST_POSTGRES and HANDOFF_TEST_REDIS. The short forms run by default;
// see the Makefile for the long ones.
package systemtest
