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
// last: fetching one column instead of twenty-three is three times faster on
// SQLite, where each fetch takes a lock.
const selectFacts = `SELECT concat_ws('|', incident_id, school_id, room_id, category_id, impact, urgency, priority,
	declarant_id, assignee_id, team_id, cause_code_id, resolution_code_id, reopen_count,
	opened_at, resolved_at, closed_at, updated_at, state, network, origin, target, level, machine_label)
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
	err := m.cfg.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if pos, err = journal.Head(ctx, tx, m.cfg.Tenant); err != nil {
			return err
		}
		if err = f.followers.read(ctx, tx, m.cfg.Tenant); err != nil {
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
	parts := make([]chan []record, readers)
	for k := range parts {
		parts[k] = make(chan []record, 1)
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
		for n := range ranges {
			part, ok := <-parts[n%readers]
			if !ok {
				return nil // the reader tells its error itself
			}
			for i := range part {
				if err := f.add(&part[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return pos, group.Wait()
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

func readFacts(ctx context.Context, tx *sqldb.Tx, tenant, from, to int64, words map[string]string) ([]record, error) {
	rows, err := tx.Query(ctx, selectFacts, tenant, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var line sql.RawBytes
	records := make([]record, 0, loadRange)
	for rows.Next() {
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		r, err := parseRecord(line, words)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

var errLine = errors.New("cube: a row of the incident table is not as expected")

// parseRecord reads a line of selectFacts. Words are those already met, so that
// a million rows do not make five million strings.
func parseRecord(line []byte, words map[string]string) (r record, err error) {
	var n [17]int64
	for i := range n {
		k := bytes.IndexByte(line, '|')
		if k < 1 {
			return r, fmt.Errorf("%w: %q", errLine, line)
		}
		for _, c := range line[:k] {
			if c < '0' || c > '9' {
				if c == '-' {
					continue // an instant before 1970 is not reached, whatever its size
				}
				return r, fmt.Errorf("%w: %q", errLine, line)
			}
			n[i] = n[i]*10 + int64(c-'0')
		}
		if line[0] == '-' {
			n[i] = -n[i]
		}
		line = line[k+1:]
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
		declarant: n[7], assignee: n[8], team: n[9], cause: n[10], solution: n[11], reopened: int(n[12]),
		opened: seconds(n[13]), resolved: seconds(n[14]), closed: seconds(n[15]), updated: seconds(n[16]),
	}
	r.state, r.network, r.origin, r.target = incident.State(next()), next(), incident.Origin(next()), next()
	r.level = incident.Level(next())
	r.machine = intern(line)
	return r, err
}
