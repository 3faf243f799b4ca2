package signal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// MaxList is how many signals a list holds.
const MaxList = 1000

// Filter keeps some signals; its zero value keeps all.
type Filter struct {
	State    State
	Method   Method
	School   int64 // about this school, alone or among others
	Category int64
	// Verdict keeps what was judged so; "none" what nobody has judged.
	Verdict string
	// From and To keep those that were not calm in one of these days (To is the
	// first day after them); 0 is no bound.
	From, To calendar.Day
}

// Unjudged is a Filter's verdict: it keeps what nobody has judged.
const Unjudged = "none"

// Get reads one signal. It needs the right ViewStatistics; who sees some schools
// sees what is about one of them alone.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Signal, error) {
	if err := by.Require(auth.ViewStatistics); err != nil {
		return Signal{}, err
	}
	var one Signal
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		one, err = load(ctx, tx, by.Scope(), id)
		return err
	})
	return one, err
}

// List reads signals within what the reader may see: those that go on first,
// then the latest; among those that go on, small rises last, then the largest
// excess first.
func (s *Service) List(ctx context.Context, by auth.Identity, f Filter) ([]Signal, error) {
	if err := by.Require(auth.ViewStatistics); err != nil {
		return nil, err
	}
	scope := by.Scope()
	args := []any{scope.Tenant()}
	var conditions strings.Builder
	and := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		conditions.WriteString(" AND " + condition)
	}
	seen, more := scope.SQL("school_id", "-1", 2)
	args = append(args, more...)
	conditions.WriteString(" AND " + seen)
	if f.State != "" {
		and("state = ?", string(f.State))
	}
	if f.Method != "" {
		and("method = ?", string(f.Method))
	}
	if f.Category != 0 {
		and("category_id = ?", f.Category)
	}
	switch f.Verdict {
	case "":
	case Unjudged:
		and("verdict = ''")
	default:
		and("verdict = ?", f.Verdict)
	}
	if f.From != 0 {
		and("last_week >= ?", day(f.From.Week()))
	}
	if f.To != 0 {
		and("first_week < ?", day(f.To))
	}
	var all []Signal
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = list(ctx, tx, `SELECT `+columns+` FROM signal WHERE tenant_id = $1`+conditions.String()+
			` ORDER BY CASE state WHEN 'open' THEN 0 ELSE 1 END, last_week DESC, signal_id LIMIT `+strconv.Itoa(MaxList), args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if f.School != 0 {
		all = slices.DeleteFunc(all, func(one Signal) bool { return !slices.Contains(one.Schools, f.School) })
	}
	slices.SortStableFunc(all, func(a, b Signal) int {
		if a.State != Open || b.State != Open {
			return 0
		}
		x, y := a.Now(), b.Now()
		switch {
		case (a.Method == Drift) != (b.Method == Drift):
			// Small rises add up many weeks: they come after what is new.
			if a.Method == Drift {
				return 1
			}
			return -1
		case x.Excess() > y.Excess():
			return -1
		case x.Excess() < y.Excess():
			return 1
		}
		return 0
	})
	return all, nil
}

// Watched tells what each method last looked at.
func (s *Service) Watched(ctx context.Context, by auth.Identity) ([]Watch, error) {
	if err := by.Require(auth.ViewStatistics); err != nil {
		return nil, err
	}
	var all []Watch
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = watches(ctx, tx, s.tenant)
		return err
	})
	return all, err
}

// Seen is the last week that a method looked at, 0 if none.
func (s *Service) Seen(ctx context.Context, method Method) (calendar.Day, error) {
	all, err := s.Watched(ctx, auth.System(s.tenant))
	for _, w := range all {
		if w.Method == method {
			return w.Week, err
		}
	}
	return 0, err
}

// Share is what people thought of the signals of the last twelve months.
type Share struct {
	True, Expected, False int
	Unjudged              int
}

// Judged counts those that somebody judged.
func (s Share) Judged() int { return s.True + s.Expected + s.False }

// Share counts judgements over the twelve months before an instant, of what the
// reader may see.
func (s *Service) Share(ctx context.Context, by auth.Identity, now time.Time) (Share, error) {
	if err := by.Require(auth.ViewStatistics); err != nil {
		return Share{}, err
	}
	scope := by.Scope()
	seen, more := scope.SQL("school_id", "-1", 3)
	var share Share
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		share = Share{}
		rows, err := tx.Query(ctx, `SELECT verdict, count(*) FROM signal WHERE tenant_id = $1 AND opened_at >= $2 AND `+seen+` GROUP BY verdict`, append([]any{scope.Tenant(), sqldb.Millis(since(now))}, more...)...)
		if err != nil {
			return fmt.Errorf("signal: share: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var verdict Verdict
			var n int
			if err := rows.Scan(&verdict, &n); err != nil {
				return fmt.Errorf("signal: share: %w", err)
			}
			switch verdict {
			case True:
				share.True = n
			case Expected:
				share.Expected = n
			case False:
				share.False = n
			default:
				share.Unjudged = n
			}
		}
		return rows.Err()
	})
	return share, err
}

// Lesson is a stretch of a series that was judged out of the ordinary: what is
// usual is not learned from it.
type Lesson struct {
	Method    Method
	Series    string
	About     About
	First, To calendar.Day // from the Monday of its first week to that after its last
}

// Learned gives the weeks of the signals that were judged true, by number. It is
// for the methods, which leave them out of what they take for usual.
func (s *Service) Learned(ctx context.Context) ([]Lesson, error) {
	var all []Signal
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = list(ctx, tx, `SELECT `+columns+` FROM signal WHERE tenant_id = $1 AND verdict = 'true' ORDER BY signal_id`, s.tenant)
		return err
	})
	if err != nil {
		return nil, err
	}
	lessons := make([]Lesson, len(all))
	for k := range all {
		one := &all[k]
		first := one.First()
		if now := one.Entries[0]; now.First != 0 {
			first = min(first, now.First)
		}
		lessons[k] = Lesson{Method: one.Method, Series: one.Series, About: one.About, First: first, To: one.Last() + 7}
	}
	return lessons, nil
}

// Step is one thing that happened to a signal.
type Step struct {
	At        time.Time
	Actor     journal.Actor
	Kind      string
	Week      calendar.Day // of an opening or a closing
	Judgement *Judgement   // of a judgement
}

// Story tells what happened to a signal, oldest first; weeks that only go on are
// in its entries.
func (s *Service) Story(ctx context.Context, by auth.Identity, id int64) ([]Step, error) {
	if _, err := s.Get(ctx, by, id); err != nil {
		return nil, err
	}
	var events []journal.Event
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = journal.Of(ctx, tx, s.tenant, journal.Subject{Kind: Subject, ID: id})
		return err
	})
	if err != nil {
		return nil, err
	}
	var steps []Step
	for k := range events {
		e := &events[k]
		if e.Kind == EventObserved {
			continue
		}
		var p Payload
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return nil, fmt.Errorf("signal %d: event %s: %w", id, e.Pos, err)
		}
		step := Step{At: e.At, Actor: e.Actor, Kind: e.Kind, Judgement: p.Judgement}
		if p.Entry != nil {
			step.Week = p.Entry.Week
		}
		steps = append(steps, step)
	}
	return steps, nil
}
