package search

import (
	"context"
	"fmt"
	"sync"

	"statincidents/internal/sqldb"
)

// Both engines answer the beginning of a word by gathering every row of every
// word that begins so before they give the first. For "collège", which most
// documents have, that is longer than a person should wait. So beginnings of
// two and three letters are indexed as such, the words that begin with four
// letters are kept, and a beginning that few of them have is asked for by these.

// spelled is how many letters a beginning has that is looked up among words.
const spelled = 4

// mostSpelled is how many words are asked for by name.
const mostSpelled = 24

// spells tells whether a folded word begins with letters only, as far as they
// count.
func spells(w string) bool {
	if len(w) < spelled {
		return false
	}
	for k := range spelled {
		if w[k] < 'a' || w[k] > 'z' {
			return false
		}
	}
	return true
}

// vocabulary is which words are known to be kept.
type vocabulary struct {
	mu    sync.Mutex
	known map[int64]map[string]bool // by tenant
}

// maxKnown bounds the words remembered; past it all are forgotten and written
// once more.
const maxKnown = 200_000

// fresh gives the words of documents that are not known, once each.
func (v *vocabulary) fresh(tenant int64, documents []document) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.known[tenant]
	seen := map[string]bool{}
	var words []string
	for k := range documents {
		for _, t := range []text{documents[k].open, documents[k].inner} {
			for _, w := range t {
				if spells(w.folded) && !known[w.folded] && !seen[w.folded] {
					seen[w.folded] = true
					words = append(words, w.folded)
				}
			}
		}
	}
	return words
}

func (v *vocabulary) learn(tenant int64, words []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known == nil || len(v.known[tenant]) > maxKnown {
		v.known = map[int64]map[string]bool{}
	}
	if v.known[tenant] == nil {
		v.known[tenant] = map[string]bool{}
	}
	for _, w := range words {
		v.known[tenant][w] = true
	}
}

func (v *vocabulary) forget(tenant int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, tenant)
}

// keepWords keeps the words of documents.
func (s *Service) keepWords(ctx context.Context, tx *sqldb.Tx, tenant int64, documents []document) error {
	words := s.vocabulary.fresh(tenant, documents)
	if len(words) == 0 {
		return nil
	}
	rows := make([][]any, len(words))
	for k, w := range words {
		rows[k] = []any{tenant, w}
	}
	if err := tx.Insert(ctx, "search_word", []string{"tenant_id", "word"}, rows, "ON CONFLICT (tenant_id, word) DO NOTHING"); err != nil {
		return err
	}
	tx.OnCommit(func() { s.vocabulary.learn(tenant, words) })
	return nil
}

// spell gives the words of which a beginning is, nil if they are too many or
// not all known by name.
func spell(ctx context.Context, tx *sqldb.Tx, tenant int64, beginning string) ([]string, error) {
	if !spells(beginning) {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `SELECT word FROM search_word WHERE tenant_id = $1 AND word >= $2 AND word < $3 ORDER BY word LIMIT $4`,
		tenant, beginning, beginning+"\u007f", mostSpelled+1)
	if err != nil {
		return nil, fmt.Errorf("search: spell: %w", err)
	}
	defer rows.Close()
	words := []string{}
	for rows.Next() {
		var w string
		if err := rows.Scan(&w); err != nil {
			return nil, err
		}
		words = append(words, w)
	}
	if len(words) > mostSpelled {
		words = nil
	}
	return words, rows.Err()
}
