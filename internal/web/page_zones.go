package web

import (
	"math"
	"net/http"
	"strings"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/fault"
	"statincidents/internal/geo"
	"statincidents/internal/sheet"
)

// zonesPage shows the schools near one another that have had more incidents
// than is usual for them.
type zonesPage struct {
	Page

	Waiting  string // there is no result yet
	Refused  string // why nothing is concluded
	Findings Findings
	Zones    []zonePart
	Scans    Table
	HasScans bool
	Exports  []Link
	Note     MethodNote
}

// zonePart is one zone.
type zonePart struct {
	*chartPair

	ID       string
	Title    string
	Said     string
	Incident Link // its incidents
	Table    Table
}

type chartPair struct {
	Map    ChartFrame
	HasMap bool
	Strip  ChartFrame
}

var zonesView = newView[zonesPage]("page_zones.html", shell)

func (s *Server) zonesRoutes() {
	s.page("GET /zones", s.zones, needs(auth.ViewStatistics))
	s.analysisEntry(question{order: 60, key: "zones", icon: "map-pin", href: "/zones", found: func(r *Request) (string, error) {
		seen, out, _, err := s.deps.Analysis.ZonesFor(r.Context(), r.Scope())
		if err != nil || out.Refusal != nil {
			return "", err
		}
		n, err := r.names()
		if err != nil {
			return "", err
		}
		return zoneWords{r, n}.findings(seen, out)[0], nil
	}})
	s.page("GET /zones.csv", s.exportZones, needs(auth.ExportData))
	s.page("GET /zones.xlsx", s.exportZones, needs(auth.ExportData))
}

// zoneWords says zones to a reader.
type zoneWords struct {
	*Request

	n *names
}

func (s *Server) zones(r *Request) error {
	p := &zonesPage{Page: Page{Title: r.T("zones.title"), Lede: r.T("zones.lede"), Crumbs: []Link{{Label: r.T("analyses.title"), Href: "/analyses"}}}}
	p.Note = r.methodNote("zones", "zones")
	seen, out, made, err := s.deps.Analysis.ZonesFor(r.Context(), r.Scope())
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Waiting = r.T("error.analysis.none")
		return zonesView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	}
	r.recorded(&p.Note, made)
	if out.Unplaced > 0 {
		p.Note.Quality = append(p.Note.Quality, r.N("zones.quality.unplaced", out.Unplaced))
	}
	if out.Parts > 0 {
		p.Note.Quality = append(p.Note.Quality, r.N("zones.quality.parts", out.Parts))
	}
	if out.Refusal != nil {
		p.Refused = r.refusal(out.Refusal)
		return zonesView.show(r, http.StatusOK, p)
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	w := zoneWords{r, n}
	p.Findings = Findings{r.Printer, w.findings(seen, out)}
	for k := range seen {
		p.Zones = append(p.Zones, w.part(k, &seen[k]))
	}
	p.Scans, p.HasScans = w.scans(out)
	last := out.Study[len(out.Study)-1]
	p.Note.Steps = []string{
		r.T("zones.method.zones", "schools", r.Int(out.Schools), "longest", analysis.ZoneLongest, "last", r.Day(last.Monday)),
		r.T("zones.method.expected", "weeks", r.Int(len(out.Study)), "past", analysis.ZonePast),
		r.T("zones.method.null", "replicas", analysis.ZoneReplicas),
		r.T("zones.method.shown", "scans", r.Int(len(out.Scans)), "alert", r.Pct(analysis.ZoneAlert, 1)),
	}
	if r.Who.Can(auth.ExportData) && len(seen) > 0 {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: "/zones." + kind, Icon: "download"})
		}
	}
	return zonesView.show(r, http.StatusOK, p)
}

// about is what a scan looked at: "d'incidents", "d'incidents « Réseau »".
func (w zoneWords) about(category int64) string {
	if category == 0 {
		return w.T("zones.all")
	}
	return w.n.words.CategoryLabel(category, string(w.Lang()))
}

// where names a zone: "Autour de Pithiviers", "Collège Alfred de Musset".
func (w zoneWords) where(z *analysis.Zone) string {
	school, _ := w.n.places.School(z.Centre)
	if len(z.Members) == 1 {
		return school.Name
	}
	// « Autour du Malesherbois », « autour des Bordes ».
	for _, article := range []string{"le", "les"} {
		if rest, ok := strings.CutPrefix(strings.ToLower(school.Commune), article+" "); ok {
			return w.T("zones.around."+article, "commune", school.Commune[len(school.Commune)-len(rest):])
		}
	}
	return w.T("zones.around", "commune", school.Commune)
}

// odds says how often chance alone does as much, where a look is taken once a
// week.
func (w zoneWords) odds(p float64) string {
	switch times := math.Round(1 / p); {
	case p > 0.5:
		return w.T("zones.odds.often")
	case p > analysis.ZoneShown:
		return w.T("zones.odds.weeks", "n", w.Int(int(times)))
	case times <= 36*3:
		return w.T("zones.odds.weeks", "n", w.Int(int(times)))
	case times <= 100_000:
		return w.T("zones.odds.years", "weeks", w.Int(int(rounded(times))), "years", w.Int(int(rounded(times/36))))
	}
	return w.T("zones.odds.never", "weeks", w.Int(100_000))
}

// rounded keeps two figures: chances are not known better.
func rounded(v float64) float64 {
	if v < 10 {
		return math.Round(v)
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-1)
	return math.Round(v/unit) * unit
}

// sentence says a zone.
func (w zoneWords) sentence(z *analysis.SeenZone) string {
	if z.Hidden > 0 {
		school, _ := w.n.places.School(z.Centre)
		return w.T("zones.said.own", "school", school.Name, "others", w.N("zones.others", z.Hidden), "about", w.about(z.Category), "weeks", w.N("zones.weeks", z.Weeks),
			"observed", w.N("zones.incidents", z.Observed), "expected", w.Num(z.Expected, 0), "odds", w.odds(z.P))
	}
	key := "zones.said.zone"
	if len(z.Members) == 1 {
		key = "zones.said.school"
	}
	return w.T(key, "where", w.where(&z.Zone), "schools", w.N("zones.schools", len(z.Members)), "about", w.about(z.Category), "weeks", w.N("zones.weeks", z.Weeks),
		"observed", w.N("zones.incidents", z.Observed), "expected", w.Num(z.Expected, 0), "odds", w.odds(z.P))
}

// findings are the sentences at the top; nothing found is one too.
func (w zoneWords) findings(seen []analysis.SeenZone, out analysis.ZoneOutput) []string {
	var said []string
	for k := range seen {
		said = append(said, w.sentence(&seen[k]))
	}
	if len(seen) > 0 {
		return append(said, w.T("zones.found.since", "day", w.Day(seen[0].Since), "last", w.Day(seen[0].Last)))
	}
	if !w.Scope().All() {
		return []string{w.T("zones.found.none.own")}
	}
	said = append(said, w.T("zones.found.none"))
	var best *analysis.ZoneScan
	for k := range out.Scans {
		if out.Scans[k].Best != nil && (best == nil || out.Scans[k].P < best.P) {
			best = &out.Scans[k]
		}
	}
	if best != nil {
		z := best.Best
		said = append(said, w.T("zones.found.nearest", "where", w.where(z), "schools", w.N("zones.schools", len(z.Members)), "about", w.about(z.Category), "weeks", w.N("zones.weeks", z.Weeks),
			"observed", w.N("zones.incidents", z.Observed), "expected", w.Num(z.Expected, 0), "odds", w.odds(z.P)))
	}
	return said
}

// incidents is the address of the incidents of some days and type.
func (w zoneWords) incidents(category int64, from, to calendar.Day, schools ...int64) string {
	a := w.Address.Without("sort").At("/incidents").With("from", from.String()).With("to", to.String())
	if category != 0 {
		a = a.With("category", id(category))
	}
	for _, s := range schools { // a parameter met several times is any of them
		a = a.Toggle("school", id(s))
	}
	return a.String()
}

func (w zoneWords) part(k int, z *analysis.SeenZone) zonePart {
	var schools []int64
	for _, m := range z.Members {
		schools = append(schools, m.School)
	}
	p := zonePart{
		ID: "zone-" + id(int64(k+1)), Title: w.T("zones.zone.title", "where", w.where(&z.Zone), "about", w.about(z.Category)), Said: w.sentence(z),
		Incident: Link{Label: w.N("zones.see", z.Observed), Href: w.incidents(z.Category, z.Since, z.Last+7, schools...), Icon: "list"},
	}
	p.chartPair = &chartPair{Strip: w.strip(k, z, schools)}
	p.Map, p.HasMap = w.chart(k, z)
	t := Table{Printer: w.Printer, ID: p.ID + "-table", Caption: w.T("zones.table", "where", w.where(&z.Zone)), Hide: true, Stacked: true, Columns: []Column{
		{Label: w.T("schools.column.name"), Lead: true}, {Label: w.T("zones.column.observed"), Num: true}, {Label: w.T("zones.column.expected"), Num: true}, {Label: w.T("zones.column.more"), Num: true},
	}}
	shown := min(z.Weeks, len(z.History))
	for _, week := range z.History[len(z.History)-shown:] {
		t.Columns = append(t.Columns, Column{Label: w.T("zones.column.week", "day", w.ShortDay(week.Monday)), Num: true})
	}
	for _, m := range z.Members {
		school, _ := w.n.places.School(m.School)
		row := []Cell{
			{Text: school.Name, Note: school.Commune, Href: "/schools/" + id(m.School)},
			{Text: w.Int(m.Observed), Href: w.incidents(z.Category, z.Since, z.Last+7, m.School), Aside: true}, {Text: w.Num(m.Expected, 1)}, {Text: w.Signed(float64(m.Observed)-m.Expected, 0)},
		}
		for _, week := range m.Weeks[len(m.Weeks)-shown:] {
			row = append(row, Cell{Text: w.T("zones.of", "observed", w.Int(week.Observed), "expected", w.Num(week.Expected, 1))})
		}
		t.Rows = append(t.Rows, TableRow{row})
	}
	p.Table = t
	return p
}

// strip is the zone week by week.
func (w zoneWords) strip(k int, z *analysis.SeenZone, schools []int64) ChartFrame {
	f := ChartFrame{Printer: w.Printer, ID: "zone-weeks-" + id(int64(k+1)), Title: w.T("zones.strip.title"), Question: w.T("zones.strip.what", "about", w.about(z.Category)), How: w.T("zones.strip.how")}
	loc := w.Location()
	c := &chart.Strip{
		Head:    chart.Head{ID: f.ID + "-chart", Label: f.Title, Desc: f.Question},
		Period:  chart.Period{From: z.History[0].Monday.Start(loc), To: (z.Last + 7).Start(loc), Grain: chart.Week, Shades: w.holidays(z.History[0].Monday, z.Last+7)},
		Counted: w.T("zones.column.observed"), Expected: w.T("zones.column.expected"), Alert: w.T("zones.strip.alert"),
	}
	for _, week := range z.History {
		c.Weeks = append(c.Weeks, chart.StripWeek{
			At: week.Monday.Start(loc), Counted: float64(week.Observed), Expected: week.Expected, Out: week.Monday >= z.Since, Href: w.incidents(z.Category, week.Monday, week.Monday+7, schools...),
			Title: w.T("zones.strip.week", "day", w.Day(week.Monday), "observed", w.N("zones.incidents", week.Observed), "expected", w.Num(week.Expected, 1)),
		})
	}
	f.Drawing = chart.Render(c, w.Printer, chart.Half)
	return f
}

// holidays are the school holidays of a stretch, to shade.
func (w zoneWords) holidays(from, to calendar.Day) []chart.Shade {
	var out []chart.Shade
	for _, h := range w.n.places.SchoolHolidays(w.Settings.Zone) {
		if h.Last >= from && h.First < to {
			out = append(out, chart.Shade{From: h.First.Start(w.Location()), To: (h.Last + 1).Start(w.Location()), Label: h.Name})
		}
	}
	return out
}

// chart is the map of the schools that the reader sees, with the zone drawn.
func (w zoneWords) chart(k int, z *analysis.SeenZone) (ChartFrame, bool) {
	f := ChartFrame{Printer: w.Printer, ID: "zone-map-" + id(int64(k+1)), Title: w.T("zones.map.title"), Question: w.T("zones.map.what", "about", w.about(z.Category), "weeks", w.N("zones.weeks", z.Weeks)), How: w.T("zones.map.how")}
	m := &chart.Places{Head: chart.Head{ID: f.ID + "-chart", Label: f.Title, Desc: f.Question}, SizeLabel: w.T("zones.map.size"), ShadeLabel: w.T("zones.map.shade")}
	var points []geo.LonLat
	add := func(member analysis.ZoneMember) {
		school, ok := w.n.places.School(member.School)
		if !ok || !school.Located || member.Observed == 0 && member.Expected == 0 {
			return
		}
		points = append(points, geo.LonLat{school.Lon, school.Lat})
		m.Items = append(m.Items, chart.Place{
			Label: strings.TrimPrefix(school.Name, "Collège "), Value: float64(member.Observed), Shade: float64(member.Observed) / max(member.Expected, 0.5),
			Href:  w.incidents(z.Category, z.Since, z.Last+7, member.School),
			Title: w.T("zones.map.mark", "school", school.Name, "commune", school.Commune, "observed", w.N("zones.incidents", member.Observed), "expected", w.Num(member.Expected, 1)),
		})
	}
	for _, member := range z.Members {
		add(member)
	}
	for _, member := range z.Others {
		add(member)
	}
	centre, _ := w.n.places.School(z.Centre)
	if len(m.Items) < 2 || z.Hidden > 0 {
		return f, false
	}
	projection := outline(m, departmentOf(w.n), points[0])
	for k := range m.Items {
		x, y := projection.XY(points[k])
		m.Items[k].At = chart.XY{X: x, Y: y}
	}
	x, y := projection.XY(geo.LonLat{centre.Lon, centre.Lat})
	m.Areas = []chart.Area{{At: chart.XY{X: x, Y: y}, Radius: z.Radius + zoneMargin}}
	f.Drawing = chart.Render(m, w.Printer, chart.Half)
	return f, true
}

// zoneMargin is how far beyond its last school a zone is drawn, in km.
const zoneMargin = 2

// scans says what each scan gave: the table behind the page.
func (w zoneWords) scans(out analysis.ZoneOutput) (Table, bool) {
	if !w.Scope().All() {
		return Table{}, false
	}
	t := Table{Printer: w.Printer, ID: "zones-scans", Caption: w.T("zones.scans"), Hide: true, Stacked: true, Columns: []Column{
		{Label: w.T("zones.column.about"), Lead: true}, {Label: w.T("zones.column.events"), Num: true}, {Label: w.T("zones.column.kappa"), Num: true}, {Label: w.T("zones.column.best")}, {Label: w.T("zones.column.p"), Num: true}, {Label: w.T("zones.column.verdict")},
	}}
	for _, s := range out.Scans {
		best, p, verdict := "—", "—", Badge{Icon: "equal", Word: w.T("zones.verdict.none")}
		switch {
		case s.Refused:
			verdict = Badge{Icon: "info", Word: w.T("zones.verdict.refused")}
		case s.Best != nil:
			best = w.T("zones.best", "where", w.where(s.Best), "observed", w.Int(s.Best.Observed), "expected", w.Num(s.Best.Expected, 1))
			p = w.chance(s.P)
			if s.P <= analysis.ZoneAlert {
				verdict = Badge{Icon: "triangle-alert", Tone: "warning", Word: w.T("zones.verdict.alert")}
			} else if s.P <= analysis.ZoneShown {
				verdict = Badge{Icon: "eye", Word: w.T("zones.verdict.shown")}
			}
		}
		about := w.about(s.Category)
		t.Rows = append(t.Rows, TableRow{[]Cell{{Text: about}, {Text: w.Int(s.Events)}, {Text: w.Num(s.Kappa, 2)}, {Text: best}, {Text: p}, {Badge: &verdict}}})
	}
	return t, true
}

// exportZones sends the schools of the zones, week by week.
func (s *Server) exportZones(r *Request) error {
	seen, _, _, err := s.deps.Analysis.ZonesFor(r.Context(), r.Scope())
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	w := zoneWords{r, n}
	out, err := r.download("zones", []sheet.Column{
		{Title: r.T("zones.column.zone"), Width: 30}, {Title: r.T("zones.column.about"), Width: 24}, {Title: r.T("zones.column.p"), Kind: sheet.Number, Width: 12}, {Title: "UAI", Width: 10}, {Title: r.T("schools.column.name"), Width: 40},
		{Title: r.T("zones.column.monday"), Width: 12}, {Title: r.T("zones.column.in"), Width: 10}, {Title: r.T("zones.column.observed"), Kind: sheet.Number, Width: 12}, {Title: r.T("zones.column.expected"), Kind: sheet.Number, Width: 12},
	})
	if err != nil {
		return err
	}
	for k := range seen {
		z := &seen[k]
		for _, m := range z.Members {
			school, _ := n.places.School(m.School)
			for _, week := range m.Weeks {
				in := r.T("common.no")
				if week.Monday >= z.Since {
					in = r.T("common.yes")
				}
				if err := out.Row(w.where(&z.Zone), w.about(z.Category), z.P, school.UAI, school.Name, week.Monday.String(), in, float64(week.Observed), week.Expected); err != nil {
					return err
				}
			}
		}
	}
	return out.Close()
}
