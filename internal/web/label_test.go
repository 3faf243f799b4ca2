package web

import (
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/label"
)

// Without an account: scan, say what is wrong, give the school's code, follow.
func TestLabelByCode(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	code := get1[label.Code](t)(w.labels.SetCode(t.Context(), system, w.a))
	b := w.reader(t)
	a := b.get("/q/" + w.label).wantStatus(http.StatusOK)
	if !strings.Contains(a.text("main"), "Collège A") || !strings.Contains(a.text(".label-place"), "Salle 12") || a.attr("#f-code", "inputmode") != "numeric" {
		t.Errorf("the form: %s", a.text("main"))
	}
	// What is open there is told without its title.
	if here := a.text(".known"); !strings.Contains(here, "Impression") || strings.Contains(a.text("main"), "Bourrage papier") || strings.Contains(a.text("main"), "Le vidéoprojecteur reste noir") {
		t.Errorf("a stranger reads: %s", here)
	}
	typed := []string{"once", a.attr("input[name=once]", "value"), "title", "Souris cassée", "category", id(w.computer), "code", "111111"}
	if code.Code == "111111" {
		typed[7] = "222222"
	}
	a = b.post("/q/"+w.label, typed...).wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-code-error") == "" || a.attr("#f-title", "value") != "Souris cassée" {
		t.Errorf("a wrong code: %s", a.text("main"))
	}
	typed[7] = code.Code
	a = b.post("/q/"+w.label, typed...).wantStatus(http.StatusOK)
	if !strings.Contains(a.text("main"), "porte le n°") {
		t.Fatalf("declared: %s", a.text("main"))
	}
	follow := a.attr(".declared .btn-primary", "href")
	a = b.get(follow).wantStatus(http.StatusOK)
	if text := a.text("main"); !strings.Contains(text, "nouveau") || strings.Contains(text, "Souris") || strings.Contains(text, "Salle 12") {
		t.Errorf("the follow page tells: %s", text)
	}
	b.get("/incidents").wantStatus(http.StatusOK)
	if a = w.as(t, "technician").get("/incidents?period=all&q=souris"); len(a.numbers()) != 1 {
		w.settle(t)
		if a = w.as(t, "technician").get("/incidents?period=all&q=souris"); len(a.numbers()) != 1 {
			t.Errorf("the unit sees %v", a.numbers())
		}
	}
	// A program that fills everything is thanked, and nothing is kept.
	b.post("/q/"+w.label, "title", "Spam", "email", "a@b.example", "website", "https://spam.example").wantStatus(http.StatusOK)
	if waiting := get1[[]label.Pending](t)(w.labels.Waiting(t.Context(), system)); len(waiting) != 0 {
		t.Errorf("spam waits: %+v", waiting)
	}
	// A form that is too large is not read.
	b.post("/q/"+w.label, "title", strings.Repeat("x", strangerBody)).wantStatus(http.StatusRequestEntityTooLarge)
}

// By e-mail: opening the link asks, the button confirms; what nobody confirms
// is shown to the school.
func TestLabelByMail(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.reader(t)
	a := b.post("/q/"+w.label, "title", "Clavier collant", "email", "prof@college.example").wantStatus(http.StatusOK)
	if !strings.Contains(a.text("h1"), "Encore un clic") || len(w.confirmations) != 1 {
		t.Fatalf("sent: %s, %d messages", a.text("main"), len(w.confirmations))
	}
	referent := w.as(t, "referent")
	if a = referent.get("/labels?tab=waiting"); a.text(".label-pending h2") != "Clavier collant" {
		t.Errorf("the referent sees: %s", a.text("main"))
	}
	path := "/q/confirm/" + w.confirmations[0].Token
	if a = b.get(path).wantStatus(http.StatusOK); !strings.Contains(a.text("main"), "Clavier collant") {
		t.Errorf("asked: %s", a.text("main"))
	}
	if a = referent.get("/labels?tab=waiting"); a.text(".label-pending h2") == "" {
		t.Error("opening the link confirmed")
	}
	if a = b.post(path).wantStatus(http.StatusOK); !strings.Contains(a.text("main"), "porte le n°") {
		t.Errorf("confirmed: %s", a.text("main"))
	}
	if a = referent.get("/labels?tab=waiting"); a.text(".label-pending h2") != "" {
		t.Error("it still waits")
	}
	b.post("/q/"+w.label, "title", "À refuser", "email", "autre@college.example").wantStatus(http.StatusOK)
	a = referent.get("/labels?tab=waiting")
	if a = referent.post(a.attr(".label-pending form", "action"), "then", "refuse").wantStatus(http.StatusOK); !strings.Contains(a.text(".notice"), "refusée") {
		t.Errorf("refused: %s", a.text(".notice"))
	}
}

// One address may not try for ever.
func TestLabelIsBounded(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.reader(t)
	last := 0
	for range 40 {
		a := b.post("/q/"+w.label, "title", "Encore", "code", "123456")
		if last = a.StatusCode; last == http.StatusTooManyRequests {
			if a.Header.Get("Retry-After") == "" && !strings.Contains(a.text("main"), "Trop d’essais") {
				t.Errorf("the refusal says: %s", a.text("main"))
			}
			break
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("forty wrong codes end with %d", last)
	}
}

// Sheets are printed by those who look after the school, and a revoked label
// leads nowhere.
func TestLabelSheets(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "referent")
	a := b.get("/labels").wantStatus(http.StatusOK)
	if len(a.all("select[name=school]")) != 0 || !strings.Contains(a.text(".labels"), "Salle 12") {
		t.Errorf("a referent chooses: %s", a.text("main"))
	}
	a = b.post("/labels", "school", id(w.a), "place", "room:"+id(w.roomA), "machines", "HX20A-1\r\n\r\nHX20A-2\n", "grid", "L7163").wantStatus(http.StatusOK)
	if a.Request.URL.Path != "/labels/sheet" || !strings.Contains(a.text("form strong"), "3") || len(a.all(".label-preview")) != 1 {
		t.Fatalf("the sheet: %s %s", a.Request.URL, a.text("main"))
	}
	svg := b.get(a.attr(".label-preview", "src")).wantStatus(http.StatusOK)
	if svg.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(svg.body, "HX20A-2") {
		t.Errorf("the preview is %s", svg.Header.Get("Content-Type"))
	}
	pdf := b.get(a.attr("a.btn-primary", "href")).wantStatus(http.StatusOK)
	if !strings.HasPrefix(pdf.body, "%PDF-") || !strings.Contains(pdf.Header.Get("Content-Disposition"), "etiquettes.pdf") {
		t.Errorf("the PDF: %s %q", pdf.Header, pdf.body[:min(20, len(pdf.body))])
	}
	a = b.get(a.Request.URL.RequestURI() + "&start=15").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-start-error") == "" {
		t.Errorf("beyond the sheet: %s", a.text("main"))
	}
	b.get("/labels/sheet?l=1&grid=own&columns=9").wantStatus(http.StatusUnprocessableEntity)
	b.post("/labels/1/revoke").wantStatus(http.StatusOK)
	if a = w.reader(t).get("/q/" + w.label).wantStatus(http.StatusNotFound); !strings.Contains(a.text("main"), "retirée du service") {
		t.Errorf("a revoked label: %s", a.text("main"))
	}
	// Whoever has an account and may declare there gets their own form, filled.
	made := get1[[]label.Label](t)(w.labels.Make(t.Context(), system, []label.Place{{School: w.a, Room: w.roomA, Machine: "HX20A-1"}}))
	token := get1[string](t)(w.labels.Token(t.Context(), made[0]))
	if a = w.as(t, "declarant").get("/q/" + token); a.Request.URL.Path != "/declare" || a.attr("input[name=room][checked]", "value") != id(w.roomA) || a.attr("#f-machine", "value") != "HX20A-1" {
		t.Errorf("with an account: %s", a.Request.URL)
	}
	if a = w.as(t, "neighbour").get("/q/" + token); a.Request.URL.Path != "/q/"+token {
		t.Errorf("an account of another school: %s", a.Request.URL)
	}
}
