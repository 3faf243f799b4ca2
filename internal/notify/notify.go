// Package notify tells people what happens to the incidents that concern them,
// by e-mail.
//
// It reads the journal. An event that somebody is to be told of becomes a job
// in the reader's own transaction (Run); the job works out who (audience.go)
// and writes one row for each message with the job that sends it; that job
// writes the message at the moment of sending, from what the person may see
// then, and hands it to the SMTP server. Nothing is lost or sent twice by a
// crash, but for the instant between the server's "ok" and ours: the message
// sent again then has the same Message-ID.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
	"statincidents/internal/visit"
)

// State is where a message stands.
type State string

// The states. "notify.state.NAME" is the translation key.
const (
	Queued   State = "queued"   // on its way
	Sent     State = "sent"     // the SMTP server took it
	Held     State = "held"     // waits for a digest
	Digested State = "digested" // was part of a digest
	Outbox   State = "outbox"   // the demonstration shows it instead of sending it
	Skipped  State = "skipped"  // not sent, for the reason given
	Failed   State = "failed"   // given up
)

// Reasons why a message is not sent. "notify.reason.NAME" is the translation key.
const (
	ReasonScope     = "scope"     // the person may not, or no longer, see it
	ReasonBouncing  = "bouncing"  // the address gives messages back
	ReasonOurs      = "ours"      // our own mailbox
	ReasonOvertaken = "overtaken" // something later says it better
	ReasonStorm     = "storm"     // too many to this address in an hour
	ReasonRefused   = "refused"   // the server does not take the address
)

// Config tunes a Service.
type Config struct {
	Tenant   int64
	Location *time.Location
	Log      *slog.Logger
	// Show keeps messages in the outbox instead of sending them while no SMTP
	// server is set: for the demonstration.
	Show bool
	// Site is the address of our pages while the settings name none; Show only.
	Site func() string
	// Grace is how long an event waits before people are told: it may be taken
	// back meanwhile. 15 s if 0, none if negative.
	Grace time.Duration
}

// Service tells people of one département.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	jobs      *jobs.Service
	box       *mailbox.Service
	signer    *auth.Signer
	accounts  *auth.Service
	places    *directory.Service
	words     *catalog.Service
	incidents *incident.Service
	visits    *visit.Service
	signals   *signal.Service
	cfg       Config
	log       *slog.Logger
}

// Parts are the rooms that notify stands on.
type Parts struct {
	DB        *sqldb.DB
	Journal   *journal.Journal
	Jobs      *jobs.Service
	Mailbox   *mailbox.Service
	Signer    *auth.Signer
	Accounts  *auth.Service
	Places    *directory.Service
	Words     *catalog.Service
	Incidents *incident.Service
	Visits    *visit.Service  // nil: nobody is told of visits
	Signals   *signal.Service // nil: nobody is told of signals
}

// Kinds of job.
const (
	jobTell    = "notify.tell"
	jobDeliver = "notify.deliver"
	jobDigest  = "notify.digest"
	jobTidy    = "notify.tidy"
)

// New makes the service and registers its jobs.
func New(p Parts, cfg Config) *Service {
	if cfg.Grace == 0 {
		cfg.Grace = 15 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	s := &Service{
		db: p.DB, j: p.Journal, jobs: p.Jobs, box: p.Mailbox, signer: p.Signer, accounts: p.Accounts,
		places: p.Places, words: p.Words, incidents: p.Incidents, visits: p.Visits, signals: p.Signals, cfg: cfg, log: cfg.Log,
	}
	jobs.Handle(p.Jobs, jobTell, jobs.Options{Concurrency: 2}, s.tell)
	jobs.Handle(p.Jobs, jobDeliver, jobs.Options{Concurrency: 4, Timeout: 2 * time.Minute}, s.deliver)
	jobs.Handle(p.Jobs, jobDigest, jobs.Options{Concurrency: 1}, s.digest)
	jobs.Handle(p.Jobs, jobTidy, jobs.Options{Concurrency: 1}, s.tidy)
	p.Jobs.Every(jobDigest, "*/5 * * * *", jobDigest, struct{}{})
	p.Jobs.Every(jobTidy, "40 3 * * *", jobTidy, struct{}{})
	return s
}

// Message is a transactional message to any address: what a person asked for
// themselves (confirm a declaration made from a QR code), outside preferences
// and digests.
type Message struct {
	To   string // address
	Name string // of the person, "" if not known
	// Kind says what the message is for in the log; "notify.kind.NAME" is its
	// translation key. "direct" if empty.
	Kind     string
	Incident int64       // 0 if about none; the subject is then left as it is
	Person   int64       // of the directory, 0 if not known
	Lang     locale.Lang // the département's if empty
	Subject  string
	Body     Body
}

// Limits on a transactional message.
const (
	maxAddress = 254
	maxSubject = 300
	maxBody    = 100_000
)

// Send queues a transactional message in the caller's transaction. An address
// that cannot be one is an error: check what people type with CheckAddress.
func (s *Service) Send(ctx context.Context, tx *sqldb.Tx, m Message) error {
	if err := CheckAddress(m.To); err != nil {
		return fmt.Errorf("notify: send: %w", err)
	}
	if m.Kind == "" {
		m.Kind = KindDirect
	}
	size := utf8.RuneCountInString(m.Subject)
	if size == 0 || size > maxSubject {
		return fmt.Errorf("notify: send: a subject of %d characters", size)
	}
	if size := m.Body.size(); size > maxBody {
		return fmt.Errorf("notify: send: a body of %d characters", size)
	}
	id, err := tx.NextIDs(ctx, s.cfg.Tenant, "notify_message", 1)
	if err != nil {
		return err
	}
	r := row{ID: id, Incident: m.Incident, Person: m.Person, Address: strings.TrimSpace(m.To), Kind: m.Kind, State: Queued, CreatedAt: sqldb.Now()}
	if err := insertRows(ctx, tx, s.cfg.Tenant, []row{r}); err != nil {
		return err
	}
	_, err = s.jobs.Insert(ctx, tx, jobDeliver, delivery{Message: id, Direct: &m}, jobs.Insertion{Priority: jobs.Urgent})
	return err
}

// CheckAddress tells whether a text is the address of somebody: nil, or why not.
func CheckAddress(address string) error {
	address = strings.TrimSpace(address)
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address || len(address) > maxAddress || strings.ContainsAny(address, "\r\n\x00 ") {
		return errors.New("not an e-mail address")
	}
	return nil
}

// Bounced notes that an address gave a message back. A permanent failure stops
// every later message to it, until an administrator tries it again; of others
// three within a week do.
func (s *Service) Bounced(ctx context.Context, address string, permanent bool, reason string) error {
	address = fold(address)
	if CheckAddress(address) != nil {
		return nil
	}
	now := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		b, known, err := bounceOf(ctx, tx, s.cfg.Tenant, address)
		if err != nil {
			return err
		}
		if !known || now.Sub(b.LastAt) > bounceMemory && !b.Permanent {
			b = Bounce{Address: address, FirstAt: now}
		}
		b.Bounces++
		b.LastAt, b.Reason = now, cut(clean(reason), 500)
		b.Permanent = b.Permanent || permanent || b.Bounces >= maxBounces
		return tx.Upsert(ctx, "notify_bounce", []string{"tenant_id", "address"},
			[]string{"tenant_id", "address", "permanent", "bounces", "first_at", "last_at", "reason"},
			[][]any{{s.cfg.Tenant, b.Address, sqldb.Flag(b.Permanent), b.Bounces, sqldb.Millis(b.FirstAt), sqldb.Millis(b.LastAt), b.Reason}})
	})
}

const (
	maxBounces   = 3
	bounceMemory = 7 * 24 * time.Hour
)

// fold is the form in which addresses are compared.
func fold(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// clean makes a text one line without control characters, so that it can stand
// in a header.
func clean(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "�"), func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 }), " ")
}

func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return strings.TrimRight(string(r[:most-1]), " ") + "…"
	}
	return text
}
