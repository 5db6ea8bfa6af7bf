package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// difference returns the first line in which two texts differ, or "".
func difference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return "got " + g + ", want " + w
		}
	}
	return ""
}

func showTime(t time.Time) string {
	if t.IsZero() {
		return "zero"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
}

func showBody(b handoff.Body) string {
	raw := b.Bytes()
	if len(raw) > 100 {
		return fmt.Sprintf("%d bytes %q…, sum %d", len(raw), raw[:50], sum(raw))
	}
	return strconv.Quote(string(raw))
}

func sum(raw []byte) (n uint64) {
	for _, b := range raw {
		n = n*31 + uint64(b)
	}
	return n
}

func showRecord(r *handoff.Record) []string {
	out := []string{
		fmt.Sprintf("ID %q %d", r.ID.Conversation, r.ID.Number),
		fmt.Sprintf("Version %d", r.Version),
		fmt.Sprintf("Seq %d", r.Seq),
		fmt.Sprintf("Queue %q", r.Queue),
		fmt.Sprintf("State %q", r.State),
		fmt.Sprintf("Outcome %q", r.Outcome),
		fmt.Sprintf("Agent %q", r.Agent),
		fmt.Sprintf("User %q", r.User),
		fmt.Sprintf("Tags %q", r.Tags),
		fmt.Sprintf("Line %q", r.Line),
		fmt.Sprintf("Priority %d", r.Priority),
		"Since " + showTime(r.Since),
		"Created " + showTime(r.Created),
		"Updated " + showTime(r.Updated),
		"Wake " + showTime(r.Wake),
	}
	for _, key := range r.Keys {
		out = append(out, fmt.Sprintf("key %+v", key))
	}
	for _, o := range r.Owed {
		out = append(out, fmt.Sprintf("owed %+v", o))
	}
	return append(out, "Body "+showBody(r.Body))
}

func showLog(list []handoff.RecordEntry) []string {
	out := make([]string, len(list))
	for i := range list {
		e := &list[i]
		out[i] = fmt.Sprintf("entry %d %q at %s with %s", e.Seq, e.ID, showTime(e.At), showBody(e.Body))
	}
	return out
}

// show prints the set fields of a query.
func show(q handoff.Query) string {
	var b strings.Builder
	field := func(set bool, name string, value any) {
		if set {
			fmt.Fprintf(&b, "%s:%q ", name, fmt.Sprint(value))
		}
	}
	field(q.Conversation != "", "Conversation", q.Conversation)
	field(q.Queue != "", "Queue", q.Queue)
	field(q.Agent != "", "Agent", q.Agent)
	field(q.User != "", "User", q.User)
	field(q.Tag != "", "Tag", q.Tag)
	field(len(q.States) > 0, "States", q.States)
	field(len(q.Outcomes) > 0, "Outcomes", q.Outcomes)
	field(len(q.Lines) > 0, "Lines", q.Lines)
	field(!q.From.IsZero(), "From", showTime(q.From))
	field(!q.To.IsZero(), "To", showTime(q.To))
	field(q.Waiting, "Waiting", q.Waiting)
	field(q.ByRank, "ByRank", q.ByRank)
	field(!q.After.IsZero(), "After", fmt.Sprintf("%d %s %v", q.After.Priority, showTime(q.After.At), q.After.ID))
	field(q.Limit != 0, "Limit", q.Limit)
	return strings.TrimSuffix(b.String(), " ")
}

// equalRecords reports whether two records have equal fields.
func equalRecords(a, b *handoff.Record) bool {
	return a.ID == b.ID && a.Version == b.Version && a.Seq == b.Seq &&
		a.Queue == b.Queue && a.State == b.State && a.Outcome == b.Outcome && a.Agent == b.Agent && a.User == b.User &&
		slices.Equal(a.Tags, b.Tags) && a.Line == b.Line && a.Priority == b.Priority && a.Since.Equal(b.Since) &&
		a.Created.Equal(b.Created) && a.Updated.Equal(b.Updated) && a.Wake.Equal(b.Wake) &&
		slices.Equal(a.Keys, b.Keys) && slices.Equal(a.Owed, b.Owed) && equalBodies(a.Body, b.Body)
}

// equalEntries reports whether two entries have equal fields.
func equalEntries(a, b handoff.RecordEntry) bool {
	return a.ID == b.ID && a.Seq == b.Seq && a.At.Equal(b.At) && equalBodies(a.Body, b.Body)
}

// equalBodies reports whether two bodies have the same bytes.
func equalBodies(a, b handoff.Body) bool { return bytes.Equal(a.Bytes(), b.Bytes()) }
