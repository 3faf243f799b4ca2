package web

import (
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/privacy"
)

// retentionPage says how long each kind of data is kept, and why.
type retentionPage struct {
	Page

	Tabs Tabs
	Form *Form
	Rows []retentionRow
	Old  []string // how the grave kinds stand
}

type retentionRow struct {
	Title, Why string
	Days       Field
	Due, Last  string
}

var retentionView = newView[retentionPage]("page_admin_privacy_retention.html", shell)

const retentionPath = privacyPath + "/retention"

func (s *Server) retention(r *Request) error {
	return s.showRetention(r, http.StatusOK, nil)
}

func (s *Server) showRetention(r *Request, status int, f *Form) error {
	list, err := s.deps.Privacy.Retentions(r.Context(), r.Who)
	if err != nil {
		return err
	}
	if f == nil {
		var pairs []string
		for _, k := range list {
			pairs = append(pairs, string(k.Kind), strconv.Itoa(k.Days))
		}
		f = r.Blank(pairs...)
	}
	p := &retentionPage{Page: Page{Title: r.T("privacy.title"), Lede: r.T("privacy.retention.lede"), Crumbs: r.adminCrumbs()}, Tabs: r.privacyTabs("retention"), Form: f}
	for _, k := range list {
		if k.Kind.Grave() {
			p.Old = append(p.Old, r.oldState(k))
			continue
		}
		row := retentionRow{Title: r.T(k.Kind.Key()), Why: r.T(k.Kind.Key() + ".why")}
		row.Days = f.Input("number", string(k.Kind), r.T("privacy.retention.days", "kind", row.Title)).Plain()
		row.Days.Mode = "numeric"
		if k.Days != k.Standing {
			row.Why += " " + r.T("privacy.retention.standing", "n", k.Standing)
		}
		row.Due = r.N("privacy.retention.due", k.Due)
		if k.Days == 0 {
			row.Due = r.T("privacy.retention.forever")
		}
		switch {
		case k.Last.IsZero():
			row.Last = r.T("privacy.retention.never")
		case k.At.IsZero():
			row.Last = r.T("privacy.retention.nothing", "when", r.Relative(k.Last, r.Now()))
		default:
			row.Last = r.N("privacy.retention.purged", k.Purged, "when", r.Relative(k.At, r.Now()))
		}
		p.Rows = append(p.Rows, row)
	}
	return retentionView.show(r, status, p)
}

func (s *Server) saveRetention(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	days := map[privacy.Kind]int{}
	var wrong fault.Fields
	for _, k := range privacy.Kinds() {
		text := strings.TrimSpace(f.Get(string(k)))
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			wrong.Add(string(k), "error.privacy.days", "max", privacy.MaxDays)
			continue
		}
		days[k] = n
	}
	if err = wrong.Err(); err == nil {
		err = s.deps.Privacy.SetRetention(r.Context(), r.Who, days)
	}
	if f.Refused(err) {
		return s.showRetention(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("privacy.retention.saved")}); err != nil {
		return err
	}
	return r.Redirect(retentionPath)
}

func (s *Server) purgeNow(r *Request) error {
	if err := s.deps.Privacy.PurgeNow(r.Context(), r.Who); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("privacy.retention.running")}); err != nil {
		return err
	}
	return r.Redirect(retentionPath)
}
