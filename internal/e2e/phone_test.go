package e2e

import (
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/preset"
)

// A call is noted by the keyboard alone: beside what is typed, Enter takes the
// caller and Enter notes the call; the next one can be typed at once.
func TestPhoneByKeyboard(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	index, err := site.Directory.Index(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var caller directory.Person
	for _, p := range index.People() {
		if p.Kind == directory.Teacher && p.School != 0 {
			caller = p
			break
		}
	}
	tab := site.SignIn(t, browser, auth.Technician)
	tab.Go("/phone")
	// The field of who calls has the focus and its list: the scripts have run.
	const ready = `document.activeElement?.name === "who" && document.activeElement.getAttribute("role") === "combobox"`
	tab.Wait(ready)
	tab.Do(`sessionStorage.setItem("keys", ""), addEventListener("keydown", e => { if (e.key.length > 1 && e.key !== "Shift" && e.key !== "Unidentified") sessionStorage.setItem("keys", sessionStorage.getItem("keys") + e.key + " ") }, true)`)
	tab.Press(caller.Name)
	tab.Press(Enter)
	tab.Wait(`document.activeElement?.name === "title"`)
	tab.Press("Le copieur affiche un code d'erreur")
	tab.Wait(`document.querySelector("#phone-rest .phone-caller")`)
	if got := tab.Text(".phone-caller"); !strings.Contains(got, caller.Name) {
		t.Errorf("recognised: %s", got)
	}
	tab.Axe()
	tab.keep("phone-1366")
	tab.Press(Enter)
	tab.Wait(`document.querySelector(".notice")?.innerText.includes("L’appel est noté") && document.readyState === "complete"`)
	if keys := Eval[string](tab, `sessionStorage.getItem("keys")`); keys != "Enter Enter " {
		t.Errorf("%skeys beside what was typed", keys)
	}
	tab.Wait(ready)
	// Solved at once: the code and the cause by the arrows.
	tab.Press(caller.Name)
	tab.Press(Enter)
	tab.Wait(`document.activeElement?.name === "title"`)
	tab.Press("Mot de passe oublié")
	tab.Press(TabKey)
	tab.Press(Down)
	tab.Press(TabKey)
	tab.Press(Down)
	tab.Press(Enter)
	tab.Wait(`document.querySelector(".notice")?.innerText.includes("noté et résolu")`)
	tab.Wait(ready)

	// A template: "/" lists them, letters narrow, Enter fills the call in.
	all, err := site.Presets.List(t.Context(), auth.System(1), preset.Template)
	if err != nil || len(all) == 0 {
		t.Fatalf("no template: %v", err)
	}
	tab.Press(caller.Name)
	tab.Press(Enter)
	tab.Wait(`document.activeElement?.name === "title" && document.querySelector("#phone-rest .phone-caller")`)
	tab.Press("/")
	tab.Wait(`!document.querySelector("#phone-templates").hidden`)
	tab.Axe()
	tab.keep("phone-templates-1366")
	tab.Press(all[0].Label)
	tab.Press(Enter)
	if got := Eval[string](tab, `document.activeElement.value`); got != all[0].Filled.Title {
		t.Errorf("filled with %q, want %q", got, all[0].Filled.Title)
	}
	tab.Press(Enter)
	tab.Wait(`document.querySelector(".notice")?.innerText.includes("L’appel est noté") && document.readyState === "complete"`)
}
