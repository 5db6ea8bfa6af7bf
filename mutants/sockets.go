package main

func sockets() []mutant {
	return []mutant{
		{row: "socket", file: "provider/socket.go", in: "provider", tests: "^TestSocket", why: "what was cut is there again at once", edits: []edit{{
			"		gap = min(2*gap, longestGap)\n",
			"",
		}}},
		{row: "socket", file: "provider/socket.go", in: "provider", tests: "^TestSocket$", why: "who is no longer wanted says nothing", edits: []edit{{
			"say(context.WithoutCancel(ctx), c, partTime, s.Leave...)",
			"say(ctx, c, partTime, s.Leave...)",
		}}},
		{row: "socket", file: "provider/socket.go", in: "provider", tests: "^TestSocket", why: "a connection that is open is alive", edits: []edit{{
			"	ctx, cancel := context.WithTimeout(ctx, silence)\n",
			"	ctx, cancel := context.WithCancel(ctx)\n",
		}}},
		{row: "socket", file: "provider/livechat/rtm.go", in: "provider/livechat", tests: "^TestFrames$", why: "what an agent writes is for the user", edits: []edit{{
			` && t.Recipients != "agents" && t.Visibility != "agents"`,
			"",
		}}},
		{row: "socket", file: "provider/livechat/socket.go", in: "provider/livechat", tests: "^TestSocketComesBack$", why: "a token is good until it is refused for good", edits: []edit{{
			`		r.state.Token = ""
		return nil, errOver
`,
			`		return nil, errOver
`,
		}}},
		{row: "socket", file: "provider/rocketchat/ddp.go", in: "provider/rocketchat", tests: "^TestFrames$", why: "a stream that was subscribed to is of our room", edits: []edit{{
			`event, of := strings.CutPrefix(f.Fields.Event, room); {`,
			`event, of := strings.CutPrefix(f.Fields.Event, f.Fields.Event[:min(len(room), len(f.Fields.Event))]); {`,
		}}},
		{row: "socket", file: "provider/rocketchat/typing.go", in: "provider/rocketchat", tests: "^TestTyping", why: "what was said first is said first", edits: []edit{{
			"	m.drop()\n	m.calls++\n",
			"	m.calls++\n",
		}}},
		{row: "socket", file: "provider/rocketchat/socket.go", in: "provider/rocketchat", tests: "^TestSocketAndList$", why: "the socket knows best", edits: []edit{{
			" || time.Since(v.spot) < spotLasts {",
			" || !v.spot.IsZero() {",
		}}},
	}
}
