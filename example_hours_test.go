package handoff_test

import (
	"fmt"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Office hours in Madrid, with a short Christmas Eve and a holiday. Somebody
// asks for a person late on Christmas Eve, a Thursday.
func ExampleWeekly() {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		fmt.Println(err)
		return
	}
	hours := handoff.Weekly{
		Zone: madrid,
		Days: map[string][]handoff.Span{
			"mon-fri": {"09:00-14:00", "15:30-18:00"},
			"sat":     {"10:00-14:00"},
		},
		Special: map[string][]handoff.Span{
			"12-25":      {}, // closed, every year
			"2026-12-24": {"09:00-12:00"},
		},
	}
	if err := hours.Validate(); err != nil {
		fmt.Println(err)
		return
	}

	open, next := hours.At(time.Date(2026, 12, 24, 16, 30, 0, 0, time.UTC))
	fmt.Println(open)
	fmt.Println("We are back on", next.Format("Monday at 15:04."))
	// Output:
	// false
	// We are back on Saturday at 10:00.
}

// A mistake in the hours is found before anybody waits at a closed door.
func ExampleWeekly_Validate() {
	hours := handoff.Weekly{Days: map[string][]handoff.Span{
		"mon-fri": {"09:00-14:00", "13:30-18:00"},
		"wed":     {"20:00"},
	}}
	fmt.Println(hours.Validate())
	// Output:
	// handoff: Days["mon-fri"]: spans "09:00-14:00" and "13:30-18:00" overlap
	// handoff: Days["wed"]: Wednesday is in "mon-fri" too
	// handoff: Days["wed"]: span "20:00": not like "09:00-18:00"
}
