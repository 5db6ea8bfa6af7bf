package storetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// contract returns the text of all comments of the contract, with single
// spaces.
func contract(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../store.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, group := range file.Comments {
		for _, c := range group.List {
			b.WriteString(strings.TrimPrefix(c.Text, "//") + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// rules returns the constants of rules.go by name.
func rules(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, decl := range file.Decls {
		for _, spec := range decl.(*ast.GenDecl).Specs {
			v := spec.(*ast.ValueSpec)
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out[v.Names[0].Name] = text
		}
	}
	return out
}

// TestRulesAreTheContract finds quotations that are not in the contract.
func TestRulesAreTheContract(t *testing.T) {
	text := contract(t)
	for name, rule := range rules(t) {
		if !strings.Contains(text, rule) {
			t.Errorf("%s is not a sentence of store.go: %q", name, rule)
		}
	}
}

// TestContractIsCovered finds sentences of the contract that no check quotes
// and that nobody has excused.
func TestContractIsCovered(t *testing.T) {
	all := rules(t)
	sentence := regexp.MustCompile(`.*?[.:;](?:\s|$)`)
	for _, s := range sentence.FindAllString(contract(t)+" ", -1) {
		s = strings.TrimSpace(s)
		covered := false
		for _, e := range excused {
			covered = covered || strings.Contains(s, e) || strings.Contains(e, s)
		}
		for _, rule := range all {
			if strings.Contains(rule, s) || strings.Contains(s, rule) {
				covered = true
			}
		}
		if !covered {
			t.Errorf("no check quotes %q", s)
		}
	}
}

// TestEveryRuleIsPlanted finds rules that no planted store breaks.
func TestEveryRuleIsPlanted(t *testing.T) {
	for name, rule := range rules(t) {
		if !slices.ContainsFunc(planted, func(p plant) bool { return p.rule == rule }) {
			t.Errorf("no planted store breaks %s: %q", name, rule)
		}
	}
}

// excused sentences say what a word means, what the engine does, or what a
// store may do; a store cannot break them.
var excused = []string{
	// Words.
	"A Store keeps handoffs and their logs.",
	"Prove yours with storetest.Run.",
	"Words.",
	"A record is the stored form of one handoff: a body of bytes and a few index fields.",
	"A key is a named counted resource that a record holds units of.",
	"A cursor says how far one receiver of a log has got.",
	"Errors.",
	"Claim returns work to do: see Claim and Claimed.",
	"A Record is the stored form of a handoff.",
	"the version that was read; 0 is not stored yet",
	"A Key is a share in a named counted resource.",
	"A Holding says that a record holds units of a key.",
	"Owed says that a receiver must get the log up to and including Seq.",
	"who can deliver it; see Claim.Sinks",
	"the cursor's name, unique within the record",
	"A RecordEntry is the stored form of an entry.",
	"A Claim asks for work.",
	"A Lead is the right to send for one cursor until its lease ends.",
	"An Ack reports progress of a cursor.",
	"A Body is what the engine keeps in a record or an entry.",
	"An Item is one commit of a batch.",
	"A Hint says that something happened.",
	"A Searcher finds what was said.",
	"What \"found\" means is the store's own:",
	"substrings, words, stems.",
	"Without it the engine reads records and logs, a bounded number at a time.",
	"A BatchCommitter commits independent items, at most one for each record.",
	"A Listener tells of commits made through other handles of the store.",
	"Optional abilities of a Store, found by type assertion.",

	// The engine's part.
	"Line is the signature of what the handoff needs.",
	"Values are immutable: the store may keep the slices it is given and the engine may share the ones it gets, so neither side changes them afterwards.",
	"A name occurs once in a record.",
	"The caller must not change it.",
	"f does not block.",
	"Without it the engine lists.",

	// What follows from other sentences.
	"Versions and keys are for correctness: no safety rule of the engine holds without them.",
	"Claims and leads are for thrift only: losing one costs a repeat or a delay, never a wrong result.",
	"higher goes first then earlier goes first, then the lower ID",        // ByRank
	"zero starts at the beginning at most this many;",                     // After and Limit
	"A Delivery is a cursor of a record that is behind:",                  // with the rest of its sentence
	"the cursor: everything up to here was delivered",                     // Lead and Ack
	"receivers and the last entry each must get",                          // Owed
	"Hints may be lost, doubled or coalesced;",                            // so no hint is demanded
	"A store that wraps another one has a method Unwrap() Store, so that", // TestUnwrap

	// Functions of the package handoff, tested there.
	"A Cursor is a place in the order of a Query.",
	"Make one with Record.Cursor.",
	"Cursor returns r's place in the order of q.",
	"IsZero reports whether c is the beginning.",
	"Compare orders two places of one query: negative when c comes first.",
	"Match reports whether r fulfils q, leaving After and Limit aside.",
	"Stores that keep everything in memory may use it; others translate q.",
	"BodyOf returns a body with these bytes.",
	"Bytes returns the encoded body.",
	"unwrap finds an ability of a store or of one that it wraps.",
}
