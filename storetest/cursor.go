package storetest

import (
	"time"

	"github.com/seed-2a427302/handoff"
)

func cursorChecks() []check {
	return []check{
		{"Lead/never acknowledged", ruleNeverAck, checkNeverAcknowledged},
		{"Lead/leased", ruleLeased, checkLeased},
		{"Lead/terms", ruleTerm, checkTerms},
		{"Lead/tries", ruleTries, checkTries},
		{"Ack/no try", ruleNoTry, checkNoTry},
		{"Ack/forward", ruleNoBack, checkForward},
		{"Ack/term", ruleAckTerm, checkAckTerm},
		{"Ack/until", ruleAckTerm, checkUntil},
		{"Ack/keep", ruleAckTerm, checkKeep},
		{"Ack/many", ruleAck, checkAckMany},
		{"Ack/version", ruleAckPlain, checkAckVersion},
		{"Ack/nobody", ruleAckNobody, checkAckNobody},
	}
}

// log5 inserts a record with five entries.
func (k *kit) log5(conversation string) handoff.ID {
	k.Helper()
	return k.commit(k.draft(conversation, 1), "a", "b", "c", "d", "e").ID
}

// at returns a time some seconds after the check began. The times of Lead are
// the caller's, so these checks never wait.
func (k *kit) at(seconds int) time.Time { return k.now.Add(time.Duration(seconds) * time.Second) }

const minute = time.Minute

func (k *kit) leasedf(id handoff.ID, cursor string, now time.Time, format string, args ...any) {
	k.Helper()
	_, err := k.store.Lead(k.ctx, id, cursor, now, minute)
	k.wantf(err, handoff.ErrLeased, format, args...)
}

func checkNeverAcknowledged(k *kit) {
	id := k.log5("c")
	l := k.lead(id, "x", k.now, minute)
	if l.Seq != 0 || l.Tries != 1 || l.Term < 1 {
		k.fatalf("the first Lead gives %+v, want Seq 0, Tries 1 and a Term above 0", l)
	}
	// Acknowledged without ever having been led.
	k.ack(handoff.Ack{ID: id, Cursor: "y", Seq: 2})
	if l := k.lead(id, "y", k.now, minute); l.Seq != 2 || l.Tries != 1 {
		k.fatalf("Lead after an Ack of 2 gives %+v, want Seq 2 and Tries 1", l)
	}
	// Cursors of other records are others.
	other := k.commit(k.draft("c", 2))
	if l := k.lead(other.ID, "y", k.now, minute); l.Seq != 0 {
		k.fatalf("Lead of a cursor of another record gives %+v, want Seq 0", l)
	}
}

func checkLeased(k *kit) {
	id := k.log5("c")
	k.lead(id, "x", k.at(0), minute)
	k.leasedf(id, "x", k.at(0), "Lead at the time of another lead")
	k.leasedf(id, "x", k.at(59), "Lead one second before the end of another lead of a minute")
	k.leasedf(id, "x", k.at(60).Add(-time.Millisecond), "Lead one millisecond before the end of another lead")
	k.lead(id, "y", k.at(0), minute) // another cursor
	other := k.commit(k.draft("c", 2))
	k.lead(other.ID, "x", k.at(0), minute) // another record
	k.says(ruleLead)
	k.lead(id, "x", k.at(60), minute)
	k.says(ruleLeased)
	k.leasedf(id, "x", k.at(119), "Lead during the second lead")
	k.says(ruleLead)
	k.lead(id, "x", k.at(1000), 5*time.Millisecond)
	k.lead(id, "x", k.at(1000).Add(5*time.Millisecond), time.Hour)
	k.says(ruleLeased)
	k.leasedf(id, "x", k.at(1000+3599), "Lead during a lead of an hour")
	// A commit does not end a lead.
	r := k.get(id)
	k.commit(r)
	k.leasedf(id, "x", k.at(1001), "Lead after a commit")
}

func checkTerms(k *kit) {
	id := k.log5("c")
	last := int64(0)
	for i := range 6 {
		l := k.lead(id, "x", k.at(i*60), minute)
		if l.Term <= last {
			k.fatalf("Lead %d gives term %d after term %d", i+1, l.Term, last)
		}
		last = l.Term
		k.leasedf(id, "x", k.at(i*60), "Lead during a lead")
		switch i {
		case 1, 2: // an end, a move and a commit do not start the terms anew
			k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Seq: int64(i)})
		case 3:
			k.commit(k.get(id))
		}
	}
}

func checkTries(k *kit) {
	id := k.log5("c")
	tries := func(want int, seconds int) handoff.Lead {
		k.Helper()
		l := k.lead(id, "x", k.at(seconds), minute)
		if l.Tries != want {
			k.fatalf("Lead gives %d tries, want %d", l.Tries, want)
		}
		return l
	}
	tries(1, 0)
	for range 3 {
		k.leasedf(id, "x", k.at(1), "Lead during a lead") // counts nothing
	}
	l := tries(2, 60) // the first one lapsed
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Until: k.at(100)})
	l = tries(3, 100) // after a back-off
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Seq: 1})
	l = tries(1, 101) // it moved
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Seq: 1, Until: k.at(102)})
	l = tries(2, 102) // the same Seq again is no move
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Seq: 0, Until: k.at(103)})
	l = tries(3, 103)
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Seq: 3, Keep: true})
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Until: k.at(104)})
	l = tries(1, 104) // it moved during the lead
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Until: k.at(105)})
	r := k.commit(k.get(id))
	tries(2, 105) // a commit is no move
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: r.Seq, Term: -1})
	tries(1, 200) // somebody else's Ack moved it
}

// checkNoTry is about leads that found nothing to send: whoever looks often must
// not use up the tries of what comes then.
func checkNoTry(k *kit) {
	id := k.log5("c")
	lead := func(want, seconds int, why string) handoff.Lead {
		k.Helper()
		l := k.lead(id, "x", k.at(seconds), minute)
		if l.Tries != want {
			k.fatalf("Lead gives %d tries, want %d: %s", l.Tries, want, why)
		}
		return l
	}
	for i := range 3 {
		l := lead(1, i, "the one before ended at once")
		k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term})
		k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term}) // it has ended already
	}
	old := lead(1, 10, "the one before ended at once")
	l := lead(2, 70, "the one before lapsed")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: old.Term}, handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Keep: true})
	l = lead(3, 130, "no Ack has ended it")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term})
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term})
	l = lead(3, 131, "one ended at once, the two before were tries")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Until: k.at(140)})
	l = lead(4, 140, "the one before ended later: it was a try")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 1, Term: l.Term})
	lead(1, 141, "it moved")
}

func checkForward(k *kit) {
	id := k.log5("c")
	seconds := 0
	stands := func(want int64, what string) {
		k.Helper()
		seconds += 100
		if got := k.position(id, "x", k.at(seconds)); got != want {
			k.fatalf("%s: the cursor stands at %d, want %d", what, got, want)
		}
	}
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 3})
	stands(3, "Ack of 3")
	k.says(ruleAckSeq)
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 2})
	stands(3, "Ack of 2 after 3")
	k.ack(handoff.Ack{ID: id, Cursor: "x"})
	stands(3, "Ack of 0 after 3")
	l := k.lead(id, "x", k.at(50), 10*time.Second)
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 1, Term: l.Term})
	stands(3, "Ack of 1 by the leader after 3")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 4, Term: 99_999})
	stands(4, "Ack of 4 under a term that never was")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 5}, handoff.Ack{ID: id, Cursor: "x", Seq: 2})
	stands(5, "Acks of 5 and 2 in one call")
	k.says(ruleNoBack)
	k.commit(k.get(id))
	stands(5, "a commit")
}

func checkAckTerm(k *kit) {
	id := k.log5("c")
	old := k.lead(id, "x", k.at(0), minute)
	now := k.lead(id, "x", k.at(60), minute)

	// The first leader wakes up: his progress counts, his lead is over.
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 3, Term: old.Term})
	k.leasedf(id, "x", k.at(61), "Lead after an Ack under an earlier term")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 2})
	k.leasedf(id, "x", k.at(61), "Lead after an Ack without a term")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: now.Term + 1})
	k.leasedf(id, "x", k.at(61), "Lead after an Ack under a term that never was")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: old.Term, Until: k.at(62)})
	k.leasedf(id, "x", k.at(63), "Lead after an Ack under an earlier term with an end")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: old.Term, Until: k.at(9999)})
	k.ack(handoff.Ack{ID: id, Cursor: "y", Term: now.Term})
	k.leasedf(id, "x", k.at(61), "Lead after an Ack of another cursor")

	// The present one's ends it.
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: now.Term})
	l := k.lead(id, "x", k.at(61), minute)
	k.says(ruleAckSeq)
	if l.Seq != 3 {
		k.fatalf("the cursor stands at %d after an Ack of 3 under an earlier term", l.Seq)
	}
	k.says(ruleAckTerm)
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 5, Term: l.Term})
	k.lead(id, "x", k.at(61), minute)
}

func checkUntil(k *kit) {
	id := k.log5("c")
	l := k.lead(id, "x", k.at(0), minute)
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Until: k.at(10)})
	k.leasedf(id, "x", k.at(9), "Lead before the end that the Ack set")
	l = k.lead(id, "x", k.at(10), minute)

	// Later than the lease: this is how a sender backs off.
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 1, Term: l.Term, Until: k.at(1000)})
	k.leasedf(id, "x", k.at(70), "Lead after the lease, but before the end that the Ack set")
	k.leasedf(id, "x", k.at(999), "Lead before the end that the Ack set")
	l = k.lead(id, "x", k.at(1000), minute)
	if l.Seq != 1 {
		k.fatalf("the cursor stands at %d, want 1", l.Seq)
	}
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Until: k.at(1030)})
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term})
	l = k.lead(id, "x", k.at(1001), minute) // ended at once, after all
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term})
	k.ack(handoff.Ack{ID: id, Cursor: "x", Term: l.Term, Until: k.at(2000)})
	k.lead(id, "x", k.at(1002), minute) // a lead that has ended stays so
}

func checkKeep(k *kit) {
	id := k.log5("c")
	l := k.lead(id, "x", k.at(0), minute)
	for seq := int64(1); seq <= 3; seq++ {
		k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: seq, Term: l.Term, Keep: true})
		k.leasedf(id, "x", k.at(59), "Lead after an Ack with Keep")
	}
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 3, Term: l.Term, Keep: true, Until: k.at(5)})
	k.leasedf(id, "x", k.at(59), "Lead after an Ack with Keep and Until")
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 4, Term: l.Term, Keep: true, Until: k.at(500)})
	if l := k.lead(id, "x", k.at(60), minute); l.Seq != 4 {
		k.fatalf("the cursor stands at %d after Acks with Keep up to 4", l.Seq)
	}
}

func checkAckMany(k *kit) {
	a, b := k.log5("a"), k.log5("b")
	la := k.lead(a, "x", k.at(0), minute)
	lb := k.lead(b, "x", k.at(0), minute)
	k.ack()
	k.ack(
		handoff.Ack{ID: a, Cursor: "x", Seq: 2, Term: la.Term},
		handoff.Ack{ID: handoff.ID{Conversation: "none", Number: 1}, Cursor: "x", Seq: 1},
		handoff.Ack{ID: b, Cursor: "x", Seq: 3, Term: lb.Term, Keep: true},
		handoff.Ack{ID: a, Cursor: "y", Seq: 4},
		handoff.Ack{ID: a, Cursor: "x", Seq: 1},
		handoff.Ack{ID: a, Cursor: "y", Seq: 5},
	)
	k.leasedf(b, "x", k.at(1), "Lead of the one that was kept")
	for _, w := range []struct {
		id     handoff.ID
		cursor string
		now    int
		seq    int64
	}{{a, "x", 1, 2}, {a, "y", 1, 5}, {b, "x", 60, 3}} {
		if got := k.position(w.id, w.cursor, k.at(w.now)); got != w.seq {
			k.fatalf("cursor %q of %v stands at %d, want %d", w.cursor, w.id, got, w.seq)
		}
	}
}

func checkAckVersion(k *kit) {
	r := k.commit(k.draft("c", 1), "a", "b")
	l := k.lead(r.ID, "x", k.now, minute)
	k.samef(k.get(r.ID), r, "Get after Lead")
	k.ack(handoff.Ack{ID: r.ID, Cursor: "x", Seq: 2, Term: l.Term}, handoff.Ack{ID: r.ID, Cursor: "y", Seq: 1})
	k.samef(k.get(r.ID), r, "Get after Ack")
	if n := len(k.log(r.ID)); n != 2 {
		k.fatalf("the log has %d entries after Ack, want 2", n)
	}
	k.commit(r) // what was read before is still the version
}

func checkAckNobody(k *kit) {
	id := handoff.ID{Conversation: "c", Number: 1}
	k.ack(handoff.Ack{ID: id, Cursor: "x", Seq: 4})
	_, err := k.store.Get(k.ctx, id)
	k.wantf(err, handoff.ErrNotFound, "Get of a record that only an Ack named")
	if n := len(k.list(handoff.Query{})); n != 0 {
		k.fatalf("List has %d records after an Ack of a record that does not exist", n)
	}
	k.log5("c")
	if got := k.position(id, "x", k.now); got != 0 {
		k.fatalf("the cursor stands at %d after an Ack from before the record existed", got)
	}
}
