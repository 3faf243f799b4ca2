package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/cube"
	"statincidents/internal/incident"
	"statincidents/internal/queue"
	"statincidents/internal/servicelevel"
	"statincidents/internal/sheet"
)

// incidentsPage is the list: what the filters leave, a page at a time.
type incidentsPage struct {
	Page

	Bar     FilterBar
	Tabs    Tabs
	Summary string
	Rows    []incidentRow
	Sorts   []sortChoice
	Pager   Pager
	Empty   EmptyState
	Exports []Link
	Saved   *savedViews
	Unread  bool   // something on the page is marked
	One     string // "1 new", for the live count
	Many    string
	Alarm   *liveCount // clocks that were about to be late meanwhile, or are
	Reload  string
	Bulk    bool   // rows may be chosen and treated together
	Filter  string // what the list is of, for "all of it"
	All     string // "all 143"; "" when the page shows them all
	Common  string // where it is told what they have in common; "" for who may not ask
}

type incidentRow struct {
	Number   string
	Href     string
	Title    string
	Where    string
	Category string
	State    Badge
	Priority Badge
	Who      string
	Mark     string // what the reader has not read, in a word
	Opened   Moment
	Pick     string // its number, where rows may be chosen
	Level    string // how it stands between its school and the département
	Clock    *Badge // how much time is left; nil where nothing runs
}

// liveCount is what counts events of one kind while the page is open.
type liveCount struct{ One, Many, Href string }

type sortChoice struct {
	Key     string
	Label   string
	Href    string
	Current bool
}

var incidentsView = newView[incidentsPage]("page_incidents.html", shell)

func (s *Server) incidentsRoutes() {
	s.page("GET /incidents", s.incidents)
	s.page("GET /incidents.csv", s.exportIncidents, needs(auth.ExportData), lasts(exportTime))
	s.page("GET /incidents.xlsx", s.exportIncidents, needs(auth.ExportData), lasts(exportTime))
	s.navEntry(entry{order: 200, key: "incidents.title", icon: "list", href: "/incidents", phone: true})
}

// views are the ready-made lists; the first is the whole. The unit's leave out
// what a school handles first; chain are those that show where some school does.
var views = []struct {
	key   string
	right auth.Right
	set   func(Address, queue.Reader) Address
	chain bool
}{
	{"school", auth.HandleSchool, func(a Address, _ queue.Reader) Address { return a.With("open", "yes").With("level", atSchool) }, true},
	{"open", "", func(a Address, _ queue.Reader) Address { return a.With("open", "yes") }, false},
	{"mine", auth.HandleIncident, func(a Address, who queue.Reader) Address {
		return a.With("open", "yes").With("assignee", id(who.Person))
	}, false},
	{"team", auth.HandleIncident, func(a Address, who queue.Reader) Address {
		return a.With("open", "yes").With("team", id(who.Team))
	}, false},
	{"late", auth.HandleIncident, func(a Address, _ queue.Reader) Address { return a.With("open", "yes").With("clock", "late") }, false},
	{"new", auth.HandleIncident, func(a Address, _ queue.Reader) Address { return a.With("state", string(incident.New)) }, false},
	{"handed", auth.HandleIncident, func(a Address, _ queue.Reader) Address {
		return a.With("open", "yes").With("level", string(incident.HandedOver)).Toggle("level", string(incident.Lapsed))
	}, true},
	{"at_school", auth.HandleIncident, func(a Address, _ queue.Reader) Address { return a.With("open", "yes").With("level", atSchool) }, true},
	{"waiting", "", func(a Address, _ queue.Reader) Address { return a.With("state", string(incident.Waiting)) }, false},
	{"resolved", "", func(a Address, _ queue.Reader) Address { return a.With("state", string(incident.Resolved)) }, false},
	{"all", "", func(a Address, _ queue.Reader) Address { return a }, false},
}

// atSchool is the key of what a school handles first.
const atSchool = string(incident.AtSchoolLevel)

// chained tells whether a school that the reader sees handles first.
func (r *Request) chained(n *names) bool {
	for _, school := range n.places.SchoolsIn(r.Scope()) {
		if n.places.Support(school.ID).First {
			return true
		}
	}
	return false
}

// queueAddress is the list that the reader works from: a referent's begins with
// what their school handles first, the unit's leaves that out.
func (r *Request) queueAddress(n *names) Address {
	a := Address{Path: "/incidents"}.With("open", "yes")
	switch {
	case !r.chained(n):
	case r.Who.Can(auth.HandleIncident):
		a = a.With("level.not", atSchool)
	case r.Who.Can(auth.HandleSchool):
		a = a.With("level", atSchool)
	}
	return a
}

func (s *Server) incidents(r *Request) error {
	if len(r.URL.Query()) == 0 {
		n, err := r.names()
		if err != nil {
			return err
		}
		return r.Redirect(r.queueAddress(n).String())
	}
	return s.showIncidents(r, http.StatusOK, nil)
}

// showIncidents shows the list of the reader's address; refused is the form of
// a view that could not be saved.
func (s *Server) showIncidents(r *Request, status int, refused *Form) error {
	q, span, err := r.list()
	if err != nil {
		return err
	}
	list := s.deps.Cube.List
	if q.Only != nil {
		list = func(context.Context, auth.Scope, cube.ListQuery) (cube.Page, error) { return s.duePage(r, q) }
	}
	page, err := list(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	pager := r.Pager(len(page.IDs), page.Total, page.Next)
	if q.Only != nil {
		pager = r.cut(&page)
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
	if err != nil {
		return err
	}
	p := &incidentsPage{
		Page: Page{Title: r.T("incidents.title")},
		Bar:  r.incidentFilters(n, span, q.Filters, r.clockFields()...),
		One:  r.N("web.live.new", 1), Many: r.T("web.live.new.other", "n", "{n}"), Reload: r.Address.Without("after").String(),
	}
	if r.Who.Can(auth.DeclareIncident) {
		p.Actions = append(p.Actions, Action{Label: r.T("declare.verb"), Icon: "circle-plus", Href: "/declare", Primary: true})
	}
	if r.Who.Can(auth.HandleIncident) && s.deps.Service != nil {
		p.Alarm = &liveCount{One: r.N("chain.alarm", 1), Many: r.T("chain.alarm.other", "n", "{n}"), Href: Address{Path: "/incidents"}.With("open", "yes").With("clock", string(servicelevel.Due)).String()}
	}
	p.tabs(r, n)
	if p.Saved, err = r.savedViews(n, refused); err != nil {
		return err
	}
	marks, err := s.deps.Queue.Marks(r.Context(), r.Who, found)
	if err != nil {
		return err
	}
	p.Unread = len(marks) > 0
	p.Summary = r.N("incidents.count", page.Total)
	if q.Measure != "" {
		p.Summary = r.T("incidents.behind", "count", page.Total, "measure", n.labels().Measure(q.Measure))
	}
	for _, i := range found {
		row := r.incidentRow(n, i)
		if r.Who.Can(auth.HandleIncident) {
			row.Pick = row.Number
		}
		row.Mark = r.markWord(marks[i.ID])
		p.Rows = append(p.Rows, row)
	}
	if err := r.clockRows(n.places, found, p.Rows); err != nil {
		return err
	}
	for _, key := range []string{"-opened", "opened", "-updated", "priority", "school", "-number"} {
		p.Sorts = append(p.Sorts, sortChoice{Key: key, Label: r.T("incidents.sort." + key), Href: r.Address.With("sort", key).String(), Current: r.Address.Get("sort") == key || r.Address.Get("sort") == "" && key == "-opened"})
	}
	p.Sorts = r.sortsByDue(p.Sorts)
	p.Pager = pager
	if p.Bulk = r.Who.Can(auth.HandleIncident); p.Bulk && page.Total > len(found) {
		p.Filter, p.All = r.URL.RawQuery, r.T("desk.bulk.all", "total", r.Int(page.Total))
		if page.Total > batch.Max {
			p.All = r.T("desk.bulk.first", "max", r.Int(batch.Max), "total", r.Int(page.Total))
		}
	}
	p.Empty = EmptyState{Icon: "inbox", Title: r.T("incidents.empty.title"), Text: r.T("incidents.empty.text"), Action: &Link{Label: r.T("incidents.view.all"), Href: "/incidents?period=all", Icon: "list"}}
	if len(found) > 0 && r.Who.Can(auth.ViewStatistics) {
		p.Common = r.commonAddress()
	}
	if r.Who.Can(auth.ExportData) && page.Total > 0 {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/incidents." + kind).String(), Icon: "download"})
		}
	}
	return incidentsView.show(r, status, p)
}

func (r *Request) incidentRow(n *names, i incident.Incident) incidentRow {
	row := incidentRow{
		Number: id(i.ID), Href: "/incidents/" + id(i.ID), Title: i.Title, Where: n.place(i), Category: n.kind(i.Category),
		State: StateBadge(r.Printer, i.State), Priority: PriorityBadge(r.Printer, i.Priority), Opened: r.Moment(i.OpenedAt),
	}
	row.Level = r.levelLine(i)
	if i.Assignee != 0 {
		row.Who = n.places.PersonName(i.Assignee)
	}
	return row
}

// triedShown is how much of what a school tried is shown in a list.
const triedShown = 140

// levelLine says of a row what the school has to do with it.
func (r *Request) levelLine(i incident.Incident) string {
	switch i.Level {
	case incident.AtSchoolLevel:
		if i.State.Open() && r.Who.Can(auth.HandleIncident) {
			return r.T("chain.row.school")
		}
	case incident.HandedOver:
		if i.State.Open() && r.Who.Can(auth.HandleIncident) {
			tried := []rune(strings.Join(strings.Fields(i.Tried), " "))
			if len(tried) > triedShown {
				tried = append(tried[:triedShown], '…')
			}
			return r.T("chain.row.tried", "tried", string(tried))
		}
	case incident.Lapsed, incident.Fetched:
		if i.State.Open() && r.Who.Can(auth.HandleIncident) {
			return r.T("chain.row." + string(i.Level))
		}
	case incident.Direct:
	}
	return ""
}

// tabs are the ready-made views, keeping the reader's other filters.
func (p *incidentsPage) tabs(r *Request, n *names) {
	p.Tabs.Label = r.T("incidents.views")
	kept := r.Address.Without("open", "state", "assignee", "team", "clock", "level", "level.not", "skip")
	who := r.reader(n)
	chained := r.chained(n)
	for _, v := range views {
		if v.chain && !chained || v.right != "" && !r.Who.Can(v.right) || v.key == "mine" && r.Who.Person == 0 || v.key == "team" && who.Team == 0 {
			continue
		}
		at := v.set(kept, who)
		if chained && r.Who.Can(auth.HandleIncident) && (v.key == "open" || v.key == "new" || v.key == "late") {
			at = at.With("level.not", atSchool)
		}
		if len(at.query) == 0 {
			at = at.With("period", "all")
		}
		p.Tabs.Items = append(p.Tabs.Items, Tab{Label: r.T("incidents.view." + v.key), Href: at.String(), Current: at.String() == r.Address.Without("after").String() || sameView(at, r.Address)})
	}
}

// sameView tells whether two addresses filter the same states and people.
func sameView(a, b Address) bool {
	for _, name := range []string{"open", "state", "assignee", "team", "clock", "level", "level.not"} {
		if !slices.Equal(a.All(name), b.All(name)) {
			return false
		}
	}
	return true
}

// incidentFilters is the bar above lists and figures. What the bar has no field
// for (a click on a mark) is shown as a chip all the same.
func (r *Request) incidentFilters(n *names, span period, filters []cube.Filter, more ...Field) FilterBar {
	f := r.Filters()
	all := r.T("common.all")
	fields := []Field{f.Input("search", "q", r.T("filter.text")).Example(r.T("filter.text.example"))}
	fields = append(fields, r.periodField(f, span))
	if len(n.places.SchoolsIn(r.Scope())) > 1 {
		fields = append(fields, f.Select("school", r.T("cube.dim.school"), n.schoolOptions(r.Scope(), all)))
	}
	tops := []Option{{Label: all}}
	for _, c := range n.words.Children(0) {
		tops = append(tops, Option{Value: id(c.ID), Label: c.In(n.lang())})
	}
	fields = append(fields, f.Select("category", r.T("cube.dim.category"), tops))
	priorities := []Option{{Label: r.T("common.all.f")}}
	for level := 1; level <= 5; level++ {
		priorities = append(priorities, Option{Value: strconv.Itoa(level), Label: r.T("incident.priority." + strconv.Itoa(level))})
	}
	fields = append(fields, f.Select("priority", r.T("cube.dim.priority"), priorities))
	fields = append(fields, more...)
	bar := r.FilterBar(fields)
	// Parameters without a field go along; those that filter have a chip.
	say := n.labels()
	for _, name := range r.Address.names() {
		if slices.ContainsFunc(fields, func(f Field) bool { return f.Name == name }) || name == "after" || name == "skip" {
			continue
		}
		for _, v := range r.Address.All(name) {
			if v == "" || span.Preset != "" && (name == "from" || name == "to") {
				continue
			}
			bar.Hidden = append(bar.Hidden, Hidden{name, v})
		}
	}
	for _, f := range filters {
		if slices.ContainsFunc(fields, func(c Field) bool { return c.Name == string(f.Dim) }) {
			f.In = nil
		}
		for _, k := range f.In {
			label := r.Label(say.Dim(f.Dim)) + say.Label(f.Dim, k)
			if f.Dim == cube.DimOpen {
				label = say.Label(f.Dim, k)
			}
			bar.Active = append(bar.Active, Chip{Label: label, Href: r.Address.Toggle(string(f.Dim), cube.EscapeKey(k)).String()})
		}
		for _, k := range f.NotIn {
			bar.Active = append(bar.Active, Chip{Label: r.T("filter.not", "label", r.Label(say.Dim(f.Dim))+say.Label(f.Dim, k)), Href: r.Address.Toggle(string(f.Dim)+".not", cube.EscapeKey(k)).String()})
		}
		if f.From != "" || f.To != "" {
			bar.Active = append(bar.Active, Chip{Label: r.Label(say.Dim(f.Dim)) + r.T("filter.range", "from", say.Label(f.Dim, f.From), "to", say.Label(f.Dim, f.To)), Href: r.Address.Without(string(f.Dim)+".from", string(f.Dim)+".to").String()})
		}
	}
	if span.Preset == "" {
		bar.Active = append(bar.Active, Chip{Label: span.Label, Href: r.Address.Without("from", "to").String()})
	}
	if len(bar.Active) > 0 {
		bar.Clear = Address{Path: r.Address.Path}.With("period", "all").String()
	}
	return bar
}

// periodField offers the presets.
func (r *Request) periodField(f *Form, span period) Field {
	var options []Option
	for _, p := range presets {
		options = append(options, Option{Value: p, Label: r.T("period." + p), Chosen: p == span.Preset})
	}
	if span.Preset == "" {
		options = append([]Option{{Label: span.Label, Chosen: true}}, options...)
	}
	c := f.Select("period", r.T("filter.period"), nil)
	c.Options = options
	return c
}

// exportTime bounds an export: a million rows take less.
const exportTime = 10 * 60e9

// exportIncidents streams the whole list behind the address, without a cap.
func (s *Server) exportIncidents(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	q, _, err := r.list()
	if err != nil {
		return err
	}
	q.Limit, q.After = cube.MaxList, ""
	field := func(f incident.Field) string { return r.T("incident.field." + string(f)) }
	columns := []sheet.Column{
		{Title: r.T("incident.field.number"), Kind: sheet.Number}, {Title: field(incident.FieldTitle), Width: 50},
		{Title: field(incident.FieldState), Width: 14}, {Title: field(incident.FieldPriority), Kind: sheet.Number},
		{Title: "UAI", Width: 10}, {Title: field(incident.FieldSchool), Width: 32}, {Title: n.labels().Dim(cube.DimCommune)}, {Title: field(incident.FieldRoom), Width: 14},
		{Title: field(incident.FieldNetwork), Width: 14}, {Title: field(incident.FieldMachine), Width: 16}, {Title: field(incident.FieldCategory), Width: 36},
		{Title: field(incident.FieldOccurredAt), Kind: sheet.DateTime}, {Title: field(incident.FieldOpenedAt), Kind: sheet.DateTime},
		{Title: field(incident.FieldResolvedAt), Kind: sheet.DateTime}, {Title: field(incident.FieldClosedAt), Kind: sheet.DateTime},
		{Title: r.T("export.hours"), Kind: sheet.Number}, {Title: field(incident.FieldAssignee)}, {Title: field(incident.FieldTeam)},
		{Title: field(incident.FieldOrigin), Width: 12}, {Title: field(incident.FieldCauseCode)}, {Title: field(incident.FieldResolutionCode)},
		{Title: field(incident.FieldResolution), Width: 50}, {Title: field(incident.FieldExternalID), Width: 14},
		{Title: field(incident.FieldLevel), Width: 24}, {Title: r.T("chain.export.tried"), Width: 40},
	}
	handles := r.Who.Can(auth.HandleIncident)
	if handles {
		columns = append(columns, sheet.Column{Title: r.T("time.spent"), Kind: sheet.Number})
	}
	out, err := r.download("incidents", columns)
	if err != nil {
		return err
	}
	for {
		page, err := s.deps.Cube.List(r.Context(), r.Scope(), q)
		if err != nil {
			return err
		}
		found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
		if err != nil {
			return err
		}
		spent, err := s.deps.Visits.Minutes(r.Context(), r.Who, page.IDs)
		if err != nil {
			return err
		}
		for _, i := range found {
			school, _ := n.places.School(i.School)
			var hours any
			if !i.ResolvedAt.IsZero() {
				hours = float64(int(i.ResolvedAt.Sub(i.OpenedAt).Hours()*100)) / 100
			}
			var priority any
			if i.Priority != 0 {
				priority = i.Priority
			}
			words := func(f incident.Field, id int64) string {
				if id == 0 {
					return ""
				}
				return n.reference(f, id)
			}
			row := []any{i.ID, i.Title, n.value(incident.FieldState, i.State), priority, school.UAI, school.Name, school.Commune, n.places.RoomName(i.Room),
				n.value(incident.FieldNetwork, i.Network), i.Machine, n.category(i.Category), i.OccurredAt, i.OpenedAt, i.ResolvedAt, i.ClosedAt,
				hours, n.places.PersonName(i.Assignee), n.places.TeamName(i.Team), n.value(incident.FieldOrigin, i.Origin),
				words(incident.FieldCauseCode, i.CauseCode), words(incident.FieldResolutionCode, i.ResolutionCode), i.Resolution, i.ExternalID, n.value(incident.FieldLevel, i.Level), i.Tried}
			if handles {
				var minutes any
				if m := spent[i.ID]; m > 0 {
					minutes = m
				}
				row = append(row, minutes)
			}
			if err := out.Row(row...); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return out.Close()
		}
	}
}

// download begins a file of the kind that the path ends with.
func (r *Request) download(name string, columns []sheet.Column) (sheet.Writer, error) {
	style := sheet.Style{Location: r.Location(), French: r.Lang() == "fr"}
	file := fmt.Sprintf("%s-%s", name, r.Now().In(r.Location()).Format("2006-01-02-1504"))
	if len(r.URL.Path) > 5 && r.URL.Path[len(r.URL.Path)-5:] == ".xlsx" {
		r.W.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		r.W.Header().Set("Content-Disposition", `attachment; filename="`+file+`.xlsx"`)
		out, err := sheet.NewXLSX(r.W, r.T("export.sheet."+name), columns, style)
		return counted{out, r}, err
	}
	r.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	r.W.Header().Set("Content-Disposition", `attachment; filename="`+file+`.csv"`)
	out, err := sheet.NewCSV(r.W, columns, style)
	return counted{out, r}, err
}
