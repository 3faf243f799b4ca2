package web

import (
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	csvin "statincidents/internal/intake/csv"
)

// importRunPage is one import: how far it is, or what came of it, and the rows
// that it could not take, to be mended and imported again.
type importRunPage struct {
	Page

	ID       int64
	Path     string
	State    Badge
	Facts    string
	Running  bool
	Live     *importLive // made by this server, now
	Keys     []KeyFigure
	Lines    []string
	Failed   string
	Resume   bool
	Parent   string
	Rejects  []rejectRow
	Left     int // rejected rows that are not shown
	Total    int
	Form     *Form
	Profile  Field
	Busy     bool
	Download string
}

// importLive is the part that changes while an import runs.
type importLive struct {
	Page

	Path     string
	Progress Progress
	Counts   string
}

// rejectRow is a rejected row with the controls that mend it.
type rejectRow struct {
	ID    int64
	Line  string
	What  string
	Mend  string
	Wrong *Field  // the value concerned
	Rest  []Field // the others
}

var (
	importRunView  = newView[importRunPage]("page_admin_imports_run.html", shell)
	importLiveView = newFragment[importLive]("page_admin_imports_run.html", "live")
)

// mendedRows is how many rejected rows can be mended on the page; the file
// holds them all.
const mendedRows = 20

func (s *Server) importRun(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	return s.showImport(r, http.StatusOK, number, r.Blank())
}

func (s *Server) showImport(r *Request, status int, number int64, f *Form) error {
	run, err := s.deps.Imports.Run(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	accounts, err := s.deps.Auth.Names(r.Context())
	if err != nil {
		return err
	}
	who := accounts[run.Account]
	if who == "" {
		who = r.T("admin.imports.command")
	}
	path := importsPath + "/runs/" + id(number)
	p := &importRunPage{
		Page: Page{Title: run.FileName, Crumbs: r.adminCrumbs(Link{Label: r.T("admin.imports.title"), Href: importsPath})},
		ID:   number, Path: path, State: r.statusBadge(run.Status), Running: run.Status == csvin.Running, Form: f, Busy: s.deps.Importing.Busy(),
	}
	size := ""
	if run.FileSize > 0 {
		size = r.Bytes(run.FileSize)
	}
	p.Facts = Legend(r.T("admin.imports.number", "n", number), who, r.DateTime(run.StartedAt), size)
	if run.Parent != 0 {
		p.Parent = importsPath + "/runs/" + id(run.Parent)
	}
	if t, ok := s.deps.Importing.State(number); ok && t.Running {
		live := r.importLive(path, t)
		p.Live, p.Running = &live, true
		return importRunView.show(r, status, p)
	}
	rep := run.Report
	p.Keys = []KeyFigure{
		{Label: r.T("admin.imports.rows"), Value: r.Int(rep.Rows)}, {Label: r.T("admin.imports.created"), Value: r.Int(rep.Created)},
		{Label: r.T("admin.imports.updated"), Value: r.Int(rep.Updated)}, {Label: r.T("admin.imports.unchanged"), Value: r.Int(rep.Unchanged)},
		{Label: r.T("admin.imports.rejected"), Value: r.Int(rep.Rejected)},
	}
	p.Lines = rep.Lines(r.Printer)
	if run.Status == csvin.Failed {
		p.Failed = r.T("admin.imports.failed")
	}
	if run.Status != csvin.Done && run.Status != csvin.Running {
		_, p.Resume, err = s.deps.Importing.UploadOf(r.Who, number)
		if err != nil {
			return err
		}
	}
	if err := s.rejected(r, run, p); err != nil {
		return err
	}
	return importRunView.show(r, status, p)
}

// rejected fills the rows to be mended.
func (s *Server) rejected(r *Request, run csvin.Run, p *importRunPage) error {
	const page = 500
	for after := int64(0); ; {
		list, err := s.deps.Imports.Rejects(r.Context(), r.Who, run.ID, after, page)
		if err != nil {
			return err
		}
		for _, row := range list {
			after = row.ID
			if row.MendedBy != 0 || row.Reason == csvin.Companion {
				continue
			}
			p.Total++
			if len(p.Rejects) < mendedRows {
				p.Rejects = append(p.Rejects, p.mend(r, run.Header, row))
			}
		}
		if len(list) < page {
			break
		}
	}
	p.Left = p.Total - len(p.Rejects)
	if p.Total == 0 {
		return nil
	}
	p.Download = p.Path + "/rejects.csv"
	profiles, err := s.deps.Imports.Profiles(r.Context(), r.Who)
	if err != nil {
		return err
	}
	options := []Option{{Label: r.T("admin.imports.same_profile")}}
	for _, stored := range profiles {
		options = append(options, Option{Value: stored.Profile.Name, Label: profileTitle(r, stored.Profile)})
	}
	p.Profile = p.Form.Select("profile", r.T("admin.imports.profile"), options).Plain()
	return nil
}

func (p *importRunPage) mend(r *Request, header []string, row csvin.Rejected) rejectRow {
	out := rejectRow{
		ID: row.ID, Line: r.T("admin.imports.line", "line", row.Line),
		What: r.T("intake.reason."+string(row.Reason), row.Args...), Mend: r.T("intake.mend."+string(row.Reason), row.Args...),
	}
	if row.Reason == csvin.Truncated {
		return out // there is nothing to mend in what is not there
	}
	for i := range max(len(header), len(row.Row)) {
		value, name := "", ""
		if i < len(row.Row) {
			value = row.Row[i]
		}
		if i < len(header) {
			name = header[i]
		}
		field := "r" + id(row.ID) + "." + strconv.Itoa(i)
		if !p.Form.values.Has(field) {
			p.Form.values.Set(field, value)
		}
		label := name
		if label == "" {
			label = r.T("admin.imports.value_n", "n", i+1)
		}
		c := p.Form.Text(field, label).Plain()
		if strings.Contains(value, "\n") {
			c = p.Form.Area(field, label).Plain()
		}
		if name != "" && name == row.Column {
			out.Wrong = &c
		} else {
			out.Rest = append(out.Rest, c)
		}
	}
	return out
}

func (r *Request) importLive(path string, t csvin.TaskState) importLive {
	p := t.Progress
	return importLive{
		Page: Page{Printer: r.Printer}, Path: path, Progress: r.importProgressOf(t, r.T("admin.imports.running")),
		Counts: Legend(r.N("admin.imports.tickets", p.Tickets), r.N("admin.imports.rejected_count", p.Rejected)),
	}
}

// importProgress is asked for while an import runs; at its end the page is to
// be read again.
func (s *Server) importProgress(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	path := importsPath + "/runs/" + id(number)
	t, ok := s.deps.Importing.State(number)
	if !ok || !t.Running {
		return r.Redirect(path)
	}
	return importLiveView.show(r, r.importLive(path, t))
}

func (s *Server) importRejects(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	if _, err := s.deps.Imports.Run(r.Context(), r.Who, number); err != nil {
		return err
	}
	r.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	r.W.Header().Set("Content-Disposition", `attachment; filename="import-`+id(number)+`-rejects.csv"`)
	return s.deps.Imports.WriteRejects(r.Context(), r.Who, number, r.W, r.Printer)
}

func (s *Server) cancelImport(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	if err := s.deps.Importing.Cancel(r.Who, number, ""); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return r.Redirect(importsPath + "/runs/" + id(number))
}

func (s *Server) resumeImport(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	u, ok, err := s.deps.Importing.UploadOf(r.Who, number)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.NotFound, "error.not_found")
	}
	run, err := s.deps.Importing.Start(r.Context(), r.Who, u.ID, false, r.Printer)
	if err != nil {
		return err
	}
	return r.Redirect(importsPath + "/runs/" + id(run))
}

// replayImport imports the rejected rows again, as mended on the page.
func (s *Server) replayImport(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	run, err := s.deps.Imports.Run(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	var profile csvin.Profile
	if name := f.Get("profile"); name != "" {
		if profile, err = s.deps.Imports.Profile(r.Context(), r.Who, name); err != nil {
			return err
		}
	}
	mended := map[int64][]string{}
	for _, v := range f.All("row") {
		row, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			continue
		}
		var fields []string
		for i := range run.Header {
			fields = append(fields, f.Get("r"+v+"."+strconv.Itoa(i)))
		}
		mended[row] = fields
	}
	again, err := s.deps.Importing.StartReplay(r.Context(), r.Who, number, mended, profile, r.Printer)
	if f.Refused(err) {
		return s.showImport(r, status(err), number, f)
	}
	if err != nil {
		return err
	}
	return r.Redirect(importsPath + "/runs/" + id(again))
}
