package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/mailbox"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
)

// readerName is the place of this reader in the journal.
const readerName = "notify"

// stale is the age from which an event is no news: what was imported, or
// happened while messages were off.
const stale = 36 * time.Hour

// The events of service levels that people are warned by; their subject is the
// incident.
const (
	eventWarned   = "servicelevel.warned"
	eventBreached = "servicelevel.breached"
)

// telling is the work of one event.
type telling struct {
	Incident int64  `json:"incident"`
	Seq      int64  `json:"seq"`
	Kind     string `json:"kind"`
}

// Run follows the journal until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	return s.j.Run(ctx, s.cfg.Tenant, readerName, s.read)
}

// begin makes the signing key, which cannot be made inside a transaction, and
// sets a new reader at the journal's end: the past is not told.
func (s *Service) begin(ctx context.Context) error {
	if _, err := s.ReplyToken(ctx, 1, 1); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var known int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM reader_cursor WHERE tenant_id = $1 AND reader = $2`, s.cfg.Tenant, readerName).Scan(&known); err != nil || known > 0 {
			return err
		}
		end, err := s.start(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO reader_cursor (tenant_id, reader, xact, seq, updated_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, reader) DO NOTHING`,
			s.cfg.Tenant, readerName, end.Xact, end.Seq, sqldb.Millis(sqldb.Now()))
		return err
	})
}

// start is where a new reader begins: at the journal's end. A demonstration
// begins with its last days, so that its outbox has something to show.
func (s *Service) start(ctx context.Context, tx *sqldb.Tx) (journal.Pos, error) {
	end, err := journal.Head(ctx, tx, s.cfg.Tenant)
	if err != nil || !s.cfg.Show {
		return end, err
	}
	var first journal.Pos
	err = tx.QueryRow(ctx, `SELECT xact, seq - 1 FROM event WHERE tenant_id = $1 AND subject_kind = $2 AND at > $3 ORDER BY xact, seq LIMIT 1`,
		s.cfg.Tenant, incident.Subject, sqldb.Millis(sqldb.Now().Add(-stale))).Scan(&first.Xact, &first.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return end, nil
	}
	return first, err
}

// read makes a job of each event that may be told, with the move of the cursor.
func (s *Service) read(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	now := sqldb.Now()
	for k := range events {
		e := &events[k]
		if !slices.Contains(toldOf, e.Kind) && !slices.Contains(visitEvents, e.Kind) && e.Kind != eventWarned && e.Kind != eventBreached && e.Kind != signal.EventOpened {
			continue
		}
		if now.Sub(e.At) > stale || e.RecordedAt.Sub(e.At) > time.Hour && !s.cfg.Show {
			continue
		}
		if _, err := s.jobs.Insert(ctx, tx, jobTell, telling{e.Subject.ID, e.Pos.Seq, e.Kind},
			jobs.Insertion{At: now.Add(max(s.cfg.Grace, 0)), Key: strconv.FormatInt(e.Pos.Seq, 10)}); err != nil {
			return err
		}
	}
	return nil
}

// CatchUp reads what the journal holds and returns, for tests and tools.
func (s *Service) CatchUp(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	return s.j.CatchUp(ctx, s.cfg.Tenant, readerName, s.read)
}

// sends tells whether messages go anywhere at all.
func (s *Service) sends(settings mailbox.Settings) bool { return settings.Sending.On || s.cfg.Show }

// tell works out who is told of an event, and writes their messages.
func (s *Service) tell(ctx context.Context, t telling) error {
	settings, err := s.box.Settings(ctx)
	if err != nil {
		return err
	}
	if !s.sends(settings) {
		return nil
	}
	if t.Kind == signal.EventOpened {
		return s.tellSignal(ctx, t, settings)
	}
	if t.isVisit() {
		return s.tellVisit(ctx, t, settings)
	}
	h, later, err := s.happening(ctx, t.Incident, t.Seq)
	if err != nil || h == nil {
		return err
	}
	// A hand-over is told though a rule has given the incident to a team since.
	handed := h != nil && h.event.Kind == incident.EventHandedOver && !h.undone
	if later && !handed && h.event.Kind != incident.EventCommented && slices.Contains(moves, h.event.Kind) {
		return nil // taken back, or overtaken: the later event tells how things stand
	}
	if len(h.payload.Steps) > 0 && !s.cfg.Show {
		return nil // imported: it was told where it happened
	}
	people, err := s.readers(ctx)
	if err != nil {
		return err
	}
	var told map[int64]string
	if h.event.Kind == eventWarned || h.event.Kind == eventBreached {
		told = pressed(h, people.staff())
	} else {
		told = audience(h, people.staff(), people.referents(h.after.School))
	}
	if later && handed {
		maps.DeleteFunc(told, func(_ int64, kind string) bool { return kind != KindHandedOver && kind != KindPassedOn })
	}
	if h.event.Kind == incident.EventPlanned {
		// The visit's own message says when, with the file for the calendar.
		visited, err := s.visited(ctx, &h.after)
		if err != nil {
			return err
		}
		maps.DeleteFunc(told, func(_ int64, kind string) bool { return visited && kind == KindPlanned })
	}
	rows, err := s.rowsFor(ctx, h, told, people, settings)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.queue(ctx, tx, rows, h); err != nil {
			return err
		}
		return s.jobs.Finish(ctx, tx)
	})
}

// pressed are told that an incident is or will soon be late: who looks after
// it; once it is late, or when nobody does, the leads; when nobody does, the
// technicians of its team.
func pressed(h *happening, staff []reader) map[int64]string {
	told := map[int64]string{}
	kind, late := KindWarned, h.event.Kind == eventBreached
	if late {
		kind = KindBreached
	}
	nobody := h.after.Assignee == 0
	for _, r := range staff {
		if r.person == h.after.Assignee || r.who.Role == auth.Lead && (late || nobody) {
			told[r.person] = kind
		}
	}
	if nobody {
		for _, r := range teamOf(staff, h.after.Team) {
			if r.who.Role == auth.Technician {
				told[r.person] = kind
			}
		}
	}
	return told
}

// happening reads an event of an incident, with what stood around it; later
// tells whether something has moved the incident since. Nil if there is none.
func (s *Service) happening(ctx context.Context, id, seq int64) (h *happening, later bool, err error) {
	var events, clock []journal.Event
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		events, err = journal.Of(ctx, tx, s.cfg.Tenant, journal.Subject{Kind: incident.Subject, ID: id})
		if err != nil {
			return err
		}
		clock, err = journal.Of(ctx, tx, s.cfg.Tenant, journal.Subject{Kind: clockSubject, ID: id})
		return err
	})
	if err != nil {
		return nil, false, err
	}
	now := incident.Incident{ID: id}
	for k := range events {
		e := &events[k]
		before := now
		if err := now.Fold(e); err != nil {
			return nil, false, err
		}
		if e.Pos.Seq == seq {
			h = &happening{event: *e, before: before, after: now}
			if err := json.Unmarshal(e.Data, &h.payload); err != nil {
				return nil, false, fmt.Errorf("notify: event %d: %w", seq, err)
			}
			continue
		}
		if h != nil && (slices.Contains(moves, e.Kind) || e.Kind == incident.EventUndone) {
			later = true
			h.undone = h.undone || e.Kind == incident.EventUndone
		}
	}
	for k := range clock {
		if clock[k].Pos.Seq == seq {
			h, later = &happening{event: clock[k], before: now, after: now}, false
		}
	}
	if h != nil {
		h.actor, err = s.actor(ctx, h.event.Actor)
	}
	return h, later, err
}

// clockSubject is the subject of the events of service levels: the incident by
// its number.
const clockSubject = "servicelevel"

// actor is the person behind a signature, 0 if there is none.
func (s *Service) actor(ctx context.Context, a journal.Actor) (int64, error) {
	switch a.Kind {
	case journal.ByPerson:
		return a.ID, nil
	case journal.ByAccount:
		accounts, err := s.accounts.Accounts(ctx, auth.System(s.cfg.Tenant))
		if err != nil {
			return 0, err
		}
		for _, account := range accounts {
			if account.ID == a.ID {
				return account.Person, nil
			}
		}
	}
	return 0, nil
}

// rowsFor makes the messages of an event.
func (s *Service) rowsFor(ctx context.Context, h *happening, told map[int64]string, people *people, settings mailbox.Settings) ([]row, error) {
	now := sqldb.Now()
	var rows []row
	for _, person := range sortedKeys(told) {
		kind := told[person]
		r, ok := people.of(person)
		if !ok || CheckAddress(r.address) != nil {
			continue
		}
		mode, err := s.mode(ctx, r, topicFor(kind, r.who.Role))
		if err != nil {
			return nil, err
		}
		if mode == Daily && h.after.Priority == 1 && kind == KindQueued {
			mode = Now // a critical incident does not wait for the morning
		}
		if mode == Daily && h.after.Parent != 0 && topicOf[kind] == TopicSchool {
			mode = Now // each school of a mass incident is told at once
		}
		m := row{Incident: h.after.ID, Person: person, Address: r.address, Kind: kind, Event: h.event.Pos.Seq, State: Queued, CreatedAt: now}
		switch mode {
		case Never:
			continue
		case Daily:
			m.State, m.DueAt = Held, nextDigest(now, settings.DigestAt, s.cfg.Location)
		case Now, Weekly:
		}
		rows = append(rows, m)
	}
	return rows, nil
}

// queue writes messages with the jobs that send them. The children of a mass
// incident that move together give one message a person, not one a child.
func (s *Service) queue(ctx context.Context, tx *sqldb.Tx, rows []row, h *happening) error {
	if len(rows) == 0 {
		return nil
	}
	// Two events of one mass incident may be worked at the same moment: each
	// must see what the other has told.
	if err := tx.Turn(ctx, s.cfg.Tenant, "notify_message"); err != nil {
		return err
	}
	for _, m := range rows {
		same, err := s.said(ctx, tx, m, h)
		if err != nil {
			return err
		}
		if same {
			continue
		}
		id, err := tx.NextIDs(ctx, s.cfg.Tenant, "notify_message", 1)
		if err != nil {
			return err
		}
		m.ID = id
		if err := insertRows(ctx, tx, s.cfg.Tenant, []row{m}); err != nil {
			return err
		}
		if m.State != Queued {
			continue
		}
		if _, err := s.jobs.Insert(ctx, tx, jobDeliver, delivery{Message: id}, jobs.Insertion{}); err != nil {
			return err
		}
	}
	return nil
}

// together is how close the moves of the children of one mass incident are to
// count as one.
const together = 2 * time.Minute

// alike are the kinds that say the same of each child of a mass incident.
var alike = []string{KindPlanned, KindWaiting, KindResolved, KindClosed, KindCancelled, KindReopened, KindFollowed, KindSchoolResolved}

// said tells whether a person has been told the same already: of the same
// event, or of the same move of the mass incident that this one belongs to.
func (s *Service) said(ctx context.Context, tx *sqldb.Tx, m row, h *happening) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT count(*) FROM notify_message WHERE tenant_id = $1 AND incident_id = $2 AND event_seq = $3 AND person_id = $4`,
		s.cfg.Tenant, m.Incident, m.Event, m.Person).Scan(&n)
	if err != nil || n > 0 {
		return n > 0, err
	}
	if !slices.Contains(alike, m.Kind) || h.event.Kind == incident.EventCommented {
		return false, nil
	}
	mass := h.after.Parent
	if mass == 0 {
		mass = h.after.ID
	}
	// The mass incident itself and its children, whichever was told first.
	err = tx.QueryRow(ctx, `SELECT count(*) FROM notify_message m JOIN incident i ON i.tenant_id = m.tenant_id AND i.incident_id = m.incident_id
		WHERE m.tenant_id = $1 AND m.person_id = $2 AND m.kind = $3 AND m.created_at > $4 AND m.incident_id <> $5 AND (i.incident_id = $6 OR i.parent_id = $6)`,
		s.cfg.Tenant, m.Person, m.Kind, sqldb.Millis(m.CreatedAt.Add(-together)), m.Incident, mass).Scan(&n)
	return n > 0, err
}
