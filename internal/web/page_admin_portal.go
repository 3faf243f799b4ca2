package web

import (
	"net/http"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
)

// portalPage shows the pictures of the declaration form in their order, as
// declarants see them, and what is said of every category.
type portalPage struct {
	Page

	Preview []Option   // as on the form
	Shown   []tileRow  // in order
	Others  []tileRow  // categories that stand under another's picture
	Chosen  bool       // the département chose; else its top categories are shown
	Full    string     // said when no more can be shown
	Counts  string     // how many are shown
	Empty   EmptyState // when there is no category at all
}

// tileRow is a category with what the portal says of it.
type tileRow struct {
	Page *portalPage

	ID       string
	Path     string // address under which it is changed
	Label    string // on the picture
	Category string // path in the tree
	Icon     string
	Advice   string
	From     string // whose advice it is, when it is that of a category above
	First    bool
	Last     bool
}

// portalEditPage changes what the portal says of a category.
type portalEditPage struct {
	Page

	Form    *Form
	Shown   Field
	Words   []Field
	Icon    Field
	Advice  []Field
	Preview Option
	Say     string // the advice that is read today
	Cancel  string
}

var (
	portalView     = newView[portalPage]("page_admin_portal.html", shell)
	portalEditView = newView[portalEditPage]("page_admin_portal_edit.html", shell)
)

const portalPath = "/admin/portal"

func (s *Server) adminPortalRoutes() {
	edit := needs(auth.EditCatalog)
	s.page("GET /admin/portal", s.portal, edit)
	s.page("GET /admin/portal/{id}", s.editTile, edit)
	s.page("POST /admin/portal/{id}", s.saveTile, edit)
	s.page("POST /admin/portal/{id}/move", s.moveTile, edit)
	s.page("POST /admin/portal/{id}/show", s.showTile, edit)
	s.adminEntry(adminPart{order: 210, key: "admin.portal", icon: "layout-dashboard", href: portalPath, right: auth.EditCatalog, state: func(r *Request, n *names) ([]string, error) {
		return []string{r.N("admin.portal.count", len(n.words.Tiles()))}, nil
	}})
}

func (s *Server) portal(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &portalPage{Page: Page{Title: r.T("admin.portal.title"), Lede: r.T("admin.portal.what"), Crumbs: r.adminCrumbs()}}
	p.Preview = n.tileOptions(0)
	tiles := n.words.Tiles()
	shown := map[int64]bool{}
	for k, t := range tiles {
		row := p.row(n, t.Category)
		p.Chosen = p.Chosen || n.words.OwnTile(t.Category).Shown
		row.First, row.Last = k == 0, k == len(tiles)-1
		shown[t.Category] = true
		p.Shown = append(p.Shown, row)
	}
	for _, c := range n.words.Categories() {
		if !c.Archived && (!shown[c.ID] || !p.Chosen) {
			p.Others = append(p.Others, p.row(n, c.ID))
		}
	}
	if !p.Chosen {
		p.Shown = nil
	}
	if len(tiles) >= catalog.MaxTiles {
		p.Full = r.T("admin.portal.full", "limit", catalog.MaxTiles)
	}
	p.Counts = r.N("admin.portal.count", len(tiles))
	p.Empty = EmptyState{Icon: "tags", Title: r.T("admin.catalog.none"), Text: r.T("admin.catalog.help.category"), Action: &Link{Label: r.T("admin.catalog.add"), Icon: "plus", Href: catalogPath + "/" + categoryKind + "/new"}}
	return portalView.show(r, http.StatusOK, p)
}

func (p *portalPage) row(n *names, category int64) tileRow {
	t := n.words.Tile(category)
	row := tileRow{
		Page: p, ID: id(category), Path: portalPath + "/" + id(category), Label: t.In(n.lang()), Category: n.category(category), Icon: t.Icon,
		Advice: n.words.Advice(category, n.lang()),
	}
	if !HasIcon(row.Icon) {
		row.Icon = "circle-help"
	}
	if row.Advice != "" && n.words.OwnTile(category).AdviceIn(n.lang()) == "" {
		for _, above := range slices.Backward(n.words.Path(category)) {
			if n.words.OwnTile(above).AdviceIn(n.lang()) != "" {
				row.From = n.words.Tile(above).In(n.lang())
				break
			}
		}
	}
	return row
}

// pathTile reads the category of the address, with what is said of it.
func (r *Request) pathTile(n *names) (catalog.Category, catalog.Tile, error) {
	number, err := r.pathID()
	if err != nil {
		return catalog.Category{}, catalog.Tile{}, err
	}
	c, ok := n.words.Category(number)
	if !ok {
		return c, catalog.Tile{}, fault.New(fault.NotFound, "error.catalog.category_not_found")
	}
	t := n.words.OwnTile(number)
	t.Category = number
	return c, t, nil
}

func tileValues(t catalog.Tile) map[string]string {
	return map[string]string{"shown": ticked(t.Shown), "label": t.Label, "label_en": t.LabelEN, "icon": t.Icon, "advice": t.Advice, "advice_en": t.AdviceEN}
}

func (s *Server) editTile(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	_, t, err := r.pathTile(n)
	if err != nil {
		return err
	}
	f := r.Blank()
	for name, value := range tileValues(t) {
		f.values.Set(name, value)
	}
	return s.showTileForm(r, http.StatusOK, f)
}

func (s *Server) showTileForm(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	c, _, err := r.pathTile(n)
	if err != nil {
		return err
	}
	p := &portalEditPage{
		Page: Page{Title: n.category(c.ID), Crumbs: r.adminCrumbs(Link{Label: r.T("admin.portal.title"), Href: portalPath})},
		Form: f, Cancel: portalPath + "#tile-" + id(c.ID),
		Shown: f.Check("shown", r.T("admin.portal.shown")).Plain().Hinted(r.T("admin.portal.shown_hint")),
		Words: []Field{
			f.Text("label", r.T("admin.portal.label")).AtMost(catalog.MaxTileLabel).Example(c.Label).Hinted(r.T("admin.portal.label_hint", "label", c.Label)),
			f.Text("label_en", r.T("admin.portal.label_en")).AtMost(catalog.MaxTileLabel).Example(c.LabelEN),
		},
		Advice: []Field{
			f.Area("advice", r.T("admin.portal.advice")).AtMost(catalog.MaxAdvice).Hinted(r.T("admin.portal.advice_hint")),
			f.Area("advice_en", r.T("admin.portal.advice_en")).AtMost(catalog.MaxAdvice),
		},
		Say: n.words.Advice(c.ID, n.lang()),
	}
	options := []Option{{Label: r.T("admin.portal.icon_own")}}
	for _, name := range iconNames(f.Get("icon")) {
		options = append(options, Option{Value: name, Icon: name, Label: name})
	}
	p.Icon = f.Choices("icon", r.T("admin.catalog.icon"), options).Plain().Hinted(r.T("admin.portal.icon_hint"))
	t := n.words.Tile(c.ID)
	p.Preview = Option{Label: t.In(n.lang()), Icon: t.Icon}
	if !HasIcon(p.Preview.Icon) {
		p.Preview.Icon = "circle-help"
	}
	return portalEditView.show(r, status, p)
}

// saveTile writes what the form says; the notice puts back what stood before.
func (s *Server) saveTile(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	_, was, err := r.pathTile(n)
	if err != nil {
		return err
	}
	t := was
	t.Shown, t.Label, t.LabelEN, t.Icon, t.Advice, t.AdviceEN = f.Checked("shown"), f.Get("label"), f.Get("label_en"), f.Get("icon"), f.Get("advice"), f.Get("advice_en")
	if t.Icon != "" && !HasIcon(t.Icon) {
		err = fault.InvalidField("icon", "admin.catalog.icon_unknown")
	} else {
		t, err = s.deps.Catalog.SaveTile(r.Context(), r.Who, t)
	}
	if f.Refused(err) {
		return s.showTileForm(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.catalog.saved", "label", n.category(t.Category)), Undo: &Undo{Action: r.URL.Path, Values: tileValues(was)}}); err != nil {
		return err
	}
	return r.Redirect(portalPath + "#tile-" + id(t.Category))
}

// moveTile moves a picture by one place.
func (s *Server) moveTile(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	c, _, err := r.pathTile(n)
	if err != nil {
		return err
	}
	steps, back, said := 1, "up", "admin.portal.moved_on"
	if f.Get("to") == "up" {
		steps, back, said = -1, "down", "admin.portal.moved_back"
	}
	moved, err := s.deps.Catalog.MoveTile(r.Context(), r.Who, c.ID, steps)
	if err != nil {
		return err
	}
	if moved {
		if err := r.Say(Notice{Text: r.T(said, "label", n.words.Tile(c.ID).In(n.lang())), Undo: &Undo{Action: r.URL.Path, Values: map[string]string{"to": back}}}); err != nil {
			return err
		}
	}
	return r.Redirect(portalPath + "#tile-" + id(c.ID))
}

// showTile puts a picture on the portal, or takes it off.
func (s *Server) showTile(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	c, t, err := r.pathTile(n)
	if err != nil {
		return err
	}
	t.Shown = f.Checked("shown")
	if _, err := s.deps.Catalog.SaveTile(r.Context(), r.Who, t); err != nil {
		if fault.Is(err, fault.Invalid) && f.Refused(err) {
			if err := r.Say(Notice{Tone: "warning", Text: r.T("admin.portal.full", "limit", catalog.MaxTiles)}); err != nil {
				return err
			}
			return r.Redirect(portalPath)
		}
		return err
	}
	said := map[bool]string{true: "admin.portal.put", false: "admin.portal.taken"}[t.Shown]
	if err := r.Say(Notice{Text: r.T(said, "label", n.words.Tile(c.ID).In(n.lang())), Undo: &Undo{Action: r.URL.Path, Values: map[string]string{"shown": ticked(!t.Shown)}}}); err != nil {
		return err
	}
	return r.Redirect(portalPath + "#tile-" + id(c.ID))
}
