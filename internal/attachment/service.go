package attachment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// puts bounds the files that are received at once: each may lie on the disk
// while it is looked at.
const puts = 8

// Service is the attachments of every tenant.
//
// Commands: Put, then an incident's command that names the file (or Attach),
// Remove, Purge. Reads: Get, Open, Of, Pending.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	incidents *incident.Service
	log       *slog.Logger
	decoding  chan struct{}
	putting   chan struct{}
}

// New makes the service, and tells incidents who keeps the files that their
// commands name.
func New(db *sqldb.DB, j *journal.Journal, incidents *incident.Service, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Service{db: db, j: j, incidents: incidents, log: log, decoding: make(chan struct{}, decoders), putting: make(chan struct{}, puts)}
	incidents.OnAttach(s.join)
	return s
}

// Put takes in a file: it is looked at, made anew if it is a picture, and
// kept. Nobody but who put it sees it until an incident's command names it or
// Attach is called; a day later what was not attached is forgotten.
//
// Refusals: Invalid of the field Field with the reason; TooMany when the
// account has too many that wait; Unavailable when the disk is full. Bytes
// from elsewhere (mail) are put by auth.System.
func (s *Service) Put(ctx context.Context, by auth.Identity, name string, r io.Reader) (Attachment, error) {
	if !by.Can(auth.CommentIncident) {
		if err := by.Require(auth.DeclareIncident); err != nil {
			return Attachment{}, err
		}
	}
	select {
	case s.putting <- struct{}{}:
		defer func() { <-s.putting }()
	case <-ctx.Done():
		return Attachment{}, ctx.Err()
	}
	name = cleanName(name)
	if err := s.room(ctx, by); err != nil {
		return Attachment{}, err
	}
	src, err := spool(name, r)
	if err != nil {
		return Attachment{}, err
	}
	defer src.close()
	a := Attachment{SHA256: src.sha256, Size: src.size, By: by.Actor(), At: sqldb.Now()}
	found, err := look(src, src.size)
	if err != nil {
		return Attachment{}, told(name, err)
	}
	a.Type = found.t
	whole := content{src.sha256, src.size, func() io.Reader { return io.NewSectionReader(src, 0, src.size) }}
	contents := []content{whole}
	if found.decode {
		p, err := s.remake(ctx, src, src.size, found.format)
		if err != nil {
			return Attachment{}, told(name, err)
		}
		kept := contentOf(p.data, func() io.Reader { return bytes.NewReader(p.data) })
		thumb := contentOf(p.thumb, func() io.Reader { return bytes.NewReader(p.thumb) })
		contents = []content{kept, thumb}
		a.Type, a.SHA256, a.Size, a.Width, a.Height = p.t, kept.sha256, kept.size, p.width, p.height
		a.Thumb = Thumb{thumb.sha256, p.thumbWidth, p.thumbHeight}
	}
	a.Name = named(name, a.Type)
	for anew := false; ; anew = true {
		err := s.keep(ctx, by, &a, contents, anew)
		if errors.Is(err, errGone) && !anew {
			continue
		}
		if err != nil {
			return Attachment{}, noRoom(err)
		}
		return a, nil
	}
}

// told turns what a look found into a sentence.
func told(name string, err error) error {
	if reason, ok := errors.AsType[no](err); ok {
		return refuse(name, string(reason))
	}
	return err
}

// keep writes the contents, then the attachment that refers to them.
func (s *Service) keep(ctx context.Context, by auth.Identity, a *Attachment, contents []content, anew bool) (err error) {
	ids := make([]int64, len(contents))
	defer func() {
		if err != nil {
			s.drop(ctx, by.Tenant, ids)
		}
	}()
	for k, c := range contents {
		if ids[k], err = s.written(ctx, by.Tenant, c, anew); err != nil {
			return err
		}
	}
	p := payload{SHA256: a.SHA256, Size: a.Size, Type: a.Type, Name: a.Name, Width: a.Width, Height: a.Height}
	if a.Thumb.SHA256 != "" {
		p.Thumb = &a.Thumb
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Turn(ctx, by.Tenant, turns(contents)...); err != nil {
			return err
		}
		for k, c := range contents {
			if err := settle(ctx, tx, by.Tenant, c.sha256, ids[k]); err != nil {
				return err
			}
		}
		id, err := tx.NextIDs(ctx, by.Tenant, Subject, 1)
		if err != nil {
			return err
		}
		a.ID = id
		return s.record(ctx, tx, by.Tenant, by.Actor(), a.At, 0, EventPut, a.ID, p)
	})
}

func turns(contents []content) []string {
	names := make([]string, len(contents))
	for k, c := range contents {
		names[k] = turn(c.sha256)
	}
	return names
}

func turn(sha string) string { return "attachment/content/" + sha }

// drop takes back what a failed command wrote; the collector would find it too.
func (s *Service) drop(ctx context.Context, tenant int64, ids []int64) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == 0 })
	if len(ids) == 0 {
		return
	}
	err := s.db.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
		for _, id := range ids {
			// What another command settled meanwhile is in use.
			n, err := tx.Exec(ctx, `DELETE FROM attachment_content WHERE tenant_id = $1 AND content_id = $2 AND ready = 0`, tenant, id)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if err := drop(ctx, tx, tenant, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.log.Warn("what a refused file had written is left to the collector", "error", err)
	}
}

// record folds one event and writes it.
func (s *Service) record(ctx context.Context, tx *sqldb.Tx, tenant int64, by journal.Actor, at time.Time, school int64, kind string, id int64, p payload) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("attachment: payload of %s: %w", kind, err)
	}
	e := journal.Event{Tenant: tenant, At: at, Actor: by, Subject: journal.Subject{Kind: Subject, ID: id}, School: school, Kind: kind, Data: data}
	if err := apply(ctx, tx, []journal.Event{e}); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, e)
}

// room refuses an account that has put many files and attached none.
func (s *Service) room(ctx context.Context, by auth.Identity) error {
	actor := by.Actor()
	if actor.Kind == journal.BySystem {
		return nil
	}
	var n int
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM attachment WHERE tenant_id = $1 AND incident_id = 0 AND put_by_kind = $2 AND put_by_id = $3`,
			by.Tenant, actor.Kind, actor.ID).Scan(&n)
	})
	if err == nil && n >= MaxPending {
		return fault.New(fault.TooMany, "error.attachment.too_many_pending", "max", MaxPending)
	}
	return err
}

// Pending gives back, in order, the files that by put and that are not
// attached yet, for a form that is shown again. Any other number is left out.
func (s *Service) Pending(ctx context.Context, by auth.Identity, ids []int64) ([]Attachment, error) {
	if len(ids) > MaxAtOnce {
		return nil, fault.InvalidField(Field, "error.attachment.too_many", "max", MaxAtOnce)
	}
	var found map[int64]*Attachment
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, err = load(ctx, tx, by.Tenant, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []Attachment
	for _, id := range ids {
		if a := found[id]; a != nil && a.Incident == 0 && a.By == by.Actor() {
			all = append(all, *a)
			found[id] = nil
		}
	}
	return all, nil
}

// Attach makes files that by put part of an incident that by sees, for rooms
// whose own events name them (a check-list's photo). Internal ones are shown
// to the unit only.
func (s *Service) Attach(ctx context.Context, by auth.Identity, number int64, ids []int64, internal bool) error {
	if len(ids) == 0 {
		return nil
	}
	if err := by.Require(auth.CommentIncident); err != nil {
		return err
	}
	if internal {
		if err := by.Require(auth.HandleIncident); err != nil {
			return err
		}
	}
	i, err := s.incidents.Get(ctx, by.Scope(), number)
	if err != nil {
		return err
	}
	at := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.attach(ctx, tx, by, at, i.School, i.ID, ids, internal)
	})
}

// join is how an incident's own events bring files: inside its command.
func (s *Service) join(ctx context.Context, tx *sqldb.Tx, by auth.Identity, i *incident.Incident, ids []int64, internal bool) error {
	return s.attach(ctx, tx, by, i.UpdatedAt, i.School, i.ID, ids, internal)
}

// attach ties files to an incident. It refuses those that are unknown, tied
// already or somebody else's.
func (s *Service) attach(ctx context.Context, tx *sqldb.Tx, by auth.Identity, at time.Time, school, number int64, ids []int64, internal bool) error {
	found, err := load(ctx, tx, by.Tenant, ids, tx.ForUpdate())
	if err != nil {
		return err
	}
	var held int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM attachment WHERE tenant_id = $1 AND incident_id = $2 AND removed_at = 0`, by.Tenant, number).Scan(&held); err != nil {
		return err
	}
	if held+len(ids) > MaxPerIncident {
		return fault.InvalidField(Field, "error.attachment.too_many_here", "max", MaxPerIncident)
	}
	for _, id := range ids {
		a := found[id]
		if a == nil || a.Incident != 0 || a.By != by.Actor() && a.By.Kind != journal.BySystem {
			return fault.InvalidField(Field, "error.attachment.not_found")
		}
		if err := s.record(ctx, tx, by.Tenant, by.Actor(), at, school, EventAttached, id, payload{Incident: number, Internal: internal}); err != nil {
			return err
		}
		found[id] = nil
	}
	return nil
}

// visible tells whether somebody may see an attachment whose incident they see.
func visible(by auth.Identity, a *Attachment) bool {
	return !a.Internal || by.Can(auth.HandleIncident)
}

// Get reads one attachment. It is NotFound when its incident is out of scope,
// when it is for the unit only, and, before it is attached, for everybody but
// who put it.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Attachment, error) {
	var a *Attachment
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := load(ctx, tx, by.Tenant, []int64{id})
		a = found[id]
		return err
	})
	switch {
	case err != nil:
		return Attachment{}, err
	case a == nil || !visible(by, a):
		return Attachment{}, notFound()
	case a.Incident == 0:
		own := a.By == by.Actor() || a.By.Kind == journal.BySystem && by.Can(auth.SortMail)
		if !own || by.Tenant == 0 {
			return Attachment{}, notFound()
		}
	default:
		if _, err := s.incidents.Get(ctx, by.Scope(), a.Incident); fault.Is(err, fault.NotFound) {
			return Attachment{}, notFound()
		} else if err != nil {
			return Attachment{}, err
		}
	}
	return *a, nil
}

// Of lists the attachments of an incident that the reader may see, in the
// order in which they were put, removed ones included.
func (s *Service) Of(ctx context.Context, by auth.Identity, number int64) ([]Attachment, error) {
	if _, err := s.incidents.Get(ctx, by.Scope(), number); err != nil {
		return nil, err
	}
	var all []Attachment
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = query(ctx, tx, " AND incident_id = $2 ORDER BY attachment_id", by.Tenant, number)
		return err
	})
	return slices.DeleteFunc(all, func(a Attachment) bool { return !visible(by, &a) }), err
}

// Remove takes an attachment out of sight: by who put it, or by the unit. Its
// content is kept until the end of retention (Purge).
func (s *Service) Remove(ctx context.Context, by auth.Identity, id int64) (Attachment, error) {
	a, err := s.Get(ctx, by, id)
	if err != nil {
		return Attachment{}, err
	}
	if a.By != by.Actor() {
		if err := by.Require(auth.HandleIncident); err != nil {
			return Attachment{}, err
		}
	}
	var school int64
	if a.Incident != 0 {
		i, err := s.incidents.Get(ctx, by.Scope(), a.Incident)
		if err != nil {
			return Attachment{}, err
		}
		school = i.School
	}
	at := sqldb.Now()
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := load(ctx, tx, by.Tenant, []int64{id}, tx.ForUpdate())
		if err != nil {
			return err
		}
		if found[id] == nil {
			return notFound()
		}
		if a = *found[id]; !a.RemovedAt.IsZero() {
			return nil // somebody was quicker
		}
		a.RemovedAt, a.RemovedBy = at, by.Actor()
		return s.record(ctx, tx, by.Tenant, by.Actor(), at, school, EventRemoved, id, payload{})
	})
	return a, err
}

// Purge drops for good the contents of attachments that were removed before an
// instant, or of given ones (the erasure of a person); what is known of them
// stays. It gives their number.
func (s *Service) Purge(ctx context.Context, by auth.Identity, removedBefore time.Time, also ...int64) (int, error) {
	if err := by.Require(auth.ManagePrivacy); err != nil {
		return 0, err
	}
	var all []Attachment
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if all, err = query(ctx, tx, " AND removed_at > 0 AND removed_at < $2 AND purged_at = 0 ORDER BY attachment_id", by.Tenant, sqldb.Millis(removedBefore)); err != nil {
			return err
		}
		found, err := load(ctx, tx, by.Tenant, also)
		for _, a := range found {
			if a.PurgedAt.IsZero() {
				all = append(all, *a)
			}
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for k := range all {
		if err := s.purge(ctx, by.Tenant, by.Actor(), &all[k], EventPurged); err != nil {
			return k, err
		}
	}
	return len(all), nil
}

// purge drops the contents of one attachment and says so.
func (s *Service) purge(ctx context.Context, tenant int64, by journal.Actor, a *Attachment, kind string) error {
	at := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Turn(ctx, tenant, turn(a.SHA256), turn(a.Thumb.SHA256)); err != nil {
			return err
		}
		found, err := load(ctx, tx, tenant, []int64{a.ID}, tx.ForUpdate())
		if err != nil {
			return err
		}
		now := found[a.ID]
		if now == nil || !now.PurgedAt.IsZero() || kind == EventForgotten && now.Incident != 0 {
			return nil
		}
		if err := s.record(ctx, tx, tenant, by, at, 0, kind, a.ID, payload{}); err != nil {
			return err
		}
		if err := dropUnused(ctx, tx, tenant, a.SHA256); err != nil {
			return err
		}
		return dropUnused(ctx, tx, tenant, a.Thumb.SHA256)
	})
}
