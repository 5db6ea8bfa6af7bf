package main

func chain() []mutant {
	return []mutant{
		{row: "g1", file: "decide_wait.go", why: "who ends it opens the next", edits: []edit{{
			`	x.set(dueNext, 0)
`,
			`	x.drop(dueNext)
`,
		}}},
		{row: "g1", file: "decide_wait.go", why: "the next is due when the wrap-up is over", edits: []edit{{
			`		x.set(dueWrapup, x.queue.Wrapup)
`,
			`		x.set(dueWrapup, x.queue.Wrapup)
		x.set(dueNext, x.queue.Wrapup)
`,
		}}},
		{row: "g2", file: "decide_wait.go", why: "an agent gives the user back", edits: []edit{{
			"h.Outcome, h.own.NextOwed, h.own.Importing, h.own.Intake = o, true, false, nil",
			"h.Outcome, h.own.NextOwed, h.own.Importing, h.own.Intake = o, h.Attended, false, nil",
		}}},
		{row: "g3", file: "verbs_bot.go", why: "the worker carries", edits: []edit{{
			`	if prev != nil && prev.own.NextOwed {
		for i`,
			`	if prev != nil && prev.own.NextOwed && len(then) == 0 {
		for i`,
		}}},
		{row: "g4", file: "decide_bot.go", why: "what is new comes first", edits: []edit{{
			`	for i := range c.carried {
		x.carry(c.prev, &c.carried[i])
	}
	x.before`,
			"	x.before",
		}, {
			`		if err := then.apply(x); err != nil {
			return err
		}
	}
`,
			`		if err := then.apply(x); err != nil {
			return err
		}
	}
	for i := range c.carried {
		x.carry(c.prev, &c.carried[i])
	}
`,
		}}},
		{row: "g5", file: "verbs_bot.go", why: "the next free number", edits: []edit{{
			`	o, err := e.apply(ctx, &Handoff{ID: ID{Conversation: conversation}}, c, "open")
`,
			`	o, err := e.apply(ctx, &Handoff{ID: ID{Conversation: conversation}}, c, "open")
	for range 3 {
		if errors.Is(err, ErrConflict) && prev != nil && len(then) == 0 {
			further := *c.prev
			further.ID.Number++
			c.prev = &further
			o, err = e.apply(ctx, &Handoff{ID: ID{Conversation: conversation}}, c, "open")
		}
	}
`,
		}}},
		{row: "g6", file: "decide_bot.go", why: "who opens it calls the bot", edits: []edit{{
			`	x.owed(sinkPacket, sinkPacket, x.h.Seq)
	x.assign(call)
`,
			`	x.assign(call)
`,
		}}},
		{row: "g7", file: "verbs_bot.go", why: "a turn is for all that is open", edits: []edit{{
			`		if p.Call != id {
			continue
		}
`,
			"",
		}}},
		{row: "g7", file: "decide_bot.go", why: "the newest call takes them all", edits: []edit{{
			`		if out[i].Call == "" {
`,
			`		if out[i].Call != callID {
`,
		}}},
		{row: "g8", file: "decide_timer.go", why: "the epoch tells", edits: []edit{{
			`			x.revoke(p.Call)
			p.Call, p.Resumes,`,
			"			p.Call, p.Resumes,",
		}}},
		{row: "g9", file: "verbs_bot.go", why: "it is not answered yet", edits: []edit{{
			`			if again {
`,
			`			if again || h.IsOpen() {
`,
		}}},
		{row: "g10", file: "decide_bot.go", why: "an answer is an answer", edits: []edit{{
			`	x.settle(func(p Pending) bool { return p.Call != id })
`,
			`	x.settle(func(Pending) bool { return false })
`,
		}}},
		{row: "g11", file: "decide_timer.go", why: "idle is idle", edits: []edit{{
			"case len(h.Pending) > 0 || f.packetOwed ||",
			"case f.packetOwed ||",
		}}},
		{row: "g11", file: "decide_timer.go", why: "the packet can be late", edits: []edit{{
			"case len(h.Pending) > 0 || f.packetOwed ||",
			"case len(h.Pending) > 0 ||",
		}}, tests: "^TestG11_IdleWaitsForThePacket$"},
		{row: "g12", file: "decide_bot.go", why: "ids are unique in a log", edits: []edit{{
			"		h.own.Known, h.User, h.Language, h.Channel, h.URL = p.own.Known,",
			"		h.own.Known, h.User, h.Language, h.Channel, h.URL = nil,",
		}}},
		{row: "g13", file: "verbs_bot.go", why: "each reply has its own id", edits: []edit{{
			`	return "r/" + t.Call + "//" + strconv.FormatInt(n, 10), func`,
			`	return "r/" + t.Call + "//" + strconv.FormatInt(n, 10) + newID(), func`,
		}}},
		{row: "g14", file: "erase.go", why: "the tombstone is the handoff without its log", edits: []edit{{
			`	rec := e.rules.record(tomb)
`,
			`	tomb.User, tomb.Summary, tomb.Need = h.User, h.Summary, h.Need
	rec := e.rules.record(tomb)
`,
		}}},
		{row: "g14", file: "erase.go", why: "what is ended can go", edits: []edit{{
			"r.State != StateEnded || r.own.NextOwed && r.ID == h.ID ||",
			"r.State != StateEnded ||",
		}}},
		{row: "g15", file: "erase.go", why: "nothing of it is kept", edits: []edit{{
			"own: bookkeeping{Known: h.own.Known, Tombstone: true}",
			"own: bookkeeping{Tombstone: true}",
		}}},
		{row: "g16", file: "verbs_agent.go", why: "notes go to the conversation", edits: []edit{{
			"	o, err := e.act(ctx, id, a, string(kind), \"\", func",
			`	if last, lerr := e.latest(ctx, id.Conversation); lerr == nil && last != nil {
		id = last.ID
	}
	o, err := e.act(ctx, id, a, string(kind), "", func`,
		}}},
		{row: "g16b", file: "decide_timer.go", why: "the bot may be back", edits: []edit{{
			"p.Call, p.Resumes, p.Due = id, p.Resumes+1,",
			"p.Call, p.Resumes, p.Due = id, p.Resumes,",
		}}},
		{row: "g16b", file: "decide_timer.go", why: "the next try may find the queue open", edits: []edit{{
			`		x.event(KindUnanswered).About = p.Seq
		return false
`,
			`		x.event(KindUnanswered).About = p.Seq
		return true
`,
		}}},
		{row: "g16c", file: "decide_bot.go", why: "a new stretch, a new bot", edits: []edit{{
			"h.own.Failures = p.LastAgent, p.Bot, p.LastUser, p.own.Failures",
			"h.own.Failures = p.LastAgent, p.Bot, p.LastUser, 0",
		}}},
		{row: "g16d", file: "decide_bot.go", why: "a stay-out belongs to what has ended", edits: []edit{{
			`		if p.StayOut.After(x.now) {
`,
			`		if p.StayOut.After(x.now) && !p.own.NextOwed {
`,
		}}},
		{row: "g16d", file: "decide_timer.go", why: "the bot waits for the next message", edits: []edit{{
			`	if h.own.Packet != nil {
		x.handOut("packet")
		return
	}
	if x.rules.bot {`,
			"	if false {",
		}}},
	}
}
