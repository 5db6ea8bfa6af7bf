package main

func failures() []mutant {
	return []mutant{
		{row: "i1", file: "deliver.go", why: "it may work later", edits: []edit{{
			`	perm, after := permanent(err)
	code`,
			`	_, after := permanent(err)
	perm := false
	code`,
		}}},
		{row: "i2", file: "deliver.go", why: "first settle, then tell", edits: []edit{{
			`	op := "undelivered/" + t.name`,
			`	if err := e.ack(ctx, Ack{ID: h.ID, Cursor: t.name, Seq: en.Seq, Keep: true}); err != nil {
		return time.Time{}, err
	}
	op := "undelivered/" + t.name`,
		}}},
		{row: "i3", file: "deliver.go", why: "each failure is an event", edits: []edit{{
			`	op := "undelivered/" + t.name`,
			`	op := "undelivered/" + newID() + t.name`,
		}}},
		{row: "i4", file: "deliver.go", why: "each failure is to be known", edits: []edit{{
			`	if en.Kind == KindUndelivered || en.Kind == KindGaveUp {
`,
			`	if en.Kind == KindGaveUp {
`,
		}}},
		{row: "i5", file: "state.go", why: "ended is ended", edits: []edit{{
			`	"undelivered": States(),`,
			`	"undelivered": States()[:9],`,
		}}},
		{row: "i6", file: "deliver.go", why: "one day it will work", edits: []edit{{
			"	if err != nil && (try >= e.cfg.SendTries ||",
			"	if err != nil && (false ||",
		}, {
			"	if try > e.cfg.SendTries {",
			"	if false {",
		}}, tests: "^TestI6_Endless"},
		{row: "i6", file: "deliver.go", why: "tries are limit enough", edits: []edit{{
			"|| e.cfg.SendFor > 0 && start.Sub(en.At) > e.cfg.SendFor) {",
			"|| e.cfg.SendFor < 0) {",
		}}, tests: "^TestI6_Endless"},
		{row: "i7", file: "deliver.go", why: "a process counts its tries", edits: []edit{{
			"	for try := lead.Tries; at < upTo; {",
			"	for try := 1; at < upTo; {",
		}}, tests: "^TestI7_MessageThatKills$"},
		{row: "i7", file: "deliver.go", why: "receivers do not panic", edits: []edit{{
			`		if p := recover(); p != nil {
			err = &DeliveryError{Code: "panic"`,
			`		if p := any(nil); p != nil {
			err = &DeliveryError{Code: "panic"`,
		}}, tests: "^TestI7_Panic$"},
		{row: "i8", file: "deliver.go", why: "a receiver has its own timeouts", edits: []edit{{
			`(err error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
`,
			`(err error) {
	ctx, cancel := context.WithCancel(ctx)
`,
		}}},
		{row: "i9", file: "tend.go", why: "it may come back", edits: []edit{{
			`			c.cursors = append(c.cursors, o.Cursor)
`,
			`			c.again = look
`,
		}}},
		{row: "i9", file: "decide_bot.go", why: "what has ended waits for nothing", edits: []edit{{
			`		x.set(dueAudit, look)
`,
			`		x.drop(dueAudit)
`,
		}}},
		{row: "i10", file: "erase.go", why: "what is owed is owed", edits: []edit{{
			"own: bookkeeping{Known: h.own.Known, Tombstone: true}",
			"own: bookkeeping{Known: h.own.Known, Tombstone: true, Owed: h.own.Owed}",
		}}},
		{row: "i11", file: "tend.go", why: "a sink that is not ours is nobody's", edits: []edit{{
			`		case age >= look:
`,
			`		case age >= 0:
`,
		}}, tests: "^TestI(9|11)_"},
		{row: "i11", file: "state.go", why: "each owes what it knows", edits: []edit{{
			"ok && !slices.Contains(x.rules.sinks, name) {",
			"ok && slices.Contains(x.rules.sinks, name) {",
		}}},
		{row: "i16", file: "index.go", why: "whoever was free when we looked is free", edits: []edit{{
			"Key{Name: seatKey(s.Agent), Max: s.Max, Units: s.Units}",
			"Key{Name: seatKey(s.Agent), Max: s.Max + s.Units, Units: s.Units}",
		}}},
		{row: "i16", file: "index.go", why: "a queue has no exact limit", tests: "^TestI16_LastPlace", edits: []edit{{
			"	if h.own.QueueMax > 0 && (",
			"	if h.own.QueueMax > 1 && (",
		}}},
		{row: "i17", file: "handoff.go", why: "tell early, it will be stored", edits: []edit{{
			"	sctx, call, err := e.begin(ctx, \"commit\", next.ID)",
			`	e.committed(background(ctx), h, next, entries, c)
	sctx, call, err := e.begin(ctx, "commit", next.ID)`,
		}, {
			`	e.after(func(e *Engine) { e.committed(background(ctx), h, next, entries, c) })
`,
			"",
		}}},
		{row: "i18", file: "handoff.go", why: "who gives up has failed", edits: []edit{{
			`	return fmt.Errorf("%w: %w", ErrUnknown, err)
`,
			`	return fmt.Errorf("failed: %w", err)
`,
		}}},
		{row: "i18", file: "verbs_bot.go", why: "a message that was not taken is not known", tests: "^Test(I18|D4)_", edits: []edit{{
			`			return e.blind(&in, err), unclear(unknown, err)
`,
			`			return e.blind(&in, err), err
`,
		}}},
	}
}
