package analytics

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Options say what is computed. The zero value is everything, in one group.
type Options struct {
	// Query selects handoffs: a time of creation, a queue, an agent, a tag. Its
	// After, Limit and ByRank are not used.
	Query handoff.Query

	// By names the group of a handoff: ByQueue, ByAgent, ByDay …, or the host's
	// own. nil: one group, "".
	By func(*handoff.Handoff) string

	Target  time.Duration // of the service level; default 20s
	Reopen  time.Duration // how long after its end a handoff can be reopened; default 24h
	Groups  int           // at most so many, the rest is Other; default 1000
	Staffed time.Duration // seats times the time they were staffed, for Occupancy; 0: unknown
}

// Other is the group of what came after Options.Groups was reached.
const Other = "(other)"

func (o *Options) resolve() error {
	for _, d := range []struct {
		name string
		d    time.Duration
	}{{"Target", o.Target}, {"Reopen", o.Reopen}, {"Staffed", o.Staffed}, {"Groups", time.Duration(o.Groups)}} {
		if d.d < 0 {
			return &handoff.InvalidError{Field: "Options." + d.name, Why: "is negative"}
		}
	}
	o.Target = cmp.Or(o.Target, 20*time.Second)
	o.Reopen = cmp.Or(o.Reopen, 24*time.Hour)
	o.Groups = cmp.Or(o.Groups, 1000)
	return nil
}

// A Report is what was computed.
type Report struct {
	Total     Figures `json:"total"`
	Groups    []Group `json:"groups,omitempty"` // by name; none without Options.By
	Occupancy *Share  `json:"occupancy,omitempty"`
}

// A Group is the figures of some of the handoffs.
type Group struct {
	Name string `json:"name"`
	Figures
}

// A Share is a time out of another.
type Share struct {
	Used  time.Duration `json:"used"` // nanoseconds
	Of    time.Duration `json:"of"`   // nanoseconds
	Value float64       `json:"value"`
}

// A Tally adds up handoffs one by one, in memory that does not grow with their
// number. It is not safe for concurrent use. Make one with NewTally.
type Tally struct {
	o      Options
	total  Figures
	groups map[string]*Figures
}

// NewTally returns an empty tally. Options.Query is not used.
func NewTally(o Options) (*Tally, error) {
	if err := o.resolve(); err != nil {
		return nil, err
	}
	return &Tally{o: o, groups: map[string]*Figures{}}, nil
}

// Add counts a handoff, once. reopened says that a person was asked for again
// soon after one had it; Compute looks that up.
func (t *Tally) Add(h *handoff.Handoff, reopened bool) {
	t.total.add(h, t.o.Target, reopened)
	if t.o.By == nil {
		return
	}
	t.group(t.o.By(h)).add(h, t.o.Target, reopened)
}

func (t *Tally) group(name string) *Figures {
	g := t.groups[name]
	if g == nil && len(t.groups) >= t.o.Groups {
		name = Other
		g = t.groups[name]
	}
	if g == nil {
		g = new(Figures)
		t.groups[name] = g
	}
	return g
}

// Merge adds what another tally has counted, with the same options.
func (t *Tally) Merge(o *Tally) {
	t.total.merge(&o.total)
	for _, name := range slices.Sorted(maps.Keys(o.groups)) {
		t.group(name).merge(o.groups[name])
	}
}

// Report returns what was counted so far.
func (t *Tally) Report() Report {
	// Merging into an empty one copies.
	var r Report
	r.Total.merge(&t.total)
	for _, name := range slices.Sorted(maps.Keys(t.groups)) {
		g := Group{Name: name}
		g.merge(t.groups[name])
		r.Groups = append(r.Groups, g)
	}
	if t.o.Staffed > 0 {
		r.Occupancy = &Share{Used: t.total.SeatTime, Of: t.o.Staffed, Value: float64(t.total.SeatTime) / float64(t.o.Staffed)}
	}
	return r
}

// ByQueue groups by the queue that has it or had it last.
func ByQueue(h *handoff.Handoff) string { return h.Need.Queue }

// ByAgent groups by the agent who has it or had it last; "" is nobody.
func ByAgent(h *handoff.Handoff) string {
	switch {
	case h.Agent != "":
		return h.Agent
	case h.Attended:
		return h.LastAgent
	}
	return ""
}

// ByProvider groups by platform; "" is our own desk.
func ByProvider(h *handoff.Handoff) string { return h.Provider }

// ByChannel groups by the host's channel.
func ByChannel(h *handoff.Handoff) string { return h.Channel }

// ByLanguage groups by the user's language.
func ByLanguage(h *handoff.Handoff) string { return h.Language }

// ByReason groups by why a person was asked for; "" is not at all.
func ByReason(h *handoff.Handoff) string { return string(h.Reason) }

// ByMissed groups by why nobody helped; "" is that somebody did, or may still.
func ByMissed(h *handoff.Handoff) string { return string(h.Missed) }

// ByTags groups by the set of tags.
func ByTags(h *handoff.Handoff) string {
	tags := slices.Clone(h.Tags)
	slices.Sort(tags)
	return strings.Join(tags, " ")
}

// ByDay groups by the day of creation, as 2006-01-02; nil is UTC.
func ByDay(loc *time.Location) func(*handoff.Handoff) string { return byTime(loc, time.DateOnly) }

// ByHour groups by the hour of creation, as 2006-01-02T15; nil is UTC.
func ByHour(loc *time.Location) func(*handoff.Handoff) string { return byTime(loc, "2006-01-02T15") }

func byTime(loc *time.Location, layout string) func(*handoff.Handoff) string {
	if loc == nil {
		loc = time.UTC
	}
	return func(h *handoff.Handoff) string { return h.Created.In(loc).Format(layout) }
}
