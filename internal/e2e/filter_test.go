package e2e

import (
	"testing"

	"statincidents/internal/auth"
)

// A filter changes the page in its place: the same main part, morphed, with the
// focus where it was.
func TestFilterMorphs(t *testing.T) {
	t.Parallel()
	site := Start(t)
	tab := site.SignIn(t, Open(t), auth.Administrator)
	tab.Go("/admin/accounts")
	tab.Do(`document.querySelector("#main").dataset.same = "yes"; document.querySelector("#q-role").focus(); void 0`)
	tab.Do(`{ const s = document.querySelector("#q-role"); s.value = "lead"; s.dispatchEvent(new Event("change", { bubbles: true })); }`)
	tab.Wait(`location.search === "?role=lead" && document.querySelectorAll("#main .chip").length === 1`)
	if n := Eval[int](tab, `document.querySelectorAll("#main").length`); n != 1 {
		t.Errorf("%d main parts after a filter", n)
	}
	if got := tab.Focused(); got == "" {
		t.Error("the focus is lost")
	}
	if n := Eval[int](tab, `document.querySelectorAll("#main table tbody:first-of-type tr a.row-link").length`); n != 1 {
		t.Errorf("%d accounts shown, want 1", n)
	}
}
