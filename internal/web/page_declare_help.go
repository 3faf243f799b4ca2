package web

import (
	"html/template"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/knowledge"
	"statincidents/internal/locale"
)

// helpPart proposes articles that may make a declaration needless. It is asked
// for again as the sentence is typed.
type helpPart struct {
	*locale.Printer

	Articles []helpCard
	Read     string // the numbers proposed, sent with the form: without script they are shown once before it is sent
}

type helpCard struct {
	ID    string
	Title string
	Body  template.HTML
	Open  bool
}

// heldForHelp is why a declaration that was sent comes back: an article was not
// shown yet, not an incident already reported.
const heldForHelp = "help"

var helpFragment = newFragment[helpPart]("part_declare_help.html", "declare-help")

// declareHelp answers while the sentence is being typed.
func (s *Server) declareHelp(r *Request) error {
	f := r.Blank()
	for _, name := range []string{"category", "title"} {
		f.values.Set(name, r.Address.Get(name))
	}
	p, err := s.helpPart(r, f)
	if err != nil {
		return err
	}
	return helpFragment.show(r, p)
}

func (s *Server) helpPart(r *Request, f *Form) (helpPart, error) {
	p := helpPart{Printer: r.Printer}
	found, err := s.helps(r, f)
	if err != nil {
		return p, err
	}
	var read []string
	for k := range found {
		a := &found[k]
		title, body := a.In(string(r.Lang()))
		p.Articles = append(p.Articles, helpCard{ID: id(a.ID), Title: title, Body: rendered(body)})
		read = append(read, id(a.ID))
	}
	p.Read = strings.Join(read, " ")
	return p, nil
}

// helps are the articles that may help with what a form says so far.
func (s *Server) helps(r *Request, f *Form) ([]knowledge.Article, error) {
	text := strings.TrimSpace(f.Get("title"))
	if s.deps.Knowledge == nil || text == "" {
		return nil, nil
	}
	if runes := []rune(text); len(runes) > 500 {
		text = string(runes[:500])
	}
	return s.deps.Knowledge.Propose(r.Context(), r.Who, text, f.ID("category"))
}

// unread tells whether, in a browser without scripts, articles may help that
// the sender of a form was not shown.
func (s *Server) unread(r *Request, f *Form) (bool, error) {
	if !f.Checked("plain") {
		return false, nil
	}
	found, err := s.helps(r, f)
	read := strings.Fields(f.Get("read"))
	return slices.ContainsFunc(found, func(a knowledge.Article) bool { return !slices.Contains(read, id(a.ID)) }), err
}

// solved counts a declaration that an article made needless; nothing is
// declared. "undo" takes it back.
func (s *Server) solved(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	article := f.ID("solved")
	if f.Checked("undo") {
		if err := s.deps.Knowledge.Unmark(r.Context(), r.Who, article, knowledge.Avoided, 0); err != nil {
			return err
		}
		if err := r.Say(Notice{Text: r.T("declare.help.undone")}); err != nil {
			return err
		}
		return r.Redirect("/declare")
	}
	if err := s.deps.Knowledge.Mark(r.Context(), r.Who, article, knowledge.Avoided, 0); err != nil {
		return err
	}
	if err := r.Say(Notice{
		Text: r.T("declare.help.solved"), Link: &Link{Label: r.T("declare.help.still"), Href: "/declare"},
		Undo: &Undo{Action: "/declare/solved", Values: map[string]string{"solved": id(article), "undo": "1"}},
	}); err != nil {
		return err
	}
	return r.Redirect(knowledgePath + "/" + id(article))
}

// declareHelpRoutes adds what may make a declaration needless.
func (s *Server) declareHelpRoutes() {
	s.page("GET /declare/help", s.declareHelp, needs(auth.DeclareIncident))
	s.page("POST /declare/solved", s.solved, needs(auth.DeclareIncident), accepts(filesBody), lasts(filesTime))
}
