package chart

import (
	"math"
	"slices"
	"strconv"
)

// XY is a position on the plane of a map: any unit, y downwards.
type XY struct{ X, Y float64 }

// Places are discs on a map: their area is the value, their shade the
// intensity, the names of the largest beside them.
type Places struct {
	Head
	Outline [][]XY // closed rings
	Areas   []Area // drawn under the discs
	Items   []Place
	// SizeLabel says what areas are ("incidents"), ShadeLabel what shades are
	// ("pour 100 ordinateurs"); an empty ShadeLabel means one colour.
	SizeLabel  string
	ShadeLabel string
	ShadeUnit  Unit
}

// Area is a round part of the map that is out of the ordinary.
type Area struct {
	At     XY
	Radius float64 // in the units of the plane
}

// Place is one disc.
type Place struct {
	Label string
	At    XY
	Value float64 // area
	Shade float64 // intensity
	Href  string
	Title string
	State State
}

// Scene draws the map.
func (c *Places) Scene(f Format, width float64) *Scene {
	if len(c.Items) == 0 && len(c.Outline) == 0 {
		return c.empty(f, width)
	}
	s := c.scene(width)
	place, scale, height := c.project(width)
	var rings []Pt
	for _, ring := range c.Outline {
		for i, p := range ring {
			q := place(p)
			rings = append(rings, Pt{X: q.X, Y: q.Y, Up: i == 0, Close: i == len(ring)-1})
		}
	}
	if len(rings) > 0 {
		s.add(Group{Hidden: true, Items: []Node{Path{Pts: rings, Class: "land"}}})
	}
	for _, a := range c.Areas {
		q := place(a.At)
		s.add(Group{Hidden: true, Items: []Node{Circle{X: q.X, Y: q.Y, R: math.Max(a.Radius*scale, 12), Class: "area"}}})
	}
	values, intensities := newBounds(), newBounds()
	for _, p := range c.Items {
		values.take(p.Value)
		intensities.take(p.Shade)
	}
	largest := math.Max(10, math.Min(width*0.045, 30))
	radius := func(v float64) float64 {
		if !known(v) || v <= 0 || values.hi <= 0 {
			return 2.5
		}
		return math.Max(3, math.Sqrt(v/values.hi)*largest)
	}
	cl := classes(c.ShadeUnit, intensities)
	// The largest first, so that none hides a smaller one.
	order := make([]int, len(c.Items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return compareDown(radius(c.Items[a].Value), radius(c.Items[b].Value))
	})
	discs := make([]Circle, len(order))
	for k, i := range order {
		q := place(c.Items[i].At)
		r := radius(c.Items[i].Value)
		// A place out of the map stands on its edge rather than out of sight.
		x, y := math.Max(r, math.Min(q.X, width-r)), math.Max(r, math.Min(q.Y, height-r))
		discs[k] = Circle{X: x, Y: y, R: r, Class: c.discClass(c.Items[i], cl)}
	}
	for k, i := range order {
		s.add(c.mark(f, c.Items[i], discs[k]))
	}
	s.add(Group{Hidden: true, Class: "names", Items: c.names(order, discs, width, height)})
	legend, h := c.legend(f, values, cl, radius, height+8, width)
	s.add(legend)
	s.H = height + 8 + h
	return s
}

func compareDown(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

func (c *Places) discClass(p Place, cl heatClasses) string {
	if c.ShadeLabel == "" {
		return "mark disc c-cat0"
	}
	return "mark disc c-seq" + strconv.Itoa(cl.of(p.Shade))
}

func (c *Places) mark(f Format, p Place, disc Circle) Node {
	text := title(f, p.Title, p.Label, c.Unit.write(f, p.Value))
	if p.Title == "" && c.ShadeLabel != "" {
		text = f.T("chart.shade", "text", text, "value", c.ShadeUnit.write(f, p.Shade), "what", c.ShadeLabel)
	}
	return Link{Href: p.Href, Class: "pt", State: p.State, Title: text, Items: []Node{disc}}
}

// project scales the plane to the width, at most 1.1 times as high, with a
// margin for discs on the border; scale is drawing units by unit of the plane.
func (c *Places) project(width float64) (place func(XY) XY, scale, height float64) {
	const margin = 14
	var x, y bounds
	for _, ring := range c.Outline {
		for _, p := range ring {
			x.take(p.X)
			y.take(p.Y)
		}
	}
	if !x.any {
		for _, p := range c.Items {
			x.take(p.At.X)
			y.take(p.At.Y)
		}
	}
	w, h := math.Max(x.hi-x.lo, 1e-9), math.Max(y.hi-y.lo, 1e-9)
	most := math.Min(width*1.1, 620)
	k := math.Min((width-2*margin)/w, (most-2*margin)/h)
	height = h*k + 2*margin
	left := (width - w*k) / 2
	return func(p XY) XY {
		q := XY{left + (p.X-x.lo)*k, margin + (p.Y-y.lo)*k}
		return q
	}, k, height
}

type box struct{ x1, y1, x2, y2 float64 }

func (a box) touches(b box) bool { return a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2 }

// names stands the names of places beside their discs, the largest first, where
// they touch neither a disc nor another name; the others are left to the
// titles.
func (c *Places) names(order []int, discs []Circle, width, height float64) []Node {
	taken := make([]box, 0, len(discs))
	for _, d := range discs {
		taken = append(taken, box{d.X - d.R, d.Y - d.R, d.X + d.R, d.Y + d.R})
	}
	most := 6 + int(width/60)
	seen := map[string]bool{}
	var out []Node
	for k, i := range order {
		if len(out) >= most {
			break
		}
		name := c.Items[i].Label
		if seen[name] {
			continue
		}
		seen[name] = true
		text := fit(name, 130, textSmall)
		w, d := textWidth(text, textSmall), discs[k]
		for _, t := range []Text{
			{X: d.X + d.R + 3, Y: d.Y + 4, Anchor: Start},
			{X: d.X - d.R - 3, Y: d.Y + 4, Anchor: End},
			{X: d.X, Y: d.Y - d.R - 4, Anchor: Middle},
			{X: d.X, Y: d.Y + d.R + 12, Anchor: Middle},
		} {
			x := t.X - w*[...]float64{0, 0.5, 1}[t.Anchor]
			b := box{x, t.Y - 10, x + w, t.Y + 3}
			if b.x1 < 0 || b.x2 > width || b.y1 < 0 || b.y2 > height || slices.ContainsFunc(taken, b.touches) {
				continue
			}
			taken = append(taken, b)
			t.S, t.Class = text, textSmall+" halo"
			out = append(out, t)
			break
		}
	}
	return out
}

func (c *Places) legend(f Format, values bounds, cl heatClasses, radius func(float64) float64, y, width float64) (Group, float64) {
	g := Group{Class: "legend", Hidden: true}
	at := y
	if values.hi > 0 {
		largest := roundBelow(values.hi)
		x := 0.0
		r := math.Max(radius(largest), 7)
		for _, v := range []float64{largest / 4, largest} {
			rv := radius(v)
			text := c.Unit.write(f, v)
			g.Items = append(g.Items,
				Circle{X: x + rv, Y: at + r, R: rv, Class: "key"},
				Text{X: x + 2*rv + 4, Y: at + r + 4.5, S: text, Class: textSmall})
			x += 2*rv + 12 + textWidth(text, textSmall)
		}
		if text := fit(c.SizeLabel, width-x, textSmall); text != "" {
			g.Items = append(g.Items, Text{X: x, Y: at + r + 4.5, S: text, Class: textSmall + " muted"})
		}
		at += 2*r + 6
	}
	if c.ShadeLabel != "" {
		g.Items = append(g.Items, Text{X: 0, Y: at + 12, S: fit(c.ShadeLabel, width, textSmall), Class: textSmall + " muted"})
		legend, h := seqLegend(cl.legend(f, c.ShadeUnit), cl, 0, at+16, width)
		g.Items = append(g.Items, legend.Items...)
		at += 16 + h
	}
	return g, at - y
}
