package handoff_test

import (
	"encoding/json"
	"fmt"
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
	want := `handoff: Days["\x00<b>\n"]: not a weekday like "sat" or a range like "mon-fri"
handoff: Days["mon-fri"]: spans "09:00-13:00" and "12:00-18:00" overlap
handoff: Days["mon-fri"]: span "18:00-18:00": ends as it begins; all day is "00:00-24:00"
handoff: Days["mon-fri"]: span "8am-noon": not like "09:00-18:00"
handoff: Days["sat-"]: not a weekday like "sat" or a range like "mon-fri"
handoff: Days["sat-"]: span "09:00-24:01": not like "09:00-18:00"
handoff: Days["sun-sun"]: span "09:60-10:00": not like "09:00-18:00"
handoff: Days["sun-sun"]: span "-1:00-10:00": not like "09:00-18:00"
handoff: Days["sun-sun"]: span "009:00-10:00": not like "09:00-18:00"
handoff: Days["sun-sun"]: span "": not like "09:00-18:00"
handoff: Days["sun-sun"]: span "10:00": not like "09:00-18:00"
handoff: Days["thursday"]: Thursday is in "mon-fri" too
handoff: Days["wed"]: Wednesday is in "mon-fri" too
handoff: Days["weekend"]: not a weekday like "sat" or a range like "mon-fri"
handoff: Days["weekend"]: span "24:00-12:00": not like "09:00-18:00"
handoff: Days: Wednesday "22:00-06:00" overlaps Thursday "05:59-07:00"
handoff: Special[""]: not a date like "2026-12-24" or "12-24"
handoff: Special["12-25"]: span "9999999999999999999999999999999999999999": not like "09:00-18:00"
handoff: Special["2026-02-29"]: not a date like "2026-12-24" or "12-24"
handoff: Special["2026-1-6"]: not a date like "2026-12-24" or "12-24"
handoff: Special["2026-12-24"]: spans "09:00-12:00" and "10:00-11:00" overlap`
	assert.Equal(t, want, err.Error())

	minutes := make([]handoff.Span, 24*60)
	for i := range minutes {
		minutes[i] = handoff.Span(fmt.Sprintf("%02d:%02d-%02d:%02d", i/60, i%60, (i+1)/60, (i+1)%60))
	}
	require.EqualError(t, handoff.Weekly{Days: everyDay(minutes...)}.Validate(), `handoff: Days["mon-sun"]: 1440 spans, at most 24 are allowed`)
	hours := make([]handoff.Span, 24)
	for i := range hours {
		hours[i] = handoff.Span(fmt.Sprintf("%d:00-%d:00", i, i+1))
	}
	require.NoError(t, handoff.Weekly{Days: everyDay(hours...)}.Validate())

	never := "handoff: Days: never open: no day has a span"
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
