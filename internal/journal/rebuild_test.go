package journal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// names is a projection of two tables: the last text noted of a subject is its
// team's name, and a holiday's in the zone of that text's first letter.
func names() journal.Projection {
	return journal.Projection{
		Name: "names", Subjects: []string{"team"}, Tables: []string{"team", "school_holiday"},
		Apply: func(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
			for _, e := range events {
				var name string
				if err := json.Unmarshal(e.Data, &name); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `INSERT INTO team (tenant_id, team_id, name) VALUES ($1, $2, $3)
					ON CONFLICT (tenant_id, team_id) DO UPDATE SET name = excluded.name`, e.Tenant, e.Subject.ID, name); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `INSERT INTO school_holiday (tenant_id, zone, first_day, last_day, name) VALUES ($1, $2, $3, 1, $4)
					ON CONFLICT (tenant_id, zone, first_day) DO NOTHING`, e.Tenant, string([]rune(name)[:1]), e.Subject.ID, name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func rename(ctx context.Context, tx *sqldb.Tx, j *journal.Journal, id int64, name string) error {
	e := note(id, 0)
	e.Subject.Kind, e.Kind = "team", "team.named"
	var err error
	if e.Data, err = json.Marshal(name); err != nil {
		return err
	}
	if err := names().Apply(ctx, tx, []journal.Event{e}); err != nil {
		return err
	}
	return j.Append(ctx, tx, e)
}

func namesFilled(t *testing.T, db *sqldb.DB) *journal.Journal {
	t.Helper()
	j := journal.New(db)
	// Letters that languages order otherwise than their bytes.
	for i, name := range []string{"été", "Zoé", "abc", "ABC", "_x", "Éric", "œuf", "b", "B", "été bis"} {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return rename(ctx, tx, j, int64(i%7)+1, name)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, db, j, note(1, 1), note(2, 2)) // of no projection
	return j
}

func TestRebuildFindsWhatTheJournalDoesNotExplain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, change, want string }{
		{"nothing", `UPDATE team SET name = name`, ``},
		{"a value", `UPDATE team SET name = 'stolen' WHERE team_id = 2`, `team team_id 2: name is "stolen", the journal says "B"`},
		{"a missing row", `DELETE FROM team WHERE team_id = 5`, `team team_id 5: missing, the journal says that it is there`},
		{"an extra row", `INSERT INTO team (tenant_id, team_id, name) VALUES (1, 100, 'extra')`, `team team_id 100: stored, unknown to the journal`},
		{"a row of another tenant", `INSERT INTO team (tenant_id, team_id, name) VALUES (2, 1, 'theirs')`, ``},
		{"a text key", `UPDATE school_holiday SET last_day = 5 WHERE zone = 'É'`, `school_holiday zone É, first_day 6: last_day is 5, the journal says 1`},
		{"two in one", `UPDATE school_holiday SET name = '', last_day = 0 WHERE zone = 'œ'`,
			"school_holiday zone œ, first_day 7: last_day is 0, the journal says 1\n" + `school_holiday zone œ, first_day 7: name is "", the journal says "œuf"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
				namesFilled(t, db)
				exec(t, db, test.change)
				last := int64(-1)
				report, err := journal.CheckRebuild(t.Context(), db, tenant, []journal.Projection{names()}, func(done, total int64) {
					if last = done; total != 12 {
						t.Errorf("%d events announced", total)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				var lines []string
				for _, d := range report.Differences {
					lines = append(lines, d.String())
				}
				if got := strings.Join(lines, "\n"); got != test.want || report.Total != int64(len(lines)) {
					t.Errorf("found %d:\n%s\nwant:\n%s", report.Total, got, test.want)
				}
				if report.Events != 12 || report.Skipped["note"] != 2 || last != 12 {
					t.Errorf("%d events replayed, skipped %v, progress ended at %d", report.Events, report.Skipped, last)
				}
				if len(report.Tables) != 2 || report.Tables[0].Replayed != 7 || report.Tables[1].Replayed != 10 {
					t.Errorf("tables %+v", report.Tables)
				}
				// A real rebuild mends whatever it was, and only for its tenant.
				n, err := journal.Rebuild(t.Context(), db, tenant, []journal.Projection{names()}, nil)
				if err != nil || n != 12 {
					t.Fatalf("rebuilt from %d events, %v", n, err)
				}
				report, err = journal.CheckRebuild(t.Context(), db, tenant, []journal.Projection{names()}, nil)
				if err != nil || report.Total != 0 {
					t.Errorf("after a rebuild: %+v, %v", report, err)
				}
				if test.name == "a row of another tenant" {
					exec(t, db, `DELETE FROM team WHERE tenant_id = 2`)
				}
			})
		})
	}
}

func TestRebuildIsAllOrNothing(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		namesFilled(t, db)
		exec(t, db, `UPDATE team SET name = 'kept' WHERE team_id = 2`)
		broken := names()
		broken.Apply = func(context.Context, *sqldb.Tx, []journal.Event) error { return errEnough }
		if _, err := journal.Rebuild(t.Context(), db, tenant, []journal.Projection{broken}, nil); err == nil || !strings.Contains(err.Error(), "names, events") {
			t.Errorf("told %v", err)
		}
		exec(t, db, `UPDATE team SET name = 'B' WHERE name = 'kept'`) // is still there
	})
}

func TestProjectionsDoNotOverlap(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	other := names()
	other.Name = "other"
	if _, err := journal.CheckRebuild(t.Context(), db, tenant, []journal.Projection{names(), other}, nil); err == nil {
		t.Error("two projections of one subject")
	}
	other.Subjects = nil
	if _, err := journal.Rebuild(t.Context(), db, tenant, []journal.Projection{names(), other}, nil); err == nil {
		t.Error("two projections of one table")
	}
	other.Tables = []string{"nowhere"}
	if _, err := journal.CheckRebuild(t.Context(), db, tenant, []journal.Projection{other}, nil); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a table that is not there: told %v", err)
	}
}

// The check reads one moment while writers go on.
func TestRebuildChecksBesideWriters(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := namesFilled(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 4)
		for w := range int64(4) {
			go func() {
				for n := 0; ctx.Err() == nil; n++ {
					err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						return rename(ctx, tx, j, 100*(w%2)+int64(n%20), fmt.Sprintf("%d by %d", n, w))
					})
					if err != nil {
						// Two teams may not have one name at once; these never do.
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range 3 {
			report, err := journal.CheckRebuild(t.Context(), db, tenant, []journal.Projection{names()}, nil)
			if err != nil {
				t.Error(err)
				break
			}
			if report.Total != 0 {
				t.Errorf("%d differences of %d events, first %v", report.Total, report.Events, report.Differences[0])
			}
		}
		cancel()
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if _, err := journal.Rebuild(t.Context(), db, tenant, []journal.Projection{names()}, nil); err != nil {
			t.Error(err)
		}
		if report, err := journal.CheckRebuild(t.Context(), db, tenant, []journal.Projection{names()}, nil); err != nil || report.Total != 0 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

func TestDifferencesAreShort(t *testing.T) {
	t.Parallel()
	d := journal.Difference{Table: "t", Key: "k 1", Column: "c", Stored: strings.Repeat("é", 1000), Replayed: int64(5)}
	if s := d.String(); len([]rune(s)) > 150 || !strings.HasSuffix(s, "the journal says 5") || !slices.Contains([]rune(s), '…') {
		t.Errorf("told as %s", s)
	}
}
