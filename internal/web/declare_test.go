package web

import (
	"net/http"
	"net/url"
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

// An article that may help is proposed before anything is sent, with scripts or
// without, and says when it made a declaration needless.
func TestHelpBeforeDeclaring(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "declarant")
	article, err := w.knowledge.Get(t.Context(), system, w.advice)
	if err != nil {
		t.Fatal(err)
	}
	avoided := func() int {
		t.Helper()
		a, err := w.knowledge.Get(t.Context(), system, w.advice)
		if err != nil {
			t.Fatal(err)
		}
		return a.Uses.Avoided
	}
	title := article.Title
	if got := b.get("/declare/help?title="+url.QueryEscape(title)).attr("button[name=solved]", "value"); got != id(w.advice) {
		t.Fatalf("proposed: %q", got)
	}
	if got := b.get("/declare/help?title=zzz").attr("button[name=solved]", "value"); got != "" {
		t.Errorf("proposed for nothing: %q", got)
	}
	a := b.post("/declare", "plain", "1", "once", "k1", "school", id(w.a), "title", title).wantStatus(http.StatusOK)
	if a.text("#helped") == "" || a.attr("input[name=read]", "value") != id(w.advice) || a.attr("#asked", "id") != "" {
		t.Fatalf("without scripts: %q %q", a.text("#helped"), a.attr("input[name=read]", "value"))
	}
	a = b.post("/declare", "plain", "1", "once", "k1", "school", id(w.a), "title", title, "read", id(w.advice), "seen", a.attr("input[name=seen]", "value"))
	if !strings.HasPrefix(a.Request.URL.Path, "/declare/") {
		t.Errorf("sent after reading: %s", a.Request.URL)
	}
	a = b.post("/declare/solved", "solved", id(w.advice)).wantStatus(http.StatusOK)
	if avoided() != 1 || !strings.Contains(a.text(".notice"), "Rien n’a été envoyé") {
		t.Errorf("solved: %d, %q", avoided(), a.text(".notice"))
	}
	b.post("/declare/solved", "solved", id(w.advice))
	if avoided() != 1 {
		t.Errorf("the same again counts %d", avoided())
	}
	b.post("/declare/solved", "solved", id(w.advice), "undo", "1")
	if avoided() != 0 {
		t.Errorf("taken back: %d", avoided())
	}
}
