package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/stock"
)

// stockPlacesPage lists the places; one place shows what lies there.
type stockPlacesPage struct {
	Page

	Tabs  Tabs
	Table Table
	Empty *EmptyState
}

// stockCountPage is the sheet on which a place is counted, then what it found.
type stockCountPage struct {
	Page

	Action  string
	Form    *Form
	Lines   []sheetLine
	Found   []sheetLine // differences, before they are booked
	Preview bool
	Same    bool // nothing differs
	Reason  Field
}

type sheetLine struct {
	ID, Name, Note string
	Seen           string // as the ledger said
	Value          string
	Error          string
	Change         string // "+2"
}

var (
	stockPlacesView = newView[stockPlacesPage]("page_stock_places.html", shell)
	stockCountView  = newView[stockCountPage]("page_stock_count.html", shell)
)

func (s *Server) stockPlaceRoutes() {
	manage := needs(auth.ManageStock)
	s.page("GET /stock/places", s.stockPlaces, manage)
	s.page("GET /stock/places/new", s.newPlace, manage)
	s.page("POST /stock/places/new", s.createPlace, manage)
	s.page("GET /stock/places/{id}", s.stockPlace, manage)
	s.page("GET /stock/places/{id}/edit", s.editPlace, manage)
	s.page("POST /stock/places/{id}/edit", s.savePlace, manage)
	s.page("GET /stock/places/{id}/count", s.countForm, manage)
	s.page("POST /stock/places/{id}/count", s.count, manage)
}

func (s *Server) stockPlaces(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &stockPlacesPage{Page: Page{Title: r.T("stock.tab.places"), Lede: r.T("stock.places.lede"), Crumbs: r.stockCrumbs(), Actions: []Action{{Label: r.T("stock.place.new"), Icon: "plus", Href: "/stock/places/new", Key: "n"}}}, Tabs: r.stockTabs("places")}
	p.Table = Table{Printer: r.Printer, Caption: r.T("stock.tab.places"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("stock.field.place"), Lead: true}, {Label: r.T("stock.field.place_kind")}, {Label: r.T("stock.field.of")}, {Label: r.T("stock.field.items"), Num: true}, {Label: r.T("stock.field.value"), Num: true},
	}}
	for _, place := range st.Places {
		if place.Archived {
			continue
		}
		var held, value int64
		for _, i := range st.Items {
			if q := st.At(i.ID, place.ID); q > 0 {
				held, value = held+1, value+q*i.Price
			}
		}
		whose := n.places.PersonName(place.Person)
		if place.School != 0 {
			whose = n.places.SchoolName(place.School)
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: place.Name, Href: "/stock/places/" + id(place.ID)}, {Text: r.T("stock.place.kind." + string(place.Kind))}, {Text: whose}, {Text: r.Int(held)}, {Text: r.euros(value)}}})
	}
	if len(p.Table.Rows) == 0 {
		p.Empty = &EmptyState{Icon: "map-pin", Title: r.T("stock.places.none"), Text: r.T("stock.places.none.text"), Action: &Link{Label: r.T("stock.place.new"), Href: "/stock/places/new", Icon: "plus"}}
	}
	return stockPlacesView.show(r, http.StatusOK, p)
}

// placeOf finds the place of the address.
func (s *Server) placeOf(r *Request) (*stock.Stock, stock.Place, error) {
	number, err := r.pathID()
	if err != nil {
		return nil, stock.Place{}, err
	}
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return nil, stock.Place{}, err
	}
	place, ok := st.Place(number)
	if !ok {
		return nil, place, fault.New(fault.NotFound, "error.stock.place_not_found")
	}
	return st, place, nil
}

func (s *Server) stockPlace(r *Request) error {
	st, place, err := s.placeOf(r)
	if err != nil {
		return err
	}
	p := &stockPlacesPage{Page: Page{Title: place.Name, Lede: r.T("stock.place.kind." + string(place.Kind)), Crumbs: r.stockCrumbs(Link{Label: r.T("stock.tab.places"), Href: "/stock/places"})}, Tabs: r.stockTabs("places")}
	p.Actions = []Action{
		{Label: r.T("stock.count"), Icon: "equal", Href: "/stock/places/" + id(place.ID) + "/count", Primary: true},
		{Label: r.T("stock.receive"), Icon: "inbox", Href: "/stock/receive?to=" + id(place.ID)},
		{Label: r.T("common.edit"), Icon: "pencil", Href: "/stock/places/" + id(place.ID) + "/edit", Key: "e"},
	}
	p.Table = Table{Printer: r.Printer, Caption: place.Name, Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("stock.field.item"), Lead: true, Wrap: true}, {Label: r.T("stock.field.kind")}, {Label: r.T("stock.field.quantity"), Num: true}, {Label: r.T("stock.field.elsewhere"), Num: true}, {Label: r.T("stock.field.value"), Num: true},
	}}
	for _, i := range st.Items {
		if q := st.At(i.ID, place.ID); q > 0 {
			p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: i.Name, Note: i.Reference, Href: "/stock/items/" + id(i.ID)}, {Text: i.Kind}, {Text: r.Int(q)}, {Text: r.Int(st.Total(i.ID) - q)}, {Text: r.euros(q * i.Price)}}})
		}
	}
	if len(p.Table.Rows) == 0 {
		p.Empty = &EmptyState{Icon: "package", Title: r.T("stock.place.empty"), Text: r.T("stock.place.empty.text"), Action: &Link{Label: r.T("stock.count"), Href: "/stock/places/" + id(place.ID) + "/count", Icon: "equal"}}
	}
	return stockPlacesView.show(r, http.StatusOK, p)
}

func (s *Server) newPlace(r *Request) error {
	return s.showPlaceEdit(r, http.StatusOK, stock.Place{}, r.Blank("kind", string(stock.Depot)))
}

func (s *Server) showPlaceEdit(r *Request, status int, place stock.Place, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &stockItemEditPage{Page: Page{Title: r.T("stock.place.new"), Crumbs: r.stockCrumbs(Link{Label: r.T("stock.tab.places"), Href: "/stock/places"})}, Action: "/stock/places/new", Form: f}
	if place.ID != 0 {
		p.Title, p.Action = r.T("stock.item.edit", "name", place.Name), "/stock/places/"+id(place.ID)+"/edit"
	}
	var kinds []Option
	for _, k := range stock.PlaceKinds {
		kinds = append(kinds, Option{Value: string(k), Label: r.T("stock.place.kind." + string(k))})
	}
	p.Fields = []Field{
		f.Text("name", r.T("stock.field.name")).Must().AtMost(stock.MaxName).Example(r.T("stock.place.example")),
		f.Choices("kind", r.T("stock.field.place_kind"), kinds).Must(),
		f.Select("person", r.T("stock.field.person"), n.technicianOptions(r.T("stock.person.none"))).Hinted(r.T("stock.hint.person")),
		f.Select("school", r.T("incident.field.school"), n.schoolOptions(r.Scope(), r.T("stock.school.none"))).Hinted(r.T("stock.hint.school")),
	}
	if place.ID != 0 {
		p.Fields = append(p.Fields, f.Check("archived", r.T("stock.field.archived")).Hinted(r.T("stock.hint.archived")))
	}
	return stockItemEditView.show(r, status, p)
}

func (s *Server) editPlace(r *Request) error {
	_, place, err := s.placeOf(r)
	if err != nil {
		return err
	}
	f := r.Blank("name", place.Name, "kind", string(place.Kind), "person", id(place.Person), "school", id(place.School))
	if place.Archived {
		f.values.Set("archived", "1")
	}
	return s.showPlaceEdit(r, http.StatusOK, place, f)
}

func (s *Server) createPlace(r *Request) error { return s.keepPlace(r, stock.Place{}) }

func (s *Server) savePlace(r *Request) error {
	_, place, err := s.placeOf(r)
	if err != nil {
		return err
	}
	return s.keepPlace(r, place)
}

func (s *Server) keepPlace(r *Request, place stock.Place) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	in, err := s.deps.Stock.SavePlace(r.Context(), r.Who, stock.Place{ID: place.ID, Name: f.Get("name"), Kind: stock.PlaceKind(f.Get("kind")), Person: f.ID("person"), School: f.ID("school"), Archived: f.Checked("archived")})
	if f.Refused(err) {
		return s.showPlaceEdit(r, status(err), place, f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("stock.item.saved", "name", in.Name)}); err != nil {
		return err
	}
	return r.Redirect("/stock/places/" + id(in.ID))
}

func (s *Server) countForm(r *Request) error {
	st, place, err := s.placeOf(r)
	if err != nil {
		return err
	}
	return s.showCount(r, http.StatusOK, st, place, r.Blank(), nil)
}

// showCount shows the sheet: every item, those that lie there first. Found are
// the differences to confirm.
func (s *Server) showCount(r *Request, status int, st *stock.Stock, place stock.Place, f *Form, found []stock.Counted) error {
	p := &stockCountPage{
		Page:   Page{Title: r.T("stock.count.title", "place", place.Name), Lede: r.T("stock.count.lede"), Crumbs: r.stockCrumbs(Link{Label: r.T("stock.tab.places"), Href: "/stock/places"}, Link{Label: place.Name, Href: "/stock/places/" + id(place.ID)})},
		Action: "/stock/places/" + id(place.ID) + "/count", Form: f, Preview: found != nil,
		Reason: f.Text("reason", r.T("stock.field.reason")).AtMost(stock.MaxNote),
	}
	shown := slices.Clone(st.Items)
	slices.SortStableFunc(shown, func(a, b stock.Item) int {
		return int(oneIf(st.At(a.ID, place.ID) == 0) - oneIf(st.At(b.ID, place.ID) == 0))
	})
	for _, i := range shown {
		if i.Archived {
			continue
		}
		name := id(i.ID)
		line := sheetLine{ID: name, Name: i.Name, Note: Legend(i.Kind, i.Reference), Seen: strconv.FormatInt(st.At(i.ID, place.ID), 10), Value: f.Get("found." + name), Error: f.refused[name]}
		if line.Error == "" {
			line.Error = f.refused["found."+name]
		}
		p.Lines = append(p.Lines, line)
		for _, c := range found {
			if c.Item == i.ID && c.Found != c.Seen {
				line.Change = r.Signed(float64(c.Found-c.Seen), 0)
				p.Found = append(p.Found, line)
			}
		}
	}
	p.Same = p.Preview && len(p.Found) == 0
	return stockCountView.show(r, status, p)
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// count shows what a count found to differ, then books it.
func (s *Server) count(r *Request) error {
	st, place, err := s.placeOf(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	var bad fault.Fields
	found := []stock.Counted{}
	for _, i := range st.Items {
		name := id(i.ID)
		if i.Archived || f.Get("found."+name) == "" {
			continue // not counted: left as it is
		}
		seen, err := strconv.ParseInt(f.Get("seen."+name), 10, 64)
		if err != nil {
			seen = st.At(i.ID, place.ID)
		}
		found = append(found, stock.Counted{Item: i.ID, Seen: seen, Found: wholeNumber(&bad, f, "found."+name)})
	}
	if len(found) == 0 {
		bad.Add("lines", "error.stock.nothing_counted")
	}
	if err := bad.Err(); f.Refused(err) {
		return s.showCount(r, status(err), st, place, f, nil)
	}
	if f.Get("step") != "book" {
		return s.showCount(r, http.StatusOK, st, place, f, found)
	}
	done, err := s.deps.Stock.CountPlace(r.Context(), r.Who, place.ID, found, f.Get("reason"))
	if f.Refused(err) {
		return s.showCount(r, status(err), st, place, f, nil)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("stock.count.done", "place", place.Name, "changes", r.N("stock.count.changes", len(done)))}); err != nil {
		return err
	}
	return r.Redirect(fmt.Sprintf("/stock/places/%d", place.ID))
}
