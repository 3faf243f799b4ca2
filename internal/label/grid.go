package label

import (
	"statincidents/internal/fault"
)

// Grid is how labels stand on a sheet. Lengths are in millimetres.
type Grid struct {
	Name          string // "L7159": the reference of the sheets that fit; "" for one's own
	PageW, PageH  float64
	Columns, Rows int
	W, H          float64 // of a label
	Left, Top     float64 // of the first one
	StepX, StepY  float64 // from one label to the next
}

// a4 is the size of the sheets that schools print on.
const a4W, a4H = 210.0, 297.0

// Grids are the sheets that are sold everywhere, by the number of labels.
var Grids = []Grid{
	{Name: "L7159", PageW: a4W, PageH: a4H, Columns: 3, Rows: 8, W: 63.5, H: 33.9, Left: 7.25, Top: 12.9, StepX: 66.0, StepY: 33.9},
	{Name: "L7163", PageW: a4W, PageH: a4H, Columns: 2, Rows: 7, W: 99.1, H: 38.1, Left: 4.65, Top: 15.15, StepX: 101.6, StepY: 38.1},
	{Name: "L7160", PageW: a4W, PageH: a4H, Columns: 3, Rows: 7, W: 63.5, H: 38.1, Left: 7.25, Top: 15.15, StepX: 66.0, StepY: 38.1},
}

// GridNamed finds one of Grids.
func GridNamed(name string) (Grid, bool) {
	for _, g := range Grids {
		if g.Name == name {
			return g, true
		}
	}
	return Grid{}, false
}

// PerPage is how many labels a sheet holds.
func (g Grid) PerPage() int { return g.Columns * g.Rows }

// Bounds of a grid of one's own, in millimetres: a QR code on a smaller label
// is not read, and its text neither.
const (
	MinW, MinH   = 45.0, 24.0
	maxPerSide   = 20
	closeToZero  = 0.05 // what rounding may leave over the edge
	maxPageEdges = 420.0
)

// Own is a grid of one's own on A4: columns, rows, margins and the gaps
// between labels; the labels take what is left.
func Own(columns, rows int, left, top, right, bottom, gapX, gapY float64) (Grid, error) {
	var fields fault.Fields
	if columns < 1 || columns > maxPerSide {
		fields.Add("columns", "error.label.grid_count", "max", maxPerSide)
	}
	if rows < 1 || rows > maxPerSide {
		fields.Add("rows", "error.label.grid_count", "max", maxPerSide)
	}
	for name, v := range map[string]float64{"left": left, "top": top, "right": right, "bottom": bottom, "gap_x": gapX, "gap_y": gapY} {
		if !(v >= 0 && v <= 60) { // NaN too
			fields.Add(name, "error.label.grid_length", "max", 60)
		}
	}
	if err := fields.Err(); err != nil {
		return Grid{}, err
	}
	g := Grid{PageW: a4W, PageH: a4H, Columns: columns, Rows: rows, Left: left, Top: top}
	g.W = (a4W - left - right - gapX*float64(columns-1)) / float64(columns)
	g.H = (a4H - top - bottom - gapY*float64(rows-1)) / float64(rows)
	g.StepX, g.StepY = g.W+gapX, g.H+gapY
	return g, g.Check()
}

// Check tells whether a QR code and its text fit on each label, and the labels
// on the sheet.
func (g Grid) Check() error {
	var fields fault.Fields
	if g.W < MinW {
		fields.Add("columns", "error.label.grid_narrow", "min", MinW)
	}
	if g.H < MinH {
		fields.Add("rows", "error.label.grid_low", "min", MinH)
	}
	if g.Left+g.StepX*float64(g.Columns-1)+g.W > g.PageW+closeToZero || g.Top+g.StepY*float64(g.Rows-1)+g.H > g.PageH+closeToZero ||
		g.PageW > maxPageEdges || g.PageH > maxPageEdges {
		fields.Add("left", "error.label.grid_outside")
	}
	return fields.Err()
}
