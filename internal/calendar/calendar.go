// Package calendar knows days: school years, open hours, holidays. It is pure:
// no clock, no database. Days are counted from 1970-01-01 in local time.
package calendar

import "time"

// Day is a local calendar day, counted from 1970-01-01.
type Day int32

// DayOf is the local day of an instant.
func DayOf(t time.Time, loc *time.Location) Day {
	y, m, d := t.In(loc).Date()
	return Date(y, m, d)
}

// Date is the day of a date.
func Date(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Time is midnight UTC of the day's date, for formatting and arithmetic only.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Start is the first instant of the day in a place.
func (d Day) Start(loc *time.Location) time.Time {
	y, m, day := d.Time().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, loc)
}

// Weekday is 0 for Monday … 6 for Sunday.
func (d Day) Weekday() int { return int((int64(d)%7 + 7 + 3) % 7) } // 1970-01-01 was a Thursday

// Week is the Monday of the day's ISO week.
func (d Day) Week() Day { return d - Day(d.Weekday()) }

// Month is the first day of the day's month.
func (d Day) Month() Day {
	y, m, _ := d.Time().Date()
	return Date(y, m, 1)
}

// SchoolYear is the calendar year in which the day's school year began: 2025
// for 2025-09-01 … 2026-08-31.
func (d Day) SchoolYear() int {
	y, m, _ := d.Time().Date()
	if m < time.September {
		return y - 1
	}
	return y
}
