package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/locale"
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
		fmt.Printf("%s: %d entries. It holds personal data: hand it over, then delete it.\n", c.Out, n)
		return nil
	})
}
