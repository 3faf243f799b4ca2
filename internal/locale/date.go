package locale

import (
	"fmt"
	"strconv"
	"time"

	"statincidents/internal/calendar"
)

// Date is the long date: "mardi 3 mars 2026". A zero instant is "—", here and
// in the other date methods.
func (p *Printer) Date(t time.Time) string {
	if t.IsZero() {
		return noData
	}
	return p.longDate(t.In(p.loc))
}

// MediumDate is the date without its weekday: "3 mars 2026".
func (p *Printer) MediumDate(t time.Time) string {
	if t.IsZero() {
		return noData
	}
	return p.mediumDate(t.In(p.loc))
}

// ShortDate is the date for a column: "03/03/2026", in English "03 Mar 2026".
func (p *Printer) ShortDate(t time.Time) string {
	if t.IsZero() {
		return noData
	}
	return p.shortDate(t.In(p.loc))
}

// Day is the long date of a calendar day.
func (p *Printer) Day(d calendar.Day) string { return p.longDate(d.Time()) }

// MediumDay is a calendar day without its weekday: "3 mars 2026".
func (p *Printer) MediumDay(d calendar.Day) string { return p.mediumDate(d.Time()) }

// ShortDay is a calendar day for a column.
func (p *Printer) ShortDay(d calendar.Day) string { return p.shortDate(d.Time()) }

// The three below write t as it stands, in its own zone.

func (p *Printer) longDate(t time.Time) string {
	return p.Weekday(t.Weekday()) + " " + p.mediumDate(t)
}

func (p *Printer) mediumDate(t time.Time) string {
	day := strconv.Itoa(t.Day())
	if p.lang == French && t.Day() == 1 {
		day = "1er"
	}
	return day + nbsp + p.Month(t.Month()) + " " + strconv.Itoa(t.Year())
}

func (p *Printer) shortDate(t time.Time) string {
	if p.lang == English {
		return fmt.Sprintf("%02d%s%s%s%d", t.Day(), nbsp, p.ShortMonth(t.Month()), nbsp, t.Year())
	}
	return fmt.Sprintf("%02d/%02d/%d", t.Day(), int(t.Month()), t.Year())
}

// DateTime is the long date with its time: "mardi 3 mars 2026, 14 h 05".
func (p *Printer) DateTime(t time.Time) string {
	if t.IsZero() {
		return noData
	}
	return p.Date(t) + ", " + p.Time(t)
}

// ShortDateTime is the date and time for a column: "03/03/2026, 14 h 05".
func (p *Printer) ShortDateTime(t time.Time) string {
	if t.IsZero() {
		return noData
	}
	return p.ShortDate(t) + ", " + p.Time(t)
}

// Time is the time of day: "14 h 05", in English "14:05".
func (p *Printer) Time(t time.Time) string {
	if t.IsZero() {
		return noData
	}
	t = t.In(p.loc)
	if p.lang == English {
		return fmt.Sprintf("%d:%02d", t.Hour(), t.Minute())
	}
	return fmt.Sprintf("%d%sh%s%02d", t.Hour(), nbsp, nbsp, t.Minute())
}

// Hour is a whole hour of the day: "14 h", in English "14:00".
func (p *Printer) Hour(h int) string {
	if p.lang == English {
		return strconv.Itoa(h) + ":00"
	}
	return strconv.Itoa(h) + nbsp + "h"
}

// Month is a month's name: "mars".
func (p *Printer) Month(m time.Month) string { return p.T("date.month." + strconv.Itoa(int(m))) }

// ShortMonth is a month's short name: "janv.".
func (p *Printer) ShortMonth(m time.Month) string {
	return p.T("date.month_short." + strconv.Itoa(int(m)))
}

// MonthYear is the month of an instant: "mars 2026".
func (p *Printer) MonthYear(t time.Time) string {
	t = t.In(p.loc)
	return p.Month(t.Month()) + nbsp + strconv.Itoa(t.Year())
}

// Weekday is a day's name: "mardi".
func (p *Printer) Weekday(d time.Weekday) string { return p.T("date.weekday." + isoWeekday(d)) }

// ShortWeekday is a day's short name: "mar.".
func (p *Printer) ShortWeekday(d time.Weekday) string {
	return p.T("date.weekday_short." + isoWeekday(d))
}

// isoWeekday is "1" for Monday … "7" for Sunday, as the cube's keys.
func isoWeekday(d time.Weekday) string { return strconv.Itoa((int(d)+6)%7 + 1) }

// SchoolYear is the name of the school year that began in a calendar year:
// 2025 is "2025-2026".
func (p *Printer) SchoolYear(y int) string {
	return strconv.Itoa(y) + "-" + strconv.Itoa(y+1)
}

// Relative says how long ago, or in how long: "il y a 3 min", "hier",
// "dans 2 h". Days are counted by the calendar of the printer's place.
func (p *Printer) Relative(t, now time.Time) string {
	if t.IsZero() {
		return noData
	}
	d := now.Sub(t)
	way := "date.ago"
	if d < 0 {
		d, way = -d, "date.in"
	}
	days := int(calendar.DayOf(now, p.loc)) - int(calendar.DayOf(t, p.loc))
	if days < 0 {
		days = -days
	}
	var span string
	switch {
	case d < 45*time.Second:
		return p.T("date.now")
	case d < time.Hour-30*time.Second:
		span = p.unit(float64((d+30*time.Second)/time.Minute), "min")
	case d < 24*time.Hour && (days == 0 || d < 6*time.Hour):
		span = p.unit(float64((d+30*time.Minute)/time.Hour), "h")
	case days <= 1 && way == "date.ago":
		return p.T("date.yesterday")
	case days <= 1:
		return p.T("date.tomorrow")
	case days < 60:
		span = p.N("date.days", days)
	case days < 730:
		span = p.N("date.months", int(float64(days)/30.44+0.5))
	default:
		span = p.N("date.years", int(float64(days)/365.25+0.5))
	}
	return p.T(way, "span", span)
}
