package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/locale"
	"statincidents/internal/privacy"
	"statincidents/internal/sqldb"
)

// privacyCmd is about what is held on people.
type privacyCmd struct {
	Export privacyExportCmd `cmd:"" help:"Write everything that is held on a person to a ZIP file."`
}

type privacyExportCmd struct {
	place
	Who  string `arg:"" name:"login" help:"Login of an account, or an e-mail address."`
	Out  string `required:"" type:"path" placeholder:"FILE" help:"File to write; it must not exist."`
	Lang string `default:"fr" enum:"fr,en" help:"Language of the page: ${enum}."`
}

func (c privacyExportCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) (err error) {
		by := auth.System(app.Tenant)
		who, err := a.Privacy.Find(ctx, by, c.Who)
		if err != nil {
			return explain(err)
		}
		f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		n, err := a.Privacy.Export(ctx, by, who, locale.For(locale.Lang(c.Lang), a.Location), f)
		if err = errors.Join(err, f.Close()); err != nil {
			return errors.Join(explain(err), os.Remove(c.Out))
		}
		if err := noteCommand(ctx, a.DB, "privacy export", "zip", who.Key(), int64(n)); err != nil {
			return err
		}
		fmt.Printf("%s: %d entries. It holds personal data: hand it over, then delete it.\n", c.Out, n)
		return nil
	})
}

// noteCommand keeps that something was taken away by the command line: by which
// account of the machine is all that is known of who.
func noteCommand(ctx context.Context, db *sqldb.DB, what, format, of string, entries int64) error {
	who := "?"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	return privacy.NoteIn(ctx, db, app.Tenant, privacy.Record{Door: privacy.Command, What: what, Format: format, Question: strings.TrimSpace(of + " (" + who + ")"), Entries: entries})
}
