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
		{row: "answer", file: "decide_intake.go", in: ".", tests: "^TestFormWhileWaitingAsksNobodyTwice$", why: "another need is another request", edits: []edit{{
			"	x.h.Dropped, in.Eased = nil, nil // who declined stays: it is the same request\n",
			"	x.h.Dropped, in.Eased, x.h.own.Declined = nil, nil, nil\n",
		}}},
		{row: "answer", file: "intake.go", in: ".", tests: "^TestInvalidAnswers$", why: "texts are bounded anyway", edits: []edit{{
			"	if len(value) > most {\n",
			"	if most < 0 {\n",
		}}},
		{row: "offline", file: "decide_intake.go", in: ".", tests: "^TestOfflineFormAsksWhatIsNotKnown$", why: "an offline form is a form of its own", edits: []edit{{
			"	in := &intake{Fields: f.questions(x.h.Answers), Required: f.Required, Ends: o",
			"	in := &intake{Fields: f.questions(nil), Required: f.Required, Ends: o",
		}}},
		{row: "offline", file: "decide_intake.go", in: ".", tests: "^TestOfflineFormAsksWhatIsNotKnown$", why: "what was known is in the record", edits: []edit{{
			"ok && (q.Done || q.Given) {\n",
			"ok && q.Done {\n",
		}}},
		{row: "offline", file: "decide_intake.go", in: ".", tests: "^TestOfflineFormThatHasNothingToAsk$", why: "there is something to pass on", edits: []edit{{
			"	if done {\n		x.add(KindLeft",
			"	if done || len(data) > 0 {\n		x.add(KindLeft",
		}}},
		{row: "withheld", file: "intake.go", in: ".", tests: "^TestAnswersThatAreWithheldLead$", why: "the answer says where it leads", edits: []edit{{
			"	q.Done, q.Leads = answered, leads\n",
			"	q.Done = answered\n",
		}}},
		{row: "mode", file: "decide_intake.go", in: ".", tests: "^TestAnswersLeadToQueuesThatServeOtherwise$", why: "he asked for video", edits: []edit{{
			"	x.serve(asked)\n",
			"",
		}}},
		{row: "mode", file: "decide_timer.go", in: ".", tests: "^TestQueuesThatServeOtherwise$", why: "a session is a session", edits: []edit{{
			"		x.serve(h.Need.Mode)\n",
			"",
		}}},
		{row: "brought", file: "decide_wait.go", in: ".", tests: "^TestRequestBringsAllToTheAgent$", why: "the reason says enough", edits: []edit{{
			"	maps.Copy(data, c.data)\n",
			"	maps.Copy(data, map[string]string(nil))\n",
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
		{row: "seen", file: "transcript.go", in: ".", tests: "^TestCanaryWrongAudience$", why: "what was said may be seen", edits: []edit{{
			"func (e *Entry) ForUser() bool { return e.Kind == KindMessage || e.Kind == KindNotice }",
			"func (e *Entry) ForUser() bool { return e.IsSaid() }",
		}}},
		{row: "masked", file: "decide_service.go", in: ".", tests: "^TestAgentsAreMasked$", why: "a name is friendlier", edits: []edit{{
			"	if q.Alias != \"\" {\n",
			"	if q.Alias != \"\" && name == \"\" {\n",
		}}},
		{row: "number", file: "redact.go", in: ".", tests: "^TestRedactCallback$", why: "notices are the engine's own words", edits: []edit{{
			"		return e.Notice == NoticeCallback // says the user's number\n",
			"		return false\n",
		}}},
		{row: "number", file: "redact.go", in: ".", tests: "^TestRedactCallback$", why: "when to call is no secret", edits: []edit{{
			`		out["callback.phone"], out["callback.when"] = c.Phone, c.When` + "\n",
			`		out["callback.phone"] = c.Phone` + "\n",
		}}},
		{row: "closed", file: "redact.go", in: ".", tests: "^TestRedactFailsClosed$", why: "a hook that complains has answered", edits: []edit{{
			`	if err != nil || first(checkText("", out.Text),`,
			`	if err != nil && out.Text == "" || first(checkText("", out.Text),`,
		}}},
		{row: "closed", file: "redact.go", in: ".", tests: "^TestRedactFailsClosed$", why: "the entries were withheld, that is enough", edits: []edit{{
			"	if !ok {\n		c.Data = nil\n	}\n",
			"	if !ok {\n		return\n	}\n",
		}}},
		{row: "once", file: "request.go", in: ".", tests: "^TestW58_", why: "another opinion is another rating", edits: []edit{{
			`e.do(ctx, id, "rate", func`,
			`e.do(ctx, id, "rate"+comment, func`,
		}}},
		{row: "once", file: "decide_bot.go", in: ".", tests: "^TestW58_", why: "everybody has an opinion", edits: []edit{{
			"	if x.h.Rating != nil || !x.h.Attended {\n",
			"	if x.h.Rating != nil {\n",
		}}},
		{row: "figure", file: "analytics/figures.go", in: "analytics", tests: "^TestDay$", why: "all the waiting counts", edits: []edit{{
			"h.Attended && h.Stretch.FirstWait <= target",
			"h.Attended && h.Stretch.Wait <= target",
		}}},
		{row: "figure", file: "analytics/figures.go", in: "analytics", tests: "^TestDay$", why: "who still waits was not served", edits: []edit{{
			"	if queued && (over || h.Attended) {\n",
			"	if queued {\n",
		}}},
		{row: "figure", file: "analytics/figures.go", in: "analytics", tests: "^TestDay$", why: "who leaves has abandoned", edits: []edit{{
			"	gone := queued && over && !h.Attended",
			"	gone := over && !h.Attended",
		}}},
		{row: "figure", file: "analytics/figures.go", in: "analytics", tests: "^TestDay$", why: "the user has gone by then", edits: []edit{{
			"		handle := t.Human + t.Held + t.Wrapup\n",
			"		handle := t.Human + t.Held\n",
		}}},
		{row: "figure", file: "analytics/figures.go", in: "analytics", tests: "^TestDay$", why: "a session is a session", edits: []edit{{
			"handle * time.Duration(h.Capacity())",
			"handle",
		}}},
		{row: "figure", file: "history/filter.go", in: "analytics", tests: "^TestDay$", why: "nobody helped him", edits: []edit{{
			"	case handoff.OutcomeCancelled, handoff.OutcomeContained, handoff.OutcomeHanded:\n		return Everything\n",
			"	case handoff.OutcomeContained, handoff.OutcomeHanded:\n		return Everything\n",
		}}},
		{row: "reason", file: "trigger/decide.go", in: "trigger", tests: "^TestLoopGuard", why: "what is offered is not suppressed", edits: []edit{{
			`		if why != "" {` + "\n",
			`		if why != "" && act == None {` + "\n",
		}}},
		{row: "reason", file: "trigger/decide.go", in: "trigger", tests: "^TestOfferIsAnsweredByYesOrNo$", why: "a guarded signal is none", edits: []edit{{
			"		return None, whyGuardPrefix + s.Guard\n",
			`		return None, ""` + "\n",
		}}},
		{row: "reason", file: "trigger/decide.go", in: "trigger", tests: "^TestUnavailable", why: "nobody is there: that is clear", edits: []edit{{
			"			return None, WhyUnavailable\n",
			`			return None, ""` + "\n",
		}}},
		{row: "leads", file: "decide_intake.go", in: ".", tests: "^TestIntakeByMessages$", why: "the agent reads the answers", edits: []edit{{
			"	x.goWhere(in.where(target{Queue: x.h.Need.Queue, Skills: x.h.Need.Skills}), in.Asked)\n",
			"",
		}}},
		{row: "leads", file: "decide_intake.go", in: ".", tests: "^TestIntakeByMessages$", why: "the queue says enough", edits: []edit{{
			"			if !slices.ContainsFunc(t.Skills, func(have Skill) bool { return have.Name == s.Name }) {\n",
			"			if slices.ContainsFunc(t.Skills, func(have Skill) bool { return have.Name == s.Name }) {\n",
		}}},
		{row: "leads", file: "decide_intake.go", in: ".", tests: "^TestIntakeThatLeads", why: "who was let in is in", edits: []edit{{
			"	if why := d[x.h.Need.Queue]; why != nil {\n		x.absent",
			"	if why := d[x.h.Need.Queue]; why != nil && x.h.Refused {\n		x.absent",
		}}},
		{row: "words", file: "automate/rule.go", in: "automate", tests: "^TestBrokenRules$", why: "a word that nobody knows does no harm", edits: []edit{{
			"		if !w.Known() {\n",
			"		if !w.Known() && i > 0 {\n",
		}}},
		{row: "span", file: "otelhandoff/hooks.go", in: "otelhandoff", tests: "^TestCanary$", why: "an error should say what it is", edits: []edit{{
			`	return fmt.Sprintf("%T", err), true` + "\n",
			`	return fmt.Sprintf("%v", err), true` + "\n",
		}}},
		{row: "next", file: "decide_timer.go", in: ".", tests: "^TestNextProviderWhenNobodyJoins$", why: "the platform still has him", edits: []edit{{
			"			h.own.Route++\n			x.unbind()\n			x.connect(\"\")\n",
			"			h.own.Route++\n			x.connect(\"\")\n",
		}}},
		{row: "turned", file: "decide_service.go", in: ".", tests: "^TestClosingTurnsAway$", why: "closing time is closing time", edits: []edit{{
			"	if q.Closing == ClosingTurnAway && h.isHeld() {\n",
			"	if q.Closing == ClosingServes && h.isHeld() {\n",
		}, {
			"	case q.Closing != ClosingEnds:\n",
			"	case q.Closing == ClosingServes:\n",
		}}},
		{row: "reopen", file: "decide_service.go", in: ".", tests: "^TestReopenPolicies$", why: "the same agent knows him", edits: []edit{{
			"	if q.Reopen == ReopenAgent {\n",
			"	if q.Reopen != ReopenBot {\n",
		}}},
		{row: "brought", file: "request.go", in: ".", tests: "^TestAnswersLead", why: "the bot names the queue", edits: []edit{{
			"		c.take(w, r.Mode)\n		door, derr",
			"		c.take(way{queue: w.queue, skills: r.Skills}, r.Mode)\n		door, derr",
		}}},
		{row: "brought", file: "intake.go", in: ".", tests: "^TestAnswersOfARequestAreChecked$", why: "the bot knows what it asks", edits: []edit{{
			"			if why := fd.check(v); why != \"\" {\n",
			"			if why := fd.check(v); why != \"\" && v == \"\" {\n",
		}}},
		{row: "brought", file: "intake.go", in: ".", tests: "^TestAnswersLeadWheneverTheyAreGiven$", why: "what was said first counts", edits: []edit{{
			"		l := &in.Fields[i].Leads\n",
			"		l := &in.Fields[len(in.Fields)-1-i].Leads\n",
		}}},
		{row: "turn", file: "intake.go", in: ".", tests: "^TestAnswersBeforeTheirTurn$", why: "who is further is further", edits: []edit{{
			"	case i > in.Next:\n		q.Given = true\n	case i == in.Next:\n",
			"	case i >= in.Next:\n",
		}}},
		{row: "turn", file: "decide_intake.go", in: ".", tests: "^TestAnswersBeforeTheirTurn$", why: "what was said was said", edits: []edit{{
			"				delete(x.h.Answers, f.Name)\n",
			"",
		}}},
		{row: "ease", file: "decide_intake.go", in: ".", tests: "^TestAnswers(AndTimeCommute|AfterAnOverflow)$", why: "other skills are another line", edits: []edit{{
			"	n.Skills, n.Also = skills, also\n",
			"	n.Skills, n.Also, x.h.own.LadderFrom, x.h.own.Rung = skills, also, x.now, 0\n",
		}}},
		{row: "ease", file: "relax.go", in: ".", tests: "^TestAnswersAndTimeCommute$", why: "what he asks for now he asks for now", edits: []edit{{
			"		c.Eased = append(slices.Clip(c.Eased), s)\n",
			"",
		}}},
		{row: "ease", file: "decide_intake.go", in: ".", tests: "^TestAnswersAfterAnOverflow$", why: "the form says where", edits: []edit{{
			"	if t.Queue == old.Queue || t.Queue == x.h.Need.Queue {\n",
			"	if t.Queue == x.h.Need.Queue {\n",
		}}},
		{row: "lapse", file: "decide_intake.go", in: ".", tests: "^TestFormThatLapses$", why: "who does not answer still wants a person", edits: []edit{{
			"Required: f.Required, OnLapse: f.OnLapse, Asked: asked}\n",
			"Required: f.Required, Asked: asked}\n",
		}}},
		{row: "asked", file: "decide_intake.go", in: ".", tests: "^TestFormWhileWaitingLeads$", why: "an offer that is out stands", edits: []edit{{
			"	x.withdraw(ReasonWithdrawn)\n	x.goWhere(t, in.Asked)\n",
			"	if x.h.State == StateOffered {\n		return true\n	}\n	x.goWhere(t, in.Asked)\n",
		}}},
		{row: "asked", file: "decide_intake.go", in: ".", tests: "^TestFormWhileWaitingLeads$", why: "what was chosen was chosen", edits: []edit{{
			"in.where(*in.From)\n",
			"in.where(target{Queue: x.h.Need.Queue, Skills: x.h.Need.Skills})\n",
		}}},
		{row: "asked", file: "place.go", in: ".", tests: "^TestFormWhileWaiting$", why: "a place is always news", edits: []edit{{
			"		case h.own.Intake != nil: // what he reads last is the question\n",
			"",
		}}},
		{row: "asked", file: "decide_intake.go", in: ".", tests: "^TestFormAndAPicture$", why: "a picture says enough", edits: []edit{{
			"	if code != \"\" || value == \"\" {\n",
			"	if code != \"\" {\n",
		}}},
		{row: "erased", file: "erase.go", in: ".", tests: "^TestUnreadableHandoffIsErased$", why: "what nobody can read nobody can erase", edits: []edit{{
			"err != nil && list[i].State == StateEnded && list[i].ID != h.ID {",
			"false {",
		}}},
		{row: "erased", file: "erase.go", in: ".", tests: "^TestUnreadableHandoffIsErased$", why: "what nobody can read has ended", edits: []edit{{
			"err != nil && list[i].State == StateEnded && list[i].ID != h.ID {",
			"err != nil && list[i].ID != h.ID {",
		}}},
		{row: "left", file: "decide_bot.go", in: ".", tests: "^TestRetentionKeepsWhatWasLeft$", why: "what the bot had is the bot's", edits: []edit{{
			"	if x.h.Refused || x.h.LeftMessage {\n",
			"	if x.h.Refused {\n",
		}}},
		{row: "left", file: "decide_bot.go", in: ".", tests: "^TestRetentionKeepsWhatWasLeft$", why: "what is over is over", edits: []edit{{
			"	if x.h.Outcome == OutcomeContained {\n",
			"	if false {\n",
		}}},
		{row: "left", file: "decide_bot.go", in: ".", tests: "^TestRetentionKeepsWhatWasLeft$", why: "the first time is the time", edits: []edit{{
			"	x.drop(dueKeep)\n	if d >= 0 {\n",
			"	if d >= 0 {\n",
		}}},
		{row: "choice", file: "intake.go", in: ".", tests: "^TestChoicesInTheUsersLanguage$", why: "answers are words of the Config", edits: []edit{{
			"i < len(shown) && strings.EqualFold(shown[i], text)",
			"i < 0",
		}}},
		{row: "reopen", file: "decide_service.go", in: ".", tests: "^TestReopenPolicies$", why: "who was preferred is preferred", edits: []edit{{
			`	n.BotAnswers, n.Preferred = q.BotAnswers, ""` + "\n",
			"	n.BotAnswers = q.BotAnswers\n",
		}}},
		{row: "given", file: "transcript.go", in: "history", tests: "^TestAnswersAreExported$", why: "what was left was said", edits: []edit{{
			"	if e.Kind != KindLeft || len(e.Data) == 0 {\n",
			"	if e.Kind != KindLeft || len(e.Data) > 0 {\n",
		}}},
		{row: "kept", file: "automate/keep.go", in: "automate", tests: "^TestKeptRulesThatDoNotFit$", why: "people see what they do", edits: []edit{{
			"		if why := a.refuses(&r); why != nil {\n",
			"		if why := a.refuses(&r); why != nil && a.Fixed(r.Name) {\n",
		}}},
	}
}
