package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/problem"
	"statincidents/internal/sheet"
)

// problemsPage lists the problems.
type problemsPage struct {
	Page

	Tabs    Tabs
	Table   Table
	Empty   EmptyState
	Exports []Link
}

// problemEditPage writes a problem.
type problemEditPage struct {
	Page

	Path    string
	Back    string
	Version string
	Link    string // an incident to tie to the new problem
	Form    *Form
	Fields  []Field
}

var (
	problemsView    = newView[problemsPage]("page_problems.html", shell)
	problemEditView = newView[problemEditPage]("page_problem_edit.html", shell)
)

func (s *Server) problemRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("GET /problems", s.problems, handle)
	s.page("GET /problems.csv", s.exportProblems, needs(auth.HandleIncident), lasts(exportTime))
	s.page("GET /problems.xlsx", s.exportProblems, needs(auth.HandleIncident), lasts(exportTime))
	s.page("GET /problems/new", s.newProblem, handle)
	s.page("POST /problems/new", s.createProblem, handle)
	s.page("GET /problems/{id}", s.problem, handle)
	s.page("GET /problems/{id}/edit", s.editProblem, handle)
	s.page("POST /problems/{id}/edit", s.saveProblem, handle)
	s.page("POST /problems/{id}/link", s.linkProblem, handle)
	s.page("POST /problems/{id}/unlink", s.unlinkProblem, handle)
	s.page("POST /incidents/{id}/problem", s.tieProblem, handle)
	s.navEntry(entry{order: 260, key: "problem.title", icon: "bug", href: "/problems", right: auth.HandleIncident})
	s.incidentPanel(panel{order: 40, place: panelTop, show: s.problemPanel})
}

var problemLooks = map[problem.State]Badge{
	problem.Open: {Icon: "search", Tone: "new"}, problem.Known: {Icon: "flag", Tone: "warning"},
	problem.Resolved: {Icon: "circle-check", Tone: "good"}, problem.Closed: {Icon: "archive"},
}

func problemBadge(r *Request, s problem.State) *Badge {
	b := problemLooks[s]
	b.Word = r.T("problem.state." + string(s))
	return &b
}

func problemName(r *Request, p problem.Problem) string {
	return r.T("problem.number", "number", id(p.ID)) + " · " + p.Title
}

func (s *Server) problems(r *Request) error {
	all, err := s.deps.Problems.List(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &problemsPage{
		Page: Page{Title: r.T("problem.title"), Lede: r.T("problem.lede")},
		Tabs: r.TabsBy("state", r.T("problem.tabs"), "active", r.T("problem.tab.active"), "ended", r.T("problem.tab.ended")),
	}
	p.Actions = []Action{{Label: r.T("problem.new"), Icon: "circle-plus", Href: "/problems/new", Primary: true, Key: "n"}}
	p.Table = Table{
		Printer: r.Printer, ID: "problems", Caption: r.T("problem.title"), Hide: true, Stacked: true,
		Columns: []Column{{Label: r.T("problem.name"), Lead: true, Wrap: true}, {Label: r.T("problem.field.state")}, {Label: r.T("problem.incidents"), Num: true}, {Label: r.T("incident.field.category")}, {Label: r.T("problem.field.owner")}, {Label: r.T("problem.updated")}},
	}
	ended := r.Address.Get("state") == "ended"
	for _, one := range all {
		if one.State.Active() == ended {
			continue
		}
		m := r.Moment(one.UpdatedAt)
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: problemName(r, one), Href: "/problems/" + id(one.ID)}, {Badge: problemBadge(r, one.State)}, {Text: r.Int(one.Incidents)},
			{Text: n.category(one.Category)}, {Text: n.places.PersonName(one.Owner)}, {Moment: &m},
		}})
	}
	if len(p.Table.Rows) == 0 {
		p.Empty = EmptyState{Icon: "bug", Title: r.T("problem.empty.title"), Text: r.T("problem.empty.text"), Action: &Link{Label: r.T("problem.new"), Href: "/problems/new", Icon: "circle-plus"}}
	}
	if len(all) > 0 {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: "/problems." + kind, Icon: "download"})
		}
	}
	return problemsView.show(r, http.StatusOK, p)
}

func (s *Server) exportProblems(r *Request) error {
	all, err := s.deps.Problems.List(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	field := func(name string) string { return r.T("problem.field." + name) }
	out, err := r.download("problems", []sheet.Column{
		{Title: r.T("incident.field.number"), Kind: sheet.Number}, {Title: field("title"), Width: 50}, {Title: field("state"), Width: 16}, {Title: r.T("problem.incidents"), Kind: sheet.Number},
		{Title: r.T("incident.field.category"), Width: 30}, {Title: field("owner"), Width: 24}, {Title: field("cause"), Width: 50}, {Title: field("workaround"), Width: 50},
		{Title: r.T("problem.opened"), Kind: sheet.DateTime}, {Title: r.T("problem.ended"), Kind: sheet.DateTime},
	})
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := out.Row(p.ID, p.Title, r.T("problem.state."+string(p.State)), p.Incidents, n.category(p.Category), n.places.PersonName(p.Owner), p.Cause, p.Workaround, p.OpenedAt, p.EndedAt); err != nil {
			return err
		}
	}
	return out.Close()
}

func (s *Server) newProblem(r *Request) error {
	f := r.Blank("state", string(problem.Open))
	if number, err := strconv.ParseInt(r.Address.Get("incident"), 10, 64); err == nil {
		i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
		if err != nil {
			return err
		}
		f = r.Blank("state", string(problem.Open), "title", i.Title, "category", id(i.Category), "link", id(i.ID), "owner", id(r.Who.Person))
	}
	if numbers := numbersOf(r.Address.Get("incidents")); len(numbers) > 0 {
		found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), numbers)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.NotFound, "error.incident.not_found")
		}
		i := found[0]
		words := make([]string, len(found))
		for k := range found {
			words[k] = id(found[k].ID)
		}
		f = r.Blank("state", string(problem.Open), "title", i.Title, "category", id(i.Category), "link", strings.Join(words, ","), "owner", id(r.Who.Person))
	}
	return s.showProblemEdit(r, http.StatusOK, 0, f)
}

func (s *Server) showProblemEdit(r *Request, status int, number int64, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &problemEditPage{
		Page: Page{Title: r.T("problem.new"), Crumbs: []Link{{Label: r.T("problem.title"), Href: "/problems"}}}, Path: "/problems/new", Back: "/problems",
		Version: f.Get("version"), Link: f.Get("link"), Form: f,
	}
	if number != 0 {
		p.Path, p.Back = "/problems/"+id(number)+"/edit", "/problems/"+id(number)
		p.Title = r.T("problem.edit", "number", id(number))
	}
	var states []Option
	for _, state := range problem.States {
		states = append(states, Option{Value: string(state), Label: r.T("problem.state." + string(state))})
	}
	label := func(name string) string { return r.T("problem.field." + name) }
	public := f.Check("public", label("public")).Hinted(r.T("problem.public_hint"))
	p.Fields = []Field{
		f.Text("title", label("title")).Must().AtMost(problem.MaxTitle).First(),
		f.Choices("state", label("state"), states).Must(),
		f.Area("description", label("description")).AtMost(problem.MaxText),
		f.Area("cause", label("cause")).AtMost(problem.MaxText).Hinted(r.T("problem.cause_hint")),
		f.Area("workaround", label("workaround")).AtMost(problem.MaxText).Hinted(r.T("problem.workaround_hint")),
		public,
		f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("common.choose"))),
		f.Select("owner", label("owner"), n.technicianOptions(r.T("common.choose"))),
	}
	return problemEditView.show(r, status, p)
}

func problemContent(f *Form) problem.Content {
	return problem.Content{
		State: problem.State(f.Get("state")), Title: f.Get("title"), Description: f.Get("description"), Cause: f.Get("cause"),
		Workaround: f.Get("workaround"), Public: f.Checked("public"), Category: f.ID("category"), Owner: f.ID("owner"),
	}
}

func (s *Server) createProblem(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	p, err := s.deps.Problems.OpenWith(r.Context(), r.Who, problemContent(f), numbersOf(f.Get("link")))
	if err != nil {
		if f.Refused(err) {
			return s.showProblemEdit(r, status(err), 0, f)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("problem.created", "number", id(p.ID))}); err != nil {
		return err
	}
	return r.Redirect("/problems/" + id(p.ID))
}

func (s *Server) editProblem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	p, err := s.deps.Problems.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	public := ""
	if p.Public {
		public = "1"
	}
	f := r.Blank("version", strconv.FormatInt(p.Version, 10), "title", p.Title, "state", string(p.State), "description", p.Description, "cause", p.Cause,
		"workaround", p.Workaround, "public", public, "category", id(p.Category), "owner", id(p.Owner))
	return s.showProblemEdit(r, http.StatusOK, number, f)
}

func (s *Server) saveProblem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	base, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	if _, err := s.deps.Problems.Save(r.Context(), r.Who, number, base, problemContent(f)); err != nil {
		if !f.Refused(err) {
			return err
		}
		if now, err := s.deps.Problems.Get(r.Context(), r.Who, number); err == nil {
			f.values.Set("version", strconv.FormatInt(now.Version, 10)) // saving again is a choice made on what stands
		}
		return s.showProblemEdit(r, status(err), number, f)
	}
	if err := r.Say(Notice{Text: r.T("problem.saved")}); err != nil {
		return err
	}
	return r.Redirect("/problems/" + id(number))
}

// linkProblem ties one or more incidents, typed by number.
func (s *Server) linkProblem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	ids, _, err := s.bulkIDs(r, &Form{Printer: r.Printer, values: map[string][]string{"ids": {strings.NewReplacer("#", "", ";", ",").Replace(f.Get("incidents"))}}})
	if err != nil {
		return err
	}
	tied := 0
	for _, one := range ids {
		changed, err := s.deps.Problems.Link(r.Context(), r.Who, number, one)
		if err != nil {
			return s.refusedProblem(r, number, f, err)
		}
		if changed {
			tied++
		}
	}
	if len(ids) == 0 {
		return s.refusedProblem(r, number, f, requiredField("incidents"))
	}
	if err := r.Say(Notice{Text: r.N("problem.linked", tied)}); err != nil {
		return err
	}
	return r.Redirect("/problems/" + id(number))
}

// unlinkProblem unties one.
func (s *Server) unlinkProblem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	one := f.ID("incident")
	if _, err := s.deps.Problems.Unlink(r.Context(), r.Who, number, one); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("problem.unlinked", "number", id(one)), Undo: &Undo{Action: "/problems/" + id(number) + "/link", Values: map[string]string{"incidents": id(one)}}}); err != nil {
		return err
	}
	if f.Checked("back") {
		return r.Redirect("/incidents/" + id(one))
	}
	return r.Redirect("/problems/" + id(number))
}

// tieProblem ties an incident to a problem, from the incident's page.
func (s *Server) tieProblem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	which := f.ID("problem")
	if which == 0 {
		err = requiredField("problem")
	} else {
		_, err = s.deps.Problems.Link(r.Context(), r.Who, which, number)
	}
	if err != nil {
		if _, seen := s.deps.Incidents.Get(r.Context(), r.Scope(), number); seen != nil {
			return seen
		}
		return s.refusedPanel(r, number, "problem", f, err)
	}
	if err := r.Say(Notice{Text: r.T("problem.tied", "number", id(which)), Undo: &Undo{Action: "/problems/" + id(which) + "/unlink", Values: map[string]string{"incident": id(number), "back": "1"}}}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}

// activeProblems are the options of a choice of problem.
func (r *Request) activeProblems(but []problem.Problem) ([]Option, error) {
	all, err := r.Server.deps.Problems.List(r.Context(), r.Who)
	if err != nil {
		return nil, err
	}
	options := []Option{{Label: r.T("common.choose")}}
	for _, p := range all {
		if p.State.Active() && !slices.ContainsFunc(but, func(o problem.Problem) bool { return o.ID == p.ID }) {
			options = append(options, Option{Value: id(p.ID), Label: problemName(r, p)})
		}
	}
	return options, nil
}
