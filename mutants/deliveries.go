package main

func deliveries() []mutant {
	return []mutant{
		{row: "c1", file: "deliver.go", why: "each sends what it committed", edits: []edit{{
			`		if b != nil {
			lead.Seq = max(lead.Seq, b.From)
		}
`,
			`		lead.Seq = max(lead.Seq, upTo-1)
`,
		}}},
		{row: "c2", file: "deliver.go", why: "the lead is only thrift", edits: []edit{{
			`			return false, ignore(err, ErrLeased)
`,
			`			if !errors.Is(err, ErrLeased) {
				return false, err
			}
`,
		}}},
		{row: "c3", file: "deliver.go", why: "who commits later sends later", edits: []edit{{
			`		if h.owedSeq(t.name) <= at {
			e.reached`,
			`		if at > 0 {
			e.reached`,
		}}},
		{row: "c4", file: "deliver.go", why: "look, then release", edits: []edit{
			{
				`		at, until, err := e.deliverAll(ctx, h, t, b, lead, upTo)
`,
				`		at, until, err := e.deliverAll(ctx, h, t, b, lead, upTo)
		early, gerr := e.get(ctx, t.id)
		if gerr != nil {
			return false, gerr
		}
`,
			},
			{
				`		h, err = e.get(ctx, t.id)
		if err != nil {
			return errors`,
				`		h = early
		if err != nil {
			return errors`,
			},
		}},
		{row: "c6", file: "worker.go", why: "who commits sends", edits: []edit{{
			`			e.work.send(d.ID, Owed{Sink: d.Sink, Cursor: d.Cursor})
`,
			`			_ = d
`,
		}}},
		{row: "c6", file: "deliver.go", why: "ack, then send", tests: "^TestC6_DeathBeforeTheAck$", edits: []edit{{
			"			stop, err := e.deliverOne(",
			`			if err := e.ack(ctx, Ack{ID: h.ID, Cursor: t.name, Seq: en.Seq, Term: lead.Term, Keep: true}); err != nil {
				return at, time.Time{}, err
			}
			stop, err := e.deliverOne(`,
		}}},
		{row: "c9", file: "state.go", why: "one cursor for each platform", edits: []edit{{
			`return sinkProvider + b.Provider + "/" + strconv.FormatInt(b.Number, 10)`,
			`return sinkProvider + b.Provider + "/" + strconv.Itoa(0)`,
		}}},
		{row: "c10", file: "decide_provider.go", why: "the chat begins when it is bound", edits: []edit{{
			`	b.Status = BindOpen
	if x.h.State`,
			`	b.Status, b.From = BindOpen, x.h.Seq
	if x.h.State`,
		}}},
		{row: "c11", file: "platform.go", why: "the newest transcript is the best", edits: []edit{{
			"case en.Seq > upTo:\n",
			"case en.Seq > upTo && en.Kind != KindMessage:\n",
		}}},
		{row: "c12", file: "deliver.go", why: "what is in the log is to be sent", edits: []edit{{
			`			if en.Seq > upTo {
				return at, time.Time{}, nil
			}
`,
			"",
		}, {
			`			if b != nil {
				// A lead for each message`,
			`			if b != nil && at < 0 {
				// A lead for each message`,
		}}},
		{row: "c13", file: "decide_provider.go", why: "each attempt has its transcript", edits: []edit{{
			`	x.set(dueOpen, c.again)
	x.event(KindAttempt)`,
			`	x.set(dueOpen, c.again)
	x.from()
	x.event(KindAttempt)`,
		}}},
	}
}
