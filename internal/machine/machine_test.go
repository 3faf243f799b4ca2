package machine_test

import (
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/machine"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestImport(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx, by := t.Context(), auth.System(1)
		j := journal.New(db)
		places := directory.New(db, j)
		settings := directory.DefaultSettings
		settings.Name = "Loiret"
		if err := places.SaveSettings(ctx, by, settings); err != nil {
			t.Fatal(err)
		}
		schools, err := places.EnsureSchools(ctx, by, []directory.School{{UAI: "0450001A", Name: "Collège A", Commune: "Gien"}})
		if err != nil {
			t.Fatal(err)
		}
		s := machine.New(db, j, places)
		bought := calendar.Date(2019, time.May, 2)
		all := map[string]bool{"model": true, "school": true, "purchased": true, "retired": true, "why": true}
		rows := []machine.Row{
			{Line: 2, Machine: machine.Machine{Label: " HX19-1 ", Model: "HX19", Purchased: bought}, UAI: "0450001a", Has: all},
			{Line: 3, Machine: machine.Machine{Label: "HX19-2", Purchased: bought, Retired: bought - 1}, Has: all},
			{Line: 4, Machine: machine.Machine{Label: "HX19-3"}, UAI: "9999999Z", Has: all},
			{Line: 5, Machine: machine.Machine{Label: ""}, Has: all},
			{Line: 6, Machine: machine.Machine{Label: "HX19-1"}, Has: all},
			{Line: 7, Machine: machine.Machine{Label: "HX19-4", Model: "HX19", Purchased: bought, Retired: bought + 900, RetiredWhy: machine.Broken}, Has: all},
		}
		seen, err := s.Import(ctx, by, rows, false)
		if err != nil {
			t.Fatal(err)
		}
		if list, _ := s.List(ctx, auth.ScopeAll(1)); len(list) != 0 {
			t.Fatal("a preview that writes")
		}
		done, err := s.Import(ctx, by, rows, true)
		if err != nil || len(done) != len(seen) {
			t.Fatal(err)
		}
		for k, wrong := range []bool{false, true, true, true, true, false} {
			if (done[k].Err != nil) != wrong || (seen[k].Err != nil) != wrong {
				t.Errorf("line %d: %v", done[k].Line, done[k].Err)
			}
		}
		list, _ := s.List(ctx, auth.ScopeAll(1))
		if len(list) != 2 || list[0].Label != "HX19-1" || list[0].School != schools["0450001A"] || list[1].RetiredWhy != machine.Broken {
			t.Fatalf("%+v", list)
		}
		if own, _ := s.List(ctx, auth.ScopeSchools(1, schools["0450001A"])); len(own) != 1 {
			t.Errorf("a referent sees %d", len(own))
		}
		if none, _ := s.List(ctx, auth.ScopeOwn(1, 4)); len(none) != 0 {
			t.Errorf("a declarant sees %d", len(none))
		}
		// A column that is not there changes nothing; the same list again neither.
		again, err := s.Import(ctx, by, []machine.Row{{Line: 2, Machine: machine.Machine{Label: "HX19-1"}, Has: map[string]bool{}}}, true)
		if err != nil || !again[0].Same {
			t.Errorf("%+v, %v", again, err)
		}
		if _, err := s.Import(ctx, auth.Somebody(1, 1, "x"), rows, true); !fault.Is(err, fault.Forbidden) {
			t.Errorf("by a declarant: %v", err)
		}
		replay, err := journal.CheckRebuild(ctx, db, 1, []journal.Projection{s.Projection()}, nil)
		if err != nil || len(replay.Differences) > 0 {
			t.Errorf("rebuilt: %+v, %v", replay, err)
		}
	})
}
