package knowledge

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

var columns = []string{
	"tenant_id", "article_id", "version", "audience", "state", "title", "title_en", "body", "body_en", "category_id", "equipment",
	"incident_id", "starter", "review_day", "created_at", "updated_at", "published_at",
}

// Projection rebuilds the articles and their uses from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "knowledge", Subjects: []string{Subject}, Tables: []string{"article", "article_use"}, Apply: apply}
}

// apply folds events, in order, into the tables.
func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for k := range events {
		e := &events[k]
		var err error
		switch e.Kind {
		case EventUsed, EventUnused:
			err = applyMark(ctx, tx, e)
		default:
			var a Article
			if err = json.Unmarshal(e.Data, &a); err != nil {
				break
			}
			err = tx.Upsert(ctx, "article", []string{"tenant_id", "article_id"}, columns, [][]any{{
				e.Tenant, e.Subject.ID, a.Version, string(a.Audience), string(a.State), a.Title, a.TitleEN, a.Body, a.BodyEN, a.Category, a.Equipment,
				a.Incident, a.Starter, int64(a.Review), sqldb.Millis(a.Created), sqldb.Millis(a.Updated), sqldb.Millis(a.Published),
			}})
		}
		if err != nil {
			return fmt.Errorf("knowledge: article %d, event %s: %w", e.Subject.ID, e.Pos, err)
		}
	}
	return nil
}

func applyMark(ctx context.Context, tx *sqldb.Tx, e *journal.Event) error {
	var m Mark
	if err := json.Unmarshal(e.Data, &m); err != nil {
		return err
	}
	if m.Use == Helped || m.Use == NotHelped || e.Kind == EventUnused {
		// Of somebody's opinions the last one counts.
		uses := "use = $5"
		args := []any{e.Tenant, e.Subject.ID, m.Account, m.Incident, string(m.Use)}
		if m.Use == Helped || m.Use == NotHelped {
			uses = "use IN ($5, $6)"
			args = append(args[:4], string(Helped), string(NotHelped))
		}
		if _, err := tx.Exec(ctx, `DELETE FROM article_use WHERE tenant_id = $1 AND article_id = $2 AND account_id = $3 AND incident_id = $4 AND `+uses, args...); err != nil {
			return err
		}
	}
	if e.Kind == EventUnused {
		return nil
	}
	return tx.Upsert(ctx, "article_use", []string{"tenant_id", "article_id", "use", "account_id", "incident_id", "day"},
		[]string{"tenant_id", "article_id", "use", "account_id", "incident_id", "day", "at"},
		[][]any{{e.Tenant, e.Subject.ID, string(m.Use), m.Account, m.Incident, int64(m.Day), sqldb.Millis(e.At)}})
}

// articles reads the articles of a tenant, or one of them, without their uses.
func articles(ctx context.Context, tx *sqldb.Tx, tenant, id int64) ([]Article, error) {
	rows, err := tx.Query(ctx, "SELECT "+strings.Join(columns[1:], ", ")+" FROM article WHERE tenant_id = $1 AND (article_id = $2 OR $2 = 0) ORDER BY article_id", tenant, id)
	if err != nil {
		return nil, fmt.Errorf("knowledge: articles: %w", err)
	}
	defer rows.Close()
	var all []Article
	for rows.Next() {
		var a Article
		var review, created, updated, published int64
		if err := rows.Scan(&a.ID, &a.Version, &a.Audience, &a.State, &a.Title, &a.TitleEN, &a.Body, &a.BodyEN, &a.Category, &a.Equipment,
			&a.Incident, &a.Starter, &review, &created, &updated, &published); err != nil {
			return nil, fmt.Errorf("knowledge: articles: %w", err)
		}
		a.Review, a.Created, a.Updated, a.Published = calendar.Day(review), sqldb.Time(created), sqldb.Time(updated), sqldb.Time(published)
		all = append(all, a)
	}
	return all, rows.Err()
}

// uses counts what each article of a tenant was good for.
func uses(ctx context.Context, tx *sqldb.Tx, tenant int64) (map[int64]Uses, error) {
	rows, err := tx.Query(ctx, `SELECT article_id, use, count(*) FROM article_use WHERE tenant_id = $1 GROUP BY article_id, use`, tenant)
	if err != nil {
		return nil, fmt.Errorf("knowledge: uses: %w", err)
	}
	defer rows.Close()
	all := map[int64]Uses{}
	for rows.Next() {
		var id int64
		var use Use
		var n int
		if err := rows.Scan(&id, &use, &n); err != nil {
			return nil, fmt.Errorf("knowledge: uses: %w", err)
		}
		u := all[id]
		switch use {
		case Helped:
			u.Helped = n
		case NotHelped:
			u.NotHelped = n
		case Avoided:
			u.Avoided = n
		case Applied:
			u.Applied = n
		}
		all[id] = u
	}
	return all, rows.Err()
}
