package web

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/label"
)

// labelSheetPage shows sheets before they are printed.
type labelSheetPage struct {
	Page

	Form     *Form
	Count    string
	Labels   string // their numbers, kept in the form
	Grid     Field
	Start    Field
	Own      []Field // of a grid of one's own
	IsOwn    bool
	Previews []sheetPreview
	PDF      string
	Address  string
	Local    bool // the address is of this machine only: no telephone reaches it
}

type sheetPreview struct{ Src, Alt string }

var labelSheetView = newView[labelSheetPage]("page_labels_sheet.html", shell)

// ownGrid is the value of a grid whose measures are typed.
const ownGrid = "own"

// ownMeasures are the fields of a grid of one's own with their first values.
var ownMeasures = []struct{ name, first string }{
	{"columns", "3"}, {"rows", "8"}, {"left", "7"}, {"top", "13"}, {"right", "7"}, {"bottom", "13"}, {"gap_x", "2.5"}, {"gap_y", "0"},
}

// maxPreviews is how many sheets are drawn on the page; all are in the PDF.
const maxPreviews = 4

func gridOptions(r *Request) []Option {
	var options []Option
	for _, g := range label.Grids {
		options = append(options, Option{Value: g.Name, Label: r.T("label.grid.named", "name", g.Name, "columns", g.Columns, "rows", g.Rows, "w", r.Num(g.W, 1), "h", r.Num(g.H, 1))})
	}
	return append(options, Option{Value: ownGrid, Label: r.T("label.grid.own")})
}

// gridOf reads the grid and the first position from the address.
func gridOf(f *Form) (label.Grid, int, error) {
	start := max(1, int(f.ID("start")))
	name := f.Get("grid")
	if name == ownGrid {
		v := map[string]float64{}
		var bad fault.Fields
		for _, m := range ownMeasures {
			n, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(f.Get(m.name)), ",", ".", 1), 64)
			if err != nil {
				bad.Add(m.name, "error.label.grid_length", "max", 60)
			}
			v[m.name] = n
		}
		if err := bad.Err(); err != nil {
			return label.Grid{}, start, err
		}
		g, err := label.Own(int(v["columns"]), int(v["rows"]), v["left"], v["top"], v["right"], v["bottom"], v["gap_x"], v["gap_y"])
		return g, start, err
	}
	g, ok := label.GridNamed(name)
	if !ok {
		g = label.Grids[0]
	}
	return g, start, nil
}

// sheetForm is the address as a form.
func sheetForm(r *Request) *Form {
	f := r.Blank("l", r.Address.Get("l"), "grid", r.Address.Get("grid"), "start", r.Address.Get("start"))
	if f.Get("grid") == "" {
		f.values.Set("grid", label.Grids[0].Name)
	}
	if f.Get("start") == "" {
		f.values.Set("start", "1")
	}
	for _, m := range ownMeasures {
		v := r.Address.Get(m.name)
		if v == "" {
			v = m.first
		}
		f.values.Set(m.name, v)
	}
	return f
}

// sheets lays out the labels of the address.
func (s *Server) sheets(r *Request, f *Form) ([]label.Sheet, int, error) {
	var ids []int64
	for v := range strings.SplitSeq(f.Get("l"), ",") {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || len(ids) >= label.MaxAtOnce {
			return nil, 0, fault.New(fault.NotFound, "error.label.not_found")
		}
		ids = append(ids, n)
	}
	labels, err := s.deps.Labels.Find(r.Context(), r.Who, ids)
	if err != nil {
		return nil, 0, err
	}
	n, err := r.names()
	if err != nil {
		return nil, 0, err
	}
	site := s.site(r)
	stickers := make([]label.Sticker, len(labels))
	for i, l := range labels {
		token, err := s.deps.Labels.Token(r.Context(), l)
		if err != nil {
			return nil, 0, err
		}
		where := n.places.RoomName(l.Room)
		if where == "" && l.Machine == "" {
			where = r.T("label.whole_school")
		}
		stickers[i] = label.Sticker{Link: site + "/q/" + token, Where: where, Machine: l.Machine, School: n.places.SchoolName(l.School), Call: r.T("label.call")}
	}
	g, start, err := gridOf(f)
	if err != nil {
		return nil, len(labels), err
	}
	sheets, err := label.Sheets(g, start, stickers)
	return sheets, len(labels), err
}

func (s *Server) labelSheet(r *Request) error {
	f := sheetForm(r)
	sheets, count, err := s.sheets(r, f)
	code := http.StatusOK
	if err != nil {
		if !f.Refused(err) || count == 0 {
			return err
		}
		code = status(err)
	}
	p := &labelSheetPage{
		Page: Page{Title: r.T("label.sheet.title"), Lede: r.T("label.sheet.lede"), Crumbs: []Link{{Label: r.T("label.title"), Href: "/labels"}}},
		Form: f, Count: r.N("label.sheet.count", count), Labels: f.Get("l"), Address: s.site(r), IsOwn: f.Get("grid") == ownGrid,
		Grid:  f.Select("grid", r.T("label.grid"), gridOptions(r)).Plain(),
		Start: f.Input("number", "start", r.T("label.sheet.start")).Plain().Hinted(r.T("label.sheet.start_hint")),
	}
	p.Local = strings.Contains(p.Address, "://127.") || strings.Contains(p.Address, "://localhost") || strings.Contains(p.Address, "://[::1]")
	for _, m := range ownMeasures {
		c := f.Text(m.name, r.T("label.own."+m.name)).Plain()
		c.Mode = "decimal"
		p.Own = append(p.Own, c)
	}
	address := Address{Path: "/labels/sheet.pdf"}.With("l", f.Get("l")).With("grid", f.Get("grid")).With("start", f.Get("start"))
	if p.IsOwn {
		for _, m := range ownMeasures {
			address = address.With(m.name, f.Get(m.name))
		}
	}
	if len(sheets) > 0 {
		p.PDF = address.String()
	}
	for i := range min(len(sheets), maxPreviews) {
		p.Previews = append(p.Previews, sheetPreview{Src: address.At("/labels/sheet.svg").With("page", strconv.Itoa(i+1)).String(), Alt: r.T("label.sheet.preview", "page", i+1, "pages", len(sheets))})
	}
	return labelSheetView.show(r, code, p)
}

func (s *Server) labelSheetSVG(r *Request) error {
	sheets, _, err := s.sheets(r, sheetForm(r))
	if err != nil {
		return err
	}
	page, err := strconv.Atoi(r.Address.Get("page"))
	if err != nil || page < 1 || page > len(sheets) {
		return fault.New(fault.NotFound, "error.not_found")
	}
	var b bytes.Buffer
	if err := sheets[page-1].SVG(&b); err != nil {
		return err
	}
	return r.file("image/svg+xml", "", b.Bytes())
}

func (s *Server) labelSheetPDF(r *Request) error {
	sheets, _, err := s.sheets(r, sheetForm(r))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := label.PDF(&b, r.T("label.title"), sheets); err != nil {
		return err
	}
	return r.file("application/pdf", r.T("label.sheet.file")+".pdf", b.Bytes())
}

// file sends bytes, to be kept under a name if there is one.
func (r *Request) file(kind, name string, data []byte) error {
	h := r.W.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	h.Set("X-Content-Type-Options", "nosniff")
	if name != "" {
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := r.W.Write(data)
	if err != nil {
		r.Server.log.Debug("web: reader went away", "request", r.ID, "error", err)
	}
	return nil
}
