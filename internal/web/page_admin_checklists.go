package web

import (
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/checklist"
)

// templatesPage lists the templates of check-lists.
type templatesPage struct {
	Page

	Table Table
	Empty *EmptyState
}

// templateEditPage makes or changes a template.
type templateEditPage struct {
	Page

	Form     *Form
	Fields   []Field
	Rows     []templateRow
	Version  string
	Archived bool
	ID       string
}

// templateRow is the controls of one item.
type templateRow struct {
	Label  string
	Fields []Field
}

var (
	templatesView    = newView[templatesPage]("page_admin_checklists.html", shell)
	templateEditView = newView[templateEditPage]("page_admin_checklists_edit.html", shell)
)

const templatesPath = "/admin/checklists"

func (s *Server) adminChecklistRoutes() {
	edit := needs(auth.EditService)
	s.page("GET /admin/checklists", s.templates, edit)
	s.page("GET /admin/checklists/new", s.editTemplate, edit)
	s.page("POST /admin/checklists/new", s.saveTemplate, edit)
	s.page("GET /admin/checklists/{id}", s.editTemplate, edit)
	s.page("POST /admin/checklists/{id}", s.saveTemplate, edit)
	s.page("POST /admin/checklists/{id}/archive", s.archiveTemplate, edit)
	s.adminEntry(adminPart{order: 250, key: "admin.checklists", icon: "list-checks", href: templatesPath, right: auth.EditService, state: func(r *Request, _ *names) ([]string, error) {
		all, err := s.deps.Checks.Templates(r.Context(), r.Who)
		if err != nil {
			return nil, err
		}
		kept := 0
		for _, t := range all {
			if !t.Archived {
				kept++
			}
		}
		return []string{r.N("admin.checklists.count", kept)}, nil
	}})
}

func (s *Server) templates(r *Request) error {
	all, err := s.deps.Checks.Templates(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &templatesPage{Page: Page{Title: r.T("admin.checklists.title"), Lede: r.T("admin.checklists.what"), Crumbs: r.adminCrumbs()}}
	p.Actions = []Action{{Label: r.T("admin.checklists.new"), Icon: "plus", Href: templatesPath + "/new", Primary: true, Key: "n"}, {Label: r.T("completion.title"), Icon: "chart-column", Href: "/checklists"}}
	p.Table = Table{Printer: r.Printer, Caption: p.Title, Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("checklist.template"), Lead: true}, {Label: r.T("admin.checklists.items"), Num: true}, {Label: r.T("admin.checklists.mandatory"), Num: true}, {Label: r.T("admin.checklists.version"), Num: true}, {Label: r.T("visit.field.state")},
	}}
	slices.SortStableFunc(all, func(a, b checklist.Template) int { return order(a.Archived) - order(b.Archived) })
	for _, t := range all {
		mandatory := 0
		for _, i := range t.Items {
			mandatory += order(i.Mandatory)
		}
		state := Cell{Text: r.T("admin.checklists.live")}
		if t.Archived {
			state = Cell{Badge: &Badge{Icon: "archive", Word: r.T("admin.checklists.archived")}}
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: t.Title, Note: t.About, Href: templatesPath + "/" + id(t.ID)}, {Text: r.Int(len(t.Items))}, {Text: r.Int(mandatory)}, {Text: r.Int(t.Version)}, state}})
	}
	if len(all) == 0 {
		p.Empty = &EmptyState{Icon: "list-checks", Title: r.T("admin.checklists.empty"), Text: r.T("admin.checklists.what"), Action: &Link{Label: r.T("admin.checklists.new"), Icon: "plus", Href: templatesPath + "/new"}}
	}
	return templatesView.show(r, http.StatusOK, p)
}

// blankRows is how many empty items a template's form ends with.
const blankRows = 4

// pathTemplate is the template of the address; an empty one for a new.
func (s *Server) pathTemplate(r *Request) (checklist.Template, error) {
	if r.PathValue("id") == "" {
		return checklist.Template{}, nil
	}
	number, err := r.pathID()
	if err != nil {
		return checklist.Template{}, err
	}
	return s.deps.Checks.Template(r.Context(), r.Who, number)
}

func (s *Server) editTemplate(r *Request) error {
	t, err := s.pathTemplate(r)
	if err != nil {
		return err
	}
	f := r.Blank("title", t.Title, "about", t.About)
	for n, i := range t.Items {
		at := "." + strconv.Itoa(n)
		f.values.Set("text"+at, i.Text)
		f.values.Set("help"+at, i.Help)
		f.values.Set("kind"+at, string(i.Kind))
		if i.Mandatory {
			f.values.Set("must"+at, "1")
		}
	}
	return s.showTemplate(r, http.StatusOK, t, f, len(t.Items))
}

func (s *Server) showTemplate(r *Request, status int, t checklist.Template, f *Form, items int) error {
	p := &templateEditPage{
		Page: Page{Title: r.T("admin.checklists.new"), Crumbs: r.adminCrumbs(Link{Label: r.T("admin.checklists.title"), Href: templatesPath})},
		Form: f, Archived: t.Archived,
		Fields: []Field{
			f.Text("title", r.T("admin.checklists.name")).Must().AtMost(checklist.MaxTitle),
			f.Area("about", r.T("admin.checklists.about")).AtMost(checklist.MaxAbout),
		},
	}
	if t.ID != 0 {
		p.Title, p.ID = t.Title, id(t.ID)
		p.Lede = r.T("admin.checklists.edit", "version", t.Version)
	}
	var kinds []Option
	for _, k := range checklist.Kinds {
		kinds = append(kinds, Option{Value: string(k), Label: r.T("checklist.kind." + string(k))})
	}
	for n := range min(items+blankRows, checklist.MaxItems) {
		at := "." + strconv.Itoa(n)
		if f.Get("order"+at) == "" {
			f.values.Set("order"+at, strconv.Itoa(n+1))
		}
		place := f.Input("number", "order"+at, r.T("admin.checklists.order")).Plain()
		place.Mode = "numeric"
		p.Rows = append(p.Rows, templateRow{Label: r.T("admin.checklists.item", "n", n+1), Fields: []Field{
			f.Text("text"+at, r.T("admin.checklists.text")).Plain().AtMost(checklist.MaxItem), f.Text("help"+at, r.T("admin.checklists.help")).AtMost(checklist.MaxHelp),
			f.Select("kind"+at, r.T("admin.checklists.kind"), kinds).Plain(), place, f.Check("must"+at, r.T("checklist.mandatory")),
		}})
	}
	return templateEditView.show(r, status, p)
}

func (s *Server) saveTemplate(r *Request) error {
	t, err := s.pathTemplate(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	type placed struct {
		checklist.Item
		order int
	}
	var rows []placed
	count := 0
	for n := range checklist.MaxItems {
		at := "." + strconv.Itoa(n)
		if f.Get("text"+at) == "" && f.Get("help"+at) == "" {
			continue
		}
		count = n + 1
		where, err := strconv.Atoi(f.Get("order" + at))
		if err != nil {
			where = n + 1
		}
		rows = append(rows, placed{checklist.Item{Text: f.Get("text" + at), Help: f.Get("help" + at), Kind: checklist.Kind(f.Get("kind" + at)), Mandatory: f.Checked("must" + at)}, where})
	}
	slices.SortStableFunc(rows, func(a, b placed) int { return a.order - b.order })
	next := checklist.Template{ID: t.ID, Title: f.Get("title"), About: f.Get("about"), Archived: t.Archived}
	for _, row := range rows {
		next.Items = append(next.Items, row.Item)
	}
	saved, err := s.deps.Checks.SaveTemplate(r.Context(), r.Who, next)
	if f.Refused(err) {
		return s.showTemplate(r, status(err), t, f, count)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.checklists.saved", "title", saved.Title)}); err != nil {
		return err
	}
	return r.Redirect(templatesPath)
}

func (s *Server) archiveTemplate(r *Request) error {
	t, err := s.pathTemplate(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	t.Archived = f.Checked("archived")
	if _, err := s.deps.Checks.SaveTemplate(r.Context(), r.Who, t); err != nil {
		return err
	}
	said, undo := "admin.checklists.now_archived", ""
	if !t.Archived {
		said, undo = "admin.checklists.now_live", "1"
	}
	if err := r.Say(Notice{Text: r.T(said, "title", t.Title), Undo: &Undo{Action: templatesPath + "/" + id(t.ID) + "/archive", Values: map[string]string{"archived": undo}}}); err != nil {
		return err
	}
	return r.Redirect(templatesPath)
}
