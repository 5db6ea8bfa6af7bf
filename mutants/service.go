package main

// service is planted in what is promised around the hand-over.
func service() []mutant {
	return []mutant{
		{row: "rating", file: "decide_service.go", in: ".", tests: "^TestW58_", why: "an end is an end", edits: []edit{{
			"(!byItself || x.queue.AskRating != AskAtAnyEnd)",
			"!byItself",
		}}},
		{row: "withhold", file: "redact.go", in: ".", tests: "^TestRedactFailsClosed$", why: "better than nothing", edits: []edit{{
			`c = Content{Text: withheldText, From: Party{Name: ""}}`,
			`c = Content{Text: en.Text, From: en.From}`,
		}}},
		{row: "loop", file: "automate/automate.go", in: "automate", tests: "^TestLoops", why: "rules are written with care", edits: []edit{{
			"if depth >= cmp.Or(r.Chain, 3) {",
			"if depth < 0 {",
		}}},
		{row: "named", file: "automate/rule.go", in: "automate", tests: "^TestNamesInTexts", why: "a name is a name", edits: []edit{{
			"b.WriteString(clean(value(name, h)))",
			"b.WriteString(value(name, h))",
		}}},
		{row: "answer", file: "intake.go", in: ".", tests: "^TestInvalidAnswers$", why: "texts are bounded anyway", edits: []edit{{
			"	if len(value) > most {\n",
			"	if most < 0 {\n",
		}}},
		{row: "hours", file: "hours.go", in: ".", tests: "^TestWeekly_(At|daylightSaving|twins)$", why: "closing time is still open", edits: []edit{{
			"			case now < to:\n",
			"			case now <= to:\n",
		}}},
		{row: "callback", file: "decide_service.go", in: ".", tests: "^TestCallbackKeepsThePlace$", why: "the ladder is for all", edits: []edit{{
			"	if x.h.Callback == nil {\n",
			"	if x.h.Callback != nil {\n",
		}, {
			"	return x.h.Callback.At.Add(x.queue.KeepCallback).Sub(x.now)\n",
			"	return 0\n",
		}}},
		{row: "audience", file: "history/export.go", in: "history", tests: "^TestExportForTheUser$", why: "what was said was said to him", edits: []edit{{
			"		return en.ForUser()\n",
			"		return en.IsSaid()\n",
		}}},
		{row: "resume", file: "history/filter.go", in: "history", tests: "^TestExportGoesOn$", why: "a repeat is harmless", edits: []edit{{
			"		for q.After, q.Limit = at, 100; ; {\n",
			"		for q.After, q.Limit = (handoff.Cursor{ID: at.ID}), 100; ; {\n",
		}}},
	}
}
