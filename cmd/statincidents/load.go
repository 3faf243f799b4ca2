package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"statincidents/internal/load"
)

type loadCmd struct {
	URL           string        `default:"http://127.0.0.1:8045" help:"Address of a running server of yours."`
	Token         string        `required:"" env:"STATINCIDENTS_TOKEN" help:"API token (statincidents admin token)."`
	Login         string        `help:"Also visit pages, signed in as this account."`
	PasswordStdin bool          `help:"Read that account's password from standard input."`
	Rate          int           `default:"50" help:"Requests a second, all kinds together."`
	Duration      time.Duration `default:"30s" help:"How long."`
	Screens       int           `default:"0" help:"Live screens that wait for news."`
	Seed          uint64        `default:"1" help:"The same seed asks the same questions."`
}

// Run simulates and prints a table; it writes incidents into the server that
// it is pointed at, which is said first.
func (c loadCmd) Run(ctx context.Context) error {
	cfg := load.Config{URL: c.URL, Token: c.Token, Login: c.Login, Rate: c.Rate, Duration: c.Duration,
		Screens: c.Screens, Seed: c.Seed, Progress: os.Stderr}
	if c.Login != "" {
		var err error
		if cfg.Password, err = readPassword(c.PasswordStdin); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "Simulating on %s: %d requests/s for %s, %d screens. A part of them declares incidents there.\n", c.URL, c.Rate, c.Duration, c.Screens)
	report, err := load.Run(ctx, cfg)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 2, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kind\trequests\terrors\tp50 ms\tp95 ms\tp99 ms\tmax ms\t")
	for _, f := range append(report.Kinds, report.All) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t\n", f.Name, f.Requests, f.Errors, ms(f.P50), ms(f.P95), ms(f.P99), ms(f.Max))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if s := report.Screens; c.Screens > 0 {
		fmt.Printf("screens: %d open, %d lost; %d incidents declared, told %d times of %d; from sending to screen p50 %s ms, p95 %s ms, p99 %s ms, max %s ms\n",
			s.Open, s.Lost, s.Declared, s.Told, s.Declared*s.Open, ms(s.P50), ms(s.P95), ms(s.P99), ms(s.Max))
	}
	if report.All.FirstError != "" {
		return fmt.Errorf("%d of %d requests failed, first: %s", report.All.Errors, report.All.Requests, report.All.FirstError)
	}
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
