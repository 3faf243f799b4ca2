package preset

import (
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func second[T any](_ T, err error) error { return err }

// Presets are somebody's own or shared; others use only the shared ones, and
// only who may changes those.
func TestPresets(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		s := New(db, journal.New(db))
		lead := auth.Identity{Tenant: 1, Account: 1, Role: auth.Lead}
		one := auth.Identity{Tenant: 1, Account: 2, Role: auth.Technician}
		two := auth.Identity{Tenant: 1, Account: 3, Role: auth.Technician}
		teacher := auth.Identity{Tenant: 1, Account: 4, Role: auth.Declarant, Person: 9}
		resolve := Change{Action: incident.Resolve, Set: incident.Patch{ResolutionCode: new(int64(3)), CauseCode: new(int64(4)), Resolution: new(" Redémarré ")}}
		shared := must[Preset](t)(s.Save(ctx, lead, Preset{Kind: Macro, Label: " Redémarrage ", Key: "Z", Change: resolve}))
		if shared.Label != "Redémarrage" || shared.Key != "z" || *shared.Change.Set.Resolution != "Redémarré" {
			t.Errorf("%+v", shared)
		}
		own := must[Preset](t)(s.Save(ctx, one, Preset{Kind: Macro, Owner: one.Account, Label: "À moi", Change: Change{Action: incident.Take}}))
		must[Preset](t)(s.Save(ctx, one, Preset{Kind: Template, Owner: one.Account, Label: "Mot de passe", Filled: Filled{Title: "Mot de passe oublié", Impact: 3, Urgency: 2}}))
		names := func(by auth.Identity) string {
			var all []string
			for _, p := range must[[]Preset](t)(s.List(ctx, by, Macro)) {
				all = append(all, p.Label)
			}
			return strings.Join(all, ", ")
		}
		if got := names(one); got != "À moi, Redémarrage" {
			t.Errorf("theirs first: %s", got)
		}
		if got := names(two); got != "Redémarrage" {
			t.Errorf("somebody else uses %s", got)
		}
		mine := own
		mine.Label = "Toujours à moi"
		must[Preset](t)(s.Save(ctx, one, mine))
		for name, c := range map[string]struct {
			err  error
			code fault.Code
		}{
			"shared by a technician":      {second(s.Save(ctx, one, Preset{Kind: Macro, Label: "x", Change: Change{Action: incident.Take}})), fault.Forbidden},
			"somebody else's":             {second(s.Save(ctx, two, mine)), fault.NotFound},
			"taken from somebody else":    {second(s.Save(ctx, two, Preset{ID: own.ID, Kind: Macro, Owner: two.Account, Label: "x", Change: Change{Action: incident.Take}})), fault.NotFound},
			"removed by somebody else":    {s.Remove(ctx, two, own.ID), fault.NotFound},
			"a shared one removed":        {s.Remove(ctx, one, shared.ID), fault.Forbidden},
			"by a declarant":              {second(s.List(ctx, teacher, Macro)), fault.Forbidden},
			"of a name that is there":     {second(s.Save(ctx, lead, Preset{Kind: Macro, Label: "Redémarrage", Change: Change{Action: incident.Take}})), fault.Invalid},
			"without a code":              {second(s.Save(ctx, lead, Preset{Kind: Macro, Label: "x", Change: Change{Action: incident.Resolve}})), fault.Invalid},
			"with a field of nothing":     {second(s.Save(ctx, lead, Preset{Kind: Macro, Label: "x", Change: Change{Action: incident.Take, Set: incident.Patch{Title: new("y")}}})), fault.Invalid},
			"an action of something else": {second(s.Save(ctx, lead, Preset{Kind: Macro, Label: "x", Change: Change{Action: incident.Merge}})), fault.Invalid},
			"a key of the page":           {second(s.Save(ctx, lead, Preset{Kind: Macro, Label: "x", Key: "j", Change: Change{Action: incident.Take}})), fault.Invalid},
			"a template without a title":  {second(s.Save(ctx, lead, Preset{Kind: Template, Label: "x"})), fault.Invalid},
		} {
			if !fault.Is(c.err, c.code) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
		if err := s.Remove(ctx, one, own.ID); err != nil {
			t.Error(err)
		}
		if got := names(one); got != "Redémarrage" {
			t.Errorf("after removing: %s", got)
		}
		replay := must[*journal.Replay](t)(journal.CheckRebuild(ctx, db, 1, []journal.Projection{s.Projection()}, nil))
		for _, d := range replay.Differences {
			t.Error(d.String())
		}
	})
}
