package web

import (
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/sheet"
	"statincidents/internal/stock"
)

// stockPage is what there is, what is short first.
type stockPage struct {
	Page

	Tabs    Tabs
	Keys    []KeyFigure
	Bar     FilterBar
	Summary string
	Table   Table
	Exports []Link
	Empty   *EmptyState
}

var stockView = newView[stockPage]("page_stock.html", shell)

func (s *Server) stockOverviewRoutes() {
	manage := needs(auth.ManageStock)
	s.page("GET /stock", s.stock, manage)
	s.page("GET /stock.csv", s.exportStock, manage)
	s.page("GET /stock.xlsx", s.exportStock, manage)
}

// shownItems are the items that the address keeps, in the order that it asks
// for: what is short first, unless it says otherwise.
func shownItems(r *Request, st *stock.Stock) []stock.Item {
	place, state := r.Filters().ID("place"), r.Address.Get("state")
	var shown []stock.Item
	for _, i := range st.Items {
		total := st.Total(i.ID)
		switch {
		case i.Archived != (state == "archived"),
			r.Address.Get("q") != "" && !matches(i.Name+" "+i.Reference+" "+i.Kind+" "+i.Supplier, r.Address.Get("q")),
			r.Address.Get("kind") != "" && i.Kind != r.Address.Get("kind"),
			place != 0 && st.At(i.ID, place) == 0,
			state == "short" && !i.Short(total):
		default:
			shown = append(shown, i)
		}
	}
	key, down := strings.CutPrefix(r.Address.Get("sort"), "-")
	slices.SortStableFunc(shown, func(a, b stock.Item) int {
		ta, tb := st.Total(a.ID), st.Total(b.ID)
		var c int
		switch key {
		case "name":
			c = r.Compare(a.Name, b.Name)
		case "kind":
			c = r.Compare(a.Kind, b.Kind)
		case "quantity":
			c = int(ta - tb)
		case "value":
			c = int(ta*a.Price - tb*b.Price)
		default:
			return rankOf(a, ta) - rankOf(b, tb)
		}
		if down {
			c = -c
		}
		return c
	})
	return shown
}

// rankOf puts what is out first, then what is short.
func rankOf(i stock.Item, total int64) int {
	switch {
	case i.Short(total) && total == 0:
		return 0
	case i.Short(total):
		return 1
	}
	return 2
}

func (s *Server) stock(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &stockPage{Page: Page{Title: r.T("stock.title"), Lede: r.T("stock.lede")}, Tabs: r.stockTabs("")}
	if len(st.Items) == 0 {
		p.Empty = &EmptyState{Icon: "package", Title: r.T("stock.empty.title"), Text: r.T("stock.empty.text"), Action: &Link{Label: r.T("stock.item.new"), Href: "/stock/items/new", Icon: "plus"}}
		p.Actions = []Action{{Label: r.T("stock.import"), Icon: "import", Href: "/stock/import"}}
		return stockView.show(r, http.StatusOK, p)
	}
	p.Actions = []Action{
		{Label: r.T("stock.receive"), Icon: "inbox", Href: "/stock/receive", Primary: true, Key: "r"},
		{Label: r.T("stock.item.new"), Icon: "plus", Href: "/stock/items/new", Key: "n"},
		{Label: r.T("stock.import"), Icon: "import", Href: "/stock/import"},
	}
	p.keys(r, st)
	f := r.Filters()
	kinds := []Option{{Label: r.T("stock.family.all")}}
	for _, i := range st.Items {
		if o := (Option{Value: i.Kind, Label: i.Kind}); i.Kind != "" && !slices.Contains(kinds, o) {
			kinds = append(kinds, o)
		}
	}
	p.Bar = r.FilterBar([]Field{
		f.Input("search", "q", r.T("stock.search")).Example(r.T("stock.search.example")),
		f.Select("kind", r.T("stock.field.kind"), kinds),
		f.Select("place", r.T("stock.field.place"), r.placeOptions(st, 0, r.T("stock.place.all"))),
		f.Select("state", r.T("stock.field.state"), []Option{{Label: r.T("stock.state.all")}, {Value: "short", Label: r.T("stock.state.short")}, {Value: "archived", Label: r.T("stock.state.archived")}}),
	}, "sort")
	shown := shownItems(r, st)
	p.Summary = r.N("stock.items", len(shown))
	p.Table = r.stockTable(st, shown)
	for _, kind := range []string{"csv", "xlsx"} {
		p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/stock." + kind).String(), Icon: "download"})
	}
	return stockView.show(r, http.StatusOK, p)
}

func (p *stockPage) keys(r *Request, st *stock.Stock) {
	var short int
	var order, value int64
	for _, i := range st.Items {
		if i.Archived {
			continue
		}
		total := st.Total(i.ID)
		value += total * i.Price
		if i.Short(total) {
			short++
			order += i.Order(total) * i.Price
		}
	}
	p.Keys = []KeyFigure{
		{Label: r.T("stock.key.short"), Value: r.Int(short), Href: "/stock?state=short", Note: r.N("stock.key.short.note", short)},
		{Label: r.T("stock.key.order"), Value: r.euros(order), Href: "/stock/receive", Note: r.T("stock.key.order.note")},
		{Label: r.T("stock.key.value"), Value: r.euros(value), Note: r.T("stock.key.value.note")},
	}
}

func (r *Request) stockTable(st *stock.Stock, shown []stock.Item) Table {
	t := Table{Printer: r.Printer, Caption: r.T("stock.title"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("stock.field.item"), Lead: true, Wrap: true, Sort: r.SortBy("name", "", "state")}, {Label: r.T("stock.field.kind"), Sort: r.SortBy("kind", "", "state")},
		{Label: r.T("stock.field.state")}, {Label: r.T("stock.field.quantity"), Num: true, Sort: r.SortBy("quantity", "", "state")}, {Label: r.T("stock.field.minimum"), Num: true},
		{Label: r.T("stock.field.places"), Wrap: true}, {Label: r.T("stock.field.value"), Num: true, Sort: r.SortBy("value", "-", "state")},
	}}
	for _, i := range shown {
		total := st.Total(i.ID)
		badge := r.levelBadge(i, total)
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: i.Name, Note: i.Reference, Href: "/stock/items/" + id(i.ID)}, {Text: i.Kind}, {Badge: &badge}, {Text: r.Int(total)}, {Text: r.Int(i.Minimum)},
			{Text: whereabouts(r, st, i.ID)}, {Text: r.euros(total * i.Price)},
		}})
	}
	return t
}

// whereabouts says how many lie where.
func whereabouts(r *Request, st *stock.Stock, item int64) string {
	var parts []string
	for _, p := range st.Places {
		if n := st.At(item, p.ID); n != 0 {
			parts = append(parts, r.T("stock.place.holds", "place", p.Name, "n", r.Int(n)))
		}
	}
	return Legend(parts...)
}

// exportStock sends the table that is shown, one column a place.
func (s *Server) exportStock(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	columns := []sheet.Column{
		{Title: r.T("stock.field.reference"), Width: 16}, {Title: r.T("stock.field.item"), Width: 40}, {Title: r.T("stock.field.kind"), Width: 20}, {Title: r.T("stock.field.unit"), Width: 10},
		{Title: r.T("stock.field.price"), Kind: sheet.Number}, {Title: r.T("stock.field.supplier"), Width: 24}, {Title: r.T("stock.field.minimum"), Kind: sheet.Number},
		{Title: r.T("stock.field.wanted"), Kind: sheet.Number}, {Title: r.T("stock.field.quantity"), Kind: sheet.Number},
	}
	var held []stock.Place
	for _, p := range st.Places {
		if !p.Archived {
			held = append(held, p)
			columns = append(columns, sheet.Column{Title: p.Name, Kind: sheet.Number, Width: 16})
		}
	}
	out, err := r.download("stock", columns)
	if err != nil {
		return err
	}
	for _, i := range shownItems(r, st) {
		cells := []any{i.Reference, i.Name, i.Kind, i.Unit, float64(i.Price) / 100, i.Supplier, i.Minimum, i.Wanted, st.Total(i.ID)}
		for _, p := range held {
			cells = append(cells, st.At(i.ID, p.ID))
		}
		if err := out.Row(cells...); err != nil {
			return err
		}
	}
	return out.Close()
}
