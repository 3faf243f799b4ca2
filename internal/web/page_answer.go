package web

import (
	"net/http"

	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/notify"
)

// answerPage is where the links of a message lead: one question, the answer
// chosen already. Opening it does nothing, for scanners of messages open links
// too; the button does.
type answerPage struct {
	Page

	Title2 string // the incident
	Place  string
	Form   *Form
	Remark Field
	Asks   string // the sentence above the button
	Verb   string // on the button
	Fails  bool   // the answer is that it does not work
	Over   string // why there is nothing to answer
	Done   string // what was answered
	Until  string // until when it may be changed
	Action string
	Rate   notify.Block // the question of satisfaction, after a confirmation
	Signed bool         // the reader may open the incident
	Href   string
}

var answerView = newView[answerPage]("page_answer.html", door)

func (s *Server) answerRoutes() {
	s.page("GET /answer/{token}", s.answer, public())
	s.page("POST /answer/{token}", s.giveAnswer, public(), accepts(64<<10))
}

func (s *Server) answer(r *Request) error {
	asked, err := s.deps.Notify.Question(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.showAnswer(r, http.StatusOK, asked, r.Blank(), false)
}

func (s *Server) showAnswer(r *Request, status int, a notify.Asked, f *Form, given bool) error {
	r.Printer = locale.For(a.Lang, r.Location())
	f.Printer = r.Printer
	p := &answerPage{Page: Page{Title: r.T("answer.title")}, Form: f, Action: r.URL.Path}
	r.W.Header().Set("Referrer-Policy", "no-referrer")
	r.W.Header().Set("Cache-Control", "no-store")
	if a.Incident.ID != 0 {
		// The reader may be nobody we know: not r.names.
		places, err := s.deps.Directory.Index(r.Context(), s.deps.Tenant)
		if err != nil {
			return err
		}
		p.Title2 = r.T("answer.incident", "number", id(a.Incident.ID), "title", a.Incident.Title)
		p.Place = Legend(places.SchoolName(a.Incident.School), places.RoomName(a.Incident.Room))
		if r.SignedIn && a.Incident.SeenBy(r.Scope()) {
			p.Signed, p.Href = true, "/incidents/"+id(a.Incident.ID)
		}
	}
	if a.Given != "" && a.Choice.Rating() == "" {
		p.Done = r.T("answer.given." + string(a.Given))
	} else if a.Rated != "" && a.Choice.Rating() != "" {
		p.Done = r.T("answer.rated", "rating", r.T("notify.choice."+string(ratingOf(a.Rated))))
	}
	if p.Done != "" && a.Over == "" && !a.Until.IsZero() && a.Until.After(r.Now()) {
		p.Until = r.T("answer.until", "when", a.Until)
	}
	switch {
	case a.Over != "" && p.Done == "":
		p.Over = r.T("notify.over." + a.Over)
	case a.Over != "", a.Settled():
	default:
		p.Asks, p.Verb, p.Fails = r.T("answer.asks."+string(a.Choice)), r.T("notify.choice."+string(a.Choice)), a.Choice == notify.Fails
		p.Remark = f.Area("remark", r.T("answer.remark."+string(a.Choice))).AtMost(notify.MaxRemark)
	}
	if given {
		p.Page.Title = r.T("answer.thanks")
	}
	if a.Settled() && a.Choice == notify.Works {
		var err error
		if p.Rate, err = s.deps.Notify.RatingLinks(r.Context(), a); err != nil {
			return err
		}
	}
	return answerView.show(r, status, p)
}

func ratingOf(n incident.Rating) notify.Choice {
	for _, c := range []notify.Choice{notify.Good, notify.Fair, notify.Poor} {
		if c.Rating() == n {
			return c
		}
	}
	return ""
}

func (s *Server) giveAnswer(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	asked, err := s.deps.Notify.Answer(r.Context(), r.PathValue("token"), f.Get("remark"))
	if fault.Is(err, fault.NotFound) || fault.CodeOf(err) == fault.Internal && err != nil {
		return err
	}
	if f.Refused(err) {
		return s.showAnswer(r, status(err), asked, f, false)
	}
	if err != nil {
		return err
	}
	return s.showAnswer(r, http.StatusOK, asked, f, true)
}
