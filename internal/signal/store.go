package signal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// body is what is stored of a signal beside the columns that lists need.
type body struct {
	About   About   `json:"about"`
	Entries []Entry `json:"entries"`
	History []Point `json:"history,omitempty"`
	Words   []Word  `json:"words,omitempty"`
	Since   Since   `json:"since,omitzero"`
	Note    string  `json:"note,omitempty"`
}

func bodyOf(s *Signal) body {
	return body{About: s.About, Entries: s.Entries, History: s.History, Words: s.Words, Since: s.Since, Note: s.Note}
}

const columns = `signal_id, version, method, series, state, verdict, judged_kind, judged_by, judged_at, opened_at, closed_at, updated_at, body`

func scan(row interface{ Scan(...any) error }) (Signal, error) {
	var s Signal
	var judged, opened, closed, updated int64
	var raw string
	err := row.Scan(&s.ID, &s.Version, &s.Method, &s.Series, &s.State, &s.Verdict, &s.By.Kind, &s.By.ID, &judged, &opened, &closed, &updated, &raw)
	if err != nil {
		return Signal{}, err
	}
	var b body
	if err := json.Unmarshal([]byte(raw), &b); err != nil {
		return Signal{}, fmt.Errorf("signal %d: %w", s.ID, err)
	}
	s.About, s.Entries, s.History, s.Words, s.Since, s.Note = b.About, b.Entries, b.History, b.Words, b.Since, b.Note
	s.At, s.OpenedAt, s.ClosedAt, s.UpdatedAt = sqldb.Time(judged), sqldb.Time(opened), sqldb.Time(closed), sqldb.Time(updated)
	return s, nil
}

// load reads a signal within a scope.
func load(ctx context.Context, tx *sqldb.Tx, scope auth.Scope, id int64) (Signal, error) {
	condition, args := scope.SQL("school_id", "-1", 3)
	s, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM signal WHERE tenant_id = $1 AND signal_id = $2 AND `+condition, append([]any{scope.Tenant(), id}, args...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Signal{}, notFound()
	}
	if err != nil {
		return Signal{}, fmt.Errorf("signal: read: %w", err)
	}
	return s, nil
}

func list(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]Signal, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("signal: list: %w", err)
	}
	defer rows.Close()
	var all []Signal
	for rows.Next() {
		s, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// going are the episodes of a method that a week may go on with: the open ones,
// and those that this very week has closed.
func (s *Service) going(ctx context.Context, tx *sqldb.Tx, method Method, week calendar.Day) ([]Signal, error) {
	return list(ctx, tx, `SELECT `+columns+` FROM signal WHERE tenant_id = $1 AND method = $2 AND (state = 'open' OR observed_week = $3) ORDER BY signal_id`, s.tenant, string(method), int64(week))
}

func save(ctx context.Context, tx *sqldb.Tx, tenant int64, s *Signal) error {
	raw, err := json.Marshal(bodyOf(s))
	if err != nil {
		return fmt.Errorf("signal: save: %w", err)
	}
	err = tx.Upsert(ctx, "signal", []string{"tenant_id", "signal_id"},
		[]string{"tenant_id", "signal_id", "version", "method", "series", "state", "school_id", "category_id", "first_week", "last_week", "observed_week", "verdict", "judged_kind", "judged_by", "judged_at", "opened_at", "closed_at", "updated_at", "body"},
		[][]any{{tenant, s.ID, s.Version, string(s.Method), s.Series, string(s.State), s.school(), s.Category, int64(s.First()), int64(s.Last()), int64(s.Observed()), string(s.Verdict), s.By.Kind, s.By.ID, sqldb.Millis(s.At), sqldb.Millis(s.OpenedAt), sqldb.Millis(s.ClosedAt), sqldb.Millis(s.UpdatedAt), string(raw)}})
	if err != nil {
		return fmt.Errorf("signal: save: %w", err)
	}
	return nil
}

func saveWatch(ctx context.Context, tx *sqldb.Tx, e *journal.Event) error {
	var w Watch
	if err := json.Unmarshal(e.Data, &w); err != nil {
		return fmt.Errorf("signal: watch: event %s: %w", e.Pos, err)
	}
	err := tx.Upsert(ctx, "signal_watch", []string{"tenant_id", "method"}, []string{"tenant_id", "method", "seen_at", "body"},
		[][]any{{e.Tenant, string(w.Method), sqldb.Millis(e.At), string(e.Data)}})
	if err != nil {
		return fmt.Errorf("signal: watch: %w", err)
	}
	return nil
}

func watches(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Watch, error) {
	rows, err := tx.Query(ctx, `SELECT seen_at, body FROM signal_watch WHERE tenant_id = $1 ORDER BY method`, tenant)
	if err != nil {
		return nil, fmt.Errorf("signal: watches: %w", err)
	}
	defer rows.Close()
	var all []Watch
	for rows.Next() {
		var w Watch
		var at int64
		var raw string
		if err := rows.Scan(&at, &raw); err != nil {
			return nil, fmt.Errorf("signal: watches: %w", err)
		}
		if err := json.Unmarshal([]byte(raw), &w); err != nil {
			return nil, fmt.Errorf("signal: watches: %w", err)
		}
		w.At = sqldb.Time(at)
		all = append(all, w)
	}
	return all, rows.Err()
}

// day is a bound as it is stored.
func day(d calendar.Day) int64 { return int64(d) }

// since is where the last twelve months begin.
func since(now time.Time) time.Time { return now.AddDate(-1, 0, 0) }
