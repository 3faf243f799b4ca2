package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/demo"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// demoCmd shows the product on an invented département, in a folder of its own.
type demoCmd struct {
	Data   string `type:"path" default:"data/demo" placeholder:"DIR" help:"Folder of the demonstration (${default})."`
	Reset  bool   `help:"Begin anew: delete the folder first (only one that a demonstration made)."`
	Seed   uint64 `default:"45" help:"Another number gives another département."`
	Times  int    `default:"1" help:"Record every incident so many times, for measuring with volume (17 makes some 500,000)."`
	Live   bool   `help:"Add incidents as time goes."`
	Listen string `default:"127.0.0.1:8045" help:"Address to answer on."`
}

// demoPassword is everybody's in the demonstration, printed at start.
const demoPassword = "loiret-demonstration" //nolint:gosec // it guards invented data, and is printed

// demoMark is a file that only a demonstration's folder has.
const demoMark = "DEMONSTRATION"

// Run prepares the demonstration if needed, then serves it.
func (c demoCmd) Run(ctx context.Context) (err error) {
	mark := filepath.Join(c.Data, demoMark)
	if c.Reset {
		if err := c.reset(mark); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(c.Data, sqldb.FileName)); err == nil {
		if _, err := os.Stat(mark); err != nil {
			return fmt.Errorf("%s holds real data, not a demonstration: give another folder with --data", c.Data)
		}
	}
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return err
	}
	now, err := c.begin(mark)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, app.Config{Dir: c.Data, Exclusive: true, ShowMail: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := c.prepare(ctx, a, now); err != nil {
		return explain(err)
	}
	serve := app.ServeConfig{Listen: c.Listen, Demo: true, Version: version, Ready: c.welcome}
	if c.Live {
		serve.Beside = func(ctx context.Context) error {
			return demo.Live(ctx, app.Tenant, a.Demo().Services, demo.LiveOptions{Seed: c.Seed, Log: a.Log, Every: 20 * time.Second})
		}
	}
	return a.Serve(ctx, serve)
}

func (c demoCmd) reset(mark string) error {
	if _, err := os.Stat(c.Data); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(mark); err != nil {
		return fmt.Errorf("%s was not made by a demonstration: it is not deleted", c.Data)
	}
	return os.RemoveAll(c.Data)
}

// begin marks the folder with the seed and the instant of the département that
// is loaded there, or gives those of the mark: a demonstration that was
// interrupted while it was prepared goes on with the same one.
func (c *demoCmd) begin(mark string) (now time.Time, err error) {
	const text = "Invented data. `statincidents demo --reset` deletes this folder.\nseed %d\nnow %d\n"
	raw, err := os.ReadFile(mark)
	var ms int64
	if err == nil {
		if _, err := fmt.Sscanf(string(raw), text, &c.Seed, &ms); err == nil {
			return sqldb.Time(ms), nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return now, err
	}
	now = sqldb.Now()
	return now, os.WriteFile(mark, fmt.Appendf(nil, text, c.Seed, sqldb.Millis(now)), 0o640)
}

// prepare loads the invented département; what is there already is recognised.
func (c demoCmd) prepare(ctx context.Context, a *app.App, now time.Time) error {
	by := auth.System(app.Tenant)
	_, err := a.Auth.AccountByLogin(ctx, by, "admin")
	if err == nil {
		return nil
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	begun := time.Now()
	fmt.Printf("Preparing the demonstration in %s…\n", c.Data)
	set := demo.Generate(c.Seed, now)
	accounts := []auth.NewAccount{
		{Login: "admin", Name: "Administration", Role: auth.Administrator},
		{Login: "dsi", Role: auth.Lead},
		{Login: "technicien", Role: auth.Technician},
		{Login: "referent", Role: auth.Referent},
		{Login: "enseignant", Role: auth.Declarant},
	}
	for k := range accounts {
		accounts[k].Password = demoPassword
	}
	if err := demo.Furnish(ctx, app.Tenant, a.Demo(), set, max(1, c.Times), accounts, counter[int]("incidents")); err != nil {
		return err
	}
	fmt.Printf("%d incidents of %d schools are ready after %.1f s.\n", max(1, c.Times)*len(set.Incidents), len(set.Schools), time.Since(begun).Seconds())
	return nil
}

func (c demoCmd) welcome(url string) {
	fmt.Printf(`
Stat Incidents, demonstration: %s

  admin        administrator
  dsi          head of IT
  technicien   technician
  referent     school referent
  enseignant   teacher who declares

  password of all: %s

Everything is invented but the schools' names. Stop with Ctrl C.
`, url, demoPassword)
}
