package mailin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/intake/mail/parse"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
)

// verdict is what the rules decide about a message.
type verdict struct {
	state    State
	reason   Reason
	outcome  Outcome
	plan     *plan // to be done; nil when there is nothing to do
	incident int64
	person   int64
}

// plan is what is about to be done. It is kept before it is begun: a second
// attempt does the same, and finds what the first one made.
type plan struct {
	Declare *incident.Declaration `json:"declare,omitempty"`
	Comment *comment              `json:"comment,omitempty"`
}

// comment is an answer to an incident.
type comment struct {
	Incident    int64   `json:"incident"`
	Text        string  `json:"text,omitempty"`
	Attachments []int64 `json:"attachments,omitempty"`
	Account     int64   `json:"account,omitempty"` // who says it; 0: somebody without an account
}

// Read does the work of one message that waits; the job that calls it comes again after
// an error.
func (s *Service) Read(ctx context.Context, id int64) (err error) {
	m, p, err := s.begin(ctx, id)
	if err != nil || m == nil {
		return err
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			err = errors.Join(err, s.failed(ctx, id, err))
		}
	}()
	v := verdict{plan: p, person: m.Person, incident: m.Incident}
	if p == nil {
		raw, err := s.raw(ctx, id)
		if err != nil {
			return err
		}
		if v, err = s.judge(ctx, m, parse.Parse(raw)); err != nil {
			return err
		}
		if v.plan != nil {
			if err := s.plan(ctx, id, v); err != nil {
				return err
			}
		}
	}
	if v.plan != nil {
		made, err := s.do(ctx, m, v.plan)
		switch code := fault.CodeOf(err); {
		case err == nil:
			v.state, v.outcome, v.incident = Done, MadeIncident, made
			if v.plan.Comment != nil {
				v.outcome = MadeComment
			}
		case code == fault.Invalid || code == fault.Forbidden || code == fault.NotFound || code == fault.Conflict:
			v.state, v.reason = Quarantined, ReasonRejected
			if err := s.note(ctx, id, s.sentence(ctx, err)); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return s.conclude(ctx, id, v, auth.System(s.Tenant))
}

// printer speaks the département's language.
func (s *Service) printer(ctx context.Context) (*locale.Printer, error) {
	settings, err := s.Directory.Settings(ctx, s.Tenant)
	if err != nil {
		return nil, err
	}
	return locale.For(locale.Lang(settings.Language), settings.Location()), nil
}

// sentence says a refusal in the département's language.
func (s *Service) sentence(ctx context.Context, err error) string {
	p, perr := s.printer(ctx)
	if perr != nil {
		return err.Error()
	}
	said, fields := p.Error(err)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		said += " " + fields[name]
	}
	return said
}

// judge decides what is to be done about a message, by the rules alone.
func (s *Service) judge(ctx context.Context, row *Message, m *parse.Message) (verdict, error) {
	if m.Bounce != nil {
		return s.bounced(ctx, m)
	}
	if loop, err := s.loops(ctx, m); err != nil || loop {
		return verdict{state: Refused, reason: ReasonLoop}, err
	}
	if m.Automatic != "" {
		return verdict{state: Refused, reason: autoReason(m.Automatic)}, nil
	}
	if blocked, err := s.blocked(ctx, m.From); err != nil || blocked {
		return verdict{state: Refused, reason: ReasonBlocked}, err
	}
	switch {
	case m.Hostile():
		return verdict{state: Quarantined, reason: ReasonHostile}, nil
	case m.Forged:
		return verdict{state: Quarantined, reason: ReasonForged}, nil
	}
	places, err := s.Directory.Index(ctx, s.Tenant)
	if err != nil {
		return verdict{}, err
	}
	senders := sendersOf(places, m)
	v := verdict{state: Quarantined}
	if len(senders) > 0 {
		v.person = senders[0].ID
	}
	if thread, isAnswer, err := s.thread(ctx, m); err != nil {
		return v, err
	} else if isAnswer {
		return s.answer(ctx, row, m, senders, thread, v)
	}
	if len(senders) == 0 {
		v.reason = ReasonUnknown
		return v, nil
	}
	if flood, err := s.flood(ctx, row); err != nil || flood {
		v.reason = ReasonFlood
		return v, err
	}
	if strings.TrimSpace(m.Body.Whole()) == "" && len(m.Files) == 0 && m.Invitation == nil && m.Title == "" {
		v.reason = ReasonEmpty
		return v, nil
	}
	school, reason, err := s.schoolOf(ctx, places, senders, m)
	if err != nil || school == 0 {
		v.reason = reason
		return v, err
	}
	d, err := s.declaration(ctx, places, m, school)
	if err != nil {
		return v, err
	}
	d.Declarant = senders[0].ID
	v.plan = &plan{Declare: &d}
	return v, nil
}

// bounced hands a delivery report to those who send.
func (s *Service) bounced(ctx context.Context, m *parse.Message) (verdict, error) {
	if s.Hooks.Bounced != nil && !m.Bounce.Delivered {
		for _, address := range m.Bounce.Recipients {
			if err := s.Hooks.Bounced(ctx, address, m.Bounce.Permanent, strings.TrimSpace(m.Bounce.Status+" "+m.Bounce.Reason)); err != nil {
				return verdict{}, err
			}
		}
	}
	v := verdict{state: Done, outcome: NotedBounce, reason: autoReason(parse.AutoBounce)}
	if s.Hooks.Thread != nil && m.Bounce.Original != "" {
		v.incident, _ = s.Hooks.Thread(ctx, m.Bounce.Original)
	}
	return v, nil
}

// loops tells whether a message is one of our own that comes back.
func (s *Service) loops(ctx context.Context, m *parse.Message) (bool, error) {
	if s.Hooks.Ours != nil && m.From.Email != "" {
		if ours, err := s.Hooks.Ours(ctx, m.From.Email); err != nil || ours {
			return ours, err
		}
	}
	if s.Hooks.Thread == nil || m.ID == "" {
		return false, nil
	}
	_, ours := s.Hooks.Thread(ctx, m.ID)
	return ours, nil
}

// sendersOf finds who of the directory a message is from.
func sendersOf(places *directory.Index, m *parse.Message) []directory.Person {
	for _, address := range []string{m.From.Email, m.ReplyTo.Email} {
		if address == "" {
			continue
		}
		var found []directory.Person
		for _, p := range places.People() {
			if strings.EqualFold(p.Email, address) {
				found = append(found, p)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// flood tells whether a sender wrote more in an hour than a person does.
func (s *Service) flood(ctx context.Context, row *Message) (bool, error) {
	var n int
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM mail_message WHERE tenant_id = $1 AND from_email = $2 AND received_at > $3 AND message_id < $4`,
			s.Tenant, row.From.Email, sqldb.Millis(row.ReceivedAt.Add(-time.Hour)), row.ID).Scan(&n)
	})
	return n >= s.PerHour, err
}

// schoolOf is where a new incident is: the sender's school, or the one that
// the message names among those that the sender may mean.
func (s *Service) schoolOf(ctx context.Context, places *directory.Index, senders []directory.Person, m *parse.Message) (int64, Reason, error) {
	school := senders[0].School
	for _, p := range senders {
		if p.School != school {
			return 0, ReasonAmbiguous, nil
		}
	}
	if school != 0 {
		return school, "", nil
	}
	text := m.Title + "\n" + m.Body.Said()
	by, found, err := s.identity(ctx, senders[0].ID)
	if err != nil {
		return 0, "", err
	}
	schools := places.Schools()
	if found && !by.Scope().All() {
		if len(by.Schools) == 1 {
			return by.Schools[0], "", nil
		}
		schools = slices.DeleteFunc(slices.Clone(schools), func(x directory.School) bool { return !slices.Contains(by.Schools, x.ID) })
	}
	if id := schoolIn(text, schools); id != 0 {
		return id, "", nil
	}
	return 0, ReasonNoSchool, nil
}

// identity is the account of a person, if they have one that is open.
func (s *Service) identity(ctx context.Context, person int64) (by auth.Identity, found bool, err error) {
	accounts, err := s.Auth.Accounts(ctx, auth.System(s.Tenant))
	if err != nil {
		return by, false, err
	}
	for _, a := range accounts {
		if a.Person == person && person != 0 && !a.Disabled {
			by, err = s.Auth.IdentityOf(ctx, a.ID)
			return by, err == nil, err
		}
	}
	return by, false, nil
}

// declaration makes an incident of a message.
func (s *Service) declaration(ctx context.Context, places *directory.Index, m *parse.Message, school int64) (incident.Declaration, error) {
	d := incident.Declaration{Title: titleOf(m), School: school, Origin: incident.Email}
	own := m.Body.Own()
	if own == "" {
		own = m.Body.Said()
	}
	d.Room = roomIn(m.Title+"\n"+own, places.Rooms(school))
	d.Machine = machineIn(m.Title + "\n" + own)
	if !m.Date.IsZero() && m.Date.Before(sqldb.Now()) && sqldb.Now().Sub(m.Date) < 30*24*time.Hour {
		d.OccurredAt = m.Date
	}
	p, err := s.printer(ctx)
	if err != nil {
		return d, err
	}
	if d.Title == "" {
		d.Title = p.T("mailin.untitled", "who", m.From.String())
	}
	text := m.Body.Said()
	var notes []string
	if d.Attachments, notes, err = s.keep(ctx, p, m); err != nil {
		return d, err
	}
	d.Description = compose(p, m, text, notes)
	if s.Hooks.Category != nil {
		if d.Category, err = s.Hooks.Category(ctx, school, d.Title, text); err != nil {
			return d, err
		}
	}
	return d, nil
}

var tokens = regexp.MustCompile(`\s*\[#[0-9]{1,18}(-[0-9a-z-]{1,40})?\]\s*`)

// titleOf is the subject without what we wrote in it, as long as a title may be.
func titleOf(m *parse.Message) string {
	t := strings.TrimSpace(tokens.ReplaceAllString(m.Title, " "))
	if utf8.RuneCountInString(t) > incident.MaxTitle {
		t = string([]rune(t)[:incident.MaxTitle-1]) + "…"
	}
	return t
}

// compose puts a text, an invitation and the notes about files together.
func compose(p *locale.Printer, m *parse.Message, text string, notes []string) string {
	parts := []string{strings.TrimSpace(text)}
	if m.Invitation != nil {
		parts = append(parts, m.Invitation.Text(p.Location()))
	}
	if len(notes) > 0 {
		parts = append(parts, strings.Join(notes, "\n"))
	}
	all := strings.TrimSpace(strings.Join(parts, "\n\n"))
	if r := []rune(all); len(r) > incident.MaxText {
		all = string(r[:incident.MaxText-200]) + "…\n" + p.T("mailin.note.cut")
	}
	return all
}

// logo is the size, in bytes, under which an inline picture is taken for
// decoration of a signature.
const logo = 6 << 10

// keep hands the attachments over, and tells of those that are not taken.
func (s *Service) keep(ctx context.Context, p *locale.Printer, m *parse.Message) (ids []int64, notes []string, err error) {
	left := 0
	for _, f := range m.Files {
		switch {
		case f.Refused != "":
			notes = append(notes, p.T("mailin.note."+f.Refused, "name", f.Name))
		case f.Inline && len(f.Content) < logo:
		case s.Hooks.Keep == nil || len(ids) >= maxKept:
			left++
		default:
			id, err := s.Hooks.Keep(ctx, f.Name, f.Content)
			if code := fault.CodeOf(err); code == fault.Invalid || code == fault.TooLarge {
				notes = append(notes, p.T("mailin.note.file", "name", f.Name, "why", s.sentence(ctx, err)))
				continue
			}
			if err != nil {
				return nil, nil, err
			}
			ids = append(ids, id)
		}
	}
	if left > 0 {
		notes = append(notes, p.N("mailin.note.left", left))
	}
	return ids, notes, nil
}

// maxKept is how many attachments of a message go with the incident.
const maxKept = 20

var numbered = regexp.MustCompile(`\[#([0-9]{1,12})\]`)

// thread finds the incident that a message answers: by the token in its
// subject, by the messages that it refers to (ours, then those that came in),
// by a number in its subject.
func (s *Service) thread(ctx context.Context, m *parse.Message) (id int64, isAnswer bool, err error) {
	if s.Hooks.Token != nil {
		if id, _, ok := s.Hooks.Token(ctx, m.Subject); ok {
			return id, true, nil
		}
	}
	if s.Hooks.Thread != nil {
		for _, parent := range m.Parents {
			if id, ok := s.Hooks.Thread(ctx, parent); ok {
				return id, true, nil
			}
		}
	}
	for _, parent := range m.Parents[:min(len(m.Parents), 20)] {
		if id, err := s.incidentOf(ctx, parent); err != nil || id != 0 {
			return id, id != 0, err
		}
	}
	if n := numbered.FindStringSubmatch(m.Subject); n != nil {
		id, err := strconv.ParseInt(n[1], 10, 64)
		return id, err == nil && id > 0, nil
	}
	return 0, false, nil
}

// answer makes a comment of an answer, if its sender may comment there.
func (s *Service) answer(ctx context.Context, row *Message, m *parse.Message, senders []directory.Person, thread int64, v verdict) (verdict, error) {
	_, err := s.Incidents.Get(ctx, auth.ScopeAll(s.Tenant), thread)
	if fault.Is(err, fault.NotFound) {
		v.reason = ReasonNoIncident
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.incident = thread
	for _, p := range senders {
		by, ok, err := s.mayComment(ctx, p.ID, thread)
		if err != nil {
			return v, err
		}
		if !ok {
			continue
		}
		v.person = p.ID
		if flood, err := s.flood(ctx, row); err != nil || flood {
			v.reason = ReasonFlood
			return v, err
		}
		c, err := s.commentOf(ctx, m, thread)
		if err != nil {
			return v, err
		}
		if c.Text == "" && len(c.Attachments) == 0 {
			v.reason = ReasonEmpty
			return v, nil
		}
		if c.Account = by.Account; by.Account == 0 {
			printer, err := s.printer(ctx)
			if err != nil {
				return v, err
			}
			c.Text = printer.T("mailin.comment.of", "who", p.Name) + "\n" + c.Text
		}
		v.plan = &plan{Comment: &c}
		return v, nil
	}
	v.reason = ReasonNotAllowed
	if len(senders) == 0 {
		v.reason = ReasonUnknown
	}
	return v, nil
}

// mayComment tells whether a person may comment on an incident, and as whom:
// with the account that they have, else as the declarant or as one of those
// who have it too.
func (s *Service) mayComment(ctx context.Context, person, thread int64) (auth.Identity, bool, error) {
	by, found, err := s.identity(ctx, person)
	if err != nil {
		return by, false, err
	}
	scope := auth.ScopeOwn(s.Tenant, person)
	if found {
		scope = by.Scope()
		if !by.Can(auth.CommentIncident) {
			return by, false, nil
		}
	} else {
		by = auth.System(s.Tenant)
	}
	_, err = s.Incidents.Get(ctx, scope, thread)
	if fault.Is(err, fault.NotFound) {
		return by, false, nil
	}
	return by, err == nil, err
}

// commentOf makes a comment of a message.
func (s *Service) commentOf(ctx context.Context, m *parse.Message, thread int64) (comment, error) {
	p, err := s.printer(ctx)
	if err != nil {
		return comment{}, err
	}
	c := comment{Incident: thread}
	text := m.Body.Said()
	var notes []string
	if c.Attachments, notes, err = s.keep(ctx, p, m); err != nil {
		return c, err
	}
	c.Text = compose(p, m, text, notes)
	return c, nil
}

// do carries a plan out, once however often it is called.
func (s *Service) do(ctx context.Context, m *Message, p *plan) (int64, error) {
	if p.Declare != nil {
		i, _, err := s.Incidents.DeclareOnce(ctx, auth.System(s.Tenant), "mail/"+strconv.FormatInt(m.ID, 10), *p.Declare)
		return i.ID, err
	}
	c := p.Comment
	by := auth.System(s.Tenant)
	if c.Account != 0 {
		var err error
		if by, err = s.Auth.IdentityOf(ctx, c.Account); err != nil {
			return 0, fault.New(fault.Forbidden, "error.forbidden")
		}
	}
	if m.Attempts > 1 {
		// A former attempt may have said it and not have been able to note it.
		said, err := s.said(ctx, by, m, c)
		if err != nil || said {
			return c.Incident, err
		}
	}
	i, err := s.Incidents.Act(ctx, by, incident.Change{Incident: c.Incident, Action: incident.Comment, Comment: c.Text, Attachments: c.Attachments})
	return i.ID, err
}

// said tells whether a comment stands in the incident's story already.
func (s *Service) said(ctx context.Context, by auth.Identity, m *Message, c *comment) (bool, error) {
	story, err := s.Incidents.Story(ctx, by, c.Incident)
	if err != nil {
		return false, err
	}
	for _, e := range story {
		if e.Kind == incident.EventCommented && e.Actor == by.Actor() && e.Comment == c.Text && !e.RecordedAt.Before(m.ReceivedAt) {
			return true, nil
		}
	}
	return false, nil
}

func (p *plan) encode() (string, error) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(p); err != nil {
		return "", fmt.Errorf("mailin: plan: %w", err)
	}
	return b.String(), nil
}
