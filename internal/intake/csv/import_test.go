package csvin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	csvin "statincidents/internal/intake/csv"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

// house is an importer over a fresh database.
type house struct {
	*csvin.Importer

	db  *sqldb.DB
	dir *directory.Service
	cat *catalog.Service
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		tb.Fatal(err)
	}
	j := journal.New(db)
	h := &house{db: db, dir: directory.New(db, j), cat: catalog.New(db, j)}
	h.Importer = csvin.New(db, h.dir, h.cat, incident.NewService(db, j, h.dir, h.cat, paris))
	return h
}

func named(tb testing.TB, name string) csvin.Profile {
	tb.Helper()
	p, err := csvin.Named(name)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func (h *house) bring(tb testing.TB, p csvin.Profile, file io.Reader, dry bool) csvin.Report {
	tb.Helper()
	r, err := h.Import(context.Background(), system, file, csvin.Options{Profile: p, FileName: "test.csv", DryRun: dry})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// table reads a query as lines of words.
func (h *house) table(tb testing.TB, query string) []string {
	tb.Helper()
	var lines []string
	err := h.db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			cells := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			words := make([]string, len(cells))
			for i, c := range cells {
				words[i] = fmt.Sprint(c)
			}
			lines = append(lines, strings.Join(words, " "))
		}
		return rows.Err()
	})
	if err != nil {
		tb.Fatal(err)
	}
	return lines
}

const uciFile = "incidents-uci498/incident_event_log.csv.gz"

// uciQueries are the figures printed in the log's provenance, asked of the
// incident table.
var uciQueries = []struct {
	name, query string
	want        []string
}{
	{"incidents", `SELECT count(*) FROM incident`, []string{"24918"}},
	{"states", `SELECT state, count(*) FROM incident GROUP BY state`, []string{"closed 24918"}},
	{"months", `SELECT CASE WHEN opened_day < 16861 THEN '2016-02' WHEN opened_day < 16892 THEN '2016-03' WHEN opened_day < 16922 THEN '2016-04' WHEN opened_day < 16953 THEN '2016-05'
		WHEN opened_day < 16983 THEN '2016-06' WHEN opened_day < 17014 THEN '2016-07' WHEN opened_day < 17045 THEN '2016-08' WHEN opened_day < 17075 THEN '2016-09' WHEN opened_day < 17106 THEN '2016-10'
		WHEN opened_day < 17136 THEN '2016-11' WHEN opened_day < 17167 THEN '2016-12' WHEN opened_day < 17198 THEN '2017-01' ELSE '2017-02' END AS m, count(*) FROM incident GROUP BY m ORDER BY m`,
		[]string{"2016-02 207", "2016-03 8995", "2016-04 7934", "2016-05 7508", "2016-06 5", "2016-07 14", "2016-08 15", "2016-09 12", "2016-10 16", "2016-11 26", "2016-12 37", "2017-01 94", "2017-02 55"}},
	{"places", `SELECT s.name, count(*) AS n FROM incident i JOIN school s ON s.tenant_id = i.tenant_id AND s.school_id = i.school_id GROUP BY s.name ORDER BY n DESC LIMIT 4`,
		[]string{"Location 204 5554", "Location 161 4002", "Location 143 3276", "Location 108 2140"}},
	{"categories", `SELECT coalesce(p.label, c.label) AS l, count(*) AS n FROM incident i JOIN category c ON c.tenant_id = i.tenant_id AND c.category_id = i.category_id
		LEFT JOIN category p ON p.tenant_id = c.tenant_id AND p.category_id = c.parent_id GROUP BY l ORDER BY n DESC LIMIT 4`,
		[]string{"Category 42 3558", "Category 26 3338", "Category 53 2678", "Category 46 2432"}},
	{"reopened", `SELECT count(*) FROM incident WHERE reopen_count > 0`, []string{"275"}},
	{"target missed", `SELECT count(*) FROM incident WHERE target = 'missed'`, []string{"9115"}},
	{"priorities", `SELECT priority, count(*) FROM incident GROUP BY priority ORDER BY priority`, []string{"1 270", "2 408", "3 23466", "4 774"}},
	{"closing, mean in hours by hundred", `SELECT CAST(round(avg((closed_at - opened_at) / 36000.0)) AS INTEGER) FROM incident`, []string{"31533"}},
	{"closing, median in minutes", `SELECT (closed_at - opened_at) / 60000 FROM incident ORDER BY 1 LIMIT 2 OFFSET 12458`, []string{"8752", "8752"}}, // 145.87 h
	{"resolved", `SELECT count(*) FROM incident WHERE resolved_at <> 0`, []string{"23362"}},
	{"resolution, mean in hours by hundred", `SELECT CAST(round(avg((resolved_at - opened_at) / 36000.0)) AS INTEGER) FROM incident WHERE resolved_at <> 0`, []string{"17817"}},
	{"resolution, median in minutes", `SELECT (resolved_at - opened_at) / 60000 FROM incident WHERE resolved_at <> 0 ORDER BY 1 LIMIT 2 OFFSET 11680`, []string{"1326", "1326"}}, // 22.1 h
	{"states of the past", `SELECT kind, count(*) FROM event WHERE kind IN ('incident.declared', 'incident.reopened') GROUP BY kind ORDER BY kind`, []string{"incident.declared 24918", "incident.reopened 332"}},
}

func TestImportUCI(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: the whole log takes some seconds an engine")
	}
	t.Parallel()
	path := testkit.Shared(t, uciFile)
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		p := named(t, "servicenow")
		open := func() io.Reader {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return bytes.NewReader(data)
		}
		dry := csvin.Report{}
		if db.Dialect() == sqldb.SQLite { // once is enough: it writes nothing anywhere
			dry = h.bring(t, p, open(), true)
		}
		if n := h.table(t, `SELECT (SELECT count(*) FROM incident) + (SELECT count(*) FROM school) + (SELECT count(*) FROM import_run)`); n[0] != "0" {
			t.Errorf("a dry run wrote %s rows", n[0])
		}
		got := h.bring(t, p, open(), false)
		t.Logf("%d events, %+v, %s", got.Events, got.Made, got.Elapsed)
		want := csvin.Report{
			Run: 1, SHA256: got.SHA256, Encoding: "utf-8", Separator: ",", Rows: 141_712, Tickets: 24_918, Created: 24_918, Events: got.Events,
			Made: got.Made, Reasons: map[csvin.Reason]int{}, Elapsed: got.Elapsed,
			Doubts: []csvin.Doubt{{Reason: csvin.UnknownValue, Column: "incident_state", Value: "-100", Rows: 5, Line: got.Doubts[0].Line}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		want.Run, want.DryRun = 0, true
		if d := cmp.Diff(want, dry, cmpopts.IgnoreFields(csvin.Report{}, "Elapsed")); d != "" && db.Dialect() == sqldb.SQLite {
			t.Errorf("the dry run told otherwise: %s", d)
		}
		for _, q := range uciQueries {
			if d := cmp.Diff(q.want, h.table(t, q.query)); d != "" {
				t.Errorf("%s: %s", q.name, d)
			}
		}
		events := h.table(t, `SELECT count(*) FROM event`)
		again := h.bring(t, p, open(), false)
		if again.Created != 0 || again.Updated != 0 || again.Unchanged != 24_918 || again.Events != 0 || again.Made != (csvin.Made{}) {
			t.Errorf("the second time: %+v", again)
		}
		if d := cmp.Diff(events, h.table(t, `SELECT count(*) FROM event`)); d != "" {
			t.Errorf("events after the second time: %s", d)
		}
	})
}

// logProfile is a log with few columns.
const logProfile = `name = "log"
source = "log"
[file]
missing = ["?"]
[dates]
zone = "UTC"
[rows]
per = "update"
ticket = "number"
order = "n"
at = "at"
actor = "by"
[fields.state]
column = "state"
[fields.title]
column = "title"
[fields.opened_at]
column = "opened"
[fields.resolved_at]
column = "resolved"
[fields.school]
column = "place"
create = true
[fields.room]
column = "room"
[fields.assignee]
column = "tech"
`

const logHeader = "number,n,at,by,state,title,opened,resolved,place,room,tech\n"

func parsed(tb testing.TB, text string) csvin.Profile {
	tb.Helper()
	p, err := csvin.ParseProfile(text)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func counts(r csvin.Report) string {
	return fmt.Sprintf("%d created, %d updated, %d unchanged, %d events, %d rejected", r.Created, r.Updated, r.Unchanged, r.Events, r.Rejected)
}

const (
	rowNew      = "A,0,2/3/2026 08:00,ann,new,T,2/3/2026 08:00,?,North,12,?\n"
	rowTaken    = "A,1,2/3/2026 09:00,bob,assigned,T,2/3/2026 08:00,?,North,12,bob\n"
	rowResolved = "A,2,3/3/2026 09:00,bob,resolved,T,2/3/2026 08:00,3/3/2026 09:00,South,12,bob\n"
)

const stateOfA = `SELECT i.state, i.version, s.name, r.name, r.school_id = i.school_id, p.name, p.kind FROM incident i JOIN school s ON s.school_id = i.school_id
	JOIN room r ON r.room_id = i.room_id LEFT JOIN person p ON p.person_id = i.assignee_id`

func TestNewerFileUpdates(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		p := parsed(t, logProfile)
		for _, c := range []struct{ name, file, want, state string }{
			{"first", rowNew + rowTaken, "1 created, 0 updated, 0 unchanged, 2 events, 0 rejected", "assigned 2 North 12 bob technician"},
			{"the same, out of order and twice", rowTaken + rowNew + rowTaken, "0 created, 0 updated, 1 unchanged, 0 events, 0 rejected", "assigned 2 North 12 bob technician"},
			{"newer", rowNew + rowTaken + rowResolved, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", "resolved 3 South 12 bob technician"},
			{"older", rowNew, "0 created, 0 updated, 1 unchanged, 0 events, 0 rejected", "resolved 3 South 12 bob technician"},
		} {
			dry := h.bring(t, p, strings.NewReader(logHeader+c.file), true)
			if got := counts(dry); got != c.want {
				t.Errorf("%s, dry: %s", c.name, got)
			}
			if got := counts(h.bring(t, p, strings.NewReader(logHeader+c.file), false)); got != c.want {
				t.Errorf("%s: %s", c.name, got)
			}
			got := h.table(t, stateOfA)[0]
			got = strings.NewReplacer(" 1 bob", " bob", " true bob", " bob").Replace(got)
			if got != c.state {
				t.Errorf("%s: %s, not %s", c.name, got, c.state)
			}
		}
	})
}

// TestRejectedRowsComeBack: a row is rejected, the rest of its ticket comes in,
// the file of rejected rows is mended and imported, and the ticket is as if the
// row had always been right.
func TestRejectedRowsComeBack(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		p := parsed(t, logProfile)
		dir := t.TempDir()
		rejects := filepath.Join(dir, "log.rejects.csv")
		bad := strings.Replace(rowTaken, "2/3/2026 09:00", "32/3/2026 09:00", 1)
		file := logHeader + rowNew + bad + rowResolved + "B,0,2/3/2026 08:00,ann,new,T\n"
		first, err := h.Import(context.Background(), system, strings.NewReader(file), csvin.Options{Profile: p, FileName: "log.csv", RejectFile: rejects})
		if err != nil {
			t.Fatal(err)
		}
		if got := counts(first); got != "1 created, 0 updated, 0 unchanged, 2 events, 2 rejected" {
			t.Fatal(got)
		}
		text, err := os.ReadFile(rejects)
		if err != nil {
			t.Fatal(err)
		}
		want := "\uFEFF!ligne,!colonne,!motif,!pour corriger," + logHeader +
			"2,,\"bonne ligne, répétée pour que l'histoire du ticket soit entière\",Rien à corriger ici.," + rowNew +
			"3,at,« 32/3/2026 09:00 » n'est pas une date dans un format du profil,\"Corrigez la date, ou ajoutez son format au profil.\"," + bad +
			"4,,\"bonne ligne, répétée pour que l'histoire du ticket soit entière\",Rien à corriger ici.," + rowResolved +
			"5,,6 valeurs pour 11 colonnes,\"Mettez entre guillemets les valeurs qui contiennent le séparateur, ou ajoutez les valeurs qui manquent.\",\"B\",0,2/3/2026 08:00,ann,new,T\n"
		plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'", `"B"`, "B").Replace
		if d := cmp.Diff(plain(want), plain(string(text))); d != "" {
			t.Error(d)
		}
		mended := strings.NewReplacer("32/3/2026 09:00,bob", "2/3/2026 09:00,bob", "ann,new,T\n", "ann,new,T,2/3/2026 08:00,?,North,12,?\n").Replace(string(text))
		second := h.bring(t, p, strings.NewReader(mended), false)
		if got := counts(second); got != "1 created, 1 updated, 0 unchanged, 2 events, 0 rejected" {
			t.Error(got)
		}
		if got := h.table(t, `SELECT external_id, state, assignee_id <> 0 FROM incident ORDER BY external_id`); !strings.HasPrefix(got[0], "A resolved") || !strings.HasPrefix(got[1], "B new") {
			t.Error(got)
		}
		whole := h.bring(t, p, strings.NewReader(logHeader+rowNew+rowTaken+rowResolved), false)
		if got := counts(whole); got != "0 created, 0 updated, 1 unchanged, 0 events, 0 rejected" {
			t.Errorf("the right file after the mended one: %s", got)
		}
	})
}

// TestReplay mends the same rows from what the database keeps of them.
func TestReplay(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		bad := strings.Replace(rowTaken, "assigned", "lost", 1)
		first := h.bring(t, parsed(t, logProfile), strings.NewReader(logHeader+rowNew+bad+rowResolved), false)
		list, err := h.Rejects(ctx, system, first.Run, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		mended := map[int64][]string{}
		var got []string
		for _, r := range list {
			got = append(got, fmt.Sprint(r.Line, r.Column, r.Reason, r.Args))
			if r.Reason == csvin.UnknownValue {
				fields := append([]string(nil), r.Row...)
				fields[4] = "assigned"
				mended[r.ID] = fields
			}
		}
		if d := cmp.Diff([]string{"2companion[]", "3stateunknown_value[value lost field state]", "4companion[]"}, got); d != "" {
			t.Error(d)
		}
		second, err := h.Replay(ctx, system, first.Run, mended, csvin.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := counts(second); got != "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected" {
			t.Error(got)
		}
		if list, err = h.Rejects(ctx, system, first.Run, 0, 10); err != nil || list[1].MendedBy != second.Run {
			t.Errorf("%v, %+v", err, list)
		}
		runs, err := h.Runs(ctx, system, 10)
		if err != nil || len(runs) != 2 || runs[0].Parent != first.Run || runs[1].Status != csvin.Done || runs[1].Report.Rejected != 1 {
			t.Errorf("%v, %+v", err, runs)
		}
	})
}

// TestCancelledThenAgain: an import stopped in the middle leaves whole tickets
// and says so; the same file again completes it, as if nothing had happened.
func TestCancelledThenAgain(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		p := parsed(t, logProfile)
		var file strings.Builder
		file.WriteString(logHeader)
		const tickets = 3000
		for i := range tickets {
			for _, row := range []string{rowNew, rowTaken, rowResolved} {
				file.WriteString(fmt.Sprintf("A%d", i) + row[1:])
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		report, err := h.Import(ctx, system, strings.NewReader(file.String()), csvin.Options{Profile: p, FileName: "log.csv", Progress: func(p csvin.Progress) {
			if p.Tickets >= 500 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v: %s", err, counts(report))
		}
		run, err := h.Run(context.Background(), system, report.Run)
		if err != nil || run.Status != csvin.Cancelled || run.EndedAt.IsZero() {
			t.Errorf("%v, %+v", err, run)
		}
		written := h.table(t, `SELECT count(*), min(version), max(version) FROM incident`)[0]
		if want := fmt.Sprintf("%d 3 3", report.Created); written != want || report.Created == 0 || report.Created == tickets {
			t.Errorf("%s incidents, not %s", written, want)
		}
		again := h.bring(t, p, strings.NewReader(file.String()), false)
		if again.Created != tickets-report.Created || again.Unchanged != report.Created || again.Updated != 0 {
			t.Error(counts(again))
		}
		if got := h.table(t, `SELECT count(*) FROM incident`)[0] + " " + h.table(t, `SELECT count(*) FROM event WHERE subject_kind = 'incident'`)[0]; got != "3000 9000" {
			t.Errorf("incidents and events: %s", got)
		}
	})
}

func TestInterruptedRunIsSeen(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	p := parsed(t, logProfile)
	ctx := context.Background()
	first := h.bring(t, p, strings.NewReader(logHeader+rowNew), false)
	// What a killed program leaves behind.
	err := h.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE import_run SET status = 'running', ended_at = 0, beat_at = beat_at - 3600000`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // as read, then as marked by the next run
		run, err := h.Run(ctx, system, first.Run)
		if err != nil || run.Status != csvin.Interrupted || run.EndedAt.IsZero() {
			t.Errorf("%v, %+v", err, run)
		}
		h.bring(t, p, strings.NewReader(logHeader+rowNew), false)
	}
	if got := h.table(t, `SELECT status FROM import_run ORDER BY run_id LIMIT 1`)[0]; got != "interrupted" {
		t.Error(got)
	}
}

func TestSchoolsThatAreNotThere(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	_, err := h.dir.EnsureSchools(context.Background(), system, []directory.School{{UAI: "0450001A", Name: "Collège Jean-Moulin", Commune: "Artenay"}, {UAI: "0450002B", Name: "Montjoie", Commune: "Saran"}})
	if err != nil {
		t.Fatal(err)
	}
	p := parsed(t, strings.Replace(logProfile, "create = true\n", "", 1))
	var file strings.Builder
	file.WriteString(logHeader)
	for i, place := range []string{"0450001a", "collège jean moulin", "CLG JEAN MOULIN - ARTENAY", "Montjoie (0450002B)", "Nowhere"} {
		file.WriteString(strings.Replace(fmt.Sprintf("A%d", i)+rowNew[1:], "North", place, 1))
	}
	r := h.bring(t, p, strings.NewReader(file.String()), false)
	if got := counts(r); got != "4 created, 0 updated, 0 unchanged, 4 events, 1 rejected" || r.Reasons[csvin.NoSuchSchool] != 1 {
		t.Errorf("%s %v", got, r.Reasons)
	}
	if d := cmp.Diff([]string{"1 3", "2 1"}, h.table(t, `SELECT school_id, count(*) FROM incident GROUP BY school_id ORDER BY school_id`)); d != "" {
		t.Error(d)
	}
}

func TestTruncatedFile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(testkit.Shared(t, uciFile))
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, testkit.SQLite(t))
	r := h.bring(t, named(t, "servicenow"), bytes.NewReader(data[:150_000]), false)
	if !r.Truncated || r.Rejected != 1 || r.Reasons[csvin.Truncated] != 1 || r.Created < 500 {
		t.Errorf("%s %v", counts(r), r.Reasons)
	}
	list, err := h.Rejects(context.Background(), system, r.Run, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.Reason == csvin.Truncated && x.Line != r.Rows+1 {
			t.Errorf("the damage is told at line %d, after %d rows", x.Line, r.Rows)
		}
	}
}

func TestImportNeedsItsRight(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	by := auth.Identity{Tenant: 1, Role: auth.Technician}
	if _, err := h.Import(context.Background(), by, strings.NewReader(logHeader), csvin.Options{Profile: parsed(t, logProfile)}); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
	if _, err := h.Runs(context.Background(), by, 1); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
	if err := h.SaveProfile(context.Background(), by, parsed(t, logProfile)); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
}

func TestOwnProfiles(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		own := parsed(t, strings.Replace(logProfile, `name = "log"`, `name = "servicenow"`, 1))
		for range 2 {
			if err := h.SaveProfile(ctx, system, own); err != nil {
				t.Fatal(err)
			}
		}
		got, err := h.Profile(ctx, system, "servicenow")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(own, got); d != "" {
			t.Error(d)
		}
		list, err := h.Profiles(ctx, system)
		if err != nil || len(list) != len(csvin.BuiltIn()) || !list[0].Own {
			t.Errorf("%v %+v", err, list)
		}
		if err := h.RemoveProfile(ctx, system, "servicenow"); err != nil {
			t.Error(err)
		}
		if got, err = h.Profile(ctx, system, "servicenow"); err != nil || got.Source != "servicenow" {
			t.Errorf("%v %+v", err, got)
		}
		if err := h.RemoveProfile(ctx, system, "servicenow"); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

func TestCommand(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	dir := t.TempDir()
	profile, file := filepath.Join(dir, "log.toml"), filepath.Join(dir, "log.csv")
	bad := strings.Replace(rowTaken, "assigned", "lost", 1)
	for path, text := range map[string]string{profile: logProfile, file: logHeader + rowNew + bad} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		command csvin.Command
		want    []string
		files   int
	}{
		{csvin.Command{Profile: profile, File: file, Language: "en", DryRun: true}, []string{"Dry run: nothing was written", "Incidents: 1 new, 0 updated", "Rejected rows: 1"}, 2},
		{csvin.Command{Profile: profile, File: file, Language: "fr"}, []string{"Incidents", "1 nouveaux, 0 mis à jour", "Lignes rejetées", "log.rejects.csv"}, 3},
		{csvin.Command{Profile: profile, File: file, Language: "en"}, []string{"0 new, 0 updated, 1 unchanged", "log.rejects-2.csv"}, 4},
	} {
		var out strings.Builder
		if err := c.command.Import(context.Background(), h.Importer, system, &out, false); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in\n%s", want, out.String())
			}
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != c.files {
			t.Errorf("%d files, not %d: %v", len(entries), c.files, err)
		}
	}
	var out strings.Builder
	if err := (csvin.GuessCommand{File: file}).Guess(&out); err != nil || !strings.Contains(out.String(), "ticket = \"number\"") {
		t.Errorf("%v\n%s", err, out.String())
	}
	missing := csvin.Command{Profile: "nothing", File: file, Language: "en"}
	if err := missing.Import(context.Background(), h.Importer, system, io.Discard, false); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}
