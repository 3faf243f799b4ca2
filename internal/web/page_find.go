package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/find"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/search"
	"statincidents/internal/sheet"
)

// Destination is somewhere that one can go: an incident, a school, a page, an
// action.
type Destination struct {
	Label  string
	Marked []search.Piece // the label, where it answers; nil to show it as it is
	Note   string
	Icon   string
	Href   string

	// What the page says more than the palette.
	Number  string
	Badge   *Badge
	At      *Moment
	Field   string         // where the excerpt is from
	Excerpt []search.Piece // where the words stand
}

// DestinationGroup is the destinations of one kind.
type DestinationGroup struct {
	Label string
	Items []Destination
	More  string // address of all of them, "" when they are all here
	kind  find.Kind
	next  string
	exact bool
}

// finder looks for destinations by what was typed, in the reader's scope; an
// empty query gives what is most used, or nothing.
type finder struct {
	key  string // translation key of the group's name
	find func(r *Request, query string) ([]Destination, error)
}

// findable adds a kind of destination to "go to anything" and to the search
// page, for what package find does not know: pages and actions. Pages add
// theirs in their routes, the most wanted first.
func (s *Server) findable(key string, find func(r *Request, query string) ([]Destination, error)) {
	s.finders = append(s.finders, finder{key, find})
}

type findPage struct {
	Page

	Bar     FilterBar
	Tabs    Tabs
	Asked   string
	Refused string // why the text was not looked for
	Groups  []DestinationGroup
	Pager   *Pager
	Exports []Link
	Syntax  []syntaxLine // how to ask, where nothing was or nothing was found
}

// syntaxLine is an example of a question and what it finds.
type syntaxLine struct{ Example, Href, Says string }

// goList is what the palette shows.
type goList struct {
	*locale.Printer

	Groups []DestinationGroup
	Asked  string
	All    string // address of the page with everything
}

var (
	findView = newView[findPage]("page_find.html", shell)
	goPart   = newFragment[goList]("page_find.html", "go-results")
)

func (s *Server) findRoutes() {
	s.page("GET /search", s.search)
	s.page("GET /search.csv", s.exportFound, needs(auth.ExportData), lasts(exportTime))
	s.page("GET /search.xlsx", s.exportFound, needs(auth.ExportData), lasts(exportTime))
	s.page("GET /go", s.goTo)
}

const (
	most      = 7  // of a kind of pages and actions
	inPalette = 5  // of a kind in the palette
	onPage    = 6  // of a kind beside others
	alone     = 25 // of the only kind asked
	foundMost = 5000
)

var findLooks = map[find.Kind]string{
	find.Incident: "circle-alert", find.School: "school", find.Room: "door-open", find.Machine: "monitor", find.Person: "user", find.Problem: "bug", find.Article: "book-open",
}

// looksFor reads the address: what is looked for, and within what.
func (r *Request) looksFor() find.Question {
	q := find.Question{Text: strings.TrimSpace(r.Address.Get("q")), Language: string(r.Lang()), School: r.Filters().ID("school"), After: r.Address.Get("after")}
	if k := find.Kind(r.Address.Get("kind")); slices.Contains(find.Kinds, k) {
		q.Kinds = []find.Kind{k}
	}
	switch state := r.Address.Get("state"); {
	case state == "open":
		q.States = slices.DeleteFunc(slices.Clone(incident.States), func(s incident.State) bool { return !s.Open() })
	case slices.Contains(incident.States, incident.State(state)):
		q.States = []incident.State{incident.State(state)}
	}
	if from, to, ok := span(r.Address.Get("period"), r.today()); ok && from != 0 {
		q.From, q.To = startOf(r, from), startOf(r, to)
	}
	return q
}

func startOf(r *Request, d calendar.Day) time.Time { return d.Start(r.Location()) }

// looked asks for groups of what has a name or words.
func (s *Server) looked(r *Request, q find.Question) ([]DestinationGroup, error) {
	if s.deps.Find == nil || q.Text == "" {
		return nil, nil
	}
	answer, err := s.deps.Find.Ask(r.Context(), r.Who, q)
	if err != nil {
		return nil, err
	}
	n, err := r.names()
	if err != nil {
		return nil, err
	}
	var groups []DestinationGroup
	for _, g := range answer.Groups {
		group := DestinationGroup{Label: r.T("find." + string(g.Kind)), kind: g.Kind, next: g.Next}
		for k := range g.Hits {
			group.Items = append(group.Items, r.destination(n, &g.Hits[k]))
			group.exact = group.exact || g.Hits[k].Exact
		}
		if g.More {
			group.More = r.Address.At("/search").Without("after").With("kind", string(g.Kind)).String()
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// destination says what a hit is and where it leads.
func (r *Request) destination(n *names, h *find.Hit) Destination {
	d := Destination{Marked: h.Title, Icon: findLooks[h.Kind], Excerpt: h.Snippet}
	if h.In != "" && h.Kind != find.Article {
		d.Field = r.T("find.in." + string(h.In))
	}
	if !h.At.IsZero() {
		at := r.Moment(h.At)
		d.At = &at
	}
	school := n.places.SchoolName(h.School)
	switch h.Kind {
	case find.Incident:
		badge := StateBadge(r.Printer, incident.State(h.State))
		d.Number, d.Badge = r.T("incident.number", "number", id(h.ID)), &badge
		d.Href, d.Note = "/incidents/"+id(h.ID), Legend(school, n.places.RoomName(h.Room))
	case find.School:
		d.Href, d.Note = "/schools/"+id(h.ID), h.Note
	case find.Room:
		d.Href, d.Note = "/incidents?"+url.Values{"room": {id(h.ID)}}.Encode(), school
	case find.Machine:
		d.Href = "/incidents?" + url.Values{"period": {"all"}, "q": {`"` + search.Plain(h.Title) + `"`}, "school": {id(h.School)}}.Encode()
		d.Note = Legend(school, r.N("incidents.count", h.Count))
	case find.Person:
		d.Href = "/incidents?" + url.Values{"period": {"all"}, "declarant": {id(h.ID)}}.Encode()
		d.Note = Legend(r.T("directory.person_kind."+string(h.Person)), school)
	case find.Problem:
		d.Number, d.Href = r.T("problem.number", "number", id(h.ID)), "/problems/"+id(h.ID)
		d.Note = Legend(r.T("problem.state."+h.State), r.N("incidents.count", h.Count))
	case find.Article:
		d.Href = knowledgePath + "/" + id(h.ID)
		if h.State != "published" {
			d.Note = r.T("knowledge.state." + h.State)
		}
	}
	d.Label = search.Plain(h.Title)
	return d
}

// destinations asks the finders of pages and actions.
func (s *Server) destinations(r *Request, query string) ([]DestinationGroup, error) {
	var groups []DestinationGroup
	for _, f := range s.finders {
		items, err := f.find(r, query)
		if err != nil {
			return nil, err
		}
		if len(items) > 0 {
			groups = append(groups, DestinationGroup{Label: r.T(f.key), Items: items[:min(len(items), most)]})
		}
	}
	return groups, nil
}

// askedText is what was typed, cut where nobody types on.
func (r *Request) askedText() string {
	text := []rune(strings.TrimSpace(r.Address.Get("q")))
	return strings.ToValidUTF8(string(text[:min(len(text), search.MaxQuery)]), "")
}

func (s *Server) goTo(r *Request) error {
	q := find.Question{Text: r.askedText(), Most: inPalette, Language: string(r.Lang())}
	found, err := s.looked(r, q)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	others, err := s.destinations(r, q.Text)
	if err != nil {
		return err
	}
	// A number, then pages by their names, then what was found, then actions.
	var groups []DestinationGroup
	if len(found) > 0 && found[0].exact {
		groups, found = append(groups, found[0]), found[1:]
	}
	if len(others) > 0 {
		groups = append(groups, others[0])
		others = others[1:]
	}
	groups = slices.Concat(groups, found, others)
	p := goList{Printer: r.Printer, Groups: groups, Asked: q.Text}
	if len(found) > 0 || len(groups) > 0 && q.Text != "" {
		p.All = Address{Path: "/search"}.With("q", q.Text).String()
	}
	return goPart.show(r, p)
}

func (s *Server) search(r *Request) error {
	q := r.looksFor()
	q.Most = onPage
	if len(q.Kinds) > 0 {
		q.Most = alone
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &findPage{Page: Page{Title: r.T("common.search")}, Asked: q.Text}
	if p.Groups, err = s.looked(r, q); fault.Is(err, fault.Invalid) {
		summary, fields := r.Error(err)
		p.Refused = summary
		for _, said := range fields {
			p.Refused = said
		}
	} else if err != nil {
		return err
	}
	if len(q.Kinds) == 0 && q.Text != "" {
		others, err := s.destinations(r, q.Text)
		if err != nil {
			return err
		}
		p.Groups = append(p.Groups, others...)
	}
	p.bar(r, n, q)
	if len(q.Kinds) > 0 && len(p.Groups) > 0 && p.Groups[0].next != "" || q.After != "" {
		pager := Pager{Printer: r.Printer}
		if q.After != "" {
			pager.First = r.Address.Without("after").String()
		}
		if len(p.Groups) > 0 && p.Groups[0].next != "" {
			pager.Next = r.Address.With("after", p.Groups[0].next).String()
		}
		p.Pager = &pager
	}
	if len(p.Groups) == 0 {
		p.Syntax = r.syntax()
	}
	if len(q.Kinds) > 0 {
		for k := range p.Groups {
			p.Groups[k].More = ""
		}
	}
	if r.Who.Can(auth.ExportData) && slices.ContainsFunc(p.Groups, func(g DestinationGroup) bool { return g.kind == find.Incident }) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.Without("after", "kind").At("/search." + kind).String(), Icon: "download"})
		}
	}
	return findView.show(r, http.StatusOK, p)
}

// bar is what the page narrows by: the kind, and for incidents the rest.
func (p *findPage) bar(r *Request, n *names, q find.Question) {
	f := r.Filters()
	field := f.Input("search", "q", r.T("find.text")).Example(r.T("web.go.example"))
	field.Focus = q.Text == ""
	fields := []Field{field}
	if len(n.places.SchoolsIn(r.Scope())) > 1 {
		fields = append(fields, f.Select("school", r.T("cube.dim.school"), n.schoolOptions(r.Scope(), r.T("common.all"))))
	}
	if len(q.Kinds) == 0 || q.Kinds[0] == find.Incident {
		states := []Option{{Label: r.T("common.all")}, {Value: "open", Label: r.T("find.open")}}
		for _, s := range incident.States {
			states = append(states, Option{Value: string(s), Label: r.T("state." + string(s))})
		}
		periods := []Option{{Label: r.T("period.all")}}
		for _, preset := range presets {
			if preset != "all" {
				periods = append(periods, Option{Value: preset, Label: r.T("period." + preset)})
			}
		}
		fields = append(fields, f.Select("state", r.T("incident.field.state"), states), f.Select("period", r.T("filter.period"), periods))
	}
	p.Bar = r.FilterBar(fields, "kind")
	// What is looked for is no filter that a click takes away.
	p.Bar.Active = slices.DeleteFunc(p.Bar.Active, func(c Chip) bool { return strings.HasPrefix(c.Label, r.Label(field.Label)) })
	if p.Bar.Clear != "" {
		p.Bar.Clear = r.Address.Without("school", "state", "period", "after").String()
	}
	if q.Text == "" {
		return
	}
	pairs := []string{"", r.T("find.all")}
	for _, k := range find.Kinds {
		if r.mayFind(k) {
			pairs = append(pairs, string(k), r.T("find."+string(k)))
		}
	}
	address := r.Address
	r.Address = r.Address.Without("after")
	p.Tabs = r.TabsBy("kind", r.T("find.kinds"), pairs...)
	r.Address = address
}

func (r *Request) mayFind(k find.Kind) bool {
	switch k {
	case find.School, find.Room, find.Machine:
		return r.Who.Can(auth.ViewStatistics)
	case find.Person, find.Problem:
		return r.Who.Can(auth.HandleIncident)
	}
	return true
}

// syntax teaches how to ask.
func (r *Request) syntax() []syntaxLine {
	var lines []syntaxLine
	for _, key := range []string{"number", "words", "beginning", "phrase", "place", "machine"} {
		if key == "place" && !r.Who.Can(auth.ViewStatistics) {
			continue
		}
		example := r.T("find.syntax." + key)
		lines = append(lines, syntaxLine{Example: example, Href: Address{Path: "/search"}.With("q", example).String(), Says: r.T("find.syntax." + key + ".says")})
	}
	return lines
}

// exportFound takes the incidents found away, up to a number.
func (s *Server) exportFound(r *Request) error {
	q := r.looksFor()
	q.Kinds, q.Most, q.After = []find.Kind{find.Incident}, find.MaxPage, ""
	n, err := r.names()
	if err != nil {
		return err
	}
	if _, err := s.looked(r, q); err != nil {
		return err
	}
	field := func(f incident.Field) string { return r.T("incident.field." + string(f)) }
	out, err := r.download("search", []sheet.Column{
		{Title: r.T("incident.field.number"), Kind: sheet.Number}, {Title: field(incident.FieldTitle), Width: 50}, {Title: field(incident.FieldState), Width: 14},
		{Title: field(incident.FieldSchool), Width: 32}, {Title: field(incident.FieldRoom), Width: 14}, {Title: field(incident.FieldOpenedAt), Kind: sheet.DateTime},
		{Title: r.T("find.field"), Width: 16}, {Title: r.T("find.excerpt"), Width: 60},
	})
	if err != nil {
		return err
	}
	for rows := 0; q.Text != "" && s.deps.Find != nil; {
		answer, err := s.deps.Find.Ask(r.Context(), r.Who, q)
		if err != nil {
			return err
		}
		q.After = ""
		for _, g := range answer.Groups {
			q.After = g.Next
			for _, h := range g.Hits {
				where := ""
				if h.In != "" {
					where = r.T("find.in." + string(h.In))
				}
				if err := out.Row(h.ID, search.Plain(h.Title), r.T("state."+h.State), n.places.SchoolName(h.School), n.places.RoomName(h.Room), h.At, where, search.Plain(h.Snippet)); err != nil {
					return err
				}
				rows++
			}
		}
		if q.After == "" || rows >= foundMost {
			break
		}
	}
	return out.Close()
}

// findPages offers the pages of the navigation by name.
func (s *Server) findPages() {
	s.findable("web.go.pages", func(r *Request, query string) ([]Destination, error) {
		var list []Destination
		add := func(label, icon, href string) {
			if matches(label, query) {
				list = append(list, Destination{Label: label, Icon: icon, Href: href})
			}
		}
		for _, e := range s.entries {
			if e.seenBy(r.Who) && e.href != "/account" {
				add(r.T(e.key), e.icon, e.href)
			}
		}
		add(r.T("web.nav.account"), "circle-user", "/account")
		return list, nil
	})
}

// matches tells whether each word typed begins a word of the text, whatever
// the accents and the case.
func matches(text, query string) bool {
	words := strings.FieldsFunc(fold(text), notWord)
	for _, q := range strings.FieldsFunc(fold(query), notWord) {
		found := false
		for _, w := range words {
			found = found || strings.HasPrefix(w, q)
		}
		if !found {
			return false
		}
	}
	return true
}
