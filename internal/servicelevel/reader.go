package servicelevel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Reader is the table of clocks' name among the journal's readers.
const Reader = "servicelevel"

// rulers are the subjects whose changes can change any clock.
var rulers = []string{
	SubjectTarget, SubjectSetting, catalog.SubjectCategory, catalog.SubjectCode,
	directory.SubjectTenant, directory.SubjectSchool, directory.SubjectSchoolHoliday, directory.SubjectPublicHoliday, directory.SubjectHours, directory.SubjectClosure,
}

// How often, and how much at a time, the background works.
const (
	recomputeEvery = time.Second
	recomputeChunk = 200
	watchEvery     = 20 * time.Second
	watchChunk     = 200
	// news is how long after the fact people are still told: what was late
	// before (an old backlog, an import) is no news.
	news = 7 * 24 * time.Hour
)

// Run keeps a tenant's table of clocks current and tells, once each, of the
// clocks that are about to be late or are, until ctx ends.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return s.ruled(ctx, tenant, func(r *ruling) error {
			return s.j.Run(ctx, tenant, Reader, func(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
				return follow(ctx, tx, r, events)
			})
		})
	})
	group.Go(func() error {
		return every(ctx, recomputeEvery, func() error { return s.Recompute(ctx, tenant) })
	})
	group.Go(func() error {
		return every(ctx, watchEvery, func() error { return s.Tell(ctx, tenant, sqldb.Now()) })
	})
	return group.Wait()
}

func every(ctx context.Context, d time.Duration, fn func() error) error {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if err := fn(); err != nil {
			if ctx.Err() != nil || errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Fresh brings a tenant's table of clocks up to what the journal shows now,
// recomputation included.
func (s *Service) Fresh(ctx context.Context, tenant int64) error {
	err := s.ruled(ctx, tenant, func(r *ruling) error {
		return s.j.CatchUp(ctx, tenant, Reader, func(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
			return follow(ctx, tx, r, events)
		})
	})
	if err != nil {
		return err
	}
	return s.Recompute(ctx, tenant)
}

// follow computes again the clocks of the incidents that a batch of events is
// about, and asks for a recomputation if what rules them has changed.
func follow(ctx context.Context, tx *sqldb.Tx, r *ruling, events []journal.Event) error {
	var ids []int64
	ruled := false
	for k := range events {
		switch e := &events[k]; {
		case e.Subject.Kind == incident.Subject:
			ids = append(ids, e.Subject.ID)
		case slices.Contains(rulers, e.Subject.Kind):
			ruled = true
		}
	}
	tenant := events[0].Tenant
	if ruled {
		if err := tx.Upsert(ctx, "service_recompute", []string{"tenant_id"}, []string{"tenant_id", "done_id"}, [][]any{{tenant, 0}}); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if err := tx.PlanAfresh(ctx); err != nil {
		return err
	}
	_, err := bring(ctx, tx, tenant, r, ids)
	return err
}

// bring writes the clocks of some incidents (sorted, none twice) that are not
// as they should be, and gives those.
func bring(ctx context.Context, tx *sqldb.Tx, tenant int64, r *ruling, ids []int64) ([]Difference, error) {
	wrong, want, err := compare(ctx, tx, tenant, r, ids)
	if err != nil || len(wrong) == 0 {
		return nil, err
	}
	return wrong, writeClocks(ctx, tx, tenant, want)
}

// Difference is an incident whose row in the table of clocks is not what its
// story says.
type Difference struct {
	Incident     int64
	Kept, Proper string // in words of the table
}

// compare computes the clocks of some incidents and gives those that are not
// kept as they should be.
func compare(ctx context.Context, tx *sqldb.Tx, tenant int64, r *ruling, ids []int64) ([]Difference, []kept, error) {
	if err := r.current(ctx, tx, tenant); err != nil {
		return nil, nil, err
	}
	events, err := journal.OfMany(ctx, tx, tenant, incident.Subject, ids)
	if err != nil {
		return nil, nil, err
	}
	stored, err := clocksOf(ctx, tx, tenant, ids)
	if err != nil {
		return nil, nil, err
	}
	all, err := eachStory(events)
	if err != nil {
		return nil, nil, err
	}
	var wrong []Difference
	var want []kept
	for k := range all {
		proper := keep(&all[k], TallyOf(all[k], r.Rules))
		have, ok := stored[proper.Incident]
		if !ok || !have.same(&proper) {
			d := Difference{Incident: proper.Incident, Proper: proper.String()}
			if ok {
				d.Kept = have.String()
			}
			wrong, want = append(wrong, d), append(want, proper)
		}
	}
	return wrong, want, nil
}

// String is the row as a person compares it.
func (k *kept) String() string {
	say := func(r *Reading) string {
		return fmt.Sprintf("%s %d/%d min since %s due %s late %s", r.Phase, r.Spent, r.Target, moment(r.Since), moment(r.Due), moment(r.LateAt))
	}
	return "response " + say(&k.Response) + "; resolution " + say(&k.Resolution) + "; school " + strconv.FormatInt(k.School, 10)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02T15:04Z")
}

// numbered gives the next incidents after a number, in order.
func numbered(ctx context.Context, tx *sqldb.Tx, tenant, after int64, most int) ([]int64, error) {
	rows, err := tx.Query(ctx, `SELECT DISTINCT subject_id FROM event WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id > $3 ORDER BY subject_id LIMIT $4`,
		tenant, incident.Subject, after, most)
	if err != nil {
		return nil, fmt.Errorf("servicelevel: incidents: %w", err)
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

// Recompute does what is left of a recomputation that a change of targets or
// calendars asked for, a few incidents a transaction.
func (s *Service) Recompute(ctx context.Context, tenant int64) error {
	for {
		asked := false
		err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, `SELECT count(*) > 0 FROM service_recompute WHERE tenant_id = $1`, tenant).Scan(&asked)
		})
		if err != nil || !asked || ctx.Err() != nil {
			return err
		}
		err = s.ruled(ctx, tenant, func(r *ruling) error {
			return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return recompute(ctx, tx, tenant, r) })
		})
		if err != nil {
			return fmt.Errorf("servicelevel: recompute: %w", err)
		}
	}
}

func recompute(ctx context.Context, tx *sqldb.Tx, tenant int64, r *ruling) error {
	// The reader of the journal has its turn before or after, not during: two
	// writers of one row could leave the older.
	if err := turn(ctx, tx, tenant); err != nil {
		return err
	}
	var done int64
	err := tx.QueryRow(ctx, `SELECT done_id FROM service_recompute WHERE tenant_id = $1`, tenant).Scan(&done)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // another process has done the rest
	}
	if err != nil {
		return err
	}
	ids, err := numbered(ctx, tx, tenant, done, recomputeChunk)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM service_recompute WHERE tenant_id = $1`, tenant)
		return err
	}
	if _, err := bring(ctx, tx, tenant, r, ids); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE service_recompute SET done_id = $2 WHERE tenant_id = $1`, tenant, ids[len(ids)-1])
	return err
}

func turn(ctx context.Context, tx *sqldb.Tx, tenant int64) error {
	var seq int64
	err := tx.QueryRow(ctx, `SELECT seq FROM reader_cursor WHERE tenant_id = $1 AND reader = $2`+tx.ForUpdate(), tenant, Reader).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it has never had one
	}
	return err
}

// Report is what comparing the table of clocks with the journal found.
type Report struct {
	Incidents   int // compared
	Differences int
	First       []Difference // a few of them
}

// mostShown bounds the differences that a report lists.
const mostShown = 50

// Check computes the clocks of every incident from its story and compares them
// with the table; repair also puts the table right. Progress, which may be
// nil, is told how many incidents are done.
func (s *Service) Check(ctx context.Context, by auth.Identity, repair bool, progress func(done int)) (Report, error) {
	if err := by.Require(auth.EditService); err != nil {
		return Report{}, err
	}
	var out Report
	if err := s.Fresh(ctx, by.Tenant); err != nil {
		return out, err
	}
	after := int64(0)
	for {
		var ids []int64
		var wrong []Difference
		err := s.ruled(ctx, by.Tenant, func(r *ruling) error {
			return s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				var err error
				if ids, err = numbered(ctx, tx, by.Tenant, after, perStatement); err != nil {
					return err
				}
				wrong, _, err = compare(ctx, tx, by.Tenant, r, ids)
				return err
			})
		})
		if err != nil {
			return out, err
		}
		if len(ids) == 0 {
			return out, nil
		}
		if len(wrong) > 0 {
			// What happened while we compared is no difference: the reader has its
			// turn, and those alone are compared again. It may have to wait for
			// another command to end.
			for try := 0; try < 10 && len(wrong) > 0; try++ {
				if try > 0 {
					pause(ctx, 200*time.Millisecond)
				}
				if wrong, err = s.again(ctx, by.Tenant, wrong, false); err != nil {
					return out, err
				}
			}
			if repair && len(wrong) > 0 {
				if wrong, err = s.again(ctx, by.Tenant, wrong, true); err != nil {
					return out, err
				}
			}
		}
		out.Incidents += len(ids)
		out.Differences += len(wrong)
		out.First = append(out.First, wrong[:min(len(wrong), mostShown-len(out.First))]...)
		after = ids[len(ids)-1]
		if progress != nil {
			progress(out.Incidents)
		}
	}
}

// again compares some incidents once more, after the reader, and puts them
// right if asked to.
func (s *Service) again(ctx context.Context, tenant int64, suspects []Difference, repair bool) (wrong []Difference, err error) {
	if err := s.Fresh(ctx, tenant); err != nil {
		return nil, err
	}
	ids := make([]int64, len(suspects))
	for k := range suspects {
		ids[k] = suspects[k].Incident
	}
	err = s.ruled(ctx, tenant, func(r *ruling) error {
		if !repair {
			return s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				var err error
				wrong, _, err = compare(ctx, tx, tenant, r, ids)
				return err
			})
		}
		return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := turn(ctx, tx, tenant); err != nil {
				return err
			}
			var err error
			wrong, err = bring(ctx, tx, tenant, r, ids)
			return err
		})
	})
	return wrong, err
}
