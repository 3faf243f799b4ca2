package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/label"
)

// labelsPage is where labels are chosen, revoked, and where a school's code is
// read.
type labelsPage struct {
	Page

	Tabs    Tabs
	Tab     string
	School  *Field // nil when the reader looks after one school only
	Form    *Form
	ID      string // of the school shown, "" while none is chosen
	Name    string
	Rooms   []labelRow
	Others  []labelRow // labels of machines and of the school as a whole
	Grid    Field
	Machine Field
	Code    string
	CodeSet Moment
	HasCode bool
	Waiting []pendingRow
	Empty   *EmptyState
	Address string // that the labels lead to
}

// labelRow is a room, or a label, that can be printed.
type labelRow struct {
	Value   string // "room:12" or "label:4"
	Name    string
	Note    string
	Checked bool
	Label   string // number of the label to revoke, "" without one
}

// pendingRow is a report that waits for its confirmation.
type pendingRow struct {
	ID     string
	Title  string
	Text   string
	Place  string
	Who    string
	When   Moment
	Expire string
}

var labelsView = newView[labelsPage]("page_labels.html", shell)

func (s *Server) labelsRoutes() {
	manage := needs(auth.ManageLabels)
	s.page("GET /labels", s.labels, manage)
	s.page("POST /labels", s.makeLabels, manage)
	s.page("POST /labels/code", s.setLabelCode, manage)
	s.page("GET /labels/{id}/revoke", s.askRevoke, manage)
	s.page("POST /labels/{id}/revoke", s.revokeLabel, manage)
	s.page("POST /labels/waiting/{id}/decide", s.decideReport, manage)
	s.page("GET /labels/sheet", s.labelSheet, manage)
	s.page("GET /labels/sheet.svg", s.labelSheetSVG, manage)
	s.page("GET /labels/sheet.pdf", s.labelSheetPDF, manage)
	s.navEntry(entry{order: 620, key: "label.nav", icon: "qr-code", href: "/labels", right: auth.ManageLabels})
}

// labelSchools are the schools whose labels the reader looks after.
func (n *names) labelSchools() []schoolChoice {
	var out []schoolChoice
	for _, sc := range n.places.SchoolsIn(n.r.Scope()) {
		if sc.Closed == 0 {
			out = append(out, schoolChoice{sc.ID, sc.Name, sc.Commune})
		}
	}
	return out
}

func (s *Server) labels(r *Request) error { return s.showLabels(r, http.StatusOK, nil) }

func (s *Server) showLabels(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &labelsPage{Page: Page{Title: r.T("label.title"), Lede: r.T("label.lede")}, Form: f, Address: s.site(r), Tab: r.Address.Get("tab")}
	waiting, err := s.deps.Labels.Waiting(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p.Tabs = r.TabsBy("tab", r.T("label.title"), "", r.T("label.tab.print"), "code", r.T("label.tab.code"), "waiting", r.T("label.tab.waiting"))
	if len(waiting) > 0 {
		p.Tabs.Items[2].Count = r.Int(len(waiting))
	}
	if r.Address.Get("tab") == "waiting" {
		for _, w := range waiting {
			p.Waiting = append(p.Waiting, pendingOf(r, n, w))
		}
		if len(waiting) == 0 {
			p.Empty = &EmptyState{Icon: "inbox", Title: r.T("label.waiting.none"), Text: r.T("label.waiting.none_text")}
		}
		return labelsView.show(r, status, p)
	}
	if f == nil {
		f = r.Blank("school", r.Address.Get("school"), "grid", label.Grids[0].Name)
		p.Form = f
	}
	schools := n.labelSchools()
	school := f.ID("school")
	if len(schools) == 1 {
		school = schools[0].ID
	} else {
		options := []Option{{Label: r.T("common.choose")}}
		for _, sc := range schools {
			options = append(options, Option{Value: id(sc.ID), Label: sc.Name, Group: sc.Commune})
		}
		field := f.Select("school", r.T("incident.field.school"), byGroup(options)).Plain()
		p.School = &field
	}
	if !slices.ContainsFunc(schools, func(sc schoolChoice) bool { return sc.ID == school }) {
		if school != 0 {
			return fault.New(fault.NotFound, "error.label.not_found")
		}
		return labelsView.show(r, status, p)
	}
	p.ID, p.Name = id(school), n.places.SchoolName(school)
	if r.Address.Get("tab") == "code" {
		c, err := s.deps.Labels.Code(r.Context(), r.Who, school)
		if err != nil {
			return err
		}
		if p.HasCode = c.Code != ""; p.HasCode {
			p.Code, p.CodeSet = c.Code[:3]+" "+c.Code[3:], r.Moment(c.SetAt)
		}
		return labelsView.show(r, status, p)
	}
	made, err := s.deps.Labels.Labels(r.Context(), r.Who, school)
	if err != nil {
		return err
	}
	p.list(r, n, school, made)
	p.Machine = f.Area("machines", r.T("label.machines")).Hinted(r.T("label.machines_hint"))
	p.Grid = f.Select("grid", r.T("label.grid"), gridOptions(r)).Plain()
	return labelsView.show(r, status, p)
}

// list shows each room with its label, then the other labels.
func (p *labelsPage) list(r *Request, n *names, school int64, made []label.Label) {
	ofRoom := map[int64]label.Label{}
	chosen := p.Form.All("place")
	for _, l := range made {
		if l.Room != 0 && l.Machine == "" {
			ofRoom[l.Room] = l
			continue
		}
		name := l.Machine
		if name == "" {
			name = r.T("label.whole_school")
		}
		row := labelRow{Value: "label:" + id(l.ID), Name: name, Label: id(l.ID), Note: Legend(n.places.RoomName(l.Room), r.T("label.made", "date", r.ShortDate(l.MadeAt)))}
		row.Checked = slices.Contains(chosen, row.Value)
		p.Others = append(p.Others, row)
	}
	for _, room := range n.places.Rooms(school) {
		l, has := ofRoom[room.ID]
		if room.Archived && !has {
			continue
		}
		row := labelRow{Value: "room:" + id(room.ID), Name: room.Name}
		if has {
			row.Label, row.Note = id(l.ID), r.T("label.made", "date", r.ShortDate(l.MadeAt))
		}
		row.Checked = slices.Contains(chosen, row.Value)
		p.Rooms = append(p.Rooms, row)
	}
}

func pendingOf(r *Request, n *names, w label.Pending) pendingRow {
	return pendingRow{
		ID: id(w.ID), Title: w.Title, Text: w.Description, Place: label.PlaceName(n.places, w.Place), Who: Legend(w.Name, w.Email),
		When: r.Moment(w.ReceivedAt), Expire: r.T("label.waiting.until", "when", r.DateTime(w.ExpiresAt)),
	}
}

// site is the address that printed links begin with.
func (s *Server) site(r *Request) string {
	if s.deps.Site != nil {
		if site, err := s.deps.Site(r.Context()); err == nil && site != "" {
			return site
		}
	}
	scheme := "http"
	if s.deps.Secure {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// makeLabels makes the labels chosen and shows their sheet.
func (s *Server) makeLabels(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	school := f.ID("school")
	var places []label.Place
	var ids []string
	room := int64(0)
	for _, v := range f.All("place") {
		kind, number, _ := strings.Cut(v, ":")
		n, _ := strconv.ParseInt(number, 10, 64)
		switch kind {
		case "room":
			places = append(places, label.Place{School: school, Room: n})
			room = n
		case "label":
			ids = append(ids, id(n))
		}
	}
	if f.Checked("whole") {
		places = append(places, label.Place{School: school})
	}
	// Machines stand in the room that is ticked, when one is.
	if len(f.All("place")) != 1 {
		room = 0
	}
	for line := range strings.Lines(f.Get("machines")) {
		if machine := strings.TrimSpace(line); machine != "" {
			places = append(places, label.Place{School: school, Room: room, Machine: machine})
		}
	}
	if len(places) > 0 || len(ids) == 0 {
		made, err := s.deps.Labels.Make(r.Context(), r.Who, places)
		if err != nil {
			if fault.Is(err, fault.Invalid) && f.Refused(err) {
				return s.showLabels(r, status(err), f)
			}
			return err
		}
		for _, l := range made {
			if v := id(l.ID); !slices.Contains(ids, v) {
				ids = append(ids, v)
			}
		}
	}
	return r.Redirect(Address{Path: "/labels/sheet"}.With("l", strings.Join(ids, ",")).With("grid", f.Get("grid")).String())
}

func (s *Server) setLabelCode(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if _, err := s.deps.Labels.SetCode(r.Context(), r.Who, f.ID("school")); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("label.code.set")}); err != nil {
		return err
	}
	return r.Redirect("/labels?tab=code&school=" + id(f.ID("school")))
}

// theLabel is the label of an address, with its place in words.
func (s *Server) theLabel(r *Request) (label.Label, string, error) {
	number, err := r.pathID()
	if err != nil {
		return label.Label{}, "", err
	}
	found, err := s.deps.Labels.Find(r.Context(), r.Who, []int64{number})
	if err != nil {
		return label.Label{}, "", err
	}
	n, err := r.names()
	if err != nil {
		return label.Label{}, "", err
	}
	return found[0], label.PlaceName(n.places, found[0].Place), nil
}

func (s *Server) askRevoke(r *Request) error {
	l, place, err := s.theLabel(r)
	if err != nil {
		return err
	}
	back := "/labels?school=" + id(l.School)
	return r.Confirm(Confirm{
		Title: r.T("label.revoke.title"), Text: r.T("label.revoke.text", "place", place), Verb: r.T("label.revoke.do"),
		Action: "/labels/" + id(l.ID) + "/revoke", Cancel: back, Crumbs: []Link{{Label: r.T("label.title"), Href: back}},
	})
}

func (s *Server) revokeLabel(r *Request) error {
	l, place, err := s.theLabel(r)
	if err != nil {
		return err
	}
	if err := s.deps.Labels.Revoke(r.Context(), r.Who, l.ID); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("label.revoke.done", "place", place)}); err != nil {
		return err
	}
	return r.Redirect("/labels?school=" + id(l.School))
}

func (s *Server) decideReport(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	got, err := s.deps.Labels.Decide(r.Context(), r.Who, number, f.Get("then") == "accept")
	if err != nil {
		return err
	}
	said := Notice{Text: r.T("label.waiting.refused")}
	if got.Incident != 0 {
		said = Notice{Text: r.T("label.waiting.accepted", "number", id(got.Incident)), Link: &Link{Label: r.T("declared.open"), Href: "/incidents/" + id(got.Incident)}}
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect("/labels?tab=waiting")
}
