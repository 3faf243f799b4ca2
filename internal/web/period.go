package web

import (
	"time"

	"statincidents/internal/calendar"
)

// period is the span of days that a page of figures is about: one of the
// presets (which move with the calendar, so that a kept address stays current)
// or two dates.
type period struct {
	Preset   string       // "" when the dates are the reader's own
	From, To calendar.Day // [From, To); From = 0 from the beginning, To = 0 until now
	Label    string
}

// The presets, in the order of the list; the first is the default.
var presets = []string{"school-year", "7d", "30d", "90d", "month", "last-month", "12m", "last-school-year", "all"}

// span gives the days of a preset on a day.
func span(preset string, today calendar.Day) (from, to calendar.Day, ok bool) {
	next := today + 1
	year := func(y int) calendar.Day { return calendar.Date(y, time.September, 1) }
	switch preset {
	case "7d":
		return next - 7, next, true
	case "30d":
		return next - 30, next, true
	case "90d":
		return next - 90, next, true
	case "month":
		return today.Month(), next, true
	case "last-month":
		first := today.Month()
		return (first - 1).Month(), first, true
	case "12m":
		// 52 whole weeks: as many Mondays as Fridays.
		return next - 364, next, true
	case "school-year":
		return year(today.SchoolYear()), next, true
	case "last-school-year":
		return year(today.SchoolYear() - 1), year(today.SchoolYear()), true
	case "all":
		return 0, 0, true
	}
	return 0, 0, false
}

// today is the reader's local day.
func (r *Request) today() calendar.Day { return calendar.DayOf(r.Now(), r.Location()) }

// period reads the reader's address: "period" names a preset, "from" (first
// day) and "to" (first day after) are the reader's own and win.
func (r *Request) period() period {
	today := r.today()
	from, okFrom := dayOf(r.Address.Get("from"))
	to, okTo := dayOf(r.Address.Get("to"))
	if okFrom || okTo {
		p := period{From: from, To: to}
		if p.To != 0 && p.From >= p.To {
			p.From, p.To = to, from
		}
		p.Label = r.spanLabel(p.From, p.To)
		return p
	}
	preset := r.Address.Get("period")
	if _, _, ok := span(preset, today); !ok {
		preset = presets[0]
	}
	from, to, _ = span(preset, today)
	return period{Preset: preset, From: from, To: to, Label: r.T("period." + preset)}
}

// spanLabel says two days as people do: both inclusive.
func (r *Request) spanLabel(from, to calendar.Day) string {
	switch {
	case from == 0 && to == 0:
		return r.T("period.all")
	case from == 0:
		return r.T("period.until", "to", r.MediumDay(to-1))
	case to == 0:
		return r.T("period.since", "from", r.MediumDay(from))
	case to == from+1:
		return r.MediumDay(from)
	}
	return r.T("period.between", "from", r.MediumDay(from), "to", r.MediumDay(to-1))
}

// granularity is the time dimension that shows a period in 10 to 60 steps.
func (p period) granularity(today calendar.Day) string {
	to := p.To
	if to == 0 {
		to = today + 1
	}
	switch days := int(to - p.From); {
	case p.From == 0 || days > 800:
		return "month"
	case days > 62:
		return "week"
	}
	return "day"
}

func dayOf(s string) (calendar.Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	return calendar.Date(t.Date()), true
}
