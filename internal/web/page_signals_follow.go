package web

import (
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/notify"
	"statincidents/internal/signal"
)

// followPage is where a person says which signals they want to be told of, and
// how soon.
type followPage struct {
	Page

	Form   *Form
	Mode   Field
	Groups []followGroup
	Nobody bool
}

// followGroup is some boxes under a heading; none ticked is all.
type followGroup struct {
	Name   string
	Legend string
	Hint   string
	Boxes  []followBox
}

type followBox struct {
	ID, Value, Label string
	Chosen           bool
}

var followView = newView[followPage]("page_signals_follow.html", shell)

func (s *Server) followSignals(r *Request) error {
	wish, err := s.deps.Signals.WishOf(r.Context(), r.Who.Person)
	if err != nil {
		return err
	}
	return s.showFollow(r, http.StatusOK, nil, wish)
}

func (s *Server) showFollow(r *Request, status int, f *Form, wish signal.Wish) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	wishes, err := s.deps.Notify.Wishes(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &followPage{Page: Page{Title: r.T("signal.follow"), Lede: r.T("signal.follow.lede"), Crumbs: []Link{{Label: r.T("signal.title"), Href: "/signals"}}}, Form: f, Nobody: r.Who.Person == 0}
	if f == nil {
		f = r.Blank("mode", string(wishes[notify.TopicSignal].Mode))
	}
	var modes []Option
	for _, m := range notify.ModesOf(notify.TopicSignal) {
		modes = append(modes, Option{Value: string(m), Label: r.T("notify.mode." + string(m))})
	}
	p.Mode = f.Choices("mode", r.T("signal.follow.mode"), modes).Must()
	methods := followGroup{Name: "method", Legend: r.T("signal.follow.methods"), Hint: r.T("signal.follow.all")}
	for _, m := range signal.Methods {
		methods.add(string(m), r.T("signal.method."+string(m)), slices.Contains(wish.Methods, m))
	}
	categories := followGroup{Name: "category", Legend: r.T("signal.follow.categories"), Hint: r.T("signal.follow.all")}
	for _, c := range n.words.Children(0) {
		if !c.Archived {
			categories.add(id(c.ID), n.category(c.ID), slices.Contains(wish.Categories, c.ID))
		}
	}
	p.Groups = []followGroup{methods, categories}
	if schools := n.places.SchoolsIn(r.Scope()); len(schools) > 1 {
		group := followGroup{Name: "school", Legend: r.T("signal.follow.schools"), Hint: r.T("signal.follow.all")}
		for _, school := range schools {
			group.add(id(school.ID), school.Name, slices.Contains(wish.Schools, school.ID))
		}
		p.Groups = append(p.Groups, group)
	}
	return followView.show(r, status, p)
}

func (g *followGroup) add(value, label string, chosen bool) {
	g.Boxes = append(g.Boxes, followBox{ID: g.Name + "-" + value, Value: value, Label: label, Chosen: chosen})
}

func (s *Server) saveFollowSignals(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	var wish signal.Wish
	for _, m := range f.All("method") {
		wish.Methods = append(wish.Methods, signal.Method(m))
	}
	number := func(name string) []int64 {
		var list []int64
		for _, v := range f.All(name) {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
				list = append(list, n)
			}
		}
		return list
	}
	wish.Categories, wish.Schools = number("category"), number("school")
	mode := notify.Mode(f.Get("mode"))
	if mode == "" {
		err = requiredField("mode")
	} else if err = s.deps.Signals.Subscribe(r.Context(), r.Who, wish); err == nil {
		err = s.deps.Notify.SetWishes(r.Context(), r.Who, map[notify.Topic]notify.Mode{notify.TopicSignal: mode})
	}
	if f.Refused(err) {
		return s.showFollow(r, status(err), f, wish)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("web.saved")}); err != nil {
		return err
	}
	return r.Redirect("/signals/follow")
}
