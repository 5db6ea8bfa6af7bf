package storetest

import (
	"bytes"
	"time"

	"github.com/seed-2a427302/handoff"
)

// full returns a record with every field set.
func (k *kit) full(conversation string, number int64) handoff.Record {
	r := k.draft(conversation, number)
	r.Queue, r.State, r.Outcome = "billing", handoff.StateEnded, handoff.OutcomeResolved
	r.Agent, r.User, r.Tags = "ann", "uwe", []string{"vip", "b", "a"}
	r.Line, r.Priority, r.Since = "m=\x1es=tax\x1f2", -7, k.now.Add(-90*time.Minute)
	r.Created, r.Updated, r.Wake = k.now.Add(-2*time.Hour), k.now.Add(time.Millisecond), k.now.Add(3*time.Hour)
	r.Keys = []handoff.Key{{Name: "z of " + conversation, Max: 3, Units: 2}, {Name: "a of " + conversation, Max: 1, Units: 1}}
	r.Owed = []handoff.Owed{{Sink: "user", Cursor: "user/1", Seq: 1}, {Sink: "crm", Cursor: "crm", Seq: 1}}
	return r
}

func checkFields(k *kit) {
	r := k.commit(k.full("c", 1), "a")
	everywhere := func(when string) {
		k.says(ruleKeeps)
		k.samef(k.get(r.ID), r, "Get %s", when)
		got, err := k.store.Latest(k.ctx, "c")
		k.okf(err, "Latest %s", when)
		k.samef(got, r, "Latest %s", when)
		for _, q := range []handoff.Query{{}, {ByRank: true}, {Conversation: "c"}} {
			list := k.list(q)
			if len(list) != 1 {
				k.fatalf("List(%s) %s has %d records, want 1", show(q), when, len(list))
			}
			k.samef(list[0], r, "List(%s) %s", show(q), when)
		}
	}
	everywhere("after the insert")

	// Every field is replaced by the next commit, also by nothing.
	bare := k.draft("c", 1)
	bare.Version, bare.Seq = r.Version, r.Seq
	bare.Created = r.Created
	r = k.commit(bare, "b")
	everywhere("after a commit that cleared most fields")

	next := k.full("c", 1)
	next.Version, next.Seq = r.Version, r.Seq
	next.Created = k.now.Add(-time.Hour)
	next.Queue, next.Agent, next.User, next.Tags = "Q", "A", "U", []string{"T"}
	next.State, next.Outcome, next.Line, next.Priority = handoff.StateWaiting, "", "L", 1<<31-1
	next.Since, next.Updated, next.Wake = k.now.Add(-time.Millisecond), k.now, k.now.Add(-time.Hour)
	r = k.commit(next, "c")
	everywhere("after a commit that changed every field")
}

func checkTimes(k *kit) {
	for i, at := range []time.Time{
		time.Date(1999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		time.Date(2001, 1, 1, 0, 0, 0, 1e6, time.UTC),
		time.Date(2024, 2, 29, 12, 0, 0, 123e6, time.FixedZone("east", 5*3600+1800)),
		time.Date(2099, 7, 1, 0, 0, 0, 0, time.UTC),
	} {
		r := k.draft("time", int64(i)+1)
		r.Line = "l"
		r.Since, r.Created, r.Updated, r.Wake = at, at.Add(time.Millisecond), at.Add(2*time.Millisecond), at.Add(3*time.Millisecond)
		list := entries(&r, "a")
		k.okf(k.store.Commit(k.ctx, r, list...), "Commit")
		r.Version = 1
		k.samef(k.get(r.ID), r, "Get of times about %s", showTime(at))
		k.sameLogf(k.log(r.ID), list, "Log of times about %s", showTime(at))
	}
}

func checkForeignStates(k *kit) {
	r := k.draft("c", 1)
	r.State, r.Outcome, r.Line, r.Queue = "a state of 2031", "an outcome", "anything at all", "no such queue"
	r = k.commit(r)
	k.samef(k.get(r.ID), r, "Get")
	k.sameIDsf(k.list(handoff.Query{States: []handoff.State{"a state of 2031"}}), []handoff.ID{r.ID}, "List of an unknown state")
	// An ended record may stand in a line, hold keys and be committed again.
	r.State, r.Outcome = handoff.StateEnded, handoff.OutcomeFailed
	r.Keys = []handoff.Key{{Name: "k", Max: 1, Units: 1}}
	r = k.commit(r)
	k.sameIDsf(k.list(handoff.Query{Queue: "no such queue", Waiting: true}), []handoff.ID{r.ID}, "List of who stands, though it ended")
	if got := k.holders("k"); len(got) != 1 {
		k.fatalf("Holders of a key of an ended record: %+v", got)
	}
	r.State, r.Outcome = handoff.StateWaiting, ""
	k.commit(r)
}

func checkBodies(k *kit) {
	bodies := [][]byte{
		nil,
		{0},
		[]byte("plain"),
		[]byte(`{"b":1,"a":2, "a":3,"n":12345678901234567890.10,"e":"\u00e9\u0000"}`),
		[]byte("quote ' \" ` backslash \\ percent %s $1 ? semicolon ; \r\n\t"),
		{0xff, 0xfe, 0x00, 0xc3, 0x28},
		bytes.Repeat([]byte("0123456789abcdef"), 64<<10),
	}
	for i, raw := range bodies {
		r := k.draft("c", int64(i)+1)
		r.Body = handoff.BodyOf(raw)
		r.Seq = 1
		e := handoff.RecordEntry{ID: "a", Seq: 1, At: k.now, Body: handoff.BodyOf(raw)}
		k.okf(k.store.Commit(k.ctx, r, e), "Commit with a body of %d bytes", len(raw))
		r.Version = 1
		k.samef(k.get(r.ID), r, "Get of a body of %d bytes", len(raw))
		k.sameLogf(k.log(r.ID), []handoff.RecordEntry{e}, "Log of a body of %d bytes", len(raw))
		got, err := k.store.Entry(k.ctx, r.ID, "a")
		k.okf(err, "Entry")
		k.sameLogf([]handoff.RecordEntry{got}, []handoff.RecordEntry{e}, "Entry of a body of %d bytes", len(raw))
	}
	for _, r := range k.list(handoff.Query{}) {
		if want := handoff.BodyOf(bodies[r.ID.Number-1]); !equalBodies(r.Body, want) {
			k.fatalf("List gives body %s, want %s", showBody(r.Body), showBody(want))
		}
	}
}
