package search

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// version is of what an incident's document holds: an index of another one is
// made anew.
const version = 3

const (
	// portion is how many are made in one transaction of the builder.
	portion = 100
	// idle is how often the builder looks whether something waits that another
	// process has read.
	idle = 250 * time.Millisecond
)

// Run keeps a tenant's index current until ctx ends: a reader of the journal
// follows what is said, and a builder makes what is missing, a portion at a
// time, resting as long as it works so that those who write are not held up.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	if err := s.begin(ctx, tenant); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	built := make(chan error, 1)
	go func() {
		defer stop()
		built <- s.keepBuilding(ctx, tenant)
	}()
	err := s.j.Run(ctx, tenant, Reader, s.index)
	stop()
	return errors.Join(err, <-built)
}

func (s *Service) keepBuilding(ctx context.Context, tenant int64) error {
	for ctx.Err() == nil {
		began := sqldb.Now()
		more, err := s.build(ctx, tenant)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if more {
			select {
			case <-ctx.Done():
			case <-time.After(min(max(sqldb.Now().Sub(began), time.Millisecond), time.Second)):
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.woken:
		case <-time.After(idle):
		}
	}
	return nil
}

// Fresh brings a tenant's index up to what the journal shows now.
func (s *Service) Fresh(ctx context.Context, tenant int64) error {
	if err := s.begin(ctx, tenant); err != nil {
		return err
	}
	if err := s.j.CatchUp(ctx, tenant, Reader, s.index); err != nil {
		return err
	}
	for {
		if more, err := s.build(ctx, tenant); err != nil || !more {
			return err
		}
	}
}

// begin starts an index that was never made, or was made by another version or
// on the other engine (whose reader's place a restored backup leaves out).
func (s *Service) begin(ctx context.Context, tenant int64) error {
	var ok bool
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		ok, err = begun(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return fmt.Errorf("search: begin: %w", err)
	}
	if ok {
		return nil
	}
	return s.remake(ctx, tenant, false)
}

func begun(ctx context.Context, tx *sqldb.Tx, tenant int64) (bool, error) {
	var made, cursors int64
	err := tx.QueryRow(ctx, `SELECT version FROM search_build WHERE tenant_id = $1`, tenant).Scan(&made)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		err = tx.QueryRow(ctx, `SELECT count(*) FROM reader_cursor WHERE tenant_id = $1 AND reader = $2`, tenant, Reader).Scan(&cursors)
	}
	return made == version && cursors > 0, err
}

// Remake empties a tenant's index; Run or Fresh then makes it anew, the newest
// incidents first. What is said meanwhile is followed from here on.
func (s *Service) Remake(ctx context.Context, tenant int64) error { return s.remake(ctx, tenant, true) }

// remake does nothing, unless it must, to an index that another process has
// begun meanwhile.
func (s *Service) remake(ctx context.Context, tenant int64, must bool) error {
	x, err := s.places.Index(ctx, tenant)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if !must {
			if ok, err := begun(ctx, tx, tenant); err != nil || ok {
				return err
			}
		}
		if err := journal.Hold(ctx, tx, tenant, Reader); err != nil {
			return err
		}
		query, args := `DELETE FROM search_index WHERE tenant_id = $1`, []any{tenant}
		if tx.Dialect() == sqldb.SQLite {
			query, args = `DELETE FROM search_index WHERE rowid BETWEEN $1 AND $2`, []any{rowid(tenant, 0), rowid(tenant+1, 0) - 1}
		}
		var others int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM search_build WHERE tenant_id <> $1`, tenant).Scan(&others); err != nil {
			return err
		}
		if others == 0 {
			// Row by row, half a million would hold the writer for half a minute.
			query, args = `TRUNCATE search_index`, nil
			if tx.Dialect() == sqldb.SQLite {
				query = `INSERT INTO search_index (search_index) VALUES ('delete-all')`
			}
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return err
		}
		tx.OnCommit(func() { s.vocabulary.forget(tenant) })
		for _, table := range []string{"search_machine", "search_word", "search_again", "search_place", "search_build"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE tenant_id = $1", tenant); err != nil {
				return err
			}
		}
		if err := journal.Skip(ctx, tx, tenant, Reader); err != nil {
			return err
		}
		var rows [][]any
		for _, school := range x.Schools() {
			rows = append(rows, []any{tenant, school.ID, int64(0), schoolName(school)})
			for _, room := range x.Rooms(school.ID) {
				rows = append(rows, []any{tenant, school.ID, room.ID, room.Name})
			}
		}
		if err := tx.Insert(ctx, "search_place", []string{"tenant_id", "school_id", "room_id", "name"}, rows, ""); err != nil {
			return err
		}
		top, err := incident.NumbersBelow(ctx, tx, tenant, 0, 1)
		if err != nil {
			return err
		}
		below := int64(0)
		if len(top) > 0 {
			below = top[0] + 1
		}
		_, err = tx.Exec(ctx, `INSERT INTO search_build (tenant_id, version, below) VALUES ($1, $2, $3)`, tenant, version, below)
		return err
	})
	if err != nil {
		return fmt.Errorf("search: make anew: %w", err)
	}
	return nil
}

// build makes a portion of what is missing; more tells whether there may be
// another.
func (s *Service) build(ctx context.Context, tenant int64) (more bool, err error) {
	ask := func(ctx context.Context, tx *sqldb.Tx) (again []int64, below int64, err error) {
		if again, err = numbers(ctx, tx, `SELECT incident_id FROM search_again WHERE tenant_id = $1 ORDER BY incident_id DESC LIMIT $2`, tenant, portion); err != nil {
			return nil, 0, err
		}
		err = tx.QueryRow(ctx, `SELECT below FROM search_build WHERE tenant_id = $1`, tenant).Scan(&below)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return again, below, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		again, below, err := ask(ctx, tx)
		more = len(again) > 0 || below > 0
		return err
	})
	if err != nil || !more {
		return false, err
	}
	x, err := s.places.Index(ctx, tenant)
	if err != nil {
		return false, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The reader must not write a newer document between what is read here
		// and what is written.
		if err := journal.Hold(ctx, tx, tenant, Reader); err != nil {
			return err
		}
		if err := tx.PlanAfresh(ctx); err != nil {
			return err
		}
		ids, below, err := ask(ctx, tx)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			list := make([]string, len(ids))
			for k, id := range ids {
				list[k] = strconv.FormatInt(id, 10)
			}
			if _, err := tx.Exec(ctx, "DELETE FROM search_again WHERE tenant_id = $1 AND incident_id IN ("+strings.Join(list, ", ")+")", tenant); err != nil {
				return err
			}
		} else if below > 0 {
			if ids, err = incident.NumbersBelow(ctx, tx, tenant, below, portion); err != nil {
				return err
			}
			below = 0
			if len(ids) == portion {
				below = ids[len(ids)-1]
			}
			if _, err := tx.Exec(ctx, `UPDATE search_build SET below = $2 WHERE tenant_id = $1`, tenant, below); err != nil {
				return err
			}
		}
		return s.make(ctx, tx, tenant, x, ids)
	})
	if err != nil {
		return false, fmt.Errorf("search: build: %w", err)
	}
	return true, nil
}

// index notes the incidents whose words a batch of events changes: the builder
// reads them again, so that neither an import nor a new name of a school holds
// the writer longer than a portion takes.
func (s *Service) index(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	tenant := events[0].Tenant
	var ids []int64
	seen := map[int64]bool{}
	note := func(id int64) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for k := range events {
		e := &events[k]
		switch e.Subject.Kind {
		case incident.Subject:
			speaks, err := speaks(e)
			if err != nil {
				return err
			}
			if speaks {
				note(e.Subject.ID)
			}
		case directory.SubjectSchool, directory.SubjectRoom:
			moved, err := s.renamed(ctx, tx, e)
			if err != nil {
				return err
			}
			for _, id := range moved {
				note(id)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows := make([][]any, len(ids))
	for k, id := range ids {
		rows[k] = []any{tenant, id}
	}
	tx.OnCommit(s.wake)
	return tx.Insert(ctx, "search_again", []string{"tenant_id", "incident_id"}, rows, "ON CONFLICT (tenant_id, incident_id) DO NOTHING")
}

// wake tells the builder that something waits.
func (s *Service) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

func schoolName(s directory.School) string { return s.Name + " " + s.Commune }

// renamed gives the incidents of a school or room whose name is no longer the
// one in the index.
func (s *Service) renamed(ctx context.Context, tx *sqldb.Tx, e *journal.Event) ([]int64, error) {
	var school, room int64
	var name string
	if e.Subject.Kind == directory.SubjectSchool {
		var now directory.School
		if err := json.Unmarshal(e.Data, &now); err != nil {
			return nil, fmt.Errorf("search: event %s: %w", e.Pos, err)
		}
		school, name = e.Subject.ID, schoolName(now)
	} else {
		var now directory.Room
		if err := json.Unmarshal(e.Data, &now); err != nil {
			return nil, fmt.Errorf("search: event %s: %w", e.Pos, err)
		}
		school, room, name = now.School, e.Subject.ID, now.Name
	}
	var old string
	err := tx.QueryRow(ctx, `SELECT name FROM search_place WHERE tenant_id = $1 AND school_id = $2 AND room_id = $3`, e.Tenant, school, room).Scan(&old)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if old == name {
		return nil, nil
	}
	if err := tx.Insert(ctx, "search_place", []string{"tenant_id", "school_id", "room_id", "name"}, [][]any{{e.Tenant, school, room, name}},
		"ON CONFLICT (tenant_id, school_id, room_id) DO UPDATE SET name = excluded.name"); err != nil {
		return nil, err
	}
	return incident.NumbersAt(ctx, tx, e.Tenant, school, room)
}

// speaks tells whether an event changes what is indexed of its incident.
func speaks(e *journal.Event) (bool, error) {
	var p incident.Payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return false, fmt.Errorf("search: incident %d, event %s: %w", e.Subject.ID, e.Pos, err)
	}
	return e.Kind == incident.EventDeclared || p.Comment != "" || p.Set.Title != nil || p.Set.Description != nil ||
		p.Set.Machine != nil || p.Set.Resolution != nil || p.Set.ExternalID != nil || p.Set.School != nil || p.Set.Room != nil ||
		p.Set.Declarant != nil || p.Set.Affected != nil, nil
}

// make writes the documents of some incidents as they stand.
func (s *Service) make(ctx context.Context, tx *sqldb.Tx, tenant int64, x *directory.Index, ids []int64) error {
	texts, err := incident.Texts(ctx, tx, tenant, ids)
	if err != nil {
		return err
	}
	documents := make([]document, len(texts))
	var machines [][]any
	for k := range texts {
		t := &texts[k]
		school, _ := x.School(t.School)
		documents[k] = read(t, schoolName(school), x.RoomName(t.Room))
		for _, e := range endings(t.Machine) {
			machines = append(machines, []any{tenant, e, t.School, t.Machine})
		}
	}
	if len(machines) > 0 {
		// Twice the same in one statement is refused nowhere with DO NOTHING.
		if err := tx.Insert(ctx, "search_machine", []string{"tenant_id", "folded", "school_id", "label"}, machines, "ON CONFLICT (tenant_id, folded, school_id, label) DO NOTHING"); err != nil {
			return err
		}
	}
	if err := s.keepWords(ctx, tx, tenant, documents); err != nil {
		return err
	}
	return write(ctx, tx, tenant, texts, documents)
}

func write(ctx context.Context, tx *sqldb.Tx, tenant int64, texts []incident.Text, documents []document) error {
	rows := make([][]any, 0, len(texts))
	if tx.Dialect() == sqldb.PostgreSQL {
		for k := range texts {
			rows = append(rows, []any{tenant, texts[k].ID, documents[k].vector(tenant)})
		}
		return tx.Insert(ctx, "search_index", []string{"tenant_id", "incident_id", "words"}, rows,
			"ON CONFLICT (tenant_id, incident_id) DO UPDATE SET words = excluded.words")
	}
	for part := range slices.Chunk(texts, 500) {
		old := make([]string, len(part))
		for k := range part {
			old[k] = strconv.FormatInt(rowid(tenant, part[k].ID), 10)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM search_index WHERE rowid IN ("+strings.Join(old, ", ")+")"); err != nil {
			return fmt.Errorf("search: forget: %w", err)
		}
	}
	for k := range texts {
		d := &documents[k]
		stems, words := d.open.columns()
		istems, iwords := d.inner.columns()
		rows = append(rows, []any{rowid(tenant, texts[k].ID), stems, words, istems, iwords, strings.Join(d.marks, " ")})
	}
	return tx.Insert(ctx, "search_index", []string{"rowid", "stems", "words", "istems", "iwords", "marks"}, rows, "")
}
