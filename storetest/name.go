package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

func nameChecks() []check {
	return []check{
		{"Names/hostile", ruleNames, checkHostileNames},
		{"Names/joined", ruleNames, checkJoinedNames},
		{"Names/lists", ruleNames, checkListNames},
	}
}

// hostile names are valid UTF-8 without NUL, and each is different.
func hostile() []string {
	long := strings.Repeat("long ", 100)
	return []string{
		"a", "A", "á", "a\u0301", "Å", "A\u030a", "\u212b", // one letter, several ways
		"ß", "ss", "SS", "İ", "i", "ı", "ﬁ", "fi",
		" ", "  ", "a ", " a", "a\t", "a\n", "\na", "\r\n", "\x01", "\x1f", "\x7f", "\u0085", "\u00a0", "\u200b", "\ufeff", "\u202e",
		"'", "''", `"`, `""`, "`", `\`, `\\`, `\'`, "';--", `"; drop table handoff; --`, "$1", "?",
		":name", "@p", "%", "%%", "_", "a%", "a_", "*", "a*", "[a]", "{a}", "{}",
		"{{.}}", "${a}", "#", "a#1",
		"a/b", "a//b", "../a", "..", ".", "./a", "/", `C:\a`, "a:b", ":", "::", "a|b", "a,b", ",", ";", "&", "<b>", "&lt;", "a\x1eb",
		"0", "1", "01", "1.0", "1e0", "-1", "+1", "true", "null", "nil", "NaN", "undefined",
		"NULL", "\\N", `\x41`, `\u0041`, "%41", "=A1+1",
		"日本語", "🙂", "👩‍👩‍👧", "é\U0010ffff", "\ufffd", "\uffff",
		long + "1", long + "2",
	}
}

// checkHostileNames gives each name to everything that has a name, and finds
// each again.
func checkHostileNames(k *kit) {
	names := hostile()
	var want []handoff.Record
	for i, name := range names {
		r := k.draft(name, 1)
		r.Queue, r.Line, r.Agent, r.User, r.Tags = name, name, name, name, []string{"common", name}
		r.State, r.Outcome = handoff.State(name), handoff.Outcome(name)
		r.Created = k.now.Add(time.Duration(i) * time.Second)
		r.Wake = k.now.Add(time.Hour)
		r.Keys = one(name, 1, 1)
		r.Owed = []handoff.Owed{{Sink: name, Cursor: name, Seq: 2}}
		k.okf(k.try(r, name, name+"x"), "Commit of a record with the name %q everywhere", name)
		r.Version, r.Seq = 1, 2
		want = append(want, r)
	}
	for i, name := range names {
		id := want[i].ID
		k.samef(k.get(id), want[i], "Get of name %q", name)
		latest, err := k.store.Latest(k.ctx, name)
		k.okf(err, "Latest of name %q", name)
		k.samef(latest, want[i], "Latest of name %q", name)
		e, err := k.store.Entry(k.ctx, id, name)
		k.okf(err, "Entry of name %q", name)
		if e.ID != name || e.Seq != 1 {
			k.fatalf("Entry %q gives entry %d with id %q", name, e.Seq, e.ID)
		}
		if got := k.holders(name); !slices.Equal(got, []handoff.Holding{{Key: name, ID: id, Units: 1}}) {
			k.fatalf("Holders(%q) gives %+v", name, got)
		}
		if got := k.lines(name); !slices.Equal(got, []string{name}) {
			k.fatalf("Lines(%q) gives %q", name, got)
		}
		for _, q := range []handoff.Query{
			{Conversation: name},
			{Queue: name},
			{Queue: name, Lines: []string{name}, Waiting: true, ByRank: true},
			{Lines: []string{name}},
			{Agent: name},
			{User: name},
			{Tag: name},
			{States: []handoff.State{handoff.State(name)}},
			{Outcomes: []handoff.Outcome{handoff.Outcome(name)}},
		} {
			k.sameIDsf(k.list(q), []handoff.ID{id}, "List(%s)", show(q))
		}
	}

	// Each cursor moves alone.
	for i := range names {
		k.ack(handoff.Ack{ID: want[i].ID, Cursor: names[i], Seq: int64(i)%2 + 1})
	}
	for i, name := range names {
		if got := k.position(want[i].ID, name, k.now); got != int64(i)%2+1 {
			k.fatalf("cursor %q stands at %d, want %d", name, got, i%2+1)
		}
	}

	// All of them as entries, keys and cursors of a single record.
	r := k.draft("all", 1)
	for _, name := range names {
		r.Keys = append(r.Keys, handoff.Key{Name: "x" + name, Max: 1, Units: 1})
		r.Owed = append(r.Owed, handoff.Owed{Sink: name, Cursor: name, Seq: 1})
	}
	r.Tags = names
	r = k.commit(r, names...)
	k.samef(k.get(r.ID), r, "Get of a record with all names")
	for i, name := range names {
		k.ack(handoff.Ack{ID: r.ID, Cursor: name, Seq: int64(i) + 1})
		e, err := k.store.Entry(k.ctx, r.ID, name)
		k.okf(err, "Entry %q", name)
		if e.Seq != int64(i)+1 {
			k.fatalf("Entry %q gives entry %d, want %d", name, e.Seq, i+1)
		}
		k.wantf(k.try(r, name), handoff.ErrDuplicate, "Commit of the known entry %q", name)
	}
	for i, name := range names {
		if got := k.position(r.ID, name, k.now); got != int64(i)+1 {
			k.fatalf("cursor %q stands at %d, want %d", name, got, i+1)
		}
	}
	// And none of it is left when they are gone.
	r.Keys, r.Tags, r.Owed = nil, nil, nil
	k.commit(r, "end")
	for _, name := range names {
		if got := k.holders("x" + name); len(got) != 0 {
			k.fatalf("Holders(%q) gives %+v after it was freed", "x"+name, got)
		}
	}

	// Deleting one does not touch its neighbours.
	for i := 0; i < len(names); i += 2 {
		k.okf(k.store.Delete(k.ctx, want[i].ID, 1), "Delete of name %q", names[i])
	}
	for i, name := range names {
		_, err := k.store.Get(k.ctx, want[i].ID)
		if gone := i%2 == 0; gone {
			k.wantf(err, handoff.ErrNotFound, "Get of the deleted name %q", name)
		} else {
			k.okf(err, "Get of name %q, which was not deleted", name)
		}
	}
}

// checkJoinedNames uses names that are equal once they are joined with other
// ones by some separator.
func checkJoinedNames(k *kit) {
	for _, sep := range []string{"", ":", "::", "/", "#", "|", ",", ".", "-", "_", " ", "\x1f", "\x1e", "\n", "\\", "\"", "'", "}{", "%", "%3A"} {
		base := "j" + sep
		// "a" number 1 with "1·b", and "a·1" number 1 with "b": joined, both
		// are "a·1·1·b".
		first := handoff.ID{Conversation: base + "a", Number: 1}
		second := handoff.ID{Conversation: base + "a" + sep + "1", Number: 1}
		third := handoff.ID{Conversation: base + "a", Number: 11} // joined by nothing, "a1" and "1"
		fourth := handoff.ID{Conversation: base + "a1", Number: 1}
		names := map[handoff.ID]string{first: "1" + sep + "b", second: "b", third: "b", fourth: "b"}
		all := []handoff.ID{first, second, third, fourth}
		if sep == "" {
			all = []handoff.ID{first, third, fourth} // the second is the fourth
		}
		for i, id := range all {
			name := names[id]
			r := k.draft(id.Conversation, id.Number)
			r.Keys = one("k"+sep+id.String(), 1, 1)
			r.Owed = []handoff.Owed{{Sink: "s", Cursor: name, Seq: 1}}
			r = k.commit(r, name, "two", "three", "four")
			k.ack(handoff.Ack{ID: r.ID, Cursor: name, Seq: int64(i) + 1})
		}
		for i, id := range all {
			r := k.get(id)
			k.samef(r, k.get(id), "Get")
			if r.ID != id || r.Version != 1 {
				k.fatalf("Get(%v) gives %v in version %d", id, r.ID, r.Version)
			}
			e, err := k.store.Entry(k.ctx, id, names[id])
			k.okf(err, "Entry %q of %v", names[id], id)
			if e.ID != names[id] {
				k.fatalf("Entry %q of %v has id %q", names[id], id, e.ID)
			}
			if n := len(k.log(id)); n != 4 {
				k.fatalf("the log of %v has %d entries, want 4", id, n)
			}
			if got := k.position(id, names[id], k.now); got != int64(i)+1 {
				k.fatalf("cursor %q of %v stands at %d, want %d", names[id], id, got, i+1)
			}
			if got := k.holders("k" + sep + id.String()); len(got) != 1 || got[0].ID != id {
				k.fatalf("the key of %v is held by %+v", id, got)
			}
		}
	}
	for _, sep := range []string{":", "/", "|", "\x1f", " ", "\n"} {
		// Queue "q" with line "b·l", and queue "q·b" with line "l".
		k.insert("s1"+sep, 1, func(r *handoff.Record) { r.Queue, r.Line = "Q", "b"+sep+"l" })
		k.insert("s2"+sep, 1, func(r *handoff.Record) { r.Queue, r.Line = "Q"+sep+"b", "l" })
		k.sameIDsf(k.list(handoff.Query{Queue: "Q" + sep + "b", Lines: []string{"l"}, ByRank: true, Waiting: true}),
			[]handoff.ID{{Conversation: "s2" + sep, Number: 1}}, "List of one line of two with joined names")
		k.sameIDsf(k.list(handoff.Query{Queue: "Q", Lines: []string{"b" + sep + "l"}, ByRank: true, Waiting: true}),
			[]handoff.ID{{Conversation: "s1" + sep, Number: 1}}, "List of one line of two with joined names")
		if got := k.lines("Q" + sep + "b"); !slices.Equal(got, []string{"l"}) {
			k.fatalf("Lines(%q) gives %q", "Q"+sep+"b", got)
		}
	}
}

// checkListNames looks for the parts of names that are lists.
func checkListNames(k *kit) {
	a := k.insert("a", 1, func(r *handoff.Record) { r.Tags = []string{"x", "y"} })
	b := k.insert("b", 1, func(r *handoff.Record) { r.Tags = []string{"x,y"} })
	c := k.insert("c", 1, func(r *handoff.Record) { r.Tags = []string{"x y", `"x"`, "{x}"} })
	d := k.insert("d", 1, func(r *handoff.Record) { r.Tags = []string{"xx", "y\x1fx", "%"} })
	for tag, want := range map[string][]handoff.ID{
		"x": {a.ID}, "y": {a.ID}, "x,y": {b.ID}, "x y": {c.ID}, `"x"`: {c.ID}, "{x}": {c.ID},
		"xx": {d.ID}, "y\x1fx": {d.ID}, "%": {d.ID}, ",": {}, "x,": {}, "x%": {}, "_": {}, "X": {}, `"`: {}, "y\x1f": {},
	} {
		k.sameIDsf(k.list(handoff.Query{Tag: tag}), want, "List of tag %q", tag)
	}
	for _, r := range []handoff.Record{a, b, c, d} {
		k.samef(k.get(r.ID), r, "Get")
	}
}
