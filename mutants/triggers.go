package main

// triggers is planted in how the escalation rules read a text.
func triggers() []mutant {
	const in = "trigger"
	return []mutant{
		{row: "quote", file: "trigger/quote.go", in: in, tests: "^TestQuotationMarksAroundARequest", why: "what is quoted is reported", edits: []edit{{
			"	return s.unquoted() >= 2\n",
			"	return true\n",
		}}},
		{row: "quote", file: "trigger/quote.go", in: in, tests: "^TestQuotedSpeechIsReported$", why: "an apostrophe closes", edits: []edit{{
			"		if kind == quoteSingle && follows {\n",
			"		if kind == quoteNone && follows {\n",
		}}},
		{row: "quote", file: "trigger/quote.go", in: in, tests: "^TestQuotationMarksAroundARequest", why: "a mark behind a number opens, too", edits: []edit{{
			"	case q.kind == quoteNone && !word && (follows",
			"	case q.kind == quoteNone && (follows",
		}}},
		{row: "quote", file: "trigger/match.go", in: in, tests: "^TestQuotedRefusalCancelsNothing$", why: "a refusal is a refusal", edits: []edit{{
			"r.bare == GuardNegated && !s.reported(h)",
			"r.bare == GuardNegated",
		}}},
		{row: "typo", file: "trigger/match.go", in: in, tests: "^TestSpellingMistakesStayInTheirLanguage$", why: "one list is enough", edits: []edit{{
			"		typos = &m.typos[session]\n",
			"		typos = &m.typos[len(m.progs)]\n",
		}}},
		{row: "second", file: "trigger/text.go", in: in, tests: "^TestWhatWasTakenBack", why: "another language, another reading", edits: []edit{{
			" && !back.overlaps(v.best)",
			" && (session >= 0 || !back.overlaps(v.best))",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "a greeting with a role asks for it", edits: []edit{{
			"comma? human|team stop* end",
			"comma? 'nobody' stop* end",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "nothing stands between talking and with whom", edits: []edit{{
			"\"talk .{1,5} 'with' ",
			"\"talk 'with' ",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "their mail address is a person", edits: []edit{{
			"'email'|'phone'|'number'|'address'|'details'|'info'|'name' 'of'",
			"'nobodys' 'of'",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "what will happen is asked for", edits: []edit{{
			"'will' det? anyb|human aux?",
			"'nobody' det? anyb|human aux?",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "whom one should ask, is a request with any matter", edits: []edit{{
			"'who'|'whom' 'should' i say|touch to? >",
			"'who'|'whom' 'should' i say|touch to?",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "what others look for is asked for", edits: []edit{{
			"'do'|'are'|'does'|'is' you|they x? 'in'?",
			"'nobody' you|they x? 'in'?",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "a reminder is a request", edits: []edit{{
			"'remind'|'reminder' me? 'to'",
			"'nobody' me? 'to'",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "nobody wishes with if", edits: []edit{{
			"'it'? 'if' anyb aux{1,2}",
			"'it'? 'nobody' anyb aux{1,2}",
		}}},
		{row: "asks", file: "trigger/packs/de.json", in: in, tests: "^TestAsks$", why: "a question about whom one talks to asks for him", edits: []edit{{
			"'mit_wem' talk|'spricht'|'red'",
			"'niemand' talk|'spricht'|'red'",
		}}},
		{row: "asks", file: "trigger/packs/es.json", in: in, tests: "^TestAsks$", why: "the virtual one is a person", edits: []edit{{
			"human 'virtual'|'virtuales'|'digital'",
			"human 'nadie'",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "one of a thing is somebody", edits: []edit{{
			"'grab'|'book' me? 'one' stop",
			"'grab'|'book' me? 'nobody' stop",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "one hundred is somebody to transfer to", edits: []edit{{
			"move|join|give 'one' 'hundred'",
			"move|join|give 'nobody' 'hundred'",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "hours of the desk are asked of the desk", edits: []edit{{
			"'when'|'hours'|'times'|'channels'|'ways' .{0,4} i?",
			"'nobody' .{0,4} i?",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "whom one can contact to do something is a request", edits: []edit{{
			"touch 'here'? stop|ask|end\"",
			"touch 'here'? \"",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "to be taken back to a page is a request", edits: []edit{{
			"'put'|'patch' me 'through'|'thru' 'to'|'with' .{1,4} >",
			"'put'|'patch'|'take' me 'through'|'thru'|'back' 'to'|'with' .{1,4} >",
		}}},
		{row: "asks", file: "trigger/packs/en.json", in: in, tests: "^TestAsks$", why: "only bare words escalate", edits: []edit{{
			"you|i? polite? aux? to2? 'escalate' obj polite? >",
			"you|i? polite? aux? to2? 'nobody' obj polite? >",
		}}},
		{row: "asks", file: "trigger/packs/es.json", in: in, tests: "^TestAsks$", why: "a case cannot be escalated", edits: []edit{{
			"'escalar'|'escalen'|'escale' 'mi'",
			"'nadie' 'mi'",
		}}},
		{row: "asks", file: "trigger/packs/pt.json", in: in, tests: "^TestAsks$", why: "whom one met is asked for", edits: []edit{{
			"'tive'|'teve'|'tiveram'|'tivemos' 'contato'",
			"'nada' 'contato'",
		}}},
		{row: "asks", file: "trigger/packs/es.json", in: in, tests: "^TestAsks$", why: "a verdict on talking to a bot is none", edits: []edit{{
			"\"< talk with|prep{1,2} det{0,2} bot are",
			"\"< 'nada' talk with|prep{1,2} det{0,2} bot are",
		}}},
	}
}
