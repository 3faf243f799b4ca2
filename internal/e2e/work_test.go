package e2e

import (
	"strconv"
	"strings"
	"testing"

	"statincidents/internal/auth"
)

// tabTo presses Tab until the focused element matches a selector.
func (tab *Tab) tabTo(selector string) {
	tab.t.Helper()
	for range 80 {
		if Eval[bool](tab, "document.activeElement.matches('"+selector+"')") {
			return
		}
		tab.Press(TabKey)
	}
	tab.t.Fatalf("80 times Tab do not lead to %s (now on %s)", selector, tab.Focused())
}

// A teacher declares without touching anything but the keyboard.
func TestDeclareByKeyboard(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab := site.SignIn(t, browser, auth.Declarant)
	tab.Go("/declare")
	tab.tabTo("input[name=room]")
	tab.Press(Down) // from "I do not know" to the first room
	room := Eval[string](tab, `document.activeElement.closest("label").innerText.trim()`)
	tab.tabTo("input[name=category]")
	tab.Press(" ")
	tab.Press(Down)
	tab.tabTo("[name=title]")
	tab.Press("L'écran clignote")
	tab.tabTo("form.declare > .form-actions button")
	tab.Press(Enter)
	tab.Arrive("/declare/")
	page := tab.Text("main")
	for _, want := range []string{"L'écran clignote", room} {
		if !strings.Contains(page, want) {
			t.Errorf("the incident's page does not say %q:\n%s", want, page)
		}
	}
}

// A technician goes from the list to a resolved incident by the keyboard.
func TestResolveByKeyboard(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab := site.SignIn(t, browser, auth.Technician)
	tab.Go("/incidents?state=new")
	tab.Press("j")
	tab.Press(Enter)
	tab.Arrive("/incidents/")
	tab.Press("t")
	tab.Wait(`document.querySelector(".incident-line").innerText.includes("pris en charge") && document.readyState === "complete"`)
	tab.Press("r")
	tab.tabTo("select[name=resolution_code]")
	tab.Press(Down)
	tab.tabTo("select[name=cause_code]")
	tab.Press(Down)
	tab.tabTo("textarea[name=resolution]")
	tab.Press("Câble changé.")
	tab.tabTo(".incident-action[open] button[type=submit]")
	tab.Press(Enter)
	tab.Wait(`document.querySelector(".incident-line").innerText.includes("résolu")`)
	if page := tab.Text("main"); !strings.Contains(page, "Câble changé.") {
		t.Errorf("the page does not say what was done:\n%s", page)
	}
	tab.Axe()
}

// A click on a mark filters the whole page, a second one releases, and the
// browser's back restores.
func TestExploreByClicks(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab := site.SignIn(t, browser, auth.Lead)
	tab.Go("/explore?period=12m")
	mark := `[...document.querySelectorAll("#answer svg a")].find(a => a.checkVisibility())`
	address := Eval[string](tab, mark+`.getAttribute("href")`)
	if !strings.Contains(address, "category=") {
		t.Fatalf("the first mark leads to %s", address)
	}
	tab.Do(mark + `.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}))`)
	tab.Wait(`location.search.includes("category=") && document.querySelectorAll(".table tbody tr").length === 1`)
	tab.Wait(`document.querySelector("#answer svg a")`)
	tab.Do(mark + `.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}))`)
	tab.Wait(`!location.search.includes("category=") && document.querySelectorAll(".table tbody tr").length > 3`)
	tab.Do("history.go(-1)")
	tab.Wait(`location.search.includes("category=") && document.querySelectorAll(".table tbody tr").length === 1`)
	// A choice made in the form goes into the address, and back takes it out.
	tab.Do(`(e => { e.value = "priority"; e.dispatchEvent(new Event("change", {bubbles: true})) })(document.querySelector("#f-by-1"))`)
	tab.Wait(`location.search.includes("by=priority")`)
	tab.Do("history.back()")
	tab.Wait(`!location.search.includes("by=priority") && document.querySelector("#f-by-1").value === "category"`)
}

// Without script one declares, filters, pages, acts and asks.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab := site.SignIn(t, browser, auth.Technician)
	tab.Script(false)
	tab.Go("/incidents?period=all")
	first := tab.Text(".incident-row .row-link")
	tab.Click(".pager a.btn")
	tab.Wait(`location.search.includes("after=")`)
	if now := tab.Text(".incident-row .row-link"); now == first {
		t.Errorf("the second page begins like the first: %s", now)
	}
	tab.Type("#q-q", "imprimante\r")
	tab.Wait(`location.search.includes("q=imprimante")`)

	tab.Go("/declare")
	tab.Do(`document.querySelector("#f-school").selectedIndex = 3`)
	tab.Click("noscript button")
	tab.Wait(`document.querySelectorAll("#f-room input").length > 2`)
	tab.Type("[name=title]", "Souris perdue")
	tab.Click("form.declare > .form-actions button")
	tab.Arrive("/declare/")
	tab.Click(".declared .btn-primary")
	tab.Arrive("/incidents/")
	tab.Click("form:has(input[value=take]) button")
	tab.Wait(`document.querySelector(".incident-line").innerText.includes("pris en charge")`)
	tab.Click(".incident-action:has(input[value=resolve]) summary")
	tab.Do(`document.querySelectorAll(".incident-action[open] select").forEach(e => e.selectedIndex = 1)`)
	tab.Click(".incident-action[open] button[type=submit]")
	tab.Wait(`document.querySelector(".incident-line").innerText.includes("résolu")`)

	tab.Go("/explore?by=category")
	tab.Do(`document.querySelector("#f-by-1").value = "priority"`)
	tab.Click(".explore-ask button[type=submit]")
	tab.Wait(`location.search.includes("by=priority")`)
}

// Two who edit the same field: the second sees both values, keeps what was
// typed, and the page is fit to be read.
func TestConflictOnScreen(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	path := "/incidents/" + site.typical(t, "{open}") + "/edit"
	one, two := site.SignIn(t, browser, auth.Technician), site.SignIn(t, browser, auth.Lead)
	two.Expect("409")
	one.Go(path)
	two.Go(path)
	for _, who := range []struct {
		tab   *Tab
		title string
	}{{one, "Le premier titre, écrit par la première personne"}, {two, "Le second titre"}} {
		who.tab.Do(`document.querySelector("#f-title").value = ""`)
		who.tab.Type("#f-title", who.title)
		who.tab.Press(Enter)
		who.tab.Wait(`document.querySelector(".notice")`)
	}
	two.Wait(`document.readyState === "complete"`)
	if got := Eval[string](two, `document.querySelector("#f-title").value`); got != "Le second titre" {
		t.Errorf("the title typed became %q", got)
	}
	if !strings.Contains(two.Text("main"), "Le premier titre, écrit") {
		t.Errorf("what stands is not shown: %s", two.Text("main"))
	}
	for _, width := range []int64{390, 1366} {
		two.Size(width, 800)
		two.Axe()
		two.layout(width)
		two.keep("conflict-" + strconv.FormatInt(width, 10))
	}
}
