package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/queue"
)

// Saved views of the list of incidents, and what is not read yet.

// savedViews is the part of the list that holds them.
type savedViews struct {
	Items []savedView
	Form  *Form // to keep the list as it is shown; nil when it is a saved one
	Name  Field
	Who   Field
	Query string
	Open  bool // the form was refused
	Now   *savedView
}

type savedView struct {
	ID      int64
	Label   string
	Href    string
	Count   string
	Note    string // who shares it
	Current bool
	Mine    bool // the reader may rename or remove it
}

func (s *Server) incidentsViewsRoutes() {
	s.page("POST /incidents/views", s.saveView)
	s.page("POST /incidents/views/{id}/remove", s.removeView)
	s.page("POST /incidents/read", s.readAll)
}

// reader is who asks, with the team in which they work.
func (r *Request) reader(n *names) queue.Reader {
	who := queue.Reader{Identity: r.Who}
	if p, ok := n.places.Person(r.Who.Person); ok {
		who.Team = p.Team
	}
	return who
}

// plainQuery is a list's address without what is not part of a view.
func plainQuery(a Address) string {
	return strings.TrimPrefix(a.Without("after", "saved", "lang").At("").String(), "?")
}

// countedViews bounds how many views are counted for one page.
const countedViews = 20

// savedViews tells the reader's views; f is a refused form, or nil.
func (r *Request) savedViews(n *names, f *Form) (*savedViews, error) {
	who := r.reader(n)
	all, err := r.Server.deps.Queue.Views(r.Context(), who)
	if err != nil {
		return nil, err
	}
	now := plainQuery(r.Address)
	part := &savedViews{Query: now, Form: f, Open: f != nil}
	for k, v := range all {
		row := savedView{ID: v.ID, Label: v.Name, Href: "/incidents?" + v.Query, Current: v.Query == now, Mine: who.MayChange(v)}
		if v.Owner != r.Who.Account {
			row.Note = r.audienceWord(n, v)
		}
		if k < countedViews {
			if row.Count, err = r.countView(v); err != nil {
				return nil, err
			}
		}
		part.Items = append(part.Items, row)
		if row.Current {
			part.Now = &part.Items[len(part.Items)-1]
		}
	}
	if part.Form == nil {
		part.Form = r.Blank("audience", string(queue.Own))
	}
	part.Name = part.Form.Text("name", r.T("queue.view.name")).Must().AtMost(queue.MaxName)
	part.Name.ID = "view-name"
	part.Who = part.Form.Choices("audience", r.T("queue.view.audience"), r.audiences(n, who)).Plain()
	part.Who.ID = "view-audience"
	return part, nil
}

// countView is how many incidents a view holds for the reader, "" when it
// cannot be said now.
func (r *Request) countView(v queue.View) (string, error) {
	values, err := url.ParseQuery(v.Query)
	if err != nil {
		return "", nil //nolint:nilerr // a view of a former version: it opens, and says what it no longer knows
	}
	q, err := cube.DecodeList(values, ownParams...)
	if err != nil {
		return "", nil //nolint:nilerr // the same
	}
	if values.Get("period") != "" && values.Get("period") != "all" {
		return "", nil // counted when it is opened
	}
	q.Limit = 1
	page, err := r.Server.deps.Cube.List(r.Context(), r.Scope(), q)
	if err != nil {
		if c := fault.CodeOf(err); c == fault.Unavailable || c == fault.Invalid {
			return "", nil
		}
		return "", err
	}
	return r.Int(page.Total), nil
}

func (r *Request) audienceWord(n *names, v queue.View) string {
	switch v.Audience {
	case queue.Team:
		return n.places.TeamName(v.Target)
	case queue.School:
		return n.places.SchoolName(v.Target)
	case queue.Own, queue.Unit:
	}
	return r.T("queue.audience." + string(v.Audience))
}

// audiences are with whom the reader may share.
func (r *Request) audiences(n *names, who queue.Reader) []Option {
	options := []Option{{Value: string(queue.Own), Label: r.T("queue.audience.own"), Icon: "lock"}}
	if who.Can(auth.HandleIncident) {
		if who.Team != 0 {
			options = append(options, Option{Value: string(queue.Team) + ":" + id(who.Team), Label: n.places.TeamName(who.Team), Icon: "users"})
		}
		options = append(options, Option{Value: string(queue.Unit), Label: r.T("queue.audience.unit"), Icon: "users"})
	}
	if schools, ok := r.Scope().Schools(); ok {
		for _, school := range schools {
			options = append(options, Option{Value: string(queue.School) + ":" + id(school), Label: n.places.SchoolName(school), Icon: "school"})
		}
	} else if school, err := strconv.ParseInt(r.Address.Get("school"), 10, 64); err == nil && r.Scope().SeesSchool(school) {
		options = append(options, Option{Value: string(queue.School) + ":" + id(school), Label: r.T("queue.audience.school", "school", n.places.SchoolName(school)), Icon: "school"})
	}
	for i := range options {
		options[i].Chosen = i == 0
	}
	return options
}

func (s *Server) saveView(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	audience, target, _ := strings.Cut(f.Get("audience"), ":")
	v := queue.View{ID: f.ID("view"), Name: f.Get("name"), Query: f.Get("query"), Audience: queue.Audience(audience)}
	v.Target, _ = strconv.ParseInt(target, 10, 64)
	saved, err := s.deps.Queue.SaveView(r.Context(), r.reader(n), v)
	if f.Refused(err) {
		// The list is shown as it was, with the form above it.
		query, _ := url.ParseQuery(v.Query)
		r.Address = Address{Path: "/incidents"}.withValues(query)
		r.URL.RawQuery = query.Encode()
		return s.showIncidents(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("queue.view.saved", "name", saved.Name), Undo: &Undo{Action: "/incidents/views/" + id(saved.ID) + "/remove"}}); err != nil {
		return err
	}
	return r.Redirect("/incidents?" + saved.Query)
}

func (s *Server) removeView(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	v, err := s.deps.Queue.RemoveView(r.Context(), r.reader(n), number)
	if err != nil {
		return err
	}
	audience := string(v.Audience)
	if v.Target != 0 {
		audience += ":" + id(v.Target)
	}
	undo := &Undo{Action: "/incidents/views", Values: map[string]string{"name": v.Name, "query": v.Query, "audience": audience}}
	if err := r.Say(Notice{Text: r.T("queue.view.removed", "name", v.Name), Undo: undo}); err != nil {
		return err
	}
	return r.Redirect("/incidents?" + v.Query)
}

// readAll takes the marks of what is not read away, or puts them back ("since").
func (s *Server) readAll(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	back := f.Get("back")
	if since := f.Get("since"); since != "" {
		at, err := time.Parse(time.RFC3339Nano, since)
		if err != nil {
			return fault.InvalidField("since", "error.field.date")
		}
		if err := s.deps.Queue.ReadSince(r.Context(), r.Who, at); err != nil {
			return err
		}
		return r.Redirect(back)
	}
	was, err := s.deps.Queue.ReadAll(r.Context(), r.Who)
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("queue.read_all.done"), Undo: &Undo{Action: "/incidents/read", Values: map[string]string{"since": was.Format(time.RFC3339Nano), "back": back}}}); err != nil {
		return err
	}
	return r.Redirect(back)
}

// markWord says what somebody has not read.
func (r *Request) markWord(m queue.Mark) string {
	if m == queue.Known {
		return ""
	}
	return r.T("queue.mark." + string(m))
}
