package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/fault"
	"statincidents/internal/stock"
)

// stockItemPage is one item: how it stands, its course, its ledger, and what
// may be done with it.
type stockItemPage struct {
	Page

	Item   stock.Item
	Level  Badge
	Facts  []fact
	Keys   []KeyFigure
	Places Table
	Course *ChartFrame
	Acts   []actionForm
	Ledger Table
	More   string // address of the whole ledger
	Form   *Form
}

// stockItemEditPage creates or changes an item.
type stockItemEditPage struct {
	Page

	Action string
	Form   *Form
	Fields []Field
}

var (
	stockItemView     = newView[stockItemPage]("page_stock_item.html", shell)
	stockItemEditView = newView[stockItemEditPage]("page_stock_edit.html", shell)
)

const ledgerShown = 20 // lines of the ledger on an item's page

func (s *Server) stockItemRoutes() {
	manage := needs(auth.ManageStock)
	s.page("GET /stock/items/new", s.newItem, manage)
	s.page("POST /stock/items/new", s.createItem, manage)
	s.page("GET /stock/items/{id}", s.stockItem, manage)
	s.page("GET /stock/items/{id}/edit", s.editItem, manage)
	s.page("POST /stock/items/{id}/edit", s.saveItem, manage)
	s.page("POST /stock/items/{id}/book", s.bookItem, manage)
}

func (s *Server) stockItem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	return s.showItem(r, http.StatusOK, number, "", r.Blank(), false)
}

// showItem shows an item; open is the action whose form was refused.
func (s *Server) showItem(r *Request, status int, number int64, open string, f *Form, short bool) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	i, ok := st.Item(number)
	if !ok {
		return fault.New(fault.NotFound, "error.stock.item_not_found")
	}
	total := st.Total(i.ID)
	p := &stockItemPage{
		Page: Page{Title: i.Name, Lede: Legend(i.Kind, i.Reference), Crumbs: r.stockCrumbs()}, Item: i, Level: r.levelBadge(i, total), Form: f,
		More: "/stock/movements?item=" + id(i.ID),
	}
	p.Actions = []Action{{Label: r.T("common.edit"), Icon: "pencil", Href: "/stock/items/" + id(i.ID) + "/edit", Key: "e"}}
	p.Keys = []KeyFigure{
		{Label: r.T("stock.field.quantity"), Value: r.Int(total), Note: r.T("stock.minimum.of", "n", r.Int(i.Minimum))},
		{Label: r.T("stock.key.to_order"), Value: r.Int(i.Order(total)), Href: "/stock/receive?item=" + id(i.ID), Note: r.T("stock.wanted.of", "n", r.Int(max(i.Wanted, i.Minimum)))},
		{Label: r.T("stock.field.price"), Value: r.euros(i.Price), Note: r.T("stock.price.note")},
	}
	if i.Unit != "" {
		p.Facts = append(p.Facts, fact{Label: r.T("stock.field.unit"), Text: i.Unit})
	}
	if i.Supplier != "" {
		p.Facts = append(p.Facts, fact{Label: r.T("stock.field.supplier"), Text: i.Supplier})
	}
	if i.Note != "" {
		p.Facts = append(p.Facts, fact{Label: r.T("stock.field.note"), Text: i.Note})
	}
	p.Places = Table{Printer: r.Printer, Caption: r.T("stock.places.of", "name", i.Name), Hide: true, Columns: []Column{{Label: r.T("stock.field.place"), Lead: true}, {Label: r.T("stock.field.quantity"), Num: true}}}
	for _, place := range st.Places {
		if n := st.At(i.ID, place.ID); n > 0 {
			p.Places.Rows = append(p.Places.Rows, TableRow{Cells: []Cell{{Text: place.Name, Href: "/stock/places/" + id(place.ID)}, {Text: r.Int(n)}}})
		}
	}
	if p.Course, err = s.itemCourse(r, i); err != nil {
		return err
	}
	if !i.Archived && len(st.Places) > 0 {
		p.Acts = r.itemActs(st, i, open, f, short)
	}
	lines, err := s.deps.Stock.Ledger(r.Context(), r.Who, stock.LedgerQuery{Item: i.ID, Limit: ledgerShown})
	if err != nil {
		return err
	}
	if p.Ledger, err = r.ledgerTable(st, lines, false); err != nil {
		return err
	}
	return stockItemView.show(r, status, p)
}

// itemActs are the forms of what may be done with an item.
func (r *Request) itemActs(st *stock.Stock, i stock.Item, open string, typed *Form, short bool) []actionForm {
	var acts []actionForm
	for _, kind := range []stock.Kind{stock.Move, stock.Receive, stock.Use, stock.Loss, stock.Return} {
		f := r.Blank("quantity", "1")
		a := actionForm{Action: string(kind), Label: r.T("stock.kind." + string(kind)), Icon: moveIcons[kind], Form: typed}
		if a.Open = string(kind) == open; a.Open {
			f = typed
		} else {
			f.values.Set("from", id(st.Near(r.Who.Person, i.ID)))
		}
		if kind == stock.Move || kind == stock.Use || kind == stock.Loss {
			a.Fields = append(a.Fields, f.Select("from", r.T("stock.field.from"), r.placeOptions(st, i.ID, "")).Must())
		}
		if kind == stock.Move || kind == stock.Receive || kind == stock.Return {
			a.Fields = append(a.Fields, f.Select("to", r.T("stock.field.to"), r.placeOptions(st, i.ID, r.T("common.choose"))).Must())
		}
		quantity := f.Input("number", "quantity", r.T("stock.field.quantity")).Must()
		quantity.Mode = "numeric"
		a.Fields = append(a.Fields, quantity)
		if kind == stock.Receive {
			c := f.Text("price", r.T("stock.field.unit_price"))
			c.Mode, c.Suffix, c.Holder = "decimal", "€", centsField(i.Price)
			a.Fields = append(a.Fields, c)
		}
		if kind == stock.Use || kind == stock.Return {
			c := f.Text("incident", r.T("stock.field.incident")).Example("4812")
			c.Mode = "numeric"
			a.Fields = append(a.Fields, c)
		}
		reason := f.Text("reason", r.T("stock.field.reason")).AtMost(stock.MaxNote)
		if kind == stock.Loss {
			reason = reason.Must()
		}
		a.Fields = append(a.Fields, reason)
		if a.Open && short {
			a.Fields = append(a.Fields, f.Check("anyway", r.T("stock.anyway")).Hinted(r.T("stock.anyway.hint")))
		}
		for k := range a.Fields {
			a.Fields[k].ID = a.Action + "-" + a.Fields[k].Name
		}
		acts = append(acts, a)
	}
	return acts
}

// bookItem books one movement of an item.
func (s *Server) bookItem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	i, err := s.deps.Stock.Item(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	var bad fault.Fields
	o := stock.Order{Kind: stock.Kind(f.Get("kind")), Item: number, Quantity: wholeNumber(&bad, f, "quantity"), Reason: f.Get("reason"), Anyway: f.Checked("anyway")}
	switch o.Kind {
	case stock.Move:
		o.From, o.To = f.ID("from"), f.ID("to")
	case stock.Use, stock.Loss:
		o.From = f.ID("from")
	default:
		o.To = f.ID("to")
	}
	if o.Kind == stock.Receive {
		o.Price = price(&bad, f, "price")
	}
	if o.Kind == stock.Use || o.Kind == stock.Return {
		o.Incident = numberOf(&bad, f, "incident")
	}
	err = bad.Err()
	var done []stock.Movement
	if err == nil {
		done, err = s.deps.Stock.Book(r.Context(), r.Who, o)
	}
	if f.Refused(err) {
		return s.showItem(r, status(err), number, string(o.Kind), f, fault.Is(err, fault.Conflict))
	}
	if err != nil {
		return err
	}
	back := "/stock/items/" + id(number)
	if err := r.Say(Notice{Text: r.T("stock.booked", "what", r.T("stock.kind.done."+string(o.Kind)), "n", r.Int(o.Quantity), "name", i.Name), Undo: undoMovement(done[len(done)-1], back)}); err != nil {
		return err
	}
	return r.Redirect(back)
}

// numberOf reads the number of an incident, with or without its #.
func numberOf(bad *fault.Fields, f *Form, name string) int64 {
	text := f.Get(name)
	for len(text) > 0 && (text[0] == '#' || text[0] == ' ') {
		text = text[1:]
	}
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(compact(text), 10, 64)
	if err != nil || n <= 0 {
		bad.Add(name, "error.incident.not_found")
	}
	return n
}

func (s *Server) newItem(r *Request) error {
	return s.showItemEdit(r, http.StatusOK, 0, r.Blank())
}

func (s *Server) showItemEdit(r *Request, status int, number int64, f *Form) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &stockItemEditPage{Page: Page{Title: r.T("stock.item.new"), Crumbs: r.stockCrumbs()}, Action: "/stock/items/new", Form: f}
	if number != 0 {
		i, _ := st.Item(number)
		p.Title, p.Action = r.T("stock.item.edit", "name", i.Name), "/stock/items/"+id(number)+"/edit"
		p.Crumbs = r.stockCrumbs(Link{Label: i.Name, Href: "/stock/items/" + id(number)})
	}
	kind := f.Text("kind", r.T("stock.field.kind")).AtMost(stock.MaxName).Example(r.T("stock.kind.example"))
	kind.List = "item-kinds"
	for _, i := range st.Items {
		if o := (Option{Value: i.Kind}); i.Kind != "" && !slices.Contains(kind.Options, o) {
			kind.Options = append(kind.Options, o)
		}
	}
	number2 := func(name string) Field {
		c := f.Input("number", name, r.T("stock.field."+name)).Hinted(r.T("stock.hint." + name))
		c.Mode = "numeric"
		return c
	}
	cost := f.Text("price", r.T("stock.field.unit_price")).Hinted(r.T("stock.hint.price"))
	cost.Mode = "decimal"
	p.Fields = []Field{
		f.Text("name", r.T("stock.field.name")).Must().AtMost(stock.MaxName).Example(r.T("stock.item.example")),
		f.Text("reference", r.T("stock.field.reference")).AtMost(stock.MaxName).Hinted(r.T("stock.hint.reference")),
		kind,
		f.Text("unit", r.T("stock.field.unit")).AtMost(stock.MaxName).Example(r.T("stock.unit.example")),
		number2("minimum"), number2("wanted"), cost,
		f.Text("supplier", r.T("stock.field.supplier")).AtMost(stock.MaxName),
		f.Area("note", r.T("stock.field.note")).AtMost(stock.MaxNote),
	}
	if number != 0 {
		p.Fields = append(p.Fields, f.Check("archived", r.T("stock.field.archived")).Hinted(r.T("stock.hint.archived")))
	}
	return stockItemEditView.show(r, status, p)
}

func (s *Server) editItem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	i, err := s.deps.Stock.Item(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	f := r.Blank("name", i.Name, "reference", i.Reference, "kind", i.Kind, "unit", i.Unit, "supplier", i.Supplier, "note", i.Note,
		"price", centsField(i.Price), "minimum", strconv.FormatInt(i.Minimum, 10), "wanted", strconv.FormatInt(i.Wanted, 10))
	if i.Archived {
		f.values.Set("archived", "1")
	}
	return s.showItemEdit(r, http.StatusOK, number, f)
}

func (s *Server) createItem(r *Request) error { return s.keepItem(r, 0) }

func (s *Server) saveItem(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	if _, err := s.deps.Stock.Item(r.Context(), r.Who, number); err != nil {
		return err
	}
	return s.keepItem(r, number)
}

func (s *Server) keepItem(r *Request, number int64) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	var bad fault.Fields
	in := stock.Item{
		ID: number, Name: f.Get("name"), Reference: f.Get("reference"), Kind: f.Get("kind"), Unit: f.Get("unit"), Supplier: f.Get("supplier"), Note: f.Get("note"),
		Price: price(&bad, f, "price"), Minimum: wholeNumber(&bad, f, "minimum"), Wanted: wholeNumber(&bad, f, "wanted"), Archived: f.Checked("archived"),
	}
	err = bad.Err()
	if err == nil {
		in, err = s.deps.Stock.SaveItem(r.Context(), r.Who, in)
	}
	if f.Refused(err) {
		return s.showItemEdit(r, status(err), number, f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("stock.item.saved", "name", in.Name)}); err != nil {
		return err
	}
	return r.Redirect("/stock/items/" + id(in.ID))
}

// itemCourse draws the level of an item week by week over a year.
func (s *Server) itemCourse(r *Request, i stock.Item) (*ChartFrame, error) {
	points, err := s.deps.Stock.Course(r.Context(), r.Who, i.ID, 0)
	if err != nil || len(points) == 0 {
		return nil, err
	}
	loc := r.Location()
	now := r.Now().In(loc)
	from := now.AddDate(-1, 0, 0)
	if first := points[0].At.In(loc); first.After(from) {
		from = first
	}
	from = time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, loc)
	grain, step := chart.Week, 7
	if now.Sub(from) < 60*24*time.Hour {
		grain, step = chart.Day, 1
	} else {
		from = from.AddDate(0, 0, -(int(from.Weekday())+6)%7)
	}
	line := chart.Series{Label: i.Name, Category: 1, Gaps: true}
	table := &Table{Printer: r.Printer, Caption: r.T("stock.course", "name", i.Name), Columns: []Column{{Label: r.T("stock.field.at"), Lead: true}, {Label: r.T("stock.field.quantity"), Num: true}}}
	for day := from; !day.After(now); day = day.AddDate(0, 0, step) {
		end := day.AddDate(0, 0, step)
		k, _ := slices.BinarySearchFunc(points, end, func(p stock.Point, t time.Time) int { return p.At.Compare(t) })
		var level int64
		if k > 0 {
			level = points[k-1].Quantity
		}
		line.Points = append(line.Points, chart.Point{At: day, Value: float64(level), Title: r.T("stock.course.point", "when", r.MediumDate(day), "n", r.Int(level))})
		table.Rows = append(table.Rows, TableRow{Cells: Cells(r.MediumDate(day), r.Int(level))})
	}
	c := &ChartFrame{Printer: r.Printer, ID: "course", Title: r.T("stock.course.title"), Question: r.T("stock.course", "name", i.Name), How: r.T("stock.course.how"), Table: table}
	lines := &chart.Lines{Head: chart.Head{ID: "course-chart", Label: c.Question}, Period: chart.Period{From: from, To: now.AddDate(0, 0, 1), Grain: grain}, Series: []chart.Series{line}}
	if i.Minimum > 0 {
		lines.Ref = &chart.Ref{Value: float64(i.Minimum), Label: r.T("stock.field.minimum")}
	}
	c.Drawing = chart.Render(lines, r.Printer, chart.Half)
	return c, nil
}
