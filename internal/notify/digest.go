package notify

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"statincidents/internal/jobs"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/sqldb"
)

// nextDigest is the next time of day at which digests leave.
func nextDigest(now time.Time, at string, loc *time.Location) time.Time {
	clock, err := time.Parse("15:04", at)
	if err != nil {
		clock = time.Date(0, 1, 1, 7, 30, 0, 0, time.UTC)
	}
	local := now.In(loc)
	due := time.Date(local.Year(), local.Month(), local.Day(), clock.Hour(), clock.Minute(), 0, 0, loc)
	if !due.After(now) {
		due = time.Date(local.Year(), local.Month(), local.Day()+1, clock.Hour(), clock.Minute(), 0, 0, loc)
	}
	return due.UTC()
}

// maxDigest bounds the messages of one digest; the rest waits for the next.
const maxDigest = 200

// digest gathers the held messages that are due, one message a person.
func (s *Service) digest(ctx context.Context, _ struct{}) error {
	now := sqldb.Now()
	var due []row
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		due, err = rowsOf(ctx, tx, ` AND state = 'held' AND due_at <= $2 ORDER BY message_id LIMIT 5000`, s.cfg.Tenant, sqldb.Millis(now))
		return err
	})
	if err != nil {
		return err
	}
	byPerson := map[int64][]row{}
	for _, r := range due {
		if len(byPerson[r.Person]) < maxDigest {
			byPerson[r.Person] = append(byPerson[r.Person], r)
		}
	}
	for _, person := range sortedKeys(byPerson) {
		list := byPerson[person]
		err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return s.gather(ctx, tx, person, list, now) })
		if err != nil {
			return err
		}
	}
	return nil
}

// gather makes one digest of the messages of a person.
func (s *Service) gather(ctx context.Context, tx *sqldb.Tx, person int64, list []row, now time.Time) error {
	id, err := tx.NextIDs(ctx, s.cfg.Tenant, "notify_message", 1)
	if err != nil {
		return err
	}
	var n int64
	for _, r := range list {
		// Only those that still are: another process may have been first.
		one, err := tx.Exec(ctx, `UPDATE notify_message SET state = 'digested', digest_id = $3 WHERE tenant_id = $1 AND message_id = $2 AND state = 'held'`, s.cfg.Tenant, r.ID, id)
		if err != nil {
			return err
		}
		n += one
	}
	if n == 0 {
		return nil
	}
	all := row{ID: id, Person: person, Address: list[len(list)-1].Address, Kind: KindDigest, State: Queued, CreatedAt: now}
	if err := insertRows(ctx, tx, s.cfg.Tenant, []row{all}); err != nil {
		return err
	}
	_, err = s.jobs.Insert(ctx, tx, jobDeliver, delivery{Message: id}, jobs.Insertion{Priority: jobs.Later})
	return err
}

// writeDigest writes a digest: for each incident what happened, in order, as
// far as the person may see it at this moment.
func (s *Service) writeDigest(ctx context.Context, e *envelope, r row, settings mailbox.Settings) error {
	people, err := s.readers(ctx)
	if err != nil {
		return err
	}
	to, ok := people.of(r.Person)
	if !ok {
		return skipError(ReasonScope)
	}
	place, err := s.places.Settings(ctx, s.cfg.Tenant)
	if err != nil {
		return err
	}
	e.lang, e.name = to.lang(place), to.name
	p := locale.For(e.lang, s.cfg.Location)
	var parts []row
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		parts, err = rowsOf(ctx, tx, ` AND digest_id = $2 ORDER BY incident_id, message_id`, s.cfg.Tenant, r.ID)
		return err
	})
	if err != nil {
		return err
	}
	settings.Site = s.site(settings)
	incidents, signals := 0, 0
	var last int64
	for _, part := range parts {
		h, err := s.visible(ctx, to, part)
		if _, hidden := errors.AsType[skipError](err); hidden {
			continue
		}
		if err != nil {
			return err
		}
		values, err := s.values(ctx, p, h, to)
		if err != nil {
			return err
		}
		if part.Signal != 0 {
			signals++
			b := Block{Title: values["title"], Text: joined(" ", values["sentence"], values["since"])}
			if link, ok := s.signalLink(p, h.signal, settings); ok {
				link.Plain = true
				b.Links = []Link{link}
			}
			e.body.Blocks = append(e.body.Blocks, b)
			continue
		}
		if part.Incident != last || part.Incident == 0 {
			incidents++
			last = part.Incident
			if part.Incident == 0 {
				e.body.Blocks = append(e.body.Blocks, Block{Title: values["school"]})
			} else {
				b := Block{Title: p.T("notify.digest.title", "number", values["number"], "title", values["title"]), Text: joined(" · ", values["school"], values["room"], values["state"])}
				if settings.Site != "" {
					b.Links = []Link{{Label: p.T("notify.open", "number", values["number"]), Href: settings.Link("/incidents/" + values["number"]), Plain: true}}
				}
				e.body.Blocks = append(e.body.Blocks, b)
			}
		}
		words, err := s.WordsOf(ctx, part.Kind, e.lang)
		if err != nil {
			return err
		}
		subject, _ := words.fill(values)
		e.body.Blocks = append(e.body.Blocks, Block{Text: p.ShortDateTime(h.event.At) + " — " + subject})
		if values["comment"] != "" {
			e.body.Blocks = append(e.body.Blocks, Block{Text: cut(values["comment"], 1000), Quote: true})
		}
	}
	switch {
	case incidents == 0 && signals == 0:
		return skipError(ReasonScope)
	case incidents == 0:
		e.subject = p.N("notify.digest.signals", signals)
	default:
		e.subject = p.N("notify.digest.subject", incidents)
	}
	e.body.Blocks = append([]Block{{Text: p.T("notify.digest.hello", "name", cmp.Or(to.name, to.address))}}, e.body.Blocks...)
	e.body.Footer = append([]string{p.T("notify.digest.why")}, s.footer(p, place.Name, r, to, settings)...)
	return nil
}

func joined(by string, parts ...string) string {
	out := ""
	for _, part := range parts {
		if part == "" {
			continue
		}
		if out != "" {
			out += by
		}
		out += part
	}
	return out
}

// keepShown is how many messages the outbox of a demonstration shows.
const keepShown = 300

// tidy removes what is too much; what is too old is internal/privacy's.
func (s *Service) tidy(ctx context.Context, _ struct{}) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM notify_outbox WHERE tenant_id = $1 AND message_id <= (SELECT coalesce(max(message_id), 0) FROM notify_outbox WHERE tenant_id = $1) - `+strconv.Itoa(keepShown), s.cfg.Tenant)
		return err
	})
}
