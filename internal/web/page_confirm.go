package web

import "net/http"

// Confirm is the page that asks before what cannot be undone.
type Confirm struct {
	Page

	Text   string
	Facts  []string // what will be gone
	Verb   string   // on the button: "Révoquer"
	Action string   // posted to
	Hidden []Hidden
	Cancel string // where "Annuler" goes
	Title  string
	Crumbs []Link
}

var confirmView = newView[Confirm]("page_confirm.html", shell)

// Confirm asks; the button posts to Action.
func (r *Request) Confirm(c Confirm) error {
	c.Page.Title, c.Page.Crumbs = c.Title, c.Crumbs
	return confirmView.show(r, http.StatusOK, &c)
}
