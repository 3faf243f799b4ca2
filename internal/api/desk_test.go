package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/api/client"
	"statincidents/internal/api/wire"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// Each room of the desk from a program: written, read back, taken away.
func TestTheDeskFromAProgram(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		tech, lead := w.as(t, "technician"), w.as(t, "lead")

		t.Run("clocks", func(t *testing.T) {
			i := w.declare(t, "declarant")
			must0(t, lead.SaveServiceTarget(ctx, wire.ServiceTarget{Response: 60, Resolution: 600}))
			targets := must[wire.ServiceTargets](t)(tech.ServiceTargets(ctx))
			if len(targets.Items) != 1 || targets.Items[0].Resolution != 600 {
				t.Errorf("targets are %+v", targets)
			}
			clock := must[wire.Clock](t)(w.as(t, "declarant").Clock(ctx, i.ID))
			if clock.Response.Phase != "running" || clock.Resolution.Target != 600 || clock.Resolution.Due == nil {
				t.Errorf("the clocks stand at %+v", clock)
			}
			day := time.Now().In(paris).AddDate(0, 1, 0).Format(time.DateOnly)
			later := wire.ServiceTarget{Priority: 1, From: day, Response: 10, Resolution: 20}
			must0(t, lead.SaveServiceTarget(ctx, later))
			must0(t, lead.RemoveServiceTarget(ctx, later))
			if n := len(must[wire.ServiceTargets](t)(tech.ServiceTargets(ctx)).Items); n != 1 {
				t.Errorf("%d targets are left", n)
			}
			if err := tech.SaveServiceTarget(ctx, later); !client.Is(err, "forbidden") {
				t.Errorf("a technician sets a target: %v", err)
			}
		})
		t.Run("labels", func(t *testing.T) {
			referent := w.as(t, "referent")
			made := must[[]wire.Label](t)(referent.MakeLabels(ctx, w.schoolA, wire.LabelPlace{Room: w.room}, wire.LabelPlace{Machine: "PC-1"}))
			if len(made) != 2 || made[0].Room != w.room || made[1].Machine != "PC-1" || !strings.HasPrefix(made[0].Path, "/q/") {
				t.Fatalf("made %+v", made)
			}
			must0(t, referent.RevokeLabel(ctx, made[1].ID))
			if left := list(t, referent.Labels(ctx, w.schoolA)); len(left) != 1 || left[0] != made[0] {
				t.Errorf("left %+v", left)
			}
		})
		t.Run("presets", func(t *testing.T) {
			p := must[wire.Preset](t)(tech.SavePreset(ctx, wire.Preset{Kind: "macro", Label: "Attente pièce", Key: "b", Change: &wire.Transition{Action: "hold", WaitingCode: &w.waiting}}))
			p.Label = "Attente de pièce"
			must[wire.Preset](t)(tech.SavePreset(ctx, p))
			all := must[[]wire.Preset](t)(tech.Presets(ctx, "macro"))
			if len(all) != 1 || all[0].Label != p.Label || all[0].Change == nil || *all[0].Change.WaitingCode != w.waiting {
				t.Errorf("presets are %+v", all)
			}
			if theirs := must[[]wire.Preset](t)(lead.Presets(ctx, "macro")); len(theirs) != 0 {
				t.Errorf("the lead sees %+v", theirs)
			}
			must0(t, tech.RemovePreset(ctx, p.ID))
		})
		t.Run("batches", func(t *testing.T) {
			a, b := w.declare(t, "declarant"), w.declare(t, "declarant")
			ask := wire.NewBatch{Incidents: []int64{a.ID, b.ID, 999_999}, Change: &wire.Transition{Action: "hold", WaitingCode: &w.waiting}}
			seen := must[wire.BatchPreview](t)(tech.PreviewBatch(ctx, ask))
			if seen.Counts["done"] != 2 || seen.Counts["refused"] != 1 || seen.Items[2].Reason == "" {
				t.Errorf("the preview says %+v", seen)
			}
			batch := must[wire.Batch](t)(tech.StartBatch(ctx, ask))
			for n := 0; batch.EndedAt == nil && n < 200; n++ {
				time.Sleep(20 * time.Millisecond)
				batch = must[wire.Batch](t)(tech.Batch(ctx, batch.ID))
			}
			if batch.Counts["done"] != 2 || batch.Counts["refused"] != 1 || !batch.MayUndo || batch.Change == nil || batch.Change.Action != "hold" {
				t.Fatalf("the batch came to %+v", batch)
			}
			if _, err := lead.Batch(ctx, batch.ID); !client.Is(err, "not_found") {
				t.Errorf("another account reads it: %v", err)
			}
			if undone := must[wire.Batch](t)(tech.UndoBatch(ctx, batch.ID)); undone.Counts["undone"] != 2 {
				t.Errorf("undone, it came to %+v", undone)
			}
			if i := must[wire.Incident](t)(tech.Incident(ctx, a.ID)); i.State != "new" {
				t.Errorf("the incident is %s", i.State)
			}
		})
		t.Run("views", func(t *testing.T) {
			v := must[wire.View](t)(tech.SaveView(ctx, wire.View{Name: "Urgents", Query: "priority=1", Audience: "unit"}))
			theirs := must[[]wire.View](t)(lead.Views(ctx))
			if !slices.ContainsFunc(theirs, func(o wire.View) bool { return o.ID == v.ID && o.Query == "priority=1" }) {
				t.Errorf("the lead sees %+v", theirs)
			}
			if none := must[[]wire.View](t)(w.as(t, "referent").Views(ctx)); len(none) != 0 {
				t.Errorf("the referent sees %+v", none)
			}
			must0(t, tech.RemoveView(ctx, v.ID))
		})
		t.Run("stock", func(t *testing.T) {
			place := must[int64](t)(tech.SavePlace(ctx, 0, wire.NewStockPlace{Name: "Dépôt", Kind: "depot"}))
			item := must[int64](t)(tech.SaveItem(ctx, 0, wire.NewItem{Name: "Écran 24 pouces", Price: 12_000, Minimum: 2, Wanted: 5}))
			must[int64](t)(tech.SaveItem(ctx, item, wire.NewItem{Name: "Écran 24″", Price: 12_000, Minimum: 2, Wanted: 5}))
			must[[]wire.Movement](t)(tech.Book(ctx, wire.NewMovement{Kind: "receive", Item: item, To: place, Quantity: 3}))
			st := must[wire.Stock](t)(tech.Stock(ctx))
			if len(st.Items) != 1 || st.Items[0].Name != "Écran 24″" || st.Items[0].Quantity != 3 || len(st.Places) != 1 {
				t.Errorf("the stock is %+v", st)
			}
		})
		t.Run("jobs", func(t *testing.T) {
			admin := w.as(t, "administrator")
			must[wire.Jobs](t)(admin.Jobs(ctx, url.Values{"state": {"available"}, "limit": {"5"}}))
			if err := admin.CancelJob(ctx, 999_999); !client.Is(err, "not_found") {
				t.Errorf("a job that is not there: %v", err)
			}
			if err := tech.RetryJob(ctx, 1); !client.Is(err, "forbidden") {
				t.Errorf("a technician tries a job again: %v", err)
			}
			if _, err := admin.Jobs(ctx, url.Values{"limit": {"100000"}}); !client.Is(err, "invalid") {
				t.Errorf("as many jobs as one likes: %v", err)
			}
		})
		t.Run("problems", func(t *testing.T) {
			p := must[wire.ProblemRecord](t)(tech.OpenProblem(ctx, wire.NewProblem{Title: "Commutateur qui chauffe"}))
			saved := must[wire.ProblemRecord](t)(tech.SaveProblem(ctx, p.ID, p.Version, wire.NewProblem{Title: p.Title, State: "known", Cause: "Ventilateur"}))
			if got := must[wire.ProblemRecord](t)(tech.Problem(ctx, p.ID)); got.State != "known" || got.Version != saved.Version {
				t.Errorf("the problem is %+v", got)
			}
			if _, err := lead.SaveProblem(ctx, p.ID, p.Version, wire.NewProblem{Title: "Autre", State: "open"}); !client.Is(err, "conflict") {
				t.Errorf("written on an older version: %v", err)
			}
		})
		t.Run("articles", func(t *testing.T) {
			x := must[wire.Article](t)(tech.WriteArticle(ctx, wire.NewArticle{Title: "Bourrage papier", Body: "Ouvrir le capot.", Audience: "everyone", Publish: true}))
			must[wire.Article](t)(tech.SaveArticle(ctx, x.ID, x.Version, wire.NewArticle{Title: x.Title, Body: "Ouvrir le capot, tirer.", Audience: "everyone"}))
			if got := must[wire.Article](t)(w.as(t, "declarant").Article(ctx, x.ID)); got.Body != "Ouvrir le capot, tirer." || got.State != "published" {
				t.Errorf("the article is %+v", got)
			}
			if _, err := tech.SaveArticle(ctx, x.ID, x.Version, wire.NewArticle{Title: "Autre", Body: "x", Audience: "everyone"}); !client.Is(err, "conflict") {
				t.Errorf("written on an older version: %v", err)
			}
		})
	})
}

func must0(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
