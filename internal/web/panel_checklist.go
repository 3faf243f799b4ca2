package web

import (
	"html/template"
	"net/http"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/checklist"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// checklistsPart is the check-lists of an incident or a visit, and one more.
type checklistsPart struct {
	*locale.Printer

	Lists    []checklistView
	Add      *Field // the templates to choose from; nil when work is over
	Incident string
	Visit    string
	Back     string
	Level    int // of the heading: 2 or 3
}

// checklistView is one list.
type checklistView struct {
	*locale.Printer

	ID       string
	Title    string
	Said     string // "4 of 12 done"
	Done     int
	Total    int
	Complete bool
	Items    []checkView
	Back     string // where its forms lead
	Remove   bool
	About    string // what it is for
	AboutURL string
}

// checkView is one item.
type checkView struct {
	Anchor    string
	Action    string
	Back      string
	Text      string
	Help      string
	Mandatory bool
	Done      bool
	Value     string // as shown
	Href      string // of what the value names
	Who       string
	When      *Moment
	Control   *Field // what it asks for; nil for nothing
	Photo     bool
	Choices   []Option // a button for each answer
	Error     string
	Page      *checklistView
}

var (
	checklistPanelView = newFragment[checklistsPart]("panel_checklist.html", "panel-checklists")
	checklistPartView  = newFragment[checklistView]("panel_checklist.html", "one-checklist")
)

// checklistsOf shows the lists of an incident to who works on it.
func (s *Server) checklistsOf(r *Request, i incident.Incident) (template.HTML, error) {
	if !r.Who.Can(auth.HandleIncident) {
		return "", nil
	}
	found, err := s.deps.Checks.Of(r.Context(), r.Who, i.ID)
	if err != nil {
		return "", err
	}
	if len(found) == 0 && !i.State.Open() {
		return "", nil
	}
	p, err := s.checklistsPart(r, found, checklist.On{Incident: i.ID}, i.State.Open(), "/incidents/"+id(i.ID))
	if err != nil {
		return "", err
	}
	return checklistPanelView.html(*p)
}

// checklistsPart gathers lists, with the templates to begin another if work is
// still going on.
func (s *Server) checklistsPart(r *Request, found []checklist.List, on checklist.On, open bool, back string) (*checklistsPart, error) {
	n, err := r.names()
	if err != nil {
		return nil, err
	}
	p := &checklistsPart{Printer: r.Printer, Back: back, Level: 2}
	if on.Incident != 0 {
		p.Incident = id(on.Incident)
	} else {
		p.Visit = id(on.Visit)
	}
	for k := range found {
		v, err := n.checklist(&found[k], back, nil)
		if err != nil {
			return nil, err
		}
		v.Remove = open
		p.Lists = append(p.Lists, v)
	}
	if !open {
		return p, nil
	}
	templates, err := s.deps.Checks.Templates(r.Context(), r.Who)
	if err != nil {
		return nil, err
	}
	options := []Option{{Label: r.T("common.choose")}}
	for _, t := range templates {
		if !t.Archived {
			options = append(options, Option{Value: id(t.ID), Label: t.Title})
		}
	}
	if len(options) > 1 {
		c := r.Blank().Select("template", r.T("checklist.template"), options).Plain()
		c.ID = "checklist-template-" + p.Incident + "-v" + p.Visit
		p.Add = &c
	}
	return p, nil
}

// refusedItem is an item whose value was refused.
type refusedItem struct {
	item  int
	value string
	err   error
}

// checklist makes the view of a list.
func (n *names) checklist(l *checklist.List, back string, refused *refusedItem) (checklistView, error) {
	r := n.r
	v := checklistView{Printer: r.Printer, ID: id(l.ID), Title: l.Title, Done: l.Done(), Total: len(l.Checks), Complete: l.Complete(), Back: back}
	v.Said = r.T("checklist.progress", "done", v.Done, "total", v.Total)
	for k := range l.Checks {
		c := &l.Checks[k]
		item := checkView{
			Anchor: "checklist-" + id(l.ID) + "-" + strconv.Itoa(k), Action: "/checklists/" + id(l.ID) + "/items/" + strconv.Itoa(k), Back: back,
			Text: c.Text, Help: c.Help, Mandatory: c.Mandatory, Done: c.Done,
		}
		if c.Done {
			if err := n.checkDone(&item, c); err != nil {
				return v, err
			}
		} else {
			n.checkAsks(&item, l, k)
		}
		if refused != nil && refused.item == k {
			form := r.Blank("value", refused.value)
			form.Refused(refused.err)
			_, fields := r.Error(refused.err)
			item.Error = form.Summary
			for _, text := range fields {
				item.Error = text
			}
			if item.Control != nil {
				item.Control.Value, item.Control.Error = refused.value, item.Error
				item.Error = ""
			}
		}
		v.Items = append(v.Items, item)
	}
	return v, nil
}

func (n *names) checkDone(item *checkView, c *checklist.Check) error {
	who, err := n.actor(c.Actor())
	if err != nil {
		return err
	}
	m := n.r.Moment(c.At)
	item.Who, item.When, item.Value = who, &m, c.Value
	switch c.Kind {
	case checklist.YesNo:
		item.Value = n.r.T("checklist.answer." + c.Value)
	case checklist.Photo:
		item.Value, item.Href = n.r.T("checklist.photo.see"), "/attachments/"+c.Value
	case checklist.Machine, checklist.Asset:
		item.Href = Address{Path: "/incidents"}.With("machine", c.Value).With("period", "all").String()
	case checklist.Nothing, checklist.Text, checklist.Number, checklist.IP, checklist.Version:
	}
	return nil
}

// checkAsks gives an item the control of what it records.
func (n *names) checkAsks(item *checkView, l *checklist.List, k int) {
	r, c := n.r, &l.Checks[k]
	f := r.Blank("value", c.Value)
	var control Field
	switch c.Kind {
	case checklist.Nothing:
		return
	case checklist.YesNo:
		for _, answer := range []string{"yes", "no"} {
			item.Choices = append(item.Choices, Option{Value: answer, Label: r.T("checklist.answer." + answer)})
		}
		return
	case checklist.Photo:
		control = f.File(filesName, r.T("checklist.kind.photo"), "image/*").Plain()
		control.Capture = "environment"
		item.Photo = true
	case checklist.Number:
		control = f.Text("value", r.T("checklist.kind.number")).Plain()
		control.Mode = "decimal"
	case checklist.IP:
		control = f.Text("value", r.T("checklist.kind.ip")).Plain().Example("10.45.12.34")
	case checklist.Text, checklist.Asset, checklist.Version, checklist.Machine:
		control = f.Text("value", r.T("checklist.kind."+string(c.Kind))).Plain().AtMost(checklist.MaxValue)
	}
	control.ID = "value-" + id(l.ID) + "-" + strconv.Itoa(k)
	control.Auto = "off"
	item.Control = &control
}

func (s *Server) checklistRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("POST /checklists", s.addChecklist, handle)
	s.page("GET /checklists/{id}", s.checklist, handle)
	s.page("POST /checklists/{id}/items/{item}", s.tick, handle, accepts(filesBody), lasts(filesTime))
	s.page("POST /checklists/{id}/remove", s.removeChecklist, handle)
	s.incidentPanel(panel{order: 200, place: panelWork, show: s.checklistsOf})
}

func (s *Server) addChecklist(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	l, err := s.deps.Checks.Add(r.Context(), r.Who, f.ID("template"), checklist.On{Incident: f.ID("incident"), Visit: f.ID("visit")})
	if err != nil {
		return err
	}
	undo := &Undo{Action: "/checklists/" + id(l.ID) + "/remove", Values: map[string]string{"removed": "1", "back": f.Get("back")}}
	if err := r.Say(Notice{Text: r.T("checklist.added", "title", l.Title), Undo: undo}); err != nil {
		return err
	}
	return r.Redirect(backFrom(f, l) + "#checklist-" + id(l.ID))
}

// backFrom is the page that a form of a list stood on.
func backFrom(f *Form, l checklist.List) string {
	back := f.Get("back")
	switch {
	case local(back):
		return back
	case l.Incident != 0:
		return "/incidents/" + id(l.Incident)
	}
	return "/visits/" + id(l.Visit)
}

func (s *Server) pathChecklist(r *Request) (checklist.List, error) {
	number, err := r.pathID()
	if err != nil {
		return checklist.List{}, err
	}
	return s.deps.Checks.Get(r.Context(), r.Who, number)
}

// tick does one item, or undoes it.
func (s *Server) tick(r *Request) error {
	l, err := s.pathChecklist(r)
	if err != nil {
		return err
	}
	item, err := strconv.Atoi(r.PathValue("item"))
	if err != nil || item < 0 || item >= len(l.Checks) {
		return fault.New(fault.NotFound, "error.not_found")
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	c := checklist.Change{Item: item, Done: f.Checked("done"), Value: f.Get("value")}
	if c.Done && l.Checks[item].Kind == checklist.Photo && c.Value == "" {
		c.Value, err = s.takePhoto(r, f, l)
	}
	after := l
	if err == nil {
		after, err = s.deps.Checks.Set(r.Context(), r.Who, l.ID, c)
	}
	if err != nil {
		if !f.Refused(err) {
			return err
		}
		return s.showChecklist(r, status(err), l, backFrom(f, l), &refusedItem{item: item, value: c.Value, err: err})
	}
	if r.Fragmentary() {
		return s.showChecklist(r, http.StatusOK, after, backFrom(f, l), nil)
	}
	return r.Redirect(backFrom(f, l) + "#checklist-" + id(l.ID) + "-" + strconv.Itoa(item))
}

// takePhoto keeps the picture that was sent, with the incident's files.
func (s *Server) takePhoto(r *Request, f *Form, l checklist.List) (string, error) {
	number := l.Incident
	if number == 0 {
		v, err := s.deps.Visits.Get(r.Context(), r.Who, l.Visit)
		if err != nil {
			return "", err
		}
		if len(v.Incidents) == 0 {
			return "", fault.InvalidField("value", "error.checklist.photo_nowhere")
		}
		number = v.Incidents[0]
	}
	ids, err := r.takeFiles(f)
	if err != nil {
		return "", err
	}
	if len(ids) == 0 {
		return "", fault.InvalidField("value", "error.checklist.value.photo")
	}
	if err := s.deps.Files.Attach(r.Context(), r.Who, number, ids, true); err != nil {
		return "", err
	}
	return id(ids[0]), nil
}

func (s *Server) removeChecklist(r *Request) error {
	l, err := s.pathChecklist(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	after, err := s.deps.Checks.Remove(r.Context(), r.Who, l.ID, f.Checked("removed"))
	if err != nil {
		return err
	}
	if after.Removed != l.Removed {
		said, back := "checklist.removed", map[string]string{"removed": "", "back": f.Get("back")}
		if !after.Removed {
			said, back["removed"] = "checklist.restored", "1"
		}
		if err := r.Say(Notice{Text: r.T(said, "title", l.Title), Undo: &Undo{Action: "/checklists/" + id(l.ID) + "/remove", Values: back}}); err != nil {
			return err
		}
	}
	return r.Redirect(backFrom(f, l))
}

// checklistPage is one list alone, to work through or to print.
type checklistPage struct {
	Page

	List checklistView
}

var checklistPageView = newView[checklistPage]("panel_checklist.html", shell)

func (s *Server) checklist(r *Request) error {
	l, err := s.pathChecklist(r)
	if err != nil {
		return err
	}
	return s.showChecklist(r, http.StatusOK, l, "/checklists/"+id(l.ID), nil)
}

// showChecklist shows a list alone: as a part for a script, else as a page.
func (s *Server) showChecklist(r *Request, status int, l checklist.List, back string, refused *refusedItem) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	v, err := n.checklist(&l, back, refused)
	if err != nil {
		return err
	}
	v.Remove = !l.Removed
	if r.Fragmentary() {
		return checklistPartView.show(r, v)
	}
	p := &checklistPage{Page: Page{Title: l.Title}, List: v}
	if l.Incident != 0 {
		p.Crumbs = []Link{{Label: r.T("incident.number", "number", id(l.Incident)), Href: "/incidents/" + id(l.Incident)}}
	} else {
		p.Crumbs = []Link{{Label: r.T("visit.number", "number", id(l.Visit)), Href: "/visits/" + id(l.Visit)}}
	}
	return checklistPageView.show(r, status, p)
}
