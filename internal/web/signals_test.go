package web

import (
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/calendar"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
)

// signalled makes four signals: of school a (1), of b (2), of both (3), of the
// whole département (4).
func (w *town) signalled(t *testing.T) {
	t.Helper()
	week := calendar.DayOf(sqldb.Now(), paris).Week()
	one := func(name string, excess float64, schools ...int64) signal.Finding {
		f := signal.Finding{
			Series: name, About: signal.About{Schools: schools, Category: w.printing}, Flagged: true,
			Figures: signal.Figures{Observed: 2 + excess, Expected: 2, Ratio: (2 + excess) / 2, Low: 1.5, High: 9, P: 0.0025, Window: 1},
			Words:   []signal.Word{{Word: "bourrage", N: 4, Score: 5}}, Since: signal.Since{Week: week - 14, Before: 2, After: 7},
		}
		for k := 20; k >= 0; k-- {
			p := signal.Point{Week: week - calendar.Day(7*k), Observed: float64(k % 4), Expected: 2, High: 5}
			if k == 0 {
				p.Observed = f.Observed
			}
			f.History = append(f.History, p)
		}
		return f
	}
	found := []signal.Finding{one("a", 9, w.a), one("b", 8, w.b), one("both", 7, w.a, w.b), one("all", 6)}
	if err := w.signals.Observe(t.Context(), signal.Warning, week, found, signal.Among(696)); err != nil {
		t.Fatal(err)
	}
}

// The week's list goes by excess, says each signal in a sentence, draws it, and
// opens the incidents behind.
func TestSignals(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	page := w.as(t, "lead").get("/signals").wantStatus(http.StatusOK)
	names := page.all(".signal-name a")
	if len(names) != 4 || !strings.HasPrefix(textOf(names[0]), "Collège A · Impression") || !strings.HasPrefix(textOf(names[3]), "Tout le département") {
		t.Fatalf("%d signals: %v", len(names), names)
	}
	said := textOf(page.all(".signal-said")[0])
	if !strings.Contains(said, "11 incidents au lieu de 2 attendus cette semaine") || !strings.Contains(said, "qu’une semaine sur 400") {
		t.Errorf("said %q", said)
	}
	if n := len(page.all(".signal figure svg")); n < 4 {
		t.Errorf("%d drawings", n)
	}
	if n := len(page.all(".signal-judge button")); n != 12 {
		t.Errorf("%d buttons to judge", n)
	}
	own := w.as(t, "referent").get("/signals").wantStatus(http.StatusOK)
	if names := own.all(".signal-name a"); len(names) != 1 || !strings.HasPrefix(textOf(names[0]), "Collège A") {
		t.Errorf("a referent sees %d", len(names))
	}
	if len(own.all(".signal-judge")) != 0 || strings.Contains(own.body, "Collège B") {
		t.Error("a referent judges, or reads of another school")
	}
	for _, path := range []string{"/overview", "/schools/" + id(w.a)} {
		lines := w.as(t, "lead").get(path).wantStatus(http.StatusOK).all(".signal-lines a")
		if want := map[string]int{"/overview": 4}[path]; want != 0 && len(lines) != want || len(lines) == 0 {
			t.Errorf("%s: %d signals", path, len(lines))
		}
	}
	if lines := w.as(t, "referent").get("/schools/" + id(w.a)).wantStatus(http.StatusOK).all(".signal-lines a"); len(lines) != 1 {
		t.Errorf("a referent reads %d lines of their school", len(lines))
	}
	if export := w.as(t, "referent").get("/signals.csv").wantStatus(http.StatusOK).body; strings.Count(export, "\n") != 2 || strings.Contains(export, "Collège B") {
		t.Errorf("a referent's export: %s", export)
	}
}

// A signal is judged in one click, which can be taken back; its page takes a
// note; what is refused keeps what was typed.
func TestJudgeSignal(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	b.post("/signals/1/judge", "verdict", "true", "quick", "1", "back", "/signals")
	page := b.get("/signals/1").wantStatus(http.StatusOK)
	if got := textOf(page.all("#judge-title ~ p")[0]); !strings.Contains(got, "Mme technician") {
		t.Errorf("judged: %q", got)
	}
	long := strings.Repeat("x", signal.MaxNote+1)
	refused := b.post("/signals/1/judge", "verdict", "false", "note", long).wantStatus(http.StatusUnprocessableEntity)
	if !strings.Contains(refused.body, long) || len(refused.all(".field-error")) == 0 {
		t.Error("the note was lost, or nothing says what is wrong")
	}
	b.post("/signals/1/judge", "verdict", "expected", "note", "Déploiement")
	b.post("/signals/1/judge", "verdict", "true", "quick", "1")
	if got := get1[signal.Signal](t)(w.signals.Get(t.Context(), system, 1)); got.Verdict != signal.True || got.Note != "Déploiement" {
		t.Errorf("%+v", got.Judgement)
	}
	b.post("/signals/1/judge", "verdict", "", "undo", "1")
	if got := get1[signal.Signal](t)(w.signals.Get(t.Context(), system, 1)); got.Verdict != "" {
		t.Errorf("not taken back: %+v", got.Judgement)
	}
	history := b.get("/signals?view=history&verdict=none&school=" + id(w.b)).wantStatus(http.StatusOK)
	if rows := history.all("#signals tbody tr"); len(rows) != 2 {
		t.Errorf("%d rows", len(rows))
	}
	if empty := b.get("/signals?view=history&method=drift").wantStatus(http.StatusOK); len(empty.all("#signals")) != 0 {
		t.Error("a table of nothing")
	}
}
