package web

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
)

// sendFiles sends a form with files: pairs of name and content.
func (b *reader) sendFiles(path string, values map[string]string, files ...string) *answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range values {
		if err := w.WriteField(k, v); err != nil {
			b.t.Fatal(err)
		}
	}
	for i := 0; i+1 < len(files); i += 2 {
		part, err := w.CreateFormFile("files", files[i])
		if err == nil {
			_, err = io.WriteString(part, files[i+1])
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	return b.do(req, nil)
}

func photo(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 800, 600))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	img.Set(3, 3, color.Black)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A teacher declares with two photos and a file that is refused: what was
// received is kept while the form is mended.
func TestDeclareWithPhotos(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "declarant")
	form := b.get("/declare")
	if got := attribute(form.all("form.declare")[0], "enctype"); got != "multipart/form-data" {
		t.Fatalf("the form is sent as %q", got)
	}
	values := map[string]string{"school": id(w.a), "title": "L'écran est rayé", "once": attribute(form.all("input[name=once]")[0], "value")}
	refused := b.sendFiles("/declare", values, "un.jpg", photo(t), "page.html", "<!doctype html><script>alert(1)</script>")
	refused.wantStatus(http.StatusUnprocessableEntity)
	if got := refused.text(".files .field-error"); !strings.Contains(got, "page.html") {
		t.Errorf("the refusal says %q", got)
	}
	kept := refused.all(".files-kept input[name=attachment]")
	if len(kept) != 1 {
		t.Fatalf("%d files are kept", len(kept))
	}
	values["attachment"] = attribute(kept[0], "value")
	page := b.sendFiles("/declare", values, "deux.jpg", photo(t)).wantStatus(http.StatusOK)
	page = b.get(page.attr(".declared .btn-primary", "href")).wantStatus(http.StatusOK)
	if got := page.all(".attachment img"); len(got) != 2 || attribute(got[0], "alt") == "" {
		t.Fatalf("%d photos are shown", len(got))
	}
	thumb := b.get(attribute(page.all(".attachment img")[0], "src")).wantStatus(http.StatusOK)
	if got := thumb.Header.Get("Content-Type"); got != "image/jpeg" {
		t.Errorf("the thumbnail is %s", got)
	}
}

// What is served runs nothing, and is asked for again each time.
func TestFilesAreServedInert(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	page := b.sendFiles("/incidents/"+id(w.own)+"/act", map[string]string{"action": "comment", "comment": "Voir la note"}, "note.html", "Bonjour <b>vous</b>").wantStatus(http.StatusOK)
	link := page.all(".attachment-file")
	if len(link) != 1 {
		t.Fatalf("%d files are shown", len(link))
	}
	a := b.get(attribute(link[0], "href")).wantStatus(http.StatusOK)
	for name, want := range map[string]string{
		"Content-Type": "text/plain", "Content-Disposition": "attachment; filename=note.html.txt", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": inert, "Cache-Control": "private, no-cache",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	req, err := http.NewRequest(http.MethodGet, b.base+attribute(link[0], "href"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", a.Header.Get("ETag"))
	b.do(req, nil).wantStatus(http.StatusNotModified)
	if got := b.get("/attachments/" + id(w.file)).Header.Get("Content-Disposition"); !strings.HasPrefix(got, "inline") {
		t.Errorf("a picture is sent as %q", got)
	}
}

// The parts of a form that are too big for memory wait in temporary files,
// which go with the request.
func TestFormsLeaveNoFiles(t *testing.T) { //nolint:paralleltest // the temporary folder is the process's
	w := newTown(t)
	b := w.as(t, "technician")
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	b.sendFiles("/incidents/"+id(w.own)+"/act", map[string]string{"action": "comment", "comment": "Voir"}, "journal.txt", strings.Repeat("a", 12<<20)).wantStatus(http.StatusOK)
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		t.Errorf("%s is left", f.Name())
	}
}

// Sixty megabytes are refused beside the control, and what was typed stays.
func TestSixtyMegabytes(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	a := b.sendFiles("/incidents/"+id(w.own)+"/act", map[string]string{"action": "comment", "comment": "Le journal complet"}, "journal.txt", strings.Repeat("a", 60<<20))
	a.wantStatus(http.StatusUnprocessableEntity)
	if got := a.text(".files .field-error"); !strings.Contains(got, "journal.txt") {
		t.Errorf("the refusal says %q", got)
	}
	if got := a.text("textarea[name=comment]"); got != "Le journal complet" {
		t.Errorf("the comment is %q", got)
	}
}

func TestRemoveAttachment(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	ask := b.get("/attachments/" + id(w.file) + "/remove").wantStatus(http.StatusOK)
	if got := ask.text("main"); !strings.Contains(got, "écran.png") {
		t.Errorf("the question is %q", got)
	}
	page := b.sendFiles("/attachments/"+id(w.file)+"/remove", nil).wantStatus(http.StatusOK)
	if got := page.all(".attachment.gone"); len(got) != 1 {
		t.Errorf("%d removals are told", len(got))
	}
	b.get("/attachments/" + id(w.file)).wantStatus(http.StatusNotFound)
}
