package handoff_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

var _ handoff.Hours = handoff.Weekly{}

// hoursOf and everyDay keep the tables below short.
func hoursOf(s ...handoff.Span) []handoff.Span { return s }

func everyDay(s ...handoff.Span) map[string][]handoff.Span {
	return map[string][]handoff.Span{"mon-sun": s}
}

func zoneNamed(tb testing.TB, name string) *time.Location {
	tb.Helper()
	z, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return z
}

// hoursChanges follows next from one answer to the next, and checks on the way that
// it is exact.
func hoursChanges(tb testing.TB, w handoff.Weekly, from, until time.Time) []string {
	tb.Helper()
	var all []string
	for at := from; ; {
		open, next := w.At(at)
		if next.IsZero() || next.After(until) {
			return all
		}
		require.True(tb, next.After(at), "next %v is not after %v", next, at)
		just, same := w.At(next.Add(-1))
		require.Equal(tb, open, just, "the answer at %v changed before %v", at, next)
		require.True(tb, same.Equal(next), "before %v next is %v", next, same)
		then, _ := w.At(next)
		require.NotEqual(tb, open, then, "the answer at %v does not change at %v", at, next)
		all = append(all, hoursChange(next, then))
		at = next
	}
}

func hoursChange(at time.Time, open bool) string {
	if open {
		return at.Format("Mon 2006-01-02 15:04 -0700") + " open"
	}
	return at.Format("Mon 2006-01-02 15:04 -0700") + " close"
}

// Every line of want was written from the zone's own rules, not from what At
// said.
var daylightSavingHours = []struct {
	name        string
	zone        string
	days        map[string][]handoff.Span
	special     map[string][]handoff.Span
	from, until string // local, first minute included
	want        []string
}{
	{
		name: "a working day is one hour of UTC earlier after the spring change", zone: "Europe/Madrid",
		days: everyDay("09:00-18:00"), from: "2026-03-28 00:00", until: "2026-03-30 00:00",
		want: []string{
			"Sat 2026-03-28 09:00 +0100 open", "Sat 2026-03-28 18:00 +0100 close",
			"Sun 2026-03-29 09:00 +0200 open", "Sun 2026-03-29 18:00 +0200 close",
		},
	},
	{
		name: "spring: the part of a span in the gap does not happen", zone: "Europe/Madrid",
		days: everyDay("01:30-02:15", "02:45-03:30"), from: "2026-03-29 00:00", until: "2026-03-30 00:00",
		want: []string{
			"Sun 2026-03-29 01:30 +0100 open", "Sun 2026-03-29 03:30 +0200 close",
		},
	},
	{
		name: "spring: a span inside the gap is skipped, the next day's is not", zone: "America/New_York",
		days: everyDay("02:00-03:00"), from: "2026-03-08 00:00", until: "2026-03-10 00:00",
		want: []string{
			"Mon 2026-03-09 02:00 -0400 open", "Mon 2026-03-09 03:00 -0400 close",
		},
	},
	{
		name: "spring: a night shift is an hour shorter", zone: "America/New_York",
		days: map[string][]handoff.Span{"sat": hoursOf("22:00-06:00")}, from: "2026-03-07 12:00", until: "2026-03-09 00:00",
		want: []string{
			"Sat 2026-03-07 22:00 -0500 open", "Sun 2026-03-08 06:00 -0400 close",
		},
	},
	{
		name: "autumn: both passes of the repeated hour are open", zone: "America/New_York",
		days: everyDay("01:00-02:00"), from: "2026-11-01 00:00", until: "2026-11-02 00:00",
		want: []string{
			"Sun 2026-11-01 01:00 -0400 open", "Sun 2026-11-01 02:00 -0500 close",
		},
	},
	{
		name: "autumn: an edge inside the repeated hour is passed twice", zone: "Europe/Madrid",
		days: everyDay("01:00-02:30"), from: "2026-10-25 00:00", until: "2026-10-26 00:00",
		want: []string{
			"Sun 2026-10-25 01:00 +0200 open", "Sun 2026-10-25 02:30 +0200 close",
			"Sun 2026-10-25 02:00 +0100 open", "Sun 2026-10-25 02:30 +0100 close",
		},
	},
	{
		name: "the southern half: autumn in April, spring in October", zone: "Australia/Sydney",
		days: everyDay("02:30-04:00"), from: "2026-04-05 00:00", until: "2026-04-06 00:00",
		want: []string{
			"Sun 2026-04-05 02:30 +1100 open", "Sun 2026-04-05 02:00 +1000 close",
			"Sun 2026-04-05 02:30 +1000 open", "Sun 2026-04-05 04:00 +1000 close",
		},
	},
	{
		name: "the southern half, spring", zone: "Australia/Sydney",
		days: everyDay("02:30-04:00"), from: "2026-10-04 00:00", until: "2026-10-05 00:00",
		want: []string{
			"Sun 2026-10-04 03:00 +1100 open", "Sun 2026-10-04 04:00 +1100 close",
		},
	},
	{
		name: "half an hour back", zone: "Australia/Lord_Howe",
		days: everyDay("01:15-01:45"), from: "2026-04-05 00:00", until: "2026-04-06 00:00",
		want: []string{
			"Sun 2026-04-05 01:15 +1100 open", "Sun 2026-04-05 01:45 +1100 close",
			"Sun 2026-04-05 01:30 +1030 open", "Sun 2026-04-05 01:45 +1030 close",
		},
	},
	{
		name: "half an hour forward", zone: "Australia/Lord_Howe",
		days: everyDay("02:10-02:40"), from: "2026-10-04 00:00", until: "2026-10-05 00:00",
		want: []string{
			"Sun 2026-10-04 02:30 +1100 open", "Sun 2026-10-04 02:40 +1100 close",
		},
	},
	{
		name: "two hours back", zone: "Antarctica/Troll",
		days: everyDay("01:30-02:30"), from: "2026-10-25 00:00", until: "2026-10-26 00:00",
		want: []string{
			"Sun 2026-10-25 01:30 +0200 open", "Sun 2026-10-25 02:30 +0200 close",
			"Sun 2026-10-25 01:30 +0000 open", "Sun 2026-10-25 02:30 +0000 close",
		},
	},
	{
		name: "an offset of 5:45, without daylight saving", zone: "Asia/Kathmandu",
		days: everyDay("09:00-17:00"), from: "2026-03-29 00:00", until: "2026-03-30 00:00",
		want: []string{
			"Sun 2026-03-29 09:00 +0545 open", "Sun 2026-03-29 17:00 +0545 close",
		},
	},
	{
		name: "a quarter of an hour dropped at midnight, for good", zone: "Asia/Kathmandu",
		days: everyDay("00:00-00:10", "00:20-01:00", "23:30-24:00"), from: "1985-12-31 12:00", until: "1986-01-01 12:00",
		want: []string{
			"Tue 1985-12-31 23:30 +0530 open", "Wed 1986-01-01 00:15 +0545 close",
			"Wed 1986-01-01 00:20 +0545 open", "Wed 1986-01-01 01:00 +0545 close",
		},
	},
	{
		name: "no midnight: the day begins at one", zone: "America/Sao_Paulo",
		days: map[string][]handoff.Span{"sat": hoursOf("22:00-00:30"), "sun": hoursOf("01:45-02:00")},
		from: "2018-11-03 12:00", until: "2018-11-05 00:00",
		want: []string{
			"Sat 2018-11-03 22:00 -0300 open", "Sun 2018-11-04 01:00 -0200 close",
			"Sun 2018-11-04 01:45 -0200 open", "Sun 2018-11-04 02:00 -0200 close",
		},
	},
	{
		name: "the last hour of a day twice", zone: "America/Sao_Paulo",
		days: map[string][]handoff.Span{"sat": hoursOf("23:30-00:30")}, from: "2018-02-17 12:00", until: "2018-02-19 00:00",
		want: []string{
			"Sat 2018-02-17 23:30 -0200 open", "Sat 2018-02-17 23:00 -0300 close",
			"Sat 2018-02-17 23:30 -0300 open", "Sun 2018-02-18 00:30 -0300 close",
		},
	},
	{
		name: "a minute of Sunday, then Saturday again", zone: "America/St_Johns",
		days: map[string][]handoff.Span{"sat": hoursOf("23:00-24:00")}, from: "2006-10-28 12:00", until: "2006-10-30 00:00",
		want: []string{
			"Sat 2006-10-28 23:00 -0230 open", "Sun 2006-10-29 00:00 -0230 close",
			"Sat 2006-10-28 23:01 -0330 open", "Sun 2006-10-29 00:00 -0330 close",
		},
	},
	{
		name: "a date that never was takes its hours with it", zone: "Pacific/Apia",
		days: everyDay("09:00-17:00"), from: "2011-12-29 00:00", until: "2012-01-01 00:00",
		want: []string{
			"Thu 2011-12-29 09:00 -1000 open", "Thu 2011-12-29 17:00 -1000 close",
			"Sat 2011-12-31 09:00 +1400 open", "Sat 2011-12-31 17:00 +1400 close",
		},
	},
	{
		name: "a night shift goes on in the date that came instead", zone: "Pacific/Apia",
		days: map[string][]handoff.Span{"thu": hoursOf("22:00-06:00"), "fri": hoursOf("20:00-08:00")},
		from: "2011-12-29 00:00", until: "2012-01-01 00:00",
		want: []string{
			"Thu 2011-12-29 22:00 -1000 open", "Sat 2011-12-31 06:00 +1400 close",
		},
	},
	{
		name: "another date that never was", zone: "Pacific/Kwajalein",
		days: everyDay("09:00-17:00"), from: "1993-08-20 00:00", until: "1993-08-23 00:00",
		want: []string{
			"Fri 1993-08-20 09:00 -1200 open", "Fri 1993-08-20 17:00 -1200 close",
			"Sun 1993-08-22 09:00 +1200 open", "Sun 1993-08-22 17:00 +1200 close",
		},
	},
	{
		name: "a change at a quarter to three", zone: "Pacific/Chatham",
		days: everyDay("02:30-04:00"), from: "2026-09-27 00:00", until: "2026-09-28 00:00",
		want: []string{
			"Sun 2026-09-27 02:30 +1245 open", "Sun 2026-09-27 04:00 +1345 close",
		},
	},
	{
		name: "back for Ramadan", zone: "Africa/Casablanca",
		days: everyDay("02:30-03:30"), from: "2025-02-23 00:00", until: "2025-02-24 00:00",
		want: []string{
			"Sun 2025-02-23 02:30 +0100 open", "Sun 2025-02-23 02:00 +0000 close",
			"Sun 2025-02-23 02:30 +0000 open", "Sun 2025-02-23 03:30 +0000 close",
		},
	},
	{
		name: "the last day of a leap year, beyond the table of the zone", zone: "Australia/Sydney",
		days: everyDay("09:00-17:00"), from: "2048-12-31 00:00", until: "2049-01-02 00:00",
		want: []string{
			"Thu 2048-12-31 09:00 +1100 open", "Thu 2048-12-31 17:00 +1100 close",
			"Fri 2049-01-01 09:00 +1100 open", "Fri 2049-01-01 17:00 +1100 close",
		},
	},
	{
		name: "a holiday on the day of the change", zone: "Europe/Dublin",
		days: everyDay("00:30-03:00"), special: map[string][]handoff.Span{"2026-10-25": {}},
		from: "2026-10-24 12:00", until: "2026-10-27 00:00",
		want: []string{
			"Mon 2026-10-26 00:30 +0000 open", "Mon 2026-10-26 03:00 +0000 close",
		},
	},
	{
		name: "a night shift into a holiday ends at midnight", zone: "Europe/Madrid",
		days: everyDay("22:00-06:00"), special: map[string][]handoff.Span{"12-25": {}, "2027-12-25": hoursOf("10:00-11:00")},
		from: "2026-12-24 12:00", until: "2026-12-27 00:00",
		want: []string{
			"Thu 2026-12-24 22:00 +0100 open", "Fri 2026-12-25 00:00 +0100 close",
			"Sat 2026-12-26 22:00 +0100 open",
		},
	},
	{
		name: "a special night shift runs into an ordinary day; one year's date wins", zone: "Europe/Madrid",
		special: map[string][]handoff.Span{"12-25": {}, "2027-12-25": hoursOf("10:00-11:00", "23:00-1:00")},
		from:    "2026-12-01 00:00", until: "2028-12-30 00:00",
		want: []string{
			"Sat 2027-12-25 10:00 +0100 open", "Sat 2027-12-25 11:00 +0100 close",
			"Sat 2027-12-25 23:00 +0100 open", "Sun 2027-12-26 01:00 +0100 close",
		},
	},
}

func TestWeekly_daylightSaving(t *testing.T) {
	for _, c := range daylightSavingHours {
		t.Run(c.zone+"/"+c.name, func(t *testing.T) {
			z := zoneNamed(t, c.zone)
			w := handoff.Weekly{Zone: z, Days: c.days, Special: c.special}
			require.NoError(t, w.Validate())
			from, err := time.ParseInLocation("2006-01-02 15:04", c.from, z)
			require.NoError(t, err)
			until, err := time.ParseInLocation("2006-01-02 15:04", c.until, z)
			require.NoError(t, err)
			assert.Equal(t, c.want, hoursChanges(t, w, from, until))
		})
	}
}

func TestWeekly_At(t *testing.T) {
	type days = map[string][]handoff.Span
	noon := time.Date(2026, 6, 17, 12, 0, 0, 0, time.UTC) // a Wednesday
	for _, c := range []struct {
		name    string
		days    days
		special days
		at      time.Time
		open    bool
		next    string // "" for none
	}{
		{"never open", nil, nil, noon, false, ""},
		{"always open, midnight is no change", everyDay("00:00-24:00"), nil, noon, true, ""},
		{"always open, in turns", everyDay("06:00-18:00", "18:00-06:00"), nil, noon, true, ""},
		{"until midnight", everyDay("9:00-00:00"), nil, noon, true, "2026-06-18T00:00:00Z"},
		{"the first moment belongs", everyDay("12:00-13:00"), nil, noon, true, "2026-06-17T13:00:00Z"},
		{"the last moment does not", everyDay("11:00-12:00"), nil, noon, false, "2026-06-18T11:00:00Z"},
		{"the moment before", everyDay("11:00-12:00"), nil, noon.Add(-1), true, "2026-06-17T12:00:00Z"},
		{"a lunch break", everyDay("09:00-12:00", "13:00-18:00"), nil, noon, false, "2026-06-17T13:00:00Z"},
		{"tomorrow", days{"Thursday": {"08:00-09:00"}}, nil, noon, false, "2026-06-18T08:00:00Z"},
		{"over the weekend", days{"FRI-mon": {"00:00-24:00"}}, nil, noon.AddDate(0, 0, 3), true, "2026-06-23T00:00:00Z"},
		{"a week from now", days{"wed": {"08:00-09:00"}}, nil, noon, false, "2026-06-24T08:00:00Z"},
		{"a weekday named twice has both", days{"mon-fri": {"08:00-12:30"}, "wed": {"12:00-14:00"}}, nil, noon, true, "2026-06-17T14:00:00Z"},
		{"next year's holiday", everyDay("00:00-24:00"), days{"06-17": {}}, noon.AddDate(0, 0, 1), true, "2027-06-17T00:00:00Z"},
		{"in 400 days to the moment", nil, days{"2027-07-22": {"12:00-13:00"}}, noon, false, "2027-07-22T12:00:00Z"},
		{"in more than 400 days", nil, days{"2027-07-22": {"12:00-13:00"}}, noon.Add(-1), false, ""},
		{"the 29th of February", nil, days{"02-29": {"10:00-11:00"}}, noon.AddDate(1, 0, 0), false, "2028-02-29T10:00:00Z"},
		{"what cannot be read is not there", days{"mon-fri": {"9-17", "10:00-10:00", "12:00-25:00"}, "noday": {"00:00-24:00"}}, nil, noon, false, ""},
		{"before the year 0", everyDay("09:00-17:00"), days{"12-25": {}}, noon.AddDate(-2031, 0, 0), true, "-0005-06-17T17:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			open, next := handoff.Weekly{Days: c.days, Special: c.special}.At(c.at)
			assert.Equal(t, c.open, open)
			if c.next == "" {
				assert.True(t, next.IsZero(), "next is %v", next)
			} else {
				assert.Equal(t, c.next, next.Format(time.RFC3339Nano))
			}
		})
	}
}

// At far ends of time there is no answer worth having, but there is one.
func TestWeekly_endOfTime(t *testing.T) {
	w := handoff.Weekly{Zone: zoneNamed(t, "Australia/Sydney"), Days: everyDay("09:00-17:00"), Special: map[string][]handoff.Span{"01-01": {}}}
	for _, at := range []time.Time{{}, time.Unix(1<<62, 0), time.Unix(-1<<62, 0), time.Unix(1<<63-1, 999999999), time.Unix(-1<<63, 0)} {
		assert.NotPanics(t, func() {
			_, next := w.At(at)
			assert.True(t, next.IsZero() || next.After(at))
		})
	}
}

func TestWeekly_Validate(t *testing.T) {
	bad := handoff.Weekly{
		Days: map[string][]handoff.Span{
			"mon-fri":   hoursOf("09:00-13:00", "12:00-18:00", "18:00-18:00", "8am-noon"),
			"wed":       hoursOf("22:00-06:00"),
			"thursday":  hoursOf("05:59-07:00", "7:00-8:00"),
			"weekend":   hoursOf("24:00-12:00"),
			"sat-":      hoursOf("09:00-24:01"),
			"sun-sun":   hoursOf("09:60-10:00", "-1:00-10:00", "009:00-10:00", "", "10:00"),
			"\x00<b>\n": nil,
		},
		Special: map[string][]handoff.Span{
			"2026-12-24": hoursOf("09:00-12:00", "10:00-11:00"),
			"2026-02-29": nil,
			"02-29":      nil,
			"2026-1-6":   nil,
			"":           nil,
			"12-25":      hoursOf(handoff.Span(strings.Repeat("9", 1<<20))),
		},
	}
	err := bad.Validate()
	require.Error(t, err)
	want := `hours: "\x00<b>\n": not a weekday like "sat" or a range like "mon-fri"
hours: "mon-fri": spans "09:00-13:00" and "12:00-18:00" overlap
hours: "mon-fri": span "18:00-18:00": ends as it begins; all day is "00:00-24:00"
hours: "mon-fri": span "8am-noon": not like "09:00-18:00"
hours: "sat-": not a weekday like "sat" or a range like "mon-fri"
hours: "sat-": span "09:00-24:01": not like "09:00-18:00"
hours: "sun-sun": span "09:60-10:00": not like "09:00-18:00"
hours: "sun-sun": span "-1:00-10:00": not like "09:00-18:00"
hours: "sun-sun": span "009:00-10:00": not like "09:00-18:00"
hours: "sun-sun": span "": not like "09:00-18:00"
hours: "sun-sun": span "10:00": not like "09:00-18:00"
hours: Thursday is in both "mon-fri" and "thursday"
hours: Wednesday is in both "mon-fri" and "wed"
hours: "weekend": not a weekday like "sat" or a range like "mon-fri"
hours: "weekend": span "24:00-12:00": not like "09:00-18:00"
hours: Wednesday "22:00-06:00" overlaps Thursday "05:59-07:00"
hours: "": not a date like "2026-12-24" or "12-24"
hours: "12-25": span "9999999999999999999999999999999999999999": not like "09:00-18:00"
hours: "2026-02-29": not a date like "2026-12-24" or "12-24"
hours: "2026-1-6": not a date like "2026-12-24" or "12-24"
hours: "2026-12-24": spans "09:00-12:00" and "10:00-11:00" overlap`
	assert.Equal(t, want, err.Error())

	minutes := make([]handoff.Span, 24*60)
	for i := range minutes {
		minutes[i] = handoff.Span(fmt.Sprintf("%02d:%02d-%02d:%02d", i/60, i%60, (i+1)/60, (i+1)%60))
	}
	require.EqualError(t, handoff.Weekly{Days: everyDay(minutes...)}.Validate(), `hours: "mon-sun": 1440 spans, at most 24 are allowed`)
	hours := make([]handoff.Span, 24)
	for i := range hours {
		hours[i] = handoff.Span(fmt.Sprintf("%d:00-%d:00", i, i+1))
	}
	require.NoError(t, handoff.Weekly{Days: everyDay(hours...)}.Validate())

	never := "hours: never open: no day has a span"
	require.EqualError(t, handoff.Weekly{}.Validate(), never)
	require.EqualError(t, handoff.Weekly{Days: everyDay(), Special: map[string][]handoff.Span{"12-25": nil}}.Validate(), never)

	require.NoError(t, handoff.Weekly{Special: map[string][]handoff.Span{"2026-12-24": hoursOf("9:00-12:00")}}.Validate())
	require.NoError(t, handoff.Weekly{Days: everyDay("22:00-06:00", "06:00-07:00", "08:00-09:00", "07:00-08:00")}.Validate(), "one ends as the other begins")
	require.NoError(t, handoff.Weekly{Days: map[string][]handoff.Span{"sun": hoursOf("20:00-19:00")}}.Validate(), "Monday is closed")
}

func TestWeekly_JSON(t *testing.T) {
	const text = `{"zone":"Europe/Madrid",
		"days":{"mon-fri":["09:00-14:00","15:30-18:00"],"sat":["10:00-14:00"]},
		"special":{"12-25":[],"2026-12-24":["09:00-12:00"]}}`
	var w handoff.Weekly
	require.NoError(t, json.Unmarshal([]byte(text), &w))
	require.NoError(t, w.Validate())
	assert.Equal(t, "Europe/Madrid", w.Zone.String())
	back, err := json.Marshal(w)
	require.NoError(t, err)
	assert.JSONEq(t, text, string(back))

	back, err = json.Marshal(handoff.Weekly{Days: everyDay("09:00-10:00")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"zone":"UTC","days":{"mon-sun":["09:00-10:00"]}}`, string(back))
	require.NoError(t, json.Unmarshal([]byte(`{"days":{"mon-sun":["09:00-10:00"]}}`), &w))
	assert.Equal(t, handoff.Weekly{Zone: time.UTC, Days: everyDay("09:00-10:00")}, w, "nothing is left of what was there")

	for _, bad := range []string{
		`{"zone":"Europe/Madrit"}`, `{"zone":"../etc/passwd"}`, `{"zones":"Europe/Madrid"}`, `{"days":{"mon":"09:00-10:00"}}`, `[]`, `{`,
	} {
		before := w
		require.Error(t, json.Unmarshal([]byte(bad), &w), bad)
		assert.Equal(t, before, w, "an error changes nothing")
	}
	for _, z := range []*time.Location{time.FixedZone("", 3600), time.FixedZone("Base", 3600)} {
		_, err := json.Marshal(handoff.Weekly{Zone: z})
		assert.ErrorContains(t, err, "is not a known name")
	}
}

// hoursZones is where the twins are compared: both halves, odd offsets, odd hours
// of change, and dates that never were.
var hoursZones = []string{
	"UTC", "Europe/Madrid", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Havana",
	"America/Sao_Paulo", "America/Santiago", "America/Asuncion", "America/Nuuk", "Africa/Cairo", "Africa/Casablanca",
	"Asia/Beirut", "Asia/Gaza", "Asia/Tehran", "Asia/Kathmandu", "Asia/Pyongyang", "America/Caracas",
	"Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia",
	"Pacific/Kwajalein", "Pacific/Kiritimati", "Pacific/Fakaofo", "Antarctica/Troll", "Antarctica/Casey",
}

// A naiveHours is the twin of Weekly. It knows a minute only by what a clock
// and a calendar on the wall show, and yesterday only by having been there.
type naiveHours struct {
	week    map[string][][2]string // by "Mon"; from, to as "15:04"
	special map[string][][2]string // by "2006-01-02" or "01-02"
	seen    []string               // dates, in order

	date             string // the last one asked for
	today, yesterday [][2]string
}

func (n *naiveHours) minute(at time.Time) bool {
	shown := at.Format("2006-01-02 15:04")
	date, clock := shown[:10], shown[11:]
	if date != n.date {
		i, found := slices.BinarySearch(n.seen, date)
		if !found {
			n.seen = slices.Insert(n.seen, i, date)
		}
		var special bool
		n.date, n.yesterday = date, nil
		if n.today, special = n.day(date); i > 0 && !special {
			n.yesterday, _ = n.day(n.seen[i-1])
		}
	}
	for _, s := range n.today {
		if s[0] <= clock && (clock < s[1] || s[1] < s[0]) {
			return true
		}
	}
	for _, s := range n.yesterday {
		if s[1] < s[0] && clock < s[1] {
			return true
		}
	}
	return false
}

func (n *naiveHours) day(date string) ([][2]string, bool) {
	for _, key := range []string{date, date[5:]} {
		if s, ok := n.special[key]; ok {
			return s, true
		}
	}
	d, _ := time.Parse("2006-01-02", date)
	return n.week[d.Format("Mon")], false
}

// hoursTwins makes the same hours twice, with special dates around a moment.
// Overlaps are left in: they must not matter to At.
func hoursTwins(r *rand.Rand, around time.Time) (handoff.Weekly, *naiveHours) {
	some := func() (a []handoff.Span, b [][2]string) {
		for range r.IntN(4) {
			step := []int{1, 5, 15, 30, 60}[r.IntN(5)]
			from := r.IntN(24*60/step) * step
			to := r.IntN(24*60/step+1) * step
			if r.IntN(4) == 0 { // often enough, about the hours at which clocks change
				from, to = r.IntN(4*60), r.IntN(4*60)
			}
			if from == to {
				continue
			}
			s := [2]string{fmt.Sprintf("%02d:%02d", from/60, from%60), fmt.Sprintf("%02d:%02d", to/60, to%60)}
			a, b = append(a, handoff.Span(s[0]+"-"+s[1])), append(b, s)
		}
		return a, b
	}
	w := handoff.Weekly{Zone: around.Location(), Days: map[string][]handoff.Span{}, Special: map[string][]handoff.Span{}}
	n := &naiveHours{week: map[string][][2]string{}, special: map[string][][2]string{}}
	for first := 0; first < 7; {
		last := min(6, first+r.IntN(4))
		a, b := some()
		for d := first; d <= last; d++ {
			n.week[time.Weekday(d).String()[:3]] = b
		}
		w.Days[time.Weekday(first).String()+"-"+strings.ToLower(time.Weekday(last).String()[:3])] = a
		first = last + 1
	}
	for range r.IntN(4) {
		key := around.AddDate(0, 0, r.IntN(9)-4).Format("2006-01-02")
		if r.IntN(3) == 0 {
			key = key[5:]
		}
		w.Special[key], n.special[key] = some()
	}
	return w, n
}

// compareHoursTwins walks so long before and after a moment, minute by minute.
func compareHoursTwins(tb testing.TB, r *rand.Rand, around time.Time, walk time.Duration) {
	tb.Helper()
	around = around.Truncate(time.Minute)
	w, n := hoursTwins(r, around)
	from, until := around.Add(-walk), around.Add(walk)
	for at := from.Add(-3 * 24 * time.Hour); at.Before(from); at = at.Add(time.Hour) {
		n.minute(at) // to have been there
	}
	before := n.minute(from)
	var want []string
	for at := from; at.Before(until); at = at.Add(time.Minute) {
		open := n.minute(at)
		if open != before {
			want = append(want, hoursChange(at, open))
		}
		before = open
		if r.IntN(60) == 0 {
			got, _ := w.At(at.Add(time.Duration(r.Int64N(int64(time.Minute)))))
			require.Equal(tb, open, got, "%v\n%+v", at, w)
		}
	}
	require.Equal(tb, want, hoursChanges(tb, w, from, until.Add(-1)), "from %v\n%+v", from, w)
}

// someZoneTime picks a zone and a moment from 1975 to 2040, more often than not
// near a change of the zone's offset.
func someZoneTime(tb testing.TB, r *rand.Rand) time.Time {
	tb.Helper()
	at := time.Unix(157766400+r.Int64N(65*365*24*60*60), 0).In(zoneNamed(tb, hoursZones[r.IntN(len(hoursZones))]))
	if _, end := at.ZoneBounds(); r.IntN(4) > 0 && !end.IsZero() && end.Year() < 2040 {
		at = end.Add(time.Duration(r.IntN(72)-36) * time.Hour)
	}
	return at
}

func TestWeekly_twins(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 31))
		compareHoursTwins(t, r, someZoneTime(t, r), 4*24*time.Hour)
	}
}

// Every change of every zone in the list, from 2005 to 2025, once.
func TestWeekly_everyChange(t *testing.T) {
	t.Parallel()
	for i, name := range hoursZones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(i), 52))
			at := time.Date(2005, 1, 1, 0, 0, 0, 0, zoneNamed(t, name))
			for at.Year() < 2026 {
				_, end := at.ZoneBounds()
				if end.IsZero() {
					break
				}
				if !end.After(at) { // see look
					end = at.Add(24 * time.Hour)
				}
				compareHoursTwins(t, r, end, 14*time.Hour)
				at = end
			}
		})
	}
}

func FuzzWeekly_twins(f *testing.F) {
	f.Add(uint64(1), uint8(22), int64(1325239200)) // Apia, the day that was not
	f.Add(uint64(2), uint8(18), int64(1861833600)) // Sydney, the end of a leap year
	f.Add(uint64(3), uint8(4), int64(1162089060))  // St. John's, a minute past midnight
	f.Add(uint64(4), uint8(19), int64(1775314800)) // Lord Howe, half an hour
	f.Add(uint64(5), uint8(23), int64(745848000))  // Kwajalein, a day that was not
	f.Fuzz(func(t *testing.T, seed uint64, where uint8, unix int64) {
		const first, last = 157766400, 157766400 + 65*365*24*60*60
		if unix < first || unix > last {
			return // clocks did not change on the minute before
		}
		at := time.Unix(unix, 0).In(zoneNamed(t, hoursZones[int(where)%len(hoursZones)]))
		compareHoursTwins(t, rand.New(rand.NewPCG(seed, 31)), at, 4*24*time.Hour)
	})
}

func FuzzWeekly_text(f *testing.F) {
	f.Add([]byte(`{"zone":"Europe/Madrid","days":{"mon-fri":["09:00-14:00","15:30-18:00"]},"special":{"12-25":[]}}`), int64(1774746000))
	f.Add([]byte(`{"zone":"Pacific/Apia","days":{"fri-MON":["22:00-6:00","24:00-00:00",""]},"special":{"2011-12-30":["00:00-24:00"]}}`), int64(1325239200))
	f.Add([]byte(`{"days":{"mon-mon-mon":null,"-":[":-:","99999999999999999999:00-1:00"]},"special":{"":["-"]}}`), int64(-1<<63))
	f.Fuzz(func(t *testing.T, text []byte, unix int64) {
		var w handoff.Weekly
		if json.Unmarshal(text, &w) != nil {
			return
		}
		invalid := w.Validate()
		at := time.Unix(unix, 0)
		open, next := w.At(at)
		if !next.IsZero() {
			require.True(t, next.After(at))
			then, _ := w.At(next)
			require.NotEqual(t, open, then)
			just, _ := w.At(next.Add(-1))
			require.Equal(t, open, just)
		}
		back, err := json.Marshal(w)
		require.NoError(t, err)
		var again handoff.Weekly
		require.NoError(t, json.Unmarshal(back, &again))
		require.Equal(t, invalid == nil, again.Validate() == nil)
		open2, next2 := again.At(at)
		require.Equal(t, open, open2)
		require.True(t, next.Equal(next2))
	})
}

func BenchmarkWeekly_At(b *testing.B) {
	office := handoff.Weekly{Zone: zoneNamed(b, "Europe/Madrid"), Days: map[string][]handoff.Span{
		"mon-fri": hoursOf("09:00-14:00", "15:30-18:00"), "sat": hoursOf("10:00-14:00"),
	}, Special: map[string][]handoff.Span{"12-25": {}}}
	at := time.Date(2026, 6, 17, 12, 0, 0, 0, time.UTC)
	b.Run("office", func(b *testing.B) {
		for b.Loop() {
			office.At(at)
		}
	})
	always := handoff.Weekly{Zone: office.Zone, Days: everyDay("00:00-24:00")}
	b.Run("always, which looks 400 days ahead", func(b *testing.B) {
		for b.Loop() {
			always.At(at)
		}
	})
}
