package signal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Wish says which signals a person wants to be told of; what is empty is all. How
// soon they are told is theirs to choose with their other messages.
type Wish struct {
	Methods    []Method `json:"methods,omitempty"`
	Schools    []int64  `json:"schools,omitempty"` // about one of these, alone or among others
	Categories []int64  `json:"categories,omitempty"`
}

// Wants tells whether a signal is among those wished.
func (w *Wish) Wants(s *Signal) bool {
	return (len(w.Methods) == 0 || slices.Contains(w.Methods, s.Method)) &&
		(len(w.Categories) == 0 || slices.Contains(w.Categories, s.Category)) &&
		(len(w.Schools) == 0 || slices.ContainsFunc(s.Schools, func(id int64) bool { return slices.Contains(w.Schools, id) }))
}

// Subscribe keeps what the caller wants to be told of. It needs the right
// ViewStatistics; schools out of scope are unknown. An account that belongs to
// nobody of the directory is told of nothing: Invalid "person".
func (s *Service) Subscribe(ctx context.Context, by auth.Identity, w Wish) error {
	if err := by.Require(auth.ViewStatistics); err != nil {
		return err
	}
	if by.Person == 0 {
		return fault.InvalidField("person", "error.notify.no_person")
	}
	var fields fault.Fields
	for _, m := range w.Methods {
		if !m.Valid() {
			fields.Add("method", "error.field.unknown")
		}
	}
	for _, school := range w.Schools {
		if !by.Scope().SeesSchool(school) {
			fields.Add("school", "error.field.unknown")
		}
	}
	if err := fields.Err(); err != nil {
		return err
	}
	w.Schools, w.Categories = unique(w.Schools), unique(w.Categories)
	raw, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("signal: wish: %w", err)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Upsert(ctx, "signal_wish", []string{"tenant_id", "person_id"}, []string{"tenant_id", "person_id", "body"}, [][]any{{s.tenant, by.Person, string(raw)}})
	})
}

// WishOf gives what a person wants to be told of: everything if they never said.
func (s *Service) WishOf(ctx context.Context, person int64) (Wish, error) {
	var w Wish
	var raw string
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT body FROM signal_wish WHERE tenant_id = $1 AND person_id = $2`, s.tenant, person).Scan(&raw)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return w, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(raw), &w)
	}
	if err != nil {
		return w, fmt.Errorf("signal: wish: %w", err)
	}
	return w, nil
}
