package chart

import (
	"math"
	"slices"
)

// Steps are curves that fall (or climb) by steps along a length or an age,
// with their bands of uncertainty: the share that lasts longer, what a machine
// costs as it ages. Their names stand at their ends where there is room.
type Steps struct {
	Head
	Curves  []Steep
	Across  string // what stands across
	AcrossU Unit   // how it is written
	// Ticks are the places named across, with their words; none lets the chart
	// choose.
	Ticks []StepTick
	From  float64 // across
	To    float64 // across; 0 for the end of the curves
	Top   float64 // the highest value up; 0 lets the chart choose
	Marks []Ref   // upright lines at places across: a target, a rule
	Line  *Ref    // a level
	// Smooth joins the points by straight lines instead of steps.
	Smooth bool
}

// StepTick is a place across and its word.
type StepTick struct {
	At    float64
	Label string
}

// Steep is one curve, in ascending order of X. A value that is not known (None)
// interrupts it.
type Steep struct {
	Label    string
	Category int
	Points   []StepPoint
	Hits     []StepHit // what opens something
}

// StepPoint is where a curve takes a value, with its limits if High > Low.
type StepPoint struct{ X, Y, Low, High float64 }

// StepHit is a place on a curve that opens the incidents behind it.
type StepHit struct {
	X, Y  float64
	Href  string
	Title string
}

// Scene draws the curves.
func (c *Steps) Scene(f Format, width float64) *Scene {
	b := newBounds()
	b.take(0)
	most := c.To
	for _, curve := range c.Curves {
		for _, p := range curve.Points {
			if c.To == 0 {
				most = math.Max(most, p.X)
			}
			if c.To == 0 || p.X <= c.To {
				b.take(p.Y)
				if p.High > p.Low {
					b.take(p.High)
				}
			}
		}
	}
	if !b.any || !(most > c.From) || len(c.Curves) == 0 {
		return c.empty(f, width)
	}
	if c.Top > 0 {
		b.hi = c.Top
	}
	s := c.scene(width)
	series := make([]Series, len(c.Curves))
	for i, curve := range c.Curves {
		series[i] = Series{Label: curve.Label, Category: curve.Category}
	}
	room := gutter(series, width)
	top := s.addLegend(series, c.Line, width, room > 0)
	plot := c.plot(f, b, most, width, room, top+18*math.Min(1, float64(len(c.Marks))))
	s.H = plot.bottom + 40
	s.add(Group{Hidden: true, Items: plot.under})
	ends := make([]float64, len(c.Curves))
	var curves []Node
	for i := len(c.Curves) - 1; i >= 0; i-- { // the first on top
		nodes, end := c.draw(plot, &c.Curves[i])
		curves, ends[i] = append(curves, nodes...), end
	}
	s.add(Group{Hidden: true, Items: curves})
	if c.Line != nil && known(c.Line.Value) {
		y := plot.y.at(c.Line.Value)
		s.add(Group{Hidden: true, Items: []Node{Line{X1: plot.left, Y1: y, X2: plot.right, Y2: y, Class: "ref under"}, Line{X1: plot.left, Y1: y, X2: plot.right, Y2: y, Class: "ref"}}})
	}
	s.add(Group{Hidden: true, Items: c.uprights(plot, width)})
	for i := range c.Curves {
		for _, h := range c.Curves[i].Hits {
			if h.X < c.From || h.X > most || !known(h.Y) {
				continue
			}
			x, y := plot.x.at(h.X), plot.y.at(h.Y)
			text := h.Title
			if text == "" {
				text = title(f, "", c.Curves[i].Label, c.Unit.write(f, h.Y))
			}
			s.add(Link{Href: h.Href, Class: "pt", Title: text, Items: []Node{Circle{X: x, Y: y, R: 8, Class: "hit"}, Circle{X: x, Y: y, R: 4, Class: "dot " + Cat(c.Curves[i].Category)}}})
		}
	}
	if room > 0 {
		s.add(seriesLabels(series, ends, plot.right, plot.top, plot.bottom, width))
	}
	return s
}

// stepPlot is the frame of the curves.
type stepPlot struct {
	x, y                     linear
	left, right, top, bottom float64
	under                    []Node
}

func (c *Steps) plot(f Format, b bounds, most, width, room, top float64) *stepPlot {
	height := 130 + 0.25*width
	up := c.Unit.ticks(0, b.hi, int(math.Max(3, height/48)), b.whole)
	for k := range up {
		up[k] = math.Round(up[k]*1e9) / 1e9 // 3 × 0.2 is 0.6, without decimals
	}
	write, labels := c.Unit.writer(f, up), 0.0
	for _, v := range up {
		labels = math.Max(labels, textWidth(write(v), textSmall))
	}
	p := &stepPlot{left: math.Ceil(labels) + 8, right: width - math.Max(room, 12), top: top + 8}
	p.bottom = p.top + height
	p.x, p.y = linear{c.From, most, p.left, p.right}, linear{up[0], up[len(up)-1], p.bottom, p.top}
	for _, v := range up {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		p.under = append(p.under, Line{X1: p.left, Y1: p.y.at(v), X2: p.right, Y2: p.y.at(v), Class: class},
			Text{X: p.left - 6, Y: p.y.at(v) + 4, S: write(v), Anchor: End, Class: textSmall + " tick"})
	}
	across := slices.Clone(c.Ticks)
	if len(across) == 0 {
		list := c.AcrossU.ticks(c.From, most, int(math.Max(3, width/90)), c.AcrossU == Number)
		word := c.AcrossU.writer(f, list)
		for _, v := range list {
			across = append(across, StepTick{v, word(v)})
		}
	}
	free := math.Inf(-1) // where the next word may begin
	for _, t := range across {
		if t.At < c.From || t.At > most {
			continue
		}
		x := p.x.at(t.At)
		p.under = append(p.under, Line{X1: x, Y1: p.bottom, X2: x, Y2: p.bottom + 5, Class: "axis"})
		half := textWidth(t.Label, textSmall) / 2
		if x-half < free || x+half > width {
			continue
		}
		free = x + half + 8
		p.under = append(p.under, Text{X: x, Y: p.bottom + 18, S: t.Label, Anchor: Middle, Class: textSmall + " tick"})
	}
	p.under = append(p.under, Text{X: p.right, Y: p.bottom + 35, S: fit(c.Across, width-8, textSmall), Anchor: End, Class: textSmall + " muted"})
	return p
}

// uprights are the lines at places across, with their words above the plot.
func (c *Steps) uprights(p *stepPlot, width float64) []Node {
	var nodes []Node
	for _, m := range c.Marks {
		if m.Value < p.x.lo || m.Value > p.x.hi {
			continue
		}
		x := p.x.at(m.Value)
		nodes = append(nodes, Line{X1: x, Y1: p.top, X2: x, Y2: p.bottom, Class: "ref under"}, Line{X1: x, Y1: p.top, X2: x, Y2: p.bottom, Class: "ref"})
		word := fit(m.Label, width-16, textSmall)
		half := textWidth(word, textSmall) / 2
		nodes = append(nodes, Text{X: math.Min(math.Max(x, half+2), width-half-2), Y: p.top - 6, S: word, Anchor: Middle, Class: textSmall + " ref-t halo"})
	}
	return nodes
}

// draw gives a curve's band and line, and the height of its end.
func (c *Steps) draw(p *stepPlot, curve *Steep) ([]Node, float64) {
	var line, upper, lower []Pt
	var nodes []Node
	end, up := p.y.at(0), true
	var last StepPoint
	banded := false
	flush := func() {
		if len(upper) > 1 {
			for _, q := range slices.Backward(lower) {
				upper = append(upper, q)
			}
			upper[len(upper)-1].Close = true
			nodes = append(nodes, Path{Pts: upper, Class: "band " + Cat(curve.Category)})
		}
		upper, lower, banded = nil, nil, false
	}
	for _, q := range curve.Points {
		if q.X > p.x.hi {
			if !up && !c.Smooth {
				q = StepPoint{X: p.x.hi, Y: last.Y, Low: last.Low, High: last.High}
			} else {
				break
			}
		}
		if !known(q.Y) {
			flush()
			up = true
			continue
		}
		x, y := p.x.at(q.X), p.y.at(q.Y)
		if !up && !c.Smooth {
			line = append(line, Pt{X: x, Y: p.y.at(last.Y)})
		}
		line = append(line, Pt{X: x, Y: y, Up: up})
		switch {
		case q.High > q.Low && known(q.Low) && known(q.High):
			if banded && !c.Smooth {
				upper = append(upper, Pt{X: x, Y: p.y.at(last.High)})
				lower = append(lower, Pt{X: x, Y: p.y.at(last.Low)})
			}
			upper = append(upper, Pt{X: x, Y: p.y.at(q.High), Up: !banded})
			lower = append(lower, Pt{X: x, Y: p.y.at(q.Low)})
			banded = true
		default:
			flush()
		}
		last, up, end = q, false, y
		if q.X >= p.x.hi {
			break
		}
	}
	flush()
	if len(line) > 1 {
		nodes = append(nodes, Path{Pts: line, Class: lineClass(curve.Category)})
	}
	return nodes, end
}
