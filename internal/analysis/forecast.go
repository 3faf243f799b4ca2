package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"

	"statincidents/internal/calendar"
	"statincidents/internal/stats"
)

// What the forecast is made with.
const (
	ForecastAhead   = 8  // open weeks
	ForecastOrigins = 36 // weeks at which it would have been made, to see how good it is
	ForecastLevel   = 0.9
	forecastOpen    = 0.3 // openness from which a week counts
	forecastShown   = 20  // past weeks that are shown
	forecastTypes   = 12  // types that have a forecast of their own, the most frequent
	forecastTeams   = 8
	forecastLeast   = 100 // incidents of the last year from which a type or a team has one
	forecastHorizon = 40  // calendar weeks that are looked ahead for open ones
)

// NoCalendar is the refusal of a forecast beyond the known school calendar.
const NoCalendar Why = "calendar"

// ComingWeeks foresees each night the incidents of the next open weeks.
var ComingWeeks = Method[ForecastInput, ForecastOutput]{
	Name: "forecast", Version: 1,
	Gather: func(_ context.Context, w *World) (ForecastInput, error) { return gatherForecast(w), nil },
	Run:    func(_ context.Context, in ForecastInput, _ uint64) (ForecastOutput, error) { return foresee(in), nil },
}

// ForecastInput are weekly counts, and the open weeks to come.
type ForecastInput struct {
	Past   []Week         `json:"past"`  // whole open weeks, oldest first
	Ahead  []Week         `json:"ahead"` // the present one first, when it is open
	Series []WeeklySeries `json:"series"`
}

// SeriesKind says what a series counts.
type SeriesKind string

// The kinds of series.
const (
	SeriesAll      SeriesKind = "all"
	SeriesCategory SeriesKind = "category"
	SeriesTeam     SeriesKind = "team"
)

// WeeklySeries are the incidents of the past weeks.
type WeeklySeries struct {
	Kind   SeriesKind `json:"kind"`
	ID     int64      `json:"id,omitempty"` // category or team
	Counts []int      `json:"counts"`
}

// ForecastOutput is what is foreseen.
type ForecastOutput struct {
	Refusal *Refusal         `json:"refusal,omitempty"`
	Past    []Week           `json:"past"` // the last ones, to show
	Ahead   []Week           `json:"ahead"`
	Known   int              `json:"known"` // open weeks that it was learnt from
	Series  []ForecastSeries `json:"series"`
}

// ForecastSeries is the forecast of one series.
type ForecastSeries struct {
	Kind     SeriesKind       `json:"kind"`
	ID       int64            `json:"id,omitempty"`
	Counts   []int            `json:"counts"` // of Past
	Ahead    []stats.Foreseen `json:"ahead"`
	Checked  []stats.Foreseen `json:"checked"` // of the last weeks of Past, as foreseen before them
	Alpha    float64          `json:"alpha"`
	Theta    float64          `json:"theta"` // 0: the weeks vary as chance alone has it
	Seasonal bool             `json:"seasonal"`
	Averaged bool             `json:"averaged"` // the level and the regression
	Back     *stats.BackTest  `json:"back,omitempty"`
}

// Sum is the whole stretch ahead.
func (s *ForecastSeries) Sum() float64 {
	sum := 0.0
	for _, f := range s.Ahead {
		sum += f.Mean
	}
	return sum
}

// Simpler is the simpler forecast that errs less, if the difference is more
// than chance; the best of them otherwise, with false.
func (s *ForecastSeries) Simpler() (best stats.Trial, better bool) {
	if s.Back == nil || len(s.Back.Trials) < 2 {
		return stats.Trial{}, false
	}
	best = slices.MinFunc(s.Back.Trials[1:], func(a, b stats.Trial) int { return cmp.Compare(a.MAE, b.MAE) })
	return best, best.MAE < s.Back.Trials[0].MAE && best.Tested && best.Test.P < 0.05
}

func gatherForecast(w *World) ForecastInput {
	var in ForecastInput
	column := map[calendar.Day]int{}
	for _, week := range w.Weeks[:w.Whole()] {
		if week.Openness > forecastOpen {
			column[week.Monday] = len(in.Past)
			in.Past = append(in.Past, week)
		}
	}
	cal := w.Places.Calendar(0)
	for k := range forecastHorizon {
		monday := w.Today.Week() + calendar.Day(7*k)
		if _, whole := column[monday]; whole || len(in.Ahead) == ForecastAhead {
			continue
		}
		if year, n := cal.SchoolWeek(monday); n > 0 && cal.Openness(monday) > forecastOpen {
			in.Ahead = append(in.Ahead, Week{monday, year, n, cal.Openness(monday)})
		}
	}
	all := make([]int, len(in.Past))
	types, teams := map[int64][]int{}, map[int64][]int{}
	add := func(to map[int64][]int, id int64, week int) {
		if to[id] == nil {
			to[id] = make([]int, len(in.Past))
		}
		to[id][week]++
	}
	for k := range w.Facts {
		f := &w.Facts[k]
		week, ok := column[f.Happened.Week()]
		if !ok {
			continue
		}
		all[week]++
		if path := w.Words.Path(f.Category); len(path) > 0 {
			add(types, path[0], week)
		}
		if f.Team != 0 {
			add(teams, f.Team, week)
		}
	}
	in.Series = append(in.Series, WeeklySeries{Kind: SeriesAll, Counts: all})
	in.Series = append(in.Series, most(SeriesCategory, types, forecastTypes)...)
	in.Series = append(in.Series, most(SeriesTeam, teams, forecastTeams)...)
	return in
}

// most keeps the series with the most incidents in the last year.
func most(kind SeriesKind, of map[int64][]int, n int) []WeeklySeries {
	var out []WeeklySeries
	sum := func(s WeeklySeries) int {
		total := 0
		for _, y := range s.Counts[max(0, len(s.Counts)-ZoneStudy):] {
			total += y
		}
		return total
	}
	for id, counts := range of {
		if s := (WeeklySeries{kind, id, counts}); sum(s) >= forecastLeast {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b WeeklySeries) int { return cmp.Or(cmp.Compare(sum(b), sum(a)), cmp.Compare(a.ID, b.ID)) })
	return out[:min(len(out), n)]
}

func foresee(in ForecastInput) ForecastOutput {
	shown := max(0, len(in.Past)-forecastShown)
	out := ForecastOutput{Past: in.Past[shown:], Ahead: in.Ahead, Known: len(in.Past)}
	events := 0
	if len(in.Series) > 0 {
		for _, y := range in.Series[0].Counts {
			events += y
		}
	}
	switch {
	case len(in.Past) < LeastWeeks:
		out.Refusal = &Refusal{FewWeeks, float64(len(in.Past)), LeastWeeks}
	case events < LeastEvents:
		out.Refusal = &Refusal{FewEvents, float64(events), LeastEvents}
	case len(in.Ahead) == 0:
		out.Refusal = &Refusal{NoCalendar, 0, ForecastAhead}
	}
	if out.Refusal != nil {
		return out
	}
	weeks := func(of []Week, counts []int) []stats.SchoolWeek {
		list := make([]stats.SchoolWeek, len(of))
		for k, w := range of {
			list[k] = stats.SchoolWeek{Number: w.Number, Place: int(w.Monday-in.Past[0].Monday) / 7, Openness: w.Openness}
			if counts != nil {
				list[k].Count = counts[k]
			}
		}
		return list
	}
	for _, s := range in.Series {
		past := weeks(in.Past, s.Counts)
		ahead, made, ok := stats.ForecastWeeks(past, weeks(in.Ahead, nil))
		if !ok {
			continue
		}
		one := ForecastSeries{Kind: s.Kind, ID: s.ID, Counts: s.Counts[shown:], Ahead: ahead, Alpha: made.Alpha, Theta: made.Theta, Seasonal: made.Seasonal, Averaged: made.Regression}
		if math.IsInf(one.Theta, 0) {
			one.Theta = 0
		}
		if n := len(past) - ForecastAhead; n >= LeastWeeks {
			one.Checked, _, _ = stats.ForecastWeeks(past[:n], past[n:])
		}
		if b, ok := stats.BackTestWeeks(past, ForecastAhead, ForecastOrigins); ok {
			one.Back = &b
		}
		out.Series = append(out.Series, one)
	}
	return out
}
