package search

import (
	"context"
	"fmt"

	"statincidents/internal/directory"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Again reads the words of some incidents anew, in the caller's transaction:
// words were taken out of them. x names the places.
func (s *Service) Again(ctx context.Context, tx *sqldb.Tx, tenant int64, x *directory.Index, incidents []int64) error {
	// The builder must not write an older document over what is written here.
	if err := journal.Hold(ctx, tx, tenant, Reader); err != nil {
		return err
	}
	return s.make(ctx, tx, tenant, x, incidents)
}

// Compact drops the words that no incident has any more, from the index's own
// files and from the vocabulary. SQLite keeps them until parts of the index are
// merged; PostgreSQL until its next VACUUM (sqldb.DB.Scrub).
func (s *Service) Compact(ctx context.Context, tenant int64) error {
	if s.db.Dialect() != sqldb.SQLite {
		return nil
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, query := range []string{
			`INSERT INTO search_index(search_index) VALUES('optimize')`,
			`CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_terms USING fts5vocab('main', 'search_index', 'row')`,
		} {
			if _, err := tx.Exec(ctx, query); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `DELETE FROM search_word WHERE tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM temp.search_terms t WHERE t.term = search_word.word)`, tenant)
		tx.OnCommit(func() { s.vocabulary.forget(tenant) })
		return err
	})
	if err != nil {
		return fmt.Errorf("search: compact: %w", err)
	}
	return nil
}
