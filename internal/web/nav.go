package web

import (
	"cmp"
	"net/http"
	"slices"

	"statincidents/internal/auth"
)

// entry is a page that the navigation shows. Pages add theirs with navEntry in
// their routes.
type entry struct {
	order int    // position in the list; the same on a phone
	key   string // translation key of the name
	icon  string
	href  string
	right auth.Right // who sees it; "" for everybody signed in
	phone bool       // in the bar of a phone, which holds four and the menu
	end   bool       // apart, at the bottom
	roles []auth.Role
	// menuFor are the roles whose phones show it in the menu, not in the bar.
	menuFor []auth.Role
}

// navEntry adds a page to the navigation.
func (s *Server) navEntry(e entry) {
	s.entries = append(s.entries, e)
	slices.SortStableFunc(s.entries, func(a, b entry) int { return cmp.Compare(a.order, b.order) })
}

func (e entry) seenBy(id auth.Identity) bool {
	return (e.right == "" || id.Can(e.right)) && (e.roles == nil || slices.Contains(e.roles, id.Role))
}

// navigation gives the reader's entries: the main ones, those at the end, and
// the bar of a phone (a declarant's holds everything; the others' ends with a
// menu of the rest).
func (s *Server) navigation(r *Request) (main, end, bar []NavItem) {
	current := s.current(r)
	var rest bool
	for _, e := range s.entries {
		if !e.seenBy(r.Who) {
			continue
		}
		item := NavItem{Label: r.T(e.key), Icon: e.icon, Href: e.href, Current: e.href == current}
		switch {
		case e.end:
			end = append(end, item)
		default:
			main = append(main, item)
		}
		if e.phone && !slices.Contains(e.menuFor, r.Who.Role) {
			bar = append(bar, item)
		} else {
			rest = true
		}
	}
	if rest && r.Who.Role != auth.Declarant {
		bar = append(bar, NavItem{Label: r.T("web.nav.menu"), Icon: "menu", Href: "/menu", Current: r.Address.Path == "/menu"})
	}
	return main, end, bar
}

// current is the entry that the reader's address is under: the longest that
// begins it.
func (s *Server) current(r *Request) string {
	best := ""
	for _, e := range s.entries {
		if under(r.Address.Path, e.href) && len(e.href) > len(best) {
			best = e.href
		}
	}
	return best
}

func under(path, top string) bool {
	return path == top || top != "/" && len(path) > len(top) && path[:len(top)] == top && path[len(top)] == '/'
}

// home is the first page of the reader's navigation.
func (s *Server) home(r *Request) error {
	for _, e := range s.entries {
		if !e.end && e.seenBy(r.Who) {
			return r.Redirect(e.href)
		}
	}
	return r.Redirect("/account")
}

// menuPage lists every entry, for phones.
type menuPage struct {
	Page
}

var menuView = newView[menuPage]("page_menu.html", shell)

func (s *Server) menuRoutes() {
	s.page("GET /menu", s.menu)
	s.page("POST /nav", s.toggleNav)
}

func (s *Server) menu(r *Request) error {
	return menuView.show(r, http.StatusOK, &menuPage{Page: Page{Title: r.T("web.nav.menu")}})
}

// toggleNav is what the button of the navigation does without script.
func (s *Server) toggleNav(r *Request) error {
	value := "slim"
	if c, err := r.Cookie("nav"); err == nil && c.Value == "slim" {
		value = "wide"
	}
	http.SetCookie(r.W, &http.Cookie{Name: "nav", Value: value, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, Secure: s.deps.Secure}) //nolint:gosec // a look, which the script writes too
	back := r.PostFormValue("back")
	if !local(back) {
		back = "/"
	}
	return r.Redirect(back)
}
