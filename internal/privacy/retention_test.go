package privacy_test

import (
	"context"
	"testing"
	"time"

	"statincidents/internal/fault"
	"statincidents/internal/privacy"
	"statincidents/internal/sqldb"
)

// Every kind: what is older than its duration goes, what is younger stays, and
// the page says before what it will be.
func TestPurgeKeepsToItsDurations(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, h *house) {
		h.fill(t)
		exec := func(query string, args ...any) {
			t.Helper()
			err := h.DB.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				n, err := tx.Exec(ctx, query, args...)
				if err == nil && n == 0 {
					t.Errorf("nothing was changed by %s", query)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		days := func(n int) int64 { return sqldb.Millis(sqldb.Now().AddDate(0, 0, -n)) }
		// The message that became an incident is 200 days old, the stranger's 91.
		exec(`UPDATE mail_message SET ended_at = $1 WHERE state = 'done'`, days(200))
		exec(`UPDATE mail_message SET received_at = $1 WHERE state <> 'done'`, days(91))
		exec(`UPDATE notify_outbox SET at = $1`, days(31))
		exec(`UPDATE incident SET state = 'closed', updated_at = $1`, days(3*365+1))
		exec(`INSERT INTO export_record (tenant_id, record_id, account_id, door, what, format, question, scope, address, entries, times, hour, first_at, last_at)
			VALUES (1, 900, 1, 'web', 'incidents', 'csv', '', '', '', 1, 1, 0, $1, $1), (1, 901, 1, 'web', 'incidents', 'csv', '', '', '', 1, 1, 0, $2, $2)`, days(366), days(364))
		if err := h.Privacy.SetRetention(t.Context(), h.boss, map[privacy.Kind]int{privacy.Files: -1}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a duration below zero: %v", err)
		}
		if err := h.Privacy.SetRetention(t.Context(), h.techs, map[privacy.Kind]int{privacy.Files: 1}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("by a technician: %v", err)
		}
		if err := h.Privacy.SetRetention(t.Context(), h.boss, map[privacy.Kind]int{privacy.Outbox: 0}); err != nil {
			t.Fatal(err)
		}
		due := func() map[privacy.Kind]privacy.Retention {
			t.Helper()
			all := map[privacy.Kind]privacy.Retention{}
			for _, r := range must[[]privacy.Retention](t)(h.Privacy.Retentions(t.Context(), h.boss)) {
				all[r.Kind] = r
			}
			return all
		}
		outbox := h.count(t, `SELECT count(*) FROM notify_outbox`)
		before := due()
		if len(before) != len(privacy.Kinds())+2 || before[privacy.Raws].Due != 1 || before[privacy.Mails].Due != 0 || before[privacy.Quarantine].Due != 2 || before[privacy.Files].Due != 1 ||
			before[privacy.Records].Due != 1 || before[privacy.Outbox].Due != 0 {
			t.Errorf("due: %+v", before)
		}
		if err := h.Privacy.PurgeNow(t.Context(), h.boss); err != nil {
			t.Fatal(err)
		}
		h.wait(t, "the purge", func() bool { return !due()[privacy.Drafts].Last.IsZero() })
		after := due()
		for _, k := range []privacy.Kind{privacy.Raws, privacy.Quarantine, privacy.Files, privacy.Records} {
			if r := after[k]; r.Due != 0 || r.Purged != before[k].Due || time.Since(r.At) > time.Hour {
				t.Errorf("%s: %+v, before %+v", k, r, before[k])
			}
		}
		if n := h.count(t, `SELECT count(*) FROM mail_raw`); n != 0 {
			t.Errorf("%d originals are left", n)
		}
		if n := h.count(t, `SELECT count(*) FROM mail_message WHERE from_email <> ''`); n != 1 {
			t.Errorf("%d messages are known, want the one that became an incident", n)
		}
		if n := h.count(t, `SELECT count(*) FROM notify_outbox`); n < outbox || n == 0 {
			t.Errorf("%d messages are shown, want %d at least: kept for ever", n, outbox)
		}
		if n := h.count(t, `SELECT count(*) FROM export_record`); n != 1 {
			t.Errorf("%d records are left", n)
		}
	})
}
