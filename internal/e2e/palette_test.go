package e2e

import (
	"strconv"
	"strings"
	"testing"

	"statincidents/internal/auth"
)

// Anything is found by the keyboard alone: what is typed gives groups of
// answers, the arrows choose across them, Enter goes there, and without a
// choice the page has everything with its excerpts.
func TestPaletteFindsAnything(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	if err := site.Search.Fresh(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	index, err := site.Directory.Index(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	school := index.Schools()[0]
	tab := site.SignIn(t, browser, auth.Technician)
	tab.Go("/account")
	tab.Press("/") // no field of the page searches: the palette opens
	tab.Wait(`document.querySelector("#palette").open`)
	tab.Press("imprim")
	tab.Wait(`document.querySelector('#palette .go-item[href^="/incidents/"] mark')`)
	tab.Axe()
	tab.keep("palette-found-1366")
	first := Eval[string](tab, `document.querySelector("#palette .go-item[aria-selected=true]").id`)
	tab.Press(Down)
	if next := Eval[string](tab, `document.querySelector("#palette input").getAttribute("aria-activedescendant")`); next == first || next == "" {
		t.Errorf("the arrow leads from %q to %q", first, next)
	}
	tab.Press(Escape)
	tab.Wait(`!document.querySelector("#palette").open`)

	tab.PressCtrl('k')
	tab.Wait(`document.querySelector("#palette").open`)
	tab.Do(`document.querySelector("#palette input").select()`)
	tab.Press(strings.ToLower(school.Name))
	tab.Wait(`document.querySelector("#palette .go-item[aria-selected=true]")?.getAttribute("href") === "/schools/` + strconv.FormatInt(school.ID, 10) + `"`)
	tab.Press(Enter)
	tab.Arrive("/schools/" + strconv.FormatInt(school.ID, 10)) // with its scripts

	tab.PressCtrl('k')
	tab.Wait(`document.querySelector("#palette").open`)
	tab.Press("imprim")
	tab.Wait(`document.querySelector("#go-all")`)
	tab.Do(`document.querySelector("#go-all").click()`)
	tab.Wait(`location.pathname === "/search" && document.querySelector(".found mark")`)
	if got := tab.Text("h1"); got != "Rechercher" {
		t.Errorf("the page is %q", got)
	}
}
