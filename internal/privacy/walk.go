package privacy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// pageSize is how many rows or events one transaction looks at.
const pageSize = 500

// apart are the tables that the walk leaves alone, and why.
var apart = map[string]string{
	"event":              "walked by itself, event by event",
	"journal_seal":       "digests",
	"reader_cursor":      "positions",
	"session":            "the account's own are removed; others hold no text for long",
	"secret":             "keys and passwords of the program",
	"attachment_chunk":   "contents of files, removed whole",
	"attachment_content": "digests",
	"mail_raw":           "compressed messages, removed whole (see raws)",
	"privacy_erasure":    "what is being looked for; emptied with the end of each erasure",
	"search_index":       "made again from the texts",
	"search_word":        "swept by the search itself (Compact)",
	"search_again":       "numbers",
}

// walked lists the tables that the walk looks at, with their text columns.
func walked(ctx context.Context, tx *sqldb.Tx) ([]sqldb.Table, error) {
	all, err := tx.Tables(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(t sqldb.Table) bool {
		_, skip := apart[t.Name]
		return skip || len(t.Key) == 0 || t.Key[0] != "tenant_id" || !slices.ContainsFunc(t.Columns, func(c sqldb.Column) bool { return c.Type == sqldb.Text })
	}), nil
}

// row is one row of a table: its key without the tenant, and its texts.
type row struct {
	key  []string
	text map[string]string
}

// unit names what a row or an event is about. A context's table and the
// subject of its events have the same name: "incident:12".
func unit(kind string, id any) string { return fmt.Sprintf("%s:%v", kind, id) }

func (r row) unit(t sqldb.Table) string { return unit(t.Name, strings.Join(r.key, ".")) }

func columnOf(t sqldb.Table, name string) sqldb.Column {
	return t.Columns[slices.IndexFunc(t.Columns, func(c sqldb.Column) bool { return c.Name == name })]
}

// keyArgs gives the values of a key as the engine takes them.
func keyArgs(t sqldb.Table, key []string) ([]any, error) {
	args := make([]any, len(key))
	for k, text := range key {
		if columnOf(t, t.Key[k+1]).Type == sqldb.Text {
			args[k] = text
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("privacy: key of %s: %w", t.Name, err)
		}
		args[k] = n
	}
	return args, nil
}

// rowsAfter reads the next rows of a table in the order of its key; nil for
// its beginning.
func (s *Service) rowsAfter(ctx context.Context, tx *sqldb.Tx, t sqldb.Table, after []string) ([]row, error) {
	return s.rowsUpTo(ctx, tx, t, after, pageSize)
}

func (s *Service) rowsUpTo(ctx context.Context, tx *sqldb.Tx, t sqldb.Table, after []string, limit int) ([]row, error) {
	own := t.Key[1:]
	if len(own) == 0 && after != nil {
		return nil, nil // a table of one row
	}
	var text []string
	for _, c := range t.Columns {
		if c.Type == sqldb.Text && !slices.Contains(own, c.Name) {
			text = append(text, c.Name)
		}
	}
	columns := slices.Concat(own, text)
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + t.Name + " WHERE tenant_id = $1"
	args := []any{s.tenant}
	if after != nil {
		last, err := keyArgs(t, after)
		if err != nil {
			return nil, err
		}
		marks := make([]string, len(last))
		for k := range last {
			marks[k] = "$" + strconv.Itoa(k+2)
		}
		query += " AND (" + strings.Join(own, ", ") + ") > (" + strings.Join(marks, ", ") + ")"
		args = append(args, last...)
	}
	if len(own) > 0 {
		query += " ORDER BY " + strings.Join(own, ", ")
	}
	rows, err := tx.Query(ctx, query+" LIMIT "+strconv.Itoa(limit), args...)
	if err != nil {
		return nil, fmt.Errorf("privacy: read %s: %w", t.Name, err)
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		into := make([]string, len(columns))
		at := make([]any, len(columns))
		for k := range into {
			at[k] = &into[k]
		}
		if err := rows.Scan(at...); err != nil {
			return nil, fmt.Errorf("privacy: read %s: %w", t.Name, err)
		}
		r := row{key: into[:len(own):len(own)], text: make(map[string]string, len(text))}
		if r.key == nil {
			r.key = []string{}
		}
		for k, name := range text {
			r.text[name] = into[len(own)+k]
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// change writes the texts of a row that have changed.
func (s *Service) change(ctx context.Context, tx *sqldb.Tx, t sqldb.Table, r row, to map[string]string) error {
	args := []any{s.tenant}
	key, err := keyArgs(t, r.key)
	if err != nil {
		return err
	}
	args = append(args, key...)
	conditions := []string{"tenant_id = $1"}
	for k, name := range t.Key[1:] {
		conditions = append(conditions, name+" = $"+strconv.Itoa(k+2))
	}
	where := strings.Join(conditions, " AND ")
	var set []string
	for _, name := range t.Names() {
		if text, ok := to[name]; ok {
			args = append(args, text)
			set = append(set, name+" = $"+strconv.Itoa(len(args)))
		}
	}
	query := "UPDATE " + t.Name + " SET " + strings.Join(set, ", ") + " WHERE " + where
	if to == nil {
		query = "DELETE FROM " + t.Name + " WHERE " + where
	}
	if _, err := tx.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("privacy: change %s: %w", t.Name, err)
	}
	return nil
}

// eventsAfter reads the next events of the whole journal.
func (s *Service) eventsAfter(ctx context.Context, tx *sqldb.Tx, after journal.Pos) ([]journal.Event, error) {
	return journal.ReadTx(ctx, tx, s.tenant, after, pageSize)
}

// scan shows every text that is kept, but those of apart: with its unit, the
// table ("event" for the journal), and a word of each JSON value.
func (s *Service) scan(ctx context.Context, progress func(done int64) error, see func(unit, where, text string)) error {
	done := int64(0)
	step := func(n int) error {
		done += int64(n)
		return progress(done)
	}
	for after := (journal.Pos{}); ; {
		events, err := s.Journal.Read(ctx, s.tenant, after, pageSize)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		for k := range events {
			of := unit(events[k].Subject.Kind, events[k].Subject.ID)
			mapStrings(events[k].Data, func(text string) string {
				see(of, "event", text)
				return text
			})
		}
		after = events[len(events)-1].Pos
		if err := step(len(events)); err != nil {
			return err
		}
	}
	var tables []sqldb.Table
	if err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		tables, err = walked(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	for _, t := range tables {
		for after := []string(nil); ; {
			var list []row
			if err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
				list, err = s.rowsAfter(ctx, tx, t, after)
				return err
			}); err != nil {
				return err
			}
			if len(list) == 0 {
				break
			}
			for _, r := range list {
				of := r.unit(t)
				for _, k := range r.key {
					see(of, t.Name, k)
				}
				for _, text := range r.text {
					mapText(text, func(part string) string {
						see(of, t.Name, part)
						return part
					})
				}
			}
			after = list[len(list)-1].key
			if err := step(len(list)); err != nil {
				return err
			}
		}
	}
	return nil
}

// size is about how many events and rows there are to look at.
func (s *Service) size(ctx context.Context) (int64, error) {
	var total int64
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		tables, err := walked(ctx, tx)
		if err != nil {
			return err
		}
		for _, name := range append([]string{"event"}, names(tables)...) {
			var n int64
			if err := tx.QueryRow(ctx, whole+`SELECT count(*) FROM `+name+` WHERE tenant_id = $1`, s.tenant).Scan(&n); err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	return total, err
}

func names(tables []sqldb.Table) []string {
	list := make([]string, len(tables))
	for k, t := range tables {
		list[k] = t.Name
	}
	return list
}
