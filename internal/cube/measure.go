package cube

import "slices"

// basis is the instant that places an incident in a period.
type basis int

const (
	byOpening basis = iota
	byEnd
	openAt // opened before the end of the period or bucket and not ended before it
)

// timing is a duration of one incident.
type timing int

const (
	toResolution timing = iota // seconds by the clock, from the opening
	toClosing
	toResponse // open minutes of the response clock, once it has stopped
	toMending  // … of the resolution clock
	timings
)

// unit is how many of a timing's steps make an hour.
var unit = [timings]float64{3600, 3600, 60, 60}

// mark is something that an incident has or has not.
type mark int

const (
	isReopened mark = iota
	isRepeated
	keptResponse
	lateResponse
	keptResolution
	lateResolution
	isRated
	isSatisfied
	isUnsatisfied
	marks
)

// quantity is something that incidents have so much of.
type quantity int

const (
	ofReassignments quantity = iota
	ofParts
	ofCents
	ofVisits
	ofMinutes
	ofLists
	ofFailures
	quantities
)

// part is one thing to accumulate for a group; measures are made of parts.
type part uint64

const (
	partOpened    part = 1 << iota // incidents opened
	partEnded                      // incidents ended
	partBacklog                    // open at the end
	partComputers                  // incidents of schools whose number of computers is known
	partPupils
	partResolutionP90
	partTimed    // the first of the timings
	partMedian   = partTimed << timings
	partMarked   = partMedian << timings
	partQuantity = partMarked << marks

	// quantileParts need the durations themselves.
	quantileParts = partResolutionP90 | (1<<timings-1)*partMedian
)

func (t timing) part() part   { return partTimed << t }
func (t timing) median() part { return partMedian << t }
func (m mark) part() part     { return partMarked << m }
func (q quantity) part() part { return partQuantity << q }

type measure struct {
	basis basis
	parts part
	list  part // whose incidents, of those on the basis, are behind the figure; 0 for all
	share bool // a figure between 0 and 1
	hours bool // a duration
	rate  bool
	mean  bool // neither adds up nor is one of the above
	sum   bool // of a quantity, not of incidents
	money bool
}

func meanOf(t timing) measure {
	return measure{parts: partOpened | t.part(), list: t.part(), hours: true}
}

func medianOf(t timing) measure {
	m := meanOf(t)
	m.parts |= t.median()
	return m
}

func marked(m mark, with ...mark) measure {
	parts := partOpened | m.part()
	for _, o := range with {
		parts |= o.part()
	}
	return measure{parts: parts, list: m.part()}
}

func shareOf(m mark, with ...mark) measure {
	out := marked(m, with...)
	out.share = true
	return out
}

func sumOf(q quantity) measure {
	return measure{parts: partOpened | q.part(), list: q.part(), sum: true}
}

var measures = map[Measure]measure{
	Count:            {parts: partOpened},
	Opened:           {parts: partOpened},
	Resolved:         {basis: byEnd, parts: partEnded},
	Backlog:          {basis: openAt, parts: partBacklog},
	ResolutionMedian: medianOf(toResolution),
	ResolutionP90:    {parts: partOpened | toResolution.part() | partResolutionP90, list: toResolution.part(), hours: true},
	ResolutionMean:   meanOf(toResolution),
	ClosingMedian:    medianOf(toClosing),
	ClosingMean:      meanOf(toClosing),
	Unresolved:       {parts: partOpened | toResolution.part(), list: toResolution.part()},

	ResponseKept:       shareOf(keptResponse, lateResponse),
	ResponseLate:       marked(lateResponse),
	ResponseOpen:       medianOf(toResponse),
	ResolutionKept:     shareOf(keptResolution, lateResolution),
	ResolutionLate:     marked(lateResolution),
	ResolutionOpen:     medianOf(toMending),
	ResolutionOpenMean: meanOf(toMending),

	Reopened:        marked(isReopened),
	ReopenedShare:   shareOf(isReopened),
	Repeat:          marked(isRepeated),
	RepeatShare:     shareOf(isRepeated),
	Reassignments:   sumOf(ofReassignments),
	Per100Computers: {parts: partOpened | partComputers, list: partComputers, rate: true},
	Per100Pupils:    {parts: partOpened | partPupils, list: partPupils, rate: true},

	Rated:          marked(isRated),
	SatisfiedShare: shareOf(isSatisfied, isRated),
	Satisfaction:   {parts: partOpened | isRated.part() | isSatisfied.part() | isUnsatisfied.part(), list: isRated.part(), mean: true},

	Visits:       sumOf(ofVisits),
	WorkTime:     {parts: partOpened | ofMinutes.part(), list: ofMinutes.part(), sum: true, hours: true},
	Parts:        sumOf(ofParts),
	PartsCost:    {parts: partOpened | ofCents.part(), list: ofCents.part(), sum: true, money: true},
	Checklists:   sumOf(ofLists),
	ChecksFailed: sumOf(ofFailures),
}

// Measures lists every measure in the order in which a reader is offered them.
var Measures = []Measure{
	Count, Opened, Resolved, Backlog,
	ResolutionMedian, ResolutionP90, ResolutionMean, ClosingMedian, ClosingMean, Unresolved,
	ResponseKept, ResponseLate, ResponseOpen, ResolutionKept, ResolutionLate, ResolutionOpen, ResolutionOpenMean,
	Reopened, ReopenedShare, Repeat, RepeatShare, Reassignments, Per100Computers, Per100Pupils,
	Rated, SatisfiedShare, Satisfaction, Visits, WorkTime, Parts, PartsCost, Checklists, ChecksFailed,
}

// Valid tells whether m is one of the measures.
func (m Measure) Valid() bool { _, ok := measures[m]; return ok }

// Share tells whether m is a figure between 0 and 1, to be shown in per cent.
func (m Measure) Share() bool { return measures[m].share }

// Hours tells whether m is a duration in hours: a delay, or a sum of time spent.
func (m Measure) Hours() bool { return measures[m].hours }

// Delay tells whether m is a duration between two instants of an incident.
func (m Measure) Delay() bool { return measures[m].hours && !measures[m].sum }

// Rate tells whether m is a rate per 100 and year.
func (m Measure) Rate() bool { return measures[m].rate }

// Mean tells whether m is a mean that is no duration.
func (m Measure) Mean() bool { return measures[m].mean }

// Sum tells whether m adds up a quantity that incidents have: its figure is not
// a number of incidents.
func (m Measure) Sum() bool { return measures[m].sum }

// Money tells whether m is in euros.
func (m Measure) Money() bool { return measures[m].money }

// Additive tells whether the figures of disjoint groups of incidents add up to
// the figure of their union. (A backlog does not add up over buckets of time.)
func (m Measure) Additive() bool {
	x, ok := measures[m]
	return ok && (x.sum || !x.share && !x.hours && !x.rate && !x.mean)
}

// quantile is a share num/den of a sorted list, type 7 (METHODS of the house:
// h = (n-1)p; x[⌊h⌋] + (h-⌊h⌋)(x[⌊h⌋+1] - x[⌊h⌋])); whole numbers keep every
// executor on the same two elements.
type quantile struct{ num, den int }

var (
	median = quantile{1, 2}
	decile = quantile{9, 10}
)

// index gives ⌊h⌋ and the weight of the next element among n > 0.
func (q quantile) index(n int) (i int, weight float64) {
	h := (n - 1) * q.num
	return h / q.den, float64(h%q.den) / float64(q.den)
}

// of mixes the two elements around the quantile.
func (quantile) of(lower, upper uint32, weight float64) float64 {
	return float64(lower) + weight*(float64(upper)-float64(lower))
}

// acc is what a group of incidents comes to.
type acc struct {
	opened, ended, backlog int
	excluded               int
	rated                  [2]int // computers, pupils
	timed                  [timings]struct {
		n      int
		sum    int64
		median float64
	}
	resolutionP90 float64
	marked        [marks]int
	had           [quantities]struct {
		n   int // incidents
		sum int64
	}
}

// exposure of a group: computer-days and pupil-days.
type exposureDays [2]int64

// Scores of the answers to the question of satisfaction.
const (
	scoreSatisfied   = 3
	scoreNeutral     = 2
	scoreUnsatisfied = 1
)

// value computes a measure of a group.
func (m Measure) value(a *acc, e exposureDays) Value {
	count := func(n int) Value { return Value{V: float64(n), Valid: true, N: n} }
	per := func(v float64, n int) Value {
		if n == 0 {
			return Value{}
		}
		return Value{V: v, Valid: true, N: n}
	}
	rate := func(i int) Value {
		if e[i] <= 0 {
			return Value{N: a.rated[i]}
		}
		return Value{V: 100 * float64(a.rated[i]) / (float64(e[i]) / 365.25), Valid: true, N: a.rated[i]}
	}
	share := func(k mark, of int) Value { return per(float64(a.marked[k])/float64(of), of) }
	median := func(t timing) Value { return per(a.timed[t].median/unit[t], a.timed[t].n) }
	mean := func(t timing) Value {
		return per(float64(a.timed[t].sum)/unit[t]/float64(a.timed[t].n), a.timed[t].n)
	}
	sum := func(q quantity, unit float64) Value {
		return Value{V: float64(a.had[q].sum) / unit, Valid: true, N: a.had[q].n}
	}
	switch m {
	case Count, Opened:
		return count(a.opened)
	case Resolved:
		return count(a.ended)
	case Backlog:
		return count(a.backlog)
	case ResolutionMedian:
		return median(toResolution)
	case ResolutionP90:
		return per(a.resolutionP90/unit[toResolution], a.timed[toResolution].n)
	case ResolutionMean:
		return mean(toResolution)
	case ClosingMedian:
		return median(toClosing)
	case ClosingMean:
		return mean(toClosing)
	case Unresolved:
		return count(a.opened - a.timed[toResolution].n)
	case ResponseKept:
		return share(keptResponse, a.marked[keptResponse]+a.marked[lateResponse])
	case ResponseLate:
		return count(a.marked[lateResponse])
	case ResponseOpen:
		return median(toResponse)
	case ResolutionKept:
		return share(keptResolution, a.marked[keptResolution]+a.marked[lateResolution])
	case ResolutionLate:
		return count(a.marked[lateResolution])
	case ResolutionOpen:
		return median(toMending)
	case ResolutionOpenMean:
		return mean(toMending)
	case Reopened:
		return count(a.marked[isReopened])
	case ReopenedShare:
		return share(isReopened, a.opened)
	case Repeat:
		return count(a.marked[isRepeated])
	case RepeatShare:
		return share(isRepeated, a.opened)
	case Reassignments:
		return sum(ofReassignments, 1)
	case Per100Computers:
		return rate(0)
	case Per100Pupils:
		return rate(1)
	case Rated:
		return count(a.marked[isRated])
	case SatisfiedShare:
		return share(isSatisfied, a.marked[isRated])
	case Satisfaction:
		n, good, bad := a.marked[isRated], a.marked[isSatisfied], a.marked[isUnsatisfied]
		return per(float64(scoreSatisfied*good+scoreNeutral*(n-good-bad)+scoreUnsatisfied*bad)/float64(n), n)
	case Visits:
		return sum(ofVisits, 1)
	case WorkTime:
		return sum(ofMinutes, 60)
	case Parts:
		return sum(ofParts, 1)
	case PartsCost:
		return sum(ofCents, 100)
	case Checklists:
		return sum(ofLists, 1)
	case ChecksFailed:
		return sum(ofFailures, 1)
	}
	return Value{}
}

// quantilesOf are the quantiles of a timing that parts ask for, and set puts
// them where they belong.
func (p part) quantilesOf(t timing) (qs []quantile, set func(*acc, []float64)) {
	if p&t.median() != 0 {
		qs = append(qs, median)
	}
	if t == toResolution && p&partResolutionP90 != 0 {
		qs = append(qs, decile)
	}
	return qs, func(a *acc, q []float64) {
		if p&t.median() != 0 {
			a.timed[t].median, q = q[0], q[1:]
		}
		if len(q) > 0 {
			a.resolutionP90 = q[0]
		}
	}
}

func partsOf(ms []Measure) part {
	p := partOpened // the population is always told
	for _, m := range ms {
		p |= measures[m].parts
	}
	return p
}

func (m Measure) in(ms []Measure) bool { return slices.Contains(ms, m) }
