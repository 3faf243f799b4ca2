package cube

import "slices"

// basis is the instant that places an incident in a period.
type basis int

const (
	byOpening basis = iota
	byEnd
	openAt // opened before the end of the period or bucket and not ended before it
)

// part is one thing to accumulate for a group; measures are made of parts.
type part uint

const (
	partOpened  part = 1 << iota // incidents opened
	partEnded                    // incidents ended
	partBacklog                  // open at the end
	partResolution
	partResolutionMedian
	partResolutionP90
	partClosing
	partClosingMedian
	partReopened
	partRepeat
	partComputers // incidents of schools whose number of computers is known
	partPupils

	// quantileParts need the durations themselves.
	quantileParts = partResolutionMedian | partResolutionP90 | partClosingMedian
)

type measure struct {
	basis basis
	parts part
	share bool // a figure between 0 and 1
	hours bool // a duration
	rate  bool
}

var measures = map[Measure]measure{
	Count:            {parts: partOpened},
	Opened:           {parts: partOpened},
	Resolved:         {basis: byEnd, parts: partEnded},
	Backlog:          {basis: openAt, parts: partBacklog},
	ResolutionMedian: {parts: partOpened | partResolution | partResolutionMedian, hours: true},
	ResolutionP90:    {parts: partOpened | partResolution | partResolutionP90, hours: true},
	ResolutionMean:   {parts: partOpened | partResolution, hours: true},
	ClosingMedian:    {parts: partOpened | partClosing | partClosingMedian, hours: true},
	ClosingMean:      {parts: partOpened | partClosing, hours: true},
	Unresolved:       {parts: partOpened | partResolution},
	Reopened:         {parts: partOpened | partReopened},
	ReopenedShare:    {parts: partOpened | partReopened, share: true},
	Repeat:           {parts: partOpened | partRepeat},
	RepeatShare:      {parts: partOpened | partRepeat, share: true},
	Per100Computers:  {parts: partOpened | partComputers, rate: true},
	Per100Pupils:     {parts: partOpened | partPupils, rate: true},
}

// Measures lists every measure in the order in which a reader is offered them.
var Measures = []Measure{
	Count, Opened, Resolved, Backlog,
	ResolutionMedian, ResolutionP90, ResolutionMean, ClosingMedian, ClosingMean, Unresolved,
	Reopened, ReopenedShare, Repeat, RepeatShare, Per100Computers, Per100Pupils,
}

// Valid tells whether m is one of the measures.
func (m Measure) Valid() bool { _, ok := measures[m]; return ok }

// Share tells whether m is a figure between 0 and 1, to be shown in per cent.
func (m Measure) Share() bool { return measures[m].share }

// Hours tells whether m is a duration in hours.
func (m Measure) Hours() bool { return measures[m].hours }

// Rate tells whether m is a rate per 100 and year.
func (m Measure) Rate() bool { return measures[m].rate }

// Additive tells whether the figures of disjoint groups of incidents add up to
// the figure of their union. (A backlog does not add up over buckets of time.)
func (m Measure) Additive() bool { return m.Valid() && !m.Share() && !m.Hours() && !m.Rate() }

// restriction is the part whose incidents, of those on the measure's basis,
// are behind a figure.
func (m Measure) restriction() part {
	switch m {
	case ResolutionMedian, ResolutionP90, ResolutionMean, Unresolved:
		return partResolution
	case ClosingMedian, ClosingMean:
		return partClosing
	case Reopened, ReopenedShare:
		return partReopened
	case Repeat, RepeatShare:
		return partRepeat
	case Per100Computers:
		return partComputers
	case Per100Pupils:
		return partPupils
	}
	return 0
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

// acc is what a group of incidents comes to. Durations are seconds.
type acc struct {
	opened, ended, backlog          int
	excluded                        int
	resolved, closed                int // with a resolution, closing time
	reopened, repeat                int
	rated                           [2]int // computers, pupils
	resolutionSum, closingSum       int64
	resolutionMedian, resolutionP90 float64
	closingMedian                   float64
}

// exposure of a group: computer-days and pupil-days.
type exposureDays [2]int64

const hour = 3600

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
	switch m {
	case Count, Opened:
		return count(a.opened)
	case Resolved:
		return count(a.ended)
	case Backlog:
		return count(a.backlog)
	case ResolutionMedian:
		return per(a.resolutionMedian/hour, a.resolved)
	case ResolutionP90:
		return per(a.resolutionP90/hour, a.resolved)
	case ResolutionMean:
		return per(float64(a.resolutionSum)/hour/float64(a.resolved), a.resolved)
	case ClosingMedian:
		return per(a.closingMedian/hour, a.closed)
	case ClosingMean:
		return per(float64(a.closingSum)/hour/float64(a.closed), a.closed)
	case Unresolved:
		return count(a.opened - a.resolved)
	case Reopened:
		return count(a.reopened)
	case ReopenedShare:
		return per(float64(a.reopened)/float64(a.opened), a.opened)
	case Repeat:
		return count(a.repeat)
	case RepeatShare:
		return per(float64(a.repeat)/float64(a.opened), a.opened)
	case Per100Computers:
		return rate(0)
	case Per100Pupils:
		return rate(1)
	}
	return Value{}
}

// resolutionQuantiles are the quantiles of the resolution times that parts ask
// for, and set puts them where they belong.
func (p part) resolutionQuantiles() (qs []quantile, set func(*acc, []float64)) {
	if p&partResolutionMedian != 0 {
		qs = append(qs, median)
	}
	if p&partResolutionP90 != 0 {
		qs = append(qs, decile)
	}
	return qs, func(a *acc, q []float64) {
		if p&partResolutionMedian != 0 {
			a.resolutionMedian, q = q[0], q[1:]
		}
		if p&partResolutionP90 != 0 {
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
