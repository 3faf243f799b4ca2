// Package label is the door without an account: a QR label stuck on a room or
// a machine opens the form for that very place, and what is declared there
// becomes an incident once it is confirmed by e-mail, by the school's code, or
// by somebody of the school or of the unit.
//
// A stranger with a label may send a few reports and learn the state of what
// they reported, nothing else. Everything that can be tried is counted in the
// database (throttle.go), so that several servers share the counts.
package label

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Subjects in the journal.
const (
	Subject       = "label"
	SubjectReport = "label_report" // identified by the report; carries no text and no address
	SubjectCode   = "label_code"   // identified by the school; carries no code
)

// Kinds of event.
const (
	EventMade      = Subject + ".made"
	EventRevoked   = Subject + ".revoked"
	EventReceived  = SubjectReport + ".received"
	EventConfirmed = SubjectReport + ".confirmed"
	EventRefused   = SubjectReport + ".refused"
	EventExpired   = SubjectReport + ".expired"
	EventCodeSet   = SubjectCode + ".set"
)

// Place is where a label is stuck: a room, a machine, or a school as a whole.
type Place struct {
	School  int64  `json:"school"`
	Room    int64  `json:"room,omitempty"`
	Machine string `json:"machine,omitempty"` // asset number
}

// Label is a label that was made.
type Label struct {
	ID int64 `json:"id"`
	Place
	MadeAt    time.Time `json:"made_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"` // zero while its link works
}

// Live tells whether the label's link works.
func (l Label) Live() bool { return l.RevokedAt.IsZero() }

// What the signed links of this room are for.
const (
	purposeLabel   = "label"
	purposeConfirm = "label.confirm"
	purposeFollow  = "label.follow"
)

// Parts are the rooms that labels stand on.
type Parts struct {
	DB        *sqldb.DB
	Journal   *journal.Journal
	Signer    *auth.Signer
	Directory *directory.Service
	Catalog   *catalog.Service
	Incidents *incident.Service

	// Post gives what writes the messages by which reports are confirmed, as mail
	// stands set up; nil when none can be sent: then a code confirms, or somebody
	// of the school. May be nil itself.
	Post func(ctx context.Context) (Writer, error)
	// Expect tells when an incident is to be solved, zero if nothing is promised.
	// May be nil.
	Expect func(ctx context.Context, incident int64) (time.Time, error)
}

// Writer sends a message in the command's transaction.
type Writer func(ctx context.Context, tx *sqldb.Tx, m Confirmation) error

// Confirmation is what the message to somebody who declared from a label says.
type Confirmation struct {
	To, Name, Language string
	Token              string // of the page that confirms
	Title, Place       string
	Until              time.Time
}

// Service is the labels of one département.
//
// Commands: Make, Revoke, SetCode, Submit, Confirm, Decide, Expire. Reads:
// Labels, Find, Open, Token, Code, Waiting, Follow.
type Service struct {
	Parts

	tenant int64
}

// New makes the service.
func New(p Parts, tenant int64) *Service { return &Service{Parts: p, tenant: tenant} }

// MaxAtOnce bounds how many labels are made or printed together.
const MaxAtOnce = 480

// manages tells whether somebody looks after the labels of a school.
func manages(by auth.Identity, school int64) bool {
	return by.Can(auth.ManageLabels) && by.Scope().SeesSchool(school)
}

func notFound() error { return fault.New(fault.NotFound, "error.label.not_found") }

// Make gives a label to each place, in order; one that has a label whose link
// works keeps it. The places are of schools that one looks after.
func (s *Service) Make(ctx context.Context, by auth.Identity, places []Place) ([]Label, error) {
	if err := by.Require(auth.ManageLabels); err != nil {
		return nil, err
	}
	if err := s.judge(ctx, by, places); err != nil {
		return nil, err
	}
	var out []Label
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		out = make([]Label, len(places))
		now := sqldb.Now()
		var events []journal.Event
		fresh := map[Place]Label{}
		for i, p := range places {
			known, err := liveAt(ctx, tx, s.tenant, p)
			if err != nil {
				return err
			}
			if known.ID == 0 {
				known = fresh[p]
			}
			if known.ID == 0 {
				if known.ID, err = tx.NextIDs(ctx, s.tenant, Subject, 1); err != nil {
					return err
				}
				known.Place, known.MadeAt = p, now
				fresh[p] = known
				e, err := s.event(by, Subject, known.ID, p.School, EventMade, now, known)
				if err != nil {
					return err
				}
				events = append(events, e)
			}
			out[i] = known
		}
		return s.record(ctx, tx, events)
	})
	return out, err
}

// judge checks places, and writes machines as they are kept.
func (s *Service) judge(ctx context.Context, by auth.Identity, places []Place) error {
	index, err := s.Directory.Index(ctx, s.tenant)
	if err != nil {
		return err
	}
	var fields fault.Fields
	if len(places) == 0 {
		fields.Add("places", "error.label.none")
	}
	if len(places) > MaxAtOnce {
		fields.Add("places", "error.label.too_many", "max", MaxAtOnce)
	}
	for i := range places {
		p := &places[i]
		p.Machine = strings.Join(strings.Fields(p.Machine), " ")
		if _, ok := index.School(p.School); !ok || !manages(by, p.School) {
			return notFound()
		}
		room, ok := index.Room(p.Room)
		if p.Room != 0 && (!ok || room.School != p.School || room.Archived) {
			fields.Add("places", "error.label.room")
		}
		if utf8.RuneCountInString(p.Machine) > incident.MaxMachine || !utf8.ValidString(p.Machine) {
			fields.Add("machines", "error.field.too_long", "max", incident.MaxMachine)
		}
	}
	return fields.Err()
}

// Revoke kills the links of labels: a lost sheet, a room that is no more.
// Those already dead stay so.
func (s *Service) Revoke(ctx context.Context, by auth.Identity, ids ...int64) error {
	if err := by.Require(auth.ManageLabels); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := sqldb.Now()
		var events []journal.Event
		for _, id := range ids {
			l, err := byID(ctx, tx, s.tenant, id)
			if err != nil {
				return err
			}
			if l.ID == 0 || !manages(by, l.School) {
				return notFound()
			}
			if !l.Live() {
				continue
			}
			l.RevokedAt = now
			e, err := s.event(by, Subject, l.ID, l.School, EventRevoked, now, l)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return s.record(ctx, tx, events)
	})
}

// Labels lists the labels of a school whose links work, by room then machine.
func (s *Service) Labels(ctx context.Context, by auth.Identity, school int64) ([]Label, error) {
	if err := by.Require(auth.ManageLabels); err != nil {
		return nil, err
	}
	if !manages(by, school) {
		return nil, notFound()
	}
	return s.read(ctx, " AND school_id = $2 AND revoked_at = 0 ORDER BY room_id, machine_label, label_id", school)
}

// Find gives labels by number, in order; all must be of schools that one looks
// after and still work.
func (s *Service) Find(ctx context.Context, by auth.Identity, ids []int64) ([]Label, error) {
	if err := by.Require(auth.ManageLabels); err != nil {
		return nil, err
	}
	if len(ids) > MaxAtOnce {
		return nil, fault.New(fault.TooLarge, "error.label.too_many", "max", MaxAtOnce)
	}
	var out []Label
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		out = out[:0]
		for _, id := range ids {
			l, err := byID(ctx, tx, s.tenant, id)
			if err != nil {
				return err
			}
			if l.ID == 0 || !l.Live() || !manages(by, l.School) {
				return notFound()
			}
			out = append(out, l)
		}
		return nil
	})
	return out, err
}

// Token is what follows "/q/" in a label's link.
func (s *Service) Token(ctx context.Context, l Label) (string, error) {
	return s.Signer.Sign(ctx, purposeLabel, strconv.FormatInt(l.ID, 36), time.Time{})
}

// Open gives the label of a link. Refusals, NotFound: a link that was never
// made, one that was revoked ("error.label.revoked").
func (s *Service) Open(ctx context.Context, token string) (Label, error) {
	payload, err := s.Signer.Open(ctx, purposeLabel, token, sqldb.Now())
	if err != nil {
		return Label{}, err
	}
	id, err := strconv.ParseInt(payload, 36, 64)
	if err != nil {
		return Label{}, notFound()
	}
	var l Label
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		l, err = byID(ctx, tx, s.tenant, id)
		return err
	})
	switch {
	case err != nil:
		return Label{}, err
	case l.ID == 0:
		return Label{}, notFound()
	case !l.Live():
		return Label{}, fault.New(fault.NotFound, "error.label.revoked")
	}
	return l, nil
}
