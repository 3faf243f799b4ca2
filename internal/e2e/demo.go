package e2e

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/demo"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/sqldb"
)

// demoIncidents is how many of the demonstration's latest incidents a test has:
// more than a school year, and quickly there.
const demoIncidents = 4000

var made bool // the folder was asked for

// demoDir is the folder of a demonstration, made once for all the tests of a
// run; each works on its copy.
var demoDir = sync.OnceValues(func() (string, error) {
	made = true
	dir, err := os.MkdirTemp("", "statincidents-e2e")
	if err != nil {
		return "", err
	}
	return dir, makeDemo(dir)
})

func makeDemo(dir string) (err error) {
	ctx := context.Background()
	house, err := app.New(ctx, app.Config{Dir: dir, Log: slog.New(slog.DiscardHandler), ShowMail: true})
	if err != nil {
		return err
	}
	defer func() {
		if e := house.Close(); err == nil {
			err = e
		}
	}()
	set := demo.Generate(1, sqldb.Now())
	set.Incidents = set.Incidents[len(set.Incidents)-demoIncidents:]
	services := demo.Services{Directory: house.Directory, Catalog: house.Catalog, Incidents: house.Incidents, Knowledge: house.Knowledge}
	if err := demo.Load(ctx, app.Tenant, services, set, nil); err != nil {
		return err
	}
	if err := demo.LoadStock(ctx, app.Tenant, house.Stock, house.Directory, house.Incidents, set); err != nil {
		return err
	}
	if err := demo.LoadPhotos(ctx, app.Tenant, house.Files, house.Incidents); err != nil {
		return err
	}
	places, err := house.Directory.Index(ctx, app.Tenant)
	if err != nil {
		return err
	}
	cast, ok := demo.CastOf(places)
	if !ok {
		return errors.New("e2e: the demonstration has not its people")
	}
	for _, letter := range demo.Letters(cast, places.Schools(), sqldb.Now()) {
		if _, err := house.Mail.Receive(ctx, mailin.Incoming{Raw: letter}); err != nil {
			return err
		}
	}
	for _, account := range []auth.NewAccount{
		{Role: auth.Administrator},
		{Role: auth.Lead, Person: cast.Lead.ID},
		{Role: auth.Technician, Person: cast.Technician.ID},
		{Role: auth.Referent, Person: cast.Referent.ID, Schools: []int64{cast.Referent.School}},
		{Role: auth.Declarant, Person: cast.Declarant.ID, Schools: []int64{cast.Declarant.School}},
	} {
		account.Login, account.Name, account.Password = string(account.Role), "Mme de La Rochefoucauld", Password
		made, err := house.Auth.CreateAccount(ctx, auth.System(app.Tenant), account)
		if err != nil {
			return err
		}
		if account.Role != auth.Technician {
			continue
		}
		who, err := house.Auth.IdentityOf(ctx, made.ID)
		if err != nil {
			return err
		}
		if err := demo.LoadVisits(ctx, who, services, demo.Work{Visits: house.Visits, Checks: house.Checks}, set); err != nil {
			return err
		}
	}
	return nil
}

// Demo runs a site with the demonstration's schools, people and latest
// incidents until the end of the test.
func Demo(t *testing.T) *Site {
	t.Helper()
	from, err := demoDir()
	if err != nil {
		t.Fatalf("make the demonstration: %v", err)
	}
	dir := t.TempDir()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			if err := copyFile(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := start(t, dir)
	s.ready(t)
	return s
}

// ready waits until statistics answer.
func (s *Site) ready(t *testing.T) {
	t.Helper()
	for end := sqldb.Now().Add(time.Minute); sqldb.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(s.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatal("the statistics are not ready after a minute")
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	_, err = io.Copy(out, in)
	return err
}
