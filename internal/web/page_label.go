package web

import (
	"net/http"

	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/label"
)

// The door of QR labels: pages for people without an account.

// labelPage is the form that a label opens: the place is known.
type labelPage struct {
	Page

	Form     *Form
	Action   string
	Once     string
	School   string
	Place    string
	Category Field
	Title    Field
	More     []Field
	Email    Field
	Code     *Field // nil when the school has none
	Here     []hereLine
}

// hereLine says that something is open at the label's place, to a stranger.
type hereLine struct {
	Kind  string
	State Badge
	When  string
}

// labelDonePage says what became of a report.
type labelDonePage struct {
	Page

	Number string // once it is an incident
	Text   string
	Advice string
	Follow string
}

// labelConfirmPage asks the author of a report to say that it is theirs.
type labelConfirmPage struct {
	Page

	Action   string
	Incident string
	Place    string
}

// labelFollowPage tells how a report stands.
type labelFollowPage struct {
	Page

	State Badge
	When  string
	Moved Moment
}

var (
	labelView        = newView[labelPage]("page_label.html", door)
	labelDoneView    = newView[labelDonePage]("page_label_done.html", door)
	labelConfirmView = newView[labelConfirmPage]("page_label_confirm.html", door)
	labelFollowView  = newView[labelFollowPage]("page_label_follow.html", door)
)

// strangerBody is the largest form that a stranger may send.
const strangerBody = 32 << 10

func (s *Server) labelRoutes() {
	s.page("GET /q/{token}", s.labelForm, public())
	s.page("POST /q/{token}", s.labelSend, public(), accepts(strangerBody))
	s.page("GET /q/confirm/{token}", s.labelConfirm, public())
	s.page("POST /q/confirm/{token}", s.labelConfirmed, public(), accepts(1<<10))
	s.page("GET /q/follow/{token}", s.labelFollow, public())
}

// from is where a request comes from, for what is counted by address.
func (r *Request) from() string { return r.Server.deps.ClientAddress(r.Request) }

// outside loads the names for a reader who is not signed in.
func (r *Request) outside() (*names, error) {
	places, err := r.Server.deps.Directory.Index(r.Context(), r.Server.deps.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := r.Server.deps.Catalog.Index(r.Context(), r.Server.deps.Tenant)
	return &names{r: r, places: places, words: words}, err
}

func (s *Server) labelForm(r *Request) error {
	if err := s.deps.Labels.Look(r.Context(), r.from()); err != nil {
		return err
	}
	l, err := s.deps.Labels.Open(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if r.SignedIn && r.Who.MayDeclareIn(l.School) {
		// Somebody of the house has a better form, filled with the place.
		to := Address{Path: "/declare"}.With("school", id(l.School))
		if l.Room != 0 {
			to = to.With("room", id(l.Room))
		}
		return r.Redirect(to.With("machine", l.Machine).String())
	}
	return s.showLabel(r, http.StatusOK, l, r.Blank("once", newOnce()))
}

func (s *Server) showLabel(r *Request, status int, l label.Label, f *Form) error {
	n, err := r.outside()
	if err != nil {
		return err
	}
	p := &labelPage{
		Page: Page{Title: r.T("label.form.title")}, Form: f, Action: r.URL.Path, Once: f.Get("once"),
		School: n.places.SchoolName(l.School), Place: Legend(n.places.RoomName(l.Room), l.Machine),
		Category: f.Choices("category", r.T("declare.what"), n.tileOptions(f.ID("category"))).Plain(),
		Title:    f.Text("title", r.T("declare.sentence")).Must().AtMost(label.MaxTitle).Example(r.T("declare.sentence.example")),
		More: []Field{
			f.Area("description", r.T("declare.more.text")).AtMost(label.MaxDescription),
			f.Text("name", r.T("label.form.name")).AtMost(label.MaxName).Fill("name"),
		},
		Email: f.Input("email", "email", r.T("label.form.email")).Plain().AtMost(label.MaxEmail).Fill("email").Hinted(r.T("label.form.email_hint")),
	}
	has, err := s.deps.Labels.HasCode(r.Context(), l.School)
	if err != nil {
		return err
	}
	if has {
		c := f.Text("code", r.T("label.form.code")).Plain().AtMost(7).Hinted(r.T("label.form.code_hint"))
		c.Mode, c.Auto = "numeric", "off"
		p.Code = &c
	}
	known, err := s.deps.Labels.Here(r.Context(), l, f.ID("category"))
	if err != nil {
		return err
	}
	for _, k := range known {
		p.Here = append(p.Here, hereOf(r, n, k))
	}
	return labelView.show(r, status, p)
}

func hereOf(r *Request, n *names, k incident.Known) hereLine {
	h := hereLine{State: StateBadge(r.Printer, k.State), Kind: r.T("label.form.here_any")}
	if over := n.words.TileOver(k.Category); over != 0 {
		h.Kind = n.words.Tile(over).In(n.lang())
	}
	if k.PlannedAt.After(r.Now()) {
		h.When = r.T("declare.near.planned", "when", r.DateTime(k.PlannedAt))
	}
	return h
}

func (s *Server) labelSend(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	token := r.PathValue("token")
	l, err := s.deps.Labels.Open(r.Context(), token)
	if err != nil {
		return err
	}
	got, err := s.deps.Labels.Submit(r.Context(), token, label.Report{
		Title: f.Get("title"), Description: f.Get("description"), Category: f.ID("category"), Name: f.Get("name"), Email: f.Get("email"), Code: f.Get("code"),
		Trap: f.Get("website"), Once: f.Get("once"), Language: string(r.Lang()), From: r.from(),
	})
	if err != nil {
		if f.Refused(err) {
			return s.showLabel(r, status(err), l, f)
		}
		return err
	}
	return s.showReceipt(r, got, f.ID("category"))
}

func (s *Server) showReceipt(r *Request, got label.Receipt, category int64) error {
	n, err := r.outside()
	if err != nil {
		return err
	}
	p := &labelDonePage{Page: Page{Title: r.T("label.done.title"), Heading: r.T("declared.heading")}, Advice: n.words.Advice(category, n.lang())}
	switch {
	case got.State == label.Confirmed:
		p.Number, p.Follow = id(got.Incident), "/q/follow/"+got.Follow
		p.Text = r.T("label.done.declared")
	case got.Mailed:
		p.Title, p.Heading = r.T("label.done.mail_title"), r.T("label.done.mail_title")
		p.Text = r.T("label.done.mailed", "until", r.DateTime(got.Until))
	default:
		p.Title, p.Heading = r.T("label.done.wait_title"), r.T("label.done.wait_title")
		p.Text = r.T("label.done.waits", "until", r.DateTime(got.Until))
	}
	return labelDoneView.show(r, http.StatusOK, p)
}

func (s *Server) labelConfirm(r *Request) error {
	a, err := s.deps.Labels.Asked(r.Context(), r.PathValue("token"), r.from())
	if err != nil {
		return err
	}
	switch a.State {
	case label.Waiting:
	case label.Confirmed:
		return s.showReceipt(r, label.Receipt{State: label.Confirmed, Incident: a.Incident, Follow: a.Follow}, 0)
	default:
		return fault.New(fault.NotFound, "error.label.decided")
	}
	return labelConfirmView.show(r, http.StatusOK, &labelConfirmPage{Page: Page{Title: r.T("label.confirm.title")}, Action: r.URL.Path, Incident: a.Title, Place: a.Place})
}

func (s *Server) labelConfirmed(r *Request) error {
	got, err := s.deps.Labels.Confirm(r.Context(), r.PathValue("token"), r.from())
	if err != nil {
		return err
	}
	return s.showReceipt(r, got, 0)
}

func (s *Server) labelFollow(r *Request) error {
	at, err := s.deps.Labels.Follow(r.Context(), r.PathValue("token"), r.from())
	if err != nil {
		return err
	}
	p := &labelFollowPage{Page: Page{Title: r.T("label.follow.title")}, State: StateBadge(r.Printer, at.State), Moved: r.Moment(at.Moved)}
	switch {
	case at.Planned.After(r.Now()):
		p.When = r.T("label.follow.planned", "when", r.DateTime(at.Planned))
	case at.Due.After(r.Now()):
		p.When = r.T("label.follow.due", "when", r.DateTime(at.Due))
	case at.State.Open() && at.School:
		p.When = r.T("chain.panel.referent")
	case at.State.Open():
		p.When = r.T("label.follow.unknown")
	}
	return labelFollowView.show(r, http.StatusOK, p)
}
