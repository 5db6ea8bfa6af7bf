package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
)

func claimChecks() []check {
	return []check{
		{"Claim/due", ruleDue, checkDue},
		{"Claim/earliest", ruleEarliest, checkEarliest},
		{"Claim/hidden", ruleClaimOne, checkHidden},
		{"Claim/lapse", ruleClaimOne, checkLapse},
		{"Claim/commit", ruleEndsClaim, checkEndsClaim},
		{"Claim/versions", ruleClaimed, checkClaimVersions},
		{"Claim/wake", ruleWake, checkWake},
	}
}

// A store may decide by its own clock, and so only times that are far from now
// are certain: an hour in the past has come, an hour in the future has not.
const far = time.Hour

// patience is how long a check waits for the store's clock to reach a time
// that the test's clock has reached.
const patience = 5 * time.Second

// claim asks for work with a high limit.
func (k *kit) claim(lease, grace time.Duration, sinks ...string) handoff.Claimed {
	k.Helper()
	return k.claimSome(handoff.Claim{Lease: lease, Grace: grace, Sinks: sinks, Limit: 1000})
}

// claimSome asks for work and checks what every answer must fulfil.
func (k *kit) claimSome(c handoff.Claim) handoff.Claimed {
	k.Helper()
	if c.Now.IsZero() {
		c.Now = time.Now().UTC().Truncate(time.Millisecond)
	}
	got, err := k.store.Claim(k.ctx, c)
	k.okf(err, "Claim")
	rule := k.rule
	k.says(ruleClaimNow)
	if off := got.Now.Sub(c.Now); got.Now.IsZero() || off > far/2 || off < -far/2 {
		k.fatalf("Claim at %s says it is %s", showTime(c.Now), showTime(got.Now))
	}
	k.says(ruleClaimLimit)
	if len(got.Due) > c.Limit || len(got.Overdue) > c.Limit {
		k.fatalf("Claim of at most %d gives %d records and %d deliveries", c.Limit, len(got.Due), len(got.Overdue))
	}
	k.says(ruleEarliest)
	for i := range got.Due {
		r := &got.Due[i]
		if r.Wake.IsZero() {
			k.says(ruleWake)
			k.fatalf("Claim gives %v, whose Wake is zero", r.ID)
		}
		if r.Wake.After(got.Now) {
			k.says(ruleDue)
			k.fatalf("Claim at %s gives %v, whose Wake is %s", showTime(got.Now), r.ID, showTime(r.Wake))
		}
		if i > 0 && got.Due[i-1].Wake.After(r.Wake) {
			k.fatalf("Claim gives Wake %s before %s", showTime(got.Due[i-1].Wake), showTime(r.Wake))
		}
	}
	k.says(rule)
	return got
}

// soon calls f until it gives true, for as long as clocks may differ.
func (k *kit) soon(f func() bool) bool {
	for until := time.Now().Add(patience); ; {
		if f() {
			return true
		}
		if time.Now().After(until) {
			return false
		}
		t := time.NewTimer(20 * time.Millisecond)
		select {
		case <-t.C:
		case <-k.ctx.Done():
			t.Stop()
			return false
		}
	}
}

// waking returns a change that sets Wake relative to now.
func (k *kit) waking(d time.Duration) func(*handoff.Record) {
	return func(r *handoff.Record) { r.Wake = k.now.Add(d) }
}

func checkDue(k *kit) {
	if got := k.claim(far, 0); len(got.Due) != 0 {
		k.fatalf("Claim on an empty store gives %q", ids(got.Due))
	}
	past := k.insert("past", 1, k.waking(-far))
	k.insert("past", 2, k.waking(far))
	k.insert("future", 1, k.waking(far))
	k.insert("far future", 1, k.waking(1000*24*far))
	k.insert("never", 1, nil)
	long := k.insert("long past", 1, func(r *handoff.Record) { r.Wake = k.now.AddDate(-20, 0, 0) })
	ended := k.insert("ended", 1, func(r *handoff.Record) {
		r.State, r.Outcome, r.Wake = handoff.StateEnded, handoff.OutcomeReturned, k.now.Add(-2*far)
	})
	got := k.claim(far, 0)
	k.sameIDsf(got.Due, []handoff.ID{long.ID, ended.ID, past.ID}, "Claim")
	k.says(ruleKeeps)
	for i, want := range []handoff.Record{long, ended, past} {
		k.samef(got.Due[i], want, "the record that Claim gives")
	}

	// The very millisecond is due.
	k.says(ruleDue)
	now := time.Now().UTC().Truncate(time.Millisecond)
	exact := k.insert("exact", 1, func(r *handoff.Record) { r.Wake = now })
	if !k.soon(func() bool {
		return slices.Contains(ids(k.claimSome(handoff.Claim{Now: now, Lease: far, Limit: 10}).Due), exact.ID)
	}) {
		k.fatalf("Claim does not give a record whose Wake is exactly now")
	}
}

func checkEarliest(k *kit) {
	var want []handoff.ID
	for i, minutes := range []int{70, 300, 65, 200, 150, 90, 61, 250, 100, 299} {
		r := k.insert(fmt.Sprint("c", i), 1, k.waking(-time.Duration(minutes)*time.Minute))
		want = append(want, r.ID)
	}
	late := func(id handoff.ID) time.Time { return k.get(id).Wake }
	slices.SortFunc(want, func(a, b handoff.ID) int { return late(a).Compare(late(b)) })
	for len(want) > 0 {
		n := min(3, len(want))
		got := k.claimSome(handoff.Claim{Lease: far, Limit: n})
		k.sameIDsf(got.Due, want[:n], "Claim of at most %d", n)
		want = want[n:]
	}

	// One millisecond decides.
	a := k.insert("ms", 1, k.waking(-far))
	b := k.insert("ms", 2, k.waking(-far-time.Millisecond))
	c := k.insert("ms", 3, k.waking(-far-2*time.Millisecond))
	for _, r := range []handoff.Record{c, b, a} {
		k.sameIDsf(k.claimSome(handoff.Claim{Lease: far, Limit: 1}).Due, []handoff.ID{r.ID}, "Claim of one")
	}

	// Wake can be moved both ways by commits, and the order follows.
	k.insert("moved", 1, k.waking(far))
	early := k.insert("moved", 2, k.waking(-3*far))
	first := k.get(handoff.ID{Conversation: "moved", Number: 1})
	first.Wake = k.now.Add(-2 * far)
	k.commit(first)
	early.Wake = k.now.Add(-far)
	k.commit(early)
	k.sameIDsf(k.claimSome(handoff.Claim{Lease: far, Limit: 5}).Due, []handoff.ID{first.ID, early.ID}, "Claim after Wake was moved")
}

func checkHidden(k *kit) {
	a := k.insert("a", 1, k.waking(-far))
	b := k.insert("b", 1, k.waking(-2*far))
	k.sameIDsf(k.claimSome(handoff.Claim{Lease: far, Limit: 1}).Due, []handoff.ID{b.ID}, "first Claim of one")
	k.sameIDsf(k.claim(far, 0).Due, []handoff.ID{a.ID}, "second Claim")
	for range 3 {
		k.sameIDsf(k.claim(far, 0).Due, nil, "Claim while all is claimed for an hour")
	}
	// Another record is not hidden by them.
	c := k.insert("a", 2, k.waking(-far))
	k.sameIDsf(k.claim(far, 0).Due, []handoff.ID{c.ID}, "Claim after a new record")
	// Reading is not claiming: claimed records are there for everybody else.
	k.says(ruleGet)
	k.samef(k.get(a.ID), a, "Get of a claimed record")
	k.sameIDsf(k.list(handoff.Query{}), []handoff.ID{a.ID, c.ID, b.ID}, "List of claimed records")
}

// checkLapse waits for a short lease to end. A store without a clock of its
// own is told the time; for another one the check has to wait.
func checkLapse(k *kit) {
	const lease = 400 * time.Millisecond
	a := k.insert("a", 1, k.waking(-far))
	first := k.claim(lease, 0)
	k.sameIDsf(first.Due, []handoff.ID{a.ID}, "Claim")
	k.sameIDsf(k.claimSome(handoff.Claim{Now: first.Now, Lease: far, Limit: 10}).Due, nil, "Claim at the same time")
	var again []handoff.Record
	if !k.soon(func() bool {
		now := time.Now().UTC().Truncate(time.Millisecond).Add(lease)
		again = k.claimSome(handoff.Claim{Now: now, Lease: far, Limit: 10}).Due
		return len(again) > 0
	}) {
		k.fatalf("a record whose claim has lapsed is not given again")
	}
	k.sameIDsf(again, []handoff.ID{a.ID}, "Claim after the lease")
	k.samef(again[0], a, "the record that Claim gives")
	k.sameIDsf(k.claimSome(handoff.Claim{Now: k.now.Add(lease * 2), Lease: far, Limit: 10}).Due, nil, "Claim under the second lease")
}

func checkEndsClaim(k *kit) {
	a := k.insert("a", 1, k.waking(-far))
	for range 3 {
		k.sameIDsf(k.claim(far, 0).Due, []handoff.ID{a.ID}, "Claim")
		k.sameIDsf(k.claim(far, 0).Due, nil, "Claim of a claimed record")
		a = k.commit(a) // Wake stays
	}
	k.sameIDsf(k.claim(far, 0).Due, []handoff.ID{a.ID}, "Claim after a commit that kept Wake")

	// A shorter deadline is not hidden by a claim that died.
	a.Wake = k.now.Add(far)
	a = k.commit(a)
	k.sameIDsf(k.claim(far, 0).Due, nil, "Claim after a commit that moved Wake an hour away")
	a.Wake = k.now.Add(-far)
	k.commit(a)
	k.sameIDsf(k.claim(far, 0).Due, []handoff.ID{a.ID}, "Claim after a commit that moved Wake back")
}

func checkClaimVersions(k *kit) {
	a := k.insert("a", 1, func(r *handoff.Record) {
		r.Wake, r.Keys = k.now.Add(-far), one("k", 1, 1)
		r.Owed = []handoff.Owed{{Sink: "s", Cursor: "c", Seq: 1}}
		r.Updated = k.now.Add(-far)
	})
	got := k.claim(far, time.Minute, "s")
	k.sameIDsf(got.Due, []handoff.ID{a.ID}, "Claim")
	k.samef(got.Due[0], a, "the record that Claim gives")
	k.samef(k.get(a.ID), a, "Get after Claim")
	k.sameIDsf(k.list(handoff.Query{}), []handoff.ID{a.ID}, "List after Claim")
	if n := len(k.log(a.ID)); n != 1 {
		k.fatalf("the log has %d entries after Claim, want 1", n)
	}
	// What was read before the claim can be committed.
	k.commit(a)
}

func checkWake(k *kit) {
	a := k.insert("a", 1, nil)
	k.sameIDsf(k.claim(far, 0).Due, nil, "Claim of a record without Wake")
	a.Wake = k.now.Add(-far)
	a = k.commit(a)
	k.sameIDsf(k.claim(far, 0).Due, []handoff.ID{a.ID}, "Claim after Wake was set")
	a.Wake = time.Time{}
	a = k.commit(a)
	k.sameIDsf(k.claim(far, 0).Due, nil, "Claim after Wake was cleared")
	a.Wake = k.now.Add(-far)
	a = k.commit(a)
	k.okf(k.store.Delete(k.ctx, a.ID, a.Version), "Delete")
	k.sameIDsf(k.claim(far, 0).Due, nil, "Claim after the record was deleted")
	k.insert("a", 1, nil)
	k.sameIDsf(k.claim(far, 0).Due, nil, "Claim after it was inserted again without Wake")
}
