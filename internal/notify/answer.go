package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/sqldb"
)

// Choice is what a link of a message answers. "notify.choice.NAME" is its
// translation key.
type Choice string

// The choices.
const (
	Works Choice = "works" // it works again
	Fails Choice = "fails" // it does not
	Good  Choice = "good"  // how was the service?
	Fair  Choice = "fair"
	Poor  Choice = "poor"
)

var choices = []Choice{Works, Fails, Good, Fair, Poor}

// Rating is what a choice says of the service, "" if it is about something else.
func (c Choice) Rating() incident.Rating {
	switch c {
	case Good:
		return incident.Satisfied
	case Fair:
		return incident.Neutral
	case Poor:
		return incident.Unsatisfied
	case Works, Fails:
	}
	return ""
}

const (
	purposeAnswer = "mail.answer"
	// answerLife is how long a link answers, and changeTime how long an answer
	// may be changed.
	answerLife = 30 * 24 * time.Hour
	changeTime = 12 * time.Hour
)

// AnswerPath is where the links lead.
const AnswerPath = "/answer/"

// asked are the choices that a message offers its reader.
func asked(kind string, h *happening, to reader) []Choice {
	switch {
	case to.person != h.after.Declarant:
	case kind == KindResolved:
		return []Choice{Works, Fails}
	case kind == KindClosed:
		return ratings
	}
	return nil
}

var ratings = []Choice{Good, Fair, Poor}

// answerLinks are the buttons under a question about the last resolution of an
// incident.
func (s *Service) answerLinks(ctx context.Context, p *locale.Printer, id, person int64, offered []Choice, settings mailbox.Settings) (Block, error) {
	round, err := s.lastResolution(ctx, id)
	if err != nil || round == 0 {
		return Block{}, err
	}
	b := Block{Text: p.T("notify.ask.works")}
	if offered[0].Rating() != "" {
		b.Text = p.T("notify.ask.rating")
	}
	for _, c := range offered {
		token, err := s.signer.Sign(ctx, purposeAnswer, fmt.Sprintf("%d.%d.%d.%s", id, person, round, c), sqldb.Now().Add(answerLife))
		if err != nil {
			return Block{}, err
		}
		b.Links = append(b.Links, Link{Label: p.T("notify.choice." + string(c)), Href: settings.Link(AnswerPath + token)})
	}
	return b, nil
}

// RatingLinks are the answers to "what do you think of the service?", for who
// has just confirmed that it works; none when the question is not open.
func (s *Service) RatingLinks(ctx context.Context, a Asked) (Block, error) {
	people, err := s.readers(ctx)
	if err != nil {
		return Block{}, err
	}
	to, ok := people.of(a.Person)
	if !ok || a.Over != "" || a.Rated != "" || !a.Incident.MayRate(to.who, sqldb.Now()) {
		return Block{}, nil
	}
	return s.answerLinks(ctx, locale.For(a.Lang, s.cfg.Location), a.Incident.ID, a.Person, ratings, mailbox.Settings{})
}

// Asked is a question that a link answers, as it stands.
type Asked struct {
	Incident incident.Incident
	Person   int64
	Lang     locale.Lang     // of the person
	Choice   Choice          // the one that the link stands for
	Given    Choice          // what was answered, "" if nothing yet
	Rated    incident.Rating // what was answered of the service, "" if nothing yet
	GivenAt  time.Time
	Until    time.Time // when the answer can no longer be changed; zero while there is none
	// Over says why there is nothing to answer any more: "reopened", "closed",
	// "gone" (the person sees it no more), "late"; "" if there is. It is the end
	// of the translation key "notify.over.".
	Over string

	round int64
}

// Settled tells whether the link's own choice is what stands.
func (a Asked) Settled() bool {
	return a.Choice == a.Given || a.Choice.Rating() != "" && a.Choice.Rating() == a.Rated
}

// Question reads a link without doing anything, as often as scanners like.
// Refusals are NotFound: "error.link.unknown", "error.link.expired".
func (s *Service) Question(ctx context.Context, token string) (Asked, error) {
	now := sqldb.Now()
	payload, err := s.signer.Open(ctx, purposeAnswer, token, now)
	if err != nil {
		return Asked{}, err
	}
	a := Asked{}
	parts := strings.Split(payload, ".")
	if len(parts) != 4 || !slices.Contains(choices, Choice(parts[3])) {
		return Asked{}, fault.New(fault.NotFound, "error.link.unknown")
	}
	var numbers [3]int64
	for k := range numbers {
		if numbers[k], err = strconv.ParseInt(parts[k], 10, 64); err != nil {
			return Asked{}, fault.New(fault.NotFound, "error.link.unknown")
		}
	}
	a.Person, a.round, a.Choice = numbers[1], numbers[2], Choice(parts[3])
	people, err := s.readers(ctx)
	if err != nil {
		return Asked{}, err
	}
	place, err := s.places.Settings(ctx, s.cfg.Tenant)
	if err != nil {
		return Asked{}, err
	}
	to, ok := people.of(a.Person)
	a.Lang = to.lang(place)
	found, err := s.incidents.Get(ctx, auth.ScopeAll(s.cfg.Tenant), numbers[0])
	if fault.Is(err, fault.NotFound) || err == nil && (!ok || !found.SeenBy(to.who.Scope())) {
		a.Over = "gone"
		return a, nil
	}
	if err != nil {
		return Asked{}, err
	}
	a.Incident = found
	if err := s.readAnswer(ctx, &a); err != nil {
		return Asked{}, err
	}
	round, err := s.lastResolution(ctx, found.ID)
	if err != nil {
		return Asked{}, err
	}
	answered := a.Given != ""
	if !a.GivenAt.IsZero() {
		a.Until = a.GivenAt.Add(changeTime)
	}
	switch {
	case round != a.round:
		a.Over = "reopened" // another resolution has its own question
	case !a.Until.IsZero() && now.After(a.Until) && !a.Settled():
		a.Over = "late"
	case a.Choice.Rating() != "":
	case found.State.Open() && !answered:
		a.Over = "reopened"
	case (found.State == incident.Closed || found.State == incident.Cancelled || found.State == incident.Merged) && !answered:
		a.Over = "closed"
	}
	return a, nil
}

func (s *Service) readAnswer(ctx context.Context, a *Asked) error {
	var first int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT choice, rating, first_at FROM notify_answer WHERE tenant_id = $1 AND incident_id = $2 AND person_id = $3 AND round = $4`,
			s.cfg.Tenant, a.Incident.ID, a.Person, a.round).Scan(&a.Given, &a.Rated, &first)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	a.GivenAt = sqldb.Time(first)
	return err
}

// lastResolution is the event by which an incident was last resolved.
func (s *Service) lastResolution(ctx context.Context, id int64) (int64, error) {
	var seq int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT seq FROM event WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id = $3 AND kind = $4 ORDER BY xact DESC, seq DESC LIMIT 1`,
			s.cfg.Tenant, incident.Subject, id, incident.EventResolved).Scan(&seq)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// MaxRemark is the length of what may be said with an answer, in characters.
const MaxRemark = 2000

// Answer does what a link stands for, in the name of the person whom it was
// made for. Answering the same again changes nothing; another answer replaces
// the first within twelve hours. Conflict "error.notify.over" when there is
// nothing to answer any more.
func (s *Service) Answer(ctx context.Context, token, remark string) (Asked, error) {
	a, err := s.Question(ctx, token)
	if err != nil {
		return a, err
	}
	if len([]rune(remark)) > MaxRemark {
		return a, fault.InvalidField("remark", "error.field.too_long", "max", MaxRemark)
	}
	if a.Over != "" {
		return a, fault.New(fault.Conflict, "error.notify.over")
	}
	if a.Settled() && remark == "" {
		return a, nil
	}
	people, err := s.readers(ctx)
	if err != nil {
		return a, err
	}
	to, ok := people.of(a.Person)
	if !ok {
		return a, fault.New(fault.Conflict, "error.notify.over")
	}
	if rating := a.Choice.Rating(); rating != "" {
		if _, err := s.incidents.Rate(ctx, to.who, a.Incident.ID, rating, remark); err != nil {
			return a, err
		}
	} else if err := s.decide(ctx, a, to.who, remark); err != nil {
		return a, err
	}
	if err := s.keepAnswer(ctx, a); err != nil {
		return a, err
	}
	return s.Question(ctx, token)
}

// decide closes or reopens the incident.
func (s *Service) decide(ctx context.Context, a Asked, by auth.Identity, remark string) error {
	act := func(by auth.Identity, action incident.Action, comment string) error {
		_, err := s.incidents.Act(ctx, by, incident.Change{Incident: a.Incident.ID, Action: action, Comment: comment})
		return err
	}
	p := locale.For(a.Lang, s.cfg.Location)
	if a.Given != "" && a.Given != a.Choice {
		// They changed their mind: within two minutes it never was.
		if _, err := s.incidents.Undo(ctx, by, a.Incident.ID, a.Incident.Version); err == nil {
			a.Incident.State = incident.Resolved
		} else if fault.CodeOf(err) == fault.Internal {
			return err
		}
	}
	switch {
	case a.Choice == Works && a.Incident.State == incident.Resolved:
		return act(by, incident.Confirm, remark)
	case a.Choice == Works && a.Incident.State.Open():
		// Somebody may be at work by now: they are told, and decide.
		return act(by, incident.Comment, joined("\n", p.T("notify.answer.works_after_all"), remark))
	case a.Choice == Works:
		return nil
	}
	comment := remark
	if comment == "" {
		comment = p.T("notify.answer.fails")
	}
	switch {
	case a.Incident.State == incident.Resolved:
		return act(by, incident.Reopen, comment)
	case a.Incident.State == incident.Closed && a.Given == Works:
		// They closed it themselves, by mistake: reopening what is closed takes
		// the right to handle, which the link lends for this and nothing else.
		by.Role = auth.Technician
		return act(by, incident.Reopen, comment)
	case a.Incident.State.Open():
		return nil
	}
	return fault.New(fault.Conflict, "error.notify.over")
}

func (s *Service) keepAnswer(ctx context.Context, a Asked) error {
	now := sqldb.Now()
	first := a.GivenAt
	if first.IsZero() {
		first = now
	}
	given, rated := a.Given, a.Rated
	if rating := a.Choice.Rating(); rating != "" {
		rated = rating
	} else {
		given = a.Choice
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Upsert(ctx, "notify_answer", []string{"tenant_id", "incident_id", "person_id", "round"},
			[]string{"tenant_id", "incident_id", "person_id", "round", "choice", "rating", "first_at", "at"},
			[][]any{{s.cfg.Tenant, a.Incident.ID, a.Person, a.round, string(given), string(rated), sqldb.Millis(first), sqldb.Millis(now)}})
	})
}
