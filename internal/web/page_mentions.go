package web

import (
	"net/http"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// mentionsPage lists the comments that call the reader.
type mentionsPage struct {
	Page

	Rows  []mentionRow
	Empty EmptyState
}

type mentionRow struct {
	Href    string
	Label   string
	Where   string
	Who     string
	When    Moment
	Comment string
	State   Badge
}

var (
	mentionsView = newView[mentionsPage]("page_mentions.html", shell)
	calledView   = newFragment[calledOptions]("page_mentions.html", "called-options")
)

// calledOptions are the names that a comment may call, while one types.
type calledOptions struct{ Names []string }

func (s *Server) mentionRoutes() {
	s.page("GET /mentions", s.mentions)
	s.page("GET /incidents/{id}/people", s.callable, needs(auth.CommentIncident))
	s.navEntry(entry{order: 250, key: "desk.mentions", icon: "at-sign", href: "/mentions", roles: []auth.Role{auth.Administrator, auth.Lead, auth.Technician, auth.Referent}})
}

func (s *Server) mentions(r *Request) error {
	all, err := s.deps.Incidents.Mentions(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &mentionsPage{Page: Page{Title: r.T("desk.mentions"), Lede: r.T("desk.mentions.lede")},
		Empty: EmptyState{Icon: "at-sign", Title: r.T("desk.mentions.none"), Text: r.T("desk.mentions.teach")}}
	for _, m := range all {
		who, err := n.actor(m.Entry.Actor)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, mentionRow{
			Href: "/incidents/" + id(m.Incident.ID), Label: r.T("incident.number", "number", id(m.Incident.ID)) + " · " + m.Incident.Title,
			Where: n.place(m.Incident), Who: who, When: r.Moment(m.Entry.At), Comment: excerpt(m.Entry.Comment, 400), State: StateBadge(r.Printer, m.Incident.State),
		})
	}
	return mentionsView.show(r, http.StatusOK, p)
}

// callable gives the names that begin like what is typed after "@", of those
// whom a comment of the incident may call.
func (s *Server) callable(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	typed := strings.TrimSpace(r.Address.Get("q"))
	if len(typed) > 100 {
		return fault.InvalidField("q", "error.field.too_long", "max", 100)
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	const shown = 8
	var out calledOptions
	for _, who := range incident.Mentionable(n.places, &i, r.Address.Get("internal") != "") {
		if len(out.Names) < shown && (typed == "" || matches(who.Name, typed)) {
			out.Names = append(out.Names, who.Name)
		}
	}
	return calledView.show(r, out)
}
