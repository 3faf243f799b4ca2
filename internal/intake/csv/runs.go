package csvin

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Status is where an import stands. "intake.status.NAME" is its word.
type Status string

// The statuses.
const (
	Running     Status = "running"
	Done        Status = "done"        // to the end of the file; rows may have been rejected
	Cancelled   Status = "cancelled"   // stopped by someone; the tickets written stay
	Failed      Status = "failed"      // stopped by a failure; the tickets written stay
	Interrupted Status = "interrupted" // its program ended in the middle: import the file again
)

// silence is how long a run in hand may stay without a sign of life.
const silence = time.Minute

// Run is an import that was made.
type Run struct {
	ID        int64
	Status    Status
	FileName  string
	FileSize  int64
	SHA256    string // of the file as given; "" until it was read to its end
	Profile   string // TOML, as it was used
	Header    []string
	Report    Report
	Account   int64 // 0 for the command line
	Parent    int64 // the run whose rejected rows it brings in after all; 0 if none
	StartedAt time.Time
	EndedAt   time.Time
}

const runColumns = `run_id, status, file_name, file_size, sha256, profile, header, report, account_id, parent_id, started_at, beat_at, ended_at`

func scanRun(scan func(...any) error, now time.Time) (Run, error) {
	var r Run
	var header, report string
	var started, beat, ended int64
	if err := scan(&r.ID, &r.Status, &r.FileName, &r.FileSize, &r.SHA256, &r.Profile, &header, &report, &r.Account, &r.Parent, &started, &beat, &ended); err != nil {
		return r, err
	}
	if err := errors.Join(json.Unmarshal([]byte(header), &r.Header), json.Unmarshal([]byte(report), &r.Report)); err != nil {
		return r, fmt.Errorf("csvin: run %d: %w", r.ID, err)
	}
	r.StartedAt, r.EndedAt = sqldb.Time(started), sqldb.Time(ended)
	if r.Status == Running && now.Sub(sqldb.Time(beat)) > silence {
		r.Status, r.EndedAt = Interrupted, sqldb.Time(beat)
	}
	return r, nil
}

// Runs lists the imports of a tenant, the latest first.
func (s *Importer) Runs(ctx context.Context, by auth.Identity, limit int) ([]Run, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return nil, err
	}
	var runs []Run
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+runColumns+` FROM import_run WHERE tenant_id = $1 ORDER BY run_id DESC LIMIT $2`, by.Tenant, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		now := sqldb.Now()
		for rows.Next() {
			r, err := scanRun(rows.Scan, now)
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return rows.Err()
	})
	return runs, err
}

// Run gives one import; fault.NotFound if there is none.
func (s *Importer) Run(ctx context.Context, by auth.Identity, id int64) (Run, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return Run{}, err
	}
	var r Run
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		r, err = scanRun(tx.QueryRow(ctx, `SELECT `+runColumns+` FROM import_run WHERE tenant_id = $1 AND run_id = $2`, by.Tenant, id).Scan, sqldb.Now())
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, fault.New(fault.NotFound, "error.intake.run_not_found")
	}
	return r, err
}

// Rejected is a rejected row as it was kept.
type Rejected struct {
	Problem

	ID       int64
	MendedBy int64 // the run that brought it in after all; 0 if none
}

// Rejects lists the rejected rows of a run after one of them (0 for the
// first), in the order of the file.
func (s *Importer) Rejects(ctx context.Context, by auth.Identity, run, after int64, limit int) ([]Rejected, error) {
	if _, err := s.Run(ctx, by, run); err != nil {
		return nil, err
	}
	var list []Rejected
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT reject_id, line, last_line, column_name, reason, args, fields, mended_by FROM import_reject
			WHERE tenant_id = $1 AND run_id = $2 AND reject_id > $3 ORDER BY reject_id LIMIT $4`, by.Tenant, run, after, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Rejected
			var args, fields string
			if err := rows.Scan(&r.ID, &r.Line, &r.LastLine, &r.Column, &r.Reason, &args, &fields, &r.MendedBy); err != nil {
				return err
			}
			if r.Args, err = readArgs(args); err != nil {
				return fmt.Errorf("csvin: reject %d of run %d: %w", r.ID, run, err)
			}
			if err := json.Unmarshal([]byte(fields), &r.Row); err != nil {
				return fmt.Errorf("csvin: reject %d of run %d: %w", r.ID, run, err)
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

// readArgs reads the arguments of a sentence back: numbers stay whole.
func readArgs(text string) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var args []any
	if err := d.Decode(&args); err != nil {
		return nil, err
	}
	for i, a := range args {
		if n, ok := a.(json.Number); ok {
			if whole, err := n.Int64(); err == nil {
				args[i] = int(whole)
			}
		}
	}
	return args, nil
}

// ledger writes what becomes of one run. The zero id of a dry run writes
// nothing.
type ledger struct {
	db      *sqldb.DB
	tenant  int64
	run     int64
	rejects int64
}

// openLedger numbers a run and marks those that died before it.
func (s *Importer) openLedger(ctx context.Context, by auth.Identity, o Options, profile string) (*ledger, error) {
	l := &ledger{db: s.db, tenant: by.Tenant}
	now := sqldb.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE import_run SET status = $3, ended_at = beat_at WHERE tenant_id = $1 AND status = $2 AND beat_at < $4`,
			by.Tenant, Running, Interrupted, sqldb.Millis(now.Add(-silence))); err != nil {
			return err
		}
		var err error
		if l.run, err = tx.NextIDs(ctx, by.Tenant, "import_run", 1); err != nil {
			return err
		}
		return tx.Insert(ctx, "import_run", []string{"tenant_id", "run_id", "status", "file_name", "file_size", "profile", "account_id", "parent_id", "started_at", "beat_at"},
			[][]any{{by.Tenant, l.run, string(Running), o.FileName, o.FileSize, profile, by.Account, o.Parent, sqldb.Millis(now), sqldb.Millis(now)}}, "")
	})
	if err != nil {
		return nil, fmt.Errorf("csvin: open run: %w", err)
	}
	return l, nil
}

// write notes how far the run is and keeps the rows rejected since.
func (l *ledger) write(ctx context.Context, report *Report, status Status, header []string, rejects []*Problem) error {
	if l == nil {
		return nil
	}
	rows := make([][]any, len(rejects))
	for i, p := range rejects {
		args, err := json.Marshal(p.Args)
		if err != nil {
			return fmt.Errorf("csvin: reject: %w", err)
		}
		if p.Args == nil {
			args = []byte("[]")
		}
		fields, err := json.Marshal(p.Row)
		if err != nil {
			return fmt.Errorf("csvin: reject: %w", err)
		}
		rows[i] = []any{l.tenant, l.run, l.rejects + int64(i) + 1, p.Line, p.LastLine, p.Column, string(p.Reason), string(args), string(fields)}
	}
	told, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("csvin: report: %w", err)
	}
	head, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("csvin: report: %w", err)
	}
	now := sqldb.Millis(sqldb.Now())
	ended := now
	if status == Running {
		ended = 0
	}
	err = l.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if len(rows) > 0 {
			if err := tx.Insert(ctx, "import_reject", []string{"tenant_id", "run_id", "reject_id", "line", "last_line", "column_name", "reason", "args", "fields"}, rows, ""); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE import_run SET status = $3, sha256 = $4, header = $5, report = $6, beat_at = $7, ended_at = $8 WHERE tenant_id = $1 AND run_id = $2`,
			l.tenant, l.run, string(status), report.SHA256, string(head), string(told), now, ended)
		return err
	})
	if err != nil {
		return fmt.Errorf("csvin: note run: %w", err)
	}
	l.rejects += int64(len(rejects))
	return nil
}
