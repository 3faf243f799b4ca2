package web

import (
	"html/template"

	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// ratingPanel is the one question asked of the declarant after closing, and
// its answer for everybody else.
type ratingPanel struct {
	*locale.Printer

	ID     string
	Answer string
	Icon   string
	Form   *Form
	Fields []Field
	Open   bool
}

var ratingView = newFragment[ratingPanel]("panel_rating.html", "panel-rating")

var ratingIcons = map[incident.Rating]string{incident.Satisfied: "smile", incident.Neutral: "meh", incident.Unsatisfied: "frown"}

func (s *Server) ratingRoutes() {
	s.page("POST /incidents/{id}/rate", s.rate)
	s.incidentPanel(panel{order: 50, place: panelTop, show: s.rating})
}

func (s *Server) rating(r *Request, i incident.Incident) (template.HTML, error) {
	p := ratingPanel{Printer: r.Printer, ID: id(i.ID)}
	if i.Rating != "" {
		p.Answer, p.Icon = r.T("desk.rating."+string(i.Rating)), ratingIcons[i.Rating]
	}
	if i.MayRate(r.Who, r.Now()) {
		p.Form = r.formOf("rating")
		if i.Rating != "" && !p.Form.values.Has("rating") {
			p.Form.values.Set("rating", string(i.Rating))
		}
		var options []Option
		for _, answer := range incident.Ratings {
			options = append(options, Option{Value: string(answer), Label: r.T("desk.rating." + string(answer)), Icon: ratingIcons[answer]})
		}
		question := p.Form.Choices("rating", r.T("desk.rating.question"), options).Must()
		comment := p.Form.Area("comment", r.T("desk.rating.comment")).AtMost(incident.MaxRemark)
		comment.ID = "rating-comment"
		p.Fields = []Field{question, comment}
		p.Open = i.Rating == "" || p.Form.Summary != ""
	}
	if p.Answer == "" && p.Form == nil {
		return "", nil
	}
	return ratingView.html(p)
}

func (s *Server) rate(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if _, err := s.deps.Incidents.Rate(r.Context(), r.Who, number, incident.Rating(f.Get("rating")), f.Get("comment")); err != nil {
		if _, seen := s.deps.Incidents.Get(r.Context(), r.Scope(), number); seen != nil {
			return seen
		}
		return s.refusedPanel(r, number, "rating", f, err)
	}
	if err := r.Say(Notice{Text: r.T("desk.rating.thanks")}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}
