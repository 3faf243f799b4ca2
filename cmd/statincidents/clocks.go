package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/app"
	"statincidents/internal/auth"
)

// clocksCmd proves that the service clocks are what the journal says.
type clocksCmd struct {
	place
	Recompute bool `help:"Compute the clocks of every incident again from the journal, compare them with the table that lists read, and name the differences."`
	Repair    bool `help:"With --recompute: put the table right."`
}

func (c clocksCmd) Run(ctx context.Context) error {
	if !c.Recompute {
		return errors.New("say --recompute (and --repair to put differences right)")
	}
	return c.with(ctx, func(a *app.App) error {
		begun := time.Now()
		report, err := a.Service.Check(ctx, auth.System(app.Tenant), c.Repair, nil)
		if err != nil {
			return err
		}
		for _, d := range report.First {
			fmt.Printf("incident %d\n  kept   %s\n  proper %s\n", d.Incident, d.Kept, d.Proper)
		}
		took := time.Since(begun).Seconds()
		switch {
		case report.Differences == 0:
			fmt.Printf("%d incidents computed again in %.1f s: 0 differences.\n", report.Incidents, took)
		case c.Repair:
			fmt.Printf("%d incidents computed again in %.1f s: %d differences put right.\n", report.Incidents, took, report.Differences)
		default:
			return fmt.Errorf("%d incidents computed again: %d differences", report.Incidents, report.Differences)
		}
		return nil
	})
}
