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
	step := u.step(b.hi, maxClasses)
	if b.whole && u == Number && step < 1 {
		step = 1
	}
	return heatClasses{step: step, n: int(math.Ceil(b.hi/step - 1e-9)), whole: b.whole && u == Number}
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
	rows, cols, cells := c.Rows, c.Cols, c.cell
	shortRows, shortCols := orElse(c.ShortRows, rows), orElse(c.ShortCols, cols)
	if len(rows) == 0 || len(cols) == 0 {
		return c.empty(f, width)
	}
	if width/float64(len(cols)+2) < 24 && len(rows) < len(cols) {
		rows, cols, shortRows, shortCols = cols, rows, shortCols, shortRows
		cells = func(r, k int) Cell { return c.cell(k, r) }
	}
	b := newBounds()
	for r := range rows {
		for k := range cols {
			b.take(cells(r, k).Value)
		}
	}
	s := c.scene(width)
	head := shortest(rows, shortRows, width*0.3)
	left := 0.0
	for _, name := range head {
		left = math.Max(left, textWidth(name, textLabel))
	}
	left = math.Ceil(math.Min(left, width*0.3)) + 8
	w := (width - left) / float64(len(cols))
	h := math.Max(24, math.Min(w*0.8, 34))
	top := 20.0
	s.add(Group{Hidden: true, Items: colHeads(shortest(cols, shortCols, w-2), left, w, top-6)})
	cl := classes(c.Unit, b)
	digits := textWidth(c.Unit.write(f, b.hi), textSmall)+4 <= w
	var names, marks []Node
	for r := range rows {
		y := top + float64(r)*h
		names = append(names, Text{X: 0, Y: y + h/2 + 4.5, S: fit(head[r], left-8, textLabel), Class: textLabel})
		for k := range cols {
			x := left + float64(k)*w
			marks = append(marks, c.mark(f, cells(r, k), cl, Rect{X: x + 0.5, Y: y + 0.5, W: w - 1, H: h - 1, R: 1.5}, rows[r], cols[k], digits))
		}
	}
	s.add(Group{Hidden: true, Items: names})
	s.add(marks...)
	bottom := top + float64(len(rows))*h
	legend, lh := seqLegend(cl.legend(f, c.Unit), cl, left, bottom+10, width)
	s.add(legend)
	s.H = bottom + 10 + lh
	return s
}

func (c *Heat) cell(r, k int) Cell {
	if r < len(c.Cells) && k < len(c.Cells[r]) {
		return c.Cells[r][k]
	}
	return Cell{}
}

func (c *Heat) mark(f Format, cell Cell, cl heatClasses, box Rect, row, col string, digits bool) Node {
	class := cl.of(cell.Value)
	n := strconv.Itoa(class)
	box.Class = "mark cell c-seq" + n
	link := Link{Href: cell.Href, Class: "pt" + cell.State.class(), Title: cell.Title, Items: []Node{box}}
	if link.Title == "" {
		link.Title = f.T("chart.cell", "row", row, "col", col, "value", c.Unit.write(f, cell.Value))
	}
	if digits && known(cell.Value) && cell.Value != 0 {
		link.Items = append(link.Items, Text{
			X: box.X + box.W/2, Y: box.Y + box.H/2 + 4, S: c.Unit.write(f, cell.Value), Anchor: Middle, Class: textSmall + " seq-t" + n,
		})
	}
	return link
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
		text := fit(names[i], w*float64(every)-4, textSmall)
		half := textWidth(text, textSmall) / 2
		x := math.Max(half, math.Min(left+(float64(i)+0.5)*w, right-half))
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
