package web

import (
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// directoryPage lists one kind of what the directory holds: schools, people or
// teams.
type directoryPage struct {
	Page

	Tabs  Tabs
	Bar   *FilterBar
	Count string
	Table Table
	Empty *EmptyState
}

// directoryEditPage makes or changes one thing by a form.
type directoryEditPage struct {
	Page

	Form   *Form
	Fields []Field
	Cancel string
}

// directorySchoolPage changes a school, its rooms and its denominators.
type directorySchoolPage struct {
	Page

	Form        *Form
	Fields      []Field
	Action      string
	Rooms       []roomLine
	RoomFields  []Field
	Counts      []countLine
	CountFields []Field
	Cancel      string
}

type roomLine struct {
	Name, Network string
	Href          string
	Archive       string // posted to
	Archived      bool
}

type countLine struct{ From, Day, Computers, Pupils, Source string }

var (
	directoryView       = newView[directoryPage]("page_admin_directory.html", shell)
	directoryEditView   = newView[directoryEditPage]("page_admin_directory_edit.html", shell)
	directorySchoolView = newView[directorySchoolPage]("page_admin_directory_school.html", shell)
)

const directoryPath = "/admin/directory"

func (s *Server) directoryRoutes() {
	edit := needs(auth.EditDirectory)
	s.page("GET /admin/directory", s.directorySchools, edit)
	s.page("GET /admin/directory/schools/new", s.newSchool, edit)
	s.page("POST /admin/directory/schools/new", s.createSchool, edit)
	s.page("GET /admin/directory/schools/{id}", s.editSchool, edit)
	s.page("POST /admin/directory/schools/{id}", s.saveSchool, edit)
	s.page("POST /admin/directory/schools/{id}/rooms", s.addRoom, edit)
	s.page("POST /admin/directory/schools/{id}/counts", s.saveCount, edit)
	s.page("POST /admin/directory/schools/{id}/counts/remove", s.removeCount, edit)
	s.page("GET /admin/directory/rooms/{id}", s.editRoom, edit)
	s.page("POST /admin/directory/rooms/{id}", s.saveRoom, edit)
	s.page("POST /admin/directory/rooms/{id}/archive", s.archiveRoom, edit)
	s.directoryPeopleRoutes()
	s.directoryImportRoutes()
	s.adminEntry(adminPart{order: 300, key: "directory.admin", icon: "school", href: directoryPath, right: auth.EditDirectory, state: func(r *Request, n *names) ([]string, error) {
		return []string{Legend(r.N("schools.count", len(n.places.Schools())), r.N("directory.admin.people_count", len(n.places.People())))}, nil
	}})
}

func (r *Request) directoryTabs(current string) Tabs {
	t := Tabs{Label: r.T("directory.admin.title")}
	for _, tab := range []struct{ key, href string }{{"schools", directoryPath}, {"people", directoryPath + "/people"}, {"teams", directoryPath + "/teams"}, {"support", supportPath}} {
		t.Items = append(t.Items, Tab{Label: r.T("directory.admin." + tab.key), Href: tab.href, Current: tab.key == current})
	}
	return t
}

func (s *Server) directorySchools(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &directoryPage{Page: Page{Title: r.T("directory.admin.title"), Lede: r.T("directory.admin.what"), Crumbs: r.adminCrumbs()}, Tabs: r.directoryTabs("schools")}
	p.Actions = []Action{{Label: r.T("directory.admin.school_new"), Icon: "plus", Href: directoryPath + "/schools/new"}}
	if r.Who.Can(auth.ImportData) {
		p.Actions = append(p.Actions, Action{Label: r.T("directory.import.verb"), Icon: "import", Href: directoryPath + "/import", Primary: true})
	}
	f := r.Filters()
	bar := r.FilterBar([]Field{f.Input("search", "q", r.T("schools.search")).Example(r.T("schools.search.example"))})
	p.Bar = &bar
	p.Table = Table{Printer: r.Printer, Caption: r.T("directory.admin.schools"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("schools.column.name"), Lead: true}, {Label: r.T("schools.column.commune")}, {Label: r.T("school.fact.uai")},
		{Label: r.T("school.fact.rooms"), Num: true}, {Label: r.T("schools.column.computers"), Num: true}, {Label: r.T("schools.column.pupils"), Num: true}, {Label: r.T("directory.admin.lacks"), Wrap: true},
	}}
	lacking := false
	for _, school := range n.places.Schools() {
		if q := r.Address.Get("q"); q != "" && !matches(school.Name+" "+school.Commune+" "+school.UAI, q) {
			continue
		}
		e, _ := n.places.ExposureAt(school.ID, r.today())
		lacks := r.lacks(school, e)
		lacking = lacking || lacks != ""
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: school.Name, Href: directoryPath + "/schools/" + id(school.ID)}, {Text: school.Commune}, {Text: school.UAI},
			{Text: orDash(r, roomsKept(n, school.ID))}, {Text: orDash(r, e.Computers)}, {Text: orDash(r, e.Pupils)}, {Text: lacks},
		}})
	}
	if last := len(p.Table.Columns) - 1; !lacking { // nothing is missing anywhere
		p.Table.Columns = p.Table.Columns[:last]
		for i := range p.Table.Rows {
			p.Table.Rows[i].Cells = p.Table.Rows[i].Cells[:last]
		}
	}
	p.Count = r.N("schools.count", len(p.Table.Rows))
	if len(p.Table.Rows) == 0 {
		p.Empty = r.noSchool(len(n.places.Schools()))
	}
	return directoryView.show(r, http.StatusOK, p)
}

// roomsKept is how many rooms of a school are in use.
func roomsKept(n *names, school int64) int {
	kept := 0
	for _, room := range n.places.Rooms(school) {
		if !room.Archived {
			kept++
		}
	}
	return kept
}

// lacks says what is missing for maps and rates.
func (r *Request) lacks(s directory.School, e directory.Exposure) string {
	var list []string
	if !s.Located {
		list = append(list, r.T("directory.admin.lacks.place"))
	}
	if e.Computers == 0 {
		list = append(list, r.T("directory.admin.lacks.computers"))
	}
	return Legend(list...)
}

// The fields of a school's form, as the directory's refusals name them.

func schoolForm(r *Request, s directory.School) *Form {
	f := r.Blank("uai", s.UAI, "name", s.Name, "commune", s.Commune, "insee", s.INSEE, "postal_code", s.PostalCode, "address", s.Address, "zone", s.Zone, "opened", s.Opened.String(), "closed", s.Closed.String())
	if s.Located {
		f.values.Set("lat", r.degrees(s.Lat))
		f.values.Set("lon", r.degrees(s.Lon))
	}
	return f
}

// degrees writes a coordinate as it is known, so that saving a form again
// changes nothing.
func (r *Request) degrees(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if r.Lang() == locale.French {
		text = strings.ReplaceAll(text, ".", ",")
	}
	return text
}

func schoolFields(r *Request, f *Form) []Field {
	zones := []Option{{Label: r.T("directory.admin.zone.usual", "zone", r.Settings.Zone)}}
	for _, zone := range []string{"A", "B", "C"} {
		zones = append(zones, Option{Value: zone, Label: zone})
	}
	if zone := f.Get("zone"); len(zone) > 1 {
		zones = append(zones, Option{Value: zone, Label: zone})
	}
	return []Field{
		f.Text("name", r.T("directory.admin.name")).Must().AtMost(200),
		f.Text("uai", r.T("school.fact.uai")).Must().AtMost(64).Hinted(r.T("directory.admin.uai.hint")),
		f.Text("address", r.T("school.fact.address")).AtMost(500),
		f.Text("postal_code", r.T("directory.admin.postal_code")).AtMost(20),
		f.Text("commune", r.T("schools.column.commune")).AtMost(200),
		f.Text("insee", r.T("directory.admin.insee")).AtMost(10).Hinted(r.T("directory.admin.insee.hint")),
		f.Text("lat", r.T("directory.admin.lat")).Example("47,90215").Hinted(r.T("directory.admin.lat.hint")),
		f.Text("lon", r.T("directory.admin.lon")).Example("1,90897"),
		f.Select("zone", r.T("directory.admin.zone"), zones).Plain(),
		f.Input("date", "opened", r.T("directory.admin.opened")),
		f.Input("date", "closed", r.T("directory.admin.closed")).Hinted(r.T("directory.admin.closed.hint")),
	}
}

// schoolOf reads a school from its form; what cannot be read is refused beside
// its field.
func schoolOf(f *Form, s directory.School) (directory.School, error) {
	var wrong fault.Fields
	s.UAI, s.Name, s.Commune, s.INSEE, s.PostalCode, s.Address, s.Zone = f.Get("uai"), f.Get("name"), f.Get("commune"), f.Get("insee"), f.Get("postal_code"), f.Get("address"), f.Get("zone")
	lat, lon := strings.TrimSpace(f.Get("lat")), strings.TrimSpace(f.Get("lon"))
	if s.Located = lat != "" || lon != ""; s.Located {
		s.Lat = degrees(&wrong, "lat", lat)
		s.Lon = degrees(&wrong, "lon", lon)
	}
	s.Opened = dayField(&wrong, f, "opened")
	s.Closed = dayField(&wrong, f, "closed")
	return s, wrong.Err()
}

func degrees(wrong *fault.Fields, name, text string) float64 {
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
	if err != nil {
		wrong.Add(name, map[string]string{"lat": "error.directory.latitude", "lon": "error.directory.longitude"}[name])
	}
	return v
}

func dayField(wrong *fault.Fields, f *Form, name string) calendar.Day {
	if f.Get(name) == "" {
		return 0
	}
	day, ok := dayOf(f.Get(name))
	if !ok {
		wrong.Add(name, "error.field.date")
	}
	return day
}

func countField(wrong *fault.Fields, f *Form, name string) int {
	text := strings.TrimSpace(f.Get(name))
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		wrong.Add(name, "error.directory.count")
	}
	return n
}

func (s *Server) newSchool(r *Request) error {
	return s.showNewSchool(r, http.StatusOK, schoolForm(r, directory.School{}))
}

func (s *Server) showNewSchool(r *Request, status int, f *Form) error {
	return directoryEditView.show(r, status, &directoryEditPage{
		Page: Page{Title: r.T("directory.admin.school_new"), Crumbs: r.directoryCrumbs()}, Form: f, Fields: schoolFields(r, f), Cancel: directoryPath,
	})
}

func (r *Request) directoryCrumbs(more ...Link) []Link {
	return r.adminCrumbs(append([]Link{{Label: r.T("directory.admin.title"), Href: directoryPath}}, more...)...)
}

func (s *Server) createSchool(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	school, err := schoolOf(f, directory.School{})
	if err == nil {
		school, err = s.deps.Directory.SaveSchool(r.Context(), r.Who, school)
	}
	if err != nil {
		if f.Refused(err) {
			return s.showNewSchool(r, status(err), f)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("directory.admin.school_made", "school", school.Name)}); err != nil {
		return err
	}
	return r.Redirect(directoryPath + "/schools/" + id(school.ID))
}

func (s *Server) editSchool(r *Request) error {
	return s.showSchool(r, http.StatusOK, nil, nil, nil)
}

// showSchool shows the school's forms; one of them may have been refused.
func (s *Server) showSchool(r *Request, status int, form, room, count *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	if form == nil {
		form = schoolForm(r, school)
	}
	here := directoryPath + "/schools/" + id(school.ID)
	p := &directorySchoolPage{
		Page: Page{Title: school.Name, Lede: Legend(school.Commune, school.UAI), Crumbs: r.directoryCrumbs(), Actions: []Action{{Label: r.T("directory.admin.figures"), Icon: "chart-column", Href: "/schools/" + id(school.ID)}}},
		Form: form, Fields: schoolFields(r, form), Action: here, Cancel: directoryPath,
	}
	for _, room := range n.places.Rooms(school.ID) {
		at := directoryPath + "/rooms/" + id(room.ID)
		p.Rooms = append(p.Rooms, roomLine{Name: room.Name, Network: r.networkName(room.Network), Href: at, Archive: at + "/archive", Archived: room.Archived})
	}
	for _, e := range n.places.Exposures(school.ID) {
		p.Counts = append(p.Counts, countLine{From: e.From.String(), Day: r.MediumDay(e.From), Computers: orDash(r, e.Computers), Pupils: orDash(r, e.Pupils), Source: e.Source})
	}
	refusedRoom, refusedCount := room != nil, count != nil
	if room == nil {
		room = r.Blank()
	}
	p.RoomFields = apart("room", refusedRoom, room.Text("name", r.T("directory.admin.room")).Must().AtMost(200), room.Select("network", r.T("cube.dim.network"), r.networkOptions()).Plain())
	if count == nil {
		count = r.Blank("from", r.today().String(), "source", r.T("directory.admin.source.hand"))
	}
	p.CountFields = apart("count", refusedCount,
		count.Input("date", "from", r.T("school.counts.from")).Must(), count.Input("number", "computers", r.T("schools.column.computers")).Plain(),
		count.Input("number", "pupils", r.T("schools.column.pupils")).Plain(), count.Text("source", r.T("directory.admin.source")).Plain().AtMost(200))
	return directorySchoolView.show(r, status, p)
}

// apart gives the fields of a page's second form names of their own; the first
// takes the focus when it was refused.
func apart(prefix string, refused bool, fields ...Field) []Field {
	for i := range fields {
		fields[i].ID = prefix + "-" + fields[i].Name
	}
	fields[0].Focus = refused
	return fields
}

func (r *Request) networkOptions() []Option {
	options := []Option{{Label: r.T("directory.admin.network.none")}}
	for _, network := range directory.Networks {
		options = append(options, Option{Value: string(network), Label: r.networkName(network)})
	}
	return options
}

// flat are a form's values, to undo what was saved over them.
func (f *Form) flat() map[string]string {
	flat := map[string]string{}
	for name := range f.values {
		flat[name] = f.Get(name)
	}
	return flat
}

func (s *Server) saveSchool(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	before, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	school, err := schoolOf(f, before)
	if err == nil {
		school, err = s.deps.Directory.SaveSchool(r.Context(), r.Who, school)
	}
	if err != nil {
		if f.Refused(err) {
			return s.showSchool(r, status(err), f, nil, nil)
		}
		return err
	}
	here := directoryPath + "/schools/" + id(school.ID)
	if err := r.Say(Notice{Text: r.T("web.saved"), Undo: &Undo{Action: here, Values: schoolForm(r, before).flat()}}); err != nil {
		return err
	}
	return r.Redirect(here)
}

func (s *Server) addRoom(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	room, err := s.deps.Directory.SaveRoom(r.Context(), r.Who, directory.Room{School: school.ID, Name: f.Get("name"), Network: directory.Network(f.Get("network"))})
	if err != nil {
		if f.Refused(err) {
			return s.showSchool(r, status(err), nil, f, nil)
		}
		return err
	}
	undo := &Undo{Action: directoryPath + "/rooms/" + id(room.ID) + "/archive", Values: map[string]string{"archived": "1"}}
	if err := r.Say(Notice{Text: r.T("directory.admin.room_made", "room", room.Name), Undo: undo}); err != nil {
		return err
	}
	return r.Redirect(directoryPath + "/schools/" + id(school.ID))
}

func (s *Server) saveCount(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	var wrong fault.Fields
	e := directory.Exposure{School: school.ID, From: dayField(&wrong, f, "from"), Computers: countField(&wrong, f, "computers"), Pupils: countField(&wrong, f, "pupils"), Source: f.Get("source")}
	if f.Get("from") == "" {
		wrong.Add("from", "error.field.required")
	}
	if err = wrong.Err(); err == nil {
		_, err = s.deps.Directory.SaveExposures(r.Context(), r.Who, []directory.Exposure{e})
	}
	if err != nil {
		if f.Refused(err) {
			return s.showSchool(r, status(err), nil, nil, f)
		}
		return err
	}
	here := directoryPath + "/schools/" + id(school.ID)
	undo := &Undo{Action: here + "/counts/remove", Values: map[string]string{"from": e.From.String()}}
	for _, old := range n.places.Exposures(school.ID) {
		if old.From == e.From {
			undo = &Undo{Action: here + "/counts", Values: countValues(old)}
		}
	}
	if err := r.Say(Notice{Text: r.T("web.saved"), Undo: undo}); err != nil {
		return err
	}
	return r.Redirect(here)
}

func countValues(e directory.Exposure) map[string]string {
	return map[string]string{"from": e.From.String(), "computers": strconv.Itoa(e.Computers), "pupils": strconv.Itoa(e.Pupils), "source": e.Source}
}

func (s *Server) removeCount(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	from, _ := dayOf(r.PostFormValue("from"))
	for _, old := range n.places.Exposures(school.ID) {
		if old.From != from {
			continue
		}
		if err := s.deps.Directory.RemoveExposure(r.Context(), r.Who, school.ID, from); err != nil {
			return err
		}
		here := directoryPath + "/schools/" + id(school.ID)
		if err := r.Say(Notice{Text: r.T("directory.admin.count_removed", "day", r.MediumDay(from)), Undo: &Undo{Action: here + "/counts", Values: countValues(old)}}); err != nil {
			return err
		}
		return r.Redirect(here)
	}
	return fault.New(fault.NotFound, "error.directory.exposure_not_found")
}

func (r *Request) pathRoom(n *names) (directory.Room, error) {
	number, err := r.pathID()
	if err != nil {
		return directory.Room{}, err
	}
	room, ok := n.places.Room(number)
	if !ok {
		return room, fault.New(fault.NotFound, "error.directory.room_not_found")
	}
	return room, nil
}

func (s *Server) editRoom(r *Request) error { return s.showRoom(r, http.StatusOK, nil) }

func roomForm(r *Request, room directory.Room) *Form {
	return r.Blank("name", room.Name, "network", string(room.Network))
}

func (s *Server) showRoom(r *Request, status int, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	room, err := r.pathRoom(n)
	if err != nil {
		return err
	}
	if f == nil {
		f = roomForm(r, room)
	}
	here := directoryPath + "/schools/" + id(room.School)
	return directoryEditView.show(r, status, &directoryEditPage{
		Page: Page{Title: room.Name, Crumbs: r.directoryCrumbs(Link{Label: n.places.SchoolName(room.School), Href: here})}, Form: f, Cancel: here,
		Fields: []Field{f.Text("name", r.T("directory.admin.room")).Must().AtMost(200).Hinted(r.T("directory.admin.room.hint")), f.Select("network", r.T("cube.dim.network"), r.networkOptions()).Plain()},
	})
}

func (s *Server) saveRoom(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	before, err := r.pathRoom(n)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	room := before
	room.Name, room.Network = f.Get("name"), directory.Network(f.Get("network"))
	if _, err := s.deps.Directory.SaveRoom(r.Context(), r.Who, room); err != nil {
		if f.Refused(err) {
			return s.showRoom(r, status(err), f)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("web.saved"), Undo: &Undo{Action: directoryPath + "/rooms/" + id(room.ID), Values: roomForm(r, before).flat()}}); err != nil {
		return err
	}
	return r.Redirect(directoryPath + "/schools/" + id(room.School))
}

// archiveRoom takes a room out of the lists, or back: its incidents stay.
func (s *Server) archiveRoom(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	room, err := r.pathRoom(n)
	if err != nil {
		return err
	}
	room.Archived = r.PostFormValue("archived") != ""
	if _, err := s.deps.Directory.SaveRoom(r.Context(), r.Who, room); err != nil {
		return err
	}
	said, back := "directory.admin.room_back", "1"
	if room.Archived {
		said, back = "directory.admin.room_gone", ""
	}
	undo := &Undo{Action: directoryPath + "/rooms/" + id(room.ID) + "/archive", Values: map[string]string{"archived": back}}
	if err := r.Say(Notice{Text: r.T(said, "room", room.Name), Undo: undo}); err != nil {
		return err
	}
	return r.Redirect(directoryPath + "/schools/" + id(room.School))
}
