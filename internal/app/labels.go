package app

import (
	"context"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/jobs"
	"statincidents/internal/label"
	"statincidents/internal/locale"
	"statincidents/internal/notify"
	"statincidents/internal/sqldb"
)

// newLabels makes the door of QR labels: its messages go out through notify,
// what nobody confirms is ended by a job.
func (a *App) newLabels(showMail bool) *label.Service {
	s := label.New(label.Parts{
		DB: a.DB, Journal: a.Journal, Signer: a.Signer, Directory: a.Directory, Catalog: a.Catalog, Incidents: a.Incidents,
		Post: func(ctx context.Context) (label.Writer, error) { return a.confirmations(ctx, showMail) },
		Expect: func(ctx context.Context, incident int64) (time.Time, error) {
			c, err := a.Service.Clock(ctx, auth.ScopeAll(Tenant), incident, sqldb.Now())
			if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unavailable) {
				return time.Time{}, nil
			}
			return c.Resolution.Due, err
		},
	}, Tenant)
	jobs.Handle(a.Jobs, "label.expire", jobs.Options{Concurrency: 1}, func(ctx context.Context, _ struct{}) error { return s.Expire(ctx) })
	a.Jobs.Every("label.expire", "17 * * * *", "label.expire", struct{}{})
	return s
}

// Site is the address under which people reach us, "" while nobody has said it.
func (a *App) Site(ctx context.Context) (string, error) {
	settings, err := a.Mailbox.Settings(ctx)
	return strings.TrimRight(settings.Site, "/"), err
}

// confirmations writes to those who declared from a label, if mail is set up.
func (a *App) confirmations(ctx context.Context, showMail bool) (label.Writer, error) {
	settings, err := a.Mailbox.Settings(ctx)
	if err != nil || !settings.Sending.On && !showMail {
		return nil, err
	}
	place, err := a.Directory.Settings(ctx, Tenant)
	if err != nil {
		return nil, err
	}
	site := strings.TrimRight(settings.Site, "/")
	if site == "" {
		site = a.address()
	}
	return func(ctx context.Context, tx *sqldb.Tx, m label.Confirmation) error {
		p := locale.For(locale.Match(m.Language, place.Language), place.Location())
		return a.Notify.Send(ctx, tx, notify.Message{
			To: m.To, Name: m.Name, Kind: notify.KindDirect, Lang: p.Lang(),
			Subject: p.T("label.mail.subject", "title", m.Title),
			Body: notify.Body{
				Blocks: []notify.Block{
					{Text: p.T("label.mail.hello")},
					{Text: m.Title, Quote: true},
					{Text: p.T("label.mail.where", "place", m.Place)},
					{Text: p.T("label.mail.confirm", "until", p.DateTime(m.Until)), Links: []notify.Link{{Label: p.T("label.mail.button"), Href: site + "/q/confirm/" + m.Token}}},
				},
				Footer: []string{p.T("label.mail.not_you")},
			},
		})
	}, nil
}
