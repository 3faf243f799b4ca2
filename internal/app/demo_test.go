package app

import (
	"context"
	"log/slog"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/demo"
	"statincidents/internal/incident"
	"statincidents/internal/preset"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

// On first look every room shows something, and preparing again adds nothing.
func TestDemonstrationIsAlive(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		alive(t, Config{Dir: t.TempDir()})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		alive(t, Config{DB: testkit.PostgresURL(t)})
	})
}

func alive(t *testing.T, cfg Config) {
	t.Helper()
	ctx := t.Context()
	cfg.Log, cfg.ShowMail = slog.New(slog.DiscardHandler), true
	a, err := New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	set := demo.Generate(1, sqldb.Now())
	set.Incidents = set.Incidents[len(set.Incidents)-900:]
	var accounts []auth.NewAccount
	for _, role := range auth.Roles {
		accounts = append(accounts, auth.NewAccount{Role: role, Login: string(role), Name: "Mme Martin", Password: "une phrase assez longue"})
	}
	last := int64(0)
	for range 2 {
		if err := demo.Furnish(ctx, Tenant, a.Demo(), set, 1, accounts, nil); err != nil {
			t.Fatal(err)
		}
		if last != 0 && a.number(t) != last {
			t.Errorf("prepared again, there are %d incidents instead of %d", a.number(t), last)
		}
		last = a.number(t)
	}
	lead := a.login(t, auth.Lead)
	problems, err := a.Problems.List(ctx, lead)
	if err != nil || len(problems) != 4 {
		t.Errorf("problems: %v, %v", problems, err)
	}
	rules, err := a.Routing.Rules(ctx, Tenant)
	if err != nil || len(rules) != 4 || !rules[0].On {
		t.Errorf("rules: %v, %v", rules, err)
	}
	for _, kind := range []preset.Kind{preset.Template, preset.Macro} {
		if list, err := a.Presets.List(ctx, lead, kind); err != nil || len(list) < 4 {
			t.Errorf("%s: %v, %v", kind, list, err)
		}
	}
	main, err := a.Incidents.ByExternal(ctx, auth.ScopeAll(Tenant), demo.Source, "B-outage")
	if err != nil {
		t.Fatal(err)
	}
	if parts, err := a.Incidents.Children(ctx, auth.ScopeAll(Tenant), main.ID); err != nil || len(parts) != 6 || !main.State.Open() {
		t.Errorf("the outage: %+v, its parts %v, %v", main, parts, err)
	}
	for _, role := range []auth.Role{auth.Lead, auth.Technician, auth.Referent} {
		if called, err := a.Incidents.Mentions(ctx, a.login(t, role)); err != nil || len(called) == 0 {
			t.Errorf("nobody calls the %s: %v", role, err)
		}
	}
	teacher := a.login(t, auth.Declarant)
	states := map[incident.State]bool{}
	own, err := a.Incidents.ByDeclarant(ctx, teacher.Scope(), teacher.Person, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range own {
		states[i.State] = true
	}
	for _, state := range []incident.State{incident.Waiting, incident.Resolved, incident.Closed, incident.Planned} {
		if !states[state] {
			t.Errorf("the teacher has no incident that is %s", state)
		}
	}
	if visits, err := a.Visits.List(ctx, lead, visit.Filter{Limit: 100}); err != nil || len(visits) < 10 {
		t.Errorf("%d visits, %v", len(visits), err)
	}
	referent := a.login(t, auth.Referent)
	if waiting, err := a.Labels.Waiting(ctx, referent); err != nil || len(waiting) != 1 {
		t.Errorf("reports that wait: %v, %v", waiting, err)
	}
}

func (a *App) login(t *testing.T, role auth.Role) auth.Identity {
	t.Helper()
	account, err := a.Auth.AccountByLogin(t.Context(), auth.System(Tenant), string(role))
	if err != nil {
		t.Fatal(err)
	}
	who, err := a.Auth.IdentityOf(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// number counts the incidents.
func (a *App) number(t *testing.T) int64 {
	t.Helper()
	var n int64
	err := a.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM incident WHERE tenant_id = $1`, Tenant).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
