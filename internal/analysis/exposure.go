package analysis

import (
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
)

// SchoolYearWeeks is how many full weeks a school year counts for in rates.
const SchoolYearWeeks = 36

// computerWeeks is a school's exposure over the days [from, to): computers in
// service times the openness of each week, in computers × full open weeks. A
// week of which only some open hours are inside counts for that share. Closed
// days weigh nothing: holidays are not calm weeks.
func computerWeeks(places *directory.Index, school int64, from, to calendar.Day) float64 {
	cal := places.Calendar(school)
	sum := 0.0
	for monday := from.Week(); monday < to; monday += 7 {
		open := cal.Openness(monday)
		if open == 0 {
			continue
		}
		first, end := max(from, monday), min(to, monday+7)
		inside, all := 0, 0
		for d := monday; d < monday+7; d++ {
			minutes := cal.DayMinutes(d)
			all += minutes
			if d >= first && d < end {
				inside += minutes
			}
		}
		if inside == 0 {
			continue
		}
		computers := 365.25 / float64(end-first) * cube.ComputerYearsOf(places, school, first, end)
		sum += computers * open * float64(inside) / float64(all)
	}
	return sum
}

// CategoryFilter keeps a type of incident and what is under it.
func CategoryFilter(words *catalog.Index, category int64) cube.Filter {
	dims := []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3}
	depth := min(max(len(words.Path(category)), 1), len(dims))
	return cube.Filter{Dim: dims[depth-1], In: []string{number(category)}}
}
