package web

import (
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
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
