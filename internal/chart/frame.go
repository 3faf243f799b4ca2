package chart

import (
	"math"
	"slices"
	"time"
)

// frame is the plot of a chart over time: its axes, what stands behind and
// above the marks.
type frame struct {
	x            timeAxis
	y            linear
	buckets      []time.Time
	left, right  float64
	top, bottom  float64
	height       float64 // of the whole scene
	under, above []Node
}

// newFrame lays out the plot: gutter for the figures on the left, room for
// labels of series on the right, annotations on top, dates below.
func newFrame(f Format, p *Period, u Unit, b bounds, width, gutter, top float64) *frame {
	fr := &frame{buckets: p.buckets()}
	h := 100 + 0.22*width
	lo, hi := math.Min(b.lo, 0), math.Max(b.hi, 0)
	ticks := u.ticks(lo, hi, int(math.Max(3, h/48)), b.whole)
	labels, write := 0.0, u.writer(f, ticks)
	for _, v := range ticks {
		labels = math.Max(labels, textWidth(write(math.Abs(v)), textSmall))
	}
	fr.left, fr.right = math.Ceil(labels)+8, width-math.Max(gutter, 4)
	fr.x = p.axis(fr.buckets, fr.left, fr.right)
	notes, rows := fr.notes(p, width)
	fr.top = top + 8 + float64(rows)*17
	fr.bottom = fr.top + h
	fr.y = linear{ticks[0], ticks[len(ticks)-1], fr.bottom, fr.top}
	fr.shades(p)
	for _, v := range ticks {
		y := fr.y.at(v)
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		fr.under = append(fr.under,
			Line{X1: fr.left, Y1: y, X2: fr.right, Y2: y, Class: class},
			Text{X: fr.left - 6, Y: y + 4, S: write(math.Abs(v)), Anchor: End, Class: textSmall + " tick"})
	}
	years := false
	for _, t := range p.ticks(f, fr.buckets, &fr.x) {
		if t.anchor == Start {
			fr.under = append(fr.under, Line{X1: t.x, Y1: fr.bottom, X2: t.x, Y2: fr.bottom + 5, Class: "axis"})
		}
		if t.text != "" {
			fr.under = append(fr.under, Text{X: t.x, Y: fr.bottom + 17, S: t.text, Anchor: t.anchor, Class: textSmall + " tick"})
		}
		if t.year != "" {
			years = true
			fr.under = append(fr.under, Text{X: t.x, Y: fr.bottom + 32, S: t.year, Anchor: t.anchor, Class: textSmall + " tick muted"})
		}
	}
	fr.height = fr.bottom + 22
	if years {
		fr.height += 15
	}
	// Annotations hang from their labels down to the dates.
	for i, n := range notes {
		y := top + 12 + float64(n.row)*17
		x := fr.x.at(p.Notes[i].At)
		fr.above = append(fr.above, Link{Href: p.Notes[i].Href, Title: p.Notes[i].Label, Class: "note", Items: []Node{
			Line{X1: x, Y1: y + 4, X2: x, Y2: fr.bottom, Class: "note-l"},
			Text{X: n.x, Y: y, S: n.text, Anchor: n.anchor, Class: textSmall + " note-t"},
		}})
	}
	return fr
}

// placed is where the label of an annotation stands: in a row, over from…to.
type placed struct {
	x, from, to float64
	line        float64 // where its line hangs
	row         int
	anchor      Anchor
	text        string
}

// notes places labels in rows above the plot so that none touches another nor
// is crossed by the line that hangs from another.
func (fr *frame) notes(p *Period, width float64) ([]placed, int) {
	out := make([]placed, 0, len(p.Notes))
	rows := 0
	for _, n := range p.Notes {
		x := fr.x.at(n.At)
		pl := placed{x: x - 3, line: x, anchor: Start}
		room := width - pl.x
		if room < 90 && x > width/2 { // no room on the right: on the left of its line
			room = math.Min(x+3, width)
			pl.x, pl.anchor = room, End
		}
		pl.text = fit(n.Label, math.Min(room, 260), textSmall)
		w := textWidth(pl.text, textSmall)
		pl.from, pl.to = pl.x, pl.x+w
		if pl.anchor == End {
			pl.from, pl.to = pl.x-w, pl.x
		}
		for pl.row < rows && slices.ContainsFunc(out, pl.meets) {
			pl.row++
		}
		rows = max(rows, pl.row+1)
		out = append(out, pl)
	}
	return out, rows
}

// meets tells whether two labels touch, or the line of one crosses the other.
func (a placed) meets(b placed) bool {
	crosses := func(upper, lower placed) bool {
		return upper.row < lower.row && lower.from-2 < upper.line && upper.line < lower.to+2
	}
	return a.row == b.row && a.from < b.to+8 && b.from-8 < a.to || crosses(a, b) || crosses(b, a)
}

func (fr *frame) shades(p *Period) {
	edge := math.Inf(-1)
	for _, s := range p.Shades {
		x1, x2 := fr.x.at(s.From), fr.x.at(s.To)
		if x2-x1 < 0.5 {
			continue
		}
		fr.under = append(fr.under, Link{Title: s.Label, Items: []Node{Rect{X: x1, Y: fr.top, W: x2 - x1, H: fr.bottom - fr.top, Class: "shade"}}})
		if w := textWidth(s.Label, textSmall); s.Label != "" && w+4 <= x2-x1 && x1 > edge {
			fr.under = append(fr.under, Text{X: (x1 + x2) / 2, Y: fr.top + 13, S: s.Label, Anchor: Middle, Class: textSmall + " shade-t"})
			edge = x2
		}
	}
}

// seriesLabels stands names at the ends of lines, apart from each other, with a
// stroke of their colour. ys are the heights of the ends.
func seriesLabels(series []Series, ys []float64, x, top, bottom, width float64) Group {
	const line = 16
	g := Group{Class: "legend", Hidden: true}
	n := len(ys)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i := 1; i < n; i++ {
		for j := i; j > 0 && ys[order[j]] < ys[order[j-1]]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	// Push down from the top, then up from the bottom.
	at := make([]float64, n)
	edge := top
	for _, i := range order {
		at[i] = math.Max(ys[i], edge)
		edge = at[i] + line
	}
	edge = bottom
	for k := n - 1; k >= 0; k-- {
		i := order[k]
		at[i] = math.Min(at[i], edge)
		edge = at[i] - line
	}
	for _, i := range order {
		g.Items = append(g.Items,
			Line{X1: x + 5, Y1: at[i], X2: x + 15, Y2: at[i], Class: lineClass(series[i].Category)},
			Text{X: x + 19, Y: at[i] + 4.5, S: fit(series[i].Label, width-x-19, textLabel), Class: textLabel})
	}
	return g
}

// gutter is the room that names at the ends of lines take; 0 when the chart is
// too narrow or has one series, whose name is the title's.
func gutter(series []Series, width float64) float64 {
	if width < narrowAt || len(series) < 2 {
		return 0
	}
	w := 0.0
	for _, s := range series {
		w = math.Max(w, textWidth(s.Label, textLabel))
	}
	return math.Min(w+20, width*0.28)
}

// addLegend names the series and the reference above the plot, and gives its
// height; names that stand at the ends of lines are not repeated.
func (s *Scene) addLegend(series []Series, ref *Ref, width float64, named bool) float64 {
	var list []Part
	if len(series) > 1 && !named {
		list = parts(series)
	}
	legend, h := legendRow(list, ref, width)
	if h > 0 {
		s.add(legend)
	}
	return h
}

func parts(series []Series) []Part {
	out := make([]Part, len(series))
	for i, s := range series {
		out[i] = Part{s.Label, s.Category}
	}
	return out
}

func lineClass(category int) string {
	if category == ghostCategory {
		return "line ghost-l"
	}
	return "line " + Cat(category)
}
