package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/app"
)

// benchCategoryCmd measures the proposal of a category by a split in time.
type benchCategoryCmd struct {
	place
	At string `placeholder:"YYYY-MM-DD" help:"Incidents opened before that day are known, those after it are asked about; the last fifth of the history if not said."`
}

func (c benchCategoryCmd) Run(ctx context.Context) error {
	var at time.Time
	if c.At != "" {
		var err error
		if at, err = time.Parse(time.DateOnly, c.At); err != nil {
			return fmt.Errorf("--at %s: a day is written YYYY-MM-DD", c.At)
		}
	}
	return c.with(ctx, func(a *app.App) error {
		b, err := a.Similar.BenchCategory(ctx, app.Tenant, at)
		if err != nil {
			return err
		}
		if b.Asked == 0 {
			return errors.New("there is nothing to measure: no incident was resolved after that day")
		}
		words, err := a.Catalog.Index(ctx, app.Tenant)
		if err != nil {
			return err
		}
		share := func(n, of int) string {
			if of == 0 {
				return "–"
			}
			return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
		}
		fmt.Printf("known before %s: %d resolved incidents; asked about %d after it (%d more left out: their very text was already known)\n", b.At.Format(time.DateOnly), b.Known, b.Asked, b.Copies)
		fmt.Printf("exact category when it may not abstain: most frequent %s, in use %s, logistic regression %s\n", share(b.Frequent, b.Asked), share(b.Ours, b.Asked), share(b.Logistic, b.Asked))
		fmt.Printf("%-36s %8s %10s %10s %10s %10s\n", "", "asked", "proposed", "right", "filled in", "right")
		fmt.Printf("%-36s %8d %10s %10s %10s %10s\n", "all", b.Asked, share(b.Proposed, b.Asked), share(b.Right, b.Proposed), share(b.Filled, b.Asked), share(b.FilledRight, b.Filled))
		for _, s := range b.Of {
			fmt.Printf("%-36s %8d %10s %10s %10s %10s\n", words.CategoryLabel(s.Category, "fr"), s.Asked, share(s.Proposed, s.Asked), share(s.Right, s.Proposed), share(s.Filled, s.Asked), share(s.FilledRight, s.Filled))
		}
		return nil
	})
}
