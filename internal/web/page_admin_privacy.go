package web

import (
	"net/http"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/privacy"
)

// privacyPage looks for a person, and lists erasures.
type privacyPage struct {
	Page

	Tabs    Tabs
	Find    *Field
	Found   []foundPerson
	Note    string
	Table   *Table
	Empty   *EmptyState
	Exports []Link
	Bar     FilterBar
	More    *Link
}

type foundPerson struct {
	Key, Name, As, Email string
	Erasable             bool
}

var privacyView = newView[privacyPage]("page_admin_privacy.html", shell)

const privacyPath = "/admin/privacy"

// longExport is how long the export of a person may take: where others name
// them is looked for in everything.
const longExport = 15 * time.Minute

func (s *Server) adminPrivacyRoutes() {
	who := needs(auth.ManagePrivacy)
	s.page("GET /admin/privacy", s.privacyPeople, who)
	s.page("POST /admin/privacy/export", s.exportPerson, who, lasts(longExport))
	s.page("GET /admin/privacy/erasures", s.erasures, who)
	s.page("POST /admin/privacy/erasures", s.prepareErasure, who)
	s.page("GET /admin/privacy/erasures/{id}", s.erasure, who)
	s.page("POST /admin/privacy/erasures/{id}/confirm", s.confirmErasure, who)
	s.page("POST /admin/privacy/erasures/{id}/cancel", s.cancelErasure, who)
	s.page("GET /admin/privacy/exports", s.exportNotes, who)
	s.page("GET /admin/privacy/exports.csv", s.downloadNotes, who)
	s.page("GET /admin/privacy/exports.xlsx", s.downloadNotes, who)
	s.page("GET /admin/privacy/retention", s.retention, who)
	s.page("POST /admin/privacy/retention", s.saveRetention, who)
	s.page("POST /admin/privacy/retention/run", s.purgeNow, who)
	s.page("GET /admin/privacy/old", s.oldIncidents, who)
	s.page("POST /admin/privacy/old", s.saveOld, who)
	s.adminEntry(adminPart{order: 120, key: "privacy", icon: "shield-alert", href: privacyPath, right: auth.ManagePrivacy})
	s.page("GET /account/data", s.ownData)
	s.page("POST /account/data", s.exportOwnData, lasts(longExport))
}

// privacyTabs are the parts of the page on personal data.
func (r *Request) privacyTabs(current string) Tabs {
	t := Tabs{Label: r.T("privacy.tabs")}
	for _, part := range []string{"people", "erasures", "retention", "exports"} {
		href := privacyPath
		if part != "people" {
			href += "/" + part
		}
		t.Items = append(t.Items, Tab{Label: r.T("privacy.tab." + part), Href: href, Current: part == current})
	}
	return t
}

func (r *Request) privacyPage(tab string) *privacyPage {
	return &privacyPage{Page: Page{Title: r.T("privacy.title"), Lede: r.T("privacy.what"), Crumbs: r.adminCrumbs()}, Tabs: r.privacyTabs(tab)}
}

func (s *Server) privacyPeople(r *Request) error {
	p := r.privacyPage("people")
	field := r.Filters().Input("search", "q", r.T("privacy.people.q")).Plain().AtMost(200)
	p.Find = &field
	q := strings.TrimSpace(r.Address.Get("q"))
	found, err := s.deps.Privacy.Look(r.Context(), r.Who, q)
	if err != nil {
		return err
	}
	for _, f := range found {
		row := foundPerson{Key: f.Key(), Name: f.Name, As: r.T("privacy.people.card"), Erasable: f.Account != r.Who.Account || f.Account == 0}
		if f.Account != 0 {
			row.As = r.T("privacy.people.account", "login", f.Login, "role", r.T("role."+string(f.Role)))
		} else if f.Person == 0 {
			row.As = r.T("privacy.people.address")
		}
		if len(f.Emails) > 0 && f.Emails[0] != f.Name {
			row.Email = f.Emails[0]
		}
		p.Found = append(p.Found, row)
	}
	if q != "" && len(found) == 0 {
		p.Note = r.T("privacy.people.none")
	}
	return privacyView.show(r, http.StatusOK, p)
}

// exportPerson hands over everything that is held on somebody.
func (s *Server) exportPerson(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	who, err := s.deps.Privacy.Find(r.Context(), r.Who, f.Get("who"))
	if err != nil {
		return err
	}
	return s.sendPerson(r, who)
}

func (s *Server) sendPerson(r *Request, who privacy.Somebody) error {
	h := r.W.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="donnees-personnelles-`+r.Now().In(r.Location()).Format(time.DateOnly)+`.zip"`)
	n, err := s.deps.Privacy.Export(r.Context(), r.Who, who, r.Printer, r.W)
	r.exported(n)
	return err
}

// ownDataPage is where people get what is held on them.
type ownDataPage struct{ Page }

var ownDataView = newView[ownDataPage]("page_account_data.html", shell)

func (s *Server) ownData(r *Request) error {
	return ownDataView.show(r, http.StatusOK, &ownDataPage{Page{Title: r.T("privacy.self.title"), Lede: r.T("privacy.self.lede"), Crumbs: []Link{{Label: r.T("web.nav.account"), Href: "/account"}}}})
}

func (s *Server) exportOwnData(r *Request) error {
	who, err := s.deps.Privacy.Self(r.Context(), r.Who)
	if err != nil {
		return err
	}
	return s.sendPerson(r, who)
}
