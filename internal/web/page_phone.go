package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// phonePage is where a technician notes a call while it lasts: who, what, and
// whether it is solved already.
type phonePage struct {
	Page

	Form    *Form
	Once    string
	Who     Field
	Matches []phoneMatch // without script: who it may be
	Title   Field
	Code    Field // chosen: solved at once
	Cause   Field
	Urgency Field
	Details Field
	Rest    phoneRest
	Filled  phoneTemplates
}

// phoneMatch is somebody, or a school, that may be calling.
type phoneMatch struct {
	Value  string // "person:4" or "school:2"
	Name   string
	Note   string
	Icon   string
	Chosen bool
}

// phoneRest is what follows from who calls.
type phoneRest struct {
	*locale.Printer

	Caller  string // value of the match, sent with the form
	Name    string
	Where   string
	Phone   string
	Room    Field
	Machine Field
	Kind    Field
	First   *Field     // the school handles first: leave it to them
	Before  []nearItem // what they called for before
	Open    []nearItem // what is open in their school
}

type phoneMatches struct {
	*locale.Printer

	Matches []phoneMatch
}

var (
	phoneView        = newView[phonePage]("page_phone.html", shell)
	phoneWhoFragment = newFragment[phoneMatches]("page_phone.html", "phone-matches")
)

func (s *Server) phoneRoutes() {
	s.page("GET /phone", s.phone, needs(auth.HandleIncident))
	s.page("POST /phone", s.phoneSave, needs(auth.HandleIncident))
	s.page("GET /phone/who", s.phoneWho, needs(auth.HandleIncident))
	s.navEntry(entry{order: 110, key: "phone.nav", icon: "phone", href: "/phone", right: auth.HandleIncident})
}

// maxMatches is how many callers are offered while one types.
const maxMatches = 8

// matches finds people by name, school or number, and schools by name, town or
// code; what begins as typed comes first.
func (n *names) matches(typed string) []phoneMatch {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return nil
	}
	digits := onlyDigits(typed)
	var people, schools []phoneMatch
	for _, p := range n.places.People() {
		school := n.places.SchoolName(p.School)
		byNumber := len(digits) >= 4 && strings.Contains(onlyDigits(p.Phone), digits)
		if p.Kind != directory.Staff && (byNumber || matches(p.Name+" "+school, typed)) {
			people = append(people, phoneMatch{Value: "person:" + id(p.ID), Name: p.Name, Note: Legend(n.r.T("directory.person_kind."+string(p.Kind)), school, p.Phone), Icon: "user"})
		}
	}
	for _, sc := range n.places.Schools() {
		if sc.Closed == 0 && matches(sc.Name+" "+sc.Commune+" "+sc.UAI, typed) {
			schools = append(schools, phoneMatch{Value: "school:" + id(sc.ID), Name: sc.Name, Note: sc.Commune, Icon: "school"})
		}
	}
	begins := func(m phoneMatch) int {
		if strings.HasPrefix(fold(m.Name), fold(typed)) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(people, func(a, b phoneMatch) int { return begins(a) - begins(b) })
	// Somebody of the school is who calls more often than the school itself,
	// but a school typed by its name must not be hidden by its people.
	if len(schools) > 0 && len(people) > maxMatches-2 {
		people = people[:maxMatches-2]
	}
	all := slices.Concat(people, schools)
	return all[:min(len(all), maxMatches)]
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// caller reads the value of a match: a person with their school, or a school.
func (n *names) caller(value string) (person directory.Person, school directory.School, ok bool) {
	kind, number, _ := strings.Cut(value, ":")
	at, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return person, school, false
	}
	switch kind {
	case "person":
		if person, ok = n.places.Person(at); ok {
			school, _ = n.places.School(person.School)
		}
	case "school":
		school, ok = n.places.School(at)
	}
	return person, school, ok
}

// phoneWho answers while one types who is calling.
func (s *Server) phoneWho(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	typed := r.Address.Get("who")
	if len(typed) > 200 {
		typed = ""
	}
	return phoneWhoFragment.show(r, phoneMatches{Printer: r.Printer, Matches: n.matches(typed)})
}

func (s *Server) phone(r *Request) error {
	f := r.Blank("once", newOnce(), "who", r.Address.Get("who"), "caller", r.Address.Get("caller"), "template", r.Address.Get("template"))
	filled, err := s.templateOf(r, f.ID("template"))
	if err != nil {
		return err
	}
	f.fillCall(filled)
	return s.showPhone(r, http.StatusOK, f)
}

func (s *Server) showPhone(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &phonePage{Page: Page{Title: r.T("phone.title"), Lede: r.T("phone.lede"), Actions: []Action{{Label: r.T("phone.next"), Icon: "phone", Href: "/phone", Key: "n"}}}, Form: f, Once: f.Get("once")}
	p.Who = f.Input("search", "who", r.T("phone.who")).Plain().AtMost(200).First().Example(r.T("phone.who.example"))
	_, _, known := n.caller(f.Get("caller"))
	if !known && f.Get("who") != "" {
		p.Matches = n.matches(f.Get("who"))
	}
	p.Title = f.Text("title", r.T("phone.what")).Must().AtMost(incident.MaxTitle)
	p.Code = f.Select("resolution_code", r.T("phone.solved"), n.codeOptions(catalog.Resolution, r.T("phone.solved.not"))).Plain()
	p.Cause = f.Select("cause_code", r.T("incident.field.cause_code"), n.codeOptions(catalog.Cause, r.T("common.choose"))).Plain()
	p.Urgency = f.Choices("urgency", r.T("incident.field.urgency"), n.levelOptions(incident.FieldUrgency)).Plain()
	p.Details = f.Area("description", r.T("declare.more.text")).AtMost(incident.MaxText)
	if !f.values.Has("urgency") {
		for i := range p.Urgency.Options {
			p.Urgency.Options[i].Chosen = p.Urgency.Options[i].Value == strconv.Itoa(incident.DefaultUrgency)
		}
	}
	if p.Filled, err = s.phoneTemplates(r, n, f); err != nil {
		return err
	}
	if p.Rest, err = s.phoneRest(r, n, f); err != nil {
		return err
	}
	return phoneView.show(r, status, p)
}

// How much of the past is shown beside a call.
const (
	callsBefore = 5
	openBeside  = 8
)

func (s *Server) phoneRest(r *Request, n *names, f *Form) (phoneRest, error) {
	rest := phoneRest{Printer: r.Printer}
	person, school, ok := n.caller(f.Get("caller"))
	if !ok {
		school = directory.School{}
	} else {
		rest.Caller, rest.Name, rest.Where, rest.Phone = f.Get("caller"), person.Name, Legend(school.Name, school.Commune), person.Phone
		if rest.Name == "" {
			rest.Name = school.Name
		}
	}
	rest.Room = f.Select("room", r.T("incident.field.room"), n.roomOptions(school.ID, r.T("declare.room.none"))).Plain()
	rest.Machine = f.Text("machine", r.T("incident.field.machine")).Plain().AtMost(incident.MaxMachine)
	rest.Kind = f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("phone.kind.guess"))).Plain()
	if n.places.Support(school.ID).First {
		first := f.Check("school_first", r.T("chain.phone"))
		rest.First = &first
	}
	before, err := s.deps.Incidents.ByDeclarant(r.Context(), r.Scope(), person.ID, callsBefore)
	if err != nil {
		return rest, err
	}
	open, err := s.deps.Incidents.OpenAt(r.Context(), r.Scope(), school.ID, openBeside)
	if err != nil {
		return rest, err
	}
	item := func(i incident.Incident) nearItem {
		it := nearItem{Label: i.Title, Href: "/incidents/" + id(i.ID), State: StateBadge(r.Printer, i.State), When: r.Moment(i.OpenedAt)}
		if i.ResolutionCode != 0 {
			it.Fix = n.words.CodeLabel(i.ResolutionCode, n.lang())
		}
		return it
	}
	for _, i := range before {
		rest.Before = append(rest.Before, item(i))
	}
	for _, i := range open {
		rest.Open = append(rest.Open, item(i))
	}
	return rest, nil
}

// phoneSave notes the call; with a resolution code it is solved in the same
// gesture.
func (s *Server) phoneSave(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	made, err := s.noteCall(r, n, f)
	if err != nil {
		if f.Refused(err) {
			return s.showPhone(r, status(err), f)
		}
		return err
	}
	key := "phone.done"
	if made.State == incident.Resolved {
		key = "phone.done.solved"
	}
	text := r.T(key, "number", id(made.ID), "title", made.Title)
	if began, err := strconv.ParseInt(f.Get("began"), 10, 64); err == nil {
		if took := r.Now().Sub(time.UnixMilli(began)); took > 0 && took < 4*time.Hour {
			text += " " + r.T("phone.took", "took", r.Duration(took.Round(time.Second)))
		}
	}
	if err := r.Say(Notice{Text: text, Link: &Link{Label: r.T("phone.open"), Href: "/incidents/" + id(made.ID)}}); err != nil {
		return err
	}
	return r.Redirect("/phone")
}

func (s *Server) noteCall(r *Request, n *names, f *Form) (incident.Incident, error) {
	var none incident.Incident
	person, school, ok := n.caller(f.Get("caller"))
	if !ok {
		// Without script: what was typed may mean one caller only.
		if found := n.matches(f.Get("who")); len(found) == 1 {
			f.values.Set("caller", found[0].Value)
			person, school, ok = n.caller(found[0].Value)
		}
	}
	if !ok || school.ID == 0 {
		return none, fault.InvalidField("who", "error.phone.who")
	}
	set, err := patchOf(r, f, []incident.Field{incident.FieldTitle, incident.FieldDescription, incident.FieldRoom, incident.FieldMachine, incident.FieldCategory, incident.FieldResolutionCode, incident.FieldCauseCode})
	if err != nil {
		return none, err
	}
	var i incident.Incident
	set.Apply(&i)
	solved := i.ResolutionCode != 0
	if solved && i.CauseCode == 0 {
		return none, fault.InvalidField("cause_code", "error.field.required")
	}
	i.School = school.ID
	filled, err := s.templateOf(r, f.ID("template"))
	if err != nil {
		return none, err
	}
	if i.Category == 0 {
		i.Category = filled.Category
	}
	if i.Category, err = s.accepted(r, f, i); err != nil {
		return none, err
	}
	urgency, _ := strconv.Atoi(f.Get("urgency"))
	made, _, err := s.deps.Incidents.DeclareOnce(r.Context(), r.Who, f.Get("once"), incident.Declaration{
		Title: i.Title, Description: i.Description, School: school.ID, Room: i.Room, Machine: i.Machine, Category: i.Category, Urgency: urgency, Impact: filled.Impact,
		Declarant: person.ID, Origin: incident.Phone, SchoolFirst: f.Checked("school_first") && !solved,
	})
	if err != nil || !solved || !made.State.Open() {
		return made, err
	}
	if r.Who.Person != 0 {
		// Who solved it looked after it.
		if _, err := s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{Incident: made.ID, Action: incident.Take}); err != nil {
			return none, err
		}
	}
	return s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{Incident: made.ID, Action: incident.Resolve, Set: incident.Patch{ResolutionCode: &i.ResolutionCode, CauseCode: &i.CauseCode}})
}
