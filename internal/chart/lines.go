package chart

import (
	"math"
	"slices"
	"time"
)

// Lines are curves over time from a zero baseline, with their names at their
// ends, bands of uncertainty, holidays shaded and annotations.
type Lines struct {
	Head
	Period
	Series []Series
	// Ghost is a comparison behind (the year before, set on this year's
	// dates); its Label names it. Nil for none.
	Ghost *Series
	Ref   *Ref
}

// Scene draws the lines.
func (c *Lines) Scene(f Format, width float64) *Scene {
	buckets := c.buckets()
	if len(buckets) == 0 || len(c.Series) == 0 {
		return c.empty(f, width)
	}
	all := c.Series
	if c.Ghost != nil {
		ghost := *c.Ghost
		ghost.Category = ghostCategory
		all = append(append([]Series(nil), c.Series...), ghost)
	}
	values := make([][]Point, len(all))
	b := newBounds()
	b.take(0)
	for i := range all {
		values[i] = c.values(&all[i], buckets)
		for _, p := range values[i] {
			b.take(p.Value)
			if p.High > p.Low {
				b.take(p.Low, p.High)
			}
		}
	}
	if c.Ref != nil {
		b.take(c.Ref.Value)
	}
	s := c.scene(width)
	room := gutter(all, width)
	top := s.addLegend(all, c.Ref, width, room > 0)
	fr := newFrame(f, &c.Period, c.Unit, b, width, room, top)
	s.H = fr.height
	s.add(Group{Hidden: true, Items: fr.under})
	ends := make([]float64, len(all))
	var curves []Node
	for i := len(all) - 1; i >= 0; i-- { // the first series on top
		nodes, end := c.curve(fr, values[i], all[i].Category)
		curves = append(curves, nodes...)
		ends[i] = end
	}
	s.add(Group{Hidden: true, Items: curves})
	if c.Ref != nil && known(c.Ref.Value) {
		s.add(refLine(fr, c.Ref))
	}
	for i := range c.Series {
		s.add(c.marks(f, fr, &c.Series[i], values[i])...)
	}
	s.add(fr.above...)
	if room > 0 {
		s.add(seriesLabels(all, ends, fr.right, fr.top, fr.bottom, width))
	}
	return s
}

func (fr *frame) centre(p *Period, t time.Time) float64 {
	return (fr.x.at(t) + fr.x.at(p.Grain.next(t))) / 2
}

// curve draws the band and the line of one series; the step to an unfinished
// bucket is dashed. It gives the height of the last known point.
func (c *Lines) curve(fr *frame, values []Point, category int) ([]Node, float64) {
	var line, dashed, upper, lower []Pt
	end := fr.y.at(0)
	up, banded := true, false
	var nodes []Node
	flush := func() {
		if banded {
			for _, p := range slices.Backward(lower) {
				upper = append(upper, p)
			}
			upper[len(upper)-1].Close = true
			nodes = append(nodes, Path{Pts: upper, Class: "band " + Cat(category)})
		}
		upper, lower, banded = nil, nil, false
	}
	for i, p := range values {
		x := fr.centre(&c.Period, p.At)
		if p.High > p.Low {
			banded = true
			upper = append(upper, Pt{X: x, Y: fr.y.at(p.High), Up: len(upper) == 0})
			lower = append(lower, Pt{X: x, Y: fr.y.at(p.Low)})
		} else {
			flush()
		}
		if !known(p.Value) {
			up = true
			continue
		}
		y := fr.y.at(p.Value)
		end = y
		switch {
		case c.unfinished(p.At) && !up && i > 0:
			dashed = append(dashed,
				Pt{X: fr.centre(&c.Period, values[i-1].At), Y: fr.y.at(values[i-1].Value), Up: true}, Pt{X: x, Y: y})
		default:
			line = append(line, Pt{X: x, Y: y, Up: up})
		}
		up = false
	}
	flush()
	class := lineClass(category)
	if len(line) > 0 {
		nodes = append(nodes, Path{Pts: line, Class: class})
	}
	if len(dashed) > 0 {
		nodes = append(nodes, Path{Pts: dashed, Class: class + " partial"})
	}
	return nodes, end
}

// marks are the points as links: the whole column of a bucket when there is
// one series, a disc when there are several. Where buckets are closer than two
// units no hand could choose one, and the table twin serves.
func (c *Lines) marks(f Format, fr *frame, s *Series, values []Point) []Node {
	if (fr.right-fr.left)/float64(len(values)) < 2 {
		return nil
	}
	nodes := make([]Node, 0, len(values))
	for _, p := range values {
		if !known(p.Value) || p.Href == "" && p.Title == "" && p.Value == 0 {
			continue
		}
		x1, x2 := fr.x.at(p.At), fr.x.at(c.Grain.next(p.At))
		x, y := (x1+x2)/2, fr.y.at(p.Value)
		var hit Node = Rect{X: x1, Y: fr.top, W: x2 - x1, H: fr.bottom - fr.top, Class: "hit"}
		if len(c.Series) > 1 {
			hit = Circle{X: x, Y: y, R: math.Max(4, math.Min(8, (x2-x1)*0.6)), Class: "hit"}
		}
		name := c.bucketName(f, p.At)
		if len(c.Series) > 1 {
			name = f.T("chart.of", "name", name, "part", s.Label)
		}
		text := title(f, p.Title, name, c.Unit.write(f, p.Value))
		if p.Title == "" && p.High > p.Low {
			text = f.T("chart.interval", "text", text, "low", c.Unit.write(f, p.Low), "high", c.Unit.write(f, p.High))
		}
		nodes = append(nodes, Link{Href: p.Href, Class: "pt", Title: text, Items: []Node{
			hit, Circle{X: x, Y: y, R: 4, Class: "dot " + Cat(s.Category)},
		}})
	}
	return nodes
}

// refLine is the reference across the plot; the legend names it.
func refLine(fr *frame, r *Ref) Group {
	y := fr.y.at(r.Value)
	return Group{Hidden: true, Items: []Node{
		Line{X1: fr.left, Y1: y, X2: fr.right, Y2: y, Class: "ref under"},
		Line{X1: fr.left, Y1: y, X2: fr.right, Y2: y, Class: "ref"},
	}}
}
