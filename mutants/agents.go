package main

func agents() []mutant {
	return []mutant{
		{row: "h1", file: "decide_wait.go", why: "an offer lapses by itself", edits: []edit{{
			"	h := &x.h\n	x.withdraw(ReasonWithdrawn)\n	// A hold may", "	h := &x.h\n	// A hold may",
		}}},
		{row: "h1", file: "index.go", why: "a warm offer takes its seat at accept", edits: []edit{{
			"		if !h.Offers[i].Broadcast {\n", "		if !h.Offers[i].Broadcast && !h.Offers[i].Warm {\n",
		}}},
		{row: "h2", file: "decide_wait.go", why: "active has its own deadlines", edits: []edit{{
			"	if !warm {\n		x.to(StateOffered)\n	}\n	x.armOffer()\n", "	if !warm {\n		x.to(StateOffered)\n		x.armOffer()\n	}\n",
		}}},
		{row: "h2", file: "decide_agent.go", why: "a hold stops the clock", edits: []edit{{
			"		x.h.own.Seat = nil\n	}\n	x.rearm()\n", "		x.h.own.Seat = nil\n	}\n",
		}}},
		{row: "h3", file: "decide_timer.go", why: "lost is lost", edits: []edit{{
			"	if len(h.Offers) == 0 {\n		x.requeue(why)\n", "	if len(h.Offers) < 9 {\n		x.requeue(why)\n",
		}}},
		{row: "h4", file: "decide_agent.go", why: "an agent has one offer", edits: []edit{{
			"	i := slices.IndexFunc(h.Offers, func(o Offer) bool { return o.Number == c.offer && o.Agent == c.who.agent })\n", "	i := slices.IndexFunc(h.Offers, func(o Offer) bool { return o.Agent == c.who.agent })\n",
		}}},
		{row: "h4", file: "decide_agent.go", why: "the timer decides", tests: "^TestH4_ExpiredBeforeItFires$", edits: []edit{{
			"	if !o.Deadline.After(x.now) {\n		return ErrExpired\n	}\n", "",
		}}},
		{row: "h5", file: "drain.go", why: "presence tells who is lost", edits: []edit{{
			`	return e.sweepHeld(ctx, "")`, "	return ctx.Err()",
		}}},
		{row: "h5", file: "drain.go", why: "who is on hold does nothing anyway", tests: "^TestH5_SweepSeesWhoIsLostOnHold$", edits: []edit{{
			"StateOffered, StateActive, StateHeld, StateWrapup}, Limit: 200}", "StateOffered, StateActive, StateWrapup}, Limit: 200}",
		}}},
		{row: "h6", file: "decide_timer.go", why: "the edge of a return clears it", edits: []edit{{
			"	case f.online:\n		h.own.AwaySince = time.Time{}\n		x.event(KindAgentBack).Agent = h.Agent\n", "",
		}}},
		{row: "h7", file: "decide_timer.go", why: "he is not there", edits: []edit{{
			"	case f.awaySince.Add(x.queue.AgentGrace).After(x.now):\n		h.own.AwaySince = f.awaySince\n		x.regrace()\n", "",
		}}},
		{row: "h8", file: "decide_wait.go", why: "he waits from now on", edits: []edit{{
			"	x.h.own.AwaySince = time.Time{}\n	x.to(StateWaiting)\n	if x.h.Enqueued.IsZero() {\n", "	x.h.own.AwaySince = time.Time{}\n	x.to(StateWaiting)\n	if true {\n",
		}}},
		{row: "h9", file: "decide_timer.go", why: "lost is lost", edits: []edit{{
			"	case h.State == StateWrapup:\n		x.event(KindEnded).Data = map[string]string{\"outcome\": string(h.Outcome)}\n		x.end()\n", "",
		}}},
		{row: "h10", file: "decide_agent.go", why: "it is his chat", edits: []edit{{
			"	if x.h.own.Seat == nil {\n		x.h.own.Seat = &s\n	}\n", "	_ = s\n",
		}}},
		{row: "h11", file: "tend.go", why: "it is tried again", edits: []edit{{
			"	if errors.Is(err, ErrFull) && d.Kind == dueHold {\n", "	if errors.Is(err, ErrFull) && d.Kind == dueHold && full {\n",
		}}},
		{row: "h11", file: "decide_timer.go", why: "who was held too long goes back", tests: "^TestH11_HoldTimeoutWithASeat$", edits: []edit{{
			"	if x.h.own.Seat == nil && f.full {\n", "	if x.h.own.Seat == nil {\n",
		}}},
		{row: "h12", file: "memstore/presence.go", why: "he is there, he beats", edits: []edit{{
			"		old, ok := a.sessions[session]\n		if !ok {\n			return handoff.ErrNotFound\n		}\n", "		old := a.sessions[session]\n",
		}}},
		{row: "h12", file: "drain.go", why: "unknown may be online", tests: "^TestH12_Unknown", edits: []edit{{
			"		if st.Availability != Online {\n			continue\n		}\n", "		if st.Availability == Offline {\n			continue\n		}\n",
		}}},
		{row: "h12", file: "drain.go", why: "unknown may be lost", tests: "^TestH12_Unknown", edits: []edit{{
			"			case st.Availability == Offline && (", "			case st.Availability != Online && (",
		}}},
		{row: "h13", file: "decide_agent.go", why: "the seat was free when he was asked", edits: []edit{{
			"	if !o.Broadcast {\n		c.who.seat = o.Seat\n	}\n", "	c.who.seat = o.Seat\n	if o.Broadcast {\n		c.who.seat.Units = 0\n	}\n",
		}}},
		{row: "h13", file: "index.go", why: "an offer is an offer", edits: []edit{{
			"		if !h.Offers[i].Broadcast {\n", "		if true {\n",
		}}},
		{row: "h14", file: "tend.go", why: "who did not answer did not answer", edits: []edit{{
			"		f.couldNot = e.couldNot(ctx, h)\n", "",
		}}},
	}
}
