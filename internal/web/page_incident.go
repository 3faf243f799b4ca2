package web

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
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
	Simple   []actionForm     // one click
	Detailed []actionForm     // with fields, each folded under its name
	Talk     *actionForm      // comment
	MayHide  bool             // the reader may keep a comment for the unit
	Files    FilesField       // of the comment
	Joined   []AttachmentView // attachments that no event of the story names
	Top      []template.HTML  // panels of other rooms, by their place
	Work     []template.HTML
	Beside   []template.HTML
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
	Files    []AttachmentView
}

type storyChange struct{ Label, From, To string }

var (
	incidentView  = newView[incidentPage]("page_incident.html", shell)
	incidentStory = newFragment[incidentPage]("page_incident.html", "incident-live")
)

func (s *Server) incidentRoutes() {
	s.page("GET /incidents/{id}", s.incident)
	s.page("GET /incidents/{id}/live", s.incidentLive)
	s.page("POST /incidents/{id}/act", s.act, accepts(filesBody), lasts(filesTime))
	s.page("POST /incidents/{id}/undo", s.undoAction)
	s.page("GET /incidents/{id}/edit", s.editIncident, needs(auth.HandleIncident))
	s.page("POST /incidents/{id}/edit", s.saveIncident, needs(auth.HandleIncident))
	s.incidentPanel(panel{order: 500, place: panelBeside, show: s.near})
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
	if p.Work, err = r.panelsAt(panelWork, p.Incident); err != nil {
		return err
	}
	if p.Beside, err = r.panelsAt(panelBeside, p.Incident); err != nil {
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
	files, joined, err := n.incidentFiles(i, story)
	if err != nil {
		return nil, err
	}
	p.Joined = joined
	for k := range slices.Backward(story) {
		entry, err := n.entry(story[k])
		if err != nil {
			return nil, err
		}
		for _, file := range story[k].Attachments {
			if v, ok := files[file]; ok {
				entry.Files = append(entry.Files, v)
			}
		}
		p.Story = append(p.Story, entry)
	}
	if p.Files, err = r.filesField(f); err != nil {
		return nil, err
	}
	p.Files.ID = "comment-files"
	p.offer(r, n, open, f)
	if p.Top, err = r.panelsAt(panelTop, i); err != nil {
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
	if i.Level != incident.Direct {
		add(incident.FieldLevel, "")
	}
	add(incident.FieldTeam, "")
	add(incident.FieldCategory, "")
	// Who declares reads what became of it, not how it is filed.
	files := r.Who.Can(auth.ViewStatistics)
	if files {
		add(incident.FieldNetwork, "")
		add(incident.FieldImpact, "")
		add(incident.FieldUrgency, "")
	}
	if i.Declarant != r.Who.Person {
		add(incident.FieldDeclarant, "")
	}
	if files {
		add(incident.FieldOrigin, "")
	}
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
	if !files {
		return facts
	}
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
	incident.EventUpdated: "import", incident.EventUndone: "undo-2", incident.EventAffected: "users", incident.EventAbsorbed: "merge",
	incident.EventReleased: "merge", incident.EventAttached: "link", incident.EventDetached: "link", incident.EventRelated: "link",
	incident.EventAcknowledged: "eye", incident.EventHandedOver: "building-2", incident.EventHandedBack: "school",
	incident.EventUnrelated: "link", incident.EventSplit: "copy", incident.EventRated: "star",
}

// entry tells one event. The values with which an incident was declared are on
// its sheet: only later changes are listed.
func (n *names) entry(e incident.Entry) (storyEntry, error) {
	who, err := n.actor(e.Actor)
	if err != nil {
		return storyEntry{}, err
	}
	_, kind, _ := strings.Cut(e.Kind, ".")
	t := storyEntry{Icon: eventIcons[e.Kind], Who: who, When: n.r.Moment(e.At), Comment: e.Comment, Internal: e.Internal}
	if t.Icon == "" {
		t.Icon = "info"
	}
	switch e.Kind {
	case incident.EventAbsorbed, incident.EventReleased, incident.EventRelated, incident.EventUnrelated, incident.EventSplit:
		t.What = n.r.T("incident.event."+kind, "number", id(e.Other))
	case incident.EventHandedOver:
		if t.What = n.r.T("incident.event." + kind); e.Actor.Kind == journal.BySystem {
			t.What = n.r.T("incident.event.lapsed")
		}
	default:
		t.What = n.r.T("incident.event." + kind)
		if e.Kind == incident.EventCommented && e.Other != 0 {
			t.What = n.r.T("desk.event.told", "number", id(e.Other))
		}
	}
	if e.Of != 0 {
		t.What = n.r.T("desk.event.thread", "what", t.What, "number", id(e.Of))
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
		case incident.FieldRelated, incident.FieldRatedAt, incident.FieldAffected, incident.FieldLevelAt, incident.FieldSeenAt:
			continue // told by what was done, and by the panel
		case incident.FieldState:
			if e.Kind != incident.EventUpdated && e.Kind != incident.EventUndone {
				continue // what was done says it
			}
		case incident.FieldLevel:
			if e.Kind == incident.EventHandedOver || e.Kind == incident.EventHandedBack {
				continue
			}
		case incident.FieldTried:
			if c.To == "" {
				continue
			}
			if e.Kind == incident.EventHandedOver {
				t.Comment = fmt.Sprint(c.To)
				continue
			}
		case incident.FieldAssignee:
			if (e.Kind == incident.EventHandedOver || e.Kind == incident.EventHandedBack) && c.To == int64(0) {
				continue
			}
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
