package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-2a427302/handoff"
)

const (
	ruleInfo    = "Info does no I/O and always says the same"
	ruleAbility = "a declared capability and the ability that provides it come together"
	ruleMessage = "every message arrives as it is, once, in the order of the calls"
)

// callCases returns the contract as far as calling the provider proves it.
func callCases() []callCase {
	cases := []callCase{
		{"info", "", ruleInfo, checkInfo},
		{"abilities", "", ruleAbility, checkAbilities},
		{"open", "", "Open starts a chat and returns the platform's name for it", checkOpen},
		{"transcript", handoff.CustodyQueue, "the agent sees what was said so far, in order, before anything else", checkTranscript},
		{"note", "", "the note is internal: agents see it, and it is no message", checkOpeningNote},
		{"open again", "", "Open repeated with the same attempt returns the chat that is there, where attempts can be found", checkOpenAgain},
		{"find", "", "Find returns the chat that an attempt opened, also when the answer to Open was lost, and nothing for other attempts", checkFind},
		{"open interrupted", "", "an opening that was interrupted anywhere is found, or opened again: one chat, with everything, once", checkInterrupted},
		{"two chats", "", "another attempt of another conversation is another chat", checkTwoChats},
		{"send", handoff.CustodyQueue, ruleMessage, checkSend},
		{"send hostile", handoff.CustodyQueue, ruleMessage, checkSendHostile},
		{"send again", handoff.CustodyQueue, "a message repeated under its id is not shown again, where SendsOnce says so", checkSendAgain},
		{"send concurrently", handoff.CustodyQueue, "calls for different sessions may be concurrent, and nothing gets into another chat", checkConcurrent},
		{"send when it is over", handoff.CustodyQueue, ruleOver, checkOver},
		{"close", "", "Close ends the chat on the platform; closing one that is closed or unknown is no error", checkClose},
		{"session", "", "a session can be stored: it works after a round trip through JSON, and in another process", checkSession},
		{"state", "", "ReadState tells how a session stands, and who has it", checkState},
	}
	return slices.Concat(cases, failureCases(), eventCases())
}

func checkInfo(r *run) {
	r.v.Break(Refuses)
	again := r.p.Info()
	r.v.Break(Works)
	if !reflect.DeepEqual(r.info, again) || !reflect.DeepEqual(r.info, r.p.Info()) {
		r.failf("Info said %+v, and then %+v", r.info, again)
	}
	r.rule = "a provider has a name and a custody; MaxBytes is a limit that a character fits in, or 0"
	if r.info.Name == "" || strings.ContainsAny(r.info.Name, "\n\x00") || len(r.info.Name) > 100 {
		r.failf("the name is %q", r.info.Name)
	}
	if r.info.Custody != handoff.CustodyQueue && r.info.Custody != handoff.CustodyConversation {
		r.failf("the custody is %q", r.info.Custody)
	}
	if r.info.MaxBytes < 0 || r.info.MaxBytes > 0 && r.info.MaxBytes < 4 {
		r.failf("MaxBytes is %d", r.info.MaxBytes)
	}
}

func checkAbilities(r *run) {
	can := r.info.Can
	has := func(name string, declared, implemented bool) {
		r.t.Helper()
		if declared != implemented {
			r.failf("%s: declared %t, implemented %t", name, declared, implemented)
		}
	}
	_, ok := r.p.(handoff.AvailabilityChecker)
	has("Availability and AvailabilityChecker", can.Availability, ok)
	_, ok = r.p.(handoff.Typist)
	has("TypingOut and Typist", can.TypingOut, ok)
	_, ok = r.p.(handoff.Noter)
	has("Notes and Noter", can.Notes, ok)
	_, ok = r.p.(handoff.Ticketer)
	has("Ticket and Ticketer", can.Ticket, ok)
	_, ok = r.p.(handoff.BotReturner)
	has("ReturnToBot and BotReturner", can.ReturnToBot, ok)
	_, ok = r.p.(handoff.Finder)
	has("FindsAttempt and Finder", can.FindsAttempt, ok)
	_, ok = r.p.(handoff.StateReader)
	has("ReadsState and StateReader", can.ReadsState, ok)
	r.rule = "a provider is a Receiver, a Streamer or both: something has to tell what the agents do"
	_, push := r.p.(handoff.Receiver)
	_, pull := r.p.(handoff.Streamer)
	if !push && !pull {
		r.failf("it is neither")
	}
}

func checkOpen(r *run) {
	s := r.open("c1")
	if c := r.chat(s); !c.Open {
		r.failf("the chat is not open on the platform")
	}
	if n := len(r.v.Chats()); n != 1 {
		r.failf("the platform has %d chats, want 1", n)
	}
}

func checkTranscript(r *run) {
	c := r.chat(r.open("c1"))
	seen := c.texts()
	if !r.info.Can.NativeHistory {
		seen += strings.Join(c.Internal, "\n")
	}
	at := 0
	for _, text := range past {
		i := strings.Index(seen[at:], text)
		if i < 0 {
			r.fatalf("the agent does not see %q after what was said before it", text)
		}
		at += i + len(text)
	}
	if strings.Count(seen, past[0]) != 1 {
		r.failf("the agent sees the transcript %d times", strings.Count(seen, past[0]))
	}
}

func checkOpeningNote(r *run) {
	c := r.chat(r.open("c1"))
	if strings.Contains(c.texts(), "angry") {
		r.failf("the note is among the messages")
	}
	if !strings.Contains(strings.Join(c.Internal, "\n"), "angry") {
		r.failf("the agents do not see the note")
	}
}

func checkOpenAgain(r *run) {
	s := r.open("c1")
	if !r.info.Can.FindsAttempt {
		return
	}
	again, err := r.p.Open(r.ctx(), opening("c1", 1, 1))
	r.ok("the repeated Open", err)
	if again.Reference != s.Reference || len(r.v.Chats()) != 1 {
		r.failf("the platform has %d chats, want 1 with the same reference", len(r.v.Chats()))
	}
	if c := r.chat(s); strings.Count(c.texts()+strings.Join(c.Internal, "\n"), past[0]) > 1 {
		r.failf("the transcript was given twice")
	}
}

func checkFind(r *run) {
	f, ok := r.p.(handoff.Finder)
	if !ok {
		return
	}
	_, found, err := f.Find(r.ctx(), opening("c1", 1, 1).Attempt)
	if err != nil || found {
		r.failf("Find before Open returned %t and %v", found, err)
	}
	r.v.Break(LosesAnswer)
	_, err = r.p.Open(r.ctx(), opening("c1", 1, 1))
	r.v.Break(Works)
	if err == nil {
		r.fatalf("Open without an answer succeeded")
	}
	r.v.Webhooks()
	if len(r.v.Chats()) == 0 {
		// It takes several steps, and the chat is not the first; the case
		// "open interrupted" looks at each.
		r.v.Break(Works)
		r.open("c1")
	}
	s, found, err := f.Find(r.ctx(), opening("c1", 1, 1).Attempt)
	if err != nil || !found || s.Reference == "" {
		r.fatalf("Find returned %t and %v, but the chat was opened", found, err)
	}
	if s.Partial {
		s, err = r.p.Open(r.ctx(), opening("c1", 1, 1))
		r.ok("Open of a chat that was begun", err)
	}
	if n := len(r.v.Chats()); n != 1 {
		r.failf("the platform has %d chats, want 1", n)
	}
	if r.info.Custody == handoff.CustodyQueue {
		r.send(s, "m1", "hello")
		if c := r.chat(s); !slices.Equal(c.after(), []string{"hello"}) {
			r.failf("what is sent to the found chat is %q there", c.after())
		}
	}
	for _, other := range []handoff.Opening{opening("c1", 1, 11), opening("c1", 11, 1), opening("c", 1, 1), opening("c11", 1, 1)} {
		if _, found, err := f.Find(r.ctx(), other.Attempt); err != nil || found {
			r.failf("Find of another attempt returned %t and %v", found, err)
		}
	}
	r.ok("Close of the found chat", r.p.Close(r.ctx(), s, handoff.ReasonWithdrawn))
	if open(r.v.Chats()) != 0 {
		r.failf("the found chat cannot be closed")
	}
}

func checkInterrupted(r *run) {
	f, ok := r.p.(handoff.Finder)
	lose, can := r.v.(Loser)
	if !ok || !can {
		return
	}
	const most = 20 // steps of an opening
	for n := 1; n <= most; n++ {
		o := opening(fmt.Sprintf("lost-%d", n), 1, 1)
		lose.LoseAnswer(n)
		s, err := r.p.Open(r.ctx(), o)
		lose.LoseAnswer(0)
		done := err == nil
		if !done {
			var found bool
			s, found, err = f.Find(r.ctx(), o.Attempt)
			r.ok("Find", err)
			if !found || s.Partial {
				s, err = r.p.Open(r.ctx(), o)
				r.ok("Open after it was interrupted", err)
			}
		}
		if got := len(r.v.Chats()); got != n {
			r.fatalf("interrupted after step %d, the platform has %d chats more, want 1", n, got-n+1)
		}
		c := r.chat(s)
		seen := c.texts() + strings.Join(c.Internal, "\n")
		if r.info.Custody == handoff.CustodyQueue && strings.Count(seen, past[0]) != 1 || strings.Count(seen, "angry") != 1 || !c.Open {
			r.fatalf("interrupted after step %d, the agent sees %q", n, cut(seen))
		}
		if done {
			return // nothing was left to be lost
		}
	}
}

func checkTwoChats(r *run) {
	a, b := r.open("c1"), r.open("c2")
	if a.Reference == b.Reference || len(r.v.Chats()) != 2 {
		r.failf("two conversations have %d chats", len(r.v.Chats()))
	}
}

func checkSend(r *run) {
	s := r.open("c1")
	var want []string
	for i := range 5 {
		text := "message " + strconv.Itoa(i)
		want = append(want, text)
		r.send(s, "m"+strconv.Itoa(i), text)
	}
	m := r.message("m5", "from the bot")
	m.From = handoff.Party{Role: handoff.RoleBot}
	want = append(want, m.Text)
	r.ok("Send", r.p.Send(r.ctx(), s, m))
	c := r.chat(s)
	if !slices.Equal(c.after(), want) {
		r.failf("the agent sees %q, want %q", c.after(), want)
	}
	if !r.info.Can.Files {
		return
	}
	r.rule = "a file that a message refers to arrives with it, where Files says so"
	m = r.message("m6", "see this")
	m.Files = []handoff.File{{Name: "bill.pdf", Type: "application/pdf", URL: "https://example.org/bill.pdf", Size: 1234}}
	r.ok("Send with a file", r.p.Send(r.ctx(), s, m))
	files := 0
	for _, said := range r.chat(s).Messages {
		files += said.Files
	}
	if files != 1 {
		r.failf("the agent sees %d files, want 1", files)
	}
}

func checkSendHostile(r *run) {
	s := r.open("c1")
	texts := hostileTexts(r.info.MaxBytes)
	for i, text := range texts {
		r.send(s, "m/"+strconv.Itoa(i)+"?é", text)
		c := r.chat(s)
		got := c.after()
		if len(got) != i+1 || got[i] != text {
			r.fatalf("after %q (%d bytes) the agent sees %q", cut(text), len(text), cut(strings.Join(got[min(i, len(got)):], "|")))
		}
	}
	if c := r.chat(s); !c.Open {
		r.failf("a text has ended the chat")
	}
}

func cut(s string) string {
	if len(s) > 100 {
		return s[:50] + "…" + s[len(s)-50:]
	}
	return s
}

func checkSendAgain(r *run) {
	if !r.info.Can.SendsOnce {
		return
	}
	s := r.open("c1")
	again := func(id, text string) {
		m := r.message(id, text)
		m.Again = true
		r.ok("Send again", r.p.Send(r.ctx(), s, m))
	}
	r.send(s, "m1", "one")
	again("m1", "one")
	r.v.Break(LosesAnswer)
	err := r.p.Send(r.ctx(), s, r.message("m2", "two"))
	r.v.Break(Works)
	if err == nil {
		r.failf("Send without an answer succeeded")
	}
	again("m2", "two")
	again("m3", "one")     // it may have been sent, but was not
	r.send(s, "m4", "one") // the same text is not the same message
	if c := r.chat(s); !slices.Equal(c.after(), []string{"one", "two", "one", "one"}) {
		r.failf("the agent sees %q", c.after())
	}
}

func checkConcurrent(r *run) {
	const chats, messages = 8, 10
	var wg sync.WaitGroup
	sessions := make([]handoff.Session, chats)
	for i := range chats {
		sessions[i] = r.open("c" + strconv.Itoa(i))
	}
	errs := make([]error, chats)
	for i, s := range sessions {
		wg.Go(func() {
			for n := range messages {
				if err := r.p.Send(r.ctx(), s, r.message("m"+strconv.Itoa(n), fmt.Sprintf("%d in chat %d", n, i))); err != nil {
					errs[i] = err
				}
			}
		})
	}
	wg.Wait()
	for i, s := range sessions {
		r.ok("Send", errs[i])
		var want []string
		for n := range messages {
			want = append(want, fmt.Sprintf("%d in chat %d", n, i))
		}
		if c := r.chat(s); !slices.Equal(c.after(), want) {
			r.failf("the agent of chat %d sees %q", i, c.after())
		}
	}
}

func checkClose(r *run) {
	s := r.open("c1")
	r.ok("Close", r.p.Close(r.ctx(), s, handoff.Reason(handoff.OutcomeCancelled)))
	if c := r.chat(s); c.Open {
		r.failf("the chat is still open on the platform")
	}
	r.ok("Close of a closed chat", r.p.Close(r.ctx(), s, handoff.Reason(handoff.OutcomeCancelled)))
	r.ok("Close of an unknown chat", r.p.Close(r.ctx(), handoff.Session{Reference: "4711-unknown", State: s.State}, handoff.ReasonWithdrawn))
	b := r.open("c2")
	if r.v.Do(Act{Kind: Join, Chat: b.Reference, Agent: ann}) && r.v.Do(Act{Kind: End, Chat: b.Reference}) {
		r.ok("Close of a chat that the agent has ended", r.p.Close(r.ctx(), b, handoff.Reason(handoff.OutcomeResolved)))
	}
	c := r.open("c3")
	r.ok("Close without a reason", r.p.Close(r.ctx(), c, ""))
	if n := open(r.v.Chats()); n != 0 {
		r.failf("%d chats are still open", n)
	}
}

func checkSession(r *run) {
	s := r.open("c1")
	b, err := json.Marshal(s)
	r.ok("json.Marshal", err)
	var back handoff.Session
	r.ok("json.Unmarshal", json.Unmarshal(b, &back))
	if back.Reference != s.Reference || !bytes.Equal(back.State, s.State) {
		r.failf("a stored session is not the same")
	}
	p := r.p
	if r.h.Again != nil {
		p = r.h.Again()
	}
	if r.info.Custody == handoff.CustodyQueue {
		r.ok("Send with a stored session", p.Send(r.ctx(), back, r.message("m1", "hello")))
		if c := r.chat(s); !slices.Equal(c.after(), []string{"hello"}) {
			r.failf("the agent sees %q", c.after())
		}
	}
	if reader, ok := p.(handoff.StateReader); ok {
		_, _, err := reader.ReadState(r.ctx(), back)
		r.ok("ReadState with a stored session", err)
	}
	r.ok("Close with a stored session", p.Close(r.ctx(), back, handoff.ReasonWithdrawn))
	if open(r.v.Chats()) != 0 {
		r.failf("a stored session cannot be closed")
	}
}

func checkState(r *run) {
	reader, ok := r.p.(handoff.StateReader)
	if !ok {
		return
	}
	s := r.open("c1")
	is := func(when string, who string, want ...handoff.SessionState) {
		r.t.Helper()
		st, agent, err := reader.ReadState(r.ctx(), s)
		if err != nil || !slices.Contains(want, st) || who != "" && agent.ID != who {
			r.failf("%s the state is %q with agent %q and %v, want %q with %q", when, st, agent.ID, err, want, who)
		}
	}
	is("after Open", "", handoff.SessionQueued)
	if r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann}) {
		is("after the agent joined", r.id(ann), handoff.SessionActive)
	}
	if r.v.Do(Act{Kind: Leave, Chat: s.Reference}) {
		is("after the agent left", "", handoff.SessionQueued)
		r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: bob})
		is("after another agent joined", r.id(bob), handoff.SessionActive)
	}
	if r.v.Do(Act{Kind: End, Chat: s.Reference}) {
		is("after the agent ended it", "", handoff.SessionEnded)
	}
	s = r.open("c2")
	r.v.Do(Act{Kind: Join, Chat: s.Reference, Agent: ann})
	if r.v.Do(Act{Kind: Return, Chat: s.Reference}) && !r.chat(s).Open {
		is("after the agent returned it to the bot", "", handoff.SessionBot, handoff.SessionEnded)
	}
	s = r.open("c3")
	r.ok("Close", r.p.Close(r.ctx(), s, handoff.ReasonWithdrawn))
	is("after Close", "", handoff.SessionEnded, handoff.SessionBot)
}
