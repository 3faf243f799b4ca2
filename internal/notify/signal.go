package notify

import (
	"context"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
)

// nextWeekly is the next Monday at which weekly digests leave.
func nextWeekly(now time.Time, at string, loc *time.Location) time.Time {
	due := nextDigest(now, at, loc)
	for due.In(loc).Weekday() != time.Monday {
		due = nextDigest(due, at, loc)
	}
	return due
}

// tellSignal works out who is told of a signal that opens, and writes their
// messages: whoever sees it, wants it, and chose to be told. A signal is told
// once, however long it lasts.
func (s *Service) tellSignal(ctx context.Context, told telling, settings mailbox.Settings) error {
	if s.signals == nil {
		return nil
	}
	one, err := s.signals.Get(ctx, auth.System(s.cfg.Tenant), told.Incident)
	if fault.Is(err, fault.NotFound) || err == nil && one.State != signal.Open {
		return nil
	}
	if err != nil {
		return err
	}
	people, err := s.readers(ctx)
	if err != nil {
		return err
	}
	now := sqldb.Now()
	var rows []row
	for _, r := range people.where(func(id auth.Identity) bool { return id.Can(auth.ViewStatistics) }) {
		if CheckAddress(r.address) != nil {
			continue
		}
		mode, err := s.mode(ctx, r, TopicSignal)
		if err != nil {
			return err
		}
		wants, err := s.wantsSignal(ctx, r, &one)
		if err != nil {
			return err
		}
		if !wants || mode == Never {
			continue
		}
		m := row{Person: r.person, Address: r.address, Kind: KindSignal, Event: told.Seq, Signal: one.ID, State: Queued, CreatedAt: now}
		switch mode {
		case Daily:
			m.State, m.DueAt = Held, nextDigest(now, settings.DigestAt, s.cfg.Location)
		case Weekly:
			m.State, m.DueAt = Held, nextWeekly(now, settings.DigestAt, s.cfg.Location)
		case Now, Never:
		}
		rows = append(rows, m)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.queue(ctx, tx, rows, &happening{}); err != nil {
			return err
		}
		return s.jobs.Finish(ctx, tx)
	})
}

// wantsSignal tells whether a person sees a signal and asked for such ones.
func (s *Service) wantsSignal(ctx context.Context, r reader, one *signal.Signal) (bool, error) {
	r.who.Tenant = s.cfg.Tenant
	if _, err := s.signals.Get(ctx, r.who, one.ID); err != nil {
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
			return false, nil
		}
		return false, err
	}
	w, err := s.signals.WishOf(ctx, r.person)
	return w.Wants(one), err
}

// seesSignal reads the signal that a message tells of, if its reader may know of
// it now.
func (s *Service) seesSignal(ctx context.Context, to reader, r row) (*happening, error) {
	if s.signals == nil {
		return nil, skipError(ReasonScope)
	}
	one, err := s.signals.Get(ctx, to.who, r.Signal)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
		return nil, skipError(ReasonScope)
	}
	if err != nil {
		return nil, err
	}
	return &happening{event: journal.Event{Kind: signal.EventOpened, At: one.OpenedAt}, signal: &one}, nil
}

// signalValues are what the variables of a message about a signal stand for.
func (s *Service) signalValues(ctx context.Context, p *locale.Printer, one *signal.Signal, to reader) (map[string]string, error) {
	places, err := s.places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := s.words.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return nil, err
	}
	say := signal.Names{Printer: p, Places: places, Words: words, Today: calendar.DayOf(sqldb.Now(), s.cfg.Location)}
	more := []string{say.Pace(one), say.New(one)}
	return map[string]string{
		"name": to.name, "number": strconv.FormatInt(one.ID, 10), "title": say.Title(one), "place": say.Where(one), "school": say.Where(one),
		"sentence": say.Sentence(one, one.Current()), "since": strings.TrimSpace(strings.Join(more, " ")),
	}, nil
}

// tellOfSignal writes the message about a signal.
func (s *Service) tellOfSignal(ctx context.Context, e *envelope, r row, to reader, settings mailbox.Settings) error {
	h, err := s.seesSignal(ctx, to, r)
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
	if words.Own {
		words.Subject, words.Body = locale.Typeset(e.lang, words.Subject), locale.Typeset(e.lang, words.Body)
	}
	values, err := s.signalValues(ctx, p, h.signal, to)
	if err != nil {
		return err
	}
	e.subject, e.body.Blocks = words.fill(values)
	if link, ok := s.signalLink(p, h.signal, settings); ok {
		e.body.Blocks = append(e.body.Blocks, Block{Links: []Link{link}})
	}
	e.body.Footer = s.footer(p, place.Name, r, to, settings)
	return nil
}

func (s *Service) signalLink(p *locale.Printer, one *signal.Signal, settings mailbox.Settings) (Link, bool) {
	if settings.Site = s.site(settings); settings.Site == "" {
		return Link{}, false
	}
	return Link{Label: p.T("notify.signal.open"), Href: settings.Link("/signals/" + strconv.FormatInt(one.ID, 10))}, true
}
