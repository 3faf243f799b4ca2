package web

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/problem"
	"statincidents/internal/sheet"
)

// recurrencePage tells what comes back: machines, rooms, lots, causes, reports
// that say the same thing.
type recurrencePage struct {
	Page

	Bar      FilterBar
	Loading  bool
	Refused  string
	Findings Findings
	Parts    []recurrencePart
	Echoes   []echoCard
	NoEcho   string
	Exports  []Link
	Note     MethodNote
}

// recurrencePart is a section: what was found of one sort.
type recurrencePart struct {
	ID    string
	Title string
	Lede  string
	Chart *ChartFrame
	Table *Table
	None  string // said where nothing was found
}

// echoCard is a group of reports that say the same thing.
type echoCard struct {
	Title    string
	Why      string // why it is shown
	Rows     []echoRow
	More     string // "and 12 others"
	Href     string // all of them
	Numbers  string // for the forms
	Propose  bool   // the reader may make a problem of it
	Existing *Link  // a problem that some are tied to
	Add      string // "tie the 3 others"
}

type echoRow struct {
	Number, Href, Title, Where string
	Opened                     Moment
}

var recurrenceView = newView[recurrencePage]("page_recurrence.html", shell)

func (s *Server) recurrenceRoutes() {
	s.page("GET /recurrence", s.recurrence, needs(auth.ViewStatistics))
	s.page("GET /recurrence.csv", s.exportRecurrence, needs(auth.ExportData), lasts(exportTime))
	s.page("GET /recurrence.xlsx", s.exportRecurrence, needs(auth.ExportData), lasts(exportTime))
	s.page("POST /recurrence/refuse", s.refuseEcho, needs(auth.HandleIncident))
	s.page("POST /recurrence/restore", s.restoreEcho, needs(auth.HandleIncident))
	s.analysisEntry(question{order: 50, key: "recurrence", icon: "repeat", href: "/recurrence", found: s.foundBack})
}

// withins are the choices of the page's parameter, in open days.
var withins = []int{5, 10, 20, analysis.ReturnWithin, 60, 90}

const (
	shownCameBack = 12 // machines or rooms of a chart
	spokenBack    = 3  // that have a sentence of their own
	listedBack    = 50 // of a table
	shownEchoes   = 20
	rowsOfEcho    = 5
)

// comesBack is the reader's view with the words that it is said in.
type comesBack struct {
	analysis.ComesBack

	n *names
}

func (s *Server) comesBack(r *Request) (comesBack, error) {
	within, _ := strconv.Atoi(r.Address.Get("within"))
	v, err := s.deps.Analysis.ComesBack(r.Context(), r.Scope(), within)
	if err != nil {
		return comesBack{}, err
	}
	n, err := r.names()
	return comesBack{v, n}, err
}

func (s *Server) recurrence(r *Request) error {
	p := &recurrencePage{Page: Page{Title: r.T("recurrence.title")}}
	f := r.Filters()
	var days []Option
	for _, d := range withins {
		days = append(days, Option{Value: strconv.Itoa(d), Label: r.N("recurrence.days", d)})
	}
	if f.Get("within") == "" {
		f.values.Set("within", strconv.Itoa(analysis.ReturnWithin))
	}
	p.Bar = r.FilterBar([]Field{f.Select("within", r.T("recurrence.within"), days)})
	v, err := s.comesBack(r)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Loading = true
		return recurrenceView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	}
	p.Lede = r.T("recurrence.lede", "period", r.spanLabel(v.From, v.Today+1))
	p.Note = r.methodNote("recurrence", "ce-qui-revient")
	r.recorded(&p.Note, v.Made)
	if v.Refusal != nil {
		p.Refused = r.refusal(v.Refusal)
		return recurrenceView.show(r, http.StatusOK, p)
	}
	p.Note.Quality = append(p.Note.Quality,
		r.T("recurrence.quality.machines", "n", r.Int(v.Labelled), "all", r.Int(v.Events), "share", r.Pct(float64(v.Labelled)/float64(v.Events), 0)),
		r.T("recurrence.quality.rooms", "n", r.Int(v.Roomed), "all", r.Int(v.Events), "share", r.Pct(float64(v.Roomed)/float64(v.Events), 0)))
	p.Note.Steps = v.steps(r)
	p.Findings = Findings{r.Printer, v.findings(r)}
	p.Parts = []recurrencePart{v.machines(r), v.lots(r), v.rooms(r), v.causes(r)}
	if p.Echoes, err = s.echoCards(r, v); err != nil {
		return err
	}
	if len(p.Echoes) == 0 {
		p.NoEcho = r.T("recurrence.echo.none", "days", analysis.EchoDays)
	}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/recurrence." + kind).String(), Icon: "download"})
		}
	}
	return recurrenceView.show(r, http.StatusOK, p)
}

// foundBack says what was found last, for the page of questions.
func (s *Server) foundBack(r *Request) (string, error) {
	v, err := s.comesBack(r)
	if err != nil || v.Refusal != nil {
		return "", err
	}
	said := v.findings(r)
	return said[min(1, len(said)-1)], nil
}

func (v *comesBack) steps(r *Request) []string {
	steps := []string{
		r.T("recurrence.method.lemon", "least", analysis.LemonLeast, "ratio", analysis.LemonRatio, "chance", r.Pct(analysis.LemonChance, 0)),
		r.T("recurrence.method.mcf", "days", r.Int(analysis.ModelHorizon)),
		r.T("recurrence.method.trend"),
		r.T("recurrence.method.return", "days", r.Int(v.Within)),
		r.T("recurrence.method.echo", "days", analysis.EchoDays, "like", r.Num(analysis.EchoLike, 1), "least", analysis.EchoLeast),
	}
	for _, f := range v.Families {
		if !f.Judged {
			continue
		}
		key := "recurrence.family.seen"
		if f.Counted {
			key = "recurrence.family.counted"
		}
		steps = append(steps, r.T(key, "family", v.family(r, f.Category), "machines", r.Int(f.Machines), "rate", r.Num(f.Rate, 2)))
	}
	return steps
}

func (v *comesBack) family(r *Request, category int64) string {
	if category == 0 {
		return r.T("recurrence.family.none")
	}
	return v.n.words.CategoryLabel(category, v.n.lang())
}

// span puts the twelve months that are compared on a list of incidents.
func (v *comesBack) span(q cube.ListQuery) string {
	q.From, q.To = v.From, v.Today+1
	return listAddress(q).String()
}

func only(dim cube.Dim, key string) cube.Filter { return cube.Filter{Dim: dim, In: []string{key}} }

// categoryFilter keeps the incidents of a category at its own level.
func (v *comesBack) categoryFilter(category int64) cube.Filter {
	dims := []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3}
	level := min(max(len(v.n.words.Path(category)), 1), len(dims))
	return only(dims[level-1], id(category))
}

func (v *comesBack) href(c *analysis.CameBack) string {
	if c.Machine != "" {
		return v.span(cube.ListQuery{Filters: []cube.Filter{only(cube.DimMachine, c.Machine)}})
	}
	return v.span(cube.ListQuery{Filters: []cube.Filter{only(cube.DimRoom, id(c.Room)), v.categoryFilter(c.Category)}})
}

func (v *comesBack) name(c *analysis.CameBack) string {
	if c.Machine != "" {
		return c.Machine
	}
	return v.n.places.RoomName(c.Room)
}

// where is the school, and the room of a machine.
func (v *comesBack) where(c *analysis.CameBack) string {
	school := v.n.places.SchoolName(c.School)
	if c.Machine != "" && c.Room != 0 {
		return school + " · " + v.n.places.RoomName(c.Room)
	}
	return school
}

// sentence says what is believed of a machine or a room.
func (v *comesBack) sentence(r *Request, c *analysis.CameBack) string {
	args := []any{"name", v.name(c), "where", v.where(c), "n", r.Int(c.Incidents), "expected", r.Num(c.Expected, 1), "chance", r.sure(c.Chance), "what", v.family(r, c.Category), "kind", c.Kind}
	said := r.T("recurrence.found.machine", args...)
	if c.Machine == "" {
		said = r.T("recurrence.found.room", args...)
	}
	if c.Tend.Verdict == analysis.Worse || c.Tend.Verdict == analysis.Better {
		said += " " + r.T("recurrence.trend.said."+string(c.Tend.Verdict))
	}
	return said
}

// sure writes a chance out of 100, never as a certainty.
func (r *Request) sure(p float64) string {
	if p > 0.99 {
		return r.T("recurrence.sure.most")
	}
	return r.T("recurrence.sure", "n", r.Int(int(100*p)))
}

func (v *comesBack) findings(r *Request) []string {
	var said []string
	if v.All.Known {
		said = append(said, r.T("recurrence.found.rate", "days", r.Int(v.Within), "share", r.Pct(v.All.Share, 0), "low", r.Pct(v.All.Limits.Low, 0), "high", r.Pct(v.All.Limits.High, 0),
			"machine", r.Pct(v.ByMachine.Share, 0), "room", r.Pct(v.ByRoom.Share, 0)))
	} else {
		said = append(said, r.T("recurrence.found.rate.few"))
	}
	for k := range v.Machines[:min(len(v.Machines), spokenBack)] {
		said = append(said, v.sentence(r, &v.Machines[k]))
	}
	for k := range v.Models {
		if m := &v.Models[k]; m.Verdict == analysis.VerdictAbove {
			said = append(said, v.lotSentence(r, m))
		}
	}
	rooms := 0
	for k := range v.Rooms {
		c := &v.Rooms[k]
		// The room of a machine that was named says the same thing again.
		if rooms < spokenBack && !slices.ContainsFunc(v.Machines, func(m analysis.CameBack) bool { return m.Room == c.Room }) {
			said = append(said, v.sentence(r, c))
			rooms++
		}
	}
	for _, c := range v.Causes {
		if c.Verdict == analysis.VerdictAbove && c.Cause != 0 {
			said = append(said, r.T("recurrence.found.cause", "cause", v.n.words.CodeLabel(c.Cause, v.n.lang()), "back", r.Int(c.Back), "ended", r.Int(c.Ended), "expected", r.Num(c.Expected, 0), "days", r.Int(v.Within)))
			break
		}
	}
	if len(said) == 1 {
		said = append(said, r.T("recurrence.found.none"))
	}
	return said
}

func (v *comesBack) lotSentence(r *Request, m *analysis.Model) string {
	return r.T("recurrence.found.lot", "lot", m.Name, "machines", r.Int(m.Machines), "more", r.Num(m.More, 2), "others", r.Num(m.Others, 2), "days", r.Int(int(m.Horizon)), "schools", r.N("recurrence.schools", len(m.Schools)))
}

var tendBadges = map[analysis.Tending]Badge{
	analysis.Worse: {Icon: "trending-up", Tone: "warning"}, analysis.Better: {Icon: "trending-down", Tone: "good"},
	analysis.NoEvidence: {Icon: "minus"}, analysis.TooFew: {Icon: "minus"},
}

func (r *Request) tend(t analysis.Tend) *Badge {
	b := tendBadges[t.Verdict]
	b.Word = r.T("recurrence.trend." + string(t.Verdict))
	return &b
}

// cameBack draws machines or rooms, as bars with intervals and as a table.
func (v *comesBack) cameBack(r *Request, key string, all []analysis.CameBack) recurrencePart {
	p := recurrencePart{ID: key, Title: r.T("recurrence." + key + ".title"), Lede: r.T("recurrence." + key + ".lede")}
	if len(all) == 0 {
		p.None = r.T("recurrence." + key + ".none")
		return p
	}
	b := &chart.Bars{Head: chart.Head{ID: key + "-chart", Label: p.Title}, Ref: &chart.Ref{Value: 1, Label: r.T("recurrence.bars.ref")}}
	columns := []Column{{Label: r.T("recurrence.column." + key), Lead: true}, {Label: r.T("recurrence.column.where")}, {Label: r.T("recurrence.column.what")}}
	for _, c := range []string{"incidents", "peers", "ratio", "chance", "avoided"} {
		columns = append(columns, Column{Label: r.T("recurrence.column." + c), Num: true})
	}
	columns = append(columns, Column{Label: r.T("recurrence.column.trend")})
	t := &Table{Printer: r.Printer, ID: key + "-table", Caption: p.Title, Hide: true, Stacked: true, Columns: columns}
	for k := range all[:min(len(all), listedBack)] {
		c := &all[k]
		name, href := v.name(c), v.href(c)
		if k < shownCameBack {
			label := name
			if c.Machine == "" {
				label = name + ", " + v.n.places.SchoolName(c.School)
			}
			b.Items = append(b.Items, chart.Bar{Label: label, Value: c.Ratio, Low: c.Low, High: c.High, Href: href, Title: v.sentence(r, c), Note: v.family(r, c.Category)})
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: name, Href: href}, {Text: v.where(c), Href: "/schools/" + id(c.School), Aside: true}, {Text: v.family(r, c.Category)},
			{Text: r.Int(c.Incidents)}, {Text: r.Num(c.Expected, 2), Note: r.T("recurrence.peers", "n", r.Int(c.Peers))},
			{Text: r.Num(c.Ratio, 1), Note: r.T("compare.between", "low", r.Num(c.Low, 1), "high", r.Num(c.High, 1))},
			{Text: r.sure(c.Chance)}, {Text: r.Num(c.Avoided, 1)}, {Badge: r.tend(c.Tend)},
		}})
	}
	f := &ChartFrame{Printer: r.Printer, ID: key + "-figure", Under: true, Title: r.N("recurrence."+key+".found", len(all)), Question: r.T("recurrence." + key + ".what"), How: r.T("recurrence.bars.how"), Table: t}
	b.Desc = f.Title
	f.Drawing = chart.Render(b, r.Printer, chart.Full)
	p.Chart = f
	return p
}

func (v *comesBack) machines(r *Request) recurrencePart { return v.cameBack(r, "machines", v.Machines) }
func (v *comesBack) rooms(r *Request) recurrencePart    { return v.cameBack(r, "rooms", v.Rooms) }

// lotFilter keeps the machines of a lot: the labels that begin with it.
func lotFilter(lot string) cube.Filter {
	return cube.Filter{Dim: cube.DimMachine, From: lot, To: lot + "\uffff"}
}

// lots draws what follows a first incident, of the lot that comes back most
// and of the others of its family.
func (v *comesBack) lots(r *Request) recurrencePart {
	p := recurrencePart{ID: "lots", Title: r.T("recurrence.lots.title"), Lede: r.T("recurrence.lots.lede")}
	if len(v.Models) == 0 {
		p.None = r.T("recurrence.lots.none", "machines", analysis.ModelMachines)
		return p
	}
	drawn := &v.Models[0]
	for k := range v.Models {
		if v.Models[k].Name == r.Address.Get("lot") {
			drawn = &v.Models[k]
		}
	}
	g := &chart.Steps{Head: chart.Head{ID: "lots-chart", Label: p.Title}, Across: r.T("recurrence.lots.across"), To: drawn.Horizon}
	steps := func(label string, category int, curve []analysis.CurveStep, hit chart.StepHit) chart.Steep {
		out := chart.Steep{Label: label, Category: category}
		for _, c := range curve {
			out.Points = append(out.Points, chart.StepPoint{X: c.Age, Y: c.Mean, Low: c.Low, High: c.High})
		}
		if n := len(curve); n > 0 {
			hit.X, hit.Y = curve[n-1].Age, curve[n-1].Mean
			out.Hits = []chart.StepHit{hit}
		}
		return out
	}
	since := func(q cube.ListQuery) string {
		q.From, q.To = v.Today-analysis.RecurrenceYears*365, v.Today+1
		return listAddress(q).String()
	}
	lot := func(m *analysis.Model) string {
		return since(cube.ListQuery{Filters: []cube.Filter{lotFilter(m.Name)}})
	}
	said := v.lotSentence(r, drawn)
	g.Curves = []chart.Steep{
		steps(drawn.Name, 2, drawn.Curve, chart.StepHit{Href: lot(drawn), Title: said}),
		steps(r.T("recurrence.lots.others"), 1, drawn.OthersCurve, chart.StepHit{Href: since(cube.ListQuery{Filters: []cube.Filter{v.categoryFilter(drawn.Category)}}), Title: said}),
	}
	t := &Table{Printer: r.Printer, ID: "lots-table", Caption: p.Title, Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("recurrence.column.lot"), Lead: true}, {Label: r.T("recurrence.column.what")}, {Label: r.T("recurrence.column.machines"), Num: true}, {Label: r.T("recurrence.column.more"), Num: true},
		{Label: r.T("recurrence.column.others"), Num: true}, {Label: r.T("recurrence.column.difference"), Num: true}, {Label: r.T("recurrence.column.verdict")}, {Label: r.T("recurrence.column.curve")},
	}}
	for k := range v.Models {
		m := &v.Models[k]
		badge := verdicts[m.Verdict]
		badge.Word = r.T("recurrence.lot." + string(m.Verdict))
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: m.Name, Href: lot(m)}, {Text: v.family(r, m.Category)}, {Text: r.Int(m.Machines)},
			{Text: r.Num(m.More, 2), Note: r.T("compare.between", "low", r.Num(m.Low, 2), "high", r.Num(m.High, 2))},
			{Text: r.Num(m.Others, 2), Note: r.T("compare.between", "low", r.Num(m.OthersLow, 2), "high", r.Num(m.OthersHigh, 2))},
			{Text: r.Num(m.Difference, 2), Note: r.T("compare.between", "low", r.Num(m.Least, 2), "high", r.Num(m.Most, 2))},
			{Badge: &badge}, {Text: r.T("recurrence.lots.draw"), Href: r.Address.With("lot", m.Name).String() + "#lots", Aside: true},
		}})
	}
	f := &ChartFrame{Printer: r.Printer, ID: "lots-figure", Under: true, Title: said, Question: r.T("recurrence.lots.what", "lot", drawn.Name), How: r.T("recurrence.lots.how"), Table: t}
	g.Desc = f.Title
	f.Drawing = chart.Render(g, r.Printer, chart.Full)
	p.Chart = f
	return p
}

// causes draws how well repairs hold, by the cause that was noted.
func (v *comesBack) causes(r *Request) recurrencePart {
	p := recurrencePart{ID: "causes", Title: r.T("recurrence.causes.title"), Lede: r.T("recurrence.causes.lede", "days", r.Int(v.Within))}
	if !v.All.Known || len(v.Causes) < 2 {
		p.None = r.T("recurrence.causes.none")
		return p
	}
	b := &chart.Bars{Head: chart.Head{ID: "causes-chart", Label: p.Title}, Ref: &chart.Ref{Value: 1, Label: r.T("recurrence.causes.ref")}}
	t := &Table{Printer: r.Printer, ID: "causes-table", Caption: p.Title, Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("incident.field.cause_code"), Lead: true}, {Label: r.T("recurrence.column.ended"), Num: true}, {Label: r.T("recurrence.column.back"), Num: true}, {Label: r.T("recurrence.column.expected"), Num: true},
		{Label: r.T("recurrence.column.ratio"), Num: true}, {Label: r.T("recurrence.column.verdict")}, {Label: r.T("recurrence.column.trend")},
	}}
	found := 0
	for _, c := range v.Causes {
		name, key := r.T("recurrence.cause.none"), ""
		if c.Cause != 0 {
			name, key = v.n.words.CodeLabel(c.Cause, v.n.lang()), id(c.Cause)
		}
		href := v.span(cube.ListQuery{Filters: []cube.Filter{only(cube.DimCause, key)}})
		b.Items = append(b.Items, chart.Bar{
			Label: name, Value: c.Ratio, Low: c.Limits.Low, High: c.Limits.High, Href: href,
			Title: r.T("recurrence.found.cause", "cause", name, "back", r.Int(c.Back), "ended", r.Int(c.Ended), "expected", r.Num(c.Expected, 0), "days", r.Int(v.Within)),
		})
		badge := verdicts[c.Verdict]
		badge.Word = r.T("recurrence.cause." + string(c.Verdict))
		if c.Verdict == analysis.VerdictAbove {
			found++
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: name, Href: href}, {Text: r.Int(c.Ended)}, {Text: r.Int(c.Back)}, {Text: r.Num(c.Expected, 0)},
			{Text: r.Num(c.Ratio, 2), Note: r.T("compare.between", "low", r.Num(c.Limits.Low, 2), "high", r.Num(c.Limits.High, 2))}, {Badge: &badge}, {Badge: r.tend(c.Tend)},
		}})
	}
	f := &ChartFrame{Printer: r.Printer, ID: "causes-figure", Under: true, Title: r.N("recurrence.causes.found", found), Question: r.T("recurrence.causes.what", "days", r.Int(v.Within)), How: r.T("recurrence.causes.how"), Table: t}
	b.Desc = f.Title
	f.Drawing = chart.Render(b, r.Printer, chart.Half)
	p.Chart = f
	return p
}

// echoCards makes the groups of reports that are still to be decided.
func (s *Server) echoCards(r *Request, v comesBack) ([]echoCard, error) {
	var numbers []int64
	for _, e := range v.Echoes {
		numbers = append(numbers, e.IDs...)
	}
	said := problem.Together{}
	handles := r.Who.Can(auth.HandleIncident)
	if handles && len(numbers) > 0 {
		var err error
		if said, err = s.deps.Problems.Said(r.Context(), r.Who, numbers); err != nil {
			return nil, err
		}
	}
	var cards []echoCard
	for _, e := range v.Echoes {
		if said.Done(e.IDs, analysis.EchoLeast) || len(cards) == shownEchoes {
			continue
		}
		found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), e.IDs)
		if err != nil {
			return nil, err
		}
		if len(found) < analysis.EchoLeast {
			continue // erased, or no more the reader's
		}
		slices.SortFunc(found, func(a, b incident.Incident) int { return cmp.Compare(b.ID, a.ID) })
		c := echoCard{
			Title: r.N("recurrence.echo.title", len(found), "type", v.family(r, e.Type), "schools", r.N("recurrence.schools", len(e.Schools))),
			Why:   r.T("recurrence.echo.why", "from", r.Day(e.From), "expected", r.Num(e.Expected, 1), "days", analysis.EchoDays, "chance", r.chance(e.P), "like", r.Pct(e.Like, 0)),
		}
		var words []string
		for k := range found {
			i := &found[k]
			words = append(words, id(i.ID))
			if k < rowsOfEcho {
				c.Rows = append(c.Rows, echoRow{"#" + id(i.ID), "/incidents/" + id(i.ID), i.Title, v.n.place(*i), r.Moment(i.OpenedAt)})
			}
		}
		if n := len(found) - rowsOfEcho; n > 0 {
			c.More = r.N("recurrence.echo.more", n)
		}
		c.Numbers, c.Propose = strings.Join(words, ","), handles
		list := cube.ListQuery{Filters: []cube.Filter{v.categoryFilter(e.Type)}, From: e.From, To: e.To + 1}
		if len(e.Schools) <= 60 {
			keys := make([]string, len(e.Schools))
			for k, one := range e.Schools {
				keys[k] = id(one)
			}
			list.Filters = append(list.Filters, cube.Filter{Dim: cube.DimSchool, In: keys})
		}
		c.Href = listAddress(list).String()
		if which, others := partly(said, e.IDs); which != 0 && handles {
			c.Existing = &Link{Label: r.T("problem.number", "number", id(which)), Href: "/problems/" + id(which)}
			c.Add = r.N("recurrence.echo.add", others)
		}
		cards = append(cards, c)
	}
	return cards, nil
}

// partly finds the problem that most of some incidents are tied to, and how
// many are not.
func partly(said problem.Together, numbers []int64) (which int64, others int) {
	tied := map[int64]int{}
	for _, n := range numbers {
		for _, p := range said.Problems[n] {
			if tied[p]++; tied[p] > tied[which] || tied[p] == tied[which] && p < which {
				which = p
			}
		}
	}
	return which, len(numbers) - tied[which]
}

// numbersOf reads the numbers of a group's incidents.
func numbersOf(text string) []int64 {
	var out []int64
	for word := range strings.SplitSeq(text, ",") {
		if n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64); err == nil && n > 0 && len(out) <= problem.MaxTogether {
			out = append(out, n)
		}
	}
	return out
}

func (s *Server) refuseEcho(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	refusal, err := s.deps.Problems.Refuse(r.Context(), r.Who, numbersOf(f.Get("incidents")))
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("recurrence.echo.refused"), Undo: &Undo{Action: "/recurrence/restore", Values: map[string]string{"refusal": id(refusal)}}}); err != nil {
		return err
	}
	return r.Redirect("/recurrence#echoes")
}

func (s *Server) restoreEcho(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if err := s.deps.Problems.Restore(r.Context(), r.Who, f.ID("refusal")); err != nil {
		return err
	}
	return r.Redirect("/recurrence#echoes")
}

// exportRecurrence sends the machines and the rooms, with what they were
// judged by.
func (s *Server) exportRecurrence(r *Request) error {
	v, err := s.comesBack(r)
	if err != nil {
		return err
	}
	columns := []sheet.Column{{Title: r.T("recurrence.column.machine"), Width: 20}, {Title: r.T("incident.field.room"), Width: 24}, {Title: "UAI", Width: 10}, {Title: r.T("schools.column.name"), Width: 40}, {Title: r.T("recurrence.column.what"), Width: 30}}
	for _, c := range []string{"incidents", "peers", "ratio", "low", "high", "chance", "avoided", "u", "p", "beta"} {
		columns = append(columns, sheet.Column{Title: r.T("recurrence.column." + c), Kind: sheet.Number, Width: 14})
	}
	columns = append(columns, sheet.Column{Title: r.T("recurrence.column.trend"), Width: 20})
	out, err := r.download("recurrence", columns)
	if err != nil {
		return err
	}
	all := slices.Concat(v.Machines, v.Rooms)
	for k := range all {
		c := &all[k]
		school, _ := v.n.places.School(c.School)
		if err := out.Row(c.Machine, v.n.places.RoomName(c.Room), school.UAI, school.Name, v.family(r, c.Category), float64(c.Incidents), round4(c.Expected), round4(c.Ratio), round4(c.Low), round4(c.High),
			round4(c.Chance), round4(c.Avoided), round4(c.Tend.U), round4(c.Tend.P), round4(c.Tend.Beta), r.T("recurrence.trend."+string(c.Tend.Verdict))); err != nil {
			return err
		}
	}
	return out.Close()
}

func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }
