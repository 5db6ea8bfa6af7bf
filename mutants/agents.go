package main

func agents() []mutant {
	return []mutant{
		{row: "h1", file: "decide_wait.go", why: "an offer lapses by itself", edits: []edit{{
			`	h := &x.h
	x.withdraw(ReasonWithdrawn)
	// A hold may`,
			`	h := &x.h
	// A hold may`,
		}}},
		{row: "h1", file: "index.go", why: "a warm offer takes its seat at accept", edits: []edit{{
			`		if !h.Offers[i].Broadcast {
`,
			`		if !h.Offers[i].Broadcast && !h.Offers[i].Warm {
`,
		}}},
		{row: "h2", file: "decide_wait.go", why: "active has its own deadlines", edits: []edit{{
			`	if !warm {
		x.to(StateOffered)
	}
	x.armOffer()
`,
			`	if !warm {
		x.to(StateOffered)
		x.armOffer()
	}
`,
		}}},
		{row: "h2", file: "decide_agent.go", why: "a hold stops the clock", edits: []edit{{
			`		x.h.own.Seat = nil
	}
	x.rearm()
`,
			`		x.h.own.Seat = nil
	}
`,
		}}},
		{row: "h3", file: "decide_timer.go", why: "lost is lost", edits: []edit{{
			`	if len(h.Offers) == 0 {
		x.requeue(why)
`,
			`	if len(h.Offers) < 9 {
		x.requeue(why)
`,
		}}},
		{row: "h4", file: "decide_agent.go", why: "an agent has one offer", edits: []edit{{
			`	i := slices.IndexFunc(h.Offers, func(o Offer) bool { return o.Number == c.offer && o.Agent == c.who.agent })
`,
			`	i := slices.IndexFunc(h.Offers, func(o Offer) bool { return o.Agent == c.who.agent })
`,
		}}},
		{row: "h4", file: "decide_agent.go", why: "the timer decides", tests: "^TestH4_ExpiredBeforeItFires$", edits: []edit{{
			`	if !o.Deadline.After(x.now) {
		return ErrExpired
	}
`,
			"",
		}}},
		{row: "h5", file: "drain.go", why: "presence tells who is lost", edits: []edit{{
			`	return e.sweepHeld(ctx)`,
			"	return ctx.Err()",
		}}},
		{row: "h5", file: "drain.go", why: "who is on hold does nothing anyway", tests: "^TestH5_SweepSeesWhoIsLostOnHold$", edits: []edit{{
			"StateOffered, StateActive, StateHeld, StateWrapup}",
			"StateOffered, StateActive, StateWrapup}",
		}}},
		{row: "h6", file: "decide_timer.go", why: "the edge of a return clears it", edits: []edit{{
			`	case f.online:
		h.own.AwaySince = time.Time{}
		x.event(KindAgentBack).Agent = h.Agent
`,
			"",
		}}},
		{row: "h7", file: "decide_timer.go", why: "he is not there", edits: []edit{{
			`	case f.awaySince.Add(x.queue.AgentGrace).After(x.now):
		h.own.AwaySince = f.awaySince
		x.regrace()
`,
			"",
		}}},
		{row: "h8", file: "decide_wait.go", why: "he waits from now on", edits: []edit{{
			`	x.h.own.AwaySince = time.Time{}
	x.to(StateWaiting)
	if x.h.Enqueued.IsZero() {
`,
			`	x.h.own.AwaySince = time.Time{}
	x.to(StateWaiting)
	if true {
`,
		}}},
		{row: "h9", file: "decide_timer.go", why: "lost is lost", edits: []edit{{
			`	case h.State == StateWrapup:
		x.event(KindEnded).Data = map[string]string{"outcome": string(h.Outcome)}
		x.end()
`,
			"",
		}}},
		{row: "h10", file: "decide_agent.go", why: "it is his chat", edits: []edit{{
			`	if x.h.own.Seat == nil {
		s.Since = x.now
		x.h.own.Seat = &s
	}
`,
			`	_ = s
`,
		}}},
		{row: "h11", file: "tend.go", why: "it is tried again", edits: []edit{{
			`	if errors.Is(err, ErrFull) && d.Kind == dueHold {
`,
			`	if errors.Is(err, ErrFull) && d.Kind == dueHold && full {
`,
		}}},
		{row: "h11", file: "decide_timer.go", why: "who was held too long goes back", tests: "^TestH11_HoldTimeoutWithASeat$", edits: []edit{{
			`	if x.h.own.Seat == nil && f.full {
`,
			`	if x.h.own.Seat == nil {
`,
		}}},
		{row: "h12", file: "memstore/presence.go", why: "he is there, he beats", edits: []edit{{
			`		old, ok := a.sessions[session]
		if !ok {
			return handoff.ErrNotFound
		}
`,
			`		old := a.sessions[session]
`,
		}}},
		{row: "h12", file: "crew.go", why: "unknown may be online", tests: "^TestH12_Unknown", edits: []edit{{
			"online: st.Availability == Online}",
			"online: st.Availability != Offline}",
		}}},
		{row: "h12", file: "drain.go", why: "unknown may be lost", tests: "^TestH12_Unknown", edits: []edit{{
			"			case st.Availability == Offline && (",
			"			case st.Availability != Online && (",
		}}},
		{row: "h13", file: "decide_agent.go", why: "the seat was free when he was asked", edits: []edit{{
			`	if !o.Broadcast {
		c.who.seat = o.Seat
	}
`,
			`	c.who.seat = o.Seat
	if o.Broadcast {
		c.who.seat.Units = 0
	}
`,
		}}},
		{row: "h13", file: "index.go", why: "an offer is an offer", edits: []edit{{
			`		if !h.Offers[i].Broadcast {
`,
			`		if true {
`,
		}}},
		{row: "h14", file: "tend.go", why: "who did not answer did not answer", edits: []edit{{
			`		f.couldNot = e.couldNot(ctx, h)
`,
			"",
		}}},
		{row: "back", file: "decide_agent.go", in: ".", tests: "^TestTakeBack$", why: "only one is out", edits: []edit{{
			"o.Number == c.offer && o.Warm })",
			"o.Warm })",
		}}},
		{row: "back", file: "decide_agent.go", in: ".", tests: "^TestTakeBack$", why: "who is asked may end it too", edits: []edit{{
			`func (c cTakeBack) apply(x *change) error {
	if err := x.holder(c.who, true); err != nil {
		return err
	}
`,
			`func (c cTakeBack) apply(x *change) error {
`,
		}}},
		{row: "back", file: "decide_agent.go", in: ".", tests: "^TestTakeBack$", why: "the line says it", edits: []edit{{
			`	x.dropOffer(i)
	return nil
}

// cRequeue`,
			`	return nil
}

// cRequeue`,
		}}},
		{row: "back", file: "decide_agent.go", in: ".", tests: "^TestTakeBack$", why: "an offer is withdrawn by the engine", edits: []edit{{
			"	e := x.add(KindWithdrawn, c.who.party())\n",
			"	e := x.event(KindWithdrawn)\n",
		}}},
	}
}
