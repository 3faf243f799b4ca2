package analysis

import "statincidents/internal/calendar"

// Refusal is why a method concludes nothing: what it needs, and what there is.
// The pages say it as a sentence ("refusal.WHY").
type Refusal struct {
	Why         Why     `json:"why"`
	Have, Least float64 `json:",omitempty"`
}

// Why is a reason to conclude nothing.
type Why string

// The reasons common to several methods.
const (
	FewSchools  Why = "schools"  // with a known number of computers
	FewWeeks    Why = "weeks"    // open ones
	FewEvents   Why = "events"   // incidents
	FewPast     Why = "past"     // incidents of the past to learn from, and to test on
	FewMachines Why = "machines" // with a date of purchase
	FewFailures Why = "failures" // of machines, or at too few ages
	NoCosts     Why = "costs"    // that say something
	NoComputers Why = "exposure" // no number of computers is known
)

// Least figures without which nothing is concluded.
const (
	LeastEvents = 20
	LeastWeeks  = 8
)

// OpenWeeks counts the weeks with an open day between two days.
func OpenWeeks(cal *calendar.Calendar, from, to calendar.Day) int {
	n := 0
	for week := from.Week(); week < to; week += 7 {
		for d := max(week, from); d < min(week+7, to); d++ {
			if cal.DayMinutes(d) > 0 {
				n++
				break
			}
		}
	}
	return n
}
