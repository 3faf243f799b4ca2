package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/intake/table"
	"statincidents/internal/sheet"
	"statincidents/internal/stock"
)

// stockImportPage takes a list of items in two steps: what it would change,
// then the change.
type stockImportPage struct {
	Page

	Form    *Form
	Fields  []Field
	Key     string // of the kept file, once it was read
	Summary string
	Table   Table
	Nothing bool
}

var stockImportView = newView[stockImportPage]("page_stock_import.html", shell)

const stockImportBytes = 4 << 20 // of a file

func (s *Server) stockImportRoutes() {
	manage := needs(auth.ManageStock)
	s.page("GET /stock/import", s.stockImport, manage)
	s.page("POST /stock/import", s.previewStock, manage, accepts(stockImportBytes+1<<20), lasts(importTime))
	s.page("POST /stock/import/confirm", s.importStock, manage, lasts(importTime))
}

func (s *Server) stockImport(r *Request) error {
	return s.showStockImport(r, http.StatusOK, r.Blank(), "", nil)
}

func (s *Server) showStockImport(r *Request, status int, f *Form, key string, changes []stock.Change) error {
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &stockImportPage{Page: Page{Title: r.T("stock.import.title"), Lede: r.T("stock.import.lede"), Crumbs: r.stockCrumbs()}, Form: f, Key: key}
	p.Fields = []Field{
		f.File("file", r.T("stock.import.file"), ".csv,.tsv,.txt,.xlsx").Must().Hinted(r.T("stock.import.columns")),
		f.Select("place", r.T("stock.field.place"), r.placeOptions(st, 0, r.T("stock.import.no_place"))).Hinted(r.T("stock.import.place")),
	}
	if key != "" {
		p.Table = Table{Printer: r.Printer, Caption: r.T("stock.import.changes"), Hide: true, Stacked: true, Columns: []Column{
			{Label: r.T("stock.import.line"), Num: true}, {Label: r.T("stock.field.item"), Lead: true, Wrap: true}, {Label: r.T("stock.import.change"), Wrap: true}, {Label: r.T("stock.field.quantity"), Wrap: true},
		}}
		done := 0
		for _, c := range changes {
			what, tone := r.T("stock.import.same"), ""
			switch {
			case c.Err != nil:
				_, fields := r.Error(c.Err)
				what, tone = r.T("stock.import.left", "why", strings.Join(slices.Sorted(values(fields)), " ")), "critical"
			case c.New:
				what, tone = r.T("stock.import.new"), "good"
			case c.Edited:
				what = r.T("stock.import.edited")
			}
			if c.Err == nil && (c.New || c.Edited || c.Moved) {
				done++
			}
			quantity := ""
			if c.Moved && c.Err == nil {
				quantity = c.Place + " : " + r.Int(c.From) + " → " + r.Int(c.To)
			}
			badge := Badge{Icon: "info", Word: what, Tone: tone}
			p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: r.Int(c.Line)}, {Text: c.Name}, {Badge: &badge}, {Text: quantity}}})
		}
		p.Summary, p.Nothing = r.N("stock.import.count", done), done == 0
	}
	return stockImportView.show(r, status, p)
}

func values[K comparable, V any](m map[K]V) func(func(V) bool) {
	return func(yield func(V) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// previewStock says what a list would change, and keeps it.
func (s *Server) previewStock(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	file, header, err := r.FormFile("file")
	var changes []stock.Change
	var key string
	if err != nil {
		err = fault.InvalidField("file", "error.field.required")
	} else {
		defer file.Close()
		var rows []stock.Row
		if rows, err = s.stockRows(r, f, file); err == nil {
			changes, err = s.deps.Stock.Import(r.Context(), r.Who, rows, false)
		}
		if err == nil {
			if _, err = file.Seek(0, io.SeekStart); err == nil {
				key, err = s.kept.keep(r.Now(), keptFile{account: r.Who.Account, name: header.Filename, form: f.values}, file)
			}
		}
	}
	if f.Refused(err) {
		return s.showStockImport(r, status(err), f, "", nil)
	}
	if err != nil {
		return err
	}
	return s.showStockImport(r, http.StatusOK, f, key, changes)
}

// importStock brings in the list that was seen.
func (s *Server) importStock(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	kept, ok := s.kept.take(r.Now(), f.Get("key"), r.Who.Account)
	if !ok {
		err := fault.InvalidField("file", "error.stock.import_gone")
		f.Refused(err)
		return s.showStockImport(r, status(err), f, "", nil)
	}
	defer kept.drop()
	data, err := os.ReadFile(kept.path)
	if err != nil {
		return err
	}
	seen := &Form{Printer: r.Printer, values: kept.form}
	rows, err := s.stockRows(r, seen, bytes.NewReader(data))
	var changes []stock.Change
	if err == nil {
		changes, err = s.deps.Stock.Import(r.Context(), r.Who, rows, true)
	}
	if seen.Refused(err) {
		return s.showStockImport(r, status(err), seen, "", nil)
	}
	if err != nil {
		return err
	}
	changes = slices.DeleteFunc(changes, func(c stock.Change) bool { return c.Err != nil || !c.New && !c.Edited && !c.Moved })
	if err := r.Say(Notice{Text: r.N("stock.import.done", len(changes))}); err != nil {
		return err
	}
	return r.Redirect("/stock")
}

// stockColumns are the names, without accents, under which a column is known.
var stockColumns = map[string][]string{
	"reference": {"reference", "ref", "code"}, "name": {"article", "nom", "designation", "libelle", "item", "name"}, "kind": {"famille", "categorie", "type", "family"},
	"unit": {"unite", "unit"}, "price": {"prix unitaire", "prix unitaire (€)", "prix", "unit price", "unit price (€)", "price"}, "supplier": {"fournisseur", "supplier"},
	"minimum": {"minimum", "mini", "seuil"}, "wanted": {"quantite voulue", "voulu", "wanted"}, "quantity": {"quantite", "qte", "stock", "quantity"}, "place": {"lieu", "emplacement", "place"},
}

// stockRows reads a list: a column a field, and a column a place where each
// item is counted, as the export has them.
func (s *Server) stockRows(r *Request, f *Form, in io.Reader) ([]stock.Row, error) {
	lines, err := readLines(in, stock.MaxItems)
	if err != nil {
		return nil, err
	}
	st, err := s.deps.Stock.Stock(r.Context(), r.Who)
	if err != nil {
		return nil, err
	}
	header := lines[0]
	column, places := map[string]int{}, map[int]string{}
	for k, title := range header {
		word := strings.TrimSpace(fold(title))
		for name, words := range stockColumns {
			if _, taken := column[name]; slices.Contains(words, word) && !taken {
				column[name] = k
			}
		}
		for _, p := range st.Places {
			if p.Name == strings.TrimSpace(title) && !p.Archived {
				places[k] = p.Name
			}
		}
	}
	has := map[string]bool{}
	for name := range column {
		has[name] = true
	}
	if !has["name"] && !has["reference"] {
		return nil, fault.InvalidField("file", "error.stock.import_columns")
	}
	chosen, _ := st.Place(f.ID("place"))
	var rows []stock.Row
	for k, cells := range lines[1:] {
		rows = append(rows, rowsOf(k+2, cells, column, places, has, chosen.Name)...)
	}
	return rows, nil
}

// rowsOf makes the rows of one line: one, or one a place that it counts.
func rowsOf(line int, cells []string, column map[string]int, places map[int]string, has map[string]bool, chosen string) []stock.Row {
	cell := func(name string) string {
		k, ok := column[name]
		if !ok || k >= len(cells) {
			return ""
		}
		return strings.TrimPrefix(strings.TrimSpace(cells[k]), "'")
	}
	row := stock.Row{Line: line, Has: has, Item: stock.Item{Reference: cell("reference"), Name: cell("name"), Kind: cell("kind"), Unit: cell("unit"), Supplier: cell("supplier")}}
	if row.Item.Reference == "" && row.Item.Name == "" {
		return nil
	}
	// A number that is none is out of every range: the row is left out, and told.
	row.Item.Minimum, row.Item.Wanted = listedCount(cell("minimum")), listedCount(cell("wanted"))
	var ok bool
	if row.Item.Price, ok = parseEuros(cell("price")); !ok {
		row.Item.Price = -1
	}
	var all []stock.Row
	for k, place := range places {
		if k < len(cells) && strings.TrimSpace(cells[k]) != "" {
			counted := row
			counted.Place, counted.Quantity, counted.Counted = place, listedCount(cells[k]), true
			all = append(all, counted)
		}
	}
	if len(places) == 0 && cell("quantity") != "" {
		row.Quantity, row.Place = listedCount(cell("quantity")), chosen
		if has["place"] {
			row.Place = cell("place")
		}
		row.Counted = row.Place != ""
	}
	if len(all) == 0 {
		return []stock.Row{row}
	}
	slices.SortFunc(all, func(a, b stock.Row) int { return strings.Compare(a.Place, b.Place) })
	return all
}

// listedCount reads a quantity; -1 for what is none.
func listedCount(text string) int64 {
	text = compact(strings.TrimSuffix(strings.TrimSpace(text), ".0"))
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// readLines reads a CSV, as people send them, or the first sheet of a workbook,
// of no more than so many lines.
func readLines(in io.Reader, most int) ([][]string, error) {
	data, err := io.ReadAll(io.LimitReader(in, stockImportBytes+1))
	if err != nil {
		return nil, err
	}
	unread := fault.InvalidField("file", "error.stock.import_unread")
	if bytes.HasPrefix(data, []byte("PK")) {
		lines, err := sheet.Read(bytes.NewReader(data), most+1)
		if errors.Is(err, sheet.ErrTooLong) {
			return nil, fault.InvalidField("file", "error.stock.too_many", "max", most)
		}
		if err != nil || len(lines) == 0 {
			return nil, unread
		}
		return lines, nil
	}
	t, err := table.New(bytes.NewReader(data), table.Options{})
	if err != nil {
		return nil, unread
	}
	lines := [][]string{t.Header()}
	for {
		row, err := t.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, unread
		}
		if lines = append(lines, slices.Clone(row.Fields)); len(lines) > most {
			return nil, fault.InvalidField("file", "error.stock.too_many", "max", most)
		}
	}
}
