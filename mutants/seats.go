package main

func seats() []mutant {
	return []mutant{
		{row: "d1", file: "verbs_agent.go", why: "one more does not matter", edits: []edit{{
			"Max: a.Seats}",
			"Max: a.Seats + 1}",
		}}},
		{row: "d1", file: "index.go", why: "the agent's own limit is enough", tests: "^TestD1_QueueSeats$", edits: []edit{{
			`	if s.Queue != "" {
`,
			`	if s.QueueMax > s.Max {
`,
		}}},
		{row: "d2", file: "verbs_agent.go", why: "a chat takes one seat", edits: []edit{{
			"Units: max(1, h.own.Units)",
			"Units: min(1, h.own.Units)",
		}}},
		{row: "d4", file: "handoff.go", why: "a refusal is a refusal", edits: []edit{{
			`		if unknown != nil {
			// After an unknown outcome`,
			`		if false {
			// After an unknown outcome`,
		}, {
			"ferr == nil && found != nil {",
			"ferr == nil && found != nil && unknown == nil {",
		}}},
		{row: "d4", file: "handoff.go", why: "a repeated call is a new one", edits: []edit{{
			"ferr == nil && found != nil {",
			"ferr == nil && found != nil && unknown != nil {",
		}}},
		{row: "d4", file: "verbs_bot.go", why: "known is known", tests: "^TestD4_LostAnswerOfTheBot$", edits: []edit{{
			`			if again {
`,
			`			if false {
`,
		}}},
		{row: "d5", file: "decide_wait.go", why: "the seat goes with the record", edits: []edit{{
			`	x.h.Ended, x.h.own.Seat = x.now, nil
`,
			`	x.h.Ended = x.now
`,
		}}},
		{row: "d5", file: "decide_wait.go", why: "the seat is given back when the user has gone", tests: "^TestD5_WrapupHoldsTheSeat$", edits: []edit{{
			`		x.to(StateWrapup)
`,
			`		x.to(StateWrapup)
		h.own.Seat = nil
`,
		}}},
	}
}
