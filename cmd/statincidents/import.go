package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	csvin "statincidents/internal/intake/csv"
	"statincidents/internal/intake/places"
	"statincidents/internal/locale"
)

// importCmd takes in what other software and the ministry know.
type importCmd struct {
	Incidents importIncidentsCmd `cmd:"" help:"Import incidents with their history."`
	Profile   importProfileCmd   `cmd:"" help:"Print a profile guessed from a file, to be corrected and used."`
	Schools   importSchoolsCmd   `cmd:"" help:"Import schools from the ministry's directory or any CSV."`
	Holidays  importHolidaysCmd  `cmd:"" help:"Import school holidays (official CSV or ICS)."`
}

type importIncidentsCmd struct {
	place
	csvin.Command
}

func (c importIncidentsCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		// No first words here: the file brings its own categories; what it
		// leaves out is given when the server starts.
		return explain(c.Import(ctx, a.Imports, auth.System(app.Tenant), os.Stdout, term.IsTerminal(int(os.Stdout.Fd()))))
	})
}

type importProfileCmd struct{ csvin.GuessCommand }

func (c importProfileCmd) Run() error { return explain(c.Guess(os.Stdout)) }

type importSchoolsCmd struct {
	place
	Departement string    `placeholder:"45" help:"Keep the schools of one département."`
	Private     bool      `help:"Keep private schools too."`
	FreeCodes   bool      `help:"Take codes that are not official ones."`
	Since       time.Time `format:"2006-01-02" placeholder:"YYYY-MM-DD" help:"Since when the file's numbers of pupils and computers hold."`
	DryRun      bool      `help:"Write nothing, and tell what would happen."`
	File        string    `arg:"" help:"The file."`
}

func (c importSchoolsCmd) Run(ctx context.Context) error {
	o := places.SchoolOptions{Departement: c.Departement, PublicOnly: !c.Private, FreeCodes: c.FreeCodes}
	if !c.Since.IsZero() {
		o.From = calendar.DayOf(c.Since, time.UTC)
	}
	return importPlaces(ctx, c.place, c.File, func(dir *directory.Service, by auth.Identity, f *os.File) (*places.Report, error) {
		if c.DryRun {
			return places.PreviewSchools(ctx, dir, by, f, o)
		}
		return places.ImportSchools(ctx, dir, by, f, o)
	}, c.DryRun)
}

type importHolidaysCmd struct {
	place
	Zone   []string `help:"Keep the holidays of these zones; for a file that names none, the one that is meant."`
	DryRun bool     `help:"Write nothing, and tell what would happen."`
	File   string   `arg:"" help:"The file."`
}

func (c importHolidaysCmd) Run(ctx context.Context) error {
	o := places.HolidayOptions{Zones: c.Zone}
	return importPlaces(ctx, c.place, c.File, func(dir *directory.Service, by auth.Identity, f *os.File) (*places.Report, error) {
		if c.DryRun {
			return places.PreviewSchoolHolidays(ctx, dir, by, f, o)
		}
		return places.ImportSchoolHolidays(ctx, dir, by, f, o)
	}, c.DryRun)
}

// importPlaces runs an import of the directory and prints its report.
func importPlaces(ctx context.Context, at place, file string, run func(*directory.Service, auth.Identity, *os.File) (*places.Report, error), dry bool) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	defer f.Close()
	return at.with(ctx, func(a *app.App) error {
		if !dry {
			if err := a.Begin(ctx); err != nil {
				return err
			}
		}
		report, err := run(a.Directory, auth.System(app.Tenant), f)
		if err != nil {
			return explain(err)
		}
		count := map[places.Action]int{}
		for _, s := range report.Steps {
			count[s.Action]++
		}
		verb := ""
		if dry {
			verb = " (nothing was written)"
		}
		fmt.Printf("%d rows: %d added, %d changed, %d removed, %d already so, %d not concerned, %d rejected%s.\n",
			report.Rows, count[places.Add], count[places.Change], count[places.Remove], report.Same, report.Skipped, len(report.Rejected), verb)
		say := locale.For("en", time.Local)
		for _, r := range report.Rejected {
			args := make([]any, 0, 2*len(r.Args))
			for name, v := range r.Args {
				args = append(args, name, v)
			}
			fmt.Printf("line %d, column %q, %q: %s\n", r.Line, r.Column, r.Value, say.T(r.Key, args...))
		}
		return nil
	})
}
