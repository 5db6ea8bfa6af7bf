package main

// waiting is planted in what the goals of waiting rest on: order, relaxation,
// who is asked, and what is said of the wait.
func waiting() []mutant {
	return []mutant{
		{row: "order", file: "queue.go", in: ".", tests: "^Test(W25_|OddNumbers)", why: "with a head start priority still counts", edits: []edit{{
			`		at = at.Add(-headStart(priority, q.Ageing))
		priority = 0
`,
			`		at = at.Add(-headStart(priority, q.Ageing))
`,
		}}},
		{row: "order", file: "queue.go", in: ".", tests: "^TestDeadlinesOrderAQueue$", why: "a target is a wish", edits: []edit{{
			"at = at.Add(cmp.Or(n.Within, q.Target))",
			"at = at.Add(cmp.Or(q.Target, n.Within))",
		}}},
		{row: "order", file: "place.go", in: ".", tests: "^TestW23_", why: "all who wait are ahead", edits: []edit{{
			"p := Place{Position: ahead + 1, Ahead: ahead, More: ahead >= countAhead}",
			"p := Place{Position: ahead + 2, Ahead: ahead, More: ahead >= countAhead}",
		}}},
		{row: "relax", file: "relax.go", in: ".", tests: "^TestRelaxationInStages$", why: "the need says what is left", edits: []edit{{
			"	e := x.event(KindRelaxed)\n",
			"	e := &Entry{}\n",
		}}},
		{row: "relax", file: "relax.go", in: ".", tests: "^TestRelaxationInStages$", why: "the log has it", edits: []edit{{
			"	x.h.Dropped = append(slices.Clip(x.h.Dropped), dropped...)\n",
			"",
		}}},
		{row: "declined", file: "match.go", in: ".", tests: "^TestWhoDeclinedIsAskedLast$", why: "a cool-down is enough", edits: []edit{{
			"	return e.roster.willing(q.Name, h, able, at)\n",
			"	return able\n",
		}}},
		{row: "rate", file: "allowance.go", in: ".", tests: "^TestOffersAreSpread", why: "one more does not matter", edits: []edit{{
			"n >= q.AgentMost {",
			"n > q.AgentMost {",
		}}},
		{row: "rate", file: "match.go", in: ".", tests: "^TestOffersAreSpread", why: "each engine counts its own", edits: []edit{{
			`		if to, err = e.allowed(ctx, q, h, to); err != nil {
			return false, err
		}
`,
			"",
		}}},
		{row: "rate", file: "place.go", in: ".", tests: "^TestW24_", why: "what is new is told", edits: []edit{{
			"case h.Place != nil && o.at.Sub(h.Place.At) < q.PlaceEvery:",
			"case h.Place != nil && o.at.Sub(h.Place.At) < 0:",
		}, {
			"policy := estimate.Policy{Every: o.queue.PlaceEvery,",
			"policy := estimate.Policy{Every: 1,",
		}, {
			"if last.Position != told.Position || again {",
			"if true || again {",
		}, {
			"if ok && !again &&",
			"if false && !again &&",
		}}},
		{row: "rises", file: "place.go", in: ".", tests: "^TestToldWaitRisesOnlyWithAReason$", why: "the newest estimate is the best", edits: []edit{{
			"	told.P50, told.P90 = shown.Wait.P50, shown.Wait.P90\n",
			"",
		}}},
		{row: "rises", file: "place.go", in: ".", tests: "^TestToldWaitRisesOnlyWithAReason$", why: "he sees that his place is another", edits: []edit{{
			"		told.Cause = shown.Cause\n",
			"		told.Cause = last.Cause\n",
		}}},
		{row: "rises", file: "estimate/shown.go", in: "estimate", tests: "^Test(Rises|Shown)", why: "an upper bound may rise", edits: []edit{{
			"		next.P90 = min(est.P90, last.Wait.P90)\n",
			"",
		}}},
		{row: "rises", file: "estimate/shown.go", in: "estimate", tests: "^TestCauseIsRemembered", why: "what happened was told", edits: []edit{{
			"	last.Pending |= cause\n",
			"	last.Pending = cause\n",
		}}},
		{row: "unknown", file: "place.go", in: ".", tests: "^Test(W22_|WaitIsLearned|WaitAtNobody)", why: "unknown is unknown", edits: []edit{{
			"		p.Why = ReasonOffline\n",
			"		p.Why = ReasonNoData\n",
		}}},
		{row: "unknown", file: "estimate/queuelength.go", in: "estimate", tests: "^Test(QueueLengthSays|W22)", why: "nobody is a small number", edits: []edit{{
			`	case !usable(seats):
		return Unknown(NoAgents)
`,
			"",
		}}},
		{row: "unknown", file: "estimate/simulate.go", in: "estimate", tests: "^TestSimulateSaysWhy", why: "closed queues have no agents", edits: []edit{{
			`	if sim.s.Closed {
		return Unknown(Closed)
	}
`,
			"",
		}}},
		{row: "unknown", file: "estimate/learn.go", in: "estimate", tests: "^TestUnknownUntil", why: "a first guess is better than none", edits: []edit{{
			"(m.prior.Handle > 0 || handle.events() >= m.prior.minSeen())",
			"(m.prior.Handle > 0 || handle.events() > 0)",
		}}},
		{row: "yield", file: "outlook.go", in: ".", tests: "^TestIdleAgentsWithoutTheSkill", why: "who is idle is slow", edits: []edit{{
			"if !m.online || !slices.ContainsFunc(o.scene.Agents[i].Lines, func(l int) bool { return waits[l] }) {",
			"if _ = waits; !m.online {",
		}}},
		{row: "shift", file: "estimate/path.go", in: "estimate", tests: "^TestShifts$", why: "a plan is a plan", edits: []edit{{
			"const unpunctual = 20.0",
			"const unpunctual = 0.0",
		}}},
		{row: "shift", file: "outlook.go", in: ".", tests: "^TestShiftsAreForeseen$", why: "who is here is here", edits: []edit{{
			"	if m.agent.Shifts == nil {\n",
			"	if m.online {\n",
		}}},
		{row: "refund", file: "match.go", in: ".", tests: "^TestOfferThatLostItsRaceIsNotCounted$", why: "who was chosen was asked", edits: []edit{{
			`			if err := e.refund(ctx, q, h, to[0].agent, op); err != nil {
				return false, err
			}
`,
			"",
		}}},
		{row: "transfer", file: "decide_agent.go", in: ".", tests: "^TestTransferOfWhatWaitsBarsNobody$", why: "who had it last gives it away", edits: []edit{{
			`if had != "" && c.agent == nil && x.queue.Style == Push {`,
			`if had = h.LastAgent; had != "" && c.agent == nil && x.queue.Style == Push {`,
		}}},
		{row: "pending", file: "decide_bot.go", in: ".", tests: "^TestManyUnansweredMessages$", why: "nobody writes that much", edits: []edit{{
			"const mostPending = 200\n",
			"const mostPending = 2000\n",
		}}},
		{row: "pending", file: "decide_bot.go", in: ".", tests: "^TestManyUnansweredMessages$", why: "what was said first is old", edits: []edit{{
			"slices.Delete(slices.Clone(p), keep, keep+len(p)-mostPending)",
			"slices.Delete(slices.Clone(p), 0, len(p)-mostPending)",
		}}},
		{row: "place", file: "decide_wait.go", in: ".", tests: "^TestEveryReturnKeepsThePlace$", why: "who comes back waits from now on", edits: []edit{{
			`	x.h.own.AwaySince = time.Time{}
	x.to(StateWaiting)
	if x.h.Enqueued.IsZero() {
`,
			`	x.h.own.AwaySince = time.Time{}
	x.to(StateWaiting)
	if true {
`,
		}}},
		{row: "overflow", file: "decide_timer.go", in: ".", tests: "^TestOverflowKeepsThePlaceInTime$", why: "another queue, another time", edits: []edit{{
			`		x.moved()
		h.own.LadderFrom, h.own.Rung, h.own.Route, h.own.QueueMax = x.now, 0, 0, 0
`,
			`		x.moved()
		h.Enqueued = x.now
		h.own.LadderFrom, h.own.Rung, h.own.Route, h.own.QueueMax = x.now, 0, 0, 0
`,
		}}},
		{row: "overflow", file: "decide_wait.go", in: ".", tests: "^TestOverflowKeepsThePlaceInTime$", why: "a new queue needs no reason", edits: []edit{{
			"	x.h.own.Moved = x.h.own.Moved || x.h.Place != nil\n",
			"",
		}}},
		{row: "default", file: "config.go", in: ".", tests: "^TestMostSpecialisedIsTheDefault$", why: "a good router is fair", edits: []edit{{
			"		c.Router = MostSpecialised\n",
			"		c.Router = LongestIdle\n",
		}}},
		{row: "idle", file: "pace.go", in: ".", tests: "^TestLongestIdleCountsFromTheLastChat$", why: "one hears of offers", edits: []edit{{
			"	if agent != \"\" && h.Updated.After(p.last[agent]) && (h.State == StateEnded || h.Joined.Equal(h.Updated)) {\n",
			"	if agent != \"\" && h.Updated.After(p.last[agent]) && h.Joined.Equal(h.Updated) {\n",
		}}},
		{row: "broadcast", file: "match.go", in: ".", tests: "^TestBroadcastAsksSomeAtOnce$", why: "all are asked", edits: []edit{{
			"able[:min(len(able), q.BroadcastTo)]",
			"able",
		}}},
		{row: "mode", file: "learn.go", in: ".", tests: "^TestWaitsAreLearnedByQueueAndMode$", why: "a chat is a chat", edits: []edit{{
			"t.of(r.queue(old.Need.Queue)).mode(old.Need.Mode, func(m *estimate.Model) {",
			"t.of(r.queue(old.Need.Queue)).mode(ModeText, func(m *estimate.Model) {",
		}}},
		{row: "mode", file: "outlook.go", in: ".", tests: "^TestWaitsAreLearnedByQueueAndMode$", why: "he waits for a text", edits: []edit{{
			"			if len(o.needs) > 0 && o.lineOf(h) < 0 {\n",
			"			if false {\n",
		}}},
		{row: "excluded", file: "verbs_agent.go", in: ".", tests: "^TestExclusionsHold$", why: "a supervisor knows best", edits: []edit{{
			"	if h.Agent != a.ID && slices.Contains(h.Need.Exclude, a.ID) {\n",
			"	if false {\n",
		}}},
		{row: "rarer", file: "explain.go", in: ".", tests: "^TestExplainTells", why: "who could take it will", edits: []edit{{
			"len(a.Why) == 0 && h.refused(st.Agent) && h.",
			"len(a.Why) < 0 && h.refused(st.Agent) && h.",
		}}},
		{row: "rarer", file: "explain.go", in: ".", tests: "^TestExplainTells", why: "a platform is a platform", edits: []edit{{
			"{Code: CauseOpening, What: h.Provider}",
			"{Code: CausePlatform, What: h.Provider}",
		}}},
		{row: "rarer", file: "explain.go", in: ".", tests: "^TestExplainTells", why: "a history is soon read", edits: []edit{{
			"	case h.own.Importing:\n		out.Why = because(CauseImporting)\n",
			"",
		}}},
		{row: "explain", file: "match.go", in: ".", tests: "^TestExplainSaysWhyEachCannot$", why: "one reason is like another", edits: []edit{{
			"	case slices.Contains(c.full, h.Channel):\n		return Cause{Code: CauseChannelSeat}\n",
			"",
		}}},
	}
}
