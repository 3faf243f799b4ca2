package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// incidentPage tells an incident's story and offers what may be done to it.
type incidentPage struct {
	Page

	Incident incident.Incident
	State    Badge
	Priority Badge
	Place    []Link
	Facts    []fact
	Story    []storyEntry
	Simple   []actionForm // one click
	Detailed []actionForm // with fields, each folded under its name
	Talk     *actionForm  // comment
	MayHide  bool         // the reader may keep a comment for the unit
	Near     []nearGroup
	Form     *Form // the form that was refused, or a blank one
	Sources  []Link
}

// fact is one line of the sheet.
type fact struct {
	Label  string
	Text   string
	Href   string
	Moment *Moment
}

// storyEntry is one event as told.
type storyEntry struct {
	Icon     string
	Who      string
	What     string
	When     Moment
	Changes  []storyChange
	Comment  string
	Internal bool
}

type storyChange struct{ Label, From, To string }

// actionForm is one action with its fields.
type actionForm struct {
	Action  string
	Label   string
	Icon    string
	Primary bool
	Open    bool // unfolded: it was refused
	Fields  []Field
	Key     string
	Form    *Form
}

// nearGroup is what else happened close by: same machine, same room.
type nearGroup struct {
	Title string
	Href  string
	Total string
	Items []nearItem
}

type nearItem struct {
	Label string
	Href  string
	State Badge
	When  Moment
	Fix   string // how it was solved
}

var (
	incidentView  = newView[incidentPage]("page_incident.html", shell)
	incidentStory = newFragment[incidentPage]("page_incident.html", "incident-live")
)

func (s *Server) incidentRoutes() {
	s.page("GET /incidents/{id}", s.incident)
	s.page("GET /incidents/{id}/live", s.incidentLive)
	s.page("POST /incidents/{id}/act", s.act)
	s.page("POST /incidents/{id}/undo", s.undoAction)
	s.page("GET /incidents/{id}/edit", s.editIncident, needs(auth.HandleIncident))
	s.page("POST /incidents/{id}/edit", s.saveIncident, needs(auth.HandleIncident))
	s.findable("find.incidents", findIncident)
}

// findIncident goes straight to a number.
func findIncident(r *Request, query string) ([]Destination, error) {
	number, err := strconv.ParseInt(strings.TrimLeft(strings.TrimSpace(query), "#"), 10, 64)
	if err != nil || number <= 0 {
		return nil, nil
	}
	i, err := r.Server.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n, err := r.names()
	if err != nil {
		return nil, err
	}
	return []Destination{{Label: r.T("incident.number", "number", id(i.ID)) + " · " + i.Title, Note: n.place(i), Icon: "circle-alert", Href: "/incidents/" + id(i.ID)}}, nil
}

// pathID reads a number from the address; what is not a number is not found.
func (r *Request) pathID() (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.NotFound, "error.not_found")
	}
	return n, nil
}

func (s *Server) incident(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	return s.showIncident(r, http.StatusOK, number, "", r.Blank())
}

// showIncident shows the page; open is the action whose form was refused.
func (s *Server) showIncident(r *Request, status int, number int64, open string, f *Form) error {
	p, err := s.tellIncident(r, number, open, f)
	if err != nil {
		return err
	}
	return incidentView.show(r, status, p)
}

// incidentLive gives the part that changes when somebody else acts.
func (s *Server) incidentLive(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	p, err := s.tellIncident(r, number, "", r.Blank())
	if err != nil {
		return err
	}
	p.Printer = r.Printer
	return incidentStory.show(r, *p)
}

func (s *Server) tellIncident(r *Request, number int64, open string, f *Form) (*incidentPage, error) {
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return nil, err
	}
	story, err := s.deps.Incidents.Story(r.Context(), r.Who, number)
	if err != nil {
		return nil, err
	}
	n, err := r.names()
	if err != nil {
		return nil, err
	}
	p := &incidentPage{
		Page: Page{
			Title:  r.T("incident.number", "number", id(i.ID)) + " · " + i.Title,
			Crumbs: []Link{{Label: r.T("incidents.title"), Href: "/incidents"}},
		},
		Incident: i, State: StateBadge(r.Printer, i.State), Priority: PriorityBadge(r.Printer, i.Priority), Form: f, MayHide: r.Who.Can(auth.HandleIncident),
	}
	p.Heading = i.Title
	p.place(r, n)
	p.Facts = incidentFacts(r, n, i)
	for k := range slices.Backward(story) {
		entry, err := n.entry(story[k])
		if err != nil {
			return nil, err
		}
		p.Story = append(p.Story, entry)
	}
	p.offer(r, n, open, f)
	if err := p.near(r, n); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *incidentPage) place(r *Request, n *names) {
	i := p.Incident
	if name := n.places.SchoolName(i.School); name != "" {
		l := Link{Label: name}
		if r.Scope().SeesSchool(i.School) && r.Who.Can(auth.ViewStatistics) {
			l.Href = "/schools/" + id(i.School)
		}
		p.Place = append(p.Place, l)
	}
	if name := n.places.RoomName(i.Room); name != "" {
		p.Place = append(p.Place, Link{Label: name, Href: "/incidents?room=" + id(i.Room)})
	}
	if i.Machine != "" {
		p.Place = append(p.Place, Link{Label: i.Machine, Href: Address{Path: "/incidents"}.With("machine", i.Machine).String()})
	}
}

// incidentFacts is the sheet: what is known, in the order in which it is asked.
func incidentFacts(r *Request, n *names, i incident.Incident) []fact {
	var facts []fact
	add := func(f incident.Field, href string) {
		v := i.Value(f)
		switch v {
		case int64(0), 0, "", incident.TargetUnknown:
			return
		}
		if t, ok := v.(time.Time); ok {
			if t.IsZero() {
				return
			}
			m := r.Moment(t)
			facts = append(facts, fact{Label: r.T("incident.field." + string(f)), Moment: &m})
			return
		}
		facts = append(facts, fact{Label: r.T("incident.field." + string(f)), Text: n.value(f, v), Href: href})
	}
	if i.State == incident.Waiting {
		add(incident.FieldWaitingCode, "")
	}
	add(incident.FieldMergedInto, "/incidents/"+id(i.MergedInto))
	add(incident.FieldPlannedAt, "")
	add(incident.FieldAssignee, "")
	add(incident.FieldTeam, "")
	add(incident.FieldCategory, "")
	add(incident.FieldNetwork, "")
	add(incident.FieldImpact, "")
	add(incident.FieldUrgency, "")
	add(incident.FieldDeclarant, "")
	add(incident.FieldOrigin, "")
	if d := i.OpenedAt.Sub(i.OccurredAt); d > time.Hour || d < -time.Hour {
		add(incident.FieldOccurredAt, "")
	}
	add(incident.FieldOpenedAt, "")
	add(incident.FieldResolvedAt, "")
	if !i.ResolvedAt.IsZero() {
		facts = append(facts, fact{Label: r.T("incident.lasted"), Text: r.Duration(i.ResolvedAt.Sub(i.OpenedAt))})
	}
	add(incident.FieldResolutionCode, "")
	add(incident.FieldCauseCode, "")
	add(incident.FieldClosedAt, "")
	add(incident.FieldTarget, "")
	add(incident.FieldReopenCount, "")
	add(incident.FieldReassignCount, "")
	if i.ExternalID != "" {
		facts = append(facts, fact{Label: r.T("incident.external", "source", i.ExternalSource), Text: i.ExternalID})
	}
	return facts
}

var eventIcons = map[string]string{
	incident.EventDeclared: "circle-plus", incident.EventEdited: "pencil", incident.EventAssigned: "user-check",
	incident.EventPlanned: "calendar-clock", incident.EventHeld: "hourglass", incident.EventResumed: "arrow-right",
	incident.EventResolved: "circle-check", incident.EventClosed: "archive", incident.EventReopened: "rotate-ccw",
	incident.EventCancelled: "ban", incident.EventMerged: "merge", incident.EventCommented: "message-square",
	incident.EventUpdated: "import", incident.EventUndone: "undo-2",
}

// entry tells one event. The values with which an incident was declared are on
// its sheet: only later changes are listed.
func (n *names) entry(e incident.Entry) (storyEntry, error) {
	who, err := n.actor(e.Actor)
	if err != nil {
		return storyEntry{}, err
	}
	_, kind, _ := strings.Cut(e.Kind, ".")
	t := storyEntry{Icon: eventIcons[e.Kind], Who: who, What: n.r.T("incident.event." + kind), When: n.r.Moment(e.At), Comment: e.Comment, Internal: e.Internal}
	if t.Icon == "" {
		t.Icon = "info"
	}
	if e.Kind == incident.EventDeclared {
		return t, nil
	}
	for _, c := range e.Changes {
		switch c.Field {
		case incident.FieldReassignCount, incident.FieldReopenCount, incident.FieldExternalID, incident.FieldExternalSource:
			continue
		case incident.FieldResolvedAt, incident.FieldClosedAt:
			continue // the entry's own instant says it
		case incident.FieldState:
			if e.Kind != incident.EventUpdated && e.Kind != incident.EventUndone {
				continue // what was done says it
			}
		case incident.FieldAssignee:
			if e.Kind == incident.EventAssigned && n.value(c.Field, c.To) == who {
				t.What = n.r.T("incident.event.taken")
				continue
			}
		default:
		}
		from := n.value(c.Field, c.From)
		if from == n.none(c.Field) {
			from = "" // it was not filled: only what was said is told
		}
		t.Changes = append(t.Changes, storyChange{Label: n.r.T("incident.field." + string(c.Field)), From: from, To: n.value(c.Field, c.To)})
	}
	return t, nil
}

var actionLooks = map[incident.Action]struct {
	icon, key string
	primary   bool
}{
	incident.Take: {"user-check", "t", true}, incident.Assign: {"users", "a", false}, incident.Route: {"arrow-right", "", false},
	incident.Plan: {"calendar-clock", "p", false}, incident.Hold: {"hourglass", "w", false}, incident.Resume: {"arrow-right", "", true},
	incident.Resolve: {"circle-check", "r", true}, incident.Close: {"archive", "", true}, incident.Confirm: {"circle-check", "", true},
	incident.Reopen: {"rotate-ccw", "", false}, incident.Cancel: {"ban", "", false}, incident.Merge: {"merge", "", false},
}

// offer makes a form of each action that the reader may take now.
func (p *incidentPage) offer(r *Request, n *names, open string, f *Form) {
	primary := false
	for _, t := range incident.Available(r.Who, p.Incident) {
		if t.Action == incident.Edit {
			p.Actions = append(p.Actions, Action{Label: r.T("incident.action.edit"), Icon: "pencil", Href: "/incidents/" + id(p.Incident.ID) + "/edit", Key: "e"})
			continue
		}
		look := actionLooks[t.Action]
		a := actionForm{Action: string(t.Action), Label: r.T("incident.action." + string(t.Action)), Icon: look.icon, Primary: look.primary, Key: look.key, Form: f}
		a.Open = string(t.Action) == open
		from := f
		if !a.Open {
			from = r.Blank()
		}
		for _, field := range t.Required {
			c := n.control(from, field, p.Incident).Must()
			c.ID = string(t.Action) + "-" + c.Name
			a.Fields = append(a.Fields, c)
		}
		required := len(a.Fields)
		for _, field := range t.Optional {
			c := n.control(from, field, p.Incident)
			c.ID = string(t.Action) + "-" + c.Name
			a.Fields = append(a.Fields, c)
		}
		switch {
		case t.Action == incident.Comment:
			p.Talk = &a
		case required == 0:
			a.Fields = nil
			primary = primary || a.Primary
			p.Simple = append(p.Simple, a)
		default:
			// One thing stands out: what is most likely next.
			a.Primary = a.Primary && !primary
			primary = primary || a.Primary
			p.Detailed = append(p.Detailed, a)
		}
	}
}

// control is the form control of a field of an incident.
func (n *names) control(f *Form, field incident.Field, i incident.Incident) Field {
	r, name := n.r, string(field)
	label := r.T("incident.field." + name)
	choose := r.T("common.choose")
	switch field {
	case incident.FieldSchool:
		return f.Select(name, label, n.schoolOptions(r.Scope(), choose))
	case incident.FieldRoom:
		return f.Select(name, label, n.roomOptions(i.School, r.T("incident.room.none")))
	case incident.FieldCategory:
		return f.Select(name, label, n.categoryOptions(choose))
	case incident.FieldNetwork:
		return f.Select(name, label, n.networkOptions())
	case incident.FieldImpact, incident.FieldUrgency:
		return f.Choices(name, label, n.levelOptions(field))
	case incident.FieldAssignee:
		return f.Select(name, label, n.technicianOptions(choose))
	case incident.FieldTeam:
		return f.Select(name, label, n.teamOptions(choose))
	case incident.FieldWaitingCode:
		return f.Select(name, label, n.codeOptions(catalog.Waiting, choose))
	case incident.FieldCauseCode:
		return f.Select(name, label, n.codeOptions(catalog.Cause, choose))
	case incident.FieldResolutionCode:
		return f.Select(name, label, n.codeOptions(catalog.Resolution, choose))
	case incident.FieldPlannedAt, incident.FieldOccurredAt:
		return f.Input("datetime-local", name, label)
	case incident.FieldMergedInto:
		c := f.Text(name, label).Example("4812")
		c.Mode = "numeric"
		return c
	case incident.FieldTitle:
		return f.Text(name, label).AtMost(incident.MaxTitle)
	case incident.FieldMachine:
		return f.Text(name, label).AtMost(incident.MaxMachine)
	case incident.FieldDescription, incident.FieldResolution, incident.FieldComment:
		return f.Area(name, label).AtMost(incident.MaxText)
	default:
		return f.Text(name, label)
	}
}

const localInstant = "2006-01-02T15:04"

// patchOf reads the fields of a form that a change may hold; only those that
// are there. What cannot be understood is a refusal beside its field.
func patchOf(r *Request, f *Form, fields []incident.Field) (incident.Patch, error) {
	var p incident.Patch
	var bad fault.Fields
	text := func(field incident.Field) *string { s := f.Get(string(field)); return &s }
	ref := func(field incident.Field) *int64 {
		v := strings.TrimLeft(strings.TrimSpace(f.Get(string(field))), "#")
		if v == "" {
			return new(int64)
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			bad.Add(string(field), "error.field.unknown")
		}
		return &n
	}
	level := func(field incident.Field) *int {
		n, err := strconv.Atoi(f.Get(string(field)))
		if err != nil {
			bad.Add(string(field), "error.field.required")
		}
		return &n
	}
	instant := func(field incident.Field) *time.Time {
		t, err := time.ParseInLocation(localInstant, f.Get(string(field)), r.Location())
		if err != nil && f.Get(string(field)) != "" {
			bad.Add(string(field), "error.field.date")
		}
		return &t
	}
	for _, field := range fields {
		if !f.values.Has(string(field)) {
			continue
		}
		switch field {
		case incident.FieldTitle:
			p.Title = text(field)
		case incident.FieldDescription:
			p.Description = text(field)
		case incident.FieldResolution:
			p.Resolution = text(field)
		case incident.FieldMachine:
			p.Machine = text(field)
		case incident.FieldSchool:
			p.School = ref(field)
		case incident.FieldRoom:
			p.Room = ref(field)
		case incident.FieldCategory:
			p.Category = ref(field)
		case incident.FieldAssignee:
			p.Assignee = ref(field)
		case incident.FieldTeam:
			p.Team = ref(field)
		case incident.FieldDeclarant:
			p.Declarant = ref(field)
		case incident.FieldWaitingCode:
			p.WaitingCode = ref(field)
		case incident.FieldCauseCode:
			p.CauseCode = ref(field)
		case incident.FieldResolutionCode:
			p.ResolutionCode = ref(field)
		case incident.FieldMergedInto:
			p.MergedInto = ref(field)
		case incident.FieldImpact:
			p.Impact = level(field)
		case incident.FieldUrgency:
			p.Urgency = level(field)
		case incident.FieldNetwork:
			v := networkOf(f.Get(string(field)))
			p.Network = &v
		case incident.FieldPlannedAt:
			p.PlannedAt = instant(field)
		case incident.FieldOccurredAt:
			p.OccurredAt = instant(field)
		default:
		}
	}
	return p, bad.Err()
}

// act does one action and comes back to the page.
func (s *Server) act(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	action := incident.Action(f.Get("action"))
	before, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	var fields []incident.Field
	for _, t := range incident.Transitions {
		if t.Action == action {
			fields = append(fields, t.Required...)
			for _, o := range t.Optional {
				// A choice left alone in a form of one click is not "set to nothing".
				if f.Get(string(o)) != "" {
					fields = append(fields, o)
				}
			}
		}
	}
	base, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	set, err := patchOf(r, f, fields)
	var after incident.Incident
	if err == nil {
		after, err = s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{
			Incident: number, Base: base, Action: action, Set: set, Comment: f.Get("comment"), Internal: f.Checked("internal"),
		})
	}
	if err != nil {
		if f.Refused(err) {
			if err := r.sayTheirs(f, err); err != nil {
				return err
			}
			return s.showIncident(r, status(err), number, string(action), f)
		}
		return err
	}
	if action != incident.Comment {
		done := Notice{Text: r.T("incident.done."+string(action), "title", before.Title)}
		if after.Version > before.Version {
			done.Undo = undoOf(after)
		}
		if err := r.Say(done); err != nil {
			return err
		}
	}
	return r.Redirect("/incidents/" + id(number))
}

// undoOf takes back what made an incident what it is now.
func undoOf(i incident.Incident) *Undo {
	return &Undo{Action: "/incidents/" + id(i.ID) + "/undo", Values: map[string]string{"version": strconv.FormatInt(i.Version, 10)}}
}

// undoAction takes back the reader's last action.
func (s *Server) undoAction(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	if _, err := s.deps.Incidents.Undo(r.Context(), r.Who, number, version); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("incident.undone")}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}

// nearDays is how far back "same machine" and "same room" look.
const nearDays = 365

// near finds what happened on the same machine and in the same room, the
// machine's first, and how it was solved.
func (p *incidentPage) near(r *Request, n *names) error {
	i := p.Incident
	groups := []struct {
		title  string
		filter cube.Filter
		ok     bool
	}{
		{"incident.near.machine", cube.Filter{Dim: cube.DimMachine, In: []string{i.Machine}}, i.Machine != ""},
		{"incident.near.room", cube.Filter{Dim: cube.DimRoom, In: []string{id(i.Room)}}, i.Room != 0},
	}
	for _, g := range groups {
		if !g.ok {
			continue
		}
		q := cube.ListQuery{Filters: []cube.Filter{g.filter}, From: r.today() - nearDays, Limit: 6}
		page, err := r.Server.deps.Cube.List(r.Context(), r.Scope(), q)
		if err != nil {
			if fault.Is(err, fault.Unavailable) {
				return nil // the figures are still being loaded: the page does not wait for them
			}
			return err
		}
		found, err := r.Server.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
		if err != nil {
			return err
		}
		others := page.Total
		if i.State != incident.Cancelled && i.State != incident.Merged && calendar.DayOf(i.OpenedAt, r.Location()) >= q.From {
			others-- // the incident itself
		}
		group := nearGroup{Title: r.T(g.title), Total: r.N("incident.near.count", others), Href: listAddress(q).String()}
		for _, other := range found {
			if other.ID == i.ID || len(group.Items) == 5 {
				continue
			}
			item := nearItem{Label: other.Title, Href: "/incidents/" + id(other.ID), State: StateBadge(r.Printer, other.State), When: r.Moment(other.OpenedAt)}
			if other.ResolutionCode != 0 {
				item.Fix = n.words.CodeLabel(other.ResolutionCode, n.lang())
			}
			group.Items = append(group.Items, item)
		}
		if len(group.Items) > 0 {
			p.Near = append(p.Near, group)
		}
	}
	return nil
}
