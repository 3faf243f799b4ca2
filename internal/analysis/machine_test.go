package analysis

import "testing"

func TestBatch(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"HX22C-00421": "HX22C", "VP-1038-12": "VP", "KPC-1038-ADMIN-01": "KPC", "PC004512": "PC", "0451038J-PC-12": "PC", "0451038J_pc12": "PC",
		"hx22c 00421": "HX22C", "004512": "", "12-PC": "", "": "", "-": "", "0451038J": "", "  TAB/3 ": "TAB", "Éc12": "ÉC",
	} {
		if got := Batch(label); got != want {
			t.Errorf("%q is of %q, want %q", label, got, want)
		}
	}
}

func TestRoomKind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Salle 12": "Salle", "Salle informatique 2": "Salle informatique", "CDI": "CDI", "Salle B": "Salle", "Salle B12 bis": "Salle", "12": "", "": "", "Salle de technologie": "Salle de technologie",
	} {
		if got := RoomKind(name); got != want {
			t.Errorf("%q is a %q, want %q", name, got, want)
		}
	}
}

func FuzzBatch(f *testing.F) {
	for _, s := range []string{"HX22C-00421", "0451038J-0451038J-x", "É-", "\xff", "0451038J"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, label string) {
		if b := Batch(label); len(b) > 4*len(label)+4 { // upper case may be longer
			t.Errorf("%q is of %q", label, b)
		}
		RoomKind(label)
	})
}
