// Package doctor examines a database and says what is well, what is not and
// what to do about it. It changes nothing and may run beside a server.
package doctor

import (
	"context"
	"encoding/hex"
	"time"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Level says how bad a finding is.
type Level int

// The levels, from the best.
const (
	OK Level = iota
	Warning
	Failed
)

// String is the level's name in machine-readable output and the end of its
// translation key "doctor.level.…".
func (l Level) String() string {
	switch l {
	case OK:
		return "ok"
	case Warning:
		return "warning"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// Finding is the result of one check.
type Finding struct {
	Check  string // its name, the end of the translation key "doctor.check.…": "chain"
	Level  Level
	Key    string // translation key of what was seen
	Args   []any  // arguments of the sentence, in pairs: name, value
	Remedy string // translation key of what to do; empty when it is well
	Err    error  // why a check could not be made, for the developer
}

// Worst is the worst level of some findings.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		worst = max(worst, f.Level)
	}
	return worst
}

// What separates well from not so well.
const (
	lateEvents   = 10_000           // a reader that has more to read is behind…
	lateTime     = 10 * time.Minute // …or one whose next event was written so long ago
	lateSeal     = 10 * time.Minute
	clockSlack   = 5 * time.Minute
	longWrite    = time.Minute      // a transaction that holds back every reader
	littleDisk   = int64(2) << 30   // bytes: warning…
	noDisk       = int64(200) << 20 // …and failure
	bigLog       = int64(256) << 20 // bytes of SQLite's write-ahead log
	manyProblems = 5                // of the integrity check
	megabyte     = int64(1_000_000) // sizes are told in these
)

// Examine makes every check on a database that was opened as it is
// (sqldb.Config.AsIs), at the instant now. The checks of the content wait for
// a schema that this program knows. Progress, which may be nil, is told the
// name of each check as it begins.
func Examine(ctx context.Context, db *sqldb.DB, now time.Time, progress func(check string)) []Finding {
	e := &examination{db: db, now: now, progress: progress}
	known := e.schema(ctx)
	if db.Dialect() == sqldb.SQLite {
		e.check(ctx, "integrity", e.integrity)
		e.check(ctx, "size", e.fileSize)
		e.check(ctx, "disk", e.disk)
	} else {
		e.check(ctx, "durability", e.durability)
		e.check(ctx, "encoding", e.encoding)
		e.check(ctx, "size", e.databaseSize)
		e.check(ctx, "transactions", e.transactions)
	}
	if known {
		e.check(ctx, "order", e.order)
		e.check(ctx, "clock", e.clock)
		e.check(ctx, "chain", e.chain)
		e.check(ctx, "cursors", e.cursors)
		e.check(ctx, "search", e.search)
		e.check(ctx, "mail", e.mail)
		e.check(ctx, "secrets", e.secrets)
	}
	return e.findings
}

type examination struct {
	db       *sqldb.DB
	now      time.Time
	progress func(string)
	findings []Finding
}

func (e *examination) add(check string, level Level, key, remedy string, args ...any) {
	e.findings = append(e.findings, Finding{Check: check, Level: level, Key: key, Remedy: remedy, Args: args})
}

// check runs one check in a snapshot; one that cannot be made is a finding.
func (e *examination) check(ctx context.Context, name string, fn func(context.Context, *sqldb.Tx) error) {
	if e.progress != nil {
		e.progress(name)
	}
	if err := e.db.Read(ctx, fn); err != nil {
		e.findings = append(e.findings, Finding{
			Check: name, Level: Failed, Key: "doctor.unable", Remedy: "doctor.unable.remedy", Args: []any{"error", err.Error()}, Err: err,
		})
	}
}

func (e *examination) schema(ctx context.Context) (known bool) {
	if e.progress != nil {
		e.progress("schema")
	}
	current, target, err := e.db.Schema(ctx)
	switch {
	case err != nil:
		e.findings = append(e.findings, Finding{
			Check: "schema", Level: Failed, Key: "doctor.unable", Remedy: "doctor.unable.remedy", Args: []any{"error", err.Error()}, Err: err,
		})
		return false
	case current > target:
		e.add("schema", Failed, "doctor.schema.newer", "doctor.schema.newer.remedy", "current", current, "target", target)
	case current < target:
		e.add("schema", Warning, "doctor.schema.older", "doctor.schema.older.remedy", "current", current, "target", target)
	default:
		e.add("schema", OK, "doctor.schema.ok", "", "current", current)
	}
	return current == target
}

func (e *examination) order(ctx context.Context, tx *sqldb.Tx) error {
	ok, err := journal.Settled(ctx, tx)
	if err != nil {
		return err
	}
	if ok {
		e.add("order", OK, "doctor.order.ok", "")
	} else {
		e.add("order", Failed, "doctor.order.broken", "doctor.order.broken.remedy")
	}
	return nil
}

func (e *examination) clock(ctx context.Context, tx *sqldb.Tx) error {
	tenants, err := journal.Tenants(ctx, tx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		var last int64
		err := tx.QueryRow(ctx, `SELECT recorded_at FROM event WHERE tenant_id = $1 ORDER BY xact DESC, seq DESC LIMIT 1`, tenant).Scan(&last)
		if err != nil {
			return err
		}
		if at := sqldb.Time(last); at.After(e.now.Add(clockSlack)) {
			e.add("clock", Failed, "doctor.clock.future", "doctor.clock.future.remedy", "at", at)
			return nil
		}
	}
	e.add("clock", OK, "doctor.clock.ok", "")
	return nil
}

func (e *examination) chain(ctx context.Context, tx *sqldb.Tx) error {
	tenants, err := journal.Tenants(ctx, tx)
	if err != nil {
		return err
	}
	if len(tenants) == 0 {
		e.add("chain", OK, "doctor.chain.empty", "")
	}
	for _, tenant := range tenants {
		v, err := journal.VerifyTx(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if b := v.Break; b != nil {
			args := []any{"tenant", tenant, "number", b.Number, "seal", b.Seal, "holds", v.Sealed}
			// One key for each journal.BreakKind.
			e.add("chain", Failed, "doctor.chain."+string(b.Kind), "doctor.chain.remedy", args...)
			continue
		}
		var oldest *int64
		err = tx.QueryRow(ctx, `SELECT min(recorded_at) FROM (SELECT recorded_at FROM event WHERE tenant_id = $1 AND (xact, seq) > ($2, $3)
			ORDER BY xact, seq LIMIT 1) AS next`, tenant, v.To.Xact, v.To.Seq).Scan(&oldest)
		if err != nil {
			return err
		}
		waiting := v.Events - v.Sealed
		if oldest != nil && e.now.Sub(sqldb.Time(*oldest)) > lateSeal {
			e.add("chain", Warning, "doctor.chain.late", "doctor.chain.late.remedy", "events", v.Sealed, "waiting", waiting)
			continue
		}
		e.add("chain", OK, "doctor.chain.ok", "", "events", v.Sealed, "waiting", waiting, "hash", hex.EncodeToString(v.Hash))
	}
	return nil
}

func (e *examination) cursors(ctx context.Context, tx *sqldb.Tx) error {
	type cursor struct {
		tenant int64
		reader string
		at     journal.Pos
	}
	rows, err := tx.Query(ctx, `SELECT tenant_id, reader, xact, seq FROM reader_cursor ORDER BY tenant_id, reader`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []cursor
	for rows.Next() {
		var c cursor
		if err := rows.Scan(&c.tenant, &c.reader, &c.at.Xact, &c.at.Seq); err != nil {
			return err
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	late := false
	for _, c := range all {
		var behind int64
		var oldest *int64
		err := tx.QueryRow(ctx, `SELECT count(*), min(recorded_at) FROM (SELECT recorded_at FROM event
			WHERE tenant_id = $1 AND (xact, seq) > ($2, $3) ORDER BY xact, seq LIMIT $4) AS next`,
			c.tenant, c.at.Xact, c.at.Seq, lateEvents+1).Scan(&behind, &oldest)
		if err != nil {
			return err
		}
		head, err := journal.Last(ctx, tx, c.tenant)
		if err != nil {
			return err
		}
		switch {
		case c.at.Compare(head) > 0:
			e.add("cursors", Failed, "doctor.cursors.beyond", "doctor.cursors.beyond.remedy", "reader", c.reader)
			late = true
		case behind > lateEvents, oldest != nil && e.now.Sub(sqldb.Time(*oldest)) > lateTime:
			e.add("cursors", Warning, "doctor.cursors.late", "doctor.cursors.late.remedy", "reader", c.reader, "events", min(behind, lateEvents))
			late = true
		}
	}
	if !late {
		e.add("cursors", OK, "doctor.cursors.ok", "", "n", int64(len(all)))
	}
	return nil
}

// megabytes is how sizes are told.
func megabytes(bytes int64) int64 { return (bytes + megabyte/2) / megabyte }
