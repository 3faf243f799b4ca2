package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/sheet"
	"statincidents/internal/stock"
)

// stockLedgerPage is the ledger of movements.
type stockLedgerPage struct {
	Page

	Tabs    Tabs
	Bar     FilterBar
	Table   Table
	Next    string
	Exports []Link
	Empty   *EmptyState
}

// stockConsumptionPage is what was used, by month, item and school.
type stockConsumptionPage struct {
	Page

	Tabs    Tabs
	Bar     FilterBar
	Keys    []KeyFigure
	Months  ChartFrame
	Items   Table
	Schools Table
	Exports []Link
	Empty   *EmptyState
}

var (
	stockLedgerView      = newView[stockLedgerPage]("page_stock_ledger.html", shell)
	stockConsumptionView = newView[stockConsumptionPage]("page_stock_consumption.html", shell)
)

var moveIcons = map[stock.Kind]string{
	stock.Receive: "inbox", stock.Use: "package", stock.Move: "arrow-right", stock.Return: "undo-2", stock.Loss: "trash-2", stock.Count: "equal",
}

func (s *Server) stockLedgerRoutes() {
	manage := needs(auth.ManageStock)
	s.page("GET /stock/movements", s.ledger, manage)
	s.page("GET /stock/movements.csv", s.exportLedger, manage, lasts(exportTime))
	s.page("GET /stock/movements.xlsx", s.exportLedger, manage, lasts(exportTime))
	s.page("GET /stock/movements/{id}/reverse", s.confirmReverse, manage)
	s.page("POST /stock/movements/{id}/reverse", s.reverse, manage)
	s.page("GET /stock/consumption", s.consumption, manage)
	s.page("GET /stock/consumption.csv", s.exportConsumption, manage)
	s.page("GET /stock/consumption.xlsx", s.exportConsumption, manage)
}

func (r *Request) ledgerQuery() stock.LedgerQuery {
	f := r.Filters()
	q := stock.LedgerQuery{Item: f.ID("item"), Place: f.ID("place"), Kind: stock.Kind(f.Get("kind")), School: f.ID("school"), Before: f.ID("after"), Incident: f.ID("incident")}
	span := r.period()
	if span.From != 0 {
		q.From = span.From.Start(r.Location())
	}
	if span.To != 0 {
		q.To = span.To.Start(r.Location())
	}
	return q
}

// ledgerTable shows lines of the ledger; an item's own page leaves its name out.
func (r *Request) ledgerTable(st *stock.Stock, lines []stock.Movement, named bool) (Table, error) {
	n, err := r.names()
	if err != nil {
		return Table{}, err
	}
	t := Table{Printer: r.Printer, Caption: r.T("stock.ledger"), Hide: true, Stacked: true, Columns: []Column{{Label: r.T("stock.field.at"), Lead: true}, {Label: r.T("stock.field.movement")}}}
	if named {
		t.Columns = append(t.Columns, Column{Label: r.T("stock.field.item"), Wrap: true})
	}
	t.Columns = append(t.Columns, Column{Label: r.T("stock.field.quantity"), Num: true}, Column{Label: r.T("stock.field.places"), Wrap: true},
		Column{Label: r.T("stock.field.incident")}, Column{Label: r.T("stock.field.cost"), Num: true}, Column{Label: r.T("stock.field.who"), Wrap: true}, Column{Label: r.T("stock.field.undo")})
	for _, m := range lines {
		who, err := n.actor(m.By)
		if err != nil {
			return t, err
		}
		when := r.Moment(m.At)
		badge := Badge{Icon: moveIcons[m.Kind], Word: r.moveWord(m)}
		if m.Discrepancy {
			badge.Tone = "warning"
		}
		item, _ := st.Item(m.Item)
		cells := []Cell{{Moment: &when}, {Badge: &badge}}
		if named {
			cells = append(cells, Cell{Text: item.Name, Href: "/stock/items/" + id(m.Item), Aside: true})
		}
		incident := Cell{}
		if m.Incident != 0 {
			incident = Cell{Text: r.T("incident.number", "number", id(m.Incident)), Href: "/incidents/" + id(m.Incident), Aside: true, Note: n.places.SchoolName(m.School)}
		}
		undo := Cell{}
		switch {
		case m.ReversedBy != 0:
			undo.Text = r.T("stock.reversed")
		case m.Reverses == 0:
			undo = Cell{Text: r.T("stock.reverse"), Href: "/stock/movements/" + id(m.ID) + "/reverse", Aside: true}
		}
		t.Rows = append(t.Rows, TableRow{Cells: append(cells, Cell{Text: r.Int(m.Quantity)}, Cell{Text: r.way(st, m)}, incident, Cell{Text: r.euros(m.Cost())}, Cell{Text: who, Note: m.Reason}, undo)})
	}
	return t, nil
}

func (r *Request) moveWord(m stock.Movement) string {
	switch {
	case m.Reverses != 0:
		return r.T("stock.kind.reverse", "what", r.T("stock.kind.done."+string(m.Kind)))
	case m.Discrepancy:
		return r.T("stock.kind.discrepancy")
	}
	return r.T("stock.kind.done." + string(m.Kind))
}

// way says from where to where.
func (r *Request) way(st *stock.Stock, m stock.Movement) string {
	from, _ := st.Place(m.From)
	to, _ := st.Place(m.To)
	switch {
	case m.From == 0:
		return "→ " + to.Name
	case m.To == 0:
		return from.Name + " →"
	}
	return from.Name + " → " + to.Name
}

func (s *Server) ledger(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	q := r.ledgerQuery()
	q.Limit = 101
	lines, err := s.deps.Stock.Ledger(r.Context(), r.Who, q)
	if err != nil {
		return err
	}
	p := &stockLedgerPage{Page: Page{Title: r.T("stock.ledger"), Lede: r.T("stock.ledger.lede"), Crumbs: r.stockCrumbs()}, Tabs: r.stockTabs("movements")}
	f := r.Filters()
	itemOptions := []Option{{Label: r.T("stock.item.all")}}
	for _, i := range st.Items {
		itemOptions = append(itemOptions, Option{Value: id(i.ID), Label: i.Name, Group: i.Kind})
	}
	kinds := []Option{{Label: r.T("stock.kind.all")}}
	for _, k := range stock.Kinds {
		kinds = append(kinds, Option{Value: string(k), Label: r.T("stock.kind.done." + string(k))})
	}
	p.Bar = r.FilterBar([]Field{
		f.Select("item", r.T("stock.field.item"), byGroup(itemOptions)), f.Select("kind", r.T("stock.field.movement"), kinds),
		f.Select("place", r.T("stock.field.place"), r.placeOptions(st, 0, r.T("stock.place.all"))),
		f.Select("school", r.T("incident.field.school"), n.schoolOptions(r.Scope(), r.T("stock.school.all"))), r.periodField(f, r.period()),
	})
	if len(lines) > 100 {
		lines = lines[:100]
		p.Next = r.Address.With("after", id(lines[99].ID)).String()
	}
	if len(lines) == 0 {
		p.Empty = &EmptyState{Icon: "history", Title: r.T("stock.ledger.none"), Text: r.T("stock.ledger.none.text"), Action: &Link{Label: r.T("stock.receive"), Href: "/stock/receive", Icon: "inbox"}}
	}
	if p.Table, err = r.ledgerTable(st, lines, true); err != nil {
		return err
	}
	for _, kind := range []string{"csv", "xlsx"} {
		p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.Without("after").At("/stock/movements." + kind).String(), Icon: "download"})
	}
	return stockLedgerView.show(r, http.StatusOK, p)
}

func (s *Server) exportLedger(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	text := func(key string, width float64) sheet.Column {
		return sheet.Column{Title: r.T("stock.field." + key), Width: width}
	}
	number := func(key string) sheet.Column {
		return sheet.Column{Title: r.T("stock.field." + key), Kind: sheet.Number}
	}
	out, err := r.download("movements", []sheet.Column{
		{Title: r.T("stock.field.at"), Kind: sheet.DateTime}, text("movement", 20), text("reference", 16), text("item", 40), number("quantity"), text("from", 24), text("to", 24),
		number("unit_price"), number("cost"), number("incident"), {Title: r.T("incident.field.school"), Width: 30}, text("who", 24), text("reason", 40),
	})
	if err != nil {
		return err
	}
	q := r.ledgerQuery()
	q.Limit = 10_000
	for {
		lines, err := s.deps.Stock.Ledger(r.Context(), r.Who, q)
		if err != nil {
			return err
		}
		for _, m := range lines {
			who, err := n.actor(m.By)
			if err != nil {
				return err
			}
			item, _ := st.Item(m.Item)
			from, _ := st.Place(m.From)
			to, _ := st.Place(m.To)
			if err := out.Row(m.At, r.moveWord(m), item.Reference, item.Name, m.Quantity, from.Name, to.Name, float64(m.Price)/100, float64(m.Cost())/100, m.Incident, n.places.SchoolName(m.School), who, m.Reason); err != nil {
				return err
			}
		}
		if len(lines) < q.Limit {
			return out.Close()
		}
		q.Before = lines[len(lines)-1].ID
	}
}

func (s *Server) confirmReverse(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	st, m, err := s.movementOf(r, number)
	if err != nil {
		return err
	}
	item, _ := st.Item(m.Item)
	back := "/stock/movements"
	if to := r.Address.Get("back"); local(to) {
		back = to
	}
	return r.Confirm(Confirm{
		Title: r.T("stock.reverse.title"), Text: r.T("stock.reverse.text"), Facts: []string{Legend(r.moveWord(m), r.Int(m.Quantity), item.Name, r.way(st, m))},
		Verb: r.T("stock.reverse"), Action: r.URL.Path, Hidden: []Hidden{{"back", back}}, Cancel: back, Crumbs: r.stockCrumbs(Link{Label: r.T("stock.ledger"), Href: "/stock/movements"}),
	})
}

func (s *Server) movementOf(r *Request, number int64) (*stock.Stock, stock.Movement, error) {
	m, err := s.deps.Stock.Movement(r.Context(), r.Who, number)
	if err != nil {
		return nil, m, err
	}
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	return st, m, err
}

// reverse takes a movement back.
func (s *Server) reverse(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if _, err := s.deps.Stock.Reverse(r.Context(), r.Who, number); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("stock.reverse.done")}); err != nil {
		return err
	}
	back := f.Get("back")
	if !local(back) {
		back = "/stock/movements"
	}
	return r.Redirect(back)
}

// consumed is what was used in the months that the address asks for: twelve
// unless it says otherwise.
func (s *Server) consumed(r *Request) (all []stock.Consumed, from, to time.Time, err error) {
	loc, now := r.Location(), r.Now().In(r.Location())
	months, convErr := strconv.Atoi(r.Address.Get("months"))
	if convErr != nil || months < 1 || months > 60 {
		months = 12
	}
	to = time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, loc)
	from = to.AddDate(0, -months, 0)
	all, err = s.deps.Stock.Consumption(r.Context(), r.Who, from, to, loc)
	f := r.Filters()
	item, school := f.ID("item"), f.ID("school")
	all = slices.DeleteFunc(all, func(c stock.Consumed) bool {
		return item != 0 && c.Item != item || school != 0 && c.School != school
	})
	return all, from, to, err
}

func (s *Server) consumption(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	all, from, to, err := s.consumed(r)
	if err != nil {
		return err
	}
	p := &stockConsumptionPage{Page: Page{Title: r.T("stock.consumption"), Lede: r.T("stock.consumption.lede", "from", r.MonthYear(from), "to", r.MonthYear(to.AddDate(0, 0, -1))), Crumbs: r.stockCrumbs()}, Tabs: r.stockTabs("consumption")}
	f := r.Filters()
	itemOptions := []Option{{Label: r.T("stock.item.all")}}
	for _, i := range st.Items {
		itemOptions = append(itemOptions, Option{Value: id(i.ID), Label: i.Name, Group: i.Kind})
	}
	months := []Option{{Value: "12", Label: r.N("stock.months", 12)}, {Value: "6", Label: r.N("stock.months", 6)}, {Value: "24", Label: r.N("stock.months", 24)}, {Value: "36", Label: r.N("stock.months", 36)}}
	p.Bar = r.FilterBar([]Field{
		f.Select("months", r.T("stock.field.months"), months), f.Select("item", r.T("stock.field.item"), byGroup(itemOptions)), f.Select("school", r.T("incident.field.school"), n.schoolOptions(r.Scope(), r.T("stock.school.all"))),
	})
	if len(all) == 0 {
		p.Empty = &EmptyState{Icon: "chart-column", Title: r.T("stock.consumption.none"), Text: r.T("stock.consumption.none.text")}
		return stockConsumptionView.show(r, http.StatusOK, p)
	}
	var quantity, cost int64
	for _, c := range all {
		quantity, cost = quantity+c.Quantity, cost+c.Cost
	}
	p.Keys = []KeyFigure{{Label: r.T("stock.consumption.quantity"), Value: r.Int(quantity)}, {Label: r.T("stock.field.cost"), Value: r.euros(cost), Note: r.T("stock.consumption.cost.note")}}
	p.Months = consumptionChart(r, all, from, to)
	p.Items = consumptionTable(r, all, r.T("stock.field.item"), func(c stock.Consumed) (string, string) {
		i, _ := st.Item(c.Item)
		return i.Name, "/stock/items/" + id(c.Item)
	})
	p.Schools = consumptionTable(r, all, r.T("incident.field.school"), func(c stock.Consumed) (string, string) {
		if c.School == 0 {
			return r.T("stock.no_incident"), ""
		}
		return n.places.SchoolName(c.School), "/stock/movements?kind=use&period=all&school=" + id(c.School)
	})
	for _, kind := range []string{"csv", "xlsx"} {
		p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/stock/consumption." + kind).String(), Icon: "download"})
	}
	return stockConsumptionView.show(r, http.StatusOK, p)
}

func consumptionChart(r *Request, all []stock.Consumed, from, to time.Time) ChartFrame {
	series := chart.Series{Label: r.T("stock.consumption"), Category: 1}
	table := &Table{Printer: r.Printer, Caption: r.T("stock.consumption.months"), Columns: []Column{{Label: r.T("stock.field.month"), Lead: true}, {Label: r.T("stock.field.quantity"), Num: true}, {Label: r.T("stock.field.cost"), Num: true}}}
	for month := from; month.Before(to); month = month.AddDate(0, 1, 0) {
		var quantity, cost int64
		for _, c := range all {
			if c.Month.Equal(month) {
				quantity, cost = quantity+c.Quantity, cost+c.Cost
			}
		}
		series.Points = append(series.Points, chart.Point{At: month, Value: float64(quantity), Title: r.T("stock.consumption.point", "when", r.MonthYear(month), "n", r.Int(quantity), "cost", r.euros(cost))})
		table.Rows = append(table.Rows, TableRow{Cells: Cells(r.MonthYear(month), r.Int(quantity), r.euros(cost))})
	}
	c := ChartFrame{Printer: r.Printer, ID: "months", Title: r.T("stock.consumption.months"), Question: r.T("stock.consumption.question"), How: r.T("stock.consumption.how"), Table: table}
	c.Drawing = chart.Render(&chart.Columns{Head: chart.Head{ID: "months-chart", Label: c.Title, Desc: c.Question}, Period: chart.Period{From: from, To: to, Grain: chart.Month, Until: r.Now().In(r.Location())}, Series: []chart.Series{series}}, r.Printer, chart.Full)
	return c
}

// consumptionTable sums by what is said of each, the most expensive first.
func consumptionTable(r *Request, all []stock.Consumed, heading string, of func(stock.Consumed) (name, href string)) Table {
	type sum struct {
		name, href     string
		quantity, cost int64
	}
	sums := map[string]*sum{}
	for _, c := range all {
		name, href := of(c)
		s := sums[name]
		if s == nil {
			s = &sum{name: name, href: href}
			sums[name] = s
		}
		s.quantity, s.cost = s.quantity+c.Quantity, s.cost+c.Cost
	}
	list := make([]*sum, 0, len(sums))
	for _, s := range sums {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *sum) int {
		return cmp.Or(cmp.Compare(b.cost, a.cost), cmp.Compare(b.quantity, a.quantity), r.Compare(a.name, b.name))
	})
	t := Table{Printer: r.Printer, Caption: heading, Hide: true, Columns: []Column{{Label: heading, Lead: true, Wrap: true}, {Label: r.T("stock.field.quantity"), Num: true}, {Label: r.T("stock.field.cost"), Num: true}}}
	var quantity, cost int64
	for _, s := range list {
		quantity, cost = quantity+s.quantity, cost+s.cost
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{{Text: s.name, Href: s.href}, {Text: r.Int(s.quantity)}, {Text: r.euros(s.cost)}}})
	}
	t.Foot = Cells(r.T("common.total"), r.Int(quantity), r.euros(cost))
	return t
}

func (s *Server) exportConsumption(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	all, _, _, err := s.consumed(r)
	if err != nil {
		return err
	}
	out, err := r.download("consumption", []sheet.Column{
		{Title: r.T("stock.field.month"), Kind: sheet.Date}, {Title: r.T("stock.field.reference"), Width: 16}, {Title: r.T("stock.field.item"), Width: 40}, {Title: "UAI", Width: 10},
		{Title: r.T("incident.field.school"), Width: 40}, {Title: r.T("stock.field.quantity"), Kind: sheet.Number}, {Title: r.T("stock.field.cost"), Kind: sheet.Number},
	})
	if err != nil {
		return err
	}
	for _, c := range all {
		item, _ := st.Item(c.Item)
		school, _ := n.places.School(c.School)
		if err := out.Row(c.Month, item.Reference, item.Name, school.UAI, school.Name, c.Quantity, float64(c.Cost)/100); err != nil {
			return err
		}
	}
	return out.Close()
}
