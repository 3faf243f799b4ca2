package main

import (
	"context"
	"os"

	"golang.org/x/term"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	csvin "statincidents/internal/intake/csv"
)

// importCmd groups what brings files in.
type importCmd struct {
	Incidents importIncidentsCmd `cmd:"" help:"Import incidents that another software exported."`
	Profile   importProfileCmd   `cmd:"" help:"Guess a profile from a file and print it, to be corrected."`
}

type importIncidentsCmd struct {
	place
	csvin.Command
}

func (c importIncidentsCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		importer := csvin.New(a.DB, a.Directory, a.Catalog, a.Incidents)
		return explain(c.Import(ctx, importer, auth.System(app.Tenant), os.Stdout, term.IsTerminal(int(os.Stdout.Fd()))))
	})
}

type importProfileCmd struct{ csvin.GuessCommand }

func (c importProfileCmd) Run() error { return explain(c.Guess(os.Stdout)) }
