package e2e

import (
	"context"
	"net/http/httptest"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/web"
)

// Site is a running house with an account for each role.
type Site struct {
	URL       string
	DB        *sqldb.DB
	Journal   *journal.Journal
	Auth      *auth.Service
	Directory *directory.Service
	Catalog   *catalog.Service
}

// Password is that of every account of a Site; the login is the role's name.
const Password = "une phrase assez longue" //nolint:gosec // of accounts that live as long as a test

// Start runs a site until the end of the test.
func Start(t *testing.T) *Site {
	t.Helper()
	ctx := context.Background()
	db := testkit.SQLite(t)
	j := journal.New(db)
	s := &Site{DB: db, Journal: j, Auth: auth.New(db, j, auth.Config{}), Directory: directory.New(db, j), Catalog: catalog.New(db, j)}
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
	server := httptest.NewServer(web.New(web.Deps{
		Auth: s.Auth, Sessions: s.Auth.NewSessions(false), FirstRun: s.Auth.NewFirstRun(), Directory: s.Directory, Catalog: s.Catalog,
		Tenant: 1, Now: sqldb.Now, Version: "1.0", Demo: true,
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
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
