package cube

import (
	"container/heap"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// What the desk's other rooms know of an incident: how its service clocks
// stand (the table of clocks, which a reader of package servicelevel keeps) and
// what was done about it (visits, time, parts, check-lists). Memory looks these
// up again when an event of those rooms says that they have changed, and
// follows the stamps of the table of clocks, which no event announces.

// desk is what few incidents have, beside their chunk's columns. The last two
// are open minutes that do not fit a column.
type desk struct {
	parts, cents, visits, minutes, lists, failures int64
	reassigned                                     int64
	response, resolution                           uint32
}

// of picks a quantity.
func (d *desk) of(q quantity) int64 {
	switch q {
	case ofReassignments:
		return d.reassigned
	case ofParts:
		return d.parts
	case ofCents:
		return d.cents
	case ofVisits:
		return d.visits
	case ofMinutes:
		return d.minutes
	case ofLists:
		return d.lists
	case ofFailures:
		return d.failures
	}
	return 0
}

// Open minutes of a column that are no number.
const (
	unspent   = math.MaxUint16     // the clock has not stopped
	longSpent = math.MaxUint16 - 1 // more than the column holds: see desk
)

// clockBits are those of outcome that say how the clocks stand.
const clockBits = 1<<4 - 1

// Codes of clockWords.
const (
	clockKept    = 1
	clockLate    = 2
	clockRunning = 3
)

// side gives the desk of a row, made if it has none.
func (c *chunk) side(i int) *desk {
	if c.desk[i] == 0 {
		c.desks = append(c.desks, desk{reassigned: int64(c.outcome[i] >> 6)})
		c.desk[i] = uint16(len(c.desks))
	}
	return &c.desks[c.desk[i]-1]
}

// had is how much of a quantity a row has.
func (c *chunk) had(q quantity, i int) int64 {
	if k := c.desk[i]; k != 0 {
		return c.desks[k-1].of(q)
	}
	if q == ofReassignments {
		return int64(c.outcome[i] >> 6)
	}
	return 0
}

// spent gives the open minutes of a row's clock that has stopped.
func (c *chunk) spent(resolution bool, i int) (minutes uint32, stopped bool) {
	v := c.responseSpent[i]
	if resolution {
		v = c.resolutionSpent[i]
	}
	switch {
	case v == unspent:
		return 0, false
	case v != longSpent:
		return uint32(v), true
	case resolution:
		return c.desks[c.desk[i]-1].resolution, true
	}
	return c.desks[c.desk[i]-1].response, true
}

// flags is one of the columns of a byte.
func (c *chunk) flags(col column) []uint8 {
	switch col {
	case colSeverity:
		return c.severity[:c.n]
	case colStatus:
		return c.status[:c.n]
	}
	return c.outcome[:c.n]
}

// markFlags says where each mark is, and which bytes have it.
var markFlags = func() (all [marks]struct {
	col   column
	table [256]uint8
}) {
	flag := func(m mark, col column, has func(b uint8) bool) {
		all[m].col = col
		all[m].table = statusTable(func(b uint8) uint8 { return uint8(bit(has(b))) })
	}
	flag(isReopened, colStatus, func(b uint8) bool { return b&reopenedBit != 0 })
	flag(isRepeated, colSeverity, func(b uint8) bool { return b&repeatBit != 0 })
	flag(keptResponse, colOutcome, func(b uint8) bool { return b&3 == clockKept })
	flag(lateResponse, colOutcome, func(b uint8) bool { return b&3 == clockLate })
	flag(keptResolution, colOutcome, func(b uint8) bool { return b>>2&3 == clockKept })
	flag(lateResolution, colOutcome, func(b uint8) bool { return b>>2&3 == clockLate })
	flag(isRated, colOutcome, func(b uint8) bool { return b>>4&3 != 0 })
	flag(isSatisfied, colOutcome, func(b uint8) bool { return b>>4&3 == 1 })
	flag(isUnsatisfied, colOutcome, func(b uint8) bool { return b>>4&3 == 3 })
	return all
}()

// clock is how one clock of an incident stands in its table.
type clock struct {
	code  uint8 // of clockWords, but for what the present instant makes late; 0 without a target
	spent int64 // open minutes once it has stopped, else -1
	late  uint32
}

// clocks is a row of the table of clocks.
type clocks struct {
	id                   int64
	response, resolution clock
}

// selectClocks reads rows of the table of clocks as one text, numbers only.
const selectClocks = `SELECT concat_ws('|', incident_id,
	CASE WHEN response_target = 0 OR response_phase = 'void' THEN 0 WHEN response_phase = 'stopped' THEN 1 ELSE 3 END,
	CASE WHEN response_phase = 'stopped' THEN response_spent ELSE -1 END, response_late_at / 1000,
	CASE WHEN resolution_target = 0 OR resolution_phase = 'void' THEN 0 WHEN resolution_phase = 'stopped' THEN 1 ELSE 3 END,
	CASE WHEN resolution_phase = 'stopped' THEN resolution_spent ELSE -1 END, resolution_late_at / 1000, stamp)
	FROM service_clock WHERE tenant_id = $1`

// readClocks gives the rows that a condition finds, and the last one's stamp.
func readClocks(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) (all []clocks, stamp int64, err error) {
	rows, err := tx.Query(ctx, selectClocks+condition, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("cube: clocks: %w", err)
	}
	defer rows.Close()
	all = make([]clocks, 0, clocksALook)
	var line sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&line); err != nil {
			return nil, 0, fmt.Errorf("cube: clocks: %w", err)
		}
		var n [8]int64
		rest := []byte(line)
		for i := range n {
			if n[i], rest, err = nextNumber(rest); err != nil {
				return nil, 0, err
			}
		}
		all = append(all, clocks{n[0], clock{uint8(n[1]), n[2], uint32(n[3])}, clock{uint8(n[4]), n[5], uint32(n[6])}})
		stamp = n[7]
	}
	return all, stamp, rows.Err()
}

// setClocks writes how the clocks of a row stand at an instant, in seconds.
func (f *facts) setClocks(row uint32, k *clocks, now uint32) {
	c, i := f.at(row)
	bits := uint8(0)
	for n, k := range []clock{k.response, k.resolution} {
		code, later := k.code, uint32(0)
		switch {
		case code == 0 || k.late == 0:
		case k.late <= now:
			code = clockLate
		default:
			later = k.late
		}
		f.pending.set(c.id[i], n, later)
		bits |= code << (2 * n)
		column := &c.responseSpent[i]
		if n == 1 {
			column = &c.resolutionSpent[i]
		}
		switch {
		case k.spent < 0:
			*column = unspent
		case k.spent < longSpent:
			*column = uint16(k.spent)
		default:
			*column = longSpent
			if minutes := uint32(min(k.spent, math.MaxUint32)); n == 1 {
				c.side(i).resolution = minutes
			} else {
				c.side(i).response = minutes
			}
		}
	}
	c.outcome[i] = c.outcome[i]&^clockBits | bits
}

// pending are the clocks that will be late at an instant still to come, unless
// they are written again before.
type pending struct {
	at   map[uint32][2]uint32 // by incident: of each clock, 0 for none
	next ripening
}

type ripe struct {
	at, id uint32
	clock  int
}

// ripening is a heap by instant; those that pending no longer says are stale.
type ripening []ripe

// Len, Less, Swap, Push and Pop are heap.Interface.
func (r ripening) Len() int           { return len(r) }
func (r ripening) Less(i, j int) bool { return r[i].at < r[j].at }
func (r ripening) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }

// Push adds a clock.
func (r *ripening) Push(x any) {
	if v, ok := x.(ripe); ok {
		*r = append(*r, v)
	}
}

// Pop takes the last one off.
func (r *ripening) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

func (p *pending) set(id uint32, clock int, at uint32) {
	both := p.at[id]
	if both[clock] == at {
		return
	}
	both[clock] = at
	if both == [2]uint32{} {
		delete(p.at, id)
	} else {
		p.at[id] = both
	}
	if at != 0 {
		heap.Push(&p.next, ripe{at, id, clock})
	}
}

// due tells whether a clock has become late by an instant.
func (p *pending) due(now uint32) bool { return len(p.next) > 0 && p.next[0].at <= now }

// ripen marks the clocks that have become late by an instant.
func (f *facts) ripen(now uint32) {
	for f.pending.due(now) {
		r, _ := heap.Pop(&f.pending.next).(ripe)
		if f.pending.at[r.id][r.clock] != r.at {
			continue
		}
		f.pending.set(r.id, r.clock, 0)
		if row, ok := f.find(r.id); ok {
			c, i := f.at(row)
			c.outcome[i] = c.outcome[i]&^(3<<(2*r.clock)) | clockLate<<(2*r.clock)
		}
	}
}

// deskSums is a statement that adds up what was done about incidents; only is a
// further condition on incident_id, of all.
func deskSums(only string) string {
	name := "done"
	if only == "" {
		name = "all_done"
	}
	return strings.NewReplacer("ONLY", only, "NAME", name).Replace(`SELECT NAME.incident_id, CAST(sum(parts) AS BIGINT) AS parts, CAST(sum(cents) AS BIGINT) AS cents, CAST(sum(visits) AS BIGINT) AS visits,
		CAST(sum(minutes) AS BIGINT) AS minutes, CAST(sum(lists) AS BIGINT) AS lists, CAST(sum(failures) AS BIGINT) AS failures FROM (
		SELECT incident_id, CASE WHEN to_id = 0 THEN quantity ELSE -quantity END AS parts, CASE WHEN to_id = 0 THEN quantity * price ELSE -quantity * price END AS cents,
			0 AS visits, 0 AS minutes, 0 AS lists, 0 AS failures FROM stock_movement WHERE tenant_id = $1 AND incident_id <> 0 AND kind IN ('use', 'return') ONLY
		UNION ALL SELECT incident_id, 0, 0, 1, 0, 0, 0 FROM visit_incident WHERE tenant_id = $1 ONLY
			AND EXISTS (SELECT 1 FROM visit v WHERE v.tenant_id = visit_incident.tenant_id AND v.visit_id = visit_incident.visit_id AND v.state = 'done')
		UNION ALL SELECT incident_id, 0, 0, 0, minutes, 0, 0 FROM work_time WHERE tenant_id = $1 AND incident_id <> 0 AND withdrawn = 0 ONLY
		UNION ALL SELECT incident_id, 0, 0, 0, 0, CASE WHEN completed_at > 0 THEN 1 ELSE 0 END, failed FROM checklist WHERE tenant_id = $1 AND incident_id <> 0 AND removed = 0 ONLY
	) AS NAME GROUP BY NAME.incident_id`)
}

// perStatement bounds the length of a list in a condition.
const perStatement = 500

// numbers writes a list of numbers for a condition.
func numbers(ids []int64) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.FormatInt(id, 10)
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// readDesks adds up what was done about some incidents, of all if nil. Those
// about which nothing was done are absent.
func readDesks(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) (map[int64]desk, error) {
	all := map[int64]desk{}
	read := func(only string) error {
		rows, err := tx.Query(ctx, deskSums(only), tenant)
		if err != nil {
			return fmt.Errorf("cube: desk: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var d desk
			if err := rows.Scan(&id, &d.parts, &d.cents, &d.visits, &d.minutes, &d.lists, &d.failures); err != nil {
				return fmt.Errorf("cube: desk: %w", err)
			}
			all[id] = d
		}
		return rows.Err()
	}
	if ids == nil {
		return all, read("")
	}
	for part := range slices.Chunk(ids, perStatement) {
		if err := read(" AND incident_id IN " + numbers(part)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// setDesk writes what was done about a row.
func (f *facts) setDesk(row uint32, d desk) {
	c, i := f.at(row)
	if d == (desk{}) && c.desk[i] == 0 {
		return
	}
	to := c.side(i)
	d.reassigned, d.response, d.resolution = to.reassigned, to.response, to.resolution
	*to = d
}

// deskSubjects are the things whose events change what was done about
// incidents: where their incident is found.
var deskSubjects = map[string]struct{ table, id string }{
	"stock_movement": {"stock_movement", "movement_id"},
	"work_time":      {"work_time", "time_id"},
	"checklist":      {"checklist", "checklist_id"},
	visitSubject:     {"visit_incident", "visit_id"},
}

const visitSubject = "visit"

// readVisits gives the incidents of each visit.
func readVisits(ctx context.Context, tx *sqldb.Tx, tenant int64) (map[int64][]int64, error) {
	rows, err := tx.Query(ctx, `SELECT visit_id, incident_id FROM visit_incident WHERE tenant_id = $1`, tenant)
	if err != nil {
		return nil, fmt.Errorf("cube: visits: %w", err)
	}
	defer rows.Close()
	all := map[int64][]int64{}
	for rows.Next() {
		var visit, id int64
		if err := rows.Scan(&visit, &id); err != nil {
			return nil, fmt.Errorf("cube: visits: %w", err)
		}
		all[visit] = append(all[visit], id)
	}
	return all, rows.Err()
}

// touched is what a batch of events changed of what was done about incidents.
type touched struct {
	ids    []int64 // incidents
	desks  map[int64]desk
	visits map[int64][]int64
}

// touch looks up again what a batch of events has changed; nil for nothing.
// The database is at least as far as the events.
func (m *Memory) touch(ctx context.Context, events []journal.Event) (*touched, error) {
	subjects := map[string][]int64{}
	out := &touched{visits: map[int64][]int64{}}
	for i := range events {
		s := events[i].Subject
		if _, ok := deskSubjects[s.Kind]; !ok {
			continue
		}
		subjects[s.Kind] = append(subjects[s.Kind], s.ID)
		if s.Kind != visitSubject {
			continue
		}
		var v struct {
			Incidents []int64 `json:"incidents"`
		}
		if err := json.Unmarshal(events[i].Data, &v); err != nil {
			return nil, fmt.Errorf("cube: event %s: %w", events[i].Pos, err)
		}
		out.ids = append(out.ids, v.Incidents...)
		out.visits[s.ID] = v.Incidents
	}
	if len(subjects) == 0 {
		return nil, nil
	}
	m.mu.RLock()
	for visit := range out.visits {
		out.ids = append(out.ids, m.facts.visits[visit]...)
	}
	m.mu.RUnlock()
	err := m.cfg.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ids := slices.Clone(out.ids)
		for kind, list := range subjects {
			at := deskSubjects[kind]
			for part := range slices.Chunk(list, perStatement) {
				found, err := readIDs(ctx, tx, "SELECT incident_id FROM "+at.table+" WHERE tenant_id = $1 AND "+at.id+" IN "+numbers(part), m.cfg.Tenant)
				if err != nil {
					return err
				}
				ids = append(ids, found...)
			}
		}
		slices.Sort(ids)
		out.ids = slices.Compact(ids)
		var err error
		out.desks, err = readDesks(ctx, tx, m.cfg.Tenant, append([]int64{}, out.ids...))
		return err
	})
	return out, err
}

func readIDs(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]int64, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("cube: desk: %w", err)
	}
	defer rows.Close()
	var all []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("cube: desk: %w", err)
		}
		all = append(all, id)
	}
	return all, rows.Err()
}

// take writes what was looked up.
func (f *facts) take(t *touched) {
	if t == nil {
		return
	}
	maps.Copy(f.visits, t.visits)
	for _, id := range t.ids {
		if row, ok := f.find(uint32(id)); ok {
			f.setDesk(row, t.desks[id])
		}
	}
}

// clocksALook is how many clocks are read, and written, at a time.
const clocksALook = 2_000

// followClocks takes in the clocks that were written since the last look.
func (m *Memory) followClocks(ctx context.Context) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	for {
		var all []clocks
		var stamp int64
		err := m.cfg.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			var err error
			all, stamp, err = readClocks(ctx, tx, " AND stamp > $2 ORDER BY stamp LIMIT "+strconv.Itoa(clocksALook), m.cfg.Tenant, m.stamp)
			return err
		})
		if err != nil || len(all) == 0 {
			return err
		}
		now := seconds(sqldb.Millis(m.cfg.Now()))
		m.mu.Lock()
		for i := range all {
			row, ok := m.facts.find(uint32(all[i].id))
			if !ok {
				// Its declaration has not come by yet: look again from here.
				m.early[all[i].id] = all[i]
				continue
			}
			m.facts.setClocks(row, &all[i], now)
		}
		m.mu.Unlock()
		m.stamp = stamp
		if len(all) < clocksALook {
			return nil
		}
	}
}
