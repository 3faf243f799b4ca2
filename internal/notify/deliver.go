package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/sqldb"
)

// delivery is the work of one message.
type delivery struct {
	Message int64    `json:"message"`
	Direct  *Message `json:"direct,omitempty"` // words that are not an event's
}

// skipError says why a message is not sent after all; its text is a reason.
type skipError string

func (e skipError) Error() string { return string(e) }

// deliver sends one message.
func (s *Service) deliver(ctx context.Context, d delivery) error {
	r, found, err := s.messageOf(ctx, d.Message)
	if err != nil {
		return err
	}
	if !found || r.State != Queued {
		return nil
	}
	settings, err := s.box.Settings(ctx)
	if err != nil {
		return err
	}
	if !s.sends(settings) {
		return jobs.Snooze(10 * time.Minute) // sending was switched off: what was queued waits
	}
	e, err := s.prepare(ctx, r, d, settings)
	if skip, ok := errors.AsType[skipError](err); ok {
		return s.skip(ctx, r, string(skip))
	}
	if err != nil {
		return err
	}
	r.Subject = e.subject
	r.Tries++
	if !settings.Sending.On {
		return s.keepInOutbox(ctx, r, e)
	}
	err = post(ctx, settings, e)
	if refused(err) {
		r.State, r.Reason = Failed, ReasonRefused
		return errors.Join(s.Bounced(ctx, r.Address, true, err.Error()), s.box.Report(ctx, mailbox.Outgoing, nil), s.settle(ctx, r, true))
	}
	if reported := s.box.Report(ctx, mailbox.Outgoing, err); reported != nil {
		s.log.Error("notify: note the state of sending", "error", reported)
	}
	if err != nil {
		if jobs.LastAttempt(ctx) {
			r.State = Failed
		}
		return errors.Join(err, s.settle(ctx, r, false))
	}
	r.State, r.SentAt = Sent, sqldb.Now()
	return s.settle(ctx, r, true)
}

// skip notes why a message is not sent: for a flood, it joins a digest, or is
// dropped if it is not of the kind that can.
func (s *Service) skip(ctx context.Context, r row, reason string) error {
	r.State, r.Reason = Skipped, reason
	if reason == ReasonStorm && topicOf[r.Kind] != "" {
		r.State, r.DueAt = Held, sqldb.Now().Add(time.Hour)
	}
	return s.settle(ctx, r, true)
}

// settle writes where a message stands, with the end of its job.
func (s *Service) settle(ctx context.Context, r row, done bool) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.update(ctx, tx, r); err != nil || !done {
			return err
		}
		return s.jobs.Finish(ctx, tx)
	})
}

func (s *Service) update(ctx context.Context, tx *sqldb.Tx, r row) error {
	_, err := tx.Exec(ctx, `UPDATE notify_message SET state = $3, reason = $4, subject = $5, tries = $6, sent_at = $7, due_at = $8, digest_id = $9 WHERE tenant_id = $1 AND message_id = $2`,
		s.cfg.Tenant, r.ID, string(r.State), r.Reason, r.Subject, r.Tries, sqldb.Millis(r.SentAt), sqldb.Millis(r.DueAt), r.Digest)
	return err
}

// keepInOutbox shows a message instead of sending it.
func (s *Service) keepInOutbox(ctx context.Context, r row, e envelope) error {
	for _, f := range e.files {
		e.body.Blocks = append(e.body.Blocks, Block{Text: locale.For(e.lang, s.cfg.Location).T("notify.attached", "file", f.name), Mute: true})
	}
	body, err := json.Marshal(e.body)
	if err != nil {
		return err
	}
	r.State, r.SentAt = Outbox, sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.update(ctx, tx, r); err != nil {
			return err
		}
		if err := tx.Insert(ctx, "notify_outbox", []string{"tenant_id", "message_id", "name", "address", "subject", "body", "at"},
			[][]any{{s.cfg.Tenant, r.ID, e.name, e.to, e.subject, string(body), sqldb.Millis(r.SentAt)}}, ""); err != nil {
			return err
		}
		return s.jobs.Finish(ctx, tx)
	})
}

// prepare judges whether a message may leave now, and writes it.
func (s *Service) prepare(ctx context.Context, r row, d delivery, settings mailbox.Settings) (envelope, error) {
	if settings.Ours(r.Address) {
		return envelope{}, skipError(ReasonOurs)
	}
	var lately int
	var bounce Bounce
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if bounce, _, err = bounceOf(ctx, tx, s.cfg.Tenant, fold(r.Address)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FROM notify_message WHERE tenant_id = $1 AND address = $2 AND sent_at > $3 AND kind <> $4`,
			s.cfg.Tenant, r.Address, sqldb.Millis(sqldb.Now().Add(-time.Hour)), KindDigest).Scan(&lately)
	})
	if err != nil {
		return envelope{}, err
	}
	switch {
	case bounce.Permanent && r.Kind != KindTest:
		return envelope{}, skipError(ReasonBouncing)
	case lately >= settings.PerHour && r.Kind != KindDigest && r.Kind != KindTest:
		return envelope{}, skipError(ReasonStorm)
	}
	e := envelope{to: r.Address, at: r.CreatedAt}
	if e.messageID, err = s.MessageID(ctx, r.Incident, r.ID); err != nil {
		return envelope{}, err
	}
	switch {
	case d.Direct != nil:
		err = s.direct(ctx, &e, r, *d.Direct, settings)
	case r.Kind == KindDigest:
		err = s.writeDigest(ctx, &e, r, settings)
	default:
		err = s.tellOf(ctx, &e, r, settings)
	}
	return e, err
}

// direct writes a transactional message.
func (s *Service) direct(ctx context.Context, e *envelope, r row, m Message, settings mailbox.Settings) error {
	place, err := s.places.Settings(ctx, s.cfg.Tenant)
	if err != nil {
		return err
	}
	e.lang, e.name, e.subject, e.body = locale.Match(cmp.Or(string(m.Lang), place.Language), ""), m.Name, m.Subject, m.Body
	if r.Incident != 0 {
		return s.threaded(ctx, e, r)
	}
	return nil
}

// threaded puts a message in the thread of its incident.
func (s *Service) threaded(ctx context.Context, e *envelope, r row) error {
	token, err := s.ReplyToken(ctx, r.Incident, r.Person)
	if err != nil {
		return err
	}
	e.subject = cut(clean(e.subject), 180) + " " + token
	e.thread, err = s.MessageID(ctx, r.Incident, 0)
	return err
}

// tellOf writes the message of an event, from what the person may see now.
func (s *Service) tellOf(ctx context.Context, e *envelope, r row, settings mailbox.Settings) error {
	people, err := s.readers(ctx)
	if err != nil {
		return err
	}
	to, ok := people.of(r.Person)
	if !ok || fold(to.address) != fold(r.Address) {
		return skipError(ReasonScope) // gone, or reached elsewhere since
	}
	if r.Signal != 0 {
		return s.tellOfSignal(ctx, e, r, to, settings)
	}
	if r.Visit != 0 {
		return s.tellOfVisit(ctx, e, r, to, settings)
	}
	h, err := s.visible(ctx, to, r)
	if err != nil {
		return err
	}
	place, err := s.places.Settings(ctx, s.cfg.Tenant)
	if err != nil {
		return err
	}
	e.lang, e.name = to.lang(place), to.name
	p := locale.For(e.lang, s.cfg.Location)
	words, err := s.WordsOf(ctx, r.Kind, e.lang)
	if err != nil {
		return err
	}
	values, err := s.values(ctx, p, h, to)
	if err != nil {
		return err
	}
	if words.Own {
		words.Subject, words.Body = locale.Typeset(e.lang, words.Subject), locale.Typeset(e.lang, words.Body)
	}
	subject, blocks := words.fill(values)
	e.subject = subject
	if err := s.threaded(ctx, e, r); err != nil {
		return err
	}
	if settings.Receiving.On {
		e.body.Blocks = append(e.body.Blocks, Block{Text: p.T("notify.reply_line"), Mute: true})
	}
	e.body.Blocks = append(e.body.Blocks, blocks...)
	if err := s.addLinks(ctx, p, e, h, to, r, settings); err != nil {
		return err
	}
	e.body.Footer = s.footer(p, place.Name, r, to, settings)
	return nil
}

// visible reads the event that a message tells of, if its reader may know of it
// at this moment.
func (s *Service) visible(ctx context.Context, to reader, r row) (*happening, error) {
	if r.Signal != 0 {
		return s.seesSignal(ctx, to, r)
	}
	if r.Visit != 0 {
		return s.seesTrip(ctx, to, r)
	}
	now, err := s.incidents.Get(ctx, auth.ScopeAll(s.cfg.Tenant), r.Incident)
	if err != nil {
		return nil, err
	}
	if !now.SeenBy(to.who.Scope()) {
		return nil, skipError(ReasonScope)
	}
	h, _, err := s.happening(ctx, r.Incident, r.Event)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, skipError(ReasonScope)
	}
	handles := to.who.Can(auth.HandleIncident)
	switch r.Kind {
	case KindAssigned, KindWorkCommented, KindWorkReopened:
		// A referent looks after what their school handles first.
		if !handles && (!to.who.Can(auth.HandleSchool) || !now.AtSchool()) {
			return nil, skipError(ReasonScope)
		}
	case KindQueued, KindWarned, KindBreached:
		if !handles {
			return nil, skipError(ReasonScope)
		}
	}
	if h.payload.Internal && !handles {
		if h.event.Kind == incident.EventCommented {
			return nil, skipError(ReasonScope)
		}
		h.payload.Comment = ""
	}
	return h, nil
}

// values are what the variables of a message stand for.
func (s *Service) values(ctx context.Context, p *locale.Printer, h *happening, to reader) (map[string]string, error) {
	if h.signal != nil {
		return s.signalValues(ctx, p, h.signal, to)
	}
	places, err := s.places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := s.words.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return nil, err
	}
	if h.trip != nil {
		return visitValues(p, places, h, to), nil
	}
	lang := p.Lang().String()
	i := &h.after
	v := map[string]string{
		"number": strconv.FormatInt(i.ID, 10), "title": i.Title, "school": places.SchoolName(i.School), "room": places.RoomName(i.Room), "place": joined(", ", places.SchoolName(i.School), places.RoomName(i.Room)),
		"state": p.T("state." + string(i.State)), "priority": p.T("incident.priority." + strconv.Itoa(i.Priority)), "name": to.name,
		"author": places.PersonName(h.actor), "assignee": places.PersonName(i.Assignee), "team": places.TeamName(i.Team), "comment": h.payload.Comment,
		"reason": words.CodeLabel(i.WaitingCode, lang), "solution": cmp.Or(i.Resolution, words.CodeLabel(i.ResolutionCode, lang)), "description": i.Description,
		"declarant": places.PersonName(i.Declarant),
	}
	if !i.PlannedAt.IsZero() {
		v["date"] = p.DateTime(i.PlannedAt)
	}
	if i.Level == incident.HandedOver {
		v["tried"] = i.Tried
	}
	if i.AtSchool() {
		v["first"] = p.T("notify.first")
	}
	if i.MergedInto != 0 {
		v["into"] = strconv.FormatInt(i.MergedInto, 10)
	}
	if h.event.Kind == eventWarned || h.event.Kind == eventBreached {
		var said struct {
			Due time.Time `json:"due"`
		}
		if err := json.Unmarshal(h.event.Data, &said); err != nil {
			return nil, fmt.Errorf("notify: clock of incident %d: %w", i.ID, err)
		}
		if !said.Due.IsZero() {
			v["due"] = p.DateTime(said.Due)
		}
	}
	if h.event.Actor.Kind == journal.ByAccount && v["author"] == "" {
		names, err := s.accounts.Names(ctx)
		if err != nil {
			return nil, err
		}
		v["author"] = names[h.event.Actor.ID]
	}
	return v, nil
}

// addLinks ends a message with what can be done: answer the question, open the
// incident.
func (s *Service) addLinks(ctx context.Context, p *locale.Printer, e *envelope, h *happening, to reader, r row, settings mailbox.Settings) error {
	site := s.site(settings)
	if site == "" {
		return nil
	}
	settings.Site = site
	offered := asked(r.Kind, h, to)
	if len(offered) > 0 {
		links, err := s.answerLinks(ctx, p, h.after.ID, r.Person, offered, settings)
		if err != nil {
			return err
		}
		e.body.Blocks = append(e.body.Blocks, links)
	}
	e.body.Blocks = append(e.body.Blocks, Block{Links: []Link{{Label: p.T("notify.open", "number", strconv.FormatInt(h.after.ID, 10)), Href: settings.Link("/incidents/" + strconv.FormatInt(h.after.ID, 10)), Plain: len(offered) > 0}}})
	return nil
}

func (s *Service) site(settings mailbox.Settings) string {
	if settings.Site == "" && s.cfg.Show && s.cfg.Site != nil {
		return s.cfg.Site()
	}
	return settings.Site
}

// footer says why one gets a message and how to answer or have fewer.
func (s *Service) footer(p *locale.Printer, place string, r row, to reader, settings mailbox.Settings) []string {
	var lines []string
	if topic := topicFor(r.Kind, to.who.Role); topic != "" {
		lines = append(lines, p.T("notify.why."+string(topic)))
	}
	if settings.Receiving.On {
		lines = append(lines, p.T("notify.may_reply"))
	} else {
		lines = append(lines, p.T("notify.no_reply"))
	}
	if site := s.site(settings); to.who.Account != 0 && site != "" {
		lines = append(lines, p.T("notify.choose", "link", site+preferencesPath))
	}
	return append(lines, p.T("notify.signed", "name", place))
}

// preferencesPath is the page where people choose.
const preferencesPath = "/account/messages"
