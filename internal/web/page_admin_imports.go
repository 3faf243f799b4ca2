package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	csvin "statincidents/internal/intake/csv"
)

// importsPage lists the imports that were made, the files that wait, and the
// profiles; it takes a new file.
type importsPage struct {
	Page

	Form     *Form
	Profile  Field
	File     Field
	Most     string
	Waiting  []waitingRow
	Runs     Table
	NoRun    bool
	Profiles []profileRow
	TOMLForm *Form
	TOML     Field
}

type waitingRow struct{ Name, Note, Href string }

type profileRow struct {
	Name, Title, Export string
	Own                 bool
}

var importsView = newView[importsPage]("page_admin_imports.html", shell)

const (
	importsPath = "/admin/imports"
	uploadTime  = 15 * time.Minute // for a large file over a slow line
	runsShown   = 100
)

func (s *Server) adminImportsRoutes() {
	bring := needs(auth.ImportData)
	s.page("GET /admin/imports", s.imports, bring)
	s.page("POST /admin/imports", s.takeUpload, bring, accepts(csvin.MaxUpload+1<<20), lasts(uploadTime))
	s.page("POST /admin/imports/profiles", s.takeProfile, bring)
	s.page("GET /admin/imports/profiles/{name}", s.exportProfile, bring)
	s.page("GET /admin/imports/profiles/{name}/remove", s.confirmRemoveProfile, bring)
	s.page("POST /admin/imports/profiles/{name}/remove", s.removeProfile, bring)
	s.page("GET /admin/imports/files/{file}", s.mapping, bring)
	s.page("POST /admin/imports/files/{file}", s.correctMapping, bring)
	s.page("GET /admin/imports/files/{file}/trial", s.trialPart, bring)
	s.page("POST /admin/imports/files/{file}/cancel", s.cancelTrial, bring)
	s.page("GET /admin/imports/files/{file}/remove", s.confirmForget, bring)
	s.page("POST /admin/imports/files/{file}/remove", s.forgetUpload, bring)
	s.page("GET /admin/imports/runs/{id}", s.importRun, bring)
	s.page("GET /admin/imports/runs/{id}/progress", s.importProgress, bring)
	s.page("GET /admin/imports/runs/{id}/rejects.csv", s.importRejects, bring, lasts(exportTime))
	s.page("POST /admin/imports/runs/{id}/cancel", s.cancelImport, bring)
	s.page("POST /admin/imports/runs/{id}/resume", s.resumeImport, bring)
	s.page("POST /admin/imports/runs/{id}/again", s.replayImport, bring, accepts(16<<20))
	s.adminEntry(adminPart{order: 300, key: "admin.imports", icon: "file-up", href: importsPath, right: auth.ImportData, state: func(r *Request, _ *names) ([]string, error) {
		runs, err := s.deps.Imports.Runs(r.Context(), r.Who, 1)
		if err != nil {
			return nil, err
		}
		if len(runs) == 0 {
			return []string{r.T("admin.imports.never")}, nil
		}
		return []string{r.T("admin.imports.last", "file", runs[0].FileName, "when", r.Relative(runs[0].StartedAt, r.Now()), "status", r.T("intake.status."+string(runs[0].Status)))}, nil
	}})
}

// statusBadge shows where an import stands.
func (r *Request) statusBadge(status csvin.Status) Badge {
	b := map[csvin.Status]Badge{
		csvin.Running:     {Icon: "refresh-cw", Tone: "info"},
		csvin.Done:        {Icon: "circle-check", Tone: "good"},
		csvin.Cancelled:   {Icon: "ban"},
		csvin.Failed:      {Icon: "circle-x", Tone: "critical"},
		csvin.Interrupted: {Icon: "triangle-alert", Tone: "warning"},
	}[status]
	b.Word = r.T("admin.imports.status." + string(status))
	return b
}

func (s *Server) imports(r *Request) error {
	return s.showImports(r, http.StatusOK, r.Blank(), r.Blank())
}

func (s *Server) showImports(r *Request, status int, f, toml *Form) error {
	profiles, err := s.deps.Imports.Profiles(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &importsPage{
		Page: Page{Title: r.T("admin.imports.title"), Lede: r.T("admin.imports.what"), Crumbs: r.adminCrumbs()},
		Form: f, Most: r.Bytes(csvin.MaxUpload), TOMLForm: toml,
	}
	p.File = f.File("file", r.T("admin.imports.file"), ".csv,.tsv,.txt,.gz,text/csv,text/plain,application/gzip").Must().Hinted(r.T("admin.imports.file_hint", "max", p.Most))
	options := []Option{{Label: r.T("admin.imports.guess")}}
	for _, stored := range profiles {
		title := profileTitle(r, stored.Profile)
		options = append(options, Option{Value: stored.Profile.Name, Label: title})
		p.Profiles = append(p.Profiles, profileRow{Name: stored.Profile.Name, Title: title, Own: stored.Own, Export: importsPath + "/profiles/" + stored.Profile.Name})
	}
	p.Profile = f.Select("profile", r.T("admin.imports.profile"), options).Plain().Hinted(r.T("admin.imports.profile_hint"))
	p.TOML = toml.File("toml", r.T("admin.imports.toml"), ".toml").Must()
	uploads, err := s.deps.Importing.Uploads(r.Who)
	if err != nil {
		return err
	}
	accounts, err := s.deps.Auth.Names(r.Context())
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if u.Run != 0 {
			continue // found from its import
		}
		p.Waiting = append(p.Waiting, waitingRow{Name: u.Name, Note: Legend(r.Bytes(u.Size), accounts[u.Account], r.Relative(u.At, r.Now())), Href: importsPath + "/files/" + u.ID})
	}
	runs, err := s.deps.Imports.Runs(r.Context(), r.Who, runsShown)
	if err != nil {
		return err
	}
	p.NoRun = len(runs) == 0
	p.Runs = Table{Printer: r.Printer, Caption: r.T("admin.imports.runs"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("admin.imports.file"), Lead: true, Wrap: true}, {Label: r.T("admin.imports.state")}, {Label: r.T("admin.imports.when")}, {Label: r.T("admin.imports.who")},
		{Label: r.T("admin.imports.rows"), Num: true}, {Label: r.T("admin.imports.created"), Num: true}, {Label: r.T("admin.imports.updated"), Num: true},
		{Label: r.T("admin.imports.unchanged"), Num: true}, {Label: r.T("admin.imports.rejected"), Num: true},
	}}
	for _, run := range runs {
		badge, when := r.statusBadge(run.Status), r.Moment(run.StartedAt)
		who := accounts[run.Account]
		if who == "" {
			who = r.T("admin.imports.command")
		}
		rep := run.Report
		p.Runs.Rows = append(p.Runs.Rows, TableRow{Cells: []Cell{
			{Text: run.FileName, Href: importsPath + "/runs/" + id(run.ID)}, {Badge: &badge}, {Moment: &when}, {Text: who},
			{Text: r.Int(rep.Rows)}, {Text: r.Int(rep.Created)}, {Text: r.Int(rep.Updated)}, {Text: r.Int(rep.Unchanged)}, {Text: r.Int(rep.Rejected)},
		}})
	}
	return importsView.show(r, status, p)
}

func profileTitle(r *Request, p csvin.Profile) string {
	if title := p.Title[string(r.Lang())]; title != "" {
		return title
	}
	return p.Name
}

// takeUpload streams the file to disk: it may be larger than the memory.
func (s *Server) takeUpload(r *Request) error {
	f := r.Blank()
	u, err := s.readUpload(r, f)
	if f.Refused(err) || fault.Is(err, fault.TooLarge) {
		if f.Summary == "" {
			f.Summary, f.refused = r.T("admin.imports.too_large", "max", r.Bytes(csvin.MaxUpload)), map[string]string{}
		}
		return s.showImports(r, status(err), f, r.Blank())
	}
	if err != nil {
		return err
	}
	return r.Redirect(importsPath + "/files/" + u.ID)
}

func (s *Server) readUpload(r *Request, f *Form) (csvin.Upload, error) {
	none := fault.InvalidField("file", "error.field.required")
	parts, err := r.MultipartReader()
	if err != nil {
		return csvin.Upload{}, none
	}
	// The whole server's reading limit is shorter than a long upload.
	_ = http.NewResponseController(r.W).SetReadDeadline(time.Time{})
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return csvin.Upload{}, none
		}
		if err != nil {
			return csvin.Upload{}, understood(err)
		}
		switch {
		case part.FormName() == "profile":
			text, err := io.ReadAll(io.LimitReader(part, 100))
			if err != nil {
				return csvin.Upload{}, understood(err)
			}
			f.values.Set("profile", string(text))
		case part.FormName() == "file" && part.FileName() != "":
			u, err := s.deps.Importing.Keep(r.Context(), r.Who, part.FileName(), f.Get("profile"), part)
			return u, understood(err)
		}
	}
}

func (s *Server) takeProfile(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	file, err := r.fileOf("toml")
	var p csvin.Profile
	if err == nil {
		var text []byte
		text, err = io.ReadAll(file)
		_ = file.Close()
		if err != nil {
			return fmt.Errorf("web: read profile: %w", err)
		}
		p, err = csvin.ParseProfile(string(text))
	}
	if err == nil {
		err = s.deps.Imports.SaveProfile(r.Context(), r.Who, p)
	}
	if f.Refused(err) {
		return s.showImports(r, status(err), r.Blank(), f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.imports.profile_saved", "name", profileTitle(r, p))}); err != nil {
		return err
	}
	return r.Redirect(importsPath)
}

// fileOf is the file of a small form.
func (r *Request) fileOf(name string) (multipart.File, error) {
	file, _, err := r.FormFile(name)
	if err != nil {
		return nil, fault.InvalidField(name, "error.field.required")
	}
	return file, nil
}

func (s *Server) exportProfile(r *Request) error {
	p, err := s.deps.Imports.Profile(r.Context(), r.Who, strings.TrimSuffix(r.PathValue("name"), ".toml"))
	if err != nil {
		return err
	}
	text, err := p.TOML()
	if err != nil {
		return err
	}
	r.W.Header().Set("Content-Type", "application/toml; charset=utf-8")
	r.W.Header().Set("Content-Disposition", `attachment; filename="`+p.Name+`.toml"`)
	_, err = io.WriteString(r.W, text) //nolint:gosec // sent as a file of TOML, never as a page
	return err
}

func (s *Server) confirmRemoveProfile(r *Request) error {
	p, err := s.deps.Imports.Profile(r.Context(), r.Who, r.PathValue("name"))
	if err != nil {
		return err
	}
	return r.Confirm(Confirm{
		Title: r.T("admin.imports.profile_remove", "name", profileTitle(r, p)), Text: r.T("admin.imports.profile_remove_text"),
		Verb: r.T("common.delete"), Action: r.URL.Path, Cancel: importsPath,
		Crumbs: r.adminCrumbs(Link{Label: r.T("admin.imports.title"), Href: importsPath}),
	})
}

func (s *Server) removeProfile(r *Request) error {
	if err := s.deps.Imports.RemoveProfile(r.Context(), r.Who, r.PathValue("name")); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.imports.profile_removed")}); err != nil {
		return err
	}
	return r.Redirect(importsPath)
}
