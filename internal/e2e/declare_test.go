package e2e

import (
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"statincidents/internal/auth"
)

// A teacher declares from a phone in four taps beside typing, with a photo in
// one more, sees what is already reported instead of saying it twice, follows
// it, and says that a repair holds.
func TestTeachersPhone(t *testing.T) {
	t.Parallel()
	site, browser := Demo(t), Open(t)
	tab := site.SignIn(t, browser, auth.Declarant)
	tab.Size(390, 844)
	tab.Go("/declare")
	tab.Look("teacher-declare")
	hands := tab.Hands()
	tab.Click(".declare-rooms .choice input")
	tab.Click(".declare-what .choice:nth-of-type(2) input")
	tab.Click("#f-title")
	tab.Press("Le vidéoprojecteur reste noir")
	tab.Wait(`!document.querySelector("#declare-near.htmx-request")`)
	tab.Files(`.declare .files input[capture]`, picture(t)) // the phone's own camera takes the taps
	tab.keep("teacher-declare-filled-390")
	tab.Click(".declare > .form-actions button")
	tab.Arrive("/declare/")
	hands.Say("declare on a phone")
	if taps := hands.Taps(); taps != 4 {
		t.Errorf("%d taps from the form to the confirmation", taps)
	}
	page := tab.Text("main")
	for _, want := range []string{"Votre incident porte le n°", "Délai habituel", "Qui le voit", "En attendant"} {
		if !strings.Contains(page, want) {
			t.Errorf("the confirmation does not say %q:\n%s", want, page)
		}
	}
	tab.Look("teacher-declared")
	// Who comes next to that room with the same trouble sees it before sending;
	// the outage of the morning is there to be joined rather than declared.
	tab.Go("/declare")
	tab.Click(".declare-rooms .choice input")
	tab.Click(".declare-what .choice:nth-of-type(2) input")
	tab.Wait(`[...document.querySelectorAll(".known-name")].some(e => e.innerText.includes("Le vidéoprojecteur reste noir"))`)
	tab.Look("teacher-known")
	tab.PressText(".known-card:has(.known-name) button", "aussi")
	tab.Wait(`location.pathname.startsWith("/incidents/") && document.readyState === "complete"`)
	tab.Read("Le vidéoprojecteur reste noir")
	if !Eval[bool](tab, `!!document.querySelector(".attachment-picture img")`) {
		t.Error("the photo is not on the incident's page")
	}
	tab.Look("teacher-follow")
	// The list on the phone's bar leads to what was repaired: it works again.
	hands = tab.Hands()
	tab.PressText(".bottombar a", "Incidents")
	tab.PressText(".tabs a", "Résolus")
	tab.PressText(".incident-row .row-link", "Plus de son au tableau")
	tab.PressText(".incident-actions button", "Confirmer que cela fonctionne")
	tab.Read("confirmé comme réparé")
	hands.Say("say that it is repaired")
	if taps := hands.Taps(); taps > 4 {
		t.Errorf("%d taps to say that it is repaired", taps)
	}
	tab.PressText(".rating .choice", "Satisfait")
	tab.PressText(".rating button", "Envoyer")
	tab.Read("Merci pour votre avis")
	tab.Look("teacher-confirmed")
}

// picture is a small photo to send.
func picture(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for k := range img.Pix {
		img.Pix[k] = uint8(k * 7)
	}
	name := filepath.Join(t.TempDir(), "photo.jpg")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, img, nil); err != nil {
		t.Fatal(err)
	}
	return name
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
