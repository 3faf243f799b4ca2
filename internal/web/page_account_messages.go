package web

import (
	"net/http"

	"statincidents/internal/notify"
)

// messagesPage is where people choose which messages they get, and when.
type messagesPage struct {
	Page

	Form    *Form
	Groups  []wishGroup
	Address string // where they go, "" if nowhere
	Nobody  bool   // the account belongs to nobody of the directory
}

// wishGroup is a heading of topics with their choices.
type wishGroup struct {
	Title  string
	Topics []Field
}

var messagesView = newView[messagesPage]("page_account_messages.html", shell)

const messagesPath = "/account/messages"

func (s *Server) accountMessagesRoutes() {
	s.page("GET /account/messages", s.messages)
	s.page("POST /account/messages", s.saveMessages)
}

// wish is the choice of a topic.
func (r *Request) wish(name string, topic notify.Topic, mode notify.Mode) Field {
	var options []Option
	for _, m := range notify.ModesOf(topic) {
		options = append(options, Option{Value: string(m), Label: r.T("notify.mode." + string(m))})
	}
	return r.Blank(name, string(mode)).Select(name, r.T("notify.topic."+string(topic)), options).Plain()
}

func (s *Server) messages(r *Request) error { return s.showMessages(r, http.StatusOK, nil) }

func (s *Server) showMessages(r *Request, status int, f *Form) error {
	wishes, err := s.deps.Notify.Wishes(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &messagesPage{
		Page: Page{Title: r.T("messages.title"), Lede: r.T("messages.lede"), Crumbs: []Link{{Label: r.T("web.nav.account"), Href: "/account"}}},
		Form: f, Nobody: r.Who.Person == 0, Address: s.ownAddress(r),
	}
	for _, g := range notify.GroupsOf(r.Who.Role) {
		group := wishGroup{Title: r.T("notify.group." + g.Name)}
		for _, topic := range g.Topics {
			group.Topics = append(group.Topics, r.wish(string(topic), topic, wishes[topic].Mode))
		}
		p.Groups = append(p.Groups, group)
	}
	return messagesView.show(r, status, p)
}

func (s *Server) saveMessages(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	was, err := s.deps.Notify.Wishes(r.Context(), r.Who)
	if err != nil {
		return err
	}
	modes, undo := map[notify.Topic]notify.Mode{}, map[string]string{}
	for topic, w := range was {
		if mode := f.Get(string(topic)); mode != "" {
			modes[topic] = notify.Mode(mode)
			undo[string(topic)] = string(w.Mode)
		}
	}
	err = s.deps.Notify.SetWishes(r.Context(), r.Who, modes)
	if f.Refused(err) {
		return s.showMessages(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("web.saved"), Undo: &Undo{Action: messagesPath, Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(messagesPath)
}
