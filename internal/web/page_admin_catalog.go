package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// catalogPage shows the words that the département chose: the tree of
// categories, a list of codes, or the matrix of priorities.
type catalogPage struct {
	Page

	Tabs   Tabs
	Tree   []wordRow // of categories; nested
	Codes  []wordRow
	Kind   string // of the codes shown
	Add    string // where one more is made
	Help   string
	Matrix *matrixPart
	Empty  *EmptyState
}

// wordRow is a category or a code with what can be done to it.
type wordRow struct {
	Page *catalogPage // for the words of buttons

	ID       int64
	Path     string // address under which it is changed
	Label    string
	Other    string // in the other language
	Icon     string
	Count    string
	Href     string // of its incidents
	Archived bool
	First    bool
	Last     bool
	AddUnder string // where a child is made; "" at the deepest level
	Children []wordRow
}

// matrixPart is the form of the matrix: a select for each impact and urgency.
type matrixPart struct {
	Form      *Form
	Urgencies []string
	Rows      []matrixRow
}

type matrixRow struct {
	Label  string
	Fields []Field
}

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

var (
	catalogView  = newView[catalogPage]("page_admin_catalog.html", shell)
	wordEditView = newView[wordEditPage]("page_admin_catalog_edit.html", shell)
)

const catalogPath = "/admin/catalog"

func (s *Server) adminCatalogRoutes() {
	edit := needs(auth.EditCatalog)
	s.page("GET /admin/catalog", s.catalog, edit)
	s.page("GET /admin/catalog/{kind}/new", s.newWord, edit)
	s.page("POST /admin/catalog/{kind}/new", s.saveWord, edit)
	s.page("GET /admin/catalog/{kind}/{id}", s.editWord, edit)
	s.page("POST /admin/catalog/{kind}/{id}", s.saveWord, edit)
	s.page("POST /admin/catalog/{kind}/{id}/move", s.moveWord, edit)
	s.page("POST /admin/catalog/{kind}/{id}/archive", s.archiveWord, edit)
	s.page("POST /admin/catalog/matrix", s.saveMatrix, edit)
	s.adminEntry(adminPart{order: 200, key: "admin.catalog", icon: "tags", href: catalogPath, right: auth.EditCatalog, state: func(r *Request, n *names) ([]string, error) {
		kept := 0
		for _, c := range n.words.Categories() {
			if !c.Archived {
				kept++
			}
		}
		said := []string{r.N("admin.catalog.categories_count", kept)}
		for _, kind := range catalog.CodeKinds {
			said = append(said, r.N("admin.catalog.count."+string(kind), len(n.words.Codes(kind))))
		}
		return []string{Legend(said...)}, nil
	}})
}

// categoryKind is the first part of an address of a category, where codes
// have their kind.
const categoryKind = "category"

func (s *Server) catalog(r *Request) error {
	return s.showCatalog(r, http.StatusOK, nil)
}

// showCatalog shows the page; matrix is the refused form of the matrix.
func (s *Server) showCatalog(r *Request, status int, matrix *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &catalogPage{Page: Page{Title: r.T("admin.catalog.title"), Lede: r.T("admin.catalog.what"), Crumbs: r.adminCrumbs()}}
	p.Tabs = r.TabsBy("tab", r.T("admin.catalog.tabs"), categoryKind, r.T("admin.catalog.categories"),
		string(catalog.Cause), r.T("admin.catalog.cause"), string(catalog.Resolution), r.T("admin.catalog.resolution"),
		string(catalog.Waiting), r.T("admin.catalog.waiting"), "matrix", r.T("admin.catalog.matrix"))
	tab := r.Address.Get("tab")
	switch kind := catalog.CodeKind(tab); {
	case tab == "matrix" || matrix != nil:
		p.Help = r.T("admin.catalog.matrix_help")
		p.Matrix = matrixOf(r, n, matrix)
		for i := range p.Tabs.Items {
			p.Tabs.Items[i].Current = i == len(p.Tabs.Items)-1
		}
	case slices.Contains(catalog.CodeKinds, kind):
		p.Kind, p.Add, p.Help = tab, catalogPath+"/"+tab+"/new", r.T("admin.catalog.help."+tab)
		counts, err := s.wordCounts(r, kind)
		if err != nil {
			return err
		}
		p.Codes = codeRows(p, n, kind, counts)
		if len(p.Codes) == 0 {
			p.Empty = &EmptyState{Icon: "tags", Title: r.T("admin.catalog.none"), Text: p.Help, Action: &Link{Label: r.T("admin.catalog.add"), Icon: "plus", Href: p.Add}}
		}
	default:
		p.Add, p.Help = catalogPath+"/"+categoryKind+"/new", r.T("admin.catalog.help.category")
		counts, err := s.wordCounts(r, "")
		if err != nil {
			return err
		}
		p.Tree = categoryRows(p, n, 0, 1, counts)
		if len(p.Tree) == 0 {
			p.Empty = &EmptyState{Icon: "tags", Title: r.T("admin.catalog.none"), Text: p.Help, Action: &Link{Label: r.T("admin.catalog.add"), Icon: "plus", Href: p.Add}}
		}
	}
	return catalogView.show(r, status, p)
}

// wordCounts counts the incidents of every category (its children's included),
// or of every code of a kind; nil while the statistics are not ready, or for
// what they do not tell apart.
func (s *Server) wordCounts(r *Request, kind catalog.CodeKind) (map[int64]int, error) {
	dims := map[catalog.CodeKind][]cube.Dim{
		"":                 {cube.DimCategory, cube.DimCategory2, cube.DimCategory3},
		catalog.Cause:      {cube.DimCause},
		catalog.Resolution: {cube.DimResolution},
	}[kind]
	if dims == nil {
		return nil, nil //nolint:nilnil // no counts is an answer
	}
	var qs []cube.Query
	for _, d := range dims {
		qs = append(qs, cube.Query{Measures: []cube.Measure{cube.Count}, By: []cube.Dim{d}})
	}
	results, err := s.deps.Cube.RunAll(r.Context(), r.Scope(), qs)
	if fault.Is(err, fault.Unavailable) {
		return nil, nil //nolint:nilnil // no counts yet is an answer
	}
	if err != nil {
		return nil, err
	}
	counts := map[int64]int{}
	for _, res := range results {
		for _, row := range res.Rows {
			if number, err := strconv.ParseInt(row.Keys[0], 10, 64); err == nil {
				counts[number] = int(row.Values[0].V)
			}
		}
	}
	return counts, nil
}

func (r *Request) countOf(counts map[int64]int, d cube.Dim, number int64) (text, href string) {
	if counts == nil {
		return "", ""
	}
	n := counts[number]
	text = r.N("admin.catalog.incidents", n)
	if n > 0 {
		href = listAddress(cube.ListQuery{Filters: []cube.Filter{{Dim: d, In: []string{id(number)}}}}).String()
	}
	return text, href
}

var levels = []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3}

func categoryRows(p *catalogPage, n *names, parent int64, level int, counts map[int64]int) []wordRow {
	siblings := n.words.Children(parent)
	var rows []wordRow
	for i, c := range siblings {
		row := wordRow{
			Page: p, ID: c.ID, Path: catalogPath + "/" + categoryKind + "/" + id(c.ID), Label: c.In(n.lang()), Other: otherLabel(n, c.Label, c.LabelEN),
			Icon: c.Icon, Archived: c.Archived, First: i == 0, Last: i == len(siblings)-1,
		}
		if !HasIcon(row.Icon) {
			row.Icon = ""
		}
		row.Count, row.Href = n.r.countOf(counts, levels[level-1], c.ID)
		if level < catalog.MaxDepth {
			row.AddUnder = catalogPath + "/" + categoryKind + "/new?parent=" + id(c.ID)
			row.Children = categoryRows(p, n, c.ID, level+1, counts)
		}
		rows = append(rows, row)
	}
	return rows
}

// otherLabel is the label in the language that the reader does not read.
func otherLabel(n *names, french, english string) string {
	if n.lang() == "en" {
		if english == "" || english == french {
			return ""
		}
		return french
	}
	return english
}

func codeRows(p *catalogPage, n *names, kind catalog.CodeKind, counts map[int64]int) []wordRow {
	list := n.words.Codes(kind)
	dim := cube.DimCause
	if kind == catalog.Resolution {
		dim = cube.DimResolution
	}
	var rows []wordRow
	for i, c := range list {
		row := wordRow{
			Page: p, ID: c.ID, Path: catalogPath + "/" + string(kind) + "/" + id(c.ID), Label: c.In(n.lang()), Other: otherLabel(n, c.Label, c.LabelEN),
			Archived: c.Archived, First: i == 0, Last: i == len(list)-1,
		}
		row.Count, row.Href = n.r.countOf(counts, dim, c.ID)
		if kind == catalog.Waiting {
			row.Count = n.r.T("admin.catalog.pauses")
			if c.Runs {
				row.Count = n.r.T("admin.catalog.does_not_pause")
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// ticked is the value of a box.
func ticked(yes bool) string {
	if yes {
		return "1"
	}
	return ""
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

// matrixOf is the form of the matrix, filled as it stands unless it is a
// refused one.
func matrixOf(r *Request, n *names, f *Form) *matrixPart {
	m := n.words.Matrix()
	if f == nil {
		f = r.Blank()
		for i, row := range m {
			for u, priority := range row {
				f.values.Set(cellName(i, u), strconv.Itoa(priority))
			}
		}
	}
	var priorities []Option
	for priority := 1; priority <= 5; priority++ {
		priorities = append(priorities, Option{Value: strconv.Itoa(priority), Label: r.T("priority." + strconv.Itoa(priority))})
	}
	part := &matrixPart{Form: f}
	for u := range 3 {
		part.Urgencies = append(part.Urgencies, n.value(incident.FieldUrgency, u+1))
	}
	for i := range 3 {
		row := matrixRow{Label: n.value(incident.FieldImpact, i+1)}
		for u := range 3 {
			row.Fields = append(row.Fields, f.Select(cellName(i, u), r.T("admin.catalog.cell", "impact", row.Label, "urgency", part.Urgencies[u]), priorities).Plain())
		}
		part.Rows = append(part.Rows, row)
	}
	return part
}

func cellName(impact, urgency int) string { return fmt.Sprintf("m%d%d", impact+1, urgency+1) }

func (s *Server) saveMatrix(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	was := n.words.Matrix()
	var now catalog.Matrix
	undo := map[string]string{}
	var changes []string
	for i := range now {
		for u := range now[i] {
			name := cellName(i, u)
			now[i][u] = int(f.ID(name))
			undo[name] = strconv.Itoa(was[i][u])
			if now[i][u] != was[i][u] {
				changes = append(changes, r.T("admin.catalog.matrix_change",
					"impact", n.value(incident.FieldImpact, i+1), "urgency", n.value(incident.FieldUrgency, u+1),
					"from", r.T("priority."+strconv.Itoa(was[i][u])), "to", r.T("priority."+strconv.Itoa(min(max(now[i][u], 1), 5)))))
			}
		}
	}
	if len(changes) == 0 {
		if err := r.Say(Notice{Text: r.T("admin.catalog.matrix_same")}); err != nil {
			return err
		}
		return r.Redirect(catalogPath + "?tab=matrix")
	}
	err = s.deps.Catalog.SaveMatrix(r.Context(), r.Who, now)
	if f.Refused(err) {
		return s.showCatalog(r, status(err), f)
	}
	if err != nil {
		return err
	}
	open, err := s.openIncidents(r)
	if err != nil {
		return err
	}
	text := r.T("admin.catalog.matrix_saved", "changes", strings.Join(changes, " ; "))
	if r.Lang() != "fr" {
		text = r.T("admin.catalog.matrix_saved", "changes", strings.Join(changes, "; "))
	}
	if err := r.Say(Notice{Text: text + " " + r.N("admin.catalog.matrix_keep", open), Undo: &Undo{Action: catalogPath + "/matrix", Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(catalogPath + "?tab=matrix")
}

// openIncidents counts what somebody has yet to act upon; 0 while the
// statistics are not ready.
func (s *Server) openIncidents(r *Request) (int, error) {
	res, err := s.deps.Cube.Run(r.Context(), r.Scope(), cube.Query{Measures: []cube.Measure{cube.Backlog}})
	if fault.Is(err, fault.Unavailable) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int(res.Total.Values[0].V), nil
}
