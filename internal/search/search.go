// Package search finds incidents by their words, the same on both engines.
//
// Texts are made into words in Go (lower case, accents folded, French stems);
// SQLite's FTS5 and PostgreSQL's tsvector only store and look them up. The
// index is kept by a reader of the journal, a moment behind what was just
// written, and can be made anew at any time (build.go). What the unit says
// among itself is kept apart: Match, which answers without asking who reads,
// never looks at it, and Newest only for those who may read it.
package search

import (
	"context"
	"fmt"
	"slices"

	"statincidents/internal/directory"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Reader is the index's name among the journal's readers.
const Reader = "search"

// Service is the index of every tenant.
type Service struct {
	db     *sqldb.DB
	j      *journal.Journal
	places *directory.Service

	woken      chan struct{} // something waits for the builder
	vocabulary vocabulary
}

// New gives the index kept in a database.
func New(db *sqldb.DB, j *journal.Journal, places *directory.Service) *Service {
	return &Service{db: db, j: j, places: places, woken: make(chan struct{}, 1)}
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
	spelling, err := spell(ctx, tx, tenant, q.last.folded)
	if err != nil {
		return nil, err
	}
	if tx.Dialect() == sqldb.SQLite {
		return numbers(ctx, tx, `SELECT rowid & $3 FROM search_index WHERE search_index MATCH $1 AND rowid BETWEEN $2 AND $2 + $3`,
			q.fts5(reach{}, spelling), rowid(tenant, 0), int64(1)<<tenantShift-1)
	}
	return numbers(ctx, tx, `SELECT incident_id FROM search_index WHERE words @@ $1::text::tsquery AND tenant_id = $2`, q.tsquery(reach{}, spelling), tenant)
}

func numbers(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]int64, error) {
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
