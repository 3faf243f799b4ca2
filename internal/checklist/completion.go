package checklist

import (
	"context"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Group sums up the lists of one template, or of one template in one school.
type Group struct {
	Template  int64
	Title     string // of the youngest list
	School    int64  // 0 when every school is in it
	Lists     int
	Completed int
	Items     int           // of all lists
	Done      int           // of them
	Median    time.Duration // from beginning to completion, of those completed; 0 if none is
}

// Share is the completed lists over all.
func (g *Group) Share() float64 {
	if g.Lists == 0 {
		return 0
	}
	return float64(g.Completed) / float64(g.Lists)
}

// Period bounds when the lists were begun, [From, To).
type Period struct{ From, To time.Time }

// counted is what the counting needs of a list.
type counted struct {
	template, school int64
	title            string
	items, done      int
	added, completed time.Time
}

// Completion counts the lists begun in a period, by template and, if asked, by
// school, among the schools that the reader sees; template and school 0 are
// all. Removed lists do not count.
func (s *Service) Completion(ctx context.Context, by auth.Identity, p Period, template, school int64, bySchool bool) ([]Group, error) {
	if err := by.Require(auth.ViewStatistics); err != nil {
		return nil, err
	}
	scope := by.Scope()
	var all []counted
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		cond, args := scope.SQL("school_id", "0", 6)
		rows, err := tx.Query(ctx, `SELECT template_id, title, school_id, items, done, added_at, completed_at FROM checklist WHERE tenant_id = $1 AND removed = 0
			AND added_at >= $2 AND added_at < $3 AND ($4 = 0 OR template_id = $4) AND ($5 = 0 OR school_id = $5) AND `+cond+` ORDER BY added_at, checklist_id LIMIT 50000`,
			append([]any{by.Tenant, sqldb.Millis(p.From), sqldb.Millis(p.To), template, school}, args...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		all = nil
		for rows.Next() {
			var l counted
			var added, completed int64
			if err := rows.Scan(&l.template, &l.title, &l.school, &l.items, &l.done, &added, &completed); err != nil {
				return err
			}
			l.added, l.completed = sqldb.Time(added), sqldb.Time(completed)
			all = append(all, l)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return count(all, bySchool), nil
}

func count(all []counted, bySchool bool) []Group {
	type key struct{ template, school int64 }
	at := map[key]int{}
	var groups []Group
	took := map[key][]time.Duration{}
	for _, l := range all {
		k := key{l.template, 0}
		if bySchool {
			k.school = l.school
		}
		n, ok := at[k]
		if !ok {
			n = len(groups)
			at[k] = n
			groups = append(groups, Group{Template: k.template, School: k.school})
		}
		g := &groups[n]
		g.Title = l.title
		g.Lists++
		g.Items += l.items
		g.Done += l.done
		if !l.completed.IsZero() {
			g.Completed++
			took[k] = append(took[k], l.completed.Sub(l.added))
		}
	}
	for k, n := range at {
		groups[n].Median = median(took[k])
	}
	return groups
}

// median of durations: the middle one, or the mean of the two in the middle.
func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	mid := len(list) / 2
	if len(list)%2 == 1 {
		return list[mid]
	}
	return (list[mid-1] + list[mid]) / 2
}
