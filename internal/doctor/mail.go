package doctor

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"statincidents/internal/sqldb"
)

// lateMail is how long a message may wait to be read.
const lateMail = 10 * time.Minute

// mail looks at what came in by e-mail: what failed, what waits too long, and
// whether the mailbox answers.
func (e *examination) mail(ctx context.Context, tx *sqldb.Tx) error {
	var received, sort, failed, late int64
	err := tx.QueryRow(ctx, `SELECT count(*), COALESCE(SUM(CASE WHEN state = 'quarantined' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'received' AND received_at < $1 THEN 1 ELSE 0 END), 0) FROM mail_message`, sqldb.Millis(e.now.Add(-lateMail))).Scan(&received, &sort, &failed, &late)
	if err != nil {
		return err
	}
	well := true
	if failed > 0 {
		well = false
		e.add("mail", Warning, "doctor.mail.failed", "doctor.mail.failed.remedy", "failed", failed)
	}
	if late > 0 {
		well = false
		e.add("mail", Warning, "doctor.mail.late", "doctor.mail.late.remedy")
	}
	var trouble string
	err = tx.QueryRow(ctx, `SELECT error FROM mailbox_state WHERE side = 'incoming' ORDER BY tenant_id LIMIT 1`).Scan(&trouble)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if trouble != "" {
		well = false
		e.add("mail", Warning, "doctor.mail.box", "doctor.mail.box.remedy", "error", trouble)
	}
	if well {
		e.add("mail", OK, "doctor.mail.ok", "", "received", received, "sort", sort)
	}
	return nil
}
