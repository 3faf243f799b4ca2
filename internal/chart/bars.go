package chart

import "math"

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
	if legend, h := legendRow(c.Parts, width); h > 0 {
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
	under = append(under, Line{X1: l.x, Y1: top, X2: l.x, Y2: bottom, Class: "axis"})
	s.add(Group{Hidden: true, Items: under})
	for i := range c.Items {
		s.add(c.row(f, &c.Items[i], l, top+float64(i)*l.row, width)...)
	}
	if c.Ref != nil && known(c.Ref.Value) {
		x := l.scale.at(c.Ref.Value)
		over = append(over, Line{X1: x, Y1: top - 4, X2: x, Y2: bottom, Class: "ref"})
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
}

func (c *Bars) layout(f Format, width float64) barLayout {
	var longestName, longestFigure float64
	b := newBounds()
	intervals := false
	b.take(0)
	for i := range c.Items {
		item := &c.Items[i]
		longestName = math.Max(longestName, textWidth(item.Label, textLabel))
		longestFigure = math.Max(longestFigure, c.figureWidth(f, item))
		b.take(c.value(item))
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
	l := barLayout{narrow: width < narrowAt, row: barRow}
	left := 0.0
	if l.narrow {
		l.row = barRowN
	} else {
		l.labels = math.Min(longestName+2, width*0.42)
		left = l.labels + 10
	}
	right := width - math.Min(longestFigure+8, width*0.4)
	if intervals {
		l.axis = c.Unit.ticks(lo, hi, int(math.Max(2, (right-left)/90)), b.whole)
		hi = l.axis[len(l.axis)-1]
		if lo < 0 {
			lo = l.axis[0]
		}
	}
	l.scale = linear{lo, hi, left, right}
	l.x = l.scale.at(0)
	return l
}

func (c *Bars) figureWidth(f Format, item *Bar) float64 {
	w := textWidth(c.Unit.write(f, c.value(item)), textValue)
	if item.Note != "" {
		w += 6 + textWidth(item.Note, textSmall)
	}
	return w
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
	figure := c.Unit.write(f, v)
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
		items = append(items, whisker(x1, x2, mid))
	}
	figureX := end + 6
	figureW := textWidth(figure, textValue)
	items = append(items, Text{X: figureX, Y: mid + 4.5, S: figure, Class: textValue})
	if item.Note != "" {
		noteX := figureX + figureW + 6
		if note := fit(item.Note, width-noteX, textSmall); note != "" {
			items = append(items, Text{X: noteX, Y: mid + 4.5, S: note, Class: textSmall + " muted"})
		}
	}
	link := Link{Href: item.Href, Title: c.title(f, item, figure), Class: "row" + item.State.class(), Items: items}
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
			Href: at(item.Hrefs, i), Class: "part" + item.State.class(),
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

func whisker(x1, x2, y float64) Path {
	return Path{Class: "whisker", Pts: []Pt{
		{X: x1, Y: y - 4, Up: true}, {X: x1, Y: y + 4}, {X: x1, Y: y, Up: true}, {X: x2, Y: y}, {X: x2, Y: y - 4, Up: true}, {X: x2, Y: y + 4},
	}}
}

// axisRow writes ticks along a horizontal line, leaving out those that would
// touch the one before.
func axisRow(f Format, u Unit, ticks []float64, scale linear, y, width float64) []Node {
	var nodes []Node
	edge := math.Inf(-1)
	for _, v := range ticks {
		text := u.write(f, v)
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
func legendRow(parts []Part, width float64) (Group, float64) {
	if len(parts) == 0 {
		return Group{}, 0
	}
	g := Group{Class: "legend", Hidden: true}
	x, y := 0.0, 0.0
	for _, p := range parts {
		label := fit(p.Label, width-18, textSmall)
		w := 16 + textWidth(label, textSmall)
		if x > 0 && x+w > width {
			x, y = 0, y+18
		}
		g.Items = append(g.Items,
			Rect{X: x, Y: y + 3, W: 10, H: 10, R: 2, Class: "mark " + Cat(p.Category)},
			Text{X: x + 15, Y: y + 12.5, S: label, Class: textSmall})
		x += w + 14
	}
	return g, y + 20
}

// ghostKey says what the pale shape behind the marks is.
func ghostKey(f Format, name string, x, y, width float64) Group {
	text := fit(f.T("chart.ghost", "name", name), width-x-22, textSmall)
	if text == "" {
		x = 0
		text = fit(f.T("chart.ghost", "name", name), width-22, textSmall)
	}
	return Group{Class: "legend", Hidden: true, Items: []Node{
		Rect{X: x, Y: y + 4, W: 16, H: 10, R: 1.5, Class: "ghost"},
		Text{X: x + 21, Y: y + 13, S: text, Class: textSmall + " muted"},
	}}
}
