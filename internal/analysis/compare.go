package analysis

import (
	"cmp"
	"context"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/stats"
)

// What a comparison of schools is made with.
const (
	leastSchools  = 5
	CompareLevel  = 0.9  // of the intervals of ratios and ranks
	ActLevel      = 1.2  // a true ratio from which one would act
	actChance     = 0.95 // how sure one wants to be of it
	RankDraws     = 4000
	RankSeed      = 45
	differsBelow  = 0.05 // of the chance that schools as alike as that differ so much
	rankingTooFar = 0.5  // of the table: intervals of ranks wider than that make no ranking
)

// Verdict is what is concluded of a school.
type Verdict string

// The verdicts.
const (
	VerdictAbove Verdict = "above"
	VerdictBelow Verdict = "below"
	VerdictUsual Verdict = "usual"
)

// ComparedSchool is a school among the others.
type ComparedSchool struct {
	School   directory.School
	Years    float64 // computers times years in service
	Observed int
	Expected float64 // at the common rate
	Ratio    float64
	Shrunk   stats.Shrunk
	Rank     stats.Interval
	Limits   stats.Interval // where a school of the common level stays 998 times in 1,000, with the usual differences between schools
	Verdict  Verdict
}

// Comparison tells the schools that differ from those that chance sets apart.
type Comparison struct {
	Refusal    *Refusal
	From, To   calendar.Day
	Schools    []ComparedSchool // in scope, the highest ratio first
	All        int              // compared, in scope or not
	Unknown    int              // schools in scope without a known number of computers
	Events     int
	Rate       float64 // of all, for 100 computers and a year
	Dispersion stats.Dispersion
	Tests      stats.Heterogeneity
	Least      float64 // expected of the smallest of all, in scope or not
	Most       float64 // … and of the largest

	prior stats.Prior
	wide  float64 // median share of the table that an interval of ranks covers
}

// Compare judges every school against all over [from, to), and keeps those in
// the reader's scope: what is said of all (the common level, how much schools
// differ) shows no school.
func (s *Service) Compare(ctx context.Context, scope auth.Scope, from, to calendar.Day) (Comparison, error) {
	var c Comparison
	places, err := s.Places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return c, err
	}
	res, err := s.Cube.Run(ctx, auth.ScopeAll(s.cfg.Tenant), cube.Query{By: []cube.Dim{cube.DimSchool}, Measures: []cube.Measure{cube.Per100Computers}, From: from, To: to})
	if err != nil {
		return c, err
	}
	c.From, c.To = res.From, res.To
	counted := map[string]int{}
	for _, row := range res.Rows {
		counted[row.Keys[0]] = row.Values[0].N
	}
	end := min(c.To, calendar.DayOf(s.cfg.Now(), s.cfg.Location)+1)
	years := cube.ComputerYears(places, c.From, end)
	var sum float64
	var compared []ComparedSchool
	for _, school := range places.Schools() {
		if years[school.ID] > 0 {
			one := ComparedSchool{School: school, Years: years[school.ID], Observed: counted[number(school.ID)]}
			compared, sum, c.Events = append(compared, one), sum+one.Years, c.Events+one.Observed
		} else if scope.SeesSchool(school.ID) {
			c.Unknown++
		}
	}
	c.All = len(compared)
	switch weeks := OpenWeeks(places.Calendar(0), c.From, end); {
	case c.All < leastSchools:
		c.Refusal = &Refusal{FewSchools, float64(c.All), leastSchools}
	case weeks < LeastWeeks:
		c.Refusal = &Refusal{FewWeeks, float64(weeks), LeastWeeks}
	case c.Events < LeastEvents:
		c.Refusal = &Refusal{FewEvents, float64(c.Events), LeastEvents}
	}
	if c.Refusal != nil {
		return c, nil
	}
	c.Rate = 100 * float64(c.Events) / sum
	c.judge(compared, sum)
	c.Schools = slices.DeleteFunc(compared, func(one ComparedSchool) bool { return !scope.SeesSchool(one.School.ID) })
	slices.SortStableFunc(c.Schools, func(a, b ComparedSchool) int { return cmp.Compare(b.Shrunk.Ratio, a.Shrunk.Ratio) })
	return c, nil
}

// judge works out each school's place among all.
func (c *Comparison) judge(compared []ComparedSchool, years float64) {
	observed, expected := make([]int, len(compared)), make([]float64, len(compared))
	for k := range compared {
		one := &compared[k]
		one.Expected = one.Years * float64(c.Events) / years
		one.Ratio = float64(one.Observed) / one.Expected
		observed[k], expected[k] = one.Observed, one.Expected
	}
	c.Dispersion, _ = stats.DispersionOf(observed, expected)
	c.Tests, _ = stats.HeterogeneityOf(observed, expected)
	c.prior, _ = stats.PriorOf(observed, expected)
	beliefs := make([]stats.Shrunk, len(compared))
	for k := range compared {
		beliefs[k] = c.prior.Shrink(observed[k], expected[k], CompareLevel)
	}
	ranks := stats.Ranks(beliefs, CompareLevel, RankDraws, RankSeed)
	widths := make([]float64, len(compared))
	for k := range compared {
		one := &compared[k]
		one.Shrunk, one.Rank = beliefs[k], ranks[k]
		one.Limits = c.Dispersion.Limits(one.Expected, stats.Z998)
		one.Verdict = VerdictUsual
		switch {
		case one.Shrunk.Above(ActLevel) > actChance:
			one.Verdict = VerdictAbove
		case one.Shrunk.Above(1/ActLevel) < 1-actChance:
			one.Verdict = VerdictBelow
		}
		widths[k] = (one.Rank.High - one.Rank.Low + 1) / float64(len(compared))
	}
	c.Least, c.Most = slices.Min(expected), slices.Max(expected)
	slices.Sort(widths)
	c.wide = stats.Quantile(widths, 0.5)
}

// Differ tells whether schools differ beyond chance: without it no ranking is
// shown.
func (c *Comparison) Differ() bool { return c.Tests.RatioP < differsBelow }

// Ranked tells whether ranks mean something: schools differ, and most of them
// could not be anywhere in half of the table.
func (c *Comparison) Ranked() bool { return c.Differ() && c.wide <= rankingTooFar }

// Own tells whether the reader sees one school only: it stands on the band of
// all, without a rank.
func (c *Comparison) Own() bool { return len(c.Schools) == 1 && c.All > 1 }
