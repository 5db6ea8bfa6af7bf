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
	}
}
