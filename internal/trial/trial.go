// Package trial puts the detectors of internal/stats to the test: how many
// false alarms they give in quiet weeks, and what share of outbreaks they find
// within one, two and three weeks, where the outbreaks are added by us. It
// works on départements that it invents (Like, Unlike) and on the past of a
// real one.
package trial

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"

	"statincidents/internal/stats"
)

// Case is a département's past: its weeks from First on are judged. Place says
// where each week of the panel stands among all weeks, holidays included, for
// the detectors that know of no holidays.
type Case struct {
	Panel *stats.Panel
	First int
	Place []int
}

// Plan says what is added: so many outbreaks of each size (incidents a whole
// week more) lasting so many weeks, drawn from a seed.
type Plan struct {
	Sizes     []int
	Outbreaks int // of each size, over all cases
	Weeks     int
	Seed      uint64
	Noise     float64 // dispersion of an outbreak's weeks around its size
	// Least is the number of incidents a week must hold to be told of.
	Least int
}

// UsualPlan is that of the comparison.
func UsualPlan() Plan {
	return Plan{Sizes: []int{2, 4, 7}, Outbreaks: 240, Weeks: 3, Seed: 45, Noise: 0.2, Least: 3}
}

// Row is what a detector did.
type Row struct {
	Detector string
	// Usual is its own usual limit: false alarms a week there.
	Usual float64
	// UsualFound is the share found there, by size and by number of weeks.
	UsualFound [][]float64
	// ByWeek counts the alarms of each judged week at the usual limit, cases added up.
	ByWeek []int
	// AtOne is the number of false alarms a week at the limit set to give one
	// (or the nearest below), and Found the share found at that limit.
	AtOne float64
	Found [][]float64
	// Silent tells that it could judge less than half of the weeks: too short a past.
	Silent bool
}

// Table is the outcome of a trial.
type Table struct {
	Sizes     []int
	Weeks     int // of an outbreak
	Outbreaks int // of each size
	Series    int // judged in a week, on the average
	Judged    int // weeks
	PerYear   float64
	Low       float64 // share of series with less than half an incident a week
	Rows      []Row
	// Rule is the detector in use with its whole rule, one outbreak at a time;
	// Busy, with all outbreaks at once: where much is true, the control of false
	// discoveries lets more through.
	Rule, Busy Row
}

// outbreak is one that is added: to the counts of a series from a week on.
type outbreak struct {
	size, series, week int // series = school × categories + category
	more               []int
}

// Run compares the detectors over some cases. step, if any, is told how many
// parts of how many are done.
func Run(ctx context.Context, cases []Case, plan Plan, step func(done, of int)) (Table, error) {
	t := Table{Sizes: plan.Sizes, Weeks: plan.Weeks}
	all := detectors()
	runs := make([][]judged, len(all)) // by detector and case
	for d := range runs {
		runs[d] = make([]judged, len(cases))
	}
	outbreaks := make([][]outbreak, len(cases))
	for k, c := range cases {
		outbreaks[k] = plan.draw(c, k, len(cases))
	}
	var (
		wait  sync.WaitGroup
		lock  sync.Mutex
		done  int
		parts = make(chan func())
	)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for part := range parts {
				part()
				if step != nil {
					lock.Lock()
					done++
					step(done, len(all)*len(cases))
					lock.Unlock()
				}
			}
		})
	}
	var err error
	for k := range cases {
		for d := range all {
			if err = ctx.Err(); err != nil {
				break
			}
			parts <- func() { runs[d][k] = judge(all[d], cases[k], outbreaks[k], plan) }
		}
	}
	close(parts)
	wait.Wait()
	if err != nil {
		return Table{}, err
	}
	t.describe(cases, outbreaks, plan)
	for d := range all {
		t.Rows = append(t.Rows, t.row(&all[d], runs[d]))
	}
	t.Rule = t.rule(OursRule, runs[0], func(j *judged) (int, [][]bool) { return j.ruledQuiet, j.ruled })
	t.Busy = t.rule(OursBusy, runs[0], func(j *judged) (int, [][]bool) { return j.busyQuiet, j.busy })
	return t, nil
}

// draw places the outbreaks of a case: its share of those of the plan, in
// series and weeks in which the school is open all along.
func (p Plan) draw(c Case, k, of int) []outbreak {
	src := rand.NewPCG(p.Seed, uint64(1000+k))
	rng := rand.New(src)
	schools, categories := len(c.Panel.Counts), len(c.Panel.Counts[0])
	var out []outbreak
	for size := range p.Sizes {
		n := p.Outbreaks / of
		if k < p.Outbreaks%of {
			n++
		}
		for tries := 0; n > 0 && tries < 100*p.Outbreaks; tries++ {
			s, week := rng.IntN(schools), c.First+rng.IntN(max(1, len(c.Panel.Number)-c.First-p.Weeks+1))
			o := outbreak{size: size, series: s*categories + rng.IntN(categories), week: week}
			open := week+p.Weeks <= len(c.Panel.Number)
			for w := week; open && w < week+p.Weeks; w++ {
				open = c.Panel.Computers[s][w] > 0 && c.Panel.Openness[s][w] > stats.UsualExceedance().Openness
			}
			if !open {
				continue
			}
			for w := week; w < week+p.Weeks; w++ {
				mean := float64(p.Sizes[size])
				if p.Noise > 0 {
					mean *= distuv.Gamma{Alpha: 1 / p.Noise, Beta: 1 / p.Noise, Src: src}.Rand()
				}
				o.more = append(o.more, int(distuv.Poisson{Lambda: mean, Src: src}.Rand()))
			}
			out = append(out, o)
			n--
		}
	}
	return out
}

// describe counts what the trial is made on.
func (t *Table) describe(cases []Case, outbreaks [][]outbreak, plan Plan) {
	series, low, incidents, years := 0, 0, 0, 0.0
	for k, c := range cases {
		weeks := len(c.Panel.Number)
		years += float64(weeks) / 36
		t.Judged += weeks - c.First
		for s := range c.Panel.Counts {
			for _, row := range c.Panel.Counts[s] {
				sum := 0
				for _, y := range row {
					sum += y
				}
				incidents += sum
				series++
				if float64(sum) < 0.5*float64(weeks) {
					low++
				}
			}
		}
		for _, o := range outbreaks[k] {
			if o.size == 0 {
				t.Outbreaks++
			}
		}
	}
	t.Series = series / len(cases)
	t.PerYear, t.Low = float64(incidents)/years, float64(low)/float64(series)
}

// judged is what a detector said of a case: scores of the quiet weeks (the
// higher, the more alarming), and those of each outbreak's weeks.
type judged struct {
	weeks, tested int
	quiet         []float64
	quietWeek     []int       // of each of these, counted from the first judged
	added         [][]float64 // by outbreak, by week
	sizes         []int       // of the outbreaks
	// at gives the alarms at a limit for a detector whose past alarms matter;
	// nil for the others.
	at func(limit float64) (quiet int, found [][]bool)
	// by counts the alarms of each week in the same way.
	by func(limit float64) []int
	// ruled are, under the whole rule, the false alarms and the outbreaks'
	// weeks told; only of the detector in use.
	// Busy is the same with all outbreaks at a time.
	ruledQuiet, busyQuiet int
	ruledWeek             []int
	ruled, busy           [][]bool
}

// weekly counts the alarms of each week of a case at a limit.
func (j *judged) weekly(limit float64) []int {
	if j.by != nil {
		return j.by(limit)
	}
	out := make([]int, j.weeks)
	for k, v := range j.quiet {
		if v >= limit {
			out[j.quietWeek[k]]++
		}
	}
	return out
}

func byWeek(runs []judged, of func(*judged) []int) []int {
	var out []int
	for k := range runs {
		for w, n := range of(&runs[k]) {
			if w == len(out) {
				out = append(out, 0)
			}
			out[w] += n
		}
	}
	return out
}

// alarms are those of a case at a limit.
func (j *judged) alarms(limit float64) (quiet int, found [][]bool) {
	if j.at != nil {
		return j.at(limit)
	}
	for _, v := range j.quiet {
		if v >= limit {
			quiet++
		}
	}
	found = make([][]bool, len(j.added))
	for k, scores := range j.added {
		found[k] = make([]bool, len(scores))
		for w, v := range scores {
			found[k][w] = v >= limit
		}
	}
	return quiet, found
}

// row measures a detector at its usual limit and at one false alarm a week.
func (t *Table) row(d *detector, runs []judged) Row {
	r := Row{Detector: d.name}
	tested := 0
	for k := range runs {
		tested += runs[k].tested
	}
	if 2*tested < t.Series*t.Judged {
		r.Silent = true
		return r
	}
	r.Usual, r.UsualFound = t.measure(runs, d.usual)
	r.ByWeek = byWeek(runs, func(j *judged) []int { return j.weekly(d.usual) })
	r.AtOne, r.Found = t.measure(runs, t.limit(runs))
	return r
}

// rule measures the whole rule of the detector in use.
func (t *Table) rule(name string, runs []judged, of func(*judged) (int, [][]bool)) Row {
	quiet := 0
	found := make([][][]bool, len(runs))
	for k := range runs {
		n, f := of(&runs[k])
		quiet += n
		found[k] = f
	}
	usual := float64(quiet) / float64(max(1, t.Judged))
	shares := t.shares(runs, found)
	row := Row{Detector: name, Usual: usual, UsualFound: shares, AtOne: usual, Found: shares}
	if name == OursRule {
		row.ByWeek = byWeek(runs, func(j *judged) []int { return j.ruledWeek })
	}
	return row
}

func (t *Table) measure(runs []judged, limit float64) (float64, [][]float64) {
	quiet := 0
	found := make([][][]bool, len(runs))
	for k := range runs {
		n, f := runs[k].alarms(limit)
		quiet += n
		found[k] = f
	}
	return float64(quiet) / float64(max(1, t.Judged)), t.shares(runs, found)
}

// shares are those of the outbreaks found within 1, 2… weeks, by size.
func (t *Table) shares(runs []judged, found [][][]bool) [][]float64 {
	out, n := make([][]float64, len(t.Sizes)), make([]float64, len(t.Sizes))
	for k := range out {
		out[k] = make([]float64, t.Weeks)
	}
	for k := range runs {
		for o, size := range runs[k].sizes {
			n[size]++
			told := false
			for w := range found[k][o] {
				told = told || found[k][o][w]
				if told {
					out[size][w]++
				}
			}
		}
	}
	for k := range out {
		for w := range out[k] {
			out[k][w] /= max(1, n[k])
		}
	}
	return out
}

// limit is the least limit that gives at most one false alarm a week.
func (t *Table) limit(runs []judged) float64 {
	if runs[0].at != nil {
		low, high := 0.0, 60.0
		for range 40 {
			middle := (low + high) / 2
			quiet := 0
			for k := range runs {
				n, _ := runs[k].at(middle)
				quiet += n
			}
			if quiet > t.Judged {
				low = middle
			} else {
				high = middle
			}
		}
		return high
	}
	var all []float64
	for k := range runs {
		for _, v := range runs[k].quiet {
			if !math.IsInf(v, -1) {
				all = append(all, v)
			}
		}
	}
	slices.SortFunc(all, func(a, b float64) int { return cmp.Compare(b, a) })
	if len(all) <= t.Judged {
		return math.SmallestNonzeroFloat64
	}
	// Ties at the limit would be one too many together.
	return math.Nextafter(all[t.Judged], math.Inf(1))
}
