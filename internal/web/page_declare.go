package web

import (
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
)

// declarePage is the counter: where, what, one sentence, nothing else required.
type declarePage struct {
	Page

	Form     *Form
	Once     string // makes a double click one declaration
	School   *Field // nil when the person has one school only
	Only     string // that school's name
	OnlyID   string
	Room     Field
	Category Field
	Title    Field
	Files    FilesField
	More     []Field // folded: nobody must fill them
	MoreOpen bool
}

var declareView = newView[declarePage]("page_declare.html", shell)

func (s *Server) declareRoutes() {
	s.page("GET /declare", s.declareForm, needs(auth.DeclareIncident))
	s.page("POST /declare", s.declare, needs(auth.DeclareIncident), accepts(filesBody), lasts(filesTime))
	s.navEntry(entry{order: 100, key: "declare.nav", icon: "circle-plus", href: "/declare", right: auth.DeclareIncident, phone: true})
}

func (s *Server) declareForm(r *Request) error {
	f := r.Blank("once", newOnce())
	for _, name := range []string{"school", "room", "category", "machine", "title", "urgency"} {
		if v := r.Address.Get(name); v != "" {
			f.values.Set(name, v)
		}
	}
	return s.showDeclare(r, http.StatusOK, f)
}

func (s *Server) showDeclare(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &declarePage{Page: Page{Title: r.T("declare.title"), Lede: r.T("declare.lede")}, Form: f, Once: f.Get("once")}
	schools := n.declareSchools()
	school := f.ID("school")
	switch {
	case len(schools) == 1:
		school = schools[0].ID
		p.Only, p.OnlyID = schools[0].Name, id(school)
	default:
		options := []Option{{Label: r.T("common.choose")}}
		for _, sc := range schools {
			options = append(options, Option{Value: id(sc.ID), Label: sc.Name, Group: sc.Commune})
		}
		field := f.Select("school", r.T("incident.field.school"), byGroup(options)).Must()
		p.School = &field
	}
	p.Room = f.Select("room", r.T("incident.field.room"), n.roomOptions(school, r.T("declare.room.none"))).Plain()
	var tiles []Option
	for _, c := range n.words.Children(0) {
		if !c.Archived {
			icon := c.Icon
			if icon == "" {
				icon = "circle-help"
			}
			tiles = append(tiles, Option{Value: id(c.ID), Label: c.In(n.lang()), Icon: icon})
		}
	}
	p.Category = f.Choices("category", r.T("declare.what"), tiles).Plain()
	p.Title = f.Text("title", r.T("declare.sentence")).Must().AtMost(incident.MaxTitle).Example(r.T("declare.sentence.example"))
	if p.Files, err = r.filesField(f); err != nil {
		return err
	}
	p.More = []Field{
		f.Choices("urgency", r.T("incident.field.urgency"), n.levelOptions(incident.FieldUrgency)).Plain(),
		f.Text("machine", r.T("incident.field.machine")).AtMost(incident.MaxMachine).Hinted(r.T("declare.machine.hint")),
		f.Area("description", r.T("declare.more.text")).AtMost(incident.MaxText),
		f.Input("datetime-local", "occurred_at", r.T("declare.since")).Hinted(r.T("declare.since.hint")),
	}
	if r.Who.Can(auth.HandleIncident) {
		var origins []Option
		for _, o := range []incident.Origin{incident.Portal, incident.Phone, incident.Email} {
			origins = append(origins, Option{Value: string(o), Label: n.value(incident.FieldOrigin, o)})
		}
		p.More = append(p.More, f.Choices("origin", r.T("incident.field.origin"), origins).Plain())
		p.MoreOpen = f.Get("origin") != ""
	}
	for _, c := range p.More {
		p.MoreOpen = p.MoreOpen || c.Error != "" || c.Value != ""
	}
	return declareView.show(r, status, p)
}

// declare records the incident; a form sent twice is one incident.
func (s *Server) declare(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	set, err := patchOf(r, f, []incident.Field{incident.FieldTitle, incident.FieldDescription, incident.FieldSchool, incident.FieldRoom, incident.FieldMachine, incident.FieldCategory, incident.FieldOccurredAt})
	var files []int64
	if err == nil {
		files, err = r.takeFiles(f)
	}
	var made incident.Incident
	if err == nil {
		var i incident.Incident
		set.Apply(&i)
		urgency, _ := strconv.Atoi(f.Get("urgency"))
		made, _, err = s.deps.Incidents.DeclareOnce(r.Context(), r.Who, f.Get("once"), incident.Declaration{
			Title: i.Title, Description: i.Description, School: i.School, Room: i.Room, Machine: i.Machine, Category: i.Category,
			Urgency: urgency, Origin: incident.Origin(f.Get("origin")), OccurredAt: i.OccurredAt, Attachments: files,
		})
	}
	if err != nil {
		if f.Refused(err) {
			return s.showDeclare(r, status(err), f)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("declare.done", "number", id(made.ID)), Link: &Link{Label: r.T("declare.another"), Href: "/declare?school=" + id(made.School)}}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(made.ID))
}

// declareSchools are the schools where the person may declare.
func (n *names) declareSchools() []schoolChoice {
	var out []schoolChoice
	for _, s := range n.places.Schools() {
		if s.Closed == 0 && n.r.Who.MayDeclareIn(s.ID) {
			out = append(out, schoolChoice{s.ID, s.Name, s.Commune})
		}
	}
	return slices.Clip(out)
}

type schoolChoice struct {
	ID            int64
	Name, Commune string
}
