package main

// mutants returns all of them.
func mutants() []mutant {
	var all []mutant
	for _, part := range [][]mutant{
		matching(), turns(), deliveries(), seats(), platforms(), timers(), chain(), agents(), failures(), waiting(), service(), triggers(), sockets(), desk(), files(),
	} {
		all = append(all, part...)
	}
	return all
}

func matching() []mutant {
	return []mutant{
		{row: "a1", file: "drain.go", why: "edges are enough", edits: []edit{{
			`		if q.pushes() {
			e.work.read(name)
		}
		e.work.tell(name)
		e.work.drain(name)
`,
			`		_, _ = name, q
`,
		}}},
		{row: "a2", file: "index.go", why: "without a deadline nothing is due", edits: []edit{{
			"if at.IsZero() && h.State != StateEnded {",
			"if at.IsZero() && h.State == StateBot {",
		}}},
		{row: "a3", file: "drain.go", why: "who won has done the work", edits: []edit{{
			`case errors.Is(err, errAgain) && lost < tries:
`,
			`case errors.Is(err, errAgain):
			return false, nil
		case errors.Is(err, errAgain) && lost < tries:
`,
		}}},
		{row: "a4", file: "match.go", in: ".", tests: "^TestHeadOrLines$", why: "lines change rarely", edits: []edit{{
			"import (",
			`import (
	"sync"`,
		}, {
			"// waitingLines returns",
			`var linesOf sync.Map

// waitingLines returns`,
		}, {
			`	lines, err = e.store.Lines(ctx, queue)
`,
			`	if old, ok := linesOf.Load(e); ok {
		lines = old.([]string)
		return lines, c.done(nil)
	}
	lines, err = e.store.Lines(ctx, queue)
	linesOf.Store(e, lines)
`,
		}}},
		{row: "a5", file: "drain.go", why: "an agent who comes is an edge, one who grows is none", edits: []edit{{
			`	for _, q := range e.rules.helped(e.roster.queues(agent)) {
		if e.work.running() {`,
			`	for _, q := range e.rules.helped(e.roster.queues(agent)) {
		if !e.work.running() {
			return nil
		}
		a, _ := e.cfg.Directory.Get(ctx, agent)
		if used, _ := e.load(ctx, []string{seatKey(agent)}); used[seatKey(agent)] > 0 || a.Seats == 1 {
			return nil
		}
		if e.work.running() {`,
		}}},
		{row: "a5", file: "worker.go", why: "a seat that comes free is seen by the sweep", edits: []edit{{
			`			e.work.agent(a)
`,
			`			_ = a
`,
		}}},
		{row: "a5", file: "match.go", why: "a queue that opens is seen by the sweep", edits: []edit{{
			`			if !next.IsZero() {
`,
			`			if false {
`,
		}, {
			`open, next := q.Hours.At(at); !open {
`,
			`open, next := q.Hours.At(at); !open && next != at {
`,
		}}},
		{row: "hint", file: "match.go", in: ".", tests: "^TestHintToOffer$", why: "one read after the other will do", edits: []edit{{
			"if ids := e.foresee(ctx, q, c, start, at); len(ids) > 0 {",
			"if ids := e.foresee(ctx, q, c, start, at); len(ids) > 0 && false {",
		}}},
		{row: "head", file: "match.go", in: ".", tests: "^TestHeadOrLines$", why: "the head of a queue can always be served", edits: []edit{{
			"		if len(query.Lines) == 0 { // and",
			"		if false { // and",
		}}},
		{row: "hint", file: "hear.go", in: ".", tests: "^TestHintsOfDeliveries$", why: "the drain does all there is to do", edits: []edit{{
			`			e.learn(h, q.Name)
`,
			"",
		}}},
		{row: "hint", file: "hear.go", in: ".", tests: "^TestHintToOffer$", why: "a hint is what is so", edits: []edit{{
			"r.ID == a.id && r.Version >= a.version",
			"r.ID == a.id",
		}}},
		{row: "hint", file: "hear.go", in: ".", tests: "^TestOwnHints$", why: "another read costs nothing", edits: []edit{{
			"if h.Version > 0 && e.work.isMine(h.ID, h.Version) {",
			"if h.Version < 0 {",
		}}},
		{row: "hint", file: "worker.go", in: ".", tests: "^TestOfferMadeElsewhere$", why: "what another did may be an edge", edits: []edit{{
			"moved := old == nil && h.State != StateOffered ||",
			"moved := old == nil ||",
		}}},
		{row: "hint", file: "match.go", in: ".", tests: "^TestLastSeatIsLikeTheFirst$", why: "who stands in a line waits", edits: []edit{{
			"if n == 0 || !e.roster.mixed(q.Name) {",
			"if n > 0 && !e.roster.mixed(q.Name) {",
		}}},
		{row: "ahead", file: "match.go", in: ".", tests: "^TestAgentsAreReadAtOnce$", why: "each is read when he is chosen", edits: []edit{{
			"len(ids) > 1 {",
			"len(ids) > 100 {",
		}}},
		{row: "ahead", file: "match.go", in: ".", tests: "^TestAgentsAreReadAtOnce$", why: "one is chosen as the other", edits: []edit{{
			"		r.give(n, max(1, h.own.Units), at)\n",
			"",
		}}},
		{row: "ahead", file: "match.go", in: ".", tests: "^TestSeatsAreFreeUntilTheyAreTaken$", why: "what may come is what came", edits: []edit{{
			"			*c = old\n",
			"			_ = old\n",
		}}},
		{row: "ahead", file: "crew.go", in: ".", tests: "^TestAgentsAreReadAtOnce$", why: "a directory is fast", edits: []edit{{
			"g.SetLimit(readAhead)",
			"g.SetLimit(1)",
		}}},
		{row: "broken", file: "read.go", in: ".", tests: "^(TestUnreadable|TestBrokenRecord)", why: "behind a torn leaf nothing is read", edits: []edit{{
			"e.unreadable(ctx, &list[i], err)\n			continue\n",
			"e.unreadable(ctx, &list[i], err)\n			break\n",
		}}},
		{row: "a4", file: "match.go", why: "the roster is right", edits: []edit{{
			"if r.seats[r.ids[c.Agent.ID]].read <= start {",
			"if r.seats[r.ids[c.Agent.ID]].read < 0 {",
		}}},
		{row: "a4", file: "drain.go", why: "whoever is not in the roster is not there", edits: []edit{{
			`		e.readSoon(queue)
`,
			"",
		}}},
		{row: "a4", file: "crew.go", why: "a moment ago is now", edits: []edit{{
			`			time.AfterFunc(in, func() { e.work.read(queue) })
`,
			"",
		}}},
		{row: "a6", file: "decide_wait.go", why: "a cool-down needs no timer", edits: []edit{{
			`			x.setAt(dueCooldown, d.Until)
`,
			`			_ = at
`,
		}}},
		{row: "a7", file: "match.go", why: "the order of arrival will do", edits: []edit{{
			"Lines: can, Waiting: true, ByRank: true,",
			"Lines: can, Waiting: true,",
		}, {
			"Waiting: true, ByRank: true, Limit: min(max(n, 1), 100)",
			"Waiting: true, Limit: min(max(n, 1), 100)",
		}}},
		{row: "a9", file: "decide_agent.go", why: "he may change his mind", edits: []edit{{
			`	x.coolDown(c.agent, ReasonDeclined)
`,
			"",
		}}},
		{row: "a9", file: "decide_timer.go", why: "he may have been away for a moment", edits: []edit{{
			`			x.coolDown(o.Agent, ReasonLapsed)
`,
			`			continue
`,
		}, {
			`		if f.couldNot[o.Agent] {
			e.Reason = ReasonCouldNot
		} else {
			continue
		}
`,
			`		if f.couldNot[o.Agent] {
			e.Reason = ReasonCouldNot
		}
`,
		}}},
	}
}
