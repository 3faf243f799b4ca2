package csvin

import (
	"bytes"
	"context"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/intake/table"
	"statincidents/internal/sqldb"
)

// Replay imports the rejected rows of a run once more, some of them mended
// (fields by identifier of the rejected row, in the order of the run's
// header). It is a run of its own, with the same profile unless o gives
// another: rows that are rejected again are its own, and the former run's are
// marked as taken over. What the end of a truncated file lost is not replayed.
func (s *Importer) Replay(ctx context.Context, by auth.Identity, run int64, mended map[int64][]string, o Options) (Report, error) {
	former, err := s.Run(ctx, by, run)
	if err != nil {
		return Report{}, err
	}
	if former.Status == Running {
		return Report{}, fault.New(fault.Conflict, "error.intake.running")
	}
	if o.Profile.Name == "" {
		if o.Profile, err = ParseProfile(former.Profile); err != nil {
			return Report{}, err
		}
	}
	// The file as we write it, whatever the first one was.
	o.Profile.File.Encoding, o.Profile.File.Separator = table.UTF8, ","
	var file bytes.Buffer
	if err := writeRow(&file, former.Header, ","); err != nil {
		return Report{}, err
	}
	for after := int64(0); ; {
		const page = 500
		list, err := s.Rejects(ctx, by, run, after, page)
		if err != nil {
			return Report{}, err
		}
		for _, r := range list {
			after = r.ID
			if r.MendedBy != 0 || r.Reason == Truncated {
				continue
			}
			fields := r.Row
			if m, ok := mended[r.ID]; ok {
				fields = m
			}
			if err := writeRow(&file, fields, ","); err != nil {
				return Report{}, err
			}
		}
		if len(list) < page {
			break
		}
	}
	o.FileName, o.FileSize, o.Parent = former.FileName, int64(file.Len()), run
	report, err := s.Import(ctx, by, &file, o)
	if err != nil || o.DryRun {
		return report, err
	}
	return report, s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE import_reject SET mended_by = $3 WHERE tenant_id = $1 AND run_id = $2 AND mended_by = 0 AND reason <> $4`,
			by.Tenant, run, report.Run, string(Truncated))
		return err
	})
}
