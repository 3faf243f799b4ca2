package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	mailin "statincidents/internal/intake/mail"
)

// MailQuery is which messages are asked for.
type MailQuery struct {
	State  string `query:"state" enum:"received,quarantined,failed,done,refused" doc:"Those in one state; all if absent."`
	Q      string `query:"q" maxLength:"200" doc:"Part of the sender or of the subject."`
	Before int64  `query:"before" minimum:"0" doc:"Messages before this one: the next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items of one page."`
}

func wireMail(m *mailin.Message) wire.Mail {
	w := wire.Mail{
		ID: m.ID, State: string(m.State), Reason: string(m.Reason), Error: m.Error, Attempts: m.Attempts, From: m.From.Email, FromName: m.From.Name, Subject: m.Subject,
		Files: m.Files, Size: m.Size, ReceivedAt: m.ReceivedAt, Outcome: string(m.Outcome), Incident: m.Incident,
	}
	if !m.SentAt.IsZero() {
		w.SentAt = &m.SentAt
	}
	return w
}

func (a *API) registerMail() {
	tag := []string{"mail"}
	register(a, huma.Operation{OperationID: "list-mail", Method: http.MethodGet, Path: "/mail", Tags: tag,
		Summary: "Messages received", Description: "What came in by e-mail and what became of it, the latest first; with state=quarantined, what waits for a person."},
		func(ctx context.Context, in *struct{ MailQuery }) (*output[wire.Mails], error) {
			f := mailin.Filter{Text: in.Q, Before: in.Before, Limit: in.Limit}
			if in.State != "" {
				f.States = []mailin.State{mailin.State(in.State)}
			}
			list, total, err := a.deps.Mail.List(ctx, identity(ctx), f)
			if err != nil {
				return nil, err
			}
			page := wire.Mails{Items: make([]wire.Mail, len(list)), Total: total}
			for k := range list {
				page.Items[k] = wireMail(&list[k])
			}
			if len(list) == in.Limit {
				page.Next = list[len(list)-1].ID
			}
			return &output[wire.Mails]{page}, nil
		})
	register(a, huma.Operation{OperationID: "replay-mail", Method: http.MethodPost, Path: "/mail/replay", Tags: tag,
		Summary: "Read messages again", Description: "After a failure, or when the directory has learnt of their sender. Those that are done stay as they are."},
		func(ctx context.Context, in *struct{ Body wire.MailNumbers }) (*output[wire.Sorted], error) {
			n, err := a.deps.Mail.Replay(ctx, identity(ctx), in.Body.Messages)
			return &output[wire.Sorted]{wire.Sorted{Messages: n}}, err
		})
	register(a, huma.Operation{OperationID: "refuse-mail", Method: http.MethodPost, Path: "/mail/refuse", Tags: tag,
		Summary: "Refuse messages that wait", Description: "They stay in the log and can be given back on the page."},
		func(ctx context.Context, in *struct{ Body wire.MailNumbers }) (*output[wire.Sorted], error) {
			n, err := a.deps.Mail.Refuse(ctx, identity(ctx), in.Body.Messages, in.Body.Block)
			return &output[wire.Sorted]{wire.Sorted{Messages: n}}, err
		})
}
