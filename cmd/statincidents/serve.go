package main

import (
	"context"
	"fmt"

	"statincidents/internal/app"
)

type serveCmd struct {
	place
	Listen string `default:"127.0.0.1:8045" env:"STATINCIDENTS_LISTEN" help:"Address to answer on."`
	Stats  string `enum:"memory,sql" default:"memory" env:"STATINCIDENTS_STATS" help:"Answer statistics from memory, or by SQL for volumes past this machine's memory."`
	Secure bool   `env:"STATINCIDENTS_SECURE" help:"Browsers come by HTTPS (a proxy in front): cookies are never sent otherwise."`
}

// Run serves until it is interrupted.
func (c serveCmd) Run(ctx context.Context) error {
	return c.serving(ctx, c.Stats == "sql", func(a *app.App) error {
		first := a.FirstRun
		needed, err := first.Needed(ctx)
		if err != nil {
			return err
		}
		return a.Serve(ctx, app.ServeConfig{Listen: c.Listen, Secure: c.Secure, Version: version, Ready: func(url string) {
			fmt.Printf("Stat Incidents answers on %s\n", url)
			if needed {
				fmt.Printf("No administrator yet: open %s/first-run and give this code, which serves once: %s\n", url, first.Code())
			}
		}})
	})
}
