package e2e

import (
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
)

// countTaps counts, in the page, what a finger touches.
func (tab *Tab) countTaps() {
	tab.t.Helper()
	tab.Do(`window.taps = 0, addEventListener("pointerdown", () => sessionStorage.setItem("taps", ++window.taps), true), sessionStorage.setItem("taps", 0)`)
}

// A teacher declares from a phone in four taps beside typing, sees what is
// already reported as the form is filled, and is told what happens now.
func TestDeclareOnAPhone(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab := site.SignIn(t, browser, auth.Declarant)
	tab.Size(390, 844)
	tab.Go("/declare")
	tab.countTaps()
	began := time.Now()
	tab.Click(".declare-rooms .choice input")
	tab.Click(".declare-what .choice:nth-of-type(2) input")
	tab.Click("#f-title")
	tab.Press("Le vidéoprojecteur reste noir")
	tab.Wait(`!document.querySelector("#declare-near.htmx-request")`)
	tab.Click(".declare > .form-actions button")
	tab.Arrive("/declare/")
	t.Logf("from the open form to the confirmation, without a person's pauses: %v", time.Since(began))
	if taps := Eval[string](tab, `sessionStorage.getItem("taps")`); taps != "4" {
		t.Errorf("%s taps from the form to the confirmation", taps)
	}
	page := tab.Text("main")
	for _, want := range []string{"Votre incident porte le n°", "Délai habituel", "Qui le voit", "En attendant"} {
		if !strings.Contains(page, want) {
			t.Errorf("the confirmation does not say %q:\n%s", want, page)
		}
	}
	tab.Axe()
	tab.layout(390)
	tab.keep("declared-390")
	// Who comes next to that room with the same trouble sees it before sending.
	tab.Go("/declare")
	tab.Click(".declare-rooms .choice input")
	tab.Click(".declare-what .choice:nth-of-type(2) input")
	tab.Wait(`[...document.querySelectorAll(".known-name")].some(e => e.innerText.includes("Le vidéoprojecteur reste noir"))`)
	tab.Axe()
	tab.layout(390)
	tab.keep("declare-known-390")
}

// A text typed without a network is kept on the device, sent when the network
// is back, and leaves nothing behind.
func TestDeclareOffline(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab := site.SignIn(t, browser, auth.Declarant)
	drafts := func() []string {
		return Eval[[]string](tab, `Object.keys(localStorage).filter(k => k.startsWith("declare-draft:"))`)
	}
	tab.Go("/declare")
	tab.Type("#f-title", "Wi-Fi perdu au CDI")
	if kept := drafts(); len(kept) != 1 {
		t.Errorf("while typing, %v is kept", kept)
	}
	// The page is left without sending: the text is offered again.
	tab.Do(`window.onbeforeunload = null`)
	tab.Do(`document.querySelector("form.declare").removeAttribute("data-guard"), document.querySelector("form.declare").reset()`)
	tab.Go("/declare")
	tab.Click("[data-draft-take]")
	if typed := Eval[string](tab, `document.querySelector("#f-title").value`); typed != "Wi-Fi perdu au CDI" {
		t.Errorf("taken up again: %q", typed)
	}
	// The network is lost: the page says so and waits.
	tab.Do(`window.realFetch = window.fetch, window.fetch = () => Promise.reject(new TypeError("no network"))`)
	tab.Click(".declare > .form-actions button")
	tab.Wait(`document.querySelector("[data-draft-state].away")?.innerText.includes("Pas de connexion")`)
	if at := tab.Path(); at != "/declare" {
		t.Fatalf("without a network the page went to %s", at)
	}
	tab.Do(`window.fetch = window.realFetch, dispatchEvent(new Event("online"))`)
	tab.Arrive("/declare/")
	if !strings.Contains(tab.Text("main"), "Wi-Fi perdu au CDI") {
		t.Errorf("sent: %s", tab.Text("main"))
	}
	if kept := drafts(); len(kept) != 0 {
		t.Errorf("once sent, %v is still kept", kept)
	}
	// Signing out erases what was not sent.
	tab.Go("/declare")
	tab.Type("#f-title", "À moitié écrit")
	tab.Do(`document.querySelector("form.declare").reset()`)
	tab.Go("/account")
	if kept := drafts(); len(kept) != 1 {
		t.Errorf("half written, %v is kept", kept)
	}
	tab.Click(`form[action="/logout"] button`)
	tab.Arrive("/login")
	if kept := drafts(); len(kept) != 0 {
		t.Errorf("signed out, %v is still kept", kept)
	}
}
