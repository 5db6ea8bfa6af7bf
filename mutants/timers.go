package main

func timers() []mutant {
	return []mutant{
		{row: "f2", file: "worker.go", why: "a lease is for as long as it takes", edits: []edit{{
			"Lease: e.cfg.Lease, Limit: most,",
			"Lease: look, Limit: most,",
		}}},
		{row: "f4", file: "index.go", why: "the newest deadline counts", edits: []edit{{
			"if at.IsZero() || d.At.Before(at) {",
			"if true {",
		}}},
		{row: "f5", file: "memstore/commit.go", why: "a claim is a claim", edits: []edit{{
			`	if sl.look.in == &s.claimed {
		sl.look.drop()
`,
			`	if sl.look.in == &s.claimed {
		return
`,
		}}},
		{row: "f6", file: "decide_timer.go", why: "it was due when it was read", edits: []edit{{
			`	if !ok || at.After(x.now) {
		return ErrStale
	}
	x.drop(c.kind)
	switch`,
			`	_, _ = at, ok
	x.drop(c.kind)
	switch`,
		}}},
		{row: "f7", file: "decide_agent.go", why: "only the user's silence counts", tests: "^TestF7_", edits: []edit{{
			"[]time.Time{x.h.LastUser, x.h.LastSaid} {",
			"[]time.Time{x.h.LastSaid} {",
		}}},
		{row: "f8", file: "decide_timer.go", why: "Wake has come", edits: []edit{{
			`	switch at := x.idleAt(); {
	case at.After(x.now):
		x.setAt(dueIdle, at)
`,
			`	switch {
`,
		}}},
		{row: "f8", file: "decide_timer.go", why: "so has the bot's", edits: []edit{{
			`		case at.After(x.now):
			x.setAt(dueIdle, at)
`,
			`		case at.IsZero():
`,
		}}},
		{row: "f9", file: "handoff.go", why: "our clock is as good as any", edits: []edit{{
			"now().Add(-time.Duration(e.early.Load()))",
			"now()",
		}}},
	}
}
