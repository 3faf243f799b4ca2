package web

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/stock"
)

func (w *town) screens(t *testing.T) int64 {
	t.Helper()
	return get1[*stock.Stock](t)(w.stock.Stock(context.Background(), system)).Total(w.screen.ID)
}

// A technician uses a part from the incident's page, is told when there is not
// enough, takes it anyway; the declarant reads its name and no price.
func TestUsePartOnIncident(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	parts := "/incidents/" + id(w.own) + "/parts"
	page := b.post(parts, "item", "écran", "quantity", "2", "from", id(w.depot.ID)).wantStatus(http.StatusOK)
	if got := page.text(".parts-used li"); !strings.Contains(got, "Écran 24 pouces") || !strings.Contains(got, "239,80") {
		t.Errorf("the unit reads %q", got)
	}
	if left := w.screens(t); left != 8 {
		t.Errorf("%d screens are left", left)
	}
	short := b.post(parts, "item", "E24", "quantity", "9", "from", id(w.depot.ID)).wantStatus(http.StatusConflict)
	if got := short.text("#form-errors"); !strings.Contains(got, "8") {
		t.Errorf("not enough is said as %q", got)
	}
	if len(short.all("input[name=anyway]")) != 1 {
		t.Fatal("no way to take it anyway")
	}
	b.post(parts, "item", "E24", "quantity", "9", "from", id(w.depot.ID), "anyway", "1").wantStatus(http.StatusOK)
	if left := w.screens(t); left != 0 {
		t.Errorf("%d screens are left", left)
	}
	theirs := w.as(t, "declarant").get("/incidents/" + id(w.own)).wantStatus(http.StatusOK)
	if got := theirs.text(".parts-used"); !strings.Contains(got, "Écran 24 pouces") || strings.Contains(got, "€") || strings.Contains(got, "Dépôt") {
		t.Errorf("the declarant reads %q", got)
	}
	if len(theirs.all(".parts form, .parts a")) != 0 {
		t.Error("the declarant is offered the stock")
	}
}

// An order proposes what is short; a wrong line is told beside it and nothing
// is booked.
func TestReceiveOrder(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	form := b.get("/stock/receive").wantStatus(http.StatusOK)
	if got := attribute(form.all("input[name='quantity.1']")[0], "value"); got != "10" {
		t.Errorf("%s are proposed, 10 bring it back to what is wanted", got)
	}
	bad := b.post("/stock/receive", "to", id(w.depot.ID), "item.1", "E24", "quantity.1", "4", "price.1", "cher", "item.3", "nothing like it", "quantity.3", "1").wantStatus(http.StatusUnprocessableEntity)
	if got := len(bad.all(".receive-lines tr.bad")); got != 2 {
		t.Errorf("%d lines are marked", got)
	}
	if got := w.screens(t); got != 10 {
		t.Errorf("%d screens after a refused order", got)
	}
	b.post("/stock/receive", "to", id(w.depot.ID), "reason", "Bon 12", "item.1", "E24", "quantity.1", "4", "price.1", "105,50").wantStatus(http.StatusOK)
	if got := w.screens(t); got != 14 {
		t.Errorf("%d screens", got)
	}
	if got := get1[stock.Item](t)(w.stock.Item(context.Background(), system, w.screen.ID)).Price; got != 10550 {
		t.Errorf("the price is %d cents", got)
	}
}

// A count shows what differs before it books it, and takes back nothing that
// moved meanwhile.
func TestCountSheet(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	address, found, seen := "/stock/places/"+id(w.depot.ID)+"/count", "found."+id(w.screen.ID), "seen."+id(w.screen.ID)
	preview := b.post(address, found, "7", seen, "10", "step", "preview").wantStatus(http.StatusOK)
	if got := preview.text("tbody td strong"); got != "−3" && got != "-3" {
		t.Errorf("the difference is %q", got)
	}
	if got := w.screens(t); got != 10 {
		t.Errorf("a preview books: %d", got)
	}
	get1[[]stock.Movement](t)(w.stock.Book(context.Background(), system, stock.Order{Kind: stock.Use, Item: w.screen.ID, From: w.depot.ID, Quantity: 1}))
	stale := b.post(address, found, "7", seen, "10", "step", "book").wantStatus(http.StatusConflict)
	if got := stale.text(".count-sheet .field-error"); !strings.Contains(got, "9") {
		t.Errorf("what moved is told as %q", got)
	}
	b.post(address, found, "7", seen, "9", "step", "book").wantStatus(http.StatusOK)
	if got := w.screens(t); got != 7 {
		t.Errorf("%d screens", got)
	}
}

// What was just done can be undone from where it was done.
func TestUndoUse(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	page := b.post("/incidents/"+id(w.own)+"/parts", "item", "E24", "quantity", "2", "from", id(w.depot.ID)).wantStatus(http.StatusOK)
	undo := page.all("form[action*='/reverse']")
	if len(undo) != 1 {
		t.Fatalf("%d ways to undo", len(undo))
	}
	back := b.post(attribute(undo[0], "action"), "back", "/incidents/"+id(w.own)).wantStatus(http.StatusOK)
	if got := w.screens(t); got != 10 || len(back.all(".parts-used li")) != 0 {
		t.Errorf("%d screens; the page tells %q", got, back.texts(".parts-used li"))
	}
}

// The export, corrected in a spreadsheet, comes back: seen first, then done.
func TestImportStock(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	list := "Référence;Article;Minimum;Prix unitaire;Dépôt\nE24;Écran 24 pouces;5;99,90;8\nS1;Souris USB;10;6,90;30\n;;;;\nS2;Clavier;dix;6,90;3\n"
	send := func(name, content string) *answer {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		part, err := m.CreateFormFile("file", name)
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		if err == nil {
			err = m.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, b.base+"/stock/import", &body)
		if err == nil {
			req.Header.Set("Content-Type", m.FormDataContentType())
		}
		return b.do(req, err)
	}
	preview := send("stock.csv", list).wantStatus(http.StatusOK)
	if got := preview.texts("tbody th"); !slices.Equal(got, []string{"Écran 24 pouces", "Souris USB", "Clavier"}) {
		t.Errorf("the preview tells of %q", got)
	}
	if got := w.screens(t); got != 10 {
		t.Errorf("a preview changes: %d", got)
	}
	key := attribute(preview.all("input[name=key]")[0], "value")
	b.post("/stock/import/confirm", "key", key).wantStatus(http.StatusOK)
	st := get1[*stock.Stock](t)(w.stock.Stock(context.Background(), system))
	if got := w.screens(t); got != 8 || len(st.Items) != 2 {
		t.Errorf("%d screens, %d items", got, len(st.Items))
	}
	book := b.get("/stock.xlsx").wantStatus(http.StatusOK)
	again := send("stock.xlsx", book.body).wantStatus(http.StatusOK)
	if len(again.all("input[name=key]")) != 0 {
		t.Errorf("the export brought back would change: %q", again.texts("tbody tr"))
	}
	send("stock.csv", "a;b\n1;2\n").wantStatus(http.StatusUnprocessableEntity)
	send("stock.xlsx", "PK\x03\x04nothing").wantStatus(http.StatusUnprocessableEntity)
}
