package chart

import (
	"math"
	"strconv"
)

// Heat is a table of intensities, such as hours by weekdays: up to six shades, the
// figure in each cell where it fits, the shades explained in words. When narrow
// the shorter side goes across.
type Heat struct {
	Head
	Rows, Cols []string // names
	Cells      [][]Cell // by row, by column; a missing cell counts 0
	// Short names of the columns and rows, for narrow places; by default the
	// names.
	ShortRows, ShortCols []string
	// Trim leaves out the first and last rows and columns where nothing
	// happened, and says so.
	Trim bool
}

// Cell is one cell.
type Cell struct {
	Value float64 // NaN when not known
	Href  string
	Title string
	State State
}

// Intensities are c-seq0 for nothing, c-seq1 … c-seq7. At most six are used
// together, so that neighbours are told apart.
const (
	shades     = 7
	maxClasses = 6
)

// heatClasses cuts values in at most six classes of round bounds: class i holds
// the values from bounds[i-1] (excluded, save for whole numbers) to bounds[i].
type heatClasses struct {
	step  float64
	n     int
	whole bool
}

func classes(u Unit, b bounds) heatClasses {
	if b.hi <= 0 {
		return heatClasses{step: 1, n: 1, whole: true}
	}
	step := shadeStep(u, b.hi/maxClasses)
	if b.whole && u == Number {
		step = math.Max(1, math.Ceil(step))
	}
	return heatClasses{step: step, n: max(1, int(math.Ceil(b.hi/step-1e-9))), whole: b.whole && u == Number}
}

// shadeStep is the least round step that is not below least; finer grained than
// the steps of an axis, to use all the shades.
func shadeStep(u Unit, least float64) float64 {
	if u == Hours {
		return u.step(least, 1)
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 6, 8} {
		if s := m * power; s >= least*(1-1e-9) {
			return s
		}
	}
	return 10 * power
}

// of is the class of a value: 0 for nothing, else 1 … 7.
func (h heatClasses) of(v float64) int {
	if !known(v) || v <= 0 {
		return 0
	}
	return max(1, min(h.n, int(math.Ceil(v/h.step-1e-9)))) * shades / h.n
}

// legend names the classes from least to most: "1 à 5", "6 à 10".
func (h heatClasses) legend(f Format, u Unit) []string {
	names := []string{f.T("chart.none")}
	for i := range h.n {
		lo, hi := float64(i)*h.step, float64(i+1)*h.step
		if h.whole {
			lo++
		}
		if lo == hi {
			names = append(names, u.write(f, hi))
			continue
		}
		names = append(names, f.T("chart.range", "low", u.write(f, lo), "high", u.write(f, hi)))
	}
	return names
}

// Scene draws the table.
func (c *Heat) Scene(f Format, width float64) *Scene {
	left0, right0, top0, bottom0 := c.extent()
	if top0 >= bottom0 || left0 >= right0 {
		return c.empty(f, width)
	}
	rows, cols := c.Rows[top0:bottom0], c.Cols[left0:right0]
	shortRows, shortCols := orElse(c.ShortRows, c.Rows)[top0:bottom0], orElse(c.ShortCols, c.Cols)[left0:right0]
	cells := func(r, k int) Cell { return c.cell(top0+r, left0+k) }
	most := newBounds()
	var values []float64
	for r := range rows {
		for k := range cols {
			v := cells(r, k).Value
			most.take(v)
			values = append(values, v)
		}
	}
	write := c.Unit.writer(f, values)
	cellW := 0.0
	for _, v := range values {
		if known(v) && v != 0 {
			cellW = math.Max(cellW, textWidth(write(v), textSmall)+6)
		}
	}
	if room := width - math.Min(widest(rows), width*0.3) - 8; room/float64(len(cols)) < cellW && len(rows) < len(cols) {
		rows, cols, shortRows, shortCols = cols, rows, shortCols, shortRows
		cells = func(r, k int) Cell { return c.cell(top0+k, left0+r) }
	}
	s := c.scene(width)
	head := shortest(rows, shortRows, width*0.3)
	left := math.Ceil(math.Min(widest(head), width*0.3)) + 8
	w := (width - left) / float64(len(cols))
	h := math.Max(24, math.Min(w*0.8, 34))
	if len(rows) > 12 {
		h = 24
	}
	top := 20.0
	s.add(Group{Hidden: true, Items: colHeads(shortest(cols, shortCols, w-2), left, w, top-6)})
	cl := classes(c.Unit, most)
	digits := cellW-2 <= w
	var names, marks []Node
	for r := range rows {
		y := top + float64(r)*h
		names = append(names, Text{X: 0, Y: y + h/2 + 4.5, S: fit(head[r], left-8, textLabel), Class: textLabel})
		for k := range cols {
			x := left + float64(k)*w
			marks = append(marks, c.mark(f, cells(r, k), cl, Rect{X: x + 0.5, Y: y + 0.5, W: w - 1, H: h - 1, R: 1.5}, rows[r], cols[k], digits, write))
		}
	}
	s.add(Group{Hidden: true, Items: names})
	s.add(marks...)
	bottom := top + float64(len(rows))*h
	legend, lh := seqLegend(cl.legend(f, c.Unit), cl, left, bottom+10, width)
	s.add(legend)
	s.H = bottom + 10 + lh
	s.H += s.trimNote(f, c.Rows, top0, bottom0, s.H+12, width)
	s.H += s.trimNote(f, c.Cols, left0, right0, s.H+12, width)
	return s
}

// extent is the part of the table that is drawn.
func (c *Heat) extent() (left, right, top, bottom int) {
	if !c.Trim {
		return 0, len(c.Cols), 0, len(c.Rows)
	}
	left, top = len(c.Cols), len(c.Rows)
	for r := range c.Rows {
		for k := range c.Cols {
			if v := c.cell(r, k).Value; v != 0 {
				left, right = min(left, k), max(right, k+1)
				top, bottom = min(top, r), max(bottom, r+1)
			}
		}
	}
	return left, right, top, bottom
}

// trimNote says between which names something happened, when some were left
// out, and gives its height.
func (s *Scene) trimNote(f Format, names []string, from, to int, y, width float64) float64 {
	if from == 0 && to == len(names) {
		return 0
	}
	text := f.T("chart.trimmed", "from", names[from], "to", names[to-1])
	s.add(Text{X: 0, Y: y, S: fit(text, width, textSmall), Class: textSmall + " muted"})
	return 18
}

func (c *Heat) cell(r, k int) Cell {
	if r < len(c.Cells) && k < len(c.Cells[r]) {
		return c.Cells[r][k]
	}
	return Cell{}
}

func (c *Heat) mark(f Format, cell Cell, cl heatClasses, box Rect, row, col string, digits bool, write func(float64) string) Node {
	class := cl.of(cell.Value)
	n := strconv.Itoa(class)
	box.Class = "mark cell c-seq" + n
	link := Link{Href: cell.Href, Class: "pt", State: cell.State, Title: cell.Title, Items: []Node{box}}
	if link.Title == "" {
		link.Title = f.T("chart.cell", "row", row, "col", col, "value", write(cell.Value))
	}
	if digits && known(cell.Value) && cell.Value != 0 {
		link.Items = append(link.Items, Text{
			X: box.X + box.W/2, Y: box.Y + box.H/2 + 4, S: write(cell.Value), Anchor: Middle, Class: textSmall + " seq-t" + n,
		})
	}
	return link
}

func widest(names []string) float64 {
	w := 0.0
	for _, n := range names {
		w = math.Max(w, textWidth(n, textLabel))
	}
	return w
}

func orElse(short, long []string) []string {
	if len(short) == len(long) {
		return short
	}
	return long
}

// shortest takes the names when all fit in a width, else their short forms.
func shortest(names, short []string, width float64) []string {
	for _, n := range names {
		if textWidth(n, textLabel) > width {
			return short
		}
	}
	return names
}

// colHeads names columns over their middles; where they would touch, every
// second, third … is named.
func colHeads(names []string, left, w, y float64) []Node {
	every := 1
	for ; every < len(names); every++ {
		widest := 0.0
		for i := 0; i < len(names); i += every {
			widest = math.Max(widest, textWidth(names[i], textSmall))
		}
		if widest+4 <= w*float64(every) {
			break
		}
	}
	var out []Node
	right := left + w*float64(len(names))
	for i := 0; i < len(names); i += every {
		x := left + (float64(i)+0.5)*w
		room := math.Min(w*float64(every)-4, 2*math.Min(x, right-x))
		text := fit(names[i], room, textSmall)
		out = append(out, Text{X: x, Y: y, S: text, Anchor: Middle, Class: textSmall + " tick"})
	}
	return out
}

// seqLegend explains the shades in words.
func seqLegend(names []string, cl heatClasses, left, y, width float64) (Group, float64) {
	g := Group{Class: "legend", Hidden: true}
	total := 0.0
	for _, n := range names {
		total += 30 + textWidth(n, textSmall)
	}
	if left+total > width {
		left = 0
	}
	x, at := left, y
	for i, name := range names {
		w := 18 + textWidth(name, textSmall)
		if x > left && x+w > width {
			x, at = left, at+18
		}
		shade := strconv.Itoa(i * shades / max(cl.n, 1))
		g.Items = append(g.Items,
			Rect{X: x, Y: at + 2, W: 14, H: 12, R: 1.5, Class: "cell c-seq" + shade},
			Text{X: x + 18, Y: at + 12.5, S: name, Class: textSmall})
		x += w + 12
	}
	return g, at - y + 20
}
