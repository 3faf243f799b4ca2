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
	"statincidents/internal/backup"
	"statincidents/internal/doctor"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
	"statincidents/internal/vault"
)

// rebuildCmd makes the state again from the journal, or proves that it need not.
type rebuildCmd struct {
	place
	Check bool `help:"Change nothing: replay the journal aside and compare it with the state."`
}

func (c rebuildCmd) Run(ctx context.Context) error {
	if c.Check {
		return c.with(ctx, c.check)
	}
	return c.alone(ctx, func(a *app.App) error {
		n, err := journal.Rebuild(ctx, a.DB, app.Tenant, a.Projections(), counter[int64]("events replayed"))
		if err != nil {
			return err
		}
		fmt.Printf("The state was made again from %d events.\n", n)
		return files(ctx, a)
	})
}

func (c rebuildCmd) check(a *app.App) error {
	replay, err := journal.CheckRebuild(context.Background(), a.DB, app.Tenant, a.Projections(), counter[int64]("events replayed"))
	if err != nil {
		return err
	}
	for _, t := range replay.Tables {
		fmt.Printf("%-20s %9d rows, replayed %9d, differences %d\n", t.Table, t.Stored, t.Replayed, t.Differences)
	}
	for _, d := range replay.Differences {
		fmt.Println(d)
	}
	if replay.Total > 0 {
		return fmt.Errorf("%d differences between the state and the journal (%d events)", replay.Total, replay.Events)
	}
	fmt.Printf("The state equals the journal: %d events replayed.\n", replay.Events)
	return files(context.Background(), a)
}

// files says what the journal does not hold: the contents of attachments. One
// that is missing is an error; a backup has them.
func files(ctx context.Context, a *app.App) error {
	u, err := a.Files.Usage(ctx, auth.System(app.Tenant))
	if err != nil || u.Files == 0 {
		return err
	}
	fmt.Printf("Contents of attachments are not in the journal: %d files, %.1f MB, are as they were.\n", u.Files, float64(u.Bytes)/1e6)
	if u.Lost > 0 {
		return fmt.Errorf("the contents of %d attachments are missing: restore them from a backup", u.Lost)
	}
	return nil
}

// doctorCmd examines a database and says what to do.
type doctorCmd struct{ place }

func (c doctorCmd) Run(ctx context.Context) (err error) {
	db, err := c.asIs(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	say := locale.For("en", time.Local)
	findings := doctor.Examine(ctx, db, sqldb.Now(), nil)
	for _, f := range findings {
		fmt.Printf("%-8s %s: %s\n", levels[f.Level], say.T("doctor.check."+f.Check), say.T(f.Key, f.Args...))
		if f.Remedy != "" {
			fmt.Printf("%8s %s\n", "", say.T(f.Remedy, f.Args...))
		}
		if f.Err != nil {
			fmt.Printf("%8s (%v)\n", "", f.Err)
		}
	}
	if doctor.Worst(findings) == doctor.Failed {
		return errors.New("something is wrong: see above")
	}
	return nil
}

var levels = map[doctor.Level]string{doctor.OK: "ok", doctor.Warning: "warning", doctor.Failed: "FAILED"}

// backupCmd copies everything to one file while the server runs.
type backupCmd struct {
	place
	File string `arg:"" type:"path" help:"File to write; it must not exist."`
}

func (c backupCmd) Run(ctx context.Context) (err error) {
	db, err := c.asIs(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	begun := time.Now()
	m, err := backup.Create(ctx, db, c.File, nil)
	if err != nil {
		return err
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	if err := noteCommand(ctx, db, "backup", "zst", filepath.Base(c.File), m.Events); err != nil {
		// The copy is good: a database of an older program has nowhere to say so.
		fmt.Fprintln(os.Stderr, "The list of what was taken away does not say that this backup was made:", err)
	}
	fmt.Printf("%s: %d events, %d tables, %.1f MB, in %.1f s. Restore with: statincidents restore --data NEW_FOLDER %s\n",
		c.File, m.Events, len(m.Tables), float64(info.Size())/1e6, time.Since(begun).Seconds(), c.File)
	if path := c.config().KeyPath(); path != "" {
		fmt.Printf("The key of passwords and second factors is not in it. Keep a copy of %s apart: without it they must be given again after a restore.\n", path)
	}
	return nil
}

// restoreCmd fills an empty place, of either engine, from a backup.
type restoreCmd struct {
	place
	File string `arg:"" type:"existingfile" help:"A file made by backup."`
}

func (c restoreCmd) Run(ctx context.Context) error {
	cfg := c.config()
	begun := time.Now()
	done, err := backup.Restore(ctx, c.File, sqldb.Config{Dir: cfg.Dir, URL: cfg.DB}, nil)
	if err != nil {
		return err
	}
	for tenant, chain := range done.Chains {
		if chain.Break != nil {
			fmt.Printf("Restored as it was saved, but the journal of tenant %d was not what had been sealed (%s, event %d): run doctor.\n", tenant, chain.Break.Kind, chain.Break.Number)
		}
	}
	if err := c.sayLost(ctx); err != nil {
		return err
	}
	fmt.Printf("%d events restored in %.1f s.\n", done.Manifest.Events, time.Since(begun).Seconds())
	return nil
}

// asIs opens the place without migrating it.
func (p place) asIs(ctx context.Context) (*sqldb.DB, error) {
	cfg := p.config()
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: cfg.Dir, URL: cfg.DB, AsIs: true})
	if err != nil {
		return nil, err
	}
	if v, err := vault.Load(cfg.KeyPath()); err == nil {
		db.UseVault(v)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// counter shows on a terminal how far something long is.
func counter[N int | int64](what string) func(done, total N) {
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	shown := time.Now()
	return func(done, total N) {
		if time.Since(shown) > 200*time.Millisecond || done == total {
			shown = time.Now()
			fmt.Fprintf(os.Stderr, "\r%d of %d %s", done, total, what)
			if done == total {
				fmt.Fprintln(os.Stderr)
			}
		}
	}
}
