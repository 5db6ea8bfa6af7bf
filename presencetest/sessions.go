package presencetest

import (
	"errors"
	"strconv"
	"sync"

	"github.com/seed-2a427302/handoff"
)

const ms = 1.0 / 60_000 // a millisecond in minutes

// sessionCases returns the contract of [handoff.Sessions].
func sessionCases() []sessionCase {
	return []sessionCase{
		{"unknown", "an id that the presence never heard of is Unknown, since a zero time", func(p *probe) {
			st := p.status(0, p.name("nobody"))[0]
			if st.Availability != handoff.Unknown || !st.Since.IsZero() {
				p.failf("a stranger is %q since %s", st.Availability, st.Since)
			}
		}},
		{"order", "Agents returns one status for each id, in the order of ids", checkOrder},
		{"many", "Agents returns one status for each id, in the order of ids, however many", checkMany},
		{"begin keeps intent", "beginning a session never changes what the agent wants; a new agent wants to be offline", func(p *probe) {
			a, b := p.name("a"), p.name("b")
			p.begin(a, "s", 0, 10)
			p.seems(a, 1, handoff.Offline)
			p.want(b, true, 0)
			p.begin(b, "s", 1, 10)
			p.want(b, false, 2)
			p.begin(b, "s2", 3, 10)
			p.is(b, 4, handoff.Offline, 2)
		}},
		{"intent needs a session", "an agent is online when he wants to work and has a live session, never by one of the two alone", func(p *probe) {
			a, b := p.name("a"), p.name("b")
			p.want(a, true, 0)
			p.seems(a, 1, handoff.Offline)
			p.begin(a, "s", 2, 10)
			p.is(a, 3, handoff.Online, 2)
			p.begin(b, "s", 0, 10)
			p.want(b, true, 4)
			p.is(b, 5, handoff.Online, 4)
			p.want(b, false, 6)
			p.is(b, 7, handoff.Offline, 6)
		}},
		{"expiry", "a session lives until it expires, and then the agent is offline since that time; no write has to happen", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 5)
			p.is(a, 5-ms, handoff.Online, 1)
			p.is(a, 5, handoff.Offline, 5)
			p.is(a, 600, handoff.Offline, 5)
		}},
		{"asking writes nothing", "what is asked about a later time changes no answer about an earlier one: times are arguments", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 5)
			p.is(a, 90, handoff.Offline, 5)
			p.is(a, 2, handoff.Online, 1)
			p.beat(a, "s", 3, 7)
			p.is(a, 6, handoff.Online, 1)
		}},
		{"beat", "a heartbeat extends a live session, and does not change since when the agent is there", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 5)
			p.beat(a, "s", 4, 8)
			p.is(a, 7, handoff.Online, 1)
			p.beat(a, "s", 7, 10)
			p.is(a, 9, handoff.Online, 1)
			p.is(a, 11, handoff.Offline, 10)
		}},
		{"earlier expiry", "a heartbeat with an earlier expiry than the stored one changes nothing, and is no error", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 9)
			p.beat(a, "s", 2, 3)
			p.is(a, 8, handoff.Online, 1)
			p.is(a, 9, handoff.Offline, 9)
		}},
		{"beat after expiry", "a heartbeat never revives a session that has expired: it returns ErrNotFound", func(p *probe) {
			a, b := p.name("a"), p.name("b")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 5)
			p.refuses("Beat a minute after the expiry", p.s.Beat(p.ctx, a, "s", p.at(6), p.at(20)), handoff.ErrNotFound)
			p.is(a, 7, handoff.Offline, 5)
			p.want(b, true, 0)
			p.begin(b, "s", 1, 5)
			p.refuses("Beat at the expiry", p.s.Beat(p.ctx, b, "s", p.at(5), p.at(20)), handoff.ErrNotFound)
			p.is(b, 7, handoff.Offline, 5)
		}},
		{"beat after end", "a heartbeat never revives a session that has ended: it returns ErrNotFound", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 9)
			p.end(a, "s", 3)
			p.refuses("Beat after End", p.s.Beat(p.ctx, a, "s", p.at(4), p.at(20)), handoff.ErrNotFound)
			p.is(a, 5, handoff.Offline, 3)
		}},
		{"beat of nothing", "a heartbeat begins nothing: for a session that was never begun it returns ErrNotFound", func(p *probe) {
			a, b := p.name("a"), p.name("b")
			p.refuses("Beat of a stranger", p.s.Beat(p.ctx, a, "s", p.at(0), p.at(20)), handoff.ErrNotFound)
			p.seems(a, 1, handoff.Unknown)
			p.want(b, true, 0)
			p.refuses("Beat of an unknown session", p.s.Beat(p.ctx, b, "s", p.at(1), p.at(20)), handoff.ErrNotFound)
			p.seems(b, 2, handoff.Offline)
		}},
		{"several sessions", "an agent is there while at least one of his sessions lives; the others come and go without changing since when", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s1", 1, 20)
			p.begin(a, "s2", 2, 20)
			p.is(a, 3, handoff.Online, 1)
			p.end(a, "s1", 4)
			p.is(a, 5, handoff.Online, 1)
			p.end(a, "s2", 6)
			p.is(a, 7, handoff.Offline, 6)
		}},
		{"several expiries", "an agent is there while at least one of his sessions has not expired, and offline since the last of them did", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s1", 1, 9)
			p.begin(a, "s2", 2, 5)
			p.is(a, 6, handoff.Online, 1)
			p.beat(a, "s1", 7, 12)
			p.is(a, 11, handoff.Online, 1)
			p.is(a, 30, handoff.Offline, 12)
		}},
		{"ended before expiry", "an ended session no longer counts: the agent is offline since his last live one ended or expired", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s1", 1, 30)
			p.begin(a, "s2", 2, 5)
			p.end(a, "s1", 3)
			p.is(a, 4, handoff.Online, 1)
			p.is(a, 6, handoff.Offline, 5)
		}},
		{"used id", "a session id that the agent used before is ErrDuplicate, live, ended or expired, and changes nothing", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "live", 1, 9)
			p.refuses("Begin of a live id", p.s.Begin(p.ctx, a, "live", p.at(2), p.at(30)), handoff.ErrDuplicate)
			p.is(a, 10, handoff.Offline, 9)
			p.refuses("Begin of an expired id", p.s.Begin(p.ctx, a, "live", p.at(11), p.at(30)), handoff.ErrDuplicate)
			p.is(a, 12, handoff.Offline, 9)
			p.begin(a, "ended", 13, 30)
			p.end(a, "ended", 14)
			p.refuses("Begin of an ended id", p.s.Begin(p.ctx, a, "ended", p.at(15), p.at(30)), handoff.ErrDuplicate)
			p.is(a, 16, handoff.Offline, 14)
		}},
		{"end of nothing", "ending a session that is not there is no error and changes nothing", func(p *probe) {
			a, b := p.name("a"), p.name("b")
			p.end(a, "s", 0)
			p.seems(a, 1, handoff.Unknown)
			p.want(b, true, 0)
			p.begin(b, "s", 1, 5)
			p.end(b, "other", 2)
			p.is(b, 3, handoff.Online, 1)
			p.end(b, "s", 8)
			p.is(b, 9, handoff.Offline, 5)
			p.begin(b, "s2", 10, 20)
			p.end(b, "s2", 11)
			p.end(b, "s2", 12)
			p.is(b, 13, handoff.Offline, 11)
		}},
		{"intent", "the availability changes at once with what the agent wants, and Since says when; wanting the same again is no change", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 30)
			p.want(a, true, 2)
			p.is(a, 3, handoff.Online, 1)
			p.want(a, false, 4)
			p.is(a, 5, handoff.Offline, 4)
			p.want(a, false, 6)
			p.is(a, 7, handoff.Offline, 4)
			p.want(a, true, 8)
			p.is(a, 9, handoff.Online, 8)
		}},
		{"since is of the availability", "Since says since when the availability holds, also when it began with an expiry that nobody noticed", func(p *probe) {
			a := p.name("a")
			p.want(a, true, 0)
			p.begin(a, "s", 1, 5)
			p.want(a, false, 8) // he was gone already
			p.is(a, 9, handoff.Offline, 5)
			p.want(a, true, 10)
			p.is(a, 11, handoff.Offline, 5)
			p.begin(a, "s2", 12, 20)
			p.is(a, 13, handoff.Online, 12)
		}},
		{"activity", "the status has the agent's own word for what he does, the latest one", func(p *probe) {
			a := p.name("a")
			p.ok("Want", p.s.Want(p.ctx, a, false, "lunch 🥪", p.at(0)))
			if st := p.status(1, a)[0]; st.Activity != "lunch 🥪" || st.Agent != a {
				p.failf("agent %q does %q", st.Agent, st.Activity)
			}
			p.ok("Want", p.s.Want(p.ctx, a, false, "training", p.at(2)))
			p.is(a, 3, handoff.Offline, 0)
			if st := p.status(3, a)[0]; st.Activity != "training" {
				p.failf("he still does %q", st.Activity)
			}
		}},
		{"one session id, two agents", "a session belongs to its agent: another one's session of the same id is another session", func(p *probe) {
			a, b := p.name("a"), p.name("b")
			p.want(a, true, 0)
			p.want(b, true, 0)
			p.begin(a, "s", 1, 30)
			p.begin(b, "s", 2, 30)
			p.end(a, "s", 3)
			p.is(b, 4, handoff.Online, 2)
			p.is(a, 4, handoff.Offline, 3)
		}},
		{"names", "names are compared as bytes; no two may be mixed up", checkNames},
		{"concurrent", "the methods may be called concurrently; of several Begins of one id exactly one succeeds", checkConcurrent},
	}
}

func (p *probe) refuses(what string, err, want error) {
	if !errors.Is(err, want) {
		p.failf("%s returned %v, want %v", what, err, want)
	}
}

func checkOrder(p *probe) {
	on, off, no := p.name("on"), p.name("off"), p.name("no")
	p.want(on, true, 0)
	p.begin(on, "s", 0, 10)
	p.want(off, false, 0)
	ids := []string{off, no, on, off, on, no}
	want := []handoff.Availability{handoff.Offline, handoff.Unknown, handoff.Online, handoff.Offline, handoff.Online, handoff.Unknown}
	for i, st := range p.status(1, ids...) {
		if st.Agent != ids[i] || st.Availability != want[i] {
			p.failf("status %d is %q for %q, want %q for %q", i, st.Availability, st.Agent, want[i], ids[i])
		}
	}
	if list := p.status(1); len(list) != 0 {
		p.failf("asking about nobody returned %d", len(list))
	}
}

func checkMany(p *probe) {
	on := p.name("on")
	p.want(on, true, 0)
	p.begin(on, "s", 0, 10)
	var ids []string
	for i := range 2000 {
		ids = append(ids, p.name("nobody"+strconv.Itoa(i)))
	}
	const at = 1234
	ids[at] = on
	for i, st := range p.status(1, ids...) {
		want := handoff.Unknown
		if i == at {
			want = handoff.Online
		}
		if st.Agent != ids[i] || st.Availability != want {
			p.failf("status %d of %d is %q for %q", i, len(ids), st.Availability, st.Agent)
			return
		}
	}
}

// hostile are pairs of names that careless keys, patterns, collations and
// quoting take for one another.
func hostile(mark string) [][2]string {
	return [][2]string{
		{"Ann" + mark, "ann" + mark},
		{mark + "é", mark + "e\u0301"},
		{mark + "a", mark + "a "},
		{mark + "b", " " + mark + "b"},
		{mark + "c%", mark + "cc"},
		{mark + "d_", mark + "dd"},
		{mark + "e*", mark + "ee"},
		{mark + `f\`, mark + `f\\`},
		{mark + "g'", mark + "g''"},
		{mark + "h/x", mark + "h"},
		{mark + "i:x", mark + "i"},
		{mark + "j{x}", mark + "j"},
		{mark + "k\u00a0", mark + "k"},
		{mark + "l" + "\u200b", mark + "l"},
		{"1" + mark, "01" + mark},
		{mark + "漢字", mark + "汉字"},
		{mark + "../m", mark + "m"},
		{mark + `"n"`, mark + "n"},
	}
}

func checkNames(p *probe) {
	for _, pair := range hostile(p.mark) {
		p.want(pair[0], true, 0)
		p.begin(pair[0], "s", 0, 10)
		p.is(pair[0], 1, handoff.Online, 0)
		if st := p.status(1, pair[1])[0]; st.Availability != handoff.Unknown {
			p.failf("%q is %q, but only %q was ever named", pair[1], st.Availability, pair[0])
		}
		p.want(pair[1], false, 2)
		p.is(pair[0], 3, handoff.Online, 0)
		p.is(pair[1], 3, handoff.Offline, 2)
	}
	// The same for agent and session together, and for sessions of one agent.
	for i, pair := range hostile(p.mark + "x") {
		a := p.name("agent" + strconv.Itoa(i))
		p.want(a, true, 0)
		p.begin(a, pair[0], 1, 10)
		p.begin(a, pair[1], 2, 10)
		p.end(a, pair[0], 3)
		p.is(a, 4, handoff.Online, 1)
	}
	for _, sep := range []string{"/", ":", "|", ".", " ", ",", "-", "_", "#"} {
		a, b := p.name("y")+sep+"s", p.name("y")
		p.want(a, true, 0)
		p.want(b, true, 0)
		p.begin(a, "t", 1, 10)
		p.begin(b, "s"+sep+"t", 2, 10)
		p.end(b, "s"+sep+"t", 3)
		p.is(a, 4, handoff.Online, 1)
	}
}

func checkConcurrent(p *probe) {
	a := p.name("a")
	p.want(a, true, 0)
	const n = 16
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range n {
		wg.Go(func() {
			id := "own" + strconv.Itoa(i)
			errs := []error{
				p.s.Begin(p.ctx, a, id, p.at(1), p.at(10)),
				p.s.Beat(p.ctx, a, id, p.at(2), p.at(20)),
				p.s.End(p.ctx, a, id, p.at(3)),
			}
			err := p.s.Begin(p.ctx, a, "same", p.at(1), p.at(30))
			_, aerr := p.s.Agents(p.ctx, []string{a}, p.at(2))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else {
				p.refuses("Begin of an id that somebody else began", err, handoff.ErrDuplicate)
			}
			p.ok("a verb", errors.Join(append(errs, aerr)...))
		})
	}
	wg.Wait()
	if won != 1 {
		p.failf("%d of %d Begins of one id succeeded", won, n)
	}
	p.seems(a, 29, handoff.Online)
	p.is(a, 30, handoff.Offline, 30)
}
