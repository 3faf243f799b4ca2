package web

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"

	"statincidents/internal/incident"
)

// panelPlace is where on an incident's page a panel stands.
type panelPlace int

const (
	panelTop    panelPlace = iota // above the story, with what is known
	panelWork                     // below the actions: what the work needs (check-lists, parts, visits)
	panelBeside                   // what helps to decide: what worked, what else happened near
)

// panel is a section of an incident's page that another room fills. Show gives
// "" when there is nothing to say to this reader; it is asked at each showing
// and makes no more than a query or two.
type panel struct {
	order int // within its place; ties by registration
	place panelPlace
	show  func(r *Request, i incident.Incident) (template.HTML, error)
}

// incidentPanel adds a section to every incident's page. Its markup is a
// fragment of its own file, panel_NAME.html, shown by fragment.html.
func (s *Server) incidentPanel(p panel) {
	s.panels = append(s.panels, p)
	slices.SortStableFunc(s.panels, func(a, b panel) int { return a.order - b.order })
}

// panelsAt gives what the panels of a place have to say.
func (r *Request) panelsAt(place panelPlace, i incident.Incident) ([]template.HTML, error) {
	var all []template.HTML
	for _, p := range r.Server.panels {
		if p.place != place {
			continue
		}
		said, err := p.show(r, i)
		if err != nil {
			return nil, err
		}
		if said != "" {
			all = append(all, said)
		}
	}
	return all, nil
}

// html renders the fragment to stand inside a page.
func (f *fragment[P]) html(p P) (template.HTML, error) {
	var b bytes.Buffer
	if err := f.t.Execute(&b, p); err != nil {
		return "", fmt.Errorf("web: render %s: %w", f.t.Name(), err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // the output of a template, escaped by it
}
