package e2e

import (
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
)

func TestKeyboard(t *testing.T) {
	t.Parallel()
	site, browser := Start(t), Open(t)
	tab := site.SignIn(t, browser, auth.Lead)
	tab.Go("/styleguide")

	tab.Press("\t")
	if got := tab.Focused(); got != "a Aller au contenu" {
		t.Errorf("the first stop is %q, not the skip link", got)
	}
	tab.Press(Enter)
	if got := tab.Focused(); !strings.HasPrefix(got, "main#main") {
		t.Errorf("the skip link leads to %q", got)
	}

	tab.Press("jj")
	if got := tab.Focused(); !strings.HasPrefix(got, "a 4811") {
		t.Errorf("j j leads to %q", got)
	}
	tab.Press("k")
	if got := tab.Focused(); !strings.HasPrefix(got, "a 4812") {
		t.Errorf("k leads to %q", got)
	}

	tab.Press("/")
	if got := tab.Focused(); !strings.HasPrefix(got, "input#q-q") {
		t.Errorf("/ leads to %q", got)
	}
	tab.Press("jk?") // typed, not obeyed
	if typed := Eval[string](tab, `document.activeElement.value`); typed != "jk?" {
		t.Errorf("typed %q", typed)
	}

	tab.PressCtrl('k')
	tab.Wait(`document.querySelector("#palette").open`)
	tab.Press("compte")
	tab.Wait(`document.querySelector("#palette .go-item[aria-selected=true]")?.getAttribute("href") === "/account"`)
	tab.Axe()
	tab.keep("palette-1366-light")
	tab.Press(Enter)
	tab.Wait(`location.pathname === "/account"`)

	tab.Go("/styleguide")
	tab.Press("?")
	tab.Wait(`document.querySelector("#keys").open`)
	tab.Axe()
	tab.keep("keys-1366-light")
	tab.Press(Escape)
	tab.Wait(`!document.querySelector("#keys").open`)
	tab.Press("e")
	tab.Wait(`location.pathname === "/styleguide/confirm"`)
}

func TestFiltersKeepTheAddress(t *testing.T) {
	t.Parallel()
	site, browser := Start(t), Open(t)
	tab := site.SignIn(t, browser, auth.Lead)
	tab.Go("/styleguide?sort=number")
	tab.Do(`(e => { e.value = "waiting"; e.dispatchEvent(new Event("change", {bubbles: true})) })(document.querySelector("#q-state"))`)
	tab.Wait(`location.search === "?sort=number&state=waiting"`)
	tab.Wait(`document.querySelector(".chip")?.innerText.includes("En attente")`)
	tab.Do("history.back()")
	tab.Wait(`location.search === "?sort=number" && !document.querySelector(".chip")`)
}

func TestThemeOfTheAccount(t *testing.T) {
	t.Parallel()
	site, browser := Start(t), Open(t)
	tab := site.SignIn(t, browser, auth.Technician)
	tab.Theme("light")
	tab.Click("label:has(input[name=theme][value=dark])")
	tab.Click("form[data-look] .btn-primary")
	tab.Wait(`document.querySelector(".notice form")`)
	paper := "getComputedStyle(document.body.parentElement).backgroundColor"
	if colour := Eval[string](tab, paper); colour != "rgb(21, 25, 27)" {
		t.Errorf("dark paper is %s", colour)
	}
	tab.Axe()
	// The undo stands where the change was made.
	tab.Click(".notice form button")
	tab.Wait(paper + ` === "rgb(251, 250, 246)"`)
}

func TestNavigationFolds(t *testing.T) {
	t.Parallel()
	site, browser := Start(t), Open(t)
	tab := site.SignIn(t, browser, auth.Technician)
	tab.Go("/styleguide")
	tab.Click("form[data-nav-toggle] button")
	tab.Wait(`document.querySelector(".nav").offsetWidth < 80`)
	tab.Axe()
	tab.Go("/account")
	tab.Wait(`document.querySelector(".nav").offsetWidth < 80`)
}

func TestLive(t *testing.T) {
	t.Parallel()
	site, browser := Start(t), Open(t)
	tab := site.SignIn(t, browser, auth.Technician)
	tab.Go("/styleguide")
	tab.Wait(`document.documentElement.dataset.liveState === "open"`)
	for _, title := range []string{"Imprimante muette", "Tableau noir"} {
		if _, err := site.Incidents.Declare(t.Context(), auth.System(1), incident.Declaration{Title: title, School: site.School}); err != nil {
			t.Fatal(err)
		}
	}
	tab.Wait(`document.querySelector("[data-live-count]").textContent === "2 nouveaux, afficher"`)
}
