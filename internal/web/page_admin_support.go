package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// Which schools' referents handle first what is declared there, before the
// département.

const supportPath = directoryPath + "/support"

func (s *Server) supportRoutes() {
	edit := needs(auth.EditDirectory)
	s.page("GET /admin/directory/support", s.supports, edit)
	s.page("GET /admin/directory/support/{id}", s.editSupport, edit)
	s.page("POST /admin/directory/support/{id}", s.saveSupport, edit)
}

// referentsOf are the names of the accounts that handle for each school.
func (s *Server) referentsOf(r *Request) (map[int64][]string, error) {
	// Who may edit the directory need not manage accounts: only names are shown.
	accounts, err := s.deps.Auth.Accounts(r.Context(), auth.System(r.Who.Tenant))
	if err != nil {
		return nil, err
	}
	of := map[int64][]string{}
	for _, a := range accounts {
		if a.Role != auth.Referent || a.Disabled {
			continue
		}
		for _, school := range a.Schools {
			of[school] = append(of[school], a.Name)
		}
	}
	return of, nil
}

func (s *Server) supports(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	referents, err := s.referentsOf(r)
	if err != nil {
		return err
	}
	p := &directoryPage{Page: Page{Title: r.T("chain.admin.title"), Lede: r.T("chain.admin.lede"), Crumbs: r.directoryCrumbs()}, Tabs: r.directoryTabs("support")}
	f := r.Filters()
	bar := r.FilterBar([]Field{f.Input("search", "q", r.T("schools.search")).Example(r.T("schools.search.example"))})
	p.Bar = &bar
	p.Table = Table{Printer: r.Printer, Caption: r.T("chain.admin.title"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("schools.column.name"), Lead: true}, {Label: r.T("schools.column.commune")}, {Label: r.T("chain.admin.first")},
		{Label: r.T("chain.admin.categories"), Wrap: true}, {Label: r.T("chain.admin.hours"), Num: true}, {Label: r.T("chain.admin.referents"), Wrap: true},
	}}
	on := 0
	for _, school := range n.places.Schools() {
		if q := r.Address.Get("q"); q != "" && !matches(school.Name+" "+school.Commune+" "+school.UAI, q) {
			continue
		}
		c := n.places.Support(school.ID)
		badge := Badge{Icon: "minus", Word: r.T("chain.admin.department")}
		kinds, hours := "–", "–"
		if c.First {
			on++
			badge = Badge{Icon: "school", Word: r.T("chain.admin.school"), Tone: "info"}
			kinds, hours = n.supportKinds(c), r.supportHours(c)
		}
		who := Cell{Text: strings.Join(referents[school.ID], ", ")}
		switch {
		case who.Text == "" && c.First:
			who = Cell{Badge: &Badge{Icon: "triangle-alert", Word: r.T("chain.admin.nobody"), Tone: "warning"}}
		case who.Text == "":
			who.Text = "–"
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: school.Name, Href: supportPath + "/" + id(school.ID)}, {Text: school.Commune}, {Badge: &badge}, {Text: kinds}, {Text: hours}, who,
		}})
	}
	p.Count = Legend(r.N("schools.count", len(p.Table.Rows)), r.N("chain.admin.count", on))
	if len(p.Table.Rows) == 0 {
		p.Empty = r.noSchool(len(n.places.Schools()))
	}
	return directoryView.show(r, http.StatusOK, p)
}

func (n *names) supportKinds(c directory.Support) string {
	if len(c.Categories) == 0 {
		return n.r.T("chain.admin.all_kinds")
	}
	var kinds []string
	for _, k := range c.Categories {
		kinds = append(kinds, n.words.CategoryLabel(k, n.lang()))
	}
	return strings.Join(kinds, ", ")
}

func (r *Request) supportHours(c directory.Support) string {
	if c.Hours == 0 {
		return r.T("chain.admin.never")
	}
	return r.N("chain.admin.hours", c.Hours)
}

func supportForm(r *Request, c directory.Support) *Form {
	f := r.Blank("hours", strconv.Itoa(c.Hours))
	if c.First {
		f.values.Set("first", "1")
	}
	for _, k := range c.Categories {
		f.values.Add("categories", id(k))
	}
	return f
}

func (s *Server) editSupport(r *Request) error { return s.showSupport(r, http.StatusOK, nil) }

func (s *Server) showSupport(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	referents, err := s.referentsOf(r)
	if err != nil {
		return err
	}
	c := n.places.Support(school.ID)
	if f == nil {
		f = supportForm(r, c)
	}
	who := r.T("chain.admin.nobody.hint")
	if names := referents[school.ID]; len(names) > 0 {
		who = r.N("chain.admin.handled_by", len(names), "names", strings.Join(names, ", "))
	}
	var kinds []Option
	for _, k := range n.words.Children(0) {
		if !k.Archived || slices.Contains(c.Categories, k.ID) {
			kinds = append(kinds, Option{Value: id(k.ID), Label: k.In(n.lang())})
		}
	}
	some := f.Choices("categories", r.T("chain.admin.categories"), kinds).Plain().Hinted(r.T("chain.admin.categories.hint"))
	some.Multiple = true
	return directoryEditView.show(r, status, &directoryEditPage{
		Page: Page{Title: r.T("chain.admin.of", "school", school.Name), Lede: Legend(school.Commune, school.UAI), Crumbs: r.directoryCrumbs(Link{Label: r.T("chain.admin.title"), Href: supportPath})},
		Form: f, Cancel: supportPath,
		Fields: []Field{
			f.Check("first", r.T("chain.admin.first.label")).Hinted(who), some,
			f.Input("number", "hours", r.T("chain.admin.hours.label")).Plain().Hinted(r.T("chain.admin.hours.hint")),
		},
	})
}

func (s *Server) saveSupport(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	before := n.places.Support(school.ID)
	next := directory.Support{School: school.ID, First: f.Checked("first")}
	var wrong fault.Fields
	for _, text := range f.All("categories") {
		k, err := strconv.ParseInt(text, 10, 64)
		if _, known := n.words.Category(k); err != nil || !known {
			wrong.Add("categories", "error.field.unknown")
			break
		}
		next.Categories = append(next.Categories, k)
	}
	if text := strings.TrimSpace(f.Get("hours")); text != "" {
		if next.Hours, err = strconv.Atoi(text); err != nil {
			wrong.Add("hours", "error.directory.support_hours", "max", directory.MaxSupportHours)
		}
	}
	err = wrong.Err()
	if err == nil {
		_, err = s.deps.Directory.SaveSupport(r.Context(), r.Who, next)
	}
	if err != nil {
		if f.Refused(err) {
			return s.showSupport(r, status(err), f)
		}
		return err
	}
	said := Notice{Text: r.T("chain.admin.saved.off", "school", school.Name)}
	if next.First {
		said.Text = r.T("chain.admin.saved.on", "school", school.Name)
	}
	if len(before.Categories) <= 1 { // an undo repeats single values only
		said.Undo = &Undo{Action: supportPath + "/" + id(school.ID), Values: supportForm(r, before).flat()}
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect(supportPath)
}
