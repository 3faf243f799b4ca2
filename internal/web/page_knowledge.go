package web

import (
	"net/http"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/knowledge"
	"statincidents/internal/sheet"
)

const knowledgePath = "/knowledge"

// knowledgePage lists the articles that the reader may open.
type knowledgePage struct {
	Page

	Bar      FilterBar
	Articles []articleRow
	Total    string
	Exports  []Link
	Empty    *EmptyState
	Missing  int // starting articles that may be added
}

// articleRow is an article in a list.
type articleRow struct {
	Title string
	Href  string
	Note  string // type, equipment
	Uses  string
	Marks []Badge
	When  Moment
}

var knowledgeView = newView[knowledgePage]("page_knowledge.html", shell)

func (s *Server) knowledgeRoutes() {
	if s.deps.Knowledge == nil {
		return
	}
	s.page("GET /knowledge", s.knowledgeList)
	s.page("GET /knowledge.csv", s.exportArticles, needs(auth.ExportData))
	s.page("GET /knowledge.xlsx", s.exportArticles, needs(auth.ExportData))
	s.page("POST /knowledge/starters", s.addStarters, needs(auth.EditKnowledge))
	s.articleRoutes()
	s.navEntry(entry{order: 260, key: "knowledge.nav", icon: "book-open", href: knowledgePath})
	s.knowledgePanels()
}

// articleFilter reads the address; what cannot be understood limits nothing.
func (r *Request) articleFilter() knowledge.Filter {
	f := knowledge.Filter{Text: r.Address.Get("q"), Audience: knowledge.Audience(r.Address.Get("audience")), State: knowledge.State(r.Address.Get("state")), Category: r.Filters().ID("category")}
	if letters := []rune(f.Text); len(letters) > 200 {
		f.Text = string(letters[:200])
	}
	if r.Address.Get("review") == "due" {
		f.ReviewDue = r.Now()
	}
	return f
}

func (s *Server) knowledgeList(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	all, err := s.deps.Knowledge.List(r.Context(), r.Who, r.articleFilter())
	if err != nil {
		return err
	}
	p := &knowledgePage{Page: Page{Title: r.T("knowledge.title"), Lede: r.T("knowledge.lede")}, Total: r.N("knowledge.total", len(all))}
	edits := r.Who.Can(auth.EditKnowledge)
	f := r.Filters()
	fields := []Field{f.Input("search", "q", r.T("common.search")), f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("knowledge.any")))}
	if r.Who.Can(auth.HandleIncident) {
		fields = append(fields, f.Select("audience", r.T("knowledge.audience"), r.audienceOptions(r.T("knowledge.any"))))
	}
	if edits {
		states := []Option{{Label: r.T("knowledge.any")}}
		for _, st := range knowledge.States {
			states = append(states, Option{Value: string(st), Label: r.T("knowledge.state." + string(st))})
		}
		fields = append(fields, f.Select("state", r.T("incident.field.state"), states),
			f.Select("review", r.T("knowledge.review"), []Option{{Label: r.T("knowledge.any")}, {Value: "due", Label: r.T("knowledge.review_due")}}))
		p.Actions = []Action{{Label: r.T("knowledge.new"), Icon: "plus", Href: knowledgePath + "/new", Primary: true, Key: "n"}}
		if p.Missing, err = s.deps.Knowledge.Missing(r.Context(), r.Who.Tenant); err != nil {
			return err
		}
	}
	p.Bar = r.FilterBar(fields)
	for k := range all {
		p.Articles = append(p.Articles, articleRowOf(r, n, &all[k]))
	}
	if r.Who.Can(auth.ExportData) && len(all) > 0 {
		p.Exports = []Link{{Label: "CSV", Href: knowledgePath + ".csv?" + r.URL.RawQuery}, {Label: "XLSX", Href: knowledgePath + ".xlsx?" + r.URL.RawQuery}}
	}
	if len(all) == 0 {
		p.Empty = &EmptyState{Icon: "book-open", Title: r.T("knowledge.empty"), Text: r.T("knowledge.empty_read")}
		switch {
		case len(p.Bar.Active) > 0:
			p.Empty.Title, p.Empty.Text, p.Empty.Action = r.T("knowledge.empty_filter"), r.T("knowledge.empty_filter_text"), &Link{Label: r.T("web.filters.clear"), Href: knowledgePath}
		case edits:
			p.Empty.Text, p.Empty.Action = r.T("knowledge.empty_write"), &Link{Label: r.T("knowledge.new"), Href: knowledgePath + "/new"}
		}
	}
	return knowledgeView.show(r, http.StatusOK, p)
}

func (r *Request) audienceOptions(empty string) []Option {
	var options []Option
	if empty != "" {
		options = append(options, Option{Label: empty})
	}
	for _, a := range knowledge.Audiences {
		options = append(options, Option{Value: string(a), Label: r.T("knowledge.audience." + string(a))})
	}
	return options
}

func articleRowOf(r *Request, n *names, a *knowledge.Article) articleRow {
	title, _ := a.In(n.lang())
	row := articleRow{Title: title, Href: knowledgePath + "/" + id(a.ID), Note: Legend(n.category(a.Category), a.Equipment), Uses: usesOf(r, a.Uses), When: r.Moment(a.Updated)}
	row.Marks = articleMarks(r, a)
	return row
}

// articleMarks are what should be known of an article before it is read.
func articleMarks(r *Request, a *knowledge.Article) []Badge {
	var marks []Badge
	switch a.State {
	case knowledge.Draft:
		marks = append(marks, Badge{Icon: "pencil", Word: r.T("knowledge.state.draft"), Tone: "planned"})
	case knowledge.Retired:
		marks = append(marks, Badge{Icon: "archive", Word: r.T("knowledge.state.retired")})
	case knowledge.Published:
	}
	if a.Audience == knowledge.Technicians {
		marks = append(marks, Badge{Icon: "lock", Word: r.T("knowledge.audience.technicians")})
	}
	if a.State == knowledge.Published && a.Review != 0 && a.Review <= calendar.DayOf(r.Now(), r.Location()) && r.Who.Can(auth.EditKnowledge) {
		marks = append(marks, Badge{Icon: "history", Word: r.T("knowledge.review_due"), Tone: "warning"})
	}
	return marks
}

// usesOf says what an article was good for, "" if nothing yet.
func usesOf(r *Request, u knowledge.Uses) string {
	var parts []string
	for _, c := range []struct {
		key string
		n   int
	}{{"knowledge.helped", u.Helped}, {"knowledge.avoided", u.Avoided}, {"knowledge.applied", u.Applied}} {
		if c.n > 0 {
			parts = append(parts, r.N(c.key, c.n))
		}
	}
	return Legend(parts...)
}

func (s *Server) exportArticles(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	all, err := s.deps.Knowledge.List(r.Context(), r.Who, r.articleFilter())
	if err != nil {
		return err
	}
	out, err := r.download("knowledge", []sheet.Column{
		{Title: r.T("incident.field.number"), Kind: sheet.Number}, {Title: r.T("knowledge.field.title"), Width: 50}, {Title: r.T("knowledge.audience"), Width: 16}, {Title: r.T("incident.field.state"), Width: 12},
		{Title: r.T("incident.field.category"), Width: 36}, {Title: r.T("knowledge.field.equipment"), Width: 20}, {Title: r.T("knowledge.field.body"), Width: 80}, {Title: r.T("knowledge.updated"), Kind: sheet.DateTime},
		{Title: r.T("knowledge.review"), Width: 14}, {Title: r.T("knowledge.use.helped"), Kind: sheet.Number}, {Title: r.T("knowledge.use.not_helped"), Kind: sheet.Number},
		{Title: r.T("knowledge.use.avoided"), Kind: sheet.Number}, {Title: r.T("knowledge.use.applied"), Kind: sheet.Number},
	})
	if err != nil {
		return err
	}
	for k := range all {
		a := &all[k]
		title, body := a.In(n.lang())
		review := ""
		if a.Review != 0 {
			review = a.Review.Time().Format(time.DateOnly)
		}
		if err := out.Row(a.ID, title, r.T("knowledge.audience."+string(a.Audience)), r.T("knowledge.state."+string(a.State)), n.category(a.Category), a.Equipment, body, a.Updated,
			review, a.Uses.Helped, a.Uses.NotHelped, a.Uses.Avoided, a.Uses.Applied); err != nil {
			return err
		}
	}
	return out.Close()
}

func (s *Server) addStarters(r *Request) error {
	added, err := s.deps.Knowledge.AddStarters(r.Context(), r.Who)
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.N("knowledge.added", added)}); err != nil {
		return err
	}
	return r.Redirect(knowledgePath)
}
