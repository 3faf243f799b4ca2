package web

import (
	"cmp"
	"net/http"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
)

// question is a statistical method as its reader asks it. Pages add theirs
// with analysisEntry in their routes; its words are KEY.asked (the question)
// and KEY.answers (what the page gives).
type question struct {
	order int
	key   string
	icon  string
	href  string
	right auth.Right // ViewStatistics if ""
	// found says what was found last, in a sentence; nil for nothing to say.
	found func(r *Request) (string, error)
}

// analysisEntry adds a question to the page of analyses.
func (s *Server) analysisEntry(q question) {
	if q.right == "" {
		q.right = auth.ViewStatistics
	}
	s.questions = append(s.questions, q)
	slices.SortStableFunc(s.questions, func(a, b question) int { return cmp.Compare(a.order, b.order) })
}

// analysesPage lists what may be asked.
type analysesPage struct {
	Page

	Asked []askedRow
}

type askedRow struct{ Icon, Asked, Answers, Found, Href string }

var analysesView = newView[analysesPage]("page_analyses.html", shell)

func (s *Server) analysesRoutes() {
	s.page("GET /analyses", s.analyses, needs(auth.ViewStatistics))
	s.navEntry(entry{order: 30, key: "analyses.title", icon: "microscope", href: "/analyses", right: auth.ViewStatistics, phone: true, menuFor: []auth.Role{auth.Administrator, auth.Lead, auth.Technician, auth.Referent}})
}

func (s *Server) analyses(r *Request) error {
	p := &analysesPage{Page: Page{Title: r.T("analyses.title"), Lede: r.T("analyses.lede")}}
	for _, q := range s.questions {
		if !r.Who.Can(q.right) {
			continue
		}
		row := askedRow{Icon: q.icon, Asked: r.T(q.key + ".asked"), Answers: r.T(q.key + ".answers"), Href: q.href}
		if q.found != nil {
			said, err := q.found(r)
			switch {
			case fault.Is(err, fault.Unavailable): // not computed yet: nothing was found
			case err != nil:
				return err
			}
			row.Found = said
		}
		p.Asked = append(p.Asked, row)
	}
	return analysesView.show(r, http.StatusOK, p)
}
