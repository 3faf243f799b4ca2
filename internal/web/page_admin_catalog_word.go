package web

import (
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
)

// wordEditPage makes or changes a category or a code.
type wordEditPage struct {
	Page

	Form     *Form
	Fields   []Field
	Icon     *Field
	Facts    string
	Href     string
	Cancel   string
	Archived bool
}

// wordAt reads what an address names: the kind, and what stands there (ID 0
// for a new one).
func (s *Server) wordAt(r *Request, n *names) (kind string, c catalog.Category, code catalog.Code, err error) {
	kind = r.PathValue("kind")
	if kind != categoryKind && !slices.Contains(catalog.CodeKinds, catalog.CodeKind(kind)) {
		return kind, c, code, fault.New(fault.NotFound, "error.not_found")
	}
	if r.PathValue("id") == "" {
		return kind, c, catalog.Code{Kind: catalog.CodeKind(kind)}, nil
	}
	number, err := r.pathID()
	if err != nil {
		return kind, c, code, err
	}
	var found bool
	if kind == categoryKind {
		c, found = n.words.Category(number)
	} else {
		code, found = n.words.Code(number)
		found = found && string(code.Kind) == kind
	}
	if !found {
		err = fault.New(fault.NotFound, "error.not_found")
	}
	return kind, c, code, err
}

func (s *Server) newWord(r *Request) error {
	return s.showWord(r, http.StatusOK, r.Blank("parent", r.Address.Get("parent")))
}

func (s *Server) editWord(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	kind, c, code, err := s.wordAt(r, n)
	if err != nil {
		return err
	}
	f := r.Blank("label", code.Label, "label_en", code.LabelEN, "runs", ticked(code.Runs))
	if kind == categoryKind {
		f = r.Blank("label", c.Label, "label_en", c.LabelEN, "icon", c.Icon, "parent", id(c.Parent))
	}
	return s.showWord(r, http.StatusOK, f)
}

func (s *Server) showWord(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	kind, c, code, err := s.wordAt(r, n)
	if err != nil {
		return err
	}
	tab := catalogPath + "?tab=" + kind
	p := &wordEditPage{
		Page: Page{Title: r.T("admin.catalog.new." + kind), Crumbs: r.adminCrumbs(
			Link{Label: r.T("admin.catalog.title"), Href: catalogPath}, Link{Label: r.T("admin.catalog.crumb." + kind), Href: tab})},
		Form: f, Cancel: tab,
		Fields: []Field{
			f.Text("label", r.T("admin.catalog.label")).Must().AtMost(200).First(),
			f.Text("label_en", r.T("admin.catalog.label_en")).AtMost(200).Hinted(r.T("admin.catalog.label_en_hint")),
		},
	}
	if kind == categoryKind {
		p.Fields = append(p.Fields, f.Select("parent", r.T("admin.catalog.parent"), parentOptions(n, c.ID)).Plain().Hinted(r.T("admin.catalog.parent_hint")))
		options := []Option{{Label: r.T("admin.catalog.icon_none")}}
		for _, name := range iconNames(f.Get("icon")) {
			options = append(options, Option{Value: name, Icon: name, Label: name})
		}
		icon := f.Choices("icon", r.T("admin.catalog.icon"), options).Plain().Hinted(r.T("admin.catalog.icon_hint"))
		p.Icon = &icon
	}
	if kind == string(catalog.Waiting) {
		p.Fields = append(p.Fields, f.Check("runs", r.T("admin.catalog.runs")).Plain().Hinted(r.T("admin.catalog.runs_hint")))
	}
	if label := c.Label + code.Label; label != "" {
		counts, err := s.wordCounts(r, map[bool]catalog.CodeKind{true: "", false: catalog.CodeKind(kind)}[kind == categoryKind])
		if err != nil {
			return err
		}
		p.Title = c.In(n.lang()) + code.In(n.lang())
		p.Archived = c.Archived || code.Archived
		dim := map[string]cube.Dim{string(catalog.Cause): cube.DimCause, string(catalog.Resolution): cube.DimResolution}[kind]
		if kind == categoryKind {
			dim = levels[max(0, len(n.words.Path(c.ID))-1)]
		}
		p.Facts, p.Href = r.countOf(counts, dim, c.ID+code.ID)
	}
	return wordEditView.show(r, status, p)
}

// parentOptions are the places where a category can stand: the top, and every
// category that leaves it the levels that it needs.
func parentOptions(n *names, moved int64) []Option {
	below := depthOf(n.words, moved)
	options := []Option{{Value: "0", Label: n.r.T("admin.catalog.top")}}
	for _, c := range n.words.Categories() {
		path := n.words.Path(c.ID)
		if len(path)+below > catalog.MaxDepth || moved != 0 && slices.Contains(path, moved) {
			continue
		}
		options = append(options, Option{Value: id(c.ID), Label: n.category(c.ID)})
	}
	return options
}

// depthOf is how many levels a category takes, itself included.
func depthOf(x *catalog.Index, category int64) int {
	deepest := 0
	if category != 0 {
		for _, c := range x.Children(category) {
			deepest = max(deepest, depthOf(x, c.ID))
		}
	}
	return deepest + 1
}

// iconNames lists the icons of the sprite that show a thing rather than an
// act, the one that is chosen first.
func iconNames(chosen string) []string {
	var list []string
	for name := range built.icons {
		if !strings.HasPrefix(name, "chevron") && !strings.HasPrefix(name, "arrow-") && !strings.HasPrefix(name, "panel-") && !strings.HasPrefix(name, "list") &&
			!slices.Contains([]string{"x", "menu", "ellipsis", "undo-2", "log-out", "minus", "equal", "check", "plus", "external-link", "merge"}, name) {
			list = append(list, name)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		if (a == chosen) != (b == chosen) {
			return map[bool]int{true: -1, false: 1}[a == chosen]
		}
		return strings.Compare(a, b)
	})
	return list
}

func (s *Server) saveWord(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	kind, c, code, err := s.wordAt(r, n)
	if err != nil {
		return err
	}
	isNew := r.PathValue("id") == ""
	undo := map[string]string{"label": code.Label, "label_en": code.LabelEN, "runs": ticked(code.Runs)}
	path := catalogPath + "/" + kind + "/"
	var label string
	if kind == categoryKind {
		undo = map[string]string{"label": c.Label, "label_en": c.LabelEN, "icon": c.Icon, "parent": id(c.Parent)}
		c.Label, c.LabelEN, c.Icon, c.Parent = f.Get("label"), f.Get("label_en"), f.Get("icon"), f.ID("parent")
		if c.Icon != "" && !HasIcon(c.Icon) {
			err = fault.InvalidField("icon", "admin.catalog.icon_unknown")
		} else {
			c, err = s.deps.Catalog.SaveCategory(r.Context(), r.Who, c)
		}
		label, path = c.In(n.lang()), path+id(c.ID)
	} else {
		code.Label, code.LabelEN, code.Runs = f.Get("label"), f.Get("label_en"), f.Checked("runs")
		code, err = s.deps.Catalog.SaveCode(r.Context(), r.Who, code)
		label, path = code.In(n.lang()), path+id(code.ID)
	}
	if f.Refused(err) {
		return s.showWord(r, status(err), f)
	}
	if err != nil {
		return err
	}
	notice := Notice{Text: r.T("admin.catalog.saved", "label", label), Undo: &Undo{Action: path, Values: undo}}
	if isNew {
		notice = Notice{Text: r.T("admin.catalog.added", "label", label), Undo: &Undo{Action: path + "/archive", Values: map[string]string{"archived": "1"}}}
	}
	if err := r.Say(notice); err != nil {
		return err
	}
	return r.Redirect(catalogPath + "?tab=" + kind)
}

func (s *Server) moveWord(r *Request) error {
	f, n, kind, c, code, err := s.changedWord(r)
	if err != nil {
		return err
	}
	steps := 1
	if f.Get("to") == "up" {
		steps = -1
	}
	var moved bool
	label := c.In(n.lang())
	if kind == categoryKind {
		moved, err = s.deps.Catalog.MoveCategory(r.Context(), r.Who, c.ID, steps)
	} else {
		label = code.In(n.lang())
		moved, err = s.deps.Catalog.MoveCode(r.Context(), r.Who, code.ID, steps)
	}
	if err != nil {
		return err
	}
	if moved {
		back := map[int]string{1: "up", -1: "down"}[steps]
		text := map[int]string{1: r.T("admin.catalog.moved_down", "label", label), -1: r.T("admin.catalog.moved_up", "label", label)}[steps]
		if err := r.Say(Notice{Text: text, Undo: &Undo{Action: r.URL.Path, Values: map[string]string{"to": back}}}); err != nil {
			return err
		}
	}
	return r.Redirect(catalogPath + "?tab=" + kind)
}

func (s *Server) archiveWord(r *Request) error {
	f, n, kind, c, code, err := s.changedWord(r)
	if err != nil {
		return err
	}
	archived := f.Checked("archived")
	label := c.In(n.lang())
	if kind == categoryKind {
		c.Archived = archived
		_, err = s.deps.Catalog.SaveCategory(r.Context(), r.Who, c)
	} else {
		code.Archived = archived
		label = code.In(n.lang())
		_, err = s.deps.Catalog.SaveCode(r.Context(), r.Who, code)
	}
	if err != nil {
		return err
	}
	notice := Notice{Text: r.T("admin.catalog.restored", "label", label), Undo: &Undo{Action: r.URL.Path, Values: map[string]string{"archived": "1"}}}
	if archived {
		notice = Notice{Text: r.T("admin.catalog.archived_done", "label", label), Undo: &Undo{Action: r.URL.Path, Values: map[string]string{"archived": ""}}}
	}
	if err := r.Say(notice); err != nil {
		return err
	}
	return r.Redirect(catalogPath + "?tab=" + kind)
}

func (s *Server) changedWord(r *Request) (f *Form, n *names, kind string, c catalog.Category, code catalog.Code, err error) {
	if f, err = r.Typed(); err == nil {
		if n, err = r.names(); err == nil {
			kind, c, code, err = s.wordAt(r, n)
		}
	}
	return f, n, kind, c, code, err
}
