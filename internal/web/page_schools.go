package web

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
)

// schoolsPage compares the schools that the reader may see.
type schoolsPage struct {
	Page

	Bar     FilterBar
	Map     ChartFrame
	HasMap  bool
	Summary string
	Sorts   []sortChoice
	Table   Table
	Exports []Link
	Empty   *EmptyState
	Loading bool
}

var schoolsView = newView[schoolsPage]("page_schools.html", shell)

func (s *Server) schoolsRoutes() {
	s.page("GET /schools", s.schools, needs(auth.ViewStatistics))
	s.page("GET /schools.csv", s.exportSchools, needs(auth.ExportData))
	s.page("GET /schools.xlsx", s.exportSchools, needs(auth.ExportData))
	// A referent's school is their first page.
	s.navEntry(entry{order: 5, key: "schools.nav.mine", icon: "school", href: "/schools", right: auth.ViewStatistics, phone: true, roles: []auth.Role{auth.Referent}})
	s.navEntry(entry{order: 300, key: "schools.title", icon: "school", href: "/schools", right: auth.ViewStatistics, roles: []auth.Role{auth.Administrator, auth.Lead, auth.Technician}})
}

// schoolRow is what is known of a school in the period.
type schoolRow struct {
	school    directory.School
	exposure  directory.Exposure // what was in service at the end of the period
	known     bool               // … if it is known
	row       cube.Row           // count, rate, median
	open      cube.Value         // now
	course    []float64          // incidents by bucket of time
	hasFigure bool               // the answer holds a row of the school
}

// schoolColumns are the columns of the table and of the files, each with its
// order: what is not known comes last both ways.
var schoolColumns = []struct {
	key   string
	num   bool
	first string // order of a first click
	value func(f figures, s schoolRow) (v float64, known bool)
}{
	{key: "name"},
	{key: "commune"},
	{key: "computers", num: true, first: "-", value: func(_ figures, s schoolRow) (float64, bool) {
		return float64(s.exposure.Computers), s.known && s.exposure.Computers > 0
	}},
	{key: "pupils", num: true, first: "-", value: func(_ figures, s schoolRow) (float64, bool) {
		return float64(s.exposure.Pupils), s.known && s.exposure.Pupils > 0
	}},
	{key: "count", num: true, first: "-", value: valueOf(cube.Count)},
	{key: "rate", num: true, first: "-", value: valueOf(cube.Per100Computers)},
	{key: "open", num: true, first: "-", value: func(_ figures, s schoolRow) (float64, bool) { return s.open.V, true }},
	{key: "median", num: true, first: "-", value: valueOf(cube.ResolutionMedian)},
}

func valueOf(m cube.Measure) func(figures, schoolRow) (float64, bool) {
	return func(f figures, s schoolRow) (float64, bool) {
		v := f.value(s.row, m)
		return v.V, v.Valid || m == cube.Count
	}
}

// schoolsAnswer is everything that the page and its files show.
type schoolsAnswer struct {
	names *names
	span  period
	rows  []schoolRow
	f     figures    // by school
	open  cube.Value // of all that is shown, now
	trend string     // what the small curves cover
}

// maxCourses bounds the small curves: schools times buckets of time.
const maxCourses = 9000

// compareSchools asks for the figures of the schools that the address keeps, in
// the order that it asks for.
func (s *Server) compareSchools(r *Request) (schoolsAnswer, error) {
	n, err := r.names()
	if err != nil {
		return schoolsAnswer{}, err
	}
	a := schoolsAnswer{names: n, span: r.period()}
	seen := n.places.SchoolsIn(r.Scope())
	search := strings.TrimSpace(r.Address.Get("q"))
	at := r.lastDay(a.span)
	rank := map[string]int{}
	keep := cube.Filter{Dim: cube.DimSchool}
	for _, school := range seen {
		if search != "" && !matches(school.Name+" "+school.Commune+" "+school.UAI, search) {
			continue
		}
		row := schoolRow{school: school}
		row.exposure, row.known = n.places.ExposureAt(school.ID, at)
		rank[id(school.ID)] = len(a.rows)
		keep.In = append(keep.In, id(school.ID))
		a.rows = append(a.rows, row)
	}
	if len(a.rows) == 0 {
		return a, nil
	}
	results, err := s.deps.Cube.RunAll(r.Context(), r.Scope(), a.questions(r, keep, len(seen)))
	if err != nil {
		return a, err
	}
	a.f = r.figures(n, results[0])
	for _, row := range results[0].Rows {
		if i, ok := rank[row.Keys[0]]; ok {
			a.rows[i].row, a.rows[i].hasFigure = row, true
		}
	}
	for _, row := range results[1].Rows {
		if i, ok := rank[row.Keys[0]]; ok {
			a.rows[i].open = row.Values[0]
		}
	}
	a.open = results[1].Total.Values[0]
	if len(results) > 2 {
		courses(results[2], func(key string, course []float64) {
			if i, ok := rank[key]; ok {
				a.rows[i].course = course
			}
		})
	}
	a.sort(r)
	return a, nil
}

func (a *schoolsAnswer) questions(r *Request, keep cube.Filter, seen int) []cube.Query {
	by := []cube.Dim{cube.DimSchool}
	base := cube.Query{By: by, Measures: []cube.Measure{cube.Count, cube.Per100Computers, cube.ResolutionMedian, cube.Unresolved}, From: a.span.From, To: a.span.To}
	if len(keep.In) < seen && len(keep.In) <= cube.MaxFilterValues {
		base.Filters = []cube.Filter{keep}
	}
	now := base
	now.Measures, now.From, now.To = []cube.Measure{cube.Backlog}, r.today(), 0
	// Curves over all time would be too long: they show the last two years.
	course := base
	a.trend = r.T("schools.trend")
	if course.From == 0 {
		course.From, a.trend = r.today()-2*364, r.T("schools.trend.two_years")
	}
	span := period{From: course.From, To: course.To}
	grain := cube.Dim(span.granularity(r.today()))
	end := course.To
	if end == 0 {
		end = r.today() + 1
	}
	if days := int(end - course.From); grain == cube.DimDay && days > 31 || grain == cube.DimWeek && len(keep.In)*days/7 > maxCourses {
		grain = cube.DimMonth
	}
	course.By, course.Measures = []cube.Dim{cube.DimSchool, grain}, []cube.Measure{cube.Count}
	questions := []cube.Query{base, now}
	if len(keep.In)*(int(end-course.From)/30+2) <= maxCourses {
		questions = append(questions, course)
	}
	return questions
}

// courses gives each key of the first dimension its values along the second,
// in the order of time, without holes.
func courses(res cube.Result, give func(key string, course []float64)) {
	at := map[string]int{}
	for i, bucket := range res.Margins[1] {
		at[bucket.Keys[0]] = i
	}
	all := map[string][]float64{}
	for _, row := range res.Rows {
		i, ok := at[row.Keys[1]]
		if !ok {
			continue
		}
		if all[row.Keys[0]] == nil {
			all[row.Keys[0]] = make([]float64, len(at))
		}
		all[row.Keys[0]][i] = row.Values[0].V
	}
	for key, course := range all {
		give(key, course)
	}
}

func (a *schoolsAnswer) sort(r *Request) {
	key, down := strings.CutPrefix(r.Address.Get("sort"), "-")
	for _, c := range schoolColumns {
		switch {
		case c.key != key:
		case c.key == "commune":
			slices.SortStableFunc(a.rows, func(x, y schoolRow) int { return r.Compare(x.school.Commune, y.school.Commune) })
			if down {
				slices.Reverse(a.rows)
			}
		case c.value == nil:
			if down { // the directory's order is by name
				slices.Reverse(a.rows)
			}
		default:
			slices.SortStableFunc(a.rows, func(x, y schoolRow) int {
				v, known := c.value(a.f, x)
				w, knownToo := c.value(a.f, y)
				switch {
				case known != knownToo && known:
					return -1
				case known != knownToo:
					return 1
				case down:
					return cmp.Compare(w, v)
				}
				return cmp.Compare(v, w)
			})
		}
	}
}

func (s *Server) schools(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	seen := n.places.SchoolsIn(r.Scope())
	if len(seen) == 1 {
		return r.Redirect(r.Address.Without("q", "sort").At("/schools/" + id(seen[0].ID)).String())
	}
	p := &schoolsPage{Page: Page{Title: r.T("schools.title")}}
	f := r.Filters()
	p.Bar = r.FilterBar([]Field{f.Input("search", "q", r.T("schools.search")).Example(r.T("schools.search.example")), r.periodField(f, r.period())}, "sort")
	p.Actions = []Action{{Label: r.T("compare.link"), Icon: "chart-column", Href: r.Address.Without("q", "sort").At("/schools/compare").String()}}
	if r.Who.Can(auth.EditDirectory) {
		p.Actions = append(p.Actions, Action{Label: r.T("schools.manage"), Icon: "pencil", Href: "/admin/directory"})
	}
	a, err := s.compareSchools(r)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Loading = true
		return schoolsView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	case len(a.rows) == 0:
		p.Empty = r.noSchool(len(seen))
		return schoolsView.show(r, http.StatusOK, p)
	}
	p.Lede = r.T("schools.lede", "period", r.spanLabel(a.f.res.From, a.f.res.To))
	p.Summary = r.N("schools.count", len(a.rows))
	p.Table = a.table(r)
	p.sorts(r)
	p.Map, p.HasMap = a.drawMap(r)
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/schools." + kind).String(), Icon: "download"})
		}
	}
	return schoolsView.show(r, http.StatusOK, p)
}

// noSchool teaches the next step: what was searched is not there, or nothing is.
func (r *Request) noSchool(seen int) *EmptyState {
	switch {
	case seen > 0:
		return &EmptyState{Icon: "search", Title: r.T("schools.none.title"), Text: r.T("schools.none.text"), Action: &Link{Label: r.T("schools.none.all"), Href: r.Address.Without("q").String(), Icon: "list"}}
	case r.Who.Can(auth.ImportData):
		return &EmptyState{Icon: "school", Title: r.T("schools.empty.title"), Text: r.T("schools.empty.text"), Action: &Link{Label: r.T("schools.empty.import"), Href: "/admin/directory/import", Icon: "import"}}
	}
	return &EmptyState{Icon: "school", Title: r.T("schools.empty.title"), Text: r.T("schools.empty.ask")}
}

// sorts offers the orders on a phone, where the table has no heading.
func (p *schoolsPage) sorts(r *Request) {
	now := r.Address.Get("sort")
	for _, c := range schoolColumns {
		key := c.first + c.key
		p.Sorts = append(p.Sorts, sortChoice{Label: r.T("schools.column." + c.key), Href: r.Address.With("sort", key).String(), Current: now == key || now == "" && c.key == "name"})
	}
}

func (a *schoolsAnswer) table(r *Request) Table {
	t := Table{Printer: r.Printer, ID: "schools-table", Caption: r.T("schools.table"), Hide: true, Stacked: true}
	for _, c := range schoolColumns {
		t.Columns = append(t.Columns, Column{Label: r.T("schools.column." + c.key), Num: c.num, Lead: c.key == "name", Sort: r.SortBy(c.key, c.first, "name")})
	}
	t.Columns = append(t.Columns, Column{Label: a.trend})
	var computers, pupils int
	for _, row := range a.rows {
		computers += row.exposure.Computers
		pupils += row.exposure.Pupils
		t.Rows = append(t.Rows, TableRow{Cells: a.cells(r, row)})
	}
	total := a.f.res.Total
	t.Foot = []Cell{
		{Text: r.T("common.total")}, {}, {Text: orDash(r, computers)}, {Text: orDash(r, pupils)},
		a.figure(nil, total, cube.Count), a.figure(nil, total, cube.Per100Computers),
		{Text: r.Int(int(a.open.V)), Href: "/incidents?open=yes", Aside: true}, a.figure(nil, total, cube.ResolutionMedian), {},
	}
	return t
}

func orDash(r *Request, n int) string {
	if n == 0 {
		return "—"
	}
	return r.Int(n)
}

// figure is a measure with its incidents behind it.
func (a *schoolsAnswer) figure(by []cube.Dim, row cube.Row, m cube.Measure) Cell {
	v := a.f.value(row, m)
	c := Cell{Text: a.f.say.Value(m, v), Aside: true}
	if v.N > 0 {
		c.Href = a.f.list(by, row, m)
	}
	return c
}

func (a *schoolsAnswer) cells(r *Request, row schoolRow) []Cell {
	by := a.f.res.Query.By
	home := r.Address.Without("q", "sort").At("/schools/" + id(row.school.ID)).String()
	name := Cell{Text: row.school.Name, Href: home}
	if row.school.Closed != 0 && row.school.Closed <= r.today() {
		name.Note = r.T("schools.closed", "day", r.MediumDay(row.school.Closed))
	}
	count, rate, median := Cell{Text: "0"}, Cell{Text: "—"}, Cell{Text: "—"}
	if row.hasFigure {
		count, rate, median = a.figure(by, row.row, cube.Count), a.figure(by, row.row, cube.Per100Computers), a.figure(by, row.row, cube.ResolutionMedian)
	}
	open := Cell{Text: r.Int(int(row.open.V))}
	if row.open.N > 0 {
		open.Href, open.Aside = "/incidents?open=yes&school="+id(row.school.ID), true
	}
	course := Cell{}
	if len(row.course) > 1 {
		course.Drawn = (&chart.Spark{Head: chart.Head{ID: "course-" + id(row.school.ID), Label: r.T("schools.trend.of", "school", row.school.Name)}, Values: row.course}).HTML(r.Printer)
	}
	return []Cell{name, {Text: row.school.Commune}, {Text: orDash(r, row.exposure.Computers)}, {Text: orDash(r, row.exposure.Pupils)}, count, rate, open, median, course}
}

// drawMap shows the same figures where the schools are; each opens its page.
func (a *schoolsAnswer) drawMap(r *Request) (ChartFrame, bool) {
	f := a.f
	f.click = func(_ []cube.Dim, row cube.Row, _ cube.Measure) string {
		return r.Address.Without("q", "sort").At("/schools/" + row.Keys[0]).String()
	}
	m, ok := f.places(cube.Count, cube.Per100Computers, func(school directory.School, row cube.Row) string {
		return r.T("overview.map.mark", "school", school.Name, "commune", school.Commune, "n", int(f.value(row, cube.Count).V), "rate", f.say.Value(cube.Per100Computers, f.value(row, cube.Per100Computers)))
	})
	if !ok {
		return ChartFrame{}, false
	}
	c := ChartFrame{Printer: r.Printer, ID: "map", Title: r.T("schools.map.title"), Question: f.question(r.T("overview.map.what")), How: r.T("schools.map.how")}
	m.Head = chart.Head{ID: "map-chart", Label: c.Title, Desc: c.Question}
	m.SizeLabel, m.ShadeLabel = r.T("overview.map.size"), r.T("overview.map.shade")
	c.Drawing = chart.Render(m, r.Printer, chart.Half)
	return c, true
}

// exportSchools sends the table that is shown.
func (s *Server) exportSchools(r *Request) error {
	if err := r.Who.Require(auth.ViewStatistics); err != nil {
		return err
	}
	a, err := s.compareSchools(r)
	if err != nil {
		return err
	}
	number := func(key string) sheet.Column {
		return sheet.Column{Title: r.T("schools.column." + key), Kind: sheet.Number, Width: 16}
	}
	out, err := r.download("schools", []sheet.Column{
		{Title: "UAI", Width: 10}, {Title: r.T("schools.column.name"), Width: 40}, {Title: r.T("schools.column.commune"), Width: 24},
		number("computers"), number("pupils"), number("count"), number("rate"), number("open"), number("median"), {Title: a.unresolved(r), Kind: sheet.Number, Width: 16},
	})
	if err != nil {
		return err
	}
	for _, row := range a.rows {
		cells := []any{row.school.UAI, row.school.Name, row.school.Commune}
		for _, c := range schoolColumns[2:] {
			v, known := c.value(a.f, row)
			if !known {
				v = math.NaN()
			}
			if c.key == "rate" || c.key == "median" {
				v = math.Round(v*100) / 100
			}
			cells = append(cells, v)
		}
		if err := out.Row(append(cells, a.f.value(row.row, cube.Unresolved).V)...); err != nil {
			return err
		}
	}
	return out.Close()
}

func (a *schoolsAnswer) unresolved(r *Request) string {
	return a.names.labels().Measure(cube.Unresolved)
}

// lastDay is the last day of a period up to now.
func (r *Request) lastDay(span period) calendar.Day {
	if span.To == 0 {
		return r.today()
	}
	return min(r.today(), span.To-1)
}
