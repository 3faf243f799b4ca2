package web

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/stock"
)

// stockTabs are the pages of the stock.
func (r *Request) stockTabs(current string) Tabs {
	t := Tabs{Label: r.T("stock.title")}
	for _, name := range []string{"", "movements", "consumption", "places"} {
		href, key := "/stock", "stock.tab.stock"
		if name != "" {
			href, key = "/stock/"+name, "stock.tab."+name
		}
		t.Items = append(t.Items, Tab{Label: r.T(key), Href: href, Current: name == current})
	}
	return t
}

func (r *Request) stockCrumbs(more ...Link) []Link {
	return append([]Link{{Label: r.T("stock.title"), Href: "/stock"}}, more...)
}

// euros writes a price in cents.
func (r *Request) euros(cents int64) string {
	return r.Num(float64(cents)/100, 2) + "\u00a0€"
}

// itemLabel is how an item is chosen by typing.
func itemLabel(i stock.Item) string { return Legend(i.Name, i.Reference) }

// itemField chooses an item by typing a part of its name or its reference.
func (f *Form) itemField(st *stock.Stock, name, label string) Field {
	c := f.Text(name, label)
	c.List = c.ID + "-list"
	for _, i := range st.Items {
		if !i.Archived {
			c.Options = append(c.Options, Option{Value: itemLabel(i)})
		}
	}
	return c
}

// typedItem finds the item that was typed: as it was proposed, by its
// reference, or by words that only one has.
func typedItem(st *stock.Stock, typed string) (int64, string) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return 0, "error.field.required"
	}
	var near []int64
	for _, i := range st.Items {
		if i.Archived {
			continue
		}
		if itemLabel(i) == typed || i.Name == typed || i.Reference != "" && strings.EqualFold(i.Reference, typed) {
			return i.ID, ""
		}
		if matches(i.Name+" "+i.Reference+" "+i.Kind, typed) {
			near = append(near, i.ID)
		}
	}
	switch len(near) {
	case 0:
		return 0, "error.stock.item_not_found"
	case 1:
		return near[0], ""
	}
	return 0, "error.stock.item_unclear"
}

// placeOptions lists the places, by kind; with what each holds of an item.
func (r *Request) placeOptions(st *stock.Stock, item int64, empty string) []Option {
	var options []Option
	if empty != "" {
		options = append(options, Option{Label: empty})
	}
	for _, p := range st.Places {
		if p.Archived {
			continue
		}
		label := p.Name
		if item != 0 {
			label = r.T("stock.place.holds", "place", p.Name, "n", r.Int(st.At(item, p.ID)))
		}
		options = append(options, Option{Value: id(p.ID), Label: label, Group: r.T("stock.place.kind." + string(p.Kind))})
	}
	return options
}

// wholeNumber reads a quantity; what is none is a refusal beside its field.
func wholeNumber(bad *fault.Fields, f *Form, name string) int64 {
	text := compact(f.Get(name))
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		bad.Add(name, "error.stock.number")
	}
	return n
}

// price reads a price in euros, with a comma or a point.
func price(bad *fault.Fields, f *Form, name string) int64 {
	cents, ok := parseEuros(f.Get(name))
	if !ok {
		bad.Add(name, "error.stock.price")
	}
	return cents
}

// parseEuros reads "12,50", "12.5 €" or nothing.
func parseEuros(text string) (int64, bool) {
	text = strings.ReplaceAll(strings.TrimSuffix(compact(text), "€"), ",", ".")
	if text == "" {
		return 0, true
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e9 {
		return 0, false
	}
	return int64(math.Round(v * 100)), true
}

// compact leaves the spaces of thousands out.
func compact(s string) string {
	return strings.Map(func(c rune) rune {
		if slices.Contains([]rune{' ', '\u00a0', '\u202f', '\t'}, c) {
			return -1
		}
		return c
	}, s)
}

// centsField is what a price field holds at first.
func centsField(cents int64) string {
	if cents == 0 {
		return ""
	}
	return strings.ReplaceAll(strconv.FormatFloat(float64(cents)/100, 'f', 2, 64), ".", ",")
}

func (s *Server) stockRoutes() {
	s.stockOverviewRoutes()
	s.stockItemRoutes()
	s.stockLedgerRoutes()
	s.stockPlaceRoutes()
	s.stockReceiveRoutes()
	s.stockImportRoutes()
	s.partsRoutes()
	s.navEntry(entry{order: 350, key: "stock.title", icon: "package", href: "/stock", right: auth.ManageStock})
	s.findable("stock.find", findItems)
}

// findItems goes to an item by its name or its reference.
func findItems(r *Request, query string) ([]Destination, error) {
	if !r.Who.Can(auth.ManageStock) {
		return nil, nil
	}
	st, err := r.Server.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return nil, err
	}
	var found []Destination
	for _, i := range st.Items {
		if len(found) < 8 && !i.Archived && matches(i.Name+" "+i.Reference, query) {
			found = append(found, Destination{Label: i.Name, Note: r.Int(st.Total(i.ID)), Icon: "package", Href: "/stock/items/" + id(i.ID)})
		}
	}
	return found, nil
}

// levelBadge says how an item stands.
func (r *Request) levelBadge(i stock.Item, total int64) Badge {
	switch {
	case i.Archived:
		return Badge{Icon: "archive", Word: r.T("stock.state.archived")}
	case i.Short(total) && total == 0:
		return Badge{Icon: "circle-alert", Tone: "critical", Word: r.T("stock.state.out")}
	case total == 0:
		return Badge{Icon: "minus", Word: r.T("stock.state.out")}
	case i.Short(total):
		return Badge{Icon: "triangle-alert", Tone: "warning", Word: r.T("stock.state.short")}
	}
	return Badge{Icon: "circle-check", Tone: "good", Word: r.T("stock.state.ok")}
}
