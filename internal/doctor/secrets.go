package doctor

import (
	"context"
	"strings"

	"statincidents/internal/secrets"
	"statincidents/internal/sqldb"
)

// secrets looks whether passwords and keys are sealed, and open.
func (e *examination) secrets(ctx context.Context, tx *sqldb.Tx) error {
	st, err := secrets.Look(ctx, tx, e.db.Vault())
	switch {
	case err != nil:
		return err
	case len(st.Lost) > 0:
		e.add("secrets", Failed, "doctor.secrets.lost", "doctor.secrets.lost.remedy", "lost", len(st.Lost), "which", strings.Join(secrets.Kinds(st.Lost), ", "))
	case st.Plain > 0:
		e.add("secrets", Warning, "doctor.secrets.plain", "doctor.secrets.plain.remedy", "plain", st.Plain)
	default:
		e.add("secrets", OK, "doctor.secrets.ok", "", "sealed", st.Sealed)
	}
	return nil
}
