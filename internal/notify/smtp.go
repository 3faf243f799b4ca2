package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"

	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
)

// envelope is a message ready to leave.
type envelope struct {
	to, name  string
	subject   string
	messageID string // in angle brackets
	thread    string // what it refers to, in angle brackets; "" if nothing
	lang      locale.Lang
	at        time.Time
	body      Body
	files     []file
}

// file is what goes with a message.
type file struct {
	name, kind string
	data       []byte
}

// connectTime bounds each step of the conversation with the server.
const connectTime = 30 * time.Second

// post hands a message to the SMTP server. It is done when the server said ok.
func post(ctx context.Context, settings mailbox.Settings, e envelope) error {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.FromFormat(clean(settings.Name), settings.Address); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if err := m.EnvelopeFrom(settings.Address); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if err := m.AddToFormat(clean(e.name), e.to); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	m.Subject(clean(e.subject))
	m.SetDateWithValue(e.at)
	m.SetGenHeader(gomail.HeaderMessageID, e.messageID)
	if e.thread != "" {
		m.SetGenHeader(gomail.HeaderInReplyTo, e.thread)
		m.SetGenHeader(gomail.HeaderReferences, e.thread)
	}
	// Whoever answers by itself is asked not to (RFC 3834; Exchange).
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	m.SetGenHeader(gomail.HeaderContentLang, string(e.lang))
	html, err := e.body.HTML(e.lang, e.subject)
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	m.SetBodyString(gomail.TypeTextPlain, e.body.Text())
	m.AddAlternativeString(gomail.TypeTextHTML, html)
	for _, f := range e.files {
		if err := m.AttachReader(f.name, bytes.NewReader(f.data), gomail.WithFileContentType(gomail.ContentType(f.kind))); err != nil {
			return fmt.Errorf("attach %s: %w", f.name, err)
		}
	}
	client, err := client(settings.Sending)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, m)
}

func client(server mailbox.Server) (*gomail.Client, error) {
	tls, err := server.TLSConfig()
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{gomail.WithPort(server.Port), gomail.WithTimeout(connectTime), gomail.WithTLSConfig(tls)}
	switch server.Security {
	case mailbox.TLS:
		options = append(options, gomail.WithSSL())
	case mailbox.StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case mailbox.None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if server.User != "" {
		how := gomail.SMTPAuthAutoDiscover
		if server.Security == mailbox.None {
			how = gomail.SMTPAuthPlainNoEnc // on this machine: see mailbox
		}
		options = append(options, gomail.WithSMTPAuth(how), gomail.WithUsername(server.User), gomail.WithPassword(server.Password))
	}
	c, err := gomail.NewClient(server.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}

// refused tells whether the server will never take mail for that address,
// though it works.
func refused(err error) bool {
	sent, ok := errors.AsType[*gomail.SendError](err)
	return ok && sent.Reason == gomail.ErrSMTPRcptTo && !sent.IsTemp() && sent.ErrorCode() >= 550 && sent.ErrorCode() <= 553
}
