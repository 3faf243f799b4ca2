package testkit

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"statincidents/internal/sqldb"
)

// growing are the tables that have no bound but time.
var growing = []string{
	"attachment", "batch_item", "event", "incident", "incident_follower", "mail_message", "notify_message",
	"service_clock", "stock_movement", "visit", "visit_incident", "work_time",
}

// wholeReaders begin the statements that read a whole growing table on purpose.
var wholeReaders = []string{
	// Once, when the statistics are loaded into memory.
	"SELECT COALESCE(min(incident_id), 0), COALESCE(max(incident_id), 0) FROM incident",
	"SELECT incident_id, affected FROM incident WHERE tenant_id = $1 AND incident_id IN (SELECT incident_id FROM incident_follower",
	"SELECT all_done.incident_id,",
	"SELECT visit_id, incident_id FROM visit_incident WHERE tenant_id = $1",
	// Retention bounds what these count, on administration pages only.
	"SELECT state, count(*) FROM mail_message",
	"SELECT state, count(*) FROM notify_message",
	// Everything that is held on one person, or kept too long: rare, asked by an
	// export or a job (internal/privacy).
	"/* whole */",
}

// plans watches the statements of a test's database.
type plans struct {
	mu    sync.Mutex
	asked []string
	known map[string]bool
}

// judged holds the statements that some test of this binary has judged.
var judged sync.Map

func (p *plans) see(query string) {
	if _, done := judged.Load(query); done {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known[query] {
		p.known[query] = true
		p.asked = append(p.asked, query)
	}
}

var (
	step        = regexp.MustCompile(`^(?:SCAN|SEARCH) (\w+)(.*)$`)
	parameter   = regexp.MustCompile(`\$(\d+)`)
	spaces      = regexp.MustCompile(`\s+`)
	tableOfName = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?`)
)

// judge fails a test that asked something of a growing table which SQLite
// answers by reading all of it: a page that is quick today and takes seconds
// in three years. What follows an index and stops at a LIMIT is no such thing.
func (p *plans) judge(tb testing.TB, db *sqldb.DB) {
	tb.Helper()
	p.mu.Lock()
	asked := p.asked
	p.mu.Unlock() // what judging asks is seen too
	for _, query := range asked {
		if _, done := judged.LoadOrStore(query, true); done {
			continue
		}
		for _, fault := range whole(db, query) {
			tb.Errorf("reads a whole table that grows for ever (see testkit/plans.go): %s\n\t%s", fault, query)
		}
	}
}

func whole(db *sqldb.DB, query string) []string {
	text := strings.TrimSpace(spaces.ReplaceAllString(query, " "))
	for _, begin := range wholeReaders {
		if strings.HasPrefix(text, begin) {
			return nil
		}
	}
	tables := map[string]string{}
	for _, m := range tableOfName.FindAllStringSubmatch(text, -1) {
		if slices.Contains(growing, m[1]) {
			tables[m[1]], tables[m[2]] = m[1], m[1]
		}
	}
	if len(tables) == 0 {
		return nil
	}
	args := 0
	for _, m := range parameter.FindAllStringSubmatch(query, -1) {
		n, _ := strconv.Atoi(m[1])
		args = max(args, n)
	}
	var lines []string
	err := db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, args)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, notUsed int
			var detail string
			if err := rows.Scan(&id, &parent, &notUsed, &detail); err != nil {
				return err
			}
			lines = append(lines, detail)
		}
		return rows.Err()
	})
	if err != nil {
		return nil // not a statement that has a plan
	}
	stops := strings.Contains(text, " LIMIT ") && !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "USE TEMP B-TREE") })
	var faults []string
	for _, line := range lines {
		m := step.FindStringSubmatch(line)
		if m == nil || tables[m[1]] == "" || strings.Contains(line, "INTEGER PRIMARY KEY") {
			continue
		}
		all := strings.HasPrefix(line, "SCAN") || strings.HasSuffix(line, "(tenant_id=?)")
		if all && !stops && !partial(line) {
			faults = append(faults, fmt.Sprintf("%s: %s", tables[m[1]], line))
		}
	}
	return faults
}

// partial tells whether a step walks an index that holds only the rows that
// stand out.
func partial(line string) bool {
	return slices.ContainsFunc(standingOut, func(name string) bool { return strings.Contains(line, " INDEX "+name+" ") })
}

// standingOut are the indexes with a condition that few rows meet at any time.
var standingOut = []string{"incident_load", "service_clock_going", "service_clock_response", "service_clock_resolution"}
