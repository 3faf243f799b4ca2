package web

import (
	"html/template"
	"net/http"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/knowledge"
	"statincidents/internal/locale"
)

// articlePage shows an article.
type articlePage struct {
	Page

	Address  string
	Marks    []Badge
	Body     template.HTML
	Facts    string
	Uses     string
	Version  int64
	MaySay   bool
	Turns    []articleTurn
	Editions []editionRow
	Old      string // said when a former version is shown
	Restore  *Form  // puts it back
	Source   *Link
}

// articleTurn is a change of state.
type articleTurn struct{ To, Label, Icon string }

type editionRow struct {
	What string
	Who  string
	When Moment
	Href string
}

// articleEditPage writes an article.
type articleEditPage struct {
	Page

	Form    *Form
	Fields  []Field
	Version string
	From    string // incident
	Preview template.HTML
	Cancel  string
	IsNew   bool
}

var (
	articleView     = newView[articlePage]("page_article.html", shell)
	articleEditView = newView[articleEditPage]("page_article_edit.html", shell)
)

func (s *Server) articleRoutes() {
	s.page("GET /knowledge/new", s.newArticle, needs(auth.EditKnowledge))
	s.page("POST /knowledge/new", s.saveArticle, needs(auth.EditKnowledge))
	s.page("GET /knowledge/{id}", s.article)
	s.page("POST /knowledge/{id}/use", s.useArticle)
	s.page("GET /knowledge/{id}/edit", s.editArticle, needs(auth.EditKnowledge))
	s.page("POST /knowledge/{id}/edit", s.saveArticle, needs(auth.EditKnowledge))
	s.page("POST /knowledge/{id}/turn", s.turnArticle, needs(auth.EditKnowledge))
}

// rendered is an article's body, made inert by knowledge.Render.
func rendered(body string) template.HTML {
	return template.HTML(knowledge.Render(body)) //nolint:gosec // inert: elements of text and safe links only
}

func (s *Server) article(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	a, err := s.deps.Knowledge.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &articlePage{Address: knowledgePath + "/" + id(a.ID), Version: a.Version, Uses: usesOf(r, a.Uses), MaySay: r.Who.Account != 0 && a.State == knowledge.Published}
	p.Crumbs = []Link{{Label: r.T("knowledge.title"), Href: knowledgePath}}
	shown := a
	if r.Who.Can(auth.EditKnowledge) {
		if shown, err = s.editions(r, n, p, a); err != nil {
			return err
		}
		p.Actions = []Action{{Label: r.T("incident.action.edit"), Icon: "pencil", Href: p.Address + "/edit", Key: "e"}}
		for _, t := range []articleTurn{{string(knowledge.Published), "knowledge.publish", "check"}, {string(knowledge.Draft), "knowledge.withdraw", "pencil"}, {string(knowledge.Retired), "knowledge.retire", "archive"}} {
			if t.To != string(a.State) {
				t.Label = r.T(t.Label)
				p.Turns = append(p.Turns, t)
			}
		}
	}
	title, body := shown.In(n.lang())
	p.Title, p.Body = title, rendered(body)
	p.Marks = articleMarks(r, &a)
	p.Facts = Legend(n.category(shown.Category), shown.Equipment, r.T("knowledge.updated_on", "date", r.Date(shown.Updated)))
	if a.Incident != 0 && r.Who.Can(auth.HandleIncident) {
		p.Source = &Link{Label: r.T("knowledge.from_incident", "number", id(a.Incident)), Href: "/incidents/" + id(a.Incident)}
	}
	return articleView.show(r, http.StatusOK, p)
}

// editions tells an article's history, and gives the version that is asked for.
func (s *Server) editions(r *Request, n *names, p *articlePage, a knowledge.Article) (knowledge.Article, error) {
	all, err := s.deps.Knowledge.Versions(r.Context(), r.Who, a.ID)
	if err != nil {
		return a, err
	}
	asked := r.Address.Get("version")
	shown := a
	for k := range all {
		e := &all[k]
		who, err := n.actor(e.Actor)
		if err != nil {
			return a, err
		}
		version := strconv.FormatInt(e.Version, 10)
		row := editionRow{What: r.T("knowledge.event." + e.Kind), Who: who, When: r.Moment(e.Updated)}
		if e.Version != a.Version {
			row.Href = p.Address + "?version=" + version
		}
		if asked == version && e.Version != a.Version {
			shown = e.Article
			p.Old = r.T("knowledge.old", "date", r.DateTime(e.Updated))
			p.Restore = r.Blank("audience", string(e.Audience), "title", e.Title, "title_en", e.TitleEN, "body", e.Body, "body_en", e.BodyEN,
				"category", id(e.Category), "equipment", e.Equipment, "review", dayValue(e.Review), "version", strconv.FormatInt(a.Version, 10))
			row.Href = ""
		}
		p.Editions = append(p.Editions, row)
	}
	return shown, nil
}

// Hidden lists what restoring a version sends.
func (p *articlePage) Hidden() []Hidden {
	var all []Hidden
	for _, name := range []string{"audience", "title", "title_en", "body", "body_en", "category", "equipment", "review", "version"} {
		all = append(all, Hidden{name, p.Restore.Get(name)})
	}
	return all
}

func dayValue(d calendar.Day) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// newArticle begins an article, from an incident's resolution if one is named.
func (s *Server) newArticle(r *Request) error {
	f := r.Blank("audience", string(knowledge.Technicians), "review", dayValue(r.today()+365))
	if number, err := strconv.ParseInt(r.Address.Get("incident"), 10, 64); err == nil && number > 0 {
		i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
		if err != nil {
			return err
		}
		n, err := r.names()
		if err != nil {
			return err
		}
		steps := Legend(n.words.CodeLabel(i.ResolutionCode, n.lang()))
		if i.Resolution != "" {
			steps = "1. " + i.Resolution
		}
		title, body := knowledge.FromResolution(i.Title, i.Description, n.words.CodeLabel(i.CauseCode, n.lang()), steps,
			[3]string{r.T("knowledge.symptom"), r.T("knowledge.cause"), r.T("knowledge.steps")})
		f = r.Blank("audience", string(knowledge.Technicians), "review", dayValue(r.today()+365), "title", title, "body", body, "category", id(i.Category), "incident", id(i.ID))
	}
	return s.showArticleForm(r, http.StatusOK, f, false)
}

func (s *Server) editArticle(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	a, err := s.deps.Knowledge.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	return s.showArticleForm(r, http.StatusOK, r.Blank("audience", string(a.Audience), "title", a.Title, "title_en", a.TitleEN, "body", a.Body, "body_en", a.BodyEN,
		"category", id(a.Category), "equipment", a.Equipment, "review", dayValue(a.Review), "version", strconv.FormatInt(a.Version, 10)), false)
}

func (s *Server) showArticleForm(r *Request, status int, f *Form, preview bool) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &articleEditPage{Form: f, Version: f.Get("version"), From: f.Get("incident"), Cancel: knowledgePath, IsNew: r.PathValue("id") == ""}
	p.Title = r.T("knowledge.new")
	p.Crumbs = []Link{{Label: r.T("knowledge.title"), Href: knowledgePath}}
	if !p.IsNew {
		p.Title = r.T("knowledge.edit")
		p.Cancel = knowledgePath + "/" + r.PathValue("id")
		p.Crumbs = append(p.Crumbs, Link{Label: f.Get("title"), Href: p.Cancel})
	}
	p.Fields = []Field{
		f.Text("title", r.T("knowledge.field.title")).Must().AtMost(knowledge.MaxTitle),
		f.Choices("audience", r.T("knowledge.audience"), r.audienceOptions("")).Must(),
		f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("knowledge.any"))),
		f.Text("equipment", r.T("knowledge.field.equipment")).AtMost(knowledge.MaxEquipment).Example(r.T("knowledge.field.equipment_example")),
		f.Area("body", r.T("knowledge.field.body")).Must().AtMost(knowledge.MaxBody).Hinted(r.T("knowledge.field.body_hint")),
		f.Input("date", "review", r.T("knowledge.review")).Hinted(r.T("knowledge.review_hint")),
		f.Text("title_en", r.T("knowledge.field.title_en")).AtMost(knowledge.MaxTitle),
		f.Area("body_en", r.T("knowledge.field.body_en")).AtMost(knowledge.MaxBody),
	}
	if preview {
		p.Preview = rendered(f.Get("body"))
	}
	return articleEditView.show(r, status, p)
}

// saveArticle shows what was written, or keeps it; a new one may be published
// at once.
func (s *Server) saveArticle(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if f.Checked("preview") {
		return s.showArticleForm(r, http.StatusOK, f, true)
	}
	a := knowledge.Article{
		Audience: knowledge.Audience(f.Get("audience")), Title: f.Get("title"), TitleEN: f.Get("title_en"), Body: f.Get("body"), BodyEN: f.Get("body_en"),
		Category: f.ID("category"), Equipment: f.Get("equipment"),
	}
	if r.PathValue("id") != "" {
		if a.ID, err = r.pathID(); err != nil {
			return err
		}
		a.Version, _ = strconv.ParseInt(f.Get("version"), 10, 64)
		if a.Version <= 0 {
			return s.showArticleForm(r, http.StatusUnprocessableEntity, f, false)
		}
	} else if f.Checked("publish") {
		a.State = knowledge.Published
	}
	if number := f.ID("incident"); a.ID == 0 && number > 0 {
		if _, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number); err != nil {
			return err
		}
		a.Incident = number
	}
	if day := f.Get("review"); day != "" {
		if a.Review, err = calendar.ParseDay(day); err != nil {
			err = fault.InvalidField("review", "error.field.date")
		}
	}
	if err == nil {
		a, err = s.deps.Knowledge.Save(r.Context(), r.Who, a)
	}
	if err != nil {
		if f.Refused(err) {
			return s.showArticleForm(r, status(err), f, false)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("knowledge.saved." + string(a.State))}); err != nil {
		return err
	}
	return r.Redirect(knowledgePath + "/" + id(a.ID))
}

func (s *Server) turnArticle(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	a, err := s.deps.Knowledge.Turn(r.Context(), r.Who, number, version, knowledge.State(f.Get("state")))
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("knowledge.turned." + string(a.State))}); err != nil {
		return err
	}
	return r.Redirect(knowledgePath + "/" + id(number))
}

// useArticle counts what an article was good for, and goes back where the
// reader came from: the article, or the incident that it solved.
func (s *Server) useArticle(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	use, back := knowledge.Use(f.Get("use")), knowledgePath+"/"+id(number)
	about := f.ID("incident")
	if about > 0 {
		if _, err := s.deps.Incidents.Get(r.Context(), r.Scope(), about); err != nil {
			return err
		}
		back = "/incidents/" + id(about)
	}
	if err := s.deps.Knowledge.Mark(r.Context(), r.Who, number, use, about); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("knowledge.thanks." + string(use))}); err != nil {
		return err
	}
	return r.Redirect(back)
}

// articlesPanel proposes articles beside an incident.
type articlesPanel struct {
	*locale.Printer

	Incident int64
	Articles []proposedArticle
	Write    string // where an article is made from the resolution, "" if it is not
}

type proposedArticle struct {
	Title string
	Href  string
	Use   string // where an application is counted
	Uses  string
	Body  template.HTML
}

var articlesPanelView = newFragment[articlesPanel]("panel_articles.html", "panel-articles")

func (s *Server) knowledgePanels() {
	s.incidentPanel(panel{order: 200, place: panelBeside, show: s.articlesBeside})
}

// articlesBeside proposes articles while an incident is open, and to make one
// of what solved it afterwards.
func (s *Server) articlesBeside(r *Request, i incident.Incident) (template.HTML, error) {
	p := articlesPanel{Printer: r.Printer, Incident: i.ID}
	switch {
	case i.State.Open() && r.Who.Can(auth.HandleIncident):
		found, err := s.deps.Knowledge.Propose(r.Context(), r.Who, i.Title+"\n"+i.Description, i.Category)
		if err != nil {
			return "", err
		}
		for k := range found {
			title, body := found[k].In(string(r.Lang()))
			href := knowledgePath + "/" + id(found[k].ID)
			p.Articles = append(p.Articles, proposedArticle{Title: title, Href: href, Use: href + "/use", Uses: usesOf(r, found[k].Uses), Body: rendered(body)})
		}
	case (i.State == incident.Resolved || i.State == incident.Closed) && i.ResolutionCode != 0 && r.Who.Can(auth.EditKnowledge):
		p.Write = knowledgePath + "/new?incident=" + id(i.ID)
	}
	if p.Write == "" && len(p.Articles) == 0 {
		return "", nil
	}
	return articlesPanelView.html(p)
}
