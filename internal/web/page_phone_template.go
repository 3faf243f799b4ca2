package web

import (
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/preset"
)

// phoneTemplates are what fills a call in: chosen by "/" in the sentence, or
// without script in a list.
type phoneTemplates struct {
	Label  string
	List   []phoneTemplate
	Choice Field // without script
	Chosen string
}

type phoneTemplate struct {
	ID          string
	Label       string
	Title       string
	Description string
	Category    string
	Urgency     string
	Note        string
}

func (s *Server) phoneTemplates(r *Request, n *names, f *Form) (phoneTemplates, error) {
	p := phoneTemplates{Label: r.T("phone.templates"), Chosen: f.Get("template")}
	if s.deps.Presets == nil || !r.Who.Can(auth.HandleIncident) {
		return p, nil
	}
	all, err := s.deps.Presets.List(r.Context(), r.Who, preset.Template)
	if err != nil {
		return p, err
	}
	options := []Option{{Label: r.T("phone.templates.none")}}
	for _, t := range all {
		row := phoneTemplate{ID: id(t.ID), Label: t.Label, Title: t.Filled.Title, Description: t.Filled.Description, Note: n.category(t.Filled.Category)}
		if t.Filled.Category != 0 {
			row.Category = id(t.Filled.Category)
		}
		if t.Filled.Urgency != 0 {
			row.Urgency = strconv.Itoa(t.Filled.Urgency)
		}
		p.List = append(p.List, row)
		options = append(options, Option{Value: row.ID, Label: t.Label})
	}
	p.Choice = f.Select("template", r.T("phone.templates"), options).Plain()
	return p, nil
}

// templateOf is the template that a call was filled with; none when it is gone.
func (s *Server) templateOf(r *Request, number int64) (preset.Filled, error) {
	if number <= 0 || s.deps.Presets == nil {
		return preset.Filled{}, nil
	}
	t, err := s.deps.Presets.Get(r.Context(), r.Who, number)
	if fault.Is(err, fault.NotFound) || err == nil && t.Kind != preset.Template {
		return preset.Filled{}, nil
	}
	return t.Filled, err
}

// fillCall puts what a template says into a call's form.
func (f *Form) fillCall(t preset.Filled) {
	set := func(name, value string) {
		if value != "" && value != "0" {
			f.values.Set(name, value)
		}
	}
	set("title", t.Title)
	set("description", t.Description)
	set("category", id(t.Category))
	set("urgency", strconv.Itoa(t.Urgency))
}
