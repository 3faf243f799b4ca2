package web

import (
	"html/template"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// levelPanel says who handles an incident that begins, or began, at its
// school: in a sentence for who waits, with what was tried for who works.
type levelPanel struct {
	*locale.Printer

	Icon  string
	Tone  string
	Head  string
	More  []string // sentences
	Tried string
	Steps []levelStep // how it went to and fro, when more than once
}

type levelStep struct {
	When Moment
	What string
	Why  string
}

var levelView = newFragment[levelPanel]("panel_level.html", "panel-level")

func (s *Server) levelRoutes() {
	s.incidentPanel(panel{order: 40, place: panelTop, show: s.levelPanel})
}

func (s *Server) levelPanel(r *Request, i incident.Incident) (template.HTML, error) {
	if i.Level == incident.Direct {
		return "", nil
	}
	n, err := r.names()
	if err != nil {
		return "", err
	}
	passages, err := s.deps.Incidents.Passages(r.Context(), r.Scope(), i.ID)
	if err != nil {
		return "", err
	}
	p := levelPanel{Printer: r.Printer, Icon: "school", Tone: "info"}
	unit, referent := r.Who.Can(auth.HandleIncident), r.Who.Can(auth.HandleSchool)
	when := r.DateTime(i.LevelAt)
	switch {
	case !i.AtSchool():
		p.Icon = "building-2"
		p.Head = r.T("chain.panel."+string(i.Level), "when", when)
		p.Tried = i.Tried
	case !i.State.Open():
		p.Tone = ""
		p.Head = r.T("chain.panel.ended")
	case unit:
		p.Head = r.T("chain.panel.at_school")
		p.More = append(p.More, r.T("chain.panel.at_school.unit"))
	case referent:
		p.Head = r.T("chain.panel.yours")
		p.More = append(p.More, r.T("chain.panel.yours.how"))
	default:
		p.Head = r.T("chain.panel.referent")
		p.More = append(p.More, r.T("chain.panel.referent.next"))
	}
	if i.AtSchool() {
		if at := incident.LapsesAt(n.places, i); !at.IsZero() && (unit || referent) {
			p.More = append(p.More, r.T("chain.panel.lapses", "when", r.DateTime(at)))
		}
		if back := lastBack(passages); back != nil && (unit || referent) {
			p.More = append(p.More, r.T("chain.panel.back", "when", r.DateTime(back.At)))
			p.Tried = back.Why
		}
	}
	if len(passages) > 2 && (unit || referent) {
		for _, step := range passages {
			p.Steps = append(p.Steps, levelStep{When: r.Moment(step.At), What: r.T("incident.level." + levelWord(step.To)), Why: step.Why})
		}
	}
	return levelView.html(p)
}

// lastBack is the passage by which the département handed it back, if that is
// how it came to its school.
func lastBack(all []incident.Passage) *incident.Passage {
	if n := len(all); n > 1 && all[n-1].To == incident.AtSchoolLevel {
		return &all[n-1]
	}
	return nil
}

// levelWord names a level in keys of translation.
func levelWord(l incident.Level) string {
	if l == incident.Direct {
		return "direct"
	}
	return string(l)
}
