package cube

import (
	"context"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/locale"
	"statincidents/internal/testkit"
)

func TestLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	fr := NewLabeler(w.index, w.tree, locale.For(locale.French, paris))
	en := NewLabeler(w.index, w.tree, locale.For(locale.English, paris))
	plain := strings.NewReplacer("\u202f", " ", "\u00a0", " ")
	for _, c := range []struct {
		dim            Dim
		key            string
		fr, short, eng string
	}{
		{DimSchool, number(w.schools[1]), "Collège Z", "Collège Z", "Collège Z"},
		{DimSchool, "", "Non renseigné", "Non renseigné", "Not known"},
		{DimSchool, "999", "n° 999 (retiré)", "n° 999 (retiré)", "no. 999 (removed)"},
		{DimRoom, number(w.rooms[1]), "Salle 1, Collège Z", "Salle 1", "Salle 1, Collège Z"},
		{DimCategory3, number(w.categories[3]), "Matériel › Poste › Écran", "Écran", "Matériel › Poste › Écran"},
		{DimCategory2, "", "Sans sous-type", "Sans sous-type", "No sub-type"},
		{DimCategory, OthersKey, "Autres", "Autres", "Others"},
		{DimState, "waiting", "En attente", "En attente", "Waiting"},
		{DimPriority, "1", "Critique", "Critique", "Critical"},
		{DimOpen, "yes", "En cours", "En cours", "Open"},
		{DimMachine, "PC-1", "PC-1", "PC-1", "PC-1"},
		{DimHour, "14", "14 h", "14 h", "14:00"},
		{DimWeekday, "7", "dimanche", "dim.", "Sunday"},
		{DimDay, "2026-03-03", "mardi 3 mars 2026", "3 mars", "Tuesday 3 March 2026"},
		{DimWeek, "2026-W10", "Semaine 10 de 2026", "S10", "Week 10 of 2026"},
		{DimMonth, "2026-03", "mars 2026", "mars", "March 2026"},
		{DimYear, "2026", "2026", "2026", "2026"},
		{DimSchoolYear, "2025-2026", "2025-2026", "2025-2026", "2025-2026"},
		{DimSchoolWeek, "09", "Semaine 9", "S9", "Week 9"},
		{DimSchoolWeek, "", "Vacances", "Vacances", "Holidays"},
	} {
		if got := plain.Replace(fr.Label(c.dim, c.key)); got != c.fr {
			t.Errorf("%s %q in French is %q, want %q", c.dim, c.key, got, c.fr)
		}
		if got := plain.Replace(fr.Short(c.dim, c.key)); got != c.short {
			t.Errorf("%s %q in short is %q, want %q", c.dim, c.key, got, c.short)
		}
		if got := plain.Replace(en.Label(c.dim, c.key)); got != c.eng {
			t.Errorf("%s %q in English is %q, want %q", c.dim, c.key, got, c.eng)
		}
	}
}

// Every measure, dimension and word has its name in both languages, and every
// closed list is offered whole.
func TestEverythingIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	for _, lang := range locale.Langs {
		say := locale.For(lang, paris)
		l := NewLabeler(w.index, w.tree, say)
		for _, m := range Measures {
			for _, area := range []string{"cube.measure.", "cube.unit.", "cube.help."} {
				if !say.Has(area + string(m)) {
					t.Errorf("%s: no %s%s", lang, area, m)
				}
			}
		}
		for _, d := range Dims {
			if !say.Has("cube.dim." + string(d)) {
				t.Errorf("%s: no name for %s", lang, d)
			}
			for _, word := range d.Words() {
				if !say.Has(wordKeys[d] + word) {
					t.Errorf("%s: no name for %s %s", lang, d, word)
				}
			}
			if d.Words() != nil && len(l.Options(d, auth.ScopeAll(w.tenant))) < len(d.Words()) {
				t.Errorf("%s: not all of %s is offered", lang, d)
			}
		}
	}
}

func TestOptionsKeepToTheScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	l := NewLabeler(w.index, w.tree, locale.For(locale.French, paris))
	var names []string
	for _, o := range l.Options(DimSchool, auth.ScopeSchools(w.tenant, w.schools[1], w.schools[2])) {
		names = append(names, o.Label)
	}
	if want := []string{"Collège Y", "Collège Z", "Non renseigné"}; !slices.Equal(names, want) {
		t.Errorf("schools offered %q, want %q", names, want)
	}
	if rooms := l.Options(DimRoom, auth.ScopeSchools(w.tenant, w.schools[1])); len(rooms) != 3 {
		t.Errorf("%d rooms offered to the referent of a school of 2, want them and 'not known'", len(rooms))
	}
}

// Fill says every row and margin.
func TestFill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	w.populate(t, seeded(7), 100)
	m, _ := executors(t, w)
	res, err := m.Run(context.Background(), auth.ScopeAll(w.tenant), Query{Measures: []Measure{Count}, By: []Dim{DimSchool, DimPriority}, Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	l := NewLabeler(w.index, w.tree, locale.For(locale.French, paris))
	l.Fill(&res)
	for _, rows := range append(res.Margins, res.Rows) {
		for _, r := range rows {
			if len(r.Labels) != len(r.Keys) || slices.Contains(r.Labels, "") {
				t.Errorf("row %q is called %q", r.Keys, r.Labels)
			}
		}
	}
	if last := res.Margins[0][len(res.Margins[0])-1]; !last.Others || last.Labels[0] != "Autres" {
		t.Errorf("last school is %+v, want the others", last)
	}
}
