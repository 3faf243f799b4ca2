package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/sqldb"
	"statincidents/internal/visit"
)

// visitKinds are the kinds of message about a visit.
var visitKinds = []string{KindVisitPlanned, KindVisitMoved, KindVisitCancelled}

// visitEvents are the events of visits that may be told.
var visitEvents = []string{visit.EventPlanned, visit.EventMoved, visit.EventEdited, visit.EventCancelled, visit.EventResumed, visit.EventUndone}

// trip is one event of a visit, with what stood before and after it.
type trip struct {
	before, after visit.Visit // before has ID 0 when it was planned
	actor         int64
	overtaken     bool // it has moved since
}

// moved tells whether what people noted in their calendar is no longer right.
func moved(a, b *visit.Visit) bool {
	return a.State.Active() != b.State.Active() || !a.Start.Equal(b.Start) || a.Minutes != b.Minutes || a.Technician != b.Technician || a.Kind != b.Kind
}

// kind is what the event is to who was told of the visit before; "" if nothing.
func (t *trip) kind() string {
	was, is := t.before.ID != 0 && t.before.State.Active(), t.after.State.Active()
	switch {
	case !was && is:
		return KindVisitPlanned
	case was && t.after.State == visit.Cancelled:
		return KindVisitCancelled
	case was && is && moved(&t.before, &t.after):
		return KindVisitMoved
	}
	return ""
}

// trip reads an event of a visit; nil if there is none.
func (s *Service) trip(ctx context.Context, id, seq int64) (t *trip, e journal.Event, err error) {
	var events []journal.Event
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = journal.Of(ctx, tx, s.cfg.Tenant, journal.Subject{Kind: visit.Subject, ID: id})
		return err
	})
	if err != nil {
		return nil, e, err
	}
	var now visit.Visit
	for k := range events {
		before := now
		now = visit.Visit{}
		if err := json.Unmarshal(events[k].Data, &now); err != nil {
			return nil, e, fmt.Errorf("notify: visit %d, event %s: %w", id, events[k].Pos, err)
		}
		switch {
		case events[k].Pos.Seq == seq:
			e = events[k]
			t = &trip{before: before, after: now}
		case t != nil && moved(&t.after, &now):
			t.overtaken = true
		}
	}
	if t != nil {
		t.actor, err = s.actor(ctx, e.Actor)
	}
	return t, e, err
}

// tellVisit works out who is told of a visit, and writes their messages: the
// referents of the school, who declared what it is for, and the technician if
// somebody else planned it.
func (s *Service) tellVisit(ctx context.Context, told telling, settings mailbox.Settings) error {
	t, e, err := s.trip(ctx, told.Incident, told.Seq)
	if err != nil || t == nil || t.overtaken {
		return err
	}
	now := sqldb.Now()
	if t.after.End().Before(now) {
		return nil // written down afterwards
	}
	people, err := s.readers(ctx)
	if err != nil {
		return err
	}
	incidents, err := s.incidents.Many(ctx, auth.ScopeAll(s.cfg.Tenant), t.after.Incidents)
	if err != nil {
		return err
	}
	kind := t.kind()
	var rows []row
	tell := func(person, about int64, kind string) {
		if person == 0 || kind == "" || person == t.actor || slices.ContainsFunc(rows, func(r row) bool { return r.Person == person }) {
			return
		}
		if r, ok := people.of(person); ok && CheckAddress(r.address) == nil {
			rows = append(rows, row{Incident: about, Person: person, Address: r.address, Kind: kind, Event: e.Pos.Seq, Visit: t.after.ID, State: Queued, CreatedAt: now})
		}
	}
	for k := range incidents {
		own := kind
		if own == "" && t.after.State.Active() && !t.before.Handles(incidents[k].ID) {
			own = KindVisitPlanned // joined to a visit that was planned already
		}
		tell(incidents[k].Declarant, incidents[k].ID, own)
	}
	first := int64(0)
	if len(incidents) > 0 {
		first = incidents[0].ID
	}
	for _, r := range people.referents(t.after.School) {
		tell(r.person, first, kind)
	}
	tell(t.after.Technician, first, kind)
	var kept []row
	for _, m := range rows {
		r, _ := people.of(m.Person)
		mode, err := s.mode(ctx, r, TopicVisit)
		if err != nil {
			return err
		}
		switch mode {
		case Never:
			continue
		case Daily:
			m.State, m.DueAt = Held, nextDigest(now, settings.DigestAt, s.cfg.Location)
		case Now, Weekly:
		}
		kept = append(kept, m)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var news []row
		for _, m := range kept {
			var before int64
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM notify_message WHERE tenant_id = $1 AND visit_id = $2 AND visit_id <> 0 AND person_id = $3 AND event_seq < $4 AND state <> 'skipped'`,
				s.cfg.Tenant, m.Visit, m.Person, m.Event).Scan(&before); err != nil {
				return err
			}
			switch {
			case before == 0 && m.Kind == KindVisitCancelled:
				continue // they never heard of it
			case before == 0:
				m.Kind = KindVisitPlanned
			}
			news = append(news, m)
		}
		h := &happening{event: e, trip: t}
		if err := s.queue(ctx, tx, news, h); err != nil {
			return err
		}
		return s.jobs.Finish(ctx, tx)
	})
}

// visited tells whether a visit's own message says when an incident is planned.
func (s *Service) visited(ctx context.Context, i *incident.Incident) (bool, error) {
	if s.visits == nil || i.PlannedAt.IsZero() {
		return false, nil
	}
	all, err := s.visits.OfIncident(ctx, auth.System(s.cfg.Tenant), i.ID)
	return slices.ContainsFunc(all, func(v visit.Visit) bool { return v.State.Active() && v.Start.Equal(i.PlannedAt) }), err
}

// seesTrip reads the visit that a message tells of, if its reader may know of
// it now: of their school, or for an incident of theirs.
func (s *Service) seesTrip(ctx context.Context, to reader, r row) (*happening, error) {
	t, e, err := s.trip(ctx, r.Visit, r.Event)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, skipError(ReasonScope)
	}
	if t.overtaken {
		return nil, skipError(ReasonOvertaken)
	}
	h := &happening{event: e, trip: t, actor: t.actor}
	if r.Incident != 0 {
		if h.after, err = s.incidents.Get(ctx, auth.ScopeAll(s.cfg.Tenant), r.Incident); err != nil {
			return nil, err
		}
	}
	scope := to.who.Scope()
	if !scope.SeesSchool(t.after.School) && (r.Incident == 0 || !t.after.Handles(r.Incident) || !h.after.SeenBy(scope)) {
		return nil, skipError(ReasonScope)
	}
	return h, nil
}

// visitValues are what the variables of a message about a visit stand for.
func visitValues(p *locale.Printer, places *directory.Index, h *happening, to reader) map[string]string {
	t := h.trip
	v := map[string]string{
		"name": to.name, "date": p.DateTime(t.after.Start), "school": places.SchoolName(t.after.School), "place": places.SchoolName(t.after.School),
		"technician": places.PersonName(t.after.Technician), "how": strings.ToLower(p.T("visit.kind." + string(t.after.Kind))), "author": places.PersonName(h.actor),
	}
	if i := &h.after; i.ID != 0 {
		v["number"], v["title"], v["room"] = strconv.FormatInt(i.ID, 10), i.Title, places.RoomName(i.Room)
		v["place"] = joined(", ", v["school"], v["room"])
	}
	if to.who.Scope().SeesSchool(t.after.School) {
		v["purpose"] = t.after.Purpose // what else it is for is the school's affair
	}
	if t.before.ID != 0 && !t.before.Start.Equal(t.after.Start) {
		v["was"] = p.DateTime(t.before.Start)
	}
	return v
}

// visitFile is the visit for the reader's own calendar.
func (s *Service) visitFile(p *locale.Printer, places *directory.Index, h *happening, values map[string]string, link string) file {
	v := h.trip.after
	school, _ := places.School(v.School)
	e := visit.CalendarEntry{Visit: v, Summary: p.T("notify.visit.summary", "what", cmp.Or(values["purpose"], values["title"], values["school"])), Description: values["technician"], Address: link}
	if v.Kind == visit.OnSite {
		e.Place = joined(", ", values["place"], school.Address, school.Commune)
	}
	return file{name: "intervention.ics", kind: "text/calendar; charset=utf-8; method=PUBLISH", data: visit.Calendar(s.cfg.Tenant, p.T("notify.visit.calendar"), []visit.CalendarEntry{e})}
}

// tellOfVisit writes the message about a visit, with its calendar file.
func (s *Service) tellOfVisit(ctx context.Context, e *envelope, r row, to reader, settings mailbox.Settings) error {
	h, err := s.seesTrip(ctx, to, r)
	if err != nil {
		return err
	}
	places, err := s.places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return err
	}
	e.lang, e.name = to.lang(places.Settings()), to.name
	p := locale.For(e.lang, s.cfg.Location)
	words, err := s.WordsOf(ctx, r.Kind, e.lang)
	if err != nil {
		return err
	}
	if words.Own {
		words.Subject, words.Body = locale.Typeset(e.lang, words.Subject), locale.Typeset(e.lang, words.Body)
	}
	values := visitValues(p, places, h, to)
	subject, blocks := words.fill(values)
	e.subject, e.body.Blocks = subject, blocks
	if r.Incident != 0 {
		if err := s.threaded(ctx, e, r); err != nil {
			return err
		}
	}
	link := ""
	if settings.Site = s.site(settings); settings.Site != "" {
		open := Link{Label: p.T("notify.visit.open"), Href: settings.Link("/visits/" + strconv.FormatInt(h.trip.after.ID, 10))}
		if !to.who.Scope().SeesSchool(h.trip.after.School) {
			open = Link{Label: p.T("notify.open", "number", values["number"]), Href: settings.Link("/incidents/" + values["number"])}
		}
		link = open.Href
		e.body.Blocks = append(e.body.Blocks, Block{Links: []Link{open}})
	}
	e.files = []file{s.visitFile(p, places, h, values, link)}
	e.body.Footer = s.footer(p, places.Settings().Name, r, to, settings)
	return nil
}

// isVisit tells whether work is about a visit.
func (t telling) isVisit() bool { return slices.Contains(visitEvents, t.Kind) }
