package privacy

import (
	"archive/zip"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
)

//go:embed export.html
var exportPage string

var exportView = template.Must(template.New("export").Parse(exportPage))

// sheetOf is a section as it is given.
type sheetOf struct {
	Key, Title, Why string
	Columns         []string
	Rows            [][]string
	Note            string

	objects []map[string]any
}

// Export writes everything that is held on somebody as a ZIP: a page to read,
// the same as JSON for other programs (articles 15 and 20 of the GDPR), the
// messages as they came and the files that they joined. It gives the number of
// entries. Who signs in may have their own; for another's the right
// ManagePrivacy is needed.
func (s *Service) Export(ctx context.Context, by auth.Identity, who Somebody, p *locale.Printer, w io.Writer) (int, error) {
	self := who.Account != 0 && who.Account == by.Account && by.Tenant == s.tenant
	if !self {
		if err := s.mayManage(by); err != nil {
			return 0, err
		}
	}
	e := &exporting{Service: s, who: who, p: p, zip: zip.NewWriter(w)}
	if err := e.read(ctx); err != nil {
		return 0, fmt.Errorf("privacy: export: %w", err)
	}
	if !self {
		// Where others name the person takes a look at everything.
		if err := e.named(ctx); err != nil {
			return 0, fmt.Errorf("privacy: export: %w", err)
		}
	}
	if err := e.write(ctx, by); err != nil {
		return 0, fmt.Errorf("privacy: export: %w", err)
	}
	data, err := json.Marshal(map[string]any{"account": who.Account, "person": who.Person, "entries": e.entries})
	if err != nil {
		return 0, err
	}
	return e.entries, s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.Journal.Append(ctx, tx, journal.Event{Tenant: s.tenant, At: sqldb.Now(), Actor: by.Actor(), Subject: journal.Subject{Kind: Subject}, Kind: EventExported, Data: data})
	})
}

type exporting struct {
	*Service

	who     Somebody
	p       *locale.Printer
	zip     *zip.Writer
	places  *directory.Index
	sheets  []sheetOf
	mails   []int64
	files   []exportedFile
	entries int
}

type exportedFile struct {
	id   int64
	name string
}

func (e *exporting) read(ctx context.Context) error {
	var err error
	if e.places, err = e.Places.Index(ctx, e.tenant); err != nil {
		return err
	}
	return e.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if e.mails, err = e.ownMails(ctx, tx, e.who.Person, e.who.Wanted); err != nil {
			return err
		}
		letters, err := e.ownLetters(ctx, tx, e.who.Person, e.who.Wanted)
		if err != nil {
			return err
		}
		for _, sec := range sections {
			out := e.sheet(sec.key)
			for _, c := range sec.columns {
				out.Columns = append(out.Columns, e.p.T("privacy.field."+c.name))
			}
			var runs [][]any
			switch sec.each {
			case "mails":
				for _, id := range e.mails {
					runs = append(runs, []any{e.tenant, id})
				}
			case "letters":
				for _, id := range letters {
					runs = append(runs, []any{e.tenant, id})
				}
			case "addresses":
				for _, address := range e.who.Emails {
					runs = append(runs, []any{e.tenant, address})
				}
			default:
				runs = [][]any{{e.tenant, e.who.Person, e.who.Account}}
			}
			for _, args := range runs {
				if err := e.rows(ctx, tx, sec, &out, args); err != nil {
					return fmt.Errorf("%s: %w", sec.key, err)
				}
			}
			e.sheets = append(e.sheets, out)
			e.entries += len(out.Rows)
		}
		return nil
	})
}

func (e *exporting) sheet(key string) sheetOf {
	return sheetOf{Key: key, Title: e.p.T("privacy.section." + key), Why: e.p.T("privacy.section." + key + ".why")}
}

func (e *exporting) rows(ctx context.Context, tx *sqldb.Tx, sec section, out *sheetOf, args []any) error {
	rows, err := tx.Query(ctx, whole+sec.query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, into := make([]any, len(sec.columns)), make([]any, len(sec.columns))
		for k := range row {
			into[k] = &row[k]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		object := make(map[string]any, len(row))
		cells := make([]string, len(row))
		for k, c := range sec.columns {
			cells[k], object[c.name] = e.value(c, row[k])
		}
		if sec.key == "files" {
			id, _ := row[0].(int64)
			name, _ := row[1].(string)
			e.files = append(e.files, exportedFile{id, name})
		}
		out.Rows, out.objects = append(out.Rows, cells), append(out.objects, object)
	}
	return rows.Err()
}

// value writes a value for people and for programs.
func (e *exporting) value(c column, v any) (string, any) {
	n, _ := v.(int64)
	text, isText := v.(string)
	switch c.kind {
	case instant:
		if n == 0 {
			return "", nil
		}
		at := sqldb.Time(n)
		return e.p.DateTime(at), at.Format(time.RFC3339)
	case aDay:
		if n == 0 {
			return "", nil
		}
		return e.p.MediumDay(calendar.Day(n)), calendar.Day(n).Time().Format(time.DateOnly)
	case yesNo:
		if n != 0 {
			return e.p.T("common.yes"), true
		}
		return e.p.T("common.no"), false
	case school:
		if n == 0 {
			return "", nil
		}
		return e.places.SchoolName(n), e.places.SchoolName(n)
	case incidentN:
		if n == 0 {
			return "", nil
		}
		return "#" + strconv.FormatInt(n, 10), n
	case coded:
		if key := c.words + text; e.p.Has(key) {
			return e.p.T(key), text
		}
	}
	if isText {
		if t := strings.TrimSpace(text); c.name == "data" && json.Valid([]byte(t)) {
			return text, json.RawMessage(t)
		}
		return text, text
	}
	return strconv.FormatInt(n, 10), n
}

// named lists where the words of others name the person, without these words:
// they are theirs.
func (e *exporting) named(ctx context.Context) error {
	w := newWords(e.who.Wanted)
	out := e.sheet("named")
	out.Columns = []string{e.p.T("privacy.field.subject_kind"), e.p.T("privacy.field.subject_id")}
	seen := map[string]bool{unit("person", e.who.Person): true, unit("account", e.who.Account): true}
	err := e.scan(ctx, func(int64) error { return ctx.Err() }, func(of, _, text string) {
		if seen[of] || len(w.find(text)) == 0 {
			return
		}
		seen[of] = true
		g := Guess{Unit: of}
		out.Rows = append(out.Rows, []string{Place(e.p, g.Kind()), g.ID()})
		out.objects = append(out.objects, map[string]any{"subject_kind": g.Kind(), "subject_id": g.ID()})
	})
	e.sheets = append(e.sheets, out)
	e.entries += len(out.Rows)
	return err
}

// Place is how people call what a place is about.
func Place(p *locale.Printer, kind string) string {
	if key := "privacy.place." + kind; p.Has(key) {
		return p.T(key)
	}
	return kind
}

func (e *exporting) write(ctx context.Context, by auth.Identity) error {
	now := sqldb.Now()
	put := func(name string, data []byte) error {
		w, err := e.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	all := map[string]any{"generated_at": now.Format(time.RFC3339)}
	for _, s := range e.sheets {
		if len(s.objects) > 0 {
			all[s.Key] = s.objects
		}
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := put("donnees.json", data); err != nil {
		return err
	}
	for _, id := range e.mails {
		raw, err := e.raw(ctx, id)
		if err != nil {
			return err
		}
		if raw != nil {
			if err := put("messages/"+strconv.FormatInt(id, 10)+".eml", raw); err != nil {
				return err
			}
		}
	}
	for _, f := range e.files {
		// By the program itself: they are the person's own, whatever their scope is
		// today.
		_, content, err := e.Files.Open(ctx, auth.System(e.tenant), f.id, false)
		if fault.Is(err, fault.NotFound) {
			continue // removed since
		}
		if err != nil {
			return err
		}
		w, err := e.zip.CreateHeader(&zip.FileHeader{Name: "fichiers/" + strconv.FormatInt(f.id, 10) + "-" + safeName(f.name), Method: zip.Deflate, Modified: now})
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, content); err != nil {
			return err
		}
	}
	w, err := e.zip.CreateHeader(&zip.FileHeader{Name: "donnees.html", Method: zip.Deflate, Modified: now})
	if err != nil {
		return err
	}
	err = exportView.Execute(w, map[string]any{
		"Lang": string(e.p.Lang()), "Title": e.p.T("privacy.export.title"), "Name": e.who.Name, "When": e.p.T("privacy.export.when", "when", e.p.DateTime(now)),
		"Lede": e.p.T("privacy.export.lede"), "Rights": e.p.T("privacy.export.rights"), "Nothing": e.p.T("privacy.export.nothing"), "Sheets": e.sheets, "Contents": e.p.T("privacy.export.contents"),
	})
	if err != nil {
		return err
	}
	return e.zip.Close()
}

// safeName keeps of a file's name what every system takes.
func safeName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, name)
}
