package search

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Ask is a question about the newest incidents that have some words.
type Ask struct {
	Text  string
	Scope auth.Scope
	Inner bool  // what the unit says among itself counts too
	In    int64 // only this school's; 0 for any
	Below int64 // only numbers lower than this; 0 for any
	Limit int
}

// blockSize is how many numbers a block has. PostgreSQL's index of words has
// no order: a frequent word is asked in the newest blocks first, so that the
// work is bounded by what is shown and not by what there is.
const blockSize = 4096

// steps are how many blocks are asked in each round before the rest is.
var steps = []int64{1, 4, 16}

// Newest gives the numbers of the incidents in scope that answer like Match,
// the highest first, Limit at most.
func (s *Service) Newest(ctx context.Context, a Ask) ([]int64, error) {
	q, err := parse(a.Text)
	if err != nil || q.empty() || a.Scope.Nothing() || a.Limit <= 0 {
		return nil, err
	}
	r := reach{inner: a.Inner}
	if schools, ok := a.Scope.Schools(); ok {
		var marks []string
		for _, id := range schools {
			marks = append(marks, schoolMark(id))
		}
		r.marks = append(r.marks, marks)
	}
	if person, ok := a.Scope.Own(); ok {
		r.marks = append(r.marks, []string{personMark(person)})
	}
	if a.In != 0 {
		r.marks = append(r.marks, []string{schoolMark(a.In)})
	}
	var ids []int64
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		spelling, err := spell(ctx, tx, a.Scope.Tenant(), q.last.folded)
		if err != nil {
			return err
		}
		if tx.Dialect() == sqldb.SQLite {
			top := int64(1)<<tenantShift - 1
			if a.Below > 0 {
				top = min(top, a.Below-1)
			}
			ids, err = numbers(ctx, tx, `SELECT rowid & $4 FROM search_index WHERE search_index MATCH $1 AND rowid BETWEEN $2 AND $3 ORDER BY rowid DESC LIMIT $5`,
				q.fts5(r, spelling), rowid(a.Scope.Tenant(), 0), rowid(a.Scope.Tenant(), top), int64(1)<<tenantShift-1, a.Limit)
			return err
		}
		ids, err = newest(ctx, tx, q.tsquery(r, spelling), r.narrow(), a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("search: newest: %w", err)
	}
	return ids, nil
}

// few is how many marks make a question narrow: what has one of them is few
// enough to be gathered at once.
const few = 4

func (r reach) narrow() bool {
	for _, marks := range r.marks {
		if len(marks) <= few {
			return true
		}
	}
	return false
}

// newest asks PostgreSQL: a few blocks, more, then all the rest; a narrow
// question all at once.
func newest(ctx context.Context, tx *sqldb.Tx, query string, narrow bool, a Ask) ([]int64, error) {
	tenant, below := a.Scope.Tenant(), a.Below
	var top int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(incident_id), 0) FROM search_index WHERE tenant_id = $1`, tenant).Scan(&top); err != nil {
		return nil, err
	}
	if below <= 0 || below > top {
		below = top + 1
	}
	var ids []int64
	round := func(query string) error {
		// The order is not that of the key, or a plan might read the whole table
		// backwards for a word that is rare.
		more, err := numbers(ctx, tx, `SELECT incident_id FROM search_index WHERE words @@ $1::text::tsquery AND tenant_id = $2 AND incident_id < $3 ORDER BY incident_id + 0 DESC LIMIT $4`,
			query, tenant, below, a.Limit-len(ids))
		ids = append(ids, more...)
		return err
	}
	for _, n := range steps {
		if narrow {
			break
		}
		last := (below - 1) / blockSize
		first := max(0, last-n+1)
		var blocks []string
		for b := first; b <= last; b++ {
			blocks = append(blocks, "'#"+strconv.FormatInt(tenant, 10)+"."+strconv.FormatInt(b, 10)+"'")
		}
		if err := round(query + " & (" + strings.Join(blocks, " | ") + ")"); err != nil || len(ids) >= a.Limit || first == 0 {
			return ids, err
		}
		below = min(below, first*blockSize)
	}
	return ids, round(query)
}

// Machine is a label that some incident of a school carries.
type Machine struct {
	Label  string
	School int64
	Last   int64 // the number of the last incident that was declared with it
	Count  int   // how many incidents have it, maxCount at most
}

// maxCount bounds how far the incidents of a machine are counted.
const maxCount = 100

// Machines finds labels in scope by their beginning, or that of one of their
// words, whatever stands between letters: "kpc-12", "KPC 12" and "12" find
// "KPC-12". They are given in order of label.
func (s *Service) Machines(ctx context.Context, scope auth.Scope, label string, limit int) ([]Machine, error) {
	folded := squeeze(label)
	if _, own := scope.Own(); len(folded) < 2 || own || scope.Nothing() {
		return nil, nil
	}
	cond, args := scope.SQL("m.school_id", "m.school_id", 5)
	var found []Machine
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		begun, err := machines(ctx, tx, `SELECT DISTINCT label, school_id FROM (SELECT label, school_id FROM search_machine m WHERE tenant_id = $1 AND folded >= $2 AND folded < $3 AND `+cond+`
			ORDER BY folded, school_id, label LIMIT $4) AS begun ORDER BY label, school_id`, append([]any{scope.Tenant(), folded, folded + "\u007f", 4 * limit}, args...)...)
		if err != nil {
			return err
		}
		for _, m := range begun {
			if len(found) == limit {
				break
			}
			// By the label's index: its condition is said, and the school's is kept from
			// being chosen (the "+"), which has thousands; a label that no
			// incident has any more is left out.
			ids, err := numbers(ctx, tx, `SELECT incident_id FROM incident WHERE tenant_id = $1 AND machine_label = $2 AND machine_label <> '' AND +school_id = $3 ORDER BY opened_at DESC LIMIT $4`,
				scope.Tenant(), m.Label, m.School, maxCount)
			if err != nil {
				return err
			}
			if m.Count = len(ids); m.Count > 0 {
				m.Last = ids[0]
				found = append(found, m)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search: machines: %w", err)
	}
	return found, nil
}

// squeeze leaves the letters and digits of a label.
func squeeze(label string) string {
	var b strings.Builder
	for _, r := range fold(label) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	return b.String()[:min(b.Len(), maxWord)]
}

// endings are the folded forms of a label that begin one of its words.
func endings(label string) []string {
	var all []string
	f, word := fold(label), false
	for k, r := range f {
		plain := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if plain && !word && len(all) < 6 {
			if e := squeeze(f[k:]); len(e) >= 2 {
				all = append(all, e)
			}
		}
		word = plain
	}
	return all
}

func machines(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]Machine, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Machine
	for rows.Next() {
		var m Machine
		if err := rows.Scan(&m.Label, &m.School); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}
