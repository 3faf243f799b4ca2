package chart

import (
	"math"
	"strconv"
	"time"
)

// Grain is the length of a time bucket.
type Grain uint8

// The grains. Weeks begin on Monday.
const (
	Day Grain = iota
	Week
	Month
	Year
)

// Period is the time that a chart covers. Instants are read in the zone that
// they carry: give them all in the reader's.
type Period struct {
	From, To time.Time // To is excluded
	Grain    Grain
	Until    time.Time // when data ends; its bucket is drawn as unfinished. Zero: nothing is unfinished
	Shades   []Shade   // school holidays
	Notes    []Note
}

// Shade is a stretch of time shaded behind the marks.
type Shade struct {
	From, To time.Time // To is excluded
	Label    string
}

// Note is an annotation on its date.
type Note struct {
	At    time.Time
	Label string
	Href  string
}

// Point is a value of a bucket.
type Point struct {
	At    time.Time // in the bucket
	Value float64   // NaN when not known
	Low   float64   // band, drawn when High > Low
	High  float64
	Href  string
	Title string
}

// Series is a named run of points in time order.
type Series struct {
	Label    string
	Category int
	Points   []Point
	// Gaps leaves a hole where a bucket has no point; otherwise it counts 0.
	Gaps bool
	// Below draws the series under the baseline (Columns only).
	Below bool
}

// start is the first instant of the bucket that holds t.
func (g Grain) start(t time.Time) time.Time {
	y, m, d := t.Date()
	switch g {
	case Week:
		d -= (int(t.Weekday()) + 6) % 7
	case Month:
		d = 1
	case Year:
		m, d = time.January, 1
	case Day:
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

func (g Grain) next(t time.Time) time.Time {
	switch g {
	case Week:
		return t.AddDate(0, 0, 7)
	case Month:
		return t.AddDate(0, 1, 0)
	case Year:
		return t.AddDate(1, 0, 0)
	case Day:
	}
	return t.AddDate(0, 0, 1)
}

// days is about how many days a bucket has.
func (g Grain) days() int { return [...]int{1, 7, 30, 365}[min(g, Year)] }

// name says which bucket it is.
func (g Grain) name(f Format, t time.Time) string {
	switch g {
	case Week:
		return f.T("chart.week", "date", f.MediumDate(t))
	case Month:
		return f.MonthYear(t)
	case Year:
		return strconv.Itoa(t.Year())
	case Day:
	}
	return f.MediumDate(t)
}

// maxBuckets bounds what one chart draws; beyond, the grain is too fine.
const maxBuckets = 4000

// buckets are the starts of every bucket of the period: time has no holes.
func (p *Period) buckets() []time.Time {
	var out []time.Time
	for t := p.Grain.start(p.From); t.Before(p.To) && len(out) < maxBuckets; t = p.Grain.next(t) {
		out = append(out, t)
	}
	return out
}

// unfinished tells whether the bucket that begins at t is not over.
func (p *Period) unfinished(t time.Time) bool {
	return !p.Until.IsZero() && p.Grain.next(t).After(p.Until)
}

func (p *Period) bucketName(f Format, t time.Time) string {
	name := p.Grain.name(f, t)
	if p.unfinished(t) {
		return f.T("chart.unfinished", "bucket", name)
	}
	return name
}

// begun counts the buckets that data reaches.
func (p *Period) begun(buckets []time.Time) int {
	n := len(buckets)
	for !p.Until.IsZero() && n > 0 && buckets[n-1].After(p.Until) {
		n--
	}
	return n
}

// values sets the points of a series in the buckets. Points outside are left
// out; of two in one bucket the last stands.
func (p *Period) values(s *Series, buckets []time.Time) []Point {
	out := make([]Point, len(buckets))
	index := make(map[int]int, len(buckets))
	for i, t := range buckets {
		out[i] = Point{At: t}
		if s.Gaps || !p.Until.IsZero() && t.After(p.Until) {
			out[i].Value = math.NaN()
		}
		index[civilDay(t)] = i
	}
	for _, pt := range s.Points {
		if i, ok := index[civilDay(p.Grain.start(pt.At))]; ok {
			at := out[i].At
			out[i] = pt
			out[i].At = at
		}
	}
	return out
}

// civilDay numbers days by their date, so that a day of 23 or 25 hours is one.
func civilDay(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// timeAxis maps instants to positions. Days are equal, save for weekends, which
// are narrow where days are drawn one by one.
type timeAxis struct {
	first    int       // civil day of the first bucket
	sums     []float64 // sums[i] is the weight of the days before first+i
	from, to float64
}

const weekendWeight = 0.5

func (p *Period) axis(buckets []time.Time, from, to float64) timeAxis {
	a := timeAxis{from: from, to: to}
	if len(buckets) == 0 {
		a.sums = []float64{0, 1}
		return a
	}
	a.first = civilDay(buckets[0])
	days := civilDay(p.Grain.next(buckets[len(buckets)-1])) - a.first
	narrow := p.Grain == Day && days <= 120
	a.sums = make([]float64, days+1)
	for i := range days {
		w := 1.0
		if narrow && (a.first+i+3)%7 >= 5 { // 1970-01-01 was a Thursday
			w = weekendWeight
		}
		a.sums[i+1] = a.sums[i] + w
	}
	return a
}

// at is the position of an instant, held within the axis.
func (a *timeAxis) at(t time.Time) float64 {
	days := len(a.sums) - 1
	i := civilDay(t) - a.first
	if i < 0 {
		return a.from
	}
	if i >= days {
		return a.to
	}
	h, m, _ := t.Clock()
	share := (float64(h) + float64(m)/60) / 24
	w := a.sums[i] + (a.sums[i+1]-a.sums[i])*share
	return a.from + w/a.sums[days]*(a.to-a.from)
}

// timeTick is a labelled instant.
type timeTick struct {
	x      float64
	text   string
	anchor Anchor
	year   string // second line, at the first tick of each year
}

// ticks chooses the finest step whose labels do not touch: days, Mondays,
// months (from September), years.
func (p *Period) ticks(f Format, buckets []time.Time, a *timeAxis) []timeTick {
	if len(buckets) == 0 {
		return nil
	}
	first, last := buckets[0], buckets[len(buckets)-1]
	centred := p.Grain == Month || p.Grain == Year
	type level struct {
		grain Grain
		every int
	}
	levels := []level{{Day, 1}, {Week, 1}, {Week, 2}, {Month, 1}, {Month, 2}, {Month, 3}, {Month, 6}, {Year, 1}, {Year, 2}, {Year, 5}, {Year, 10}, {Year, 20}}
	for _, l := range levels {
		if l.grain < p.Grain || float64(len(a.sums))/float64(l.grain.days()*l.every) > (a.to-a.from)/15 {
			continue // no label is as narrow
		}
		var out []timeTick
		n, lastYear := 0, 0
		t := l.grain.start(first)
		if t.Before(first) {
			t = l.grain.next(t)
		}
		for ; !t.After(last); t = l.grain.next(t) {
			if !onStep(t, l.grain, l.every, n) {
				n++
				continue
			}
			n++
			tick := timeTick{x: a.at(t), anchor: Start}
			if centred || p.Grain == Day && l.grain == Day {
				tick.x, tick.anchor = (a.at(t)+a.at(p.Grain.next(t)))/2, Middle
			}
			switch l.grain {
			case Year:
				tick.text = strconv.Itoa(t.Year())
			case Month:
				tick.text = f.ShortMonth(t.Month())
			case Day, Week:
				tick.text = strconv.Itoa(t.Day()) + "\u00a0" + f.ShortMonth(t.Month())
			}
			if l.grain != Year && t.Year() != lastYear {
				tick.year = strconv.Itoa(t.Year())
				lastYear = t.Year()
			}
			out = append(out, tick)
			if len(out) > 400 {
				break
			}
		}
		if fits(out, a) {
			return out
		}
	}
	return nil
}

func onStep(t time.Time, g Grain, every, n int) bool {
	switch g {
	case Month:
		return (int(t.Month())+3)%every == 0 // September is on every step
	case Year:
		return t.Year()%every == 0
	case Day, Week:
	}
	return n%every == 0
}

// fits tells whether labels stand apart; it moves or empties one that would
// pass the right end.
func fits(ticks []timeTick, a *timeAxis) bool {
	if len(ticks) == 0 {
		return false
	}
	edge := math.Inf(-1)
	for i := range ticks {
		t := &ticks[i]
		w := math.Max(textWidth(t.text, textSmall), textWidth(t.year, textSmall))
		end := a.to + 4 // the scene ends there at least
		if t.anchor == Middle {
			t.x = math.Max(w/2, math.Min(t.x, end-w/2))
		}
		left := t.x
		switch {
		case t.anchor == Middle:
			left -= w / 2
		case left+w > end && i == 0:
			t.x = end - w
			left = t.x
		case left+w > end:
			t.text, t.year = "", ""
			continue
		}
		if left < edge+8 {
			return false
		}
		edge = left + w
	}
	return true
}
