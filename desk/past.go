package desk

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
	"github.com/seed-2a427302/handoff/history"
)

// filter reads from an address which handoffs that are over an actor asks for,
// as far as he may see them. The range is the last 30 days unless it says
// otherwise, and at most 400 days.
func (h *Handler) filter(q url.Values, a *Actor) (history.Filter, *problem) {
	now := time.Now()
	from, to := now.AddDate(0, 0, -30), now.Add(time.Minute)
	for _, at := range []struct {
		name string
		t    *time.Time
	}{{"from", &from}, {"to", &to}} {
		s := q.Get(at.name)
		if s == "" {
			continue
		}
		ms, err := strconv.ParseInt(s, 10, 64)
		if err != nil || ms < 0 || ms > 1<<45 {
			return history.Filter{}, invalid(at.name, "is no time in milliseconds")
		}
		*at.t = time.UnixMilli(ms)
	}
	if to.Sub(from) > 400*24*time.Hour {
		return history.Filter{}, invalid("from", "is more than 400 days before the end")
	}
	for _, v := range q {
		for _, s := range v {
			if len(s) > 500 {
				return history.Filter{}, invalid("filter", "is too long")
			}
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) { // no store has it, and an export could no longer say so
				return history.Filter{}, invalid("filter", "holds NUL or is not UTF-8")
			}
		}
	}
	f := history.Filter{
		Query: handoff.Query{States: []handoff.State{handoff.StateEnded, handoff.StateWrapup}, Queue: q.Get("queue"), Tag: q.Get("tag"), From: from, To: to},
		Text:  strings.TrimSpace(q.Get("text")), Class: history.Class(q.Get("class")),
	}
	outcome, agent, left := handoff.Outcome(q.Get("outcome")), q.Get("agent"), q.Has("left")
	undone := q.Get("left") == "open"
	if outcome != "" {
		f.Query.Outcomes = []handoff.Outcome{outcome}
	}
	f.Match = func(now *handoff.Handoff) bool {
		// What the bot did alone is no case of anybody's, unless asked for.
		if outcome == "" && now.Outcome == handoff.OutcomeContained && !now.LeftMessage || left && !now.LeftMessage {
			return false
		}
		if undone && slices.Contains(now.Tags, h.cfg.Dealt) {
			return false
		}
		facts := factsOf(now, h.public(now.Need.Queue))
		return a.may(Past, &facts) && (agent == "" || facts.last == agent)
	}
	return f, nil
}

// past pages through what is over, newest first.
func (h *Handler) past(c *call) (any, error) {
	q := c.r.URL.Query()
	f, p := h.filter(q, &c.actor)
	if p != nil {
		return nil, p
	}
	limit, err := strconv.Atoi(cmp.Or(q.Get("limit"), "50"))
	if err != nil || limit < 1 || limit > 200 {
		return nil, invalid("limit", "is not between 1 and 200")
	}
	page, err := history.List(c.ctx(), h.engine, f, q.Get("before"), limit)
	if err != nil {
		return nil, err
	}
	out := []*row{}
	for i := range page.Handoffs {
		now := &page.Handoffs[i]
		out = append(out, newRow(now, h.style(now.Need.Queue), nil).view(&c.actor))
	}
	return map[string]any{"rows": out, "next": page.Next}, nil
}

// formats is what can be taken away, by the end of the address.
var formats = map[string]struct {
	format history.Format
	kind   string
}{
	"csv":    {history.Table, "text/csv; charset=utf-8"},
	"ndjson": {history.JSONLines, "application/x-ndjson"},
	"html":   {history.HTML, "text/html; charset=utf-8"},
	"txt":    {history.Text, "text/plain; charset=utf-8"},
}

// export streams what is over. Whoever takes something away is written down.
func (h *Handler) export(c *call) (any, error) {
	kind, ok := formats[c.name]
	if !ok {
		return nil, errNotFound
	}
	q := c.r.URL.Query()
	f, p := h.filter(q, &c.actor)
	if p != nil {
		return nil, p
	}
	zone, p := zoneOf(q)
	if p != nil {
		return nil, p
	}
	h.audit(c.ctx(), c.actor, "export", c.name+" "+f.Query.From.UTC().Format(time.DateOnly)+"/"+f.Query.To.UTC().Format(time.DateOnly))
	head := c.w.Header()
	head.Set("Content-Type", kind.kind)
	last := f.Query.To.Add(-time.Millisecond) // a range of days ends where the next day begins
	head.Set("Content-Disposition", "attachment; filename=\"handoffs-"+f.Query.From.In(zone).Format(time.DateOnly)+"-"+
		last.In(zone).Format(time.DateOnly)+"."+c.name+"\"")
	// The page that is taken away runs nothing and styles itself.
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	rc := http.NewResponseController(c.w)
	if kind.format == history.Table {
		// Spreadsheets take a file for one in letters of their system's own code,
		// unless it begins so. What cannot be written now cannot be below.
		_, _ = io.WriteString(c.w, "\uFEFF")
	}
	x := history.Export{Filter: f, Format: kind.format, Events: true, Location: zone, Title: h.cfg.Title, Done: func(history.Progress) error {
		// Each handoff gets its own time: a large export may take long.
		_ = rc.SetWriteDeadline(time.Now().Add(time.Minute)) // where that cannot be set, the server's limit holds
		return c.ctx().Err()
	}}
	if _, err := x.Write(c.ctx(), c.w, h.engine); err != nil {
		h.log.WarnContext(c.ctx(), "an export was broken off", "error", err)
		panic(http.ErrAbortHandler) // the browser must see that it is not whole
	}
	return nil, errHandled
}

func zoneOf(q url.Values) (*time.Location, *problem) {
	zone, err := time.LoadLocation(q.Get("zone"))
	if err != nil || q.Get("zone") == "Local" {
		return nil, invalid("zone", "is not known")
	}
	return zone, nil
}

// A figure is a line of the statistics.
type figure struct {
	Name      string `json:"name"`
	At        int64  `json:"at,omitempty"`
	Requests  int    `json:"requests"`
	Accepted  int    `json:"accepted"`
	Missed    int    `json:"missed"`
	Abandoned int    `json:"abandoned"`
	Wait      int64  `json:"wait"` // medians
	Handle    int64  `json:"handle"`
	Ratings   int    `json:"ratings"`
	RatingSum int    `json:"ratingSum"`
}

func newFigure(name string, f *analytics.Figures) figure {
	out := figure{
		Name: name, Requests: f.Asked, Accepted: f.Attended, Missed: f.Missed, Abandoned: f.Abandoned,
		Wait: quantile(&f.FirstWait, 0.5), Handle: quantile(&f.Handle, 0.5),
	}
	for i, n := range f.Scores {
		out.Ratings, out.RatingSum = out.Ratings+n, out.RatingSum+n*(i+1)
	}
	return out
}

// quantile is in milliseconds; -1 means that nothing was counted.
func quantile(s *analytics.Spread, p float64) int64 {
	if s.Count == 0 {
		return -1
	}
	return s.Quantile(p).Milliseconds()
}

// stats adds up what happened, by the definitions of package analytics.
func (h *Handler) stats(c *call) (any, error) {
	q := c.r.URL.Query()
	f, p := h.filter(q, &c.actor)
	if p != nil {
		return nil, p
	}
	zone, p := zoneOf(q)
	if p != nil {
		return nil, p
	}
	agent := q.Get("agent")
	if agent != "" && !c.actor.has(Team) {
		return nil, errForbidden // the figures of one agent say who works there, and how
	}
	f.Query.States, f.Text = nil, ""
	f.Match = func(now *handoff.Handoff) bool {
		return c.actor.may(Figures, &facts{queue: now.Need.Queue}) && (agent == "" || analytics.ByAgent(now) == agent)
	}
	hourly := f.Query.To.Sub(f.Query.From) <= 49*time.Hour
	by := []func(*handoff.Handoff) string{analytics.ByQueue, analytics.ByAgent, analytics.ByReason, analytics.ByDay(zone)}
	if hourly {
		by[3] = analytics.ByHour(zone)
	}
	var tallies []*analytics.Tally
	for _, b := range by {
		t, err := analytics.NewTally(analytics.Options{By: b, Target: time.Minute})
		if err != nil {
			return nil, err
		}
		tallies = append(tallies, t)
	}
	for now, err := range history.All(c.ctx(), h.engine, f, "") {
		if err != nil {
			return nil, err
		}
		for _, t := range tallies {
			t.Add(&now, false)
		}
	}
	out := figuresOf(tallies, &f, zone, hourly, c.actor.has(Team))
	out["names"] = h.namesOf(c.ctx(), tallies[1], c.actor.has(Team))
	return out, nil
}

// namesOf names the agents of a tally, those too who serve no queue now. Without
// it they go by their ids.
func (h *Handler) namesOf(ctx context.Context, t *analytics.Tally, may bool) map[string]string {
	out := map[string]string{}
	all, err := h.members(ctx)
	if !may || err != nil {
		return out
	}
	known := make(map[string]string, len(all))
	for i := range all {
		known[all[i].ID] = all[i].Name
	}
	r := t.Report()
	for i := range r.Groups {
		if name := known[r.Groups[i].Name]; name != "" {
			out[r.Groups[i].Name] = name
		}
	}
	return out
}

func figuresOf(tallies []*analytics.Tally, f *history.Filter, zone *time.Location, hourly, names bool) map[string]any {
	report := tallies[0].Report()
	total := report.Total
	sum := newFigure("", &total)
	both := func(s *analytics.Spread) map[string]int64 {
		return map[string]int64{"p50": quantile(s, 0.5), "p90": quantile(s, 0.9)}
	}
	out := map[string]any{
		"requests": sum.Requests, "accepted": sum.Accepted, "missed": sum.Missed, "abandoned": sum.Abandoned, "contained": total.Contained,
		"closed": total.Containment.Of, "inTime": total.ServiceLevel.N, "counted": total.ServiceLevel.Of, "ratings": sum.Ratings, "ratingSum": sum.RatingSum,
		"wait": both(&total.FirstWait), "first": both(&total.FirstReply), "handle": both(&total.Handle), "wrapup": both(&total.Wrapup),
		"parts":  map[string]int64{"bot": total.Bot.Sum.Milliseconds(), "queue": total.Wait.Sum.Milliseconds(), "human": total.Human.Sum.Milliseconds()},
		"queues": groups(&report, false), "agents": []figure{}, "unit": map[bool]string{true: "hour", false: "day"}[hourly],
	}
	if agents := tallies[1].Report(); names {
		out["agents"] = groups(&agents, false)
	}
	type share struct {
		Name string `json:"name"`
		N    int    `json:"n"`
	}
	outcomes, reasons := []share{}, []share{}
	for _, o := range []handoff.Outcome{
		handoff.OutcomeResolved, handoff.OutcomeReturned, handoff.OutcomeCancelled, handoff.OutcomeAbandoned, handoff.OutcomeMissed,
		handoff.OutcomeUnavailable, handoff.OutcomeIdle, handoff.OutcomeFailed, handoff.OutcomeHanded,
	} {
		if n := total.Outcomes[o]; n > 0 {
			outcomes = append(outcomes, share{string(o), n})
		}
	}
	why := tallies[2].Report()
	for i := range why.Groups {
		if g := &why.Groups[i]; g.Name != "" && g.Asked > 0 {
			reasons = append(reasons, share{g.Name, g.Asked})
		}
	}
	out["outcomes"], out["reasons"] = outcomes, reasons
	slots := tallies[3].Report()
	out["slots"] = slotsOf(&slots, f, zone, hourly)
	return out
}

// groups leaves out those in which nobody was asked for.
func groups(r *analytics.Report, empty bool) []figure {
	out := []figure{}
	for i := range r.Groups {
		if g := &r.Groups[i]; g.Asked > 0 || empty {
			out = append(out, newFigure(g.Name, &g.Figures))
		}
	}
	return out
}

// slotsOf is every hour or day of the range, those without anything too. Days
// are steps of the calendar: one of them may have 23 or 25 hours.
func slotsOf(r *analytics.Report, f *history.Filter, zone *time.Location, hourly bool) []figure {
	known := map[string]figure{}
	for _, g := range groups(r, true) {
		known[g.Name] = g
	}
	layout := time.DateOnly
	if hourly {
		layout = "2006-01-02T15"
	}
	out := []figure{}
	at := f.Query.From.In(zone)
	at = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
	for at.Before(f.Query.To) && len(out) < 500 {
		name := at.Format(layout)
		g := known[name]
		g.Name, g.At = name, at.UnixMilli()
		if n := len(out); n == 0 || out[n-1].Name != name { // an hour that comes twice is one
			out = append(out, g)
		}
		if hourly {
			at = at.Add(time.Hour)
		} else {
			at = at.AddDate(0, 0, 1)
		}
	}
	return out
}
