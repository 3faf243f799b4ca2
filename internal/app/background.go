package app

import (
	"context"
	"errors"
	"fmt"
)

// part is something that runs as long as the server does.
type part struct {
	name string
	run  func(context.Context) error
}

// background runs parts until ctx ends. The first that fails stops the others:
// a server without one of its readers would show stale figures.
func background(ctx context.Context, parts []part) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ends := make(chan error, len(parts))
	for _, p := range parts {
		go func() {
			err := p.run(ctx)
			if err != nil && !errors.Is(err, context.Canceled) {
				err = fmt.Errorf("%s: %w", p.name, err)
				stop()
			} else {
				err = nil
			}
			ends <- err
		}()
	}
	var err error
	for range parts {
		err = errors.Join(err, <-ends)
	}
	return err
}

// readers are what follows the journal.
func (a *App) readers() []part {
	parts := []part{
		{"journal notifications", a.Journal.Listen},
		{"journal seal", a.sealer.Run},
		{"live screens", a.Hub.Run},
		{"search", func(ctx context.Context) error { return a.Search.Run(ctx, Tenant) }},
		{"similar incidents", func(ctx context.Context) error { return a.Similar.Run(ctx, Tenant) }},
		{"attachments", func(ctx context.Context) error { return a.Files.Run(ctx, Tenant) }},
		{"assignment rules", func(ctx context.Context) error { return a.Routing.Run(ctx, Tenant) }},
		{"hand-overs by time", func(ctx context.Context) error { return a.Incidents.Run(ctx, Tenant) }},
		{"service clocks", func(ctx context.Context) error { return a.Service.Run(ctx, Tenant) }},
		{"sessions", a.Auth.Run},
		{"queues", func(ctx context.Context) error { return a.Queue.Run(ctx, Tenant) }},
		{"imports", a.Importing.Run},
		{"batches", a.Batches.Run},
		{"jobs", a.Jobs.Run},
		{"mailbox", a.watchMail},
		{"messages", a.Notify.Run},
		{"analysis", a.Analysis.Run},
		{"notes of what is taken away", a.Privacy.Run},
		{"visits", func(ctx context.Context) error { return a.Visits.Run(ctx, Tenant) }},
	}
	if a.memory != nil {
		parts = append(parts, part{"statistics", a.memory.Start})
	}
	return parts
}
