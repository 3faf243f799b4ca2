package web

import (
	"net/http"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

func (s *Server) directoryPeopleRoutes() {
	edit := needs(auth.EditDirectory)
	s.page("GET /admin/directory/people", s.directoryPeople, edit)
	s.page("GET /admin/directory/people/new", s.editPerson, edit)
	s.page("POST /admin/directory/people/new", s.savePerson, edit)
	s.page("GET /admin/directory/people/{id}", s.editPerson, edit)
	s.page("POST /admin/directory/people/{id}", s.savePerson, edit)
	s.page("GET /admin/directory/teams", s.directoryTeams, edit)
	s.page("GET /admin/directory/teams/new", s.editTeam, edit)
	s.page("POST /admin/directory/teams/new", s.saveTeam, edit)
	s.page("GET /admin/directory/teams/{id}", s.editTeam, edit)
	s.page("POST /admin/directory/teams/{id}", s.saveTeam, edit)
}

// shownPeople is how many people a list shows; the search finds the others.
const shownPeople = 200

func (s *Server) directoryPeople(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	f := r.Filters()
	p := &directoryPage{
		Page: Page{Title: r.T("directory.admin.people"), Lede: r.T("directory.admin.people.lede"), Crumbs: r.directoryCrumbs(), Actions: []Action{{Label: r.T("directory.admin.person_new"), Icon: "plus", Href: directoryPath + "/people/new", Primary: true}}},
		Tabs: r.directoryTabs("people"),
	}
	bar := r.FilterBar([]Field{
		f.Input("search", "q", r.T("directory.admin.person.name")),
		f.Select("kind", r.T("directory.admin.person.kind"), append([]Option{{Label: r.T("common.all.f")}}, r.personKinds()...)),
		f.Select("school", r.T("cube.dim.school"), n.schoolOptions(r.Scope(), r.T("common.all"))),
	})
	p.Bar = &bar
	p.Table = Table{Printer: r.Printer, Caption: r.T("directory.admin.people"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("directory.admin.person.name"), Lead: true}, {Label: r.T("directory.admin.person.kind")}, {Label: r.T("cube.dim.school"), Wrap: true}, {Label: r.T("directory.admin.person.email")}, {Label: r.T("directory.admin.person.phone")},
	}}
	found := 0
	for _, person := range n.places.People() {
		if q := f.Get("q"); q != "" && !matches(person.Name+" "+person.Email+" "+n.places.SchoolName(person.School), q) ||
			f.Get("kind") != "" && f.Get("kind") != string(person.Kind) || f.ID("school") != 0 && f.ID("school") != person.School {
			continue
		}
		if found++; found > shownPeople {
			continue
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: person.Name, Href: directoryPath + "/people/" + id(person.ID)}, {Text: r.T("directory.person_kind." + string(person.Kind))},
			{Text: n.places.SchoolName(person.School)}, {Text: person.Email}, {Text: person.Phone},
		}})
	}
	p.Count = r.N("directory.admin.people_count", found)
	if found > shownPeople {
		p.Count = Legend(p.Count, r.T("directory.admin.people_first", "n", shownPeople))
	}
	switch {
	case found > 0:
	case len(n.places.People()) == 0:
		p.Empty = &EmptyState{Icon: "users", Title: r.T("directory.admin.people.empty"), Text: r.T("directory.admin.people.empty.text"), Action: &Link{Label: r.T("directory.admin.person_new"), Href: directoryPath + "/people/new", Icon: "plus"}}
	default:
		p.Empty = &EmptyState{Icon: "search", Title: r.T("directory.admin.people.none"), Text: r.T("directory.admin.people.none.text"), Action: &Link{Label: r.T("web.filters.clear"), Href: directoryPath + "/people"}}
	}
	return directoryView.show(r, http.StatusOK, p)
}

func (r *Request) personKinds() []Option {
	var options []Option
	for _, kind := range directory.PersonKinds {
		options = append(options, Option{Value: string(kind), Label: r.T("directory.person_kind." + string(kind))})
	}
	return options
}

// pathPerson is the person of the address; nobody for "new".
func (r *Request) pathPerson(n *names) (directory.Person, error) {
	if r.PathValue("id") == "" {
		return directory.Person{Kind: directory.Teacher}, nil
	}
	number, err := r.pathID()
	if err != nil {
		return directory.Person{}, err
	}
	person, ok := n.places.Person(number)
	if !ok {
		return person, fault.New(fault.NotFound, "error.directory.person_not_found")
	}
	return person, nil
}

func personForm(r *Request, p directory.Person) *Form {
	f := r.Blank("name", p.Name, "kind", string(p.Kind), "email", p.Email, "phone", p.Phone)
	if p.School != 0 {
		f.values.Set("school", id(p.School))
	}
	if p.Team != 0 {
		f.values.Set("team", id(p.Team))
	}
	return f
}

func (s *Server) editPerson(r *Request) error { return s.showPerson(r, http.StatusOK, nil) }

func (s *Server) showPerson(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	person, err := r.pathPerson(n)
	if err != nil {
		return err
	}
	if f == nil {
		f = personForm(r, person)
	}
	title := person.Name
	if person.ID == 0 {
		title = r.T("directory.admin.person_new")
	}
	return directoryEditView.show(r, status, &directoryEditPage{
		Page: Page{Title: title, Crumbs: r.directoryCrumbs(Link{Label: r.T("directory.admin.people"), Href: directoryPath + "/people"})}, Form: f, Cancel: directoryPath + "/people",
		Fields: []Field{
			f.Text("name", r.T("directory.admin.person.name")).Must().AtMost(200),
			f.Choices("kind", r.T("directory.admin.person.kind"), r.personKinds()).Plain(),
			f.Select("school", r.T("cube.dim.school"), n.schoolOptions(r.Scope(), r.T("directory.admin.person.anywhere"))).Plain(),
			f.Select("team", r.T("directory.admin.person.team"), n.teamOptions(r.T("directory.admin.person.team_none"))).Plain().Hinted(r.T("directory.admin.person.team_hint")),
			f.Input("email", "email", r.T("directory.admin.person.email")).AtMost(200),
			f.Input("tel", "phone", r.T("directory.admin.person.phone")).AtMost(60),
		},
	})
}

func (s *Server) savePerson(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	before, err := r.pathPerson(n)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	person := before
	person.Name, person.Kind, person.School, person.Email, person.Phone = f.Get("name"), directory.PersonKind(f.Get("kind")), f.ID("school"), f.Get("email"), f.Get("phone")
	person.Team = f.ID("team")
	if person, err = s.deps.Directory.SavePerson(r.Context(), r.Who, person); err != nil {
		if f.Refused(err) {
			return s.showPerson(r, status(err), f)
		}
		return err
	}
	said := Notice{Text: r.T("directory.admin.person_saved", "name", person.Name)}
	if before.ID != 0 {
		said.Undo = &Undo{Action: directoryPath + "/people/" + id(person.ID), Values: personForm(r, before).flat()}
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect(directoryPath + "/people")
}

func (s *Server) directoryTeams(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	add := &Link{Label: r.T("directory.admin.team_new"), Icon: "plus", Href: directoryPath + "/teams/new"}
	p := &directoryPage{
		Page: Page{Title: r.T("directory.admin.teams"), Lede: r.T("directory.admin.teams.lede"), Crumbs: r.directoryCrumbs(), Actions: []Action{{Label: add.Label, Icon: add.Icon, Href: add.Href, Primary: true}}},
		Tabs: r.directoryTabs("teams"),
	}
	p.Table = Table{Printer: r.Printer, Caption: r.T("directory.admin.teams"), Hide: true, Columns: []Column{{Label: r.T("directory.admin.team.name"), Lead: true}, {Label: r.T("directory.admin.team.state")}}}
	for _, team := range n.places.Teams() {
		state := Badge{Icon: "circle-check", Word: r.T("directory.admin.team.on"), Tone: "good"}
		if team.Archived {
			state = Badge{Icon: "archive", Word: r.T("directory.admin.team.off")}
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: team.Name, Href: directoryPath + "/teams/" + id(team.ID)}, {Badge: &state}}})
	}
	p.Count = r.N("directory.admin.teams_count", len(p.Table.Rows))
	if len(p.Table.Rows) == 0 {
		p.Empty = &EmptyState{Icon: "users", Title: r.T("directory.admin.teams.empty"), Text: r.T("directory.admin.teams.lede"), Action: add}
	}
	return directoryView.show(r, http.StatusOK, p)
}

// pathTeam is the team of the address; none for "new".
func (r *Request) pathTeam(n *names) (directory.Team, error) {
	if r.PathValue("id") == "" {
		return directory.Team{}, nil
	}
	number, err := r.pathID()
	if err != nil {
		return directory.Team{}, err
	}
	team, ok := n.places.Team(number)
	if !ok {
		return team, fault.New(fault.NotFound, "error.directory.team_not_found")
	}
	return team, nil
}

func teamForm(r *Request, t directory.Team) *Form {
	f := r.Blank("name", t.Name)
	if t.Archived {
		f.values.Set("archived", "1")
	}
	return f
}

func (s *Server) editTeam(r *Request) error { return s.showTeam(r, http.StatusOK, nil) }

func (s *Server) showTeam(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	team, err := r.pathTeam(n)
	if err != nil {
		return err
	}
	if f == nil {
		f = teamForm(r, team)
	}
	p := &directoryEditPage{
		Page: Page{Title: team.Name, Crumbs: r.directoryCrumbs(Link{Label: r.T("directory.admin.teams"), Href: directoryPath + "/teams"})}, Form: f, Cancel: directoryPath + "/teams",
		Fields: []Field{f.Text("name", r.T("directory.admin.team.name")).Must().AtMost(200)},
	}
	if team.ID == 0 {
		p.Title = r.T("directory.admin.team_new")
	} else {
		p.Fields = append(p.Fields, f.Check("archived", r.T("directory.admin.team.archive")).Hinted(r.T("directory.admin.team.archive.hint")))
	}
	return directoryEditView.show(r, status, p)
}

func (s *Server) saveTeam(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	before, err := r.pathTeam(n)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	team, err := s.deps.Directory.SaveTeam(r.Context(), r.Who, directory.Team{ID: before.ID, Name: f.Get("name"), Archived: f.Checked("archived")})
	if err != nil {
		if f.Refused(err) {
			return s.showTeam(r, status(err), f)
		}
		return err
	}
	said := Notice{Text: r.T("web.saved")}
	if before.ID != 0 {
		said.Undo = &Undo{Action: directoryPath + "/teams/" + id(team.ID), Values: teamForm(r, before).flat()}
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect(directoryPath + "/teams")
}
