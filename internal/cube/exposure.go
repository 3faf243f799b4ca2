package cube

import (
	"slices"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
)

// schoolPlace is what the cube knows of a school.
type schoolPlace struct {
	id      int64
	commune string
}

// exposureStep is what a school has in service from a day on.
type exposureStep struct {
	from calendar.Day
	n    exposureDays // computers, pupils
}

// exposures are the denominators of every school, by date.
type exposures struct {
	schools []schoolPlace // by name
	steps   map[int64][]exposureStep
}

func exposuresOf(dir *directory.Index) *exposures {
	e := &exposures{steps: map[int64][]exposureStep{}}
	for _, s := range dir.Schools() {
		e.schools = append(e.schools, schoolPlace{s.ID, s.Commune})
		for _, x := range dir.Exposures(s.ID) {
			e.steps[s.ID] = append(e.steps[s.ID], exposureStep{x.From, exposureDays{int64(x.Computers), int64(x.Pupils)}})
		}
	}
	return e
}

// known gives the days on which a school's number of computers (0) or pupils
// (1) is known and not zero; the last span has no end.
func (e *exposures) known(school int64, i int) []span {
	var out []span
	steps := e.steps[school]
	for k, s := range steps {
		if s.n[i] <= 0 {
			continue
		}
		end := calendar.Day(maxDay + 1)
		if k+1 < len(steps) {
			end = steps[k+1].from
		}
		if n := len(out); n > 0 && out[n-1].to == s.from {
			out[n-1].to = end
		} else {
			out = append(out, span{s.from, end})
		}
	}
	return out
}

// ComputerYears gives, by school, the exposure that rates per computer are by
// over the days [from, to): how many computers were in service, for how much of
// a year of 365.25 days. Schools of which no number is known then are absent.
func ComputerYears(dir *directory.Index, from, to calendar.Day) map[int64]float64 {
	out := map[int64]float64{}
	for _, s := range dir.Schools() {
		if years := ComputerYearsOf(dir, s.ID, from, to); years > 0 {
			out[s.ID] = years
		}
	}
	return out
}

// ComputerYearsOf is the same of one school; 0 where no number is known.
func ComputerYearsOf(dir *directory.Index, school int64, from, to calendar.Day) float64 {
	days := int64(0)
	steps := dir.Exposures(school)
	for k, s := range steps {
		end := to
		if k+1 < len(steps) {
			end = min(end, steps[k+1].From)
		}
		if first := max(from, s.From); first < end {
			days += int64(s.Computers) * int64(end-first)
		}
	}
	return float64(days) / 365.25
}

// denominators answers how many computer-days and pupil-days some schools make
// between two days, for the schools and days that a question keeps.
type denominators struct {
	from    calendar.Day
	schools []schoolPlace
	sums    [][]exposureDays // per school, sums of the days before; index 0 is from
	all     []exposureDays   // the same over all schools
}

func (e *exposures) denominators(p *predicate, from, to calendar.Day, shift int) *denominators {
	d := &denominators{from: from}
	kept := make([]bool, max(0, to-from))
	for _, s := range p.days(from, to, shift, false) {
		for day := s.from; day < s.to; day++ {
			kept[day-from] = true
		}
	}
	d.all = make([]exposureDays, len(kept)+1)
	for _, school := range e.schools {
		if !p.scope.SeesSchool(school.id) || !p.keepsSchool(school) {
			continue
		}
		steps := e.steps[school.id]
		if len(steps) == 0 {
			continue
		}
		sums := make([]exposureDays, len(kept)+1)
		k := -1
		for i := range kept {
			for k+1 < len(steps) && steps[k+1].from <= from+calendar.Day(i) {
				k++
			}
			sums[i+1] = sums[i]
			if k >= 0 && kept[i] {
				sums[i+1][0] += steps[k].n[0]
				sums[i+1][1] += steps[k].n[1]
			}
			d.all[i+1][0] += sums[i+1][0]
			d.all[i+1][1] += sums[i+1][1]
		}
		d.schools = append(d.schools, school)
		d.sums = append(d.sums, sums)
	}
	return d
}

func (p *predicate) keepsSchool(s schoolPlace) bool {
	for _, f := range p.keys {
		if f.Dim == DimSchool && !f.accepts(idKey(s.id)) || f.Dim == DimCommune && !f.accepts(s.commune) {
			return false
		}
	}
	return true
}

// of sums a group: the schools that match (nil: all) on the days of a run.
func (d *denominators) of(match func(schoolPlace) bool, from, to calendar.Day) exposureDays {
	lo, hi := int(from-d.from), int(to-d.from)
	if lo < 0 || hi >= len(d.all) || lo > hi {
		return exposureDays{}
	}
	if match == nil {
		return exposureDays{d.all[hi][0] - d.all[lo][0], d.all[hi][1] - d.all[lo][1]}
	}
	var sum exposureDays
	for i, s := range d.schools {
		if match(s) {
			sum[0] += d.sums[i][hi][0] - d.sums[i][lo][0]
			sum[1] += d.sums[i][hi][1] - d.sums[i][lo][1]
		}
	}
	return sum
}

// matcher tells which schools are in the group of a row.
func matcher(by []Dim, keys, top []string) func(schoolPlace) bool {
	var tests []func(schoolPlace) bool
	for i, d := range by {
		key := keys[i]
		var of func(schoolPlace) string
		switch d {
		case DimSchool:
			of = func(s schoolPlace) string { return idKey(s.id) }
		case DimCommune:
			of = func(s schoolPlace) string { return s.commune }
		default:
			continue
		}
		if key == OthersKey {
			tests = append(tests, func(s schoolPlace) bool { return !slices.Contains(top, of(s)) })
		} else {
			tests = append(tests, func(s schoolPlace) bool { return of(s) == key })
		}
	}
	if len(tests) == 0 {
		return nil
	}
	return func(s schoolPlace) bool {
		for _, t := range tests {
			if !t(s) {
				return false
			}
		}
		return true
	}
}
