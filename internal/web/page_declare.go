package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

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
	Rooms    roomChoice
	Category Field
	Title    Field
	Files    FilesField
	Near     nearPart
	Kind     kindPart
	Help     helpPart
	Helped   bool    // sending waits for the reader to have seen Help
	Asked    bool    // sending waits for the reader to have read Near
	More     []Field // folded: nobody must fill them
	MoreOpen bool
	Draft    string // key under which the browser keeps the text until it is sent
	Tried    *Field // what a referent tried, where their school handles first
}

// roomChoice is the rooms of a school as one touches them: those where the
// reader declared lately, then the others.
type roomChoice struct {
	Field

	First  []Option
	Others []Option
	Open   bool // the chosen one is among the others
}

var declareView = newView[declarePage]("page_declare.html", shell)

func (s *Server) declareRoutes() {
	s.page("GET /declare", s.declareForm, needs(auth.DeclareIncident))
	s.page("POST /declare", s.declare, needs(auth.DeclareIncident), accepts(filesBody), lasts(filesTime))
	s.page("POST /declare/also", s.alsoAffected, needs(auth.DeclareIncident), accepts(filesBody), lasts(filesTime))
	s.page("GET /declare/kind", s.declareKind, needs(auth.DeclareIncident))
	s.page("GET /declare/near", s.declareNear, needs(auth.DeclareIncident))
	s.declareHelpRoutes()
	s.page("GET /declare/{id}", s.declared, needs(auth.DeclareIncident))
	s.navEntry(entry{order: 100, key: "declare.nav", icon: "circle-plus", href: "/declare", right: auth.DeclareIncident, phone: true})
}

func (s *Server) declareForm(r *Request) error {
	f := r.Blank("once", newOnce())
	for _, name := range []string{"school", "room", "category", "machine", "title", "urgency"} {
		if v := r.Address.Get(name); v != "" {
			f.values.Set(name, v)
		}
	}
	return s.showDeclare(r, http.StatusOK, f, false)
}

// showDeclare shows the form; asked says that it was sent and comes back
// because something like it is already reported.
func (s *Server) showDeclare(r *Request, status int, f *Form, asked bool) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &declarePage{Page: Page{Title: r.T("declare.title"), Lede: r.T("declare.lede")}, Form: f, Once: f.Get("once"), Asked: asked, Draft: id(r.Who.Account)}
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
	if p.Rooms, err = n.roomChoice(f, school); err != nil {
		return err
	}
	p.Category = f.Choices("category", r.T("declare.what"), n.tileOptions(f.ID("category"))).Plain()
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
	if n.mayHaveTried(school) {
		// Before the rest: a referent who declares has mostly tried already.
		tried := f.Area("tried", r.T("chain.declare.tried")).AtMost(incident.MaxTried).Hinted(r.T("chain.declare.tried.hint"))
		p.Tried = &tried
	}
	for _, c := range p.More {
		p.MoreOpen = p.MoreOpen || c.Error != "" || c.Value != ""
	}
	if p.Near, err = s.nearPart(r, n, aboutOf(f, school)); err != nil {
		return err
	}
	if p.Kind, err = s.kindPart(r, n, f, school); err != nil {
		return err
	}
	if p.Help, err = s.helpPart(r, f); err != nil {
		return err
	}
	if asked && f.Get("held") == heldForHelp {
		p.Asked, p.Helped = false, true
	}
	return declareView.show(r, status, p)
}

// declare records the incident; a form sent twice is one incident. What may
// already be reported is shown once before.
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
		if i.Title != "" {
			unseen, err := s.unseen(r, f, incident.About{School: i.School, Room: i.Room, Category: i.Category, Machine: i.Machine})
			if err != nil {
				return err
			}
			f.values.Del("held")
			if !unseen {
				if unseen, err = s.unread(r, f); err != nil {
					return err
				}
				f.values.Set("held", heldForHelp)
			}
			if unseen {
				return s.showDeclare(r, http.StatusOK, f, true)
			}
		}
		if i.Category, err = s.accepted(r, f, i); err != nil {
			return err
		}
		urgency, _ := strconv.Atoi(f.Get("urgency"))
		made, _, err = s.deps.Incidents.DeclareOnce(r.Context(), r.Who, f.Get("once"), incident.Declaration{
			Title: i.Title, Description: i.Description, School: i.School, Room: i.Room, Machine: i.Machine, Category: i.Category,
			Urgency: urgency, Origin: incident.Origin(f.Get("origin")), OccurredAt: i.OccurredAt, Attachments: files, Tried: f.Get("tried"),
		})
		if err != nil {
			return s.refusedDeclaration(r, f, err)
		}
		return r.Redirect("/declare/" + id(made.ID))
	}
	return s.refusedDeclaration(r, f, err)
}

// mayHaveTried tells whether the reader is a referent whose school handles
// first: they say what they tried, or find it in their list.
func (n *names) mayHaveTried(school int64) bool {
	who := n.r.Who
	if !who.Can(auth.HandleSchool) {
		return false
	}
	if school != 0 {
		return n.places.Support(school).First
	}
	return n.r.chained(n)
}

func (s *Server) refusedDeclaration(r *Request, f *Form, err error) error {
	if f.Refused(err) {
		return s.showDeclare(r, status(err), f, false)
	}
	return err
}

// recentRooms is how many rooms are offered before the others, and allRooms
// the size of a school whose rooms are all offered at once.
const (
	recentRooms = 6
	allRooms    = 9
)

// roomChoice puts the rooms where the reader declared lately first.
func (n *names) roomChoice(f *Form, school int64) (roomChoice, error) {
	c := roomChoice{Field: f.Choices("room", n.r.T("declare.room"), n.roomOptions(school, n.r.T("declare.room.none"))).Plain()}
	recent, err := n.r.Server.deps.Incidents.RecentRooms(n.r.Context(), n.r.Who, school, recentRooms)
	if err != nil {
		return c, err
	}
	rank := func(o Option) int {
		number, _ := strconv.ParseInt(o.Value, 10, 64)
		if at := slices.Index(recent, number); at >= 0 && o.Value != "" {
			return at
		}
		return recentRooms
	}
	none, rooms := c.Options[0], slices.Clone(c.Options[1:])
	slices.SortStableFunc(rooms, func(a, b Option) int { return rank(a) - rank(b) })
	first := len(rooms)
	if first > allRooms {
		first = max(len(recent), recentRooms/2)
	}
	c.First = slices.Concat(rooms[:first], []Option{none})
	c.Others = rooms[first:]
	c.Open = slices.ContainsFunc(c.Others, func(o Option) bool { return o.Chosen })
	return c, nil
}

// tileOptions are the pictures of the portal; the one over the chosen category
// is chosen.
func (n *names) tileOptions(category int64) []Option {
	var options []Option
	over := n.words.TileOver(category)
	for _, t := range n.words.Tiles() {
		icon := t.Icon
		if icon == "" || !HasIcon(icon) {
			icon = "circle-help"
		}
		o := Option{Value: id(t.Category), Label: t.In(n.lang()), Icon: icon}
		if category != 0 && t.Category == over {
			o.Value = id(category)
		}
		options = append(options, o)
	}
	return options
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

// aboutOf is what a form says so far.
func aboutOf(f *Form, school int64) incident.About {
	return incident.About{School: school, Room: f.ID("room"), Category: f.ID("category"), Machine: strings.TrimSpace(f.Get("machine"))}
}
