package search

import (
	"context"
	"fmt"
	"strconv"

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
// files and from the vocabulary. In its files SQLite keeps them until parts of
// the index are merged; PostgreSQL until its next VACUUM (sqldb.DB.Scrub).
func (s *Service) Compact(ctx context.Context, tenant int64) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		tx.OnCommit(func() { s.vocabulary.forget(tenant) })
		if tx.Dialect() == sqldb.PostgreSQL {
			// Words as they are stand with "=" before them, the unit's with "!=".
			_, err := tx.Exec(ctx, `DELETE FROM search_word WHERE tenant_id = $1 AND word NOT IN (SELECT substr(t.word, strpos(t.word, '=') + 1)
				FROM ts_stat('SELECT words FROM search_index WHERE tenant_id = `+strconv.FormatInt(tenant, 10)+`') t WHERE t.word LIKE '=%' OR t.word LIKE '!=%')`, tenant)
			return err
		}
		for _, query := range []string{
			`INSERT INTO search_index(search_index) VALUES('optimize')`,
			`CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_terms USING fts5vocab('main', 'search_index', 'row')`,
		} {
			if _, err := tx.Exec(ctx, query); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `DELETE FROM search_word WHERE tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM temp.search_terms t WHERE t.term = search_word.word)`, tenant)
		return err
	})
	if err != nil {
		return fmt.Errorf("search: compact: %w", err)
	}
	return nil
}
