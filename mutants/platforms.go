package main

func platforms() []mutant {
	return []mutant{
		{row: "e1", file: "platform.go", why: "who tries again opens again", edits: []edit{{
			"ok && b.Tries > 1 {",
			"ok && b.Tries > 10 {",
		}}},
		{row: "e2", file: "decide_provider.go", why: "webhooks will tell", edits: []edit{{
			`		x.queued()
	}
	x.set(dueRead, 0)
`,
			`		x.queued()
	}
`,
		}}},
		{row: "e2", file: "platform.go", why: "a chat is known by its reference", tests: "^TestE2_JoinedNamesTheAttempt$", edits: []edit{{
			`		id, number = parseAttempt(ev.Attempt)
`,
			`		_ = number
`,
		}}},
		{row: "e3", file: "decide_provider.go", why: "one read after the bind is enough", edits: []edit{{
			`	x.set(dueRead, c.again)
`,
			`	x.drop(dueRead)
`,
		}}},
		{row: "e4", file: "decide_provider.go", why: "what is not bound was not opened", edits: []edit{{
			"if b.Status == BindOpening && !b.Calling && !b.Unsure && b.Session.Reference == \"\" {",
			"if b.Status == BindOpening && b.Session.Reference == \"\" {",
		}}},
		{row: "e4", file: "decide_provider.go", why: "a failed close is tried by whoever looks", tests: "^TestE4_(Owed|Given)", edits: []edit{{
			`		x.set(dueClose, c.again)
`,
			`		_ = c.again
`,
		}}},
		{row: "e6", file: "platform.go", why: "a conversation has one chat", edits: []edit{{
			`	if id.IsZero() {
		return nil, nil, nil
	}
	h, err := e.get(ctx, id)`,
			`	if id.IsZero() && ev.Conversation != "" {
		if last, lerr := e.latest(ctx, ev.Conversation); lerr == nil && last != nil {
			id, number = last.ID, -1
		}
	}
	if id.IsZero() {
		return nil, nil, nil
	}
	h, err := e.get(ctx, id)`,
		}, {
			"number != 0 && b.Number != number ||",
			"number > 0 && b.Number != number ||",
		}, {
			"		b.Session.Reference != ev.Reference && (number",
			"		number >= 0 && b.Session.Reference != ev.Reference && (number",
		}}},
		{row: "e7", file: "decide_provider.go", why: "the reference is right", edits: []edit{{
			`	if !c.ev.At.IsZero() && c.ev.At.Before(live.At.Add(-clockDoubt)) {
		return ErrStale // older than the binding
	}
`,
			"",
		}}, tests: "^TestE7_"},
		{row: "e7", file: "platform.go", why: "an event with a time is sure", edits: []edit{{
			`	return ev.At.IsZero() || ev.At.Before(sure)
`,
			`	return ev.At.IsZero() && !sure.IsZero()
`,
		}}},
		{row: "e8", file: "platform.go", why: "a new event id is a new event", edits: []edit{{
			`	return ev.At.IsZero() || ev.At.Before(sure)
`,
			`	return ev.At.Before(sure) && !ev.At.IsZero()
`,
		}}},
		{row: "e8", file: "platform.go", why: "the platform will send it again", tests: "^TestE8_Stored", edits: []edit{{
			`		if err := e.event(ctx, provider, events[i]); err != nil {
			return err
		}
`,
			`		_ = e.event(ctx, provider, events[i])
`,
		}}},
		{row: "refused", file: "decide_timer.go", in: ".", tests: "^TestRefusedMessage", why: "a message that was refused says nothing of the chat", edits: []edit{{
			"			x.set(dueRead, 0) // the chat may be over there\n",
			"",
		}}},
		{row: "refused", file: "decide_timer.go", in: ".", tests: "^TestRefusedMessage", why: "whoever refuses is a platform", edits: []edit{{
			"b.Status == BindOpen && b.cursor() == c.sink {",
			"b.Status == BindOpen {",
		}}},
		{row: "refused", file: "platform.go", in: ".", tests: "^TestRefusedMessage", why: "a deadline names its firing", edits: []edit{{
			`+"/"+itoa(at.UnixMilli())+"/"+itoa(h.Seq), func`,
			`+"/"+itoa(at.UnixMilli()), func`,
		}}},
		{row: "told", file: "provider/cisco/stream.go", in: "provider/cisco", tests: "^TestSeveralAgents$", why: "a platform is asked from where it was read", edits: []edit{{
			`		if r.told[e.key()] {
			continue
		}
`,
			"",
		}}},
		{row: "told", file: "provider/cisco/stream.go", in: "provider/cisco", tests: "^TestEveryOrder$", why: "a platform tells things in the order in which they happen", edits: []edit{{
			"slices.Insert(r.presence, at, *e)",
			"slices.Insert(r.presence, max(at, len(r.presence)), *e)",
		}}},
		{row: "returned", file: "decide_provider.go", in: ".", tests: "^TestReturnedByWord$", why: "who gives a chat back has closed it", edits: []edit{{
			`		if !ev.StillOpen {
			x.closedThere()
		}
		x.over(OutcomeReturned, NoticeReturned)
`,
			`		x.closedThere()
		x.over(OutcomeReturned, NoticeReturned)
`,
		}}},
		{row: "returned", file: "provider/returned.go", in: "provider", tests: "^TestReturned$", why: "a text that begins with the word is the word", edits: []edit{{
			`trimmed == "" || trimmed != rest`,
			"true",
		}}},
		{row: "walk", file: "provider/chatwoot/api.go", in: "provider/chatwoot", tests: "^TestListThatMakesNoSense$", why: "nothing found is not there", edits: []edit{{
			"case list == nil || len(list) > 0 && list[0].ID < 1:",
			"case len(list) > 0 && list[0].ID < 0:",
		}}},
		{row: "walk", file: "provider/livechat/api.go", in: "provider", tests: "^TestEveryStep$", why: "a chat that is not in the answer is over", edits: []edit{{
			"if err == nil && (c.ID != reference || c.Thread.ID == \"\") {",
			"if err == nil && c.ID != reference && c.ID != \"\" {",
		}}},
		{row: "walk", file: "provider/freshchat/api.go", in: "provider", tests: "^TestEveryStep$", why: "an answer without a list is an empty one", edits: []edit{{
			"	case users.Users == nil:\n",
			"	case false:\n",
		}}},
		{row: "walk", file: "provider/rocketchat/chat.go", in: "provider", tests: "^TestEmptyIsAnAnswer$", why: "a configuration says whether anybody is there", edits: []edit{{
			"case got.Config.Enabled == nil && got.Config.Online == nil:",
			"case got.Config.Online == nil:",
		}}},
		{row: "walk", file: "provider/intercom/api.go", in: "provider/intercom", tests: "^TestSameWords$", why: "the same words are the same message", edits: []edit{{
			"part.Author.ID == who && (at.IsZero() || part.CreatedAt == at.Unix()) && ",
			"part.Author.ID == who && ",
		}}},
		{row: "walk", file: "provider/zendesk/chat.go", in: "provider/zendesk", tests: "^TestBotIsSilent$", why: "the author says who it is for", edits: []edit{{
			`in["author"], in["destination"] = author, fields{"integrationType": "none"}`,
			`in["author"] = author`,
		}}},
		{row: "walk", file: "provider/genesys/api.go", in: "provider/genesys", tests: "^TestTroubles$", why: "a token is good until it ends", edits: []edit{{
			"		p.until = time.Time{}\n",
			"",
		}}},
		{row: "walk", file: "provider/zendesk/api.go", in: "provider", tests: "^TestEveryLook$", why: "no messages, so not this one", edits: []edit{{
			"case list.Messages == nil:",
			"case false:",
		}}},
		{row: "walk", file: "provider/chatwoot/api.go", in: "provider", tests: "^TestEveryLook$", why: "no messages, so not this one", edits: []edit{{
			"case list.Payload == nil:",
			"case false:",
		}}},
		{row: "walk", file: "provider/slack/api.go", in: "provider", tests: "^TestEveryLook$", why: "no messages, so not this one", edits: []edit{{
			"if out.Messages == nil {",
			"if false {",
		}}},
		{row: "walk", file: "provider/freshchat/api.go", in: "provider", tests: "^TestNothingNewInFreshchat$", why: "all that was said is what was said lately", edits: []edit{{
			"return moment(m.CreatedTime).Before(since) || see(m)",
			"return see(m)",
		}}},
		{row: "walk", file: "provider/rocketchat/chat.go", in: "provider", tests: "^TestAnswerThatLacks$", why: "what is answered is there", edits: []edit{{
			"case err == nil && got.Message.ID != id:",
			"case false:",
		}}},
		{row: "walk", file: "provider/rocketchat/chat.go", in: "provider", tests: "^TestAnswerThatLacks$", why: "200 is success", edits: []edit{{
			"case pe == nil && (err != nil || !body.Success):",
			"case false:",
		}}},
		{row: "walk", file: "provider/genesys/api.go", in: "provider", tests: "^TestAnswerThatLacks$", why: "an answer of the login has a token", edits: []edit{{
			"if err == nil && out.Token == \"\" {",
			"if false {",
		}}},
		{row: "walk", file: "provider/intercom/api.go", in: "provider", tests: "^TestAnswerThatLacks$", why: "a conversation has its parts", edits: []edit{{
			"(c.ID != reference || c.Parts.Parts == nil)",
			"c.ID != reference",
		}}},
	}
}
