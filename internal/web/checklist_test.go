package web

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
)

// photograph posts a form with a file in a field.
func (b *reader) photograph(path, field, name string, data []byte, pairs ...string) *answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(data)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	if err == nil {
		req.Header.Set("Content-Type", w.FormDataContentType())
	}
	return b.do(req, err)
}

func TestChecklistOnAnIncident(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	lead := w.as(t, "lead")
	lead.post("/admin/checklists/new", "title", "Poste neuf", "text.0", "Étiquette collée", "kind.0", "none", "must.0", "1", "order.0", "2",
		"text.1", "Adresse IP", "kind.1", "ip", "must.1", "1", "order.1", "1", "text.2", "Photo du poste", "kind.2", "photo", "order.2", "3").wantStatus(http.StatusOK)
	b := w.as(t, "technician")
	page := "/incidents/" + id(w.own)
	template := b.get(page).attr(`.checklist-add option:nth-child(2)`, "value")
	a := b.post("/checklists", "template", template, "incident", id(w.own), "back", page).wantStatus(http.StatusOK)
	if got := a.texts(".check-body > p:first-child"); len(got) != 3 || !strings.HasPrefix(got[0], "Adresse IP") {
		t.Fatalf("items %q", got)
	}
	tick := func(item string) string { return a.attr(`#checklist-1-`+item+` form`, "action") }

	// What is left holds the resolution back, by name, with a link to each.
	a = b.post(page+"/act", "action", "resolve", "resolution_code", id(w.fix), "cause_code", id(w.cause)).wantStatus(http.StatusUnprocessableEntity)
	if got := a.hrefs("#form-errors a"); len(got) != 2 || got[0] != "#checklist-1-0" || len(a.all(got[0])) != 1 {
		t.Errorf("the refusal leads to %q", got)
	}
	if said := a.text("#form-errors"); !strings.Contains(said, "2 étapes obligatoires") || !strings.Contains(said, "Étiquette collée") {
		t.Errorf("the refusal says %q", said)
	}

	// A wrong value stays in its field with its reason.
	a = b.post(tick("0"), "done", "1", "value", "10.45.1", "back", page).wantStatus(http.StatusUnprocessableEntity)
	if a.attr("#value-1-0", "value") != "10.45.1" || !strings.Contains(a.text("#value-1-0-error"), "adresse IP") {
		t.Errorf("refused: %s", a.text("main"))
	}
	b.post(tick("0"), "done", "1", "value", "10.45.1.7", "back", page).wantStatus(http.StatusOK)
	a = b.post(tick("1"), "done", "1", "back", page).wantStatus(http.StatusOK)
	if a.Request.URL.Path != page || len(a.all(".check-item.done")) != 2 || !strings.Contains(a.text("#checklist-1-0 .check-said"), "10.45.1.7 · Mme technician") {
		t.Errorf("ticked: %s", a.text(".checklist"))
	}

	// A photo goes with the incident's files, for the unit.
	var img bytes.Buffer
	if err := png.Encode(&img, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	b.post(tick("2"), "done", "1", "back", page).wantStatus(http.StatusUnprocessableEntity)
	a = b.photograph(tick("2"), filesName, "baie.png", img.Bytes(), "done", "1", "back", page).wantStatus(http.StatusOK)
	photo := a.attr("#checklist-1-2 .check-said a", "href")
	b.get(photo).wantStatus(http.StatusOK)
	w.as(t, "declarant").get(photo).wantStatus(http.StatusNotFound)

	// A script gets the list alone.
	req, err := http.NewRequest(http.MethodPost, b.base+tick("1"), strings.NewReader("back="+page))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Hx-Request", "true")
	}
	part := b.do(req, err).wantStatus(http.StatusOK)
	if len(part.all("h1")) != 0 || len(part.all(".check-item.done")) != 2 || part.attr("#checklist-1-1 button", "aria-checked") != "false" {
		t.Errorf("the part: %s", part.body)
	}
	b.post(tick("1"), "done", "1", "back", page).wantStatus(http.StatusOK)
	b.post(page+"/act", "action", "resolve", "resolution_code", id(w.fix), "cause_code", id(w.cause)).wantStatus(http.StatusOK)
	if i := get1[incident.Incident](t)(w.incidents.Get(t.Context(), auth.ScopeAll(1), w.own)); i.State != incident.Resolved {
		t.Errorf("the incident is %s", i.State)
	}
	// The school sees how many, not what was noted.
	referent := w.as(t, "referent")
	if body := referent.get(page).wantStatus(http.StatusOK).body; strings.Contains(body, "10.45.1.7") {
		t.Error("the referent reads an address")
	}
	if got := referent.get("/checklists").wantStatus(http.StatusOK).texts(".table tbody td"); len(got) != 5 || got[0] != "1" || got[1] != "1" {
		t.Errorf("completion: %q", got)
	}
	if rows := strings.Count(strings.TrimSpace(lead.get("/checklists.csv?view=school").body), "\n"); rows != 1 {
		t.Errorf("%d rows exported", rows)
	}
}

func TestChecklistOnAVisit(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.as(t, "lead").post("/admin/checklists/new", "title", "Baie", "text.0", "Baie fermée", "kind.0", "yes_no", "must.0", "1").wantStatus(http.StatusOK)
	b := w.as(t, "technician")
	page := "/visits/" + id(w.visitA)
	a := b.get(page)
	template := a.attr(`.checklist-add option:nth-child(2)`, "value")
	a = b.post("/checklists", "template", template, "visit", id(w.visitA), "back", page).wantStatus(http.StatusOK)
	if len(a.all(".check-answers button")) != 2 {
		t.Fatalf("the visit's page: %s", a.text("main"))
	}
	a = b.post(page+"/act", "action", "finish").wantStatus(http.StatusUnprocessableEntity)
	if !strings.Contains(a.text("main"), "Baie fermée") {
		t.Errorf("held back: %s", a.text("main"))
	}
	b.post("/checklists/1/items/0", "done", "1", "value", "yes", "back", page).wantStatus(http.StatusOK)
	b.post(page+"/act", "action", "finish").wantStatus(http.StatusOK)
}
