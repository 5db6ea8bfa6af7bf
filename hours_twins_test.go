package handoff_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

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
