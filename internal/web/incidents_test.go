package web

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
)

// crowd makes a town with more incidents than a page of a list holds.
func crowd(t *testing.T, n int) *town {
	t.Helper()
	w := newTown(t)
	for i := range n {
		d := incident.Declaration{Title: fmt.Sprintf("Panne %03d", i), School: w.a, Room: w.roomA, Category: w.computer, Urgency: 1 + i%3, Impact: 1 + i%2}
		if i%3 == 0 {
			d.School, d.Room, d.Category = w.b, w.roomB, w.printing
		}
		number := w.declare(t, d)
		tech := w.identity(auth.Technician, w.technician)
		if i%4 == 0 {
			w.act(t, tech, incident.Change{Incident: number, Action: incident.Take})
		}
		if i%8 == 0 {
			w.act(t, tech, incident.Change{Incident: number, Action: incident.Resolve, Set: incident.Patch{CauseCode: &w.cause, ResolutionCode: &w.fix}})
		}
	}
	w.settle(t)
	return w
}

func (w *town) identity(role auth.Role, person int64) auth.Identity {
	return auth.Identity{Tenant: 1, Account: 77, Role: role, Person: person}
}

func (w *town) act(t *testing.T, by auth.Identity, c incident.Change) incident.Incident {
	t.Helper()
	return get1[incident.Incident](t)(w.incidents.Act(context.Background(), by, c))
}

// total reads the number that heads a list: "1 234 incidents".
func (a *answer) total() int {
	a.t.Helper()
	return number(a.t, a.text(".list-summary"))
}

// number reads the first number of a text, as French writes it.
func number(t *testing.T, text string) int {
	t.Helper()
	digits := ""
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits += string(r)
		case r == '\u202f' || r == '\u00a0':
		case digits != "":
			n, _ := strconv.Atoi(digits)
			return n
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Errorf("no number in %q", text)
	}
	return n
}

// A list is gone through to its end in every order, each incident once.
func TestIncidentsPages(t *testing.T) {
	t.Parallel()
	w := crowd(t, 120)
	b := w.as(t, "technician")
	for _, sort := range []string{"", "-opened", "opened", "-updated", "priority", "school", "-number"} {
		seen := map[int64]int{}
		a := b.get("/incidents?period=all&sort=" + sort)
		total, pages := a.total(), 0
		for {
			pages++
			for _, n := range a.numbers() {
				seen[n]++
			}
			next := a.attr(".pager a[rel=next]", "href")
			if next == "" || pages > 10 {
				break
			}
			a = b.get(next).wantStatus(http.StatusOK)
		}
		if len(seen) != 123 || total != 123 || pages != 3 {
			t.Errorf("sort %q: %d incidents on %d pages, %d said", sort, len(seen), pages, total)
		}
		for n, times := range seen {
			if times != 1 {
				t.Errorf("sort %q: incident %d is shown %d times", sort, n, times)
			}
		}
	}
}

func TestIncidentsViewsAndFilters(t *testing.T) {
	t.Parallel()
	w := crowd(t, 24)
	b := w.as(t, "technician")
	a := b.get("/incidents")
	if a.Request.URL.RawQuery != "open=yes" || a.text(".tabs [aria-current]") != "À traiter" {
		t.Errorf("the list opens at %s on %q", a.Request.URL, a.text(".tabs [aria-current]"))
	}
	want := map[string]int{"À traiter": 24, "Les miens": 3, "En retard": 0, "Nouveaux": 21, "En attente": 0, "Résolus": 3, "Tous": 27}
	labels, hrefs := a.texts(".tabs a"), a.hrefs(".tabs a")
	if len(labels) != len(want) {
		t.Errorf("views %q", labels)
	}
	for i, label := range labels {
		v := b.get(hrefs[i])
		if v.total() != want[label] {
			t.Errorf("%s: %d incidents, want %d", label, v.total(), want[label])
		}
		if v.text(".tabs [aria-current]") != label {
			t.Errorf("%s shows as %q", label, v.text(".tabs [aria-current]"))
		}
		if want[label] == 0 && v.text(".empty h2") == "" {
			t.Errorf("%s: an empty list teaches nothing", label)
		}
	}
	// A filter keeps the view, shows its chip, and the chip takes it away.
	a = b.get("/incidents?open=yes&school=" + id(w.b))
	chips, away := a.texts(".chip"), a.hrefs(".chip")
	if a.total() != 8 || len(chips) != 2 {
		t.Fatalf("in one school: %d incidents, chips %q", a.total(), chips)
	}
	for i, chip := range chips {
		if strings.Contains(chip, "Collège B") && b.get(away[i]).total() != 24 {
			t.Errorf("taking %q away does not give the whole view", chip)
		}
	}
	// Words go through the text index, a number to its incident.
	if a = b.get("/incidents?period=all&q=videoprojecteur"); !slices.Equal(a.numbers(), []int64{w.own}) {
		t.Errorf("words find %v", a.numbers())
	}
	if a = b.get("/incidents?period=all&q=zzz"); a.total() != 0 {
		t.Errorf("words that are nowhere find %v", a.numbers())
	}
	b.get("/incidents?nonsense=1").wantStatus(http.StatusUnprocessableEntity)
}

// An export is the whole list under the reader's scope.
func TestIncidentsExport(t *testing.T) {
	t.Parallel()
	w := crowd(t, 90)
	for login, rows := range map[string]int{"technician": 93, "referent": 62} {
		b := w.as(t, login)
		list := b.get("/incidents?period=all")
		if list.total() != rows {
			t.Errorf("%s sees %d incidents, want %d", login, list.total(), rows)
		}
		exports := list.hrefs(".list-tools a[download]")
		if len(exports) != 2 {
			t.Fatalf("exports %q", exports)
		}
		a := b.get(exports[0]).wantStatus(http.StatusOK)
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff")))
		r.Comma = ';'
		records, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(records)-1 != rows || records[0][1] != "Titre" && records[0][0] == "" {
			t.Errorf("%s: %d rows under %q", login, len(records)-1, records[0])
		}
		var first []int64
		for _, rec := range records[1:min(51, len(records))] {
			n, _ := strconv.ParseInt(rec[0], 10, 64)
			first = append(first, n)
		}
		if !slices.Equal(first, list.numbers()) {
			t.Errorf("%s: the file begins with %v, the list with %v", login, first, list.numbers())
		}
		sheet := unzipped(t, b.get(exports[1]).wantStatus(http.StatusOK).body)
		if n := strings.Count(sheet, "<row "); n != rows+1 {
			t.Errorf("%s: %d rows in the workbook, want %d", login, n, rows+1)
		}
	}
}

// Every role is offered what the state machine allows it, and doing it changes
// the state and the story.
func TestIncidentActions(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	offered := func(login string, number int64) []string {
		var list []string
		for _, n := range w.as(t, login).get("/incidents/" + id(number)).all("input[name=action]") {
			list = append(list, attribute(n, "value"))
		}
		slices.Sort(list)
		return list
	}
	for login, want := range map[string][]string{
		"technician":    {"assign", "cancel", "comment", "hold", "merge", "plan", "resolve", "route", "take"},
		"lead":          {"assign", "cancel", "comment", "hold", "merge", "plan", "resolve", "route", "take"},
		"administrator": {"assign", "cancel", "comment", "hold", "merge", "plan", "resolve", "route"}, // is nobody who takes charge
		"referent":      {"cancel", "comment", "refile"},
		"declarant":     {"cancel", "comment", "refile"},
	} {
		if got := offered(login, w.own); !slices.Equal(got, want) {
			t.Errorf("%s may %v, want %v", login, got, want)
		}
	}
	b := w.as(t, "technician")
	at := "/incidents/" + id(w.own)
	for _, step := range []struct {
		action string
		form   []string
		badge  string
	}{
		{"take", nil, "pris en charge"},
		{"plan", []string{"planned_at", "2031-03-04T09:30"}, "planifié"},
		{"hold", []string{"waiting_code", id(w.reason)}, "en attente"},
		{"resume", nil, "pris en charge"},
		{"assign", []string{"assignee", id(w.second)}, "pris en charge"},
		{"route", []string{"team", id(w.team)}, "nouveau"},
		{"resolve", []string{"resolution_code", id(w.fix), "cause_code", id(w.cause), "resolution", "Lampe changée"}, "résolu"},
		{"reopen", []string{"comment", "Toujours noir"}, ""},
		{"resolve", []string{"resolution_code", id(w.fix), "cause_code", id(w.cause)}, "résolu"},
		{"close", nil, "clos"},
	} {
		a := b.post(at+"/act", append([]string{"action", step.action}, step.form...)...).wantStatus(http.StatusOK)
		if badge := a.text(".incident-line .badge"); step.badge != "" && badge != step.badge {
			t.Fatalf("after %s the incident is %q: %s", step.action, badge, a.text(".notice"))
		}
		if a.text(".notice") == "" {
			t.Errorf("%s is not acknowledged", step.action)
		}
	}
	story := b.get(at).texts(".story-entry")
	if len(story) != 11 || !strings.Contains(strings.Join(story, "\n"), "Toujours noir") {
		t.Errorf("the story has %d entries: %q", len(story), story)
	}
	// What is missing is said beside its field, in the action's own unfolded form.
	a := w.as(t, "lead").post("/incidents/"+id(w.beside)+"/act", "action", "resolve", "resolution", "Rouleau nettoyé").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#resolve-resolution_code-error") == "" || a.text("#resolve-resolution") != "Rouleau nettoyé" || len(a.all(".incident-action[open]")) != 1 {
		t.Errorf("the refused resolution: %s", a.text(".incident-do"))
	}
	// An action that is no longer possible is a conflict, and says so.
	a = b.post(at+"/act", "action", "hold", "waiting_code", id(w.reason)).wantStatus(http.StatusConflict)
	if !strings.Contains(a.text("#form-errors"), "plus possible") {
		t.Errorf("an impossible action: %q", a.text("#form-errors"))
	}
	// Merging leads on to the other incident.
	b.post("/incidents/"+id(w.beside)+"/act", "action", "merge", "merged_into", id(w.foreign))
	if got := b.get("/incidents/"+id(w.beside)).attr(".facts a[href='/incidents/"+id(w.foreign)+"']", "href"); got == "" {
		t.Error("a merged incident does not lead to the other")
	}
	// What the unit keeps to itself is not told to others.
	b.post(at+"/act", "action", "comment", "comment", "Le câble était débranché exprès", "internal", "1")
	if a := w.as(t, "declarant").get(at); strings.Contains(a.body, "débranché exprès") {
		t.Error("the declarant reads what is for the unit only")
	}
}

// The last action is taken back by its button, once, by who did it.
func TestUndoAction(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	a := b.post("/incidents/"+id(w.own)+"/act", "action", "resolve", "resolution_code", id(w.fix), "cause_code", id(w.cause))
	action, version := a.attr(".notice form", "action"), a.attr(".notice input[name=version]", "value")
	if action == "" || version == "" {
		t.Fatalf("no undo is offered: %s", a.text(".notice"))
	}
	w.as(t, "second").post(action, "version", version).wantStatus(http.StatusConflict)
	a = b.post(action, "version", version).wantStatus(http.StatusOK)
	if a.text(".incident-line .badge") != "nouveau" || strings.Contains(a.text(".facts"), "Réouvertures") {
		t.Errorf("undone, the incident is %q", a.text(".incident-line .badge"))
	}
	b.post(action, "version", version).wantStatus(http.StatusConflict)
}

// Two who edit at once: what differs is merged; on the same field both values
// are shown and nothing typed is lost.
func TestIncidentConflict(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	one, two := w.as(t, "technician"), w.as(t, "second")
	at := "/incidents/" + id(w.own) + "/edit"
	form := func(a *answer) url.Values {
		v := url.Values{}
		for _, n := range a.all("form[data-guard] [name]") {
			name := attribute(n, "name")
			switch {
			case n.Data == "textarea":
				v.Set(name, textOf(n))
			case n.Data == "select":
				for o := range n.Descendants() {
					if o.Data == "option" && slices.ContainsFunc(o.Attr, func(at html.Attribute) bool { return at.Key == "selected" }) {
						v.Set(name, attribute(o, "value"))
					}
				}
			case attribute(n, "type") == "radio":
				if slices.ContainsFunc(n.Attr, func(at html.Attribute) bool { return at.Key == "checked" }) {
					v.Set(name, attribute(n, "value"))
				}
			default:
				v.Set(name, attribute(n, "value"))
			}
		}
		return v
	}
	send := func(b *reader, v url.Values) *answer {
		var pairs []string
		for name := range v {
			pairs = append(pairs, name, v.Get(name))
		}
		return b.post(at, pairs...)
	}
	mine, theirs := form(one.get(at)), form(two.get(at))
	mine.Set("title", "Le vidéoprojecteur est éteint")
	send(one, mine).wantStatus(http.StatusOK)
	// Another field: both stay.
	theirs.Set("machine", "HX20A-2")
	a := send(two, theirs).wantStatus(http.StatusOK)
	if a.text("h1") != "Le vidéoprojecteur est éteint" || !strings.Contains(a.text(".incident-line"), "HX20A-2") {
		t.Errorf("merged: %q, %q", a.text("h1"), a.text(".incident-line"))
	}
	// The same field: a conflict that shows what stands and keeps what was typed.
	theirs.Set("title", "Ampoule grillée en salle 12")
	theirs.Set("description", "Un long texte que personne ne veut taper deux fois")
	a = send(two, theirs).wantStatus(http.StatusConflict)
	if got := a.attr("#f-title", "value"); got != "Ampoule grillée en salle 12" {
		t.Errorf("the title typed became %q", got)
	}
	if !strings.Contains(a.text("main"), "Le vidéoprojecteur est éteint") {
		t.Errorf("what stands is not shown: %s", a.text("main"))
	}
	if !strings.Contains(a.text("textarea[name=description]"), "taper deux fois") {
		t.Error("the text typed is lost")
	}
	if !strings.Contains(a.text("main"), "valeur actuelle") {
		t.Error("what stands is not named")
	}
	// Saving again is a choice.
	a = send(two, form(a)).wantStatus(http.StatusOK)
	if a.text("h1") != "Ampoule grillée en salle 12" || !strings.Contains(a.text(".incident-text"), "taper deux fois") {
		t.Errorf("saved again: %q", a.text("h1"))
	}
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	// A teacher of one school chooses none.
	b := w.as(t, "declarant")
	a := b.get("/declare").wantStatus(http.StatusOK)
	if a.attr("input[name=school]", "value") != id(w.a) || len(a.all("select[name=school]")) != 0 || len(a.all("input[name=room]")) != 2 {
		t.Errorf("a teacher is asked: %s", a.text("form.declare"))
	}
	once := a.attr("input[name=once]", "value")
	typed := []string{"once", once, "school", id(w.a), "room", id(w.roomA), "category", id(w.printing), "title", "", "description", "Elle clignote depuis ce matin"}
	a = b.post("/declare", typed...).wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-title-error") == "" || a.text("textarea[name=description]") != "Elle clignote depuis ce matin" ||
		len(a.all("input[name=category][checked]")) != 1 || a.attr("input[name=room][checked]", "value") != id(w.roomA) || len(a.all("details.declare-more[open]")) != 1 {
		t.Errorf("the refused form lost something: %s", a.text("form.declare"))
	}
	// Sent twice, it is one incident.
	typed[9] = "L'imprimante clignote"
	// Something like it is reported there already: it is shown before anything is sent.
	a = b.post("/declare", typed...).wantStatus(http.StatusOK)
	if a.Request.URL.Path != "/declare" || a.text("#asked") == "" || !slices.Equal(a.texts(".known .known-name"), []string{"Bourrage papier"}) || !slices.Equal(a.texts(".known-beside .known-name"), []string{"Le vidéoprojecteur reste noir"}) {
		t.Fatalf("%s shows %q", a.Request.URL, a.texts(".known-name"))
	}
	if strings.Contains(a.text(".known"), "M. Collègue") {
		t.Error("a declarant learns who declared")
	}
	typed = append(typed, "seen", a.attr("input[name=seen]", "value"))
	first := b.post("/declare", typed...).wantStatus(http.StatusOK)
	second := b.post("/declare", typed...).wantStatus(http.StatusOK)
	if first.Request.URL.Path != second.Request.URL.Path || !strings.HasPrefix(first.Request.URL.Path, "/declare/") {
		t.Errorf("sent twice: %s and %s", first.Request.URL, second.Request.URL)
	}
	if !strings.Contains(first.text("main"), "porte le n°") || !strings.Contains(first.text("main"), "L'imprimante clignote") {
		t.Errorf("not acknowledged: %q", first.text("main"))
	}
	// While nobody has looked after it, its author says what kind of problem it is.
	number := strings.TrimPrefix(first.Request.URL.Path, "/declare/")
	a = b.post("/incidents/"+number+"/act", "action", "refile", "category", id(w.computer), "then", first.Request.URL.Path).wantStatus(http.StatusOK)
	if a.Request.URL.Path != first.Request.URL.Path || !strings.Contains(a.text(".declared-facts"), "Ordinateur") {
		t.Errorf("the kind was not changed: %s %s", a.Request.URL, a.text(".declared-facts"))
	}
	// Somebody else's school is refused as an unknown one.
	b.post("/declare", "school", id(w.b), "title", "Ailleurs").wantStatus(http.StatusUnprocessableEntity)
	// Who sees all chooses; without script the rooms come by a button.
	lead := w.as(t, "lead")
	if a = lead.get("/declare"); len(a.all("select[name=school] option")) != 3 {
		t.Errorf("a lead chooses among %q", a.texts("select[name=school] option"))
	}
	if a = lead.get("/declare?school=" + id(w.b) + "&title=Deux"); !slices.Contains(a.texts(".declare-rooms .choice"), "Salle 9") || a.attr("#f-title", "value") != "Deux" {
		t.Errorf("the rooms of a chosen school: %q", a.texts(".declare-rooms .choice"))
	}
	a = lead.post("/declare", "school", id(w.b), "title", "Par téléphone", "origin", "phone").wantStatus(http.StatusOK)
	a = lead.get(a.attr(".declared .btn-primary", "href"))
	if !strings.Contains(a.text(".facts"), "Téléphone") {
		t.Errorf("the origin: %s", a.text(".facts"))
	}
}
