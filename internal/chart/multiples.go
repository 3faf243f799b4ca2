package chart

import (
	"math"
	"strconv"
)

// Multiples are small curves side by side on one scale, each with its name:
// where a chart of many colours would be a tangle.
type Multiples struct {
	Head
	Period
	Panels []Panel
	// Ghost names the curve drawn behind in each panel; empty for none.
	Ghost string
}

// Panel is one small curve.
type Panel struct {
	Label    string
	Note     string // the finding in a word: "+38 %"
	Category int
	Points   []Point
	Ghost    []Point
	Href     string
	Title    string
	State    State
}

// Scene draws the panels, as many in a row as are readable.
func (c *Multiples) Scene(f Format, width float64) *Scene {
	buckets := c.buckets()
	if len(c.Panels) == 0 || len(buckets) == 0 {
		return c.empty(f, width)
	}
	const gap, head, plot, foot = 20.0, 24.0, 64.0, 30.0
	least := 190.0
	if width < narrowAt {
		least = 140
	}
	cols := max(1, min(len(c.Panels), int((width+gap)/(least+gap))))
	rows := (len(c.Panels) + cols - 1) / cols
	cols = (len(c.Panels) + rows - 1) / rows // rows of about the same length
	w := (width - gap*float64(cols-1)) / float64(cols)
	values := make([][]Point, len(c.Panels))
	ghosts := make([][]Point, len(c.Panels))
	b := newBounds()
	b.take(0)
	for i, p := range c.Panels {
		values[i] = c.values(&Series{Points: p.Points}, buckets)
		for _, pt := range values[i] {
			b.take(pt.Value)
		}
		if c.Ghost != "" {
			ghosts[i] = c.values(&Series{Points: p.Ghost}, buckets)
			for _, pt := range ghosts[i] {
				b.take(pt.Value)
			}
		}
	}
	ticks := c.Unit.ticks(0, b.hi, 2, b.whole)
	most := ticks[len(ticks)-1]
	s := c.scene(width)
	for i, p := range c.Panels {
		x0 := float64(i%cols) * (w + gap)
		y0 := float64(i/cols) * (head + plot + foot)
		top, bottom := y0+head, y0+head+plot
		axis := c.axis(buckets, x0, x0+w)
		y := linear{0, most, bottom, top}
		items := []Node{Rect{X: x0, Y: y0, W: w, H: head + plot + 18, R: 2, Class: "hit"}}
		noteW := 0.0
		if p.Note != "" {
			noteW = textWidth(p.Note, textValue) + 6
			items = append(items, Text{X: x0 + w, Y: y0 + 14, S: p.Note, Anchor: End, Class: textValue})
		}
		items = append(items,
			Text{X: x0, Y: y0 + 14, S: fit(p.Label, w-noteW, textStrong), Class: textStrong},
			Line{X1: x0, Y1: top, X2: x0 + w, Y2: top, Class: "grid"},
			Line{X1: x0, Y1: bottom, X2: x0 + w, Y2: bottom, Class: "axis"},
			// The scale in every panel: one is often read alone.
			Text{X: x0 + w, Y: top + 12, S: c.Unit.write(f, most), Anchor: End, Class: textSmall + " tick halo"})
		if ghosts[i] != nil {
			items = append(items, Path{Pts: c.line(ghosts[i], &axis, y), Class: "line ghost-l"})
		}
		curve := c.line(values[i], &axis, y)
		if len(curve) > 0 {
			under := append([]Pt(nil), curve...)
			under = append(under, Pt{X: curve[len(curve)-1].X, Y: bottom}, Pt{X: curve[0].X, Y: bottom, Close: true})
			items = append(items, Path{Pts: under, Class: "band " + Cat(p.Category)}, Path{Pts: curve, Class: "line " + Cat(p.Category)})
		}
		items = append(items, c.foot(f, &axis, x0, x0+w, bottom+14)...)
		text := title(f, p.Title, p.Label, p.Note)
		s.add(Link{Href: p.Href, Title: text, Class: "row", State: p.State, Items: items})
	}
	s.H = float64(rows) * (head + plot + foot)
	if c.Ghost != "" {
		key, h := legendRow([]Part{{f.T("chart.ghost", "name", c.Ghost), ghostCategory}}, nil, width)
		s.H += h + 4
		for i, n := range key.Items { // the legend stands below here
			switch n := n.(type) {
			case Line:
				n.Y1, n.Y2 = n.Y1+s.H-h, n.Y2+s.H-h
				key.Items[i] = n
			case Text:
				n.Y += s.H - h
				key.Items[i] = n
			}
		}
		s.add(key)
	}
	return s
}

// line is the curve of known points (holes are bridged by lifting the pen).
func (c *Multiples) line(values []Point, a *timeAxis, y linear) []Pt {
	var pts []Pt
	for _, p := range values {
		if !known(p.Value) {
			continue
		}
		x := (a.at(p.At) + a.at(c.Grain.next(p.At))) / 2
		pts = append(pts, Pt{X: x, Y: y.at(p.Value), Up: len(pts) == 0})
	}
	return pts
}

// foot writes the first and the last month (or year) under a panel.
func (c *Multiples) foot(f Format, _ *timeAxis, x1, x2, y float64) []Node {
	name := func(i int) string {
		b := c.buckets()
		t := b[(i+len(b))%len(b)]
		if c.Grain == Year {
			return strconv.Itoa(t.Year())
		}
		return f.ShortMonth(t.Month()) + "\u00a0" + strconv.Itoa(t.Year())
	}
	first, last := name(0), name(-1)
	nodes := []Node{Text{X: x1, Y: y, S: first, Class: textSmall + " tick"}}
	if first != last && textWidth(first, textSmall)+textWidth(last, textSmall)+8 <= math.Abs(x2-x1) {
		nodes = append(nodes, Text{X: x2, Y: y, S: last, Anchor: End, Class: textSmall + " tick"})
	}
	return nodes
}
