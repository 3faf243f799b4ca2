package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Span is a stretch of a day when it is open, in minutes of the local clock
// since midnight: From is in it, To is not.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Week is the usual opening of each weekday, Monday first.
type Week [7][]Span

// Range is a run of days, both ends in it.
type Range struct{ First, Last Day }

// Rules are what a calendar is made of. Where several close a day, the reason
// given is the first that applies: public holiday, closure, school holiday.
type Rules struct {
	Location *time.Location
	Hours    Week
	Public   []Day   // public holidays
	Holidays []Range // school holidays; leave empty for who works through them
	Closures []Range // local closures
}

// DefaultHours are the opening hours of a collège that gave none: mornings and
// afternoons, Wednesday morning only.
var DefaultHours = Week{
	{{8 * 60, 12*60 + 30}, {13*60 + 30, 17*60 + 30}},
	{{8 * 60, 12*60 + 30}, {13*60 + 30, 17*60 + 30}},
	{{8 * 60, 12 * 60}},
	{{8 * 60, 12*60 + 30}, {13*60 + 30, 17*60 + 30}},
	{{8 * 60, 12*60 + 30}, {13*60 + 30, 17*60 + 30}},
}

const minutesOfDay = 24 * 60

// Tidy sorts the spans of each day and joins those that touch or overlap. It
// refuses a span that is empty or leaves its day.
func (w Week) Tidy() (Week, error) {
	var out Week
	for day, spans := range w {
		sorted := slices.Clone(spans)
		slices.SortFunc(sorted, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
		for _, s := range sorted {
			if s.From < 0 || s.To > minutesOfDay || s.From >= s.To {
				return Week{}, fmt.Errorf("calendar: weekday %d: a span from minute %d to %d", day, s.From, s.To)
			}
			if n := len(out[day]); n > 0 && s.From <= out[day][n-1].To {
				out[day][n-1].To = max(out[day][n-1].To, s.To)
				continue
			}
			out[day] = append(out[day], s)
		}
	}
	return out, nil
}

// minutes is how long a weekday is open.
func (w Week) minutes(weekday int) int {
	total := 0
	for _, s := range w[weekday] {
		total += s.To - s.From
	}
	return total
}

// halfDays counts the half-days of a weekday: a morning or an afternoon (they
// meet at 13:00) counts if at least an hour of it is open.
func (w Week) halfDays(weekday int) int {
	const noon, least = 13 * 60, 60
	var morning, afternoon int
	for _, s := range w[weekday] {
		morning += max(0, min(s.To, noon)-s.From)
		afternoon += max(0, s.To-max(s.From, noon))
	}
	n := 0
	if morning >= least {
		n++
	}
	if afternoon >= least {
		n++
	}
	return n
}
