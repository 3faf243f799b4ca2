// Package search finds incidents by their words, the same on both engines.
//
// Texts are made into words in Go (lower case, accents folded, French stems);
// SQLite's FTS5 and PostgreSQL's tsvector only store and look them up. The
// index is kept by a reader of the journal, a moment behind what was just
// written, and can be made anew at any time. The unit's internal comments are
// not in it: it answers without asking who reads, and lists, figures and
// exports then keep to the reader's scope.
package search

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Reader is the index's name among the journal's readers.
const Reader = "search"

// Service is the index of every tenant.
type Service struct {
	db *sqldb.DB
	j  *journal.Journal
}

// New gives the index kept in a database.
func New(db *sqldb.DB, j *journal.Journal) *Service { return &Service{db: db, j: j} }

// Run keeps a tenant's index current until ctx ends.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	return s.j.Run(ctx, tenant, Reader, s.index)
}

// Fresh brings a tenant's index up to what the journal shows now.
func (s *Service) Fresh(ctx context.Context, tenant int64) error {
	return s.j.CatchUp(ctx, tenant, Reader, s.index)
}

// Remake empties a tenant's index; Run or Fresh then makes it anew from the
// beginning of the journal.
func (s *Service) Remake(ctx context.Context, tenant int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		query, args := `DELETE FROM search_index WHERE tenant_id = $1`, []any{tenant}
		if tx.Dialect() == sqldb.SQLite {
			query, args = `DELETE FROM search_index WHERE rowid BETWEEN $1 AND $2`, []any{rowid(tenant, 0), rowid(tenant+1, 0) - 1}
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return fmt.Errorf("search: empty: %w", err)
		}
		return journal.Rewind(ctx, tx, tenant, Reader)
	})
}

// Match gives the numbers, sorted, of the tenant's incidents that have every
// word of the text, whatever its ending and accents; the last word may be
// unfinished, and what stands between quotation marks must be there as it is
// (accents and case apart). A text without any word finds nothing. Texts past
// MaxQuery or MaxTerms are Invalid.
func (s *Service) Match(ctx context.Context, tenant int64, text string) ([]int64, error) {
	q, err := parse(text)
	if err != nil || q.empty() {
		return nil, err
	}
	var ids []int64
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		ids, err = match(ctx, tx, tenant, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("search: match: %w", err)
	}
	slices.Sort(ids)
	return ids, nil
}

func match(ctx context.Context, tx *sqldb.Tx, tenant int64, q question) ([]int64, error) {
	query, args := `SELECT incident_id FROM search_index WHERE words @@ $1::text::tsquery AND tenant_id = $2`, []any{q.tsquery(), tenant}
	if tx.Dialect() == sqldb.SQLite {
		query = `SELECT rowid & $3 FROM search_index WHERE search_index MATCH $1 AND rowid BETWEEN $2 AND $2 + $3`
		args = []any{q.fts5(), rowid(tenant, 0), int64(1)<<tenantShift - 1}
	}
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// tenantShift places the tenant above the incident in FTS5's row number.
const tenantShift = 40

func rowid(tenant, id int64) int64 { return tenant<<tenantShift + id }

// index reads again the incidents whose words a batch of events changes.
func (s *Service) index(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	var ids []int64
	seen := map[int64]bool{}
	for k := range events {
		e := &events[k]
		if e.Subject.Kind != incident.Subject || seen[e.Subject.ID] {
			continue
		}
		speaks, err := speaks(e)
		if err != nil {
			return err
		}
		if speaks {
			seen[e.Subject.ID] = true
			ids = append(ids, e.Subject.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := tx.PlanAfresh(ctx); err != nil {
		return err
	}
	tenant := events[0].Tenant
	texts, err := incident.Texts(ctx, tx, tenant, ids)
	if err != nil {
		return err
	}
	return write(ctx, tx, tenant, texts)
}

// speaks tells whether an event changes the words of its incident.
func speaks(e *journal.Event) (bool, error) {
	var p incident.Payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return false, fmt.Errorf("search: incident %d, event %s: %w", e.Subject.ID, e.Pos, err)
	}
	return e.Kind == incident.EventDeclared || p.Comment != "" && !p.Internal || p.Set.Title != nil || p.Set.Description != nil ||
		p.Set.Machine != nil || p.Set.Resolution != nil || p.Set.ExternalID != nil, nil
}

func write(ctx context.Context, tx *sqldb.Tx, tenant int64, texts []incident.Text) error {
	rows := make([][]any, 0, len(texts))
	if tx.Dialect() == sqldb.PostgreSQL {
		for k := range texts {
			rows = append(rows, []any{tenant, texts[k].ID, read(&texts[k]).vector()})
		}
		return tx.Insert(ctx, "search_index", []string{"tenant_id", "incident_id", "words"}, rows,
			"ON CONFLICT (tenant_id, incident_id) DO UPDATE SET words = excluded.words")
	}
	for part := range slices.Chunk(texts, 500) {
		old := make([]string, len(part))
		for k := range part {
			old[k] = strconv.FormatInt(rowid(tenant, part[k].ID), 10)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM search_index WHERE rowid IN ("+strings.Join(old, ", ")+")"); err != nil {
			return fmt.Errorf("search: forget: %w", err)
		}
	}
	for k := range texts {
		stems, folded := read(&texts[k]).columns()
		rows = append(rows, []any{rowid(tenant, texts[k].ID), stems, folded})
	}
	return tx.Insert(ctx, "search_index", []string{"rowid", "stems", "words"}, rows, "")
}
