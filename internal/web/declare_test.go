package web

import (
	"net/http"
	"strings"
	"testing"
)

// Instead of a second incident, one says "I have it too": what was typed is
// said there, and one follows it from then on.
func TestJoinWhatIsReported(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "declarant")
	b.get("/incidents/" + id(w.beside)).wantStatus(http.StatusNotFound)
	a := b.get("/declare?room=" + id(w.roomA) + "&category=" + id(w.printing))
	if got := a.attr(".known button[name=also]", "value"); got != id(w.beside) {
		t.Fatalf("the button joins %q", got)
	}
	a = b.post("/declare/also", "also", id(w.beside), "room", id(w.roomA), "title", "Chez moi aussi").wantStatus(http.StatusOK)
	if a.Request.URL.Path != "/incidents/"+id(w.beside) || !strings.Contains(a.text(".notice"), "C’est compté") || !strings.Contains(a.text(".story"), "Chez moi aussi") {
		t.Errorf("joined: %s %s %s", a.Request.URL, a.text(".notice"), a.text(".story"))
	}
	b.post("/declare/also", "also", id(w.foreign)).wantStatus(http.StatusNotFound)
}
