// Package mailin is the door for e-mail. A message is kept as it came, in the
// same transaction that queues its reading; only then may its server be told
// that it was received. Reading it makes an incident, a comment, a refusal with
// its reason, or puts it where a person sorts it; it can be read again at will
// and does its work once.
//
//	received ──► done         an incident was declared, or a comment made
//	    │   ├──► refused      by rule (machine, loop, too large…) or by a person
//	    │   ├──► quarantined  a person decides
//	    │   └──► failed       tried again; then waits for a person
//	    └◄──── replayed, or given back to sort
package mailin

import (
	"context"
	"log/slog"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/intake/mail/parse"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Subject is the journal's subject kind for messages; its events say what a
// person decided about one, without a word of it.
const (
	Subject     = "mail"
	EventSorted = Subject + ".sorted"
)

// State is where a message stands. "mailin.state.NAME" is its word.
type State string

// The states.
const (
	Received    State = "received"
	Done        State = "done"
	Refused     State = "refused"
	Quarantined State = "quarantined"
	Failed      State = "failed"
)

// States lists every state.
var States = []State{Received, Quarantined, Failed, Done, Refused}

// Reason is why a message was refused or put aside. "mailin.reason.NAME" is
// its sentence. Those of machines are "auto." and parse.Automatic.
type Reason string

// The reasons.
const (
	ReasonUnknown    Reason = "unknown_sender" // nobody of the directory has this address
	ReasonAmbiguous  Reason = "ambiguous"      // several people have it, of several schools
	ReasonNoSchool   Reason = "no_school"      // the sender belongs to no single school
	ReasonNotAllowed Reason = "not_allowed"    // an answer by somebody who may not see the incident
	ReasonNoIncident Reason = "no_incident"    // an answer to an incident that is not there
	ReasonHostile    Reason = "hostile"        // built as no honest message is
	ReasonForged     Reason = "forged"         // its sender's domain disowns it
	ReasonFlood      Reason = "flood"          // too many from one sender
	ReasonEmpty      Reason = "empty"          // says nothing and holds nothing
	ReasonRejected   Reason = "rejected"       // the incident's rules refused it
	ReasonTooLarge   Reason = "too_large"
	ReasonBlocked    Reason = "blocked" // its sender or domain is refused
	ReasonLoop       Reason = "loop"    // one of our own comes back
	ReasonSorted     Reason = "sorted"  // refused by a person
	ReasonGivenBack  Reason = "given_back"
)

// autoReason is the reason of what no person wrote.
func autoReason(a parse.Automatic) Reason { return Reason("auto." + string(a)) }

// Outcome is what was made of a message.
type Outcome string

// The outcomes.
const (
	NoOutcome    Outcome = ""
	MadeIncident Outcome = "incident"
	MadeComment  Outcome = "comment"
	NotedBounce  Outcome = "bounce"
)

// Message is a message as lists show it.
type Message struct {
	ID         int64
	HeaderID   string // Message-ID
	State      State
	Reason     Reason
	Error      string // of the last attempt that failed
	Attempts   int
	From       parse.Address
	Subject    string
	Preview    string // the first words
	Cc         string
	Files      int
	Size       int64 // bytes, as it came
	SentAt     time.Time
	ReceivedAt time.Time
	Outcome    Outcome
	Incident   int64 // made, answered, or meant
	Person     int64 // the sender, if known
	Account    int64 // who sorted it; 0 for the rules
	EndedAt    time.Time
}

// Config is what the door stands on.
type Config struct {
	Tenant    int64
	DB        *sqldb.DB
	Journal   *journal.Journal
	Directory *directory.Service
	Incidents *incident.Service
	Auth      *auth.Service
	Jobs      *jobs.Service
	Log       *slog.Logger
	Hooks     Hooks

	// PerHour is how many messages of one sender are taken in an hour before
	// the next ones wait for a person; 60 if 0.
	PerHour int
}

// Hooks are what other rooms know or do; a nil one is left out.
type Hooks struct {
	// Token finds the signed token of an answer in its subject.
	Token func(ctx context.Context, subject string) (incident, person int64, ok bool)
	// Thread tells which incident one of our own Message-IDs is about.
	Thread func(ctx context.Context, messageID string) (incident int64, ok bool)
	// Ours tells whether an address is the service's own.
	Ours func(ctx context.Context, address string) (bool, error)
	// Bounced notes that an address gave a message back.
	Bounced func(ctx context.Context, address string, permanent bool, reason string) error
	// Keep takes in an attachment and gives its number.
	Keep func(ctx context.Context, name string, content []byte) (int64, error)
	// Category proposes a kind of problem; 0 for none.
	Category func(ctx context.Context, school int64, title, text string) (int64, error)
}

// Service is the door of one département.
//
// Intake: Receive. By people: MakeIncident, AttachTo, Refuse, GiveBack, Replay,
// Unblock. Reads: List, Get, Counts, Of, Raw, Blocked.
type Service struct {
	Config
}

// jobRead is the kind of the job that reads a message.
const jobRead = "mail.read"

type readArgs struct {
	Message int64 `json:"message"`
}

// attempts is how often reading is tried before a person is asked, over some
// twenty minutes.
const attempts = 6

// New makes the service and registers its work.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.PerHour == 0 {
		cfg.PerHour = 60
	}
	s := &Service{Config: cfg}
	// One at a time: an answer comes after what it answers.
	jobs.Handle(cfg.Jobs, jobRead, jobs.Options{Timeout: 2 * time.Minute, MaxAttempts: attempts, Concurrency: 1}, func(ctx context.Context, a readArgs) error {
		return s.Read(ctx, a.Message)
	})
	return s
}
