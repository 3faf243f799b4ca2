package web

import (
	"net/http"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// settingsPage holds the département's own words and choices.
type settingsPage struct {
	Page

	Form   *Form
	Fields []Field
	Colour Field
}

var settingsView = newView[settingsPage]("page_admin_settings.html", shell)

const settingsPath = "/admin/settings"

func (s *Server) adminSettingsRoutes() {
	edit := needs(auth.EditDirectory)
	s.page("GET /admin/settings", s.settings, edit)
	s.page("POST /admin/settings", s.saveSettings, edit)
	s.adminEntry(adminPart{order: 500, key: "admin.settings", icon: "settings", href: settingsPath, right: auth.EditDirectory, state: func(r *Request, _ *names) ([]string, error) {
		return []string{Legend(r.Settings.Name, r.Settings.TimeZone, r.T("admin.calendar.zone_is", "zone", r.Settings.Zone), r.T("web.language."+r.Settings.Language))}, nil
	}})
}

func (s *Server) settings(r *Request) error {
	now := r.Settings
	return s.showSettings(r, http.StatusOK, r.Blank("name", now.Name, "time_zone", now.TimeZone, "zone", now.Zone, "language", now.Language, "accent", now.Accent))
}

func (s *Server) showSettings(r *Request, status int, f *Form) error {
	p := &settingsPage{Page: Page{Title: r.T("admin.settings.title"), Lede: r.T("admin.settings.what"), Crumbs: r.adminCrumbs()}, Form: f, Fields: []Field{
		f.Text("name", r.T("admin.settings.name")).Must().AtMost(200),
		f.Text("time_zone", r.T("admin.settings.time_zone")).Must().Hinted(r.T("admin.settings.time_zone_hint")),
		f.Text("zone", r.T("admin.settings.zone")).Must().AtMost(40).Hinted(r.T("admin.settings.zone_hint")),
		f.Choices("language", r.T("admin.settings.language"), []Option{{Value: "fr", Label: r.T("web.language.fr")}, {Value: "en", Label: r.T("web.language.en")}}).Must().Hinted(r.T("admin.settings.language_hint")),
	}}
	p.Colour = f.Text("accent", r.T("admin.settings.accent")).AtMost(7).Example("#0a6070").Hinted(r.T("admin.settings.accent_hint"))
	return settingsView.show(r, status, p)
}

func (s *Server) saveSettings(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	was := r.Settings
	now := directory.Settings{
		Name: f.Get("name"), TimeZone: strings.TrimSpace(f.Get("time_zone")), Zone: strings.TrimSpace(f.Get("zone")),
		Language: f.Get("language"), Accent: strings.TrimSpace(f.Get("accent")),
	}
	if c, ok := colourOf(strings.TrimPrefix(now.Accent, "#")); ok {
		if _, readable := themeOf(c); !readable {
			err = fault.InvalidField("accent", "admin.settings.accent_unreadable")
		}
	}
	if err == nil {
		err = s.deps.Directory.SaveSettings(r.Context(), r.Who, now)
	}
	if f.Refused(err) {
		return s.showSettings(r, status(err), f)
	}
	if err != nil {
		return err
	}
	undo := map[string]string{"name": was.Name, "time_zone": was.TimeZone, "zone": was.Zone, "language": was.Language, "accent": was.Accent}
	if err := r.Say(Notice{Text: r.T("admin.settings.saved"), Undo: &Undo{Action: settingsPath, Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(settingsPath)
}
