package e2e

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// signIn opens a tab in which somebody signs in by the keyboard, as they do,
// and lands where their day begins.
func (s *Site) signIn(t *testing.T, b *Browser, role auth.Role, lands string) (*Tab, *Hands) {
	t.Helper()
	tab := b.Tab(t, s.URL)
	tab.Go("/login")
	tab.Wait(`document.activeElement?.id === "f-login"`)
	hands := tab.Hands()
	tab.Press(string(role) + TabKey + Password + Enter)
	tab.Arrive(lands)
	return tab, hands
}

// A technician's day: the queue by a saved view, an incident taken, its visit
// planned with what else waits there, the check-list, a part, the solution that
// worked last time, the time spent.
func TestTechniciansDay(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab, hands := site.signIn(t, browser, auth.Technician, "/overview")
	tab.Expect("409") // a visit that clashes is asked about again
	tab.Expect("422") // a repair that the check-list holds back
	tab.PressText("nav a", "Incidents")
	tab.Arrive("/incidents")
	tab.PressText(".saved-views a", "Copieurs en panne")
	tab.Wait(`location.search.includes("category=") && document.readyState === "complete"`)
	tab.Look("technician-queue")
	tab.PressText(".incident-row .row-link", "Le copieur du secrétariat affiche")
	tab.Arrive("/incidents/")
	path := tab.Path()
	tab.Press("t")
	tab.Wait(`document.querySelector(".incident-line")?.innerText.includes("pris en charge") && document.readyState === "complete"`)
	tab.Look("technician-incident")
	// The visit, with what else waits in that school.
	tab.PressText("main a.btn", "Planifier une intervention")
	tab.Arrive("/visits/new")
	tab.Click(`#f-incidents input:not(:checked)`)
	tab.Look("technician-plan")
	tab.Click(".visit-form button[type=submit]")
	tab.Wait(`/^\/visits\/\d+$/.test(location.pathname) && document.readyState === "complete" || document.querySelector("#clashes input[name=anyway]")`)
	if Eval[bool](tab, `!!document.querySelector("#clashes input[name=anyway]")`) { // busy then, or the school is closed
		tab.Do(`document.querySelector("#anyway").scrollIntoView({block: "center", behavior: "instant"})`)
		tab.Click("#anyway")
		tab.rest(300) // the form is asked about again: what was said stays said
		tab.Wait(`!document.querySelector("#clashes.htmx-request") && document.querySelector("#anyway")?.checked`)
		tab.Click(".visit-form button[type=submit]")
	}
	tab.Wait(`/^\/visits\/\d+$/.test(location.pathname) && document.readyState === "complete"`)
	visit := tab.Path()
	tab.Size(390, 844) // in the school, on a phone
	tab.Go(visit)
	if n := Eval[int](tab, `document.querySelectorAll(".visit-items > li .row-link").length`); n != 2 {
		t.Errorf("the visit is for %d incidents", n)
	}
	tab.PressText(".visit-also form button", "Ajouter")
	tab.Wait(`document.readyState === "complete" && document.querySelectorAll(".visit-items > li .row-link").length === 3`)
	tab.Look("technician-visit")
	tab.PressText(".visit-steps button", "Commencer")
	tab.Read("En cours")
	// The check-list, on the incident: what must be done holds the repair back.
	tab.Go(path)
	tab.Choose(".checklist-add select", "Mise en service d'un copieur")
	tab.PressText(".checklist-add button", "Ajouter la liste")
	tab.Wait(`document.readyState === "complete" && document.querySelector(".checklist .check-must")`)
	tab.PressText(".solution-do button", "Résoudre ainsi")
	tab.Wait(`document.readyState === "complete" && document.querySelector("main .form-errors, main .notice.critical")`)
	if state := tab.Text(".incident-line"); !strings.Contains(state, "planifié") {
		t.Errorf("a mandatory item did not hold the repair back: %s", state)
	}
	tab.Look("technician-held-back")
	tab.fillList(t)
	tab.Look("technician-checklist")
	// A part from the stock, then the solution that worked, and the time.
	tab.PressText(".parts summary", "Utiliser une pièce")
	tab.Click("#parts-item")
	tab.Press("Toner noir KPC")
	tab.PressText(".parts form button", "Utiliser une pièce")
	tab.Wait(`document.readyState === "complete" && (document.querySelector(".parts-used") || location.pathname.endsWith("/parts"))`)
	if strings.HasSuffix(tab.Path(), "/parts") {
		t.Fatalf("the part was not used: %s", tab.Text("main"))
	}
	tab.Press("1")
	tab.Wait(`document.querySelector(".incident-line")?.innerText.includes("résolu") && document.readyState === "complete"`)
	tab.PressText(".time-do button", "15 min")
	tab.Read("15 min")
	tab.Look("technician-resolved")
	i, err := site.Incidents.Get(t.Context(), auth.ScopeAll(1), number(t, path))
	if err != nil {
		t.Fatal(err)
	}
	if i.State != incident.Resolved || i.ResolutionCode == 0 || i.CauseCode == 0 {
		t.Errorf("resolved without its codes: %+v", i)
	}
	tab.Go(visit)
	tab.PressText(".visit-steps button", "Terminer")
	tab.Read("Faite")
	hands.Say("technician: from signing in to the visit done")
}

// number is the number at the end of an address.
func number(t *testing.T, path string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(path[strings.LastIndex(path, "/")+1:], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fillList does what must be done of the check-list on the page, with its
// values, one item after the other as they stand.
func (tab *Tab) fillList(t *testing.T) {
	t.Helper()
	values := map[string]string{"Adresse IP": "10.45.12.34", "DNS": "10.45.12.1", "Compteur": "1280", "Numéro de bien": "KPC-1038-SEC", "Nom": "KPC-ADMIN-01"}
	for n := range 20 {
		const next = `document.querySelector(".check-item:not(.done):has(.check-must)")`
		if !Eval[bool](tab, "!!"+next) {
			if n < 5 {
				t.Errorf("only %d items had to be done", n)
			}
			return
		}
		item := Eval[string](tab, next+".id")
		text := tab.Text("#" + item + "-text")
		switch {
		case Eval[bool](tab, `!!document.querySelector("#`+item+` .check-answers")`):
			tab.PressText("#"+item+" .check-answers button", "Oui")
		case Eval[bool](tab, `!!document.querySelector("#`+item+` .check-value")`):
			value := "Selon le relevé"
			for word, v := range values {
				if strings.Contains(text, word) {
					value = v
				}
			}
			tab.Do(fmt.Sprintf(`document.querySelector("#%s .check-value .input").scrollIntoView({block: "center", behavior: "instant"})`, item))
			tab.Click("#" + item + " .check-value .input")
			tab.Press(value + Enter)
		default:
			tab.Do(fmt.Sprintf(`document.querySelector("#%s").scrollIntoView({block: "center", behavior: "instant"})`, item))
			tab.Click("#" + item + " button.check-tick")
		}
		tab.Wait(fmt.Sprintf(`document.querySelector("#%s").classList.contains("done")`, item))
	}
	t.Fatal("the list has no end")
}

// A referent: what is open in their school, an answer, a repair confirmed and
// one refused, labels to print, the school's figures, and no other school.
func TestReferentsMorning(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab, hands := site.signIn(t, browser, auth.Referent, "/schools/")
	home := tab.Path()
	tab.Look("referent-school")
	tab.PressText("nav a", "Incidents")
	tab.Arrive("/incidents")
	if elsewhere := Eval[[]string](tab, `[...document.querySelectorAll(".incident-row-where")].map(e => e.innerText).filter(t => !t.includes("Montjoie"))`); len(elsewhere) > 0 {
		t.Errorf("a referent sees incidents of other schools: %v", elsewhere)
	}
	tab.Look("referent-incidents")
	tab.PressText(".tabs a", "Tous") // the list begins with what their school handles first
	tab.Wait(`location.search.includes("period=all") && document.readyState === "complete"`)
	tab.PressText(".incident-row .row-link", "Trois tablettes")
	tab.Arrive("/incidents/")
	tab.Click(".incident-talk textarea")
	tab.Press("Les numéros sont TAB-1038-004, 007 et 012. Le chariot dort au CDI.")
	tab.PressText(".incident-talk button", "Commenter")
	tab.Read("TAB-1038-004, 007 et 012")
	tab.Look("referent-answer")
	// What was repaired: one holds, the next does not.
	tab.PressText("nav a", "Incidents")
	tab.Arrive("/incidents")
	tab.PressText(".saved-views a", "Réparations à confirmer")
	tab.Wait(`location.search.includes("state=resolved") && document.readyState === "complete"`)
	tab.PressText(".incident-row .row-link", "Plus de son")
	tab.Arrive("/incidents/")
	tab.PressText(".incident-actions button", "Confirmer que cela fonctionne")
	tab.Read("confirmé comme réparé")
	tab.Look("referent-confirmed")
	tab.PressText(".notice a", "À confirmer ensuite")
	tab.Wait(`document.querySelector(".incident-line")?.innerText.includes("résolu") && !document.querySelector("h1").innerText.includes("Plus de son") && document.readyState === "complete"`)
	tab.PressText(".incident-action summary", "Rouvrir")
	tab.Click("#reopen-comment")
	tab.Press("La panne est revenue ce matin.")
	tab.PressText(".incident-action[open] button", "Rouvrir")
	tab.Read("La panne est revenue ce matin.")
	tab.Read("est rouvert")
	// Labels for the rooms.
	tab.PressText("nav a", "Étiquettes QR")
	tab.Arrive("/labels")
	tab.Look("referent-labels")
	tab.PressText("form.labels button", "Tout cocher")
	tab.PressText("form.labels button", "Préparer")
	tab.Arrive("/labels/sheet")
	tab.Wait(`document.querySelector(".label-preview")?.complete`)
	if href := Eval[string](tab, `document.querySelector("a[href*='sheet.pdf']")?.getAttribute("href") ?? ""`); href == "" {
		t.Error("no sheet to print")
	}
	tab.Look("referent-sheet")
	// The figures of the school, and of no other.
	tab.PressText("nav a", "Vue d’ensemble")
	tab.Arrive("/overview")
	tab.Read("Montjoie")
	tab.Look("referent-figures")
	hands.Say("referent: answer, confirm, refuse, labels, figures")
	tab.Expect("404")
	other := site.elsewhere(t, home)
	foreign := site.firstOf(t, other)
	for _, path := range []string{fmt.Sprintf("/schools/%d", other), "/incidents/" + foreign} {
		tab.Go(path)
		if page := tab.Text("main"); !strings.Contains(page, "n’existe pas") && !strings.Contains(page, "introuvable") && !strings.Contains(page, "n'existe pas") {
			t.Errorf("%s, of another school, says: %s", path, page)
		}
	}
	tab.Look("referent-elsewhere")
}

// elsewhere is another school than the one of an address.
func (s *Site) elsewhere(t *testing.T, home string) int64 {
	t.Helper()
	index, err := s.Directory.Index(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, school := range index.Schools() {
		if home != fmt.Sprintf("/schools/%d", school.ID) {
			return school.ID
		}
	}
	t.Fatal("there is one school only")
	return 0
}

// firstOf is the number of an incident of a school.
func (s *Site) firstOf(t *testing.T, school int64) string {
	t.Helper()
	open, err := s.Incidents.OpenAt(t.Context(), auth.ScopeAll(1), school, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(open) == 0 {
		made, err := s.Incidents.Declare(t.Context(), auth.System(1), incident.Declaration{Title: "Ailleurs", School: school})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, made)
	}
	return strconv.FormatInt(open[0].ID, 10)
}

// A lead's mass incident: several declarations of one cause become one incident
// with its parts, seen before it is done; one message goes to every school; all
// are solved and closed together; the cause is kept with its workaround.
func TestLeadsMassIncident(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	const what = "Le portail des manuels ne répond plus"
	numbers, people := site.declareEverywhere(t, what, 5)
	tab, hands := site.signIn(t, browser, auth.Lead, "/overview")
	// The five of one cause, found by their words.
	tab.PressText("nav a", "Incidents")
	tab.Arrive("/incidents")
	tab.Click("#q-q")
	tab.Press("portail des manuels" + Enter)
	tab.Wait(`location.search.includes("portail") && document.readyState === "complete" && document.querySelectorAll(".incident-row").length === 5`)
	for _, n := range numbers[1:] {
		tab.Click(fmt.Sprintf(`.pick input[value="%d"]`, n))
	}
	tab.Look("lead-choose")
	tab.PressText("#bulk button", "Autre chose")
	tab.Arrive("/incidents/bulk")
	tab.Choose("#f-action", "Rattacher à un incident principal")
	tab.PressText("main form button", "Continuer")
	tab.Wait(`document.querySelector("#f-parent") && document.readyState === "complete"`)
	tab.Click("#f-parent")
	tab.Press(fmt.Sprint(numbers[0]))
	tab.PressText("main form button", "Voir ce que cela ferait")
	tab.Wait(`document.querySelector("button[name=step][value=run]") && document.readyState === "complete"`)
	if listed := Eval[int](tab, `document.querySelectorAll(".bulk-list li").length`); listed != 4 {
		t.Errorf("the preview shows %d incidents", listed)
	}
	tab.Look("lead-preview")
	tab.Click("button[name=step][value=run]")
	tab.done()
	// One message to every school.
	tab.Go(fmt.Sprintf("/incidents/%d", numbers[0]))
	tab.Read("5 collèges")
	tab.PressText(".incident-mass summary", "message")
	tab.Click("#mass-message")
	const message = "L'éditeur rétablit le portail d'ici midi. Les manuels déjà téléchargés s'ouvrent sans connexion."
	tab.Press(message)
	tab.Look("lead-message")
	tab.PressText(".incident-mass[aria-labelledby] form button", "Envoyer")
	tab.done()
	// The cause, with what to do meanwhile, that schools read too.
	tab.Go(fmt.Sprintf("/problems/new?incident=%d", numbers[0]))
	tab.PressText("#f-state .choice", "Erreur connue")
	tab.Click("#f-cause")
	tab.Press("Certificat périmé chez l'éditeur.")
	tab.Click("#f-workaround")
	tab.Press("Ouvrez les manuels téléchargés sur les tablettes.")
	tab.Click("#f-public")
	tab.Look("lead-problem-new")
	tab.PressText("main form button", "Enregistrer")
	tab.Wait(`/^\/problems\/\d+$/.test(location.pathname) && document.readyState === "complete"`)
	tab.Look("lead-problem")
	tab.Go(fmt.Sprintf("/incidents/%d", numbers[0]))
	tab.Read("Ouvrez les manuels téléchargés sur les tablettes.")
	tab.Look("lead-mass")
	// Solved, then closed, all together.
	tab.PressText(".mass-actions a", "Résoudre")
	tab.Arrive("/incidents/bulk")
	tab.Choose("#f-resolution_code", "Intervention d'un prestataire")
	tab.Choose("#f-cause_code", "Service d'un tiers")
	tab.PressText("main form button", "Voir ce que cela ferait")
	tab.Wait(`document.querySelector("button[name=step][value=run]") && document.readyState === "complete"`)
	tab.Click("button[name=step][value=run]")
	tab.done()
	tab.Go(fmt.Sprintf("/incidents/%d", numbers[0]))
	tab.PressText(".mass-actions a", "Clore")
	tab.Arrive("/incidents/bulk")
	tab.PressText("main form button", "Voir ce que cela ferait")
	tab.Wait(`document.querySelector("button[name=step][value=run]") && document.readyState === "complete"`)
	tab.Click("button[name=step][value=run]")
	tab.done()
	for _, n := range numbers {
		i, err := site.Incidents.Get(t.Context(), auth.ScopeAll(1), n)
		if err != nil {
			t.Fatal(err)
		}
		if i.State != incident.Closed {
			t.Errorf("incident %d is %s", n, i.State)
		}
	}
	hands.Say("lead: mass incident from search to closing")
	// Each school was told once.
	letters := func() []string {
		tab.Go("/outbox")
		return Eval[[]string](tab, `[...document.querySelectorAll("main tbody tr")].filter(r => r.innerText.includes("`+what+`")).map(r => r.innerText)`)
	}
	for range 40 {
		if told := strings.Join(letters(), "\n"); containsAll(told, people) {
			break
		}
		tab.rest(500)
	}
	told := strings.Join(letters(), "\n")
	for _, name := range people {
		if !strings.Contains(told, name) {
			t.Errorf("%s was not told:\n%s", name, told)
		}
	}
	tab.Look("lead-outbox")
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// done waits for the end of what is done to many.
func (tab *Tab) done() {
	tab.t.Helper()
	tab.Arrive("/batches/")
	tab.Wait(`document.readyState === "complete" && !document.querySelector("#batch-live") && document.querySelector(".bulk-list")`)
}

// declareEverywhere declares the same trouble in some schools, by somebody of
// each whom it gives the name of.
func (s *Site) declareEverywhere(t *testing.T, title string, schools int) (numbers []int64, people []string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	index, err := s.Directory.Index(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, school := range index.Schools()[:schools] {
		for _, p := range index.PeopleOf(school.ID) {
			if p.Kind != directory.Administrative {
				continue
			}
			i, err := s.Incidents.Declare(ctx, auth.System(1), incident.Declaration{Title: title, School: school.ID, Declarant: p.ID, Origin: incident.Phone})
			if err != nil {
				t.Fatal(err)
			}
			numbers, people = append(numbers, i.ID), append(people, p.Name)
			break
		}
	}
	return numbers, people
}
