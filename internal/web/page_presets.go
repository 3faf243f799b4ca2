package web

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/preset"
)

// presetsPage lists templates or macros.
type presetsPage struct {
	Page

	Tabs  Tabs
	Table Table
	Empty EmptyState
}

// presetEditPage writes one.
type presetEditPage struct {
	Page

	Path   string
	Back   string
	Kind   string
	Form   *Form
	Fields []Field
	Remove string // where it is removed
	Ready  bool   // a macro's action is chosen: its fields are there
}

var (
	presetsView    = newView[presetsPage]("page_presets.html", shell)
	presetEditView = newView[presetEditPage]("page_preset_edit.html", shell)
)

func (s *Server) presetRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("GET /presets", s.presets, handle)
	s.page("GET /presets/new", s.newPreset, handle)
	s.page("POST /presets/new", s.savePreset, handle)
	s.page("GET /presets/{id}", s.editPreset, handle)
	s.page("POST /presets/{id}", s.savePreset, handle)
	s.page("POST /presets/{id}/remove", s.removePreset, handle)
	s.page("POST /incidents/{id}/macro", s.runMacro, handle)
	s.adminEntry(adminPart{order: 260, key: "preset", icon: "zap", href: "/presets", right: auth.EditService, state: func(r *Request, _ *names) ([]string, error) {
		macros, err := s.deps.Presets.List(r.Context(), r.Who, preset.Macro)
		if err != nil {
			return nil, err
		}
		templates, err := s.deps.Presets.List(r.Context(), r.Who, preset.Template)
		return []string{Legend(r.N("preset.count.macros", len(macros)), r.N("preset.count.templates", len(templates)))}, err
	}})
	s.incidentPanel(panel{order: 100, place: panelWork, show: s.macros})
}

func (r *Request) presetKind() preset.Kind {
	if r.Address.Get("kind") == string(preset.Template) {
		return preset.Template
	}
	return preset.Macro
}

func (s *Server) presets(r *Request) error {
	kind := r.presetKind()
	all, err := s.deps.Presets.List(r.Context(), r.Who, kind)
	if err != nil {
		return err
	}
	p := &presetsPage{
		Page: Page{Title: r.T("preset.title"), Lede: r.T("preset.lede." + string(kind))},
		Tabs: r.TabsBy("kind", r.T("preset.title"), string(preset.Macro), r.T("preset.macros"), string(preset.Template), r.T("preset.templates")),
	}
	add := Link{Label: r.T("preset.new." + string(kind)), Href: "/presets/new?kind=" + string(kind), Icon: "circle-plus"}
	p.Actions = []Action{{Label: add.Label, Icon: add.Icon, Href: add.Href, Primary: true, Key: "n"}}
	p.Table = Table{Printer: r.Printer, ID: "presets", Caption: r.T("preset.title"), Hide: true, Stacked: true,
		Columns: []Column{{Label: r.T("preset.field.label"), Lead: true}, {Label: r.T("preset.does"), Wrap: true}, {Label: r.T("preset.whose")}, {Label: r.T("preset.field.key")}}}
	for _, one := range all {
		what := one.Filled.Title
		if kind == preset.Macro {
			what = r.T("incident.action." + string(one.Change.Action))
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: one.Label, Href: "/presets/" + id(one.ID)}, {Text: what}, {Text: whose(r, one)}, {Text: one.Key}}})
	}
	p.Empty = EmptyState{Icon: "zap", Title: r.T("preset.none." + string(kind)), Text: r.T("preset.teach." + string(kind)), Action: &add}
	return presetsView.show(r, http.StatusOK, p)
}

func whose(r *Request, p preset.Preset) string {
	if p.Owner == 0 {
		return r.T("preset.shared")
	}
	return r.T("preset.own")
}

func (s *Server) newPreset(r *Request) error {
	return s.showPreset(r, http.StatusOK, 0, r.presetKind(), r.Blank("action", r.Address.Get("action"), "impact", "3", "urgency", "2"))
}

func (s *Server) editPreset(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	p, err := s.deps.Presets.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	f := r.Blank("label", p.Label, "key", p.Key, "title", p.Filled.Title, "description", p.Filled.Description, "category", id(p.Filled.Category),
		"impact", strconv.Itoa(p.Filled.Impact), "urgency", strconv.Itoa(p.Filled.Urgency), "action", string(p.Change.Action), "comment", p.Change.Comment)
	if p.Owner == 0 {
		f.values.Set("shared", "1")
	}
	if p.Change.Internal {
		f.values.Set("internal", "1")
	}
	for _, field := range p.Change.Set.Fields() {
		switch v := p.Change.Set.Value(field).(type) {
		case int64:
			f.values.Set(string(field), id(v))
		case string:
			f.values.Set(string(field), v)
		}
	}
	return s.showPreset(r, http.StatusOK, number, p.Kind, f)
}

func (s *Server) showPreset(r *Request, status int, number int64, kind preset.Kind, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &presetEditPage{
		Page: Page{Title: r.T("preset.new." + string(kind)), Crumbs: []Link{{Label: r.T("preset.title"), Href: "/presets?kind=" + string(kind)}}},
		Path: "/presets/new", Back: "/presets?kind=" + string(kind), Kind: string(kind), Form: f, Ready: true,
	}
	if number != 0 {
		p.Title, p.Path, p.Remove = f.Get("label"), "/presets/"+id(number), "/presets/"+id(number)+"/remove"
	}
	label := f.Text("label", r.T("preset.field.label")).Must().AtMost(preset.MaxLabel).First()
	p.Fields = []Field{label}
	if kind == preset.Template {
		p.Fields = append(p.Fields, f.Text("title", r.T("incident.field.title")).Must().AtMost(incident.MaxTitle),
			f.Area("description", r.T("incident.field.description")).AtMost(preset.MaxText),
			f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("common.choose"))),
			f.Choices("impact", r.T("incident.field.impact"), n.levelOptions(incident.FieldImpact)),
			f.Choices("urgency", r.T("incident.field.urgency"), n.levelOptions(incident.FieldUrgency)))
	} else {
		options := []Option{{Label: r.T("common.choose")}}
		for _, a := range preset.Actions {
			options = append(options, Option{Value: string(a), Label: r.T("incident.action." + string(a))})
		}
		p.Fields = append(p.Fields, f.Select("action", r.T("preset.field.action"), options).Must())
		action := incident.Action(f.Get("action"))
		p.Ready = slices.Contains(preset.Actions, action)
		for _, field := range bulkFields(action) {
			c := n.control(f, field, incident.Incident{})
			if bulkRequired(action, field) {
				c = c.Must()
			}
			p.Fields = append(p.Fields, c)
		}
		if p.Ready {
			p.Fields = append(p.Fields, f.Check("internal", r.T("incident.internal.mark")), f.Text("key", r.T("preset.field.key")).Hinted(r.T("preset.key_hint")).AtMost(1))
		}
	}
	if r.Who.Can(auth.EditService) {
		p.Fields = append(p.Fields, f.Check("shared", r.T("preset.field.shared")))
	}
	return presetEditView.show(r, status, p)
}

// savePreset keeps a new preset or a changed one. A macro whose action was just
// chosen is shown with its fields first.
func (s *Server) savePreset(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	p := preset.Preset{Kind: preset.Kind(f.Get("kind")), Owner: r.Who.Account, Label: f.Get("label"), Key: f.Get("key")}
	if r.PathValue("id") != "" {
		if p.ID, err = r.pathID(); err != nil {
			return err
		}
		before, err := s.deps.Presets.Get(r.Context(), r.Who, p.ID)
		if err != nil {
			return err
		}
		p.Kind, p.Owner = before.Kind, before.Owner
	}
	if r.Who.Can(auth.EditService) {
		p.Owner = r.Who.Account
		if f.Checked("shared") {
			p.Owner = 0
		}
	}
	if f.Get("step") == "action" {
		return s.showPreset(r, http.StatusOK, p.ID, p.Kind, f)
	}
	if p.Kind == preset.Template {
		impact, _ := strconv.Atoi(f.Get("impact"))
		urgency, _ := strconv.Atoi(f.Get("urgency"))
		p.Filled = preset.Filled{Title: f.Get("title"), Description: f.Get("description"), Category: f.ID("category"), Impact: impact, Urgency: urgency}
	} else {
		p.Change = preset.Change{Action: incident.Action(f.Get("action")), Comment: f.Get("comment"), Internal: f.Checked("internal")}
		var fields []incident.Field
		for _, field := range bulkFields(p.Change.Action) {
			if f.Get(string(field)) != "" {
				fields = append(fields, field)
			}
		}
		p.Change.Set, err = patchOf(r, f, fields)
	}
	if err == nil {
		_, err = s.deps.Presets.Save(r.Context(), r.Who, p)
	}
	if err != nil {
		if f.Refused(err) {
			return s.showPreset(r, status(err), p.ID, p.Kind, f)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("preset.saved", "label", p.Label)}); err != nil {
		return err
	}
	return r.Redirect("/presets?kind=" + string(p.Kind))
}

func (s *Server) removePreset(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	p, err := s.deps.Presets.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	if err := s.deps.Presets.Remove(r.Context(), r.Who, number); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("preset.removed", "label", p.Label)}); err != nil {
		return err
	}
	return r.Redirect("/presets?kind=" + string(p.Kind))
}

// macrosPanel offers on an incident's page what is done in one click.
type macrosPanel struct {
	*locale.Printer

	ID     string
	Macros []macroButton
}

type macroButton struct{ ID, Label, What, Key string }

var macrosView = newFragment[macrosPanel]("panel_macros.html", "panel-macros")

func (s *Server) macros(r *Request, i incident.Incident) (template.HTML, error) {
	if !r.Who.Can(auth.HandleIncident) {
		return "", nil
	}
	all, err := s.deps.Presets.List(r.Context(), r.Who, preset.Macro)
	if err != nil {
		return "", err
	}
	p := macrosPanel{Printer: r.Printer, ID: id(i.ID)}
	possible := incident.Available(r.Who, i)
	for _, one := range all {
		if slices.ContainsFunc(possible, func(t incident.Transition) bool { return t.Action == one.Change.Action }) {
			p.Macros = append(p.Macros, macroButton{id(one.ID), one.Label, r.T("incident.action." + string(one.Change.Action)), one.Key})
		}
	}
	return macrosView.html(p)
}

// runMacro does what a macro says, in one click.
func (s *Server) runMacro(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	before, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	m, err := s.deps.Presets.Get(r.Context(), r.Who, f.ID("macro"))
	if err != nil {
		return err
	}
	if m.Kind != preset.Macro {
		return fault.New(fault.NotFound, "error.preset.not_found")
	}
	after, err := s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{Incident: number, Action: m.Change.Action, Set: m.Change.Set, Comment: m.Change.Comment, Internal: m.Change.Internal})
	if err != nil {
		if f.Refused(err) {
			return s.showIncident(r, status(err), number, string(m.Change.Action), f)
		}
		return err
	}
	done := Notice{Text: r.T("preset.done", "label", m.Label)}
	if after.Version > before.Version && m.Change.Action != incident.Comment {
		done.Undo = undoOf(after)
	}
	if err := r.Say(done); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}
