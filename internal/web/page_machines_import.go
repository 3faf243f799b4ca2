package web

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/machine"
)

// machineImportPage takes a list of machines in two steps: what it would
// change, then the change.
type machineImportPage struct {
	Page

	Form    *Form
	Fields  []Field
	Key     string // of the kept file, once it was read
	Summary string
	Table   *Table // of the lines left out
	Nothing bool
}

var machineImportView = newView[machineImportPage]("page_machines_import.html", shell)

const (
	machinesPath = "/renewal/machines"
	leftOutShown = 50
)

func (s *Server) machineImportRoutes() {
	edit := needs(auth.EditDirectory)
	s.page("GET /renewal/machines", s.machineImport, edit)
	s.page("POST /renewal/machines", s.previewMachines, edit, accepts(stockImportBytes+1<<20), lasts(importTime))
	s.page("POST /renewal/machines/confirm", s.importMachines, edit, lasts(importTime))
}

func (s *Server) machineImport(r *Request) error {
	return s.showMachineImport(r, http.StatusOK, r.Blank(), "", nil)
}

func (s *Server) showMachineImport(r *Request, status int, f *Form, key string, changes []machine.Change) error {
	p := &machineImportPage{
		Page: Page{Title: r.T("renewal.import.title"), Lede: r.T("renewal.import.lede"), Crumbs: []Link{{Label: r.T("renewal.title"), Href: "/renewal"}}},
		Form: f, Key: key,
	}
	p.Fields = []Field{f.File("file", r.T("renewal.import.file"), ".csv,.tsv,.txt,.xlsx").Must().Hinted(r.T("renewal.import.columns"))}
	if key != "" {
		fresh, edited, left := 0, 0, 0
		t := &Table{Printer: r.Printer, Caption: r.T("renewal.import.left"), Stacked: true, Columns: []Column{{Label: r.T("renewal.import.line"), Num: true}, {Label: r.T("renewal.import.label"), Lead: true}, {Label: r.T("renewal.import.why"), Wrap: true}}}
		for _, c := range changes {
			switch {
			case c.Err != nil:
				if left++; left <= leftOutShown {
					_, fields := r.Error(c.Err)
					t.Rows = append(t.Rows, TableRow{Cells: Cells(r.Int(c.Line), c.Label, strings.Join(slices.Sorted(values(fields)), " "))})
				}
			case c.New:
				fresh++
			case !c.Same:
				edited++
			}
		}
		if left > 0 {
			p.Table = t
		}
		p.Summary = r.T("renewal.import.summary", "new", r.Int(fresh), "edited", r.Int(edited), "left", r.Int(left))
		p.Nothing = fresh+edited == 0
	}
	return machineImportView.show(r, status, p)
}

// previewMachines says what a list would change, and keeps it.
func (s *Server) previewMachines(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	file, header, err := r.FormFile("file")
	var changes []machine.Change
	var key string
	if err != nil {
		err = fault.InvalidField("file", "error.field.required")
	} else {
		defer file.Close()
		var rows []machine.Row
		if rows, err = machineRows(file); err == nil {
			changes, err = s.deps.Machines.Import(r.Context(), r.Who, rows, false)
		}
		if err == nil {
			if _, err = file.Seek(0, io.SeekStart); err == nil {
				key, err = s.kept.keep(r.Now(), keptFile{account: r.Who.Account, name: header.Filename, form: f.values}, file)
			}
		}
	}
	if f.Refused(err) {
		return s.showMachineImport(r, status(err), f, "", nil)
	}
	if err != nil {
		return err
	}
	return s.showMachineImport(r, http.StatusOK, f, key, changes)
}

// importMachines brings in the list that was seen.
func (s *Server) importMachines(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	kept, ok := s.kept.take(r.Now(), f.Get("key"), r.Who.Account)
	if !ok {
		err := fault.InvalidField("file", "error.stock.import_gone")
		f.Refused(err)
		return s.showMachineImport(r, status(err), f, "", nil)
	}
	defer kept.drop()
	data, err := os.ReadFile(kept.path)
	if err != nil {
		return err
	}
	rows, err := machineRows(bytes.NewReader(data))
	if err != nil {
		return err
	}
	changes, err := s.deps.Machines.Import(r.Context(), r.Who, rows, true)
	if err != nil {
		return err
	}
	changes = slices.DeleteFunc(changes, func(c machine.Change) bool { return c.Err != nil || c.Same })
	if err := r.Say(Notice{Text: r.N("renewal.import.done", len(changes))}); err != nil {
		return err
	}
	return r.Redirect("/renewal")
}

// machineColumns are the names, without accents, under which a column is known.
var machineColumns = map[string][]string{
	"label": {"etiquette", "numero de bien", "numero", "n° de bien", "label", "asset number", "poste"}, "model": {"modele", "lot", "model"},
	"school": {"college", "uai", "school", "code uai"}, "purchased": {"achat", "achete le", "date d'achat", "mise en service", "purchased", "purchase date"},
	"retired": {"sortie", "sorti le", "date de sortie", "retired", "retired on"}, "why": {"motif", "motif de sortie", "why", "reason"},
}

// machineWhys are the words of a reason, without accents.
var machineWhys = map[string]machine.Why{
	"panne": machine.Broken, "hs": machine.Broken, "broken": machine.Broken, "renouvellement": machine.Renewed, "renouvele": machine.Renewed, "renewed": machine.Renewed,
	"perdu": machine.Lost, "vole": machine.Lost, "vol": machine.Lost, "lost": machine.Lost, "autre": machine.Other, "other": machine.Other, "": "",
}

func machineRows(in io.Reader) ([]machine.Row, error) {
	lines, err := readLines(in, machine.MaxMachines)
	if err != nil {
		return nil, err
	}
	column, has := map[string]int{}, map[string]bool{}
	for k, title := range lines[0] {
		word := strings.TrimSpace(fold(title))
		for name, words := range machineColumns {
			if slices.Contains(words, word) && !has[name] {
				column[name], has[name] = k, true
			}
		}
	}
	if !has["label"] {
		return nil, fault.InvalidField("file", "error.machine.columns")
	}
	var rows []machine.Row
	for k, cells := range lines[1:] {
		cell := func(name string) string {
			at, ok := column[name]
			if !ok || at >= len(cells) {
				return ""
			}
			return strings.TrimPrefix(strings.TrimSpace(cells[at]), "'")
		}
		if strings.Join(cells, "") == "" {
			continue
		}
		row := machine.Row{Line: k + 2, Has: has, UAI: cell("school"), Machine: machine.Machine{Label: cell("label"), Model: cell("model")}}
		day := func(name string) calendar.Day {
			d, ok := listedDay(cell(name))
			if !ok {
				row.Bad = name
			}
			return d
		}
		row.Machine.Purchased, row.Machine.Retired = day("purchased"), day("retired")
		why, ok := machineWhys[fold(cell("why"))]
		if !ok {
			why = machine.Other
		}
		row.Machine.RetiredWhy = why
		rows = append(rows, row)
	}
	return rows, nil
}

// listedDay reads a day as lists have it; 0 of nothing.
func listedDay(text string) (calendar.Day, bool) {
	if text == "" {
		return 0, true
	}
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006", time.DateTime, "02/01/2006 15:04", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return calendar.Date(t.Date()), true
		}
	}
	return 0, false
}
