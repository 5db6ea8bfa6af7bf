package main

func turns() []mutant {
	const lost = "^TestStoreThatLostItsLastCommits$"
	return []mutant{
		{row: "b1", file: "verbs_bot.go", why: "nothing is open, so the bot has control", edits: []edit{{
			"if h != nil && (h.ID.Number != t.Number || h.Epoch != t.Epoch || h.IsOpen()) || h == nil && t.Number != 0 {",
			"if h != nil && h.IsOpen() {",
		}}},
		{row: "b2", file: "decide_bot.go", why: "Receive has checked the turn", edits: []edit{{
			`func (c cReply) apply(x *change) error {
	if err := x.current(&c.turn); err != nil {
		return err
	}
`,
			`func (c cReply) apply(x *change) error {
`,
		}}},
		{row: "b2", file: "decide_bot.go", why: "a message that answers nobody needs no control", edits: []edit{{
			`	if x.h.Controller().Role != RoleBot {
		return ErrStale
	}
	x.says(c.msg, "")`,
			"	x.says(c.msg, \"\")",
		}}},
		{row: "b3", file: "verbs_bot.go", why: "the host has the message", edits: []edit{{
			`		return Entry{}, e.giveBack(ctx, t)
`,
			`		return Entry{}, ErrStale
`,
		}}},
		{row: "b4", file: "request.go", why: "a request is welcome from whomever", edits: []edit{{
			`	if !open && c.turn != nil {
		return Requested{}, ErrStale
	}
`,
			`	if !open {
		c.turn = nil
	}
`,
		}}},
		{row: "b4", file: "decide_wait.go", why: "the request's turn was checked when it came", edits: []edit{{
			`	if c.turn != nil && x.h.Version > 0 {
		if err := x.current(c.turn); err != nil {
			return err
		}
	}
	x.request(&c)`,
			"	x.request(&c)",
		}}},
		{row: "b5", file: "decide_bot.go", why: "the packet tells, it does not ask", edits: []edit{{
			`	x.owed(sinkPacket, sinkPacket, x.h.Seq)
	x.assign(call)
`,
			`	x.owed(sinkPacket, sinkPacket, x.h.Seq)
`,
		}}},
		{row: "b6", file: "handoff.go", why: "erased is erased", edits: []edit{{
			`	h, err = e.newest(ctx, tombstone(conversation))
`,
			"",
		}}},
		{row: "b7", file: "decide_bot.go", why: "an imported message is not a received one", edits: []edit{{
			`		if p.From.Role == RoleUser {
			x.h.own.Known =`,
			`		if p.From.Role == RoleUser && p.Text == "" {
			x.h.own.Known =`,
		}}},
		{row: "b7", file: "verbs_bot.go", why: "entry ids will tell", edits: []edit{{
			`		if h.own.Known.has(hash(in.ID)) {
`,
			`		if h.own.Known.has(hash(in.ID)) && h.State != StateWaiting {
`,
		}}},
		{row: "b9", file: "platform.go", why: "the log is in order", edits: []edit{{
			`	slices.SortStableFunc(out, func(a, b Entry) int { return a.At.Compare(b.At) })
	return out, notes, nil`,
			"	return out, notes, nil",
		}}},
		{row: "b10", file: "decide_wait.go", why: "the bot has told what matters", edits: []edit{{
			`	if x.rules.importing {
`,
			`	if x.rules.importing && c.turn != nil {
`,
		}}},
		{row: "b10", file: "decide_agent.go", why: "a list shows what it shows", edits: []edit{{
			"x.queue.Style == Push || h.own.Importing {",
			"x.queue.Style == Push {",
		}}},
		{row: "warm", file: "handoff.go", why: "who is refused is refused", tests: "^TestWarm", in: ".", edits: []edit{{
			`		case was && !isUnknown(err):
`,
			`		case was && errors.Is(err, ErrConflict):
`,
		}}},
		{row: "warm", file: "handoff.go", why: "a store is a store", tests: "^TestWarm", in: ".", edits: []edit{{
			"	if !errors.Is(err, context.Canceled) {\n",
			"	if false {\n",
		}}},
		{row: "doubt", file: "warm.go", why: "an own commit is an own commit", tests: lost, in: ".", edits: []edit{{
			"	e.work.own.clear()\n", "",
		}}},
		{row: "doubt", file: "warm.go", why: "a cursor never goes back", tests: lost, in: ".", edits: []edit{{
			"	e.reached.clear()\n", "",
		}}},
		{row: "doubt", file: "memstore/cursor.go", why: "whoever leads tries", tests: lost, in: ".", edits: []edit{{
			"		c.until, c.tries = noLead, max(c.tries-1, 0)\n", "		c.until = noLead\n",
		}}},
		{row: "doubt", file: "worker.go", why: "a cursor never goes back", tests: lost, in: ".", edits: []edit{{
			"			e.reached.drop(receiver{d.ID, d.Cursor}) // the store knows better\n", "",
		}}},
		{row: "doubt", file: "warm.go", why: "what was shown was shown", tests: lost, in: ".", edits: []edit{{
			"	e.begun.clear()\n", "",
		}}},
		{row: "warm", file: "warm.go", why: "a version tells", tests: "^TestWarm", in: ".", edits: []edit{{
			`	r.stay = warmFor
`, ``,
		}}},
		{row: "warm", file: "hear.go", why: "a lost race costs little", tests: "^TestWarm", in: ".", edits: []edit{{
			`	e.warm.drop(h.ID)
	e.hub.feed`,
			`	e.hub.feed`,
		}}},
		{row: "warm", file: "request.go", why: "nobody comes back after an erasure", tests: "^TestRequestAfterErase", in: ".", edits: []edit{{
			`		if try == 0 && e.tx == nil {
`,
			`		if e.tx == nil {
`,
		}}},
		{row: "runs", file: "work.go", why: "a signal for each task", tests: "^TestWork", in: ".", edits: []edit{{
			`	p.state[t] = taskRunning
	p.wake()
`,
			`	p.state[t] = taskRunning
`,
		}}},
		{row: "runs", file: "work.go", why: "who goes away leaves nothing", tests: "^TestWork", in: ".", edits: []edit{{
			`	<-p.room
	w.mu.Lock()
	defer w.mu.Unlock()
	p.wake()
`,
			`	<-p.room
`,
		}}},
		{row: "runs", file: "work.go", why: "who broke off was the last", tests: "^TestWork", in: ".", edits: []edit{{
			`taskAgain || broken && w.runs > 1 {`,
			`taskAgain {`,
		}}},
		{row: "torn", file: "history/erase.go", why: "what is not listed is gone", tests: "^TestEraseKeepsTheUnreadable$", in: "history", edits: []edit{{
			`		for _, id := range found.Unreadable {
			if`,
			`		for _, id := range found.Unreadable[:0] {
			if`,
		}}},
		{row: "torn", file: "read.go", why: "a short page is the last", tests: "^TestUnreadableHandoffIsLeftOut$", in: ".", edits: []edit{{
			`		if len(out) == most || len(recs) < q.Limit || q.Limit == 0 {
`,
			`		if len(out) <= most || len(recs) < q.Limit || q.Limit == 0 {
`,
		}}},
		{row: "ids", file: "deliver.go", why: "a log's numbers are its own", tests: "^TestStoreThatLostItsLastCommits$", in: ".", edits: []edit{{
			` + "-" + strconv.FormatInt(en.At.UnixMilli(), 36)
	return m`,
			`
	return m`,
		}}},
		{row: "torn", file: "deliver.go", why: "who cannot read sends nothing", tests: "^TestUnreadableEntryHoldsUpNobody$", in: ".", edits: []edit{{
			`		page, err := e.legible(ctx, h.ID, at, 100)
`,
			`		page, err := e.page(ctx, h.ID, at, 100)
`,
		}}},
	}
}
