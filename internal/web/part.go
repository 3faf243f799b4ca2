package web

import (
	"html/template"
	"strings"
	"time"

	"statincidents/internal/locale"
)

// Components: each struct has its template of the same name in part_*.html.

// FilterBar is a form whose address is the page's state.
type FilterBar struct {
	*locale.Printer

	Action string
	Fields []Field
	Hidden []Hidden // state that the fields do not hold (sort, tab)
	Active []Chip   // what filters now, each with the address without it
	Clear  string   // address without any filter, "" if there is none
}

// Hidden is a value that a form carries along.
type Hidden struct{ Name, Value string }

// Chip is an active filter that a click takes away.
type Chip struct{ Label, Href string }

// Filters is a form filled with the reader's address, from which a filter bar's
// fields are made.
func (r *Request) Filters() *Form {
	return &Form{Printer: r.Printer, values: r.URL.Query()}
}

// FilterBar puts fields in a bar. Keep are parameters that stay as they are.
// An active chip is made of each field that has a value; a select's says its
// option.
func (r *Request) FilterBar(fields []Field, keep ...string) FilterBar {
	bar := FilterBar{Printer: r.Printer, Action: r.Address.Path}
	var names []string
	for _, f := range fields {
		f = f.Plain()
		f.ID = "q-" + f.Name // a form of the page may have a field of that name
		bar.Fields = append(bar.Fields, f)
		names = append(names, f.Name)
		for _, v := range r.Address.All(f.Name) {
			if v == "" {
				continue
			}
			word := v
			for _, o := range f.Options {
				if o.Value == v {
					word = o.Label
				}
			}
			bar.Active = append(bar.Active, Chip{Label: r.Label(f.Label) + word, Href: r.Address.Toggle(f.Name, v).String()})
		}
	}
	for _, k := range keep {
		for _, v := range r.Address.All(k) {
			bar.Hidden = append(bar.Hidden, Hidden{k, v})
		}
	}
	if len(bar.Active) > 0 {
		bar.Clear = r.Address.Without(names...).String()
	}
	return bar
}

// Table is a table of data with its caption. On a phone a stacked table shows
// each row as a short list of label and value.
type Table struct {
	*locale.Printer

	ID      string
	Caption string
	Hide    bool // the caption is for screen readers only, where a heading says it
	Stacked bool
	Columns []Column
	Rows    []TableRow
	Foot    []Cell
}

// Region names the part of the page that scrolls when the table is wide: not
// as a heading above it does.
func (t Table) Region() string {
	if t.Printer == nil {
		return t.Caption
	}
	return t.T("web.table.region", "name", t.Caption)
}

// Column is a column's heading. Lead marks the one that names the row.
type Column struct {
	Label string
	Num   bool // figures, to the right
	Lead  bool
	Wrap  bool // long text: keeps a readable width
	Sort  *Sort
}

// Sort is a heading's link and its present order.
type Sort struct {
	Href string
	Dir  string // "ascending", "descending", "" when the table is sorted by another column
}

// TableRow is one row.
type TableRow struct{ Cells []Cell }

// Cell is one cell: a text, linked or not, or something drawn.
type Cell struct {
	Text   string
	Note   string // smaller, under the text
	Href   string
	Aside  bool // its link is not the row's own: the keys j and k pass over it
	Badge  *Badge
	Moment *Moment
	Drawn  template.HTML
}

// Cells makes cells of plain texts.
func Cells(texts ...string) []Cell {
	cells := make([]Cell, len(texts))
	for i, t := range texts {
		cells[i].Text = t
	}
	return cells
}

// Empty tells whether the cell shows nothing.
func (c Cell) Empty() bool {
	return c.Text == "" && c.Badge == nil && c.Moment == nil && c.Drawn == ""
}

// SortBy is a heading that sorts by a key kept in the address as "sort=key" or
// "sort=-key". First is the order of a first click: "" ascending, "-" descending.
func (r *Request) SortBy(key, first, standing string) *Sort {
	now := r.Address.Get("sort")
	if now == "" {
		now = standing
	}
	s := &Sort{Href: r.Address.With("sort", first+key).String()}
	switch now {
	case key:
		s.Dir, s.Href = "ascending", r.Address.With("sort", "-"+key).String()
	case "-" + key:
		s.Dir, s.Href = "descending", r.Address.With("sort", key).String()
	}
	return s
}

// Moment is an instant said relatively, with the exact one at hand.
type Moment struct {
	Relative string
	Exact    string
	ISO      string
	Fixed    bool // an old instant: its words no longer change
	Focus    bool // takes the focus, where it stands alone and not in a list
}

// Moment says when, from now.
func (r *Request) Moment(t time.Time) Moment {
	return MomentOf(r.Printer, t, r.Now())
}

// MomentOf says when, from an instant.
func MomentOf(p *locale.Printer, t, now time.Time) Moment {
	age := now.Sub(t)
	return Moment{Relative: p.Relative(t, now), Exact: p.DateTime(t), ISO: t.UTC().Format(time.RFC3339), Fixed: age > 24*time.Hour || age < -24*time.Hour}
}

// Pager ends a list: how much is shown, and the way on. Cursors go forward; the
// browser's back goes back.
type Pager struct {
	*locale.Printer

	Shown int
	Total int
	First string // address of the first page, "" when on it
	Next  string // address of the next page, "" at the end
}

// Pager makes a pager of a list's cursor.
func (r *Request) Pager(shown, total int, next string) Pager {
	p := Pager{Printer: r.Printer, Shown: shown, Total: total}
	if r.Address.Get("after") != "" {
		p.First = r.Address.Without("after").String()
	}
	if next != "" {
		p.Next = r.Address.With("after", next).String()
	}
	return p
}

// KeyFigure is one figure with its name, its trend and the list behind it.
type KeyFigure struct {
	Label string
	Value string
	Unit  string
	Href  string
	Trend *Trend
	Note  string        // period, population, how sure
	Spark template.HTML // its course, drawn
}

// Trend compares with before.
type Trend struct {
	Dir     string // "up", "down", "flat"
	Text    string // "+12 %"
	Against string // "par rapport à …"
	Tone    string // "worse", "better", "" when it is neither
}

// Icon is the arrow of the trend.
func (t Trend) Icon() string {
	switch t.Dir {
	case "up":
		return "trending-up"
	case "down":
		return "trending-down"
	}
	return "arrow-right"
}

// ChartFrame surrounds a drawing: the finding, the question, the same numbers
// as a table, how to read it, and the ways to take it away.
type ChartFrame struct {
	*locale.Printer

	ID       string
	Title    string        // the finding when there is one
	Under    bool          // it stands under a section's heading
	Question string        // what, of whom, when
	Drawing  template.HTML // of chart.Render
	Table    *Table
	How      string // one sentence
	Exports  []Link
	Empty    string // said instead of the drawing when there is nothing to draw
}

// Tabs are links between views of one thing.
type Tabs struct {
	Label string // what they switch, for screen readers
	Items []Tab
}

// Tab is one of them.
type Tab struct {
	Label   string
	Href    string
	Current bool
	Count   string
}

// TabsBy makes tabs of a parameter of the address: pairs of value and label.
// The first value is the default and leaves the address.
func (r *Request) TabsBy(name, label string, pairs ...string) Tabs {
	t := Tabs{Label: label}
	now := r.Address.Get(name)
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i]
		if i == 0 {
			value = ""
		}
		t.Items = append(t.Items, Tab{Label: pairs[i+1], Href: r.Address.With(name, value).String(), Current: now == value || i == 0 && now == pairs[0]})
	}
	return t
}

// EmptyState teaches the next step.
type EmptyState struct {
	Icon   string
	Title  string
	Text   string
	Action *Link
}

// Progress says how far something long is.
type Progress struct {
	ID    string
	Label string
	Done  int
	Total int    // 0 when not known
	Said  string // "12 300 sur 24 918, encore 4 s"
}

// Known tells whether the end is known.
func (p Progress) Known() bool { return p.Total > 0 }

// Legend joins parts of a note with a middle dot, leaving empty ones out.
func Legend(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}
