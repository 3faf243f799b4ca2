package web

import (
	"cmp"
	"fmt"
	"net/http"

	"statincidents/internal/fault"
	csvin "statincidents/internal/intake/csv"
)

// mappingPage says how a file is understood, lets it be corrected, shows what
// comes of it, and starts the import.
type mappingPage struct {
	Page

	Path    string
	Facts   string
	Guessed bool
	Form    *Form
	Text    []Field // how the file is written
	Rows    []Field // what a row is
	Updates []Field // of a log of updates
	Fields  []mappedField
	Keep    []Field // to save the profile
	Preview previewPart
	Trial   *trialView
	Busy    bool
}

// mappedField is one field of an incident: where it comes from, what its
// values mean.
type mappedField struct {
	Name    string
	Label   string
	Needed  bool
	From    []Field // a column, or several for the category
	Text    *Field  // a constant or a template
	Values  []meaningRow
	More    []Field // default, unknown values…
	Summary string
}

type meaningRow struct {
	Written string
	Hidden  Hidden
	Field   Field
	Count   string
}

// previewPart shows the first rows as understood, and what is wrong.
type previewPart struct {
	Page

	Refused  []string // why there is no preview
	Table    Table
	Rejected []problemRow
	Doubts   []problemRow
	Ignored  string
	Read     string
}

type problemRow struct{ What, Mend, Where string }

// trialView is a dry run in the background, or what came of it.
type trialView struct {
	Page

	Path     string
	Running  bool
	Progress Progress
	Lines    []string
	Failed   string
}

var (
	mappingView = newView[mappingPage]("page_admin_imports_map.html", shell)
	trialPartV  = newFragment[trialView]("page_admin_imports_map.html", "trial")
)

// sampleRows is how much of a file the page looks at.
const sampleRows = 1000

func (s *Server) mapping(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	return s.showMapping(r, http.StatusOK, u, r.Blank())
}

func (s *Server) showMapping(r *Request, status int, u csvin.Upload, f *Form) error {
	path := importsPath + "/files/" + u.ID
	p := &mappingPage{
		Page: Page{Title: u.Name, Crumbs: r.adminCrumbs(Link{Label: r.T("admin.imports.title"), Href: importsPath})},
		Path: path, Guessed: u.Guessed, Form: f, Busy: s.deps.Importing.Busy(),
	}
	sample, err := s.deps.Importing.Sample(u, sampleRows)
	if fault.Is(err, fault.Invalid) { // a separator or an encoding that does not fit
		f.Refused(err)
		sample, err = csvin.Sample{}, nil
	}
	if err != nil {
		return err
	}
	m := &mapper{r: r, f: f, p: u.Profile, sample: sample}
	m.fill(p)
	p.Facts = Legend(r.Bytes(u.Size), r.N("admin.imports.columns", len(sample.Header)), r.T("admin.imports.encoding_is", "encoding", cmp.Or(sample.Format.Encoding, "—")))
	p.Preview = preview(r, u.Profile, sample)
	if t, ok := s.deps.Importing.Trial(u.ID); ok {
		v := trialOf(r, path, t)
		p.Trial = &v
	}
	return mappingView.show(r, status, p)
}

func (s *Server) correctMapping(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	sample, err := s.deps.Importing.Sample(u, sampleRows)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	m := &mapper{r: r, f: f, p: u.Profile, sample: sample}
	if u, err = s.deps.Importing.Correct(r.Who, u.ID, m.read()); err != nil {
		return err
	}
	path := importsPath + "/files/" + u.ID
	switch f.Get("then") {
	case "save":
		if err := s.deps.Imports.SaveProfile(r.Context(), r.Who, u.Profile); err != nil {
			return s.refusedMapping(r, u, f, err)
		}
		if err := r.Say(Notice{Text: r.T("admin.imports.profile_saved", "name", profileTitle(r, u.Profile))}); err != nil {
			return err
		}
	case "try":
		if _, err := s.deps.Importing.Start(r.Context(), r.Who, u.ID, true, r.Printer); err != nil {
			return s.refusedMapping(r, u, f, err)
		}
		path += "#trial"
	case "import":
		run, err := s.deps.Importing.Start(r.Context(), r.Who, u.ID, false, r.Printer)
		if err != nil {
			return s.refusedMapping(r, u, f, err)
		}
		path = importsPath + "/runs/" + id(run)
	default:
		// What a script sends while one corrects, and the button without one.
		if r.Fragmentary() {
			return s.showMapping(r, http.StatusOK, u, f)
		}
	}
	return r.Redirect(path)
}

// refusedMapping shows the form again with what its profile lacks.
func (s *Server) refusedMapping(r *Request, u csvin.Upload, f *Form, err error) error {
	if !f.Refused(err) {
		return err
	}
	f.refused = map[string]string{}
	for i, text := range r.profileFaults(err) {
		f.refused[fmt.Sprintf("%03d", i)] = text
	}
	if fault.Is(err, fault.Conflict) {
		f.refused = nil
	}
	return s.showMapping(r, status(err), u, f)
}

func trialOf(r *Request, path string, t csvin.TaskState) trialView {
	v := trialView{Page: Page{Printer: r.Printer}, Path: path, Running: t.Running}
	switch {
	case t.Running:
		v.Progress = r.importProgressOf(t, r.T("admin.imports.trial_running"))
	case t.Err != nil:
		v.Failed, _ = r.Error(t.Err)
	default:
		v.Lines = t.Report.Lines(r.Printer)
	}
	return v
}

// importProgressOf says how far an import is.
func (r *Request) importProgressOf(t csvin.TaskState, label string) Progress {
	p := Progress{ID: "import", Label: label, Done: int(t.Share() * 1000), Total: 1000}
	switch {
	case t.Progress.Total == 0 && t.Progress.Size > 0:
		p.Said = r.T("admin.imports.reading", "done", r.Bytes(t.Progress.Bytes), "size", r.Bytes(t.Progress.Size))
	case t.Progress.Total == 0:
		p.Said = r.T("common.loading")
	case t.Rate == 0:
		p.Said = r.T("admin.imports.writing_first", "rows", t.Progress.Rows, "total", t.Progress.Total)
	default:
		p.Said = r.T("admin.imports.writing", "rows", t.Progress.Rows, "total", t.Progress.Total, "rate", int(t.Rate), "left", r.Duration(t.Left))
	}
	return p
}

func (s *Server) trialPart(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	t, ok := s.deps.Importing.Trial(u.ID)
	if !ok {
		return fault.New(fault.NotFound, "error.not_found")
	}
	if !t.Running { // the rest of the page waited for it
		r.W.Header().Set("Hx-Refresh", "true")
	}
	return trialPartV.show(r, trialOf(r, importsPath+"/files/"+u.ID, t))
}

func (s *Server) cancelTrial(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err == nil {
		err = s.deps.Importing.Cancel(r.Who, 0, u.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) || u.ID == "" {
		return err
	}
	return r.Redirect(importsPath + "/files/" + u.ID)
}

func (s *Server) confirmForget(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	back := importsPath + "/files/" + u.ID
	return r.Confirm(Confirm{
		Title: r.T("admin.imports.forget", "file", u.Name), Text: r.T("admin.imports.forget_text"), Verb: r.T("common.delete"), Action: r.URL.Path, Cancel: back,
		Crumbs: r.adminCrumbs(Link{Label: r.T("admin.imports.title"), Href: importsPath}, Link{Label: u.Name, Href: back}),
	})
}

func (s *Server) forgetUpload(r *Request) error {
	if err := s.deps.Importing.Forget(r.Who, r.PathValue("file")); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.imports.forgotten")}); err != nil {
		return err
	}
	return r.Redirect(importsPath)
}
