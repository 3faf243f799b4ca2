package e2e

import (
	"context"
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
	var accounts []auth.NewAccount
	for _, role := range auth.Roles {
		accounts = append(accounts, auth.NewAccount{Role: role, Login: string(role), Name: "Mme de La Rochefoucauld", Password: Password})
	}
	return demo.Furnish(ctx, app.Tenant, house.Demo(), set, 1, accounts, nil)
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
	s := start(t, app.Config{Dir: dir, ShowMail: true})
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
