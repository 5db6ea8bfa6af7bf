package handoff

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hours says when a queue is staffed. A nil Hours means always. The answer
// must depend on t alone. Implementations must be safe for concurrent use.
type Hours interface {
	// At reports whether the queue is staffed at t, and the first moment after
	// t at which that changes: the closing time of an open queue, the opening
	// time of a closed one. A zero next means that no change is in sight.
	At(t time.Time) (open bool, next time.Time)
}

// A HoursWriter is Hours that people edit while engines run. At depends on t and
// on what was last set; on other replicas a change may be in force a moment
// later. Whoever waits or talks already hears of an earlier closing at the time
// that held when he came.
type HoursWriter interface {
	Hours

	// Weekly returns what is in force.
	Weekly(ctx context.Context) (Weekly, error)

	// SetWeekly keeps w, which passes Validate.
	SetWeekly(ctx context.Context, w Weekly) error
}

// A Span is a stretch of a day: "09:00-18:00", the first minute included, the
// last not. It may end at 24:00. A span that ends before it begins, such as
// "22:00-06:00", goes on after midnight and belongs to the day it began on.
type Span string

// Weekly is the usual Hours: opening hours that repeat every week in a time
// zone, with exceptions on single dates.
//
// Spans are read off the clock on the wall. A queue is open at exactly the
// moments at which a clock in Zone shows a time inside a span of that date.
// When daylight saving repeats an hour, both passes count; when it skips one,
// the part of a span in the gap does not happen, and the rest does. No other
// day moves. When a zone drops a whole date, as Samoa did in 2011, its hours go
// with it, and a span past midnight goes on in the date that came instead.
//
// The zero Weekly is never open, and Validate refuses it. Nothing is cached. A
// Weekly is safe for concurrent use as long as nobody changes its maps. As
// JSON it has the same shape, with the zone by name:
//
//	{"zone": "Europe/Madrid",
//	 "days": {"mon-fri": ["09:00-14:00", "15:30-18:00"], "sat": ["10:00-14:00"]},
//	 "special": {"12-25": [], "2026-12-24": ["09:00-12:00"]}}
type Weekly struct {
	// Zone is where the clock hangs. Nil means UTC.
	Zone *time.Location

	// Days has the spans of each weekday. A key is a day or a range of days
	// by English name, full or three letters, in any case: "sat", "mon-fri",
	// "Sunday". A weekday that no key names is closed. A day has at most 24 spans.
	Days map[string][]Span

	// Special replaces the spans of single dates, either of one year,
	// "2026-12-24", or of every year, "12-25"; the former wins. No spans means
	// closed all day. A special date is ruled by its own spans alone: a span
	// of the day before ends at midnight, even if it says later.
	Special map[string][]Span
}

const (
	wholeDay = 24 * time.Hour
	maxSpans = 24 // of one key, which bounds the work of At
)

// At reports whether t is inside the opening hours, and the first moment after
// t at which that changes, in Zone. Next is zero when nothing changes within
// 400 days. A day, date or span that cannot be read counts as not there.
func (w Weekly) At(t time.Time) (open bool, next time.Time) {
	week := w.week()
	at := t.In(cmp.Or(w.Zone, time.UTC))
	open, until := w.look(&week, at)
	for now := open; now == open; now, until = w.look(&week, at) {
		if !until.After(at) || until.Sub(t) > 400*wholeDay {
			return open, time.Time{}
		}
		at = until
	}
	return open, at
}

// look reports whether at is inside a span, and until when that surely lasts:
// the next edge of a span, midnight, or a change of the zone's offset.
func (w Weekly) look(week *[7][]Span, at time.Time) (open bool, until time.Time) {
	hour, minute, second := at.Clock()
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(at.Nanosecond())
	left := wholeDay - clock
	mark := func(spans []Span, now time.Duration) {
		for _, s := range spans[:min(len(spans), maxSpans)] {
			switch from, to, _ := s.parse(); {
			case now < from:
				left = min(left, from-now)
			case now < to:
				open, left = true, min(left, to-now)
			}
		}
	}
	spans, special := w.day(week, at)
	mark(spans, clock)
	if !special {
		// Six hours before this day began it was the day before, whatever
		// daylight saving did around midnight.
		spans, _ = w.day(week, at.Add(-clock-6*time.Hour))
		mark(spans, clock+wholeDay)
	}
	until = at.Add(left)
	// On the last day of a leap year ZoneBounds may give an end in the past.
	if _, end := at.ZoneBounds(); end.After(at) && end.Before(until) {
		until = end
	}
	return open, until
}

// day returns the spans that begin on the date of at, and if that is special.
func (w Weekly) day(week *[7][]Span, at time.Time) (spans []Span, special bool) {
	if len(w.Special) > 0 {
		date := at.Format(time.DateOnly)
		if spans, special = w.Special[date]; !special {
			spans, special = w.Special[date[len(date)-len("01-02"):]]
		}
	}
	if !special {
		spans = week[at.Weekday()]
	}
	return spans, special
}

// week returns Days by weekday. One that is named twice has the spans of both.
func (w Weekly) week() (week [7][]Span) {
	for key, spans := range w.Days {
		first, n, _ := parseWeekdays(key)
		for i := range n {
			day := &week[(first+i)%7]
			*day = append(*day, spans...)
		}
	}
	return week
}

// Validate returns every problem at once, joined, each an *InvalidError that
// names the day or date: days, dates and spans that cannot be read, weekdays
// named twice, spans of a day or of two weekdays in a row that overlap, and
// hours that never open.
func (w Weekly) Validate() error {
	var problems []error
	report := func(field, format string, args ...any) {
		problems = append(problems, &InvalidError{Field: field, Why: fmt.Sprintf(format, args...)})
	}
	some := false
	check := func(field string, spans []Span) {
		if len(spans) > maxSpans {
			report(field, "%d spans, at most %d are allowed", len(spans), maxSpans)
		}
		for i, s := range spans {
			if _, _, err := s.parse(); err != nil {
				report(field, "span %.40q: %v", s, err)
			} else if x, found := clashing(spans[:i], s, 0); found {
				report(field, "spans %q and %q overlap", x, s)
			}
		}
		some = some || len(spans) > 0
	}
	var named [7]string
	for _, key := range slices.Sorted(maps.Keys(w.Days)) {
		field := fmt.Sprintf("Days[%.40q]", key)
		first, n, err := parseWeekdays(key)
		if err != nil {
			report(field, "%v", err)
		}
		for i := range n {
			day := (first + i) % 7
			if named[day] != "" {
				report(field, "%s is in %q too", time.Weekday(day), named[day])
			}
			named[day] = key
		}
		check(field, w.Days[key])
	}
	week := w.week()
	for i := range week {
		day, before := time.Weekday(i), time.Weekday((i+6)%7)
		for _, s := range week[day] {
			if x, found := clashing(week[before], s, wholeDay); found {
				report("Days", "%s %q overlaps %s %q", before, x, day, s)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.Special)) {
		field := fmt.Sprintf("Special[%.40q]", key)
		_, once := time.Parse(time.DateOnly, key)
		_, yearly := time.Parse(time.DateOnly, "2000-"+key)
		if once != nil && yearly != nil {
			report(field, `not a date like "2026-12-24" or "12-24"`)
		}
		check(field, w.Special[key])
	}
	if !some {
		report("Days", "never open: no day has a span")
	}
	return errors.Join(problems...)
}

// clashing finds a span that has a minute in common with s, a span of a day that
// much later.
func clashing(spans []Span, s Span, later time.Duration) (x Span, found bool) {
	from, to, err := s.parse()
	for _, x := range spans[:min(len(spans), maxSpans)] {
		xFrom, xTo, _ := x.parse()
		if err == nil && xFrom < to+later && from+later < xTo {
			return x, true
		}
	}
	return "", false
}

// parse returns the ends of s since midnight: from within the day, and to less
// than a day later or 24:00. Both are 0, an empty span, when s cannot be read.
func (s Span) parse() (from, to time.Duration, err error) {
	a, b, _ := strings.Cut(string(s), "-")
	from, okFrom := parseClock(a)
	to, okTo := parseClock(b)
	switch {
	case !okFrom || !okTo || from == wholeDay:
		return 0, 0, errors.New(`not like "09:00-18:00"`)
	case from == to:
		return 0, 0, errors.New(`ends as it begins; all day is "00:00-24:00"`)
	case to < from:
		to += wholeDay
	}
	return from, to, nil
}

// parseClock reads "09:00", "9:00" or "24:00".
func parseClock(s string) (time.Duration, bool) {
	h, m, _ := strings.Cut(s, ":")
	hour, errHour := strconv.ParseUint(h, 10, 8)
	minute, errMinute := strconv.ParseUint(m, 10, 8)
	d := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	read := errHour == nil && errMinute == nil && len(h) <= 2 && len(m) == 2
	return d, read && minute < 60 && d <= wholeDay
}

// parseWeekdays reads "sat" as 6 and 1, "mon-fri" as 1 and 5: the first weekday,
// and how many days it is.
func parseWeekdays(key string) (first, n int, err error) {
	a, b, isRange := strings.Cut(key, "-")
	if !isRange {
		b = a
	}
	first, last := parseWeekday(a), parseWeekday(b)
	if first < 0 || last < 0 {
		return 0, 0, errors.New(`not a weekday like "sat" or a range like "mon-fri"`)
	}
	return first, (last-first+7)%7 + 1, nil
}

// parseWeekday returns the weekday of that name, or -1.
func parseWeekday(name string) int {
	for day := range 7 {
		long := time.Weekday(day).String()
		if strings.EqualFold(name, long) || strings.EqualFold(name, long[:3]) {
			return day
		}
	}
	return -1
}

type weeklyJSON struct {
	Zone    string            `json:"zone"`
	Days    map[string][]Span `json:"days,omitempty"`
	Special map[string][]Span `json:"special,omitempty"`
}

// MarshalJSON writes the form shown at Weekly. It is an error when the zone
// cannot be found again by its name, as with most from time.FixedZone.
func (w Weekly) MarshalJSON() ([]byte, error) {
	name := cmp.Or(w.Zone, time.UTC).String()
	if _, err := time.LoadLocation(name); err != nil || name == "" {
		return nil, fmt.Errorf("hours: zone %q is not a known name", name)
	}
	return json.Marshal(weeklyJSON{name, w.Days, w.Special})
}

// UnmarshalJSON reads the form shown at Weekly. An unknown zone or field is an
// error; the rest is left to Validate.
func (w *Weekly) UnmarshalJSON(data []byte) error {
	var j weeklyJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return fmt.Errorf("hours: %w", err)
	}
	zone, err := time.LoadLocation(j.Zone)
	if err != nil {
		return fmt.Errorf("hours: zone %.40q is not a known name", j.Zone)
	}
	*w = Weekly{Zone: zone, Days: j.Days, Special: j.Special}
	return nil
}
