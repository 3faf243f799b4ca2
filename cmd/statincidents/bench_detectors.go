package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"statincidents/internal/trial"
)

// benchDetectorsCmd compares the detectors on départements that it invents.
type benchDetectorsCmd struct {
	Departments int    `default:"6" help:"Départements to invent, of 58 schools and 12 categories each."`
	Outbreaks   int    `default:"240" help:"Outbreaks to add, of each size."`
	Seed        uint64 `default:"45" help:"The same seed gives the same tables."`
}

// Validate bounds what is asked for.
func (c benchDetectorsCmd) Validate() error {
	if c.Departments < 1 || c.Departments > 100 {
		return fmt.Errorf("--departments %d: from 1 to 100", c.Departments)
	}
	if c.Outbreaks < 1 || c.Outbreaks > 10_000 {
		return fmt.Errorf("--outbreaks %d: from 1 to 10000", c.Outbreaks)
	}
	return nil
}

func (c benchDetectorsCmd) Run(ctx context.Context) error {
	plan := trial.UsualPlan()
	plan.Outbreaks, plan.Seed = c.Outbreaks, c.Seed
	for _, kind := range []struct {
		title  string
		invent func(uint64) trial.Case
	}{
		{"Départements as the detector in use supposes them", trial.Like},
		{"Départements that break its suppositions (weeks that go together, levels that move, a category filed under another, a month lost)", trial.Unlike},
	} {
		table, err := trial.Run(ctx, trial.Invented(kind.invent, c.Departments, c.Seed), plan, func(done, of int) {
			fmt.Fprintf(os.Stderr, "\r%d of %d", done, of)
		})
		fmt.Fprint(os.Stderr, "\r\033[K")
		if err != nil {
			return err
		}
		printTrial(os.Stdout, kind.title, &table)
	}
	return nil
}

// detectorNames are those of the table.
var detectorNames = map[string]string{
	trial.Ours:           "exceedance, best of 1-2-3 weeks",
	trial.OursOne:        "exceedance, 1 week",
	trial.Poisson:        "the same mean, Poisson",
	trial.CUSUM:          "CUSUM (3 times), same mean",
	trial.FarringtonOpen: "Farrington flexible, open weeks",
	trial.FarringtonAll:  "Farrington flexible, calendar",
	trial.EARS3:          "EARS C3, open weeks",
	trial.EARS2:          "EARS C2, open weeks",
	trial.EARS1:          "EARS C1, open weeks",
	trial.EARS1All:       "EARS C1, calendar weeks",
	trial.OursRule:       "one outbreak at a time",
	trial.OursBusy:       "all outbreaks at once",
}

// printTrial writes the outcome as a table.
func printTrial(w io.Writer, title string, t *trial.Table) {
	fmt.Fprintf(w, "%s\n%d series, %d weeks judged, %.0f incidents a year, %.0f %% of the series below 0.5 a week; %d outbreaks of each size, over %d weeks\n",
		title, t.Series, t.Judged, t.PerYear, 100*t.Low, t.Outbreaks, t.Weeks)
	fmt.Fprintf(w, "%-34s%-12s", "found within 1/2/3 weeks, at", "false/week")
	for _, size := range t.Sizes {
		fmt.Fprintf(w, "  %-18s", fmt.Sprintf("+%d a week", size))
	}
	fmt.Fprintln(w, "   false a week at its own limit")
	line := func(r *trial.Row, own bool) {
		if r.Silent {
			fmt.Fprintf(w, "%-34stoo short a past\n", detectorNames[r.Detector])
			return
		}
		fmt.Fprintf(w, "%-34s%-12.2f", detectorNames[r.Detector], r.AtOne)
		for _, found := range r.Found {
			shares := make([]string, len(found))
			for k, share := range found {
				shares[k] = fmt.Sprintf("%.2f", share)
			}
			fmt.Fprintf(w, "  %-18s", strings.Join(shares, "/"))
		}
		if own {
			fmt.Fprintf(w, "   %.2f", r.Usual)
		}
		fmt.Fprintln(w)
	}
	for k := range t.Rows {
		line(&t.Rows[k], true)
	}
	fmt.Fprintln(w, "exceedance with its whole rule (false discoveries at 10 %, 3 incidents in two weeks):")
	line(&t.Rule, false)
	line(&t.Busy, false)
	fmt.Fprintln(w)
}
