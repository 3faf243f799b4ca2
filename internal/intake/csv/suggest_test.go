package csvin

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/testkit"
)

func TestSuggestFrenchList(t *testing.T) {
	t.Parallel()
	const file = "Numéro;Établissement;Date d'ouverture;État;Catégorie;Sous-catégorie;Titre;Description;Priorité;Technicien;Date de clôture;Couleur\n" +
		"1001;0450001A;3/11/2025 08:05;Clôturé;Réseau;Wi-Fi;Plus de Wi-Fi;texte;Haute;Mme Petit;4/11/2025 10:00;bleu\n" +
		"1002;0450002B;13/11/2025 09:15;En cours;Impression;;Bourrage;texte;Basse;M. Grand;;rouge\n" +
		"1003;0450002B;14/11/2025 09:15;Égaré;Impression;;Bourrage;texte;-;M. Grand;;rouge\n"
	s, err := TakeSample(strings.NewReader(file), File{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	p := Suggest(s)
	want := Profile{
		Name: "import", Source: "import",
		File:  File{Encoding: "utf-8", Separator: ";", Missing: []string{"-"}},
		Dates: Dates{Formats: []string{"2/1/2006 15:04"}},
		Rows:  Rows{Per: PerTicket, Ticket: "Numéro"},
		Fields: map[string]Field{
			"school":      {Column: "Établissement"},
			"opened_at":   {Column: "Date d'ouverture"},
			"closed_at":   {Column: "Date de clôture"},
			"state":       {Column: "État", Values: map[string]string{"Clôturé": "closed", "En cours": "assigned"}},
			"category":    {Columns: []string{"Catégorie", "Sous-catégorie"}},
			"title":       {Column: "Titre"},
			"description": {Column: "Description"},
			"priority":    {Column: "Priorité", Values: map[string]string{"Haute": "2", "Basse": "4"}, Unknown: Ignore},
			"assignee":    {Column: "Technicien"},
			"origin":      {Constant: "import"},
		},
		Ignore: []string{"Couleur"},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
	got, err := Preview(p, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 2 || len(got.Rejected) != 1 || got.Rejected[0].Line != 4 || got.Rejected[0].Reason != UnknownValue {
		t.Errorf("preview: %d rows, rejected %+v", len(got.Rows), got.Rejected)
	}
	if d := cmp.Diff([]string{"Réseau", "Wi-Fi"}, got.Rows[0].Values[4].Path); d != "" {
		t.Error(d)
	}
}

func TestSuggestMonthFirst(t *testing.T) {
	t.Parallel()
	s, err := TakeSample(strings.NewReader("id,title,opened_at\n1,t,11/13/2025 08:05\n2,t,11/3/2025 08:05\n"), File{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1/2/2006 15:04"}, Suggest(s).Dates.Formats); d != "" {
		t.Error(d)
	}
}

// TestSuggestUpdates: the guess on the real log finds what its own profile
// says, but for what nobody could guess.
func TestSuggestUpdates(t *testing.T) {
	t.Parallel()
	f, err := os.Open(testkit.Shared(t, "incidents-uci498/incident_event_log.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := TakeSample(f, File{}, 500)
	if err != nil {
		t.Fatal(err)
	}
	got := Suggest(s)
	want := profile(t, "servicenow")
	if d := cmp.Diff(Rows{Per: PerUpdate, Ticket: "number", Order: "sys_mod_count", At: "sys_updated_at", Actor: "sys_updated_by"}, got.Rows); d != "" {
		t.Error(d)
	}
	for _, name := range []string{"school", "category", "impact", "urgency", "priority", "declarant", "assignee", "team", "origin", "state", "opened_at", "resolved_at", "closed_at", "target", "resolution_code", "reopen_count", "machine"} {
		if d := cmp.Diff(want.Fields[name].columns(), got.Fields[name].columns()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	preview, err := Preview(got, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(preview.Rows) != 500 {
		t.Errorf("%d rows of 500 understood, first rejected %+v", len(preview.Rows), preview.Rejected[0])
	}
}
