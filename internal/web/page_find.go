package web

import (
	"net/http"
	"strings"

	"statincidents/internal/locale"
)

// Destination is somewhere that one can go: an incident, a school, a page, an
// action.
type Destination struct {
	Label string
	Note  string
	Icon  string
	Href  string
}

// DestinationGroup is the destinations of one kind.
type DestinationGroup struct {
	Label string
	Items []Destination
}

// finder looks for destinations by what was typed, in the reader's scope; an
// empty query gives what is most used, or nothing.
type finder struct {
	key  string // translation key of the group's name
	find func(r *Request, query string) ([]Destination, error)
}

// findable adds a kind of destination to "go to anything". Pages add theirs in
// their routes, the most wanted first.
func (s *Server) findable(key string, find func(r *Request, query string) ([]Destination, error)) {
	s.finders = append(s.finders, finder{key, find})
}

type findPage struct {
	Page

	Query  Field
	Asked  string
	Groups []DestinationGroup
}

// goList is what the palette shows.
type goList struct {
	*locale.Printer

	Groups []DestinationGroup
	Asked  string
}

var (
	findView = newView[findPage]("page_find.html", shell)
	goPart   = newFragment[goList]("page_find.html", "go-results")
)

func (s *Server) findRoutes() {
	s.page("GET /search", s.search)
	s.page("GET /go", s.goTo)
}

// most is how many destinations of a kind are offered.
const most = 7

func (s *Server) find(r *Request) (string, []DestinationGroup, error) {
	query := strings.TrimSpace(r.Address.Get("q"))
	if len(query) > 200 {
		query = strings.ToValidUTF8(query[:200], "")
	}
	var groups []DestinationGroup
	for _, f := range s.finders {
		items, err := f.find(r, query)
		if err != nil {
			return "", nil, err
		}
		if len(items) > 0 {
			groups = append(groups, DestinationGroup{r.T(f.key), items[:min(len(items), most)]})
		}
	}
	return query, groups, nil
}

func (s *Server) search(r *Request) error {
	query, groups, err := s.find(r)
	if err != nil {
		return err
	}
	field := r.Filters().Input("search", "q", r.T("web.go")).Plain()
	field.Focus = query == ""
	return findView.show(r, http.StatusOK, &findPage{
		Page: Page{Title: r.T("common.search")}, Query: field, Asked: query, Groups: groups,
	})
}

func (s *Server) goTo(r *Request) error {
	query, groups, err := s.find(r)
	if err != nil {
		return err
	}
	return goPart.show(r, goList{Printer: r.Printer, Groups: groups, Asked: query})
}

// findPages offers the pages of the navigation by name.
func (s *Server) findPages() {
	s.findable("web.go.pages", func(r *Request, query string) ([]Destination, error) {
		var list []Destination
		add := func(label, icon, href string) {
			if matches(label, query) {
				list = append(list, Destination{Label: label, Icon: icon, Href: href})
			}
		}
		for _, e := range s.entries {
			if e.seenBy(r.Who) && e.href != "/account" {
				add(r.T(e.key), e.icon, e.href)
			}
		}
		add(r.T("web.nav.account"), "circle-user", "/account")
		return list, nil
	})
}

// matches tells whether each word typed begins a word of the text, whatever
// the accents and the case.
func matches(text, query string) bool {
	words := strings.FieldsFunc(fold(text), notWord)
	for _, q := range strings.FieldsFunc(fold(query), notWord) {
		found := false
		for _, w := range words {
			found = found || strings.HasPrefix(w, q)
		}
		if !found {
			return false
		}
	}
	return true
}
