package web

import (
	"html/template"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/visit"
)

// visitPanel says on an incident's page who comes when.
type visitPanel struct {
	*locale.Printer

	Visits []visitLine
	Plain  []string // the same in a sentence each, for who declares
	Plan   string   // where one more is planned
}

var visitPanelView = newFragment[visitPanel]("panel_visit.html", "panel-visit")

// visitsOf shows the visits of an incident. Who declares is told in words.
func (s *Server) visitsOf(r *Request, i incident.Incident) (template.HTML, error) {
	visits, err := s.deps.Visits.OfIncident(r.Context(), r.Who, i.ID)
	if err != nil {
		return "", err
	}
	p := visitPanel{Printer: r.Printer}
	if r.mayPlan() && i.State.Open() {
		p.Plan = plannedFor(i)
	}
	if len(visits) == 0 && p.Plan == "" {
		return "", nil
	}
	n, err := r.names()
	if err != nil {
		return "", err
	}
	for k := range visits {
		v := &visits[k]
		if r.Who.Can(auth.ViewStatistics) {
			line := n.visitLine(v, nil)
			line.Purpose = v.Purpose
			p.Visits = append(p.Visits, line)
			continue
		}
		if v.State == visit.Cancelled || v.State == visit.Done && v.EndedAt.IsZero() {
			continue
		}
		p.Plain = append(p.Plain, r.T("visit.plain."+string(v.State)+"."+string(v.Kind), "who", n.places.PersonName(v.Technician), "day", r.Date(v.Start), "hours", r.hours(v)))
	}
	if len(p.Plain) == 0 && len(p.Visits) == 0 && p.Plan == "" {
		return "", nil
	}
	return visitPanelView.html(p)
}
