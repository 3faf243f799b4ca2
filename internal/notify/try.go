package notify

import (
	"context"
	"errors"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/sqldb"
)

// tryTime bounds a test message: somebody waits for it.
const tryTime = 20 * time.Second

// Try sends a test message at once and says how it went: nil, or a refusal of
// the server as a Conflict "error.notify.try" with its words. It needs the
// right ManageAccounts.
func (s *Service) Try(ctx context.Context, by auth.Identity, to string, p *locale.Printer) error {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return err
	}
	to = strings.TrimSpace(to)
	if CheckAddress(to) != nil {
		return fault.InvalidField("to", "error.mailbox.address")
	}
	settings, err := s.box.Settings(ctx)
	if err != nil {
		return err
	}
	now := sqldb.Now()
	m := Message{To: to, Name: by.Name, Kind: KindTest, Lang: p.Lang(), Subject: p.T("notify.test.subject"), Body: Paragraphs(p.T("notify.test.body", "server", settings.Sending.Host, "when", now))}
	if !settings.Sending.On {
		if !s.cfg.Show {
			return fault.New(fault.Conflict, "error.notify.off")
		}
		return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return s.Send(ctx, tx, m) })
	}
	e := envelope{to: to, name: by.Name, subject: m.Subject, lang: p.Lang(), at: now, body: m.Body}
	if e.messageID, err = s.MessageID(ctx, 0, now.UnixMilli()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	err = post(ctx, settings, e)
	if reported := s.box.Report(context.WithoutCancel(ctx), mailbox.Outgoing, err); reported != nil {
		return reported
	}
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = errors.Join(err, ctx.Err())
		}
		return fault.New(fault.Conflict, "error.notify.try", "reason", cut(clean(err.Error()), 500))
	}
	return nil
}

// Preview shows words as somebody would read them, with invented values.
func (s *Service) Preview(w Words, p *locale.Printer) (subject string, body Body) {
	values := map[string]string{}
	for _, v := range VariablesOf(w.Kind) {
		values[v] = p.T("notify.example." + v)
	}
	w.Subject, w.Body = locale.Typeset(p.Lang(), w.Subject), locale.Typeset(p.Lang(), w.Body)
	subject, body.Blocks = w.fill(values)
	return subject, body
}
