package chart

import (
	"math"
	"time"
)

// Columns are bars over time, stacked when there are several series; a series
// may go below the baseline (resolved under opened). With Area the stack is
// drawn as areas.
type Columns struct {
	Head
	Period
	Series []Series
	Area   bool
	Ghost  *Series // comparison drawn behind, wider and pale
	Ref    *Ref
}

// Scene draws the columns.
func (c *Columns) Scene(f Format, width float64) *Scene {
	buckets := c.buckets()
	if len(buckets) == 0 || len(c.Series) == 0 {
		return c.empty(f, width)
	}
	st := c.stackUp(buckets)
	b := newBounds()
	b.take(0)
	for i := range buckets {
		b.take(st.up[i], -st.down[i])
	}
	for i := range c.Series {
		for _, p := range st.values[i] {
			b.take(p.Value) // whole numbers or not
		}
	}
	if c.Ref != nil {
		b.take(c.Ref.Value)
	}
	var ghost []Point
	if c.Ghost != nil {
		ghost = c.values(c.Ghost, buckets)
		for _, p := range ghost {
			b.take(p.Value)
		}
	}
	s := c.scene(width)
	room := 0.0
	if c.Area {
		room = gutter(c.Series, width)
	}
	top := s.addLegend(c.Series, c.Ref, width, room > 0)
	fr := newFrame(f, &c.Period, c.Unit, b, width, room, top)
	s.H = fr.height
	s.add(Group{Hidden: true, Items: fr.under})
	if ghost != nil {
		s.add(Group{Hidden: true, Items: c.ghosts(fr, ghost)})
	}
	if c.Area {
		s.add(Group{Hidden: true, Items: c.areas(fr, st)})
	}
	for i := range buckets {
		s.add(c.column(f, fr, st, i)...)
	}
	if c.Ref != nil && known(c.Ref.Value) {
		s.add(refLine(fr, c.Ref))
	}
	// The baseline over the marks, so that zero is sharp.
	zero := fr.y.at(0)
	s.add(Group{Hidden: true, Items: []Node{Line{X1: fr.left, Y1: zero, X2: fr.right, Y2: zero, Class: "axis"}}})
	s.add(fr.above...)
	if room > 0 {
		s.add(c.areaLabels(fr, st, width))
	}
	if c.Ghost != nil {
		s.add(ghostKey(f, c.Ghost.Label, fr.left, fr.height, width))
		s.H += 22
	}
	return s
}

// stacked is the points of every series by bucket with where each begins.
type stacked struct {
	values   [][]Point   // by series, by bucket
	base     [][]float64 // same shape: where the segment begins, in value
	up, down []float64   // heights of the whole column on either side
}

func (c *Columns) stackUp(buckets []time.Time) *stacked {
	st := &stacked{up: make([]float64, len(buckets)), down: make([]float64, len(buckets))}
	for i := range c.Series {
		values := c.values(&c.Series[i], buckets)
		base := make([]float64, len(buckets))
		side := st.up
		if c.Series[i].Below {
			side = st.down
		}
		for k := range values {
			base[k] = side[k]
			if v := values[k].Value; known(v) && v > 0 {
				side[k] += v
			}
		}
		st.values, st.base = append(st.values, values), append(st.base, base)
	}
	return st
}

// edges gives the positions of a segment's two ends.
func (c *Columns) edges(fr *frame, st *stacked, series, bucket int) (y1, y2 float64) {
	base, v := st.base[series][bucket], st.values[series][bucket].Value
	if !known(v) || v < 0 {
		v = 0
	}
	if c.Series[series].Below {
		return fr.y.at(-base), fr.y.at(-base - v)
	}
	return fr.y.at(base), fr.y.at(base + v)
}

// column draws the segments of one bucket, each a link.
func (c *Columns) column(f Format, fr *frame, st *stacked, k int) []Node {
	t := fr.buckets[k]
	x1, x2 := fr.x.at(t), fr.x.at(c.Grain.next(t))
	if c.Area && x2-x1 < 2 {
		return nil
	}
	gap := math.Min((x2-x1)*0.2, 6)
	if c.Ghost != nil { // the comparison must show on both sides
		gap = (x2 - x1) * 0.4
	}
	name := c.bucketName(f, t)
	var nodes []Node
	for i := range c.Series {
		p := st.values[i][k]
		if !known(p.Value) || p.Value <= 0 {
			continue
		}
		y1, y2 := c.edges(fr, st, i, k)
		y, h := math.Min(y1, y2), math.Abs(y2-y1)
		label := name
		if len(c.Series) > 1 {
			label = f.T("chart.of", "name", name, "part", c.Series[i].Label)
		}
		link := Link{Href: p.Href, Class: "pt", Title: title(f, p.Title, label, c.Unit.write(f, p.Value))}
		switch {
		case c.Area:
			link.Items = []Node{Rect{X: x1, Y: y, W: x2 - x1, H: h, Class: "hit"}}
		default:
			class := "mark seg " + Cat(c.Series[i].Category)
			if c.unfinished(t) {
				class += " partial"
			}
			if len(c.Series) == 1 { // a thin column is chosen over its whole height
				link.Items = append(link.Items, Rect{X: x1, Y: fr.top, W: x2 - x1, H: fr.bottom - fr.top, Class: "hit"})
			}
			link.Items = append(link.Items, Rect{X: x1 + gap/2, Y: y, W: math.Max(x2-x1-gap, 0.5), H: math.Max(h, 0.5), Class: class})
		}
		nodes = append(nodes, link)
	}
	return nodes
}

func (c *Columns) ghosts(fr *frame, values []Point) []Node {
	var nodes []Node
	zero := fr.y.at(0)
	for _, p := range values {
		if !known(p.Value) || p.Value <= 0 {
			continue
		}
		x1, x2 := fr.x.at(p.At), fr.x.at(c.Grain.next(p.At))
		y := fr.y.at(p.Value)
		gap := (x2 - x1) * 0.12
		nodes = append(nodes, Rect{X: x1 + gap/2, Y: y, W: x2 - x1 - gap, H: zero - y, Class: "ghost"})
	}
	return nodes
}

func (c *Columns) areas(fr *frame, st *stacked) []Node {
	var nodes []Node
	for i := range c.Series {
		n := c.begun(fr.buckets)
		if n == 0 {
			continue
		}
		pts := make([]Pt, 0, 2*n)
		for k, t := range fr.buckets[:n] {
			_, y := c.edges(fr, st, i, k)
			pts = append(pts, Pt{X: fr.centre(&c.Period, t), Y: y, Up: k == 0})
		}
		for k := n - 1; k >= 0; k-- {
			y, _ := c.edges(fr, st, i, k)
			pts = append(pts, Pt{X: fr.centre(&c.Period, fr.buckets[k]), Y: y, Close: k == 0})
		}
		nodes = append(nodes, Path{Pts: pts, Class: "mark seg " + Cat(c.Series[i].Category)})
	}
	return nodes
}

func (c *Columns) areaLabels(fr *frame, st *stacked, width float64) Group {
	ys := make([]float64, len(c.Series))
	last := max(c.begun(fr.buckets)-1, 0)
	for i := range c.Series {
		y1, y2 := c.edges(fr, st, i, last)
		ys[i] = (y1 + y2) / 2
	}
	return seriesLabels(c.Series, ys, fr.right, fr.top, fr.bottom, width)
}
