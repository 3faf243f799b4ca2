package web

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/routing"
)

// routingPage lists the assignment rules in their order, and what they would
// have done.
type routingPage struct {
	Page

	Rows  []ruleRow
	Add   string
	Empty *EmptyState
	Try   *tryPart
	Trial string // address where the rules are tried; "" when they are
}

type ruleRow struct {
	ID          int64
	Path        string
	Name        string
	When, Then  string
	On          bool
	State       Badge
	First, Last bool
}

type tryPart struct {
	Answer string
	Note   string
	Table  Table
}

// ruleEditPage makes or changes a rule.
type ruleEditPage struct {
	Page

	Form    *Form
	Fields  []Field // name, then what is done
	Lists   []ruleList
	More    []Field
	History []string
	Path    string // of the rule; "" for a new one
}

// ruleList is a condition with many values, folded.
type ruleList struct {
	Field  Field
	Chosen string
	Open   bool
}

var (
	routingView  = newView[routingPage]("page_admin_routing.html", shell)
	ruleEditView = newView[ruleEditPage]("page_admin_routing_edit.html", shell)
)

const routingPath = "/admin/routing"

func (s *Server) adminRoutingRoutes() {
	edit := needs(auth.EditService)
	s.page("GET /admin/routing", s.routing, edit)
	s.page("GET /admin/routing/new", s.editRule, edit)
	s.page("POST /admin/routing/new", s.saveRule, edit)
	s.page("GET /admin/routing/{id}", s.editRule, edit)
	s.page("POST /admin/routing/{id}", s.saveRule, edit)
	s.page("POST /admin/routing/{id}/switch", s.switchRule, edit)
	s.page("POST /admin/routing/{id}/move", s.moveRule, edit)
	s.page("GET /admin/routing/{id}/remove", s.removeRule, edit)
	s.page("POST /admin/routing/{id}/remove", s.removeRule, edit)
	s.adminEntry(adminPart{order: 260, key: "admin.routing", icon: "arrow-right", href: routingPath, right: auth.EditService, state: func(r *Request, _ *names) ([]string, error) {
		rules, err := s.deps.Routing.Rules(r.Context(), r.Who.Tenant)
		if err != nil || len(rules) == 0 {
			return nil, err
		}
		on := 0
		for _, rule := range rules {
			if rule.On {
				on++
			}
		}
		return []string{Legend(r.N("admin.routing.count", len(rules)), r.N("admin.routing.count_on", on))}, nil
	}})
}

// triedDays is how far back the rules are tried.
const triedDays = 90

func (s *Server) routing(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	rules, err := s.deps.Routing.Rules(r.Context(), r.Who.Tenant)
	if err != nil {
		return err
	}
	p := &routingPage{Page: Page{Title: r.T("admin.routing.title"), Lede: r.T("admin.routing.what"), Crumbs: r.adminCrumbs()}, Add: routingPath + "/new"}
	for k, rule := range rules {
		row := ruleRow{ID: rule.ID, Path: routingPath + "/" + id(rule.ID), Name: rule.Name, When: r.ruleWhen(n, rule), Then: r.ruleThen(n, rule), On: rule.On, First: k == 0, Last: k == len(rules)-1}
		row.State = Badge{Icon: "minus", Word: r.T("admin.routing.off")}
		if rule.On {
			row.State = Badge{Icon: "circle-check", Word: r.T("admin.routing.on"), Tone: "good"}
		}
		p.Rows = append(p.Rows, row)
	}
	if len(rules) == 0 {
		p.Empty = &EmptyState{Icon: "arrow-right", Title: r.T("admin.routing.none"), Text: r.T("admin.routing.none_text"), Action: &Link{Label: r.T("admin.routing.add"), Icon: "plus", Href: p.Add}}
		return routingView.show(r, http.StatusOK, p)
	}
	p.Trial = routingPath + "?try=1"
	if r.Address.Get("try") != "" {
		if p.Try, err = s.tryRules(r, n); err != nil {
			return err
		}
	}
	return routingView.show(r, http.StatusOK, p)
}

func (s *Server) tryRules(r *Request, n *names) (*tryPart, error) {
	report, err := s.deps.Routing.Try(r.Context(), r.Who, r.Now().AddDate(0, 0, -triedDays))
	if err != nil {
		return nil, err
	}
	share := func(a routing.Agreement) string {
		if a.Known == 0 {
			return "–"
		}
		return r.T("admin.routing.agreement", "share", r.Pct(a.Of(), 0), "known", a.Known)
	}
	p := &tryPart{
		Answer: r.N("admin.routing.answer", report.Incidents-report.Unmet, "all", report.Incidents),
		Note:   r.T("admin.routing.note", "team", share(report.Team), "person", share(report.Person)),
		Table: Table{Printer: r.Printer, Caption: r.T("admin.routing.table"), Stacked: true, Columns: []Column{
			{Label: r.T("admin.routing.rule"), Lead: true}, {Label: r.T("admin.routing.met"), Num: true}, {Label: r.T("admin.routing.team_agrees"), Num: true},
			{Label: r.T("admin.routing.person_agrees"), Num: true}, {Label: r.T("admin.routing.examples"), Wrap: true},
		}},
	}
	if !report.Whole {
		p.Note += " " + r.T("admin.routing.capped", "max", routing.MaxTry)
	}
	for _, t := range report.Trials {
		var seen []string
		for _, i := range t.Examples {
			seen = append(seen, r.T("incident.number", "number", id(i.ID))+" "+i.Title)
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: t.Rule.Name, Note: r.ruleThen(n, t.Rule), Href: routingPath + "/" + id(t.Rule.ID)}, {Text: r.Int(t.Met)}, {Text: share(t.Team)}, {Text: share(t.Person)}, {Text: strings.Join(seen, " · ")},
		}})
	}
	p.Table.Foot = Cells(r.T("admin.service.together"), r.Int(report.Incidents-report.Unmet), share(report.Team), share(report.Person), "")
	return p, nil
}

// ruleWhen says the conditions of a rule.
func (r *Request) ruleWhen(n *names, rule routing.Rule) string {
	var said []string
	list := func(key string, names []string) {
		if len(names) == 0 {
			return
		}
		if len(names) > 3 {
			names = append(slices.Clone(names[:3]), r.N("admin.routing.more", len(names)-3))
		}
		said = append(said, r.Label(r.T(key))+strings.Join(names, ", "))
	}
	var schools, categories, priorities, origins []string
	for _, id := range rule.Schools {
		schools = append(schools, n.places.SchoolName(id))
	}
	for _, id := range rule.Categories {
		categories = append(categories, n.category(id))
	}
	for _, level := range rule.Priorities {
		priorities = append(priorities, r.T("incident.priority."+strconv.Itoa(level)))
	}
	for _, o := range rule.Origins {
		origins = append(origins, r.T("incident.origin."+string(o)))
	}
	list("incident.field.school", schools)
	list("incident.field.category", categories)
	if rule.Network != "" {
		list("incident.field.network", []string{r.T("incident.network." + string(rule.Network))})
	}
	list("incident.field.priority", priorities)
	list("incident.field.origin", origins)
	list("admin.routing.words", rule.Words)
	if len(said) == 0 {
		return r.T("admin.service.any")
	}
	return Legend(said...)
}

// ruleThen says to whom a rule gives.
func (r *Request) ruleThen(n *names, rule routing.Rule) string {
	team := n.places.TeamName(rule.Team)
	switch {
	case rule.Person != 0:
		return r.T("admin.routing.to_person", "person", n.places.PersonName(rule.Person))
	case rule.Least:
		return r.T("admin.routing.to_least", "team", team)
	}
	return r.T("admin.routing.to_team", "team", team)
}

// ruleAt reads the rule that an address names; a zero one for "new".
func (s *Server) ruleAt(r *Request) (routing.Rule, error) {
	if r.PathValue("id") == "" {
		return routing.Rule{}, nil
	}
	number, err := r.pathID()
	if err != nil {
		return routing.Rule{}, err
	}
	rules, err := s.deps.Routing.Rules(r.Context(), r.Who.Tenant)
	if err != nil {
		return routing.Rule{}, err
	}
	k := slices.IndexFunc(rules, func(rule routing.Rule) bool { return rule.ID == number })
	if k < 0 {
		return routing.Rule{}, fault.New(fault.NotFound, "error.not_found")
	}
	return rules[k], nil
}

// ruleValues is a rule as its form holds it.
func ruleValues(rule routing.Rule) map[string][]string {
	v := map[string][]string{"name": {rule.Name}, "network": {string(rule.Network)}, "words": {strings.Join(rule.Words, ", ")}}
	for _, id64 := range rule.Schools {
		v["schools"] = append(v["schools"], id(id64))
	}
	for _, id64 := range rule.Categories {
		v["categories"] = append(v["categories"], id(id64))
	}
	for _, level := range rule.Priorities {
		v["priorities"] = append(v["priorities"], strconv.Itoa(level))
	}
	for _, o := range rule.Origins {
		v["origins"] = append(v["origins"], string(o))
	}
	if rule.Team != 0 {
		v["team"] = []string{id(rule.Team)}
	}
	if rule.Person != 0 {
		v["person"] = []string{id(rule.Person)}
	}
	if rule.Least {
		v["least"] = []string{"1"}
	}
	return v
}

// typedRule reads a rule from its form.
func typedRule(f *Form, rule routing.Rule) routing.Rule {
	numbers := func(name string) (list []int64) {
		for _, v := range f.All(name) {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 && !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
		return list
	}
	rule = routing.Rule{ID: rule.ID, Name: f.Get("name"), Schools: numbers("schools"), Categories: numbers("categories"), Network: directory.Network(f.Get("network")), Team: f.ID("team"), Person: f.ID("person"), Least: f.Checked("least")}
	for _, level := range numbers("priorities") {
		rule.Priorities = append(rule.Priorities, int(min(level, 9)))
	}
	for _, o := range f.All("origins") {
		rule.Origins = append(rule.Origins, incident.Origin(o))
	}
	for w := range strings.FieldsFuncSeq(f.Get("words"), func(c rune) bool { return c == ',' || c == ';' || c == '\n' }) {
		if strings.TrimSpace(w) != "" {
			rule.Words = append(rule.Words, w)
		}
	}
	return rule
}

func (s *Server) editRule(r *Request) error {
	rule, err := s.ruleAt(r)
	if err != nil {
		return err
	}
	f := r.Blank()
	maps.Copy(f.values, ruleValues(rule))
	return s.showRule(r, http.StatusOK, rule, f)
}

func (s *Server) showRule(r *Request, code int, rule routing.Rule, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &ruleEditPage{Page: Page{Title: r.T("admin.routing.new"), Crumbs: r.adminCrumbs(Link{Label: r.T("admin.routing.title"), Href: routingPath})}, Form: f}
	teams, people := []Option{{Label: r.T("admin.routing.no_team")}}, []Option{{Label: r.T("admin.routing.no_person")}}
	for _, t := range n.places.Teams() {
		if !t.Archived || t.ID == rule.Team {
			teams = append(teams, Option{Value: id(t.ID), Label: t.Name})
		}
	}
	for _, t := range n.places.Technicians() {
		people = append(people, Option{Value: id(t.ID), Label: t.Name})
	}
	p.Fields = []Field{
		f.Text("name", r.T("admin.routing.name")).Must().AtMost(100).Example(r.T("admin.routing.name_example")),
		f.Select("team", r.T("incident.field.team"), teams).Plain(),
		f.Check("least", r.T("admin.routing.least")).Plain().Hinted(r.T("admin.routing.least_hint")),
		f.Select("person", r.T("admin.routing.person"), people).Plain().Hinted(r.T("admin.routing.person_hint")),
	}
	several := func(name, label string, options []Option) {
		c := f.Choices(name, label, options).Plain()
		c.Multiple = true
		chosen := 0
		for _, o := range c.Options {
			if o.Chosen {
				chosen++
			}
		}
		words := r.T("admin.routing.all")
		if chosen > 0 {
			words = r.N("admin.routing.chosen", chosen)
		}
		p.Lists = append(p.Lists, ruleList{Field: c, Chosen: words, Open: c.Error != ""})
	}
	var schools, categories, priorities, origins []Option
	for _, school := range n.places.Schools() {
		schools = append(schools, Option{Value: id(school.ID), Label: school.Name})
	}
	for _, c := range n.words.Categories() {
		if len(n.words.Path(c.ID)) < catalog.MaxDepth && (!c.Archived || slices.Contains(rule.Categories, c.ID)) {
			categories = append(categories, Option{Value: id(c.ID), Label: n.category(c.ID)})
		}
	}
	for level := 1; level <= 5; level++ {
		priorities = append(priorities, Option{Value: strconv.Itoa(level), Label: r.T("incident.priority." + strconv.Itoa(level))})
	}
	for _, o := range incident.Origins {
		if o != incident.Import {
			origins = append(origins, Option{Value: string(o), Label: r.T("incident.origin." + string(o))})
		}
	}
	several("schools", r.T("incident.field.school"), schools)
	several("categories", r.T("incident.field.category"), categories)
	several("priorities", r.T("incident.field.priority"), priorities)
	several("origins", r.T("incident.field.origin"), origins)
	networks := []Option{{Label: r.T("admin.routing.all")}}
	for _, network := range directory.Networks {
		networks = append(networks, Option{Value: string(network), Label: r.T("incident.network." + string(network))})
	}
	p.More = []Field{
		f.Choices("network", r.T("incident.field.network"), networks).Plain(),
		f.Text("words", r.T("admin.routing.words")).AtMost(2000).Hinted(r.T("admin.routing.words_hint")).Example(r.T("admin.routing.words_example")),
	}
	if rule.ID != 0 {
		p.Title, p.Path = rule.Name, routingPath+"/"+id(rule.ID)
		if p.History, err = s.ruleHistory(r, n, rule.ID); err != nil {
			return err
		}
	}
	return ruleEditView.show(r, code, p)
}

// shownHistory is how many changes of a rule its page tells.
const shownHistory = 20

func (s *Server) ruleHistory(r *Request, n *names, rule int64) ([]string, error) {
	history, err := s.deps.Routing.History(r.Context(), r.Who, rule)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, e := range history[:min(len(history), shownHistory)] {
		who, err := n.actor(e.Actor)
		if err != nil {
			return nil, err
		}
		state := r.T("admin.routing.off")
		if e.Rule.On {
			state = r.T("admin.routing.on")
		}
		lines = append(lines, Legend(r.DateTime(e.At), who, state, r.T("admin.routing.place", "n", e.Rule.Position), r.ruleWhen(n, e.Rule), r.ruleThen(n, e.Rule)))
	}
	return lines, nil
}

func (s *Server) saveRule(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	was, err := s.ruleAt(r)
	if err != nil {
		return err
	}
	saved, err := s.deps.Routing.Save(r.Context(), r.Who, typedRule(f, was))
	if f.Refused(err) {
		return s.showRule(r, status(err), was, f)
	}
	if err != nil {
		return err
	}
	text := r.T("admin.routing.saved", "rule", saved.Name)
	if was.ID == 0 {
		text = r.T("admin.routing.added", "rule", saved.Name)
	}
	if err := r.Say(Notice{Text: text}); err != nil {
		return err
	}
	return r.Redirect(routingPath + "?try=1")
}

func (s *Server) switchRule(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	number, err := r.pathID()
	if err != nil {
		return err
	}
	rule, err := s.deps.Routing.Switch(r.Context(), r.Who, number, f.Checked("on"))
	if err != nil {
		return err
	}
	key := "admin.routing.switched_off"
	if rule.On {
		key = "admin.routing.switched_on"
	}
	if err := r.Say(Notice{Text: r.T(key, "rule", rule.Name), Undo: &Undo{Action: r.URL.Path, Values: map[string]string{"on": ticked(!rule.On)}}}); err != nil {
		return err
	}
	return r.Redirect(routingPath)
}

func (s *Server) moveRule(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	rule, err := s.ruleAt(r)
	if err != nil {
		return err
	}
	steps, back, key := 1, "up", "admin.catalog.moved_down"
	if f.Get("to") == "up" {
		steps, back, key = -1, "down", "admin.catalog.moved_up"
	}
	moved, err := s.deps.Routing.Move(r.Context(), r.Who, rule.ID, steps)
	if err != nil {
		return err
	}
	if moved {
		if err := r.Say(Notice{Text: r.T(key, "label", rule.Name), Undo: &Undo{Action: r.URL.Path, Values: map[string]string{"to": back}}}); err != nil {
			return err
		}
	}
	return r.Redirect(routingPath)
}

func (s *Server) removeRule(r *Request) error {
	rule, err := s.ruleAt(r)
	if err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		return r.Confirm(Confirm{
			Crumbs: r.adminCrumbs(Link{Label: r.T("admin.routing.title"), Href: routingPath}), Title: r.T("admin.routing.remove_title", "rule", rule.Name),
			Text: r.T("admin.routing.remove_text"), Verb: r.T("admin.routing.remove"), Action: r.URL.Path, Cancel: routingPath,
		})
	}
	if _, err := s.deps.Routing.Remove(r.Context(), r.Who, rule.ID); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.routing.removed", "rule", rule.Name)}); err != nil {
		return err
	}
	return r.Redirect(routingPath)
}
