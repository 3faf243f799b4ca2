package web

import (
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/privacy"
)

// oldPage is where people and texts are taken out of old incidents: what it
// would do is seen before it is confirmed.
type oldPage struct {
	Page

	Tabs    Tabs
	See     *Form
	Kinds   []oldKind
	Would   []factList
	Form    *Form // nil until what it would do was seen
	Confirm Field
}

type oldKind struct {
	Title, Why string
	Days       Field
	Hidden     string // name of the same in the second form
	Value      string
}

var oldView = newView[oldPage]("page_admin_privacy_old.html", shell)

var graveKinds = []privacy.Kind{privacy.People, privacy.Words}

// oldState says how a grave kind stands.
func (r *Request) oldState(k privacy.Retention) string {
	state := r.T("privacy.old.off")
	if k.Days > 0 {
		state = r.T("privacy.old.on", "n", k.Days)
		if k.Due > 0 {
			state += ", " + r.N("privacy.retention.due", k.Due)
		}
		if !k.At.IsZero() {
			state += ", " + r.N("privacy.retention.purged", k.Purged, "when", r.Relative(k.At, r.Now()))
		}
	}
	return r.T("privacy.old.state", "kind", r.T(k.Kind.Key()), "state", state)
}

func (s *Server) oldIncidents(r *Request) error {
	f := r.Filters()
	if f.Get(string(privacy.People)) == "" && f.Get(string(privacy.Words)) == "" {
		list, err := s.deps.Privacy.Retentions(r.Context(), r.Who)
		if err != nil {
			return err
		}
		var pairs []string
		for _, k := range list {
			if k.Kind.Grave() {
				pairs = append(pairs, string(k.Kind), strconv.Itoa(k.Days))
			}
		}
		return s.showOld(r, http.StatusOK, r.Blank(pairs...), nil)
	}
	days, err := oldDays(f)
	if err == nil {
		err = s.seeOld(r, http.StatusOK, f, days)
	}
	if f.Refused(err) {
		return s.showOld(r, status(err), f, nil)
	}
	return err
}

// oldDays reads the durations of a form.
func oldDays(f *Form) (map[privacy.Kind]int, error) {
	days := map[privacy.Kind]int{}
	var wrong fault.Fields
	for _, k := range graveKinds {
		text := strings.TrimSpace(f.Get(string(k)))
		if text == "" {
			text = "0"
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			wrong.Add(string(k), "error.privacy.old_days", "min", privacy.LeastOld, "max", privacy.MaxDays)
		}
		days[k] = n
	}
	return days, wrong.Err()
}

// seeOld shows what would be done, and asks.
func (s *Server) seeOld(r *Request, status int, f *Form, days map[privacy.Kind]int) error {
	var would []factList
	for _, k := range graveKinds {
		o, err := s.deps.Privacy.PreviewOld(r.Context(), r.Who, k, days[k])
		if err != nil {
			return err
		}
		facts := []string{r.T("privacy.old.never")}
		if o.Days > 0 {
			facts = []string{r.N("privacy.old.incidents", o.Incidents, "day", r.Date(o.Before))}
			if k == privacy.People {
				facts = append(facts, r.N("privacy.old.people", o.People))
				if len(o.Handlers) > 0 {
					facts = append(facts, r.N("privacy.old.handlers", len(o.Handlers), "names", r.List(o.Handlers)))
				} else {
					facts = append(facts, r.T("privacy.old.handlers_none"))
				}
			}
		}
		would = append(would, factList{r.T(k.Key()), facts})
	}
	return s.showOld(r, status, f, would)
}

func (s *Server) showOld(r *Request, status int, f *Form, would []factList) error {
	p := &oldPage{
		Page: Page{Title: r.T("privacy.old.title"), Lede: r.T("privacy.old.lede"), Crumbs: r.adminCrumbs(Link{Label: r.T("privacy.title"), Href: privacyPath}, Link{Label: r.T("privacy.tab.retention"), Href: retentionPath})},
		Tabs: r.privacyTabs("retention"), See: f, Would: would,
	}
	for _, k := range graveKinds {
		row := oldKind{Title: r.T(k.Key()), Why: r.T(k.Key() + ".why"), Hidden: string(k), Value: f.Get(string(k))}
		row.Days = f.Input("number", string(k), r.T("privacy.old.after")).Plain()
		row.Days.Mode = "numeric"
		p.Kinds = append(p.Kinds, row)
	}
	if would != nil {
		p.Form = f
		p.Confirm = f.Check("confirm", r.T("privacy.old.confirm")).Hinted(r.T("privacy.old.confirm_hint"))
	}
	return oldView.show(r, status, p)
}

func (s *Server) saveOld(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	days, err := oldDays(f)
	if err == nil {
		err = s.deps.Privacy.SetOld(r.Context(), r.Who, days, f.Checked("confirm"))
	}
	if f.Refused(err) {
		if see := s.seeOld(r, status(err), f, days); !f.Refused(see) {
			return see
		}
		return s.showOld(r, status(err), f, nil)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("privacy.old.saved")}); err != nil {
		return err
	}
	return r.Redirect(retentionPath)
}
