package web

import (
	"html/template"
	"net/http"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/problem"
)

// problemPage is one problem with the incidents that it explains.
type problemPage struct {
	Page

	ID      string
	Problem problem.Problem
	State   *Badge
	Facts   []fact
	Counts  string
	Rows    []linkItem
	More    string
	Form    *Form
	Link    Field
	Story   []storyEntry
}

var problemView = newView[problemPage]("page_problem.html", shell)

// problemShown bounds the incidents shown on a problem's page.
const problemShown = 100

func requiredField(name string) error { return fault.InvalidField(name, "error.field.required") }

func (s *Server) problem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	return s.showProblem(r, http.StatusOK, number, r.Blank())
}

func (s *Server) refusedProblem(r *Request, number int64, f *Form, err error) error {
	if fault.Is(err, fault.NotFound) {
		if _, gone := s.deps.Problems.Get(r.Context(), r.Who, number); gone != nil {
			return gone
		}
		err = fault.InvalidField("incidents", "error.incident.not_found")
	}
	if !f.Refused(err) {
		return err
	}
	return s.showProblem(r, status(err), number, f)
}

func (s *Server) showProblem(r *Request, status int, number int64, f *Form) error {
	p, err := s.deps.Problems.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	ids, err := s.deps.Problems.Incidents(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	tied, err := s.deps.Incidents.Many(r.Context(), r.Scope(), ids)
	if err != nil {
		return err
	}
	page := &problemPage{
		Page: Page{Title: problemName(r, p), Crumbs: []Link{{Label: r.T("problem.title"), Href: "/problems"}}},
		ID:   id(p.ID), Problem: p, State: problemBadge(r, p.State), Form: f,
	}
	page.Heading = p.Title
	page.Actions = []Action{{Label: r.T("incident.action.edit"), Icon: "pencil", Href: "/problems/" + id(p.ID) + "/edit", Key: "e"}}
	add := func(label, text string) {
		if text != "" {
			page.Facts = append(page.Facts, fact{Label: r.T(label), Text: text})
		}
	}
	add("incident.field.category", n.category(p.Category))
	add("problem.field.owner", n.places.PersonName(p.Owner))
	add("problem.opened", r.DateTime(p.OpenedAt))
	if !p.EndedAt.IsZero() {
		add("problem.ended", r.DateTime(p.EndedAt))
	}
	page.count(r, n, tied)
	page.Link = f.Text("incidents", r.T("problem.link")).Must().Example("4812, 4830").AtMost(2000)
	story, err := s.deps.Problems.Story(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	for k := len(story) - 1; k >= 0 && len(page.Story) < problemShown; k-- {
		e := story[k]
		who, err := n.actor(e.Actor)
		if err != nil {
			return err
		}
		what := r.T("problem.event." + e.Kind[len(problem.Subject)+1:])
		if e.Incident != 0 {
			what += " " + r.T("incident.number", "number", id(e.Incident))
		}
		if e.State != "" && e.Kind == problem.EventEdited {
			what = r.T("problem.event.state", "state", r.T("problem.state."+string(e.State)))
		}
		page.Story = append(page.Story, storyEntry{Who: who, What: what, When: r.Moment(e.At), Icon: "history"})
	}
	return problemView.show(r, status, page)
}

// count sums up the incidents and lists the latest.
func (p *problemPage) count(r *Request, n *names, tied []incident.Incident) {
	schools, people, open := map[int64]bool{}, 0, 0
	for k := range tied {
		i := &tied[k]
		schools[i.School] = true
		people += i.AffectedPeople()
		if i.State.Open() {
			open++
		}
		if k < problemShown {
			p.Rows = append(p.Rows, linkItem{Number: id(i.ID), Label: r.T("incident.number", "number", id(i.ID)) + " · " + i.Title, Where: n.place(*i), Href: "/incidents/" + id(i.ID), State: StateBadge(r.Printer, i.State)})
		}
	}
	p.Counts = Legend(r.N("incidents.count", len(tied)), r.N("desk.mass.open", open), r.N("desk.mass.schools", len(schools)), r.N("desk.affected.people", people))
	if len(tied) > problemShown {
		p.More = r.T("problem.more", "n", r.Int(len(tied)-problemShown))
	}
}

// problemPanel tells on an incident's page which problems explain it, and how
// people get round them.
type problemPanel struct {
	*locale.Printer

	ID      string
	Handles bool
	Items   []problemItem
	Form    *Form
	Choice  Field
}

type problemItem struct {
	Number     string
	Label      string
	Href       string
	State      *Badge
	Workaround string
	Cause      string
	Public     bool
}

var problemPanelView = newFragment[problemPanel]("panel_problem.html", "panel-problem")

func (s *Server) problemPanel(r *Request, i incident.Incident) (template.HTML, error) {
	all, err := s.deps.Problems.Of(r.Context(), r.Who, i.ID)
	if err != nil {
		return "", err
	}
	p := problemPanel{Printer: r.Printer, ID: id(i.ID), Handles: r.Who.Can(auth.HandleIncident)}
	for _, one := range all {
		item := problemItem{Number: id(one.ID), Label: one.Title, State: problemBadge(r, one.State), Workaround: one.Workaround, Public: one.Public}
		if p.Handles {
			item.Label, item.Href, item.Cause = problemName(r, one), "/problems/"+id(one.ID), one.Cause
		}
		p.Items = append(p.Items, item)
	}
	if p.Handles {
		options, err := r.activeProblems(all)
		if err != nil {
			return "", err
		}
		p.Form = r.formOf("problem")
		p.Choice = p.Form.Select("problem", r.T("problem.name"), options).Must()
		p.Choice.ID = "tie-problem"
	} else if len(p.Items) == 0 {
		return "", nil
	}
	return problemPanelView.html(p)
}
