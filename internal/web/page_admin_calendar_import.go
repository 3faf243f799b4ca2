package web

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"statincidents/internal/fault"
	"statincidents/internal/intake/places"
)

// calendarImportPage takes a file of school or public holidays in two steps:
// what it would change, then the change.
type calendarImportPage struct {
	Page

	Form    *Form
	Fields  []Field
	Preview *importPreview
	Cancel  string
}

var calendarImportView = newView[calendarImportPage]("page_admin_calendar_import.html", shell)

const calendarBytes = 20 << 20 // of a file

func (s *Server) calendarImport(r *Request) error {
	kind := "holidays"
	if r.Address.Get("kind") == "public" {
		kind = "public"
	}
	return s.showCalendarImport(r, http.StatusOK, r.Blank("kind", kind), nil)
}

func (s *Server) showCalendarImport(r *Request, status int, f *Form, preview *importPreview) error {
	p := &calendarImportPage{
		Page: Page{Title: r.T("admin.calendar.import"), Lede: r.T("admin.calendar.import_lede"), Crumbs: r.adminCrumbs(Link{Label: r.T("admin.calendar.title"), Href: calendarPath})},
		Form: f, Preview: preview, Cancel: calendarPath + "?tab=" + f.Get("kind"),
	}
	p.Fields = []Field{
		f.Choices("kind", r.T("admin.calendar.import_kind"), []Option{{Value: "holidays", Label: r.T("admin.calendar.holidays")}, {Value: "public", Label: r.T("admin.calendar.public")}}).Plain(),
		f.File("file", r.T("admin.imports.file"), ".csv,.ics,.txt,.gz,text/csv,text/calendar").Must().Hinted(r.T("admin.calendar.import_hint")),
		f.Text("zone", r.T("admin.calendar.import_zone")).AtMost(40).Hinted(r.T("admin.calendar.import_zone_hint")),
	}
	return calendarImportView.show(r, status, p)
}

// calendarFile reads a file of one of the two kinds; really writes it.
func (s *Server) calendarFile(r *Request, f *Form, in io.Reader, really bool) (*places.Report, error) {
	if f.Get("kind") == "public" {
		read := places.PreviewPublicHolidays
		if really {
			read = places.ImportPublicHolidays
		}
		return read(r.Context(), s.deps.Directory, r.Who, in, places.Options{})
	}
	o := places.HolidayOptions{Zones: split(f.Get("zone"), ",")}
	read := places.PreviewSchoolHolidays
	if really {
		read = places.ImportSchoolHolidays
	}
	return read(r.Context(), s.deps.Directory, r.Who, in, o)
}

func (s *Server) previewCalendar(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		f.Refused(fault.InvalidField("file", "error.field.required"))
		return s.showCalendarImport(r, http.StatusUnprocessableEntity, f, nil)
	}
	defer file.Close()
	report, err := s.calendarFile(r, f, file, false)
	key := ""
	if err == nil {
		if _, err = file.Seek(0, io.SeekStart); err == nil {
			key, err = s.kept.keep(r.Now(), keptFile{account: r.Who.Account, name: header.Filename, form: f.values}, file)
		}
	}
	if f.Refused(err) {
		return s.showCalendarImport(r, status(err), f, nil)
	}
	if err != nil {
		return err
	}
	report.Mapping = nil // its columns have no name of their own on this page
	p := r.preview(report, header.Filename, key)
	if p.Nothing != "" {
		p.Nothing = r.T("admin.calendar.import_nothing")
	}
	return s.showCalendarImport(r, http.StatusOK, f, p)
}

func (s *Server) importCalendar(r *Request) error {
	kept, ok := s.kept.take(r.Now(), r.PostFormValue("key"), r.Who.Account)
	if !ok {
		f := r.Blank("kind", "holidays")
		f.Summary = r.T("directory.import.gone")
		return s.showCalendarImport(r, http.StatusUnprocessableEntity, f, nil)
	}
	defer kept.drop()
	file, err := os.Open(kept.path)
	if err != nil {
		return fmt.Errorf("web: kept file: %w", err)
	}
	defer file.Close()
	f := &Form{Printer: r.Printer, values: kept.form}
	report, err := s.calendarFile(r, f, file, true)
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.N("directory.import.done", len(report.Steps))}); err != nil {
		return err
	}
	return r.Redirect(calendarPath + "?tab=" + f.Get("kind"))
}
