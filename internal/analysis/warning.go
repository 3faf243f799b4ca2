package analysis

import (
	"context"
	"slices"

	"statincidents/internal/calendar"
	"statincidents/internal/stats"
)

// EarlyWarning looks, week after week, for schools and types of problem with
// more incidents than usual at this time of the year (package stats,
// Exceedance), and for small rises that last (CUSUM).
var EarlyWarning = Method[WarningInput, WarningOutput]{
	Name: "early-warning", Version: 1, Seed: 45,
	Gather: func(_ context.Context, w *World) (WarningInput, error) { return gatherPanel(w), nil },
	Run:    warn,
}

// How far the early warning looks.
const (
	panelWeeks    = 190 // open weeks gathered, more than any method learns from
	warnedWeeks   = 36  // last open weeks that are judged again each night
	driftWeeks    = 12  // … for rises that last
	historyWeeks  = 52  // open weeks that a series shows
	sinceWeeks    = 36  // open weeks in which a change of pace is looked for
	sinceDraws    = 199
	sinceBelow    = 0.05 // chance of such a change where nothing changes
	StayP         = 0.2  // a series that was told is followed while its chance is below
	RatioLevel    = 0.9  // of the limits of ratios
	driftFactor   = 1.5  // the lasting rise that the sums weigh the evidence of
	driftAtLeast  = 1.15 // a rise below that is not told, however sure it is
	driftLearning = 8    // weeks before the drifting ones without which nothing is usual
)

// Outbreak is a stretch of a series that people judged to have been out of the
// ordinary: what is usual is not learned from it.
type Outbreak struct {
	Schools  []int64 // none: all
	Category int64   // 0: all
	From, To calendar.Day
}

// Learn says where outbreaks judged true are asked for, before each night.
func (s *Service) Learn(from func(ctx context.Context) ([]Outbreak, error)) { s.learned = from }

// WarningInput is the panel of weekly counts: schools and top categories by
// their numbers, and open weeks, of which the last may be under way.
type WarningInput struct {
	Schools    []int64
	Categories []int64 // 0: incidents without a category
	Mondays    []calendar.Day
	Years      []int // school year of each week
	Panel      stats.Panel
	Partial    bool // the last week is under way: it is looked at up to yesterday
	Events     int
	Outside    int // incidents of the stretch left out: in weeks without school, or of no school
}

// gatherPanel counts incidents by the week in which they happened. A main
// incident counts once, whatever its parts.
func gatherPanel(w *World) WarningInput {
	var in WarningInput
	first := max(0, len(w.Weeks)-panelWeeks)
	weeks := w.Weeks[first:]
	if len(weeks) == 0 {
		return in
	}
	for _, week := range weeks {
		in.Mondays, in.Years = append(in.Mondays, week.Monday), append(in.Years, week.Year)
		in.Panel.Number = append(in.Panel.Number, week.Number)
	}
	last := weeks[len(weeks)-1].Monday
	in.Partial = last+7 > w.Today
	school, category := map[int64]int{}, map[int64]int{}
	for _, s := range w.Places.Schools() {
		school[s.ID] = len(in.Schools)
		in.Schools = append(in.Schools, s.ID)
	}
	top := func(f *Fact) int64 {
		if path := w.Words.Path(f.Category); len(path) > 0 {
			return path[0]
		}
		return 0
	}
	counted := func(f *Fact) (week int, ok bool) {
		week, ok = w.WeekOf(f.Happened)
		return week - first, ok && week >= first && f.Parent == 0 && f.Happened < w.Today
	}
	// The categories in the order of the catalogue, those that were met.
	met := map[int64]bool{}
	for k := range w.Facts {
		if _, ok := counted(&w.Facts[k]); ok {
			met[top(&w.Facts[k])] = true
		}
	}
	for _, c := range w.Words.Children(0) {
		if met[c.ID] {
			category[c.ID] = len(in.Categories)
			in.Categories = append(in.Categories, c.ID)
		}
	}
	if met[0] {
		category[0] = len(in.Categories)
		in.Categories = append(in.Categories, 0)
	}
	in.Panel.Counts = make([][][]int, len(in.Schools))
	for s := range in.Panel.Counts {
		in.Panel.Counts[s] = make([][]int, len(in.Categories))
		for c := range in.Panel.Counts[s] {
			in.Panel.Counts[s][c] = make([]int, len(weeks))
		}
	}
	for k := range w.Facts {
		f := &w.Facts[k]
		if f.Parent != 0 || f.Happened < in.Mondays[0] || f.Happened >= w.Today {
			continue
		}
		week, ok := counted(f)
		s, known := school[f.School]
		c, filed := category[top(f)]
		if !ok || !known || !filed {
			in.Outside++
			continue
		}
		in.Panel.Counts[s][c][week]++
		in.Events++
	}
	in.exposures(w, weeks)
	in.late(w)
	for _, o := range w.Outbreaks {
		in.Panel.Outbreaks = append(in.Panel.Outbreaks, in.cells(o, school, category)...)
	}
	return in
}

// exposures fills in computers in service and openness; of the week under way,
// only the days that are over.
func (in *WarningInput) exposures(w *World, weeks []Week) {
	// Where no number of computers is known, pupils stand for them in the
	// proportion of the others, and without these the mean of the others.
	computers := make([][]float64, len(in.Schools))
	var known, pupils, schools float64
	for s, id := range in.Schools {
		computers[s] = make([]float64, len(weeks))
		for t, week := range weeks {
			computers[s][t] = w.Computers(id, week)
		}
		if at := computers[s][len(weeks)-1]; at > 0 {
			known, schools = known+at, schools+1
			if e, ok := w.Places.ExposureAt(id, w.Today); ok {
				pupils += float64(e.Pupils)
			}
		}
	}
	byPupil, mean := 0.3, 100.0
	if schools > 0 {
		mean = known / schools
		if pupils > 0 {
			byPupil = known / pupils
		}
	}
	for s, id := range in.Schools {
		cal := w.Places.Calendar(id)
		open := make([]float64, len(weeks))
		for t, week := range weeks {
			open[t] = cal.Openness(week.Monday)
		}
		if in.Partial && len(weeks) > 0 {
			open[len(weeks)-1] *= passed(cal, in.Mondays[len(weeks)-1], w.Today)
		}
		if slices.Max(computers[s]) <= 0 {
			stand := mean
			if e, ok := w.Places.ExposureAt(id, w.Today); ok && e.Pupils > 0 {
				stand = byPupil * float64(e.Pupils)
			}
			computers[s] = slices.Repeat([]float64{stand}, len(weeks))
		}
		in.Panel.Computers, in.Panel.Openness = append(in.Panel.Computers, computers[s]), append(in.Panel.Openness, open)
	}
}

// passed is the share of a week's opening hours on the days before one.
func passed(cal *calendar.Calendar, monday, today calendar.Day) float64 {
	over, all := 0, 0
	for d := monday; d < monday+7; d++ {
		all += cal.DayMinutes(d)
		if d < today {
			over += cal.DayMinutes(d)
		}
	}
	if all == 0 {
		return 0
	}
	return float64(over) / float64(all)
}

// late says how much of the last weeks has been entered by now.
func (in *WarningInput) late(w *World) {
	delays, _ := LateEntry.Gather(context.Background(), w)
	share := stats.CompletenessOf(delays.Delays, lateDays)
	in.Panel.Completeness = make([]float64, len(in.Mondays))
	cal := w.Places.Calendar(0)
	for t, monday := range in.Mondays {
		sum, n := 0.0, 0.0
		for d := monday; d < min(monday+7, w.Today); d++ {
			if minutes := float64(cal.DayMinutes(d)); minutes > 0 {
				sum, n = sum+minutes*share.After(int(w.Today-d)), n+minutes
			}
		}
		in.Panel.Completeness[t] = 1
		if n > 0 {
			in.Panel.Completeness[t] = sum / n
		}
	}
}

// cells are the weeks of the panel that an outbreak covers.
func (in *WarningInput) cells(o Outbreak, school, category map[int64]int) []stats.Cell {
	c := stats.All
	if o.Category != 0 {
		at, known := category[o.Category]
		if !known {
			return nil
		}
		c = at
	}
	var places []int
	for _, id := range o.Schools {
		if s, ok := school[id]; ok {
			places = append(places, s)
		}
	}
	if len(o.Schools) == 0 {
		places = []int{stats.All}
	}
	var out []stats.Cell
	for t, monday := range in.Mondays {
		if monday+7 > o.From && monday < o.To {
			for _, s := range places {
				out = append(out, stats.Cell{School: s, Category: c, Week: t})
			}
		}
	}
	return out
}
