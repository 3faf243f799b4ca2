package app

import (
	"context"

	"statincidents/internal/demo"
	mailin "statincidents/internal/intake/mail"
)

// Demo are the rooms that a demonstration fills.
func (a *App) Demo() demo.House {
	return demo.House{
		Services: demo.Services{Directory: a.Directory, Catalog: a.Catalog, Incidents: a.Incidents, Knowledge: a.Knowledge},
		Desk:     demo.Desk{Problems: a.Problems, Presets: a.Presets, Routing: a.Routing, Labels: a.Labels, Queue: a.Queue},
		Work:     demo.Work{Visits: a.Visits, Checks: a.Checks},
		Auth:     a.Auth, Stock: a.Stock, Files: a.Files,
		Receive: func(ctx context.Context, letter []byte) error {
			_, err := a.Mail.Receive(ctx, mailin.Incoming{Raw: letter})
			return err
		},
	}
}
