package stats

// Late entry: the share of what happened d days ago that has been entered.
//
// Lagakos S. W., Barraj L. M., De Gruttola V. (1988), Nonparametric analysis
// of truncated survival data, Biometrika 75, 515-523: delays longer than what
// could be seen yet are missing, so time runs backwards. Without truncation it
// is the share entered within d days.

// Delay is how many days after it happened an incident was entered, and how
// many days ago it happened: what was longer could not be seen.
type Delay struct{ Days, Seen int }

// Completeness is the share entered within 0, 1, 2… days; 1 beyond.
type Completeness []float64

// leastAtRisk is how many incidents teach a share: with fewer, one late entry
// alone would empty all that is earlier.
const leastAtRisk = 10

// CompletenessOf estimates it from delays up to a longest one; entries after
// that are counted as entered then. Negative delays are entries at once.
func CompletenessOf(delays []Delay, longest int) Completeness {
	exact := make([]int, longest+1)  // entered after so many days
	atRisk := make([]int, longest+1) // could be seen at so many days, entered by then
	for _, d := range delays {
		days, seen := min(max(d.Days, 0), longest), min(max(d.Seen, 0), longest)
		if seen < days {
			continue // cannot be
		}
		exact[days]++
		for x := days; x <= seen; x++ {
			atRisk[x]++
		}
	}
	c := make(Completeness, longest+1)
	share := 1.0
	for x := longest; x >= 0; x-- {
		c[x] = share
		if atRisk[x] >= leastAtRisk {
			share *= 1 - float64(exact[x])/float64(atRisk[x])
		}
	}
	return c
}

// After is the share of what happened so many days ago that is entered by now.
func (c Completeness) After(days int) float64 {
	switch {
	case days < 0:
		return 0
	case days >= len(c):
		return 1
	}
	return c[days]
}
