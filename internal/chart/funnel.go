package chart

import (
	"math"
	"slices"
)

// Funnel compares units of different sizes: what is expected of each across,
// its ratio to that up, and the limits between which units of one level stay,
// which close as more is expected.
type Funnel struct {
	Head
	Points []FunnelPoint
	Limits []FunnelLimit // inner ones first
	Target Ref           // the level of all, 1
	Across string        // what stands across
	// From and To are the least and most that is expected of any unit, also of
	// those that are not drawn; 0 for those drawn.
	From, To float64
}

// FunnelPoint is one unit.
type FunnelPoint struct {
	Label string
	X, Y  float64
	Out   bool // beyond the outer limits: it is named, and its mark has another shape
	State State
	Href  string
	Title string
}

// FunnelLine is how a pair of limits is drawn.
type FunnelLine string

// The lines, told apart without colour.
const (
	ByChance FunnelLine = "line ghost-l"         // thin, in dashes: what chance alone would do
	Inner    FunnelLine = "line c-other partial" // in dots: what some units leave by chance
	Outer    FunnelLine = "line c-other"         // what one looks into
)

// FunnelLimit is a pair of curves.
type FunnelLimit struct {
	Label string
	Line  FunnelLine
	// Low and High are the curves' values at an expected count.
	Low, High func(expected float64) float64
}

// funnelSteps is how many points a curve has.
const funnelSteps = 48

// Scene draws the funnel.
func (c *Funnel) Scene(f Format, width float64) *Scene {
	if len(c.Points) == 0 {
		return c.empty(f, width)
	}
	s := c.scene(width)
	least, most, high := math.Inf(1), 0.0, c.Target.Value
	for _, p := range c.Points {
		least, most, high = math.Min(least, p.X), math.Max(most, p.X), math.Max(high, p.Y)
	}
	if c.To > 0 {
		least, most = math.Min(least, c.From), math.Max(most, c.To)
	}
	for _, l := range c.Limits {
		if l.Line == Outer {
			high = math.Max(high, math.Min(l.High(least), 2*high))
		}
	}
	legend, top := c.legend(width)
	if top > 0 {
		s.add(legend)
		top += 4
	}
	height := 150 + 0.3*width
	ticks := c.Unit.ticks(0, high, int(math.Max(3, height/48)), false)
	write := c.Unit.writer(f, ticks)
	left := 0.0
	for _, v := range ticks {
		left = math.Max(left, textWidth(write(v), textSmall))
	}
	left = math.Ceil(left) + 8
	right, bottom := width-8, top+8+height
	x := linear{0, most * 1.04, left, right}
	y := linear{0, ticks[len(ticks)-1], bottom, top + 8}
	var under []Node
	for _, v := range ticks {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		under = append(under, Line{X1: left, Y1: y.at(v), X2: right, Y2: y.at(v), Class: class},
			Text{X: left - 6, Y: y.at(v) + 4, S: write(v), Anchor: End, Class: textSmall + " tick"})
	}
	across := Number.ticks(0, most, int(math.Max(3, width/90)), true)
	for _, v := range across {
		if v > most*1.04 {
			continue
		}
		under = append(under, Line{X1: x.at(v), Y1: bottom, X2: x.at(v), Y2: bottom + 5, Class: "axis"},
			Text{X: x.at(v), Y: bottom + 18, S: Number.write(f, v), Anchor: Middle, Class: textSmall + " tick"})
	}
	under = append(under, Text{X: right, Y: bottom + 34, S: fit(c.Across, width-8, textSmall), Anchor: End, Class: textSmall + " muted"})
	from := math.Max(least*0.8, most/500)
	for _, l := range c.Limits {
		for _, curve := range []func(float64) float64{l.Low, l.High} {
			under = append(under, Path{Pts: funnelCurve(curve, from, most*1.04, x, y), Class: string(l.Line)})
		}
	}
	under = append(under, Path{Pts: []Pt{{X: left, Y: y.at(c.Target.Value), Up: true}, {X: right, Y: y.at(c.Target.Value)}}, Class: "ref"})
	s.add(Group{Hidden: true, Items: under})
	// Those that are out come last, over the others.
	order := make([]int, len(c.Points))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(c.Points[a].order() - c.Points[b].order()) })
	for _, k := range order {
		s.add(c.mark(f, &c.Points[k], x.at(c.Points[k].X), y.at(c.Points[k].Y)))
	}
	s.add(c.names(x, y, left, right))
	s.H = bottom + 40
	return s
}

func (p *FunnelPoint) order() uint8 {
	if p.Out {
		return 1
	}
	return 0
}

// mark is a disc, or a diamond for what is out: not by colour alone.
func (c *Funnel) mark(f Format, p *FunnelPoint, x, y float64) Node {
	const r = 5.0
	shape := Node(Circle{X: x, Y: y, R: r, Class: "mark disc " + Cat(0)})
	if p.Out {
		shape = Path{Pts: []Pt{{X: x, Y: y - r - 2, Up: true}, {X: x + r + 2, Y: y}, {X: x, Y: y + r + 2}, {X: x - r - 2, Y: y, Close: true}}, Class: "mark disc " + Cat(2)}
	}
	return Link{Href: p.Href, State: p.State, Title: title(f, p.Title, p.Label, c.Unit.write(f, p.Y)), Items: []Node{
		Circle{X: x, Y: y, R: 11, Class: "hit"}, shape,
	}}
}

// names writes the names of those that are out where they meet no other name.
func (c *Funnel) names(x, y linear, left, right float64) Group {
	type box struct{ x1, x2, y float64 }
	var taken []box
	g := Group{Hidden: true}
	out := slices.Clone(c.Points)
	slices.SortStableFunc(out, func(a, b FunnelPoint) int {
		switch far := math.Abs(b.Y-c.Target.Value) - math.Abs(a.Y-c.Target.Value); {
		case far > 0:
			return 1
		case far < 0:
			return -1
		}
		return 0
	})
	for k := range out {
		p := &out[k]
		if !p.Out {
			continue
		}
		text := fit(p.Label, (right-left)*0.6, textSmall)
		w := textWidth(text, textSmall)
		px, py, anchor := x.at(p.X)+10, y.at(p.Y)+4, Start
		b := box{px, px + w, py}
		if b.x2 > right {
			px, anchor = x.at(p.X)-10, End
			b = box{px - w, px, py}
		}
		if b.x1 < left || slices.ContainsFunc(taken, func(o box) bool { return o.x1 < b.x2 && b.x1 < o.x2 && math.Abs(o.y-b.y) < 14 }) {
			continue
		}
		taken = append(taken, b)
		g.Items = append(g.Items, Text{X: px, Y: py, S: text, Anchor: anchor, Class: textSmall + " halo"})
	}
	return g
}

// legend names the limits and the target.
func (c *Funnel) legend(width float64) (Group, float64) {
	g := Group{Hidden: true}
	x, row := 0.0, 0.0
	key := func(class, label string) {
		text := fit(label, width-34, textSmall)
		w := 34 + textWidth(text, textSmall)
		if x > 0 && x+w > width {
			x, row = 0, row+18
		}
		g.Items = append(g.Items, Path{Pts: []Pt{{X: x, Y: row + 9, Up: true}, {X: x + 22, Y: row + 9}}, Class: class}, Text{X: x + 28, Y: row + 13, S: text, Class: textSmall})
		x += w + 12
	}
	for _, l := range c.Limits {
		key(string(l.Line), l.Label)
	}
	if c.Target.Label != "" {
		key("ref", c.Target.Label)
	}
	if len(g.Items) == 0 {
		return g, 0
	}
	return g, row + 18
}

// funnelCurve follows a limit, closer where it bends.
func funnelCurve(limit func(float64) float64, from, to float64, x, y linear) []Pt {
	var pts []Pt
	for k := range funnelSteps + 1 {
		share := float64(k) / funnelSteps
		e := from + (to-from)*share*share
		pts = append(pts, Pt{X: x.at(e), Y: y.at(limit(e)), Up: k == 0})
	}
	return pts
}
