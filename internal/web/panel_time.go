package web

import (
	"html/template"
	"net/http"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/visit"
)

// timePart is the time spent on an incident or a visit, and what adds to it.
type timePart struct {
	*locale.Printer

	Key      string // of the ids on the page
	Incident string
	Visit    string
	Back     string
	Total    string
	Entries  []timeEntry
	Presets  []Option
	Minutes  Field
	Note     Field
	Running  *Moment // since when the reader's timer runs here
	Other    *Link   // it runs elsewhere
	May      bool    // the reader is somebody of the unit
}

// timeEntry is one entry as told.
type timeEntry struct {
	What string // minutes, who, when
	Note string
	Href string // where it is corrected, "" for who may not
}

// timeEditPage corrects an entry.
type timeEditPage struct {
	Page

	Form   *Form
	Fields []Field
	ID     string
	Back   string
}

var (
	timePanelView = newFragment[timePart]("panel_time.html", "panel-time")
	timeEditView  = newView[timeEditPage]("panel_time.html", shell)
)

func (s *Server) timeRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("POST /time", s.logTime, handle)
	s.page("POST /time/timer", s.switchTimer, handle)
	s.page("GET /time/{id}", s.editTime, handle)
	s.page("POST /time/{id}", s.correctTime, handle)
	s.page("POST /time/{id}/withdraw", s.withdrawTime, handle)
	s.incidentPanel(panel{order: 300, place: panelWork, show: s.timeOfIncident})
}

func (s *Server) timeOfIncident(r *Request, i incident.Incident) (template.HTML, error) {
	if !r.Who.Can(auth.HandleIncident) {
		return "", nil
	}
	p, err := s.timePart(r, visit.On{Incident: i.ID}, "/incidents/"+id(i.ID))
	if err != nil {
		return "", err
	}
	return timePanelView.html(*p)
}

// timePart gathers the time spent on something. The time of a visit's incident
// is that of the incident.
func (s *Server) timePart(r *Request, on visit.On, back string) (*timePart, error) {
	n, err := r.names()
	if err != nil {
		return nil, err
	}
	entries, err := s.deps.Visits.TimeOn(r.Context(), r.Who, on)
	if err != nil {
		return nil, err
	}
	p := &timePart{Printer: r.Printer, Key: "i" + id(on.Incident) + "-v" + id(on.Visit), Back: back, May: r.Who.Person != 0}
	if on.Incident != 0 {
		p.Incident = id(on.Incident)
	}
	if on.Visit != 0 {
		p.Visit = id(on.Visit)
	}
	total := 0
	for _, t := range entries {
		total += t.Minutes
		e := timeEntry{What: Legend(r.minutes(t.Minutes), n.places.PersonName(t.Technician), r.ShortDay(t.Day)), Note: t.Note}
		if t.Technician == r.Who.Person || r.Who.Can(auth.EditService) {
			e.Href = "/time/" + id(t.ID)
		}
		p.Entries = append(p.Entries, e)
	}
	p.Total = r.minutes(total)
	for _, m := range visit.Presets {
		p.Presets = append(p.Presets, Option{Value: strconv.Itoa(m), Label: "+ " + r.minutes(m)})
	}
	f := r.Blank()
	p.Minutes = f.Input("number", "minutes", r.T("time.minutes")).Plain()
	p.Minutes.ID, p.Minutes.Mode = "time-minutes-"+p.Key, "numeric"
	p.Note = f.Text("note", r.T("time.note")).AtMost(visit.MaxTimeNote)
	p.Note.ID = "time-note-" + p.Key
	running, err := s.deps.Visits.Timer(r.Context(), r.Who)
	if err != nil {
		return nil, err
	}
	switch {
	case running == nil:
	case running.Incident == on.Incident && (on.Incident != 0 || running.Visit == on.Visit):
		m := r.Moment(running.Since)
		p.Running = &m
	case running.Incident != 0:
		p.Other = &Link{Label: r.T("incident.number", "number", id(running.Incident)), Href: "/incidents/" + id(running.Incident)}
	default:
		p.Other = &Link{Label: r.T("visit.number", "number", id(running.Visit)), Href: "/visits/" + id(running.Visit)}
	}
	return p, nil
}

// minutes says a length of time.
func (r *Request) minutes(n int) string {
	if n == 0 {
		return r.T("time.none")
	}
	return r.Duration(time.Duration(n) * time.Minute)
}

// backOf is the page that a form about time stood on.
func backOf(f *Form, t visit.Time) string {
	switch back := f.Get("back"); {
	case local(back):
		return back
	case t.Incident != 0:
		return "/incidents/" + id(t.Incident)
	}
	return "/visits/" + id(t.Visit)
}

func (s *Server) logTime(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	minutes, err := strconv.Atoi(f.Get("minutes"))
	if err != nil {
		return fault.InvalidField("minutes", "error.field.range", "min", 1, "max", visit.MaxLogged)
	}
	t, err := s.deps.Visits.LogTime(r.Context(), r.Who, visit.Time{Incident: f.ID("incident"), Visit: f.ID("visit"), Minutes: minutes, Note: f.Get("note")})
	if err != nil {
		return err
	}
	return s.sayLogged(r, f, t, r.T("time.logged", "minutes", r.minutes(t.Minutes)))
}

// sayLogged says what was logged, with its undo.
func (s *Server) sayLogged(r *Request, f *Form, t visit.Time, text string) error {
	back := backOf(f, t)
	err := r.Say(Notice{Text: text, Link: &Link{Label: r.T("time.correct"), Href: "/time/" + id(t.ID)}, Undo: &Undo{Action: "/time/" + id(t.ID) + "/withdraw", Values: map[string]string{"back": back, "withdrawn": "1"}}})
	if err != nil {
		return err
	}
	return r.Redirect(back)
}

// switchTimer starts or stops the reader's timer.
func (s *Server) switchTimer(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	on := visit.On{Incident: f.ID("incident"), Visit: f.ID("visit")}
	if f.Get("do") == "stop" {
		t, err := s.deps.Visits.StopTimer(r.Context(), r.Who)
		if err != nil {
			return err
		}
		text := r.T("time.stopped", "minutes", r.minutes(t.Minutes))
		if t.Minutes >= int(visit.MaxTimer/time.Minute) {
			text = r.T("time.forgotten", "minutes", r.minutes(t.Minutes))
		}
		return s.sayLogged(r, f, t, text)
	}
	_, stopped, err := s.deps.Visits.StartTimer(r.Context(), r.Who, on)
	if err != nil {
		return err
	}
	text := r.T("time.started")
	if stopped != nil {
		text = r.T("time.restarted", "minutes", r.minutes(stopped.Minutes))
	}
	if err := r.Say(Notice{Text: text}); err != nil {
		return err
	}
	return r.Redirect(backOf(f, visit.Time{Incident: on.Incident, Visit: on.Visit}))
}

func (s *Server) pathTime(r *Request) (visit.Time, error) {
	number, err := r.pathID()
	if err != nil {
		return visit.Time{}, err
	}
	return s.deps.Visits.GetTime(r.Context(), r.Who, number)
}

func (s *Server) editTime(r *Request) error {
	t, err := s.pathTime(r)
	if err != nil {
		return err
	}
	return s.showTime(r, http.StatusOK, t, r.Blank("minutes", strconv.Itoa(t.Minutes), "day", t.Day.String(), "note", t.Note))
}

func (s *Server) showTime(r *Request, status int, t visit.Time, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	minutes := f.Input("number", "minutes", r.T("time.minutes")).Must()
	minutes.Mode = "numeric"
	p := &timeEditPage{
		Page: Page{Title: r.T("time.edit"), Lede: Legend(n.places.PersonName(t.Technician), r.Day(t.Day))},
		Form: f, ID: id(t.ID), Back: backOf(f, t),
		Fields: []Field{minutes, f.Input("date", "day", r.T("time.day")).Must(), f.Text("note", r.T("time.note")).AtMost(visit.MaxTimeNote)},
	}
	p.Crumbs = []Link{{Label: r.T("visit.number", "number", id(t.Visit)), Href: "/visits/" + id(t.Visit)}}
	if t.Incident != 0 {
		p.Crumbs = []Link{{Label: r.T("incident.number", "number", id(t.Incident)), Href: "/incidents/" + id(t.Incident)}}
	}
	return timeEditView.show(r, status, p)
}

func (s *Server) correctTime(r *Request) error {
	t, err := s.pathTime(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	next := visit.Time{ID: t.ID, Note: f.Get("note")}
	var bad fault.Fields
	if next.Minutes, err = strconv.Atoi(f.Get("minutes")); err != nil {
		bad.Add("minutes", "error.field.range", "min", 1, "max", visit.MaxLogged)
	}
	if next.Day, err = calendar.ParseDay(f.Get("day")); err != nil || next.Day == 0 {
		bad.Add("day", "error.field.date")
	}
	if err = bad.Err(); err == nil {
		_, err = s.deps.Visits.CorrectTime(r.Context(), r.Who, next)
	}
	if err != nil {
		if f.Refused(err) {
			return s.showTime(r, status(err), t, f)
		}
		return err
	}
	undo := map[string]string{"minutes": strconv.Itoa(t.Minutes), "day": t.Day.String(), "note": t.Note}
	if err := r.Say(Notice{Text: r.T("time.corrected"), Undo: &Undo{Action: "/time/" + id(t.ID), Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(backOf(f, t))
}

// withdrawTime takes an entry back; its undo gives it again.
func (s *Server) withdrawTime(r *Request) error {
	t, err := s.pathTime(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if _, err := s.deps.Visits.CorrectTime(r.Context(), r.Who, visit.Time{ID: t.ID, Withdrawn: true}); err != nil {
		return err
	}
	undo := map[string]string{"minutes": strconv.Itoa(t.Minutes), "day": t.Day.String(), "note": t.Note, "back": f.Get("back")}
	if err := r.Say(Notice{Text: r.T("time.withdrawn"), Undo: &Undo{Action: "/time/" + id(t.ID), Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(backOf(f, t))
}
