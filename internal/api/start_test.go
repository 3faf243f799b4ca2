package api_test

import (
	"log/slog"
	"testing"
	"time"

	"statincidents/internal/api"
	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/checklist"
	"statincidents/internal/cube"
	"statincidents/internal/find"
	"statincidents/internal/incident"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/jobs"
	"statincidents/internal/knowledge"
	"statincidents/internal/label"
	"statincidents/internal/live"
	"statincidents/internal/mailbox"
	"statincidents/internal/notify"
	"statincidents/internal/preset"
	"statincidents/internal/privacy"
	"statincidents/internal/problem"
	"statincidents/internal/queue"
	"statincidents/internal/search"
	"statincidents/internal/servicelevel"
	"statincidents/internal/signal"
	"statincidents/internal/similar"
	"statincidents/internal/sqldb"
	"statincidents/internal/stock"
	"statincidents/internal/visit"
)

// start makes the API of a world and serves it.
func (w *world) start(tb testing.TB) {
	tb.Helper()
	w.incidents = incident.NewService(w.db, w.journal, w.places, w.words, paris)
	w.files = attachment.New(w.db, w.journal, w.incidents, nil)
	w.visits = visit.New(w.db, w.journal, w.places, w.incidents, w.auth, nil)
	w.checks = checklist.New(w.db, w.journal, w.incidents, w.visits)
	w.cube = cube.NewMemory(cube.Config{Tenant: tenant, DB: w.db, Journal: w.journal, Directory: w.places, Catalog: w.words, Location: paris})
	w.hub = live.New(live.Config{Tenant: tenant, Journal: w.journal, Incidents: w.incidents, Clock: sqldb.Now})
	run(tb, "hub", w.hub.Run)
	run(tb, "cube", w.cube.Start)
	for !w.cube.Ready() {
		time.Sleep(5 * time.Millisecond)
	}
	w.deps = api.Deps{Auth: w.auth, Sessions: w.auth.NewSessions(false), Incidents: w.incidents, Files: w.files, Problems: problem.New(w.db, w.journal, w.places, w.words, w.incidents), Signals: signal.New(w.db, w.journal, 1, time.UTC), Mail: w.mail(), Stock: stock.New(w.db, w.journal, w.incidents), Directory: w.places, Catalog: w.words, Cube: w.cube, Hub: w.hub,
		Similar: similar.New(w.db, w.journal, w.places, w.words), Knowledge: knowledge.New(w.db, w.journal, w.words),
		Location: paris, Clock: sqldb.Now, Version: "test", Log: slog.New(slog.NewTextHandler(tb.Output(), nil))}
	w.deps.Notify = notify.New(notify.Parts{DB: w.db, Journal: w.journal, Jobs: jobs.New(w.db, jobs.Config{Tenant: tenant}), Mailbox: mailbox.New(w.db, w.journal, tenant), Signer: auth.NewSigner(w.db, tenant),
		Accounts: w.auth, Places: w.places, Words: w.words, Incidents: w.incidents}, notify.Config{Tenant: tenant})
	w.deps.Find = find.New(search.New(w.db, w.journal, w.places), w.incidents, w.places, w.deps.Problems, w.deps.Knowledge)
	w.deps.Visits, w.deps.Checks = w.visits, w.checks
	w.deps.Service = servicelevel.New(w.db, w.journal, w.places, w.words, w.incidents)
	w.deps.Labels = label.New(label.Parts{DB: w.db, Journal: w.journal, Signer: auth.NewSigner(w.db, tenant), Directory: w.places, Catalog: w.words, Incidents: w.incidents}, tenant)
	w.deps.Presets, w.deps.Queue, w.deps.Jobs = preset.New(w.db, w.journal), queue.New(w.db, nil), jobs.New(w.db, jobs.Config{Tenant: tenant})
	w.deps.Privacy = privacy.New(privacy.Parts{DB: w.db, Journal: w.journal, Jobs: w.deps.Jobs, Places: w.places, Incidents: w.incidents, Files: w.files}, privacy.Config{Tenant: tenant})
	w.deps.Batches = batch.New(w.db, w.incidents, w.deps.Problems, nil)
	tb.Cleanup(w.deps.Batches.Close)
	w.api = api.New(w.deps)
	w.url = w.serve(tb, w.api)
}

var paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return loc
}()

// mail is the door for e-mail.
func (w *world) mail() *mailin.Service {
	return mailin.New(mailin.Config{Tenant: tenant, DB: w.db, Journal: w.journal, Directory: w.places, Incidents: w.incidents, Auth: w.auth, Jobs: jobs.New(w.db, jobs.Config{Tenant: tenant})})
}
