package incident

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/sqldb"
)

// columns of the incident table, in the order of row and scanRow; the four
// calendar keys are last and only written.
var columns = []string{
	"tenant_id", "incident_id", "version", "state", "title", "description", "school_id", "room_id", "network", "machine_label",
	"category_id", "impact", "urgency", "priority", "declarant_id", "assignee_id", "team_id", "origin", "waiting_code_id",
	"cause_code_id", "resolution_code_id", "resolution", "merged_into", "target", "reopen_count", "reassign_count",
	"occurred_at", "opened_at", "planned_at", "resolved_at", "closed_at", "updated_at", "external_source", "external_id",
	"parent_id", "affected", "related", "rating", "rated_at", "level", "level_at", "tried", "seen_at", "opened_day", "opened_hour", "resolved_day", "closed_day",
}

const calendarKeys = 4

var (
	selectIncident = "SELECT " + strings.Join(columns[1:len(columns)-calendarKeys], ", ") + " FROM incident WHERE tenant_id = $1"
	upsert         = func() string {
		var b strings.Builder
		b.WriteString("ON CONFLICT (tenant_id, incident_id) DO UPDATE SET ")
		for n, c := range columns[2:] {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(c + " = excluded." + c)
		}
		return b.String()
	}()
)

// save writes incidents as they stand, new or not.
func save(ctx context.Context, tx *sqldb.Tx, tenant int64, loc *time.Location, incidents []*Incident) error {
	rows := make([][]any, len(incidents))
	for k, i := range incidents {
		rows[k] = i.row(tenant, loc)
	}
	return tx.Insert(ctx, "incident", columns, rows, upsert)
}

// saveFollowers writes who sees the incidents for having joined them, by
// person: what scopes look up.
func saveFollowers(ctx context.Context, tx *sqldb.Tx, tenant int64, incidents []*Incident) error {
	for part := range slices.Chunk(incidents, perStatement) {
		args := []any{tenant}
		var rows [][]any
		for _, i := range part {
			args = append(args, i.ID)
			for _, person := range i.Affected.People() {
				rows = append(rows, []any{tenant, person, i.ID})
			}
		}
		if _, err := tx.Exec(ctx, "DELETE FROM incident_follower WHERE tenant_id = $1 AND incident_id IN ("+marks(2, len(part))+")", args...); err != nil {
			return fmt.Errorf("incident: followers: %w", err)
		}
		if err := tx.Insert(ctx, "incident_follower", []string{"tenant_id", "person_id", "incident_id"}, rows, ""); err != nil {
			return err
		}
	}
	return nil
}

func (i *Incident) row(tenant int64, loc *time.Location) []any {
	ms := sqldb.Millis
	return []any{
		tenant, i.ID, i.Version, string(i.State), i.Title, i.Description, i.School, i.Room, string(i.Network), i.Machine,
		i.Category, i.Impact, i.Urgency, i.Priority, i.Declarant, i.Assignee, i.Team, string(i.Origin), i.WaitingCode,
		i.CauseCode, i.ResolutionCode, i.Resolution, i.MergedInto, string(i.Target), i.ReopenCount, i.ReassignCount,
		ms(i.OccurredAt), ms(i.OpenedAt), ms(i.PlannedAt), ms(i.ResolvedAt), ms(i.ClosedAt), ms(i.UpdatedAt), i.ExternalSource, i.ExternalID,
		i.Parent, string(i.Affected), string(i.Related), string(i.Rating), ms(i.RatedAt), string(i.Level), ms(i.LevelAt), i.Tried, ms(i.SeenAt), day(i.OpenedAt, loc), hour(i.OpenedAt, loc), day(i.ResolvedAt, loc), day(i.ClosedAt, loc),
	}
}

func day(t time.Time, loc *time.Location) int64 {
	if t.IsZero() {
		return 0
	}
	return int64(calendar.DayOf(t, loc))
}

func hour(t time.Time, loc *time.Location) int64 {
	if t.IsZero() {
		return 0
	}
	return int64(t.In(loc).Hour())
}

func scanRow(rows *sql.Rows) (Incident, error) {
	var i Incident
	var occurred, opened, planned, resolved, closed, updated, rated, level, seen int64
	err := rows.Scan(&i.ID, &i.Version, &i.State, &i.Title, &i.Description, &i.School, &i.Room, &i.Network, &i.Machine,
		&i.Category, &i.Impact, &i.Urgency, &i.Priority, &i.Declarant, &i.Assignee, &i.Team, &i.Origin, &i.WaitingCode,
		&i.CauseCode, &i.ResolutionCode, &i.Resolution, &i.MergedInto, &i.Target, &i.ReopenCount, &i.ReassignCount,
		&occurred, &opened, &planned, &resolved, &closed, &updated, &i.ExternalSource, &i.ExternalID, &i.Parent, &i.Affected, &i.Related, &i.Rating, &rated, &i.Level, &level, &i.Tried, &seen)
	if err != nil {
		return i, fmt.Errorf("incident: scan: %w", err)
	}
	t := sqldb.Time
	i.OccurredAt, i.OpenedAt, i.PlannedAt = t(occurred), t(opened), t(planned)
	i.ResolvedAt, i.ClosedAt, i.UpdatedAt = t(resolved), t(closed), t(updated)
	i.RatedAt = t(rated)
	i.LevelAt, i.SeenAt = t(level), t(seen)
	return i, nil
}

// query reads incidents of a tenant under a further condition.
func query(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]Incident, error) {
	rows, err := tx.Query(ctx, selectIncident+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("incident: query: %w", err)
	}
	defer rows.Close()
	var all []Incident
	for rows.Next() {
		i, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// perStatement bounds the length of a list in a condition.
const perStatement = 500

// load reads incidents by number, whatever the reader; missing ones are absent.
func load(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) (map[int64]*Incident, error) {
	found := make(map[int64]*Incident, len(ids))
	for part := range slices.Chunk(ids, perStatement) {
		args := []any{tenant}
		for _, id := range part {
			args = append(args, id)
		}
		all, err := query(ctx, tx, " AND incident_id IN ("+marks(2, len(part))+")", args...)
		if err != nil {
			return nil, err
		}
		for k := range all {
			found[all[k].ID] = &all[k]
		}
	}
	return found, nil
}

// marks writes n parameters from $first on.
func marks(first, n int) string {
	var b strings.Builder
	for k := range n {
		if k > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + k))
	}
	return b.String()
}

// lock makes the commands on the same incidents follow one another until the
// end of the transaction. It must come before anything is written: on
// PostgreSQL the journal's order is that of the transactions' numbers, and a
// number is given at the first write. A row lock would not do, because a
// transaction is numbered before it waits for one. SQLite has one writer.
func lock(ctx context.Context, tx *sqldb.Tx, tenant int64, names ...string) error {
	if tx.Dialect() == sqldb.SQLite {
		return nil
	}
	keys := make([]int64, len(names))
	for k, name := range names {
		h := fnv.New64a()
		fmt.Fprintf(h, "incident/%d/%s", tenant, name)
		keys[k] = int64(h.Sum64())
	}
	slices.Sort(keys) // the same order for everybody, or two commands wait for each other
	for part := range slices.Chunk(slices.Compact(keys), perStatement) {
		args := make([]any, len(part))
		for k := range part {
			args[k] = part[k]
		}
		var b strings.Builder
		for k := range part {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "pg_advisory_xact_lock($%d::bigint)", k+1)
		}
		if _, err := tx.Exec(ctx, "SELECT "+b.String(), args...); err != nil {
			return fmt.Errorf("incident: lock: %w", err)
		}
	}
	return nil
}

func lockName(id int64) string { return strconv.FormatInt(id, 10) }

// Get reads one incident. It is NotFound when it does not exist or is out of
// scope.
func (s *Service) Get(ctx context.Context, scope auth.Scope, id int64) (Incident, error) {
	all, err := s.Many(ctx, scope, []int64{id})
	if err != nil {
		return Incident{}, err
	}
	if len(all) == 0 {
		return Incident{}, notFound()
	}
	return all[0], nil
}

// Many reads incidents in the order of ids; those that do not exist or are
// out of scope are left out.
func (s *Service) Many(ctx context.Context, scope auth.Scope, ids []int64) ([]Incident, error) {
	if scope.Nothing() || len(ids) == 0 {
		return nil, nil
	}
	var found map[int64]*Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		found, err = load(ctx, tx, scope.Tenant(), ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := make([]Incident, 0, len(found))
	for _, id := range ids {
		if i := found[id]; i != nil && i.SeenBy(scope) {
			all = append(all, *i)
		}
	}
	return all, nil
}

// ByExternal finds an imported incident by the number that it had in the
// software it came from.
func (s *Service) ByExternal(ctx context.Context, scope auth.Scope, source, id string) (Incident, error) {
	return s.one(ctx, scope, " AND external_source = $2 AND external_id = $3 AND external_id <> ''", scope.Tenant(), source, id)
}

func (s *Service) one(ctx context.Context, scope auth.Scope, condition string, args ...any) (Incident, error) {
	var all []Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = query(ctx, tx, condition, args...)
		return err
	})
	switch {
	case err != nil:
		return Incident{}, err
	case len(all) == 0 || !all[0].SeenBy(scope):
		return Incident{}, notFound()
	}
	return all[0], nil
}

// MergedInto lists the incidents that were merged into one, as far as the
// scope goes, by number.
func (s *Service) MergedInto(ctx context.Context, scope auth.Scope, id int64) ([]Incident, error) {
	return s.list(ctx, scope, " AND merged_into = $2 AND merged_into <> 0", scope.Tenant(), id)
}

// byNumber orders incidents by number. The few that a link gives are sorted
// here: asked for ORDER BY incident_id, SQLite follows the primary key through
// the whole table rather than the link's index.
func byNumber(a, b Incident) int { return cmp.Compare(a.ID, b.ID) }

// list gives the few incidents that a condition by index finds, by number.
func (s *Service) list(ctx context.Context, scope auth.Scope, condition string, args ...any) ([]Incident, error) {
	var all []Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = query(ctx, tx, condition, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(i Incident) bool { return !i.SeenBy(scope) })
	slices.SortFunc(all, byNumber)
	return all, nil
}

// seenKey gives the incident that an idempotency key made and the digest of
// what was asked then; 0 if the key is new.
func seenKey(ctx context.Context, tx *sqldb.Tx, by auth.Identity, key string) (id int64, request string, err error) {
	err = tx.QueryRow(ctx, `SELECT subject_id, request_hash FROM idempotency WHERE tenant_id = $1 AND account_id = $2 AND key = $3`,
		by.Tenant, by.Account, key).Scan(&id, &request)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return id, request, err
}

func keepKey(ctx context.Context, tx *sqldb.Tx, by auth.Identity, key, request string, id int64, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO idempotency (tenant_id, account_id, key, request_hash, subject_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		by.Tenant, by.Account, key, request, id, sqldb.Millis(at))
	return err
}
