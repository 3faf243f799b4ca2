package journal_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A redacted event keeps its place in the chain; a redaction that the journal
// does not attest, or a change after it, is found as any other.
func TestRedactionKeepsTheChain(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		for n := int64(1); n <= 20; n++ {
			write(t, db, j, note(n, n))
		}
		events := seen(t, j, 20)
		sealed(t, db, j, 20)
		before := verify(t, db)
		redact := func(e journal.Event, data string) {
			t.Helper()
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				return j.Redact(ctx, tx, tenant, journal.Actor{Kind: journal.BySystem}, "erasure", []journal.Redaction{
					{Pos: e.Pos, Actor: journal.Actor{Kind: journal.ByPerson, ID: 99}, Data: json.RawMessage(data)},
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		redact(events[4], `{"n":0}`)
		redact(events[4], `{"n":-1}`) // again
		redact(events[7], `{"n":0}`)
		write(t, db, j, note(21, 21))
		// The last event is redacted before it is sealed.
		last := seen(t, j, 24)[23]
		redact(last, `{"n":0}`)
		sealed(t, db, j, 5)
		after := verify(t, db)
		if after.Break != nil || after.Sealed != 25 || after.Redacted != 3 || before.Seals != 1 {
			t.Fatalf("%+v (%+v)", after, after.Break)
		}
		now := seen(t, j, 25)
		if string(now[4].Data) != `{"n":-1}` && !strings.Contains(string(now[4].Data), "-1") || now[4].Actor.ID != 99 || !now[4].Redacted() || now[5].Redacted() {
			t.Fatalf("%+v", now[4])
		}
		for _, change := range []string{
			`UPDATE event SET data = '{"n":7}' WHERE xact = $1 AND seq = $2`,        // after its redaction
			`UPDATE event SET sealed = '' WHERE xact = $1 AND seq = $2`,             // without saying so
			`UPDATE event SET sealed = 'zz' WHERE xact = $1 AND seq = $2`,           // under nonsense
			`UPDATE event SET actor_id = actor_id + 1 WHERE xact = $1 AND seq = $2`, // by somebody else
		} {
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				if _, err := tx.Exec(ctx, change, events[4].Pos.Xact, events[4].Pos.Seq); err != nil {
					return err
				}
				v, err := journal.VerifyTx(ctx, tx, tenant)
				if err != nil {
					return err
				}
				if v.Break == nil || v.Break.Kind != journal.EventAltered || v.Break.Number != 5 {
					t.Errorf("%s: %+v", change, v.Break)
				}
				return context.Canceled // nothing of it is kept
			})
			if err == nil {
				t.Error("the change was kept")
			}
		}
		// A redaction behind the program's back: the digest is right, nothing attests it.
		exec(t, db, `UPDATE event SET sealed = (SELECT sealed FROM event WHERE xact = $1 AND seq = $2), data = '{}' WHERE subject_id = 12 AND subject_kind = 'note'`,
			events[7].Pos.Xact, events[7].Pos.Seq)
		if v := verify(t, db); v.Break == nil || v.Break.Number != 12 {
			t.Errorf("%+v", v.Break)
		}
	})
}
