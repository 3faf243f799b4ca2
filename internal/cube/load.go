package cube

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// selectFacts gives each incident as one text, numbers first and the free text
// last: fetching one column instead of twenty-six is three times faster on
// SQLite, where each fetch takes a lock.
const selectFacts = `SELECT concat_ws('|', incident_id, school_id, room_id, category_id, impact, urgency, priority,
	declarant_id, assignee_id, team_id, cause_code_id, resolution_code_id, reopen_count, waiting_code_id, reassign_count,
	opened_at, resolved_at, closed_at, updated_at, state, network, origin, target, rating, level, machine_label)
	FROM incident WHERE tenant_id = $1 AND incident_id >= $2 AND incident_id < $3 ORDER BY incident_id`

const (
	// loadRange is how many numbers one statement of a load asks for.
	loadRange = 10_000
	// loadersFrom is from how many numbers on two connections read at once.
	loadersFrom = 4 * loadRange
)

// load fills empty columns and gives the position in the journal from which to
// go on. Each reader has its own snapshot, not older than the position: events
// after it may be in the rows already, and applying them again changes nothing,
// because an event says what its fields become.
func (m *Memory) load(ctx context.Context, f *facts) (journal.Pos, error) {
	var pos journal.Pos
	var first, last int64
	var desks map[int64]desk
	err := m.cfg.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if pos, err = journal.Head(ctx, tx, m.cfg.Tenant); err != nil {
			return err
		}
		if err = f.followers.read(ctx, tx, m.cfg.Tenant); err != nil {
			return err
		}
		if desks, err = readDesks(ctx, tx, m.cfg.Tenant, nil); err != nil {
			return err
		}
		if f.visits, err = readVisits(ctx, tx, m.cfg.Tenant); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `SELECT stamp FROM service_clock WHERE tenant_id = $1 ORDER BY stamp DESC LIMIT 1`, m.cfg.Tenant).Scan(&m.stamp)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return tx.QueryRow(ctx, `SELECT COALESCE(min(incident_id), 0), COALESCE(max(incident_id), 0) FROM incident WHERE tenant_id = $1`, m.cfg.Tenant).Scan(&first, &last)
	})
	if err != nil {
		return pos, err
	}
	size := max(loadRange, (last-first)/1000+1) // numbers are dense; if not, not a statement for each hole
	ranges := int((last-first)/size) + 1
	readers := 1
	if last-first > loadersFrom {
		readers = 2
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	parts := make([]chan loaded, readers)
	for k := range parts {
		parts[k] = make(chan loaded, 1)
		group.Go(func() error {
			defer close(parts[k])
			return m.cfg.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				words := map[string]string{}
				for n := k; n < ranges; n += readers {
					to := first + int64(n+1)*size
					if n == ranges-1 {
						to = math.MaxInt64
					}
					part, err := readFacts(ctx, tx, m.cfg.Tenant, first+int64(n)*size, to, words)
					if err != nil {
						return err
					}
					select {
					case parts[k] <- part:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			})
		})
	}
	group.Go(func() error {
		now := seconds(sqldb.Millis(m.cfg.Now()))
		for n := range ranges {
			part, ok := <-parts[n%readers]
			if !ok {
				return nil // the reader tells its error itself
			}
			if err := f.addAll(part, desks, now); err != nil {
				return err
			}
		}
		return nil
	})
	return pos, group.Wait()
}

// loaded are the incidents of a range of numbers, and their clocks, both in
// order.
type loaded struct {
	records []record
	clocks  []clocks
}

func (f *facts) addAll(part loaded, desks map[int64]desk, now uint32) error {
	k := 0
	for i := range part.records {
		r := &part.records[i]
		if err := f.add(r); err != nil {
			return err
		}
		row := uint32(f.rows - 1)
		for k < len(part.clocks) && part.clocks[k].id < r.id {
			k++
		}
		if k < len(part.clocks) && part.clocks[k].id == r.id {
			f.setClocks(row, &part.clocks[k], now)
		}
		if d, ok := desks[r.id]; ok {
			f.setDesk(row, d)
		}
	}
	return nil
}

// add appends a record; its repeats are judged later, by linkAll.
func (f *facts) add(r *record) error {
	row := uint32(f.rows)
	if err := f.put(row, r); err != nil {
		return err
	}
	c, i := f.at(row)
	c.added(i)
	return nil
}

func readFacts(ctx context.Context, tx *sqldb.Tx, tenant, from, to int64, words map[string]string) (loaded, error) {
	var out loaded
	rows, err := tx.Query(ctx, selectFacts, tenant, from, to)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	var line sql.RawBytes
	out.records = make([]record, 0, loadRange)
	for rows.Next() {
		if err := rows.Scan(&line); err != nil {
			return out, err
		}
		r, err := parseRecord(line, words)
		if err != nil {
			return out, err
		}
		out.records = append(out.records, r)
	}
	if err := rows.Err(); err != nil {
		return out, err
	}
	rows.Close()
	out.clocks, _, err = readClocks(ctx, tx, ` AND incident_id >= $2 AND incident_id < $3 ORDER BY incident_id`, tenant, from, to)
	return out, err
}

var errLine = errors.New("cube: a row of the database is not as expected")

// nextNumber reads a number up to the next bar, or the end.
func nextNumber(line []byte) (n int64, rest []byte, err error) {
	minus := len(line) > 0 && line[0] == '-'
	i := 0
	if minus {
		i = 1
	}
	for ; i < len(line) && line[i] != '|'; i++ {
		if line[i] < '0' || line[i] > '9' {
			return 0, nil, fmt.Errorf("%w: %q", errLine, line)
		}
		n = n*10 + int64(line[i]-'0')
	}
	if i == 0 {
		return 0, nil, fmt.Errorf("%w: %q", errLine, line)
	}
	if minus {
		n = -n
	}
	return n, line[min(i+1, len(line)):], nil
}

// parseRecord reads a line of selectFacts. Words are those already met, so that
// a million rows do not make five million strings.
func parseRecord(line []byte, words map[string]string) (r record, err error) {
	var n [19]int64
	for i := range n {
		if n[i], line, err = nextNumber(line); err != nil {
			return r, err
		}
	}
	intern := func(b []byte) string {
		s, ok := words[string(b)]
		if !ok {
			s = string(b)
			words[s] = s
		}
		return s
	}
	next := func() string {
		k := bytes.IndexByte(line, '|')
		if k < 0 {
			err = fmt.Errorf("%w: %q", errLine, line)
			return ""
		}
		w := intern(line[:k])
		line = line[k+1:]
		return w
	}
	r = record{
		id: n[0], school: n[1], room: n[2], category: n[3], impact: int(n[4]), urgency: int(n[5]), priority: int(n[6]),
		declarant: n[7], assignee: n[8], team: n[9], cause: n[10], solution: n[11], reopened: int(n[12]), waiting: n[13], reassigned: int(n[14]),
		opened: seconds(n[15]), resolved: seconds(n[16]), closed: seconds(n[17]), updated: seconds(n[18]),
	}
	r.state, r.network, r.origin, r.target, r.rating = incident.State(next()), next(), incident.Origin(next()), next(), incident.Rating(next())
	r.level = incident.Level(next())
	r.machine = intern(line)
	return r, err
}
