package handoff

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the state table into DESIGN.md")

const (
	tableFrom  = "<!-- state table: written by go test -run TestStateTable -update . -->"
	tableUntil = "<!-- end of the state table -->"
)

// TestStateTable tries every command on every kind of handoff that commands
// can make, with every guard, and checks what decide makes of it. It prints
// the result as the table in DESIGN.md.
func TestStateTable(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it decides some hundred thousand times")
	}
	cells := map[string]map[State]map[string]bool{}
	shapes, decided := 0, 0
	for _, r := range tableRules() {
		w := &tableWorld{t: t, rules: r, seen: map[string]bool{}, told: map[string]bool{}, cells: cells}
		w.todo = []*Handoff{{ID: ID{Conversation: "c"}}}
		for len(w.todo) > 0 {
			h := w.todo[0]
			w.todo = w.todo[1:]
			w.try(h)
		}
		shapes += len(w.seen)
		decided += w.decided
	}
	if t.Failed() {
		return
	}
	t.Logf("%d kinds of handoffs, %d decisions", shapes, decided)
	for name, states := range allowed {
		require.Contains(t, cells, name, "every command is tried")
		for _, s := range states {
			require.NotEmpty(t, cells[name][s], "%s is allowed while %q: something comes of it", name, s)
		}
	}

	table := renderTable(cells)
	b, err := os.ReadFile("DESIGN.md")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(b), tableFrom)
	require.True(t, ok, "DESIGN.md has the line %s", tableFrom)
	have, after, ok := strings.Cut(rest, tableUntil)
	require.True(t, ok, "DESIGN.md has the line %s", tableUntil)
	if *update {
		require.NoError(t, os.WriteFile("DESIGN.md", []byte(before+tableFrom+"\n\n"+table+"\n"+tableUntil+after), 0o600))
		return
	}
	require.Equal(t, strings.TrimSpace(table), strings.TrimSpace(have),
		"DESIGN.md has another table; look at the difference, then: go test -run TestStateTable -update .")
}

// tableWorld explores what commands make of handoffs.
type tableWorld struct {
	t       *testing.T
	rules   *rules
	todo    []*Handoff
	seen    map[string]bool // the shapes that were or will be tried
	told    map[string]bool // the problems that were reported
	cells   map[string]map[State]map[string]bool
	decided int
}

// try decides every command on one handoff.
func (w *tableWorld) try(h *Handoff) {
	before := deepCopy(reflect.ValueOf(h)).Interface().(*Handoff)
	for _, c := range tableCommands(w.rules, h) {
		at := fmt.Sprintf("%s (%s) while %q", c.name(), c.guard, h.State)
		next, err := w.decide(h, c, at)
		w.decided++
		result := refusal(err)
		if err == nil {
			result = string(next.State)
			if key := w.shape(next); !w.seen[key] {
				w.seen[key] = true
				w.todo = append(w.todo, next)
			}
		} else if result == "" {
			w.t.Errorf("%s: no typed error: %v", at, err)
		}
		if result != refused {
			cell(w.cells, c.name(), h.State)[result] = true
		}
	}
	if !reflect.DeepEqual(before, h) {
		w.t.Errorf("something changed its input:\n%+v\n%+v", before, h)
	}
}

// decide decides and checks the result.
func (w *tableWorld) decide(h *Handoff, c guarded, at string) (next *Handoff, err error) {
	defer func() {
		if p := recover(); p != nil {
			w.t.Errorf("%s: panic: %v\n%+v", at, p, h)
			err = ErrState
		}
	}()
	next, entries, err := w.rules.decide(h, c.command, "op", c.at)
	if err != nil {
		return nil, err
	}
	problems := w.problems(h, next, entries)
	for _, problem := range problems {
		if short := c.name() + problem; !w.told[short] {
			w.told[short] = true
			w.t.Errorf("%s: %s\nbefore %+v\nafter  %+v", at, problem, h, next)
		}
	}
	if len(problems) > 0 {
		return nil, ErrState // leads no further
	}
	n := *next
	n.Version++
	return &n, nil
}

// problems returns what is wrong with a decision.
func (w *tableWorld) problems(h, next *Handoff, entries []Entry) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if len(entries) == 0 {
		bad("no entry")
	}
	ids := map[string]bool{}
	for i, e := range entries {
		if e.Seq != h.Seq+int64(i)+1 {
			bad("entry %d has the number %d", i, e.Seq)
		}
		if ids[e.ID] || e.ID == "" {
			bad("entry id %q is empty or occurs twice", e.ID)
		}
		ids[e.ID] = true
		if e.Kind == "" || e.From.Role == "" || e.At.IsZero() || e.State != next.State || e.Epoch != next.Epoch {
			bad("entry %+v is not complete", e)
		}
	}
	if next.Seq != h.Seq+int64(len(entries)) {
		bad("the log ends at %d", next.Seq)
	}
	if h.State != "" {
		from, to := h.Controller(), next.Controller()
		moved := from.Role != to.Role || from.ID != to.ID
		if moved && next.Epoch != h.Epoch+1 || !moved && next.Epoch != h.Epoch {
			bad("control went from %s to %s and the epoch from %d to %d", from, to, h.Epoch, next.Epoch)
		}
	}
	if !slices.Contains(States(), next.State) {
		bad("state %q", next.State)
	}
	return append(append(out, w.shapeProblems(next)...), w.recordProblems(next)...)
}

// shapeProblems returns what must not be in a record of its state.
func (w *tableWorld) shapeProblems(h *Handoff) []string {
	var out []string
	must := func(ok bool, what string) {
		if !ok {
			out = append(out, what)
		}
	}
	held := h.State == StateActive || h.State == StateHeld
	over := h.State == StateWrapup || h.State == StateEnded
	must(over == (h.Outcome != ""), "an outcome, exactly when it is over")
	must(held == (h.Agent != "") || over, "an agent, exactly when somebody has it")
	must(h.State != StateOffered || len(h.Offers) > 0, "offered to nobody")
	must(len(h.Offers) == 0 || h.State == StateOffered || held, "offers in a state that has none")
	must((h.State == StateEnded) == !h.Ended.IsZero(), "the time of the end, exactly when it has ended")
	in := h.own.Intake
	line := h.State == StateWaiting || h.State == StateOffered
	must(h.State != StateIntake || in != nil && in.From == nil, "nothing is asked before the queue")
	must(in == nil || h.State == StateIntake || line && in.From != nil, "a form that nobody asks")
	must(in != nil || !slices.ContainsFunc(h.Deadlines, func(d Deadline) bool { return d.Kind == dueIntake }), "the time-out of no form")
	must(!h.own.NextOwed || over, "the next handoff is owed while this one is open")
	there := h.State == StateConnecting || h.State == StateQueued
	must(!there || h.Provider != "" && h.live() != nil, "a platform without a chat")
	must(h.State != StateWaiting || h.live() == nil, "a chat on a platform while it waits for us")
	bot := h.Controller().Role == RoleBot
	for _, p := range h.Pending {
		must(bot || over || p.Call == "", "a message that a bot without control may answer")
	}
	must(bot || len(h.own.Calls) == 0 || over, "calls of a bot without control")
	kinds := map[string]bool{}
	for _, d := range h.Deadlines {
		must(!kinds[d.Kind] && !d.At.IsZero(), "deadline "+d.Kind+" twice or without time")
		kinds[d.Kind] = true
	}
	for _, b := range h.own.Bindings {
		must(b.Status != BindOwed || kinds[dueClose], "a chat is owed a close, and nothing will close it")
		must(b.Status != BindOpening || kinds[dueOpen] || kinds[dueConnect], "a chat is being opened, and nothing opens it")
	}
	must(!h.own.NextOwed || kinds[dueNext], "the next handoff is owed, and nothing will open it")
	must(!h.own.Importing || kinds[dueImport], "history is owed, and nothing will read it")
	return out
}

// recordProblems checks what a store gets: it repeats the rules of index.go in
// other words.
func (w *tableWorld) recordProblems(h *Handoff) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	rec := w.rules.record(h)
	if rec.Wake.IsZero() && h.State != StateEnded {
		bad("nobody will ever look at it")
	}
	for _, d := range h.Deadlines {
		if rec.Wake.IsZero() || rec.Wake.After(d.At) {
			bad("wake is after the deadline %s", d.Kind)
		}
	}
	if inLine := h.State == StateWaiting || h.State == StateOffered; inLine != (rec.Line != "") {
		bad("line %q while %s", rec.Line, h.State)
	}
	want := map[string]int{}
	if h.State != StateWrapup && h.State != StateEnded {
		want["conversation/c"] = 1
	}
	ours := h.Provider == "" && (h.State == StateActive || h.State == StateWrapup)
	if ours || h.State == StateHeld && h.Provider == "" && h.own.Seat != nil {
		want["seat/"+h.Agent] = 1
	}
	for _, o := range h.Offers {
		if !o.Broadcast {
			want["seat/"+o.Agent] = 1
		}
	}
	if h.own.QueueMax > 0 && rec.Line != "" {
		want["queue/"+h.Need.Queue] = 1
	}
	if b := h.live(); b != nil && b.Session.Reference != "" {
		want["provider/"+b.Provider+"/"+b.Session.Reference] = 1
	}
	have := map[string]int{}
	for _, k := range rec.Keys {
		have[k.Name] += k.Units
		if k.Units < 1 || k.Max < k.Units {
			bad("key %+v", k)
		}
	}
	if !reflect.DeepEqual(want, have) {
		bad("keys %v, want %v", have, want)
	}
	return out
}

const refused = "not in this state"

// refusal names a typed error.
func refusal(err error) string {
	for _, e := range []struct {
		err  error
		name string
	}{
		{ErrState, refused},
		{ErrStale, "*stale*"},
		{ErrNotHolder, "*not holder*"},
		{ErrWithdrawn, "*withdrawn*"},
		{ErrExpired, "*expired*"},
		{ErrInvalid, "*invalid*"},
		{ErrOpen, "*open*"},
		{ErrFull, "*full*"},
	} {
		if errors.Is(err, e.err) {
			return e.name
		}
	}
	return ""
}

// shape is what tells kinds of handoffs apart: all that a guard in decide
// looks at. Texts, times, numbers and names do not matter.
func (w *tableWorld) shape(h *Handoff) string {
	var b strings.Builder
	q := w.rules.queue(h.Need.Queue)
	fmt.Fprint(&b, h.State, q.Style, len(q.Providers), q.Wrapup > 0, w.rules.custody[h.Provider], h.Need.BotAnswers,
		h.own.Seat != nil, h.own.Importing, !h.own.AwaySince.IsZero(), !h.StayOut.IsZero(), h.own.NextOwed, h.own.Warned)
	switch h.State {
	case StateIntake:
		fmt.Fprint(&b, h.own.Intake.Next, h.own.Intake.Host, h.own.Intake.Ends)
	case StateBot:
		fmt.Fprint(&b, h.own.Offer)
	case StateWaiting, StateQueued, StateConnecting:
		fmt.Fprint(&b, h.own.Rung, h.own.Route, h.Callback != nil, q.Closing)
	case StateActive, StateHeld:
		fmt.Fprint(&b, h.own.Closing, q.Closing)
	case StateEnded:
		fmt.Fprint(&b, h.Outcome, h.Attended)
	default:
	}
	if in := h.own.Intake; in != nil && h.State != StateIntake {
		fmt.Fprint(&b, "asked", in.Next, in.Host, h.Need.Queue)
	}
	for _, o := range h.Offers {
		fmt.Fprint(&b, "offer", o.Warm, o.Broadcast)
	}
	if n := len(h.Pending); n > 0 && h.State == StateBot {
		fmt.Fprint(&b, "pending", h.Pending[n-1].Call != "", h.Pending[n-1].Resumes)
	}
	if l := h.live(); l != nil {
		fmt.Fprint(&b, "live", l.Status, l.Tries > 0, l.Calling)
	}
	fmt.Fprint(&b, slices.ContainsFunc(h.own.Bindings, func(b Binding) bool { return b.Status == BindOwed }))
	return b.String()
}

func cell(cells map[string]map[State]map[string]bool, command string, s State) map[string]bool {
	if cells[command] == nil {
		cells[command] = map[State]map[string]bool{}
	}
	if cells[command][s] == nil {
		cells[command][s] = map[string]bool{}
	}
	return cells[command][s]
}

// renderTable writes a row for each command and a column for each state.
func renderTable(cells map[string]map[State]map[string]bool) string {
	states := append([]State{""}, States()...)
	var b strings.Builder
	b.WriteString("| Command |")
	for _, s := range states {
		name := string(s)
		if s == "" {
			name = "(none)"
		}
		b.WriteString(" " + name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(states)) + "\n")
	var names []string
	for name := range cells {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString("| " + name + " |")
		for _, s := range states {
			var next, errs []string
			for _, n := range States() {
				switch {
				case !cells[name][s][string(n)]:
				case n == s:
					next = append(next, "=")
				default:
					next = append(next, string(n))
				}
			}
			for e := range cells[name][s] {
				if strings.HasPrefix(e, "*") {
					errs = append(errs, e)
				}
			}
			slices.Sort(errs)
			b.WriteString(" " + strings.Join(append(next, errs...), ", ") + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// deepCopy copies a value with everything that it points to, whoever owns it.
func deepCopy(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	copyInto(out, v)
	return out
}

func copyInto(dst, src reflect.Value) {
	if _, ok := reflect.TypeAssert[time.Time](src); ok {
		dst.Set(src)
		return
	}
	switch src.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			copyInto(dst.Elem(), src.Elem())
		}
	case reflect.Slice:
		if !src.IsNil() {
			// The room behind the end is copied too: writing there is a change.
			full := src.Slice3(0, src.Len(), src.Len())
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			for i := range src.Len() {
				copyInto(dst.Index(i), full.Index(i))
			}
		}
	case reflect.Map:
		if !src.IsNil() {
			dst.Set(reflect.MakeMap(src.Type()))
			for _, k := range src.MapKeys() {
				dst.SetMapIndex(k, deepCopy(src.MapIndex(k)))
			}
		}
	case reflect.Struct:
		dst.Set(src)
		for i := range src.NumField() {
			if src.Type().Field(i).IsExported() {
				copyInto(dst.Field(i), src.Field(i))
			}
		}
	default:
		dst.Set(src)
	}
}
