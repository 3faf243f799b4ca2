package app

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"statincidents/internal/auth"
	mailin "statincidents/internal/intake/mail"
	imapin "statincidents/internal/intake/mail/imap"
	"statincidents/internal/mailbox"
)

// newMail makes the door for e-mail, with what the other rooms know of it.
func (a *App) newMail(log *slog.Logger) *mailin.Service {
	return mailin.New(mailin.Config{
		Tenant: Tenant, DB: a.DB, Journal: a.Journal, Directory: a.Directory, Incidents: a.Incidents, Auth: a.Auth, Jobs: a.Jobs, Log: log,
		Hooks: mailin.Hooks{
			Token: a.Notify.OfReplyToken, Thread: a.Notify.OfMessageID, Bounced: a.Notify.Bounced,
			Ours: func(ctx context.Context, address string) (bool, error) {
				settings, err := a.Mailbox.Settings(ctx)
				return err == nil && settings.Ours(address), err
			},
			Keep: func(ctx context.Context, name string, content []byte) (int64, error) {
				kept, err := a.Files.Put(ctx, auth.System(Tenant), name, bytes.NewReader(content))
				return kept.ID, err
			},
			Category: func(ctx context.Context, school int64, title, text string) (int64, error) {
				list, err := a.Similar.Classify(ctx, Tenant, title+"\n"+text, school)
				if err != nil || len(list) == 0 || !list[0].Sure {
					return 0, err
				}
				return list[0].Category, nil
			},
		},
	})
}

// watchMail reads the département's mailbox as long as the server runs.
func (a *App) watchMail(ctx context.Context) error {
	return imapin.New(imapin.Config{
		Door: a.Mail, Log: a.Log,
		Box: func(ctx context.Context) (imapin.Box, bool, error) {
			settings, err := a.Mailbox.Settings(ctx)
			if err != nil || !settings.Receiving.On {
				return imapin.Box{}, false, err
			}
			return boxOf(settings)
		},
		Report: func(ctx context.Context, err error) {
			if err := a.Mailbox.Report(ctx, mailbox.Incoming, err); err != nil && ctx.Err() == nil {
				a.Log.Error("mail: report the state of the mailbox", "error", err)
			}
		},
	}).Run(ctx)
}

// boxOf is the mailbox to watch, as the settings say.
func boxOf(s mailbox.Settings) (imapin.Box, bool, error) {
	r := s.Receiving
	box := imapin.Box{Address: r.Address(), StartTLS: r.Security == mailbox.StartTLS, User: r.User, Password: r.Password, Folder: s.Folder}
	if r.Security == mailbox.None {
		return box, true, nil
	}
	protection, err := r.TLSConfig()
	box.TLS = protection
	return box, err == nil, err
}

// mailGauges are how the mail stands, read when they are asked for.
func (a *App) mailGauges(gauge func(name, help string, value func() float64) prometheus.Collector) []prometheus.Collector {
	count := func(state mailin.State) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			counts, err := a.Mail.Counts(ctx)
			if err != nil {
				return math.NaN()
			}
			return float64(counts[state])
		}
	}
	return []prometheus.Collector{
		gauge("statincidents_mail_waiting", "Messages received and not read yet.", count(mailin.Received)),
		gauge("statincidents_mail_to_sort", "Messages that wait for a person.", count(mailin.Quarantined)),
		gauge("statincidents_mail_failed", "Messages that could not be read.", count(mailin.Failed)),
		gauge("statincidents_mailbox_up", "1 when the mailbox answered at the last try, 0 when it did not or was never tried.", func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			state, err := a.Mailbox.State(ctx, mailbox.Incoming)
			if err != nil || state.At.IsZero() || state.Error != "" {
				return 0
			}
			return 1
		}),
	}
}
