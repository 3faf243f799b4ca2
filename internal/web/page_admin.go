package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
)

// adminPart is one part of the administration, as its first page tells it.
// Pages add theirs with adminEntry in their routes. Its words are KEY.title
// and KEY.what.
type adminPart struct {
	order int
	key   string
	icon  string
	href  string
	right auth.Right // who sees it, and may open it
	// state says how the part stands, a sentence each; nil for nothing to say.
	state func(r *Request, n *names) ([]string, error)
}

// adminEntry adds a part to the administration.
func (s *Server) adminEntry(p adminPart) {
	s.parts = append(s.parts, p)
	slices.SortStableFunc(s.parts, func(a, b adminPart) int { return cmp.Compare(a.order, b.order) })
}

// adminRights open the administration; each part asks for its own.
var adminRights = []auth.Right{auth.EditDirectory, auth.EditCatalog, auth.ImportData, auth.ManageAccounts, auth.ViewSystem, auth.EditService}

// adminPage says what there is to run and how it stands.
type adminPage struct {
	Page

	Parts  []adminRow
	System []systemRow // nil for who may not see the system
}

type adminRow struct {
	Icon, Title, What, Href string
	State                   []string
}

type systemRow struct {
	Badge Badge
	Name  string
	Text  string
}

var adminView = newView[adminPage]("page_admin.html", shell)

func (s *Server) adminRoutes() {
	s.page("GET /admin", s.admin, needsAny(adminRights...))
	var roles []auth.Role
	for _, role := range auth.Roles {
		if slices.ContainsFunc(adminRights, auth.Identity{Role: role}.Can) {
			roles = append(roles, role)
		}
	}
	s.navEntry(entry{order: 900, key: "admin.title", icon: "settings", href: "/admin", end: true, roles: roles})
	s.findable("admin.title", func(r *Request, query string) ([]Destination, error) {
		var list []Destination
		for _, p := range s.parts {
			title := r.T(p.key + ".title")
			if query != "" && r.Who.Can(p.right) && matches(title, query) {
				list = append(list, Destination{Label: title, Icon: p.icon, Href: p.href})
			}
		}
		return list, nil
	})
}

func (s *Server) admin(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &adminPage{Page: Page{Title: r.T("admin.title"), Lede: r.T("admin.lede")}}
	for _, part := range s.parts {
		if !r.Who.Can(part.right) {
			continue
		}
		row := adminRow{Icon: part.icon, Title: r.T(part.key + ".title"), What: r.T(part.key + ".what"), Href: part.href}
		if part.state != nil {
			if row.State, err = part.state(r, n); err != nil {
				return err
			}
		}
		p.Parts = append(p.Parts, row)
	}
	if r.Who.Can(auth.ViewSystem) {
		if p.System, err = s.systemRows(r); err != nil {
			return err
		}
	}
	return adminView.show(r, http.StatusOK, p)
}

// lateSeal is how old the last seal may be while events wait for the next.
const lateSeal = 10 * time.Minute

// systemRows say how the program itself stands: the journal, the figures.
func (s *Server) systemRows(r *Request) ([]systemRow, error) {
	good := Badge{Icon: "circle-check", Word: r.T("admin.system.good"), Tone: "good"}
	late := Badge{Icon: "triangle-alert", Word: r.T("admin.system.late"), Tone: "warning"}
	seal, err := s.deps.Journal.Sealing(r.Context(), s.deps.Tenant)
	if err != nil {
		return nil, err
	}
	journal := systemRow{Badge: good, Name: r.T("admin.system.journal"), Text: r.T("admin.system.unsealed")}
	if !seal.At.IsZero() {
		journal.Text = r.T("admin.system.sealed", "when", r.Relative(seal.At, r.Now()), "open", seal.Open)
	}
	if seal.Open > 0 && r.Now().Sub(seal.At) > lateSeal {
		journal.Badge = late
	}
	figures := systemRow{Badge: good, Name: r.T("admin.system.figures")}
	res, err := s.deps.Cube.Run(r.Context(), r.Scope(), cube.Query{Measures: []cube.Measure{cube.Count}})
	switch {
	case fault.Is(err, fault.Unavailable):
		figures.Badge, figures.Text = late, r.T("admin.system.loading")
	case err != nil:
		return nil, err
	default:
		figures.Text = r.T("admin.system.as_of", "n", res.Population, "event", res.AsOf)
	}
	return []systemRow{
		journal, figures,
		{Badge: good, Name: r.T("admin.system.program"), Text: r.T("admin.system.version", "version", s.deps.Version)},
	}, nil
}

// adminCrumbs is the way to a page of the administration.
func (r *Request) adminCrumbs(more ...Link) []Link {
	return append([]Link{{Label: r.T("admin.title"), Href: "/admin"}}, more...)
}
