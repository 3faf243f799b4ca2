package web

import (
	"html/template"
	"net/http"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/stock"
)

// partsPanel is the section of an incident's page with the parts used on it.
type partsPanel struct {
	Page

	Incident string
	Used     []usedPart
	Total    string // cost, for whoever manages the stock
	Manages  bool
	Empty    bool // nothing is kept in stock yet
	Fields   []Field
	Form     *Form
}

type usedPart struct {
	Text   string
	Note   string
	Undo   string // address that takes it back
	UndoOf string // its name, for screen readers
}

// partsPage is the same form alone, when it was refused.
type partsPage struct {
	Page

	Incident string
	Fields   []Field
	Anyway   *Field
	Form     *Form
}

var (
	partsPanelView = newFragment[partsPanel]("panel_parts.html", "panel")
	partsView      = newView[partsPage]("page_parts.html", shell)
)

func (s *Server) partsRoutes() {
	s.incidentPanel(panel{order: 300, place: panelWork, show: s.partsPanel})
	s.page("GET /incidents/{id}/parts", s.partsForm, needs(auth.ManageStock))
	s.page("POST /incidents/{id}/parts", s.useParts, needs(auth.ManageStock))
}

func (s *Server) partsPanel(r *Request, i incident.Incident) (template.HTML, error) {
	used, err := s.deps.Stock.UsedOn(r.Context(), r.Who, i.ID)
	if err != nil {
		return "", err
	}
	p := partsPanel{Page: Page{Printer: r.Printer}, Incident: id(i.ID), Manages: r.Who.Can(auth.ManageStock)}
	if len(used) == 0 && !p.Manages {
		return "", nil
	}
	var cost int64
	for _, u := range used {
		part := usedPart{Text: r.T("stock.used", "n", r.Int(u.Quantity), "name", u.Name)}
		if p.Manages {
			part.Note = Legend(u.Place, r.euros(u.Price*u.Quantity))
			part.Undo = "/stock/movements/" + id(u.Movement) + "/reverse?back=/incidents/" + p.Incident
			part.UndoOf = r.T("stock.reverse.named", "name", u.Name)
			cost += u.Price * u.Quantity
		}
		p.Used = append(p.Used, part)
	}
	if p.Manages {
		st, err := s.deps.Stock.Stock(r.Context(), r.Who)
		if err != nil {
			return "", err
		}
		if len(used) > 0 {
			p.Total = r.euros(cost)
		}
		p.Empty = len(st.Items) == 0 || len(st.Places) == 0
		p.Form = r.Blank("quantity", "1")
		p.Fields = r.partsFields(st, p.Form)
	}
	return partsPanelView.html(p)
}

func (r *Request) partsFields(st *stock.Stock, f *Form) []Field {
	quantity := f.Input("number", "quantity", r.T("stock.field.quantity")).Must()
	quantity.Mode = "numeric"
	if !f.values.Has("from") {
		f.values.Set("from", id(st.Near(r.Who.Person, 0)))
	}
	fields := []Field{
		f.itemField(st, "item", r.T("stock.field.item")).Must().Example(r.T("stock.field.item.example")),
		quantity,
		f.Select("from", r.T("stock.field.from"), r.placeOptions(st, 0, "")).Must(),
	}
	for k := range fields {
		fields[k].ID = "parts-" + fields[k].Name
		if fields[k].List != "" {
			fields[k].List = "parts-items"
		}
	}
	return fields
}

func (s *Server) partsForm(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	return s.showParts(r, http.StatusOK, number, r.Blank("quantity", "1"), false)
}

func (s *Server) showParts(r *Request, status int, number int64, f *Form, short bool) error {
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &partsPage{Page: Page{Title: r.T("stock.use.title"), Crumbs: []Link{{Label: r.T("incident.number", "number", id(i.ID)) + " · " + i.Title, Href: "/incidents/" + id(i.ID)}}}, Incident: id(i.ID), Form: f}
	p.Fields = append(r.partsFields(st, f), f.Text("reason", r.T("stock.field.reason")).AtMost(stock.MaxNote))
	if short {
		c := f.Check("anyway", r.T("stock.anyway")).Hinted(r.T("stock.anyway.hint"))
		p.Anyway = &c
	}
	return partsView.show(r, status, p)
}

// useParts takes a part out for an incident.
func (s *Server) useParts(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	if _, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number); err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	var bad fault.Fields
	o := stock.Order{Kind: stock.Use, From: f.ID("from"), Quantity: wholeNumber(&bad, f, "quantity"), Incident: number, Reason: f.Get("reason"), Anyway: f.Checked("anyway")}
	item, wrong := typedItem(st, f.Get("item"))
	if wrong != "" {
		bad.Add("item", wrong)
	}
	o.Item = item
	err = bad.Err()
	var done []stock.Movement
	if err == nil {
		done, err = s.deps.Stock.Book(r.Context(), r.Who, o)
	}
	if f.Refused(err) {
		return s.showParts(r, status(err), number, f, fault.Is(err, fault.Conflict))
	}
	if err != nil {
		return err
	}
	used, _ := st.Item(o.Item)
	if err := r.Say(Notice{Text: r.T("stock.use.done", "n", r.Int(o.Quantity), "name", used.Name), Undo: undoMovement(done[len(done)-1], "/incidents/"+id(number))}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}

// undoMovement takes back what was just booked.
func undoMovement(m stock.Movement, back string) *Undo {
	return &Undo{Action: "/stock/movements/" + id(m.ID) + "/reverse", Values: map[string]string{"back": back}}
}
