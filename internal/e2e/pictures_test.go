package e2e

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"statincidents/internal/auth"
	"statincidents/internal/demo"
	"statincidents/internal/visit"
)

// pictures makes those of the guides: make pictures.
var pictures = flag.String("pictures", "", "folder in which to make the pictures of the guides")

// maxPicture is how heavy one of them may be, in bytes.
const maxPicture = 150_000

// shoot keeps what the window shows, with something at its top if a selector
// is given.
func (tab *Tab) shoot(name, top string) {
	tab.t.Helper()
	if top != "" {
		tab.Wait(`document.querySelector("` + top + `")`)
		tab.Do(`scrollTo({top: document.querySelector("` + top + `").getBoundingClientRect().top + scrollY - 16, behavior: "instant"})`)
	}
	tab.Do(`document.activeElement?.blur()`)
	tab.rest(250) // pictures of the page and what comes after it
	var image []byte
	tab.run("picture", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		quality := int64(82)
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality})
		image = shot.Data
		return err
	}))
	if len(image) > maxPicture {
		tab.t.Errorf("%s has %d bytes", name, len(image))
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".webp"), image, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// TestPictures makes the pictures of the guides, by the same hands as the
// journeys: what they show is what the program does today.
func TestPictures(t *testing.T) {
	t.Parallel()
	if *pictures == "" {
		t.Skip("only for make pictures")
	}
	if err := os.MkdirAll(*pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	site, browser := Demo(t), Open(t)
	phone := func(role auth.Role) *Tab {
		tab := site.SignIn(t, browser, role)
		tab.Theme("light")
		tab.Size(390, 760)
		return tab
	}
	wide := func(tab *Tab) { tab.Size(1366, 768) }

	teacher := phone(auth.Declarant)
	teacher.Go("/declare")
	teacher.Click(".declare-rooms .choice input")
	teacher.Click(".declare-what .choice:nth-of-type(2) input")
	teacher.Type("#f-title", "Le vidéoprojecteur reste noir")
	teacher.rest(900) // the kind is proposed
	teacher.shoot("declarer-telephone", "h1")
	teacher.PressText(".declare > .form-actions button", "")
	teacher.Arrive("/declare/")
	teacher.shoot("declarer-confirmation", "")
	teacher.Go("/declare")
	teacher.Click(".declare-rooms .choice input")
	teacher.Click(".declare-what .choice:nth-of-type(2) input")
	teacher.Wait(`document.querySelector(".known-card")`)
	teacher.shoot("declarer-deja-signale", ".known")
	teacher.Do(`document.querySelector("form.declare").removeAttribute("data-guard"), document.querySelector("form.declare").reset()`)
	teacher.Go("/incidents/" + site.deskNumber(t, "B-sound"))
	teacher.shoot("declarer-suivre", "")
	wide(teacher)
	teacher.Go("/incidents/" + site.deskNumber(t, "B-sound"))
	teacher.shoot("declarer-ordinateur", "")

	referent := phone(auth.Referent)
	referent.Go("/incidents?state=resolved")
	referent.shoot("referent-telephone", ".incident-list")
	wide(referent)
	referent.Go("/")
	referent.Arrive("/schools/")
	referent.shoot("referent-college", "")
	referent.Go("/labels")
	referent.PressText("form.labels button", "Tout cocher")
	referent.PressText("form.labels button", "Préparer")
	referent.Arrive("/labels/sheet")
	referent.Wait(`document.querySelector(".label-preview")?.complete`)
	referent.shoot("referent-etiquettes", "")

	technician := phone(auth.Technician)
	technician.Go("/visits/day?day=" + site.visitDay(t))
	technician.shoot("technicien-journee", "h1")
	wide(technician)
	technician.Go("/incidents?open=yes")
	technician.shoot("technicien-file", ".saved-views")
	technician.Go("/incidents/" + site.deskNumber(t, "B-copier"))
	technician.shoot("technicien-incident", "")
	technician.Go("/visits")
	technician.shoot("technicien-semaine", "")

	lead := phone(auth.Lead)
	wide(lead)
	lead.Go("/overview?period=12m")
	lead.shoot("overview", "")
	lead.Go("/incidents/" + site.deskNumber(t, "B-outage"))
	lead.shoot("piloter-masse", "")
	lead.Go("/explore?by=category&period=12m")
	lead.shoot("piloter-explorer", "#answer")
}

// deskNumber is the number of an incident of the demonstration's desk.
func (s *Site) deskNumber(t *testing.T, key string) string {
	t.Helper()
	i, err := s.Incidents.ByExternal(t.Context(), auth.ScopeAll(1), demo.Source, key)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(i.ID, 10)
}

// visitDay is a day on which the technician of the account has much to do.
func (s *Site) visitDay(t *testing.T) string {
	t.Helper()
	i, err := s.Incidents.ByExternal(t.Context(), auth.ScopeAll(1), demo.Source, "B-board")
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Visits.List(t.Context(), auth.System(1), visit.Filter{Incident: i.ID})
	if err != nil || len(found) == 0 {
		t.Fatalf("no visit: %v", err)
	}
	return found[0].Start.In(s.Location).Format("2006-01-02")
}
