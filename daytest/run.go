package daytest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/history"
)

// Run puts the day into the store that open returns, which is empty, and
// checks figures, lists, exports and erasure.
func Run(t *testing.T, open func(t *testing.T) handoff.Store) {
	t.Helper()
	s := open(t)
	Fill(t, s)
	e := Engine(t, s)
	t.Run("figures", func(t *testing.T) { figures(t, e) })
	t.Run("groups", func(t *testing.T) { groups(t, e) })
	t.Run("list", func(t *testing.T) { lists(t, e) })
	t.Run("export", func(t *testing.T) { exports(t, e) })
	t.Run("erase", func(t *testing.T) { erases(t, e) }) // last: it changes the day
}

// Engine returns an engine on a store that has the day. It does not run.
func Engine(t *testing.T, s handoff.Store) *handoff.Engine {
	t.Helper()
	cfg := handoff.Config{Store: s, Directory: handoff.Staff{{ID: "ann"}, {ID: "bob"}}}
	config(&cfg)
	e, err := handoff.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Fill plays the day and puts it into a store.
func Fill(t *testing.T, s handoff.Store) {
	t.Helper()
	type stored struct {
		record  handoff.Record
		entries []handoff.RecordEntry
	}
	var all []stored
	synctest.Test(t, func(t *testing.T) {
		r := handofftest.New(t, config)
		play(t, r)
		list, err := r.Store.List(t.Context(), handoff.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			log, err := r.Store.Log(t.Context(), list[i].ID, 0, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, stored{list[i], log})
		}
	})
	for _, st := range all {
		st.record.Version = 0
		if err := s.Commit(t.Context(), st.record, st.entries...); err != nil {
			t.Fatalf("Commit of %v: %v", st.record.ID, err)
		}
	}
}

// spread is what a spread must be: count, sum, least, median, nine tenths and
// most, in seconds.
type spread struct{ n, sum, least, p50, p90, most float64 }

func (w spread) check(t *testing.T, name string, s *analytics.Spread) {
	t.Helper()
	got := spread{float64(s.Count), s.Sum.Seconds(), s.Min.Seconds(), w.p50, w.p90, s.Max.Seconds()}
	if got != w {
		t.Errorf("%s: %+v, want %+v", name, got, w)
	}
	for p, want := range map[float64]float64{.5: w.p50, .9: w.p90} {
		// Quantiles are right to within 1 %.
		if v := s.Quantile(p).Seconds(); v < want*.99 || v > want*1.01 {
			t.Errorf("%s: quantile %v is %v s, want %v s", name, p, v, want)
		}
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// figures compares the whole day with what was computed by hand.
func figures(t *testing.T, e *handoff.Engine) {
	r, err := analytics.Compute(t.Context(), e, analytics.Options{Staffed: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	f := &r.Total
	counts := func(name string, got, want int) {
		t.Helper()
		same(t, name, got, want)
	}
	counts("Handoffs", f.Handoffs, handoffs)
	counts("Asked", f.Asked, 17)       // all but 1, 2, 3
	counts("Queued", f.Queued, 14)     // 4-12, 15, 17-20
	counts("Refused", f.Refused, 1)    // 13
	counts("Attended", f.Attended, 10) // 4-8, 14, 15, 17, 18, 20
	counts("Open", f.Open, 2)          // 19, 20
	counts("Contained", f.Contained, 3)
	counts("Missed", f.Missed, 4)       // 9, 11, 12, 13; 10 and 16 took it back
	counts("Abandoned", f.Abandoned, 2) // 9, 10; 16 was never in a queue
	counts("Transferred", f.Transferred, 1)
	counts("Transfers", f.Transfers, 1)
	counts("Requeued", f.Requeued, 1)
	counts("Requeues", f.Requeues, 1)
	counts("Reopened", f.Reopened, 1)
	counts("LeftMessage", f.LeftMessage, 1)
	same(t, "Outcomes", f.Outcomes, map[handoff.Outcome]int{
		handoff.OutcomeContained: 3, handoff.OutcomeReturned: 2, handoff.OutcomeResolved: 6, handoff.OutcomeAbandoned: 1,
		handoff.OutcomeCancelled: 2, handoff.OutcomeMissed: 2, handoff.OutcomeUnavailable: 1, handoff.OutcomeIdle: 1,
	})

	same(t, "Containment", f.Containment, analytics.Ratio{N: 3, Of: 18})   // of 20, two are open
	same(t, "Escalation", f.Escalation, analytics.Ratio{N: 17, Of: 20})    //
	same(t, "MissedRate", f.MissedRate, analytics.Ratio{N: 4, Of: 15})     // 17 asked, two are open
	same(t, "AbandonRate", f.AbandonRate, analytics.Ratio{N: 2, Of: 13})   // 14 queued, 19 is undecided
	same(t, "ServiceLevel", f.ServiceLevel, analytics.Ratio{N: 7, Of: 13}) // 4, 5, 7, 8, 15, 17, 18
	same(t, "ReopenRate", f.ReopenRate, analytics.Ratio{N: 1, Of: 17})     //
	same(t, "TransferRate", f.TransferRate, analytics.Ratio{N: 1, Of: 10}) //
	mean, rated := f.Rating()
	same(t, "Rating", []float64{mean, float64(rated)}, []float64{4.5, 2})

	// 10, 30, 120, 1800, 1800, 1800, 2100
	spread{7, 7660, 10, 1800, 2100, 2100}.check(t, "Bot", &f.Bot)
	// 40, 60
	spread{2, 100, 40, 40, 60, 60}.check(t, "Intake", &f.Intake)
	// 10, 10, 10, 10, 20, 30, 35, 45, 75, 90, 600, 600
	spread{12, 1535, 10, 30, 600, 600}.check(t, "Wait", &f.Wait)
	// 5, 10, 10, 10, 10, 15, 20, 25, 45
	spread{9, 150, 5, 10, 45, 45}.check(t, "FirstWait", &f.FirstWait)
	// 30, 90
	spread{2, 120, 30, 30, 90, 90}.check(t, "AbandonedWait", &f.AbandonedWait)
	// 5, 5, 5, 10, 15, 15, 30, 135
	spread{8, 220, 5, 10, 135, 135}.check(t, "FirstReply", &f.FirstReply)
	// 120, 180, 180, 240, 300, 300, 300, 600, 900
	spread{9, 3120, 120, 300, 900, 900}.check(t, "Human", &f.Human)
	spread{1, 60, 60, 60, 60, 60}.check(t, "Held", &f.Held)
	spread{1, 30, 30, 30, 30, 30}.check(t, "Wrapup", &f.Wrapup)
	// as Human, with 60 held in no 6 and 30 of wrap-up in no 8
	spread{9, 3210, 120, 300, 900, 900}.check(t, "Handle", &f.Handle)

	// The video session took two seats for 600 s.
	same(t, "SeatTime", f.SeatTime, 3810*time.Second)
	same(t, "Occupancy", *r.Occupancy, analytics.Share{Used: 3810 * time.Second, Of: 2 * time.Hour, Value: 3810.0 / 7200})
}

// groups compares some groups, and all of them together with the whole.
func groups(t *testing.T, e *handoff.Engine) {
	by := func(f func(*handoff.Handoff) string) map[string]analytics.Figures {
		t.Helper()
		r, err := analytics.Compute(t.Context(), e, analytics.Options{By: f})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]analytics.Figures{}
		for _, g := range r.Groups {
			out[g.Name] = g.Figures
		}
		return out
	}
	counts := func(groups map[string]analytics.Figures) map[string]int {
		out := map[string]int{}
		for name, f := range groups {
			if f.Handoffs > 0 {
				out[name] = f.Handoffs
			}
		}
		return out
	}
	queues := by(analytics.ByQueue)
	same(t, "ByQueue", counts(queues), map[string]int{"": 4, "support": 12, "billing": 1, "night": 1, "form": 2})
	billing := queues["billing"]
	spread{1, 75, 75, 75, 75, 75}.check(t, "Wait in billing", &billing.Wait)
	spread{1, 135, 135, 135, 135, 135}.check(t, "FirstReply in billing", &billing.FirstReply)
	// Nobody had 1-3, 9-13, 16 and 19.
	same(t, "ByAgent", counts(by(analytics.ByAgent)), map[string]int{"": 10, "ann": 6, "bob": 4})
	same(t, "ByHour", counts(by(analytics.ByHour(nil))), map[string]int{
		"2000-01-01T08": 3, "2000-01-01T09": 4, "2000-01-01T10": 5, "2000-01-01T11": 4, "2000-01-01T12": 1, "2000-01-01T13": 1, "2000-01-01T14": 2,
	})
}

// lists compares pages with the table of the day.
func lists(t *testing.T, e *handoff.Engine) {
	ids := func(f history.Filter) []string {
		t.Helper()
		var out []string
		for h, err := range history.All(t.Context(), e, f, "") {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, h.ID.String())
		}
		return out
	}
	same(t, "missed", ids(history.Filter{Class: history.Missed}), []string{"c09#1", "c11#1", "c12#1", "c13#1"})
	same(t, "completed by bob", ids(history.Filter{Class: history.Completed, Query: handoff.Query{Agent: "bob"}}), []string{"c06#1", "c07#1", "c15#1", "c18#1"})
	same(t, "completed in billing", ids(history.Filter{Class: history.Completed, Query: handoff.Query{Queue: "billing"}}), []string{"c08#1"})
	same(t, "cancelled", ids(history.Filter{Query: handoff.Query{Outcomes: []handoff.Outcome{handoff.OutcomeCancelled}}}), []string{"c10#1", "c16#1"})
	same(t, "tagged", ids(history.Filter{Query: handoff.Query{Tag: "refund"}}), []string{"c06#1"})
	same(t, "with a text", ids(history.Filter{Text: "CALL me"}), []string{"c12#1"})
	same(t, "with an answer", ids(history.Filter{Text: "a-17"}), []string{"c15#1"})
	same(t, "of a user", ids(history.Filter{Query: handoff.Query{User: "user of c10"}})[0], "c10#1")
	ten := time.Date(2000, 1, 1, 10, 0, 0, 0, time.UTC)
	same(t, "of a quarter of an hour", ids(history.Filter{Query: handoff.Query{From: ten, To: ten.Add(15 * time.Minute), Queue: "support"}}), []string{"c09#1"})

	// Newest first, in pages of every size, is oldest first turned round.
	want := ids(history.Filter{})
	slices.Reverse(want)
	for _, size := range []int{1, 3, 7, 100} {
		var got []string
		for next := ""; ; {
			p, err := history.List(t.Context(), e, history.Filter{}, next, size)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Handoffs) > size {
				t.Fatalf("a page of %d has %d", size, len(p.Handoffs))
			}
			for i := range p.Handoffs {
				got = append(got, p.Handoffs[i].ID.String())
			}
			if next = p.Next; next == "" {
				break
			}
		}
		same(t, fmt.Sprintf("newest first by %d", size), got, want)
	}
}

// exports compares exports in one go with exports in pieces, and counts what
// is in them.
func exports(t *testing.T, e *handoff.Engine) {
	for _, format := range []history.Format{history.Text, history.JSONLines, history.HTML, history.CSV, history.Table} {
		x := history.Export{Format: format}
		var whole, pieces bytes.Buffer
		p, err := x.Write(t.Context(), &whole, e)
		if err != nil {
			t.Fatal(err)
		}
		x.Limit = 1
		n := 0
		for more := true; more; {
			got, err := x.Write(t.Context(), &pieces, e)
			if err != nil {
				t.Fatal(err)
			}
			n += got.Handoffs
			x.After, more = got.Cursor, got.More
		}
		same(t, "handoffs in pieces of "+string(format), n, p.Handoffs)
		if format == history.JSONLines {
			same(t, "JSON Lines in pieces", pieces.String(), whole.String())
			jsonLines(t, &whole, p)
		}
		if format == history.Table {
			rows, err := csv.NewReader(&whole).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			same(t, "rows", len(rows), p.Handoffs+1)
		}
	}
}

func jsonLines(t *testing.T, b *bytes.Buffer, p history.Progress) {
	t.Helper()
	kinds := map[string]int{}
	for line := range strings.Lines(b.String()) {
		var l struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		kinds[l.Type]++
	}
	same(t, "lines", kinds, map[string]int{"handoff": p.Handoffs, "entry": p.Entries, "end": p.Handoffs})
}

// erases removes a user, then everything that is old enough, and counts what
// is left.
func erases(t *testing.T, e *handoff.Engine) {
	r, err := history.Erase(t.Context(), e, history.Scope{User: "user of c10"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "erased conversations of c10", r.Conversations, 1)
	same(t, "kept of c10", r.KeptTotal, 0)
	if list, err := e.List(t.Context(), handoff.Query{Conversation: "c10"}); err != nil || len(list) > 0 {
		t.Errorf("after erasure there are %d, %v", len(list), err)
	}
	r, err = history.Erase(t.Context(), e, history.Scope{Before: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	kept := make([]string, 0, len(r.Kept))
	for _, k := range r.Kept {
		kept = append(kept, k.Conversation+" "+string(k.Why))
	}
	sort.Strings(kept)
	same(t, "kept", kept, []string{"c19 open", "c20 open"})
	n, entries := 0, 0
	for h, err := range history.All(t.Context(), e, history.Filter{}, "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
		log, err := e.Log(t.Context(), h.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		entries += len(log)
	}
	same(t, "left", n, 2)
	if entries == 0 {
		t.Error("the open ones lost their logs")
	}
}
