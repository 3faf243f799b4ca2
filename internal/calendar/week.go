package calendar

// numberWeeks numbers the weeks of the table that have an open day, without
// holes, since the start of their school year.
func (c *Calendar) numberWeeks() {
	c.weekStart = c.first
	c.weeks = make([]int8, len(c.kind)/7)
	year, n := 0, int8(0)
	for i := range c.weeks {
		monday := c.weekStart + Day(i*7)
		if y := weekYear(monday); y != year {
			year, n = y, 0
		}
		if c.before[i*7+7] > c.before[i*7] {
			n++
			c.weeks[i] = n
		}
	}
}

// weekYear is the school year of an ISO week: that of its Sunday, so that the
// week in which September begins is the first of the new year.
func weekYear(monday Day) int { return (monday + 6).SchoolYear() }

// SchoolWeek gives the school year of a day's ISO week and the week's number in
// it: weeks with at least one open day are numbered from 1 without holes, the
// others are 0. Outside the table of days the number is 0.
func (c *Calendar) SchoolWeek(d Day) (year, number int) {
	monday := d.Week()
	year = weekYear(monday)
	if i := int(monday-c.weekStart) / 7; monday >= c.weekStart && i < len(c.weeks) {
		number = int(c.weeks[i])
	}
	return year, number
}

// Openness of a day's ISO week, from 0 to 1: its open half-days over those of
// a usual week (nine in a French collège).
func (c *Calendar) Openness(d Day) float64 {
	if c.halfDays == 0 {
		return 0
	}
	open := 0
	for i := range 7 {
		if day := d.Week() + Day(i); c.Kind(day) == OpenDay {
			open += c.hours.halfDays(i)
		}
	}
	return float64(open) / float64(c.halfDays)
}
