package web

import (
	"html/template"

	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// riskPanel says how likely an open incident is to pass its target.
type riskPanel struct {
	*locale.Printer

	State Badge
	Said  string
}

var riskFragment = newFragment[riskPanel]("panel_risk.html", "panel-risk")

func (s *Server) riskPanelRoutes() {
	s.incidentPanel(panel{order: 110, place: panelTop, show: s.riskOf})
}

func (s *Server) riskOf(r *Request, i incident.Incident) (template.HTML, error) {
	if !i.State.Open() {
		return "", nil
	}
	risks, err := s.risksOf(r, []int64{i.ID})
	if err != nil {
		return "", err
	}
	one, ok := risks[i.ID]
	if !ok {
		return "", nil
	}
	return riskFragment.html(riskPanel{Printer: r.Printer, State: riskBadge(r, one), Said: r.counted("times.risk.panel", one.Known, "risk", r.percent(one.P))})
}
