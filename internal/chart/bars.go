package chart

import (
	"math"
	"slices"
)

// Bars are horizontal bars from a zero baseline, one for each name, with the
// name and the figure on the mark. They stand on a phone as on a wall: when
// narrow, the name goes above its bar.
type Bars struct {
	Head
	Items []Bar
	// Ghost names the comparison drawn behind ("2024-2025"); empty for none.
	Ghost string
	// Ref is a vertical line across all bars (a mean, a target).
	Ref *Ref
	// Parts names the parts when bars are stacked; empty for plain bars.
	Parts []Part
}

// Bar is one bar.
type Bar struct {
	Label    string
	Value    float64 // NaN when not known
	Ghost    float64 // the comparison, drawn when Bars.Ghost names it
	Low      float64 // interval, drawn when High > Low
	High     float64
	Category int // colour, see Cat
	State    State
	Href     string
	Title    string // exact figures in a sentence; by default made of the above
	Note     string // said after the figure, smaller: "12 sur 340"
	Values   []float64
	Hrefs    []string // of the parts, may be shorter than Values
	Titles   []string // of the parts, may be shorter than Values
}

// Part names one part of stacked marks.
type Part struct {
	Label    string
	Category int
}

// Ref is a reference line.
type Ref struct {
	Value float64
	Label string
}

// Categories that are not colours.
const (
	ghostCategory = -1 // a comparison
	refCategory   = -2 // a reference line
)

const (
	barRow   = 26.0 // wide layout: one row a bar
	barThick = 14.0
	barRowN  = 44.0 // narrow layout: name above, bar below
	narrowAt = 400.0
)

// value is the length of the bar: its value, or the sum of its parts.
func (c *Bars) value(b *Bar) float64 {
	if len(c.Parts) == 0 {
		return b.Value
	}
	sum := 0.0
	for _, v := range b.Values {
		if known(v) && v > 0 {
			sum += v
		}
	}
	return sum
}

// Scene draws the bars.
func (c *Bars) Scene(f Format, width float64) *Scene {
	if len(c.Items) == 0 {
		return c.empty(f, width)
	}
	s := c.scene(width)
	l := c.layout(f, width)
	y := 0.0
	if legend, h := legendRow(c.Parts, nil, width); h > 0 {
		s.add(legend)
		y = h + 4
	}
	var under, over []Node
	top := y
	if c.Ref != nil && known(c.Ref.Value) {
		text := c.Ref.Label
		x := l.scale.at(c.Ref.Value)
		text = fit(text, width-4, textSmall)
		w := textWidth(text, textSmall)
		anchor, tx := Middle, x
		switch {
		case x-w/2 < 0:
			anchor, tx = Start, 0
		case x+w/2 > width:
			anchor, tx = End, width
		}
		over = append(over, Text{X: tx, Y: y + 12, S: text, Anchor: anchor, Class: textSmall + " ref-t"})
		top = y + 20
	}
	if l.axis != nil {
		for _, v := range l.axis {
			x := l.scale.at(v)
			under = append(under, Line{X1: x, Y1: top + 16, X2: x, Y2: top + 16 + l.row*float64(len(c.Items)), Class: "grid"})
		}
		under = append(under, axisRow(f, c.Unit, l.axis, l.scale, top+11, width)...)
		top += 18
	}
	bottom := top + l.row*float64(len(c.Items))
	under = append(under, Path{Pts: l.down(l.x, top, len(c.Items)), Class: "axis"})
	s.add(Group{Hidden: true, Items: under})
	for i := range c.Items {
		s.add(c.row(f, &c.Items[i], l, top+float64(i)*l.row, width)...)
	}
	if c.Ref != nil && known(c.Ref.Value) {
		x := l.scale.at(c.Ref.Value)
		over = append(over, Path{Pts: l.down(x, top, len(c.Items)), Class: "ref under"}, Path{Pts: l.down(x, top, len(c.Items)), Class: "ref"})
	}
	if len(over) > 0 {
		s.add(Group{Hidden: true, Items: over})
	}
	s.H = bottom + 4
	if c.Ghost != "" {
		s.add(ghostKey(f, c.Ghost, l.x, bottom+6, width))
		s.H = bottom + 28
	}
	return s
}

// barLayout is where things stand across the width.
type barLayout struct {
	narrow bool
	row    float64
	labels float64 // width left for names
	x      float64 // zero of the bars
	scale  linear
	axis   []float64 // ticks, when intervals need a scale
	write  func(float64) string
}

func (c *Bars) layout(f Format, width float64) barLayout {
	var longestName, longestFigure float64
	b := newBounds()
	intervals := false
	b.take(0)
	figures := make([]float64, len(c.Items))
	for i := range c.Items {
		figures[i] = c.value(&c.Items[i])
	}
	write := c.Unit.writer(f, figures)
	for i := range c.Items {
		item := &c.Items[i]
		longestName = math.Max(longestName, textWidth(item.Label, textLabel))
		longestFigure = math.Max(longestFigure, figureWidth(write(figures[i]), item.Note))
		b.take(figures[i])
		if c.Ghost != "" {
			b.take(item.Ghost)
		}
		if item.High > item.Low {
			b.take(item.Low, item.High)
			intervals = true
		}
	}
	if c.Ref != nil {
		b.take(c.Ref.Value)
	}
	lo, hi := math.Min(b.lo, 0), b.hi
	if hi <= lo {
		hi = lo + 1
	}
	l := barLayout{narrow: width < narrowAt, row: barRow, write: write}
	left := 0.0
	if l.narrow {
		l.row = barRowN
	} else {
		l.labels = math.Min(longestName+2, width*0.42)
		left = l.labels + 10
	}
	right := width - math.Min(longestFigure+8, width*0.5)
	if intervals {
		// The scale ends with the data; three ticks make it one.
		for n := int(math.Max(2, (right-left)/60)); n < 12 && len(l.axis) < 3; n++ {
			l.axis = slices.DeleteFunc(c.Unit.ticks(lo, hi, n, b.whole), func(v float64) bool { return v > hi || v < lo })
		}
	}
	l.scale = linear{lo, hi, left, right}
	l.x = l.scale.at(0)
	return l
}

func figureWidth(figure, note string) float64 {
	w := textWidth(figure, textValue)
	if note != "" {
		w += 6 + textWidth(note, textSmall)
	}
	return w
}

// down is a vertical line beside every bar: unbroken, but for the names that
// stand above the bars when narrow.
func (l *barLayout) down(x, top float64, n int) []Pt {
	if !l.narrow {
		return []Pt{{X: x, Y: top, Up: true}, {X: x, Y: top + l.row*float64(n)}}
	}
	pts := make([]Pt, 0, 2*n)
	for i := range n {
		y := top + float64(i)*l.row + 31
		pts = append(pts, Pt{X: x, Y: y - barThick/2 - 3, Up: true}, Pt{X: x, Y: y + barThick/2 + 3})
	}
	return pts
}

// row draws one bar with its name and figure, as one link; stacked bars have a
// link for each part too.
func (c *Bars) row(f Format, item *Bar, l barLayout, y, width float64) []Node {
	v := c.value(item)
	mid := y + l.row/2
	nameY, nameW := mid+4.5, l.labels
	if l.narrow {
		mid, nameY, nameW = y+31, y+18, width
	}
	figure := l.write(v)
	items := []Node{
		Rect{X: 0, Y: y, W: width, H: l.row, R: 2, Class: "hit"},
		Text{X: 0, Y: nameY, S: fit(item.Label, nameW, textLabel), Class: textLabel},
	}
	end := l.x
	if c.Ghost != "" && known(item.Ghost) && item.Ghost != 0 {
		x := l.scale.at(item.Ghost)
		items = append(items, span(l.x, x, mid-barThick/2-3, barThick+6, "ghost"))
		end = math.Max(end, x)
	}
	var parts []Node
	if known(v) && v != 0 {
		x := l.scale.at(v)
		end = math.Max(end, x)
		if len(c.Parts) == 0 {
			items = append(items, span(l.x, x, mid-barThick/2, barThick, "mark "+Cat(item.Category)))
		} else {
			parts = c.stack(f, item, l, mid)
		}
	}
	if item.High > item.Low {
		x1, x2 := l.scale.at(item.Low), l.scale.at(item.High)
		end = math.Max(end, x2)
		items = append(items, whisker(x1, x2, mid, "whisker under"), whisker(x1, x2, mid, "whisker"))
	}
	figureX := end + 6
	figureW := textWidth(figure, textValue)
	if c.Ref != nil && known(c.Ref.Value) {
		if x := l.scale.at(c.Ref.Value); x > figureX-4 && x < figureX+figureW+2 && x+6+figureW <= width {
			figureX = x + 6
		}
	}
	items = append(items, Text{X: figureX, Y: mid + 4.5, S: fit(figure, width-figureX, textValue), Class: textValue})
	if item.Note != "" {
		noteX := figureX + figureW + 6
		if note := fit(item.Note, width-noteX, textSmall); note != "" {
			items = append(items, Text{X: noteX, Y: mid + 4.5, S: note, Class: textSmall + " muted"})
		}
	}
	link := Link{Href: item.Href, Title: c.title(f, item, figure), Class: "row", State: item.State, Items: items}
	return append([]Node{link}, parts...)
}

func (c *Bars) title(f Format, item *Bar, figure string) string {
	if item.Title != "" {
		return item.Title
	}
	text := title(f, "", item.Label, figure)
	if item.High > item.Low {
		text = f.T("chart.interval", "text", text, "low", c.Unit.write(f, item.Low), "high", c.Unit.write(f, item.High))
	}
	if c.Ghost != "" && known(item.Ghost) {
		text = f.T("chart.against", "text", text, "value", c.Unit.write(f, item.Ghost), "ghost", c.Ghost)
	}
	return text
}

func (c *Bars) stack(f Format, item *Bar, l barLayout, mid float64) []Node {
	var nodes []Node
	sum := 0.0
	for i, v := range item.Values {
		if i >= len(c.Parts) || !known(v) || v <= 0 {
			continue
		}
		x1, x2 := l.scale.at(sum), l.scale.at(sum+v)
		sum += v
		r := span(x1, x2, mid-barThick/2, barThick, "mark seg "+Cat(c.Parts[i].Category))
		nodes = append(nodes, Link{
			Href: at(item.Hrefs, i), Class: "part", State: item.State,
			Title: title(f, at(item.Titles, i), f.T("chart.of", "part", c.Parts[i].Label, "name", item.Label), c.Unit.write(f, v)),
			Items: []Node{r},
		})
	}
	return nodes
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// span is a bar between two positions, whichever comes first.
func span(x1, x2, y, h float64, class string) Rect {
	if x2 < x1 {
		x1, x2 = x2, x1
	}
	return Rect{X: x1, Y: y, W: math.Max(x2-x1, 1), H: h, R: 1.5, Class: class}
}

func whisker(x1, x2, y float64, class string) Path {
	return Path{Class: class, Pts: []Pt{
		{X: x1, Y: y - 4, Up: true}, {X: x1, Y: y + 4}, {X: x1, Y: y, Up: true}, {X: x2, Y: y}, {X: x2, Y: y - 4, Up: true}, {X: x2, Y: y + 4},
	}}
}

// axisRow writes ticks along a horizontal line, leaving out those that would
// touch the one before.
func axisRow(f Format, u Unit, ticks []float64, scale linear, y, width float64) []Node {
	var nodes []Node
	edge := math.Inf(-1)
	write := u.writer(f, ticks)
	for _, v := range ticks {
		text := write(v)
		w := textWidth(text, textSmall)
		x := math.Min(math.Max(scale.at(v), w/2), width-w/2)
		if x-w/2 < edge+6 {
			continue
		}
		edge = x + w/2
		nodes = append(nodes, Text{X: x, Y: y, S: text, Anchor: Middle, Class: textSmall + " tick"})
	}
	return nodes
}

// legendRow names the colours of parts in one or more lines above the plot.
// The reference line, when there is one, is explained there too.
func legendRow(parts []Part, ref *Ref, width float64) (Group, float64) {
	if ref != nil && known(ref.Value) && ref.Label != "" {
		parts = append(slices.Clone(parts), Part{ref.Label, refCategory})
	}
	if len(parts) == 0 {
		return Group{}, 0
	}
	g := Group{Class: "legend", Hidden: true}
	x, y := 0.0, 0.0
	for _, p := range parts {
		swatch, class := 10.0, textSmall
		var key Node
		switch p.Category {
		case refCategory:
			swatch, class = 18, textSmall+" ref-t"
		case ghostCategory:
			swatch = 18
		}
		label := fit(p.Label, width-swatch-5, textSmall)
		w := swatch + 5 + textWidth(label, textSmall)
		if x > 0 && x+w > width {
			x, y = 0, y+18
		}
		switch p.Category {
		case refCategory:
			key = Line{X1: x, Y1: y + 8, X2: x + swatch, Y2: y + 8, Class: "ref"}
		case ghostCategory:
			key = Line{X1: x, Y1: y + 8, X2: x + swatch, Y2: y + 8, Class: "line ghost-l"}
		default:
			key = Rect{X: x, Y: y + 3, W: swatch, H: 10, R: 2, Class: "mark " + Cat(p.Category)}
		}
		g.Items = append(g.Items, key, Text{X: x + swatch + 5, Y: y + 12.5, S: label, Class: class})
		x += w + 14
	}
	return g, y + 20
}

// ghostKey says what the pale shape behind the marks is.
func ghostKey(f Format, name string, x, y, width float64) Group {
	text := f.T("chart.ghost", "name", name)
	if textWidth(text, textSmall) > width-x-22 {
		x = 0
	}
	text = fit(text, width-x-22, textSmall)
	return Group{Class: "legend", Hidden: true, Items: []Node{
		Rect{X: x, Y: y + 4, W: 16, H: 10, R: 1.5, Class: "ghost"},
		Text{X: x + 21, Y: y + 13, S: text, Class: textSmall + " muted"},
	}}
}
