package checklist

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

var templateColumns = []string{"tenant_id", "template_id", "version", "title", "about", "items", "archived"}

func saveTemplates(ctx context.Context, tx *sqldb.Tx, tenant int64, all []*Template) error {
	rows := make([][]any, len(all))
	for k, t := range all {
		items, err := json.Marshal(t.Items)
		if err != nil {
			return fmt.Errorf("checklist: template %d: %w", t.ID, err)
		}
		rows[k] = []any{tenant, t.ID, t.Version, t.Title, t.About, string(items), sqldb.Flag(t.Archived)}
	}
	return tx.Upsert(ctx, "checklist_template", []string{"tenant_id", "template_id"}, templateColumns, rows)
}

func templates(ctx context.Context, tx *sqldb.Tx, tenant int64, condition string, args ...any) ([]Template, error) {
	rows, err := tx.Query(ctx, `SELECT template_id, version, title, about, items, archived FROM checklist_template WHERE tenant_id = $1`+condition, append([]any{tenant}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("checklist: templates: %w", err)
	}
	defer rows.Close()
	var all []Template
	for rows.Next() {
		var t Template
		var items string
		var archived int64
		err := rows.Scan(&t.ID, &t.Version, &t.Title, &t.About, &items, &archived)
		if err == nil {
			err = json.Unmarshal([]byte(items), &t.Items)
		}
		if err != nil {
			return nil, fmt.Errorf("checklist: templates: %w", err)
		}
		t.Archived = archived != 0
		all = append(all, t)
	}
	return all, rows.Err()
}

var listColumns = []string{
	"tenant_id", "checklist_id", "version", "template_id", "template_version", "title", "incident_id", "visit_id", "school_id", "checks",
	"items", "done", "mandatory_left", "added_at", "completed_at", "removed", "failed",
}

func saveLists(ctx context.Context, tx *sqldb.Tx, tenant int64, all []*List) error {
	rows := make([][]any, len(all))
	for k, l := range all {
		checks, err := json.Marshal(l.Checks)
		if err != nil {
			return fmt.Errorf("checklist %d: %w", l.ID, err)
		}
		rows[k] = []any{
			tenant, l.ID, l.Version, l.Template, l.TemplateVersion, l.Title, l.Incident, l.Visit, l.School, string(checks),
			len(l.Checks), l.Done(), len(l.Left()), sqldb.Millis(l.AddedAt), sqldb.Millis(l.CompletedAt), sqldb.Flag(l.Removed), l.Failed(),
		}
	}
	return tx.Upsert(ctx, "checklist", []string{"tenant_id", "checklist_id"}, listColumns, rows)
}

const selectList = `SELECT checklist_id, version, template_id, template_version, title, incident_id, visit_id, school_id, checks, added_at, completed_at, removed
	FROM checklist WHERE tenant_id = $1`

func lists(ctx context.Context, tx *sqldb.Tx, tenant int64, condition string, args ...any) ([]List, error) {
	rows, err := tx.Query(ctx, selectList+condition, append([]any{tenant}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("checklist: query: %w", err)
	}
	defer rows.Close()
	var all []List
	for rows.Next() {
		var l List
		var checks string
		var added, completed, removed int64
		err := rows.Scan(&l.ID, &l.Version, &l.Template, &l.TemplateVersion, &l.Title, &l.Incident, &l.Visit, &l.School, &checks, &added, &completed, &removed)
		if err == nil {
			err = json.Unmarshal([]byte(checks), &l.Checks)
		}
		if err != nil {
			return nil, fmt.Errorf("checklist: scan: %w", err)
		}
		l.AddedAt, l.CompletedAt, l.Removed = sqldb.Time(added), sqldb.Time(completed), removed != 0
		all = append(all, l)
	}
	return all, rows.Err()
}

func (s *Service) read(ctx context.Context, tenant int64, condition string, args ...any) ([]List, error) {
	var all []List
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = lists(ctx, tx, tenant, condition, args...)
		return err
	})
	return all, err
}

// Templates lists the templates by title, archived ones too.
func (s *Service) Templates(ctx context.Context, by auth.Identity) ([]Template, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return nil, err
	}
	var all []Template
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = templates(ctx, tx, by.Tenant, ` ORDER BY title, template_id`)
		return err
	})
	return all, err
}

// Template reads one template.
func (s *Service) Template(ctx context.Context, by auth.Identity, id int64) (Template, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Template{}, err
	}
	var found []Template
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		found, err = templates(ctx, tx, by.Tenant, ` AND template_id = $2`, id)
		return err
	})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "error.checklist.template_not_found")
	}
	if err != nil {
		return Template{}, err
	}
	return found[0], nil
}

// Get reads one list, removed or not. Lists are the unit's own business.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (List, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return List{}, err
	}
	found, err := s.read(ctx, by.Tenant, ` AND checklist_id = $2`, id)
	if err == nil && (len(found) == 0 || !by.Scope().SeesSchool(found[0].School)) {
		err = notFound()
	}
	if err != nil {
		return List{}, err
	}
	return found[0], nil
}

// perStatement bounds the length of a list in a condition.
const perStatement = 500

// Of reads the lists of incidents, oldest first; nothing for who may not
// handle them.
func (s *Service) Of(ctx context.Context, by auth.Identity, incidents ...int64) ([]List, error) {
	if !by.Can(auth.HandleIncident) || len(incidents) == 0 {
		return nil, nil
	}
	var all []List
	for part := range slices.Chunk(incidents, perStatement) {
		args := make([]any, len(part))
		marks := make([]string, len(part))
		for k, id := range part {
			args[k], marks[k] = id, "$"+strconv.Itoa(k+2)
		}
		found, err := s.read(ctx, by.Tenant, ` AND removed = 0 AND incident_id <> 0 AND incident_id IN (`+strings.Join(marks, ",")+`) ORDER BY checklist_id`, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// OfVisit reads the lists of a visit itself, oldest first.
func (s *Service) OfVisit(ctx context.Context, by auth.Identity, visit int64) ([]List, error) {
	if !by.Can(auth.HandleIncident) {
		return nil, nil
	}
	return s.read(ctx, by.Tenant, ` AND removed = 0 AND visit_id = $2 AND incident_id = 0 ORDER BY checklist_id`, visit)
}

// Unfinished reads the lists of a school where something mandatory is left,
// oldest first, at most limit.
func (s *Service) Unfinished(ctx context.Context, by auth.Identity, school int64, limit int) ([]List, error) {
	if !by.Can(auth.HandleIncident) {
		return nil, nil
	}
	return s.read(ctx, by.Tenant, ` AND removed = 0 AND school_id = $2 AND mandatory_left > 0 ORDER BY checklist_id LIMIT `+strconv.Itoa(max(1, min(limit, 200))), school)
}

// Projection rebuilds templates and lists from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "checklist", Subjects: []string{Subject, SubjectTemplate}, Tables: []string{"checklist_template", "checklist"}, Apply: apply}
}

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	state := map[int64]*List{}
	made := map[int64]*Template{}
	for k := range events {
		e := &events[k]
		if e.Subject.Kind == SubjectTemplate {
			t := &Template{}
			if err := json.Unmarshal(e.Data, t); err != nil {
				return fmt.Errorf("checklist template %d: event %s: %w", e.Subject.ID, e.Pos, err)
			}
			made[t.ID] = t
			continue
		}
		l := state[e.Subject.ID]
		if l == nil {
			l = &List{ID: e.Subject.ID}
			found, err := lists(ctx, tx, e.Tenant, ` AND checklist_id = $2`, e.Subject.ID)
			if err != nil {
				return err
			}
			if len(found) > 0 {
				l = &found[0]
			}
			state[e.Subject.ID] = l
		}
		if err := l.fold(e); err != nil {
			return err
		}
	}
	if len(made) > 0 {
		if err := saveTemplates(ctx, tx, events[0].Tenant, sorted(made)); err != nil {
			return err
		}
	}
	if len(state) == 0 {
		return nil
	}
	return saveLists(ctx, tx, events[0].Tenant, sorted(state))
}

// sorted gives the values of a map by key.
func sorted[T any](m map[int64]*T) []*T {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	all := make([]*T, len(keys))
	for k, id := range keys {
		all[k] = m[id]
	}
	return all
}
