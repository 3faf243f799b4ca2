package app

import (
	"context"

	"statincidents/internal/auth"
	"statincidents/internal/demo"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/privacy"
)

// Demo are the rooms that a demonstration fills.
func (a *App) Demo() demo.House {
	return demo.House{
		Services: demo.Services{Directory: a.Directory, Catalog: a.Catalog, Incidents: a.Incidents, Knowledge: a.Knowledge},
		Desk:     demo.Desk{Problems: a.Problems, Presets: a.Presets, Routing: a.Routing, Labels: a.Labels, Queue: a.Queue},
		Work:     demo.Work{Visits: a.Visits, Checks: a.Checks},
		Auth:     a.Auth, Stock: a.Stock, Machines: a.Machines, Files: a.Files,
		Note: func(ctx context.Context, by auth.Identity, t demo.Taken) error {
			return a.Privacy.Note(ctx, by, privacy.Record{Door: privacy.Door(t.Door), What: t.What, Format: t.Format, Question: t.Question, Address: t.Address, Entries: t.Entries})
		},
		Receive: func(ctx context.Context, letter []byte) error {
			_, err := a.Mail.Receive(ctx, mailin.Incoming{Raw: letter})
			return err
		},
	}
}
