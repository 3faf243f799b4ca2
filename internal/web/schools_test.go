package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// loiret is a directory of three schools with incidents in two of them, and a
// site that shows it.
type loiret struct {
	*site

	deps    Deps
	schools []directory.School
	room    directory.Room
}

func newLoiret(t *testing.T) *loiret {
	t.Helper()
	l := &loiret{}
	l.site = newSite(t, func(d *Deps) { l.deps = *d })
	ctx, system := context.Background(), auth.System(1)
	for _, s := range []directory.School{
		{UAI: "0450937Z", Name: "Collège Robert Schuman", Commune: "Amilly", INSEE: "45004", Lat: 47.98893, Lon: 2.76641, Located: true},
		{UAI: "0450003J", Name: "Collège Jean Moulin", Commune: "Artenay", INSEE: "45008", Lat: 48.08012, Lon: 1.87627, Located: true},
		{UAI: "0450001A", Name: "Collège Marguerite-de-Navarre-et-François-de-La-Rochefoucauld", Commune: "Pithiviers", INSEE: "45252"},
	} {
		made, err := l.deps.Directory.SaveSchool(ctx, system, s)
		if err != nil {
			t.Fatal(err)
		}
		l.schools = append(l.schools, made)
	}
	var err error
	if l.room, err = l.deps.Directory.SaveRoom(ctx, system, directory.Room{School: l.schools[0].ID, Name: "Salle 12", Network: directory.NetworkTeaching}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.deps.Directory.SaveExposures(ctx, system, []directory.Exposure{{School: l.schools[0].ID, From: 18000, Computers: 200, Pupils: 600}}); err != nil {
		t.Fatal(err)
	}
	for _, i := range []incident.Declaration{
		{Title: "Vidéoprojecteur noir", School: l.schools[0].ID, Room: l.room.ID, Machine: "HX21B-1"},
		{Title: "Vidéoprojecteur encore noir", School: l.schools[0].ID, Room: l.room.ID, Machine: "HX21B-1"},
		{Title: "Imprimante muette", School: l.schools[1].ID},
	} {
		i.Origin = incident.Portal
		if _, err := l.deps.Incidents.Declare(ctx, system, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.deps.Cube.(*cube.Memory).CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	l.account(t, "lead", auth.Lead)
	l.accountOf(t, "referent", auth.Referent, l.schools[0].ID)
	l.accountOf(t, "two", auth.Referent, l.schools[0].ID, l.schools[2].ID)
	teacher, err := l.deps.Directory.SavePerson(ctx, system, directory.Person{Name: "M. Bernard", Kind: directory.Teacher, School: l.schools[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.auth.CreateAccount(ctx, system, auth.NewAccount{Login: "teacher", Name: "M. Bernard", Password: secret, Role: auth.Declarant, Person: teacher.ID, Schools: []int64{l.schools[0].ID}}); err != nil {
		t.Fatal(err)
	}
	return l
}

func (s *site) accountOf(t *testing.T, login string, role auth.Role, schools ...int64) {
	t.Helper()
	if _, err := s.auth.CreateAccount(context.Background(), auth.System(1), auth.NewAccount{Login: login, Name: "Mme " + login, Password: secret, Role: role, Schools: schools}); err != nil {
		t.Fatal(err)
	}
}

// as is a browser signed in as someone.
func (s *site) as(t *testing.T, login string) *reader {
	t.Helper()
	b := s.reader(t)
	b.signIn(login)
	return b
}

func TestSchools(t *testing.T) {
	t.Parallel()
	l := newLoiret(t)
	lead := l.as(t, "lead")
	a := lead.get("/schools").wantStatus(http.StatusOK)
	if got := a.texts("#schools-table tbody th"); len(got) != 3 || got[0] != "Collège Jean Moulin" {
		t.Errorf("schools %q", got)
	}
	if got := a.texts("#schools-table tfoot td"); got[1] != "200" || got[3] != "3" || got[5] != "3" {
		t.Errorf("totals %q", got)
	}
	if !strings.Contains(a.body, `id="map-chart`) {
		t.Error("no map")
	}
	a = lead.get("/schools?sort=-count")
	if got := a.texts("#schools-table tbody th"); got[0] != "Collège Robert Schuman" || a.attr("th[aria-sort]", "aria-sort") != "descending" {
		t.Errorf("by incidents: %q", got)
	}
	// What is not known comes last, both ways.
	for _, sort := range []string{"computers", "-computers"} {
		if got := lead.get("/schools?sort=" + sort).texts("#schools-table tbody th"); got[0] != "Collège Robert Schuman" {
			t.Errorf("%s: %q", sort, got)
		}
	}
	a = lead.get("/schools?q=ARTE")
	if got := a.texts("#schools-table tbody th"); len(got) != 1 || a.attr("#schools-table tbody th a", "href") != "/schools/"+id(l.schools[1].ID) {
		t.Errorf("search finds %q", got)
	}
	if got := a.texts("#schools-table tfoot td"); got[3] != "1" {
		t.Errorf("totals of what was searched: %q", got)
	}
	if a = lead.get("/schools?q=zzz"); a.attr(".empty a", "href") != "/schools" {
		t.Errorf("nothing found: %s", a.text("main"))
	}

	resp := lead.get("/schools.csv?q=amilly").wantStatus(http.StatusOK)
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(resp.body, "\ufeff")))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "0450937Z" || rows[1][5] != "2" {
		t.Errorf("file %q, %v", rows, err)
	}
	if a = lead.get("/schools.xlsx").wantStatus(http.StatusOK); !strings.HasPrefix(a.body, "PK") {
		t.Error("the workbook is not one")
	}

	if a = l.as(t, "referent").get("/schools?period=7d"); a.Request.URL.String() != l.URL+"/schools/"+id(l.schools[0].ID)+"?period=7d" {
		t.Errorf("a referent of one school is sent to %s", a.Request.URL)
	}
	two := l.as(t, "two").get("/schools")
	if got := two.texts("#schools-table tbody th"); len(got) != 2 || strings.Contains(two.body, "Moulin") {
		t.Errorf("a referent of two schools sees %q", got)
	}
	if got := two.texts("#schools-table tfoot td"); got[3] != "2" {
		t.Errorf("totals of two schools: %q", got)
	}
	l.as(t, "teacher").get("/schools").wantStatus(http.StatusForbidden)
}

func TestSchoolsOfAnEmptyHouse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "lead", auth.Lead)
	s.account(t, "tech", auth.Technician)
	if a := s.as(t, "lead").get("/schools").wantStatus(http.StatusOK); a.attr(".empty a", "href") != "/admin/directory/import" {
		t.Errorf("a lead is told: %s", a.text(".empty"))
	}
	if a := s.as(t, "tech").get("/schools").wantStatus(http.StatusOK); a.text(".empty p") == "" || a.attr(".empty a", "href") != "" {
		t.Errorf("a technician is told: %s", a.text(".empty"))
	}
}

func TestSchool(t *testing.T) {
	t.Parallel()
	l := newLoiret(t)
	path := "/schools/" + id(l.schools[0].ID)
	lead, referent := l.as(t, "lead"), l.as(t, "referent")
	a := lead.get(path).wantStatus(http.StatusOK)
	if a.text("h1") != "Collège Robert Schuman" || a.attr("[data-key=e]", "href") != "/admin/directory/schools/"+id(l.schools[0].ID) {
		t.Errorf("head: %s", a.text(".page-head"))
	}
	if got := a.texts("#open .row-link"); len(got) != 2 || strings.Contains(a.body, "Imprimante muette") {
		t.Errorf("open here: %q", got)
	}
	if got := a.text("#machines-title") + a.text(".school-pair tbody th a"); !strings.HasSuffix(got, "HX21B-1") {
		t.Errorf("machines: %q", got)
	}
	list := lead.get(a.attr(".school-pair tbody th a", "href")).wantStatus(http.StatusOK)
	if got := list.texts(".incident-list .row-link"); len(got) != 2 {
		t.Errorf("behind the machine: %q", got)
	}
	if got := lead.get(a.attr("#rooms svg a", "href")).texts(".incident-list .row-link"); len(got) != 2 {
		t.Errorf("behind the room: %q", got)
	}

	a = referent.get(path).wantStatus(http.StatusOK)
	if a.attr("[data-key=e]", "href") != "" || a.attr(".actions a", "href") != "/declare?school="+id(l.schools[0].ID) || a.text(".crumbs") != "" {
		t.Errorf("a referent's head: %s", a.text(".page-head"))
	}
	if strings.Contains(a.body, "département") {
		t.Error("with three schools, the totals of the département tell about a neighbour")
	}
	referent.get("/schools/" + id(l.schools[1].ID)).wantStatus(http.StatusNotFound)
	referent.get("/schools/" + id(l.schools[1].ID) + "/open").wantStatus(http.StatusNotFound)
	lead.get("/schools/999").wantStatus(http.StatusNotFound)
	lead.get("/schools/x").wantStatus(http.StatusNotFound)
	l.as(t, "teacher").get(path).wantStatus(http.StatusForbidden)
	if got := referent.get(path + "/open").texts(".row-link"); len(got) != 2 {
		t.Errorf("the live part: %q", got)
	}

	// A school where nothing happened teaches, and a long name stays whole.
	a = lead.get("/schools/" + id(l.schools[2].ID)).wantStatus(http.StatusOK)
	if a.text("h1") != l.schools[2].Name || a.text(".school-quiet") == "" || !strings.HasPrefix(a.text(".school-plain p + p"), "Aucun incident") || !strings.Contains(a.text("#counts-title + *")+a.text("main"), "pas encore connu") {
		t.Errorf("an empty school: %s", a.text("main"))
	}
	for _, bad := range []string{"?period=nonsense", "?from=2026-01-01&to=2020-01-01"} {
		lead.get(path + bad).wantStatus(http.StatusOK)
	}
}

func TestFindSchoolsAndRooms(t *testing.T) {
	t.Parallel()
	l := newLoiret(t)
	lead, two := l.as(t, "lead"), l.as(t, "two")
	if a := lead.get("/go?q=moulin"); a.attr("[role=option]", "href") != "/schools/"+id(l.schools[1].ID) {
		t.Errorf("school: %s", a.body)
	}
	if a := lead.get("/go?q=amilly+12"); a.attr("[role=option]", "href") != "/incidents?room="+id(l.room.ID) {
		t.Errorf("room: %s", a.body)
	}
	if a := two.get("/go?q=moulin"); a.attr("[role=option]", "href") != "" {
		t.Errorf("a referent finds another school: %s", a.body)
	}
}

func TestWall(t *testing.T) {
	t.Parallel()
	l := newLoiret(t)
	lead, referent := l.as(t, "lead"), l.as(t, "referent")
	a := lead.get("/wall").wantStatus(http.StatusOK)
	if got := a.texts(".wall-board h2"); len(got) != 5 || a.text(".wall-number") != "3" {
		t.Errorf("boards %q, open %q", got, a.text(".wall-number"))
	}
	if a.text("nav") != "" || a.attr(".wall-board a", "href") != "" || a.attr(".wall-board button", "type") != "" {
		t.Error("a wall has controls")
	}
	if got := lead.get("/wall?boards=latest,map,nonsense").texts(".wall-board h2"); len(got) != 2 {
		t.Errorf("chosen boards: %q", got)
	}
	if got := lead.get("/wall?boards=nonsense").texts(".wall-board h2"); len(got) != 5 {
		t.Errorf("no such board: %q", got)
	}
	// One school has no map, and its rooms in the place of schools.
	a = referent.get("/wall").wantStatus(http.StatusOK)
	if got := a.texts(".wall-board h2"); len(got) != 4 || a.text(".wall-head h1") != "Collège Robert Schuman · Écran mural" || a.text(".wall-number") != "2" {
		t.Errorf("a referent's boards: %q, %q", got, a.text(".wall-head h1"))
	}
	if strings.Contains(a.body, "Imprimante") || !strings.Contains(a.text("#board-schools"), "Salle 12") {
		t.Errorf("a referent's wall: %s", a.text("main"))
	}
	if a = lead.get("/wall/board?board=latest"); a.text("main") != "" || len(a.texts(".wall-rows li")) != 3 {
		t.Errorf("a board alone: %s", a.body)
	}
	// A screen whose session has ended comes back to the wall, not to a board.
	req, err := http.NewRequest(http.MethodGet, l.URL+"/wall/board?board=latest", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Hx-Request", "true")
	req.Header.Set("Hx-Current-Url", l.URL+"/wall?boards=latest")
	if got := l.reader(t).do(req, nil).Header.Get("Hx-Redirect"); got != "/login?next=%2Fwall%3Fboards%3Dlatest" {
		t.Errorf("signed out, a board leads to %q", got)
	}
	empty := newSite(t)
	empty.account(t, "lead", auth.Lead)
	if a = empty.as(t, "lead").get("/wall").wantStatus(http.StatusOK); a.text(".wall-number") != "0" {
		t.Errorf("an empty house: %s", a.text("main"))
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	l := newLoiret(t)
	lead := l.as(t, "lead")
	school := directoryPath + "/schools/" + id(l.schools[0].ID)
	a := lead.get(directoryPath).wantStatus(http.StatusOK)
	if got := a.texts("tbody th"); len(got) != 3 {
		t.Errorf("schools %q", got)
	}
	if got := a.texts("tbody tr:last-child td"); got[len(got)-1] != "" && got[2] != "1" {
		t.Errorf("what Schuman lacks: %q", got)
	}

	// A school is saved, undone, refused.
	a = lead.get(school)
	if a.attr("#f-lat", "value") != "47,98893" {
		t.Errorf("latitude %q", a.attr("#f-lat", "value"))
	}
	a = lead.post(school, "uai", "0450937Z", "name", "Collège Schuman", "commune", "Amilly", "lat", "47,98893", "lon", "2,76641").wantStatus(http.StatusOK)
	if a.text("h1") != "Collège Schuman" || a.attr(".notice form", "action") != school || a.attr(".notice input[name=name]", "value") != "Collège Robert Schuman" {
		t.Errorf("saved: %q, undo %q", a.text("h1"), a.attr(".notice input[name=name]", "value"))
	}
	a = lead.post(school, "uai", "0450003J", "name", "Collège Schuman", "lat", "nord", "opened", "hier").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-lat-error") == "" || a.text("#f-opened-error") == "" || a.attr("#f-lat", "value") != "nord" {
		t.Errorf("refused: %s", a.text("form.form"))
	}
	if a = lead.post(school, "uai", "0450003J", "name", "Collège Schuman").wantStatus(http.StatusUnprocessableEntity); a.text("#f-uai-error") == "" {
		t.Error("another school's code was taken")
	}
	a = lead.post(directoryPath+"/schools/new", "uai", "0451999Z", "name", "Collège neuf").wantStatus(http.StatusOK)
	if a.text("h1") != "Collège neuf" {
		t.Errorf("made: %s", a.text("main"))
	}

	// Rooms: added, refused twice, renamed, archived and back.
	a = lead.post(school+"/rooms", "name", "CDI", "network", "teaching").wantStatus(http.StatusOK)
	if got := a.texts(".directory-rooms .row-link"); len(got) != 2 || got[0] != "CDI" {
		t.Errorf("rooms %q", got)
	}
	if a = lead.post(school+"/rooms", "name", "CDI").wantStatus(http.StatusUnprocessableEntity); a.text("#room-name-error") == "" || a.attr("#room-name", "value") != "CDI" {
		t.Errorf("refused room: %s", a.text("main"))
	}
	room := directoryPath + "/rooms/" + id(l.room.ID)
	if a = lead.post(room, "name", "Salle 12 bis", "network", "administrative").wantStatus(http.StatusOK); !strings.Contains(a.text(".directory-rooms"), "Salle 12 bisréseau administratif") {
		t.Errorf("renamed: %s", a.text(".directory-rooms"))
	}
	if a = lead.post(room+"/archive", "archived", "1"); len(a.texts(".directory-rooms .archived")) != 1 || a.attr(".notice input[name=archived]", "value") != "" {
		t.Errorf("archived: %s", a.text(".directory-rooms"))
	}
	if a = lead.post(room+"/archive", "archived", ""); len(a.texts(".directory-rooms .archived")) != 0 {
		t.Errorf("back: %s", a.text(".directory-rooms"))
	}

	// Denominators: added, replaced, removed; figures follow.
	a = lead.post(school+"/counts", "from", "2025-09-01", "computers", "210", "pupils", "610", "source", "inventaire").wantStatus(http.StatusOK)
	if got := a.texts(".directory-school table tbody th"); len(got) != 2 || a.attr(".notice form", "action") != school+"/counts/remove" {
		t.Errorf("numbers %q, undo %q", got, a.attr(".notice form", "action"))
	}
	if a = lead.post(school+"/counts", "from", "2025-09-01", "computers", "220"); a.attr(".notice input[name=computers]", "value") != "210" {
		t.Errorf("replaced, undo gives %q", a.attr(".notice input[name=computers]", "value"))
	}
	if a = lead.post(school+"/counts", "from", "2025-09-01", "computers", "-4", "pupils", "beaucoup").wantStatus(http.StatusUnprocessableEntity); a.text("#count-pupils-error") == "" {
		t.Errorf("refused numbers: %s", a.text("main"))
	}
	if a = lead.get("/schools/" + id(l.schools[0].ID)); !strings.Contains(a.text(".school-facts"), "Postes en service220") {
		t.Errorf("figures of the school: %s", a.text(".school-facts"))
	}
	if a = lead.post(school+"/counts/remove", "from", "2025-09-01"); len(a.texts(".directory-school table tbody th")) != 1 {
		t.Error("the numbers stay")
	}

	// People and teams.
	a = lead.post(directoryPath+"/people/new", "name", "Mme Petit", "kind", "technician", "email", "petit@example.org").wantStatus(http.StatusOK)
	if got := a.texts("tbody th"); len(got) != 2 {
		t.Errorf("people %q", got)
	}
	a = lead.get(directoryPath + "/people?kind=technician")
	if got := a.texts("tbody th"); len(got) != 1 || got[0] != "Mme Petit" {
		t.Errorf("technicians %q", got)
	}
	who := a.attr("tbody th a", "href")
	if a = lead.post(who, "name", "Mme Petit", "kind", "technician", "email", "rien").wantStatus(http.StatusUnprocessableEntity); a.text("#f-email-error") == "" {
		t.Error("an address without @")
	}
	if a = lead.get(who); a.attr("input[name=kind][checked]", "value") != "technician" {
		t.Errorf("kind %q", a.attr("input[name=kind][checked]", "value"))
	}
	a = lead.post(directoryPath+"/teams/new", "name", "Réseau").wantStatus(http.StatusOK)
	if a = lead.post(a.attr("tbody th a", "href"), "name", "Réseau", "archived", "1"); !strings.Contains(a.text("tbody td"), "retirée") {
		t.Errorf("team: %s", a.text("table"))
	}
	lead.get(directoryPath + "/rooms/999").wantStatus(http.StatusNotFound)
	lead.get(directoryPath + "/people/999").wantStatus(http.StatusNotFound)
	lead.get(directoryPath + "/teams/999").wantStatus(http.StatusNotFound)
}

// upload posts a form with a file.
func (b *reader) upload(path, name, content string, pairs ...string) *answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	if err == nil {
		req.Header.Set("Content-Type", w.FormDataContentType())
	}
	return b.do(req, err)
}

func TestDirectoryImport(t *testing.T) {
	t.Parallel()
	l := newLoiret(t)
	lead := l.as(t, "lead")
	const page = directoryPath + "/import"
	const file = "uai;nom;commune;postes\n0450937Z;Collège Robert-Schuman;Amilly;230\n0450066C;Collège Montjoie;Saran;180\n123;Faux;Nulle part;1\n"
	a := lead.upload(page, "colleges.csv", file, "kind", "schools", "from", "2026-09-01").wantStatus(http.StatusOK)
	if got := a.texts(".directory-counts li"); len(got) != 3 {
		t.Fatalf("would change %q: %s", got, a.text("main"))
	}
	if got := a.texts("#rejected-title, section[aria-labelledby=rejected-title] tbody *"); !strings.Contains(strings.Join(got, "|"), "|4|") || !strings.Contains(strings.Join(got, " "), "code UAI") {
		t.Errorf("refused rows: %q", got)
	}
	if a := lead.get(directoryPath); strings.Contains(a.body, "Montjoie") {
		t.Fatal("the preview changed the directory")
	}
	key := a.attr("input[name=key]", "value")
	l.account(t, "other", auth.Lead)
	l.as(t, "other").post(page+"/confirm", "key", key).wantStatus(http.StatusUnprocessableEntity)
	a = lead.post(page+"/confirm", "key", key).wantStatus(http.StatusOK)
	if !strings.Contains(a.text("tbody"), "Montjoie") || !strings.Contains(a.text(".notice"), "refusée") {
		t.Errorf("imported: %s", a.text("main"))
	}
	lead.post(page+"/confirm", "key", key).wantStatus(http.StatusUnprocessableEntity)
	a = lead.upload(page, "colleges.csv", file, "kind", "schools", "from", "2026-09-01").wantStatus(http.StatusOK)
	if a.attr("input[name=key]", "value") != "" {
		t.Errorf("twice the same file would change: %s", a.text("main"))
	}
	a = lead.upload(page, "postes.csv", "uai,date,postes\n0450003J,2025-09-01,99\n", "kind", "counts").wantStatus(http.StatusOK)
	lead.post(page+"/confirm", "key", a.attr("input[name=key]", "value")).wantStatus(http.StatusOK)
	if a = lead.get("/schools/" + id(l.schools[1].ID)); !strings.Contains(a.text(".school-facts"), "Postes en service99") {
		t.Errorf("imported numbers: %s", a.text(".school-facts"))
	}
	if a = lead.upload(page, "x.csv", "a;b\n1;2\n", "kind", "schools").wantStatus(http.StatusUnprocessableEntity); !strings.Contains(a.text(".notice.critical"), "a, b") {
		t.Errorf("a file without the code: %s", a.text("main"))
	}
	lead.upload(page, "x.csv", "", "kind", "schools").wantStatus(http.StatusUnprocessableEntity)
}

// A comparison that may conclude nothing says why, and a reader of one school
// sees no other.
func TestCompareSchools(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	page := w.as(t, "referent").get("/schools/compare?period=7d").wantStatus(http.StatusOK)
	if got := page.text("main .notice"); got == "" || strings.Contains(page.body, "/schools/"+id(w.b)) {
		t.Errorf("the refusal says %q", got)
	}
}
