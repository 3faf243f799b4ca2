package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/intake/places"
)

// directoryImportPage takes a file in two steps: what it would change, then
// the change.
type directoryImportPage struct {
	Page

	Form    *Form
	Kind    Field
	Fields  []Field
	Preview *importPreview
}

// importPreview says what a file would change.
type importPreview struct {
	File     string
	Key      string // of the kept file
	Counts   []importCount
	Columns  []fact
	Steps    *Table
	More     string
	Rejected *Table
	Worse    string // more rejected rows than are shown
	Nothing  string
	Verb     string
}

type importCount struct{ N, What string }

var directoryImportView = newView[directoryImportPage]("page_admin_directory_import.html", shell)

// Limits of an import's page.
const (
	importBytes = 32 << 20         // of a file
	importTime  = 2 * 60e9         // to read it
	shownSteps  = 200              // of a preview
	keptFiles   = 8                // between preview and import, by everybody
	keptFor     = 60 * time.Minute // from the preview
)

func (s *Server) directoryImportRoutes() {
	s.page("GET /admin/directory/import", s.directoryImport, needs(auth.ImportData))
	s.page("POST /admin/directory/import", s.previewDirectory, needs(auth.ImportData), accepts(importBytes), lasts(importTime))
	s.page("POST /admin/directory/import/confirm", s.importDirectory, needs(auth.ImportData), lasts(importTime))
}

func (s *Server) directoryImport(r *Request) error {
	return s.showDirectoryImport(r, http.StatusOK, r.Blank("kind", "schools"), nil)
}

func (s *Server) showDirectoryImport(r *Request, status int, f *Form, preview *importPreview) error {
	p := &directoryImportPage{Page: Page{Title: r.T("directory.import.title"), Lede: r.T("directory.import.lede"), Crumbs: r.directoryCrumbs()}, Form: f, Preview: preview}
	p.Kind = f.Choices("kind", r.T("directory.import.kind"), []Option{
		{Value: "schools", Label: r.T("directory.import.schools"), Icon: "school"}, {Value: "counts", Label: r.T("directory.import.counts"), Icon: "laptop"},
	}).Plain()
	p.Fields = []Field{
		f.File("file", r.T("directory.import.file"), ".csv,.txt,.tsv,.gz").Must().Hinted(r.T("directory.import.file.hint")),
		f.Input("date", "from", r.T("directory.import.from")).Hinted(r.T("directory.import.from.hint")),
		f.Text("departement", r.T("directory.import.departement")).AtMost(3).Hinted(r.T("directory.import.departement.hint")),
		f.Check("free", r.T("directory.import.free")).Hinted(r.T("directory.import.free.hint")),
	}
	return directoryImportView.show(r, status, p)
}

// placesImport is one of the two kinds of file with what was chosen for it.
type placesImport struct {
	dir    *directory.Service
	counts bool
	o      places.SchoolOptions
}

func (s *Server) placesImport(f *Form) (placesImport, error) {
	var wrong fault.Fields
	p := placesImport{dir: s.deps.Directory, counts: f.Get("kind") == "counts"}
	p.o = places.SchoolOptions{Departement: strings.TrimSpace(f.Get("departement")), PublicOnly: true, FreeCodes: f.Checked("free"), From: dayField(&wrong, f, "from")}
	return p, wrong.Err()
}

func (p placesImport) run(ctx context.Context, by auth.Identity, in io.Reader, really bool) (*places.Report, error) {
	schools, counts := places.PreviewSchools, places.PreviewExposures
	if really {
		schools, counts = places.ImportSchools, places.ImportExposures
	}
	if p.counts {
		return counts(ctx, p.dir, by, in, places.ExposureOptions{Options: p.o.Options, From: p.o.From})
	}
	return schools(ctx, p.dir, by, in, p.o)
}

// previewDirectory says what the file would change, and keeps it.
func (s *Server) previewDirectory(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		err = fault.InvalidField("file", "error.field.required")
	}
	what, wrong := s.placesImport(f)
	if err == nil {
		defer file.Close()
		err = wrong
	}
	var report *places.Report
	if err == nil {
		report, err = what.run(r.Context(), r.Who, file, false)
	}
	var key string
	if err == nil {
		if _, err = file.Seek(0, io.SeekStart); err == nil {
			key, err = s.kept.keep(r.Now(), keptFile{account: r.Who.Account, name: header.Filename, form: f.values}, file)
		}
	}
	if err != nil {
		if f.Refused(err) {
			return s.showDirectoryImport(r, status(err), f, nil)
		}
		return err
	}
	return s.showDirectoryImport(r, http.StatusOK, f, r.preview(report, header.Filename, key))
}

func (r *Request) preview(report *places.Report, name, key string) *importPreview {
	p := &importPreview{File: name, Key: key}
	for _, action := range []places.Action{places.Add, places.Change, places.Remove} {
		if n := report.Count(action); n > 0 {
			p.Counts = append(p.Counts, importCount{r.Int(n), r.T("directory.import.will." + string(action))})
		}
	}
	for _, c := range []struct {
		key string
		n   int
	}{{"same", report.Same}, {"skipped", report.Skipped}, {"rejected", len(report.Rejected)}} {
		if c.n > 0 {
			p.Counts = append(p.Counts, importCount{r.Int(c.n), r.T("directory.import." + c.key)})
		}
	}
	for _, field := range slices.Sorted(keys(report.Mapping)) {
		p.Columns = append(p.Columns, fact{Label: r.T("directory.field." + field), Text: report.Mapping[field]})
	}
	if len(report.Steps) == 0 {
		p.Nothing = r.T("directory.import.nothing")
	} else {
		p.Verb = r.N("directory.import.confirm", len(report.Steps))
		p.Steps = r.stepsTable(report.Steps[:min(len(report.Steps), shownSteps)])
	}
	if len(report.Steps) > shownSteps {
		p.More = r.T("directory.import.more", "n", shownSteps, "all", len(report.Steps))
	}
	if len(report.Rejected) > 0 {
		p.Rejected = r.rejectedTable(report.Rejected[:min(len(report.Rejected), shownSteps)])
	}
	if len(report.Rejected) > shownSteps {
		p.Worse = r.T("directory.import.more", "n", shownSteps, "all", len(report.Rejected))
	}
	return p
}

func (r *Request) stepsTable(steps []places.Step) *Table {
	t := &Table{Printer: r.Printer, Caption: r.T("directory.import.changes"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("directory.import.what"), Lead: true}, {Label: r.T("directory.import.action")}, {Label: r.T("directory.import.fields"), Wrap: true},
	}}
	icons := map[places.Action]Badge{places.Add: {Icon: "plus", Tone: "good"}, places.Change: {Icon: "pencil", Tone: "info"}, places.Remove: {Icon: "trash-2", Tone: "warning"}}
	for _, step := range steps {
		badge := icons[step.Action]
		badge.Word = r.T("places.action." + string(step.Action))
		var changes []string
		for _, d := range step.Fields {
			from := d.From
			if from == "" {
				from = "—"
			}
			changes = append(changes, r.Label(r.T("directory.field."+d.Field))+r.T("directory.import.difference", "from", from, "to", d.To))
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{{Text: step.What}, {Badge: &badge}, {Text: Legend(changes...)}}})
	}
	return t
}

func (r *Request) rejectedTable(rejected []places.Rejection) *Table {
	t := &Table{Printer: r.Printer, Caption: r.T("directory.import.rejected.title"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("directory.import.line"), Lead: true}, {Label: r.T("directory.import.column")}, {Label: r.T("directory.import.value"), Wrap: true}, {Label: r.T("directory.import.reason"), Wrap: true},
	}}
	for _, bad := range rejected {
		reason, _ := r.Error(&fault.Error{Code: fault.Invalid, Key: bad.Key, Args: bad.Args})
		t.Rows = append(t.Rows, TableRow{Cells: Cells(strconv.Itoa(bad.Line), bad.Column, bad.Value, reason)})
	}
	return t
}

// importDirectory does what the preview said.
func (s *Server) importDirectory(r *Request) error {
	kept, ok := s.kept.take(r.Now(), r.PostFormValue("key"), r.Who.Account)
	if !ok {
		f := r.Blank("kind", "schools")
		f.Summary = r.T("directory.import.gone")
		return s.showDirectoryImport(r, http.StatusUnprocessableEntity, f, nil)
	}
	defer kept.drop()
	what, err := s.placesImport(&Form{Printer: r.Printer, values: kept.form})
	if err != nil {
		return err
	}
	file, err := os.Open(kept.path)
	if err != nil {
		return fmt.Errorf("web: kept file: %w", err)
	}
	defer file.Close()
	report, err := what.run(r.Context(), r.Who, file, true)
	if err != nil {
		return err
	}
	text := r.N("directory.import.done", len(report.Steps))
	if bad := len(report.Rejected); bad > 0 {
		text += " " + r.N("directory.import.done.rejected", bad)
	}
	if err := r.Say(Notice{Text: text, Link: &Link{Label: r.T("schools.title"), Href: "/schools"}}); err != nil {
		return err
	}
	return r.Redirect(directoryPath)
}

// keptFile is a file between its preview and its import, in the temporary
// folder, with what was chosen for it.
type keptFile struct {
	account int64
	name    string
	form    url.Values
	path    string
	at      time.Time
}

func (k keptFile) drop() { _ = os.Remove(k.path) }

// keptFileStore keeps few files for a short time; what is lost is sent again.
type keptFileStore struct {
	mu    sync.Mutex
	files map[string]keptFile
}

// keep copies a file and gives the key under which its owner finds it.
func (s *keptFileStore) keep(now time.Time, k keptFile, in io.Reader) (string, error) {
	out, err := os.CreateTemp("", "statincidents-import-*")
	if err != nil {
		return "", fmt.Errorf("web: keep a file: %w", err)
	}
	k.path, k.at = out.Name(), now
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		k.drop()
		return "", fmt.Errorf("web: keep a file: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]keptFile{}
	}
	s.clean(now)
	key := newOnce()
	s.files[key] = k
	return key, nil
}

// clean forgets what is too old and, if there are too many, the oldest.
func (s *keptFileStore) clean(now time.Time) {
	oldest := ""
	for key, k := range s.files {
		if now.Sub(k.at) > keptFor {
			k.drop()
			delete(s.files, key)
		} else if oldest == "" || k.at.Before(s.files[oldest].at) {
			oldest = key
		}
	}
	if len(s.files) >= keptFiles {
		s.files[oldest].drop()
		delete(s.files, oldest)
	}
}

// take gives a kept file to its owner, once.
func (s *keptFileStore) take(now time.Time, key string, account int64) (keptFile, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.files[key]
	if !ok || k.account != account || now.Sub(k.at) > keptFor {
		return keptFile{}, false
	}
	delete(s.files, key)
	return k, true
}
