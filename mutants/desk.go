package main

func desk() []mutant {
	return []mutant{
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "who has it is a colleague like others", edits: []edit{{
			"if e.n < s.n || s.parties[a.ID] {",
			"if e.n < s.n {",
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "what is newest is what is meant", edits: []edit{{
			"if e.n < s.n || s.parties[a.ID] {",
			"if s.parties[a.ID] {",
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "what was written is written", edits: []edit{{
			"parties(e.rows), map[string]any{}",
			"parties(e.rows), s.told",
		}, {
			"		s.told[class] = data\n",
			"		if s.told == nil {\n			s.told = map[string]any{}\n		}\n		s.told[class] = data\n",
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "who had it has no part in it", edits: []edit{{
			"range [...]*row{c.old, c.now} {",
			"range [...]*row{c.now} {",
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "over is over", edits: []edit{{
			"out[r.facts.agent], out[r.facts.last] = true, true",
			"out[r.facts.agent] = true",
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "who is asked has not got it yet", edits: []edit{{
			"				out[id] = true\n",
			"				_ = id\n",
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "no queues are no queues", edits: []edit{{
			`fmt.Sprintf("%d %t %q", a.Role, a.Queues == nil, a.Queues)`,
			`fmt.Sprintf("%d %q", a.Role, a.Queues)`,
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "of the same role they see the same", edits: []edit{{
			`fmt.Sprintf("%d %t %q", a.Role, a.Queues == nil, a.Queues)`,
			`fmt.Sprintf("%d %t", a.Role, a.Queues == nil)`,
		}}},
		{row: "alike", file: "desk/alike.go", in: "desk", tests: "^TestAlike$", why: "of the same queues they see the same", edits: []edit{{
			`fmt.Sprintf("%d %t %q", a.Role, a.Queues == nil, a.Queues)`,
			`fmt.Sprintf("%t %q", a.Queues == nil, a.Queues)`,
		}}},
		{row: "rights", file: "desk/alike.go", in: "desk", tests: "^TestQueuesChangeWhile", why: "a page knows what it was told", edits: []edit{{
			"a.ID, a.class())",
			`a.ID, "")`,
		}}},
		{row: "rights", file: "desk/stream.go", in: "desk", tests: "^TestQueuesChangeWhileListening$", why: "the next ping is soon enough", edits: []edit{{
			"		s.recheck = true\n",
			"",
		}}},
		{row: "rights", file: "desk/stream.go", in: "desk", tests: "^TestQueuesChangeWhileJoining$", why: "who joins has just been asked", edits: []edit{{
			"	s.recheck = v.rights.Load() != rights\n",
			"	_ = rights\n",
		}}},
		{row: "rights", file: "desk/stream.go", in: "desk", tests: "^TestQueuesChangeWhileJoining$", why: "who listens is told", edits: []edit{{
			"	v.rights.Add(1)\n",
			"",
		}}},
		{row: "rights", file: "desk/stream.go", in: "desk", tests: "^TestQueuesChangeWhileListening$", why: "what came first is told first", edits: []edit{{
			"	for s.recheck {\n",
			"	for s.recheck && len(h.view.ring) == 0 {\n",
		}}},
		{row: "rights", file: "desk/stream.go", in: "desk", tests: "^TestQueuesChangeWhilePolling$", why: "who he is was asked when he came", edits: []edit{{
			"			if !h.still(c, &c.actor) { // it was",
			"			if c.actor.ID == \"\" { // it was",
		}}},
		{row: "rights", file: "desk/replies.go", in: "desk", tests: "^TestQueuesChangeWhileListening$", why: "the next look at the team is soon enough", edits: []edit{{
			"\"agent.put\", c.name)\n	return in, h.agentPut(c)",
			"\"agent.put\", c.name)\n	return in, h.agentChanged(c, c.name)",
		}}},
		{row: "rights", file: "desk/figures.go", in: "desk", tests: "^TestQueuesChangeElsewhere$", why: "agents are changed here", edits: []edit{{
			"				v.recheck(c.id()) // what",
			"				_ = c.id() // what",
		}}},
		{row: "rights", file: "desk/read.go", in: "desk", tests: "^TestQueuesChangeWhileListening$", why: "what he may not open he does not have open", edits: []edit{{
			"			h.view.look(c.actor, in.Session, in.Tab, handoff.ID{}) // perhaps he could until now\n",
			"",
		}}},
		{row: "team", file: "desk/figures.go", in: "desk", tests: "^TestOlderTeamLoses$", why: "what was read is what is so", edits: []edit{{
			"	if v.teamAt.After(from) { // somebody",
			"	if now == nil { // somebody",
		}}},
		{row: "team", file: "desk/figures.go", in: "desk", tests: "^TestTeamSaysWhoServesWhat$", why: "skills are the engine's business", edits: []edit{{
			"		maps.Equal(m.Skills, o.Skills) && slices",
			"		slices",
		}}},
		{row: "team", file: "desk/figures.go", in: "desk", tests: "^TestTeamSaysWhoServesWhat$", why: "whom he does not see he is not told of", edits: []edit{{
			"		case c.old != nil && c.old.seenBy(a):\n",
			"		case c.old != nil && c.now == nil && c.old.seenBy(a):\n",
		}}},
		{row: "team", file: "desk/figures.go", in: "desk", tests: "^TestTeamSaysWhoServesWhat$", why: "who has gone is nobody", edits: []edit{{
			"		out = append(out, memberChange{old: old[id]})\n",
			"		_ = id\n",
		}}},
		{row: "edited", file: "desk/edited.go", in: "desk", tests: "^TestEditedMeanwhile$", why: "the last one wins", edits: []edit{{
			"if !bytes.Equal(a, b) {",
			"if len(a) < 0 && !bytes.Equal(a, b) {",
		}}},
		{row: "edited", file: "desk/edited.go", in: "desk", tests: "^TestEditedMeanwhile$", why: "a new one may take the place of an old one", edits: []edit{{
			"if seen == nil && now == nil {",
			"if seen == nil {",
		}}},
		{row: "edited", file: "desk/edited.go", in: "desk", tests: "^TestEditedMeanwhile$", why: "what was removed is there again", edits: []edit{{
			"		return errNotFound\n",
			"		return nil\n",
		}}},
		{row: "edited", file: "desk/edited.go", in: "desk", tests: "^TestEditedMeanwhile$", why: "everybody may know what is edited", edits: []edit{{
			"need: need, ",
			"",
		}}},
		{row: "edited", file: "desk/edited.go", in: "desk", tests: "^TestEditedMeanwhile$", why: "all hear of what is one's own", edits: []edit{{
			", only: only, ",
			", ",
		}}},
	}
}
