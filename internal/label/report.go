package label

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// State is where a report made from a label stands. "label.state.NAME" is its
// translation key.
type State string

// The states.
const (
	Waiting   State = "waiting"   // for its confirmation
	Confirmed State = "confirmed" // it is an incident
	Refused   State = "refused"   // by somebody of the school or the unit
	Expired   State = "expired"   // nobody confirmed it
)

// How long a report waits for its confirmation, a follow link works, and a
// decided report is counted before its row goes.
const (
	WaitsFor   = 3 * 24 * time.Hour
	FollowFor  = 180 * 24 * time.Hour
	reportKept = 30 * 24 * time.Hour
)

// Limits of what a stranger types, in characters.
const (
	MaxTitle       = incident.MaxTitle
	MaxDescription = 2000
	MaxName        = 80
	MaxEmail       = 254
)

// Report is what somebody without an account says from a label.
type Report struct {
	Title, Description string
	Category           int64
	Name               string // optional
	Email              string // confirms by a message…
	Code               string // …or the school's code does
	Trap               string // a field that people do not see: filled by programs
	Once               string // makes a double click one report
	Language           string
	From               string // network address
}

// Receipt is what became of a report.
type Receipt struct {
	State    State
	Incident int64  // once confirmed
	Follow   string // token of the page that follows it, once confirmed
	Mailed   bool   // a message was sent; else somebody of the school confirms
	Until    time.Time
}

// Submit takes a report in. With the school's code it is an incident at once;
// with an address it waits for the answer to a message, or for somebody of the
// school. What a program sends is dropped and looks taken.
func (s *Service) Submit(ctx context.Context, token string, r Report) (Receipt, error) {
	now := sqldb.Now()
	l, err := s.Open(ctx, token)
	if err != nil {
		return Receipt{}, err
	}
	if r.Trap != "" {
		return Receipt{State: Waiting, Mailed: true, Until: now.Add(WaitsFor)}, nil
	}
	if err := s.check(ctx, &r); err != nil {
		return Receipt{}, err
	}
	label := strconv.FormatInt(l.ID, 10)
	if err := s.take(ctx, now, tried{byAddress, fromKey(r.From)}, tried{byLabel, label}); err != nil {
		return Receipt{}, err
	}
	school := strconv.FormatInt(l.School, 10)
	coded := r.Code != ""
	if coded {
		guesses := []tried{{codeHere, school + "\x00" + fromKey(r.From)}, {codeAnyone, school}}
		if err := s.take(ctx, now, guesses...); err != nil {
			return Receipt{}, err
		}
		c, err := s.code(ctx, l.School)
		if err != nil {
			return Receipt{}, err
		}
		if !c.right(r.Code) {
			return Receipt{}, fault.InvalidField("code", "error.label.code_wrong")
		}
		if err := s.giveBack(ctx, guesses...); err != nil {
			return Receipt{}, err
		}
	} else if err := s.take(ctx, now, tried{byRecipient, strings.ToLower(r.Email)}); err != nil {
		return Receipt{}, err
	}
	kept, err := s.keep(ctx, l, r, now, coded)
	if err != nil {
		return Receipt{}, err
	}
	if coded {
		return s.confirm(ctx, auth.System(s.tenant), kept.id)
	}
	return Receipt{State: Waiting, Mailed: kept.mailed, Until: kept.expires}, nil
}

// check judges what was typed.
func (s *Service) check(ctx context.Context, r *Report) error {
	words, err := s.Catalog.Index(ctx, s.tenant)
	if err != nil {
		return err
	}
	r.Title, r.Name, r.Email = oneLine(r.Title), oneLine(r.Name), strings.TrimSpace(r.Email)
	r.Description, r.Code = strings.TrimSpace(r.Description), digits(r.Code)
	var fields fault.Fields
	if r.Title == "" {
		fields.Add("title", "error.field.required")
	}
	for _, f := range []struct {
		name, text string
		limit      int
	}{{"title", r.Title, MaxTitle}, {"description", r.Description, MaxDescription}, {"name", r.Name, MaxName}, {"once", r.Once, 100}} {
		if utf8.RuneCountInString(f.text) > f.limit {
			fields.Add(f.name, "error.field.too_long", "max", f.limit)
		}
	}
	if c, ok := words.Category(r.Category); r.Category != 0 && (!ok || c.Archived) {
		fields.Add("category", "error.field.unknown")
	}
	switch a, err := mail.ParseAddress(r.Email); {
	case r.Code != "" && len(r.Code) != 6:
		fields.Add("code", "error.label.code_digits")
	case r.Code == "" && r.Email == "":
		fields.Add("email", "error.label.how_confirmed")
	case r.Email != "" && (err != nil || a.Address != r.Email || len(r.Email) > MaxEmail || strings.ContainsAny(r.Email, "\r\n\x00 ")):
		fields.Add("email", "error.label.email")
	}
	return fields.Err()
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
}

// digits is a code as typed: "123 456" is right too.
func digits(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), " ", "") }

// kept is a report as it is stored.
type kept struct {
	id, label, school, category           int64
	title, description, name, email, lang string
	state                                 State
	incident                              int64
	received, expires                     time.Time
	mailed                                bool
}

// keep stores a report that waits, and writes to its author. The same form sent
// again is the same report.
func (s *Service) keep(ctx context.Context, l Label, r Report, now time.Time, coded bool) (kept, error) {
	k := kept{
		label: l.ID, school: l.School, category: r.Category, title: r.Title, description: strings.ToValidUTF8(r.Description, ""),
		name: r.Name, email: r.Email, lang: r.Language, state: Waiting, received: now, expires: now.Add(WaitsFor),
	}
	index, err := s.Directory.Index(ctx, s.tenant)
	if err != nil {
		return kept{}, err
	}
	place := PlaceName(index, l.Place)
	var write Writer
	if s.Post != nil && !coded {
		if write, err = s.Post(ctx); err != nil {
			return kept{}, err
		}
	}
	k.mailed = write != nil
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if again, err := reports(ctx, tx, " AND label_id = $2 AND once_key = $3 AND once_key <> ''", s.tenant, l.ID, r.Once); err != nil || len(again) > 0 {
			if err == nil {
				again[0].mailed = k.mailed
				k = again[0]
			}
			return err
		}
		var waiting int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM label_report WHERE tenant_id = $1 AND label_id = $2 AND state = 'waiting' AND expires_at > $3`,
			s.tenant, l.ID, sqldb.Millis(now)).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= maxWaiting && !coded {
			return fault.New(fault.TooMany, "error.label.many_waiting", "seconds", 3600)
		}
		var err error
		if k.id, err = tx.NextIDs(ctx, s.tenant, SubjectReport, 1); err != nil {
			return err
		}
		if err := tx.Insert(ctx, "label_report", []string{"tenant_id", "report_id", "label_id", "school_id", "category_id", "title", "description", "name", "email", "language", "once_key", "state", "received_at", "expires_at"},
			[][]any{{s.tenant, k.id, k.label, k.school, k.category, k.title, k.description, k.name, k.email, k.lang, r.Once, string(k.state), sqldb.Millis(k.received), sqldb.Millis(k.expires)}}, ""); err != nil {
			return err
		}
		if write != nil {
			if err := s.ask(ctx, tx, write, place, k); err != nil {
				return err
			}
		}
		return s.tell(ctx, tx, auth.System(s.tenant), k, EventReceived, now)
	})
	return k, err
}

// ask writes the message by which a report is confirmed. The signer has its key
// in memory: the label's link was just opened.
func (s *Service) ask(ctx context.Context, tx *sqldb.Tx, write Writer, place string, k kept) error {
	token, err := s.Signer.Sign(ctx, purposeConfirm, strconv.FormatInt(k.id, 36), k.expires)
	if err != nil {
		return err
	}
	return write(ctx, tx, Confirmation{To: k.email, Name: k.name, Language: k.lang, Token: token, Title: k.title, Place: place, Until: k.expires})
}

// PlaceName is a place in words: "Collège Montjoie, Salle 12, HX20A-1".
func PlaceName(index *directory.Index, p Place) string {
	parts := []string{index.SchoolName(p.School)}
	if name := index.RoomName(p.Room); name != "" {
		parts = append(parts, name)
	}
	if p.Machine != "" {
		parts = append(parts, p.Machine)
	}
	return strings.Join(parts, ", ")
}

// tell writes what happened to a report, without its text.
func (s *Service) tell(ctx context.Context, tx *sqldb.Tx, by auth.Identity, k kept, kind string, at time.Time) error {
	e, err := s.event(by, SubjectReport, k.id, k.school, kind, at, map[string]int64{"label": k.label, "incident": k.incident})
	if err != nil {
		return err
	}
	return s.Journal.Append(ctx, tx, e)
}

// Asking is what the page of confirmation shows.
type Asking struct {
	Title, Place string
	State        State
	Incident     int64
	Follow       string
}

// Asked reads what a link of confirmation is about; opening it confirms
// nothing, so that a mail scanner that follows links does not either.
func (s *Service) Asked(ctx context.Context, token, from string) (Asking, error) {
	k, l, err := s.asked(ctx, token, from)
	if err != nil {
		return Asking{}, err
	}
	index, err := s.Directory.Index(ctx, s.tenant)
	if err != nil {
		return Asking{}, err
	}
	a := Asking{Title: k.title, Place: PlaceName(index, l.Place), State: k.state, Incident: k.incident}
	if k.incident != 0 {
		a.Follow, err = s.follow(ctx, k.incident)
	}
	return a, err
}

func (s *Service) asked(ctx context.Context, token, from string) (kept, Label, error) {
	now := sqldb.Now()
	if err := s.take(ctx, now, tried{confirming, fromKey(from)}); err != nil {
		return kept{}, Label{}, err
	}
	payload, err := s.Signer.Open(ctx, purposeConfirm, token, now)
	if err != nil {
		return kept{}, Label{}, err
	}
	id, err := strconv.ParseInt(payload, 36, 64)
	if err != nil {
		return kept{}, Label{}, notFound()
	}
	return s.report(ctx, id)
}

func (s *Service) report(ctx context.Context, id int64) (k kept, l Label, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := reports(ctx, tx, " AND report_id = $2", s.tenant, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound()
		}
		k = found[0]
		l, err = byID(ctx, tx, s.tenant, k.label)
		return err
	})
	return k, l, err
}

// Confirm makes the incident of a report whose author followed the link of the
// message and said so. Twice is once.
func (s *Service) Confirm(ctx context.Context, token, from string) (Receipt, error) {
	k, _, err := s.asked(ctx, token, from)
	if err != nil {
		return Receipt{}, err
	}
	return s.confirm(ctx, auth.System(s.tenant), k.id)
}

// confirm makes the incident of a report. The key of the declaration makes it
// one incident, whatever happens between the two transactions.
func (s *Service) confirm(ctx context.Context, by auth.Identity, id int64) (Receipt, error) {
	now := sqldb.Now()
	k, l, err := s.report(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	switch {
	case k.state == Confirmed:
		follow, err := s.follow(ctx, k.incident)
		return Receipt{State: Confirmed, Incident: k.incident, Follow: follow}, err
	case k.state != Waiting || !now.Before(k.expires):
		return Receipt{}, fault.New(fault.Conflict, "error.label.decided")
	case !l.Live():
		return Receipt{}, fault.New(fault.NotFound, "error.label.revoked")
	}
	d, err := s.declaration(ctx, k, l)
	if err != nil {
		return Receipt{}, err
	}
	i, _, err := s.Incidents.DeclareOnce(ctx, auth.System(s.tenant), "label/"+strconv.FormatInt(k.id, 10), d)
	if err != nil {
		return Receipt{}, fmt.Errorf("label: declare report %d: %w", k.id, err)
	}
	k.incident = i.ID
	if err := s.decide(ctx, by, k, Confirmed, now); err != nil && !errors.Is(err, errDecided) {
		return Receipt{}, err
	}
	follow, err := s.follow(ctx, i.ID)
	return Receipt{State: Confirmed, Incident: i.ID, Follow: follow}, err
}

// declaration is what a confirmed report declares. Its author is the person of
// the directory who has that address, if they belong to the school or to none.
func (s *Service) declaration(ctx context.Context, k kept, l Label) (incident.Declaration, error) {
	index, err := s.Directory.Index(ctx, s.tenant)
	if err != nil {
		return incident.Declaration{}, err
	}
	d := incident.Declaration{Title: k.title, Description: k.description, School: l.School, Machine: l.Machine, Category: k.category, Origin: incident.Label}
	if room, ok := index.Room(l.Room); ok && !room.Archived && room.School == l.School {
		d.Room = l.Room
	}
	if k.email != "" {
		for _, p := range index.People() {
			if strings.EqualFold(p.Email, k.email) && (p.School == 0 || p.School == l.School) {
				d.Declarant = p.ID
				break
			}
		}
	}
	if d.Declarant == 0 && k.name != "" {
		d.Description = strings.TrimSpace(d.Description + "\n\n— " + k.name)
	}
	return d, nil
}

var errDecided = errors.New("already decided")

// decide ends a report's wait and erases what it said.
func (s *Service) decide(ctx context.Context, by auth.Identity, k kept, to State, now time.Time) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE label_report SET state = $3, incident_id = $4, decided_at = $5, title = '', description = '', name = '', email = '' WHERE tenant_id = $1 AND report_id = $2 AND state = 'waiting'`,
			s.tenant, k.id, string(to), k.incident, sqldb.Millis(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return errDecided
		}
		return s.tell(ctx, tx, by, k, map[State]string{Confirmed: EventConfirmed, Refused: EventRefused, Expired: EventExpired}[to], now)
	})
}
