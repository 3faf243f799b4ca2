package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/checklist"
	"statincidents/internal/sheet"
)

// completionPage counts check-lists: begun, completed, in what time.
type completionPage struct {
	Page

	Bar     FilterBar
	Tabs    Tabs
	Keys    []KeyFigure
	Table   Table
	Exports []Link
	Empty   *EmptyState
	Note    string
}

var completionView = newView[completionPage]("page_checklists.html", shell)

func (s *Server) checklistsRoutes() {
	look := needs(auth.ViewStatistics)
	s.page("GET /checklists", s.completion, look)
	s.page("GET /checklists.csv", s.exportCompletion, needs(auth.ExportData))
	s.page("GET /checklists.xlsx", s.exportCompletion, needs(auth.ExportData))
}

// asked reads the address: the period, one template or school, and whether
// schools are told apart.
func (s *Server) askedCompletion(r *Request) (groups []checklist.Group, span period, bySchool bool, err error) {
	span = r.period()
	f := r.Filters()
	bySchool = r.Address.Get("view") == "school"
	from, to := span.From, span.To
	if to == 0 {
		to = r.today()
	}
	if from == 0 {
		from = calendar.Date(2000, 1, 1)
	}
	groups, err = s.deps.Checks.Completion(r.Context(), r.Who, checklist.Period{From: from.Start(r.Location()), To: (to + 1).Start(r.Location())}, f.ID("template"), f.ID("school"), bySchool)
	return groups, span, bySchool, err
}

func (s *Server) completion(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	groups, span, bySchool, err := s.askedCompletion(r)
	if err != nil {
		return err
	}
	n.sortGroups(groups)
	p := &completionPage{Page: Page{Title: r.T("completion.title"), Lede: r.T("completion.lede")}}
	if r.Who.Can(auth.EditService) {
		p.Actions = []Action{{Label: r.T("admin.checklists.title"), Icon: "settings", Href: templatesPath}}
	}
	p.Tabs = r.TabsBy("view", r.T("visits.views"), "template", r.T("completion.by.template"), "school", r.T("completion.by.school"))
	f := r.Filters()
	fields := []Field{r.periodField(f, span)}
	options := []Option{{Label: r.T("completion.every")}}
	if r.Who.Can(auth.HandleIncident) {
		templates, err := s.deps.Checks.Templates(r.Context(), r.Who)
		if err != nil {
			return err
		}
		for _, t := range templates {
			options = append(options, Option{Value: id(t.ID), Label: t.Title})
		}
		fields = append(fields, f.Select("template", r.T("checklist.template"), options))
	}
	if len(n.places.SchoolsIn(r.Scope())) > 1 {
		fields = append(fields, f.Select("school", r.T("incident.field.school"), n.schoolOptions(r.Scope(), r.T("visits.every_school"))))
	}
	p.Bar = r.FilterBar(fields, "view")
	if r.Who.Can(auth.ExportData) {
		p.Exports = []Link{{Label: "CSV", Href: r.Address.At("/checklists.csv").String(), Icon: "download"}, {Label: "XLSX", Href: r.Address.At("/checklists.xlsx").String(), Icon: "download"}}
	}
	if len(groups) == 0 {
		p.Empty = &EmptyState{Icon: "list-checks", Title: r.T("completion.empty"), Text: r.T("completion.empty.text")}
		return completionView.show(r, http.StatusOK, p)
	}
	p.count(r, n, groups, bySchool)
	return completionView.show(r, http.StatusOK, p)
}

func (n *names) sortGroups(groups []checklist.Group) {
	slices.SortStableFunc(groups, func(a, b checklist.Group) int {
		return cmp.Or(strings.Compare(n.r.CollationKey(a.Title), n.r.CollationKey(b.Title)), strings.Compare(n.r.CollationKey(n.places.SchoolName(a.School)), n.r.CollationKey(n.places.SchoolName(b.School))))
	})
}

func (p *completionPage) count(r *Request, n *names, groups []checklist.Group, bySchool bool) {
	var lists, completed int
	p.Table = Table{Printer: r.Printer, Caption: p.Title, Hide: true, Stacked: true, Columns: []Column{{Label: r.T("checklist.template"), Lead: true}}}
	if bySchool {
		p.Table.Columns = append(p.Table.Columns, Column{Label: r.T("incident.field.school")})
	}
	for _, key := range []string{"lists", "completed", "share", "items", "median"} {
		p.Table.Columns = append(p.Table.Columns, Column{Label: r.T("completion.column." + key), Num: true})
	}
	for k := range groups {
		g := &groups[k]
		lists, completed = lists+g.Lists, completed+g.Completed
		cells := []Cell{{Text: g.Title}}
		if bySchool {
			cells = append(cells, Cell{Text: n.places.SchoolName(g.School)})
		}
		median := "—"
		if g.Completed > 0 {
			median = r.Duration(g.Median)
		}
		cells = append(cells, Cell{Text: r.Int(g.Lists)}, Cell{Text: r.Int(g.Completed)}, Cell{Text: r.Pct(g.Share(), 0)}, Cell{Text: r.T("common.of", "part", g.Done, "whole", g.Items)}, Cell{Text: median})
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: cells})
	}
	p.Keys = []KeyFigure{
		{Label: r.T("completion.column.lists"), Value: r.Int(lists)},
		{Label: r.T("completion.column.completed"), Value: r.Int(completed), Note: r.Pct(float64(completed)/float64(lists), 0)},
		{Label: r.T("completion.open"), Value: r.Int(lists - completed)},
	}
	p.Note = r.T("completion.how")
}

func (s *Server) exportCompletion(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	groups, _, bySchool, err := s.askedCompletion(r)
	if err != nil {
		return err
	}
	n.sortGroups(groups)
	columns := []sheet.Column{{Title: r.T("checklist.template"), Width: 40}}
	if bySchool {
		columns = append(columns, sheet.Column{Title: "UAI", Width: 10}, sheet.Column{Title: r.T("incident.field.school"), Width: 32})
	}
	for _, key := range []string{"lists", "completed", "items_done", "items_all", "median_hours"} {
		columns = append(columns, sheet.Column{Title: r.T("completion.column." + key), Kind: sheet.Number})
	}
	out, err := r.download("checklists", columns)
	if err != nil {
		return err
	}
	for k := range groups {
		g := &groups[k]
		row := []any{g.Title}
		if bySchool {
			school, _ := n.places.School(g.School)
			row = append(row, school.UAI, school.Name)
		}
		var median any
		if g.Completed > 0 {
			median = float64(int(g.Median.Hours()*100)) / 100
		}
		if err := out.Row(append(row, g.Lists, g.Completed, g.Done, g.Items, median)...); err != nil {
			return err
		}
	}
	return out.Close()
}
