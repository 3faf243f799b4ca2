package e2e

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
)

// Site is the real house, running on an embedded database of its own, with one
// school and an account for each role.
type Site struct {
	*app.App

	URL    string
	School int64
	Person int64 // the declarant's
}

// Password is that of every account of a Site; the login is the role's name.
const Password = "une phrase assez longue" //nolint:gosec // of accounts that live as long as a test

// Start runs a site without incidents until the end of the test.
func Start(t *testing.T) *Site {
	t.Helper()
	s := start(t, app.Config{Dir: t.TempDir()})
	s.furnish(t)
	return s
}

func start(t *testing.T, cfg app.Config) *Site {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cfg.Log = slog.New(slog.DiscardHandler)
	house, err := app.New(ctx, cfg)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	s := &Site{App: house}
	ended := make(chan error, 1)
	ready := make(chan string, 1)
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := house.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	go func() {
		ended <- house.Serve(ctx, app.ServeConfig{Listen: "127.0.0.1:0", Demo: true, Version: "1.0", Ready: func(url string) { ready <- url }})
	}()
	select {
	case s.URL = <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("serve: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the house is not ready after a minute")
	}
	return s
}

func (s *Site) furnish(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	system := auth.System(1)
	settings := directory.DefaultSettings
	settings.Name = "Loiret"
	if err := s.Directory.SaveSettings(ctx, system, settings); err != nil {
		t.Fatal(err)
	}
	school, err := s.Directory.SaveSchool(ctx, system, directory.School{UAI: "0450001A", Name: "Collège Marguerite-de-Navarre-et-François-de-La-Rochefoucauld", Commune: "Pithiviers"})
	if err != nil {
		t.Fatal(err)
	}
	person, err := s.Directory.SavePerson(ctx, system, directory.Person{Name: "M. Bernard", Kind: directory.Teacher, School: school.ID})
	if err != nil {
		t.Fatal(err)
	}
	s.School, s.Person = school.ID, person.ID
	for _, role := range auth.Roles {
		in := auth.NewAccount{Login: string(role), Name: "Mme de La Rochefoucauld", Password: Password, Role: role}
		if role == auth.Declarant {
			in.Person = person.ID
		}
		if role == auth.Declarant || role == auth.Referent {
			in.Schools = []int64{school.ID}
		}
		if _, err := s.Auth.CreateAccount(ctx, system, in); err != nil {
			t.Fatal(err)
		}
	}
}

// SignIn opens a tab where an account of that role has signed in through the
// page, at the path; "" stays outside.
func (s *Site) SignIn(t *testing.T, b *Browser, role auth.Role) *Tab {
	t.Helper()
	tab := b.Tab(t, s.URL)
	if role == "" {
		return tab
	}
	tab.Go("/login?next=/account")
	tab.Type("#f-login", string(role))
	tab.Type("#f-password", Password)
	tab.Press(Enter)
	tab.Wait(`location.pathname === "/account"`)
	return tab
}
