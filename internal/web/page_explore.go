package web

import (
	"net/http"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
)

// explorePage answers any question: a measure by dimensions under filters. The
// address holds the whole question.
type explorePage struct {
	Page

	Bar      FilterBar
	Ask      []Field // measure, dimensions, comparison, how many
	Keep     []Hidden
	Chart    ChartFrame
	HasDraw  bool
	Figure   *KeyFigure // a question without dimensions has one figure
	Table    *Table
	Sentence string // the question in words
	Behind   Link
	Exports  []Link
	Empty    *EmptyState
	Loading  bool
	Refused  string
	Help     string // what the measure counts
	Ready    []readyGroup
}

var exploreView = newView[explorePage]("page_explore.html", shell)

func (s *Server) exploreRoutes() {
	s.page("GET /explore", s.explore, needs(auth.ViewStatistics))
	s.page("GET /explore.csv", s.exportFigures, needs(auth.ExportData))
	s.page("GET /explore.xlsx", s.exportFigures, needs(auth.ExportData))
	s.navEntry(entry{order: 20, key: "explore.title", icon: "chart-column", href: "/explore", right: auth.ViewStatistics, phone: true, menuFor: []auth.Role{auth.Referent}})
}

// exploreMeasures are offered in this order, grouped; the unresolved are said
// beside every delay.
var exploreMeasures = []struct {
	group    string
	measures []cube.Measure
}{
	{"flow", []cube.Measure{cube.Count, cube.Resolved, cube.Backlog, cube.Unresolved, cube.Per100Computers, cube.Per100Pupils}},
	{"delays", []cube.Measure{cube.ResolutionMedian, cube.ResolutionP90, cube.ResolutionMean, cube.ClosingMedian, cube.ClosingMean}},
	{"clocks", []cube.Measure{cube.ResponseKept, cube.ResponseLate, cube.ResponseOpen, cube.ResolutionKept, cube.ResolutionLate, cube.ResolutionOpen, cube.ResolutionOpenMean}},
	{"quality", []cube.Measure{cube.SatisfiedShare, cube.Satisfaction, cube.Rated, cube.Reopened, cube.ReopenedShare, cube.Repeat, cube.RepeatShare, cube.Reassignments}},
	{"work", []cube.Measure{cube.WorkTime, cube.Visits, cube.Parts, cube.PartsCost, cube.Checklists, cube.ChecksFailed}},
}

// exploreDims are offered in this order, grouped.
var exploreDims = []struct {
	group string
	dims  []cube.Dim
}{
	{"where", []cube.Dim{cube.DimSchool, cube.DimCommune, cube.DimRoom, cube.DimNetwork, cube.DimMachine}},
	{"what", []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3, cube.DimCause, cube.DimResolution}},
	{"how", []cube.Dim{cube.DimState, cube.DimOpen, cube.DimPriority, cube.DimImpact, cube.DimUrgency, cube.DimOrigin, cube.DimHandled, cube.DimDeclarant, cube.DimTeam, cube.DimAssignee, cube.DimTarget, cube.DimReopened}},
	{"clocks", []cube.Dim{cube.DimResponseClock, cube.DimResolutionClock, cube.DimWaiting, cube.DimReassigned, cube.DimRating}},
	{"when", []cube.Dim{cube.DimDay, cube.DimWeek, cube.DimMonth, cube.DimYear, cube.DimSchoolYear, cube.DimSchoolWeek, cube.DimWeekday, cube.DimHour}},
}

// byNone asks for the whole, without any dimension; without a "by" the question
// is by type.
const byNone = "none"

// exploreLimit is how many keys are shown unless the reader asks for others.
const exploreLimit = 15

// question reads the question that the reader's address asks.
func (r *Request) question(span period) (cube.Query, error) {
	v := r.URL.Query()
	all := v.Get("limit") == "all"
	if all {
		v.Del("limit")
	}
	if !v.Has("measure") {
		v.Set("measure", string(cube.Count))
	}
	switch {
	case slices.Contains(v["by"], byNone):
		v.Del("by")
	case !v.Has("by"):
		v.Set("by", string(cube.DimCategory))
	}
	v.Del("from")
	v.Del("to")
	compare := cube.Compare(v.Get("compare"))
	v.Del("compare")
	for _, own := range ownParams {
		v.Del(own)
	}
	q, err := cube.DecodeValues(v)
	if err != nil {
		return q, err
	}
	q.From, q.To = span.From, span.To
	q.Measures = q.Measures[:1]
	q.Measures = append(q.Measures, beside(q.Measures[0])...)
	if q.Limit == 0 && !all {
		q.Limit = exploreLimit
	}
	if q.From != 0 && len(q.By) < 2 {
		q.Compare = compare
	}
	return q, nil
}

// beside are the figures without which a measure cannot be judged: how many
// incidents it rests on, and what it leaves out.
func beside(m cube.Measure) []cube.Measure {
	switch {
	case m == cube.ResponseKept:
		return []cube.Measure{cube.Count, cube.ResponseLate}
	case m == cube.ResolutionKept:
		return []cube.Measure{cube.Count, cube.ResolutionLate}
	case m == cube.SatisfiedShare, m == cube.Satisfaction:
		return []cube.Measure{cube.Rated, cube.Count}
	case m == cube.Rated:
		return []cube.Measure{cube.SatisfiedShare, cube.Count}
	case m.Delay():
		return []cube.Measure{cube.Count, cube.Unresolved}
	case m.Share(), m.Rate(), m.Sum():
		return []cube.Measure{cube.Count}
	}
	return nil
}

// worse says which direction of a measure is bad news: 1 up, -1 down, 0 neither.
func worse(m cube.Measure) int {
	switch m {
	case cube.ResponseKept, cube.ResolutionKept, cube.SatisfiedShare, cube.Satisfaction:
		return -1
	case cube.Rated, cube.Visits, cube.WorkTime, cube.Parts, cube.PartsCost, cube.Checklists:
		return 0
	default:
		return 1
	}
}

func (s *Server) explore(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	span := r.period()
	q, err := r.question(span)
	if err != nil {
		return err
	}
	p := &explorePage{Page: Page{Title: r.T("explore.title"), Lede: r.T("explore.lede")}, Bar: r.incidentFilters(n, span, q.Filters)}
	p.ask(r, n.labels(), q, span)
	p.Help, p.Ready = n.labels().Help(q.Measures[0]), ready(r)
	res, err := s.deps.Cube.Run(r.Context(), r.Scope(), q)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Loading = true
		return exploreView.show(r, http.StatusOK, p)
	case fault.Is(err, fault.TooLarge), fault.Is(err, fault.Invalid):
		p.Refused, _ = r.Error(err)
		return exploreView.show(r, status(err), p)
	case err != nil:
		return err
	}
	if res.Population == 0 && res.Total.Values[0].N == 0 {
		p.Empty = &EmptyState{Icon: "inbox", Title: r.T("explore.empty.title"), Text: r.T("explore.empty.text"), Action: &Link{Label: r.T("period.all"), Href: r.Address.Without("from", "to").With("period", "all").String(), Icon: "calendar-days"}}
		return exploreView.show(r, http.StatusOK, p)
	}
	f := r.figures(n, res)
	f.click = f.filter
	m := q.Measures[0]
	if len(q.By) > 0 && !m.Rate() && !res.Total.Values[0].Valid {
		// Nobody has answered, nothing is promised yet: bars of nothing teach nothing.
		p.Empty = &EmptyState{Icon: "hourglass", Title: r.T("explore.nothing.title"), Text: r.T("explore.nothing.text", "measure", n.labels().Measure(m)),
			Action: &Link{Label: r.T("period.all"), Href: r.Address.Without("from", "to").With("period", "all").String(), Icon: "calendar-days"}}
		return exploreView.show(r, http.StatusOK, p)
	}
	p.Sentence = f.sentence()
	p.Behind = Link{Label: r.N("explore.behind", f.value(res.Total, m).N), Href: f.list(nil, res.Total, m), Icon: "list"}
	p.Exports = r.exports(q)
	switch len(q.By) {
	case 0:
		p.Figure = &KeyFigure{Label: f.say.Measure(m), Value: f.say.Value(m, f.value(res.Total, m)), Href: p.Behind.Href, Trend: f.trend(m, worse(m), against(r, q.Compare)), Note: f.question(span.Label)}
	case 2:
		p.Table = f.cross(p.Sentence, m)
	default:
		p.Table = f.table(res.Rows, q.By, &res.Total, p.Sentence)
		sortLinks(r, p.Table, q)
	}
	if drawing := f.draw(p.Sentence); drawing != nil {
		p.HasDraw = true
		p.Chart = ChartFrame{Printer: r.Printer, ID: "answer", Title: p.Sentence, Question: Legend(f.question(r.T("explore.what")), f.beyond()), How: r.T("explore.how." + kindOf(drawing)),
			Drawing: chart.Render(drawing, r.Printer, chart.Full)}
	}
	return exploreView.show(r, http.StatusOK, p)
}

// ask makes the fields of the question.
func (p *explorePage) ask(r *Request, say *cube.Labeler, q cube.Query, span period) {
	f := r.Blank("measure", string(q.Measures[0]), "compare", string(q.Compare), "limit", r.Address.Get("limit"))
	var measures []Option
	for _, g := range exploreMeasures {
		for _, m := range g.measures {
			measures = append(measures, Option{Value: string(m), Label: say.Measure(m), Group: r.T("explore.measures." + g.group)})
		}
	}
	dims := func(empty Option) []Option {
		options := []Option{empty}
		for _, g := range exploreDims {
			for _, d := range g.dims {
				options = append(options, Option{Value: string(d), Label: say.Dim(d), Group: r.T("explore.group." + g.group)})
			}
		}
		return options
	}
	p.Ask = []Field{f.Select("measure", r.T("explore.measure"), measures).Plain()}
	// The dimensions are one parameter given several times.
	for i, label := range []string{"explore.by", "explore.then", "explore.and"} {
		if i > len(q.By) || i > 0 && len(q.By) == 0 {
			break
		}
		chosen := r.Blank()
		if i < len(q.By) {
			chosen.values.Set("by", string(q.By[i]))
		}
		empty := Option{Label: "—"}
		if i == 0 {
			empty = Option{Value: byNone, Label: r.T("explore.by.none")}
		}
		c := chosen.Select("by", r.T(label), dims(empty)).Plain()
		c.ID = "f-by-" + strconv.Itoa(i+1)
		p.Ask = append(p.Ask, c)
	}
	if span.From != 0 && len(q.By) < 2 {
		p.Ask = append(p.Ask, f.Select("compare", r.T("explore.compare"), []Option{
			{Label: r.T("explore.compare.none")}, {Value: string(cube.ComparePrevious), Label: r.T("explore.compare.previous")}, {Value: string(cube.CompareSchoolYear), Label: r.T("explore.compare.school_year")},
		}).Plain())
	}
	p.Ask = append(p.Ask, f.Select("limit", r.T("explore.limit"), []Option{
		{Label: r.T("explore.limit.n", "n", exploreLimit)}, {Value: "5", Label: r.T("explore.limit.n", "n", 5)}, {Value: "30", Label: r.T("explore.limit.n", "n", 30)}, {Value: "100", Label: r.T("explore.limit.n", "n", 100)}, {Value: "all", Label: r.T("explore.limit.all")},
	}).Plain())
	if kinds := drawings(q); len(kinds) > 1 {
		options := []Option{{Label: r.T("explore.chart.auto")}}
		for _, kind := range kinds {
			options = append(options, Option{Value: kind, Label: r.T("explore.chart." + kind)})
		}
		f.values.Set("chart", r.Address.Get("chart"))
		p.Ask = append(p.Ask, f.Select("chart", r.T("explore.chart"), options).Plain())
	}
	asked := []string{"measure", "by", "compare", "limit", "after", "order", "chart"}
	for _, name := range r.Address.names() {
		if !slices.Contains(asked, name) {
			for _, v := range r.Address.All(name) {
				p.Keep = append(p.Keep, Hidden{name, v})
			}
		}
	}
	if p.Bar.Clear != "" {
		kept := Address{Path: "/explore"}
		for _, name := range asked {
			for _, v := range r.Address.All(name) {
				kept = kept.Toggle(name, v)
			}
		}
		p.Bar.Clear = kept.With("period", "all").String()
	}
}

// sentence says the question: "Nombre d'incidents par type et par mois".
func (f figures) sentence() string {
	q := f.res.Query
	s := f.say.Measure(q.Measures[0])
	if len(q.By) > 0 {
		var dims []string
		for _, d := range q.By {
			dims = append(dims, lowerFirst(f.say.Dim(d)))
		}
		s = f.r.T("explore.sentence", "measure", s, "dims", f.r.List(dims))
	}
	return s
}

// lowerFirst writes a name inside a sentence.
func lowerFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(first)) + s[size:]
}

// filter is where a click on a mark leads: the same question about the mark
// alone, or without it when it is what filters already.
func (f figures) filter(by []cube.Dim, row cube.Row, _ cube.Measure) string {
	a := f.r.Address.Without("order")
	for i, d := range by {
		key := row.Keys[i]
		switch {
		case row.Others && key == cube.OthersKey:
			for _, top := range f.res.Top {
				a = a.Toggle(string(d)+".not", cube.EscapeKey(top))
			}
		default:
			a = a.Toggle(string(d), cube.EscapeKey(key))
		}
	}
	return a.String()
}

// cross is the table of two dimensions: rows by columns, totals at the edges.
func (f figures) cross(caption string, m cube.Measure) *Table {
	by := f.res.Query.By
	t := &Table{Printer: f.r.Printer, Caption: caption, Hide: true, Columns: []Column{{Label: f.say.Dim(by[0]), Lead: true}}}
	cols := trimmed(f.res.Margins[1], by[1])
	for _, c := range cols {
		t.Columns = append(t.Columns, Column{Label: f.label(c, by[1:], 0), Num: true})
	}
	t.Columns = append(t.Columns, Column{Label: f.r.T("common.total"), Num: true})
	at := map[[2]string]cube.Row{}
	for _, row := range f.res.Rows {
		at[[2]string{row.Keys[0], row.Keys[1]}] = row
	}
	cell := func(dims []cube.Dim, row cube.Row) Cell {
		v := f.value(row, m)
		c := Cell{Text: f.say.Value(m, v)}
		if v.N > 0 {
			c.Href = f.list(dims, row, m)
		}
		return c
	}
	for _, margin := range trimmed(f.res.Margins[0], by[0]) {
		cells := []Cell{{Text: f.label(margin, by, 0)}}
		for _, c := range cols {
			if row, ok := at[[2]string{margin.Keys[0], c.Keys[0]}]; ok {
				cells = append(cells, cell(by, row))
			} else {
				cells = append(cells, Cell{Text: "·"})
			}
		}
		t.Rows = append(t.Rows, TableRow{Cells: append(cells, cell(by[:1], margin))})
	}
	t.Foot = []Cell{{Text: f.r.T("common.total")}}
	for _, c := range cols {
		t.Foot = append(t.Foot, cell(by[1:], c))
	}
	t.Foot = append(t.Foot, cell(nil, f.res.Total))
	return t
}

// sortLinks lets the table be ordered by its columns.
func sortLinks(r *Request, t *Table, q cube.Query) {
	for i := range t.Columns {
		key := "key"
		if k := i - len(q.By); k >= 0 {
			if q.Compare != cube.CompareNone {
				// The figure, what it was and the change stand together.
				if k == 1 || k == 2 {
					continue
				}
				k = max(0, k-2)
			}
			key = string(q.Measures[k])
		} else if i > 0 {
			continue
		}
		s := &Sort{Href: r.Address.With("order", "-"+key).String()}
		switch q.Order {
		case key:
			s.Dir = "ascending"
		case "-" + key:
			s.Dir, s.Href = "descending", r.Address.With("order", key).String()
		}
		t.Columns[i].Sort = s
	}
}

// exports are the files of a question's answer.
func (r *Request) exports(q cube.Query) []Link {
	if !r.Who.Can(auth.ExportData) {
		return nil
	}
	q.Measures, q.Limit, q.Order = q.Measures[:1], 0, ""
	a := Address{Path: "/explore"}.withValues(cube.EncodeValues(q)).With("limit", "all")
	if len(q.By) == 0 {
		a = a.With("by", byNone)
	}
	if q.From == 0 && q.To == 0 {
		a = a.With("period", "all")
	}
	var links []Link
	for _, kind := range []string{"csv", "xlsx"} {
		links = append(links, Link{Label: r.T("export." + kind), Href: a.At("/explore." + kind).String(), Icon: "download"})
	}
	return links
}

// exportFigures sends what Explore shows, one row a group.
func (s *Server) exportFigures(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	q, err := r.question(r.period())
	if err != nil {
		return err
	}
	res, err := s.deps.Cube.Run(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	f := r.figures(n, res)
	var columns []sheet.Column
	for _, d := range q.By {
		columns = append(columns, sheet.Column{Title: f.say.Dim(d), Width: 32})
	}
	for _, m := range q.Measures {
		kind := sheet.Number
		if m.Share() {
			kind = sheet.Percent
		}
		columns = append(columns, sheet.Column{Title: f.say.Measure(m), Kind: kind, Width: 20}, sheet.Column{Title: r.T("explore.rests", "measure", f.say.Measure(m)), Kind: sheet.Number})
	}
	out, err := r.download("figures", columns)
	if err != nil {
		return err
	}
	write := func(first []any, row cube.Row) error {
		for i := range q.Measures {
			var v any
			if row.Values[i].Valid {
				v = row.Values[i].V
			}
			first = append(first, v, row.Values[i].N)
		}
		return out.Row(first...)
	}
	for _, row := range res.Rows {
		var first []any
		for i := range q.By {
			first = append(first, f.label(row, q.By, i))
		}
		if err := write(first, row); err != nil {
			return err
		}
	}
	var total []any
	for i := range q.By {
		name := ""
		if i == 0 {
			name = r.T("common.total")
		}
		total = append(total, name)
	}
	if err := write(total, res.Total); err != nil {
		return err
	}
	return out.Close()
}
