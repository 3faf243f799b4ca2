package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/stock"
)

// stockReceivePage takes in an order: where, which, how many of what.
type stockReceivePage struct {
	Page

	Form   *Form
	To     Field
	Reason Field
	Lines  []receiveLine
	Items  []Option
	Empty  *EmptyState
}

type receiveLine struct {
	N                     string
	Item, Quantity, Price string
	Error                 string
}

var stockReceiveView = newView[stockReceivePage]("page_stock_receive.html", shell)

const (
	blankLines = 5  // of the form, beyond what is short
	mostLines  = 60 // of the form
)

func (s *Server) stockReceiveRoutes() {
	manage := needs(auth.ManageStock)
	s.page("GET /stock/receive", s.receiveForm, manage)
	s.page("POST /stock/receive", s.receive, manage)
}

// receiveForm proposes what is short, up to what is wanted.
func (s *Server) receiveForm(r *Request) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	f := r.Blank("to", r.Address.Get("to"))
	if f.Get("to") == "" {
		f.values.Set("to", id(st.Near(0, 0)))
	}
	n := 0
	propose := func(i stock.Item) {
		n++
		f.values.Set(fmt.Sprintf("item.%d", n), itemLabel(i))
		f.values.Set(fmt.Sprintf("quantity.%d", n), strconv.FormatInt(i.Order(st.Total(i.ID)), 10))
		f.values.Set(fmt.Sprintf("price.%d", n), centsField(i.Price))
	}
	if only := r.Filters().ID("item"); only != 0 {
		if i, ok := st.Item(only); ok {
			propose(i)
		}
	} else {
		for _, i := range st.Items {
			if !i.Archived && i.Short(st.Total(i.ID)) && n < mostLines-blankLines {
				propose(i)
			}
		}
	}
	return s.showReceive(r, http.StatusOK, st, f, n+blankLines)
}

func (s *Server) showReceive(r *Request, status int, st *stock.Stock, f *Form, lines int) error {
	p := &stockReceivePage{Page: Page{Title: r.T("stock.receive"), Lede: r.T("stock.receive.lede"), Crumbs: r.stockCrumbs()}, Form: f}
	if len(st.Places) == 0 {
		p.Empty = &EmptyState{Icon: "map-pin", Title: r.T("stock.places.none"), Text: r.T("stock.places.none.text"), Action: &Link{Label: r.T("stock.place.new"), Href: "/stock/places/new", Icon: "plus"}}
	}
	p.To = f.Select("to", r.T("stock.field.to"), r.placeOptions(st, 0, "")).Must()
	p.Reason = f.Text("reason", r.T("stock.field.order")).AtMost(stock.MaxNote).Example(r.T("stock.order.example"))
	for _, i := range st.Items {
		if !i.Archived {
			p.Items = append(p.Items, Option{Value: itemLabel(i)})
		}
	}
	for k := 1; k <= min(lines, mostLines); k++ {
		n := strconv.Itoa(k)
		line := receiveLine{N: n, Item: f.Get("item." + n), Quantity: f.Get("quantity." + n), Price: f.Get("price." + n)}
		for _, name := range []string{"item", "quantity", "price", "to"} {
			if said := f.refused[name+"."+n]; said != "" && line.Error == "" {
				line.Error = said
			}
		}
		p.Lines = append(p.Lines, line)
	}
	return stockReceiveView.show(r, status, p)
}

// receive books the lines that were filled, all or none.
func (s *Server) receive(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	var bad fault.Fields
	var orders []stock.Order
	var lines []int
	shown := blankLines
	for k := 1; k <= mostLines; k++ {
		n := strconv.Itoa(k)
		if f.values.Has("item." + n) {
			shown = k
		}
		typed := strings.TrimSpace(f.Get("item." + n))
		if typed == "" || compact(f.Get("quantity."+n)) == "" || compact(f.Get("quantity."+n)) == "0" {
			continue // proposed, and not received
		}
		item, wrong := typedItem(st, typed)
		if wrong != "" {
			bad.Add("item."+n, wrong)
			continue
		}
		orders = append(orders, stock.Order{Kind: stock.Receive, Item: item, To: f.ID("to"), Quantity: wholeNumber(&bad, f, "quantity."+n), Price: price(&bad, f, "price."+n), Reason: f.Get("reason")})
		lines = append(lines, k)
	}
	if len(orders) == 0 && len(bad) == 0 {
		bad.Add("lines", "error.stock.nothing_received")
	}
	err = bad.Err()
	if err == nil {
		_, err = s.deps.Stock.Book(r.Context(), r.Who, orders...)
		err = onLines(err, lines)
	}
	if f.Refused(err) {
		return s.showReceive(r, status(err), st, f, shown)
	}
	if err != nil {
		return err
	}
	place, _ := st.Place(f.ID("to"))
	if err := r.Say(Notice{Text: r.N("stock.receive.done", len(orders), "place", place.Name)}); err != nil {
		return err
	}
	return r.Redirect("/stock")
}

// onLines names the refused fields of an order as the form's lines do.
func onLines(err error, lines []int) error {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	again := *refusal
	again.Fields = nil
	for _, field := range refusal.Fields {
		k, name := 0, field.Name
		if number, rest, many := strings.Cut(field.Name, "."); many {
			if at, err := strconv.Atoi(number); err == nil {
				k, name = at-1, rest
			}
		}
		if name != "to" && name != "reason" && k < len(lines) {
			name = fmt.Sprintf("%s.%d", name, lines[k])
		}
		field.Name = name
		again.Fields = append(again.Fields, field)
	}
	return &again
}
